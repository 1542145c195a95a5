// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of the shrinker with many regions and many memory cgroups. Each page that can
 * be purged is a separate range, and a step for the driver, so figures for one region
 * and for many compare.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define REGIONS_MAX	100000UL
#define PAGES_OF_ONE	1000UL
#define CGROUPS_MANY	2000UL
#define STATISTIC	"/sys/class/misc/ashmem/purgeable_pages"
/* What the probes cost varies by about as many instructions. */
#define NOISE		20

static int regions[REGIONS_MAX];

/* @ranges pages, which are touched and unpinned, with a hole behind each. */
static int offer(unsigned long ranges)
{
	size_t size = 2 * ranges * page_size;
	int fd = region_open(size);
	char *map = region_map(fd, size);
	unsigned long i;

	for (i = 0; i < ranges; i++)
		map[2 * i * page_size] = 1;
	region_unmap(map, size);
	unpin_every_other(fd, ranges);
	return fd;
}

static void close_regions(unsigned long count)
{
	while (count--)
		close(regions[count]);
}

/**
 * struct calls - calls of one function while probes were set
 * @enter: probe at its begin
 * @leave: probe at its end, which fetches what it returns
 * @entered: when the call in progress was
 * @count: how many calls
 * @ticks: ticks spent in them
 * @sum: sum of what they returned that is a number of pages
 */
struct calls {
	const char *enter;
	const char *leave;
	uint64_t entered;
	unsigned long count;
	double ticks;
	unsigned long sum;
};

struct shrinker_calls {
	struct calls counts;
	struct calls scans;
};

static void note_call(struct calls *calls, const struct probe_hit *hit)
{
	if (!strcmp(hit->probe, calls->enter)) {
		calls->entered = hit->when;
	} else if (!strcmp(hit->probe, calls->leave) && calls->entered) {
		calls->count++;
		calls->ticks += hit->when - calls->entered;
		/* SHRINK_STOP and SHRINK_EMPTY are huge. */
		if (hit->value < 1ULL << 62)
			calls->sum += hit->value;
		calls->entered = 0;
	}
}

static void note_shrinker(const struct probe_hit *hit, void *arg)
{
	struct shrinker_calls *calls = arg;

	note_call(&calls->counts, hit);
	note_call(&calls->scans, hit);
}

static bool probe_function(const char *function, const char *enter, const char *leave)
{
	char event[128];

	snprintf(event, sizeof(event), "p:bench/%s %s\n", enter, function);
	if (!probe_add(event))
		return false;
	snprintf(event, sizeof(event), "r:bench/%s %s v=$retval:x64\n", leave, function);
	return probe_add(event);
}

static void probe_either(const char *function, const char *original, const char *enter,
			 const char *leave)
{
	if (!probe_function(function, enter, leave) &&
	    !probe_function(original, enter, leave)) {
		errno = ENOENT;
		die(function);
	}
}

static void drop_seen(struct shrinker_calls *calls)
{
	*calls = (struct shrinker_calls){
		.counts = { .enter = "count_in", .leave = "count_out" },
		.scans = { .enter = "scan_in", .leave = "scan_out" },
	};
	probe_either("ashmem_linux:shrinker_count", "ashmem_linux:ashmem_shrink_count",
		     "count_in", "count_out");
	probe_either("ashmem_linux:shrinker_scan", "ashmem_linux:ashmem_shrink_scan",
		     "scan_in", "scan_out");
	probes_start();
	shrink_everything();
	probes_stop();
	probes_each(note_shrinker, calls);
	probes_remove();
}

