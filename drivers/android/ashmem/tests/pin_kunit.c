// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages that a struct ashmem_pin selects, its errors, and the results of PIN, UNPIN
 * and GET_PIN_STATUS.
 */

#include <kunit/static_stub.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/mman.h>
#include <linux/sizes.h>

#include "../alloc.h"
#include "../payer.h"
#include "../pin.h"
#include "../purge.h"
#include "fixture.h"

#define PAGE	((u32)PAGE_SIZE)
/* The last page that an offset can name, and the longest interval. */
#define TOP	((u32)PAGE_MASK)

/**
 * struct interval_case - an interval and what becomes of it
 * @offset: in bytes
 * @len: in bytes
 * @size: of the region, in bytes; skipped where no size_t is so large
 * @ret: what is returned
 * @first: first page
 * @last: last page; @first - 1 for no page
 */
struct interval_case {
	u32 offset;
	u32 len;
	u64 size;
	int ret;
	u64 first;
	u64 last;
};

static const struct interval_case interval_cases[] = {
	/* One page, and every way to miss it. */
	{ 0, 0, PAGE, 0, 0, 0 },
	{ 0, PAGE, PAGE, 0, 0, 0 },
	{ 0, 2 * PAGE, PAGE, -EINVAL },
	{ PAGE, PAGE, PAGE, -EINVAL },
	{ 2 * PAGE, 0, PAGE, -EINVAL },
	{ 0, PAGE, 0, -EINVAL },
	/* There is no page from the end on, which is no error. */
	{ PAGE, 0, PAGE, 0, 1, 0 },
	{ 4 * PAGE, 0, 4 * PAGE, 0, 4, 3 },
	/* Neither is rounded. */
	{ 1, PAGE, 4 * PAGE, -EINVAL },
	{ PAGE - 1, PAGE, 4 * PAGE, -EINVAL },
	{ PAGE + 1, 0, 4 * PAGE, -EINVAL },
	{ 0, 1, 4 * PAGE, -EINVAL },
	{ 0, PAGE - 1, 4 * PAGE, -EINVAL },
	{ PAGE, PAGE + 1, 4 * PAGE, -EINVAL },
	{ 2048, 2048, 4 * PAGE, -EINVAL },
	/* The size is. */
	{ 0, 0, 1, 0, 0, 0 },
	{ 0, PAGE, 1, 0, 0, 0 },
	{ 0, 2 * PAGE, 1, -EINVAL },
	{ PAGE, 0, 1, 0, 1, 0 },
	{ 2 * PAGE, 0, 1, -EINVAL },
	{ 0, 0, PAGE - 1, 0, 0, 0 },
	{ 0, 0, PAGE + 1, 0, 0, 1 },
	{ PAGE, 0, PAGE + 1, 0, 1, 1 },
	{ PAGE, PAGE, PAGE + 1, 0, 1, 1 },
	{ PAGE, 2 * PAGE, PAGE + 1, -EINVAL },
	{ 2 * PAGE, 0, PAGE + 1, 0, 2, 1 },
	{ 3 * PAGE, 0, PAGE + 1, -EINVAL },
	/* Parts of a few pages. */
	{ 0, PAGE, 4 * PAGE, 0, 0, 0 },
	{ PAGE, 2 * PAGE, 4 * PAGE, 0, 1, 2 },
	{ 3 * PAGE, PAGE, 4 * PAGE, 0, 3, 3 },
	{ 3 * PAGE, 0, 4 * PAGE, 0, 3, 3 },
	{ 0, 4 * PAGE, 4 * PAGE, 0, 0, 3 },
	{ PAGE, 4 * PAGE, 4 * PAGE, -EINVAL },
	{ 3 * PAGE, 2 * PAGE, 4 * PAGE, -EINVAL },
	/* The sum is 2^32: refused, even if the region is that large. */
	{ PAGE, TOP, SZ_4G - 1, -EINVAL },
	{ TOP, PAGE, SZ_4G - 1, -EINVAL },
	{ TOP, PAGE, SZ_4G, -EINVAL },
	{ 0x80000000, 0x80000000, SZ_8G, -EINVAL },
	/* The sum is larger, and would be valid if truncated to 32 bits. */
	{ TOP, 2 * PAGE, 4 * PAGE, -EINVAL },
	{ TOP, TOP, SZ_8G, -EINVAL },
	{ 2 * PAGE, TOP, SZ_8G, -EINVAL },
	{ 0x80000000, 0x80000000 + PAGE, SZ_8G, -EINVAL },
	/* The largest valid sum. */
	{ 0, TOP, SZ_4G - 1, 0, 0, TOP / PAGE - 1 },
	{ PAGE, TOP - PAGE, SZ_4G - 1, 0, 1, TOP / PAGE - 1 },
	{ TOP - PAGE, PAGE, SZ_4G - 1, 0, TOP / PAGE - 1, TOP / PAGE - 1 },
	/* The last page below 4 GiB needs an open end. */
	{ TOP, 0, SZ_4G - 1, 0, TOP / PAGE, TOP / PAGE },
	{ TOP, 0, SZ_4G, 0, TOP / PAGE, TOP / PAGE },
	{ TOP, 0, TOP, 0, TOP / PAGE, TOP / PAGE - 1 },
	{ TOP, 0, TOP - 1, 0, TOP / PAGE, TOP / PAGE - 1 },
	{ TOP, 0, TOP - PAGE, -EINVAL },
	/* Neither an open end nor the size is cut to 32 bits. */
	{ 0, 0, SZ_4G, 0, 0, SZ_4G / PAGE - 1 },
	{ 0, 0, SZ_4G + 1, 0, 0, SZ_4G / PAGE },
	{ PAGE, 0, SZ_8G, 0, 1, SZ_8G / PAGE - 1 },
	{ TOP, 0, SZ_8G, 0, TOP / PAGE, SZ_8G / PAGE - 1 },
	{ 2 * PAGE, PAGE, SZ_4G + PAGE, 0, 2, 2 },
	{ 0, 0, MAX_LFS_FILESIZE, 0, 0, (u64)MAX_LFS_FILESIZE / PAGE },
	{ TOP, 0, MAX_LFS_FILESIZE, 0, TOP / PAGE, (u64)MAX_LFS_FILESIZE / PAGE },
};

