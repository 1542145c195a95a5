// SPDX-License-Identifier: GPL-2.0-only
/*
 * PIN, UNPIN and GET_PIN_STATUS: arguments, results, and the whole state against a
 * model.
 *
 * ASHMEM_SEED=number repeats a random run; ASHMEM_STEPS sets its length.
 */
#include "kselftest_harness.h"
#include "ashmem_util.h"
#include "pins_util.h"

static const unsigned long pin_cmds[] = {
	ASHMEM_PIN, ASHMEM_UNPIN, ASHMEM_GET_PIN_STATUS,
};

FIXTURE(pin)
{
	size_t p;
	int fd;
	unsigned char *a;
};

/* Four pages, of which the last one holds a single byte. */
FIXTURE_SETUP(pin)
{
	self->p = page_size();
	self->fd = ash_region("pin", 3 * self->p + 1);
	ASSERT_LE(0, self->fd);
	self->a = ash_map(self->fd, 4 * self->p, PROT_RW);
	ASSERT_NE(MAP_FAILED, self->a);
	fill(self->a, 4 * self->p, 1);
}

FIXTURE_TEARDOWN(pin)
{
	EXPECT_EQ(0, munmap(self->a, 4 * self->p));
	EXPECT_EQ(0, close(self->fd));
}

/* Bit n is set when page n is unpinned. */
static unsigned int unpinned_pages(int fd, unsigned int n)
{
	unsigned int i, bits = 0;

	for (i = 0; i < n; i++) {
		if (ash_pin_status(fd, (uint32_t)(i * page_size()),
				   (uint32_t)page_size()) == ASHMEM_IS_UNPINNED)
			bits |= 1U << i;
	}
	return bits;
}

/* ---- arguments ---- */

TEST_F(pin, unreadable_argument_is_told_first)
{
	int fresh = ash_open(O_RDWR);
	size_t i;

	ASSERT_LE(0, fresh);
	ASSERT_EQ(0, ash_unpin(self->fd, (uint32_t)self->p, (uint32_t)self->p));
	for (i = 0; i < ARRAY_SIZE(pin_cmds); i++) {
		unsigned char *cut = guarded(sizeof(struct ashmem_pin) - 1);

		ASSERT_NE(NULL, cut);
		memset(cut, 0, sizeof(struct ashmem_pin) - 1);
		EXPECT_EQ(-EFAULT, ash_ioctl(self->fd, pin_cmds[i],
					     (unsigned long)bad_address()));
		EXPECT_EQ(-EFAULT, ash_ioctl(self->fd, pin_cmds[i], 0));
		EXPECT_EQ(-EFAULT, ash_ioctl(self->fd, pin_cmds[i],
					     (unsigned long)cut));
		EXPECT_EQ(-EFAULT, ash_ioctl(fresh, pin_cmds[i],
					     (unsigned long)bad_address()));
		EXPECT_EQ(2, unpinned_pages(self->fd, 4));
	}
	close(fresh);
}

TEST_F(pin, argument_is_not_read_past_its_end)
{
	struct ashmem_pin *arg = guarded(sizeof(*arg));

	ASSERT_NE(NULL, arg);
	arg->offset = 0;
	arg->len = 0;
	EXPECT_EQ(0, ash_ioctl(self->fd, ASHMEM_UNPIN, (unsigned long)arg));
	EXPECT_EQ(0xf, unpinned_pages(self->fd, 4));
}

