// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: a cache beside a peer that writes arbitrary bytes to its index.
 *
 * The input is a script of single-byte commands with operands. Calls must return only
 * documented codes, in bounded time, and entries must be inside of the contents.
 */
#include <errno.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cache/internal.h"
#include "ashmem_purgeable.h"
#include "fuzz.h"

#define PAGES		12u
#define ENTRIES		6u
#define KEY_MAX		8u
#define HELD		4

static int index_fd, contents_fd;
static struct cache_index *shared;
static size_t shared_size;
static struct cache_fixed fixed;
static struct ashm_cache *cache;
static struct ashm_cache_entry held[HELD];
static bool holding[HELD];

/* And what any call may return, because of the index. A stopped peer goes on. */
#define RETURNS(ret, ...) do { \
	ONE_OF(ret, 0, -ETIMEDOUT, -ENODATA, -EPROTO, ##__VA_ARGS__); \
	if ((ret) == -ETIMEDOUT) \
		shared->lock = 0; \
} while (0)

/*
 * The driver finds nothing wrong that the library should have found. A peer can have changed
 * the longest key before this handle was opened.
 */
static void insist_on_key(size_t len, int ret)
{
	insist((ret == -EINVAL) == (!len || len > cache->key_max), "invalid", ret);
}

/* This cache stays open, so that the guardian need not start for each input. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct ashm_cache *c;
	uint64_t size;

	(void)argc;
	(void)argv;
	setenv("ASHMEM_BACKEND", "memfd", 1);
	if (ashm_cache_create("other", 1, 1, 1, &c) ||
	    ashm_cache_create("fuzz", PAGES * (uint64_t)sysconf(_SC_PAGESIZE), ENTRIES,
			      KEY_MAX, &c))
		return -1;
	index_fd = dup(ashm_cache_fd(c, ASHM_CACHE_INDEX));
	contents_fd = dup(ashm_cache_fd(c, ASHM_CACHE_CONTENTS));
	ashm_size_of(index_fd, &size);
	shared_size = (size_t)size;
	shared = mmap(NULL, shared_size, PROT_READ | PROT_WRITE, MAP_SHARED, index_fd, 0);
	if (shared == MAP_FAILED)
		return -1;
	fixed = shared->fixed;
	ashm_cache_close(c);
	return 0;
}

static void open_it(void)
{
	struct ashm *index, *contents;
	int ret;

	if (cache)
		return;
	if (ashm_adopt(dup(index_fd), &index) || ashm_adopt(dup(contents_fd), &contents))
		abort();
	ret = ashm_cache_open(index, contents, &cache);
	RETURNS(ret, -EUSERS, -EPROTONOSUPPORT);
	if (!ret)
		return;
	ashm_close(index);
	ashm_close(contents);
}

static void close_it(void)
{
	ashm_cache_close(cache);
	cache = NULL;
	memset(holding, 0, sizeof(holding));
}

/* Every byte of an entry is in the contents. */
static void use_entry(const struct ashm_cache_entry *e)
{
	size_t at = (size_t)((char *)e->data - cache->contents);

	insist(at < cache->contents_size && e->size <= cache->contents_size - at,
	       "entry inside", (int)e->slot);
	insist(e->slot - 1 < ENTRIES, "slot inside", (int)e->slot);
	memset(e->data, 0x5a, e->size);
}

static void get(unsigned int i, const char *key, size_t len)
{
	int ret;

	if (holding[i])
		return;
	ret = ashm_cache_get(cache, key, len, &held[i]);
	RETURNS(ret, -ENOENT, -EINVAL);
	insist_on_key(len, ret);
	holding[i] = !ret;
	if (!ret)
		use_entry(&held[i]);
}

static void reserve(unsigned int i, const char *key, size_t len, size_t size)
{
	int ret;

	if (holding[i])
		return;
	ret = ashm_cache_reserve(cache, key, len, size, &held[i]);
	RETURNS(ret, -EFBIG, -ENOSPC, -EINVAL);
	insist_on_key(len, ret);
	holding[i] = !ret;
	if (!ret)
		use_entry(&held[i]);
}

static void release(unsigned int i)
{
	int ret;

	if (!holding[i])
		return;
	use_entry(&held[i]);
	ret = ashm_cache_release(cache, &held[i]);
	RETURNS(ret);
	holding[i] = ret;
}

