// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/ashmem as a file: open, close, read, seek, splice, fdinfo.
 */

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/uio.h>

#include "ashmem.h"
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

static ssize_t ashmem_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct ashmem_region *region = iocb->ki_filp->private_data;
	struct file *backing;

	if (!READ_ONCE(region->size))
		return 0;
	backing = ashmem_region_backing(region);
	if (!backing)
		return -EBADF;
	return ashmem_backing_read(backing, iocb, to);
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
	size_t size = READ_ONCE(region->size);
	struct file *backing;

	if (!size)
		return -EINVAL;
	backing = ashmem_region_backing(region);
	if (!backing)
		return -EBADF;

	/* The position is the device file's; the backing's is never looked at. */
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek_size(file, offset, whence,
						MAX_LFS_FILESIZE, size);
	offset = ashmem_backing_seek_data(backing, offset, whence);
	return offset < 0 ? offset : vfs_setpos(file, offset, MAX_LFS_FILESIZE);
}

#ifdef CONFIG_PROC_FS
static void ashmem_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct ashmem_region *region = file->private_data;

	if (mutex_lock_killable(&region->lock))
		return;

	if (region->backing)
		seq_printf(m, "inode:\t%lu\n", ashmem_backing_ino(region->backing));
	if (region->name) {
		/* A name can't forge a line of its own. */
		seq_puts(m, "name:\t");
		seq_escape(m, region->name + ASHMEM_NAME_PREFIX_LEN, "\t\n\\");
		seq_putc(m, '\n');
	}
	seq_printf(m, "size:\t%zu\n", region->size);
	seq_printf(m, "prot_mask:\t%c%c%c\n",
		   region->prot_mask & PROT_READ ? 'r' : '-',
		   region->prot_mask & PROT_WRITE ? 'w' : '-',
		   region->prot_mask & PROT_EXEC ? 'x' : '-');
	if (region->backing) {
		seq_printf(m, "resident_pages:\t%lu\n",
			   ashmem_backing_resident(region->backing));
		seq_printf(m, "unpinned_pages:\t%lu\n", region->unpinned.unpinned);
		seq_printf(m, "purgeable_pages:\t%lu\n", region->unpinned.purgeable);
		seq_printf(m, "purged_pages:\t%lu\n",
			   region->unpinned.unpinned - region->unpinned.purgeable);
	}
	mutex_unlock(&region->lock);
}
#endif

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
#ifdef CONFIG_PROC_FS
	.show_fdinfo = ashmem_show_fdinfo,
#endif
};

/* Anybody may have a region: it is no more than a memfd. */
static struct miscdevice ashmem_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ashmem",
	.fops = &ashmem_fops,
	.mode = 0666,
	.groups = ashmem_stats_groups,
};

int __init ashmem_device_init(void)
{
	return misc_register(&ashmem_device);
}

void ashmem_device_exit(void)
{
	misc_deregister(&ashmem_device);
}
