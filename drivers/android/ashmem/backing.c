// SPDX-License-Identifier: GPL-2.0-only
/*
 * Backing files: unlinked shmem files that hold a region's pages. A mapping's vm_file is
 * one, and knows no protection mask. So its mmap hook refuses remap_file_pages()
 * (CVE-2020-0009), and its inode can't be opened by path, as by /proc/PID/map_files.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/xarray.h>
#include <uapi/linux/fcntl.h>

#include "backing.h"
#include "compat/memcg.h"
#include "compat/shmem.h"
#include "stub.h"

/* Pages that reclaim unmaps together: a fraction of a step. */
#define PUNCH_PAGES	64UL
/* They lie within one PMD, so no folio crosses the end. */
#define PUNCH_SPAN	(PMD_SIZE >> PAGE_SHIFT)

/* How many swapped-out pages to skip in search of one in memory. */
#define PAYER_LOOKS	16

/* shmem's file operations, read from one of its files. */
static const struct file_operations *shmem_fops __ro_after_init;

/*
 * A copy with another mmap hook. It is in the module's memory, so each file that uses it
 * holds a reference to the module. The last fput() drops it, maybe long after close().
 */
static struct file_operations guard_fops __ro_after_init;

/*
 * The kernel's operations for inodes that no path can open. A copy in the module could
 * be freed too early, because an inode, unlike a file, holds no reference to the module.
 */
static const struct file_operations *no_open_fops __ro_after_init;

static int refuse_mmap(struct file *file, struct vm_area_struct *vma)
{
	return -EPERM;
}

/*
 * shmem's choice suits the device and the backing: it aligns for huge pages. Pass no
 * file: shmem checks a file's f_op, and without one uses the settings of the same mount.
 */
unsigned long ashmem_get_unmapped_area(struct file *file, unsigned long addr,
				       unsigned long len, unsigned long pgoff,
				       unsigned long flags)
{
	return shmem_fops->get_unmapped_area(NULL, addr, len, pgoff, flags);
}

/*
 * Creates the backing that /proc/PID/maps shows as "/@name". @noreserve: charge pages as
 * they are used, not all of them now. The caller holds the device open, and with it the
 * module. Returns -EINVAL for a size that no file can have, -ENOMEM, -ENFILE or -ENOSPC.
 */
struct file *ashmem_backing_create(const char *name, size_t size, bool noreserve)
{
	struct inode *inode;
	struct file *file;

	KUNIT_STATIC_STUB_REDIRECT(ashmem_backing_create, name, size, noreserve);

	if (size > MAX_LFS_FILESIZE)
		return ERR_PTR(-EINVAL);
	file = compat_shmem_file_setup(name, size, noreserve);
	if (IS_ERR(file))
		return file;

	inode = file_inode(file);
	inode->i_fop = no_open_fops;
	/* No other task has the file yet, so sealing the size needs no lock. */
	SHMEM_I(inode)->seals |= F_SEAL_SHRINK | F_SEAL_GROW;

	/* No call returns the access time of a backing. */
	file->f_flags |= O_NOATIME;

	__module_get(THIS_MODULE);
	replace_fops(file, &guard_fops);
	return file;
}

/*
 * On success @vma holds a reference to @file instead of the device: to a backing if it is
 * @shared, else to a label. On error, which is that of shmem, it is unchanged.
 */
int ashmem_backing_mmap(struct file *file, struct vm_area_struct *vma, bool shared)
{
	struct file *dropped = vma->vm_file;
	int err = 0;

	/* shmem checks vm_file for huge pages. */
	vma->vm_file = get_file(file);
	if (shared)
		err = compat_fops_mmap(shmem_fops, file, vma);
	else
		vma_set_anonymous(vma);
	if (err)
		swap(vma->vm_file, dropped);
	fput(dropped);
	return err;
}

/* The bits of the index that differ within a folio. @locked: shmem would have to wait. */
static unsigned long folio_mask(void *entry, bool *locked)
{
	unsigned long mask;

	/* Without a reference it may be part of another folio by now. */
	if (!compat_folio_try_get(entry))
		return 0;
	*locked = compat_folio_locked(entry);
	mask = BIT(compat_folio_order(entry)) - 1;
	compat_folio_put(entry);
	return mask;
}

/*
 * Looks at what a step would free: @max existing pages of [@first, @last], and more only to
 * end with a folio, so that shmem need not split it. Holes cost nothing. Part of a huge page
 * in swap is like a hole: to free it, shmem would read all of it back. Never sleeps. Without
 * @wait, returns false if shmem would wait for the locks of the first pages that exist.
 */
