// SPDX-License-Identifier: GPL-2.0
/*
 * Pinning and unpinning the pages of a region.
 */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "ashmem.h"
#include "trace.h"

static struct kmem_cache *range_cache;

static struct ashmem_range *range_alloc(void)
{
	return kmem_cache_alloc(range_cache, GFP_KERNEL);
}

static void range_free(struct ashmem_range *range)
{
	if (range)
		kmem_cache_free(range_cache, range);
}

/**
 * ashmem_ranges_free - free the ranges that an operation on a set left over
 * @dropped: list of them
 */
void ashmem_ranges_free(struct list_head *dropped)
{
	struct ashmem_range *range, *next;

	list_for_each_entry_safe(range, next, dropped, lru)
		range_free(range);
}

/**
 * ashmem_pin_interval - the pages that a struct ashmem_pin means
 * @pin: interval in bytes, as the user gave it
 * @size: size of the region in bytes, at most MAX_LFS_FILESIZE
 * @first: first page, set on success
 * @last: last page, set on success
 *
 * All that can be wrong with an interval is found here. The sum of offset and
 * len has to fit into 32 bits, as it always had to; what "everything from
 * offset on" means is reckoned in 64.
 *
 * Return: 0; -EINVAL if the interval is unaligned, empty, overflows or passes
 * the page-rounded end.
 */
int ashmem_pin_interval(const struct ashmem_pin *pin, size_t size,
			unsigned long *first, unsigned long *last)
{
	u64 end_of_region = round_up((u64)size, PAGE_SIZE);
	u64 end = end_of_region;
	u32 sum;

	if (!PAGE_ALIGNED(pin->offset) || !PAGE_ALIGNED(pin->len))
		return -EINVAL;
	if (pin->len) {
		if (check_add_overflow(pin->offset, pin->len, &sum))
			return -EINVAL;
		end = sum;
	}
	if (pin->offset >= end || end > end_of_region)
		return -EINVAL;

	*first = pin->offset >> PAGE_SHIFT;
	*last = (end >> PAGE_SHIFT) - 1;
	return 0;
}

/*
 * Lock a region that can be pinned, and work out which pages @pin means.
 */
static int lock_interval(struct ashmem_region *region, const struct ashmem_pin *pin,
			 unsigned long *first, unsigned long *last)
{
	int err = mutex_lock_killable(&region->lock);

	if (err)
		return err;
	err = region->backing ? ashmem_pin_interval(pin, region->size, first, last) :
				-EINVAL;
	if (err)
		mutex_unlock(&region->lock);
	return err;
}

/**
 * ashmem_region_pin - keep pages
 * @region: the region
 * @pin: which pages
 *
 * Return: %ASHMEM_NOT_PURGED, %ASHMEM_WAS_PURGED if contents of any range that
 * the interval touches were lost; -EINVAL without a backing or for a bad
 * interval, -ENOMEM, -EINTR.
 */
int ashmem_region_pin(struct ashmem_region *region, const struct ashmem_pin *pin)
{
	struct ashmem_range *spare = NULL;
	unsigned long first, last;
	LIST_HEAD(dropped);
	bool purged;
	int ret;

	for (;;) {
		ret = lock_interval(region, pin, &first, &last);
		if (ret)
			goto out;
		if (spare || !ashmem_ranges_pin_splits(&region->unpinned, first, last))
			break;
		/* Seldom needed, so not allocated beforehand: look again after. */
		mutex_unlock(&region->lock);
		spare = range_alloc();
		if (!spare)
			return -ENOMEM;
	}

	purged = ashmem_ranges_pin(&region->unpinned, first, last, &spare, &dropped);
	mutex_unlock(&region->lock);
	ashmem_ranges_free(&dropped);

	trace_ashmem_pin(region, first, last, purged);
	if (purged)
		ashmem_stats_pin_purged();
	ret = purged ? ASHMEM_WAS_PURGED : ASHMEM_NOT_PURGED;
out:
	range_free(spare);
	return ret;
}

/**
 * ashmem_region_unpin - make pages purgeable
 * @region: the region
 * @pin: which pages
 *
 * Return: 0; -EINVAL without a backing or for a bad interval, -EPERM if the
 * protection mask lacks PROT_WRITE, -ENOMEM, -EINTR.
 */
int ashmem_region_unpin(struct ashmem_region *region, const struct ashmem_pin *pin)
{
	struct ashmem_range *spare;
	unsigned long first, last;
	LIST_HEAD(dropped);
	int err;

	spare = range_alloc();
	if (!spare)
		return -ENOMEM;

	err = lock_interval(region, pin, &first, &last);
	if (err)
		goto out;
	/* Who may not write may not have the contents thrown away either. */
	if (!(region->prot_mask & PROT_WRITE))
		err = -EPERM;
	else
		err = ashmem_lru_current_group(region->lru, &region->group);
	if (!err)
		ashmem_ranges_unpin(&region->unpinned, region, region->group,
				    first, last, &spare, &dropped);
	mutex_unlock(&region->lock);
	ashmem_ranges_free(&dropped);
	if (!err)
		trace_ashmem_unpin(region, first, last);
out:
	range_free(spare);
	return err;
}

/**
 * ashmem_region_pin_status - is any page unpinned?
 * @region: the region
 * @pin: which pages
 *
 * Return: %ASHMEM_IS_UNPINNED if so, else %ASHMEM_IS_PINNED; -EINVAL without a
 * backing or for a bad interval, -EINTR.
 */
int ashmem_region_pin_status(struct ashmem_region *region, const struct ashmem_pin *pin)
{
	unsigned long first, last;
	int ret;

	ret = lock_interval(region, pin, &first, &last);
	if (ret)
		return ret;
	ret = ashmem_ranges_overlap(&region->unpinned, first, last) ?
	      ASHMEM_IS_UNPINNED : ASHMEM_IS_PINNED;
	mutex_unlock(&region->lock);
	return ret;
}

int __init ashmem_pin_init(void)
{
	range_cache = kmem_cache_create("ashmem_range", sizeof(struct ashmem_range),
					0, SLAB_ACCOUNT, NULL);
	return range_cache ? 0 : -ENOMEM;
}

void ashmem_pin_exit(void)
{
	kmem_cache_destroy(range_cache);
}
