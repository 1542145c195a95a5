// SPDX-License-Identifier: GPL-2.0
/*
 * The groups of the LRU: found, held and put, listed by node.
 */

#include <linux/cpumask.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/topology.h>

#include "fixture.h"

/* Groups are told apart by both numbers, and found again while they live. */
static void group_find_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_lru_group *one = ashmem_kunit_group_of(test, lru, KUNIT_CGROUP, 0);
	struct ashmem_lru_group *held = NULL;
	int nid = first_online_node;

	KUNIT_EXPECT_PTR_EQ(test, one, ashmem_kunit_group_of(test, lru, KUNIT_CGROUP, 0));
	KUNIT_EXPECT_EQ(test, 2, refcount_read(&one->refs));
	KUNIT_EXPECT_PTR_NE(test, one, ashmem_kunit_group_of(test, lru, KUNIT_CGROUP + 1, 0));
	KUNIT_EXPECT_PTR_NE(test, one, ashmem_kunit_group_of(test, lru, KUNIT_CGROUP, 1));
	/* One chain of the table. */
	KUNIT_EXPECT_PTR_NE(test, one,
			    ashmem_kunit_group_of(test, lru, KUNIT_CGROUP + BIT_ULL(32), 0));

	/* A region that goes from group to group has one reference, of the last. */
	KUNIT_ASSERT_EQ(test, 0, ashmem_lru_change_group(lru, &held, KUNIT_CGROUP, 0));
	KUNIT_EXPECT_PTR_EQ(test, one, held);
	KUNIT_EXPECT_EQ(test, 3, refcount_read(&one->refs));
	KUNIT_ASSERT_EQ(test, 0, ashmem_lru_change_group(lru, &held, KUNIT_CGROUP, 0));
	KUNIT_EXPECT_EQ(test, 3, refcount_read(&one->refs));
	KUNIT_ASSERT_EQ(test, 0, ashmem_lru_change_group(lru, &held, KUNIT_CGROUP + 9, nid));
	KUNIT_EXPECT_EQ(test, 2, refcount_read(&one->refs));
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&held->refs));
	ashmem_lru_group_put(held);
}

/* Each group that has something to give is found once, and no other. */
static void group_get_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru);
	struct ashmem_lru_group *groups[4], *group;
	struct ashmem_range *r[4];
	unsigned int seen[4] = {}, skip, i;
	int nid;

	for (i = 0; i < 4; i++) {
		groups[i] = ashmem_kunit_group_of(test, lru, KUNIT_CGROUP + i, 0);
		r[i] = ashmem_kunit_range(test, region, 1);
		ashmem_lru_add(groups[i], r[i]);
	}
	ashmem_lru_del(r[2]);

	for_each_online_node(nid) {
		struct shrink_control sc = { .nid = nid };

		for (skip = 0; (group = ashmem_lru_get_group(lru, &sc, skip)); skip++) {
			for (i = 0; i < 4; i++)
				seen[i] += group == groups[i];
			KUNIT_EXPECT_EQ(test, 3, refcount_read(&group->refs));
			ashmem_lru_group_put(group);
			KUNIT_ASSERT_LT(test, skip, 4);
		}
	}
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, i != 2, seen[i]);
		if (i != 2)
			ashmem_lru_del(r[i]);
	}
}

/* A group that a count found empty is off its node's list, and comes back. */
static void group_emptied_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_lru_group *group = ashmem_kunit_group(test, lru);
	struct ashmem_range *range = ashmem_kunit_range(test, ashmem_kunit_region(test, lru), 7);
	int i;

	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_TRUE(test, list_empty(&group->link));
		ashmem_lru_add(group, range);
		KUNIT_EXPECT_FALSE(test, list_empty(&group->link));
		KUNIT_EXPECT_EQ(test, 7, ashmem_kunit_count(lru, NULL));
		ashmem_lru_del(range);
		/* It may be wanted again at once, so it stays till it is counted. */
		KUNIT_EXPECT_FALSE(test, list_empty(&group->link));
		KUNIT_EXPECT_NULL(test, ashmem_lru_next_group(lru, NULL));
		KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, NULL));
	}
}

/* What is unpinned on a node is counted there and nowhere else. */
static void group_nodes_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru);
	struct ashmem_range *range = ashmem_kunit_range(test, region, 3);
	unsigned int nodes = 0;
	int nid, other;

	if (num_online_nodes() == 1)
		kunit_skip(test, "one node of memory");
	for_each_node_state(nid, N_CPU) {
		struct ashmem_lru_group *group = NULL;

		KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(current, cpumask_of_node(nid)));
		KUNIT_ASSERT_EQ(test, nid, numa_node_id());
		KUNIT_ASSERT_EQ(test, 0, ashmem_lru_current_group(lru, &group));
		KUNIT_EXPECT_EQ(test, nid, group->nid);
		ashmem_lru_add(group, range);
		for_each_online_node(other) {
			struct shrink_control sc = { .nid = other };

			KUNIT_EXPECT_EQ(test, other == nid ? 3 : 0, ashmem_lru_count(lru, &sc));
		}
		ashmem_lru_del(range);
		ashmem_lru_group_put(group);
		nodes++;
	}
	KUNIT_EXPECT_GE(test, nodes, 2);
	KUNIT_EXPECT_EQ(test, 0, set_cpus_allowed_ptr(current, cpu_possible_mask));
}

static struct kunit_case group_cases[] = {
	KUNIT_CASE(group_find_test),
	KUNIT_CASE(group_get_test),
	KUNIT_CASE(group_emptied_test),
	KUNIT_CASE(group_nodes_test),
	{}
};

static struct kunit_suite group_suite = {
	.name = "ashmem_group",
	.test_cases = group_cases,
};

kunit_test_suite(group_suite);
