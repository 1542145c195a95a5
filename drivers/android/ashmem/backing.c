// SPDX-License-Identifier: GPL-2.0
/*
 * Backing files: unlinked shmem files that hold a region's pages.
 *
 * A mapping's vm_file is the backing, not the device, so whatever the kernel
 * does "with the file of this mapping" starts here and knows nothing of the
 * protection mask. Hence the guards: the file's own mmap hook refuses, so that
 * remap_file_pages() can't map it afresh (CVE-2020-0009), and the inode can't
 * be opened by path, so that /proc/PID/map_files can't give out a descriptor.
 */

#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/xarray.h>
#include <uapi/linux/fcntl.h>

#include "ashmem.h"
#include "compat/shmem.h"
#include "stub.h"

/* What shmem does with its files, learnt from one of them. */
static const struct file_operations *shmem_fops __ro_after_init;

/*
 * The same, but for mapping. It is in this module's memory, so each file that
 * uses it holds a reference of the module, which the last fput() drops: until
 * then, which may be long after close(), the module stays.
 */
static struct file_operations guard_fops __ro_after_init;

/*
 * What the kernel gives to inodes that no path can open. It lives in the
 * kernel and not here, since an inode, unlike a file, pins no module.
 */
static const struct file_operations *no_open_fops __ro_after_init;

static int refuse_mmap(struct file *file, struct vm_area_struct *vma)
{
	return -EPERM;
}

/**
 * ashmem_get_unmapped_area - choose an address for a mapping of a region
 * @file: the device's or a backing's file; not looked at
 * @addr: as for any get_unmapped_area hook
 * @len: as for any get_unmapped_area hook
 * @pgoff: as for any get_unmapped_area hook
 * @flags: as for any get_unmapped_area hook
 *
 * shmem's choice is right for both, as it aligns for huge pages where shmem
 * may use them. It insists on its own f_op if it is shown a file, and asks for
 * the same mount's settings if it isn't.
 *
 * Return: an address, or a negative errno as shmem says it.
 */
unsigned long ashmem_get_unmapped_area(struct file *file, unsigned long addr,
				       unsigned long len, unsigned long pgoff,
				       unsigned long flags)
{
	return shmem_fops->get_unmapped_area(NULL, addr, len, pgoff, flags);
}

static struct file *create(const char *name, size_t size, bool noreserve)
{
	struct file *file = compat_shmem_file_setup(name, size, noreserve);
	struct inode *inode;

	if (IS_ERR(file))
		return file;

	inode = file_inode(file);
	inode->i_fop = no_open_fops;
	/* Nobody else has the file yet: the size can be sealed without locks. */
	SHMEM_I(inode)->seals |= F_SEAL_SHRINK | F_SEAL_GROW;

	/* Nobody can ask when the pages were last read. */
	file->f_flags |= O_NOATIME;

	__module_get(THIS_MODULE);
	replace_fops(file, &guard_fops);
	return file;
}

/**
 * ashmem_backing_create - make a region's backing file
 * @name: what /proc/PID/maps will show, without the leading slash
 * @size: bytes
 * @noreserve: charge pages as they are used, not all of them now
 *
 * The caller holds the device open and so the module in place.
 *
 * Return: the file, or an ERR_PTR: -EINVAL for a size that no file can have,
 * -ENOMEM, -ENFILE or -ENOSPC.
 */
struct file *ashmem_backing_create(const char *name, size_t size, bool noreserve)
{
	if (size > MAX_LFS_FILESIZE)
		return ERR_PTR(-EINVAL);
	return create(name, size, noreserve);
}

/**
 * ashmem_backing_create_label - make a file that private mappings are shown by
 * @name: what /proc/PID/maps will show, without the leading slash
 * @backing: the region's backing
 *
 * A private mapping is anonymous memory and has nothing to do with the pages of
 * the backing. It must not be found by their inode either: unmapping purged
 * pages would unmap whole anonymous huge pages at the same offsets.
 *
 * Return: the file, or an ERR_PTR: -ENOMEM, -ENFILE or -ENOSPC.
 */
struct file *ashmem_backing_create_label(const char *name, struct file *backing)
{
	struct file *label = create(name, 0, true);

	/* One region, one number: ASHMEM_GET_FILE_ID names this mapping, too. */
	if (!IS_ERR(label))
		file_inode(label)->i_ino = file_inode(backing)->i_ino;
	return label;
}

/**
 * ashmem_backing_mmap - map the pages of a backing
 * @backing: the file
 * @vma: mapping under construction, with the flags that it shall have
 *
 * On success the mapping has a reference of @backing in place of the one it
 * had of the device; on failure it is as before.
 *
 * Return: 0, or what shmem refused with.
 */
int ashmem_backing_mmap(struct file *backing, struct vm_area_struct *vma)
{
	struct file *device = vma->vm_file;
	int err;

	/* shmem looks at vm_file to see whether huge pages will do. */
	vma->vm_file = get_file(backing);
	err = compat_fops_mmap(shmem_fops, backing, vma);
	if (err) {
		vma->vm_file = device;
		fput(backing);
		return err;
	}
	fput(device);
	return 0;
}

