// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * The index: slots, and what follows from them.
 *
 * A peer may write anything to it at any time. Each number is read once, into private
 * memory, and checked before use; each walk has a limit, and no call takes more steps than
 * there are entries and pages, but for a small factor. What can't be right sets @damaged,
 * and so has the next call repair the index.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

/* Of a chain. There are as many chains as entries: the longest one has about ten. */
#define CHAIN_STEPS	64

/* ---- slots ---- */

struct cache_slot *libashmem_cache_slot(struct ashm_cache *c, uint32_t nr)
{
	if (nr - 1 < c->entries)
		return (struct cache_slot *)(c->slots + (size_t)(nr - 1) * c->stride);
	c->damaged = true;
	return NULL;
}

bool libashmem_cache_place(struct ashm_cache *c, struct cache_slot *slot, struct hold *place)
{
	*place = (struct hold){ .first = slot->first, .size = slot->size };
	if (place->size <= c->contents_size && place->first < c->pages &&
	    pages_of(c, place) <= c->pages - place->first)
		return true;
	c->damaged = true;
	return false;
}

int libashmem_cache_pin(struct ashm_cache *c, const struct hold *place)
{
	/* There it would only check these numbers, by a system call. */
	if (c->on_memfd)
		return 0;
	return c->kind->pin(ashm_fd(c->region[ASHM_CACHE_CONTENTS]),
			    place->first * (uint32_t)c->page,
			    pages_of(c, place) * (uint32_t)c->page);
}

/* If it fails, the contents stay, which is harmless. */
static void unpin(struct ashm_cache *c, const struct hold *place)
{
	if (c->on_memfd)
		return;
	c->kind->unpin(ashm_fd(c->region[ASHM_CACHE_CONTENTS]),
		       place->first * (uint32_t)c->page,
		       pages_of(c, place) * (uint32_t)c->page);
}

static void punch(struct ashm_cache *c, const struct hold *place)
{
	size_t len = pages_of(c, place) * c->page;

	/* madvise() refuses what mlockall() has locked, and fallocate() what isn't a memfd. */
	if (madvise(address(c, place), len, MADV_REMOVE))
		libashmem_punch(c->region[ASHM_CACHE_CONTENTS],
				(uint64_t)place->first * c->page, len);
}

/* ---- pages ---- */

/* Were all pages of @place free? Marks them as @taken. */
static bool mark(struct ashm_cache *c, const struct hold *place, bool taken)
{
	uint32_t at = place->first, end = at + pages_of(c, place), next, changed = 0;
	uint64_t bits, old;
	bool all_free = true;

	if (!taken && at < c->index->lowest)
		c->index->lowest = at;
	for (; at < end; at = next) {
		next = (at | 63) + 1 < end ? (at | 63) + 1 : end;
		bits = ~0ULL >> (64 - (next - at)) << at % 64;
		old = c->taken[at / 64];
		all_free &= !(old & bits);
		changed += (uint32_t)__builtin_popcountll(bits & (taken ? ~old : old));
		c->taken[at / 64] = taken ? old | bits : old & ~bits;
	}
	c->index->used += taken ? changed : -changed;
	return all_free;
}

/* The first page from @at on, before @end, that is @taken or not; or @end. */
static uint32_t next_page(struct ashm_cache *c, uint32_t at, uint32_t end, bool taken)
{
	uint64_t word;

	for (; at < end; at = (at | 63) + 1) {
		word = c->taken[at / 64];
		word = (taken ? word : ~word) >> at % 64;
		if (word) {
			at += (uint32_t)__builtin_ctzll(word);
			break;
		}
	}
	return at < end ? at : end;
}

/* Where the run of free pages before @at begins. */
static uint32_t run_before(struct ashm_cache *c, uint32_t at)
{
	uint64_t word;

	for (; at; at = (at - 1) & ~63u) {
		word = c->taken[(at - 1) / 64] << (63 - (at - 1) % 64);
		if (word)
			return at - (uint32_t)__builtin_clzll(word);
	}
	return 0;
}

/* The first run of free pages from @at on, but not past @most; false if there is none. */
static bool next_run(struct ashm_cache *c, uint32_t at, uint32_t most, uint32_t *first,
		     uint32_t *end)
{
	*first = next_page(c, at, c->pages, false);
	/* At least a page, although a peer may take it now: the caller goes on from @end. */
	*end = next_page(c, *first + 1,
			 most < c->pages - *first ? *first + most : c->pages, true);
	return *first < c->pages;
}

/*
 * Sets @place->first to the first run that is long enough; false if there is none. Looks
 * at no page twice while a cache fills up: neither at those before the first free one, nor
 * at more of a run than is needed.
 */
