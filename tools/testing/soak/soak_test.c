// SPDX-License-Identifier: GPL-2.0-only
/*
 * Soak: a mixed load from many processes, under memory pressure and with cgroups that
 * come and go, for ASHMEM_SOAK_MINUTES (10). At its end as much memory is in use
 * as at its beginning. ASHMEM_SEED is what the choices begin with.
 */

#include "kselftest_harness.h"

#include "soak.h"

#define SLOTS_MAX	32
#define WARM_UP		15		/* seconds */
#define LOST_KB_MAX	(4L * 1024)	/* noise of the machine's own: 0.5 MiB measured */

struct soak *soak;

struct slot {
	const struct load *load;
	pid_t pid;
	unsigned int number;
};

static struct slot slots[SLOTS_MAX];
static unsigned int slot_count;

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void start(struct slot *slot, struct rng *rng)
{
	struct rng own = { .state = (uint64_t)rng_next(rng) << 32 | rng_next(rng) };

	slot->pid = fork();
	if (slot->pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	put_file("/proc/self/oom_score_adj", "500");
	if (slot->load->in_group)
		group_enter(slot->number, &own);
	slot->load->run(&own);
	_exit(0);
}

static void reap(struct slot *slot, int options)
{
	int status;

	if (slot->pid <= 0 || waitpid(slot->pid, &status, options) != slot->pid)
		return;
	slot->pid = 0;
	if (WIFSIGNALED(status)) {
		if (WTERMSIG(status) != SIGKILL)
			WRONG("%s died of signal %d", slot->load->name, WTERMSIG(status));
		atomic_fetch_add(&soak->died, 1);
	}
	if (slot->load->in_group)
		group_leave(slot->number);
}

static void run_for(double length, struct rng *rng)
{
	double end = seconds() + length, told = seconds(), killed = seconds();
	unsigned int i;

	atomic_store(&soak->stop, false);
	while (seconds() < end) {
		for (i = 0; i < slot_count; i++) {
			reap(&slots[i], WNOHANG);
			if (!slots[i].pid)
				start(&slots[i], rng);
		}
		/* In any state: all must be released, too. */
		if (seconds() > killed + 1) {
			killed = seconds();
			i = rng_below(rng, slot_count);
			if (slots[i].pid > 0 && !kill(slots[i].pid, SIGKILL))
				atomic_fetch_add(&soak->killed, 1);
		}
		if (seconds() > told + 60) {
			told = seconds();
			fprintf(stderr, "# %.0f s left: pins kept %ld, lost %ld; wrong %ld\n",
				end - seconds(), atomic_load(&soak->pins_kept),
				atomic_load(&soak->pins_lost), atomic_load(&soak->wrong));
		}
		nap_ms(20);
	}
	atomic_store(&soak->stop, true);
	for (i = 0; i < slot_count; i++)
		reap(&slots[i], 0);
	/* Children of processes that were killed. */
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void add_slots(void)
{
	unsigned int i, j;

	for (i = 0; i < load_count; i++)
		for (j = 0; j < loads[i].processes; j++) {
			slots[slot_count].load = &loads[i];
			slots[slot_count].number = slot_count;
			slot_count++;
		}
}

FIXTURE(soak)
{
	struct rng rng;
	bool groups, swap;
	struct measure before, after;
};

FIXTURE_SETUP(soak)
{
	uint64_t seed = rng_seed();

	if (access(ASHMEM_DEV, R_OK | W_OK))
		SKIP(return, "no " ASHMEM_DEV);
	if (geteuid())
		SKIP(return, "needs root");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	put_file("/proc/self/oom_score_adj", "-1000");
	soak = mmap(NULL, sizeof(*soak), PROT_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)soak);
	self->rng.state = seed;
	self->groups = groups_begin();
	self->swap = swap_begin();
	add_slots();
	TH_LOG("ASHMEM_SEED=%llu, %u processes, %s memory cgroups, %s swap",
	       (unsigned long long)seed, slot_count, self->groups ? "with" : "without",
	       self->swap ? "with" : "without");
}

FIXTURE_TEARDOWN(soak)
{
	swap_end();
	groups_end();
}

/*
 * What is in use while no process works and all that worked before has ended.
 * Nothing may be in swap either: pages of the root file system that went there are
 * memory before and none behind, and a store of compressed pages has gaps.
 */
static void settle(struct measure *m)
{
	unsigned int tries;

	swap_end();
	/* The kernel frees groups from a work queue, after grace periods. */
	for (tries = 0; tries < 200 && groups_dying() > 0; tries++)
		nap_ms(100);
	measure(m);
}

TEST_F_TIMEOUT(soak, memory_at_the_end_is_that_at_the_start, 1000000)
{
	const char *env = getenv("ASHMEM_SOAK_MINUTES");
	double minutes = env ? strtod(env, NULL) : 10;
	unsigned int i;

	/* So that one-time allocations of the kernel are done before. */
	run_for(WARM_UP, &self->rng);
	settle(&self->before);
	memset(soak, 0, sizeof(*soak));
	ASSERT_EQ(self->swap, swap_begin());

	run_for(minutes * 60, &self->rng);
	settle(&self->after);

	TH_LOG("pins kept %ld, lost %ld; regions %ld, mappings %ld, reads %ld, passed on %ld",
	       soak->pins_kept, soak->pins_lost, soak->regions, soak->maps, soak->reads,
	       soak->passed_on);
	TH_LOG("purges %ld, groups %ld; killed %ld, died %ld", soak->purges, soak->groups,
	       soak->killed, soak->died);
	TH_LOG("available %ld kB before, %ld kB after; shmem %ld, %ld",
	       self->before.available_kb, self->after.available_kb, self->before.shmem_kb,
	       self->after.shmem_kb);

	EXPECT_EQ(0, soak->wrong);
	/* Otherwise the run tested nothing. */
	EXPECT_LT(0, soak->pins_kept);
	EXPECT_LT(0, soak->pins_lost);
	EXPECT_LT(0, soak->passed_on);
	EXPECT_LT(0, soak->killed);
	if (self->groups)
		EXPECT_LT(0, soak->groups);

	EXPECT_EQ(0, self->after.purgeable);
	EXPECT_EQ(0, self->after.references);
	/* Less is fine: other processes may have ended. */
	EXPECT_GE(self->before.shmem_kb, self->after.shmem_kb);
	EXPECT_GE(self->after.available_kb + LOST_KB_MAX, self->before.available_kb) {
		tell_difference(&self->before, &self->after);
	}
	for (i = 0; i < ARRAY_SIZE(caches); i++) {
		TH_LOG("%s: %ld objects before, %ld after", caches[i],
		       self->before.objects[i], self->after.objects[i]);
		if (self->after.objects[i] >= 0)
			EXPECT_EQ(0, self->after.objects[i]);
	}

	EXPECT_EQ(0, groups_dying());
}

TEST_HARNESS_MAIN
