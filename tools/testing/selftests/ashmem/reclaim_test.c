// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reclaim of the whole machine: what counts as purgeable, in which order it is purged,
 * with and without swap, and what happens to purged pages.
 *
 * ASHMEM_PRESSURE_MAX_MB (default 4096) is how much available memory the
 * pressure tests dare to use up.
 */
#include <sys/swap.h>

#include "kselftest_harness.h"
#include "cgroup_util.h"

#define ZRAM	"/dev/zram0"
#define NO_ZRAM	"no " ZRAM ": load zram first (in the test bed: EXTRA_MODULES=zram)"

FIXTURE(reclaim)
{
	size_t p;
};

FIXTURE_SETUP(reclaim)
{
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	self->p = page_size();
}

FIXTURE_TEARDOWN(reclaim)
{
}

/* ---- what is counted ---- */

TEST_F(reclaim, counts_are_exact_after_each_kind_of_operation)
{
	struct cache c;

	ASSERT_EQ(0, cache_open(&c, "counts", 64 * self->p, 1));
	EXPECT_COUNTS(c.fd, 0, 0, 0);
	/* Pages that don't exist can't be reclaimed, until they are touched. */
	ASSERT_EQ(0, cache_unpin_part(&c, 0, 8));
	EXPECT_COUNTS(c.fd, 0, 8, 0);
	cache_fill_part(&c, 0, 3);
	EXPECT_COUNTS(c.fd, 3, 8, 3);
	cache_fill(&c);
	EXPECT_COUNTS(c.fd, 64, 8, 8);
	ASSERT_EQ(0, cache_unpin_part(&c, 16, 8));
	EXPECT_COUNTS(c.fd, 64, 16, 16);
	/* The same again changes nothing. */
	ASSERT_EQ(0, cache_unpin_part(&c, 16, 8));
	EXPECT_COUNTS(c.fd, 64, 16, 16);
	/* Next to another. */
	ASSERT_EQ(0, cache_unpin_part(&c, 24, 4));
	EXPECT_COUNTS(c.fd, 64, 20, 20);
	/* Over the gap between two: [0, 24) is one range now. */
	ASSERT_EQ(0, cache_unpin_part(&c, 7, 10));
	EXPECT_COUNTS(c.fd, 64, 28, 28);
	/* The middle, the beginning, the end, and pages that are already pinned. */
	ASSERT_EQ(ASHMEM_NOT_PURGED, cache_pin_part(&c, 10, 4));
	EXPECT_COUNTS(c.fd, 64, 24, 24);
	ASSERT_EQ(ASHMEM_NOT_PURGED, cache_pin_part(&c, 0, 1));
	EXPECT_COUNTS(c.fd, 64, 23, 23);
	ASSERT_EQ(ASHMEM_NOT_PURGED, cache_pin_part(&c, 27, 10));
	EXPECT_COUNTS(c.fd, 64, 22, 22);
	ASSERT_EQ(ASHMEM_NOT_PURGED, cache_pin_part(&c, 40, 24));
	EXPECT_COUNTS(c.fd, 64, 22, 22);
	/* [1, 10) and [14, 24) and [24, 27) go. */
	ASSERT_EQ(22, ash_purge_all(c.fd));
	EXPECT_COUNTS(c.fd, 42, 22, 0);
	ASSERT_EQ(0, ash_purge_all(c.fd));
	/* Written again they cost memory, but that isn't purgeable yet. */
	cache_fill_part(&c, 1, 9);
	EXPECT_COUNTS(c.fd, 51, 22, 0);
	ASSERT_EQ(0, ash_purge_all(c.fd));
	EXPECT_COUNTS(c.fd, 51, 22, 0);
	/* A new UNPIN makes the whole range that it touches purgeable. */
	ASSERT_EQ(0, cache_unpin_part(&c, 4, 1));
	EXPECT_COUNTS(c.fd, 51, 22, 9);
	/* So does one that merges a purged range with new pages. */
	ASSERT_EQ(0, cache_unpin_part(&c, 20, 5));
	EXPECT_COUNTS(c.fd, 51, 22, 22);
	/* Pinning purged and purgeable pages. */
	ASSERT_EQ(9 + 13, ash_purge_all(c.fd));
	EXPECT_COUNTS(c.fd, 42, 22, 0);
	ASSERT_EQ(ASHMEM_WAS_PURGED, cache_pin_part(&c, 16, 2));
	EXPECT_COUNTS(c.fd, 42, 20, 0);
	ASSERT_EQ(0, cache_unpin_part(&c, 16, 2));
	EXPECT_COUNTS(c.fd, 42, 22, 2);
	ASSERT_EQ(ASHMEM_WAS_PURGED, cache_pin(&c));
	EXPECT_COUNTS(c.fd, 42, 0, 0);
	EXPECT_TRUE(cache_part_whole(&c, 10, 4));
	EXPECT_TRUE(cache_part_whole(&c, 27, 37));
	cache_close(&c);
}

/*
 * Random operations beside a model that keeps for each page which range it is
 * in, and for each range whether it was purged and may be purged.
 */
enum { MODEL_PAGES = 48 };

struct model {
	int range[MODEL_PAGES];		/* 0: pinned */
	bool resident[MODEL_PAGES];
	bool lost[MODEL_PAGES + 1];	/* by range */
	bool live[MODEL_PAGES + 1];	/* by range: still there to take */
};

static int model_free_range(const struct model *m)
{
	bool used[MODEL_PAGES + 1] = { true };
	int i;

	for (i = 0; i < MODEL_PAGES; i++)
		used[m->range[i]] = true;
	for (i = 1; i < MODEL_PAGES; i++) {
		if (!used[i])
			break;
	}
	return i;
}

static void model_unpin(struct model *m, int first, int last)
{
	bool lost = false, merge[MODEL_PAGES + 1] = { false };
	int i, fresh;

	for (i = first; i <= last; i++)
		merge[m->range[i]] = true;
	merge[0] = false;
	for (i = 0; i < MODEL_PAGES; i++) {
		if (merge[m->range[i]]) {
			lost |= m->lost[m->range[i]];
			first = i < first ? i : first;
			last = i > last ? i : last;
		}
	}
	for (i = first; i <= last; i++)
		m->range[i] = 0;
	fresh = model_free_range(m);
	for (i = first; i <= last; i++)
		m->range[i] = fresh;
	m->lost[fresh] = lost;
	m->live[fresh] = true;
}

