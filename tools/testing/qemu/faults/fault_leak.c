// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps a reference to itself and never drops it.
 */
#include <linux/module.h>

static int __init fault_init(void)
{
	__module_get(THIS_MODULE);
	return 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: leaks a reference to itself");
MODULE_LICENSE("GPL");
