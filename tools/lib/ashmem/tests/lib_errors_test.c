// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every error, on both kinds of memory: the same code, and the library's own calls
 * preserve errno. If the two differ, the row has two codes, and the manual has the
 * reason.
 */
#include "kselftest_harness.h"
#include "lib_both.h"

#include <ashmem_frame.h>
#include <sys/socket.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD	76
#endif

#define SIZE	(2 * page_size())

/* The objects that the rows use; new ones for each row. */
struct props {
	struct ashm *own;	/* can do everything */
	struct ashm *masked;	/* may not write, and never did */
	struct ashm *shared;	/* an owner that wrote it and shared it read-only */
	struct ashm *reader;	/* its receiver */
	int fd;			/* a region that was never mapped */
	int none;		/* no region */
	int pair[2];		/* a socket */
	char buf[64];
	void *addr;
	struct ashm *got;
	struct ashm_ring *ring;
	struct ashm_reader *ring_reader;
	struct ashm_writer *ring_writer;
	uint64_t size;
};

static const struct ashm_ring_config plain = { .frame_max = 8, .slots = 2 };
static const struct ashm_ring_config waiting = {
	.frame_max = 8,
	.slots = 2,
	.flags = ASHM_RING_WAIT,
};

/* @len bytes with @count copies of @fd, as a peer may send them. */
static int pass(int sock, size_t len, const int *fd, size_t count)
{
	union {
		struct cmsghdr header;
		char space[256];
	} control;
	struct iovec text = { .iov_base = "xy", .iov_len = len };
	struct msghdr message = {
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = count ? &control : NULL,
		.msg_controllen = count ? CMSG_SPACE(count * sizeof(int)) : 0,
	};
	size_t i;

	memset(&control, 0, sizeof(control));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
	for (i = 0; i < count; i++)
		memcpy(CMSG_DATA(&control.header) + i * sizeof(int), fd, sizeof(int));
	return sendmsg(sock, &message, 0) == (ssize_t)len ? 0 : -errno;
}

static int receive(struct props *p, const int *fd, size_t count)
{
	return pass(p->pair[0], 1, fd, count) ?: ashm_receive(p->pair[1], &p->got);
}

/* Two bytes with a region, by a socket of @type. */
static int receive_two(struct props *p, int type)
{
	close(p->pair[0]);
	close(p->pair[1]);
	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, p->pair))
		return -errno;
	return pass(p->pair[0], 2, &p->fd, 1) ?: ashm_receive(p->pair[1], &p->got);
}

/* The receiver's socket asks for the sender's credentials and, from 6.5 on, its pidfd. */
static int receive_sender(struct props *p, size_t count)
{
	int on = 1, kept = errno;

	setsockopt(p->pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	setsockopt(p->pair[1], SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on));
	errno = kept;
	return receive(p, &p->fd, count);
}

static int attach_written(struct props *p, const struct ashm_ring_config *config)
{
	int fd, ret = ashm_ring_create(ashm_fd(p->own), config, &p->ring);

	if (ret)
		return ret;
	ashm_ring_detach(p->ring);
	p->ring = NULL;
	fd = ashm_share_readonly(p->own);
	ret = ashm_ring_attach(fd, 0, &p->ring);
	close(fd);
	return ret;
}

