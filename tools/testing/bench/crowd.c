// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many tasks of a memory cgroup reach memory.max together, and one purgeable region
 * has enough for all of them: how many the kernel kills, and how much later than
 * one task alone the last of them has what it wants.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define GROUP		"crowd"
#define LIMIT		(32 * MIB)
#define UNPINNED	(27 * MIB)
#define WANTED		(15 * MIB)
#define ROUNDS		50
#define TASKS_MAX	16

struct task {
	pid_t pid;
	int sock;
};

/* A word from or to a task; false if it is dead. */
static bool hear(int sock)
{
	char word;

	return read(sock, &word, 1) == 1;
}

static bool say(int sock)
{
	return send(sock, "", 1, MSG_NOSIGNAL) == 1;
}

/* Joins the group, takes memory at a word, and keeps it until it gets another one. */
static noreturn void be_task(int sock, size_t wanted)
{
	char *map;
	size_t i;

	put_file("/proc/self/oom_score_adj", "1000");
	cgroup_join(GROUP);
	map = mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		die("mmap");
	madvise(map, wanted, MADV_NOHUGEPAGE);
	if (!say(sock) || !hear(sock))
		_exit(1);
	for (i = 0; i < wanted; i += page_size)
		map[i] = 1;
	say(sock);
	hear(sock);
	_exit(0);
}

static void start_task(struct task *task, size_t wanted)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		die("socketpair");
	task->pid = fork();
	if (task->pid < 0)
		die("fork");
	if (!task->pid) {
		close(pair[0]);
		be_task(pair[1], wanted);
	}
	close(pair[1]);
	task->sock = pair[0];
	hear(task->sock);
}

/* Has a process of the group touch and unpin the pages, which so pays for them. */
static void offer_in_group(int fd, char *map)
{
	pid_t pid = fork();
	int status;
	size_t i;

	if (pid < 0)
		die("fork");
	if (!pid) {
		cgroup_join(GROUP);
		for (i = 0; i < UNPINNED; i += page_size)
			map[i] = 1;
		unpin(fd, 0, UNPINNED / page_size);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status) {
		errno = ECHILD;
		die("a task of the group");
	}
}

/* Ticks until the last task has its memory; counts the dead. */
static double crowd_round(int fd, char *map, unsigned int count, unsigned int *dead)
{
	struct task tasks[TASKS_MAX];
	uint64_t begun, took;
	unsigned int i;

	offer_in_group(fd, map);
	for (i = 0; i < count; i++)
		start_task(&tasks[i], WANTED / count);
	begun = ticks();
	for (i = 0; i < count; i++)
		say(tasks[i].sock);
	for (i = 0; i < count; i++)
		*dead += !hear(tasks[i].sock);
	took = ticks() - begun;
	for (i = 0; i < count; i++)
		say(tasks[i].sock);
	for (i = 0; i < count; i++) {
		close(tasks[i].sock);
		waitpid(tasks[i].pid, NULL, 0);
	}
	pin(fd, 0, UNPINNED / page_size);
	return took;
}

/* One task alone and each crowd alternate, so that the host affects all of them. */
static void run_crowd(void)
{
	static const unsigned int counts[] = { 1, 4, 8, 16 };
	enum { KINDS = sizeof(counts) / sizeof(*counts) };
	static double took[KINDS][ROUNDS];
	unsigned int dead[KINDS] = {}, round, kind;
	double alone;
	char *map;
	int fd;

	if (!purges_by_cgroup())
		return;
	cgroup_make(GROUP);
	cgroup_put(GROUP, "memory.max", LIMIT);
	fd = region_open(UNPINNED);
	map = region_map(fd, UNPINNED);
	for (round = 0; round < ROUNDS; round++)
		for (kind = 0; kind < KINDS; kind++)
			took[kind][round] = crowd_round(fd, map, counts[kind], &dead[kind]);
	if (!cgroup_event(GROUP, "max ")) {
		errno = ENODATA;
		die("the cgroup never came to its limit");
	}
	alone = median(took[0], ROUNDS);
	for (kind = 1; kind < KINDS; kind++) {
		report_at("crowd_killed", counts[kind], dead[kind], "tasks");
		report_at("crowd_last", counts[kind], median(took[kind], ROUNDS) / alone, "x");
	}
	region_unmap(map, UNPINNED);
	close(fd);
	cgroup_remove(GROUP);
}

const struct measure crowd_measures[] = {
	{ "crowd", run_crowd, false, CONCURRENT },
	{ NULL, NULL, false, CONCURRENT },
};
