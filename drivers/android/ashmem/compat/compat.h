/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Support for older kernels. Each file here provides one part of the newest kernel's API
 * on the older ones, so the driver is written only for the newest.
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

/* Red Hat backports parts of much later kernels under an old number. */
#if defined(RHEL_RELEASE_CODE) && !defined(ASHMEM_UNTESTED)
#error "ashmem: never tested on Red Hat's kernels. KCFLAGS=-DASHMEM_UNTESTED builds anyway."
#endif

/*
 * Exactly one form of each API, or Kbuild.include no longer knows the header. A
 * wrong guess could build, load and crash, or silently lose a feature.
 */
#if defined(ASHMEM_HAVE_SHRINKER_BARE) + defined(ASHMEM_HAVE_SHRINKER_NAME) + \
	defined(ASHMEM_HAVE_SHRINKER_ALLOC) != 1
#error "ashmem: compat/Kbuild.include can't tell from linux/shrinker.h how to register a shrinker."
#endif

#if defined(ASHMEM_HAVE_VM_FLAGS_PLAIN) + defined(ASHMEM_HAVE_VM_FLAGS_CLEAR) != 1
#error "ashmem: compat/Kbuild.include can't tell from linux/mm.h how to change vm_flags."
#endif

#if defined(ASHMEM_HAVE_LOCK_PAGE) + defined(ASHMEM_HAVE_FOLIO) != 1
#error "ashmem: compat/Kbuild.include can't tell whether the page cache consists of folios."
#endif

#ifndef ASHMEM_HAVE_MMAP
#error "ashmem: compat/Kbuild.include doesn't find the mmap hook in linux/fs.h."
#endif

#if defined(ASHMEM_HAVE_MMAP_PREPARE) != defined(ASHMEM_HAVE_VM_AREA_DESC)
#error "ashmem: compat/Kbuild.include can't tell whether linux/fs.h has the mmap_prepare hook."
#endif

/* If shmem has mmap_prepare, one form of each; else neither. */
#if defined(ASHMEM_HAVE_COMPAT_VMA_MMAP_FOPS) + defined(ASHMEM_HAVE_COMPAT_VMA_MMAP_DESC) != \
	defined(ASHMEM_HAVE_MMAP_SUCCESS_HOOK) + defined(ASHMEM_HAVE_DESC_ANONYMOUS)
#error "ashmem: compat/Kbuild.include can't tell how shmem's mmap_prepare hook is called."
#endif

#if defined(ASHMEM_HAVE_SHMEM_ULONG_FLAGS) + defined(ASHMEM_HAVE_SHMEM_VMA_FLAGS) != 1
#error "ashmem: compat/Kbuild.include can't tell what flags shmem_file_setup() takes."
#endif

#if defined(ASHMEM_HAVE_RECLAIMED_SLAB) + defined(ASHMEM_HAVE_ACCOUNT_RECLAIMED) != 1
#error "ashmem: compat/Kbuild.include can't tell from linux/swap.h how to count reclaimed pages."
#endif

#if defined(ASHMEM_HAVE_LIST_LRU_ADD_ITEM) + defined(ASHMEM_HAVE_LIST_LRU_ADD_OBJ) != 1
#error "ashmem: compat/Kbuild.include can't tell what list_lru_add() takes."
#endif

#if defined(ASHMEM_HAVE_LRU_WALK_LOCK) + defined(ASHMEM_HAVE_LRU_WALK_BARE) != 1
#error "ashmem: compat/Kbuild.include can't tell what callbacks of a list_lru walk take."
#endif

#if defined(ASHMEM_HAVE_START_CREATING) != defined(ASHMEM_HAVE_START_REMOVING)
#error "ashmem: compat/Kbuild.include can't tell how linux/namei.h makes a directory."
#endif

#endif /* _ASHMEM_COMPAT_H */
