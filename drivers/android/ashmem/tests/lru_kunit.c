// SPDX-License-Identifier: GPL-2.0-only
/*
 * The LRU: order, counts, which entry is picked, and groups that merge.
 */

#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/topology.h>

#include "fixture.h"

/* Entries of other groups that one walk of a list moves. */
#define MERGE		128

/* Keys from here on wrap around soon, as jiffies do. */
#define KEY		(ULONG_MAX - 2)

/**
 * struct item - what an entry of a test is part of
 * @entry: the entry
 * @holds: how often a reference was taken
 */
struct item {
	struct ashmem_lru_entry entry;
	unsigned int holds;
};

static void hold_item(struct ashmem_lru_entry *entry)
{
	container_of(entry, struct item, entry)->holds++;
}

static struct ashmem_lru *lru_new(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);

	lru->hold = hold_item;
	return lru;
}

static void detach(void *data)
{
	struct item *item = data;

	ashmem_lru_detach(item->entry.group->lru, &item->entry);
}

/* Entries that are attached to one group, or each to its own. */
static struct item *items_new(struct kunit *test, struct ashmem_lru *lru,
			      unsigned int count, bool together, int nid)
{
	struct item *items = kunit_kcalloc(test, count, sizeof(*items), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, items);
	for (i = 0; i < count; i++) {
		struct ashmem_lru_entry *entry = &items[i].entry;

		KUNIT_ASSERT_EQ(test, 0, ashmem_lru_attach(lru, entry, NULL, nid));
		KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, detach, &items[i]));
		/* A listed group is found again. */
		if (together)
			ashmem_lru_update(lru, entry, KEY, 1);
	}
	for (i = 0; together && i < count; i++) {
		KUNIT_ASSERT_PTR_EQ(test, items[0].entry.group, items[i].entry.group);
		ashmem_lru_update(lru, &items[i].entry, KEY, 0);
	}
	return items;
}

/* All entries of a group in the order of a purge. */
static void expect_order(struct kunit *test, struct ashmem_lru_group *group,
			 struct item **items, unsigned int count)
{
	struct ashmem_lru_cursor after = {}, at;
	struct ashmem_lru_entry *entry;
	unsigned int i;

	for (i = 0; (entry = ashmem_lru_pick(group, &after, &at)); i++) {
		struct item *item = container_of(entry, struct item, entry);
		unsigned int holds = item->holds;

		KUNIT_ASSERT_LT(test, i, count);
		KUNIT_ASSERT_PTR_EQ_MSG(test, items[i], item, "at place %u", i);
		KUNIT_EXPECT_TRUE(test, at.valid && at.key == entry->key &&
				  at.place == entry->place);
		after = at;
		KUNIT_EXPECT_EQ(test, 1, group->busy);
		ashmem_lru_put_back(group->lru, entry, entry->key, entry->pages, 0);
		KUNIT_EXPECT_EQ(test, 0, group->busy);
		KUNIT_EXPECT_EQ_MSG(test, 1, holds, "references that were taken");
		item->holds = 0;
	}
	KUNIT_EXPECT_EQ(test, count, i);
}

static void lru_order_test(struct kunit *test)
{
	struct ashmem_lru *lru = lru_new(test);
	struct item *i = items_new(test, lru, 4, true, numa_node_id());
	struct ashmem_lru_group *group = i->entry.group;

	expect_order(test, group, NULL, 0);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, NULL));
	ashmem_lru_update(lru, &i[2].entry, KEY + 4, 1);
	ashmem_lru_update(lru, &i[0].entry, KEY + 2, 2);
	ashmem_lru_update(lru, &i[3].entry, KEY + 3, 3);
	ashmem_lru_update(lru, &i[1].entry, KEY, 4);
	expect_order(test, group, (struct item *[]){ i + 1, i, i + 3, i + 2 }, 4);
	KUNIT_EXPECT_EQ(test, 10, ashmem_kunit_count(lru, NULL));

	/* Another page count does not move an entry, another age does. */
	ashmem_lru_update(lru, &i[0].entry, KEY + 2, 9);
	expect_order(test, group, (struct item *[]){ i + 1, i, i + 3, i + 2 }, 4);
	ashmem_lru_update(lru, &i[0].entry, KEY + 5, 9);
	expect_order(test, group, (struct item *[]){ i + 1, i + 3, i + 2, i }, 4);
	ashmem_lru_update(lru, &i[2].entry, KEY - 1, 1);
	expect_order(test, group, (struct item *[]){ i + 2, i + 1, i + 3, i }, 4);
	KUNIT_EXPECT_EQ(test, 17, ashmem_kunit_count(lru, NULL));

	/* Without pages an entry isn't listed. */
	ashmem_lru_update(lru, &i[1].entry, KEY, 0);
	ashmem_lru_update(lru, &i[1].entry, KEY + 9, 0);
	expect_order(test, group, (struct item *[]){ i + 2, i + 3, i }, 3);
	KUNIT_EXPECT_EQ(test, 13, ashmem_kunit_count(lru, NULL));
	KUNIT_EXPECT_EQ(test, 4, group->refs);
}

