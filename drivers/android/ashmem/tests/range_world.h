/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A set of ranges beside its oracle, and operations that both of them do.
 */

#ifndef _ASHMEM_TESTS_RANGE_WORLD_H
#define _ASHMEM_TESTS_RANGE_WORLD_H

#include "fixture.h"
#include "range_model.h"

enum range_verb { PIN, UNPIN, TAKE };

/**
 * struct range_op - an operation
 * @verb: what is done
 * @first: first page of the interval; for %TAKE, of the range
 * @last: last page of the interval; for %TAKE, how many pages
 */
struct range_op {
	enum range_verb verb;
	unsigned int first;
	unsigned int last;
};

/**
 * struct range_world - the set, the oracle, and who owns which range
 * @region: whose ranges they are; only its address and its set are used
 * @group: where they are listed
 * @model: the oracle
 * @at_hand: ranges that are in nobody's hands but the test's
 * @count: how many those are
 * @total: how many ranges there are
 */
struct range_world {
	struct ashmem_region region;
	struct ashmem_lru_group *group;
	struct range_model model;
	struct ashmem_range **at_hand;
	unsigned int count;
	unsigned int total;
};

struct range_world *range_world_create(struct kunit *test, unsigned int pages,
				       unsigned long base);
const char *range_world_do(struct range_world *world, const struct range_op *op,
			   bool spare);
const char *range_world_check(struct range_world *world);
const char *range_world_overlaps(struct range_world *world);
const char *range_world_clear(struct range_world *world);

#endif /* _ASHMEM_TESTS_RANGE_WORLD_H */
