// SPDX-License-Identifier: GPL-2.0-only
/*
 * On memfd the library gives memory back when the kernel says that it is short: as much
 * as is lacking, oldest first, by a thread that is there while it is worth one.
 *
 * Files in a directory stand in for a cgroup, but for the tests at the end.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "kselftest_harness.h"
#include "lib_util.h"
#include "cache_util.h"
#include "reclaim_util.h"

#define PAGE		page_size()
#define MIB		(1024u * 1024)
#define ENTRY		(64u << 10)
#define ENTRIES		64u

/*
 * A program's thread-local variables: the C library takes them from each thread's stack. Of
 * 256 KiB so much would be left that it makes the thread, but not what the thread needs.
 */
__thread char variables[248 << 10];

/* ---- a cgroup of files ---- */

static struct {
	_Atomic uint64_t current;	/* the number of that file */
	_Atomic int contents;		/* descriptor of what is charged to it, besides @others */
	_Atomic uint64_t others;
	_Atomic bool late;		/* the thread waits before it looks */
	char dir[64];
} group;

/* Stands before the C library's: what the cgroup uses is true at each look. */
ssize_t pread(int fd, void *buf, size_t len, off_t at)
{
	struct stat st, contents;

	if (group.current && !fstat(fd, &st) && st.st_ino == group.current &&
	    !fstat(group.contents, &contents)) {
		while (group.late && gettid() != getpid())
			nap_ms(1);
		fstat(group.contents, &contents);
		return snprintf(buf, len, "%llu\n", (unsigned long long)(group.others +
				(uint64_t)contents.st_blocks * 512));
	}
	return (ssize_t)syscall(SYS_pread64, fd, buf, len, (long)at, 0L);
}

/* The same: the cgroup of this process. */
static char *own_cgroup;

FILE *fopen(const char *path, const char *mode)
{
	int fd;

	if (own_cgroup && !strcmp(path, "/proc/self/cgroup"))
		return fmemopen(own_cgroup, strlen(own_cgroup), "r");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? NULL : fdopen(fd, mode);
}

static void set(const char *name, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", group.dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
}

static void set_number(const char *name, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu\n", (unsigned long long)value);
	set(name, text);
}

static void begin_group(void)
{
	char path[128];
	struct stat st;

	snprintf(group.dir, sizeof(group.dir), "/tmp/ashmem-pressure-XXXXXX");
	if (!mkdtemp(group.dir))
		abort();
	set("memory.pressure", "");
	set("memory.events", "high 0\nmax 0\n");
	set("memory.high", "max\n");
	set("memory.max", "max\n");
	set("memory.current", "0\n");
	set("memory.stat", "anon 0\ninactive_file 0\nactive_file 0\n");
	snprintf(path, sizeof(path), "%s/memory.current", group.dir);
	if (stat(path, &st))
		abort();
	group.current = st.st_ino;
	snprintf(path, sizeof(path), "%s/memory.pressure", group.dir);
	setenv("MEMORY_PRESSURE_WATCH", path, 1);
	setenv("ASHMEM_BACKEND", "memfd", 1);
}

static void end_group(void)
{
	static const char *const names[] = { "pressure", "events", "high", "max", "current",
					     "stat" };
	char path[128];
	size_t i;

	group.current = 0;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/memory.%s", group.dir, names[i]);
		unlink(path);
	}
	rmdir(group.dir);
}

/* ---- what is watched ---- */

static struct ashm_cache *cache_of(unsigned int n)
{
	struct ashm_cache *c;
	unsigned int i;

	if (ashm_cache_create("pressure", (uint64_t)n * ENTRY, n, 16, &c))
		return NULL;
	for (i = 0; i < n; i++)
		if (put(c, i, ENTRY, i))
			return NULL;
	group.contents = ashm_cache_fd(c, ASHM_CACHE_CONTENTS);
	return c;
}

static struct ashm_cache *full_cache(void)
{
	return cache_of(ENTRIES);
}

static unsigned int entries(struct ashm_cache *c)
{
	struct ashm_cache_stat stat = { .entries = 0 };

	return ashm_cache_stat(c, &stat) ? 0 : (unsigned int)stat.entries;
}

/* Waits until there are no more entries than @most, then until nothing changes. */
static unsigned int settled(struct ashm_cache *c, unsigned int most)
{
	unsigned int tries, now = entries(c), then = 0;

	for (tries = 0; tries < 600 && (now > most || now != then); tries++) {
		then = now;
		nap_ms(50);
		now = entries(c);
	}
	return now;
}

