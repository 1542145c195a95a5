// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of a region: what is refused, what is shared, what is private, how
 * they look in /proc, and the ways around the protection mask that must fail.
 */
#include <linux/userfaultfd.h>
#include <pthread.h>

#include "kselftest_harness.h"
#include "ashmem_util.h"

FIXTURE(map)
{
	size_t p;
	size_t size;
	int fd;
};

FIXTURE_VARIANT(map)
{
	int flags;
};

FIXTURE_VARIANT_ADD(map, shared)
{
	.flags = MAP_SHARED,
};

FIXTURE_VARIANT_ADD(map, private)
{
	.flags = MAP_PRIVATE,
};

FIXTURE_SETUP(map)
{
	self->p = page_size();
	self->size = 2 * self->p + 1;
	self->fd = ash_region("map", self->size);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(map)
{
	EXPECT_EQ(0, close(self->fd));
}

TEST_F(map, needs_a_size)
{
	int fd = ash_open(O_RDWR);
	unsigned long id;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, map_errno(fd, self->p, PROT_READ, variant->flags, 0));
	EXPECT_EQ(-EINVAL, ash_file_id(fd, &id));
	ASSERT_EQ(0, ash_set_size(fd, self->p));
	ASSERT_EQ(0, ash_set_size(fd, 0));
	EXPECT_EQ(-EINVAL, map_errno(fd, self->p, PROT_READ, variant->flags, 0));
	EXPECT_EQ(-EINVAL, ash_file_id(fd, &id));
	/* The missing size is reported before the refused right. */
	ASSERT_EQ(0, ash_set_mask(fd, 0));
	EXPECT_EQ(-EINVAL, map_errno(fd, self->p, PROT_READ, variant->flags, 0));
	close(fd);
}

TEST_F(map, may_be_as_long_as_the_page_rounded_size)
{
	unsigned long id;

	EXPECT_EQ(-EINVAL, map_errno(self->fd, 4 * self->p, PROT_READ,
				     variant->flags, 0));
	EXPECT_EQ(-EINVAL, map_errno(self->fd, 3 * self->p + 1, PROT_READ,
				     variant->flags, 0));
	EXPECT_EQ(-EINVAL, ash_file_id(self->fd, &id));
	EXPECT_EQ(0, map_errno(self->fd, 3 * self->p, PROT_READ,
			       variant->flags, 0));
	EXPECT_EQ(0, map_errno(self->fd, 2 * self->p + 2, PROT_READ,
			       variant->flags, 0));
	EXPECT_EQ(0, map_errno(self->fd, 1, PROT_READ, variant->flags, 0));
	/* The limit is the same with and without a backing file. */
	EXPECT_EQ(-EINVAL, map_errno(self->fd, 4 * self->p, PROT_READ,
				     variant->flags, 0));
}

TEST_F(map, size_that_is_a_page_multiple_is_the_limit)
{
	int fd = ash_region(NULL, 2 * self->p);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, map_errno(fd, 2 * self->p + 1, PROT_READ,
				     variant->flags, 0));
	EXPECT_EQ(0, map_errno(fd, 2 * self->p, PROT_READ, variant->flags, 0));
	close(fd);
}

TEST_F(map, rights_outside_the_mask_are_refused)
{
	unsigned long mask;
	int prot;

	for (mask = 0; mask <= PROT_RWX; mask++) {
		int fd = ash_region("mask", self->p);

		ASSERT_LE(0, fd);
		ASSERT_EQ(0, ash_set_mask(fd, mask));
		for (prot = 0; prot <= PROT_RWX; prot++) {
			if ((prot & PROT_EXEC) && device_noexec())
				continue;
			EXPECT_EQ(prot & ~mask ? -EPERM : 0,
				  map_errno(fd, self->p, prot, variant->flags,
					    0)) {
				TH_LOG("mask %lu, prot %d", mask, prot);
			}
			EXPECT_EQ((long)mask, ash_get_mask(fd));
		}
		close(fd);
	}
}

TEST_F(map, mprotect_brings_back_only_what_the_mask_allowed)
{
	unsigned long mask;
	int prot;

	for (mask = 0; mask <= PROT_RWX; mask++) {
		int fd = ash_region("mask", self->p);
		void *q;

		ASSERT_LE(0, fd);
		ASSERT_EQ(0, ash_set_mask(fd, mask));
		q = mmap(NULL, self->p, PROT_NONE, variant->flags, fd, 0);
		ASSERT_NE(MAP_FAILED, q);
		for (prot = 0; prot <= PROT_RWX; prot++) {
			if ((prot & PROT_EXEC) && device_noexec())
				continue;
			EXPECT_EQ(prot & ~mask ? -EACCES : 0,
				  RET(mprotect(q, self->p, prot))) {
				TH_LOG("mask %lu, prot %d", mask, prot);
			}
		}
		munmap(q, self->p);
		close(fd);
	}
}

