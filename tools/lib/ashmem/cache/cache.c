// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * A cache in two regions: the contents, and an index of them that is never unpinned.
 *
 * Each entry has a slot in the index. The slots are the truth. The rest (hash chains, a
 * bitmap of pages, a list of idle entries by age) follows from them, and a repair makes it
 * again. @torn is set during each call: if a process dies in one, the next call repairs.
 *
 * The driver doesn't count pins, so each slot has a bit for each handle that holds the
 * entry. The last one unpins it. A handle claims a party of the index. If its process
 * dies, the kernel marks the party's owner, and the next call forgets its bits.
 *
 * PIN tells a loss only once. An entry is in doubt from before PIN until its answer is in
 * the index, and a repair removes it. Otherwise zeroes would pass for contents if the
 * process died in between.
 *
 * Lock order: that of the list of caches, the handle's, the index's.
 */
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/ashmem.h>

#include "internal.h"

#define RECLAIM_LOCK_MS	10

/* A part of the contents' pages stays free, and has no memory. */
#define GAPS		8

/* Those on memfd, for reclaim; see purgeable.c for their lock. */
struct ashm_cache *libashmem_caches;

/* ---- life ---- */

/*
 * Checks the numbers and derives the rest; false if they are no cache. @size is what the
 * index needs; before that, if it is mapped, what there is.
 */
static bool lay_out(struct ashm_cache *c, const struct cache_fixed *fixed, uint64_t *size)
{
	uint64_t chains = 2, taken, slots, real = *size;

	if (fixed->page != (uint32_t)sysconf(_SC_PAGESIZE) || !fixed->pages ||
	    (uint64_t)fixed->pages * fixed->page > UINT32_MAX || !fixed->budget ||
	    fixed->budget > fixed->pages || !fixed->entries ||
	    fixed->entries > ASHM_CACHE_ENTRIES_MAX || !fixed->key_max ||
	    fixed->key_max > ASHM_CACHE_KEY_MAX)
		return false;
	c->page = fixed->page;
	c->pages = fixed->pages;
	c->budget = fixed->budget;
	c->contents_size = (size_t)fixed->pages * fixed->page;
	c->entries = fixed->entries;
	c->key_max = fixed->key_max;
	memcpy(c->seed, fixed->seed, sizeof(c->seed));
	memcpy(&c->ident, fixed, sizeof(c->ident));
	c->stride = sizeof(struct cache_slot) + (c->key_max + 7) / 8 * 8;
	while (chains < c->entries)
		chains *= 2;
	c->chain_mask = (uint32_t)chains - 1;
	taken = sizeof(struct cache_index) + chains * sizeof(*c->chains);
	slots = taken + ((uint64_t)c->pages + 63) / 64 * sizeof(*c->taken);
	*size = slots + (uint64_t)c->entries * c->stride;
	if (c->index) {
		if (*size > real)
			return false;
		c->chains = (void *)(c->index + 1);
		c->taken = (void *)((char *)c->index + taken);
		c->slots = (char *)c->index + slots;
	}
	return true;
}

static int map_index(struct ashm_cache *c, uint64_t *size)
{
	int ret;

	*size = ashm_size(c->region[ASHM_CACHE_INDEX]);
	if (*size < sizeof(struct cache_index))
		return -EPROTO;
	ret = libashmem_map_guarded(ashm_fd(c->region[ASHM_CACHE_INDEX]), *size, true,
				    &c->map, &c->map_size);
	if (!ret)
		c->index = (void *)(c->map + sysconf(_SC_PAGESIZE));
	else
		/* It is unmapped already, and another thread may have mapped something there. */
		c->map = NULL;
	return ret == -EOVERFLOW ? -ENOMEM : ret;
}

static int read_index(struct ashm_cache *c, uint64_t size)
{
	struct cache_fixed fixed;

	/* A compiler may read again what memcpy() copied. */
	libashmem_copy_out(&fixed, &c->index->fixed, sizeof(fixed));
	if (!fixed.magic)
		return -ENODATA;
	if (fixed.magic != CACHE_MAGIC)
		return -EPROTO;
	if (fixed.version != CACHE_VERSION)
		return -EPROTONOSUPPORT;
	if (!lay_out(c, &fixed, &size) ||
	    c->contents_size != ashm_size(c->region[ASHM_CACHE_CONTENTS]))
		return -EPROTO;
	return 0;
}

