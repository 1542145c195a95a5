// SPDX-License-Identifier: GPL-2.0-only
/*
 * What others do while a step of a purge is in flight.
 */

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <linux/delay.h>
#include <linux/jiffies.h>

#include "../backing.h"
#include "../payer.h"
#include "../purge.h"
#include "fake_store.h"

static long pin(struct ashmem_kunit_task *task)
{
	return ashmem_kunit_pin(task->region, task->first, task->last);
}

static long unpin(struct ashmem_kunit_task *task)
{
	return ashmem_kunit_unpin(task->region, task->first, task->last);
}

static long pin_status(struct ashmem_kunit_task *task)
{
	return ashmem_kunit_pin_status(task->region, task->first, task->last);
}

static long get_name(struct ashmem_kunit_task *task)
{
	char name[ASHMEM_NAME_LEN];

	return ashmem_region_get_name(task->region, name);
}

/* All that mmap() reads of a region. */
static long back(struct ashmem_kunit_task *task)
{
	return ashmem_region_back(task->region, PAGE_SIZE, false, true);
}

static long scan(struct ashmem_kunit_task *task)
{
	unsigned long scanned;

	return ashmem_kunit_scan(task->lru, NULL, task->first, &scanned);
}

/* Begin a call by another task, on the store's region. */
static struct ashmem_kunit_task *start(struct kunit *test, unsigned int number,
				       long (*call)(struct ashmem_kunit_task *task),
				       unsigned long first, unsigned long last)
{
	struct fake_store *store = test->priv;
	struct ashmem_kunit_task *task = &store->task[number];

	ashmem_kunit_end(task);
	*task = (struct ashmem_kunit_task){
		.call = call, .region = store->region, .lru = store->region->lru,
		.first = first, .last = last,
	};
	return ashmem_kunit_start(test, task) ? task : NULL;
}

/* A call that must not wait for the step, and what it returns. */
static void expect_now(struct kunit *test, const char *what,
		       long (*call)(struct ashmem_kunit_task *task),
		       unsigned long first, unsigned long last, long ret)
{
	struct ashmem_kunit_task *task = start(test, 3, call, first, last);

	if (!task)
		return;
	if (!ashmem_kunit_is_done(task))
		KUNIT_FAIL(test, "%s waits for the step", what);
	else
		KUNIT_EXPECT_EQ_MSG(test, ret, task->ret, "%s %lu-%lu", what, first, last);
}

/* A call that waits for the step; the caller ends it. */
static struct ashmem_kunit_task *expect_wait(struct kunit *test, unsigned int number,
					     unsigned long first, unsigned long last)
{
	struct ashmem_kunit_task *task = start(test, number, pin, first, last);

	msleep(50);
	if (task)
		KUNIT_EXPECT_FALSE_MSG(test, completion_done(&task->done),
				       "PIN of %lu-%lu doesn't wait", first, last);
	return task;
}

static void expect_end(struct kunit *test, struct ashmem_kunit_task *task, long ret)
{
	KUNIT_EXPECT_TRUE(test, ashmem_kunit_is_done(task));
	KUNIT_EXPECT_EQ_MSG(test, ret, task->ret, "%lu-%lu", task->first, task->last);
}

static void others_at_first_step(struct kunit *test, struct fake_store *store,
				 unsigned int number)
{
	if (number)
		return;
	/* Pages 100-611 are in flight, the others up to 999 are unpinned. */
	expect_wait(test, 0, 0, 100);
	expect_wait(test, 1, 611, 620);
	expect_now(test, "PIN", pin, 0, 99, ASHMEM_NOT_PURGED);
	expect_now(test, "PIN", pin, 1000, 1010, ASHMEM_NOT_PURGED);
	/* Of the same range: PIN reports the loss, but its own pages are kept. */
	expect_now(test, "PIN", pin, 990, 999, ASHMEM_WAS_PURGED);
	expect_now(test, "GET_PIN_STATUS", pin_status, 100, 611, ASHMEM_IS_UNPINNED);
	expect_now(test, "GET_PIN_STATUS", pin_status, 990, 1010, ASHMEM_IS_PINNED);
	expect_now(test, "GET_NAME", get_name, 0, 0, sizeof("dev/ashmem"));
	expect_now(test, "mmap", back, 0, 0, 0);
	expect_now(test, "UNPIN", unpin, 1500, 1500, 0);
	expect_now(test, "UNPIN", unpin, 300, 300, 0);
}

