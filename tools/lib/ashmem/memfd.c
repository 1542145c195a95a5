// SPDX-License-Identifier: MIT
/*
 * Regions where there is no /dev/ashmem: memfds with seals. Their size is sealed
 * from the start; the mask is F_SEAL_FUTURE_WRITE; nothing of them is purged.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/ashmem.h>

#include "ashmem.h"
#include "internal.h"

/* Constants that the C library's headers may be too old for. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE	0x0010
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL		0x0008U
#endif

#define SIZE_SEALS	(F_SEAL_GROW | F_SEAL_SHRINK)

/*
 * How a memfd of ours is told from all others: size sealed, and a mode that
 * nobody gives to a memfd by accident. Both travel with the file, can be seen
 * without /proc, and need no permission. Sticky has no effect on a file. That
 * only the owner may write keeps other users from opening it anew for that.
 */
#define OUR_MODE	(S_ISVTX | 0644)

/* In /proc/PID/maps: /memfd:ashmem/NAME (deleted) */
#define PREFIX		"ashmem"
#define LINK_PREFIX	"/memfd:" PREFIX
#define LINK_SUFFIX	" (deleted)"
#define MEMFD_NAME_LEN	249

/* Set once the kernel was found to lack it, before 6.3. */
static _Atomic int lacks_noexec;

/*
 * Never executable as a file, which newer kernels want to be told and otherwise
 * warn. Mapping for execution is another matter and stays allowed.
 */
static int make(const char *name)
{
	int fd;

	if (!atomic_load_explicit(&lacks_noexec, memory_order_relaxed)) {
		fd = (int)syscall(SYS_memfd_create, name,
				  MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
		if (fd >= 0 || errno != EINVAL)
			return fd;
	}
	fd = (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0)
		atomic_store_explicit(&lacks_noexec, 1, memory_order_relaxed);
	else if (errno == EINVAL)
		errno = ENOSYS;	/* no seals: some sandboxes have memfds without */
	return fd;
}

int libashmem_memfd_new(const char *name, size_t size)
{
	char full[MEMFD_NAME_LEN + 1];
	off_t length = (off_t)size;
	int fd;

	/* Longer names are cut, as the device does. */
	if (name && *name)
		snprintf(full, sizeof(full), PREFIX "/%s", name);
	else
		snprintf(full, sizeof(full), PREFIX);
	if (length < 0) {
		errno = EFBIG;
		return -1;
	}
	fd = make(full);
	if (fd < 0)
		return -1;
	if (ftruncate(fd, length) || fchmod(fd, OUR_MODE) ||
	    fcntl(fd, F_ADD_SEALS, SIZE_SEALS)) {
		libashmem_close(fd);
		return -1;
	}
	return fd;
}

int libashmem_memfd_is(int fd, const struct stat *st)
{
	int seals;

	if (!S_ISREG(st->st_mode) || (st->st_mode & 07777) != OUR_MODE)
		return 0;
	seals = fcntl(fd, F_GET_SEALS);
	return seals >= 0 && (seals & SIZE_SEALS) == SIZE_SEALS;
}

static int memfd_get_size(int fd, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st))
		return -1;
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
		return -1;
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
		return -1;
	return seals & (F_SEAL_FUTURE_WRITE | F_SEAL_WRITE) ?
		PROT_READ | PROT_EXEC : PROT_READ | PROT_WRITE | PROT_EXEC;
}

static int memfd_set_prot(int fd, int prot)
{
	int now = memfd_get_prot(fd);

	if (now < 0)
		return -1;
	if (prot & ~now) {
		errno = EINVAL;
		return -1;
	}
	if (prot & PROT_WRITE || !(now & PROT_WRITE))
		return 0;
	if (!fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE))
		return 0;
	/* A seal that doesn't hold would be worse than none. */
	if (errno == EINVAL)
		errno = EOPNOTSUPP;
	return -1;
}

/* What the device refuses is refused here, too, though nothing is to be done. */
static int check_interval(int fd, uint32_t offset, uint32_t len)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), size, end;

	if (memfd_get_size(fd, &size))
		return -1;
	size = (size + page - 1) & ~(page - 1);
	end = (uint64_t)offset + len;
	if ((offset | len) & (page - 1) || end > UINT32_MAX ||
	    offset >= size || end > size) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

/*
 * A descriptor that was opened for reading. Where it can't be opened anew, for
 * want of /proc or because the process has changed its user, a duplicate does:
 * the seal holds for either.
 */
static int memfd_dup_readonly(int fd)
{
	char path[LIBASHMEM_PROC_LEN];
	int copy;

	libashmem_proc_path(path, "fd", fd);
	copy = open(path, O_RDONLY | O_CLOEXEC);
	if (copy >= 0 || errno == EMFILE || errno == ENFILE)
		return copy;
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
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
