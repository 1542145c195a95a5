/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 ashmem maintainers */
/*
 * A cache of many entries by key, which processes share and the kernel may purge.
 *
 * A cache is two regions: the contents, and an index that is never purged. An entry
 * begins at a page of the contents. While a caller holds it, it stays; without a
 * holder it may be purged, the entry that has been unused for longest first: on
 * /dev/ashmem by the kernel, on memfd by the library's thread. A purged entry is
 * not there any more; no call returns an entry that lost contents.
 *
 * A process that dies, at any moment and in any way, leaves a cache that works: the
 * next call of another process repairs the index and releases what the dead process
 * held. A peer that writes nonsense to the index can make entries disappear, change or
 * be refused, and make calls slow. It can't make a call access memory outside of the two
 * regions, nor loop or wait without limit. That contents are whole and stay while they are
 * held is true among peers that only use these calls: any other peer can write to them, or
 * free their pages, at any moment.
 *
 * Conventions are those of ashmem.h: 0, a value or a negative errno. Every call may be
 * made from any thread; ashm_cache_close() must be the last one. Handles belong to the
 * process that made them: in a child after fork() they return -ECHILD, and can only
 * be closed. Besides the errors that they name, all calls with a cache but
 * ashm_cache_close() and ashm_cache_fd() return -ECHILD; -ETIMEDOUT if another process
 * stops in the middle of a call for 10 seconds; -ENODATA if the index was purged;
 * -EPROTO if it is damaged; -ENOMEM if there is no memory for a repair; -EPERM if a sandbox
 * refuses the thread get_robust_list() or set_robust_list(). After these the caller still
 * holds what it held.
 */
#ifndef ASHMEM_CACHE_H
#define ASHMEM_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include <ashmem.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ashm_cache;

/* The largest number of entries: more pages there can't be. The longest key in bytes. */
#define ASHM_CACHE_ENTRIES_MAX	0x100000u
#define ASHM_CACHE_KEY_MAX	1024u

/* How many handles of a cache there may be at a time, in all processes together. */
#define ASHM_CACHE_HANDLES_MAX	63u

/**
 * struct ashm_cache_entry - an entry that the caller holds
 * @data: the contents, aligned to a page
 * @size: in bytes
 * @slot: where the index has it
 */
struct ashm_cache_entry {
	void *data;
	size_t size;
	uint32_t slot;
};

/**
 * struct ashm_cache_stat - what a cache has, and what was asked of it
 * @size: bytes for contents
 * @resident: bytes of them that are in memory
 * @entries: entries that get may find; a purge by the kernel isn't known until then
 * @entries_max: how many there may be
 * @hits: gets that returned an entry
 * @misses: gets that returned none
 * @purged: entries that were lost to a purge
 * @evicted: entries that were removed to make room
 * @built: entries that were put or committed, those that were lost before included
 * @handles: open handles
 * @reserved: 0
 *
 * The counts are of all processes since the cache was made.
 */
struct ashm_cache_stat {
	uint64_t size;
	uint64_t resident;
	uint64_t entries;
	uint64_t entries_max;
	uint64_t hits;
	uint64_t misses;
	uint64_t purged;
	uint64_t evicted;
	uint64_t built;
	uint32_t handles;
	uint32_t reserved;
};

/* ---- life ---- */

/**
 * ashm_cache_create - make an empty cache
 * @name: as of ashm_create(), for both regions
 * @size: bytes for contents, less than 4 GiB; rounded up to pages. The region is an
 *	eighth larger, for gaps between entries, which take no memory
 * @entries: how many entries there may be, 1 to %ASHM_CACHE_ENTRIES_MAX
 * @key_max: the longest key, 1 to %ASHM_CACHE_KEY_MAX
 * @cache: where the object is put
 *
 * An entry takes at least a page of @size. The index takes 56 bytes and @key_max for each
 * entry that was in use at a time.
 *
 * Return: 0; -EINVAL; -EFBIG if @size, rounded up, is 4 GiB or more; or as of ashm_create()
 * and ashm_cache_open().
 */
int ashm_cache_create(const char *name, uint64_t size, uint32_t entries,
		      uint32_t key_max, struct ashm_cache **cache);