TEST_F(pin, region_without_backing_file_is_refused)
{
	int fd = ash_open(O_RDWR);
	size_t i;

	ASSERT_LE(0, fd);
	for (i = 0; i < ARRAY_SIZE(pin_cmds); i++)
		EXPECT_EQ(-EINVAL, ash_pin_op(fd, pin_cmds[i], 0, 0));
	ASSERT_EQ(0, ash_set_size(fd, 4 * self->p));
	for (i = 0; i < ARRAY_SIZE(pin_cmds); i++) {
		EXPECT_EQ(-EINVAL, ash_pin_op(fd, pin_cmds[i], 0, 0));
		EXPECT_EQ(-EINVAL, ash_pin_op(fd, pin_cmds[i], 0,
					      (uint32_t)self->p));
	}
	ASSERT_EQ(0, map_errno(fd, self->p, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(fd, 0, 0));
	close(fd);
}

TEST_F(pin, interval_table)
{
	const uint32_t p = (uint32_t)self->p, top = ~(p - 1);
	const struct {
		uint32_t offset, len;
		bool ok;
		unsigned int pages;
	} table[] = {
		{ 0, 0, true, 0xf },
		{ 0, 4 * p, true, 0xf },
		{ 0, p, true, 0x1 },
		{ p, 2 * p, true, 0x6 },
		{ 2 * p, 0, true, 0xc },
		{ 3 * p, p, true, 0x8 },
		{ 3 * p, 0, true, 0x8 },
		/* unaligned offset */
		{ 1, p, false, 0 },
		{ 1, 0, false, 0 },
		{ p - 1, p, false, 0 },
		{ p / 2, p / 2, false, 0 },
		{ 2 * p + 1, 0, false, 0 },
		/* unaligned length */
		{ 0, 1, false, 0 },
		{ 0, p + 1, false, 0 },
		{ 0, p - 1, false, 0 },
		{ 0, 3 * p + 1, false, 0 },
		{ 1, p - 1, false, 0 },
		/* past the page-rounded size */
		{ 0, 5 * p, false, 0 },
		{ p, 4 * p, false, 0 },
		{ 3 * p, 2 * p, false, 0 },
		{ 4 * p, p, false, 0 },
		{ 8 * p, p, false, 0 },
		{ 0, top, false, 0 },
		/* behind the end; just there is the next test */
		{ 5 * p, 0, false, 0 },
		{ top, 0, false, 0 },
		/* sums that wrap around 32 bits */
		{ top, p, false, 0 },
		{ p, top, false, 0 },
		{ top, 2 * p, false, 0 },
		{ 2 * p, top, false, 0 },
		{ top, top, false, 0 },
		{ 0x80000000, 0x80000000, false, 0 },
		{ UINT32_MAX, UINT32_MAX, false, 0 },
		{ UINT32_MAX, 1, false, 0 },
	};
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		uint32_t off = table[i].offset, len = table[i].len;

		if (table[i].ok) {
			ASSERT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, 0));
			EXPECT_EQ(ASHMEM_IS_PINNED,
				  ash_pin_status(self->fd, off, len));
			EXPECT_EQ(0, ash_unpin(self->fd, off, len));
			EXPECT_EQ(table[i].pages, unpinned_pages(self->fd, 4));
			EXPECT_EQ(ASHMEM_IS_UNPINNED,
				  ash_pin_status(self->fd, off, len));
			ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
			EXPECT_EQ(ASHMEM_NOT_PURGED,
				  ash_pin(self->fd, off, len));
			EXPECT_EQ(0xf & ~table[i].pages,
				  unpinned_pages(self->fd, 4));
			EXPECT_EQ(ASHMEM_IS_PINNED,
				  ash_pin_status(self->fd, off, len));
			continue;
		}
		/* One page in each state, so that every change is visible. */
		ASSERT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, 0));
		ASSERT_EQ(0, ash_unpin(self->fd, p, p));
		ASSERT_EQ(0, ash_unpin(self->fd, 3 * p, p));
		for (j = 0; j < ARRAY_SIZE(pin_cmds); j++) {
			EXPECT_EQ(-EINVAL, ash_pin_op(self->fd, pin_cmds[j],
						      off, len)) {
				TH_LOG("command %zu: offset 0x%x, len 0x%x", j,
				       off, len);
			}
			EXPECT_EQ(0xa, unpinned_pages(self->fd, 4));
		}
	}
	EXPECT_TRUE(filled(self->a, 4 * self->p, 1));
}