static int claim_party(struct ashm_cache *c)
{
	int ret = -EBUSY;

	for (c->party = 0; ret == -EBUSY && c->party < RING_PARTIES; c->party++)
		ret = libashmem_guard_claim(&c->index->party[c->party].owner, &c->claimed, NULL);
	c->party--;
	return ret == -EBUSY ? -EUSERS : ret;
}

/* The party's last owner may have died with entries that now look like ours. */
static int disinherit(struct ashm_cache *c)
{
	uint32_t touched, nr;
	int ret = libashmem_cache_enter(c, CACHE_LOCK_MS);

	if (ret)
		return ret;
	if (c->index->parties <= c->party)
		c->index->parties = c->party + 1;
	touched = c->index->touched;
	for (nr = 1; nr <= touched && nr <= c->entries; nr++)
		if (libashmem_cache_slot(c, nr)->holders & my_bit(c))
			break;
	if (nr <= touched && nr <= c->entries) {
		ret = libashmem_cache_repair(c, my_bit(c));
		c->damaged = ret;
	}
	return libashmem_cache_leave(c, ret);
}

/* @clean: no slot has this party's bit. Otherwise the next call repairs, as if it had died. */
static void leave_party(struct ashm_cache *c, bool clean)
{
	_Atomic uint32_t *owner = &c->index->party[c->party].owner;
	uint32_t claimed = c->claimed;

	if (!clean)
		atomic_compare_exchange_strong(owner, &claimed, FUTEX_OWNER_DIED);
	libashmem_guard_release(owner, c->claimed, NULL);
}

static void end(struct ashm_cache *c)
{
	free(c->holds);
	if (c->contents)
		munmap(c->contents, c->contents_size);
	if (c->map)
		munmap(c->map, c->map_size);
	free(c);
}

int ashm_cache_open(struct ashm *index, struct ashm *contents, struct ashm_cache **cache)
{
	KEEP_ERRNO;
	struct ashm_cache *c = calloc(1, sizeof(*c));
	uint64_t size;
	void *at;
	int ret;

	if (!c)
		return -ENOMEM;
	c->region[ASHM_CACHE_INDEX] = index;
	c->region[ASHM_CACHE_CONTENTS] = contents;
	ret = map_index(c, &size);
	if (!ret)
		ret = read_index(c, size);
	if (!ret)
		ret = ashm_map_range(contents, PROT_READ | PROT_WRITE, 0, c->contents_size, &at);
	if (ret)
		goto end;
	c->contents = at;
	ret = libashmem_kind_of(ashm_fd(contents), &c->kind);
	if (ret)
		goto end;
	c->on_memfd = c->kind->backend == ASHM_BACKEND_MEMFD;
	ret = -ENOMEM;
	c->holds = calloc(c->entries, sizeof(*c->holds));
	if (!c->holds)
		goto end;
	ret = claim_party(c);
	if (ret)
		goto end;
	ret = disinherit(c);
	if (ret) {
		leave_party(c, false);
		goto end;
	}
	if (c->on_memfd) {
		libashmem_idle_lock();
		c->next = libashmem_caches;
		libashmem_caches = c;
		libashmem_idle_unlock();
		libashmem_idle_add((int64_t)c->contents_size);
	}
	*cache = c;
	return 0;

end:
	end(c);
	return ret;
}

/* With gaps. Or entries would have to go for a run of pages, although enough are free. */
static void set_pages(struct cache_fixed *fixed, uint64_t size)
{
	fixed->budget = (uint32_t)((size + fixed->page - 1) / fixed->page);
	fixed->pages = fixed->budget + fixed->budget / GAPS;
	if (fixed->pages > UINT32_MAX / fixed->page)
		fixed->pages = UINT32_MAX / fixed->page;
}

