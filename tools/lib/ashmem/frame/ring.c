// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * Rings: create, attach, inspect. When a ring is attached, all its numbers are copied to
 * private memory and checked against each other and against the region's real size. The
 * copies in the region are not read again.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ashmem.h"
#include "internal.h"

#define READERS_DEFAULT	8u
#define SPIN_DEFAULT	20u	/* microseconds: what a wake-up costs */

static bool config_valid(const struct ring_fixed *fixed)
{
	if (fixed->slots < 2 || fixed->slots > ASHM_RING_SLOTS_MAX ||
	    !fixed->frame_max)
		return false;
	if (fixed->flags & ~(ASHM_RING_WAIT | ASHM_RING_READONLY | ASHM_RING_UNCHECKED))
		return false;
	if (!(fixed->flags & ASHM_RING_WAIT))
		return !fixed->readers;
	return !(fixed->flags & ASHM_RING_READONLY) &&
	       fixed->readers >= 1 && fixed->readers <= ASHM_RING_READERS_MAX;
}

/* Fills in stride and size, which follow from the rest; false if too large. */
static bool layout(struct ring_fixed *fixed)
{
	uint64_t slots;

	if (fixed->frame_max > INT64_MAX - FRAME_HEADER - RING_ALIGN)
		return false;
	fixed->stride = (FRAME_HEADER + fixed->frame_max + RING_ALIGN - 1) &
			~(uint64_t)(RING_ALIGN - 1);
	if (__builtin_mul_overflow(fixed->stride, fixed->slots, &slots) ||
	    slots > INT64_MAX - RING_HEADER)
		return false;
	fixed->region_size = RING_HEADER + slots;
	return true;
}

static int from_config(const struct ashm_ring_config *config,
		       struct ring_fixed *fixed)
{
	memset(fixed, 0, sizeof(*fixed));
	fixed->magic = RING_MAGIC;
	fixed->version = RING_VERSION;
	fixed->frame_max = config->frame_max;
	fixed->slots = config->slots;
	fixed->flags = config->flags;
	fixed->readers = config->readers;
	if (config->flags & ASHM_RING_WAIT && !config->readers)
		fixed->readers = READERS_DEFAULT;
	if (config->reserved || !config_valid(fixed))
		return -EINVAL;
	return layout(fixed) ? 0 : -EOVERFLOW;
}

int ashm_ring_size(const struct ashm_ring_config *config, uint64_t *size)
{
	struct ring_fixed fixed;
	int ret = from_config(config, &fixed);

	if (!ret)
		*size = fixed.region_size;
	return ret;
}

static uint32_t fixed_check(const struct ring_fixed *fixed)
{
	size_t from = offsetof(struct ring_fixed, version);

	return ~libashmem_crc(LIBASHMEM_CRC_INIT, (const char *)fixed + from,
			      sizeof(*fixed) - from);
}

/*
 * The real size of @fd, which must not be able to shrink: an access behind the end of a
 * file raises SIGBUS. Only two kinds of memory qualify. A memfd on huge pages does not:
 * if a page is punched out and no huge page is left, an access raises SIGBUS, too.
 */
static int real_size(int fd, uint64_t *size)
{
	int seals = fcntl(fd, F_GET_SEALS), ret;
	struct statfs fs;
	struct stat st;

	/* No file of memory: a peer's FUSE server must not be asked what it is. */
	if (seals < 0) {
		ret = ashm_size_of(fd, size);
		return ret && ret != -EBADF ? -EINVAL : ret;
	}
	if (fstatfs(fd, &fs) || fs.f_type != TMPFS_MAGIC)
		return -EINVAL;
	if (!(seals & F_SEAL_SHRINK))
		return -EPERM;
	if (fstat(fd, &st))
		return -errno;
	*size = (uint64_t)st.st_size;
	return 0;
}

/* ---- mapping ---- */

