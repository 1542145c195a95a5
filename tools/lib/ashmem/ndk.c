// SPDX-License-Identifier: MIT
/*
 * The interface of the NDK.
 */
#include <errno.h>
#include <stdint.h>

#include "android/sharedmem.h"
#include "cutils/ashmem.h"
#include "internal.h"

int ASharedMemory_create(const char *name, size_t size)
{
	if (!size) {
		errno = EINVAL;
		return -EINVAL;
	}
	return libashmem_new(name, size);
}

size_t ASharedMemory_getSize(int fd)
{
	const struct libashmem_kind *kind = libashmem_kind_of(fd);
	uint64_t size;

	if (!kind || kind->get_size(fd, &size))
		return 0;
	/* A 64-bit process may have made it, and this be none. */
	if (size > SIZE_MAX) {
		errno = EOVERFLOW;
		return 0;
	}
	return (size_t)size;
}

int ASharedMemory_setProt(int fd, int prot)
{
	return ashmem_set_prot_region(fd, prot);
}
