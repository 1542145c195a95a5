// SPDX-License-Identifier: GPL-2.0-only
/* Pinning and unpinning the pages of a region. */

#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/wait_bit.h>

#include "alloc.h"
#include "ashmem.h"
#include "payer.h"
#include "pin.h"
#include "trace.h"

/* The pages that @pin selects. Returns -ENODATA if there are none. */
static int interval_of(struct ashmem_region *region, const struct ashmem_pin *pin,
		       unsigned long *first, unsigned long *last)
{
	int err = -EINVAL;

	if (ashmem_region_backing(region))
		err = ashmem_pin_interval(pin, region->size, first, last);
	if (!err && *first > *last)
		err = -ENODATA;
	return err;
}

/* Between two parts of an edit. @needed: the next one needs a spare range. */
static int next_part(struct ashmem_region *region, bool needed, bool killable)
{
	if (killable && fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	return needed ? ashmem_region_refill(region, GFP_KERNEL) : 0;
}

/* Out of line: PIN and UNPIN with all rights must not pay for its stack frame. */
static noinline bool maps_writable(struct mm_struct *mm, const struct file *backing)
{
	struct vm_area_struct *vma;
	unsigned long addr = 0;
	bool found = false;

	if (mmap_read_lock_killable(mm))
		return false;
	while (!found && (vma = find_vma(mm, addr))) {
		found = vma->vm_file == backing && (vma->vm_flags & VM_MAYWRITE);
		addr = vma->vm_end;
		cond_resched();
	}
	mmap_read_unlock(mm);
	return found;
}

/* A task that can write, by a mapping of now or later, can destroy contents anyway. */
static bool may_discard(struct ashmem_region *region)
{
	return likely(READ_ONCE(region->prot_mask) & PROT_WRITE) ||
	       (current->mm && maps_writable(current->mm, region->backing));
}

/* Is a page of the interval in flight, by a flight with a number below @departed? */
static bool flights_among_locked(struct ashmem_region *region, unsigned long first,
				 unsigned long last, unsigned long departed)
{
	struct ashmem_flight *flight;

	lockdep_assert_held(&region->lock);
	list_for_each_entry(flight, &region->flights, link) {
		if (flight->first <= last && flight->last >= first &&
		    (long)(flight->number - departed) < 0)
			return true;
	}
	return false;
}

static bool have_landed(struct ashmem_region *region, unsigned long first,
			unsigned long last, unsigned long departed)
{
	bool landed;

	spin_lock(&region->lock);
	landed = !flights_among_locked(region, first, last, departed);
	spin_unlock(&region->lock);
	return landed;
}

/* Waits for present flights, not for later ones. -ERESTARTSYS if the task was killed. */
static noinline int wait_for_flights(struct ashmem_region *region, unsigned long first,
				     unsigned long last)
{
	unsigned long departed;

	spin_lock(&region->lock);
	departed = region->departed;
	spin_unlock(&region->lock);
	return wait_var_event_killable(&region->flights,
				       have_landed(region, first, last, departed));
}

/*
 * Returns whether contents were lost, or an error. Without @clear, what was lost stays
 * marked. With it, the caller must tell the loss: there is no way back and no error after
 * the first mark. Sets @in_flight if a purge is freeing pages.
 */
static int pin_pages(struct ashmem_region *region, unsigned long first,
		     unsigned long last, bool clear, bool *in_flight)
{
	struct ashmem_edit edit = { .first = first, .last = last, .spare = &region->spare };
	unsigned long from;
	int err;

	INIT_LIST_HEAD(&edit.dropped);
	*in_flight = false;
	do {
		from = edit.first;
		spin_lock(&region->lock);
		if (unlikely(!list_empty(&region->flights)))
			*in_flight |= flights_among_locked(region, first, last, region->departed);
		err = ashmem_ranges_pin(&region->unpinned, &edit, !clear);
		ashmem_region_count_locked(region);
		spin_unlock(&region->lock);
		/* Without progress there is a range to split. The rest needs no memory. */
	} while (unlikely(err == -EAGAIN) &&
		 !(err = next_part(region, edit.first == from, !(clear && edit.purged))));

	ashmem_ranges_free(&edit.dropped);
	/* No other task can tell the losses whose marks are cleared. */
	if (clear && edit.purged)
		return true;
	return err ?: edit.purged;
}

/*
 * Clears the marks for lost contents only after the wait: before, a task that is killed or
 * lacks memory must hide no loss. A task that may not discard contents never clears them:
 * others must learn of the loss. Waits for present flights only: UNPIN can cause more.
 */
int ashmem_region_pin(struct ashmem_region *region, const struct ashmem_pin *pin)
{
	unsigned long first, last;
	bool lost, in_flight;
	int ret;

	ret = interval_of(region, pin, &first, &last);
	if (ret)
		return ret == -ENODATA ? ASHMEM_NOT_PURGED : ret;
	ret = pin_pages(region, first, last, false, &in_flight);
	if (ret < 0)
		return ret;
	lost = ret || in_flight;
	if (unlikely(in_flight) && wait_for_flights(region, first, last))
		return -EINTR;

	if (unlikely(lost) && may_discard(region)) {
		ret = pin_pages(region, first, last, true, &in_flight);
		if (ret < 0)
			return ret;
		if (in_flight)
			wait_for_flights(region, first, last);
	}

	trace_ashmem_pin(region, first, last, lost);
	if (!lost)
		return ASHMEM_NOT_PURGED;
	ashmem_stats_add(ASHMEM_PURGED_PINS, 1);
	return ASHMEM_WAS_PURGED;
}

/* Errors: see Documentation/userspace-api/ashmem.rst. */
int ashmem_region_unpin(struct ashmem_region *region, const struct ashmem_pin *pin)
{
	struct ashmem_edit edit = { .spare = &region->spare };
	struct ashmem_payer *payer;
	unsigned long first, last;
	int err;

	err = interval_of(region, pin, &first, &last);
	if (err)
		return err == -ENODATA ? 0 : err;
	if (!may_discard(region))
		return -EPERM;
	/* A hint, too. */
	if (unlikely(!data_race(region->spare))) {
		err = next_part(region, true, true);
		if (err)
			return err;
	}

	INIT_LIST_HEAD(&edit.dropped);
	edit.first = first;
	edit.last = last;
	do {
		/* Look again: an unlocked payer without ranges can be freed. */
		payer = ashmem_payer_lock(region, first, last, &edit.paid);
		if (!payer) {
			err = -ENOMEM;
			break;
		}
		edit.queue = &payer->queue;
		err = ashmem_ranges_unpin(&region->unpinned, &edit, jiffies);
		ashmem_payer_list_locked(container_of(edit.queue, struct ashmem_payer, queue));
		ashmem_region_count_locked(region);
		spin_unlock(&region->lock);
	} while (unlikely(err == -EAGAIN) && !(err = next_part(region, true, true)));

	ashmem_ranges_free(&edit.dropped);
	if (!err)
		trace_ashmem_unpin(region, first, last);
	return err;
}

/* Is any page of @pin unpinned? */
int ashmem_region_pin_status(struct ashmem_region *region, const struct ashmem_pin *pin)
{
	unsigned long first, last;
	bool unpinned;
	int err;

	err = interval_of(region, pin, &first, &last);
	if (err)
		return err == -ENODATA ? ASHMEM_IS_PINNED : err;
	spin_lock(&region->lock);
	unpinned = ashmem_ranges_overlap(&region->unpinned, first, last);
	spin_unlock(&region->lock);
	return unpinned ? ASHMEM_IS_UNPINNED : ASHMEM_IS_PINNED;
}
