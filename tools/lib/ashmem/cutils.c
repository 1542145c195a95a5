// SPDX-License-Identifier: MIT
/*
 * The interface of libcutils.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>

#include "cutils/ashmem.h"
#include "internal.h"

int ashmem_valid(int fd)
{
	const struct libashmem_kind *kind = libashmem_kind_of(fd);

	/*
	 * The number of a device that went away may have passed to another, and
	 * what was opened with O_PATH is of no use: only the region answers.
	 */
	return kind && kind->get_prot(fd) >= 0;
}

int ashmem_create_region(const char *name, size_t size)
{
	return libashmem_new(name, size);
}

int ashmem_set_prot_region(int fd, int prot)
{
	const struct libashmem_kind *kind = libashmem_kind_of(fd);

	return kind ? kind->set_prot(fd, prot) : -1;
}

/* The device takes 32 bits; what has more must not pass for something else. */
static int fits(size_t offset, size_t len)
{
	if (offset <= UINT32_MAX && len <= UINT32_MAX)
		return 1;
	errno = EINVAL;
	return 0;
}

int ashmem_pin_region(int fd, size_t offset, size_t len)
{
	const struct libashmem_kind *kind = libashmem_kind_of(fd);

	if (!kind || !fits(offset, len))
		return -1;
	return kind->pin(fd, (uint32_t)offset, (uint32_t)len);
}

int ashmem_unpin_region(int fd, size_t offset, size_t len)
{
	const struct libashmem_kind *kind = libashmem_kind_of(fd);

	if (!kind || !fits(offset, len))
		return -1;
	return kind->unpin(fd, (uint32_t)offset, (uint32_t)len);
}

int ashmem_get_size_region(int fd)
{
	const struct libashmem_kind *kind = libashmem_kind_of(fd);
	uint64_t size;

	if (!kind || kind->get_size(fd, &size))
		return -1;
	if (size > INT_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	return (int)size;
}
