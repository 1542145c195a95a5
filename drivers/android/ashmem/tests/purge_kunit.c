// SPDX-License-Identifier: GPL-2.0-only
/*
 * Purging: which pages, in which order and steps, and which values are returned.
 */

#include <kunit/static_stub.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>

#include "../alloc.h"
#include "../backing.h"
#include "../oom.h"
#include "../payer.h"
#include "../purge.h"
#include "../stats.h"
#include "fake_store.h"

/* Ranges that a step skips, and entries that a call looks at to find a page. */
#define RANGES_MAX	16
#define LOOKS_MAX	1024

static void unpin(struct kunit *test, struct ashmem_region *region, unsigned long first,
		  unsigned long last)
{
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, first, last));
}

/* The same, younger than all before. */
static void unpin_later(struct kunit *test, struct ashmem_region *region,
			unsigned long first, unsigned long last)
{
	ashmem_kunit_next_tick();
	unpin(test, region, first, last);
}

/*
 * Call the shrinker, and expect that many pages, all in memory, and that many looks at
 * an entry without any.
 */
static void expect_scan_beside(struct kunit *test, struct ashmem_lru *lru,
			       unsigned long nr_to_scan, unsigned long pages,
			       unsigned long looks)
{
	unsigned long scanned;

	KUNIT_EXPECT_EQ(test, pages, ashmem_kunit_scan(lru, NULL, nr_to_scan, &scanned));
	KUNIT_EXPECT_EQ(test, pages + looks, scanned);
}

static void expect_scan(struct kunit *test, struct ashmem_lru *lru, unsigned long nr_to_scan,
			unsigned long pages)
{
	expect_scan_beside(test, lru, nr_to_scan, pages, 0);
}

static void expect_nothing(struct kunit *test, struct ashmem_lru *lru)
{
	unsigned long scanned;

	KUNIT_EXPECT_EQ(test, SHRINK_STOP, ashmem_kunit_scan(lru, NULL, 100, &scanned));
}

static void purge_all_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *a = ashmem_kunit_region(test, lru, 100);
	struct ashmem_region *b = ashmem_kunit_region(test, lru, 100);
	struct fake_store *store = test->priv;

	KUNIT_EXPECT_EQ(test, 0, ashmem_purge_all(lru));
	fake_store_expect_count(test, 0);

	/* The order alternates between regions. */
	unpin(test, a, 10, 19);
	unpin_later(test, b, 50, 99);
	unpin_later(test, a, 0, 4);
	unpin_later(test, b, 0, 0);
	KUNIT_EXPECT_EQ(test, 10 + 50 + 5 + 1, ashmem_purge_all(lru));
	KUNIT_EXPECT_FALSE(test, store->punches[0].reclaim);
	fake_store_expect(test, 0, a, 10, 19);
	fake_store_expect(test, 1, b, 50, 99);
	fake_store_expect(test, 2, a, 0, 4);
	fake_store_expect(test, 3, b, 0, 0);
	fake_store_expect_count(test, 4);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, NULL));

	/* Purged pages are not purged again. */
	KUNIT_EXPECT_EQ(test, 0, ashmem_purge_all(lru));
	fake_store_expect_count(test, 0);

	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(a, 19, 30));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(a, 20, 30));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(a, 19, 19));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(a, 10, 10));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(b, 1, 49));

	/* It may have been written again. */
	unpin(test, b, 60, 60);
	KUNIT_EXPECT_EQ(test, 50, ashmem_purge_all(lru));
	fake_store_expect(test, 0, b, 50, 99);
	fake_store_expect_count(test, 1);
}

