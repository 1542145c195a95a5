// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last step before the OOM killer. Linux gives up when free pages and those of the zone's
 * LRU lists don't reach a watermark. It doesn't count what shrinkers have, so one call of the
 * shrinker that frees too little ends in a kill, however much could still be purged.
 */

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mmzone.h>
#include <linux/oom.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/vmstat.h>
#include <linux/wait.h>

#include "oom.h"
#include "purge.h"

/*
 * How long purges put off a kill. The pages may be on nodes or in zones that are of no use to
 * the task that wants memory, and another task may unpin as fast as this purges. Then they
 * report nothing for a while: not each call that reports nothing ends in a kill.
 */
#define PUT_OFF_MAX	(5 * HZ)
#define LET_KILL	(HZ / 5)

/* From which length a wait is long enough for others to have freed memory. */
#define LONG_WAIT	(HZ / 10)

static struct task_struct *task;
static DECLARE_WAIT_QUEUE_HEAD(queue);
static DECLARE_COMPLETION(done);
static bool wanted;
static unsigned long freed;
/*
 * Calls that come within a second of one another are a run, at first put off, then let through.
 * When that phase began, and the last call ended. Under oom_lock.
 */
static bool let;
static unsigned long began;
static unsigned long ended;

/*
 * Before Linux comes here, it tries the high watermark of each node that the task may use. A
 * purge of other nodes would be of no use, and others would lose their pages.
 */
static bool node_is_short(int nid)
{
	struct zone *zone = NODE_DATA(nid)->node_zones;
	struct zone *end = zone + MAX_NR_ZONES;

	for (; zone < end; zone++) {
		if (zone_page_state(zone, NR_FREE_PAGES) >
		    high_wmark_pages(zone) + zone->lowmem_reserve[MAX_NR_ZONES - 1])
			return false;
	}
	return true;
}

static int serve(void *unused)
{
	memalloc_noreclaim_save();
	for (;;) {
		wait_event_idle(queue, READ_ONCE(wanted) || kthread_should_stop());
		if (kthread_should_stop())
			return 0;
		WRITE_ONCE(freed, ashmem_purge_any(&ashmem_lru, node_is_short));
		WRITE_ONCE(wanted, false);
		complete(&done);
	}
}

/*
 * The caller may hold locks that the step needs, such as that of a folio, and it holds the
 * oom_lock. So another task takes the step, and if that takes too long, a task is killed.
 */
static unsigned long purge_in_time(void)
{
	unsigned long start = jiffies, pages = 0;

	/* The last step still hangs. The next kills need not wait for it. */
	if (READ_ONCE(wanted))
		return 0;
	reinit_completion(&done);
	WRITE_ONCE(wanted, true);
	wake_up(&queue);
	if (wait_for_completion_timeout(&done, HZ))
		pages = READ_ONCE(freed);
	/* Others may have freed memory since Linux looked. With a page, it looks again. */
	if (!pages && jiffies - start > LONG_WAIT)
		pages = 1;
	return pages;
}

/* Is a call at @now, in jiffies, one that puts off a kill? */
bool ashmem_oom_put_off(unsigned long now)
{
	if (now - ended > HZ || now - began > (let ? LET_KILL : PUT_OFF_MAX)) {
		let = now - ended <= HZ && !let;
		began = now;
	}
	ended = now;
	return !let;
}

static int before_kill(struct notifier_block *self, unsigned long unused, void *sum)
{
	/* A killed task gets reserves. */
	if (ashmem_oom_put_off(jiffies) && !fatal_signal_pending(current))
		*(unsigned long *)sum += purge_in_time();
	/* The wait was part of the call. */
	ended = jiffies;
	return NOTIFY_OK;
}

static struct notifier_block notifier = { .notifier_call = before_kill };

int __init ashmem_oom_init(void)
{
	int err;

	task = kthread_run(serve, NULL, "ashmem_oom");
	if (IS_ERR(task))
		return PTR_ERR(task);
	/* Not behind a task that uses up its CPU. */
	sched_set_fifo_low(task);
	err = register_oom_notifier(&notifier);
	if (err)
		kthread_stop(task);
	return err;
}

void ashmem_oom_exit(void)
{
	unregister_oom_notifier(&notifier);
	kthread_stop(task);
}
