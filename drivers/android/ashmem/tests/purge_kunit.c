// SPDX-License-Identifier: GPL-2.0
/*
 * Purging, against a store that does what the test wants it to: keep account,
 * free nothing, wait, or have pages pinned between two steps.
 */

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>

#include "fixture.h"

/* What reclaim.c takes at a time. */
#define STEP		512

#define PUNCHES_MAX	64

/**
 * struct punch - pages that the store was told to free
 * @backing: which store
 * @first: first page
 * @last: last page
 */
struct punch {
	struct file *backing;
	unsigned long first;
	unsigned long last;
};

/**
 * struct store - the store behind all regions of a test
 * @punches: what it was told to free
 * @count: how many times
 * @fails: it frees nothing
 * @data: first page that there is anything of
 * @data_end: the page behind the last such
 * @on_punch: called when it is told to free, or NULL
 * @on_pick: called when the next range is picked, no lock held, or NULL
 * @picks: how often that was
 * @region: for the two, the region that they act on
 * @other: for the two, another
 */
struct store {
	struct punch punches[PUNCHES_MAX];
	unsigned int count;
	bool fails;
	unsigned long data;
	unsigned long data_end;
	void (*on_punch)(struct kunit *test, struct store *store);
	void (*on_pick)(struct kunit *test, struct store *store);
	unsigned int picks;
	struct ashmem_region *region;
	struct ashmem_region *other;
};

static unsigned long store_punch(struct file *backing, unsigned long first,
				 unsigned long last)
{
	struct kunit *test = kunit_get_current_test();
	struct store *store = test->priv;

	KUNIT_ASSERT_LT_MSG(test, store->count, PUNCHES_MAX, "a purge without end");
	store->punches[store->count++] = (struct punch){ backing, first, last };
	if (store->on_punch)
		store->on_punch(test, store);
	return store->fails ? 0 : last - first + 1;
}

static unsigned long store_hole(struct file *backing, unsigned long first,
				unsigned long last)
{
	struct store *store = kunit_get_current_test()->priv;

	if (first < store->data)
		return min(store->data, last + 1) - first;
	return first < store->data_end ? 0 : last - first + 1;
}

static struct ashmem_range *store_trylock(struct ashmem_lru_group *group)
{
	struct kunit *test = kunit_get_current_test();
	struct store *store = test->priv;
	struct ashmem_range *range;

	store->picks++;
	if (store->on_pick)
		store->on_pick(test, store);
	kunit_deactivate_static_stub(test, ashmem_lru_trylock_oldest);
	range = ashmem_lru_trylock_oldest(group);
	kunit_activate_static_stub(test, ashmem_lru_trylock_oldest, store_trylock);
	return range;
}

static struct ashmem_region *store_oldest(struct ashmem_lru_group *group)
{
	struct kunit *test = kunit_get_current_test();
	struct store *store = test->priv;
	struct ashmem_region *region;

	store->picks++;
	if (store->on_pick)
		store->on_pick(test, store);
	kunit_deactivate_static_stub(test, ashmem_lru_get_oldest);
	region = ashmem_lru_get_oldest(group);
	kunit_activate_static_stub(test, ashmem_lru_get_oldest, store_oldest);
	return region;
}

static int purge_init(struct kunit *test)
{
	struct store *store = kunit_kzalloc(test, sizeof(*store), GFP_KERNEL);

	if (!store)
		return -ENOMEM;
	store->data_end = ULONG_MAX;
	test->priv = store;
	kunit_activate_static_stub(test, ashmem_backing_punch, store_punch);
	kunit_activate_static_stub(test, ashmem_backing_hole, store_hole);
	kunit_activate_static_stub(test, ashmem_lru_trylock_oldest, store_trylock);
	kunit_activate_static_stub(test, ashmem_lru_get_oldest, store_oldest);
	return 0;
}

