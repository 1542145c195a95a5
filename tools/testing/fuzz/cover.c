// SPDX-License-Identifier: GPL-2.0-only
/*
 * The coverage of a program in the driver, by KCOV. A feature is a hashed pair of
 * addresses that were reached one after the other: the path matters, too.
 */

#include <fcntl.h>
#include <linux/kcov.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define COVER_WORDS	(128UL << 10)
#define TEXT_MAX	0x100000	/* the module is far smaller */

/* Of all workers. */
static struct {
	uint8_t feature[FEATURES];
	uint8_t pc[TEXT_MAX];
} *seen;

static unsigned long text_base;
static unsigned long *cover;
static uint16_t *last;		/* what the last program reached */
static uint8_t *last_set;
static unsigned int last_count;

static unsigned long find_text(void)
{
	char line[512];
	unsigned long base = 0;
	FILE *f;

	if (get_file("/sys/module/ashmem_linux/sections/.text", line, sizeof(line)) > 0)
		return strtoul(line, NULL, 16);
	/* Without it the module's own address, where .text usually is. */
	f = fopen("/proc/modules", "re");
	while (f && !base && fgets(line, sizeof(line), f))
		if (!strncmp(line, "ashmem_linux ", 13))
			sscanf(line, "%*s %*u %*u %*s %*s %lx", &base);
	if (f)
		fclose(f);
	return base;
}

void cover_init(void)
{
	seen = shared_memory(sizeof(*seen));
	text_base = find_text();
}

/* Without KCOV there is no coverage, and all else goes on. */
void cover_worker(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	last = malloc(FEATURES * sizeof(*last));
	last_set = malloc(FEATURES);
	if (!last || !last_set)
		exit(2);
	memset(last_set, 0, FEATURES);
	if (fd < 0)
		return;
	if (!ioctl(fd, KCOV_INIT_TRACE, COVER_WORDS))
		cover = mmap(NULL, COVER_WORDS * sizeof(*cover), PROT_READ | PROT_WRITE,
			     MAP_SHARED, fd, 0);
	if (!cover || cover == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC)) {
		finding("KCOV can't be used: %s", strerror(errno));
		cover = NULL;
	}
}

void cover_begin(void)
{
	if (cover)
		__atomic_store_n(&cover[0], 0, __ATOMIC_RELAXED);
}

/*
 * Save and restore the position of the record: for slow operations, for which no program
 * should be kept.
 */
unsigned long cover_mark(void)
{
	return cover ? __atomic_load_n(&cover[0], __ATOMIC_RELAXED) : 0;
}

void cover_forget(unsigned long mark)
{
	if (cover)
		__atomic_store_n(&cover[0], mark, __ATOMIC_RELAXED);
}

void cover_end(void)
{
	unsigned long n = cover ? __atomic_load_n(&cover[0], __ATOMIC_RELAXED) : 0, i;
	uint32_t before = 0;

	while (last_count)
		last_set[last[--last_count]] = 0;
	for (i = 1; i <= n && i < COVER_WORDS; i++) {
		unsigned long pc = cover[i] - text_base;
		uint16_t feature;

		if (pc >= TEXT_MAX)
			continue;
		if (!seen->pc[pc])
			seen->pc[pc] = 1;
		feature = (uint16_t)(((before * 0x9e3779b1U) >> 13) ^ (uint32_t)pc * 31);
		before = (uint32_t)pc;
		if (!last_set[feature]) {
			last_set[feature] = 1;
			last[last_count++] = feature;
		}
	}
}

/* Those features of the last program that no program had before. */
unsigned int cover_fresh(uint16_t *features, unsigned int room)
{
	unsigned int i, n = 0;

	for (i = 0; i < last_count && n < room; i++)
		if (!seen->feature[last[i]])
			features[n++] = last[i];
	return n;
}

/* Keeps those of the features that the last program had; returns how many. */
unsigned int cover_hits(uint16_t *features, unsigned int count)
{
	unsigned int i, n = 0;

	for (i = 0; i < count; i++)
		if (last_set[features[i]])
			features[n++] = features[i];
	return n;
}

void cover_claim(const uint16_t *features, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		seen->feature[features[i]] = 1;
}

/* Adds the last program's features to a bitmap of them all. */
void cover_bitmap(uint8_t *bitmap)
{
	unsigned int i;

	for (i = 0; i < last_count; i++)
		bitmap[last[i] / 8] |= (uint8_t)(1 << last[i] % 8);
}

/* What all have reached so far, into the area. */
void cover_report(void)
{
	const uint32_t room = ARRAY_SIZE(area->pc);
	uint32_t edges = 0, pcs = 0, i;

	for (i = 0; i < FEATURES; i++)
		edges += seen->feature[i];
	for (i = 0; i < TEXT_MAX && pcs < room; i++)
		if (seen->pc[i])
			area->pc[pcs++] = i;
	area->edges = edges;
	area->pcs = pcs;
}
