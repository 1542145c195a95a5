/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A store that a test controls: it has pages in memory, in swap, locked pages and holes,
 * records which pages are freed, and calls the test while a step is in flight.
 */

#ifndef _ASHMEM_TESTS_FAKE_STORE_H
#define _ASHMEM_TESTS_FAKE_STORE_H

#include "fixture.h"

/* Pages per step of a file with few mappings. */
#define STEP		512

#define PUNCHES_MAX	64

/**
 * struct punch - pages that the store was told to throw away
 * @backing: of which region
 * @first: first page
 * @last: last page
 * @reclaim: by the shrinker
 */
struct punch {
	struct file *backing;
	unsigned long first;
	unsigned long last;
	bool reclaim;
};

/**
 * struct fake_store - the store behind all regions of a test
 * @lock: protects @punches and @count
 * @punches: what it was told to throw away
 * @count: how many times
 * @data: first page that exists
 * @data_end: the page behind the last such
 * @swapped: pages from here on are swapped out
 * @locked: first page that is locked
 * @locked_end: the page behind the last such
 * @on_punch: called when pages are thrown away, no lock held, or NULL
 * @region: for @on_punch
 * @other: for @on_punch
 * @task: for @on_punch
 */
struct fake_store {
	spinlock_t lock; /* several tasks may purge */
	struct punch punches[PUNCHES_MAX];
	unsigned int count;
	unsigned long data;
	unsigned long data_end;
	unsigned long swapped;
	unsigned long locked;
	unsigned long locked_end;
	void (*on_punch)(struct kunit *test, struct fake_store *store, unsigned int number);
	struct ashmem_region *region;
	struct ashmem_region *other;
	struct ashmem_kunit_task task[4];
};

int fake_store_init(struct kunit *test);
void fake_store_exit(struct kunit *test);
void fake_store_end(struct kunit *test);
void fake_store_expect(struct kunit *test, unsigned int i, struct ashmem_region *region,
		       unsigned long first, unsigned long last);
void fake_store_expect_count(struct kunit *test, unsigned int count);

#endif /* _ASHMEM_TESTS_FAKE_STORE_H */
