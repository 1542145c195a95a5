// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * Reading frames. A reader loads the state of the slot of its next frame, copies header
 * and payload, and loads the state again. The copy is valid only if the state has not
 * changed. The fence between copy and second load keeps that order. The copied header is
 * checked last, so that an overwritten frame does not look like a damaged one.
 *
 * A state or a head that no correct writer could have stored is an error.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* How many overwritten copies to retry before giving up. */
#define TORN_MAX	64

struct ashm_reader {
	struct ashm_ring *ring;
	struct ring_party *party;	/* with ASHM_RING_WAIT */
	uint64_t next;			/* the frame to read next */
	uint64_t wished;		/* what was last stored, or seen, in the place */
	uint64_t missed;		/* since the last that was got */
	uint32_t claimed;
	bool borrowed;
	int spoilt;			/* why what was borrowed isn't good */
};

/* ---- joining ---- */

/*
 * Tells this ring's writer. The process may stop behind the check while the ring is recreated.
 * Then the place is free, or has another reader's wish, which stays, unless it is the same by
 * chance.
 */
static int wish(struct ashm_reader *reader, uint64_t next)
{
	int ret;

	do {
		ret = libashmem_ring_check(reader->ring);
		if (ret || !reader->party)
			return ret;
	} while (!atomic_compare_exchange_strong(&reader->party->next, &reader->wished, next));
	reader->wished = next;
	return 0;
}

/* The counter of another ring has another value, see format(). */
static int count_join(struct ashm_ring *ring)
{
	struct ring_writer *shared = ring_writer(ring);
	uint32_t joins = atomic_load(&shared->joins);
	int ret;

	do {
		ret = libashmem_ring_check(ring);
		if (ret)
			return ret;
	} while (!atomic_compare_exchange_strong(&shared->joins, &joins, joins + 1));
	return 0;
}

/*
 * The writer raises "oldest", then loads "joins". Here it is the other way round, with
 * full fences. So either the writer sees this reader and keeps its frame, or the reader
 * sees that it is too late for that frame.
 */
static int join(struct ashm_reader *reader, unsigned int flags)
{
	struct ashm_ring *ring = reader->ring;
	struct ring_writer *shared = ring_writer(ring);
	uint64_t first, head;
	unsigned int tries;
	int ret;

	for (tries = 0; tries < TORN_MAX; tries++) {
		ret = libashmem_ring_bounds(ring, &first, &head);
		if (ret)
			return ret;
		reader->next = flags & ASHM_READER_NEWEST ? head + 1 : first;
		if (!reader->party)
			return 0;
		ret = wish(reader, reader->next);
		if (!ret)
			ret = count_join(ring);
		if (ret)
			return ret;
		/* The writer may already wait for the previous wish. */
		if (tries)
			libashmem_ring_bell(&shared->room, false);
		atomic_thread_fence(memory_order_seq_cst);
		if (atomic_load(&shared->oldest) <= reader->next)
			return 0;
	}
	return -EPROTO;
}

static int claim_party(struct ashm_reader *reader)
{
	struct ashm_ring *ring = reader->ring;
	struct ring_party *party;
	uint32_t i;
	int ret;

	for (i = 1; i <= ring->readers; i++) {
		party = &ring->header->party[i];
		ret = libashmem_guard_claim(&party->owner, &reader->claimed, ring);
		if (!ret) {
			reader->party = party;
			return 0;
		}
		if (ret != -EBUSY)
			return ret;
	}
	return -EUSERS;
}

/* The writer may be waiting for this reader alone. */
static void give_up_party(struct ashm_reader *reader)
{
	struct ashm_ring *ring = reader->ring;

	wish(reader, 0);
	libashmem_guard_release(&reader->party->owner, reader->claimed, ring);
	libashmem_ring_bell(&ring_writer(ring)->room, false);
}

int ashm_ring_reader(struct ashm_ring *ring, unsigned int flags,
		     struct ashm_reader **out)
{
	KEEP_ERRNO;
	struct ashm_reader *reader;
	int ret;

	if (flags & ~ASHM_READER_NEWEST)
		return -EINVAL;
	ret = libashmem_ring_mine(ring);
	if (ret)
		return ret;
	ret = libashmem_ring_check(ring);
	if (ret)
		return ret;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	reader->ring = ring;
	if (ring->flags & ASHM_RING_WAIT) {
		ret = claim_party(reader);
		if (ret)
			goto free_reader;
	}
	ret = join(reader, flags);
	if (ret) {
		if (reader->party)
			give_up_party(reader);
		goto free_reader;
	}
	libashmem_ring_get(ring);
	*out = reader;
	return 0;

free_reader:
	free(reader);
	return ret;
}

void ashm_ring_reader_close(struct ashm_reader *reader)
{
	KEEP_ERRNO;

	if (!reader)
		return;
	if (reader->party && !libashmem_ring_mine(reader->ring))
		give_up_party(reader);
	libashmem_ring_put(reader->ring);
	free(reader);
}

/* ---- looking for the next frame ---- */

/*
 * The wanted frame is gone: continue with one that exists. @torn: this is the second
 * time, so take the newest, which is overwritten last.
 */
