// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping a region: what the protection mask allows, and what is mapped.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>

#include "ashmem.h"
#include "compat/vma.h"
#include "trace.h"

static vm_flags_t vm_flags_of(unsigned long prot)
{
	return _calc_vm_trans(prot, PROT_READ, VM_READ) |
	       _calc_vm_trans(prot, PROT_WRITE, VM_WRITE) |
	       _calc_vm_trans(prot, PROT_EXEC, VM_EXEC);
}

static vm_flags_t vm_may_flags_of(unsigned long prot)
{
	return _calc_vm_trans(prot, PROT_READ, VM_MAYREAD) |
	       _calc_vm_trans(prot, PROT_WRITE, VM_MAYWRITE) |
	       _calc_vm_trans(prot, PROT_EXEC, VM_MAYEXEC);
}

/*
 * A private mapping is zero-filled memory of its own that only bears the
 * region's name.
 */
static void map_private(struct file *label, struct vm_area_struct *vma)
{
	struct file *device = vma->vm_file;

	vma_set_anonymous(vma);
	vma->vm_file = get_file(label);
	fput(device);
}

static int map_locked(struct ashmem_region *region, struct vm_area_struct *vma)
{
	unsigned long denied = ASHMEM_PROT_ALL & ~region->prot_mask;
	/*
	 * Not VM_SHARED, which the kernel drops from a shared mapping through a
	 * descriptor that can't write, together with VM_MAYWRITE.
	 */
	bool shared = vma->vm_flags & VM_MAYSHARE;
	int err;

	lockdep_assert_held(&region->lock);

	/* No size, and one near the top which rounded up is 0, refuse every length. */
	if (vma->vm_end - vma->vm_start > PAGE_ALIGN(region->size))
		return -EINVAL;
	if (vma->vm_flags & vm_flags_of(denied))
		return -EPERM;

	err = ashmem_region_back_locked(region, vma->vm_flags & VM_NORESERVE, !shared);
	if (err)
		return err;

	/* For good: mprotect() asks these flags, not the mask. */
	vm_flags_clear(vma, vm_may_flags_of(denied));

	if (shared)
		return ashmem_backing_mmap(region->backing, vma);
	map_private(region->label, vma);
	return 0;
}

/**
 * ashmem_mmap - the device's mmap hook
 * @file: open file of the region
 * @vma: mapping under construction
 *
 * Return: 0; -EINVAL if the region has no size or is shorter than the mapping,
 * -EPERM for a right outside the mask, -EINTR, or why the backing couldn't be
 * made.
 */
int ashmem_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct ashmem_region *region = file->private_data;
	int err = mutex_lock_killable(&region->lock);

	if (err)
		return err;
	err = map_locked(region, vma);
	if (!err)
		trace_ashmem_map(region, vma->vm_start, vma->vm_end,
				 vma->vm_flags & VM_MAYSHARE);
	mutex_unlock(&region->lock);
	return err;
}
