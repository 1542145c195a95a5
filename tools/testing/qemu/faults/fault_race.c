// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two threads increment a number without a lock.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>

static unsigned long number;

static int count(void *unused)
{
	while (!kthread_should_stop()) {
		number++;
		cond_resched();
	}
	return 0;
}

static int __init fault_init(void)
{
	struct task_struct *one = kthread_run(count, NULL, "fault_one");
	struct task_struct *two = kthread_run(count, NULL, "fault_two");

	msleep(3000);
	if (!IS_ERR(one))
		kthread_stop(one);
	if (!IS_ERR(two))
		kthread_stop(two);
	return 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: has a data race");
MODULE_LICENSE("GPL");
