// SPDX-License-Identifier: GPL-2.0
/*
 * Pinning and unpinning the pages of a region.
 */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "ashmem.h"
#include "trace.h"

static struct kmem_cache *range_cache;

static struct ashmem_range *range_alloc(void)
{
	return kmem_cache_alloc(range_cache, GFP_KERNEL);
}

/**
 * ashmem_range_free - free a range that is in no set
 * @range: the range, or NULL
 */
void ashmem_range_free(struct ashmem_range *range)
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

	list_for_each_entry_safe(range, next, dropped, lru) {
		ashmem_range_free(range);
		cond_resched();
	}
}

/**
 * ashmem_ranges_free_many - free ranges that are in no set
 * @ranges: the ranges
 * @count: how many
 */
void ashmem_ranges_free_many(struct ashmem_range **ranges, unsigned int count)
{
	kmem_cache_free_bulk(range_cache, count, (void **)ranges);
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

	if (!PAGE_ALIGNED(pin->offset) || !PAGE_ALIGNED(pin->len))
		return -EINVAL;
	if (pin->len) {
		end = (u64)pin->offset + pin->len;
		if (end > U32_MAX)
			return -EINVAL;
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

/*
 * Get a locked region a spare range. Its lock is dropped meanwhile, as the
 * allocation may have to purge just this region; pages and size are settled, so
 * an interval that was found good stays so. On error the lock isn't held.
 */
static int refill_spare(struct ashmem_region *region)
{
	struct ashmem_range *range;
	int err;

	mutex_unlock(&region->lock);
	range = range_alloc();
	if (!range)
		return -ENOMEM;
	err = mutex_lock_killable(&region->lock);
	if (!err && !region->spare)
		swap(region->spare, range);
	ashmem_range_free(range);
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
	unsigned long first, last;
	LIST_HEAD(dropped);
	int ret;

	ret = lock_interval(region, pin, &first, &last);
	if (ret)
		return ret;
	for (;;) {
		ret = ashmem_ranges_pin(&region->unpinned, first, last,
					&region->spare, &dropped);
		if (likely(ret != -EAGAIN))
			break;
		/* Seldom needed, so not got beforehand: look again after. */
		ret = refill_spare(region);
		if (ret)
			return ret;
	}
	mutex_unlock(&region->lock);
	ashmem_ranges_free(&dropped);

	trace_ashmem_pin(region, first, last, ret);
	if (!ret)
		return ASHMEM_NOT_PURGED;
	ashmem_stats_pin_purged();
	return ASHMEM_WAS_PURGED;
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
	unsigned long first, last;
	LIST_HEAD(dropped);
	int err;

	err = lock_interval(region, pin, &first, &last);
	if (err)
		return err;
	if (unlikely(!region->spare)) {
		err = refill_spare(region);
		if (err)
			return err;
	}
	/* Who may not write may not have the contents thrown away either. */
	if (!(region->prot_mask & PROT_WRITE))
		err = -EPERM;
	else
		err = ashmem_lru_current_group(region->lru, &region->group);
	if (!err)
		ashmem_ranges_unpin(&region->unpinned, region, region->group,
				    first, last, &region->spare, &dropped);
	mutex_unlock(&region->lock);
	ashmem_ranges_free(&dropped);
	if (!err)
		trace_ashmem_unpin(region, first, last);
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
