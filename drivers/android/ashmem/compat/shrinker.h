/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASHMEM_COMPAT_SHRINKER_H
#define _ASHMEM_COMPAT_SHRINKER_H

#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/swap.h>

#include "compat.h"
#include "memcg.h"

/*
 * 5.10: the caller owns the struct, and registration may fail. 6.0: it has a name. 6.7:
 * the kernel allocates it, registration cannot fail, and a module's shrinker may be
 * memcg-aware.
 */
static inline struct shrinker *compat_shrinker_alloc(const char *name)
{
#if defined(ASHMEM_HAVE_MEMCG_LRU)
	return shrinker_alloc(SHRINKER_MEMCG_AWARE | SHRINKER_NUMA_AWARE, "%s", name);
#elif defined(ASHMEM_HAVE_SHRINKER_ALLOC)
	return shrinker_alloc(SHRINKER_NUMA_AWARE, "%s", name);
#else
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);

	if (shrinker) {
		shrinker->flags = SHRINKER_NUMA_AWARE;
		shrinker->seeks = DEFAULT_SEEKS;
	}
	return shrinker;
#endif
}

static inline int compat_shrinker_register(struct shrinker *shrinker, const char *name)
{
#if defined(ASHMEM_HAVE_SHRINKER_ALLOC)
	shrinker_register(shrinker);
	return 0;
#elif defined(ASHMEM_HAVE_SHRINKER_NAME)
	return register_shrinker(shrinker, "%s", name);
#else
	return register_shrinker(shrinker);
#endif
}

/* Frees a shrinker, registered or not, after its last callback has returned. */
static inline void compat_shrinker_free(struct shrinker *shrinker)
{
#ifdef ASHMEM_HAVE_SHRINKER_ALLOC
	shrinker_free(shrinker);
#else
	unregister_shrinker(shrinker);
	kfree(shrinker);
#endif
}

/* 6.4: a call reports to reclaim pages that were freed outside of its LRU lists */
static inline void compat_account_reclaimed_pages(unsigned long pages)
{
#ifdef ASHMEM_HAVE_ACCOUNT_RECLAIMED
	mm_account_reclaimed_pages(pages);
#else
	if (current->reclaim_state)
		current->reclaim_state->reclaimed_slab += pages;
#endif
}

/* Has this reclaim freed anything outside of its LRU lists? */
static inline bool compat_reclaimed_any(void)
{
#ifdef ASHMEM_HAVE_ACCOUNT_RECLAIMED
	return current->reclaim_state && current->reclaim_state->reclaimed;
#else
	return current->reclaim_state && current->reclaim_state->reclaimed_slab;
#endif
}

#endif /* _ASHMEM_COMPAT_SHRINKER_H */
