// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drops a reference that it does not hold.
 */
#include <linux/module.h>
#include <linux/refcount.h>

static int __init fault_init(void)
{
	refcount_t refs = REFCOUNT_INIT(1);

	refcount_dec(&refs);
	refcount_dec(&refs);
	return 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: drops a reference too many");
MODULE_LICENSE("GPL");
