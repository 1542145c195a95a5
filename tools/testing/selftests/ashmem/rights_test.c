// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which tasks may discard contents, and which learn of the loss: every combination of
 * protection mask, mapping, descriptor and address space.
 */
#include <sched.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"
#include "ashmem_util.h"

enum { PAGES = 4 };

FIXTURE(rights)
{
	uint32_t p;
	int fd;
	unsigned char *a;
};

/* The region of an owner that maps it and may write. */
FIXTURE_SETUP(rights)
{
	self->p = (uint32_t)page_size();
	self->fd = ash_region("rights", PAGES * self->p);
	ASSERT_LE(0, self->fd);
	self->a = ash_map(self->fd, PAGES * self->p, PROT_RW);
	ASSERT_NE(MAP_FAILED, self->a);
	fill(self->a, PAGES * self->p, 1);
}

FIXTURE_TEARDOWN(rights)
{
	if (self->a != MAP_FAILED)
		munmap(self->a, PAGES * self->p);
	close(self->fd);
}

/* Bit n is set when page n is unpinned. */
static unsigned int unpinned(int fd)
{
	uint32_t i, bits = 0, p = (uint32_t)page_size();

	for (i = 0; i < PAGES; i++) {
		if (ash_pin_status(fd, i * p, p) == ASHMEM_IS_UNPINNED)
			bits |= 1U << i;
	}
	return bits;
}

/* ---- mask, mapping and descriptor ---- */

/* What the caller has mapped when the mask is narrowed, or maps after that. */
enum mapping {
	NONE,
	SHARED,
	SHARED_PART,		/* the last page: UNPIN is of another */
	SHARED_MOVED,
	SHARED_UNMAPPED,
	READABLE,		/* mprotect() can make these two writable */
	NO_ACCESS,
	NARROWED,		/* made after narrowing: never writable */
	PRIVATE,
	MAPPINGS
};

static const char * const mapping_names[] = {
	"none", "shared", "part", "moved", "unmapped", "readable", "no access",
	"after narrowing", "private",
};

/* Maps @mapping of the region and narrows its mask: MAP_FAILED is an error. */
static void *map_and_narrow(int fd, enum mapping mapping, unsigned long mask)
{
	size_t p = page_size(), len = PAGES * p;
	void *a = NULL, *room;

	if (mapping == SHARED || mapping == SHARED_MOVED || mapping == SHARED_UNMAPPED)
		a = ash_map(fd, len, PROT_RW);
	else if (mapping == SHARED_PART)
		a = mmap(NULL, p, PROT_RW, MAP_SHARED, fd, (off_t)(len - p));
	else if (mapping == READABLE)
		a = ash_map(fd, len, PROT_READ);
	else if (mapping == NO_ACCESS)
		a = ash_map(fd, len, PROT_NONE);
	else if (mapping == PRIVATE)
		a = mmap(NULL, len, PROT_RW, MAP_PRIVATE, fd, 0);
	if (a == MAP_FAILED)
		return a;

	if (mapping == SHARED_UNMAPPED) {
		munmap(a, len);
		a = NULL;
	} else if (mapping == SHARED_MOVED) {
		room = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		a = mremap(a, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, room);
	}
	if (ash_set_mask(fd, mask))
		return MAP_FAILED;
	return mapping == NARROWED ? ash_map(fd, len, PROT_NONE) : a;
}

/* Can the caller ever write through it? A read-only descriptor gives no such mapping. */
static bool mapping_writable(enum mapping mapping, int mode)
{
	return mode == O_RDWR &&
	       (mapping == SHARED || mapping == SHARED_PART || mapping == SHARED_MOVED ||
		mapping == READABLE || mapping == NO_ACCESS);
}

