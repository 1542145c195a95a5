// SPDX-License-Identifier: GPL-2.0-only
/*
 * A region's descriptor as a file: read, seek, what is refused, poll,
 * sendfile, splice and fdinfo.
 */
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/utsname.h>

#include "kselftest_harness.h"
#include "ashmem_util.h"

FIXTURE(file)
{
	size_t p;
	size_t size;
	int fd;
	unsigned char *a;
	unsigned char *buf;
};

/* Three pages and a bit, so that the end lies inside a page. */
FIXTURE_SETUP(file)
{
	self->p = page_size();
	self->size = 3 * self->p + 100;
	self->fd = ash_region("file", self->size);
	ASSERT_LE(0, self->fd);
	self->a = ash_map(self->fd, self->size, PROT_RW);
	ASSERT_NE(MAP_FAILED, self->a);
	fill(self->a, 4 * self->p, 1);
	self->buf = malloc(5 * self->p);
	ASSERT_NE(NULL, self->buf);
	memset(self->buf, 0xcc, 5 * self->p);
}

FIXTURE_TEARDOWN(file)
{
	free(self->buf);
	EXPECT_EQ(0, munmap(self->a, self->size));
	EXPECT_EQ(0, close(self->fd));
}

/* ---- before there is anything to read ---- */

TEST(empty_region_reads_as_end_of_file)
{
	int fd = ash_open(O_RDWR);
	char buf[16];
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };

	ASSERT_LE(0, fd);
	memset(buf, 0xcc, sizeof(buf));
	EXPECT_EQ(0, RET(read(fd, buf, sizeof(buf))));
	EXPECT_EQ(0, RET(pread(fd, buf, sizeof(buf), 5)));
	EXPECT_EQ(0, RET(readv(fd, &iov, 1)));
	EXPECT_TRUE(all_bytes(buf, sizeof(buf), 0xcc));
	EXPECT_EQ(-EINVAL, RET(lseek(fd, 0, SEEK_SET)));
	EXPECT_EQ(-EINVAL, RET(lseek(fd, 0, SEEK_CUR)));
	EXPECT_EQ(-EINVAL, RET(lseek(fd, 0, SEEK_END)));
	EXPECT_EQ(-EINVAL, RET(lseek(fd, 0, SEEK_DATA)));
	EXPECT_EQ(-EINVAL, RET(lseek(fd, 0, SEEK_HOLE)));
	close(fd);
}

TEST(sized_region_without_mapping_has_no_file_to_read)
{
	int fd = ash_region("never mapped", page_size());
	char buf[16];
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };

	ASSERT_LE(0, fd);
	memset(buf, 0xcc, sizeof(buf));
	EXPECT_EQ(-EBADF, RET(read(fd, buf, sizeof(buf))));
	EXPECT_EQ(-EBADF, RET(pread(fd, buf, sizeof(buf), 0)));
	EXPECT_EQ(-EBADF, RET(readv(fd, &iov, 1)));
	EXPECT_TRUE(all_bytes(buf, sizeof(buf), 0xcc));
	EXPECT_EQ(-EBADF, RET(lseek(fd, 0, SEEK_SET)));
	EXPECT_EQ(-EBADF, RET(lseek(fd, 0, SEEK_CUR)));
	EXPECT_EQ(-EBADF, RET(lseek(fd, 0, SEEK_END)));
	EXPECT_EQ(-EBADF, RET(lseek(fd, 0, SEEK_DATA)));
	EXPECT_EQ(-EBADF, RET(lseek(fd, 0, SEEK_HOLE)));

	/* Once mapped, even if no longer, it can be read. */
	ASSERT_EQ(0, map_errno(fd, page_size(), PROT_READ, MAP_PRIVATE, 0));
	EXPECT_EQ(sizeof(buf), RET(read(fd, buf, sizeof(buf))));
	EXPECT_TRUE(zeroed(buf, sizeof(buf)));
	close(fd);
}

/* ---- reading ---- */

