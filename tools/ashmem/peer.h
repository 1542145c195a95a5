/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A region of another process, named as PID/FD.
 */

#ifndef _ASHMEM_PEER_H
#define _ASHMEM_PEER_H

#include <sys/types.h>

#include "cmd.h"
#include "proc.h"

/**
 * struct peer - a descriptor of another process, and our own copy of it
 * @pid: the process
 * @fd: the descriptor there
 * @own: the copy; -1 if there is none
 * @kind: what the region is made of
 * @info: what the kernel says of it
 */
struct peer {
	pid_t pid;
	int fd;
	int own;
	enum region_kind kind;
	struct fdinfo info;
};

/**
 * struct part - bytes of a region, as they are asked for
 * @offset: the first
 * @length: how many; UNKNOWN: all from there on
 */
struct part {
	uint64_t offset;
	uint64_t length;
};

#define PART_ALL	{ .length = UNKNOWN }
#define LENGTH_OPTION	{ "length", required_argument, NULL, 'l' }
#define OFFSET_OPTION	{ "offset", required_argument, NULL, 'o' }

int part_option(const struct command *self, int opt, struct part *part);
int peer_operand(const struct command *self, int argc, char **argv, struct peer *peer);
bool peer_known(const struct peer *peer);
int peer_copy(struct peer *peer);
int peer_get(const struct command *self, int argc, char **argv,
	     int (*check)(const struct peer *peer), struct peer *peer);
int peer_interval(const struct peer *peer, struct part *part);

#endif /* _ASHMEM_PEER_H */
