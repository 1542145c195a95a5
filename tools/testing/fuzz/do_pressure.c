// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations: memory pressure on the machine and in cgroups.
 */

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define CGROUPS		4
#define CGROUP_LIMIT	"50331648"

static const char base[] = "/sys/fs/cgroup/fuzz";
static char shrinker[PATH_MAX];

static void cgroup_path(char *path, size_t room, uint64_t number, const char *file)
{
	snprintf(path, room, "%s/%u/%s", base, (unsigned int)(number % CGROUPS), file);
}

void pressure_init(void)
{
	static const char debug[] = "/sys/kernel/debug/shrinker";
	struct dirent *entry;
	DIR *dir = opendir(debug);

	while (dir && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "ashmem-", 7))
			snprintf(shrinker, sizeof(shrinker), "%s/%s/scan", debug, entry->d_name);
	if (dir)
		closedir(dir);

	put_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	mkdir(base, 0755);
	put_file("/sys/fs/cgroup/fuzz/cgroup.subtree_control", "+memory");
}

void pressure_exit(void)
{
	unsigned int i;
	char path[64];

	put_file("/sys/fs/cgroup/cgroup.procs", "0");
	for (i = 0; i < CGROUPS; i++) {
		cgroup_path(path, sizeof(path), i, "");
		rmdir(path);
	}
	rmdir(base);
}

void do_drop_caches(struct worker *w, const uint64_t *a)
{
	unsigned long mark = cover_mark();

	if (a[0] == 7)
		put_file("/proc/sys/vm/compact_memory", "1");
	else
		put_file("/proc/sys/vm/drop_caches", a[0] & 1 ? "3" : "2");
	if (op_alone)
		cover_forget(mark);
}

void do_reclaim(struct worker *w, const uint64_t *a)
{
	char path[64], text[24];

	cgroup_path(path, sizeof(path), a[0], "memory.reclaim");
	snprintf(text, sizeof(text), "%lu", (a[1] % 1025) * PAGE_BYTES);
	put_file(path, text);
}

/* The shrinker itself, as if by reclaim of one cgroup. */
void do_shrink(struct worker *w, const uint64_t *a)
{
	char path[64], text[64];
	struct stat st;

	cgroup_path(path, sizeof(path), a[0], "");
	if (!shrinker[0] || stat(a[0] & 4 ? "/sys/fs/cgroup" : path, &st))
		return;
	snprintf(text, sizeof(text), "%lu 0 %u", (unsigned long)st.st_ino,
		 (unsigned int)(a[1] % 4096));
	put_file(shrinker, text);
}

static void fill_pages(char *at, size_t length, void *data)
{
	size_t i;

	for (i = 0; i < length; i += PAGE_BYTES)
		at[i] = 1;
}

/* Its own memory, 8 times as much as said: up to 32 MiB. */
void do_press(struct worker *w, const uint64_t *a)
{
	size_t length = (a[0] % 1025) * 8 * PAGE_BYTES;
	char *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long mark = cover_mark();

	if (at == MAP_FAILED)
		return;
	try_access(fill_pages, at, length, NULL);
	munmap(at, length);
	if (op_alone)
		cover_forget(mark);
}

void do_cgroup_enter(struct worker *w, const uint64_t *a)
{
	char path[64];

	if (a[0] == 7) {
		put_file("/sys/fs/cgroup/cgroup.procs", "0");
		return;
	}
	cgroup_path(path, sizeof(path), a[0], "");
	if (!mkdir(path, 0755)) {
		cgroup_path(path, sizeof(path), a[0], "memory.max");
		put_file(path, CGROUP_LIMIT);
	}
	cgroup_path(path, sizeof(path), a[0], "cgroup.procs");
	put_file(path, "0");
}

/* Works only on an empty group. What it holds goes to its parent. */
void do_cgroup_remove(struct worker *w, const uint64_t *a)
{
	char path[64];

	put_file("/sys/fs/cgroup/cgroup.procs", "0");
	cgroup_path(path, sizeof(path), a[0], "");
	rmdir(path);
}

void do_nap(struct worker *w, const uint64_t *a)
{
	struct timespec ts = { .tv_nsec = (long)(a[0] % 8) * 200000 };

	nanosleep(&ts, NULL);
}