/* A shrinker call ends after the wanted pages or one step, whichever is more. */
static void purge_steps_test(struct kunit *test)
{
	static const unsigned int asked[][2] = {
		/* nr_to_scan, and steps that it takes */
		{ 1, 1 }, { STEP, 1 }, { STEP + 1, 2 }, { 3 * STEP, 3 }, { 5000, 4 },
	};
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct fake_store *store = test->priv;
	unsigned int i, step;

	for (i = 0; i <= ARRAY_SIZE(asked); i++) {
		struct ashmem_region *region = ashmem_kunit_region(test, lru, 2000);
		unsigned int steps = 4, pages = 2000;

		unpin(test, region, 0, 1999);
		if (i < ARRAY_SIZE(asked)) {
			steps = asked[i][1];
			pages = min(pages, steps * STEP);
			expect_scan(test, lru, asked[i][0], pages);
			KUNIT_EXPECT_TRUE(test, store->punches[0].reclaim);
		} else {
			KUNIT_EXPECT_EQ(test, 2000, ashmem_purge_all(lru));
		}
		for (step = 0; step < steps; step++)
			fake_store_expect(test, step, region, step * STEP,
					  min((step + 1) * STEP, 2000U) - 1);
		fake_store_expect_count(test, steps);

		/* The rest is the oldest, and is next. */
		if (pages < 2000) {
			expect_scan(test, lru, 1, min(2000U - pages, 1U * STEP));
			fake_store_expect(test, 0, region, pages, min(pages + STEP, 2000U) - 1);
			fake_store_expect_count(test, 1);
		}
		KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 1999, 1999));
		KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 0, 1998));
		ashmem_kunit_close(test, region);
	}
}

/* The shrinker does not take more than that. */
static void purge_some_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 100);
	int i;

	for (i = 9; i >= 0; i--)
		unpin(test, region, i * 10, i * 10 + 4);
	expect_scan(test, lru, 11, 15);
	fake_store_expect(test, 0, region, 90, 94);
	fake_store_expect(test, 1, region, 80, 84);
	fake_store_expect(test, 2, region, 70, 74);
	fake_store_expect_count(test, 3);
	KUNIT_EXPECT_EQ(test, 35, region->unpinned.purgeable);
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(region, 60, 64));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 70, 74));
}

/* Each mapping has a reference to the file, and makes a page cost more. */
static void purge_mapped_test(struct kunit *test)
{
	static const unsigned int expected[][2] = {
		/* references, and pages of a step */
		{ 1, 512 }, { 15, 512 }, { 16, 481 }, { 31, 256 }, { 127, 64 }, { 511, 16 },
		{ 600, 16 },
	};
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		struct ashmem_region *region = ashmem_kunit_region(test, lru, 1000);
		struct file *backing = region->backing;

		unpin(test, region, 0, 999);
		while (file_count(backing) < expected[i][0])
			get_file(backing);
		expect_scan(test, lru, 1, expected[i][1]);
		fake_store_expect(test, 0, region, 0, expected[i][1] - 1);
		fake_store_expect_count(test, 1);
		while (file_count(backing) > 1)
			fput(backing);
		ashmem_kunit_close(test, region);
	}
}

/* Adjacent ranges, in the order in which they were unpinned within one tick. */
static void purge_neighbours_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 1000);
	struct fake_store *store = test->priv;
	int i;

	for (i = 0; i < 8; i++)
		unpin(test, region, i, i);
	ashmem_kunit_same_tick(region);
	/* No more of them than are wanted. */
	expect_scan(test, lru, 3, 3);
	fake_store_expect(test, 0, region, 0, 2);
	fake_store_expect_count(test, 1);
	expect_scan(test, lru, 100, 5);
	fake_store_expect(test, 0, region, 3, 7);
	fake_store_expect_count(test, 1);
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 0, 7));

	/* Not the other way round, and not with a gap. */
	unpin(test, region, 5, 5);
	unpin(test, region, 4, 4);
	unpin(test, region, 6, 6);
	ashmem_kunit_same_tick(region);
	KUNIT_EXPECT_EQ(test, 3, ashmem_purge_all(lru));
	fake_store_expect(test, 0, region, 5, 5);
	fake_store_expect(test, 1, region, 4, 4);
	fake_store_expect(test, 2, region, 6, 6);
	fake_store_expect_count(test, 3);

	/* Not one of another age. */
	unpin(test, region, 10, 10);
	unpin_later(test, region, 11, 11);
	KUNIT_EXPECT_EQ(test, 2, ashmem_purge_all(lru));
	fake_store_expect_count(test, 2);

	/* Not a range that is too large for a step, but one that just fits. */
	for (i = 0; i <= 1; i++) {
		ashmem_kunit_pin(region, 0, 999);
		unpin(test, region, 100, 399);
		unpin(test, region, 400, 99 + STEP + i);
		ashmem_kunit_same_tick(region);
		KUNIT_EXPECT_EQ(test, STEP + i, ashmem_purge_all(lru));
		fake_store_expect(test, 0, region, 100, i ? 399 : 99 + STEP);
		fake_store_expect_count(test, 1 + i);
	}

	/* None after a part of a range. */
	ashmem_kunit_pin(region, 0, 999);
	store->locked = 105;
	store->locked_end = 106;
	unpin(test, region, 0, 109);
	unpin(test, region, 110, 119);
	ashmem_kunit_same_tick(region);
	expect_scan_beside(test, lru, 1000, 119, 1);
	fake_store_expect(test, 0, region, 0, 104);
	fake_store_expect(test, 1, region, 110, 119);
	fake_store_expect(test, 2, region, 106, 109);
	fake_store_expect_count(test, 3);
}

