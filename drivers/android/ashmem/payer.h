/* SPDX-License-Identifier: GPL-2.0-only */
/* Payers: the cgroup and node that pages are charged to, whichever task unpins them. */

#ifndef _ASHMEM_PAYER_H
#define _ASHMEM_PAYER_H

#include "ashmem.h"
#include "lru.h"
#include "range.h"

/* Ranges of a region that are charged to one cgroup and node; under the region's lock. */
struct ashmem_payer {
	struct ashmem_lru_entry entry;
	struct ashmem_queue queue;	/* its ranges with pages to take */
	unsigned long in_flight;	/* existing pages that a purge has taken */
	struct ashmem_region *region;	/* invariant */
	struct rb_node rb;		/* in the region's tree, by @cgroup and @nid */
	struct list_head link;		/* in the region's list */
	u64 cgroup;			/* serial number, never reused; 0: the root; invariant */
	int nid;			/* invariant */
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
