/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of the whole machine, which sysfs shows. */

#ifndef _ASHMEM_STATS_H
#define _ASHMEM_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>

struct attribute_group;
struct list_lru;

extern const struct attribute_group *ashmem_stats_groups[];

/* Set at load: are these by cgroup? Then the kernel calls the shrinker for each one. */
extern const struct list_lru *ashmem_stats_lists;

DECLARE_PER_CPU(long, ashmem_stats_purgeable);

void ashmem_stats_purged(unsigned long pages, bool pressure);
void ashmem_stats_pin_purged(void);

/* Per CPU, because each PIN and UNPIN calls it. */
static inline void ashmem_stats_add_purgeable(long pages)
{
	this_cpu_add(ashmem_stats_purgeable, pages);
}

#endif /* _ASHMEM_STATS_H */
