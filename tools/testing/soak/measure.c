// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory in use, of the machine and of the driver.
 */

#include "soak.h"

#include <dirent.h>
#include <limits.h>
#include <sys/swap.h>

#define ZRAM		"/dev/zram0"
#define ZRAM_BYTES	"134217728"

static bool swapping;

const char *const caches[3] = { "ashmem_region", "ashmem_range", "ashmem_lru_group" };

static long number(const char *path)
{
	char text[64];

	return get_file(path, text, sizeof(text)) > 0 ? strtol(text, NULL, 10) : -1;
}

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
		if (number(path) != 0)
			return -1;
	}
	/* Per-CPU slabs count in full until they are shrunk. */
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	put_file(path, "1");
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/objects", cache);
	return number(path);
}

/*
 * Make all slab caches release unused memory. KASAN quarantines freed objects, up to a
 * 32nd of memory, and flushes them at this.
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
 * Free pages that each CPU caches, 20 MiB and more where the kernel lets
 * these lists grow (since 6.7): it's neither in MemFree nor in any kind of use.
 */
static long percpu_free_kb(void)
{
	FILE *f = fopen("/proc/zoneinfo", "re");
	char line[256];
	long pages = 0, count;

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " count: %ld", &count) == 1)
			pages += count;
	}
	fclose(f);
	return pages * (long)(page_size() / 1024);
}

/**
 * measure - what is in use while no process works
 * @m: gets it
 *
 * The kernel frees some things behind one's back: waits until two readings a
 * second apart are the same, 20 seconds at most.
 */
void measure(struct measure *m)
{
	long before = -1;
	unsigned int i, tries;

	for (tries = 0; tries < 20; tries++) {
		put_file("/proc/sys/vm/drop_caches", "3");
		shrink_slabs();
		m->available_kb = proc_kb("/proc/meminfo", "MemAvailable") + percpu_free_kb();
		if (before >= 0 && labs(m->available_kb - before) < 256)
			break;
		before = m->available_kb;
		nap_ms(1000);
	}
	m->shmem_kb = proc_kb("/proc/meminfo", "Shmem");
	m->purgeable = number("/sys/class/misc/ashmem/purgeable_pages");
	m->references = number("/sys/module/ashmem_linux/refcnt");
	for (i = 0; i < ARRAY_SIZE(caches); i++)
		m->objects[i] = objects_of(caches[i]);
	get_file("/proc/meminfo", m->meminfo, sizeof(m->meminfo));
}

/* The kinds of memory that changed by half a MiB or more. */
void tell_difference(const struct measure *before, const struct measure *after)
{
	const char *line, *other;
	char name[64];
	long is, was;

	for (line = after->meminfo; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "%62[^:]: %ld", name, &is) != 2)
			continue;
		strcat(name, ":");
		other = strstr(before->meminfo, name);
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
bool swap_begin(void)
{
	if (access(ZRAM, W_OK) || put_file("/sys/block/zram0/disksize", ZRAM_BYTES))
		return false;
	swapping = !make_swap(ZRAM) && !swapon(ZRAM, 0);
	return swapping;
}

void swap_end(void)
{
	if (!swapping)
		return;
	swapping = false;
	swapoff(ZRAM);
	put_file("/sys/block/zram0/reset", "1");
}
