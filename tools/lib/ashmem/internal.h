/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 ashmem maintainers */
/*
 * What the files of regions share. A region is a descriptor. Each call finds the backend
 * from the descriptor alone, so regions of other processes work like our own.
 *
 * There are no locks. State that is kept between calls (the device's number, the choice
 * of the environment, features that the kernel lacks) is in independent atomics, and
 * every thread computes the same values. pthread_once() sets the node's name.
 *
 * All return -errno and may change errno. Only the public calls preserve it.
 */
#ifndef LIBASHMEM_INTERNAL_H
#define LIBASHMEM_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#pragma GCC visibility push(hidden)

/* One kind of memory. */
struct libashmem_kind {
	int backend;		/* ASHM_BACKEND_* */
	int (*get_size)(int fd, uint64_t *size);
	int (*get_name)(int fd, char *name);	/* char[ASHMEM_NAME_LEN] */
	int (*get_prot)(int fd);
	int (*set_prot)(int fd, int prot);
	int (*pin)(int fd, uint32_t offset, uint32_t len);	/* or ASHMEM_WAS_PURGED */
	int (*unpin)(int fd, uint32_t offset, uint32_t len);
	int (*dup_readonly)(int fd);		/* a descriptor */
};

/* ---- device.c, memfd.c ---- */

extern const struct libashmem_kind libashmem_device;
extern const struct libashmem_kind libashmem_memfd;

/* A descriptor of a new region. */
int libashmem_device_new(const char *name, size_t size);
int libashmem_memfd_new(const char *name, size_t size);

/* A descriptor of the device, which is an empty region. */
int libashmem_device_open(void);

/* Does this result of libashmem_stat() belong to a region of that kind? */
int libashmem_device_is(const struct stat *st);
int libashmem_memfd_is(int fd, const struct stat *st, int seals);

/* Tells a region of the device from others; 0 where the driver doesn't. */
unsigned long libashmem_device_id(int fd);

/* ---- backend.c ---- */

/* fstat() that asks no server: a peer may run it, and let it answer never. st_size is unset. */
int libashmem_stat(int fd, struct stat *st);

/* 0 and the kind of @fd; -EBADF, or -ENOTTY if it is no region. */
int libashmem_kind_of(int fd, const struct libashmem_kind **kind);
int libashmem_kind_stat(int fd, const struct libashmem_kind **kind, struct stat *st);

/* A descriptor of a new region; environment and machine choose the backend. */
int libashmem_new(const char *name, size_t size);

/* ---- region.c ---- */

struct ashm;

/* How much memory a memfd has; UINT64_MAX if the descriptor isn't the region's any more. */
uint64_t libashmem_allocated(const struct ashm *region);

/* Frees pages of a memfd; -EBADF if the descriptor isn't the region's any more. */
int libashmem_punch(const struct ashm *region, uint64_t offset, uint64_t len);

/* ---- thread.c ---- */

/* A thread of the library, which gets none of the program's signals. */
int libashmem_start_thread(pthread_t *thread, void *(*run)(void *), void *arg);

/* ---- pressure.c ---- */

/* Frees up to so many bytes. */
typedef int libashmem_reclaim_fn(uint64_t bytes, uint64_t *freed);

/* The process has more purgeable memory on memfd: by @bytes, or less if that's negative. */
void libashmem_pressure_add(int64_t bytes, libashmem_reclaim_fn *reclaim);
/* So many bytes will get contents. A cgroup that is full kills before the kernel tells of it. */
void libashmem_pressure_grow(uint64_t bytes);
int libashmem_pressure_watch(bool on, libashmem_reclaim_fn *reclaim);

void libashmem_pressure_before_fork(void);
void libashmem_pressure_after_fork(bool child);

/* How old idle objects and entries are, in nanoseconds of CLOCK_MONOTONIC. */
uint64_t libashmem_now(void);

/* ---- purgeable.c ---- */

/* A cache of so many bytes comes, or goes if that's negative. */
void libashmem_idle_add(int64_t bytes);

/* Of idle objects and of the list of caches; after fork() the child has neither. */
void libashmem_idle_lock(void);
void libashmem_idle_unlock(void);

/* ---- cache.c ---- */

/* Those on memfd. */
extern struct ashm_cache *libashmem_caches;

/* What all caches can give back at most. */
uint64_t libashmem_cache_bytes(void);

/*
 * Removes the oldest idle entry of all caches if it became idle before @before. Returns
 * the bytes that this freed, and subtracts them from @left. A cache that can't be locked
 * is left out by calls with the same @from, which is when the first of them was made.
 */
uint64_t libashmem_cache_reclaim(uint64_t before, uint64_t from, uint64_t *left);

/* ---- fd.c ---- */

/* close() that leaves errno alone. */
void libashmem_close(int fd);

/* The descriptor's entry in /proc, as seen by this very thread. */
#define LIBASHMEM_PROC_LEN	64
void libashmem_proc_path(char *path, const char *dir, int fd);

#pragma GCC visibility pop

#endif