TEST_F(map, write_stays_refused_after_mprotect_failed)
{
	unsigned char *q, byte = 1;
	int mem;

	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	q = mmap(NULL, self->p, PROT_READ, variant->flags, self->fd, 0);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ(-EACCES, RET(mprotect(q, self->p, PROT_RW)));
	EXPECT_EQ(SIGSEGV, touch_write(q, 1));
	EXPECT_EQ(0, touch_read(q));
	/*
	 * A debugger's access ignores the present rights of a mapping, but not VM_MAY*.
	 */
	mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, mem);
	EXPECT_EQ(-1, pwrite(mem, "x", 1, (off_t)(uintptr_t)q));
	EXPECT_EQ(1, pread(mem, &byte, 1, (off_t)(uintptr_t)q));
	EXPECT_EQ(0, byte);
	EXPECT_TRUE(zeroed(q, self->p));
	close(mem);
}

TEST_F(map, made_before_narrowing_keeps_its_rights)
{
	unsigned char *q = mmap(NULL, self->p, PROT_RW, variant->flags,
				self->fd, 0);

	ASSERT_NE(MAP_FAILED, q);
	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	EXPECT_EQ(0, touch_write(q, 0x11));
	EXPECT_EQ(0x11, q[0]);
	EXPECT_EQ(0, RET(mprotect(q, self->p, PROT_READ)));
	EXPECT_EQ(0, RET(mprotect(q, self->p, PROT_RW)));
	EXPECT_EQ(0, touch_write(q, 0x12));
	EXPECT_EQ(-EPERM, map_errno(self->fd, self->p, PROT_RW, variant->flags,
				    0));
}

TEST_F(map, shows_its_name_in_maps)
{
	void *q = mmap(NULL, 2 * self->p, PROT_READ, variant->flags, self->fd,
		       self->p);
	unsigned long id = 0;
	struct maps_line m;
	int fd;

	ASSERT_NE(MAP_FAILED, q);
	ASSERT_TRUE(maps_find(0, q, &m));
	EXPECT_STREQ("/dev/ashmem/map (deleted)", m.path);
	EXPECT_STREQ(variant->flags == MAP_SHARED ? "r--s" : "r--p", m.perms);
	EXPECT_EQ(self->p, m.offset);
	EXPECT_EQ((unsigned long)q, m.start);
	EXPECT_EQ(2 * self->p, m.end - m.start);
	/* Shared or private, a mapping shows the region's one number. */
	ASSERT_EQ(0, ash_file_id(self->fd, &id));
	EXPECT_EQ(id, m.inode);

	fd = ash_region(NULL, self->p);
	ASSERT_LE(0, fd);
	q = mmap(NULL, self->p, PROT_READ, variant->flags, fd, 0);
	ASSERT_NE(MAP_FAILED, q);
	ASSERT_TRUE(maps_find(0, q, &m));
	EXPECT_STREQ("/dev/ashmem (deleted)", m.path);
	close(fd);
}

TEST_F(map, is_zero_filled_at_first)
{
	unsigned char *q = mmap(NULL, 3 * self->p, PROT_RW, variant->flags,
				self->fd, 0);

	ASSERT_NE(MAP_FAILED, q);
	EXPECT_TRUE(zeroed(q, 3 * self->p));
}

TEST_F(map, can_be_moved_and_grown)
{
	unsigned char *q = mmap(NULL, self->p, PROT_RW, variant->flags,
				self->fd, 0);
	unsigned char *all = ash_map(self->fd, 3 * self->p, PROT_RW), *grown;

	ASSERT_NE(MAP_FAILED, q);
	ASSERT_NE(MAP_FAILED, all);
	fill(all, self->size, 3);
	fill(q, self->p, 4);
	grown = mremap(q, self->p, 3 * self->p, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, grown);
	EXPECT_TRUE(filled(grown, self->p, 4));
	if (variant->flags == MAP_SHARED) {
		EXPECT_TRUE(filled_from(grown + self->p, self->p, 3, self->p));
		EXPECT_TRUE(filled(all, self->p, 4));
		grown[self->p] = 0x77;
		EXPECT_EQ(0x77, all[self->p]);
	} else {
		EXPECT_TRUE(zeroed(grown + self->p, 2 * self->p));
		EXPECT_TRUE(filled(all, self->size, 3));
	}
}

TEST_F(map, write_only_descriptor_maps_nothing)
{
	int fd = ash_open(O_WRONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ash_set_size(fd, self->p));
	EXPECT_EQ(-EACCES, map_errno(fd, self->p, PROT_READ, variant->flags, 0));
	EXPECT_EQ(-EACCES, map_errno(fd, self->p, PROT_WRITE, variant->flags, 0));
	EXPECT_EQ(-EACCES, map_errno(fd, self->p, PROT_NONE, variant->flags, 0));
	close(fd);
}

/*
 * The kernel would remap vma->vm_file, the backing, which knows nothing of the mask. On
 * some kernels the failed call leaves a hole instead of the mapping: only check that it
 * gives no right.
 */