/* Only a PIN of pages in flight waits, and for no other step. */
static void race_pin_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct fake_store *store = test->priv;
	unsigned long scanned;

	store->region = ashmem_kunit_region(test, lru, 2000);
	store->on_punch = others_at_first_step;
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(store->region, 100, 999));
	KUNIT_EXPECT_EQ(test, STEP, ashmem_kunit_scan(lru, NULL, 1, &scanned));
	fake_store_expect(test, 0, store->region, 100, 99 + STEP);
	fake_store_expect_count(test, 1);
	expect_end(test, &store->task[0], ASHMEM_WAS_PURGED);
	expect_end(test, &store->task[1], ASHMEM_WAS_PURGED);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_payer(store->region)->in_flight);
	KUNIT_EXPECT_TRUE(test, list_empty(&store->region->flights));

	/*
	 * They have reported the loss, and the UNPIN in the middle took part of the
	 * rest.
	 */
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(store->region, 0, 100));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(store->region, 611, 620));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(store->region, 300, 300));
}

static void pin_all_at_first_step(struct kunit *test, struct fake_store *store,
				  unsigned int number)
{
	unsigned long scanned;

	if (number)
		return;
	expect_wait(test, 0, 0, 1999);
	/* Its pages are protected from other purges while it waits. */
	ashmem_kunit_scan(store->region->lru, NULL, 1000, &scanned);
	KUNIT_EXPECT_EQ(test, 1, store->count);
	KUNIT_EXPECT_EQ(test, 0, store->region->unpinned.purgeable);
}

/* While a PIN waits for some of its pages, no other purge takes the others. */
static void race_pin_keeps_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct fake_store *store = test->priv;
	int by_shrinker;

	store->on_punch = pin_all_at_first_step;
	for (by_shrinker = 0; by_shrinker <= 1; by_shrinker++) {
		unsigned long scanned;

		store->region = ashmem_kunit_region(test, lru, 2000);
		KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(store->region, 0, 1999));
		if (by_shrinker)
			KUNIT_EXPECT_EQ(test, STEP, ashmem_kunit_scan(lru, NULL, 5000, &scanned));
		else
			KUNIT_EXPECT_EQ(test, STEP, ashmem_purge_all(lru));
		fake_store_expect_count(test, 1);
		expect_end(test, &store->task[0], ASHMEM_WAS_PURGED);
		KUNIT_EXPECT_EQ(test, 0, store->region->unpinned.unpinned);
	}
}

static void kill_pin(struct kunit *test, struct fake_store *store, unsigned int number)
{
	struct ashmem_kunit_task *task = expect_wait(test, 0, 0, 9);

	if (!task)
		return;
	ashmem_kunit_kill(task);
	expect_end(test, task, -EINTR);
}

/* A PIN that is killed while it waits hides the loss from no other task. */
static void race_pin_killed_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct fake_store *store = test->priv;

	store->region = ashmem_kunit_region(test, lru, 20);
	store->on_punch = kill_pin;
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(store->region, 0, 9));
	KUNIT_EXPECT_EQ(test, 10, ashmem_purge_all(lru));
	KUNIT_EXPECT_EQ(test, ASHMEM_IS_UNPINNED, ashmem_kunit_pin_status(store->region, 0, 9));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(store->region, 0, 9));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(store->region, 0, 9));
}