static struct ashmem_region *region_new(struct kunit *test, struct ashmem_lru *lru,
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

static struct ashmem_pin pages_of(unsigned long first, unsigned long last)
{
	return (struct ashmem_pin){ first << PAGE_SHIFT, (last - first + 1) << PAGE_SHIFT };
}

static void unpin(struct kunit *test, struct ashmem_region *region, unsigned long first,
		  unsigned long last)
{
	struct ashmem_pin pin = pages_of(first, last);

	KUNIT_ASSERT_EQ(test, 0, ashmem_region_unpin(region, &pin));
}

static int pin(struct ashmem_region *region, unsigned long first, unsigned long last)
{
	struct ashmem_pin pin = pages_of(first, last);

	return ashmem_region_pin(region, &pin);
}

/* A shrinker's call: all nodes, as the groups may be on any. Adds to @scanned. */
static unsigned long scan(struct ashmem_lru *lru, unsigned long pages, unsigned long *scanned)
{
	unsigned long freed = SHRINK_STOP;
	int nid;

	*scanned = 0;
	for_each_online_node(nid) {
		struct shrink_control sc = {
			.nid = nid, .gfp_mask = GFP_KERNEL, .nr_to_scan = pages,
		};
		unsigned long ret = ashmem_purge_some(lru, &sc);

		if (ret == SHRINK_STOP)
			continue;
		*scanned += sc.nr_scanned;
		freed = freed == SHRINK_STOP ? ret : freed + ret;
	}
	return freed;
}

static void expect_punch(struct kunit *test, unsigned int i, struct ashmem_region *region,
			 unsigned long first, unsigned long last)
{
	struct store *store = test->priv;

	KUNIT_ASSERT_LT(test, i, store->count);
	KUNIT_EXPECT_PTR_EQ_MSG(test, region->backing, store->punches[i].backing, "punch %u", i);
	KUNIT_EXPECT_EQ_MSG(test, first, store->punches[i].first, "punch %u", i);
	KUNIT_EXPECT_EQ_MSG(test, last, store->punches[i].last, "punch %u", i);
}

static void expect_count(struct kunit *test, unsigned int count)
{
	struct store *store = test->priv;

	KUNIT_EXPECT_EQ_MSG(test, count, store->count, "times that the store was asked");
	store->count = 0;
}

static void purge_all_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *a = region_new(test, lru, 100);
	struct ashmem_region *b = region_new(test, lru, 100);

	KUNIT_EXPECT_EQ(test, 0, ashmem_purge_all(lru));
	expect_count(test, 0);

	unpin(test, a, 10, 19);
	unpin(test, b, 50, 99);
	unpin(test, a, 0, 4);
	unpin(test, b, 0, 0);
	KUNIT_EXPECT_EQ(test, 10 + 50 + 5 + 1, ashmem_purge_all(lru));
	expect_punch(test, 0, a, 10, 19);
	expect_punch(test, 1, b, 50, 99);
	expect_punch(test, 2, a, 0, 4);
	expect_punch(test, 3, b, 0, 0);
	expect_count(test, 4);
	KUNIT_EXPECT_EQ(test, 0, ashmem_lru_pages(lru));

	/* What is gone isn't purged again. */
	KUNIT_EXPECT_EQ(test, 0, ashmem_purge_all(lru));
	expect_count(test, 0);

	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, pin(a, 19, 30));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, pin(a, 20, 30));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, pin(a, 19, 19));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, pin(a, 10, 10));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, pin(b, 1, 49));

	/* It may have been written again. */
	unpin(test, b, 60, 60);
	KUNIT_EXPECT_EQ(test, 50, ashmem_purge_all(lru));
	expect_punch(test, 0, b, 50, 99);
	expect_count(test, 1);
}

/* One step takes no more than STEP, so that a PIN needn't wait for all. */
static void purge_steps_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = region_new(test, lru, 2000);
	unsigned long scanned;
	int by_shrinker;

	for (by_shrinker = 0; by_shrinker <= 1; by_shrinker++) {
		unpin(test, region, 0, 1999);
		if (by_shrinker) {
			/* A range that was begun is gone through with. */
			KUNIT_EXPECT_EQ(test, 2000, scan(lru, 1, &scanned));
			KUNIT_EXPECT_EQ(test, 2000, scanned);
		} else {
			KUNIT_EXPECT_EQ(test, 2000, ashmem_purge_all(lru));
		}
		expect_punch(test, 0, region, 0, STEP - 1);
		expect_punch(test, 1, region, STEP, 2 * STEP - 1);
		expect_punch(test, 2, region, 2 * STEP, 3 * STEP - 1);
		expect_punch(test, 3, region, 3 * STEP, 1999);
		expect_count(test, 4);
		KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, pin(region, 0, 1999));
	}
}