/* The thread's number, or 0. With @line its line of status that begins so. */
static int thread_line(const char *key, char *line, size_t len)
{
	char path[512], name[32];
	struct dirent *entry;
	DIR *dir = opendir("/proc/self/task");
	int found = 0;
	FILE *f;

	while (dir && !found && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/self/task/%s/status", entry->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fscanf(f, "Name: %31s\n", name) == 1 && !strcmp(name, "ashmem-reclaim")) {
			found = atoi(entry->d_name);
			while (key && fgets(line, (int)len, f) &&
			       strncmp(line, key, strlen(key)))
				;
		}
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* It names itself after its start. */
static bool watched(void)
{
	int tries;

	for (tries = 0; tries < 100 && !thread_line(NULL, NULL, 0); tries++)
		nap_ms(10);
	return tries < 100;
}

#define NOT_WATCHED()	(nap_ms(100), !thread_line(NULL, NULL, 0))

static int nothing(void *data, void *contents, size_t size)
{
	memset(contents, *(int *)data, size);
	return 0;
}

/* How often the thread has begun to wait; -1 without a thread. */
static long waits(void)
{
	static const char key[] = "voluntary_ctxt_switches:";
	char line[128] = "";

	return thread_line(key, line, sizeof(line)) ? atol(line + strlen(key)) : -1;
}

static uint64_t cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

TEST(runs_while_it_is_worth_it)
{
	struct ashm_purgeable *small, *large;
	unsigned long long blocked;
	struct ashm_cache *c;
	char line[128] = "";
	int fds, data = 7;

	variables[0] = 1;
	begin_group();
	fds = count_fds();
	ASSERT_EQ(0, ashm_purgeable_create("small", MIB / 2, nothing, &data, &small));
	EXPECT_EQ(0, ashm_purgeable_watch(1));
	EXPECT_TRUE(NOT_WATCHED());
	ASSERT_EQ(0, ashm_purgeable_create("large", MIB / 2, nothing, &data, &large));
	EXPECT_TRUE(watched());
	EXPECT_GT(thread_line("SigBlk:", line, sizeof(line)), 0);
	blocked = strtoull(line + strlen("SigBlk:"), NULL, 16);
	EXPECT_TRUE(blocked & 1ULL << (SIGTERM - 1));
	ashm_purgeable_destroy(small);
	EXPECT_FALSE(thread_line(NULL, NULL, 0));
	c = full_cache();
	ASSERT_NE(NULL, c);
	EXPECT_TRUE(watched());
	EXPECT_EQ(0, ashm_purgeable_watch(0));
	EXPECT_FALSE(thread_line(NULL, NULL, 0));
	EXPECT_EQ(0, ashm_purgeable_watch(1));
	EXPECT_TRUE(watched());
	ashm_purgeable_destroy(large);
	EXPECT_TRUE(watched());
	ashm_cache_close(c);
	EXPECT_FALSE(thread_line(NULL, NULL, 0));
	EXPECT_EQ(fds, count_fds());
	end_group();
}

TEST(not_without_anything_to_watch)
{
	struct ashm_cache *c;

	begin_group();
	setenv("MEMORY_PRESSURE_WATCH", "/dev/null", 1);
	EXPECT_EQ(-EOPNOTSUPP, ashm_purgeable_watch(1));
	c = full_cache();
	ASSERT_NE(NULL, c);
	EXPECT_TRUE(NOT_WATCHED());
	EXPECT_EQ(-EOPNOTSUPP, ashm_purgeable_watch(1));
	EXPECT_EQ(0, ashm_purgeable_watch(0));
	ashm_cache_close(c);
	end_group();
}

/* As much as is lacking, oldest first, and nothing that is held. */
TEST(limit_is_lowered)
{
	uint64_t high = ENTRIES * ENTRY - MIB;
	struct ashm_purgeable *oldest;
	struct ashm_cache_entry held;
	struct ashm_cache *c;
	unsigned int left, i;
	int data = 7;
	const void *p;

	begin_group();
	ASSERT_EQ(0, ashm_purgeable_create("oldest", ENTRY, nothing, &data, &oldest));
	ASSERT_EQ(0, ashm_purgeable_begin_read(oldest, &p));
	ASSERT_EQ(0, ashm_purgeable_end_read(oldest));
	c = full_cache();
	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, hold(c, 0, &held));
	nap_ms(200);
	EXPECT_EQ(ENTRIES, entries(c));
	set_number("memory.high", high);
	left = settled(c, (unsigned int)(high / ENTRY));
	/* A thirty-second of the limit stays free; an entry more may have gone. */
	EXPECT_GE(high - high / 32, left * ENTRY);
	EXPECT_LE(high - high / 32, (left + 2) * ENTRY);
	for (i = 1; i <= ENTRIES - left; i++)
		EXPECT_EQ(-ENOENT, check(c, i, ENTRY, i));
	for (; i < ENTRIES; i++)
		EXPECT_EQ(0, check(c, i, ENTRY, i));
	EXPECT_TRUE(filled(held.data, ENTRY, 0));
	data = 8;
	ASSERT_EQ(0, ashm_purgeable_begin_read(oldest, &p));
	EXPECT_EQ(8, *(const char *)p);
	/* Of two limits the lower one counts. */
	set_number("memory.max", high / 2);
	left = settled(c, (unsigned int)(high / 2 / ENTRY));
	EXPECT_GE(high / 2, left * ENTRY);
	EXPECT_LT(high / 3, left * ENTRY);
	ASSERT_EQ(0, ashm_purgeable_end_read(oldest));
	ashm_purgeable_destroy(oldest);
	ashm_cache_close(c);
	end_group();
}

