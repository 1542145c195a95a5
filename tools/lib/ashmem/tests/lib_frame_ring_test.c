// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames between correct peers.
 */
#include <pthread.h>

#include "kselftest_harness.h"
#include "lib_util.h"
#include "lib_both.h"
#include "frame_util.h"

TEST(config)
{
	static const struct {
		struct ashm_ring_config config;
		int ret;
		uint64_t size;
	} rows[] = {
		{ { .frame_max = 1, .slots = 2 }, 0, 4096 + 2 * 128 },
		{ { .frame_max = 64, .slots = 2 }, 0, 4096 + 2 * 128 },
		{ { .frame_max = 65, .slots = 3 }, 0, 4096 + 3 * 192 },
		{ { .frame_max = 1ULL << 40, .slots = 65536 }, 0,
		  4096 + 65536 * ((1ULL << 40) + 64) },
		{ { .frame_max = 1, .slots = 2, .flags = ASHM_RING_WAIT }, 0,
		  4096 + 2 * 128 },
		{ { .frame_max = 1, .slots = 2, .flags = ASHM_RING_WAIT,
		    .readers = 62 }, 0, 4096 + 2 * 128 },
		{ { .frame_max = 0, .slots = 2 }, -EINVAL, 0 },
		{ { .frame_max = 1, .slots = 0 }, -EINVAL, 0 },
		{ { .frame_max = 1, .slots = 1 }, -EINVAL, 0 },
		{ { .frame_max = 1, .slots = 65537 }, -EINVAL, 0 },
		{ { .frame_max = 1, .slots = 2, .flags = ASHM_RING_UNCHECKED }, 0,
		  4096 + 2 * 128 },
		{ { .frame_max = 1, .slots = 2, .flags = 8 }, -EINVAL, 0 },
		{ { .frame_max = 1, .slots = 2, .flags = 3 }, -EINVAL, 0 },
		{ { .frame_max = 1, .slots = 2, .flags = 7 }, -EINVAL, 0 },
		{ { .frame_max = 1, .slots = 2, .readers = 1 }, -EINVAL, 0 },
		{ { .frame_max = 1, .slots = 2, .reserved = 1 }, -EINVAL, 0 },
		{ { .frame_max = 1, .slots = 2, .flags = ASHM_RING_WAIT,
		    .readers = 63 }, -EINVAL, 0 },
		{ { .frame_max = INT64_MAX, .slots = 2 }, -EOVERFLOW, 0 },
		{ { .frame_max = UINT64_MAX, .slots = 2 }, -EOVERFLOW, 0 },
		{ { .frame_max = 1ULL << 62, .slots = 2 }, -EOVERFLOW, 0 },
		/* Exactly 2^64 bytes. */
		{ { .frame_max = (1ULL << 62) - FRAME_HEADER, .slots = 4 }, -EOVERFLOW, 0 },
	};
	uint64_t size;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		size = 0;
		EXPECT_EQ(rows[i].ret, ashm_ring_size(&rows[i].config, &size)) {
			TH_LOG("row %zu", i);
		}
		EXPECT_EQ(rows[i].size, size) {
			TH_LOG("row %zu", i);
		}
	}
}

