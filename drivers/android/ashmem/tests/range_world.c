// SPDX-License-Identifier: GPL-2.0
/*
 * A set of ranges beside its oracle.
 *
 * Functions return what went wrong, or NULL: the caller knows the operations
 * that led there, and says both.
 */

#include "range_world.h"

/* Freed ranges are full of it: range.c has to set all that it reads. */
#define POISON	0x5a

static void put_range(struct range_world *world, struct ashmem_range *range)
{
	memset(range, POISON, sizeof(*range));
	world->at_hand[world->count++] = range;
}

/**
 * range_world_create - an empty set beside its oracle
 * @test: the test, with which it ends
 * @pages: size of the region
 * @base: first page of the region that is used
 */
struct range_world *range_world_create(struct kunit *test, unsigned int pages,
				       unsigned long base)
{
	struct range_world *world = kunit_kzalloc(test, sizeof(*world), GFP_KERNEL);
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_range *ranges;

	KUNIT_ASSERT_NOT_NULL(test, world);
	world->group = ashmem_kunit_group(test, lru);
	ashmem_ranges_init(&world->region.unpinned);
	world->model.base = base;
	world->model.pages = pages;
	world->model.page = kunit_kcalloc(test, pages, sizeof(*world->model.page), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, world->model.page);

	/* A range for each page, and the one that an operation brings along. */
	world->at_hand = kunit_kcalloc(test, pages + 1, sizeof(*world->at_hand), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, world->at_hand);
	ranges = kunit_kcalloc(test, pages + 1, sizeof(*ranges), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ranges);
	while (world->total <= pages)
		put_range(world, &ranges[world->total++]);
	return world;
}

/* Takes back what an operation left over; it must be as many as expected. */
static const char *collect(struct range_world *world, struct ashmem_range *spare,
			   struct list_head *dropped, bool spare_left, unsigned int drops)
{
	struct ashmem_range *range, *next;

	if (spare)
		put_range(world, spare);
	list_for_each_entry_safe(range, next, dropped, lru) {
		if (!drops--)
			return "a range too many was dropped";
		put_range(world, range);
	}
	if (drops)
		return "a range wasn't dropped";
	return !spare == !spare_left ? NULL : "the spare is there, or isn't, against the rule";
}

static const char *do_pin(struct range_world *world, unsigned int first,
			  unsigned int last, bool bring)
{
	struct ashmem_range *spare = bring ? world->at_hand[--world->count] : NULL;
	unsigned int inside = range_model_inside(&world->model, first, last);
	bool splits = range_model_splits(&world->model, first, last);
	unsigned long base = world->model.base;
	LIST_HEAD(dropped);
	bool purged;
	int ret;

	ret = ashmem_ranges_pin(&world->region.unpinned, base + first, base + last,
				&spare, &dropped);
	if (splits && !bring) {
		const char *why = range_world_check(world);

		if (ret != -EAGAIN)
			return "PIN did without the spare that it needs";
		if (spare || !list_empty(&dropped) || why)
			return why ?: "PIN failed and left a range";
		spare = world->at_hand[--world->count];
		ret = ashmem_ranges_pin(&world->region.unpinned, base + first,
					base + last, &spare, &dropped);
	}
	purged = range_model_pin(&world->model, first, last);
	if (ret != purged)
		return "PIN's answer is wrong";
	/* One range that is left over becomes the spare if there is none. */
	return collect(world, spare, &dropped, !splits && (bring || inside),
		       inside - (inside && !bring));
}

static const char *do_unpin(struct range_world *world, unsigned int first, unsigned int last)
{
	struct ashmem_range *spare = world->at_hand[--world->count];
	unsigned long base = world->model.base;
	unsigned int touched = world->total - world->count - 1;
	LIST_HEAD(dropped);

	ashmem_ranges_unpin(&world->region.unpinned, &world->region, world->group,
			    base + first, base + last, &spare, &dropped);
	range_model_unpin(&world->model, first, last);
	/* All that were there before, and are no longer. */
	touched -= range_model_inside(&world->model, 0, world->model.pages - 1) - 1;
	return collect(world, spare, &dropped, touched, touched - !!touched);
}

static const char *do_take(struct range_world *world, unsigned int start, unsigned int count)
{
	struct ashmem_ranges *set = &world->region.unpinned;
	unsigned long index = world->model.base + start;
	struct interval_tree_node *node = interval_tree_iter_first(&set->root, index, index);

	if (!node)
		return "there is nothing to take from";
	ashmem_ranges_take(set, container_of(node, struct ashmem_range, pages), count);
	range_model_take(&world->model, start, count);
	return NULL;
}

/**
 * range_world_do - do an operation and look at all that it says and leaves over
 * @world: where
 * @op: the operation
 * @spare: PIN has a spare range from the start
 */
const char *range_world_do(struct range_world *world, const struct range_op *op,
			   bool spare)
{
	switch (op->verb) {
	case PIN:
		return do_pin(world, op->first, op->last, spare);
	case UNPIN:
		return do_unpin(world, op->first, op->last);
	case TAKE:
		return do_take(world, op->first, op->last);
	}
	return "no such operation";
}

/* Is the set what the oracle says? */
const char *range_world_check(struct range_world *world)
{
	return range_model_compare(&world->model, &world->region.unpinned, world->group);
}

/* Is the answer about each interval right? */
const char *range_world_overlaps(struct range_world *world)
{
	const struct range_model *model = &world->model;
	unsigned int first, last;

	for (first = 0; first < model->pages; first++) {
		for (last = first; last < model->pages; last++) {
			if (ashmem_ranges_overlap(&world->region.unpinned,
						  model->base + first, model->base + last) !=
			    range_model_overlap(model, first, last))
				return "the answer about an interval is wrong";
		}
	}
	return NULL;
}

static void release(struct ashmem_range **ranges, unsigned int count)
{
	struct range_world *world = container_of(ranges[0]->region, struct range_world, region);
	unsigned int i;

	for (i = 0; i < count; i++)
		put_range(world, ranges[i]);
}

/* Empties set and oracle; nothing may be missing then. */
const char *range_world_clear(struct range_world *world)
{
	ashmem_ranges_clear(&world->region.unpinned, release);
	range_model_reset(&world->model);
	if (world->count != world->total)
		return "clearing the set lost a range, or gave one twice";
	return range_world_check(world);
}
