// SPDX-License-Identifier: GPL-2.0-only
/*
 * Logs trouble without a panic: its message has the words of a stall report.
 */
#include <linux/module.h>

static int __init fault_init(void)
{
	pr_err("rcu: INFO: rcu_sched self-detected stall on CPU (on purpose)\n");
	return 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: logs trouble");
MODULE_LICENSE("GPL");