TEST_F(map, remap_file_pages_is_refused)
{
	unsigned char *all, *q;
	struct maps_line m;

	all = mmap(NULL, 3 * self->p, PROT_RW, variant->flags, self->fd, 0);
	ASSERT_NE(MAP_FAILED, all);
	fill(all, self->size, 5);
	q = mmap(NULL, 2 * self->p, PROT_RW, variant->flags, self->fd, 0);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ(variant->flags == MAP_SHARED ? -EPERM : -EINVAL,
		  RET(syscall(SYS_remap_file_pages, q, self->p, 0, 1, 0)));
	EXPECT_TRUE(filled(all, self->size, 5));

	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	q = mmap(NULL, 2 * self->p, PROT_READ, variant->flags, self->fd, 0);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ(variant->flags == MAP_SHARED ? -EPERM : -EINVAL,
		  RET(syscall(SYS_remap_file_pages, q, self->p, 0, 1, 0)));
	if (maps_find(0, q, &m))
		EXPECT_EQ('-', m.perms[1]);
	EXPECT_NE(0, mprotect(q, self->p, PROT_RW));
	EXPECT_EQ(SIGSEGV, touch_write(q, 1));
	EXPECT_TRUE(filled(all, self->size, 5));
}

TEST_F(map, backing_file_cannot_be_opened_by_its_path)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR,
				     O_RDWR | O_TRUNC };
	char path[80], again[64];
	struct maps_line m;
	unsigned char *q, *all;
	struct stat st, before;
	size_t i;
	int fd;

	if (geteuid())
		SKIP(return, "/proc/self/map_files needs root");
	all = ash_map(self->fd, 3 * self->p, PROT_RW);
	ASSERT_NE(MAP_FAILED, all);
	fill(all, self->size, 6);
	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	q = mmap(NULL, self->p, PROT_READ, variant->flags, self->fd, 0);
	ASSERT_NE(MAP_FAILED, q);
	ASSERT_TRUE(maps_find(0, q, &m));
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", m.start,
		 m.end);
	if (lstat(path, &st))
		SKIP(return, "no /proc/self/map_files here");

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		fd = open(path, modes[i] | O_CLOEXEC);
		EXPECT_EQ(-ENXIO, fd < 0 ? -errno : fd);
		if (fd >= 0)
			close(fd);
	}

	/* O_PATH opens no file, and its descriptor must not open one either. */
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd >= 0) {
		snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
		for (i = 0; i < ARRAY_SIZE(modes); i++) {
			int fd2 = open(again, modes[i] | O_CLOEXEC);

			EXPECT_EQ(-ENXIO, fd2 < 0 ? -errno : fd2);
			if (fd2 >= 0)
				close(fd2);
		}
		ASSERT_EQ(0, fstat(fd, &before));
		EXPECT_NE(0, truncate(again, 1));
		EXPECT_NE(0, truncate(again, (off_t)(8 * self->p)));
		ASSERT_EQ(0, fstat(fd, &st));
		EXPECT_EQ(before.st_size, st.st_size);
		close(fd);
	}

	EXPECT_NE(0, truncate(path, 1));
	EXPECT_NE(0, truncate(path, (off_t)(8 * self->p)));
	if (variant->flags == MAP_SHARED && !stat(path, &st))
		EXPECT_EQ((long long)self->size, st.st_size);
	EXPECT_EQ((long)self->size, ash_get_size(self->fd));
	EXPECT_EQ((long long)self->size, RET(lseek(self->fd, 0, SEEK_END)));
	ASSERT_EQ(0, touch_read(all));
	EXPECT_TRUE(filled(all, self->size, 6));
}

/* ---- shared ---- */

FIXTURE(shared)
{
	size_t p;
	size_t len;
	int fd;
	unsigned char *a;
};

FIXTURE_SETUP(shared)
{
	self->p = page_size();
	self->len = 4 * self->p;
	self->fd = ash_region("shared", self->len);
	ASSERT_LE(0, self->fd);
	self->a = ash_map(self->fd, self->len, PROT_RW);
	ASSERT_NE(MAP_FAILED, self->a);
}

FIXTURE_TEARDOWN(shared)
{
	EXPECT_EQ(0, munmap(self->a, self->len));
	EXPECT_EQ(0, close(self->fd));
}

TEST_F(shared, two_mappings_show_the_same_pages)
{
	unsigned char *b = ash_map(self->fd, self->len, PROT_RW);

	ASSERT_NE(MAP_FAILED, b);
	EXPECT_NE(self->a, b);
	fill(self->a, self->len, 7);
	EXPECT_TRUE(filled(b, self->len, 7));
	fill(b, self->len, 8);
	EXPECT_TRUE(filled(self->a, self->len, 8));
}

TEST_F(shared, offset_shows_the_pages_from_there)
{
	unsigned char *b = mmap(NULL, 2 * self->p, PROT_RW, MAP_SHARED,
				self->fd, (off_t)(2 * self->p));

	ASSERT_NE(MAP_FAILED, b);
	fill(self->a, self->len, 9);
	EXPECT_TRUE(filled_from(b, 2 * self->p, 9, 2 * self->p));
	b[0] = 0xee;
	b[2 * self->p - 1] = 0xef;
	EXPECT_EQ(0xee, self->a[2 * self->p]);
	EXPECT_EQ(0xef, self->a[4 * self->p - 1]);
}

