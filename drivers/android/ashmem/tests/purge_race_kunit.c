// SPDX-License-Identifier: GPL-2.0
/*
 * Purging while others have the region, pin or unpin.
 */

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>

#include "fake_store.h"

/* Nobody waits for a region that is in use; the next one has something, too. */
static void purge_race_busy_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *busy = fake_store_region(test, lru, 10);
	struct ashmem_region *idle = fake_store_region(test, lru, 10);
	unsigned long scanned;

	ashmem_kunit_unpin(test, busy, 0, 9);
	ashmem_kunit_unpin(test, idle, 0, 9);
	mutex_lock(&busy->lock);
	KUNIT_EXPECT_EQ(test, 10, ashmem_kunit_scan(lru, 100, &scanned));
	KUNIT_EXPECT_EQ(test, 10, scanned);
	fake_store_expect(test, 0, idle, 0, 9);
	fake_store_expect_count(test, 1);
	KUNIT_EXPECT_EQ(test, SHRINK_STOP, ashmem_kunit_scan(lru, 100, &scanned));
	fake_store_expect_count(test, 0);
	mutex_unlock(&busy->lock);
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(busy, 0, 9));
}

static void unpin_in_group(struct kunit *test, struct ashmem_region *region,
			   u64 cgroup, unsigned long first, unsigned long last)
{
	struct ashmem_range *spare = kunit_kzalloc(test, sizeof(*spare), GFP_KERNEL);
	LIST_HEAD(dropped);

	KUNIT_ASSERT_NOT_NULL(test, spare);
	KUNIT_ASSERT_EQ(test, 0, ashmem_lru_change_group(region->lru, &region->group,
							 cgroup, numa_node_id()));
	ashmem_ranges_unpin(&region->unpinned, region, region->group, first, last,
			    &spare, &dropped);
	KUNIT_ASSERT_TRUE(test, !spare && list_empty(&dropped));
}

/* Takes back what unpin_in_group() put there, which isn't of the driver's cache. */
static void pin_in_group(struct kunit *test, struct ashmem_region *region)
{
	struct ashmem_range *spare = NULL;
	LIST_HEAD(dropped);

	ashmem_ranges_pin(&region->unpinned, 0, ULONG_MAX >> 1, &spare, &dropped);
	KUNIT_EXPECT_EQ(test, 0, region->unpinned.unpinned);
}

/* A group where all are busy doesn't hide the next. */
static void purge_race_busy_group_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region[3];
	unsigned long scanned;
	int i, busy;

	for (i = 0; i < 3; i++)
		region[i] = fake_store_region(test, lru, 10);
	for (busy = 0; busy < 3; busy++) {
		for (i = 0; i < 3; i++)
			unpin_in_group(test, region[i], KUNIT_CGROUP + i, 0, i);
		mutex_lock(&region[busy]->lock);
		KUNIT_EXPECT_EQ(test, 1 + 2 + 3 - (busy + 1),
				ashmem_kunit_scan(lru, 100, &scanned));
		fake_store_expect_count(test, 2);
		mutex_unlock(&region[busy]->lock);
		KUNIT_EXPECT_EQ(test, busy + 1, ashmem_purge_all(lru));
		fake_store_expect(test, 0, region[busy], 0, busy);
		fake_store_expect_count(test, 1);
		for (i = 0; i < 3; i++)
			pin_in_group(test, region[i]);
	}
}

static void pin_the_rest(struct kunit *test, struct fake_store *store)
{
	if (store->picks == 2)
		KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED,
				ashmem_kunit_pin(store->region, 600, 1999));
}

static void pin_the_middle(struct kunit *test, struct fake_store *store)
{
	if (store->picks == 2)
		KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED,
				ashmem_kunit_pin(store->region, 700, 800));
}

static void pin_behind(struct kunit *test, struct fake_store *store)
{
	if (store->picks == 2)
		KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED,
				ashmem_kunit_pin(store->region, 0, 99));
}

static void unpin_again(struct kunit *test, struct fake_store *store)
{
	if (store->picks == 2)
		ashmem_kunit_unpin(test, store->region, 0, 0);
}

/* Between two steps of a purge of 2000 pages something happens to them. */
static const struct middle_case {
	const char *name;
	void (*on_pick)(struct kunit *test, struct fake_store *store);
	unsigned int count;
	struct {
		unsigned long first;
		unsigned long last;
	} punches[5];
} middle_cases[] = {
	{ "nothing", NULL, 4, { { 0, 511 }, { 512, 1023 }, { 1024, 1535 }, { 1536, 1999 } } },
	{ "pin the rest", pin_the_rest, 2, { { 0, 511 }, { 512, 599 } } },
	{ "pin in the middle", pin_the_middle, 5,
	  { { 0, 511 }, { 512, 699 }, { 801, 1023 }, { 1024, 1535 }, { 1536, 1999 } } },
	{ "pin what went", pin_behind, 4,
	  { { 0, 511 }, { 512, 1023 }, { 1024, 1535 }, { 1536, 1999 } } },
	{ "unpin again", unpin_again, 5,
	  { { 0, 511 }, { 0, 511 }, { 512, 1023 }, { 1024, 1535 }, { 1536, 1999 } } },
};

