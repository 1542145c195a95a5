// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may purge, what is counted, lost and kept: with PURGE_ALL_CACHES, the shrinker,
 * and real memory pressure.
 *
 * ASHMEM_PRESSURE_MAX_MB (default 4096) is how much available memory the
 * pressure tests dare to use up.
 */
#include "kselftest_harness.h"
#include "reclaim_util.h"

FIXTURE(purge)
{
	size_t p;
	int fd;
	unsigned char *a;
};

FIXTURE_SETUP(purge)
{
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	self->p = page_size();
	self->fd = ash_region("purge", 4 * self->p);
	ASSERT_LE(0, self->fd);
	self->a = ash_map(self->fd, 4 * self->p, PROT_RW);
	ASSERT_NE(MAP_FAILED, self->a);
	fill(self->a, 4 * self->p, 1);
}

FIXTURE_TEARDOWN(purge)
{
	EXPECT_EQ(0, munmap(self->a, 4 * self->p));
	EXPECT_EQ(0, close(self->fd));
}

/* ---- who may ---- */

TEST_F(purge, is_refused_to_an_ordinary_user)
{
	pid_t pid;

	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		CHILD_CHECK(!setresgid(65534, 65534, 65534));
		CHILD_CHECK(!setresuid(65534, 65534, 65534));
		CHILD_CHECK(ash_purge_all(self->fd) == -EPERM);
		_exit(0);
	}
	ASSERT_EQ(0, wait_child(pid));
	EXPECT_TRUE(filled(self->a, 4 * self->p, 1));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, 0));
}

TEST_F(purge, is_refused_to_root_of_another_user_namespace)
{
	pid_t pid;
	int code;

	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (unshare(CLONE_NEWUSER))
			_exit(77);
		CHILD_CHECK(ash_purge_all(self->fd) == -EPERM);
		_exit(0);
	}
	code = wait_child(pid);
	if (code == 77)
		SKIP(return, "no user namespaces here");
	ASSERT_EQ(0, code);
	EXPECT_TRUE(filled(self->a, 4 * self->p, 1));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, 0));
}

/* ---- what is counted ---- */

TEST_F(purge, counts_the_pages_of_all_regions_once)
{
	static const size_t extra[] = { 0, 1, 100 };
	int fds[3];
	size_t i;

	EXPECT_EQ(0, ash_purge_all(self->fd));
	/* 2, 3 and 4 pages: sizes count rounded up. */
	for (i = 0; i < 3; i++) {
		fds[i] = ash_region("count", (2 + i) * self->p - extra[i]);
		ASSERT_LE(0, fds[i]);
		ASSERT_EQ(0, map_errno(fds[i], self->p, PROT_RW, MAP_SHARED, 0));
		ASSERT_EQ(0, ash_unpin(fds[i], 0, 0));
	}
	ASSERT_EQ(0, ash_unpin(self->fd, (uint32_t)self->p, (uint32_t)self->p));
	EXPECT_EQ(2 + 3 + 4 + 1, ash_purge_all(fds[0]));
	EXPECT_EQ(0, ash_purge_all(fds[0]));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(fds[i], 0, 0));
		close(fds[i]);
	}
	EXPECT_EQ(0, ash_purge_all(self->fd));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 0, 0));
}

TEST_F(purge, does_not_count_what_was_pinned_again)
{
	uint32_t p = (uint32_t)self->p;

	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	ASSERT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, p, p));
	ASSERT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 3 * p, p));
	EXPECT_EQ(2, ash_purge_all(self->fd));
	EXPECT_TRUE(zeroed(self->a, self->p));
	EXPECT_TRUE(filled_from(self->a + self->p, self->p, 1, self->p));
	EXPECT_TRUE(zeroed(self->a + 2 * self->p, self->p));
	EXPECT_TRUE(filled_from(self->a + 3 * self->p, self->p, 1,
				3 * self->p));
}

