// SPDX-License-Identifier: GPL-2.0
/*
 * The LRU: order, counts, and which range is picked.
 */

#include <linux/mm.h>

#include "fixture.h"

/* What lru.c passes over before it gives up. */
#define PASS_OVER	1024

static void init_range(struct ashmem_range *range, struct ashmem_region *region,
		       unsigned long start, unsigned long pages)
{
	range->region = region;
	range->pages.start = start;
	range->pages.last = start + pages - 1;
	range->resume = start;
	range->purged = false;
}

static void expect_order(struct kunit *test, struct ashmem_lru_group *group,
			 struct ashmem_range **ranges, unsigned int count)
{
	struct ashmem_range *range;
	unsigned int i = 0;

	list_for_each_entry(range, &group->ranges, lru) {
		KUNIT_ASSERT_LT(test, i, count);
		KUNIT_EXPECT_PTR_EQ_MSG(test, ranges[i], range, "at place %u", i);
		i++;
	}
	KUNIT_EXPECT_EQ(test, count, i);
}

static bool any_range(const struct ashmem_range *range)
{
	return true;
}

static void lru_order_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_lru_group *group = ashmem_kunit_group(test, lru);
	struct ashmem_region *region = ashmem_kunit_region(test, lru);
	struct ashmem_range *r[5];
	int i;

	KUNIT_EXPECT_EQ(test, 1, refcount_read(&group->refs));
	KUNIT_EXPECT_NULL(test, ashmem_lru_next_group(lru, NULL));
	KUNIT_EXPECT_NULL(test, ashmem_lru_trylock_oldest(group, any_range));
	KUNIT_EXPECT_NULL(test, ashmem_lru_get_oldest(group));
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, NULL));

	for (i = 0; i < 4; i++) {
		r[i] = ashmem_kunit_range(test, region, 1 + i);
		ashmem_lru_add(group, r[i]);
		KUNIT_EXPECT_PTR_EQ(test, group, r[i]->group);
	}
	expect_order(test, group, r, 4);
	KUNIT_EXPECT_EQ(test, 1 + 2 + 3 + 4, group->pages);
	KUNIT_EXPECT_EQ(test, 10, ashmem_lru_pages(lru));
	KUNIT_EXPECT_EQ(test, 10, ashmem_kunit_count(lru, NULL));
	KUNIT_EXPECT_EQ_MSG(test, 2, refcount_read(&group->refs),
			    "the ranges hold one reference together");

	/* Behind the second one. */
	r[4] = ashmem_kunit_range(test, region, 5);
	ashmem_lru_add_behind(r[4], r[1]);
	expect_order(test, group, (struct ashmem_range *[]){ r[0], r[1], r[4], r[2], r[3] }, 5);
	KUNIT_EXPECT_EQ(test, 15, group->pages);

	/* In the middle, at both ends, and what is there grows less. */
	ashmem_lru_del(r[4]);
	expect_order(test, group, r, 4);
	ashmem_lru_del(r[0]);
	ashmem_lru_del(r[3]);
	expect_order(test, group, &r[1], 2);
	KUNIT_EXPECT_EQ(test, 2 + 3, group->pages);
	r[2]->resume += 2;
	ashmem_lru_shrink(r[2], 2);
	expect_order(test, group, &r[1], 2);
	KUNIT_EXPECT_EQ(test, 2 + 1, group->pages);
	r[1]->resume += 2;
	ashmem_lru_shrink(r[1], 2);
	expect_order(test, group, &r[2], 1);
	KUNIT_EXPECT_EQ(test, 2, refcount_read(&group->refs));
	r[2]->resume++;
	ashmem_lru_shrink(r[2], 1);
	expect_order(test, group, NULL, 0);
	KUNIT_EXPECT_EQ(test, 0, group->pages);
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&group->refs));
}