TEST_F(lib, order_and_wrap)
{
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct ashm_ring_stat st;
	struct test_ring b;
	struct ashm_frame f;
	uint64_t i;

	ASSERT_EQ(0, ring_new(&b, 5000, 3, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	EXPECT_EQ(-EAGAIN, get(r, 5000, &f, 0));
	for (i = 1; i <= 20; i++) {
		ASSERT_EQ(0, put(w, i * 250, i, 0));
		ASSERT_EQ(0, get(r, 5000, &f, 0));
		EXPECT_EQ(i, f.seq);
		EXPECT_EQ(i, f.tag);
		EXPECT_EQ(i * 250, f.length);
		EXPECT_EQ(0, f.missed);
		EXPECT_EQ(1, f.generation);
		EXPECT_EQ(NULL, f.data);
	}
	EXPECT_EQ(-EAGAIN, get(r, 5000, &f, 0));
	ASSERT_EQ(0, ashm_ring_stat(b.ring, &st));
	EXPECT_EQ(0, st.unread);
	ASSERT_EQ(0, put(w, 100, 21, 0));
	ASSERT_EQ(0, ashm_ring_stat(b.ring, &st));
	EXPECT_EQ(1, st.unread);
	ASSERT_EQ(0, get(r, 5000, &f, 0));
	/* Every length up to some words, for the ends of the copy loops. */
	for (i = 0; i < 70; i++) {
		ASSERT_EQ(0, put(w, i, 100 + i, 0));
		ASSERT_EQ(0, get(r, i, &f, 0));
		EXPECT_EQ(i, f.length);
	}
	ashm_ring_writer_close(w);
	ashm_ring_reader_close(r);
	ring_free(&b);
}

TEST_F(lib, overwritten)
{
	struct ashm_reader *r, *newest;
	struct ashm_writer *w;
	struct test_ring b;
	struct ashm_frame f;
	uint64_t i;

	ASSERT_EQ(0, ring_new(&b, 100, 4, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	for (i = 1; i <= 10; i++) {
		ASSERT_EQ(0, put(w, 100, i, 0));
	}
	ASSERT_EQ(0, ashm_ring_reader(b.ring, ASHM_READER_NEWEST, &newest));
	EXPECT_EQ(-EAGAIN, get(newest, 100, &f, 0));
	/* Ten written, four slots, of which the writer may own one. */
	for (i = 8; i <= 10; i++) {
		ASSERT_EQ(0, get(r, 100, &f, 0));
		EXPECT_EQ(i, f.seq);
		EXPECT_EQ(i == 8 ? 7 : 0, f.missed);
	}
	EXPECT_EQ(-EAGAIN, get(r, 100, &f, 0));
	ASSERT_EQ(0, put(w, 100, 11, 0));
	ASSERT_EQ(0, get(r, 100, &f, 0));
	EXPECT_EQ(11, f.seq);
	ASSERT_EQ(0, get(newest, 100, &f, 0));
	EXPECT_EQ(11, f.seq);
	EXPECT_EQ(0, f.missed);
	ashm_ring_reader_close(newest);
	ashm_ring_reader_close(r);
	ashm_ring_writer_close(w);
	ring_free(&b);
}

TEST_F(lib, sizes_of_buffers)
{
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;
	char *buf;

	ASSERT_EQ(0, ring_new(&b, 300, 2, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	EXPECT_EQ(-EMSGSIZE, put(w, 301, 1, 0));
	ASSERT_EQ(0, put(w, 300, 1, 0));
	buf = guarded(299);
	ASSERT_NE(NULL, buf);
	EXPECT_EQ(-EMSGSIZE, ashm_frame_read(r, buf, 299, &f, 0));
	EXPECT_EQ(300, f.length);
	EXPECT_EQ(1, f.seq);
	EXPECT_EQ(-EMSGSIZE, ashm_frame_read(r, NULL, 300, &f, 0));
	/* No byte behind a buffer that ends at a guard page. */
	buf = guarded(300);
	ASSERT_NE(NULL, buf);
	EXPECT_EQ(0, ashm_frame_read(r, buf, 300, NULL, 0));
	EXPECT_TRUE(frame_filled(buf, 300, 1));
	EXPECT_EQ(-EAGAIN, ashm_frame_read(r, buf, 300, &f, 0));
	ASSERT_EQ(0, put(w, 0, 2, 0));
	EXPECT_EQ(0, ashm_frame_read(r, NULL, 0, &f, 0));
	EXPECT_EQ(0, f.length);
	EXPECT_EQ(2, f.tag);
	ashm_ring_reader_close(r);
	ashm_ring_writer_close(w);
	ring_free(&b);
}

TEST_F(lib, begin_commit_abort)
{
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;
	void *data;

	ASSERT_EQ(0, ring_new(&b, 4000, 2, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	EXPECT_EQ(-EINVAL, ashm_frame_commit(w, 0, 0));
	EXPECT_EQ(-EINVAL, ashm_frame_abort(w));
	ASSERT_EQ(0, ashm_frame_begin(w, 3000, &data, 0));
	EXPECT_EQ(0, (uintptr_t)data % 64);
	EXPECT_EQ(SLOT_WRITING | 1 << SLOT_SEQ_SHIFT, atomic_load(&raw_slot(&b, 1)->state));
	EXPECT_EQ(-EINPROGRESS, ashm_frame_begin(w, 1, &data, 0));
	EXPECT_EQ(-EINPROGRESS, put(w, 10, 1, 0));
	EXPECT_EQ(-EAGAIN, get(r, 4000, &f, 0));
	frame_fill(data, 3000, 7);
	EXPECT_EQ(-EINVAL, ashm_frame_commit(w, 3001, 7));
	EXPECT_EQ(0, ashm_frame_abort(w));
	EXPECT_EQ(SLOT_EMPTY | 1 << SLOT_SEQ_SHIFT, atomic_load(&raw_slot(&b, 1)->state));
	EXPECT_EQ(-EAGAIN, get(r, 4000, &f, 0));

	ASSERT_EQ(0, ashm_frame_begin(w, 3000, &data, 0));
	frame_fill(data, 3000, 8);
	EXPECT_EQ(0, ashm_frame_commit(w, 2000, 8));
	EXPECT_EQ(SLOT_READY | 1 << SLOT_SEQ_SHIFT, atomic_load(&raw_slot(&b, 1)->state));
	ASSERT_EQ(0, get(r, 4000, &f, 0));
	EXPECT_EQ(1, f.seq);
	EXPECT_EQ(2000, f.length);
	EXPECT_EQ(8, f.tag);
	EXPECT_EQ(SLOT_CONSUMED | 1 << SLOT_SEQ_SHIFT, atomic_load(&raw_slot(&b, 1)->state));
	/* A writer that leaves aborts the frame it began. */
	ASSERT_EQ(0, ashm_frame_begin(w, 3000, &data, 0));
	ashm_ring_writer_close(w);
	EXPECT_EQ(SLOT_EMPTY | 2 << SLOT_SEQ_SHIFT, atomic_load(&raw_slot(&b, 2)->state));
	ashm_ring_reader_close(r);
	ring_free(&b);
}

TEST_F(lib, borrow)
{
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;

	ASSERT_EQ(0, ring_new(&b, 4000, 3, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	EXPECT_EQ(-EINVAL, ashm_frame_valid(r));
	EXPECT_EQ(-EINVAL, ashm_frame_release(r));
	EXPECT_EQ(-EAGAIN, ashm_frame_borrow(r, &f, 0));
	ASSERT_EQ(0, put(w, 4000, 1, 0));
	ASSERT_EQ(0, ashm_frame_borrow(r, &f, 0));
	EXPECT_TRUE(frame_filled(f.data, 4000, 1));
	EXPECT_EQ(-EINPROGRESS, get(r, 4000, &f, 0));
	EXPECT_EQ(-EINPROGRESS, ashm_frame_borrow(r, &f, 0));
	ASSERT_EQ(0, put(w, 10, 2, 0));
	ASSERT_EQ(0, put(w, 10, 3, 0));
	EXPECT_EQ(0, ashm_frame_valid(r));
	/* The fourth goes where the first lies. */
	ASSERT_EQ(0, put(w, 10, 4, 0));
	EXPECT_EQ(-ESTALE, ashm_frame_valid(r));
	EXPECT_EQ(-ESTALE, ashm_frame_release(r));
	EXPECT_EQ(-EINVAL, ashm_frame_release(r));
	ASSERT_EQ(0, get(r, 4000, &f, 0));
	EXPECT_EQ(2, f.seq);
	EXPECT_EQ(0, f.missed);
	ASSERT_EQ(0, ashm_frame_borrow(r, &f, 0));
	EXPECT_EQ(3, f.seq);
	EXPECT_EQ(SLOT_READY | 3 << SLOT_SEQ_SHIFT, atomic_load(&raw_slot(&b, 3)->state));
	EXPECT_EQ(0, ashm_frame_release(r));
	EXPECT_EQ(SLOT_CONSUMED | 3 << SLOT_SEQ_SHIFT, atomic_load(&raw_slot(&b, 3)->state));
	ashm_ring_reader_close(r);
	ashm_ring_writer_close(w);
	ring_free(&b);
}

TEST_F(lib, full)
{
	struct ashm_reader *r, *second;
	struct ashm_ring_stat st;
	struct ashm_writer *w;
	struct test_ring b;
	struct ashm_frame f;
	uint64_t i;
	long start;

	ASSERT_EQ(0, ring_new(&b, 100, 4, ASHM_RING_WAIT, 2));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	/* Without a reader, all are kept for the first one. */
	for (i = 1; i <= 4; i++) {
		ASSERT_EQ(0, put(w, 100, i, 0));
	}
	EXPECT_EQ(-EAGAIN, put(w, 100, 5, 0));
	start = now_ms();
	EXPECT_EQ(-ETIMEDOUT, put(w, 100, 5, 60));
	EXPECT_GE(now_ms() - start, 60);
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &second));
	/* All four, and for both: nothing was overwritten. */
	for (i = 1; i <= 2; i++) {
		ASSERT_EQ(0, get(r, 100, &f, 0));
		EXPECT_EQ(i, f.seq);
		EXPECT_EQ(0, f.missed);
	}
	ASSERT_EQ(0, ashm_ring_stat(b.ring, &st));
	EXPECT_EQ(2, st.readers);
	EXPECT_EQ(2, st.readers_max);
	EXPECT_EQ(4, st.unread);
	/* The slowest counts. */
	EXPECT_EQ(-EAGAIN, put(w, 100, 5, 0));
	EXPECT_EQ(SLOT_READY | 1 << SLOT_SEQ_SHIFT, atomic_load(&raw_slot(&b, 1)->state));
	ASSERT_EQ(0, get(second, 100, &f, 0));
	EXPECT_EQ(1, f.seq);
	EXPECT_EQ(SLOT_CONSUMED | 1 << SLOT_SEQ_SHIFT, atomic_load(&raw_slot(&b, 1)->state));
	EXPECT_EQ(0, put(w, 100, 5, 0));
	EXPECT_EQ(-EAGAIN, put(w, 100, 6, 0));
	/* A borrowed frame holds its place. */
	ASSERT_EQ(0, ashm_frame_borrow(second, &f, 0));
	EXPECT_EQ(2, f.seq);
	EXPECT_EQ(-ETIMEDOUT, put(w, 100, 6, 10));
	EXPECT_EQ(0, ashm_frame_release(second));
	EXPECT_EQ(0, put(w, 100, 6, 0));
	/* The writer does not wait for a reader that has left. */
	EXPECT_EQ(-EAGAIN, put(w, 100, 7, 0));
	ashm_ring_reader_close(second);
	for (i = 3; i <= 6; i++) {
		ASSERT_EQ(0, get(r, 100, &f, 0));
		EXPECT_EQ(i, f.seq);
	}
	for (i = 7; i <= 10; i++)
		EXPECT_EQ(0, put(w, 100, i, 0));
	EXPECT_EQ(-EAGAIN, put(w, 100, 11, 0));
	ashm_ring_reader_close(r);
	/* All readers have left. */
	EXPECT_EQ(-EPIPE, put(w, 100, 11, 0));
	EXPECT_EQ(-EPIPE, put(w, 100, 11, -1));
	ashm_ring_writer_close(w);
	ring_free(&b);
}

/* The writer's cached minimum is stale as soon as a reader joins. */
TEST_F(lib, joins_late)
{
	struct ashm_reader *r, *second;
	struct ashm_writer *w;
	struct test_ring b;
	struct ashm_frame f;
	uint64_t i;

	ASSERT_EQ(0, ring_new(&b, 100, 4, ASHM_RING_WAIT, 2));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	for (i = 1; i <= 5; i++) {
		ASSERT_EQ(0, put(w, 100, i, 0));
		ASSERT_EQ(0, get(r, 100, &f, 0));
	}
	/* Frame 1 is overwritten, all others are there. */
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &second));
	EXPECT_EQ(-EAGAIN, put(w, 100, 6, 0));
	ASSERT_EQ(0, get(second, 100, &f, 0));
	EXPECT_EQ(2, f.seq);
	EXPECT_EQ(0, f.missed);
	EXPECT_EQ(0, put(w, 100, 6, 0));
	ashm_ring_reader_close(second);
	ashm_ring_reader_close(r);
	ashm_ring_writer_close(w);
	ring_free(&b);
}

TEST_F(lib, readers_limit)
{
	struct ashm_reader *r[4];
	struct ashm_ring_stat st;
	struct test_ring b;
	int i;

	/* The default is eight. */
	ASSERT_EQ(0, ring_new(&b, 100, 4, ASHM_RING_WAIT, 0));
	ASSERT_EQ(0, ashm_ring_stat(b.ring, &st));
	EXPECT_EQ(8, st.readers_max);
	ring_free(&b);
	ASSERT_EQ(0, ring_new(&b, 100, 4, ASHM_RING_WAIT, 3));
	EXPECT_EQ(-EINVAL, ashm_ring_reader(b.ring, 2, &r[0]));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r[i]));
	}
	EXPECT_EQ(-EUSERS, ashm_ring_reader(b.ring, 0, &r[3]));
	ashm_ring_reader_close(r[1]);
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r[1]));
	for (i = 0; i < 3; i++)
		ashm_ring_reader_close(r[i]);
	ashm_ring_reader_close(NULL);
	ring_free(&b);
}

TEST_F(lib, timeout)
{
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;
	long start, took;

	ASSERT_EQ(0, ring_new(&b, 100, 4, 0, 0));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	/* There is no writer yet, but one may come. */
	EXPECT_EQ(-EAGAIN, get(r, 100, &f, 0));
	EXPECT_EQ(-ETIMEDOUT, get(r, 100, &f, 20));
	EXPECT_EQ(-EAGAIN, ashm_ring_await_writer(b.ring, 0));
	EXPECT_EQ(-ETIMEDOUT, ashm_ring_await_writer(b.ring, 20));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	EXPECT_EQ(0, ashm_ring_await_writer(b.ring, 0));
	/* Longer than a slice of waiting. */
	start = now_ms();
	EXPECT_EQ(-ETIMEDOUT, get(r, 100, &f, 1300));
	took = now_ms() - start;
	EXPECT_GE(took, 1300);
	EXPECT_LT(took, 6000);
	ashm_ring_writer_close(w);
	EXPECT_EQ(-EPIPE, get(r, 100, &f, 0));
	EXPECT_EQ(-EPIPE, get(r, 100, &f, -1));
	ashm_ring_reader_close(r);
	ring_free(&b);
}

struct early {
	struct ashm_reader *r;
	int ret;
};

static void *read_early(void *arg)
{
	struct early *early = arg;
	struct ashm_frame f;

	do {
		early->ret = get(early->r, 100, &f, 0);
	} while (early->ret == -EAGAIN);
	return NULL;
}

/* A reader that looks while the first writer joins doesn't think that it left. */
TEST_F(lib, first_writer)
{
	struct ashm_writer *w;
	struct early early;
	struct test_ring b;
	pthread_t thread;
	int round;

	for (round = 0; round < 100; round++) {
		ASSERT_EQ(0, ring_new(&b, 100, 2, 0, 0));
		ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &early.r));
		ASSERT_EQ(0, pthread_create(&thread, NULL, read_early, &early));
		ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
		ASSERT_EQ(0, put(w, 100, 1, 0));
		pthread_join(thread, NULL);
		ASSERT_EQ(0, early.ret) {
			TH_LOG("round %d", round);
		}
		ashm_ring_writer_close(w);
		ashm_ring_reader_close(early.r);
		ring_free(&b);
	}
}

