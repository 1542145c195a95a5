// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * Writing frames. A slot goes through
 *
 *	EMPTY or an old frame -> WRITING(seq) -> READY(seq)
 *
 * and a reader makes it CONSUMED(seq). The writer in WRITING owns the slot. The fence
 * behind that store orders it before the changes of the payload, so that a reader of the
 * old frame detects them. READY is stored last, with release, and then the head.
 *
 * With ASHM_RING_WAIT a slot may be written again when the next frame of every reader is
 * a younger one. The lowest of these is cached: it only rises, unless a reader joins,
 * which increments a counter. A reader that joins starts with "oldest", which the writer
 * raises before it overwrites a frame.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct ashm_writer {
	struct ashm_ring *ring;
	struct frame_slot *slot;	/* of the frame that was begun */
	size_t room;			/* its largest possible length */
	uint64_t seq;			/* the next frame's number */
	uint64_t free_below;		/* frames that no reader wants */
	uint32_t claimed;
	uint32_t joins;
	uint32_t generation;
};

uint32_t libashmem_frame_crc(const struct frame_header *header)
{
	struct frame_header copy = *header;

	copy.state = 0;
	copy.check = 0;
	return libashmem_crc(LIBASHMEM_CRC_INIT, &copy, sizeof(copy));
}

uint32_t libashmem_frame_crc_in_place(struct ashm_ring *ring, struct frame_slot *slot,
				      const struct frame_header *header)
{
	uint32_t crc = libashmem_frame_crc(header);

	if (!ring_checked(ring))
		return crc;
	return libashmem_crc_shared(crc, slot_payload(slot), (size_t)header->length);
}

/* ---- taking over ---- */

/* A frame that was finished except for the head when its writer died. */
static bool finished(struct ashm_ring *ring, struct frame_slot *slot, uint64_t seq)
{
	struct frame_header header;
	uint64_t words[FRAME_HEADER / 8];
	size_t i;

	for (i = 0; i < FRAME_HEADER / 8; i++)
		words[i] = atomic_load_explicit(&slot->words[i],
						memory_order_acquire);
	memcpy(&header, words, sizeof(header));
	return slot_readable(header.state, seq) && header.seq == seq &&
	       header.length <= ring->frame_max &&
	       ~libashmem_frame_crc_in_place(ring, slot, &header) == header.check;
}

/* The frame that the next one overwrites exists until that one is begun. */
static void keep_from(struct ashm_writer *writer)
{
	struct ashm_ring *ring = writer->ring;
	uint64_t state = atomic_load(&ring_slot(ring, writer->seq)->state);
	uint64_t begun = state >> SLOT_SEQ_SHIFT == writer->seq;
	uint64_t end = writer->seq + begun;

	if (ring->flags & ASHM_RING_WAIT)
		atomic_store(&ring_writer(ring)->oldest,
			     end > ring->slots ? end - ring->slots : 1);
}

/* At most one frame can be unfinished, the one after the head: keep it or drop it. */
static int take_over(struct ashm_writer *writer)
{
	struct ashm_ring *ring = writer->ring;
	struct ring_writer *shared = ring_writer(ring);
	uint64_t head = atomic_load(&shared->head), state, seq;
	struct frame_slot *slot;

	if (head >= SLOT_SEQ_MAX - ASHM_RING_SLOTS_MAX)
		return -EPROTO;
	seq = head + 1;
	slot = ring_slot(ring, seq);
	if (!atomic_load(&slot->magic))
		return -ENODATA;
	state = atomic_load(&slot->state);
	if (state >> SLOT_SEQ_SHIFT == seq) {
		if (finished(ring, slot, seq)) {
			atomic_store(&shared->head, seq);
			seq++;
		} else {
			atomic_store(&slot->state, slot_state(seq, SLOT_EMPTY));
		}
	} else if (state >> SLOT_SEQ_SHIFT > seq) {
		return -EPROTO;
	}
	writer->seq = seq;
	keep_from(writer);
	return 0;
}

int ashm_ring_writer(struct ashm_ring *ring, struct ashm_writer **out)
{
	KEEP_ERRNO;
	struct ring_writer *shared = ring_writer(ring);
	struct ashm_writer *writer;
	int ret;

	ret = libashmem_ring_mine(ring);
	if (ret)
		return ret;
	if (!ring->writable)
		return -EACCES;
	ret = libashmem_ring_check(ring);
	if (ret)
		return ret;
	writer = calloc(1, sizeof(*writer));
	if (!writer)
		return -ENOMEM;
	writer->ring = ring;
	ret = libashmem_guard_claim(&shared->owner, &writer->claimed, ring);
	if (ret)
		goto free_writer;
	ret = take_over(writer);
	if (ret)
		goto release;
	writer->joins = atomic_load(&shared->joins) - 1;
	writer->generation = atomic_load(&shared->generation) + 1;
	/* 0 says that there was none. */
	if (!writer->generation)
		writer->generation = 1;
	atomic_store(&shared->generation, writer->generation);
	libashmem_ring_get(ring);
	libashmem_ring_bell(&shared->bell, true);
	*out = writer;
	return 0;

release:
	libashmem_guard_release(&shared->owner, writer->claimed, ring);
free_writer:
	free(writer);
	return ret;
}

