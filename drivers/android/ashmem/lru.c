// SPDX-License-Identifier: GPL-2.0
/*
 * The LRU of purgeable ranges.
 *
 * Ranges join and leave under their region's lock, which the callers hold; a
 * purge comes from the other side, picks the oldest range and only then locks
 * its region. While a range is listed its region has a reference, since a
 * region's ranges leave the list before its owner lets go of it.
 */

#include <linux/mm.h>

#include "ashmem.h"
#include "compat/list_lru.h"
#include "stub.h"

/* How many ranges of regions that are busy one pick passes over: some 10 us. */
#define LRU_PASS_OVER_MAX	1024

/*
 * Readers take no lock, so the count is written in one piece.
 */
static void count_pages(struct ashmem_lru_group *group, long pages)
{
	lockdep_assert_held(&group->lock);
	WRITE_ONCE(group->pages, group->pages + pages);
}

/*
 * The ranges of a group hold one reference of it together: that of the first
 * one to come, which the last one to go gives to its caller.
 */
static void list_range(struct ashmem_lru_group *group, struct ashmem_range *range,
		       struct list_head *behind)
{
	lockdep_assert_held(&group->lock);
	if (unlikely(list_empty(&group->ranges)))
		ashmem_lru_group_get(group);
	range->group = group;
	list_add(&range->lru, behind);
	count_pages(group, ashmem_range_purgeable(range));
}

static bool unlist_range(struct ashmem_lru_group *group, struct ashmem_range *range)
{
	lockdep_assert_held(&group->lock);
	list_del(&range->lru);
	return list_empty(&group->ranges);
}

/**
 * ashmem_lru_add - list a range at the young end of a group
 * @group: the group, which the caller has a reference of
 * @range: a range with purgeable pages; its region is locked
 */
void ashmem_lru_add(struct ashmem_lru_group *group, struct ashmem_range *range)
{
	spin_lock(&group->lock);
	list_range(group, range, group->ranges.prev);
	spin_unlock(&group->lock);

	/*
	 * A group leaves the list when a count finds it empty, which it decides
	 * under the group's lock: if it was before the above, the link says so now.
	 */
	if (unlikely(list_empty(&group->link)))
		compat_list_lru_add_obj(&group->lru->groups, &group->link);
}

/**
 * ashmem_lru_add_behind - list a range as the next younger one of another
 * @range: a range with purgeable pages; its region is locked
 * @sibling: a listed range of the same region
 */
void ashmem_lru_add_behind(struct ashmem_range *range, struct ashmem_range *sibling)
{
	struct ashmem_lru_group *group = sibling->group;

	spin_lock(&group->lock);
	list_range(group, range, &sibling->lru);
	spin_unlock(&group->lock);
}

/**
 * ashmem_lru_del - take a range off the list, with all its pages
 * @range: a listed range; its region is locked
 */
void ashmem_lru_del(struct ashmem_range *range)
{
	struct ashmem_lru_group *group = range->group;
	bool last;

	spin_lock(&group->lock);
	count_pages(group, -ashmem_range_purgeable(range));
	last = unlist_range(group, range);
	spin_unlock(&group->lock);

	if (last)
		ashmem_lru_group_put(group);
}

/**
 * ashmem_lru_del_many - take those of some ranges that are listed off the list
 * @ranges: the ranges, all of one region, which is locked
 * @count: how many
 */
void ashmem_lru_del_many(struct ashmem_range **ranges, unsigned int count)
{
	unsigned int i = 0;

	while (i < count) {
		struct ashmem_lru_group *group;
		unsigned long pages = 0;
		bool last = false;

		if (!ashmem_range_purgeable(ranges[i])) {
			i++;
			continue;
		}
		/* As many as one taking of the lock will do for. */
		group = ranges[i]->group;
		spin_lock(&group->lock);
		do {
			pages += ashmem_range_purgeable(ranges[i]);
			last = unlist_range(group, ranges[i]);
			i++;
		} while (i < count && ashmem_range_purgeable(ranges[i]) &&
			 ranges[i]->group == group);
		count_pages(group, -pages);
		spin_unlock(&group->lock);
		if (last)
			ashmem_lru_group_put(group);
	}
}

