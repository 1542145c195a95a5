/* SPDX-License-Identifier: GPL-2.0-only */
/* PIN, UNPIN and GET_PIN_STATUS. */

#ifndef _ASHMEM_PIN_H
#define _ASHMEM_PIN_H

#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/types.h>
#include <linux/ashmem.h>

struct ashmem_region;

/*
 * Converts @pin to pages; @last is @first - 1 for the empty interval {end, 0}. As in the
 * original driver, offset + len must fit into 32 bits; the end of the region need not. Returns
 * 0; -EINVAL if the interval is unaligned, overflows or passes the page-rounded end.
 */
static inline int ashmem_pin_interval(const struct ashmem_pin *pin, size_t size,
				      unsigned long *first, unsigned long *last)
{
	u64 end_of_region = round_up((u64)size, PAGE_SIZE);
	u64 end = end_of_region;

	if (!PAGE_ALIGNED(pin->offset) || !PAGE_ALIGNED(pin->len))
		return -EINVAL;
	if (pin->len) {
		end = (u64)pin->offset + pin->len;
		if (end > U32_MAX)
			return -EINVAL;
	}
	if (pin->offset > end || end > end_of_region)
		return -EINVAL;

	*first = pin->offset >> PAGE_SHIFT;
	*last = (end >> PAGE_SHIFT) - 1;
	return 0;
}

int ashmem_region_pin(struct ashmem_region *region, const struct ashmem_pin *pin);
int ashmem_region_unpin(struct ashmem_region *region, const struct ashmem_pin *pin);
int ashmem_region_pin_status(struct ashmem_region *region, const struct ashmem_pin *pin);

#endif /* _ASHMEM_PIN_H */
