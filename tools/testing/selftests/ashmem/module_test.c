// SPDX-License-Identifier: GPL-2.0-only
/*
 * When the module can be unloaded: not while anything of it is in use.
 *
 * ASHMEM_MODULE is where the module is, see module_util.h. ASHMEM_MODULE_TRIPS
 * (default 60) is how often it comes and goes while others use it.
 */
#include <sys/inotify.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "module_util.h"

FIXTURE(module)
{
	size_t len;
	int fd;
};

FIXTURE_SETUP(module)
{
	const char *fixed = module_is_fixed();

	if (fixed)
		SKIP(return, "%s", fixed);
	self->len = 2 * page_size();
	self->fd = ash_region("module", self->len);
	ASSERT_LE(0, self->fd);
}

/* The module is loaded for the next test, even after a failure. */
FIXTURE_TEARDOWN_PARENT(module)
{
	if (module_refs() < 0) {
		EXPECT_EQ(0, module_load());
		EXPECT_TRUE(node_appears(true));
	}
}

TEST_F(module, stays_while_a_descriptor_is_open)
{
	EXPECT_EQ(-EAGAIN, module_unload());
	EXPECT_LT(0, module_refs());
	EXPECT_EQ((long)self->len, ash_get_size(self->fd));
}

TEST_F(module, stays_while_a_mapping_lives_after_close)
{
	unsigned char *a = ash_map(self->fd, self->len, PROT_RW);

	ASSERT_NE(MAP_FAILED, a);
	fill(a, self->len, 1);
	ASSERT_EQ(0, close(self->fd));
	/* Not only now, but also after all deferred work. */
	EXPECT_EQ(-EAGAIN, module_unload());
	nap_ms(200);
	EXPECT_EQ(-EAGAIN, module_unload());
	EXPECT_TRUE(filled(a, self->len, 1));
	EXPECT_EQ(0, munmap(a, self->len));
	EXPECT_EQ(0, module_unload_soon());
}

TEST_F(module, stays_while_a_private_mapping_lives_after_close)
{
	unsigned char *a = mmap(NULL, self->len, PROT_RW, MAP_PRIVATE, self->fd,
				0);

	ASSERT_NE(MAP_FAILED, a);
	fill(a, self->len, 2);
	ASSERT_EQ(0, close(self->fd));
	EXPECT_EQ(-EAGAIN, module_unload());
	nap_ms(200);
	EXPECT_EQ(-EAGAIN, module_unload());
	EXPECT_TRUE(filled(a, self->len, 2));
	EXPECT_EQ(0, munmap(a, self->len));
	EXPECT_EQ(0, module_unload_soon());
}

TEST_F(module, stays_while_a_part_of_a_mapping_lives)
{
	size_t p = page_size();
	unsigned char *a = ash_map(self->fd, self->len, PROT_RW);

	ASSERT_NE(MAP_FAILED, a);
	fill(a, self->len, 3);
	ASSERT_EQ(0, close(self->fd));
	ASSERT_EQ(0, munmap(a, p));
	nap_ms(200);
	EXPECT_EQ(-EAGAIN, module_unload());
	EXPECT_TRUE(filled_from(a + p, p, 3, p));
	EXPECT_EQ(0, munmap(a + p, p));
	EXPECT_EQ(0, module_unload_soon());
}

