// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations that need more than one process or thread.
 */

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

/* The next worker may take it, or it is dropped at that one's next clean-up. */
void do_send(struct worker *w, const uint64_t *a)
{
	int fd = fd_of(w, a[0]);

	CALL(send_fds(w->next_inbox, 0, &fd, 1));
}

void do_receive(struct worker *w, const uint64_t *a)
{
	uint64_t word;
	int fd = -1;

	if (!CALL(recv_fds(w->inbox, &word, &fd, 1)))
		set_slot(w, a[0], fd);
}

struct share {
	struct worker *w;
	struct op op[8];
	unsigned int ops;
	pthread_t thread;
};

static struct share threads[4];
static unsigned int running;

static void *thread_main(void *data)
{
	struct share *share = data;

	op_alone = false;
	execute_ops(share->w, share->op, share->ops);
	return NULL;
}

static void start_thread(struct worker *w, const struct op *op, unsigned int ops)
{
	struct share *share = &threads[running];

	if (running == ARRAY_SIZE(threads))
		return;
	share->w = w;
	share->ops = ops;
	memcpy(share->op, op, ops * sizeof(*op));
	w->racing = true;
	if (!pthread_create(&share->thread, NULL, thread_main, share))
		running++;
}

static void start_child(struct worker *w, const struct op *op, unsigned int ops, bool wait)
{
	unsigned int i;
	pid_t pid;

	for (i = 0; w->child[i] > 0; i++)
		if (i == ARRAY_SIZE(w->child) - 1)
			return;
	pid = (pid_t)CALL(fork());
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		op_alone = false;
		execute_ops(w, op, ops);
		_exit(0);
	}
	if (pid > 0 && wait)
		waitpid(pid, NULL, 0);
	else if (pid > 0)
		w->child[i] = pid;
}

/**
 * share_ops - have a thread or a child perform the operations behind this one
 * @w: the worker
 * @op: the operation that says so
 * @ops: how many there are behind it, at most 8
 */
void share_ops(struct worker *w, const struct op *op, unsigned int ops)
{
	if (op->code == OP_thread)
		start_thread(w, op + 1, ops);
	else
		start_child(w, op + 1, ops, op->arg[0] & 1);
}

/* Waits for the threads and children of a program. */
void share_end(struct worker *w)
{
	unsigned int i;

	while (running)
		pthread_join(threads[--running].thread, NULL);
	w->racing = false;
	for (i = 0; i < ARRAY_SIZE(w->child); i++) {
		if (w->child[i] > 0)
			waitpid(w->child[i], NULL, 0);
		w->child[i] = 0;
	}
}

/* Only as the last operation: no worker is left to perform what they send. */
void do_fork(struct worker *w, const uint64_t *a)
{
}

void do_thread(struct worker *w, const uint64_t *a)
{
}

void do_kill(struct worker *w, const uint64_t *a)
{
	pid_t pid = w->child[a[0] % 8];

	if (pid > 0 && op_alone)
		kill(pid, SIGKILL);
}

/*
 * On the memory of this worker or of another one, which has its mappings at the same
 * place.
 */
void do_vm_read(struct worker *w, const uint64_t *a)
{
	struct iovec local = { buffer(GOOD, 0), a[2] % (15 * PAGE_BYTES) };
	struct iovec remote = { window_of(a[0]) + a[1] % 1024 * PAGE_BYTES, local.iov_len };
	pid_t pid = a[3] & 1 ? getpid() : w->pids[(w->number + 1) % AREA_WORKERS];

	if (pid <= 0)
		return;
	if (a[3] & 2)
		CALL(process_vm_writev(pid, &local, 1, &remote, 1, 0));
	else
		CALL(process_vm_readv(pid, &local, 1, &remote, 1, 0));
}
