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

#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>

#include "ashmem.h"
#include "compat/shrinker.h"
#include "trace.h"

/*
 * Pages that one step takes. It bounds how long a PIN on the same region waits.
 * Steps end at multiples of it: of a huge page, which is as large where pages
 * have 4 KiB, shmem would have to split what a step takes in part.
 */
#define PURGE_STEP	512UL

struct ashmem_lru ashmem_lru;
static struct shrinker *shrinker;

/*
 * How many pages of @range the next step takes. A hole in front is passed over
 * at once, as a region may be far larger than memory.
 */
static unsigned long step_of(const struct ashmem_range *range)
{
	unsigned long data = range->resume +
			     ashmem_backing_hole(range->region->backing, range->resume,
						 range->pages.last);
	unsigned long end = round_down(data, PURGE_STEP) + PURGE_STEP;

	return min(ashmem_range_purgeable(range), end - range->resume);
}

/*
 * Could the next @pages of @range be purged without waiting for anybody? shmem
 * waits for the lock of a page, which this very task may hold: collapsing pages
 * into a huge one, for instance, allocates with all of them locked. Whoever
 * locks one later waits for no lock that the task has.
 */
static bool free_to_go(const struct ashmem_range *range, unsigned long pages)
{
	return !ashmem_backing_locked(range->region->backing, range->resume,
				      range->resume + pages - 1);
}

static bool step_is_free_to_go(const struct ashmem_range *range)
{
	return free_to_go(range, step_of(range));
}

/*
 * Take the next pages of @range, the oldest of @group that could be had, and
 * with it those ranges that are the next oldest, lie right behind and fit into
 * @limit: what costs is the call rather than the page. Returns how many pages
 * were dealt with, and adds to @total_freed those of them that were in memory.
 */
static unsigned long purge_step_locked(struct ashmem_region *region,
				       struct ashmem_lru_group *group,
				       struct ashmem_range *range,
				       unsigned long limit, bool pressure,
				       unsigned long *total_freed)
{
	u64 start = trace_ashmem_purge_enabled() ? ktime_get_ns() : 0;
	unsigned long first = range->resume;
	unsigned long pages = 0, more, freed;

	lockdep_assert_held(&region->lock);
	limit = min(limit, PURGE_STEP);
	more = step_of(range);
	do {
		ashmem_ranges_take(&region->unpinned, range, more);
		pages += more;
		if (pages >= limit)
			break;
		range = ashmem_lru_oldest_of(group, region);
		if (!range || range->resume != first + pages)
			break;
		more = ashmem_range_purgeable(range);
	} while (more <= limit - pages && (!pressure || free_to_go(range, more)));

	freed = ashmem_backing_punch(region->backing, first, first + pages - 1);

	*total_freed += freed;
	ashmem_stats_purged(pages, pressure);
	if (start)
		trace_ashmem_purge(region, first, pages, freed, pressure,
				   ktime_get_ns() - start);
	return pages;
}

/*
 * Purge whole ranges of @group, oldest first, until @nr_to_scan pages are dealt
 * with. Nothing here waits for a lock of ours or of a page: the task may hold one
 * already. If it is killed it has better things to do.
 */
static unsigned long purge_oldest(struct ashmem_lru_group *group,
				  unsigned long nr_to_scan, unsigned long *freed)
{
	unsigned long scanned = 0;
	bool partial;

	do {
		struct ashmem_range *range = ashmem_lru_trylock_oldest(group, step_is_free_to_go);
		struct ashmem_region *region;

		if (!range)
			break;
		region = range->region;
		scanned += purge_step_locked(region, group, range,
					     nr_to_scan > scanned ? nr_to_scan - scanned : 0,
					     true, freed);
		partial = ashmem_range_purgeable(range);
		mutex_unlock(&region->lock);
		ashmem_region_put(region);
		cond_resched();
	} while ((partial || scanned < nr_to_scan) && !fatal_signal_pending(current));

	return scanned;
}

static unsigned long shrinker_count(struct shrinker *shrink, struct shrink_control *sc)
{
	unsigned long pages = ashmem_lru_count(&ashmem_lru, sc);

	trace_ashmem_shrinker_count(sc->nid, pages);
	return pages ?: SHRINK_EMPTY;
}

