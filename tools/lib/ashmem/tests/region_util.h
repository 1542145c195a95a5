/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Wrappers of the library's calls for tests: they return an object, or NULL with errno.
 * Include after ashmem_util.h.
 */
#ifndef REGION_UTIL_H
#define REGION_UTIL_H

#include <ashmem.h>

static UNUSED struct ashm *region_or_null(int ret, struct ashm *region)
{
	if (!ret)
		return region;
	errno = -ret;
	return NULL;
}

static UNUSED struct ashm *region_new(const char *name, size_t size)
{
	struct ashm *region = NULL;
	int ret = ashm_create(name, size, &region);

	return region_or_null(ret, region);
}

static UNUSED struct ashm *region_adopt(int fd)
{
	struct ashm *region = NULL;
	int ret = ashm_adopt(fd, &region);

	return region_or_null(ret, region);
}

static UNUSED void *region_map_range(struct ashm *region, int prot, uint64_t offset,
				     size_t len)
{
	void *addr = NULL;
	int ret = ashm_map_range(region, prot, offset, len, &addr);

	if (!ret)
		return addr;
	errno = -ret;
	return NULL;
}

static UNUSED void *region_map(struct ashm *region, int prot)
{
	return region_map_range(region, prot, 0, (size_t)ashm_size(region));
}

#endif