/* Pages that never existed take no steps, and only the command counts them. */
static void purge_hole_test(struct kunit *test)
{
	unsigned long pages = SZ_1G >> PAGE_SHIFT, data = pages / 2;
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, pages);
	struct fake_store *store = test->priv;
	unsigned long scanned;

	store->data = data;
	store->data_end = data + 700;
	unpin(test, region, 0, pages - 1);
	KUNIT_EXPECT_EQ(test, pages, ashmem_purge_all(lru));
	fake_store_expect(test, 0, region, 0, data + STEP - 1);
	fake_store_expect(test, 1, region, data + STEP, pages - 1);
	fake_store_expect_count(test, 2);

	unpin(test, region, 0, pages - 1);
	expect_scan(test, lru, 1, STEP);
	expect_scan(test, lru, 1, 700 - STEP);
	fake_store_expect_count(test, 2);

	/* Swapped-out pages exist, but not in memory. */
	store->swapped = data + 100;
	unpin(test, region, 0, pages - 1);
	KUNIT_EXPECT_EQ(test, 100, ashmem_kunit_scan(lru, NULL, 1000, &scanned));
	KUNIT_EXPECT_EQ(test, 700, scanned);
	fake_store_expect_count(test, 2);

	/* Nothing was there at all. */
	store->data_end = data;
	unpin(test, region, 0, pages - 1);
	expect_nothing(test, lru);
	fake_store_expect(test, 0, region, 0, pages - 1);
	fake_store_expect_count(test, 1);
}

/* Holes don't hide the pages behind them, but a call looks only a limited time. */
static void purge_looks_test(struct kunit *test)
{
	unsigned long scanned, pages = 2 * (LOOKS_MAX + 1), page;
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, pages);
	struct fake_store *store = test->priv;

	/* There are too many punches to record. */
	store->data = pages - 2;
	for (page = 0; page < pages; page += 2)
		unpin(test, region, page, page);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_scan(lru, NULL, 1, &scanned));
	KUNIT_EXPECT_EQ(test, LOOKS_MAX, scanned);
	fake_store_expect_count(test, LOOKS_MAX);
	KUNIT_EXPECT_EQ(test, 1, ashmem_kunit_scan(lru, NULL, 1, &scanned));
	KUNIT_EXPECT_EQ(test, 1, scanned);
	fake_store_expect_count(test, 1);
}

static bool any_node(int nid)
{
	return true;
}

static bool no_node(int nid)
{
	return false;
}

/* Frees @pages, in a call or some more: on a slow machine one has no time for all. */
static unsigned long purge_any(struct kunit *test, struct ashmem_lru *lru, unsigned long pages)
{
	unsigned long freed = 0, step;
	unsigned int calls;

	for (calls = 0; freed < pages && calls < 100; calls++) {
		step = ashmem_purge_any(lru, any_node);
		KUNIT_EXPECT_GE(test, STEP, step);
		freed += step;
	}
	return freed;
}

