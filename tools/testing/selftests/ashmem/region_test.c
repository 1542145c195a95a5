// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions without their mappings: the device, defaults, name, size, protection mask,
 * file id, unknown commands, identity.
 */
#include <sys/personality.h>

#include "kselftest_harness.h"
#include "ashmem_util.h"

TEST(device_is_a_misc_device_for_everyone)
{
	struct stat by_path, by_fd;
	int fd;

	EXPECT_TRUE(listed_in_proc_misc());
	ASSERT_EQ(0, stat(ASHMEM_DEV, &by_path));
	EXPECT_TRUE(S_ISCHR(by_path.st_mode));
	EXPECT_EQ(0666, by_path.st_mode & 0777);

	/* Users recognise a region by the device number of its descriptor. */
	fd = ash_open(O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &by_fd));
	EXPECT_TRUE(S_ISCHR(by_fd.st_mode));
	EXPECT_EQ(by_path.st_rdev, by_fd.st_rdev);
	close(fd);
}

TEST(unprivileged_user_can_open)
{
	pid_t pid;

	if (geteuid())
		SKIP(return, "needs root, to become somebody else");
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int fd;

		CHILD_CHECK(!setresgid(65534, 65534, 65534));
		CHILD_CHECK(!setresuid(65534, 65534, 65534));
		fd = ash_region("unprivileged", page_size());
		CHILD_CHECK(fd >= 0);
		CHILD_CHECK(!map_errno(fd, page_size(), PROT_RW, MAP_SHARED, 0));
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
}

FIXTURE(region)
{
	int fd;
};

FIXTURE_SETUP(region)
{
	self->fd = ash_open(O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(region)
{
	EXPECT_EQ(0, close(self->fd));
}

TEST_F(region, new_one_has_no_name_no_size_all_rights_and_no_file)
{
	struct ash_state st;
	char value[64];

	ash_read_state(self->fd, &st);
	EXPECT_STREQ(ASHMEM_NAME_DEF, st.name);
	EXPECT_EQ(0, st.size);
	EXPECT_EQ(PROT_RWX, st.mask);
	EXPECT_EQ(-EINVAL, st.id_ret);
	EXPECT_EQ(0, fdinfo_get(self->fd, "inode", value, sizeof(value)));
}

TEST_F(region, new_one_is_all_pinned)
{
	size_t p = page_size();

	ASSERT_EQ(0, ash_set_size(self->fd, 3 * p));
	ASSERT_EQ(0, map_errno(self->fd, p, PROT_RW, MAP_SHARED, 0));
	EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(self->fd, 0, 0));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, 0));
}

TEST_F(region, open_modes_take_ioctls)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		int fd = ash_open(modes[i]);

		ASSERT_LE(0, fd);
		EXPECT_EQ(0, ash_set_name(fd, "mode"));
		EXPECT_EQ(0, ash_set_size(fd, 12345));
		EXPECT_EQ(12345, ash_get_size(fd));
		EXPECT_EQ(0, ash_set_mask(fd, PROT_READ));
		EXPECT_EQ(PROT_READ, ash_get_mask(fd));
		close(fd);
	}
}

/* ---- name ---- */

TEST_F(region, name_is_read_back_with_nothing_behind_it)
{
	char buf[ASHMEM_NAME_LEN];

	ASSERT_EQ(0, ash_set_name(self->fd, "a name/with: odd \t bytes\xff"));
	memset(buf, 0x5a, sizeof(buf));
	ASSERT_EQ(0, ash_get_name(self->fd, buf));
	EXPECT_STREQ("a name/with: odd \t bytes\xff", buf);
	EXPECT_TRUE(all_bytes(buf + strlen(buf) + 1,
			      sizeof(buf) - strlen(buf) - 1, 0x5a));
}