/* A service manager names the cgroup of a service, and one above it has the limit. */
TEST(limit_is_above)
{
	static const char *const names[] = { "pressure", "high", "max" };
	char dir[96], path[128];
	struct ashm_cache *c;
	size_t i;

	begin_group();
	snprintf(dir, sizeof(dir), "%s/service", group.dir);
	ASSERT_EQ(0, mkdir(dir, 0755));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "service/memory.%s", names[i]);
		set(path, "max\n");
	}
	snprintf(path, sizeof(path), "%s/memory.pressure", dir);
	setenv("MEMORY_PRESSURE_WATCH", path, 1);
	set_number("memory.high", 2 * ENTRIES * ENTRY);
	c = full_cache();
	ASSERT_NE(NULL, c);
	EXPECT_TRUE(watched());
	set_number("memory.high", ENTRIES * ENTRY - MIB);
	EXPECT_GE(ENTRIES - MIB / ENTRY, settled(c, ENTRIES - MIB / ENTRY));
	ashm_cache_close(c);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/memory.%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
	end_group();
}

/* A container that sees its cgroup's files as /sys/fs/cgroup, but its path from outside. */
TEST(cgroup_is_the_root)
{
	static char line[] = "0::/docker/1234\n";
	struct ashm_cache *c;

	begin_group();
	if (unshare(CLONE_NEWNS) || mount("none", "/", "", MS_REC | MS_PRIVATE, NULL) ||
	    mount(group.dir, "/sys/fs/cgroup", "", MS_BIND, NULL))
		SKIP(return, "nothing can be mounted here");
	unsetenv("MEMORY_PRESSURE_WATCH");
	own_cgroup = line;
	c = full_cache();
	ASSERT_NE(NULL, c);
	EXPECT_TRUE(watched());
	set_number("memory.high", ENTRIES * ENTRY - MIB);
	EXPECT_GE(ENTRIES - MIB / ENTRY, settled(c, ENTRIES - MIB / ENTRY));
	ashm_cache_close(c);
	end_group();
}

/* An empty cache, which alone is in the group, while the thread watches; or NULL. */
static struct ashm_cache *cache_to_fill(uint64_t high)
{
	struct ashm_cache *c = NULL, *first;

	set_number("memory.high", high);
	first = full_cache();
	if (first && watched() &&
	    !ashm_cache_create("fill", ENTRIES * ENTRY, ENTRIES, 16, &c))
		group.contents = ashm_cache_fd(c, ASHM_CACHE_CONTENTS);
	ashm_cache_close(first);
	return c;
}