/* The user corrects age and page count of a picked entry. */
static void lru_put_back_test(struct kunit *test)
{
	struct ashmem_lru *lru = lru_new(test);
	struct item *i = items_new(test, lru, 2, true, numa_node_id());
	struct ashmem_lru_group *group = i->entry.group;
	struct ashmem_lru_cursor none = {}, at;

	ashmem_lru_update(lru, &i[0].entry, KEY, 5);
	ashmem_lru_update(lru, &i[1].entry, KEY + 4, 5);
	/* Two purges may work on the same entry. */
	KUNIT_EXPECT_PTR_EQ(test, &i[0].entry, ashmem_lru_pick(group, &none, &at));
	KUNIT_EXPECT_PTR_EQ(test, &i[0].entry, ashmem_lru_pick(group, &none, &at));
	KUNIT_EXPECT_EQ(test, 2, i[0].holds);
	KUNIT_EXPECT_EQ(test, 2, group->busy);
	KUNIT_EXPECT_EQ(test, 2, i[0].entry.busy);
	ashmem_lru_put_back(lru, &i[0].entry, KEY + 5, 3, 2);
	KUNIT_EXPECT_EQ(test, 1, group->busy);
	KUNIT_EXPECT_EQ(test, 2, group->freed);
	KUNIT_EXPECT_EQ(test, 8, ashmem_kunit_count(lru, NULL));
	KUNIT_EXPECT_PTR_EQ(test, &i[1].entry, ashmem_lru_pick(group, &none, &at));
	ashmem_lru_put_back(lru, &i[0].entry, KEY + 5, 0, 1);
	ashmem_lru_put_back(lru, &i[1].entry, KEY + 4, 5, 4);
	KUNIT_EXPECT_EQ(test, 7, group->freed);
	KUNIT_EXPECT_EQ(test, 0, group->busy);
	i[0].holds = 0;
	i[1].holds = 0;
	expect_order(test, group, (struct item *[]){ i + 1 }, 1);
}

/* A picked entry cannot be detached, a listed one can. */
static void lru_detach_test(struct kunit *test)
{
	struct ashmem_lru *lru = lru_new(test);
	struct ashmem_lru_cursor none = {}, at;
	struct item item = {};

	KUNIT_ASSERT_EQ(test, 0, ashmem_lru_attach(lru, &item.entry, NULL, numa_node_id()));
	ashmem_lru_update(lru, &item.entry, KEY, 5);
	KUNIT_EXPECT_PTR_EQ(test, &item.entry, ashmem_lru_pick(item.entry.group, &none, &at));
	KUNIT_ASSERT_FALSE(test, ashmem_lru_detach(lru, &item.entry));
	KUNIT_EXPECT_EQ(test, 5, ashmem_kunit_count(lru, NULL));
	KUNIT_EXPECT_EQ(test, 1, item.entry.group->refs);
	ashmem_lru_put_back(lru, &item.entry, KEY, 5, 0);
	KUNIT_EXPECT_TRUE(test, ashmem_lru_detach(lru, &item.entry));
	KUNIT_EXPECT_TRUE(test, list_empty(&lru->groups));
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, NULL));
}