/* Before a task is killed a step's pages are freed, behind more holes, too. */
static void purge_any_test(struct kunit *test)
{
	unsigned long pages = 2 * (LOOKS_MAX + 1), page, freed;
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, pages);
	struct fake_store *store = test->priv;

	KUNIT_EXPECT_EQ(test, 0, ashmem_purge_any(lru, any_node));
	store->data = pages - 2;
	for (page = 0; page < pages; page += 2)
		unpin(test, region, page, page);
	KUNIT_EXPECT_EQ(test, 1, purge_any(test, lru, 1));
	fake_store_expect_count(test, LOOKS_MAX + 1);
	KUNIT_EXPECT_EQ(test, 0, ashmem_purge_any(lru, any_node));

	store->data = 0;
	for (page = 0; page < pages; page += 2)
		unpin(test, region, page, page);
	freed = purge_any(test, lru, STEP);
	KUNIT_EXPECT_LE(test, STEP, freed);
	fake_store_expect_count(test, freed);

	unpin(test, region, 0, pages - 1);
	KUNIT_EXPECT_EQ(test, 0, ashmem_purge_any(lru, no_node));
	KUNIT_EXPECT_EQ(test, STEP, ashmem_purge_any(lru, any_node));
	fake_store_expect(test, 0, region, 0, STEP - 1);
	fake_store_expect_count(test, 1);
	KUNIT_EXPECT_TRUE(test, store->punches[0].reclaim);

	store->swapped = 0;
	unpin(test, region, 0, pages - 1);
	KUNIT_EXPECT_EQ(test, STEP, ashmem_purge_any(lru, any_node));
}

/* After five seconds of calls a kill is let through, at each call for a while. */
static void purge_put_off_test(struct kunit *test)
{
	unsigned long now = jiffies, start, gap;

	for (gap = 1; gap < HZ; gap += HZ / 4) {
		now += 10 * HZ;
		for (start = now; now - start <= 5 * HZ; now += gap)
			KUNIT_ASSERT_TRUE(test, ashmem_oom_put_off(now));
		for (start = now; now - start <= HZ / 5; now += gap)
			KUNIT_ASSERT_FALSE(test, ashmem_oom_put_off(now));
		for (start = now; now - start <= 5 * HZ; now += gap)
			KUNIT_ASSERT_TRUE(test, ashmem_oom_put_off(now));
		KUNIT_ASSERT_FALSE(test, ashmem_oom_put_off(now));
	}
}

/* An allocation that may hold locks of a file system frees nothing. */
static void purge_without_fs_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 10);
	int nid;

	unpin(test, region, 0, 9);
	for_each_online_node(nid) {
		struct shrink_control sc = {
			.nid = nid, .gfp_mask = GFP_NOFS, .nr_to_scan = 10,
		};

		KUNIT_EXPECT_EQ(test, SHRINK_STOP, ashmem_purge_some(lru, &sc));
		KUNIT_EXPECT_EQ(test, 0, sc.nr_scanned);
	}
	fake_store_expect_count(test, 0);
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(region, 0, 9));
}

/* The task that allocates may hold the lock: the shrinker waits for no page. */
static void purge_locked_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 2000);
	struct ashmem_region *other = ashmem_kunit_region(test, lru, 10);
	struct fake_store *store = test->priv;

	/* A step ends before it. Without memory for a range none begins behind it. */
	store->locked = 700;
	store->locked_end = 710;
	unpin(test, region, 0, 1999);
	kunit_activate_static_stub(test, ashmem_range_alloc, ashmem_kunit_no_range);
	expect_scan_beside(test, lru, 5000, 700, 1);
	fake_store_expect(test, 0, region, 0, STEP - 1);
	fake_store_expect(test, 1, region, STEP, 699);
	fake_store_expect_count(test, 2);
	expect_nothing(test, lru);
	kunit_deactivate_static_stub(test, ashmem_range_alloc);

	/* One look asks for a range, and one finds nothing but the locked pages. */
	expect_scan_beside(test, lru, 5000, 1290, 2);
	fake_store_expect(test, 0, region, 710, 709 + STEP);
	fake_store_expect_count(test, 3);
	KUNIT_EXPECT_EQ(test, 10, region->unpinned.purgeable);
	expect_nothing(test, lru);

	/* Take another region's pages instead. */
	unpin_later(test, other, 0, 9);
	expect_scan_beside(test, lru, 5000, 10, 1);
	fake_store_expect(test, 0, other, 0, 9);
	fake_store_expect_count(test, 1);

	/* A command waits. */
	KUNIT_EXPECT_EQ(test, 10, ashmem_purge_all(lru));
	fake_store_expect(test, 0, region, 700, 709);
	fake_store_expect_count(test, 1);
}

