// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cache: what is found is whole, what is held stays, the oldest goes first, and the
 * death of a process leaves nothing behind.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "lib_both.h"
#include "cache_util.h"

#include "../cache/internal.h"

#define PAGE		page_size()

/*
 * Stands before the C library's: how often something was unmapped that wasn't mapped.
 * Another thread may have mapped something there.
 */
static _Atomic unsigned int strays;

int munmap(void *addr, size_t len)
{
	unsigned char first;

	if (mincore(addr, 1, &first))
		strays++;
	return (int)syscall(SYS_munmap, addr, len);
}

/*
 * The same: as if the clock of the day were set back by an hour after each look at it. Not
 * in a 32-bit program with 64-bit times, which this system call doesn't have.
 */
#ifndef __USE_TIME64_REDIRECTS
/* As if the machine had stopped for so many seconds. */
static _Atomic int stopped_for;

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int ret = (int)syscall(SYS_clock_gettime, clock, ts);

	if (clock == CLOCK_REALTIME)
		ts->tv_sec += 3600;
	else if (clock == CLOCK_MONOTONIC)
		ts->tv_sec += stopped_for;
	return ret;
}
#endif

static struct ashm_cache *new_cache(size_t pages, unsigned int entries)
{
	struct ashm_cache *c = NULL;
	int ret = ashm_cache_create("cache", pages * page_size(), entries, 16, &c);

	errno = -ret;
	return ret ? NULL : c;
}

static struct ashm_cache_stat stat_of(struct ashm_cache *c)
{
	struct ashm_cache_stat stat;

	if (ashm_cache_stat(c, &stat))
		memset(&stat, 0xff, sizeof(stat));
	return stat;
}

/* What a peer could do to it. */
static struct cache_slot *slot_of(struct ashm_cache *c, const struct ashm_cache_entry *e)
{
	return (void *)(c->slots + (e->slot - 1) * c->stride);
}

TEST_F(lib, life)
{
	struct ashm_cache_entry e, same;
	struct ashm_cache_stat stat;
	struct ashm_cache *c;
	int fds = count_fds();

	errno = 4242;
	EXPECT_EQ(-EINVAL, ashm_cache_create("c", 0, 1, 1, &c));
	EXPECT_EQ(-EINVAL, ashm_cache_create("c", PAGE, 0, 1, &c));
	EXPECT_EQ(-EINVAL, ashm_cache_create("c", PAGE, ASHM_CACHE_ENTRIES_MAX + 1, 1, &c));
	EXPECT_EQ(-EINVAL, ashm_cache_create("c", PAGE, 1, 0, &c));
	EXPECT_EQ(-EINVAL, ashm_cache_create("c", PAGE, 1, ASHM_CACHE_KEY_MAX + 1, &c));
	EXPECT_EQ(-EFBIG, ashm_cache_create("c", 1ULL << 32, 1, 1, &c));
	EXPECT_EQ(fds, count_fds());

	ASSERT_EQ(0, ashm_cache_create("c", 3 * PAGE + 1, 8, 16, &c));
	EXPECT_EQ(fds + 2, count_fds());
	EXPECT_EQ(-ENOENT, hold(c, 1, &e));
	EXPECT_EQ(0, put(c, 1, 100, 11));
	EXPECT_EQ(0, check(c, 1, 100, 11));
	EXPECT_EQ(-ENOENT, check(c, 2, 100, 11));

	/* Twice held is twice released. */
	ASSERT_EQ(0, hold(c, 1, &e));
	ASSERT_EQ(0, hold(c, 1, &same));
	EXPECT_EQ(e.data, same.data);
	EXPECT_EQ(0, (uintptr_t)e.data % PAGE);
	EXPECT_EQ(0, ashm_cache_release(c, &e));
	EXPECT_EQ(0, ashm_cache_release(c, &same));
	EXPECT_EQ(-EINVAL, ashm_cache_release(c, &e));
	e.slot = 0;
	EXPECT_EQ(-EINVAL, ashm_cache_release(c, &e));
	e.slot = UINT32_MAX;
	EXPECT_EQ(-EINVAL, ashm_cache_release(c, &e));
	EXPECT_EQ(-EINVAL, ashm_cache_commit(c, &e));

	stat = stat_of(c);
	EXPECT_EQ(4 * PAGE, stat.size);
	EXPECT_EQ(PAGE, stat.resident);
	EXPECT_EQ(1, stat.entries);
	EXPECT_EQ(8, stat.entries_max);
	EXPECT_EQ(3, stat.hits);
	EXPECT_EQ(2, stat.misses);
	EXPECT_EQ(0, stat.purged);
	EXPECT_EQ(0, stat.evicted);
	EXPECT_EQ(1, stat.built);
	EXPECT_EQ(1, stat.handles);

	EXPECT_EQ(0, drop(c, 1));
	EXPECT_EQ(-ENOENT, drop(c, 1));
	EXPECT_EQ(-ENOENT, hold(c, 1, &e));
	stat = stat_of(c);
	EXPECT_EQ(0, stat.entries);
	EXPECT_EQ(0, stat.resident);

	EXPECT_EQ(ashm_cache_fd(c, ASHM_CACHE_INDEX), ashm_cache_fd(c, 0));
	EXPECT_EQ(-EINVAL, ashm_cache_fd(c, 2));
	EXPECT_EQ(-EINVAL, ashm_cache_fd(c, -1));
	ashm_cache_close(c);
	ashm_cache_close(NULL);
	EXPECT_EQ(4242, errno);
	EXPECT_EQ(fds, count_fds());
}

TEST_F(lib, keys)
{
	struct ashm_cache *c = new_cache(32, 32);
	char key[17] = "0123456789abcdef";
	struct ashm_cache_entry e;
	size_t len;

	ASSERT_NE(NULL, c);
	EXPECT_EQ(-EINVAL, ashm_cache_put(c, key, 0, "", 0));
	EXPECT_EQ(-EINVAL, ashm_cache_put(c, key, 17, "", 0));
	EXPECT_EQ(-EINVAL, ashm_cache_get(c, key, 17, &e));
	EXPECT_EQ(-EINVAL, ashm_cache_drop(c, key, 0));
	/* Each beginning of a key is another one, and a zero is a byte like others. */
	memset(key + 8, 0, 8);
	for (len = 1; len <= 16; len++) {
		ASSERT_EQ(0, ashm_cache_put(c, key, len, &len, sizeof(len)));
	}
	for (len = 1; len <= 16; len++) {
		ASSERT_EQ(0, ashm_cache_get(c, key, len, &e));
		EXPECT_EQ(0, memcmp(e.data, &len, sizeof(len)));
		EXPECT_EQ(0, ashm_cache_release(c, &e));
	}
	ashm_cache_close(c);
}

TEST_F(lib, sizes)
{
	struct ashm_cache *c = new_cache(130, 8);
	size_t sizes[] = { 0, 1, PAGE - 1, PAGE, PAGE + 1, 64 * PAGE, 129 * PAGE + 1, 130 * PAGE };
	size_t i;

	ASSERT_NE(NULL, c);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, put(c, 7, sizes[i], (unsigned int)i));
		EXPECT_EQ(0, check(c, 7, sizes[i], (unsigned int)i));
	}
	EXPECT_EQ(130 * PAGE, stat_of(c).resident);
	EXPECT_EQ(-EFBIG, put(c, 7, 130 * PAGE + 1, 1));
	EXPECT_EQ(-EFBIG, ashm_cache_reserve(c, "k", 1, SIZE_MAX, &(struct ashm_cache_entry){ 0 }));
	EXPECT_EQ(0, check(c, 7, 130 * PAGE, 7));
	ashm_cache_close(c);
}

TEST_F(lib, reserved)
{
	struct ashm_cache *c = new_cache(4, 4);
	struct ashm_cache_entry e, old;

	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, begin(c, 1, PAGE, &e));
	fill(e.data, PAGE, 5);
	EXPECT_EQ(-ENOENT, hold(c, 1, &old));
	EXPECT_EQ(0, ashm_cache_commit(c, &e));
	EXPECT_EQ(-EINVAL, ashm_cache_commit(c, &e));
	EXPECT_EQ(0, check(c, 1, PAGE, 5));
	EXPECT_EQ(0, ashm_cache_release(c, &e));
	EXPECT_EQ(-EINVAL, ashm_cache_commit(c, &e));
	EXPECT_EQ(0, check(c, 1, PAGE, 5));

	/* Given up, the old one is still there. */
	ASSERT_EQ(0, begin(c, 1, 3 * PAGE, &e));
	fill(e.data, 3 * PAGE, 6);
	EXPECT_EQ(0, ashm_cache_release(c, &e));
	EXPECT_EQ(0, check(c, 1, PAGE, 5));
	EXPECT_EQ(PAGE, stat_of(c).resident);

	/* Replaced or dropped, its holder still has it. */
	ASSERT_EQ(0, hold(c, 1, &old));
	EXPECT_EQ(0, put(c, 1, 2 * PAGE, 7));
	EXPECT_EQ(0, check(c, 1, 2 * PAGE, 7));
	EXPECT_EQ(0, drop(c, 1));
	EXPECT_EQ(0, put(c, 1, PAGE, 8));
	EXPECT_TRUE(filled(old.data, PAGE, 5));
	EXPECT_EQ(1, stat_of(c).entries);
	EXPECT_EQ(2 * PAGE, stat_of(c).resident);
	EXPECT_EQ(0, ashm_cache_release(c, &old));
	EXPECT_EQ(0, check(c, 1, PAGE, 8));
	EXPECT_EQ(PAGE, stat_of(c).resident);
	ashm_cache_close(c);
}

