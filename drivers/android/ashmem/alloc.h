/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory for ranges. */

#ifndef _ASHMEM_ALLOC_H
#define _ASHMEM_ALLOC_H

#include <linux/list.h>

struct ashmem_range;
struct ashmem_ranges;

extern struct kmem_cache *ashmem_range_cache;

struct ashmem_range *ashmem_range_alloc(void);
void ashmem_range_free(struct ashmem_range *range);
void ashmem_ranges_free_list(struct list_head *dropped);
void ashmem_ranges_free_all(struct ashmem_ranges *set);

static inline void ashmem_ranges_free(struct list_head *dropped)
{
	if (unlikely(!list_empty(dropped)))
		ashmem_ranges_free_list(dropped);
}

#endif /* _ASHMEM_ALLOC_H */
