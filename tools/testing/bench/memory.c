// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel memory of regions and ranges.
 */

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

#define REGIONS		8192UL
#define RANGES		100000UL

/*
 * Bytes of all slab objects in use, without the unusable rest of slabs, which depends on
 * the kernel's configuration.
 */
static double slab_bytes(void)
{
	FILE *f = fopen("/proc/slabinfo", "r");
	unsigned long active, total, size;
	double bytes = 0;
	char line[512];

	if (!f)
		die("/proc/slabinfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %lu %lu %lu", &active, &total, &size) == 3)
			bytes += (double)active * size;
	fclose(f);
	return bytes;
}

/* What was freed before is really free after an RCU grace period. */
static double settled_slab_bytes(void)
{
	usleep(500000);
	return slab_bytes();
}

static void run_region_memory(void)
{
	size_t size = 16 * page_size;
	static int fds[REGIONS];
	struct rlimit files = { .rlim_cur = REGIONS + 64, .rlim_max = REGIONS + 64 };
	unsigned long i;
	double before;

	if (setrlimit(RLIMIT_NOFILE, &files))
		die("setrlimit");
	/* Grow the descriptor table now, not between the two measurements. */
	if (dup2(1, REGIONS + 63) < 0 || close(REGIONS + 63))
		die("dup2");

	before = settled_slab_bytes();
	for (i = 0; i < REGIONS; i++) {
		fds[i] = region_open(size);
		region_unmap(region_map(fds[i], size), size);
	}
	report("region_memory", (slab_bytes() - before) / REGIONS, "bytes");
	for (i = 0; i < REGIONS; i++)
		close(fds[i]);
}

static void run_range_memory(void)
{
	size_t size = 2 * RANGES * page_size;
	int fd = region_open(size);
	double before;

	region_unmap(region_map(fd, size), size);
	before = settled_slab_bytes();
	unpin_every_other(fd, RANGES);
	/* Of so many, other objects that come and go are parts of a byte. */
	report("range_memory", round((slab_bytes() - before) / RANGES), "bytes");
	close(fd);
}

const struct measure memory_measures[] = {
	{ "range_memory", run_range_memory, false, COST },
	{ "region_memory", run_region_memory, true, COST },
	{ NULL, NULL, false, COST },
};
