// SPDX-License-Identifier: GPL-2.0
/*
 * Purging: which pages, in what order and steps, and what is said of it.
 */

#include <kunit/static_stub.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>

#include "fake_store.h"

static void purge_all_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *a = fake_store_region(test, lru, 100);
	struct ashmem_region *b = fake_store_region(test, lru, 100);

	KUNIT_EXPECT_EQ(test, 0, ashmem_purge_all(lru));
	fake_store_expect_count(test, 0);

	ashmem_kunit_unpin(test, a, 10, 19);
	ashmem_kunit_unpin(test, b, 50, 99);
	ashmem_kunit_unpin(test, a, 0, 4);
	ashmem_kunit_unpin(test, b, 0, 0);
	KUNIT_EXPECT_EQ(test, 10 + 50 + 5 + 1, ashmem_purge_all(lru));
	fake_store_expect(test, 0, a, 10, 19);
	fake_store_expect(test, 1, b, 50, 99);
	fake_store_expect(test, 2, a, 0, 4);
	fake_store_expect(test, 3, b, 0, 0);
	fake_store_expect_count(test, 4);
	KUNIT_EXPECT_EQ(test, 0, ashmem_lru_pages(lru));

	/* What is gone isn't purged again. */
	KUNIT_EXPECT_EQ(test, 0, ashmem_purge_all(lru));
	fake_store_expect_count(test, 0);

	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(a, 19, 30));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(a, 20, 30));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(a, 19, 19));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(a, 10, 10));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(b, 1, 49));

	/* It may have been written again. */
	ashmem_kunit_unpin(test, b, 60, 60);
	KUNIT_EXPECT_EQ(test, 50, ashmem_purge_all(lru));
	fake_store_expect(test, 0, b, 50, 99);
	fake_store_expect_count(test, 1);
}

/* One step takes no more than STEP, so that a PIN needn't wait for all. */
static void purge_steps_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = fake_store_region(test, lru, 2000);
	unsigned long scanned;
	int by_shrinker;

	for (by_shrinker = 0; by_shrinker <= 1; by_shrinker++) {
		ashmem_kunit_unpin(test, region, 0, 1999);
		if (by_shrinker) {
			/* A range that was begun is gone through with. */
			KUNIT_EXPECT_EQ(test, 2000, ashmem_kunit_scan(lru, 1, &scanned));
			KUNIT_EXPECT_EQ(test, 2000, scanned);
		} else {
			KUNIT_EXPECT_EQ(test, 2000, ashmem_purge_all(lru));
		}
		fake_store_expect(test, 0, region, 0, STEP - 1);
		fake_store_expect(test, 1, region, STEP, 2 * STEP - 1);
		fake_store_expect(test, 2, region, 2 * STEP, 3 * STEP - 1);
		fake_store_expect(test, 3, region, 3 * STEP, 1999);
		fake_store_expect_count(test, 4);
		KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 0, 1999));
	}
}

/* They end where huge pages do, so that shmem needn't split those. */
static void purge_aligned_steps_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = fake_store_region(test, lru, 4000);
	struct fake_store *store = test->priv;

	ashmem_kunit_unpin(test, region, 1, 1999);
	KUNIT_EXPECT_EQ(test, 1999, ashmem_purge_all(lru));
	fake_store_expect(test, 0, region, 1, STEP - 1);
	fake_store_expect(test, 1, region, STEP, 2 * STEP - 1);
	fake_store_expect(test, 2, region, 2 * STEP, 3 * STEP - 1);
	fake_store_expect(test, 3, region, 3 * STEP, 1999);
	fake_store_expect_count(test, 4);

	/* A hole in front changes nothing about that. */
	ashmem_kunit_pin(region, 0, 3999);
	store->data = 700;
	ashmem_kunit_unpin(test, region, 1, 1999);
	KUNIT_EXPECT_EQ(test, 1999, ashmem_purge_all(lru));
	fake_store_expect(test, 0, region, 1, 2 * STEP - 1);
	fake_store_expect(test, 1, region, 2 * STEP, 3 * STEP - 1);
	fake_store_expect(test, 2, region, 3 * STEP, 1999);
	fake_store_expect_count(test, 3);
}

/* The shrinker leaves what it wasn't asked for. */
static void purge_some_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = fake_store_region(test, lru, 100);
	unsigned long scanned;
	int i;

	for (i = 9; i >= 0; i--)
		ashmem_kunit_unpin(test, region, i * 10, i * 10 + 4);
	KUNIT_EXPECT_EQ(test, 15, ashmem_kunit_scan(lru, 11, &scanned));
	KUNIT_EXPECT_EQ(test, 15, scanned);
	fake_store_expect(test, 0, region, 90, 94);
	fake_store_expect(test, 1, region, 80, 84);
	fake_store_expect(test, 2, region, 70, 74);
	fake_store_expect_count(test, 3);
	KUNIT_EXPECT_EQ(test, 35, ashmem_lru_pages(lru));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(region, 60, 64));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 70, 74));
}

