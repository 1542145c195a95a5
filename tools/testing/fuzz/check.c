// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must be true of the driver while no process uses it.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/ashmem.h>

#include "fuzz.h"

#define REGIONS_MAX	512
#define PIN_BYTES_MAX	(16u << 20)
#define TOTALS		"/sys/class/misc/ashmem/"
#define PURGEABLE	TOTALS "purgeable_pages"
#define REFERENCES	"/sys/module/ashmem_linux/refcnt"

/* The last put of a file may still be pending. */
#define TRIES		40
static const struct timespec pause_time = { .tv_nsec = 50000000 };

struct regions {
	unsigned int count;
	unsigned long inode[REGIONS_MAX];
	unsigned long purgeable;
	unsigned long unsure;	/* how many more there may be in the total */
};

static bool known(const struct regions *r, unsigned long inode)
{
	unsigned int i;

	for (i = 0; i < r->count; i++)
		if (r->inode[i] == inode)
			return true;
	return false;
}

/*
 * The total has a region as it was at its last PIN, UNPIN or purge; pages may have come and
 * gone since. PIN of a page that is pinned changes nothing else. False if there is none.
 */
static bool recount(pid_t pid, int fd, const struct fdinfo *region)
{
	int pidfd, copy;
	uint32_t at;
	long ret = -1;

	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return false;
	copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	close(pidfd);
	if (copy < 0)
		return false;
	for (at = 0; ret < 0 && at < region->size && at < PIN_BYTES_MAX; at += PAGE_BYTES)
		if (ash_pin_status(copy, at, PAGE_BYTES) == ASHMEM_IS_PINNED)
			ret = ash_pin(copy, at, PAGE_BYTES);
	close(copy);
	return ret >= 0;
}

static void add_process(struct regions *r, pid_t pid)
{
	struct fdinfo region;
	struct dirent *entry;
	char path[32];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		char *end;
		long fd = strtol(entry->d_name, &end, 10);

		if (*end || end == entry->d_name ||
		    !region_fdinfo(pid, (int)fd, &region) || known(r, region.inode))
			continue;
		if (r->count < REGIONS_MAX)
			r->inode[r->count++] = region.inode;
		if (recount(pid, (int)fd, &region) &&
		    region_fdinfo(pid, (int)fd, &region))
			r->purgeable += region.purgeable;
		else
			r->unsure += region.unpinned;
		if (region.purgeable > region.unpinned ||
		    region.unpinned > (region.size - 1) / PAGE_BYTES + 1)
			finding("a region of %lu bytes has %lu pages unpinned, %lu purgeable",
				region.size, region.unpinned, region.purgeable);
	}
	if (dir)
		closedir(dir);
}

/**
 * check_sum - does the total agree with what the regions say?
 * @pids: the workers, which stand still
 * @workers: how many
 *
 * Memory may be short, and the kernel may purge: read until two
 * readings of the total, before and after, are the same.
 */
void check_sum(const pid_t *pids, unsigned int workers)
{
	long before = 0, after = 0;
	struct regions regions;
	unsigned int i, tries;

	for (tries = 0; tries < TRIES; tries++) {
		regions.count = 0;
		regions.purgeable = 0;
		regions.unsure = 0;
		before = get_number(PURGEABLE);
		add_process(&regions, getpid());
		for (i = 0; i < workers; i++)
			if (pids[i] > 0)
				add_process(&regions, pids[i]);
		after = get_number(PURGEABLE);
		if (before == after && after >= (long)regions.purgeable &&
		    after <= (long)(regions.purgeable + regions.unsure))
			return;
		nanosleep(&pause_time, NULL);
	}
	finding("purgeable_pages is %ld, %ld, but the %u regions have %lu to %lu", before,
		after, regions.count, regions.purgeable, regions.purgeable + regions.unsure);
}

/* What was purged can't have been more than the machine could fill. */
static void check_totals(void)
{
	static const char *const names[] = {
		TOTALS "pressure_purged_pages", TOTALS "command_purged_pages",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (get_number(names[i]) > 1L << 36)
			finding("%s is %ld", names[i], get_number(names[i]));
}

/**
 * check_empty - has all been let go that was in use?
 */
void check_empty(void)
{
	long purgeable = 0, references = 0;
	unsigned int tries;

	check_totals();
	for (tries = 0; tries < TRIES; tries++) {
		purgeable = get_number(PURGEABLE);
		references = get_number(REFERENCES);
		if (!purgeable && !references)
			return;
		nanosleep(&pause_time, NULL);
	}
	finding("all is closed: purgeable_pages is %ld, the module has %ld references",
		purgeable, references);
}
