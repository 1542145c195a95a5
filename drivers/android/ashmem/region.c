// SPDX-License-Identifier: GPL-2.0
/*
 * Regions: lifetime, name, size, protection mask, backing.
 */

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/personality.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "ashmem.h"

static struct kmem_cache *region_cache;

/**
 * ashmem_region_create - make a region: no name, no size, all rights, all pinned
 * @lru: where its unpinned ranges will be listed
 *
 * Return: the region, owned by the caller, who closes it; NULL without memory.
 */
struct ashmem_region *ashmem_region_create(struct ashmem_lru *lru)
{
	struct ashmem_region *region = kmem_cache_zalloc(region_cache, GFP_KERNEL);

	if (!region)
		return NULL;
	kref_init(&region->refs);
	mutex_init(&region->lock);
	region->prot_mask = ASHMEM_PROT_ALL;
	ashmem_ranges_init(&region->unpinned);
	region->lru = lru;
	return region;
}

/**
 * ashmem_region_close - end a region; mappings of it live on
 * @region: the region; nobody uses it any more but a purge that is under way
 *
 * Pages that were unpinned and are still mapped stay from now on: nobody could
 * pin them again to learn that they went.
 */
void ashmem_region_close(struct ashmem_region *region)
{
	/* A purge may have the lock, for one step at the most. */
	mutex_lock(&region->lock);
	ashmem_ranges_clear(&region->unpinned, ashmem_ranges_free_many);
	mutex_unlock(&region->lock);
	ashmem_range_free(region->spare);

	if (region->group)
		ashmem_lru_group_put(region->group);
	if (region->label)
		fput(region->label);
	if (region->backing)
		fput(region->backing);
	ashmem_region_put(region);
}

void ashmem_region_get(struct ashmem_region *region)
{
	kref_get(&region->refs);
}

static void region_free(struct kref *refs)
{
	struct ashmem_region *region = container_of(refs, struct ashmem_region, refs);

	kfree(region->name);
	mutex_destroy(&region->lock);
	kmem_cache_free(region_cache, region);
}

void ashmem_region_put(struct ashmem_region *region)
{
	kref_put(&region->refs, region_free);
}

/**
 * ashmem_region_set_name - name a region
 * @region: the region
 * @full: %ASHMEM_NAME_PREFIX and the name, which is up to %ASHMEM_NAME_LEN - 1
 *	bytes long, allocated; the region's from now on, or freed on error. An
 *	empty name takes the name away.
 *
 * Return: 0; -EINVAL if the backing exists, -EINTR.
 */
int ashmem_region_set_name(struct ashmem_region *region, char *full)
{
	int err;

	if (!full[ASHMEM_NAME_PREFIX_LEN]) {
		kfree(full);
		full = NULL;
	}

	err = mutex_lock_killable(&region->lock);
	if (!err) {
		if (region->backing)
			err = -EINVAL;
		else
			swap(region->name, full);
		mutex_unlock(&region->lock);
	}
	kfree(full);
	return err;
}

/**
 * ashmem_region_get_name - copy a region's name
 * @region: the region
 * @name: buffer of %ASHMEM_NAME_LEN bytes
 *
 * Return: length of the string with its terminator, or -EINTR.
 */
int ashmem_region_get_name(struct ashmem_region *region, char *name)
{
	int err = mutex_lock_killable(&region->lock);

	if (err)
		return err;
	strscpy(name, region->name ? region->name + ASHMEM_NAME_PREFIX_LEN :
		ASHMEM_NAME_DEF, ASHMEM_NAME_LEN);
	mutex_unlock(&region->lock);
	return strlen(name) + 1;
}

/**
 * ashmem_region_set_size - size a region
 * @region: the region
 * @size: bytes, any number
 *
 * Return: 0; -EINVAL if the backing exists, -EINTR.
 */
int ashmem_region_set_size(struct ashmem_region *region, size_t size)
{
	int err = mutex_lock_killable(&region->lock);

	if (err)
		return err;
	if (region->backing)
		err = -EINVAL;
	else
		WRITE_ONCE(region->size, size);
	mutex_unlock(&region->lock);
	return err;
}

/**
 * ashmem_region_set_prot_mask - take rights away from mappings to come
 * @region: the region
 * @prot: PROT_* bits, a subset of the present mask
 *
 * Return: 0; -EINVAL if a bit of @prot isn't in the mask, -EINTR.
 */
int ashmem_region_set_prot_mask(struct ashmem_region *region, unsigned long prot)
{
	int err = mutex_lock_killable(&region->lock);

	if (err)
		return err;
	if (prot & ~region->prot_mask) {
		err = -EINVAL;
	} else {
		/* What such a task may read it expects to be able to execute. */
		if ((prot & PROT_READ) && (current->personality & READ_IMPLIES_EXEC))
			prot |= region->prot_mask & PROT_EXEC;
		WRITE_ONCE(region->prot_mask, prot);
	}
	mutex_unlock(&region->lock);
	return err;
}

static const char *full_name(const struct ashmem_region *region)
{
	return region->name ?: ASHMEM_NAME_DEF;
}

/**
 * ashmem_region_back_locked - see to it that a region has its backing
 * @region: the region, which has a size
 * @noreserve: for a backing that is made now: charge pages as they are used
 * @labelled: and its label
 *
 * Both or nothing: a backing settles name and size, and can't be taken back
 * once it could be seen.
 *
 * Return: 0, or the error of ashmem_backing_create() or
 * ashmem_backing_create_label().
 */
int ashmem_region_back_locked(struct ashmem_region *region, bool noreserve,
			      bool labelled)
{
	struct file *backing = region->backing, *label = region->label;

	lockdep_assert_held(&region->lock);
	if (!backing) {
		backing = ashmem_backing_create(full_name(region), region->size,
						noreserve);
		if (IS_ERR(backing))
			return PTR_ERR(backing);
	}
	if (labelled && !label) {
		label = ashmem_backing_create_label(full_name(region), backing);
		if (IS_ERR(label)) {
			if (!region->backing)
				fput(backing);
			return PTR_ERR(label);
		}
		region->label = label;
	}
	if (!region->backing) {
		/* Pairs with ashmem_region_backing(). */
		smp_store_release(&region->backing, backing);
	}
	return 0;
}

int __init ashmem_region_init(void)
{
	region_cache = kmem_cache_create("ashmem_region", sizeof(struct ashmem_region),
					 0, SLAB_ACCOUNT, NULL);
	return region_cache ? 0 : -ENOMEM;
}

void ashmem_region_exit(void)
{
	kmem_cache_destroy(region_cache);
}