static void look(void)
{
	struct ashm_cache_stat stat;
	int ret = ashm_cache_stat(cache, &stat);

	RETURNS(ret);
	if (!ret)
		/* Entries that a peer has moved may fill the gaps, too. */
		insist(stat.resident <= cache->contents_size &&
		       stat.handles <= RING_PARTIES, "stat", 0);
}

static void reclaim(uint64_t bytes)
{
	uint64_t freed;
	int ret = ashm_purgeable_reclaim(bytes, &freed);

	ONE_OF(ret, 0);
	insist(freed <= (PAGES + PAGES / 8 + 1) * (uint64_t)sysconf(_SC_PAGESIZE), "freed", 0);
}

static void scribble(struct input *in)
{
	size_t at = (size_t)take(in, 2) % shared_size, len = (size_t)take(in, 1) & 15;

	for (len++; len && at < shared_size; len--, at++)
		((char *)shared)[at] = (char)take(in, 1);
}

/* One of the important words. */
static void set_word(struct input *in)
{
	_Atomic uint32_t *words[] = {
		&shared->lock, &shared->torn, &shared->touched, &shared->unused,
		&shared->oldest, &shared->youngest, &shared->entries,
		&shared->party[0].owner, &shared->party[1].owner,
		&shared->lowest, &shared->used, &shared->parties,
	};
	unsigned int which = (unsigned int)take(in, 1);
	uint32_t value = (uint32_t)take(in, which & 0x80 ? 4 : 1);

	/* Died, or as it was. */
	if (which & 0x40)
		value = value & 1 ? FUTEX_OWNER_DIED : value >> 1;
	/* The last three came later: what is in corpus-cache keeps its meaning. */
	which %= 32;
	*words[which < 27 ? which % 9 : 9 + which % 3] = value;
}

static void set_slot(struct input *in)
{
	unsigned int which = (unsigned int)take(in, 1), nr = (which >> 4) % ENTRIES;
	uint64_t value = take(in, which & 8 ? 8 : 1);
	struct cache_slot *slot;

	if (!cache)
		return;
	slot = (struct cache_slot *)((char *)shared + (cache->slots - (char *)cache->index) +
				     nr * cache->stride);
	switch (which & 7) {
	case 0:
		slot->state = (uint32_t)value;
		break;
	case 1:
		slot->key_len = (uint32_t)value;
		break;
	case 2:
		slot->size = value;
		break;
	case 3:
		slot->holders = value;
		break;
	case 4:
		slot->first = (uint32_t)value;
		break;
	case 5:
		slot->next = (uint32_t)value;
		break;
	case 6:
		slot->older = (uint32_t)value;
		break;
	default:
		slot->younger = (uint32_t)value;
		break;
	}
}

static void do_step(struct input *in)
{
	unsigned int op = (unsigned int)take(in, 1), i = op >> 4 & 3;
	char key[KEY_MAX + 2] = { (char)('a' + (op >> 6)) };
	size_t len = op & 0x80 ? take(in, 1) % sizeof(key) : 1, size;
	int ret;

	switch (op & 15) {
	case 0:
	case 1:
		get(i, key, len);
		break;
	case 2:
		reserve(i, key, len, (size_t)take(in, 1) << 9);
		break;
	case 3:
		if (holding[i]) {
			ret = ashm_cache_commit(cache, &held[i]);
			RETURNS(ret, -EINVAL);
		}
		break;
	case 4:
	case 5:
		release(i);
		break;
	case 6:
	case 7:
		size = (size_t)take(in, 1) << 8;
		ret = ashm_cache_put(cache, key, len, memset(alloca(size + 1), 1, size), size);
		RETURNS(ret, -EFBIG, -ENOSPC, -EINVAL);
		insist_on_key(len, ret);
		break;
	case 8:
		ret = ashm_cache_drop(cache, key, len);
		RETURNS(ret, -ENOENT, -EINVAL);
		insist_on_key(len, ret);
		break;
	case 9:
		look();
		break;
	case 10:
		reclaim(take(in, 2));
		break;
	case 11:
		scribble(in);
		break;
	case 12:
		set_word(in);
		break;
	case 13:
	case 14:
		set_slot(in);
		break;
	default:
		if (op & 0x40)
			memset((char *)shared + (op & 0x80 ? 4096 : 0), 0, 64);
		else
			close_it();
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned int steps;

	memset((void *)shared, 0, shared_size);
	shared->fixed = fixed;
	for (steps = 0; in.left && steps < 100; steps++) {
		open_it();
		if (!cache)
			break;
		do_step(&in);
	}
	close_it();
	return 0;
}
