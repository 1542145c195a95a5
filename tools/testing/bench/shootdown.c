// SPDX-License-Identifier: GPL-2.0-only
/*
 * How often the other CPU must flush its TLB while pages that two threads write to are
 * purged. A count does not depend on the host's load.
 */

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define PAGES	2048UL
#define STEP	512UL	/* the most pages that a step takes */
#define WRITERS	2
#define ROUNDS	9

struct writer {
	pthread_t thread;
	char *map;
	uint64_t random;
	int cpu;
	atomic_bool *stop;
};

static void *write_anywhere(void *arg)
{
	struct writer *w = arg;

	stay_on(w->cpu);
	while (!atomic_load_explicit(w->stop, memory_order_relaxed)) {
		w->random = w->random * 6364136223846793005ULL + 1442695040888963407ULL;
		*(volatile char *)(w->map + (w->random >> 33) % PAGES * page_size) = 1;
	}
	return NULL;
}

static unsigned long shootdowns(void)
{
	return count_in_file("/proc/interrupts", "TLB:");
}

static void by_command(int fd)
{
	unsigned long i;

	if (subject_is_memfd) {
		for (i = 0; i < PAGES; i += STEP)
			punch(fd, i, STEP);
	} else {
		purge_all(fd);
	}
}

static void by_pressure(int fd)
{
	(void)fd;
	shrink_everything();
}

/* The median of the rounds, for all pages together. */
static double shootdowns_of(void (*purge)(int fd))
{
	struct writer writers[WRITERS];
	atomic_bool stop = false;
	double counts[ROUNDS];
	int fd = region_open(PAGES * page_size);
	char *map = region_map(fd, PAGES * page_size);
	unsigned int i;

	for (i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){
			.map = map, .random = i + 1, .cpu = i, .stop = &stop,
		};
		writers[i].thread = start(write_anywhere, &writers[i]);
	}
	for (i = 0; i < ROUNDS; i++) {
		memset(map, 1, PAGES * page_size);
		if (!subject_is_memfd)
			unpin(fd, 0, PAGES);
		counts[i] = shootdowns();
		purge(fd);
		counts[i] = shootdowns() - counts[i];
		if (!subject_is_memfd)
			pin(fd, 0, PAGES);
	}
	atomic_store(&stop, true);
	for (i = 0; i < WRITERS; i++)
		join(writers[i].thread);
	region_unmap(map, PAGES * page_size);
	close(fd);
	return median(counts, ROUNDS);
}

static void run_shootdowns(void)
{
	report("shootdowns_command", shootdowns_of(by_command) / (PAGES / STEP), "a step");
	if (!subject_is_memfd)
		report("shootdowns_pressure", shootdowns_of(by_pressure) / PAGES, "a page");
}

const struct measure shootdown_measures[] = {
	{ "shootdowns", run_shootdowns, true, CONCURRENT },
	{ NULL, NULL, false, CONCURRENT },
};
