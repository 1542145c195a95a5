// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls by several processes on one ring. Each result is compared with that of a
 * plain queue: joins, leaves, deaths, wraps, purges, and rings that are recreated while
 * some still hold the old one. ASHMEM_SEED repeats a run.
 */
#include "kselftest_harness.h"
#include "lib_util.h"
#include "frame_util.h"
#include "frame_actor.h"

enum { ACTORS = 4, OPS = 2500, SLOTS_MAX = 5, REGION = 4096 + SLOTS_MAX * 320 };

struct m_frame {
	uint64_t tag;
	size_t length;
	uint32_t generation;
	bool consumed;
};

/* The state of a seat, and the expected results of its handles. */
struct m_seat {
	bool attached, readonly, writing, begun, reading, borrowed;
	int ring;		/* which ring of those made so far */
	int spoilt;
	size_t room;
	uint64_t next, missed;
};

struct model {
	struct m_seat seat[ACTORS * SEATS];
	struct m_frame frames[OPS + 1];
	int ring;
	bool purged, joined;
	uint32_t flags, slots, readers, generation, writer;
	uint64_t head, begun;	/* the last frame finished, and begun */
	uint64_t oldest;	/* not overwritten, with WAIT */
	uint64_t passed;	/* below this every reader had all frames */
};

/* Why a seat's ring isn't the present one, or 0. */
static int m_stale(const struct model *m, const struct m_seat *s)
{
	if (m->purged)
		return -ENODATA;
	return s->ring == m->ring ? 0 : -ESTALE;
}

static uint64_t m_survivor(const struct model *m)
{
	return m->head + 2 > m->slots ? m->head + 2 - m->slots : 1;
}

static uint64_t m_first(const struct model *m)
{
	return m->flags & ASHM_RING_WAIT ? m->oldest : m_survivor(m);
}

/* Counts the readers; *@lowest is the frame that the slowest wants. */
static uint32_t m_readers(const struct model *m, uint64_t *lowest)
{
	const struct m_seat *s;
	uint32_t count = 0;

	*lowest = UINT64_MAX;
	for (s = m->seat; s < m->seat + ACTORS * SEATS; s++) {
		if (!s->reading || s->ring != m->ring)
			continue;
		count++;
		if (s->next < *lowest)
			*lowest = s->next;
	}
	return m->flags & ASHM_RING_WAIT ? count : 0;
}

static void m_progress(struct model *m)
{
	uint64_t lowest;

	if (m_readers(m, &lowest) && lowest > m->passed)
		m->passed = lowest;
}

static int m_end(const struct model *m)
{
	if (m->writer == ASHM_WRITER_CLOSED)
		return -EPIPE;
	return m->writer == ASHM_WRITER_DIED ? -EOWNERDEAD : -EAGAIN;
}

/* Goes to the next existing frame; 0 or why there is none. */
static int m_look(const struct model *m, struct m_seat *s)
{
	int ret = m_stale(m, s);

	if (s->borrowed)
		return -EINPROGRESS;
	if (ret)
		return ret;
	if (m->begun >= s->next + m->slots) {
		s->missed += m_survivor(m) - s->next;
		s->next = m_survivor(m);
	}
	return s->next <= m->head ? 0 : m_end(m);
}

static void m_consume(struct model *m, struct m_seat *s)
{
	uint64_t seq = s->next++, lowest;

	if (m_stale(m, s) || s->readonly)
		return;
	m_progress(m);
	m_readers(m, &lowest);
	if (m->begun < seq + m->slots && (!(m->flags & ASHM_RING_WAIT) || lowest > seq))
		m->frames[seq].consumed = true;
}

/* True if the result @got of a request for room is right; notes what it permits. */
static bool m_begin(struct model *m, struct m_seat *s, size_t length, int got)
{
	uint64_t old = m->head + 1 - m->slots, lowest;
	int want = m_stale(m, s);

	if (s->begun) {
		want = -EINPROGRESS;
	} else if (length > ACTOR_FRAME_MAX) {
		want = -EMSGSIZE;
	} else if (!want && m->flags & ASHM_RING_WAIT && m->head >= m->slots) {
		if (m_readers(m, &lowest))
			want = lowest > old ? 0 : -EAGAIN;
		/*
		 * Frames that all readers had may be overwritten, even after they have
		 * left.
		 */
		else if (got || old >= m->passed)
			want = m->joined ? -EPIPE : -EAGAIN;
	}
	if (want || got)
		return want == got;
	s->begun = true;
	s->room = length;
	m->begun = m->head + 1;
	if (m->begun + 1 > m->slots)
		m->oldest = m->begun + 1 - m->slots;
	return true;
}

