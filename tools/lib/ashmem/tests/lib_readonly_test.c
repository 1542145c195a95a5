// SPDX-License-Identifier: GPL-2.0-only
/*
 * Read-only descriptors: every way in which a holder could write.
 */
#include "kselftest_harness.h"
#include <sys/prctl.h>

#include "lib_both.h"

#define SIZE		(2 * page_size())

/*
 * UNPIN by a holder of @fd without a writable mapping; with one it may discard contents,
 * as the owner does. 0 if it is refused.
 */
static int unpin_by_a_reader(int fd)
{
	unsigned long start, end;
	char line[512];
	FILE *maps;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid < 0 ? 1 : wait_child(pid);
	do {
		maps = fopen("/proc/self/maps", "re");
		if (!maps)
			_exit(0);
		end = 0;
		while (fgets(line, sizeof(line), maps)) {
			if (strstr(line, "/dev/ashmem") &&
			    sscanf(line, "%lx-%lx", &start, &end) == 2)
				break;
			end = 0;
		}
		fclose(maps);
		if (end)
			munmap((void *)start, end - start);
	} while (end);
	_exit(RET(ashmem_unpin_region(fd, 0, 0)) != -EPERM);
}

/* Tries all of them on @fd; the number of the way that worked, or 0. */
static int way_to_write(int fd, bool device)
{
	char path[64], *p;
	int again;

	if (!map_errno(fd, SIZE, PROT_WRITE, MAP_SHARED, 0) ||
	    !map_errno(fd, SIZE, PROT_RW, MAP_SHARED, 0))
		return 1;
	p = ash_map(fd, SIZE, PROT_READ);
	if (p == MAP_FAILED)
		return 2;
	if (!mprotect(p, SIZE, PROT_RW))
		return 3;
	if (!touch_write(p, 1))
		return 4;
	if (!madvise(p, SIZE, MADV_REMOVE))
		return 5;
	munmap(p, SIZE);
	if (pwrite(fd, "!", 1, 0) >= 0)
		return 6;
	if (!ftruncate(fd, 1) || !ftruncate(fd, 0))
		return 7;
	if (!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) ||
	    !fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4096))
		return 8;
	if (device) {
		/* Opening the node again is another region; contents can go. */
		return unpin_by_a_reader(fd) ? 9 : 0;
	}
	/* The owner's user can open it for writing, and change its mode. */
	fchmod(fd, 01666);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR | O_CLOEXEC);
	fchmod(fd, 01644);
	if (again < 0)
		return 0;
	if (!map_errno(again, SIZE, PROT_RW, MAP_SHARED, 0))
		return 10;
	if (pwrite(again, "!", 1, 0) >= 0)
		return 11;
	if (!fallocate(again, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096))
		return 12;
	if (!ftruncate(again, 1))
		return 13;
	close(again);
	return 0;
}

TEST_F(lib, share_readonly)
{
	struct ashm *r = region_new("result", SIZE), *reader;
	unsigned char *buf = guarded(SIZE);
	int fd;

	ASSERT_NE(NULL, r);
	ASSERT_NE(NULL, buf);
	fill(buf, SIZE, 7);
	ASSERT_EQ(0, ashm_write(r, buf, SIZE, 0));
	fd = ashm_share_readonly(r);
	ASSERT_LE(0, fd);
	EXPECT_NE(ashm_fd(r), fd);
	EXPECT_TRUE(is_cloexec(fd));
	EXPECT_EQ(1, ashmem_valid(fd));
	EXPECT_EQ(PROT_READ, ashm_prot(r) & PROT_RW);
	if (!ON_DEVICE)
		EXPECT_EQ(O_RDONLY, fcntl(fd, F_GETFL) & O_ACCMODE);

	EXPECT_EQ(0, way_to_write(fd, ON_DEVICE));
	EXPECT_EQ(0, way_to_write(ashm_fd(r), ON_DEVICE));

	reader = region_adopt(fd);
	ASSERT_NE(NULL, reader);
	EXPECT_EQ(SIZE, ashm_size(reader));
	memset(buf, 0, SIZE);
	EXPECT_EQ(0, ashm_read(reader, buf, SIZE, 0));
	EXPECT_TRUE(filled(buf, SIZE, 7));
	EXPECT_EQ(NULL, region_map(reader, PROT_RW));
	EXPECT_EQ(-EACCES, ashm_write(reader, buf, 1, 0));
	ashm_close(reader);
	ashm_close(r);
}

