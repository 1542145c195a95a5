/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASHMEM_COMPAT_LIST_LRU_H
#define _ASHMEM_COMPAT_LIST_LRU_H

#include <linux/list_lru.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "memcg.h"

#ifdef ASHMEM_HAVE_MEMCG_LRU
#include <linux/kfence.h>
#endif

/* 6.13: callbacks of a walk no longer get the lock */
#ifdef ASHMEM_HAVE_LRU_WALK_LOCK
#define COMPAT_LRU_WALK_LOCK	spinlock_t *lock,
#else
#define COMPAT_LRU_WALK_LOCK
#endif

/*
 * 6.8: list_lru_add() takes node and cgroup; the old function is now list_lru_add_obj(),
 * which uses the node and the cgroup of the item's memory.
 */
static inline bool compat_list_lru_add_obj(struct list_lru *lru, struct list_head *item)
{
#ifdef ASHMEM_HAVE_LIST_LRU_ADD_OBJ
	return list_lru_add_obj(lru, item);
#else
	return list_lru_add(lru, item);
#endif
}

static inline bool compat_list_lru_del_obj(struct list_lru *lru, struct list_head *item)
{
#ifdef ASHMEM_HAVE_LIST_LRU_ADD_OBJ
	return list_lru_del_obj(lru, item);
#else
	return list_lru_del(lru, item);
#endif
}

/* 6.7: modules can have a list per cgroup. Before, there is one for all cgroups. */
static inline int compat_list_lru_init_memcg(struct list_lru *lru,
					     struct shrinker *shrinker)
{
#ifdef ASHMEM_HAVE_MEMCG_LRU
	return list_lru_init_memcg(lru, shrinker);
#else
	return list_lru_init(lru);
#endif
}

/*
 * Is there a list per cgroup? Not before the first cgroup, nor with cgroup.memory=nokmem:
 * up to 6.8 at least, @memcg_aware is set then, too.
 */
static inline bool compat_list_lru_by_memcg(const struct list_lru *lru)
{
#ifdef ASHMEM_HAVE_MEMCG_LRU
	return lru->memcg_aware && memcg_kmem_online();
#else
	return false;
#endif
}

/*
 * 5.18: the cgroup gets its part of the list when an object for it is allocated.
 * Only kmem_cache_alloc_lru() does that, and only kmem_cache_alloc_node() places
 * the object, so allocate one by each.
 */
static inline bool compat_list_lru_prepare(struct kmem_cache *cache, struct list_lru *lru,
					   gfp_t gfp)
{
#ifdef ASHMEM_HAVE_MEMCG_LRU
	void *object = kmem_cache_alloc_lru(cache, lru, gfp);

	if (object)
		kmem_cache_free(cache, object);
	return object;
#else
	return true;
#endif
}

static inline void *compat_list_lru_alloc_gfp(struct kmem_cache *cache,
					      struct list_lru *lru, int nid, gfp_t gfp)
{
	void *object;

	if (!compat_list_lru_prepare(cache, lru, gfp & ~__GFP_THISNODE))
		return NULL;
	object = kmem_cache_alloc_node(cache, gfp | __GFP_ZERO, nid);
#ifdef ASHMEM_HAVE_MEMCG_LRU
	/* 7.3: an object of KFENCE is charged to no cgroup. It doesn't take two in a row. */
	if (is_kfence_address(object)) {
		void *sampled = object;

		object = kmem_cache_alloc_node(cache, gfp | __GFP_ZERO, nid);
		kmem_cache_free(cache, sampled);
	}
#endif
	return object;
}

/*
 * Allocate a zeroed object that will be listed for @memcg and @nid. The first attempt neither
 * reclaims from that cgroup nor lets the OOM killer kill a task of it. An object on
 * another node, where KFENCE can be, too, would be listed for that node.
 */
static inline void *compat_list_lru_alloc(struct kmem_cache *cache, struct list_lru *lru,
					  struct mem_cgroup *memcg, int nid)
{
#ifdef ASHMEM_HAVE_MEMCG_LRU
	/* Without a cgroup, that of the task would be charged. */
	struct mem_cgroup *before = set_active_memcg(compat_memcg_or_root(memcg));
#endif
	void *object;

	object = compat_list_lru_alloc_gfp(cache, lru, nid,
					   GFP_ATOMIC | __GFP_NOWARN | __GFP_THISNODE) ?:
		 compat_list_lru_alloc_gfp(cache, lru, nid,
					   GFP_KERNEL | __GFP_NOWARN | __GFP_THISNODE) ?:
		 compat_list_lru_alloc_gfp(cache, lru, nid, GFP_KERNEL);
#ifdef ASHMEM_HAVE_MEMCG_LRU
	set_active_memcg(before);
#endif
	return object;
}

#endif /* _ASHMEM_COMPAT_LIST_LRU_H */
