// SPDX-License-Identifier: GPL-2.0
/*
 * The algebra of unpinned ranges: what PIN and UNPIN do to a set of them.
 *
 * Nothing here knows of files, of memory or of the module's globals. Callers
 * bring the one range that an operation may need in addition (@spare) and get
 * back those that it left over (in @spare, then in @dropped, linked by their lru
 * field), so that they can allocate and free outside their lock.
 */

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sched.h>

#include "range.h"

/* Ranges that are got rid of together, on the stack meanwhile. */
#define RANGE_BATCH	32

#define range_of(node)	container_of(node, struct ashmem_range, pages)

static unsigned long range_length(const struct ashmem_range *range)
{
	return range->pages.last - range->pages.start + 1;
}

static void range_insert(struct ashmem_ranges *set, struct ashmem_range *range)
{
	interval_tree_insert(&range->pages, &set->root);
	set->unpinned += range_length(range);
	set->purgeable += ashmem_range_purgeable(range);
}

static void range_remove(struct ashmem_ranges *set, struct ashmem_range *range)
{
	interval_tree_remove(&range->pages, &set->root);
	set->unpinned -= range_length(range);
	set->purgeable -= ashmem_range_purgeable(range);
}

static void range_unlist(struct ashmem_range *range)
{
	if (ashmem_range_purgeable(range))
		ashmem_lru_del(range);
}

/*
 * Cut @range down to [@start, @last], a part of it. Its age stays.
 */
static void range_trim(struct ashmem_ranges *set, struct ashmem_range *range,
		       unsigned long start, unsigned long last)
{
	unsigned long before = ashmem_range_purgeable(range);

	range_remove(set, range);
	range->pages.start = start;
	range->pages.last = last;
	range->resume = clamp_t(unsigned long, range->resume, start, last + 1);
	range_insert(set, range);

	if (before)
		ashmem_lru_shrink(range, before - ashmem_range_purgeable(range));
}

/*
 * Give the pages of @range from @start on to @tail, which is as old.
 */
static void range_split(struct ashmem_ranges *set, struct ashmem_range *range,
			struct ashmem_range *tail, unsigned long start)
{
	tail->region = range->region;
	tail->purged = range->purged;
	tail->pages.start = start;
	tail->pages.last = range->pages.last;
	tail->resume = max_t(unsigned long, range->resume, start);

	/* Before @range is trimmed: it may leave the list, and its place in it. */
	if (ashmem_range_purgeable(tail))
		ashmem_lru_add_behind(tail, range);
	range_trim(set, range, range->pages.start, start - 1);
	range_insert(set, tail);
}

/**
 * ashmem_ranges_init - make an empty set: everything is pinned
 * @set: the set
 */
void ashmem_ranges_init(struct ashmem_ranges *set)
{
	set->root = RB_ROOT_CACHED;
	set->unpinned = 0;
	set->purgeable = 0;
}

/**
 * ashmem_ranges_overlap - is any page of an interval unpinned?
 * @set: the set
 * @first: first page of the interval
 * @last: last page of the interval
 *
 * Return: whether one is.
 */
bool ashmem_ranges_overlap(struct ashmem_ranges *set, unsigned long first,
			   unsigned long last)
{
	return interval_tree_iter_first(&set->root, first, last);
}

/*
 * A range that is in no set and on no list any more becomes the spare one.
 */
static void range_leave(struct ashmem_range *range, struct ashmem_range **spare,
			struct list_head *dropped)
{
	if (*spare)
		list_add(&range->lru, dropped);
	else
		*spare = range;
}

/**
 * ashmem_ranges_pin - take the pages of an interval out of the set
 * @set: the set
 * @first: first page of the interval
 * @last: last page of the interval
 * @spare: a range to use up, set to NULL then; if NULL, takes one that nothing
 *	is left of
 * @dropped: list that gets the other ranges that nothing is left of
 *
 * Return: 1 if a range that the interval touches lost contents, 0 if none did;
 * -EAGAIN, with nothing changed, if it takes a spare and there is none.
 */
int ashmem_ranges_pin(struct ashmem_ranges *set, unsigned long first,
		      unsigned long last, struct ashmem_range **spare,
		      struct list_head *dropped)
{
	struct interval_tree_node *node, *next;
	bool purged = false;

