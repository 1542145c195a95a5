// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tells regions from other files: the number of the ashmem device and that of the
 * kernel's shmem mount.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cmd.h"
#include "walk.h"

#define MISC_MAJOR	10

/**
 * device_number - the number of the ashmem device
 * @rdev: where to
 *
 * By what the kernel says rather than by a node, which may be missing, or be a
 * stale one.
 *
 * Return: 0; -ENODEV if the kernel has no such device.
 */
int device_number(dev_t *rdev)
{
	char *path = file_path("/sys/class/misc/ashmem/dev");
	char *text = file_line(path);
	unsigned int major, minor;
	char *end;
	int misc;

	free(path);
	if (text) {
		major = (unsigned int)strtoul(text, &end, 10);
		if (*end == ':') {
			minor = (unsigned int)strtoul(end + 1, &end, 10);
			if (!*end) {
				*rdev = makedev(major, minor);
				free(text);
				return 0;
			}
		}
		free(text);
	}

	path = file_path("/proc/misc");
	text = file_read(path, NULL);
	free(path);
	misc = text ? misc_minor(text, "ashmem") : -1;
	free(text);
	if (misc < 0)
		return -ENODEV;
	*rdev = makedev(MISC_MAJOR, (unsigned int)misc);
	return 0;
}

/**
 * shmem_device - the number of the mount that backing files are on
 * @dev: where to
 *
 * The kernel puts memfds on the same one.
 *
 * Return: 0 or a negative errno.
 */
int shmem_device(dev_t *dev)
{
	int fd = memfd_create("ashmem-probe", MFD_CLOEXEC);
	struct stat st;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else
		*dev = st.st_dev;
	close(fd);
	return err;
}

/**
 * devices_learn - both numbers
 * @devices: where to
 *
 * Return: 0 or a negative errno. A missing device is no error.
 */
int devices_learn(struct devices *devices)
{
	if (device_number(&devices->rdev))
		devices->rdev = 0;
	return shmem_device(&devices->shmem);
}

/* Do not query a file server: the process whose file this is can run it, and let it hang. */
bool stat_unasked(int dir, const char *path, struct statx *stx)
{
	return !statx(dir, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT | AT_EMPTY_PATH,
		      STATX_BASIC_STATS, stx);
}

bool is_shmem(const struct devices *devices, const struct statx *stx)
{
	return makedev(stx->stx_dev_major, stx->stx_dev_minor) == devices->shmem;
}

/*
 * By the device's number, not by the link's text, which depends on the node's name. A mode
 * marks the memfds of libashmem.
 */
bool may_be_region(const struct devices *devices, const struct statx *stx,
		   enum region_kind *kind)
{
	if (devices->rdev && S_ISCHR(stx->stx_mode) &&
	    makedev(stx->stx_rdev_major, stx->stx_rdev_minor) == devices->rdev)
		*kind = REGION_ASHMEM;
	else if (stx->stx_mode == (S_IFREG | S_ISVTX | 0644) && is_shmem(devices, stx))
		*kind = REGION_MEMFD;
	else
		return false;
	return true;
}