static void nothing(int sig)
{
	(void)sig;
}

TEST_F(lib, eintr)
{
	struct sigaction act = { .sa_handler = nothing };
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;
	pid_t parent = getpid(), child;
	int i;

	ASSERT_EQ(0, ring_new(&b, 100, 2, ASHM_RING_WAIT, 1));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	ASSERT_EQ(0, sigaction(SIGUSR1, &act, NULL));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		for (i = 0; i < 2000; i++) {
			nap_ms(20);
			if (kill(parent, SIGUSR1))
				break;
		}
		_exit(0);
	}
	EXPECT_EQ(-EINTR, get(r, 100, &f, -1));
	while (!put(w, 100, 1, 0))
		;
	EXPECT_EQ(-EINTR, put(w, 100, 1, -1));
	kill(child, SIGKILL);
	wait_child(child);
	ashm_ring_reader_close(r);
	ashm_ring_writer_close(w);
	ring_free(&b);
}

/* Each of many processes gets every frame, some from its own mapping. */
TEST_F(lib, many_readers)
{
	enum { READERS = 6, FRAMES = 300 };
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct ashm_ring *own;
	struct test_ring b;
	struct ashm_frame f;
	pid_t child[READERS];
	uint64_t n;
	int i;

	ASSERT_EQ(0, ring_new(&b, 3000, 5, ASHM_RING_WAIT, READERS));
	for (i = 0; i < READERS; i++) {
		child[i] = fork();
		ASSERT_GE(child[i], 0);
		if (child[i])
			continue;
		CHILD_CHECK(!ashm_ring_attach(ashm_fd(b.region), 0, &own));
		CHILD_CHECK(!ashm_ring_reader(own, 0, &r));
		for (n = 1; n <= FRAMES; n++) {
			CHILD_CHECK(!get(r, 3000, &f, 30000));
			CHILD_CHECK(f.seq == n && f.tag == n && !f.missed);
		}
		CHILD_CHECK(get(r, 3000, &f, 30000) == -EPIPE);
		ashm_ring_reader_close(r);
		ashm_ring_detach(own);
		_exit(0);
	}
	for (i = 0; i < 4000 && raw_joins(&b) < READERS; i++)
		nap_ms(5);
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	for (n = 1; n <= FRAMES; n++) {
		ASSERT_EQ(0, put(w, n % 3000, n, 30000));
	}
	ashm_ring_writer_close(w);
	for (i = 0; i < READERS; i++)
		EXPECT_EQ(0, wait_child(child[i]));
	ring_free(&b);
}