static bool model_pin(struct model *m, int first, int last)
{
	int i, fresh, whole = m->range[first];
	bool lost = false;

	for (i = first; i <= last; i++) {
		lost |= m->range[i] && m->lost[m->range[i]];
		m->range[i] = 0;
	}
	/* What is behind the interval is a separate range from now on. */
	if (whole && first > 0 && m->range[first - 1] == whole &&
	    last < MODEL_PAGES - 1 && m->range[last + 1] == whole) {
		fresh = model_free_range(m);
		m->lost[fresh] = m->lost[whole];
		m->live[fresh] = m->live[whole];
		for (i = last + 1; i < MODEL_PAGES && m->range[i] == whole; i++)
			m->range[i] = fresh;
	}
	return lost;
}

static struct counts model_counts(const struct model *m)
{
	struct counts n = { 0, 0, 0 };
	int i;

	for (i = 0; i < MODEL_PAGES; i++) {
		n.resident += m->resident[i];
		n.unpinned += m->range[i] != 0;
		n.purgeable += m->range[i] && m->live[m->range[i]];
	}
	/* fdinfo knows only how many pages exist, not which. */
	if (n.purgeable > n.resident)
		n.purgeable = n.resident;
	return n;
}

/* Returns how many pages the command takes, whether they exist or not. */
static long model_purge(struct model *m)
{
	long taken = 0;
	int i;

	for (i = 0; i < MODEL_PAGES; i++) {
		if (m->range[i] && m->live[m->range[i]]) {
			m->resident[i] = false;
			taken++;
		}
	}
	for (i = 1; i <= MODEL_PAGES; i++) {
		m->lost[i] |= m->live[i];
		m->live[i] = false;
	}
	return taken;
}

TEST_F_TIMEOUT(reclaim, counts_are_exact_in_any_sequence, 300)
{
	uint64_t seed = rng_seed();
	struct rng r = { seed };
	struct model m;
	struct cache c;
	int step, i;

	memset(&m, 0, sizeof(m));
	ASSERT_EQ(0, cache_open(&c, "model", MODEL_PAGES * self->p, 1));
	for (step = 0; step < 1500; step++) {
		int first = (int)rng_below(&r, MODEL_PAGES);
		int pages = 1 + (int)rng_below(&r, 12), last;
		struct counts want, got;
		long expected = 0, ret = 0;
		unsigned int op = rng_below(&r, 16);

		if (first + pages > MODEL_PAGES)
			pages = MODEL_PAGES - first;
		last = first + pages - 1;
		if (op < 6) {
			ret = cache_unpin_part(&c, first, pages);
			model_unpin(&m, first, last);
		} else if (op < 10) {
			ret = cache_pin_part(&c, first, pages);
			expected = model_pin(&m, first, last) ?
				   ASHMEM_WAS_PURGED : ASHMEM_NOT_PURGED;
		} else if (op < 15) {
			for (i = first; i <= last; i++) {
				c.a[(size_t)i * self->p] = (unsigned char)step;
				m.resident[i] = true;
			}
		} else {
			expected = model_purge(&m);
			ret = ash_purge_all(c.fd);
		}
		want = model_counts(&m);
		got = counts_of(c.fd);
		ASSERT_TRUE(ret == expected && want.resident == got.resident &&
			    want.unpinned == got.unpinned &&
			    want.purgeable == got.purgeable) {
			TH_LOG("seed %llu step %d op %u %d-%d: %ld/%ld; %ld %ld %ld / %ld %ld %ld",
			       (unsigned long long)seed, step, op, first, last,
			       ret, expected, got.resident, got.unpinned,
			       got.purgeable, want.resident, want.unpinned,
			       want.purgeable);
		}
	}
	cache_close(&c);
}

/* In the original driver, such pages were not reclaimable until they were pinned. */
TEST_F(reclaim, purged_pages_that_are_written_again_can_go_again)
{
	struct cache c;
	int round;

	ASSERT_EQ(0, cache_open(&c, "again", 4 * MIB, 1));
	cache_fill(&c);
	for (round = 0; round < 3; round++) {
		ASSERT_EQ(0, cache_unpin(&c));
		EXPECT_COUNTS(c.fd, c.pages, c.pages, c.pages);
		ASSERT_EQ(0, shrink_everything());
		EXPECT_COUNTS(c.fd, 0, c.pages, 0);
		EXPECT_TRUE(zeroed(c.a, c.len));
		c.seed++;
		cache_fill(&c);
		EXPECT_COUNTS(c.fd, c.pages, c.pages, 0);
		/* Not before the next UNPIN. */
		ASSERT_EQ(0, shrink_everything());
		EXPECT_COUNTS(c.fd, c.pages, c.pages, 0);
	}
	ASSERT_EQ(0, cache_unpin_part(&c, 1, 1));
	EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin(&c));
	EXPECT_TRUE(cache_whole(&c));
	EXPECT_EQ(ASHMEM_NOT_PURGED, cache_pin(&c));
	cache_close(&c);
}

/* The shrinker frees as much as fdinfo predicted. */
TEST_F(reclaim, purged_pages_are_free_memory)
{
	long before, after, pages;
	struct cache c;

	ASSERT_EQ(0, cache_open(&c, "free", 24 * MIB, 1));
	memset(c.a, 1, c.len);
	ASSERT_EQ(0, cache_unpin(&c));
	before = proc_kb("/proc/meminfo", "Shmem");
	pages = counts_of(c.fd).purgeable;
	ASSERT_EQ(c.pages, pages);
	ASSERT_EQ(0, shrink_everything());
	EXPECT_COUNTS(c.fd, 0, pages, 0);
	after = proc_kb("/proc/meminfo", "Shmem");
	/* Each CPU may cache a few pages of the count. */
	EXPECT_LE(pages * (long)(self->p / 1024) - 2048, before - after);
	cache_close(&c);
}

/* ---- totals of the machine ---- */

struct totals {
	long purgeable, by_pressure, by_command, pins;
};

static long total_of(const char *name)
{
	char path[96], text[32];

	snprintf(path, sizeof(path), "/sys/class/misc/ashmem/%s", name);
	return get_file(path, text, sizeof(text)) > 0 ? atol(text) : -1;
}