/**
 * ashmem_lru_shrink - note that a listed range has fewer purgeable pages
 * @range: the range, changed already; its region is locked
 * @pages: how many fewer; the range leaves the list when none are left
 */
void ashmem_lru_shrink(struct ashmem_range *range, unsigned long pages)
{
	struct ashmem_lru_group *group = range->group;
	bool last = false;

	spin_lock(&group->lock);
	count_pages(group, -pages);
	if (!ashmem_range_purgeable(range))
		last = unlist_range(group, range);
	spin_unlock(&group->lock);

	if (last)
		ashmem_lru_group_put(group);
}

/**
 * ashmem_lru_pages - how many pages a purge of everything would take
 * @lru: the LRU
 *
 * Return: pages.
 */
unsigned long ashmem_lru_pages(struct ashmem_lru *lru)
{
	struct ashmem_lru_group *group;
	unsigned long pages = 0;
	unsigned int bucket;

	spin_lock(&lru->lock);
	hash_for_each(lru->known, bucket, group, hash)
		pages += READ_ONCE(group->pages);
	spin_unlock(&lru->lock);
	return pages;
}

static enum lru_status count_group(struct list_head *item, struct list_lru_one *list,
				   COMPAT_LRU_WALK_LOCK void *arg)
{
	struct ashmem_lru_group *group = container_of(item, struct ashmem_lru_group, link);
	enum lru_status status = LRU_SKIP;
	unsigned long *pages = arg;

	/* Emptied groups stay listed till now: joining and leaving is dear. */
	spin_lock(&group->lock);
	if (!list_empty(&group->ranges)) {
		*pages += group->pages;
	} else {
		list_lru_isolate(list, item);
		status = LRU_REMOVED;
	}
	spin_unlock(&group->lock);
	return status;
}

/**
 * ashmem_lru_count - how many pages a node of a cgroup has to give
 * @lru: the LRU
 * @sc: which node and cgroup
 *
 * Regions may be far larger than memory, and the kernel asks for a part of what
 * it is told: it would be one that is more than all that there is.
 *
 * Return: pages, at most those of the machine.
 */
unsigned long ashmem_lru_count(struct ashmem_lru *lru, struct shrink_control *sc)
{
	unsigned long pages = 0, nr_to_walk = ULONG_MAX;

	list_lru_walk_one(&lru->groups, sc->nid, sc->memcg, count_group, &pages,
			  &nr_to_walk);
	return min(pages, totalram_pages());
}

struct pick {
	struct ashmem_lru_group *group;
	unsigned int skip;
};

static enum lru_status pick_group(struct list_head *item, struct list_lru_one *list,
				  COMPAT_LRU_WALK_LOCK void *arg)
{
	struct ashmem_lru_group *group = container_of(item, struct ashmem_lru_group, link);
	struct pick *pick = arg;

	if (pick->group || list_empty(&group->ranges))
		return LRU_SKIP;
	if (pick->skip)
		pick->skip--;
	else if (refcount_inc_not_zero(&group->refs))
		pick->group = group;
	return LRU_SKIP;
}

/**
 * ashmem_lru_get_group - a group that a node of a cgroup can be purged by
 * @lru: the LRU
 * @sc: which node and cgroup
 * @skip: pass over that many
 *
 * There is more than one where cgroups below this one went away.
 *
 * Return: the group, with a reference for the caller, or NULL.
 */
struct ashmem_lru_group *ashmem_lru_get_group(struct ashmem_lru *lru,
					      struct shrink_control *sc,
					      unsigned int skip)
{
	struct pick pick = { .skip = skip };
	unsigned long nr_to_walk = ULONG_MAX;

	list_lru_walk_one(&lru->groups, sc->nid, sc->memcg, pick_group, &pick,
			  &nr_to_walk);
	return pick.group;
}

/**
 * ashmem_lru_trylock_oldest - pick what to purge, without waiting for anybody
 * @group: the group
 * @fits: is a range, whose region is locked, one to pick? Must not sleep
 *
 * Return: the oldest range that fits and whose region could be locked, or NULL.
 * The caller unlocks the region and puts the reference that it got of it.
 */
