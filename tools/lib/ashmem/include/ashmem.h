/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 ashmem maintainers */
/*
 * Shared memory as objects: libashmem's own interface.
 *
 * It works on regions of /dev/ashmem and, where there is no such device, on
 * memfds that are sealed to behave like them. Every call may be made from any
 * thread; ashm_close() must be the last one on its object.
 *
 * A call returns 0 or the value that its comment names. On failure it returns a
 * negative errno and has changed nothing, unless its comment says otherwise. Objects are
 * returned through the last argument. errno is preserved. The manual has every error
 * with its condition: libashmem(3).
 */
#ifndef ASHMEM_H
#define ASHMEM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- which kind of memory ---- */

/* Values of ashm_backend() and ashm_backend_of(). */
#define ASHM_BACKEND_ASHMEM	1
#define ASHM_BACKEND_MEMFD	2

/**
 * ashm_backend - the backend that a new region would have now
 * @why: NULL, or where to put a sentence with the reason
 *
 * The environment variable ASHMEM_BACKEND is ashmem, memfd or auto (the default: the
 * device if it can be opened, else memfd). It is read once, at the first call that
 * needs it, and never in setuid programs.
 *
 * Return: ASHM_BACKEND_ASHMEM or ASHM_BACKEND_MEMFD; -EINVAL if the variable has another
 * value, or the errno of open() if it demands the device and that can't be opened.
 * *@why is set in each case and must not be freed.
 */
int ashm_backend(const char **why);

/**
 * ashm_backend_of - the backend of a descriptor's region
 * @fd: any descriptor
 *
 * Return: as above; -EBADF, or -ENOTTY if @fd is no region.
 */
int ashm_backend_of(int fd);

/**
 * ashm_size_of - the size of a descriptor's region
 * @fd: any descriptor
 * @size: in bytes, as the region was made; 0 if it has none yet
 */
int ashm_size_of(int fd, uint64_t *size);

/* The library's version, such as "0.1.0". */
const char *ashm_version(void);

/* ---- regions ---- */

struct ashm;

/**
 * ashm_create - make a region
 * @name: shown in /proc/PID/maps, or NULL; cut to 255 bytes (memfd: 242)
 * @size: in bytes, not 0
 * @region: where the object is put; ashm_close() ends it
 */
int ashm_create(const char *name, size_t size, struct ashm **region);

/**
 * ashm_adopt - make an object of a region's descriptor
 * @fd: belongs to the object from then on, unless the call fails
 * @region: where the object is put
 *
 * Fixes the region's name and size, as mapping it does.
 */
int ashm_adopt(int fd, struct ashm **region);

/**
 * ashm_close - close the descriptor and free the object
 * @region: NULL is allowed
 *
 * Mappings stay. An unpinned region stays unpinned for its other holders.
 */
void ashm_close(struct ashm *region);

/* The descriptor, to pass to others; the object keeps it. */
int ashm_fd(const struct ashm *region);

/* The size in bytes; it never changes. */
uint64_t ashm_size(const struct ashm *region);

/**
 * ashm_name - the name that the region was given
 * @region: the region
 * @buf: gets it, terminated; "" if there is none
 * @len: the size of @buf; 256 is enough for every name
 */
int ashm_name(const struct ashm *region, char *buf, size_t len);

/* ---- contents ---- */

/**
 * ashm_map - map the whole region, shared
 * @region: the region
 * @prot: of PROT_READ, PROT_WRITE and PROT_EXEC
 * @addr: where the address is put, for ashm_unmap(); it outlives @region
 *
 * -EACCES if the region or its descriptor lacks one of these rights.
 */
int ashm_map(struct ashm *region, int prot, void **addr);

/**
 * ashm_map_range - map a part of the region, shared
 * @region: the region
 * @prot: as above
 * @offset: a multiple of the page size
 * @len: in bytes, not 0, up to the end of the region's last page
 * @addr: where the address is put
 */
int ashm_map_range(struct ashm *region, int prot, uint64_t offset, size_t len,
		   void **addr);

/* Undoes either; @len as it was mapped, for ashm_map() the region's size. */
int ashm_unmap(void *addr, size_t len);

/**
 * ashm_read - copy bytes out of the region
 * ashm_write - copy bytes into the region
 *
 * Copies all @len bytes or none: -ERANGE if they pass the end of the region. After
 * -EFAULT a part of them may be in @buf. If
 * ashm_unpin() has unpinned the region, it is pinned during the copy; if contents
 * were lost, the calls fail with -ENODATA until ashm_pin().
 * ashm_write() fails with -EACCES if this object may not write.
 */
int ashm_read(struct ashm *region, void *buf, size_t len, uint64_t offset);
int ashm_write(struct ashm *region, const void *buf, size_t len, uint64_t offset);

/* ---- purging ---- */

/**
 * ashm_unpin - let the kernel purge the contents when memory is short
 * @region: the region
 *
 * -EACCES if this object may not write.
 */
int ashm_unpin(struct ashm *region);

/* Contents were lost while the region was unpinned: some of it reads as zeroes. */
#define ASHM_WAS_LOST	1

/**
 * ashm_pin - keep the contents again
 * @region: the region
 *
 * Return: 0 if all exist, or ASHM_WAS_LOST, which is reported once.
 */
int ashm_pin(struct ashm *region);

/* 0 between ashm_unpin() and ashm_pin() on this object, else 1. */
int ashm_pinned(struct ashm *region);

/* ---- rights ---- */

/**
 * ashm_protect - remove rights from later mappings of all holders
 * @region: the region
 * @prot: the rights that stay, none that was removed before
 *
 * Existing mappings keep theirs. Without PROT_WRITE, ashm_write() fails with
 * -EACCES on this object from then on. On memfd PROT_READ and PROT_EXEC can't be
 * removed; leaving them out is no error.
 */
int ashm_protect(struct ashm *region, int prot);

/* The rights that later mappings can have. */
int ashm_prot(const struct ashm *region);

/**
 * ashm_share_readonly - a descriptor for others, which can only read
 * @region: the region; this object can still write
 *
 * Removes the right to write for all processes, including this one, for the life of the
 * region. Existing mappings, in any process, even those for reading that mprotect() can
 * change, and ashm_write() on this object can still write. No holder of the descriptor can
 * undo that.
 *
 * Return: a new descriptor, close-on-exec, that the caller owns.
 */
int ashm_share_readonly(struct ashm *region);

/* ---- passing on ---- */

/**
 * ashm_send - pass a region to the process at the other end of a socket
 * @sock: a connected Unix socket of any type
 * @fd: the region's descriptor: ashm_fd(), or of ashm_share_readonly()
 *
 * One message of one byte, with the descriptor (SCM_RIGHTS). It raises no SIGPIPE.
 */
int ashm_send(int sock, int fd);

/**
 * ashm_receive - take a region that ashm_send() passes
 * @sock: a connected Unix socket of any type
 * @region: where the object is put
 *
 * Anything but one message of that kind with one region is closed and
 * refused, and then the message is gone; on SOCK_STREAM the bytes behind the
 * first one stay. An accepted region can be mapped and read safely: its size
 * can't change any more. Its contents can, if the sender can write.
 */
int ashm_receive(int sock, struct ashm **region);

#ifdef __cplusplus
}
#endif

#endif /* ASHMEM_H */