/*
 * Chromium's discardable memory pins and unpins an empty segment this way and asserts
 * the results. It has no pages, so there is no range.
 */
TEST_F(pin, nothing_at_the_end_is_allowed)
{
	uint32_t p = (uint32_t)self->p, end = 4 * p;
	int i;

	/* Beside nothing unpinned, beside the last page, and beside all. */
	for (i = 4; i >= 0; i--) {
		unsigned int pages = 0xf & ~((1U << i) - 1);

		if (i < 4)
			ASSERT_EQ(0, ash_unpin(self->fd, (uint32_t)i * p, 0));
		EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(self->fd, end, 0));
		EXPECT_EQ(0, ash_unpin(self->fd, end, 0));
		EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(self->fd, end, 0));
		EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, end, 0));
		EXPECT_EQ(pages, unpinned_pages(self->fd, 4));
		EXPECT_EQ(4 - i, fdinfo_number(self->fd, "unpinned_pages"));
	}
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	/* A loss before it is not its own. */
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, end, 0));
	EXPECT_EQ(0, ash_unpin(self->fd, end, 0));
	EXPECT_EQ(0, ash_purge_all(self->fd));
	EXPECT_EQ(0xf, unpinned_pages(self->fd, 4));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 0, 0));
	/* One byte further there is no page. */
	EXPECT_EQ(-EINVAL, ash_unpin(self->fd, end + 1, 0));
	EXPECT_EQ(-EINVAL, ash_unpin(self->fd, end, p));
}

/* ---- rights: the others are in rights_test ---- */

TEST_F(pin, unpin_with_only_write_left_is_allowed)
{
	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_WRITE));
	EXPECT_EQ(0, ash_unpin(self->fd, 0, 0));
	EXPECT_EQ(0xf, unpinned_pages(self->fd, 4));
}

/* ---- plain use ---- */

TEST_F(pin, pin_of_pinned_pages_changes_nothing)
{
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, 0));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, (uint32_t)self->p));
	EXPECT_EQ(0, unpinned_pages(self->fd, 4));
	EXPECT_TRUE(filled(self->a, 4 * self->p, 1));
}

TEST_F(pin, unpin_twice_is_unpin_once)
{
	uint32_t p = (uint32_t)self->p;

	EXPECT_EQ(0, ash_unpin(self->fd, p, p));
	EXPECT_EQ(0, ash_unpin(self->fd, p, p));
	EXPECT_EQ(0x2, unpinned_pages(self->fd, 4));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, p, p));
	EXPECT_EQ(0, unpinned_pages(self->fd, 4));
}

TEST_F(pin, contents_are_kept_when_nothing_presses)
{
	EXPECT_EQ(0, ash_unpin(self->fd, 0, 0));
	EXPECT_TRUE(filled(self->a, 4 * self->p, 1));
	fill(self->a, 4 * self->p, 3);
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, 0));
	EXPECT_TRUE(filled(self->a, 4 * self->p, 3));
}

TEST_F(pin, status_is_unpinned_if_any_page_is)
{
	uint32_t p = (uint32_t)self->p;

	EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(self->fd, 0, 0));
	ASSERT_EQ(0, ash_unpin(self->fd, 2 * p, p));
	EXPECT_EQ(ASHMEM_IS_UNPINNED, ash_pin_status(self->fd, 0, 0));
	EXPECT_EQ(ASHMEM_IS_UNPINNED, ash_pin_status(self->fd, 0, 3 * p));
	EXPECT_EQ(ASHMEM_IS_UNPINNED, ash_pin_status(self->fd, 2 * p, 2 * p));
	EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(self->fd, 0, 2 * p));
	EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(self->fd, 3 * p, p));
}

TEST_F(pin, pin_of_the_middle_leaves_both_sides_unpinned)
{
	uint32_t p = (uint32_t)self->p;

	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, p, 2 * p));
	EXPECT_EQ(0x9, unpinned_pages(self->fd, 4));
}

