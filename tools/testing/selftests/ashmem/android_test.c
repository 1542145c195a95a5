// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device as libcutils of Android 10 to 17 uses it: which node each generation opens,
 * what it accepts as a region, and when it uses memfd instead.
 *
 * The program runs itself again as an Android program: "--client <version> <what>
 * <socket>". Each has its own /dev, with the names that the test wants there.
 * tools/testing/install runs the same clients in containers, where the socket is a path
 * at which "--host <path>" listens.
 */
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "kselftest_harness.h"
#include "ashmem_util.h"

#ifndef F_ADD_SEALS
#define F_ADD_SEALS		1033
#define F_SEAL_GROW		4
#define F_SEAL_SHRINK		2
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE	16
#endif

#define BOOT_ID_LEN	36

/* ---- what the generations do ---- */

enum memfd_use {
	MEMFD_NEVER,
	/* If the property asks for it and the kernel has F_SEAL_FUTURE_WRITE. */
	MEMFD_SEALED,
	/* And if ASHMEM_GET_SIZE on a memfd returns its size. */
	MEMFD_PROBED,
	/* If the property asks for it, on any kernel. */
	MEMFD_ASKED,
};

struct generation {
	int version;
	bool second;		/* tries /dev/ashmem<boot_id> first */
	bool first;		/* tries /dev/ashmem */
	enum memfd_use memfd;
};

static const struct generation generations[] = {
	{ 10, false, true, MEMFD_NEVER },
	{ 13, true, true, MEMFD_SEALED },
	{ 14, true, true, MEMFD_SEALED },
	{ 16, true, false, MEMFD_PROBED },
	{ 17, true, false, MEMFD_ASKED },
};

#define N_GENERATIONS	ARRAY_SIZE(generations)

static const struct generation *generation(int version)
{
	size_t i;

	for (i = 0; i < N_GENERATIONS; i++) {
		if (generations[i].version == version)
			return &generations[i];
	}
	return NULL;
}

/* "/dev/ashmem<boot_id>", or "" without /proc. */
static const char *second_path(void)
{
	static char path[sizeof(ASHMEM_DEV) + BOOT_ID_LEN];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	size_t len = strlen(ASHMEM_DEV);

	strcpy(path, ASHMEM_DEV);
	if (fd < 0 || read(fd, path + len, BOOT_ID_LEN) != BOOT_ID_LEN)
		path[0] = '\0';
	close(fd);
	return path;
}

/* ---- an Android program ---- */

struct client {
	const struct generation *gen;
	bool asked_for_memfd;	/* the property sys.use_memfd */
	const char *opened;	/* by which name */
	dev_t rdev;		/* of the node that was opened last */
};

static int client_open(struct client *c)
{
	const char *names[2] = {
		c->gen->second ? second_path() : NULL,
		c->gen->first ? ASHMEM_DEV : NULL,
	};
	struct stat st;
	int fd = -1, i;

	errno = ENOENT;
	for (i = 0; fd < 0 && i < 2; i++) {
		if (!names[i])
			continue;
		fd = open(names[i], O_RDWR | O_CLOEXEC);
		c->opened = names[i];
	}
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISCHR(st.st_mode) || !st.st_rdev) {
		close(fd);
		return -ENOTTY;
	}
	c->rdev = st.st_rdev;
	return fd;
}

/* Is @fd a region? The node is looked up once and cached. */
static bool client_valid(struct client *c, int fd)
{
	struct stat st;

	if (!c->rdev) {
		int probe = client_open(c);

		if (probe < 0)
			return false;
		close(probe);
	}
	return !fstat(fd, &st) && S_ISCHR(st.st_mode) && st.st_rdev == c->rdev;
}

/* ENOTTY means that the descriptor is no region, and Android aborts. */
static long client_ioctl(int fd, unsigned long cmd, unsigned long arg)
{
	long ret = ash_ioctl(fd, cmd, arg);

	if (ret == -ENOTTY)
		abort();
	return ret;
}

