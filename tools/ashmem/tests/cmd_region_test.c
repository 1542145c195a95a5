// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem list and show on live regions, and their output.
 */

#include "kselftest_harness.h"
#include "cmd_util.h"
#include "cmd_live.h"

#include <pthread.h>
#include <sched.h>

TEST_F(live, listed)
{
	ASHMEM(&self->o, -1, "list", "--json");
	EXPECT_EQ(0, self->o.code);
	ASSERT_TRUE(json_valid(self->o.out, self->o.out_len));
	ASSERT_EQ(1, count_of(self->o.out, self->name));
	EXPECT_STREQ(format("%zu", self->size), json_get(self->o.out, self->name, "size"));
	EXPECT_STREQ(format("\"%s\"", variant->backend),
		     json_get(self->o.out, self->name, "kind"));
	EXPECT_STREQ("\"rwx\"", json_get(self->o.out, self->name, "mask"));
	EXPECT_STREQ("0", json_get(self->o.out, self->name, "resident_pages"));
	EXPECT_STREQ("[]", json_get(self->o.out, self->name, "mapped_by"));
	EXPECT_STREQ(format("%d", (int)getpid()), json_get(self->o.out, self->name, "pid"));
	EXPECT_STREQ(format("%d", ashm_fd(self->region)),
		     json_get(self->o.out, self->name, "fd"));
	ASHMEM(&self->o, -1, "list", "--bytes");
	EXPECT_TRUE(has(self->o.out, self->peer));
	EXPECT_TRUE(has(self->o.out, format("%zu", self->size)));
}

TEST_F(live, two_of_a_name)
{
	struct ashm *other = region_new(self->name, self->size);

	ASSERT_TRUE(other);
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_EQ(2, count_of(self->o.out, self->name));
	ashm_close(other);
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_EQ(1, count_of(self->o.out, self->name));
}

/* Fork and dup: one region has three descriptors in two processes. */
TEST_F(live, shared)
{
	int dup_fd = fcntl(ashm_fd(self->region), F_DUPFD_CLOEXEC, 100);
	struct helper h;

	HELPER(&h, close(dup_fd));
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_EQ(1, count_of(self->o.out, self->name));
	EXPECT_EQ(1, count_of(self->o.out, "\"fd\": 100,"));
	EXPECT_TRUE(has(self->o.out, format("\"pid\": %d,", (int)h.pid)));
	ASHMEM(&self->o, -1, "list", "-p", format("%d", (int)h.pid));
	EXPECT_TRUE(has(self->o.out, format("%d/%d,100", (int)getpid(),
					    ashm_fd(self->region))));
	EXPECT_TRUE(has(self->o.out, format("%d/%d", (int)h.pid, ashm_fd(self->region))));
	helper_end(&h);
	/* For a process that doesn't exist list fails instead of printing an empty list. */
	ASHMEM(&self->o, -1, "list", "-j", "-p", format("%d", (int)h.pid));
	EXPECT_EQ(1, self->o.code);
	EXPECT_STREQ("", self->o.out);
	EXPECT_TRUE(has(self->o.err, format("there is no process %d", (int)h.pid)));
	EXPECT_TRUE(one_message(&self->o));
}

TEST_F(live, mapped)
{
	char *p = region_map(self->region, PROT_READ | PROT_WRITE);
	char *part = region_map_range(self->region, PROT_READ, page_size(), page_size());
	struct helper h;

	ASSERT_TRUE(p && part);
	memset(p, 1, 3 * page_size());
	HELPER(&h, munmap(part, page_size()));
	ASHMEM(&self->o, -1, "show", "--json", self->peer);
	ASSERT_TRUE(json_valid(self->o.out, self->o.out_len));
	EXPECT_STREQ("3", json_get(self->o.out, "region", "resident_pages"));
	EXPECT_EQ(3, count_of(self->o.out, "\"address\""));
	EXPECT_STREQ(format("%zu", self->size),
		     json_get(self->o.out, format("\"%p\"", p), "length"));
	EXPECT_STREQ(format("%zu", page_size()),
		     json_get(self->o.out, format("\"%p\"", part), "offset"));
	EXPECT_STREQ("\"r--\"", json_get(self->o.out, format("\"%p\"", part), "access"));
	EXPECT_STREQ("true", json_get(self->o.out, format("\"%p\"", part), "shared"));
	ASHMEM(&self->o, -1, "show", self->peer);
	EXPECT_TRUE(has(self->o.out, format("resident   3 pages, %s\n", pages_text(3))));
	EXPECT_TRUE(has(self->o.out, format("%p-%p, rw- shared, from byte 0\n", p,
					    p + self->size)));
	helper_end(&h);
	/* A mapping keeps a region that no process has open. */
	ashm_close(self->region);
	self->region = NULL;
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_EQ(1, count_of(self->o.out, self->name));
	EXPECT_STREQ("[]", json_get(self->o.out, self->name, "held_by"));
	EXPECT_STREQ(format("%zu", self->size),
		     json_get(self->o.out, self->name, "size_at_least"));
	if (!getuid()) {
		EXPECT_STREQ(format("%zu", self->size),
			     json_get(self->o.out, self->name, "size"));
		EXPECT_STREQ("3", json_get(self->o.out, self->name, "resident_pages"));
	}
	munmap(p, self->size);
	munmap(part, page_size());
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_EQ(0, count_of(self->o.out, self->name));
}

