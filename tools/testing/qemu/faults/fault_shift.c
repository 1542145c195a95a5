// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shifts by more bits than the type has.
 */
#include <linux/module.h>

static int __init fault_init(void)
{
	int bits = 40;

	OPTIMIZER_HIDE_VAR(bits);
	pr_debug("%d\n", 1 << bits);
	return 1 << bits == 12345;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: does undefined arithmetic");
MODULE_LICENSE("GPL");