TEST_F(shared, mapping_outlives_the_other_one)
{
	unsigned char *b = ash_map(self->fd, self->len, PROT_RW);

	ASSERT_NE(MAP_FAILED, b);
	fill(b, self->len, 10);
	ASSERT_EQ(0, munmap(b, self->len));
	EXPECT_TRUE(filled(self->a, self->len, 10));
	b = ash_map(self->fd, self->len, PROT_READ);
	ASSERT_NE(MAP_FAILED, b);
	EXPECT_TRUE(filled(b, self->len, 10));
}

TEST_F(shared, private_mapping_is_apart_both_ways)
{
	unsigned char *priv, *priv2;

	fill(self->a, self->len, 11);
	priv = mmap(NULL, self->len, PROT_RW, MAP_PRIVATE, self->fd, 0);
	priv2 = mmap(NULL, self->p, PROT_RW, MAP_PRIVATE, self->fd,
		     (off_t)self->p);
	ASSERT_NE(MAP_FAILED, priv);
	ASSERT_NE(MAP_FAILED, priv2);
	EXPECT_TRUE(zeroed(priv, self->len));
	EXPECT_TRUE(zeroed(priv2, self->p));

	fill(priv, self->len, 12);
	EXPECT_TRUE(filled(self->a, self->len, 11));
	EXPECT_TRUE(zeroed(priv2, self->p));
	fill(self->a, self->len, 13);
	EXPECT_TRUE(filled(priv, self->len, 12));
}

TEST_F(shared, madvise_remove_needs_the_right_to_write)
{
	unsigned char *b;

	fill(self->a, self->len, 14);
	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	b = ash_map(self->fd, self->len, PROT_READ);
	ASSERT_NE(MAP_FAILED, b);
	EXPECT_EQ(-EACCES, RET(madvise(b, self->len, MADV_REMOVE)));
	EXPECT_TRUE(filled(self->a, self->len, 14));
	EXPECT_TRUE(filled(b, self->len, 14));

	/* A task with a writable mapping may: it could also write zeroes. */
	EXPECT_EQ(0, RET(madvise(self->a + self->p, self->p, MADV_REMOVE)));
	EXPECT_TRUE(zeroed(self->a + self->p, self->p));
	EXPECT_TRUE(filled(self->a, self->p, 14));
}

TEST_F(shared, private_madvise_remove_touches_no_shared_page)
{
	unsigned char *priv = mmap(NULL, self->len, PROT_RW, MAP_PRIVATE,
				   self->fd, 0);

	ASSERT_NE(MAP_FAILED, priv);
	fill(self->a, self->len, 15);
	fill(priv, self->len, 16);
	EXPECT_NE(0, madvise(priv, self->len, MADV_REMOVE));
	EXPECT_TRUE(filled(self->a, self->len, 15));
	EXPECT_TRUE(filled(priv, self->len, 16));
}

TEST_F(shared, page_beyond_the_size_raises_sigbus)
{
	int fd = ash_region("odd", self->p + 1);
	unsigned char *b, *off, *past;

	ASSERT_LE(0, fd);
	b = ash_map(fd, 2 * self->p, PROT_RW);
	off = mmap(NULL, 2 * self->p, PROT_RW, MAP_SHARED, fd, (off_t)self->p);
	past = mmap(NULL, self->p, PROT_RW, MAP_SHARED, fd,
		    (off_t)(2 * self->p));
	ASSERT_NE(MAP_FAILED, b);
	ASSERT_NE(MAP_FAILED, off);
	ASSERT_NE(MAP_FAILED, past);

	/* The last page is complete, although the size ends within it. */
	EXPECT_EQ(0, touch_write(b + 2 * self->p - 1, 0x21));
	EXPECT_EQ(0x21, b[2 * self->p - 1]);
	EXPECT_EQ(0x21, off[self->p - 1]);
	EXPECT_EQ(SIGBUS, touch_read(off + self->p));
	EXPECT_EQ(SIGBUS, touch_write(off + self->p, 1));
	EXPECT_EQ(SIGBUS, touch_read(past));
	EXPECT_EQ(SIGBUS, touch_write(past, 1));
	close(fd);
}

TEST_F(shared, grown_past_the_size_raises_sigbus_there)
{
	unsigned char *b = ash_map(self->fd, self->len, PROT_RW), *grown;

	ASSERT_NE(MAP_FAILED, b);
	fill(b, self->len, 17);
	grown = mremap(b, self->len, self->len + self->p, MREMAP_MAYMOVE);
	if (grown == MAP_FAILED)
		return;
	EXPECT_TRUE(filled(grown, self->len, 17));
	EXPECT_EQ(SIGBUS, touch_read(grown + self->len));
	EXPECT_EQ(SIGBUS, touch_write(grown + self->len, 1));
}

/*
 * A region belongs to one open, so no other task has written to one that was
 * opened O_RDONLY. That the mapping shows the region's own pages, and isn't
 * private memory, is seen by the backing file: a read fault fills a hole.
 */
