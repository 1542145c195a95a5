// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of what ashmem works with: memfd, libashmem, /proc.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ashmem.h"
#include "cmd.h"
#include "doctor.h"

void check_memfd(struct patient *patient)
{
	int fd = memfd_create("ashmem-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		found(patient, "memfd", LEVEL_BAD,
		      xasprintf("memfd_create fails: %s", strerror(errno)),
		      xasprintf("a seccomp filter may forbid it; libashmem has no fallback"
				" then"));
	else if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE))
		found(patient, "memfd", LEVEL_WARN,
		      xasprintf("memfds can't be sealed against writing: %s",
				strerror(errno)),
		      xasprintf("run Linux 5.1 or later; masks have no effect on the fallback"));
	else
		found(patient, "memfd", LEVEL_OK,
		      xasprintf("libashmem's fallback is there: memfd with seals"), NULL);
	if (fd >= 0)
		close(fd);
}

void check_library(struct patient *patient)
{
	const char *why;
	int backend = ashm_backend(&why);

	if (backend < 0)
		found(patient, "library", LEVEL_BAD,
		      xasprintf("libashmem can't make regions: %s", why),
		      xasprintf("set ASHMEM_BACKEND to auto, or mend what it asks for"));
	else
		found(patient, "library", LEVEL_OK,
		      xasprintf("libashmem %s makes regions of %s: %s", ashm_version(),
				backend == ASHM_BACKEND_MEMFD ? "memfd" : "/dev/ashmem", why),
		      NULL);
}

/*
 * The value of hidepid= of /proc, allocated; NULL if it hides nothing. The last of
 * several mounts counts.
 */
static char *hidepid(void)
{
	char *path = file_path("/proc/mounts");
	char *text = file_read(path, NULL), *line, *next, *at, *value = NULL;

	free(path);
	for (line = text; line && *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		at = strstr(line, " /proc proc ");
		if (!at)
			continue;
		free(value);
		at = strstr(at, "hidepid=");
		value = at ? xasprintf("%.*s", (int)strcspn(at + 8, ", "), at + 8) : NULL;
	}
	free(text);
	if (value && (!strcmp(value, "0") || !strcmp(value, "off"))) {
		free(value);
		value = NULL;
	}
	return value;
}

void check_proc(struct patient *patient)
{
	char *path = file_path("/proc/sys/kernel/yama/ptrace_scope");
	char *scope = file_line(path);
	char *hidden = hidepid();

	free(path);
	if (hidden && geteuid())
		found(patient, "proc", LEVEL_WARN,
		      xasprintf("/proc is mounted with hidepid=%s: processes of others don't"
				" show", hidden),
		      xasprintf("run 'ashmem list' as root, or as the group that gid= of the"
				" mount names"));
	else if (scope && *scope == '3')
		found(patient, "proc", LEVEL_WARN,
		      xasprintf("kernel.yama.ptrace_scope is 3: no user may cat or fill"),
		      xasprintf("set another value in /etc/sysctl.d, and reboot"));
	else if (geteuid())
		found(patient, "proc", LEVEL_OK,
		      xasprintf("regions of this user's processes show; root sees all"), NULL);
	else
		found(patient, "proc", LEVEL_OK,
		      xasprintf("regions of all processes show"), NULL);
	free(scope);
	free(hidden);
}
