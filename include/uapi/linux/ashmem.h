/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Anonymous shared memory: the interface of /dev/ashmem.
 *
 * Each open of /dev/ashmem makes its own region, which every holder of
 * that open file description shares. The commands are described one by one,
 * with every errno, in Documentation/userspace-api/ashmem.rst.
 */

#ifndef _UAPI_LINUX_ASHMEM_H
#define _UAPI_LINUX_ASHMEM_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * define ASHMEM_NAME_LEN - size of a region's name in bytes, terminator included
 */
#define ASHMEM_NAME_LEN		256

/**
 * define ASHMEM_NAME_DEF - what %ASHMEM_GET_NAME says of a region without a name
 */
#define ASHMEM_NAME_DEF		"dev/ashmem"

/* What ASHMEM_PIN returns: did the kernel take any of the pages back? */
#define ASHMEM_NOT_PURGED	0
#define ASHMEM_WAS_PURGED	1

/* What ASHMEM_GET_PIN_STATUS returns: unpinned if any of the pages is. */
#define ASHMEM_IS_UNPINNED	0
#define ASHMEM_IS_PINNED	1

/**
 * struct ashmem_pin - an interval of a region
 * @offset: first byte, a multiple of the page size
 * @len: length in bytes, a multiple of the page size; 0 means everything from
 *	@offset to the end of the region, also when that lies beyond 4 GiB
 *
 * @offset + @len must fit into 32 bits and must not pass the end of the
 * region, which is its size rounded up to a page.
 */
struct ashmem_pin {
	__u32 offset;
	__u32 len;
};

#define __ASHMEMIOC		0x77

/**
 * define ASHMEM_SET_NAME - name a region that has never been mapped
 *
 * Takes a string, which is read up to its terminator and cut to
 * %ASHMEM_NAME_LEN - 1 bytes.
 */
#define ASHMEM_SET_NAME		_IOW(__ASHMEMIOC, 1, char[ASHMEM_NAME_LEN])

/**
 * define ASHMEM_GET_NAME - read the name, or %ASHMEM_NAME_DEF
 *
 * Writes the string with its terminator and nothing behind it.
 */
#define ASHMEM_GET_NAME		_IOR(__ASHMEMIOC, 2, char[ASHMEM_NAME_LEN])

/**
 * define ASHMEM_SET_SIZE - set the size of a region that has never been mapped
 *
 * The argument is the size itself, in bytes, not a pointer to it.
 */
#define ASHMEM_SET_SIZE		_IOW(__ASHMEMIOC, 3, __kernel_size_t)

/**
 * define ASHMEM_GET_SIZE - return the size in bytes
 */
#define ASHMEM_GET_SIZE		_IO(__ASHMEMIOC, 4)

/**
 * define ASHMEM_SET_PROT_MASK - take rights away from mappings to come
 *
 * The argument is the mask itself: a subset of the present one, of
 * PROT_READ | PROT_WRITE | PROT_EXEC.
 */
#define ASHMEM_SET_PROT_MASK	_IOW(__ASHMEMIOC, 5, unsigned long)

/**
 * define ASHMEM_GET_PROT_MASK - return the mask
 */
#define ASHMEM_GET_PROT_MASK	_IO(__ASHMEMIOC, 6)

/**
 * define ASHMEM_PIN - keep pages; learn whether they were kept so far
 *
 * Returns %ASHMEM_WAS_PURGED or %ASHMEM_NOT_PURGED.
 */
#define ASHMEM_PIN		_IOW(__ASHMEMIOC, 7, struct ashmem_pin)

/**
 * define ASHMEM_UNPIN - let the kernel take pages back when memory is short
 */
#define ASHMEM_UNPIN		_IOW(__ASHMEMIOC, 8, struct ashmem_pin)

/**
 * define ASHMEM_GET_PIN_STATUS - return %ASHMEM_IS_PINNED or %ASHMEM_IS_UNPINNED
 *
 * Takes a pointer to struct ashmem_pin, although its number does not say so.
 */
#define ASHMEM_GET_PIN_STATUS	_IO(__ASHMEMIOC, 9)

/**
 * define ASHMEM_PURGE_ALL_CACHES - purge every unpinned page of every region
 *
 * Returns the number of pages that were purgeable. Needs CAP_SYS_ADMIN in the
 * initial user namespace.
 */
#define ASHMEM_PURGE_ALL_CACHES	_IO(__ASHMEMIOC, 10)

/**
 * define ASHMEM_GET_FILE_ID - read the inode number of the backing file
 *
 * The number that /proc/PID/maps shows for the region's mappings.
 */
#define ASHMEM_GET_FILE_ID	_IOR(__ASHMEMIOC, 11, unsigned long)

#endif /* _UAPI_LINUX_ASHMEM_H */