/* No wake-up is lost, and none is sent when no task sleeps. */
TEST_F(lib, wake)
{
	enum { ROUNDS = 2000 };
	struct ashm_reader *r, *back;
	struct test_ring b, c;
	struct ashm_writer *w;
	struct ashm_frame f;
	uint32_t bell;
	uint64_t n;
	long start;
	pid_t child;
	int late = 0;

	ASSERT_EQ(0, ring_new(&b, 100, 2, 0, 0));
	ASSERT_EQ(0, ring_new(&c, 100, 2, 0, 0));
	ASSERT_EQ(0, ashm_ring_set_spin(c.ring, 0));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		struct ashm_ring *in, *out;

		CHILD_CHECK(!ashm_ring_attach(ashm_fd(b.region), 0, &in));
		CHILD_CHECK(!ashm_ring_set_spin(in, 0));
		CHILD_CHECK(!ashm_ring_attach(ashm_fd(c.region), 0, &out));
		CHILD_CHECK(!ashm_ring_reader(in, 0, &r));
		CHILD_CHECK(!ashm_ring_writer(out, &w));
		for (n = 1; n <= ROUNDS; n++) {
			CHILD_CHECK(!get(r, 100, &f, 30000));
			CHILD_CHECK(f.tag == n && !put(w, 8, n, 0));
		}
		CHILD_CHECK(get(r, 100, &f, -1) == -EPIPE);
		_exit(0);
	}
	ASSERT_EQ(0, ashm_ring_await_writer(c.ring, 30000));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(c.ring, 0, &back));
	for (n = 1; n <= ROUNDS; n++) {
		start = now_ms();
		ASSERT_EQ(0, put(w, 8, n, 0));
		ASSERT_EQ(0, get(back, 100, &f, 30000));
		ASSERT_EQ(n, f.tag);
		late += now_ms() - start >= SOON_MS;
	}
	/* A lost wake-up takes a slice of a second. */
	EXPECT_GT(3, late);
	ashm_ring_writer_close(w);
	EXPECT_EQ(0, wait_child(child));
	ashm_ring_reader_close(back);

	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	bell = atomic_load(&raw_header(&b)->writer.bell);
	EXPECT_EQ(0, bell & RING_SLEEPER);
	for (n = 0; n < 10; n++) {
		ASSERT_EQ(0, put(w, 8, n, 0));
	}
	EXPECT_EQ(bell, atomic_load(&raw_header(&b)->writer.bell));
	ashm_ring_writer_close(w);
	ring_free(&b);
	ring_free(&c);
}

