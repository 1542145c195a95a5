// SPDX-License-Identifier: GPL-2.0-only
/*
 * Purging: by the shrinker when memory is short, by ASHMEM_PURGE_ALL_CACHES at once. Each
 * step takes the next pages of the oldest entry of a group, also if others purge it, too.
 */

#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "ashmem.h"
#include "compat/shrinker.h"
#include "payer.h"
#include "purge.h"
#include "trace.h"

/* Looks of a shrinker call while it finds no page: 1 us each, and attackers can cause them. */
#define LOOKS_MAX	1024
/* The same before a task is killed, and how long the pages of one group may take then. */
#define ANY_LOOKS_MAX	65536
#define ANY_TICKS	(HZ / 50 + 1)

/*
 * A step's work is its pages times the mappings, which each hold a reference to the file.
 * There is a minimum because a mapping that has none of the pages costs something, too.
 */
#define STEP_PAGES_MAX	512UL
#define STEP_PAGES_MIN	16UL
#define STEP_WORK	(16 * STEP_PAGES_MAX)

/* Ranges of an entry that a look skips because of a locked page. */
#define RANGES_MAX	16

struct ashmem_lru ashmem_lru;
static struct shrinker *shrinker;
static struct workqueue_struct *workers;

/* A purge; on its task's stack. */
struct purge {
	struct ashmem_lru_group *group;
	struct ashmem_lru_cursor passed; /* the last entry with nothing to take */
	bool pressure;			/* by the shrinker, rather than by command */
	unsigned long begun;		/* jiffies; a command leaves younger ranges */
	unsigned long wanted;		/* pages of a step beyond its first range */
	struct ashmem_flight flight;	/* the step in progress */
	unsigned long exist;		/* pages of that step that exist */
	unsigned long resident;		/* pages of that step that are in memory */
	unsigned long taken;		/* pages that were taken, holes among them */
	unsigned long pages;		/* pages of these that existed */
	unsigned long scanned;		/* the same, plus 1 for each empty look */
	unsigned long freed;		/* pages of these that were in memory */
	bool lacks_spare;		/* to pass over locked pages */
};

static unsigned long flight_pages(const struct purge *purge)
{
	return purge->flight.last + 1 - purge->flight.first;
}

/* Was this unpinned after the command began? Correct for any age. */
static bool is_later(const struct purge *purge, unsigned long stamp)
{
	unsigned long now = jiffies;

	return !purge->pressure && now - stamp < now - purge->begun;
}

static bool survey_range(struct purge *purge, struct ashmem_payer *payer,
			 struct ashmem_range *range, unsigned long max,
			 struct ashmem_survey *survey)
{
	return ashmem_backing_survey(payer->region->backing, range->resume, range->last,
				     max, !purge->pressure, survey);
}

/*
 * The oldest range that a step can begin on, or NULL. A task that locked a page may be stopped
 * for long: such pages become a range by themselves, so that a step can begin behind them.
 */
static struct ashmem_range *first_range(struct purge *purge, struct ashmem_payer *payer,
					unsigned long max, struct ashmem_survey *survey)
{
	struct ashmem_region *region = payer->region;
	unsigned int tries = RANGES_MAX;
	struct ashmem_range *range;

	list_for_each_entry(range, &payer->queue.ranges, age) {
		if (!tries-- || is_later(purge, range->stamp))
			break;
		if (survey_range(purge, payer, range, max, survey))
			return range;
		if (survey->final < range->last &&
		    !ashmem_ranges_split(&region->unpinned, range, survey->final + 1,
					 &region->spare))
			purge->lacks_spare = true;
	}
	return NULL;
}

/* Can the step take all of the next range, too? The cost is per call, not per page. */
static bool joins(struct purge *purge, struct ashmem_payer *payer,
		  struct ashmem_range *next, unsigned long stamp, unsigned long max,
		  struct ashmem_survey *survey)
{
	return max && !list_entry_is_head(next, &payer->queue.ranges, age) &&
	       next->resume == purge->flight.last + 1 && next->stamp == stamp &&
	       survey_range(purge, payer, next, max, survey) &&
	       survey->last == next->last && survey->pages <= max;
}