bool ashmem_backing_survey(struct file *backing, unsigned long first, unsigned long last,
			   unsigned long max, bool wait, struct ashmem_survey *survey)
{
	XA_STATE(xas, &backing->f_mapping->i_pages, first);
	bool blocked = false;
	void *entry;

	KUNIT_STATIC_STUB_REDIRECT(ashmem_backing_survey, backing, first, last, max, wait,
				   survey);

	*survey = (struct ashmem_survey){ .first = last + 1, .last = last };
	rcu_read_lock();
	xas_for_each(&xas, entry, last) {
		unsigned long at = xas.xa_index, end, mask, pages;
		bool swapped = xa_is_value(entry), locked = false;

		if (xas_retry(&xas, entry))
			continue;
		if (swapped)
			mask = BIT(xa_get_order(xas.xa, at)) - 1;
		else
			mask = folio_mask(entry, &locked);
		end = at | mask;
		if (mask)
			xas_set(&xas, end + 1);
		if (swapped && ((at & ~mask) < first || end > last))
			continue;
		end = min(end, last);
		pages = end - at + 1;
		locked &= !wait;
		if (locked && !survey->pages) {
			survey->final = end;
			blocked = true;
			continue;
		}
		if (blocked || locked || (survey->pages && survey->pages + pages > max)) {
			survey->last = at - 1;
			break;
		}
		survey->first = min(survey->first, at);
		survey->final = end;
		survey->pages += pages;
		if (!swapped)
			survey->resident += pages;
	}
	rcu_read_unlock();
	return !blocked;
}

/*
 * Unmap a part at a time: one TLB flush for many pages. Few are touched again before they are
 * freed. Stop after @pages, and end each part at a page that exists: another task may fill
 * pages ahead as fast as they are freed.
 */
static void punch_in_reclaim(struct file *backing, unsigned long first,
			     unsigned long last, unsigned long pages)
{
	struct ashmem_survey part;
	unsigned long done;
	loff_t start, end;

	for (done = 0; done < pages && first <= last; done += part.pages) {
		/* Find where the next part begins, then where it ends. */
		ashmem_backing_survey(backing, first, last, 1, true, &part);
		if (!part.pages)
			break;
		first = part.first;
		ashmem_backing_survey(backing, first, min(last, first | (PUNCH_SPAN - 1)),
				      PUNCH_PAGES, true, &part);
		/* Count a page that vanished, or the loop might not end. */
		if (!part.pages)
			part = (struct ashmem_survey){ .final = first, .pages = 1 };
		start = (loff_t)first << PAGE_SHIFT;
		end = ((loff_t)(part.final + 1) << PAGE_SHIFT) - 1;
		unmap_mapping_range(backing->f_mapping, start, end - start + 1, 0);
		shmem_truncate_range(file_inode(backing), start, end);
		first = part.final + 1;
	}
}

/*
 * Frees @pages existing pages. fallocate() makes faults wait, so it unmaps each page
 * once. But it takes the inode lock: reclaim must never wait for it, and a command not
 * for a task that may hold it for long. A page that is touched during a punch is a new one.
 */
void ashmem_backing_punch(struct file *backing, unsigned long first, unsigned long last,
			  unsigned long pages, bool reclaim)
{
	KUNIT_STATIC_STUB_REDIRECT(ashmem_backing_punch, backing, first, last, pages,
				   reclaim);

	if (reclaim || inode_is_locked(file_inode(backing)))
		punch_in_reclaim(backing, first, last, pages);
	else
		shmem_fops->fallocate(backing, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				      (loff_t)first << PAGE_SHIFT,
				      (loff_t)(last + 1 - first) << PAGE_SHIFT);
}

/*
 * Finds the cgroup (only with @by_memcg; NULL for the root) and the node that pages are
 * charged to. The caller holds rcu_read_lock(), which keeps @memcg valid, and gets no
 * reference to it. Returns false if the first few pages that exist are not in memory.
 */
bool ashmem_backing_payer(struct file *backing, unsigned long first, unsigned long last,
			  bool by_memcg, struct mem_cgroup **memcg, int *nid)
{
	XA_STATE(xas, &backing->f_mapping->i_pages, first);
	unsigned int budget = PAYER_LOOKS;
	void *entry;

	xas_for_each(&xas, entry, last) {
		if (!budget--)
			return false;
		if (xas_retry(&xas, entry) || xa_is_value(entry))
			continue;
		*nid = compat_folio_nid(entry);
		if (!by_memcg)
			return true;
		/* The charge is stable while the folio cannot be freed. */
		if (!compat_folio_try_get(entry)) {
			xas_reset(&xas);
			continue;
		}
		if (entry == xas_reload(&xas)) {
			*memcg = compat_folio_memcg(entry);
			compat_folio_put(entry);
			return true;
		}
		compat_folio_put(entry);
		xas_reset(&xas);
	}
	return false;
}

/* Names a hook of shmem that is missing or that this build cannot call; else NULL. */
const char *ashmem_backing_missing(const struct file_operations *fops)
{
	if (!compat_fops_can_mmap(fops))
		return "mmap";
	if (!fops->get_unmapped_area)
		return "get_unmapped_area";
	if (!fops->llseek)
		return "llseek";
	if (!fops->read_iter)
		return "read_iter";
	if (!fops->splice_read)
		return "splice_read";
	if (!fops->fallocate)
		return "fallocate";
	return NULL;
}

int __init ashmem_backing_init(void)
{
	const char *missing;
	struct file *file;
	int err = 0;

	file = compat_shmem_file_setup("ashmem", 0, true);
	if (IS_ERR(file))
		return PTR_ERR(file);
	shmem_fops = file->f_op;
	fput(file);

	missing = ashmem_backing_missing(shmem_fops);
	if (missing) {
		pr_err("shmem has no %s hook that this build of the driver can call\n", missing);
		return -EOPNOTSUPP;
	}

	/* Use the kernel's f_op: this file may be freed after a failed init. */
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
