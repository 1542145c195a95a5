// SPDX-License-Identifier: GPL-2.0-only
/*
 * A peer stops for long, or dies, at any instruction of a call. It is traced once to
 * record its steps. Then it runs repeatedly up to one of them, others use the ring, and
 * it continues or is killed. ASHMEM_SEED repeats a run; STEP_STRIDE=1 stops at each
 * instruction.
 */
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include "kselftest_harness.h"
#include "lib_util.h"
#include "lib_both.h"
#include "frame_util.h"

#include "../frame/internal.h"

#include <linux/futex.h>

enum { FRAME = 8, SLOTS = 3, PLACES = 3, STEPS_MAX = 16384, BEHIND = 24 };

/* A user of the ring, in any process, and what it has read. */
struct player {
	struct ashm_ring *ring;
	struct ashm_writer *writer;
	struct ashm_reader *reader;
	int ret;
	uint64_t first, next;
	atomic_int thread;		/* what its second thread is to do, or has done */
};

struct stage {
	struct test_ring b;
	struct player *peer;		/* in memory that parent and child share */
	struct player own, late;		/* the parent's; one joins late */
	bool wait;
	pid_t pid;
};

/* The peer is stopped during @meddle; @after runs when it is done or dead. */
struct play {
	uint32_t flags;
	void (*setup)(struct __test_metadata *_metadata, struct stage *s);
	void (*ready)(struct player *peer);
	void (*act)(struct player *peer);
	void (*meddle)(struct __test_metadata *_metadata, struct stage *s);
	void (*after)(struct __test_metadata *_metadata, struct stage *s, bool over);
	bool killed;
	uint32_t stride;	/* at most so many instructions from stop to stop */
	void *behind;		/* each of the next instructions after this function was called */
	void *before;		/* each of the last ones before its first call */
};

static struct stage *now_playing;

/* Each frame matches its number. */
static int write_one(struct player *u)
{
	uint64_t seq = atomic_load(&raw_header(&now_playing->b)->writer.head) + 1;
	char buf[FRAME];

	frame_fill(buf, FRAME, seq);
	return ashm_frame_write(u->writer, buf, FRAME, seq, 0);
}

/* Reads what is there, in order and whole; why there is no more. */
static int read_on(struct player *u)
{
	struct ashm_frame f;
	char buf[FRAME];
	int ret;

	for (;;) {
		ret = ashm_frame_read(u->reader, buf, FRAME, &f, 0);
		if (ret)
			return ret;
		if (!frame_filled(buf, FRAME, f.seq) || f.tag != f.seq)
			return -EILSEQ;
		if (!u->first)
			u->first = f.seq;
		else if (f.seq != u->next + f.missed)
			return -ENOTUNIQ;
		if (f.missed && now_playing->wait)
			return -EXDEV;
		u->next = f.seq + 1;
	}
}

static void join_late(struct __test_metadata *_metadata, struct stage *s)
{
	s->late.ring = s->b.ring;
	ASSERT_EQ(0, ashm_ring_reader(s->b.ring, 0, &s->late.reader));
}

/* Writes as much as goes, @count at most; all readers of this process read on. */
static int traffic(struct __test_metadata *_metadata, struct stage *s, int count)
{
	int done, ret;

	for (done = 0; done < count; done++) {
		ret = write_one(&s->own);
		if (ret)
			EXPECT_EQ(-EAGAIN, ret);
		EXPECT_EQ(-EAGAIN, read_on(&s->own));
		if (s->late.reader)
			EXPECT_EQ(-EAGAIN, read_on(&s->late));
		if (ret)
			break;
	}
	return done;
}

/* ---- the peer ---- */

static void attach(struct player *u)
{
	CHILD_CHECK(!ashm_ring_attach(ashm_fd(now_playing->b.region), 0, &u->ring));
}

/* With a guardian, so that joining does not mostly consist of starting a thread. */
static void attach_guarded(struct player *u)
{
	struct ashm_writer *writer;
	struct test_ring other;

	attach(u);
	CHILD_CHECK(!ring_new(&other, 8, 2, 0, 0));
	CHILD_CHECK(!ashm_ring_writer(other.ring, &writer));
}

