// SPDX-License-Identifier: GPL-2.0-only
/*
 * Adjacent mappings, which the kernel may merge or not: each shows its own pages, is
 * guarded, and leaves no reference behind.
 */
#include "kselftest_harness.h"
#include "ashmem_util.h"
#include "module_util.h"

#define PAGES		3
/* With room before and after it, for a mapping that is too long. */
#define ROOM		(PAGES + 4)
#define ORDERS		6

static const int orders[ORDERS][PAGES] = {
	{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
};

/*
 * Each backing holds a reference to the module until its last user is gone. Waits until
 * the test's references are dropped.
 */
static long refs_left(long before)
{
	int i;

	for (i = 0; i < 400 && module_refs() > before; i++)
		nap_ms(50);
	return module_refs() - before;
}

FIXTURE(neighbours)
{
	size_t p;
	long refs;
	unsigned char *a;
	int fd;
};

FIXTURE_VARIANT(neighbours)
{
	int flags;
};

FIXTURE_VARIANT_ADD(neighbours, shared)
{
	.flags = MAP_SHARED,
};

FIXTURE_VARIANT_ADD(neighbours, private)
{
	.flags = MAP_PRIVATE,
};

FIXTURE_SETUP(neighbours)
{
	self->p = page_size();
	self->refs = module_refs();
	self->a = mmap(NULL, ROOM * self->p, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->a);
	self->a += self->p;
	self->fd = ash_region("neighbours", PAGES * self->p);
	ASSERT_LE(0, self->fd);
}

/* A failed test leaves its mappings. */
FIXTURE_TEARDOWN(neighbours)
{
	munmap(self->a - self->p, ROOM * self->p);
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_EQ(0, refs_left(self->refs));
}

static long map_page(unsigned char *a, int fd, int flags, int page, int prot)
{
	size_t p = page_size();
	void *where = a + (size_t)page * p;
	void *got = mmap(where, p, prot, flags | MAP_FIXED, fd, (off_t)((size_t)page * p));

	return got == where ? 0 : -errno;
}

TEST_F(neighbours, leave_no_reference_in_any_order)
{
	size_t p = self->p;
	int in, out, i;

	for (in = 0; in < ORDERS; in++) {
		for (out = 0; out < ORDERS; out++) {
			for (i = 0; i < PAGES; i++) {
				ASSERT_EQ(0, map_page(self->a, self->fd, variant->flags,
						      orders[in][i], PROT_RW));
			}
			fill(self->a, PAGES * p, (unsigned int)(in * ORDERS + out));
			ASSERT_TRUE(filled(self->a, PAGES * p,
					   (unsigned int)(in * ORDERS + out)));
			for (i = 0; i < PAGES; i++) {
				ASSERT_EQ(0, munmap(self->a + (size_t)orders[out][i] * p, p));
			}
		}
	}
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, refs_left(self->refs)) {
		TH_LOG("references to the module are left");
	}
}

TEST_F(neighbours, are_unmapped_and_replaced_together)
{
	size_t p = self->p;
	int in, i;

	for (in = 0; in < ORDERS; in++) {
		for (i = 0; i < PAGES; i++) {
			ASSERT_EQ(0, map_page(self->a, self->fd, variant->flags, orders[in][i],
					      PROT_RW));
		}
		/* Over them all, then over the middle one, which has a neighbour twice. */
		ASSERT_EQ(self->a, mmap(self->a, PAGES * p, PROT_RW, variant->flags | MAP_FIXED,
					self->fd, 0));
		ASSERT_EQ(0, map_page(self->a, self->fd, variant->flags, 1, PROT_RW));
		ASSERT_EQ(0, munmap(self->a, PAGES * p));
	}
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, refs_left(self->refs));
}

