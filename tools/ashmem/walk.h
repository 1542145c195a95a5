/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All regions of the machine, as far as /proc shows them.
 */

#ifndef _ASHMEM_WALK_H
#define _ASHMEM_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "proc.h"

/**
 * struct process - one that holds or maps a region
 * @pid: number
 * @uid: the owner's
 * @comm: the program's name, any bytes
 * @comm_len: how many
 */
struct process {
	pid_t pid;
	uid_t uid;
	char *comm;
	size_t comm_len;
};

/**
 * struct holder - a descriptor of a region
 * @process: index of the process in struct walk
 * @tid: the thread whose table it was seen in, mostly the process's own number
 * @fd: the descriptor
 * @flags: of open(2); UNKNOWN if not known
 */
struct holder {
	size_t process;
	pid_t tid;
	int fd;
	uint64_t flags;
};

/**
 * struct mapping - a mapping of a region
 * @process: index of the process in struct walk
 */
struct mapping {
	size_t process;
	uint64_t start, end, offset;
	char perms[5];
};

/**
 * struct region - a region
 * @kind: what it is made of
 * @inode: the number that identifies it; UNKNOWN if it was never mapped
 * @size: bytes; UNKNOWN if only mappings of it are left and none tells
 * @extent: how far mappings reach, at the least what it is long
 * @resident: pages in memory, or UNKNOWN
 * @unpinned: pages, or UNKNOWN
 * @purgeable: pages, or UNKNOWN
 * @purged: unpinned pages that were taken already, or UNKNOWN
 * @pos: the file position, or UNKNOWN
 * @mask: PROT_*, or -1
 * @name: bytes, NULL if it has no name
 */
struct region {
	enum region_kind kind;
	uint64_t inode, size, extent, resident, unpinned, purgeable, purged, pos;
	int mask;
	char *name;
	size_t name_len;
	struct holder *holders;
	size_t holder_count, holder_room;
	struct mapping *mappings;
	size_t mapping_count, mapping_room;
};

/**
 * struct devices - what tells regions from other files
 * @rdev: the ashmem device; 0 if the kernel has none
 * @shmem: device number of the kernel's shmem mount
 */
struct devices {
	dev_t rdev, shmem;
};

/**
 * struct walk - what was found
 * @regions: by the numbers of the processes that they were met in first
 * @refused: how many processes this user may not look into
 * @refused_pids: the first of them
 * @devices: what it was found by
 */
struct walk {
	struct region **regions;
	size_t region_count, region_room;
	struct process *processes;
	size_t process_count, process_room;
	struct region **by_inode;	/* open addressing, a power of two */
	size_t inode_room, inode_count;
	struct region **unmapped;	/* in the order of kcmp(2) */
	size_t unmapped_count, unmapped_room;
	unsigned long refused;
	pid_t refused_pids[8];
	struct devices devices;
};

/* device.c */
int device_number(dev_t *rdev);
int shmem_device(dev_t *dev);
int devices_learn(struct devices *devices);
bool stat_unasked(int dir, const char *path, struct statx *stx);
bool is_shmem(const struct devices *devices, const struct statx *stx);
bool may_be_region(const struct devices *devices, const struct statx *stx,
		   enum region_kind *kind);

/* region.c */
void *grown(void *array, size_t count, size_t *room, size_t size);
struct region *region_by_inode(struct walk *walk, uint64_t inode);
struct region *region_unmapped(struct walk *walk, size_t process, pid_t tid, int fd);
void region_learn(struct region *region, const struct fdinfo *info);
void region_name(struct region *region, const char *name, size_t len);
void region_held(struct region *region, const struct holder *holder);
void region_mapped(struct region *region, const struct mapping *mapping);
void regions_free(struct walk *walk);

/* walk.c */
int walk_all(struct walk *walk);
int walk_or_say(struct walk *walk);
void walk_say_limits(const struct walk *walk);
void walk_free(struct walk *walk);

#endif /* _ASHMEM_WALK_H */
