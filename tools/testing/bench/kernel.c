// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of the kernel, and memory cgroups. The guest has tracefs, sysfs, cgroup2 and /proc
 * mounted, and is used for nothing else: a measure may change it.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"

#define CGROUPS	"/sys/fs/cgroup"

bool try_put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	ssize_t len = strlen(text);
	bool done;

	if (fd < 0)
		die(path);
	done = write(fd, text, len) == len;
	close(fd);
	return done;
}

void put_file(const char *path, const char *text)
{
	if (!try_put_file(path, text))
		die(path);
}

/* The sum of the numbers behind @key at the begin of a line of a file. */
unsigned long count_in_file(const char *path, const char *key)
{
	FILE *f = fopen(path, "re");
	unsigned long sum = 0, value;
	char line[8192], *at;
	int len;

	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f)) {
		at = line + strspn(line, " ");
		if (strncmp(at, key, strlen(key)))
			continue;
		for (at += strlen(key); sscanf(at, "%lu%n", &value, &len) == 1; at += len)
			sum += value;
	}
	fclose(f);
	return sum;
}

void allow_files(unsigned long count)
{
	struct rlimit files = { .rlim_cur = count + 64, .rlim_max = count + 64 };

	if (setrlimit(RLIMIT_NOFILE, &files))
		die("setrlimit");
}

/* Calls every shrinker for every node and cgroup until little more comes. */
void shrink_everything(void)
{
	put_file("/proc/sys/vm/drop_caches", "2");
}

static const char *in_cgroup(const char *name, const char *file)
{
	static char path[256];

	snprintf(path, sizeof(path), CGROUPS "/%s%s%s", name, *file ? "/" : "", file);
	return path;
}

void cgroup_make(const char *name)
{
	put_file(in_cgroup("", "cgroup.subtree_control"), "+memory");
	if (mkdir(in_cgroup(name, ""), 0755))
		die("mkdir of a cgroup");
}

/* A task that has exited may be in its cgroup for a moment yet. */
void cgroup_remove(const char *name)
{
	unsigned int tries;

	for (tries = 0; rmdir(in_cgroup(name, "")); tries++) {
		if (errno != EBUSY || tries == 500)
			die("rmdir of a cgroup");
		usleep(10000);
	}
}

void cgroup_put(const char *name, const char *file, unsigned long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", value);
	put_file(in_cgroup(name, file), text);
}

unsigned long cgroup_event(const char *name, const char *event)
{
	return count_in_file(in_cgroup(name, "memory.events"), event);
}

/* The calling process; "" is the root. */
void cgroup_join(const char *name)
{
	put_file(in_cgroup(name, "cgroup.procs"), "0");
}

/* memcg_aware is 0 until the first memory cgroup is made, so it does not answer this. */
bool purges_by_cgroup(void)
{
	unsigned int major, minor;
	struct utsname os;

	if (uname(&os) || sscanf(os.release, "%u.%u", &major, &minor) != 2)
		die("uname");
	return major > 6 || (major == 6 && minor >= 7);
}
