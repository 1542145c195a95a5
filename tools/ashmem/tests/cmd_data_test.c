// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem create, cat, fill and purge: bytes in and out of regions.
 */

#include "kselftest_harness.h"
#include "cmd_util.h"
#include "cmd_live.h"

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Takes PID/FD, terminated, and the PID from the output of "create --detach". */
static void peer_of(struct output *o, char peer[64], pid_t *pid)
{
	snprintf(peer, 64, "%.*s", (int)strcspn(o->out, "\n"), o->out);
	*pid = (pid_t)strtol(peer, NULL, 10);
}

/* The process isn't our child: it has ended when its PID is gone. */
static bool gone(pid_t pid)
{
	unsigned int i;

	kill(pid, SIGTERM);
	for (i = 0; i < 500; i++) {
		if (kill(pid, 0) && errno == ESRCH)
			return true;
		nap_ms(10);
	}
	return false;
}

static unsigned int descriptors_of(pid_t pid)
{
	DIR *dir = opendir(format("/proc/%d/fd", (int)pid));
	struct dirent *entry;
	unsigned int count = 0;

	while (dir && (entry = readdir(dir)))
		count += isdigit((unsigned char)*entry->d_name) != 0;
	if (dir)
		closedir(dir);
	return count;
}

static char *pattern(size_t len)
{
	char *bytes = malloc(len);

	fill(bytes, len, 7);
	return bytes;
}

TEST_F(live, fill_and_cat)
{
	char *bytes = pattern(self->size);

	ASHMEM(&self->o, input_of(bytes, self->size), "fill", self->peer);
	ASSERT_EQ(0, self->o.code);
	EXPECT_STREQ("", self->o.out);
	EXPECT_STREQ("", self->o.err);
	ASHMEM(&self->o, -1, "cat", self->peer);
	EXPECT_EQ(0, self->o.code);
	ASSERT_EQ(self->size, self->o.out_len);
	EXPECT_EQ(0, memcmp(bytes, self->o.out, self->size));
	/* The command must not move the position, which all holders share. */
	EXPECT_EQ(0, lseek(ashm_fd(self->region), 0, SEEK_CUR));
	ASHMEM(&self->o, -1, "cat", "/proc/self/fd/0");
	EXPECT_EQ(2, self->o.code);
	ASHMEM(&self->o, -1, "cat", "-o", "5", "-l", "0x10",
	       format("/proc/%d/fd/%d", (int)getpid(), ashm_fd(self->region)));
	EXPECT_EQ(16, self->o.out_len);
	EXPECT_EQ(0, memcmp(bytes + 5, self->o.out, 16));
	ASHMEM(&self->o, -1, "cat", "-o", format("%zu", self->size), self->peer);
	EXPECT_EQ(0, self->o.code);
	EXPECT_EQ(0, self->o.out_len);
}

TEST_F(live, fill_part)
{
	char *bytes = pattern(self->size);
	char *p = region_map(self->region, PROT_READ);

	ASHMEM(&self->o, pipe_of("abc", 3), "fill", "-o", "4095", self->peer);
	EXPECT_EQ(0, self->o.code);
	EXPECT_TRUE(zeroed(p, 4095));
	EXPECT_EQ(0, memcmp(p + 4095, "abc\0", 4));
	/* Only the given number of bytes. */
	ASHMEM(&self->o, input_of(bytes, self->size), "fill", "-l", "2", self->peer);
	EXPECT_EQ(0, self->o.code);
	EXPECT_EQ(0, memcmp(p, bytes, 2));
	EXPECT_EQ(0, p[2]);
	ASHMEM(&self->o, -1, "fill", "-x", "00fF1", self->peer);
	EXPECT_EQ(2, self->o.code);
	ASHMEM(&self->o, -1, "fill", "-x", "0xff", self->peer);
	EXPECT_EQ(2, self->o.code);
	ASHMEM(&self->o, -1, "fill", "-t", "", self->peer);
	EXPECT_EQ(2, self->o.code);
	EXPECT_EQ(0, memcmp(p, bytes, 2));
	ASHMEM(&self->o, -1, "fill", "--hex", "fE01aa", "-o", "1", "-l", "7", self->peer);
	EXPECT_EQ(0, self->o.code);
	EXPECT_EQ(0, memcmp(p + 1, "\xfe\x01\xaa\xfe\x01\xaa\xfe\0", 8));
	ASHMEM(&self->o, -1, "fill", "--text", "xyz", self->peer);
	EXPECT_EQ(0, self->o.code);
	EXPECT_EQ("xyz"[(self->size - 1) % 3], p[self->size - 1]);
	EXPECT_EQ('x', p[0]);
}