/* The entry that has been unused for longest makes room, held ones don't. */
TEST_F(lib, room)
{
	struct ashm_cache *c = new_cache(4, 8), *few = new_cache(8, 2);
	struct ashm_cache_entry e, f;
	unsigned int i;

	ASSERT_NE(NULL, c);
	ASSERT_NE(NULL, few);
	for (i = 1; i <= 4; i++) {
		ASSERT_EQ(0, put(c, i, PAGE, i));
	}
	EXPECT_EQ(0, check(c, 1, PAGE, 1));
	EXPECT_EQ(0, put(c, 5, PAGE, 5));
	EXPECT_EQ(-ENOENT, check(c, 2, PAGE, 2));
	EXPECT_EQ(1, stat_of(c).evicted);
	ASSERT_EQ(0, hold(c, 3, &e));
	EXPECT_EQ(0, put(c, 6, PAGE, 6));
	EXPECT_EQ(-ENOENT, check(c, 4, PAGE, 4));
	EXPECT_TRUE(filled(e.data, PAGE, 3));

	/* There never are four pages in a row while one is held. */
	EXPECT_EQ(-ENOSPC, put(c, 7, 4 * PAGE, 7));
	EXPECT_TRUE(filled(e.data, PAGE, 3));
	EXPECT_EQ(0, ashm_cache_release(c, &e));
	EXPECT_EQ(0, put(c, 7, 4 * PAGE, 7));
	EXPECT_EQ(0, check(c, 7, 4 * PAGE, 7));
	EXPECT_EQ(1, stat_of(c).entries);

	/* Slots run out, too. */
	ASSERT_EQ(0, begin(few, 1, 1, &e));
	ASSERT_EQ(0, begin(few, 2, 1, &f));
	EXPECT_EQ(-ENOSPC, put(few, 3, 1, 3));
	EXPECT_EQ(0, ashm_cache_release(few, &f));
	EXPECT_EQ(0, put(few, 3, 1, 3));
	EXPECT_EQ(0, put(few, 4, 1, 4));
	EXPECT_EQ(-ENOENT, check(few, 3, 1, 3));
	EXPECT_EQ(0, check(few, 4, 1, 4));
	ashm_cache_close(c);
	ashm_cache_close(few);
}

/* What can't get room removes nothing, and leaves the pages and the order as they are. */
TEST_F(lib, no_room)
{
	struct ashm_cache *c = new_cache(8, 8);
	struct ashm_cache_entry e;
	unsigned int i;

	ASSERT_NE(NULL, c);
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(0, put(c, i, PAGE, i));
	}
	ASSERT_EQ(0, hold(c, 3, &e));
	/* Too many pages; and enough pages, of which too few are in a row. */
	EXPECT_EQ(-ENOSPC, put(c, 9, 8 * PAGE, 9));
	EXPECT_EQ(-ENOSPC, begin(c, 9, 6 * PAGE, &(struct ashm_cache_entry){ 0 }));
	EXPECT_EQ(6, stat_of(c).entries);
	EXPECT_EQ(0, stat_of(c).evicted);
	EXPECT_EQ(6, c->index->used);
	EXPECT_EQ(0, c->index->torn);
	EXPECT_EQ(0, put(c, 6, 2 * PAGE, 6));
	EXPECT_EQ(0, stat_of(c).evicted);
	EXPECT_EQ(0, put(c, 7, PAGE, 7));
	EXPECT_EQ(1, stat_of(c).evicted);
	EXPECT_EQ(-ENOENT, check(c, 0, PAGE, 0));
	for (i = 1; i < 6; i++)
		EXPECT_EQ(0, check(c, i, PAGE, i));
	EXPECT_EQ(0, check(c, 6, 2 * PAGE, 6));
	EXPECT_EQ(0, ashm_cache_release(c, &e));
	EXPECT_EQ(0, put(c, 9, 8 * PAGE, 9));
	ashm_cache_close(c);
}

/* Of this thread alone: other tasks need the processor, too. */
static uint64_t cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Entries of 1 to 32 pages: none goes because free pages aren't in a row. */
TEST_F(lib, gaps)
{
	const unsigned int pages = 1024, rounds = 4000;
	struct rng rng = { .state = 1 };
	uint64_t used = 0, most = 0;
	struct ashm_cache_entry e;
	struct ashm_cache *c;
	unsigned int i;

	c = new_cache(pages, pages);
	ASSERT_NE(NULL, c);
	EXPECT_EQ(pages * PAGE, stat_of(c).size);
	EXPECT_EQ(-EFBIG, begin(c, 0, pages * PAGE + 1, &e));
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, begin(c, i, (1 + rng_below(&rng, 32)) * PAGE, &e));
		ASSERT_EQ(0, ashm_cache_commit(c, &e));
		ASSERT_EQ(0, ashm_cache_release(c, &e));
		most = c->index->used > most ? c->index->used : most;
		used += i < rounds / 2 ? 0 : c->index->used;
	}
	used /= rounds / 2;
	TH_LOG("%llu of %u pages are used, %llu at most", (unsigned long long)used, pages,
	       (unsigned long long)most);
	EXPECT_GE(pages, most);
	/* On average half of the next entry has no room. */
	EXPECT_LT(pages - 32, used);
	ashm_cache_close(c);
}

/* @best or less: the time for 10,000 entries in a cache of @pages, behind @before of them. */
static uint64_t filling(size_t pages, size_t before, uint64_t best)
{
	struct ashm_cache_entry e, first;
	struct ashm_cache *c;
	unsigned int i;
	uint64_t from;

	c = new_cache(pages, 10001);
	if (!c || begin(c, 0, before * PAGE, &first))
		return 0;
	from = cpu_us();
	for (i = 1; i <= 10000; i++)
		if (begin(c, i, 1, &e) || ashm_cache_commit(c, &e) ||
		    ashm_cache_release(c, &e))
			return 0;
	from = cpu_us() - from;
	ashm_cache_close(c);
	return from < best ? from : best;
}

/* To fill a cache takes as long for each entry however many pages there are. */
TEST_F_TIMEOUT(lib, fills_fast, 120)
{
	/* A 32-bit program has no room for 4 GiB. */
	size_t many = (sizeof(void *) == 4 ? 1u << 30 : UINT32_MAX) / PAGE;
	uint64_t few = UINT64_MAX, free = UINT64_MAX, taken = UINT64_MAX;
	int tries;

	if (ON_DEVICE)
		SKIP(return, "a region of the device counts as used memory");
	/* An emulator that waits for a processor lets the guest's clocks run. */
	for (tries = 0; tries < 10 && (tries < 3 || free >= 2 * few || taken >= 2 * few); tries++) {
		few = filling(10001, 1, few);
		free = filling(many, 1, free);
		taken = filling(many, many - 10000, taken);
	}
	TH_LOG("10,000 entries: %llu us; before free pages %llu us; behind taken ones %llu us",
	       (unsigned long long)few, (unsigned long long)free, (unsigned long long)taken);
	ASSERT_TRUE(few && free && taken);
	EXPECT_LT(free, 2 * few);
	EXPECT_LT(taken, 2 * few);
}

/* Every second page becomes free, then a run grows at one end, upwards or downwards. */
static void fragments(struct __test_metadata *_metadata, bool down)
{
	const unsigned int n = 32768, gaps = down ? n / 8 : 0, want = n / 2 + 2 + gaps;
	struct ashm_cache *c = new_cache(n, n);
	struct ashm_cache_entry e;
	uint64_t from, fill, took;
	unsigned int i, nr;

	ASSERT_NE(NULL, c);
	from = cpu_us();
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, begin(c, i, 1, &e));
		ASSERT_EQ(c->contents + i * PAGE, e.data);
		ASSERT_EQ(0, ashm_cache_commit(c, &e));
		ASSERT_EQ(0, ashm_cache_release(c, &e));
	}
	fill = cpu_us() - from;
	for (i = 0; i < n; i++) {
		nr = i < n / 2 ? 2 * i : down ? 2 * n - 2 * i - 1 : 2 * i - n + 1;
		ASSERT_EQ(0, hold(c, nr, &e));
		ASSERT_EQ(0, ashm_cache_release(c, &e));
	}
	from = cpu_us();
	ASSERT_EQ(0, begin(c, n, want * PAGE, &e));
	took = cpu_us() - from;
	EXPECT_EQ(c->contents + (down ? n + gaps - want : 0) * PAGE, e.data);
	EXPECT_EQ(n / 2 + (want - gaps) / 2, stat_of(c).evicted);
	/* A search of all pages after each eviction takes twenty times as long. */
	TH_LOG("filled in %llu us, made room in %llu us", (unsigned long long)fill,
	       (unsigned long long)took);
	EXPECT_LT(took, 7 * fill);
	ashm_cache_close(c);
}