TEST_F(purge, counts_nothing_when_all_was_pinned_again)
{
	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	ASSERT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, 0));
	EXPECT_EQ(0, ash_purge_all(self->fd));
	EXPECT_TRUE(filled(self->a, 4 * self->p, 1));
}

TEST_F(purge, does_not_count_closed_regions)
{
	int fd = ash_region("closed", 8 * self->p);
	unsigned char *a;

	ASSERT_LE(0, fd);
	a = ash_map(fd, 8 * self->p, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	fill(a, 8 * self->p, 2);
	ASSERT_EQ(0, ash_unpin(fd, 0, 0));
	close(fd);
	/* No task could learn of the loss any more, so nothing is lost. */
	EXPECT_EQ(0, ash_purge_all(self->fd));
	EXPECT_TRUE(filled(a, 8 * self->p, 2));
}

TEST_F(purge, works_through_a_region_that_was_never_mapped)
{
	int fd = ash_open(O_RDONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	EXPECT_EQ(4, ash_purge_all(fd));
	EXPECT_TRUE(zeroed(self->a, 4 * self->p));
	close(fd);
}

/* ---- what is lost, what is kept ---- */

TEST_F(purge, takes_unpinned_pages_and_keeps_pinned_ones)
{
	uint32_t p = (uint32_t)self->p;
	unsigned char *buf = malloc(4 * self->p);

	ASSERT_NE(NULL, buf);
	ASSERT_EQ(0, ash_unpin(self->fd, p, 2 * p));
	EXPECT_TRUE(filled(self->a, 4 * self->p, 1));
	ASSERT_EQ(2, ash_purge_all(self->fd));
	EXPECT_TRUE(filled(self->a, self->p, 1));
	EXPECT_TRUE(zeroed(self->a + self->p, 2 * self->p));
	EXPECT_TRUE(filled_from(self->a + 3 * self->p, self->p, 1,
				3 * self->p));

	/* read() sees the same. */
	ASSERT_EQ((long long)(4 * self->p),
		  RET(pread(self->fd, buf, 4 * self->p, 0)));
	EXPECT_EQ(0, memcmp(buf, self->a, 4 * self->p));

	EXPECT_EQ(ASHMEM_IS_UNPINNED, ash_pin_status(self->fd, p, 2 * p));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, p));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 0, 0));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, 0));
	free(buf);
}

TEST_F(purge, gives_the_memory_back)
{
	size_t len = 64 * self->p;
	int fd = ash_region("memory", len);
	unsigned char *a;

	ASSERT_LE(0, fd);
	a = ash_map(fd, len, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	fill(a, len, 2);
	ASSERT_EQ(64, resident_pages(a, len));
	ASSERT_EQ(0, ash_unpin(fd, 0, (uint32_t)(len / 2)));
	ASSERT_EQ(32, ash_purge_all(fd));
	EXPECT_EQ(32, resident_pages(a, len));
	EXPECT_EQ(32, resident_pages(a + len / 2, len / 2));
	EXPECT_EQ((long long)(len / 2), RET(lseek(fd, 0, SEEK_DATA)));
	close(fd);
}

/*
 * Purged pages that are written again without a PIN are memory that must be
 * reclaimable again; PIN still reports the loss of the old contents. (The original
 * forgot such pages until they were pinned.)
 */
TEST_F(purge, pages_written_again_and_unpinned_again_can_go_again)
{
	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	ASSERT_EQ(4, ash_purge_all(self->fd));
	fill(self->a, 4 * self->p, 2);
	EXPECT_EQ(0, ash_purge_all(self->fd));
	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	EXPECT_TRUE(filled(self->a, 4 * self->p, 2));
	EXPECT_EQ(4, ash_purge_all(self->fd));
	EXPECT_TRUE(zeroed(self->a, 4 * self->p));
	fill(self->a, 4 * self->p, 3);
	ASSERT_EQ(0, ash_unpin(self->fd, (uint32_t)self->p,
			       (uint32_t)self->p));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 0, 0));
	EXPECT_TRUE(filled(self->a, 4 * self->p, 3));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, 0));
}