TEST_F(shared, read_only_descriptor_shows_the_region_itself)
{
	int fd = ash_open(O_RDONLY);
	unsigned long id = 0;
	struct maps_line m;
	unsigned char *b;
	char byte = 1;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ash_set_size(fd, 2 * self->p));
	b = ash_map(fd, 2 * self->p, PROT_READ);
	ASSERT_NE(MAP_FAILED, b);
	ASSERT_TRUE(maps_find(0, b, &m));
	ASSERT_EQ(0, ash_file_id(fd, &id));
	EXPECT_EQ(id, m.inode);

	EXPECT_EQ(-ENXIO, RET(lseek(fd, 0, SEEK_DATA)));
	EXPECT_TRUE(zeroed(b + self->p, self->p));
	EXPECT_EQ((long long)self->p, RET(lseek(fd, 0, SEEK_DATA)));
	EXPECT_EQ(1, pread(fd, &byte, 1, (off_t)self->p));
	EXPECT_EQ(0, byte);
	close(fd);
}

TEST_F(shared, read_only_descriptor_never_gives_write)
{
	int fd = ash_open(O_RDONLY);
	unsigned char *b;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ash_set_size(fd, self->p));
	EXPECT_EQ(PROT_RWX, ash_get_mask(fd));
	EXPECT_EQ(-EACCES, map_errno(fd, self->p, PROT_RW, MAP_SHARED, 0));
	EXPECT_EQ(-EACCES, map_errno(fd, self->p, PROT_WRITE, MAP_SHARED, 0));
	b = ash_map(fd, self->p, PROT_READ);
	ASSERT_NE(MAP_FAILED, b);
	EXPECT_EQ(-EACCES, RET(mprotect(b, self->p, PROT_RW)));
	EXPECT_EQ(-EACCES, RET(mprotect(b, self->p, PROT_WRITE)));
	EXPECT_EQ(SIGSEGV, touch_write(b, 1));
	EXPECT_EQ(-EACCES, RET(madvise(b, self->p, MADV_REMOVE)));
	EXPECT_TRUE(zeroed(b, self->p));

	/* Private memory belongs to the caller, which may write to it. */
	b = mmap(NULL, self->p, PROT_RW, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, b);
	EXPECT_EQ(0, touch_write(b, 1));
	close(fd);
}

/* ---- private ---- */

TEST(private_first_mapping_leaves_the_region_empty)
{
	size_t p = page_size();
	int fd = ash_region("private first", 2 * p);
	unsigned char *priv, *shared;

	ASSERT_LE(0, fd);
	priv = mmap(NULL, 2 * p, PROT_RW, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, priv);
	EXPECT_TRUE(zeroed(priv, 2 * p));
	fill(priv, 2 * p, 18);
	shared = ash_map(fd, 2 * p, PROT_RW);
	ASSERT_NE(MAP_FAILED, shared);
	EXPECT_TRUE(zeroed(shared, 2 * p));
	fill(shared, 2 * p, 19);
	EXPECT_TRUE(filled(priv, 2 * p, 18));
	close(fd);
	EXPECT_TRUE(filled(priv, 2 * p, 18));
	EXPECT_TRUE(filled(shared, 2 * p, 19));
}

TEST(private_data_is_copied_on_fork)
{
	size_t p = page_size();
	int fd = ash_region("private fork", p);
	unsigned char *priv;
	pid_t pid;

	ASSERT_LE(0, fd);
	priv = mmap(NULL, p, PROT_RW, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, priv);
	fill(priv, p, 20);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		CHILD_CHECK(filled(priv, p, 20));
		fill(priv, p, 21);
		CHILD_CHECK(filled(priv, p, 21));
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_TRUE(filled(priv, p, 20));
	close(fd);
}

/* ---- userfaultfd ---- */

FIXTURE(uffd)
{
	size_t p;
	int fd, uffd;
	unsigned char *a, *page;
	uint64_t ioctls;
};

FIXTURE_VARIANT(uffd)
{
	int flags;
};

FIXTURE_VARIANT_ADD(uffd, private)
{
	.flags = MAP_PRIVATE,
};

FIXTURE_VARIANT_ADD(uffd, shared)
{
	.flags = MAP_SHARED,
};

/* The last three of four pages are mapped: the offset counts, and so does the end. */
FIXTURE_SETUP(uffd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	self->fd = -1;
	self->p = page_size();
	self->uffd = (int)syscall(__NR_userfaultfd, O_CLOEXEC);
	if (self->uffd < 0)
		SKIP(return, "needs CONFIG_USERFAULTFD, and root");
	ASSERT_EQ(0, RET(ioctl(self->uffd, UFFDIO_API, &api)));
	self->fd = ash_region("uffd", 3 * self->p + 1);
	ASSERT_LE(0, self->fd);
	self->a = mmap(NULL, 3 * self->p, PROT_RW, variant->flags, self->fd, (off_t)self->p);
	ASSERT_NE(MAP_FAILED, self->a);
	self->page = malloc(self->p);
	ASSERT_NE(NULL, self->page);
	fill(self->page, self->p, 30);
	reg.range.start = (unsigned long)self->a;
	reg.range.len = 3 * self->p;
	ASSERT_EQ(0, RET(ioctl(self->uffd, UFFDIO_REGISTER, &reg)));
	self->ioctls = reg.ioctls;
}