/* No sum overflows, and the count for the kernel is at most the machine's memory. */
static void lru_bounds_test(struct kunit *test)
{
	struct ashmem_lru *lru = lru_new(test);
	struct item *i = items_new(test, lru, 3, true, numa_node_id());
	struct ashmem_lru_group *group = i->entry.group;

	ashmem_lru_update(lru, &i[0].entry, KEY, ASHMEM_LRU_PAGES_MAX - 1);
	KUNIT_EXPECT_EQ(test, ASHMEM_LRU_PAGES_MAX - 1, i[0].entry.pages);
	ashmem_lru_update(lru, &i[0].entry, KEY, ULONG_MAX);
	ashmem_lru_update(lru, &i[1].entry, KEY, ASHMEM_LRU_PAGES_MAX + 1);
	KUNIT_EXPECT_EQ(test, ASHMEM_LRU_PAGES_MAX, i[0].entry.pages);
	KUNIT_EXPECT_EQ(test, 2 * (u64)ASHMEM_LRU_PAGES_MAX, group->pages);
	KUNIT_EXPECT_EQ(test, totalram_pages(), ashmem_kunit_count(lru, NULL));
	ashmem_lru_update(lru, &i[2].entry, KEY, 3);
	ashmem_lru_update(lru, &i[0].entry, KEY, 0);
	ashmem_lru_update(lru, &i[1].entry, KEY, 0);
	KUNIT_EXPECT_EQ(test, 3, ashmem_kunit_count(lru, NULL));
}

/*
 * An empty group stays listed until it is counted, and is listed again with its next
 * entry.
 */
static void lru_emptied_test(struct kunit *test)
{
	struct ashmem_lru *lru = lru_new(test);
	struct item *i = items_new(test, lru, 1, false, numa_node_id());
	struct ashmem_lru_group *group = i->entry.group;
	int n;

	KUNIT_EXPECT_TRUE(test, list_empty(&group->link));
	for (n = 0; n < 3; n++) {
		ashmem_lru_update(lru, &i->entry, KEY, 7);
		KUNIT_EXPECT_FALSE(test, list_empty(&group->link));
		KUNIT_EXPECT_EQ(test, 7, ashmem_kunit_count(lru, NULL));
		ashmem_lru_update(lru, &i->entry, KEY, 0);
		KUNIT_EXPECT_FALSE(test, list_empty(&group->link));
		KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, NULL));
		KUNIT_EXPECT_TRUE(test, list_empty(&group->link));
		KUNIT_EXPECT_EQ(test, 1, group->refs);
	}
}

/* No number of empty groups hides the group behind them. */
static void lru_many_empty_test(struct kunit *test)
{
	unsigned int count = 2 * MERGE + 10, i;
	struct ashmem_lru *lru = lru_new(test);
	struct item *items = items_new(test, lru, count, false, numa_node_id());

	for (i = 0; i < count; i++)
		ashmem_lru_update(lru, &items[i].entry, KEY, 1);
	for (i = 0; i < count - 1; i++)
		ashmem_lru_update(lru, &items[i].entry, KEY, 0);
	KUNIT_EXPECT_EQ(test, 1, ashmem_kunit_count(lru, NULL));
}