TEST_F(region, default_name_is_read_with_nothing_behind_it)
{
	char buf[ASHMEM_NAME_LEN];

	memset(buf, 0x5a, sizeof(buf));
	ASSERT_EQ(0, ash_get_name(self->fd, buf));
	EXPECT_STREQ(ASHMEM_NAME_DEF, buf);
	EXPECT_TRUE(all_bytes(buf + sizeof(ASHMEM_NAME_DEF),
			      sizeof(buf) - sizeof(ASHMEM_NAME_DEF), 0x5a));
}

TEST_F(region, empty_name_counts_as_none)
{
	char buf[ASHMEM_NAME_LEN] = "";

	ASSERT_EQ(0, ash_set_name(self->fd, "something"));
	ASSERT_EQ(0, ash_set_name(self->fd, ""));
	ASSERT_EQ(0, ash_get_name(self->fd, buf));
	EXPECT_STREQ(ASHMEM_NAME_DEF, buf);
}

TEST_F(region, shorter_name_replaces_a_longer_one)
{
	char buf[ASHMEM_NAME_LEN] = "";

	ASSERT_EQ(0, ash_set_name(self->fd, "a rather long name"));
	ASSERT_EQ(0, ash_set_name(self->fd, "short"));
	ASSERT_EQ(0, ash_get_name(self->fd, buf));
	EXPECT_STREQ("short", buf);
}

TEST_F(region, name_is_not_read_past_its_terminator)
{
	char *name = guarded(6), buf[ASHMEM_NAME_LEN] = "";

	ASSERT_NE(NULL, name);
	memcpy(name, "guard", 6);
	EXPECT_EQ(0, ash_set_name(self->fd, name));
	ASSERT_EQ(0, ash_get_name(self->fd, buf));
	EXPECT_STREQ("guard", buf);

	name = guarded(1);
	ASSERT_NE(NULL, name);
	*name = '\0';
	EXPECT_EQ(0, ash_set_name(self->fd, name));
	ASSERT_EQ(0, ash_get_name(self->fd, buf));
	EXPECT_STREQ(ASHMEM_NAME_DEF, buf);
}

TEST_F(region, unterminated_name_before_unreadable_memory_is_refused)
{
	struct ash_state st;
	size_t len;

	ASSERT_EQ(0, ash_set_name(self->fd, "kept"));
	ash_read_state(self->fd, &st);
	for (len = 1; len < ASHMEM_NAME_LEN; len += 127) {
		char *name = guarded(len);

		ASSERT_NE(NULL, name);
		memset(name, 'x', len);
		EXPECT_EQ(-EFAULT, ash_set_name(self->fd, name));
		EXPECT_SAME_STATE(self->fd, &st);
	}
	EXPECT_EQ(-EFAULT, ash_set_name(self->fd, bad_address()));
	EXPECT_EQ(-EFAULT, ash_set_name(self->fd, NULL));
	EXPECT_SAME_STATE(self->fd, &st);
}

TEST_F(region, long_names_are_cut_to_255_bytes)
{
	static const size_t lengths[] = { 254, 255, 256, 257, 1000 };
	char name[1001], want[ASHMEM_NAME_LEN], buf[ASHMEM_NAME_LEN + 16];
	size_t i, j, kept;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		kept = lengths[i] < 255 ? lengths[i] : 255;
		for (j = 0; j < lengths[i]; j++)
			name[j] = (char)('a' + j % 26);
		name[j] = '\0';
		memcpy(want, name, kept);
		want[kept] = '\0';

		ASSERT_EQ(0, ash_set_name(self->fd, name));
		memset(buf, 0x5a, sizeof(buf));
		ASSERT_EQ(0, ash_get_name(self->fd, buf));
		EXPECT_STREQ(want, buf);
		EXPECT_TRUE(all_bytes(buf + kept + 1, sizeof(buf) - kept - 1,
				      0x5a));
	}
}

TEST_F(region, name_buffer_is_not_read_past_its_256_bytes)
{
	char *name = guarded(ASHMEM_NAME_LEN), buf[ASHMEM_NAME_LEN] = "";

	ASSERT_NE(NULL, name);
	memset(name, 'n', ASHMEM_NAME_LEN);
	ASSERT_EQ(0, ash_set_name(self->fd, name));
	ASSERT_EQ(0, ash_get_name(self->fd, buf));
	EXPECT_EQ(255, strlen(buf));
	EXPECT_TRUE(all_bytes(buf, 255, 'n'));
}

