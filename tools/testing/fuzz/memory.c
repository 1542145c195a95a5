// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory in use, of the machine and of the driver: as much at the end as at the start.
 */

#include <limits.h>
#include <sys/swap.h>

#include "crowd.h"

#define ZRAM		"/dev/zram0"
#define ZRAM_BYTES	"134217728"
#define LOST_KB_MAX	(4L * 1024)	/* noise of the machine's own: 0.5 MiB measured */

static const char *const caches[] = { "ashmem_region", "ashmem_range", "ashmem_lru_group",
				      "ashmem_payer" };

struct measure {
	long available_kb, shmem_kb;
	char meminfo[4096];	/* where the rest is, for people */
};

static struct measure before, after;
static bool swapping;

/*
 * Objects in use. If the kernel has merged several caches, it is the sum of all, and
 * says nothing about ours.
 */
static long objects_of(const char *cache)
{
	char path[96], link[128];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s", cache);
	n = readlink(path, link, sizeof(link) - 1);
	if (n > 0) {
		link[n] = '\0';
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/aliases", cache);
		if (get_number(path) != 0)
			return -1;
	}
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/objects", cache);
	return get_number(path);
}

/*
 * Make all slab caches release unused memory: slabs of a CPU count in full. KASAN
 * quarantines freed objects, up to a 32nd of memory, and flushes them at this.
 */
static void shrink_slabs(void)
{
	DIR *slabs = opendir("/sys/kernel/slab");
	struct dirent *cache;
	char path[PATH_MAX];

	if (!slabs)
		return;
	while ((cache = readdir(slabs))) {
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache->d_name);
		put_file(path, "1");
	}
	closedir(slabs);
}

/*
 * While no process works. The kernel frees some things late: wait until two readings a
 * second apart are the same, 20 seconds at most.
 */
static void measure(struct measure *m)
{
	long last = -1;
	unsigned int tries;

	/* The kernel frees groups from a work queue, after grace periods. */
	for (tries = 0; tries < 200 && groups_dying() > 0; tries++)
		nap_ms(100);
	for (tries = 0; tries < 20; tries++) {
		put_file("/proc/sys/vm/drop_caches", "3");
		shrink_slabs();
		m->available_kb = proc_kb("/proc/meminfo", "MemAvailable") + percpu_free_kb(-1);
		if (last >= 0 && labs(m->available_kb - last) < 256)
			break;
		last = m->available_kb;
		nap_ms(1000);
	}
	m->shmem_kb = proc_kb("/proc/meminfo", "Shmem");
	get_file("/proc/meminfo", m->meminfo, sizeof(m->meminfo));
}

/* The kinds of memory that changed by half a MiB or more. */
static void tell_difference(void)
{
	const char *line, *other;
	char name[64];
	long is, was;

	for (line = after.meminfo; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "%62[^:]: %ld", name, &is) != 2)
			continue;
		strcat(name, ":");
		other = strstr(before.meminfo, name);
		if (other && sscanf(other + strlen(name), "%ld", &was) == 1 &&
		    labs(is - was) >= 512)
			fprintf(stderr, "# %s %ld kB before, %ld kB after\n", name, was, is);
	}
}

static int make_swap(const char *path)
{
	union {
		char page[65536];
		struct {
			char boot[1024];
			uint32_t version, last_page, bad_pages;
		} info;
	} header;
	size_t p = page_size();
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool written;

	if (fd < 0)
		return -errno;
	memset(&header, 0, sizeof(header));
	header.info.version = 1;
	header.info.last_page = (uint32_t)(strtoul(ZRAM_BYTES, NULL, 10) / p) - 1;
	memcpy(header.page + p - 10, "SWAPSPACE2", 10);
	written = pwrite(fd, header.page, p, 0) == (ssize_t)p;
	close(fd);
	return written ? 0 : -EIO;
}

/* Swap in compressed memory, if the machine has a zram device to spare. */
static void swap_begin(void)
{
	swapping = !access(ZRAM, W_OK) && !put_file("/sys/block/zram0/disksize", ZRAM_BYTES) &&
		   !make_swap(ZRAM) && !swapon(ZRAM, 0);
}

/*
 * Nothing may be in swap when memory is measured: pages of the root file system that went
 * there are memory before and none behind, and a store of compressed pages has gaps.
 */
static void swap_end(void)
{
	if (!swapping)
		return;
	swapping = false;
	swapoff(ZRAM);
	put_file("/sys/block/zram0/reset", "1");
}

/**
 * memory_begin - note what is in use; from here on there is swap
 */
void memory_begin(void)
{
	measure(&before);
	swap_begin();
}

/**
 * memory_check - is as much in use as when it began?
 *
 * Less is fine: other processes may have ended.
 */
void memory_check(void)
{
	unsigned int i;
	long objects;

	swap_end();
	measure(&after);
	fprintf(stderr, "# available %ld kB before, %ld kB after; shmem %ld, %ld\n",
		before.available_kb, after.available_kb, before.shmem_kb, after.shmem_kb);
	if (after.available_kb + LOST_KB_MAX < before.available_kb ||
	    after.shmem_kb > before.shmem_kb) {
		finding("memory is left behind: %ld kB, %ld kB of it in shmem",
			before.available_kb - after.available_kb,
			after.shmem_kb - before.shmem_kb);
		tell_difference();
	}
	for (i = 0; i < ARRAY_SIZE(caches); i++) {
		objects = objects_of(caches[i]);
		if (objects > 0)
			finding("%ld objects of %s are left", objects, caches[i]);
	}
	if (groups_dying())
		finding("%ld cgroups are dying", groups_dying());
}
