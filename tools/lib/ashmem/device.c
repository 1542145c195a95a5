// SPDX-License-Identifier: MIT
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
 * The device's number, when one was seen last: the kernel gives another each
 * time that the module is loaded. 0 is none. Linux has 32 bits for it.
 */
static _Atomic uint32_t device_rdev;

static uint32_t pack_rdev(dev_t rdev)
{
	return (uint32_t)(major(rdev) << 20 | minor(rdev));
}

/*
 * Android names the node after the boot, so that only who can read the id finds
 * it. Empty if the id can't be had.
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
	int saved = errno;

	pthread_once(&boot_node_once, find_boot_node);
	errno = saved;
	return boot_node;
}

static int open_node(const char *path)
{
	struct stat st;
	int fd;

	fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st)) {
		libashmem_close(fd);
		return -1;
	}
	if (!S_ISCHR(st.st_mode) || ioctl(fd, ASHMEM_GET_PROT_MASK) < 0) {
		close(fd);
		errno = ENOTTY;
		return -1;
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
		if (fd >= 0 || errno == EMFILE || errno == ENFILE)
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
	uint32_t rdev;

	if (!S_ISCHR(st->st_mode))
		return 0;
	rdev = pack_rdev(st->st_rdev);
	if (rdev == atomic_load_explicit(&device_rdev, memory_order_relaxed))
		return 1;
	/* Loaded since, or anew; a stat() makes no region as open() would. */
	return node_is(DEVICE, rdev) ||
	       (*boot_path() && node_is(boot_path(), rdev));
}

int libashmem_device_new(const char *name, size_t size)
{
	int fd;

	fd = libashmem_device_open();
	if (fd < 0)
		return -1;
	if ((name && ioctl(fd, ASHMEM_SET_NAME, name)) ||
	    ioctl(fd, ASHMEM_SET_SIZE, size)) {
		libashmem_close(fd);
		return -1;
	}
	return fd;
}

/* The size line of fdinfo, which has all bits and moves no position. */
static int fdinfo_size(int fd, uint64_t *size)
{
	char path[LIBASHMEM_PROC_LEN], line[64];
	bool at_start = true, found = false;
	FILE *file;

	libashmem_proc_path(path, "fdinfo", fd);
	file = fopen(path, "re");
	if (!file)
		return 0;
	/* A long name makes a line come in pieces: only its first has a key. */
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

static int device_get_size(int fd, uint64_t *size)
{
	uint64_t low, at;
	char byte;
	int ret;

	if (fdinfo_size(fd, size))
		return 0;

	/*
	 * Without /proc there is the ioctl, of which the lower 32 bits arrive,
	 * the highest of these as a sign, which libc may take for an errno.
	 */
	ret = ioctl(fd, ASHMEM_GET_SIZE);
	low = ret == -1 ? (uint32_t)-errno : (uint32_t)ret;
	/* The rest is found where reading ends, unless nothing was mapped yet. */
	for (at = low; pread(fd, &byte, 1, (off_t)at) == 1; at += 1ULL << 32)
		;
	*size = at;
	return 0;
}

static int device_get_name(int fd, char *name)
{
	if (ioctl(fd, ASHMEM_GET_NAME, name))
		return -1;
	if (!strcmp(name, ASHMEM_NAME_DEF))
		name[0] = '\0';
	return 0;
}

static int device_get_prot(int fd)
{
	return ioctl(fd, ASHMEM_GET_PROT_MASK);
}

static int device_set_prot(int fd, int prot)
{
	return ioctl(fd, ASHMEM_SET_PROT_MASK, (unsigned long)prot);
}

static int device_pin(int fd, uint32_t offset, uint32_t len)
{
	struct ashmem_pin pin = { .offset = offset, .len = len };

	return ioctl(fd, ASHMEM_PIN, &pin);
}

static int device_unpin(int fd, uint32_t offset, uint32_t len)
{
	struct ashmem_pin pin = { .offset = offset, .len = len };

	return ioctl(fd, ASHMEM_UNPIN, &pin);
}

/*
 * Opening the node anew would make another region; the mask of the region holds
 * whatever the descriptor was opened for.
 */
static int device_dup_readonly(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
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
