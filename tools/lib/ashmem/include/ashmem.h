/* SPDX-License-Identifier: MIT */
/*
 * Shared memory as objects: libashmem's own interface.
 *
 * It works on regions of /dev/ashmem and, where there is no such device, on
 * memfds that are sealed to behave like them. Every call may be made from any
 * thread; ashm_close() must be the last one on its object. Failures are -1 or
 * NULL with errno set, and then nothing has changed. The manual has every errno:
 * ashm_create(3), ashm_read(3), ashm_allow_purging(3), ashm_share_readonly(3),
 * ashm_backend(3).
 */
#ifndef _ASHMEM_H
#define _ASHMEM_H

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
 * ashm_backend - what a region would be made of if it were created now
 * @why: NULL, or where to put a sentence that gives the reason
 *
 * The variable ASHMEM_BACKEND of the environment says ashmem, memfd or auto
 * (like none: the device if it can be opened, else memfd). It is read once, at
 * the first call that needs it, and not at all in setuid programs.
 *
 * Return: ASHM_BACKEND_ASHMEM or ASHM_BACKEND_MEMFD; -1 with EINVAL when the
 * variable has another value, or with the errno of opening the device when that
 * is demanded and can't be had. *@why is set in each case and needn't be freed.
 */
int ashm_backend(const char **why);

/**
 * ashm_backend_of - what the region of a descriptor is made of
 * @fd: any descriptor
 *
 * Return: as above; -1 with EBADF, or with ENOTTY if @fd is no region.
 */
int ashm_backend_of(int fd);

/* The library's version, such as "0.1.0". */
const char *ashm_version(void);

/* ---- regions ---- */

struct ashm;

/**
 * ashm_create - make a region
 * @name: for people who look into /proc, or NULL; cut to 255 bytes (memfd: 242)
 * @size: in bytes, not 0
 */
struct ashm *ashm_create(const char *name, size_t size);

/**
 * ashm_adopt - make an object of a region's descriptor
 * @fd: belongs to the object from then on, unless the call fails
 *
 * Fixes the region's name and size, as mapping it does.
 */
struct ashm *ashm_adopt(int fd);

/**
 * ashm_close - close the descriptor and free the object
 * @region: NULL is allowed
 *
 * Mappings stay, errno is left alone. If the object allows purging it still
 * does so for those who have the region, too.
 */
void ashm_close(struct ashm *region);

/* The descriptor, to hand on; the object keeps it. */
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
 *
 * Return: an address for ashm_unmap(), which outlives @region; or NULL.
 */
void *ashm_map(struct ashm *region, int prot);

/**
 * ashm_map_range - map a part of the region, shared
 * @region: the region
 * @prot: as above
 * @offset: a multiple of the page size
 * @len: in bytes, not 0, up to the end of the region's last page
 */
void *ashm_map_range(struct ashm *region, int prot, uint64_t offset, size_t len);

/* Undoes either; @len as it was mapped, for ashm_map() the region's size. */
int ashm_unmap(void *addr, size_t len);

/**
 * ashm_read - copy bytes out of the region
 * ashm_write - copy bytes into the region
 *
 * All @len bytes or none: what passes the end of the region is refused with
 * ERANGE. While the object allows purging the pages are pinned for the copy; if
 * contents turn out to be lost it fails with ENODATA until
 * ashm_allow_purging(@region, 0).
 */
int ashm_read(struct ashm *region, void *buf, size_t len, uint64_t offset);
int ashm_write(struct ashm *region, const void *buf, size_t len, uint64_t offset);

/**
 * ashm_allow_purging - let the kernel take the contents, or keep them again
 * @region: the region
 * @allow: 0 to keep them
 *
 * Return: 1 if @allow is 0 and contents were lost since it was not, else 0.
 */
int ashm_allow_purging(struct ashm *region, int allow);

/* 1 after ashm_allow_purging(@region, 1), else 0. */
int ashm_purging_allowed(struct ashm *region);

/* ---- rights ---- */

/**
 * ashm_protect - take rights away from mappings to come, of all holders
 * @region: the region
 * @prot: the rights that stay, none that was taken before
 *
 * Existing mappings keep theirs. Without PROT_WRITE, ashm_write() fails with
 * EPERM on this object from then on. On memfd PROT_READ and PROT_EXEC can't be
 * taken away; leaving them out is no error.
 */
int ashm_protect(struct ashm *region, int prot);

/* The rights that mappings to come can have, or -1. */
int ashm_prot(const struct ashm *region);

/**
 * ashm_share_readonly - a descriptor for others, who can only read
 * @region: the region; through this object it can still be written
 *
 * It takes writing away from everybody for good, this process included, but for
 * what can write already: mappings that exist, in whatever process, and
 * ashm_write() on this object. Nobody who gets the descriptor can undo that.
 *
 * Return: a new descriptor, close-on-exec, that the caller owns; or -1.
 */
int ashm_share_readonly(struct ashm *region);

#ifdef __cplusplus
}
#endif

#endif /* _ASHMEM_H */
