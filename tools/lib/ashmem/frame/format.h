/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 ashmem maintainers */
/*
 * The layout of a ring in a region. Documentation/userspace-api/ashmem-frames.rst
 * has the same in words, with the rules for those who write another program
 * for it. Numbers are in the machine's byte order: a region never leaves it.
 *
 * Never read anything here twice for one purpose, and always use atomic loads: a peer
 * may change any byte at any time.
 */
#ifndef LIBASHMEM_FRAME_FORMAT_H
#define LIBASHMEM_FRAME_FORMAT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#if ATOMIC_LLONG_LOCK_FREE == 0 || ATOMIC_INT_LOCK_FREE == 0
#error "a ring needs atomics of 64 bits that take no lock"
#endif

#define RING_MAGIC	0x474e5241u	/* "ARNG" on little-endian machines */
#define RING_VERSION	1u
#define RING_HEADER	4096u		/* bytes before the first slot */
#define FRAME_MAGIC	0x4d524641u	/* "AFRM" */
#define FRAME_VERSION	1u
#define FRAME_HEADER	64u		/* bytes before the payload */
#define RING_ALIGN	64u		/* of a slot */
#define RING_PARTIES	63u		/* the writer and the readers */

/* What never changes in the life of a ring. */
struct ring_fixed {
	uint32_t magic;
	uint32_t check;		/* CRC-32C of the rest of this struct */
	uint32_t version;
	uint32_t flags;
	uint64_t region_size;
	uint64_t stride;	/* from slot to slot */
	uint64_t frame_max;
	uint32_t slots;
	uint32_t readers;
	uint64_t instance;	/* random: tells a ring from its successor */
	uint64_t reserved;
};

/*
 * A place that ends with its process. @owner is a robust futex: the thread id of its
 * process's guardian, or the value that the kernel stores when the guardian dies.
 */
struct ring_party {
	_Atomic uint32_t owner;
	uint32_t reserved0;
	_Alignas(8) _Atomic uint64_t next;	/* a reader's: the frame that it wants, 0 none */
	uint64_t reserved[6];
};

/* The same 64 bytes for the writer, with more fields. */
struct ring_writer {
	_Atomic uint32_t owner;
	_Atomic uint32_t generation;
	_Alignas(8) _Atomic uint64_t head;	/* the last frame that was finished */
	_Atomic uint32_t bell;	/* readers sleep on it */
	_Atomic uint32_t room;	/* the writer sleeps on it */
	_Atomic uint32_t joins;	/* "check" and the readers so far, with ASHM_RING_WAIT */
	uint32_t reserved0;
	_Alignas(8) _Atomic uint64_t oldest;	/* kept for readers, with ASHM_RING_WAIT */
	uint64_t reserved[3];
};

struct ring_header {
	union {
		struct ring_fixed fixed;
		_Alignas(8) _Atomic uint64_t words[sizeof(struct ring_fixed) / 8];
	};
	union {
		struct ring_writer writer;
		struct ring_party party[RING_PARTIES];
	};
};

/* In bell and room: a task sleeps. The rest is a counter. */
#define RING_SLEEPER	1u

/* The two lowest bits of a slot's state; the others are the sequence number. */
#define SLOT_EMPTY	0u
#define SLOT_WRITING	1u
#define SLOT_READY	2u
#define SLOT_CONSUMED	3u
#define SLOT_STATES	3u
#define SLOT_SEQ_SHIFT	2
#define SLOT_SEQ_MAX	(UINT64_MAX >> SLOT_SEQ_SHIFT)

/* The copy of a frame's header: that of the slot without the state. */
struct frame_header {
	uint32_t magic;
	uint32_t version;
	uint64_t state;
	uint64_t seq;
	uint64_t length;
	uint64_t region_size;
	uint64_t tag;
	uint32_t generation;
	uint32_t check;		/* CRC-32C of the other fields, then the payload */
	uint64_t reserved;
};

struct frame_slot {
	union {
		struct {
			_Atomic uint32_t magic;
			uint32_t version;
			_Alignas(8) _Atomic uint64_t state;
		};
		_Alignas(8) _Atomic uint64_t words[FRAME_HEADER / 8];
	};
};

_Static_assert(sizeof(struct ring_fixed) == 64, "the layout is fixed");
_Static_assert(sizeof(struct ring_party) == 64, "the layout is fixed");
_Static_assert(sizeof(struct ring_writer) == 64, "the layout is fixed");
_Static_assert(sizeof(struct ring_header) == RING_HEADER, "the layout is fixed");
_Static_assert(sizeof(struct frame_header) == FRAME_HEADER, "the layout is fixed");
_Static_assert(sizeof(struct frame_slot) == FRAME_HEADER, "the layout is fixed");
_Static_assert(offsetof(struct ring_fixed, instance) == 48, "the layout is fixed");
_Static_assert(offsetof(struct ring_writer, head) == 8, "the layout is fixed");
_Static_assert(offsetof(struct ring_writer, bell) == 16, "the layout is fixed");
_Static_assert(offsetof(struct ring_writer, oldest) == 32, "the layout is fixed");
_Static_assert(offsetof(struct ring_party, next) == 8, "the layout is fixed");
_Static_assert(offsetof(struct frame_slot, state) == 8, "the layout is fixed");
_Static_assert(offsetof(struct frame_header, generation) == 48, "the layout is fixed");

#endif
