// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots for regions, descriptors and mappings.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ashmem_diff.h"

struct state *st;
size_t page_bytes;
bool in_child;

/* Far from addresses that kernels choose. */
#define WINDOWS_START	((char *)0x100000000000)
#define WINDOW_STRIDE	(64UL << 20)

void state_init(__u64 seed)
{
	unsigned int i;

	page_bytes = sysconf(_SC_PAGESIZE);
	st = mmap(NULL, sizeof(*st), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (st == MAP_FAILED)
		_exit(2);
	st->random = seed;
	for (i = 0; i < FDS; i++)
		st->fds[i].fd = -1;
}

char *window_base(unsigned int window)
{
	return WINDOWS_START + window * WINDOW_STRIDE;
}

int fd_number(const struct fd_slot *slot)
{
	return slot - st->fds;
}

int region_number(const struct region *region)
{
	return region - st->regions;
}

__u64 region_pages(const struct region *region)
{
	return region->size / page_bytes + !!(region->size % page_bytes);
}

struct region *region_by_id(unsigned int id)
{
	unsigned int i;

	for (i = 0; i < REGIONS; i++)
		if (id && st->regions[i].id == id)
			return &st->regions[i];
	return NULL;
}

struct fd_slot *pick_fd(void)
{
	unsigned int first = rnd(FDS), i;

	for (i = 0; i < FDS; i++) {
		struct fd_slot *slot = &st->fds[(first + i) % FDS];

		if (slot->fd >= 0)
			return slot;
	}
	return open_region(O_RDWR);
}

/* Most operations do little on a region that has never been mapped. */
struct fd_slot *pick_backed(void)
{
	struct fd_slot *slot = pick_fd();
	unsigned int tries;

	for (tries = 0; tries < 8 && !slot->region->backed; tries++)
		slot = pick_fd();
	return slot;
}

struct fd_slot *fd_of(const struct region *region)
{
	unsigned int i;

	for (i = 0; i < FDS; i++)
		if (st->fds[i].fd >= 0 && st->fds[i].region == region)
			return &st->fds[i];
	fail("a region without a descriptor");
}

struct fd_slot *free_fd(void)
{
	unsigned int i;

	for (i = 0; i < FDS; i++)
		if (st->fds[i].fd < 0)
			return &st->fds[i];
	return NULL;
}

/* Opens a region; without a free slot, ends another one first. */
struct fd_slot *open_region(int access)
{
	static const char *const text[] = {
		[O_RDONLY] = "rdonly", [O_WRONLY] = "wronly", [O_RDWR] = "rdwr",
	};
	struct region *region = NULL;
	struct fd_slot *slot;
	unsigned int i;

	while (!(slot = free_fd()))
		close_fd(&st->fds[rnd(FDS)]);
	for (i = 0; i < REGIONS && !region; i++)
		if (!st->regions[i].id)
			region = &st->regions[i];
	if (!region) {
		region = &st->regions[rnd(REGIONS)];
		retire(region);
		slot = free_fd();
	}

	memset(region, 0, sizeof(*region));
	op("open f%d r%d %s", fd_number(slot), region_number(region), text[access]);
	slot->fd = open("/dev/ashmem", access | O_CLOEXEC);
	result_errno(slot->fd < 0 ? -1 : 0);
	if (slot->fd < 0)
		fail("can't open /dev/ashmem: %s", strerror(errno));
	region->id = ++st->last_region;
	region->fds = 1;
	region->access = access;
	region->mask = PROT_READ | PROT_WRITE | PROT_EXEC;
	slot->region = region;
	return slot;
}

void close_fd(struct fd_slot *slot)
{
	op("close f%d r%d", fd_number(slot), region_number(slot->region));
	result_errno(close(slot->fd));
	slot->fd = -1;
	if (!--slot->region->fds)
		slot->region->id = 0;
	slot->region = NULL;
}

/* Ends a region, with all its descriptors and mappings. */
void retire(struct region *region)
{
	unsigned int i;

	unmap_region(region);
	for (i = 0; i < FDS; i++)
		if (st->fds[i].fd >= 0 && st->fds[i].region == region)
			close_fd(&st->fds[i]);
}