static struct totals totals(void)
{
	return (struct totals) {
		.purgeable = total_of("purgeable_pages"),
		.by_pressure = total_of("pressure_purged_pages"),
		.by_command = total_of("command_purged_pages"),
		.pins = total_of("purged_pins"),
	};
}

/* By how much they have changed. */
#define EXPECT_TOTALS(from, _purgeable, _pressure, _command, _pins) do { \
	struct totals __f = (from), __t = totals(); \
	EXPECT_EQ(_purgeable, __t.purgeable - __f.purgeable); \
	EXPECT_EQ(_pressure, __t.by_pressure - __f.by_pressure); \
	EXPECT_EQ(_command, __t.by_command - __f.by_command); \
	EXPECT_EQ(_pins, __t.pins - __f.pins); \
} while (0)

TEST_F(reclaim, totals_tell_pressure_from_command)
{
	struct totals before;
	struct cache c;

	ASSERT_EQ(0, cache_open(&c, "totals", 16 * self->p, 1));
	cache_fill(&c);
	/* Nothing of others is left that could be purged with it. */
	ASSERT_LE(0, ash_purge_all(c.fd));
	before = totals();
	ASSERT_EQ(0, before.purgeable);
	ASSERT_EQ(0, cache_unpin_part(&c, 2, 8));
	EXPECT_TOTALS(before, 8, 0, 0, 0);
	ASSERT_EQ(8, ash_purge_all(c.fd));
	EXPECT_TOTALS(before, 0, 0, 8, 0);
	ASSERT_EQ(ASHMEM_WAS_PURGED, cache_pin(&c));
	EXPECT_TOTALS(before, 0, 0, 8, 1);

	/* Of these three pages two exist. */
	ASSERT_EQ(0, cache_unpin_part(&c, 0, 3));
	ASSERT_EQ(0, shrink_everything());
	EXPECT_TOTALS(before, 0, 2, 8, 1);
	ASSERT_EQ(ASHMEM_WAS_PURGED, cache_pin(&c));
	EXPECT_TOTALS(before, 0, 2, 8, 2);

	/* Nothing lost, nothing counted. */
	ASSERT_EQ(0, cache_unpin(&c));
	ASSERT_EQ(ASHMEM_NOT_PURGED, cache_pin(&c));
	cache_close(&c);
	EXPECT_TOTALS(before, 0, 2, 8, 2);
}

/* ---- in which order ---- */

/* A range, by where it is; @rank is the age of its region, 0 the oldest. */
struct aged {
	struct cache *c;
	long first, pages;
	int rank;
};

/*
 * Check the youngest first: if it is gone, it was gone before the older ones are
 * checked.
 */
static void look(const struct aged *r, int n, long *left)
{
	int i;

	for (i = n - 1; i >= 0; i--)
		left[i] = cache_part_in_memory(r[i].c, r[i].first, r[i].pages);
}

/*
 * Which range was touched although a much older one isn't gone; -1: none. A purge skips
 * a range with a locked page, so regions of similar age may change places.
 */
static int out_of_order(const struct aged *r, int n, const long *left)
{
	int i, j;

	for (i = 1; i < n; i++) {
		for (j = 0; j < i; j++) {
			if (r[i].rank - r[j].rank > 2 &&
			    left[i] < r[i].pages && left[j] > 0)
				return i;
		}
	}
	return -1;
}

/* A purge ends after a step, and the next one continues there. */
static bool several_partial(const struct aged *r, int n, const long *left)
{
	int i, partial = 0;

	for (i = 0; i < n; i++)
		partial += left[i] > 0 && left[i] < r[i].pages;
	return partial > 1;
}

/*
 * One region is unpinned first, but then again: that makes it the youngest. The
 * oldest has its middle pinned: both of its parts stay as old as they were.
 * Memory is taken step by step until the fourth has gone. False if ranges went
 * out of order, or several in part. Order is exact to a tick of the clock, hence
 * the naps.
 */
static bool purged_in_order(struct __test_metadata *_metadata)
{
	enum { SPLIT, FOURTH = 3, AGAIN = 5, PINNED, N, RANGES = 7, STEP = 512 };
	long left[RANGES] = { 0 }, third, steps, max_steps;
	int wrong = -1, i, tries, n = 0;
	bool right;
	struct aged r[RANGES];
	struct cache c[N];
	struct hog hog;

	/* Purged in six steps each. */
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, cache_open(&c[i], "aged", 6 * STEP * page_size(),
					20 + (unsigned int)i));
		cache_fill(&c[i]);
	}
	third = c[SPLIT].pages / 3;
	ASSERT_EQ(0, cache_unpin(&c[AGAIN]));
	for (i = SPLIT; i <= AGAIN; i++) {
		nap_ms(30);
		ASSERT_EQ(0, cache_unpin(&c[i]));
	}
	ASSERT_EQ(ASHMEM_NOT_PURGED, cache_pin_part(&c[SPLIT], third, third));
	r[n++] = (struct aged) { &c[SPLIT], 0, third, SPLIT };
	r[n++] = (struct aged) { &c[SPLIT], 2 * third,
				 c[SPLIT].pages - 2 * third, SPLIT };
	for (i = SPLIT + 1; i <= AGAIN; i++)
		r[n++] = (struct aged) { &c[i], 0, c[i].pages, i };

	ASSERT_EQ(0, hog_start(&hog, STEP / 4 * page_size(), hog_bulk()));
	max_steps = proc_kb("/proc/meminfo", "MemTotal") / 512;
	for (steps = 0; steps < max_steps && wrong < 0; steps++) {
		int done = hog_send_step(&hog);

		do {
			if (!done)
				done = hog_step_done(&hog);
			look(r, n, left);
			wrong = out_of_order(r, n, left);
		} while (!done && wrong < 0);
		ASSERT_LE(0, done) {
			TH_LOG("the hog died after %ld steps", steps);
		}
		if (left[FOURTH + 1] == 0)
			break;
	}
	/* Reclaim in the background ends what it began. */
	for (tries = 0; tries < 100 && wrong < 0; tries++) {
		look(r, n, left);
		wrong = out_of_order(r, n, left);
		if (!several_partial(r, n, left))
			break;
		nap_ms(50);
	}
	TH_LOG("%ld pages in small steps; left: %ld+%ld, %ld, %ld, %ld, %ld, %ld",
	       steps * STEP / 4, left[0], left[1], left[2], left[3], left[4], left[5],
	       left[6]);
	right = wrong < 0 && !several_partial(r, n, left);
	if (!right) {
		/* It may still be in a step that no task waits for. */
		kill(hog.pid, SIGKILL);
		hog_stop(&hog);
		goto close;
	}
	EXPECT_EQ(0, left[FOURTH + 1]);
	EXPECT_EQ(0, hog_stop(&hog));
	/* The rest may have begun to go since the last look: PIN tells, then. */
	for (i = 0; i < n; i++) {
		long answer = cache_pin_part(r[i].c, r[i].first, r[i].pages);

		if (answer == ASHMEM_NOT_PURGED) {
			EXPECT_NE(0, left[i]);
			EXPECT_TRUE(cache_part_whole(r[i].c, r[i].first, r[i].pages));
		} else {
			EXPECT_EQ(ASHMEM_WAS_PURGED, answer);
		}
	}
	EXPECT_EQ(ASHMEM_NOT_PURGED, cache_pin_part(&c[SPLIT], third, third));
	EXPECT_TRUE(cache_part_whole(&c[SPLIT], third, third));
	EXPECT_EQ(ASHMEM_NOT_PURGED, cache_pin(&c[PINNED]));
	EXPECT_TRUE(cache_whole(&c[PINNED]));
