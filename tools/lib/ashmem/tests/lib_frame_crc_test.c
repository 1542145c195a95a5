// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checksum: both ways to compute it. The CPU decides which one is used, so the
 * library's source is compiled in here.
 */
#include "kselftest_harness.h"
#include "lib_util.h"
#include "frame_util.h"

#include <pthread.h>

#include "../frame/crc.c"

#define ROOM	(6 * LANE + 64)

typedef uint32_t run_t(uint32_t crc, char *dst, const char *src, size_t len);

#ifdef CRC_TARGET
static uint32_t sum_or_blocks(uint32_t crc, char *dst, const char *src, size_t len)
{
	if (dst)
		return blocks_from_shared(crc, dst, src, len);
	return cpu_from_shared(crc, dst, src, len);
}
#endif

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

/* What is private has no blocks: the sum of lanes. */
FIXTURE_VARIANT_ADD(crc, blocks) {
	.private = cpu_private,
	.from_shared = sum_or_blocks,
	.to_shared = blocks_to_shared,
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

/* Lengths around words and lanes; copies are exact, and end at the right byte. */
TEST_F(crc, lengths)
{
	static const size_t around[] = {
		0, 16, 3 * 320, 3 * 1344, 3 * 1344 + 3 * 320, 3 * LANE, 4 * LANE, 6 * LANE,
	};
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

/* Private data may have any alignment, and parts chain. */
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

/* The sum is that of the copy, even if a peer changes the original. */
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

#ifdef CRC_TARGET
/* The copy undoes the original, which therefore mustn't be what is summed up. */
TEST(blocks_of_what_was_copied)
{
	const size_t len = 2 * BLOCK_MAX + 100;
	char *buf = malloc(len + 8);
	uint32_t sum;

	ASSERT_NE(NULL, buf);
	if (!by_cpu())
		SKIP(return, "this processor has no such instruction");
	frame_fill(buf + 8, len, 1);
	sum = crc32c(~0u, buf + 8, len);
	EXPECT_EQ(sum, blocks_from_shared(~0u, buf, buf + 8, len));
	EXPECT_TRUE(frame_filled(buf, len, 1));
	free(buf);
}
#endif

/* Frames use the instruction if the CPU has it. */
TEST(chosen)
{
	const char *wanted = getenv("ASHMEM_TEST_CRC");

#if defined(__x86_64__) || defined(__i386__)
	if (!wanted)
		wanted = __builtin_cpu_supports("sse4.2") ? "instruction" : "bitwise";
#endif
	if (!wanted)
		SKIP(return, "ASHMEM_TEST_CRC doesn't name the expected kind");
	EXPECT_STREQ(wanted, libashmem_crc_name());
}

/* The calls of the frames, in a ring: the contents of a slot match its sum. */
TEST(in_frames)
{
	static const size_t lengths[] = {
		0, 1, 7, 8, 9, 959, 960, 4031, 4032, 4096, 16319, 16320, 16321, 16328,
		32640, 40001,
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
