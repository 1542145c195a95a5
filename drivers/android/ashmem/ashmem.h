/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Anonymous shared memory: the objects, who owns them, and their locks.
 *
 * A region is what one open of /dev/ashmem makes. Its open file owns it; a
 * purge under way holds a further reference, so that the mutex that it is about
 * to release can't vanish beneath it.
 *
 * The first mmap gives a region its backing, an unlinked shmem file, which the
 * region owns one reference of and each mapping another. From then on name and
 * size stand fast. The backing outlives the region while mappings live, and
 * each of those mappings holds the module in place.
 *
 * Unpinned pages are kept as ranges in the region's interval tree. A range
 * whose contents the kernel may still take is also on the LRU, in the group of
 * the cgroup that unpinned it, oldest unpin first, and counts there with its
 * purgeable pages. The ranges of a group hold one reference of it together.
 *
 * Locks, in the order in which they nest
 * --------------------------------------
 *
 * 1. mmap_lock of a process (the kernel's own). mmap() comes in with it held,
 *    a page fault takes it: so nothing is copied to or from user space under
 *    the locks below.
 *
 * 2. ashmem_region.lock, a mutex per region, for the region's state and its
 *    ranges. Nobody waits for a second one: memory may be allocated under it,
 *    which may end in our own shrinker, and that one only tries the lock.
 *    Ioctls wait for it killably. It is held for one purge step, for the set-up
 *    of one file, or for the ranges that a PIN or an UNPIN meets.
 *
 * 3. ashmem_lru.lock, a spinlock, for the table of groups. The locks of the
 *    kernel's list_lru are at this level, too; neither is taken inside the other.
 *
 * 4. ashmem_lru_group.lock, a spinlock per group, for the ranges listed in it.
 *
 * Below 2: the locks of shmem (folios, i_mmap_rwsem), which purging takes. Tasks
 * that hold those of folios may allocate, too, and come to 2 in our shrinker: it
 * passes over ranges with a locked folio before it takes anything, so that it
 * waits for none of its own. The inode lock of the backing is not among them: a
 * process in MADV_REMOVE may hold it while its allocation runs our shrinker.
 *
 * A function whose name ends in _locked is called with the region's lock held
 * and asserts it.
 */

#ifndef _ASHMEM_H
#define _ASHMEM_H

#include <linux/kref.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/ashmem.h>

#include "compat/compat.h"
#include "range.h"

struct attribute_group;
struct file;
struct file_operations;
struct iov_iter;
struct kiocb;
struct vm_area_struct;

/* The backing's name is this and the region's: /proc/PID/maps shows it so. */
#define ASHMEM_NAME_PREFIX	"dev/ashmem/"
#define ASHMEM_NAME_PREFIX_LEN	(sizeof(ASHMEM_NAME_PREFIX) - 1)

#define ASHMEM_PROT_ALL		(PROT_READ | PROT_WRITE | PROT_EXEC)

/**
 * struct ashmem_region - what one open of /dev/ashmem made
 * @refs: the open file's reference, and one for each purge under way
 * @lock: protects the fields below
 * @size: bytes, as set; written under @lock until @backing exists, read
 *	anywhere
 * @prot_mask: PROT_* bits that mappings to come may have; written under @lock,
 *	read anywhere
 * @backing: shmem file, or NULL before the first mmap; set once under @lock,
 *	read anywhere by ashmem_region_backing(), put on release
 * @label: empty shmem file of the same name that private mappings are shown
 *	by, or NULL before the first of them; set once under @lock
 * @name: %ASHMEM_NAME_PREFIX and the name, or NULL without one; invariant
 *	once @backing exists
 * @unpinned: the unpinned ranges; under @lock
 * @lru: where unpinned ranges are listed; invariant
 * @spare: a range at hand for the next operation, or NULL; under @lock
 * @group: the group of the LRU that the last UNPIN needed, with a reference, or
 *	NULL before the first; under @lock
 */
struct ashmem_region {
	struct kref refs;
	struct mutex lock; /* 2nd in the order above */
	size_t size;
	unsigned long prot_mask;
	struct file *backing;
	struct file *label;
	char *name;
	struct ashmem_ranges unpinned;
	struct ashmem_range *spare;
	struct ashmem_lru *lru;
	struct ashmem_lru_group *group;
};

/* region.c */
int ashmem_region_init(void);
void ashmem_region_exit(void);
struct ashmem_region *ashmem_region_create(struct ashmem_lru *lru);
void ashmem_region_close(struct ashmem_region *region);
void ashmem_region_get(struct ashmem_region *region);
void ashmem_region_put(struct ashmem_region *region);
int ashmem_region_set_name(struct ashmem_region *region, char *full);
int ashmem_region_get_name(struct ashmem_region *region, char *name);
int ashmem_region_set_size(struct ashmem_region *region, size_t size);
int ashmem_region_set_prot_mask(struct ashmem_region *region, unsigned long prot);
int ashmem_region_back_locked(struct ashmem_region *region, bool noreserve,
			      bool labelled);

/* pin.c */
int ashmem_pin_init(void);
void ashmem_pin_exit(void);
void ashmem_range_free(struct ashmem_range *range);
void ashmem_ranges_free(struct list_head *dropped);
void ashmem_ranges_free_many(struct ashmem_range **ranges, unsigned int count);
int ashmem_pin_interval(const struct ashmem_pin *pin, size_t size,
			unsigned long *first, unsigned long *last);
int ashmem_region_pin(struct ashmem_region *region, const struct ashmem_pin *pin);
int ashmem_region_unpin(struct ashmem_region *region, const struct ashmem_pin *pin);
int ashmem_region_pin_status(struct ashmem_region *region, const struct ashmem_pin *pin);

/**
 * ashmem_region_backing - the backing file, if there is one yet
 * @region: the region; the caller holds its open file
 *
 * No lock: the pointer is set once and stays until release.
 *
 * Return: the file, without a reference of its own, or NULL.
 */
static inline struct file *ashmem_region_backing(struct ashmem_region *region)
{
	/* Pairs with ashmem_region_back_locked(): the file is seen whole. */
	return smp_load_acquire(&region->backing);
}

/* mmap.c */
int ashmem_mmap(struct file *file, struct vm_area_struct *vma);

/* backing.c */
int ashmem_backing_init(void);
struct file *ashmem_backing_create(const char *name, size_t size, bool noreserve);
struct file *ashmem_backing_create_label(const char *name, struct file *backing);
int ashmem_backing_mmap(struct file *backing, struct vm_area_struct *vma);
ssize_t ashmem_backing_read(struct file *backing, struct kiocb *iocb,
			    struct iov_iter *to);
loff_t ashmem_backing_seek_data(struct file *backing, loff_t offset, int whence);
unsigned long ashmem_backing_punch(struct file *backing, unsigned long first,
				   unsigned long last);
unsigned long ashmem_backing_hole(struct file *backing, unsigned long first,
				  unsigned long last);
bool ashmem_backing_locked(struct file *backing, unsigned long first,
			   unsigned long last);
unsigned long ashmem_backing_resident(struct file *backing);
unsigned long ashmem_backing_ino(struct file *backing);
unsigned long ashmem_get_unmapped_area(struct file *file, unsigned long addr,
				       unsigned long len, unsigned long pgoff,
				       unsigned long flags);

/* ioctl.c */
long ashmem_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
#ifdef CONFIG_COMPAT
long ashmem_compat_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
#endif

/* reclaim.c */
extern struct ashmem_lru ashmem_lru;
int ashmem_reclaim_init(void);
void ashmem_reclaim_exit(void);
unsigned long ashmem_purge_some(struct ashmem_lru *lru, struct shrink_control *sc);
long ashmem_purge_all(struct ashmem_lru *lru);

/* stats.c */
extern const struct attribute_group *ashmem_stats_groups[];
void ashmem_stats_purged(unsigned long pages, bool pressure);
void ashmem_stats_pin_purged(void);

/* device.c */
int ashmem_device_init(void);
void ashmem_device_exit(void);

#endif /* _ASHMEM_H */
