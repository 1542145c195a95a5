// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle for range.c: loops over pages.
 */

#include <linux/errno.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "../range.h"
#include "range_model.h"

void range_model_reset(struct range_model *model)
{
	model->stamp = 0;
	memset(model->page, 0, model->pages * sizeof(*model->page));
}

bool range_model_starts(const struct range_model *model, unsigned int page)
{
	const struct model_page *at = &model->page[page];

	return at->stamp && (!page || at->begins || at[-1].stamp != at->stamp);
}

static unsigned int start_of(const struct range_model *model, unsigned int page)
{
	while (!range_model_starts(model, page))
		page--;
	return page;
}

/* The last page of the run that @page belongs to. */
unsigned int range_model_end(const struct range_model *model, unsigned int page)
{
	u32 stamp = model->page[page].stamp;

	while (page + 1 < model->pages && model->page[page + 1].stamp == stamp &&
	       !range_model_starts(model, page + 1))
		page++;
	return page;
}

/* How many pages of the run that @page belongs to a purge can take. */
unsigned int range_model_left(const struct range_model *model, unsigned int page)
{
	unsigned int end = range_model_end(model, page);
	unsigned int left = 0;

	for (page = start_of(model, page); page <= end; page++)
		left += !model->page[page].taken;
	return left;
}

bool range_model_overlap(const struct range_model *model, unsigned int first,
			 unsigned int last)
{
	for (; first <= last; first++) {
		if (model->page[first].stamp)
			return true;
	}
	return false;
}

static bool use_spare(struct model_edit *edit)
{
	bool had = edit->spare;

	edit->spare = false;
	return had;
}

static void give_range(struct model_edit *edit)
{
	edit->dropped += edit->spare;
	edit->spare = true;
}

static void forget_paid(struct range_model *model, unsigned int start, unsigned int end)
{
	for (; start <= end; start++)
		model->page[start].paid = false;
}

/* Mark the edit's part of a purged run from @start to @end as taken. */
static int keep_pages(struct range_model *model, struct model_edit *edit,
		      unsigned int start, unsigned int end)
{
	unsigned int lo = max(start, edit->first), hi = min(end, edit->last);

	/* A purge takes pages from the start, so check the last one. */
	if (model->page[hi].taken)
		return 0;
	if (start < lo) {
		if (!use_spare(edit))
			return -EAGAIN;
		model->page[lo].begins = true;
		forget_paid(model, start, end);
	}
	if (end > hi) {
		if (!use_spare(edit))
			return -EAGAIN;
		model->page[hi + 1].begins = true;
		forget_paid(model, lo, end);
	}
	for (; lo <= hi; lo++)
		model->page[lo].taken = true;
	return 0;
}

static int pin_pages(struct range_model *model, struct model_edit *edit,
		     unsigned int start, unsigned int end)
{
	unsigned int lo = max(start, edit->first), hi = min(end, edit->last);

	if (start < lo && end > hi && !use_spare(edit))
		return -EAGAIN;
	if (start == lo && end == hi)
		give_range(edit);
	forget_paid(model, start, end);
	for (; lo <= hi; lo++)
		model->page[lo] = (struct model_page){};
	return 0;
}

int range_model_pin(struct range_model *model, struct model_edit *edit, bool keep_lost)
{
	unsigned int page, end, runs = 0;

	for (page = edit->first; page <= edit->last; page = end + 1) {
		unsigned int start;
		bool purged;
		int err;

		end = page;
		if (!model->page[page].stamp)
			continue;
		if (runs++ == MODEL_BATCH) {
			edit->first = page;
			return -EAGAIN;
		}
		start = start_of(model, page);
		end = range_model_end(model, page);
		purged = model->page[page].purged;
		if (keep_lost && purged)
			err = keep_pages(model, edit, start, end);
		else
			err = pin_pages(model, edit, start, end);
		if (err)
			return err;
		edit->purged |= purged;
	}
	return 0;
}

int range_model_unpin(struct range_model *model, struct model_edit *edit, u8 queue, bool paid)
{
	struct model_page unpinned = {
		.stamp = ++model->stamp, .queue = queue, .paid = paid,
	};
	unsigned int first = edit->first, last = edit->last, page, end, runs = 0;
	unsigned int most = last - first + 1;
	int err = 0;

	if (!use_spare(edit))
		return -EAGAIN;
	/* A run that the interval touches becomes part of it as a whole. */
	for (page = edit->first; page <= edit->last; page = end + 1) {
		end = page;
		if (!model->page[page].stamp)
			continue;
		if (runs++ == MODEL_BATCH) {
			last = page - 1;
			edit->first = last;
			err = -EAGAIN;
			break;
		}
		first = min(first, start_of(model, page));
		end = range_model_end(model, page);
		last = max(last, end);
		if (range_model_left(model, page) > most) {
			most = range_model_left(model, page);
			unpinned.queue = model->page[page].queue;
			unpinned.paid = false;
		}
		give_range(edit);
	}
	for (page = first; page <= last; page++)
		unpinned.purged |= model->page[page].purged;
	for (page = first; page <= last; page++)
		model->page[page] = unpinned;
	return err;
}

