// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process is killed at any instruction of a call on a cache. All others go on.
 */
#include <sys/ptrace.h>

#include "kselftest_harness.h"
#include "lib_both.h"
#include "cache_util.h"
#include "purge_util.h"

#include "../cache/internal.h"

enum { PAGES = 4, STOPS = 24 };

static void do_get(struct ashm_cache *c)
{
	struct ashm_cache_entry e;

	if (!hold(c, 1, &e))
		ashm_cache_release(c, &e);
}

/* Replaces an entry, and makes room for it. */
static void do_put(struct ashm_cache *c)
{
	static const char text[] = "a new one";
	struct ashm_cache_entry e;

	if (begin(c, 2, 2 * page_size(), &e))
		return;
	memcpy(e.data, text, sizeof(text));
	ashm_cache_commit(c, &e);
	ashm_cache_release(c, &e);
}

static void do_drop(struct ashm_cache *c)
{
	drop(c, 3);
}

/* It steps from here on. */
static pid_t start(struct ashm_cache *c, void (*what)(struct ashm_cache *c))
{
	struct ashm_cache *own;
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (another(c, &own) || ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(1);
		raise(SIGSTOP);
		what(own);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return -1;
	return pid;
}

/* Lets it do at most @steps; returns how many it did before it ended. */
static long step(pid_t pid, long steps)
{
	long done;
	int status;

	for (done = 0; done < steps; done++) {
		if (ptrace(PTRACE_SINGLESTEP, pid, 0, 0))
			return -errno;
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status))
			break;
	}
	return done;
}

/* The same, and then kills it, unless it has ended. */
static long walk(pid_t pid, long steps)
{
	long done = step(pid, steps);
	int status;

	if (done == steps) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	return done;
}

static int set_up(struct ashm_cache *c)
{
	unsigned int i;
	int ret = 0;

	for (i = 1; !ret && i <= PAGES; i++)
		ret = put(c, i, page_size(), i);
	return ret;
}

/* What is there is right, and no page is lost: 0, or the line of what is wrong. */
static int sound(struct ashm_cache *c)
{
	struct ashm_cache_stat stat;
	struct ashm_cache_entry e;
	unsigned int i, found = 0;
	int ret;

	for (i = 1; i <= PAGES; i++) {
		ret = hold(c, i, &e);
		if (ret == -ENOENT)
			continue;
		if (ret)
			return __LINE__;
		if (e.size == 2 * page_size()) {
			if (i != 2 || strcmp(e.data, "a new one"))
				return __LINE__;
		} else if (e.size != page_size() || !filled(e.data, e.size, i)) {
			return __LINE__;
		}
		if (ashm_cache_release(c, &e))
			return __LINE__;
		found++;
	}
	if (ashm_cache_stat(c, &stat) || stat.entries != found || stat.handles != 1)
		return __LINE__;
	/* One entry or two are lost at most: that in doubt, and what made room for it. */
	if (found < 2)
		return __LINE__;
	if (put(c, 5, PAGES * page_size(), 5) || check(c, 5, PAGES * page_size(), 5))
		return __LINE__;
	if (ashm_cache_stat(c, &stat) || stat.entries != 1)
		return __LINE__;
	return drop(c, 5) || ashm_cache_stat(c, &stat) || stat.resident ? __LINE__ : 0;
}

TEST_F_TIMEOUT(lib, any_instruction, 600)
{
	static void (*const what[])(struct ashm_cache *) = { do_get, do_put, do_drop };
	struct rng rng = { rng_seed() };
	struct ashm_cache *c, *next;
	long all, stop;
	unsigned int i;
	int n, most = as_often(STOPS);
	pid_t pid;

	TH_LOG("seed %llu", (unsigned long long)rng.state);
	ASSERT_EQ(0, ashm_cache_create("step", PAGES * page_size(), 8, 16, &c));
	for (i = 0; i < ARRAY_SIZE(what); i++) {
		ASSERT_EQ(0, set_up(c));
		pid = start(c, what[i]);
		if (pid < 0)
			SKIP(return, "no ptrace() here");
		all = walk(pid, 1000000);
		TH_LOG("call %u: %ld steps", i, all);
		ASSERT_GT(all, 100);
		ASSERT_LT(all, 1000000);
		ASSERT_EQ(0, sound(c));
		for (n = 0; n < most; n++) {
			ASSERT_EQ(0, set_up(c));
			stop = all * n / most + rng_below(&rng, (uint32_t)(all / most + 1));
			pid = start(c, what[i]);
			ASSERT_GT(pid, 0);
			ASSERT_LE(0, walk(pid, stop));
			/* The next one may get the place of the dead one at once. */
			if (n % 2) {
				ASSERT_EQ(0, another(c, &next));
				ashm_cache_close(next);
			}
			ASSERT_EQ(0, sound(c))
				TH_LOG("call %u, killed after %ld of %ld steps", i, stop, all);
		}
	}
	ashm_cache_close(c);
}

