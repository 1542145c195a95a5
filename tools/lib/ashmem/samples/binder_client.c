// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * Usage: binder_client DEVICE MEBIBYTES
 *
 * Makes a region with a ring in it, passes its descriptor to a binder_service over
 * Binder on DEVICE, writes frames through the region, and compares counts.
 */
#define _POSIX_C_SOURCE 200809L

#include <time.h>

#include "binder_ipc.h"
#include "binder_calls.h"
#include "stream.h"

/* Calls the service; returns the words of its reply, or -errno, its or ours. */
static int call(struct binder_ipc *ipc, uint32_t code, int fd, uint64_t *answer)
{
	static const uint64_t nothing[4] = { 0, 0, 0, 0 };
	struct binder_incoming in;
	int ret;

	ret = binder_send(ipc, BC_TRANSACTION, code, nothing, fd);
	if (!ret)
		ret = binder_receive(ipc, &in);
	if (ret)
		return ret;
	if (in.command != BR_REPLY)
		return -EPROTO;
	memcpy(answer, in.message.words, sizeof(in.message.words));
	return (int)(int64_t)answer[0];
}

/* The service may still be starting: retry for some seconds. */
static int call_first(struct binder_ipc *ipc, int fd)
{
	struct timespec pause = { 0, 20000000 };
	uint64_t answer[4];
	int ret, tries;

	for (tries = 0; tries < 500; tries++) {
		ipc->calls = 0;
		ret = call(ipc, CALL_OPEN, fd, answer);
		if (ret != -ESRCH && ret != -EREMOTEIO)
			break;
		nanosleep(&pause, NULL);
	}
	return ret;
}

static int run(struct binder_ipc *ipc, uint64_t bytes)
{
	struct totals sent, got;
	struct ashm_ring *ring;
	struct ashm *region;
	uint64_t answer[4];
	int ret;

	ret = stream_create(&region, &ring);
	if (ret)
		return stream_error("making the ring", ret);
	ret = call_first(ipc, ashm_fd(region));
	ashm_close(region);
	if (ret) {
		ashm_ring_detach(ring);
		return stream_error("passing the ring on", ret);
	}

	ret = stream_out(ring, bytes, &sent);
	ashm_ring_detach(ring);
	if (ret)
		return ret;
	ret = call(ipc, CALL_COUNTS, -1, answer);
	if (ret)
		return stream_error("asking for the counts", ret);
	got.frames = answer[1];
	got.bytes = answer[2];
	got.digest = answer[3];
	if (!stream_same(&sent, &got))
		return stream_error("what was got", -EBADMSG);
	return 0;
}

int main(int argc, char **argv)
{
	struct binder_ipc ipc;
	int ret;

	if (argc != 3 || atoi(argv[2]) < 1) {
		fprintf(stderr, "usage: binder_client DEVICE MEBIBYTES\n");
		return 2;
	}
	ret = binder_open(&ipc, argv[1]);
	if (ret)
		return !!stream_error(argv[1], ret);
	ret = run(&ipc, (uint64_t)atoi(argv[2]) << 20);
	if (!ret)
		printf("over Binder: 1 descriptor, %llu calls of %zu bytes\n",
		       (unsigned long long)ipc.calls, sizeof(struct binder_message));
	binder_close(&ipc);
	return !!ret;
}