static void play_peer(const struct play *play, struct player *peer)
{
	play->ready(peer);
	if (ptrace(PTRACE_TRACEME, 0, 0, 0))
		_exit(4);
	raise(SIGSTOP);
	play->act(peer);
	raise(SIGSTOP);
	if (peer->reader)
		peer->ret = read_on(peer);
	_exit(0);
}

/* Waits for the peer to stop; true if it stopped itself, which ends its call. */
static bool stopped(struct __test_metadata *_metadata, struct stage *s)
{
	int status;

	ASSERT_EQ(s->pid, waitpid(s->pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	return WSTOPSIG(status) == SIGSTOP;
}

#ifdef __x86_64__
#define PC		offsetof(struct user, regs.rip)
#elif defined(__i386__)
#define PC		offsetof(struct user, regs.eip)
#endif

/* Where the steps of the call lead to. */
static unsigned long places[STEPS_MAX];
static bool breakpoints;

static bool take_step(struct __test_metadata *_metadata, struct stage *s)
{
	ASSERT_EQ(0, ptrace(PTRACE_SINGLESTEP, s->pid, 0, 0));
	return stopped(_metadata, s);
}

/* How many steps the call takes. */
static size_t record(struct __test_metadata *_metadata, struct stage *s)
{
	size_t steps = 0;

	do {
		ASSERT_GT(STEPS_MAX, steps);
#ifdef PC
		places[steps] = (unsigned long)ptrace(PTRACE_PEEKUSER, s->pid, PC, 0);
#endif
		steps++;
	} while (!take_step(_metadata, s));
	return steps;
}

/* Or removes it, with a @place of 0. */
static void set_breakpoint(struct stage *s, unsigned long place)
{
#ifdef PC
	ptrace(PTRACE_POKEUSER, s->pid, offsetof(struct user, u_debugreg[0]), place);
	ptrace(PTRACE_POKEUSER, s->pid, offsetof(struct user, u_debugreg[7]), !!place);
#else
	(void)s;
	(void)place;
#endif
}

/* Some virtual machines have breakpoints that stop nothing. */
static bool breakpoints_work(struct __test_metadata *_metadata)
{
	struct stage s = { .pid = fork() };
	bool work;

	if (!s.pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		getppid();
		raise(SIGSTOP);
	}
	ASSERT_TRUE(stopped(_metadata, &s));
	set_breakpoint(&s, (unsigned long)getppid);
	ptrace(PTRACE_CONT, s.pid, 0, 0);
	work = !stopped(_metadata, &s);
	kill(s.pid, SIGKILL);
	wait_child(s.pid);
	return work;
}

/* How often the call was at the place of that step before. */
static size_t passes(size_t step)
{
	size_t i, before = 0;

	for (i = 1; i < step; i++)
		before += places[i] == places[step];
	return before;
}

static bool behind(const struct play *play, size_t step, size_t first)
{
	size_t i;

	for (i = step; play->behind && i && step - i < BEHIND; i--)
		if (places[i] == (unsigned long)play->behind)
			return true;
	return play->before && step < first && first - step < 8 * BEHIND;
}

/* Runs up to that step; true if the call returned before. */
static bool go_to(struct __test_metadata *_metadata, struct stage *s, size_t step)
{
	size_t before = passes(step);
	bool over;

	if (!breakpoints) {
		while (step--)
			if (take_step(_metadata, s))
				return true;
		return false;
	}
	if (!step)
		return false;
	do {
		set_breakpoint(s, places[step]);
		ASSERT_EQ(0, ptrace(PTRACE_CONT, s->pid, 0, 0));
		over = stopped(_metadata, s);
		set_breakpoint(s, 0);
		if (over || !before--)
			return over;
	} while (!take_step(_metadata, s));
	return true;
}

static void end_peer(struct __test_metadata *_metadata, struct stage *s, bool killed)
{
	if (killed) {
		kill(s->pid, SIGKILL);
		EXPECT_EQ(128 + SIGKILL, wait_child(s->pid));
		return;
	}
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, s->pid, 0, 0));
	EXPECT_EQ(0, wait_child(s->pid));
}