/* Each is one call. A returned descriptor counts as 1. */
#define ROWS(ROW)								\
	ROW(-EINVAL, ashm_create("x", 0, &p->got))				\
	ROW(-EFBIG, sizeof(long) < 8 ? -EFBIG : ashm_create("x", SIZE_MAX, &p->got)) \
	ROW(-EBADF, ashm_adopt(-1, &p->got))					\
	ROW(-ENOTTY, ashm_adopt(p->none, &p->got))				\
	ROW(-ENOTTY, ashm_backend_of(p->none))					\
	ROW(-EBADF, ashm_backend_of(-1))					\
	ROW(-ENOTTY, ashm_size_of(p->none, &p->size))				\
	ROW(-EBADF, ashm_size_of(-1, &p->size))					\
	ROW(0, ashm_size_of(p->fd, &p->size))					\
	ROW(-ERANGE, ashm_name(p->own, p->buf, 2))				\
	ROW(-EINVAL, ashm_map(p->own, 0x100, &p->addr))				\
	ROW(-EACCES, ashm_map(p->masked, PROT_WRITE, &p->addr))			\
	ROW(-EACCES, ashm_map(p->masked, PROT_RW, &p->addr))			\
	ROW(-EACCES, ashm_map(p->shared, PROT_RW, &p->addr))			\
	ROW(-EACCES, ashm_map(p->reader, PROT_RW, &p->addr))			\
	ROW(0, ashm_map(p->reader, PROT_READ, &p->addr))			\
	ROW(-EINVAL, ashm_map_range(p->own, PROT_READ, 0, 0, &p->addr))		\
	ROW(-EINVAL, ashm_map_range(p->own, PROT_READ, 1, 1, &p->addr))		\
	ROW(-ERANGE, ashm_map_range(p->own, PROT_READ, SIZE, 1, &p->addr))	\
	ROW(-EACCES, ashm_map_range(p->reader, PROT_RW, 0, 1, &p->addr))	\
	ROW(-EINVAL, ashm_unmap((void *)1, 1))					\
	ROW(-ERANGE, ashm_read(p->own, p->buf, 2, SIZE - 1))			\
	ROW(-ERANGE, ashm_write(p->own, p->buf, 2, SIZE - 1))			\
	ROW(-ERANGE, ashm_write(p->own, p->buf, 1, UINT64_MAX))			\
	ROW(-EFAULT, ashm_read(p->own, bad_address(), 8, 0))			\
	ROW(0, ashm_read(p->reader, p->buf, 8, 0))				\
	ROW(-EACCES, ashm_write(p->masked, p->buf, 1, 0))			\
	ROW(-EACCES, ashm_write(p->reader, p->buf, 1, 0))			\
	ROW(0, ashm_write(p->shared, p->buf, 1, 0))				\
	ROW(-EACCES, ashm_unpin(p->masked))					\
	ROW(-EACCES, ashm_unpin(p->reader))					\
	ROW(0, ashm_unpin(p->shared))						\
	ROW(0, ashm_pin(p->reader))						\
	ROW(-EINVAL, ashm_protect(p->own, 0x100))				\
	ROW(-EINVAL, ashm_protect(p->masked, PROT_RW))				\
	ROW(0, ashm_protect(p->reader, PROT_READ))				\
	ROW(1, ashm_share_readonly(p->own))					\
	ROW(1, ashm_share_readonly(p->shared))					\
	ROW(1, ashm_share_readonly(p->masked))					\
	ROW(1, ashm_share_readonly(p->reader))					\
	ROW(-ENOTTY, ashm_send(p->pair[0], p->none))				\
	ROW(-EBADF, ashm_send(p->pair[0], -1))					\
	ROW(-EBADF, ashm_send(-1, ashm_fd(p->own)))				\
	ROW(-ENOTSOCK, ashm_send(p->none, ashm_fd(p->own)))			\
	ROW(-EPIPE, close(p->pair[1]) ?: ashm_send(p->pair[0], ashm_fd(p->own)))	\
	ROW(-EPIPE, close(p->pair[0]) ?: ashm_receive(p->pair[1], &p->got))	\
	ROW(-EAGAIN, ashm_receive(p->pair[1], &p->got))				\
	ROW(-ENOTSOCK, ashm_receive(p->none, &p->got))				\
	ROW(-EPROTO, receive(p, NULL, 0))					\
	ROW(-ENOTTY, receive(p, &p->none, 1))					\
	ROW(0, receive(p, &p->fd, 1))						\
	ROW(-EPROTO, receive(p, &p->fd, 2))					\
	ROW(-EPROTO, receive(p, &p->fd, 9))					\
	ROW(-EPROTO, receive_two(p, SOCK_SEQPACKET))				\
	ROW(-EPROTO, receive_two(p, SOCK_DGRAM))				\
	/* What was refused is gone. */					\
	ROW(-EAGAIN, receive_two(p, SOCK_DGRAM) != -EPROTO ? 1 :		\
		     ashm_receive(p->pair[1], &p->got))				\
	/* A stream has no messages: what is behind the first byte stays. */	\
	ROW(0, receive_two(p, SOCK_STREAM))					\
	ROW(0, receive_two(p, SOCK_STREAM) ||					\
	       recv(p->pair[1], p->buf, 8, 0) != 1 || p->buf[0] != 'y')		\
	ROW(-EPROTO, receive_two(p, SOCK_STREAM) ?:				\
		     ashm_receive(p->pair[1], &p->got))				\
	ROW(0, receive_sender(p, 1))						\
	ROW(-EPROTO, receive_sender(p, 0))					\
	ROW(-EACCES, ashm_ring_create(ashm_fd(p->masked), &plain, &p->ring))	\
	ROW(-EACCES, ashm_ring_create(ashm_fd(p->reader), &plain, &p->ring))	\
	ROW(-ENOSPC, ashm_ring_create(p->fd, &plain, &p->ring))			\
	ROW(-EINVAL, ashm_ring_create(p->none, &plain, &p->ring))		\
	ROW(-EBADF, ashm_ring_create(-1, &plain, &p->ring))			\
	ROW(-ENODATA, ashm_ring_attach(ashm_fd(p->masked), 0, &p->ring))	\
	ROW(-EACCES, attach_written(p, &waiting))				\
	ROW(-EACCES, attach_written(p, &plain) ?:				\
		     ashm_ring_writer(p->ring, &p->ring_writer))		\
	ROW(-EAGAIN, attach_written(p, &plain) ?:				\
		     ashm_ring_reader(p->ring, 0, &p->ring_reader) ?:		\
		     ashm_frame_read(p->ring_reader, p->buf, 8, NULL, 0))	\
	ROW(-ETIMEDOUT, attach_written(p, &plain) ?:				\
			ashm_ring_reader(p->ring, 0, &p->ring_reader) ?:	\
			ashm_frame_read(p->ring_reader, p->buf, 8, NULL, 1))	\
	ROW(-EAGAIN, attach_written(p, &plain) ?:				\
		     ashm_ring_await_writer(p->ring, 0))

