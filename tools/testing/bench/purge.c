// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of a purge.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define PURGE_BYTES	(64 * MIB)

static void take(int fd, unsigned long pages, unsigned long ranges)
{
	unsigned long each = pages / ranges, i;

	if (subject_is_memfd) {
		for (i = 0; i < ranges; i++)
			punch(fd, i * each, each);
	} else if (purge_all(fd) < pages) {
		errno = ENODATA;
		die("ASHMEM_PURGE_ALL_CACHES took too little");
	}
}

/* The pages stay mapped, like those of a cache. */
static double purge_once(unsigned long ranges)
{
	unsigned long pages = PURGE_BYTES / page_size, i;
	int fd = region_open(PURGE_BYTES);
	char *map = region_map(fd, PURGE_BYTES);
	uint64_t start;
	double cost;

	memset(map, 1, PURGE_BYTES);
	for (i = 0; !subject_is_memfd && i < ranges; i++)
		unpin(fd, i * (pages / ranges), pages / ranges);

	start = ticks();
	take(fd, pages, ranges);
	cost = ticks() - start;

	for (i = 0; i < pages; i++) {
		if (map[i * page_size]) {
			errno = ENODATA;
			die("a page survived the purge");
		}
	}
	region_unmap(map, PURGE_BYTES);
	close(fd);
	return cost;
}

static void run_purge(void)
{
	static const unsigned long ranges[] = { 1, 256, 16384, 0 };
	const unsigned long *count;
	double costs[5];
	unsigned int i;

	for (count = ranges; *count; count++) {
		for (i = 0; i < 5; i++)
			costs[i] = purge_once(*count);
		report_at("purge", *count, median(costs, 5), "instructions");
	}
}

const struct measure purge_measures[] = {
	{ "purge", run_purge, true, COST },
	{ NULL, NULL, false, COST },
};