/* Take the pages of a step out of the payer's ranges; false if there are none. */
static bool take_step_locked(struct purge *purge, struct ashmem_payer *payer)
{
	struct ashmem_region *region = payer->region;
	unsigned long max = clamp_t(unsigned long, STEP_WORK / (file_count(region->backing) + 1),
				    STEP_PAGES_MIN, STEP_PAGES_MAX);
	struct ashmem_range *range, *next;
	struct ashmem_survey survey;
	bool whole;

	lockdep_assert_held(&region->lock);
	range = first_range(purge, payer, max, &survey);
	if (!range)
		return false;

	purge->flight.first = range->resume;
	max = min(max, purge->wanted);
	for (;;) {
		next = list_next_entry(range, age);
		whole = survey.last == range->last;
		ashmem_ranges_take(&region->unpinned, range,
				   survey.last + 1 - range->resume);
		purge->flight.last = survey.last;
		purge->exist += survey.pages;
		purge->resident += survey.resident;
		max -= min(max, max(survey.pages, 1UL));
		if (!whole || !joins(purge, payer, next, range->stamp, max, &survey))
			break;
		range = next;
	}
	ashmem_region_count_locked(region);
	return true;
}

/* Begin a step, if there is one on an entry that is as old as its key says. */
static bool depart_locked(struct purge *purge, struct ashmem_payer *payer,
			  const struct ashmem_lru_cursor *at)
{
	struct ashmem_range *oldest = ashmem_queue_oldest(&payer->queue);

	purge->exist = 0;
	purge->resident = 0;
	purge->lacks_spare = false;
	if (oldest && oldest->stamp != payer->entry.key)
		return false;
	if (!take_step_locked(purge, payer)) {
		if (!purge->lacks_spare)
			purge->passed = *at;
		return false;
	}
	payer->in_flight += purge->exist;
	purge->taken += flight_pages(purge);
	purge->flight.number = payer->region->departed++;
	list_add(&purge->flight.link, &payer->region->flights);
	return true;
}

/* Free the pages of a step. */
static void fly(struct purge *purge, struct ashmem_region *region)
{
	u64 start = trace_ashmem_purge_enabled() ? ktime_get_ns() : 0;

	ashmem_backing_punch(region->backing, purge->flight.first, purge->flight.last,
			     purge->exist, purge->pressure);
	ashmem_stats_add(purge->pressure ? ASHMEM_PRESSURE_PURGED : ASHMEM_COMMAND_PURGED,
			 purge->exist);
	if (start)
		trace_ashmem_purge(region, purge->flight.first, flight_pages(purge),
				   purge->resident, purge->pressure,
				   ktime_get_ns() - start);
}

/* Take a step on the oldest entry. Returns false when the group has no more to take. */
static bool purge_oldest(struct purge *purge)
{
	struct ashmem_lru_cursor at;
	struct ashmem_lru_entry *entry = ashmem_lru_pick(purge->group, &purge->passed, &at);
	struct ashmem_region *region;
	struct ashmem_range *oldest;
	struct ashmem_payer *payer;

	if (!entry)
		return false;
	payer = container_of(entry, struct ashmem_payer, entry);
	region = payer->region;

	spin_lock(&region->lock);
	if (depart_locked(purge, payer, &at)) {
		spin_unlock(&region->lock);
		fly(purge, region);
		spin_lock(&region->lock);
		payer->in_flight -= purge->exist;
		list_del(&purge->flight.link);
		wake_up_var(&region->flights);
	}
	/*
	 * Tell the LRU the age of the payer and how many pages it has. With nothing but pages
	 * in flight it goes behind all others, or each call would look at it first.
	 */
	oldest = ashmem_queue_oldest(&payer->queue);
	ashmem_lru_put_back(region->lru, entry, oldest ? oldest->stamp : jiffies,
			    payer->queue.pages + payer->in_flight, purge->resident);
	spin_unlock(&region->lock);
	if (purge->lacks_spare && ashmem_region_refill(region, GFP_NOWAIT | __GFP_NOWARN) &&
	    !purge->exist)
		purge->passed = at;
	ashmem_region_put(region);

	purge->pages += purge->exist;
	purge->scanned += max(purge->exist, 1UL);
	purge->freed += purge->resident;
	/* Keys are sorted: if this one is too late, so are the others. */
	return !is_later(purge, at.key);
}

/*
 * Did this task begin to reclaim at a limit that the cgroup no longer reaches? Linux counts
 * what shrinkers free only in reclaim for the machine: for a cgroup it asks until all is gone.
 * Another task may have freed enough, so for a second a reclaim gets one batch at least.
 */
static bool has_enough(struct ashmem_lru_group *group, const struct shrink_control *sc)
{
	unsigned int bit = hash_ptr(current, ilog2(BITS_PER_LONG));
	bool is_short, was_short;

	if (current_is_kswapd())
		return false;
	is_short = compat_memcg_is_short(sc->memcg);
	if (is_short)
		WRITE_ONCE(group->short_at, jiffies);
	was_short = jiffies - READ_ONCE(group->short_at) < HZ;
	if (!is_short && compat_reclaimed_any())
		return was_short && test_bit(bit, &group->short_for);
	assign_bit(bit, &group->short_for, was_short);
	return false;
}

