// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * Regions across a Unix socket. The receiver does not trust the sender, which may send
 * any descriptors, many of them, or none.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ashmem.h"
#include "internal.h"
#include "keep_errno.h"

#ifndef SCM_PIDFD
#define SCM_PIDFD	4
#endif

int ashm_send(int sock, int fd)
{
	KEEP_ERRNO;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char byte = 0;
	struct iovec bytes = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const struct libashmem_kind *kind;
	int ret;

	ret = libashmem_kind_of(fd, &kind);
	if (ret)
		return ret;
	memset(&control, 0, sizeof(control));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(sock, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Counts the descriptors that came, and closes all but the first. */
static int take_first(struct msghdr *message, int *first)
{
	struct cmsghdr *header;
	int count = 0, fd;
	size_t at;

	for (header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET ||
		    (header->cmsg_type != SCM_RIGHTS && header->cmsg_type != SCM_PIDFD))
			continue;
		for (at = CMSG_LEN(0); at + sizeof(fd) <= header->cmsg_len; at += sizeof(fd)) {
			memcpy(&fd, (char *)header + at, sizeof(fd));
			/* A pidfd arrives if the receiver's socket asks for it. */
			if (header->cmsg_type == SCM_RIGHTS && !count++)
				*first = fd;
			else if (fd >= 0)
				close(fd);
		}
	}
	return count;
}

int ashm_receive(int sock, struct ashm **region)
{
	KEEP_ERRNO;
	union {
		struct cmsghdr header;
		char space[512];	/* credentials may come, too */
	} control;
	char byte;
	struct iovec bytes = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got;
	int fd = -1, count, ret;

	got = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
	if (got < 0)
		return -errno;
	count = take_first(&message, &fd);
	if (!got && !count)
		return -EPIPE;
	ret = -EPROTO;
	if (got == 1 && count == 1 && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		ret = ashm_adopt(fd, region);
	if (ret && count)
		close(fd);
	return ret;
}
