/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASHMEM_COMPAT_SHRINKER_H
#define _ASHMEM_COMPAT_SHRINKER_H

#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/swap.h>

/*
 * 5.10: the caller owns the struct, and registering it may fail. 6.0: it has a
 * name. 6.7: the kernel allocates it, and registering can't fail any more; only
 * then may a module's shrinker know of cgroups.
 */
static inline struct shrinker *compat_shrinker_alloc(const char *name)
{
#ifdef ASHMEM_HAVE_SHRINKER_ALLOC
	return shrinker_alloc(SHRINKER_MEMCG_AWARE | SHRINKER_NUMA_AWARE, "%s", name);
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

/*
 * For a shrinker that is registered or not. Returns when no callback runs.
 */
static inline void compat_shrinker_free(struct shrinker *shrinker)
{
#ifdef ASHMEM_HAVE_SHRINKER_ALLOC
	shrinker_free(shrinker);
#else
	unregister_shrinker(shrinker);
	kfree(shrinker);
#endif
}

/* 6.4: reclaim can be told of pages that were freed behind its back */
static inline void compat_account_reclaimed_pages(unsigned long pages)
{
#ifdef ASHMEM_HAVE_ACCOUNT_RECLAIMED
	mm_account_reclaimed_pages(pages);
#endif
}

#endif /* _ASHMEM_COMPAT_SHRINKER_H */