FIXTURE_TEARDOWN(uffd)
{
	if (self->fd < 0)
		return;
	close(self->uffd);
	munmap(self->a, 3 * self->p);
	close(self->fd);
	free(self->page);
}

static long uffd_copy(int uffd, void *to, void *from, size_t len)
{
	struct uffdio_copy copy = {
		.dst = (unsigned long)to, .src = (unsigned long)from, .len = len,
	};

	return ioctl(uffd, UFFDIO_COPY, &copy) ? -errno : (long)copy.copy;
}

TEST_F(uffd, pages_are_filled_before_they_are_touched)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (unsigned long)self->a + self->p, .len = self->p },
	};

	EXPECT_EQ((long)self->p, uffd_copy(self->uffd, self->a, self->page, self->p));
	EXPECT_EQ((long)self->p, uffd_copy(self->uffd, self->a + 2 * self->p, self->page, self->p));
	EXPECT_EQ(-EEXIST, uffd_copy(self->uffd, self->a, self->page, self->p));
	if (self->ioctls >> _UFFDIO_ZEROPAGE & 1)
		EXPECT_EQ(0, RET(ioctl(self->uffd, UFFDIO_ZEROPAGE, &zero)));
	/* From here on missing pages are filled normally. */
	close(self->uffd);
	EXPECT_TRUE(zeroed(self->a + self->p, self->p));
	EXPECT_TRUE(filled(self->a, self->p, 30));
	EXPECT_TRUE(filled(self->a + 2 * self->p, self->p, 30));
}

static void *touch_third_page(void *arg)
{
	unsigned char *a = arg;

	a[2 * page_size()]++;
	return NULL;
}

TEST_F(uffd, thread_that_faults_gets_its_page)
{
	struct uffd_msg msg = { .event = 0 };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, touch_third_page, self->a));
	ASSERT_EQ((long long)sizeof(msg), RET(read(self->uffd, &msg, sizeof(msg))));
	EXPECT_EQ(UFFD_EVENT_PAGEFAULT, msg.event);
	EXPECT_EQ((unsigned long)self->a + 2 * self->p,
		  msg.arg.pagefault.address & ~(self->p - 1));
	EXPECT_EQ((long)self->p, uffd_copy(self->uffd, self->a + 2 * self->p, self->page, self->p));
	/* If that failed, this lets the thread go on. */
	close(self->uffd);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ((unsigned char)(pattern_byte(30, 0) + 1), self->a[2 * self->p]);
	EXPECT_TRUE(filled_from(self->a + 2 * self->p + 1, self->p - 1, 30, 1));
}

/* Fills the last of @len bytes at @a, which were not touched. */
static long uffd_fill_end(int uffd, unsigned char *a, size_t len, void *from)
{
	struct uffdio_register reg = {
		.range = { .start = (unsigned long)a, .len = len },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	size_t p = page_size();

	return ioctl(uffd, UFFDIO_REGISTER, &reg) ? -errno :
		uffd_copy(uffd, a + len - p, from, p);
}

TEST_F(uffd, private_pages_are_filled_wherever_they_are)
{
	size_t p = self->p, len = 2 * p;
	unsigned char *beyond, *moved, *grown, *room;

	if (variant->flags == MAP_SHARED)
		SKIP(return, "a shared mapping ends with its region");
	beyond = mmap(NULL, len, PROT_RW, MAP_PRIVATE, self->fd, (off_t)(64 * p));
	moved = mmap(NULL, len, PROT_RW, MAP_PRIVATE, self->fd, 0);
	grown = mmap(NULL, len, PROT_RW, MAP_PRIVATE, self->fd, 0);
	room = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, beyond);
	ASSERT_NE(MAP_FAILED, moved);
	ASSERT_NE(MAP_FAILED, grown);
	ASSERT_NE(MAP_FAILED, room);
	moved = mremap(moved, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, room);
	ASSERT_EQ(room, moved);
	grown = mremap(grown, len, 8 * p, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, grown);

	EXPECT_EQ((long)p, uffd_fill_end(self->uffd, beyond, len, self->page));
	EXPECT_EQ((long)p, uffd_fill_end(self->uffd, moved, len, self->page));
	EXPECT_EQ((long)p, uffd_fill_end(self->uffd, grown, 8 * p, self->page));
	close(self->uffd);
	EXPECT_TRUE(filled(beyond + p, p, 30));
	EXPECT_TRUE(filled(moved + p, p, 30));
	EXPECT_TRUE(filled(grown + 7 * p, p, 30));
	munmap(beyond, len);
	munmap(moved, len);
	munmap(grown, 8 * p);
}

