// SPDX-License-Identifier: MIT
/*
 * Usage: frame_consumer SOCKET
 *
 * Listens at SOCKET for one frame_producer, takes a region's descriptor from it,
 * reads its frames to the end, and says what it has counted.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stream.h"

/* Waits for one to come; the socket's name is gone again when it has. */
static int accept_at(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int listener, sock = -1;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(addr.sun_path, path);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (listener < 0)
		return -1;
	if (!bind(listener, (struct sockaddr *)&addr, sizeof(addr))) {
		if (!listen(listener, 1))
			sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		unlink(path);
	}
	close(listener);
	return sock;
}

static int take_descriptor(int sock)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char bytes[8];
	struct iovec text = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr message = {
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int fd;

	if (recvmsg(sock, &message, MSG_CMSG_CLOEXEC) <= 0)
		return -EPROTO;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_level != SOL_SOCKET ||
	    header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

int main(int argc, char **argv)
{
	struct ashm_reader *reader;
	struct ashm_ring *ring;
	struct totals got;
	int sock, fd, ret;

	if (argc != 2) {
		fprintf(stderr, "usage: frame_consumer SOCKET\n");
		return 2;
	}
	sock = accept_at(argv[1]);
	if (sock < 0)
		return !!stream_error(argv[1], -errno);
	fd = take_descriptor(sock);
	if (fd < 0)
		return !!stream_error("the producer's message", fd);
	/* Whatever it is that came: the library finds out. */
	ret = ashm_ring_attach(fd, 0, &ring);
	close(fd);
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
