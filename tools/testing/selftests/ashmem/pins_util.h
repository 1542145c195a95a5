/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of a region's unpinned ranges: what PIN, UNPIN, GET_PIN_STATUS and a purge
 * answer, and what they change.
 */
#ifndef PINS_UTIL_H
#define PINS_UTIL_H

#include "ashmem_util.h"

#define PINS_MAX	512	/* ranges of one region */

struct pins_range {
	uint64_t first, last;	/* pages */
	bool purged;		/* PIN tells */
	bool purgeable;		/* a purge takes it, and counts it */
};

struct pins {
	unsigned int count;
	struct pins_range range[PINS_MAX];
};

static UNUSED bool pins_meet(const struct pins_range *range, uint64_t first, uint64_t last)
{
	return range->first <= last && range->last >= first;
}

static UNUSED void pins_add(struct pins *pins, struct pins_range range)
{
	if (pins->count == PINS_MAX)
		abort();
	pins->range[pins->count++] = range;
}

static UNUSED void pins_drop(struct pins *pins, unsigned int i)
{
	pins->range[i] = pins->range[--pins->count];
}

static UNUSED bool pins_unpinned(const struct pins *pins, uint64_t first, uint64_t last)
{
	unsigned int i;

	for (i = 0; i < pins->count; i++)
		if (pins_meet(&pins->range[i], first, last))
			return true;
	return false;
}

/* Have contents been lost that PIN would tell of? */
static UNUSED bool pins_purged(const struct pins *pins, uint64_t first, uint64_t last)
{
	unsigned int i;

	for (i = 0; i < pins->count; i++)
		if (pins->range[i].purged && pins_meet(&pins->range[i], first, last))
			return true;
	return false;
}

/* Were pages unpinned again after they had been purged, so that they can be once more? */
static UNUSED bool pins_again(const struct pins *pins, uint64_t first, uint64_t last)
{
	unsigned int i;

	for (i = 0; i < pins->count; i++)
		if (pins->range[i].purged && pins->range[i].purgeable &&
		    pins_meet(&pins->range[i], first, last))
			return true;
	return false;
}

/* Ranges that overlap become one, adjacent ones don't. */
static UNUSED void pins_unpin(struct pins *pins, uint64_t first, uint64_t last)
{
	struct pins_range merged = { .first = first, .last = last, .purgeable = true };
	unsigned int i = 0;

	while (i < pins->count) {
		struct pins_range *range = &pins->range[i];

		if (!pins_meet(range, first, last)) {
			i++;
			continue;
		}
		merged.purged |= range->purged;
		if (range->first < merged.first)
			merged.first = range->first;
		if (range->last > merged.last)
			merged.last = range->last;
		pins_drop(pins, i);
	}
	pins_add(pins, merged);
}

static UNUSED void pins_pin(struct pins *pins, uint64_t first, uint64_t last)
{
	unsigned int i = 0;

	while (i < pins->count) {
		struct pins_range range = pins->range[i], part = range;

		if (!pins_meet(&range, first, last)) {
			i++;
			continue;
		}
		/* The parts don't overlap the interval: skip them. */
		pins_drop(pins, i);
		if (range.first < first) {
			part.last = first - 1;
			pins_add(pins, part);
		}
		if (range.last > last) {
			part = range;
			part.first = last + 1;
			pins_add(pins, part);
		}
	}
}

/* PIN by a task that may not discard: losses stay, and no purge takes the pages. */
static UNUSED void pins_pin_keeping_lost(struct pins *pins, uint64_t first, uint64_t last)
{
	struct pins all = *pins;
	unsigned int i;

	pins_pin(pins, first, last);
	for (i = 0; i < all.count; i++) {
		struct pins_range part = all.range[i];

		if (!part.purged || !pins_meet(&part, first, last))
			continue;
		part.purgeable = false;
		if (part.first < first)
			part.first = first;
		if (part.last > last)
			part.last = last;
		pins_add(pins, part);
	}
}

struct pins_pages {
	uint64_t unpinned, purgeable;
	uint64_t fresh;		/* that were never purged */
};

static UNUSED struct pins_pages pins_pages(const struct pins *pins)
{
	struct pins_pages sum = { .unpinned = 0 };
	unsigned int i;

	for (i = 0; i < pins->count; i++) {
		const struct pins_range *range = &pins->range[i];
		uint64_t pages = range->last - range->first + 1;

		sum.unpinned += pages;
		sum.purgeable += range->purgeable ? pages : 0;
		sum.fresh += range->purged ? 0 : pages;
	}
	return sum;
}

static UNUSED void pins_purge(struct pins *pins)
{
	unsigned int i;

	for (i = 0; i < pins->count; i++) {
		pins->range[i].purged = true;
		pins->range[i].purgeable = false;
	}
}

#endif
