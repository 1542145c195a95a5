// SPDX-License-Identifier: GPL-2.0-only
/*
 * Never returns from its init. It sleeps in between, so that neither the lockup nor the
 * hung-task detector sees it: only the limit on the host can.
 */
#include <linux/delay.h>
#include <linux/module.h>

static int __init fault_init(void)
{
	for (;;)
		msleep(1000);

	return 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Test bed: hangs");
MODULE_LICENSE("GPL");