/* ---- the test ---- */

static void set_stage(struct __test_metadata *_metadata, struct stage *s,
		      const struct play *play)
{
	struct player *peer = s->peer;

	memset(s, 0, sizeof(*s));
	memset(peer, 0, sizeof(*peer));
	s->peer = peer;
	s->wait = play->flags & ASHM_RING_WAIT;
	ASSERT_EQ(0, ring_new(&s->b, FRAME, SLOTS, play->flags, s->wait ? PLACES : 0));
	now_playing = s;
	if (play->setup)
		play->setup(_metadata, s);
	s->pid = fork();
	ASSERT_GE(s->pid, 0);
	if (!s->pid)
		play_peer(play, peer);
}

static void clear_stage(struct stage *s)
{
	ashm_ring_reader_close(s->late.reader);
	ashm_ring_reader_close(s->own.reader);
	ashm_ring_writer_close(s->own.writer);
	ring_free(&s->b);
}

/* One run; a @step of 0 counts the steps. */
static size_t perform(struct __test_metadata *_metadata, struct stage *s,
		      const struct play *play, size_t step)
{
	size_t steps = 0;
	bool over;

	set_stage(_metadata, s, play);
	ASSERT_TRUE(stopped(_metadata, s));
	if (s->own.reader)
		read_on(&s->own);
	if (!step) {
		steps = record(_metadata, s);
		over = true;
	} else {
		over = go_to(_metadata, s, step - 1);
	}
	if (play->meddle)
		play->meddle(_metadata, s);
	if (play->killed) {
		end_peer(_metadata, s, true);
	} else if (!over) {
		ASSERT_EQ(0, ptrace(PTRACE_CONT, s->pid, 0, 0));
		ASSERT_TRUE(stopped(_metadata, s));
	}
	play->after(_metadata, s, over);
	if (!play->killed)
		end_peer(_metadata, s, false);
	clear_stage(s);
	return steps;
}

static void perform_all(struct __test_metadata *_metadata, const struct play *play)
{
	const char *env = getenv("STEP_STRIDE");
	uint32_t stride = env ? (uint32_t)atoi(env) : play->stride ? play->stride : 24;
	struct rng rng = { rng_seed() };
	size_t steps, at, next = 1, shows = 0, first = 0;
	long start = now_ms();
	struct stage s;

#ifdef PC
	/* Then the checksum is 10,000 instructions, too many for an emulated machine. */
	if (!__builtin_cpu_supports("sse4.2"))
		SKIP(return, "no SSE4.2 here");
#endif
	TH_LOG("ASHMEM_SEED=%llu", (unsigned long long)rng.state);
	breakpoints = breakpoints_work(_metadata);

	s.peer = mmap(NULL, page_size(), PROT_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, s.peer);
	steps = perform(_metadata, &s, play, 0);
	while (first < steps && places[first] != (unsigned long)play->before)
		first++;
	for (at = 1; at <= steps; at++) {
		if (at < next && !behind(play, at - 1, first))
			continue;
		/* Only the first rounds of a loop: the others are the same. */
		if (at >= next)
			next = at + 1 + rng_below(&rng, stride);
		if (passes(at - 1) > 2)
			continue;
		perform(_metadata, &s, play, at);
		shows++;
		/* An emulated machine is too slow for as many. */
		if (!env && now_ms() - start > 1000)
			stride = 200;
	}
	TH_LOG("stopped at %zu of %zu instructions", shows, steps);
	munmap(s.peer, page_size());
}

/* ---- setups ---- */

/* The parent has both roles; seven frames were written. */
static void both_own(struct __test_metadata *_metadata, struct stage *s)
{
	s->own.ring = s->b.ring;
	ASSERT_EQ(0, ashm_ring_writer(s->b.ring, &s->own.writer));
	ASSERT_EQ(0, ashm_ring_reader(s->b.ring, 0, &s->own.reader));
	ASSERT_EQ(7, traffic(_metadata, s, 7));
}

/* Frames without a reader; place 1 was that of a reader that died before frame @DEAD. */
enum { DEAD = 100, THERE = 2 };

