// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task writes pages just ahead of a step that frees pages: the step must still end.
 */
#include "kselftest_harness.h"
#include "reclaim_util.h"

#include <pthread.h>

/* Size of a region, so sparse that one step takes all of it. */
#define LEN	((size_t)1 << (sizeof(long) == 8 ? 40 : 30))

/*
 * One step may take this many. The feeder writes no more before some are gone: a step ends
 * at a page that is just being filled, and another one would begin there.
 */
#define FIRST	380
/* Then the feeder stays about this far ahead: a purge that stands still gets no food. */
#define AHEAD	1500
/* A step that has freed this many follows the feeder. */
#define PAGES	5000

FIXTURE(feed)
{
};

FIXTURE_SETUP(feed)
{
	if (!purge_works())
		SKIP(return, "drop_caches needs CAP_SYS_ADMIN");
}

FIXTURE_TEARDOWN(feed)
{
}

FIXTURE_VARIANT(feed)
{
	bool shrinker;
};

FIXTURE_VARIANT_ADD(feed, command)
{
	.shrinker = false,
};

FIXTURE_VARIANT_ADD(feed, shrinker)
{
	.shrinker = true,
};

struct call {
	bool shrinker;
	int fd;
	int done;
};

/* Half of a processor makes the purge slow, so that the feeder can stay ahead. */
static void *spin(void *arg)
{
	struct call *call = arg;

	stay_on(1);
	while (!__atomic_load_n(&call->done, __ATOMIC_SEQ_CST))
		;
	return NULL;
}

static void *purge(void *arg)
{
	struct call *call = arg;

	stay_on(1);
	if (call->shrinker)
		shrink_everything();
	else
		ash_purge_all(call->fd);
	__atomic_store_n(&call->done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/*
 * Waits until fewer than @max pages are left, or the purge has ended. Returns whether it
 * has ended.
 */
static bool wait_for(const struct call *call, long max)
{
	bool ended;

	do {
		ended = __atomic_load_n(&call->done, __ATOMIC_SEQ_CST);
	} while (!ended && counts_of(call->fd).resident >= max && !sched_yield());
	return ended;
}

/* Feeds a purge; returns whether it ended before its feeder did. */
static bool ends_while_fed(struct __test_metadata *_metadata, bool shrinker)
{
	struct call call = { .shrinker = shrinker };
	size_t p = page_size();
	unsigned char *a;
	pthread_t t[2];
	bool ended;
	size_t k;

	call.fd = ash_region("feed", LEN);
	ASSERT_LE(0, call.fd);
	a = mmap(NULL, LEN, PROT_RW, MAP_SHARED | MAP_NORESERVE, call.fd, 0);
	ASSERT_NE(MAP_FAILED, a);
	madvise(a, LEN, MADV_NOHUGEPAGE);
	ASSERT_EQ(0, ash_unpin(call.fd, 0, 0));
	for (k = 0; k < FIRST; k++)
		__atomic_store_n(&a[k * p], 1, __ATOMIC_RELAXED);
	stay_on(0);
	ASSERT_EQ(0, pthread_create(&t[0], NULL, spin, &call));
	ASSERT_EQ(0, pthread_create(&t[1], NULL, purge, &call));
	for (ended = wait_for(&call, FIRST); !ended && k < PAGES; k++) {
		__atomic_store_n(&a[k * p], 1, __ATOMIC_RELAXED);
		if (!(k % 128))
			ended = wait_for(&call, AHEAD);
	}
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	TH_LOG("%zu pages", k);
	munmap(a, LEN);
	close(call.fd);
	return ended;
}

TEST_F(feed, a_step_ends_while_it_is_fed)
{
	int tries;

	for (tries = 0; tries < 10; tries++)
		EXPECT_TRUE(ends_while_fed(_metadata, variant->shrinker));
}

TEST_HARNESS_MAIN
