// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * Regions as objects.
 *
 * @lock guards the fields below it. Copies run without it: a writer's mapping stays
 * until ashm_close(), and @users counts running copies. The first one pins an unpinned
 * region, the last one unpins it again.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/ashmem.h>

#include "ashmem.h"
#include "internal.h"
#include "keep_errno.h"

#define PROT_RW		(PROT_READ | PROT_WRITE)
#define PROT_ALL	(PROT_RW | PROT_EXEC)

struct ashm {
	const struct libashmem_kind *kind;
	uint64_t size;
	dev_t dev;		/* of the descriptor's file */
	ino_t inode;
	unsigned long id;	/* all regions of the device have the node's file */
	int fd;

	pthread_mutex_t lock;
	char *writable;		/* the whole region, once something wrote */
	bool readonly;		/* ashm_protect() took writing away */
	bool purging;		/* by ashm_unpin() */
	bool unpinned;		/* the pages are, now */
	bool lost;		/* contents were, and ashm_pin() hasn't told it yet */
	unsigned int users;
};

/*
 * Makes name and size final. The device does that at the first mapping, and reads and
 * pins need it.
 */
static int settle(int fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, page, PROT_NONE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	munmap(p, page);
	return 0;
}

static int make(int fd, struct ashm **out)
{
	const struct libashmem_kind *kind;
	struct ashm *region;
	struct stat st;
	uint64_t size;
	int ret;

	ret = libashmem_kind_stat(fd, &kind, &st);
	if (!ret)
		ret = settle(fd);
	if (!ret)
		ret = kind->get_size(fd, &size);
	if (ret)
		return ret;
	/* An empty memfd maps, and would raise SIGBUS. */
	if (!size)
		return -EINVAL;
	region = calloc(1, sizeof(*region));
	if (!region)
		return -ENOMEM;
	region->kind = kind;
	region->size = size;
	region->dev = st.st_dev;
	region->inode = st.st_ino;
	region->id = kind->backend == ASHM_BACKEND_ASHMEM ? libashmem_device_id(fd) : 0;
	region->fd = fd;
	pthread_mutex_init(&region->lock, NULL);
	*out = region;
	return 0;
}

int ashm_create(const char *name, size_t size, struct ashm **region)
{
	KEEP_ERRNO;
	int fd, ret;

	if (!size)
		return -EINVAL;
	/*
	 * No file can have this size. The device would report it later, with another
	 * errno.
	 */
	if (size > (uint64_t)INT64_MAX - (uint64_t)sysconf(_SC_PAGESIZE))
		return -EFBIG;
	fd = libashmem_new(name, size);
	if (fd < 0)
		return fd;
	ret = make(fd, region);
	if (ret)
		close(fd);
	return ret;
}

int ashm_adopt(int fd, struct ashm **region)
{
	KEEP_ERRNO;

	return make(fd, region);
}

/* No, if the program has closed all descriptors and opened other files. */
static bool stat_own(const struct ashm *region, struct stat *st)
{
	return !libashmem_stat(region->fd, st) && st->st_dev == region->dev &&
	       st->st_ino == region->inode &&
	       (!region->id || libashmem_device_id(region->fd) == region->id);
}

static bool has_descriptor(const struct ashm *region)
{
	struct stat st;

	return stat_own(region, &st);
}

void ashm_close(struct ashm *region)
{
	KEEP_ERRNO;

	if (!region)
		return;
	if (region->writable)
		munmap(region->writable, region->size);
	if (has_descriptor(region))
		close(region->fd);
	pthread_mutex_destroy(&region->lock);
	free(region);
}

int ashm_fd(const struct ashm *region)
{
	return region->fd;
}

uint64_t ashm_size(const struct ashm *region)
{
	return region->size;
}

int ashm_name(const struct ashm *region, char *buf, size_t len)
{
	KEEP_ERRNO;
	char name[ASHMEM_NAME_LEN];
	size_t need;
	int ret;

	ret = region->kind->get_name(region->fd, name);
	if (ret)
		return ret;
	need = strlen(name) + 1;
	if (need > len)
		return -ERANGE;
	memcpy(buf, name, need);
	return 0;
}