int ashm_cache_create(const char *name, uint64_t size, uint32_t entries, uint32_t key_max,
		      struct ashm_cache **cache)
{
	KEEP_ERRNO;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), index_size = 0;
	struct cache_fixed fixed = {
		.magic = CACHE_MAGIC,
		.version = CACHE_VERSION,
		.page = (uint32_t)page,
		.entries = entries,
		.key_max = key_max,
	};
	struct ashm_cache layout = { .index = NULL };
	struct ashm *index, *contents;
	int ret;

	if (size > UINT32_MAX - page + 1)
		return -EFBIG;
	set_pages(&fixed, size);
	if (!lay_out(&layout, &fixed, &index_size))
		return -EINVAL;
	if (index_size > SIZE_MAX)
		return -ENOMEM;
	ret = libashmem_random(&fixed.seed[0]);
	if (!ret)
		ret = libashmem_random(&fixed.seed[1]);
	if (ret)
		return ret;
	ret = ashm_create(name, (size_t)index_size, &index);
	if (ret)
		return ret;
	ret = ashm_create(name, layout.contents_size, &contents);
	if (ret)
		goto close_index;
	ret = ashm_write(index, &fixed, sizeof(fixed), 0);
	if (!ret)
		ret = ashm_cache_open(index, contents, cache);
	if (!ret)
		return 0;
	ashm_close(contents);
close_index:
	ashm_close(index);
	return ret;
}

static void unregister(struct ashm_cache *c)
{
	struct ashm_cache **at = &libashmem_caches;

	libashmem_idle_lock();
	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	libashmem_idle_unlock();
	if (c->on_memfd)
		libashmem_idle_add(-(int64_t)c->contents_size);
}

void ashm_cache_close(struct ashm_cache *c)
{
	KEEP_ERRNO;
	uint32_t nr;
	bool entered;

	if (!c)
		return;
	if (mine(c)) {
		unregister(c);
		entered = !libashmem_cache_enter(c, CACHE_LOCK_MS);
		if (entered) {
			for (nr = 1; nr <= c->entries; nr++)
				while (c->holds[nr - 1].count)
					libashmem_cache_let_go(c, nr);
			libashmem_cache_leave(c, 0);
		}
		leave_party(c, entered);
	}
	ashm_close(c->region[ASHM_CACHE_INDEX]);
	ashm_close(c->region[ASHM_CACHE_CONTENTS]);
	end(c);
}

int ashm_cache_fd(const struct ashm_cache *c, int part)
{
	if (part != ASHM_CACHE_INDEX && part != ASHM_CACHE_CONTENTS)
		return -EINVAL;
	return ashm_fd(c->region[part]);
}

/* ---- entries ---- */

static void fill_in(struct ashm_cache *c, uint32_t nr, const struct hold *place,
		    struct ashm_cache_entry *entry)
{
	c->holds[nr - 1].first = place->first;
	c->holds[nr - 1].size = place->size;
	c->holds[nr - 1].count++;
	entry->data = address(c, place);
	entry->size = (size_t)place->size;
	entry->slot = nr;
}

static int get(struct ashm_cache *c, const void *key, size_t len,
	       struct ashm_cache_entry *entry)
{
	uint32_t nr = libashmem_cache_find(c, key, len);
	struct hold place, *hold;
	struct cache_slot *slot;
	int ret;

	if (!nr)
		return -ENOENT;
	slot = libashmem_cache_slot(c, nr);
	hold = &c->holds[nr - 1];
	if (!libashmem_cache_place(c, slot, &place))
		return -ENOENT;
	if (hold->count) {
		/* It is pinned, unless a peer has made another one of it. */
		if (hold->first != place.first || hold->size != place.size) {
			c->damaged = true;
			return -ENOENT;
		}
		fill_in(c, nr, &place, entry);
		return 0;
	}
	if (!slot->holders)
		libashmem_cache_unlist(c, nr, slot);
	slot->state = ENTRY_DOUBT;
	slot->holders |= my_bit(c);
	ret = libashmem_cache_pin(c, &place);
	if (!ret) {
		slot->state = ENTRY_READY;
		fill_in(c, nr, &place, entry);
		return 0;
	}
	/* Lost, at least as far as can be told. */
	slot->holders &= ~my_bit(c);
	libashmem_cache_remove(c, nr, slot);
	c->index->purged++;
	return ret < 0 ? ret : -ENOENT;
}

