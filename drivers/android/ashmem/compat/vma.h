/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASHMEM_COMPAT_VMA_H
#define _ASHMEM_COMPAT_VMA_H

#include <linux/mm.h>

#include "compat.h"

/* 6.3: vm_flags is read-only, and helpers that lock the VMA change it */
#ifndef ASHMEM_HAVE_VM_FLAGS_CLEAR
static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

#endif /* _ASHMEM_COMPAT_VMA_H */
