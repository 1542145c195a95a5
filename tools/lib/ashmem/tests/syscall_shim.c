// SPDX-License-Identifier: GPL-2.0
/*
 * The test harness waits for its children by pidfd_open(), which valgrind may be
 * too old to know. Linked with --wrap=syscall, this waits right there instead.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/wait.h>

long __real_syscall(long nr, ...);
long __wrap_syscall(long nr, ...);

long __wrap_syscall(long nr, ...)
{
	siginfo_t info;
	va_list list;
	long arg[6];
	int i;

	va_start(list, nr);
	for (i = 0; i < 6; i++)
		arg[i] = va_arg(list, long);
	va_end(list);
	if (nr != SYS_pidfd_open)
		return __real_syscall(nr, arg[0], arg[1], arg[2], arg[3], arg[4],
				      arg[5]);
	/* What can be polled at once, when the child has ended. */
	if (waitid(P_PID, (id_t)arg[0], &info, WEXITED | WNOWAIT))
		return -1;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}
