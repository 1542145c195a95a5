/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 ashmem maintainers */
/*
 * The interface that Android's NDK has for shared memory, without the call for
 * Java. See ASharedMemory_create(3).
 */
#ifndef ANDROID_SHARED_MEMORY_H
#define ANDROID_SHARED_MEMORY_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A descriptor, -1 with errno, or -EINVAL (errno too) if @size is 0. */
int ASharedMemory_create(const char *name, size_t size);

/* The size in bytes, of any magnitude; 0 if @fd is no region. */
size_t ASharedMemory_getSize(int fd);

/* As ashmem_set_prot_region() of cutils/ashmem.h. */
int ASharedMemory_setProt(int fd, int prot);

#ifdef __cplusplus
}
#endif

#endif /* ANDROID_SHARED_MEMORY_H */
