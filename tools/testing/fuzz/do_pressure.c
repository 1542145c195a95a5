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

#define CGROUP_LIMIT	(48UL << 20)

static char shrinker[PATH_MAX];

static unsigned int group_of(const uint64_t *a)
{
	return a[0] % (GROUPS_FIXED / 2);
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
	char text[24];

	snprintf(text, sizeof(text), "%lu", (a[1] % 1025) * PAGE_BYTES);
	put_file(group_path(group_of(a), "memory.reclaim"), text);
}

/* The shrinker itself, as if by reclaim of one cgroup. */
void do_shrink(struct worker *w, const uint64_t *a)
{
	char text[64];
	struct stat st;

	if (!shrinker[0] ||
	    stat(a[0] & 4 ? "/sys/fs/cgroup" : group_path(group_of(a), ""), &st))
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
	if (a[0] == 7)
		group_root();
	else
		group_make(group_of(a), "memory.max", CGROUP_LIMIT);
}

/* Works only on an empty group. What it holds goes to its parent. */
void do_cgroup_remove(struct worker *w, const uint64_t *a)
{
	group_root();
	rmdir(group_path(group_of(a), ""));
}

void do_nap(struct worker *w, const uint64_t *a)
{
	struct timespec ts = { .tv_nsec = (long)(a[0] % 8) * 200000 };

	nanosleep(&ts, NULL);
}
