// SPDX-License-Identifier: GPL-2.0-only
/*
 * Purges end: beside a task that makes new ranges all the time, when they are killed, on
 * empty address space, and on a region with very many mappings. They count only existing
 * pages.
 */
#include "kselftest_harness.h"
#include "reclaim_util.h"

#define MIB		(1UL << 20)

/* Far more address space than memory: the largest file. */
#if __SIZEOF_SIZE_T__ > 4
#define VAST		((size_t)1 << 60)
#else
#define VAST		((size_t)1 << 31)
#endif

static long purge_by_command(void)
{
	int fd = ash_open(O_RDWR);
	long ret = ash_purge_all(fd);

	close(fd);
	return ret;
}

static long purge_by_shrinker(void)
{
	return shrink_everything();
}

FIXTURE(purger)
{
	long (*purge)(void);
};

FIXTURE_VARIANT(purger)
{
	long (*purge)(void);
};

FIXTURE_VARIANT_ADD(purger, command)
{
	.purge = purge_by_command,
};

FIXTURE_VARIANT_ADD(purger, shrinker)
{
	.purge = purge_by_shrinker,
};

FIXTURE_SETUP(purger)
{
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	self->purge = variant->purge;
}

FIXTURE_TEARDOWN(purger)
{
}

/* A region far larger than memory; only its first page is mapped. */
static int vast_open(struct cache *c)
{
	c->len = page_size();
	c->fd = ash_region("vast", VAST);
	if (c->fd < 0)
		return c->fd;
	c->a = mmap(NULL, c->len, PROT_RW, MAP_SHARED | MAP_NORESERVE, c->fd, 0);
	return c->a == MAP_FAILED ? -errno : 0;
}

/* A process that purges once, on another processor if there is one. */
static pid_t start_purge(long (*purge)(void))
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		stay_on(1);
		_exit(purge() < 0);
	}
	return pid;
}

static bool page_there(struct cache *c, long page)
{
	return cache_part_in_memory(c, page, 1) == 1;
}

/* Waits until the page is gone or the purge is done. Is only the page gone? */
static bool wait_for_purge(struct cache *c, long page, pid_t purger)
{
	siginfo_t info = { .si_pid = 0 };

	while (page_there(c, page)) {
		if (waitid(P_PID, (id_t)purger, &info, WEXITED | WNOHANG | WNOWAIT) ||
		    info.si_pid)
			return false;
	}
	return true;
}

/* ---- what a purge takes ---- */

enum { TRIES = 20 };

/*
 * During the purge a part of the old region is pinned, and as many pages are unpinned
 * elsewhere. Those must stay: a purge that only counts pages would take them, and would
 * never end if this was repeated.
 */
TEST(command_takes_only_what_was_unpinned_when_it_began)
{
	struct cache old, new;
	bool told = false;
	long quarter;
	pid_t purger;
	int try;

	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	stay_on(0);
	ASSERT_EQ(0, cache_open(&old, "old", 64 * MIB, 1));
	ASSERT_EQ(0, cache_open(&new, "new", 4 * MIB, 2));
	quarter = old.pages / 4;
	for (try = 0; try < TRIES && !told; try++) {
		memset(old.a, 1, old.len);
		cache_fill(&new);
		ASSERT_EQ(0, cache_unpin(&old));
		purger = start_purge(purge_by_command);
		ASSERT_LE(0, purger);
		if (wait_for_purge(&old, 0, purger)) {
			/* What is unpinned in the tick in which it began may go. */
			nap_ms(8);
			cache_pin_part(&old, 2 * quarter, quarter);
			ASSERT_EQ(0, cache_unpin(&new));
			/* Only ranges that were started before go later. */
			told = page_there(&old, 2 * quarter) &&
			       page_there(&old, old.pages - 1);
		}
		ASSERT_EQ(0, wait_child(purger));
		if (told) {
			EXPECT_FALSE(page_there(&old, old.pages - 1));
			EXPECT_EQ(new.pages, cache_in_memory(&new));
			EXPECT_EQ(ASHMEM_NOT_PURGED, cache_pin(&new));
			EXPECT_EQ(quarter, cache_part_in_memory(&old, 2 * quarter, quarter));
		}
		cache_pin(&new);
		cache_pin(&old);
	}
	if (!told)
		SKIP(return, "no purge was slow enough to get in between");
	TH_LOG("try %d", try);
	cache_close(&old);
	cache_close(&new);
}