/* Exactly that many ranges that start with a locked page are skipped. */
static void purge_pass_over_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 1000);
	struct fake_store *store = test->priv;
	unsigned int i;

	store->locked_end = 500;
	for (i = 0; i < RANGES_MAX; i++)
		unpin(test, region, 10 * i, 10 * i);
	unpin(test, region, 600, 609);
	ashmem_kunit_same_tick(region);
	expect_nothing(test, lru);
	fake_store_expect_count(test, 0);
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(region, 0, 0));
	expect_scan_beside(test, lru, 100, 10, 1);
	fake_store_expect(test, 0, region, 600, 609);
	fake_store_expect_count(test, 1);
	KUNIT_EXPECT_EQ(test, RANGES_MAX - 1, region->unpinned.purgeable);
}

/* An entry whose oldest range is gone is younger than its key. */
static void purge_lazy_key_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *a = ashmem_kunit_region(test, lru, 10);
	struct ashmem_region *b = ashmem_kunit_region(test, lru, 10);
	const struct ashmem_lru_entry *entry;

	unpin(test, a, 0, 0);
	unpin_later(test, b, 0, 0);
	unpin_later(test, a, 1, 1);
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(a, 0, 0));
	entry = &ashmem_kunit_payer(a)->entry;
	KUNIT_EXPECT_TRUE(test, time_before(entry->key, ashmem_kunit_payer(b)->entry.key));
	expect_scan_beside(test, lru, 1, 1, 1);
	fake_store_expect(test, 0, b, 0, 0);
	fake_store_expect_count(test, 1);
	KUNIT_EXPECT_EQ(test, ashmem_queue_oldest(&ashmem_kunit_payer(a)->queue)->stamp,
			entry->key);

	/* Without pages, it leaves the list at the next look. */
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(a, 0, 9));
	KUNIT_EXPECT_GT(test, entry->pages, 0);
	expect_nothing(test, lru);
	KUNIT_EXPECT_EQ(test, 0, entry->pages);
	fake_store_expect_count(test, 0);
}

static void unpin_meanwhile(struct kunit *test, struct fake_store *store, unsigned int number)
{
	/* Both are more than any purge needs that ends. */
	if (number < PUNCHES_MAX - 2) {
		unpin_later(test, store->region, 20 + number, 20 + number);
		unpin(test, store->other, number, number);
	}
}

/* A command ends with the pages that were unpinned when it started. */
static void purge_later_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct fake_store *store = test->priv;

	store->region = ashmem_kunit_region(test, lru, 100);
	store->other = ashmem_kunit_region(test, lru, 100);
	store->on_punch = unpin_meanwhile;
	unpin(test, store->region, 0, 0);
	unpin(test, store->region, 10, 10);
	unpin(test, store->other, 99, 99);
	KUNIT_EXPECT_EQ(test, 3, ashmem_purge_all(lru));
	fake_store_expect_count(test, 3);
	KUNIT_EXPECT_EQ(test, 3, store->region->unpinned.purgeable);
	KUNIT_EXPECT_EQ(test, 3, store->other->unpinned.purgeable);
}

/* A range may have any age: this one is half of the range of jiffies old. */
static void purge_old_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 10);

	unpin(test, region, 0, 0);
	spin_lock(&region->lock);
	ashmem_queue_oldest(&ashmem_kunit_payer(region)->queue)->stamp += LONG_MAX - 5;
	spin_unlock(&region->lock);
	KUNIT_EXPECT_EQ(test, 1, ashmem_purge_all(lru));
}

static long purge_all_killed(struct ashmem_kunit_task *task)
{
	send_sig(SIGKILL, current, 1);
	return ashmem_purge_all(task->lru);
}

static long purge_some_killed(struct ashmem_kunit_task *task)
{
	unsigned long scanned;

	send_sig(SIGKILL, current, 1);
	return ashmem_kunit_scan(task->lru, NULL, 5000, &scanned);
}

static long purge_all(struct ashmem_kunit_task *task)
{
	return ashmem_purge_all(task->lru);
}

static long purge_some(struct ashmem_kunit_task *task)
{
	unsigned long scanned;

	return ashmem_kunit_scan(task->lru, NULL, 5000, &scanned);
}

static void kill_current(struct kunit *test, struct fake_store *store, unsigned int number)
{
	send_sig(SIGKILL, current, 1);
}

