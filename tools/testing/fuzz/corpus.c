// SPDX-License-Identifier: GPL-2.0-only
/*
 * The corpus: programs that each reached something new.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define CORPUS_MAX	4096
#define DISTIL_RUNS	3

/* Of all workers; programs are only ever added. */
static struct {
	unsigned int next;
	struct {
		bool there;
		struct program program;
	} entry[CORPUS_MAX];
} *corpus;

void corpus_init(void)
{
	corpus = shared_memory(sizeof(*corpus));
}

unsigned int corpus_count(void)
{
	unsigned int n = __atomic_load_n(&corpus->next, __ATOMIC_ACQUIRE);

	return n < CORPUS_MAX ? n : CORPUS_MAX;
}

/* NULL while a worker is adding it, or was killed then. */
const struct program *corpus_get(unsigned int i)
{
	if (i >= corpus_count() || !__atomic_load_n(&corpus->entry[i].there, __ATOMIC_ACQUIRE))
		return NULL;
	return &corpus->entry[i].program;
}

bool corpus_add(const struct program *program)
{
	unsigned int i = __atomic_fetch_add(&corpus->next, 1, __ATOMIC_SEQ_CST);

	if (i >= CORPUS_MAX)
		return false;
	corpus->entry[i].program = *program;
	__atomic_store_n(&corpus->entry[i].there, true, __ATOMIC_RELEASE);
	return true;
}

void corpus_load(enum area_text from)
{
	const char *text = area->text[from].text;
	size_t left = area->text[from].used, next, length;

	if (left > sizeof(area->text[from].text))
		left = sizeof(area->text[from].text);
	for (; left; text += next, left -= next) {
		struct program program;
		const char *error;

		length = program_split(text, left, &next);
		error = program_parse(&program, text, length);
		if (!error)
			corpus_add(&program);
		else if (length)
			fprintf(stderr, "# a program is left out: %s\n", error);
	}
}

static unsigned int gain(const uint8_t *features, const uint8_t *have)
{
	unsigned int i, n = 0;

	for (i = 0; i < FEATURES / 8; i++)
		n += (unsigned int)__builtin_popcount((unsigned char)(features[i] & ~have[i]));
	return n;
}

/**
 * corpus_distil - write to the area few programs that together reach all
 * @w: a worker, alone
 *
 * Greedy: always the one that adds most. Runs each program a few times, as what
 * one reaches differs a little from time to time.
 */
void corpus_distil(struct worker *w)
{
	unsigned int count = corpus_count(), i, j, kept = 0;
	uint8_t (*features)[FEATURES / 8] = calloc(count + 1, FEATURES / 8);
	uint8_t *have = features ? features[count] : NULL;

	for (i = 0; features && i < count; i++) {
		const struct program *program = corpus_get(i);

		for (j = 0; program && j < DISTIL_RUNS; j++) {
			area_log(w->number, program);
			cover_begin();
			execute(w, program);
			cover_end();
			cover_bitmap(features[i]);
		}
	}
	while (features) {
		unsigned int best = count, most = 0;

		for (i = 0; i < count; i++) {
			unsigned int n = gain(features[i], have);

			if (n > most) {
				most = n;
				best = i;
			}
		}
		if (best == count)
			break;
		for (i = 0; i < FEATURES / 8; i++)
			have[i] |= features[best][i];
		area_add(TEXT_DISTILLED, corpus_get(best));
		kept++;
	}
	fprintf(stderr, "# distilled %u programs to %u\n", count, kept);
	free(features);
}
