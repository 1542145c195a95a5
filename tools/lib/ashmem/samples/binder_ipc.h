/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 ashmem maintainers */
/*
 * The part of Binder that the samples need, directly on the device: one thread, one call
 * at a time, messages of a fixed struct with or without a descriptor.
 *
 * A descriptor is an object in the message, which the kernel replaces by a descriptor of
 * the receiver. It does so only for receivers that accept descriptors. The context
 * manager says so by a flag of its object, which the plain BINDER_SET_CONTEXT_MGR does
 * not have.
 */
#ifndef BINDER_IPC_H
#define BINDER_IPC_H

#include <errno.h>
#include <fcntl.h>
#include <sys/types.h>	/* which older kernels' binder.h needs */
#include <linux/android/binder.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define BINDER_SPACE	(64 * 1024)	/* for messages to us */
#define BINDER_MANAGER	0		/* the handle that needs no asking for */

struct binder_ipc {
	int fd;
	void *space;
	uint64_t calls;
	uint64_t bytes;
};

/* What the samples send each other. */
struct binder_message {
	uint64_t words[4];
	struct binder_fd_object object;	/* of type 0 if there is none */
};

struct binder_incoming {
	uint32_t command;	/* BR_TRANSACTION or BR_REPLY */
	uint32_t code;
	struct binder_message message;
	int fd;			/* -1 if none came */
};

static inline int binder_open(struct binder_ipc *ipc, const char *path)
{
	struct binder_version version;

	memset(ipc, 0, sizeof(*ipc));
	ipc->fd = open(path, O_RDWR | O_CLOEXEC);
	if (ipc->fd < 0)
		return -errno;
	if (ioctl(ipc->fd, BINDER_VERSION, &version) ||
	    version.protocol_version != BINDER_CURRENT_PROTOCOL_VERSION) {
		close(ipc->fd);
		return -EPROTONOSUPPORT;
	}
	ipc->space = mmap(NULL, BINDER_SPACE, PROT_READ, MAP_PRIVATE, ipc->fd, 0);
	if (ipc->space == MAP_FAILED) {
		close(ipc->fd);
		return -errno;
	}
	return 0;
}

static inline void binder_close(struct binder_ipc *ipc)
{
	munmap(ipc->space, BINDER_SPACE);
	close(ipc->fd);
}

static inline int binder_become_manager(struct binder_ipc *ipc)
{
	struct flat_binder_object object;

	memset(&object, 0, sizeof(object));
	object.hdr.type = BINDER_TYPE_BINDER;
	object.flags = FLAT_BINDER_FLAG_ACCEPTS_FDS;
	return ioctl(ipc->fd, BINDER_SET_CONTEXT_MGR_EXT, &object) ? -errno : 0;
}

/* Writes @size bytes of commands; then, if @room isn't 0, reads. */
static inline ssize_t binder_exchange(struct binder_ipc *ipc, void *commands,
				      size_t size, void *buf, size_t room)
{
	struct binder_write_read bwr;

	memset(&bwr, 0, sizeof(bwr));
	bwr.write_buffer = (uintptr_t)commands;
	bwr.write_size = size;
	bwr.read_buffer = (uintptr_t)buf;
	bwr.read_size = room;
	while (ioctl(ipc->fd, BINDER_WRITE_READ, &bwr)) {
		/* The kernel has stored there how much it took before the signal. */
		if (errno != EINTR)
			return -errno;
		if (bwr.read_consumed)
			break;
	}
	return (ssize_t)bwr.read_consumed;
}

/* Sends @message as a call or as a reply, with @fd unless that is -1. */
static inline int binder_send(struct binder_ipc *ipc, uint32_t command,
			      uint32_t code, const uint64_t *words, int fd)
{
	binder_size_t offset = offsetof(struct binder_message, object);
	struct binder_message message;
	struct binder_transaction_data data;
	char commands[sizeof(command) + sizeof(data)];
	ssize_t ret;

	memset(&message, 0, sizeof(message));
	memset(&data, 0, sizeof(data));
	memcpy(message.words, words, sizeof(message.words));
	if (fd >= 0) {
		message.object.hdr.type = BINDER_TYPE_FD;
		message.object.fd = (uint32_t)fd;
		data.offsets_size = sizeof(offset);
		data.data.ptr.offsets = (uintptr_t)&offset;
	}
	data.target.handle = BINDER_MANAGER;
	data.code = code;
	data.data_size = sizeof(message);
	data.data.ptr.buffer = (uintptr_t)&message;
	memcpy(commands, &command, sizeof(command));
	memcpy(commands + sizeof(command), &data, sizeof(data));
	ret = binder_exchange(ipc, commands, sizeof(commands), NULL, 0);
	if (ret >= 0) {
		ipc->calls++;
		ipc->bytes += sizeof(message);
	}
	return ret < 0 ? (int)ret : 0;
}

static inline int binder_enter_loop(struct binder_ipc *ipc)
{
	uint32_t command = BC_ENTER_LOOPER;
	ssize_t ret = binder_exchange(ipc, &command, sizeof(command), NULL, 0);

	return ret < 0 ? (int)ret : 0;
}

/* Copies the message from the kernel's buffer and frees that. */
static inline int binder_take(struct binder_ipc *ipc,
			      const struct binder_transaction_data *data,
			      struct binder_incoming *in)
{
	binder_size_t offset = offsetof(struct binder_message, object), where = 0;
	char free_it[sizeof(uint32_t) + sizeof(binder_uintptr_t)];
	uint32_t command = BC_FREE_BUFFER;
	int ret = -EPROTO;

	in->code = data->code;
	in->fd = -1;
	if (data->data_size == sizeof(in->message)) {
		memcpy(&in->message, (const void *)(uintptr_t)data->data.ptr.buffer,
		       sizeof(in->message));
		ret = 0;
	}
	if (!ret && data->offsets_size == sizeof(where)) {
		memcpy(&where, (const void *)(uintptr_t)data->data.ptr.offsets,
		       sizeof(where));
		if (where == offset && in->message.object.hdr.type == BINDER_TYPE_FD)
			in->fd = (int)in->message.object.fd;
	}
	memcpy(free_it, &command, sizeof(command));
	memcpy(free_it + sizeof(command), &data->data.ptr.buffer,
	       sizeof(data->data.ptr.buffer));
	binder_exchange(ipc, free_it, sizeof(free_it), NULL, 0);
	return ret;
}

/* Waits for a call or a reply; 0 or -errno. */
static inline int binder_receive(struct binder_ipc *ipc,
				 struct binder_incoming *in)
{
	struct binder_transaction_data data;
	char buf[512];
	uint32_t command;
	ssize_t got, at;
	int ret = 0, found;

	for (found = 0; !found;) {
		got = binder_exchange(ipc, NULL, 0, buf, sizeof(buf));
		if (got < 0)
			return (int)got;
		for (at = 0; at + (ssize_t)sizeof(command) <= got;
		     at += _IOC_SIZE(command)) {
			memcpy(&command, buf + at, sizeof(command));
			at += sizeof(command);
			switch (command) {
			case BR_TRANSACTION:
			case BR_REPLY:
				memcpy(&data, buf + at, sizeof(data));
				in->command = command;
				ret = binder_take(ipc, &data, in);
				found = 1;
				break;
			case BR_DEAD_REPLY:
				return -ESRCH;
			case BR_FAILED_REPLY:
				return -EREMOTEIO;
			case BR_ERROR:
				return -EIO;
			default:
				/* Notices, such as that a message was sent. */
				break;
			}
		}
	}
	return ret;
}

#endif
