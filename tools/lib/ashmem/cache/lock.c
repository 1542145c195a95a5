// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * The lock of an index, and what each call begins and ends with.
 *
 * The lock is a robust futex of the thread that has it, and free when the kernel has marked
 * that this very thread is gone. The end of the guardian isn't enough: another thread of a
 * killed process may still be in the kernel, on its way to free pages. pthread's robust
 * mutexes are no choice: their lists are in the shared memory, where a peer can point them
 * anywhere.
 */
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

/* The handle's own lock. */
enum { HANDLE_FREE, HANDLE_LOCKED, HANDLE_AWAITED };

#define LOCK_TRIES	1000000u
#define LOCK_SPIN	20u		/* microseconds */

#define MS		1000000ull	/* nanoseconds */

/* How long a call still waits; the clock runs from the first wait on. */
struct patience {
	uint64_t left, last;		/* nanoseconds; of the clock */
};

/*
 * Between two looks at the lock a slice counts at most. After a stop of the whole machine,
 * a container or a job all waiters would give up at once, although all owners are alive.
 */
static int wait_for(_Atomic uint32_t *word, uint32_t value, struct patience *patience)
{
	uint64_t now = libashmem_now(), past = patience->last ? now - patience->last : 0;
	struct deadline never = { .timeout = -1 };

	if (past > RING_SLICE_MS * MS)
		past = RING_SLICE_MS * MS;
	if (past >= patience->left)
		return -ETIMEDOUT;
	patience->left -= past;
	patience->last = now;
	return libashmem_wait(word, value, NULL, 0, &never, patience->left < RING_SLICE_MS * MS ?
			      (int)(patience->left / MS) + 1 : RING_SLICE_MS);
}

static int take_lock(struct ashm_cache *c, struct patience *patience)
{
	struct deadline never = { .timeout = -1 };
	int me = libashmem_guard_thread();
	_Atomic uint32_t *lock = &c->index->lock;
	struct spin spin = { .begun = false };
	unsigned int tries;
	uint32_t old;

	if (me < 0)
		return me;
	for (tries = 0; tries < LOCK_TRIES; tries++) {
		old = *lock;
		if (!libashmem_guard_alive(old)) {
			/* Not while it waits: a thread of another pid namespace has the same id. */
			libashmem_guard_announce(lock);
			if (atomic_compare_exchange_strong(lock, &old,
							   (old & FUTEX_WAITERS) | (uint32_t)me))
				return 0;
			libashmem_guard_announce(NULL);
			continue;
		}
		if (libashmem_spin(&spin, LOCK_SPIN, &never))
			continue;
		if (!(old & FUTEX_WAITERS) &&
		    !atomic_compare_exchange_strong(lock, &old, old | FUTEX_WAITERS))
			continue;
		if (wait_for(lock, old | FUTEX_WAITERS, patience) == -ETIMEDOUT)
			break;
	}
	return -ETIMEDOUT;
}

static void give_lock(struct ashm_cache *c)
{
	_Atomic uint32_t *lock = &c->index->lock;
	uint32_t old = 0;

	if ((*lock & FUTEX_TID_MASK) == (uint32_t)libashmem_guard_thread())
		old = atomic_exchange(lock, 0);
	libashmem_guard_announce(NULL);
	if (old & FUTEX_WAITERS)
		libashmem_wake(lock);
}

static bool needs_repair(struct ashm_cache *c)
{
	uint32_t parties = c->index->parties, i;

	if (c->index->torn)
		return true;
	for (i = 0; i < parties && i < RING_PARTIES; i++)
		if (libashmem_guard_died(c->index->party[i].owner))
			return true;
	return false;
}

/*
 * Another thread may have it, and wait for a process that stopped. pthread's mutexes wait
 * by a clock that can be set back.
 */
static int lock_handle(struct ashm_cache *c, struct patience *patience)
{
	struct deadline never = { .timeout = -1 };
	struct spin spin = { .begun = false };
	uint32_t old = HANDLE_FREE;

	do {
		if (atomic_compare_exchange_strong(&c->lock, &old, HANDLE_LOCKED))
			return 0;
		old = HANDLE_FREE;
	} while (libashmem_spin(&spin, LOCK_SPIN, &never));
	while (atomic_exchange(&c->lock, HANDLE_AWAITED) != HANDLE_FREE)
		if (wait_for(&c->lock, HANDLE_AWAITED, patience) == -ETIMEDOUT)
			return -ETIMEDOUT;
	return 0;
}

static void unlock_handle(struct ashm_cache *c)
{
	if (atomic_exchange(&c->lock, HANDLE_FREE) == HANDLE_AWAITED)
		syscall(SYS_futex, &c->lock, FUTEX_WAKE, 1, NULL, NULL, 0);
}

int libashmem_cache_enter(struct ashm_cache *c, int timeout)
{
	struct patience patience = { .left = (uint64_t)timeout * MS };
	uint64_t ident;
	int ret;

	if (!mine(c))
		return -ECHILD;
	ret = lock_handle(c, &patience);
	if (ret)
		return ret;
	ret = take_lock(c, &patience);
	if (ret)
		goto unlock;
	ident = c->index->ident;
	if (ident != c->ident) {
		ret = ident ? -EPROTO : -ENODATA;
		goto give;
	}
	c->damaged = needs_repair(c);
	c->index->torn = 1;
	if (c->damaged)
		ret = libashmem_cache_repair(c, 0);
	if (!ret) {
		libashmem_cache_tidy(c);
		return 0;
	}
give:
	give_lock(c);
unlock:
	unlock_handle(c);
	return ret;
}

int libashmem_cache_leave(struct ashm_cache *c, int ret)
{
	c->index->torn = c->damaged;
	give_lock(c);
	unlock_handle(c);
	return ret;
}