/* Two groups in one list, as removed cgroups leave them, become one. */
static void lru_merge_test(struct kunit *test)
{
	struct ashmem_lru *lru = lru_new(test);
	struct item *i = items_new(test, lru, 2, false, numa_node_id());
	struct ashmem_lru_group *first = i[0].entry.group, *second = i[1].entry.group;
	struct ashmem_lru_cursor none = {}, at;

	KUNIT_ASSERT_PTR_NE(test, first, second);
	ashmem_lru_update(lru, &i[0].entry, KEY + 1, 3);
	ashmem_lru_update(lru, &i[1].entry, KEY, 4);

	/*
	 * A purge has picked the entry of the second group, and holds a reference to it.
	 */
	second->refs++;
	KUNIT_EXPECT_PTR_EQ(test, &i[1].entry, ashmem_lru_pick(second, &none, &at));
	KUNIT_EXPECT_EQ(test, 7, ashmem_kunit_count(lru, NULL));
	KUNIT_EXPECT_EQ(test, 1, lru->moved);
	KUNIT_EXPECT_PTR_EQ(test, first, i[1].entry.group);
	KUNIT_EXPECT_EQ(test, 2, first->refs);
	KUNIT_EXPECT_EQ(test, 7, first->pages);
	KUNIT_EXPECT_EQ(test, 1, first->busy);
	KUNIT_EXPECT_EQ(test, 1, second->refs);
	KUNIT_EXPECT_EQ(test, 0, second->pages);
	KUNIT_EXPECT_EQ(test, 0, second->busy);
	KUNIT_EXPECT_TRUE(test, list_empty(&second->link));
	KUNIT_EXPECT_NULL(test, ashmem_lru_pick(second, &none, &at));
	ashmem_lru_put_back(lru, &i[1].entry, KEY, 4, 2);
	KUNIT_EXPECT_EQ(test, 0, first->busy);
	KUNIT_EXPECT_EQ(test, 2, first->freed);
	ashmem_lru_put_group(second);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&lru->groups));

	i[1].holds = 0;
	expect_order(test, first, (struct item *[]){ i + 1, i }, 2);
	KUNIT_EXPECT_EQ(test, 7, ashmem_kunit_count(lru, NULL));
	KUNIT_EXPECT_EQ(test, 1, lru->moved);
}

/* An entry that isn't listed stays where it is, and so does its group. */
static void lru_merge_unlisted_test(struct kunit *test)
{
	struct ashmem_lru *lru = lru_new(test);
	struct item *i = items_new(test, lru, 2, false, numa_node_id());
	struct item *more = items_new(test, lru, 1, false, numa_node_id());
	struct ashmem_lru_group *group = more->entry.group;

	ashmem_lru_update(lru, &i[0].entry, KEY, 1);
	ashmem_lru_update(lru, &i[1].entry, KEY, 1);
	KUNIT_EXPECT_EQ(test, 2, ashmem_kunit_count(lru, NULL));
	KUNIT_EXPECT_PTR_EQ(test, group, more->entry.group);
	ashmem_lru_update(lru, &more->entry, KEY, 1);
	KUNIT_EXPECT_EQ(test, 3, ashmem_kunit_count(lru, NULL));
	KUNIT_EXPECT_PTR_EQ(test, i[0].entry.group, more->entry.group);
	KUNIT_EXPECT_EQ(test, 2, lru->moved);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&lru->groups));
}

/* A walk holds spinlocks, so it moves a limited number. */
static void lru_merge_many_test(struct kunit *test)
{
	unsigned int count = 2 * MERGE + 10, moved, i;
	struct ashmem_lru *lru = lru_new(test);
	struct item *first = items_new(test, lru, 1, false, numa_node_id());
	struct item *items = items_new(test, lru, count, false, numa_node_id());

	ashmem_lru_update(lru, &first->entry, KEY, 1);
	for (i = 0; i < count; i++)
		ashmem_lru_update(lru, &items[i].entry, KEY + i, 1);
	for (moved = 0; moved < count; ) {
		unsigned long told;

		/* The walk visits that many groups, including the first. */
		told = ashmem_kunit_count(lru, NULL);
		KUNIT_ASSERT_GT(test, lru->moved, moved);
		KUNIT_ASSERT_LE(test, lru->moved, moved + MERGE);
		moved = lru->moved;
		KUNIT_EXPECT_EQ(test, 1 + moved, told);
	}
	KUNIT_EXPECT_EQ(test, count, moved);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&lru->groups));
}

/* The same with the entries all in one other group. */
static void lru_merge_large_test(struct kunit *test)
{
	unsigned int count = 2 * MERGE + 10, i;
	struct ashmem_lru *lru = lru_new(test);
	struct item *first = items_new(test, lru, 1, false, numa_node_id());
	struct item *items = items_new(test, lru, count, true, numa_node_id());

	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_count(lru, NULL));
	ashmem_lru_update(lru, &first->entry, KEY, 1);
	for (i = 0; i < count; i++)
		ashmem_lru_update(lru, &items[i].entry, KEY + i, 1);
	for (i = 1; i <= 3; i++) {
		KUNIT_EXPECT_EQ(test, 1 + min(i * MERGE, count), ashmem_kunit_count(lru, NULL));
		KUNIT_EXPECT_EQ(test, min(i * MERGE, count), lru->moved);
	}
	KUNIT_EXPECT_TRUE(test, list_is_singular(&lru->groups));
}

