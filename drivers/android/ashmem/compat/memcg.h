/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASHMEM_COMPAT_MEMCG_H
#define _ASHMEM_COMPAT_MEMCG_H

#include <linux/memcontrol.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

/*
 * A number for the memory cgroup of the current task, never given twice; 0
 * where shrinkers of modules can't know of cgroups: see compat/list_lru.h.
 */
static inline u64 compat_current_memcg_serial(void)
{
	u64 serial = 0;

#if defined(CONFIG_MEMCG) && defined(ASHMEM_HAVE_SHRINKER_ALLOC)
	struct mem_cgroup *memcg;

	if (mem_cgroup_disabled())
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