/* Too many bytes or a wrong offset change nothing if the command can tell in time. */
TEST_F(live, fill_too_much)
{
	char *bytes = pattern(self->size + 1);
	char *p = region_map(self->region, PROT_READ);

	ASHMEM(&self->o, input_of(bytes, self->size + 1), "fill", self->peer);
	EXPECT_EQ(1, self->o.code);
	EXPECT_TRUE(one_message(&self->o));
	EXPECT_TRUE(has(self->o.err, "nothing was written"));
	EXPECT_TRUE(zeroed(p, self->size));
	ASHMEM(&self->o, -1, "fill", "-t", "x", "-o", format("%zu", self->size + 1),
	       self->peer);
	EXPECT_EQ(1, self->o.code);
	EXPECT_TRUE(has(self->o.err, "behind the end"));
	ASHMEM(&self->o, -1, "fill", "-t", "x", "-o", "1", "-l", format("%zu", self->size),
	       self->peer);
	EXPECT_EQ(1, self->o.code);
	EXPECT_TRUE(has(self->o.err, "pass the end"));
	ASHMEM(&self->o, -1, "cat", "-o", "1", "-l", format("%zu", self->size), self->peer);
	EXPECT_EQ(1, self->o.code);
	EXPECT_EQ(0, self->o.out_len);
	EXPECT_TRUE(zeroed(p, self->size));
	/* The size of a pipe's data is unknown: the part that fits is written, then it fails. */
	ASHMEM(&self->o, pipe_of(bytes, self->size + 1), "fill", self->peer);
	EXPECT_EQ(1, self->o.code);
	EXPECT_TRUE(has(self->o.err, "more than fits"));
	EXPECT_EQ(0, memcmp(p, bytes, self->size));
	/* Exactly the region's size fits. */
	ASHMEM(&self->o, pipe_of(bytes, self->size), "fill", self->peer);
	EXPECT_EQ(0, self->o.code);
}

TEST_F(live, mask_forbids_writing)
{
	char *p = region_map(self->region, PROT_READ);

	ASSERT_EQ(0, ashm_protect(self->region, PROT_READ | PROT_EXEC));
	ASHMEM(&self->o, -1, "fill", "-t", "x", self->peer);
	EXPECT_EQ(1, self->o.code);
	EXPECT_TRUE(has(self->o.err, "mask doesn't allow writing"));
	EXPECT_TRUE(zeroed(p, self->size));
	ASHMEM(&self->o, -1, "cat", self->peer);
	EXPECT_EQ(0, self->o.code);
	EXPECT_EQ(self->size, self->o.out_len);
}