TEST_F_TIMEOUT(lib, fragments_below, 120)
{
	fragments(_metadata, false);
}

TEST_F_TIMEOUT(lib, fragments_above, 120)
{
	fragments(_metadata, true);
}

/* Two descriptors, however many entries. A region of the device counts as used memory. */
TEST_F_TIMEOUT(lib, many, 600)
{
	unsigned int many = ON_DEVICE ? (unsigned int)((200 << 20) / PAGE) : 100000, i;
	struct ashm_cache *c = new_cache(many, many);
	struct ashm_cache_entry e;
	int fds = count_fds();

	ASSERT_NE(NULL, c);
	for (i = 0; i < many; i++) {
		ASSERT_EQ(0, begin(c, i, sizeof(i), &e));
		/* Memory for a few is enough. */
		if (!(i % 997))
			memcpy(e.data, &i, sizeof(i));
		ASSERT_EQ(0, ashm_cache_commit(c, &e));
		ASSERT_EQ(0, ashm_cache_release(c, &e));
	}
	EXPECT_EQ(fds, count_fds());
	for (i = 0; i < many; i += 997) {
		ASSERT_EQ(0, hold(c, i, &e));
		EXPECT_EQ(0, memcmp(e.data, &i, sizeof(i)));
		ASSERT_EQ(0, ashm_cache_release(c, &e));
	}
	EXPECT_EQ(many, stat_of(c).entries);
	EXPECT_EQ(0, stat_of(c).evicted);
	ashm_cache_close(c);
}

/* ---- purges ---- */

TEST_F(lib, lost)
{
	struct ashm_cache *c = new_cache(16, 16);
	struct ashm_cache_entry e;
	struct ashm_cache_stat stat;
	unsigned int i;

	NEED_PURGE();
	ASSERT_NE(NULL, c);
	for (i = 1; i <= 4; i++) {
		ASSERT_EQ(0, put(c, i, 2 * PAGE, i));
	}
	ASSERT_EQ(0, hold(c, 2, &e));
	ASSERT_TRUE(purge(variant->backend));
	EXPECT_TRUE(filled(e.data, 2 * PAGE, 2));
	EXPECT_EQ(2 * PAGE, stat_of(c).resident);
	for (i = 1; i <= 4; i++)
		EXPECT_EQ(i == 2 ? 0 : -ENOENT, check(c, i, 2 * PAGE, i));
	EXPECT_EQ(0, put(c, 1, PAGE, 11));
	EXPECT_EQ(0, check(c, 1, PAGE, 11));
	EXPECT_EQ(0, ashm_cache_release(c, &e));
	ASSERT_TRUE(purge(variant->backend));
	EXPECT_EQ(-ENOENT, check(c, 2, 2 * PAGE, 2));
	EXPECT_EQ(-ENOENT, check(c, 1, PAGE, 11));
	stat = stat_of(c);
	EXPECT_EQ(0, stat.entries);
	EXPECT_EQ(5, stat.purged);
	EXPECT_EQ(0, stat.evicted);

	/* What was purged below a new entry is no loss of the new one. */
	for (i = 1; i <= 16; i++) {
		ASSERT_EQ(0, put(c, i, PAGE, i));
	}
	ASSERT_TRUE(purge(variant->backend));
	EXPECT_EQ(0, put(c, 20, 16 * PAGE, 20));
	EXPECT_EQ(0, check(c, 20, 16 * PAGE, 20));
	ashm_cache_close(c);
}

/* While another handle holds it, a release doesn't make it one to purge. */
TEST_F(lib, two_holders)
{
	struct ashm_cache *c = new_cache(4, 4), *d;
	struct ashm_cache_entry e, f;

	NEED_PURGE();
	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, another(c, &d));
	EXPECT_EQ(2, stat_of(d).handles);
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	ASSERT_EQ(0, hold(c, 1, &e));
	ASSERT_EQ(0, hold(d, 1, &f));
	EXPECT_EQ(-EINVAL, ashm_cache_release(c, &f));
	EXPECT_EQ(0, ashm_cache_release(c, &e));
	ASSERT_TRUE(purge(variant->backend));
	EXPECT_TRUE(filled(f.data, PAGE, 1));
	EXPECT_EQ(0, check(c, 1, PAGE, 1));
	EXPECT_EQ(-ENOSPC, put(c, 2, 4 * PAGE, 2));
	/* So does closing the handle. */
	ashm_cache_close(d);
	ASSERT_TRUE(purge(variant->backend));
	EXPECT_EQ(-ENOENT, check(c, 1, PAGE, 1));
	ashm_cache_close(c);
}

static int make(void *data, void *contents, size_t size)
{
	++*(int *)data;
	memset(contents, 7, size);
	return 0;
}

static void use(struct ashm_purgeable *o)
{
	const void *p;

	if (!ashm_purgeable_begin_read(o, &p))
		ashm_purgeable_end_read(o);
}

/* On memfd, objects and entries of all caches go in one order. */
TEST_F(lib, one_order)
{
	struct ashm_cache *c = new_cache(8, 8), *d = new_cache(8, 8);
	int made[2] = { 0, 0 };
	struct ashm_purgeable *o[2];
	uint64_t freed;
	int i;

	if (ON_DEVICE)
		SKIP(return, "the kernel takes what it wants");
	ASSERT_NE(NULL, c);
	ASSERT_NE(NULL, d);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ashm_purgeable_create("o", PAGE, make, &made[i], &o[i]));
	}
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	ASSERT_EQ(0, put(d, 2, PAGE, 2));
	use(o[0]);
	ASSERT_EQ(0, put(c, 3, 2 * PAGE, 3));
	use(o[1]);
	ASSERT_EQ(0, put(d, 4, PAGE, 4));
	EXPECT_EQ(0, ashm_purgeable_reclaim(0, &freed));
	EXPECT_EQ(0, freed);
	EXPECT_EQ(0, ashm_purgeable_reclaim(1, &freed));
	EXPECT_EQ(PAGE, freed);
	EXPECT_EQ(1, stat_of(c).entries);
	EXPECT_EQ(2, stat_of(d).entries);
	/* 2 and the first object. */
	EXPECT_EQ(0, ashm_purgeable_reclaim(2 * PAGE, &freed));
	EXPECT_EQ(2 * PAGE, freed);
	EXPECT_EQ(2, stat_of(c).entries + stat_of(d).entries);
	EXPECT_EQ(1, stat_of(c).purged);
	EXPECT_EQ(1, stat_of(d).purged);
	EXPECT_EQ(2 * PAGE, stat_of(c).resident);
	EXPECT_EQ(PAGE, stat_of(d).resident);
	/* 3 has two pages. Then the second object. */
	EXPECT_EQ(0, ashm_purgeable_reclaim(1, &freed));
	EXPECT_EQ(2 * PAGE, freed);
	EXPECT_EQ(0, ashm_purgeable_reclaim(1, &freed));
	EXPECT_EQ(PAGE, freed);
	EXPECT_EQ(0, check(d, 4, PAGE, 4));
	for (i = 0; i < 2; i++) {
		use(o[i]);
		EXPECT_EQ(2, made[i]);
	}
	/* 4 is held, so there are two objects. */
	ashm_cache_close(c);
	EXPECT_EQ(0, ashm_purgeable_reclaim(UINT64_MAX, &freed));
	EXPECT_EQ(3 * PAGE, freed);
	EXPECT_EQ(0, stat_of(d).entries);
	ashm_cache_close(d);
	EXPECT_EQ(0, ashm_purgeable_reclaim(UINT64_MAX, &freed));
	EXPECT_EQ(0, freed);
	for (i = 0; i < 2; i++)
		ashm_purgeable_destroy(o[i]);
}

/* ---- against a plain dictionary ---- */

enum { KEYS = 40, STEPS = 4000, MODEL_PAGES = 48, MODEL_ENTRIES = 24 };

struct model {
	bool there, held;
	bool doubt;		/* idle during a purge by the kernel */
	size_t size;
	unsigned int seed;
	uint64_t used;		/* when it became idle */
	struct ashm_cache_entry entry;
};

#define SURE(cond) do { \
	if (!(cond)) \
		return __LINE__; \
} while (0)

struct play {
	struct ashm_cache *handle[2];
	struct model model[KEYS];
	struct rng rng;
	uint64_t clock, gone, gets, hits, puts;
	int backend;
	bool purges;
};