TEST_F(live, masks)
{
	ASSERT_EQ(0, ashm_protect(self->region, PROT_READ));
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_STREQ(IS_DEVICE ? "\"r--\"" : "\"r-x\"",
		     json_get(self->o.out, self->name, "mask"));
}

TEST_F_TIMEOUT(live, names, 110)
{
	static const char * const names[] = {
		"", " ", "a b", "line\nbreak", "tab\tback\\slash", "\\012", "x (deleted)",
		" (deleted)", "/", "..", "\033[2J\033]0;t\007", "\xff\xfe", "caf\xc3\xa9",
		"\"quoted\",", "name:\t5\nsize:\t7", "\xe2\x80\xae",
	};
	struct ashm *region;
	size_t i, columns;
	char *shown, *peer;
	void *p;

	setenv("LC_ALL", "C.UTF-8", 1);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		region = region_new(names[i], self->size);
		ASSERT_TRUE(region);
		peer = format("%d/%d", (int)getpid(), ashm_fd(region));
		columns = text_shown(&shown, names[i], strlen(names[i]));
		ASHMEM(&self->o, -1, "show", peer);
		EXPECT_TRUE(has(self->o.out, format("name       %s\n",
						    columns ? shown : "-")));
		ASHMEM(&self->o, -1, "list", "-j");
		EXPECT_TRUE(json_valid(self->o.out, self->o.out_len));
		/* The name of a region that is only mapped comes from maps. */
		p = region_map(region, PROT_READ);
		ashm_close(region);
		ASHMEM(&self->o, -1, "list");
		if (columns && !getuid())
			EXPECT_TRUE(has(self->o.out, shown));
		EXPECT_TRUE(!strchr(self->o.out, '\033') && !strchr(self->o.out, '\t'));
		munmap(p, self->size);
	}
}

static void *own_table(void *arg)
{
	int *fds = arg;
	char byte;

	if (unshare(CLONE_FILES) || dup2(fds[0], 200) < 0)
		_exit(1);
	if (write(fds[2], "", 1) != 1 || read(fds[1], &byte, 1) < 0)
		_exit(1);
	close(200);
	return NULL;
}

/* list finds descriptors that only a thread with its own table has. */
TEST_F(live, threads)
{
	int ready[2], end[2];
	pthread_t thread;
	char byte;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(end));
	int fds[3] = { ashm_fd(self->region), end[0], ready[1] };

	ASSERT_EQ(0, pthread_create(&thread, NULL, own_table, fds));
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_EQ(1, count_of(self->o.out, self->name));
	EXPECT_EQ(1, count_of(self->o.out, "\"fd\": 200,"));
	ASSERT_EQ(1, write(end[1], "", 1));
	pthread_join(thread, NULL);
}

static void *outlive(void *arg)
{
	struct helper *h = arg;
	uint64_t word;

	nap_ms(100);
	send_word(h->sock, 1);
	recv_word(h->sock, &word);
	_exit(0);
}

/* The first thread has ended, so the process's own files and maps are empty. */
TEST_F(live, first_thread_gone)
{
	void *p = region_map(self->region, PROT_READ);
	struct helper h, inner;
	int pair[2];
	uint64_t word;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	h.pid = fork();
	if (!h.pid) {
		pthread_t thread;

		inner.sock = pair[1];
		close(pair[0]);
		pthread_create(&thread, NULL, outlive, &inner);
		pthread_exit(NULL);
	}
	close(pair[1]);
	h.sock = pair[0];
	ASSERT_EQ(0, recv_word(h.sock, &word));
	munmap(p, self->size);
	ashm_close(self->region);
	self->region = NULL;
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_EQ(1, count_of(self->o.out, self->name));
	EXPECT_STREQ(format("%d", (int)h.pid), json_get(self->o.out, self->name, "pid"));
	EXPECT_STREQ(format("\"%p\"", p), json_get(self->o.out, self->name, "address"));
	helper_end(&h);
}

TEST_F(live, never_mapped)
{
	struct helper h;
	int fd, dup_fd, other;

	if (!IS_DEVICE)
		SKIP(return, "a memfd always has an inode");
	fd = ash_region("unmapped-one", 4096);
	dup_fd = dup(fd);
	other = ash_region("unmapped-two", 4096);
	ASSERT_TRUE(fd >= 0 && dup_fd >= 0 && other >= 0);
	HELPER(&h, close(dup_fd));
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_TRUE(json_valid(self->o.out, self->o.out_len));
	/* kcmp shows that three descriptors are one region, and that another isn't. */
	EXPECT_EQ(1, count_of(self->o.out, "unmapped-one"));
	EXPECT_EQ(1, count_of(self->o.out, "unmapped-two"));
	EXPECT_STREQ("null", json_get(self->o.out, "unmapped-one", "inode"));
	ASHMEM(&self->o, -1, "show", format("%d/%d", (int)h.pid, fd));
	EXPECT_TRUE(has(self->o.out, "never mapped"));
	EXPECT_TRUE(has(self->o.out, format("%d/%d ", (int)getpid(), dup_fd)));
	EXPECT_TRUE(has(self->o.out, format("%d/%d ", (int)h.pid, fd)));
	helper_end(&h);
}

