// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frees a timer that is running.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timer.h>

static void nothing(struct timer_list *timer)
{
}

static int __init fault_init(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return -ENOMEM;
	timer_setup(timer, nothing, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
	return 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: frees an object in use");
MODULE_LICENSE("GPL");