/* Entries go by age: as many of the oldest idle ones as the counters say, and no others. */
static int play_losses(struct play *play)
{
	struct ashm_cache_stat stat = stat_of(play->handle[0]);
	uint64_t gone = stat.evicted;
	struct model *oldest, *m;

	/* On the device a get counts what the kernel purged, and the model sees its answer. */
	if (play->backend == ASHM_BACKEND_MEMFD)
		gone += stat.purged;
	for (; play->gone < gone; play->gone++) {
		oldest = NULL;
		for (m = play->model; m < play->model + KEYS; m++)
			if (m->there && !m->held && (!oldest || m->used < oldest->used))
				oldest = m;
		SURE(oldest);
		oldest->there = false;
	}
	return 0;
}

static int play_put(struct play *play, struct ashm_cache *c, unsigned int nr, unsigned int seed)
{
	uint32_t pages = rng_below(&play->rng, 8) ? 3 : 20;
	size_t size = rng_below(&play->rng, pages * (uint32_t)PAGE);
	struct model *m = &play->model[nr];
	uint64_t gone = play->gone;
	int ret = put(c, nr, size, seed);

	SURE(!play_losses(play));
	if (ret == -ENOSPC) {
		SURE(play->gone == gone);
		return 0;
	}
	SURE(!ret);
	play->puts++;
	m->there = true;
	m->doubt = false;
	m->size = size;
	m->seed = seed;
	m->used = ++play->clock;
	return 0;
}

static int play_hold(struct play *play, struct ashm_cache *c, unsigned int nr)
{
	struct model *m = &play->model[nr];
	int ret = hold(c, nr, &m->entry);

	play->gets++;
	play->hits += !ret;
	m->held = !ret;
	if (ret) {
		SURE(ret == -ENOENT && (!m->there || m->doubt));
		m->there = false;
		return 0;
	}
	SURE(m->there && m->size == m->entry.size);
	SURE(filled(m->entry.data, m->size, m->seed));
	m->doubt = false;
	return 0;
}

static int play_release(struct play *play, struct ashm_cache *c, unsigned int nr)
{
	struct model *m = &play->model[nr];

	SURE(filled(m->entry.data, m->size, m->seed));
	SURE(!ashm_cache_release(c, &m->entry));
	m->held = false;
	m->used = ++play->clock;
	return 0;
}

static int play_drop(struct play *play, struct ashm_cache *c, unsigned int nr)
{
	SURE(drop(c, nr) == (play->model[nr].there ? 0 : -ENOENT));
	play->model[nr].there = false;
	return 0;
}

static int play_purge(struct play *play)
{
	uint64_t bytes = rng_below(&play->rng, 20) * PAGE;
	struct model *m;

	if (play->backend == ASHM_BACKEND_MEMFD) {
		SURE(!ashm_purgeable_reclaim(bytes, NULL));
		return play_losses(play);
	}
	SURE(!play->purges || purge(play->backend));
	for (m = play->model; m < play->model + KEYS; m++)
		m->doubt |= play->purges && !m->held;
	return 0;
}

/* All that isn't held, one after the other. */
static int play_all(struct play *play)
{
	unsigned int nr;
	int ret = 0;

	for (nr = 0; nr < KEYS && !ret; nr++) {
		if (play->model[nr].held)
			continue;
		ret = play_hold(play, play->handle[nr & 1], nr);
		if (!ret && play->model[nr].held)
			ret = play_release(play, play->handle[nr & 1], nr);
	}
	return ret;
}

/* 0, or the line where something is wrong. */
static int play_call(struct play *play, unsigned int step)
{
	unsigned int nr = rng_below(&play->rng, KEYS), op = rng_below(&play->rng, 100);
	struct ashm_cache *c = play->handle[nr & 1];
	bool held = play->model[nr].held;

	if (held && op < 60)
		return play_release(play, c, nr);
	if (op < 80 && held)
		return 0;
	if (op < 40)
		return play_put(play, c, nr, step);
	if (op < 70)
		return play_hold(play, c, nr);
	if (op < 80)
		return play_drop(play, c, nr);
	if (op < 84)
		return play_purge(play);
	/* As if a process had died in a call. */
	c->index->torn |= op < 86;
	return op < 90 ? play_all(play) : 0;
}

static int play_step(struct play *play, unsigned int step)
{
	uint64_t entries = 0;
	unsigned int nr;
	int ret = play_call(play, step);

	if (ret)
		return ret;
	for (nr = 0; nr < KEYS; nr++)
		entries += play->model[nr].there;
	SURE(entries == stat_of(play->handle[0]).entries);
	return 0;
}

TEST_F_TIMEOUT(lib, model, 300)
{
	struct play play = {
		.handle = { new_cache(MODEL_PAGES, MODEL_ENTRIES) },
		.rng = { rng_seed() },
		.backend = variant->backend,
		.purges = !ON_DEVICE || purge_works(),
	};
	struct ashm_cache_stat stat;
	unsigned int nr, step;

	ASSERT_NE(NULL, play.handle[0]);
	ASSERT_EQ(0, another(play.handle[0], &play.handle[1]));
	TH_LOG("seed %llu", (unsigned long long)play.rng.state);
	for (step = 0; step < (unsigned int)as_often(STEPS); step++) {
		ASSERT_EQ(0, play_step(&play, step))
			TH_LOG("step %u", step);
	}
	stat = stat_of(play.handle[1]);
	EXPECT_EQ(play.gets, stat.hits + stat.misses);
	EXPECT_EQ(play.hits, stat.hits);
	EXPECT_EQ(play.puts, stat.built);
	EXPECT_GT(play.hits, 0);
	EXPECT_LT(play.hits, play.gets);
	EXPECT_GT(stat.evicted, 0);
	if (play.purges)
		EXPECT_GT(stat.purged, 0);
	/* Nothing is left behind: all of it can be used at once. */
	for (nr = 0; nr < KEYS; nr++) {
		if (play.model[nr].held)
			ASSERT_EQ(0, ashm_cache_release(play.handle[nr & 1],
							&play.model[nr].entry));
	}
	EXPECT_EQ(0, put(play.handle[0], 0, MODEL_PAGES * PAGE, 1));
	EXPECT_EQ(0, check(play.handle[1], 0, MODEL_PAGES * PAGE, 1));
	EXPECT_EQ(1, stat_of(play.handle[0]).entries);
	ashm_cache_close(play.handle[1]);
	ashm_cache_close(play.handle[0]);
}

/* ---- threads and processes ---- */

enum { THREADS = 4, ROUNDS = 2000, CROWD_PAGES = 40, CROWD_KEYS = 24 };

/* The seed and the length are in the entry, so that any user can check it. */
static size_t crowd_size(unsigned int seed)
{
	return sizeof(seed) + seed % (3 * 4096);
}

static bool crowd_right(const struct ashm_cache_entry *e)
{
	unsigned int seed;

	if (e->size < sizeof(seed))
		return false;
	memcpy(&seed, e->data, sizeof(seed));
	return e->size == crowd_size(seed) &&
	       filled((char *)e->data + sizeof(seed), e->size - sizeof(seed), seed);
}

/* One call or a few; -EILSEQ if contents are wrong, or what a call should not return. */
static int crowd_step(struct ashm_cache *c, struct rng *rng)
{
	unsigned int nr = rng_below(rng, CROWD_KEYS), seed = rng_next(rng);
	struct ashm_cache_entry e;
	int ret, last;

	if (!rng_below(rng, 10)) {
		ret = drop(c, nr);
		return ret == -ENOENT ? 0 : ret;
	}
	ret = hold(c, nr, &e);
	if (!ret) {
		ret = crowd_right(&e) ? 0 : -EILSEQ;
		if (!rng_below(rng, 8))
			nap_ms(1);
		if (!crowd_right(&e))
			ret = -EILSEQ;
		last = ashm_cache_release(c, &e);
		return ret ? ret : last;
	}
	if (ret != -ENOENT)
		return ret;
	ret = begin(c, nr, crowd_size(seed), &e);
	if (ret)
		return ret == -ENOSPC ? 0 : ret;
	memcpy(e.data, &seed, sizeof(seed));
	fill((char *)e.data + sizeof(seed), e.size - sizeof(seed), seed);
	ret = rng_below(rng, 8) ? ashm_cache_commit(c, &e) : 0;
	last = ashm_cache_release(c, &e);
	return ret ? ret : last;
}

struct crowd {
	_Atomic int error, running;
	struct ashm_cache *cache;
};

static void *crowd_thread(void *arg)
{
	struct rng rng = { rng_seed() };
	struct crowd *crowd = arg;
	int i, ret;

	rng.state ^= (uint64_t)(uintptr_t)&rng;
	for (i = 0; i < as_often(ROUNDS); i++) {
		ret = crowd_step(crowd->cache, &rng);
		if (ret)
			crowd->error = ret;
	}
	crowd->running--;
	return NULL;
}

