// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of a purge for other CPUs: TLB shootdowns while threads write to the purged
 * pages, and calls that wait for the purge.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "kselftest_harness.h"
#include "reclaim_util.h"

enum {
	PAGES = 2048,		/* that are purged; one more stays pinned */
	STEP = 512,		/* pages that a purge takes at a time, at most */
	WRITERS = 2,
	ROUNDS = 5,
};

/*
 * The number of shootdowns; -1 if the kernel doesn't count them: CPUs that flush remote
 * TLBs in hardware need none.
 */
static long shootdowns(void)
{
	long count = -1, value;
	char line[8192], *at, *end;
	FILE *f = fopen("/proc/interrupts", "re");

	while (f && fgets(line, sizeof(line), f)) {
		at = line + strspn(line, " ");
		if (strncmp(at, "TLB:", 4))
			continue;
		count = 0;
		for (at += 4; value = strtol(at, &end, 10), end != at; at = end)
			count += value;
	}
	if (f)
		fclose(f);
	return count;
}

struct writer {
	unsigned char *a;
	uint64_t seed;
	int cpu;
	bool reads;
	atomic_bool *stop;
	atomic_long *accesses;
};

static void *write_anywhere(void *arg)
{
	struct writer *w = arg;
	struct rng r = { w->seed };
	size_t p = page_size();

	stay_on(w->cpu);
	while (!atomic_load_explicit(w->stop, memory_order_relaxed)) {
		unsigned char *at = w->a + rng_below(&r, PAGES) * p;

		/* Not by ++, which may first cause a read fault in an emulator. */
		if (w->reads)
			(void)*(volatile unsigned char *)at;
		else
			*(volatile unsigned char *)at = 1;
		atomic_fetch_add_explicit(w->accesses, 1, memory_order_relaxed);
	}
	return NULL;
}