/* The shrinker leaves what it wasn't asked for. */
static void purge_some_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = region_new(test, lru, 100);
	unsigned long scanned;
	int i;

	for (i = 9; i >= 0; i--)
		unpin(test, region, i * 10, i * 10 + 4);
	KUNIT_EXPECT_EQ(test, 15, scan(lru, 11, &scanned));
	KUNIT_EXPECT_EQ(test, 15, scanned);
	expect_punch(test, 0, region, 90, 94);
	expect_punch(test, 1, region, 80, 84);
	expect_punch(test, 2, region, 70, 74);
	expect_count(test, 3);
	KUNIT_EXPECT_EQ(test, 35, ashmem_lru_pages(lru));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, pin(region, 60, 64));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, pin(region, 70, 74));
}

/* Small ranges that lie and were unpinned side by side go in one step. */
static void purge_neighbours_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = region_new(test, lru, 1000);
	struct ashmem_region *other = region_new(test, lru, 10);
	unsigned long scanned;
	int i;

	for (i = 0; i < 8; i++)
		unpin(test, region, i, i);
	KUNIT_EXPECT_EQ(test, 3, scan(lru, 3, &scanned));
	expect_punch(test, 0, region, 0, 2);
	expect_count(test, 1);
	KUNIT_EXPECT_EQ(test, 5, scan(lru, 100, &scanned));
	expect_punch(test, 0, region, 3, 7);
	expect_count(test, 1);
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, pin(region, 0, 7));

	/* Not the other way round, not with a gap, not those of another region. */
	unpin(test, region, 5, 5);
	unpin(test, region, 4, 4);
	unpin(test, region, 6, 6);
	unpin(test, other, 7, 7);
	KUNIT_EXPECT_EQ(test, 4, ashmem_purge_all(lru));
	expect_punch(test, 0, region, 5, 5);
	expect_punch(test, 1, region, 4, 4);
	expect_punch(test, 2, region, 6, 6);
	expect_punch(test, 3, other, 7, 7);
	expect_count(test, 4);

	/* Nor one that is too much for a step. */
	unpin(test, region, 100, 399);
	unpin(test, region, 400, 699);
	KUNIT_EXPECT_EQ(test, 600, ashmem_purge_all(lru));
	expect_punch(test, 0, region, 100, 399);
	expect_punch(test, 1, region, 400, 699);
	expect_count(test, 2);
}

/* Pages that were never there take no steps. */
static void purge_hole_test(struct kunit *test)
{
	unsigned long pages = SZ_2G >> PAGE_SHIFT, data = pages / 2;
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = region_new(test, lru, pages);
	struct store *store = test->priv;

	store->data = data;
	store->data_end = data + 700;
	unpin(test, region, 0, pages - 1);
	KUNIT_EXPECT_EQ(test, pages, ashmem_purge_all(lru));
	expect_punch(test, 0, region, 0, data + STEP - 1);
	expect_punch(test, 1, region, data + STEP, data + 2 * STEP - 1);
	expect_punch(test, 2, region, data + 2 * STEP, pages - 1);
	expect_count(test, 3);
}

/* Nothing was freed, but what was asked for was done: no second try, no end of it. */
static void purge_frees_nothing_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = region_new(test, lru, 2000);
	struct store *store = test->priv;
	unsigned long scanned;

	store->fails = true;
	unpin(test, region, 0, 9);
	unpin(test, region, 20, 29);
	unpin(test, region, 40, 1999);
	KUNIT_EXPECT_EQ(test, 0, scan(lru, 15, &scanned));
	KUNIT_EXPECT_EQ(test, 20, scanned);
	expect_count(test, 2);
	KUNIT_EXPECT_EQ(test, 1960, ashmem_purge_all(lru));
	expect_count(test, 4);
	KUNIT_EXPECT_EQ(test, SHRINK_STOP, scan(lru, 15, &scanned));
	expect_count(test, 0);

	/* Some of the pages may be lost all the same. */
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, pin(region, 0, 9));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, pin(region, 1999, 1999));
}