TEST_F(live, access_modes)
{
	int fd;

	if (!IS_DEVICE)
		SKIP(return, "of the device only: memfds are always read and written");
	fd = ash_open(O_WRONLY);
	ash_set_size(fd, 4096);
	ASHMEM(&self->o, -1, "cat", format("%d/%d", (int)getpid(), fd));
	EXPECT_EQ(1, self->o.code);
	EXPECT_TRUE(has(self->o.err, "opened for writing only"));
	close(fd);
	fd = ash_open(O_RDONLY);
	ASHMEM(&self->o, -1, "cat", format("%d/%d", (int)getpid(), fd));
	EXPECT_EQ(1, self->o.code);
	EXPECT_TRUE(has(self->o.err, "no size yet"));
	ash_set_size(fd, 4096);
	ASHMEM(&self->o, -1, "cat", format("%d/%d", (int)getpid(), fd));
	EXPECT_EQ(1, self->o.code);
	EXPECT_TRUE(has(self->o.err, "never mapped"));
	ASHMEM(&self->o, -1, "fill", "-t", "x", format("%d/%d", (int)getpid(), fd));
	EXPECT_EQ(1, self->o.code);
	EXPECT_TRUE(has(self->o.err, "wasn't opened for reading and writing"));
	close(fd);
	/* fill maps a region that was never mapped, which fixes its size. */
	fd = ash_region("settled", 5000);
	ASHMEM(&self->o, -1, "fill", "-t", "x", format("%d/%d", (int)getpid(), fd));
	EXPECT_EQ(0, self->o.code);
	ASHMEM(&self->o, -1, "cat", format("%d/%d", (int)getpid(), fd));
	EXPECT_EQ(5000, self->o.out_len);
	EXPECT_TRUE(all_bytes(self->o.out, 5000, 'x'));
	EXPECT_EQ(-EINVAL, ash_set_size(fd, 1));
}

/* Runs "ashmem cat @peer" into a file, with -l unless @length is NULL. */
static int cat_into(int fd, const char *peer, const char *length)
{
	pid_t pid = fork();

	if (!pid) {
		dup2(fd, 1);
		execl("/proc/self/exe", "ashmem", "cat", peer, length ? "-l" : NULL, length,
		      NULL);
		_exit(126);
	}
	return wait_child(pid);
}

/* In a plain file zeroes become holes, and the bytes are the same. */
TEST_F(live, holes)
{
	char *dir = temp_dir(), *path = format("%s/out", dir);
	size_t size = 64 << 20, i;
	struct ashm *large = region_new("large", size);
	char *bytes = pattern(3), buffer[3];
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;
	char *peer;

	ASSERT_TRUE(large && fd >= 0);
	ASSERT_EQ(0, ashm_write(large, bytes, 3, size - 3));
	ASSERT_EQ(0, ashm_write(large, bytes, 3, 9 << 20));
	peer = format("%d/%d", (int)getpid(), ashm_fd(large));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, cat_into(fd, peer, NULL));
		ASSERT_EQ(0, fstat(fd, &st));
		EXPECT_EQ((i + 1) * size, (size_t)st.st_size);
		/* Appended data starts after a hole at the end, too. */
		EXPECT_LT(st.st_blocks * 512, 1 << 20);
		EXPECT_EQ(3, pread(fd, buffer, 3, (off_t)(i * size + (9 << 20))));
		EXPECT_EQ(0, memcmp(bytes, buffer, 3));
		EXPECT_EQ(3, pread(fd, buffer, 3, (off_t)((i + 1) * size - 3)));
		EXPECT_EQ(0, memcmp(bytes, buffer, 3));
		EXPECT_EQ(1, pread(fd, buffer, 1, 10 << 20));
		EXPECT_EQ(0, buffer[0]);
	}
	/* Zeroes must overwrite old contents. */
	EXPECT_EQ(1, pwrite(fd, "x", 1, 1 << 20));
	lseek(fd, 0, SEEK_SET);
	ASSERT_EQ(0, cat_into(fd, peer, "2M"));
	EXPECT_EQ(1, pread(fd, buffer, 1, 1 << 20));
	EXPECT_EQ(0, buffer[0]);
	/* A hole at the end has the length of the zeroes. */
	ASSERT_EQ(0, ftruncate(fd, 0));
	lseek(fd, 0, SEEK_SET);
	ASSERT_EQ(0, cat_into(fd, peer, "2M"));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(2 << 20, st.st_size);
	EXPECT_EQ(0, st.st_blocks);
	ASHMEM(&self->o, -1, "cat", "-o", "8M", "-l", "2M", peer);
	EXPECT_EQ(2 << 20, self->o.out_len);
	EXPECT_EQ(0, memcmp(self->o.out + (1 << 20), bytes, 3));
	remove_tree(dir);
	ashm_close(large);
}

