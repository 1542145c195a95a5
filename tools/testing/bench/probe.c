// SPDX-License-Identifier: GPL-2.0-only
/*
 * kprobe events: which functions are called, with which arguments, and when. A hit costs
 * thousands of instructions, so the time between two adjacent hits is subtracted.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define TRACING	"/sys/kernel/tracing/"

/**
 * probe_add - define a probe
 * @definition: as for kprobe_events, in group "bench"
 *
 * Return: false if the kernel has no such function.
 */
bool probe_add(const char *definition)
{
	return try_put_file(TRACING "kprobe_events", definition);
}

/* Only hits that @filter is true for count from now on. */
void probes_filter(const char *filter)
{
	put_file(TRACING "events/bench/filter", filter);
}

void probes_start(void)
{
	FILE *trace = fopen(TRACING "trace", "w");

	/* Opening it so empties it. */
	if (!trace)
		die("trace");
	fclose(trace);
	put_file(TRACING "buffer_size_kb", "8192");
	put_file(TRACING "trace_clock", "x86-tsc");
	put_file(TRACING "events/bench/enable", "1");
	put_file(TRACING "tracing_on", "1");
}

void probes_stop(void)
{
	put_file(TRACING "tracing_on", "0");
	put_file(TRACING "events/bench/enable", "0");
}

/* How many hits there were, those that the buffer has lost among them. */
unsigned long probes_count(void)
{
	const char *stats = TRACING "per_cpu/cpu0/stats";

	return count_in_file(stats, "entries:") + count_in_file(stats, "overrun:");
}

/* task-pid [cpu] flags when: probe: (function+0x0/0x50) v=0x1 */
void probes_each(void (*seen)(const struct probe_hit *hit, void *arg), void *arg)
{
	FILE *trace = fopen(TRACING "trace", "re");
	char line[512], name[32];

	if (!trace)
		die("trace");
	while (fgets(line, sizeof(line), trace)) {
		struct probe_hit hit = { .probe = name };
		char *at = strchr(line, ']'), *value = strstr(line, " v=");
		unsigned long long when;

		if (*line == '#' || !at ||
		    sscanf(at + 1, "%*s %llu: %31[^:]", &when, name) != 2)
			continue;
		hit.when = when;
		if (value)
			hit.value = strtoull(value + 3, NULL, 0);
		seen(&hit, arg);
	}
	fclose(trace);
}

void probes_remove(void)
{
	FILE *events = fopen(TRACING "kprobe_events", "w");

	/* Opening it so removes them all. */
	if (!events || fclose(events))
		die("kprobe_events");
}