TEST_F(file, read_returns_the_contents_up_to_the_size)
{
	EXPECT_EQ((long long)self->size,
		  RET(read(self->fd, self->buf, 5 * self->p)));
	EXPECT_TRUE(filled(self->buf, self->size, 1));
	EXPECT_TRUE(all_bytes(self->buf + self->size,
			      5 * self->p - self->size, 0xcc));
	EXPECT_EQ(0, RET(read(self->fd, self->buf, 1)));
}

TEST_F(file, read_continues_where_the_last_one_ended)
{
	EXPECT_EQ(10, RET(read(self->fd, self->buf, 10)));
	EXPECT_EQ(10, RET(lseek(self->fd, 0, SEEK_CUR)));
	EXPECT_EQ((long long)self->p,
		  RET(read(self->fd, self->buf, self->p)));
	EXPECT_TRUE(filled_from(self->buf, self->p, 1, 10));
	EXPECT_EQ((long long)self->p + 10, RET(lseek(self->fd, 0, SEEK_CUR)));
}

TEST_F(file, read_sees_what_is_written_later)
{
	fill(self->a, self->size, 2);
	EXPECT_EQ((long long)self->size,
		  RET(read(self->fd, self->buf, self->size)));
	EXPECT_TRUE(filled(self->buf, self->size, 2));
}

TEST_F(file, pread_is_short_at_the_end_and_moves_nothing)
{
	ASSERT_EQ(7, RET(lseek(self->fd, 7, SEEK_SET)));
	EXPECT_EQ((long long)self->p, RET(pread(self->fd, self->buf, self->p,
						(off_t)self->p - 5)));
	EXPECT_TRUE(filled_from(self->buf, self->p, 1, self->p - 5));
	EXPECT_EQ(100, RET(pread(self->fd, self->buf, self->p,
				 (off_t)(3 * self->p))));
	EXPECT_TRUE(filled_from(self->buf, 100, 1, 3 * self->p));
	EXPECT_EQ(1, RET(pread(self->fd, self->buf, 2, (off_t)self->size - 1)));
	EXPECT_EQ(0, RET(pread(self->fd, self->buf, 2, (off_t)self->size)));
	EXPECT_EQ(0, RET(pread(self->fd, self->buf, 2, (off_t)(9 * self->p))));
	EXPECT_EQ(-EINVAL, RET(pread(self->fd, self->buf, 2, -1)));
	EXPECT_EQ(7, RET(lseek(self->fd, 0, SEEK_CUR)));
	EXPECT_EQ(1, RET(read(self->fd, self->buf, 1)));
	EXPECT_TRUE(filled_from(self->buf, 1, 1, 7));
}

TEST_F(file, readv_fills_all_its_buffers)
{
	struct iovec iov[3] = {
		{ .iov_base = self->buf, .iov_len = 3 },
		{ .iov_base = self->buf + self->p, .iov_len = self->p + 1 },
		{ .iov_base = self->buf + 3 * self->p, .iov_len = 2 * self->p },
	};

	EXPECT_EQ((long long)(3 * self->p + 4), RET(readv(self->fd, iov, 3)));
	EXPECT_TRUE(filled(self->buf, 3, 1));
	EXPECT_TRUE(filled_from(self->buf + self->p, self->p + 1, 1, 3));
	EXPECT_TRUE(filled_from(self->buf + 3 * self->p, 2 * self->p, 1,
				self->p + 4));
	EXPECT_EQ(96, RET(readv(self->fd, iov, 3)));
	EXPECT_EQ((long long)self->p + 4,
		  RET(preadv(self->fd, iov, 2, (off_t)self->p)));
	EXPECT_TRUE(filled_from(self->buf, 3, 1, self->p));
}

