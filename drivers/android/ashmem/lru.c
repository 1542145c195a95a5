// SPDX-License-Identifier: GPL-2.0
/*
 * The LRU of purgeable ranges.
 *
 * Ranges join and leave under their region's lock, which the callers hold; a
 * purge comes from the other side, picks the oldest range and only then locks
 * its region. While a range is listed its region has a reference, since a
 * region's ranges leave the list before its owner lets go of it.
 */

#include "ashmem.h"

/* How many ranges of regions that are busy one pick passes over: some 10 us. */
#define LRU_PASS_OVER_MAX	1024

void ashmem_lru_init(struct ashmem_lru *lru)
{
	spin_lock_init(&lru->lock);
	INIT_LIST_HEAD(&lru->ranges);
	lru->pages = 0;
}

/*
 * Readers take no lock, so the count is written in one piece.
 */
static void add_pages(struct ashmem_lru *lru, long pages)
{
	lockdep_assert_held(&lru->lock);
	WRITE_ONCE(lru->pages, lru->pages + pages);
}

/**
 * ashmem_lru_add - list a range at the young end
 * @lru: the LRU
 * @range: a range with purgeable pages; its region is locked
 */
void ashmem_lru_add(struct ashmem_lru *lru, struct ashmem_range *range)
{
	spin_lock(&lru->lock);
	list_add_tail(&range->lru, &lru->ranges);
	add_pages(lru, ashmem_range_purgeable(range));
	spin_unlock(&lru->lock);
}

/**
 * ashmem_lru_add_behind - list a range as the next younger one of another
 * @lru: the LRU
 * @range: a range with purgeable pages; its region is locked
 * @sibling: a listed range of the same region
 */
void ashmem_lru_add_behind(struct ashmem_lru *lru, struct ashmem_range *range,
			   struct ashmem_range *sibling)
{
	spin_lock(&lru->lock);
	list_add(&range->lru, &sibling->lru);
	add_pages(lru, ashmem_range_purgeable(range));
	spin_unlock(&lru->lock);
}

/**
 * ashmem_lru_del - take a range off the list, with all its pages
 * @lru: the LRU
 * @range: a listed range; its region is locked
 */
void ashmem_lru_del(struct ashmem_lru *lru, struct ashmem_range *range)
{
	spin_lock(&lru->lock);
	list_del(&range->lru);
	add_pages(lru, -ashmem_range_purgeable(range));
	spin_unlock(&lru->lock);
}

/**
 * ashmem_lru_shrink - note that a listed range has fewer purgeable pages
 * @lru: the LRU
 * @range: the range, changed already; its region is locked
 * @pages: how many fewer; the range leaves the list when none are left
 */
void ashmem_lru_shrink(struct ashmem_lru *lru, struct ashmem_range *range,
		       unsigned long pages)
{
	spin_lock(&lru->lock);
	add_pages(lru, -pages);
	if (!ashmem_range_purgeable(range))
		list_del(&range->lru);
	spin_unlock(&lru->lock);
}

/**
 * ashmem_lru_pages - how many pages a purge of everything would take
 * @lru: the LRU
 */
unsigned long ashmem_lru_pages(const struct ashmem_lru *lru)
{
	return READ_ONCE(lru->pages);
}

/**
 * ashmem_lru_trylock_oldest - pick what to purge, without waiting for anybody
 * @lru: the LRU
 *
 * Return: the oldest range whose region could be locked, or NULL. The caller
 * unlocks the region and puts the reference that it got of it.
 */
struct ashmem_range *ashmem_lru_trylock_oldest(struct ashmem_lru *lru)
{
	struct ashmem_range *range, *found = NULL;
	unsigned int passed_over = 0;

	spin_lock(&lru->lock);
	list_for_each_entry(range, &lru->ranges, lru) {
		/* The inverse of the lock order, so this must not wait. */
		if (mutex_trylock(&range->region->lock)) {
			ashmem_region_get(range->region);
			found = range;
			break;
		}
		if (++passed_over == LRU_PASS_OVER_MAX)
			break;
	}
	spin_unlock(&lru->lock);
	return found;
}

/**
 * ashmem_lru_get_oldest - the region of the oldest range
 * @lru: the LRU
 *
 * Return: the region, with a reference for the caller, or NULL.
 */
struct ashmem_region *ashmem_lru_get_oldest(struct ashmem_lru *lru)
{
	struct ashmem_region *region = NULL;
	struct ashmem_range *range;

	spin_lock(&lru->lock);
	range = list_first_entry_or_null(&lru->ranges, struct ashmem_range, lru);
	if (range) {
		region = range->region;
		ashmem_region_get(region);
	}
	spin_unlock(&lru->lock);
	return region;
}

/**
 * ashmem_lru_oldest_of - the oldest range, if it is one of this region
 * @lru: the LRU
 * @region: a region, locked, so that the range stays
 *
 * Return: the range, or NULL if a range of another region is older by now.
 */
struct ashmem_range *ashmem_lru_oldest_of(struct ashmem_lru *lru,
					  struct ashmem_region *region)
{
	struct ashmem_range *range;

	lockdep_assert_held(&region->lock);
	spin_lock(&lru->lock);
	range = list_first_entry_or_null(&lru->ranges, struct ashmem_range, lru);
	if (range && range->region != region)
		range = NULL;
	spin_unlock(&lru->lock);
	return range;
}