static void frames_left(struct __test_metadata *_metadata, struct stage *s)
{
	ASSERT_EQ(0, ashm_ring_writer(s->b.ring, &s->own.writer));
	ASSERT_EQ(0, write_one(&s->own));
	ASSERT_EQ(0, write_one(&s->own));
	ashm_ring_writer_close(s->own.writer);
	s->own.writer = NULL;
	raw_header(&s->b)->party[1].next = DEAD;
}

static void reader_own(struct __test_metadata *_metadata, struct stage *s)
{
	ASSERT_EQ(0, ashm_ring_reader(s->b.ring, 0, &s->own.reader));
}

/* A writer that died in the middle of frame 8. */
static void dead_writer(struct __test_metadata *_metadata, struct stage *s)
{
	void *data;

	both_own(_metadata, s);
	ASSERT_EQ(0, ashm_frame_begin(s->own.writer, FRAME, &data, 0));
	memset(data, 'x', FRAME / 2);
	atomic_store(&raw_header(&s->b)->writer.owner, FUTEX_OWNER_DIED);
	ashm_ring_writer_close(s->own.writer);
	s->own.writer = NULL;
}

/* ---- what the peer does ---- */

static void join(struct player *peer)
{
	peer->ret = ashm_ring_reader(peer->ring, 0, &peer->reader);
}

static void reader_ready(struct player *peer)
{
	attach(peer);
	CHILD_CHECK(!ashm_ring_reader(peer->ring, 0, &peer->reader));
}

/* All that is there. */
static void reader_read(struct player *peer)
{
	reader_ready(peer);
	CHILD_CHECK(read_on(peer) == -EPIPE && peer->next == THERE + 1);
}

static void read_two(struct player *peer)
{
	struct ashm_frame f;
	char buf[FRAME];
	int i;

	for (i = 0; i < 2; i++) {
		peer->ret = ashm_frame_read(peer->reader, buf, FRAME, &f, 0);
		/* It may be so far behind that only one was left. */
		if (peer->ret == -EAGAIN && i && !now_playing->wait)
			break;
		CHILD_CHECK(!peer->ret && frame_filled(buf, FRAME, f.seq));
		peer->first = f.seq;
		peer->next = f.seq + 1;
	}
}

/* Or nothing, if the ring was recreated. */
static void read_next(struct player *peer)
{
	struct ashm_frame f;
	char buf[FRAME];

	ashm_frame_read(peer->reader, buf, FRAME, &f, 0);
}

static void leave(struct player *peer)
{
	ashm_ring_reader_close(peer->reader);
	peer->reader = NULL;
}

/* Three frames, which fill the ring. */
static void writer_ready(struct player *peer)
{
	attach(peer);
	CHILD_CHECK(!ashm_ring_writer(peer->ring, &peer->writer));
	CHILD_CHECK(!write_one(peer) && !write_one(peer) && !write_one(peer));
}

static void write_two(struct player *peer)
{
	peer->ret = write_one(peer);
	/* No room if a reader has joined. */
	if (!peer->ret)
		write_one(peer);
}

static void succeed(struct player *peer)
{
	peer->ret = ashm_ring_writer(peer->ring, &peer->writer);
}

static void visit_as_writer(struct player *peer)
{
	succeed(peer);
	ashm_ring_writer_close(peer->writer);
}

static void visit_as_reader(struct player *peer)
{
	join(peer);
	leave(peer);
}

static void close_writer(struct player *peer)
{
	void *data;

	CHILD_CHECK(!ashm_frame_begin(peer->writer, FRAME, &data, 0));
	ashm_ring_writer_close(peer->writer);
}

static int recreate_guarded(struct stage *s, struct ashm_ring **ring)
{
	struct ashm_ring_config config = {
		.frame_max = FRAME, .slots = SLOTS, .flags = ASHM_RING_WAIT, .readers = PLACES,
	};

	return ashm_ring_create(ashm_fd(s->b.region), &config, ring);
}

