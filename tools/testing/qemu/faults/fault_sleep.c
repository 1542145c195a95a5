// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleeps under a spinlock.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static DEFINE_SPINLOCK(lock);

static int __init fault_init(void)
{
	void *piece;

	spin_lock(&lock);
	piece = kmalloc(100, GFP_KERNEL);
	spin_unlock(&lock);
	kfree(piece);
	return 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: may sleep under a spinlock");
MODULE_LICENSE("GPL");
