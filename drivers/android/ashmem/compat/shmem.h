/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASHMEM_COMPAT_SHMEM_H
#define _ASHMEM_COMPAT_SHMEM_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>

/*
 * Make a shmem file that is charged for its whole @size at once, or, with
 * @noreserve, page by page as it fills.
 *
 * 7.x: shmem_file_setup() takes vma_flags_t, before that unsigned long.
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
 * Is an entry of the page cache locked? It may be gone, since the caller has no
 * reference.
 *
 * 5.16: the page cache consists of folios.
 */
static inline bool compat_folio_locked(void *entry)
{
#ifdef ASHMEM_HAVE_FOLIO
	return folio_test_locked(entry);
#else
	return PageLocked((struct page *)entry);
#endif
}

/*
 * Does @fops map files at all, by whichever of the two hooks?
 */
static inline bool compat_fops_can_mmap(const struct file_operations *fops)
{
#ifdef ASHMEM_HAVE_MMAP_PREPARE
	if (fops->mmap_prepare)
		return true;
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
 * Map @file into @vma by the hook that @fops has, whatever @file->f_op says.
 *
 * 6.16: mmap_prepare appears; shmem has it instead of mmap in 7.2 at the
 * latest. 6.17: __compat_vma_mmap_prepare(f_op, file, vma); later renamed to
 * __compat_vma_mmap(); 7.2: that takes a descriptor that the caller prepares.
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
#elif defined(ASHMEM_HAVE_COMPAT_VMA_MMAP_PREPARE)
	if (fops->mmap_prepare)
		return __compat_vma_mmap_prepare(fops, file, vma);
#endif
	return fops->mmap(file, vma);
}

#endif /* _ASHMEM_COMPAT_SHMEM_H */