/* A thread that isn't traced: it recreates the ring and joins when it is told to. */
static void *second_thread(void *arg)
{
	struct player *peer = arg;
	struct ashm_reader *reader;
	struct ashm_ring *ring;
	int ret;

	while (!peer->thread)
		nap_ms(1);
	ret = recreate_guarded(now_playing, &ring);
	if (!ret)
		ret = ashm_ring_reader(ring, 0, &reader);
	peer->thread = ret;
	return NULL;
}

static void reader_and_thread(struct player *peer)
{
	pthread_t thread;

	reader_ready(peer);
	CHILD_CHECK(!pthread_create(&thread, NULL, second_thread, peer));
}

static void create(struct player *peer)
{
	struct ashm_ring_config config = { .frame_max = FRAME, .slots = 2 };

	peer->ret = ashm_ring_create(ashm_fd(now_playing->b.region), &config,
				     &peer->ring);
}

/* ---- what others do ---- */

static void go_on(struct __test_metadata *_metadata, struct stage *s)
{
	traffic(_metadata, s, 4);
}

static void ring_bell(struct player *peer)
{
	CHILD_CHECK(peer->ring);
	libashmem_ring_bell(&raw_header(&now_playing->b)->writer.bell, true);
}

static uint32_t asleep_on;

/* The bell rings for a task that sleeps, then for one that has not gone to sleep yet. */
static void ring_twice(struct __test_metadata *_metadata, struct stage *s)
{
	_Atomic uint32_t *bell = &raw_header(&s->b)->writer.bell;

	(void)_metadata;
	libashmem_ring_bell(bell, true);
	asleep_on = libashmem_arm(bell);
	libashmem_ring_bell(bell, false);
}

/* Unless the peer is the writer. */
static void recreate(struct __test_metadata *_metadata, struct stage *s)
{
	struct ashm_ring *ring;
	int ret = recreate_guarded(s, &ring);

	if (ret) {
		EXPECT_EQ(-EBUSY, ret);
		return;
	}
	ashm_ring_detach(s->b.ring);
	s->b.ring = ring;
}

/* In the place that the peer has, or had in the ring before; reads some frames. */
static void replace_after(struct __test_metadata *_metadata, struct stage *s, int frames)
{
	recreate(_metadata, s);
	s->own.ring = s->b.ring;
	ASSERT_EQ(0, ashm_ring_writer(s->b.ring, &s->own.writer));
	ASSERT_EQ(0, ashm_ring_reader(s->b.ring, 0, &s->own.reader));
	ASSERT_EQ(frames, traffic(_metadata, s, frames));
}

static void replace(struct __test_metadata *_metadata, struct stage *s)
{
	replace_after(_metadata, s, 7);
}

/* It wants the very frame that the peer wants. */
static void replace_alike(struct __test_metadata *_metadata, struct stage *s)
{
	replace_after(_metadata, s, THERE);
}

static void claim(struct __test_metadata *_metadata, struct stage *s)
{
	(void)_metadata;
	s->own.ring = s->b.ring;
	s->own.ret = ashm_ring_writer(s->b.ring, &s->own.writer);
}

/* The peer's second thread may have to wait for the first. */
static void replace_by_thread(struct __test_metadata *_metadata, struct stage *s)
{
	int tries;

	(void)_metadata;
	s->peer->thread = 1;
	for (tries = 0; tries < 10 && s->peer->thread == 1; tries++)
		nap_ms(2);
}

/* Two calls that create a ring at the same time. */
static void create_beside(struct __test_metadata *_metadata, struct stage *s)
{
	(void)_metadata;
	s->own.ret = recreate_guarded(s, &s->own.ring);
}

/* ---- what must be true then ---- */

/* A task that sleeps now is on another value. */
static void counted(struct __test_metadata *_metadata, struct stage *s, bool over)
{
	(void)over;
	EXPECT_NE(asleep_on, libashmem_arm(&raw_header(&s->b)->writer.bell));
}

static void first_asleep(struct __test_metadata *_metadata, struct stage *s)
{
	(void)_metadata;
	libashmem_arm(&raw_header(&s->b)->writer.bell);
}