static long pin_killed(struct ashmem_kunit_task *task)
{
	ashmem_kunit_kill(task);
	return ashmem_kunit_pin(task->region, task->first, task->last);
}

static long unpin_killed(struct ashmem_kunit_task *task)
{
	ashmem_kunit_kill(task);
	return ashmem_kunit_unpin(task->region, task->first, task->last);
}

/* Calls on very many ranges end when the task is killed, in a valid state. */
static void race_many_killed_test(struct kunit *test)
{
	static long (* const calls[])(struct ashmem_kunit_task *task) = {
		pin_killed, unpin_killed,
	};
	struct fake_store *store = test->priv;
	unsigned int i, page;

	store->region = ashmem_kunit_region(test, ashmem_kunit_lru(test), 600);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		for (page = 0; page < 600; page += 2)
			KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(store->region, page, page));
		expect_now(test, "a killed task", calls[i], 0, 599, -EINTR);
		KUNIT_EXPECT_EQ(test, ASHMEM_IS_UNPINNED,
				ashmem_kunit_pin_status(store->region, 598, 598));
		KUNIT_EXPECT_EQ(test, i ? ASHMEM_IS_UNPINNED : ASHMEM_IS_PINNED,
				ashmem_kunit_pin_status(store->region, 0, 1));
		KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(store->region, 0, 599));
		KUNIT_EXPECT_EQ(test, 0, store->region->unpinned.unpinned);
	}
}

static void close_at_first_step(struct kunit *test, struct fake_store *store,
				unsigned int number)
{
	if (!number)
		ashmem_kunit_close(test, store->region);
}

/* close() does not wait for a step, which then is the last user of the region. */
static void race_close_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct fake_store *store = test->priv;
	unsigned long scanned;
	int by_shrinker;

	store->on_punch = close_at_first_step;
	for (by_shrinker = 0; by_shrinker <= 1; by_shrinker++) {
		store->region = ashmem_kunit_region(test, lru, 2000);
		KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(store->region, 0, 1999));
		if (by_shrinker)
			KUNIT_EXPECT_EQ(test, STEP, ashmem_kunit_scan(lru, NULL, 5000, &scanned));
		else
			KUNIT_EXPECT_EQ(test, STEP, ashmem_purge_all(lru));
		/* No purge can take the rest any more. */
		fake_store_expect_count(test, 1);
		KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, NULL));
		KUNIT_EXPECT_TRUE(test, list_empty(&lru->groups));
	}
}

static void purge_beside(struct kunit *test, struct fake_store *store, unsigned int number)
{
	unsigned long scanned;

	if (number >= 2)
		return;
	KUNIT_EXPECT_EQ(test, STEP, ashmem_kunit_scan(store->region->lru, NULL, 1, &scanned));
	KUNIT_EXPECT_EQ(test, STEP, scanned);
}

/* Several purges work on one range concurrently: each takes the next step. */
static void race_side_by_side_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct fake_store *store = test->priv;
	unsigned int i;

	store->region = ashmem_kunit_region(test, lru, 4 * STEP);
	store->on_punch = purge_beside;
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(store->region, 0, 4 * STEP - 1));
	/* Two of them were others'. */
	KUNIT_EXPECT_EQ(test, 2 * STEP, ashmem_purge_all(lru));
	for (i = 0; i < 4; i++)
		fake_store_expect(test, i, store->region, i * STEP, (i + 1) * STEP - 1);
	fake_store_expect_count(test, 4);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_payer(store->region)->in_flight);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, NULL));
}

