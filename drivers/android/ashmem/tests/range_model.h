/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a set of ranges means, page by page: the oracle for range.c. It knows
 * runs of pages where range.c has ranges: neighbouring pages of one UNPIN that no
 * later call has cut apart.
 */

#ifndef _ASHMEM_TESTS_RANGE_MODEL_H
#define _ASHMEM_TESTS_RANGE_MODEL_H

#include <linux/types.h>

struct ashmem_queue;
struct ashmem_ranges;

#define MODEL_QUEUES	2

/* Ranges that range.c processes in one call. */
#define MODEL_BATCH	128

/**
 * struct model_page - one page
 * @stamp: number of the UNPIN that made it what it is, 0 for a pinned page
 * @queue: index of the queue that UNPIN named
 * @begins: a run begins here, even if the page before is unpinned
 * @paid: the note that UNPIN left, which the run loses when it is cut
 * @purged: PIN says that contents were lost
 * @taken: a purge took the page
 */
struct model_page {
	u32 stamp;
	u8 queue;
	bool begins;
	bool paid;
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

/**
 * struct model_edit - what struct ashmem_edit is for range.c
 * @first: first page that is not done yet
 * @last: last page
 * @purged: contents were lost in the part that is done
 * @spare: there is a spare
 * @dropped: how many other ranges left the set
 */
struct model_edit {
	unsigned int first;
	unsigned int last;
	bool purged;
	bool spare;
	unsigned int dropped;
};

void range_model_reset(struct range_model *model);
bool range_model_starts(const struct range_model *model, unsigned int page);
unsigned int range_model_end(const struct range_model *model, unsigned int page);
unsigned int range_model_left(const struct range_model *model, unsigned int page);
bool range_model_overlap(const struct range_model *model, unsigned int first,
			 unsigned int last);
int range_model_pin(struct range_model *model, struct model_edit *edit, bool keep_lost);
int range_model_unpin(struct range_model *model, struct model_edit *edit, u8 queue, bool paid);
void range_model_take(struct range_model *model, unsigned int start, unsigned int count);
const char *range_model_compare(const struct range_model *model,
				const struct ashmem_ranges *set,
				const struct ashmem_queue *queues);

#endif /* _ASHMEM_TESTS_RANGE_MODEL_H */