/*
 * Pages in flight count: a task that finds nothing else then waits for them. Holes
 * count, up to the machine's memory, because they can be filled at any time.
 * %SHRINK_EMPTY: none.
 */
unsigned long ashmem_purge_count(struct ashmem_lru *lru, struct shrink_control *sc)
{
	struct ashmem_lru_group *group;
	unsigned long pages;
	bool enough = false;

	group = ashmem_lru_get_group(lru, sc->nid, sc->memcg, &pages);
	if (group) {
		enough = has_enough(group, sc);
		ashmem_lru_put_group(group);
	}
	trace_ashmem_shrinker_count(sc->nid, pages);
	if (enough)
		return 0;
	return pages ?: SHRINK_EMPTY;
}

/* Returns false if there was nothing to purge and it is no use to wait for other tasks. */
static bool purge_group(struct purge *purge, struct shrink_control *sc)
{
	unsigned long seen = READ_ONCE(purge->group->freed), by_others;
	unsigned long nr_to_scan = sc->nr_to_scan;
	bool more = true, busy;

	while (more && !fatal_signal_pending(current) &&
	       (purge->scanned < nr_to_scan ||
		(!purge->pages && purge->scanned < LOOKS_MAX))) {
		purge->wanted = max(nr_to_scan, purge->scanned) - purge->scanned;
		more = purge_oldest(purge);
		cond_resched();
	}
	if (more || purge->pages)
		return true;
	if (current_is_kswapd())
		return false;

	/* All may be in flight: wait for it, or the OOM killer might run. */
	busy = ashmem_lru_wait(purge->group, seen, &by_others);
	compat_account_reclaimed_pages(by_others);
	/* A whole batch: the kernel calls until it has counted all, and each call may wait. */
	purge->scanned = max(purge->scanned, nr_to_scan);
	/* A purge can be stalled. Then it holds up only its own cgroup for more than a tick. */
	return by_others || (busy && compat_memcg_has_task(sc->memcg));
}

/* A worker's step for tasks that must not take one themselves. */
void ashmem_purge_step(struct work_struct *work)
{
	struct ashmem_lru_group *group = container_of(work, struct ashmem_lru_group, work);
	struct purge purge = { .group = group, .pressure = true, .wanted = STEP_PAGES_MAX };
	unsigned int flags = memalloc_noreclaim_save();

	while (!purge.freed && purge.scanned < LOOKS_MAX && purge_oldest(&purge))
		cond_resched();
	memalloc_noreclaim_restore(flags);
	ashmem_lru_put_group(group);
}

/* Waits for a step of a worker, two ticks at most. Returns false if no page was freed. */
static bool purge_by_worker(struct purge *purge, struct shrink_control *sc)
{
	unsigned long *freed = &purge->group->freed, seen = READ_ONCE(*freed);

	ashmem_lru_queue(purge->group, workers);
	wait_var_event_timeout(freed, READ_ONCE(*freed) != seen, 2);
	purge->scanned = sc->nr_to_scan;
	purge->freed = READ_ONCE(*freed) - seen;
	return purge->freed;
}

/*
 * Stops after the pages wanted or one step, whichever is more. Never waits for a page
 * lock: the task may hold it. Sets @sc->nr_scanned to the pages that existed and 1 for each
 * empty look, or to a whole batch after a wait. Returns how many were in memory, or
 * %SHRINK_STOP if there is nothing.
 */
unsigned long ashmem_purge_some(struct ashmem_lru *lru, struct shrink_control *sc)
{
	bool fs = sc->gfp_mask & __GFP_FS, found;
	struct purge purge = { .pressure = true };
	unsigned long pages;

	if (fatal_signal_pending(current))
		return SHRINK_STOP;
	/*
	 * Freeing a page of shmem may wait for a task that waits for the caller's locks of a file
	 * system. At the limit of a cgroup such a caller is killed if nothing is freed.
	 */
	if (!fs && !compat_memcg_limits_task(sc->memcg))
		return SHRINK_STOP;
	purge.group = ashmem_lru_get_group(lru, sc->nid, sc->memcg, &pages);
	if (!purge.group)
		return SHRINK_STOP;
	found = !has_enough(purge.group, sc) &&
		(fs ? purge_group(&purge, sc) : purge_by_worker(&purge, sc));
	ashmem_lru_put_group(purge.group);

	trace_ashmem_shrinker_scan(sc->nid, sc->nr_to_scan, purge.scanned, purge.freed);
	if (!found)
		return SHRINK_STOP;
	sc->nr_scanned = purge.scanned;
	compat_account_reclaimed_pages(purge.freed);
	return purge.freed;
}

