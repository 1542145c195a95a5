/* SPDX-License-Identifier: GPL-2.0-only */
/* What range.c needs of Linux's lists. */
#ifndef _LINUX_LIST_H
#define _LINUX_LIST_H

#include <linux/types.h>

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline void list_add(struct list_head *item, struct list_head *behind)
{
	item->prev = behind;
	item->next = behind->next;
	behind->next->prev = item;
	behind->next = item;
}

static inline void list_del(struct list_head *item)
{
	item->next->prev = item->prev;
	item->prev->next = item->next;
	item->next = NULL;
	item->prev = NULL;
}

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

#define list_first_entry_or_null(list, type, member) \
	({ struct list_head *_list = (list); \
	   list_empty(_list) ? NULL : container_of(_list->next, type, member); })

#endif /* _LINUX_LIST_H */
