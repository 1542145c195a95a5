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

enum ashmem_stat {
	ASHMEM_PURGEABLE,	/* pages that exist and can be purged now */
	ASHMEM_PRESSURE_PURGED,	/* pages that the shrinker purged */
	ASHMEM_COMMAND_PURGED,	/* pages that ASHMEM_PURGE_ALL_CACHES purged */
	ASHMEM_PURGED_PINS,	/* PINs that returned ASHMEM_WAS_PURGED */
	ASHMEM_STATS
};

DECLARE_PER_CPU(long [ASHMEM_STATS], ashmem_stats);

/* Per CPU, because each PIN and UNPIN calls it. */
static inline void ashmem_stats_add(enum ashmem_stat stat, long n)
{
	this_cpu_add(ashmem_stats[stat], n);
}

#endif /* _ASHMEM_STATS_H */