uint64_t libashmem_allocated(const struct ashm *region)
{
	struct stat st;

	return stat_own(region, &st) ? (uint64_t)st.st_blocks * 512 : UINT64_MAX;
}

int libashmem_punch(const struct ashm *region, uint64_t offset, uint64_t len)
{
	if (!has_descriptor(region))
		return -EBADF;
	return fallocate(region->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
			 (off_t)len) ? -errno : 0;
}

static uint64_t page_round(uint64_t size)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) & ~(page - 1);
}

static int map(struct ashm *region, int prot, uint64_t offset, size_t len, void **addr)
{
	uint64_t end = page_round(region->size);
	void *p;

	if (prot & ~PROT_ALL || !len || offset != page_round(offset))
		return -EINVAL;
	/* An access behind the end raises SIGBUS. */
	if (offset > end || len > end - offset)
		return -ERANGE;
	p = mmap(NULL, len, prot, MAP_SHARED, region->fd, (off_t)offset);
	if (p == MAP_FAILED)
		/* Because of the mask, the seal or the mode of the descriptor. */
		return errno == EPERM ? -EACCES : -errno;
	*addr = p;
	return 0;
}

static int map_all(struct ashm *region, int prot, void **addr)
{
	if (region->size > SIZE_MAX)
		return -ENOMEM;
	return map(region, prot, 0, (size_t)region->size, addr);
}

int ashm_map(struct ashm *region, int prot, void **addr)
{
	KEEP_ERRNO;

	return map_all(region, prot, addr);
}

int ashm_map_range(struct ashm *region, int prot, uint64_t offset, size_t len,
		   void **addr)
{
	KEEP_ERRNO;

	return map(region, prot, offset, len, addr);
}

int ashm_unmap(void *addr, size_t len)
{
	KEEP_ERRNO;

	return munmap(addr, len) ? -errno : 0;
}

/* True if the bytes are all within the region; offset + len may overflow. */
static bool within(const struct ashm *region, uint64_t offset, size_t len)
{
	return offset <= region->size && len <= region->size - offset;
}

static int make_writable(struct ashm *region)
{
	void *p;
	int ret;

	if (region->readonly)
		return -EACCES;
	if (region->writable)
		return 0;
	ret = map_all(region, PROT_RW, &p);
	if (!ret)
		region->writable = p;
	return ret;
}

/* Unpins the pages when no copy is under way and the caller wants it. */
static void relax(struct ashm *region)
{
	/* If it fails, they stay, which is harmless. */
	if (region->purging && !region->users && !region->unpinned &&
	    !region->kind->unpin(region->fd, 0, 0))
		region->unpinned = true;
}

/* Pins what is unpinned, and notes whether contents were lost. */
static int hold(struct ashm *region)
{
	int ret;

	if (!region->unpinned)
		return 0;
	ret = region->kind->pin(region->fd, 0, 0);
	if (ret < 0)
		return ret;
	region->unpinned = false;
	if (ret == ASHMEM_WAS_PURGED)
		region->lost = true;
	return 0;
}

/* Between these two the contents stay. */
static int begin_copy(struct ashm *region)
{
	int ret = hold(region);

	if (ret)
		return ret;
	if (region->lost) {
		relax(region);
		return -ENODATA;
	}
	region->users++;
	return 0;
}

static void end_copy(struct ashm *region)
{
	pthread_mutex_lock(&region->lock);
	region->users--;
	relax(region);
	pthread_mutex_unlock(&region->lock);
}

/*
 * By a system call, not from a mapping: this needs no address space, and reports errors
 * as errno. The size cannot change, so the loop ends at @len.
 */
