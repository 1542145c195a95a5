// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/* Calls for any descriptor. */
#include <stdio.h>
#include <unistd.h>

#include "internal.h"
#include "keep_errno.h"

void libashmem_close(int fd)
{
	KEEP_ERRNO;

	close(fd);
}

/* "self" is the process, but a thread can have its own table of descriptors. */
void libashmem_proc_path(char *path, const char *dir, int fd)
{
	snprintf(path, LIBASHMEM_PROC_LEN, "/proc/thread-self/%s/%d", dir, fd);
}