void ashm_ring_writer_close(struct ashm_writer *writer)
{
	KEEP_ERRNO;
	struct ring_writer *shared;

	if (!writer)
		return;
	shared = ring_writer(writer->ring);
	if (!libashmem_ring_mine(writer->ring)) {
		if (writer->slot)
			ashm_frame_abort(writer);
		libashmem_guard_release(&shared->owner, writer->claimed, writer->ring);
		libashmem_ring_bell(&shared->bell, true);
	}
	libashmem_ring_put(writer->ring);
	free(writer);
}

/* ---- room ---- */

/*
 * No reader wants the frames below the result; *@holder is a reader that wants the first
 * one that isn't. 0 if there is no reader, or only one that is just joining, which then
 * is *@holder. Frees places of dead readers.
 */
static uint64_t wanted_from(struct ashm_ring *ring, struct ring_party **holder)
{
	uint64_t lowest = UINT64_MAX, next;
	struct ring_party *party;
	uint32_t i, owner;

	*holder = NULL;
	for (i = 1; i <= ring->readers; i++) {
		party = &ring->header->party[i];
		owner = atomic_load_explicit(&party->owner, memory_order_acquire);
		if (libashmem_guard_died(owner)) {
			atomic_compare_exchange_strong(&party->owner, &owner, 0);
			continue;
		}
		if (!libashmem_guard_alive(owner))
			continue;
		next = atomic_load_explicit(&party->next, memory_order_acquire);
		/* A joining reader makes sure of its place itself. */
		if (next ? next < lowest : !*holder) {
			lowest = next ? next : lowest;
			*holder = party;
		}
	}
	return lowest == UINT64_MAX ? 0 : lowest;
}

/* True when no reader wants frame @old or one before it. */
static bool unwanted(struct ashm_writer *writer, uint64_t old,
		     struct ring_party **holder)
{
	struct ashm_ring *ring = writer->ring;
	struct ring_writer *shared = ring_writer(ring);
	uint32_t joins;

	/* Behind the store to "oldest", in the one order of such operations. */
	joins = atomic_load(&shared->joins);
	if (joins == writer->joins && old < writer->free_below)
		return true;
	writer->joins = joins;
	/* Without a reader, keep all for the first one. */
	writer->free_below = wanted_from(ring, holder);
	return old < writer->free_below;
}

/* True when the slot of the next frame may be overwritten. */
static bool has_room(struct ashm_writer *writer, struct ring_party **holder)
{
	struct ring_writer *shared = ring_writer(writer->ring);
	uint64_t old = writer->seq - writer->ring->slots;

	*holder = NULL;
	if (writer->seq <= writer->ring->slots)
		return true;
	if (!unwanted(writer, old, holder))
		return false;
	/* See join(): a reader that doesn't see this is seen here. */
	atomic_store(&shared->oldest, old + 1);
	if (unwanted(writer, old, holder))
		return true;
	atomic_store(&shared->oldest, old);
	return false;
}

static int wait_for_room(struct ashm_writer *writer, int timeout)
{
	struct ring_writer *shared = ring_writer(writer->ring);
	struct deadline deadline = { .timeout = timeout };
	struct ring_party *holder;
	struct spin spin = { 0 };
	uint32_t value, owner;
	int ret, waited = 0;

	for (;;) {
		do {
			if (has_room(writer, &holder))
				return 0;
		} while (holder &&
			 libashmem_spin(&spin, ring_spin(writer->ring), &deadline));
		/* Arm before the final look. */
		value = libashmem_arm(&shared->room);
		if (has_room(writer, &holder))
			return 0;
		ret = libashmem_ring_check(writer->ring);
		if (ret)
			return ret;
		if (!holder && atomic_load(&shared->joins) != writer->ring->joins)
			return -EPIPE;
		if (waited)
			return waited;
		owner = 0;
		if (holder) {
			owner = atomic_load(&holder->owner);
			if (!libashmem_guard_alive(owner))
				continue;
		}
		waited = libashmem_wait(&shared->room, value,
					holder ? &holder->owner : NULL, owner,
					&deadline, RING_SLICE_MS);
	}
}

/* ---- frames ---- */

