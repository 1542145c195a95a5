// SPDX-License-Identifier: GPL-2.0-only
/* Payers: found by the pages, made, listed, freed. */

#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "ashmem.h"
#include "compat/list_lru.h"
#include "compat/memcg.h"
#include "payer.h"

/* How many payers to check for being idle when one is added. */
#define IDLE_LOOKS	4

/* Payers that close() clears per hold of the lock. */
#define CLEAR_BATCH	128

struct kmem_cache *ashmem_payer_cache;

/* The payer, or NULL and where in the tree it belongs. */
static struct ashmem_payer *find_payer_locked(struct ashmem_region *region, u64 cgroup,
					      int nid, struct rb_node **parent,
					      struct rb_node ***link)
{
	lockdep_assert_held(&region->lock);
	*link = &region->payers_by_id.rb_node;
	*parent = NULL;
	while (**link) {
		struct ashmem_payer *payer = rb_entry(**link, struct ashmem_payer, rb);
		bool left = payer->cgroup == cgroup ? payer->nid > nid : payer->cgroup > cgroup;

		if (payer->cgroup == cgroup && payer->nid == nid)
			return payer;
		*parent = **link;
		*link = left ? &(**link)->rb_left : &(**link)->rb_right;
	}
	return NULL;
}

/* No range is in the payer's queue, so only a purge may still use it. */
static bool free_payer(struct ashmem_region *region, struct ashmem_payer *payer)
{
	if (!ashmem_lru_detach(region->lru, &payer->entry))
		return false;
	kmem_cache_free(ashmem_payer_cache, payer);
	return true;
}

/* A region can outlive many cgroups: free some payers without pages. */
static void drop_idle_payers_locked(struct ashmem_region *region)
{
	unsigned int looks = IDLE_LOOKS;

	lockdep_assert_held(&region->lock);
	/* The spare still points to the queue that it was in. */
	if (region->spare)
		region->spare->paid = false;
	while (looks-- && !list_empty(&region->payers)) {
		struct ashmem_payer *payer = list_first_entry(&region->payers,
							      struct ashmem_payer, link);

		list_move_tail(&payer->link, &region->payers);
		if (payer->queue.pages || payer->in_flight ||
		    !ashmem_lru_detach(region->lru, &payer->entry))
			continue;
		list_del(&payer->link);
		rb_erase(&payer->rb, &region->payers_by_id);
		kmem_cache_free(ashmem_payer_cache, payer);
	}
}

static struct ashmem_payer *create_payer(struct ashmem_region *region,
					 struct mem_cgroup *memcg, int nid)
{
	struct ashmem_payer *payer;

	payer = kmem_cache_zalloc(ashmem_payer_cache, GFP_KERNEL);
	if (!payer)
		return NULL;
	if (ashmem_lru_attach(region->lru, &payer->entry, memcg, nid)) {
		kmem_cache_free(ashmem_payer_cache, payer);
		return NULL;
	}
	ashmem_queue_init(&payer->queue);
	payer->region = region;
	payer->cgroup = compat_memcg_serial(memcg);
	payer->nid = nid;
	return payer;
}

/* Add a payer, unless another task was faster; returns the one to use. */
static struct ashmem_payer *add_payer_locked(struct ashmem_region *region,
					     struct ashmem_payer *payer)
{
	struct rb_node *parent, **link;
	struct ashmem_payer *other;

	drop_idle_payers_locked(region);
	other = find_payer_locked(region, payer->cgroup, payer->nid, &parent, &link);
	if (other) {
		free_payer(region, payer);
		return other;
	}
	rb_link_node(&payer->rb, parent, link);
	rb_insert_color(&payer->rb, &region->payers_by_id);
	list_add_tail(&payer->link, &region->payers);
	return payer;
}

/*
 * Locks @region, which has a backing, and returns the payer of the interval: that of the
 * first page in memory (*@paid is set), else the caller's cgroup and node. NULL,
 * unlocked, without memory. May sleep.
 */