TEST_F(live, created_for_scripts)
{
	char peer[64];
	pid_t pid;

	ASHMEM(&self->o, -1, "create", "--detach", "-n", "scripted", "-s", "8k", "-m", "rw");
	ASSERT_EQ(0, self->o.code);
	/* The command warns about the mask that a memfd can't have. */
	EXPECT_EQ(!IS_DEVICE, count_of(self->o.err, "is rwx, not rw-"));
	EXPECT_EQ(!IS_DEVICE, count_of(self->o.err, "\n"));
	peer_of(&self->o, peer, &pid);
	EXPECT_STREQ(format("%s\n", peer), self->o.out);
	ASHMEM(&self->o, -1, "show", "-j", peer);
	EXPECT_EQ(0, self->o.code);
	EXPECT_STREQ("\"scripted\"", json_get(self->o.out, "region", "name"));
	EXPECT_STREQ("8192", json_get(self->o.out, "region", "size"));
	EXPECT_STREQ(IS_DEVICE ? "\"rw-\"" : "\"rwx\"",
		     json_get(self->o.out, "region", "mask"));
	EXPECT_STREQ("[]", json_get(self->o.out, "region", "mapped_by"));
	ASHMEM(&self->o, -1, "cat", peer);
	EXPECT_EQ(8192, self->o.out_len);
	ASHMEM(&self->o, -1, "fill", "-t", "hello", "-l", "5", peer);
	ASHMEM(&self->o, -1, "cat", "-l", "6", peer);
	EXPECT_STREQ("hello", self->o.out);
	EXPECT_EQ(6, self->o.out_len);
	EXPECT_TRUE(gone(pid));
	ASHMEM(&self->o, -1, "cat", peer);
	EXPECT_EQ(1, self->o.code);
}

TEST_F(live, created_from_a_file)
{
	char *bytes = pattern(10000), *dir = temp_dir(), *path = format("%s/in", dir);
	char peer[64];
	pid_t pid;

	put_bytes(dir, "/in", bytes, 10000);
	/* The contents are written before the mask forbids it. */
	ASHMEM(&self->o, -1, "create", "-d", "-f", path, "-m", "r");
	ASSERT_EQ(0, self->o.code);
	peer_of(&self->o, peer, &pid);
	ASHMEM(&self->o, -1, "cat", peer);
	EXPECT_EQ(10000, self->o.out_len);
	EXPECT_EQ(0, memcmp(bytes, self->o.out, 10000));
	ASHMEM(&self->o, -1, "show", "-j", peer);
	EXPECT_STREQ(IS_DEVICE ? "\"r--\"" : "\"r-x\"",
		     json_get(self->o.out, "region", "mask"));
	EXPECT_TRUE(gone(pid));
	ASHMEM(&self->o, pipe_of(bytes, 10000), "create", "-d", "-f", "-", "-s", "20000");
	peer_of(&self->o, peer, &pid);
	ASHMEM(&self->o, -1, "cat", "-o", "9999", peer);
	EXPECT_EQ(10001, self->o.out_len);
	EXPECT_EQ(bytes[9999], self->o.out[0]);
	EXPECT_TRUE(zeroed(self->o.out + 1, 10000));
	EXPECT_TRUE(gone(pid));
	/* Input that doesn't fit creates no region. */
	ASHMEM(&self->o, pipe_of(bytes, 10000), "create", "-d", "-f", "-", "-s", "9999");
	EXPECT_EQ(1, self->o.code);
	EXPECT_STREQ("", self->o.out);
	ASHMEM(&self->o, pipe_of(bytes, 10000), "create", "-d", "-f", "-");
	EXPECT_EQ(1, self->o.code);
	EXPECT_TRUE(has(self->o.err, "give a size"));
	ASHMEM(&self->o, -1, "create", "-d", "-f", "/nowhere/at/all");
	EXPECT_EQ(1, self->o.code);
	EXPECT_TRUE(one_message(&self->o));
	remove_tree(dir);
}