TEST_F(module, stays_while_a_child_maps_what_its_dead_maker_left)
{
	int sock[2];
	uint64_t word = 0;
	pid_t pid;

	ASSERT_EQ(0, close(self->fd));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int fd = ash_region("orphan", self->len);
		unsigned char *a;

		CHILD_CHECK(fd >= 0);
		a = ash_map(fd, self->len, PROT_RW);
		CHILD_CHECK(a != MAP_FAILED);
		fill(a, self->len, 4);
		CHILD_CHECK(!close(fd));
		pid = fork();
		CHILD_CHECK(pid >= 0);
		if (pid)
			_exit(0);
		close(sock[0]);
		CHILD_CHECK(!recv_word(sock[1], &word));
		CHILD_CHECK(filled(a, self->len, 4));
		_exit(0);
	}
	close(sock[1]);
	ASSERT_EQ(0, wait_child(pid));
	nap_ms(200);
	EXPECT_EQ(-EAGAIN, module_unload());
	EXPECT_EQ(0, send_word(sock[0], 1));
	/* The peer's end is closed when the grandchild has exited. */
	EXPECT_EQ(-EPIPE, recv_word(sock[0], &word));
	close(sock[0]);
	EXPECT_EQ(0, module_unload_soon());
}

/*
 * An O_PATH descriptor keeps an inode, and a pipe keeps pages. Neither holds a reference to
 * the module, so nothing in them may be the module's.
 */
TEST_F(module, goes_while_inodes_and_pages_are_kept)
{
	static const int modes[] = { O_RDONLY, O_RDWR, O_RDWR | O_TRUNC };
	unsigned char *a[2], *got = malloc(self->len);
	int watch = inotify_init1(IN_CLOEXEC), inode[2], pipefd[2];
	struct iovec mapped = { .iov_len = self->len / 2 };
	char path[80];
	struct maps_line m;
	size_t i, j;

	ASSERT_NE(NULL, got);
	ASSERT_LE(0, watch);
	ASSERT_EQ(0, pipe(pipefd));
	a[0] = ash_map(self->fd, self->len, PROT_RW);
	a[1] = mmap(NULL, self->len, PROT_RW, MAP_PRIVATE, self->fd, 0);
	for (i = 0; i < 2; i++) {
		ASSERT_NE(MAP_FAILED, a[i]);
		fill(a[i], self->len, 5);
		ASSERT_TRUE(maps_find(0, a[i], &m));
		snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", m.start, m.end);
		inode[i] = open(path, O_PATH | O_CLOEXEC);
		if (inode[i] < 0)
			SKIP(return, "no /proc/self/map_files here");
		EXPECT_LE(0, inotify_add_watch(watch, path, IN_ALL_EVENTS));
	}
	mapped.iov_base = a[0];
	EXPECT_EQ((long long)self->len / 2, RET(vmsplice(pipefd[1], &mapped, 1, 0)));
	EXPECT_EQ((long long)self->len / 2, RET(splice(self->fd, NULL, pipefd[1], NULL,
						       self->len / 2, 0)));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, munmap(a[i], self->len));
	}
	ASSERT_EQ(0, close(self->fd));
	ASSERT_EQ(0, module_unload_soon());

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", inode[i]);
		for (j = 0; j < ARRAY_SIZE(modes); j++)
			EXPECT_EQ(-ENXIO, RET(open(path, modes[j] | O_CLOEXEC)));
		EXPECT_EQ(-EPERM, RET(truncate(path, 0)));
		close(inode[i]);
	}
	EXPECT_EQ((long long)self->len, RET(read(pipefd[0], got, self->len)));
	EXPECT_TRUE(filled(got, self->len / 2, 5));
	EXPECT_TRUE(filled(got + self->len / 2, self->len / 2, 5));
	close(pipefd[0]);
	close(pipefd[1]);
	close(watch);
	free(got);
}

