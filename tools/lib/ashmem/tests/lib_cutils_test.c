// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interfaces of libcutils and the NDK.
 */
#include "kselftest_harness.h"
#include "lib_both.h"

#define GIB	(1024ULL * 1024 * 1024)

TEST_F(lib, create)
{
	int fd = ashmem_create_region("thumbnails", 3 * page_size());
	struct maps_line m;
	char *p;

	ASSERT_LE(0, fd);
	EXPECT_TRUE(is_cloexec(fd));
	EXPECT_EQ(1, ashmem_valid(fd));
	EXPECT_EQ(variant->backend, ashm_backend_of(fd));
	EXPECT_EQ((int)(3 * page_size()), ashmem_get_size_region(fd));
	EXPECT_EQ(3 * page_size(), ASharedMemory_getSize(fd));

	p = ash_map(fd, 3 * page_size(), PROT_RW);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(zeroed(p, 3 * page_size()));
	ASSERT_TRUE(maps_find(0, p, &m));
	EXPECT_STREQ(ON_DEVICE ? "/dev/ashmem/thumbnails (deleted)" :
				 "/memfd:ashmem/thumbnails (deleted)", m.path);
	fill(p, 3 * page_size(), 1);
	EXPECT_EQ(0, close(fd));
	EXPECT_TRUE(filled(p, 3 * page_size(), 1));
	EXPECT_EQ(0, munmap(p, 3 * page_size()));
}

TEST_F(lib, create_for_execution)
{
	int fd = ashmem_create_region("code", page_size());

	ASSERT_LE(0, fd);
	if (ON_DEVICE && device_noexec())
		SKIP(return, "/dev is mounted noexec");
	EXPECT_EQ(0, map_errno(fd, page_size(), PROT_RWX, MAP_SHARED, 0));
}

TEST_F(lib, names)
{
	char name[300], expected[300];
	struct maps_line m;
	void *p;
	int fd;
	unsigned int i;
	const char * const names[] = { NULL, "", name, "with/slash and blank", "%s%n" };

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		fd = ashmem_create_region(names[i], page_size());
		ASSERT_LE(0, fd);
		p = ash_map(fd, page_size(), PROT_READ);
		ASSERT_NE(MAP_FAILED, p);
		ASSERT_TRUE(maps_find(0, p, &m));
		snprintf(expected, sizeof(expected), "%s%s%.*s (deleted)",
			 ON_DEVICE ? "/dev/ashmem" : "/memfd:ashmem",
			 names[i] && *names[i] ? "/" : "", NAME_MAX_LEN,
			 names[i] ? names[i] : "");
		EXPECT_STREQ(expected, m.path);
		munmap(p, page_size());
		close(fd);
	}
}

TEST_F(lib, sizes)
{
	size_t sizes[] = { 0, 1, page_size() - 1, page_size() + 1, 1 << 20 };
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fd = ashmem_create_region("size", sizes[i]);
		ASSERT_LE(0, fd);
		EXPECT_EQ(1, ashmem_valid(fd));
		EXPECT_EQ((int)sizes[i], ashmem_get_size_region(fd));
		EXPECT_EQ(sizes[i], ASharedMemory_getSize(fd));
		close(fd);
	}
}

TEST_F(lib, size_is_final)
{
	int fd = ashmem_create_region("final", page_size());

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, map_errno(fd, page_size(), PROT_RW, MAP_SHARED, 0));
	if (ON_DEVICE)
		EXPECT_EQ(-EINVAL, ash_set_size(fd, 2 * page_size()));
	EXPECT_NE(0, ftruncate(fd, 2 * (off_t)page_size()));
	EXPECT_NE(0, ftruncate(fd, 0));
	EXPECT_EQ((int)page_size(), ashmem_get_size_region(fd));
}

/* Sizes whose lower 32 bits are negative, look like an errno, or are small. */
static const unsigned long long big_sizes[] = {
	2 * GIB - 1, 2 * GIB, 3 * GIB + 1, 4 * GIB - 1, 4 * GIB - 9,
	4 * GIB - 4096, 4 * GIB, 4 * GIB + 1, 5 * GIB + 4096, 13 * GIB - 1,
};

