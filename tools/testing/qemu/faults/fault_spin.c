// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loops forever on a CPU.
 */
#include <linux/module.h>
#include <linux/preempt.h>

static int __init fault_init(void)
{
	preempt_disable();
	for (;;)
		cpu_relax();
	return 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: locks a processor up");
MODULE_LICENSE("GPL");