/* Pages that are freed while another task waits for them. */
static void wait_in_vain(struct kunit *test, struct fake_store *store, unsigned int number)
{
	struct shrink_control sc = {
		.nid = numa_node_id(), .gfp_mask = GFP_KERNEL, .nr_to_scan = 100,
	};
	unsigned long before;
	int i;

	KUNIT_EXPECT_EQ(test, 10, ashmem_kunit_count(store->region->lru, NULL));
	/*
	 * It returns while the step is still running, but not at once. After a tick it gives
	 * up: reclaim calls again for each 128 pages that were counted.
	 */
	expect_now(test, "the shrinker", scan, 100, 0, SHRINK_STOP);
	before = jiffies;
	KUNIT_EXPECT_EQ(test, SHRINK_STOP, ashmem_purge_some(store->region->lru, &sc));
	KUNIT_EXPECT_NE(test, before, jiffies);

	current->flags |= PF_KSWAPD;
	before = jiffies;
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, SHRINK_STOP, ashmem_purge_some(store->region->lru, &sc));
	KUNIT_EXPECT_LT_MSG(test, jiffies - before, 100, "kswapd waits");
	current->flags &= ~PF_KSWAPD;
}

/* With all pages in flight, reclaim waits a tick for them, and kswapd doesn't. */
static void race_all_in_flight_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct fake_store *store = test->priv;
	unsigned long scanned;

	store->region = ashmem_kunit_region(test, lru, 10);
	store->on_punch = wait_in_vain;
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(store->region, 0, 9));
	KUNIT_EXPECT_EQ(test, 10, ashmem_kunit_scan(lru, NULL, 10, &scanned));
	fake_store_expect_count(test, 1);
	/* Now there is nothing. */
	KUNIT_EXPECT_EQ(test, SHRINK_STOP, ashmem_kunit_scan(lru, NULL, 10, &scanned));
}

/* Nothing can be taken, and another task frees pages in the same group. */
static bool free_beside(struct file *backing, unsigned long first, unsigned long last,
			unsigned long max, bool wait, struct ashmem_survey *survey)
{
	struct fake_store *store = kunit_get_current_test()->priv;

	ashmem_kunit_payer(store->region)->entry.group->freed += 3;
	survey->final = last;
	return false;
}

/* A call that may have waited counts as the whole batch, or the kernel repeats it too often. */
static void race_wait_counts_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct fake_store *store = test->priv;
	unsigned long scanned;

	store->region = ashmem_kunit_region(test, lru, 10);
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(store->region, 0, 9));
	kunit_activate_static_stub(test, ashmem_backing_survey, free_beside);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_scan(lru, NULL, 100, &scanned));
	KUNIT_EXPECT_EQ(test, 100, scanned);
}

static void look_past(struct kunit *test, struct fake_store *store, unsigned int number)
{
	unsigned long scanned;

	if (number)
		return;
	KUNIT_EXPECT_EQ(test, STEP, ashmem_kunit_scan(store->region->lru, NULL, 1, &scanned));
	KUNIT_EXPECT_TRUE(test, time_after(ashmem_kunit_payer(store->region)->entry.key,
					   ashmem_kunit_payer(store->other)->entry.key));
}

/* An entry whose pages are all in flight goes behind those that have pages to take. */
static void race_past_flights_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct fake_store *store = test->priv;
	unsigned long scanned;

	store->region = ashmem_kunit_region(test, lru, 10);
	store->other = ashmem_kunit_region(test, lru, 2 * STEP);
	store->on_punch = look_past;
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(store->region, 0, 9));
	ashmem_kunit_next_tick();
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(store->other, 0, 2 * STEP - 1));
	ashmem_kunit_next_tick();
	KUNIT_EXPECT_EQ(test, 10, ashmem_kunit_scan(lru, NULL, 10, &scanned));
	fake_store_expect(test, 0, store->region, 0, 9);
	fake_store_expect(test, 1, store->other, 0, STEP - 1);
	fake_store_expect_count(test, 2);
	store->on_punch = NULL;
	KUNIT_EXPECT_EQ(test, STEP, ashmem_purge_all(lru));
}

