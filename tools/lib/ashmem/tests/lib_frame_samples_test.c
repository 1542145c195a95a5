// SPDX-License-Identifier: GPL-2.0-only
/*
 * The samples, run: frames through a region whose descriptor went over a Unix
 * socket, and over Binder. SAMPLE_MEBIBYTES says how much (8).
 */
#include "kselftest_harness.h"
#include "lib_util.h"
#include "lib_both.h"

#define main		producer_main
#include "../samples/frame_producer.c"
#undef main
#define main		consumer_main
#include "../samples/frame_consumer.c"
#undef main
#define main		client_main
#include "../samples/binder_client.c"
#undef main
#define main		service_main
#include "../samples/binder_service.c"
#undef main

#define BINDER_DEV	"/dev/binder"

static char *mebibytes(void)
{
	char *text = getenv("SAMPLE_MEBIBYTES");

	return text ? text : "8";
}

/* The output of a sample becomes comments; @fd gets a copy of standard output. */
static pid_t start(int (*program)(int, char **), char **argv, int fd)
{
	pid_t pid = fork();
	int argc = 0, ret;

	if (pid)
		return pid;
	while (argv[argc])
		argc++;
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	ret = program(argc, argv);
	fflush(NULL);
	_exit(ret);
}

static void say(FILE *said, char *text, size_t size)
{
	size_t used = 0;

	rewind(said);
	while (used + 1 < size && fgets(text + used, (int)(size - used), said)) {
		fprintf(stderr, "# %s", text + used);
		used += strlen(text + used);
	}
	text[used] = '\0';
}

static bool await_file(const char *path)
{
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (!access(path, F_OK))
			return true;
		nap_ms(10);
	}
	return false;
}

/* Both ends have exited: reads their output, which must show that all was received. */
static void ended_well(struct __test_metadata *_metadata, pid_t one, pid_t two,
		       FILE *said, char *text, size_t size)
{
	char want[64];

	EXPECT_EQ(0, wait_child(two));
	EXPECT_EQ(0, wait_child(one));
	say(said, text, size);
	snprintf(want, sizeof(want), "got:  %llu bytes",
		 strtoull(mebibytes(), NULL, 10) << 20);
	EXPECT_NE(NULL, strstr(text, want));
}

TEST_F_TIMEOUT(lib, socket, 120)
{
	char *consumer[] = { "frame_consumer", "socket", NULL };
	char *producer[] = { "frame_producer", "socket", mebibytes(), NULL };
	FILE *said = tmpfile();
	char text[1024];
	pid_t one, two;

	ASSERT_NE(NULL, said);
	unlink("socket");
	one = start(consumer_main, consumer, fileno(said));
	ASSERT_GT(one, 0);
	ASSERT_TRUE(await_file("socket"));
	two = start(producer_main, producer, fileno(said));
	ASSERT_GT(two, 0);
	ended_well(_metadata, one, two, said, text, sizeof(text));
	EXPECT_NE(0, access("socket", F_OK));
	fclose(said);
}

TEST_F_TIMEOUT(lib, binder, 120)
{
	char *service[] = { "binder_service", BINDER_DEV, NULL };
	char *client[] = { "binder_client", BINDER_DEV, mebibytes(), NULL };
	FILE *said = tmpfile();
	char text[1024];
	pid_t one, two;

	if (access(BINDER_DEV, F_OK))
		SKIP(return, "no " BINDER_DEV " here");
	ASSERT_NE(NULL, said);
	one = start(service_main, service, fileno(said));
	ASSERT_GT(one, 0);
	two = start(client_main, client, fileno(said));
	ASSERT_GT(two, 0);
	ended_well(_metadata, one, two, said, text, sizeof(text));
	/* Only two calls with their replies went over it. */
	EXPECT_NE(NULL, strstr(text, "1 descriptor, 2 calls of 56 bytes"));
	fclose(said);
}

/* A service accepts no descriptor that it did not ask for, and a client no nonsense. */
TEST_F_TIMEOUT(lib, binder_refusals, 120)
{
	static const uint64_t nothing[4];
	struct binder_ipc ipc, manager;
	struct binder_incoming in;
	struct ashm *region;
	pid_t child;

	if (access(BINDER_DEV, F_OK))
		SKIP(return, "no " BINDER_DEV " here");
	EXPECT_NE(0, binder_open(&ipc, "/dev/null"));
	EXPECT_EQ(-ENOENT, binder_open(&ipc, "/dev/binder-that-is-not-there"));
	region = region_new("refused", 4096);
	ASSERT_NE(NULL, region);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		/* It passes a region without a ring. */
		CHILD_CHECK(!binder_open(&ipc, BINDER_DEV));
		CHILD_CHECK(call_first(&ipc, ashm_fd(region)) == -ENODATA);
		/* Then no region at all. */
		CHILD_CHECK(call_first(&ipc, -1) == -EBADF);
		CHILD_CHECK(!binder_send(&ipc, BC_TRANSACTION, 77, nothing, -1));
		CHILD_CHECK(!binder_receive(&ipc, &in));
		CHILD_CHECK((int64_t)in.message.words[0] == -ENOSYS);
		CHILD_CHECK(!binder_send(&ipc, BC_TRANSACTION, CALL_COUNTS,
					 nothing, -1));
		CHILD_CHECK(!binder_receive(&ipc, &in));
		CHILD_CHECK((int64_t)in.message.words[0] == -ENOTCONN);
		_exit(0);
	}
	ASSERT_EQ(0, binder_open(&manager, BINDER_DEV));
	ASSERT_EQ(0, binder_become_manager(&manager));
	ASSERT_EQ(0, binder_enter_loop(&manager));
	EXPECT_EQ(0, serve(&manager));
	EXPECT_EQ(0, wait_child(child));
	binder_close(&manager);
	ashm_close(region);
}

TEST_HARNESS_MAIN