static int skip_missed(struct ashm_reader *reader, uint64_t have, bool torn)
{
	struct ashm_ring *ring = reader->ring;
	uint64_t head, next;

	/*
	 * The writer of frame @have had finished the one before, and that is
	 * a whole turn of the ring ahead.
	 */
	head = atomic_load_explicit(&ring_writer(ring)->head, memory_order_acquire);
	if (head >= SLOT_SEQ_MAX - ASHM_RING_SLOTS_MAX || head + 1 < have ||
	    have % ring->slots != reader->next % ring->slots)
		return -EPROTO;
	next = torn ? head : ring_oldest(ring, head);
	if (next <= reader->next)
		next = reader->next + 1;
	reader->missed += next - reader->next;
	reader->next = next;
	return 0;
}

/*
 * 1 with *@slot and *@state if the next frame exists, 0 if it doesn't yet, or the error
 * of the ring.
 */
static int look(struct ashm_reader *reader, struct frame_slot **slot,
		uint64_t *state, bool torn)
{
	struct ashm_ring *ring = reader->ring;
	unsigned int tries;
	uint64_t head, have;
	int ret;

	for (tries = 0; tries < TORN_MAX; tries++) {
		ret = libashmem_ring_check(ring);
		if (ret)
			return ret;
		head = atomic_load_explicit(&ring_writer(ring)->head,
					    memory_order_acquire);
		*slot = ring_slot(ring, reader->next);
		*state = atomic_load_explicit(&(*slot)->state,
					      memory_order_acquire);
		if (slot_readable(*state, reader->next))
			return 1;
		if (!atomic_load_explicit(&(*slot)->magic, memory_order_relaxed))
			return -ENODATA;
		have = *state >> SLOT_SEQ_SHIFT;
		if (have <= reader->next)
			/* If the head has passed it, the frame must exist. */
			return head < reader->next ? 0 : -EPROTO;
		ret = skip_missed(reader, have, torn);
		if (ret)
			return ret;
	}
	return -EBUSY;
}

/* Why there will be no more frames, or 0. */
static int writer_gone(uint32_t generation, uint32_t owner)
{
	if (libashmem_guard_alive(owner))
		return 0;
	if (libashmem_guard_died(owner))
		return -EOWNERDEAD;
	return generation ? -EPIPE : 0;
}

/*
 * Waits for the next frame: as look(), but never 0. Load the writer's word before the
 * last look: frames that it finished before it died must still be read.
 */
static int await(struct ashm_reader *reader, struct frame_slot **slot,
		 uint64_t *state, bool torn, struct deadline *deadline)
{
	struct ashm_ring *ring = reader->ring;
	struct ring_writer *shared = ring_writer(ring);
	int slice = ring->writable || ring->flags & ASHM_RING_READONLY ?
		    RING_SLICE_MS : RING_POLL_MS;
	uint32_t value, owner, generation;
	int ret, gone, waited = 0;
	struct spin spin = { 0 };

	do {
		ret = look(reader, slot, state, torn);
		if (ret)
			return ret;
	} while (libashmem_guard_alive(atomic_load(&shared->owner)) &&
		 libashmem_spin(&spin, ring_spin(ring), deadline));
	if (!deadline->timeout)
		waited = -EAGAIN;
	for (;;) {
		/* In this order: the first writer claims, then counts. */
		generation = atomic_load(&shared->generation);
		owner = atomic_load(&shared->owner);
		/* Arm before the final look. */
		if (ring->writable && deadline->timeout)
			value = libashmem_arm(&shared->bell);
		else
			value = atomic_load(&shared->bell);
		ret = look(reader, slot, state, torn);
		if (ret)
			return ret;
		gone = writer_gone(generation, owner);
		if (gone) {
			/* Only we can wake the others that sleep. */
			if (ring->writable)
				libashmem_ring_bell(&shared->bell, false);
			else
				libashmem_wake(&shared->bell);
			return gone;
		}
		/* If the wish was lost, see wish(), the writer may wait for this reader. */
		wish(reader, reader->next);
		if (waited)
			return waited;
		waited = libashmem_wait(&shared->bell, value, &shared->owner,
					owner, deadline, slice);
	}
}

/* ---- taking it ---- */

static void copy_header(struct frame_slot *slot, struct frame_header *header)
{
	uint64_t words[FRAME_HEADER / 8];
	size_t i;

	for (i = 0; i < FRAME_HEADER / 8; i++)
		words[i] = atomic_load_explicit(&slot->words[i],
						memory_order_relaxed);
	memcpy(header, words, sizeof(*header));
}

/* Do all loads so far belong to frame @seq and to this ring? */
static bool still(struct ashm_ring *ring, struct frame_slot *slot, uint64_t seq)
{
	atomic_thread_fence(memory_order_acquire);
	return slot_readable(atomic_load_explicit(&slot->state,
						  memory_order_relaxed), seq) &&
	       !libashmem_ring_check(ring);
}

static bool header_valid(struct ashm_reader *reader,
			 const struct frame_header *header)
{
	return header->magic == FRAME_MAGIC && header->version == FRAME_VERSION &&
	       header->seq == reader->next &&
	       header->length <= reader->ring->frame_max &&
	       header->region_size == reader->ring->region_size;
}

