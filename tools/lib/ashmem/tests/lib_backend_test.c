// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which backend is chosen, and why: by the environment, the machine, or a sandbox.
 */
#include "kselftest_harness.h"
#include <sys/sysmacros.h>

#include "lib_util.h"

/* 32-bit programs use the call with the larger struct flock. */
#ifdef SYS_fcntl64
#define SYS_FCNTL	SYS_fcntl64
#else
#define SYS_FCNTL	SYS_fcntl
#endif

#define SETUID_ROLE	"LIB_BACKEND_TEST_SETUID"

static bool have_device(void)
{
	return !access(ASHMEM_DEV, F_OK);
}

/* The whole answer, as one string. */
static const char *answer(void)
{
	static char text[300];
	const char *why = "nothing";
	int backend = ashm_backend(&why);

	snprintf(text, sizeof(text), "%d: %s", backend, why);
	return text;
}

/* The backend of a new region, or -errno. */
static int made(void)
{
	int fd = ashmem_create_region("made", 4096), ret;

	if (fd < 0)
		return -errno;
	ret = ashm_backend_of(fd);
	close(fd);
	return ret;
}

TEST(says_memfd)
{
	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "memfd", 1));
	EXPECT_STREQ("2: ASHMEM_BACKEND says memfd", answer());
	EXPECT_EQ(ASHM_BACKEND_MEMFD, made());
	EXPECT_EQ(ASHM_BACKEND_MEMFD, ashm_backend(NULL));
}

TEST(says_ashmem)
{
	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "ashmem", 1));
	if (have_device()) {
		EXPECT_STREQ("1: ASHMEM_BACKEND says ashmem", answer());
		EXPECT_EQ(ASHM_BACKEND_ASHMEM, made());
	} else {
		EXPECT_STREQ("-2: there is no /dev/ashmem: is the module ashmem_linux loaded?",
			     answer());
		EXPECT_EQ(-ENOENT, made());
		EXPECT_EQ(NULL, region_new("x", 1));
		EXPECT_EQ(-ENOENT, RET(ASharedMemory_create("x", 1)));
	}
}

TEST(says_auto_or_nothing)
{
	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "auto", 1));
	if (have_device()) {
		EXPECT_STREQ("1: /dev/ashmem is there", answer());
		EXPECT_EQ(ASHM_BACKEND_ASHMEM, made());
	} else {
		EXPECT_STREQ("2: there is no /dev/ashmem: is the module ashmem_linux loaded?",
			     answer());
		EXPECT_EQ(ASHM_BACKEND_MEMFD, made());
	}
}

TEST(says_nothing)
{
	ASSERT_EQ(0, unsetenv("ASHMEM_BACKEND"));
	EXPECT_EQ(have_device() ? ASHM_BACKEND_ASHMEM : ASHM_BACKEND_MEMFD, made());
}

/* One process has one choice. */
TEST(read_once)
{
	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "memfd", 1));
	EXPECT_EQ(ASHM_BACKEND_MEMFD, made());
	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "bogus", 1));
	EXPECT_EQ(ASHM_BACKEND_MEMFD, made());
}

FIXTURE(wrong) {
};

FIXTURE_VARIANT(wrong) {
	const char *value;
};

FIXTURE_VARIANT_ADD(wrong, word) { .value = "device" };
FIXTURE_VARIANT_ADD(wrong, empty) { .value = "" };
FIXTURE_VARIANT_ADD(wrong, upper) { .value = "MEMFD" };
FIXTURE_VARIANT_ADD(wrong, longer) { .value = "memfd2" };
FIXTURE_VARIANT_ADD(wrong, blank) { .value = "ashmem " };

FIXTURE_SETUP(wrong)
{
	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", variant->value, 1));
}

FIXTURE_TEARDOWN(wrong)
{
}