/* Without payload checksums the copies are as whole, and the header is checked. */
TEST_F(lib, unchecked)
{
	static const size_t lengths[] = { 0, 1, 511, 512, 513, 4096, 16384, 40001 };
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;
	uint64_t seq = 0;
	void *data;
	size_t i;

	ASSERT_EQ(0, ring_new(&b, 40001, 4, ASHM_RING_UNCHECKED, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		ASSERT_EQ(0, put(w, lengths[i], i, 0));
		ASSERT_EQ(0, get(r, 40001, &f, 0));
		EXPECT_EQ(lengths[i], f.length);
		ASSERT_EQ(0, ashm_frame_begin(w, lengths[i], &data, 0));
		frame_fill(data, lengths[i], i);
		ASSERT_EQ(0, ashm_frame_commit(w, lengths[i], i));
		seq += 2;
		/* Not looked at, so not found. */
		((char *)raw_slot(&b, seq))[FRAME_HEADER + lengths[i] / 2] ^= 1;
		ASSERT_EQ(0, ashm_frame_borrow(r, &f, 0));
		EXPECT_EQ(!lengths[i], frame_filled(f.data, lengths[i], i));
		EXPECT_EQ(0, ashm_frame_release(r));
	}
	ASSERT_EQ(0, put(w, 100, 1, 0));
	((struct frame_header *)raw_slot(&b, seq + 1))->tag++;
	EXPECT_EQ(-EBADMSG, get(r, 40001, &f, 0));
	ashm_ring_writer_close(w);
	ashm_ring_reader_close(r);
	ring_free(&b);
}

/* Of a ring with that spin: waits as told, and returns how long it took. */
static long spin_reading(struct __test_metadata *_metadata, struct test_ring *b,
			 struct ashm_reader *r, unsigned int spin, int timeout)
{
	struct ashm_frame f;
	long start = now_ms();

	EXPECT_EQ(0, ashm_ring_set_spin(b->ring, spin));
	EXPECT_EQ(timeout ? -ETIMEDOUT : -EAGAIN, get(r, 100, &f, timeout));
	return now_ms() - start;
}

TEST_F(lib, spin_ends)
{
	struct ashm_reader *r, *own;
	struct ashm_writer *w;
	struct test_ring b;
	struct ashm_frame f;
	int tries, late = 0;
	long start;

	ASSERT_EQ(0, ring_new(&b, 100, 2, ASHM_RING_WAIT, 2));
	EXPECT_EQ(-EINVAL, ashm_ring_set_spin(b.ring, ASHM_SPIN_MAX + 1));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	for (tries = 0; tries < 3; tries++) {
		late += spin_reading(_metadata, &b, r, ASHM_SPIN_MAX, 0) >= SOON_MS;
		late += spin_reading(_metadata, &b, r, ASHM_SPIN_MAX, 20) >= SOON_MS;
	}
	EXPECT_GT(3, late);
	/* Then it sleeps, for what is left. */
	EXPECT_GE(spin_reading(_metadata, &b, r, 1000, 20), 20);
	EXPECT_NE(0, atomic_load(&raw_header(&b)->writer.bell) & RING_SLEEPER);

	/* Nor for room that no reader makes, or a writer that is gone. */
	ASSERT_EQ(0, ashm_ring_set_spin(b.ring, ASHM_SPIN_MAX));
	ASSERT_EQ(0, put(w, 1, 1, 0));
	ASSERT_EQ(0, put(w, 1, 2, 0));
	for (tries = 0; tries < 3; tries++) {
		start = now_ms();
		EXPECT_EQ(-ETIMEDOUT, put(w, 1, 3, 20));
		late += now_ms() - start >= SOON_MS;
	}
	EXPECT_GT(3, late);
	ashm_ring_reader_close(r);
	for (late = 0, tries = 0; tries < 3; tries++) {
		start = now_ms();
		EXPECT_EQ(-EPIPE, put(w, 1, 3, -1));
		late += now_ms() - start >= SOON_MS;
	}
	EXPECT_GT(3, late);
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &own));
	ashm_ring_writer_close(w);
	ASSERT_EQ(0, get(own, 100, &f, -1));
	ASSERT_EQ(0, get(own, 100, &f, -1));
	for (late = 0, tries = 0; tries < 3; tries++) {
		start = now_ms();
		EXPECT_EQ(-EPIPE, get(own, 100, &f, -1));
		late += now_ms() - start >= SOON_MS;
	}
	EXPECT_GT(3, late);
	ashm_ring_reader_close(own);
	ring_free(&b);
}

static void *write_later(void *arg)
{
	nap_ms(20);
	put(arg, 8, 1, 0);
	return NULL;
}

static void *read_later(void *arg)
{
	struct ashm_frame f;

	nap_ms(20);
	get(arg, 100, &f, 0);
	return NULL;
}

/* Who spins needn't be woken: the bit that asks for it stays clear. */
TEST_F(lib, spin_finds)
{
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;
	pthread_t thread;
	int tries, found = 0;

	ASSERT_EQ(0, ring_new(&b, 100, 2, ASHM_RING_WAIT, 1));
	ASSERT_EQ(0, ashm_ring_set_spin(b.ring, ASHM_SPIN_MAX));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	for (tries = 0; tries < 3; tries++) {
		uint32_t bell = atomic_load(&raw_header(&b)->writer.bell);
		uint32_t room = atomic_load(&raw_header(&b)->writer.room);

		ASSERT_EQ(0, pthread_create(&thread, NULL, write_later, w));
		ASSERT_EQ(0, get(r, 100, &f, -1));
		pthread_join(thread, NULL);
		ASSERT_EQ(0, put(w, 8, 2, 0));
		ASSERT_EQ(0, put(w, 8, 3, 0));
		ASSERT_EQ(0, pthread_create(&thread, NULL, read_later, r));
		ASSERT_EQ(0, put(w, 8, 4, -1));
		pthread_join(thread, NULL);
		ASSERT_EQ(0, get(r, 100, &f, 0));
		ASSERT_EQ(0, get(r, 100, &f, 0));
		found += bell == atomic_load(&raw_header(&b)->writer.bell) &&
			 room == atomic_load(&raw_header(&b)->writer.room);
	}
	EXPECT_GT(found, 0);
	ashm_ring_writer_close(w);
	ashm_ring_reader_close(r);
	ring_free(&b);
}

