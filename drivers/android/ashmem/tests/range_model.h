/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a set of ranges means, page by page: the oracle for range.c. It knows
 * no ranges. Neighbouring pages of one stamp are what range.c must have as one
 * range, and the stamps say in which order they are to be purged.
 */

#ifndef _ASHMEM_TESTS_RANGE_MODEL_H
#define _ASHMEM_TESTS_RANGE_MODEL_H

#include <linux/types.h>

struct ashmem_lru_group;
struct ashmem_ranges;

/**
 * struct model_page - one page
 * @stamp: number of the UNPIN that made it what it is, 0 for a pinned page
 * @purged: PIN would say that contents were lost
 * @taken: a purge took it
 */
struct model_page {
	u32 stamp;
	bool purged;
	bool taken;
};

/**
 * struct range_model - the pages of a region
 * @base: index of the first of them, in the set that is compared
 * @pages: how many
 * @stamp: the last stamp given
 * @page: the pages
 */
struct range_model {
	unsigned long base;
	unsigned int pages;
	u32 stamp;
	struct model_page *page;
};

void range_model_reset(struct range_model *model);
unsigned int range_model_end(const struct range_model *model, unsigned int page);
unsigned int range_model_left(const struct range_model *model, unsigned int start);
unsigned int range_model_inside(const struct range_model *model, unsigned int first,
				unsigned int last);
bool range_model_splits(const struct range_model *model, unsigned int first,
			unsigned int last);
bool range_model_overlap(const struct range_model *model, unsigned int first,
			 unsigned int last);
bool range_model_pin(struct range_model *model, unsigned int first, unsigned int last);
void range_model_unpin(struct range_model *model, unsigned int first, unsigned int last);
void range_model_take(struct range_model *model, unsigned int start, unsigned int count);
const char *range_model_compare(const struct range_model *model,
				struct ashmem_ranges *set,
				struct ashmem_lru_group *group);

#endif /* _ASHMEM_TESTS_RANGE_MODEL_H */