TEST_F(neighbours, outlive_close_and_each_other)
{
	size_t p = self->p;
	int first, i;

	for (first = 0; first < PAGES; first++) {
		int fd = ash_region("outlive", PAGES * p);

		ASSERT_LE(0, fd);
		for (i = 0; i < PAGES; i++) {
			ASSERT_EQ(0, map_page(self->a, fd, variant->flags, i, PROT_RW));
		}
		fill(self->a, PAGES * p, 9);
		ASSERT_EQ(0, close(fd));
		ASSERT_EQ(0, munmap(self->a + (size_t)first * p, p));
		for (i = 0; i < PAGES; i++) {
			if (i == first)
				continue;
			EXPECT_TRUE(filled_from(self->a + (size_t)i * p, p, 9, (size_t)i * p));
		}
		/* The second one is the last that keeps the region. */
		ASSERT_EQ(0, munmap(self->a + (size_t)((first + 1) % PAGES) * p, p));
		i = (first + 2) % PAGES;
		EXPECT_TRUE(filled_from(self->a + (size_t)i * p, p, 9, (size_t)i * p));
		ASSERT_EQ(0, munmap(self->a + (size_t)i * p, p));
	}
}

TEST_F(neighbours, refused_one_leaves_no_reference)
{
	ASSERT_EQ(0, map_page(self->a, self->fd, variant->flags, 0, PROT_READ));
	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	EXPECT_EQ(-EPERM, map_page(self->a, self->fd, variant->flags, 1, PROT_RW));
	EXPECT_EQ(MAP_FAILED, mmap(self->a + self->p, PAGES * self->p + 1, PROT_READ,
				   variant->flags | MAP_FIXED, self->fd, (off_t)self->p));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(neighbours, show_one_name_and_number)
{
	unsigned long id = 0;
	struct maps_line m;
	int i;

	for (i = 0; i < PAGES; i++) {
		ASSERT_EQ(0, map_page(self->a, self->fd, variant->flags, i, PROT_RW));
	}
	ASSERT_EQ(0, ash_file_id(self->fd, &id));
	for (i = 0; i < PAGES; i++) {
		ASSERT_TRUE(maps_find(0, self->a + (size_t)i * self->p, &m));
		EXPECT_STREQ("/dev/ashmem/neighbours (deleted)", m.path);
		EXPECT_EQ(id, m.inode);
		/* Joined with the one before it or not. */
		EXPECT_EQ((size_t)i * self->p,
			  m.offset + (unsigned long)self->a + (size_t)i * self->p - m.start);
	}
}

/* The same as mmap_test checks for a single mapping. */
TEST_F(neighbours, are_guarded_each)
{
	struct maps_line m;
	char path[80];
	size_t i;
	int fd;

	for (i = 0; i < PAGES; i++) {
		ASSERT_EQ(0, map_page(self->a, self->fd, variant->flags, (int)i, PROT_RW));
	}
	fill(self->a, PAGES * self->p, 4);
	ASSERT_EQ(0, munmap(self->a, PAGES * self->p));
	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	for (i = 0; i < PAGES; i++) {
		ASSERT_EQ(0, map_page(self->a, self->fd, variant->flags, (int)i, PROT_READ));
	}
	for (i = 0; i < PAGES; i++) {
		unsigned char *q = self->a + i * self->p;

		EXPECT_EQ(-EACCES, RET(mprotect(q, self->p, PROT_RW)));
		EXPECT_EQ(SIGSEGV, touch_write(q, 1));
		ASSERT_TRUE(maps_find(0, q, &m));
		snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", m.start, m.end);
		if (!geteuid()) {
			fd = open(path, O_RDWR | O_CLOEXEC);
			EXPECT_EQ(-ENXIO, fd < 0 ? -errno : fd);
		}
		/* Some kernels lose the mapping in this call, so it is the last one. */
		EXPECT_EQ(variant->flags == MAP_SHARED ? -EPERM : -EINVAL,
			  RET(syscall(SYS_remap_file_pages, q, self->p, 0, i ^ 1, 0)));
		if (maps_find(0, q, &m))
			EXPECT_EQ('-', m.perms[1]);
	}
}

TEST_F(neighbours, of_which_one_is_left_keep_the_right_to_discard)
{
	int i, left;

	if (variant->flags != MAP_SHARED)
		SKIP(return, "a private mapping gives no right");
	for (left = 0; left < PAGES; left++) {
		int fd = ash_region("rights", PAGES * self->p);

		ASSERT_LE(0, fd);
		for (i = 0; i < PAGES; i++) {
			ASSERT_EQ(0, map_page(self->a, fd, MAP_SHARED, i, PROT_RW));
		}
		for (i = 0; i < PAGES; i++) {
			if (i != left)
				ASSERT_EQ(0, munmap(self->a + (size_t)i * self->p, self->p));
		}
		ASSERT_EQ(0, ash_set_mask(fd, PROT_READ));
		EXPECT_EQ(0, ash_unpin(fd, 0, 0));
		ASSERT_EQ(0, munmap(self->a + (size_t)left * self->p, self->p));
		EXPECT_EQ(-EPERM, ash_unpin(fd, 0, 0));
		close(fd);
	}
}

TEST_F(neighbours, are_purged_like_one_mapping)
{
	int i;

	if (variant->flags != MAP_SHARED)
		SKIP(return, "nothing of a private mapping is purged");
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	for (i = 0; i < PAGES; i++) {
		ASSERT_EQ(0, map_page(self->a, self->fd, MAP_SHARED, i, PROT_RW));
	}
	fill(self->a, PAGES * self->p, 6);
	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	EXPECT_EQ(PAGES, ash_purge_all(self->fd));
	EXPECT_TRUE(zeroed(self->a, PAGES * self->p));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 0, 0));
}

