// SPDX-License-Identifier: GPL-2.0-only
/*
 * Usage: busy user|memfd|ashmem
 *
 * Works until it is killed: in user mode only, or on 32 MiB of a memfd that it fills and
 * punches out, or on a region that it fills, pins and unpins by the page, and has purged by
 * the command and by the shrinker. So the last two differ in what the driver does.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/ashmem.h>

#define SIZE	(32u << 20)

static size_t page;

static void check(int good, const char *what)
{
	if (!good) {
		perror(what);
		exit(1);
	}
}

/* The shrinker; for a memfd it has nothing to do. */
static void drop_slabs(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	check(fd >= 0 && write(fd, "2", 1) == 1, "drop_caches");
	close(fd);
}

static void use_memfd(int fd, unsigned int round)
{
	if (round % 2)
		drop_slabs();
	check(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SIZE), "fallocate");
}

static void use_region(int fd, unsigned int round)
{
	struct ashmem_pin pin = { .len = (__u32)page }, all = { 0 };

	/* One range becomes many, and many become one. */
	check(!ioctl(fd, ASHMEM_UNPIN, &all), "unpin");
	for (pin.offset = 0; pin.offset < SIZE; pin.offset += 2 * (__u32)page)
		check(ioctl(fd, ASHMEM_PIN, &pin) >= 0, "pin");
	check(!ioctl(fd, ASHMEM_UNPIN, &all), "unpin");
	if (round % 2)
		drop_slabs();
	else
		check(ioctl(fd, ASHMEM_PURGE_ALL_CACHES) >= 0, "purge");
	check(ioctl(fd, ASHMEM_PIN, &all) == ASHMEM_WAS_PURGED, "pin");
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";
	unsigned int round;
	size_t at;
	char *a;
	int fd;

	page = (size_t)sysconf(_SC_PAGESIZE);
	while (!strcmp(what, "user"))
		__asm__ volatile("" : : : "memory");
	if (!strcmp(what, "memfd")) {
		fd = memfd_create("busy", 0);
		check(fd >= 0 && !ftruncate(fd, SIZE), "memfd");
	} else {
		fd = open("/dev/ashmem", O_RDWR);
		check(fd >= 0 && !ioctl(fd, ASHMEM_SET_SIZE, (size_t)SIZE), "ashmem");
	}
	a = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	check(a != MAP_FAILED, "mmap");
	for (round = 0;; round++) {
		for (at = 0; at < SIZE; at += page)
			a[at] = 1;
		if (!strcmp(what, "memfd"))
			use_memfd(fd, round);
		else
			use_region(fd, round);
	}
}