/* The line @key of the mapping at @addr in smaps, in kB. */
static long smaps_kb(const void *addr, const char *key)
{
	size_t len = strlen(key);
	unsigned long start, end;
	bool inside = false;
	char line[512];
	long kb = -1;
	FILE *f = fopen("/proc/self/smaps", "re");

	if (!f)
		return -1;
	while (kb < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = (unsigned long)addr >= start &&
				 (unsigned long)addr < end;
		else if (inside && !strncmp(line, key, len) && line[len] == ':')
			kb = atol(line + len + 1);
	}
	fclose(f);
	return kb;
}

#define THP		"/sys/kernel/mm/transparent_hugepage/"

static bool thp_set(const char *file, const char *mode)
{
	FILE *f = fopen(file, "we");
	bool ok;

	if (!f)
		return false;
	ok = fputs(mode, f) >= 0;
	return !fclose(f) && ok;
}

/* Which of the modes that @file lists is the one in brackets. */
static bool thp_get(const char *file, char *mode, size_t len)
{
	char line[128] = "", *from, *to;
	FILE *f = fopen(file, "re");

	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	from = strchr(line, '[');
	to = from ? strchr(from, ']') : NULL;
	if (!to)
		return false;
	*to = '\0';
	snprintf(mode, len, "%s", from + 1);
	return true;
}

FIXTURE(huge)
{
	bool changed;
	size_t huge;
	size_t len;
	unsigned char *priv;	/* a private mapping that begins where a huge page can */
	int fd;
};

/* Machines with less than 512 MiB boot with "never". */
FIXTURE_SETUP(huge)
{
	char mode[32];

	if (!thp_get(THP "enabled", mode, sizeof(mode)))
		SKIP(return, "no transparent huge pages");
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	self->huge = huge_page_size();
	self->len = 2 * self->huge;
	if (!self->huge || self->huge > 32UL << 20)
		SKIP(return, "no huge page size that a test can afford");
	self->fd = ash_region("huge", self->len);
	ASSERT_LE(0, self->fd);
	self->priv = reserve_huge(self->len);
	ASSERT_NE(MAP_FAILED, self->priv);
	ASSERT_EQ(self->priv, mmap(self->priv, self->len, PROT_RW, MAP_PRIVATE | MAP_FIXED,
				   self->fd, 0));
	if (!strcmp(mode, "never"))
		self->changed = thp_set(THP "enabled", "madvise");
}

FIXTURE_TEARDOWN(huge)
{
	if (self->changed)
		EXPECT_TRUE(thp_set(THP "enabled", "never"));
}

/*
 * Punching holes into the backing file must not affect anonymous memory that is only
 * mapped "at" it. The original driver lost huge pages this way.
 */
TEST_F(huge, private_pages_survive_a_purge_of_their_region)
{
	unsigned char *priv = self->priv, *shared;
	size_t len = self->len;
	int fd = self->fd;
	bool was_huge;

	ASSERT_EQ(0, madvise(priv, len, MADV_HUGEPAGE));
	fill(priv, len, 22);
	was_huge = smaps_kb(priv, "AnonHugePages") > 0;
	shared = ash_map(fd, len, PROT_RW);
	ASSERT_NE(MAP_FAILED, shared);
	fill(shared, len, 23);
	ASSERT_TRUE(filled(priv, len, 22));

	ASSERT_EQ(0, ash_unpin(fd, 0, 0));
	ASSERT_EQ((long)(len / page_size()), ash_purge_all(fd));
	EXPECT_TRUE(zeroed(shared, len));
	EXPECT_TRUE(filled(priv, len, 22));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(fd, 0, 0));
	close(fd);
	if (!was_huge)
		SKIP(return, "the kernel gave no huge page (small ones survived)");
}

/*
 * A private mapping has a separate file, whose pages the kernel would put into a huge one:
 * there must be none. Half of the mapping was never touched.
 */
TEST_F(huge, private_pages_survive_a_collapse)
{
	size_t huge = self->huge, len = self->len;
	unsigned char *priv = self->priv;
	int err;

	ASSERT_EQ(0, madvise(priv, len, MADV_NOHUGEPAGE));
	fill(priv, huge + huge / 2, 24);
	ASSERT_EQ(0, madvise(priv, len, MADV_HUGEPAGE));
	err = madvise(priv, len, MADV_COLLAPSE) ? errno : 0;
	EXPECT_TRUE(filled(priv, huge + huge / 2, 24));
	EXPECT_TRUE(zeroed(priv + huge + huge / 2, huge / 2));
	EXPECT_EQ(0, fdinfo_number(self->fd, "resident_pages"));
	close(self->fd);
	TH_LOG("collapse: %s", strerror(err));
}

FIXTURE(shared_huge)
{
	char before[32];
	size_t huge;
	size_t len;
	int memfd;
	int fd;
};

FIXTURE_VARIANT(shared_huge)
{
	const char *mode;
	bool given;
};

FIXTURE_VARIANT_ADD(shared_huge, always)
{
	.mode = "always",
	.given = true,
};

FIXTURE_VARIANT_ADD(shared_huge, within_size)
{
	.mode = "within_size",
	.given = true,
};

FIXTURE_VARIANT_ADD(shared_huge, advise)
{
	.mode = "advise",
	.given = true,
};