struct ashmem_range *
ashmem_lru_trylock_oldest(struct ashmem_lru_group *group,
			  bool (*fits)(const struct ashmem_range *range))
{
	struct ashmem_range *range, *found = NULL;
	unsigned int passed_over = 0;

	KUNIT_STATIC_STUB_REDIRECT(ashmem_lru_trylock_oldest, group, fits);

	spin_lock(&group->lock);
	list_for_each_entry(range, &group->ranges, lru) {
		/* The inverse of the lock order, so this must not wait. */
		if (mutex_trylock(&range->region->lock)) {
			if (fits(range)) {
				ashmem_region_get(range->region);
				found = range;
				break;
			}
			/* It can't be closed, and freed, while it is listed here. */
			mutex_unlock(&range->region->lock);
		}
		if (++passed_over == LRU_PASS_OVER_MAX)
			break;
	}
	spin_unlock(&group->lock);
	return found;
}

static struct ashmem_lru_group *group_of_node(struct hlist_node *node)
{
	return hlist_entry_safe(node, struct ashmem_lru_group, hash);
}

/**
 * ashmem_lru_next_group - go through the groups that have something to purge
 * @lru: the LRU
 * @group: the group before, whose reference is put, or NULL for the first one
 *
 * New groups come to the front of their bucket, and the reference keeps the
 * group before where it is: so each is met once, and there is an end of it.
 *
 * Return: the group, with a reference for the caller, or NULL.
 */
struct ashmem_lru_group *ashmem_lru_next_group(struct ashmem_lru *lru,
					       struct ashmem_lru_group *group)
{
	struct ashmem_lru_group *before = group;
	unsigned int bucket = 0;

	spin_lock(&lru->lock);
	if (before) {
		bucket = hash_min(before->cgroup, HASH_BITS(lru->known));
		group = group_of_node(before->hash.next);
	} else {
		group = group_of_node(lru->known[bucket].first);
	}
	for (;;) {
		hlist_for_each_entry_from(group, hash) {
			if (!list_empty(&group->ranges)) {
				ashmem_lru_group_get(group);
				goto out;
			}
		}
		if (++bucket == HASH_SIZE(lru->known))
			break;
		group = group_of_node(lru->known[bucket].first);
	}
out:
	spin_unlock(&lru->lock);
	if (before)
		ashmem_lru_group_put(before);
	return group;
}

/**
 * ashmem_lru_get_oldest - the region of a group's oldest range
 * @group: the group
 *
 * Return: the region, with a reference for the caller, or NULL.
 */
struct ashmem_region *ashmem_lru_get_oldest(struct ashmem_lru_group *group)
{
	struct ashmem_region *region = NULL;
	struct ashmem_range *range;

	KUNIT_STATIC_STUB_REDIRECT(ashmem_lru_get_oldest, group);

	spin_lock(&group->lock);
	range = list_first_entry_or_null(&group->ranges, struct ashmem_range, lru);
	if (range) {
		region = range->region;
		ashmem_region_get(region);
	}
	spin_unlock(&group->lock);
	return region;
}

/**
 * ashmem_lru_oldest_of - a group's oldest range, if it is one of this region
 * @group: the group
 * @region: a region, locked, so that the range stays
 *
 * Return: the range, or NULL if a range of another region is older by now.
 */
struct ashmem_range *ashmem_lru_oldest_of(struct ashmem_lru_group *group,
					  struct ashmem_region *region)
{
	struct ashmem_range *range;

	lockdep_assert_held(&region->lock);
	spin_lock(&group->lock);
	range = list_first_entry_or_null(&group->ranges, struct ashmem_range, lru);
	if (range && range->region != region)
		range = NULL;
	spin_unlock(&group->lock);
	return range;
}

/**
 * ashmem_lru_init - make an empty LRU
 * @lru: the LRU
 * @shrinker: whose shrinker it is, allocated but not yet registered
 *
 * Return: 0 or -ENOMEM.
 */
int ashmem_lru_init(struct ashmem_lru *lru, struct shrinker *shrinker)
{
	spin_lock_init(&lru->lock);
	hash_init(lru->known);
	return compat_list_lru_init_memcg(&lru->groups, shrinker);
}

void ashmem_lru_exit(struct ashmem_lru *lru)
{
	WARN_ON_ONCE(!hash_empty(lru->known));
	list_lru_destroy(&lru->groups);
}
