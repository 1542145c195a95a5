// SPDX-License-Identifier: GPL-2.0-only
/*
 * Purging against everything else at once: pin, unpin, close, fork, exit and
 * kill, by several processes that share regions, and by threads that share one.
 *
 * ASHMEM_RACE_SECONDS (default 12) is how long the processes race, ASHMEM_SEED
 * what their choices begin with.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "kselftest_harness.h"
#include "reclaim_util.h"

#define MIB		(1UL << 20)

enum {
	REGIONS = 3,
	SLOTS = 48,		/* units that one process has at a time */
	SLOT_PAGES_BIG = 64,	/* one region's: a purge may take several steps */
	WORKERS = 4,
};

/* Seconds to race for; the time limits below leave room for 60. */
static int race_seconds(void)
{
	const char *env = getenv("ASHMEM_RACE_SECONDS");
	long s = env ? strtol(env, NULL, 0) : 12;

	return s < 1 ? 1 : s > 60 ? 60 : (int)s;
}

/* ---- what the racing processes share ---- */

/*
 * A slot is some pages of a region. Only the holder of its owner word
 * writes, pins and unpins its pages, and knows what they should contain: each
 * word tells region, page and generation. Intervals of several slots are taken
 * in one go, so that ranges span slots, and are then pinned in parts.
 */
struct slot {
	atomic_int owner;
	uint32_t generation;
	bool unpinned;
};

struct shared {
	atomic_bool stop;
	atomic_long pins_kept;
	atomic_long pins_lost;
	atomic_long purges;
	atomic_long forks;
	atomic_long closes;
	struct slot slot[REGIONS][SLOTS];
};

struct arena {
	struct shared *s;
	uint64_t seed;
	int fd[REGIONS];
	unsigned char *a[REGIONS];
	size_t slot_pages[REGIONS];
	size_t stride[REGIONS];	/* in a page: all words, or some for speed */
	size_t p;
};

static uint64_t word_of(int region, size_t page, uint32_t generation)
{
	return 0xa500000000000000ULL | (uint64_t)region << 48 |
	       (uint64_t)page << 32 | generation;
}

static void write_slot(struct arena *t, int region, int slot)
{
	struct slot *s = &t->s->slot[region][slot];
	size_t page = (size_t)slot * t->slot_pages[region];
	size_t end = page + t->slot_pages[region], i;

	s->generation++;
	for (; page < end; page++) {
		uint64_t word = word_of(region, page, s->generation);
		volatile uint64_t *q = (void *)(t->a[region] + page * t->p);

		for (i = 0; i < t->p / sizeof(*q); i += t->stride[region])
			q[i] = word;
	}
}

/*
 * After NOT_PURGED each word must be what was written last; after WAS_PURGED it may be
 * 0, but nothing else.
 */
static bool slot_good(struct arena *t, int region, int slot, long answer)
{
	struct slot *s = &t->s->slot[region][slot];
	size_t page = (size_t)slot * t->slot_pages[region];
	size_t end = page + t->slot_pages[region], i;

	for (; page < end; page++) {
		uint64_t word = word_of(region, page, s->generation);
		uint64_t *q = (void *)(t->a[region] + page * t->p);

		for (i = 0; i < t->p / sizeof(*q); i += t->stride[region]) {
			if (q[i] == word)
				continue;
			if (answer == ASHMEM_WAS_PURGED && !q[i])
				continue;
			fprintf(stderr,
				"# ASHMEM_SEED=%llu region %d page %zu byte %zu: 0x%llx, not 0x%llx, after a PIN that said %s\n",
				(unsigned long long)t->seed, region, page,
				i * sizeof(*q), (unsigned long long)q[i],
				(unsigned long long)word,
				answer == ASHMEM_WAS_PURGED ? "WAS_PURGED" :
							      "NOT_PURGED");
			return false;
		}
	}
	return true;
}

/* Takes up to @want slots from @first on; returns how many it got. */
static int take_slots(struct arena *t, int region, int first, int want)
{
	int i, free_word;

	for (i = 0; i < want && first + i < SLOTS; i++) {
		free_word = 0;
		if (!atomic_compare_exchange_strong(&t->s->slot[region][first + i].owner,
						    &free_word, (int)getpid()))
			break;
	}
	return i;
}