/**
 * ashmem_backing_read - read from the pages of a backing
 * @backing: the file
 * @iocb: a read of the device, which has been checked; its position moves
 * @to: where to
 *
 * Not by vfs_iter_read(), which would check everything once more.
 *
 * Return: bytes read, or what shmem failed with.
 */
ssize_t ashmem_backing_read(struct file *backing, struct kiocb *iocb,
			    struct iov_iter *to)
{
	struct kiocb inner = *iocb;
	ssize_t ret;

	inner.ki_filp = backing;
	ret = shmem_fops->read_iter(&inner, to);
	iocb->ki_pos = inner.ki_pos;
	return ret;
}

/**
 * ashmem_backing_seek_data - find data or a hole
 * @backing: the file
 * @offset: where to start, in bytes
 * @whence: SEEK_DATA or SEEK_HOLE
 *
 * Return: an offset in bytes; -ENXIO if there is none behind @offset.
 */
loff_t ashmem_backing_seek_data(struct file *backing, loff_t offset, int whence)
{
	return shmem_fops->llseek(backing, offset, whence);
}

/**
 * ashmem_backing_punch - throw pages away
 * @backing: the file
 * @first: first page
 * @last: last page
 *
 * Not by vfs_fallocate(), which takes the inode lock: see the order of locks.
 * Page faults need not be held off, as they are there: a page that comes back
 * meanwhile is a new one, and nothing was promised of it.
 *
 * Return: how many pages fewer are in memory.
 */
unsigned long ashmem_backing_punch(struct file *backing, unsigned long first,
				   unsigned long last)
{
	struct address_space *mapping = backing->f_mapping;
	loff_t start = (loff_t)first << PAGE_SHIFT;
	loff_t len = (loff_t)(last - first + 1) << PAGE_SHIFT;
	unsigned long before = ashmem_backing_resident(backing);
	unsigned long after;

	KUNIT_STATIC_STUB_REDIRECT(ashmem_backing_punch, backing, first, last);

	/* One flush of the TLBs for all pages, rather than one for each. */
	unmap_mapping_range(mapping, start, len, 0);
	shmem_truncate_range(mapping->host, start, start + len - 1);

	after = ashmem_backing_resident(backing);
	return before > after ? before - after : 0;
}

/**
 * ashmem_backing_hole - how many pages are neither in memory nor swapped out
 * @backing: the file
 * @first: first page
 * @last: last page
 *
 * Not by seeking, which takes the inode lock.
 *
 * Return: pages from @first on, up to @last, that there is nothing of.
 */
unsigned long ashmem_backing_hole(struct file *backing, unsigned long first,
				  unsigned long last)
{
	unsigned long index = first;

	KUNIT_STATIC_STUB_REDIRECT(ashmem_backing_hole, backing, first, last);

	if (!xa_find(&backing->f_mapping->i_pages, &index, last, XA_PRESENT))
		return last - first + 1;
	return index - first;
}

/**
 * ashmem_backing_locked - would a punch have to wait for anybody?
 * @backing: the file
 * @first: first page
 * @last: last page
 *
 * Return: whether a page is locked.
 */
bool ashmem_backing_locked(struct file *backing, unsigned long first,
			   unsigned long last)
{
	XA_STATE(xas, &backing->f_mapping->i_pages, first);
	bool locked = false;
	void *entry;

	KUNIT_STATIC_STUB_REDIRECT(ashmem_backing_locked, backing, first, last);

	/* Without a reference: what leaves meanwhile is no matter any more. */
	rcu_read_lock();
	xas_for_each(&xas, entry, last) {
		if (xas_retry(&xas, entry) || xa_is_value(entry))
			continue;
		locked = compat_folio_locked(entry);
		if (locked)
			break;
	}
	rcu_read_unlock();
	return locked;
}

/**
 * ashmem_backing_resident - how many pages are in memory
 * @backing: the file
 *
 * Return: pages.
 */
unsigned long ashmem_backing_resident(struct file *backing)
{
	return READ_ONCE(backing->f_mapping->nrpages);
}

/**
 * ashmem_backing_ino - inode number
 * @backing: the file
 *
 * Return: the number.
 */
unsigned long ashmem_backing_ino(struct file *backing)
{
	return file_inode(backing)->i_ino;
}

int __init ashmem_backing_init(void)
{
	struct file *file;
	int err = 0;

	file = compat_shmem_file_setup("ashmem", 0, true);
	if (IS_ERR(file))
		return PTR_ERR(file);
	shmem_fops = file->f_op;
	fput(file);

	if (!compat_fops_can_mmap(shmem_fops) || !shmem_fops->get_unmapped_area ||
	    !shmem_fops->llseek || !shmem_fops->read_iter)
		return -EOPNOTSUPP;

	/* With f_op of the kernel's own: this file may be put after a failed init. */
	file = anon_inode_getfile("[ashmem]", shmem_fops, NULL, O_RDONLY);
	if (IS_ERR(file))
		return PTR_ERR(file);
	no_open_fops = file_inode(file)->i_fop;
	if (!no_open_fops || !no_open_fops->open)
		err = -EOPNOTSUPP;
	fput(file);

	guard_fops = *shmem_fops;
	guard_fops.owner = THIS_MODULE;
	guard_fops.get_unmapped_area = ashmem_get_unmapped_area;
	compat_fops_set_mmap(&guard_fops, refuse_mmap);
	return err;
}
