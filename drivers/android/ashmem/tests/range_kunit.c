// SPDX-License-Identifier: GPL-2.0-only
/*
 * The algebra of ranges against a model by pages.
 */

#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/moduleparam.h>

#include "fixture.h"
#include "range_world.h"

#define PAGES_MAX	5
/* The longest shortest path to any state. */
#define DEPTH_MAX	13
/* Tests that take more than some seconds in an emulator run only on request. */
#define STEPS_USUAL	100000

static uint most_pages = 4;
module_param_named(kunit_pages, most_pages, uint, 0444);
MODULE_PARM_DESC(kunit_pages, "most pages of the regions that are gone through in all ways, up to 5");

/**
 * struct all_case - a region of which all is tried
 * @pages: its size
 * @queues: queues that UNPIN may name
 * @states: what can become of it
 * @steps: operations on these
 *
 * States and steps were counted by another program, which knows ranges and no
 * pages. A state is what the pages are, and in which order they would be purged.
 */
struct all_case {
	unsigned int pages;
	unsigned int queues;
	unsigned int states;
	unsigned int steps;
};

static const struct all_case all_cases[] = {
	{ 1, 2, 6, 28 },
	{ 2, 2, 59, 798 },
	{ 3, 2, 797, 21098 },
	{ 4, 1, 1819, 60001 },
	{ 4, 2, 14090, 612168 },
	{ PAGES_MAX, 1, 21598, 1056961 },
};

static void describe_all(const struct all_case *c, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "%u pages, %u queues", c->pages, c->queues);
}

KUNIT_ARRAY_PARAM(all, all_cases, describe_all);

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
 * @expected: how many there are
 * @world: where operations are tried
 * @states: the states, in the order in which they were found
 * @count: how many of them there are
 * @steps: how many operations were tried
 * @known: the states by key
 */
struct search {
	const struct all_case *expected;
	struct range_world *world;
	struct state *states;
	unsigned int count;
	unsigned int steps;
	DECLARE_HASHTABLE(known, 12);
};

/* How many ages of queued runs are not younger than @stamp? */
static unsigned int rank_of(const struct range_model *model, u32 stamp)
{
	unsigned int page, other, rank = 0;

	for (page = 0; page < model->pages; page++) {
		u32 age = model->page[page].stamp;
		bool counted = !age || age > stamp || model->page[page].taken;

		for (other = 0; other < page; other++)
			counted |= model->page[other].stamp == age &&
				   !model->page[other].taken;
		rank += !counted;
	}
	return rank;
}

/* Ages count as ranks: an UNPIN without remaining ranges makes no new state. */
static u64 key_of(const struct range_model *model)
{
	unsigned int number;
	u64 key = 0;

	for (number = 0; number < model->pages; number++) {
		const struct model_page *page = &model->page[number];
		bool queued = page->stamp && range_model_left(model, number);

		key = key << 7 | range_model_starts(model, number) << 2 |
		      page->purged << 1 | page->taken;
		if (queued)
			key |= rank_of(model, page->stamp) << 4 | page->queue << 3;
	}
	return key;
}

static const char *describe(const struct range_op *op, char *text, size_t size)
{
	static const char * const verbs[] = {
		[PIN] = "pin", [KEEP] = "keep", [UNPIN] = "unpin", [TAKE] = "take",
	};

	snprintf(text, size, op->verb == TAKE ? "%s at %u pages %u" : "%s %u-%u, queue %u",
		 verbs[op->verb], op->first, op->last, op->queue);
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
	char text[40];

	kunit_err(test, "on a region of %u pages, all pinned, do:",
		  search->world->model.pages);
	while (depth--)
		kunit_err(test, "\t%s", describe(path[depth], text, sizeof(text)));
	kunit_err(test, "\t%s%s", describe(op, text, sizeof(text)),
		  spare ? ", with a spare" : "");
	KUNIT_ASSERT_NULL_MSG(test, why, "%s", why);
}

/* Starts with an empty set and repeats the operations that led to @state. */
static const char *replay(struct range_world *world, const struct state *state)
{
	const struct range_op *path[DEPTH_MAX];
	unsigned int depth = path_to(state, path);
	const char *why = range_world_clear(world);

	while (!why && depth--)
		why = range_world_do(world, path[depth]);
	return why;
}

/* Adds the state that the oracle is in, unless it is known. */
static void learn(struct kunit *test, struct search *search, struct state *before,
		  const struct range_op *op)
{
	u64 key = key_of(&search->world->model);
	struct state *state;

	hash_for_each_possible(search->known, state, hash, key) {
		if (state->key == key)
			return;
	}
	KUNIT_ASSERT_LT_MSG(test, search->count, search->expected->states,
			    "more states than there can be");
	state = &search->states[search->count++];
	state->key = key;
	state->before = before;
	if (op)
		state->op = *op;
	hash_add(search->known, &state->hash, key);
}