static int by_number(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

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

FIXTURE(shootdown)
{
	struct cache c;
	pthread_t thread[WRITERS];
	struct writer writer[WRITERS];
	atomic_bool stop;
	atomic_long accesses;
	long cpus;
};

FIXTURE_VARIANT(shootdown)
{
	long (*purge)(void);
	bool reads;
	long most;	/* of each processor */
};

/* Write faults wait until a step of a command is done. */
FIXTURE_VARIANT_ADD(shootdown, command)
{
	.purge = purge_by_command,
	.most = 4 * PAGES / STEP,
};

/*
 * Read faults don't: the kernel maps the pages around them without calling shmem. Each
 * page may be mapped again, more than once, and is then unmapped alone, with two
 * shootdowns on 5.10. The shrinker can make no fault wait.
 */
FIXTURE_VARIANT_ADD(shootdown, command_readers)
{
	.purge = purge_by_command,
	.reads = true,
	.most = 4 * PAGES,
};

/* One for each part, and one for each page that is touched again before it is freed. */
FIXTURE_VARIANT_ADD(shootdown, shrinker)
{
	.purge = purge_by_shrinker,
	.most = PAGES / 4,
};

FIXTURE_SETUP(shootdown)
{
	int i;

	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	self->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (self->cpus < 2)
		SKIP(return, "needs two processors");
	ASSERT_EQ(0, cache_open(&self->c, "shot", (PAGES + 1) * page_size(), 1));
	for (i = 0; i < WRITERS; i++) {
		self->writer[i] = (struct writer) {
			.a = self->c.a, .seed = (uint64_t)i + 1,
			.cpu = 1 + i % (int)(self->cpus - 1), .reads = variant->reads,
			.stop = &self->stop, .accesses = &self->accesses,
		};
		ASSERT_EQ(0, pthread_create(&self->thread[i], NULL, write_anywhere,
					    &self->writer[i]));
	}
}

FIXTURE_TEARDOWN(shootdown)
{
	int i;

	if (!self->c.a)
		return;
	atomic_store(&self->stop, true);
	for (i = 0; i < WRITERS; i++)
		pthread_join(self->thread[i], NULL);
	cache_close(&self->c);
}

static void unpin_all(struct __test_metadata *_metadata, struct cache *c)
{
	memset(c->a, 1, c->len);
	ASSERT_EQ(0, cache_unpin_part(c, 0, PAGES));
}

TEST_F(shootdown, pages_in_use_cost_few)
{
	long count[ROUNDS], before, accesses;
	int i;

	if (shootdowns() < 0)
		SKIP(return, "/proc/interrupts counts no TLB shootdowns");
	/* A writer that shared the CPU would leave the others without one to flush. */
	ASSERT_EQ(0, stay_on(0));
	for (i = 0; i < ROUNDS; i++) {
		unpin_all(_metadata, &self->c);
		accesses = atomic_load(&self->accesses);
		before = shootdowns();
		ASSERT_LE(0, variant->purge());
		count[i] = (shootdowns() - before) / (self->cpus - 1);
		TH_LOG("%ld shootdowns, %ld accesses", count[i],
		       atomic_load(&self->accesses) - accesses);
		cache_pin(&self->c);
	}
	qsort(count, ROUNDS, sizeof(*count), by_number);
	TH_LOG("for %d pages %ld to %ld shootdowns, %ld in the middle", PAGES, count[0],
	       count[ROUNDS - 1], count[ROUNDS / 2]);
	EXPECT_GE(variant->most, count[ROUNDS / 2]);
}

/* ---- calls that wait ---- */

struct asker {
	atomic_bool purging, stop;
	atomic_long calls, sleeps;
};

/* One of each call that must not wait. A private mapping has no lock of the backing. */
static void ask(struct cache *c, int info)
{
	char name[ASHMEM_NAME_LEN], text[512];
	size_t p = page_size();

	ash_pin_status(c->fd, (uint32_t)(PAGES * p), 0);
	cache_pin_part(c, PAGES, 1);
	ash_get_name(c->fd, name);
	CHILD_CHECK(pread(info, text, sizeof(text), 0) > 0);
	CHILD_CHECK(!map_errno(c->fd, p, PROT_RW, MAP_PRIVATE, 0));
}

static void be_asker(struct asker *asker, struct cache *c)
{
	struct rusage usage;
	char path[64];
	long before;
	int info;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", c->fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	CHILD_CHECK(info >= 0);
	while (!atomic_load(&asker->stop)) {
		if (!atomic_load(&asker->purging)) {
			sched_yield();
			continue;
		}
		getrusage(RUSAGE_SELF, &usage);
		before = usage.ru_nvcsw;
		ask(c, info);
		getrusage(RUSAGE_SELF, &usage);
		atomic_fetch_add(&asker->sleeps, usage.ru_nvcsw - before);
		atomic_fetch_add(&asker->calls, 1);
	}
	_exit(0);
}

/*
 * Tasks that wait sleep; others are only preempted, which the kernel counts
 * separately. Most rounds must have no sleep at all. On a busy host a purge can be over
 * before the task has run: such a round tells nothing. The task is a process, because
 * mmap() must not wait for the writers' page faults.
 */
TEST_F(shootdown, calls_on_other_pages_never_sleep)
{
	int tries, rounds = 0, good = 0;
	struct asker *asker;
	struct utsname u;
	long sleeps, calls;
	pid_t pid;

	ASSERT_EQ(0, uname(&u));
	if (strstr(u.version, "PREEMPT_RT"))
		SKIP(return, "spinlocks sleep on a real-time kernel");
	asker = mmap(NULL, sizeof(*asker), PROT_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, asker);
	/* The first private mapping makes a file: not beside a purge. */
	ASSERT_EQ(0, map_errno(self->c.fd, page_size(), PROT_RW, MAP_PRIVATE, 0));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		be_asker(asker, &self->c);
	for (tries = 0; tries < 30 * ROUNDS && rounds < ROUNDS; tries++) {
		unpin_all(_metadata, &self->c);
		sleeps = atomic_load(&asker->sleeps);
		calls = atomic_load(&asker->calls);
		atomic_store(&asker->purging, true);
		ASSERT_LE(0, variant->purge());
		atomic_store(&asker->purging, false);
		/* The last call is counted when it is done. */
		nap_ms(20);
		sleeps = atomic_load(&asker->sleeps) - sleeps;
		calls = atomic_load(&asker->calls) - calls;
		TH_LOG("%ld sleeps in %ld rounds of calls", sleeps, calls);
		rounds += calls > 0;
		good += calls > 0 && !sleeps;
		cache_pin_part(&self->c, 0, PAGES);
	}
	atomic_store(&asker->stop, true);
	EXPECT_EQ(0, wait_child(pid));
	munmap(asker, sizeof(*asker));
	if (!rounds)
		SKIP(return, "no call was made beside a purge");
	EXPECT_LT(rounds / 2, good);
}

TEST_HARNESS_MAIN