void range_model_take(struct range_model *model, unsigned int start, unsigned int count)
{
	unsigned int end = range_model_end(model, start);

	for (; start <= end; start++) {
		model->page[start].purged = true;
		if (!model->page[start].taken && count) {
			model->page[start].taken = true;
			count--;
		}
	}
}

static const char *compare_range(const struct range_model *model, unsigned int start,
				 const struct ashmem_range *range,
				 const struct ashmem_queue *queues)
{
	const struct model_page *page = &model->page[start];
	unsigned int end = range_model_end(model, start);
	unsigned int left = range_model_left(model, start);

	if (range->start != model->base + start)
		return "a range starts elsewhere";
	if (range->last != model->base + end)
		return "a range ends elsewhere";
	if (range->purged != page->purged)
		return "what a range says of lost contents is wrong";
	if (range->resume != model->base + end + 1 - left)
		return "a purge would go on at the wrong page";
	if (ashmem_range_purgeable(range) != left)
		return "the purgeable pages of a range are wrong";
	if (range->stamp != page->stamp)
		return "the age of a range is wrong";
	if (range->queue != (left ? &queues[page->queue] : NULL))
		return "a range has the wrong queue";
	if (range->paid != page->paid)
		return "the note of who pays is wrong";
	return NULL;
}

/* The tree against the pages, in the order of both. */
static const char *compare_tree(const struct range_model *model,
				const struct ashmem_ranges *set,
				const struct ashmem_queue *queues)
{
	struct rb_node *rb = rb_first(&set->root);
	unsigned long unpinned = 0, purgeable = 0;
	unsigned int page;
	const char *why;

	for (page = 0; page < model->pages; page++) {
		struct ashmem_range *range;

		unpinned += !!model->page[page].stamp;
		if (!range_model_starts(model, page))
			continue;
		if (!rb)
			return "a range is missing";
		range = rb_entry(rb, struct ashmem_range, rb);
		why = compare_range(model, page, range, queues);
		if (why)
			return why;
		purgeable += ashmem_range_purgeable(range);
		rb = rb_next(rb);
	}
	if (rb)
		return "there is a range too many";
	if (set->unpinned != unpinned)
		return "the number of unpinned pages is wrong";
	if (set->purgeable != purgeable)
		return "the number of purgeable pages is wrong";
	return NULL;
}

/* A queue: by stamp, and within one UNPIN by page. */
static const char *compare_queue(const struct range_model *model, unsigned int number,
				 const struct ashmem_queue *queue)
{
	unsigned int page, queued = 0;
	struct ashmem_range *range;
	unsigned long pages = 0;
	u64 before = 0;

	for (page = 0; page < model->pages; page++) {
		if (range_model_starts(model, page) && model->page[page].queue == number)
			queued += range_model_left(model, page) != 0;
	}
	list_for_each_entry(range, &queue->ranges, age) {
		unsigned long start = range->start - model->base;
		u64 order;

		if (!queued--)
			return "a range too many is queued";
		if (start >= model->pages || !range_model_starts(model, start) ||
		    model->page[start].queue != number || !range_model_left(model, start))
			return "a queue has what isn't there to take";
		order = (u64)model->page[start].stamp << 32 | start;
		if (order <= before)
			return "a queue is out of order";
		before = order;
		pages += ashmem_range_purgeable(range);
	}
	if (queued)
		return "a range isn't queued";
	return pages == queue->pages ? NULL : "the number of queued pages is wrong";
}

/**
 * range_model_compare - is a set what it should be?
 * @model: what it should be
 * @set: the set
 * @queues: all queues of its ranges, %MODEL_QUEUES of them
 *
 * Return: what is wrong, or NULL.
 */
const char *range_model_compare(const struct range_model *model,
				const struct ashmem_ranges *set,
				const struct ashmem_queue *queues)
{
	const char *why = compare_tree(model, set, queues);
	unsigned int i;

	for (i = 0; !why && i < MODEL_QUEUES; i++)
		why = compare_queue(model, i, &queues[i]);
	return why;
}
