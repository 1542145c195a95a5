/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASHMEM_COMPAT_SHRINKER_H
#define _ASHMEM_COMPAT_SHRINKER_H

#include <linux/err.h>
#include <linux/shrinker.h>
#include <linux/slab.h>

typedef unsigned long (*compat_shrinker_fn)(struct shrinker *, struct shrink_control *);

/*
 * Make and register a shrinker; an ERR_PTR tells why not.
 *
 * 5.10: the caller owns the struct and registering it may fail. 6.0: it has a
 * name. 6.7: the kernel allocates it, and registering can't fail any more.
 * One call for both steps, since what fails differs.
 */
static inline struct shrinker *compat_shrinker_create(const char *name,
						      compat_shrinker_fn count,
						      compat_shrinker_fn scan)
{
#ifdef ASHMEM_HAVE_SHRINKER_ALLOC
	struct shrinker *shrinker = shrinker_alloc(0, "%s", name);

	if (!shrinker)
		return ERR_PTR(-ENOMEM);
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker_register(shrinker);
	return shrinker;
#else
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);
	int err;

	if (!shrinker)
		return ERR_PTR(-ENOMEM);
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = DEFAULT_SEEKS;
#ifdef ASHMEM_HAVE_SHRINKER_NAME
	err = register_shrinker(shrinker, "%s", name);
#else
	err = register_shrinker(shrinker);
#endif
	if (err) {
		kfree(shrinker);
		return ERR_PTR(err);
	}
	return shrinker;
#endif
}

/*
 * Returns when no callback runs any more.
 */
static inline void compat_shrinker_destroy(struct shrinker *shrinker)
{
#ifdef ASHMEM_HAVE_SHRINKER_ALLOC
	shrinker_free(shrinker);
#else
	unregister_shrinker(shrinker);
	kfree(shrinker);
#endif
}

#endif /* _ASHMEM_COMPAT_SHRINKER_H */