static bool m_commit(struct model *m, struct m_seat *s, const struct request *q, int got)
{
	struct m_frame *frame = &m->frames[m->head + 1];
	int want;

	if (!s->begun || q->length > s->room)
		return got == -EINVAL;
	want = m_stale(m, s);
	s->begun = false;
	if (want || got)
		return want == got;
	m->head++;
	*frame = (struct m_frame){ q->tag, q->length, m->generation, false };
	return true;
}

static bool m_write(struct model *m, struct m_seat *s, const struct request *q, int got)
{
	if (!m_begin(m, s, q->length, got))
		return false;
	return got || m_commit(m, s, q, got);
}

static bool m_same(const struct model *m, const struct m_seat *s,
		   const struct ashm_frame *f)
{
	const struct m_frame *frame = &m->frames[s->next];

	return f->seq == s->next && f->missed == s->missed && f->tag == frame->tag &&
	       f->length == frame->length && f->generation == frame->generation;
}

static bool m_read(struct model *m, struct m_seat *s, const struct request *q,
		   const struct reply *a)
{
	int want = m_look(m, s);

	if (want)
		return a->ret == want;
	if (m->frames[s->next].length > q->length)
		return a->ret == -EMSGSIZE && m_same(m, s, &a->frame);
	if (a->ret || !m_same(m, s, &a->frame))
		return false;
	s->missed = 0;
	m_consume(m, s);
	return true;
}

static bool m_borrow(const struct model *m, struct m_seat *s, const struct reply *a)
{
	int want = m_look(m, s);

	if (want)
		return a->ret == want;
	if (a->ret || !m_same(m, s, &a->frame))
		return false;
	s->missed = 0;
	s->borrowed = true;
	s->spoilt = 0;
	return true;
}

static int m_valid(const struct model *m, struct m_seat *s)
{
	if (!s->borrowed)
		return -EINVAL;
	if (!s->spoilt)
		s->spoilt = m_stale(m, s);
	if (!s->spoilt && m->begun >= s->next + m->slots)
		s->spoilt = -ESTALE;
	return s->spoilt;
}

static bool m_release(struct model *m, struct m_seat *s, int got)
{
	bool was = s->borrowed;

	if (got != m_valid(m, s))
		return false;
	s->borrowed = false;
	if (was)
		m_consume(m, s);
	return true;
}

static bool m_attach(const struct model *m, struct m_seat *s, unsigned int flags, int got)
{
	int want = 0;

	if (m->purged)
		want = -ENODATA;
	else if (flags && m->flags & ASHM_RING_WAIT)
		want = -EACCES;
	if (!want)
		*s = (struct m_seat){ .attached = true, .readonly = flags,
				      .ring = m->ring };
	return want == got;
}

static bool m_writer(struct model *m, struct m_seat *s, int got)
{
	int want = s->readonly ? -EACCES : m_stale(m, s);

	if (!want && m->writer == ASHM_WRITER_ALIVE)
		want = -EBUSY;
	if (!want) {
		s->writing = true;
		m->generation++;
		m->writer = ASHM_WRITER_ALIVE;
	}
	return want == got;
}

static bool m_reader(struct model *m, struct m_seat *s, unsigned int flags, int got)
{
	bool wait = m->flags & ASHM_RING_WAIT;
	int want = m_stale(m, s);
	uint64_t lowest;

	if (!want && wait && m_readers(m, &lowest) == m->readers)
		want = -EUSERS;
	if (want)
		return want == got;
	s->reading = true;
	s->missed = 0;
	s->borrowed = false;
	s->next = flags ? m->head + 1 : m_first(m);
	m->joined = true;
	m->passed = 0;
	m_progress(m);
	return !got;
}

static bool m_stat(const struct model *m, const struct m_seat *s, const struct reply *a)
{
	const struct ashm_ring_stat *st = &a->stat;
	int want = m_stale(m, s);
	uint64_t lowest, seq;
	uint32_t unread = 0;

	if (want)
		return a->ret == want;
	for (seq = m_first(m); seq <= m->head; seq++)
		unread += !m->frames[seq].consumed;
	return !a->ret && st->frames == m->head && st->unread == unread &&
	       st->readers == m_readers(m, &lowest) && st->slots == m->slots &&
	       st->flags == m->flags && st->readers_max == m->readers &&
	       st->generation == m->generation && st->writer == m->writer &&
	       st->frame_max == ACTOR_FRAME_MAX;
}

static int m_await(const struct model *m, const struct m_seat *s)
{
	int ret = m_stale(m, s);

	return ret || m->writer == ASHM_WRITER_ALIVE ? ret : -EAGAIN;
}

static void m_writer_gone(struct model *m, struct m_seat *s, uint32_t how)
{
	if (s->writing && s->ring == m->ring && !m->purged)
		m->writer = how;
	s->writing = false;
	s->begun = false;
}

