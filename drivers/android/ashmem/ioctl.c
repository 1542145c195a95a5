// SPDX-License-Identifier: GPL-2.0-only
/* The ioctl interface: copying in and out, for 64- and 32-bit callers. */

#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "ashmem.h"
#include "pin.h"
#include "purge.h"

/* In programs since 2008. Three hold the size of a type that differs for 32-bit callers. */
#define COMPAT_ASHMEM_SET_SIZE		_IOW(__ASHMEMIOC, 3, compat_size_t)
#define COMPAT_ASHMEM_SET_PROT_MASK	_IOW(__ASHMEMIOC, 5, compat_ulong_t)
#define COMPAT_ASHMEM_GET_FILE_ID	_IOR(__ASHMEMIOC, 11, compat_ulong_t)

/* In a function: elsewhere clang does not accept _IOW() as a constant. */
static __always_inline void assert_numbers(void)
{
	BUILD_BUG_ON(ASHMEM_SET_NAME != 0x41007701);
	BUILD_BUG_ON(ASHMEM_GET_NAME != 0x81007702);
	BUILD_BUG_ON(ASHMEM_GET_SIZE != 0x7704);
	BUILD_BUG_ON(ASHMEM_GET_PROT_MASK != 0x7706);
	BUILD_BUG_ON(ASHMEM_PIN != 0x40087707);
	BUILD_BUG_ON(ASHMEM_UNPIN != 0x40087708);
	BUILD_BUG_ON(ASHMEM_GET_PIN_STATUS != 0x7709);
	BUILD_BUG_ON(ASHMEM_PURGE_ALL_CACHES != 0x770a);
	BUILD_BUG_ON(ASHMEM_SET_SIZE != (0x40007703 | sizeof(long) << 16));
	BUILD_BUG_ON(ASHMEM_SET_PROT_MASK != (0x40007705 | sizeof(long) << 16));
	BUILD_BUG_ON(ASHMEM_GET_FILE_ID != (0x8000770b | sizeof(long) << 16));
}

/* Ask for the length first: most names are short, and some kernels clear a stack buffer. */
static long set_name(struct ashmem_region *region, const char __user *uname)
{
	long size = strnlen_user(uname, ASHMEM_NAME_LEN);
	char *full, *name;
	long len;

	if (!size)
		return -EFAULT;
	size = min_t(long, size, ASHMEM_NAME_LEN);
	full = kmalloc(ASHMEM_NAME_PREFIX_LEN + size, GFP_KERNEL_ACCOUNT);
	if (!full)
		return -ENOMEM;
	memcpy(full, ASHMEM_NAME_PREFIX, ASHMEM_NAME_PREFIX_LEN);
	name = full + ASHMEM_NAME_PREFIX_LEN;
	len = strncpy_from_user(name, uname, size);
	if (len < 0) {
		kfree(full);
		return len;
	}
	/* A string that is too long, or that grew since, has no terminator. */
	name[size - 1] = '\0';
	return ashmem_region_set_name(region, full);
}

static long get_name(struct ashmem_region *region, char __user *uname)
{
	char name[ASHMEM_NAME_LEN];
	size_t len = ashmem_region_get_name(region, name);

	return copy_to_user(uname, name, len) ? -EFAULT : 0;
}

static long pin_unpin(struct ashmem_region *region, struct ashmem_pin __user *upin,
		      int (*op)(struct ashmem_region *, const struct ashmem_pin *))
{
	union {
		struct ashmem_pin pin;
		u64 raw;
	} arg;

	/* One access: copy_from_user() is slower than the rest of the call. */
	if (get_user(arg.raw, (u64 __user *)upin))
		return -EFAULT;
	return op(region, &arg.pin);
}

/* -EOVERFLOW: a 32-bit caller, and an inode number of more bits. */
static long get_file_id(struct ashmem_region *region, void __user *uid, bool is_32_bit)
{
	struct file *backing = ashmem_region_backing(region);
	unsigned long id;

	if (!backing)
		return -EINVAL;
	id = ashmem_backing_ino(backing);
	if (!is_32_bit)
		return put_user(id, (unsigned long __user *)uid);
	return id > U32_MAX ? -EOVERFLOW : put_user(id, (u32 __user *)uid);
}

/* See Documentation/userspace-api/ashmem.rst. Returns -ENOTTY for foreign commands. */
long ashmem_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct ashmem_region *region = file->private_data;
	void __user *argp = (void __user *)arg;

	assert_numbers();
	switch (cmd) {
	case ASHMEM_SET_NAME:
		return set_name(region, argp);
	case ASHMEM_GET_NAME:
		return get_name(region, argp);
	case ASHMEM_SET_SIZE:
		return ashmem_region_set_size(region, arg);
	case ASHMEM_GET_SIZE:
		return READ_ONCE(region->size);
	case ASHMEM_SET_PROT_MASK:
		return ashmem_region_set_prot_mask(region, arg);
	case ASHMEM_GET_PROT_MASK:
		return READ_ONCE(region->prot_mask);
	case ASHMEM_PIN:
		return pin_unpin(region, argp, ashmem_region_pin);
	case ASHMEM_UNPIN:
		return pin_unpin(region, argp, ashmem_region_unpin);
	case ASHMEM_GET_PIN_STATUS:
		return pin_unpin(region, argp, ashmem_region_pin_status);
	case ASHMEM_PURGE_ALL_CACHES:
		return capable(CAP_SYS_ADMIN) ? ashmem_purge_all(&ashmem_lru) : -EPERM;
	case ASHMEM_GET_FILE_ID:
		return get_file_id(region, argp, false);
	default:
		return -ENOTTY;
	}
}

#ifdef CONFIG_COMPAT
/* 32-bit types change some numbers. */
long ashmem_compat_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	BUILD_BUG_ON(COMPAT_ASHMEM_SET_SIZE != 0x40047703);
	BUILD_BUG_ON(COMPAT_ASHMEM_SET_PROT_MASK != 0x40047705);
	BUILD_BUG_ON(COMPAT_ASHMEM_GET_FILE_ID != 0x8004770b);
	switch (cmd) {
	case COMPAT_ASHMEM_SET_SIZE:
		cmd = ASHMEM_SET_SIZE;
		break;
	case COMPAT_ASHMEM_SET_PROT_MASK:
		cmd = ASHMEM_SET_PROT_MASK;
		break;
	case COMPAT_ASHMEM_GET_FILE_ID:
		return get_file_id(file->private_data, compat_ptr(arg), true);
	case ASHMEM_SET_SIZE:
	case ASHMEM_SET_PROT_MASK:
		break;
	default:
		arg = (unsigned long)compat_ptr(arg);
	}
	return ashmem_ioctl(file, cmd, arg);
}
#endif
