// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits forever, without being woken by a signal.
 */
#include <linux/completion.h>
#include <linux/module.h>

static DECLARE_COMPLETION(never);

static int __init fault_init(void)
{
	wait_for_completion(&never);
	return 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: hangs a task");
MODULE_LICENSE("GPL");
