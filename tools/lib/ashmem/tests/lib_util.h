/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of the library's tests. Include after kselftest_harness.h.
 */
#ifndef LIB_UTIL_H
#define LIB_UTIL_H

#include <dirent.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "ashmem_util.h"
#include "region_util.h"

#include <android/sharedmem.h>
#include <cutils/ashmem.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL		0x0008U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE	0x0010
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC		0x0020
#endif
#define SIZE_SEALS		(F_SEAL_GROW | F_SEAL_SHRINK)

static UNUSED int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static UNUSED int is_cloexec(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && flags & FD_CLOEXEC;
}

/* Makes the next descriptor the last one that is refused; or allows them again. */
static UNUSED int limit_fds(rlim_t max)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -1;
	limit.rlim_cur = max;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

/* A new directory below the current one, which becomes this process's root. */
static UNUSED int enter_empty_root(char *dir, size_t len)
{
	snprintf(dir, len, "root.XXXXXX");
	if (!mkdtemp(dir) || chmod(dir, 0755) || chroot(dir) || chdir("/"))
		return -errno;
	return 0;
}

/*
 * Makes system call @nr return @error if argument @arg has the bits @set and none of
 * @clear. Both are 32 bits of a little-endian argument.
 */
static UNUSED int forbid(unsigned int nr, unsigned int arg, uint32_t set, uint32_t clear,
			 uint32_t error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (uint32_t)offsetof(struct seccomp_data, args[arg])),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, set),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, set, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (uint32_t)offsetof(struct seccomp_data, args[arg])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, clear, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = ARRAY_SIZE(code), .filter = code };

	setenv("ASHMEM_BACKEND", "memfd", 1);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) ? -errno : 0;
}

#define FORBID(...) do { \
	if (forbid(__VA_ARGS__)) \
		SKIP(return, "no seccomp filters here"); \
} while (0)

#endif