/* Execs the command, which gets the region as its only new descriptor. */
TEST_F(live, created_for_a_command)
{
	ASHMEM(&self->o, -1, "create", "-s", "4096", "-n", "mine", "--", "sh", "-c",
	       "echo $ASHMEM_FD; readlink /proc/self/fd/$ASHMEM_FD; exit 7");
	EXPECT_EQ(7, self->o.code);
	EXPECT_TRUE(has(self->o.out, IS_DEVICE ? "\n/dev/ashmem\n" :
			"\n/memfd:ashmem/mine (deleted)\n"));
	ASHMEM(&self->o, -1, "create", "-s", "4096", "-F", "9", "sh", "-c",
	       "echo $ASHMEM_FD; test -e /proc/self/fd/9");
	EXPECT_EQ(0, self->o.code);
	EXPECT_EQ(0, strncmp("9\n", self->o.out, 2));
	ASHMEM(&self->o, -1, "create", "-s", "1", "/nowhere/command");
	EXPECT_EQ(127, self->o.code);
	ASHMEM(&self->o, -1, "create", "-s", "1", "/proc/self/status");
	EXPECT_EQ(126, self->o.code);
}

TEST_F(live, created_and_held)
{
	int round, out[2];
	char line[64];
	pid_t pid;

	/* A program that reads the message may end the holder at once. */
	for (round = 0; round < 20; round++) {
		memset(line, 0, sizeof(line));
		ASSERT_EQ(0, pipe2(out, O_CLOEXEC));
		pid = fork();
		if (!pid) {
			dup2(out[1], 1);
			execl("/proc/self/exe", "ashmem", "create", "-s", "12345", NULL);
			_exit(126);
		}
		ASSERT_TRUE(read(out[0], line, sizeof(line) - 1) > 0);
		line[strcspn(line, "\n")] = '\0';
		EXPECT_EQ(pid, strtol(line, NULL, 10));
		if (!round) {
			ASHMEM(&self->o, -1, "cat", line);
			EXPECT_EQ(12345, self->o.out_len);
		}
		kill(pid, SIGTERM);
		EXPECT_EQ(0, wait_child(pid));
		close(out[0]);
		close(out[1]);
	}
}

/* A holder that dies before it is ready is no success. */
TEST_F_TIMEOUT(live, holder_dies_early, 60)
{
	answer_call(SYS_setsid, SECCOMP_RET_KILL_PROCESS);
	ASHMEM(&self->o, -1, "create", "-d", "-s", "4096");
	EXPECT_EQ(1, self->o.code);
	EXPECT_STREQ("", self->o.out);
	EXPECT_TRUE(has(self->o.err, "can't hold the region in the background"));
	EXPECT_TRUE(one_message(&self->o));
}

/* Old kernels and filters of containers have no close_range(2). */
TEST_F_TIMEOUT(live, held_without_close_range, 60)
{
	int extra = fcntl(1, F_DUPFD, 500);
	char peer[64];
	pid_t pid;

	answer_call(SYS_close_range, SECCOMP_RET_ERRNO | EPERM);
	ASHMEM(&self->o, -1, "create", "-d", "-s", "4096");
	ASSERT_EQ(0, self->o.code);
	peer_of(&self->o, peer, &pid);
	/* The region is the only descriptor. */
	ASHMEM(&self->o, -1, "cat", peer);
	EXPECT_EQ(4096, self->o.out_len);
	EXPECT_EQ(1, descriptors_of(pid));
	EXPECT_TRUE(gone(pid));
	close(extra);
}