/* A cache that grows up to the limit doesn't fill the cgroup: no event would be in time. */
TEST(cache_grows)
{
	const uint64_t high = ENTRIES / 2 * ENTRY;
	struct ashm_cache *c;
	unsigned int i, left;

	begin_group();
	c = cache_to_fill(high);
	ASSERT_NE(NULL, c);
	for (i = 0; i < ENTRIES; i++) {
		ASSERT_EQ(0, put(c, i, ENTRY, i));
		nap_ms(5);
	}
	left = settled(c, ENTRIES / 2);
	/* It looks when four entries are new. */
	EXPECT_GE(high / ENTRY + 4, left);
	EXPECT_LE(high / ENTRY - 4, left);
	ashm_cache_close(c);
	end_group();
}

/* Nor do entries that are larger than what is kept free: they are foreseen. */
TEST(large_entries)
{
	const uint64_t high = 7 * ENTRIES / 16 * ENTRY;
	const size_t size = ENTRIES / 8 * ENTRY;
	struct ashm_cache *c;
	struct ashm_cache_entry e;
	struct stat st;
	unsigned int i;

	begin_group();
	c = cache_to_fill(high);
	ASSERT_NE(NULL, c);
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, begin(c, i, size, &e));
		nap_ms(100);
		memset(e.data, 1, size);
		ASSERT_EQ(0, fstat(group.contents, &st));
		EXPECT_GE(high, (uint64_t)st.st_blocks * 512);
		ASSERT_EQ(0, ashm_cache_commit(c, &e));
		ASSERT_EQ(0, ashm_cache_release(c, &e));
	}
	/* No more goes than has to; what can't be there at all isn't made room for. */
	EXPECT_EQ(3, entries(c));
	ASSERT_EQ(0, begin(c, i, ENTRIES / 2 * ENTRY, &e));
	nap_ms(100);
	EXPECT_EQ(3, entries(c));
	ashm_cache_close(c);
	end_group();
}

/* When the thread looks, an entry that was foreseen may be there already. */
TEST(entry_is_there_before_the_look)
{
	struct ashm_cache_entry e, second;
	struct ashm_cache *c;
	unsigned int i;

	begin_group();
	c = cache_to_fill(ENTRIES / 2 * ENTRY);
	ASSERT_NE(NULL, c);
	for (i = 0; i < 5; i++) {
		group.late = true;
		ASSERT_EQ(0, begin(c, i, 6 * ENTRY, &e));
		memset(e.data, 1, 6 * ENTRY);
		group.late = false;
		nap_ms(100);
		ASSERT_EQ(0, ashm_cache_commit(c, &e));
		ASSERT_EQ(0, ashm_cache_release(c, &e));
	}
	/* 30 of 32, of which one is kept free. */
	EXPECT_EQ(5, entries(c));

	/* Two more would make it 38: two of the others go. */
	group.late = true;
	ASSERT_EQ(0, begin(c, i, 4 * ENTRY, &e));
	ASSERT_EQ(0, begin(c, i + 1, 4 * ENTRY, &second));
	group.late = false;
	nap_ms(100);
	ASSERT_EQ(0, ashm_cache_commit(c, &e));
	ASSERT_EQ(0, ashm_cache_commit(c, &second));
	EXPECT_EQ(5, entries(c));
	ashm_cache_close(c);
	end_group();
}

/* What the kernel can take back by itself isn't lacking. */
TEST(files_go_first)
{
	struct ashm_cache *c;

	begin_group();
	group.others = MIB;
	set("memory.stat", "inactive_file 700000\nactive_file 700000\n");
	c = full_cache();
	ASSERT_NE(NULL, c);
	set_number("memory.high", ENTRIES * ENTRY + MIB);
	nap_ms(500);
	EXPECT_EQ(ENTRIES, entries(c));
	set("memory.stat", "inactive_file 0\nactive_file 0\n");
	set_number("memory.high", ENTRIES * ENTRY + MIB);
	EXPECT_GT(ENTRIES, settled(c, ENTRIES - 1));
	ashm_cache_close(c);
	end_group();
}

/* Above a limit, with nothing to give, it sleeps until the next event. */
TEST(nothing_to_give)
{
	struct ashm_cache_entry held[ENTRIES];
	struct ashm_cache *c;
	uint64_t cpu_from;
	unsigned int i;
	long from;

	begin_group();
	c = full_cache();
	ASSERT_NE(NULL, c);
	for (i = 0; i < ENTRIES; i++) {
		ASSERT_EQ(0, hold(c, i, &held[i]));
	}
	ASSERT_TRUE(watched());
	from = waits();
	cpu_from = cpu_ms();
	set_number("memory.high", MIB);
	nap_ms(2000);
	TH_LOG("waited %ld times, ran %llu ms of 2 s", waits() - from,
	       (unsigned long long)(cpu_ms() - cpu_from));
	/* A look each millisecond is some 1,000 waits; one without a pause runs all the time. */
	EXPECT_GT(20, waits() - from);
	EXPECT_GT(1000, cpu_ms() - cpu_from);
	EXPECT_EQ(ENTRIES, entries(c));
	for (i = 0; i < ENTRIES; i++)
		EXPECT_TRUE(filled(held[i].data, ENTRY, i));
	ashm_cache_close(c);
	end_group();
}

