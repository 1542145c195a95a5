/* SPDX-License-Identifier: GPL-2.0-only */
/* Backing files: the shmem files that hold the pages of regions. */

#ifndef _ASHMEM_BACKING_H
#define _ASHMEM_BACKING_H

#include <linux/fs.h>
#include <linux/shmem_fs.h>
#include <linux/types.h>

struct mem_cgroup;
struct vm_area_struct;

/* What a step of a purge would do. Pages that exist are in memory or swapped out. */
struct ashmem_survey {
	unsigned long first;	/* page of it that exists; after @last if there is none */
	unsigned long last;	/* page of the step */
	unsigned long final;	/* page of it that exists; if locked pages are first, their last */
	unsigned long pages;	/* of it that exist */
	unsigned long resident;	/* pages of it that are in memory */
};

int ashmem_backing_init(void);
const char *ashmem_backing_missing(const struct file_operations *fops);
struct file *ashmem_backing_create(const char *name, size_t size, bool noreserve);
int ashmem_backing_mmap(struct file *file, struct vm_area_struct *vma, bool shared);
bool ashmem_backing_survey(struct file *backing, unsigned long first, unsigned long last,
			   unsigned long max, bool wait, struct ashmem_survey *survey);
void ashmem_backing_punch(struct file *backing, unsigned long first, unsigned long last,
			  unsigned long pages, bool reclaim);
bool ashmem_backing_payer(struct file *backing, unsigned long first, unsigned long last,
			  bool by_memcg, struct mem_cgroup **memcg, int *nid);
unsigned long ashmem_get_unmapped_area(struct file *file, unsigned long addr,
				       unsigned long len, unsigned long pgoff,
				       unsigned long flags);

static inline unsigned long ashmem_backing_ino(struct file *backing)
{
	return file_inode(backing)->i_ino;
}

static inline unsigned long ashmem_backing_resident(struct file *backing)
{
	return READ_ONCE(backing->f_mapping->nrpages);
}

/* Pages in memory or swapped out. */
static inline unsigned long ashmem_backing_pages(struct file *backing)
{
	return ashmem_backing_resident(backing) +
	       READ_ONCE(SHMEM_I(file_inode(backing))->swapped);
}

#endif /* _ASHMEM_BACKING_H */
