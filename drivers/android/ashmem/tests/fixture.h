/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites share: an LRU of their own, so that they can run beside the
 * device's users, and the seed.
 */

#ifndef _ASHMEM_TESTS_FIXTURE_H
#define _ASHMEM_TESTS_FIXTURE_H

#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/prandom.h>

#include "../ashmem.h"

/* A cgroup that none is numbered like. */
#define KUNIT_CGROUP	BIT_ULL(60)

struct mem_cgroup;

struct ashmem_lru *ashmem_kunit_lru(struct kunit *test);
struct ashmem_lru_group *ashmem_kunit_group(struct kunit *test, struct ashmem_lru *lru);
struct ashmem_lru_group *ashmem_kunit_group_of(struct kunit *test, struct ashmem_lru *lru,
					       u64 cgroup, int nid);
unsigned long ashmem_kunit_count(struct ashmem_lru *lru, struct mem_cgroup *memcg);
struct ashmem_region *ashmem_kunit_region(struct kunit *test, struct ashmem_lru *lru);
struct ashmem_range *ashmem_kunit_range(struct kunit *test, struct ashmem_region *region,
					unsigned long pages);
void ashmem_kunit_unpin(struct kunit *test, struct ashmem_region *region,
			unsigned long first, unsigned long last);
int ashmem_kunit_pin(struct ashmem_region *region, unsigned long first, unsigned long last);
unsigned long ashmem_kunit_scan(struct ashmem_lru *lru, unsigned long pages,
				unsigned long *scanned);
u64 ashmem_kunit_seed(struct kunit *test, struct rnd_state *random);

#endif /* _ASHMEM_TESTS_FIXTURE_H */
