/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 ashmem maintainers */
/*
 * The interface that Android's libcutils has for shared memory, for programs
 * that were written for it. See ashmem_create_region(3).
 *
 * A descriptor is good for these calls if it is a region of /dev/ashmem or a
 * memfd that this library made, in whatever process; see ashmem_valid(3) for
 * how one is told.
 */
#ifndef _CUTILS_ASHMEM_H
#define _CUTILS_ASHMEM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 1 if @fd is a region, else 0, and errno says why: EBADF, ENOTTY. */
int ashmem_valid(int fd);

/* A new region's descriptor, close-on-exec, or -1. @name may be NULL. */
int ashmem_create_region(const char *name, size_t size);

/* Takes rights that @prot lacks away from mappings to come: 0 or -1. */
int ashmem_set_prot_region(int fd, int prot);

/*
 * @len 0 is everything from @offset on. ashmem_pin_region() returns
 * ASHMEM_WAS_PURGED or ASHMEM_NOT_PURGED, both return -1 on failure.
 */
int ashmem_pin_region(int fd, size_t offset, size_t len);
int ashmem_unpin_region(int fd, size_t offset, size_t len);

/* The size in bytes, or -1; EOVERFLOW if it is 2 GiB or more. */
int ashmem_get_size_region(int fd);

#ifdef __cplusplus
}
#endif

/* <linux/ashmem.h> has the same. */
#ifndef __ASHMEMIOC
#ifndef ASHMEM_NAME_LEN
#define ASHMEM_NAME_LEN		256
#define ASHMEM_NAME_DEF		"dev/ashmem"
#define ASHMEM_NOT_PURGED	0
#define ASHMEM_WAS_PURGED	1
#define ASHMEM_IS_UNPINNED	0
#define ASHMEM_IS_PINNED	1
#endif
#endif

#endif /* _CUTILS_ASHMEM_H */
