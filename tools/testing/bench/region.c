// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions of the driver or of memfd, and their operations. Each succeeds or ends the
 * program: the cost of failures is meaningless.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

int region_open(size_t size)
{
	int fd;

	if (subject_is_memfd) {
		fd = memfd_create("bench", MFD_CLOEXEC);
		if (fd < 0)
			die("memfd_create");
		if (ftruncate(fd, size))
			die("ftruncate");
		return fd;
	}
	fd = open("/dev/ashmem", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("/dev/ashmem");
	if (ioctl(fd, ASHMEM_SET_NAME, "bench"))
		die("ASHMEM_SET_NAME");
	if (ioctl(fd, ASHMEM_SET_SIZE, size))
		die("ASHMEM_SET_SIZE");
	return fd;
}

void *region_map(int fd, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		die("mmap");
	return map;
}

void region_unmap(void *map, size_t size)
{
	if (munmap(map, size))
		die("munmap");
}

int pin_ioctl(int fd, unsigned int cmd, unsigned long page, unsigned long pages)
{
	struct ashmem_pin pin = {
		.offset = page * page_size,
		.len = pages * page_size,
	};

	return ioctl(fd, cmd, &pin);
}

void pin(int fd, unsigned long page, unsigned long pages)
{
	if (pin_ioctl(fd, ASHMEM_PIN, page, pages) < 0)
		die("ASHMEM_PIN");
}

void unpin(int fd, unsigned long page, unsigned long pages)
{
	if (pin_ioctl(fd, ASHMEM_UNPIN, page, pages))
		die("ASHMEM_UNPIN");
}

/* @count ranges of a page each, with a pinned page behind every one. */
void unpin_every_other(int fd, unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i++)
		unpin(fd, 2 * i, 1);
}

unsigned long purge_all(int fd)
{
	long pages = ioctl(fd, ASHMEM_PURGE_ALL_CACHES, 0);

	if (pages < 0)
		die("ASHMEM_PURGE_ALL_CACHES");
	return pages;
}

void punch(int fd, unsigned long page, unsigned long pages)
{
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      page * page_size, pages * page_size))
		die("fallocate");
}
