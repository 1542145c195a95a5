/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASHMEM_COMPAT_LIST_LRU_H
#define _ASHMEM_COMPAT_LIST_LRU_H

#include <linux/list_lru.h>
#include <linux/slab.h>

/* 6.13: callbacks of a walk are no longer shown the lock */
#ifdef ASHMEM_HAVE_LRU_WALK_LOCK
#define COMPAT_LRU_WALK_LOCK	spinlock_t *lock,
#else
#define COMPAT_LRU_WALK_LOCK
#endif

/* 6.8: list_lru_add() takes node and cgroup, the old one is list_lru_add_obj() */
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

/*
 * 6.7: a module can register a shrinker that knows of cgroups. Before that it
 * needs a symbol that isn't exported, and the list is one for all cgroups.
 */
static inline int compat_list_lru_init_memcg(struct list_lru *lru,
					     struct shrinker *shrinker)
{
#ifdef ASHMEM_HAVE_SHRINKER_ALLOC
	return list_lru_init_memcg(lru, shrinker);
#else
	return list_lru_init(lru);
#endif
}

/* 5.18: objects that join a list of cgroups say so when they are allocated */
static inline void *compat_kmem_cache_alloc_lru(struct kmem_cache *cache,
						struct list_lru *lru, gfp_t gfp)
{
#ifdef ASHMEM_HAVE_SHRINKER_ALLOC
	return kmem_cache_alloc_lru(cache, lru, gfp);
#else
	return kmem_cache_alloc(cache, gfp);
#endif
}

#endif /* _ASHMEM_COMPAT_LIST_LRU_H */
