/* SPDX-License-Identifier: GPL-2.0-only */
/* /dev/ashmem and its hooks. */

#ifndef _ASHMEM_DEVICE_H
#define _ASHMEM_DEVICE_H

struct file;
struct miscdevice;

extern struct miscdevice ashmem_device;

long ashmem_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
#ifdef CONFIG_COMPAT
long ashmem_compat_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
#endif

#endif /* _ASHMEM_DEVICE_H */