static void check_unpin(struct __test_metadata *_metadata, int mode, unsigned long mask,
			enum mapping mapping)
{
	bool may = (mask & PROT_WRITE) || mapping_writable(mapping, mode);
	uint32_t p = (uint32_t)page_size();
	int fd = ash_open(mode);
	void *a;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ash_set_size(fd, PAGES * p));
	/* Makes the backing, and leaves nothing mapped. */
	ASSERT_EQ(0, map_errno(fd, p, PROT_READ, MAP_PRIVATE, 0));
	ASSERT_EQ(0, ash_unpin(fd, 3 * p, p));
	a = map_and_narrow(fd, mapping, mask);
	ASSERT_NE(MAP_FAILED, a);

	EXPECT_EQ(may ? 0 : -EPERM, ash_unpin(fd, p, p)) {
		TH_LOG("mask %lu, mapping: %s, %s", mask, mapping_names[mapping],
		       mode == O_RDWR ? "O_RDWR" : "O_RDONLY");
	}
	EXPECT_EQ(may ? 0xa : 0x8, unpinned(fd));
	EXPECT_EQ(may ? 0 : -EPERM, ash_unpin(fd, 0, 0));
	EXPECT_EQ(may ? 0xf : 0x8, unpinned(fd));
	/* PIN needs no right. */
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(fd, 0, 0));
	EXPECT_EQ(0, unpinned(fd));
	if (a)
		munmap(a, mapping == SHARED_PART ? p : PAGES * p);
	close(fd);
}

TEST(unpin_needs_the_right_to_write)
{
	static const unsigned long masks[] = {
		PROT_RWX, PROT_RW, PROT_WRITE | PROT_EXEC, PROT_WRITE,
		PROT_READ | PROT_EXEC, PROT_READ, PROT_EXEC, 0,
	};
	int mapping;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		for (mapping = 0; mapping < MAPPINGS; mapping++) {
			check_unpin(_metadata, O_RDWR, masks[i], (enum mapping)mapping);
			/* O_RDONLY can't map a region PROT_WRITE and MAP_SHARED. */
			if (mapping != NONE && mapping < READABLE)
				continue;
			check_unpin(_metadata, O_RDONLY, masks[i], (enum mapping)mapping);
		}
	}
}

/* ---- whose address space ---- */

TEST_F(rights, owner_that_shares_read_only_offers_its_cache)
{
	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	EXPECT_EQ(0, ash_unpin(self->fd, 0, 0));
	EXPECT_EQ(0xf, unpinned(self->fd));
	if (purge_works()) {
		EXPECT_TRUE(zeroed(self->a, PAGES * self->p));
		EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 0, 0));
	}
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, 0));
	/* The right ends with the mapping. */
	munmap(self->a, PAGES * self->p);
	self->a = MAP_FAILED;
	EXPECT_EQ(-EPERM, ash_unpin(self->fd, 0, 0));
	EXPECT_EQ(0, unpinned(self->fd));
}

TEST_F(rights, child_has_the_right_of_what_it_inherits)
{
	pid_t pid;

	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		CHILD_CHECK(!ash_unpin(self->fd, 0, self->p));
		munmap(self->a, PAGES * self->p);
		CHILD_CHECK(ash_unpin(self->fd, self->p, self->p) == -EPERM);
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(0x1, unpinned(self->fd));
	/* The child's munmap() leaves our mapping alone. */
	EXPECT_EQ(0, ash_unpin(self->fd, self->p, self->p));

	ASSERT_EQ(0, madvise(self->a, PAGES * self->p, MADV_DONTFORK));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		CHILD_CHECK(ash_unpin(self->fd, 0, 0) == -EPERM);
		_exit(0);
	}
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(0x3, unpinned(self->fd));
	EXPECT_EQ(0, ash_unpin(self->fd, 0, 0));
}

static int unpin_here(void *arg)
{
	return ash_unpin(*(int *)arg, 0, 0) ? 1 : 0;
}

TEST_F(rights, task_in_the_same_address_space_has_the_right)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t pid;

	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	pid = clone(unpin_here, stack + sizeof(stack), CLONE_VM | SIGCHLD, &self->fd);
	ASSERT_LE(0, pid);
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(0xf, unpinned(self->fd));
}

/* ---- a receiver ---- */

/*
 * A process that receives the region by SCM_RIGHTS and inherits no mapping of it. It
 * gets commands as words and answers each with the result.
 */
enum order { ORDER_NARROW, ORDER_MAP, ORDER_PIN, ORDER_UNPIN, ORDER_STATUS };

struct receiver {
	int sock;
	pid_t pid;
};

static uint64_t order_word(enum order what, uint32_t page, uint32_t pages)
{
	return (uint64_t)what << 32 | page << 8 | pages;
}

