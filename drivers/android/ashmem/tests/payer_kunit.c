// SPDX-License-Identifier: GPL-2.0-only
/*
 * Payers: found by node, listed, and known to the LRU. See memcg_kunit.c for
 * cgroups.
 */

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/nodemask.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/topology.h>

#include "../alloc.h"
#include "../payer.h"
#include "../pin.h"
#include "../purge.h"
#include "fixture.h"

static void move_to_node(struct kunit *test, int nid)
{
	KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(current, cpumask_of_node(nid)));
	KUNIT_ASSERT_EQ(test, nid, numa_node_id());
}

/* The pages decide the node. Without pages it is the task's. */
static void payer_node_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 10);
	int here = numa_node_id(), there;
	struct page *page;

	if (nr_node_ids == 1 || num_node_state(N_CPU) == 1)
		kunit_skip(test, "one node with processors");
	for_each_node_state(there, N_CPU) {
		if (there != here)
			break;
	}
	page = shmem_read_mapping_page(region->backing->f_mapping, 5);
	KUNIT_ASSERT_FALSE(test, IS_ERR(page));
	KUNIT_ASSERT_EQ(test, here, page_to_nid(page));
	put_page(page);

	move_to_node(test, there);
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 5));
	KUNIT_EXPECT_EQ(test, here, ashmem_kunit_payer(region)->nid);
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 6, 9));
	KUNIT_EXPECT_EQ(test, there, ashmem_kunit_payer(region)->nid);
	KUNIT_EXPECT_EQ(test, 2, ashmem_kunit_payers(region));
	KUNIT_EXPECT_EQ(test, 4, ashmem_kunit_payer(region)->queue.pages);
	KUNIT_EXPECT_EQ(test, 6, list_first_entry(&region->payers, struct ashmem_payer,
						  link)->queue.pages);

	/* It is found, not created again. */
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 5));
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 6, 9));
	KUNIT_EXPECT_EQ(test, 2, ashmem_kunit_payers(region));
	KUNIT_EXPECT_EQ(test, 10, ashmem_kunit_count(lru, NULL));
	KUNIT_EXPECT_EQ(test, 10, ashmem_purge_all(lru));
}

/* The LRU is updated with the first pages, then only when an eighth is added. */
static void payer_told_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 1000);
	const struct ashmem_lru_entry *entry;
	unsigned long page, told, changes = 0, key;

	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 15));
	entry = &ashmem_kunit_payer(region)->entry;
	key = entry->key;
	KUNIT_EXPECT_EQ(test, 16, entry->pages);
	ashmem_kunit_next_tick();
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 16, 16));
	KUNIT_EXPECT_EQ(test, 17 + 17 / 8, entry->pages);
	told = entry->pages;
	for (page = 17; page < 500; page++) {
		KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, page, page));
		KUNIT_ASSERT_GE(test, entry->pages, page + 1);
		KUNIT_ASSERT_LE(test, entry->pages, (page + 1) * 9 / 8);
		changes += told != entry->pages;
		told = entry->pages;
	}
	KUNIT_EXPECT_LT(test, changes, 40);
	KUNIT_EXPECT_EQ(test, told, ashmem_kunit_count(lru, NULL));

	/* Fewer pages, even 0, or as many as before update nothing. */
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(region, 0, 999));
	KUNIT_EXPECT_EQ(test, told, entry->pages);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 499));
	KUNIT_EXPECT_EQ(test, told, entry->pages);
	KUNIT_EXPECT_EQ(test, key, entry->key);

	/* A purge corrects it. */
	KUNIT_EXPECT_EQ(test, 500, ashmem_purge_all(lru));
	KUNIT_EXPECT_EQ(test, 0, entry->pages);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, NULL));
}

/* A region may be larger than what an entry can count. */
static void payer_huge_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 2 * ASHMEM_LRU_PAGES_MAX);
	struct ashmem_pin all = {};

	if (BITS_PER_LONG == 32)
		kunit_skip(test, "no region is so large");
	KUNIT_ASSERT_EQ(test, 0, ashmem_region_unpin(region, &all));
	KUNIT_EXPECT_EQ(test, ASHMEM_LRU_PAGES_MAX, ashmem_kunit_payer(region)->entry.pages);
	KUNIT_EXPECT_EQ(test, 2 * ASHMEM_LRU_PAGES_MAX, region->unpinned.purgeable);
	KUNIT_EXPECT_EQ(test, totalram_pages(), ashmem_kunit_count(lru, NULL));
	KUNIT_EXPECT_EQ(test, 2 * ASHMEM_LRU_PAGES_MAX, ashmem_purge_all(lru));
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, NULL));
}

/* An allocated range may still have the values of another region. */
static struct ashmem_range was;
static struct ashmem_region *changes;

/* While one task allocates, another has done its work. */
static struct ashmem_range *alloc_used(gfp_t gfp)
{
	struct kunit *test = kunit_get_current_test();
	struct ashmem_range *range;

	kunit_deactivate_static_stub(test, ashmem_range_alloc);
	range = ashmem_range_alloc(gfp);
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(changes, 0, 0));
	if (range)
		*range = was;
	return range;
}

/*
 * UNPIN reads the payer from the spare range. A spare that was just allocated, for a PIN
 * that did not use it, must have none.
 */
static void payer_new_spare_test(struct kunit *test)
{
	struct ashmem_region *region = ashmem_kunit_region(test, ashmem_kunit_lru(test), 3);

	was.paid = true;
	changes = region;
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 2));
	KUNIT_ASSERT_NULL(test, region->spare);
	kunit_activate_static_stub(test, ashmem_range_alloc, alloc_used);
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(region, 1, 1));
	KUNIT_ASSERT_NOT_NULL(test, region->spare);
	KUNIT_EXPECT_FALSE(test, region->spare->paid);
}

/* close() removes all payers and their pages from the LRU. */
static void payer_close_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 100);
	unsigned int page;

	for (page = 0; page < 100; page += 2)
		KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, page, page));
	KUNIT_EXPECT_GE(test, ashmem_kunit_count(lru, NULL), 50);
	ashmem_kunit_close(test, region);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, NULL));
	KUNIT_EXPECT_TRUE(test, list_empty(&lru->groups));
}

static struct kunit_case payer_cases[] = {
	KUNIT_CASE(payer_node_test),
	KUNIT_CASE(payer_told_test),
	KUNIT_CASE(payer_huge_test),
	KUNIT_CASE(payer_new_spare_test),
	KUNIT_CASE(payer_close_test),
	{}
};

static struct kunit_suite payer_suite = {
	.name = "ashmem_payer",
	.test_cases = payer_cases,
};

kunit_test_suite(payer_suite);