enum nap { NAP_AWAIT, NAP_READ, NAP_WRITE };

struct sleeper {
	enum nap nap;
	struct ashm_ring *ring;
	struct ashm_reader *r;
	struct ashm_writer *w;
	int ret;
};

static void *sleep_on(void *arg)
{
	struct sleeper *s = arg;
	struct ashm_frame f;

	if (s->nap == NAP_AWAIT)
		s->ret = ashm_ring_await_writer(s->ring, -1);
	else if (s->nap == NAP_READ)
		s->ret = get(s->r, 100, &f, -1);
	else
		s->ret = put(s->w, 100, 99, -1);
	return NULL;
}

/* A process that can't write can't announce that it sleeps. */
static bool asleep(_Atomic uint32_t *word)
{
	if (word)
		return sleeper_on(word);
	nap_ms(100);
	return true;
}

/* Milliseconds from an action until the sleeper returns. */
#define WOKEN_BY(s, what, word, action) ({ \
	pthread_t thread__; \
	long start__; \
	(s)->nap = (what); \
	ASSERT_EQ(0, pthread_create(&thread__, NULL, sleep_on, s)); \
	ASSERT_TRUE(asleep(word)); \
	start__ = now_ms(); \
	action; \
	pthread_join(thread__, NULL); \
	now_ms() - start__; \
})

/*
 * Each reason to wake ends a sleep at once: a task that isn't woken looks again only
 * after a second, and five of those would show.
 */
TEST_F(lib, woken)
{
	struct ashm_ring_config config = {
		.frame_max = 100,
		.slots = 2,
		.flags = ASHM_RING_WAIT,
		.readers = 2,
	};
	_Atomic uint32_t *bell, *room;
	struct ashm_ring *again;
	struct test_ring b;
	struct sleeper s;
	struct ashm_frame f;
	uint32_t before;
	long took = 0;
	int round;

	for (round = 0; round < 5; round++) {
		ASSERT_EQ(0, ring_new(&b, 100, 2, ASHM_RING_WAIT, 2));
		bell = &raw_header(&b)->writer.bell;
		room = &raw_header(&b)->writer.room;
		s.ring = b.ring;
		ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &s.r));
		/* By a writer that comes, */
		took += WOKEN_BY(&s, NAP_AWAIT, bell,
				 ASSERT_EQ(0, ashm_ring_writer(b.ring, &s.w)));
		EXPECT_EQ(0, s.ret);
		/* a frame, which rings the bell for readers that are about to sleep, */
		before = atomic_load(bell) & ~RING_SLEEPER;
		took += WOKEN_BY(&s, NAP_READ, bell, ASSERT_EQ(0, put(s.w, 100, 1, 0)));
		EXPECT_EQ(0, s.ret);
		EXPECT_NE(before, atomic_load(bell) & ~RING_SLEEPER);
		/* room for one, */
		ASSERT_EQ(0, put(s.w, 100, 2, 0));
		ASSERT_EQ(0, put(s.w, 100, 3, 0));
		took += WOKEN_BY(&s, NAP_WRITE, room, ASSERT_EQ(0, get(s.r, 100, &f, 0)));
		EXPECT_EQ(0, s.ret);
		/* the last reader that goes, */
		took += WOKEN_BY(&s, NAP_WRITE, room, ashm_ring_reader_close(s.r));
		EXPECT_EQ(-EPIPE, s.ret);
		/* the writer that does, */
		ASSERT_EQ(0, ashm_ring_reader(b.ring, ASHM_READER_NEWEST, &s.r));
		took += WOKEN_BY(&s, NAP_READ, bell, ashm_ring_writer_close(s.w));
		EXPECT_EQ(-EPIPE, s.ret);
		ashm_ring_reader_close(s.r);
		/* and another ring in place of this. */
		took += WOKEN_BY(&s, NAP_AWAIT, bell,
				 ASSERT_EQ(0, ashm_ring_create(ashm_fd(b.region), &config,
							       &again)));
		EXPECT_EQ(-ESTALE, s.ret);
		ashm_ring_detach(again);
		ring_free(&b);
	}
	EXPECT_LT(took, 2500);
}

/* All who sleep, not only one. */
TEST_F(lib, woken_all)
{
	enum { SLEEPERS = 4 };
	struct sleeper s[SLEEPERS];
	pthread_t threads[SLEEPERS];
	struct ashm_writer *w;
	struct test_ring b;
	long start, took = 0;
	int round, i;

	ASSERT_EQ(0, ring_new(&b, 100, 4, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	for (i = 0; i < SLEEPERS; i++) {
		s[i].nap = NAP_READ;
		ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &s[i].r));
	}
	for (round = 0; round < 4; round++) {
		for (i = 0; i < SLEEPERS; i++) {
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, sleep_on, &s[i]));
		}
		/* The bell shows only one sleeper. */
		nap_ms(100);
		start = now_ms();
		ASSERT_EQ(0, put(w, 100, 1, 0));
		for (i = 0; i < SLEEPERS; i++) {
			pthread_join(threads[i], NULL);
			EXPECT_EQ(0, s[i].ret);
		}
		took += now_ms() - start;
	}
	EXPECT_LT(took, 2000);
	for (i = 0; i < SLEEPERS; i++)
		ashm_ring_reader_close(s[i].r);
	ashm_ring_writer_close(w);
	ring_free(&b);
}

/* The same for a reader that can only read: woken, or polling often. */
TEST_F(lib, woken_readonly)
{
	static const uint32_t flags[] = { 0, ASHM_RING_READONLY };
	struct ashm_ring *own;
	struct test_ring b;
	struct sleeper s;
	long took = 0;
	size_t i;
	int round, fd;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		ASSERT_EQ(0, ring_new(&b, 100, 4, flags[i], 0));
		ASSERT_EQ(0, ashm_ring_writer(b.ring, &s.w));
		fd = ashm_share_readonly(b.region);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, ashm_ring_attach(fd, 0, &own));
		ASSERT_EQ(0, ashm_ring_reader(own, 0, &s.r));
		for (round = 0; round < 5; round++) {
			took += WOKEN_BY(&s, NAP_READ, NULL, ASSERT_EQ(0, put(s.w, 100, 1, 0)));
			EXPECT_EQ(0, s.ret);
		}
		took += WOKEN_BY(&s, NAP_READ, NULL, ashm_ring_writer_close(s.w));
		EXPECT_EQ(-EPIPE, s.ret);
		ashm_ring_reader_close(s.r);
		ashm_ring_detach(own);
		close(fd);
		ring_free(&b);
	}
	EXPECT_LT(took, 2500);
}