/**
 * ashm_cache_open - open a cache that another process made
 * @index: the region of %ASHM_CACHE_INDEX
 * @contents: the region of %ASHM_CACHE_CONTENTS
 * @cache: where the object is put
 *
 * The regions belong to the cache from then on, unless the call fails.
 *
 * Return: 0; -EPROTO if the two are no cache; -EPROTONOSUPPORT if it is one of another
 * version of the library; -ENODATA if the index is empty; -EACCES if one can't be
 * written to; -EUSERS if there are %ASHM_CACHE_HANDLES_MAX handles; -ENOMEM; -EAGAIN if
 * no thread could be made, or if this process has 2000 caches and ends of rings.
 */
int ashm_cache_open(struct ashm *index, struct ashm *contents,
		    struct ashm_cache **cache);

/* Releases all that is held by this handle, and frees it. NULL is allowed. */
void ashm_cache_close(struct ashm_cache *cache);

#define ASHM_CACHE_INDEX	0
#define ASHM_CACHE_CONTENTS	1

/**
 * ashm_cache_fd - a descriptor to pass to another process
 * @cache: the cache; it keeps the descriptor
 * @part: %ASHM_CACHE_INDEX or %ASHM_CACHE_CONTENTS; both are needed
 *
 * Return: the descriptor, or -EINVAL.
 */
int ashm_cache_fd(const struct ashm_cache *cache, int part);

/* ---- entries ---- */

/**
 * ashm_cache_get - hold an entry, if it is there
 * @cache: the cache
 * @key: any bytes
 * @key_len: their number
 * @entry: filled in
 *
 * Any number of threads and processes may hold an entry. It doesn't change while it is
 * held: put and drop leave the holders what they have.
 *
 * Return: 0; -ENOENT if it isn't there, or was purged; -EINVAL if the key is empty or
 * too long; or an error of the driver's PIN, after which the entry isn't there.
 */
int ashm_cache_get(struct ashm_cache *cache, const void *key, size_t key_len,
		   struct ashm_cache_entry *entry);

/**
 * ashm_cache_reserve - begin an entry
 * @cache: the cache
 * @key: any bytes
 * @key_len: their number
 * @size: of the entry, up to that of the cache
 * @entry: filled in; @entry->data may be written to
 *
 * Removes the entries that have been unused for longest until there is room. The new
 * one isn't found before ashm_cache_commit().
 *
 * Return: 0; -EINVAL as of ashm_cache_get(); -EFBIG if @size is more than that of the
 * cache; -ENOSPC if entries that are held leave no room, then none was removed; or an error
 * of PIN, then some may have been removed.
 */
int ashm_cache_reserve(struct ashm_cache *cache, const void *key, size_t key_len,
		       size_t size, struct ashm_cache_entry *entry);

/**
 * ashm_cache_commit - let others find a reserved entry
 * @cache: the cache
 * @entry: from ashm_cache_reserve(); still held afterwards, and not to be written to
 *
 * Replaces an entry with the same key.
 *
 * Return: 0, or -EINVAL if it isn't a reserved entry that this handle holds.
 */
int ashm_cache_commit(struct ashm_cache *cache, const struct ashm_cache_entry *entry);

/**
 * ashm_cache_release - stop holding an entry
 * @cache: the cache
 * @entry: from ashm_cache_get() or ashm_cache_reserve()
 *
 * After the last release it may be purged. A reserved entry that wasn't committed is
 * given up.
 *
 * Return: 0, or -EINVAL if this handle doesn't hold it.
 */
int ashm_cache_release(struct ashm_cache *cache, const struct ashm_cache_entry *entry);

/**
 * ashm_cache_put - reserve, copy, commit and release
 * @cache: the cache
 * @key: any bytes
 * @key_len: their number
 * @data: the contents
 * @size: their size
 *
 * Return: as of ashm_cache_reserve(). After -ETIMEDOUT and -EPROTO, too, entries may have
 * been removed for it.
 */
int ashm_cache_put(struct ashm_cache *cache, const void *key, size_t key_len,
		   const void *data, size_t size);

/**
 * ashm_cache_drop - remove an entry
 * @cache: the cache
 * @key: any bytes
 * @key_len: their number
 *
 * Its memory is freed when the last holder releases it.
 *
 * Return: 0; -ENOENT if it isn't there; -EINVAL as of ashm_cache_get().
 */
int ashm_cache_drop(struct ashm_cache *cache, const void *key, size_t key_len);

/**
 * ashm_cache_stat - what a cache has
 * @cache: the cache
 * @stat: filled in
 *
 * Looks at each page of the contents: not for every call.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* of C++: a struct has the same name, as stat() */
int ashm_cache_stat(struct ashm_cache *cache, struct ashm_cache_stat *stat);
#pragma GCC diagnostic pop

#ifdef __cplusplus
}
#endif

#endif
