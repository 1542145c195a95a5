// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads.
 */

#include <errno.h>
#include <sched.h>

#include "bench.h"

void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity (are there two processors?)");
}

pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, fn, arg);
	if (errno)
		die("pthread_create");
	return thread;
}

void join(pthread_t thread)
{
	errno = pthread_join(thread, NULL);
	if (errno)
		die("pthread_join");
}
