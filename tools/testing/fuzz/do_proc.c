// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations: /proc, and the credentials of the task.
 */

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"

static bool changed;

static bool value_of(const char *text, const char *key, unsigned long *value)
{
	const char *line = strstr(text, key);

	if (!line)
		return false;
	*value = strtoul(line + strlen(key), NULL, 10);
	return true;
}

/**
 * region_fdinfo - what a descriptor says of its region
 * @pid: whose
 * @fd: the descriptor
 * @region: set to what it says
 *
 * Return: false if it is none of a region that has been mapped.
 */
bool region_fdinfo(pid_t pid, int fd, struct fdinfo *region)
{
	char path[48], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, fd);
	return get_file(path, text, sizeof(text)) > 0 &&
	       value_of(text, "\ninode:\t", &region->inode) &&
	       value_of(text, "\nsize:\t", &region->size) &&
	       value_of(text, "\nunpinned_pages:\t", &region->unpinned) &&
	       value_of(text, "\npurgeable_pages:\t", &region->purgeable);
}

void do_fdinfo(struct worker *w, const uint64_t *a)
{
	char path[48], text[1024];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd_of(w, a[0]));
	fail_begin();
	get_file(path, text, sizeof(text));
	fail_end();
}

void do_proc(struct worker *w, const uint64_t *a)
{
	static const char *const files[] = {
		"/proc/self/maps", "/proc/self/smaps_rollup", "/proc/self/numa_maps",
		"/proc/self/smaps", "/proc/self/mem", "/proc/self/pagemap",
		"/sys/class/misc/ashmem/purgeable_pages", "/proc/self/statm",
	};
	char text[4096];

	get_file(files[a[0] % 8], text, sizeof(text));
}

/* Opening a mapping by this path must not give a descriptor of its pages. */
void do_map_files(struct worker *w, const uint64_t *a)
{
	struct maps_line m;
	char path[64];
	int fd;

	if (!maps_find(0, window_of(a[0]), &m))
		return;
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", m.start, m.end);
	fd = (int)CALL(open(path, (a[1] & 1 ? O_RDWR : O_RDONLY) | O_CLOEXEC));
	if (fd < 0)
		return;
	if (!w->racing)
		finding("opened %s", path);
	close(fd);
}

void do_mem(struct worker *w, const uint64_t *a)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	off_t at = (off_t)(window_of(a[0]) + a[1] % 1024 * PAGE_BYTES);
	size_t count = a[2] % (15 * PAGE_BYTES);

	if (a[3] & 1)
		CALL(pwrite(fd, buffer(GOOD, 0), count, at));
	else
		CALL(pread(fd, buffer(GOOD, 0), count, at));
	close(fd);
}

/* The output of the driver's tracepoints; the supervisor turns them on and off. */
void do_trace(struct worker *w, const uint64_t *a)
{
	char text[4096];

	get_file("/sys/kernel/tracing/trace", text, sizeof(text));
}

static void set_effective(bool all)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return;
	data[0].effective = all ? data[0].permitted : 0;
	data[1].effective = all ? data[1].permitted : 0;
	syscall(SYS_capset, &header, data);
}

/* Without capabilities until told otherwise, or the program ends. */
void do_caps(struct worker *w, const uint64_t *a)
{
	set_effective(a[0] & 1);
	changed = true;
}

void do_personality(struct worker *w, const uint64_t *a)
{
	personality(a[0] & 1 ? READ_IMPLIES_EXEC : 0);
	changed = true;
}

/* As every program begins. */
void process_restore(void)
{
	if (!changed)
		return;
	set_effective(true);
	personality(0);
	changed = false;
}