/* From an allocation that holds locks of a file system nothing is freed. */
static void purge_without_fs_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = region_new(test, lru, 10);
	int nid;

	unpin(test, region, 0, 9);
	for_each_online_node(nid) {
		struct shrink_control sc = {
			.nid = nid, .gfp_mask = GFP_NOFS, .nr_to_scan = 10,
		};

		KUNIT_EXPECT_EQ(test, SHRINK_STOP, ashmem_purge_some(lru, &sc));
		KUNIT_EXPECT_EQ(test, 0, sc.nr_scanned);
	}
	expect_count(test, 0);
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, pin(region, 0, 9));
}

/* Nobody waits for a region that is in use; the next one has something, too. */
static void purge_busy_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *busy = region_new(test, lru, 10);
	struct ashmem_region *idle = region_new(test, lru, 10);
	unsigned long scanned;

	unpin(test, busy, 0, 9);
	unpin(test, idle, 0, 9);
	mutex_lock(&busy->lock);
	KUNIT_EXPECT_EQ(test, 10, scan(lru, 100, &scanned));
	KUNIT_EXPECT_EQ(test, 10, scanned);
	expect_punch(test, 0, idle, 0, 9);
	expect_count(test, 1);
	KUNIT_EXPECT_EQ(test, SHRINK_STOP, scan(lru, 100, &scanned));
	expect_count(test, 0);
	mutex_unlock(&busy->lock);
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, pin(busy, 0, 9));
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
static void purge_busy_group_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region[3];
	unsigned long scanned;
	int i, busy;

	for (i = 0; i < 3; i++)
		region[i] = region_new(test, lru, 10);
	for (busy = 0; busy < 3; busy++) {
		for (i = 0; i < 3; i++)
			unpin_in_group(test, region[i], KUNIT_CGROUP + i, 0, i);
		mutex_lock(&region[busy]->lock);
		KUNIT_EXPECT_EQ(test, 1 + 2 + 3 - (busy + 1), scan(lru, 100, &scanned));
		expect_count(test, 2);
		mutex_unlock(&region[busy]->lock);
		KUNIT_EXPECT_EQ(test, busy + 1, ashmem_purge_all(lru));
		expect_punch(test, 0, region[busy], 0, busy);
		expect_count(test, 1);
		for (i = 0; i < 3; i++)
			pin_in_group(test, region[i]);
	}
}

static void pin_the_rest(struct kunit *test, struct store *store)
{
	if (store->picks == 2)
		KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, pin(store->region, 600, 1999));
}

static void pin_the_middle(struct kunit *test, struct store *store)
{
	if (store->picks == 2)
		KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, pin(store->region, 700, 800));
}

static void pin_behind(struct kunit *test, struct store *store)
{
	if (store->picks == 2)
		KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, pin(store->region, 0, 99));
}

static void unpin_again(struct kunit *test, struct store *store)
{
	if (store->picks == 2)
		unpin(test, store->region, 0, 0);
}

