// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which unpinned ranges are purged when a memory cgroup is short of memory: only those
 * with pages that are charged to this group or a descendant. payer_test tests regions
 * that are charged to several groups.
 */
#include "kselftest_harness.h"
#include "cgroup_util.h"

/* ---- does it work at all ---- */

#define MEMCG_AWARE	"/sys/class/misc/ashmem/memcg_aware"

static void expect_memcg_aware(struct __test_metadata *_metadata,
			       const char *expected)
{
	char text[8];

	ASSERT_LT(0, get_file(MEMCG_AWARE, text, sizeof(text)));
	EXPECT_STREQ(expected, text);
}

TEST(old_kernels_are_said_to_know_no_cgroups)
{
	if (kernel_at_least(6, 7))
		SKIP(return, "this one may");
	expect_memcg_aware(_metadata, "0\n");
}

/* list_lru_init_memcg() falls back to lists by node then, without an error. */
TEST(nokmem_is_said_to_know_no_cgroups)
{
	if (!booted_with_memcg_option("nokmem"))
		SKIP(return, "not booted with cgroup.memory=nokmem");
	expect_memcg_aware(_metadata, "0\n");
}

TEST_F(cgroup, purging_by_cgroup_is_announced)
{
	expect_memcg_aware(_metadata, "1\n");
}

/* ---- a group at its limit ---- */

/* The neighbour's range is older, so a purge that ignores groups takes it. */
TEST_F(cgroup, at_memory_max_only_the_groups_own_cache_goes)
{
	struct cache own, pinned, theirs;
	struct group a, b;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, group_make(&b, self->top, "b"));
	ASSERT_EQ(0, set_knob_bytes(a.dir, "memory.max", 12 * MIB));
	ASSERT_EQ(0, make_cache(&b, &theirs, "theirs", 4 * MIB, 1, FILL | UNPIN));
	ASSERT_EQ(0, make_cache(&a, &pinned, "pinned", 2 * MIB, 2, FILL));
	ASSERT_EQ(0, make_cache(&a, &own, "own", 4 * MIB, 3, FILL | UNPIN));
	ASSERT_LE((long long)(6 * MIB), knob_number(a.dir, "memory.current"));
	EXPECT_EQ(0, event(&a, "max"));

	/* 2 pinned and 8 allocated are within the limit; 4 unpinned exceed it. */
	EXPECT_EQ(0, take_memory(&a, 8 * MIB));
	EXPECT_LT(0, event(&a, "max"));
	EXPECT_EQ(0, event(&a, "oom_kill"));
	EXPECT_EQ(0, event(&b, "max"));
	EXPECT_EQ(theirs.pages, counts_of(theirs.fd).purgeable);
	EXPECT_GONE(&own);
	EXPECT_WHOLE(&theirs);
	EXPECT_WHOLE(&pinned);
	cache_close(&own);
	cache_close(&pinned);
	cache_close(&theirs);
}

/* Reclaim for a cgroup doesn't see what is purged, and must not go on until all is gone. */
TEST_F(cgroup, at_its_limit_no_more_goes_than_is_needed)
{
	struct cache own;
	struct group a;
	long left;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, make_cache(&a, &own, "own", 32 * MIB, 1, FILL | UNPIN));
	/* Four are missing, then two more; a margin and a step go beyond that. */
	ASSERT_EQ(0, set_knob_bytes(a.dir, "memory.max", 28 * MIB));
	left = counts_of(own.fd).resident;
	TH_LOG("%zu pages are left of %ld after the limit was lowered", (size_t)left, own.pages);
	EXPECT_GE(28 * MIB / self->p, (size_t)left);
	EXPECT_LE(22 * MIB / self->p, (size_t)left);
	EXPECT_EQ(0, take_memory(&a, 2 * MIB));
	EXPECT_EQ(0, event(&a, "oom_kill"));
	left = counts_of(own.fd).resident;
	TH_LOG("and %zu after a task took memory", (size_t)left);
	EXPECT_LE(16 * MIB / self->p, (size_t)left);
	cache_close(&own);
}

