// SPDX-License-Identifier: GPL-2.0-only
/*
 * Warns once.
 */
#include <linux/bug.h>
#include <linux/module.h>

static int __init fault_init(void)
{
	WARN(1, "a warning on purpose\n");
	return 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: warns");
MODULE_LICENSE("GPL");
