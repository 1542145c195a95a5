// SPDX-License-Identifier: GPL-2.0
/*
 * The store that tests of purging have instead of shmem.
 */

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>

#include "fake_store.h"

static unsigned long fake_punch(struct file *backing, unsigned long first,
				unsigned long last)
{
	struct kunit *test = kunit_get_current_test();
	struct fake_store *store = test->priv;

	KUNIT_ASSERT_LT_MSG(test, store->count, PUNCHES_MAX, "a purge without end");
	store->punches[store->count++] = (struct punch){ backing, first, last };
	if (store->on_punch)
		store->on_punch(test, store);
	return store->fails ? 0 : last - first + 1;
}

static unsigned long fake_hole(struct file *backing, unsigned long first,
			       unsigned long last)
{
	struct fake_store *store = kunit_get_current_test()->priv;

	if (first < store->data)
		return min(store->data, last + 1) - first;
	return first < store->data_end ? 0 : last - first + 1;
}

static bool fake_locked(struct file *backing, unsigned long first, unsigned long last)
{
	return false;
}

static void next_pick(struct kunit *test)
{
	struct fake_store *store = test->priv;

	store->picks++;
	if (store->on_pick)
		store->on_pick(test, store);
}

static struct ashmem_range *fake_trylock(struct ashmem_lru_group *group,
					 bool (*fits)(const struct ashmem_range *range))
{
	struct kunit *test = kunit_get_current_test();
	struct ashmem_range *range;

	next_pick(test);
	kunit_deactivate_static_stub(test, ashmem_lru_trylock_oldest);
	range = ashmem_lru_trylock_oldest(group, fits);
	kunit_activate_static_stub(test, ashmem_lru_trylock_oldest, fake_trylock);
	return range;
}

static struct ashmem_region *fake_oldest(struct ashmem_lru_group *group)
{
	struct kunit *test = kunit_get_current_test();
	struct fake_store *store = test->priv;
	struct ashmem_region *region;

	next_pick(test);
	kunit_deactivate_static_stub(test, ashmem_lru_get_oldest);
	region = ashmem_lru_get_oldest(group);
	kunit_activate_static_stub(test, ashmem_lru_get_oldest, fake_oldest);
	if (store->on_picked)
		store->on_picked(test, store);
	return region;
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
	store->data_end = ULONG_MAX;
	test->priv = store;
	kunit_activate_static_stub(test, ashmem_backing_punch, fake_punch);
	kunit_activate_static_stub(test, ashmem_backing_hole, fake_hole);
	kunit_activate_static_stub(test, ashmem_backing_locked, fake_locked);
	kunit_activate_static_stub(test, ashmem_lru_trylock_oldest, fake_trylock);
	kunit_activate_static_stub(test, ashmem_lru_get_oldest, fake_oldest);
	return 0;
}

/**
 * fake_store_region - a new region with its backing
 * @test: the test, with which it is closed
 * @lru: where its ranges are listed
 * @pages: its size
 */
struct ashmem_region *fake_store_region(struct kunit *test, struct ashmem_lru *lru,
					unsigned long pages)
{
	struct ashmem_region *region = ashmem_kunit_region(test, lru);

	KUNIT_ASSERT_EQ(test, 0, ashmem_region_set_size(region, pages << PAGE_SHIFT));
	mutex_lock(&region->lock);
	KUNIT_EXPECT_EQ(test, 0, ashmem_region_back_locked(region, true, false));
	mutex_unlock(&region->lock);
	KUNIT_ASSERT_NOT_NULL(test, region->backing);
	return region;
}

/**
 * fake_store_expect - see what the store was told to free
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
 * fake_store_expect_count - see how often that was, and begin anew
 * @test: the test
 * @count: how often
 */
void fake_store_expect_count(struct kunit *test, unsigned int count)
{
	struct fake_store *store = test->priv;

	KUNIT_EXPECT_EQ_MSG(test, count, store->count, "times that the store was asked");
	store->count = 0;
}