struct ashmem_payer *ashmem_payer_look(struct ashmem_region *region, unsigned long first,
				       unsigned long last, bool *paid)
{
	bool by_memcg = compat_list_lru_by_memcg(&region->lru->lists);
	struct rb_node *parent, **link;
	struct mem_cgroup *memcg = NULL;
	struct ashmem_payer *payer;
	int nid;

	/* RCU keeps the cgroup valid; only a new payer needs a reference. */
	rcu_read_lock();
	*paid = ashmem_backing_payer(region->backing, first, last, by_memcg, &memcg, &nid);
	if (!*paid) {
		memcg = by_memcg ? compat_task_memcg() : NULL;
		nid = numa_node_id();
	}
	spin_lock(&region->lock);
	payer = find_payer_locked(region, compat_memcg_serial(memcg), nid, &parent, &link);
	if (payer) {
		rcu_read_unlock();
		return payer;
	}
	spin_unlock(&region->lock);
	if (!compat_memcg_tryget(memcg))
		memcg = NULL;
	rcu_read_unlock();

	payer = create_payer(region, memcg, nid);
	compat_memcg_put(memcg);
	if (!payer)
		return NULL;
	spin_lock(&region->lock);
	return add_payer_locked(region, payer);
}

/*
 * Tell the LRU about all pages of @payer, plus an eighth if it grows: an entry that
 * grows page by page then updates the LRU rarely, and one that pins and unpins the same
 * pages never, until a purge corrects the number.
 */
void ashmem_payer_list_locked(struct ashmem_payer *payer)
{
	struct ashmem_lru_entry *entry = &payer->entry;
	unsigned long pages = payer->queue.pages + payer->in_flight;

	lockdep_assert_held(&payer->region->lock);
	if (likely(min(pages, ASHMEM_LRU_PAGES_MAX) <= entry->pages))
		return;
	if (entry->pages)
		ashmem_lru_update(payer->region->lru, entry, entry->key, pages + pages / 8);
	else
		ashmem_lru_update(payer->region->lru, entry,
				  ashmem_queue_oldest(&payer->queue)->stamp, pages);
}

/* Detach the ranges of some payers. Returns whether there are more. */
static bool clear_some_locked(struct ashmem_region *region, struct list_head *cleared)
{
	unsigned int budget = CLEAR_BATCH;

	lockdep_assert_held(&region->lock);
	while (budget-- && !list_empty(&region->payers)) {
		struct ashmem_payer *payer = list_first_entry(&region->payers,
							      struct ashmem_payer, link);

		list_move(&payer->link, cleared);
		ashmem_queue_init(&payer->queue);
		ashmem_lru_update(region->lru, &payer->entry, payer->entry.key,
				  payer->in_flight);
	}
	return !list_empty(&region->payers);
}

/* Purges no longer find the ranges of @region. Only purges still use the region. */
void ashmem_payers_clear(struct ashmem_region *region)
{
	LIST_HEAD(cleared);
	bool more;

	do {
		spin_lock(&region->lock);
		more = clear_some_locked(region, &cleared);
		if (!more)
			list_splice(&cleared, &region->payers);
		spin_unlock(&region->lock);
		cond_resched();
	} while (more);
}

/* @region has no references left. */
void ashmem_payers_free(struct ashmem_region *region)
{
	struct ashmem_payer *payer, *next;

	list_for_each_entry_safe(payer, next, &region->payers, link)
		WARN_ON_ONCE(!free_payer(region, payer));
}

/*
 * Takes a reference to the region of a listed entry, under the LRU's lock. The region
 * has one: a listed entry has pages in its queue, which close() empties, or pages in
 * flight, whose purge holds a reference.
 */
void ashmem_payer_hold(struct ashmem_lru_entry *entry)
{
	kref_get(&container_of(entry, struct ashmem_payer, entry)->region->refs);
}