/* A killed task takes no further step. */
static void purge_killed_test(struct kunit *test)
{
	static const struct {
		long (*call)(struct ashmem_kunit_task *task);
		void (*on_punch)(struct kunit *test, struct fake_store *store,
				 unsigned int number);
		unsigned int steps;
		long ret;
	} cases[] = {
		{ purge_all_killed, NULL, 0, -EINTR },
		{ purge_some_killed, NULL, 0, SHRINK_STOP },
		{ purge_all, kill_current, 1, -EINTR },
		{ purge_some, kill_current, 1, STEP },
	};
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 2000);
	struct fake_store *store = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ashmem_kunit_task *task = &store->task[i];

		unpin(test, region, 0, 1999);
		store->on_punch = cases[i].on_punch;
		task->call = cases[i].call;
		task->lru = lru;
		if (!ashmem_kunit_start(test, task))
			return;
		KUNIT_EXPECT_TRUE(test, ashmem_kunit_is_done(task));
		KUNIT_EXPECT_EQ_MSG(test, cases[i].ret, task->ret, "case %u", i);
		fake_store_expect_count(test, cases[i].steps);
		KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_payer(region)->in_flight);
	}
}

/* From here on with the real store. */

static struct page *fill_page(struct kunit *test, struct ashmem_region *region,
			      unsigned long index)
{
	struct page *page = shmem_read_mapping_page(region->backing->f_mapping, index);

	KUNIT_ASSERT_FALSE(test, IS_ERR(page));
	return page;
}

/* A value of sysfs. */
static long stat(struct kunit *test, const char *name)
{
	struct attribute **attr;
	long value = -1;
	char *buf;

	buf = (char *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (attr = ashmem_stats_groups[0]->attrs; *attr; attr++) {
		struct device_attribute *file =
			container_of(*attr, struct device_attribute, attr);

		if (strcmp((*attr)->name, name))
			continue;
		file->show(NULL, file, buf);
		KUNIT_EXPECT_EQ(test, 0, kstrtol(buf, 10, &value));
	}
	free_page((unsigned long)buf);
	return value;
}

/* Only existing pages are counted, and exactly those in memory are freed. */
static void purge_shmem_test(struct kunit *test)
{
	static const unsigned int filled[] = { 2, 3, 7, 12 };
	static const char * const names[] = { "pressure_purged_pages", "command_purged_pages" };
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	unsigned long scanned;
	unsigned int i, by_command;

	fake_store_end(test);
	for (by_command = 0; by_command <= 1; by_command++) {
		struct ashmem_region *region = ashmem_kunit_region(test, lru, 1000);
		long purgeable = stat(test, "purgeable_pages"), pins = stat(test, "purged_pins");
		long purged[] = { stat(test, names[0]), stat(test, names[1]) };

		for (i = 0; i < ARRAY_SIZE(filled); i++)
			put_page(fill_page(test, region, filled[i]));
		unpin(test, region, 0, 9);
		KUNIT_EXPECT_EQ(test, purgeable + 4, stat(test, "purgeable_pages"));
		if (by_command) {
			KUNIT_EXPECT_EQ(test, 10, ashmem_purge_all(lru));
		} else {
			KUNIT_EXPECT_EQ(test, 3, ashmem_kunit_scan(lru, NULL, 10, &scanned));
			KUNIT_EXPECT_EQ(test, 3, scanned);
		}
		KUNIT_EXPECT_EQ(test, 1, ashmem_backing_resident(region->backing));
		KUNIT_EXPECT_EQ(test, purgeable, stat(test, "purgeable_pages"));
		purged[by_command] += 3;
		KUNIT_EXPECT_EQ(test, purged[0], stat(test, names[0]));
		KUNIT_EXPECT_EQ(test, purged[1], stat(test, names[1]));
		KUNIT_EXPECT_EQ(test, pins, stat(test, "purged_pins"));
		KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 0, 9));
		KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(region, 0, 19));
		KUNIT_EXPECT_EQ(test, pins + 1, stat(test, "purged_pins"));

		/* Pages of a closed region are not purgeable any more. */
		unpin(test, region, 0, 999);
		KUNIT_EXPECT_EQ(test, purgeable + 1, stat(test, "purgeable_pages"));
		ashmem_kunit_close(test, region);
		KUNIT_EXPECT_EQ(test, purgeable, stat(test, "purgeable_pages"));
	}
}

