// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/* Choose the backend of a new region, and find that of a descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ashmem.h"
#include "internal.h"
#include "keep_errno.h"

enum choice {
	CHOICE_UNREAD,
	CHOICE_AUTO,
	CHOICE_ASHMEM,
	CHOICE_MEMFD,
	CHOICE_WRONG,
};

static _Atomic int choice_made;

static enum choice choice(void)
{
	enum choice made = atomic_load_explicit(&choice_made, memory_order_relaxed);
	const char *value;

	if (made != CHOICE_UNREAD)
		return made;
	value = secure_getenv("ASHMEM_BACKEND");
	if (!value || !strcmp(value, "auto"))
		made = CHOICE_AUTO;
	else if (!strcmp(value, "ashmem"))
		made = CHOICE_ASHMEM;
	else if (!strcmp(value, "memfd"))
		made = CHOICE_MEMFD;
	else
		made = CHOICE_WRONG;
	atomic_store_explicit(&choice_made, made, memory_order_relaxed);
	return made;
}

/*
 * Why this machine or sandbox has no device, or NULL if @error means that a resource is
 * used up for now: then falling back to memfd would be wrong.
 */
static const char *no_device(int error)
{
	switch (error) {
	case ENOENT:
		return "there is no /dev/ashmem: is the module ashmem_linux loaded?";
	case ENODEV:
	case ENXIO:
		return "no driver is behind /dev/ashmem: is the module ashmem_linux loaded?";
	case EACCES:
	case EPERM:
	case EROFS:
	case ENOTDIR:
	case ELOOP:
	case ENOSYS:
		return "/dev/ashmem must not be opened here";
	case ENOTTY:
	case EISDIR:
		return "/dev/ashmem is something else than the ashmem device";
	default:
		return NULL;
	}
}

int ashm_backend(const char **why)
{
	KEEP_ERRNO;
	enum choice made = choice();
	const char *unused;
	int fd;

	if (!why)
		why = &unused;
	switch (made) {
	case CHOICE_WRONG:
		*why = "ASHMEM_BACKEND is none of ashmem, memfd and auto";
		return -EINVAL;
	case CHOICE_MEMFD:
		*why = "ASHMEM_BACKEND says memfd";
		return ASHM_BACKEND_MEMFD;
	default:
		break;
	}

	fd = libashmem_device_open();
	if (fd >= 0) {
		close(fd);
		*why = made == CHOICE_ASHMEM ? "ASHMEM_BACKEND says ashmem" :
			"/dev/ashmem is there";
		return ASHM_BACKEND_ASHMEM;
	}
	*why = no_device(-fd);
	if (made == CHOICE_AUTO && *why)
		return ASHM_BACKEND_MEMFD;
	if (!*why)
		*why = "/dev/ashmem could not be opened just now";
	return fd;
}

int libashmem_new(const char *name, size_t size)
{
	int fd;

	switch (choice()) {
	case CHOICE_WRONG:
		return -EINVAL;
	case CHOICE_MEMFD:
		return libashmem_memfd_new(name, size);
	case CHOICE_ASHMEM:
		return libashmem_device_new(name, size);
	default:
		fd = libashmem_device_new(name, size);
		if (fd >= 0 || !no_device(-fd))
			return fd;
		return libashmem_memfd_new(name, size);
	}
}

int libashmem_stat(int fd, struct stat *st)
{
#ifdef STATX_BASIC_STATS
	struct statx now;

	if (!statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &now)) {
		*st = (struct stat){
			.st_mode = now.stx_mode,
			.st_dev = makedev(now.stx_dev_major, now.stx_dev_minor),
			.st_rdev = makedev(now.stx_rdev_major, now.stx_rdev_minor),
			.st_ino = (ino_t)now.stx_ino,
			.st_blocks = (blkcnt_t)now.stx_blocks,
		};
		return 0;
	}
	/* Old kernels and some sandboxes lack statx(). */
	if (errno != ENOSYS && errno != EPERM)
		return -errno;
#endif
	return fstat(fd, st) ? -errno : 0;
}

int libashmem_kind_stat(int fd, const struct libashmem_kind **kind, struct stat *st)
{
	int seals = fcntl(fd, F_GET_SEALS), ret;

	/* The kernel says that of O_PATH, too. */
	if (seals < 0 && errno == EBADF)
		return fcntl(fd, F_GETFL) < 0 ? -EBADF : -ENOTTY;
	ret = libashmem_stat(fd, st);
	if (ret)
		return ret;
	if (libashmem_device_is(st))
		*kind = &libashmem_device;
	else if (seals >= 0 && libashmem_memfd_is(fd, st, seals))
		*kind = &libashmem_memfd;
	else
		return -ENOTTY;
	return 0;
}

int libashmem_kind_of(int fd, const struct libashmem_kind **kind)
{
	struct stat st;

	return libashmem_kind_stat(fd, kind, &st);
}

int ashm_backend_of(int fd)
{
	KEEP_ERRNO;
	const struct libashmem_kind *kind;
	int ret = libashmem_kind_of(fd, &kind);

	/* Another device may have the number of an unloaded one: a call on the region tells. */
	if (!ret)
		ret = kind->get_prot(fd);
	return ret < 0 ? ret : kind->backend;
}

int ashm_size_of(int fd, uint64_t *size)
{
	KEEP_ERRNO;
	const struct libashmem_kind *kind;
	int ret = libashmem_kind_of(fd, &kind);

	return ret ? ret : kind->get_size(fd, size);
}

const char *ashm_version(void)
{
	return ASHMEM_VERSION;
}
