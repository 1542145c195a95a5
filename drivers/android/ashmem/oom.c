// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last step before the OOM killer. Linux gives up when free pages and those of its own
 * LRU lists don't reach a watermark. It doesn't count what shrinkers have, so one call of the
 * shrinker that frees too little ends in a kill, however much could still be purged.
 */

#include <linux/completion.h>
#include <linux/oom.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

#include "oom.h"
#include "purge.h"

static struct workqueue_struct *queue;
static DECLARE_COMPLETION(done);
static unsigned long freed;

static void purge_step(struct work_struct *work)
{
	unsigned int flags = memalloc_noreclaim_save();

	WRITE_ONCE(freed, ashmem_purge_any(&ashmem_lru));
	memalloc_noreclaim_restore(flags);
	complete(&done);
}

static DECLARE_WORK(step, purge_step);

/*
 * The caller may hold locks that the step needs, such as that of a folio, and it holds the
 * oom_lock. So another task takes the step, and if that takes too long, a task is killed.
 */
static int before_kill(struct notifier_block *self, unsigned long unused, void *sum)
{
	reinit_completion(&done);
	queue_work(queue, &step);
	if (wait_for_completion_timeout(&done, HZ))
		*(unsigned long *)sum += READ_ONCE(freed);
	return NOTIFY_OK;
}

static struct notifier_block notifier = { .notifier_call = before_kill };

int __init ashmem_oom_init(void)
{
	int err;

	queue = alloc_workqueue("ashmem", WQ_MEM_RECLAIM | WQ_UNBOUND | WQ_HIGHPRI, 1);
	if (!queue)
		return -ENOMEM;
	err = register_oom_notifier(&notifier);
	if (err)
		destroy_workqueue(queue);
	return err;
}

void ashmem_oom_exit(void)
{
	unregister_oom_notifier(&notifier);
	destroy_workqueue(queue);
}