TEST_F(purge, fdinfo_tells_purged_from_purgeable)
{
	ASSERT_EQ(0, ash_unpin(self->fd, 0, (uint32_t)(3 * self->p)));
	EXPECT_EQ(3, fdinfo_number(self->fd, "unpinned_pages"));
	EXPECT_EQ(3, fdinfo_number(self->fd, "purgeable_pages"));
	EXPECT_EQ(0, fdinfo_number(self->fd, "purged_pages"));
	EXPECT_EQ(4, fdinfo_number(self->fd, "resident_pages"));

	ASSERT_EQ(3, ash_purge_all(self->fd));
	ASSERT_EQ(0, ash_unpin(self->fd, (uint32_t)(3 * self->p),
			       (uint32_t)self->p));
	EXPECT_EQ(4, fdinfo_number(self->fd, "unpinned_pages"));
	EXPECT_EQ(1, fdinfo_number(self->fd, "purgeable_pages"));
	EXPECT_EQ(3, fdinfo_number(self->fd, "purged_pages"));
	EXPECT_EQ(1, fdinfo_number(self->fd, "resident_pages"));

	ASSERT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 0, (uint32_t)self->p));
	EXPECT_EQ(2, fdinfo_number(self->fd, "purged_pages"));
}

TEST_F(purge, pinned_and_unpinned_again_starts_afresh)
{
	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	ASSERT_EQ(4, ash_purge_all(self->fd));
	ASSERT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 0, 0));
	fill(self->a, 4 * self->p, 2);
	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, 0));
	EXPECT_TRUE(filled(self->a, 4 * self->p, 2));
}

TEST_F(purge, last_partial_page_goes_as_a_whole)
{
	int fd = ash_region("partial", self->p + 1);
	unsigned char *a;

	ASSERT_LE(0, fd);
	a = ash_map(fd, 2 * self->p, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	fill(a, 2 * self->p, 2);
	ASSERT_EQ(0, ash_unpin(fd, (uint32_t)self->p, 0));
	EXPECT_EQ(1, ash_purge_all(fd));
	EXPECT_TRUE(filled(a, self->p, 2));
	EXPECT_TRUE(zeroed(a + self->p, self->p));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(fd, 0, 0));
	close(fd);
}

TEST_F(purge, many_small_ranges_all_go)
{
	const unsigned int n = 512;
	int fd = ash_region("many", 2 * n * self->p);
	unsigned char *a;
	unsigned int i;

	ASSERT_LE(0, fd);
	a = ash_map(fd, 2 * n * self->p, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	for (i = 0; i < 2 * n; i++)
		a[i * self->p] = (unsigned char)(i | 1);
	/* Every other page, in an order that isn't that of the pages. */
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, ash_unpin(fd, (uint32_t)((i * 37 % n) * 2 * self->p),
				       (uint32_t)self->p));
	}
	EXPECT_EQ((long)n, ash_purge_all(fd));
	EXPECT_EQ((long)n, resident_pages(a, 2 * n * self->p));
	for (i = 0; i < 2 * n; i++) {
		ASSERT_EQ(i % 2 ? (unsigned char)(i | 1) : 0, a[i * self->p]);
	}
	for (i = 0; i < 2 * n; i++) {
		ASSERT_EQ(i % 2 ? ASHMEM_NOT_PURGED : ASHMEM_WAS_PURGED,
			  ash_pin(fd, (uint32_t)(i * self->p),
				  (uint32_t)self->p));
	}
	close(fd);
}

/*
 * Others keep reading and writing through their own mappings while purges run:
 * a pinned page never changes, an unpinned one is its pattern or zeroes.
 */