/* The same memory, pinned: now the OOM killer kills the task. */
TEST_F(cgroup, at_memory_max_pinned_pages_never_go)
{
	struct cache pinned;
	struct group a;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, set_knob_bytes(a.dir, "memory.max", 8 * MIB));
	ASSERT_EQ(0, make_cache(&a, &pinned, "pinned", 4 * MIB, 2,
				FILL | UNPIN | PIN));
	EXPECT_EQ(128 + SIGKILL, take_memory(&a, 8 * MIB));
	EXPECT_EQ(1, event(&a, "oom_kill"));
	EXPECT_WHOLE(&pinned);
	cache_close(&pinned);
}

TEST_F(cgroup, a_limit_that_is_lowered_purges)
{
	struct cache own, pinned, theirs;
	struct group a, b;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, group_make(&b, self->top, "b"));
	ASSERT_EQ(0, make_cache(&b, &theirs, "theirs", 2 * MIB, 1, FILL | UNPIN));
	ASSERT_EQ(0, make_cache(&a, &pinned, "pinned", 2 * MIB, 2, FILL));
	ASSERT_EQ(0, make_cache(&a, &own, "own", 4 * MIB, 3, FILL | UNPIN));
	ASSERT_EQ(0, set_knob_bytes(a.dir, "memory.max", 4 * MIB));
	EXPECT_GE((long long)(4 * MIB), knob_number(a.dir, "memory.current"));
	EXPECT_GONE(&own);
	EXPECT_WHOLE(&pinned);
	EXPECT_WHOLE(&theirs);
	cache_close(&own);
	cache_close(&pinned);
	cache_close(&theirs);
}

TEST_F(cgroup, at_memory_high_only_the_groups_own_cache_goes)
{
	struct cache own, pinned, theirs;
	struct group a, b;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, group_make(&b, self->top, "b"));
	ASSERT_EQ(0, set_knob_bytes(a.dir, "memory.high", 12 * MIB));
	ASSERT_EQ(0, make_cache(&b, &theirs, "theirs", 4 * MIB, 1, FILL | UNPIN));
	ASSERT_EQ(0, make_cache(&a, &pinned, "pinned", 2 * MIB, 2, FILL));
	ASSERT_EQ(0, make_cache(&a, &own, "own", 4 * MIB, 3, FILL | UNPIN));
	EXPECT_EQ(0, event(&a, "high"));
	EXPECT_EQ(0, take_memory(&a, 8 * MIB));
	EXPECT_LT(0, event(&a, "high"));
	EXPECT_EQ(0, event(&a, "oom_kill"));
	EXPECT_GONE(&own);
	EXPECT_WHOLE(&theirs);
	EXPECT_WHOLE(&pinned);
	cache_close(&own);
	cache_close(&pinned);
	cache_close(&theirs);
}

/* A limit that is not reached purges nothing. */
TEST_F(cgroup, below_its_limit_nothing_goes)
{
	struct cache own;
	struct group a;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, set_knob_bytes(a.dir, "memory.max", 16 * MIB));
	ASSERT_EQ(0, make_cache(&a, &own, "own", 4 * MIB, 3, FILL | UNPIN));
	EXPECT_EQ(0, take_memory(&a, 8 * MIB));
	EXPECT_EQ(0, event(&a, "max"));
	EXPECT_WHOLE(&own);
	cache_close(&own);
}

/* ---- memory.reclaim ---- */

/*
 * The kernel counts only pages on its LRU lists as reclaimed, and returns EAGAIN if ours
 * were needed for the amount. So check the charge instead.
 */
