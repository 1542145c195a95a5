// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions as objects: life, contents, purging.
 */
#include "kselftest_harness.h"
#include "lib_both.h"

#include <sys/resource.h>

#define CHECK_LOST(r) do { \
	char __byte = 0x5a; \
	EXPECT_EQ(-ENODATA, ashm_read(r, &__byte, 1, 0)); \
	EXPECT_EQ(0x5a, __byte); \
	EXPECT_EQ(-ENODATA, ashm_write(r, &__byte, 1, 0)); \
} while (0)

TEST_F(lib, life)
{
	int before = count_fds();
	struct ashm *r = region_new("life", 2 * page_size() + 5);
	char name[ASHMEM_NAME_LEN];
	char *p;

	ASSERT_NE(NULL, r);
	EXPECT_TRUE(is_cloexec(ashm_fd(r)));
	EXPECT_EQ(1, ashmem_valid(ashm_fd(r)));
	EXPECT_EQ(variant->backend, ashm_backend_of(ashm_fd(r)));
	EXPECT_EQ(2 * page_size() + 5, ashm_size(r));
	EXPECT_EQ(0, ashm_name(r, name, sizeof(name)));
	EXPECT_STREQ("life", name);
	EXPECT_EQ(PROT_RWX, ashm_prot(r));
	EXPECT_EQ(1, ashm_pinned(r));

	p = region_map(r, PROT_RW);
	ASSERT_NE(NULL, p);
	fill(p, 2 * page_size() + 5, 1);
	errno = 123;
	ashm_close(r);
	ashm_close(NULL);
	EXPECT_EQ(123, errno);
	EXPECT_TRUE(filled(p, 2 * page_size() + 5, 1));
	EXPECT_EQ(0, ashm_unmap(p, 2 * page_size() + 5));
	EXPECT_EQ(before, count_fds());
}

/* What a program, that has closed all descriptors, opens in the place of a region's. */
TEST_F(lib, number_of_another_file)
{
	struct ashm *r = region_new("number", page_size());
	int number, file = memfd_create("file", 0);

	ASSERT_NE(NULL, r);
	number = ashm_fd(r);
	ASSERT_EQ(number, dup2(file, number));
	ashm_close(r);
	EXPECT_EQ(0, fcntl(number, F_GETFD));
	close(number);
	close(file);
}

TEST_F(lib, number_of_another_region)
{
	struct ashm *r = region_new("old", page_size()), *other = region_new("new", page_size());
	int number;

	ASSERT_NE(NULL, r);
	ASSERT_NE(NULL, other);
	number = ashm_fd(r);
	ASSERT_EQ(number, dup2(ashm_fd(other), number));
	ashm_close(r);
	EXPECT_EQ(0, fcntl(number, F_GETFD));
	close(number);
	ashm_close(other);
}

TEST_F(lib, create_refused)
{
	int before = count_fds();

	errno = 0;
	EXPECT_EQ(NULL, region_new("empty", 0));
	EXPECT_EQ(EINVAL, errno);
#if SIZE_MAX > UINT32_MAX
	errno = 0;
	EXPECT_EQ(NULL, region_new("huge", SIZE_MAX));
	EXPECT_NE(0, errno);
#endif
	EXPECT_EQ(before, count_fds());
}

/* ulimit -f: the kernel sends a signal that ends the program. */
TEST_F(lib, create_above_the_limit)
{
	struct rlimit limit = { page_size(), RLIM_INFINITY };
	struct ashm *r;
	pid_t pid;

	if (ON_DEVICE)
		SKIP(return, "regions of the device have no such limit");
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		CHILD_CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
		CHILD_CHECK(!ashm_create("x", page_size(), &r));
		CHILD_CHECK(ashm_create("x", page_size() + 1, &r) == -EFBIG);
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
}

