/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A store behind the regions of a test that does what the test wants it to: keep
 * account, free nothing, wait, or have something happen between two steps.
 */

#ifndef _ASHMEM_TESTS_FAKE_STORE_H
#define _ASHMEM_TESTS_FAKE_STORE_H

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
 * struct fake_store - the store behind all regions of a test
 * @punches: what it was told to free
 * @count: how many times
 * @fails: it frees nothing
 * @data: first page that there is anything of
 * @data_end: the page behind the last such
 * @on_punch: called when it is told to free, or NULL
 * @on_pick: called when the next range is picked, no lock held, or NULL
 * @on_picked: called when its region was picked and isn't locked yet, or NULL
 * @picks: how often a range was picked
 * @region: for these, the region that they act on
 * @other: for these, another
 */
struct fake_store {
	struct punch punches[PUNCHES_MAX];
	unsigned int count;
	bool fails;
	unsigned long data;
	unsigned long data_end;
	void (*on_punch)(struct kunit *test, struct fake_store *store);
	void (*on_pick)(struct kunit *test, struct fake_store *store);
	void (*on_picked)(struct kunit *test, struct fake_store *store);
	unsigned int picks;
	struct ashmem_region *region;
	struct ashmem_region *other;
};

int fake_store_init(struct kunit *test);
struct ashmem_region *fake_store_region(struct kunit *test, struct ashmem_lru *lru,
					unsigned long pages);
void fake_store_expect(struct kunit *test, unsigned int i, struct ashmem_region *region,
		       unsigned long first, unsigned long last);
void fake_store_expect_count(struct kunit *test, unsigned int count);

#endif /* _ASHMEM_TESTS_FAKE_STORE_H */
