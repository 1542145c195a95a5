// SPDX-License-Identifier: GPL-2.0
/*
 * What one thread makes another wait for. Only ratios of figures that were
 * taken side by side mean anything here: the clock is the wall's, and whatever
 * else the host does adds to them.
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define ROUNDS		7
#define OWN_RANGES	500
/* Short enough that some rounds fall between two interruptions by the host. */
#define SHORT_ROUNDS	500
#define OPS		500
#define STALL_BYTES	(512 * MIB)

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity (are there two processors?)");
}

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, fn, arg);
	if (errno)
		die("pthread_create");
	return thread;
}

static void join(pthread_t thread)
{
	errno = pthread_join(thread, NULL);
	if (errno)
		die("pthread_join");
}

struct runner {
	int cpu;
	int fd;
	pthread_barrier_t *barrier;
	double took;
};

static void pin_unpin_many(struct runner *r)
{
	unsigned int i;

	for (i = 0; i < OPS; i++) {
		pin(r->fd, OWN_RANGES + 1, 1);
		unpin(r->fd, OWN_RANGES + 1, 1);
	}
}

/* Shares nothing: how much two processors of this guest can do at all. */
static void ask_many(struct runner *r)
{
	unsigned int i;

	(void)r;
	for (i = 0; i < 8 * OPS; i++)
		syscall(SYS_getppid);
}

typedef void (*work_fn)(struct runner *r);
static work_fn work;

static void *run_work(void *arg)
{
	struct runner *r = arg;
	uint64_t begun;

	stay_on(r->cpu);
	pthread_barrier_wait(r->barrier);
	begun = ticks();
	work(r);
	r->took = ticks() - begun;
	pthread_barrier_wait(r->barrier);
	return NULL;
}

static double time_threads(struct runner *runners, unsigned int count)
{
	pthread_t threads[2];
	pthread_barrier_t barrier;
	double took = 0;
	unsigned int i;

	pthread_barrier_init(&barrier, NULL, count);
	for (i = 0; i < count; i++) {
		runners[i].barrier = &barrier;
		threads[i] = start(run_work, &runners[i]);
	}
	for (i = 0; i < count; i++) {
		join(threads[i]);
		if (runners[i].took > took)
			took = runners[i].took;
	}
	pthread_barrier_destroy(&barrier);
	return took;
}

static double fast_tenth(double *took)
{
	return quantile(took, SHORT_ROUNDS, 0.1);
}

static void run_two_threads(void)
{
	static const work_fn works[] = { pin_unpin_many, ask_many };
	static double one[2][SHORT_ROUNDS], two[2][SHORT_ROUNDS];
	size_t size = 2 * OWN_RANGES * page_size;
	struct runner runners[2] = { { .cpu = 0 }, { .cpu = 1 } };
	unsigned int i, kind;

	for (i = 0; i < 2; i++) {
		runners[i].fd = region_open(size);
		region_unmap(region_map(runners[i].fd, size), size);
		unpin_every_other(runners[i].fd, OWN_RANGES);
	}

	/*
	 * A host that is busy with something else can only slow a round down, so
	 * of each kind the fast tenth counts, by its slowest: the very fastest
	 * would be one in which the two happened not to meet. The kinds take
	 * turns, so that all of them meet the same host.
	 */
	for (i = 0; i < SHORT_ROUNDS; i++) {
		for (kind = 0; kind < 2; kind++) {
			work = works[kind];
			one[kind][i] = time_threads(runners + i % 2, 1);
			two[kind][i] = time_threads(runners, 2);
		}
	}

	/* Throughput of two, one being 1. */
	report("two_threads", 2 * fast_tenth(one[0]) / fast_tenth(two[0]), "x");
	report("two_threads_ceiling", 2 * fast_tenth(one[1]) / fast_tenth(two[1]), "x");
	for (i = 0; i < 2; i++)
		close(runners[i].fd);
}

enum { PURGE_AHEAD, PURGE_RUNS, PURGE_OVER };

struct stall {
	int fd;
	unsigned long page;
	bool with_unpin;
	atomic_int stage;
	pthread_barrier_t barrier;
	double longest;
	unsigned long calls;
};

/* Longest call of those that overlap the purge. */
static void *pin_during_purge(void *arg)
{
	struct stall *s = arg;

	stay_on(1);
	pthread_barrier_wait(&s->barrier);
	for (;;) {
		int before = atomic_load(&s->stage);
		uint64_t begun = ticks();
		double took;

		if (before == PURGE_OVER)
			return NULL;
		pin(s->fd, s->page, 1);
		if (s->with_unpin)
			unpin(s->fd, s->page, 1);
		took = ticks() - begun;
		if (atomic_load(&s->stage) == PURGE_AHEAD)
			continue;
		s->calls++;
		if (took > s->longest)
			s->longest = took;
	}
}

/*
 * Share of the time a purge takes that the longest call meanwhile takes; the
 * median of the rounds.
 */
static void report_stall(const char *name, bool same_region)
{
	unsigned long pages = STALL_BYTES / page_size;
	double shares[ROUNDS];
	int other = region_open(2 * page_size);
	unsigned int i;

	region_unmap(region_map(other, 2 * page_size), 2 * page_size);
	stay_on(0);
	for (i = 0; i < ROUNDS; i++) {
		int fd = region_open(STALL_BYTES);
		void *map = region_map(fd, STALL_BYTES);
		struct stall s = {
			.fd = same_region ? fd : other,
			.page = same_region ? pages - 1 : 1,
			.with_unpin = !same_region,
		};
		pthread_t thread;
		uint64_t begun;
		double took;

		memset(map, 1, STALL_BYTES);
		/* All but the last page, which thereby stays pinned. */
		unpin(fd, 0, pages - 1);
		pthread_barrier_init(&s.barrier, NULL, 2);
		thread = start(pin_during_purge, &s);
		pthread_barrier_wait(&s.barrier);
		usleep(20000);

		atomic_store(&s.stage, PURGE_RUNS);
		begun = ticks();
		if (purge_all(fd) < pages - 1) {
			errno = ENODATA;
			die("ASHMEM_PURGE_ALL_CACHES took too little");
		}
		took = ticks() - begun;
		atomic_store(&s.stage, PURGE_OVER);

		join(thread);
		pthread_barrier_destroy(&s.barrier);
		shares[i] = s.longest < took ? s.longest / took : 1;
		region_unmap(map, STALL_BYTES);
		close(fd);
	}
	report(name, median(shares, ROUNDS), "of the purge");
	close(other);
}

static void run_stall_other(void)
{
	report_stall("stall_other", false);
}

static void run_stall_same(void)
{
	report_stall("stall_same", true);
}

const struct measure concurrency_measures[] = {
	{ "two_threads", run_two_threads, .concurrent = true },
	{ "stall_other", run_stall_other, .concurrent = true },
	{ "stall_same", run_stall_same, .concurrent = true },
	{ NULL, NULL, false, false },
};