static void pin_interval_test(struct kunit *test)
{
	unsigned int i, skipped = 0;

	for (i = 0; i < ARRAY_SIZE(interval_cases); i++) {
		const struct interval_case *c = &interval_cases[i];
		struct ashmem_pin pin = { c->offset, c->len };
		unsigned long first = 123, last = 456;
		int ret;

		/* On 32 bits no region is larger, not even the largest file. */
		if (c->size > SIZE_MAX) {
			skipped++;
			continue;
		}
		ret = ashmem_pin_interval(&pin, c->size, &first, &last);
		KUNIT_EXPECT_EQ_MSG(test, c->ret, ret, "offset %#x, len %#x, size %#llx",
				    c->offset, c->len, c->size);
		KUNIT_EXPECT_EQ_MSG(test, ret ? 123 : c->first, first,
				    "offset %#x, len %#x, size %#llx",
				    c->offset, c->len, c->size);
		KUNIT_EXPECT_EQ_MSG(test, ret ? 456 : c->last, last,
				    "offset %#x, len %#x, size %#llx",
				    c->offset, c->len, c->size);
	}
	KUNIT_EXPECT_EQ(test, 57, i);
	KUNIT_EXPECT_EQ(test, IS_ENABLED(CONFIG_64BIT) ? 0 : 13, skipped);
}

/* The numbers where the result changes, and those beside them. */
static const u64 edges[] = {
	0, PAGE, 2 * PAGE, 5 * PAGE, 1 << 16, 1U << 31, TOP - PAGE, TOP, SZ_4G,
	SZ_4G + PAGE, SZ_4G + SZ_2G, 1ULL << 33, 1ULL << 40,
};

/* The same rules in pages, one after the other. */
static bool interval_is_good(u32 offset, u32 len, u64 size, u64 *first, u64 *last)
{
	u64 pages = size / PAGE + !!(size % PAGE);

	*first = offset / PAGE;
	*last = len ? *first + len / PAGE - 1 : pages - 1;
	if (offset % PAGE || len % PAGE)
		return false;
	/* The end in bytes must be below 2^32. */
	if (len && *last >= U32_MAX / PAGE)
		return false;
	return len ? *first < pages && *last < pages : *first <= pages;
}

