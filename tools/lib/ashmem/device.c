// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * Regions of /dev/ashmem.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/ashmem.h>

#include "ashmem.h"
#include "internal.h"

#define BOOT_ID		"/proc/sys/kernel/random/boot_id"
#define BOOT_ID_LEN	36
#define DEVICE		"/dev/ashmem"
#define DEVICE_LEN	(sizeof(DEVICE) + BOOT_ID_LEN)

/*
 * The last known number of the device, 0 for none. The kernel assigns another one each
 * time the module is loaded. Linux uses 32 bits for it.
 */
static _Atomic uint32_t device_rdev;

static uint32_t pack_rdev(dev_t rdev)
{
	return (uint32_t)(major(rdev) << 20 | minor(rdev));
}

/*
 * Android names the node after the boot, so that only processes that can read the id
 * find it. Empty if the id cannot be read.
 */
static char boot_node[DEVICE_LEN];
static pthread_once_t boot_node_once = PTHREAD_ONCE_INIT;

static void find_boot_node(void)
{
	char id[BOOT_ID_LEN + 1] = "";
	int fd;

	fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (read(fd, id, BOOT_ID_LEN) == BOOT_ID_LEN && !strchr(id, '/'))
		snprintf(boot_node, sizeof(boot_node), DEVICE "%s", id);
	close(fd);
}

static const char *boot_path(void)
{
	pthread_once(&boot_node_once, find_boot_node);
	return boot_node;
}

static int open_node(const char *path)
{
	struct stat st;
	int fd;

	fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISCHR(st.st_mode) ||
	    ioctl(fd, ASHMEM_GET_PROT_MASK) < 0) {
		close(fd);
		return -ENOTTY;
	}
	atomic_store_explicit(&device_rdev, pack_rdev(st.st_rdev),
			      memory_order_relaxed);
	return fd;
}

int libashmem_device_open(void)
{
	const char *path = boot_path();
	int fd;

	if (*path) {
		fd = open_node(path);
		if (fd >= 0 || fd == -EMFILE || fd == -ENFILE)
			return fd;
	}
	return open_node(DEVICE);
}

static int node_is(const char *path, uint32_t rdev)
{
	struct stat st;

	if (stat(path, &st) || !S_ISCHR(st.st_mode) ||
	    pack_rdev(st.st_rdev) != rdev)
		return 0;
	atomic_store_explicit(&device_rdev, rdev, memory_order_relaxed);
	return 1;
}

int libashmem_device_is(const struct stat *st)
{
	uint32_t rdev = pack_rdev(st->st_rdev);

	/* An overlay's whiteout has number 0, and any user can make one. */
	if (!S_ISCHR(st->st_mode) || !rdev)
		return 0;
	if (rdev == atomic_load_explicit(&device_rdev, memory_order_relaxed))
		return 1;
	/* Loaded since, or again; a stat() makes no region as open() would. */
	return node_is(DEVICE, rdev) ||
	       (*boot_path() && node_is(boot_path(), rdev));
}

int libashmem_device_new(const char *name, size_t size)
{
	int fd, ret;

	fd = libashmem_device_open();
	if (fd < 0)
		return fd;
	if ((name && ioctl(fd, ASHMEM_SET_NAME, name)) ||
	    ioctl(fd, ASHMEM_SET_SIZE, size)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

/* The size line of fdinfo has all bits, and reading it moves no file position. */
static int fdinfo_size(int fd, uint64_t *size)
{
	char path[LIBASHMEM_PROC_LEN], line[64];
	bool at_start = true, found = false;
	FILE *file;

	libashmem_proc_path(path, "fdinfo", fd);
	file = fopen(path, "re");
	if (!file)
		return 0;
	/* A long name makes fgets() return a line in pieces: only the first has a key. */
	while (!found && fgets(line, sizeof(line), file)) {
		if (at_start && !strncmp(line, "size:\t", 6)) {
			*size = strtoull(line + 6, NULL, 10);
			found = true;
		}
		at_start = strchr(line, '\n');
	}
	fclose(file);
	return found;
}

/* What a system call returned. */
static int result(int ret)
{
	return ret < 0 ? -errno : ret;
}

static int device_get_prot(int fd)
{
	return result(ioctl(fd, ASHMEM_GET_PROT_MASK));
}

static int device_get_size(int fd, uint64_t *size)
{
	uint64_t at;
	char byte;
	int ret;

	if (fdinfo_size(fd, size))
		return 0;

	/*
	 * Without /proc use the ioctls. Of a size the kernel returns the lower 32 bits, and libc
	 * takes the last 4095 values for an errno: ask first what returns no size.
	 */
	ret = device_get_prot(fd);
	if (ret < 0)
		return ret;
	ret = ioctl(fd, ASHMEM_GET_SIZE);
	at = ret == -1 ? (uint32_t)-errno : (uint32_t)ret;
	/* Reading finds the rest, unless the region was never mapped. */
	for (; pread(fd, &byte, 1, (off_t)at) == 1; at += 1ULL << 32)
		;
	*size = at;
	return 0;
}

static int device_get_name(int fd, char *name)
{
	if (ioctl(fd, ASHMEM_GET_NAME, name))
		return -errno;
	if (!strcmp(name, ASHMEM_NAME_DEF))
		name[0] = '\0';
	return 0;
}

static int device_set_prot(int fd, int prot)
{
	return result(ioctl(fd, ASHMEM_SET_PROT_MASK, (unsigned long)prot));
}

static int device_pin(int fd, uint32_t offset, uint32_t len)
{
	struct ashmem_pin pin = { .offset = offset, .len = len };

	return result(ioctl(fd, ASHMEM_PIN, &pin));
}

static int device_unpin(int fd, uint32_t offset, uint32_t len)
{
	struct ashmem_pin pin = { .offset = offset, .len = len };

	return result(ioctl(fd, ASHMEM_UNPIN, &pin));
}

/* Where the driver lacks this, only the node tells descriptors apart. */
unsigned long libashmem_device_id(int fd)
{
	unsigned long id = 0;

	return ioctl(fd, ASHMEM_GET_FILE_ID, &id) ? 0 : id;
}

/*
 * Opening the node again would make another region; the mask of the region holds
 * for any mode that the descriptor was opened with.
 */
static int device_dup_readonly(int fd)
{
	return result(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

const struct libashmem_kind libashmem_device = {
	.backend = ASHM_BACKEND_ASHMEM,
	.get_size = device_get_size,
	.get_name = device_get_name,
	.get_prot = device_get_prot,
	.set_prot = device_set_prot,
	.pin = device_pin,
	.unpin = device_unpin,
	.dup_readonly = device_dup_readonly,
};
