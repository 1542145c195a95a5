// SPDX-License-Identifier: GPL-2.0-only
/* Regions: lifetime, name, size, protection mask, backing. */

#include <linux/err.h>
#include <linux/file.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/personality.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "alloc.h"
#include "ashmem.h"
#include "payer.h"

/* userfaultfd checks the size of the file, and a private mapping may be at any offset. */
#define LABEL_SIZE	((size_t)MAX_LFS_FILESIZE & PAGE_MASK)

struct kmem_cache *ashmem_region_cache;

/* No name, no size, all rights, all pinned. The caller must close it. NULL: no memory. */
struct ashmem_region *ashmem_region_create(struct ashmem_lru *lru)
{
	struct ashmem_region *region = kmem_cache_zalloc(ashmem_region_cache, GFP_KERNEL);

	if (!region)
		return NULL;
	kref_init(&region->refs);
	spin_lock_init(&region->lock);
	region->prot_mask = ASHMEM_PROT_ALL;
	region->lru = lru;
	INIT_LIST_HEAD(&region->payers);
	INIT_LIST_HEAD(&region->flights);
	return region;
}

/* Mappings live on. Their unpinned pages are kept now, as no PIN could report a loss. */
void ashmem_region_close(struct ashmem_region *region)
{
	struct ashmem_ranges unpinned;

	/* Purges find ranges only through payers. Now the ranges are ours. */
	ashmem_payers_clear(region);
	spin_lock(&region->lock);
	unpinned = region->unpinned;
	ashmem_ranges_init(&region->unpinned);
	ashmem_region_count_locked(region);
	spin_unlock(&region->lock);
	if (!RB_EMPTY_ROOT(&unpinned.root))
		ashmem_ranges_free_all(&unpinned);
	ashmem_region_put(region);
}

static void free_region(struct kref *refs)
{
	struct ashmem_region *region = container_of(refs, struct ashmem_region, refs);

	ashmem_payers_free(region);
	ashmem_range_free(region->spare);
	if (region->label)
		fput(region->label);
	if (region->backing)
		fput(region->backing);
	kfree(region->name);
	kmem_cache_free(ashmem_region_cache, region);
}

void ashmem_region_put(struct ashmem_region *region)
{
	kref_put(&region->refs, free_region);
}

/* Makes sure that the region has a spare range. Returns 0 or -ENOMEM. */
int ashmem_region_refill(struct ashmem_region *region, gfp_t gfp)
{
	struct ashmem_range *range;

	/* A hint: who finds none asks for it again. */
	if (data_race(region->spare))
		return 0;
	range = ashmem_range_alloc(gfp);
	if (!range)
		return -ENOMEM;
	/* It must not look like one that PIN took: see ashmem_payer_lock(). */
	range->paid = false;
	spin_lock(&region->lock);
	if (!region->spare)
		swap(region->spare, range);
	spin_unlock(&region->lock);
	ashmem_range_free(range);
	return 0;
}

static bool is_settled_locked(struct ashmem_region *region)
{
	lockdep_assert_held(&region->lock);
	return region->backing || region->settling;
}

/*
 * Takes @full, which is allocated: %ASHMEM_NAME_PREFIX and a name of less than
 * %ASHMEM_NAME_LEN bytes, empty for no name. Returns 0, or -EINVAL once the region is mapped
 * or a first mmap() is in progress.
 */
int ashmem_region_set_name(struct ashmem_region *region, char *full)
{
	int err = 0;

	if (!full[ASHMEM_NAME_PREFIX_LEN]) {
		kfree(full);
		full = NULL;
	}

	spin_lock(&region->lock);
	if (is_settled_locked(region))
		err = -EINVAL;
	else
		swap(region->name, full);
	spin_unlock(&region->lock);
	kfree(full);
	return err;
}

static void copy_name(const struct ashmem_region *region, char *name)
{
	strscpy(name, region->name ? region->name + ASHMEM_NAME_PREFIX_LEN :
		ASHMEM_NAME_DEF, ASHMEM_NAME_LEN);
}