/* Ticks between two probes with almost nothing between them. */
static double cost_of_probes(void)
{
	static double cost;
	struct calls calls = { .enter = "nothing_in", .leave = "nothing_out" };
	struct shrinker_calls all = { .counts = calls, .scans = calls };
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	unsigned int i;

	if (cost)
		goto out;
	if (!probe_function("null_lseek", "nothing_in", "nothing_out"))
		die("null_lseek");
	probes_start();
	for (i = 0; i < 1000; i++)
		lseek(fd, 0, SEEK_SET);
	probes_stop();
	probes_each(note_shrinker, &all);
	probes_remove();
	if (!all.counts.count) {
		errno = ENODATA;
		die("/dev/null");
	}
	cost = all.counts.ticks / all.counts.count;
out:
	close(fd);
	return cost;
}

static void read_statistic(void *arg)
{
	char text[32];

	if (pread(*(int *)arg, text, sizeof(text), 0) <= 0)
		die(STATISTIC);
}

/* Reports for @pages pages that are offered, and has them purged. */
static void report_shrinker(const char *name, unsigned long n, unsigned long pages)
{
	int fd = open(STATISTIC, O_RDONLY | O_CLOEXEC);
	double probes = cost_of_probes();
	struct shrinker_calls calls;
	char measure[64];
	double count;

	if (fd >= 0) {
		snprintf(measure, sizeof(measure), "statistic_%s", name);
		report_at(measure, n, cost_of(read_statistic, &fd), "instructions");
		close(fd);
	}
	drop_seen(&calls);
	/* The original stops before the last batch. */
	if (calls.scans.sum < pages / 2) {
		errno = ENODATA;
		die("the shrinker took too little");
	}
	snprintf(measure, sizeof(measure), "count_%s", name);
	count = calls.counts.ticks / calls.counts.count - probes;
	report_at(measure, n, count < NOISE ? 0 : count, "instructions");
	snprintf(measure, sizeof(measure), "scan_%s", name);
	report_at(measure, n, (calls.scans.ticks - probes * calls.scans.count) /
		  calls.scans.sum, "instructions");
}

static void run_shrink_regions(void)
{
	static const unsigned long counts[] = { 1, 1000, REGIONS_MAX, 0 };
	const unsigned long *count;
	unsigned long i;

	allow_files(REGIONS_MAX);
	/* Other caches to drop. */
	shrink_everything();
	for (count = counts; *count; count++) {
		unsigned long pages = *count == 1 ? PAGES_OF_ONE : 1;

		for (i = 0; i < *count; i++)
			regions[i] = offer(pages);
		report_shrinker("regions", *count, *count * pages);
		close_regions(*count);
	}
}

/* A region with a page in each of @cgroups cgroups, or many of them in one. */
static void shrink_cgroups(const char *name, unsigned long cgroups, bool remove)
{
	unsigned long i;
	char group[32];

	for (i = 0; i < CGROUPS_MANY; i++) {
		snprintf(group, sizeof(group), "%s%lu", name, i);
		if (i < cgroups) {
			cgroup_make(group);
			cgroup_join(group);
		}
		regions[i] = offer(1);
	}
	cgroup_join("");
	for (i = 0; remove && i < cgroups; i++) {
		snprintf(group, sizeof(group), "%s%lu", name, i);
		cgroup_remove(group);
	}
	/* The kernel frees cgroups in the background. */
	sleep(5);
	report_shrinker(name, cgroups, CGROUPS_MANY);
	close_regions(CGROUPS_MANY);
	for (i = 0; !remove && i < cgroups; i++) {
		snprintf(group, sizeof(group), "%s%lu", name, i);
		cgroup_remove(group);
	}
}

static void run_shrink_cgroups(void)
{
	if (!purges_by_cgroup())
		return;
	allow_files(REGIONS_MAX);
	shrink_cgroups("cgroups", 1, false);
	shrink_cgroups("cgroups", CGROUPS_MANY, false);
	shrink_cgroups("removed", CGROUPS_MANY, true);
}

const struct measure shrink_measures[] = {
	{ "shrink_regions", run_shrink_regions, false, RECLAIM },
	{ "shrink_cgroups", run_shrink_cgroups, false, RECLAIM },
	{ NULL, NULL, false, RECLAIM },
};
