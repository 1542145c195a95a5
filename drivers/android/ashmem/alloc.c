// SPDX-License-Identifier: GPL-2.0-only
/* Allocate ranges; free them one at a time, by list, and by set. */

#include <linux/sched.h>
#include <linux/slab.h>

#include "alloc.h"
#include "stub.h"

/* Ranges that are freed together, from an array on the stack. */
#define FREE_BATCH	32

struct kmem_cache *ashmem_range_cache;

/* Returns a range that is not initialized, or NULL. */
struct ashmem_range *ashmem_range_alloc(gfp_t gfp)
{
	KUNIT_STATIC_STUB_REDIRECT(ashmem_range_alloc, gfp);

	return kmem_cache_alloc(ashmem_range_cache, gfp);
}

/* @range is in no set, or NULL. */
void ashmem_range_free(struct ashmem_range *range)
{
	if (range)
		kmem_cache_free(ashmem_range_cache, range);
}

/*
 * The caller is the only user of @set, and has emptied its queues. Not for an empty @set:
 * some kernels clear the batch on the stack.
 */
void ashmem_ranges_free_all(struct ashmem_ranges *set)
{
	struct ashmem_range *range, *next;
	void *batch[FREE_BATCH];
	size_t count = 0;

	/* Post-order: the walk is past a range once it is in the batch. */
	rbtree_postorder_for_each_entry_safe(range, next, &set->root, rb) {
		batch[count++] = range;
		if (count == FREE_BATCH) {
			kmem_cache_free_bulk(ashmem_range_cache, count, batch);
			count = 0;
			cond_resched();
		}
	}
	if (count)
		kmem_cache_free_bulk(ashmem_range_cache, count, batch);
}
