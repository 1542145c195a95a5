/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Regions for the tests of the ashmem command, of either kind.
 */
#ifndef CMD_LIVE_H
#define CMD_LIVE_H

#include "ashmem.h"

FIXTURE(live)
{
	struct output o;
	struct ashm *region;
	char *peer;		/* "PID/FD" of ours */
	size_t size;
	char *name;
};

FIXTURE_VARIANT(live)
{
	const char *backend;
};

FIXTURE_VARIANT_ADD(live, ashmem)
{
	.backend = "ashmem",
};

FIXTURE_VARIANT_ADD(live, memfd)
{
	.backend = "memfd",
};

FIXTURE_SETUP(live)
{
	setenv("ASHMEM_BACKEND", variant->backend, 1);
	if (!strcmp(variant->backend, "ashmem") && !have_device())
		SKIP(return, "no /dev/ashmem");
	self->size = 16 * page_size();
	self->name = format("live-%d", (int)getpid());
	self->region = region_new(self->name, self->size);
	ASSERT_TRUE(self->region);
	self->peer = format("%d/%d", (int)getpid(), ashm_fd(self->region));
}

FIXTURE_TEARDOWN(live)
{
	ashm_close(self->region);
}

#define IS_DEVICE	(!strcmp(variant->backend, "ashmem"))

/* Starts a child that runs @setup, reports that, and waits until it is told to end. */
struct helper {
	pid_t pid;
	int sock;
};

#define HELPER(h, setup) do { \
	int pair__[2]; \
	uint64_t word__; \
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair__)) \
		abort(); \
	(h)->pid = fork(); \
	if (!(h)->pid) { \
		close(pair__[0]); \
		setup; \
		send_word(pair__[1], 1); \
		recv_word(pair__[1], &word__); \
		_exit(0); \
	} \
	close(pair__[1]); \
	(h)->sock = pair__[0]; \
	ASSERT_EQ(0, recv_word((h)->sock, &word__)); \
} while (0)

static UNUSED void helper_end(struct helper *h)
{
	close(h->sock);
	wait_child(h->pid);
}

#endif
