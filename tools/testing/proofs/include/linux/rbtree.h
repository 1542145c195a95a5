/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Search trees that are never balanced. The proof begins with trees of any shape,
 * and what is right in all of them doesn't depend on the colours.
 */
#ifndef _LINUX_RBTREE_H
#define _LINUX_RBTREE_H

#include <linux/types.h>

struct rb_node {
	struct rb_node *parent;
	struct rb_node *rb_left;
	struct rb_node *rb_right;
};

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT ((struct rb_root){ NULL })

#define rb_entry_safe(node, type, member) \
	({ struct rb_node *_node = (node); _node ? container_of(_node, type, member) : NULL; })

static inline void rb_link_node(struct rb_node *node, struct rb_node *parent,
				struct rb_node **link)
{
	node->parent = parent;
	node->rb_left = NULL;
	node->rb_right = NULL;
	*link = node;
}

static inline void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	(void)node;
	(void)root;
}

static inline struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

static inline struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *next = node->rb_right;

	if (next) {
		while (next->rb_left)
			next = next->rb_left;
		return next;
	}
	while (node->parent && node == node->parent->rb_right)
		node = node->parent;
	return node->parent;
}

/* @with, NULL or a child, takes the place of @node. */
static inline void rb_replace(struct rb_node *node, struct rb_node *with,
			      struct rb_root *root)
{
	if (!node->parent)
		root->rb_node = with;
	else if (node->parent->rb_left == node)
		node->parent->rb_left = with;
	else
		node->parent->rb_right = with;
	if (with)
		with->parent = node->parent;
}

static inline void rb_erase(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *next = node->rb_right;

	if (!node->rb_left || !next) {
		rb_replace(node, next ? next : node->rb_left, root);
		return;
	}
	while (next->rb_left)
		next = next->rb_left;
	if (next != node->rb_right) {
		rb_replace(next, next->rb_right, root);
		next->rb_right = node->rb_right;
		next->rb_right->parent = next;
	}
	rb_replace(node, next, root);
	next->rb_left = node->rb_left;
	next->rb_left->parent = next;
}

#endif /* _LINUX_RBTREE_H */
