/* SPDX-License-Identifier: GPL-2.0-only */
/* Payers: the cgroup and node that pages are charged to, whichever task unpins them. */

#ifndef _ASHMEM_PAYER_H
#define _ASHMEM_PAYER_H

#include "ashmem.h"
#include "lru.h"
#include "range.h"

/**
 * struct ashmem_payer - ranges of a region that are charged to one cgroup and node
 * @entry: the payer's entry in the LRU
 * @queue: its ranges with pages to take; under the region's lock
 * @in_flight: existing pages that a purge has taken; under the region's lock
 * @region: the region; invariant
 * @rb: node in the region's tree, by @cgroup and @nid; under the region's lock
 * @link: node in the region's list; under the region's lock
 * @cgroup: serial number of the cgroup, which no later one gets, or 0 for the
 *	root; invariant
 * @nid: the node; invariant
 */
struct ashmem_payer {
	struct ashmem_lru_entry entry;
	struct ashmem_queue queue;
	unsigned long in_flight;
	struct ashmem_region *region;
	struct rb_node rb;
	struct list_head link;
	u64 cgroup;
	int nid;
};

extern struct kmem_cache *ashmem_payer_cache;

struct ashmem_payer *ashmem_payer_look(struct ashmem_region *region, unsigned long first,
				       unsigned long last, bool *paid);
void ashmem_payer_list_locked(struct ashmem_payer *payer);
void ashmem_payers_clear(struct ashmem_region *region);
void ashmem_payers_free(struct ashmem_region *region);
void ashmem_payer_hold(struct ashmem_lru_entry *entry);

/*
 * As ashmem_payer_look(). If the last PIN took exactly these pages and none was lost,
 * the pages and so the payer are the same.
 */
static inline struct ashmem_payer *ashmem_payer_lock(struct ashmem_region *region,
						     unsigned long first,
						     unsigned long last, bool *paid)
{
	struct ashmem_range *spare;

	spin_lock(&region->lock);
	spare = region->spare;
	if (likely(spare && spare->start == first && spare->last == last &&
		   spare->paid && !spare->purged)) {
		*paid = true;
		return container_of(spare->queue, struct ashmem_payer, queue);
	}
	spin_unlock(&region->lock);
	return ashmem_payer_look(region, first, last, paid);
}

#endif /* _ASHMEM_PAYER_H */
