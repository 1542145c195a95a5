/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of the cache's tests. Include after lib_both.h.
 */
#ifndef CACHE_UTIL_H
#define CACHE_UTIL_H

#include <ashmem_cache.h>

#include "purge_util.h"
#include "tsan.h"

/* How often something is tried: as tests/run.sh has it, or a tenth, as in an emulator. */
static UNUSED int as_often(int all)
{
	return getenv("ASHMEM_LONG") ? all : all / 10;
}

struct cache_key {
	char text[16];
	size_t len;
};

static UNUSED struct cache_key key_of(unsigned int nr)
{
	struct cache_key key;

	key.len = (size_t)snprintf(key.text, sizeof(key.text), "key %u", nr);
	return key;
}

/* An entry begins with the seed of its pattern, if it is large enough. */
static UNUSED int put(struct ashm_cache *c, unsigned int nr, size_t size, unsigned int seed)
{
	struct cache_key key = key_of(nr);
	char *data = malloc(size + 1);
	int ret;

	if (!data)
		return -ENOMEM;
	fill(data, size, seed);
	ret = ashm_cache_put(c, key.text, key.len, data, size);
	free(data);
	return ret;
}

static UNUSED int hold(struct ashm_cache *c, unsigned int nr, struct ashm_cache_entry *e)
{
	struct cache_key key = key_of(nr);

	return ashm_cache_get(c, key.text, key.len, e);
}

static UNUSED int begin(struct ashm_cache *c, unsigned int nr, size_t size,
			struct ashm_cache_entry *e)
{
	struct cache_key key = key_of(nr);

	return ashm_cache_reserve(c, key.text, key.len, size, e);
}

static UNUSED int drop(struct ashm_cache *c, unsigned int nr)
{
	struct cache_key key = key_of(nr);

	return ashm_cache_drop(c, key.text, key.len);
}

/* 0 if the entry is there as put() made it; -EILSEQ if it is there in another way. */
static UNUSED int check(struct ashm_cache *c, unsigned int nr, size_t size,
			unsigned int seed)
{
	struct ashm_cache_entry e;
	int ret = hold(c, nr, &e), right;

	if (ret)
		return ret;
	right = e.size == size && filled(e.data, size, seed);
	ret = ashm_cache_release(c, &e);
	return ret ? ret : right ? 0 : -EILSEQ;
}

/* Another handle of the same cache. */
static UNUSED int reopen(int index, int contents, struct ashm_cache **c)
{
	struct ashm *regions[2] = { region_adopt(dup(index)), region_adopt(dup(contents)) };
	int ret = -EBADF;

	if (regions[0] && regions[1])
		ret = ashm_cache_open(regions[0], regions[1], c);
	if (!ret)
		return 0;
	ashm_close(regions[0]);
	ashm_close(regions[1]);
	return ret;
}

static UNUSED int another(struct ashm_cache *c, struct ashm_cache **out)
{
	return reopen(ashm_cache_fd(c, ASHM_CACHE_INDEX),
		      ashm_cache_fd(c, ASHM_CACHE_CONTENTS), out);
}

#endif