/*
 * The owner continues, with its earlier mappings, and also if it has not written before.
 */
TEST_F(lib, owner_writes_on)
{
	int written_before;

	for (written_before = 0; written_before < 2; written_before++) {
		struct ashm *r = region_new("result", SIZE);
		unsigned char *old, *seen;
		int fd;

		ASSERT_NE(NULL, r);
		old = region_map(r, PROT_RW);
		ASSERT_NE(NULL, old);
		if (written_before)
			ASSERT_EQ(0, ashm_write(r, "a", 1, 0));
		fd = ashm_share_readonly(r);
		ASSERT_LE(0, fd);
		seen = ash_map(fd, SIZE, PROT_READ);
		ASSERT_NE(MAP_FAILED, seen);
		EXPECT_EQ(0, ashm_write(r, "b", 1, SIZE - 1));
		EXPECT_EQ('b', seen[SIZE - 1]);
		old[0] = 'c';
		EXPECT_EQ('c', seen[0]);
		errno = 0;
		EXPECT_EQ(NULL, region_map(r, PROT_RW));
		EXPECT_EQ(EACCES, errno);
		EXPECT_EQ(0, way_to_write(fd, ON_DEVICE));
		munmap(seen, SIZE);
		ashm_unmap(old, SIZE);
		close(fd);
		ashm_close(r);
	}
}

TEST_F(lib, share_twice)
{
	struct ashm *r = region_new("result", SIZE);
	int fd, again;

	ASSERT_NE(NULL, r);
	fd = ashm_share_readonly(r);
	again = ashm_share_readonly(r);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, again);
	EXPECT_NE(fd, again);
	EXPECT_EQ(0, way_to_write(again, ON_DEVICE));
	EXPECT_EQ(0, ashm_write(r, "d", 1, 0));
	ashm_close(r);
}

TEST_F(lib, in_another_process)
{
	struct ashm *r = region_new("result", SIZE);
	int pair[2], fd, got = -1, way;
	uint64_t word;
	pid_t pid;

	ASSERT_NE(NULL, r);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	/* Before there is anything to inherit. */
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		ashm_close(r);
		CHILD_CHECK(!recv_fds(pair[1], &word, &got, 1));
		way = way_to_write(got, ON_DEVICE);
		if (way)
			fprintf(stderr, "# written in way %d\n", way);
		CHILD_CHECK(!way);
		/* Another user, who can't change the mode either. */
		if (!geteuid())
			CHILD_CHECK(!setuid(65534));
		CHILD_CHECK(!way_to_write(got, ON_DEVICE));
		_exit(0);
	}
	fd = ashm_share_readonly(r);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, send_fds(pair[0], 1, &fd, 1));
	EXPECT_EQ(0, wait_child(pid));
	ashm_close(r);
}

/* Before it is shared, other users can't open a memfd for writing. */
TEST_F(lib, other_users)
{
	struct ashm *r;
	char path[64];
	pid_t pid;
	int fd;

	if (geteuid())
		SKIP(return, "only root has other users");
	r = region_new("private", SIZE);
	ASSERT_NE(NULL, r);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ashm_fd(r));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		CHILD_CHECK(!setuid(65534));
		/* Changing the user closed /proc/self to ourselves. */
		CHILD_CHECK(!prctl(PR_SET_DUMPABLE, 1));
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (!ON_DEVICE)
			CHILD_CHECK(open(path, O_RDWR) < 0 && errno == EACCES);
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	ashm_close(r);
}