/* ---- all combinations ---- */

#define SLOTS		16
#define REGIONS		2
#define STEPS		3000

struct slot {
	int region;	/* -1: the room between */
	int page;
	bool shared;
};

struct strip {
	size_t p;
	unsigned char *a;
	unsigned char *all[REGIONS];
	int fd[REGIONS];
	struct slot slots[SLOTS];
};

FIXTURE(walk)
{
	struct strip strip;
	long refs;
};

static unsigned char mark(int region, int page)
{
	return (unsigned char)(1 + region * SLOTS + page);
}

FIXTURE_SETUP(walk)
{
	struct strip *strip = &self->strip;
	int region, i;

	strip->p = page_size();
	self->refs = module_refs();
	strip->a = mmap(NULL, SLOTS * strip->p, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, strip->a);
	for (i = 0; i < SLOTS; i++)
		strip->slots[i].region = -1;
	for (region = 0; region < REGIONS; region++) {
		strip->fd[region] = ash_region("walk", SLOTS * strip->p);
		ASSERT_LE(0, strip->fd[region]);
		strip->all[region] = ash_map(strip->fd[region], SLOTS * strip->p, PROT_RW);
		ASSERT_NE(MAP_FAILED, strip->all[region]);
		for (i = 0; i < SLOTS; i++)
			strip->all[region][(size_t)i * strip->p] = mark(region, i);
	}
}

FIXTURE_TEARDOWN(walk)
{
	struct strip *strip = &self->strip;
	int region;

	munmap(strip->a, SLOTS * strip->p);
	for (region = 0; region < REGIONS; region++) {
		munmap(strip->all[region], SLOTS * strip->p);
		close(strip->fd[region]);
	}
	EXPECT_EQ(0, refs_left(self->refs)) {
		TH_LOG("references to the module are left");
	}
}