static long client_pin_op(int fd, unsigned long cmd, uint32_t offset, uint32_t len)
{
	struct ashmem_pin pin = { offset, len };

	return client_ioctl(fd, cmd, (unsigned long)&pin);
}

static bool client_uses_memfd(struct client *c)
{
	long size = (long)page_size();
	bool use = false;
	int fd;

	if (!c->asked_for_memfd || c->gen->memfd == MEMFD_NEVER)
		return false;
	if (c->gen->memfd == MEMFD_ASKED)
		return true;
	fd = (int)syscall(SYS_memfd_create, "probe", 2U /* MFD_ALLOW_SEALING */);
	if (fd < 0)
		return false;
	if (!fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE))
		use = c->gen->memfd == MEMFD_SEALED ||
			(!ftruncate(fd, size) && ash_get_size(fd) == size);
	close(fd);
	return use;
}

static int client_create(struct client *c, const char *name, size_t size)
{
	char room[ASHMEM_NAME_LEN] = "";
	int fd;

	if (client_uses_memfd(c)) {
		fd = (int)syscall(SYS_memfd_create, name, 2U);
		if (fd >= 0 && (ftruncate(fd, (off_t)size) ||
				fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK))) {
			close(fd);
			fd = -1;
		}
		return fd < 0 ? -errno : fd;
	}
	fd = client_open(c);
	if (fd < 0)
		return fd;
	snprintf(room, sizeof(room), "%s", name);
	if (client_ioctl(fd, ASHMEM_SET_NAME, (unsigned long)room) < 0 ||
	    client_ioctl(fd, ASHMEM_SET_SIZE, size) < 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

/* ---- what clients are told to do: the exit code is 0 if all was as it has to be ---- */

static int client_second(struct client *c, int UNUSED sock)
{
	CHILD_CHECK(client_open(c) >= 0);
	CHILD_CHECK(!strcmp(c->opened, second_path()));
	return 0;
}

static int client_first(struct client *c, int UNUSED sock)
{
	CHILD_CHECK(client_open(c) >= 0);
	CHILD_CHECK(!strcmp(c->opened, ASHMEM_DEV));
	return 0;
}

static int client_absent(struct client *c, int UNUSED sock)
{
	CHILD_CHECK(client_open(c) == -ENOENT);
	return 0;
}

static int client_forbidden(struct client *c, int UNUSED sock)
{
	CHILD_CHECK(client_open(c) == -EACCES);
	return 0;
}

/* By the device cgroup, or by its BPF program. */
static int client_filtered(struct client *c, int UNUSED sock)
{
	CHILD_CHECK(client_open(c) == -EPERM);
	return 0;
}

/* A node whose device is gone. */
static int client_dead(struct client *c, int UNUSED sock)
{
	int ret = client_open(c);

	CHILD_CHECK(ret == -ENXIO || ret == -ENODEV);
	return 0;
}

/* The calls of a typical program, none of which may return ENOTTY. */
static int client_use(struct client *c, int UNUSED sock)
{
	size_t p = page_size(), len = 3 * p;
	int fresh = client_open(c), fd;
	unsigned char *a;

	CHILD_CHECK(fresh >= 0);
	CHILD_CHECK(client_valid(c, fresh));
	CHILD_CHECK(client_ioctl(fresh, ASHMEM_GET_SIZE, 0) == 0);
	CHILD_CHECK(client_pin_op(fresh, ASHMEM_PIN, 0, 0) == -EINVAL);
	CHILD_CHECK(client_pin_op(fresh, ASHMEM_UNPIN, 0, 0) == -EINVAL);
	CHILD_CHECK(client_ioctl(fresh, ASHMEM_SET_PROT_MASK, PROT_READ) == 0);

	fd = client_create(c, "a name longer than any that libcutils cuts off", len);
	CHILD_CHECK(fd >= 0);
	CHILD_CHECK(client_valid(c, fd));
	CHILD_CHECK(client_ioctl(fd, ASHMEM_GET_SIZE, 0) == (long)len);
	a = ash_map(fd, len, PROT_RW);
	CHILD_CHECK(a != MAP_FAILED);
	fill(a, len, 5);
	CHILD_CHECK(client_pin_op(fd, ASHMEM_PIN, 0, 0) == ASHMEM_NOT_PURGED);
	CHILD_CHECK(client_pin_op(fd, ASHMEM_UNPIN, (uint32_t)p, (uint32_t)p) == 0);
	CHILD_CHECK(client_pin_op(fd, ASHMEM_PIN, (uint32_t)p, (uint32_t)p) >= 0);
	CHILD_CHECK(filled(a, p, 5));
	munmap(a, len);
	CHILD_CHECK(client_ioctl(fd, ASHMEM_SET_PROT_MASK, PROT_READ) == 0);
	CHILD_CHECK(map_errno(fd, len, PROT_RW, MAP_SHARED, 0) == -EPERM);
	CHILD_CHECK(map_errno(fd, len, PROT_READ, MAP_SHARED, 0) == 0);
	return 0;
}

/* Regions of both names are valid, whichever this program opens. */
static int client_tell(struct client *c, int UNUSED sock)
{
	static const char * const others[] = { "/dev/null", "/proc/self/exe", "/proc" };
	int by_first = open(ASHMEM_DEV, O_RDWR | O_CLOEXEC);
	int by_second = open(second_path(), O_RDWR | O_CLOEXEC);
	int memfd = (int)syscall(SYS_memfd_create, "not a region", 0U);
	int ends[2];
	size_t i;

	CHILD_CHECK(by_first >= 0 && by_second >= 0 && memfd >= 0 && !pipe(ends));
	CHILD_CHECK(client_valid(c, by_first));
	CHILD_CHECK(client_valid(c, by_second));
	CHILD_CHECK(!client_valid(c, memfd));
	CHILD_CHECK(!client_valid(c, ends[0]));
	CHILD_CHECK(!client_valid(c, -1));
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		int fd = open(others[i], O_RDONLY | O_CLOEXEC);

		CHILD_CHECK(fd >= 0);
		CHILD_CHECK(!client_valid(c, fd));
		close(fd);
	}
	return 0;
}

