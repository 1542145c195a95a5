// SPDX-License-Identifier: GPL-2.0-only
/* ashmem: start and end of the module. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>

#include "alloc.h"
#include "ashmem.h"
#include "backing.h"
#include "device.h"
#include "lru.h"
#include "payer.h"
#include "purge.h"

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
	err = ashmem_region_cache_init();
	if (err)
		goto err_report;
	what = "create the cache of ranges";
	err = ashmem_range_cache_init();
	if (err)
		goto err_region;
	what = "create the cache of payers";
	err = ashmem_payer_cache_init();
	if (err)
		goto err_range;
	what = "create the cache of LRU groups";
	err = ashmem_lru_cache_init();
	if (err)
		goto err_payer;
	what = "register the shrinker";
	err = ashmem_purge_init();
	if (err)
		goto err_group;
	/* Last: from here on there are users. */
	what = "register the device";
	err = ashmem_device_init();
	if (err)
		goto err_purge;
	return 0;

err_purge:
	ashmem_purge_exit();
err_group:
	ashmem_lru_cache_exit();
err_payer:
	ashmem_payer_cache_exit();
err_range:
	ashmem_range_cache_exit();
err_region:
	ashmem_region_cache_exit();
err_report:
	pr_err("could not %s (error %d)\n", what, err);
	return err;
}
module_init(ashmem_init);

static void __exit ashmem_exit(void)
{
	ashmem_device_exit();
	ashmem_purge_exit();
	ashmem_lru_cache_exit();
	ashmem_payer_cache_exit();
	ashmem_range_cache_exit();
	ashmem_region_cache_exit();
}
module_exit(ashmem_exit);

MODULE_DESCRIPTION("Anonymous shared memory");
MODULE_VERSION(ASHMEM_VERSION);
MODULE_LICENSE("GPL");
