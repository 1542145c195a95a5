// SPDX-License-Identifier: GPL-2.0
/*
 * The algebra of ranges against a model by pages.
 */

#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/moduleparam.h>

#include "range_world.h"

#define PAGES_MAX	5
/* No state is further from the first than that. */
#define DEPTH_MAX	13

static uint most_pages = 4;
module_param_named(kunit_pages, most_pages, uint, 0444);
MODULE_PARM_DESC(kunit_pages, "most pages of the regions that are gone through in all ways, up to 5");

/*
 * All that can become of a region of so many pages, counted by another program:
 * states, and operations on them. A state is what the pages are and in which
 * order they would be purged.
 */
static const struct {
	unsigned int states;
	unsigned int steps;
} expected[PAGES_MAX + 1] = {
	[1] = { 4, 10 },
	[2] = { 29, 207 },
	[3] = { 315, 4339 },
	[4] = { 4480, 100445 },
	[5] = { 77733, 2570911 },
};

/**
 * struct state - something that a region can become
 * @key: the pages; see key_of()
 * @before: what it came from by @op, or NULL for the region that is all pinned
 * @op: the operation
 * @hash: link in the table of known states
 */
struct state {
	u64 key;
	struct state *before;
	struct range_op op;
	struct hlist_node hash;
};

/**
 * struct search - the states known so far, breadth first
 * @world: where operations are tried
 * @states: the states, in the order in which they were found
 * @count: how many of them there are
 * @steps: how many operations were tried
 * @known: the states by key
 */
struct search {
	struct range_world *world;
	struct state *states;
	unsigned int count;
	unsigned int steps;
	DECLARE_HASHTABLE(known, 12);
};

static bool stamp_behind(const struct range_model *model, unsigned int page, u32 stamp)
{
	while (++page < model->pages) {
		if (model->page[page].stamp == stamp)
			return true;
	}
	return false;
}

/* Stamps count as ranks: that a third UNPIN happened and is gone is no state. */
static u64 key_of(const struct range_model *model)
{
	unsigned int page, other;
	u64 key = 0;

	for (page = 0; page < model->pages; page++) {
		u32 stamp = model->page[page].stamp;
		unsigned int rank = 0;

		/* Each older stamp once: at the last page that has it. */
		for (other = 0; other < model->pages; other++) {
			u32 older = model->page[other].stamp;

			rank += older && older <= stamp && !stamp_behind(model, other, older);
		}
		key = key << 6 | rank << 2 | model->page[page].purged << 1 |
		      model->page[page].taken;
	}
	return key;
}

static const char *describe(const struct range_op *op, char *text, size_t size)
{
	static const char * const verbs[] = {
		[PIN] = "pin", [UNPIN] = "unpin", [TAKE] = "take",
	};

	snprintf(text, size, op->verb == TAKE ? "%s at %u pages %u" : "%s %u-%u",
		 verbs[op->verb], op->first, op->last);
	return text;
}

/* The operations that lead to @state, the last one first. Returns how many. */
static unsigned int path_to(const struct state *state, const struct range_op **path)
{
	unsigned int depth = 0;

	for (; state->before; state = state->before)
		path[depth++] = &state->op;
	return depth;
}

/* Ends the test, with what makes it fail again. */
static void fail(struct kunit *test, const struct search *search, const struct state *state,
		 const struct range_op *op, bool spare, const char *why)
{
	const struct range_op *path[DEPTH_MAX];
	unsigned int depth = path_to(state, path);
	char text[32];

	kunit_err(test, "on a region of %u pages, all pinned, do:",
		  search->world->model.pages);
	while (depth--)
		kunit_err(test, "\t%s", describe(path[depth], text, sizeof(text)));
	kunit_err(test, "\t%s%s", describe(op, text, sizeof(text)),
		  spare ? ", with a spare" : "");
	KUNIT_ASSERT_NULL_MSG(test, why, "%s", why);
}

/* Begins anew and does what led to @state. */
static const char *replay(struct range_world *world, const struct state *state)
{
	const struct range_op *path[DEPTH_MAX];
	unsigned int depth = path_to(state, path);
	const char *why = range_world_clear(world);

	while (!why && depth--)
		why = range_world_do(world, path[depth], true);
	return why;
}

/* Adds the state that the oracle is in, unless it is known. */
static void learn(struct kunit *test, struct search *search, struct state *before,
		  const struct range_op *op)
{
	unsigned int most = expected[search->world->model.pages].states;
	u64 key = key_of(&search->world->model);
	struct state *state;

	hash_for_each_possible(search->known, state, hash, key) {
		if (state->key == key)
			return;
	}
	KUNIT_ASSERT_LT_MSG(test, search->count, most, "more states than there can be");
	state = &search->states[search->count++];
	state->key = key;
	state->before = before;
	if (op)
		state->op = *op;
	hash_add(search->known, &state->hash, key);
}

static void try(struct kunit *test, struct search *search, struct state *state,
		const struct range_op *op, bool spare)
{
	struct range_world *world = search->world;
	const char *why;

	why = replay(world, state) ?: range_world_do(world, op, spare) ?:
	      range_world_check(world) ?: range_world_overlaps(world);
	if (why)
		fail(test, search, state, op, spare, why);
	learn(test, search, state, op);
}

