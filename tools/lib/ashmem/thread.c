// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/* Threads of the library: the guardian, and the one that waits for memory to be short. */
#include <pthread.h>
#include <signal.h>

#include "internal.h"

/*
 * The C library takes the program's thread-local variables from the stack: no size but the
 * default is one that the program can be expected to know.
 */
int libashmem_start_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
	sigset_t all, old;
	int ret;

	/* The program's signals are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -ret;
}
