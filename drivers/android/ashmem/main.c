// SPDX-License-Identifier: GPL-2.0-only
/* ashmem: start and end of the module. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "alloc.h"
#include "ashmem.h"
#include "lru.h"
#include "oom.h"
#include "payer.h"
#include "purge.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static void caches_exit(void)
{
	kmem_cache_destroy(ashmem_lru_cache);
	kmem_cache_destroy(ashmem_payer_cache);
	kmem_cache_destroy(ashmem_range_cache);
	kmem_cache_destroy(ashmem_region_cache);
}

static int __init caches_init(void)
{
	ashmem_region_cache = KMEM_CACHE(ashmem_region, SLAB_ACCOUNT);
	ashmem_range_cache = KMEM_CACHE(ashmem_range, SLAB_ACCOUNT);
	ashmem_payer_cache = KMEM_CACHE(ashmem_payer, SLAB_ACCOUNT);
	ashmem_lru_cache = KMEM_CACHE(ashmem_lru_group, SLAB_ACCOUNT);
	if (ashmem_region_cache && ashmem_range_cache && ashmem_payer_cache && ashmem_lru_cache)
		return 0;
	caches_exit();
	return -ENOMEM;
}

static int __init ashmem_init(void)
{
	const char *what;
	int err;

	what = "learn the operations of shmem files";
	err = ashmem_backing_init();
	if (err)
		goto err_report;
	what = "create the slab caches";
	err = caches_init();
	if (err)
		goto err_report;
	what = "register the shrinker";
	err = ashmem_purge_init();
	if (err)
		goto err_caches;
	what = "register the OOM notifier";
	err = ashmem_oom_init();
	if (err)
		goto err_purge;
	/* Last: from here on there are users. */
	what = "register the device";
	err = misc_register(&ashmem_device);
	if (err)
		goto err_oom;
	return 0;

err_oom:
	ashmem_oom_exit();
err_purge:
	ashmem_purge_exit();
err_caches:
	caches_exit();
err_report:
	pr_err("could not %s (error %d)\n", what, err);
	return err;
}
module_init(ashmem_init);

static void __exit ashmem_exit(void)
{
	misc_deregister(&ashmem_device);
	ashmem_oom_exit();
	ashmem_purge_exit();
	caches_exit();
}
module_exit(ashmem_exit);

MODULE_DESCRIPTION("Anonymous shared memory");
MODULE_VERSION(ASHMEM_VERSION);
MODULE_LICENSE("GPL");
