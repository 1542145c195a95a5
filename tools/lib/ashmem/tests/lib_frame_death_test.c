// SPDX-License-Identifier: GPL-2.0-only
/*
 * Peers that die in each state, and those that detect it.
 */
#include <sched.h>

#include "kselftest_harness.h"
#include "lib_util.h"
#include "lib_both.h"
#include "frame_util.h"

#include <linux/futex.h>

static long cpu_ms(const struct rusage *usage)
{
	return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000 +
	       (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;
}

/* This many of several deaths may be detected later than SOON_MS. */
#define MAY_BE_LATE	1

enum { FRAME = 3000, SLOTS = 4 };

/* What a writer does before it dies. */
enum last_deed {
	IDLE,
	WRITING,
	HALF_WRITTEN,
	UNPUBLISHED,
	STATES,
};

static struct ashm_ring *attach(struct test_ring *b)
{
	struct ashm_ring *ring;

	return ashm_ring_attach(ashm_fd(b->region), 0, &ring) ? NULL : ring;
}

/* A process that becomes the writer, finishes two frames, and sleeps. */
static pid_t start_writer(struct test_ring *b, enum last_deed deed)
{
	struct frame_slot *slot;
	struct ashm_ring *ring;
	struct ashm_writer *w;
	uint64_t head;
	void *data;
	pid_t pid;

	pid = fork();
	if (pid)
		return pid;
	ring = attach(b);
	CHILD_CHECK(ring);
	CHILD_CHECK(!ashm_ring_writer(ring, &w));
	head = atomic_load(&raw_header(b)->writer.head);
	CHILD_CHECK(!put(w, FRAME, head + 1, 0) && !put(w, FRAME, head + 2, 0));
	switch (deed) {
	case WRITING:
		CHILD_CHECK(!ashm_frame_begin(w, FRAME, &data, 0));
		break;
	case HALF_WRITTEN:
		CHILD_CHECK(!ashm_frame_begin(w, FRAME, &data, 0));
		frame_fill(data, FRAME / 2, head + 3);
		break;
	case UNPUBLISHED:
		/* As if it had stored the state, but not the head. */
		CHILD_CHECK(!put(w, FRAME, head + 3, 0));
		atomic_store(&raw_header(b)->writer.head, head + 2);
		slot = raw_slot(b, head + 3);
		CHILD_CHECK(atomic_load(&slot->state) ==
			    ((head + 3) << SLOT_SEQ_SHIFT | SLOT_READY));
		break;
	default:
		break;
	}
	for (;;)
		pause();
}

static bool await_head(struct test_ring *b, uint64_t head)
{
	int tries;

	for (tries = 0; tries < 2000; tries++) {
		if (atomic_load(&raw_header(b)->writer.head) >= head)
			return true;
		nap_ms(5);
	}
	return false;
}

/* A process that reads on and expects @end behind frame @last. */
static pid_t start_reader(struct test_ring *b, uint64_t last, int end)
{
	struct ashm_ring *ring;
	struct ashm_reader *r;
	struct ashm_frame f;
	pid_t pid;
	int ret;

	pid = fork();
	if (pid)
		return pid;
	ring = attach(b);
	CHILD_CHECK(ring);
	CHILD_CHECK(!ashm_ring_reader(ring, 0, &r));
	memset(&f, 0, sizeof(f));
	do {
		ret = get(r, FRAME, &f, -1);
	} while (!ret);
	CHILD_CHECK(ret == end);
	CHILD_CHECK(f.seq == last);
	_exit(0);
}

/* Kills it, asleep; then a reader that sleeps must wake, and a new writer work. */
static void writer_killed(struct __test_metadata *_metadata, uint32_t flags)
{
	struct ashm_ring_stat st;
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;
	pid_t writer, reader[2];
	uint64_t last;
	long start;
	int deed, late = 0;

	for (deed = 0; deed < STATES; deed++) {
		/* A finished frame counts, even if the head is behind. */
		last = deed == UNPUBLISHED ? 3 : 2;
		ASSERT_EQ(0, ring_new(&b, FRAME, SLOTS, flags, 0));
		ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
		writer = start_writer(&b, deed);
		ASSERT_GT(writer, 0);
		ASSERT_TRUE(await_head(&b, 2));
		if (deed == WRITING || deed == HALF_WRITTEN)
			while ((atomic_load(&raw_slot(&b, 3)->state) &
				SLOT_STATES) != SLOT_WRITING)
				nap_ms(1);
		else
			nap_ms(20);
		reader[0] = start_reader(&b, last, -EOWNERDEAD);
		reader[1] = start_reader(&b, last, -EOWNERDEAD);
		ASSERT_GT(reader[0], 0);
		ASSERT_GT(reader[1], 0);
		ASSERT_TRUE(sleeper_on(&raw_header(&b)->writer.bell));
		nap_ms(20);
		start = now_ms();
		ASSERT_EQ(0, kill(writer, SIGKILL));
		EXPECT_EQ(0, wait_child(reader[0]));
		EXPECT_EQ(0, wait_child(reader[1]));
		late += now_ms() - start >= SOON_MS;
		EXPECT_EQ(128 + SIGKILL, wait_child(writer));

		for (last = 1; !get(r, FRAME, &f, 0); last++)
			EXPECT_EQ(last, f.seq);
		EXPECT_EQ(deed == UNPUBLISHED ? 4 : 3, last);
		EXPECT_EQ(-EOWNERDEAD, get(r, FRAME, &f, -1));
		EXPECT_EQ(0, ashm_ring_stat(b.ring, &st));
		EXPECT_EQ(ASHM_WRITER_DIED, st.writer);
		/* The numbers continue, and nothing of the half frame is left. */
		ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
		EXPECT_EQ(0, ashm_ring_stat(b.ring, &st));
		EXPECT_EQ(ASHM_WRITER_ALIVE, st.writer);
		EXPECT_EQ(2, st.generation);
		EXPECT_EQ(last - 1, st.frames);
		EXPECT_EQ(-EAGAIN, get(r, FRAME, &f, 0));
		EXPECT_EQ(0, put(w, 10, last, 0));
		EXPECT_EQ(0, get(r, FRAME, &f, 0));
		EXPECT_EQ(last, f.seq);
		EXPECT_EQ(2, f.generation);
		ashm_ring_writer_close(w);
		ashm_ring_reader_close(r);
		ring_free(&b);
	}
	EXPECT_GE(MAY_BE_LATE, late);
}

TEST_F(lib, writer_killed_at)
{
	writer_killed(_metadata, 0);
}

/* What it finished counts, though only the header says so. */
TEST_F(lib, writer_killed_unchecked)
{
	writer_killed(_metadata, ASHM_RING_UNCHECKED);
}

/* Other ways to go without closing. */
TEST_F(lib, writer_ends)
{
	static char *const argv[] = { "/proc/self/exe", "-l", NULL };
	struct ashm_ring *ring;
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;
	pid_t child;
	int way, fds[2], late = 0;
	long start;

	for (way = 0; way < 3; way++) {
		ASSERT_EQ(0, ring_new(&b, FRAME, SLOTS, 0, 0));
		ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
		ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
		child = fork();
		ASSERT_GE(child, 0);
		if (!child) {
			char byte;

			ring = attach(&b);
			CHILD_CHECK(ring && !ashm_ring_writer(ring, &w));
			CHILD_CHECK(!put(w, FRAME, 1, 0));
			close(fds[1]);
			CHILD_CHECK(read(fds[0], &byte, 1) == 1);
			switch (way) {
			case 0:
				_exit(0);
			case 1:
				abort();
			default:
				/* Executing another program is an end, too. */
				dup2(open("/dev/null", O_WRONLY), 1);
				dup2(1, 2);
				execv(argv[0], argv);
				_exit(1);
			}
		}
		EXPECT_EQ(0, get(r, FRAME, &f, 30000));
		EXPECT_EQ(-ETIMEDOUT, get(r, FRAME, &f, 20));
		start = now_ms();
		ASSERT_EQ(1, write(fds[1], "x", 1));
		EXPECT_EQ(-EOWNERDEAD, get(r, FRAME, &f, 30000));
		late += now_ms() - start >= SOON_MS;
		wait_child(child);
		close(fds[0]);
		close(fds[1]);
		ashm_ring_reader_close(r);
		ring_free(&b);
	}
	EXPECT_GE(MAY_BE_LATE, late);
}

/* A stopped process isn't dead. */
TEST_F(lib, writer_stopped)
{
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;
	pid_t writer;

	ASSERT_EQ(0, ring_new(&b, FRAME, SLOTS, 0, 0));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	writer = start_writer(&b, WRITING);
	ASSERT_GT(writer, 0);
	ASSERT_TRUE(await_head(&b, 2));
	ASSERT_EQ(0, kill(writer, SIGSTOP));
	EXPECT_EQ(0, get(r, FRAME, &f, 0));
	EXPECT_EQ(0, get(r, FRAME, &f, 0));
	EXPECT_EQ(-ETIMEDOUT, get(r, FRAME, &f, 100));
	EXPECT_EQ(-EBUSY, ashm_ring_writer(b.ring, &w));
	EXPECT_EQ(0, ashm_ring_await_writer(b.ring, 0));
	ASSERT_EQ(0, kill(writer, SIGKILL));
	EXPECT_EQ(-EOWNERDEAD, get(r, FRAME, &f, 30000));
	EXPECT_EQ(128 + SIGKILL, wait_child(writer));
	ashm_ring_reader_close(r);
	ring_free(&b);
}

static void wait_for_the_end(const struct test_ring *b)
{
	struct ashm_reader *r;
	struct ashm_ring *ring;
	struct ashm_frame f;

	CHILD_CHECK(!ashm_ring_attach(ashm_fd(b->region), ASHM_ATTACH_READONLY, &ring));
	CHILD_CHECK(!ashm_ring_reader(ring, 0, &r));
	CHILD_CHECK(!get(r, FRAME, &f, 0) && !get(r, FRAME, &f, 0));
	CHILD_CHECK(get(r, FRAME, &f, 30000) == -EOWNERDEAD);
	_exit(0);
}

/* The kernel wakes one of them. It can't write, but wakes the others. */
TEST_F(lib, many_readers_of_a_dead_writer)
{
	enum { READERS = 4, ROUNDS = 2 };
	pid_t writer, reader[READERS];
	int round, i, late = 0;
	struct test_ring b;
	long start;

	for (round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, ring_new(&b, FRAME, SLOTS, ASHM_RING_READONLY, 0));
		writer = start_writer(&b, IDLE);
		ASSERT_GT(writer, 0);
		ASSERT_TRUE(await_head(&b, 2));
		for (i = 0; i < READERS; i++) {
			reader[i] = fork();
			ASSERT_GE(reader[i], 0);
			if (!reader[i])
				wait_for_the_end(&b);
			/* They look by themselves once a second, not all at the same time. */
			nap_ms(150);
		}
		start = now_ms();
		ASSERT_EQ(0, kill(writer, SIGKILL));
		for (i = 0; i < READERS; i++)
			EXPECT_EQ(0, wait_child(reader[i]));
		late += now_ms() - start >= SOON_MS / 2;
		EXPECT_EQ(128 + SIGKILL, wait_child(writer));
		ring_free(&b);
	}
	EXPECT_GE(MAY_BE_LATE, late);
}

