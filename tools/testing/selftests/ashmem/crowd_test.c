// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many tasks of a memory cgroup reach memory.max together, and one purgeable
 * region has enough for all of them: the kernel must kill none.
 *
 * This is a race, so each case repeats: for some seconds, or as many rounds as
 * ASHMEM_ROUNDS says.
 */
#include "kselftest_harness.h"
#include "cgroup_util.h"

#define SECONDS_PER_CASE	6
#define MOST_TASKS		16

/* Sizes are for all tasks of a group together. */
struct crowd {
	int groups;		/* each pays for its own part of the region */
	size_t limit;
	size_t unpinned;
	size_t wanted;
};

struct crowd_task {
	pid_t pid;
	int sock;
};

/* Fills and unpins some pages. A byte per page is enough: what counts is the charge. */
static int offer_in_group(const struct group *g, struct cache *c, long first, long pages)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		long i;

		CHILD_CHECK(!put_file(g->procs, "0"));
		for (i = first; i < first + pages; i++)
			c->a[(size_t)i * page_size()] = 1;
		CHILD_CHECK(!cache_unpin_part(c, first, pages));
		_exit(0);
	}
	return wait_child(pid);
}

/*
 * A task that joins the group, reports it, allocates memory at a word and keeps it until
 * the next word.
 */
static int task_start(struct crowd_task *task, const struct group *g, size_t len)
{
	int sock[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return -errno;
	task->pid = fork();
	if (task->pid < 0)
		return -errno;
	if (!task->pid) {
		unsigned char *q;
		uint64_t word;
		size_t i;

		close(sock[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		put_file("/proc/self/oom_score_adj", "1000");
		CHILD_CHECK(!put_file(g->procs, "0"));
		q = mmap(NULL, len, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHILD_CHECK(q != MAP_FAILED);
		madvise(q, len, MADV_NOHUGEPAGE);
		CHILD_CHECK(!send_word(sock[1], 1));
		CHILD_CHECK(!recv_word(sock[1], &word));
		for (i = 0; i < len; i += page_size())
			q[i] = 1;
		CHILD_CHECK(!send_word(sock[1], 2));
		CHILD_CHECK(!recv_word(sock[1], &word));
		_exit(0);
	}
	close(sock[1]);
	task->sock = sock[0];
	return 0;
}

/* One round; how many tasks died, or -errno. */
static int crowd_round(const struct crowd *crowd, int tasks, struct group *g,
		       struct cache *c)
{
	struct crowd_task task[MOST_TASKS];
	size_t len = crowd->wanted / (size_t)tasks;
	long part = c->pages / crowd->groups;
	int i, n = crowd->groups * tasks, died = 0, ret = 0;
	uint64_t word;

	for (i = 0; !ret && i < crowd->groups; i++)
		ret = offer_in_group(&g[i], c, i * part, part);
	for (i = 0; !ret && i < n; i++)
		ret = task_start(&task[i], &g[i % crowd->groups], len);
	if (ret)
		return ret < 0 ? ret : -ECHILD;
	for (i = 0; i < n; i++) {
		if (recv_word(task[i].sock, &word))
			ret = -ECHILD;
	}
	for (i = 0; i < n; i++)
		send_word(task[i].sock, 1);
	for (i = 0; i < n; i++)
		died += recv_word(task[i].sock, &word) != 0;
	for (i = 0; i < n; i++)
		send_word(task[i].sock, 3);
	for (i = 0; i < n; i++) {
		close(task[i].sock);
		wait_child(task[i].pid);
	}
	/* What the purge left; the next round fills it again. */
	if (cache_pin(c) < 0)
		ret = -EIO;
	return ret ? ret : died;
}

static void crowd_check(struct __test_metadata *_metadata, const char *top,
			struct crowd crowd, int tasks)
{
	const char *env = getenv("ASHMEM_ROUNDS");
	int rounds = env ? atoi(env) : 0;
	int i, round, died, total = 0;
	struct cache c = { .fd = -1 };
	struct group g[4];
	char name[16];
	double start;

	ASSERT_GE((int)ARRAY_SIZE(g), crowd.groups);
	ASSERT_GE(MOST_TASKS, crowd.groups * tasks);
	ASSERT_LT(crowd.limit - crowd.unpinned, crowd.wanted);
	for (i = 0; i < crowd.groups; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		ASSERT_EQ(0, group_make(&g[i], top, name));
		ASSERT_EQ(0, set_knob_bytes(g[i].dir, "memory.max", crowd.limit));
	}
	ASSERT_EQ(0, cache_open(&c, "crowd",
				(size_t)crowd.groups * crowd.unpinned, 1));
	start = now_s();
	for (round = 0; rounds ? round < rounds :
	     round < 2 || now_s() - start < SECONDS_PER_CASE; round++) {
		died = crowd_round(&crowd, tasks, g, &c);
		ASSERT_LE(0, died);
		total += died;
	}
	TH_LOG("%d tasks died in %d rounds of %.0f ms", total, round,
	       (now_s() - start) * 1e3 / round);
	EXPECT_EQ(0, total);
	for (i = 0; i < crowd.groups; i++) {
		EXPECT_LT(0, event(&g[i], "max"));
		EXPECT_EQ(0, event(&g[i], "oom_kill"));
	}
	cache_close(&c);
}

static const struct crowd one_group = {
	.groups = 1,
	.limit = 64 * MIB,
	.unpinned = 55 * MIB,
	.wanted = 30 * MIB,
};

TEST_F_TIMEOUT(cgroup, four_tasks, 900)
{
	crowd_check(_metadata, self->top, one_group, 4);
}

TEST_F_TIMEOUT(cgroup, eight_tasks, 900)
{
	crowd_check(_metadata, self->top, one_group, 8);
}

TEST_F_TIMEOUT(cgroup, sixteen_tasks, 900)
{
	crowd_check(_metadata, self->top, one_group, 16);
}

/* In reclaim at the same time, each for another part of the region. */
TEST_F_TIMEOUT(cgroup, three_groups_of_two_tasks, 900)
{
	static const struct crowd three_groups = {
		.groups = 3,
		.limit = 21 * MIB,
		.unpinned = 18 * MIB,
		.wanted = 10 * MIB,
	};

	crowd_check(_metadata, self->top, three_groups, 2);
}

TEST_HARNESS_MAIN
