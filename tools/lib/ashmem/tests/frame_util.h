/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the frames share. A payload is 64-bit words that depend on the
 * frame's number, so a byte of any other frame is detected. Include after lib_util.h.
 */
#ifndef FRAME_UTIL_H
#define FRAME_UTIL_H

#include <ashmem_frame.h>

#include "../frame/format.h"

#include "tsan.h"

struct test_ring {
	struct ashm *region;
	struct ashm_ring *ring;
	char *raw;		/* the whole region, as any holder may map it */
	size_t size;
};

/* A ring in its own region, of exactly the size that it needs; 0 or -errno. */
static UNUSED int ring_new(struct test_ring *b, uint64_t frame_max,
			   uint32_t slots, uint32_t flags, uint32_t readers)
{
	struct ashm_ring_config config = {
		.frame_max = frame_max,
		.slots = slots,
		.flags = flags,
		.readers = readers,
	};
	uint64_t size;
	int ret;

	memset(b, 0, sizeof(*b));
	ret = ashm_ring_size(&config, &size);
	if (ret)
		return ret;
	b->size = (size_t)size;
	b->region = region_new("frames", b->size);
	if (!b->region)
		return -errno;
	ret = ashm_ring_create(ashm_fd(b->region), &config, &b->ring);
	if (ret)
		return ret;
	b->raw = region_map(b->region, PROT_RW);
	return b->raw ? 0 : -errno;
}

static UNUSED void ring_free(struct test_ring *b)
{
	ashm_ring_detach(b->ring);
	ashm_unmap(b->raw, b->size);
	ashm_close(b->region);
}

static UNUSED struct ring_header *raw_header(struct test_ring *b)
{
	return (struct ring_header *)b->raw;
}

/* How many readers have joined. */
static UNUSED uint32_t raw_joins(struct test_ring *b)
{
	return atomic_load(&raw_header(b)->writer.joins) - raw_header(b)->fixed.check;
}

static UNUSED struct frame_slot *raw_slot(struct test_ring *b, uint64_t seq)
{
	struct ring_fixed *fixed = &raw_header(b)->fixed;

	return (struct frame_slot *)(b->raw + RING_HEADER +
				     seq % fixed->slots * fixed->stride);
}

/* CRC-32C by definition, one bit at a time. */
static UNUSED uint32_t crc32c(uint32_t crc, const void *buf, size_t len)
{
	const unsigned char *p = buf;
	int bit;

	while (len--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return crc;
}

static UNUSED uint64_t frame_word(uint64_t tag, size_t i)
{
	return (tag + 1) * 0x9e3779b97f4a7c15ULL + i;
}

static UNUSED void frame_fill(void *buf, size_t len, uint64_t tag)
{
	uint64_t word;
	size_t i;

	for (i = 0; i < len; i += sizeof(word)) {
		word = frame_word(tag, i);
		memcpy((char *)buf + i, &word,
		       len - i < sizeof(word) ? len - i : sizeof(word));
	}
}

static UNUSED bool frame_filled(const void *buf, size_t len, uint64_t tag)
{
	uint64_t word;
	size_t i;

	for (i = 0; i < len; i += sizeof(word)) {
		word = frame_word(tag, i);
		if (memcmp((const char *)buf + i, &word,
			   len - i < sizeof(word) ? len - i : sizeof(word)))
			return false;
	}
	return true;
}

/* Writes one frame of the pattern. */
static UNUSED int put(struct ashm_writer *w, size_t len, uint64_t tag, int timeout)
{
	char *buf = malloc(len + 1);
	int ret;

	if (!buf)
		return -ENOMEM;
	frame_fill(buf, len, tag);
	ret = ashm_frame_write(w, buf, len, tag, timeout);
	free(buf);
	return ret;
}

/* Reads one and checks its payload against its tag; -EILSEQ if it is wrong. */
static UNUSED int get(struct ashm_reader *r, size_t max, struct ashm_frame *f,
		      int timeout)
{
	char *buf = malloc(max + 1);
	int ret;

	if (!buf)
		return -ENOMEM;
	ret = ashm_frame_read(r, buf, max, f, timeout);
	if (!ret && !frame_filled(buf, (size_t)f->length, f->tag))
		ret = -EILSEQ;
	free(buf);
	return ret;
}

/*
 * Within a slice of waiting, which means woken and not polling. One of several may take
 * longer: guests can stall.
 */
#define SOON_MS		900

static UNUSED long now_ms(void)
{
	return (long)(now_s() * 1e3);
}

/* Waits until that many processes sleep on the word, as far as it shows. */
static UNUSED bool sleeper_on(_Atomic uint32_t *word)
{
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (atomic_load(word) & RING_SLEEPER)
			return true;
		nap_ms(5);
	}
	return false;
}

#endif
