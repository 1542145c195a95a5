/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of the tests that press on memory: files of the kernel, memory
 * cgroups, and processes that take memory away.
 */
#ifndef RECLAIM_UTIL_H
#define RECLAIM_UTIL_H

#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

#include "ashmem_util.h"

/* ---- files of the kernel ---- */

/* 0, or -errno of open() or write(). */
static UNUSED int put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;
	ssize_t len = (ssize_t)strlen(text);

	if (fd < 0)
		return -errno;
	if (write(fd, text, (size_t)len) != len)
		ret = errno ? -errno : -EIO;
	close(fd);
	return ret;
}

static UNUSED int put_number(const char *path, long long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", number);
	return put_file(path, text);
}

/* For the rest of a test, which is a separate process. */
static UNUSED int stay_on(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return (int)RET(sched_setaffinity(0, sizeof(one), &one));
}

/* The whole of a short file, terminated; its length or -errno. */
static UNUSED ssize_t get_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	while (len < size - 1 && (got = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)got;
	close(fd);
	buf[len] = '\0';
	return (ssize_t)len;
}

/* The number in a file, or -1. */
static UNUSED long get_number(const char *path)
{
	char text[64];

	return get_file(path, text, sizeof(text)) > 0 ? strtol(text, NULL, 10) : -1;
}

/* The number behind "key " in a file of such lines; -1 without one. */
static UNUSED long long keyed_number(const char *path, const char *key)
{
	size_t keylen = strlen(key);
	long long value = -1;
	char line[512];
	FILE *f = fopen(path, "re");

	if (!f)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, keylen) && line[keylen] == ' ')
			value = strtoll(line + keylen, NULL, 10);
	}
	fclose(f);
	return value;
}

static UNUSED bool kernel_at_least(unsigned int major, unsigned int minor)
{
	unsigned int has_major = 0, has_minor = 0;
	struct utsname uts;

	if (uname(&uts) ||
	    sscanf(uts.release, "%u.%u", &has_major, &has_minor) != 2)
		return false;
	return has_major > major || (has_major == major && has_minor >= minor);
}

/* Calls every shrinker for every node and cgroup until it frees little more. */
static UNUSED int shrink_everything(void)
{
	return put_file("/proc/sys/vm/drop_caches", "2\n");
}

/* ---- what fdinfo counts ---- */

struct counts {
	long resident;
	long unpinned;
	long purgeable;
};

static UNUSED struct counts counts_of(int fd)
{
	return (struct counts) {
		.resident = fdinfo_number(fd, "resident_pages"),
		.unpinned = fdinfo_number(fd, "unpinned_pages"),
		.purgeable = fdinfo_number(fd, "purgeable_pages"),
	};
}

#define EXPECT_COUNTS(fd, res, unp, pur) do { \
	struct counts __c = counts_of(fd); \
	EXPECT_EQ((long)(res), __c.resident); \
	EXPECT_EQ((long)(unp), __c.unpinned); \
	EXPECT_EQ((long)(pur), __c.purgeable); \
} while (0)

/* ---- a region with its mapping ---- */

struct cache {
	int fd;
	unsigned char *a;
	size_t len;
	long pages;
	unsigned int seed;
};

/* Makes and maps it; no page is touched. 0 or -errno. */
static UNUSED int cache_open(struct cache *c, const char *name, size_t len,
			     unsigned int seed)
{
	c->fd = ash_region(name, len);
	if (c->fd < 0)
		return c->fd;
	c->a = ash_map(c->fd, len, PROT_RW);
	if (c->a == MAP_FAILED)
		return -errno;
	c->len = len;
	c->pages = (long)(page_round(len) / page_size());
	c->seed = seed;
	return 0;
}

/* So that a purge of a page costs more. The mappings stay until the process ends. */
static UNUSED int cache_map_often(const struct cache *c, int times)
{
	while (times--)
		if (ash_map(c->fd, c->len, PROT_READ) == MAP_FAILED)
			return -errno;
	return 0;
}

