// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem list on fake trees: states that a live system can't show on demand.
 */

#include "kselftest_harness.h"
#include "cmd_util.h"

#include <sys/sysmacros.h>

#include "fuse_util.h"
#include "walk.h"

/* No process has such a PID, so the kernel can't compare their files. */
#define PID_A	2000000001
#define PID_B	2000000002

/* /dev/null replaces the device here, so that the tests need no root. */
FIXTURE(tree)
{
	char *root;
	char dev[32];
	struct output o;
};

static void put_process(const char *root, int pid, const char *comm, const char *maps)
{
	put_file(root, format("/proc/%d/comm", pid), comm);
	put_file(root, format("/proc/%d/stat", pid),
		 format("%d (%s) S 1 1 1 0 -1 4194560 1\n", pid, comm));
	put_file(root, format("/proc/%d/task/%d/maps", pid, pid), maps);
	put_file(root, format("/proc/%d/task/%d/fd/x", pid, pid), "");
}

static void put_region_fd(const char *root, int pid, int fd, const char *info)
{
	put_link(root, format("/proc/%d/task/%d/fd/%d", pid, pid, fd), "/dev/null");
	put_file(root, format("/proc/%d/task/%d/fdinfo/%d", pid, pid, fd), info);
}

FIXTURE_SETUP(tree)
{
	dev_t dev;

	self->root = temp_dir();
	put_file(self->root, "/sys/class/misc/ashmem/dev", "1:3\n");
	mkdir(format("%s/proc", self->root), 0755);
	ASSERT_EQ(0, shmem_device(&dev));
	snprintf(self->dev, sizeof(self->dev), "%02x:%02x", major(dev), minor(dev));
	setenv(TEST_ROOT, self->root, 1);
}

FIXTURE_TEARDOWN(tree)
{
	remove_tree(self->root);
}

TEST_F(tree, nothing)
{
	ASHMEM(&self->o, -1, "list");
	EXPECT_EQ(0, self->o.code);
	EXPECT_EQ(1, count_of(self->o.out, "\n"));
	EXPECT_STREQ("", self->o.err);
	ASHMEM(&self->o, -1, "list", "--json");
	EXPECT_TRUE(json_valid(self->o.out, self->o.out_len));
	EXPECT_STREQ("[]", json_get(self->o.out, "{", "regions"));
}

TEST_F(tree, two_processes_one_region)
{
	if (page_size() != 4096)
		SKIP(return, "the /proc of this test is of a kernel with pages of 4 KiB");
	put_process(self->root, PID_A, "one\n",
		    format("1000-3000 rw-s 00000000 %s 77 /dev/ashmem/n (deleted)\n"
			   "5000-6000 r--s 00001000 %s 77 /dev/ashmem/n (deleted)\n"
			   "8000-9000 rw-s 00000000 %s 78 /dev/zero (deleted)\n",
			   self->dev, self->dev, self->dev));
	put_process(self->root, PID_B, "two\n", "");
	put_region_fd(self->root, PID_A, 4, "pos:\t0\nflags:\t02000002\ninode:\t77\n"
		      "name:\tn\nsize:\t8192\nprot_mask:\trw-\nresident_pages:\t2\n"
		      "unpinned_pages:\t1\npurgeable_pages:\t1\n");
	put_region_fd(self->root, PID_B, 5, "pos:\t0\nflags:\t00\ninode:\t77\nname:\tn\n"
		      "size:\t8192\nprot_mask:\trw-\nresident_pages:\t2\n"
		      "unpinned_pages:\t1\npurgeable_pages:\t1\n");
	ASHMEM(&self->o, -1, "list", "--bytes");
	EXPECT_EQ(0, self->o.code);
	EXPECT_EQ(3, count_of(self->o.out, "\n"));
	EXPECT_TRUE(has(self->o.out, "\n8192      8192       4096  rw-   ashmem  n     "));
	EXPECT_TRUE(has(self->o.out, "\n8192      8192       4096  1 region in all\n"));
	EXPECT_TRUE(has(self->o.out, "one 2000000001/4"));
	EXPECT_TRUE(has(self->o.out, "two 2000000002/5"));
	EXPECT_TRUE(has(self->o.out, "  one 2000000001 x2\n"));
	/* All columns have the same unit. */
	ASHMEM(&self->o, -1, "list");
	EXPECT_TRUE(has(self->o.out, "\n8.0K      8.0K       4.0K  rw-"));
	ASHMEM(&self->o, -1, "list", "--pages");
	EXPECT_TRUE(has(self->o.out, "\n   2         2          1  rw-"));
	/* 80 columns show the first process and the number of the others. */
	ASHMEM(&self->o, -1, "top", "-1");
	EXPECT_TRUE(strstr(self->o.out, "  one +1   8.0K") ||
		    strstr(self->o.out, "  two +1   8.0K")) {
		TH_LOG("%s", self->o.out);
	}
	ASHMEM(&self->o, -1, "list", "--json");
	EXPECT_TRUE(json_valid(self->o.out, self->o.out_len));
	EXPECT_EQ(1, count_of(self->o.out, "\"inode\""));
	EXPECT_STREQ("\"r\"", json_get(self->o.out, "2000000002", "access"));
	EXPECT_STREQ("4096", json_get(self->o.out, "0x5000", "offset"));
	EXPECT_STREQ("false", json_get(self->o.out, "2000000002", "close_on_exec"));
	EXPECT_STREQ("true", json_get(self->o.out, "2000000001", "close_on_exec"));
}

