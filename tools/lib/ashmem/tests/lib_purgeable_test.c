// SPDX-License-Identifier: GPL-2.0-only
/*
 * Purgeable objects: between begin and end a user sees complete contents that the
 * rebuild function made, no matter what is purged before or at the same time.
 */
#include <pthread.h>

#include "kselftest_harness.h"
#include "lib_both.h"
#include "purge_util.h"
#include "tsan.h"

#include <ashmem_purgeable.h>

#define SIZE	(4 * page_size())

/* Fills with @byte; counts; fails while @error is set. */
struct maker {
	_Atomic int calls;
	int error;
	unsigned char byte;
	struct ashm_purgeable *object;	/* which it must not use */
	int used;
};

static int make(void *data, void *contents, size_t size)
{
	struct maker *maker = data;
	const void *p;

	maker->calls++;
	if (maker->object)
		maker->used = ashm_purgeable_begin_read(maker->object, &p);
	/* It fails after half of the contents. */
	memset(contents, maker->byte, maker->error ? size / 2 : size);
	return maker->error;
}

static bool whole(const void *p, unsigned char byte)
{
	return all_bytes(p, SIZE, byte);
}

TEST_F(lib, life)
{
	struct maker maker = { .byte = 7 };
	struct ashm_purgeable *o;
	int fds = count_fds();
	const void *p;
	void *w;

	errno = 4242;
	ASSERT_EQ(0, ashm_purgeable_create("life", SIZE, make, &maker, &o));
	EXPECT_EQ(SIZE, ashm_purgeable_size(o));
	EXPECT_EQ(0, maker.calls);
	EXPECT_EQ(-EINVAL, ashm_purgeable_end_read(o));
	EXPECT_EQ(-EINVAL, ashm_purgeable_end_write(o));
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	EXPECT_EQ(1, maker.calls);
	EXPECT_TRUE(whole(p, 7));
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	EXPECT_EQ(-EINVAL, ashm_purgeable_end_write(o));
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	EXPECT_EQ(-EINVAL, ashm_purgeable_end_read(o));

	ASSERT_EQ(0, ashm_purgeable_begin_write(o, &w));
	ASSERT_EQ(0, ashm_purgeable_begin_write(o, &w));
	memset(w, 8, SIZE);
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	EXPECT_EQ(w, p);
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	EXPECT_EQ(0, ashm_purgeable_end_write(o));
	EXPECT_EQ(0, ashm_purgeable_end_write(o));
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	EXPECT_TRUE(whole(p, 8));
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	EXPECT_EQ(1, maker.calls);
	ashm_purgeable_destroy(o);
	ashm_purgeable_destroy(NULL);
	EXPECT_EQ(4242, errno);
	EXPECT_EQ(fds, count_fds());
	EXPECT_EQ(-EINVAL, ashm_purgeable_create("none", 0, make, &maker, &o));
}

TEST_F(lib, lost_and_made_again)
{
	struct maker maker = { .byte = 7 };
	struct ashm_purgeable *o;
	const void *p;
	void *w;
	int i;

	NEED_PURGE();
	ASSERT_EQ(0, ashm_purgeable_create("lost", SIZE, make, &maker, &o));
	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(0, ashm_purgeable_begin_write(o, &w));
		EXPECT_EQ(i, maker.calls);
		EXPECT_TRUE(whole(w, maker.byte));
		memset(w, 99, SIZE);
		EXPECT_EQ(0, ashm_purgeable_end_write(o));
		maker.byte++;
		ASSERT_TRUE(purge(variant->backend));
	}
	/* Nothing is purged while in use. */
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	ASSERT_TRUE(purge(variant->backend));
	EXPECT_TRUE(whole(p, maker.byte));
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	ASSERT_TRUE(purge(variant->backend));
	EXPECT_TRUE(whole(p, maker.byte));
	EXPECT_EQ(4, maker.calls);
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	ashm_purgeable_destroy(o);
	ASSERT_TRUE(purge(variant->backend));
}