/* Neither the opened file nor the descriptor is a region: abort(). */
static int client_mistake(struct client *c, int UNUSED sock)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	CHILD_CHECK(fd >= 0);
	CHILD_CHECK(!client_valid(c, fd));
	client_ioctl(fd, ASHMEM_GET_SIZE, 0);
	return 1;
}

static int client_create_one(struct client *c, int UNUSED sock)
{
	CHILD_CHECK(client_create(c, "one", page_size()) >= 0);
	return 0;
}

/* With sys.use_memfd=true: a memfd if @expected on this kernel. */
static int client_backend(struct client *c, bool expected)
{
	struct stat st;
	int fd;

	c->asked_for_memfd = true;
	fd = client_create(c, "perhaps of the device", page_size());
	CHILD_CHECK(fd >= 0 && !fstat(fd, &st));
	CHILD_CHECK(S_ISREG(st.st_mode) == expected);
	CHILD_CHECK(client_valid(c, fd) == !expected);
	/* Without the property no client uses memfd. */
	c->asked_for_memfd = false;
	fd = client_create(c, "of the device", page_size());
	CHILD_CHECK(fd >= 0 && client_valid(c, fd));
	return 0;
}

static int client_memfd(struct client *c, int UNUSED sock)
{
	return client_backend(c, true);
}

static int client_no_memfd(struct client *c, int UNUSED sock)
{
	return client_backend(c, false);
}