/* A reader that stays for the next writer. */
TEST_F(lib, await_successor)
{
	struct ashm_writer *w;
	struct test_ring b;
	pid_t writer, reader;

	ASSERT_EQ(0, ring_new(&b, FRAME, SLOTS, 0, 0));
	writer = start_writer(&b, IDLE);
	ASSERT_GT(writer, 0);
	ASSERT_TRUE(await_head(&b, 2));
	reader = fork();
	ASSERT_GE(reader, 0);
	if (!reader) {
		struct ashm_ring *ring = attach(&b);
		struct ashm_reader *r;
		struct ashm_frame f;

		CHILD_CHECK(ring && !ashm_ring_reader(ring, 0, &r));
		CHILD_CHECK(!get(r, FRAME, &f, 0) && !get(r, FRAME, &f, 0));
		CHILD_CHECK(get(r, FRAME, &f, -1) == -EOWNERDEAD);
		CHILD_CHECK(!ashm_ring_await_writer(ring, 30000));
		CHILD_CHECK(!get(r, FRAME, &f, 30000));
		CHILD_CHECK(f.seq == 3 && f.generation == 2);
		_exit(0);
	}
	ASSERT_TRUE(sleeper_on(&raw_header(&b)->writer.bell));
	kill(writer, SIGKILL);
	wait_child(writer);
	nap_ms(100);
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	EXPECT_EQ(0, put(w, FRAME, 3, 0));
	EXPECT_EQ(0, wait_child(reader));
	ashm_ring_writer_close(w);
	ring_free(&b);
}