/* ---- purged or not ---- */

TEST_F(pin, pin_of_a_part_leaves_the_rest_purged)
{
	uint32_t p = (uint32_t)self->p;

	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	ASSERT_EQ(4, ash_purge_all(self->fd));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, p, p));
	EXPECT_EQ(0xd, unpinned_pages(self->fd, 4));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, p, p));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 0, p));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 3 * p, p));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 2 * p, p));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, 0));
	EXPECT_TRUE(zeroed(self->a, 4 * self->p));
}

TEST_F(pin, adjacent_ranges_answer_for_themselves)
{
	uint32_t p = (uint32_t)self->p;

	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	ASSERT_EQ(0, ash_unpin(self->fd, p, p));
	ASSERT_EQ(1, ash_purge_all(self->fd));
	ASSERT_EQ(0, ash_unpin(self->fd, 0, p));
	ASSERT_EQ(0, ash_unpin(self->fd, 2 * p, p));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, p));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 2 * p, p));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, p, p));
	EXPECT_TRUE(filled(self->a, self->p, 1));
	EXPECT_TRUE(zeroed(self->a + self->p, self->p));
}

TEST_F(pin, overlapping_ranges_share_their_answer)
{
	uint32_t p = (uint32_t)self->p;

	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	ASSERT_EQ(0, ash_unpin(self->fd, p, p));
	ASSERT_EQ(1, ash_purge_all(self->fd));
	ASSERT_EQ(0, ash_unpin(self->fd, p, 2 * p));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 2 * p, p));
	EXPECT_TRUE(filled_from(self->a + 2 * self->p, self->p, 1, 2 * self->p));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, p, p));
}

TEST_F(pin, one_purged_range_among_those_touched_is_told)
{
	uint32_t p = (uint32_t)self->p, at;

	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	/* The first, the middle and the last of three ranges. */
	for (at = 0; at < 3; at++) {
		ASSERT_EQ(0, ash_unpin(self->fd, at * p, p));
		ASSERT_EQ(1, ash_purge_all(self->fd));
		ASSERT_EQ(0, ash_unpin(self->fd, (at + 1) % 3 * p, p));
		ASSERT_EQ(0, ash_unpin(self->fd, (at + 2) % 3 * p, p));
		EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 0, 0));
		EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, 0));
	}
}

/* ---- who shares the state ---- */

TEST_F(pin, state_is_shared_with_a_forked_child)
{
	uint32_t p = (uint32_t)self->p;
	pid_t pid;

	ASSERT_EQ(0, ash_unpin(self->fd, 0, p));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		CHILD_CHECK(unpinned_pages(self->fd, 4) == 0x1);
		CHILD_CHECK(ash_pin(self->fd, 0, p) == ASHMEM_NOT_PURGED);
		CHILD_CHECK(!ash_unpin(self->fd, 2 * p, 2 * p));
		_exit(0);
	}
	ASSERT_EQ(0, wait_child(pid));
	EXPECT_EQ(0xc, unpinned_pages(self->fd, 4));
}

TEST_F(pin, state_is_shared_by_scm_rights)
{
	uint32_t p = (uint32_t)self->p;
	int sock[2], fd = -1;
	uint64_t word;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	ASSERT_EQ(0, ash_unpin(self->fd, p, p));
	ASSERT_EQ(0, send_fds(sock[0], 1, &self->fd, 1));
	ASSERT_EQ(0, recv_fds(sock[1], &word, &fd, 1));
	EXPECT_NE(self->fd, fd);
	EXPECT_EQ(0x2, unpinned_pages(fd, 4));
	EXPECT_EQ(0, ash_unpin(fd, 2 * p, p));
	EXPECT_EQ(0x6, unpinned_pages(self->fd, 4));
	close(fd);
	/* The state is the open region's, not the descriptor's. */
	EXPECT_EQ(0x6, unpinned_pages(self->fd, 4));
	close(sock[0]);
	close(sock[1]);
}