/* Only Android's kernels support it; others have no such command. */
static int client_probed_memfd(struct client *c, int UNUSED sock)
{
	int memfd = (int)syscall(SYS_memfd_create, "answers?", 0U);
	long size;

	CHILD_CHECK(memfd >= 0 && !ftruncate(memfd, (off_t)page_size()));
	size = ash_get_size(memfd);
	CHILD_CHECK(size == (long)page_size() || size == -ENOTTY);
	return client_backend(c, size >= 0);
}

static int client_noexec(struct client *c, int UNUSED sock)
{
	size_t len = page_size();
	int fd = client_create(c, "code", len);

	CHILD_CHECK(fd >= 0);
	CHILD_CHECK(map_errno(fd, len, PROT_RW, MAP_SHARED, 0) == 0);
	CHILD_CHECK(map_errno(fd, len, PROT_READ | PROT_EXEC, MAP_SHARED, 0) == -EPERM);
	return 0;
}

/* Sends a region; the other side writes the next values. */
static int client_lend(struct client *c, int sock)
{
	size_t len = 2 * page_size();
	int fd = client_create(c, "lent", len);
	unsigned char *a;
	uint64_t word = 0;

	CHILD_CHECK(fd >= 0);
	a = ash_map(fd, len, PROT_RW);
	CHILD_CHECK(a != MAP_FAILED);
	fill(a, len, 70);
	CHILD_CHECK(!send_fds(sock, 70, &fd, 1));
	CHILD_CHECK(!recv_word(sock, &word));
	CHILD_CHECK(word == 71);
	CHILD_CHECK(filled(a, len, 71));
	CHILD_CHECK(client_pin_op(fd, ASHMEM_PIN, 0, 0) == ASHMEM_NOT_PURGED);
	return 0;
}

static int client_borrow(struct client *c, int sock)
{
	uint64_t word = 0;
	unsigned char *a;
	int fd = -1;
	size_t len;

	CHILD_CHECK(!recv_fds(sock, &word, &fd, 1));
	CHILD_CHECK(client_valid(c, fd));
	len = (size_t)client_ioctl(fd, ASHMEM_GET_SIZE, 0);
	CHILD_CHECK(len == 2 * page_size());
	a = ash_map(fd, len, PROT_RW);
	CHILD_CHECK(a != MAP_FAILED);
	CHILD_CHECK(filled(a, len, (unsigned int)word));
	CHILD_CHECK(client_pin_op(fd, ASHMEM_UNPIN, 0, (uint32_t)page_size()) == 0);
	/* On a machine that is short of memory the page may be purged. */
	CHILD_CHECK(client_pin_op(fd, ASHMEM_PIN, 0, 0) >= 0);
	fill(a, len, (unsigned int)word + 1);
	CHILD_CHECK(!send_word(sock, word + 1));
	return 0;
}

/* In a container with less than twice that: unpinned pages make room for the rest. */
#define PRESSURE	(24U << 20)