/* If the shrinker waited for the page's lock, this test would never end. */
static void purge_shmem_locked_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 100);
	struct page *page;

	fake_store_end(test);
	put_page(fill_page(test, region, 2));
	put_page(fill_page(test, region, 60));
	page = fill_page(test, region, 40);
	unpin(test, region, 0, 99);
	lock_page(page);
	expect_scan_beside(test, lru, 100, 2, 2);
	KUNIT_EXPECT_EQ(test, 1, region->unpinned.purgeable);
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 41, 99));
	expect_nothing(test, lru);
	unlock_page(page);
	put_page(page);
	expect_scan(test, lru, 100, 1);
	KUNIT_EXPECT_EQ(test, 0, ashmem_backing_resident(region->backing));
}

/* What a survey says of pages at 2, 3, 7 and 12. */
static void purge_survey_test(struct kunit *test)
{
	static const struct {
		unsigned long first, last, max, end, pages;
	} cases[] = {
		{ 0, 19, 9, 19, 4 }, { 0, 1, 9, 1, 0 }, { 2, 3, 9, 3, 2 }, { 4, 6, 9, 6, 0 },
		{ 13, 19, 9, 19, 0 }, { 3, 12, 9, 12, 3 },
		/* It extends to the next existing page. */
		{ 0, 19, 1, 2, 1 }, { 0, 19, 2, 6, 2 }, { 0, 19, 3, 11, 3 }, { 0, 19, 4, 19, 4 },
		{ 3, 10, 1, 6, 1 }, { 3, 10, 2, 10, 2 },
	};
	struct ashmem_region *region = ashmem_kunit_region(test, ashmem_kunit_lru(test), 20);
	struct ashmem_survey survey;
	struct page *page;
	unsigned int i;

	fake_store_end(test);
	put_page(fill_page(test, region, 2));
	put_page(fill_page(test, region, 3));
	put_page(fill_page(test, region, 12));
	page = fill_page(test, region, 7);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		KUNIT_EXPECT_TRUE(test, ashmem_backing_survey(region->backing, cases[i].first,
							      cases[i].last, cases[i].max,
							      false, &survey));
		KUNIT_EXPECT_EQ_MSG(test, cases[i].end, survey.last, "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, cases[i].pages, survey.pages, "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, cases[i].pages, survey.resident, "case %u", i);
	}
	lock_page(page);
	KUNIT_EXPECT_TRUE(test, ashmem_backing_survey(region->backing, 0, 19, 9, false, &survey));
	KUNIT_EXPECT_EQ(test, 6, survey.last);
	KUNIT_EXPECT_EQ(test, 2, survey.pages);
	KUNIT_EXPECT_FALSE(test, ashmem_backing_survey(region->backing, 4, 19, 9, false, &survey));
	KUNIT_EXPECT_EQ(test, 7, survey.final);
	KUNIT_EXPECT_TRUE(test, ashmem_backing_survey(region->backing, 4, 6, 9, false, &survey));
	KUNIT_EXPECT_TRUE(test, ashmem_backing_survey(region->backing, 4, 19, 9, true, &survey));
	KUNIT_EXPECT_EQ(test, 19, survey.last);
	KUNIT_EXPECT_EQ(test, 2, survey.pages);
	unlock_page(page);
	put_page(page);
}

static void clear_mapping(void *data)
{
	struct address_space *mapping = data;
	struct page *page;
	unsigned long index;

	xa_for_each(&mapping->i_pages, index, page) {
		if (!xa_is_value(page))
			__free_pages(page, compound_order(page));
	}
	xa_destroy(&mapping->i_pages);
}

/* An interval, the pages of a step, and what the survey says. */
struct survey_case {
	unsigned long first, last, max, end, pages, resident;
};

static void expect_surveys(struct kunit *test, struct file *file,
			   const struct survey_case *cases, unsigned int count)
{
	struct ashmem_survey survey;
	unsigned int i;

	for (i = 0; i < count; i++) {
		KUNIT_EXPECT_TRUE(test, ashmem_backing_survey(file, cases[i].first, cases[i].last,
							      cases[i].max, false, &survey));
		KUNIT_EXPECT_EQ_MSG(test, cases[i].end, survey.last, "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, cases[i].pages, survey.pages, "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, cases[i].resident, survey.resident, "case %u", i);
	}
}