TEST_F(tree, regions_without_inode_stay_apart)
{
	const char *info = "pos:\t0\nflags:\t02\nsize:\t4096\nprot_mask:\trwx\n";

	put_process(self->root, PID_A, "one\n", "");
	put_region_fd(self->root, PID_A, 4, info);
	put_region_fd(self->root, PID_A, 5, info);
	put_region_fd(self->root, PID_A, 6, info);
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_EQ(3, count_of(self->o.out, "\"inode\": null"));
	EXPECT_EQ(3, count_of(self->o.out, "\"fd\""));
}

/* An older driver reports neither mask nor pages. */
TEST_F(tree, little_known)
{
	put_process(self->root, PID_A, "one\n", "");
	put_region_fd(self->root, PID_A, 4, "pos:\t0\nflags:\t02\ninode:\t3\nsize:\t4096\n");
	ASHMEM(&self->o, -1, "list");
	EXPECT_TRUE(has(self->o.out, "4.0K         ?          ?  ?     ashmem  -"));
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_STREQ("null", json_get(self->o.out, "{", "mask"));
	EXPECT_STREQ("null", json_get(self->o.out, "{", "resident_pages"));
}

TEST_F(tree, only_mapped)
{
	put_process(self->root, PID_A, "one\n",
		    format("1000-3000 rw-s 00001000 %s 77 /dev/ashmem/a\\012b (deleted)\n",
			   self->dev));
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_STREQ("\"a\\u000ab\"", json_get(self->o.out, "{", "name"));
	EXPECT_STREQ("null", json_get(self->o.out, "{", "size"));
	EXPECT_STREQ("12288", json_get(self->o.out, "{", "size_at_least"));
	EXPECT_STREQ("[]", json_get(self->o.out, "{", "held_by"));
	ASHMEM(&self->o, -1, "list");
	EXPECT_TRUE(has(self->o.out, ">=12K"));
}

/* A process can replace its mapping between the reads of maps and of map_files. */
TEST_F(tree, replaced_mapping)
{
	char *dir = format("/proc/%d/map_files", PID_A);
	int memfd = input_of("other", 5);
	struct stat st;

	/* Neither another file of the mount nor an equal number on another mount is it. */
	put_file(self->root, format("%s/1000-3000", dir), "other");
	put_link(self->root, format("%s/5000-6000", dir),
		 format("/proc/%d/fd/%d", (int)getpid(), memfd));
	ASSERT_EQ(0, stat(format("%s%s/1000-3000", self->root, dir), &st));
	put_process(self->root, PID_A, "one\n",
		    format("1000-3000 rw-s 00000000 %s %llu /dev/ashmem/n (deleted)\n"
			   "5000-6000 rw-s 00000000 %s 1 /dev/ashmem/m (deleted)\n",
			   self->dev, (unsigned long long)st.st_ino, self->dev));
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_EQ(2, count_of(self->o.out, "\"size\": null"));
	close(memfd);
}