/* The slowest reader goes: a writer that sleeps for it must wake. */
TEST_F(lib, reader_killed)
{
	struct ashm_writer *w;
	struct test_ring b;
	pid_t reader, killer;
	long start;
	int round, i, joined[2], late = 0;
	struct ashm_ring_stat st;
	char byte;

	ASSERT_EQ(0, ring_new(&b, FRAME, SLOTS, ASHM_RING_WAIT, 1));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	for (round = 0; round < 3; round++) {
		ASSERT_EQ(0, pipe(joined));
		reader = fork();
		ASSERT_GE(reader, 0);
		if (!reader) {
			struct ashm_ring *ring = attach(&b);
			struct ashm_reader *r;

			CHILD_CHECK(ring);
			CHILD_CHECK(!ashm_ring_reader(ring, ASHM_READER_NEWEST,
						      &r));
			CHILD_CHECK(write(joined[1], "", 1) == 1);
			for (;;)
				pause();
		}
		close(joined[1]);
		ASSERT_EQ(1, read(joined[0], &byte, 1));
		close(joined[0]);
		for (i = 0; i < SLOTS; i++) {
			ASSERT_EQ(0, put(w, FRAME, 1, 0));
		}
		EXPECT_EQ(-EAGAIN, put(w, FRAME, 1, 0));
		ASSERT_EQ(0, ashm_ring_stat(b.ring, &st));
		EXPECT_EQ(1, st.readers);
		killer = fork();
		ASSERT_GE(killer, 0);
		if (!killer) {
			CHILD_CHECK(sleeper_on(&raw_header(&b)->writer.room));
			nap_ms(20);
			kill(reader, SIGKILL);
			_exit(0);
		}
		start = now_ms();
		EXPECT_EQ(-EPIPE, put(w, FRAME, 1, -1));
		late += now_ms() - start >= SOON_MS;
		EXPECT_EQ(0, wait_child(killer));
		EXPECT_EQ(128 + SIGKILL, wait_child(reader));
		/* Its place is free again, though there was only one. */
	}
	EXPECT_GE(MAY_BE_LATE, late);
	/* Dead readers don't count, even if no writer has removed them. */
	raw_header(&b)->party[1].owner = FUTEX_OWNER_DIED;
	ASSERT_EQ(0, ashm_ring_stat(b.ring, &st));
	EXPECT_EQ(0, st.readers);
	ashm_ring_writer_close(w);
	ring_free(&b);
}