TEST_F(purge, runs_while_others_map_and_read)
{
	const unsigned int n = 16;
	size_t len = 2 * n * self->p;
	int fd = ash_region("others", len), stop[2];
	unsigned char *a;
	pid_t pid[2];
	int i;

	ASSERT_LE(0, fd);
	a = ash_map(fd, len, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	fill(a, len, 4);
	ASSERT_EQ(0, ash_unpin(fd, 0, (uint32_t)(len / 2)));
	ASSERT_EQ(0, pipe2(stop, O_NONBLOCK | O_CLOEXEC));
	for (i = 0; i < 2; i++) {
		pid[i] = fork();
		ASSERT_LE(0, pid[i]);
		if (pid[i])
			continue;
		close(stop[1]);
		for (;;) {
			unsigned char *b = ash_map(fd, len, PROT_RW), byte;
			unsigned int page;

			CHILD_CHECK(b != MAP_FAILED);
			CHILD_CHECK(filled_from(b + len / 2, len / 2, 4,
						len / 2));
			for (page = 0; page < n; page++) {
				volatile unsigned char *v = b + page * self->p;

				byte = *v;
				CHILD_CHECK(byte == 0 || byte ==
					    pattern_byte(4, page * self->p));
				*v = pattern_byte(4, page * self->p);
			}
			munmap(b, len);
			/* The parent has closed its end: exit. */
			if (read(stop[0], &byte, 1) == 0)
				_exit(0);
		}
	}
	for (i = 0; i < 100; i++) {
		ASSERT_LE(0, ash_purge_all(fd));
		ASSERT_EQ(0, ash_unpin(fd, 0, (uint32_t)(len / 2)));
		ASSERT_EQ(ASHMEM_IS_UNPINNED, ash_pin_status(fd, 0, 0));
	}
	close(stop[1]);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, wait_child(pid[i]));
	EXPECT_TRUE(filled_from(a + len / 2, len / 2, 4, len / 2));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(fd, 0, 0));
	close(fd);
}

/* ---- the shrinker ---- */

TEST_F(purge, shrinker_takes_unpinned_pages_and_keeps_pinned_ones)
{
	size_t len = 16UL << 20, half = len / 2;
	int fd = ash_region("shrinker", len);
	unsigned char *a;
	long left;

	ASSERT_LE(0, fd);
	a = ash_map(fd, len, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	fill(a, len, 5);
	ASSERT_EQ(0, ash_unpin(fd, 0, (uint32_t)half));
	if (shrink_everything())
		SKIP(return, "cannot write /proc/sys/vm/drop_caches");
	left = resident_pages(a, half);
	EXPECT_LT(left, (long)(half / self->p));
	EXPECT_EQ((long)(half / self->p), resident_pages(a + half, half));
	EXPECT_TRUE(filled_from(a + half, half, 5, half));
	EXPECT_EQ(ASHMEM_NOT_PURGED,
		  ash_pin(fd, (uint32_t)half, (uint32_t)half));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(fd, 0, (uint32_t)half));
	close(fd);
}

/* The smallest possible amount is something, and the next count finds it. */
TEST_F(purge, shrinker_takes_a_single_page)
{
	uint32_t p = (uint32_t)self->p;

	ASSERT_EQ(0, ash_unpin(self->fd, p, p));
	if (shrink_everything())
		SKIP(return, "cannot write /proc/sys/vm/drop_caches");
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, p, p));
	EXPECT_TRUE(zeroed(self->a + p, p));
	EXPECT_TRUE(filled(self->a, p, 1));
}