TEST_F(pin, private_region_can_be_pinned_too)
{
	int fd = ash_region("private", 2 * self->p);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, map_errno(fd, self->p, PROT_RW, MAP_PRIVATE, 0));
	EXPECT_EQ(0, ash_unpin(fd, 0, 0));
	EXPECT_EQ(0x3, unpinned_pages(fd, 2));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(fd, 0, 0));
	close(fd);
}

/* ---- more than 32 bits ---- */

#if __SIZEOF_SIZE_T__ > 4
TEST(len_0_reaches_the_end_of_a_region_over_4_gib)
{
	size_t p = page_size(), four_gib = (size_t)1 << 32;
	int fd = ash_region("big", four_gib + 3 * p);
	uint32_t top = (uint32_t)(four_gib - p);
	unsigned char *end, *begin;

	ASSERT_LE(0, fd);
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	/* Sparse: nothing is charged for what isn't touched. */
	end = mmap(NULL, 3 * p, PROT_RW, MAP_SHARED | MAP_NORESERVE, fd,
		   (off_t)four_gib);
	ASSERT_NE(MAP_FAILED, end);
	begin = mmap(NULL, 2 * p, PROT_RW, MAP_SHARED | MAP_NORESERVE, fd, 0);
	ASSERT_NE(MAP_FAILED, begin);
	fill(begin, 2 * p, 1);
	fill(end, 3 * p, 2);

	/* Sums have to stay below 4 GiB, even where the region doesn't. */
	EXPECT_EQ(-EINVAL, ash_unpin(fd, top, (uint32_t)(2 * p)));
	EXPECT_EQ(-EINVAL, ash_unpin(fd, top, (uint32_t)p));
	EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(fd, 0, 0));

	/* From the page below 4 GiB on: the last three pages are in it. */
	ASSERT_EQ(0, ash_unpin(fd, top, 0));
	EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(fd, 0, top));
	EXPECT_EQ(ASHMEM_IS_UNPINNED, ash_pin_status(fd, top, 0));
	EXPECT_EQ(4, ash_purge_all(fd));
	EXPECT_TRUE(zeroed(end, 3 * p));
	EXPECT_TRUE(filled(begin, 2 * p, 1));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(fd, top, 0));
	EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(fd, 0, 0));

	/* The whole of it. */
	fill(end, 3 * p, 3);
	ASSERT_EQ(0, ash_unpin(fd, 0, 0));
	EXPECT_EQ((long)(four_gib / p + 3), ash_purge_all(fd));
	EXPECT_TRUE(zeroed(end, 3 * p));
	EXPECT_TRUE(zeroed(begin, 2 * p));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(fd, 0, 0));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(fd, 0, 0));
	close(fd);
}

/* Page by page this would take days: the time limit of the harness detects that. */
TEST(far_more_pages_than_memory_are_purged_at_once)
{
	size_t p = page_size(), size = (size_t)1 << 60;
	int fd = ash_region("vast", size);
	unsigned char *begin, *middle;

	ASSERT_LE(0, fd);
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	begin = mmap(NULL, p, PROT_RW, MAP_SHARED | MAP_NORESERVE, fd, 0);
	ASSERT_NE(MAP_FAILED, begin);
	middle = mmap(NULL, p, PROT_RW, MAP_SHARED | MAP_NORESERVE, fd,
		      (off_t)(size / 2));
	ASSERT_NE(MAP_FAILED, middle);
	fill(begin, p, 1);
	fill(middle, p, 2);

	ASSERT_EQ(0, ash_unpin(fd, 0, 0));
	ASSERT_LE(0, ash_purge_all(fd));
	EXPECT_TRUE(zeroed(begin, p));
	EXPECT_TRUE(zeroed(middle, p));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(fd, 0, 0));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(fd, 0, 0));
	close(fd);
}
#endif

/* ---- the whole state against a model ---- */