/* Those of libcutils and the NDK, where a failure is -1 with errno. */
#define LIBC_ROWS(ROW)								\
	ROW(-EBADF, ashmem_pin_region(-1, 0, 0))				\
	ROW(-ENOTTY, ashmem_pin_region(p->none, 0, 0))				\
	ROW(-EINVAL, ashmem_pin_region(ashm_fd(p->own), 1, 0))			\
	ROW(-EINVAL, ashmem_unpin_region(ashm_fd(p->own), 0, SIZE + page_size())) \
	ROW(0, ashmem_unpin_region(ashm_fd(p->own), 0, 0))			\
	ROW(0, ashmem_pin_region(ashm_fd(p->masked), 0, 0))			\
	ROW(-EINVAL, ashmem_set_prot_region(ashm_fd(p->masked), PROT_RW))	\
	ROW(-EINVAL, ashmem_set_prot_region(p->fd, -1))				\
	ROW(-ENOTTY, ashmem_get_size_region(p->none))				\
	ROW(-EINVAL, ASharedMemory_create("x", 0))				\
	ROW(-EINVAL, ASharedMemory_setProt(ashm_fd(p->masked), PROT_RW))	\
	/* On the device only writers may discard. */			\
	ROW(ON_DEVICE ? -EPERM : 0, ashmem_unpin_region(ashm_fd(p->masked), 0, 0)) \
	/* The device has no pages before the first mapping. */		\
	ROW(ON_DEVICE ? -EINVAL : 0, ashmem_pin_region(p->fd, 0, 0))

static bool set_up(struct props *p)
{
	memset(p, 0, sizeof(*p));
	p->own = region_new("own", SIZE);
	p->masked = region_new("masked", SIZE);
	p->shared = region_new("shared", SIZE);
	p->fd = ashmem_create_region("early", 1);
	p->none = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (!p->own || !p->masked || !p->shared || p->fd < 0 || p->none < 0)
		return false;
	if (ashm_protect(p->masked, PROT_READ))
		return false;
	p->reader = region_adopt(ashm_share_readonly(p->shared));
	return p->reader && !socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC |
					SOCK_NONBLOCK, 0, p->pair);
}

static void tear_down(struct props *p)
{
	ashm_ring_writer_close(p->ring_writer);
	ashm_ring_reader_close(p->ring_reader);
	ashm_ring_detach(p->ring);
	if (p->addr)
		ashm_unmap(p->addr, SIZE);
	ashm_close(p->got);
	ashm_close(p->own);
	ashm_close(p->masked);
	ashm_close(p->shared);
	ashm_close(p->reader);
	close(p->fd);
	close(p->none);
	close(p->pair[0]);
	close(p->pair[1]);
}

/* Any descriptor is right here; other tests check what it refers to. */
static long long plainly(long long ret)
{
	if (ret > 2) {
		close((int)ret);
		return 1;
	}
	return ret;
}

TEST_F(lib, own_calls)
{
	int before = count_fds(), kept;
	struct props props, *p = &props;
	long long ret;

#define ROW(want, call)								\
	ASSERT_TRUE(set_up(p));							\
	errno = 4242;								\
	ret = (call);								\
	kept = errno;								\
	EXPECT_EQ((long long)(want), plainly(ret))				\
		TH_LOG("%s", #call);						\
	EXPECT_EQ(4242, kept)							\
		TH_LOG("%s", #call);						\
	tear_down(p);								\
	EXPECT_EQ(before, count_fds())						\
		TH_LOG("%s", #call);

	ROWS(ROW)
#undef ROW
}

TEST_F(lib, calls_of_others)
{
	struct props props, *p = &props;

#define ROW(want, call)								\
	ASSERT_TRUE(set_up(p));							\
	EXPECT_EQ((long long)(want), RET(call))					\
		TH_LOG("%s", #call);						\
	tear_down(p);

	LIBC_ROWS(ROW)
#undef ROW
}

TEST_HARNESS_MAIN