TEST_F_TIMEOUT(lib, threads, 300)
{
	static struct crowd crowd;
	bool purges = !ON_DEVICE || purge_works();
	pthread_t id[THREADS];
	int i;

	crowd.cache = new_cache(CROWD_PAGES, CROWD_KEYS);
	ASSERT_NE(NULL, crowd.cache);
	crowd.running = THREADS;
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_create(&id[i], NULL, crowd_thread, &crowd));
	}
	while (crowd.running) {
		nap_ms(1);
		if (purges)
			EXPECT_TRUE(purge(variant->backend));
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	EXPECT_EQ(0, crowd.error);
	/* No thread holds anything. */
	EXPECT_EQ(0, put(crowd.cache, 0, CROWD_PAGES * PAGE, 1));
	ashm_cache_close(crowd.cache);
}

/* By its own handle; it can only close that of its parent. */
static void crowd_process(struct ashm_cache *parents, uint64_t seed, int rounds)
{
	struct rng rng = { seed };
	struct ashm_cache *c;

	CHILD_CHECK(!another(parents, &c));
	ashm_cache_close(parents);
	while (rounds < 0 || rounds--) {
		errno = -crowd_step(c, &rng);
		CHILD_CHECK(!errno);
	}
	ashm_cache_close(c);
	_exit(0);
}

/* Three work to their end; others are killed in the middle, again and again. */
TEST_F_TIMEOUT(lib, killed, 300)
{
	enum { WORKERS = 3, VICTIMS = 25 };
	struct ashm_cache *c = new_cache(CROWD_PAGES, CROWD_KEYS);
	bool purges = !ON_DEVICE || purge_works();
	struct rng rng = { rng_seed() };
	pid_t worker[WORKERS], victim;
	int i;

	NO_TSAN();
	ASSERT_NE(NULL, c);
	for (i = 0; i < WORKERS; i++) {
		worker[i] = fork();
		ASSERT_GE(worker[i], 0);
		if (!worker[i])
			crowd_process(c, rng.state + (uint64_t)i, as_often(ROUNDS));
	}
	for (i = 0; i < VICTIMS; i++) {
		victim = fork();
		ASSERT_GE(victim, 0);
		if (!victim)
			crowd_process(c, rng.state - (uint64_t)i - 1, -1);
		nap_ms(5 + rng_below(&rng, 20));
		if (purges)
			EXPECT_TRUE(purge(variant->backend));
		kill(victim, SIGKILL);
		EXPECT_EQ(128 + SIGKILL, wait_child(victim));
	}
	for (i = 0; i < WORKERS; i++)
		EXPECT_EQ(0, wait_child(worker[i]));
	/* The dead hold nothing any more. */
	EXPECT_EQ(0, put(c, 0, CROWD_PAGES * PAGE, 1));
	EXPECT_EQ(1, stat_of(c).handles);
	EXPECT_EQ(1, stat_of(c).entries);
	EXPECT_EQ(CROWD_PAGES * PAGE, stat_of(c).resident);
	ashm_cache_close(c);
}

/* A child that does @what with its own handle and then dies. */
static bool died(struct ashm_cache *c, void (*what)(struct ashm_cache *c))
{
	struct ashm_cache *d;
	pid_t pid = fork();
	int status;

	if (!pid) {
		CHILD_CHECK(!another(c, &d));
		what(d);
		raise(SIGSTOP);
		_exit(1);
	}
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		return false;
	/* Valgrind looks at all memory, and so fills it, if a process kills itself. */
	kill(pid, SIGKILL);
	return wait_child(pid) == 128 + SIGKILL;
}

static void hold_and_begin(struct ashm_cache *c)
{
	struct ashm_cache_entry e;

	CHILD_CHECK(!hold(c, 1, &e));
	CHILD_CHECK(!begin(c, 2, PAGE, &e));
	memset(e.data, 9, PAGE);
}

TEST_F(lib, holder_dies)
{
	struct ashm_cache *c = new_cache(4, 4), *d;
	struct ashm_cache_entry e;

	NEED_PURGE();
	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	ASSERT_TRUE(died(c, hold_and_begin));
	EXPECT_EQ(1, stat_of(c).handles);
	EXPECT_EQ(PAGE, stat_of(c).resident);
	EXPECT_EQ(-ENOENT, hold(c, 2, &e));
	ASSERT_TRUE(purge(variant->backend));
	EXPECT_EQ(-ENOENT, check(c, 1, PAGE, 1));

	/* What another one holds, too, stays. */
	ASSERT_EQ(0, put(c, 1, PAGE, 3));
	ASSERT_EQ(0, hold(c, 1, &e));
	ASSERT_TRUE(died(c, hold_and_begin));
	ASSERT_TRUE(purge(variant->backend));
	EXPECT_TRUE(filled(e.data, PAGE, 3));
	EXPECT_EQ(0, check(c, 1, PAGE, 3));
	EXPECT_EQ(0, ashm_cache_release(c, &e));

	/* The next one in its place doesn't inherit. */
	ASSERT_TRUE(died(c, hold_and_begin));
	ASSERT_EQ(0, another(c, &d));
	EXPECT_EQ(0, put(d, 5, 4 * PAGE, 5));
	ashm_cache_close(d);
	ashm_cache_close(c);
}

/* As if it had died between PIN, which told the loss, and the next line. */
static void die_in_doubt(struct ashm_cache *c)
{
	struct ashm_cache_entry e;

	CHILD_CHECK(!hold(c, 1, &e));
	memset(e.data, 0, PAGE);
	slot_of(c, &e)->state = ENTRY_DOUBT;
	CHILD_CHECK(!libashmem_cache_enter(c, 0));
}

TEST_F(lib, dies_in_doubt)
{
	struct ashm_cache *c = new_cache(1, 1);
	struct ashm_cache_entry e;

	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	ASSERT_TRUE(died(c, die_in_doubt));
	EXPECT_EQ(-ENOENT, hold(c, 1, &e));
	EXPECT_EQ(0, stat_of(c).entries);
	EXPECT_EQ(0, put(c, 1, PAGE, 2));
	EXPECT_EQ(0, check(c, 1, PAGE, 2));
	ashm_cache_close(c);
}

/*
 * The guardian of a killed process ends while the thread that has the lock is still in the
 * kernel, where it frees pages. Until that has ended, too, it has the lock.
 */
TEST_F(lib, outlives_its_guardian)
{
	struct ashm_cache *c = new_cache(1, 1), *d;
	int status;
	pid_t pid;

	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		CHILD_CHECK(!another(c, &d));
		CHILD_CHECK(!libashmem_cache_enter(d, 0));
		raise(SIGSTOP);
		_exit(1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	c->index->party[c->party + 1].owner = FUTEX_OWNER_DIED;
	EXPECT_EQ(-ETIMEDOUT, libashmem_cache_enter(c, 100));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, wait_child(pid));
	EXPECT_EQ(0, check(c, 1, PAGE, 1));
	ashm_cache_close(c);
}

static void *end_inside(void *c)
{
	return (void *)(intptr_t)libashmem_cache_enter(c, 0);
}

/* A thread that ends with the lock. Its process goes on, with another handle. */
TEST_F(lib, thread_ends_inside)
{
	struct ashm_cache *c = new_cache(1, 1), *d;
	pthread_t id;
	void *ret;

	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	ASSERT_EQ(0, another(c, &d));
	ASSERT_EQ(0, pthread_create(&id, NULL, end_inside, d));
	ASSERT_EQ(0, pthread_join(id, &ret));
	EXPECT_EQ(NULL, ret);
	EXPECT_EQ(0, check(c, 1, PAGE, 1));
	ashm_cache_close(c);
}

/* A mutex that the C library has on this thread's list, and what the library says. */
static struct {
	pthread_mutex_t mutex;
	struct ashm_cache *cache;
	int ret;
} robust;

static void *end_with_mutex(void *unused)
{
	struct ashm_cache_entry e;

	(void)unused;
	robust.ret = hold(robust.cache, 1, &e);
	pthread_mutex_lock(&robust.mutex);
	return NULL;
}

/* A sandbox doesn't show the C library's list, which must stay. */
TEST(list_unseen)
{
	pthread_mutexattr_t attr;
	pthread_t id;

	setenv("ASHMEM_BACKEND", "memfd", 1);
	robust.cache = new_cache(1, 1);
	ASSERT_NE(NULL, robust.cache);
	ASSERT_EQ(0, put(robust.cache, 1, PAGE, 1));
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	ASSERT_EQ(0, pthread_mutex_init(&robust.mutex, &attr));
	FORBID(SYS_get_robust_list, 0, 0, 0, EACCES);
	ASSERT_EQ(0, pthread_create(&id, NULL, end_with_mutex, NULL));
	ASSERT_EQ(0, pthread_join(id, NULL));
	EXPECT_EQ(-EPERM, robust.ret);
	EXPECT_EQ(EOWNERDEAD, pthread_mutex_trylock(&robust.mutex));
	/* This thread saw its list before. */
	EXPECT_EQ(0, check(robust.cache, 1, PAGE, 1));
	ashm_cache_close(robust.cache);
}

static struct {
	struct libashmem_kind kind;
	struct ashm_cache *cache;
	uint32_t pins, unpins, state;
	uint32_t order[16];	/* of unpins */
	int answer;
	bool stop;
} driver;