static void give_slots(struct arena *t, int region, int first, int n)
{
	int i;

	for (i = 0; i < n; i++)
		atomic_store(&t->s->slot[region][first + i].owner, 0);
}

static void set_unpinned(struct arena *t, int region, int first, int n, bool yes)
{
	int i;

	for (i = 0; i < n; i++)
		t->s->slot[region][first + i].unpinned = yes;
}

/* One turn of a worker at some slots; false when something is wrong. */
static bool turn(struct arena *t, struct rng *r)
{
	int region = (int)rng_below(r, REGIONS);
	int first = (int)rng_below(r, SLOTS), i, n;
	size_t bytes = t->slot_pages[region] * t->p;
	uint32_t offset = (uint32_t)((size_t)first * bytes), len;
	unsigned int what = rng_below(r, 16);
	bool good = true, any = false;
	long answer;

	n = take_slots(t, region, first, 1 + (int)rng_below(r, region ? 6 : 16));
	if (!n)
		return true;
	len = (uint32_t)((size_t)n * bytes);
	for (i = 0; i < n; i++)
		any |= t->s->slot[region][first + i].unpinned;

	answer = ash_pin_status(t->fd[region], offset, len);
	if (answer != (any ? ASHMEM_IS_UNPINNED : ASHMEM_IS_PINNED)) {
		fprintf(stderr, "# ASHMEM_SEED=%llu region %d slots %d+%d: status %ld, not %d\n",
			(unsigned long long)t->seed, region, first, n, answer,
			!any);
		good = false;
	}

	if (what < 2 && any) {
		/* New contents without a PIN, and a younger age. */
		for (i = 0; i < n; i++)
			write_slot(t, region, first + i);
		good &= ash_unpin(t->fd[region], offset, len) == 0;
		set_unpinned(t, region, first, n, true);
		give_slots(t, region, first, n);
		return good;
	}

	answer = ash_pin(t->fd[region], offset, len);
	if (answer != ASHMEM_NOT_PURGED && answer != ASHMEM_WAS_PURGED) {
		fprintf(stderr, "# PIN: %ld\n", answer);
		good = false;
	}
	/* Nothing of what is pinned can be lost. */
	if (!any && answer == ASHMEM_WAS_PURGED) {
		fprintf(stderr, "# ASHMEM_SEED=%llu region %d slots %d+%d: pinned but lost\n",
			(unsigned long long)t->seed, region, first, n);
		good = false;
	}
	if (any)
		atomic_fetch_add(answer == ASHMEM_WAS_PURGED ?
				 &t->s->pins_lost : &t->s->pins_kept, 1);
	for (i = 0; i < n; i++)
		good &= slot_good(t, region, first + i, answer);
	set_unpinned(t, region, first, n, false);
	for (i = 0; i < n; i++)
		write_slot(t, region, first + i);
	/* Pinned pages stay while others purge beside them. */
	if (what == 2)
		nap_ms(1);
	for (i = 0; i < n; i++)
		good &= slot_good(t, region, first + i, ASHMEM_NOT_PURGED);
	/* Some stay pinned until another worker takes them. */
	if (what > 3) {
		good &= ash_unpin(t->fd[region], offset, len) == 0;
		set_unpinned(t, region, first, n, true);
	}
	give_slots(t, region, first, n);
	return good;
}

/* A region that one task closes while its ranges are being purged. */
static bool short_lived(struct arena *t, struct rng *r)
{
	size_t pages = 1 + rng_below(r, 64), i;
	struct cache c;
	long answer;

	if (cache_open(&c, "short-lived", pages * t->p, rng_next(r)))
		return false;
	memset(c.a, 0x5a, c.len);
	for (i = 0; i < pages; i += 2) {
		if (cache_unpin_part(&c, (long)i, 1))
			return false;
	}
	if (rng_below(r, 2)) {
		/* The mapping outlives the descriptor, and nothing is purged then. */
		answer = ash_pin_status(c.fd, 0, 0);
		close(c.fd);
		c.fd = -1;
		for (i = 1; i < pages; i += 2) {
			if (!all_bytes(c.a + i * t->p, t->p, 0x5a))
				answer = -1;
		}
		munmap(c.a, c.len);
		atomic_fetch_add(&t->s->closes, 1);
		return answer == ASHMEM_IS_UNPINNED;
	}
	cache_close(&c);
	atomic_fetch_add(&t->s->closes, 1);
	return true;
}