static void store_order(struct kunit *test, struct xarray *pages, unsigned long index,
			unsigned int order, void *entry)
{
	XA_STATE_ORDER(xas, pages, index, order);

	xas_lock(&xas);
	xas_store(&xas, entry);
	xas_unlock(&xas);
	KUNIT_ASSERT_EQ(test, 0, xas_error(&xas));
}

/* What it says of swapped out pages, and of a folio of eight at page 8. */
static void purge_survey_folio_test(struct kunit *test)
{
	static const struct survey_case cases[] = {
		{ 0, 31, 100, 31, 10, 9 }, { 0, 7, 100, 7, 1, 0 }, { 0, 31, 9, 15, 9, 8 },
		/*
		 * A folio that is too large is not started, unless it is the whole step.
		 */
		{ 0, 31, 8, 7, 1, 0 }, { 2, 31, 1, 15, 8, 8 }, { 2, 31, 8, 15, 8, 8 },
		/* The caller's interval may begin and end in the middle of it. */
		{ 10, 31, 100, 31, 7, 7 }, { 0, 11, 100, 11, 5, 4 }, { 10, 11, 1, 11, 2, 2 },
	};
	/* With four pages at page 20 that are swapped out as one. */
	static const struct survey_case swapped[] = {
		{ 17, 31, 100, 31, 4, 0 }, { 20, 23, 2, 23, 4, 0 }, { 16, 31, 4, 19, 1, 1 },
		/* Parts of it are like holes: none is freed without the others. */
		{ 21, 31, 100, 31, 0, 0 }, { 16, 22, 100, 22, 1, 1 }, { 21, 22, 1, 22, 0, 0 },
	};
	struct address_space *mapping = kunit_kzalloc(test, sizeof(*mapping), GFP_KERNEL);
	struct file *file = kunit_kzalloc(test, sizeof(*file), GFP_KERNEL);
	struct page *large, *small;

	fake_store_end(test);
	if (!IS_ENABLED(CONFIG_XARRAY_MULTI))
		kunit_skip(test, "no large folios");
	KUNIT_ASSERT_NOT_NULL(test, mapping);
	KUNIT_ASSERT_NOT_NULL(test, file);
	file->f_mapping = mapping;
	xa_init(&mapping->i_pages);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, clear_mapping, mapping));
	KUNIT_ASSERT_NULL(test, xa_store(&mapping->i_pages, 1, xa_mk_value(1), GFP_KERNEL));
	small = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, small);
	KUNIT_ASSERT_NULL(test, xa_store(&mapping->i_pages, 16, small, GFP_KERNEL));
	large = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
	KUNIT_ASSERT_NOT_NULL(test, large);
	store_order(test, &mapping->i_pages, 8, 3, large);
	expect_surveys(test, file, cases, ARRAY_SIZE(cases));

	store_order(test, &mapping->i_pages, 20, 2, xa_mk_value(2));
	expect_surveys(test, file, swapped, ARRAY_SIZE(swapped));
}

static struct kunit_case purge_cases[] = {
	KUNIT_CASE(purge_all_test),
	KUNIT_CASE(purge_steps_test),
	KUNIT_CASE(purge_some_test),
	KUNIT_CASE(purge_mapped_test),
	KUNIT_CASE(purge_neighbours_test),
	KUNIT_CASE(purge_hole_test),
	KUNIT_CASE(purge_looks_test),
	KUNIT_CASE(purge_any_test),
	KUNIT_CASE(purge_put_off_test),
	KUNIT_CASE(purge_without_fs_test),
	KUNIT_CASE(purge_locked_test),
	KUNIT_CASE(purge_pass_over_test),
	KUNIT_CASE(purge_lazy_key_test),
	KUNIT_CASE(purge_later_test),
	KUNIT_CASE(purge_old_test),
	KUNIT_CASE(purge_killed_test),
	KUNIT_CASE(purge_shmem_test),
	KUNIT_CASE(purge_shmem_locked_test),
	KUNIT_CASE(purge_survey_test),
	KUNIT_CASE(purge_survey_folio_test),
	{}
};

static struct kunit_suite purge_suite = {
	.name = "ashmem_purge",
	.init = fake_store_init,
	.exit = fake_store_exit,
	.test_cases = purge_cases,
};

kunit_test_suite(purge_suite);
