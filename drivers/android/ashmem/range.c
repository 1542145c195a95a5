// SPDX-License-Identifier: GPL-2.0-only
/*
 * The algebra of unpinned ranges. PIN and UNPIN stop after RANGE_BATCH ranges with -EAGAIN,
 * so that the caller can drop its lock. Each finished part is as valid as a separate call.
 */

#include <linux/errno.h>
#include <linux/minmax.h>

#include "range.h"

#define RANGE_BATCH	128

static struct ashmem_range *range_of(struct rb_node *node)
{
	return rb_entry_safe(node, struct ashmem_range, rb);
}

/* The first range of the set that has a page in [@first, @last], or NULL. */
static struct ashmem_range *first_range(const struct ashmem_ranges *set,
					unsigned long first, unsigned long last)
{
	struct rb_node *node = set->root.rb_node;
	struct ashmem_range *found = NULL;

	while (node) {
		struct ashmem_range *range = range_of(node);

		if (range->last < first) {
			node = node->rb_right;
			continue;
		}
		found = range;
		if (range->start <= first)
			break;
		node = node->rb_left;
	}
	return found && found->start <= last ? found : NULL;
}

static struct ashmem_range *next_range(struct ashmem_range *range, unsigned long last)
{
	struct ashmem_range *next;

	if (range->last >= last)
		return NULL;
	next = range_of(rb_next(&range->rb));
	return next && next->start <= last ? next : NULL;
}

/* @range is queued, and has @pages fewer to take now. */
static void shrink_queue(struct ashmem_ranges *set, struct ashmem_range *range,
			 unsigned long pages)
{
	set->purgeable -= pages;
	range->queue->pages -= pages;
	if (!ashmem_range_purgeable(range)) {
		list_del(&range->age);
		range->queue = NULL;
	}
}

/* Where [@first, @last] belongs, below @parent. The range of a link in use overlaps it. */
static struct rb_node **find_place(struct ashmem_ranges *set, unsigned long first,
				   unsigned long last, struct rb_node **parent)
{
	struct rb_node **link = &set->root.rb_node;

	*parent = NULL;
	while (*link) {
		struct ashmem_range *range = range_of(*link);

		if (range->start <= last && range->last >= first)
			break;
		*parent = *link;
		link = range->start > last ? &range->rb.rb_left : &range->rb.rb_right;
	}
	return link;
}

/* If @range has pages to take, queue it after @behind. */
static void insert_range(struct ashmem_ranges *set, struct ashmem_range *range,
			 struct rb_node *parent, struct rb_node **link,
			 struct list_head *behind)
{
	rb_link_node(&range->rb, parent, link);
	rb_insert_color(&range->rb, &set->root);

	set->unpinned += range->last + 1 - range->start;
	if (ashmem_range_purgeable(range)) {
		list_add(&range->age, behind);
		set->purgeable += ashmem_range_purgeable(range);
		range->queue->pages += ashmem_range_purgeable(range);
	} else {
		range->queue = NULL;
	}
}

/* @range becomes the spare, or is dropped if there is one. */
static void remove_range(struct ashmem_ranges *set, struct ashmem_range *range,
			 struct ashmem_edit *edit)
{
	rb_erase(&range->rb, &set->root);
	set->unpinned -= range->last + 1 - range->start;
	if (ashmem_range_purgeable(range)) {
		list_del(&range->age);
		set->purgeable -= ashmem_range_purgeable(range);
		range->queue->pages -= ashmem_range_purgeable(range);
	}
	if (*edit->spare)
		list_add(&range->age, &edit->dropped);
	else
		*edit->spare = range;
}

/* Cut @range down to [@start, @last], a part of it. Its place in the tree stays. */
static void trim_range(struct ashmem_ranges *set, struct ashmem_range *range,
		       unsigned long start, unsigned long last)
{
	unsigned long before = ashmem_range_purgeable(range);

	set->unpinned -= (range->last - range->start) - (last - start);
	range->start = start;
	range->last = last;
	range->paid = false;
	range->resume = clamp_t(unsigned long, range->resume, start, last + 1);

	if (before)
		shrink_queue(set, range, before - ashmem_range_purgeable(range));
}

/* Moves the pages from @start on to the spare, with the age of @range. NULL without one. */
struct ashmem_range *ashmem_ranges_split(struct ashmem_ranges *set, struct ashmem_range *range,
					 unsigned long start, struct ashmem_range **spare)
{
	struct ashmem_range *tail = *spare;
	struct list_head *behind = &range->age;
	struct rb_node *parent, **link;

	if (!tail)
		return NULL;
	*spare = NULL;
	tail->queue = range->queue;
	tail->stamp = range->stamp;
	tail->purged = range->purged;
	tail->paid = false;
	tail->start = start;
	tail->last = range->last;
	tail->resume = max_t(unsigned long, range->resume, start);

	/* Trimming may dequeue @range. Then @tail takes its place. */
	if (range->resume >= start)
		behind = behind->prev;
	trim_range(set, range, range->start, start - 1);
	link = find_place(set, tail->start, tail->last, &parent);
	insert_range(set, tail, parent, link, behind);
	return tail;
}