static void worker(struct arena *t, uint64_t seed)
{
	struct rng r = { seed };
	int status, i;
	pid_t pid;

	while (!atomic_load(&t->s->stop)) {
		unsigned int what = rng_below(&r, 64);

		if (what == 0) {
			/* A child goes on with the same regions, and exits. */
			pid = fork();
			CHILD_CHECK(pid >= 0);
			if (!pid) {
				r.state ^= (uint64_t)getpid() << 20;
				for (i = 0; i < 8; i++)
					CHILD_CHECK(turn(t, &r));
				_exit(0);
			}
			CHILD_CHECK(waitpid(pid, &status, 0) == pid &&
				    status == 0);
			atomic_fetch_add(&t->s->forks, 1);
		} else if (what < 4) {
			CHILD_CHECK(short_lived(t, &r));
		} else if (what < 6) {
			/* A duplicate is the same region; closing it isn't the end. */
			i = (int)rng_below(&r, REGIONS);
			i = dup(t->fd[i]);
			CHILD_CHECK(i >= 0 && ash_pin_status(i, 0, 0) >= 0 &&
				    !close(i));
		} else {
			CHILD_CHECK(turn(t, &r));
		}
	}
	_exit(0);
}

/* By the command, which waits for regions, and by the shrinker, which doesn't. */
static void purger(struct arena *t, uint64_t seed, bool shrink)
{
	struct rng r = { seed };

	while (!atomic_load(&t->s->stop)) {
		if (shrink)
			CHILD_CHECK(!shrink_everything());
		else
			CHILD_CHECK(ash_purge_all(t->fd[0]) >= 0);
		atomic_fetch_add(&t->s->purges, 1);
		/* Time for PINs that find all contents. */
		nap_ms(shrink ? 50 + rng_below(&r, 200) : rng_below(&r, 100));
	}
	_exit(0);
}

/*
 * Keeps the machine just short of memory: allocates in small steps until shrinkers run,
 * frees some, and repeats.
 */