static UNUSED void cache_close(struct cache *c)
{
	if (c->a && c->a != MAP_FAILED)
		munmap(c->a, c->len);
	if (c->fd >= 0)
		close(c->fd);
	c->a = NULL;
	c->fd = -1;
}

static UNUSED void cache_fill_part(struct cache *c, long first, long pages)
{
	size_t from = (size_t)first * page_size();

	fill_from(c->a + from, (size_t)pages * page_size(), c->seed, from);
}

static UNUSED void cache_fill(struct cache *c)
{
	cache_fill_part(c, 0, c->pages);
}

static UNUSED bool cache_part_whole(struct cache *c, long first, long pages)
{
	return filled_from(c->a + (size_t)first * page_size(),
			   (size_t)pages * page_size(), c->seed,
			   (size_t)first * page_size());
}

static UNUSED bool cache_whole(struct cache *c)
{
	return cache_part_whole(c, 0, c->pages);
}

/* How many of some pages are in memory; takes no lock of the region. */
static UNUSED long cache_part_in_memory(struct cache *c, long first, long pages)
{
	return resident_pages(c->a + (size_t)first * page_size(),
			      (size_t)pages * page_size());
}

static UNUSED long cache_in_memory(struct cache *c)
{
	return cache_part_in_memory(c, 0, c->pages);
}

static UNUSED long cache_unpin_part(struct cache *c, long first, long pages)
{
	return ash_unpin(c->fd, (uint32_t)((size_t)first * page_size()),
			 (uint32_t)((size_t)pages * page_size()));
}

static UNUSED long cache_unpin(struct cache *c)
{
	return ash_unpin(c->fd, 0, 0);
}

static UNUSED long cache_pin_part(struct cache *c, long first, long pages)
{
	return ash_pin(c->fd, (uint32_t)((size_t)first * page_size()),
		       (uint32_t)((size_t)pages * page_size()));
}

static UNUSED long cache_pin(struct cache *c)
{
	return ash_pin(c->fd, 0, 0);
}

/* ---- a process that takes memory, a step for each word that it gets ---- */

struct hog {
	pid_t pid;
	int sock;
	size_t step;
};