TEST_F(region, name_is_written_into_a_buffer_that_just_holds_it)
{
	char *exact = guarded(6), *tight = guarded(5);

	ASSERT_NE(NULL, exact);
	ASSERT_NE(NULL, tight);
	ASSERT_EQ(0, ash_set_name(self->fd, "tight"));
	ASSERT_EQ(0, ash_get_name(self->fd, exact));
	EXPECT_STREQ("tight", exact);
	EXPECT_EQ(-EFAULT, ash_get_name(self->fd, tight));
	EXPECT_EQ(-EFAULT, ash_get_name(self->fd, bad_address()));
	EXPECT_EQ(-EFAULT, ash_get_name(self->fd, NULL));

	exact = guarded(sizeof(ASHMEM_NAME_DEF));
	ASSERT_NE(NULL, exact);
	ASSERT_EQ(0, ash_set_name(self->fd, ""));
	ASSERT_EQ(0, ash_get_name(self->fd, exact));
	EXPECT_STREQ(ASHMEM_NAME_DEF, exact);
}

FIXTURE(first_mapping)
{
	int fd;
};

FIXTURE_VARIANT(first_mapping)
{
	int flags;
	bool unmap;
};

FIXTURE_VARIANT_ADD(first_mapping, shared)
{
	.flags = MAP_SHARED,
};

FIXTURE_VARIANT_ADD(first_mapping, shared_and_gone)
{
	.flags = MAP_SHARED,
	.unmap = true,
};

FIXTURE_VARIANT_ADD(first_mapping, private)
{
	.flags = MAP_PRIVATE,
};