/* A visit that began in the ring before leaves nothing in this one. */
static void vacant(struct __test_metadata *_metadata, struct stage *s, bool over)
{
	struct ashm_ring_stat stat;

	(void)over;
	ASSERT_EQ(0, ashm_ring_stat(s->b.ring, &stat));
	EXPECT_NE(ASHM_WRITER_ALIVE, stat.writer);
	EXPECT_EQ(0, stat.readers);
	both_own(_metadata, s);
}

/* What the peer did in the ring before concerns no one in this one. */
static void replaced(struct __test_metadata *_metadata, struct stage *s, bool over)
{
	(void)over;
	EXPECT_EQ(s->own.next, raw_header(&s->b)->party[1].next);
	EXPECT_EQ(7, traffic(_metadata, s, 7));
}

/* A reader that finds no frame repeats its wish. */
static void healed(struct __test_metadata *_metadata, struct stage *s, bool over)
{
	struct ashm_frame f;
	char buf[FRAME];

	EXPECT_EQ(-EAGAIN, ashm_frame_read(s->own.reader, buf, FRAME, &f, 0));
	replaced(_metadata, s, over);
}

static void not_joined(struct __test_metadata *_metadata, struct stage *s, bool over)
{
	EXPECT_EQ(0, raw_joins(&s->b));
	vacant(_metadata, s, over);
}

/* The reader of the thread has its place. */
static void thread_joined(struct __test_metadata *_metadata, struct stage *s, bool over)
{
	int tries;

	(void)_metadata;
	(void)over;
	for (tries = 0; tries < 1000 && s->peer->thread == 1; tries++)
		nap_ms(2);
	EXPECT_EQ(0, s->peer->thread);
	EXPECT_TRUE(libashmem_guard_alive(raw_header(&s->b)->party[1].owner));
}

/* The peer made no ring in place of one that has a writer. */
static void claimed(struct __test_metadata *_metadata, struct stage *s, bool over)
{
	struct ashm_ring_stat stat;

	EXPECT_EQ(s->own.ret ? 0 : -EBUSY, s->peer->ret);
	if (over)
		EXPECT_EQ(-ESTALE, s->own.ret);
	if (s->own.ret) {
		EXPECT_EQ(-ESTALE, ashm_ring_stat(s->b.ring, &stat));
		return;
	}
	EXPECT_EQ(0, ashm_ring_stat(s->b.ring, &stat));
	EXPECT_EQ(THERE, stat.frames);
	ASSERT_EQ(0, ashm_ring_reader(s->b.ring, 0, &s->own.reader));
	EXPECT_EQ(7, traffic(_metadata, s, 7));
}

/* The peer has joined: it reads all from its first frame on, when it continues. */
static void joined(struct __test_metadata *_metadata, struct stage *s, bool over)
{
	uint64_t wants = raw_header(&s->b)->party[2].next;

	EXPECT_EQ(0, s->peer->ret);
	/* All that were there when it had joined without being disturbed. */
	EXPECT_GE(wants, 5);
	if (over)
		EXPECT_EQ(5, wants);
	traffic(_metadata, s, 4);
	EXPECT_EQ(wants + SLOTS - 1, raw_header(&s->b)->writer.head);
}

/* The writer has only this process's reader to wait for. */
static void alone(struct __test_metadata *_metadata, struct stage *s, bool over)
{
	(void)over;
	EXPECT_EQ(6, traffic(_metadata, s, 6));
	/* The places of the dead are free. */
	join_late(_metadata, s);
	EXPECT_EQ(-EAGAIN, read_on(&s->late));
	EXPECT_EQ(6, traffic(_metadata, s, 6));
	EXPECT_EQ(s->own.next, s->late.next);
}

static void reads_on(struct __test_metadata *_metadata, struct stage *s, bool over)
{
	(void)over;
	EXPECT_EQ(s->wait ? 0 : s->peer->ret, s->peer->ret);
	traffic(_metadata, s, 2);
}