/* To @buf, unless that is NULL; each byte is read once. False if the sum is wrong. */
static bool copy_payload(struct ashm_ring *ring, struct frame_slot *slot,
			 const struct frame_header *header, void *buf)
{
	size_t length = (size_t)header->length;
	void *payload = slot_payload(slot);
	uint32_t crc;

	if (!buf)
		return header->check == ~libashmem_frame_crc_in_place(ring, slot, header);
	crc = libashmem_frame_crc(header);
	if (ring_checked(ring))
		crc = libashmem_crc_copy_out(crc, buf, payload, length);
	else
		libashmem_copy_out(buf, payload, length);
	return header->check == ~crc;
}

/* This reader is done with frame @seq, perhaps as the last one. */
static void consume(struct ashm_reader *reader)
{
	struct ashm_ring *ring = reader->ring;
	uint64_t seq = reader->next++, ready = slot_state(seq, SLOT_READY);
	uint32_t i, owner;
	uint64_t next;

	if (!ring->writable || wish(reader, reader->next))
		return;
	if (reader->party) {
		atomic_thread_fence(memory_order_seq_cst);
		for (i = 1; i <= ring->readers; i++) {
			next = atomic_load(&ring->header->party[i].next);
			owner = atomic_load(&ring->header->party[i].owner);
			if (next && next <= seq && libashmem_guard_alive(owner))
				goto wake;
		}
	}
	atomic_compare_exchange_strong(&ring_slot(ring, seq)->state, &ready,
				       slot_state(seq, SLOT_CONSUMED));
wake:
	if (reader->party)
		libashmem_ring_bell(&ring_writer(ring)->room, false);
}

/*
 * The next frame, copied to @buf, or checked in place if that is NULL. If the writer
 * overwrote it during the copy, retry with a younger frame.
 */
static int take(struct ashm_reader *reader, void *buf, size_t size,
		struct ashm_frame *frame, int timeout)
{
	struct deadline deadline = { .timeout = timeout };
	struct frame_header header;
	struct frame_slot *slot;
	unsigned int tries;
	uint64_t state;
	bool valid;
	int ret;

	ret = libashmem_ring_mine(reader->ring);
	if (ret)
		return ret;
	if (reader->borrowed)
		return -EINPROGRESS;
	for (tries = 0; tries < TORN_MAX; tries++) {
		ret = await(reader, &slot, &state, tries > 0, &deadline);
		if (ret < 0)
			return ret;
		copy_header(slot, &header);
		valid = header_valid(reader, &header);
		if (valid && buf && header.length > size) {
			if (!still(reader->ring, slot, reader->next))
				continue;
			ret = -EMSGSIZE;
			break;
		}
		if (valid)
			valid = copy_payload(reader->ring, slot, &header, buf);
		if (!still(reader->ring, slot, reader->next))
			continue;
		ret = valid ? 0 : -EBADMSG;
		break;
	}
	if (tries == TORN_MAX)
		return -EBUSY;
	if (ret == -EBADMSG) {
		consume(reader);
		return ret;
	}
	memset(frame, 0, sizeof(*frame));
	frame->length = header.length;
	frame->seq = header.seq;
	frame->tag = header.tag;
	frame->generation = header.generation;
	frame->missed = reader->missed;
	if (ret)
		return ret;
	frame->data = buf ? NULL : slot_payload(slot);
	reader->missed = 0;
	return 0;
}

int ashm_frame_read(struct ashm_reader *reader, void *buf, size_t size,
		    struct ashm_frame *frame, int timeout)
{
	struct ashm_frame unused;
	char none;
	int ret;

	ret = take(reader, buf ? buf : &none, buf ? size : 0,
		   frame ? frame : &unused, timeout);
	if (!ret)
		consume(reader);
	return ret;
}

int ashm_frame_borrow(struct ashm_reader *reader, struct ashm_frame *frame,
		      int timeout)
{
	int ret = take(reader, NULL, 0, frame, timeout);

	if (!ret) {
		reader->borrowed = true;
		reader->spoilt = 0;
	}
	return ret;
}

int ashm_frame_valid(struct ashm_reader *reader)
{
	struct frame_slot *slot;
	int ret;

	ret = libashmem_ring_mine(reader->ring);
	if (ret)
		return ret;
	if (!reader->borrowed)
		return -EINVAL;
	slot = ring_slot(reader->ring, reader->next);
	if (!still(reader->ring, slot, reader->next)) {
		ret = libashmem_ring_check(reader->ring);
		if (!ret)
			ret = atomic_load(&slot->magic) ? -ESTALE : -ENODATA;
	}
	/* Once invalid, it stays invalid, even if the state is set back. */
	if (ret && !reader->spoilt)
		reader->spoilt = ret;
	return reader->spoilt;
}

int ashm_frame_release(struct ashm_reader *reader)
{
	int ret = ashm_frame_valid(reader);

	if (!reader->borrowed || ret == -ECHILD)
		return ret;
	reader->borrowed = false;
	consume(reader);
	return ret;
}
