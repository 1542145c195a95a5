/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A set of ranges beside its oracle, and operations that both of them do.
 */

#ifndef _ASHMEM_TESTS_RANGE_WORLD_H
#define _ASHMEM_TESTS_RANGE_WORLD_H

#include "../range.h"
#include "range_model.h"

struct kunit;

/* %KEEP is a PIN that leaves lost contents on record. */
enum range_verb { PIN, KEEP, UNPIN, TAKE };

/**
 * struct range_op - an operation
 * @verb: what is done
 * @first: first page of the interval; for %TAKE, of the range
 * @last: last page of the interval; for %TAKE, how many pages
 * @queue: for %UNPIN, index of the queue; that of queue 1 is noted to be paid
 */
struct range_op {
	enum range_verb verb;
	unsigned int first;
	unsigned int last;
	unsigned int queue;
};

/**
 * struct range_world - the set, the oracle, and who owns which range
 * @set: the set
 * @queues: its queues
 * @model: the oracle
 * @spare: the set's spare range, or NULL
 * @at_hand: ranges that only the test has
 * @count: how many those are
 * @total: how many ranges there are
 * @between: called when an operation needs another call, or NULL
 * @data: for @between
 * @again: how often operations needed another call
 */
struct range_world {
	struct ashmem_ranges set;
	struct ashmem_queue queues[MODEL_QUEUES];
	struct range_model model;
	struct ashmem_range *spare;
	struct ashmem_range **at_hand;
	unsigned int count;
	unsigned int total;
	const char *(*between)(struct range_world *world);
	void *data;
	unsigned int again;
};

struct range_world *range_world_create(struct kunit *test, unsigned int pages,
				       unsigned long base);
void range_world_set_spare(struct range_world *world, bool spare);
const char *range_world_do(struct range_world *world, const struct range_op *op);
const char *range_world_overlaps(struct range_world *world);
const char *range_world_clear(struct range_world *world);

#endif /* _ASHMEM_TESTS_RANGE_WORLD_H */
