// SPDX-License-Identifier: GPL-2.0-only
/*
 * Payers that are freed while UNPIN is running: all tasks that unpin a region share its
 * payers, and the spare range that remembers one.
 */
#include "kselftest_harness.h"
#include "cgroup_util.h"

#include <sched.h>

static void reclaim_all_of(const struct group *g)
{
	set_knob_bytes(g->dir, "memory.reclaim", 64 * MIB);
}

/* ---- several cgroups unpin a new region at the same time ---- */

enum { TASKS = 3, ROUNDS = 300 };

struct start {
	int ready;
	int round;
};

static void wait_for_round(struct start *start, int round)
{
	__atomic_add_fetch(&start->ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&start->round, __ATOMIC_SEQ_CST) <= round)
		sched_yield();
}

static void unpin_by_turns(const struct group *g, struct start *start, const int *fds,
			   int page)
{
	size_t p = page_size();
	int round, k;

	CHILD_CHECK(!put_file(g->procs, "0"));
	for (round = 0; round < ROUNDS; round++) {
		unsigned char *a = ash_map(fds[round], TASKS * p, PROT_RW);

		CHILD_CHECK(a != MAP_FAILED);
		a[(size_t)page * p] = 1;
		wait_for_round(start, round);
		for (k = 0; k < 20; k++) {
			CHILD_CHECK(!ash_unpin(fds[round], (uint32_t)(page * p), (uint32_t)p));
			CHILD_CHECK(ash_pin(fds[round], (uint32_t)(page * p), (uint32_t)p) >= 0);
		}
		munmap(a, TASKS * p);
	}
	_exit(0);
}

/*
 * A new region has no spare range, so its first UNPIN drops the lock to allocate one.
 * Its payer has no ranges then, and adding the payer of another task may free it. KASAN
 * detects the error.
 */
TEST_F(cgroup, a_payer_stays_while_unpin_gets_memory)
{
	struct start *start;
	struct group g[TASKS];
	pid_t pids[TASKS];
	int fds[ROUNDS], i, round;
	char name[8];

	start = mmap(NULL, self->p, PROT_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, start);
	for (round = 0; round < ROUNDS; round++) {
		fds[round] = ash_region("payers", TASKS * self->p);
		ASSERT_LE(0, fds[round]);
	}
	for (i = 0; i < TASKS; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		ASSERT_EQ(0, group_make(&g[i], self->top, name));
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (!pids[i])
			unpin_by_turns(&g[i], start, fds, i);
	}
	for (round = 0; round < ROUNDS; round++) {
		while (__atomic_load_n(&start->ready, __ATOMIC_SEQ_CST) < (round + 1) * TASKS)
			sched_yield();
		__atomic_store_n(&start->round, round + 1, __ATOMIC_SEQ_CST);
	}
	for (i = 0; i < TASKS; i++)
		EXPECT_EQ(0, wait_child(pids[i]));
	for (round = 0; round < ROUNDS; round++)
		close(fds[round]);
	munmap(start, self->p);
}

/* ---- a spare range that is new ---- */

FIXTURE(spare)
{
	size_t p;
};

FIXTURE_SETUP(spare)
{
	self->p = page_size();
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
}

FIXTURE_TEARDOWN(spare)
{
}

/* A region that holds a new spare range, allocated behind others' freed ones. */
static int open_with_new_spare(struct cache *c)
{
	enum { RANGES = 200 };
	size_t p = page_size();
	int i;

	if (cache_open(c, "new spare", RANGES * p, 2))
		return -1;
	cache_fill(c);
	for (i = 0; i < RANGES; i++) {
		if (cache_unpin_part(c, i, 1))
			return -1;
	}
	if (ash_purge_all(c->fd) < 0 || ash_set_mask(c->fd, PROT_READ))
		return -1;
	return 0;
}

/* The memory of a freed range must not name a payer of another region. */
TEST_F(spare, a_new_spare_names_no_payer)
{
	struct cache victim, other;
	const long page = 3;
	int i;

	ASSERT_EQ(0, open_with_new_spare(&other));
	ASSERT_EQ(0, cache_open(&victim, "victim", 64 * self->p, 1));
	cache_fill(&victim);
	/* Many freed ranges, each of which says "page 3, of the victim's payer". */
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, cache_unpin_part(&victim, 0, 1));
		ASSERT_EQ(0, cache_unpin_part(&victim, page, 1));
		ASSERT_EQ(ASHMEM_NOT_PURGED, cache_pin_part(&victim, 0, 1));
		ASSERT_EQ(ASHMEM_NOT_PURGED, cache_pin_part(&victim, page, 1));
	}
	ASSERT_EQ(ASHMEM_WAS_PURGED, cache_pin(&other));
	cache_fill_part(&other, page, 1);
	ASSERT_EQ(0, cache_unpin_part(&other, page, 1));

	EXPECT_EQ(0, counts_of(victim.fd).unpinned);
	ASSERT_LE(0, ash_purge_all(other.fd));
	EXPECT_EQ(0, cache_part_in_memory(&other, page, 1));
	EXPECT_TRUE(cache_whole(&victim));
	cache_close(&other);
	cache_close(&victim);
}

/* ---- many groups that are empty ---- */

enum { GONE = 400 };

static int offer_and_pin(const struct group *g, int fd)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		unsigned char *a = ash_map(fd, page_size(), PROT_RW);

		CHILD_CHECK(a != MAP_FAILED);
		CHILD_CHECK(!put_file(g->procs, "0"));
		*a = 1;
		CHILD_CHECK(!ash_unpin(fd, 0, 0));
		CHILD_CHECK(ash_pin(fd, 0, 0) == ASHMEM_NOT_PURGED);
		_exit(0);
	}
	return wait_child(pid);
}

/* Their groups move to a list that the shrinker of one cgroup walks. */
TEST_F(cgroup, empty_groups_hide_no_other)
{
	static int fds[GONE];
	struct group parent, g;
	unsigned char *a;
	int i, tries;

	ASSERT_EQ(0, group_make(&parent, self->top, "parent"));
	ASSERT_EQ(0, group_enable_memory(&parent));
	for (i = 0; i < GONE; i++) {
		fds[i] = ash_region("gone", self->p);
		ASSERT_LE(0, fds[i]);
		ASSERT_EQ(0, group_make(&g, parent.dir, "gone"));
		ASSERT_EQ(0, offer_and_pin(&g, fds[i]));
		ASSERT_EQ(0, group_remove(&g));
	}
	/* The kernel frees removed groups a moment later. */
	nap_ms(2000);
	/* All are pinned: this only empties the groups. */
	ASSERT_LE(0, ash_purge_all(fds[0]));
	ASSERT_EQ(0, ash_unpin(fds[0], 0, 0));
	for (tries = 0; tries < 5; tries++) {
		reclaim_all_of(&parent);
		nap_ms(100);
	}
	EXPECT_EQ(0, counts_of(fds[0]).resident);
	a = ash_map(fds[0], self->p, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	EXPECT_EQ(0, *a);
	munmap(a, self->p);
	for (i = 0; i < GONE; i++)
		close(fds[i]);
}

TEST_HARNESS_MAIN