/* A 32-bit kernel can't round the last sizes below 4 GiB up to pages, and maps none. */
static bool maps(int fd, size_t size)
{
	int err = map_errno(fd, page_size(), PROT_READ, MAP_SHARED | MAP_NORESERVE, 0);

	return !err || (err == -EINVAL && size > SIZE_MAX - page_size() + 1);
}

TEST_F(lib, sizes_over_2_gib)
{
	unsigned int i, mapped;
	int fd;

	for (i = 0; i < ARRAY_SIZE(big_sizes); i++) {
		size_t size = (size_t)big_sizes[i];

		if (size != big_sizes[i])
			continue;
		fd = ASharedMemory_create("big", size);
		ASSERT_LE(0, fd);
		for (mapped = 0; mapped < 2; mapped++) {
			EXPECT_EQ(size, ASharedMemory_getSize(fd));
			if (size <= INT_MAX) {
				EXPECT_EQ((int)size, ashmem_get_size_region(fd));
			} else {
				EXPECT_EQ(-EOVERFLOW,
					  RET(ashmem_get_size_region(fd)));
			}
			ASSERT_TRUE(maps(fd, size));
		}
		close(fd);
	}
}

TEST_F(lib, size_moves_no_position)
{
	int fd = ashmem_create_region("position", 5 * page_size());

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, map_errno(fd, page_size(), PROT_RW, MAP_SHARED, 0));
	ASSERT_EQ(17, lseek(fd, 17, SEEK_SET));
	EXPECT_EQ((int)(5 * page_size()), ashmem_get_size_region(fd));
	EXPECT_EQ(5 * page_size(), ASharedMemory_getSize(fd));
	EXPECT_EQ(17, lseek(fd, 0, SEEK_CUR));
}

TEST_F(lib, sizes_without_proc)
{
	int fds[ARRAY_SIZE(big_sizes)];
	off_t at[ARRAY_SIZE(big_sizes)];
	unsigned int i;
	char dir[32];

	if (geteuid())
		SKIP(return, "chroot() needs root");
	for (i = 0; i < ARRAY_SIZE(big_sizes); i++) {
		if ((size_t)big_sizes[i] != big_sizes[i])
			break;
		fds[i] = ashmem_create_region("big", (size_t)big_sizes[i]);
		ASSERT_LE(0, fds[i]);
		ASSERT_TRUE(maps(fds[i], (size_t)big_sizes[i]));
		/* A region that isn't mapped has no position. */
		at[i] = lseek(fds[i], 33, SEEK_SET);
		ASSERT_TRUE(at[i] == 33 || (size_t)big_sizes[i] > SIZE_MAX - page_size() + 1);
	}
	ASSERT_EQ(0, enter_empty_root(dir, sizeof(dir)));
	while (i--) {
		EXPECT_EQ(1, ashmem_valid(fds[i]));
		EXPECT_EQ((size_t)big_sizes[i], ASharedMemory_getSize(fds[i]));
		EXPECT_EQ(at[i], lseek(fds[i], 0, SEEK_CUR));
	}
}

/* ---- what is a region, and what isn't ---- */

struct foreign {
	const char *what;
	int fd;
};

static int raw_memfd(unsigned int flags)
{
	int fd = (int)syscall(SYS_memfd_create, "ashmem/foreign", flags);

	if (fd >= 0 && ftruncate(fd, (off_t)page_size()))
		return -1;
	return fd;
}

#define FOREIGN		11

