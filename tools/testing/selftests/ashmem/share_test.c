// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sharing, with data that both sides check: between forked processes, between
 * programs that pass descriptors over a Unix socket, along a chain of forks.
 *
 * The program runs itself again as the other side: "--peer <what> <socket>".
 */
#include "kselftest_harness.h"
#include "ashmem_util.h"

#define CHAIN	10

/* ---- forked processes ---- */

FIXTURE(fork)
{
	size_t len;
	int fd;
	unsigned char *a;
	int sock[2];
};

FIXTURE_VARIANT(fork)
{
	/* The child uses the mapping it inherits, or makes its own. */
	bool own_mapping;
};

FIXTURE_VARIANT_ADD(fork, inherited_mapping)
{
	.own_mapping = false,
};

FIXTURE_VARIANT_ADD(fork, own_mapping)
{
	.own_mapping = true,
};

FIXTURE_SETUP(fork)
{
	self->len = 5 * page_size();
	self->fd = ash_region("fork", self->len);
	ASSERT_LE(0, self->fd);
	self->a = ash_map(self->fd, self->len, PROT_RW);
	ASSERT_NE(MAP_FAILED, self->a);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				self->sock));
}

FIXTURE_TEARDOWN(fork)
{
	close(self->sock[0]);
	close(self->sock[1]);
	munmap(self->a, self->len);
	close(self->fd);
}

TEST_F(fork, both_directions)
{
	uint64_t round, word = 0;
	pid_t pid;

	fill(self->a, self->len, 100);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		unsigned char *b = self->a;

		if (variant->own_mapping) {
			munmap(self->a, self->len);
			b = ash_map(self->fd, self->len, PROT_RW);
			CHILD_CHECK(b != MAP_FAILED);
		}
		for (round = 0; round < 20; round++) {
			CHILD_CHECK(filled(b, self->len,
					   (unsigned int)(100 + 2 * round)));
			fill(b, self->len, (unsigned int)(101 + 2 * round));
			CHILD_CHECK(!send_word(self->sock[1], round));
			CHILD_CHECK(!recv_word(self->sock[1], &word));
		}
		_exit(0);
	}
	close(self->sock[1]);
	self->sock[1] = -1;
	for (round = 0; round < 20; round++) {
		ASSERT_EQ(0, recv_word(self->sock[0], &word));
		ASSERT_EQ(round, word);
		ASSERT_TRUE(filled(self->a, self->len,
				   (unsigned int)(101 + 2 * round)));
		fill(self->a, self->len, (unsigned int)(102 + 2 * round));
		ASSERT_EQ(0, send_word(self->sock[0], round));
	}
	EXPECT_EQ(0, wait_child(pid));
}

/*
 * Each process of the chain checks what the one before it wrote, adds its own
 * page, and forks the next; the first one sees them all.
 */
TEST(chain_of_forks)
{
	size_t p = page_size(), len = (CHAIN + 1) * p;
	int fd = ash_region("chain", len);
	unsigned char *first;
	unsigned int depth;
	pid_t pid;

	ASSERT_LE(0, fd);
	first = ash_map(fd, len, PROT_RW);
	ASSERT_NE(MAP_FAILED, first);
	fill(first, p, 1000);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		for (depth = 1; depth <= CHAIN; depth++) {
			unsigned char *b = ash_map(fd, len, PROT_RW);
			unsigned int i;

			CHILD_CHECK(b != MAP_FAILED);
			for (i = 0; i < depth; i++)
				CHILD_CHECK(filled(b + i * p, p, 1000 + i));
			CHILD_CHECK(zeroed(b + depth * p, p));
			fill(b + depth * p, p, 1000 + depth);
			if (depth == CHAIN)
				_exit(0);
			pid = fork();
			CHILD_CHECK(pid >= 0);
			if (pid)
				_exit(wait_child(pid));
		}
		_exit(1);
	}
	EXPECT_EQ(0, wait_child(pid));
	for (depth = 0; depth <= CHAIN; depth++)
		EXPECT_TRUE(filled(first + depth * p, p, 1000 + depth));
	close(fd);
}

/* ---- another program, by SCM_RIGHTS ---- */

struct peer {
	pid_t pid;
	int sock;
};

