/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of unpinned page ranges, and queues of them by age. Bounds are page indices, both
 * inclusive: [start, last]. The ranges of a set are disjoint, but can be adjacent. A purge
 * takes pages from the start of a range. The caller serializes calls on a set and its queues.
 */

#ifndef _ASHMEM_RANGE_H
#define _ASHMEM_RANGE_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

/* Ranges with pages to take, oldest first, and the sum of their pages to take. */
struct ashmem_queue {
	struct list_head ranges;
	unsigned long pages;
};

/* A run of unpinned pages. */
struct ashmem_range {
	struct rb_node rb;		/* in the set's tree, sorted by @start */
	unsigned long start;
	unsigned long last;
	struct list_head age;		/* in @queue, or in the list of dropped ranges */
	struct ashmem_queue *queue;	/* that UNPIN named, or NULL without pages to take */
	unsigned long stamp;		/* when UNPIN made the range, in jiffies */
	/* The first page that is still there to take; @last + 1 if none is. */
	unsigned long resume : BITS_PER_LONG - 2;
	unsigned long purged : 1;	/* contents were lost since UNPIN */
	unsigned long paid : 1;		/* UNPIN chose @queue by a page in memory, no cut since */
};

/* The unpinned ranges of a region. */
struct ashmem_ranges {
	struct rb_root root;
	unsigned long unpinned;		/* pages in all of them */
	unsigned long purgeable;	/* pages of them that are still there to take */
};

/* A PIN or UNPIN in progress. */
struct ashmem_edit {
	unsigned long first;		/* page that is not done yet */
	unsigned long last;
	bool purged;			/* PIN: contents were lost in the part that is done */
	bool paid;			/* UNPIN: @paid of the new range */
	struct ashmem_queue *queue;	/* UNPIN: of the new range */
	struct ashmem_range **spare;	/* to use, then NULL; a range that is removed refills it */
	struct list_head dropped;	/* other removed ranges, by @age; the caller frees them */
};

static inline unsigned long ashmem_range_purgeable(const struct ashmem_range *range)
{
	return range->last + 1 - range->resume;
}

static inline void ashmem_queue_init(struct ashmem_queue *queue)
{
	INIT_LIST_HEAD(&queue->ranges);
	queue->pages = 0;
}

static inline struct ashmem_range *ashmem_queue_oldest(struct ashmem_queue *queue)
{
	return list_first_entry_or_null(&queue->ranges, struct ashmem_range, age);
}

void ashmem_ranges_init(struct ashmem_ranges *set);
bool ashmem_ranges_overlap(const struct ashmem_ranges *set, unsigned long first,
			   unsigned long last);
int ashmem_ranges_pin(struct ashmem_ranges *set, struct ashmem_edit *edit, bool keep_lost);
int ashmem_ranges_unpin(struct ashmem_ranges *set, struct ashmem_edit *edit,
			unsigned long stamp);
struct ashmem_range *ashmem_ranges_split(struct ashmem_ranges *set, struct ashmem_range *range,
					 unsigned long start, struct ashmem_range **spare);
void ashmem_ranges_take(struct ashmem_ranges *set, struct ashmem_range *range,
			unsigned long pages);

#endif /* _ASHMEM_RANGE_H */
