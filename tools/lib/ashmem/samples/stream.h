/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 ashmem maintainers */
/*
 * The frames of the samples, with varying length and contents, and the counts that both
 * ends compare at the end.
 */
#ifndef STREAM_H
#define STREAM_H

#include <ashmem.h>
#include <ashmem_frame.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_FRAME_MAX	(256 * 1024)
#define STREAM_SLOTS		8
#define STREAM_TIMEOUT		60000	/* ms; a peer that does nothing this long */

struct totals {
	uint64_t frames;
	uint64_t bytes;
	uint64_t digest;
};

static inline struct ashm_ring_config stream_config(void)
{
	struct ashm_ring_config config;

	memset(&config, 0, sizeof(config));
	config.frame_max = STREAM_FRAME_MAX;
	config.slots = STREAM_SLOTS;
	config.flags = ASHM_RING_WAIT;
	config.readers = 1;
	return config;
}

/* A region with a ring in it; 0 or -errno. */
static inline int stream_create(struct ashm **region, struct ashm_ring **ring)
{
	struct ashm_ring_config config = stream_config();
	uint64_t size;
	int ret;

	ret = ashm_ring_size(&config, &size);
	if (ret)
		return ret;
	ret = ashm_create("frames", (size_t)size, region);
	if (ret)
		return ret;
	ret = ashm_ring_create(ashm_fd(*region), &config, ring);
	if (ret)
		ashm_close(*region);
	return ret;
}

static inline int stream_error(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-error));
	return error;
}

static inline void stream_count(struct totals *totals, const void *data,
				size_t length)
{
	uint64_t word = 0;
	size_t i;

	for (i = 0; i < length; i += sizeof(word)) {
		memcpy(&word, (const char *)data + i,
		       length - i < sizeof(word) ? length - i : sizeof(word));
		totals->digest = (totals->digest ^ word) * 0x100000001b3ULL;
	}
	totals->frames++;
	totals->bytes += length;
}

/* Writes frames, made in place, until @bytes are through; 0 or -errno. */
static inline int stream_out(struct ashm_ring *ring, uint64_t bytes,
			     struct totals *totals)
{
	struct ashm_writer *writer;
	size_t length, i;
	uint64_t random;
	void *data;
	int ret;

	memset(totals, 0, sizeof(*totals));
	ret = ashm_ring_writer(ring, &writer);
	if (ret)
		return stream_error("becoming the writer", ret);
	while (!ret && totals->bytes < bytes) {
		random = (totals->frames + 1) * 0x9e3779b97f4a7c15ULL;
		length = 1 + (size_t)(random >> 40) % STREAM_FRAME_MAX;
		if (length > bytes - totals->bytes)
			length = (size_t)(bytes - totals->bytes);
		ret = ashm_frame_begin(writer, length, &data, STREAM_TIMEOUT);
		if (ret)
			break;
		for (i = 0; i < length; i++)
			((unsigned char *)data)[i] =
				(unsigned char)((random >> (i & 31)) + i);
		stream_count(totals, data, length);
		ret = ashm_frame_commit(writer, length, totals->frames);
	}
	if (ret)
		stream_error("writing", ret);
	ashm_ring_writer_close(writer);
	return ret;
}

/* Reads frames in place, until the writer closes; 0 or -errno. */
static inline int stream_in(struct ashm_reader *reader, struct totals *totals)
{
	struct ashm_frame frame;
	int ret;

	memset(totals, 0, sizeof(*totals));
	for (;;) {
		ret = ashm_frame_borrow(reader, &frame, STREAM_TIMEOUT);
		if (ret)
			break;
		stream_count(totals, frame.data, (size_t)frame.length);
		ret = ashm_frame_release(reader);
		if (ret)
			break;
	}
	return ret == -EPIPE ? 0 : stream_error("reading", ret);
}

/* Prints the result. True if both ends have the same counts. */
static inline int stream_same(const struct totals *sent,
			      const struct totals *got)
{
	printf("sent: %llu bytes in %llu frames, digest %016llx\n",
	       (unsigned long long)sent->bytes, (unsigned long long)sent->frames,
	       (unsigned long long)sent->digest);
	printf("got:  %llu bytes in %llu frames, digest %016llx\n",
	       (unsigned long long)got->bytes, (unsigned long long)got->frames,
	       (unsigned long long)got->digest);
	return !memcmp(sent, got, sizeof(*sent));
}

#endif