TEST_F(cgroup, memory_reclaim_takes_the_amount)
{
	struct cache own, pinned, theirs;
	long long before, after;
	struct group a, b;
	int ret;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, group_make(&b, self->top, "b"));
	ASSERT_EQ(0, make_cache(&b, &theirs, "theirs", 2 * MIB, 1, FILL | UNPIN));
	ASSERT_EQ(0, make_cache(&a, &pinned, "pinned", 2 * MIB, 2, FILL));
	ASSERT_EQ(0, make_cache(&a, &own, "own", 4 * MIB, 3, FILL | UNPIN));
	before = knob_number(a.dir, "memory.current");
	ret = set_knob_bytes(a.dir, "memory.reclaim", 4 * MIB);
	after = knob_number(a.dir, "memory.current");
	TH_LOG("memory.reclaim: %d, memory.current: %lld before, %lld after", ret,
	       before, after);
	EXPECT_TRUE(ret == 0 || ret == -EAGAIN);
	EXPECT_LE((long long)(4 * MIB), before - after);
	EXPECT_LE((long long)(2 * MIB), after);
	EXPECT_GONE(&own);
	EXPECT_WHOLE(&pinned);
	EXPECT_WHOLE(&theirs);
	cache_close(&own);
	cache_close(&pinned);
	cache_close(&theirs);
}

/*
 * Least recently unpinned first, at most one range in part, and no more than needed. The
 * order is neither that of creation nor that of the first UNPIN.
 *
 * MGLRU takes all that it finds on its own LRU before it asks shrinkers for more than a
 * few pages; the classic LRU asks in proportion.
 *
 * Each node has an LRU: run on one CPU to have all pages on one node.
 */
TEST_F(cgroup, memory_reclaim_takes_the_oldest_and_leaves_the_young)
{
	static const int by_age[] = { 5, 2, 7, 0, 3, 6, 1, 4 };
	enum { N = ARRAY_SIZE(by_age) };
	long long before, after;
	struct cache c[N], *aged[N];
	int sock = -1, i, steps, gone, ret = 0;
	struct group a;
	pid_t pid;

	if (get_file(LRU_GEN, self->lru_gen, sizeof(self->lru_gen)) > 0)
		ASSERT_EQ(0, put_file(LRU_GEN, "0"));
	ASSERT_EQ(0, stay_on(0));
	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, make_cache(&a, &c[i], "aged", 3 * MIB,
					10 + (unsigned int)i, FILL | UNPIN));
	}
	for (i = 0; i < N; i++) {
		aged[i] = &c[by_age[i]];
		/* Order is exact to a tick of the clock. */
		nap_ms(30);
		ASSERT_EQ(0, cache_in_group(&a, aged[i], UNPIN, 0,
					    aged[i]->pages));
	}
	pid = keep_lazily(&a, 24 * MIB, &sock);
	ASSERT_LT(0, pid);

	for (steps = 1; steps <= 60; steps++) {
		before = knob_number(a.dir, "memory.current");
		ret = set_knob_bytes(a.dir, "memory.reclaim", MIB / 2);
		after = knob_number(a.dir, "memory.current");
		EXPECT_TRUE(ret == 0 || ret == -EAGAIN);
		EXPECT_LE((long long)(MIB / 2), before - after);
		if (cache_in_memory(aged[0]) < aged[0]->pages)
			break;
	}
	close(sock);
	EXPECT_EQ(0, wait_child(pid));
	for (gone = 0; gone < N && !cache_in_memory(aged[gone]); gone++)
		EXPECT_GONE(aged[gone]);
	TH_LOG("with the %dth half MiB the %d oldest of %d ranges went, answer %d",
	       steps, gone, N, ret);
	EXPECT_GE(N - 2, gone);
	i = gone;
	if (cache_in_memory(aged[i]) < aged[i]->pages)
		EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin(aged[i++]));
	EXPECT_LE(1, i);
	for (; i < N; i++)
		EXPECT_WHOLE(aged[i]);
	for (i = 0; i < N; i++)
		cache_close(&c[i]);
}

/* ---- groups in groups ---- */