/**
 * ashmem_purge_some - purge what a shrinker is asked for
 * @lru: the LRU
 * @sc: how many pages, of which node and cgroup; set to how many were dealt with
 *
 * Return: how many pages were in memory, or %SHRINK_STOP if nothing could be done.
 */
unsigned long ashmem_purge_some(struct ashmem_lru *lru, struct shrink_control *sc)
{
	unsigned long scanned = 0, freed = 0;
	struct ashmem_lru_group *group;
	unsigned int busy = 0;

	/* Freeing a page of shmem may wait for the file system's locks. */
	if (!(sc->gfp_mask & __GFP_FS))
		return SHRINK_STOP;

	while (scanned < sc->nr_to_scan &&
	       (group = ashmem_lru_get_group(lru, sc, busy))) {
		unsigned long pages;

		pages = purge_oldest(group, sc->nr_to_scan - scanned, &freed);
		ashmem_lru_group_put(group);
		scanned += pages;
		if (!pages)
			busy++;
	}
	trace_ashmem_shrinker_scan(sc->nid, sc->nr_to_scan, scanned, freed);
	if (!scanned)
		return SHRINK_STOP;

	sc->nr_scanned = scanned;
	compat_account_reclaimed_pages(freed);
	return freed;
}

static unsigned long shrinker_scan(struct shrinker *shrink, struct shrink_control *sc)
{
	return ashmem_purge_some(&ashmem_lru, sc);
}

/*
 * One step on the oldest range of @group, for callers that can wait. Returns
 * the pages dealt with, 0 if there was nothing to do, or -EINTR.
 */
static long purge_step_killable(struct ashmem_lru_group *group)
{
	struct ashmem_region *region = ashmem_lru_get_oldest(group);
	struct ashmem_range *range;
	unsigned long freed = 0;
	long ret = 0;

	if (!region)
		return 0;
	ret = fatal_signal_pending(current) ? -EINTR : mutex_lock_killable(&region->lock);
	if (!ret) {
		range = ashmem_lru_oldest_of(group, region);
		if (range)
			ret = purge_step_locked(region, group, range, PURGE_STEP,
						false, &freed);
		mutex_unlock(&region->lock);
	}
	ashmem_region_put(region);
	return ret;
}

/*
 * Purge as many pages of @group as it has now. Returns 0 or -EINTR.
 */
static int purge_group_killable(struct ashmem_lru_group *group)
{
	unsigned long purgeable = READ_ONCE(group->pages);
	unsigned long taken = 0;
	long pages;

	do {
		pages = purge_step_killable(group);
		if (pages < 0)
			return pages;
		/* None if somebody was faster: the next range is another one. */
		taken += pages ?: 1;
		cond_resched();
	} while (taken < purgeable && !list_empty(&group->ranges));
	return 0;
}

/**
 * ashmem_purge_all - purge every range that is listed now
 * @lru: the LRU
 *
 * Ranges that are unpinned meanwhile may be purged, too, but don't keep the
 * caller here for ever, nor from the ranges of other groups.
 *
 * Return: how many pages were purgeable, or -EINTR for a task that is killed.
 */
long ashmem_purge_all(struct ashmem_lru *lru)
{
	unsigned long purgeable = ashmem_lru_pages(lru);
	struct ashmem_lru_group *group = NULL;
	int err = 0;

	while (!err && (group = ashmem_lru_next_group(lru, group)))
		err = purge_group_killable(group);
	if (group)
		ashmem_lru_group_put(group);
	if (err)
		return err;
	return min_t(unsigned long, purgeable, LONG_MAX);
}

int __init ashmem_reclaim_init(void)
{
	int err;

	shrinker = compat_shrinker_alloc("ashmem");
	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = shrinker_count;
	shrinker->scan_objects = shrinker_scan;

	err = ashmem_lru_init(&ashmem_lru, shrinker);
	if (err)
		goto err_shrinker;
	err = compat_shrinker_register(shrinker, "ashmem");
	if (err)
		goto err_lru;
	return 0;

err_lru:
	ashmem_lru_exit(&ashmem_lru);
err_shrinker:
	compat_shrinker_free(shrinker);
	return err;
}

void ashmem_reclaim_exit(void)
{
	compat_shrinker_free(shrinker);
	ashmem_lru_exit(&ashmem_lru);
}
