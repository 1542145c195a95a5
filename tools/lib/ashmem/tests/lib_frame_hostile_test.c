// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames beside a hostile peer, and invalid regions: no call may crash or hang, and each
 * returns an error.
 */
#include "kselftest_harness.h"
#include "lib_util.h"
#include "lib_both.h"
#include "frame_util.h"

static void sign_ring(struct ring_fixed *fixed)
{
	fixed->check = ~crc32c(0xffffffff, (char *)fixed + 8,
			       sizeof(*fixed) - 8);
}

static void sign_frame(struct frame_slot *slot, size_t len)
{
	struct frame_header header;

	memcpy(&header, slot, sizeof(header));
	header.state = 0;
	header.check = 0;
	header.check = ~crc32c(crc32c(0xffffffff, &header, sizeof(header)),
			       (char *)slot + FRAME_HEADER, len);
	memcpy((char *)slot + offsetof(struct frame_header, check),
	       &header.check, sizeof(header.check));
}

static void write_field(void *base, size_t offset, size_t size, uint64_t value)
{
	uint32_t small = (uint32_t)value;

	if (size == sizeof(small))
		memcpy((char *)base + offset, &small, size);
	else
		memcpy((char *)base + offset, &value, size);
}

static uint64_t read_field(const void *base, size_t offset, size_t size)
{
	uint64_t value = 0;
	uint32_t small;

	if (size == sizeof(small)) {
		memcpy(&small, (const char *)base + offset, size);
		return small;
	}
	memcpy(&value, (const char *)base + offset, size);
	return value;
}

struct field {
	const char *name;
	size_t offset;
	size_t size;
};

