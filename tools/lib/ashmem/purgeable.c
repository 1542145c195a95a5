// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * Objects whose contents may be purged while they are not in use.
 *
 * The first user pins the region, the last one unpins it. If pin reports a loss, the
 * first user rebuilds the contents while all others wait, so no user sees lost memory.
 * @lock guards the fields below it.
 *
 * On memfd only ashm_purgeable_reclaim() frees pages, of objects on the list of unused
 * ones and of entries of caches, whichever was unused for longest: the program calls it,
 * and the thread of pressure.c. Lock order: the object's lock, then the list's, then a
 * cache's. Reclaim starts from the list, so it only tries an object's lock.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "ashmem.h"
#include "ashmem_purgeable.h"
#include "internal.h"
#include "keep_errno.h"

struct ashm_purgeable {
	struct ashm *region;
	void *contents;
	ashm_rebuild_fn *rebuild;
	void *data;
	unsigned int forks;		/* when it was made */
	bool on_memfd;

	pthread_mutex_t lock;
	pthread_cond_t changed;		/* less users than before */
	unsigned int readers;
	unsigned int writes;		/* nested; the readers are the owner's, too, then */
	pthread_t owner;		/* who writes or rebuilds, see has_owner() */
	bool rebuilding;
	bool built;			/* contents are there, unless pin says otherwise */

	/* Of the list; guarded by its lock. */
	struct ashm_purgeable *older, *younger;
	uint64_t since;
	bool listed;
};

static struct {
	pthread_mutex_t lock;
	struct ashm_purgeable *oldest, *youngest;
	unsigned int forks;
} idle = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void before_fork(void)
{
	libashmem_pressure_before_fork();
	pthread_mutex_lock(&idle.lock);
}

static void in_parent(void)
{
	pthread_mutex_unlock(&idle.lock);
	libashmem_pressure_after_fork(false);
}

/* Pins are not counted across processes: the parent keeps the objects. */
static void in_child(void)
{
	idle.forks++;
	idle.oldest = NULL;
	idle.youngest = NULL;
	libashmem_caches = NULL;
	pthread_mutex_unlock(&idle.lock);
	libashmem_pressure_after_fork(true);
}

/*
 * Before the program's constructors. Then its own handlers before a fork() come first:
 * they may wait for a thread that waits for these locks.
 */
__attribute__((constructor(101))) static void watch_forks(void)
{
	pthread_atfork(before_fork, in_parent, in_child);
}

void libashmem_idle_lock(void)
{
	pthread_mutex_lock(&idle.lock);
}

void libashmem_idle_unlock(void)
{
	pthread_mutex_unlock(&idle.lock);
}

void libashmem_idle_add(int64_t bytes)
{
	libashmem_pressure_add(bytes, ashm_purgeable_reclaim);
}

int ashm_purgeable_watch(int on)
{
	KEEP_ERRNO;

	return libashmem_pressure_watch(on, ashm_purgeable_reclaim);
}

/* ---- the list ---- */

static void unlist_locked(struct ashm_purgeable *p)
{
	if (!p->listed)
		return;
	*(p->older ? &p->older->younger : &idle.oldest) = p->younger;
	*(p->younger ? &p->younger->older : &idle.youngest) = p->older;
	p->listed = false;
}

static void unlist(struct ashm_purgeable *p)
{
	pthread_mutex_lock(&idle.lock);
	unlist_locked(p);
	pthread_mutex_unlock(&idle.lock);
}

static void list_youngest(struct ashm_purgeable *p)
{
	pthread_mutex_lock(&idle.lock);
	p->older = idle.youngest;
	p->younger = NULL;
	*(idle.youngest ? &idle.youngest->younger : &idle.oldest) = p;
	idle.youngest = p;
	p->since = libashmem_now();
	p->listed = true;
	pthread_mutex_unlock(&idle.lock);
}

/* ---- life ---- */

int ashm_purgeable_create(const char *name, size_t size, ashm_rebuild_fn *rebuild,
			  void *data, struct ashm_purgeable **object)
{
	KEEP_ERRNO;
	struct ashm_purgeable *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return -ENOMEM;
	ret = ashm_create(name, size, &p->region);
	if (ret)
		goto free_object;
	ret = ashm_map(p->region, PROT_READ | PROT_WRITE, &p->contents);
	if (ret)
		goto close_region;
	p->rebuild = rebuild;
	p->data = data;
	p->forks = idle.forks;
	p->on_memfd = ashm_backend_of(ashm_fd(p->region)) == ASHM_BACKEND_MEMFD;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	if (p->on_memfd)
		libashmem_idle_add((int64_t)ashm_size(p->region));
	*object = p;
	return 0;

close_region:
	ashm_close(p->region);
free_object:
	free(p);
	return ret;
}

