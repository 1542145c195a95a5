// SPDX-License-Identifier: GPL-2.0
/*
 * Tasks that are killed while they wait for a region that is busy.
 */

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "fixture.h"

/**
 * struct killed_case - a call that waits for its region
 * @name: what it is
 * @call: the call
 */
struct killed_case {
	const char *name;
	long (*call)(struct ashmem_region *region);
};

static const struct ashmem_pin first_page = { 0, PAGE_SIZE };

static long call_set_name(struct ashmem_region *region)
{
	char *full = kstrdup(ASHMEM_NAME_PREFIX "later", GFP_KERNEL);

	return full ? ashmem_region_set_name(region, full) : -ENOMEM;
}

static long call_get_name(struct ashmem_region *region)
{
	char name[ASHMEM_NAME_LEN];

	return ashmem_region_get_name(region, name);
}

static long call_set_size(struct ashmem_region *region)
{
	return ashmem_region_set_size(region, 2 * PAGE_SIZE);
}

static long call_set_prot_mask(struct ashmem_region *region)
{
	return ashmem_region_set_prot_mask(region, PROT_READ);
}

static long call_pin(struct ashmem_region *region)
{
	return ashmem_region_pin(region, &first_page);
}

static long call_unpin(struct ashmem_region *region)
{
	return ashmem_region_unpin(region, &first_page);
}

static long call_pin_status(struct ashmem_region *region)
{
	return ashmem_region_pin_status(region, &first_page);
}

/* Before it has the lock it asks the file for the region, and nothing else. */
static long call_map(struct ashmem_region *region)
{
	struct file *file = kzalloc(sizeof(*file), GFP_KERNEL);
	long ret;

	if (!file)
		return -ENOMEM;
	file->private_data = region;
	ret = ashmem_mmap(file, NULL);
	kfree(file);
	return ret;
}

static const struct killed_case killed_cases[] = {
	{ "set_name", call_set_name },
	{ "get_name", call_get_name },
	{ "set_size", call_set_size },
	{ "set_prot_mask", call_set_prot_mask },
	{ "pin", call_pin },
	{ "unpin", call_unpin },
	{ "pin_status", call_pin_status },
	{ "mmap", call_map },
};

KUNIT_ARRAY_PARAM_DESC(killed, killed_cases, name);

/**
 * struct victim - a task to be killed
 * @call: what it does
 * @region: and what with
 * @ret: what came of it
 * @ready: it can be killed
 * @done: @ret is there
 */
struct victim {
	long (*call)(struct ashmem_region *region);
	struct ashmem_region *region;
	long ret;
	struct completion ready;
	struct completion done;
};

static int victim_run(void *data)
{
	struct victim *victim = data;

	allow_signal(SIGKILL);
	complete(&victim->ready);
	victim->ret = victim->call(victim->region);
	complete(&victim->done);
	return 0;
}

static void killed_test(struct kunit *test)
{
	const struct killed_case *c = test->param_value;
	struct ashmem_region *region = ashmem_kunit_region(test, ashmem_kunit_lru(test));
	struct victim victim = { .call = c->call, .region = region };
	struct task_struct *task;
	char *full;

	full = kstrdup(ASHMEM_NAME_PREFIX "name", GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, full);
	KUNIT_ASSERT_EQ(test, 0, ashmem_region_set_name(region, full));
	KUNIT_ASSERT_EQ(test, 0, ashmem_region_set_size(region, PAGE_SIZE));
	init_completion(&victim.ready);
	init_completion(&victim.done);

	mutex_lock(&region->lock);
	task = kthread_create(victim_run, &victim, "ashmem-victim");
	if (IS_ERR(task)) {
		mutex_unlock(&region->lock);
		KUNIT_FAIL(test, "no thread");
		return;
	}
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&victim.ready);
	send_sig(SIGKILL, task, 1);
	/* The lock is held all the while: who waited for it would wait for ever. */
	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&victim.done, 30 * HZ));
	mutex_unlock(&region->lock);
	kthread_stop(task);
	put_task_struct(task);

	KUNIT_EXPECT_EQ(test, -EINTR, victim.ret);
	KUNIT_EXPECT_STREQ(test, ASHMEM_NAME_PREFIX "name", region->name);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, region->size);
	KUNIT_EXPECT_EQ(test, ASHMEM_PROT_ALL, region->prot_mask);
	KUNIT_EXPECT_NULL(test, region->backing);
	KUNIT_EXPECT_EQ(test, 0, region->unpinned.unpinned);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(killed_test, killed_gen_params),
	{}
};

static struct kunit_suite killed_suite = {
	.name = "ashmem_killed",
	.test_cases = cases,
};

kunit_test_suite(killed_suite);