TEST_F(lib, names)
{
	char name[300], got[300];
	struct ashm *r;

	memset(name, 'x', sizeof(name));
	name[299] = '\0';
	r = region_new(name, 1);
	ASSERT_NE(NULL, r);
	EXPECT_EQ(0, ashm_name(r, got, ASHMEM_NAME_LEN));
	EXPECT_EQ((size_t)NAME_MAX_LEN, strlen(got));
	EXPECT_EQ(0, strncmp(got, name, (size_t)NAME_MAX_LEN));
	memset(got, 0xcc, sizeof(got));
	EXPECT_EQ(-ERANGE, ashm_name(r, got, (size_t)NAME_MAX_LEN));
	EXPECT_EQ(-ERANGE, ashm_name(r, got, 0));
	EXPECT_TRUE(all_bytes(got, sizeof(got), 0xcc));
	ashm_close(r);

	r = region_new(NULL, 1);
	ASSERT_NE(NULL, r);
	EXPECT_EQ(0, ashm_name(r, got, 1));
	EXPECT_STREQ("", got);
	ashm_close(r);

	r = region_new("a (deleted)", 1);
	ASSERT_NE(NULL, r);
	EXPECT_EQ(0, ashm_name(r, got, sizeof(got)));
	EXPECT_STREQ("a (deleted)", got);
	ashm_close(r);
}

TEST_F(lib, adopt)
{
	struct ashm *a, *b;
	char name[ASHMEM_NAME_LEN];
	int copy;

	a = region_new("shared", 3 * page_size());
	ASSERT_NE(NULL, a);
	copy = fcntl(ashm_fd(a), F_DUPFD_CLOEXEC, 0);
	b = region_adopt(copy);
	ASSERT_NE(NULL, b);
	EXPECT_EQ(copy, ashm_fd(b));
	EXPECT_EQ(3 * page_size(), ashm_size(b));
	EXPECT_EQ(0, ashm_name(b, name, sizeof(name)));
	EXPECT_STREQ("shared", name);
	EXPECT_EQ(0, ashm_write(a, "hello", 6, page_size() - 3));
	EXPECT_EQ(0, ashm_read(b, name, 6, page_size() - 3));
	EXPECT_STREQ("hello", name);
	ashm_close(a);
	EXPECT_EQ(0, ashm_write(b, "world", 6, 0));
	ashm_close(b);
	EXPECT_EQ(-EBADF, RET(fcntl(copy, F_GETFD)));
}

TEST_F(lib, adopt_makes_final)
{
	int fd = ashmem_create_region("early", page_size());
	struct ashm *r;

	ASSERT_LE(0, fd);
	r = region_adopt(fd);
	ASSERT_NE(NULL, r);
	if (ON_DEVICE) {
		EXPECT_EQ(-EINVAL, ash_set_size(fd, 5 * page_size()));
		EXPECT_EQ(-EINVAL, ash_set_name(fd, "late"));
	}
	EXPECT_EQ(page_size(), ashm_size(r));
	ashm_close(r);
}

TEST_F(lib, adopt_refused)
{
	int fd;

	fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	errno = 0;
	EXPECT_EQ(NULL, region_adopt(fd));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_TRUE(is_cloexec(fd));
	close(fd);
	errno = 0;
	EXPECT_EQ(NULL, region_adopt(fd));
	EXPECT_EQ(EBADF, errno);

	/* An empty region has nothing to be mapped. */
	fd = ashmem_create_region("empty", 0);
	ASSERT_LE(0, fd);
	errno = 0;
	EXPECT_EQ(NULL, region_adopt(fd));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_TRUE(is_cloexec(fd));
}

