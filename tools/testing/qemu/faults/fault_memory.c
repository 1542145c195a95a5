// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaks memory.
 */
#include <linux/module.h>
#include <linux/slab.h>

/* More than one: the address of one may still be on a stack. */
static int __init fault_init(void)
{
	int i;

	for (i = 0; i < 10; i++) {
		void *piece = kmalloc(100, GFP_KERNEL);

		/* Otherwise the compiler removes it. */
		OPTIMIZER_HIDE_VAR(piece);
		if (!piece)
			return -ENOMEM;
	}
	return 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: leaks memory");
MODULE_LICENSE("GPL");
