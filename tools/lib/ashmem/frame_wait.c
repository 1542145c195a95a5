// SPDX-License-Identifier: MIT
/*
 * Sleeping and waking across processes.
 *
 * A bell is a futex of which the lowest bit says that somebody sleeps and the
 * others count. Who wants to sleep sets the bit, looks once more for what it
 * waits for, and sleeps on the value with the bit. Who changes something does so,
 * then looks at the bit, and if it is set clears it, counts and wakes. Full
 * fences between the two steps on either side see to it that at least one sees
 * the other: no wake-up is lost, and none is made when nobody sleeps. Clearing
 * the bit forgets sleepers that were killed.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "frame_internal.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv	449
#endif

/* Without futex_waitv(), how often to look whether an owner died. */
#define OWNER_SLICE_MS	20

#define NSEC_PER_SEC	1000000000L
#define NSEC_PER_MSEC	1000000L

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

static void add_ms(struct timespec *ts, int ms)
{
	ts->tv_sec += ms / 1000;
	ts->tv_nsec += ms % 1000 * NSEC_PER_MSEC;
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

int libashmem_wait(_Atomic uint32_t *word, uint32_t value,
		   _Atomic uint32_t *owner, uint32_t owner_value,
		   struct deadline *deadline, int slice_ms)
{
	struct timespec now, until;
	bool both;
	int ret;

	if (!deadline->timeout)
		return -EAGAIN;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (deadline->timeout > 0) {
		if (!deadline->set) {
			deadline->at = now;
			add_ms(&deadline->at, deadline->timeout);
			deadline->set = true;
		}
		if (!before(&now, &deadline->at))
			return -ETIMEDOUT;
	}

	both = owner && !atomic_load_explicit(&lacks_waitv, memory_order_relaxed);
	if (owner && !both && slice_ms > OWNER_SLICE_MS)
		slice_ms = OWNER_SLICE_MS;
	until = now;
	add_ms(&until, slice_ms);
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
	/* Who sets the bit in between sleeps on a value that is gone. */
	atomic_exchange(word, (value & ~RING_SLEEPER) + 2);
	libashmem_wake(word);
}