close:
	for (i = 0; i < N; i++)
		cache_close(&c[i]);
	return right;
}

/*
 * The kernel locks pages for a while, for instance to migrate them, and a purge then
 * skips their range. That is rare: good tries must outnumber bad ones.
 */
TEST_F_TIMEOUT(reclaim, pressure_takes_ranges_oldest_first, 900)
{
	int balance = 0;

	if (!pressable_mb() || free_swap_kb() > 0)
		SKIP(return, "needs 64 to ASHMEM_PRESSURE_MAX_MB (4096) MiB available and no swap");
	do {
		balance += purged_in_order(_metadata) ? 1 : -1;
	} while (balance < 2 && balance > -3);
	EXPECT_EQ(2, balance);
}

#define MIN_FREE	"/proc/sys/vm/min_free_kbytes"
#define LOWMEM_RESERVE	"/proc/sys/vm/lowmem_reserve_ratio"

/* Kernel threads called @name stay on the last CPU, where a task may come first. */
static void move_threads(const char *name, bool there)
{
	int last = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1, i;
	char text[32], path[300];
	struct dirent *entry;
	DIR *d = opendir("/proc");
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	for (i = there ? last : 0; i <= last; i++)
		CPU_SET((size_t)i, &cpus);
	while (d && (entry = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		if (get_file(path, text, sizeof(text)) > 0 && !strncmp(text, name, strlen(name)))
			sched_setaffinity(atoi(entry->d_name), sizeof(cpus), &cpus);
	}
	if (d)
		closedir(d);
}

/* Ends by itself: the kernel needs each CPU from time to time. */
static pid_t hold_last_cpu(unsigned int seconds)
{
	static const struct sched_param first = { .sched_priority = 50 };
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(seconds);
	stay_on((int)sysconf(_SC_NPROCESSORS_ONLN) - 1);
	sched_setscheduler(0, SCHED_FIFO, &first);
	for (;;)
		;
}

/*
 * Takes memory until little is free. Then more has to stay free than is, as when Linux boosts
 * a watermark, and a page is wanted, for @took seconds. Returns what the hog's last step
 * returned.
 */
static int want_a_page_below_the_watermark(struct cache *c, double *took)
{
	struct hog hog = { .sock = -1 };
	pid_t holder;
	long kb;
	int ret;

	ret = hog_start(&hog, 2 * MIB, hog_bulk());
	while (!ret && proc_kb("/proc/meminfo", "MemFree") > 28 * 1024)
		ret = hog_step(&hog);
	holder = hold_last_cpu(2);
	/*
	 * The CPUs' lists are drained before a kill. Twice: kernels up to 6.12 count free pages
	 * as those of empty LRU lists, too.
	 */
	kb = proc_kb("/proc/meminfo", "MemFree") + percpu_free_kb(-1);
	put_number(MIN_FREE, 2 * kb + 8 * 1024);
	*took = -now_s();
	while (!ret && cache_in_memory(c) > c->pages / 2)
		ret = hog_step(&hog);
	*took += now_s();
	kill(holder, SIGKILL);
	wait_child(holder);
	hog_stop(&hog);
	return ret;
}

/*
 * Linux tries again only while free pages and those of the LRU lists suffice. Pages that a
 * shrinker has don't count: one call of it may not have freed enough.
 */
static void raise_the_watermark(struct __test_metadata *_metadata, struct cache *c)
{
	long min_free = get_number(MIN_FREE);
	char ratios[200];
	double took;
	int ret;

	ASSERT_LE(0, min_free);
	ASSERT_LT(0, get_file(LOWMEM_RESERVE, ratios, sizeof(ratios)));
	ASSERT_EQ(0, stay_on(0));

	/* It could free enough in time. */
	move_threads("kswapd", true);
	put_number(MIN_FREE, 4096);
	/* No task uses the first zone: near its own limit each page of it would be one try more. */
	put_file(LOWMEM_RESERVE, "1\n");
	ret = want_a_page_below_the_watermark(c, &took);
	put_file(LOWMEM_RESERVE, ratios);
	put_number(MIN_FREE, min_free);
	move_threads("kswapd", false);

	/* After five seconds a kill is let through. */
	if (ret && took > 4)
		SKIP(return, "the machine is too slow: killed after %.1f s", took);
	ASSERT_EQ(0, ret) {
		TH_LOG("killed beside %ld of %ld pages", cache_in_memory(c), c->pages);
	}
}

static const char *no_watermark_reason(void)
{
	if (!purge_works() || sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return "needs root, and two CPUs";
	if (pressable_mb() < 160 || free_swap_kb() > 0)
		return "needs 160 to ASHMEM_PRESSURE_MAX_MB MiB available and no swap";
	return NULL;
}

static void open_unpinned(struct __test_metadata *_metadata, struct cache *c)
{
	ASSERT_EQ(0, cache_open(c, "watermark", 96 * MIB, 1));
	cache_fill(c);
	ASSERT_EQ(0, cache_unpin(c));
}

TEST_F(reclaim, a_rising_watermark_gets_no_task_killed)
{
	struct cache c;

	if (no_watermark_reason())
		SKIP(return, "%s", no_watermark_reason());
	open_unpinned(_metadata, &c);
	raise_the_watermark(_metadata, &c);
	cache_close(&c);
}

/*
 * Linux asks for purges between its last look at free memory and the kill. What others free
 * while a purge hangs must count.
 */
TEST_F_TIMEOUT(reclaim, memory_freed_while_a_purge_hangs_saves_a_task, 120)
{
	size_t len = 64 * MIB;
	struct hog hog = { .sock = -1 };
	unsigned char *others;
	int ret, waits = 0;
	pid_t holder;

	if (no_watermark_reason())
		SKIP(return, "%s", no_watermark_reason());
	others = mmap(NULL, len, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, others);
	ASSERT_EQ(0, madvise(others, len, MADV_DONTFORK));
	memset(others, 1, len);
	ASSERT_EQ(0, stay_on(0));
	move_threads("ashmem_oom", true);
	ret = hog_start(&hog, 2 * MIB, hog_bulk());
	holder = hold_last_cpu(60);
	while (!ret && others) {
		ret = hog_send_step(&hog);
		for (waits = 0; !ret && !(ret = hog_step_done(&hog)); waits++) {
			/* The purge may take a second. */
			if (waits == 400) {
				munmap(others, len);
				others = NULL;
			}
			usleep(1000);
		}
		ret = ret < 0 ? ret : 0;
	}
	kill(holder, SIGKILL);
	wait_child(holder);
	move_threads("ashmem_oom", false);
	hog_stop(&hog);
	TH_LOG("the step took %d ms", waits);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(NULL, others);
}

/* A child in @g whose pages of @c are purgeable, each by itself, and cost some ms each. */
static pid_t unpin_what_is_slow(const struct group *g, struct cache *c)
{
	pid_t pid = fork();
	long i;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CHILD_CHECK(!put_file(g->procs, "0"));
	CHILD_CHECK(!cache_map_often(c, 10000));
	for (i = 0; i < c->pages; i += 2) {
		c->a[(size_t)i * page_size()] = 1;
		CHILD_CHECK(!cache_unpin_part(c, i, 1));
	}
	raise(SIGSTOP);
	_exit(0);
}

/* The pages of one cgroup must not keep purges from those of the others. */
TEST_F_TIMEOUT(cgroup, a_slow_group_gets_no_task_killed, 120)
{
	struct cache c, slow;
	struct group g;
	int status;
	pid_t pid;

	if (no_watermark_reason())
		SKIP(return, "%s", no_watermark_reason());
	open_unpinned(_metadata, &c);
	ASSERT_EQ(0, group_make(&g, self->top, "slow"));
	ASSERT_EQ(0, cache_open(&slow, "slow", 2048 * self->p, 1));
	pid = unpin_what_is_slow(&g, &slow);
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	raise_the_watermark(_metadata, &c);
	kill(pid, SIGKILL);
	wait_child(pid);
	cache_close(&slow);
	cache_close(&c);
}

/* ---- the shrinker's own knobs ---- */

struct knobs {
	char dir[300];
	bool memcg;
};

static bool find_knobs(struct knobs *k)
{
	static const char dir[] = "/sys/kernel/debug/shrinker";
	struct dirent *entry;
	DIR *d = opendir(dir);

	k->dir[0] = '\0';
	while (d && !k->dir[0] && (entry = readdir(d))) {
		if (!strncmp(entry->d_name, "ashmem-", 7))
			snprintf(k->dir, sizeof(k->dir), "%s/%s", dir,
				 entry->d_name);
	}
	if (d)
		closedir(d);
	return k->dir[0];
}

/*
 * Each line of count is a cgroup (0 where there are none) and its pages by node.
 * Adds them all up; -errno.
 */
static long knobs_count(const struct knobs *k)
{
	char path[320], text[4096], *line, *save, *end;
	long sum = 0, value;
	bool first;
	ssize_t len;

	snprintf(path, sizeof(path), "%s/count", k->dir);
	len = get_file(path, text, sizeof(text));
	if (len < 0)
		return len;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		for (first = true;; line = end, first = false) {
			value = strtol(line, &end, 10);
			if (end == line)
				break;
			if (!first)
				sum += value;
		}
	}
	return sum;
}

/* Scans that many pages of the first group and node that have any. */
static int knobs_scan(const struct knobs *k, long pages)
{
	char path[320], text[4096], *line, *save, *end;
	unsigned long long id;
	long value;
	int nid;

	snprintf(path, sizeof(path), "%s/count", k->dir);
	if (get_file(path, text, sizeof(text)) < 0)
		return -EIO;
	snprintf(path, sizeof(path), "%s/scan", k->dir);
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		id = strtoull(line, &end, 10);
		for (nid = 0;; nid++) {
			line = end;
			value = strtol(line, &end, 10);
			if (end == line)
				break;
			if (value <= 0)
				continue;
			snprintf(text, sizeof(text), "%llu %d %ld\n", id, nid,
				 pages);
			return put_file(path, text);
		}
	}
	return -ENOENT;
}