static void presser(struct arena *t)
{
	size_t step = 256 * 1024, room = 64 * MIB, bulk = hog_bulk(), at = 0;
	long long seen = keyed_number("/proc/vmstat", "slabs_scanned"), scanned;
	unsigned char *q;

	put_file("/proc/self/oom_score_adj", "1000");
	q = mmap(NULL, bulk, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHILD_CHECK(q != MAP_FAILED);
	madvise(q, bulk, MADV_HUGEPAGE);
	memset(q, 1, bulk);
	q = mmap(NULL, room, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHILD_CHECK(q != MAP_FAILED);
	while (!atomic_load(&t->s->stop)) {
		if (at + step <= room) {
			memset(q + at, 1, step);
			at += step;
		}
		scanned = keyed_number("/proc/vmstat", "slabs_scanned");
		if (scanned == seen && at + step <= room)
			continue;
		seen = scanned;
		at = at > 4 * MIB ? at - 4 * MIB : 0;
		madvise(q + at, room - at, MADV_DONTNEED);
		nap_ms(100);
	}
	_exit(0);
}

FIXTURE(race)
{
	struct arena t;
	int log;
};

FIXTURE_SETUP(race)
{
	struct arena *t = &self->t;
	int i;

	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	self->log = klog_open();
	t->p = page_size();
	t->seed = rng_seed();
	t->s = mmap(NULL, sizeof(*t->s), PROT_RW, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	ASSERT_NE(MAP_FAILED, t->s);
	for (i = 0; i < REGIONS; i++) {
		t->slot_pages[i] = i ? 1 : SLOT_PAGES_BIG;
		t->stride[i] = i ? 1 : t->p / sizeof(uint64_t) / 4;
		t->fd[i] = ash_region("race", SLOTS * t->slot_pages[i] * t->p);
		ASSERT_LE(0, t->fd[i]);
		t->a[i] = ash_map(t->fd[i], SLOTS * t->slot_pages[i] * t->p,
				  PROT_RW);
		ASSERT_NE(MAP_FAILED, t->a[i]);
	}
}

FIXTURE_TEARDOWN(race)
{
	if (self->log >= 0)
		EXPECT_EQ(0, klog_close(self->log));
}

TEST_F_TIMEOUT(race, purge_against_pin_unpin_close_and_fork, 300)
{
	pid_t pid[WORKERS + 3];
	struct arena *t = &self->t;
	int i, j, n = 0, dead = -1;
	double end = now_s() + race_seconds();
	bool press = pressable_mb() && free_swap_kb() <= 0;

	for (i = 0; i < REGIONS; i++) {
		for (j = 0; j < SLOTS; j++)
			write_slot(t, i, j);
	}
	for (n = 0; n < WORKERS + 2 + press; n++) {
		pid[n] = fork();
		ASSERT_LE(0, pid[n]);
		if (pid[n])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (n < WORKERS)
			worker(t, t->seed + (uint64_t)n * 1000003);
		if (n < WORKERS + 2)
			purger(t, t->seed + (uint64_t)n, n == WORKERS + 1);
		presser(t);
	}
	/* Both results must occur. The first one that ends early ends the race. */
	while ((now_s() < end || atomic_load(&t->s->pins_kept) <= 20 ||
		atomic_load(&t->s->pins_lost) <= 20) && dead < 0) {
		char text[32];

		/* Counts are read without the locks. */
		for (i = 0; i < 200; i++)
			get_file("/sys/class/misc/ashmem/purgeable_pages", text,
				 sizeof(text));
		nap_ms(10);
		for (i = 0; i < n; i++) {
			siginfo_t info = { .si_pid = 0 };

			waitid(P_PID, (id_t)pid[i], &info,
			       WEXITED | WNOHANG | WNOWAIT);
			/* The presser may be the OOM killer's victim. */
			if (info.si_pid && i < WORKERS + 2)
				dead = i;
		}
	}
	atomic_store(&t->s->stop, true);
	for (i = 0; i < n; i++) {
		int code = wait_child(pid[i]);

		if (i < WORKERS + 2) {
			EXPECT_EQ(0, code) {
				TH_LOG("%s %d failed; ASHMEM_SEED=%llu",
				       i < WORKERS ? "worker" : "purger", i,
				       (unsigned long long)t->seed);
			}
		} else {
			EXPECT_TRUE(code == 0 || code == 128 + SIGKILL);
		}
	}
	TH_LOG("%d s: PINs found all %ld, lost %ld; purges %ld, forks %ld, closes %ld%s",
	       race_seconds(), atomic_load(&t->s->pins_kept),
	       atomic_load(&t->s->pins_lost), atomic_load(&t->s->purges),
	       atomic_load(&t->s->forks), atomic_load(&t->s->closes),
	       press ? ", under pressure" : "");

	/* What each page is in the end, and the sums. */
	for (i = 0; i < REGIONS; i++) {
		uint32_t bytes = (uint32_t)(t->slot_pages[i] * t->p);
		long unpinned = 0;
		struct counts c;

		for (j = 0; j < SLOTS; j++) {
			bool u = t->s->slot[i][j].unpinned;

			unpinned += u ? (long)t->slot_pages[i] : 0;
			EXPECT_EQ(u ? ASHMEM_IS_UNPINNED : ASHMEM_IS_PINNED,
				  ash_pin_status(t->fd[i], (uint32_t)j * bytes,
						 bytes));
		}
		c = counts_of(t->fd[i]);
		EXPECT_EQ(unpinned, c.unpinned);
		EXPECT_GE(unpinned, c.purgeable);
		for (j = 0; j < SLOTS; j++) {
			long answer = ash_pin(t->fd[i], (uint32_t)j * bytes,
					      bytes);

			EXPECT_TRUE(slot_good(t, i, j, answer));
		}
		EXPECT_EQ(0, counts_of(t->fd[i]).unpinned);
		EXPECT_EQ(0, counts_of(t->fd[i]).purgeable);
	}
	/* Nothing that was closed or pinned is on the list any more. */
	EXPECT_EQ(0, ash_purge_all(t->fd[0]));
	ASSERT_EQ(0, ash_unpin(t->fd[0], 0, 0));
	EXPECT_EQ(SLOTS * SLOT_PAGES_BIG, ash_purge_all(t->fd[0]));
	EXPECT_EQ(0, counts_of(t->fd[0]).resident);
}

/* ---- a task killed while it purges ---- */

TEST_F_TIMEOUT(race, a_task_killed_in_a_purge_leaves_all_in_order, 300)
{
	enum { ROUNDS = 25, PAGES = 4096 };
	static const struct sched_param no_priority;
	int round, stopped = 0;
	uint64_t seed = self->t.seed;
	struct rng r = { seed };
	struct cache c;
	long i, lost, purgeable, ahead;

	/*
	 * On one CPU, so that the purge can't be over before the watcher looks, however
	 * busy the machine is: a task that wakes up runs before an idle task.
	 */
	ASSERT_EQ(0, stay_on(sched_getcpu()));
	ASSERT_EQ(0, cache_open(&c, "killed", PAGES * self->t.p, 1));
	for (round = 0; round < ROUNDS; round++) {
		double begun;
		pid_t pid;

		for (i = 0; i < PAGES; i++)
			c.a[(size_t)i * self->t.p] = (unsigned char)(round + 1);
		/* In many ranges or in one, of which a part is purged in the end. */
		if (round % 3 == 2) {
			ASSERT_EQ(0, cache_unpin(&c));
		} else {
			for (i = 0; i < PAGES; i += 16) {
				ASSERT_EQ(0, cache_unpin_part(&c, i, 16));
			}
		}
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			CHILD_CHECK(!sched_setscheduler(0, SCHED_IDLE, &no_priority));
			ash_purge_all(c.fd);
			pause();
			_exit(0);
		}
		/* Not before it began, and some steps later. */
		begun = now_s();
		while (counts_of(c.fd).purgeable == PAGES && now_s() < begun + 5)
			usleep(100);
		for (i = (long)rng_below(&r, 4); i > 0; i--)
			usleep(100);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(128 + SIGKILL, wait_child(pid));

		purgeable = counts_of(c.fd).purgeable;
		EXPECT_EQ(PAGES, counts_of(c.fd).unpinned);
		stopped += purgeable > 0 && purgeable < PAGES;
		/* Every page that isn't purgeable any more went, and no other. */
		lost = 0;
		for (i = 0; i < PAGES; i++) {
			unsigned char byte;

			ASSERT_EQ(1, pread(c.fd, &byte, 1, i * (long)self->t.p));
			ASSERT_TRUE(byte == 0 || byte == (unsigned char)(round + 1));
			lost += byte == 0;
		}
		EXPECT_EQ(PAGES - purgeable, lost);
		if (round % 2) {
			EXPECT_EQ(purgeable, ash_purge_all(c.fd));
			EXPECT_COUNTS(c.fd, 0, PAGES, 0);
		}
		ahead = cache_pin(&c);
		EXPECT_EQ(lost || round % 2 ? ASHMEM_WAS_PURGED :
					      ASHMEM_NOT_PURGED, ahead);
		EXPECT_EQ(0, ash_purge_all(c.fd));
	}
	TH_LOG("ASHMEM_SEED=%llu: %d of %d purges were stopped on their way",
	       (unsigned long long)seed, stopped, ROUNDS);
	EXPECT_LT(0, stopped);
	cache_close(&c);
}

/*
 * A PIN of many ranges drops the region's lock. A task that is killed in it has reported
 * nothing, so the marks must not be gone in part.
 */
TEST_F_TIMEOUT(race, a_killed_pin_forgets_all_losses_or_none, 300)
{
	enum { ROUNDS = 24, RANGES = 4000 };
	static const struct sched_param no_priority;
	volatile unsigned char *begun;
	int round, cut = 0;
	struct cache c;
	long i, told;
	pid_t pid;

	/* See above: the one that kills runs before an idle task. */
	ASSERT_EQ(0, stay_on(sched_getcpu()));
	ASSERT_EQ(0, cache_open(&c, "forgets", (2 * RANGES + 1) * self->t.p, 1));
	begun = c.a + 2 * RANGES * self->t.p;
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < 2 * RANGES; i += 2) {
			c.a[(size_t)i * self->t.p] = 1;
			ASSERT_EQ(0, cache_unpin_part(&c, i, 1));
		}
		ASSERT_LE(RANGES, ash_purge_all(c.fd));
		*begun = 0;
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			CHILD_CHECK(!sched_setscheduler(0, SCHED_IDLE, &no_priority));
			*begun = 1;
			cache_pin(&c);
			_exit(0);
		}
		while (!*begun)
			usleep(100);
		usleep((unsigned int)round * 500);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		cut += wait_child(pid) == 128 + SIGKILL;
		told = 0;
		for (i = 0; i < 2 * RANGES; i += 2)
			told += cache_pin_part(&c, i, 1) == ASHMEM_WAS_PURGED;
		EXPECT_TRUE(!told || told == RANGES) {
			TH_LOG("round %d: %ld of %d losses are still told", round, told, RANGES);
		}
	}
	TH_LOG("%d of %d PINs were killed", cut, ROUNDS);
	cache_close(&c);
}

