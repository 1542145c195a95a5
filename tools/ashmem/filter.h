/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which regions list shows.
 */

#ifndef _ASHMEM_FILTER_H
#define _ASHMEM_FILTER_H

#include "walk.h"

/**
 * struct filter - what a region has to be like; all of it holds at once
 * @pid: a process that holds or maps it; 0: any
 * @uid: that process's user; UNKNOWN: any
 * @cgroup: text in that process's cgroup; NULL: any
 * @name: a pattern of the shell for its name; NULL: any
 */
struct filter {
	uint64_t pid, uid;
	const char *cgroup;
	const char *name;
};

int filter_user(const char *text, uint64_t *uid);
void filter_regions(struct walk *walk, const struct filter *filter);

#endif /* _ASHMEM_FILTER_H */
