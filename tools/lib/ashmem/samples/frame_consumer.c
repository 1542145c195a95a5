// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * Usage: frame_consumer SOCKET
 *
 * Listens at SOCKET for one frame_producer, receives a region from it, reads its frames
 * to the end, and prints its counts.
 */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stream.h"

/* Waits for a peer, and then removes the socket's name. */
static int accept_at(const char *path)
{
	struct sockaddr_un addr;
	int listener, sock = -1, error;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memset(&addr, 0, sizeof(addr));
	addr.sun_family = AF_UNIX;
	strcpy(addr.sun_path, path);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (listener < 0)
		return -errno;
	if (!bind(listener, (struct sockaddr *)&addr, sizeof(addr))) {
		if (!listen(listener, 1))
			sock = accept(listener, NULL, NULL);
		error = -errno;
		unlink(path);
	} else {
		error = -errno;
	}
	close(listener);
	if (sock < 0)
		return error;
	fcntl(sock, F_SETFD, FD_CLOEXEC);
	return sock;
}

/* The message may be anything: the library checks it. */
static int take_ring(int sock, struct ashm_ring **ring)
{
	struct ashm *region;
	int ret;

	ret = ashm_receive(sock, &region);
	if (ret)
		return ret;
	ret = ashm_ring_attach(ashm_fd(region), 0, ring);
	ashm_close(region);
	return ret;
}

int main(int argc, char **argv)
{
	struct ashm_reader *reader;
	struct ashm_ring *ring;
	struct totals got;
	int sock, ret;

	if (argc != 2) {
		fprintf(stderr, "usage: frame_consumer SOCKET\n");
		return 2;
	}
	sock = accept_at(argv[1]);
	if (sock < 0)
		return !!stream_error(argv[1], sock);
	ret = take_ring(sock, &ring);
	if (ret)
		return !!stream_error("the producer's ring", ret);
	ret = ashm_ring_reader(ring, 0, &reader);
	ashm_ring_detach(ring);
	if (ret)
		return !!stream_error("becoming a reader", ret);
	if (send(sock, "ready", 5, MSG_NOSIGNAL) != 5)
		return !!stream_error("answering", -errno);

	ret = stream_in(reader, &got);
	ashm_ring_reader_close(reader);
	if (ret)
		return 1;
	if (send(sock, &got, sizeof(got), MSG_NOSIGNAL) != sizeof(got))
		return !!stream_error("answering", -errno);
	close(sock);
	printf("read %llu frames, %llu bytes\n", (unsigned long long)got.frames,
	       (unsigned long long)got.bytes);
	return 0;
}
