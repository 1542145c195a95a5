/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The LRU: entries with pages to purge, oldest first, by memory cgroup and node.
 *
 * An entry stands for pages that its user has for one cgroup and node: for the
 * driver, one entry per payer of a region. A group holds the entries of one
 * cgroup and node. The group is what the kernel's list_lru lists, so the kernel
 * knows which cgroup's shrinker to call, and moves the group to the parent when
 * the cgroup is removed. Groups that meet in a list are merged. Which list a group
 * belongs in follows from its memory: the cgroup that is charged for it, and the
 * node that it is on.
 *
 * An entry's key and page count are lazy. The key is never younger than the oldest page,
 * and the user corrects both when it looks at the entry. So adding or removing pages of
 * a listed entry needs no call.
 *
 * Before Linux 6.7 modules can't have a list by cgroup: one group per node.
 */

#ifndef _ASHMEM_LRU_H
#define _ASHMEM_LRU_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/list_lru.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct ashmem_lru_entry;
struct mem_cgroup;
struct shrinker;

/* An entry counts for at most this many pages, so that no sum overflows. */
#define ASHMEM_LRU_PAGES_MAX	BIT(24)

/**
 * struct ashmem_lru - everything that can be purged
 * @lists: groups with listed entries, by node and cgroup; has its own locks,
 *	which are outside @lock
 * @hold: takes a reference to the object that an entry is part of; called
 *	under @lock; invariant
 * @lock: protects all fields below and those of groups and entries
 * @groups: all groups
 * @moved: counts entries that were moved from group to group
 * @placed: counts places given to entries
 */
struct ashmem_lru {
	struct list_lru lists;
	void (*hold)(struct ashmem_lru_entry *entry);
	spinlock_t lock; /* 4th in the order of ashmem.h */
	struct list_head groups;
	unsigned long moved;
	u64 placed;
};

/**
 * struct ashmem_lru_group - entries of one cgroup and node
 * @refs: one for each entry that is attached, and one for each user
 * @lru: whose group it is; invariant
 * @all: node in @lru->groups
 * @link: node in @lru->lists, under the lock of that list
 * @entries: listed entries by key
 * @pages: sum of their pages
 * @busy: picks that have not been put back; read without the lock
 * @freed: counts pages that purges freed; read without the lock
 * @short_at: when the cgroup was last at its limit, in jiffies; without the lock
 * @short_for: bits of tasks that then began to reclaim, which tasks may share; the same
 */
struct ashmem_lru_group {
	unsigned int refs;
	struct ashmem_lru *lru;
	struct list_head all;
	struct list_head link;
	struct rb_root_cached entries;
	u64 pages;
	unsigned int busy;
	unsigned long freed;
	unsigned long short_at;
	unsigned long short_for;
};

/**
 * struct ashmem_lru_entry - pages that can be purged
 * @node: node in @group->entries while @pages isn't 0
 * @group: where it is attached; changes when groups are merged
 * @key: no page is older, in jiffies
 * @place: of entries with the same key, the one with the lower number goes first
 * @pages: how many pages the group counts for it; the user's own lock covers
 *	changes, too, so the user can read @key and @pages without the LRU's
 * @busy: picks that have not been put back
 */
struct ashmem_lru_entry {
	struct rb_node node;
	struct ashmem_lru_group *group;
	unsigned long key;
	u64 place;
	unsigned long pages;
	unsigned int busy;
};

/* Where an entry was listed, if @valid. */
struct ashmem_lru_cursor {
	bool valid;
	unsigned long key;
	u64 place;
};

extern struct kmem_cache *ashmem_lru_cache; /* of groups */

int ashmem_lru_init(struct ashmem_lru *lru, struct shrinker *shrinker,
		    void (*hold)(struct ashmem_lru_entry *entry));
void ashmem_lru_exit(struct ashmem_lru *lru);

/* For the owner of an entry */
int ashmem_lru_attach(struct ashmem_lru *lru, struct ashmem_lru_entry *entry,
		      struct mem_cgroup *memcg, int nid);
bool ashmem_lru_detach(struct ashmem_lru *lru, struct ashmem_lru_entry *entry);
void ashmem_lru_update(struct ashmem_lru *lru, struct ashmem_lru_entry *entry,
		       unsigned long key, unsigned long pages);

/* For a purge */
struct ashmem_lru_group *ashmem_lru_get_group(struct ashmem_lru *lru, int nid,
					      struct mem_cgroup *memcg,
					      unsigned long *pages);
struct ashmem_lru_group *ashmem_lru_next_group(struct ashmem_lru *lru,
					       struct ashmem_lru_group *group);
void ashmem_lru_put_group(struct ashmem_lru_group *group);
struct ashmem_lru_entry *ashmem_lru_pick(struct ashmem_lru_group *group,
					 const struct ashmem_lru_cursor *after,
					 struct ashmem_lru_cursor *at);
void ashmem_lru_put_back(struct ashmem_lru *lru, struct ashmem_lru_entry *entry,
			 unsigned long key, unsigned long pages, unsigned long freed);
bool ashmem_lru_wait(struct ashmem_lru_group *group, unsigned long seen,
		     unsigned long *freed);

#endif /* _ASHMEM_LRU_H */
