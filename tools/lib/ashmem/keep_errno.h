/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 ashmem maintainers */
/*
 * The library's own calls return -errno and preserve errno, although their system calls
 * change it.
 */
#ifndef LIBASHMEM_KEEP_ERRNO_H
#define LIBASHMEM_KEEP_ERRNO_H

#include <errno.h>

static inline void libashmem_restore_errno(const int *kept)
{
	errno = *kept;
}

/* A declaration: at the end of the block, errno gets the value back that it has here. */
#define KEEP_ERRNO \
	__attribute__((cleanup(libashmem_restore_errno), unused)) \
	const int kept_errno = errno

#endif