TEST_F(file, read_into_a_bad_buffer_is_refused)
{
	char *tight = guarded(10);
	long long got;

	ASSERT_NE(NULL, tight);
	EXPECT_EQ(-EFAULT, RET(read(self->fd, bad_address(), 10)));
	EXPECT_EQ(0, RET(lseek(self->fd, 0, SEEK_CUR)));
	EXPECT_EQ(-EFAULT, RET(pread(self->fd, bad_address(), 10, 0)));

	/* As much as fits is read, and counted. */
	got = RET(read(self->fd, tight, 20));
	EXPECT_EQ(10, got);
	EXPECT_TRUE(filled(tight, 10, 1));
	EXPECT_EQ(got, RET(lseek(self->fd, 0, SEEK_CUR)));
}

TEST_F(file, read_of_a_hole_is_zeroes)
{
	int fd = ash_region("hole", 2 * self->p);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, map_errno(fd, self->p, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ((long long)(2 * self->p),
		  RET(read(fd, self->buf, 5 * self->p)));
	EXPECT_TRUE(zeroed(self->buf, 2 * self->p));
	close(fd);
}

TEST_F(file, mask_does_not_bind_read)
{
	ASSERT_EQ(0, ash_set_mask(self->fd, 0));
	EXPECT_EQ(100, RET(read(self->fd, self->buf, 100)));
	EXPECT_TRUE(filled(self->buf, 100, 1));
}

TEST_F(file, write_only_descriptor_cannot_read)
{
	int fd = ash_open(O_WRONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ash_set_size(fd, self->p));
	EXPECT_EQ(-EBADF, RET(read(fd, self->buf, 1)));
	EXPECT_EQ(-EBADF, RET(pread(fd, self->buf, 1, 0)));
	close(fd);
}

/* ---- seeking ---- */

TEST_F(file, seek_sets_where_read_goes_on)
{
	EXPECT_EQ(50, RET(lseek(self->fd, 50, SEEK_SET)));
	EXPECT_EQ(10, RET(read(self->fd, self->buf, 10)));
	EXPECT_TRUE(filled_from(self->buf, 10, 1, 50));
	EXPECT_EQ(40, RET(lseek(self->fd, -20, SEEK_CUR)));
	EXPECT_EQ(10, RET(read(self->fd, self->buf, 10)));
	EXPECT_TRUE(filled_from(self->buf, 10, 1, 40));
	EXPECT_EQ((long long)self->size - 8, RET(lseek(self->fd, -8, SEEK_END)));
	EXPECT_EQ(8, RET(read(self->fd, self->buf, 10)));
	EXPECT_TRUE(filled_from(self->buf, 8, 1, self->size - 8));
	EXPECT_EQ((long long)self->size, RET(lseek(self->fd, 0, SEEK_END)));
	EXPECT_EQ((long long)self->size + 5, RET(lseek(self->fd, 5, SEEK_END)));
	EXPECT_EQ(0, RET(read(self->fd, self->buf, 10)));
}

TEST_F(file, refused_seek_leaves_the_position)
{
	off_t size = (off_t)self->size;

	ASSERT_EQ(33, RET(lseek(self->fd, 33, SEEK_SET)));
	EXPECT_EQ(-EINVAL, RET(lseek(self->fd, -1, SEEK_SET)));
	EXPECT_EQ(-EINVAL, RET(lseek(self->fd, -34, SEEK_CUR)));
	EXPECT_EQ(-EINVAL, RET(lseek(self->fd, -size - 1, SEEK_END)));
	EXPECT_EQ(-EINVAL, RET(lseek(self->fd, 0, 99)));
	EXPECT_EQ(-ENXIO, RET(lseek(self->fd, size, SEEK_DATA)));
	EXPECT_EQ(-ENXIO, RET(lseek(self->fd, size, SEEK_HOLE)));
	EXPECT_EQ(-ENXIO, RET(lseek(self->fd, size + 1, SEEK_DATA)));
	EXPECT_EQ(33, RET(lseek(self->fd, 0, SEEK_CUR)));
	EXPECT_EQ(1, RET(read(self->fd, self->buf, 1)));
	EXPECT_TRUE(filled_from(self->buf, 1, 1, 33));
}

TEST_F(file, seek_finds_data_and_holes)
{
	long long p = (long long)self->p;
	int fd = ash_region("sparse", 5 * self->p);
	unsigned char *a;

	ASSERT_LE(0, fd);
	a = ash_map(fd, 5 * self->p, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	EXPECT_EQ(-ENXIO, RET(lseek(fd, 0, SEEK_DATA)));
	EXPECT_EQ(0, RET(lseek(fd, 0, SEEK_HOLE)));
	fill(a + self->p, self->p, 3);
	fill(a + 3 * self->p, self->p, 4);
	EXPECT_EQ(p, RET(lseek(fd, 0, SEEK_DATA)));
	EXPECT_EQ(p, RET(lseek(fd, 0, SEEK_CUR)));
	EXPECT_EQ(2 * p, RET(lseek(fd, p, SEEK_HOLE)));
	EXPECT_EQ(3 * p, RET(lseek(fd, 2 * p, SEEK_DATA)));
	EXPECT_EQ(p, RET(read(fd, self->buf, self->p)));
	EXPECT_TRUE(filled(self->buf, self->p, 4));
	EXPECT_EQ(-ENXIO, RET(lseek(fd, 4 * p, SEEK_DATA)));
	EXPECT_EQ(4 * p, RET(lseek(fd, 0, SEEK_CUR)));
	EXPECT_EQ(4 * p, RET(lseek(fd, 4 * p, SEEK_HOLE)));

	/* Full to the end, the end is the first hole. */
	EXPECT_EQ((long long)self->size, RET(lseek(self->fd, 0, SEEK_HOLE)));
	close(fd);
}

TEST_F(file, position_belongs_to_the_open_region)
{
	int other = dup(self->fd);
	pid_t pid;

	ASSERT_LE(0, other);
	ASSERT_EQ(60, RET(lseek(self->fd, 60, SEEK_SET)));
	EXPECT_EQ(60, RET(lseek(other, 0, SEEK_CUR)));
	EXPECT_EQ(5, RET(read(other, self->buf, 5)));
	EXPECT_EQ(65, RET(lseek(self->fd, 0, SEEK_CUR)));
	close(other);

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		CHILD_CHECK(read(self->fd, self->buf, 6) == 6);
		_exit(0);
	}
	ASSERT_EQ(0, wait_child(pid));
	EXPECT_EQ(71, RET(lseek(self->fd, 0, SEEK_CUR)));
}

/* ---- what is refused ---- */

TEST_F(file, writing_is_refused)
{
	struct iovec iov = { .iov_base = self->buf, .iov_len = 10 };
	struct ash_state st;
	int pipefd[2];

	ash_read_state(self->fd, &st);
	EXPECT_EQ(-EINVAL, RET(write(self->fd, self->buf, 10)));
	EXPECT_EQ(-EINVAL, RET(pwrite(self->fd, self->buf, 10, 0)));
	EXPECT_EQ(-EINVAL, RET(writev(self->fd, &iov, 1)));
	EXPECT_EQ(-EINVAL, RET(pwritev(self->fd, &iov, 1, 0)));

	ASSERT_EQ(0, pipe(pipefd));
	ASSERT_EQ(10, write(pipefd[1], self->buf, 10));
	EXPECT_EQ(-EINVAL, RET(splice(pipefd[0], NULL, self->fd, NULL, 10,
				      SPLICE_F_NONBLOCK)));
	close(pipefd[0]);
	close(pipefd[1]);

	EXPECT_EQ(0, RET(lseek(self->fd, 0, SEEK_CUR)));
	EXPECT_SAME_STATE(self->fd, &st);
	EXPECT_TRUE(filled(self->a, 4 * self->p, 1));
}

TEST_F(file, read_only_descriptor_cannot_write)
{
	int fd = ash_open(O_RDONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ash_set_size(fd, self->p));
	ASSERT_EQ(0, map_errno(fd, self->p, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(-EBADF, RET(write(fd, self->buf, 1)));
	EXPECT_EQ(-EBADF, RET(pwrite(fd, self->buf, 1, 0)));
	EXPECT_EQ(1, RET(read(fd, self->buf, 1)));
	EXPECT_EQ(0, self->buf[0]);
	close(fd);
}

TEST_F(file, changing_the_size_by_other_calls_is_refused)
{
	off_t size = (off_t)self->size, p = (off_t)self->p;
	struct ash_state st;

	ash_read_state(self->fd, &st);
	EXPECT_EQ(-EINVAL, RET(ftruncate(self->fd, 0)));
	EXPECT_EQ(-EINVAL, RET(ftruncate(self->fd, p)));
	EXPECT_EQ(-EINVAL, RET(ftruncate(self->fd, size + 9 * p)));
	EXPECT_EQ(-ENODEV, RET(fallocate(self->fd, 0, 0, p)));
	EXPECT_EQ(-ENODEV, RET(fallocate(self->fd, 0, size, p)));
	EXPECT_EQ(-ENODEV, RET(fallocate(self->fd, FALLOC_FL_PUNCH_HOLE |
					 FALLOC_FL_KEEP_SIZE, 0, p)));
	EXPECT_EQ(-EINVAL, RET(fallocate(self->fd, 0, 0, 0)));
	EXPECT_SAME_STATE(self->fd, &st);
	EXPECT_EQ((long long)size, RET(lseek(self->fd, 0, SEEK_END)));
	EXPECT_TRUE(filled(self->a, 4 * self->p, 1));
}

TEST_F(file, poll_says_ready)
{
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN | POLLOUT };

	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLIN | POLLOUT, pfd.revents);
}

/* ---- sendfile and splice ---- */

static long long drain(int fd, unsigned char *buf, size_t len)
{
	size_t done = 0;
	ssize_t got;

	while (done < len) {
		got = read(fd, buf + done, len - done);
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return (long long)done;
}

/*
 * sendfile() accepts only regular files on 5.10, and all seekable files on 6.1. splice()
 * reads from a device on both.
 */
static bool sendfile_reads_devices(int fd, int out)
{
	unsigned int major = 0;
	struct utsname uts;
	off_t off = 0;

	if (uname(&uts) || sscanf(uts.release, "%u", &major) != 1 || major >= 6)
		return true;
	return RET(sendfile(out, fd, &off, 0)) != -EINVAL;
}

TEST_F(file, sendfile_delivers_the_bytes_to_a_pipe)
{
	off_t off = (off_t)self->p - 10;
	int pipefd[2];

	ASSERT_EQ(0, pipe(pipefd));
	ASSERT_EQ(0, fcntl(pipefd[1], F_SETFL, O_NONBLOCK));
	if (!sendfile_reads_devices(self->fd, pipefd[1]))
		SKIP(return, "this kernel's sendfile() takes regular files only");
	ASSERT_EQ(9, RET(lseek(self->fd, 9, SEEK_SET)));
	ASSERT_EQ(20, RET(sendfile(pipefd[1], self->fd, &off, 20)));
	EXPECT_EQ((off_t)self->p + 10, off);
	EXPECT_EQ(20, drain(pipefd[0], self->buf, 20));
	EXPECT_TRUE(filled_from(self->buf, 20, 1, self->p - 10));

	/* With its own offset it leaves the position alone. */
	EXPECT_EQ(9, RET(lseek(self->fd, 0, SEEK_CUR)));
	EXPECT_EQ(11, RET(sendfile(pipefd[1], self->fd, NULL, 11)));
	EXPECT_EQ(11, drain(pipefd[0], self->buf, 11));
	EXPECT_TRUE(filled_from(self->buf, 11, 1, 9));
	EXPECT_EQ(20, RET(lseek(self->fd, 0, SEEK_CUR)));
	close(pipefd[0]);
	close(pipefd[1]);
}

TEST_F(file, sendfile_copies_all_into_another_file)
{
	int memfd = memfd_create("copy", MFD_CLOEXEC);
	size_t done = 0;

	ASSERT_LE(0, memfd);
	if (!sendfile_reads_devices(self->fd, memfd))
		SKIP(return, "this kernel's sendfile() takes regular files only");
	while (done < self->size) {
		long long got = RET(sendfile(memfd, self->fd, NULL,
					     5 * self->p));

		ASSERT_LT(0, got);
		done += (size_t)got;
	}
	EXPECT_EQ(self->size, done);
	EXPECT_EQ(0, RET(sendfile(memfd, self->fd, NULL, 1)));
	EXPECT_EQ((long long)self->size,
		  RET(pread(memfd, self->buf, 5 * self->p, 0)));
	EXPECT_TRUE(filled(self->buf, self->size, 1));

	/* The copy is independent. */
	fill(self->a, self->size, 5);
	EXPECT_EQ((long long)self->size,
		  RET(pread(memfd, self->buf, 5 * self->p, 0)));
	EXPECT_TRUE(filled(self->buf, self->size, 1));
	close(memfd);
}

TEST_F(file, splice_delivers_the_bytes_to_a_pipe)
{
	loff_t off = (loff_t)(3 * self->p);
	int pipefd[2];

	ASSERT_EQ(0, pipe(pipefd));
	ASSERT_EQ(100, RET(splice(self->fd, &off, pipefd[1], NULL, self->p,
				  SPLICE_F_NONBLOCK)));
	EXPECT_EQ((loff_t)self->size, off);
	EXPECT_EQ(100, drain(pipefd[0], self->buf, 100));
	EXPECT_TRUE(filled_from(self->buf, 100, 1, 3 * self->p));
	EXPECT_EQ(0, RET(splice(self->fd, &off, pipefd[1], NULL, self->p,
				SPLICE_F_NONBLOCK)));
	EXPECT_EQ(0, RET(lseek(self->fd, 0, SEEK_CUR)));

	EXPECT_EQ(30, RET(splice(self->fd, NULL, pipefd[1], NULL, 30,
				 SPLICE_F_NONBLOCK)));
	EXPECT_EQ(30, drain(pipefd[0], self->buf, 30));
	EXPECT_TRUE(filled(self->buf, 30, 1));
	EXPECT_EQ(30, RET(lseek(self->fd, 0, SEEK_CUR)));
	close(pipefd[0]);
	close(pipefd[1]);
}

/* Its pages are the region's own, until a purge takes them from there. */
TEST_F(file, pipe_keeps_the_pages_that_a_purge_takes)
{
	struct iovec iov = { .iov_base = self->a + self->p, .iov_len = self->p };
	long long p = (long long)self->p;
	int pipefd[2];

	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	ASSERT_EQ(0, pipe(pipefd));
	ASSERT_EQ(p, RET(splice(self->fd, NULL, pipefd[1], NULL, self->p, SPLICE_F_NONBLOCK)));
	ASSERT_EQ(p, RET(vmsplice(pipefd[1], &iov, 1, SPLICE_F_NONBLOCK)));
	self->a[0] = 0x77;
	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	ASSERT_EQ(4, ash_purge_all(self->fd));
	ASSERT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 0, 0));
	EXPECT_TRUE(zeroed(self->a, self->size));
	fill(self->a, self->size, 2);

	EXPECT_EQ(2 * p, drain(pipefd[0], self->buf, 2 * self->p));
	EXPECT_EQ(0x77, self->buf[0]);
	EXPECT_TRUE(filled_from(self->buf + 1, 2 * self->p - 1, 1, 1));
	EXPECT_TRUE(filled(self->a, self->size, 2));
	close(pipefd[0]);
	close(pipefd[1]);
}

