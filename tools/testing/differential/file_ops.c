// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors: open, close, pass, and all that a region refuses or takes no
 * notice of.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ashmem_diff.h"

void op_open(void)
{
	static const int access[] = {
		O_RDWR, O_RDWR, O_RDWR, O_RDWR, O_RDONLY, O_RDONLY, O_WRONLY,
	};

	open_region(PICK(access));
}

void op_close(void)
{
	close_fd(pick_fd());
}

static void result_fd(struct fd_slot *to, int fd, struct region *region)
{
	result_errno(fd < 0 ? -1 : 0);
	if (fd < 0)
		return;
	to->fd = fd;
	to->region = region;
	region->fds++;
}

void op_dup(void)
{
	struct fd_slot *from = pick_fd(), *to = free_fd();

	if (!to)
		return;
	op("dup f%d r%d to f%d", fd_number(from), region_number(from->region), fd_number(to));
	result_fd(to, fcntl(from->fd, F_DUPFD_CLOEXEC, 0), from->region);
}

void op_pass_fd(void)
{
	struct fd_slot *from = pick_fd(), *to = free_fd();
	int pair[2], fd = -1;
	uint64_t word;

	if (!to)
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		fail("socketpair: %s", strerror(errno));
	op("pass_fd f%d r%d to f%d", fd_number(from), region_number(from->region),
	   fd_number(to));
	if (send_fds(pair[0], 0, &from->fd, 1))
		fail("can't send a descriptor");
	result_fd(to, recv_fds(pair[1], &word, &fd, 1) ? -1 : fd, from->region);
	close(pair[0]);
	close(pair[1]);
}

void op_write(void)
{
	static const char *const how[] = { "write", "pwrite", "writev", "pwritev" };
	struct fd_slot *slot = pick_backed();
	enum buffer which = pick_buffer();
	size_t length = one_in(8) ? 0 : 1 + rnd(page_bytes);
	void *data = buffer(which, length);
	struct iovec iov = { .iov_base = data, .iov_len = length };
	unsigned int choice = rnd(4);
	long ret;

	op("%s f%d r%d len=%zu ptr=%s refused=%s", how[choice], fd_number(slot),
	   region_number(slot->region), length, buffer_text(which),
	   slot->region->access == O_RDONLY ? "EBADF" : "EINVAL");
	switch (choice) {
	case 0:
		ret = write(slot->fd, data, length);
		break;
	case 1:
		ret = pwrite(slot->fd, data, length, 0);
		break;
	case 2:
		ret = writev(slot->fd, &iov, 1);
		break;
	default:
		ret = pwritev(slot->fd, &iov, 1, 0);
	}
	result_number(ret);
}

void op_ftruncate(void)
{
	struct fd_slot *slot = pick_backed();
	__s64 length = one_in(8) ? -1 : (__s64)rnd(SMALL_PAGES * page_bytes);

	op("ftruncate f%d r%d %lld", fd_number(slot), region_number(slot->region),
	   (long long)length);
	result_errno(ftruncate(slot->fd, length));
}

void op_fallocate(void)
{
	static const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE, FALLOC_FL_COLLAPSE_RANGE,
	};
	struct fd_slot *slot = pick_backed();
	int mode = PICK(modes);
	__s64 offset = one_in(8) ? -1 : (__s64)(rnd(SMALL_PAGES) * page_bytes);

	op("fallocate f%d r%d mode=%#x offset=%lld", fd_number(slot),
	   region_number(slot->region), mode, (long long)offset);
	result_errno(fallocate(slot->fd, mode, offset, page_bytes));
}

void op_poll(void)
{
	struct fd_slot *slot = pick_fd();
	struct pollfd pollfd = {
		.fd = slot->fd,
		.events = one_in(4) ? (short)rnd(0x400) : POLLIN | POLLOUT | POLLPRI,
	};
	int n;

	op("poll f%d r%d events=%#x", fd_number(slot), region_number(slot->region),
	   pollfd.events);
	n = poll(&pollfd, 1, 0);
	result("%d:%#x", n, pollfd.revents);
}

void op_fstat(void)
{
	struct fd_slot *slot = pick_fd();
	struct stat stat;

	op("fstat f%d r%d", fd_number(slot), region_number(slot->region));
	if (fstat(slot->fd, &stat))
		result("%s", errno_text(errno));
	else
		result("mode=%o,major=%u,size=%lld", stat.st_mode, major(stat.st_rdev),
		       (long long)stat.st_size);
}
