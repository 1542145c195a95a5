/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 ashmem maintainers */
/*
 * What the files of the frames share.
 */
#ifndef LIBASHMEM_FRAME_INTERNAL_H
#define LIBASHMEM_FRAME_INTERNAL_H

#include <stdbool.h>
#include <time.h>

#include "../keep_errno.h"
#include "ashmem_frame.h"
#include "format.h"

#pragma GCC visibility push(hidden)

/* ---- crc.c ---- */

/*
 * CRC-32C without the customary inversions, so that calls chain: begin with
 * LIBASHMEM_CRC_INIT, end with a complement.
 */
#define LIBASHMEM_CRC_INIT	0xffffffffu

uint32_t libashmem_crc(uint32_t crc, const void *buf, size_t len);

/*
 * The same over memory that others may write, which is aligned to 8: read with
 * atomic loads, each byte once.
 */
uint32_t libashmem_crc_shared(uint32_t crc, const void *src, size_t len);
uint32_t libashmem_crc_copy_out(uint32_t crc, void *dst, const void *src,
				size_t len);
uint32_t libashmem_crc_copy_in(uint32_t crc, void *dst, const void *src,
			       size_t len);

/* The same without a checksum. */
void libashmem_copy_out(void *dst, const void *src, size_t len);
void libashmem_copy_in(void *dst, const void *src, size_t len);

/* How this machine computes it, as text. */
const char *libashmem_crc_name(void);

/* ---- wait.c ---- */

struct deadline {
	int timeout;		/* as the caller gave it */
	bool set;		/* the clock is read when first needed */
	struct timespec at;
};

/* When a call stops spinning and sleeps. */
struct spin {
	bool begun;
	struct timespec end;
};

/*
 * True while the caller should spin: for @microseconds from the first call on, but not
 * beyond @deadline.
 */
bool libashmem_spin(struct spin *spin, unsigned int microseconds,
		    struct deadline *deadline);

/*
 * Sleeps while *@word is @value and, if @owner isn't NULL, *@owner is @owner_value, but
 * at most @slice_ms, because the words do not signal everything. Returns 0 when the
 * caller must look again, -EAGAIN, -ETIMEDOUT or -EINTR.
 */
int libashmem_wait(_Atomic uint32_t *word, uint32_t value,
		   _Atomic uint32_t *owner, uint32_t owner_value,
		   struct deadline *deadline, int slice_ms);
void libashmem_wake(_Atomic uint32_t *word);

/* For a task that is about to sleep: the value to sleep on. */
uint32_t libashmem_arm(_Atomic uint32_t *word);
/* For a task that has changed something: wakes the sleepers, or all that may sleep. */
void libashmem_ring_bell(_Atomic uint32_t *word, bool always);

/* ---- guard.c ---- */

struct guard_node {
	_Alignas(64) _Atomic(struct guard_node *) next;
	bool listed;
};

_Static_assert(sizeof(struct guard_node) == sizeof(struct ring_party),
	       "as many nodes to a page as words");

/* Futex words and their nodes are this far apart, everywhere. */
#define GUARD_OFFSET	(RING_HEADER + offsetof(struct ring_header, party))

/*
 * Claims the word for this process, if it is free; 0, -EBUSY, -ENOMEM or -EAGAIN, which
 * it is, too, if this process has 2000 of them. After it is given back no peer learns of
 * this process's death.
 * With @ring it must be a word of that ring, not of its successor: -ENODATA, -ESTALE.
 */
int libashmem_guard_claim(_Atomic uint32_t *word, uint32_t *claimed, struct ashm_ring *ring);
/* Changes nothing in a successor of @ring, in which the word was claimed. */
void libashmem_guard_release(_Atomic uint32_t *word, uint32_t claimed, struct ashm_ring *ring);

/* True in the process that claimed the word, false in its children. */
static inline struct guard_node *libashmem_guard_node(_Atomic uint32_t *word)
{
	return (struct guard_node *)((char *)word - GUARD_OFFSET);
}

