// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * Usage: binder_service DEVICE
 *
 * Binder's context manager on DEVICE (/dev/binder). It gets a ring's descriptor in a
 * first call, reads the frames to the end, returns its counts in a second call, and
 * exits.
 */
#define _POSIX_C_SOURCE 200809L

#include "binder_ipc.h"
#include "binder_calls.h"
#include "stream.h"

static int open_ring(int fd, struct ashm_reader **reader)
{
	struct ashm_ring *ring;
	int ret;

	if (fd < 0)
		return -EBADF;
	ret = ashm_ring_attach(fd, 0, &ring);
	close(fd);
	if (ret)
		return ret;
	ret = ashm_ring_reader(ring, 0, reader);
	ashm_ring_detach(ring);
	return ret;
}

static int serve(struct binder_ipc *ipc)
{
	struct ashm_reader *reader = NULL;
	struct binder_incoming in;
	struct totals got = { 0, 0, 0 };
	uint64_t answer[4];
	int ret, done = 0;

	while (!done) {
		ret = binder_receive(ipc, &in);
		if (ret)
			return stream_error("waiting for a call", ret);
		if (in.command != BR_TRANSACTION)
			return stream_error("a call", -EPROTO);
		memset(answer, 0, sizeof(answer));
		switch (in.code) {
		case CALL_OPEN:
			ret = reader ? -EBUSY : open_ring(in.fd, &reader);
			break;
		case CALL_COUNTS:
			ret = reader ? 0 : -ENOTCONN;
			answer[1] = got.frames;
			answer[2] = got.bytes;
			answer[3] = got.digest;
			done = 1;
			break;
		default:
			ret = -ENOSYS;
			break;
		}
		answer[0] = (uint64_t)(int64_t)ret;
		ret = binder_send(ipc, BC_REPLY, 0, answer, -1);
		if (ret)
			return stream_error("answering", ret);
		if (in.code == CALL_OPEN && reader && !got.frames) {
			ret = stream_in(reader, &got);
			if (ret)
				return ret;
		}
	}
	ashm_ring_reader_close(reader);
	printf("read %llu frames, %llu bytes; %llu answers of %zu bytes\n",
	       (unsigned long long)got.frames, (unsigned long long)got.bytes,
	       (unsigned long long)ipc->calls, sizeof(struct binder_message));
	return 0;
}

int main(int argc, char **argv)
{
	struct binder_ipc ipc;
	int ret;

	if (argc != 2) {
		fprintf(stderr, "usage: binder_service DEVICE\n");
		return 2;
	}
	ret = binder_open(&ipc, argv[1]);
	if (ret)
		return !!stream_error(argv[1], ret);
	ret = binder_become_manager(&ipc);
	if (ret)
		return !!stream_error("becoming the context manager", ret);
	ret = binder_enter_loop(&ipc);
	if (!ret)
		ret = serve(&ipc);
	binder_close(&ipc);
	return !!ret;
}
