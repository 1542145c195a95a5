// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes one byte behind its buffer.
 */
#include <linux/module.h>
#include <linux/slab.h>

static int __init fault_init(void)
{
	size_t size = 100;
	char *piece;

	OPTIMIZER_HIDE_VAR(size);
	piece = kmalloc(size, GFP_KERNEL);
	if (!piece)
		return -ENOMEM;
	WRITE_ONCE(piece[size], 1);
	kfree(piece);
	return 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: writes out of bounds");
MODULE_LICENSE("GPL");