static void open_foreign(struct foreign *f)
{
	int pair[2] = { -1, -1 }, i;

	f[0].what = "memfd";
	f[0].fd = raw_memfd(MFD_CLOEXEC);
	f[1].what = "memfd of fixed size";
	f[1].fd = raw_memfd(MFD_ALLOW_SEALING);
	fcntl(f[1].fd, F_ADD_SEALS, SIZE_SEALS);
	f[2].what = "memfd of our mode";
	f[2].fd = raw_memfd(MFD_ALLOW_SEALING);
	fchmod(f[2].fd, 01644);
	f[3].what = "memfd of our mode, half sealed";
	f[3].fd = raw_memfd(MFD_ALLOW_SEALING);
	fchmod(f[3].fd, 01644);
	fcntl(f[3].fd, F_ADD_SEALS, F_SEAL_SHRINK);
	f[4].what = "file";
	f[4].fd = open(".", O_TMPFILE | O_RDWR, 0600);
	fchmod(f[4].fd, 01644);
	f[5].what = "/dev/zero";
	f[5].fd = open("/dev/zero", O_RDWR);
	f[6].what = "/dev/null, without access";
	f[6].fd = open("/dev/null", O_PATH);
	f[7].what = "directory";
	f[7].fd = open("/", O_RDONLY);
	if (pipe(pair))
		fprintf(stderr, "# no pipe: errno %d\n", errno);
	f[8].what = "pipe";
	f[8].fd = pair[0];
	f[9].what = "pipe";
	f[9].fd = pair[1];
	/* Any user can make one, but none can open it. */
	f[10].what = "whiteout of an overlay";
	if (mknod("whiteout", S_IFCHR | 0666, 0))
		fprintf(stderr, "# no whiteout: errno %d\n", errno);
	f[10].fd = open(access("whiteout", F_OK) ? "/dev/null" : "whiteout", O_PATH);
	unlink("whiteout");
	for (i = 0; i < FOREIGN; i++)
		if (f[i].fd < 0)
			fprintf(stderr, "# no %s: errno %d\n", f[i].what, errno);
}

TEST_F(lib, valid_foreign)
{
	struct foreign f[FOREIGN];
	int i, own = ashmem_create_region("own", page_size());

	ASSERT_LE(0, own);
	open_foreign(f);
	for (i = 0; i < FOREIGN; i++) {
		ASSERT_LE(0, f[i].fd);
		errno = 0;
		EXPECT_EQ(0, ashmem_valid(f[i].fd))
			TH_LOG("%s", f[i].what);
		EXPECT_EQ(ENOTTY, errno)
			TH_LOG("%s", f[i].what);
		EXPECT_EQ(-ENOTTY, ashm_backend_of(f[i].fd));
	}
	errno = 0;
	EXPECT_EQ(0, ashmem_valid(-1));
	EXPECT_EQ(EBADF, errno);
	close(own);
	errno = 0;
	EXPECT_EQ(0, ashmem_valid(own));
	EXPECT_EQ(EBADF, errno);
}

TEST_F(lib, valid_path_only)
{
	char path[64];
	int fd, by_path;

	fd = ashmem_create_region("path", page_size());
	ASSERT_LE(0, fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	by_path = open(path, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, by_path);
	EXPECT_EQ(0, ashmem_valid(by_path));
	EXPECT_EQ(-ENOTTY, ashm_backend_of(by_path));
	EXPECT_EQ(-ENOTTY, RET(ashmem_get_size_region(by_path)));
	EXPECT_EQ(0, ASharedMemory_getSize(by_path));
}

TEST_F(lib, calls_on_foreign)
{
	struct foreign f[FOREIGN];
	int i, seals;

	open_foreign(f);
	for (i = 0; i < FOREIGN; i++) {
		ASSERT_LE(0, f[i].fd);
		seals = fcntl(f[i].fd, F_GET_SEALS);
		EXPECT_EQ(-ENOTTY, RET(ashmem_set_prot_region(f[i].fd, PROT_READ)));
		EXPECT_EQ(-ENOTTY, RET(ashmem_pin_region(f[i].fd, 0, 0)));
		EXPECT_EQ(-ENOTTY, RET(ashmem_unpin_region(f[i].fd, 0, 0)));
		EXPECT_EQ(-ENOTTY, RET(ashmem_get_size_region(f[i].fd)));
		EXPECT_EQ(-ENOTTY, RET(ASharedMemory_setProt(f[i].fd, PROT_READ)));
		errno = 0;
		EXPECT_EQ(0, ASharedMemory_getSize(f[i].fd));
		EXPECT_EQ(ENOTTY, errno);
		EXPECT_EQ(seals, fcntl(f[i].fd, F_GET_SEALS));
	}
	EXPECT_EQ(-EBADF, RET(ashmem_set_prot_region(-1, PROT_READ)));
	EXPECT_EQ(-EBADF, RET(ashmem_pin_region(-1, 0, 0)));
	EXPECT_EQ(-EBADF, RET(ashmem_unpin_region(-1, 0, 0)));
	EXPECT_EQ(-EBADF, RET(ashmem_get_size_region(-1)));
	EXPECT_EQ(0, ASharedMemory_getSize(-1));
}

/* The descriptor counts, not the backend of this process. */
TEST_F(lib, valid_from_elsewhere)
{
	int pair[2], fd = -1, own;
	uint64_t word;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		own = ashmem_create_region("passed on", 7 * page_size());
		CHILD_CHECK(own >= 0);
		CHILD_CHECK(!send_fds(pair[1], 1, &own, 1));
		_exit(0);
	}
	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "memfd", 1));
	ASSERT_EQ(0, recv_fds(pair[0], &word, &fd, 1));
	ASSERT_EQ(0, wait_child(pid));
	EXPECT_EQ(1, ashmem_valid(fd));
	EXPECT_EQ(variant->backend, ashm_backend_of(fd));
	EXPECT_EQ((int)(7 * page_size()), ashmem_get_size_region(fd));
	EXPECT_EQ(0, ashmem_set_prot_region(fd, PROT_READ));
	EXPECT_EQ(-EPERM, map_errno(fd, page_size(), PROT_RW, MAP_SHARED, 0));
}