/* A child has none of it, and may make caches. */
TEST(child)
{
	struct ashm_cache *c, *own;
	pid_t pid;
	int fds;

	NO_TSAN();
	begin_group();
	fds = count_fds();
	c = full_cache();
	ASSERT_NE(NULL, c);
	EXPECT_TRUE(watched());
	pid = fork();
	if (!pid) {
		/* Both regions are still there, and nothing else. */
		CHILD_CHECK(NOT_WATCHED());
		CHILD_CHECK(count_fds() == fds + 2);
		ashm_cache_close(c);
		own = full_cache();
		CHILD_CHECK(own);
		CHILD_CHECK(watched());
		set_number("memory.high", MIB);
		CHILD_CHECK(settled(own, MIB / ENTRY) < ENTRIES);
		ashm_cache_close(own);
		CHILD_CHECK(NOT_WATCHED());
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_TRUE(watched());
	EXPECT_GE(MIB / ENTRY, settled(c, MIB / ENTRY));
	ashm_cache_close(c);
	end_group();
}

static void *comes_and_goes(void *stop)
{
	struct ashm_cache *c;

	while (!atomic_load((_Atomic bool *)stop)) {
		c = full_cache();
		set_number("memory.high", MIB);
		ashm_cache_close(c);
	}
	return NULL;
}

/* Forks in all states of the thread: no lock is held in the child, none is left here. */
TEST(forks_beside)
{
	_Atomic bool stop = false;
	struct ashm_cache *own;
	pthread_t id;
	pid_t pid;
	int i;

	NO_TSAN();
#ifdef __SANITIZE_ADDRESS__
	SKIP(return, "AddressSanitizer's malloc() may be locked in a child");
#endif
	begin_group();
	ASSERT_EQ(0, pthread_create(&id, NULL, comes_and_goes, &stop));
	for (i = 0; i < as_often(200); i++) {
		pid = fork();
		if (!pid) {
			own = full_cache();
			CHILD_CHECK(own);
			ashm_cache_close(own);
			_exit(0);
		}
		ASSERT_EQ(0, wait_child(pid));
	}
	atomic_store(&stop, true);
	pthread_join(id, NULL);
	end_group();
}

/* All of its descriptors or none: without some it would not learn of a limit. */
TEST(few_descriptors)
{
	int max = 3, ret = -EMFILE, have, need, fd;
	struct ashm_cache *c;

	begin_group();
	need = -count_fds() - 2;
	c = full_cache();
	ASSERT_NE(NULL, c);
	EXPECT_TRUE(watched());
	need += count_fds();
	ashm_cache_close(c);
	while (ret == -EMFILE && max < 100) {
		max++;
		ASSERT_EQ(0, limit_fds((rlim_t)max));
		ret = ashm_purgeable_watch(1);
	}
	EXPECT_EQ(0, ret);
	for (have = 0, fd = 0; fd < max; fd++)
		have += fcntl(fd, F_GETFD) < 0;
	EXPECT_LE(need, have);
	EXPECT_EQ(0, limit_fds(100));
	end_group();
}

/* A sandbox without timers has no thread, and no descriptors that are left of one. */
TEST(no_timers)
{
	struct ashm_cache *c;
	int fds;

	begin_group();
	FORBID(SYS_timerfd_create, 0, 0, 0, EPERM);
	fds = count_fds();
	EXPECT_GT(0, ashm_purgeable_watch(1));
	c = full_cache();
	ASSERT_NE(NULL, c);
	EXPECT_TRUE(NOT_WATCHED());
	ashm_cache_close(c);
	EXPECT_EQ(fds, count_fds());
	end_group();
}

/* A program that closes all descriptors, as daemons do, isn't kept. */
TEST(closed_by_the_program)
{
	struct ashm_cache *c, *later;
	uint64_t from;
	int fd;

	if (UNDER_TSAN)
		SKIP(return, "ThreadSanitizer sees that these are in use");
	begin_group();
	c = full_cache();
	ASSERT_NE(NULL, c);
	EXPECT_TRUE(watched());
	for (fd = 3; fd < 100; fd++)
		close(fd);
	set_number("memory.high", MIB);
	from = cpu_ms();
	nap_ms(500);
	EXPECT_GT(100, cpu_ms() - from);
	/* What it makes then is watched. */
	set_number("memory.high", ENTRIES * ENTRY);
	later = full_cache();
	ASSERT_NE(NULL, later);
	set_number("memory.high", ENTRIES * ENTRY - MIB);
	EXPECT_GE(ENTRIES - MIB / ENTRY, settled(later, ENTRIES - MIB / ENTRY));
	ashm_cache_close(later);
	ashm_cache_close(c);
	end_group();
}

/* Then it may have an epoll with these numbers, whose events are its own. */
TEST(events_of_the_program)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	struct ashm_cache *c;
	int own, bell, fd;

	if (UNDER_TSAN)
		SKIP(return, "ThreadSanitizer sees that these are in use");
	begin_group();
	c = full_cache();
	ASSERT_NE(NULL, c);
	EXPECT_TRUE(watched());
	own = epoll_create1(0);
	bell = eventfd(0, 0);
	ASSERT_EQ(0, epoll_ctl(own, EPOLL_CTL_ADD, bell, &event));
	own = fcntl(own, F_DUPFD, 100);
	bell = fcntl(bell, F_DUPFD, 100);
	/* When the thread has just freed something, it looks each millisecond. */
	set_number("memory.high", MIB);
	while (entries(c) == ENTRIES)
		nap_ms(1);
	for (fd = 3; fd < 100; fd++)
		dup2(own, fd);
	nap_ms(20);
	ASSERT_EQ(8, write(bell, &(uint64_t){ 1 }, 8));
	nap_ms(20);
	EXPECT_EQ(1, epoll_wait(own, &event, 1, 0));
	alarm(60);
	ashm_cache_close(c);
	end_group();
}