/* A peer in another pid namespace cannot use ids, but detects a death. */
/* Waits until this process has that many threads; a joined one may still be listed. */
static bool has_threads(int count)
{
	int tries, now = 0;
	DIR *dir;

	for (tries = 0; tries < 200; tries++) {
		dir = opendir("/proc/self/task");
		if (!dir)
			return false;
		for (now = -2; readdir(dir); now++)
			;
		closedir(dir);
		if (now == count)
			return true;
		nap_ms(5);
	}
	return false;
}

/* Takes all places of a ring; 0 or why not. */
static int take_all(struct test_ring *b)
{
	struct ashm_reader *r;
	struct ashm_writer *w;
	int ret = ashm_ring_writer(b->ring, &w);

	while (!ret)
		ret = ashm_ring_reader(b->ring, 0, &r);
	return ret == -EUSERS ? 0 : ret;
}

/* The kernel only tells of the first 2048 claims of a process: no more are made. */
TEST_F(lib, many_claims)
{
	struct test_ring first, next;
	struct ashm_ring_stat stat;
	int ret, status;
	pid_t pid;

	NO_TSAN();
	ASSERT_EQ(0, ring_new(&first, FRAME, SLOTS, ASHM_RING_WAIT, ASHM_RING_READERS_MAX));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		first.ring = attach(&first);
		CHILD_CHECK(first.ring);
		for (ret = take_all(&first); !ret; ret = take_all(&next))
			CHILD_CHECK(!ring_new(&next, FRAME, SLOTS, ASHM_RING_WAIT,
					      ASHM_RING_READERS_MAX));
		CHILD_CHECK(ret == -EAGAIN);
		raise(SIGSTOP);
		_exit(1);
	}
	/* Valgrind looks for leaks if a process kills itself. */
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, wait_child(pid));
	ASSERT_EQ(0, ashm_ring_stat(first.ring, &stat));
	EXPECT_EQ(ASHM_WRITER_DIED, stat.writer);
	EXPECT_EQ(0, stat.readers);
	ring_free(&first);
}