static void describe_middle(const struct middle_case *c, char *text)
{
	strscpy(text, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(middle, middle_cases, describe_middle);

static void purge_race_middle_test(struct kunit *test)
{
	const struct middle_case *c = test->param_value;
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct fake_store *store = test->priv;
	unsigned long scanned = 0;
	int by_shrinker;
	unsigned int i;

	store->on_pick = c->on_pick;
	for (by_shrinker = 0; by_shrinker <= 1; by_shrinker++) {
		store->region = fake_store_region(test, lru, 2000);
		store->picks = 0;
		ashmem_kunit_unpin(test, store->region, 0, 1999);
		if (by_shrinker)
			ashmem_kunit_scan(lru, 4000, &scanned);
		else
			KUNIT_EXPECT_EQ(test, 2000, ashmem_purge_all(lru));
		/*
		 * What is unpinned meanwhile need not be purged by a command:
		 * it leaves when it has taken as much as there was.
		 */
		for (i = 0; i < c->count - (c->on_pick == unpin_again && !by_shrinker); i++)
			fake_store_expect(test, i, store->region, c->punches[i].first,
					  c->punches[i].last);
		fake_store_expect_count(test, i);
		ashmem_kunit_pin(store->region, 0, 1999);
	}
}

/**
 * struct pinner - a thread that pins
 * @region: where
 * @ret: what it was told
 * @done: it was
 */
struct pinner {
	struct ashmem_region *region;
	int ret;
	struct completion done;
};

static int pinner_run(void *data)
{
	struct pinner *pinner = data;

	pinner->ret = ashmem_kunit_pin(pinner->region, 0, 9);
	complete(&pinner->done);
	return 0;
}

static void pinner_start(struct kunit *test, struct pinner *pinner,
			 struct ashmem_region *region)
{
	struct task_struct *task;

	pinner->region = region;
	pinner->ret = -1;
	init_completion(&pinner->done);
	task = kthread_run(pinner_run, pinner, "ashmem-kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
}

static struct pinner same, elsewhere;

/* The store's region is the older one. */
static void unpin_two_regions(struct kunit *test, struct ashmem_lru *lru)
{
	struct fake_store *store = test->priv;

	store->region = fake_store_region(test, lru, 10);
	store->other = fake_store_region(test, lru, 10);
	ashmem_kunit_unpin(test, store->region, 0, 9);
	ashmem_kunit_unpin(test, store->other, 0, 9);
}

/* While the store frees: who pins there waits, who pins elsewhere doesn't. */
static void pin_by_others(struct kunit *test, struct fake_store *store)
{
	if (store->count > 1)
		return;
	pinner_start(test, &same, store->region);
	pinner_start(test, &elsewhere, store->other);
	KUNIT_EXPECT_NE_MSG(test, 0, wait_for_completion_timeout(&elsewhere.done, 10 * HZ),
			    "a PIN on another region waits for the purge");
	msleep(50);
	KUNIT_EXPECT_FALSE_MSG(test, completion_done(&same.done),
			       "a PIN got in the middle of a step");
}

static void purge_race_blocks_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct fake_store *store = test->priv;

	unpin_two_regions(test, lru);
	store->on_punch = pin_by_others;
	ashmem_purge_all(lru);
	wait_for_completion(&same.done);
	fake_store_expect(test, 0, store->region, 0, 9);
	fake_store_expect_count(test, 1);
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, same.ret);
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, elsewhere.ret);
}

static void unpin_before_each_pick(struct kunit *test, struct fake_store *store)
{
	/* The tenth is one more than a purge that keeps to its bound makes. */
	if (store->picks < 10)
		ashmem_kunit_unpin(test, store->region, store->picks, store->picks);
}

/* Who keeps unpinning doesn't keep a command from the ranges of other groups. */
static void purge_race_refilled_group_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *others[2];
	struct fake_store *store = test->priv;
	unsigned int i, found = 0;

	store->region = fake_store_region(test, lru, 20);
	ashmem_kunit_unpin(test, store->region, 0, 0);
	for (i = 0; i < 2; i++) {
		others[i] = fake_store_region(test, lru, 10);
		unpin_in_group(test, others[i], KUNIT_CGROUP + i, 0, 0);
	}
	store->on_pick = unpin_before_each_pick;
	KUNIT_EXPECT_EQ(test, 3, ashmem_purge_all(lru));
	KUNIT_EXPECT_LT(test, store->picks, 10);
	for (i = 0; i < store->count; i++)
		found += store->punches[i].backing == others[0]->backing ||
			 store->punches[i].backing == others[1]->backing;
	KUNIT_EXPECT_EQ(test, 2, found);
	for (i = 0; i < 2; i++)
		pin_in_group(test, others[i]);
}

static void pin_what_was_picked(struct kunit *test, struct fake_store *store)
{
	if (store->picks == 1)
		KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED,
				ashmem_kunit_pin(store->region, 0, 9));
}

/* A command that comes too late for one range goes on with the next. */
static void purge_race_late_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct fake_store *store = test->priv;

	unpin_two_regions(test, lru);
	store->on_picked = pin_what_was_picked;
	KUNIT_EXPECT_EQ(test, 20, ashmem_purge_all(lru));
	fake_store_expect(test, 0, store->other, 0, 9);
	fake_store_expect_count(test, 1);
}

static struct kunit_case purge_race_cases[] = {
	KUNIT_CASE(purge_race_busy_test),
	KUNIT_CASE(purge_race_busy_group_test),
	KUNIT_CASE_PARAM(purge_race_middle_test, middle_gen_params),
	KUNIT_CASE(purge_race_blocks_test),
	KUNIT_CASE(purge_race_refilled_group_test),
	KUNIT_CASE(purge_race_late_test),
	{}
};

static struct kunit_suite purge_race_suite = {
	.name = "ashmem_purge_race",
	.init = fake_store_init,
	.test_cases = purge_race_cases,
};

kunit_test_suite(purge_race_suite);