TEST(splice_from_a_region_without_a_file)
{
	int fd = ash_open(O_RDWR), pipefd[2];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pipe(pipefd));
	EXPECT_EQ(0, RET(splice(fd, NULL, pipefd[1], NULL, 10,
				SPLICE_F_NONBLOCK)));
	ASSERT_EQ(0, ash_set_size(fd, page_size()));
	EXPECT_EQ(-EBADF, RET(splice(fd, NULL, pipefd[1], NULL, 10,
				     SPLICE_F_NONBLOCK)));
	close(fd);
	close(pipefd[0]);
	close(pipefd[1]);
}

/* ---- fdinfo ---- */

TEST_F(file, fdinfo_tells_inode_name_and_size)
{
	unsigned long id = 0;
	char value[512], want[32];

	ASSERT_EQ(0, ash_file_id(self->fd, &id));
	ASSERT_EQ(1, fdinfo_get(self->fd, "inode", value, sizeof(value)));
	snprintf(want, sizeof(want), "%lu", id);
	EXPECT_STREQ(want, value);
	ASSERT_EQ(1, fdinfo_get(self->fd, "name", value, sizeof(value)));
	EXPECT_STREQ("file", value);
	ASSERT_EQ(1, fdinfo_get(self->fd, "size", value, sizeof(value)));
	snprintf(want, sizeof(want), "%zu", self->size);
	EXPECT_STREQ(want, value);
}

