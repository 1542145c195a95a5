// SPDX-License-Identifier: MIT
/*
 * Regions as objects.
 *
 * @lock guards the fields below it. Copies go on without it: a writer's mapping
 * stays until ashm_close(), and @users counts the copies under way, of which the
 * first pins a region that may be purged and the last unpins it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ashmem.h"
#include "cutils/ashmem.h"
#include "internal.h"

#define PROT_RW		(PROT_READ | PROT_WRITE)
#define PROT_ALL	(PROT_RW | PROT_EXEC)

struct ashm {
	const struct libashmem_kind *kind;
	uint64_t size;
	int fd;

	pthread_mutex_t lock;
	char *writable;		/* the whole region, once something wrote */
	bool readonly;		/* ashm_protect() took writing away */
	bool purging;		/* the caller allows it */
	bool unpinned;		/* it can happen now */
	bool lost;		/* it did, and the caller wasn't told yet */
	unsigned int users;
};

static struct ashm *fail(int error)
{
	errno = error;
	return NULL;
}

/*
 * Makes name and size final, which the device does when a region is first
 * mapped, and only then can it be read and pinned.
 */
static int settle(int fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, page, PROT_NONE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -1;
	munmap(p, page);
	return 0;
}

static struct ashm *make(int fd, const struct libashmem_kind *kind)
{
	struct ashm *region;
	uint64_t size;

	/* An empty memfd maps, and would raise SIGBUS. */
	if (settle(fd) || kind->get_size(fd, &size))
		return NULL;
	if (!size)
		return fail(EINVAL);
	region = calloc(1, sizeof(*region));
	if (!region)
		return NULL;
	region->kind = kind;
	region->size = size;
	region->fd = fd;
	pthread_mutex_init(&region->lock, NULL);
	return region;
}

struct ashm *ashm_create(const char *name, size_t size)
{
	const struct libashmem_kind *kind;
	struct ashm *region;
	int fd;

	if (!size)
		return fail(EINVAL);
	fd = libashmem_new(name, size);
	if (fd < 0)
		return NULL;
	kind = libashmem_kind_of(fd);
	region = kind ? make(fd, kind) : NULL;
	if (!region)
		libashmem_close(fd);
	return region;
}

struct ashm *ashm_adopt(int fd)
{
	const struct libashmem_kind *kind = libashmem_kind_of(fd);

	return kind ? make(fd, kind) : NULL;
}

void ashm_close(struct ashm *region)
{
	int saved = errno;

	if (!region)
		return;
	if (region->writable)
		munmap(region->writable, region->size);
	close(region->fd);
	pthread_mutex_destroy(&region->lock);
	free(region);
	errno = saved;
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
	char name[ASHMEM_NAME_LEN];
	size_t need;

	if (region->kind->get_name(region->fd, name))
		return -1;
	need = strlen(name) + 1;
	if (need > len) {
		errno = ERANGE;
		return -1;
	}
	memcpy(buf, name, need);
	return 0;
}

static uint64_t page_round(uint64_t size)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) & ~(page - 1);
}

void *ashm_map_range(struct ashm *region, int prot, uint64_t offset, size_t len)
{
	uint64_t end = page_round(region->size);
	void *p;

	if (prot & ~PROT_ALL || !len || offset != page_round(offset)) {
		errno = EINVAL;
		return NULL;
	}
	/* Behind the end is nothing but SIGBUS. */
	if (offset > end || len > end - offset) {
		errno = ERANGE;
		return NULL;
	}
	p = mmap(NULL, len, prot, MAP_SHARED, region->fd, (off_t)offset);
	return p == MAP_FAILED ? NULL : p;
}

