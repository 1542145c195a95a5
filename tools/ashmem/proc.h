/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parsers for text of /proc. They open no files, so tests can pass hostile text.
 */

#ifndef _ASHMEM_PROC_H
#define _ASHMEM_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct fdinfo - what /proc/PID/fdinfo/FD says of an ashmem descriptor
 *
 * Numbers that aren't there are UNKNOWN: the kernel gives @inode and the counts
 * of pages only for a region that has been mapped, and older drivers than ours
 * give neither mask nor counts.
 */
struct fdinfo {
	uint64_t pos;
	uint64_t flags;		/* of open(2), with O_CLOEXEC */
	uint64_t inode;
	uint64_t size;
	uint64_t resident;
	uint64_t unpinned;
	uint64_t purgeable;
	uint64_t purged;	/* unpinned, and taken already */
	int mask;		/* PROT_*, or -1 */
	char *name;		/* bytes as they were set, or NULL; points into the text */
	size_t name_len;
};

#define UNKNOWN	UINT64_MAX

enum region_kind {
	REGION_ASHMEM,	/* the driver's */
	REGION_MEMFD,	/* libashmem's, where there is no driver */
};

/**
 * struct proc_map - a line of /proc/PID/maps
 */
struct proc_map {
	uint64_t start, end, offset, inode;
	char perms[5];
	dev_t dev;
	char *path;		/* into the line; NULL if there is none */
	size_t path_len;
};

void fdinfo_parse(char *text, size_t len, struct fdinfo *info);
bool maps_parse(char *line, size_t len, struct proc_map *map);
bool maps_is_region(const struct proc_map *map, enum region_kind *kind, char **name,
		    size_t *len);
size_t unescape(char *text, size_t len, const char *only);
bool stat_parse(const char *text, char *state, uint64_t *flags);
int misc_minor(const char *misc, const char *name);

#endif /* _ASHMEM_PROC_H */
