/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASHMEM_COMPAT_MEMCG_H
#define _ASHMEM_COMPAT_MEMCG_H

#include <linux/memcontrol.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "compat.h"

/*
 * 6.7: modules can register a memcg-aware shrinker. Before, all cgroups are NULL here.
 */
#if defined(CONFIG_MEMCG) && defined(ASHMEM_HAVE_SHRINKER_ALLOC)
#define ASHMEM_HAVE_MEMCG_LRU

/*
 * The nearest cgroup, from @memcg up, that is online; NULL for the root, which has no
 * limit. It stays online until rcu_read_unlock().
 */
static inline struct mem_cgroup *compat_memcg_living(struct mem_cgroup *memcg)
{
	while (memcg && css_is_dying(&memcg->css))
		memcg = parent_mem_cgroup(memcg);
	return memcg && memcg->css.parent ? memcg : NULL;
}

/*
 * The cgroup that a folio is charged to. The caller holds a reference to the folio and
 * rcu_read_lock(), which keeps the cgroup valid.
 */
static inline struct mem_cgroup *compat_folio_memcg(struct folio *folio)
{
	return compat_memcg_living(folio_memcg(folio));
}

/* The cgroup of the current task, under rcu_read_lock(). */
static inline struct mem_cgroup *compat_task_memcg(void)
{
	return compat_memcg_living(mem_cgroup_from_task(current));
}

/* @memcg, or the root instead of NULL. */
static inline struct mem_cgroup *compat_memcg_or_root(struct mem_cgroup *memcg)
{
	if (memcg)
		return memcg;
	rcu_read_lock();
	memcg = mem_cgroup_from_task(current);
	while (memcg && memcg->css.parent)
		memcg = parent_mem_cgroup(memcg);
	rcu_read_unlock();
	return memcg;
}

/* A number that is never reused for another cgroup; 0 for the root. */
static inline u64 compat_memcg_serial(const struct mem_cgroup *memcg)
{
	return memcg ? memcg->css.serial_nr : 0;
}

/* Some room, as reclaim for a cgroup takes milliseconds, however little it frees. */
static inline unsigned long compat_memcg_margin(unsigned long limit)
{
	return min_t(unsigned long, SZ_4M >> PAGE_SHIFT, limit / 64);
}

/* Is @memcg, or one above it, at its limit, or next to it? */
static inline bool compat_memcg_is_short(const struct mem_cgroup *memcg)
{
	struct page_counter *counter = memcg ? (struct page_counter *)&memcg->memory : NULL;
	unsigned long limit;

	for (; counter; counter = counter->parent) {
		limit = min(READ_ONCE(counter->max), READ_ONCE(counter->high));
		if (page_counter_read(counter) + compat_memcg_margin(limit) > limit)
			return true;
	}
	return false;
}

/* Is the current task in @memcg or in one below it? Not asked of the root. */
static inline bool compat_memcg_has_task(struct mem_cgroup *memcg)
{
	bool has;

	if (!memcg || !memcg->css.parent)
		return false;
	rcu_read_lock();
	has = mem_cgroup_is_descendant(mem_cgroup_from_task(current), memcg);
	rcu_read_unlock();
	return has;
}

/* Is @memcg, or one above it, at its limit, or next to it, and the current task in that one? */
static inline bool compat_memcg_limits_task(struct mem_cgroup *memcg)
{
	while (memcg && !compat_memcg_has_task(memcg))
		memcg = parent_mem_cgroup(memcg);
	return compat_memcg_is_short(memcg);
}

static inline bool compat_memcg_tryget(struct mem_cgroup *memcg)
{
	return !memcg || css_tryget(&memcg->css);
}

static inline void compat_memcg_put(struct mem_cgroup *memcg)
{
	if (memcg)
		css_put(&memcg->css);
}

#else

static inline struct mem_cgroup *compat_memcg_living(struct mem_cgroup *memcg)
{
	return NULL;
}

static inline struct mem_cgroup *compat_folio_memcg(void *folio)
{
	return NULL;
}

static inline struct mem_cgroup *compat_task_memcg(void)
{
	return NULL;
}

static inline u64 compat_memcg_serial(const struct mem_cgroup *memcg)
{
	return 0;
}

static inline bool compat_memcg_is_short(const struct mem_cgroup *memcg)
{
	return false;
}

static inline bool compat_memcg_has_task(struct mem_cgroup *memcg)
{
	return false;
}

static inline bool compat_memcg_limits_task(struct mem_cgroup *memcg)
{
	return false;
}

static inline bool compat_memcg_tryget(struct mem_cgroup *memcg)
{
	return true;
}

static inline void compat_memcg_put(struct mem_cgroup *memcg) {}

#endif

#endif /* _ASHMEM_COMPAT_MEMCG_H */
