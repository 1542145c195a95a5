/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 ashmem maintainers */
/*
 * What the files of the cache share.
 */
#ifndef LIBASHMEM_CACHE_INTERNAL_H
#define LIBASHMEM_CACHE_INTERNAL_H

#include "../frame/internal.h"
#include "../internal.h"
#include "ashmem_cache.h"
#include "format.h"

_Static_assert(RING_PARTIES == ASHM_CACHE_HANDLES_MAX, "a party for each handle");

#pragma GCC visibility push(hidden)

/* Where an entry is, and how often this handle holds it. The index can't change it. */
struct hold {
	uint32_t count;
	uint32_t first;
	uint64_t size;
	_Atomic bool abandoned;		/* a put could not release it */
};

struct ashm_cache {
	struct ashm *region[2];
	const struct libashmem_kind *kind;
	bool on_memfd;
	struct cache_index *index;
	char *map;			/* the guardian's page, then the index */
	size_t map_size;
	char *contents;
	size_t contents_size;
	_Atomic uint32_t *chains;
	_Atomic uint64_t *taken;	/* bitmap of pages */
	char *slots;
	size_t stride;
	size_t page;
	uint32_t chain_mask;
	uint32_t pages;
	uint32_t budget;		/* how many of them may be used */
	uint32_t entries;
	uint32_t key_max;
	uint64_t ident;
	uint64_t seed[2];
	unsigned int party;
	uint32_t claimed;

	_Atomic uint32_t lock;		/* of this handle's fields, see lock.c */
	struct hold *holds;
	_Atomic bool abandoned;		/* one of them is */
	bool damaged;			/* the index, as this call found */

	/* Of the list of caches; guarded by its lock. */
	struct ashm_cache *next;
	uint64_t failed;		/* when reclaim last got nothing */
};

static inline bool mine(const struct ashm_cache *c)
{
	return *libashmem_alive(c->index);
}

static inline uint64_t my_bit(const struct ashm_cache *c)
{
	return 1ULL << c->party;
}

static inline uint32_t pages_of(const struct ashm_cache *c, const struct hold *place)
{
	return (uint32_t)((place->size + c->page - 1) / c->page) + !place->size;
}

static inline void *address(struct ashm_cache *c, const struct hold *place)
{
	return c->contents + (size_t)place->first * c->page;
}

/* ---- lock.c: all that follows is called with the lock ---- */

#ifndef CACHE_LOCK_MS
#define CACHE_LOCK_MS	10000
#endif

/* Takes the locks and repairs the index if necessary: 0, or as ashmem_cache.h says. */
int libashmem_cache_enter(struct ashm_cache *c, int timeout);
/* Gives them back; returns @ret. */
int libashmem_cache_leave(struct ashm_cache *c, int ret);

/* ---- index.c ---- */

/* Slot @nr. If there is none, the index is damaged. */
struct cache_slot *libashmem_cache_slot(struct ashm_cache *c, uint32_t nr);
/* Where an entry is; false if the index is damaged. */
bool libashmem_cache_place(struct ashm_cache *c, struct cache_slot *slot,
			   struct hold *place);
int libashmem_cache_pin(struct ashm_cache *c, const struct hold *place);

/* The entry with this key, or 0. */
uint32_t libashmem_cache_find(struct ashm_cache *c, const void *key, size_t len);
/* Lets an entry be found. */
void libashmem_cache_link(struct ashm_cache *c, uint32_t nr, struct cache_slot *slot);

/* A slot and free pages for an entry of @place->size; 0, and all stays, if there is no room. */
uint32_t libashmem_cache_make_room(struct ashm_cache *c, struct hold *place);
/* Puts a key and the pages of @place into such a slot, held by this handle. */
void libashmem_cache_fill(struct ashm_cache *c, uint32_t nr, const struct hold *place,
			  const void *key, size_t len);

/* Takes an entry off the list of idle ones. */
void libashmem_cache_unlist(struct ashm_cache *c, uint32_t nr, struct cache_slot *slot);
/* Removes an entry that can be found and isn't idle. */
void libashmem_cache_remove(struct ashm_cache *c, uint32_t nr, struct cache_slot *slot);
/* The same, idle or not. */
void libashmem_cache_drop(struct ashm_cache *c, uint32_t nr);
/* Frees an entry that can't be found and isn't held. */
void libashmem_cache_free(struct ashm_cache *c, uint32_t nr, struct cache_slot *slot);
/* Removes the oldest idle entry, which was at @gone; false if there is none. */
bool libashmem_cache_evict(struct ashm_cache *c, _Atomic uint64_t *counter,
			   struct hold *gone);
/* A release by this handle. */
void libashmem_cache_let_go(struct ashm_cache *c, uint32_t nr);
/* Releases what was abandoned. */
void libashmem_cache_tidy(struct ashm_cache *c);

/* Makes the index again from its slots, without the holds of the dead and of @not. */
int libashmem_cache_repair(struct ashm_cache *c, uint64_t not);

#pragma GCC visibility pop

#endif