static int map_errno(void)
{
	switch (errno) {
	case EPERM:	/* of a mask or a seal */
	case EACCES:	/* of how the descriptor was opened */
		return -EACCES;
	case ENODEV:
	case EINVAL:
		return -EINVAL;
	default:
		return -ENOMEM;
	}
}

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int libashmem_map_guarded(int fd, uint64_t size, bool writable, char **map,
			  size_t *map_size)
{
	size_t page = page_size(), rounded;
	int prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
	int ret;

	if (size > SIZE_MAX / 2 - 2 * page)
		return -EOVERFLOW;
	rounded = ((size_t)size + page - 1) & ~(page - 1);
	*map_size = page + rounded;
	*map = mmap(NULL, *map_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (*map == MAP_FAILED)
		return -ENOMEM;
	/* Some emulators don't know it: they have rings, only a child isn't told that it is one. */
	ret = -ENOMEM;
	if (madvise(*map, page, MADV_WIPEONFORK) && errno != EINVAL)
		goto unmap;
	if (mmap(*map + page, rounded, prot, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
		ret = map_errno();
		goto unmap;
	}
	*libashmem_alive(*map + page) = 1;
	return 0;

unmap:
	munmap(*map, *map_size);
	return ret;
}

static int map_ring(struct ashm_ring *ring, int fd, uint64_t size, bool writable)
{
	int ret = libashmem_map_guarded(fd, size, writable, &ring->map, &ring->map_size);

	if (ret)
		return ret;
	ring->header = (struct ring_header *)(ring->map + page_size());
	ring->alive = libashmem_alive(ring->header);
	ring->writable = writable;
	return 0;
}

static void set_geometry(struct ashm_ring *ring, const struct ring_fixed *fixed)
{
	memcpy(&ring->ident, fixed, sizeof(ring->ident));
	ring->joins = fixed->check;
	ring->region_size = fixed->region_size;
	ring->stride = (size_t)fixed->stride;
	ring->frame_max = (size_t)fixed->frame_max;
	ring->slots = fixed->slots;
	ring->readers = fixed->readers;
	ring->flags = fixed->flags;
}

/* With one processor the peer can't run while this thread spins. */
static unsigned int default_spin(void)
{
	static _Atomic long processors;
	long count = atomic_load_explicit(&processors, memory_order_relaxed);

	if (!count) {
		count = sysconf(_SC_NPROCESSORS_ONLN);
		atomic_store_explicit(&processors, count, memory_order_relaxed);
	}
	return count > 1 ? SPIN_DEFAULT : 0;
}

static struct ashm_ring *new_ring(void)
{
	struct ashm_ring *ring = calloc(1, sizeof(*ring));

	if (ring) {
		atomic_init(&ring->refs, 1);
		atomic_init(&ring->spin, default_spin());
	}
	return ring;
}

void libashmem_ring_get(struct ashm_ring *ring)
{
	atomic_fetch_add(&ring->refs, 1);
}

void libashmem_ring_put(struct ashm_ring *ring)
{
	if (atomic_fetch_sub(&ring->refs, 1) != 1)
		return;
	munmap(ring->map, ring->map_size);
	free(ring);
}

void ashm_ring_detach(struct ashm_ring *ring)
{
	KEEP_ERRNO;

	if (ring)
		libashmem_ring_put(ring);
}

/* ---- what is there ---- */

int libashmem_ring_mine(struct ashm_ring *ring)
{
	return *ring->alive ? 0 : -ECHILD;
}

int libashmem_ring_check(struct ashm_ring *ring)
{
	uint64_t ident = atomic_load_explicit(&ring->header->words[0],
					      memory_order_acquire);

	if (ident == ring->ident)
		return 0;
	return ident ? -ESTALE : -ENODATA;
}

static void copy_fixed(struct ring_header *header, struct ring_fixed *fixed)
{
	uint64_t words[sizeof(*fixed) / 8];
	size_t i;

	for (i = 0; i < sizeof(*fixed) / 8; i++)
		words[i] = atomic_load_explicit(&header->words[i],
						memory_order_acquire);
	memcpy(fixed, words, sizeof(*fixed));
}

static int check_fixed(const struct ring_fixed *fixed, uint64_t real)
{
	struct ring_fixed copy = *fixed;

	/* Never made, purged, retired, or about to be made. */
	if (!fixed->magic)
		return -ENODATA;
	if (fixed->magic != RING_MAGIC)
		return -EPROTO;
	if (fixed->version != RING_VERSION)
		return -EPROTONOSUPPORT;
	if (fixed->check != fixed_check(fixed) || !config_valid(fixed) ||
	    fixed->reserved || !layout(&copy) ||
	    memcmp(&copy, fixed, sizeof(copy)) || fixed->region_size > real)
		return -EPROTO;
	return 0;
}

/* Reads the header through its own mapping: the size isn't known yet. */
static int read_fixed(int fd, struct ring_fixed *fixed)
{
	uint64_t real;
	void *map;
	int ret;

	ret = real_size(fd, &real);
	if (ret)
		return ret;
	if (real < RING_HEADER)
		return -EPROTO;
	map = mmap(NULL, RING_HEADER, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return map_errno();
	/* Only now is the size of a region of the device settled. */
	ret = real_size(fd, &real);
	if (!ret && real < RING_HEADER)
		ret = -EPROTO;
	if (!ret) {
		copy_fixed(map, fixed);
		ret = check_fixed(fixed, real);
	}
	munmap(map, RING_HEADER);
	return ret;
}

/* ---- making ---- */

/*
 * Ends the ring that is there, unless it has a writer. One that claims the word after this has
 * exchanged it sees that the ring has ended, and gives the word back.
 */
static int retire(struct ring_header *header)
{
	uint32_t owner = atomic_load(&header->writer.owner);
	uint64_t ident = 0;

	while (!libashmem_guard_alive(owner)) {
		ident |= atomic_exchange(&header->words[0], 0);
		if (atomic_compare_exchange_strong(&header->writer.owner, &owner, 0))
			return 0;
	}
	/* A writer has just claimed it. */
	if (ident)
		atomic_store(&header->words[0], ident);
	return -EBUSY;
}

/* It is no ring until the first words are in place. */
static int format(struct ashm_ring *ring, const struct ring_fixed *fixed)
{
	struct ring_header *header = ring->header;
	struct ring_writer *writer = ring_writer(ring);
	uint64_t words[sizeof(*fixed) / 8];
	struct frame_slot *slot;
	struct ring_fixed now;
	int ret = 0;
	uint32_t i;

	atomic_store(&header->words[0], 0);
	for (i = 0; i < RING_PARTIES; i++) {
		atomic_store(&header->party[i].owner, 0);
		atomic_store(&header->party[i].next, 0);
	}
	atomic_store(&writer->generation, 0);
	/* Random: a reader that was about to count in the ring before doesn't do so here. */
	atomic_store(&writer->joins, fixed->check);
	atomic_store(&writer->oldest, 1);
	for (i = 0; i < fixed->slots; i++) {
		slot = ring_slot(ring, i);
		atomic_store(&slot->state, 0);
		atomic_store(&slot->magic, FRAME_MAGIC);
	}
	memcpy(words, fixed, sizeof(words));
	for (i = 1; i < sizeof(*fixed) / 8; i++)
		atomic_store(&header->words[i], words[i]);
	atomic_store(&header->words[0], words[0]);
	/* If another call has stored words of its ring in between, neither is a ring. */
	copy_fixed(header, &now);
	if (memcmp(&now, fixed, sizeof(now))) {
		atomic_compare_exchange_strong(&header->words[0], &words[0], 0);
		ret = -EBUSY;
	}
	/* Do not reset: a task that sleeps on the old value must see a change. */
	libashmem_ring_bell(&writer->bell, true);
	libashmem_ring_bell(&writer->room, true);
	return ret;
}

int libashmem_random(uint64_t *instance)
{
	struct timespec ts;

	if (getrandom(instance, sizeof(*instance), GRND_NONBLOCK) ==
	    sizeof(*instance))
		return 0;
	/* It must be unique, not secret: the time is good enough. */
	if (clock_gettime(CLOCK_REALTIME, &ts))
		return -errno;
	*instance = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	return 0;
}

int ashm_ring_create(int fd, const struct ashm_ring_config *config,
		     struct ashm_ring **out)
{
	KEEP_ERRNO;
	struct ring_fixed fixed, old;
	struct ashm_ring *ring;
	uint64_t real;
	int ret;

	ret = from_config(config, &fixed);
	if (ret)
		return ret;
	ret = real_size(fd, &real);
	if (ret)
		return ret;
	if (fixed.region_size > real)
		return -ENOSPC;
	ret = libashmem_random(&fixed.instance);
	if (ret)
		return ret;
	fixed.check = fixed_check(&fixed);

	ring = new_ring();
	if (!ring)
		return -ENOMEM;
	ret = map_ring(ring, fd, fixed.region_size, true);
	if (ret)
		goto free_ring;
	/* Mapping a region of the device makes its size final. */
	ret = real_size(fd, &real);
	if (!ret && fixed.region_size > real)
		ret = -ENOSPC;
	if (ret)
		goto unmap;
	copy_fixed(ring->header, &old);
	if (!check_fixed(&old, real))
		ret = retire(ring->header);
	if (ret)
		goto unmap;
	set_geometry(ring, &fixed);
	ret = format(ring, &fixed);
	if (ret)
		goto unmap;
	*out = ring;
	return 0;

unmap:
	munmap(ring->map, ring->map_size);
free_ring:
	free(ring);
	return ret;
}

int ashm_ring_attach(int fd, unsigned int flags, struct ashm_ring **out)
{
	KEEP_ERRNO;
	struct ring_fixed fixed;
	struct ashm_ring *ring;
	int ret;

	if (flags & ~ASHM_ATTACH_READONLY)
		return -EINVAL;
	ret = read_fixed(fd, &fixed);
	if (ret)
		return ret;
	ring = new_ring();
	if (!ring)
		return -ENOMEM;
	ret = -EACCES;
	if (!(flags & ASHM_ATTACH_READONLY))
		ret = map_ring(ring, fd, fixed.region_size, true);
	if (ret == -EACCES && !(fixed.flags & ASHM_RING_WAIT))
		ret = map_ring(ring, fd, fixed.region_size, false);
	if (ret) {
		free(ring);
		return ret;
	}
	set_geometry(ring, &fixed);
	*out = ring;
	return 0;
}

/* ---- looking ---- */

/*
 * The oldest frame that exists, and the head. With ASHM_RING_WAIT the writer announces
 * which one it overwrites.
 */
int libashmem_ring_bounds(struct ashm_ring *ring, uint64_t *first,
			  uint64_t *head)
{
	struct ring_writer *shared = ring_writer(ring);
	uint64_t kept;

	do {
		*head = atomic_load(&shared->head);
		if (*head >= SLOT_SEQ_MAX - ASHM_RING_SLOTS_MAX)
			return -EPROTO;
		*first = ring_oldest(ring, *head);
		if (!(ring->flags & ASHM_RING_WAIT))
			return 0;
		kept = atomic_load(&shared->oldest);
		if (kept && *first - kept <= 1) {
			*first = kept;
			return 0;
		}
	} while (atomic_load(&shared->head) != *head);
	return -EPROTO;
}

/* In this order: the first writer claims, then counts. */
static uint32_t writer_state(struct ring_writer *writer)
{
	uint32_t generation = atomic_load(&writer->generation);
	uint32_t owner = atomic_load(&writer->owner);

	if (libashmem_guard_alive(owner))
		return ASHM_WRITER_ALIVE;
	if (libashmem_guard_died(owner))
		return ASHM_WRITER_DIED;
	return generation ? ASHM_WRITER_CLOSED : ASHM_WRITER_NEVER;
}

int ashm_ring_stat(struct ashm_ring *ring, struct ashm_ring_stat *stat)
{
	struct ring_writer *writer = ring_writer(ring);
	uint64_t first, head, state;
	uint32_t i, owner;
	int ret, sound;

	memset(stat, 0, sizeof(*stat));
	sound = libashmem_ring_bounds(ring, &first, &head);
	stat->region_size = ring->region_size;
	stat->frame_max = ring->frame_max;
	stat->slots = ring->slots;
	stat->flags = ring->flags;
	stat->readers_max = ring->readers;
	stat->frames = head;
	stat->generation = atomic_load(&writer->generation);
	stat->writer = writer_state(writer);
	for (i = 1; i <= ring->readers; i++) {
		owner = atomic_load(&ring->header->party[i].owner);
		stat->readers += libashmem_guard_alive(owner);
	}
	for (i = 0; !sound && i < ring->slots; i++) {
		state = atomic_load(&ring_slot(ring, i)->state);
		stat->unread += (state & SLOT_STATES) == SLOT_READY &&
				state >> SLOT_SEQ_SHIFT >= first;
	}
	ret = libashmem_ring_check(ring);
	return ret ? ret : sound;
}

int ashm_ring_set_spin(struct ashm_ring *ring, unsigned int microseconds)
{
	if (microseconds > ASHM_SPIN_MAX)
		return -EINVAL;
	atomic_store_explicit(&ring->spin, microseconds, memory_order_relaxed);
	return 0;
}

int ashm_ring_await_writer(struct ashm_ring *ring, int timeout)
{
	KEEP_ERRNO;
	struct ring_writer *writer = ring_writer(ring);
	struct deadline deadline = { .timeout = timeout };
	uint32_t value;
	int ret, waited = 0;

	for (;;) {
		value = ring->writable ? libashmem_arm(&writer->bell) :
			atomic_load(&writer->bell);
		ret = libashmem_ring_check(ring);
		if (ret)
			return ret;
		if (libashmem_guard_alive(atomic_load(&writer->owner)))
			return 0;
		if (waited)
			return waited;
		waited = libashmem_wait(&writer->bell, value, NULL, 0, &deadline,
					ring->writable ? RING_SLICE_MS : RING_POLL_MS);
	}
}