#define SWAPPED	40
#define RUNS	200

/* Its descriptors are now a marked memfd, now a FIFO that it did not open. */
static void swap_descriptors(const char *fifo)
{
	int files[2] = { memfd_create("ashmem/swapped", MFD_ALLOW_SEALING),
			 open(fifo, O_PATH) };
	unsigned int turn, i;

	CHILD_CHECK(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	CHILD_CHECK(!fchmod(files[0], S_ISVTX | 0644));
	for (turn = 0; ; turn++)
		for (i = 0; i < SWAPPED; i++)
			CHILD_CHECK(dup2(files[turn % 2], 100 + (int)i) >= 0);
}

/* To open a FIFO or a device has effects: list must open nothing but memfds. */
TEST_F_TIMEOUT(tree, swapped_descriptors, 600)
{
	char *fifo = format("%s/fifo", self->root);
	pid_t swapper, writer;
	unsigned int i, seen = 0;

	ASSERT_EQ(0, mkfifo(fifo, 0600));
	swapper = fork();
	if (!swapper)
		swap_descriptors(fifo);
	/* Waits for a reader, however soon that closes the FIFO. */
	writer = fork();
	if (!writer)
		_exit(open(fifo, O_WRONLY) < 0);
	put_link(self->root, format("/proc/%d", PID_A), format("/proc/%d", (int)swapper));
	for (i = 0; i < RUNS && !waitpid(writer, NULL, WNOHANG); i++) {
		ASHMEM(&self->o, -1, "list", "-j");
		EXPECT_EQ(0, self->o.code);
		seen += count_of(self->o.out, "\"swapped\"");
		output_free(&self->o);
	}
	nap_ms(100);
	EXPECT_GT(seen, 0);
	EXPECT_EQ(0, waitpid(writer, NULL, WNOHANG));
	kill(writer, SIGKILL);
	kill(swapper, SIGKILL);
	wait_child(swapper);
}

/* A process can replace a file that was checked. An ioctl on another device has effects. */
TEST_F_TIMEOUT(tree, replaced_files, 600)
{
	static const char * const commands[] = { "show", "cat", "fill" };
	int files[2], pid = (int)getpid();
	char *peer;
	size_t i, j;

	if (getuid() || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/dev", "tmpfs", 0, NULL) ||
	    mknod("/dev/null", S_IFCHR | 0666, makedev(1, 3)) ||
	    mknod("/dev/ashmem", S_IFCHR | 0666, makedev(1, 5)))
		SKIP(return, "needs root, to make another device /dev/ashmem");
	files[0] = input_of("other", 5);
	files[1] = open("/dev/ashmem", O_RDWR | O_CLOEXEC);
	put_process(self->root, pid, "one\n", "");
	for (i = 0; i < 2; i++) {
		put_link(self->root, format("/proc/%d/fd/%d", pid, files[i]), "/dev/null");
		put_region_fd(self->root, pid, files[i],
			      format("flags:\t02\ninode:\t%zu\nsize:\t8192\n"
				     "unpinned_pages:\t1\n", i));
	}
	answer_call(SYS_ioctl, SECCOMP_RET_KILL_PROCESS);
	for (i = 0; i < 2; i++) {
		peer = format("%d/%d", pid, files[i]);
		for (j = 0; j < ARRAY_SIZE(commands); j++) {
			ASHMEM(&self->o, -1, (char *)commands[j], peer);
			EXPECT_EQ(j > 0, self->o.code) {
				TH_LOG("%s %s: %s", commands[j], peer, self->o.err);
			}
			output_free(&self->o);
		}
	}
}

/* Closing a copy of the wrong file would wait for its server. */
TEST_F_TIMEOUT(tree, replaced_by_a_slow_file, 600)
{
	static const char * const commands[] = { "show", "cat", "fill" };
	uint64_t holder;
	pid_t server;
	int pair[2];
	char *peer;
	size_t i;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	server = fork();
	if (!server)
		_exit(fuse_serve(pair[1], S_IFREG));
	close(pair[1]);
	ASSERT_EQ(0, recv_word(pair[0], &holder));
	if (!holder)
		SKIP(return, "no FUSE here");
	put_process(self->root, (int)holder, "one\n", "");
	put_link(self->root, format("/proc/%d/fd/%d", (int)holder, FUSE_FD), "/dev/null");
	put_region_fd(self->root, (int)holder, FUSE_FD,
		      "flags:\t02\ninode:\t3\nsize:\t8192\nunpinned_pages:\t1\n");
	peer = format("%d/%d", (int)holder, FUSE_FD);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		ASHMEM(&self->o, -1, (char *)commands[i], peer);
		EXPECT_EQ(i > 0, self->o.code);
		output_free(&self->o);
	}
	/* Its end would have ended the wait. */
	EXPECT_EQ(0, waitpid(server, NULL, WNOHANG));
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

/* The right path on the wrong file system: a user's fake /dev/ashmem. */
TEST_F(tree, forged_path)
{
	put_process(self->root, PID_A, "one\n",
		    "1000-3000 rw-s 00000000 fd:01 77 /dev/ashmem/n (deleted)\n");
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_STREQ("[]", json_get(self->o.out, "{", "regions"));
}

TEST_F(tree, hostile_names)
{
	static const char comm[] = "a\n\033]0;x\007) Z 9\\\n";

	put_process(self->root, PID_A, "x\n",
		    format("1000-3000 rw-s 00000000 %s 78 /dev/ashmem/\033[2J\xff (deleted)"
			   " (deleted)\n", self->dev));
	put_file(self->root, format("/proc/%d/comm", PID_A), comm);
	put_region_fd(self->root, PID_A, 4, "pos:\t0\nflags:\t02\ninode:\t77\n"
		      "name:\t\\012\033[31m\"\\134\xe2\x80\xae\x9b\nsize:\t4096\n"
		      "prot_mask:\trwx\n");
	setenv("LC_ALL", "C.UTF-8", 1);
	ASHMEM(&self->o, -1, "list");
	EXPECT_EQ(4, count_of(self->o.out, "\n"));
	EXPECT_TRUE(!strchr(self->o.out, '\033') && !strchr(self->o.out, '\007'));
	EXPECT_TRUE(has(self->o.out, "\\012\\033[31m\"\\\\\\342\\200\\256\\233  "));
	EXPECT_TRUE(has(self->o.out, "\\033[2J\\377 (deleted)  "));
	EXPECT_TRUE(has(self->o.out, "a\\012\\033]0;x\\007) Z 9\\\\ 2000000001/4"));
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_TRUE(json_valid(self->o.out, self->o.out_len));
	EXPECT_TRUE(has(self->o.out, "\"\\u000a\\u001b[31m\\\"\\\\\\u202e\\ufffd\""));
	EXPECT_TRUE(has(self->o.out, "\"name_hex\": \"0a1b5b33316d225ce280ae9b\""));
	ASHMEM(&self->o, -1, "show", format("%d/4", PID_A));
	EXPECT_EQ(0, self->o.code);
	EXPECT_TRUE(!strchr(self->o.out, '\033'));
	ASHMEM(&self->o, -1, "top", "--once");
	EXPECT_EQ(0, self->o.code);
	EXPECT_TRUE(!strchr(self->o.out, '\033'));
}

/* A process that exits leaves links to nothing and files that are gone. */
TEST_F(tree, vanishing)
{
	put_process(self->root, PID_A, "one\n", "");
	put_link(self->root, format("/proc/%d/task/%d/fd/3", PID_A, PID_A), "/nowhere");
	put_link(self->root, format("/proc/%d/task/%d/fd/4", PID_A, PID_A), "/dev/null");
	mkdir(format("%s/proc/%d", self->root, PID_B), 0755);
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_EQ(0, self->o.code);
	EXPECT_STREQ("", self->o.err);
	EXPECT_TRUE(json_valid(self->o.out, self->o.out_len));
	EXPECT_STREQ("[]", json_get(self->o.out, "{", "regions"));
}

TEST_F(tree, refused)
{
	char *fds = format("%s/proc/%d/task/%d/fd", self->root, PID_A, PID_A);

	if (getuid())
		SKIP(return, "needs root, to become another user");
	put_process(self->root, PID_A, "one\n", "");
	put_process(self->root, PID_B, "kthreadd\n", "");
	put_file(self->root, format("/proc/%d/stat", PID_B),
		 format("%d (kthreadd) S 0 0 0 0 -1 2129984 0\n", PID_B));
	ASSERT_EQ(0, chmod(fds, 0));
	ASSERT_EQ(0, chmod(format("%s/proc/%d/task/%d/fd", self->root, PID_B, PID_B), 0));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, 0));
	ASHMEM(&self->o, -1, "list", "-j");
	/* A kernel thread has no regions. */
	EXPECT_STREQ("1", json_get(self->o.out, "{", "refused_processes"));
	EXPECT_TRUE(has(self->o.err,
			format("process %d may not be looked into; root sees all\n", PID_A)));
	EXPECT_EQ(0, self->o.code);
	ASHMEM(&self->o, -1, "list", "-q");
	EXPECT_STREQ("", self->o.err);
	ASHMEM(&self->o, -1, "show", format("%d/3", PID_A));
	EXPECT_EQ(1, self->o.code);
	EXPECT_EQ(0, setresuid(0, 0, 0));
}