TEST_F(file, fdinfo_tells_what_the_state_is)
{
	uint32_t p = (uint32_t)self->p;
	char value[64];

#define EXPECT_INFO(key, want) do { \
	EXPECT_EQ(1, fdinfo_get(self->fd, key, value, sizeof(value))); \
	EXPECT_STREQ(want, value); \
} while (0)
	EXPECT_INFO("prot_mask", "rwx");
	EXPECT_INFO("resident_pages", "4");
	EXPECT_INFO("unpinned_pages", "0");
	EXPECT_INFO("purgeable_pages", "0");
	ASSERT_EQ(0, ash_unpin(self->fd, p, 2 * p));
	EXPECT_INFO("unpinned_pages", "2");
	EXPECT_INFO("purgeable_pages", "2");
	if (ash_purge_all(self->fd) == 2) {
		EXPECT_INFO("resident_pages", "2");
		EXPECT_INFO("unpinned_pages", "2");
		EXPECT_INFO("purgeable_pages", "0");
	}
	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	EXPECT_INFO("prot_mask", "r--");
	ash_pin(self->fd, 0, 0);
	EXPECT_INFO("unpinned_pages", "0");
#undef EXPECT_INFO
}

TEST(fdinfo_tells_every_mask)
{
	char value[16], want[4];
	int fd, mask;

	for (mask = 0; mask <= PROT_RWX; mask++) {
		fd = ash_open(O_RDWR);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, ash_set_mask(fd, (unsigned long)mask));
		ASSERT_EQ(1, fdinfo_get(fd, "prot_mask", value, sizeof(value)));
		snprintf(want, sizeof(want), "%c%c%c", mask & PROT_READ ? 'r' : '-',
			 mask & PROT_WRITE ? 'w' : '-', mask & PROT_EXEC ? 'x' : '-');
		EXPECT_STREQ(want, value);
		close(fd);
	}
}

TEST(fdinfo_name_cannot_forge_a_line)
{
	static const char * const names[] = {
		"a\nsize:\t999\ninode:\t1\nname:\tforged",
		"a\\nsize:\t999",
		"a\\012size:\t999",
		"\nname:\tforged",
		"tab\tand\\backslash\r\x1b[0m",
	};
	int fd = ash_open(O_RDWR);
	char seen[ARRAY_SIZE(names)][1200], value[1200];
	size_t i, j;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ash_set_size(fd, 4242));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		ASSERT_EQ(0, ash_set_name(fd, names[i]));
		EXPECT_EQ(1, fdinfo_get(fd, "size", value, sizeof(value)));
		EXPECT_STREQ("4242", value);
		EXPECT_EQ(0, fdinfo_get(fd, "inode", value, sizeof(value)));
		EXPECT_EQ(1, fdinfo_get(fd, "name", seen[i], sizeof(seen[i])));
		EXPECT_NE(0, strncmp(seen[i], "forged", 6));
		for (j = 0; j < i; j++)
			EXPECT_STRNE(seen[j], seen[i]);
	}
	close(fd);
}

TEST_HARNESS_MAIN
