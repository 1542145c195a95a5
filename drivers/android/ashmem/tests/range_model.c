// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle for range.c: loops over pages, too simple to be wrong.
 */

#include <linux/minmax.h>
#include <linux/string.h>

#include "../ashmem.h"
#include "range_model.h"

void range_model_reset(struct range_model *model)
{
	model->stamp = 0;
	memset(model->page, 0, model->pages * sizeof(*model->page));
}

/* The last page of the run that @page belongs to. */
unsigned int range_model_end(const struct range_model *model, unsigned int page)
{
	u32 stamp = model->page[page].stamp;

	while (page + 1 < model->pages && model->page[page + 1].stamp == stamp)
		page++;
	return page;
}

static bool starts_run(const struct range_model *model, unsigned int page)
{
	return model->page[page].stamp &&
	       (!page || model->page[page - 1].stamp != model->page[page].stamp);
}

/* How many pages of the run that starts at @start a purge can take. */
unsigned int range_model_left(const struct range_model *model, unsigned int start)
{
	unsigned int end = range_model_end(model, start);
	unsigned int left = 0;

	for (; start <= end; start++)
		left += !model->page[start].taken;
	return left;
}

/* How many runs lie in an interval with all their pages. */
unsigned int range_model_inside(const struct range_model *model, unsigned int first,
				unsigned int last)
{
	unsigned int page, inside = 0;

	for (page = first; page <= last; page++)
		inside += starts_run(model, page) && range_model_end(model, page) <= last;
	return inside;
}

/* Does a run reach out of an interval on both sides? */
bool range_model_splits(const struct range_model *model, unsigned int first,
			unsigned int last)
{
	u32 stamp = model->page[first].stamp;

	return first && stamp && model->page[first - 1].stamp == stamp &&
	       range_model_end(model, first) > last;
}

bool range_model_overlap(const struct range_model *model, unsigned int first,
			 unsigned int last)
{
	for (; first <= last; first++) {
		if (model->page[first].stamp)
			return true;
	}
	return false;
}

bool range_model_pin(struct range_model *model, unsigned int first, unsigned int last)
{
	bool purged = false;

	for (; first <= last; first++) {
		purged |= model->page[first].purged;
		model->page[first] = (struct model_page){};
	}
	return purged;
}

void range_model_unpin(struct range_model *model, unsigned int first, unsigned int last)
{
	struct model_page page = { .stamp = ++model->stamp };
	unsigned int i;

	/* A run that the interval touches becomes part of it as a whole. */
	while (first && model->page[first].stamp &&
	       model->page[first - 1].stamp == model->page[first].stamp)
		first--;
	if (model->page[last].stamp)
		last = range_model_end(model, last);
	for (i = first; i <= last; i++)
		page.purged |= model->page[i].purged;
	for (i = first; i <= last; i++)
		model->page[i] = page;
}

void range_model_take(struct range_model *model, unsigned int start, unsigned int count)
{
	unsigned int end = range_model_end(model, start);

	for (; start <= end; start++) {
		model->page[start].purged = true;
		if (!model->page[start].taken && count) {
			model->page[start].taken = true;
			count--;
		}
	}
}

static const char *compare_range(const struct range_model *model, unsigned int start,
				 const struct ashmem_range *range,
				 const struct ashmem_lru_group *group)
{
	unsigned int end = range_model_end(model, start);
	unsigned int left = range_model_left(model, start);

	if (range->pages.start != model->base + start)
		return "a range starts elsewhere";
	if (range->pages.last != model->base + end)
		return "a range ends elsewhere";
	if (range->purged != model->page[start].purged)
		return "what a range says of lost contents is wrong";
	if (range->resume != model->base + end + 1 - left)
		return "a purge would go on at the wrong page";
	if (ashmem_range_purgeable(range) != left)
		return "the purgeable pages of a range are wrong";
	if (left && range->group != group)
		return "a range is in the wrong group";
	return NULL;
}

static bool subtree_last_is_right(const struct interval_tree_node *node)
{
	unsigned long last = node->last;
	struct rb_node *child;

	child = node->rb.rb_left;
	if (child)
		last = max(last, rb_entry(child, typeof(*node), rb)->__subtree_last);
	child = node->rb.rb_right;
	if (child)
		last = max(last, rb_entry(child, typeof(*node), rb)->__subtree_last);
	return node->__subtree_last == last;
}

/* The tree against the pages, in the order of both. */
static const char *compare_tree(const struct range_model *model, struct ashmem_ranges *set,
				struct ashmem_lru_group *group, unsigned int *listed)
{
	unsigned long unpinned = 0, purgeable = 0;
	struct rb_node *rb = rb_first(&set->root.rb_root);
	unsigned int page;
	const char *why;

	*listed = 0;
	if (rb_first_cached(&set->root) != rb)
		return "the tree's first node isn't the one at hand";
	for (page = 0; page < model->pages; page++) {
		struct interval_tree_node *node;
		struct ashmem_range *range;

		unpinned += !!model->page[page].stamp;
		if (!starts_run(model, page))
			continue;
		if (!rb)
			return "a range is missing";
		node = rb_entry(rb, struct interval_tree_node, rb);
		range = container_of(node, struct ashmem_range, pages);
		why = compare_range(model, page, range, group);
		if (why)
			return why;
		if (!subtree_last_is_right(node))
			return "the tree doesn't know how far a subtree reaches";
		purgeable += ashmem_range_purgeable(range);
		*listed += ashmem_range_purgeable(range) != 0;
		rb = rb_next(rb);
	}
	if (rb)
		return "there is a range too many";
	if (set->unpinned != unpinned)
		return "the number of unpinned pages is wrong";
	if (set->purgeable != purgeable)
		return "the number of purgeable pages is wrong";
	if (group->pages != purgeable)
		return "the group counts other pages than the set";
	return NULL;
}

/* The list: by stamp and, of what one UNPIN made, by page. */
static const char *compare_list(const struct range_model *model,
				struct ashmem_lru_group *group, unsigned int listed)
{
	struct ashmem_range *range;
	u64 before = 0;

	list_for_each_entry(range, &group->ranges, lru) {
		unsigned long start = range->pages.start - model->base;
		u64 order;

		if (!listed)
			return "a range too many is listed";
		listed--;
		if (start >= model->pages || !starts_run(model, start) ||
		    !range_model_left(model, start))
			return "something is listed that isn't there to take";
		order = (u64)model->page[start].stamp << 32 | start;
		if (order <= before)
			return "the list is out of order";
		before = order;
	}
	return listed ? "a range isn't listed" : NULL;
}

/**
 * range_model_compare - is a set what it should be?
 * @model: what it should be
 * @set: the set
 * @group: where all its ranges are listed, and no others; nobody uses it but us
 *
 * Return: what is wrong, or NULL.
 */
const char *range_model_compare(const struct range_model *model,
				struct ashmem_ranges *set,
				struct ashmem_lru_group *group)
{
	unsigned int listed;
	const char *why = compare_tree(model, set, group, &listed);

	if (why)
		return why;
	why = compare_list(model, group, listed);
	if (why)
		return why;
	if (refcount_read(&group->refs) != 1 + !!listed)
		return "the group's references are wrong";
	return NULL;
}