TEST_F(lib, map)
{
	struct ashm *r = region_new("map", 2 * page_size() + 1);
	char *rw, *ro, *part;

	ASSERT_NE(NULL, r);
	rw = region_map(r, PROT_RW);
	ro = region_map(r, PROT_READ);
	part = region_map_range(r, PROT_READ, page_size(), 2 * page_size());
	ASSERT_NE(NULL, rw);
	ASSERT_NE(NULL, ro);
	ASSERT_NE(NULL, part);
	fill(rw, 2 * page_size() + 1, 2);
	EXPECT_TRUE(filled(ro, 2 * page_size() + 1, 2));
	EXPECT_TRUE(filled_from(part, page_size() + 1, 2, page_size()));
	EXPECT_EQ(SIGSEGV, touch_write(ro, 1));
	/* The rest of the last page exists, too. */
	EXPECT_EQ(0, touch_read(part + 2 * page_size() - 1));
	ashm_close(r);
}

TEST_F(lib, map_refused)
{
	size_t page = page_size();
	struct ashm *r = region_new("map", 2 * page + 1);
	struct { int prot; uint64_t offset; size_t len; int error; } bad[] = {
		{ PROT_READ, 0, 0, EINVAL },
		{ PROT_READ, 1, page, EINVAL },
		{ 8, 0, page, EINVAL },
		{ -1, 0, page, EINVAL },
		{ PROT_READ, 0, 3 * page + 1, ERANGE },
		{ PROT_READ, 0, SIZE_MAX, ERANGE },
		{ PROT_READ, page, 2 * page + 1, ERANGE },
		{ PROT_READ, 3 * page, 1, ERANGE },
		{ PROT_READ, -(uint64_t)page, page, ERANGE },
		{ PROT_READ, -(uint64_t)page, 2 * page, ERANGE },
		{ PROT_READ, 1ULL << 32, page, ERANGE },
	};
	unsigned int i;

	ASSERT_NE(NULL, r);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		errno = 0;
		EXPECT_EQ(NULL, region_map_range(r, bad[i].prot, bad[i].offset,
						 bad[i].len));
		EXPECT_EQ(bad[i].error, errno)
			TH_LOG("case %u", i);
	}
	ashm_close(r);
}

/* ---- reading and writing ---- */

TEST_F(lib, read_and_write)
{
	size_t size = 3 * page_size() + 7, step;
	struct ashm *r = region_new("copy", size);
	unsigned char *buf = guarded(size), *p;

	ASSERT_NE(NULL, r);
	ASSERT_NE(NULL, buf);
	p = region_map(r, PROT_READ);
	ASSERT_NE(NULL, p);
	fill(buf, size, 4);
	EXPECT_EQ(0, ashm_write(r, buf, size, 0));
	EXPECT_TRUE(filled(p, size, 4));
	memset(buf, 0, size);
	EXPECT_EQ(0, ashm_read(r, buf, size, 0));
	EXPECT_TRUE(filled(buf, size, 4));

	/* In pieces that fit no page. */
	for (step = 0; step < size; step += 1000) {
		size_t len = size - step < 1000 ? size - step : 1000;

		memset(buf + size - len, 0xcc, len);
		ASSERT_EQ(0, ashm_read(r, buf + size - len, len, step));
		ASSERT_TRUE(filled_from(buf + size - len, len, 4, step));
	}
	EXPECT_EQ(0, ashm_write(r, "\xee", 1, size - 1));
	EXPECT_EQ(0xee, p[size - 1]);
	EXPECT_TRUE(filled(p, size - 1, 4));
	EXPECT_EQ(0, ashm_read(r, NULL, 0, size));
	EXPECT_EQ(0, ashm_write(r, NULL, 0, size));
	ashm_close(r);
}

