// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the model of a region's unpinned ranges is asked. It only chooses operations and
 * states facts: the two logs are compared with each other, not with the model.
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

void model_purge(void)
{
	unsigned int i, j;
	__u64 page;

	for (i = 0; i < REGIONS; i++) {
		struct region *region = &st->regions[i];

		if (!region->id)
			continue;
		for (j = 0; j < region->pins.count; j++) {
			const struct pins_range *range = &region->pins.range[j];

			for (page = range->first; range->purgeable && page <= range->last &&
			     page < SMALL_PAGES; page++)
				region->loaded &= ~(1U << page);
		}
		pins_purge(&region->pins);
	}
}