TEST_F(cgroup, limit_of_a_parent_purges_its_children)
{
	struct group parent, idle, busy, outside;
	struct cache inner, outer;

	ASSERT_EQ(0, group_make(&outside, self->top, "outside"));
	ASSERT_EQ(0, group_make(&parent, self->top, "parent"));
	ASSERT_EQ(0, group_enable_memory(&parent));
	ASSERT_EQ(0, group_make(&idle, parent.dir, "idle"));
	ASSERT_EQ(0, group_make(&busy, parent.dir, "busy"));
	ASSERT_EQ(0, make_cache(&outside, &outer, "outer", 4 * MIB, 1,
				FILL | UNPIN));
	ASSERT_EQ(0, make_cache(&idle, &inner, "inner", 4 * MIB, 2,
				FILL | UNPIN));
	ASSERT_EQ(0, set_knob_bytes(parent.dir, "memory.max", 10 * MIB));
	EXPECT_EQ(0, take_memory(&busy, 8 * MIB));
	EXPECT_LT(0, event(&parent, "max"));
	EXPECT_EQ(0, event(&parent, "oom_kill"));
	EXPECT_GONE(&inner);
	EXPECT_WHOLE(&outer);
	cache_close(&inner);
	cache_close(&outer);
}

TEST_F(cgroup, limit_of_a_child_spares_its_siblings_and_parent)
{
	struct group parent, idle, busy;
	struct cache sibling, own;

	ASSERT_EQ(0, group_make(&parent, self->top, "parent"));
	ASSERT_EQ(0, group_enable_memory(&parent));
	ASSERT_EQ(0, group_make(&idle, parent.dir, "idle"));
	ASSERT_EQ(0, group_make(&busy, parent.dir, "busy"));
	ASSERT_EQ(0, make_cache(&idle, &sibling, "sibling", 4 * MIB, 1,
				FILL | UNPIN));
	ASSERT_EQ(0, set_knob_bytes(busy.dir, "memory.max", 10 * MIB));
	ASSERT_EQ(0, make_cache(&busy, &own, "own", 4 * MIB, 2, FILL | UNPIN));
	EXPECT_EQ(0, take_memory(&busy, 8 * MIB));
	EXPECT_EQ(0, event(&parent, "oom_kill"));
	EXPECT_GONE(&own);
	EXPECT_WHOLE(&sibling);
	cache_close(&own);
	cache_close(&sibling);
}

/* ---- whose range it is ---- */

TEST_F(cgroup, a_range_is_of_the_group_that_pays)
{
	struct cache c;
	struct group a, b;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, group_make(&b, self->top, "b"));
	ASSERT_EQ(0, make_cache(&a, &c, "moving", 4 * MIB, 1, FILL | UNPIN));
	/* An UNPIN by b changes nothing, with or without a PIN before it. */
	ASSERT_EQ(0, cache_in_group(&b, &c, UNPIN, 0, c.pages));
	set_knob_bytes(b.dir, "memory.reclaim", 4 * MIB);
	EXPECT_EQ(c.pages, counts_of(c.fd).purgeable);
	ASSERT_EQ(0, cache_in_group(&b, &c, PIN, 0, c.pages));
	ASSERT_EQ(0, cache_in_group(&b, &c, UNPIN, 0, c.pages));
	set_knob_bytes(b.dir, "memory.reclaim", 4 * MIB);
	EXPECT_EQ(c.pages, counts_of(c.fd).purgeable);
	EXPECT_TRUE(cache_whole(&c));
	set_knob_bytes(a.dir, "memory.reclaim", 4 * MIB);
	EXPECT_GONE(&c);
	cache_close(&c);
}

/* Parts that a PIN leaves over stay with the group, whichever task pins. */
TEST_F(cgroup, parts_of_a_range_stay_with_its_group)
{
	long third;
	struct cache c;
	struct group a, b;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, group_make(&b, self->top, "b"));
	ASSERT_EQ(0, make_cache(&a, &c, "parts", 3 * MIB, 1, FILL | UNPIN));
	third = c.pages / 3;
	ASSERT_EQ(0, cache_in_group(&b, &c, PIN, third, third));
	set_knob_bytes(b.dir, "memory.reclaim", 4 * MIB);
	EXPECT_COUNTS(c.fd, 3 * third, 2 * third, 2 * third);
	set_knob_bytes(a.dir, "memory.reclaim", 4 * MIB);
	EXPECT_COUNTS(c.fd, third, 2 * third, 0);
	EXPECT_EQ(ASHMEM_NOT_PURGED, cache_pin_part(&c, third, third));
	EXPECT_TRUE(cache_part_whole(&c, third, third));
	EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin_part(&c, 0, third));
	EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin_part(&c, 2 * third, third));
	cache_close(&c);
}