/* Between two steps of a purge of 2000 pages something happens to them. */
static const struct middle_case {
	const char *name;
	void (*on_pick)(struct kunit *test, struct store *store);
	unsigned int count;
	struct {
		unsigned long first;
		unsigned long last;
	} punches[5];
} middle_cases[] = {
	{ "nothing", NULL, 4, { { 0, 511 }, { 512, 1023 }, { 1024, 1535 }, { 1536, 1999 } } },
	{ "pin the rest", pin_the_rest, 2, { { 0, 511 }, { 512, 599 } } },
	{ "pin in the middle", pin_the_middle, 5,
	  { { 0, 511 }, { 512, 699 }, { 801, 1312 }, { 1313, 1824 }, { 1825, 1999 } } },
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

static void purge_middle_test(struct kunit *test)
{
	const struct middle_case *c = test->param_value;
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct store *store = test->priv;
	unsigned long scanned = 0;
	int by_shrinker;
	unsigned int i;

	store->on_pick = c->on_pick;
	for (by_shrinker = 0; by_shrinker <= 1; by_shrinker++) {
		store->region = region_new(test, lru, 2000);
		store->picks = 0;
		unpin(test, store->region, 0, 1999);
		if (by_shrinker)
			scan(lru, 4000, &scanned);
		else
			KUNIT_EXPECT_EQ(test, 2000, ashmem_purge_all(lru));
		/*
		 * What is unpinned meanwhile need not be purged by a command:
		 * it leaves when it has taken as much as there was.
		 */
		for (i = 0; i < c->count - (c->on_pick == unpin_again && !by_shrinker); i++)
			expect_punch(test, i, store->region, c->punches[i].first,
				     c->punches[i].last);
		expect_count(test, i);
		pin(store->region, 0, 1999);
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

	pinner->ret = pin(pinner->region, 0, 9);
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

/* While the store frees: who pins there waits, who pins elsewhere doesn't. */
static void pin_by_others(struct kunit *test, struct store *store)
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

static void purge_blocks_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct store *store = test->priv;

	store->region = region_new(test, lru, 10);
	store->other = region_new(test, lru, 10);
	unpin(test, store->region, 0, 9);
	unpin(test, store->other, 0, 9);
	store->on_punch = pin_by_others;
	ashmem_purge_all(lru);
	wait_for_completion(&same.done);
	expect_punch(test, 0, store->region, 0, 9);
	expect_count(test, 1);
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, same.ret);
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, elsewhere.ret);
}

/* The true store: only what was in memory is freed, and it is. */
static void purge_shmem_test(struct kunit *test)
{
	static const unsigned int filled[] = { 2, 3, 7, 12 };
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = region_new(test, lru, 20);
	unsigned long scanned;
	unsigned int i;

	kunit_deactivate_static_stub(test, ashmem_backing_punch);
	kunit_deactivate_static_stub(test, ashmem_backing_hole);
	for (i = 0; i < ARRAY_SIZE(filled); i++) {
		struct page *page = shmem_read_mapping_page(region->backing->f_mapping,
							    filled[i]);

		KUNIT_ASSERT_FALSE(test, IS_ERR(page));
		put_page(page);
	}
	KUNIT_ASSERT_EQ(test, 4, ashmem_backing_resident(region->backing));
	KUNIT_EXPECT_EQ(test, 2, ashmem_backing_hole(region->backing, 0, 19));
	KUNIT_EXPECT_EQ(test, 0, ashmem_backing_hole(region->backing, 2, 19));
	KUNIT_EXPECT_EQ(test, 3, ashmem_backing_hole(region->backing, 4, 6));
	KUNIT_EXPECT_EQ(test, 7, ashmem_backing_hole(region->backing, 13, 19));

	unpin(test, region, 0, 9);
	KUNIT_EXPECT_EQ(test, 3, scan(lru, 10, &scanned));
	KUNIT_EXPECT_EQ(test, 10, scanned);
	KUNIT_EXPECT_EQ(test, 1, ashmem_backing_resident(region->backing));
	KUNIT_EXPECT_EQ(test, 12, ashmem_backing_hole(region->backing, 0, 19));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, pin(region, 0, 9));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, pin(region, 0, 19));
}

static struct kunit_case purge_cases[] = {
	KUNIT_CASE(purge_all_test),
	KUNIT_CASE(purge_steps_test),
	KUNIT_CASE(purge_some_test),
	KUNIT_CASE(purge_neighbours_test),
	KUNIT_CASE(purge_hole_test),
	KUNIT_CASE(purge_frees_nothing_test),
	KUNIT_CASE(purge_without_fs_test),
	KUNIT_CASE(purge_busy_test),
	KUNIT_CASE(purge_busy_group_test),
	KUNIT_CASE_PARAM(purge_middle_test, middle_gen_params),
	KUNIT_CASE(purge_blocks_test),
	KUNIT_CASE(purge_shmem_test),
	{}
};

static struct kunit_suite purge_suite = {
	.name = "ashmem_purge",
	.init = purge_init,
	.test_cases = purge_cases,
};

kunit_test_suite(purge_suite);