/* What a writer says is spoilt is made again, and not under its hands. */
TEST_F(lib, discarded)
{
	struct maker maker = { .byte = 7 };
	struct ashm_purgeable *o;
	const void *p;
	void *w;

	ASSERT_EQ(0, ashm_purgeable_create("discarded", SIZE, make, &maker, &o));
	EXPECT_EQ(-EINVAL, ashm_purgeable_discard(o));
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	EXPECT_EQ(-EINVAL, ashm_purgeable_discard(o));
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	ASSERT_EQ(0, ashm_purgeable_begin_write(o, &w));
	ASSERT_EQ(0, ashm_purgeable_begin_write(o, &w));
	memset(w, 8, SIZE / 2);
	EXPECT_EQ(0, ashm_purgeable_discard(o));
	EXPECT_EQ(0, ashm_purgeable_end_write(o));
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	EXPECT_TRUE(all_bytes(p, SIZE / 2, 8));
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	EXPECT_EQ(0, ashm_purgeable_end_write(o));
	EXPECT_EQ(1, maker.calls);
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	EXPECT_EQ(2, maker.calls);
	EXPECT_TRUE(whole(p, 7));
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	ashm_purgeable_destroy(o);
}

TEST_F(lib, rebuild_fails)
{
	struct maker maker = { .byte = 7, .error = -ENOENT };
	struct ashm_purgeable *o;
	const void *p = NULL;
	void *w;

	ASSERT_EQ(0, ashm_purgeable_create("fails", SIZE, make, &maker, &o));
	EXPECT_EQ(-ENOENT, ashm_purgeable_begin_read(o, &p));
	EXPECT_EQ(NULL, p);
	EXPECT_EQ(-EINVAL, ashm_purgeable_end_read(o));
	EXPECT_EQ(-ENOENT, ashm_purgeable_begin_write(o, &w));
	maker.error = 1;
	EXPECT_EQ(-EINVAL, ashm_purgeable_begin_read(o, &p));
	EXPECT_EQ(3, maker.calls);
	maker.error = 0;
	/* The half of a failed rebuild doesn't count. */
	maker.byte = 8;
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	EXPECT_TRUE(whole(p, 8));
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	ashm_purgeable_destroy(o);
}

TEST_F(lib, rebuild_uses_its_object)
{
	struct maker maker = { .byte = 7 };
	const void *p;

	ASSERT_EQ(0, ashm_purgeable_create("own", SIZE, make, &maker, &maker.object));
	ASSERT_EQ(0, ashm_purgeable_begin_read(maker.object, &p));
	EXPECT_EQ(-EDEADLK, maker.used);
	EXPECT_EQ(0, ashm_purgeable_end_read(maker.object));
	ashm_purgeable_destroy(maker.object);
}

/* Without a rebuild function the thread that writes is told, and makes the contents. */
TEST_F(lib, rebuilt_by_a_writer)
{
	struct ashm_purgeable *o;
	const void *p = NULL;
	void *w;

	ASSERT_EQ(0, ashm_purgeable_create("writer", SIZE, NULL, NULL, &o));
	EXPECT_EQ(-EINVAL, ashm_purgeable_rebuilt(o));
	EXPECT_EQ(-ENODATA, ashm_purgeable_begin_read(o, &p));
	EXPECT_EQ(NULL, p);
	EXPECT_EQ(-EINVAL, ashm_purgeable_end_read(o));
	/* It gives up halfway. */
	ASSERT_EQ(ASHM_WAS_LOST, ashm_purgeable_begin_write(o, &w));
	memset(w, 6, SIZE / 2);
	EXPECT_EQ(0, ashm_purgeable_end_write(o));
	EXPECT_EQ(-ENODATA, ashm_purgeable_begin_read(o, &p));

	ASSERT_EQ(ASHM_WAS_LOST, ashm_purgeable_begin_write(o, &w));
	EXPECT_EQ(-EDEADLK, ashm_purgeable_begin_read(o, &p));
	EXPECT_EQ(-EDEADLK, ashm_purgeable_begin_write(o, &w));
	memset(w, 7, SIZE);
	EXPECT_EQ(0, ashm_purgeable_rebuilt(o));
	ASSERT_EQ(0, ashm_purgeable_begin_write(o, &w));
	EXPECT_EQ(0, ashm_purgeable_end_write(o));
	EXPECT_EQ(0, ashm_purgeable_end_write(o));
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	EXPECT_TRUE(whole(p, 7));
	EXPECT_EQ(-EINVAL, ashm_purgeable_rebuilt(o));
	EXPECT_EQ(0, ashm_purgeable_end_read(o));

	if (variant->backend == ASHM_BACKEND_MEMFD) {
		ASSERT_TRUE(purge(variant->backend));
		EXPECT_EQ(-ENODATA, ashm_purgeable_begin_read(o, &p));
		ASSERT_EQ(ASHM_WAS_LOST, ashm_purgeable_begin_write(o, &w));
		EXPECT_EQ(0, ashm_purgeable_end_write(o));
	}
	ashm_purgeable_destroy(o);
}