TEST_F(lib, without_proc)
{
	struct ashm *r;
	char dir[32];
	int fd;

	if (geteuid())
		SKIP(return, "chroot() needs root");
	r = region_new("result", SIZE);
	ASSERT_NE(NULL, r);
	ASSERT_EQ(0, enter_empty_root(dir, sizeof(dir)));
	fd = ashm_share_readonly(r);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(is_cloexec(fd));
	EXPECT_EQ(0, way_to_write(fd, ON_DEVICE));
	EXPECT_EQ(0, ashm_write(r, "e", 1, 0));
	ashm_close(r);
}

/* For the end of a lease open() waits 45 seconds, and a peer can take the next. */
TEST_F_TIMEOUT(lib, beside_a_lease, 20)
{
	struct ashm *r = region_new("lease", SIZE);
	char path[64];
	pid_t pid;
	int fd;

	ASSERT_NE(NULL, r);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ashm_fd(r));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (ON_DEVICE || fcntl(fd, F_SETLEASE, F_WRLCK))
		SKIP(return, "no leases here");
	/* The holder is told by SIGIO, and doesn't give it up. */
	signal(SIGIO, SIG_IGN);
	pid = fork();
	if (!pid)
		_exit(ashm_share_readonly(r) < 0);
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(PROT_READ, ashm_prot(r) & PROT_RW);
	close(fd);
	ashm_close(r);
}

TEST_F(lib, refused_without_effect)
{
	struct ashm *r = region_new("result", SIZE);
	int before;

	ASSERT_NE(NULL, r);
	before = ashm_prot(r);
	ASSERT_EQ(0, limit_fds((rlim_t)ashm_fd(r) + 1));
	EXPECT_EQ(-EMFILE, ashm_share_readonly(r));
	EXPECT_EQ(before, ashm_prot(r));
	ASSERT_EQ(0, limit_fds(1024));
	EXPECT_NE(NULL, region_map(r, PROT_RW));
	ashm_close(r);
}

TEST_F(lib, protect)
{
	struct ashm *r = region_new("result", SIZE);
	int fd, written_before = 0;

	for (; written_before < 2; written_before++) {
		ASSERT_NE(NULL, r);
		if (written_before)
			ASSERT_EQ(0, ashm_write(r, "a", 1, 0));
		EXPECT_EQ(0, ashm_protect(r, PROT_RW));
		EXPECT_EQ(PROT_RW, ashm_prot(r) & PROT_RW);
		EXPECT_EQ(0, ashm_write(r, "a", 1, 0));
		EXPECT_EQ(-EINVAL, ashm_protect(r, 0x10));
		EXPECT_EQ(0, ashm_write(r, "a", 1, 0));

		EXPECT_EQ(0, ashm_protect(r, PROT_READ));
		EXPECT_EQ(PROT_READ, ashm_prot(r) & PROT_RW);
		EXPECT_EQ(-EINVAL, ashm_protect(r, PROT_RW));
		EXPECT_EQ(-EACCES, ashm_write(r, "a", 1, 0));
		fd = ashm_share_readonly(r);
		ASSERT_LE(0, fd);
		EXPECT_EQ(-EACCES, ashm_write(r, "a", 1, 0));
		EXPECT_EQ(0, way_to_write(fd, ON_DEVICE));
		close(fd);
		ashm_close(r);
		r = region_new("result", SIZE);
	}
	ashm_close(r);
}

/* Masked by another holder behind the object's back. */
TEST_F(lib, masked_elsewhere)
{
	struct ashm *r = region_new("result", SIZE);

	ASSERT_NE(NULL, r);
	ASSERT_EQ(0, ashmem_set_prot_region(ashm_fd(r), PROT_READ));
	EXPECT_EQ(-EACCES, ashm_write(r, "a", 1, 0));
	EXPECT_EQ(PROT_READ, ashm_prot(r) & PROT_RW);
	ashm_close(r);
}

TEST_HARNESS_MAIN
