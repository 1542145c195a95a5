// SPDX-License-Identifier: GPL-2.0
/*
 * Purging: by the shrinker when memory is short, by ASHMEM_PURGE_ALL_CACHES at
 * once.
 *
 * A purge goes in steps. Each step is atomic to PIN, since both hold the
 * region's lock: the range is marked as purged before its first page goes, and
 * a PIN between two steps takes the rest of the range out of the purge's way.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>

#include "ashmem.h"
#include "compat/shrinker.h"

/*
 * Pages that one step takes. It bounds how long a PIN on the same region waits;
 * a smaller step than a huge page would have shmem split it.
 */
#define PURGE_STEP	512UL

struct ashmem_lru ashmem_lru;
static struct shrinker *shrinker;

/*
 * Returns how many pages of @range were dealt with, and adds to @freed those of
 * them that were in memory: a range can have holes.
 */
static unsigned long purge_step_locked(struct ashmem_region *region,
				       struct ashmem_range *range,
				       unsigned long *freed)
{
	unsigned long first = range->resume;
	unsigned long pages = min(ashmem_range_purgeable(range), PURGE_STEP);

	lockdep_assert_held(&region->lock);
	ashmem_ranges_take(&region->unpinned, range, pages);
	*freed += ashmem_backing_punch(region->backing, first, first + pages - 1);
	return pages;
}

/*
 * Purge whole ranges, oldest first, until @nr_to_scan pages are dealt with.
 * Nothing here waits for a lock of ours: the task may hold one already.
 */
static unsigned long purge_oldest(struct ashmem_lru *lru, unsigned long nr_to_scan,
				  unsigned long *freed)
{
	unsigned long scanned = 0;
	struct ashmem_range *range;
	bool partial;

	do {
		struct ashmem_region *region;

		range = ashmem_lru_trylock_oldest(lru);
		if (!range)
			break;
		region = range->region;
		scanned += purge_step_locked(region, range, freed);
		partial = ashmem_range_purgeable(range);
		mutex_unlock(&region->lock);
		ashmem_region_put(region);
		cond_resched();
	} while (partial || scanned < nr_to_scan);

	return scanned;
}

static unsigned long shrinker_count(struct shrinker *shrink, struct shrink_control *sc)
{
	return ashmem_lru_pages(&ashmem_lru) ?: SHRINK_EMPTY;
}

static unsigned long shrinker_scan(struct shrinker *shrink, struct shrink_control *sc)
{
	unsigned long freed = 0;

	/* Freeing a page of shmem may wait for the file system's locks. */
	if (!(sc->gfp_mask & __GFP_FS))
		return SHRINK_STOP;

	sc->nr_scanned = purge_oldest(&ashmem_lru, sc->nr_to_scan, &freed);
	return sc->nr_scanned ? freed : SHRINK_STOP;
}

/**
 * ashmem_purge_all - purge every range that is listed now
 * @lru: the LRU
 *
 * Ranges that are unpinned meanwhile may be purged, too, but don't keep the
 * caller here for ever: it leaves when it has taken as many pages as there were.
 *
 * Return: how many pages were purgeable, or -EINTR for a task that is killed.
 */
long ashmem_purge_all(struct ashmem_lru *lru)
{
	unsigned long purgeable = ashmem_lru_pages(lru);
	unsigned long taken = 0, freed = 0;
	struct ashmem_region *region;

	while (taken < purgeable && (region = ashmem_lru_get_oldest(lru))) {
		struct ashmem_range *range;
		int err = fatal_signal_pending(current) ? -EINTR :
			  mutex_lock_killable(&region->lock);

		if (!err) {
			range = ashmem_lru_oldest_of(lru, region);
			if (range)
				taken += purge_step_locked(region, range, &freed);
			mutex_unlock(&region->lock);
		}
		ashmem_region_put(region);
		if (err)
			return err;
		cond_resched();
	}
	return purgeable;
}

int __init ashmem_reclaim_init(void)
{
	ashmem_lru_init(&ashmem_lru);
	shrinker = compat_shrinker_create("ashmem", shrinker_count, shrinker_scan);
	return PTR_ERR_OR_ZERO(shrinker);
}

void ashmem_reclaim_exit(void)
{
	compat_shrinker_destroy(shrinker);
}
