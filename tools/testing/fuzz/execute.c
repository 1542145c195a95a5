// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running programs.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

__thread unsigned int op_fail;
__thread bool op_compat;
__thread bool op_alone = true;

static int fail_fd = -1;

void execute_init(void)
{
	fault_init();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGIO, SIG_IGN);
	/* What fcntl(F_SETSIG) may choose. */
	signal(SIGUSR1, SIG_IGN);
	fail_fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
}

bool have_fail_nth(void)
{
	return fail_fd >= 0;
}

/* The file belongs to the thread that opened it: execute_init() in the worker. */
void fail_begin(void)
{
	char text[12];
	int n;

	if (!op_fail || fail_fd < 0 || !op_alone)
		return;
	n = snprintf(text, sizeof(text), "%u", op_fail);
	if (write(fail_fd, text, (size_t)n) < 0)
		op_fail = 0;
}

void fail_end(void)
{
	if (op_fail && fail_fd >= 0 && op_alone && write(fail_fd, "0", 1) < 0)
		op_fail = 0;
	/* Only the first call of the operation. */
	op_fail = 0;
}

static void (*const perform[OP_CODES])(struct worker *w, const uint64_t *a) = {
#define OP(name, weight, ...) do_##name,
#include "ops.h"
#undef OP
};

/* How many of the operations after @op another thread or process runs. */
static unsigned int handed_on(const struct op *op)
{
	if (!op_alone)
		return 0;
	switch (op->code) {
	case OP_fork:
		return 1 + op->arg[1] % 8;
	case OP_thread:
		return 1 + op->arg[0] % 8;
	default:
		return 0;
	}
}

void execute_ops(struct worker *w, const struct op *op, unsigned int ops)
{
	unsigned int i, skip;

	for (i = 0; i < ops; i += 1 + skip) {
		op_fail = op[i].fail;
		op_compat = op[i].compat && have_compat();
		skip = handed_on(&op[i]);
		if (skip > ops - i - 1)
			skip = ops - i - 1;
		if (skip)
			share_ops(w, &op[i], skip);
		else
			perform[op[i].code](w, op[i].arg);
	}
	op_fail = 0;
	op_compat = false;
}

/**
 * cleanup - bring a worker back to where programs begin
 * @w: the worker
 */
void cleanup(struct worker *w)
{
	unsigned int i;
	char byte;

	share_end(w);
	windows_clear(w);
	for (i = 0; i < OWN_SLOTS; i++)
		set_slot(w, i, -1);
	/* Descriptors that others sent and it did not receive. */
	while (recv(w->inbox, &byte, 1, MSG_DONTWAIT) > 0)
		;
	process_restore();
}

void execute(struct worker *w, const struct program *program)
{
	execute_ops(w, program->op, program->ops);
	cleanup(w);
}
