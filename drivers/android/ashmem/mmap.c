// SPDX-License-Identifier: GPL-2.0-only
/* Mapping a region: what the protection mask allows, and what is mapped. */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>

#include "ashmem.h"
#include "backing.h"
#include "compat/vma.h"
#include "device.h"
#include "trace.h"

static vm_flags_t vm_flags_of(unsigned long prot)
{
	return _calc_vm_trans(prot, PROT_READ, VM_READ) |
	       _calc_vm_trans(prot, PROT_WRITE, VM_WRITE) |
	       _calc_vm_trans(prot, PROT_EXEC, VM_EXEC);
}

/*
 * Returns 0; -EINVAL if the region has no size or is shorter than the mapping, -EPERM
 * for a right outside the mask, or the error of ashmem_region_back().
 */
int ashmem_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct ashmem_region *region = file->private_data;
	vm_flags_t denied = vm_flags_of(ASHMEM_PROT_ALL & ~READ_ONCE(region->prot_mask));
	unsigned long len = vma->vm_end - vma->vm_start;
	/* Not VM_SHARED: the kernel clears it and VM_MAYWRITE for read-only descriptors. */
	bool shared = vma->vm_flags & VM_MAYSHARE;
	int err;

	/* PAGE_ALIGN() is 0 for size 0 and on overflow; both refuse all mappings. */
	if (len > PAGE_ALIGN(READ_ONCE(region->size)))
		return -EINVAL;
	if (vma->vm_flags & denied)
		return -EPERM;
	err = ashmem_region_back(region, len, vma->vm_flags & VM_NORESERVE, !shared);
	if (err)
		return err;

	/* mprotect() checks VM_MAYREAD and so on, 4 bits above VM_READ, and not the mask. */
	vm_flags_clear(vma, denied << 4);
	err = ashmem_backing_mmap(shared ? region->backing : READ_ONCE(region->label), vma,
				  shared);
	if (!err)
		trace_ashmem_map(region, vma->vm_start, vma->vm_end, shared);
	return err;
}