TEST_F(lib, copy_beyond_the_end)
{
	size_t size = page_size() + 100;
	struct ashm *r = region_new("bounds", size);
	struct { uint64_t offset; size_t len; } bad[] = {
		{ size, 1 }, { 0, size + 1 }, { size - 1, 2 }, { 1, size },
		{ size + 1, 0 }, { 0, SIZE_MAX }, { 1, SIZE_MAX },
		{ UINT64_MAX, 1 }, { UINT64_MAX, 2 }, { UINT64_MAX - 9, 11 },
		{ 1ULL << 63, 1 }, { 1ULL << 32, 1 }, { UINT64_MAX, SIZE_MAX },
	};
	unsigned char *buf = guarded(size + 8), *p;
	unsigned int i;

	ASSERT_NE(NULL, r);
	ASSERT_NE(NULL, buf);
	p = region_map(r, PROT_READ);
	ASSERT_NE(NULL, p);
	memset(buf, 0xcc, size + 8);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-ERANGE, ashm_read(r, buf, bad[i].len, bad[i].offset))
			TH_LOG("case %u", i);
		EXPECT_EQ(-ERANGE, ashm_write(r, buf, bad[i].len, bad[i].offset))
			TH_LOG("case %u", i);
	}
	EXPECT_TRUE(all_bytes(buf, size + 8, 0xcc));
	EXPECT_TRUE(zeroed(p, 2 * page_size()));
	ashm_close(r);
}

TEST_F(lib, read_into_nowhere)
{
	struct ashm *r = region_new("fault", page_size());

	ASSERT_NE(NULL, r);
	EXPECT_EQ(-EFAULT, ashm_read(r, bad_address(), 16, 0));
	ashm_close(r);
}

TEST_F(lib, position_stays)
{
	struct ashm *r = region_new("position", page_size());
	char byte;

	ASSERT_NE(NULL, r);
	ASSERT_EQ(99, lseek(ashm_fd(r), 99, SEEK_SET));
	EXPECT_EQ(0, ashm_read(r, &byte, 1, 7));
	EXPECT_EQ(0, ashm_write(r, &byte, 1, 8));
	EXPECT_EQ(99, lseek(ashm_fd(r), 0, SEEK_CUR));
	ashm_close(r);
}

/* ---- purging ---- */

TEST_F(lib, purging_spares)
{
	size_t size = 4 * page_size();
	struct ashm *r = region_new("cache", size);
	unsigned char *buf = guarded(size);

	ASSERT_NE(NULL, r);
	ASSERT_NE(NULL, buf);
	fill(buf, size, 6);
	ASSERT_EQ(0, ashm_write(r, buf, size, 0));
	EXPECT_EQ(0, ashm_pin(r));
	EXPECT_EQ(0, ashm_unpin(r));
	EXPECT_EQ(0, ashm_unpin(r));
	EXPECT_EQ(0, ashm_pinned(r));
	memset(buf, 0, size);
	EXPECT_EQ(0, ashm_read(r, buf, size, 0));
	EXPECT_TRUE(filled(buf, size, 6));
	EXPECT_EQ(0, ashm_write(r, buf, 10, 0));
	if (ON_DEVICE)
		EXPECT_EQ(ASHMEM_IS_UNPINNED, ash_pin_status(ashm_fd(r), 0, 0));
	EXPECT_EQ(0, ashm_pin(r));
	EXPECT_EQ(1, ashm_pinned(r));
	if (ON_DEVICE)
		EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(ashm_fd(r), 0, 0));
	EXPECT_EQ(0, ashm_read(r, buf, size, 0));
	EXPECT_TRUE(filled(buf, size, 6));
	ashm_close(r);
}