/* Small ranges that lie and were unpinned side by side go in one step. */
static void purge_neighbours_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = fake_store_region(test, lru, 1000);
	struct ashmem_region *other = fake_store_region(test, lru, 10);
	unsigned long scanned;
	int i;

	for (i = 0; i < 8; i++)
		ashmem_kunit_unpin(test, region, i, i);
	KUNIT_EXPECT_EQ(test, 3, ashmem_kunit_scan(lru, 3, &scanned));
	fake_store_expect(test, 0, region, 0, 2);
	fake_store_expect_count(test, 1);
	KUNIT_EXPECT_EQ(test, 5, ashmem_kunit_scan(lru, 100, &scanned));
	fake_store_expect(test, 0, region, 3, 7);
	fake_store_expect_count(test, 1);
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 0, 7));

	/* Not the other way round, not with a gap, not those of another region. */
	ashmem_kunit_unpin(test, region, 5, 5);
	ashmem_kunit_unpin(test, region, 4, 4);
	ashmem_kunit_unpin(test, region, 6, 6);
	ashmem_kunit_unpin(test, other, 7, 7);
	KUNIT_EXPECT_EQ(test, 4, ashmem_purge_all(lru));
	fake_store_expect(test, 0, region, 5, 5);
	fake_store_expect(test, 1, region, 4, 4);
	fake_store_expect(test, 2, region, 6, 6);
	fake_store_expect(test, 3, other, 7, 7);
	fake_store_expect_count(test, 4);

	/* Nor one that is too much for a step. */
	ashmem_kunit_unpin(test, region, 100, 399);
	ashmem_kunit_unpin(test, region, 400, 699);
	KUNIT_EXPECT_EQ(test, 600, ashmem_purge_all(lru));
	fake_store_expect(test, 0, region, 100, 399);
	fake_store_expect(test, 1, region, 400, 699);
	fake_store_expect_count(test, 2);
}

/* Pages that were never there take no steps. */
static void purge_hole_test(struct kunit *test)
{
	unsigned long pages = SZ_2G >> PAGE_SHIFT, data = pages / 2;
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = fake_store_region(test, lru, pages);
	struct fake_store *store = test->priv;

	store->data = data;
	store->data_end = data + 700;
	ashmem_kunit_unpin(test, region, 0, pages - 1);
	KUNIT_EXPECT_EQ(test, pages, ashmem_purge_all(lru));
	fake_store_expect(test, 0, region, 0, data + STEP - 1);
	fake_store_expect(test, 1, region, data + STEP, data + 2 * STEP - 1);
	fake_store_expect(test, 2, region, data + 2 * STEP, pages - 1);
	fake_store_expect_count(test, 3);
}

/* Nothing was freed, but what was asked for was done: no second try, no end of it. */
static void purge_frees_nothing_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = fake_store_region(test, lru, 2000);
	struct fake_store *store = test->priv;
	unsigned long scanned;

	store->fails = true;
	ashmem_kunit_unpin(test, region, 0, 9);
	ashmem_kunit_unpin(test, region, 20, 29);
	ashmem_kunit_unpin(test, region, 40, 1999);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_scan(lru, 15, &scanned));
	KUNIT_EXPECT_EQ(test, 20, scanned);
	fake_store_expect_count(test, 2);
	KUNIT_EXPECT_EQ(test, 1960, ashmem_purge_all(lru));
	fake_store_expect_count(test, 4);
	KUNIT_EXPECT_EQ(test, SHRINK_STOP, ashmem_kunit_scan(lru, 15, &scanned));
	fake_store_expect_count(test, 0);

	/* Some of the pages may be lost all the same. */
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 0, 9));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 1999, 1999));
}

/* From an allocation that holds locks of a file system nothing is freed. */
static void purge_without_fs_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = fake_store_region(test, lru, 10);
	int nid;

	ashmem_kunit_unpin(test, region, 0, 9);
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

/*
 * From here on with the true store.
 */
static void use_shmem(struct kunit *test)
{
	kunit_deactivate_static_stub(test, ashmem_backing_punch);
	kunit_deactivate_static_stub(test, ashmem_backing_hole);
	kunit_deactivate_static_stub(test, ashmem_backing_locked);
}

static struct page *fill_page(struct kunit *test, struct ashmem_region *region,
			      unsigned long index)
{
	struct page *page = shmem_read_mapping_page(region->backing->f_mapping, index);

	KUNIT_ASSERT_FALSE(test, IS_ERR(page));
	return page;
}

