// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long things live: mappings beyond close(), regions beyond their maker.
 */
#include "kselftest_harness.h"
#include "ashmem_util.h"

TEST(mapping_outlives_close)
{
	size_t len = 3 * page_size();
	int fd = ash_region("closed", len);
	struct maps_line m;
	unsigned char *a;

	ASSERT_LE(0, fd);
	a = ash_map(fd, len, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	fill(a, len, 1);
	ASSERT_EQ(0, close(fd));
	EXPECT_TRUE(filled(a, len, 1));
	fill(a, len, 2);
	EXPECT_TRUE(filled(a, len, 2));
	ASSERT_TRUE(maps_find(0, a, &m));
	EXPECT_STREQ("/dev/ashmem/closed (deleted)", m.path);
	EXPECT_EQ(0, munmap(a, len));
}

TEST(mapping_outlives_close_in_parent_and_child)
{
	size_t len = 2 * page_size();
	int fd = ash_region("both", len);
	unsigned char *a;
	pid_t pid;

	ASSERT_LE(0, fd);
	a = ash_map(fd, len, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	fill(a, len, 3);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		CHILD_CHECK(!close(fd));
		CHILD_CHECK(filled(a, len, 3));
		fill(a, len, 4);
		CHILD_CHECK(!munmap(a, len));
		_exit(0);
	}
	ASSERT_EQ(0, close(fd));
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_TRUE(filled(a, len, 4));
	EXPECT_EQ(0, munmap(a, len));
}

TEST(region_outlives_the_parent_that_made_it)
{
	size_t len = 2 * page_size();
	int sock[2];
	uint64_t word = 0;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int fd = ash_region("orphan", len);
		unsigned char *a;

		CHILD_CHECK(fd >= 0);
		a = ash_map(fd, len, PROT_RW);
		CHILD_CHECK(a != MAP_FAILED);
		fill(a, len, 5);
		pid = fork();
		CHILD_CHECK(pid >= 0);
		if (pid)
			_exit(0);
		/* The grandchild waits until its maker is dead and reaped. */
		CHILD_CHECK(!recv_word(sock[1], &word));
		CHILD_CHECK(filled(a, len, 5));
		CHILD_CHECK(ash_get_size(fd) == (long)len);
		fill(a, len, 6);
		munmap(a, len);
		a = ash_map(fd, len, PROT_READ);
		CHILD_CHECK(a != MAP_FAILED);
		CHILD_CHECK(filled(a, len, 6));
		CHILD_CHECK(!send_word(sock[1], 7));
		_exit(0);
	}
	close(sock[1]);
	ASSERT_EQ(0, wait_child(pid));
	ASSERT_EQ(0, send_word(sock[0], 1));
	ASSERT_EQ(0, recv_word(sock[0], &word));
	EXPECT_EQ(7, word);
	close(sock[0]);
}

TEST(descriptor_outlives_its_mappings)
{
	size_t len = 2 * page_size();
	int fd = ash_region("unmapped", len);
	unsigned char *a;

	ASSERT_LE(0, fd);
	a = ash_map(fd, len, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	fill(a, len, 8);
	ASSERT_EQ(0, munmap(a, len));
	a = ash_map(fd, len, PROT_READ);
	ASSERT_NE(MAP_FAILED, a);
	EXPECT_TRUE(filled(a, len, 8));
	close(fd);
}

TEST(many_regions_come_and_go)
{
	size_t p = page_size();
	int i;

	for (i = 0; i < 500; i++) {
		int fd = ash_region("short-lived", p);
		unsigned char *a;

		ASSERT_LE(0, fd);
		a = ash_map(fd, p, PROT_RW);
		ASSERT_NE(MAP_FAILED, a);
		ASSERT_EQ(0, a[0]);
		a[0] = 1;
		ASSERT_EQ(0, ash_unpin(fd, 0, 0));
		/* closed first, or unmapped first */
		if (i & 1)
			ASSERT_EQ(0, munmap(a, p));
		ASSERT_EQ(0, close(fd));
		if (!(i & 1)) {
			ASSERT_EQ(1, a[0]);
			ASSERT_EQ(0, munmap(a, p));
		}
	}
}

TEST_HARNESS_MAIN
