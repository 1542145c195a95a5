/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Regions on stdout, as list, show and top print them.
 */

#ifndef _ASHMEM_PRINT_H
#define _ASHMEM_PRINT_H

#include <stdbool.h>
#include <stddef.h>

#include "walk.h"

enum sort_key {
	SORT_PID,	/* as they were found */
	SORT_SIZE,
	SORT_RESIDENT,
	SORT_PURGEABLE,
	SORT_NAME,
};

/* The unit of sizes and page counts; one for the whole table. */
enum unit { UNIT_HUMAN, UNIT_BYTES, UNIT_PAGES };

/**
 * struct table - how regions are printed, a line each
 * @unit: of all sizes
 * @live: as top has them: who holds a region first, its name last
 * @skip: regions that are left out at the top
 * @lines: how many at most, the heading not counted; SIZE_MAX: all
 * @columns: where lines are cut off, or 0
 * @sum: with a last line for all of them
 */
struct table {
	enum unit unit;
	bool live;
	size_t skip, lines, columns;
	bool sum;
};

int sort_key_of(const char *word, enum sort_key *key);
const char *sort_word(enum sort_key key);
void sort_regions(struct walk *walk, enum sort_key key);
void print_table(const struct walk *walk, const struct table *table);
void print_json(const struct walk *walk);
void json_region(const char *key, const struct walk *walk, const struct region *region);
const char *access_text(uint64_t flags);
const char *kind_text(enum region_kind kind);
uint64_t region_bytes(const struct region *region);

/**
 * struct sums - of all regions; what isn't known counts as nothing
 */
struct sums {
	uint64_t bytes, resident, purgeable;
};

struct sums sum_regions(const struct walk *walk);

#endif /* _ASHMEM_PRINT_H */