static void *begin_and_end(void *object)
{
	const void *p;
	long seen = -1;

	if (!ashm_purgeable_begin_read(object, &p)) {
		seen = *(const unsigned char *)p;
		ashm_purgeable_end_read(object);
	}
	return (void *)seen;
}

/* 0, or ETIMEDOUT. */
static int join_within(pthread_t id, int seconds, void **ret)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += seconds;
	return pthread_timedjoin_np(id, ret, &end);
}

static void *begin_rebuild(void *object)
{
	void *w;

	return (void *)(long)ashm_purgeable_begin_rebuild(object, &w);
}

/* Threads that find no contents at the same time: one makes them, and all read. */
TEST_F(lib, rebuilt_for_readers)
{
	struct maker maker = { .byte = 7 };
	struct ashm_purgeable *o;
	void *w = NULL, *ret;
	const void *p;
	pthread_t id;
	int done;

	ASSERT_EQ(0, ashm_purgeable_create("readers", SIZE, NULL, NULL, &o));
	EXPECT_EQ(-ENODATA, ashm_purgeable_begin_read(o, &p));
	ASSERT_EQ(ASHM_WAS_LOST, ashm_purgeable_begin_rebuild(o, &w));
	EXPECT_EQ(-EDEADLK, ashm_purgeable_begin_rebuild(o, &w));
	ASSERT_EQ(0, pthread_create(&id, NULL, begin_rebuild, o));
	nap_ms(100);
	memset(w, 7, SIZE);
	EXPECT_EQ(0, ashm_purgeable_rebuilt(o));
	EXPECT_EQ(0, ashm_purgeable_begin_rebuild(o, &w));
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	EXPECT_EQ(0, ashm_purgeable_end_write(o));
	/* It doesn't wait for this reader. */
	done = join_within(id, 5, &ret);
	EXPECT_EQ(0, done);
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	if (done)
		pthread_join(id, &ret);
	EXPECT_EQ(0, (long)ret);

	/* Nothing has begun. */
	w = NULL;
	EXPECT_EQ(0, ashm_purgeable_begin_rebuild(o, &w));
	EXPECT_EQ(NULL, w);
	EXPECT_EQ(-EINVAL, ashm_purgeable_end_write(o));
	EXPECT_EQ(-EINVAL, ashm_purgeable_end_read(o));
	if (variant->backend == ASHM_BACKEND_MEMFD) {
		ASSERT_TRUE(purge(variant->backend));
		ASSERT_EQ(ASHM_WAS_LOST, ashm_purgeable_begin_rebuild(o, &w));
		EXPECT_EQ(0, ashm_purgeable_end_write(o));
	}
	ashm_purgeable_destroy(o);

	ASSERT_EQ(0, ashm_purgeable_create("called", SIZE, make, &maker, &o));
	EXPECT_EQ(0, ashm_purgeable_begin_rebuild(o, &w));
	EXPECT_EQ(1, maker.calls);
	EXPECT_EQ(-EINVAL, ashm_purgeable_end_write(o));
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	EXPECT_TRUE(whole(p, 7));
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	ashm_purgeable_destroy(o);
}