/* The guardian exists as long as there is something to guard. */
TEST(guardian)
{
	struct ashm_writer *one, *two;
	struct test_ring b, c;

	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "memfd", 1));
	ASSERT_EQ(0, ring_new(&b, FRAME, SLOTS, 0, 0));
	ASSERT_EQ(0, ring_new(&c, FRAME, SLOTS, 0, 0));
	if (!has_threads(1))
		SKIP(return, "this process has other threads");
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &one));
	ASSERT_EQ(0, ashm_ring_writer(c.ring, &two));
	EXPECT_TRUE(has_threads(2));
	ashm_ring_writer_close(one);
	EXPECT_TRUE(has_threads(2));
	ashm_ring_writer_close(two);
	EXPECT_TRUE(has_threads(1));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &one));
	EXPECT_TRUE(has_threads(2));
	ashm_ring_writer_close(one);
	EXPECT_TRUE(has_threads(1));
	ring_free(&b);
	ring_free(&c);
}

/* The C library takes these from each thread's stack: there is no room for more. */
__thread char variables[1 << 20];

TEST(guardian_beside_large_variables)
{
	struct ashm_writer *w;
	struct test_ring b;

	variables[0] = 1;
	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "memfd", 1));
	ASSERT_EQ(0, ring_new(&b, FRAME, SLOTS, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ashm_ring_writer_close(w);
	ring_free(&b);
}

static _Atomic int signals;

static void count_signal(int sig)
{
	(void)sig;
	signals++;
}

/* A signal that all threads of the program block stays pending. */
TEST(guardian_and_signals)
{
	struct ashm_writer *w;
	struct test_ring b;
	sigset_t set;

	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "memfd", 1));
	ASSERT_EQ(0, ring_new(&b, FRAME, SLOTS, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_NE(SIG_ERR, signal(SIGUSR1, count_signal));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	ASSERT_EQ(0, kill(getpid(), SIGUSR1));
	nap_ms(100);
	EXPECT_EQ(0, signals);
	ASSERT_EQ(0, sigprocmask(SIG_UNBLOCK, &set, NULL));
	EXPECT_EQ(1, signals);
	ashm_ring_writer_close(w);
	ring_free(&b);
}

/* Without futex_waitv() a reader still sleeps, and doesn't spin. */
TEST(without_waitv)
{
	struct rusage before, after;
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;

	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "memfd", 1));
	ASSERT_EQ(0, ring_new(&b, FRAME, SLOTS, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	FORBID(449, 0, 0, 0, ENOSYS);
	getrusage(RUSAGE_SELF, &before);
	EXPECT_EQ(-ETIMEDOUT, get(r, FRAME, &f, 1000));
	getrusage(RUSAGE_SELF, &after);
	/* Spinning would take most of the second. */
	EXPECT_LT(cpu_ms(&after) - cpu_ms(&before), 300);
	ashm_ring_reader_close(r);
	ashm_ring_writer_close(w);
	ring_free(&b);
}

TEST_F(lib, pid_namespace)
{
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;
	pid_t outer, writer;

	ASSERT_EQ(0, ring_new(&b, FRAME, SLOTS, 0, 0));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	outer = fork();
	ASSERT_GE(outer, 0);
	if (!outer) {
		if (unshare(CLONE_NEWPID))
			_exit(4);
		writer = start_writer(&b, WRITING);
		CHILD_CHECK(writer > 0);
		CHILD_CHECK(await_head(&b, 2));
		CHILD_CHECK(sleeper_on(&raw_header(&b)->writer.bell));
		kill(writer, SIGKILL);
		_exit(wait_child(writer) == 128 + SIGKILL ? 0 : 1);
	}
	if (!await_head(&b, 2) && wait_child(outer) == 4)
		SKIP(return, "no new pid namespace");
	EXPECT_EQ(0, get(r, FRAME, &f, 0));
	EXPECT_EQ(0, get(r, FRAME, &f, 0));
	EXPECT_EQ(-EOWNERDEAD, get(r, FRAME, &f, 30000));
	EXPECT_EQ(0, wait_child(outer));
	ashm_ring_reader_close(r);
	ring_free(&b);
}

/*
 * Killed anywhere, hundreds of times on one ring: each frame that is read is complete,
 * every gap in the numbers is reported, and every death is detected.
 */
static void random_kills(struct __test_metadata *_metadata, uint32_t flags)
{
	enum { ROUNDS = 120, LARGE = 20000 };
	uint64_t next = 1, seen = 0;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;
	struct rng rng = { rng_seed() };
	struct timespec ts = { 0 };
	uint32_t generation;
	int round, ret;
	pid_t child;

	TH_LOG("ASHMEM_SEED=%llu", (unsigned long long)rng.state);
	ASSERT_EQ(0, ring_new(&b, LARGE, SLOTS, flags, 0));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	for (round = 1; round <= ROUNDS; round++) {
		child = fork();
		ASSERT_GE(child, 0);
		if (!child) {
			struct ashm_ring *ring = attach(&b);
			struct ashm_writer *w;
			uint64_t tag = (uint64_t)round << 32;

			CHILD_CHECK(ring && !ashm_ring_writer(ring, &w));
			for (;;)
				CHILD_CHECK(!put(w, rng_below(&rng, LARGE), ++tag,
						 30000));
		}
		ASSERT_EQ(0, ashm_ring_await_writer(b.ring, 30000));
		ts.tv_nsec = rng_below(&rng, 1500) * 1000;
		if (flags || round & 1) {
			/* Reads at the same time. */
			ret = get(r, LARGE, &f, 30000);
			if (!ret) {
				ASSERT_EQ(next + f.missed, f.seq);
				next = f.seq + 1;
				seen++;
			}
		}
		nanosleep(&ts, NULL);
		ASSERT_EQ(0, kill(child, SIGKILL));
		generation = atomic_load(&raw_header(&b)->writer.generation);
		ASSERT_EQ((uint32_t)round, generation);
		for (;;) {
			ret = get(r, LARGE, &f, 30000);
			if (ret)
				break;
			ASSERT_EQ(next + f.missed, f.seq);
			next = f.seq + 1;
			seen++;
		}
		ASSERT_EQ(-EOWNERDEAD, ret);
		ASSERT_EQ(128 + SIGKILL, wait_child(child));
	}
	TH_LOG("%d writers killed, %llu frames read of %llu", ROUNDS,
	       (unsigned long long)seen, (unsigned long long)next - 1);
	EXPECT_GE(seen, (uint64_t)ROUNDS / 2);
	ashm_ring_reader_close(r);
	ring_free(&b);
}

TEST_F_TIMEOUT(lib, random_kills, 120)
{
	random_kills(_metadata, 0);
}

TEST_F_TIMEOUT(lib, random_kills_wait, 120)
{
	random_kills(_metadata, ASHM_RING_WAIT);
}

TEST_HARNESS_MAIN