/* The kernel would hardly call a shrinker that counted ranges. */
TEST_F(purge, shrinker_takes_most_of_many_single_pages)
{
	uint32_t p = (uint32_t)self->p, i;
	const uint32_t ranges = 1024;
	int fd = ash_region("crumbs", 2 * ranges * self->p);
	unsigned char *a;

	ASSERT_LE(0, fd);
	a = ash_map(fd, 2 * ranges * self->p, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	fill(a, 2 * ranges * self->p, 7);
	for (i = 0; i < ranges; i++) {
		ASSERT_EQ(0, ash_unpin(fd, 2 * i * p, p));
	}
	if (shrink_everything())
		SKIP(return, "cannot write /proc/sys/vm/drop_caches");
	EXPECT_GT(ranges / 2, fdinfo_number(fd, "purgeable_pages"));
	for (i = 0; i < ranges; i++) {
		ASSERT_TRUE(filled_from(a + (2 * i + 1) * self->p, self->p, 7,
					(2 * i + 1) * self->p));
	}
	close(fd);
}

/* The state of three caches that a purge takes one after the other. */
enum order { OUT_OF_ORDER, IN_ORDER, NOT_SEEN };

static enum order watch_order(struct __test_metadata *_metadata, size_t p)
{
	enum { YOUNG, OLDEST, MIDDLE, N };
	const size_t len = 8UL << 20, step = 64 * p;
	const long whole = (long)(len / p);
	enum order order = NOT_SEEN;
	bool ended = false;
	unsigned char *a[N];
	long left[N], i;
	siginfo_t info;
	size_t off;
	pid_t pid;
	int fd[N];

	for (i = 0; i < N; i++) {
		fd[i] = ash_region("order", len);
		ASSERT_LE(0, fd[i]);
		a[i] = ash_map(fd[i], len, PROT_RW);
		ASSERT_NE(MAP_FAILED, a[i]);
		memset(a[i], 0x30 + (int)i, len);
	}
	/* Order is exact to a tick of the clock, so the test sleeps in between. */
	ASSERT_EQ(0, ash_unpin(fd[YOUNG], 0, 0));
	usleep(30000);
	for (off = 0; off < len; off += step) {
		ASSERT_EQ(0, ash_unpin(fd[OLDEST], (uint32_t)off,
				       (uint32_t)step));
	}
	usleep(30000);
	ASSERT_EQ(0, ash_unpin(fd[MIDDLE], 0, 0));
	usleep(30000);
	/* The first at first, but another UNPIN makes it the youngest. */
	ASSERT_EQ(0, ash_unpin(fd[YOUNG], 0, 0));

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(shrink_everything() ? 77 : 0);
	while (!ended) {
		info.si_pid = 0;
		ASSERT_EQ(0, waitid(P_PID, (id_t)pid, &info,
				    WEXITED | WNOHANG | WNOWAIT));
		ended = info.si_pid == pid;
		/*
		 * Youngest first: what is gone by now was gone before the
		 * older ones are looked at.
		 */
		left[YOUNG] = resident_pages(a[YOUNG], len);
		left[MIDDLE] = resident_pages(a[MIDDLE], len);
		left[OLDEST] = resident_pages(a[OLDEST], len);
		if ((left[YOUNG] < whole && left[MIDDLE]) ||
		    (left[MIDDLE] < whole && left[OLDEST]))
			order = OUT_OF_ORDER;
		else if (order == NOT_SEEN && left[OLDEST] < whole && left[YOUNG] == whole)
			order = IN_ORDER;
	}
	if (wait_child(pid) == 77)
		SKIP(return NOT_SEEN, "cannot write /proc/sys/vm/drop_caches");
	TH_LOG("left: oldest %ld, middle %ld, young %ld of %ld pages; %s",
	       left[OLDEST], left[MIDDLE], left[YOUNG], whole,
	       order == NOT_SEEN ? "not seen on the way" :
	       order == IN_ORDER ? "in order" : "out of order");
	EXPECT_LT(left[OLDEST], whole);
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(fd[OLDEST], 0, 0));
	for (i = 0; i < N; i++) {
		munmap(a[i], len);
		close(fd[i]);
	}
	return order;
}

/*
 * Three caches, unpinned in an order that isn't that of their making, and one
 * of them twice. No other task reclaims, so no region is busy. But the
 * kernel may have a page locked for a moment, to see whether it was used for
 * instance, and then its range is passed over: hence more than one try.
 */
