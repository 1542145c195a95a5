// SPDX-License-Identifier: GPL-2.0-only
/*
 * A model of a region's unpinned ranges in both drivers, with the additional state of
 * ours. It only chooses operations and states facts: the two logs are compared with each
 * other, not with the model.
 */

#include <sys/mman.h>

#include "ashmem_diff.h"

bool interval_ok(const struct region *region, __u32 offset, __u32 len,
		 __u64 *first, __u64 *last)
{
	__u64 size = region_pages(region) * page_bytes;
	__u64 end = len ? (__u64)offset + len : size;

	if ((offset | len) & (page_bytes - 1))
		return false;
	if ((len && end > UINT32_MAX) || end > size || offset >= end)
		return false;
	*first = offset / page_bytes;
	*last = end / page_bytes - 1;
	return region->backed;
}

/*
 * Has the calling process a right to write: by the mask, or by a mapping?
 */
bool may_discard(const struct region *region)
{
	unsigned int w, i;

	if (region->mask & PROT_WRITE)
		return true;
	for (w = 0; w < WINDOWS; w++) {
		for (i = 0; i < WINDOW_PAGES; i++) {
			const struct window_page *page = &st->windows[w].page[i];

			if (page->kind == SHARED && page->region == region->id &&
			    page->may_write && !(in_child && page->dont_fork))
				return true;
		}
	}
	return false;
}

static bool overlaps(const struct range *range, __u64 first, __u64 last)
{
	return range->first <= last && range->last >= first;
}

static void add(struct region *region, struct range range)
{
	if (region->nr_ranges == RANGES)
		fail("too many unpinned ranges");
	region->ranges[region->nr_ranges++] = range;
}

static void drop(struct region *region, unsigned int i)
{
	region->ranges[i] = region->ranges[--region->nr_ranges];
}

void model_unpin(struct region *region, __u64 first, __u64 last)
{
	struct range merged = { .first = first, .last = last };
	unsigned int i = 0;

	while (i < region->nr_ranges) {
		struct range *range = &region->ranges[i];

		if (!overlaps(range, first, last)) {
			i++;
			continue;
		}
		merged.purged |= range->purged;
		if (range->first < merged.first)
			merged.first = range->first;
		if (range->last > merged.last)
			merged.last = range->last;
		drop(region, i);
	}
	merged.again = merged.purged;
	add(region, merged);
}

void model_pin(struct region *region, __u64 first, __u64 last)
{
	unsigned int i = 0;

	while (i < region->nr_ranges) {
		struct range range = region->ranges[i], part = range;

		if (!overlaps(&range, first, last)) {
			i++;
			continue;
		}
		/* The parts don't overlap the interval: skip them. */
		drop(region, i);
		if (range.first < first) {
			part.last = first - 1;
			add(region, part);
		}
		if (range.last > last) {
			part = range;
			part.first = last + 1;
			add(region, part);
		}
	}
}

/*
 * PIN by a caller without the right to write, in ours: the loss is kept, and no purge
 * takes pages of the interval.
 */
void model_pin_keeping_lost(struct region *region, __u64 first, __u64 last)
{
	struct region all = *region;
	unsigned int i;

	model_pin(region, first, last);
	for (i = 0; i < all.nr_ranges; i++) {
		struct range part = all.ranges[i];

		if (!part.purged || !overlaps(&part, first, last))
			continue;
		part.again = false;
		if (part.first < first)
			part.first = first;
		if (part.last > last)
			part.last = last;
		add(region, part);
	}
}

void model_purge_region(struct region *region)
{
	unsigned int i;
	__u64 page;

	for (i = 0; i < region->nr_ranges; i++) {
		struct range *range = &region->ranges[i];

		if (!range->purged || range->again)
			for (page = range->first; page <= range->last &&
			     page < SMALL_PAGES; page++)
				region->loaded &= ~(1U << page);
		range->purged = true;
		range->again = false;
	}
}

void model_purge(void)
{
	unsigned int i;

	for (i = 0; i < REGIONS; i++)
		if (st->regions[i].id)
			model_purge_region(&st->regions[i]);
}

bool model_touches_purged(const struct region *region, __u64 first, __u64 last)
{
	unsigned int i;

	for (i = 0; i < region->nr_ranges; i++)
		if (region->ranges[i].purged && overlaps(&region->ranges[i], first, last))
			return true;
	return false;
}

bool model_any_purged(const struct region *region)
{
	return model_touches_purged(region, 0, -1);
}

bool model_unpinned(const struct region *region, __u64 page)
{
	unsigned int i;

	for (i = 0; i < region->nr_ranges; i++)
		if (overlaps(&region->ranges[i], page, page))
			return true;
	return false;
}

bool model_page_again(const struct region *region, __u64 page)
{
	unsigned int i;

	for (i = 0; i < region->nr_ranges; i++)
		if (region->ranges[i].again && overlaps(&region->ranges[i], page, page))
			return true;
	return false;
}

bool model_any_again(const struct region *region)
{
	unsigned int i;

	for (i = 0; i < region->nr_ranges; i++)
		if (region->ranges[i].again)
			return true;
	return false;
}

void model_pages(const struct region *region, __u64 *unpinned,
		 __u64 *purgeable_there, __u64 *purgeable_here)
{
	unsigned int i;

	*unpinned = *purgeable_there = *purgeable_here = 0;
	for (i = 0; i < region->nr_ranges; i++) {
		const struct range *range = &region->ranges[i];
		__u64 pages = range->last - range->first + 1;

		*unpinned += pages;
		if (!range->purged)
			*purgeable_there += pages;
		if (!range->purged || range->again)
			*purgeable_here += pages;
	}
}