/* How many lines of the trace show more than a step, and how many there are. */
static int long_calls(const char *trace, int *calls)
{
	unsigned long asked, done;
	char line[512];
	const char *at;
	int many = 0;
	FILE *f = fopen(trace, "re");

	*calls = 0;
	while (f && fgets(line, sizeof(line), f)) {
		at = strstr(line, "nr_to_scan=");
		if (!at || sscanf(at, "nr_to_scan=%lu scanned=%lu", &asked, &done) != 2)
			continue;
		(*calls)++;
		if (done > asked && done > 512) {
			fprintf(stderr, "# asked for %lu pages it took %lu\n", asked, done);
			many++;
		}
	}
	if (f)
		fclose(f);
	return many;
}

/* Reclaim asks for about 128 pages, and then decides whether to go on. */
TEST(shrinker_takes_a_step_a_call)
{
	static const char tracing[] = "/sys/kernel/tracing/instances";
	char dir[128], path[256];
	struct cache c;
	int calls;

	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	/* QEMU may miss that code was patched which another CPU runs. */
	ASSERT_EQ(0, stay_on(0));
	snprintf(dir, sizeof(dir), "%s/bounded-%d", tracing, (int)getpid());
	if (mkdir(dir, 0700))
		SKIP(return, "needs tracefs on /sys/kernel/tracing");
	snprintf(path, sizeof(path), "%s/events/ashmem/ashmem_shrinker_scan/enable", dir);
	ASSERT_EQ(0, put_file(path, "1"));
	ASSERT_EQ(0, cache_open(&c, "long", 32 * MIB, 1));
	memset(c.a, 1, c.len);
	ASSERT_EQ(0, cache_unpin(&c));
	ASSERT_EQ(0, shrink_everything());
	EXPECT_EQ(0, cache_in_memory(&c));
	ASSERT_EQ(0, put_file(path, "0"));
	snprintf(path, sizeof(path), "%s/trace", dir);
	EXPECT_EQ(0, long_calls(path, &calls));
	EXPECT_LT(0, calls);
	rmdir(dir);
	cache_close(&c);
}

/* Every purge checks for a fatal signal before each step. */
TEST_F(purger, ends_when_it_is_killed)
{
	long left_then = 0, left_now = 0, step = 512;
	bool told = false;
	struct cache c;
	pid_t purger;
	int try;

	stay_on(0);
	ASSERT_EQ(0, cache_open(&c, "killed", 96 * MIB, 1));
	for (try = 0; try < TRIES && !told; try++) {
		memset(c.a, 1, c.len);
		ASSERT_EQ(0, cache_unpin(&c));
		purger = start_purge(self->purge);
		ASSERT_LE(0, purger);
		if (wait_for_purge(&c, 0, purger)) {
			ASSERT_EQ(0, kill(purger, SIGKILL));
			left_then = cache_in_memory(&c);
		}
		told = wait_child(purger) == 128 + SIGKILL && left_then > 8 * step;
		left_now = cache_in_memory(&c);
		cache_pin(&c);
	}
	if (!told)
		SKIP(return, "no purge was slow enough to be killed");
	TH_LOG("try %d: %ld of %ld pages left when it was killed, %ld when it was dead", try,
	       left_then, c.pages, left_now);
	/* The running one, and one that started in between. */
	EXPECT_GE(2 * step, left_then - left_now);
	cache_close(&c);
}

/* ---- what it counts ---- */

static long long total_of(const char *name)
{
	char path[96], text[32];

	snprintf(path, sizeof(path), "/sys/class/misc/ashmem/%s", name);
	return get_file(path, text, sizeof(text)) > 0 ? atoll(text) : -1;
}

struct totals {
	long long purgeable, purged, scanned;
};

static struct totals totals(void)
{
	return (struct totals) {
		.purgeable = total_of("purgeable_pages"),
		.purged = total_of("pressure_purged_pages") +
			  total_of("command_purged_pages"),
		.scanned = keyed_number("/proc/vmstat", "slabs_scanned"),
	};
}

