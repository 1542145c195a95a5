// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many locks of PIN and UNPIN another region takes, too. Stock kernels have no
 * CONFIG_LOCK_STAT, so put probes on the kernel's locking functions, which also show the
 * addresses.
 */

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define FEW_PAIRS	100
#define PAIRS		1000000
#define LOCKS_MAX	256

static const char *const lock_functions[] = {
	"_raw_spin_lock", "_raw_spin_lock_bh", "_raw_spin_lock_irq",
	"_raw_spin_lock_irqsave", "_raw_spin_trylock", "_raw_spin_trylock_bh",
	"_raw_read_lock", "_raw_read_lock_bh", "_raw_read_lock_irq",
	"_raw_read_lock_irqsave", "_raw_write_lock", "_raw_write_lock_bh",
	"_raw_write_lock_irq", "_raw_write_lock_irqsave",
	"mutex_lock", "mutex_lock_interruptible", "mutex_lock_killable", "mutex_trylock",
	"down_read", "down_read_interruptible", "down_read_killable", "down_read_trylock",
	"down_write", "down_write_killable", "down_write_trylock",
	"down", "down_interruptible", "down_killable", "down_trylock",
};

struct lock {
	uint64_t address;
	unsigned long taken;
};

/* The locks that were taken, each once. */
struct locks {
	struct lock lock[LOCKS_MAX];
	unsigned int count;
};

static struct lock *find_lock(struct locks *locks, uint64_t address)
{
	unsigned int i;

	for (i = 0; i < locks->count; i++)
		if (locks->lock[i].address == address)
			return &locks->lock[i];
	return NULL;
}

static void note_lock(const struct probe_hit *hit, void *arg)
{
	struct locks *locks = arg;
	struct lock *lock = find_lock(locks, hit->value);

	if (!lock && locks->count < LOCKS_MAX) {
		lock = &locks->lock[locks->count++];
		*lock = (struct lock){ .address = hit->value };
	}
	if (lock)
		lock->taken++;
}

static void pin_unpin_pairs(int fd, unsigned long pairs)
{
	unsigned long i;

	for (i = 0; i < pairs; i++) {
		pin(fd, 1, 1);
		unpin(fd, 1, 1);
	}
}

static void locks_of_pairs(int fd, struct locks *locks)
{
	locks->count = 0;
	probes_start();
	pin_unpin_pairs(fd, FEW_PAIRS);
	probes_stop();
	probes_each(note_lock, locks);
}

/* Locks that the task takes in every call: the scheduler's, signals'. */
static void locks_of_nothing(struct locks *locks)
{
	unsigned long i;

	locks->count = 0;
	probes_start();
	for (i = 0; i < PAIRS; i++)
		syscall(SYS_getppid);
	for (i = 0; i < FEW_PAIRS; i++)
		sched_yield();
	usleep(1000);
	probes_stop();
	probes_each(note_lock, locks);
}

/* The one lock that only calls on the first region take, or 0. */
static uint64_t own_lock(struct locks *first, struct locks *second)
{
	unsigned int i;

	for (i = 0; i < first->count; i++)
		if (first->lock[i].taken >= FEW_PAIRS &&
		    !find_lock(second, first->lock[i].address))
			return first->lock[i].address;
	return 0;
}

static int listed_region(void)
{
	size_t size = 4 * page_size;
	int fd = region_open(size);
	char *map = region_map(fd, size);

	memset(map, 1, size);
	region_unmap(map, size);
	unpin(fd, 1, 1);
	unpin(fd, 3, 1);
	return fd;
}

static void filter_out(uint64_t address)
{
	char filter[128];

	/* Interrupts, hard and soft, take their own locks. */
	snprintf(filter, sizeof(filter),
		 "common_pid == %d && !(common_flags & 24) && v != 0x%llx", getpid(),
		 (unsigned long long)address);
	probes_filter(filter);
}

static void run_shared_locks(void)
{
	static struct locks first, second, always, seen;
	int fd = listed_region(), other = listed_region();
	unsigned long taken;
	unsigned int i;
	char event[64];

	for (i = 0; i < sizeof(lock_functions) / sizeof(*lock_functions); i++) {
		snprintf(event, sizeof(event), "p:bench/l%u %s v=%%di:x64\n", i,
			 lock_functions[i]);
		probe_add(event);
	}
	filter_out(0);
	locks_of_nothing(&always);
	locks_of_pairs(fd, &first);
	locks_of_pairs(other, &second);
	filter_out(own_lock(&first, &second));

	seen.count = 0;
	probes_start();
	pin_unpin_pairs(fd, PAIRS);
	probes_stop();
	probes_each(note_lock, &seen);
	taken = probes_count();
	for (i = 0; i < seen.count; i++)
		if (find_lock(&always, seen.lock[i].address))
			taken -= seen.lock[i].taken;
	report("shared_locks", taken, "locks");

	probes_remove();
	close(fd);
	close(other);
}

const struct measure locks_measures[] = {
	{ "shared_locks", run_shared_locks, false, RECLAIM },
	{ NULL, NULL, false, RECLAIM },
};