FIXTURE_VARIANT_ADD(shared_huge, never)
{
	.mode = "never",
	.given = false,
};

FIXTURE_SETUP(shared_huge)
{
	if (!thp_get(THP "shmem_enabled", self->before, sizeof(self->before)))
		SKIP(return, "no transparent huge pages for shared memory");
	self->huge = huge_page_size();
	if (!self->huge || self->huge > 32UL << 20)
		SKIP(return, "no huge page size that a test can afford");
	if (!thp_set(THP "shmem_enabled", variant->mode))
		SKIP(return, "changing shmem_enabled needs root");
	/* Not a multiple: a part that is shorter than a huge page gets small pages. */
	self->len = 2 * self->huge + page_size();
	self->memfd = memfd_create("huge", MFD_CLOEXEC);
	ASSERT_LE(0, self->memfd);
	ASSERT_EQ(0, ftruncate(self->memfd, (off_t)self->len));
	self->fd = ash_region("huge", self->len);
	ASSERT_LE(0, self->fd);
}

/* Runs after a setup that skipped, too. */
FIXTURE_TEARDOWN(shared_huge)
{
	if (self->before[0])
		EXPECT_TRUE(thp_set(THP "shmem_enabled", self->before));
}

/* A full mapping of @fd, all of it written. */
static unsigned char *map_filled(int fd, size_t len, unsigned char seed)
{
	unsigned char *a = ash_map(fd, len, PROT_RW);

	if (a == MAP_FAILED)
		return NULL;
	/* Only needed for "advise"; kernels without it return EINVAL. */
	madvise(a, len, MADV_HUGEPAGE);
	fill(a, len, seed);
	return a;
}

TEST_F(shared_huge, pages_are_given_as_to_a_memfd)
{
	unsigned char *theirs = map_filled(self->memfd, self->len, 1);
	unsigned char *ours = map_filled(self->fd, self->len, 2);
	long their_kb, our_kb;

	ASSERT_NE(NULL, theirs);
	ASSERT_NE(NULL, ours);
	their_kb = smaps_kb(theirs, "ShmemPmdMapped");
	our_kb = smaps_kb(ours, "ShmemPmdMapped");
	if (variant->given && !their_kb)
		SKIP(return, "the kernel gives a memfd no huge page either");
	if (variant->given) {
		EXPECT_EQ((uintptr_t)theirs % self->huge,
			  (uintptr_t)ours % self->huge);
		EXPECT_EQ(0, (uintptr_t)ours % self->huge);
		EXPECT_LT(0, our_kb);
	} else {
		EXPECT_EQ(0, our_kb);
	}
	EXPECT_TRUE(filled(ours, self->len, 2));
}

TEST_F(shared_huge, pages_are_purged_and_come_back_empty)
{
	unsigned char *a = map_filled(self->fd, self->len, 3);
	long pages = (long)(self->len / page_size());

	ASSERT_NE(NULL, a);
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	/* One page in the middle of a huge page stays. */
	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	ASSERT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, (uint32_t)(self->huge / 2),
					     (uint32_t)page_size()));
	ASSERT_EQ(pages - 1, ash_purge_all(self->fd));
	EXPECT_TRUE(zeroed(a, self->huge / 2));
	EXPECT_TRUE(filled_from(a + self->huge / 2, page_size(), 3, self->huge / 2));
	EXPECT_TRUE(zeroed(a + self->huge / 2 + page_size(),
			   self->len - self->huge / 2 - page_size()));
}

/* The pages of all shared memory. */
static long shared_pages(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);

	/* Each processor keeps a part of the count to itself. */
	if (fd >= 0) {
		if (write(fd, "1", 1) < 0)
			perror("stat_refresh");
		close(fd);
	}
	return proc_kb("/proc/meminfo", "Shmem") * 1024 / (long)page_size();
}

/*
 * A huge page of which one page stays is split. Were it only cleared, the purge would
 * count pages that no test gets. A task that holds a reference at this moment, such as
 * khugepaged, keeps it whole: the second or third try must do.
 */
TEST_F(shared_huge, a_purge_frees_what_it_says)
{
	unsigned char *a = map_filled(self->fd, self->len, 4);
	long before, said, freed;
	int tries = 0;

	ASSERT_NE(NULL, a);
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	do {
		ASSERT_LE(0, ash_pin(self->fd, 0, 0));
		fill(a, self->len, 4);
		before = shared_pages();
		/* Old kernels give the last page a huge one that reaches over the end. */
		ASSERT_EQ(0, ash_unpin(self->fd, 0, (uint32_t)(2 * self->huge)));
		ASSERT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, (uint32_t)(self->huge / 2),
						     (uint32_t)page_size()));
		said = ash_purge_all(self->fd);
		/* Other programs may share memory at the same time. */
		freed = before - shared_pages();
		TH_LOG("%ld pages said, %ld freed", said, freed);
	} while (labs(said - freed) > said / 8 && ++tries < 3);
	EXPECT_GT(3, tries);
}

TEST_HARNESS_MAIN