/* An operation on a state, without a spare and with one. */
static void try(struct kunit *test, struct search *search, struct state *state,
		const struct range_op *op)
{
	struct range_world *world = search->world;
	const char *why;
	int spare;

	for (spare = 0; spare <= 1; spare++) {
		why = replay(world, state);
		range_world_set_spare(world, spare);
		why = why ?: range_world_do(world, op) ?: range_world_overlaps(world);
		if (why)
			fail(test, search, state, op, spare, why);
	}
	learn(test, search, state, op);
	search->steps++;
}

/* Each operation there is, on one state. */
static void try_all(struct kunit *test, struct search *search, struct state *state)
{
	const struct range_model *model = &search->world->model;
	unsigned int left[PAGES_MAX] = {}, first, last, count, queue;

	KUNIT_ASSERT_NULL(test, replay(search->world, state));
	for (first = 0; first < model->pages; first++) {
		if (range_model_starts(model, first))
			left[first] = range_model_left(model, first);
	}

	for (first = 0; first < model->pages; first++) {
		for (last = first; last < model->pages; last++) {
			try(test, search, state, &(struct range_op){ PIN, first, last });
			try(test, search, state, &(struct range_op){ KEEP, first, last });
			for (queue = 0; queue < search->expected->queues; queue++)
				try(test, search, state,
				    &(struct range_op){ UNPIN, first, last, queue });
		}
		for (count = 1; count <= left[first]; count++)
			try(test, search, state, &(struct range_op){ TAKE, first, count });
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
	const struct all_case *c = test->param_value;
	struct search *search = kunit_kzalloc(test, sizeof(*search), GFP_KERNEL);
	unsigned int i;

	if (c->pages > most_pages || (c->steps > STEPS_USUAL && most_pages < PAGES_MAX))
		kunit_skip(test, "takes ashmem_linux.kunit_pages=%u", PAGES_MAX);
	KUNIT_ASSERT_NOT_NULL(test, search);
	hash_init(search->known);
	search->expected = c;
	search->states = kvcalloc(c->states, sizeof(*search->states), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, search->states);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_states, search->states));
	search->world = range_world_create(test, c->pages, 0);

	learn(test, search, NULL, NULL);
	for (i = 0; i < search->count; i++) {
		try_all(test, search, &search->states[i]);
		cond_resched();
	}
	KUNIT_ASSERT_NULL(test, range_world_clear(search->world));
	KUNIT_EXPECT_EQ(test, c->states, search->count);
	KUNIT_EXPECT_EQ(test, c->steps, search->steps);
}

/* A region is no larger than a file or a size_t. */
#define LAST_PAGE	((unsigned long)(IS_ENABLED(CONFIG_64BIT) ? \
			 MAX_LFS_FILESIZE >> PAGE_SHIFT : SIZE_MAX >> PAGE_SHIFT))

/**
 * struct random_case - a long random walk
 * @name: what is special of it
 * @pages: size of the region
 * @longest: of an interval, but for one in 1024, which may have any length
 * @ops: how many operations
 * @base: first page
 * @ranges: how many there must have been at some time
 * @again: how often operations must have needed another call
 */
struct random_case {
	const char *name;
	unsigned int pages;
	unsigned int longest;
	unsigned int ops;
	unsigned long base;
	unsigned int ranges;
	unsigned int again;
};

static const struct random_case random_cases[] = {
	{ "many ranges", 1024, 2, 4000, 0, MODEL_BATCH + 1, 100 },
	{ "long ranges", 256, 64, 4000, 0, 5, 100 },
	{ "at the end of the largest region", 64, 8, 4000, LAST_PAGE - 63, 5, 100 },
};

KUNIT_ARRAY_PARAM_DESC(random, random_cases, name);

/**
 * struct walk - a random walk
 * @how: its case
 * @random: where its numbers come from
 * @nested: other tasks' operations, between two calls of the walk's own
 */
struct walk {
	const struct random_case *how;
	struct rnd_state random;
	bool nested;
};

static unsigned int below(struct walk *walk, unsigned int bound)
{
	return prandom_u32_state(&walk->random) % bound;
}

static struct range_op random_op(struct walk *walk, const struct range_model *model)
{
	/* UNPIN is as likely as all others together. */
	static const enum range_verb verbs[] = {
		PIN, KEEP, TAKE, TAKE, UNPIN, UNPIN, UNPIN, UNPIN,
	};
	unsigned int longest = below(walk, 1024) ? walk->how->longest : model->pages;
	struct range_op op = {
		.verb = verbs[below(walk, ARRAY_SIZE(verbs))],
		.first = below(walk, model->pages),
		.queue = below(walk, MODEL_QUEUES),
	};

