// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * Usage: frame_producer SOCKET MEBIBYTES
 *
 * Makes a region with a ring in it, passes its descriptor to a frame_consumer that
 * listens at SOCKET, and writes frames. The socket carries three messages: the region,
 * the consumer's "ready", and at the end its counts.
 */
#define _POSIX_C_SOURCE 200809L

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stream.h"

static int connect_to(const char *path)
{
	struct sockaddr_un addr;
	int sock, ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memset(&addr, 0, sizeof(addr));
	addr.sun_family = AF_UNIX;
	strcpy(addr.sun_path, path);
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	if (!connect(sock, (struct sockaddr *)&addr, sizeof(addr)))
		return sock;
	ret = -errno;
	close(sock);
	return ret;
}

int main(int argc, char **argv)
{
	struct totals sent, got;
	struct ashm_ring *ring;
	struct ashm *region;
	char ready[8];
	int sock, ret;

	if (argc != 3 || atoi(argv[2]) < 1) {
		fprintf(stderr, "usage: frame_producer SOCKET MEBIBYTES\n");
		return 2;
	}
	ret = stream_create(&region, &ring);
	if (ret)
		return !!stream_error("making the ring", ret);
	sock = connect_to(argv[1]);
	if (sock < 0)
		return !!stream_error(argv[1], sock);
	ret = ashm_send(sock, ashm_fd(region));
	if (ret)
		return !!stream_error("passing the region on", ret);
	/* From here on only the ring's mapping is needed. */
	ashm_close(region);
	if (recv(sock, ready, sizeof(ready), 0) != 5 || memcmp(ready, "ready", 5))
		return !!stream_error("no answer from the consumer", -EPROTO);

	ret = stream_out(ring, (uint64_t)atoi(argv[2]) << 20, &sent);
	ashm_ring_detach(ring);
	if (ret)
		return 1;
	if (recv(sock, &got, sizeof(got), 0) != sizeof(got))
		return !!stream_error("no counts from the consumer", -EPROTO);
	close(sock);
	if (!stream_same(&sent, &got))
		return !!stream_error("what was got", -EBADMSG);
	printf("over the socket: 1 descriptor, %zu bytes\n",
	       1 + 5 + sizeof(struct totals));
	return 0;
}