/* ---- everything at once on one region ---- */

enum { THREADS = 8, FEW_PAGES = 32 };

/*
 * One descriptor number that gets a new region from time to time: dup2() replaces it
 * atomically, while calls on the old one continue.
 */
struct crowd {
	int fd;
	size_t p;
	uint64_t seed;
	atomic_bool stop;
	atomic_long calls, wrong;
};

struct member {
	struct crowd *crowd;
	uint64_t seed;
};

static void complain(struct crowd *w, const char *what, long ret)
{
	if (atomic_fetch_add(&w->wrong, 1) < 10)
		fprintf(stderr, "# ASHMEM_SEED=%llu %s: %ld\n",
			(unsigned long long)w->seed, what, ret);
}

/* Names are one repeated letter: any other name was torn. */
static bool name_whole(const char *name)
{
	size_t i, len = strlen(name);

	if (!strcmp(name, ASHMEM_NAME_DEF))
		return true;
	for (i = 1; i < len; i++) {
		if (name[i] != name[0])
			return false;
	}
	return len == (size_t)(name[0] - 'a' + 1) * 7;
}

static bool crowd_size(long size, size_t p)
{
	return size == 0 || size == (long)(FEW_PAGES * p) ||
	       size == (long)(FEW_PAGES * p / 2);
}