TEST_F(wrong, is_an_error)
{
	int fds = count_fds();

	EXPECT_STREQ("-22: ASHMEM_BACKEND is none of ashmem, memfd and auto",
		     answer());
	EXPECT_EQ(-EINVAL, made());
	EXPECT_EQ(-EINVAL, RET(ASharedMemory_create("x", 1)));
	errno = 0;
	EXPECT_EQ(NULL, region_new("x", 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(fds, count_fds());
}

/* ---- the machine ---- */

/* Its own root with a directory dev; the device's number as it is outside. */
static int enter_root(dev_t *rdev)
{
	struct stat st = { 0 };
	char dir[32];

	if (geteuid())
		return -EPERM;
	if (have_device() && stat(ASHMEM_DEV, &st))
		return -errno;
	*rdev = st.st_rdev;
	if (enter_empty_root(dir, sizeof(dir)) || mkdir("/dev", 0755))
		return -EIO;
	return unsetenv("ASHMEM_BACKEND");
}

static int make_node(const char *path, mode_t mode, dev_t rdev)
{
	return mknod(path, S_IFCHR | mode, rdev) || chmod(path, mode) ? -errno : 0;
}

TEST(nothing_there)
{
	dev_t rdev;

	if (enter_root(&rdev))
		SKIP(return, "chroot() needs root");
	EXPECT_STREQ("2: there is no /dev/ashmem: is the module ashmem_linux loaded?",
		     answer());
	EXPECT_EQ(ASHM_BACKEND_MEMFD, made());
}

TEST(must_not_be_opened)
{
	dev_t rdev;

	if (enter_root(&rdev))
		SKIP(return, "chroot() needs root");
	ASSERT_EQ(0, make_node("/dev/ashmem", 0600, rdev ? rdev : makedev(1, 3)));
	ASSERT_EQ(0, setuid(65534));
	EXPECT_STREQ("2: /dev/ashmem must not be opened here", answer());
	EXPECT_EQ(ASHM_BACKEND_MEMFD, made());
}

TEST(nobody_behind_the_node)
{
	dev_t rdev;

	if (enter_root(&rdev))
		SKIP(return, "chroot() needs root");
	/* A misc minor that is reserved for no device. */
	ASSERT_EQ(0, make_node("/dev/ashmem", 0666, makedev(10, 999983)));
	EXPECT_STREQ("2: no driver is behind /dev/ashmem: is the module ashmem_linux loaded?",
		     answer());
	EXPECT_EQ(ASHM_BACKEND_MEMFD, made());
}

TEST(another_device)
{
	uint64_t size;
	dev_t rdev;
	int fd;

	if (enter_root(&rdev))
		SKIP(return, "chroot() needs root");
	ASSERT_EQ(0, make_node("/dev/ashmem", 0666, makedev(1, 3)));
	EXPECT_STREQ("2: /dev/ashmem is something else than the ashmem device",
		     answer());
	EXPECT_EQ(ASHM_BACKEND_MEMFD, made());
	/* The number is right, but the device does not respond. */
	fd = open("/dev/ashmem", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	errno = 0;
	EXPECT_EQ(0, ashmem_valid(fd));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_NE(0, ashmem_pin_region(fd, 0, 0));
	EXPECT_EQ(-ENOTTY, ashm_backend_of(fd));
	EXPECT_EQ(-ENOTTY, ashm_size_of(fd, &size));
	EXPECT_EQ(0, ASharedMemory_getSize(fd));
}

TEST(another_device_on_demand)
{
	dev_t rdev;

	if (enter_root(&rdev))
		SKIP(return, "chroot() needs root");
	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "ashmem", 1));
	ASSERT_EQ(0, make_node("/dev/ashmem", 0666, makedev(1, 5)));
	EXPECT_STREQ("-25: /dev/ashmem is something else than the ashmem device",
		     answer());
	EXPECT_EQ(-ENOTTY, made());
}

TEST(a_file)
{
	dev_t rdev;

	if (enter_root(&rdev))
		SKIP(return, "chroot() needs root");
	ASSERT_LE(0, open("/dev/ashmem", O_CREAT | O_RDWR | O_CLOEXEC, 0666));
	EXPECT_STREQ("2: /dev/ashmem is something else than the ashmem device",
		     answer());
	EXPECT_EQ(ASHM_BACKEND_MEMFD, made());
}

/* Android's node, whose name ends in the boot's id, is looked for first. */
TEST(node_of_the_boot)
{
	static const char id[] = "01234567-89ab-cdef-0123-456789abcdef\n";
	char node[64];
	dev_t rdev;
	int fd;

	if (enter_root(&rdev))
		SKIP(return, "chroot() needs root");
	if (!rdev)
		SKIP(return, "no " ASHMEM_DEV " here");
	ASSERT_EQ(0, mkdir("/proc", 0755));
	ASSERT_EQ(0, mkdir("/proc/sys", 0755));
	ASSERT_EQ(0, mkdir("/proc/sys/kernel", 0755));
	ASSERT_EQ(0, mkdir("/proc/sys/kernel/random", 0755));
	fd = open("/proc/sys/kernel/random/boot_id", O_CREAT | O_WRONLY | O_CLOEXEC,
		  0444);
	ASSERT_EQ((ssize_t)strlen(id), write(fd, id, strlen(id)));
	close(fd);
	snprintf(node, sizeof(node), ASHMEM_DEV "%.36s", id);
	ASSERT_EQ(0, make_node(node, 0666, rdev));
	ASSERT_EQ(0, make_node(ASHMEM_DEV, 0666, makedev(1, 5)));

	/* By the number alone, before any was opened. */
	fd = open(node, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, ashmem_valid(fd));
	EXPECT_EQ(ASHM_BACKEND_ASHMEM, made());
	EXPECT_STREQ("1: /dev/ashmem is there", answer());

	/* Without it the plain name is used. */
	ASSERT_EQ(0, unlink(node));
	ASSERT_EQ(0, unlink(ASHMEM_DEV));
	ASSERT_EQ(0, make_node(ASHMEM_DEV, 0666, rdev));
	EXPECT_EQ(ASHM_BACKEND_ASHMEM, made());
}

/* A lack of descriptors is no reason to fall back to memfd. */
/* Also without a device: open() takes a number before it looks at the path. */
TEST(no_descriptor_left)
{
	int fd;

	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "auto", 1));
	fd = open("/", O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(0, limit_fds((rlim_t)fd));
	close(fd);
	ASSERT_EQ(0, limit_fds((rlim_t)fd));
	EXPECT_STREQ("-24: /dev/ashmem could not be opened just now", answer());
	EXPECT_EQ(-EMFILE, made());
}