static bool find_run(struct ashm_cache *c, struct hold *place)
{
	uint32_t want = pages_of(c, place), end;

	end = next_page(c, c->index->lowest, c->pages, false);
	c->index->lowest = end;
	while (next_run(c, end, want, &place->first, &end))
		if (end - place->first >= want)
			return true;
	return false;
}

/* The same where pages became free. A search from the start each time takes too long. */
static bool find_run_around(struct ashm_cache *c, const struct hold *gone,
			    struct hold *place)
{
	place->first = run_before(c, gone->first);
	return next_page(c, gone->first + pages_of(c, gone), c->pages, true) - place->first >=
	       pages_of(c, place);
}

/* ---- idle entries ---- */

static void list_youngest(struct ashm_cache *c, uint32_t nr, struct cache_slot *slot)
{
	uint32_t last = c->index->youngest;
	struct cache_slot *older = last ? libashmem_cache_slot(c, last) : NULL;

	slot->older = last;
	slot->younger = 0;
	*(older ? &older->younger : &c->index->oldest) = nr;
	c->index->youngest = nr;
}

void libashmem_cache_unlist(struct ashm_cache *c, uint32_t nr, struct cache_slot *slot)
{
	uint32_t older_nr = slot->older, younger_nr = slot->younger;
	struct cache_slot *older = older_nr ? libashmem_cache_slot(c, older_nr) : NULL;
	struct cache_slot *younger = younger_nr ? libashmem_cache_slot(c, younger_nr) : NULL;
	_Atomic uint32_t *before = older ? &older->younger : &c->index->oldest;
	_Atomic uint32_t *after = younger ? &younger->older : &c->index->youngest;

	c->damaged |= *before != nr || *after != nr;
	*before = younger_nr;
	*after = older_nr;
}

/* ---- keys ---- */