static bool key_valid(const struct ashm_cache *c, size_t len)
{
	return len && len <= c->key_max;
}

int ashm_cache_get(struct ashm_cache *c, const void *key, size_t key_len,
		   struct ashm_cache_entry *entry)
{
	KEEP_ERRNO;
	int ret;

	if (!key_valid(c, key_len))
		return -EINVAL;
	ret = libashmem_cache_enter(c, CACHE_LOCK_MS);
	if (ret)
		return ret;
	ret = get(c, key, key_len, entry);
	(*(ret ? &c->index->misses : &c->index->hits))++;
	return libashmem_cache_leave(c, ret);
}

static int reserve(struct ashm_cache *c, const void *key, size_t len, size_t size,
		   struct ashm_cache_entry *entry)
{
	struct hold place = { .size = size };
	uint32_t nr = libashmem_cache_make_room(c, &place);
	int ret;

	if (!nr)
		return c->damaged ? -EPROTO : -ENOSPC;
	libashmem_cache_fill(c, nr, &place, key, len);
	/* What was lost here is of no interest, but from now on nothing may be. */
	ret = libashmem_cache_pin(c, &place);
	if (ret < 0) {
		libashmem_cache_free(c, nr, libashmem_cache_slot(c, nr));
		return ret;
	}
	fill_in(c, nr, &place, entry);
	return 0;
}

int ashm_cache_reserve(struct ashm_cache *c, const void *key, size_t key_len, size_t size,
		       struct ashm_cache_entry *entry)
{
	KEEP_ERRNO;
	int ret;

	if (!key_valid(c, key_len))
		return -EINVAL;
	if (size > c->budget * c->page)
		return -EFBIG;
	ret = libashmem_cache_enter(c, CACHE_LOCK_MS);
	return ret ? ret : libashmem_cache_leave(c, reserve(c, key, key_len, size, entry));
}

static bool holds(struct ashm_cache *c, const struct ashm_cache_entry *entry)
{
	return entry->slot - 1 < c->entries && c->holds[entry->slot - 1].count &&
	       entry->data == address(c, &c->holds[entry->slot - 1]);
}

static int commit(struct ashm_cache *c, const struct ashm_cache_entry *entry)
{
	unsigned char key[ASHM_CACHE_KEY_MAX];
	struct cache_slot *slot;
	uint32_t len, old;

	if (!holds(c, entry))
		return -EINVAL;
	slot = libashmem_cache_slot(c, entry->slot);
	len = slot->key_len;
	if (slot->state != ENTRY_RESERVED || !key_valid(c, len))
		return -EINVAL;
	memcpy(key, slot->key, len);
	old = libashmem_cache_find(c, key, len);
	if (old)
		libashmem_cache_drop(c, old);
	libashmem_cache_link(c, entry->slot, slot);
	slot->state = ENTRY_READY;
	c->index->built++;
	return 0;
}

int ashm_cache_commit(struct ashm_cache *c, const struct ashm_cache_entry *entry)
{
	KEEP_ERRNO;
	int ret = libashmem_cache_enter(c, CACHE_LOCK_MS);

	return ret ? ret : libashmem_cache_leave(c, commit(c, entry));
}

int ashm_cache_release(struct ashm_cache *c, const struct ashm_cache_entry *entry)
{
	KEEP_ERRNO;
	int ret = libashmem_cache_enter(c, CACHE_LOCK_MS);

	if (ret)
		return ret;
	if (!holds(c, entry))
		return libashmem_cache_leave(c, -EINVAL);
	libashmem_cache_let_go(c, entry->slot);
	return libashmem_cache_leave(c, 0);
}

int ashm_cache_put(struct ashm_cache *c, const void *key, size_t key_len, const void *data,
		   size_t size)
{
	KEEP_ERRNO;
	struct ashm_cache_entry entry;
	int ret = ashm_cache_reserve(c, key, key_len, size, &entry);

	if (ret)
		return ret;
	if (size)
		memcpy(entry.data, data, size);
	ret = libashmem_cache_enter(c, CACHE_LOCK_MS);
	if (ret) {
		/* The caller has no entry to release: the next call does. */
		c->holds[entry.slot - 1].abandoned = true;
		c->abandoned = true;
		return ret;
	}
	/* The arguments were right: a peer has changed the entry. */
	ret = commit(c, &entry) ? -EPROTO : 0;
	libashmem_cache_let_go(c, entry.slot);
	return libashmem_cache_leave(c, ret);
}