TEST_F(lib, purging_takes)
{
	size_t size = 4 * page_size();
	unsigned char *buf = guarded(size);
	int took_back_first;
	struct ashm *r;

	if (ON_DEVICE && !purge_works())
		SKIP(return, "purging needs root");
	r = region_new("cache", size);
	ASSERT_NE(NULL, r);
	ASSERT_NE(NULL, buf);
	for (took_back_first = 0; took_back_first < 2; took_back_first++) {
		fill(buf, size, 6);
		ASSERT_EQ(0, ashm_write(r, buf, size, 0));
		ASSERT_EQ(0, ashm_unpin(r));
		if (!ON_DEVICE) {
			EXPECT_EQ(0, ashm_read(r, buf, size, 0));
			EXPECT_TRUE(filled(buf, size, 6));
			EXPECT_EQ(0, ashm_pin(r));
			continue;
		}
		ASSERT_TRUE(purge_works());
		/* The loss is remembered until it is reported. */
		if (!took_back_first) {
			CHECK_LOST(r);
			CHECK_LOST(r);
			EXPECT_EQ(0, ashm_pinned(r));
			EXPECT_EQ(ASHMEM_IS_UNPINNED,
				  ash_pin_status(ashm_fd(r), 0, 0));
		}
		EXPECT_EQ(1, ashm_pin(r));
		EXPECT_EQ(0, ashm_pin(r));
		EXPECT_EQ(0, ashm_read(r, buf, size, 0));
		EXPECT_TRUE(zeroed(buf, size));
		EXPECT_FALSE(purge_works() &&
			     ash_pin_status(ashm_fd(r), 0, 0) != ASHMEM_IS_PINNED);
	}
	ashm_close(r);
}

/* The owner still has a writable mapping, so it may discard, too. */
TEST_F(lib, purging_by_an_owner_that_others_only_read)
{
	struct ashm *r = region_new("masked", page_size());
	char byte = 1;

	ASSERT_NE(NULL, r);
	ASSERT_EQ(0, ashm_write(r, &byte, 1, 0));
	ASSERT_EQ(0, ashm_protect(r, PROT_READ));
	EXPECT_EQ(0, ashm_unpin(r));
	EXPECT_EQ(0, ashm_pinned(r));
	EXPECT_EQ(0, ashm_pin(r));
	EXPECT_EQ(0, ashm_read(r, &byte, 1, 0));
	EXPECT_EQ(1, byte);
	ashm_close(r);
}

/* Close does not change the region for its other holders. */
TEST_F(lib, purging_after_close)
{
	struct ashm *r = region_new("left", page_size());
	int fd;

	ASSERT_NE(NULL, r);
	fd = fcntl(ashm_fd(r), F_DUPFD_CLOEXEC, 0);
	ASSERT_EQ(0, ashm_unpin(r));
	ashm_close(r);
	if (ON_DEVICE)
		EXPECT_EQ(ASHMEM_IS_UNPINNED, ash_pin_status(fd, 0, 0));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ashmem_pin_region(fd, 0, 0));
}

/* ---- 64 bits ---- */

TEST_F(lib, beyond_4_gib)
{
	uint64_t size = (5ULL << 30) + 3, at = (4ULL << 30) + 100;
	char byte = 0;
	struct ashm *r;
	int fd;

	if (size != (size_t)size)
		SKIP(return, "a 32-bit process can't make that much");
	fd = ashmem_create_region("sparse", (size_t)size);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, map_errno(fd, page_size(), PROT_READ,
			       MAP_SHARED | MAP_NORESERVE, 0));
	r = region_adopt(fd);
	ASSERT_NE(NULL, r);
	EXPECT_EQ(size, ashm_size(r));
	EXPECT_EQ(0, ashm_write(r, "x", 1, at));
	EXPECT_EQ(0, ashm_read(r, &byte, 1, at));
	EXPECT_EQ('x', byte);
	EXPECT_EQ(0, ashm_read(r, &byte, 1, 100));
	EXPECT_EQ(0, byte);
	EXPECT_EQ(0, ashm_write(r, "y", 1, size - 1));
	EXPECT_EQ(-ERANGE, ashm_write(r, "y", 1, size));
	EXPECT_EQ(0, ashm_unpin(r));
	if (ON_DEVICE && purge_works()) {
		EXPECT_EQ(1, ashm_pin(r));
		EXPECT_EQ(0, ashm_read(r, &byte, 1, at));
		EXPECT_EQ(0, byte);
	}
	ashm_close(r);
}

TEST_HARNESS_MAIN