	for (node = interval_tree_iter_first(&set->root, first, last); node; node = next) {
		struct ashmem_range *range = range_of(node);

		/* Ranges are disjoint: behind one that reaches @last none matters. */
		next = node->last < last ? interval_tree_iter_next(node, first, last) : NULL;
		purged |= range->purged;
		cond_resched();

		if (node->start < first && node->last > last) {
			if (!*spare)
				return -EAGAIN;
			range_split(set, range, *spare, last + 1);
			*spare = NULL;
		}
		if (node->start < first) {
			range_trim(set, range, node->start, first - 1);
		} else if (node->last > last) {
			range_trim(set, range, last + 1, node->last);
		} else {
			range_unlist(range);
			range_remove(set, range);
			range_leave(range, spare, dropped);
		}
	}
	return purged;
}

/**
 * ashmem_ranges_unpin - make the pages of an interval purgeable
 * @set: the set
 * @region: owner of the ranges
 * @group: the part of the LRU that the caller's ranges belong to
 * @first: first page of the interval
 * @last: last page of the interval
 * @spare: a range to use up, set to NULL then
 * @dropped: list that gets the ranges that were merged into another
 *
 * The interval and the ranges that it overlaps become one range at the young
 * end of the LRU, with all its pages there to take: what was purged may have
 * been written again. That contents were lost stays known.
 */
void ashmem_ranges_unpin(struct ashmem_ranges *set, struct ashmem_region *region,
			 struct ashmem_lru_group *group,
			 unsigned long first, unsigned long last,
			 struct ashmem_range **spare, struct list_head *dropped)
{
	struct interval_tree_node *node, *next;
	struct ashmem_range *merged = *spare;
	unsigned long start = first, end = last;
	bool purged = false;

	*spare = NULL;
	for (node = interval_tree_iter_first(&set->root, first, last); node; node = next) {
		struct ashmem_range *range = range_of(node);

		next = node->last < last ? interval_tree_iter_next(node, first, last) : NULL;
		purged |= range->purged;
		start = min(start, node->start);
		end = max(end, node->last);

		range_unlist(range);
		range_remove(set, range);
		range_leave(range, spare, dropped);
		cond_resched();
	}

	merged->region = region;
	merged->pages.start = start;
	merged->pages.last = end;
	merged->resume = start;
	merged->purged = purged;
	range_insert(set, merged);
	ashmem_lru_add(group, merged);
}

static noinline void clear_filled(struct ashmem_ranges *set,
				  void (*release)(struct ashmem_range **ranges,
						  unsigned int count))
{
	struct ashmem_range *range, *next, *batch[RANGE_BATCH];
	unsigned int count = 0;

	/* Post-order: no range is looked at again once it is in the batch. */
	rbtree_postorder_for_each_entry_safe(range, next, &set->root.rb_root, pages.rb) {
		batch[count++] = range;
		if (count == RANGE_BATCH) {
			ashmem_lru_del_many(batch, count);
			release(batch, count);
			count = 0;
			cond_resched();
		}
	}
	ashmem_lru_del_many(batch, count);
	if (count)
		release(batch, count);
	ashmem_ranges_init(set);
}

/**
 * ashmem_ranges_clear - empty the set
 * @set: the set
 * @release: gets the ranges, a few at a time; called under the set's lock
 */
void ashmem_ranges_clear(struct ashmem_ranges *set,
			 void (*release)(struct ashmem_range **ranges, unsigned int count))
{
	/* Most regions have none, and kernels may clear the batch on the stack. */
	if (!RB_EMPTY_ROOT(&set->root.rb_root))
		clear_filled(set, release);
}

/**
 * ashmem_ranges_take - note that a purge takes the next pages of a range
 * @set: the set
 * @range: range of the set
 * @pages: how many, at most ashmem_range_purgeable()
 */
void ashmem_ranges_take(struct ashmem_ranges *set, struct ashmem_range *range,
			unsigned long pages)
{
	range->purged = true;
	range->resume += pages;
	set->purgeable -= pages;
	ashmem_lru_shrink(range, pages);
}