/* Starts with @bulk bytes: huge pages are faster for most of the memory. */
static UNUSED int hog_start(struct hog *hog, size_t step, size_t bulk)
{
	uint64_t word;
	int sock[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return -errno;
	hog->step = step;
	hog->pid = fork();
	if (hog->pid < 0)
		return -errno;
	if (!hog->pid) {
		unsigned char seed = 0, *first;
		size_t i;

		close(sock[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* The OOM killer must choose this process. */
		put_file("/proc/self/oom_score_adj", "1000");
		first = bulk ? mmap(NULL, bulk, PROT_RW,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : NULL;
		CHILD_CHECK(first != MAP_FAILED);
		madvise(first, bulk, MADV_HUGEPAGE);
		for (i = 0; i < bulk; i += page_size())
			first[i] = 1;
		CHILD_CHECK(!send_word(sock[1], 0));
		while (!recv_word(sock[1], &word)) {
			unsigned char *q = mmap(NULL, step, PROT_RW,
						MAP_PRIVATE | MAP_ANONYMOUS, -1,
						0);

			CHILD_CHECK(q != MAP_FAILED);
			seed++;
			for (i = 0; i < step; i += page_size())
				q[i] = (unsigned char)((i >> 12) + seed) | 1;
			CHILD_CHECK(!send_word(sock[1], word));
		}
		_exit(0);
	}
	close(sock[1]);
	hog->sock = sock[0];
	return recv_word(sock[0], &word);
}

static UNUSED int hog_send_step(struct hog *hog)
{
	return send_word(hog->sock, 1);
}

/* 1: the step has been taken, 0: not yet, or -errno. */
static UNUSED int hog_step_done(struct hog *hog)
{
	struct pollfd pfd = { .fd = hog->sock, .events = POLLIN };
	uint64_t word;
	int ret;

	if (!poll(&pfd, 1, 0))
		return 0;
	ret = recv_word(hog->sock, &word);
	return ret ? ret : 1;
}

/* 0 when the step was taken, or -errno: the hog is dead. */
static UNUSED int hog_step(struct hog *hog)
{
	uint64_t word;
	int ret = hog_send_step(hog);

	return ret ? ret : recv_word(hog->sock, &word);
}

static UNUSED int hog_stop(struct hog *hog)
{
	close(hog->sock);
	return wait_child(hog->pid);
}

/*
 * MiB that a hog has to take until memory is short, or 0 if that isn't safe on
 * this machine: ASHMEM_PRESSURE_MAX_MB (4096) is how much we dare to use up.
 */
static UNUSED long pressable_mb(void)
{
	const char *env = getenv("ASHMEM_PRESSURE_MAX_MB");
	long max = env ? strtol(env, NULL, 0) : 4096;
	long avail = proc_kb("/proc/meminfo", "MemAvailable") / 1024;

	return avail > 64 && avail <= max ? avail : 0;
}

/* What a hog can allocate at once without memory getting short. */
static UNUSED size_t hog_bulk(void)
{
	long spare = proc_kb("/proc/meminfo", "MemAvailable") / 1024 - 40;

	return spare > 0 ? (size_t)spare << 20 : 0;
}

/* The sum of what /proc/zoneinfo says behind @key of node @nid, or of all if it is -1. */
static UNUSED long zoneinfo_kb(int nid, const char *key)
{
	FILE *f = fopen("/proc/zoneinfo", "re");
	char line[256], word[64];
	long sum = 0, pages;
	int at = -1;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Node %d", &at) != 1 && (nid < 0 || nid == at) &&
		    sscanf(line, " %63s %ld", word, &pages) == 2 && !strcmp(word, key))
			sum += pages;
	}
	if (f)
		fclose(f);
	return sum * (long)(page_size() / 1024);
}

/*
 * Free pages of node @nid, or of all if it is -1, that each CPU caches, 20 MiB and more where
 * the kernel lets these lists grow (since 6.7): it's neither in MemFree nor in any kind of use.
 */
static UNUSED long percpu_free_kb(int nid)
{
	return zoneinfo_kb(nid, "count:");
}

static UNUSED long free_swap_kb(void)
{
	return proc_kb("/proc/meminfo", "SwapFree");
}

/* ---- the kernel log ---- */

/* Signs of a kernel in trouble, without OOM kills, which tests provoke. */
static UNUSED bool log_line_bad(const char *line)
{
	static const char * const bad[] = {
		"WARNING:", "BUG:", "Oops", "general protection", "lockup",
		"self-detected stall", "blocked for more than", "refcount_t",
		"use-after-free", "Bad page", "corruption", "list_del",
		"list_add", "circular locking", "recursive locking",
		"sleeping function called", "Bad rss-counter",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (strstr(line, bad[i]))
			return true;
	}
	return false;
}

/* A descriptor that will read what is logged from now on, or -errno. */
static UNUSED int klog_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	lseek(fd, 0, SEEK_END);
	return fd;
}

/* How many bad lines there were; they are printed. Closes @fd. */
static UNUSED int klog_close(int fd)
{
	char line[8192];
	ssize_t got;
	int bad = 0;

	for (;;) {
		got = read(fd, line, sizeof(line) - 1);
		/* Older lines were overwritten before they were read. */
		if (got < 0 && errno == EPIPE)
			continue;
		if (got <= 0)
			break;
		line[got] = '\0';
		if (log_line_bad(line)) {
			fprintf(stderr, "# kernel log: %s\n", line);
			bad++;
		}
	}
	close(fd);
	return bad;
}

#endif