/* ---- sandboxes ---- */

TEST(kernel_without_noexec)
{
	FORBID(SYS_memfd_create, 1, MFD_NOEXEC_SEAL, 0, EINVAL);
	EXPECT_EQ(-EINVAL, RET(syscall(SYS_memfd_create, "x", MFD_NOEXEC_SEAL)));
	EXPECT_EQ(ASHM_BACKEND_MEMFD, made());
	EXPECT_EQ(ASHM_BACKEND_MEMFD, made());
}

TEST(sandbox_without_seals)
{
	FORBID(SYS_memfd_create, 1, MFD_ALLOW_SEALING, 0, EINVAL);
	EXPECT_EQ(-ENOSYS, made());
}

TEST(sandbox_without_memfd)
{
	FORBID(SYS_memfd_create, 1, 0, 0, EPERM);
	EXPECT_EQ(-EPERM, made());
}

TEST(sandbox_without_size_seals)
{
	int fds = count_fds();

	FORBID(SYS_FCNTL, 2, SIZE_SEALS, 0, EPERM);
	EXPECT_EQ(-EPERM, made());
	EXPECT_EQ(fds, count_fds());
}

/* No mask is better than one without effect. */
TEST(kernel_without_future_write)
{
	struct ashm *r;
	int fds;

	FORBID(SYS_FCNTL, 2, F_SEAL_FUTURE_WRITE,
	       ~(uint32_t)F_SEAL_FUTURE_WRITE, EINVAL);
	r = region_new("mask", 4096);
	ASSERT_NE(NULL, r);
	fds = count_fds();
	EXPECT_EQ(-EOPNOTSUPP, RET(ashmem_set_prot_region(ashm_fd(r), PROT_READ)));
	EXPECT_EQ(-EOPNOTSUPP, ashm_protect(r, PROT_READ));
	EXPECT_EQ(-EOPNOTSUPP, ashm_share_readonly(r));
	EXPECT_EQ(0, ashm_write(r, "x", 1, 0));
	EXPECT_EQ(fds, count_fds());
	ashm_close(r);
}