/* Runs this program again as "--peer @what"; it inherits a socket only. */
static int peer_start(struct peer *peer, const char *what)
{
	int sock[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return -errno;
	peer->pid = fork();
	if (peer->pid < 0)
		return -errno;
	if (!peer->pid) {
		char fdtext[16];
		int keep = dup(sock[1]);	/* without O_CLOEXEC */

		CHILD_CHECK(keep >= 0);
		snprintf(fdtext, sizeof(fdtext), "%d", keep);
		execl("/proc/self/exe", "share_test", "--peer", what, fdtext,
		      (char *)NULL);
		CHILD_CHECK(!"exec");
	}
	close(sock[1]);
	peer->sock = sock[0];
	return 0;
}

static int peer_end(struct peer *peer)
{
	close(peer->sock);
	return wait_child(peer->pid);
}

/* Checks the pattern of the word's seed, answers with the next one's. */
static int peer_answer(int sock)
{
	uint64_t word;
	int fd;

	while (!recv_fds(sock, &word, &fd, 1)) {
		size_t len = (size_t)ash_get_size(fd);
		unsigned char *b = ash_map(fd, len, PROT_RW);
		char name[ASHMEM_NAME_LEN] = "";

		CHILD_CHECK(b != MAP_FAILED);
		CHILD_CHECK(!ash_get_name(fd, name));
		CHILD_CHECK(!strcmp(name, "passed on"));
		CHILD_CHECK(filled(b, len, (unsigned int)word));
		fill(b, len, (unsigned int)word + 1);
		munmap(b, len);
		close(fd);
		CHILD_CHECK(!send_word(sock, word + 1));
	}
	return 0;
}

/* A region whose mask allows no more writing. */
static int peer_reader(int sock)
{
	unsigned char *b;
	uint64_t word;
	size_t len;
	int fd;

	CHILD_CHECK(!recv_fds(sock, &word, &fd, 1));
	len = (size_t)ash_get_size(fd);
	CHILD_CHECK(ash_get_mask(fd) == PROT_READ);
	CHILD_CHECK(map_errno(fd, len, PROT_RW, MAP_SHARED, 0) == -EPERM);
	CHILD_CHECK(map_errno(fd, len, PROT_RW, MAP_PRIVATE, 0) == -EPERM);
	CHILD_CHECK(ash_set_mask(fd, PROT_RW) == -EINVAL);
	b = ash_map(fd, len, PROT_READ);
	CHILD_CHECK(b != MAP_FAILED);
	CHILD_CHECK(mprotect(b, len, PROT_RW) && errno == EACCES);
	CHILD_CHECK(touch_write(b, 1) == SIGSEGV);
	CHILD_CHECK(ash_unpin(fd, 0, 0) == -EPERM);

	/* Later writes of the owner still arrive. */
	do {
		CHILD_CHECK(filled(b, len, (unsigned int)word));
		CHILD_CHECK(!send_word(sock, word));
	} while (!recv_word(sock, &word));
	return 0;
}

/* Makes a region, fills it, sends it, and exits. */
static int peer_maker(int sock)
{
	size_t len = 3 * page_size();
	int fd = ash_region("left behind", len);
	unsigned char *b;

	CHILD_CHECK(fd >= 0);
	b = ash_map(fd, len, PROT_RW);
	CHILD_CHECK(b != MAP_FAILED);
	fill(b, len, 4711);
	CHILD_CHECK(!send_fds(sock, 4711, &fd, 1));
	return 0;
}

/* Several regions in one message; a swap proves that they are several. */
static int peer_several(int sock)
{
	size_t p = page_size();
	unsigned char *b[4];
	uint64_t word;
	unsigned int i;
	int fds[4];

	CHILD_CHECK(!recv_fds(sock, &word, fds, 4));
	for (i = 0; i < 4; i++) {
		CHILD_CHECK(ash_get_size(fds[i]) == (long)((i + 1) * p));
		b[i] = ash_map(fds[i], (i + 1) * p, PROT_RW);
		CHILD_CHECK(b[i] != MAP_FAILED);
		CHILD_CHECK(filled(b[i], (i + 1) * p, (unsigned int)word + i));
	}
	for (i = 0; i < 4; i++)
		fill(b[i], (i + 1) * p, (unsigned int)word + 10 + i);
	CHILD_CHECK(!send_word(sock, word));
	return 0;
}

static int peer_main(const char *what, int sock)
{
	static const struct {
		const char *what;
		int (*run)(int sock);
	} peers[] = {
		{ "answer", peer_answer },
		{ "reader", peer_reader },
		{ "maker", peer_maker },
		{ "several", peer_several },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(peers); i++) {
		if (!strcmp(what, peers[i].what))
			return peers[i].run(sock);
	}
	fprintf(stderr, "share_test: no peer called %s\n", what);
	return 2;
}

TEST(programs_share_both_directions)
{
	size_t len = 4 * page_size();
	struct peer peer = { .sock = -1 };
	int fd = ash_region("passed on", len);
	uint64_t seed, word = 0;
	unsigned char *a;

	ASSERT_LE(0, fd);
	a = ash_map(fd, len, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, peer_start(&peer, "answer"));
	for (seed = 10; seed < 20; seed += 2) {
		fill(a, len, (unsigned int)seed);
		ASSERT_EQ(0, send_fds(peer.sock, seed, &fd, 1));
		ASSERT_EQ(0, recv_word(peer.sock, &word));
		ASSERT_EQ(seed + 1, word);
		ASSERT_TRUE(filled(a, len, (unsigned int)seed + 1));
	}
	EXPECT_EQ(0, peer_end(&peer));
	EXPECT_TRUE(filled(a, len, (unsigned int)seed - 1));
	close(fd);
}

TEST(receiver_cannot_write_what_the_mask_forbids)
{
	size_t len = 2 * page_size();
	struct peer peer = { .sock = -1 };
	int fd = ash_region("read only", len);
	uint64_t seed, word = 0;
	unsigned char *a;

	ASSERT_LE(0, fd);
	a = ash_map(fd, len, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, ash_set_mask(fd, PROT_READ));
	fill(a, len, 30);
	ASSERT_EQ(0, peer_start(&peer, "reader"));
	ASSERT_EQ(0, send_fds(peer.sock, 30, &fd, 1));
	ASSERT_EQ(0, recv_word(peer.sock, &word));
	for (seed = 31; seed < 35; seed++) {
		EXPECT_TRUE(filled(a, len, (unsigned int)seed - 1));
		fill(a, len, (unsigned int)seed);
		ASSERT_EQ(0, send_word(peer.sock, seed));
		ASSERT_EQ(0, recv_word(peer.sock, &word));
		ASSERT_EQ(seed, word);
	}
	EXPECT_EQ(0, peer_end(&peer));
	EXPECT_TRUE(filled(a, len, (unsigned int)seed - 1));
	close(fd);
}

TEST(region_outlives_the_process_that_made_it)
{
	struct peer peer = { .sock = -1 };
	size_t len = 3 * page_size();
	char name[ASHMEM_NAME_LEN] = "";
	unsigned char *a;
	uint64_t word = 0;
	int fd = -1;

	ASSERT_EQ(0, peer_start(&peer, "maker"));
	ASSERT_EQ(0, wait_child(peer.pid));
	/* Until now only the socket's queue held it. */
	ASSERT_EQ(0, recv_fds(peer.sock, &word, &fd, 1));
	close(peer.sock);
	ASSERT_EQ((long)len, ash_get_size(fd));
	ASSERT_EQ(0, ash_get_name(fd, name));
	EXPECT_STREQ("left behind", name);
	a = ash_map(fd, len, PROT_RW);
	ASSERT_NE(MAP_FAILED, a);
	EXPECT_TRUE(filled(a, len, (unsigned int)word));
	fill(a, len, 1);
	EXPECT_TRUE(filled(a, len, 1));
	close(fd);
}

TEST(several_regions_at_once)
{
	struct peer peer = { .sock = -1 };
	size_t p = page_size();
	unsigned char *a[4];
	uint64_t word = 0;
	unsigned int i;
	int fds[4];

	for (i = 0; i < 4; i++) {
		fds[i] = ash_region("several", (i + 1) * p);
		ASSERT_LE(0, fds[i]);
		a[i] = ash_map(fds[i], (i + 1) * p, PROT_RW);
		ASSERT_NE(MAP_FAILED, a[i]);
		fill(a[i], (i + 1) * p, 50 + i);
	}
	ASSERT_EQ(0, peer_start(&peer, "several"));
	ASSERT_EQ(0, send_fds(peer.sock, 50, fds, 4));
	ASSERT_EQ(0, recv_word(peer.sock, &word));
	EXPECT_EQ(50, word);
	for (i = 0; i < 4; i++) {
		EXPECT_TRUE(filled(a[i], (i + 1) * p, 60 + i));
		close(fds[i]);
	}
	EXPECT_EQ(0, peer_end(&peer));
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--peer"))
		return peer_main(argv[2], atoi(argv[3]));
	return test_harness_run(argc, argv);
}
