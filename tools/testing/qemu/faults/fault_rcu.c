// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads an RCU-protected pointer without rcu_read_lock().
 */
#include <linux/module.h>
#include <linux/rcupdate.h>

static int __rcu *pointer;

static int __init fault_init(void)
{
	return rcu_dereference(pointer) ? -EBUSY : 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: reads under no RCU lock");
MODULE_LICENSE("GPL");
