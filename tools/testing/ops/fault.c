// SPDX-License-Identifier: GPL-2.0-only
/* Accesses to memory that may fault. */

#include <setjmp.h>
#include <signal.h>

#include "fault.h"

static __thread sigjmp_buf *on_fault;

static void on_signal(int sig)
{
	if (on_fault)
		siglongjmp(*on_fault, sig);
	/* A bug of the program; its parent sees how it ended. */
	signal(sig, SIG_DFL);
	raise(sig);
}

void fault_init(void)
{
	/* SA_NODEFER: nothing has to be unblocked after the jump. */
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_NODEFER };

	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
}

/**
 * try_access - run what may fault
 * @access: does the access
 * @at: handed to it
 * @length: handed to it
 * @data: handed to it
 *
 * Return: 0, or the signal that ended it.
 */
int try_access(void (*access)(char *at, size_t length, void *data), char *at, size_t length,
	       void *data)
{
	sigjmp_buf here;
	int sig = sigsetjmp(here, 0);

	if (!sig) {
		on_fault = &here;
		access(at, length, data);
	}
	on_fault = NULL;
	return sig;
}
