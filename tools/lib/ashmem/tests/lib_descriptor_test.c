// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors that are no regions, and regions whose number another one has by now. This
 * needs no module: /dev/zero stands in for the device.
 */
#include "kselftest_harness.h"
#include <ashmem_frame.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include "fuse_util.h"
#include "lib_util.h"
#include "../internal.h"

/* ---- a device ---- */

static struct {
	bool lacks_id;
	unsigned long last;
	unsigned long id[64];	/* of the region of a descriptor, or 0 */
} device;

/* These stand before the C library's. */
int open(const char *path, int flags, ...)
{
	bool is_device = !strcmp(path, ASHMEM_DEV);
	va_list list;
	long mode;
	int fd;

	va_start(list, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, int) : 0;
	va_end(list);
	fd = (int)syscall(SYS_openat, AT_FDCWD, is_device ? "/dev/zero" : path,
			  flags | O_LARGEFILE, mode);
	if (fd >= 0 && fd < (int)ARRAY_SIZE(device.id))
		device.id[fd] = is_device ? ++device.last : 0;
	return fd;
}

int ioctl(int fd, unsigned long cmd, ...)
{
	bool is_device = fd >= 0 && fd < (int)ARRAY_SIZE(device.id) && device.id[fd];
	unsigned long *arg;
	va_list list;

	va_start(list, cmd);
	arg = va_arg(list, unsigned long *);
	va_end(list);
	if (is_device && cmd == ASHMEM_GET_FILE_ID && !device.lacks_id) {
		*arg = device.id[fd];
		return 0;
	}
	if (is_device && cmd == ASHMEM_GET_PROT_MASK)
		return PROT_RWX;
	if (is_device && (cmd == ASHMEM_SET_SIZE || cmd == ASHMEM_SET_NAME))
		return 0;
	return (int)syscall(SYS_ioctl, fd, cmd, arg);
}

FILE *fopen(const char *path, const char *mode)
{
	static char fdinfo[] = "size:\t4096\n";
	int fd;

	if (strstr(path, "/fdinfo/"))
		return fmemopen(fdinfo, strlen(fdinfo), "r");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? NULL : fdopen(fd, mode);
}

FIXTURE(device) {
};

FIXTURE_SETUP(device)
{
	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "ashmem", 1));
}

FIXTURE_TEARDOWN(device)
{
}

/* A program closes all descriptors, and makes regions again. */
TEST_F(device, number_of_another_region)
{
	struct ashm *old = region_new("old", 4096), *new;
	int number;

	ASSERT_NE(NULL, old);
	number = ashm_fd(old);
	close(number);
	new = region_new("new", 4096);
	ASSERT_NE(NULL, new);
	ASSERT_EQ(number, ashm_fd(new));
	ashm_close(old);
	EXPECT_TRUE(is_cloexec(number));
	ashm_close(new);
	EXPECT_EQ(-EBADF, RET(fcntl(number, F_GETFD)));
}

TEST_F(device, driver_without_numbers)
{
	int before = count_fds();
	struct ashm *r;

	device.lacks_id = true;
	r = region_new("old driver", 4096);
	ASSERT_NE(NULL, r);
	EXPECT_EQ(before + 1, count_fds());
	ashm_close(r);
	EXPECT_EQ(before, count_fds());
}

/* The number of the device, but no call reaches the region. */
TEST_F(device, path_only)
{
	struct ashm *r = region_new("path", 4096);
	int pair[2], fd = open("/dev/zero", O_PATH | O_CLOEXEC);
	uint64_t size;

	ASSERT_NE(NULL, r);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
	EXPECT_EQ(-ENOTTY, ashm_backend_of(fd));
	EXPECT_EQ(-ENOTTY, ashm_size_of(fd, &size));
	EXPECT_EQ(-ENOTTY, ashm_send(pair[0], fd));
	ashm_close(r);
}

/* Of an overlay's whiteout, which any user makes. */
TEST(device_number_zero)
{
	struct stat st = { .st_mode = S_IFCHR | 0666 };

	EXPECT_EQ(0, libashmem_device_is(&st));
}

/* ---- a file system of the sender ---- */

TEST(file_of_a_server)
{
	int pair[2], fds[2] = { -1, -1 }, ret, i;
	struct ashm_ring *ring;
	uint64_t word = 1;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(fuse_serve(pair[1], S_IFDIR));
	close(pair[1]);
	ret = recv_fds(pair[0], &word, fds, 2);
	if (!word)
		SKIP(return, "no FUSE here");
	ASSERT_EQ(0, ret);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-ENOTTY, ashm_backend_of(fds[i]));
		errno = 0;
		EXPECT_EQ(NULL, region_adopt(fds[i]));
		EXPECT_EQ(ENOTTY, errno);
		EXPECT_EQ(-EINVAL, ashm_ring_attach(fds[i], 0, &ring));
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST_HARNESS_MAIN
