// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem bench: the cost of regions on this machine, compared with memfd.
 *
 * A measure runs batches of operations on both alternately, so that other load on the
 * machine affects both. The figures are medians; the ratio is the median of the turns'
 * ratios, with their quartiles.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/ashmem.h>

#include "cmd.h"
#include "json.h"

#define TURNS		21
#define MEASURES	4

/**
 * struct bench - one of the two, with what its measures need
 * @memfd: rather than ashmem
 * @fd: a region
 * @map: the same, mapped
 * @buffer: as large as it is
 */
struct bench {
	bool memfd;
	int fd;
	char *map;
	char *buffer;
};

#define PAGES	256UL
static size_t page_size;

static noreturn void failed(const char *what)
{
	die("%s: %s", what, strerror(errno));
}

static int make(const struct bench *bench)
{
	size_t size = PAGES * page_size;
	int fd;

	if (bench->memfd) {
		fd = memfd_create("bench", MFD_CLOEXEC);
		if (fd < 0 || ftruncate(fd, (off_t)size))
			failed("memfd");
		return fd;
	}
	fd = open("/dev/ashmem", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		failed("/dev/ashmem");
	if (ioctl(fd, ASHMEM_SET_NAME, "bench") || ioctl(fd, ASHMEM_SET_SIZE, size))
		failed("making a region");
	return fd;
}

static char *map_whole(int fd)
{
	char *map = mmap(NULL, PAGES * page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		failed("mmap");
	return map;
}

static void measure_life(struct bench *bench, unsigned int count)
{
	while (count--) {
		int fd = make(bench);

		munmap(map_whole(fd), PAGES * page_size);
		close(fd);
	}
}

/* On new regions. Their creation isn't counted, and is the same for both. */
static void measure_touch(struct bench *bench, unsigned int count)
{
	size_t i;

	(void)count;
	for (i = 0; i < PAGES; i++)
		bench->map[i * page_size] = 1;
}

static void measure_read(struct bench *bench, unsigned int count)
{
	size_t size = PAGES * page_size;

	while (count--)
		if (pread(bench->fd, bench->buffer, size, 0) != (ssize_t)size)
			failed("pread");
}

/* memfd has no such operation. */
static void measure_pin(struct bench *bench, unsigned int count)
{
	struct ashmem_pin pin = { .offset = 0, .len = (uint32_t)page_size };

	while (count--)
		if (ioctl(bench->fd, ASHMEM_UNPIN, &pin) ||
		    ioctl(bench->fd, ASHMEM_PIN, &pin) < 0)
			failed("unpin and pin");
}

/**
 * struct measure - what is measured
 * @key: its name in JSON
 * @text: what one operation is
 * @run: does @count operations
 * @count: how many in a turn, before it is known how long they take
 * @each: parts of an operation that the figure is for
 * @fresh: takes a new region each turn
 * @memfd: memfd can do it, too
 */
static const struct measure {
	const char *key;
	const char *text;
	void (*run)(struct bench *bench, unsigned int count);
	unsigned int count;
	unsigned int each;
	bool fresh;
	bool memfd;
} measures[MEASURES] = {
	{ "create_map_close", "create, map, unmap, close", measure_life, 100, 1, false, true },
	{ "first_touch", "first touch of a page", measure_touch, 1, PAGES, true, true },
	{ "read_page", "read a page by pread", measure_read, 20, PAGES, false, true },
	{ "unpin_pin", "unpin and pin a page", measure_pin, 1000, 1, false, false },
};

/**
 * struct result - what came of a measure
 * @ns: medians, of ashmem and of memfd
 * @ratio: median of the turns' ratios
 * @low: lower quartile of the same
 * @high: upper one
 */
struct result {
	double ns[2];
	double ratio, low, high;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void prepare(struct bench *bench, bool memfd)
{
	bench->memfd = memfd;
	bench->fd = make(bench);
	bench->map = map_whole(bench->fd);
}

static void put_away(struct bench *bench)
{
	munmap(bench->map, PAGES * page_size);
	close(bench->fd);
}

static double turn(const struct measure *measure, struct bench *bench, unsigned int count)
{
	double start;

	if (measure->fresh) {
		put_away(bench);
		prepare(bench, bench->memfd);
	}
	start = now();
	measure->run(bench, count);
	return (now() - start) / count / measure->each;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts them; @part of 4 of the values are below the result. */
static double quartile(double *values, unsigned int part)
{
	qsort(values, TURNS, sizeof(*values), compare);
	return values[(TURNS - 1) * part / 4];
}

static struct result take(const struct measure *measure, struct bench benches[2],
			  double seconds)
{
	double ns[2][TURNS] = { { 0 } }, ratios[TURNS], once;
	unsigned int count = measure->count, i, j;
	unsigned int kinds = measure->memfd ? 2 : 1;
	struct result result = { .ratio = 0 };

	/* A first run warms up and tells how long it takes. */
	once = turn(measure, &benches[0], count) * measure->each;
	if (measure->memfd)
		turn(measure, &benches[1], count);
	if (!measure->fresh && once > 0) {
		double fits = seconds * 1e9 / MEASURES / TURNS / kinds / once;

		count = fits < 1 ? 1 : fits > 1e6 ? 1000000 : (unsigned int)fits;
	}
	for (i = 0; i < TURNS; i++) {
		for (j = 0; j < kinds; j++)
			ns[j][i] = turn(measure, &benches[j], count);
		ratios[i] = ns[0][i] / ns[1][i];
	}
	for (j = 0; j < kinds; j++)
		result.ns[j] = quartile(ns[j], 2);
	if (measure->memfd) {
		result.low = quartile(ratios, 1);
		result.ratio = quartile(ratios, 2);
		result.high = quartile(ratios, 3);
	}
	return result;
}

static void print_result(const struct measure *measure, const struct result *result)
{
	printf("%-28s %10.0f", measure->text, result->ns[0]);
	if (measure->memfd)
		printf(" %10.0f  %6.2f  %.2f-%.2f", result->ns[1], result->ratio, result->low,
		       result->high);
	else
		printf(" %10s", "-");
	putchar('\n');
	fflush(stdout);
}

static void print_result_json(const struct measure *measure, const struct result *result)
{
	json_open(measure->key, '{');
	json_real("ashmem_ns", result->ns[0]);
	if (measure->memfd) {
		json_real("memfd_ns", result->ns[1]);
		json_real("ratio", result->ratio);
		json_real("ratio_lower_quartile", result->low);
		json_real("ratio_upper_quartile", result->high);
	}
	json_close('}');
}

static int bench(double seconds, bool json)
{
	struct bench benches[2] = { { .fd = -1 }, { .fd = -1 } };
	struct result result;
	size_t i;

	if (access("/dev/ashmem", F_OK))
		return fail("there is no /dev/ashmem to measure; 'ashmem doctor' tells why");
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	for (i = 0; i < 2; i++) {
		prepare(&benches[i], i);
		benches[i].buffer = xrealloc(NULL, PAGES, page_size);
		measure_touch(&benches[i], 1);
	}
	if (json)
		json_open(NULL, '{');
	else
		printf("%-28s %10s %10s  %6s  %s\n", "nanoseconds", "ashmem", "memfd",
		       "ratio", "middle half");
	for (i = 0; i < MEASURES; i++) {
		result = take(&measures[i], benches, seconds);
		if (json)
			print_result_json(&measures[i], &result);
		else
			print_result(&measures[i], &result);
	}
	if (json) {
		json_close('}');
		json_end();
	}
	for (i = 0; i < 2; i++) {
		put_away(&benches[i]);
		free(benches[i].buffer);
	}
	return EXIT_OK;
}

static int run(const struct command *self, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "time", required_argument, NULL, 't' },
		HELP_OPTION,
		{ NULL, 0, NULL, 0 },
	};
	double seconds = 2;
	bool json = false;
	int opt, code;

	while ((opt = command_getopt(self, argc, argv, "jt:h", longs)) != -1) {
		switch (opt) {
		case 'j':
			json = true;
			break;
		case 't':
			if (parse_seconds(optarg, &seconds))
				return command_usage(self, "'%s' is no time in seconds", optarg);
			break;
		}
	}
	code = command_no_operands(self, argc, argv);
	return code ? code : bench(seconds, json);
}

const struct command bench_command = {
	.name = "bench",
	.summary = "the cost of regions, compared with memfd",
	.usage = "[OPTION]...\n"
		 "Measure the cost of regions on this machine, compared with memfd: medians of 21\n"
		 "alternating turns, and the ratio with its middle half.\n\n"
		 "  -j, --json          as JSON\n"
		 "  -t, --time=SECONDS  approximate run time (2)\n"
		 "  -h, --help          this text\n",
	.run = run,
};