/* In a child the lock may be held by a thread that does not exist there. */
static bool mine(const struct ashm_purgeable *p)
{
	return p->forks == idle.forks;
}

void ashm_purgeable_destroy(struct ashm_purgeable *p)
{
	KEEP_ERRNO;

	if (!p)
		return;
	if (mine(p)) {
		/* Reclaim may have just found it on the list. */
		pthread_mutex_lock(&p->lock);
		unlist(p);
		pthread_mutex_unlock(&p->lock);
		if (p->on_memfd)
			libashmem_idle_add(-(int64_t)ashm_size(p->region));
		pthread_cond_destroy(&p->changed);
		pthread_mutex_destroy(&p->lock);
	}
	ashm_unmap(p->contents, (size_t)ashm_size(p->region));
	ashm_close(p->region);
	free(p);
}

size_t ashm_purgeable_size(const struct ashm_purgeable *p)
{
	return (size_t)ashm_size(p->region);
}

/* ---- use ---- */

/*
 * After the last use. If unpinning fails, the contents stay, which is harmless. On memfd there
 * is nothing to unpin, or then to pin, and the program may have closed the descriptor.
 */
static void let_go(struct ashm_purgeable *p)
{
	if (p->on_memfd)
		list_youngest(p);
	else
		ashm_unpin(p->region);
	pthread_cond_broadcast(&p->changed);
}

/*
 * Before the first use: makes sure that the contents exist and stay. Without a rebuild
 * function a writer makes them itself, and gets ASHM_WAS_LOST.
 */
static int take_hold(struct ashm_purgeable *p, bool write)
{
	int ret;

	if (p->on_memfd)
		unlist(p);
	ret = ashm_pin(p->region);
	if (ret < 0)
		return ret;
	if (ret == ASHM_WAS_LOST)
		p->built = false;
	if (p->built)
		return 0;
	if (!p->rebuild && !write) {
		let_go(p);
		return -ENODATA;
	}

	if (p->on_memfd)
		libashmem_pressure_grow(ashm_size(p->region));
	p->rebuilding = true;
	p->owner = pthread_self();
	if (!p->rebuild)
		return ASHM_WAS_LOST;
	pthread_mutex_unlock(&p->lock);
	ret = p->rebuild(p->data, p->contents, (size_t)ashm_size(p->region));
	pthread_mutex_lock(&p->lock);
	p->rebuilding = false;
	p->built = !ret;
	if (ret)
		let_go(p);
	else
		pthread_cond_broadcast(&p->changed);
	return ret > 0 ? -EINVAL : ret;
}

/* A thread that reads on what it has discarded is alone, too. */
static bool has_owner(const struct ashm_purgeable *p)
{
	return p->rebuilding || p->writes || (p->readers && !p->built);
}

static bool is_owner(const struct ashm_purgeable *p)
{
	return has_owner(p) && pthread_equal(p->owner, pthread_self());
}

static int begin_locked(struct ashm_purgeable *p, bool write)
{
	int ret = 0;

	if (is_owner(p)) {
		if (p->rebuilding)
			return -EDEADLK;
	} else {
		while (has_owner(p) || (write && p->readers))
			pthread_cond_wait(&p->changed, &p->lock);
		if (!p->readers)
			ret = take_hold(p, write);
		if (ret < 0)
			return ret;
	}
	if (write) {
		p->writes++;
		p->owner = pthread_self();
	} else {
		p->readers++;
	}
	return ret;
}

/* Waits for no reader: so those that find no contents at the same time read together. */
static int begin_rebuild_locked(struct ashm_purgeable *p)
{
	int ret;

	if (is_owner(p))
		return p->rebuilding ? -EDEADLK : 0;
	while (has_owner(p))
		pthread_cond_wait(&p->changed, &p->lock);
	if (p->readers)
		return 0;
	ret = take_hold(p, true);
	if (ret > 0)
		p->writes++;
	else if (!ret)
		let_go(p);
	return ret;
}

static int begin(struct ashm_purgeable *p, bool write, void **contents)
{
	int ret;

	if (!mine(p))
		return -ECHILD;
	pthread_mutex_lock(&p->lock);
	ret = begin_locked(p, write);
	pthread_mutex_unlock(&p->lock);
	if (ret >= 0)
		*contents = p->contents;
	return ret;
}

