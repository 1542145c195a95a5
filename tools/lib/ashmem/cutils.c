// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * The interface of libcutils.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>

#include "ashmem.h"
#include "cutils/ashmem.h"
#include "internal.h"

/* Failures are -1 here, with errno. */
static int result(int ret)
{
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

int ashmem_valid(int fd)
{
	return result(ashm_backend_of(fd)) >= 0;
}

int ashmem_create_region(const char *name, size_t size)
{
	return result(libashmem_new(name, size));
}

int ashmem_set_prot_region(int fd, int prot)
{
	const struct libashmem_kind *kind;
	int ret = libashmem_kind_of(fd, &kind);

	return result(ret ? ret : kind->set_prot(fd, prot));
}

/* The device takes 32 bits: refuse larger values instead of truncating them. */
static int kind_for(int fd, size_t offset, size_t len,
		    const struct libashmem_kind **kind)
{
	int ret = libashmem_kind_of(fd, kind);

	if (!ret && (offset > UINT32_MAX || len > UINT32_MAX))
		ret = -EINVAL;
	return ret;
}

int ashmem_pin_region(int fd, size_t offset, size_t len)
{
	const struct libashmem_kind *kind;
	int ret = kind_for(fd, offset, len, &kind);

	return result(ret ? ret : kind->pin(fd, (uint32_t)offset, (uint32_t)len));
}

int ashmem_unpin_region(int fd, size_t offset, size_t len)
{
	const struct libashmem_kind *kind;
	int ret = kind_for(fd, offset, len, &kind);

	return result(ret ? ret : kind->unpin(fd, (uint32_t)offset, (uint32_t)len));
}

int ashmem_get_size_region(int fd)
{
	const struct libashmem_kind *kind;
	uint64_t size = 0;
	int ret = libashmem_kind_of(fd, &kind);

	if (!ret)
		ret = kind->get_size(fd, &size);
	if (!ret && size > INT_MAX)
		ret = -EOVERFLOW;
	return result(ret ? ret : (int)size);
}