static void crowd_call(struct crowd *w, struct rng *r)
{
	unsigned int what = rng_below(r, 12);
	uint32_t offset = (uint32_t)(rng_below(r, FEW_PAGES / 2) * w->p);
	uint32_t len = (uint32_t)((1 + rng_below(r, FEW_PAGES / 2)) * w->p);
	char name[ASHMEM_NAME_LEN], line[32];
	volatile unsigned char *q;
	size_t i, n;
	long ret;

	switch (what) {
	case 0:
		memset(name, 0, sizeof(name));
		n = rng_below(r, 20);
		memset(name, (int)('a' + n), (n + 1) * 7);
		ret = ash_set_name(w->fd, name);
		if (ret && ret != -EINVAL)
			complain(w, "SET_NAME", ret);
		break;
	case 1:
		ret = ash_get_name(w->fd, name);
		if (ret || !name_whole(name))
			complain(w, name, ret);
		break;
	case 2:
		ret = ash_set_size(w->fd, rng_below(r, 2) ? FEW_PAGES * w->p :
							    FEW_PAGES * w->p / 2);
		if (ret && ret != -EINVAL)
			complain(w, "SET_SIZE", ret);
		break;
	case 3:
		ret = ash_get_size(w->fd);
		if (!crowd_size(ret, w->p))
			complain(w, "GET_SIZE", ret);
		break;
	case 4:
		/* Rarely, because nothing gives a right back. */
		ret = ash_set_mask(w->fd, rng_below(r, 50) ? PROT_RW : PROT_READ);
		if (ret && ret != -EINVAL)
			complain(w, "SET_PROT_MASK", ret);
		ret = ash_get_mask(w->fd);
		if (ret != PROT_RWX && ret != PROT_RW && ret != PROT_READ)
			complain(w, "GET_PROT_MASK", ret);
		break;
	case 5:
	case 6:
		q = ash_map(w->fd, FEW_PAGES * w->p / 2, PROT_RW);
		if (q == MAP_FAILED) {
			if (errno != EINVAL && errno != EPERM)
				complain(w, "mmap", -errno);
			break;
		}
		for (i = 0; i < FEW_PAGES / 2; i++)
			q[i * w->p] = 1;
		munmap((void *)q, FEW_PAGES * w->p / 2);
		break;
	case 7:
		ret = ash_pin(w->fd, offset, len);
		if (ret != ASHMEM_NOT_PURGED && ret != ASHMEM_WAS_PURGED &&
		    ret != -EINVAL)
			complain(w, "PIN", ret);
		break;
	case 8:
		ret = ash_unpin(w->fd, offset, len);
		if (ret && ret != -EINVAL && ret != -EPERM)
			complain(w, "UNPIN", ret);
		break;
	case 9:
		ret = ash_pin_status(w->fd, offset, len);
		if (ret != ASHMEM_IS_PINNED && ret != ASHMEM_IS_UNPINNED &&
		    ret != -EINVAL)
			complain(w, "GET_PIN_STATUS", ret);
		break;
	case 10:
		ret = ash_purge_all(w->fd);
		/*
		 * Pages that others unpin again in the same tick are taken and counted
		 * again.
		 */
		if (ret < 0)
			complain(w, "PURGE_ALL_CACHES", ret);
		break;
	default:
		ret = fdinfo_get(w->fd, "size", line, sizeof(line));
		if (ret != 1 || !crowd_size(strtol(line, NULL, 10), w->p))
			complain(w, "fdinfo", ret);
		ret = RET(pread(w->fd, name, sizeof(name), offset));
		if (ret < 0 && ret != -EBADF)
			complain(w, "pread", ret);
		break;
	}
	atomic_fetch_add(&w->calls, 1);
}