/* A thread that ends writing first reads on, beside others: unless it has discarded. */
TEST_F(lib, writer_reads_on)
{
	struct maker maker = { .byte = 7 };
	struct ashm_purgeable *o;
	const void *p;
	pthread_t id;
	void *w, *ret;

	ASSERT_EQ(0, ashm_purgeable_create("on", SIZE, make, &maker, &o));
	ASSERT_EQ(0, ashm_purgeable_begin_write(o, &w));
	memset(w, 8, SIZE);
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	ASSERT_EQ(0, pthread_create(&id, NULL, begin_and_end, o));
	nap_ms(100);
	EXPECT_EQ(0, ashm_purgeable_end_write(o));
	EXPECT_EQ(-EINVAL, ashm_purgeable_discard(o));
	/* Wakes the one that waits, if it has come that far. */
	ASSERT_EQ(0, pthread_join(id, &ret));
	EXPECT_EQ(8, (long)ret);
	if (variant->backend == ASHM_BACKEND_MEMFD)
		ASSERT_TRUE(purge(variant->backend));
	EXPECT_TRUE(whole(p, 8));
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	EXPECT_EQ(-EINVAL, ashm_purgeable_end_read(o));

	ASSERT_EQ(0, ashm_purgeable_begin_write(o, &w));
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	memset(w, 9, SIZE);
	EXPECT_EQ(0, ashm_purgeable_discard(o));
	EXPECT_EQ(0, ashm_purgeable_end_write(o));
	ASSERT_EQ(0, pthread_create(&id, NULL, begin_and_end, o));
	EXPECT_EQ(ETIMEDOUT, join_within(id, 1, &ret));
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	EXPECT_TRUE(whole(p, 9));
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	pthread_join(id, &ret);
	EXPECT_EQ(7, (long)ret);
	ashm_purgeable_destroy(o);
}

static void *begin_writing(void *object)
{
	void *w;
	long err = ashm_purgeable_begin_write(object, &w);

	if (!err)
		err = ashm_purgeable_end_write(object);
	return (void *)err;
}

/* A reader never sees a writer's contents half made. */
TEST_F(lib, writer_waits_for_readers)
{
	struct maker maker = { .byte = 7 };
	struct ashm_purgeable *o;
	void *ret = &maker;
	const void *p;
	pthread_t id;

	ASSERT_EQ(0, ashm_purgeable_create("waits", SIZE, make, &maker, &o));
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	ASSERT_EQ(0, pthread_create(&id, NULL, begin_writing, o));
	EXPECT_EQ(ETIMEDOUT, join_within(id, 1, &ret));
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	pthread_join(id, &ret);
	EXPECT_EQ(NULL, ret);
	ashm_purgeable_destroy(o);
}

/* Oldest first, and no more than was asked for. */
TEST_F(lib, order)
{
	struct maker maker[3] = { { .byte = 1 }, { .byte = 2 }, { .byte = 3 } };
	static const int use[] = { 0, 1, 2, 0 };
	struct ashm_purgeable *o[3];
	uint64_t freed;
	const void *p;
	size_t i;

	if (ON_DEVICE)
		SKIP(return, "the kernel takes what it wants");
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, ashm_purgeable_create("order", SIZE, make, &maker[i], &o[i]));
	}
	for (i = 0; i < ARRAY_SIZE(use); i++) {
		ASSERT_EQ(0, ashm_purgeable_begin_read(o[use[i]], &p));
		ASSERT_EQ(0, ashm_purgeable_end_read(o[use[i]]));
	}
	EXPECT_EQ(0, ashm_purgeable_reclaim(0, &freed));
	EXPECT_EQ(0, freed);
	EXPECT_EQ(0, ashm_purgeable_reclaim(1, &freed));
	EXPECT_EQ(SIZE, freed);
	EXPECT_EQ(0, ashm_purgeable_reclaim(SIZE, NULL));
	/* 1 went, then 2; 0 was used after them. */
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, ashm_purgeable_begin_read(o[i], &p));
		EXPECT_TRUE(whole(p, maker[i].byte));
		EXPECT_EQ(i ? 2 : 1, maker[i].calls);
		ASSERT_EQ(0, ashm_purgeable_end_read(o[i]));
	}
	/* A destroyed object is on no list. */
	ashm_purgeable_destroy(o[1]);
	EXPECT_EQ(0, ashm_purgeable_reclaim(UINT64_MAX, &freed));
	EXPECT_EQ(2 * SIZE, freed);
	ashm_purgeable_destroy(o[0]);
	ashm_purgeable_destroy(o[2]);
	EXPECT_EQ(0, ashm_purgeable_reclaim(UINT64_MAX, &freed));
	EXPECT_EQ(0, freed);
}