/* Filters on the processes of two users in two containers. */
TEST_F(tree, filtered)
{
	static const struct {
		const char *option, *value, *names;
	} cases[] = {
		{ "--name", "alpha", "a" }, { "--name", "*a", "ab" }, { "--name", "?eta", "b" },
		{ "--name", "a", "" }, { "--name", "", "" }, { "--name", "*", "ab" },
		{ "--cgroup", "/pod-1", "a" }, { "--cgroup", "pod", "ab" },
		{ "--cgroup", "nowhere", "" }, { "--user", "0", "ab" },
		{ "--user", "someone", "" }, { "--user", "root", "ab" },
		{ "--pid", "2000000002", "b" },
	};
	size_t i;

	if (getuid())
		SKIP(return, "needs root, whose processes these are");
	put_process(self->root, PID_A, "one\n", "");
	put_process(self->root, PID_B, "two\n", "");
	put_file(self->root, format("/proc/%d/cgroup", PID_A), "0::/machine/pod-1/x\n");
	put_file(self->root, format("/proc/%d/cgroup", PID_B), "0::/machine/pod-2/x\n");
	put_file(self->root, "/etc/passwd", "rooty:7:9::\nroot:x:0:0::/:/bin/sh\n"
		 "someone:x:4711:0::/:/bin/sh\nbroken\n");
	put_region_fd(self->root, PID_A, 4,
		      "flags:\t02\ninode:\t1\nname:\talpha\nsize:\t10\n");
	put_region_fd(self->root, PID_B, 4,
		      "flags:\t02\ninode:\t2\nname:\tbeta\nsize:\t30\n");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ASHMEM(&self->o, -1, "list", "-j", (char *)cases[i].option,
		       (char *)cases[i].value);
		EXPECT_EQ(0, self->o.code);
		EXPECT_EQ(!!strchr(cases[i].names, 'a'), count_of(self->o.out, "\"alpha\"")) {
			TH_LOG("%s %s", cases[i].option, cases[i].value);
		}
		EXPECT_EQ(!!strchr(cases[i].names, 'b'), count_of(self->o.out, "\"beta\"")) {
			TH_LOG("%s %s", cases[i].option, cases[i].value);
		}
	}
	/* All filters at once must match one process. */
	ASHMEM(&self->o, -1, "list", "-n", "*", "-c", "pod-1", "-p", "2000000002");
	EXPECT_EQ(1, count_of(self->o.out, "\n"));
	ASHMEM(&self->o, -1, "list", "-n", "*", "-c", "pod-2", "-p", "2000000002");
	EXPECT_TRUE(has(self->o.out, "1 region in all"));
	ASHMEM(&self->o, -1, "list", "-u", "broken");
	EXPECT_EQ(2, self->o.code);
	ASHMEM(&self->o, -1, "list", "-u", "some");
	EXPECT_EQ(2, self->o.code);
	ASHMEM(&self->o, -1, "list", "-p", "1999999999");
	EXPECT_EQ(1, self->o.code);
}