void *ashm_map(struct ashm *region, int prot)
{
	if (region->size > SIZE_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	return ashm_map_range(region, prot, 0, (size_t)region->size);
}

int ashm_unmap(void *addr, size_t len)
{
	return munmap(addr, len);
}

/* True if the bytes are all within the region; offset + len may overflow. */
static bool within(const struct ashm *region, uint64_t offset, size_t len)
{
	return offset <= region->size && len <= region->size - offset;
}

static int make_writable(struct ashm *region)
{
	if (region->readonly) {
		errno = EPERM;
		return -1;
	}
	if (!region->writable)
		region->writable = ashm_map(region, PROT_RW);
	return region->writable ? 0 : -1;
}

/* Lets go of the pages again when nobody copies and the caller allows it. */
static void relax(struct ashm *region)
{
	/* If it fails they stay, at no harm. */
	if (region->purging && !region->users && !region->unpinned &&
	    !region->kind->unpin(region->fd, 0, 0))
		region->unpinned = true;
}

/* Pins what may be unpinned, and notes what was lost meanwhile. */
static int hold(struct ashm *region)
{
	int ret;

	if (!region->unpinned)
		return 0;
	ret = region->kind->pin(region->fd, 0, 0);
	if (ret < 0)
		return -1;
	region->unpinned = false;
	if (ret == ASHMEM_WAS_PURGED)
		region->lost = true;
	return 0;
}

/* Between these two the contents stay. */
static int begin_copy(struct ashm *region)
{
	if (hold(region))
		return -1;
	if (region->lost) {
		relax(region);
		errno = ENODATA;
		return -1;
	}
	region->users++;
	return 0;
}

static void end_copy(struct ashm *region)
{
	int saved = errno;

	pthread_mutex_lock(&region->lock);
	region->users--;
	relax(region);
	pthread_mutex_unlock(&region->lock);
	errno = saved;
}

/*
 * By the kernel, not from a mapping: it needs no address space, and an error is
 * an errno. The size can't change, so the loop ends at @len.
 */
static int read_all(int fd, char *buf, size_t len, uint64_t offset)
{
	ssize_t got;

	while (len) {
		got = pread(fd, buf, len, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			if (!got)
				errno = EIO;
			return -1;
		}
		buf += got;
		len -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

int ashm_read(struct ashm *region, void *buf, size_t len, uint64_t offset)
{
	int ret;

	if (!within(region, offset, len)) {
		errno = ERANGE;
		return -1;
	}
	pthread_mutex_lock(&region->lock);
	ret = begin_copy(region);
	pthread_mutex_unlock(&region->lock);
	if (ret)
		return -1;
	ret = read_all(region->fd, buf, len, offset);
	end_copy(region);
	return ret;
}

int ashm_write(struct ashm *region, const void *buf, size_t len, uint64_t offset)
{
	int ret;

	if (!within(region, offset, len)) {
		errno = ERANGE;
		return -1;
	}
	pthread_mutex_lock(&region->lock);
	ret = make_writable(region);
	if (!ret)
		ret = begin_copy(region);
	pthread_mutex_unlock(&region->lock);
	if (ret)
		return -1;
	if (len)
		memcpy(region->writable + offset, buf, len);
	end_copy(region);
	return 0;
}

int ashm_allow_purging(struct ashm *region, int allow)
{
	int ret = 0;

	pthread_mutex_lock(&region->lock);
	if (allow && !region->purging) {
		region->purging = true;
		relax(region);
		if (!region->unpinned && !region->users) {
			region->purging = false;
			ret = -1;
		}
	} else if (!allow && region->purging) {
		ret = hold(region);
		if (!ret) {
			ret = region->lost;
			region->lost = false;
			region->purging = false;
		}
	}
	pthread_mutex_unlock(&region->lock);
	return ret;
}

int ashm_purging_allowed(struct ashm *region)
{
	int ret;

	pthread_mutex_lock(&region->lock);
	ret = region->purging;
	pthread_mutex_unlock(&region->lock);
	return ret;
}

int ashm_protect(struct ashm *region, int prot)
{
	int ret;

	pthread_mutex_lock(&region->lock);
	ret = ashmem_set_prot_region(region->fd, prot);
	/* A copy may be under way: the mapping stays, unused. */
	if (!ret && !(prot & PROT_WRITE))
		region->readonly = true;
	pthread_mutex_unlock(&region->lock);
	return ret;
}

int ashm_prot(const struct ashm *region)
{
	return region->kind->get_prot(region->fd);
}

/*
 * The mapping that goes on writing comes first, since there is no other after the
 * mask. The descriptor comes before the mask, which can't be undone if there is
 * none to be had, but doesn't leave before.
 */
int ashm_share_readonly(struct ashm *region)
{
	int prot, fd = -1;

	pthread_mutex_lock(&region->lock);
	prot = region->kind->get_prot(region->fd);
	if (prot < 0)
		goto out;
	if (prot & PROT_WRITE && !region->readonly && make_writable(region))
		goto out;
	fd = region->kind->dup_readonly(region->fd);
	if (fd < 0)
		goto out;
	if (prot & ~PROT_READ &&
	    region->kind->set_prot(region->fd, prot & PROT_READ)) {
		libashmem_close(fd);
		fd = -1;
	}
out:
	pthread_mutex_unlock(&region->lock);
	return fd;
}
