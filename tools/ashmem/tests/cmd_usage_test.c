// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ashmem command's general behaviour: usage, help and output that can't be
 * written; and bench.
 */

#include "kselftest_harness.h"
#include "cmd_util.h"
#include "cmd_any.h"

static const char * const commands[] = {
	"list", "show", "top", "purge", "create", "cat", "fill", "doctor", "bench",
};

#define COMMANDS	(sizeof(commands) / sizeof(*commands))

TEST(help)
{
	struct output o;
	size_t i;

	ASHMEM(&o, -1, "--help");
	EXPECT_EQ(0, o.code);
	EXPECT_STREQ("", o.err);
	for (i = 0; i < COMMANDS; i++)
		EXPECT_TRUE(has(o.out, format("\n  %s ", commands[i])));
	for (i = 0; i < COMMANDS; i++) {
		ASHMEM(&o, -1, (char *)commands[i], "--help");
		EXPECT_EQ(0, o.code);
		EXPECT_STREQ("", o.err);
		EXPECT_TRUE(has(o.out, format("usage: ashmem %s ", commands[i])));
		EXPECT_TRUE(has(o.out, "--help"));
		ASHMEM(&o, -1, (char *)commands[i], "-h");
		EXPECT_EQ(0, o.code);
		EXPECT_TRUE(has(o.out, "usage: "));
	}
	ASHMEM(&o, -1, "--version");
	EXPECT_EQ(0, o.code);
	EXPECT_STREQ("ashmem " ASHMEM_VERSION "\n", o.out);
}

/* Runs many programs: a slow machine needs more than the usual 30 s. */
TEST_F_TIMEOUT(any, wrong_usage, 110)
{
	static const char * const lines[] = {
		"", "lists", "--nonsense", "-x",
		"list extra", "list --nonsense", "list -s", "list -s age", "list -p", "list -p 0",
		"list -p x", "list -p -1", "list --json=1", "list -u", "list -u -1", "list -c",
		"show", "show 1/2 3/4", "show --nonsense 1/2",
		"top extra", "top -d 0", "top -d x", "top -n 0", "top -n x", "top -s x",
		"purge extra", "purge -x",
		"create", "create -s", "create -s x", "create -s 0", "create -s -1",
		"create -s 1 -m q", "create -s 1 -d true", "create -s 1 -F 3",
		"create -s 1 -F x true", "create -s 1 -F -1 true", "create -s 1 -F 1024 true",
		"cat", "cat x", "cat -o 1/2", "cat -o x 1/2", "cat -l -5 1/2", "cat 1/2 3",
		"fill", "fill -x 1/2", "fill -x abc 1/2", "fill -l x 1/2",
		"doctor extra", "doctor -x", "doctor -a 9", "doctor -a 18", "doctor -a x",
		"doctor -a 16 17", "bench extra", "bench -t 0", "bench -t x",
	};
	char *argv[8], *line, *rest, *word;
	struct output o;
	size_t i, n;

	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		line = strdup(lines[i]);
		n = 0;
		argv[n++] = "ashmem";
		for (word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
			argv[n++] = word;
		argv[n] = NULL;
		fprintf(stderr, "# ashmem %s\n", lines[i]);
		run_argv(&o, -1, argv);
		EXPECT_EQ(2, o.code);
		EXPECT_STREQ("", o.out);
		EXPECT_TRUE(!strncmp(o.err, "ashmem", 6));
		EXPECT_TRUE(has(o.err, "\nTry 'ashmem "));
		output_free(&o);
		free(line);
	}
}

/* Runs "ashmem WORD..." with stdout @out, or without if that is -1. Returns its code. */
static int run_to(int out, char **words)
{
	pid_t pid = fork();

	if (!pid) {
		close(2);
		open("/dev/null", O_WRONLY);
		if (out < 0)
			close(1);
		else
			dup2(out, 1);
		execv("/proc/self/exe", words);
		_exit(126);
	}
	return wait_child(pid);
}

#define RUN_TO(out, ...) ({ \
	char *words__[] = { "ashmem", __VA_ARGS__, NULL }; \
	run_to(out, words__); \
})

