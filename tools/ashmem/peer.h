/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A region in another process, named as PID/FD.
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

int peer_operand(const struct command *self, int argc, char **argv, struct peer *peer);
bool peer_known(const struct peer *peer);
int peer_pidfd_getfd(const struct peer *peer);
int peer_take(struct peer *peer);
int peer_interval(const struct peer *peer, uint64_t offset, uint64_t *length);

#endif /* _ASHMEM_PEER_H */