/* The ring is unchanged and belongs to this writer. */
static int check(struct ashm_writer *writer)
{
	struct ashm_ring *ring = writer->ring;
	int ret = libashmem_ring_check(ring);

	if (ret)
		return ret;
	if (atomic_load_explicit(&ring_writer(ring)->owner,
				 memory_order_relaxed) != writer->claimed)
		return -ESTALE;
	return 0;
}

int ashm_frame_begin(struct ashm_writer *writer, size_t length, void **data,
		     int timeout)
{
	struct ashm_ring *ring = writer->ring;
	struct frame_slot *slot;
	int ret;

	ret = libashmem_ring_mine(ring);
	if (ret)
		return ret;
	if (writer->slot)
		return -EINPROGRESS;
	if (length > ring->frame_max)
		return -EMSGSIZE;
	ret = check(writer);
	if (ret)
		return ret;
	if (ring->flags & ASHM_RING_WAIT) {
		ret = wait_for_room(writer, timeout);
		if (ret)
			return ret;
	}
	slot = ring_slot(ring, writer->seq);
	if (!atomic_load_explicit(&slot->magic, memory_order_relaxed))
		return -ENODATA;
	atomic_store_explicit(&slot->state, slot_state(writer->seq, SLOT_WRITING),
			      memory_order_release);
	atomic_thread_fence(memory_order_release);
	writer->slot = slot;
	writer->room = length;
	*data = slot_payload(slot);
	return 0;
}

int ashm_frame_abort(struct ashm_writer *writer)
{
	int ret = libashmem_ring_mine(writer->ring);

	if (ret)
		return ret;
	if (!writer->slot)
		return -EINVAL;
	/* A successor, or a recreated ring, has other uses for the slot. */
	if (!check(writer))
		atomic_store_explicit(&writer->slot->state,
				      slot_state(writer->seq, SLOT_EMPTY),
				      memory_order_release);
	writer->slot = NULL;
	return 0;
}

/* @crc is of the header's fields and, where it is checked, the payload. */
static int publish(struct ashm_writer *writer, struct frame_header *header,
		   uint32_t crc)
{
	struct ring_writer *shared = ring_writer(writer->ring);
	struct frame_slot *slot = writer->slot;
	uint64_t words[FRAME_HEADER / 8];
	size_t i;
	int ret;

	header->check = ~crc;
	memcpy(words, header, sizeof(words));
	writer->slot = NULL;
	ret = check(writer);
	if (ret)
		return ret;
	/* Zeroes mustn't become a frame with a good checksum. */
	if (atomic_load_explicit(&slot->state, memory_order_relaxed) !=
	    slot_state(writer->seq, SLOT_WRITING))
		return -ENODATA;
	for (i = 0; i < FRAME_HEADER / 8; i++) {
		if (i != offsetof(struct frame_slot, state) / 8)
			atomic_store_explicit(&slot->words[i], words[i],
					      memory_order_relaxed);
	}
	atomic_store_explicit(&slot->state, slot_state(writer->seq, SLOT_READY),
			      memory_order_release);
	atomic_store_explicit(&shared->head, writer->seq, memory_order_release);
	writer->seq++;
	libashmem_ring_bell(&shared->bell,
			    writer->ring->flags & ASHM_RING_READONLY);
	return 0;
}

static void fill_header(struct ashm_writer *writer, struct frame_header *header,
			size_t length, uint64_t tag)
{
	memset(header, 0, sizeof(*header));
	header->magic = FRAME_MAGIC;
	header->version = FRAME_VERSION;
	header->seq = writer->seq;
	header->length = length;
	header->region_size = writer->ring->region_size;
	header->tag = tag;
	header->generation = writer->generation;
}

int ashm_frame_commit(struct ashm_writer *writer, size_t length, uint64_t tag)
{
	struct frame_header header;
	int ret;

	ret = libashmem_ring_mine(writer->ring);
	if (ret)
		return ret;
	if (!writer->slot || length > writer->room)
		return -EINVAL;
	fill_header(writer, &header, length, tag);
	return publish(writer, &header,
		       libashmem_frame_crc_in_place(writer->ring, writer->slot, &header));
}

int ashm_frame_write(struct ashm_writer *writer, const void *data,
		     size_t length, uint64_t tag, int timeout)
{
	struct frame_header header;
	uint32_t crc;
	void *to;
	int ret;

	ret = ashm_frame_begin(writer, length, &to, timeout);
	if (ret)
		return ret;
	fill_header(writer, &header, length, tag);
	crc = libashmem_frame_crc(&header);
	if (ring_checked(writer->ring))
		crc = libashmem_crc_copy_in(crc, to, data, length);
	else
		libashmem_copy_in(to, data, length);
	return publish(writer, &header, crc);
}
