/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sets of unpinned page ranges.
 *
 * Bounds are page indices and inclusive on both sides, as in the kernel's
 * interval tree: [start, last]. The ranges of a set are disjoint; two may be
 * adjacent and stay two.
 *
 * Two things are known of a range. @purged, which PIN reports: contents were
 * lost since the pages were unpinned. And how far a purge has come: pages from
 * @resume on are still there to take, which is all of them when the range has
 * just been unpinned (again), and none once a purge went through.
 *
 * All of it is under the lock of the region whose set it is.
 */

#ifndef _ASHMEM_RANGE_H
#define _ASHMEM_RANGE_H

#include <linux/interval_tree.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

#include "lru.h"

struct ashmem_lru_group;
struct ashmem_region;

/**
 * struct ashmem_range - a run of unpinned pages
 * @pages: node of the set's tree, with the bounds
 * @lru: node of the LRU while purgeable pages are left; the list's own lock
 *	protects the links, that it is linked changes only under the region's
 *	lock, too
 * @region: whose range it is; invariant
 * @group: the part of the LRU that it is listed in, while it is
 * @resume: first page that a purge has not taken; @pages.last + 1 at the end
 * @purged: contents were lost since these pages were unpinned
 */
struct ashmem_range {
	struct interval_tree_node pages;
	struct list_head lru;
	struct ashmem_region *region;
	struct ashmem_lru_group *group;
	unsigned long resume : BITS_PER_LONG - 1;
	unsigned long purged : 1;
};

/**
 * struct ashmem_ranges - the unpinned ranges of a region
 * @root: tree of them
 * @unpinned: pages in all of them
 * @purgeable: of those, pages that are still there to take
 */
struct ashmem_ranges {
	struct rb_root_cached root;
	unsigned long unpinned;
	unsigned long purgeable;
};

/**
 * ashmem_range_purgeable - how many pages of a range a purge can still take
 * @range: the range
 *
 * A range in a set is on the LRU exactly while this isn't 0.
 */
static inline unsigned long ashmem_range_purgeable(const struct ashmem_range *range)
{
	return range->pages.last + 1 - range->resume;
}

void ashmem_ranges_init(struct ashmem_ranges *set);
bool ashmem_ranges_overlap(struct ashmem_ranges *set, unsigned long first,
			   unsigned long last);
int ashmem_ranges_pin(struct ashmem_ranges *set, unsigned long first,
		      unsigned long last, struct ashmem_range **spare,
		      struct list_head *dropped);
void ashmem_ranges_unpin(struct ashmem_ranges *set, struct ashmem_region *region,
			 struct ashmem_lru_group *group,
			 unsigned long first, unsigned long last,
			 struct ashmem_range **spare, struct list_head *dropped);
void ashmem_ranges_clear(struct ashmem_ranges *set,
			 void (*release)(struct ashmem_range **ranges, unsigned int count));
void ashmem_ranges_take(struct ashmem_ranges *set, struct ashmem_range *range,
			unsigned long pages);

#endif /* _ASHMEM_RANGE_H */