/* What a program, that has closed all descriptors, opens in the place of an object's. */
TEST_F(lib, number_of_another_file)
{
	struct maker maker[2] = { { .byte = 1 }, { .byte = 2 } };
	int number = dup(0), file = memfd_create("file", 0), i;
	struct ashm_purgeable *o[2];
	char text[5] = "";
	uint64_t freed;
	const void *p;

	if (ON_DEVICE)
		SKIP(return, "the kernel purges without a descriptor");
	ASSERT_EQ(4, write(file, "kept", 4));
	close(number);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ashm_purgeable_create("number", SIZE, make, &maker[i], &o[i]));
		ASSERT_EQ(0, ashm_purgeable_begin_read(o[i], &p));
		ASSERT_EQ(0, ashm_purgeable_end_read(o[i]));
	}
	ASSERT_EQ(number, dup2(file, number));
	EXPECT_EQ(0, ashm_purgeable_reclaim(UINT64_MAX, &freed));
	EXPECT_EQ(SIZE, freed);
	EXPECT_EQ(4, pread(file, text, 4, 0));
	EXPECT_STREQ("kept", text);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ashm_purgeable_begin_read(o[i], &p));
		EXPECT_TRUE(whole(p, maker[i].byte));
		EXPECT_EQ(i + 1, maker[i].calls);
		ASSERT_EQ(0, ashm_purgeable_end_read(o[i]));
		ashm_purgeable_destroy(o[i]);
	}
	close(file);
}

/* A program that has closed the descriptor of an object, and got another file by that number. */
TEST_F(lib, number_of_no_region)
{
	struct maker maker = { .byte = 1 };
	int number = dup(0), pipes[2];
	struct ashm_purgeable *o;
	const void *p;

	if (ON_DEVICE)
		SKIP(return, "the kernel pins by the descriptor");
	close(number);
	ASSERT_EQ(0, ashm_purgeable_create("number", SIZE, make, &maker, &o));
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	ASSERT_EQ(0, ashm_purgeable_end_read(o));
	close(number);
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	EXPECT_TRUE(whole(p, 1));
	ASSERT_EQ(0, ashm_purgeable_end_read(o));
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(number, pipes[0]);
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	EXPECT_TRUE(whole(p, 1));
	ASSERT_EQ(0, ashm_purgeable_end_read(o));
	EXPECT_EQ(1, maker.calls);
	ashm_purgeable_destroy(o);
	EXPECT_EQ(0, close(pipes[0]));
	close(pipes[1]);
}

static void *create_and_use(void *unused)
{
	struct maker maker = { .byte = 1 };
	struct ashm_purgeable *o;
	const void *p;
	int ret;

	ret = ashm_purgeable_create("small stack", 1 << 20, make, &maker, &o);
	if (!ret)
		ret = ashm_purgeable_begin_read(o, &p);
	if (ret)
		return unused;
	ashm_purgeable_end_read(o);
	ashm_purgeable_destroy(o);
	return NULL;
}

/* The library starts its own thread then, in the calling one. */
TEST_F(lib, smallest_stack)
{
	pthread_attr_t attr;
	pthread_t thread;
	void *failed;

#ifdef __SANITIZE_ADDRESS__
	SKIP(return, "a sanitizer's functions need more");
#endif
	if (UNDER_TSAN)
		SKIP(return, "a sanitizer's functions need more");
	ASSERT_EQ(0, pthread_attr_init(&attr));
	ASSERT_EQ(0, pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN));
	ASSERT_EQ(0, pthread_create(&thread, &attr, create_and_use, self));
	ASSERT_EQ(0, pthread_join(thread, &failed));
	EXPECT_EQ(NULL, failed);
	pthread_attr_destroy(&attr);
}

TEST_F(lib, child)
{
	struct maker maker = { .byte = 7 };
	struct ashm_purgeable *o, *own;
	const void *p;
	pid_t pid;
	void *w;

	ASSERT_EQ(0, ashm_purgeable_create("parent", SIZE, make, &maker, &o));
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	ASSERT_EQ(0, ashm_purgeable_end_read(o));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		uint64_t freed;

		CHILD_CHECK(ashm_purgeable_begin_read(o, &p) == -ECHILD);
		CHILD_CHECK(ashm_purgeable_begin_write(o, &w) == -ECHILD);
		CHILD_CHECK(ashm_purgeable_end_read(o) == -ECHILD);
		CHILD_CHECK(ashm_purgeable_end_write(o) == -ECHILD);
		CHILD_CHECK(ashm_purgeable_discard(o) == -ECHILD);
		CHILD_CHECK(!ashm_purgeable_reclaim(UINT64_MAX, &freed) && !freed);
		ashm_purgeable_destroy(o);
		CHILD_CHECK(!ashm_purgeable_create("own", SIZE, make, &maker, &own));
		CHILD_CHECK(!ashm_purgeable_begin_read(own, &p) && whole(p, 7));
		CHILD_CHECK(!ashm_purgeable_end_read(own));
		ashm_purgeable_destroy(own);
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	ASSERT_EQ(0, ashm_purgeable_begin_read(o, &p));
	EXPECT_EQ(1, maker.calls);
	EXPECT_EQ(0, ashm_purgeable_end_read(o));
	ashm_purgeable_destroy(o);
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 600 };

