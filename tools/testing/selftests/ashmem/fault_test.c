// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation and each copy fails in turn, in every call of the device. The call
 * must return a documented error, must change nothing visible, and must succeed when it
 * is repeated. Unloading the module and kmemleak find leaks.
 *
 * Needs a kernel with CONFIG_FAULT_INJECTION, FAILSLAB, FAIL_PAGE_ALLOC,
 * FAULT_INJECTION_USERCOPY and FAULT_INJECTION_DEBUG_FS.
 */
#include "kselftest_harness.h"
#include "fault_util.h"
#include "module_util.h"

#define PAGES		8
/* Far more than the allocations of any call: ends a runaway loop. */
#define MAX_STEPS	4000

/* A region, and the data of the tested call. */
struct subject {
	int fd;
	int pipe[2];
	size_t len;
	unsigned char *a;
	char buf[ASHMEM_NAME_LEN];
	unsigned long id;
	unsigned char data[2 * 4096];
};

/* All that can be seen of a region. */
struct snapshot {
	struct ash_state state;
	char fdinfo[1024];
	off_t pos;
	long status[PAGES];
	long got[PAGES];
	unsigned char first[PAGES];
	char buf[ASHMEM_NAME_LEN];
	int lowest_fd;
};

static int lowest_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void look(const struct subject *s, struct snapshot *snap)
{
	char path[64];
	unsigned int i;

	memset(snap, 0, sizeof(*snap));
	memcpy(snap->buf, s->buf, sizeof(snap->buf));
	snap->lowest_fd = lowest_fd();
	ash_read_state(s->fd, &snap->state);
	if (s->fd < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", s->fd);
	get_file(path, snap->fdinfo, sizeof(snap->fdinfo));
	snap->pos = lseek(s->fd, 0, SEEK_CUR);
	for (i = 0; i < PAGES; i++) {
		off_t at = (off_t)(i * page_size());

		snap->status[i] = ash_pin_status(s->fd, (uint32_t)at,
						 (uint32_t)page_size());
		snap->got[i] = RET(pread(s->fd, &snap->first[i], 1, at));
	}
}

/* ---- what a call needs ---- */

static bool nothing(struct subject *s UNUSED)
{
	return true;
}

static bool opened(struct subject *s)
{
	s->fd = ash_open(O_RDWR);
	return s->fd >= 0;
}

static bool named(struct subject *s)
{
	return opened(s) && !ash_set_name(s->fd, "before");
}

static bool sized(struct subject *s)
{
	return named(s) && !ash_set_size(s->fd, s->len);
}

static bool mapped(struct subject *s)
{
	if (!sized(s))
		return false;
	s->a = ash_map(s->fd, s->len, PROT_RW);
	return s->a != MAP_FAILED;
}

static bool filled_up(struct subject *s)
{
	if (!mapped(s))
		return false;
	fill(s->a, s->len, 1);
	return true;
}

static bool half_unpinned(struct subject *s)
{
	return filled_up(s) &&
	       !ash_unpin(s->fd, 0, 2 * (uint32_t)page_size());
}

static bool all_unpinned(struct subject *s)
{
	return filled_up(s) && !ash_unpin(s->fd, 0, 0);
}

static bool with_pipe(struct subject *s)
{
	return filled_up(s) && !pipe2(s->pipe, O_CLOEXEC);
}

/* ---- the calls, and the effect of their success ---- */

static long do_open(struct subject *s)
{
	s->fd = ash_open(O_RDWR);
	return s->fd;
}

static bool is_open(struct subject *s, long ret)
{
	return ret >= 0 && ash_get_size(s->fd) == 0;
}

static long do_set_name(struct subject *s)
{
	return ash_set_name(s->fd, "after");
}

static bool has_name(struct subject *s, long ret)
{
	char name[ASHMEM_NAME_LEN];

	return !ret && !ash_get_name(s->fd, name) && !strcmp(name, "after");
}

static long do_take_name(struct subject *s)
{
	return ash_set_name(s->fd, "");
}

static bool has_no_name(struct subject *s, long ret)
{
	char name[ASHMEM_NAME_LEN];

	return !ret && !ash_get_name(s->fd, name) &&
	       !strcmp(name, ASHMEM_NAME_DEF);
}

static long do_get_name(struct subject *s)
{
	return ash_get_name(s->fd, s->buf);
}

static bool got_name(struct subject *s, long ret)
{
	return !ret && !strcmp(s->buf, "before");
}

static long do_set_size(struct subject *s)
{
	return ash_set_size(s->fd, s->len);
}

static bool has_size(struct subject *s, long ret)
{
	return !ret && ash_get_size(s->fd) == (long)s->len;
}

static long do_set_mask(struct subject *s)
{
	return ash_set_mask(s->fd, PROT_READ);
}

static bool has_mask(struct subject *s, long ret)
{
	return !ret && ash_get_mask(s->fd) == PROT_READ;
}

static long do_get_file_id(struct subject *s)
{
	return ash_file_id(s->fd, &s->id);
}

static bool got_file_id(struct subject *s, long ret)
{
	struct maps_line line;

	return !ret && maps_find(0, s->a, &line) && line.inode == s->id;
}

static long do_pin_status(struct subject *s)
{
	return ash_pin_status(s->fd, 0, 0);
}

static bool told_status(struct subject *s UNUSED, long ret)
{
	return ret == ASHMEM_IS_UNPINNED;
}

static long map_with(struct subject *s, int flags)
{
	s->a = mmap(NULL, s->len, PROT_RW, flags, s->fd, 0);
	return s->a == MAP_FAILED ? -errno : 0;
}

static long do_map(struct subject *s)
{
	return map_with(s, MAP_SHARED);
}

static long do_map_noreserve(struct subject *s)
{
	return map_with(s, MAP_SHARED | MAP_NORESERVE);
}

static long do_map_private(struct subject *s)
{
	return map_with(s, MAP_PRIVATE);
}

/* Also checks that the call left one mapping of one file with the name. */
static bool is_mapped(struct subject *s, long ret)
{
	struct maps_line line;
	unsigned long id;

	return !ret && !ash_file_id(s->fd, &id) && zeroed(s->a, s->len) &&
	       maps_find(0, s->a, &line) && line.inode == id &&
	       strstr(line.path, "dev/ashmem/before") &&
	       ash_set_size(s->fd, s->len) == -EINVAL;
}

static long do_map_again(struct subject *s)
{
	unsigned char *first = s->a;
	long ret = map_with(s, MAP_SHARED);

	munmap(first, s->len);
	return ret;
}

static long do_map_private_too(struct subject *s)
{
	unsigned char *first = s->a;
	long ret = map_with(s, MAP_PRIVATE);

	munmap(first, s->len);
	return ret;
}

static bool shows_contents(struct subject *s, long ret)
{
	return !ret && filled(s->a, s->len, 1);
}

static long do_touch(struct subject *s)
{
	return touch_write(s->a, 7);
}

static bool is_touched(struct subject *s, long ret)
{
	unsigned char byte = 0;

	return !ret && pread(s->fd, &byte, 1, 0) == 1 && byte == 7;
}

static long do_unpin(struct subject *s)
{
	return ash_unpin(s->fd, 4 * (uint32_t)page_size(),
			 2 * (uint32_t)page_size());
}

static bool is_unpinned(struct subject *s, long ret)
{
	uint32_t p = (uint32_t)page_size();

	return !ret && !ash_pin_status(s->fd, 4 * p, p) &&
	       !ash_pin_status(s->fd, 5 * p, p) &&
	       ash_pin_status(s->fd, 6 * p, 2 * p) == ASHMEM_IS_PINNED;
}

static long do_pin_middle(struct subject *s)
{
	return ash_pin(s->fd, 3 * (uint32_t)page_size(),
		       2 * (uint32_t)page_size());
}

static bool middle_is_pinned(struct subject *s, long ret)
{
	uint32_t p = (uint32_t)page_size();
	struct counts c = counts_of(s->fd);

	return ret == ASHMEM_NOT_PURGED &&
	       ash_pin_status(s->fd, 3 * p, 2 * p) == ASHMEM_IS_PINNED &&
	       c.unpinned == PAGES - 2 && c.purgeable == PAGES - 2;
}

static long do_pin_all(struct subject *s)
{
	return ash_pin(s->fd, 0, 0);
}

static bool all_pinned(struct subject *s, long ret)
{
	return ret == ASHMEM_NOT_PURGED && filled(s->a, s->len, 1) &&
	       counts_of(s->fd).unpinned == 0;
}

static long do_purge(struct subject *s)
{
	return ash_purge_all(s->fd);
}

static bool is_purged(struct subject *s, long ret)
{
	return ret == PAGES && ash_pin(s->fd, 0, 0) == ASHMEM_WAS_PURGED &&
	       zeroed(s->a, s->len);
}

static long do_read(struct subject *s)
{
	memset(s->data, 0, sizeof(s->data));
	return RET(read(s->fd, s->data, sizeof(s->data)));
}

/* A read may be short, but must have read what it returns. */
static bool has_read(struct subject *s, long ret)
{
	return ret > 0 && filled(s->data, (size_t)ret, 1) &&
	       lseek(s->fd, 0, SEEK_CUR) == ret;
}

static long do_splice(struct subject *s)
{
	return RET(splice(s->fd, NULL, s->pipe[1], NULL, sizeof(s->data), 0));
}

static bool has_spliced(struct subject *s, long ret)
{
	return ret > 0 && lseek(s->fd, 0, SEEK_CUR) == ret &&
	       read(s->pipe[0], s->data, (size_t)ret) == ret &&
	       filled(s->data, (size_t)ret, 1);
}

static long do_fdinfo(struct subject *s)
{
	char path[64];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", s->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	memset(s->data, 0, sizeof(s->data));
	got = RET(read(fd, s->data, sizeof(s->data) - 1));
	close(fd);
	return got;
}

static bool has_told(struct subject *s, long ret)
{
	char again[sizeof(s->data)], path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", s->fd);
	return ret > 0 && get_file(path, again, sizeof(again)) == ret &&
	       !strcmp(again, (char *)s->data);
}

static long do_close(struct subject *s)
{
	int fd = s->fd;

	s->fd = -1;
	return RET(close(fd));
}

/* The contents of a mapping outlive the region, unpinned or not. */
static bool is_closed(struct subject *s, long ret)
{
	return !ret && filled(s->a, s->len, 1);
}

FIXTURE(fault)
{
	struct subject s;
	struct faults faults;
	long refs;
};

/* Each error of @says must occur, those of @may_say may, and no other. */
FIXTURE_VARIANT(fault)
{
	bool (*prepare)(struct subject *s);
	long (*call)(struct subject *s);
	bool (*done)(struct subject *s, long ret);
	int says[3];
	int may_say;
};

#define CALL(name, before, what, after, ...) \
	FIXTURE_VARIANT_ADD(fault, name) \
	{ .prepare = before, .call = what, .done = after, __VA_ARGS__ }

CALL(open, nothing, do_open, is_open, .says = { ENOMEM, EFAULT });
CALL(set_name, opened, do_set_name, has_name, .says = { ENOMEM, EFAULT });
CALL(rename, named, do_set_name, has_name, .says = { ENOMEM, EFAULT });
CALL(take_name, named, do_take_name, has_no_name, .says = { ENOMEM, EFAULT });
CALL(set_size, named, do_set_size, has_size);
CALL(set_mask, named, do_set_mask, has_mask);
CALL(get_file_id, mapped, do_get_file_id, got_file_id);
CALL(pin_status, half_unpinned, do_pin_status, told_status);
CALL(get_name, named, do_get_name, got_name, .says = { EFAULT });
/* shmem returns ENOSPC if it cannot allocate an inode. */
CALL(map, sized, do_map, is_mapped, .says = { ENOMEM, ENOSPC });
CALL(map_noreserve, sized, do_map_noreserve, is_mapped, .says = { ENOMEM, ENOSPC });
CALL(map_private, sized, do_map_private, is_mapped, .says = { ENOMEM, ENOSPC });
CALL(map_again, filled_up, do_map_again, shows_contents, .says = { ENOMEM });
CALL(map_private_too, mapped, do_map_private_too, is_mapped, .says = { ENOMEM, ENOSPC });
/* The kernel tries a fault again. */
CALL(touch, mapped, do_touch, is_touched);
CALL(unpin, filled_up, do_unpin, is_unpinned, .says = { ENOMEM });
CALL(unpin_more, half_unpinned, do_unpin, is_unpinned, .says = { ENOMEM });
CALL(pin_middle, all_unpinned, do_pin_middle, middle_is_pinned, .says = { ENOMEM });
CALL(pin_all, all_unpinned, do_pin_all, all_pinned);
CALL(purge, all_unpinned, do_purge, is_purged);
CALL(read, filled_up, do_read, has_read, .says = { EFAULT });
CALL(splice, with_pipe, do_splice, has_spliced, .may_say = ENOMEM);
CALL(fdinfo, half_unpinned, do_fdinfo, has_told, .says = { ENOMEM, EFAULT });
CALL(close, half_unpinned, do_close, is_closed);

FIXTURE_SETUP(fault)
{
	const char *lacking = faults_begin(&self->faults);

	self->s.fd = -1;
	self->s.pipe[0] = -1;
	self->s.pipe[1] = -1;
	self->s.len = PAGES * page_size();
	self->s.a = MAP_FAILED;
	self->refs = module_refs();
	if (lacking)
		SKIP(return, "%s", lacking);
}

FIXTURE_TEARDOWN(fault)
{
	faults_end(&self->faults);
}

static void leave(struct subject *s)
{
	unsigned int i;

	if (s->a != MAP_FAILED)
		munmap(s->a, s->len);
	s->a = MAP_FAILED;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	for (i = 0; i < 2; i++) {
		if (s->pipe[i] >= 0)
			close(s->pipe[i]);
		s->pipe[i] = -1;
	}
	memset(s->buf, 0, sizeof(s->buf));
}

static bool all_seen(const int *says, const bool *seen)
{
	int i;

	for (i = 0; i < 3; i++) {
		if (says[i] && !seen[i])
			return false;
	}
	return true;
}

TEST_F_TIMEOUT(fault, changes_nothing, 600)
{
	unsigned int nth, left, i, passes = 0, failures = 0, survived = 0;
	bool seen[3] = { false };
	struct snapshot before, after;
	struct subject *s = &self->s;

	/* Run once without a fault: libc binds symbols, the stack grows, caches fill. */
	ASSERT_TRUE(variant->prepare(s));
	look(s, &before);
	ASSERT_TRUE(variant->done(s, variant->call(s)));
	leave(s);

	for (nth = 1, left = 0;; nth++) {
		bool known = false;
		long ret;

		/*
		 * If a slab allocates a page just then, all later numbers shift by one
		 * and a place is skipped: try again then.
		 */
		if (left) {
			if (all_seen(variant->says, seen) || ++passes == 5)
				break;
			nth = 1;
		}
		ASSERT_GT(MAX_STEPS, nth);
		ASSERT_TRUE(variant->prepare(s));
		look(s, &before);
		ASSERT_TRUE(fault_arm(&self->faults, nth));
		ret = variant->call(s);
		left = fault_disarm(&self->faults);
		if (ret >= 0) {
			EXPECT_TRUE(variant->done(s, ret))
				TH_LOG("step %u: returned %ld", nth, ret);
			survived += !left;
			leave(s);
			continue;
		}
		EXPECT_EQ(0, left)
			TH_LOG("%ld without a fault", ret);
		for (i = 0; i < 3; i++) {
			if (-ret != variant->says[i])
				continue;
			known = true;
			seen[i] = true;
		}
		EXPECT_TRUE(known || -ret == variant->may_say)
			TH_LOG("step %u: errno %ld", nth, -ret);
		look(s, &after);
		EXPECT_SAME_STATE(s->fd, &before.state);
		EXPECT_STREQ(before.fdinfo, after.fdinfo);
		EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)))
			TH_LOG("step %u: errno %ld left a trace", nth, -ret);
		EXPECT_TRUE(variant->done(s, variant->call(s)))
			TH_LOG("step %u: didn't work the second time", nth);
		failures++;
		leave(s);
	}
	for (i = 0; i < 3; i++) {
		EXPECT_TRUE(!variant->says[i] || seen[i])
			TH_LOG("errno %d was never seen", variant->says[i]);
	}
	TH_LOG("%u faults: %u told, %u survived", failures + survived, failures,
	       survived);
	for (i = 0; i < 40 && module_refs() != self->refs; i++)
		nap_ms(50);
	EXPECT_EQ(self->refs, module_refs());
}

TEST_HARNESS_MAIN
