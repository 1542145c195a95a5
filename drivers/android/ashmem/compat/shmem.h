/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASHMEM_COMPAT_SHMEM_H
#define _ASHMEM_COMPAT_SHMEM_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>

#include "compat.h"

/*
 * Create a shmem file that is charged for its whole @size now or, with @noreserve, for
 * each page when it is allocated.
 *
 * 7.0: shmem_file_setup() takes vma_flags_t, before that unsigned long.
 */
static inline struct file *compat_shmem_file_setup(const char *name, loff_t size,
						   bool noreserve)
{
#ifdef ASHMEM_HAVE_SHMEM_VMA_FLAGS
	return shmem_file_setup(name, size, noreserve ?
				mk_vma_flags(VMA_NORESERVE_BIT) : EMPTY_VMA_FLAGS);
#else
	return shmem_file_setup(name, size, noreserve ? VM_NORESERVE : 0);
#endif
}

/*
 * 5.16: the page cache consists of folios. These functions take an entry of it. Without a
 * reference it may be freed at any time; lock and order need one.
 */
static inline bool compat_folio_locked(void *entry)
{
#ifdef ASHMEM_HAVE_FOLIO
	return folio_test_locked(entry);
#else
	return PageLocked((struct page *)entry);
#endif
}

static inline int compat_folio_nid(void *entry)
{
#ifdef ASHMEM_HAVE_FOLIO
	return folio_nid(entry);
#else
	return page_to_nid(entry);
#endif
}

static inline unsigned int compat_folio_order(void *entry)
{
#ifdef ASHMEM_HAVE_FOLIO
	return folio_order(entry);
#else
	return compound_order(entry);
#endif
}

static inline bool compat_folio_try_get(void *entry)
{
#ifdef ASHMEM_HAVE_FOLIO
	return folio_try_get(entry);
#else
	return get_page_unless_zero(entry);
#endif
}

static inline void compat_folio_put(void *entry)
{
#ifdef ASHMEM_HAVE_FOLIO
	folio_put(entry);
#else
	put_page(entry);
#endif
}

#if defined(ASHMEM_HAVE_COMPAT_VMA_MMAP_FOPS) || defined(ASHMEM_HAVE_COMPAT_VMA_MMAP_DESC)
#define COMPAT_CAN_MMAP_NESTED	true
#else
#define COMPAT_CAN_MMAP_NESTED	false
#endif

/*
 * Has @fops exactly one of the two hooks, and one that compat_fops_mmap() can call?
 */
static inline bool compat_fops_can_mmap(const struct file_operations *fops)
{
#ifdef ASHMEM_HAVE_MMAP_PREPARE
	if (fops->mmap_prepare)
		return COMPAT_CAN_MMAP_NESTED && !fops->mmap;
#endif
	return fops->mmap;
}

/*
 * Leave @mmap as the only hook of @fops: a file with both is refused.
 */
static inline void compat_fops_set_mmap(struct file_operations *fops,
					int (*mmap)(struct file *, struct vm_area_struct *))
{
#ifdef ASHMEM_HAVE_MMAP_PREPARE
	fops->mmap_prepare = NULL;
#endif
	fops->mmap = mmap;
}

/*
 * Map @file into @vma by the hook of @fops, not of @file->f_op.
 * compat_fops_can_mmap() has accepted @fops.
 *
 * 6.19: shmem has mmap_prepare instead of mmap, and __compat_vma_mmap() calls it; 7.1:
 * that takes a descriptor which the caller prepares.
 */
static inline int compat_fops_mmap(const struct file_operations *fops,
				   struct file *file, struct vm_area_struct *vma)
{
#if defined(ASHMEM_HAVE_COMPAT_VMA_MMAP_DESC)
	if (fops->mmap_prepare) {
		struct vm_area_desc desc;
		int err;

		compat_set_desc_from_vma(&desc, file, vma);
		err = fops->mmap_prepare(&desc);
		return err ?: __compat_vma_mmap(&desc, vma);
	}
#elif defined(ASHMEM_HAVE_COMPAT_VMA_MMAP_FOPS)
	if (fops->mmap_prepare)
		return __compat_vma_mmap(fops, file, vma);
#endif
	return fops->mmap(file, vma);
}

#endif /* _ASHMEM_COMPAT_SHMEM_H */