/* The kernel's own caches are scanned, too, but at most all memory. */
static long long scanned_at_most(void)
{
	return 4 * proc_kb("/proc/meminfo", "MemTotal") / (long)(page_size() / 1024);
}

TEST_F(purger, counts_no_pages_that_never_were)
{
	struct totals before, now;
	struct cache c;
	int round;

	ASSERT_EQ(0, vast_open(&c));
	for (round = 0; round < 3; round++) {
		before = totals();
		ASSERT_EQ(0, cache_unpin(&c));
		EXPECT_EQ(before.purgeable, totals().purgeable);
		EXPECT_EQ(0, counts_of(c.fd).purgeable);
		ASSERT_LE(0, self->purge());
		now = totals();
		EXPECT_EQ(before.purged, now.purged);
		EXPECT_GT(scanned_at_most(), now.scanned - before.scanned);
	}
	cache_close(&c);
}

TEST_F(purger, counts_the_pages_that_there_were)
{
	struct totals before, now;
	struct cache c, far;
	int round;

	ASSERT_EQ(0, vast_open(&c));
	far = c;
	far.a = mmap(NULL, c.len, PROT_RW, MAP_SHARED | MAP_NORESERVE, c.fd, (off_t)(VAST / 2));
	ASSERT_NE(MAP_FAILED, far.a);
	for (round = 0; round < 3; round++) {
		before = totals();
		c.a[0] = 1;
		far.a[0] = 1;
		ASSERT_EQ(0, cache_unpin(&c));
		EXPECT_EQ(before.purgeable + 2, totals().purgeable);
		EXPECT_EQ(2, counts_of(c.fd).purgeable);
		ASSERT_LE(0, self->purge());
		now = totals();
		EXPECT_EQ(before.purged + 2, now.purged);
		EXPECT_EQ(before.purgeable, now.purgeable);
		EXPECT_GT(scanned_at_most(), now.scanned - before.scanned);
	}
	munmap(far.a, far.len);
	cache_close(&c);
}

/* ---- a region that is mapped very often ---- */

enum { MAPPINGS = 400 };

/* Each page is in all of the mappings when this is done. */
static void fault_in(unsigned char * const *map, size_t len)
{
	size_t i, j;

	memset(map[0], 1, len);
	for (i = 1; i < MAPPINGS; i++) {
		/* All at once if the kernel can; else each one. */
		madvise(map[i], len, MADV_WILLNEED);
		for (j = 0; j < len; j += page_size())
			(void)*(volatile unsigned char *)(map[i] + j);
	}
}

/*
 * The cost of a step is pages times mappings, so many mappings must mean fewer pages:
 * PIN, which waits for one step, must save the rest.
 */
TEST(pin_of_a_region_that_is_mapped_often_waits_for_a_step)
{
	size_t len = 512 * page_size();
	unsigned char *map[MAPPINGS];
	double purge, wait;
	long saved = 0;
	struct cache c;
	pid_t purger;
	int i, try;

	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	stay_on(0);
	ASSERT_EQ(0, cache_open(&c, "mapped", len, 1));
	for (i = 0; i < MAPPINGS; i++) {
		map[i] = ash_map(c.fd, len, PROT_RW);
		ASSERT_NE(MAP_FAILED, map[i]);
	}
	for (try = 0; try < 4 && !saved; try++) {
		fault_in(map, len);
		ASSERT_EQ(0, cache_unpin(&c));
		purge = now_s();
		purger = start_purge(purge_by_command);
		if (wait_for_purge(&c, 0, purger)) {
			wait = now_s();
			ASSERT_EQ(ASHMEM_WAS_PURGED, cache_pin(&c));
			wait = now_s() - wait;
			saved = cache_in_memory(&c);
			ASSERT_EQ(0, wait_child(purger));
			TH_LOG("%.0f ms until PIN was done, which took %.0f ms and saved %ld pages",
			       (now_s() - purge) * 1e3, wait * 1e3, saved);
		} else {
			ASSERT_EQ(0, wait_child(purger));
			cache_pin(&c);
		}
	}
	EXPECT_LT(0, saved);
	cache_close(&c);
}

TEST_HARNESS_MAIN
