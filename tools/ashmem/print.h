/* SPDX-License-Identifier: GPL-2.0 */
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

int sort_key_of(const char *word, enum sort_key *key);
const char *sort_word(enum sort_key key);
void sort_regions(struct walk *walk, enum sort_key key);
void print_table(const struct walk *walk, size_t lines, size_t columns, bool bytes);
void print_json(const struct walk *walk);
void json_region(const char *key, const struct walk *walk, const struct region *region);
const char *access_text(uint64_t flags);
const char *kind_text(enum region_kind kind);
uint64_t region_bytes(const struct region *region);

#endif /* _ASHMEM_PRINT_H */