/*
 * A call ends after the pages wanted or one step, whichever is more, and begins with the
 * oldest range. What a PIN takes counts until the shrinker looks at the region again.
 */
TEST_F(reclaim, shrinker_counts_pages_and_takes_what_it_is_asked_for)
{
	const long mib = (long)(MIB / self->p), step = 512;
	struct cache c[4];
	struct knobs k;
	int i;

	if (!find_knobs(&k))
		SKIP(return, "needs 6.0, CONFIG_SHRINKER_DEBUG, and debugfs mounted");
	/* Pages and their region's entry on one node. */
	ASSERT_EQ(0, stay_on(0));

	ASSERT_EQ(0, knobs_count(&k));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, cache_open(&c[i], "knobs", (size_t)(i + 1) * MIB,
					30 + (unsigned int)i));
		madvise(c[i].a, c[i].len, MADV_NOHUGEPAGE);
		cache_fill(&c[i]);
		nap_ms(30);
		ASSERT_EQ(0, cache_unpin(&c[i]));
	}
	EXPECT_EQ(10 * mib, knobs_count(&k));
	/* Younger than the others now. */
	nap_ms(30);
	ASSERT_EQ(0, cache_unpin(&c[0]));
	EXPECT_EQ(10 * mib, knobs_count(&k));
	/* A part of the oldest is pinned: two ranges of the same age. */
	ASSERT_EQ(ASHMEM_NOT_PURGED, cache_pin_part(&c[1], 100, 10));
	EXPECT_EQ(10 * mib, knobs_count(&k));

	/* One page is wanted: the oldest range goes, as it is less than a step. */
	ASSERT_EQ(0, knobs_scan(&k, 1));
	EXPECT_EQ(0, cache_part_in_memory(&c[1], 0, 100));
	EXPECT_EQ(c[1].pages - 100, cache_part_in_memory(&c[1], 100, c[1].pages - 100));
	EXPECT_EQ(10 * mib - 110, knobs_count(&k));
	EXPECT_COUNTS(c[1].fd, c[1].pages - 100, c[1].pages - 10,
		      c[1].pages - 110);

	/* The other part exactly, and not a page of the next. */
	ASSERT_EQ(0, knobs_scan(&k, c[1].pages - 110));
	EXPECT_EQ(10, cache_in_memory(&c[1]));
	EXPECT_EQ(8 * mib, knobs_count(&k));
	EXPECT_EQ(c[2].pages, cache_in_memory(&c[2]));

	/* A step of the next range; its rest is still the oldest. */
	ASSERT_EQ(0, knobs_scan(&k, 1));
	EXPECT_EQ(c[2].pages - step, cache_in_memory(&c[2]));
	EXPECT_EQ(0, cache_part_in_memory(&c[2], 0, step));
	EXPECT_EQ(8 * mib - step, knobs_count(&k));

	/* One page more than that rest: a step of the one behind it, too. */
	ASSERT_EQ(0, knobs_scan(&k, c[2].pages - step + 1));
	EXPECT_EQ(0, cache_in_memory(&c[2]));
	EXPECT_EQ(c[3].pages - step, cache_in_memory(&c[3]));
	EXPECT_EQ(5 * mib - step, knobs_count(&k));

	/* All of it exactly: the one that is young again stays. */
	ASSERT_EQ(0, knobs_scan(&k, c[3].pages - step));
	EXPECT_EQ(0, cache_in_memory(&c[3]));
	EXPECT_EQ(mib, knobs_count(&k));
	EXPECT_EQ(ASHMEM_NOT_PURGED, cache_pin(&c[0]));
	EXPECT_TRUE(cache_whole(&c[0]));
	/* The shrinker looks, finds nothing, and corrects the count. */
	ASSERT_EQ(0, knobs_scan(&k, 1));
	EXPECT_EQ(0, knobs_count(&k));
	EXPECT_EQ(-ENOENT, knobs_scan(&k, 1));

	EXPECT_EQ(ASHMEM_NOT_PURGED, cache_pin_part(&c[1], 100, 10));
	EXPECT_TRUE(cache_part_whole(&c[1], 100, 10));
	for (i = 1; i < 4; i++)
		EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin(&c[i]));
	for (i = 0; i < 4; i++)
		cache_close(&c[i]);
}

