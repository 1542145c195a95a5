/* SPDX-License-Identifier: GPL-2.0-only */
/* Flights: steps of purges that have taken pages of a region and not yet freed them all. */

#ifndef _ASHMEM_FLIGHT_H
#define _ASHMEM_FLIGHT_H

#include <linux/list.h>
#include <linux/types.h>

#include "ashmem.h"

/* A step in flight; on the purging task's stack. */
struct ashmem_flight {
	struct list_head link;
	unsigned long first;
	unsigned long last;
	unsigned long number;	/* among the region's flights */
};

void ashmem_flight_depart_locked(struct ashmem_region *region, struct ashmem_flight *flight);
void ashmem_flight_land_locked(struct ashmem_region *region, struct ashmem_flight *flight);
bool ashmem_flights_among_locked(struct ashmem_region *region, unsigned long first,
				 unsigned long last, unsigned long departed);
int ashmem_flights_wait(struct ashmem_region *region, unsigned long first,
			unsigned long last, bool killable);

/* Is a page of the interval in flight? */
static inline bool ashmem_flights_overlap_locked(struct ashmem_region *region,
						 unsigned long first, unsigned long last)
{
	return unlikely(!list_empty(&region->flights)) &&
	       ashmem_flights_among_locked(region, first, last, region->departed);
}

#endif /* _ASHMEM_FLIGHT_H */