static int client_press(struct client *c, int UNUSED sock)
{
	int fd = client_create(c, "pressed", PRESSURE);
	unsigned char *a, *more;

	CHILD_CHECK(fd >= 0);
	a = ash_map(fd, PRESSURE, PROT_RW);
	CHILD_CHECK(a != MAP_FAILED);
	fill(a, PRESSURE, 3);
	CHILD_CHECK(client_pin_op(fd, ASHMEM_UNPIN, 0, 0) == 0);
	more = mmap(NULL, PRESSURE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHILD_CHECK(more != MAP_FAILED);
	fill(more, PRESSURE, 4);
	CHILD_CHECK(client_pin_op(fd, ASHMEM_PIN, 0, 0) == ASHMEM_WAS_PURGED);
	CHILD_CHECK(filled(more, PRESSURE, 4));
	return 0;
}

/* Keeps pages unpinned until it is killed; the test reads its fdinfo. */
static int client_keep(struct client *c, int UNUSED sock)
{
	int fd = client_create(c, "kept", PRESSURE / 4);
	unsigned char *a;

	CHILD_CHECK(fd >= 0);
	a = ash_map(fd, PRESSURE / 4, PROT_RW);
	CHILD_CHECK(a != MAP_FAILED);
	fill(a, PRESSURE / 4, 5);
	CHILD_CHECK(client_pin_op(fd, ASHMEM_UNPIN, 0, 0) == 0);
	for (;;)
		pause();
}

/* A socket at the path @text, or the descriptor of that number. */
static int socket_of(const char *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock;

	if (text[0] != '/')
		return atoi(text);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", text);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || connect(sock, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return sock;
}

static int client_main(int version, const char *what, int sock)
{
	static const struct {
		const char *what;
		int (*run)(struct client *c, int sock);
	} tasks[] = {
		{ "second", client_second },
		{ "first", client_first },
		{ "absent", client_absent },
		{ "forbidden", client_forbidden },
		{ "filtered", client_filtered },
		{ "dead", client_dead },
		{ "use", client_use },
		{ "tell", client_tell },
		{ "mistake", client_mistake },
		{ "create", client_create_one },
		{ "memfd", client_memfd },
		{ "no memfd", client_no_memfd },
		{ "probed memfd", client_probed_memfd },
		{ "noexec", client_noexec },
		{ "lend", client_lend },
		{ "borrow", client_borrow },
		{ "press", client_press },
		{ "keep", client_keep },
	};
	struct client c = { .gen = generation(version) };
	struct rlimit none = { 0, 0 };
	size_t i;

	/* Those that abort leave no core. */
	setrlimit(RLIMIT_CORE, &none);
	for (i = 0; c.gen && i < ARRAY_SIZE(tasks); i++) {
		if (!strcmp(what, tasks[i].what))
			return tasks[i].run(&c, sock);
	}
	fprintf(stderr, "android_test: no client '%s' of Android %d\n", what, version);
	return 2;
}

/* ---- a container: a /dev with what the test wants there ---- */

struct container {
	unsigned long flags;	/* of the mount */
	mode_t mode;		/* of the nodes; 0 is 0666 */
	gid_t group;
	dev_t first, second;	/* numbers of the nodes; 0: no such name */
	uid_t user;		/* the client's ids: with this group, too */
	gid_t member;
	bool user_namespace;
};

static int make_node(const char *path, dev_t rdev, const struct container *box)
{
	mode_t mode = box->mode ? box->mode : 0666;

	if (!rdev)
		return 0;
	if (mknod(path, S_IFCHR | mode, rdev) || chmod(path, mode) ||
	    chown(path, 0, box->group))
		return -errno;
	return 0;
}

/* For a child: makes /dev and ids as in @box. */
static int enter(const struct container *box)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("dev", "/dev", "tmpfs", 0, "mode=755"))
		return -errno;
	if (mknod("/dev/null", S_IFCHR | 0666, makedev(1, 3)) ||
	    make_node(ASHMEM_DEV, box->first, box) ||
	    make_node(second_path(), box->second, box) ||
	    (box->flags && mount("dev", "/dev", NULL, MS_REMOUNT | box->flags, NULL)))
		return -errno;
	if (box->user && (setgroups(box->member ? 1 : 0, &box->member) ||
			  setgid(box->user) || setuid(box->user)))
		return -errno;
	if (box->user_namespace && unshare(CLONE_NEWUSER))
		return -errno;
	return 0;
}

