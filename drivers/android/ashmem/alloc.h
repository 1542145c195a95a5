/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory for ranges. */

#ifndef _ASHMEM_ALLOC_H
#define _ASHMEM_ALLOC_H

#include <linux/gfp.h>
#include <linux/sched.h>

#include "range.h"

extern struct kmem_cache *ashmem_range_cache;

struct ashmem_range *ashmem_range_alloc(gfp_t gfp);
void ashmem_range_free(struct ashmem_range *range);
void ashmem_ranges_free_all(struct ashmem_ranges *set);

static inline void ashmem_ranges_free(struct list_head *dropped)
{
	struct ashmem_range *range, *next;

	list_for_each_entry_safe(range, next, dropped, age) {
		ashmem_range_free(range);
		cond_resched();
	}
}

#endif /* _ASHMEM_ALLOC_H */