static unsigned long shrinker_count(struct shrinker *shrink, struct shrink_control *sc)
{
	return ashmem_purge_count(&ashmem_lru, sc);
}

static unsigned long shrinker_scan(struct shrinker *shrink, struct shrink_control *sc)
{
	return ashmem_purge_some(&ashmem_lru, sc);
}

/* Returns false if the task was killed. */
static bool purge_all_groups(struct ashmem_lru *lru, struct purge *purge)
{
	purge->group = NULL;
	while ((purge->group = ashmem_lru_next_group(lru, purge->group))) {
		purge->passed.valid = false;
		do {
			if (fatal_signal_pending(current)) {
				ashmem_lru_put_group(purge->group);
				return false;
			}
			cond_resched();
		} while (purge_oldest(purge));
	}
	return true;
}

/*
 * Purges all that is unpinned now. Pages that are unpinned later may go, too, but do not
 * keep the caller here. Returns how many unpinned pages were taken, holes included, or
 * -EINTR if the task was killed.
 */
long ashmem_purge_all(struct ashmem_lru *lru)
{
	struct purge purge = { .begun = jiffies, .wanted = ULONG_MAX };
	unsigned long moved = READ_ONCE(lru->moved);

	if (!purge_all_groups(lru, &purge))
		return -EINTR;
	/* An entry that moved to another group may have been missed. */
	if (moved != READ_ONCE(lru->moved) && !purge_all_groups(lru, &purge))
		return -EINTR;
	return min_t(unsigned long, purge.taken, LONG_MAX);
}

static bool any_is_enough(const struct purge *purge)
{
	return purge->pages >= STEP_PAGES_MAX || purge->scanned >= ANY_LOOKS_MAX;
}

/*
 * Frees as many pages as a step can have, of any node that is @wanted. Returns how many were
 * freed, by this task, or by others whose pages it found in flight. Those in swap count: other
 * pages can go there now.
 */
unsigned long ashmem_purge_any(struct ashmem_lru *lru, bool (*wanted)(int nid))
{
	struct purge purge = { .pressure = true, .wanted = STEP_PAGES_MAX };
	unsigned long seen, until, by_others = 0;
	bool more, waited = false;

	while (!any_is_enough(&purge) && !by_others &&
	       (purge.group = ashmem_lru_next_group(lru, purge.group))) {
		if (!wanted(ashmem_lru_nid(purge.group)))
			continue;
		seen = READ_ONCE(purge.group->freed);
		until = jiffies + ANY_TICKS;
		purge.passed.valid = false;
		do {
			more = purge_oldest(&purge);
			cond_resched();
		} while (more && !any_is_enough(&purge) && time_before(jiffies, until));
		/* Once: any number of groups may be stalled. */
		if (!purge.pages && !waited)
			waited = ashmem_lru_wait(purge.group, seen, &by_others);
	}
	if (purge.group)
		ashmem_lru_put_group(purge.group);
	return purge.pages + by_others;
}

int __init ashmem_purge_init(void)
{
	int err = -ENOMEM;

	workers = alloc_workqueue("ashmem", WQ_MEM_RECLAIM | WQ_UNBOUND | WQ_HIGHPRI, 0);
	if (!workers)
		return err;
	shrinker = compat_shrinker_alloc("ashmem");
	if (!shrinker)
		goto err_workers;
	shrinker->count_objects = shrinker_count;
	shrinker->scan_objects = shrinker_scan;

	err = ashmem_lru_init(&ashmem_lru, shrinker, ashmem_payer_hold, ashmem_purge_step);
	if (err)
		goto err_shrinker;
	ashmem_stats_lists = &ashmem_lru.lists;
	err = compat_shrinker_register(shrinker, "ashmem");
	if (err)
		goto err_lru;
	return 0;

err_lru:
	ashmem_lru_exit(&ashmem_lru);
err_shrinker:
	compat_shrinker_free(shrinker);
err_workers:
	destroy_workqueue(workers);
	return err;
}

void ashmem_purge_exit(void)
{
	compat_shrinker_free(shrinker);
	destroy_workqueue(workers);
	ashmem_lru_exit(&ashmem_lru);
}
