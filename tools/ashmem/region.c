// SPDX-License-Identifier: GPL-2.0-only
/*
 * The regions that a walk has found so far.
 *
 * The inode number of its backing file, which fdinfo and maps both show, identifies a
 * mapped region. A region that was never mapped has none: then only kcmp(2) can tell
 * whether two descriptors are the same open file. It also orders open files, so a lookup
 * takes few calls.
 */

#include <errno.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd.h"
#include "walk.h"

/* Room for one more element behind @count of @size bytes. */
void *grown(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? 2 * *room : 8;
	return xrealloc(array, *room, size);
}

static struct region *region_new(struct walk *walk)
{
	struct region *region = xrealloc(NULL, 1, sizeof(*region));

	memset(region, 0, sizeof(*region));
	region->inode = UNKNOWN;
	region->size = UNKNOWN;
	region->resident = UNKNOWN;
	region->unpinned = UNKNOWN;
	region->purgeable = UNKNOWN;
	region->purged = UNKNOWN;
	region->pos = UNKNOWN;
	region->mask = -1;
	walk->regions = grown(walk->regions, walk->region_count, &walk->region_room,
			      sizeof(*walk->regions));
	walk->regions[walk->region_count++] = region;
	return region;
}

static struct region **inode_slot(struct region **table, size_t room, uint64_t inode)
{
	size_t i = (size_t)(inode * 0x9e3779b97f4a7c15ULL >> 20) & (room - 1);

	while (table[i] && table[i]->inode != inode)
		i = (i + 1) & (room - 1);
	return &table[i];
}

static void inode_table_grow(struct walk *walk)
{
	size_t room = walk->inode_room ? 2 * walk->inode_room : 64;
	struct region **table = xrealloc(NULL, room, sizeof(*table));
	size_t i;

	memset(table, 0, room * sizeof(*table));
	for (i = 0; i < walk->inode_room; i++)
		if (walk->by_inode[i])
			*inode_slot(table, room, walk->by_inode[i]->inode) = walk->by_inode[i];
	free(walk->by_inode);
	walk->by_inode = table;
	walk->inode_room = room;
}

/* The region with that number, which is added if it is new. */
struct region *region_by_inode(struct walk *walk, uint64_t inode)
{
	struct region **slot;

	if (2 * walk->inode_count >= walk->inode_room)
		inode_table_grow(walk);
	slot = inode_slot(walk->by_inode, walk->inode_room, inode);
	if (!*slot) {
		*slot = region_new(walk);
		(*slot)->inode = inode;
		walk->inode_count++;
	}
	return *slot;
}

/* As kcmp(2): 0 same, 1 less, 2 greater; else they can't be compared. */
static long compare_files(pid_t pid1, int fd1, pid_t pid2, int fd2)
{
	return syscall(SYS_kcmp, (long)pid1, (long)pid2, (long)KCMP_FILE, (long)fd1,
		       (long)fd2);
}

/**
 * region_unmapped - the region behind a descriptor that was never mapped
 * @walk: the walk
 * @process: index of the process
 * @tid: the thread that has it
 * @fd: the descriptor
 *
 * Where kcmp() is missing or refused, each descriptor counts as a region.
 */
struct region *region_unmapped(struct walk *walk, size_t process, pid_t tid, int fd)
{
	size_t low = 0, high = walk->unmapped_count, middle;
	struct region *region;
	struct holder *other;
	size_t i;
	long order;

	while (low < high) {
		middle = low + (high - low) / 2;
		region = walk->unmapped[middle];
		other = &region->holders[0];
		if (other->process == process && other->tid == tid && other->fd == fd)
			return region;
		order = compare_files(tid, fd, other->tid, other->fd);
		if (!order)
			return region;
		/* The other's process may have ended: any place will do. */
		if (order == 1)
			high = middle;
		else
			low = middle + 1;
	}
	region = region_new(walk);
	walk->unmapped = grown(walk->unmapped, walk->unmapped_count, &walk->unmapped_room,
			       sizeof(*walk->unmapped));
	for (i = walk->unmapped_count++; i > low; i--)
		walk->unmapped[i] = walk->unmapped[i - 1];
	walk->unmapped[low] = region;
	return region;
}

/* Takes the values of a descriptor; the last one read is the most recent. */
void region_learn(struct region *region, const struct fdinfo *info)
{
	region->size = info->size;
	region->resident = info->resident;
	region->unpinned = info->unpinned;
	region->purgeable = info->purgeable;
	region->purged = info->purged;
	region->pos = info->pos;
	region->mask = info->mask;
	if (info->name)
		region_name(region, info->name, info->name_len);
}

void region_name(struct region *region, const char *name, size_t len)
{
	region->name = xrealloc(region->name, len + 1, 1);
	memcpy(region->name, name, len);
	region->name[len] = '\0';
	region->name_len = len;
}

void region_held(struct region *region, const struct holder *holder)
{
	region->holders = grown(region->holders, region->holder_count,
				&region->holder_room, sizeof(*holder));
	region->holders[region->holder_count++] = *holder;
}

void region_mapped(struct region *region, const struct mapping *mapping)
{
	uint64_t reach = mapping->offset + (mapping->end - mapping->start);

	if (reach > region->extent)
		region->extent = reach;
	region->mappings = grown(region->mappings, region->mapping_count,
				 &region->mapping_room, sizeof(*mapping));
	region->mappings[region->mapping_count++] = *mapping;
}

void regions_free(struct walk *walk)
{
	size_t i;

	for (i = 0; i < walk->region_count; i++) {
		free(walk->regions[i]->name);
		free(walk->regions[i]->holders);
		free(walk->regions[i]->mappings);
		free(walk->regions[i]);
	}
	free(walk->regions);
	free(walk->by_inode);
	free(walk->unmapped);
}