#define MODEL_PAGES	48

static void forget_purgeable(struct pins *pins, uint64_t *contents)
{
	unsigned int i;
	uint64_t page;

	for (i = 0; i < pins->count; i++) {
		const struct pins_range *range = &pins->range[i];

		for (page = range->first; range->purgeable && page <= range->last; page++)
			contents[page] = 0;
	}
	pins_purge(pins);
}

TEST_F_TIMEOUT(pin, random_steps_match_a_model, 300)
{
	const char *steps_env = getenv("ASHMEM_STEPS");
	unsigned long step, steps = steps_env ? strtoul(steps_env, NULL, 0) : 6000;
	uint64_t seed = rng_seed();
	struct rng rng = { .state = seed };
	bool can_purge = purge_works();
	struct pins pins = { .count = 0 };
	uint64_t contents[MODEL_PAGES] = { 0 };	/* first word of each page */
	size_t p = self->p;
	uint64_t tag = 1;
	unsigned int i;
	unsigned char *a;
	int fd;

	TH_LOG("ASHMEM_SEED=%llu, %lu steps, %s purges",
	       (unsigned long long)seed, steps, can_purge ? "with" : "without");
	fd = ash_region("model", MODEL_PAGES * p - 17);
	ASSERT_LE(0, fd);
	a = ash_map(fd, MODEL_PAGES * p, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);

	for (step = 0; step < steps; step++) {
		unsigned int first = rng_below(&rng, MODEL_PAGES);
		unsigned int room = MODEL_PAGES - first;
		unsigned int count = 1 + rng_below(&rng, room < 12 ? room : 12);
		unsigned int last = first + count - 1, op;
		uint32_t off = (uint32_t)(first * p), len = (uint32_t)(count * p);

		/* Sometimes all the rest, which len 0 also means. */
		if (!rng_below(&rng, 16)) {
			last = MODEL_PAGES - 1;
			len = 0;
		}
		op = rng_below(&rng, 32);
		if (op < 12) {
			pins_unpin(&pins, first, last);
			ASSERT_EQ(0, ash_unpin(fd, off, len)) {
				TH_LOG("step %lu: unpin %u-%u", step, first, last);
			}
		} else if (op < 20) {
			ASSERT_EQ(pins_purged(&pins, first, last) ?
				  ASHMEM_WAS_PURGED : ASHMEM_NOT_PURGED,
				  ash_pin(fd, off, len)) {
				TH_LOG("step %lu: pin %u-%u", step, first, last);
			}
			pins_pin(&pins, first, last);
		} else if (op < 25) {
			ASSERT_EQ(pins_unpinned(&pins, first, last) ?
				  ASHMEM_IS_UNPINNED : ASHMEM_IS_PINNED,
				  ash_pin_status(fd, off, len)) {
				TH_LOG("step %lu: status %u-%u", step, first, last);
			}
		} else if (op < 31) {
			contents[first] = tag++;
			*(uint64_t *)(a + first * p) = contents[first];
		} else if (can_purge) {
			ASSERT_EQ((long)pins_pages(&pins).purgeable, ash_purge_all(fd)) {
				TH_LOG("step %lu: purge", step);
			}
			forget_purgeable(&pins, contents);
		}
		if (step % 16 && op != 31)
			continue;
		for (i = 0; i < MODEL_PAGES; i++) {
			ASSERT_EQ(pins_unpinned(&pins, i, i) ?
				  ASHMEM_IS_UNPINNED : ASHMEM_IS_PINNED,
				  ash_pin_status(fd, (uint32_t)(i * p),
						 (uint32_t)p)) {
				TH_LOG("step %lu: page %u", step, i);
			}
			ASSERT_EQ(contents[i], *(uint64_t *)(a + i * p)) {
				TH_LOG("step %lu: contents of page %u", step, i);
			}
		}
	}
	munmap(a, MODEL_PAGES * p);
	close(fd);
}

TEST_HARNESS_MAIN