TEST_F(cgroup, of_a_shared_region_only_the_groups_own_part_goes)
{
	struct cache c;
	struct group a, b;
	long half;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, group_make(&b, self->top, "b"));
	ASSERT_EQ(0, set_knob_bytes(a.dir, "memory.max", 10 * MIB));
	ASSERT_EQ(0, cache_open(&c, "shared", 8 * MIB, 1));
	half = c.pages / 2;
	/* The neighbour's part is older. */
	ASSERT_EQ(0, cache_in_group(&b, &c, FILL | UNPIN, half, half));
	ASSERT_EQ(0, cache_in_group(&a, &c, FILL | UNPIN, 0, half));
	EXPECT_COUNTS(c.fd, c.pages, c.pages, c.pages);
	EXPECT_EQ(0, take_memory(&a, 8 * MIB));
	EXPECT_EQ(0, event(&a, "oom_kill"));
	EXPECT_COUNTS(c.fd, half, c.pages, half);
	EXPECT_EQ(ASHMEM_NOT_PURGED, cache_pin_part(&c, half, half));
	EXPECT_TRUE(cache_part_whole(&c, half, half));
	EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin_part(&c, 0, half));
	EXPECT_TRUE(zeroed(c.a, c.len / 2));
	cache_close(&c);
}

/* The command ignores groups. */
TEST_F(cgroup, purge_all_takes_every_groups_ranges)
{
	struct cache c[3];
	struct group g;
	char name[8];
	int i;

	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		ASSERT_EQ(0, group_make(&g, self->top, name));
		ASSERT_EQ(0, make_cache(&g, &c[i], name,
					(size_t)(i + 1) * MIB / 4, 1,
					FILL | UNPIN));
	}
	EXPECT_EQ(c[0].pages + c[1].pages + c[2].pages, ash_purge_all(c[0].fd));
	EXPECT_EQ(0, ash_purge_all(c[0].fd));
	for (i = 0; i < 3; i++) {
		EXPECT_GONE(&c[i]);
		cache_close(&c[i]);
	}
}

/* ---- removed groups ---- */

/*
 * A range of a removed group without tasks, in a parent that stays. The region is ours.
 * Returns 0, or an error.
 */
static int make_orphan(const char *top, struct group *parent, struct cache *c)
{
	struct group gone;
	int ret;

	ret = group_make(parent, top, "parent");
	if (!ret)
		ret = group_enable_memory(parent);
	if (!ret)
		ret = group_make(&gone, parent->dir, "gone");
	if (!ret)
		ret = make_cache(&gone, c, "orphan", 4 * MIB, 1, FILL | UNPIN);
	return ret ? ret : group_remove(&gone);
}

TEST_F(cgroup, ranges_of_a_removed_group_are_its_parents)
{
	struct group parent, busy, outside;
	struct cache orphan, theirs;

	ASSERT_EQ(0, group_make(&outside, self->top, "outside"));
	ASSERT_EQ(0, make_cache(&outside, &theirs, "theirs", 4 * MIB, 2,
				FILL | UNPIN));
	ASSERT_EQ(0, make_orphan(self->top, &parent, &orphan));
	ASSERT_EQ(0, group_make(&busy, parent.dir, "busy"));
	EXPECT_EQ(orphan.pages, counts_of(orphan.fd).purgeable);
	ASSERT_EQ(0, set_knob_bytes(parent.dir, "memory.max", 10 * MIB));
	EXPECT_EQ(0, take_memory(&busy, 8 * MIB));
	EXPECT_EQ(0, event(&parent, "oom_kill"));
	EXPECT_GONE(&orphan);
	EXPECT_WHOLE(&theirs);
	cache_close(&orphan);
	cache_close(&theirs);
}

