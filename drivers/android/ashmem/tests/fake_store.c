// SPDX-License-Identifier: GPL-2.0-only
/*
 * The store that replaces shmem in the tests of purging.
 */

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <linux/minmax.h>

#include "../backing.h"
#include "fake_store.h"

static bool fake_survey(struct file *backing, unsigned long first, unsigned long last,
			unsigned long max, bool wait, struct ashmem_survey *survey)
{
	struct fake_store *store = kunit_get_current_test()->priv;
	unsigned long lo = max(first, store->data);
	unsigned long end = min(last + 1, store->data_end);
	unsigned long locked = max(lo, store->locked);

	*survey = (struct ashmem_survey){ .last = last };
	if (lo >= end)
		return true;
	if (!wait && locked < min(end, store->locked_end)) {
		if (locked == lo) {
			survey->final = min(end, store->locked_end) - 1;
			return false;
		}
		end = locked;
		survey->last = end - 1;
	}
	if (end - lo > max) {
		end = lo + max;
		survey->last = end - 1;
	}
	survey->pages = end - lo;
	survey->resident = clamp(store->swapped, lo, end) - lo;
	return true;
}

static void fake_punch(struct file *backing, unsigned long first, unsigned long last,
		       unsigned long pages, bool reclaim)
{
	struct kunit *test = kunit_get_current_test();
	struct fake_store *store = test->priv;
	unsigned int number;

	might_sleep();
	spin_lock(&store->lock);
	number = store->count++;
	if (number < PUNCHES_MAX)
		store->punches[number] = (struct punch){ backing, first, last, reclaim };
	spin_unlock(&store->lock);
	if (store->on_punch)
		store->on_punch(test, store, number);
}

/**
 * fake_store_init - put the fake store in the place of the true one
 * @test: the test, with which it ends; its priv is the store
 */
int fake_store_init(struct kunit *test)
{
	struct fake_store *store = kunit_kzalloc(test, sizeof(*store), GFP_KERNEL);

	if (!store)
		return -ENOMEM;
	spin_lock_init(&store->lock);
	store->data_end = ULONG_MAX;
	store->swapped = ULONG_MAX;
	test->priv = store;
	kunit_activate_static_stub(test, ashmem_backing_survey, fake_survey);
	kunit_activate_static_stub(test, ashmem_backing_punch, fake_punch);
	return 0;
}

/* Wait for the tasks that a test started. */
void fake_store_exit(struct kunit *test)
{
	struct fake_store *store = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(store->task); i++)
		ashmem_kunit_end(&store->task[i]);
}

/* Restore the real store. */
void fake_store_end(struct kunit *test)
{
	kunit_deactivate_static_stub(test, ashmem_backing_survey);
	kunit_deactivate_static_stub(test, ashmem_backing_punch);
}

/**
 * fake_store_expect - see what the store was told to throw away
 * @test: the test
 * @i: which time, from 0
 * @region: of which region
 * @first: first page
 * @last: last page
 */
void fake_store_expect(struct kunit *test, unsigned int i, struct ashmem_region *region,
		       unsigned long first, unsigned long last)
{
	struct fake_store *store = test->priv;

	KUNIT_ASSERT_LT(test, i, store->count);
	KUNIT_EXPECT_PTR_EQ_MSG(test, region->backing, store->punches[i].backing, "punch %u", i);
	KUNIT_EXPECT_EQ_MSG(test, first, store->punches[i].first, "punch %u", i);
	KUNIT_EXPECT_EQ_MSG(test, last, store->punches[i].last, "punch %u", i);
}

/**
 * fake_store_expect_count - see how often that was, and begin again
 * @test: the test
 * @count: how often
 */
void fake_store_expect_count(struct kunit *test, unsigned int count)
{
	struct fake_store *store = test->priv;

	KUNIT_EXPECT_EQ_MSG(test, count, store->count, "times that the store was asked");
	store->count = 0;
}
