/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The LRU: entries with pages to purge, oldest first, in groups by cgroup and node. The
 * kernel's list_lru lists groups, so it calls the shrinkers of the cgroups that have some.
 * Documentation/driver-api/ashmem-internals.rst tells how, and what of an entry is lazy.
 */

#ifndef _ASHMEM_LRU_H
#define _ASHMEM_LRU_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/list_lru.h>
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct ashmem_lru_entry;
struct mem_cgroup;
struct shrinker;

/* An entry counts for at most this many pages, so that no sum overflows. */
#define ASHMEM_LRU_PAGES_MAX	BIT(24)

/* Everything that can be purged. */
struct ashmem_lru {
	struct list_lru lists;		/* listed groups; has its own locks, outside @lock */
	/* Takes a reference to the object of an entry; called under @lock; invariant. */
	void (*hold)(struct ashmem_lru_entry *entry);
	/* What ashmem_lru_queue() queues; puts the group; invariant. */
	work_func_t step;
	spinlock_t lock;		/* for all below, groups and entries; 4th in ashmem.h */
	struct list_head groups;	/* all of them */
	unsigned long moved;		/* counts entries that were moved from group to group */
	u64 placed;			/* counts places given to entries */
};

/* Entries of one cgroup and node. */
struct ashmem_lru_group {
	unsigned int refs;		/* one for each attached entry, and for each user */
	struct ashmem_lru *lru;		/* invariant */
	struct work_struct work;	/* @lru->step */
	struct list_head all;		/* in @lru->groups */
	struct list_head link;		/* in @lru->lists, under the lock of that list */
	struct rb_root_cached entries;	/* listed entries by key */
	u64 pages;			/* sum of their pages */
	/* Read without the lock: */
	unsigned int busy;		/* picks that have not been put back */
	unsigned long freed;		/* counts pages that purges freed */
	/* Read and written without it: */
	unsigned long short_at;	/* when the cgroup was last at its limit, in jiffies */
	unsigned long short_for; /* bits of tasks that began to reclaim then; can be shared */
};

/* A group is allocated on its node, as list_lru wants it. */
static inline int ashmem_lru_nid(const struct ashmem_lru_group *group)
{
	return page_to_nid(virt_to_page(group));
}

/* Pages that can be purged. The user's own lock covers changes of @key and @pages, too. */
struct ashmem_lru_entry {
	struct rb_node node;		/* in @group->entries while @pages isn't 0 */
	struct ashmem_lru_group *group;	/* changes when groups are merged */
	unsigned long key;		/* no page is older, in jiffies */
	u64 place;			/* of those with the same key, the lower one goes first */
	unsigned long pages;		/* that the group counts for it */
	unsigned int busy;		/* picks that have not been put back */
};

/* Where an entry was listed, if @valid. */
struct ashmem_lru_cursor {
	bool valid;
	unsigned long key;
	u64 place;
};

extern struct kmem_cache *ashmem_lru_cache; /* of groups */

int ashmem_lru_init(struct ashmem_lru *lru, struct shrinker *shrinker,
		    void (*hold)(struct ashmem_lru_entry *entry), work_func_t step);
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
void ashmem_lru_queue(struct ashmem_lru_group *group, struct workqueue_struct *queue);
struct ashmem_lru_entry *ashmem_lru_pick(struct ashmem_lru_group *group,
					 const struct ashmem_lru_cursor *after,
					 struct ashmem_lru_cursor *at);
void ashmem_lru_put_back(struct ashmem_lru *lru, struct ashmem_lru_entry *entry,
			 unsigned long key, unsigned long pages, unsigned long freed);
bool ashmem_lru_wait(struct ashmem_lru_group *group, unsigned long seen,
		     unsigned long *freed);

#endif /* _ASHMEM_LRU_H */