/* ---- without __GFP_FS ---- */

enum { FAT_SECTOR = 4096, FAT_SECTORS = 5000 };

/* An empty file system whose inodes are charged so: FAT16 in clusters of a sector. */
static int write_fat(const char *path)
{
	static const struct __attribute__((packed)) {
		unsigned char jump[3];
		char maker[8];
		uint16_t sector_bytes;
		uint8_t cluster_sectors;
		uint16_t reserved;
		uint8_t fats;
		uint16_t root_entries, sectors;
		uint8_t media;
		uint16_t fat_sectors, track_sectors, heads;
		unsigned char rest[482];
		unsigned char mark[2];
	} boot = {
		{ 0xeb, 0x3c, 0x90 }, "ashmem  ", FAT_SECTOR, 1, 1, 1, 512, FAT_SECTORS, 0xf8, 3,
		63, 255, { 0 }, { 0x55, 0xaa },
	};
	static const uint16_t fat[2] = { 0xfff8, 0xffff };
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = pwrite(fd, &boot, sizeof(boot), 0) == sizeof(boot) &&
	      pwrite(fd, fat, sizeof(fat), FAT_SECTOR) == sizeof(fat) && !fsync(fd) ? 0 : -EIO;
	close(fd);
	return ret;
}

/* A child in @g unpins @len bytes and makes files, whose inodes stay in memory. */
static int make_files(const struct group *g, const char *dir, size_t len, int files)
{
	char path[300];
	struct cache c;
	pid_t pid = fork();
	int i;

	if (pid)
		return pid < 0 ? -errno : wait_child(pid);
	CHILD_CHECK(!put_file(g->procs, "0"));
	CHILD_CHECK(!cache_open(&c, "files", len, 1));
	cache_fill(&c);
	CHILD_CHECK(!cache_unpin(&c));
	for (i = 0; i < files; i++) {
		snprintf(path, sizeof(path), "%s/%d", dir, i / 400);
		CHILD_CHECK(i % 400 || !mkdir(path, 0755));
		snprintf(path, sizeof(path), "%s/%d/%d", dir, i / 400, i);
		CHILD_CHECK(!close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644)));
	}
	CHILD_CHECK(cache_in_memory(&c) < c.pages);
	_exit(0);
}

/*
 * At the limit of a cgroup Linux kills for any charge. A task that may hold locks of a file
 * system purges nothing itself.
 */
TEST_F_TIMEOUT(cgroup, files_at_the_limit_get_no_task_killed, 300)
{
	char dir[] = "/tmp/ashmem-fat-XXXXXX";
	struct group g;
	int err;

	if (access(ZRAM, F_OK))
		SKIP(return, NO_ZRAM);
	if (free_swap_kb() > 0)
		SKIP(return, "there is swap, so that no task would be killed");
	if (put_number("/sys/block/zram0/disksize", FAT_SECTORS * FAT_SECTOR))
		SKIP(return, ZRAM " is in use");
	ASSERT_EQ(0, write_fat(ZRAM));
	ASSERT_NE(NULL, mkdtemp(dir));
	err = (int)RET(mount(ZRAM, dir, "msdos", 0, ""));
	if (err) {
		rmdir(dir);
		put_file("/sys/block/zram0/reset", "1");
		SKIP(return, "msdos: %s (in the test bed: EXTRA_MODULES=msdos nls_cp437)",
		     strerror(-err));
	}
	ASSERT_EQ(0, group_make(&g, self->top, "files"));
	set_knob_bytes(g.dir, "memory.max", 20 * MIB);
	EXPECT_EQ(0, make_files(&g, dir, 18 * MIB, 16000));
	EXPECT_EQ(0, event(&g, "oom_kill"));
	EXPECT_EQ(0, RET(umount(dir)));
	rmdir(dir);
	EXPECT_EQ(0, put_file("/sys/block/zram0/reset", "1"));
}

