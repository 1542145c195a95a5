// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages a struct ashmem_pin means, and what is wrong with one.
 */

#include <linux/fs.h>
#include <linux/sizes.h>

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
 * @last: last page
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
	{ PAGE, 0, PAGE, -EINVAL },
	{ PAGE, PAGE, PAGE, -EINVAL },
	{ 0, 0, 0, -EINVAL },
	{ 0, PAGE, 0, -EINVAL },
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
	{ PAGE, 0, 1, -EINVAL },
	{ 0, 0, PAGE - 1, 0, 0, 0 },
	{ 0, 0, PAGE + 1, 0, 0, 1 },
	{ PAGE, 0, PAGE + 1, 0, 1, 1 },
	{ PAGE, PAGE, PAGE + 1, 0, 1, 1 },
	{ PAGE, 2 * PAGE, PAGE + 1, -EINVAL },
	{ 2 * PAGE, 0, PAGE + 1, -EINVAL },
	/* Parts of a few pages. */
	{ 0, PAGE, 4 * PAGE, 0, 0, 0 },
	{ PAGE, 2 * PAGE, 4 * PAGE, 0, 1, 2 },
	{ 3 * PAGE, PAGE, 4 * PAGE, 0, 3, 3 },
	{ 3 * PAGE, 0, 4 * PAGE, 0, 3, 3 },
	{ 0, 4 * PAGE, 4 * PAGE, 0, 0, 3 },
	{ PAGE, 4 * PAGE, 4 * PAGE, -EINVAL },
	{ 3 * PAGE, 2 * PAGE, 4 * PAGE, -EINVAL },
	/* The sum is 2^32: refused, even where the region is as large. */
	{ PAGE, TOP, SZ_4G - 1, -EINVAL },
	{ TOP, PAGE, SZ_4G - 1, -EINVAL },
	{ TOP, PAGE, SZ_4G, -EINVAL },
	{ 0x80000000, 0x80000000, SZ_8G, -EINVAL },
	/* It is more, and would be a good one if it were cut to 32 bits. */
	{ TOP, 2 * PAGE, 4 * PAGE, -EINVAL },
	{ TOP, TOP, SZ_8G, -EINVAL },
	{ 2 * PAGE, TOP, SZ_8G, -EINVAL },
	{ 0x80000000, 0x80000000 + PAGE, SZ_8G, -EINVAL },
	/* It is the most that it can be. */
	{ 0, TOP, SZ_4G - 1, 0, 0, TOP / PAGE - 1 },
	{ PAGE, TOP - PAGE, SZ_4G - 1, 0, 1, TOP / PAGE - 1 },
	{ TOP - PAGE, PAGE, SZ_4G - 1, 0, TOP / PAGE - 1, TOP / PAGE - 1 },
	/* The last page below 4 GiB can be had by leaving the end open. */
	{ TOP, 0, SZ_4G - 1, 0, TOP / PAGE, TOP / PAGE },
	{ TOP, 0, SZ_4G, 0, TOP / PAGE, TOP / PAGE },
	{ TOP, 0, TOP, -EINVAL },
	{ TOP, 0, TOP - 1, -EINVAL },
	/* Open ends aren't cut to 32 bits, nor is the size. */
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

		/* On 32 bits no region is larger, and the largest file none. */
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
	KUNIT_EXPECT_EQ(test, 53, i);
	KUNIT_EXPECT_EQ(test, IS_ENABLED(CONFIG_64BIT) ? 0 : 13, skipped);
}

/* In the numbers where something changes: on both sides of each of them. */
static const u64 edges[] = {
	0, PAGE, 2 * PAGE, 5 * PAGE, 1 << 16, 1U << 31, TOP - PAGE, TOP, SZ_4G,
	SZ_4G + PAGE, SZ_4G + SZ_2G, 1ULL << 33, 1ULL << 40,
};

/* The rules once more, in pages and one after the other. */
static bool interval_is_good(u32 offset, u32 len, u64 size, u64 *first, u64 *last)
{
	u64 pages = size / PAGE + !!(size % PAGE);

	*first = offset / PAGE;
	*last = len ? *first + len / PAGE - 1 : pages - 1;
	if (offset % PAGE || len % PAGE)
		return false;
	/* In bytes the end has to be below 2^32. */
	if (len && *last >= U32_MAX / PAGE)
		return false;
	return *first < pages && *last < pages;
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

				if (offset > U32_MAX || len > U32_MAX ||
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
	KUNIT_EXPECT_EQ(test, IS_ENABLED(CONFIG_64BIT) ? 24 * 24 * 38 : 24 * 24 * 24, cases);
	KUNIT_EXPECT_GT(test, good, 100);
}

static struct kunit_case pin_cases[] = {
	KUNIT_CASE(pin_interval_test),
	KUNIT_CASE(pin_interval_edges_test),
	{}
};

static struct kunit_suite pin_suite = {
	.name = "ashmem_pin",
	.test_cases = pin_cases,
};

kunit_test_suite(pin_suite);
