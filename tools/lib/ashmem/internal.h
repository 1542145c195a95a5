/* SPDX-License-Identifier: MIT */
/*
 * What the library's files share. A region is a descriptor; what it is made of
 * is found out anew at each call, from the descriptor alone, so that one which
 * came from elsewhere is as good as one of our own.
 *
 * There is no lock among them. What is kept between calls (the device's number, the
 * choice of the environment, what the kernel was found to lack) is in atomics
 * that don't depend on each other, and every thread would compute the same; the
 * node's name is found by pthread_once().
 */
#ifndef LIBASHMEM_INTERNAL_H
#define LIBASHMEM_INTERNAL_H

#include <stdint.h>
#include <sys/stat.h>

#pragma GCC visibility push(hidden)

/* One kind of memory. The calls return as those of cutils/ashmem.h do. */
struct libashmem_kind {
	int backend;		/* ASHM_BACKEND_* */
	int (*get_size)(int fd, uint64_t *size);
	int (*get_name)(int fd, char *name);	/* char[ASHMEM_NAME_LEN] */
	int (*get_prot)(int fd);
	int (*set_prot)(int fd, int prot);
	int (*pin)(int fd, uint32_t offset, uint32_t len);
	int (*unpin)(int fd, uint32_t offset, uint32_t len);
	int (*dup_readonly)(int fd);
};

extern const struct libashmem_kind libashmem_device;
extern const struct libashmem_kind libashmem_memfd;

/* The kind of @fd; NULL with EBADF, or with ENOTTY if it is no region. */
const struct libashmem_kind *libashmem_kind_of(int fd);

/* A new region of the backend that the environment and the machine suggest. */
int libashmem_new(const char *name, size_t size);

int libashmem_device_new(const char *name, size_t size);
int libashmem_memfd_new(const char *name, size_t size);

/* A descriptor of the device, which is an empty region; or -1. */
int libashmem_device_open(void);

/* Whether what fstat() said of a descriptor is a region of that kind. */
int libashmem_device_is(const struct stat *st);
int libashmem_memfd_is(int fd, const struct stat *st);

/* close() that leaves errno alone. */
void libashmem_close(int fd);

/* The descriptor's entry in /proc, as seen by this very thread. */
#define LIBASHMEM_PROC_LEN	64
void libashmem_proc_path(char *path, const char *dir, int fd);

#pragma GCC visibility pop

#endif
