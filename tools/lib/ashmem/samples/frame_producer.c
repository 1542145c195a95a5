// SPDX-License-Identifier: MIT
/*
 * Usage: frame_producer SOCKET MEBIBYTES
 *
 * Makes a region with a ring in it, passes its descriptor to a frame_consumer
 * that listens at SOCKET, and writes frames. Over the socket go three messages:
 * the descriptor, the consumer's "ready", and at the end what it has counted.
 */
#include <ashmem.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stream.h"

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(addr.sun_path, path);
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock >= 0 && connect(sock, (struct sockaddr *)&addr, sizeof(addr))) {
		close(sock);
		return -1;
	}
	return sock;
}

static int pass_descriptor(int sock, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = {
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(sizeof(int)),
	} };
	struct iovec text = { .iov_base = "ring", .iov_len = 4 };
	struct msghdr message = {
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(sock, &message, MSG_NOSIGNAL) == 4 ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct ashm_ring_config config = stream_config();
	struct totals sent, got;
	struct ashm_ring *ring;
	struct ashm *region;
	uint64_t size;
	char ready[8];
	int sock, ret;

	if (argc != 3 || atoi(argv[2]) < 1) {
		fprintf(stderr, "usage: frame_producer SOCKET MEBIBYTES\n");
		return 2;
	}
	ret = ashm_ring_size(&config, &size);
	if (ret)
		return !!stream_error("the size of the ring", ret);
	region = ashm_create("frames", (size_t)size);
	if (!region)
		return !!stream_error("making the region", -errno);
	ret = ashm_ring_create(ashm_fd(region), &config, &ring);
	if (ret)
		return !!stream_error("making the ring", ret);
	sock = connect_to(argv[1]);
	if (sock < 0 || pass_descriptor(sock, ashm_fd(region)))
		return !!stream_error(argv[1], -errno);
	/* The ring's mapping is all that is needed from here on. */
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
	       4 + 5 + sizeof(struct totals));
	return 0;
}
