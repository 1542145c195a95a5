// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pin state alone: overlapping, adjacent and nested ranges on a few
 * regions, with contents in all pages and purges between.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/ashmem.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "ashmem_diff.h"

enum { PINS_REGIONS = 3, MOST_PAGES = 60 };

static char *base_of(const struct region *region)
{
	return window_base(region_number(region));
}

static void make_regions(void)
{
	unsigned int i;

	for (i = 0; i < PINS_REGIONS; i++) {
		struct fd_slot *slot = open_region(O_RDWR);
		struct region *region = slot->region;

		region->size = (4 + rnd(MOST_PAGES - 4)) * page_bytes + rnd(2) * rnd(page_bytes);
		op("set_size r%u %#llx", i, (unsigned long long)region->size);
		result_errno(ioctl(slot->fd, ASHMEM_SET_SIZE, region->size));
		op("mmap r%u", i);
		result_errno(mmap(base_of(region), region_pages(region) * page_bytes,
				  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
				  slot->fd, 0) == MAP_FAILED ? -1 : 0);
		region->backed = true;
	}
}

static void end_regions(void)
{
	unsigned int i;

	for (i = 0; i < PINS_REGIONS; i++) {
		struct region *region = &st->regions[i];

		munmap(base_of(region), region_pages(region) * page_bytes);
		retire(region);
	}
}

static void touch_page(struct region *region, __u64 page, enum access access)
{
	__u64 value = rnd(0), sum = 0;
	const char *signal;

	op("%s r%d page=%llu", access == LOAD ? "load" : "store", region_number(region),
	   (unsigned long long)page);
	signal = try_page(base_of(region) + page * page_bytes, access, value, &sum);
	result("%s", signal ?: access == LOAD ? hash_text(sum) : "ok");
}

static void touch_some(struct region *region, enum access access)
{
	__u64 page = rnd(region_pages(region)), n = 1 + rnd(6);

	for (; n && page < region_pages(region); n--, page++)
		touch_page(region, page, access);
}

/* Prefers the bounds of existing ranges. */
static void pick_interval(const struct region *region, __u64 *first, __u64 *pages)
{
	__u64 end, all = region_pages(region);

	*first = rnd(all);
	if (region->pins.count && one_in(2)) {
		const struct pins_range *range = &region->pins.range[rnd(region->pins.count)];
		__u64 near[] = { range->first, range->last, range->last + 1,
				    range->first ? range->first - 1 : 0 };

		*first = PICK(near);
		if (*first >= all)
			*first = all - 1;
	}
	end = *first + 1 + rnd(one_in(4) ? all : 6);
	if (region->pins.count && one_in(3)) {
		const struct pins_range *range = &region->pins.range[rnd(region->pins.count)];

		if (range->last >= *first)
			end = range->last + rnd(3);
	}
	if (end <= *first)
		end = *first + 1;
	*pages = (end < all ? end : all) - *first;
}

static void status_of_all(struct fd_slot *slot)
{
	__u64 page;

	for (page = 0; page < region_pages(slot->region); page++)
		do_status(slot, page * page_bytes, page_bytes, GOOD);
}

void pins_mode(unsigned long ops)
{
	while (st->ops < ops) {
		unsigned long end = st->ops + 600 + rnd(600);

		make_regions();
		while (st->ops < end) {
			struct region *region = &st->regions[rnd(PINS_REGIONS)];
			struct fd_slot *slot = fd_of(region);
			__u64 first, pages;
			__u32 len;

			pick_interval(region, &first, &pages);
			len = first + pages == region_pages(region) && one_in(2) ?
			      0 : pages * page_bytes;
			switch (rnd(40)) {
			case 0 ... 12:
				do_unpin(slot, first * page_bytes, len, GOOD);
				break;
			case 13 ... 20:
				do_pin(slot, first * page_bytes, len, GOOD);
				break;
			case 21 ... 26:
				do_status(slot, first * page_bytes, len, GOOD);
				break;
			case 27 ... 31:
				touch_some(region, STORE);
				break;
			case 32 ... 35:
				touch_some(region, LOAD);
				break;
			case 36 ... 37:
				purge_all();
				break;
			case 38:
				if (one_in(4))
					status_of_all(slot);
				break;
			default:
				if (one_in(4))
					pin_everything(slot);
			}
		}
		end_regions();
	}
}
