/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 ashmem maintainers */
/*
 * The layout of a cache's index: a header, hash chains (as many as the smallest power of
 * two, from 2 on, that isn't less than the slots), a bitmap of pages in words of 64 bits,
 * slots. Numbers are in the machine's byte order: a region never leaves it.
 *
 * A peer may change any byte at any time: read a number once for one purpose.
 */
#ifndef LIBASHMEM_CACHE_FORMAT_H
#define LIBASHMEM_CACHE_FORMAT_H

#include "../frame/format.h"

#define CACHE_MAGIC	0x48434143u	/* "CACH" on little-endian machines */
#define CACHE_VERSION	2u

enum state {
	ENTRY_FREE,
	ENTRY_RESERVED,		/* not to be found yet */
	ENTRY_READY,
	ENTRY_DOUBT,		/* being pinned */
	ENTRY_GONE,		/* not to be found any more, but held */
};

/* What never changes. */
struct cache_fixed {
	uint32_t magic;
	uint32_t version;
	uint32_t page;
	uint32_t pages;
	uint32_t entries;
	uint32_t key_max;
	uint64_t seed[2];
	uint32_t budget;	/* pages that entries may have; the others are gaps */
	uint32_t reserved[5];
};

/* Slots are numbered from 1; 0 is none. */
struct cache_slot {
	_Atomic uint32_t state;
	_Atomic uint32_t key_len;
	_Alignas(8) _Atomic uint64_t hash;
	_Alignas(8) _Atomic uint64_t size;
	_Alignas(8) _Atomic uint64_t holders;	/* a bit for each party */
	_Alignas(8) _Atomic uint64_t since;	/* when it became idle */
	_Atomic uint32_t first;			/* page */
	_Atomic uint32_t next;			/* of the chain, or of the free slots */
	_Atomic uint32_t older, younger;	/* idle entry */
	unsigned char key[];
};

struct cache_index {
	union {
		struct cache_fixed fixed;
		_Alignas(8) _Atomic uint64_t ident;
	};
	struct ring_party party[RING_PARTIES];

	_Atomic uint32_t lock;		/* a robust futex, see lock.c */
	_Atomic uint32_t torn;
	_Atomic uint32_t touched;	/* no slot behind this one was ever used */
	_Atomic uint32_t unused;	/* list of free slots */
	_Atomic uint32_t oldest, youngest;	/* idle entries */
	_Atomic uint32_t entries;
	_Atomic uint32_t lowest;	/* no page before this one is free */
	_Atomic uint32_t used;		/* pages that aren't free */
	_Atomic uint32_t parties;	/* no party behind these was ever claimed */
	_Alignas(8) _Atomic uint64_t hits;
	_Alignas(8) _Atomic uint64_t misses;
	_Alignas(8) _Atomic uint64_t purged;
	_Alignas(8) _Atomic uint64_t evicted;
	_Alignas(8) _Atomic uint64_t built;
};

_Static_assert(sizeof(struct cache_fixed) == 64, "the layout is fixed");
_Static_assert(sizeof(struct cache_slot) == 56, "the layout is fixed");
_Static_assert(offsetof(struct cache_index, party) == offsetof(struct ring_header, party),
	       "the guardian's nodes have one distance from their words");
_Static_assert(offsetof(struct cache_index, lock) == RING_HEADER, "the layout is fixed");

#endif