/* Starts a client of Android @version in @box; the other end of its socket, or -errno. */
static int start(const struct container *box, int version, const char *what, pid_t *pid)
{
	int sock[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return -errno;
	*pid = fork();
	if (*pid < 0)
		return -errno;
	if (!*pid) {
		char number[16], fdtext[16];
		int keep = dup(sock[1]);	/* without O_CLOEXEC */

		CHILD_CHECK(keep >= 0);
		snprintf(number, sizeof(number), "%d", version);
		snprintf(fdtext, sizeof(fdtext), "%d", keep);
		CHILD_CHECK(!enter(box));
		execl("/proc/self/exe", "android_test", "--client", number, what, fdtext,
		      (char *)NULL);
		CHILD_CHECK(!"exec");
	}
	close(sock[1]);
	return sock[0];
}

static int run(const struct container *box, int version, const char *what)
{
	pid_t pid;
	int sock = start(box, version, what, &pid);
	int status;

	if (sock < 0)
		return sock;
	status = wait_child(pid);
	close(sock);
	return status;
}

#define ABORTED	(128 + SIGABRT)

/* ---- the tests, for each generation ---- */

FIXTURE(android)
{
	const struct generation *gen;
	struct container box;		/* both names, as ashmem-nodes makes them */
	dev_t rdev;
};

/* The expected behaviour of each, separate from the table that the clients use. */
FIXTURE_VARIANT(android)
{
	int version;
	/* What a client does with these names, and with a stale second one. */
	const char *both, *first_alone, *second_alone, *second_dead;
	const char *memfd;
};

FIXTURE_VARIANT_ADD(android, 10)
{
	.version = 10,
	.both = "first",
	.first_alone = "first",
	.second_alone = "absent",
	.second_dead = "first",
	.memfd = "no memfd",
};

FIXTURE_VARIANT_ADD(android, 13)
{
	.version = 13,
	.both = "second",
	.first_alone = "first",
	.second_alone = "second",
	.second_dead = "first",
	.memfd = "memfd",
};

FIXTURE_VARIANT_ADD(android, 14)
{
	.version = 14,
	.both = "second",
	.first_alone = "first",
	.second_alone = "second",
	.second_dead = "first",
	.memfd = "memfd",
};

FIXTURE_VARIANT_ADD(android, 16)
{
	.version = 16,
	.both = "second",
	.first_alone = "absent",
	.second_alone = "second",
	.second_dead = "dead",
	.memfd = "probed memfd",
};

FIXTURE_VARIANT_ADD(android, 17)
{
	.version = 17,
	.both = "second",
	.first_alone = "absent",
	.second_alone = "second",
	.second_dead = "dead",
	.memfd = "memfd",
};

FIXTURE_SETUP(android)
{
	struct stat st;

	if (geteuid())
		SKIP(return, "needs root: makes device nodes in a mount namespace");
	self->gen = generation(variant->version);
	ASSERT_NE(NULL, self->gen);
	ASSERT_EQ(0, stat(ASHMEM_DEV, &st));
	ASSERT_TRUE(S_ISCHR(st.st_mode));
	self->rdev = st.st_rdev;
	self->box.first = st.st_rdev;
	self->box.second = st.st_rdev;
	ASSERT_STRNE("", second_path());
}

FIXTURE_TEARDOWN(android)
{
}

#define RUN(what)	run(&self->box, variant->version, what)

TEST_F(android, both_names)
{
	EXPECT_EQ(0, RUN(variant->both));
	EXPECT_EQ(0, RUN("use"));
	EXPECT_EQ(0, RUN("tell"));
}

/* A host without ashmem-nodes: Android 16 and later do not start. */
TEST_F(android, first_name_alone)
{
	self->box.second = 0;
	EXPECT_EQ(0, RUN(variant->first_alone));
	EXPECT_EQ(variant->version < 16 ? 0 : 1, RUN("use"));
}

TEST_F(android, second_name_alone)
{
	self->box.first = 0;
	EXPECT_EQ(0, RUN(variant->second_alone));
	EXPECT_EQ(variant->version > 10 ? 0 : 1, RUN("use"));
}

TEST_F(android, no_name)
{
	self->box.first = 0;
	self->box.second = 0;
	EXPECT_EQ(0, RUN("absent"));
}

/* A stale node of before a reload: its minor has no device, or another one. */
TEST_F(android, second_name_of_other_numbers)
{
	self->box.second = makedev(1, 3);
	EXPECT_EQ(variant->version > 10 ? ABORTED : 0, RUN("create"));
	/* No misc device has so high a minor. */
	self->box.second = makedev(10, 1048000);
	EXPECT_EQ(0, RUN(variant->second_dead));
}

TEST_F(android, enotty_is_the_end)
{
	EXPECT_EQ(ABORTED, RUN("mistake"));
}

TEST_F(android, memfd_when_asked_for)
{
	EXPECT_EQ(0, RUN(variant->memfd));
}

/* A site's rule: mode 0660 and a group, on both names. */
TEST_F(android, group_of_the_site)
{
	self->box.mode = 0660;
	self->box.group = 4711;
	self->box.user = 1000;
	EXPECT_EQ(0, RUN("forbidden"));
	self->box.member = 4711;
	EXPECT_EQ(0, RUN("use"));
}

TEST_F(android, user_namespace)
{
	self->box.user_namespace = true;
	EXPECT_EQ(0, RUN("use"));
	self->box.user = 1000;
	EXPECT_EQ(0, RUN("use"));
}

TEST_F(android, nodev_mount)
{
	self->box.flags = MS_NODEV;
	EXPECT_EQ(0, RUN("forbidden"));
}

TEST_F(android, noexec_mount)
{
	self->box.flags = MS_NOEXEC;
	EXPECT_EQ(0, RUN("noexec"));
	EXPECT_EQ(0, RUN("use"));
}

/* Passes a region from a lender to a borrower, and checks it in between. */
static int hand_over(int lender, int borrower)
{
	uint64_t word = 0;
	int fd = -1;

	if (recv_fds(lender, &word, &fd, 1) || ash_get_size(fd) != (long)(2 * page_size()) ||
	    send_fds(borrower, word, &fd, 1))
		return -1;
	close(fd);
	return recv_word(borrower, &word) || send_word(lender, word);
}

/* From a container of this generation to one of each; each has only its own name. */
TEST_F(android, region_goes_to_every_generation)
{
	size_t i;

	for (i = 0; i < N_GENERATIONS; i++) {
		const struct generation *to = &generations[i];
		struct container lender = self->box, borrower = self->box;
		pid_t pids[2];
		int socks[2];

		lender.first = self->gen->second ? 0 : self->rdev;
		lender.second = self->gen->second ? self->rdev : 0;
		borrower.first = to->second ? 0 : self->rdev;
		borrower.second = to->second ? self->rdev : 0;
		socks[0] = start(&lender, variant->version, "lend", &pids[0]);
		ASSERT_LE(0, socks[0]);
		socks[1] = start(&borrower, to->version, "borrow", &pids[1]);
		ASSERT_LE(0, socks[1]);
		EXPECT_EQ(0, hand_over(socks[0], socks[1]));
		EXPECT_EQ(0, wait_child(pids[0]));
		EXPECT_EQ(0, wait_child(pids[1]));
		close(socks[0]);
		close(socks[1]);
	}
}

/* The host of two containers, of which the lender comes first. Exit code 0: all well. */
static int host_main(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ends[2];

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	/* Users in a container differ from those on the host. */
	if (sock < 0 || bind(sock, (struct sockaddr *)&address, sizeof(address)) ||
	    chmod(path, 0666) || listen(sock, 2)) {
		perror(path);
		return 2;
	}
	ends[0] = accept(sock, NULL, NULL);
	puts("the lender is here");
	fflush(stdout);
	ends[1] = accept(sock, NULL, NULL);
	return ends[0] < 0 || ends[1] < 0 || hand_over(ends[0], ends[1]);
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "--client"))
		return client_main(atoi(argv[2]), argv[3], socket_of(argv[4]));
	if (argc == 3 && !strcmp(argv[1], "--host"))
		return host_main(argv[2]);
	return test_harness_run(argc, argv);
}
