// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * The interface of the NDK.
 */
#include <errno.h>
#include <stdint.h>

#include "android/sharedmem.h"
#include "ashmem.h"
#include "cutils/ashmem.h"

int ASharedMemory_create(const char *name, size_t size)
{
	if (!size) {
		errno = EINVAL;
		return -EINVAL;
	}
	return ashmem_create_region(name, size);
}

size_t ASharedMemory_getSize(int fd)
{
	uint64_t size;
	int ret = ashm_size_of(fd, &size);

	/* A 64-bit process may have made it, and this process may have 32 bits. */
	if (!ret && size > SIZE_MAX)
		ret = -EOVERFLOW;
	if (!ret)
		return (size_t)size;
	errno = -ret;
	return 0;
}

int ASharedMemory_setProt(int fd, int prot)
{
	return ashmem_set_prot_region(fd, prot);
}
