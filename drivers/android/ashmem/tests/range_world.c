// SPDX-License-Identifier: GPL-2.0-only
/*
 * A set of ranges beside its oracle.
 *
 * Functions return what went wrong, or NULL: the caller knows the operations
 * that led there, and prints both.
 */

#include <kunit/test.h>

#include "range_world.h"

/* Poison of freed ranges: range.c must set all that it reads. */
#define POISON	0x5a

static void put_range(struct range_world *world, struct ashmem_range *range)
{
	memset(range, POISON, sizeof(*range));
	world->at_hand[world->count++] = range;
}

/* Make sure that there is a spare, or that there is none. */
void range_world_set_spare(struct range_world *world, bool spare)
{
	if (spare && !world->spare) {
		world->spare = world->at_hand[--world->count];
	} else if (!spare && world->spare) {
		put_range(world, world->spare);
		world->spare = NULL;
	}
}

static void start_over(struct range_world *world)
{
	unsigned int i;

	ashmem_ranges_init(&world->set);
	for (i = 0; i < MODEL_QUEUES; i++)
		ashmem_queue_init(&world->queues[i]);
	range_model_reset(&world->model);
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
	struct ashmem_range *ranges;

	KUNIT_ASSERT_NOT_NULL(test, world);
	world->model.base = base;
	world->model.pages = pages;
	world->model.page = kunit_kcalloc(test, pages, sizeof(*world->model.page), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, world->model.page);
	start_over(world);

	/* A range for each page, and the spare. */
	world->at_hand = kunit_kcalloc(test, pages + 1, sizeof(*world->at_hand), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, world->at_hand);
	ranges = kunit_kcalloc(test, pages + 1, sizeof(*ranges), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ranges);
	while (world->total <= pages)
		put_range(world, &ranges[world->total++]);
	return world;
}

/* Take the ranges back that an edit dropped. */
static void collect(struct range_world *world, struct ashmem_edit *edit,
		    unsigned int *dropped)
{
	struct ashmem_range *range, *next;

	list_for_each_entry_safe(range, next, &edit->dropped, age) {
		put_range(world, range);
		++*dropped;
	}
	INIT_LIST_HEAD(&edit->dropped);
}

/* One call of range.c beside the oracle's. Sets @ret to what both returned. */
static const char *edit_once(struct range_world *world, const struct range_op *op,
			     struct ashmem_edit *edit, struct model_edit *should, int *ret)
{
	unsigned int dropped = 0;
	int want;

	should->spare = world->spare;
	should->dropped = 0;
	if (op->verb == UNPIN) {
		want = range_model_unpin(&world->model, should, op->queue, op->queue);
		edit->queue = &world->queues[op->queue];
		*ret = ashmem_ranges_unpin(&world->set, edit, world->model.stamp);
	} else {
		want = range_model_pin(&world->model, should, op->verb == KEEP);
		*ret = ashmem_ranges_pin(&world->set, edit, op->verb == KEEP);
	}
	collect(world, edit, &dropped);
	if (*ret != want)
		return *ret ? "it needs another call" : "it doesn't need another call";
	if (edit->first != world->model.base + should->first)
		return "it would go on at the wrong page";
	if (edit->purged != should->purged)
		return "what it says of lost contents is wrong";
	if (!world->spare != !should->spare)
		return should->spare ? "the spare is missing" : "there is a spare too many";
	if (dropped != should->dropped)
		return "it dropped too many ranges, or too few";
	return range_model_compare(&world->model, &world->set, world->queues);
}

static const char *do_edit(struct range_world *world, const struct range_op *op)
{
	struct model_edit should = { .first = op->first, .last = op->last };
	struct ashmem_edit edit = {
		.first = world->model.base + op->first,
		.last = world->model.base + op->last,
		.spare = &world->spare,
		.paid = op->queue,
	};
	const char *why;
	int ret;

	INIT_LIST_HEAD(&edit.dropped);
	for (;;) {
		why = edit_once(world, op, &edit, &should, &ret);
		if (why || !ret)
			return why;
		world->again++;
		if (world->between) {
			why = world->between(world);
			if (why)
				return why;
		}
		range_world_set_spare(world, true);
	}
}

static const char *do_take(struct range_world *world, unsigned int start, unsigned int count)
{
	struct rb_node *rb;

	for (rb = rb_first(&world->set.root); rb; rb = rb_next(rb)) {
		struct ashmem_range *range = rb_entry(rb, struct ashmem_range, rb);

		if (range->start != world->model.base + start)
			continue;
		ashmem_ranges_take(&world->set, range, count);
		range_model_take(&world->model, start, count);
		return range_model_compare(&world->model, &world->set, world->queues);
	}
	return "there is nothing to take from";
}

/**
 * range_world_do - do an operation and look at all that it says and leaves over
 * @world: where
 * @op: the operation
 */
const char *range_world_do(struct range_world *world, const struct range_op *op)
{
	if (op->verb == TAKE)
		return do_take(world, op->first, op->last);
	return do_edit(world, op);
}

/* Is the answer about each interval right? */
const char *range_world_overlaps(struct range_world *world)
{
	const struct range_model *model = &world->model;
	unsigned int first, last;

	for (first = 0; first < model->pages; first++) {
		for (last = first; last < model->pages; last++) {
			if (ashmem_ranges_overlap(&world->set, model->base + first,
						  model->base + last) !=
			    range_model_overlap(model, first, last))
				return "the answer about an interval is wrong";
		}
	}
	return NULL;
}

/* Empties set and oracle; no range may be missing then. */
const char *range_world_clear(struct range_world *world)
{
	struct ashmem_range *range, *next;

	range_world_set_spare(world, false);
	rbtree_postorder_for_each_entry_safe(range, next, &world->set.root, rb)
		put_range(world, range);
	start_over(world);
	return world->count == world->total ? NULL : "a range was lost, or given twice";
}
