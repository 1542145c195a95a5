// SPDX-License-Identifier: GPL-2.0-only
/*
 * The supervisor: restarts the workers every few seconds, and checks the driver while
 * they pause and after they have exited.
 */

#include <fcntl.h>
#include <linux/ashmem.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define EPOCH_SECONDS	8.0
#define SOAK_SECONDS	20.0
#define CROWD_EPOCHS	4	/* one in so many is that of a crowd */
/* An emulated machine on a busy host is slow. */
#define STUCK_SECONDS	120
#define CORPUS_SECONDS	1200	/* to run all of it, some times */

static unsigned int workers;
static pid_t *pids;		/* of AREA_WORKERS, in memory that all share */
static int inboxes[AREA_WORKERS][2];
static int ready[2], go[2];
double started;

/* Files of /proc show where it hangs. */
void tell_where(pid_t pid)
{
	static const char *const files[] = { "stack", "wchan", "syscall" };
	char path[64], text[1024];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, files[i]);
		if (get_file(path, text, sizeof(text)) > 0)
			fprintf(stderr, "# %s: %s\n", path, text);
	}
}

/* One byte from each worker: it has paused. False if one has died. */
static bool wait_ready(double deadline)
{
	unsigned int count = 0;

	while (count < workers) {
		struct pollfd pfd = { .fd = ready[0], .events = POLLIN };
		double left = deadline - now();
		char bytes[AREA_WORKERS];
		ssize_t got;
		unsigned int i;
		int status;

		area->elapsed = (uint32_t)(now() - started);
		if (left <= 0) {
			finding("a worker is stuck");
			for (i = 0; i < workers; i++)
				tell_where(pids[i]);
			return false;
		}
		if (poll(&pfd, 1, 500) > 0) {
			got = read(ready[0], bytes, sizeof(bytes));
			if (got > 0)
				count += (unsigned int)got;
		}
		for (i = 0; i < workers; i++) {
			if (pids[i] <= 0 || waitpid(pids[i], &status, WNOHANG) != pids[i])
				continue;
			/* The OOM killer is no finding; other signals are. */
			pids[i] = 0;
			if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
				finding("worker %u died of signal %d", i, WTERMSIG(status));
			else if (WIFEXITED(status))
				finding("worker %u ended with status %d", i,
					WEXITSTATUS(status));
			return false;
		}
	}
	return true;
}

static void start_worker(unsigned int number, struct rng rng, const int *shared_fds,
			 void (*body)(struct worker *w, struct rng *rng))
{
	static struct worker w;
	pid_t pid = fork();
	unsigned int i;
	char byte;

	if (pid) {
		pids[number] = pid;
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	w.number = number;
	w.pids = pids;
	w.inbox = inboxes[number][0];
	w.next_inbox = inboxes[(number + 1) % workers][1];
	for (i = 0; i < SLOTS; i++)
		w.fd[i] = i < OWN_SLOTS ? -1 : shared_fds[i - OWN_SLOTS];
	close(ready[0]);
	close(go[1]);
	worker_init(&w);
	rng.state ^= (number + 1) * 0x9e3779b97f4a7c15ULL;
	body(&w, &rng);
	if (write(ready[1], "", 1) != 1 || read(go[0], &byte, 1) < 0)
		_exit(1);
	_exit(0);
}

static double epoch_end;

static void fuzz_body(struct worker *w, struct rng *rng)
{
	worker_fuzz(w, rng, epoch_end);
}

static void replay_body(struct worker *w, struct rng *rng)
{
	worker_replay(w, epoch_end);
}

static void calibrate_body(struct worker *w, struct rng *rng)
{
	worker_calibrate(w);
}

static void distil_body(struct worker *w, struct rng *rng)
{
	corpus_distil(w);
}

static bool gone_within(pid_t pid, double limit)
{
	double end = now() + limit;

	while (!waitpid(pid, NULL, WNOHANG)) {
		if (now() > end)
			return false;
		poll(NULL, 0, 20);
	}
	return true;
}

static void end_workers(void)
{
	unsigned int i;
	char byte;

	close(go[1]);
	for (i = 0; i < workers; i++) {
		if (pids[i] > 0 && !gone_within(pids[i], 5)) {
			kill(pids[i], SIGKILL);
			/* In a loop in the kernel, or in a wait that never ends. */
			if (!gone_within(pids[i], STUCK_SECONDS)) {
				finding("worker %u can't be killed", i);
				tell_where(pids[i]);
				exit(1);
			}
		}
		pids[i] = 0;
	}
	/* Orphans become our children; none of them may stay. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	close(go[0]);
	close(ready[0]);
	close(ready[1]);
	for (i = 0; i < workers; i++) {
		while (recv(inboxes[i][0], &byte, 1, MSG_DONTWAIT) > 0)
			;
		close(inboxes[i][0]);
		close(inboxes[i][1]);
	}
}

/* Two regions that all workers share from the start, one of them mapped soon. */
static void open_shared(int *fds, struct rng *rng)
{
	unsigned int i;

	for (i = 0; i < SLOTS - OWN_SLOTS; i++)
		fds[i] = ash_region(NULL, (1 + rng_below(rng, 600)) * PAGE_BYTES);
}

/* An epoch of @count workers; with the checks when all goes well. */
static void epoch(unsigned int count, struct rng *rng, double limit,
		  void (*body)(struct worker *w, struct rng *rng))
{
	int fds[SLOTS - OWN_SLOTS];
	unsigned int i;
	char byte;

	/*
	 * Turning tracepoints on patches the code. Only while no CPU runs it: QEMU
	 * may go on with the breakpoint that was there for a moment.
	 */
	put_file("/sys/kernel/tracing/events/ashmem/enable", area->epochs & 1 ? "1" : "0");
	workers = count;
	if (pipe2(ready, O_CLOEXEC) || pipe2(go, O_CLOEXEC))
		exit(2);
	for (i = 0; i < workers; i++)
		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			       inboxes[i]))
			exit(2);
	rng_next(rng);
	open_shared(fds, rng);
	for (i = 0; i < workers; i++)
		start_worker(i, *rng, fds, body);

	if (wait_ready(now() + limit)) {
		for (i = 0; i < workers; i++)
			while (recv(inboxes[i][0], &byte, 1, MSG_DONTWAIT) > 0)
				;
		check_sum(pids, workers);
	}
	for (i = 0; i < SLOTS - OWN_SLOTS; i++)
		close(fds[i]);
	end_workers();
	check_empty();
	area->epochs++;
	area->corpus = corpus_count();
	cover_report();
}

