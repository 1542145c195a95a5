// SPDX-License-Identifier: MIT
/*
 * Which of the two kinds a new region is of, and of which one a descriptor is.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ashmem.h"
#include "internal.h"

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
 * Why a machine or a sandbox has no device, or NULL if @error is no such reason
 * but a passing want, which memfd would be no answer to.
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
	const char *unused;
	enum choice made = choice();
	int fd;

	if (!why)
		why = &unused;
	switch (made) {
	case CHOICE_WRONG:
		*why = "ASHMEM_BACKEND is none of ashmem, memfd and auto";
		errno = EINVAL;
		return -1;
	case CHOICE_MEMFD:
		*why = "ASHMEM_BACKEND says memfd";
		return ASHM_BACKEND_MEMFD;
	default:
		break;
	}

	fd = libashmem_device_open();
	if (fd >= 0) {
		libashmem_close(fd);
		*why = made == CHOICE_ASHMEM ? "ASHMEM_BACKEND says ashmem" :
			"/dev/ashmem is there";
		return ASHM_BACKEND_ASHMEM;
	}
	*why = no_device(errno);
	if (made == CHOICE_AUTO && *why)
		return ASHM_BACKEND_MEMFD;
	if (!*why)
		*why = "/dev/ashmem could not be opened just now";
	return -1;
}

int libashmem_new(const char *name, size_t size)
{
	int fd;

	switch (choice()) {
	case CHOICE_WRONG:
		errno = EINVAL;
		return -1;
	case CHOICE_MEMFD:
		return libashmem_memfd_new(name, size);
	case CHOICE_ASHMEM:
		return libashmem_device_new(name, size);
	default:
		fd = libashmem_device_new(name, size);
		if (fd >= 0 || !no_device(errno))
			return fd;
		return libashmem_memfd_new(name, size);
	}
}

const struct libashmem_kind *libashmem_kind_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return NULL;
	if (libashmem_device_is(&st))
		return &libashmem_device;
	if (libashmem_memfd_is(fd, &st))
		return &libashmem_memfd;
	errno = ENOTTY;
	return NULL;
}

int ashm_backend_of(int fd)
{
	const struct libashmem_kind *kind = libashmem_kind_of(fd);

	return kind ? kind->backend : -1;
}

const char *ashm_version(void)
{
	return ASHMEM_VERSION;
}

void libashmem_close(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

/* A thread may have a table of descriptors of its own. */
void libashmem_proc_path(char *path, const char *dir, int fd)
{
	snprintf(path, LIBASHMEM_PROC_LEN, "/proc/thread-self/%s/%d", dir, fd);
}