static int fake_pin(int fd, uint32_t offset, uint32_t len)
{
	const struct ashm_cache_entry first = { .slot = 1 };
	int answer = driver.answer;

	(void)fd;
	(void)offset;
	(void)len;
	driver.state = slot_of(driver.cache, &first)->state;
	driver.pins++;
	driver.answer = 0;
	/* As if another process had stopped with the lock, from now on. */
	if (driver.stop) {
		driver.cache->index->lock = 1;
		driver.stop = false;
	}
	return answer;
}

static int fake_unpin(int fd, uint32_t offset, uint32_t len)
{
	(void)fd;
	(void)len;
	driver.order[driver.unpins++ % ARRAY_SIZE(driver.order)] = offset / (uint32_t)PAGE;
	return 0;
}

static void fake_driver(struct ashm_cache *c)
{
	memset(&driver, 0, sizeof(driver));
	driver.kind = *c->kind;
	driver.kind.pin = fake_pin;
	driver.kind.unpin = fake_unpin;
	driver.cache = c;
	c->kind = &driver.kind;
	c->on_memfd = false;
}

static void hold_one(struct ashm_cache *c)
{
	struct ashm_cache_entry e;

	CHILD_CHECK(!hold(c, 1, &e));
}

static time_t seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* How long it takes to give back memory while another thread waits. */
static void *reclaim_beside(void *took)
{
	time_t from;

	nap_ms(1000);
	from = seconds();
	ashm_purgeable_reclaim(1, NULL);
	*(time_t *)took = seconds() - from;
	return NULL;
}

static struct ashm_cache *beside;

/* How long a call takes that begins while another thread waits. */
static void *hold_beside(void *took)
{
	struct ashm_cache_entry e;
	time_t from;

	nap_ms(1000);
	from = seconds();
	if (hold(beside, 1, &e) == -ETIMEDOUT)
		*(time_t *)took = seconds() - from;
	return NULL;
}

/* A process that stops with the lock is waited for, but not for ever. */
TEST_F_TIMEOUT(lib, stopped, 120)
{
	struct ashm_cache *c = new_cache(2, 2), *other = new_cache(1, 1);
	time_t from, took = 99, held = 99;
	struct ashm_cache_entry e;
	pthread_t id, holder;

	ASSERT_NE(NULL, c);
	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, put(c, 2, PAGE, 2));
	ASSERT_EQ(0, put(other, 3, PAGE, 3));
	/* A thread that seems to live. */
	c->index->lock = 1;
	beside = c;
	ASSERT_EQ(0, pthread_create(&id, NULL, reclaim_beside, &took));
	ASSERT_EQ(0, pthread_create(&holder, NULL, hold_beside, &held));
	from = seconds();
	EXPECT_EQ(-ETIMEDOUT, hold(c, 1, &e));
	EXPECT_GE(seconds() - from, 9);
	pthread_join(id, NULL);
	pthread_join(holder, NULL);
	EXPECT_LE(took, 4);
	/* It waits for the other thread and for the process, but not that long for each. */
	EXPECT_LE(held, 15);
	/* A cache that can't be locked doesn't keep the others from giving back. */
	EXPECT_EQ(ON_DEVICE ? 1 : 0, stat_of(other).entries);
	ashm_cache_close(other);
	/* It ended: the kernel leaves the flag of the sleepers. Nor does 0 have it. */
	c->index->lock = FUTEX_OWNER_DIED | FUTEX_WAITERS;
	EXPECT_EQ(0, check(c, 2, PAGE, 2));
	c->index->lock = FUTEX_WAITERS;
	EXPECT_EQ(-ENOENT, hold(c, 1, &e));
	EXPECT_EQ(0, c->index->lock);
	ashm_cache_close(c);
}

#ifndef __USE_TIME64_REDIRECTS
static void *get_beside(void *ret)
{
	struct ashm_cache_entry e;

	*(int *)ret = hold(beside, 1, &e);
	return NULL;
}

/* A machine stops for a minute while a call waits: the owner goes on, too, and is in time. */
TEST_F(lib, machine_stops)
{
	struct ashm_cache *c = new_cache(1, 1);
	pthread_t id;
	int ret = 99;

	ASSERT_NE(NULL, c);
	beside = c;
	c->index->lock = 1;
	ASSERT_EQ(0, pthread_create(&id, NULL, get_beside, &ret));
	while (!(c->index->lock & FUTEX_WAITERS))
		nap_ms(1);
	nap_ms(100);
	stopped_for = 60;
	nap_ms(RING_SLICE_MS + 500);
	c->index->lock = 0;
	pthread_join(id, NULL);
	EXPECT_EQ(-ENOENT, ret);
	ashm_cache_close(c);
}
#endif

/* A put that another process stops leaves nothing that can't be released. */
static void put_and_stop(void)
{
	struct ashm_cache *c = new_cache(1, 1);

	CHILD_CHECK(c);
	fake_driver(c);
	driver.stop = true;
	CHILD_CHECK(put(c, 1, PAGE, 1) == -ETIMEDOUT);
	c->index->lock = 0;
	CHILD_CHECK(!put(c, 2, PAGE, 2));
	CHILD_CHECK(!check(c, 2, PAGE, 2));
	ashm_cache_close(c);
	_exit(0);
}

/* The same, and an open in the place of a dead process: what that held isn't lost. */
TEST_F_TIMEOUT(lib, stopped_halfway, 120)
{
	struct ashm_cache *c, *d;
	pid_t putter;

	NO_TSAN();
	putter = fork();
	ASSERT_GE(putter, 0);
	if (!putter)
		put_and_stop();
	c = new_cache(1, 1);
	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	ASSERT_TRUE(died(c, hold_one));
	c->index->lock = 1;
	EXPECT_EQ(-ETIMEDOUT, another(c, &d));
	c->index->lock = FUTEX_OWNER_DIED;
	EXPECT_EQ(0, put(c, 2, PAGE, 2));
	EXPECT_EQ(0, wait_child(putter));
	ashm_cache_close(c);
}

/* ---- the driver's answers, and peers that lie ---- */

TEST_F(lib, answers_of_pin)
{
	struct ashm_cache *c = new_cache(4, 4);
	struct ashm_cache_entry e;

	ASSERT_NE(NULL, c);
	fake_driver(c);
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	EXPECT_EQ(1, driver.pins);
	EXPECT_EQ(1, driver.unpins);
	EXPECT_EQ(0, check(c, 1, PAGE, 1));
	EXPECT_EQ(2, driver.pins);
	EXPECT_EQ(2, driver.unpins);
	/* If this process dies now, the answer is lost with it. */
	EXPECT_EQ(ENTRY_DOUBT, driver.state);

	driver.answer = ASHMEM_WAS_PURGED;
	EXPECT_EQ(-ENOENT, hold(c, 1, &e));
	EXPECT_EQ(-ENOENT, hold(c, 1, &e));
	EXPECT_EQ(1, stat_of(c).purged);
	EXPECT_EQ(0, stat_of(c).entries);
	EXPECT_EQ(0, stat_of(c).resident);
	/* What was lost there before concerns no new entry. */
	driver.answer = ASHMEM_WAS_PURGED;
	EXPECT_EQ(0, put(c, 1, PAGE, 2));
	EXPECT_EQ(0, check(c, 1, PAGE, 2));
	/* A drop pins, too, and its answer can be lost as well. */
	driver.state = ENTRY_READY;
	EXPECT_EQ(0, drop(c, 1));
	EXPECT_EQ(ENTRY_DOUBT, driver.state);
	EXPECT_EQ(0, put(c, 1, PAGE, 2));
	/* Perhaps a part of the answer was lost. */
	driver.answer = -ENOMEM;
	EXPECT_EQ(-ENOMEM, hold(c, 1, &e));
	EXPECT_EQ(-ENOENT, hold(c, 1, &e));
	driver.answer = -ENOMEM;
	EXPECT_EQ(-ENOMEM, put(c, 1, 3 * PAGE, 3));
	EXPECT_EQ(0, put(c, 1, 4 * PAGE, 4));
	EXPECT_EQ(0, check(c, 1, 4 * PAGE, 4));
	/* No range stays unpinned without an entry. */
	driver.pins = 0;
	EXPECT_EQ(0, drop(c, 1));
	EXPECT_EQ(1, driver.pins);
	ashm_cache_close(c);
}

/* A repair unpins by age again, so that the driver has the same order. */
TEST_F(lib, order_of_unpins)
{
	struct ashm_cache *c = new_cache(4, 4);
	unsigned int i;

	ASSERT_NE(NULL, c);
	fake_driver(c);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, put(c, i, PAGE, i));
	}
	EXPECT_EQ(0, check(c, 0, PAGE, 0));
	driver.unpins = 0;
	c->index->torn = 1;
	EXPECT_EQ(3, stat_of(c).entries);
	ASSERT_EQ(3, driver.unpins);
	EXPECT_EQ(1, driver.order[0]);
	EXPECT_EQ(2, driver.order[1]);
	EXPECT_EQ(0, driver.order[2]);
	EXPECT_EQ(0, c->index->torn);
	ashm_cache_close(c);
}

