/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASHMEM_COMPAT_MEMCG_H
#define _ASHMEM_COMPAT_MEMCG_H

#include <linux/memcontrol.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

/*
 * Is a shrinker of ours asked by memory cgroup? See compat/list_lru.h.
 */
static inline bool compat_shrinks_by_memcg(void)
{
#if defined(CONFIG_MEMCG) && defined(ASHMEM_HAVE_SHRINKER_ALLOC)
	return !mem_cgroup_disabled();
#else
	return false;
#endif
}

/*
 * A number for the memory cgroup of the current task, never given twice; 0
 * where shrinkers of modules can't know of cgroups.
 */
static inline u64 compat_current_memcg_serial(void)
{
	u64 serial = 0;

#ifdef CONFIG_MEMCG
	struct mem_cgroup *memcg;

	if (!compat_shrinks_by_memcg())
		return 0;
	rcu_read_lock();
	memcg = mem_cgroup_from_task(current);
	if (memcg)
		serial = memcg->css.serial_nr;
	rcu_read_unlock();
#endif
	return serial;
}

#endif /* _ASHMEM_COMPAT_MEMCG_H */
