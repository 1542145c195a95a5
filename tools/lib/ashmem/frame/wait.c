// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * Sleeping and waking across processes. A call spins before it sleeps: a wake-up costs
 * some 20 us, and a peer that answers while the call spins saves it.
 *
 * A bell is a futex: the lowest bit says that a task sleeps, and the other bits
 * count. A task that wants to sleep sets the bit, checks again for what it waits for,
 * and sleeps on the value with the bit. A task that changes something then checks the
 * bit, and if it is set, adds 1, which clears it and counts, and wakes. Full fences
 * between the two steps on each side make sure that at least one sees the other: no
 * wake-up is lost, and none is made when no task sleeps. Clearing the bit also forgets
 * killed sleepers.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv	449
#endif

/* Without futex_waitv(), how often to check whether an owner died. */
#define OWNER_SLICE_MS	20

#define NSEC_PER_SEC	1000000000L
#define NSEC_PER_USEC	1000L
#define USEC_PER_SEC	1000000
#define USEC_PER_MSEC	1000

/* The kernel's own layouts, which are not those of every C library. */
struct waitv {
	uint64_t value;
	uint64_t address;
	uint32_t flags;
	uint32_t reserved;
};

struct timespec64 {
	int64_t sec;
	int64_t nsec;
};

struct timespec_old {
	long sec;
	long nsec;
};

#define WAITV_32	0x02u	/* a futex of 32 bits, shared */

static _Atomic bool lacks_waitv;

static void add_us(struct timespec *ts, int64_t us)
{
	ts->tv_sec += (time_t)(us / USEC_PER_SEC);
	ts->tv_nsec += (long)(us % USEC_PER_SEC) * NSEC_PER_USEC;
	if (ts->tv_nsec >= NSEC_PER_SEC) {
		ts->tv_sec++;
		ts->tv_nsec -= NSEC_PER_SEC;
	}
}

static bool before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec ||
	       (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

static int wait_both(_Atomic uint32_t *word, uint32_t value,
		     _Atomic uint32_t *owner, uint32_t owner_value,
		     const struct timespec *until)
{
	struct waitv waitv[2] = {
		{ value, (uintptr_t)word, WAITV_32, 0 },
		{ owner_value, (uintptr_t)owner, WAITV_32, 0 },
	};
	struct timespec64 end = { until->tv_sec, until->tv_nsec };

	return (int)syscall(SYS_futex_waitv, waitv, 2, 0, &end, CLOCK_MONOTONIC);
}

static int wait_one(_Atomic uint32_t *word, uint32_t value,
		    const struct timespec *now, const struct timespec *until)
{
	struct timespec_old left = { (long)(until->tv_sec - now->tv_sec),
				     until->tv_nsec - now->tv_nsec };

	if (left.nsec < 0) {
		left.sec--;
		left.nsec += NSEC_PER_SEC;
	}
	return (int)syscall(SYS_futex, word, FUTEX_WAIT, value, &left, NULL, 0);
}

/* The clock starts when it is first needed. */
static void start(struct deadline *deadline, const struct timespec *now)
{
	if (deadline->set || deadline->timeout <= 0)
		return;
	deadline->at = *now;
	add_us(&deadline->at, (int64_t)deadline->timeout * USEC_PER_MSEC);
	deadline->set = true;
}

/* Lets the core's other thread run. Doesn't delay the view of a peer's change. */
static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
	__asm__ volatile("yield" ::: "memory");
#else
	atomic_signal_fence(memory_order_seq_cst);
#endif
}

bool libashmem_spin(struct spin *spin, unsigned int microseconds,
		    struct deadline *deadline)
{
	KEEP_ERRNO;
	struct timespec now;

	if (!microseconds || !deadline->timeout)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!spin->begun) {
		spin->begun = true;
		start(deadline, &now);
		spin->end = now;
		add_us(&spin->end, microseconds);
		if (deadline->set && before(&deadline->at, &spin->end))
			spin->end = deadline->at;
	}
	relax();
	return before(&now, &spin->end);
}

int libashmem_wait(_Atomic uint32_t *word, uint32_t value,
		   _Atomic uint32_t *owner, uint32_t owner_value,
		   struct deadline *deadline, int slice_ms)
{
	KEEP_ERRNO;
	struct timespec now, until;
	bool both;
	int ret;

	if (!deadline->timeout)
		return -EAGAIN;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (deadline->timeout > 0) {
		start(deadline, &now);
		if (!before(&now, &deadline->at))
			return -ETIMEDOUT;
	}

	both = owner && !atomic_load_explicit(&lacks_waitv, memory_order_relaxed);
	if (owner && !both && slice_ms > OWNER_SLICE_MS)
		slice_ms = OWNER_SLICE_MS;
	until = now;
	add_us(&until, (int64_t)slice_ms * USEC_PER_MSEC);
	if (deadline->timeout > 0 && before(&deadline->at, &until))
		until = deadline->at;

	if (both)
		ret = wait_both(word, value, owner, owner_value, &until);
	else
		ret = wait_one(word, value, &now, &until);
	if (ret >= 0)
		return 0;
	switch (errno) {
	case EINTR:
		return -EINTR;
	case ENOSYS:
	case EPERM:
		/* Before 5.16, or forbidden by a sandbox. */
		atomic_store_explicit(&lacks_waitv, true, memory_order_relaxed);
		return 0;
	default:
		/* The value had changed, or a slice is over. */
		return 0;
	}
}

void libashmem_wake(_Atomic uint32_t *word)
{
	KEEP_ERRNO;

	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

uint32_t libashmem_arm(_Atomic uint32_t *word)
{
	uint32_t value;

	value = atomic_fetch_or(word, RING_SLEEPER) | RING_SLEEPER;
	atomic_thread_fence(memory_order_seq_cst);
	return value;
}

void libashmem_ring_bell(_Atomic uint32_t *word, bool always)
{
	uint32_t value;

	atomic_thread_fence(memory_order_seq_cst);
	value = atomic_load_explicit(word, memory_order_relaxed);
	if (!(value & RING_SLEEPER) && !always)
		return;
	/*
	 * Adding 1 to a set bit clears it and counts. If another task has done that in between,
	 * the bit is set for no sleeper, but no value comes twice, as it could with a store.
	 */
	atomic_fetch_add(word, value & RING_SLEEPER ? 1 : 2);
	libashmem_wake(word);
}
