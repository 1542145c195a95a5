/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ranges that can be purged, in the order in which they were unpinned.
 */

#ifndef _ASHMEM_LRU_H
#define _ASHMEM_LRU_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct ashmem_range;
struct ashmem_region;

/**
 * struct ashmem_lru - ranges with purgeable pages, least recently unpinned first
 * @lock: protects the fields below and the links of each listed range
 * @ranges: the ranges
 * @pages: how many purgeable pages they have together; written under @lock,
 *	read anywhere
 */
struct ashmem_lru {
	spinlock_t lock; /* 3rd in the order of ashmem.h */
	struct list_head ranges;
	unsigned long pages;
};

void ashmem_lru_init(struct ashmem_lru *lru);
void ashmem_lru_add(struct ashmem_lru *lru, struct ashmem_range *range);
void ashmem_lru_add_behind(struct ashmem_lru *lru, struct ashmem_range *range,
			   struct ashmem_range *sibling);
void ashmem_lru_del(struct ashmem_lru *lru, struct ashmem_range *range);
void ashmem_lru_shrink(struct ashmem_lru *lru, struct ashmem_range *range,
		       unsigned long pages);
unsigned long ashmem_lru_pages(const struct ashmem_lru *lru);
struct ashmem_range *ashmem_lru_trylock_oldest(struct ashmem_lru *lru);
struct ashmem_region *ashmem_lru_get_oldest(struct ashmem_lru *lru);
struct ashmem_range *ashmem_lru_oldest_of(struct ashmem_lru *lru,
					  struct ashmem_region *region);

#endif /* _ASHMEM_LRU_H */
