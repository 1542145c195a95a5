// SPDX-License-Identifier: GPL-2.0-only
/*
 * A worker: generates programs, runs them, and keeps the good ones.
 */

#include <sys/resource.h>
#include <time.h>

#include "fuzz.h"

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void worker_init(struct worker *w)
{
	/* Let open() and dup() fail sometimes, too. */
	struct rlimit files = { 48, 48 };

	current_worker = (int)w->number;
	put_file("/proc/self/oom_score_adj", "500");
	execute_init();
	buffers_init();
	keepers_open(w);
	cover_worker();
	setrlimit(RLIMIT_NOFILE, &files);
}

static void run(struct worker *w, const struct program *program)
{
	area_log(w->number, program);
	cover_begin();
	execute(w, program);
	cover_end();
}

/* Drops the operations that a program reaches the features without. */
static void minimise(struct worker *w, struct program *program, uint16_t *features,
		     unsigned int count)
{
	unsigned int at = program->ops;

	while (at-- && program->ops > 1) {
		struct program shorter = *program;
		uint16_t left[FRESH_MAX];
		unsigned int i;

		program_drop(&shorter, at);
		run(w, &shorter);
		for (i = 0; i < count; i++)
			left[i] = features[i];
		if (cover_hits(left, count) == count)
			*program = shorter;
	}
}

static void keep_if_new(struct worker *w, struct program *program)
{
	uint16_t fresh[FRESH_MAX];
	unsigned int count = cover_fresh(fresh, FRESH_MAX), stable;

	if (!count)
		return;
	/* Others need not try for it. */
	cover_claim(fresh, count);
	run(w, program);
	stable = cover_hits(fresh, count);
	if (!stable) {
		__atomic_fetch_add(&area->unstable, 1, __ATOMIC_RELAXED);
		return;
	}
	minimise(w, program, fresh, stable);
	if (corpus_add(program))
		area_add(TEXT_FRESH, program);
}

static const struct program *any_of_corpus(struct rng *rng)
{
	unsigned int count = corpus_count(), i;

	if (!count)
		return NULL;
	/* One in three of the youngest: what is behind it is still unknown. */
	i = rng_below(rng, count);
	if (!rng_below(rng, 3) && count > 16)
		i = count - 1 - rng_below(rng, 16);
	return corpus_get(i);
}

void worker_fuzz(struct worker *w, struct rng *rng, double deadline)
{
	struct program program;

	while (now() < deadline) {
		const struct program *one = any_of_corpus(rng), *other = any_of_corpus(rng);

		if (!one || !other || !rng_below(rng, 8)) {
			program_generate(&program, rng);
		} else {
			program = *one;
			/* Sometimes unchanged: other workers do different things. */
			if (rng_below(rng, 16))
				program_mutate(&program, other, rng);
		}
		run(w, &program);
		keep_if_new(w, &program);
	}
	/* The last one stays, to be reported. */
	program_generate(&program, rng);
	area_log(w->number, &program);
	execute_ops(w, program.op, program.ops);
	share_end(w);
}

void worker_replay(struct worker *w, double deadline)
{
	unsigned int i = w->number;

	while (now() < deadline) {
		const struct program *program = corpus_get(i++ % corpus_count());

		if (program)
			run(w, program);
	}
}

/* The coverage of the corpus is not new. */
void worker_calibrate(struct worker *w)
{
	uint16_t fresh[FRESH_MAX];
	unsigned int i, count;

	for (i = 0; i < corpus_count(); i++) {
		const struct program *program = corpus_get(i);

		if (!program)
			continue;
		run(w, program);
		while ((count = cover_fresh(fresh, FRESH_MAX)))
			cover_claim(fresh, count);
	}
}