FIXTURE_SETUP(first_mapping)
{
	void *p;

	self->fd = ash_region("fixed", 2 * page_size() + 1);
	ASSERT_LE(0, self->fd);
	p = mmap(NULL, page_size(), PROT_RW, variant->flags, self->fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	if (variant->unmap)
		ASSERT_EQ(0, munmap(p, page_size()));
}

FIXTURE_TEARDOWN(first_mapping)
{
	EXPECT_EQ(0, close(self->fd));
}

TEST_F(first_mapping, fixes_name_and_size)
{
	struct ash_state st;

	ash_read_state(self->fd, &st);
	EXPECT_STREQ("fixed", st.name);
	EXPECT_EQ(2 * page_size() + 1, st.size);
	EXPECT_EQ(0, st.id_ret);

	EXPECT_EQ(-EINVAL, ash_set_name(self->fd, "other"));
	EXPECT_EQ(-EINVAL, ash_set_name(self->fd, ""));
	EXPECT_EQ(-EINVAL, ash_set_name(self->fd, "fixed"));
	EXPECT_EQ(-EINVAL, ash_set_size(self->fd, page_size()));
	EXPECT_EQ(-EINVAL, ash_set_size(self->fd, 2 * page_size() + 1));
	EXPECT_EQ(-EINVAL, ash_set_size(self->fd, 0));
	EXPECT_SAME_STATE(self->fd, &st);
}

TEST_F(first_mapping, bad_name_address_is_told_before_the_late_call)
{
	struct ash_state st;

	ash_read_state(self->fd, &st);
	EXPECT_EQ(-EFAULT, ash_set_name(self->fd, bad_address()));
	EXPECT_SAME_STATE(self->fd, &st);
}

TEST_F(first_mapping, leaves_the_mask_narrowable)
{
	EXPECT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	EXPECT_EQ(PROT_READ, ash_get_mask(self->fd));
}

TEST_F(region, refused_mapping_fixes_nothing)
{
	struct ash_state st;
	size_t p = page_size();

	EXPECT_EQ(-EINVAL, map_errno(self->fd, p, PROT_RW, MAP_SHARED, 0));
	EXPECT_EQ(0, ash_set_name(self->fd, "before size"));
	EXPECT_EQ(0, ash_set_size(self->fd, p));
	EXPECT_EQ(-EINVAL, map_errno(self->fd, 2 * p, PROT_RW, MAP_SHARED, 0));
	EXPECT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	EXPECT_EQ(-EPERM, map_errno(self->fd, p, PROT_RW, MAP_SHARED, 0));
	ash_read_state(self->fd, &st);
	EXPECT_EQ(-EINVAL, st.id_ret);
	EXPECT_EQ(0, ash_set_name(self->fd, "after refusals"));
	EXPECT_EQ(0, ash_set_size(self->fd, 2 * p));
}

/* ---- size ---- */

TEST_F(region, size_takes_any_value)
{
	const size_t p = page_size();
	const size_t sizes[] = { 0, 1, p - 1, p, p + 1, 123457, INT32_MAX,
				 SIZE_MAX / 2, SIZE_MAX / 2 + 1 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		char value[32], want[32];

		EXPECT_EQ(0, ash_set_size(self->fd, sizes[i]));
		if (sizes[i] <= INT32_MAX)
			EXPECT_EQ((long)sizes[i], ash_get_size(self->fd));
		snprintf(want, sizeof(want), "%zu", sizes[i]);
		EXPECT_EQ(1, fdinfo_get(self->fd, "size", value, sizeof(value)));
		EXPECT_STREQ(want, value);
	}
}

/* Such a size can't be an ioctl's value, see ash_get_size(). */
TEST_F(region, size_near_the_top_is_kept)
{
	char value[32], want[32];

	ASSERT_EQ(0, ash_set_size(self->fd, SIZE_MAX));
	snprintf(want, sizeof(want), "%zu", SIZE_MAX);
	ASSERT_EQ(1, fdinfo_get(self->fd, "size", value, sizeof(value)));
	EXPECT_STREQ(want, value);

#if __SIZEOF_SIZE_T__ > 4
	/* Rounded up to a page it wraps to 0: no length fits into it. */
	EXPECT_EQ(-EINVAL, map_errno(self->fd, page_size(), PROT_READ,
				     MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL, map_errno(self->fd, page_size(), PROT_READ,
				     MAP_PRIVATE, 0));
#endif
	EXPECT_EQ(0, ash_set_size(self->fd, page_size()));
	EXPECT_EQ(0, map_errno(self->fd, page_size(), PROT_READ, MAP_SHARED, 0));
}

TEST_F(region, size_larger_than_int_is_returned_cut)
{
#if __SIZEOF_SIZE_T__ > 4
	ASSERT_EQ(0, ash_set_size(self->fd, (size_t)5 << 32 | 17));
	EXPECT_EQ(17, ash_get_size(self->fd));
#endif
	ASSERT_EQ(0, ash_set_size(self->fd, 0x80000001));
	EXPECT_EQ(INT32_MIN + 1, ash_get_size(self->fd));
}

/* ---- protection mask ---- */

TEST_F(region, mask_only_narrows)
{
	unsigned long from, to;

	for (from = 0; from <= PROT_RWX; from++) {
		for (to = 0; to <= PROT_RWX; to++) {
			int fd = ash_open(O_RDWR);
			bool adds = to & ~from;

			ASSERT_LE(0, fd);
			ASSERT_EQ(0, ash_set_mask(fd, from));
			EXPECT_EQ(adds ? -EINVAL : 0, ash_set_mask(fd, to));
			EXPECT_EQ((long)(adds ? from : to), ash_get_mask(fd));
			close(fd);
		}
	}
}

TEST_F(region, mask_refuses_bits_outside_rwx)
{
	static const unsigned long bits[] = {
		0x8, 0x10, PROT_GROWSDOWN, PROT_GROWSUP, 1UL << 31,
		1UL << (sizeof(long) * 8 - 1), ~0UL,
	};
	struct ash_state st;
	size_t i;

	ash_read_state(self->fd, &st);
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		EXPECT_EQ(-EINVAL, ash_set_mask(self->fd, bits[i]));
		EXPECT_EQ(-EINVAL, ash_set_mask(self->fd, bits[i] | PROT_READ));
		EXPECT_SAME_STATE(self->fd, &st);
	}
#if __SIZEOF_LONG__ > 4
	EXPECT_EQ(-EINVAL, ash_set_mask(self->fd, 1UL << 32 | PROT_READ));
	EXPECT_SAME_STATE(self->fd, &st);
#endif
}

TEST_F(region, read_implies_exec_keeps_exec_that_is_there)
{
	ASSERT_LE(0, personality(READ_IMPLIES_EXEC));
	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	EXPECT_EQ(PROT_READ | PROT_EXEC, ash_get_mask(self->fd));
	ASSERT_EQ(0, ash_set_mask(self->fd, 0));
	EXPECT_EQ(0, ash_get_mask(self->fd));
}

TEST_F(region, read_implies_exec_needs_read)
{
	ASSERT_LE(0, personality(READ_IMPLIES_EXEC));
	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_WRITE));
	EXPECT_EQ(PROT_WRITE, ash_get_mask(self->fd));
}