#define FIELD(type, member) \
	{ #member, offsetof(struct type, member), sizeof(((struct type *)0)->member) }

/* Extreme values of a number; also 0 and the neighbours of the right one. */
static const uint64_t edges[] = {
	0, 1, 2, 3, 63, 64, 65, 4095, 4096, 4097, 65535, 65536, 65537,
	0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
	0x8000000000000000, 0xfffffffffffff000, 0xffffffffffffffc0,
	0xffffffffffffffff,
};

#define N_EDGES		(ARRAY_SIZE(edges) + 2)

static uint64_t edge(size_t i, uint64_t right)
{
	if (i < ARRAY_SIZE(edges))
		return edges[i];
	return i == ARRAY_SIZE(edges) ? right - 1 : right + 1;
}

/*
 * For any numbers, each call returns one of its codes, and a frame that was read is
 * right.
 */
static bool use_ring(struct ashm_ring *ring)
{
	struct ashm_reader *r;
	struct ashm_writer *w;
	struct ashm_ring_stat st;
	struct ashm_frame f;
	int ret, n;

	ret = ashm_ring_stat(ring, &st);
	if (ret && ret != -ENODATA && ret != -ESTALE && ret != -EPROTO)
		return false;
	ret = ashm_ring_await_writer(ring, 0);
	if (ret && ret != -EAGAIN && ret != -ENODATA && ret != -ESTALE)
		return false;
	ret = ashm_ring_reader(ring, 0, &r);
	if (!ret) {
		for (n = 0; n < 100; n++) {
			ret = n & 1 ? get(r, 300, &f, 0) :
				      ashm_frame_borrow(r, &f, 0);
			if (!ret && !(n & 1))
				ashm_frame_release(r);
			if (ret && ret != -EBADMSG && ret != -EILSEQ)
				break;
		}
		ashm_ring_reader_close(r);
		switch (ret) {
		case 0:
		case -EAGAIN:
		case -EPIPE:
		case -EOWNERDEAD:
		case -EPROTO:
		case -ENODATA:
		case -ESTALE:
		case -EBUSY:
		case -EMSGSIZE:
		case -EBADMSG:
		case -EILSEQ:
			break;
		default:
			return false;
		}
	}
	if (!ashm_ring_writer(ring, &w)) {
		for (n = 0; n < 10; n++)
			put(w, 10, (uint64_t)n, 0);
		ashm_ring_writer_close(w);
	}
	return true;
}

/* Each field of the ring's header with each edge, with and without a good sum. */
TEST_F(lib, ring_header)
{
	static const struct field fields[] = {
		FIELD(ring_fixed, magic), FIELD(ring_fixed, check),
		FIELD(ring_fixed, version), FIELD(ring_fixed, flags),
		FIELD(ring_fixed, region_size), FIELD(ring_fixed, stride),
		FIELD(ring_fixed, frame_max), FIELD(ring_fixed, slots),
		FIELD(ring_fixed, readers), FIELD(ring_fixed, reserved),
	};
	struct ring_fixed good, *fixed;
	struct ashm_ring *ring;
	struct test_ring b;
	uint64_t value, right;
	int ret, want, sign;
	size_t i, e;

	ASSERT_EQ(0, ring_new(&b, 256, 4, 0, 0));
	fixed = &raw_header(&b)->fixed;
	good = *fixed;
	sign_ring(fixed);
	ASSERT_EQ(good.check, fixed->check);
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		for (e = 0; e < N_EDGES; e++)
			for (sign = 0; sign < 2; sign++) {
				right = read_field(&good, fields[i].offset,
						   fields[i].size);
				value = edge(e, right);
				*fixed = good;
				write_field(fixed, fields[i].offset,
					    fields[i].size, value);
				/* A wrong sum is a separate row. */
				if (sign && fields[i].offset !=
					    offsetof(struct ring_fixed, check))
					sign_ring(fixed);
				value = read_field(fixed, fields[i].offset,
						   fields[i].size);
				want = -EPROTO;
				if (value == right)
					want = 0;
				else if (fields[i].offset ==
					 offsetof(struct ring_fixed, version))
					want = -EPROTONOSUPPORT;
				else if (fields[i].offset == offsetof(struct ring_fixed, magic) &&
					 !value)
					want = -ENODATA;
				/* The only other value that makes a ring. */
				else if (sign && fields[i].offset ==
					 offsetof(struct ring_fixed, flags) &&
					 value == ASHM_RING_READONLY)
					want = 0;
				else if (sign && fields[i].offset ==
					 offsetof(struct ring_fixed, frame_max) &&
					 value >= 193 && value <= 256)
					want = 0;
				ret = ashm_ring_attach(ashm_fd(b.region), 0,
						       &ring);
				EXPECT_EQ(want, ret) {
					TH_LOG("%s = 0x%llx, %s sum",
					       fields[i].name,
					       (unsigned long long)value,
					       sign ? "good" : "old");
				}
				if (!ret) {
					EXPECT_TRUE(use_ring(ring));
					ashm_ring_detach(ring);
				}
			}
	*fixed = good;
	memset(fixed, 0, sizeof(*fixed));
	EXPECT_EQ(-ENODATA, ashm_ring_attach(ashm_fd(b.region), 0, &ring));
	*fixed = good;
	ring_free(&b);
}

/* The same with the fields of a frame, seen by a reader that was there before. */
TEST_F(lib, frame_header)
{
	static const struct field fields[] = {
		FIELD(frame_header, magic), FIELD(frame_header, version),
		FIELD(frame_header, seq), FIELD(frame_header, length),
		FIELD(frame_header, region_size), FIELD(frame_header, tag),
		FIELD(frame_header, generation), FIELD(frame_header, check),
		FIELD(frame_header, reserved),
	};
	struct frame_header good;
	struct frame_slot *slot;
	struct ashm_writer *w;
	struct ashm_reader *r;
	uint64_t value, right;
	struct test_ring b;
	struct ashm_frame f;
	int ret, want, sign;
	size_t i, e;

	ASSERT_EQ(0, ring_new(&b, 256, 4, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, put(w, 200, 1, 0));
	slot = raw_slot(&b, 1);
	memcpy(&good, slot, sizeof(good));
	sign_frame(slot, 200);
	ASSERT_EQ(0, memcmp(&good, slot, sizeof(good)));
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		for (e = 0; e < N_EDGES; e++)
			for (sign = 0; sign < 2; sign++) {
				bool sum = fields[i].offset !=
					   offsetof(struct frame_header, check);

				ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
				right = read_field(&good, fields[i].offset,
						   fields[i].size);
				value = edge(e, right);
				memcpy(slot, &good, sizeof(good));
				write_field(slot, fields[i].offset,
					    fields[i].size, value);
				value = read_field(slot, fields[i].offset,
						   fields[i].size);
				if (sign && sum)
					sign_frame(slot, fields[i].offset ==
						   offsetof(struct frame_header, length) &&
						   value <= 256 ? (size_t)value : 200);
				want = -EBADMSG;
				if (value == right)
					want = 0;
				/* Only the programs use it. */
				else if (sign &&
					 (fields[i].offset ==
					  offsetof(struct frame_header, tag) ||
					  fields[i].offset ==
					  offsetof(struct frame_header, reserved) ||
					  fields[i].offset ==
					  offsetof(struct frame_header, generation) ||
					  (fields[i].offset ==
					   offsetof(struct frame_header, length) &&
					   value <= 256)))
					want = 0;
				ret = e & 1 ? ashm_frame_borrow(r, &f, 0) :
					      get(r, 256, &f, 0);
				/* By another tag, or of another length. */
				if (ret == -EILSEQ)
					ret = 0;
				EXPECT_EQ(want, ret) {
					TH_LOG("%s = 0x%llx, %s sum",
					       fields[i].name,
					       (unsigned long long)value,
					       sign ? "good" : "old");
				}
				/* It was skipped. */
				if (ret == -EBADMSG)
					EXPECT_EQ(-EAGAIN, get(r, 256, &f, 0));
				ashm_ring_reader_close(r);
			}
	memcpy(slot, &good, sizeof(good));
	ashm_ring_writer_close(w);
	ring_free(&b);
}

/* The values that change while a ring is in use: state, head, futex words. */
TEST_F(lib, live_words)
{
	static const uint64_t more[] = {
		SLOT_READY | 1 << SLOT_SEQ_SHIFT, SLOT_READY | 5 << SLOT_SEQ_SHIFT,
		SLOT_WRITING | 5 << SLOT_SEQ_SHIFT, SLOT_READY | 6 << SLOT_SEQ_SHIFT,
		SLOT_WRITING | 1 << SLOT_SEQ_SHIFT, 4, 5, 6, 7, 100,
		SLOT_SEQ_MAX, SLOT_SEQ_MAX - 1, SLOT_SEQ_MAX - 65536,
		SLOT_SEQ_MAX - 65537, SLOT_SEQ_MAX + 1,
		0x40000000, 0x40000001, 0xc0000000, 0x80000001,
	};
	const size_t count = ARRAY_SIZE(more) + ARRAY_SIZE(edges);
	size_t offsets[9], sizes[9], i, e;
	struct ashm_writer *w;
	struct test_ring b;
	uint32_t flags;
	char *copy;

	for (flags = 0; flags <= ASHM_RING_WAIT; flags++) {
		ASSERT_EQ(0, ring_new(&b, 256, 4, flags, 0));
		ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
		for (i = 1; i <= 3; i++) {
			ASSERT_EQ(0, put(w, 200, i, 0));
		}
		ashm_ring_writer_close(w);
		for (i = 0; i < 9; i++)
			sizes[i] = i < 5 ? 4 : 8;
		offsets[0] = offsetof(struct ring_header, writer.owner);
		offsets[1] = offsetof(struct ring_header, writer.generation);
		offsets[2] = offsetof(struct ring_header, writer.bell);
		offsets[3] = offsetof(struct ring_header, writer.joins);
		offsets[4] = offsetof(struct ring_header, party[1].owner);
		offsets[5] = offsetof(struct ring_header, writer.head);
		offsets[6] = offsetof(struct ring_header, party[1].next);
		offsets[7] = (size_t)((char *)raw_slot(&b, 1) - b.raw) +
			     offsetof(struct frame_slot, state);
		offsets[8] = offsetof(struct ring_header, writer.oldest);
		copy = malloc(b.size);
		ASSERT_NE(NULL, copy);
		memcpy(copy, b.raw, b.size);
		for (i = 0; i < 9; i++)
			for (e = 0; e < count; e++) {
				memcpy(b.raw, copy, b.size);
				write_field(b.raw, offsets[i], sizes[i],
					    e < ARRAY_SIZE(more) ? more[e] :
					    edges[e - ARRAY_SIZE(more)]);
				EXPECT_TRUE(use_ring(b.ring)) {
					TH_LOG("at %zu, value %zu", offsets[i], e);
				}
			}
		memcpy(b.raw, copy, b.size);
		EXPECT_TRUE(use_ring(b.ring));
		free(copy);
		ring_free(&b);
	}
}

/*
 * Numbers that change during their use: the checked value counts. The buffer ends at a
 * guard page.
 */
TEST_F(lib, flipping)
{
	_Atomic uint64_t *length, *stride, *size;
	long until = now_ms() + 400;
	struct ashm_reader *r;
	struct ashm_writer *w;
	struct ashm_frame f;
	struct test_ring b;
	uint64_t good;
	pid_t child;
	char *buf;
	int ret;

	ASSERT_EQ(0, ring_new(&b, 256, 2, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	buf = guarded(256);
	ASSERT_NE(NULL, buf);
	length = &raw_slot(&b, 1)->words[offsetof(struct frame_header, length) / 8];
	stride = &raw_header(&b)->words[offsetof(struct ring_fixed, stride) / 8];
	size = &raw_header(&b)->words[offsetof(struct ring_fixed, frame_max) / 8];
	good = *stride;
	ASSERT_EQ(0, put(w, 200, 1, 0));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		for (;;) {
			*length = 1 << 24;
			*stride = 1 << 30;
			*size = 1 << 30;
			*length = 200;
			*stride = good;
			*size = 256;
		}
	}
	while (now_ms() < until) {
		ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
		ret = ashm_frame_read(r, buf, 256, &f, 0);
		EXPECT_EQ(ret ? -EBADMSG : 0, ret);
		if (!ret)
			EXPECT_EQ(200, f.length);
		ashm_ring_reader_close(r);
	}
	kill(child, SIGKILL);
	wait_child(child);
	ashm_ring_writer_close(w);
	ring_free(&b);
}

/* Errors that are certain. */
TEST_F(lib, nonsense)
{
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;

	ASSERT_EQ(0, ring_new(&b, 256, 4, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	ASSERT_EQ(0, put(w, 200, 1, 0));
	/* A state that is newer than the head. */
	atomic_store(&raw_slot(&b, 1)->state, SLOT_READY | 5 << SLOT_SEQ_SHIFT);
	EXPECT_EQ(-EPROTO, get(r, 256, &f, 0));
	/* A number that belongs into another slot. */
	atomic_store(&raw_header(&b)->writer.head, 7);
	atomic_store(&raw_slot(&b, 1)->state, SLOT_READY | 6 << SLOT_SEQ_SHIFT);
	EXPECT_EQ(-EPROTO, get(r, 256, &f, 0));
	/* The head counts frames that don't exist. */
	atomic_store(&raw_slot(&b, 1)->state, SLOT_WRITING | 1 << SLOT_SEQ_SHIFT);
	EXPECT_EQ(-EPROTO, get(r, 256, &f, 0));
	EXPECT_EQ(-EPROTO, get(r, 256, &f, -1));
	ashm_ring_writer_close(w);
	atomic_store(&raw_header(&b)->writer.head, UINT64_MAX);
	EXPECT_EQ(-EPROTO, ashm_ring_writer(b.ring, &w));
	ashm_ring_reader_close(r);
	EXPECT_EQ(-EPROTO, ashm_ring_reader(b.ring, 0, &r));
	/* The former writer. */
	atomic_store(&raw_header(&b)->writer.head, 0);
	atomic_store(&raw_slot(&b, 1)->state, 0);
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	atomic_store(&raw_header(&b)->writer.owner, 4711);
	EXPECT_EQ(-ESTALE, put(w, 10, 1, 0));
	ashm_ring_writer_close(w);
	EXPECT_EQ(4711, atomic_load(&raw_header(&b)->writer.owner));
	ring_free(&b);
}

/* An oldest frame that no writer can have stored. */
TEST_F(lib, nonsense_oldest)
{
	static const uint64_t wrong[] = { 0, 1, 4, 5, 100, UINT64_MAX };
	struct ashm_ring_stat st;
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;
	uint64_t n;
	size_t i;

	ASSERT_EQ(0, ring_new(&b, 256, 4, ASHM_RING_WAIT, 2));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	for (n = 1; n <= 5; n++) {
		ASSERT_EQ(0, put(w, 200, n, 0));
		ASSERT_EQ(0, get(r, 256, &f, 0));
	}
	ashm_ring_reader_close(r);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		atomic_store(&raw_header(&b)->writer.oldest, wrong[i]);
		EXPECT_EQ(-EPROTO, ashm_ring_reader(b.ring, 0, &r));
		EXPECT_EQ(-EPROTO, ashm_ring_stat(b.ring, &st));
	}
	/* The next writer corrects it. */
	ashm_ring_writer_close(w);
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	EXPECT_EQ(0, get(r, 256, &f, 0));
	EXPECT_EQ(2, f.seq);
	ashm_ring_reader_close(r);
	ashm_ring_writer_close(w);
	ring_free(&b);
}

/*
 * A peer marks a place as free that this process holds: it is not given out twice, and
 * using and closing it is harmless.
 */
TEST_F(lib, owner_cleared)
{
	struct ashm_reader *r, *second, *third;
	struct ashm_writer *w, *other;
	struct ashm_frame f;
	struct test_ring b;

	ASSERT_EQ(0, ring_new(&b, 256, 4, ASHM_RING_WAIT, 2));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	atomic_store(&raw_header(&b)->writer.owner, 0);
	atomic_store(&raw_header(&b)->party[1].owner, 0);
	EXPECT_EQ(-EBUSY, ashm_ring_writer(b.ring, &other));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &second));
	EXPECT_EQ(-EUSERS, ashm_ring_reader(b.ring, 0, &third));
	EXPECT_EQ(-ESTALE, put(w, 100, 1, 0));
	EXPECT_EQ(-EPIPE, get(r, 256, &f, 0));
	ashm_ring_reader_close(r);
	ashm_ring_writer_close(w);
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, put(w, 100, 1, 0));
	EXPECT_EQ(0, get(second, 256, &f, 0));
	/* Closing does not release a place that now belongs to another process. */
	atomic_store(&raw_header(&b)->writer.owner, 0x12345);
	ashm_ring_writer_close(w);
	EXPECT_EQ(0x12345, atomic_load(&raw_header(&b)->writer.owner));
	ashm_ring_reader_close(second);
	ring_free(&b);
}

/* A frame whose payload was changed after it was finished. */
TEST_F(lib, damaged)
{
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;
	char *payload;
	size_t i;

	ASSERT_EQ(0, ring_new(&b, 20000, 4, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	for (i = 0; i < 20000; i += 1811) {
		ASSERT_EQ(0, put(w, 20000, i, 0));
		payload = (char *)raw_slot(&b, i / 1811 + 1) + FRAME_HEADER;
		payload[i] ^= 0x10;
		EXPECT_EQ(-EBADMSG, i & 1 ? get(r, 20000, &f, 0) :
					    ashm_frame_borrow(r, &f, 0));
		EXPECT_EQ(-EAGAIN, get(r, 20000, &f, 0));
	}
	ASSERT_EQ(0, put(w, 20000, 99, 0));
	EXPECT_EQ(0, get(r, 20000, &f, 0));
	EXPECT_EQ(99, f.tag);
	ashm_ring_reader_close(r);
	ashm_ring_writer_close(w);
	ring_free(&b);
}

/* A slot claims a frame that belongs into another slot. */
TEST_F(lib, misplaced)
{
	_Atomic uint64_t *state;
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;
	uint64_t i;

	ASSERT_EQ(0, ring_new(&b, 100, 4, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	for (i = 1; i <= 6; i++) {
		ASSERT_EQ(0, put(w, 100, i, 0));
	}
	state = &raw_slot(&b, 1)->state;
	atomic_store(state, SLOT_READY | 6 << SLOT_SEQ_SHIFT);
	EXPECT_EQ(-EPROTO, get(r, 100, &f, 0));
	atomic_store(state, SLOT_READY | 5 << SLOT_SEQ_SHIFT);
	EXPECT_EQ(0, get(r, 100, &f, 0));
	ashm_ring_reader_close(r);
	ashm_ring_writer_close(w);
	ring_free(&b);
}

/* A borrowed frame stays invalid after another writer had the slot. */
TEST_F(lib, spoilt)
{
	_Atomic uint64_t *state;
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;

	ASSERT_EQ(0, ring_new(&b, 100, 4, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	ASSERT_EQ(0, put(w, 100, 1, 0));
	ASSERT_EQ(0, put(w, 100, 2, 0));
	ASSERT_EQ(0, ashm_frame_borrow(r, &f, 0));
	EXPECT_EQ(0, ashm_frame_valid(r));
	state = &raw_slot(&b, 1)->state;
	atomic_store(state, SLOT_WRITING | 5 << SLOT_SEQ_SHIFT);
	EXPECT_EQ(-ESTALE, ashm_frame_valid(r));
	atomic_store(state, SLOT_READY | 1 << SLOT_SEQ_SHIFT);
	EXPECT_EQ(-ESTALE, ashm_frame_valid(r));
	EXPECT_EQ(-ESTALE, ashm_frame_release(r));
	ASSERT_EQ(0, ashm_frame_borrow(r, &f, 0));
	EXPECT_EQ(2, f.seq);
	EXPECT_EQ(0, ashm_frame_release(r));
	ashm_ring_reader_close(r);
	ashm_ring_writer_close(w);
	ring_free(&b);
}

/* ---- purging ---- */

/* Purges everything, as the kernel does with unpinned pages. */
static int purge(struct test_ring *b, bool device)
{
	if (!device)
		return madvise(b->raw, page_round(b->size), MADV_REMOVE) ?
		       -errno : 0;
	if (ashmem_unpin_region(ashm_fd(b->region), 0, 0))
		return -errno;
	return purge_works() ? 0 : -EPERM;
}

TEST_F(lib, purged)
{
	struct ashm_reader *r, *waits, *borrows;
	struct ashm_ring_stat st;
	struct ashm_ring *again;
	struct ashm_writer *w, *w2;
	struct test_ring b;
	struct ashm_frame f;
	void *data;
	pid_t child;

	if (ON_DEVICE && !purge_works())
		SKIP(return, "purging needs root");
	ASSERT_EQ(0, ring_new(&b, 5000, 4, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &borrows));
	ASSERT_EQ(0, put(w, 5000, 1, 0));
	ASSERT_EQ(0, ashm_frame_borrow(borrows, &f, 0));
	/* A reader that sleeps can only be woken by its own timeout. */
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		CHILD_CHECK(!ashm_ring_attach(ashm_fd(b.region), 0, &again));
		CHILD_CHECK(!ashm_ring_reader(again, ASHM_READER_NEWEST, &waits));
		CHILD_CHECK(get(waits, 5000, &f, -1) == -ENODATA);
		_exit(0);
	}
	ASSERT_TRUE(sleeper_on(&raw_header(&b)->writer.bell));
	ASSERT_EQ(0, ashm_frame_begin(w, 5000, &data, 0));
	frame_fill(data, 5000, 2);
	ASSERT_EQ(0, purge(&b, ON_DEVICE));
	EXPECT_EQ(-ENODATA, ashm_frame_valid(borrows));
	EXPECT_EQ(-ENODATA, ashm_frame_release(borrows));
	EXPECT_EQ(-ENODATA, ashm_frame_commit(w, 5000, 2));
	EXPECT_EQ(-ENODATA, get(r, 5000, &f, 0));
	EXPECT_EQ(-ENODATA, get(r, 5000, &f, -1));
	EXPECT_EQ(-ENODATA, put(w, 10, 3, 0));
	EXPECT_EQ(-ENODATA, ashm_ring_stat(b.ring, &st));
	EXPECT_EQ(-ENODATA, ashm_ring_await_writer(b.ring, -1));
	EXPECT_EQ(-ENODATA, ashm_ring_writer(b.ring, &w2));
	EXPECT_EQ(-ENODATA, ashm_ring_attach(ashm_fd(b.region), 0, &again));
	EXPECT_EQ(0, wait_child(child));
	ashm_ring_reader_close(r);
	ashm_ring_reader_close(borrows);
	ashm_ring_writer_close(w);
	EXPECT_TRUE(zeroed(b.raw, 64));
	ring_free(&b);
}

/* Parts of it, during use. */
TEST_F(lib, purged_in_part)
{
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct test_ring b;
	struct ashm_frame f;
	size_t page = page_size();
	char *payload;
	void *data;

	ASSERT_EQ(0, ring_new(&b, 8 * page - FRAME_HEADER, 4, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &r));
	ASSERT_EQ(0, put(w, 7 * page, 1, 0));
	ASSERT_EQ(0, put(w, 7 * page, 2, 0));
	/* A page of the payload: the sum is wrong. */
	payload = (char *)raw_slot(&b, 1) + FRAME_HEADER;
	payload = (char *)(((uintptr_t)payload + page) & ~(page - 1));
	ASSERT_EQ(0, madvise(payload, page, MADV_REMOVE));
	EXPECT_EQ(-EBADMSG, get(r, 8 * page, &f, 0));
	/* The page with the frame's header: the state is gone. */
	payload = (char *)((uintptr_t)raw_slot(&b, 2) & ~(page - 1));
	ASSERT_EQ(0, madvise(payload, page, MADV_REMOVE));
	EXPECT_EQ(-ENODATA, get(r, 8 * page, &f, 0));
	/* The same with a frame that was begun, and with one that is to be. */
	ASSERT_EQ(0, ashm_frame_begin(w, 7 * page, &data, 0));
	payload = (char *)((uintptr_t)raw_slot(&b, 3) & ~(page - 1));
	ASSERT_EQ(0, madvise(payload, page, MADV_REMOVE));
	EXPECT_EQ(-ENODATA, ashm_frame_commit(w, 7 * page, 3));
	EXPECT_EQ(-ENODATA, put(w, 10, 3, 0));
	ashm_ring_reader_close(r);
	ashm_ring_writer_close(w);
	ring_free(&b);
}

/* A new writer finds a state that no writer can have left. */
TEST_F(lib, successor)
{
	static const uint64_t lies[] = {
		SLOT_READY | 9 << SLOT_SEQ_SHIFT, SLOT_WRITING | 9 << SLOT_SEQ_SHIFT,
		SLOT_EMPTY | 6 << SLOT_SEQ_SHIFT,
	};
	_Atomic uint64_t *state;
	struct ashm_writer *w;
	struct test_ring b;
	size_t i;

	ASSERT_EQ(0, ring_new(&b, 1000, 4, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	for (i = 1; i <= 4; i++) {
		ASSERT_EQ(0, put(w, 100, i, 0));
	}
	ashm_ring_writer_close(w);
	state = &raw_slot(&b, 5)->state;
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		atomic_store(state, lies[i]);
		EXPECT_EQ(-EPROTO, ashm_ring_writer(b.ring, &w));
	}
	/* Its predecessor's last frame, with a wrong length. */
	write_field(raw_slot(&b, 5), offsetof(struct frame_header, seq), 8, 5);
	write_field(raw_slot(&b, 5), offsetof(struct frame_header, length), 8, 1ULL << 40);
	atomic_store(state, SLOT_READY | 5 << SLOT_SEQ_SHIFT);
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	EXPECT_EQ(4, atomic_load(&raw_header(&b)->writer.head));
	ashm_ring_writer_close(w);
	ring_free(&b);
}

/* The page of the slot that comes next was purged. */
TEST_F(lib, purged_before_a_successor)
{
	size_t page = page_size();
	struct ashm_writer *w;
	struct test_ring b;
	uintptr_t slot;

	ASSERT_EQ(0, ring_new(&b, 2 * page - FRAME_HEADER, 4, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	ASSERT_EQ(0, put(w, 100, 1, 0));
	ashm_ring_writer_close(w);
	slot = (uintptr_t)raw_slot(&b, 2);
	ASSERT_EQ(0, madvise((void *)(slot & ~(page - 1)), page, MADV_REMOVE));
	EXPECT_EQ(-ENODATA, ashm_ring_writer(b.ring, &w));
	ring_free(&b);
}

/* ---- unsuitable regions ---- */

static int memfd(size_t size, int seals)
{
	int fd = (int)syscall(SYS_memfd_create, "bad",
			      MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)size) ||
	    (seals && fcntl(fd, F_ADD_SEALS, seals)))
		return -errno;
	return fd;
}

TEST(wrong_descriptors)
{
	struct ashm_ring_config config = { .frame_max = 100, .slots = 2 };
	struct ashm_ring *ring;
	int before = count_fds(), fds[2], fd;
	char name[] = "frame.XXXXXX";

	EXPECT_EQ(-EBADF, ashm_ring_create(-1, &config, &ring));
	EXPECT_EQ(-EBADF, ashm_ring_attach(-1, 0, &ring));
	EXPECT_EQ(-EBADF, ashm_ring_attach(9999, 0, &ring));
	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	EXPECT_EQ(-EINVAL, ashm_ring_create(fds[1], &config, &ring));
	EXPECT_EQ(-EINVAL, ashm_ring_attach(fds[0], 0, &ring));
	close(fds[0]);
	close(fds[1]);
	fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EINVAL, ashm_ring_create(fd, &config, &ring));
	EXPECT_EQ(-EINVAL, ashm_ring_attach(fd, 0, &ring));
	close(fd);
	/* Anybody may truncate a file. */
	fd = mkstemp(name);
	ASSERT_GE(fd, 0);
	unlink(name);
	ASSERT_EQ(0, ftruncate(fd, 8192));
	EXPECT_NE(0, ashm_ring_create(fd, &config, &ring));
	EXPECT_NE(0, ashm_ring_attach(fd, 0, &ring));
	close(fd);
	EXPECT_EQ(before, count_fds());
}

TEST(unsealed)
{
	struct ashm_ring_config config = { .frame_max = 100, .slots = 2 };
	struct ashm_ring *ring;
	char page[64];
	int fd;

	fd = memfd(8192, 0);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EPERM, ashm_ring_create(fd, &config, &ring));
	EXPECT_EQ(-EPERM, ashm_ring_attach(fd, 0, &ring));
	EXPECT_EQ(64, pread(fd, page, 64, 0));
	EXPECT_TRUE(zeroed(page, 64));
	/* A seal against growing is not enough. */
	ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	EXPECT_EQ(-EPERM, ashm_ring_create(fd, &config, &ring));
	EXPECT_EQ(-EPERM, ashm_ring_attach(fd, 0, &ring));
	ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	ASSERT_EQ(0, ashm_ring_create(fd, &config, &ring));
	ashm_ring_detach(ring);
	ASSERT_EQ(0, ashm_ring_attach(fd, 0, &ring));
	ashm_ring_detach(ring);
	close(fd);
}

/* Its pages can't always be had again: see real_size() in ring.c. */
TEST(huge_pages)
{
	struct ashm_ring_config config = { .frame_max = 100, .slots = 2 };
	struct ashm_ring *ring;
	int fd;

	fd = (int)syscall(SYS_memfd_create, "huge",
			  MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
	if (fd < 0)
		SKIP(return, "no memfd on huge pages");
	if (ftruncate(fd, 64 << 20) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))
		SKIP(return, "no memfd on huge pages");
	EXPECT_EQ(-EINVAL, ashm_ring_create(fd, &config, &ring));
	EXPECT_EQ(-EINVAL, ashm_ring_attach(fd, 0, &ring));
	close(fd);
}

/* The header claims more than the region has. */
TEST_F(lib, truncated)
{
	struct ashm_ring_config config = { .frame_max = 5000, .slots = 4 };
	struct ashm_ring *ring;
	struct test_ring b;
	struct ashm *small;
	size_t size;
	char *p;

	ASSERT_EQ(0, ring_new(&b, 5000, 4, 0, 0));
	for (size = 1; size < b.size; size += size < 4200 ? 1023 : 4096) {
		small = region_new("small", size);
		ASSERT_NE(NULL, small);
		EXPECT_EQ(-ENOSPC, ashm_ring_create(ashm_fd(small), &config,
						    &ring));
		p = region_map(small, PROT_RW);
		ASSERT_NE(NULL, p);
		memcpy(p, b.raw, size);
		EXPECT_EQ(-EPROTO, ashm_ring_attach(ashm_fd(small), 0, &ring));
		EXPECT_EQ(0, memcmp(p, b.raw, size));
		ashm_unmap(p, size);
		ashm_close(small);
	}
	/* Exactly as much as it needs, in any larger region. */
	small = region_new("large enough", b.size + 1);
	ASSERT_NE(NULL, small);
	EXPECT_EQ(-ENODATA, ashm_ring_attach(ashm_fd(small), 0, &ring));
	ASSERT_EQ(0, ashm_ring_create(ashm_fd(small), &config, &ring));
	ashm_ring_detach(ring);
	ASSERT_EQ(0, ashm_ring_attach(ashm_fd(small), 0, &ring));
	ashm_ring_detach(ring);
	ashm_close(small);
	ring_free(&b);
}

TEST(empty_regions)
{
	struct ashm_ring_config config = { .frame_max = 100, .slots = 2 };
	struct ashm_ring *ring;
	int fd;

	fd = memfd(0, SIZE_SEALS);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-ENOSPC, ashm_ring_create(fd, &config, &ring));
	EXPECT_EQ(-EPROTO, ashm_ring_attach(fd, 0, &ring));
	close(fd);
	fd = ash_open(O_RDWR);
	if (fd < 0)
		SKIP(return, "no " ASHMEM_DEV " here");
	EXPECT_EQ(-ENOSPC, ashm_ring_create(fd, &config, &ring));
	EXPECT_EQ(-EPROTO, ashm_ring_attach(fd, 0, &ring));
	close(fd);
}

TEST_F(lib, no_right_to_write)
{
	struct ashm_ring_config config = { .frame_max = 100, .slots = 2 };
	struct ashm_ring *ring;
	struct ashm *region = region_new("masked", 8192);

	ASSERT_NE(NULL, region);
	ASSERT_EQ(0, ashm_protect(region, PROT_READ));
	EXPECT_EQ(-EACCES, ashm_ring_create(ashm_fd(region), &config, &ring));
	EXPECT_EQ(-ENODATA, ashm_ring_attach(ashm_fd(region), 0, &ring));
	ashm_close(region);
}

/* Too large for the address space of a 32-bit process; otherwise valid. */
TEST_F(lib, beyond_4g)
{
	struct ashm_ring_config config = { .frame_max = 3ULL << 30, .slots = 2 };
	struct ring_fixed fixed = {
		.magic = RING_MAGIC,
		.version = RING_VERSION,
		.frame_max = 3ULL << 30,
		.slots = 2,
		.stride = (3ULL << 30) + FRAME_HEADER,
		.region_size = RING_HEADER + 2 * ((3ULL << 30) + FRAME_HEADER),
	};
	struct ashm_writer *w;
	struct ashm_reader *r;
	struct ashm_frame f;
	struct ashm_ring *ring;
	char page[4096] = { 0 };
	uint64_t size;
	int fd;

	ASSERT_EQ(0, ashm_ring_size(&config, &size));
	ASSERT_EQ(fixed.region_size, size);
	if (sizeof(size_t) == 4) {
		if (ON_DEVICE)
			SKIP(return, "no size_t for its size");
		fd = memfd(0, 0);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, ftruncate(fd, (off_t)size));
		ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, SIZE_SEALS));
		EXPECT_EQ(-EOVERFLOW, ashm_ring_create(fd, &config, &ring));
		sign_ring(&fixed);
		memcpy(page, &fixed, sizeof(fixed));
		ASSERT_EQ(4096, pwrite(fd, page, 4096, 0));
		EXPECT_EQ(-EOVERFLOW, ashm_ring_attach(fd, 0, &ring));
		close(fd);
		return;
	}
	{
		struct ashm *region = region_new("large", (size_t)size);

		if (!region)
			SKIP(return, "no region of 6 GiB here");
		fd = ashm_fd(region);
		if (ashm_ring_create(fd, &config, &ring) == -ENOMEM) {
			ashm_close(region);
			SKIP(return, "no mapping of 6 GiB here");
		}
		ASSERT_EQ(0, ashm_ring_writer(ring, &w));
		ASSERT_EQ(0, ashm_ring_reader(ring, 0, &r));
		ASSERT_EQ(0, put(w, 100, 1, 0));
		ASSERT_EQ(0, put(w, 100, 2, 0));
		ASSERT_EQ(0, get(r, 100, &f, 0));
		EXPECT_EQ(1, f.seq);
		ashm_ring_reader_close(r);
		ashm_ring_writer_close(w);
		ashm_ring_detach(ring);
		ashm_close(region);
	}
}

TEST_HARNESS_MAIN