/* ---- rights ---- */

TEST_F(lib, set_prot)
{
	int fd = ashmem_create_region("mask", page_size());
	char *old, *p;

	ASSERT_LE(0, fd);
	old = ash_map(fd, page_size(), PROT_RW);
	ASSERT_NE(MAP_FAILED, old);

	EXPECT_EQ(0, ashmem_set_prot_region(fd, PROT_RW));
	EXPECT_EQ(0, map_errno(fd, page_size(), PROT_RW, MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL, RET(ashmem_set_prot_region(fd, PROT_RWX + 1)));
	EXPECT_EQ(-EINVAL, RET(ashmem_set_prot_region(fd, -1)));
	EXPECT_EQ(0, map_errno(fd, page_size(), PROT_RW, MAP_SHARED, 0));

	EXPECT_EQ(0, ASharedMemory_setProt(fd, PROT_READ));
	EXPECT_EQ(-EPERM, map_errno(fd, page_size(), PROT_RW, MAP_SHARED, 0));
	EXPECT_EQ(-EPERM, map_errno(fd, page_size(), PROT_WRITE, MAP_SHARED, 0));
	p = ash_map(fd, page_size(), PROT_READ);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(-EACCES, RET(mprotect(p, page_size(), PROT_RW)));
	fill(old, page_size(), 5);
	EXPECT_TRUE(filled(p, page_size(), 5));

	/* No right comes back, and repeating the same mask succeeds. */
	EXPECT_EQ(-EINVAL, RET(ashmem_set_prot_region(fd, PROT_RW)));
	EXPECT_EQ(-EINVAL, RET(ashmem_set_prot_region(fd, PROT_WRITE)));
	EXPECT_EQ(0, ashmem_set_prot_region(fd, PROT_READ));
	EXPECT_EQ(0, ashmem_set_prot_region(fd, PROT_NONE));
	EXPECT_EQ(-EPERM, map_errno(fd, page_size(), PROT_RW, MAP_SHARED, 0));
	EXPECT_EQ(ON_DEVICE ? -EPERM : 0,
		  map_errno(fd, page_size(), PROT_READ, MAP_SHARED, 0));
}

/* ---- pins ---- */

TEST_F(lib, pin_and_unpin)
{
	int fd = ashmem_create_region("pins", 4 * page_size());
	char *p;

	ASSERT_LE(0, fd);
	p = ash_map(fd, 4 * page_size(), PROT_RW);
	ASSERT_NE(MAP_FAILED, p);
	fill(p, 4 * page_size(), 9);
	EXPECT_EQ(0, ashmem_unpin_region(fd, 0, 0));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ashmem_pin_region(fd, 0, 0));
	EXPECT_EQ(0, ashmem_unpin_region(fd, page_size(), page_size()));
	EXPECT_EQ(0, ashmem_unpin_region(fd, page_size(), 3 * page_size()));
	if (ON_DEVICE)
		EXPECT_EQ(ASHMEM_IS_UNPINNED, ash_pin_status(fd, 0, 0));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ashmem_pin_region(fd, page_size(), 0));
	if (ON_DEVICE)
		EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(fd, 0, 0));
	EXPECT_TRUE(filled(p, 4 * page_size(), 9));
}