/* Let allocations that may sleep fail, too, without a message for each. */
static void allow_failures(void)
{
	static const char *const kinds[] = { "failslab", "fail_page_alloc", "fail_usercopy" };
	char path[96];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/ignore-gfp-wait", kinds[i]);
		put_file(path, "N");
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/verbose", kinds[i]);
		put_file(path, "0");
	}
	put_file("/sys/kernel/debug/fail_page_alloc/min-order", "0");
}

static void tell(double left)
{
	fprintf(stderr, "# %.0f s left: %llu programs, %u edges, %u addresses, ", left,
		(unsigned long long)area->programs, area->edges, area->pcs);
	fprintf(stderr, "%u in the corpus, %u findings\n", area->corpus, area->findings);
}

static void one_epoch(struct rng *rng, bool replay)
{
	if (area->soak) {
		crowd_epoch(rng, SOAK_SECONDS);
	} else if (!replay && area->epochs % CROWD_EPOCHS == 0) {
		crowd_epoch(rng, EPOCH_SECONDS);
	} else {
		epoch_end = now() + EPOCH_SECONDS;
		epoch(area->workers, rng, STUCK_SECONDS, replay ? replay_body : fuzz_body);
	}
}

/**
 * supervise - fuzz as the area says
 *
 * Return: 0 if nothing was found.
 */
int supervise(void)
{
	bool replay = area->text[TEXT_REPLAY].used;
	struct rng rng = { .state = area->seed };
	double end;

	started = now();
	end = started + area->seconds;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	put_file("/proc/self/oom_score_adj", "-1000");
	pids = shared_memory(AREA_WORKERS * sizeof(*pids));
	allow_failures();
	pressure_init();
	groups_begin();
	compat_init();
	cover_init();
	corpus_init();
	crowd_begin();
	corpus_load(replay ? TEXT_REPLAY : TEXT_CORPUS);
	if (replay && !corpus_count()) {
		fprintf(stderr, "# nothing to replay\n");
		return 2;
	}

	/* One-time allocations of the kernel are to be done before memory is measured. */
	if (area->soak) {
		crowd_epoch(&rng, SOAK_SECONDS);
		memory_begin();
	} else if (!replay) {
		epoch(1, &rng, CORPUS_SECONDS, calibrate_body);
	}
	while (now() < end && !(area->until_found && area->findings)) {
		one_epoch(&rng, replay);
		if (area->epochs % 8 == 0)
			tell(end - now());
	}
	if (area->soak)
		memory_check();
	else if (!replay && !area->until_found)
		epoch(1, &rng, CORPUS_SECONDS, distil_body);
	crowd_end();
	groups_end();
	area->finished = 1;
	return area->findings != 0;
}
