/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of unpinned page ranges, and queues of them in order of age.
 *
 * Bounds are page indices, inclusive on both sides: [start, last]. The ranges
 * of a set are disjoint; two of them may be adjacent.
 *
 * A purge takes the pages of a range from its start. Pages from @resume on are
 * still there to take: all of them after UNPIN, none after a complete purge. A
 * range with pages to take is in the queue that UNPIN named.
 *
 * The caller serializes all calls on a set and on its queues. Nothing here
 * sleeps, allocates or knows what a page is.
 */

#ifndef _ASHMEM_RANGE_H
#define _ASHMEM_RANGE_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

/**
 * struct ashmem_queue - ranges with pages to take, oldest first
 * @ranges: the ranges
 * @pages: sum of their ashmem_range_purgeable()
 */
struct ashmem_queue {
	struct list_head ranges;
	unsigned long pages;
};

/**
 * struct ashmem_range - a run of unpinned pages
 * @rb: node in the set's tree, sorted by @start
 * @start: first page
 * @last: last page
 * @age: node in @queue while there are pages to take; in the list of dropped
 *	ranges once it has left the set
 * @queue: the queue that UNPIN named, or NULL without pages to take
 * @stamp: when UNPIN made the range, in jiffies
 * @resume: first page that is still there to take; @last + 1 if none is
 * @purged: contents were lost since these pages were unpinned
 * @paid: UNPIN chose @queue by a page in memory; cleared when the range is cut
 */
struct ashmem_range {
	struct rb_node rb;
	unsigned long start;
	unsigned long last;
	struct list_head age;
	struct ashmem_queue *queue;
	unsigned long stamp;
	unsigned long resume : BITS_PER_LONG - 2;
	unsigned long purged : 1;
	unsigned long paid : 1;
};

/**
 * struct ashmem_ranges - the unpinned ranges of a region
 * @root: tree of them
 * @unpinned: pages in all of them
 * @purgeable: pages of them that are still there to take
 */
struct ashmem_ranges {
	struct rb_root root;
	unsigned long unpinned;
	unsigned long purgeable;
};

/**
 * struct ashmem_edit - a PIN or UNPIN in progress
 * @first: first page that is not done yet
 * @last: last page
 * @purged: PIN: contents were lost in the part that is done
 * @paid: UNPIN: @paid of the new range
 * @spare: a range that the edit may use (it then becomes NULL), or NULL; a
 *	range that leaves the set refills it
 * @dropped: other ranges that left the set, linked by @age; the caller's to free
 */
struct ashmem_edit {
	unsigned long first;
	unsigned long last;
	bool purged;
	bool paid;
	struct ashmem_range **spare;
	struct list_head dropped;
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
			struct ashmem_queue *queue, unsigned long stamp);
void ashmem_ranges_take(struct ashmem_ranges *set, struct ashmem_range *range,
			unsigned long pages);

#endif /* _ASHMEM_RANGE_H */