/* Whether a get finds an entry of set_up(), although all were lost. */
static bool finds_any(struct ashm_cache *c)
{
	struct ashm_cache_entry e;
	unsigned int i;
	bool found = false;

	for (i = 1; i <= PAGES; i++) {
		if (hold(c, i, &e))
			continue;
		found |= e.size == page_size();
		ashm_cache_release(c, &e);
	}
	return found;
}

/* Steps until a page of the contents is pinned: how often, or -1 if it ends before that. */
static long step_to_pin(struct ashm_cache *c, pid_t pid)
{
	int fd = ashm_cache_fd(c, ASHM_CACHE_CONTENTS);
	uint32_t page = (uint32_t)page_size(), i;
	long steps = 0;

	while (step(pid, 1) == 1) {
		steps++;
		for (i = 0; i < PAGES; i++)
			if (ash_pin_status(fd, i * page, page) == ASHMEM_IS_PINNED)
				return steps;
	}
	return -1;
}

/* PIN tells a loss once: the process that was told dies before it says so in the index. */
TEST_F_TIMEOUT(lib, told_of_a_loss, 300)
{
	static void (*const what[])(struct ashm_cache *) = { do_get, do_put, do_drop };
	struct ashm_cache *c;
	unsigned int i;
	long steps;
	pid_t pid;

	NEED_PURGE();
	if (!ON_DEVICE)
		SKIP(return, "nothing tells a loss there");
	for (i = 0; i < ARRAY_SIZE(what); i++) {
		ASSERT_EQ(0, ashm_cache_create("step", PAGES * page_size(), 8, 16, &c));
		ASSERT_EQ(0, set_up(c));
		ASSERT_TRUE(purge(variant->backend));
		pid = start(c, what[i]);
		if (pid < 0)
			SKIP(return, "no ptrace() here");
		steps = step_to_pin(c, pid);
		ASSERT_LT(0, steps);
		ASSERT_EQ(0, walk(pid, 0));
		EXPECT_FALSE(finds_any(c))
			TH_LOG("call %u, killed after %ld steps", i, steps);
		ashm_cache_close(c);
	}
}

/* It dies with the lock. Returns what that left. */
static uint32_t leave_lock(struct ashm_cache *c)
{
	struct ashm_cache *own;
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (another(c, &own) || libashmem_cache_enter(own, 0))
			_exit(1);
		raise(SIGSTOP);
	}
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return c->index->lock;
}

/* How many steps of a get that takes over a dead one's lock come before that. */
static long steps_to_lock(struct ashm_cache *c)
{
	pid_t pid = start(c, do_get);
	uint32_t left = leave_lock(c);
	long steps = 0;
	int status;

	while (pid > 0 && c->index->lock == left && step(pid, 1) == 1)
		steps++;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return steps;
}

/*
 * A process stops while it takes over a dead one's lock. Another one gets the dead one's
 * place, and the lock: the first one must not get it, too.
 */
TEST_F_TIMEOUT(lib, takes_over, 300)
{
	struct ashm_cache *c, *next;
	int status, most = as_often(120);
	long steps, stop;
	uint32_t left;
	pid_t pid;

	ASSERT_EQ(0, ashm_cache_create("step", PAGES * page_size(), 8, 16, &c));
	ASSERT_EQ(0, set_up(c));
	steps = steps_to_lock(c);
	ASSERT_GT(steps, 0);
	for (stop = steps > most ? steps - most : 0; stop < steps; stop++) {
		pid = start(c, do_get);
		if (pid < 0)
			SKIP(return, "no ptrace() here");
		left = leave_lock(c);
		ASSERT_EQ(stop, step(pid, stop));
		ASSERT_EQ(left, c->index->lock);
		ASSERT_EQ(0, another(c, &next));
		ASSERT_EQ(0, libashmem_cache_enter(next, 1000));
		ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
		nap_ms(5);
		EXPECT_EQ(0, waitpid(pid, &status, WNOHANG))
			TH_LOG("stopped after %ld of %ld steps", stop, steps);
		libashmem_cache_leave(next, 0);
		ashm_cache_close(next);
		waitpid(pid, &status, 0);
		EXPECT_EQ(0, status);
	}
	ashm_cache_close(c);
}

TEST_HARNESS_MAIN
