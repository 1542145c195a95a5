// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem_bench: the cost of the driver, compared with memfd.
 *
 *	ashmem_bench [-c | -r] SUBJECT [MEASURE...]
 *
 * Takes the measures whose names begin with one of MEASURE, or all, of the
 * driver that is loaded or, if SUBJECT is "memfd", of memfd. Any other SUBJECT
 * only names the driver in the output. -c takes those that need two processors,
 * and -r those that leave the kernel changed, instead of all others.
 *
 * Each result is a line: measure, subject, value, unit, with tabs between.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

/* Cheap operations are timed in batches that end well before the next tick. */
#define BATCH_TICKS	1000000
#define BATCH_MAX	1000
#define BATCHES		15

const char *subject;
bool subject_is_memfd;
size_t page_size;

void die(const char *what)
{
	fprintf(stderr, "ashmem_bench: %s: %s: %s\n", subject ? subject : "-", what,
		strerror(errno));
	exit(1);
}

void report(const char *measure, double value, const char *unit)
{
	printf("%s\t%s\t%.6g\t%s\n", measure, subject, value, unit);
	fflush(stdout);
}

void report_at(const char *measure, unsigned long n, double value, const char *unit)
{
	char name[64];

	snprintf(name, sizeof(name), "%s/%lu", measure, n);
	report(name, value, unit);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *values, unsigned int count)
{
	qsort(values, count, sizeof(*values), compare);
	return count % 2 ? values[count / 2] :
	       (values[count / 2 - 1] + values[count / 2]) / 2;
}

double quantile(double *values, unsigned int count, double part)
{
	qsort(values, count, sizeof(*values), compare);
	return values[(unsigned int)(part * count)];
}

static void nothing(void *arg)
{
	/* The compiler must not move it out of the loop. */
	__asm__ volatile("" : : "r"(arg) : "memory");
}

static uint64_t batch(void (*op)(void *), void *arg, unsigned int count)
{
	uint64_t start;
	unsigned int i;

	/* Every operation is called the same way, even an empty one. */
	__asm__("" : "+r"(op));
	start = ticks();
	for (i = 0; i < count; i++)
		op(arg);
	return ticks() - start;
}

static double best_batch(void (*op)(void *), void *arg, unsigned int count)
{
	double best = -1;
	unsigned int i;

	for (i = 0; i < BATCHES; i++) {
		double each = (double)batch(op, arg, count) / count;

		if (best < 0 || each < best)
			best = each;
	}
	return best;
}

/**
 * cost_of - what an operation costs that leaves everything as it found it
 * @op: the operation
 * @arg: its argument
 *
 * The least of several batches: interrupts can only add.
 *
 * Return: ticks, without those of the loop around it.
 */
double cost_of(void (*op)(void *arg), void *arg)
{
	uint64_t once;
	unsigned int count;

	op(arg);
	once = batch(op, arg, 1);
	count = once < BATCH_TICKS / BATCH_MAX ? BATCH_MAX : BATCH_TICKS / once;
	if (!count)
		count = 1;
	return best_batch(op, arg, count) - best_batch(nothing, NULL, count);
}

/**
 * mean_cost_of - the same for operations that leave work behind for later
 * @op: the operation
 * @arg: its argument
 * @count: how many
 *
 * The mean of many: what RCU frees afterwards belongs to the cost.
 *
 * Return: ticks, without those of the loop around it.
 */
double mean_cost_of(void (*op)(void *arg), void *arg, unsigned int count)
{
	double means[5];
	unsigned int i;

	batch(op, arg, count / 10 + 1);
	for (i = 0; i < 5; i++)
		means[i] = (double)batch(op, arg, count) / count;
	return median(means, 5) - best_batch(nothing, NULL, BATCH_MAX);
}

static bool wanted(const char *name, char **prefixes)
{
	if (!*prefixes)
		return true;
	for (; *prefixes; prefixes++)
		if (!strncmp(name, *prefixes, strlen(*prefixes)))
			return true;
	return false;
}

static const struct measure *const all_measures[] = {
	memory_measures, cost_measures, purge_measures, locks_measures, shrink_measures,
	concurrency_measures, shootdown_measures, crowd_measures,
};

int main(int argc, char **argv)
{
	enum setting setting = COST;
	size_t i;
	int opt;

	while ((opt = getopt(argc, argv, "cr")) != -1) {
		if (opt == '?')
			goto usage;
		setting = opt == 'c' ? CONCURRENT : RECLAIM;
	}
	if (optind == argc)
		goto usage;
	subject = argv[optind++];
	subject_is_memfd = !strcmp(subject, "memfd");
	page_size = sysconf(_SC_PAGESIZE);

	for (i = 0; i < sizeof(all_measures) / sizeof(*all_measures); i++) {
		const struct measure *m;

		for (m = all_measures[i]; m->name; m++)
			if (m->setting == setting &&
			    (m->memfd || !subject_is_memfd) &&
			    wanted(m->name, argv + optind))
				m->run();
	}
	return 0;

usage:
	fprintf(stderr, "usage: ashmem_bench [-c | -r] SUBJECT [MEASURE...]\n");
	return 2;
}