/* Whoever comes back last is the youngest. */
static void lru_again_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_lru_group *group = ashmem_kunit_group(test, lru);
	struct ashmem_region *region = ashmem_kunit_region(test, lru);
	struct ashmem_range *a = ashmem_kunit_range(test, region, 1);
	struct ashmem_range *b = ashmem_kunit_range(test, region, 1);

	ashmem_lru_add(group, a);
	ashmem_lru_add(group, b);
	ashmem_lru_del(a);
	ashmem_lru_add(group, a);
	expect_order(test, group, (struct ashmem_range *[]){ b, a }, 2);
	ashmem_lru_del(a);
	ashmem_lru_del(b);
}

static void lru_del_many_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_lru_group *first = ashmem_kunit_group_of(test, lru, KUNIT_CGROUP, 0);
	struct ashmem_lru_group *second = ashmem_kunit_group_of(test, lru, KUNIT_CGROUP + 1, 0);
	struct ashmem_region *region = ashmem_kunit_region(test, lru);
	struct ashmem_range *r[8], *stays = ashmem_kunit_range(test, region, 1);
	/* Each may be listed in either group or, at 0, have nothing left. */
	unsigned int ways = 6561, way, i; /* 3^8 */

	for (i = 0; i < 8; i++)
		r[i] = ashmem_kunit_range(test, region, 1);
	ashmem_lru_add(second, stays);

	for (way = 0; way < ways; way++) {
		unsigned int rest = way;

		for (i = 0; i < 8; i++, rest /= 3) {
			init_range(r[i], region, i, 1 + i);
			if (rest % 3)
				ashmem_lru_add(rest % 3 == 1 ? first : second, r[i]);
			else
				r[i]->resume = r[i]->pages.last + 1;
		}
		ashmem_lru_del_many(r, 8);
		KUNIT_ASSERT_TRUE_MSG(test, first->pages == 0 && second->pages == 1 &&
				      list_empty(&first->ranges) &&
				      list_is_singular(&second->ranges) &&
				      refcount_read(&first->refs) == 1 &&
				      refcount_read(&second->refs) == 2,
				      "way %u", way);
	}
	ashmem_lru_del(stays);
}

static void lru_oldest_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_lru_group *group = ashmem_kunit_group(test, lru);
	struct ashmem_region *a = ashmem_kunit_region(test, lru);
	struct ashmem_region *b = ashmem_kunit_region(test, lru);
	struct ashmem_range *ra = ashmem_kunit_range(test, a, 1);
	struct ashmem_range *rb = ashmem_kunit_range(test, b, 1);
	struct ashmem_region *region;
	struct ashmem_range *found;

	ashmem_lru_add(group, ra);
	ashmem_lru_add(group, rb);

	region = ashmem_lru_get_oldest(group);
	KUNIT_EXPECT_PTR_EQ(test, a, region);
	KUNIT_EXPECT_EQ(test, 2, kref_read(&a->refs));
	ashmem_region_put(region);

	mutex_lock(&b->lock);
	KUNIT_EXPECT_NULL(test, ashmem_lru_oldest_of(group, b));
	mutex_unlock(&b->lock);

	found = ashmem_lru_trylock_oldest(group, any_range);
	KUNIT_EXPECT_PTR_EQ(test, ra, found);
	KUNIT_EXPECT_TRUE(test, mutex_is_locked(&a->lock));
	KUNIT_EXPECT_EQ(test, 2, kref_read(&a->refs));
	KUNIT_EXPECT_PTR_EQ(test, ra, ashmem_lru_oldest_of(group, a));
	ashmem_region_put(a);

	/* Still locked: the next one is as good. */
	found = ashmem_lru_trylock_oldest(group, any_range);
	KUNIT_EXPECT_PTR_EQ(test, rb, found);
	KUNIT_EXPECT_EQ(test, 1, kref_read(&a->refs));
	mutex_unlock(&b->lock);
	ashmem_region_put(b);
	mutex_unlock(&a->lock);

	ashmem_lru_del(ra);
	ashmem_lru_del(rb);
}

static bool longer_range(const struct ashmem_range *range)
{
	return ashmem_range_purgeable(range) > 1;
}