/* Take the pages of the edit's interval out of @range. */
static int cut_range(struct ashmem_ranges *set, struct ashmem_range *range,
		     struct ashmem_edit *edit)
{
	if (range->start < edit->first && range->last > edit->last &&
	    !ashmem_ranges_split(set, range, edit->last + 1, edit->spare))
		return -EAGAIN;
	if (range->start < edit->first)
		trim_range(set, range, range->start, edit->first - 1);
	else if (range->last > edit->last)
		trim_range(set, range, edit->last + 1, range->last);
	else
		remove_range(set, range, edit);
	return 0;
}

/*
 * No purge may take pages of the edit's interval any more, but they stay in the set,
 * marked as lost. A split alone changes no answer.
 */
static int keep_range(struct ashmem_ranges *set, struct ashmem_range *range,
		      struct ashmem_edit *edit)
{
	if (range->resume > min(range->last, edit->last))
		return 0;
	if (range->start < edit->first) {
		range = ashmem_ranges_split(set, range, edit->first, edit->spare);
		if (!range)
			return -EAGAIN;
	}
	if (range->last > edit->last &&
	    !ashmem_ranges_split(set, range, edit->last + 1, edit->spare))
		return -EAGAIN;
	ashmem_ranges_take(set, range, ashmem_range_purgeable(range));
	return 0;
}

/* An empty set, as a zeroed one is: everything is pinned. */
void ashmem_ranges_init(struct ashmem_ranges *set)
{
	*set = (struct ashmem_ranges){ .root = RB_ROOT };
}

/* Is any page of the interval unpinned? */
bool ashmem_ranges_overlap(const struct ashmem_ranges *set, unsigned long first,
			   unsigned long last)
{
	return first_range(set, first, last);
}

/*
 * Removes the pages of an interval from the set. @keep_lost leaves ranges with lost
 * contents, with nothing to take in the interval. Returns 0 with @edit->purged set if
 * contents of a range were lost; -EAGAIN if the rest needs another call, with a new spare.
 */
int ashmem_ranges_pin(struct ashmem_ranges *set, struct ashmem_edit *edit, bool keep_lost)
{
	struct ashmem_range *range = first_range(set, edit->first, edit->last), *next;
	unsigned int budget = RANGE_BATCH;

	for (; range; range = next) {
		bool purged = range->purged;
		int err;

		if (!budget--) {
			edit->first = range->start;
			return -EAGAIN;
		}
		next = next_range(range, edit->last);
		if (keep_lost && purged)
			err = keep_range(set, range, edit);
		else
			err = cut_range(set, range, edit);
		if (err)
			return err;
		edit->purged |= purged;
	}
	return 0;
}

/*
 * Remove the ranges that overlap the edit's interval. @merged grows to cover them, and gets
 * the queue that most of the pages were in.
 */
static int absorb_ranges(struct ashmem_ranges *set, struct ashmem_edit *edit,
			 struct ashmem_range *merged)
{
	struct ashmem_range *range = first_range(set, edit->first, edit->last), *next;
	unsigned long most = edit->last - edit->first + 1;
	unsigned int budget = RANGE_BATCH;

	for (; range; range = next) {
		if (!budget--) {
			/* The next call overlaps this range and continues with it. */
			merged->last = range->start - 1;
			edit->first = merged->last;
			return -EAGAIN;
		}
		next = next_range(range, edit->last);
		merged->purged |= range->purged;
		merged->start = min(merged->start, range->start);
		merged->last = max(merged->last, range->last);
		if (ashmem_range_purgeable(range) > most) {
			most = ashmem_range_purgeable(range);
			merged->queue = range->queue;
			merged->paid = false;
		}
		/* A spare must not look like a range that PIN took. */
		range->paid = false;
		remove_range(set, range, edit);
	}
	return 0;
}

/*
 * The interval and the ranges that it overlaps become one range, with all pages to take,
 * because purged pages may have been written again. It is the youngest of @edit->queue, or
 * of the queue of a larger range among them, which @edit->queue is then. The mark for lost
 * contents is kept. Returns -EAGAIN if the rest needs another call, with a new spare.
 */
int ashmem_ranges_unpin(struct ashmem_ranges *set, struct ashmem_edit *edit,
			unsigned long stamp)
{
	struct ashmem_range *merged = *edit->spare;
	struct rb_node *parent, **link;
	int err = 0;

	if (!merged)
		return -EAGAIN;
	*edit->spare = NULL;

	merged->queue = edit->queue;
	merged->stamp = stamp;
	merged->start = edit->first;
	merged->last = edit->last;
	merged->purged = false;
	merged->paid = edit->paid;
	link = find_place(set, merged->start, merged->last, &parent);
	if (*link) {
		err = absorb_ranges(set, edit, merged);
		link = find_place(set, merged->start, merged->last, &parent);
	}
	merged->resume = merged->start;
	edit->queue = merged->queue;
	insert_range(set, merged, parent, link, edit->queue->ranges.prev);
	return err;
}

/* A purge takes the next @pages of @range, at most ashmem_range_purgeable(). */
void ashmem_ranges_take(struct ashmem_ranges *set, struct ashmem_range *range,
			unsigned long pages)
{
	range->purged = true;
	range->resume += pages;
	if (pages)
		shrink_queue(set, range, pages);
}