/* nohup and shells without job control let create ignore signals. */
TEST_F_TIMEOUT(live, ignored_signals, 60)
{
	char peer[64];
	pid_t pid;

	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	ASHMEM(&self->o, -1, "create", "-d", "-s", "4096");
	ASSERT_EQ(0, self->o.code);
	peer_of(&self->o, peer, &pid);
	EXPECT_EQ(0, kill(pid, SIGHUP));
	EXPECT_EQ(0, kill(pid, SIGINT));
	nap_ms(100);
	ASHMEM(&self->o, -1, "cat", peer);
	EXPECT_EQ(0, self->o.code);
	EXPECT_TRUE(gone(pid));
}

TEST_F(live, impossible_regions)
{
	const char *name = memset(calloc(1, 257), 'n', 256);

	ASHMEM(&self->o, -1, "create", "-s", "8E", "true");
	EXPECT_EQ(2, self->o.code);
	ASHMEM(&self->o, -1, "create", "-s", "0xffffffffffff0000", "true");
	/* A 32-bit program can't even ask for it. */
	EXPECT_EQ(sizeof(size_t) == 4 ? 2 : 1, self->o.code);
	EXPECT_TRUE(sizeof(size_t) == 4 || one_message(&self->o));
	ASHMEM(&self->o, -1, "create", "-s", "0", "true");
	EXPECT_EQ(2, self->o.code);
	ASHMEM(&self->o, -1, "create", "-n", (char *)name, "-s", "1", "true");
	EXPECT_EQ(2, self->o.code);
	ASHMEM(&self->o, -1, "create", "-n", (char *)name + 1, "-s", "1", "true");
	EXPECT_EQ(0, self->o.code);
	setenv("ASHMEM_BACKEND", "nonsense", 1);
	ASHMEM(&self->o, -1, "create", "-s", "1", "true");
	EXPECT_EQ(1, self->o.code);
	EXPECT_TRUE(one_message(&self->o));
}

TEST_F(live, purged)
{
	size_t pages = (8192 + page_size() - 1) / page_size();
	char peer[64], count[32];
	pid_t pid;

	snprintf(count, sizeof(count), "%zu", pages);
	if (!IS_DEVICE) {
		if (have_device())
			SKIP(return, "memfds are never purged");
		ASHMEM(&self->o, -1, "purge");
		EXPECT_EQ(1, self->o.code);
		EXPECT_TRUE(has(self->o.err, "can't open /dev/ashmem"));
		EXPECT_TRUE(one_message(&self->o));
		return;
	}
	if (!purge_works())
		SKIP(return, "needs CAP_SYS_ADMIN");
	ASHMEM(&self->o, input_of(pattern(8192), 8192), "create", "-d", "-f", "-", "--unpin");
	peer_of(&self->o, peer, &pid);
	ASHMEM(&self->o, -1, "show", "-j", peer);
	EXPECT_STREQ(count, json_get(self->o.out, "region", "purgeable_pages"));
	EXPECT_STREQ("0", json_get(self->o.out, "region", "purged_pages"));
	ASHMEM(&self->o, -1, "cat", peer);
	EXPECT_TRUE(!zeroed(self->o.out, 8192));
	ASHMEM(&self->o, -1, "purge", "--json");
	EXPECT_EQ(0, self->o.code);
	EXPECT_TRUE(json_valid(self->o.out, self->o.out_len));
	EXPECT_STREQ(count, json_get(self->o.out, "{", "purgeable_pages"));
	EXPECT_STREQ(count, json_get(self->o.out, "{", "purged_pages"));
	ASHMEM(&self->o, -1, "cat", peer);
	EXPECT_TRUE(zeroed(self->o.out, 8192));
	ASHMEM(&self->o, -1, "show", "-j", peer);
	EXPECT_STREQ("0", json_get(self->o.out, "region", "purgeable_pages"));
	EXPECT_STREQ(count, json_get(self->o.out, "region", "unpinned_pages"));
	EXPECT_STREQ(count, json_get(self->o.out, "region", "purged_pages"));
	EXPECT_STREQ("0", json_get(self->o.out, "region", "resident_pages"));
	ASHMEM(&self->o, -1, "show", peer);
	EXPECT_TRUE(has(self->o.out, format("purged     %zu pages, %s\n", pages,
					    pages_text(pages))));
	ASHMEM(&self->o, -1, "purge");
	EXPECT_STREQ("purged 0 pages, 0\n", self->o.out);
	ASHMEM(&self->o, -1, "purge", "-q");
	EXPECT_STREQ("", self->o.out);
	EXPECT_TRUE(gone(pid));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
	ASHMEM(&self->o, -1, "purge");
	EXPECT_EQ(1, self->o.code);
	EXPECT_TRUE(has(self->o.err, "CAP_SYS_ADMIN"));
	EXPECT_TRUE(one_message(&self->o));
}

