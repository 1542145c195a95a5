/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parts of the soak test: the loads (load.c), the cgroups that they come and go
 * in (groups.c), and what is measured before and after (measure.c).
 */

#ifndef SOAK_H
#define SOAK_H

/* The macros of the harness, if it is included. */
#ifndef __maybe_unused
#define __maybe_unused	__attribute__((__unused__))
#endif
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

#include "reclaim_util.h"

#include <stdatomic.h>

/* What all loads share; their sums are in shared memory. */
struct soak {
	atomic_bool stop;
	atomic_long pins_kept, pins_lost;
	atomic_long regions;
	atomic_long reads;
	atomic_long maps;
	atomic_long passed_on;
	atomic_long purges;
	atomic_long killed;	/* by the killer */
	atomic_long died;	/* otherwise; by the OOM killer of their group */
	atomic_long groups;
	atomic_long wrong;	/* wrong contents or results */
};

extern struct soak *soak;

/* For a load: reports an error, not each time, and counts it. */
#define WRONG(...) do { \
	if (atomic_fetch_add(&soak->wrong, 1) < 20) { \
		fprintf(stderr, "# wrong: " __VA_ARGS__); \
		fputc('\n', stderr); \
	} \
} while (0)

/* load.c: each lives for some seconds, as @rng has it, and ends. */
struct load {
	const char *name;
	void (*run)(struct rng *rng);
	unsigned int processes;
	bool in_group;
};

extern const struct load loads[];
extern const unsigned int load_count;

/* groups.c */
bool groups_begin(void);
int group_enter(unsigned int number, struct rng *rng);
void group_leave(unsigned int number);
long groups_dying(void);
void groups_end(void);

/* measure.c */
struct measure {
	long available_kb, shmem_kb;
	long purgeable, references;
	long objects[3];	/* of the driver's caches; -1: unknown */
	char meminfo[4096];	/* where the rest is, for people */
};

extern const char *const caches[3];
void measure(struct measure *m);
void tell_difference(const struct measure *before, const struct measure *after);
bool swap_begin(void);
void swap_end(void);

#endif