TEST_F(any, full_disk)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), tries;
	char *untold;

	ASSERT_TRUE(full >= 0);
	EXPECT_EQ(1, RUN_TO(full, "--help"));
	EXPECT_EQ(1, RUN_TO(full, "--version"));
	EXPECT_EQ(1, RUN_TO(full, "list"));
	EXPECT_EQ(1, RUN_TO(full, "list", "--json"));
	EXPECT_EQ(1, RUN_TO(full, "list", "--help"));
	EXPECT_EQ(1, RUN_TO(full, "show", self->peer));
	EXPECT_EQ(1, RUN_TO(full, "cat", self->peer));
	EXPECT_EQ(1, RUN_TO(full, "top", "--once"));
	EXPECT_EQ(1, RUN_TO(full, "create", "-s", "1"));
	/* The user can't end a holder that create couldn't print. */
	untold = format("untold-%d", (int)getpid());
	EXPECT_EQ(1, RUN_TO(full, "create", "-n", untold, "-d", "-s", "1"));
	/* The holder ends when it sees that the output failed, some time after its parent. */
	for (tries = 0; tries < 100; tries++) {
		nap_ms(100);
		ASHMEM(&self->o, -1, "list", "-j");
		if (!count_of(self->o.out, untold))
			break;
		output_free(&self->o);
	}
	EXPECT_GT(100, tries);
}

TEST_F(any, no_stdout)
{
	EXPECT_EQ(1, RUN_TO(-1, "list"));
	EXPECT_EQ(1, RUN_TO(-1, "cat", self->peer));
	EXPECT_EQ(1, RUN_TO(-1, "create", "-d", "-s", "1"));
}

TEST_F(any, closed_pipe)
{
	int fds[2];

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	close(fds[0]);
	/* SIGPIPE ends the command. If SIGPIPE is ignored, the command fails. */
	EXPECT_EQ(128 + SIGPIPE, RUN_TO(fds[1], "list"));
	EXPECT_EQ(128 + SIGPIPE, RUN_TO(fds[1], "cat", self->peer));
	signal(SIGPIPE, SIG_IGN);
	EXPECT_EQ(1, RUN_TO(fds[1], "list"));
	EXPECT_EQ(1, RUN_TO(fds[1], "cat", self->peer));
	EXPECT_EQ(1, RUN_TO(fds[1], "top", "-b", "-d", "0.01"));
}

TEST(bench)
{
	struct output o;

	ASHMEM(&o, -1, "bench", "-t", "0.2", "--json");
	if (!have_device()) {
		EXPECT_EQ(1, o.code);
		EXPECT_STREQ("", o.out);
		EXPECT_TRUE(one_message(&o));
		EXPECT_TRUE(has(o.err, "no /dev/ashmem"));
		SKIP(return, "no /dev/ashmem");
	}
	EXPECT_EQ(0, o.code);
	EXPECT_TRUE(json_valid(o.out, o.out_len));
	EXPECT_GT(strtod(json_get(o.out, "create_map_close", "ratio"), NULL), 0.2);
	EXPECT_LT(strtod(json_get(o.out, "create_map_close", "ratio"), NULL), 20);
	EXPECT_GT(strtod(json_get(o.out, "first_touch", "ashmem_ns"), NULL), 0);
	EXPECT_GT(strtod(json_get(o.out, "read_page", "memfd_ns"), NULL), 0);
	EXPECT_GT(strtod(json_get(o.out, "unpin_pin", "ashmem_ns"), NULL), 0);
	EXPECT_LE(strtod(json_get(o.out, "first_touch", "ratio_lower_quartile"), NULL),
		  strtod(json_get(o.out, "first_touch", "ratio_upper_quartile"), NULL));
	ASHMEM(&o, -1, "bench", "-t", "0.2");
	EXPECT_EQ(0, o.code);
	EXPECT_EQ(5, count_of(o.out, "\n"));
	diagnose(o.out);
}

TEST_HARNESS_MAIN
