// SPDX-License-Identifier: GPL-2.0-only
/* /dev/ashmem as a file: open, close, map, read, seek, splice, fdinfo. */

#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "ashmem.h"
#include "compat/vma.h"
#include "purge.h"
#include "trace.h"

static int ashmem_open(struct inode *inode, struct file *file)
{
	struct ashmem_region *region = ashmem_region_create(&ashmem_lru);

	if (!region)
		return -ENOMEM;
	file->private_data = region;
	trace_ashmem_open(region);
	return 0;
}

static int ashmem_release(struct inode *inode, struct file *file)
{
	ashmem_region_close(file->private_data);
	return 0;
}

static vm_flags_t vm_flags_of(unsigned long prot)
{
	return _calc_vm_trans(prot, PROT_READ, VM_READ) |
	       _calc_vm_trans(prot, PROT_WRITE, VM_WRITE) |
	       _calc_vm_trans(prot, PROT_EXEC, VM_EXEC);
}

/* -EINVAL: no size, or the mapping is longer. -EPERM: a right outside the mask. */
static int ashmem_mmap(struct file *file, struct vm_area_struct *vma)
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

static ssize_t ashmem_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct ashmem_region *region = iocb->ki_filp->private_data;
	struct kiocb inner = *iocb;
	struct file *backing;
	ssize_t ret;

	if (!READ_ONCE(region->size))
		return 0;
	backing = ashmem_region_backing(region);
	if (!backing)
		return -EBADF;
	/* The device's read was checked: vfs_iter_read() would repeat that. */
	inner.ki_filp = backing;
	ret = backing->f_op->read_iter(&inner, to);
	iocb->ki_pos = inner.ki_pos;
	return ret;
}

static ssize_t ashmem_splice_read(struct file *file, loff_t *pos,
				  struct pipe_inode_info *pipe, size_t len,
				  unsigned int flags)
{
	struct ashmem_region *region = file->private_data;
	struct file *backing;

	if (!READ_ONCE(region->size))
		return 0;
	backing = ashmem_region_backing(region);
	if (!backing)
		return -EBADF;
	return backing->f_op->splice_read(backing, pos, pipe, len, flags);
}

static loff_t ashmem_llseek(struct file *file, loff_t offset, int whence)
{
	struct ashmem_region *region = file->private_data;
	/* First: the size that is read after it is settled. */
	struct file *backing = ashmem_region_backing(region);
	size_t size = READ_ONCE(region->size);

	if (!size)
		return -EINVAL;
	if (!backing)
		return -EBADF;

	/* The position is that of the device file. The backing's is unused. */
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek_size(file, offset, whence,
						MAX_LFS_FILESIZE, size);
	offset = backing->f_op->llseek(backing, offset, whence);
	return offset < 0 ? offset : vfs_setpos(file, offset, MAX_LFS_FILESIZE);
}

static void ashmem_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct ashmem_region *region = file->private_data;
	unsigned long unpinned, purgeable, prot_mask = READ_ONCE(region->prot_mask);
	struct file *backing = ashmem_region_backing(region);
	char name[ASHMEM_NAME_LEN];

	/* Without the lock the two can be of different moments. */
	unpinned = data_race(READ_ONCE(region->unpinned.unpinned));
	/* So this one can be more. */
	purgeable = min(data_race(READ_ONCE(region->unpinned.purgeable)), unpinned);
	if (backing)
		seq_printf(m, "inode:\t%lu\n", ashmem_backing_ino(backing));
	/* One that is being set may be missed. */
	if (data_race(region->name)) {
		ashmem_region_get_name(region, name);
		/* Escape newlines: a name must not forge a line. */
		seq_puts(m, "name:\t");
		seq_escape(m, name, "\t\n\\");
		seq_putc(m, '\n');
	}
	seq_printf(m, "size:\t%zu\n", READ_ONCE(region->size));
	seq_printf(m, "prot_mask:\t%c%c%c\n", prot_mask & PROT_READ ? 'r' : '-',
		   prot_mask & PROT_WRITE ? 'w' : '-', prot_mask & PROT_EXEC ? 'x' : '-');
	if (!backing)
		return;
	seq_printf(m, "resident_pages:\t%lu\n", ashmem_backing_resident(backing));
	seq_printf(m, "unpinned_pages:\t%lu\n", unpinned);
	/* What a purge could free: unpinned pages that were never touched cost nothing. */
	seq_printf(m, "purgeable_pages:\t%lu\n",
		   min(purgeable, ashmem_backing_pages(backing)));
	seq_printf(m, "purged_pages:\t%lu\n", unpinned - purgeable);
}

static const struct file_operations ashmem_fops = {
	.owner = THIS_MODULE,
	.open = ashmem_open,
	.release = ashmem_release,
	.llseek = ashmem_llseek,
	.read_iter = ashmem_read_iter,
	.splice_read = ashmem_splice_read,
	.mmap = ashmem_mmap,
	.get_unmapped_area = ashmem_get_unmapped_area,
	.unlocked_ioctl = ashmem_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl = ashmem_compat_ioctl,
#endif
	.show_fdinfo = ashmem_show_fdinfo,
};

/* Every user may create a region, as with memfd. */
struct miscdevice ashmem_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ashmem",
	.fops = &ashmem_fops,
	.mode = 0666,
	.groups = ashmem_stats_groups,
};
