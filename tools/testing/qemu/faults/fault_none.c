// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module without a fault: the test bed must let it pass.
 */
#include <linux/module.h>

static int __init fault_init(void)
{
	return 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: does nothing");
MODULE_LICENSE("GPL");