/* True if the result is that of the model. */
static bool m_right(struct model *m, struct m_seat *s, const struct request *q,
		    const struct reply *a)
{
	switch (q->op) {
	case OP_ATTACH:
		return m_attach(m, s, q->flags, a->ret);
	case OP_DETACH:
		m_writer_gone(m, s, ASHM_WRITER_CLOSED);
		memset(s, 0, sizeof(*s));
		return !a->ret;
	case OP_WRITER:
		return m_writer(m, s, a->ret);
	case OP_WRITER_CLOSE:
		m_writer_gone(m, s, ASHM_WRITER_CLOSED);
		return !a->ret;
	case OP_READER:
		return m_reader(m, s, q->flags, a->ret);
	case OP_READER_CLOSE:
		s->reading = false;
		return !a->ret;
	case OP_BEGIN:
		return m_begin(m, s, q->length, a->ret);
	case OP_COMMIT:
		return m_commit(m, s, q, a->ret);
	case OP_ABORT:
		if (!s->begun)
			return a->ret == -EINVAL;
		s->begun = false;
		return !a->ret;
	case OP_WRITE:
		return m_write(m, s, q, a->ret);
	case OP_READ:
		return m_read(m, s, q, a);
	case OP_BORROW:
		return m_borrow(m, s, a);
	case OP_VALID:
		return a->ret == m_valid(m, s);
	case OP_RELEASE:
		return m_release(m, s, a->ret);
	case OP_STAT:
		return m_stat(m, s, a);
	default:
		return a->ret == m_await(m, s);
	}
}

/* Does @op; false if the seat can't. */
static bool choose(struct rng *rng, const struct m_seat *s, struct request *q)
{
	q->length = rng_below(rng, ACTOR_FRAME_MAX / 2);
	q->tag = rng_next(rng);
	switch (q->op) {
	case OP_ATTACH:
		q->flags = rng_below(rng, 4) ? 0 : ASHM_ATTACH_READONLY;
		return !s->attached;
	case OP_DETACH:
		return s->attached && !rng_below(rng, 8);
	case OP_WRITER:
		return s->attached && !s->writing;
	case OP_WRITER_CLOSE:
		return s->writing && !rng_below(rng, 6);
	case OP_READER:
		q->flags = rng_below(rng, 4) ? 0 : ASHM_READER_NEWEST;
		return s->attached && !s->reading;
	case OP_READER_CLOSE:
		return s->reading && !rng_below(rng, 6);
	case OP_BEGIN:
		if (!rng_below(rng, 20))
			q->length = ACTOR_FRAME_MAX + 1;
		return s->writing;
	case OP_COMMIT:
		/* Mostly no longer than what was begun. */
		if (s->begun && rng_below(rng, 10))
			q->length = s->room;
		return s->writing;
	case OP_ABORT:
	case OP_WRITE:
		return s->writing;
	case OP_READ:
		if (rng_below(rng, 8))
			q->length = ACTOR_FRAME_MAX;
		return s->reading;
	case OP_BORROW:
	case OP_VALID:
	case OP_RELEASE:
		return s->reading;
	default:
		return s->attached && !rng_below(rng, 4);
	}
}

FIXTURE(model) {
	struct ashm *region;
	char *raw;
	struct actor actor[ACTORS];
	struct model *m;
	struct rng rng;
};

FIXTURE_VARIANT(model) {
	const char *backend;
	uint32_t flags;
};

#define VARIANT(kind, memory, bits)			\
FIXTURE_VARIANT_ADD(model, kind##_##memory) {		\
	.backend = #memory,				\
	.flags = bits,					\
}

VARIANT(overwrite, ashmem, 0);
VARIANT(wait, ashmem, ASHM_RING_WAIT);
VARIANT(readonly, ashmem, ASHM_RING_READONLY);
VARIANT(unchecked, ashmem, ASHM_RING_WAIT | ASHM_RING_UNCHECKED);
VARIANT(overwrite, memfd, 0);
VARIANT(wait, memfd, ASHM_RING_WAIT);
VARIANT(readonly, memfd, ASHM_RING_READONLY);
VARIANT(unchecked, memfd, ASHM_RING_WAIT | ASHM_RING_UNCHECKED);