/* Maps @n pages from @page of the region, mostly as a continuation of a neighbour. */
static bool walk_map(struct strip *strip, struct rng *rng, int at, int n)
{
	struct slot *s = strip->slots;
	int region = (int)rng_below(rng, REGIONS), page, i;
	bool shared = rng_below(rng, 3);
	void *where = strip->a + (size_t)at * strip->p;

	page = (int)rng_below(rng, (uint32_t)(SLOTS - n + 1));
	if (at && s[at - 1].region >= 0 && s[at - 1].page + 1 + n <= SLOTS && rng_below(rng, 4)) {
		region = s[at - 1].region;
		page = s[at - 1].page + 1;
		shared = s[at - 1].shared;
	} else if (at + n < SLOTS && s[at + n].region >= 0 && s[at + n].page >= n) {
		region = s[at + n].region;
		page = s[at + n].page - n;
		shared = s[at + n].shared;
	}
	if (mmap(where, (size_t)n * strip->p, PROT_RW,
		 MAP_FIXED | (shared ? MAP_SHARED : MAP_PRIVATE), strip->fd[region],
		 (off_t)((size_t)page * strip->p)) != where)
		return false;
	for (i = 0; i < n; i++)
		s[at + i] = (struct slot){ region, page + i, shared };
	return true;
}

static bool walk_clear(struct strip *strip, int at, int n)
{
	void *where = strip->a + (size_t)at * strip->p;
	int i;

	for (i = 0; i < n; i++)
		strip->slots[at + i].region = -1;
	return mmap(where, (size_t)n * strip->p, PROT_NONE,
		    MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == where;
}

/* Moves a page, which may split a mapping and merge another one. */
static bool walk_move(struct strip *strip, int from, int to)
{
	void *old = strip->a + (size_t)from * strip->p, *new = strip->a + (size_t)to * strip->p;

	if (from == to)
		return true;
	if (mremap(old, strip->p, strip->p, MREMAP_MAYMOVE | MREMAP_FIXED, new) != new)
		return false;
	strip->slots[to] = strip->slots[from];
	return walk_clear(strip, from, 1);
}

static bool walk_protect(struct strip *strip, int at, int n, bool read_only)
{
	int i;

	for (i = at; i < at + n; i++) {
		if (strip->slots[i].region >= 0 &&
		    mprotect(strip->a + (size_t)i * strip->p, strip->p,
			     read_only ? PROT_READ : PROT_RW))
			return false;
	}
	return true;
}

/* A child drops a part of what it has inherited, and then the rest. */
static bool walk_fork(struct strip *strip, int at, int n)
{
	pid_t pid = fork();

	if (!pid) {
		CHILD_CHECK(!munmap(strip->a + (size_t)at * strip->p, (size_t)n * strip->p));
		_exit(0);
	}
	return pid > 0 && !wait_child(pid);
}

static bool walk_step(struct strip *strip, struct rng *rng)
{
	int at = (int)rng_below(rng, SLOTS), n = 1 + (int)rng_below(rng, 4);

	if (n > SLOTS - at)
		n = SLOTS - at;
	switch (rng_below(rng, 40)) {
	case 0:
		return walk_fork(strip, at, n);
	case 1 ... 6:
		return walk_clear(strip, at, n);
	case 7 ... 12:
		return walk_move(strip, at, (int)rng_below(rng, SLOTS));
	case 13 ... 16:
		return walk_protect(strip, at, n, true);
	case 17 ... 20:
		return walk_protect(strip, at, n, false);
	default:
		return walk_map(strip, rng, at, n);
	}
}

/* Every page is the expected one. */
static bool walk_right(struct strip *strip)
{
	int i;

	for (i = 0; i < SLOTS; i++) {
		struct slot *s = &strip->slots[i];
		unsigned char got;

		if (s->region < 0)
			continue;
		got = strip->a[(size_t)i * strip->p];
		if (got != (s->shared ? mark(s->region, s->page) : 0)) {
			fprintf(stderr, "# slot %d: 0x%02x, page %d of region %d\n", i, got,
				s->page, s->region);
			return false;
		}
	}
	return true;
}

TEST_F(walk, leaves_no_reference)
{
	uint64_t seed = rng_seed();
	struct rng rng = { seed };
	int i;

	for (i = 0; i < STEPS; i++) {
		ASSERT_TRUE(walk_step(&self->strip, &rng) && walk_right(&self->strip)) {
			TH_LOG("ASHMEM_SEED=%llu, step %d, errno %d", (unsigned long long)seed,
			       i, errno);
		}
	}
}

TEST_HARNESS_MAIN