struct crowd {
	struct ashm_purgeable *object;
	struct maker maker;
	_Atomic int wrong, running, reading, writing;
	int backend;
};

/* Mostly reads, sometimes nested; a writer fills all with one byte. */
static void *use(void *arg)
{
	struct rng rng = { rng_seed() };
	struct crowd *c = arg;
	const unsigned char *p;
	void *w;
	int i;

	/* Until it was purged several times, which needs moments without a user. */
	for (i = 0; i < ROUNDS || c->maker.calls < 10; i++) {
		if (!rng_below(&rng, 4))
			nap_ms(1);
		if (!rng_below(&rng, 8)) {
			if (ashm_purgeable_begin_write(c->object, &w)) {
				c->wrong++;
				continue;
			}
			c->wrong += c->writing++ || c->reading;
			memset(w, 1 + (int)rng_below(&rng, 250), SIZE);
			c->writing--;
			ashm_purgeable_end_write(c->object);
			continue;
		}
		if (ashm_purgeable_begin_read(c->object, (const void **)&p)) {
			c->wrong++;
			continue;
		}
		c->reading++;
		c->wrong += c->writing || !p[0] || !whole(p, p[0]);
		if (!rng_below(&rng, 4)) {
			c->wrong += !!ashm_purgeable_begin_read(c->object,
								(const void **)&p);
			c->wrong += !!ashm_purgeable_end_read(c->object);
		}
		c->reading--;
		ashm_purgeable_end_read(c->object);
	}
	c->running--;
	return NULL;
}

static void *take_away(void *arg)
{
	struct crowd *c = arg;

	while (c->running)
		c->wrong += !purge(c->backend);
	return NULL;
}

TEST_F_TIMEOUT(lib, threads, 120)
{
	static struct crowd c;
	pthread_t id[THREADS], purger;
	int i;

	NEED_PURGE();
	c.maker.byte = 77;
	c.backend = variant->backend;
	c.running = THREADS;
	ASSERT_EQ(0, ashm_purgeable_create("crowd", SIZE, make, &c.maker, &c.object));
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_create(&id[i], NULL, use, &c));
	}
	ASSERT_EQ(0, pthread_create(&purger, NULL, take_away, &c));
	for (i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	pthread_join(purger, NULL);
	EXPECT_EQ(0, c.wrong);
	EXPECT_GE(c.maker.calls, 10);
	TH_LOG("made %d times", c.maker.calls);
	ashm_purgeable_destroy(c.object);
}

/* Objects that are created and destroyed during reclaim. */
static void *come_and_go(void *arg)
{
	struct crowd *c = arg;
	struct maker maker = { .byte = 5 };
	struct ashm_purgeable *o;
	const void *p;
	int i;

	for (i = 0; i < ROUNDS / 10; i++) {
		if (ashm_purgeable_create("short", SIZE, make, &maker, &o)) {
			c->wrong++;
			continue;
		}
		c->wrong += ashm_purgeable_begin_read(o, &p) || !whole(p, 5);
		ashm_purgeable_end_read(o);
		ashm_purgeable_destroy(o);
	}
	c->running--;
	return NULL;
}

TEST_F_TIMEOUT(lib, short_lives, 120)
{
	static struct crowd c;
	pthread_t id[THREADS], purger;
	int i;

	NEED_PURGE();
	c.backend = variant->backend;
	c.running = THREADS;
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_create(&id[i], NULL, come_and_go, &c));
	}
	ASSERT_EQ(0, pthread_create(&purger, NULL, take_away, &c));
	for (i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	pthread_join(purger, NULL);
	EXPECT_EQ(0, c.wrong);
}

TEST_HARNESS_MAIN