/* Then it may open a timer that gets the number of the library's. */
TEST(timer_of_the_program)
{
	struct ashm_cache *c;
	int timer, fd, fds;
	uint64_t ticks;

	if (UNDER_TSAN)
		SKIP(return, "ThreadSanitizer sees that these are in use");
	begin_group();
	c = full_cache();
	ASSERT_NE(NULL, c);
	EXPECT_TRUE(watched());
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	ASSERT_GE(timer, 0);
	for (fd = 3; fd < 100; fd++)
		dup2(timer, fd);
	EXPECT_EQ(0, put(c, 0, 8 * ENTRY, 0));
	nap_ms(50);
	EXPECT_EQ(-EAGAIN, RET(read(timer, &ticks, sizeof(ticks))));
	fds = count_fds();
	/* This ends, and closes nothing. */
	alarm(60);
	ashm_cache_close(c);
	EXPECT_EQ(fds, count_fds());
	end_group();
}

/* ---- the kernel's own files ---- */

/* A cgroup of this process's, with the files for memory or at least that for stalls. */
static bool enter_real(char *dir, size_t len, bool memory)
{
	char path[PATH_MAX];
	const char *top = "/sys/fs/cgroup/unified";

	if (access(top, F_OK))
		top = "/sys/fs/cgroup";
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", top);
	put_file(path, "+memory");
	snprintf(dir, len, "%s/ashmem-test-%d", top, (int)getpid());
	if (mkdir(dir, 0755))
		return false;
	snprintf(path, sizeof(path), "%s/%s", dir, memory ? "memory.high" : "memory.pressure");
	if (!access(path, F_OK)) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
		if (!put_file(path, "0"))
			return true;
	}
	rmdir(dir);
	return false;
}

static bool leave_real(const char *dir)
{
	char path[PATH_MAX];
	int tries;

	snprintf(path, sizeof(path), "%.*s/cgroup.procs", (int)(strrchr(dir, '/') - dir), dir);
	if (put_file(path, "0"))
		return false;
	for (tries = 0; rmdir(dir) && tries < 100; tries++)
		nap_ms(20);
	return tries < 100;
}

static void set_real(const char *dir, const char *name, uint64_t value)
{
	char path[PATH_MAX], text[32];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	if (put_file(path, text))
		abort();
}