static uint64_t rotate(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3: a task that chooses the keys can't put all of them into one chain. */
static uint64_t hash_of(const struct ashm_cache *c, const unsigned char *key, size_t len)
{
	uint64_t v[4] = {
		c->seed[0] ^ 0x736f6d6570736575ULL, c->seed[1] ^ 0x646f72616e646f6dULL,
		c->seed[0] ^ 0x6c7967656e657261ULL, c->seed[1] ^ 0x7465646279746573ULL,
	};
	uint64_t word = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		word |= (uint64_t)key[i] << i % 8 * 8;
		if (i % 8 == 7) {
			v[3] ^= word;
			sip_round(v);
			v[0] ^= word;
			word = 0;
		}
	}
	word |= (uint64_t)len << 56;
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static _Atomic uint32_t *chain_of(struct ashm_cache *c, uint64_t hash)
{
	return &c->chains[hash & c->chain_mask];
}

void libashmem_cache_link(struct ashm_cache *c, uint32_t nr, struct cache_slot *slot)
{
	_Atomic uint32_t *chain = chain_of(c, slot->hash);

	slot->next = *chain;
	*chain = nr;
	c->index->entries++;
}

static void unlink_entry(struct ashm_cache *c, uint32_t nr, struct cache_slot *slot)
{
	_Atomic uint32_t *at = chain_of(c, slot->hash);
	struct cache_slot *other;
	uint32_t steps, found;

	for (steps = 0; steps < CHAIN_STEPS; steps++) {
		found = *at;
		if (found == nr) {
			*at = slot->next;
			c->index->entries--;
			return;
		}
		other = libashmem_cache_slot(c, found);
		if (!other)
			return;
		at = &other->next;
	}
	c->damaged = true;
}

uint32_t libashmem_cache_find(struct ashm_cache *c, const void *key, size_t len)
{
	uint64_t hash = hash_of(c, key, len);
	uint32_t nr = *chain_of(c, hash), steps;
	struct cache_slot *slot;

	for (steps = 0; nr && steps < CHAIN_STEPS; steps++) {
		slot = libashmem_cache_slot(c, nr);
		if (!slot)
			return 0;
		if (slot->hash == hash && slot->key_len == len &&
		    slot->state == ENTRY_READY && !memcmp(slot->key, key, len))
			return nr;
		nr = slot->next;
	}
	c->damaged |= nr;
	return 0;
}

/* ---- the end of entries ---- */

static void set_free(struct ashm_cache *c, uint32_t nr, struct cache_slot *slot)
{
	slot->state = ENTRY_FREE;
	slot->next = c->index->unused;
	c->index->unused = nr;
}

void libashmem_cache_free(struct ashm_cache *c, uint32_t nr, struct cache_slot *slot)
{
	struct hold place;

	if (libashmem_cache_place(c, slot, &place)) {
		mark(c, &place, false);
		punch(c, &place);
	}
	set_free(c, nr, slot);
}

void libashmem_cache_remove(struct ashm_cache *c, uint32_t nr, struct cache_slot *slot)
{
	unlink_entry(c, nr, slot);
	slot->state = ENTRY_GONE;
	if (!slot->holders)
		libashmem_cache_free(c, nr, slot);
}

void libashmem_cache_drop(struct ashm_cache *c, uint32_t nr)
{
	struct cache_slot *slot = libashmem_cache_slot(c, nr);

	struct hold place;

	if (!slot->holders) {
		libashmem_cache_unlist(c, nr, slot);
		/* PIN tells a loss once. If this process dies then, no other learns of it. */
		slot->state = ENTRY_DOUBT;
		/* Or the shrinker would look at pages that no entry has. */
		if (libashmem_cache_place(c, slot, &place))
			libashmem_cache_pin(c, &place);
	}
	libashmem_cache_remove(c, nr, slot);
}

/* A walk over the idle entries, the oldest first. */
struct walk {
	uint32_t nr, entries, pages;
};

static bool next_idle(struct ashm_cache *c, struct walk *walk, struct hold *place)
{
	uint32_t nr = walk->nr ? libashmem_cache_slot(c, walk->nr)->younger : c->index->oldest;
	struct cache_slot *slot;

	if (!nr)
		return false;
	walk->nr = nr;
	slot = libashmem_cache_slot(c, nr);
	if (slot && slot->state == ENTRY_READY && !slot->holders &&
	    libashmem_cache_place(c, slot, place)) {
		walk->pages += pages_of(c, place);
		/* Otherwise a peer's list never ends, or its entries overlap. */
		if (++walk->entries <= c->entries && walk->pages <= c->pages)
			return true;
	}
	c->damaged = true;
	return false;
}

bool libashmem_cache_evict(struct ashm_cache *c, _Atomic uint64_t *counter,
			   struct hold *gone)
{
	struct walk walk = { .nr = 0 };

	if (!next_idle(c, &walk, gone))
		return false;
	libashmem_cache_drop(c, walk.nr);
	(*counter)++;
	return true;
}

void libashmem_cache_let_go(struct ashm_cache *c, uint32_t nr)
{
	struct cache_slot *slot = libashmem_cache_slot(c, nr);
	struct hold *hold = &c->holds[nr - 1], place;
	uint32_t state;

	if (--hold->count)
		return;
	if (atomic_fetch_and(&slot->holders, ~my_bit(c)) & ~my_bit(c))
		return;
	if (!libashmem_cache_place(c, slot, &place) || place.first != hold->first ||
	    place.size != hold->size) {
		c->damaged = true;
		return;
	}
	state = slot->state;
	switch (state) {
	case ENTRY_READY:
		slot->since = libashmem_now();
		list_youngest(c, nr, slot);
		unpin(c, hold);
		break;
	case ENTRY_RESERVED:
	case ENTRY_GONE:
		libashmem_cache_free(c, nr, slot);
		break;
	default:
		c->damaged = true;
	}
}

void libashmem_cache_tidy(struct ashm_cache *c)
{
	uint32_t nr;

	if (!c->abandoned || !atomic_exchange(&c->abandoned, false))
		return;
	for (nr = 1; nr <= c->entries; nr++)
		if (atomic_exchange(&c->holds[nr - 1].abandoned, false))
			libashmem_cache_let_go(c, nr);
}

/* ---- new entries ---- */

static uint32_t take_slot(struct ashm_cache *c)
{
	uint32_t nr = c->index->unused;
	struct cache_slot *slot;

	if (nr) {
		slot = libashmem_cache_slot(c, nr);
		if (slot)
			c->index->unused = slot->next;
	} else {
		nr = c->index->touched;
		if (nr == c->entries)
			return 0;
		slot = libashmem_cache_slot(c, ++nr);
		if (slot)
			c->index->touched = nr;
	}
	if (slot && slot->state == ENTRY_FREE && !c->holds[nr - 1].count)
		return nr;
	c->damaged = true;
	return 0;
}

static bool may_use(struct ashm_cache *c, uint32_t want)
{
	uint32_t used = c->index->used;

	c->damaged |= used > c->pages;
	return used <= c->budget && want <= c->budget - used;
}

/* Marks the pages of the @n oldest idle entries as taken again. */
static void take_back(struct ashm_cache *c, uint32_t n)
{
	struct walk walk = { .nr = 0 };
	struct hold place;

	while (n--) {
		if (!next_idle(c, &walk, &place)) {
			c->damaged = true;
			return;
		}
		mark(c, &place, true);
	}
}

/*
 * How many of the oldest idle entries have to go until there are a slot and pages in a row.
 * Their pages are marked as free. If all of them are too few, none may go: false.
 */
static bool find_room(struct ashm_cache *c, struct hold *place, uint32_t *n)
{
	bool slot = c->index->unused || c->index->touched != c->entries;
	bool fits = false, looked = false;
	uint32_t want = pages_of(c, place);
	struct walk walk = { .nr = 0 };
	struct hold gone;

	for (*n = 0;; ++*n) {
		if (!fits && may_use(c, want)) {
			/* A run that is long enough now contains what has gone. */
			fits = looked ? find_run_around(c, &gone, place) : find_run(c, place);
			looked = true;
		}
		if (c->damaged)
			return false;
		if (fits && (slot || *n))
			return true;
		if (!next_idle(c, &walk, &gone))
			break;
		mark(c, &gone, false);
	}
	if (!c->damaged)
		take_back(c, *n);
	return false;
}

uint32_t libashmem_cache_make_room(struct ashm_cache *c, struct hold *place)
{
	struct hold gone;
	uint32_t n;

	if (!find_room(c, place, &n))
		return 0;
	while (n--)
		if (c->damaged || !libashmem_cache_evict(c, &c->index->evicted, &gone))
			return 0;
	return take_slot(c);
}

void libashmem_cache_fill(struct ashm_cache *c, uint32_t nr, const struct hold *place,
			  const void *key, size_t len)
{
	struct cache_slot *slot = libashmem_cache_slot(c, nr);

	slot->hash = hash_of(c, key, len);
	slot->key_len = (uint32_t)len;
	memcpy(slot->key, key, len);
	slot->size = place->size;
	slot->first = place->first;
	slot->holders = my_bit(c);
	slot->state = ENTRY_RESERVED;
	mark(c, place, true);
	if (c->on_memfd)
		libashmem_pressure_grow((uint64_t)pages_of(c, place) * c->page);
}

/* ---- repair ---- */

struct idle {
	uint64_t since;
	uint32_t nr;
};

static int by_age(const void *a, const void *b)
{
	const struct idle *x = a, *y = b;

	return x->since < y->since ? -1 : x->since > y->since;
}

/* Does the entry stay? Its holders that are dead don't. */
static bool keep(struct ashm_cache *c, struct cache_slot *slot, uint64_t living)
{
	uint32_t state = slot->state, len = slot->key_len;
	uint64_t holders = slot->holders & living;
	struct hold place;

	if (state == ENTRY_FREE || !libashmem_cache_place(c, slot, &place))
		return false;
	if (state == ENTRY_DOUBT)
		state = ENTRY_GONE;
	slot->state = state;
	slot->holders = holders;
	if (state > ENTRY_GONE || (state != ENTRY_READY && !holders))
		return false;
	/* A peer may have made entries overlap: the first one gets the pages. */
	return len && len <= c->key_max && mark(c, &place, true);
}

int libashmem_cache_repair(struct ashm_cache *c, uint64_t not)
{
	struct cache_index *index = c->index;
	uint32_t owner[RING_PARTIES], touched = index->touched, i, nr, count = 0, end;
	uint64_t living = my_bit(c);	/* whatever a peer wrote to its owner */
	struct cache_slot *slot;
	struct hold place;
	struct idle *idle;

	if (touched > c->entries)
		touched = c->entries;
	idle = malloc((touched + 1) * sizeof(*idle));
	if (!idle)
		return -ENOMEM;
	for (i = 0; i < RING_PARTIES; i++) {
		owner[i] = index->party[i].owner;
		if (libashmem_guard_alive(owner[i]))
			living |= 1ULL << i;
	}
	for (i = 0; i <= c->chain_mask; i++)
		c->chains[i] = 0;
	for (i = 0; i <= (c->pages - 1) / 64; i++)
		c->taken[i] = 0;
	index->touched = touched;
	index->lowest = 0;
	index->used = 0;
	index->unused = 0;
	index->oldest = 0;
	index->youngest = 0;
	index->entries = 0;
	for (nr = 1; nr <= touched; nr++) {
		slot = libashmem_cache_slot(c, nr);
		if (!keep(c, slot, living & ~not)) {
			set_free(c, nr, slot);
		} else if (slot->state == ENTRY_READY) {
			libashmem_cache_link(c, nr, slot);
			if (!slot->holders)
				idle[count++] = (struct idle){ slot->since, nr };
		}
	}
	qsort(idle, count, sizeof(*idle), by_age);
	/* In this order the driver has them by age, too. */
	for (i = 0; i < count; i++) {
		slot = libashmem_cache_slot(c, idle[i].nr);
		list_youngest(c, idle[i].nr, slot);
		if (libashmem_cache_place(c, slot, &place))
			unpin(c, &place);
	}
	free(idle);
	/* What the dead left. Not one by one: a peer's slots may all say "all pages". */
	for (end = 0; next_run(c, end, c->pages, &place.first, &end);) {
		place.size = (uint64_t)(end - place.first) * c->page;
		punch(c, &place);
	}
	for (i = 0; i < RING_PARTIES; i++)
		if (libashmem_guard_died(owner[i]))
			atomic_compare_exchange_strong(&index->party[i].owner, &owner[i], 0);
	c->damaged = false;
	return 0;
}
