/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Anonymous shared memory: the objects and their locks. The design is described in
 * Documentation/driver-api/ashmem-internals.rst.
 *
 * A region is what one open of /dev/ashmem makes. The open file holds a reference to it,
 * and so does each purge that looks at it. The first mmap gives it a backing, an unlinked
 * shmem file, to which the region and each mapping hold a reference. Unpinned pages are
 * ranges of the region. A range with pages to take is queued with its payer, which stands
 * for a cgroup and a node and has an entry in the LRU. A purge takes pages in steps. They
 * are in flight until it has freed them, and PIN waits for those that it needs.
 *
 * Locks, outermost first:
 *
 * 1. mmap_lock of a process. mmap() comes in with it held, and a page fault takes it. No
 *    lock below is held when user space is copied to or from.
 * 2. The locks of the kernel's list_lru. Its walks call the LRU with one held.
 * 3. ashmem_region.lock, a spinlock for bookkeeping. No holder sleeps, allocates, unmaps,
 *    truncates or goes through more than some hundred ranges, so reclaim can wait for it.
 *    No task holds two. Listing a group takes 2 with 3 held, but no walk takes 3.
 * 4. ashmem_lru.lock, a spinlock, for groups and entries.
 *
 * shmem's locks (folios, i_mmap_rwsem) are taken with none of ours held. A task that
 * reclaims may hold folio locks, so the shrinker leaves locked folios alone. It never takes
 * the backing's inode lock: a task in MADV_REMOVE holds that one when it allocates.
 *
 * A function whose name ends in _locked asserts the region's lock.
 */

#ifndef _ASHMEM_H
#define _ASHMEM_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mman.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/ashmem.h>

#include "backing.h"
#include "compat/compat.h"
#include "range.h"
#include "stats.h"

struct ashmem_lru;
struct miscdevice;

/* The prefix of a backing's name in /proc/PID/maps. */
#define ASHMEM_NAME_PREFIX	"dev/ashmem/"
#define ASHMEM_NAME_PREFIX_LEN	(sizeof(ASHMEM_NAME_PREFIX) - 1)

#define ASHMEM_PROT_ALL		(PROT_READ | PROT_WRITE | PROT_EXEC)

/* What one open of /dev/ashmem made. Fields are under @lock unless they say otherwise. */
struct ashmem_region {
	struct kref refs;		/* the open file's, and of each purge that looks at it */
	spinlock_t lock;		/* 3rd in the order above */
	unsigned int settling;		/* mmap calls that create the backing */
	/* In bytes, as set; written while neither @settling nor @backing, read anywhere. */
	size_t size;
	unsigned long prot_mask;	/* PROT_* bits for later mappings; read anywhere */
	char *name;			/* %ASHMEM_NAME_PREFIX and name, or NULL; like @size */
	/* NULL before the first mmap; set once, read by ashmem_region_backing(). */
	struct file *backing;
	/* Names private mappings, NULL before the first of them; set once, read anywhere. */
	struct file *label;
	struct ashmem_ranges unpinned;
	struct ashmem_range *spare;	/* for the next operation, or NULL */
	struct ashmem_lru *lru;		/* where its payers are listed; invariant */
	struct list_head payers;	/* freed with the region at the latest */
	struct rb_root payers_by_id;	/* the same, by cgroup and node */
	struct list_head flights;	/* steps of purges in flight */
	unsigned long departed;		/* number of flights so far */
	unsigned long counted;		/* pages that the statistics count as purgeable */
};

/* A step of a purge that has taken pages and not freed them all; on the task's stack. */
struct ashmem_flight {
	struct list_head link;
	unsigned long first;
	unsigned long last;
	unsigned long number;	/* among the region's flights */
};

/*
 * NULL before the first mmap, then valid as long as the region. Needs no lock: the
 * pointer is set once, and name and size are settled before.
 */
static inline struct file *ashmem_region_backing(const struct ashmem_region *region)
{
	/* Pairs with ashmem_region_back(). */
	return smp_load_acquire(&region->backing);
}

extern struct kmem_cache *ashmem_region_cache;

struct ashmem_region *ashmem_region_create(struct ashmem_lru *lru);
void ashmem_region_close(struct ashmem_region *region);
void ashmem_region_put(struct ashmem_region *region);
int ashmem_region_refill(struct ashmem_region *region, gfp_t gfp);
int ashmem_region_set_name(struct ashmem_region *region, char *full);
size_t ashmem_region_get_name(struct ashmem_region *region, char *name);
int ashmem_region_set_size(struct ashmem_region *region, size_t size);
int ashmem_region_set_prot_mask(struct ashmem_region *region, unsigned long prot);
int ashmem_region_back(struct ashmem_region *region, unsigned long mapped,
		       bool noreserve, bool labelled);

extern struct miscdevice ashmem_device;
long ashmem_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
long ashmem_compat_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* Update the statistics: unpinned pages count as purgeable while they exist. */
static inline void ashmem_region_count_locked(struct ashmem_region *region)
{
	unsigned long pages = region->unpinned.purgeable;

	lockdep_assert_held(&region->lock);
	if (pages)
		pages = min(pages, ashmem_backing_pages(region->backing));
	ashmem_stats_add(ASHMEM_PURGEABLE, pages - region->counted);
	region->counted = pages;
}

#endif /* _ASHMEM_H */