static void pin_interval_edges_test(struct kunit *test)
{
	unsigned int o, l, s, cases = 0, good = 0;
	const unsigned int ways = 3 * ARRAY_SIZE(edges);

	for (o = 0; o < ways; o++) {
		u64 offset = edges[o / 3] + o % 3 - 1;

		for (l = 0; l < ways; l++) {
			u64 len = edges[l / 3] + l % 3 - 1;

			for (s = 0; s < ways; s++) {
				u64 size = edges[s / 3] + s % 3 - 1, want_first, want_last;
				unsigned long first = 123, last = 456;
				struct ashmem_pin pin = { offset, len };
				bool want;
				int ret;

				/* A region without a size has no pages. */
				if (offset > U32_MAX || len > U32_MAX || !size ||
				    size > SIZE_MAX || size > MAX_LFS_FILESIZE)
					continue;
				want = interval_is_good(offset, len, size, &want_first,
							&want_last);
				ret = ashmem_pin_interval(&pin, size, &first, &last);
				cases++;
				good += want;
				KUNIT_ASSERT_TRUE_MSG(test, ret == (want ? 0 : -EINVAL) &&
						      (!want || (first == want_first &&
								 last == want_last)) &&
						      (want || (first == 123 && last == 456)),
						      "offset %#llx, len %#llx, size %#llx: %d, %lu-%lu",
						      offset, len, size, ret, first, last);
			}
		}
	}
	kunit_info(test, "%u intervals, %u of them good", cases, good);
	KUNIT_EXPECT_EQ(test, IS_ENABLED(CONFIG_64BIT) ? 24 * 24 * 37 : 24 * 24 * 23, cases);
	KUNIT_EXPECT_GT(test, good, 100);
}

/* Of the calls, in their order: PIN, UNPIN, GET_PIN_STATUS. */
static void expect_answers(struct kunit *test, struct ashmem_region *region, u32 offset,
			   u32 len, int pin, int unpin, int status)
{
	struct ashmem_pin what = { offset, len };

	KUNIT_EXPECT_EQ(test, pin, ashmem_region_pin(region, &what));
	KUNIT_EXPECT_EQ(test, unpin, ashmem_region_unpin(region, &what));
	KUNIT_EXPECT_EQ(test, status, ashmem_region_pin_status(region, &what));
}

static void pin_answers_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *bare = ashmem_kunit_region(test, lru, 0);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 10);

	KUNIT_ASSERT_EQ(test, 0, ashmem_region_set_size(bare, 10 * PAGE));
	expect_answers(test, bare, 0, PAGE, -EINVAL, -EINVAL, -EINVAL);
	expect_answers(test, region, 0, 11 * PAGE, -EINVAL, -EINVAL, -EINVAL);
	expect_answers(test, region, 10 * PAGE, 0, ASHMEM_NOT_PURGED, 0, ASHMEM_IS_PINNED);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&region->unpinned.root));
	expect_answers(test, region, 9 * PAGE, 0, ASHMEM_NOT_PURGED, 0, ASHMEM_IS_UNPINNED);
	KUNIT_EXPECT_EQ(test, 1, region->unpinned.unpinned);
	/* Beside an unpinned page, too. */
	expect_answers(test, region, 10 * PAGE, 0, ASHMEM_NOT_PURGED, 0, ASHMEM_IS_PINNED);
	KUNIT_EXPECT_EQ(test, 1, region->unpinned.unpinned);
}

static void pin_stamp_test(struct kunit *test)
{
	struct ashmem_region *region = ashmem_kunit_region(test, ashmem_kunit_lru(test), 10);
	unsigned long before = jiffies, stamp;

	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 9));
	stamp = ashmem_queue_oldest(&ashmem_kunit_payer(region)->queue)->stamp;
	KUNIT_EXPECT_TRUE(test, time_in_range(stamp, before, jiffies));
	KUNIT_EXPECT_EQ(test, stamp, ashmem_kunit_payer(region)->entry.key);
}

/*
 * A task that may not write may not discard contents, and must not hide a loss from
 * tasks that may. The test's task has no mapping.
 */