TEST_F(lib, one_writer)
{
	struct ashm_writer *w, *other;
	struct ashm_ring_stat st;
	struct ashm_ring *again;
	struct test_ring b;
	struct ashm_ring_config config = { .frame_max = 100, .slots = 2 };

	ASSERT_EQ(0, ring_new(&b, 100, 2, 0, 0));
	EXPECT_EQ(0, ashm_ring_stat(b.ring, &st));
	EXPECT_EQ(ASHM_WRITER_NEVER, st.writer);
	EXPECT_EQ(0, st.generation);
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	EXPECT_EQ(-EBUSY, ashm_ring_writer(b.ring, &other));
	EXPECT_EQ(-EBUSY, ashm_ring_create(ashm_fd(b.region), &config, &again));
	ASSERT_EQ(0, put(w, 100, 1, 0));
	EXPECT_EQ(0, ashm_ring_stat(b.ring, &st));
	EXPECT_EQ(ASHM_WRITER_ALIVE, st.writer);
	EXPECT_EQ(1, st.generation);
	EXPECT_EQ(1, st.frames);
	EXPECT_EQ(1, st.unread);
	EXPECT_EQ(2, st.slots);
	EXPECT_EQ(100, st.frame_max);
	EXPECT_EQ(b.size, st.region_size);
	ashm_ring_writer_close(w);
	EXPECT_EQ(0, ashm_ring_stat(b.ring, &st));
	EXPECT_EQ(ASHM_WRITER_CLOSED, st.writer);
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	EXPECT_EQ(0, ashm_ring_stat(b.ring, &st));
	EXPECT_EQ(2, st.generation);
	ashm_ring_writer_close(w);
	ashm_ring_writer_close(NULL);
	ashm_ring_detach(NULL);
	ring_free(&b);
}

/* The same frame number in a recreated ring is another frame. */
TEST_F(lib, borrowed_made_anew)
{
	struct ashm_ring_config config = { .frame_max = 200, .slots = 2 };
	struct ashm_ring *again;
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;

	ASSERT_EQ(0, ring_new(&b, 200, 2, 0, 0));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, put(w, 200, 1, 0));
	ASSERT_EQ(0, ashm_frame_borrow(r, &f, 0));
	ashm_ring_writer_close(w);
	ASSERT_EQ(0, ashm_ring_create(ashm_fd(b.region), &config, &again));
	ASSERT_EQ(0, ashm_ring_writer(again, &w));
	ASSERT_EQ(0, put(w, 200, 2, 0));
	EXPECT_EQ(-ESTALE, ashm_frame_valid(r));
	EXPECT_EQ(-ESTALE, ashm_frame_release(r));
	ashm_ring_reader_close(r);
	ashm_ring_writer_close(w);
	ashm_ring_detach(again);
	ring_free(&b);
}

TEST_F(lib, made_anew)
{
	struct ashm_ring_config config = { .frame_max = 200, .slots = 2 };
	struct ashm_ring_stat st;
	struct ashm_ring *again;
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;
	pid_t child;

	ASSERT_EQ(0, ring_new(&b, 200, 2, 0, 0));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	/* A sleeper is woken; the test "woken" checks how soon. */
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		ashm_ring_reader_close(r);
		CHILD_CHECK(!ashm_ring_attach(ashm_fd(b.region), 0, &again));
		CHILD_CHECK(!ashm_ring_reader(again, 0, &r));
		CHILD_CHECK(get(r, 200, &f, 30000) == -ESTALE);
		ashm_ring_reader_close(r);
		_exit(0);
	}
	ASSERT_TRUE(sleeper_on(&raw_header(&b)->writer.bell));
	ASSERT_EQ(0, ashm_ring_create(ashm_fd(b.region), &config, &again));
	EXPECT_EQ(0, wait_child(child));
	EXPECT_EQ(-ESTALE, get(r, 200, &f, 0));
	EXPECT_EQ(-ESTALE, get(r, 200, &f, -1));
	EXPECT_EQ(-ESTALE, ashm_ring_writer(b.ring, &w));
	EXPECT_EQ(-ESTALE, ashm_ring_stat(b.ring, &st));
	EXPECT_EQ(-ESTALE, ashm_ring_await_writer(b.ring, -1));
	ASSERT_EQ(0, ashm_ring_writer(again, &w));
	EXPECT_EQ(0, put(w, 200, 1, 0));
	EXPECT_EQ(-ESTALE, get(r, 200, &f, 0));
	ashm_ring_reader_close(r);
	ashm_ring_writer_close(w);
	ashm_ring_detach(again);
	ring_free(&b);

	/* A place in the old ring gives none in the new one. */
	config.flags = ASHM_RING_WAIT;
	config.readers = 1;
	ASSERT_EQ(0, ring_new(&b, 200, 2, ASHM_RING_WAIT, 1));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	ASSERT_EQ(0, ashm_ring_create(ashm_fd(b.region), &config, &again));
	ASSERT_EQ(0, ashm_ring_stat(again, &st));
	EXPECT_EQ(0, st.readers);
	ashm_ring_reader_close(r);
	ashm_ring_detach(again);
	ring_free(&b);
}

static int try_attach(struct test_ring *b)
{
	struct ashm_ring *ring;
	int ret = ashm_ring_attach(ashm_fd(b->region), 0, &ring);

	if (!ret)
		ashm_ring_detach(ring);
	return ret;
}

/* At vm.max_map_count a page can't be marked for a child to see that it is one. */
TEST(unmarked)
{
	struct test_ring b;

	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "memfd", 1));
	ASSERT_EQ(0, ring_new(&b, 100, 4, 0, 0));
	FORBID(SYS_madvise, 2, MADV_WIPEONFORK, 0, ENOMEM);
	EXPECT_EQ(-ENOMEM, try_attach(&b));
	ring_free(&b);
}