TEST_F(lib, pin_what_is_not_there)
{
	size_t page = page_size();
	struct { size_t offset, len; } bad[] = {
		{ 1, page }, { page, 1 }, { 3 * page, page }, { 0, 4 * page },
		{ 4 * page, 0 }, { -page, page },
		{ -page, 2 * page }, { page, -page }, { SIZE_MAX, 0 },
		{ 0, SIZE_MAX },
#if SIZE_MAX > UINT32_MAX
		/* Their lower 32 bits alone would be valid. */
		{ 4 * GIB, page }, { 0, 4 * GIB }, { page, 4 * GIB + page },
		{ 4 * GIB, 0 },
#endif
	};
	int fd = ashmem_create_region("pins", 2 * page + 1);
	unsigned int i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, map_errno(fd, page, PROT_RW, MAP_SHARED, 0));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, RET(ashmem_unpin_region(fd, bad[i].offset,
							   bad[i].len)))
			TH_LOG("unpin %zx %zx", bad[i].offset, bad[i].len);
		EXPECT_EQ(-EINVAL, RET(ashmem_pin_region(fd, bad[i].offset,
							 bad[i].len)))
			TH_LOG("pin %zx %zx", bad[i].offset, bad[i].len);
	}
	if (ON_DEVICE)
		EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(fd, 0, 0));
	EXPECT_EQ(0, ashmem_unpin_region(fd, 2 * page, page));
	EXPECT_EQ(0, ashmem_pin_region(fd, 2 * page, 0));
	/* An empty interval at the end is valid. */
	EXPECT_EQ(0, ashmem_unpin_region(fd, 3 * page, 0));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ashmem_pin_region(fd, 3 * page, 0));
	if (ON_DEVICE)
		EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(fd, 0, 0));
}

TEST_F(lib, purge)
{
	int fd = ashmem_create_region("purged", 4 * page_size());
	char *p;

	ASSERT_LE(0, fd);
	p = ash_map(fd, 4 * page_size(), PROT_RW);
	ASSERT_NE(MAP_FAILED, p);
	fill(p, 4 * page_size(), 3);
	ASSERT_EQ(0, ashmem_unpin_region(fd, page_size(), 2 * page_size()));
	if (!ON_DEVICE) {
		EXPECT_EQ(ASHMEM_NOT_PURGED, ashmem_pin_region(fd, 0, 0));
		EXPECT_TRUE(filled(p, 4 * page_size(), 3));
		return;
	}
	if (!purge_works())
		SKIP(return, "purging needs root");
	EXPECT_EQ(ASHMEM_WAS_PURGED, ashmem_pin_region(fd, 0, 0));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ashmem_pin_region(fd, 0, 0));
	EXPECT_TRUE(filled(p, page_size(), 3));
	EXPECT_TRUE(zeroed(p + page_size(), 2 * page_size()));
	EXPECT_TRUE(filled_from(p + 3 * page_size(), page_size(), 3,
				3 * page_size()));
}

/* ---- failures ---- */

TEST_F(lib, ndk_refuses_no_size)
{
	errno = 0;
	EXPECT_EQ(-EINVAL, ASharedMemory_create("none", 0));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(lib, no_descriptor_left)
{
	int fd, before = count_fds();

	fd = ashmem_create_region("first", 1);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, limit_fds((rlim_t)fd + 1));
	EXPECT_EQ(-EMFILE, RET(ashmem_create_region("more", 1)));
	EXPECT_EQ(-EMFILE, RET(ASharedMemory_create("more", 1)));
	ASSERT_EQ(0, limit_fds(1024));
	close(fd);
	EXPECT_EQ(before, count_fds());
}

TEST_F(lib, nothing_leaks)
{
	struct foreign f[FOREIGN];
	int i, fd, before;

	open_foreign(f);
	before = count_fds();
	for (i = 0; i < 50; i++) {
		fd = ashmem_create_region("leak", page_size());
		ASSERT_LE(0, fd);
		ashmem_valid(fd);
		ASharedMemory_getSize(fd);
		ashmem_valid(f[i % FOREIGN].fd);
		ashmem_pin_region(f[i % FOREIGN].fd, 0, 0);
		close(fd);
#if SIZE_MAX > UINT32_MAX
		if (!ON_DEVICE)
			EXPECT_EQ(-1, ashmem_create_region("too big", SIZE_MAX));
#endif
	}
	EXPECT_EQ(before, count_fds());
}

TEST_HARNESS_MAIN