/* ---- kernels that warn ---- */

TEST(not_executable)
{
	int raw, fd;

	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "memfd", 1));
	fd = ashmem_create_region("noexec", 4096);
	ASSERT_LE(0, fd);
	EXPECT_NE(0, faccessat(fd, "", X_OK, AT_EMPTY_PATH));
	raw = (int)syscall(SYS_memfd_create, "x", MFD_NOEXEC_SEAL);
	if (raw < 0)
		SKIP(return, "the kernel has no MFD_NOEXEC_SEAL");
	EXPECT_EQ(F_SEAL_EXEC, fcntl(fd, F_GET_SEALS) & F_SEAL_EXEC);
	EXPECT_EQ(-EPERM, RET(fchmod(fd, 0755)));
}

TEST(kernel_log)
{
	char line[8192];
	ssize_t got;
	int log;

	log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log < 0 || lseek(log, 0, SEEK_END) < 0)
		SKIP(return, "the kernel's log can't be read");
	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", "memfd", 1));
	EXPECT_EQ(ASHM_BACKEND_MEMFD, made());
	while ((got = read(log, line, sizeof(line) - 1)) > 0) {
		line[got] = '\0';
		EXPECT_EQ(NULL, strstr(line, "memfd_create"))
			TH_LOG("%s", line);
	}
}

/* ---- setuid programs ---- */

/* Runs as the setuid-root copy of this program. */
__attribute__((constructor)) static void setuid_role(void)
{
	if (!getenv(SETUID_ROLE))
		return;
	_exit(getuid() != geteuid() && made() > 0 ? 0 : 1);
}

static int copy_program(const char *to)
{
	char buf[65536];
	ssize_t got;
	int in, out;

	in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	if (in < 0 || out < 0)
		return -errno;
	while ((got = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)got) != got)
			return -errno;
	close(in);
	if (got || fchmod(out, 04755) || close(out))
		return -errno;
	return 0;
}

TEST(setuid_program)
{
	struct statvfs st;
	char dir[] = "/tmp/setuid.XXXXXX", path[64];
	pid_t pid;

	if (geteuid())
		SKIP(return, "only root makes setuid programs");
	ASSERT_NE(NULL, mkdtemp(dir));
	ASSERT_EQ(0, chmod(dir, 0755));
	snprintf(path, sizeof(path), "%s/program", dir);
	ASSERT_EQ(0, copy_program(path));
	if (statvfs(path, &st) || st.f_flag & (ST_NOSUID | ST_NOEXEC)) {
		unlink(path);
		rmdir(dir);
		SKIP(return, "/tmp allows no setuid programs");
	}
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		CHILD_CHECK(!setenv("ASHMEM_BACKEND", "bogus", 1));
		CHILD_CHECK(!setenv(SETUID_ROLE, "1", 1));
		CHILD_CHECK(!setuid(65534));
		execl(path, path, NULL);
		_exit(2);
	}
	EXPECT_EQ(0, wait_child(pid));
	unlink(path);
	rmdir(dir);
}

TEST_HARNESS_MAIN
