/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A crowd: processes with different roles, some of which mean harm. crowd.c starts, stops
 * and kills them, and watches the others; roles.c and tenant.c have what they do, groups.c
 * the memory cgroups that they come and go in.
 */

#ifndef FUZZ_CROWD_H
#define FUZZ_CROWD_H

#include <stdatomic.h>

#include "fuzz.h"

/* What happened, to see that a run tested something. */
enum tally {
	KEPT,		/* PINs that found the contents */
	LOST,		/* and those that reported a loss */
	REGIONS,
	READS,
	PASSED,		/* regions that were passed on */
	PURGES,
	ROUNDS,		/* of tenants */
	GROUPS,
	STOPPED,
	KILLED,
	TALLIES
};

enum {
	IN_GROUP = 1,	/* each has its own memory cgroup */
	STEADY = 2,	/* is never stopped or killed */
	FIRST = 4,	/* the scheduler prefers it: only the driver makes it wait */
};

#define FIRST_NICE	(-10)

/* The call that a process is in: its name, or NULL. */
struct watch {
	atomic_uintptr_t call;
	atomic_ulong number;
};

struct role {
	const char *name;
	void (*run)(struct rng *rng);
	unsigned int most;	/* processes; as many or fewer, as it happens */
	int flags;
};

#define MEMBERS		32

/* In memory that all share. */
struct crowd {
	atomic_bool stop;
	atomic_long tally[TALLIES];
	int fd;			/* a region that all have */
	struct watch watch[MEMBERS];
};

extern struct crowd *crowd;
extern struct watch *watch;	/* of this process */

static inline void tally(enum tally what)
{
	atomic_fetch_add(&crowd->tally[what], 1);
}

static inline void watch_call(const char *name)
{
	atomic_store(&watch->call, (uintptr_t)name);
	atomic_fetch_add(&watch->number, 1);
}

/* A call that must end soon, whatever others do. */
#define WATCHED(name, value) ({ \
	__typeof__(value) __value; \
	watch_call(name); \
	__value = (value); \
	watch_call(NULL); \
	__value; \
})

/* roles.c */
#define COMMON_PAGES	(1UL << 17)
extern const struct role roles[];
extern const unsigned int role_count;
double role_end(struct rng *rng);
bool role_over(double end);

/* tenant.c */
void run_tenant(struct rng *rng);

#endif