	op.last = min(op.first + below(walk, longest), model->pages - 1);
	if (op.verb == TAKE) {
		unsigned int left = 0;

		if (model->page[op.first].stamp)
			left = range_model_left(model, op.first);
		while (left && !range_model_starts(model, op.first))
			op.first--;
		op.last = left ? 1 + below(walk, left) : op.first;
		if (!left)
			op.verb = KEEP;
	}
	return op;
}

/* What others do before an operation takes the lock again. */
static const char *others(struct range_world *world)
{
	struct walk *walk = world->data;
	const char *why = NULL;
	unsigned int i;

	if (walk->nested)
		return NULL;
	walk->nested = true;
	for (i = below(walk, 4); !why && i; i--) {
		struct range_op op = random_op(walk, &world->model);

		why = range_world_do(world, &op);
	}
	walk->nested = false;
	return why;
}

static void range_random_test(struct kunit *test)
{
	const struct random_case *how = test->param_value;
	struct range_world *world = range_world_create(test, how->pages, how->base);
	struct walk walk = { .how = how };
	u64 seed = ashmem_kunit_seed(test, &walk.random);
	unsigned int i, most = 0;

	world->between = others;
	world->data = &walk;
	for (i = 0; i < how->ops; i++) {
		struct range_op op = random_op(&walk, &world->model);
		const char *why;
		char text[40];

		range_world_set_spare(world, below(&walk, 2));
		why = range_world_do(world, &op);
		KUNIT_ASSERT_NULL_MSG(test, why, "%s; operation %u, %s, of kunit_seed=%llu",
				      why, i, describe(&op, text, sizeof(text)), seed);
		most = max(most, world->total - world->count);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, how->ops, i);
	KUNIT_EXPECT_GE(test, most, how->ranges);
	KUNIT_EXPECT_GE(test, world->again, how->again);
	KUNIT_ASSERT_NULL(test, range_world_clear(world));
}

static void must_do(struct kunit *test, struct range_world *world, enum range_verb verb,
		    unsigned int first, unsigned int last)
{
	const char *why = range_world_do(world, &(struct range_op){ verb, first, last, 1 });

	KUNIT_ASSERT_NULL_MSG(test, why, "%s; verb %u, %u-%u", why, verb, first, last);
}

/* Ranges of a page each, every other one of which a purge took. */
static struct range_world *ranges_new(struct kunit *test, unsigned int ranges)
{
	struct range_world *world = range_world_create(test, 2 * ranges, 7);
	unsigned int page;

	for (page = 0; page < 2 * ranges; page += 2) {
		range_world_set_spare(world, true);
		must_do(test, world, UNPIN, page, page);
		if (page % 4)
			must_do(test, world, TAKE, page, 1);
	}
	range_world_set_spare(world, true);
	world->again = 0;
	return world;
}

/*
 * An operation on that many ranges, alone and with other operations between its calls.
 */
static void range_batches_test(struct kunit *test)
{
	static const unsigned int counts[] = {
		MODEL_BATCH - 1, MODEL_BATCH, MODEL_BATCH + 1, 3 * MODEL_BATCH,
	};
	static const enum range_verb verbs[] = { PIN, KEEP, UNPIN };
	struct walk walk = { .how = &random_cases[0] };
	unsigned int i, v, left, calls;

	ashmem_kunit_seed(test, &walk.random);
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		for (v = 0; v < ARRAY_SIZE(verbs); v++) {
			struct range_world *world = ranges_new(test, counts[i]);

			must_do(test, world, verbs[v], 0, 2 * counts[i] - 1);
			/*
			 * The range of UNPIN's last call is one of the next call's
			 * ranges.
			 */
			for (left = counts[i], calls = 0; left > MODEL_BATCH; calls++)
				left -= MODEL_BATCH - (verbs[v] == UNPIN);
			KUNIT_EXPECT_EQ_MSG(test, calls, world->again, "%u ranges, verb %u",
					    counts[i], v);
			KUNIT_EXPECT_EQ(test, verbs[v] == PIN ? 0 : verbs[v] == UNPIN ?
					2 * counts[i] : counts[i] / 2, world->set.unpinned);
			KUNIT_ASSERT_NULL(test, range_world_clear(world));

			world = ranges_new(test, counts[i]);
			world->between = others;
			world->data = &walk;
			must_do(test, world, verbs[v], 0, 2 * counts[i] - 1);
			/* The others may have taken away what later calls were for. */
			KUNIT_EXPECT_GE(test, world->again, min(calls, 1U));
			KUNIT_ASSERT_NULL(test, range_world_clear(world));
		}
	}
}

static struct kunit_case range_cases[] = {
	KUNIT_CASE_PARAM(range_all_sequences_test, all_gen_params),
	KUNIT_CASE_PARAM(range_random_test, random_gen_params),
	KUNIT_CASE(range_batches_test),
	{}
};

static struct kunit_suite range_suite = {
	.name = "ashmem_range",
	.test_cases = range_cases,
};

kunit_test_suite(range_suite);