static void pin_read_only_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 20);

	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 9));
	KUNIT_ASSERT_EQ(test, 10, ashmem_purge_all(lru));
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 10, 19));
	region->prot_mask = PROT_READ | PROT_EXEC;
	KUNIT_EXPECT_EQ(test, -EPERM, ashmem_kunit_unpin(region, 0, 0));

	/* Pages that are not lost yet are pinned normally. */
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(region, 10, 19));
	KUNIT_EXPECT_EQ(test, ASHMEM_IS_PINNED, ashmem_kunit_pin_status(region, 10, 19));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 5, 19));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 0, 19));
	KUNIT_EXPECT_EQ(test, ASHMEM_IS_UNPINNED, ashmem_kunit_pin_status(region, 5, 5));
	KUNIT_EXPECT_EQ(test, 10, region->unpinned.unpinned);

	region->prot_mask = ASHMEM_PROT_ALL;
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 5, 9));
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(region, 5, 9));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 0, 9));
	KUNIT_EXPECT_EQ(test, ASHMEM_IS_PINNED, ashmem_kunit_pin_status(region, 0, 19));
}

/* A purge that starts after a PIN by such a task does not take its pages. */
static void pin_read_only_keeps_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 20);

	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 9));
	KUNIT_ASSERT_EQ(test, 10, ashmem_purge_all(lru));
	/* They may be written to from here on. */
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 19));
	region->prot_mask = PROT_READ;
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 5, 9));
	KUNIT_EXPECT_EQ(test, 20, region->unpinned.unpinned);
	KUNIT_EXPECT_EQ(test, 15, region->unpinned.purgeable);
	KUNIT_EXPECT_EQ(test, 15, ashmem_purge_all(lru));
}

static void unpin_every_other(struct kunit *test, struct ashmem_region *region,
			      unsigned int pages)
{
	unsigned int page;

	for (page = 0; page < pages; page += 2) {
		if (ashmem_kunit_pin_status(region, page, page) == ASHMEM_IS_PINNED)
			KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, page, page));
	}
}

/* Calls that drop the lock half way still return one result. */
static void pin_many_test(struct kunit *test)
{
	static const unsigned int losses[] = { 0, 300, 598 };
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 600);
	unsigned int i;

	/* The loss is reported, whichever part it is in. */
	for (i = 0; i < ARRAY_SIZE(losses); i++) {
		KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, losses[i], losses[i]));
		KUNIT_ASSERT_EQ(test, 1, ashmem_purge_all(lru));
		unpin_every_other(test, region, 600);
		KUNIT_EXPECT_EQ(test, 300, region->unpinned.unpinned);
		KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 0, 599));
		KUNIT_EXPECT_EQ(test, 0, region->unpinned.unpinned);
	}

	unpin_every_other(test, region, 600);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 599));
	KUNIT_EXPECT_EQ(test, 600, region->unpinned.unpinned);
	KUNIT_EXPECT_NULL(test, rb_next(rb_first(&region->unpinned.root)));
	KUNIT_EXPECT_GE(test, ashmem_kunit_count(lru, NULL), 600);
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(region, 0, 599));
}

/* Only a range to split needs memory. A PIN that reports a loss must not end halfway. */
static void pin_without_memory_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 600);

	unpin_every_other(test, region, 600);
	KUNIT_ASSERT_EQ(test, 300, ashmem_purge_all(lru));
	KUNIT_ASSERT_NULL(test, region->spare);
	kunit_activate_static_stub(test, ashmem_range_alloc, ashmem_kunit_no_range);
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 0, 599));
	KUNIT_EXPECT_EQ(test, 0, region->unpinned.unpinned);
}

static struct kunit_case pin_cases[] = {
	KUNIT_CASE(pin_interval_test),
	KUNIT_CASE(pin_interval_edges_test),
	KUNIT_CASE(pin_answers_test),
	KUNIT_CASE(pin_stamp_test),
	KUNIT_CASE(pin_read_only_test),
	KUNIT_CASE(pin_read_only_keeps_test),
	KUNIT_CASE(pin_many_test),
	KUNIT_CASE(pin_without_memory_test),
	{}
};

static struct kunit_suite pin_suite = {
	.name = "ashmem_pin",
	.test_cases = pin_cases,
};

kunit_test_suite(pin_suite);
