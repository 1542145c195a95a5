// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes through a pointer that is not mapped.
 */
#include <linux/compiler.h>
#include <linux/module.h>

static int __init fault_init(void)
{
	int *nowhere = (int *)8;

	WRITE_ONCE(*nowhere, 1);
	return 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: oopses");
MODULE_LICENSE("GPL");