/* A task that has dropped the last reference to a group may be stopped before it unlinks it. */
static void lru_last_put_test(struct kunit *test)
{
	struct ashmem_lru *lru = lru_new(test);
	struct item *i = items_new(test, lru, 1, false, numa_node_id());
	struct ashmem_lru_group *group = i->entry.group;

	ashmem_lru_update(lru, &i->entry, KEY, 1);
	ashmem_lru_update(lru, &i->entry, KEY, 0);
	KUNIT_ASSERT_FALSE(test, list_empty(&group->link));
	group->refs = 0;
	/* It is found empty and leaves the list, or the next one would not set a bit. */
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, NULL));
	KUNIT_EXPECT_TRUE(test, list_empty(&group->link));
	KUNIT_EXPECT_EQ(test, 0, group->refs);
	group->refs = 1;
}

/* Each group once, listed or not; new ones are not waited for. */
static void lru_next_group_test(struct kunit *test)
{
	struct ashmem_lru *lru = lru_new(test);
	struct item *i = items_new(test, lru, 4, false, numa_node_id()), *more = NULL;
	struct ashmem_lru_group *group = NULL;
	unsigned int seen[4] = {}, met = 0, n;

	KUNIT_EXPECT_NULL(test, ashmem_lru_next_group(ashmem_kunit_lru(test), NULL));
	ashmem_lru_update(lru, &i[1].entry, KEY, 1);
	while ((group = ashmem_lru_next_group(lru, group))) {
		for (n = 0; n < 4; n++)
			seen[n] += group == i[n].entry.group;
		KUNIT_EXPECT_EQ(test, 2, group->refs);
		KUNIT_ASSERT_LT(test, met, 4);
		if (met++ == 1) {
			ashmem_lru_update(lru, &i[1].entry, KEY, 0);
			more = items_new(test, lru, 2, false, numa_node_id());
		}
	}
	for (n = 0; n < 4; n++) {
		KUNIT_EXPECT_EQ_MSG(test, 1, seen[n], "group %u", n);
		KUNIT_EXPECT_EQ(test, 1, i[n].entry.group->refs);
	}
	KUNIT_ASSERT_NOT_NULL(test, more);
	KUNIT_EXPECT_PTR_NE(test, more[0].entry.group, i[1].entry.group);
}

/* Entries of a node are counted and found only there. */
static void lru_nodes_test(struct kunit *test)
{
	struct ashmem_lru *lru = lru_new(test);
	int nid, other;

	if (num_online_nodes() == 1)
		kunit_skip(test, "one node of memory");
	for_each_online_node(nid) {
		struct item *i = items_new(test, lru, 1, false, nid);

		ashmem_lru_update(lru, &i->entry, KEY, 3);
		for_each_online_node(other) {
			struct ashmem_lru_group *group;
			unsigned long pages;

			group = ashmem_lru_get_group(lru, other, NULL, &pages);
			KUNIT_EXPECT_EQ(test, other == nid ? 3 : 0, pages);
			KUNIT_EXPECT_PTR_EQ(test, other == nid ? i->entry.group : NULL, group);
			if (group)
				ashmem_lru_put_group(group);
		}
		ashmem_lru_update(lru, &i->entry, KEY, 0);
	}
}