TEST_F(cgroup, ranges_of_a_removed_group_go_by_global_reclaim)
{
	struct group parent;
	struct cache orphan;

	ASSERT_EQ(0, make_orphan(self->top, &parent, &orphan));
	ASSERT_EQ(0, shrink_everything());
	EXPECT_GONE(&orphan);
	cache_close(&orphan);
}

TEST_F(cgroup, ranges_of_a_removed_group_go_by_the_command)
{
	struct group parent;
	struct cache orphan;

	ASSERT_EQ(0, make_orphan(self->top, &parent, &orphan));
	EXPECT_EQ(orphan.pages, ash_purge_all(orphan.fd));
	EXPECT_GONE(&orphan);
	cache_close(&orphan);
}

/* A later group of the same name is charged for nothing of the earlier one. */
TEST_F(cgroup, a_region_outlives_the_group_that_paid)
{
	struct group parent, again;
	struct cache c;

	ASSERT_EQ(0, make_orphan(self->top, &parent, &c));
	ASSERT_EQ(0, group_make(&again, parent.dir, "gone"));
	set_knob_bytes(again.dir, "memory.reclaim", 4 * MIB);
	EXPECT_EQ(c.pages, counts_of(c.fd).purgeable);
	ASSERT_EQ(0, cache_in_group(&again, &c, UNPIN, 0, c.pages));
	set_knob_bytes(again.dir, "memory.reclaim", 4 * MIB);
	EXPECT_EQ(c.pages, counts_of(c.fd).purgeable);
	EXPECT_TRUE(cache_whole(&c));
	set_knob_bytes(parent.dir, "memory.reclaim", 4 * MIB);
	EXPECT_GONE(&c);
	cache_close(&c);
}

/* Objects of our slab cache of groups, or -1 if it is merged with others. */
static long long group_objects(void)
{
	/* KASAN keeps freed objects in quarantine. */
	put_file("/sys/kernel/slab/ashmem_lru_group/shrink", "1");
	return keyed_number("/proc/slabinfo", "ashmem_lru_group");
}

static long long dying(const char *dir)
{
	return keyed_number(knob(dir, "cgroup.stat"), "nr_dying_descendants");
}

/*
 * Our data for a group must not pin the group, and must be freed with its last range and
 * region.
 */
TEST_F_TIMEOUT(cgroup, removed_groups_leave_nothing_behind, 300)
{
	enum { N = 120, HELD = 8 };
	long long objects = group_objects(), most;
	struct cache c[HELD];
	struct group g;
	int i, tries;

	for (i = 0; i < N; i++) {
		struct cache *here = &c[i % HELD];

		if (i >= HELD)
			cache_close(here);
		ASSERT_EQ(0, group_make(&g, self->top, "many"));
		ASSERT_EQ(0, make_cache(&g, here, "many", 8 * self->p, 1,
					FILL | UNPIN));
		/* One in four is purged after its group was removed. */
		ASSERT_EQ(0, group_remove(&g));
		if (i % 4 == 3)
			ASSERT_LT(0, ash_purge_all(here->fd));
	}
	most = dying(self->top);
	EXPECT_GE(HELD + 20, most);
	for (i = 0; i < HELD; i++)
		cache_close(&c[i]);

	/* A work queue of the kernel frees groups after RCU grace periods. */
	for (tries = 0; tries < 200 && dying(self->top) > 0; tries++)
		nap_ms(100);
	EXPECT_EQ(0, dying(self->top));
	TH_LOG("dying groups: %lld in the loop, %lld now; objects: %lld before, %lld now",
	       most, dying(self->top), objects, group_objects());
	/* All objects of a per-CPU slab count as used. */
	if (objects >= 0)
		EXPECT_GT(objects + N, group_objects());
}

TEST_HARNESS_MAIN
