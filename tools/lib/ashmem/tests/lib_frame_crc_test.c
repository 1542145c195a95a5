// SPDX-License-Identifier: GPL-2.0
/*
 * The checksum: both ways to compute it, which a processor chooses between by
 * itself, so that the library's source is compiled in here.
 */
#include "kselftest_harness.h"
#include "lib_util.h"
#include "frame_util.h"

#include <pthread.h>

#include "../frame_crc.c"

#define ROOM	(6 * LANE + 64)

typedef uint32_t run_t(uint32_t crc, char *dst, const char *src, size_t len);

FIXTURE(crc) {
	_Alignas(8) char src[ROOM];
	_Alignas(8) char dst[ROOM];
};

FIXTURE_VARIANT(crc) {
	run_t *private;
	run_t *from_shared;
	run_t *to_shared;
	bool by_cpu;
};

FIXTURE_VARIANT_ADD(crc, bitwise) {
	.private = bits_private,
	.from_shared = bits_from_shared,
	.to_shared = bits_to_shared,
};

#ifdef CRC_TARGET
FIXTURE_VARIANT_ADD(crc, instruction) {
	.private = cpu_private,
	.from_shared = cpu_from_shared,
	.to_shared = cpu_to_shared,
	.by_cpu = true,
};
#endif

FIXTURE_SETUP(crc)
{
	if (variant->by_cpu && !by_cpu())
		SKIP(return, "this processor has no such instruction");
	frame_fill(self->src, ROOM, 1);
}

FIXTURE_TEARDOWN(crc)
{
}

/* RFC 3720, B.4, whose sums are written with the lowest byte first. */
TEST_F(crc, known_sums)
{
	char *data = self->src;
	int i;

	EXPECT_EQ(0xe3069283, ~variant->private(~0u, NULL, "123456789", 9));
	EXPECT_EQ(0, ~variant->private(~0u, NULL, "", 0));
	memset(data, 0, 32);
	EXPECT_EQ(0x8a9136aa, ~variant->private(~0u, NULL, data, 32));
	memset(data, 0xff, 32);
	EXPECT_EQ(0x62a8ab43, ~variant->private(~0u, NULL, data, 32));
	for (i = 0; i < 32; i++)
		data[i] = (char)i;
	EXPECT_EQ(0x46dd794e, ~variant->private(~0u, NULL, data, 32));
	for (i = 0; i < 32; i++)
		data[i] = (char)(31 - i);
	EXPECT_EQ(0x113fdb5c, ~variant->private(~0u, NULL, data, 32));
}

/* Around words and lanes; copies are exact, and end where they have to. */
TEST_F(crc, lengths)
{
	static const size_t around[] = { 0, 16, 3 * LANE, 4 * LANE, 6 * LANE };
	size_t i, len;
	uint32_t sum;

	for (i = 0; i < ARRAY_SIZE(around); i++) {
		for (len = around[i] < 17 ? around[i] : around[i] - 17;
		     len <= around[i] + 17; len++) {
			sum = crc32c(i, self->src, len);
			EXPECT_EQ(sum, variant->private(i, NULL, self->src, len));
			EXPECT_EQ(sum, variant->from_shared(i, NULL, self->src, len));
			memset(self->dst, 0x5a, ROOM);
			EXPECT_EQ(sum, variant->from_shared(i, self->dst, self->src, len));
			EXPECT_EQ(0, memcmp(self->dst, self->src, len));
			EXPECT_EQ(0x5a, self->dst[len]);
			memset(self->dst, 0x5a, ROOM);
			EXPECT_EQ(sum, variant->to_shared(i, self->dst, self->src, len));
			EXPECT_EQ(0, memcmp(self->dst, self->src, len));
			EXPECT_EQ(0x5a, self->dst[len]);
			ASSERT_TRUE(frame_filled(self->src, ROOM, 1)) {
				TH_LOG("%zu bytes", len);
			}
		}
	}
}

/* What is private may lie anywhere, and parts chain. */
TEST_F(crc, parts)
{
	const size_t len = 3 * LANE + 32;
	uint32_t sum = crc32c(~0u, self->src + 3, len), first;
	size_t part;

	for (part = 0; part <= len; part += part < 24 ? 1 : 1021) {
		first = variant->private(~0u, NULL, self->src + 3, part);
		EXPECT_EQ(sum, variant->private(first, NULL, self->src + 3 + part,
						len - part));
	}
	for (part = 0; part < 8; part++) {
		sum = crc32c(~0u, self->src + part, len);
		EXPECT_EQ(sum, variant->private(~0u, NULL, self->src + part, len));
		EXPECT_EQ(sum, variant->to_shared(~0u, self->dst, self->src + part, len));
		EXPECT_EQ(0, memcmp(self->dst, self->src + part, len));
	}
}

struct scribe {
	_Atomic bool stop;
	char *data;
};

static void *scribble(void *arg)
{
	struct scribe *scribe = arg;
	uint32_t n = 0;
	size_t i;

	while (!atomic_load(&scribe->stop))
		for (i = 0; i < ROOM; i += sizeof(n), n++)
			atomic_store((_Atomic uint32_t *)(scribe->data + i), n);
	return NULL;
}

/* The sum is that of the copy, whatever a peer does to the original meanwhile. */
TEST_F(crc, of_what_was_copied)
{
	struct scribe scribe = { .data = self->src };
	pthread_t thread;
	int turn, changed = 0;
	uint32_t sum;

	ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, &scribe));
	for (turn = 0; turn < 100 || (!changed && turn < 3000); turn++) {
		sum = variant->from_shared(~0u, self->dst, self->src, ROOM);
		ASSERT_EQ(sum, crc32c(~0u, self->dst, ROOM));
		changed += sum != variant->from_shared(~0u, NULL, self->src, ROOM);
	}
	atomic_store(&scribe.stop, true);
	pthread_join(thread, NULL);
	EXPECT_GT(changed, 0);
}

/* What the frames use is the instruction where there is one. */
TEST(chosen)
{
	const char *wanted = getenv("ASHMEM_TEST_CRC");

#if defined(__x86_64__) || defined(__i386__)
	if (!wanted)
		wanted = __builtin_cpu_supports("sse4.2") ? "instruction" : "bitwise";
#endif
	if (!wanted)
		SKIP(return, "ASHMEM_TEST_CRC doesn't say what is to be expected");
	EXPECT_STREQ(wanted, libashmem_crc_name());
}

/* The frames' own calls, in a ring: what is in a slot has the sum that it says. */
TEST(in_frames)
{
	static const size_t lengths[] = {
		0, 1, 7, 8, 9, 4096, 12287, 12288, 12289, 12296, 24576, 40001,
	};
	struct frame_header header;
	struct ashm_writer *w;
	struct test_ring b;
	uint32_t check;
	size_t i;

	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "memfd", 1));
	ASSERT_EQ(0, ring_new(&b, 40001, ARRAY_SIZE(lengths), 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		ASSERT_EQ(0, put(w, lengths[i], i, 0));
		memcpy(&header, raw_slot(&b, i + 1), sizeof(header));
		check = header.check;
		header.check = 0;
		header.state = 0;
		EXPECT_EQ(check, ~crc32c(crc32c(~0u, &header, sizeof(header)),
					 (char *)raw_slot(&b, i + 1) + FRAME_HEADER,
					 lengths[i])) {
			TH_LOG("%zu bytes", lengths[i]);
		}
	}
	ashm_ring_writer_close(w);
	ring_free(&b);
}

TEST_HARNESS_MAIN
