// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * The lock of an index, and what each call begins and ends with.
 *
 * The lock is a party's number, and free if that party is dead: the kernel marks its owner
 * then, see guard.c. pthread's robust mutexes are no choice: their lists are in the shared
 * memory, where a peer can point them anywhere.
 */
#include "internal.h"

#define LOCK_TRIES	1000000u
#define LOCK_SPIN	20u		/* microseconds */

/* Takes it from a dead party, and from one whose number we have now. */
static int take_lock(struct ashm_cache *c, int timeout)
{
	_Atomic uint32_t *lock = &c->index->lock, *owner;
	struct deadline deadline = { .timeout = timeout };
	uint32_t me = c->party + 1, old, holder, value;
	struct spin spin = { .begun = false };
	unsigned int tries;
	int ret;

	for (tries = 0; tries < LOCK_TRIES; tries++) {
		old = *lock;
		holder = old & LOCK_HOLDER;
		owner = &c->index->party[(holder - 1) % RING_PARTIES].owner;
		value = *owner;
		if (!holder || holder == me || holder > RING_PARTIES ||
		    !libashmem_guard_alive(value)) {
			if (atomic_compare_exchange_strong(lock, &old,
							   (old & LOCK_SLEEPER) | me))
				return 0;
			continue;
		}
		if (libashmem_spin(&spin, LOCK_SPIN, &deadline))
			continue;
		if (!(old & LOCK_SLEEPER) &&
		    !atomic_compare_exchange_strong(lock, &old, old | LOCK_SLEEPER))
			continue;
		ret = libashmem_wait(lock, old | LOCK_SLEEPER, owner, value, &deadline,
				     RING_SLICE_MS);
		if (ret && ret != -EINTR)
			break;
	}
	return -ETIMEDOUT;
}

static void give_lock(struct ashm_cache *c)
{
	_Atomic uint32_t *lock = &c->index->lock;

	if ((*lock & LOCK_HOLDER) == c->party + 1 &&
	    atomic_exchange(lock, 0) & LOCK_SLEEPER)
		libashmem_wake(lock);
}

static bool needs_repair(struct ashm_cache *c)
{
	unsigned int i;

	if (c->index->torn)
		return true;
	for (i = 0; i < RING_PARTIES; i++)
		if (libashmem_guard_died(c->index->party[i].owner))
			return true;
	return false;
}

/* Another thread may have it, and wait for a process that stopped. */
static bool lock_handle(struct ashm_cache *c, int *timeout)
{
	struct timespec until;
	uint64_t from;
	int passed;

	if (!pthread_mutex_trylock(&c->lock))
		return true;
	from = libashmem_now();
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += *timeout / 1000;
	until.tv_nsec += *timeout % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	if (pthread_mutex_timedlock(&c->lock, &until))
		return false;
	/* One timeout for both locks. */
	passed = (int)((libashmem_now() - from) / 1000000u);
	*timeout = passed < *timeout ? *timeout - passed : 1;
	return true;
}

int libashmem_cache_enter(struct ashm_cache *c, int timeout)
{
	uint64_t ident;
	int ret;

	if (!mine(c))
		return -ECHILD;
	if (!lock_handle(c, &timeout))
		return -ETIMEDOUT;
	ret = take_lock(c, timeout);
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
	pthread_mutex_unlock(&c->lock);
	return ret;
}

int libashmem_cache_leave(struct ashm_cache *c, int ret)
{
	c->index->torn = c->damaged;
	give_lock(c);
	pthread_mutex_unlock(&c->lock);
	return ret;
}