/* One that doesn't fit is passed over, and its region is let go. */
static void lru_fit_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_lru_group *group = ashmem_kunit_group(test, lru);
	struct ashmem_region *region[2];
	struct ashmem_range *r[3], *found;
	int i;

	region[0] = ashmem_kunit_region(test, lru);
	region[1] = ashmem_kunit_region(test, lru);
	r[0] = ashmem_kunit_range(test, region[0], 1);
	r[1] = ashmem_kunit_range(test, region[1], 1);
	r[2] = ashmem_kunit_range(test, region[0], 2);
	for (i = 0; i < 2; i++)
		ashmem_lru_add(group, r[i]);
	KUNIT_EXPECT_NULL(test, ashmem_lru_trylock_oldest(group, longer_range));
	ashmem_lru_add(group, r[2]);
	found = ashmem_lru_trylock_oldest(group, longer_range);
	KUNIT_EXPECT_PTR_EQ(test, r[2], found);
	if (found) {
		mutex_unlock(&region[0]->lock);
		ashmem_region_put(region[0]);
	}
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_FALSE(test, mutex_is_locked(&region[i]->lock));
		KUNIT_EXPECT_EQ(test, 1, kref_read(&region[i]->refs));
	}
	for (i = 0; i < 3; i++)
		ashmem_lru_del(r[i]);
}

/* The kernel is told of no more than there can be, and forgets nobody for it. */
static void lru_count_bound_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_lru_group *group = ashmem_kunit_group(test, lru);
	struct ashmem_region *region = ashmem_kunit_region(test, lru);
	struct ashmem_range *huge[2], *small = ashmem_kunit_range(test, region, 3);
	unsigned long pages = 1UL << (BITS_PER_LONG - 1);
	int i;

	for (i = 0; i < 2; i++)
		huge[i] = ashmem_kunit_range(test, region, pages);
	ashmem_lru_add(group, huge[0]);
	KUNIT_EXPECT_EQ(test, totalram_pages(), ashmem_kunit_count(lru, NULL));
	KUNIT_EXPECT_EQ(test, pages, ashmem_lru_pages(lru));

	/* The sum is 0: the group stays listed all the same. */
	ashmem_lru_add(group, huge[1]);
	ashmem_kunit_count(lru, NULL);
	KUNIT_EXPECT_FALSE(test, list_empty(&group->link));
	ashmem_lru_del(huge[0]);
	ashmem_lru_add(group, small);
	KUNIT_EXPECT_EQ(test, totalram_pages(), ashmem_kunit_count(lru, NULL));
	ashmem_lru_del(huge[1]);
	KUNIT_EXPECT_EQ(test, 3, ashmem_kunit_count(lru, NULL));
	ashmem_lru_del(small);
}

/* A pick holds a spinlock: it gives up rather than look at each busy range. */
static void lru_pass_over_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_lru_group *group = ashmem_kunit_group(test, lru);
	struct ashmem_region *busy = ashmem_kunit_region(test, lru);
	struct ashmem_region *idle = ashmem_kunit_region(test, lru);
	struct ashmem_range *last = ashmem_kunit_range(test, idle, 1), *ranges, *found;
	unsigned int i;

	ranges = kunit_kcalloc(test, PASS_OVER, sizeof(*ranges), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ranges);
	for (i = 0; i < PASS_OVER; i++) {
		init_range(&ranges[i], busy, i, 1);
		ashmem_lru_add(group, &ranges[i]);
	}
	ashmem_lru_add(group, last);

	mutex_lock(&busy->lock);
	KUNIT_EXPECT_NULL(test, ashmem_lru_trylock_oldest(group, any_range));
	ashmem_lru_del(&ranges[0]);
	found = ashmem_lru_trylock_oldest(group, any_range);
	KUNIT_EXPECT_PTR_EQ(test, last, found);
	if (found) {
		mutex_unlock(&idle->lock);
		ashmem_region_put(idle);
	}
	for (i = 1; i < PASS_OVER; i++)
		ashmem_lru_del(&ranges[i]);
	mutex_unlock(&busy->lock);
	ashmem_lru_del(last);
}

