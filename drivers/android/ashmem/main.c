// SPDX-License-Identifier: GPL-2.0
/*
 * ashmem: start and end of the module.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>

#include "ashmem.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static int __init ashmem_init(void)
{
	const char *what;
	int err;

	what = "learn the operations of shmem files";
	err = ashmem_backing_init();
	if (err)
		goto err_report;
	what = "create the cache of regions";
	err = ashmem_region_init();
	if (err)
		goto err_report;
	what = "create the cache of ranges";
	err = ashmem_pin_init();
	if (err)
		goto err_region;
	what = "create the cache of range groups";
	err = ashmem_lru_group_cache_init();
	if (err)
		goto err_pin;
	what = "register the shrinker";
	err = ashmem_reclaim_init();
	if (err)
		goto err_group;
	/* Last: from here on there are users. */
	what = "register the device";
	err = ashmem_device_init();
	if (err)
		goto err_reclaim;
	return 0;

err_reclaim:
	ashmem_reclaim_exit();
err_group:
	ashmem_lru_group_cache_exit();
err_pin:
	ashmem_pin_exit();
err_region:
	ashmem_region_exit();
err_report:
	pr_err("could not %s (error %d)\n", what, err);
	return err;
}
module_init(ashmem_init);

static void __exit ashmem_exit(void)
{
	ashmem_device_exit();
	ashmem_reclaim_exit();
	ashmem_lru_group_cache_exit();
	ashmem_pin_exit();
	ashmem_region_exit();
}
module_exit(ashmem_exit);

MODULE_DESCRIPTION("Anonymous shared memory");
MODULE_VERSION(ASHMEM_VERSION);
MODULE_LICENSE("GPL");