/* Each lie makes entries disappear at worst, and the call after it repairs. */
TEST_F_TIMEOUT(lib, lies, 30)
{
	struct ashm_cache *c = new_cache(4, 4);
	struct ashm_cache_entry e, f;
	struct cache_slot *slot;

	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	ASSERT_EQ(0, hold(c, 1, &e));
	ASSERT_EQ(0, ashm_cache_release(c, &e));
	slot = slot_of(c, &e);

	slot->first = 4;
	EXPECT_EQ(-ENOENT, hold(c, 1, &f));
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	slot->first = UINT32_MAX - 3;
	EXPECT_EQ(-ENOENT, hold(c, 1, &f));
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	slot->size = 4 * PAGE + 1;
	EXPECT_EQ(-ENOENT, hold(c, 1, &f));
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	slot->size = UINT64_MAX;
	EXPECT_EQ(-ENOENT, hold(c, 1, &f));
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	slot->first = 1;
	slot->size = 4 * PAGE;
	EXPECT_EQ(-ENOENT, hold(c, 1, &f));
	ASSERT_EQ(0, put(c, 1, PAGE, 1));

	/* A chain that is a circle, and one that leads away. */
	slot->next = e.slot;
	slot->key[0] ^= 1;
	EXPECT_EQ(-ENOENT, hold(c, 1, &f));
	slot->key[0] ^= 1;
	EXPECT_EQ(0, check(c, 1, PAGE, 1));
	slot->key[0] ^= 1;
	slot->next = UINT32_MAX;
	EXPECT_EQ(-ENOENT, hold(c, 1, &f));
	slot->key[0] ^= 1;
	EXPECT_EQ(0, check(c, 1, PAGE, 1));

	/* The same of the lists. */
	c->index->oldest = 5;
	EXPECT_EQ(-EPROTO, put(c, 2, 4 * PAGE, 2));
	EXPECT_EQ(0, check(c, 1, PAGE, 1));
	slot->older = UINT32_MAX;
	EXPECT_EQ(0, check(c, 1, PAGE, 1));
	slot->younger = UINT32_MAX;
	EXPECT_EQ(0, check(c, 1, PAGE, 1));
	slot->younger = e.slot;
	ASSERT_EQ(0, hold(c, 1, &e));
	EXPECT_EQ(1, c->index->torn);
	EXPECT_EQ(0, ashm_cache_release(c, &e));
	EXPECT_EQ(0, c->index->torn);
	c->index->unused = UINT32_MAX;
	EXPECT_EQ(-EPROTO, put(c, 2, PAGE, 2));
	EXPECT_EQ(0, put(c, 2, PAGE, 2));
	c->index->touched = UINT32_MAX;
	EXPECT_EQ(-EPROTO, put(c, 3, PAGE, 3));
	EXPECT_EQ(0, check(c, 1, PAGE, 1));
	EXPECT_EQ(0, put(c, 3, 2 * PAGE, 3));

	/* An entry that moves while it is held. */
	ASSERT_EQ(0, hold(c, 1, &e));
	slot->first = 2;
	EXPECT_EQ(-ENOENT, hold(c, 1, &f));
	EXPECT_EQ(0, ashm_cache_release(c, &e));

	/* A key that is too long, of an entry that is being made. */
	ASSERT_EQ(0, begin(c, 4, PAGE, &e));
	slot_of(c, &e)->key_len = UINT32_MAX;
	EXPECT_EQ(-EINVAL, ashm_cache_commit(c, &e));
	EXPECT_EQ(0, ashm_cache_release(c, &e));
	c->index->torn = 1;
	EXPECT_EQ(0, put(c, 5, 4 * PAGE, 5));
	EXPECT_EQ(0, check(c, 5, 4 * PAGE, 5));

	/* How much is used, and where free pages begin. */
	c->index->used = UINT32_MAX;
	EXPECT_EQ(-EPROTO, put(c, 6, PAGE, 6));
	EXPECT_EQ(0, put(c, 6, PAGE, 6));
	c->index->lowest = UINT32_MAX;
	c->index->torn = 1;
	EXPECT_EQ(0, put(c, 7, PAGE, 7));
	EXPECT_EQ(0, check(c, 6, PAGE, 6));

	/* A list of idle entries that never ends, while another entry leaves no room. */
	ASSERT_EQ(0, put(c, 8, PAGE, 8));
	ASSERT_EQ(0, hold(c, 8, &e));
	e.slot = c->index->oldest;
	slot_of(c, &e)->younger = e.slot;
	EXPECT_EQ(-EPROTO, put(c, 9, 4 * PAGE, 9));
	EXPECT_EQ(0, check(c, 8, PAGE, 8));
	EXPECT_EQ(-ENOSPC, put(c, 9, 4 * PAGE, 9));
	EXPECT_EQ(0, check(c, 7, PAGE, 7));
	ashm_cache_close(c);
}

/* What costs a step for each entry must not cost one for each pair of them. */
TEST_F_TIMEOUT(lib, long_lies, 30)
{
	struct ashm_cache *c = new_cache(128, 128);
	struct ashm_cache_entry e;
	struct cache_slot *slot;
	unsigned int i;
	int ret = -1;

	ASSERT_NE(NULL, c);
	for (i = 0; i < 128; i++) {
		ASSERT_EQ(0, put(c, i, PAGE, i));
	}
	/* All in one chain, and a repair makes the same of it. */
	for (i = 0; i < 128; i++)
		((struct cache_slot *)(c->slots + i * c->stride))->hash = 0;
	c->index->torn = 1;
	EXPECT_EQ(-EPROTO, put(c, 1, 128 * PAGE, 1));
	for (i = 0; i < 128 && ret; i++)
		ret = put(c, 1, 128 * PAGE, 1);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, drop(c, 1));

	/* A repair gives back what is free, and not what slots without an entry say. */
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	ASSERT_EQ(0, put(c, 2, PAGE, 2));
	ASSERT_EQ(0, put(c, 3, PAGE, 3));
	ASSERT_EQ(0, hold(c, 2, &e));
	slot = slot_of(c, &e);
	EXPECT_EQ(0, ashm_cache_release(c, &e));
	ASSERT_EQ(0, hold(c, 1, &e));
	slot->first = 0;
	slot->size = 128 * PAGE;
	slot->state = ENTRY_GONE;
	c->index->torn = 1;
	EXPECT_EQ(0, check(c, 3, PAGE, 3));
	EXPECT_TRUE(filled(e.data, PAGE, 1));
	EXPECT_EQ(2, stat_of(c).entries);
	EXPECT_EQ(2 * PAGE, stat_of(c).resident);
	/* A handle that repairs lives, whatever its party says. */
	c->index->party[c->party].owner = 0;
	c->index->torn = 1;
	EXPECT_EQ(0, check(c, 3, PAGE, 3));
	EXPECT_EQ(1, slot_of(c, &e)->holders);
	c->index->party[c->party].owner = c->claimed;
	EXPECT_EQ(0, ashm_cache_release(c, &e));
	ashm_cache_close(c);
}

/* A program that locks all its memory gives back what it drops. */
TEST_F(lib, locked_memory)
{
	struct ashm_cache *c = new_cache(2, 2);
	int file = memfd_create("file", 0);
	char text[5] = "";

	if (ON_DEVICE)
		SKIP(return, "the device only has madvise(), which refuses it");
	ASSERT_NE(NULL, c);
	ASSERT_EQ(4, write(file, "kept", 4));
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	/* A sanitizer's mlock() does nothing. */
	if (syscall(SYS_mlock, c->contents, c->contents_size))
		SKIP(return, "no memory may be locked here");
	EXPECT_EQ(0, drop(c, 1));
	syscall(SYS_munlock, c->contents, c->contents_size);
	EXPECT_EQ(PAGE, stat_of(c).resident);
	/* Not what a program, that has closed all descriptors, opens in their place. */
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	ASSERT_EQ(0, syscall(SYS_mlock, c->contents, c->contents_size));
	ASSERT_GE(dup2(file, ashm_cache_fd(c, ASHM_CACHE_CONTENTS)), 0);
	EXPECT_EQ(0, drop(c, 1));
	EXPECT_EQ(4, pread(file, text, 4, 0));
	EXPECT_STREQ("kept", text);
	ashm_cache_close(c);
	close(file);
}

/* Writes to random places behind the first page, and to the parties. */
static void scribble(struct ashm_cache *c, uint64_t seed)
{
	struct rng rng = { seed };
	uint64_t size = ashm_size(c->region[ASHM_CACHE_INDEX]);
	volatile unsigned char *bytes = (void *)c->index;
	uint32_t at;

	for (;;) {
		at = rng_below(&rng, (uint32_t)size - RING_HEADER) + RING_HEADER;
		if (!rng_below(&rng, 32))
			at = 64 + rng_below(&rng, RING_HEADER - 64);
		/* Small numbers, which may be right, and others. */
		bytes[at] = (unsigned char)(rng_below(&rng, 2) ? rng_below(&rng, 8) :
					    rng_next(&rng));
	}
}