/* That isn't known to each emulator. */
TEST(mark_unknown)
{
	struct test_ring b;

	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "memfd", 1));
	ASSERT_EQ(0, ring_new(&b, 100, 4, 0, 0));
	FORBID(SYS_madvise, 2, MADV_WIPEONFORK, 0, EINVAL);
	EXPECT_EQ(0, try_attach(&b));
	ring_free(&b);
}

/* Inherited handles belong to the parent; closing them in a child changes nothing. */
TEST_F(lib, fork)
{
	struct ashm_writer *w, *other;
	struct ashm_reader *r;
	struct ashm_ring_stat st;
	struct test_ring b, c;
	struct ashm_frame f;
	void *data;
	pid_t child;

	ASSERT_EQ(0, ring_new(&b, 100, 4, ASHM_RING_WAIT, 2));
	ASSERT_EQ(0, ring_new(&c, 100, 4, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	ASSERT_EQ(0, ashm_frame_begin(w, 100, &data, 0));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		struct ashm_ring *own;

		CHILD_CHECK(ashm_frame_commit(w, 0, 0) == -ECHILD);
		CHILD_CHECK(ashm_frame_abort(w) == -ECHILD);
		CHILD_CHECK(put(w, 1, 1, 0) == -ECHILD);
		CHILD_CHECK(get(r, 100, &f, 0) == -ECHILD);
		CHILD_CHECK(ashm_frame_borrow(r, &f, 0) == -ECHILD);
		CHILD_CHECK(ashm_frame_valid(r) == -ECHILD);
		CHILD_CHECK(ashm_frame_release(r) == -ECHILD);
		CHILD_CHECK(ashm_ring_writer(b.ring, &other) == -ECHILD);
		ashm_ring_reader_close(r);
		ashm_ring_writer_close(w);
		ashm_ring_detach(b.ring);
		/* Its own handle works like any other. */
		CHILD_CHECK(!ashm_ring_attach(ashm_fd(b.region), 0, &own));
		CHILD_CHECK(ashm_ring_writer(own, &other) == -EBUSY);
		/* Its memory still refers to the parent's guardian. */
		if (UNDER_TSAN)
			_exit(0);
		CHILD_CHECK(!ashm_ring_reader(own, 0, &r));
		ashm_ring_reader_close(r);
		ashm_ring_detach(own);
		/* With its own guardian, by which others see that it lives. */
		CHILD_CHECK(!ashm_ring_attach(ashm_fd(c.region), 0, &own));
		CHILD_CHECK(!ashm_ring_writer(own, &other));
		CHILD_CHECK(!ashm_ring_stat(own, &st));
		CHILD_CHECK(st.writer == ASHM_WRITER_ALIVE);
		ashm_ring_writer_close(other);
		ashm_ring_detach(own);
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(child));
	ring_free(&c);
	frame_fill(data, 100, 1);
	EXPECT_EQ(0, ashm_frame_commit(w, 100, 1));
	EXPECT_EQ(0, get(r, 100, &f, 0));
	EXPECT_EQ(1, f.tag);
	ashm_ring_reader_close(r);
	ashm_ring_writer_close(w);
	ring_free(&b);
}

/* A process that can only read gets all frames of a ring made for that. */
static void read_only(struct __test_metadata *_metadata, uint32_t flags)
{
	struct ashm_writer *w, *none;
	struct ashm_ring *own;
	struct ashm_reader *r;
	struct ashm_frame f;
	struct test_ring b;
	uint64_t n;
	pid_t child;
	int fd;

	ASSERT_EQ(0, ring_new(&b, 100, 60, flags, 0));
	fd = ashm_share_readonly(b.region);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		CHILD_CHECK(!ashm_ring_attach(fd, 0, &own));
		CHILD_CHECK(ashm_ring_writer(own, &none) == -EACCES);
		CHILD_CHECK(!ashm_ring_reader(own, 0, &r));
		for (n = 1; n <= 50; n++) {
			CHILD_CHECK(!get(r, 100, &f, 30000));
			CHILD_CHECK(f.tag == n && !f.missed);
		}
		CHILD_CHECK(get(r, 100, &f, 30000) == -EPIPE);
		CHILD_CHECK(ashm_ring_await_writer(own, 30) == -ETIMEDOUT);
		ashm_ring_reader_close(r);
		ashm_ring_detach(own);
		_exit(0);
	}
	for (n = 1; n <= 50; n++) {
		ASSERT_EQ(0, put(w, 100, n, 0));
		if (n < 20)
			nap_ms(3);
	}
	ashm_ring_writer_close(w);
	EXPECT_EQ(0, wait_child(child));
	EXPECT_EQ(0, ashm_ring_attach(ashm_fd(b.region), ASHM_ATTACH_READONLY, &own));
	EXPECT_EQ(-EACCES, ashm_ring_writer(own, &none));
	ashm_ring_detach(own);
	close(fd);
	ring_free(&b);
}

TEST_F(lib, readonly)
{
	read_only(_metadata, ASHM_RING_READONLY);
}

TEST_F(lib, readonly_polling)
{
	read_only(_metadata, 0);
}

TEST_F(lib, readonly_refused)
{
	struct ashm_ring *own;
	struct test_ring b;
	int fd;

	ASSERT_EQ(0, ring_new(&b, 100, 4, ASHM_RING_WAIT, 0));
	EXPECT_EQ(-EACCES, ashm_ring_attach(ashm_fd(b.region),
					    ASHM_ATTACH_READONLY, &own));
	EXPECT_EQ(-EINVAL, ashm_ring_attach(ashm_fd(b.region), 2, &own));
	fd = ashm_share_readonly(b.region);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EACCES, ashm_ring_attach(fd, 0, &own));
	close(fd);
	ring_free(&b);
}

/* A detached ring lives for its handles; descriptors aren't held. */
TEST_F(lib, lifetime)
{
	int before = count_fds();
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;

	ASSERT_EQ(0, ring_new(&b, 100, 4, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	ring_free(&b);
	EXPECT_EQ(before, count_fds());
	EXPECT_EQ(0, put(w, 100, 1, 0));
	EXPECT_EQ(0, get(r, 100, &f, 0));
	ashm_ring_writer_close(w);
	EXPECT_EQ(-EPIPE, get(r, 100, &f, 0));
	ashm_ring_reader_close(r);
	EXPECT_EQ(before, count_fds());
}

TEST_HARNESS_MAIN
