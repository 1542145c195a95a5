// SPDX-License-Identifier: GPL-2.0-only
/* Accesses to memory that may fault. */

#include <setjmp.h>
#include <signal.h>

#include "fault.h"

static __thread sigjmp_buf out_of_here;
static __thread volatile sig_atomic_t trying;

static void on_signal(int sig)
{
	if (trying)
		siglongjmp(out_of_here, sig);
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
	int sig = sigsetjmp(out_of_here, 0);

	if (!sig) {
		trying = 1;
		access(at, length, data);
	}
	trying = 0;
	return sig;
}