TEST_F(region, read_implies_exec_never_brings_exec_back)
{
	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_RW));
	ASSERT_LE(0, personality(READ_IMPLIES_EXEC));
	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_RW));
	EXPECT_EQ(PROT_RW, ash_get_mask(self->fd));
	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	EXPECT_EQ(PROT_READ, ash_get_mask(self->fd));
	EXPECT_EQ(-EINVAL, ash_set_mask(self->fd, PROT_READ | PROT_EXEC));
	EXPECT_EQ(PROT_READ, ash_get_mask(self->fd));
}

/* ---- file id ---- */

TEST_F(region, file_id_needs_a_backing_file)
{
	unsigned long id = 0x5a5a5a5a;

	EXPECT_EQ(-EINVAL, ash_file_id(self->fd, &id));
	EXPECT_EQ(0x5a5a5a5a, id);
	ASSERT_EQ(0, ash_set_size(self->fd, 1));
	EXPECT_EQ(-EINVAL, ash_file_id(self->fd, &id));
	EXPECT_EQ(0x5a5a5a5a, id);
}

TEST_F(first_mapping, file_id_is_the_inode_of_maps_and_fdinfo)
{
	unsigned long *id = guarded(sizeof(*id));
	void *p = mmap(NULL, page_size(), PROT_READ, variant->flags, self->fd, 0);
	struct maps_line m;
	char value[32];

	ASSERT_NE(NULL, id);
	ASSERT_NE(MAP_FAILED, p);
	*id = 0;
	ASSERT_EQ(0, ash_file_id(self->fd, id));
	EXPECT_NE(0, *id);
	ASSERT_TRUE(maps_find(0, p, &m));
	EXPECT_EQ(m.inode, *id);
	ASSERT_EQ(1, fdinfo_get(self->fd, "inode", value, sizeof(value)));
	EXPECT_EQ(strtoull(value, NULL, 10), *id);
}

TEST_F(first_mapping, file_id_wants_a_writable_address)
{
	EXPECT_EQ(-EFAULT, ash_file_id(self->fd, bad_address()));
	EXPECT_EQ(-EFAULT, ash_file_id(self->fd, NULL));
}

/* ---- unknown commands ---- */

