// SPDX-License-Identifier: GPL-2.0-only
/* Flights: which pages a purge is freeing right now, and the wait for them. */

#include <linux/wait_bit.h>

#include "ashmem.h"

/* A step has taken the pages of @flight. */
void ashmem_flight_depart_locked(struct ashmem_region *region, struct ashmem_flight *flight)
{
	lockdep_assert_held(&region->lock);
	flight->number = region->departed++;
	list_add(&flight->link, &region->flights);
}

/* The pages of @flight are gone. */
void ashmem_flight_land_locked(struct ashmem_region *region, struct ashmem_flight *flight)
{
	lockdep_assert_held(&region->lock);
	list_del(&flight->link);
	wake_up_var(&region->flights);
}

/* Is a page of the interval in flight, by a flight with a number below @departed? */
bool ashmem_flights_among_locked(struct ashmem_region *region, unsigned long first,
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
	landed = !ashmem_flights_among_locked(region, first, last, departed);
	spin_unlock(&region->lock);
	return landed;
}

/* Waits for present flights, not for later ones. -ERESTARTSYS if the task was killed. */
int ashmem_flights_wait(struct ashmem_region *region, unsigned long first,
			unsigned long last, bool killable)
{
	unsigned long departed;

	spin_lock(&region->lock);
	departed = region->departed;
	spin_unlock(&region->lock);
	if (killable)
		return wait_var_event_killable(&region->flights,
					       have_landed(region, first, last, departed));
	wait_var_event(&region->flights, have_landed(region, first, last, departed));
	return 0;
}