static void *crowd_thread(void *arg)
{
	struct member *m = arg;
	struct rng r = { m->seed };

	while (!atomic_load(&m->crowd->stop))
		crowd_call(m->crowd, &r);
	return NULL;
}

TEST_F_TIMEOUT(race, threads_do_everything_with_one_region, 300)
{
	struct crowd w = { .p = self->t.p, .seed = self->t.seed };
	struct member m[THREADS];
	pthread_t thread[THREADS];
	double end = now_s() + (race_seconds() < 10 ? race_seconds() : 10);
	struct counts c;
	void *a;
	int i, fd;

	w.fd = ash_open(O_RDWR);
	ASSERT_LE(0, w.fd);
	for (i = 0; i < THREADS; i++) {
		m[i] = (struct member) { &w, w.seed + (uint64_t)i * 7919 };
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, crowd_thread,
					    &m[i]));
	}
	for (i = 0; now_s() < end || atomic_load(&w.calls) <= 1000; i++) {
		fd = ash_open(O_RDWR);
		ASSERT_LE(0, fd);
		ASSERT_EQ(w.fd, dup2(fd, w.fd));
		close(fd);
		nap_ms(5 + (unsigned int)i % 50);
	}
	atomic_store(&w.stop, true);
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	}
	TH_LOG("%ld calls", atomic_load(&w.calls));
	EXPECT_EQ(0, atomic_load(&w.wrong));

	/* The last of them is as good as any. */
	fd = ash_open(O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(w.fd, dup2(fd, w.fd));
	EXPECT_EQ(0, ash_purge_all(fd));
	ASSERT_EQ(0, ash_set_size(fd, 8 * w.p));
	a = ash_map(w.fd, 8 * w.p, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	fill(a, 8 * w.p, 1);
	ASSERT_EQ(0, ash_unpin(w.fd, 0, 0));
	c = counts_of(fd);
	EXPECT_EQ(8, c.purgeable);
	EXPECT_EQ(8, ash_purge_all(fd));
	EXPECT_TRUE(zeroed(a, 8 * w.p));
	close(fd);
	close(w.fd);
}

TEST_HARNESS_MAIN
