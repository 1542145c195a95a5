// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads freed memory.
 */
#include <linux/module.h>
#include <linux/slab.h>

static int __init fault_init(void)
{
	int *piece = kmalloc(sizeof(*piece), GFP_KERNEL);

	if (!piece)
		return -ENOMEM;
	WRITE_ONCE(*piece, 1);
	kfree(piece);
	return READ_ONCE(*piece) == 12345;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: uses memory after it was freed");
MODULE_LICENSE("GPL");