static long obey(int fd, uint64_t word)
{
	uint32_t p = (uint32_t)page_size();
	uint32_t offset = (uint32_t)(word >> 8 & 0xff) * p;
	uint32_t len = (uint32_t)(word & 0xff) * p;

	switch ((enum order)(word >> 32)) {
	case ORDER_NARROW:
		return ash_set_mask(fd, PROT_READ);
	case ORDER_MAP:
		return ash_map(fd, PAGES * p, PROT_RW) == MAP_FAILED ? -errno : 0;
	case ORDER_PIN:
		return ash_pin(fd, offset, len);
	case ORDER_UNPIN:
		return ash_unpin(fd, offset, len);
	case ORDER_STATUS:
		return ash_pin_status(fd, offset, len);
	}
	return -EINVAL;
}

static int receiver_start(struct receiver *r)
{
	uint64_t word;
	int sock[2], fd;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return -errno;
	r->sock = sock[0];
	r->pid = fork();
	if (r->pid < 0)
		return -errno;
	if (!r->pid) {
		close(sock[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		CHILD_CHECK(!recv_fds(sock[1], &word, &fd, 1));
		while (!recv_word(sock[1], &word))
			CHILD_CHECK(!send_word(sock[1], (uint64_t)obey(fd, word)));
		_exit(0);
	}
	close(sock[1]);
	return 0;
}

static long receiver_call(struct receiver *r, enum order what, uint32_t page, uint32_t pages)
{
	uint64_t word = order_word(what, page, pages);
	int ret = send_word(r->sock, word);

	if (!ret)
		ret = recv_word(r->sock, &word);
	return ret ? ret : (long)word;
}

static int receiver_stop(struct receiver *r)
{
	close(r->sock);
	return wait_child(r->pid);
}

FIXTURE(shared)
{
	struct receiver r;
	uint32_t p;
	int fd;
	unsigned char *a;
};

FIXTURE_SETUP(shared)
{
	ASSERT_EQ(0, receiver_start(&self->r));
	self->p = (uint32_t)page_size();
	self->fd = ash_region("rights", PAGES * self->p);
	ASSERT_LE(0, self->fd);
	self->a = ash_map(self->fd, PAGES * self->p, PROT_RW);
	ASSERT_NE(MAP_FAILED, self->a);
	fill(self->a, PAGES * self->p, 1);
	ASSERT_EQ(0, send_fds(self->r.sock, 0, &self->fd, 1));
}

FIXTURE_TEARDOWN(shared)
{
	EXPECT_EQ(0, receiver_stop(&self->r));
	munmap(self->a, PAGES * self->p);
	close(self->fd);
}

TEST_F(shared, receiver_takes_no_right_from_the_owner)
{
	ASSERT_EQ(0, receiver_call(&self->r, ORDER_NARROW, 0, 0));
	EXPECT_EQ(0, ash_unpin(self->fd, 0, self->p));
	EXPECT_EQ(-EPERM, receiver_call(&self->r, ORDER_UNPIN, 1, 1));
	EXPECT_EQ(0x1, unpinned(self->fd));
	/* Too late to map it writable. */
	EXPECT_EQ(-EPERM, receiver_call(&self->r, ORDER_MAP, 0, 0));
	EXPECT_EQ(-EPERM, receiver_call(&self->r, ORDER_UNPIN, 1, 1));
}

TEST_F(shared, receiver_keeps_the_right_of_its_mapping)
{
	ASSERT_EQ(0, receiver_call(&self->r, ORDER_MAP, 0, 0));
	ASSERT_EQ(0, ash_set_mask(self->fd, PROT_READ));
	EXPECT_EQ(0, receiver_call(&self->r, ORDER_UNPIN, 1, 1));
	EXPECT_EQ(0x2, unpinned(self->fd));
}

TEST_F(shared, reader_saves_what_is_there)
{
	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	ASSERT_EQ(0, receiver_call(&self->r, ORDER_NARROW, 0, 0));
	EXPECT_EQ(ASHMEM_NOT_PURGED, receiver_call(&self->r, ORDER_PIN, 1, 2));
	EXPECT_EQ(0x9, unpinned(self->fd));
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	EXPECT_TRUE(filled_from(self->a + self->p, 2 * self->p, 1, self->p));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, self->p, 2 * self->p));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 0, 0));
}