/* ---- with swap ---- */

FIXTURE(swap)
{
	size_t p;
	bool on;
};

/* What mkswap writes: the fields of the kernel's union swap_header. */
static int write_swap_header(const char *path, size_t bytes)
{
	size_t p = page_size();
	struct {
		char boot[1024];
		uint32_t version;
		uint32_t last_page;
		uint32_t nr_badpages;
	} head = { .version = 1, .last_page = (uint32_t)(bytes / p - 1) };
	char *page = calloc(1, p);
	int fd = open(path, O_RDWR | O_CLOEXEC), ret = 0;

	if (!page || fd < 0) {
		free(page);
		return -errno;
	}
	memcpy(page, &head, sizeof(head));
	memcpy(page + p - 10, "SWAPSPACE2", 10);
	if (pwrite(fd, page, p, 0) != (ssize_t)p || fsync(fd))
		ret = -errno;
	close(fd);
	free(page);
	return ret;
}

FIXTURE_SETUP(swap)
{
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	self->p = page_size();
	if (access(ZRAM, F_OK))
		SKIP(return, NO_ZRAM);
	if (put_file("/sys/block/zram0/disksize", "134217728"))
		SKIP(return, ZRAM " is in use");
	ASSERT_EQ(0, write_swap_header(ZRAM, 134217728));
	ASSERT_EQ(0, RET(swapon(ZRAM, 0)));
	self->on = true;
}

FIXTURE_TEARDOWN(swap)
{
	if (self->on)
		EXPECT_EQ(0, RET(swapoff(ZRAM)));
	EXPECT_EQ(0, put_file("/sys/block/zram0/reset", "1"));
}

/* Asks the kernel to write a region's pages to swap; how many it did. */
static long swap_out(struct cache *c)
{
	long before = cache_in_memory(c);

	/* Pages that another CPU has not yet put on the LRU can't be swapped. */
	put_file("/proc/sys/vm/compact_memory", "1");
	if (madvise(c->a, c->len, MADV_PAGEOUT))
		return -errno;
	return before - counts_of(c->fd).resident;
}

/* Nothing of it is left, in memory or in swap. Pins it. */
#define EXPECT_ALL_LOST(c) do { \
	EXPECT_COUNTS((c)->fd, 0, (c)->pages, 0); \
	EXPECT_EQ(-ENXIO, RET(lseek((c)->fd, 0, SEEK_DATA))); \
	EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin(c)); \
	EXPECT_TRUE(zeroed((c)->a, (c)->len)); \
} while (0)

TEST_F(swap, pages_that_were_swapped_out_are_purged_like_others)
{
	struct cache c[2], pinned;
	long out, free_kb;
	int i;

	ASSERT_EQ(0, cache_open(&pinned, "pinned", 4 * MIB, 1));
	cache_fill(&pinned);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, cache_open(&c[i], "swapped", 8 * MIB, 2));
		cache_fill(&c[i]);
		/* One is unpinned before it goes to swap, one after. */
		if (!i)
			ASSERT_EQ(0, cache_unpin(&c[i]));
		out = swap_out(&c[i]);
		if (out == -EINVAL)
			SKIP(return, "no MADV_PAGEOUT");
		EXPECT_LE(c[i].pages / 2, out);
		if (i)
			ASSERT_EQ(0, cache_unpin(&c[i]));
	}
	EXPECT_LE(pinned.pages / 2, swap_out(&pinned));
	EXPECT_EQ(c[0].pages, counts_of(c[0].fd).purgeable);
	EXPECT_EQ(c[1].pages, counts_of(c[1].fd).purgeable);

	free_kb = free_swap_kb();
	EXPECT_EQ(c[0].pages + c[1].pages, ash_purge_all(pinned.fd));
	/* The swap space is free again: 16 MiB of it, at least 8. */
	EXPECT_LE(8 * 1024, free_swap_kb() - free_kb);
	for (i = 0; i < 2; i++) {
		EXPECT_ALL_LOST(&c[i]);
		cache_close(&c[i]);
	}
	EXPECT_EQ(ASHMEM_NOT_PURGED, cache_pin(&pinned));
	EXPECT_TRUE(cache_whole(&pinned));
	cache_close(&pinned);
}

TEST_F(swap, the_shrinker_takes_pages_that_were_swapped_out)
{
	struct cache c, pinned;

	ASSERT_EQ(0, cache_open(&pinned, "pinned", 4 * MIB, 1));
	ASSERT_EQ(0, cache_open(&c, "swapped", 8 * MIB, 2));
	cache_fill(&pinned);
	cache_fill(&c);
	if (swap_out(&c) == -EINVAL)
		SKIP(return, "no MADV_PAGEOUT");
	EXPECT_GE(c.pages / 2, counts_of(c.fd).resident);
	EXPECT_LE(pinned.pages / 2, swap_out(&pinned));
	ASSERT_EQ(0, cache_unpin(&c));
	ASSERT_EQ(0, shrink_everything());
	EXPECT_ALL_LOST(&c);
	EXPECT_TRUE(cache_whole(&pinned));
	cache_close(&c);
	cache_close(&pinned);
}

/* A region of huge pages, all of them in swap; false if the kernel can't. */
static bool open_huge_in_swap(struct cache *c, size_t len)
{
	unsigned char *a;

	if (!len || len > 32 * MIB || cache_open(c, "huge", len, 4))
		return false;
	a = reserve_huge(len);
	if (a == MAP_FAILED)
		return false;
	munmap(c->a, len);
	c->a = mmap(a, len, PROT_RW, MAP_SHARED | MAP_FIXED, c->fd, 0);
	if (c->a == MAP_FAILED)
		return false;
	cache_fill(c);
	return !madvise(c->a, len, MADV_COLLAPSE) && swap_out(c) > 0 &&
	       counts_of(c->fd).resident < c->pages / 4;
}