/*
 * Maps @size bytes of a region, and a private page before them: the guardian's nodes, and
 * a word that is 0 in a child after fork().
 */
int libashmem_map_guarded(int fd, uint64_t size, bool writable, char **map,
			  size_t *map_size);

/* That word of what is mapped at @region. */
static inline uint32_t *libashmem_alive(void *region)
{
	return (uint32_t *)((char *)region - sizeof(struct guard_node));
}

/* Does the word say that its owner lives? */
bool libashmem_guard_alive(uint32_t owner);
bool libashmem_guard_died(uint32_t owner);

/*
 * For a futex word that a thread has, not the process: the thread's id or -EPERM, and the
 * word that the kernel marks when the thread ends, if it has the id then. One at a time, or
 * NULL.
 */
int libashmem_guard_thread(void);
void libashmem_guard_announce(_Atomic uint32_t *word);

/* ---- ring.c ---- */

struct ashm_ring {
	_Atomic unsigned int refs;
	_Atomic unsigned int spin;	/* microseconds */
	struct ring_header *header;
	char *map;		/* the guardian's page, then the region */
	size_t map_size;
	uint32_t *alive;	/* gone in a child after fork() */
	uint64_t ident;		/* the first 8 bytes of the header */
	uint32_t joins;		/* of a ring that has had no reader */
	uint64_t region_size;
	size_t stride;
	size_t frame_max;
	uint32_t slots;
	uint32_t readers;
	uint32_t flags;
	bool writable;
};

static inline struct ring_writer *ring_writer(struct ashm_ring *ring)
{
	return &ring->header->writer;
}

static inline struct frame_slot *ring_slot(struct ashm_ring *ring, uint64_t seq)
{
	return (struct frame_slot *)((char *)ring->header + RING_HEADER +
				     (size_t)(seq % ring->slots) * ring->stride);
}

/* The oldest frame that survives if the writer is overwriting one. */
static inline uint64_t ring_oldest(struct ashm_ring *ring, uint64_t head)
{
	return head + 2 > ring->slots ? head + 2 - ring->slots : 1;
}

static inline bool ring_checked(struct ashm_ring *ring)
{
	return !(ring->flags & ASHM_RING_UNCHECKED);
}

static inline void *slot_payload(struct frame_slot *slot)
{
	return (char *)slot + FRAME_HEADER;
}

static inline uint64_t slot_state(uint64_t seq, unsigned int state)
{
	return seq << SLOT_SEQ_SHIFT | state;
}

static inline bool slot_readable(uint64_t state, uint64_t seq)
{
	return state == slot_state(seq, SLOT_READY) ||
	       state == slot_state(seq, SLOT_CONSUMED);
}

static inline unsigned int ring_spin(struct ashm_ring *ring)
{
	return atomic_load_explicit(&ring->spin, memory_order_relaxed);
}

void libashmem_ring_get(struct ashm_ring *ring);
void libashmem_ring_put(struct ashm_ring *ring);

/* 0 if the ring is still the one that was attached; -ENODATA, -ESTALE. */
int libashmem_ring_check(struct ashm_ring *ring);
/* The numbers of the oldest frame that is there and of the newest, or -EPROTO. */
int libashmem_ring_bounds(struct ashm_ring *ring, uint64_t *first, uint64_t *head);
/* A number that is most likely unique. */
int libashmem_random(uint64_t *number);
/* 0, or -ECHILD in a process that didn't attach it. */
int libashmem_ring_mine(struct ashm_ring *ring);

/* Milliseconds after which a sleeper checks whether the ring was purged. */
#define RING_SLICE_MS	1000
/* The same for readers that cannot announce that they sleep. */
#define RING_POLL_MS	10

/* The checksum of a header's fields, with which that of the payload starts. */
uint32_t libashmem_frame_crc(const struct frame_header *header);
/* The same with the payload, which is in place, unless the ring is unchecked. */
uint32_t libashmem_frame_crc_in_place(struct ashm_ring *ring, struct frame_slot *slot,
				      const struct frame_header *header);

#pragma GCC visibility pop

#endif