/* @name has %ASHMEM_NAME_LEN bytes. Returns the length with the terminator. */
size_t ashmem_region_get_name(struct ashmem_region *region, char *name)
{
	if (ashmem_region_backing(region)) {
		copy_name(region, name);
	} else {
		spin_lock(&region->lock);
		copy_name(region, name);
		spin_unlock(&region->lock);
	}
	return strlen(name) + 1;
}

/* Returns 0, or -EINVAL once the region is mapped or a first mmap() is in progress. */
int ashmem_region_set_size(struct ashmem_region *region, size_t size)
{
	int err = 0;

	spin_lock(&region->lock);
	if (is_settled_locked(region))
		err = -EINVAL;
	else
		WRITE_ONCE(region->size, size);
	spin_unlock(&region->lock);
	return err;
}

/* Returns 0, or -EINVAL if a bit of @prot is not in the present mask. */
int ashmem_region_set_prot_mask(struct ashmem_region *region, unsigned long prot)
{
	int err = 0;

	spin_lock(&region->lock);
	if (prot & ~region->prot_mask) {
		err = -EINVAL;
	} else {
		/* Such a task expects to be able to execute what it can read. */
		if ((prot & PROT_READ) && (current->personality & READ_IMPLIES_EXEC))
			prot |= region->prot_mask & PROT_EXEC;
		WRITE_ONCE(region->prot_mask, prot);
	}
	spin_unlock(&region->lock);
	return err;
}

/* If another task was faster, the file is left to the caller. */
static void install_files_locked(struct ashmem_region *region, struct file **backing,
				 struct file **label)
{
	lockdep_assert_held(&region->lock);
	if (*backing && !region->backing) {
		/* Pairs with ashmem_region_backing(). */
		smp_store_release(&region->backing, *backing);
		*backing = NULL;
	}
	if (*label && !region->label) {
		/* ASHMEM_GET_FILE_ID names private mappings, too. */
		file_inode(*label)->i_ino = file_inode(region->backing)->i_ino;
		/* Pairs with the READ_ONCE() of users, which depend on the address. */
		smp_store_release(&region->label, *label);
		*label = NULL;
	}
}

/*
 * Makes sure that a region has its backing and, with @labelled, its label. Creates them
 * without a lock: @settling keeps name and size. Of several tasks the first one wins, and
 * none waits. -EINVAL if the region is shorter than @mapped; see ashmem_backing_create().
 */
int ashmem_region_back(struct ashmem_region *region, unsigned long mapped,
		       bool noreserve, bool labelled)
{
	struct file *backing = NULL, *label = NULL;
	const char *name;
	int err = 0;

	if (ashmem_region_backing(region) && (!labelled || READ_ONCE(region->label)))
		return mapped > PAGE_ALIGN(region->size) ? -EINVAL : 0;

	spin_lock(&region->lock);
	if (mapped > PAGE_ALIGN(region->size))
		err = -EINVAL;
	else
		region->settling++;
	spin_unlock(&region->lock);
	if (err)
		return err;

	name = region->name ?: ASHMEM_NAME_DEF;
	if (!ashmem_region_backing(region))
		backing = ashmem_backing_create(name, region->size, noreserve);
	/* A second inode: to unmap pages of the backing would unmap private huge pages. */
	if (labelled && !IS_ERR(backing) && !READ_ONCE(region->label))
		label = ashmem_backing_create(name, LABEL_SIZE, true);
	err = PTR_ERR_OR_ZERO(backing) ?: PTR_ERR_OR_ZERO(label);

	spin_lock(&region->lock);
	region->settling--;
	if (!err)
		install_files_locked(region, &backing, &label);
	spin_unlock(&region->lock);

	if (!IS_ERR_OR_NULL(label))
		fput(label);
	if (!IS_ERR_OR_NULL(backing))
		fput(backing);
	return err;
}