/* ---- who learns of a loss ---- */

TEST_F(shared, reader_cannot_hide_a_loss_from_the_owner)
{
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	ASSERT_EQ(PAGES, ash_purge_all(self->fd));
	ASSERT_EQ(0, receiver_call(&self->r, ORDER_NARROW, 0, 0));
	EXPECT_EQ(ASHMEM_WAS_PURGED, receiver_call(&self->r, ORDER_PIN, 0, 0));
	EXPECT_TRUE(zeroed(self->a, PAGES * self->p));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 0, 0));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, 0));
	EXPECT_EQ(ASHMEM_NOT_PURGED, receiver_call(&self->r, ORDER_PIN, 0, 0));
}

/* A receiver that may write is no reader: its PIN clears the loss for all. */
TEST_F(shared, writer_settles_a_loss)
{
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	ASSERT_EQ(PAGES, ash_purge_all(self->fd));
	ASSERT_EQ(0, receiver_call(&self->r, ORDER_MAP, 0, 0));
	ASSERT_EQ(0, receiver_call(&self->r, ORDER_NARROW, 0, 0));
	EXPECT_EQ(ASHMEM_WAS_PURGED, receiver_call(&self->r, ORDER_PIN, 0, 0));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(self->fd, 0, 0));
}

struct part {
	uint32_t page, pages;
};

/* All is lost, the reader PINs one part, then the owner PINs another. */
static void check_loss(struct __test_metadata *_metadata, int fd, struct receiver *r,
		       struct part reader, struct part owner)
{
	uint32_t p = (uint32_t)page_size();
	unsigned int owned = ((1U << owner.pages) - 1) << owner.page;
	uint32_t offset = owner.page * p, len = owner.pages * p;
	int i;

	ASSERT_EQ(0, ash_unpin(fd, 0, 0));
	ASSERT_EQ(PAGES, ash_purge_all(fd));
	/* However often the reader pins. */
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(ASHMEM_WAS_PURGED,
			  receiver_call(r, ORDER_PIN, reader.page, reader.pages));
		EXPECT_EQ(ASHMEM_IS_UNPINNED,
			  receiver_call(r, ORDER_STATUS, reader.page, reader.pages));
		EXPECT_EQ(0xf, unpinned(fd));
	}
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(fd, offset, len));
	EXPECT_EQ(0xf & ~owned, unpinned(fd));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(fd, offset, len));
	EXPECT_EQ(owned == 0xf ? ASHMEM_NOT_PURGED : ASHMEM_WAS_PURGED,
		  ash_pin(fd, 0, 0));
	EXPECT_EQ(0, unpinned(fd));
}

TEST_F(shared, reader_leaves_any_part_of_a_loss_for_the_owner)
{
	struct part part[PAGES * (PAGES + 1) / 2];
	uint32_t page, pages;
	int i, j, n = 0;

	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	for (page = 0; page < PAGES; page++) {
		for (pages = 1; page + pages <= PAGES; pages++)
			part[n++] = (struct part) { page, pages };
	}
	ASSERT_EQ(0, receiver_call(&self->r, ORDER_NARROW, 0, 0));
	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++)
			check_loss(_metadata, self->fd, &self->r, part[i], part[j]);
	}
}

/* A PIN by a reader keeps what was written after the loss. */
TEST_F(shared, reader_saves_what_was_written_again)
{
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");
	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	ASSERT_EQ(PAGES, ash_purge_all(self->fd));
	fill(self->a, PAGES * self->p, 2);
	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	ASSERT_EQ(0, receiver_call(&self->r, ORDER_NARROW, 0, 0));
	EXPECT_EQ(ASHMEM_WAS_PURGED, receiver_call(&self->r, ORDER_PIN, 0, 0));
	EXPECT_EQ(0, ash_purge_all(self->fd));
	EXPECT_TRUE(filled(self->a, PAGES * self->p, 2));
	EXPECT_EQ(ASHMEM_WAS_PURGED, ash_pin(self->fd, 0, 0));
	EXPECT_TRUE(filled(self->a, PAGES * self->p, 2));
	EXPECT_EQ(ASHMEM_NOT_PURGED, receiver_call(&self->r, ORDER_PIN, 0, 0));
}

TEST_HARNESS_MAIN