#define REAL(dir, memory) do { \
	setenv("ASHMEM_BACKEND", "memfd", 1); \
	unsetenv("MEMORY_PRESSURE_WATCH"); \
	if (!enter_real(dir, sizeof(dir), memory)) \
		SKIP(return, "no cgroup can be made here"); \
} while (0)

/* When its cgroup is gone, the kernel has an error to tell, for ever. */
TEST(cgroup_is_removed)
{
	struct ashm_cache *c;
	char dir[64];
	uint64_t from;

	REAL(dir, false);
	c = full_cache();
	ASSERT_NE(NULL, c);
	EXPECT_TRUE(watched());
	ASSERT_TRUE(leave_real(dir));
	from = cpu_ms();
	nap_ms(1000);
	EXPECT_GT(100, cpu_ms() - from);
	ashm_cache_close(c);
}

static uint64_t used(const char *dir)
{
	char path[PATH_MAX], text[32] = "";

	snprintf(path, sizeof(path), "%s/memory.current", dir);
	return get_file(path, text, sizeof(text)) > 0 ? strtoull(text, NULL, 10) : 0;
}

/* The kernel charges 64 pages at a time, and each CPU keeps some. Here two have run. */
#define STOCK		(2 * 64 * PAGE)

/* The limit of an idle process is lowered; then it stays, and another task comes near it. */
TEST(cgroup_is_limited)
{
	unsigned int before, n = (unsigned int)(4 * (STOCK + MIB) / ENTRY);
	struct ashm_cache *c;
	char dir[64];
	pid_t pid;
	char *q;

	REAL(dir, true);
	c = cache_of(n);
	ASSERT_NE(NULL, c);
	EXPECT_TRUE(watched());
	set_real(dir, "memory.high", used(dir) - STOCK - MIB);
	before = settled(c, n - MIB / ENTRY);
	EXPECT_GE(n - MIB / ENTRY, before);
	EXPECT_LE(n - 2 * (STOCK + MIB) / ENTRY, before);
	pid = fork();
	if (!pid) {
		q = mmap(NULL, STOCK + MIB, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHILD_CHECK(q != MAP_FAILED);
		memset(q, 1, STOCK + MIB);
		nap_ms(1000);
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_GT(before, settled(c, before - 1));
	ashm_cache_close(c);
	EXPECT_TRUE(leave_real(dir));
}

/* For how long tasks of the machine have stalled for memory, in microseconds. */
static uint64_t stalled(void)
{
	char text[256] = "", *total;

	get_file("/proc/pressure/memory", text, sizeof(text));
	total = strstr(text, "total=");
	return total ? strtoull(total + strlen("total="), NULL, 10) : 0;
}

/* There is no limit, but the machine is short. */
TEST(machine_is_short)
{
	uint64_t before, longest = 0, now;
	struct hog hog = { .pid = -1 };
	long spare = pressable_mb();
	struct ashm_cache *c;
	int tries;

	setenv("ASHMEM_BACKEND", "memfd", 1);
	unsetenv("MEMORY_PRESSURE_WATCH");
	/* tests/run.sh sets the variable, and runs on machines that others use. */
	if (!spare || getenv("ASHMEM_LONG") || access("/proc/pressure/memory", W_OK))
		SKIP(return, "this machine can't be made short of memory");
	c = full_cache();
	ASSERT_NE(NULL, c);
	EXPECT_TRUE(watched());
	/* The kernel needs a moment to tell. Sooner or later the other task is killed. */
	for (tries = 0; tries < 4 && entries(c) == ENTRIES; tries++) {
		before = stalled();
		ASSERT_EQ(0, hog_start(&hog, MIB / 4, hog_bulk()));
		while (entries(c) == ENTRIES && !hog_step(&hog))
			nap_ms(50);
		hog_stop(&hog);
		now = stalled();
		longest = now - before > longest ? now - before : longest;
	}
	TH_LOG("tries: %d, tasks stalled for %u ms", tries, (unsigned int)(longest / 1000));
	now = entries(c);
	ashm_cache_close(c);
	/* Without swap, 5.10 may kill before any task has stalled. */
	if (now == ENTRIES && longest < 300000)
		SKIP(return, "the kernel kills before it tells");
	EXPECT_GT(ENTRIES, now);
}

TEST_HARNESS_MAIN
