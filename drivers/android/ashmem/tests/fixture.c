// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the suites share.
 */

#include <kunit/test-bug.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/nodemask.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/shrinker.h>
#include <linux/topology.h>

#include "../compat/shrinker.h"
#include "../payer.h"
#include "../pin.h"
#include "../purge.h"
#include "fixture.h"

static unsigned long long seed;
module_param_named(kunit_seed, seed, ullong, 0444);
MODULE_PARM_DESC(kunit_seed, "seed of the random tests, 0 for one that differs each time");

static void free_shrinker(void *shrinker)
{
	compat_shrinker_free(shrinker);
}

static void end_lru(void *data)
{
	struct ashmem_lru *lru = data;

	KUNIT_EXPECT_TRUE_MSG(kunit_get_current_test(), list_empty(&lru->groups),
			      "a group was left behind");
	ashmem_lru_exit(lru);
}

/**
 * ashmem_kunit_lru - an LRU that only the test knows of
 * @test: the test, with which it ends; it must be empty then
 *
 * The task stays on its node from here on: pages that don't exist belong there.
 */
struct ashmem_lru *ashmem_kunit_lru(struct kunit *test)
{
	struct ashmem_lru *lru = kunit_kzalloc(test, sizeof(*lru), GFP_KERNEL);
	/* Never registered: the lists only need its number. */
	struct shrinker *shrinker = compat_shrinker_alloc("ashmem-kunit");

	KUNIT_ASSERT_NOT_NULL(test, shrinker);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_shrinker, shrinker));
	KUNIT_ASSERT_NOT_NULL(test, lru);
	KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(current, cpumask_of_node(numa_node_id())));
	KUNIT_ASSERT_EQ(test, 0, ashmem_lru_init(lru, shrinker, ashmem_payer_hold,
						 ashmem_purge_step));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, end_lru, lru));
	return lru;
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
		unsigned long ret = ashmem_purge_count(lru, &sc);

		pages += ret == SHRINK_EMPTY ? 0 : ret;
	}
	return pages;
}

/**
 * ashmem_kunit_scan - what shrinkers of all nodes do
 * @lru: the LRU
 * @memcg: the cgroup, or NULL for the root's
 * @pages: how many pages they ask for
 * @scanned: set to how many were dealt with
 *
 * Return: how many of them were in memory, or %SHRINK_STOP.
 */
unsigned long ashmem_kunit_scan(struct ashmem_lru *lru, struct mem_cgroup *memcg,
				unsigned long pages, unsigned long *scanned)
{
	unsigned long freed = SHRINK_STOP;
	int nid;

	*scanned = 0;
	for_each_online_node(nid) {
		struct shrink_control sc = {
			.nid = nid, .memcg = memcg, .gfp_mask = GFP_KERNEL,
			.nr_to_scan = pages,
		};
		unsigned long ret = ashmem_purge_some(lru, &sc);

		if (ret == SHRINK_STOP)
			continue;
		*scanned += sc.nr_scanned;
		freed = freed == SHRINK_STOP ? ret : freed + ret;
	}
	return freed;
}

static void close_region(void *region)
{
	ashmem_region_close(region);
}

/**
 * ashmem_kunit_region - a new region
 * @test: the test, with which it is closed
 * @lru: where its payers are listed
 * @pages: its size; it has its backing unless this is 0
 */
struct ashmem_region *ashmem_kunit_region(struct kunit *test, struct ashmem_lru *lru,
					  unsigned long pages)
{
	struct ashmem_region *region = ashmem_region_create(lru);

	KUNIT_ASSERT_NOT_NULL(test, region);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, close_region, region));
	if (pages) {
		KUNIT_ASSERT_EQ(test, 0, ashmem_region_set_size(region, pages << PAGE_SHIFT));
		KUNIT_ASSERT_EQ(test, 0, ashmem_region_back(region, PAGE_SIZE, true, false));
		KUNIT_ASSERT_NOT_NULL(test, region->backing);
	}
	return region;
}

/* Close a region before the test ends. */
void ashmem_kunit_close(struct kunit *test, struct ashmem_region *region)
{
	kunit_release_action(test, close_region, region);
}

static struct ashmem_pin pages_of(unsigned long first, unsigned long last)
{
	return (struct ashmem_pin){ first << PAGE_SHIFT, (last - first + 1) << PAGE_SHIFT };
}