/* Each operation there is, on one state. */
static void try_all(struct kunit *test, struct search *search, struct state *state)
{
	const struct range_model *model = &search->world->model;
	unsigned int left[PAGES_MAX] = {}, first, last, count;

	KUNIT_ASSERT_NULL(test, replay(search->world, state));
	for (first = 0; first < model->pages; first = range_model_end(model, first) + 1) {
		if (model->page[first].stamp)
			left[first] = range_model_left(model, first);
	}

	for (first = 0; first < model->pages; first++) {
		for (last = first; last < model->pages; last++) {
			struct range_op pin = { PIN, first, last };
			struct range_op unpin = { UNPIN, first, last };

			try(test, search, state, &pin, false);
			try(test, search, state, &pin, true);
			try(test, search, state, &unpin, true);
			search->steps += 2;
		}
		for (count = 1; count <= left[first]; count++) {
			struct range_op take = { TAKE, first, count };

			try(test, search, state, &take, true);
			search->steps++;
		}
	}
}

static void free_states(void *states)
{
	kvfree(states);
}

/*
 * From each state that can be reached, each operation: since the set and the
 * model agree after every single one, they agree after all sequences.
 */
static void range_all_sequences_test(struct kunit *test)
{
	unsigned int pages = *(const unsigned int *)test->param_value;
	struct search *search = kunit_kzalloc(test, sizeof(*search), GFP_KERNEL);
	unsigned int i;

	if (pages > most_pages)
		kunit_skip(test, "takes ashmem_linux.kunit_pages=%u", pages);
	KUNIT_ASSERT_NOT_NULL(test, search);
	hash_init(search->known);
	search->states = kvcalloc(expected[pages].states, sizeof(*search->states), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, search->states);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_states, search->states));
	search->world = range_world_create(test, pages, 0);

	learn(test, search, NULL, NULL);
	for (i = 0; i < search->count; i++) {
		try_all(test, search, &search->states[i]);
		cond_resched();
	}
	KUNIT_ASSERT_NULL(test, range_world_clear(search->world));
	KUNIT_EXPECT_EQ(test, expected[pages].states, search->count);
	KUNIT_EXPECT_EQ(test, expected[pages].steps, search->steps);
}

static const unsigned int pages_of_regions[] = { 1, 2, 3, 4, PAGES_MAX };

static void describe_pages(const unsigned int *pages, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "%u-page region", *pages);
}

KUNIT_ARRAY_PARAM(pages, pages_of_regions, describe_pages);

/* A region is no larger than a file or a size_t. */
#define LAST_PAGE	((unsigned long)(IS_ENABLED(CONFIG_64BIT) ? \
			 MAX_LFS_FILESIZE >> PAGE_SHIFT : SIZE_MAX >> PAGE_SHIFT))

/**
 * struct random_case - a long random walk
 * @name: what is special of it
 * @pages: size of the region
 * @longest: of an interval
 * @ops: how many operations
 * @base: first page
 * @ranges: how many there must have been at some time
 */
struct random_case {
	const char *name;
	unsigned int pages;
	unsigned int longest;
	unsigned int ops;
	unsigned long base;
	unsigned int ranges;
};

static const struct random_case random_cases[] = {
	{ "many ranges", 1024, 3, 4000, 0, 100 },
	{ "long ranges", 256, 64, 8000, 0, 5 },
	{ "at the end of the largest region", 64, 8, 8000, LAST_PAGE - 63, 5 },
};

static void describe_random(const struct random_case *how, char *text)
{
	strscpy(text, how->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(random, random_cases, describe_random);

static struct range_op random_op(struct rnd_state *random, const struct range_model *model,
				 unsigned int longest)
{
	struct range_op op;

	op.first = prandom_u32_state(random) % model->pages;
	op.last = op.first + prandom_u32_state(random) % longest;
	op.last = min(op.last, model->pages - 1);
	op.verb = prandom_u32_state(random) % 8;
	if (op.verb > TAKE)
		op.verb = UNPIN;
	if (op.verb == TAKE) {
		u32 stamp = model->page[op.first].stamp;
		unsigned int left;

		while (op.first && model->page[op.first - 1].stamp == stamp)
			op.first--;
		left = stamp ? range_model_left(model, op.first) : 0;
		op.last = left ? 1 + prandom_u32_state(random) % left : 0;
		if (!left)
			return (struct range_op){ PIN, op.first, op.first };
	}
	return op;
}

static void range_random_test(struct kunit *test)
{
	const struct random_case *how = test->param_value;
	struct range_world *world = range_world_create(test, how->pages, how->base);
	unsigned int i, ranges, most = 0;
	struct rnd_state random;
	u64 seed = ashmem_kunit_seed(test, &random);

	for (i = 0; i < how->ops; i++) {
		struct range_op op = random_op(&random, &world->model, how->longest);
		bool spare = prandom_u32_state(&random) & 1;
		const char *why = range_world_do(world, &op, spare) ?: range_world_check(world);
		char text[32];

		KUNIT_ASSERT_NULL_MSG(test, why, "%s; operation %u, %s, of kunit_seed=%llu",
				      why, i, describe(&op, text, sizeof(text)), seed);
		ranges = world->total - world->count;
		most = max(most, ranges);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, how->ops, i);
	KUNIT_EXPECT_GE(test, most, how->ranges);
	KUNIT_ASSERT_NULL(test, range_world_clear(world));
}

static struct kunit_case range_cases[] = {
	KUNIT_CASE_PARAM(range_all_sequences_test, pages_gen_params),
	KUNIT_CASE_PARAM(range_random_test, random_gen_params),
	{}
};

static struct kunit_suite range_suite = {
	.name = "ashmem_range",
	.test_cases = range_cases,
};

kunit_test_suite(range_suite);
