/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the measures of ashmem_bench share. See main.c.
 */

#ifndef _ASHMEM_BENCH_H
#define _ASHMEM_BENCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <time.h>

#include <linux/ashmem.h>

#define MIB	(1024UL * 1024)

/* What is measured: the driver that is loaded, or memfd in its place. */
extern const char *subject;
extern bool subject_is_memfd;
extern size_t page_size;

/**
 * enum setting - what a measure needs
 * @COST: one processor, whose clock counts instructions
 * @RECLAIM: the same, and it leaves the kernel changed for measures that follow:
 *	probes, memory cgroups, dropped caches
 * @CONCURRENT: two processors and a clock that runs with the wall's
 */
enum setting { COST, RECLAIM, CONCURRENT };

/**
 * struct measure - one entry of the table of measures
 * @name: what the output calls it; a measure that is taken at several numbers of
 *	ranges has /N appended there
 * @run: takes it and reports
 * @memfd: memfd can do the same
 * @setting: what it needs
 */
struct measure {
	const char *name;
	void (*run)(void);
	bool memfd;
	enum setting setting;
};

extern const struct measure cost_measures[];
extern const struct measure purge_measures[];
extern const struct measure memory_measures[];
extern const struct measure locks_measures[];
extern const struct measure shrink_measures[];
extern const struct measure concurrency_measures[];
extern const struct measure shootdown_measures[];
extern const struct measure crowd_measures[];

/* main.c */
noreturn void die(const char *what);
void report(const char *measure, double value, const char *unit);
void report_at(const char *measure, unsigned long n, double value, const char *unit);
double median(double *values, unsigned int count);
double quantile(double *values, unsigned int count, double part);
double cost_of(void (*op)(void *arg), void *arg);
double mean_cost_of(void (*op)(void *arg), void *arg, unsigned int count);

/* region.c */
int region_open(size_t size);
void *region_map(int fd, size_t size);
void region_unmap(void *map, size_t size);
int pin_ioctl(int fd, unsigned int cmd, unsigned long page, unsigned long pages);
void pin(int fd, unsigned long page, unsigned long pages);
void unpin(int fd, unsigned long page, unsigned long pages);
void unpin_every_other(int fd, unsigned long count);
unsigned long purge_all(int fd);
void punch(int fd, unsigned long page, unsigned long pages);

/* thread.c */
void stay_on(int cpu);
pthread_t start(void *(*fn)(void *), void *arg);
void join(pthread_t thread);

/* kernel.c */
bool try_put_file(const char *path, const char *text);
void put_file(const char *path, const char *text);
unsigned long count_in_file(const char *path, const char *key);
void allow_files(unsigned long count);
void shrink_everything(void);
bool purges_by_cgroup(void);
void cgroup_make(const char *name);
void cgroup_remove(const char *name);
void cgroup_put(const char *name, const char *file, unsigned long value);
unsigned long cgroup_event(const char *name, const char *event);
void cgroup_join(const char *name);

/* probe.c */

/**
 * struct probe_hit - a probe of the kernel's was hit
 * @when: in ticks
 * @probe: its name
 * @value: what it was defined to fetch as "v"
 */
struct probe_hit {
	uint64_t when;
	const char *probe;
	uint64_t value;
};

bool probe_add(const char *definition);
void probes_filter(const char *filter);
void probes_start(void);
void probes_stop(void);
unsigned long probes_count(void);
void probes_each(void (*seen)(const struct probe_hit *hit, void *arg), void *arg);
void probes_remove(void);

/*
 * The processor's own counter. A guest under -icount shift=0 has it count
 * instructions; elsewhere it is good for ratios.
 */
static inline uint64_t ticks(void)
{
#if __has_builtin(__builtin_ia32_rdtsc)
	return __builtin_ia32_rdtsc();
#else
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
#endif
}

#endif /* _ASHMEM_BENCH_H */
