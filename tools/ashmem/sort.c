// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sort regions, and add up their sizes.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "print.h"

static const char *const words[] = {
	[SORT_PID] = "pid",
	[SORT_SIZE] = "size",
	[SORT_RESIDENT] = "resident",
	[SORT_PURGEABLE] = "purgeable",
	[SORT_NAME] = "name",
};

/* 0, or -EINVAL if @word is no key. */
int sort_key_of(const char *word, enum sort_key *key)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strcmp(word, words[i])) {
			*key = (enum sort_key)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *sort_word(enum sort_key key)
{
	return words[key];
}

/* The size, or the best known bound. */
uint64_t region_bytes(const struct region *region)
{
	return region->size != UNKNOWN ? region->size : region->extent;
}

static uint64_t known(uint64_t value)
{
	return value == UNKNOWN ? 0 : value;
}

struct sums sum_regions(const struct walk *walk)
{
	struct sums sums = { .bytes = 0 };
	size_t i;

	for (i = 0; i < walk->region_count; i++) {
		sums.bytes += region_bytes(walk->regions[i]);
		sums.resident += known(walk->regions[i]->resident);
		sums.purgeable += known(walk->regions[i]->purgeable);
	}
	return sums;
}

/* The largest first; equal ones as they were found. */
static int more(uint64_t a, uint64_t b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

static int by_name(const struct region *a, const struct region *b)
{
	size_t len = a->name_len < b->name_len ? a->name_len : b->name_len;
	int order = len ? memcmp(a->name, b->name, len) : 0;

	if (order)
		return order;
	return a->name_len < b->name_len ? -1 : a->name_len > b->name_len;
}

static int compare(const struct region *a, const struct region *b, enum sort_key key)
{
	switch (key) {
	case SORT_SIZE:
		return more(region_bytes(a), region_bytes(b));
	case SORT_RESIDENT:
		return more(known(a->resident), known(b->resident));
	case SORT_PURGEABLE:
		return more(known(a->purgeable), known(b->purgeable));
	case SORT_NAME:
		return by_name(a, b);
	default:
		return 0;
	}
}

/* Merge sort is stable; qsort() could swap equal regions at each refresh. */
static void merge_sort(struct region **regions, struct region **spare, size_t count,
		       enum sort_key key)
{
	size_t half = count / 2, left = 0, right = half, i;

	if (count < 2)
		return;
	merge_sort(regions, spare, half, key);
	merge_sort(regions + half, spare, count - half, key);
	for (i = 0; i < count; i++) {
		if (right == count ||
		    (left < half && compare(regions[left], regions[right], key) <= 0))
			spare[i] = regions[left++];
		else
			spare[i] = regions[right++];
	}
	memcpy(regions, spare, count * sizeof(*regions));
}

void sort_regions(struct walk *walk, enum sort_key key)
{
	struct region **spare;

	if (key == SORT_PID)
		return;
	spare = xrealloc(NULL, walk->region_count, sizeof(*spare));
	merge_sort(walk->regions, spare, walk->region_count, key);
	free(spare);
}