/*
 * A task that allocates may have locked a page of the region that is the oldest.
 * Where the shrinker doesn't look, this test never ends.
 */
static void purge_locked_page_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = fake_store_region(test, lru, 2000);
	struct ashmem_region *other = fake_store_region(test, lru, 10);
	struct page *page, *far;
	unsigned long scanned;
	int i;

	use_shmem(test);
	page = fill_page(test, region, 7);
	far = fill_page(test, region, 1000);
	put_page(fill_page(test, region, 2));
	put_page(fill_page(test, other, 0));

	/* Nothing is taken from a range in part, others take its place. */
	ashmem_kunit_unpin(test, region, 0, 9);
	ashmem_kunit_unpin(test, other, 0, 9);
	lock_page(page);
	KUNIT_EXPECT_EQ(test, 1, ashmem_kunit_scan(lru, 100, &scanned));
	KUNIT_EXPECT_EQ(test, 10, scanned);
	KUNIT_EXPECT_EQ(test, SHRINK_STOP, ashmem_kunit_scan(lru, 100, &scanned));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(region, 0, 9));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(other, 0, 9));

	/* Nor does it go along with the one in front of it. */
	for (i = 0; i < 10; i += 5)
		ashmem_kunit_unpin(test, region, i, i + 4);
	KUNIT_EXPECT_EQ(test, 1, ashmem_kunit_scan(lru, 100, &scanned));
	KUNIT_EXPECT_EQ(test, 5, scanned);
	unlock_page(page);
	KUNIT_EXPECT_EQ(test, 1, ashmem_kunit_scan(lru, 100, &scanned));
	KUNIT_EXPECT_EQ(test, 5, scanned);
	put_page(page);
	ashmem_kunit_pin(region, 0, 9);

	/* Steps in front of it can be taken, and a hole is none of it. */
	put_page(fill_page(test, region, 2));
	ashmem_kunit_unpin(test, region, 0, 1999);
	lock_page(far);
	KUNIT_EXPECT_EQ(test, 1, ashmem_kunit_scan(lru, 5000, &scanned));
	KUNIT_EXPECT_EQ(test, STEP, scanned);
	unlock_page(far);
	put_page(far);
	KUNIT_EXPECT_EQ(test, 1, ashmem_kunit_scan(lru, 5000, &scanned));
	KUNIT_EXPECT_EQ(test, 2000 - STEP, scanned);
}

/* The true store: only what was in memory is freed, and it is. */
static void purge_shmem_test(struct kunit *test)
{
	static const unsigned int filled[] = { 2, 3, 7, 12 };
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = fake_store_region(test, lru, 20);
	unsigned long scanned;
	unsigned int i;

	use_shmem(test);
	for (i = 0; i < ARRAY_SIZE(filled); i++)
		put_page(fill_page(test, region, filled[i]));
	KUNIT_ASSERT_EQ(test, 4, ashmem_backing_resident(region->backing));
	KUNIT_EXPECT_EQ(test, 2, ashmem_backing_hole(region->backing, 0, 19));
	KUNIT_EXPECT_EQ(test, 0, ashmem_backing_hole(region->backing, 2, 19));
	KUNIT_EXPECT_EQ(test, 3, ashmem_backing_hole(region->backing, 4, 6));
	KUNIT_EXPECT_EQ(test, 7, ashmem_backing_hole(region->backing, 13, 19));

	ashmem_kunit_unpin(test, region, 0, 9);
	KUNIT_EXPECT_EQ(test, 3, ashmem_kunit_scan(lru, 10, &scanned));
	KUNIT_EXPECT_EQ(test, 10, scanned);
	KUNIT_EXPECT_EQ(test, 1, ashmem_backing_resident(region->backing));
	KUNIT_EXPECT_EQ(test, 12, ashmem_backing_hole(region->backing, 0, 19));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 0, 9));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(region, 0, 19));
}

static struct kunit_case purge_cases[] = {
	KUNIT_CASE(purge_all_test),
	KUNIT_CASE(purge_steps_test),
	KUNIT_CASE(purge_aligned_steps_test),
	KUNIT_CASE(purge_some_test),
	KUNIT_CASE(purge_neighbours_test),
	KUNIT_CASE(purge_hole_test),
	KUNIT_CASE(purge_frees_nothing_test),
	KUNIT_CASE(purge_without_fs_test),
	KUNIT_CASE(purge_locked_page_test),
	KUNIT_CASE(purge_shmem_test),
	{}
};

static struct kunit_suite purge_suite = {
	.name = "ashmem_purge",
	.init = fake_store_init,
	.test_cases = purge_cases,
};

kunit_test_suite(purge_suite);