/* Makes a ring in the region, over what was there. */
static int make_ring(FIXTURE_DATA(model) *self, uint32_t flags)
{
	struct ashm_ring_config config = {
		.frame_max = ACTOR_FRAME_MAX,
		.slots = 2 + rng_below(&self->rng, SLOTS_MAX - 1),
		.flags = flags,
		.readers = flags & ASHM_RING_WAIT ? 1 + rng_below(&self->rng, 4) : 0,
	};
	struct model *m = self->m;
	struct ashm_ring *ring;
	int ret;

	ret = ashm_ring_create(ashm_fd(self->region), &config, &ring);
	if (ret)
		return ret;
	ashm_ring_detach(ring);
	m->ring++;
	m->purged = false;
	m->joined = false;
	m->flags = flags;
	m->slots = config.slots;
	m->readers = config.readers;
	m->generation = 0;
	m->writer = ASHM_WRITER_NEVER;
	m->head = 0;
	m->begun = 0;
	m->oldest = 1;
	m->passed = 0;
	return 0;
}

FIXTURE_SETUP(model)
{
	int i;

	if (!strcmp(variant->backend, "ashmem") && access(ASHMEM_DEV, F_OK))
		SKIP(return, "no " ASHMEM_DEV " here");
	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", variant->backend, 1));
	self->m = calloc(1, sizeof(*self->m));
	ASSERT_NE(NULL, self->m);
	self->rng.state = rng_seed();
	TH_LOG("ASHMEM_SEED=%llu", (unsigned long long)self->rng.state);
	self->region = region_new("model", REGION);
	ASSERT_NE(NULL, self->region);
	self->raw = region_map(self->region, PROT_RW);
	ASSERT_NE(NULL, self->raw);
	ASSERT_EQ(0, make_ring(self, variant->flags));
	for (i = 0; i < ACTORS; i++) {
		ASSERT_EQ(0, actor_start(&self->actor[i], ashm_fd(self->region)));
	}
}

FIXTURE_TEARDOWN(model)
{
	int i;

	if (!self->m)
		return;
	for (i = 0; i < ACTORS; i++)
		actor_end(&self->actor[i], false);
	ashm_unmap(self->raw, REGION);
	ashm_close(self->region);
	free(self->m);
}

/* Kills an actor, with all that it has, and starts another. */
static int kill_one(FIXTURE_DATA(model) *self, int i)
{
	struct m_seat *seats = &self->m->seat[i * SEATS];
	int s;

	actor_end(&self->actor[i], true);
	for (s = 0; s < SEATS; s++) {
		m_writer_gone(self->m, &seats[s], ASHM_WRITER_DIED);
		memset(&seats[s], 0, sizeof(seats[s]));
	}
	return actor_start(&self->actor[i], ashm_fd(self->region));
}

/* What happens to the ring as a whole now and then; false if it wasn't right. */
static bool upheaval(FIXTURE_DATA(model) *self, uint32_t flags)
{
	bool alive = self->m->writer == ASHM_WRITER_ALIVE && !self->m->purged;
	uint32_t what = rng_below(&self->rng, 100);

	if (!self->m->purged && what < 85)
		return !kill_one(self, (int)rng_below(&self->rng, ACTORS));
	if (!self->m->purged && what < 90) {
		memset(self->raw, 0, REGION);
		self->m->purged = true;
		return true;
	}
	return make_ring(self, flags) == (alive ? -EBUSY : 0);
}

static bool step(struct __test_metadata *_metadata, FIXTURE_DATA(model) *self,
		 uint64_t n)
{
	int i = (int)rng_below(&self->rng, ACTORS);
	struct request q = { .seat = (int)rng_below(&self->rng, SEATS) };
	struct model *m = self->m;
	struct m_seat *s = &m->seat[i * SEATS + q.seat];
	struct reply a;

	do {
		q.op = rng_below(&self->rng, OP_AWAIT + 1);
	} while (!choose(&self->rng, s, &q));
	if (actor_ask(&self->actor[i], &q, &a))
		memset(&a, 0xff, sizeof(a));
	if (m_right(m, s, &q, &a))
		return true;
	TH_LOG("call %llu, op %d of seat %d.%d (ring %d of %d): %d, frame %llu, missed %llu",
	       (unsigned long long)n, q.op, i, q.seat, s->ring, m->ring, a.ret,
	       (unsigned long long)a.frame.seq, (unsigned long long)a.frame.missed);
	TH_LOG("%u slots, head %llu, begun %llu, kept from %llu, passed %llu; next %llu",
	       m->slots, (unsigned long long)m->head, (unsigned long long)m->begun,
	       (unsigned long long)m->oldest, (unsigned long long)m->passed,
	       (unsigned long long)s->next);
	return false;
}

TEST_F_TIMEOUT(model, random, 120)
{
	uint64_t n;

	for (n = 0; n < OPS; n++) {
		if (!rng_below(&self->rng, 60))
			ASSERT_TRUE(upheaval(self, variant->flags));
		ASSERT_TRUE(step(_metadata, self, n));
	}
}

TEST_HARNESS_MAIN
