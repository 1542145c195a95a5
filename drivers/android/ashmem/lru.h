/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ranges that can be purged, in the order in which they were unpinned.
 *
 * They are kept in groups: the ranges that the tasks of one memory cgroup
 * unpinned on one NUMA node. A group is what the kernel's list_lru lists, which
 * is how a shrinker is told which cgroup has something to give, and how the
 * ranges of a cgroup that goes away come to its parent. In the group the ranges
 * have their own list, so that the pages of each can be counted and a range can
 * stay in its place when it is split.
 *
 * Where modules can't register a shrinker that knows of cgroups there is one
 * group for each node.
 */

#ifndef _ASHMEM_LRU_H
#define _ASHMEM_LRU_H

#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/list_lru.h>
#include <linux/refcount.h>
#include <linux/shrinker.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct ashmem_range;
struct ashmem_region;

/**
 * struct ashmem_lru - everything that can be purged
 * @groups: groups with purgeable pages, by node and cgroup; has locks of its own
 * @lock: protects @known
 * @known: all groups, by cgroup and node
 */
struct ashmem_lru {
	struct list_lru groups;
	spinlock_t lock; /* 3rd in the order of ashmem.h */
	DECLARE_HASHTABLE(known, 6);
};

/**
 * struct ashmem_lru_group - ranges of one cgroup on one node, oldest first
 * @refs: one for @ranges while there are any, and one of each region that
 *	unpinned here last
 * @lru: whose group it is; invariant
 * @cgroup: number of the cgroup, never given twice; invariant
 * @nid: node; invariant
 * @hash: link in @lru->known, under @lru->lock
 * @link: link in @lru->groups, under the lock of that list
 * @lock: protects @ranges, the links of each range in it, and @pages
 * @ranges: the ranges, least recently unpinned first
 * @pages: how many purgeable pages they have together; written under @lock,
 *	read anywhere
 */
struct ashmem_lru_group {
	refcount_t refs;
	int nid;
	struct ashmem_lru *lru;
	u64 cgroup;
	struct hlist_node hash;
	struct list_head link;
	spinlock_t lock; /* 4th in the order of ashmem.h */
	struct list_head ranges;
	unsigned long pages;
};

/* group.c */
int ashmem_lru_group_cache_init(void);
void ashmem_lru_group_cache_exit(void);
int ashmem_lru_change_group(struct ashmem_lru *lru, struct ashmem_lru_group **group,
			    u64 cgroup, int nid);
int ashmem_lru_current_group(struct ashmem_lru *lru, struct ashmem_lru_group **group);
void ashmem_lru_group_put(struct ashmem_lru_group *group);

static inline void ashmem_lru_group_get(struct ashmem_lru_group *group)
{
	refcount_inc(&group->refs);
}

/* lru.c */
int ashmem_lru_init(struct ashmem_lru *lru, struct shrinker *shrinker);
void ashmem_lru_exit(struct ashmem_lru *lru);
void ashmem_lru_add(struct ashmem_lru_group *group, struct ashmem_range *range);
void ashmem_lru_add_behind(struct ashmem_range *range, struct ashmem_range *sibling);
void ashmem_lru_del(struct ashmem_range *range);
void ashmem_lru_del_many(struct ashmem_range **ranges, unsigned int count);
void ashmem_lru_shrink(struct ashmem_range *range, unsigned long pages);
unsigned long ashmem_lru_pages(struct ashmem_lru *lru);
unsigned long ashmem_lru_count(struct ashmem_lru *lru, struct shrink_control *sc);
struct ashmem_lru_group *ashmem_lru_get_group(struct ashmem_lru *lru,
					      struct shrink_control *sc,
					      unsigned int skip);
struct ashmem_range *
ashmem_lru_trylock_oldest(struct ashmem_lru_group *group,
			  bool (*fits)(const struct ashmem_range *range));
struct ashmem_lru_group *ashmem_lru_next_group(struct ashmem_lru *lru,
					       struct ashmem_lru_group *group);
struct ashmem_region *ashmem_lru_get_oldest(struct ashmem_lru_group *group);
struct ashmem_range *ashmem_lru_oldest_of(struct ashmem_lru_group *group,
					  struct ashmem_region *region);

#endif /* _ASHMEM_LRU_H */