int ashm_cache_drop(struct ashm_cache *c, const void *key, size_t key_len)
{
	KEEP_ERRNO;
	uint32_t nr;
	int ret;

	if (!key_valid(c, key_len))
		return -EINVAL;
	ret = libashmem_cache_enter(c, CACHE_LOCK_MS);
	if (ret)
		return ret;
	nr = libashmem_cache_find(c, key, key_len);
	if (nr)
		libashmem_cache_drop(c, nr);
	return libashmem_cache_leave(c, nr ? 0 : -ENOENT);
}

static uint64_t resident(struct ashm_cache *c)
{
	unsigned char vec[1024];
	uint64_t sum = 0, most;
	size_t at, len, i;

	for (at = 0; at < c->contents_size; at += len) {
		len = sizeof(vec) * c->page;
		if (len > c->contents_size - at)
			len = c->contents_size - at;
		if (mincore(c->contents + at, len, vec))
			break;
		for (i = 0; i < len / c->page; i++)
			sum += vec[i] & 1 ? c->page : 0;
	}
	/* To other users than that of a memfd mincore() says that all pages are there. */
	most = c->on_memfd ? libashmem_allocated(c->region[ASHM_CACHE_CONTENTS]) : sum;
	return sum < most ? sum : most;
}

int ashm_cache_stat(struct ashm_cache *c, struct ashm_cache_stat *stat)
{
	KEEP_ERRNO;
	struct cache_index *index = c->index;
	unsigned int i;
	int ret = libashmem_cache_enter(c, CACHE_LOCK_MS);

	if (ret)
		return ret;
	*stat = (struct ashm_cache_stat){
		.size = c->budget * c->page,
		.entries = index->entries,
		.entries_max = c->entries,
		.hits = index->hits,
		.misses = index->misses,
		.purged = index->purged,
		.evicted = index->evicted,
		.built = index->built,
	};
	for (i = 0; i < RING_PARTIES; i++)
		stat->handles += libashmem_guard_alive(index->party[i].owner);
	libashmem_cache_leave(c, 0);
	stat->resident = resident(c);
	return 0;
}

/* ---- giving back, on memfd ---- */

uint64_t libashmem_cache_bytes(void)
{
	const struct ashm_cache *c;
	uint64_t sum = 0;

	libashmem_idle_lock();
	for (c = libashmem_caches; c; c = c->next)
		sum += c->contents_size;
	libashmem_idle_unlock();
	return sum;
}

/* The cache with the oldest idle entry of before @before. */
static struct ashm_cache *oldest_of(uint64_t before, uint64_t from)
{
	struct ashm_cache *c, *best = NULL;
	uint64_t since;
	uint32_t nr;

	for (c = libashmem_caches; c; c = c->next) {
		nr = c->index->oldest;
		if (nr - 1 >= c->entries || c->failed >= from)
			continue;
		since = libashmem_cache_slot(c, nr)->since;
		if (since < before) {
			before = since;
			best = c;
		}
	}
	return best;
}

uint64_t libashmem_cache_reclaim(uint64_t before, uint64_t from, uint64_t *left)
{
	struct ashm_cache *c;
	struct hold gone;
	uint64_t freed = 0;

	libashmem_idle_lock();
	while (!freed && *left) {
		c = oldest_of(before, from);
		if (!c)
			break;
		if (!libashmem_cache_enter(c, RECLAIM_LOCK_MS)) {
			if (libashmem_cache_evict(c, &c->index->purged, &gone))
				freed = (uint64_t)pages_of(c, &gone) * c->page;
			libashmem_cache_leave(c, 0);
		}
		/* A peer that keeps the lock, or always has more, must not keep us. */
		if (!freed)
			c->failed = libashmem_now();
		/* Entries that a peer has moved may lie in the same pages: count these once. */
		freed = freed < *left ? freed : *left;
		*left -= freed;
	}
	libashmem_idle_unlock();
	return freed;
}