TEST_F(module, stays_while_a_descriptor_is_in_flight)
{
	int sock[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	ASSERT_EQ(0, send_fds(sock[0], 1, &self->fd, 1));
	ASSERT_EQ(0, close(self->fd));
	nap_ms(200);
	EXPECT_EQ(-EAGAIN, module_unload());
	close(sock[0]);
	close(sock[1]);
	EXPECT_EQ(0, module_unload_soon());
}

TEST_F(module, goes_when_nothing_is_left_and_comes_back)
{
	unsigned char *a = ash_map(self->fd, self->len, PROT_RW);
	int fd, i;

	ASSERT_NE(MAP_FAILED, a);
	fill(a, self->len, 5);
	/* Unpinned and purged pages hold no reference either. */
	ASSERT_EQ(0, ash_unpin(self->fd, 0, 0));
	ash_purge_all(self->fd);
	ASSERT_EQ(0, munmap(a, self->len));
	ASSERT_EQ(0, close(self->fd));

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, module_unload_soon());
		EXPECT_EQ(-1, module_refs());
		EXPECT_FALSE(listed_in_proc_misc());
		EXPECT_TRUE(node_appears(false));
		EXPECT_GT(0, ash_open(O_RDWR));

		ASSERT_EQ(0, module_load());
		EXPECT_EQ(0, module_refs());
		EXPECT_TRUE(listed_in_proc_misc());
		ASSERT_TRUE(node_appears(true));
		fd = ash_region("again", self->len);
		ASSERT_LE(0, fd);
		a = ash_map(fd, self->len, PROT_RW);
		ASSERT_NE(MAP_FAILED, a);
		EXPECT_TRUE(zeroed(a, self->len));
		munmap(a, self->len);
		close(fd);
	}
}

/* What the users report while the module is unloaded and loaded. */
struct visits {
	bool over;
	unsigned long done;
};

/*
 * Uses the device whenever it is there, until told that it's over. Whatever the
 * module does in between, an open that worked gives a region that works.
 */
static void visit(struct visits *visits, size_t len, unsigned char seed)
{
	while (!__atomic_load_n(&visits->over, __ATOMIC_RELAXED)) {
		int fd = open(ASHMEM_DEV, O_RDWR | O_CLOEXEC);
		unsigned char *a;

		if (fd < 0) {
			CHILD_CHECK(errno == ENOENT || errno == ENODEV ||
				    errno == ENXIO);
			nap_ms(1);
			continue;
		}
		CHILD_CHECK(!ash_set_size(fd, len));
		a = ash_map(fd, len, PROT_RW);
		CHILD_CHECK(a != MAP_FAILED);
		CHILD_CHECK(zeroed(a, len));
		fill(a, len, seed);
		CHILD_CHECK(!ash_unpin(fd, 0, (uint32_t)page_size()));
		CHILD_CHECK(!close(fd));
		CHILD_CHECK(filled(a, len, seed));
		CHILD_CHECK(!munmap(a, len));
		__atomic_fetch_add(&visits->done, 1, __ATOMIC_RELAXED);
		nap_ms(seed % 3);
		seed++;
	}
	_exit(0);
}

TEST_F_TIMEOUT(module, comes_and_goes_under_use, 300)
{
	const char *env = getenv("ASHMEM_MODULE_TRIPS");
	unsigned long wanted = env ? strtoul(env, NULL, 10) : 60;

	struct visits *visits = mmap(NULL, sizeof(*visits), PROT_RW,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long refused = 0, trips = 0;
	pid_t pids[2];
	unsigned int i;

	ASSERT_NE(MAP_FAILED, visits);
	ASSERT_EQ(0, close(self->fd));
	for (i = 0; i < 2; i++) {
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (!pids[i])
			visit(visits, self->len, (unsigned char)(1 + i));
	}
	while (trips < wanted) {
		long ret = module_unload();

		if (ret == -EAGAIN || ret == -EBUSY) {
			refused++;
			nap_ms(1);
			continue;
		}
		ASSERT_EQ(0, ret);
		ASSERT_EQ(0, module_load());
		ASSERT_TRUE(node_appears(true));
		trips++;
	}
	__atomic_store_n(&visits->over, true, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, wait_child(pids[i]));
	TH_LOG("%lu trips, %lu visits, %lu unloads refused", trips, visits->done,
	       refused);
	/* Otherwise nothing raced. */
	EXPECT_LT(wanted / 4, visits->done);
	EXPECT_LT(0, refused);
}

TEST_HARNESS_MAIN
