// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls by the entry for 32-bit programs, which a 64-bit process can also use.
 */

#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

static bool compat;

long compat_call(long nr, long a, long b, long c)
{
	long ret;

#ifdef __x86_64__
	__asm__ volatile("int $0x80"
			 : "=a" (ret)
			 : "0" (nr), "b" (a), "c" (b), "d" (c)
			 : "memory", "r8", "r9", "r10", "r11");
	/* All 32 bits of the result count. */
	ret = (int)ret;
#else
	ret = -ENOSYS;
#endif
	if (ret < 0 && ret > -4096) {
		errno = (int)-ret;
		return -1;
	}
	return ret;
}

/* A kernel without the entry answers with a signal. */
void compat_init(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(compat_call(20 /* getpid */, 0, 0, 0) != getpid());
	compat = pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

bool have_compat(void)
{
	return compat;
}