/* Numbers change at any time, also between a look and a use. */
TEST_F_TIMEOUT(lib, scribbled, 120)
{
	struct ashm_cache *c = new_cache(8, 6);
	struct rng rng = { rng_seed() };
	unsigned int i, got = 0;
	struct ashm_cache_entry e;
	struct timespec from, to;
	pid_t pid;
	int ret;

	ASSERT_NE(NULL, c);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		scribble(c, rng.state);
	clock_gettime(CLOCK_MONOTONIC, &from);
	do {
		for (i = 0; i < 100; i++) {
			ret = begin(c, rng_below(&rng, 8), rng_below(&rng, 8 * PAGE), &e);
			if (ret)
				ret = hold(c, rng_below(&rng, 8), &e);
			if (ret)
				continue;
			got++;
			ASSERT_LE(c->contents, (char *)e.data);
			ASSERT_LE(e.size, c->contents_size);
			ASSERT_LE((char *)e.data + e.size, c->contents + c->contents_size);
			memset(e.data, 1, e.size);
			ashm_cache_commit(c, &e);
			/* Or the slots would all be held in the end. */
			while (ashm_cache_release(c, &e) && kill(pid, 0) == 0)
				;
		}
		clock_gettime(CLOCK_MONOTONIC, &to);
		/* Once no call got anything in that time, because of the lock. */
	} while (to.tv_sec - from.tv_sec < (got ? 2 : 60));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, wait_child(pid));
	TH_LOG("%u entries", got);
	EXPECT_GT(got, 0);

	/* When it has gone, the cache works again. */
	memset((void *)c->index->party, 0, sizeof(c->index->party));
	c->index->party[c->party].owner = c->claimed;
	c->index->lock = 0;
	c->index->torn = 1;
	EXPECT_EQ(0, put(c, 9, 8 * PAGE, 9));
	EXPECT_EQ(0, check(c, 9, 8 * PAGE, 9));
	ashm_cache_close(c);
}

/* ---- opening ---- */

TEST_F(lib, passed_on)
{
	struct ashm_cache *c = new_cache(4, 4), *d;
	struct ashm *region[2];
	int sock[2], part;
	pid_t pid;

	NO_TSAN();
	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		for (part = 0; part < 2; part++)
			CHILD_CHECK(!ashm_receive(sock[1], &region[part]));
		CHILD_CHECK(!ashm_cache_open(region[0], region[1], &d));
		CHILD_CHECK(!check(d, 1, PAGE, 1));
		CHILD_CHECK(!put(d, 2, 2 * PAGE, 2));
		ashm_cache_close(d);
		_exit(0);
	}
	for (part = 0; part < 2; part++) {
		ASSERT_EQ(0, ashm_send(sock[0], ashm_cache_fd(c, part)));
	}
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(0, check(c, 2, 2 * PAGE, 2));
	EXPECT_EQ(2, stat_of(c).entries);
	EXPECT_EQ(1, stat_of(c).handles);
	close(sock[0]);
	close(sock[1]);
	ashm_cache_close(c);
}

/* Another user has the same rights, and sees the same. */
TEST_F(lib, other_user)
{
	struct ashm_cache *c = new_cache(64, 8), *own;
	pid_t pid;

	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, put(c, 1, PAGE + 1, 1));
	pid = fork();
	if (!pid) {
		/* Without privileges it is the same user. */
		if (!setgid(65534) && setuid(65534))
			_exit(1);
		CHILD_CHECK(!another(c, &own) && !check(own, 1, PAGE + 1, 1));
		CHILD_CHECK(!put(own, 2, PAGE, 2));
		CHILD_CHECK(stat_of(own).resident == 3 * PAGE);
		ashm_cache_close(own);
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(0, check(c, 2, PAGE, 2));
	ashm_cache_close(c);
}

/* What is in memory is known without the descriptor, and not of a file in its place. */
TEST_F(lib, asked_without_descriptor)
{
	struct ashm_cache *c = new_cache(64, 8);
	int file;

	if (ON_DEVICE)
		SKIP(return, "there nothing is asked by descriptor");
	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, put(c, 1, PAGE + 1, 1));
	file = memfd_create("file", 0);
	ASSERT_EQ(ashm_cache_fd(c, ASHM_CACHE_CONTENTS),
		  dup2(file, ashm_cache_fd(c, ASHM_CACHE_CONTENTS)));
	EXPECT_EQ(2 * PAGE, stat_of(c).resident);
	close(ashm_cache_fd(c, ASHM_CACHE_CONTENTS));
	EXPECT_EQ(2 * PAGE, stat_of(c).resident);
	ashm_cache_close(c);
	close(file);
}

TEST_F(lib, refused)
{
	struct ashm_cache *c = new_cache(4, 4), *d, *all[ASHM_CACHE_HANDLES_MAX];
	struct ashm *empty = region_new("empty", 16 * PAGE), *small = region_new("small", 64);
	struct ashm *contents_only, *index_only;
	int index, contents, fds;
	struct cache_index *at;
	struct ashm_cache_entry e;
	unsigned int i;

	ASSERT_NE(NULL, c);
	index = ashm_cache_fd(c, ASHM_CACHE_INDEX);
	contents = ashm_cache_fd(c, ASHM_CACHE_CONTENTS);
	fds = count_fds();
	EXPECT_EQ(-ENODATA, reopen(ashm_fd(empty), contents, &d));
	EXPECT_EQ(-EPROTO, reopen(ashm_fd(small), contents, &d));
	EXPECT_EQ(-EPROTO, reopen(index, ashm_fd(empty), &d));
	at = c->index;
	at->fixed.version++;
	EXPECT_EQ(-EPROTONOSUPPORT, reopen(index, contents, &d));
	EXPECT_EQ(-EPROTO, hold(c, 1, &e));
	at->fixed.version--;
	at->fixed.entries = 1000;
	EXPECT_EQ(-EPROTO, reopen(index, contents, &d));
	at->fixed.entries = 4;
	at->fixed.magic = 0;
	at->fixed.version = 0;
	EXPECT_EQ(-ENODATA, hold(c, 1, &e));
	at->fixed.magic = 1;
	EXPECT_EQ(-EPROTO, reopen(index, contents, &d));
	at->fixed.magic = CACHE_MAGIC;
	at->fixed.version = CACHE_VERSION;

	for (i = 1; i < ASHM_CACHE_HANDLES_MAX; i++) {
		ASSERT_EQ(0, another(c, &all[i]));
	}
	EXPECT_EQ(-EUSERS, another(c, &d));
	for (i = 1; i < ASHM_CACHE_HANDLES_MAX; i++)
		ashm_cache_close(all[i]);
	EXPECT_EQ(fds, count_fds());

	/* A user of a cache writes to both. */
	contents_only = region_adopt(dup(contents));
	ASSERT_NE(NULL, contents_only);
	EXPECT_EQ(0, ashm_protect(contents_only, PROT_READ));
	EXPECT_EQ(-EACCES, another(c, &d));
	EXPECT_EQ(0, strays);
	index_only = region_adopt(dup(index));
	ASSERT_NE(NULL, index_only);
	EXPECT_EQ(0, ashm_protect(index_only, PROT_READ));
	EXPECT_EQ(-EACCES, another(c, &d));
	EXPECT_EQ(0, strays);
	ashm_close(index_only);
	ashm_close(contents_only);
	ashm_close(empty);
	ashm_close(small);
	ashm_cache_close(c);
}

TEST_F(lib, child)
{
	struct ashm_cache *c = new_cache(4, 4);
	struct ashm_cache_entry e;
	struct ashm_cache_stat stat;
	uint64_t freed;
	pid_t pid;

	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, put(c, 1, PAGE, 1));
	ASSERT_EQ(0, hold(c, 1, &e));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		CHILD_CHECK(hold(c, 1, &e) == -ECHILD);
		CHILD_CHECK(put(c, 1, 1, 1) == -ECHILD);
		CHILD_CHECK(drop(c, 1) == -ECHILD);
		CHILD_CHECK(ashm_cache_release(c, &e) == -ECHILD);
		CHILD_CHECK(ashm_cache_commit(c, &e) == -ECHILD);
		CHILD_CHECK(ashm_cache_stat(c, &stat) == -ECHILD);
		CHILD_CHECK(!ashm_purgeable_reclaim(UINT64_MAX, &freed) && !freed);
		ashm_cache_close(c);
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(1, stat_of(c).handles);
	EXPECT_TRUE(filled(e.data, PAGE, 1));
	EXPECT_EQ(0, ashm_cache_release(c, &e));
	EXPECT_EQ(0, check(c, 1, PAGE, 1));
	ashm_cache_close(c);
}

TEST_HARNESS_MAIN
