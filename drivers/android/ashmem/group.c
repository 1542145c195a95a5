// SPDX-License-Identifier: GPL-2.0
/*
 * The groups of the LRU: found, made, let go.
 */

#include <linux/slab.h>
#include <linux/topology.h>

#include "ashmem.h"
#include "compat/list_lru.h"
#include "compat/memcg.h"

static struct kmem_cache *group_cache;

static bool group_is(const struct ashmem_lru_group *group, u64 cgroup, int nid)
{
	return group->cgroup == cgroup && group->nid == nid;
}

static struct ashmem_lru_group *find_group(struct ashmem_lru *lru, u64 cgroup, int nid)
{
	struct ashmem_lru_group *group;

	lockdep_assert_held(&lru->lock);
	hash_for_each_possible(lru->known, group, hash, cgroup) {
		if (group_is(group, cgroup, nid)) {
			ashmem_lru_group_get(group);
			return group;
		}
	}
	return NULL;
}

static struct ashmem_lru_group *create_group(struct ashmem_lru *lru, u64 cgroup, int nid)
{
	struct ashmem_lru_group *group, *other;

	/* Charged to the cgroup, and thereby listed there. */
	group = compat_kmem_cache_alloc_lru(group_cache, &lru->groups, GFP_KERNEL);
	if (!group)
		return NULL;
	refcount_set(&group->refs, 1);
	group->lru = lru;
	group->cgroup = cgroup;
	group->nid = nid;
	INIT_LIST_HEAD(&group->link);
	spin_lock_init(&group->lock);
	INIT_LIST_HEAD(&group->ranges);
	group->pages = 0;

	spin_lock(&lru->lock);
	other = find_group(lru, cgroup, nid);
	if (!other)
		hash_add(lru->known, &group->hash, cgroup);
	spin_unlock(&lru->lock);

	if (!other)
		return group;
	kmem_cache_free(group_cache, group);
	return other;
}

/**
 * ashmem_lru_change_group - see to it that a region has a group at hand
 * @lru: the LRU
 * @group: the group that the region had last, or NULL; its lock is held, and
 *	with it the reference that is kept here
 * @cgroup: number of the group's cgroup
 * @nid: node of the group
 *
 * Return: 0, or -ENOMEM and no change.
 */
int ashmem_lru_change_group(struct ashmem_lru *lru, struct ashmem_lru_group **group,
			    u64 cgroup, int nid)
{
	struct ashmem_lru_group *old = *group, *new;

	if (likely(old && group_is(old, cgroup, nid)))
		return 0;

	spin_lock(&lru->lock);
	new = find_group(lru, cgroup, nid);
	spin_unlock(&lru->lock);
	if (!new)
		new = create_group(lru, cgroup, nid);
	if (!new)
		return -ENOMEM;

	*group = new;
	if (old)
		ashmem_lru_group_put(old);
	return 0;
}

/**
 * ashmem_lru_current_group - see to it that a region has the task's group at hand
 * @lru: the LRU
 * @group: as for ashmem_lru_change_group()
 *
 * Return: 0, or -ENOMEM and no change.
 */
int ashmem_lru_current_group(struct ashmem_lru *lru, struct ashmem_lru_group **group)
{
	/* Never used again, so no group is taken for that of a later cgroup. */
	return ashmem_lru_change_group(lru, group, compat_current_memcg_serial(),
				       numa_node_id());
}

void ashmem_lru_group_put(struct ashmem_lru_group *group)
{
	struct ashmem_lru *lru = group->lru;

	if (!refcount_dec_and_lock(&group->refs, &lru->lock))
		return;
	hash_del(&group->hash);
	spin_unlock(&lru->lock);

	/* A walk of the list may still see the group, but can't get hold of it. */
	compat_list_lru_del_obj(&lru->groups, &group->link);
	kmem_cache_free(group_cache, group);
}

int __init ashmem_lru_group_cache_init(void)
{
	group_cache = kmem_cache_create("ashmem_lru_group", sizeof(struct ashmem_lru_group),
					0, SLAB_ACCOUNT, NULL);
	return group_cache ? 0 : -ENOMEM;
}

void ashmem_lru_group_cache_exit(void)
{
	kmem_cache_destroy(group_cache);
}