/* Either the writer saw the joining reader, or the reader saw the writer. */
static void wrote(struct __test_metadata *_metadata, struct stage *s, bool over)
{
	uint64_t head = raw_header(&s->b)->writer.head;
	struct player third = { .ring = s->b.ring };

	EXPECT_EQ(s->peer->ret ? -EAGAIN : 0, s->peer->ret);
	/* Frames that the writer kept exist for others, too. */
	ASSERT_EQ(0, ashm_ring_reader(s->b.ring, 0, &third.reader));
	EXPECT_EQ(-EAGAIN, read_on(&s->own));
	EXPECT_EQ(-EAGAIN, read_on(&s->late));
	EXPECT_EQ(-EAGAIN, read_on(&third));
	EXPECT_EQ(head + 1, s->own.next);
	EXPECT_EQ(head + 1, s->late.next);
	EXPECT_EQ(head - SLOTS + 1, third.first);
	EXPECT_GE(third.first, s->late.first);
	if (over)
		EXPECT_EQ(5, head);
	ashm_ring_reader_close(third.reader);
}

/* In any state that the writer left, a successor goes on where frames end. */
static void succeeded(struct __test_metadata *_metadata, struct stage *s, bool over)
{
	(void)over;
	s->own.ring = s->b.ring;
	read_on(&s->own);
	ASSERT_EQ(0, ashm_ring_writer(s->b.ring, &s->own.writer));
	join_late(_metadata, s);
	EXPECT_EQ(-EAGAIN, read_on(&s->own));
	EXPECT_EQ(-EAGAIN, read_on(&s->late));
	EXPECT_EQ(5, traffic(_metadata, s, 5));
	EXPECT_EQ(1, s->own.first);
	EXPECT_EQ(s->own.next, s->late.next);
	EXPECT_EQ(raw_header(&s->b)->writer.head + 1, s->own.next);
}

static void created(struct __test_metadata *_metadata, struct stage *s, bool over)
{
	struct ashm_frame f;

	(void)over;
	EXPECT_NE(0, ashm_frame_read(s->own.reader, NULL, 0, &f, 0));
	ashm_ring_reader_close(s->own.reader);
	s->own.reader = NULL;
	ashm_ring_detach(s->b.ring);
	create(s->peer);
	ASSERT_EQ(0, s->peer->ret);
	s->b.ring = s->peer->ring;
	ASSERT_EQ(0, ashm_ring_writer(s->b.ring, &s->own.writer));
	ASSERT_EQ(0, ashm_ring_reader(s->b.ring, 0, &s->own.reader));
	memset(&s->own.first, 0, sizeof(s->own.first));
	s->wait = false;
	EXPECT_EQ(5, traffic(_metadata, s, 5));
}

/* There is the ring of one call, or none. Who has lost his is told. */
static void one_created(struct __test_metadata *_metadata, struct stage *s, bool over)
{
	struct ashm_ring_stat stat;
	struct ashm_ring *ring;
	int ret;

	if (over)
		EXPECT_EQ(0, s->own.ret);
	ret = ashm_ring_attach(ashm_fd(s->b.region), 0, &ring);
	if (!s->own.ret && ashm_ring_stat(s->own.ring, &stat)) {
		EXPECT_EQ(s->peer->ret ? -ENODATA : 0, ret);
		if (s->peer->ret)
			EXPECT_EQ(-EBUSY, s->peer->ret);
	} else if (!s->own.ret) {
		EXPECT_EQ(0, ret);
	}
	if (!s->own.ret)
		ashm_ring_detach(s->own.ring);
	if (!ret)
		ashm_ring_detach(ring);
}

#define PLAYING(name, ...)							\
TEST_F_TIMEOUT(lib, name, 120)						\
{									\
	static const struct play play = { __VA_ARGS__ };		\
									\
	perform_all(_metadata, &play);					\
}

PLAYING(joining, .flags = ASHM_RING_WAIT, .setup = both_own, .ready = attach_guarded,
	.act = join, .meddle = go_on, .after = joined,
	.stride = 6, .behind = libashmem_ring_bounds)
PLAYING(joining_killed, .flags = ASHM_RING_WAIT, .setup = both_own,
	.ready = attach_guarded, .act = join, .meddle = go_on, .after = alone,
	.killed = true)