TEST_F(live, peers_of_other_users)
{
	if (getuid())
		SKIP(return, "needs root, to become another user");
	ASSERT_EQ(0, prctl(PR_SET_DUMPABLE, 1));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, 0));
	/* root still owns our files in /proc. */
	ASHMEM(&self->o, -1, "cat", self->peer);
	EXPECT_EQ(1, self->o.code);
	EXPECT_TRUE(has(self->o.err, "not allowed to take descriptor"));
	EXPECT_TRUE(one_message(&self->o));
	EXPECT_STREQ("", self->o.out);
	EXPECT_EQ(0, setresuid(0, 0, 0));
}

/* A process chooses its files: a copy of one must not even be closed. */
TEST_F_TIMEOUT(live, copies_only_regions, 60)
{
	static const char * const commands[] = { "show", "cat", "fill" };
	size_t i;

	answer_call(SYS_pidfd_getfd, SECCOMP_RET_KILL_PROCESS);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		ASHMEM(&self->o, -1, (char *)commands[i], format("%d/2", (int)getpid()));
		EXPECT_EQ(1, self->o.code);
		EXPECT_TRUE(has(self->o.err, "is no region"));
		output_free(&self->o);
	}
}

/* Yama allows only parents, and the processes that the process itself allows. */
TEST_F(live, ptrace_scope)
{
	static const char * const file = "/proc/sys/kernel/yama/ptrace_scope";
	char peer[64], *before, *said;
	struct helper h;
	pid_t pid;

	if (!in_guest() || getuid())
		SKIP(return, "changes a setting of the system: in guests only");
	before = file_line(file);
	if (!before)
		SKIP(return, "the kernel has no Yama");
	HELPER(&h, CHILD_CHECK(!setresuid(NOBODY, NOBODY, NOBODY));
	       prctl(PR_SET_DUMPABLE, 1));
	put_file("", file, "1");
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, 0));
	ASHMEM(&self->o, -1, "create", "-d", "-s", "4096");
	EXPECT_EQ(0, self->o.code);
	peer_of(&self->o, peer, &pid);
	ASHMEM(&self->o, -1, "fill", "-t", "x", peer);
	EXPECT_EQ(0, self->o.code);
	ASHMEM(&self->o, -1, "cat", peer);
	EXPECT_EQ(4096, self->o.out_len);
	EXPECT_EQ(0, kill(pid, SIGTERM));
	ASHMEM(&self->o, -1, "cat", format("%d/%d", (int)h.pid, ashm_fd(self->region)));
	said = self->o.err;
	EXPECT_EQ(1, self->o.code);
	EXPECT_TRUE(has(said, "kernel.yama.ptrace_scope is 1"));
	EXPECT_EQ(0, setresuid(0, 0, 0));
	put_file("", file, before);
	helper_end(&h);
}

TEST_HARNESS_MAIN
