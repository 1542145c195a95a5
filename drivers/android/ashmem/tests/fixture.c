// SPDX-License-Identifier: GPL-2.0
/*
 * What the suites share.
 */

#include <kunit/test-bug.h>
#include <linux/moduleparam.h>
#include <linux/nodemask.h>
#include <linux/random.h>
#include <linux/shrinker.h>

#include "fixture.h"
#include "../compat/shrinker.h"

static unsigned long long seed;
module_param_named(kunit_seed, seed, ullong, 0444);
MODULE_PARM_DESC(kunit_seed, "seed of the random tests, 0 for one that differs each time");

static void free_shrinker(void *shrinker)
{
	compat_shrinker_free(shrinker);
}

static void end_lru(void *lru)
{
	struct kunit *test = kunit_get_current_test();

	KUNIT_EXPECT_TRUE_MSG(test, hash_empty(((struct ashmem_lru *)lru)->known),
			      "a group was left behind");
	ashmem_lru_exit(lru);
}

/**
 * ashmem_kunit_lru - an LRU that nobody else knows of
 * @test: the test, with which it ends; it must be empty then
 */
struct ashmem_lru *ashmem_kunit_lru(struct kunit *test)
{
	struct ashmem_lru *lru = kunit_kzalloc(test, sizeof(*lru), GFP_KERNEL);
	/* Never registered: it only lends its number to the lists. */
	struct shrinker *shrinker = compat_shrinker_alloc("ashmem-kunit");

	KUNIT_ASSERT_NOT_NULL(test, shrinker);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_shrinker, shrinker));
	KUNIT_ASSERT_NOT_NULL(test, lru);
	KUNIT_ASSERT_EQ(test, 0, ashmem_lru_init(lru, shrinker));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, end_lru, lru));
	return lru;
}

static void put_group(void *group)
{
	ashmem_lru_group_put(group);
}

/**
 * ashmem_kunit_group - the group of the test's own task
 * @test: the test, with which the reference ends
 * @lru: the LRU
 */
struct ashmem_lru_group *ashmem_kunit_group(struct kunit *test, struct ashmem_lru *lru)
{
	struct ashmem_lru_group *group = NULL;

	KUNIT_ASSERT_EQ(test, 0, ashmem_lru_current_group(lru, &group));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_group, group));
	return group;
}

/**
 * ashmem_kunit_group_of - the group of any cgroup and node
 * @test: the test, with which the reference ends
 * @lru: the LRU
 * @cgroup: number of the cgroup, which need not exist
 * @nid: number of the node, which need not exist
 *
 * The kernel has it on the list of where it was allocated, whatever the numbers.
 */
struct ashmem_lru_group *ashmem_kunit_group_of(struct kunit *test, struct ashmem_lru *lru,
					       u64 cgroup, int nid)
{
	struct ashmem_lru_group *group = NULL;

	KUNIT_ASSERT_EQ(test, 0, ashmem_lru_change_group(lru, &group, cgroup, nid));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_group, group));
	return group;
}

/**
 * ashmem_kunit_count - what shrinkers of all nodes would be told
 * @lru: the LRU
 * @memcg: the cgroup, or NULL for the root's
 */
unsigned long ashmem_kunit_count(struct ashmem_lru *lru, struct mem_cgroup *memcg)
{
	unsigned long pages = 0;
	int nid;

	for_each_online_node(nid) {
		struct shrink_control sc = { .nid = nid, .memcg = memcg };

		pages += ashmem_lru_count(lru, &sc);
	}
	return pages;
}

static void close_region(void *region)
{
	ashmem_region_close(region);
}

/**
 * ashmem_kunit_region - a new region
 * @test: the test, with which it is closed
 * @lru: where its ranges are listed
 */
struct ashmem_region *ashmem_kunit_region(struct kunit *test, struct ashmem_lru *lru)
{
	struct ashmem_region *region = ashmem_region_create(lru);

	KUNIT_ASSERT_NOT_NULL(test, region);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, close_region, region));
	return region;
}

/**
 * ashmem_kunit_range - a range that isn't listed
 * @test: the test, with which it ends
 * @region: whose it is
 * @pages: its size; it begins at page 0
 */
struct ashmem_range *ashmem_kunit_range(struct kunit *test, struct ashmem_region *region,
					unsigned long pages)
{
	struct ashmem_range *range = kunit_kzalloc(test, sizeof(*range), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, range);
	range->region = region;
	range->pages.last = pages - 1;
	return range;
}

static struct ashmem_pin pages_of(unsigned long first, unsigned long last)
{
	return (struct ashmem_pin){ first << PAGE_SHIFT, (last - first + 1) << PAGE_SHIFT };
}

/**
 * ashmem_kunit_unpin - UNPIN as a program does
 * @test: the test
 * @region: where
 * @first: first page
 * @last: last page
 */
void ashmem_kunit_unpin(struct kunit *test, struct ashmem_region *region,
			unsigned long first, unsigned long last)
{
	struct ashmem_pin pin = pages_of(first, last);

	KUNIT_ASSERT_EQ(test, 0, ashmem_region_unpin(region, &pin));
}

/**
 * ashmem_kunit_pin - PIN as a program does
 * @region: where
 * @first: first page
 * @last: last page
 *
 * Return: what the ioctl returns.
 */
int ashmem_kunit_pin(struct ashmem_region *region, unsigned long first, unsigned long last)
{
	struct ashmem_pin pin = pages_of(first, last);

	return ashmem_region_pin(region, &pin);
}

/**
 * ashmem_kunit_scan - what shrinkers of all nodes do
 * @lru: the LRU
 * @pages: how many pages they ask for
 * @scanned: set to how many were dealt with
 *
 * Return: how many of them were in memory, or %SHRINK_STOP.
 */
unsigned long ashmem_kunit_scan(struct ashmem_lru *lru, unsigned long pages, unsigned long *scanned)
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

/**
 * ashmem_kunit_seed - begin a random test
 * @test: the test
 * @random: set by the seed
 *
 * Return: the seed, which is printed, too: it makes the test do the same again.
 */
u64 ashmem_kunit_seed(struct kunit *test, struct rnd_state *random)
{
	u64 chosen = seed ?: get_random_u32();

	kunit_info(test, "ashmem_linux.kunit_seed=%llu", chosen);
	prandom_seed_state(random, chosen);
	return chosen;
}