PLAYING(reading, .flags = ASHM_RING_WAIT, .setup = both_own, .ready = reader_ready,
	.act = read_two, .meddle = go_on, .after = reads_on)
PLAYING(reading_killed, .flags = ASHM_RING_WAIT, .setup = both_own,
	.ready = reader_ready, .act = read_two, .meddle = go_on, .after = alone,
	.killed = true)
PLAYING(reading_overwritten, .setup = both_own, .ready = reader_ready,
	.act = read_two, .meddle = go_on, .after = reads_on)
PLAYING(leaving, .flags = ASHM_RING_WAIT, .setup = both_own, .ready = reader_ready,
	.act = leave, .meddle = go_on, .after = alone)
PLAYING(leaving_killed, .flags = ASHM_RING_WAIT, .setup = both_own,
	.ready = reader_ready, .act = leave, .meddle = go_on, .after = alone,
	.killed = true)
PLAYING(writing, .flags = ASHM_RING_WAIT, .setup = reader_own, .ready = writer_ready,
	.act = write_two, .meddle = join_late, .after = wrote,
	.stride = 4)
PLAYING(writing_killed, .flags = ASHM_RING_WAIT, .setup = reader_own,
	.ready = writer_ready, .act = write_two, .after = succeeded, .killed = true)
PLAYING(overwriting_killed, .setup = reader_own, .ready = writer_ready,
	.act = write_two, .after = succeeded, .killed = true)
PLAYING(succeeding_killed, .flags = ASHM_RING_WAIT, .setup = dead_writer,
	.ready = attach_guarded, .act = succeed, .after = succeeded, .killed = true)
PLAYING(succeeding_recreated, .flags = ASHM_RING_WAIT, .ready = attach_guarded,
	.act = visit_as_writer, .meddle = recreate, .after = vacant, .stride = 4)
PLAYING(joining_recreated, .flags = ASHM_RING_WAIT, .setup = frames_left,
	.ready = attach_guarded, .act = visit_as_reader, .meddle = recreate,
	.after = not_joined, .behind = libashmem_ring_check)
PLAYING(ringing, .setup = first_asleep, .ready = attach, .act = ring_bell,
	.meddle = ring_twice, .after = counted, .stride = 1)
PLAYING(closing_killed, .flags = ASHM_RING_WAIT, .setup = reader_own,
	.ready = writer_ready, .act = close_writer, .after = succeeded, .killed = true)
PLAYING(creating_killed, .flags = ASHM_RING_WAIT, .setup = reader_own, .ready = attach,
	.act = create, .after = created, .killed = true)
PLAYING(leaving_recreated, .flags = ASHM_RING_WAIT, .setup = frames_left,
	.ready = reader_ready, .act = leave, .meddle = replace, .after = replaced,
	.behind = libashmem_ring_check)
PLAYING(leaving_recreated_alike, .flags = ASHM_RING_WAIT, .setup = frames_left,
	.ready = reader_read, .act = leave, .meddle = replace_alike, .after = healed,
	.behind = libashmem_ring_check)
PLAYING(leaving_recreated_by_thread, .flags = ASHM_RING_WAIT, .setup = frames_left,
	.ready = reader_and_thread, .act = leave, .meddle = replace_by_thread,
	.after = thread_joined, .behind = libashmem_ring_check)
PLAYING(reading_recreated, .flags = ASHM_RING_WAIT, .setup = frames_left,
	.ready = reader_ready, .act = read_next, .meddle = replace, .after = replaced,
	.behind = libashmem_ring_check)
PLAYING(joining_replaced, .flags = ASHM_RING_WAIT, .setup = frames_left,
	.ready = attach_guarded, .act = visit_as_reader, .meddle = replace,
	.after = replaced, .behind = libashmem_ring_check)
PLAYING(creating_claimed, .flags = ASHM_RING_WAIT, .setup = frames_left, .ready = attach,
	.act = create, .meddle = claim, .after = claimed, .behind = libashmem_guard_alive)
PLAYING(creating_twice, .flags = ASHM_RING_WAIT, .ready = attach, .act = create,
	.meddle = create_beside, .after = one_created, .before = libashmem_ring_bell)

TEST_HARNESS_MAIN