static void merge_at_second_step(struct kunit *test, struct fake_store *store,
				 unsigned int number)
{
	/* The first group keeps an entry, so that the other merges into it. */
	ashmem_kunit_next_tick();
	if (number == 0)
		KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_unpin(store->other, 5, 5));
	if (number == 1)
		KUNIT_EXPECT_GT(test, ashmem_kunit_count(store->region->lru, NULL), 0);
}

/* A command also purges an entry that moves to a group it has already visited. */
static void race_merge_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct fake_store *store = test->priv;
	struct ashmem_lru_entry *entry[3];
	struct ashmem_region *region[3];
	int i;

	/* The first two share a group, which leaves the list; the third has its own. */
	for (i = 0; i < 3; i++)
		region[i] = ashmem_kunit_region(test, lru, 10);
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region[i], 0, 0));
	for (i = 0; i < 2; i++) {
		ashmem_kunit_pin(region[i], 0, 0);
		spin_lock(&region[i]->lock);
		ashmem_lru_update(lru, &ashmem_kunit_payer(region[i])->entry, 0, 0);
		spin_unlock(&region[i]->lock);
	}
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_count(lru, NULL));
	for (i = 2; i >= 0; i--) {
		KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region[i], 0, 0));
		entry[i] = &ashmem_kunit_payer(region[i])->entry;
	}
	KUNIT_ASSERT_PTR_EQ(test, entry[0]->group, entry[1]->group);
	KUNIT_ASSERT_PTR_NE(test, entry[0]->group, entry[2]->group);

	store->region = region[0];
	store->other = region[2];
	store->on_punch = merge_at_second_step;
	KUNIT_EXPECT_EQ(test, 3, ashmem_purge_all(lru));
	KUNIT_EXPECT_EQ(test, 2, lru->moved);
	fake_store_expect(test, 0, region[2], 0, 0);
	fake_store_expect_count(test, 3);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region[i], 0, 0));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(region[2], 5, 5));
}

static void correct_key(struct kunit *test, struct fake_store *store, unsigned int number)
{
	unsigned long scanned;

	if (number)
		return;
	ashmem_kunit_next_tick();
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_unpin(store->region, 5, 5));
	/* The shrinker can take nothing, but sees how old the region is now. */
	store->locked_end = ULONG_MAX;
	KUNIT_EXPECT_EQ(test, SHRINK_STOP,
			ashmem_kunit_scan(store->region->lru, NULL, 1, &scanned));
}

/* A command goes on after an entry that has become too young for it. */
static void race_corrected_key_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct fake_store *store = test->priv;

	store->region = ashmem_kunit_region(test, lru, 10);
	store->other = ashmem_kunit_region(test, lru, 10);
	store->on_punch = correct_key;
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(store->region, 0, 0));
	ashmem_kunit_next_tick();
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(store->other, 0, 0));
	KUNIT_EXPECT_EQ(test, 2, ashmem_purge_all(lru));
	fake_store_expect(test, 0, store->region, 0, 0);
	fake_store_expect(test, 1, store->other, 0, 0);
	fake_store_expect_count(test, 2);
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(store->region, 5, 5));
}

static struct kunit_case purge_race_cases[] = {
	KUNIT_CASE(race_pin_test),
	KUNIT_CASE(race_pin_keeps_test),
	KUNIT_CASE(race_pin_killed_test),
	KUNIT_CASE(race_many_killed_test),
	KUNIT_CASE(race_close_test),
	KUNIT_CASE(race_side_by_side_test),
	KUNIT_CASE(race_all_in_flight_test),
	KUNIT_CASE(race_wait_counts_test),
	KUNIT_CASE(race_past_flights_test),
	KUNIT_CASE(race_merge_test),
	KUNIT_CASE(race_corrected_key_test),
	{}
};

static struct kunit_suite purge_race_suite = {
	.name = "ashmem_purge_race",
	.init = fake_store_init,
	.exit = fake_store_exit,
	.test_cases = purge_race_cases,
};

kunit_test_suite(purge_race_suite);
