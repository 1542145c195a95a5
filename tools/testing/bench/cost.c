// SPDX-License-Identifier: GPL-2.0-only
/*
 * What single calls cost.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define READ_BYTES	(64UL << 10)
#define TOUCH_PAGES	4096UL
#define LIFECYCLE_PAGES	16
#define LIFECYCLES	2000

/* A command that no driver has. */
#define NO_COMMAND	_IO(__ASHMEMIOC, 0xff)

static const unsigned long standing_ranges[] = { 1, 100, 1000, 10000, 100000, 0 };

static void no_command(void *arg)
{
	if (ioctl(*(int *)arg, NO_COMMAND) != -1 || errno != ENOTTY)
		die("an unknown command was not refused");
}

static void run_ioctl(void)
{
	int fd = region_open(page_size);

	report("ioctl", cost_of(no_command, &fd), "instructions");
	close(fd);
}

/* A pinned page with half of the standing ranges on either side. */
struct middle {
	int fd;
	unsigned long page;
};

static void pin_unpin(void *arg)
{
	const struct middle *m = arg;

	pin(m->fd, m->page, 1);
	unpin(m->fd, m->page, 1);
}

static void pin_status(void *arg)
{
	const struct middle *m = arg;

	if (pin_ioctl(m->fd, ASHMEM_GET_PIN_STATUS, m->page, 1) != ASHMEM_IS_PINNED)
		die("ASHMEM_GET_PIN_STATUS");
}

static void at_standing_ranges(const char *name, void (*op)(void *), bool resident)
{
	const unsigned long *count;

	for (count = standing_ranges; *count; count++) {
		size_t size = (2 * *count + 2) * page_size;
		struct middle m = {
			.fd = region_open(size),
			.page = *count / 2 * 2 + 1,
		};
		char *map = region_map(m.fd, size);

		if (resident)
			map[m.page * page_size] = 1;
		region_unmap(map, size);
		unpin_every_other(m.fd, *count);
		report_at(name, *count, cost_of(op, &m), "instructions");
		close(m.fd);
	}
}

static void run_pin_unpin(void)
{
	at_standing_ranges("pin_unpin", pin_unpin, false);
	at_standing_ranges("pin_unpin_resident", pin_unpin, true);
}

static void run_pin_status(void)
{
	at_standing_ranges("pin_status", pin_status, false);
}

static void run_close(void)
{
	const unsigned long count = 100000;
	size_t size = 2 * count * page_size;
	double costs[3];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		int fd = region_open(size);
		uint64_t start;

		region_unmap(region_map(fd, size), size);
		unpin_every_other(fd, count);
		start = ticks();
		close(fd);
		costs[i] = ticks() - start;
	}
	report_at("close", count, median(costs, 3), "instructions");
}

static void lifecycle(void *arg)
{
	size_t size = LIFECYCLE_PAGES * page_size;
	int fd = region_open(size);

	(void)arg;
	region_unmap(region_map(fd, size), size);
	close(fd);
}

/*
 * The minimum for any driver: the kernel opens a device, handles two ioctls, makes an
 * unlinked file, maps it, and undoes all.
 */
static void lifecycle_floor(void *arg)
{
	size_t size = LIFECYCLE_PAGES * page_size;
	int device = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fd;

	(void)arg;
	if (device < 0)
		die("/dev/null");
	if (ioctl(device, NO_COMMAND) != -1 || ioctl(device, NO_COMMAND) != -1)
		die("/dev/null accepts an unknown command");
	fd = memfd_create("bench", MFD_CLOEXEC);
	if (fd < 0)
		die("memfd_create");
	region_unmap(region_map(fd, size), size);
	close(fd);
	close(device);
}

static void run_lifecycle(void)
{
	report("lifecycle", mean_cost_of(lifecycle, NULL, LIFECYCLES), "instructions");
	if (subject_is_memfd)
		report("lifecycle_floor", mean_cost_of(lifecycle_floor, NULL, LIFECYCLES),
		       "instructions");
}

static void keep_least(double *least, double value)
{
	if (!*least || value < *least)
		*least = value;
}

static void run_touch(void)
{
	size_t size = TOUCH_PAGES * page_size;
	double first = 0, again = 0;
	unsigned int i;

	for (i = 0; i < 7; i++) {
		int fd = region_open(size);
		char *map = region_map(fd, size);
		uint64_t start = ticks();
		unsigned long page;

		for (page = 0; page < TOUCH_PAGES; page++)
			__atomic_store_n(&map[page * page_size], 1, __ATOMIC_RELAXED);
		keep_least(&first, ticks() - start);

		start = ticks();
		memset(map, 2, size);
		keep_least(&again, ticks() - start);

		region_unmap(map, size);
		close(fd);
	}
	report("touch", first / TOUCH_PAGES, "instructions");
	report("write", again / TOUCH_PAGES, "instructions");
}

struct reading {
	int fd;
	size_t bytes;
	char *buffer;
};

static void read_back(void *arg)
{
	struct reading *r = arg;

	if (pread(r->fd, r->buffer, r->bytes, 0) != (ssize_t)r->bytes)
		die("pread");
}

static void run_read(void)
{
	struct reading r = { .bytes = READ_BYTES };
	void *map;

	r.fd = region_open(READ_BYTES);
	map = region_map(r.fd, READ_BYTES);
	memset(map, 1, READ_BYTES);
	r.buffer = malloc(READ_BYTES);
	if (!r.buffer)
		die("malloc");
	memset(r.buffer, 0, READ_BYTES);

	report_at("read", READ_BYTES, cost_of(read_back, &r), "instructions");
	r.bytes = page_size;
	report_at("read", page_size, cost_of(read_back, &r), "instructions");

	free(r.buffer);
	region_unmap(map, READ_BYTES);
	close(r.fd);
}

const struct measure cost_measures[] = {
	{ "ioctl", run_ioctl, false, COST },
	{ "pin_unpin", run_pin_unpin, false, COST },
	{ "pin_status", run_pin_status, false, COST },
	{ "close", run_close, false, COST },
	{ "lifecycle", run_lifecycle, true, COST },
	{ "touch", run_touch, true, COST },
	{ "read", run_read, true, COST },
	{ NULL, NULL, false, COST },
};
