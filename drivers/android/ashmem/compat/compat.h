/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the range of supported kernels asks of the driver. Each file here
 * offers one part of the newest kernel's API to the older ones, so that the
 * driver is written for the newest only.
 */

#ifndef _ASHMEM_COMPAT_H
#define _ASHMEM_COMPAT_H

#include <linux/kconfig.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#error "ashmem needs Linux 5.10 or later: older kernels are neither built nor tested."
#endif

#if !IS_ENABLED(CONFIG_MMU) || !IS_ENABLED(CONFIG_SHMEM) || !IS_ENABLED(CONFIG_TMPFS)
#error "ashmem needs CONFIG_MMU, CONFIG_SHMEM and CONFIG_TMPFS: regions are shmem files."
#endif

#endif /* _ASHMEM_COMPAT_H */