static int end_locked(struct ashm_purgeable *p, bool write)
{
	if (write && p->writes && is_owner(p))
		p->writes--;
	else if (!write && p->readers)
		p->readers--;
	else
		return -EINVAL;
	if (write && !p->writes)
		p->rebuilding = false;
	if (!p->readers && !p->writes)
		let_go(p);
	else if (!p->writes)
		pthread_cond_broadcast(&p->changed);
	return 0;
}

static int end(struct ashm_purgeable *p, bool write)
{
	int ret;

	if (!mine(p))
		return -ECHILD;
	pthread_mutex_lock(&p->lock);
	ret = end_locked(p, write);
	pthread_mutex_unlock(&p->lock);
	return ret;
}

int ashm_purgeable_begin_read(struct ashm_purgeable *p, const void **contents)
{
	KEEP_ERRNO;
	void *at;
	int ret = begin(p, false, &at);

	if (!ret)
		*contents = at;
	return ret;
}

int ashm_purgeable_end_read(struct ashm_purgeable *p)
{
	KEEP_ERRNO;

	return end(p, false);
}

int ashm_purgeable_begin_write(struct ashm_purgeable *p, void **contents)
{
	KEEP_ERRNO;

	return begin(p, true, contents);
}

int ashm_purgeable_begin_rebuild(struct ashm_purgeable *p, void **contents)
{
	KEEP_ERRNO;
	int ret;

	if (!mine(p))
		return -ECHILD;
	pthread_mutex_lock(&p->lock);
	ret = begin_rebuild_locked(p);
	pthread_mutex_unlock(&p->lock);
	if (ret > 0)
		*contents = p->contents;
	return ret;
}

int ashm_purgeable_end_write(struct ashm_purgeable *p)
{
	KEEP_ERRNO;

	return end(p, true);
}

/* What the thread that writes says of the contents. */
static int say(struct ashm_purgeable *p, bool built)
{
	int ret = -EINVAL;

	if (!mine(p))
		return -ECHILD;
	pthread_mutex_lock(&p->lock);
	if (p->writes && is_owner(p)) {
		p->built = built;
		if (built)
			p->rebuilding = false;
		ret = 0;
	}
	pthread_mutex_unlock(&p->lock);
	return ret;
}

int ashm_purgeable_rebuilt(struct ashm_purgeable *p)
{
	return say(p, true);
}

int ashm_purgeable_discard(struct ashm_purgeable *p)
{
	return say(p, false);
}

/* ---- giving back, on memfd ---- */

/* The object that has been unused for longest, locked and off the list. */
static struct ashm_purgeable *take_oldest(void)
{
	struct ashm_purgeable *p;

	pthread_mutex_lock(&idle.lock);
	/* A task that holds its lock is about to use it: skip it. */
	for (p = idle.oldest; p && pthread_mutex_trylock(&p->lock); p = p->younger)
		;
	if (p)
		unlist_locked(p);
	pthread_mutex_unlock(&idle.lock);
	return p;
}

static uint64_t oldest_since(void)
{
	uint64_t since;

	pthread_mutex_lock(&idle.lock);
	since = idle.oldest ? idle.oldest->since : UINT64_MAX;
	pthread_mutex_unlock(&idle.lock);
	return since;
}

static int throw_away(struct ashm_purgeable *p, uint64_t *freed)
{
	uint64_t bytes = libashmem_allocated(p->region);
	int ret;

	ret = libashmem_punch(p->region, 0, ashm_size(p->region));
	/* Such an object keeps its memory, and doesn't hold up the others. */
	if (ret)
		return ret == -EBADF ? 0 : ret;
	p->built = false;
	*freed += bytes;
	return 0;
}

int ashm_purgeable_reclaim(uint64_t bytes, uint64_t *freed)
{
	KEEP_ERRNO;
	uint64_t sum = 0, cached = libashmem_cache_bytes(), from = libashmem_now(), got;
	struct ashm_purgeable *p;
	int ret = 0;

	while (!ret && sum < bytes) {
		got = libashmem_cache_reclaim(oldest_since(), from, &cached);
		sum += got;
		if (got)
			continue;
		p = take_oldest();
		if (p) {
			ret = throw_away(p, &sum);
			if (ret)
				list_youngest(p);
			pthread_mutex_unlock(&p->lock);
			continue;
		}
		/* Objects that are in use again don't hold up entries. */
		got = libashmem_cache_reclaim(UINT64_MAX, from, &cached);
		if (!got)
			break;
		sum += got;
	}
	if (freed)
		*freed = sum;
	return ret;
}