/* Without driver and device, list doesn't fail. */
TEST_F(tree, no_device)
{
	remove_tree(format("%s/sys", self->root));
	ASHMEM(&self->o, -1, "list");
	EXPECT_EQ(0, self->o.code);
	EXPECT_TRUE(has(self->o.err, "no ashmem device"));
	EXPECT_TRUE(one_message(&self->o));
}

TEST_F(tree, device_by_proc_misc)
{
	remove_tree(format("%s/sys", self->root));
	put_file(self->root, "/proc/misc", "232 kvm\n 58 ashmem\n");
	ASHMEM(&self->o, -1, "list");
	EXPECT_STREQ("", self->o.err);
}

/* The names in the order of @key, one character each. */
static char *order_by(struct output *o, const char *key)
{
	static char order[16];
	const char *at;
	size_t i = 0;

	ASHMEM(o, -1, "list", "-j", "-s", (char *)key);
	for (at = o->out; (at = strstr(at, "\"name\": \"")) && i < sizeof(order) - 1; at++)
		order[i++] = at[9];
	order[i] = '\0';
	return order;
}

TEST_F(tree, sorted)
{
	put_process(self->root, PID_A, "one\n", "");
	put_region_fd(self->root, PID_A, 4, "flags:\t02\ninode:\t1\nname:\tb\nsize:\t10\n"
		      "resident_pages:\t2\npurgeable_pages:\t9\n");
	put_region_fd(self->root, PID_A, 5, "flags:\t02\ninode:\t2\nname:\tc\nsize:\t30\n"
		      "resident_pages:\t1\npurgeable_pages:\t1\n");
	put_region_fd(self->root, PID_A, 6, "flags:\t02\ninode:\t3\nname:\ta\nsize:\t20\n"
		      "resident_pages:\t3\npurgeable_pages:\t2\n");
	/* An unknown value sorts last. */
	put_region_fd(self->root, PID_A, 7, "flags:\t02\ninode:\t4\nname:\tu\nsize:\t5\n");
	EXPECT_STREQ("cabu", order_by(&self->o, "size"));
	EXPECT_STREQ("abcu", order_by(&self->o, "resident"));
	EXPECT_STREQ("bacu", order_by(&self->o, "purgeable"));
	EXPECT_STREQ("abcu", order_by(&self->o, "name"));
}

/* Equal regions keep their order, or they would jump around in top. */
TEST_F(tree, equal_ones_stay)
{
	char found[16];
	int i;

	put_process(self->root, PID_A, "one\n", "");
	for (i = 0; i < 8; i++)
		put_region_fd(self->root, PID_A, 4 + i,
			      format("flags:\t02\ninode:\t%d\nname:\t%d\nsize:\t10\n", i, i));
	/* The order of the directory, which the test can't choose. */
	strcpy(found, order_by(&self->o, "pid"));
	EXPECT_EQ(8, strlen(found));
	EXPECT_STREQ(found, order_by(&self->o, "size"));
}

TEST_HARNESS_MAIN