/* UNPIN as a program does. */
int ashmem_kunit_unpin(struct ashmem_region *region, unsigned long first,
		       unsigned long last)
{
	struct ashmem_pin pin = pages_of(first, last);

	return ashmem_region_unpin(region, &pin);
}

/* PIN as a program does. */
int ashmem_kunit_pin(struct ashmem_region *region, unsigned long first, unsigned long last)
{
	struct ashmem_pin pin = pages_of(first, last);

	return ashmem_region_pin(region, &pin);
}

/* GET_PIN_STATUS as a program does. */
int ashmem_kunit_pin_status(struct ashmem_region *region, unsigned long first,
			    unsigned long last)
{
	struct ashmem_pin pin = pages_of(first, last);

	return ashmem_region_pin_status(region, &pin);
}

/* A region's newest payer, in most tests its only one. */
struct ashmem_payer *ashmem_kunit_payer(struct ashmem_region *region)
{
	return list_last_entry(&region->payers, struct ashmem_payer, link);
}

unsigned int ashmem_kunit_payers(struct ashmem_region *region)
{
	return list_count_nodes(&region->payers);
}

/* In place of ashmem_range_alloc(): there is no memory. */
struct ashmem_range *ashmem_kunit_no_range(gfp_t gfp)
{
	return NULL;
}

/* Pages that are unpinned from here on are younger than those before. */
void ashmem_kunit_next_tick(void)
{
	unsigned long now = jiffies;

	while (!time_after(jiffies, now))
		usleep_range(100, 1000);
}

/* Give all ranges of a region's only payer the age of its oldest one. */
void ashmem_kunit_same_tick(struct ashmem_region *region)
{
	struct ashmem_queue *queue = &ashmem_kunit_payer(region)->queue;
	struct ashmem_range *range;

	spin_lock(&region->lock);
	list_for_each_entry(range, &queue->ranges, age)
		range->stamp = ashmem_queue_oldest(queue)->stamp;
	spin_unlock(&region->lock);
}

static int run_task(void *data)
{
	struct ashmem_kunit_task *task = data;

	/* Pages that don't exist belong to the node of the test's own task. */
	set_cpus_allowed_ptr(current, cpumask_of_node(task->nid));
	current->kunit_test = task->test;
	allow_signal(SIGKILL);
	complete(&task->ready);
	task->ret = task->call(task);
	current->kunit_test = NULL;
	complete_all(&task->done);
	return 0;
}

/**
 * ashmem_kunit_start - have another task do a call
 * @test: the test
 * @task: the call, with all that it needs; zeroes otherwise
 *
 * Return: false, and the test has failed, if there is no task.
 */
bool ashmem_kunit_start(struct kunit *test, struct ashmem_kunit_task *task)
{
	task->test = test;
	task->nid = numa_node_id();
	init_completion(&task->ready);
	init_completion(&task->done);
	task->task = kthread_create(run_task, task, "ashmem-kunit");
	if (IS_ERR(task->task)) {
		task->task = NULL;
		KUNIT_FAIL(test, "no thread");
		return false;
	}
	get_task_struct(task->task);
	wake_up_process(task->task);
	wait_for_completion(&task->ready);
	return true;
}

/* Wait until the call has returned. Gives up after half a minute. */
bool ashmem_kunit_is_done(struct ashmem_kunit_task *task)
{
	return wait_for_completion_timeout(&task->done, 30 * HZ);
}

void ashmem_kunit_kill(struct ashmem_kunit_task *task)
{
	send_sig(SIGKILL, task->task, 1);
}

/* Wait for the end of a task, if it was started. */
void ashmem_kunit_end(struct ashmem_kunit_task *task)
{
	if (!task->task)
		return;
	kthread_stop(task->task);
	put_task_struct(task->task);
	task->task = NULL;
}

/**
 * ashmem_kunit_seed - begin a random test
 * @test: the test
 * @random: set by the seed
 *
 * Return: the seed, which is printed, too: with it the test does the same again.
 */
u64 ashmem_kunit_seed(struct kunit *test, struct rnd_state *random)
{
	u64 chosen = seed ?: get_random_u32();

	kunit_info(test, "ashmem_linux.kunit_seed=%llu", chosen);
	prandom_seed_state(random, chosen);
	return chosen;
}