TEST_F(region, unknown_commands_are_not_for_us)
{
	static const unsigned long cmds[] = {
		_IO(0x77, 0), _IO(0x77, 12), _IO(0x77, 255),
		_IO(0x77, 1), _IO(0x77, 2), _IO(0x77, 3), _IO(0x77, 5),
		_IO(0x77, 7), _IO(0x77, 8), _IO(0x77, 11),
		_IO(0x76, 4), _IO(0x78, 4), 0, 0xffffffffUL,
		_IOR(0x77, 1, char[ASHMEM_NAME_LEN]),
		_IOW(0x77, 2, char[ASHMEM_NAME_LEN]),
		_IOW(0x77, 1, char[ASHMEM_NAME_LEN - 1]),
		_IOR(0x77, 2, char[ASHMEM_NAME_LEN + 1]),
		_IOW(0x77, 3, char[2]), _IOW(0x77, 3, char[16]),
		_IOR(0x77, 3, size_t), _IOWR(0x77, 3, size_t),
		_IOR(0x77, 4, size_t), _IOW(0x77, 5, char[2]),
		_IOW(0x77, 7, char[4]), _IOW(0x77, 8, char[16]),
		_IOW(0x77, 9, struct ashmem_pin), _IOW(0x77, 10, int),
		_IOR(0x77, 11, char[2]), _IOW(0x77, 11, unsigned long),
#if __SIZEOF_LONG__ > 4
		/* the numbers of a 32-bit caller differ */
		_IOW(0x77, 3, uint32_t), _IOW(0x77, 5, uint32_t),
		_IOR(0x77, 11, uint32_t),
#endif
	};
	unsigned char arg[512];
	struct ash_state st;
	size_t i;

	ASSERT_EQ(0, ash_set_size(self->fd, page_size()));
	ash_read_state(self->fd, &st);
	memset(arg, 0x5a, sizeof(arg));
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_EQ(-ENOTTY, ash_ioctl(self->fd, cmds[i],
					     (unsigned long)arg)) {
			TH_LOG("command 0x%lx", cmds[i]);
		}
	}
	EXPECT_TRUE(all_bytes(arg, sizeof(arg), 0x5a));
	EXPECT_SAME_STATE(self->fd, &st);
}

/* ---- identity ---- */

TEST_F(region, two_opens_are_two_regions)
{
	int other = ash_open(O_RDWR);
	unsigned long id = 0, other_id = 0;
	size_t p = page_size();
	unsigned char *a, *b;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, ash_set_name(self->fd, "one"));
	ASSERT_EQ(0, ash_set_size(self->fd, p));
	ASSERT_EQ(0, ash_set_size(other, p));
	a = ash_map(self->fd, p, PROT_RW);
	b = ash_map(other, p, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_NE(MAP_FAILED, b);
	fill(a, p, 1);
	EXPECT_TRUE(zeroed(b, p));
	EXPECT_EQ(0, ash_file_id(self->fd, &id));
	EXPECT_EQ(0, ash_file_id(other, &other_id));
	EXPECT_NE(id, other_id);
	EXPECT_EQ(0, ash_set_mask(other, 0));
	EXPECT_EQ(PROT_RWX, ash_get_mask(self->fd));
	close(other);
}

TEST_F(region, dup_is_the_same_region)
{
	int other = dup(self->fd);
	struct ash_state st;
	size_t p = page_size();
	unsigned char *a, *b;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, ash_set_name(self->fd, "shared by dup"));
	ASSERT_EQ(0, ash_set_size(other, p));
	a = ash_map(self->fd, p, PROT_RW);
	b = ash_map(other, p, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_NE(MAP_FAILED, b);
	fill(a, p, 2);
	EXPECT_TRUE(filled(b, p, 2));
	ash_read_state(self->fd, &st);
	EXPECT_SAME_STATE(other, &st);
	close(other);
	EXPECT_SAME_STATE(self->fd, &st);
}

TEST_F(region, reopen_by_proc_is_a_new_region)
{
	char path[64], name[ASHMEM_NAME_LEN] = "";
	int other;

	ASSERT_EQ(0, ash_set_name(self->fd, "first"));
	ASSERT_EQ(0, ash_set_size(self->fd, page_size()));
	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	other = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, other);
	EXPECT_EQ(0, ash_get_size(other));
	EXPECT_EQ(PROT_RWX, ash_get_mask(other));
	ASSERT_EQ(0, ash_get_name(other, name));
	EXPECT_STREQ(ASHMEM_NAME_DEF, name);
	close(other);
}

TEST_HARNESS_MAIN
