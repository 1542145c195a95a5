/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites share: a separate LRU, so that they can run while the device is in
 * use, regions, threads, and the seed.
 */

#ifndef _ASHMEM_TESTS_FIXTURE_H
#define _ASHMEM_TESTS_FIXTURE_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/prandom.h>

#include "../ashmem.h"
#include "../lru.h"

struct ashmem_payer;
struct mem_cgroup;

/**
 * struct ashmem_kunit_task - a call by another task
 * @call: the call
 * @region: what it acts on
 * @lru: what it acts on
 * @first: first page
 * @last: last page
 * @ret: what it returned
 * @test: the test, whose stand-ins the task sees, too
 * @nid: the node that the task runs on
 * @task: the task
 * @ready: it can be killed
 * @done: @ret is there
 */
struct ashmem_kunit_task {
	long (*call)(struct ashmem_kunit_task *task);
	struct ashmem_region *region;
	struct ashmem_lru *lru;
	unsigned long first;
	unsigned long last;
	long ret;
	struct kunit *test;
	int nid;
	struct task_struct *task;
	struct completion ready;
	struct completion done;
};

struct ashmem_lru *ashmem_kunit_lru(struct kunit *test);
unsigned long ashmem_kunit_count(struct ashmem_lru *lru, struct mem_cgroup *memcg);
unsigned long ashmem_kunit_scan(struct ashmem_lru *lru, struct mem_cgroup *memcg,
				unsigned long pages, unsigned long *scanned);
struct ashmem_region *ashmem_kunit_region(struct kunit *test, struct ashmem_lru *lru,
					  unsigned long pages);
void ashmem_kunit_close(struct kunit *test, struct ashmem_region *region);
int ashmem_kunit_unpin(struct ashmem_region *region, unsigned long first,
		       unsigned long last);
int ashmem_kunit_pin(struct ashmem_region *region, unsigned long first, unsigned long last);
int ashmem_kunit_pin_status(struct ashmem_region *region, unsigned long first,
			    unsigned long last);
struct ashmem_payer *ashmem_kunit_payer(struct ashmem_region *region);
unsigned int ashmem_kunit_payers(struct ashmem_region *region);
struct ashmem_range *ashmem_kunit_no_range(gfp_t gfp);
void ashmem_kunit_next_tick(void);
void ashmem_kunit_same_tick(struct ashmem_region *region);
bool ashmem_kunit_start(struct kunit *test, struct ashmem_kunit_task *task);
bool ashmem_kunit_is_done(struct ashmem_kunit_task *task);
void ashmem_kunit_kill(struct ashmem_kunit_task *task);
void ashmem_kunit_end(struct ashmem_kunit_task *task);
u64 ashmem_kunit_seed(struct kunit *test, struct rnd_state *random);

#endif /* _ASHMEM_TESTS_FIXTURE_H */