/* 6.12: a huge page can be swapped out as one. */
TEST_F(swap, huge_pages_that_were_swapped_out_are_purged)
{
	struct cache c = { .fd = -1 };

	if (!open_huge_in_swap(&c, 4 * huge_page_size()))
		SKIP(return, "no huge pages of shmem in swap");
	ASSERT_EQ(0, cache_unpin(&c));
	ASSERT_EQ(0, shrink_everything());
	EXPECT_ALL_LOST(&c);
	cache_close(&c);
}

/* shmem would read all of such a page back to free a part of it. */
TEST_F(swap, reclaim_reads_no_huge_page_back_from_swap)
{
	struct cache c = { .fd = -1 };
	long huge = (long)(huge_page_size() / page_size()), before, i;

	if (!open_huge_in_swap(&c, 4 * huge_page_size()))
		SKIP(return, "no huge pages of shmem in swap");
	before = counts_of(c.fd).resident;
	/* Two whole ones, half of the first, and single pages of the last. */
	ASSERT_EQ(0, cache_unpin_part(&c, huge / 2, huge / 2 + 2 * huge));
	for (i = 3 * huge + 1; i < c.pages; i += 2) {
		ASSERT_EQ(0, cache_unpin_part(&c, i, 1));
	}
	ASSERT_EQ(0, shrink_everything());
	EXPECT_GE(before, counts_of(c.fd).resident);
	EXPECT_EQ((off_t)(3 * huge_page_size()),
		  lseek(c.fd, (off_t)huge_page_size(), SEEK_DATA));
	EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin(&c));
	EXPECT_TRUE(cache_part_whole(&c, 0, huge / 2));
	EXPECT_TRUE(zeroed(c.a + huge_page_size(), 2 * huge_page_size()));
	for (i = 3 * huge; i < c.pages; i += 2)
		EXPECT_TRUE(cache_part_whole(&c, i, 1));
	cache_close(&c);
}

/* By command there is time: shmem reads them back, and the rest of them stays. */
TEST_F(swap, a_command_purges_parts_of_huge_pages_in_swap)
{
	struct cache c = { .fd = -1 };
	long huge = (long)(huge_page_size() / page_size());

	if (!open_huge_in_swap(&c, 4 * huge_page_size()))
		SKIP(return, "no huge pages of shmem in swap");
	ASSERT_EQ(0, cache_unpin_part(&c, huge / 2, 3 * huge));
	EXPECT_EQ(3 * huge, ash_purge_all(c.fd));
	EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin(&c));
	EXPECT_TRUE(cache_part_whole(&c, 0, huge / 2));
	EXPECT_TRUE(zeroed(c.a + huge_page_size() / 2, 3 * huge_page_size()));
	EXPECT_TRUE(cache_part_whole(&c, 3 * huge + huge / 2, huge / 2));
	cache_close(&c);
}

/* Unpinned but not purged: PIN brings the same bytes back from swap. */
TEST_F(swap, pages_come_back_from_swap_when_they_are_pinned)
{
	struct cache c;

	ASSERT_EQ(0, cache_open(&c, "back", 8 * MIB, 3));
	cache_fill(&c);
	ASSERT_EQ(0, cache_unpin(&c));
	if (swap_out(&c) == -EINVAL)
		SKIP(return, "no MADV_PAGEOUT");
	EXPECT_GE(c.pages / 2, counts_of(c.fd).resident);
	EXPECT_EQ(ASHMEM_NOT_PURGED, cache_pin(&c));
	EXPECT_TRUE(cache_whole(&c));
	EXPECT_COUNTS(c.fd, c.pages, 0, 0);
	cache_close(&c);
}

/*
 * Real pressure, with swap: unpinned pages are purged and not swapped,
 * what is pinned goes to swap and comes back as it was.
 */
TEST_F_TIMEOUT(swap, pressure_purges_what_is_unpinned_and_swaps_the_rest, 300)
{
	long avail = pressable_mb(), steps, max_steps, used;
	struct cache unpinned, pinned;
	struct hog hog;
	long page, gone = 0;
	int ret = 0;

	if (!avail)
		SKIP(return, "needs 64 to ASHMEM_PRESSURE_MAX_MB (4096) MiB available");
	ASSERT_EQ(0, cache_open(&pinned, "pinned", 16 * MIB, 1));
	ASSERT_EQ(0, cache_open(&unpinned, "unpinned", 16 * MIB, 2));
	cache_fill(&pinned);
	cache_fill(&unpinned);
	ASSERT_EQ(0, cache_unpin(&unpinned));
	used = free_swap_kb();
	ASSERT_EQ(0, hog_start(&hog, 2 * MIB, hog_bulk()));
	max_steps = (proc_kb("/proc/meminfo", "MemTotal") / 1024 + 96) / 2;
	for (steps = 0; steps < max_steps && !ret; steps++) {
		ret = hog_step(&hog);
		/* Linux asks for both in proportion. When swap is full, the hog is killed. */
		if (used - free_swap_kb() > 48 * 1024 &&
		    counts_of(unpinned.fd).purgeable < unpinned.pages / 2)
			break;
	}
	EXPECT_EQ(0, ret);
	TH_LOG("%ld MiB taken, %ld to swap; in memory: %ld of %ld pinned, %ld unpinned pages",
	       steps * 2, (used - free_swap_kb()) / 1024,
	       cache_in_memory(&pinned), pinned.pages,
	       cache_in_memory(&unpinned));
	EXPECT_GT(unpinned.pages / 2, counts_of(unpinned.fd).purgeable);
	EXPECT_EQ(0, hog_stop(&hog));
	/* kswapd may be in the last step: PIN waits for it. */
	EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin(&unpinned));
	for (page = 0; page < unpinned.pages; page++) {
		if (zeroed(unpinned.a + (size_t)page * self->p, self->p))
			gone++;
		else
			EXPECT_TRUE(cache_part_whole(&unpinned, page, 1));
	}
	EXPECT_LT(unpinned.pages / 2, gone);
	EXPECT_EQ(ASHMEM_NOT_PURGED, cache_pin(&pinned));
	EXPECT_TRUE(cache_whole(&pinned));
	cache_close(&pinned);
	cache_close(&unpinned);
}

TEST_HARNESS_MAIN