#define RANDOM_GROUPS	5
#define RANDOM_RANGES	64

/* The numbers against a plain array, through many changes. */
static void lru_random_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru);
	struct ashmem_lru_group *groups[RANDOM_GROUPS];
	struct ashmem_range *ranges[RANDOM_RANGES];
	unsigned int where[RANDOM_RANGES] = {}; /* 0, or which group and one */
	unsigned long pages[RANDOM_GROUPS + 1];
	unsigned int i, step, steps = 5000;
	struct rnd_state random;
	u64 seed = ashmem_kunit_seed(test, &random);

	for (i = 0; i < RANDOM_GROUPS; i++)
		groups[i] = ashmem_kunit_group_of(test, lru, KUNIT_CGROUP + i % 3, i / 3);
	for (i = 0; i < RANDOM_RANGES; i++)
		ranges[i] = ashmem_kunit_range(test, region, 1);

	for (step = 0; step < steps; step++) {
		unsigned int one = prandom_u32_state(&random) % RANDOM_RANGES;
		unsigned int other = prandom_u32_state(&random) % RANDOM_RANGES;
		unsigned long sum = 0, some;

		if (!where[one]) {
			init_range(ranges[one], region, one,
				   1 + prandom_u32_state(&random) % 100);
			if (where[other]) {
				ashmem_lru_add_behind(ranges[one], ranges[other]);
				where[one] = where[other];
			} else {
				where[one] = 1 + other % RANDOM_GROUPS;
				ashmem_lru_add(groups[where[one] - 1], ranges[one]);
			}
		} else if (other & 1) {
			ashmem_lru_del(ranges[one]);
			where[one] = 0;
		} else {
			some = 1 + other % ashmem_range_purgeable(ranges[one]);
			ranges[one]->resume += some;
			ashmem_lru_shrink(ranges[one], some);
			if (!ashmem_range_purgeable(ranges[one]))
				where[one] = 0;
		}

		memset(pages, 0, sizeof(pages));
		for (i = 0; i < RANDOM_RANGES; i++) {
			if (where[i]) {
				pages[where[i]] += ashmem_range_purgeable(ranges[i]);
				sum += ashmem_range_purgeable(ranges[i]);
			}
		}
		for (i = 0; i < RANDOM_GROUPS; i++)
			KUNIT_ASSERT_EQ_MSG(test, pages[i + 1], groups[i]->pages,
					    "group %u, step %u of kunit_seed=%llu", i, step, seed);
		KUNIT_ASSERT_EQ_MSG(test, sum, ashmem_lru_pages(lru),
				    "step %u of kunit_seed=%llu", step, seed);
		if (step % 16 == 0)
			KUNIT_ASSERT_EQ_MSG(test, sum, ashmem_kunit_count(lru, NULL),
					    "step %u of kunit_seed=%llu", step, seed);
	}
	KUNIT_EXPECT_EQ(test, steps, step);

	for (i = 0; i < RANDOM_RANGES; i++) {
		if (where[i])
			ashmem_lru_del(ranges[i]);
	}
	KUNIT_EXPECT_EQ(test, 0, ashmem_lru_pages(lru));
}

static struct kunit_case lru_cases[] = {
	KUNIT_CASE(lru_order_test),
	KUNIT_CASE(lru_again_test),
	KUNIT_CASE(lru_del_many_test),
	KUNIT_CASE(lru_oldest_test),
	KUNIT_CASE(lru_fit_test),
	KUNIT_CASE(lru_count_bound_test),
	KUNIT_CASE(lru_pass_over_test),
	KUNIT_CASE(lru_random_test),
	{}
};

static struct kunit_suite lru_suite = {
	.name = "ashmem_lru",
	.test_cases = lru_cases,
};

kunit_test_suite(lru_suite);
