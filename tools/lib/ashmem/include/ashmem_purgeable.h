/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 ashmem maintainers */
/*
 * Memory that the kernel may purge, and that is rebuilt when it is needed.
 *
 * A program provides a function that makes the contents, and brackets each use: between
 * begin and end the contents are complete and stay. Otherwise they may be purged: on
 * /dev/ashmem by the kernel, on memfd by the library when the kernel says that memory is
 * short: see ashm_purgeable_watch().
 *
 * Conventions are those of ashmem.h: 0, a value or a negative errno. Every call may
 * be made from any thread. Objects belong to the process that made them: in a child
 * after fork() all calls return -ECHILD.
 */
#ifndef ASHMEM_PURGEABLE_H
#define ASHMEM_PURGEABLE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ashm_purgeable;

/**
 * ashm_rebuild_fn - makes the contents
 * @data: as it was given to ashm_purgeable_create()
 * @contents: where they belong; what is there is undefined
 * @size: their size
 *
 * Called by begin, in the thread that begins, when there are no contents yet or they
 * were lost. No other thread uses the object then. It must not use it either.
 *
 * Return: 0, or a negative errno, which begin returns.
 */
typedef int ashm_rebuild_fn(void *data, void *contents, size_t size);

/**
 * ashm_purgeable_create - make an object without contents
 * @name: as of ashm_create()
 * @size: in bytes, not 0
 * @rebuild: makes the contents; or NULL, then a thread that writes does it
 * @data: for @rebuild
 * @object: where the object is put
 *
 * Return: 0, or as of ashm_create() and ashm_map().
 */
int ashm_purgeable_create(const char *name, size_t size, ashm_rebuild_fn *rebuild,
			  void *data, struct ashm_purgeable **object);

/* Ends an object that no thread uses. NULL is allowed. */
void ashm_purgeable_destroy(struct ashm_purgeable *object);

size_t ashm_purgeable_size(const struct ashm_purgeable *object);

/**
 * ashm_purgeable_begin_read - keep the contents, to read them
 * @object: the object
 * @contents: where their address is put, good until the matching end
 *
 * Any number of threads may read at a time. Waits while another one writes. May be
 * nested, also in writing; a thread that ends writing first goes on reading.
 *
 * Return: 0; what the rebuild function returned; -EDEADLK while this thread rebuilds;
 * -ENODATA if there are no contents, and no rebuild function; or -ECHILD.
 */
int ashm_purgeable_begin_read(struct ashm_purgeable *object, const void **contents);

/* Return: 0, or -EINVAL if there is nothing to end, or -ECHILD. */
int ashm_purgeable_end_read(struct ashm_purgeable *object);

/**
 * ashm_purgeable_begin_write - keep the contents, to change them
 * @object: the object
 * @contents: where their address is put, good until the matching end
 *
 * Waits while other threads read or write; a thread that reads itself deadlocks. May be
 * nested. Changes are lost with the contents, unless the rebuild function repeats them.
 *
 * Return: as of ashm_purgeable_begin_read(), but ASHM_WAS_LOST if there are no contents,
 * and no rebuild function: then make them, and call ashm_purgeable_rebuilt().
 */
int ashm_purgeable_begin_write(struct ashm_purgeable *object, void **contents);

/**
 * ashm_purgeable_begin_rebuild - begin to write if there are no contents
 * @object: the object
 * @contents: where their address is put, with ASHM_WAS_LOST only
 *
 * For a thread that wants to read, and got -ENODATA. Waits while another one writes or
 * rebuilds, and not for readers: so others that got it at the same time read beside it.
 *
 * Return: ASHM_WAS_LOST, as of ashm_purgeable_begin_write(); 0 if there are contents, then
 * nothing has begun: read again; or an error as of ashm_purgeable_begin_write().
 */
int ashm_purgeable_begin_rebuild(struct ashm_purgeable *object, void **contents);

/* Return: as of ashm_purgeable_end_read(). */
int ashm_purgeable_end_write(struct ashm_purgeable *object);

/**
 * ashm_purgeable_rebuilt - the contents are complete
 * @object: the object, which this thread is writing
 *
 * If a thread for which begin returned ASHM_WAS_LOST doesn't call it before its last end,
 * the next begin finds no contents.
 *
 * Return: 0, or -EINVAL if this thread isn't writing, or -ECHILD.
 */
int ashm_purgeable_rebuilt(struct ashm_purgeable *object);

/**
 * ashm_purgeable_discard - have contents made again that were changed by halves
 * @object: the object, which this thread is writing
 *
 * For a change that failed on the way. They stay as they are until the thread's last
 * end; the next begin has them made again.
 *
 * Return: 0, or -EINVAL if this thread isn't writing, or -ECHILD.
 */
int ashm_purgeable_discard(struct ashm_purgeable *object);

/**
 * ashm_purgeable_reclaim - free memory of unused objects, on memfd
 * @bytes: how much to free, if there is that much
 * @freed: set to how much was freed, also if the call fails; or NULL
 *
 * Starts with what has been unused for longest, as the kernel does on the device; there
 * this does nothing. Frees entries of the caches that this process has open, too: see
 * ashmem_cache.h.
 *
 * Return: 0, or -errno of fallocate(2).
 */
int ashm_purgeable_reclaim(uint64_t bytes, uint64_t *freed);

/**
 * ashm_purgeable_watch - whether a thread of the library calls ashm_purgeable_reclaim()
 * @on: 1, as it is at the start, or 0
 *
 * While the process has objects and caches of 1 MiB or more on memfd, a thread waits for
 * the kernel to say that the cgroup or the machine is short of memory, and gives back what
 * is lacking: see ashm_purgeable_watch(3). It blocks all signals, has up to 11 descriptors,
 * and ends with the objects. A child after fork() has none until it makes objects.
 *
 * Return: 0; or, if it can't, -EOPNOTSUPP without anything to wait for, -EMFILE, -ENOMEM,
 * -EAGAIN.
 */
int ashm_purgeable_watch(int on);

#ifdef __cplusplus
}
#endif

#endif