static int read_all(int fd, char *buf, size_t len, uint64_t offset)
{
	ssize_t got;

	while (len) {
		got = pread(fd, buf, len, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EIO;
		buf += got;
		len -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

int ashm_read(struct ashm *region, void *buf, size_t len, uint64_t offset)
{
	KEEP_ERRNO;
	int ret;

	if (!within(region, offset, len))
		return -ERANGE;
	pthread_mutex_lock(&region->lock);
	ret = begin_copy(region);
	pthread_mutex_unlock(&region->lock);
	if (ret)
		return ret;
	ret = read_all(region->fd, buf, len, offset);
	end_copy(region);
	return ret;
}

int ashm_write(struct ashm *region, const void *buf, size_t len, uint64_t offset)
{
	KEEP_ERRNO;
	int ret;

	if (!within(region, offset, len))
		return -ERANGE;
	pthread_mutex_lock(&region->lock);
	ret = make_writable(region);
	if (!ret)
		ret = begin_copy(region);
	pthread_mutex_unlock(&region->lock);
	if (ret)
		return ret;
	if (len)
		memcpy(region->writable + offset, buf, len);
	end_copy(region);
	return 0;
}

/* No, without the right to write or a mapping that was made with it. */
static int may_unpin(struct ashm *region)
{
	int prot;

	if (region->writable)
		return 0;
	prot = region->kind->get_prot(region->fd);
	if (prot < 0)
		return prot;
	return prot & PROT_WRITE ? 0 : -EACCES;
}

static int unpin(struct ashm *region)
{
	int ret;

	if (region->purging)
		return 0;
	ret = may_unpin(region);
	if (ret)
		return ret;
	/* The last running copy unpins. */
	if (!region->users) {
		ret = region->kind->unpin(region->fd, 0, 0);
		if (ret)
			return ret == -EPERM ? -EACCES : ret;
		region->unpinned = true;
	}
	region->purging = true;
	return 0;
}

int ashm_unpin(struct ashm *region)
{
	KEEP_ERRNO;
	int ret;

	pthread_mutex_lock(&region->lock);
	ret = unpin(region);
	pthread_mutex_unlock(&region->lock);
	return ret;
}

int ashm_pin(struct ashm *region)
{
	KEEP_ERRNO;
	int ret;

	pthread_mutex_lock(&region->lock);
	ret = hold(region);
	if (!ret) {
		ret = region->lost ? ASHM_WAS_LOST : 0;
		region->lost = false;
		region->purging = false;
	}
	pthread_mutex_unlock(&region->lock);
	return ret;
}

int ashm_pinned(struct ashm *region)
{
	int ret;

	pthread_mutex_lock(&region->lock);
	ret = !region->purging;
	pthread_mutex_unlock(&region->lock);
	return ret;
}

int ashm_protect(struct ashm *region, int prot)
{
	KEEP_ERRNO;
	int ret;

	pthread_mutex_lock(&region->lock);
	ret = region->kind->set_prot(region->fd, prot);
	/* A copy may be running: keep the mapping, unused. */
	if (!ret && !(prot & PROT_WRITE))
		region->readonly = true;
	pthread_mutex_unlock(&region->lock);
	return ret;
}

int ashm_prot(const struct ashm *region)
{
	KEEP_ERRNO;

	return region->kind->get_prot(region->fd);
}

/*
 * First make the mapping for later writes, because a narrowed mask allows no new one.
 * Then make the descriptor: if that fails, the mask must stay, because it can never be
 * widened. Narrow the mask before the descriptor is returned.
 */
static int share_readonly(struct ashm *region)
{
	int prot, fd, ret = 0;

	prot = region->kind->get_prot(region->fd);
	if (prot < 0)
		return prot;
	if (prot & PROT_WRITE && !region->readonly)
		ret = make_writable(region);
	if (ret)
		return ret;
	fd = region->kind->dup_readonly(region->fd);
	if (fd < 0)
		return fd;
	if (prot & ~PROT_READ)
		ret = region->kind->set_prot(region->fd, prot & PROT_READ);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

int ashm_share_readonly(struct ashm *region)
{
	KEEP_ERRNO;
	int fd;

	pthread_mutex_lock(&region->lock);
	fd = share_readonly(region);
	pthread_mutex_unlock(&region->lock);
	return fd;
}