TEST_F(live, unpinned)
{
	int fd = ashm_fd(self->region);
	unsigned int page = (unsigned int)page_size();
	char *p = region_map(self->region, PROT_READ | PROT_WRITE);

	if (!IS_DEVICE)
		SKIP(return, "nothing of a memfd is ever unpinned");
	memset(p, 1, self->size);
	ASSERT_EQ(0, ash_unpin(fd, 2 * page, page));
	ASSERT_EQ(0, ash_unpin(fd, 5 * page, 3 * page));
	ASSERT_EQ(0, ash_unpin(fd, 15 * page, page));
	ASHMEM(&self->o, -1, "show", self->peer);
	EXPECT_TRUE(has(self->o.out, format("purgeable  5 pages, %s\n", pages_text(5))));
	EXPECT_TRUE(has(self->o.out, format("unpinned   5 pages, %s\n           pages 2 5-7 15\n",
					    pages_text(5))));
	ASHMEM(&self->o, -1, "show", "-j", self->peer);
	EXPECT_TRUE(json_valid(self->o.out, self->o.out_len));
	EXPECT_EQ(3, count_of(self->o.out, "\"page\""));
	EXPECT_STREQ("5", json_get(self->o.out, "region", "unpinned_pages"));
	EXPECT_STREQ("3", json_get(self->o.out, "\"page\": 5", "pages"));
	/* show changed nothing. */
	EXPECT_EQ(ASHMEM_IS_UNPINNED, ash_pin_status(fd, 2 * page, page));
	EXPECT_EQ(ASHMEM_NOT_PURGED, ash_pin(fd, 0, 0));
}

TEST_F_TIMEOUT(live, wrong_peers, 110)
{
	const struct {
		char *peer;
		int code;
		const char *says;
	} cases[] = {
		{ "2000000000/3", 1, "there is no process 2000000000" },
		{ format("%d/900", (int)getpid()), 1, "has no descriptor 900" },
		{ format("%d/2", (int)getpid()), 1, "is no region" },
		{ "1", 2, "isn't PID/FD" },
		{ "1/", 2, "isn't PID/FD" },
		{ "/3", 2, "isn't PID/FD" },
		{ "0/3", 2, "isn't PID/FD" },
		{ "+1/3", 2, "isn't PID/FD" },
		{ "1/3x", 2, "isn't PID/FD" },
		{ "99999999999/3", 2, "isn't PID/FD" },
		{ "", 2, "isn't PID/FD" },
	};
	static const char * const commands[] = { "show", "cat", "fill" };
	size_t i, j;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (j = 0; j < 3; j++) {
			ASHMEM(&self->o, -1, (char *)commands[j], cases[i].peer);
			EXPECT_EQ(cases[i].code, self->o.code);
			EXPECT_TRUE(has(self->o.err, cases[i].says));
			EXPECT_STREQ("", self->o.out);
			output_free(&self->o);
		}
	}
}

/* Other users see their own regions, and that there are more. */
TEST_F(live, without_root)
{
	struct helper h;

	if (getuid())
		SKIP(return, "needs root, to become another user");
	HELPER(&h, CHILD_CHECK(!setresuid(NOBODY, NOBODY, NOBODY) && region_new("theirs", 1)));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, 0));
	ASHMEM(&self->o, -1, "list", "-j");
	EXPECT_EQ(0, setresuid(0, 0, 0));
	EXPECT_EQ(0, self->o.code);
	EXPECT_TRUE(json_valid(self->o.out, self->o.out_len));
	EXPECT_EQ(0, count_of(self->o.out, self->name));
	EXPECT_TRUE(has(self->o.err, "may not be looked into; root sees all\n"));
	EXPECT_TRUE(strcmp("0", json_get(self->o.out, "{", "refused_processes")));
	helper_end(&h);
}

/* Processes that exit during the walk cause no error. */
TEST_F_TIMEOUT(live, processes_that_vanish, 110)
{
	pid_t churn = fork();
	unsigned int i;

	if (!churn) {
		signal(SIGCHLD, SIG_IGN);
		for (;;)
			if (!fork())
				_exit(0);
	}
	for (i = 0; i < 8; i++) {
		ASHMEM(&self->o, -1, "list", "-j");
		EXPECT_EQ(0, self->o.code);
		EXPECT_TRUE(json_valid(self->o.out, self->o.out_len));
		EXPECT_TRUE(has(self->o.out, format("\"fd\": %d,", ashm_fd(self->region))));
		EXPECT_TRUE(!strstr(self->o.err, "No such"));
		output_free(&self->o);
	}
	kill(churn, SIGKILL);
	wait_child(churn);
}

TEST_HARNESS_MAIN