/* A purge that finds nothing waits for one that does, and for nothing else. */
static void lru_wait_test(struct kunit *test)
{
	struct ashmem_lru *lru = lru_new(test);
	struct item *i = items_new(test, lru, 1, false, numa_node_id());
	struct ashmem_lru_group *group = i->entry.group;
	struct ashmem_lru_cursor none = {}, at;
	unsigned long before, freed = 9;

	KUNIT_EXPECT_FALSE(test, ashmem_lru_wait(group, group->freed, &freed));
	KUNIT_EXPECT_EQ(test, 0, freed);

	ashmem_lru_update(lru, &i->entry, KEY, 5);
	KUNIT_EXPECT_PTR_EQ(test, &i->entry, ashmem_lru_pick(group, &none, &at));
	before = jiffies;
	KUNIT_EXPECT_TRUE(test, ashmem_lru_wait(group, group->freed, &freed));
	KUNIT_EXPECT_NE(test, before, jiffies);
	KUNIT_EXPECT_EQ(test, 0, freed);

	ashmem_lru_put_back(lru, &i->entry, KEY, 2, 3);
	KUNIT_EXPECT_TRUE(test, ashmem_lru_wait(group, group->freed - 3, &freed));
	KUNIT_EXPECT_EQ(test, 3, freed);
	KUNIT_EXPECT_FALSE(test, ashmem_lru_wait(group, group->freed, &freed));
}

#define RANDOM_ITEMS	24

static bool comes_before(const struct item *one, const struct item *other)
{
	long age = one->entry.key - other->entry.key;

	return age ? age < 0 : one->entry.place < other->entry.place;
}

/* The listed entries, in the expected order. Returns how many. */
static unsigned int sort_listed(struct item *items, struct item **sorted, u64 *pages)
{
	unsigned int count = 0, i, at;

	*pages = 0;
	for (i = 0; i < RANDOM_ITEMS; i++) {
		if (!items[i].entry.pages)
			continue;
		*pages += items[i].entry.pages;
		for (at = count++; at && comes_before(&items[i], sorted[at - 1]); at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = &items[i];
	}
	return count;
}

/* Order and sums against a plain array, through many changes. */
static void lru_random_test(struct kunit *test)
{
	struct ashmem_lru *lru = lru_new(test);
	struct item *items = items_new(test, lru, RANDOM_ITEMS, true, numa_node_id());
	struct ashmem_lru_group *group = items->entry.group;
	struct item *sorted[RANDOM_ITEMS];
	unsigned int step, steps = 2000;
	struct rnd_state random;
	u64 seed = ashmem_kunit_seed(test, &random);

	for (step = 0; step < steps; step++) {
		struct item *item = &items[prandom_u32_state(&random) % RANDOM_ITEMS];
		unsigned long key = KEY + prandom_u32_state(&random) % 8;
		unsigned long pages = prandom_u32_state(&random) % 4;
		unsigned int count;
		u64 sum;

		ashmem_lru_update(lru, &item->entry, key, pages);
		KUNIT_ASSERT_EQ(test, key, item->entry.key);
		KUNIT_ASSERT_EQ(test, pages, item->entry.pages);
		count = sort_listed(items, sorted, &sum);
		KUNIT_ASSERT_EQ_MSG(test, sum, group->pages,
				    "step %u of kunit_seed=%llu", step, seed);
		if (step % 8)
			continue;
		expect_order(test, group, sorted, count);
		KUNIT_ASSERT_EQ_MSG(test, sum, ashmem_kunit_count(lru, NULL),
				    "step %u of kunit_seed=%llu", step, seed);
	}
	KUNIT_EXPECT_EQ(test, steps, step);
}

static struct kunit_case lru_cases[] = {
	KUNIT_CASE(lru_order_test),
	KUNIT_CASE(lru_put_back_test),
	KUNIT_CASE(lru_detach_test),
	KUNIT_CASE(lru_bounds_test),
	KUNIT_CASE(lru_emptied_test),
	KUNIT_CASE(lru_many_empty_test),
	KUNIT_CASE(lru_merge_test),
	KUNIT_CASE(lru_merge_unlisted_test),
	KUNIT_CASE(lru_merge_many_test),
	KUNIT_CASE(lru_merge_large_test),
	KUNIT_CASE(lru_last_put_test),
	KUNIT_CASE(lru_next_group_test),
	KUNIT_CASE(lru_nodes_test),
	KUNIT_CASE(lru_wait_test),
	KUNIT_CASE(lru_random_test),
	{}
};

static struct kunit_suite lru_suite = {
	.name = "ashmem_lru",
	.test_cases = lru_cases,
};

kunit_test_suite(lru_suite);