TEST_F(purge, shrinker_takes_the_oldest_first)
{
	unsigned int tries, out_of_order = 0;

	for (tries = 0; tries < 8; tries++) {
		enum order order = watch_order(_metadata, self->p);

		if (order == IN_ORDER)
			return;
		out_of_order += order == OUT_OF_ORDER;
	}
	EXPECT_EQ(0, out_of_order);
}

/* ---- memory pressure ---- */

/*
 * Three caches that are unpinned and a region that stays pinned. A child takes
 * memory away until half of the caches have gone. In which order they go is no
 * matter here.
 */
TEST_F_TIMEOUT(purge, pressure_takes_unpinned_pages_and_keeps_pinned_ones, 300)
{
	enum { PINNED = 3, N };
	long avail = pressable_mb(), steps, max_steps, left = 0, whole, i;
	struct hog hog = { .pid = -1, .sock = -1 };
	unsigned char *a[N];
	size_t len, off;
	int fd[N];

	if (!avail || free_swap_kb() > 0)
		SKIP(return, "needs 64 MiB to ASHMEM_PRESSURE_MAX_MB available, no swap");
	/* Three eighths of what is there are cache, one eighth is pinned. */
	len = ((size_t)avail << 20) / 8;
	if (len > 32UL << 20)
		len = 32UL << 20;
	len &= ~((1UL << 20) - 1);
	whole = (long)(len / self->p);
	for (i = 0; i < N; i++) {
		fd[i] = ash_region("pressure", len);
		ASSERT_LE(0, fd[i]);
		a[i] = ash_map(fd[i], len, PROT_RW);
		ASSERT_NE(MAP_FAILED, a[i]);
		if (i == PINNED)
			fill(a[i], len, 6);
		else
			memset(a[i], 0x30 + (int)i, len);
	}
	/* One big range, middle-sized ones, and many small ones. */
	ASSERT_EQ(0, ash_unpin(fd[0], 0, 0));
	for (off = 0; off < len; off += 1UL << 20) {
		ASSERT_EQ(0, ash_unpin(fd[1], (uint32_t)off, 1U << 20));
	}
	for (off = 0; off < len; off += self->p) {
		ASSERT_EQ(0, ash_unpin(fd[2], (uint32_t)off, (uint32_t)self->p));
	}

	ASSERT_EQ(0, hog_start(&hog, 2UL << 20, hog_bulk()));
	max_steps = (long)(((size_t)proc_kb("/proc/meminfo", "MemTotal") << 10) / hog.step);
	for (steps = 0; steps < max_steps; steps++) {
		ASSERT_EQ(0, hog_step(&hog)) {
			TH_LOG("the hog died after %ld steps", steps);
		}
		left = 0;
		for (i = 0; i < PINNED; i++)
			left += resident_pages(a[i], len);
		ASSERT_EQ(whole, resident_pages(a[PINNED], len));
		if (left <= PINNED * whole / 2)
			break;
	}
	EXPECT_EQ(0, hog_stop(&hog));
	EXPECT_LE(left, PINNED * whole / 2);
	TH_LOG("%ld MiB taken, %ld of %ld unpinned pages left",
	       steps * (long)(hog.step >> 20), left, PINNED * whole);

	EXPECT_TRUE(filled(a[PINNED], len, 6));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(fd[PINNED], 0, 0));
	/* Each page is either complete or gone, and PIN reports what is gone. */
	for (i = 0; i < PINNED; i++) {
		bool lost = false;
		long answer = ash_pin(fd[i], 0, 0);

		for (off = 0; off < len; off += self->p) {
			unsigned char byte = a[i][off];

			lost |= !byte;
			ASSERT_TRUE(!byte || byte == 0x30 + i);
			ASSERT_TRUE(all_bytes(a[i] + off, self->p, byte));
		}
		if (lost)
			EXPECT_EQ(ASHMEM_WAS_PURGED, answer);
	}
	for (i = 0; i < N; i++) {
		munmap(a[i], len);
		close(fd[i]);
	}
}

TEST_HARNESS_MAIN
