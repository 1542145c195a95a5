// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long one thread makes another wait. Contention needs wall-clock time, so only
 * ratios of figures that were measured side by side are reported.
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define ROUNDS		5
#define OWN_RANGES	500
/* Short enough that the host does not interrupt some of the rounds. */
#define SHORT_ROUNDS	500
#define OPS		500
#define STALL_BYTES	(512 * MIB)
/* The most that the driver throws away at a time; memfd is made to do the same. */
#define STEP_PAGES	512

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

/* Shares nothing: the maximum of two CPUs of this guest. */
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
	double gain[2];

	for (i = 0; i < 2; i++) {
		runners[i].fd = region_open(size);
		region_unmap(region_map(runners[i].fd, size), size);
		unpin_every_other(runners[i].fd, OWN_RANGES);
	}

	/*
	 * A busy host can only slow a round down, so the fastest tenth of each kind
	 * counts, by its slowest: in the very fastest the two threads may not have met.
	 * The kinds alternate, so that the host affects all of them.
	 */
	for (i = 0; i < SHORT_ROUNDS; i++) {
		for (kind = 0; kind < 2; kind++) {
			work = works[kind];
			one[kind][i] = time_threads(runners + i % 2, 1);
			two[kind][i] = time_threads(runners, 2);
		}
	}

	/* Throughput of two threads, relative to one. */
	for (kind = 0; kind < 2; kind++)
		gain[kind] = 2 * fast_tenth(one[kind]) / fast_tenth(two[kind]);
	report("two_threads", gain[0], "x");
	report("two_threads_ceiling", gain[1], "x");
	report("two_threads_share", gain[0] / gain[1], "of the ceiling");
	for (i = 0; i < 2; i++)
		close(runners[i].fd);
}

enum { PURGE_AHEAD, PURGE_RUNS, PURGE_OVER };

/* Regions of a round: one is purged but for its last page, one is another. */
struct stall {
	int fd;
	int other;
	unsigned long pinned;
	void *mapped;
	atomic_int stage;
	pthread_barrier_t barrier;
};

static void call_nothing(struct stall *s)
{
	(void)s;
	syscall(SYS_getppid);
}

static void call_other(struct stall *s)
{
	pin(s->other, 1, 1);
	unpin(s->other, 1, 1);
}

static void call_pin(struct stall *s)
{
	pin(s->fd, s->pinned, 1);
}

static void call_status(struct stall *s)
{
	if (pin_ioctl(s->fd, ASHMEM_GET_PIN_STATUS, s->pinned, 1) != ASHMEM_IS_PINNED)
		die("ASHMEM_GET_PIN_STATUS");
}

/* The first page, which is among those that are purged. */
static void call_mmap(struct stall *s)
{
	s->mapped = region_map(s->fd, page_size);
}

static const struct {
	const char *name;
	void (*call)(struct stall *s);
	bool memfd;
} stalls[] = {
	{ "stall_nothing", call_nothing, true },
	{ "stall_other", call_other, false },
	{ "stall_same", call_pin, false },
	{ "stall_status", call_status, false },
	{ "stall_mmap", call_mmap, true },
};

#define STALLS	(sizeof(stalls) / sizeof(*stalls))

static double longest[STALLS];

/* Makes the calls in turn; the longest of each that overlaps the purge counts. */
static void *call_during_purge(void *arg)
{
	struct stall *s = arg;
	unsigned int i;

	stay_on(1);
	pthread_barrier_wait(&s->barrier);
	for (i = 0;; i = (i + 1) % STALLS) {
		int before = atomic_load(&s->stage);
		uint64_t begun = ticks();
		double took;

		if (before == PURGE_OVER)
			return NULL;
		if (subject_is_memfd && !stalls[i].memfd)
			continue;
		stalls[i].call(s);
		took = ticks() - begun;
		if (atomic_load(&s->stage) != PURGE_AHEAD && took > longest[i])
			longest[i] = took;
		if (s->mapped)
			region_unmap(s->mapped, page_size);
		s->mapped = NULL;
	}
}

static void purge_stalled(struct stall *s)
{
	unsigned long i;

	if (subject_is_memfd) {
		for (i = 0; i < s->pinned; i += STEP_PAGES)
			punch(s->fd, i, STEP_PAGES);
	} else if (purge_all(s->fd) < s->pinned) {
		errno = ENODATA;
		die("ASHMEM_PURGE_ALL_CACHES took too little");
	}
}

/* Ticks that the purge took. */
static double stall_round(struct stall *s)
{
	unsigned long pages = STALL_BYTES / page_size;
	void *map;
	pthread_t thread;
	uint64_t begun;
	unsigned int i;
	double took;

	s->fd = region_open(STALL_BYTES);
	s->pinned = pages - 1;
	map = region_map(s->fd, STALL_BYTES);
	memset(map, 1, STALL_BYTES);
	if (!subject_is_memfd)
		unpin(s->fd, 0, pages - 1);
	for (i = 0; i < STALLS; i++)
		longest[i] = -1;
	atomic_store(&s->stage, PURGE_AHEAD);
	pthread_barrier_init(&s->barrier, NULL, 2);
	thread = start(call_during_purge, s);
	pthread_barrier_wait(&s->barrier);
	usleep(20000);

	atomic_store(&s->stage, PURGE_RUNS);
	begun = ticks();
	purge_stalled(s);
	took = ticks() - begun;
	atomic_store(&s->stage, PURGE_OVER);

	join(thread);
	pthread_barrier_destroy(&s->barrier);
	region_unmap(map, STALL_BYTES);
	close(s->fd);
	return took;
}

/*
 * Ratio of the longest call during a purge to the time of the purge; the
 * median of the rounds. A call without a lock shows for how long the host, rather than
 * a lock, made the thread wait. A call that was rarely made, because another one
 * waited for the whole purge, is left out.
 */
static void run_stall(void)
{
	struct stall s = { .other = region_open(2 * page_size) };
	double shares[STALLS][ROUNDS], took;
	unsigned int i, round, made[STALLS] = {};

	region_unmap(region_map(s.other, 2 * page_size), 2 * page_size);
	stay_on(0);
	for (round = 0; round < ROUNDS; round++) {
		took = stall_round(&s);
		for (i = 0; i < STALLS; i++)
			if (longest[i] >= 0)
				shares[i][made[i]++] = longest[i] < took ? longest[i] / took : 1;
	}
	for (i = 0; i < STALLS; i++)
		if (made[i] > ROUNDS / 2)
			report(stalls[i].name, median(shares[i], made[i]), "of the purge");
	close(s.other);
}

const struct measure concurrency_measures[] = {
	{ "two_threads", run_two_threads, false, CONCURRENT },
	{ "stall", run_stall, true, CONCURRENT },
	{ NULL, NULL, false, CONCURRENT },
};
