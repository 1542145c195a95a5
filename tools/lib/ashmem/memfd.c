// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * Regions without /dev/ashmem: memfds with seals. Their size is sealed from the start,
 * the mask is F_SEAL_FUTURE_WRITE, and they are never purged.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/ashmem.h>
#include <linux/magic.h>

#include "ashmem.h"
#include "internal.h"

/* Constants that old headers of the C library lack. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE	0x0010
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL		0x0008U
#endif

#define SIZE_SEALS	(F_SEAL_GROW | F_SEAL_SHRINK)

/*
 * What identifies our memfds: a sealed size, and a mode that no program gives to a memfd
 * by accident. Both travel with the file, and reading them needs neither /proc nor a
 * permission. The sticky bit has no effect on a file. Only the owner may write, so other
 * users cannot reopen it for writing.
 */
#define OUR_MODE	(S_ISVTX | 0644)

/* In /proc/PID/maps: /memfd:ashmem/NAME (deleted) */
#define PREFIX		"ashmem"
#define LINK_PREFIX	"/memfd:" PREFIX
#define LINK_SUFFIX	" (deleted)"
#define MEMFD_NAME_LEN	249

/* Set if the kernel lacks it (before 6.3). */
static _Atomic int lacks_noexec;

/*
 * Not executable as a file: newer kernels warn unless the caller says so. Mappings may
 * still be executable.
 */
static int make(const char *name)
{
	int fd;

	if (!atomic_load_explicit(&lacks_noexec, memory_order_relaxed)) {
		fd = (int)syscall(SYS_memfd_create, name,
				  MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
		if (fd >= 0)
			return fd;
		if (errno != EINVAL)
			return -errno;
	}
	fd = (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		/* Without seals: some sandboxes have such memfds. */
		return errno == EINVAL ? -ENOSYS : -errno;
	atomic_store_explicit(&lacks_noexec, 1, memory_order_relaxed);
	return fd;
}

int libashmem_memfd_new(const char *name, size_t size)
{
	char full[MEMFD_NAME_LEN + 1];
	off_t length = (off_t)size;
	struct rlimit limit;
	int fd, ret;

	/* Truncate longer names, as the device does. */
	if (name && *name)
		snprintf(full, sizeof(full), PREFIX "/%s", name);
	else
		snprintf(full, sizeof(full), PREFIX);
	/* Above that limit ftruncate() raises SIGXFSZ, which ends the program. */
	if (length < 0 || (!getrlimit(RLIMIT_FSIZE, &limit) && size > limit.rlim_cur))
		return -EFBIG;
	fd = make(full);
	if (fd < 0)
		return fd;
	if (ftruncate(fd, length) || fchmod(fd, OUR_MODE) ||
	    fcntl(fd, F_ADD_SEALS, SIZE_SEALS)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

int libashmem_memfd_is(int fd, const struct stat *st, int seals)
{
	struct statfs fs;

	if (!S_ISREG(st->st_mode) || (st->st_mode & 07777) != OUR_MODE ||
	    (seals & SIZE_SEALS) != SIZE_SEALS)
		return 0;
	/* A hole in huge pages may not be filled again: SIGBUS. */
	return !fstatfs(fd, &fs) && fs.f_type == TMPFS_MAGIC;
}

static int memfd_get_size(int fd, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	*size = (uint64_t)st.st_size;
	return 0;
}

static int memfd_get_name(int fd, char *name)
{
	char path[LIBASHMEM_PROC_LEN], link[PATH_MAX];
	size_t prefix = strlen(LINK_PREFIX), suffix = strlen(LINK_SUFFIX);
	ssize_t len;

	libashmem_proc_path(path, "fd", fd);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return -errno;
	link[len] = '\0';
	if ((size_t)len >= prefix + suffix && !strcmp(link + len - suffix, LINK_SUFFIX))
		link[len - (ssize_t)suffix] = '\0';
	name[0] = '\0';
	if (!strncmp(link, LINK_PREFIX "/", prefix + 1))
		snprintf(name, ASHMEM_NAME_LEN, "%.*s", ASHMEM_NAME_LEN - 1,
			 link + prefix + 1);
	return 0;
}

static int memfd_get_prot(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0)
		return -errno;
	return seals & (F_SEAL_FUTURE_WRITE | F_SEAL_WRITE) ?
		PROT_READ | PROT_EXEC : PROT_READ | PROT_WRITE | PROT_EXEC;
}

static int memfd_set_prot(int fd, int prot)
{
	int now = memfd_get_prot(fd);

	if (now < 0)
		return now;
	if (prot & ~now)
		return -EINVAL;
	if (prot & PROT_WRITE || !(now & PROT_WRITE))
		return 0;
	if (!fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE))
		return 0;
	/* A seal without effect would be worse than none. */
	return errno == EINVAL ? -EOPNOTSUPP : -errno;
}

/* Refuse what the device refuses, although there is nothing to do. */
static int check_interval(int fd, uint32_t offset, uint32_t len)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), size = 0, end;
	int ret = memfd_get_size(fd, &size);

	if (ret)
		return ret;
	size = (size + page - 1) & ~(page - 1);
	end = (uint64_t)offset + len;
	if ((offset | len) & (page - 1) || end > UINT32_MAX || !size || end > size)
		return -EINVAL;
	return 0;
}

/*
 * A descriptor that was opened for reading. Without /proc, if the process has changed its
 * user, or beside a lease of a peer's, for whose end open() would wait, it is a duplicate:
 * the seal applies to both.
 */
static int memfd_dup_readonly(int fd)
{
	char path[LIBASHMEM_PROC_LEN];
	int copy;

	libashmem_proc_path(path, "fd", fd);
	copy = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (copy < 0 && errno != EMFILE && errno != ENFILE)
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return copy < 0 ? -errno : copy;
}

const struct libashmem_kind libashmem_memfd = {
	.backend = ASHM_BACKEND_MEMFD,
	.get_size = memfd_get_size,
	.get_name = memfd_get_name,
	.get_prot = memfd_get_prot,
	.set_prot = memfd_set_prot,
	.pin = check_interval,
	.unpin = check_interval,
	.dup_readonly = memfd_dup_readonly,
};
