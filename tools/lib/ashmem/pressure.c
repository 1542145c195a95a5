// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * A thread that gives memory back when the kernel says that it is short.
 *
 * The kernel purges nothing of a memfd. So while the process has purgeable memory on
 * memfd, the thread waits for events: tasks of its cgroup or of the machine stall for want
 * of memory (PSI), the cgroup reached a limit, or a limit was changed. Then it compares
 * what is available with what there may be, and frees the difference.
 *
 * All descriptors are opened at the start. A file opened later could get a number that
 * the program has just closed and means to reuse.
 *
 * Lock order: the lock here, then that of the list of idle objects.
 */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "ashmem_purgeable.h"
#include "internal.h"
#include "keep_errno.h"

/* Less memory than this is not worth a thread. */
#define WORTH_BYTES	(1024u * 1024)

/* After so much has got contents, the thread looks, or a cgroup would be full unnoticed. */
#define GROWTH_BYTES	(256u * 1024)

/*
 * A task that has filled its cgroup may be killed a millisecond later, and the kernel
 * tells of it at most every 10 ms. So look often, for a while.
 */
#define LOOK_MS		1
#define ALERT_NS	100000000u

/*
 * What is freed between two looks, so that the last close() doesn't wait for long; and how
 * often at most after an event: a peer can claim to have always more to free.
 */
#define STEP_BYTES	(64u << 20)
#define STEPS		100

/* The part of a limit that is kept free, once it was reached; and if tasks stall. */
#define PART_FREE	32
#define PART_FREE_STALLED	8

/* Stalls of 1 %. Without CAP_SYS_RESOURCE a window must be 2 s. */
static const char *const triggers[] = { "some 5000 500000", "some 20000 2000000" };

/* Events of the first two are stalls. WAKE is closed last, see intact(). */
enum { MACHINE, STALLS, EVENTS, LIMITS, HIGH, MAX, CURRENT, STAT, MEMINFO, EPOLL, WAKE, FILES };

#define POLLED	(LIMITS + 2)

/* While the files are opened. A caller's stack may be too small for them. */
struct names {
	char dir[PATH_MAX];
	char path[PATH_MAX];
	char line[PATH_MAX - 64];
};

struct watch {
	pthread_t thread;
	struct names *names;		/* NULL once the files are open */
	int file[FILES];
	bool full;			/* there were no descriptors left */
	libashmem_reclaim_fn *reclaim;
	_Alignas(8) _Atomic uint64_t soon;	/* what the cgroup will use, 0 if unknown */
	_Atomic bool stop;
	_Atomic bool left;		/* by the thread, or by stop() without it */
};

static struct {
	pthread_mutex_t lock;
	struct watch *watch;		/* NULL without a thread */
	uint64_t bytes;
	bool off;
	_Atomic uint64_t growth;
} pressure = { .lock = PTHREAD_MUTEX_INITIALIZER };

uint64_t libashmem_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- what there is ---- */

/* The number behind @key in a file, UINT64_MAX if there is none. */
static uint64_t number(const struct watch *w, int nr, const char *key)
{
	/* The keys are among the first. */
	char text[2048], *at = text;
	ssize_t len = pread(w->file[nr], text, sizeof(text) - 1, 0);

	if (len <= 0)
		return UINT64_MAX;
	text[len] = '\0';
	while (at && strncmp(at, key, strlen(key))) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	at = at ? at + strlen(key) + strspn(at + strlen(key), " ") : text + len;
	return *at >= '0' && *at <= '9' ? strtoull(at, NULL, 10) : UINT64_MAX;
}

static uint64_t missing(uint64_t all, uint64_t available, uint64_t part)
{
	return available < all / part ? all / part - available : 0;
}

/*
 * What the cgroup lacks, or will if it uses @soon. Of pages of files the kernel can take
 * back most by itself: a program that reads files isn't short of memory, although it always
 * is at the limit.
 */
static uint64_t cgroup_lacks(const struct watch *w, uint64_t part, uint64_t soon)
{
	uint64_t high = number(w, HIGH, ""), limit = number(w, MAX, "");
	uint64_t used = number(w, CURRENT, ""), lack, active, inactive;

	limit = high < limit ? high : limit;
	if (limit == UINT64_MAX || used == UINT64_MAX)
		return 0;
	/* What has no room at all can't be made room for. */
	if (used < soon && soon - used < limit)
		used = soon;
	lack = used > limit ? used - limit + limit / part : missing(limit, limit - used, part);
	if (!lack)
		return 0;
	active = number(w, STAT, "active_file");
	inactive = number(w, STAT, "inactive_file");
	if (active == UINT64_MAX || inactive == UINT64_MAX)
		return lack;
	return lack > active + inactive ? lack - active - inactive : 0;
}

static uint64_t machine_lacks(const struct watch *w)
{
	uint64_t all = number(w, MEMINFO, "MemTotal:");
	uint64_t available = number(w, MEMINFO, "MemAvailable:");

	if (all == UINT64_MAX || available == UINT64_MAX)
		return 0;
	return missing(all, available, PART_FREE_STALLED) * 1024;
}

/* ---- the thread ---- */

/*
 * Step by step, and looks again after each: others give back at the same time. True if
 * this freed anything.
 */
static bool give_back(struct watch *w, bool stalled)
{
	uint64_t soon = atomic_exchange(&w->soon, 0), lack, freed = 1;
	bool any = false;
	int i;

	for (i = 0; i < STEPS && freed && !atomic_load(&w->stop); i++) {
		lack = cgroup_lacks(w, stalled ? PART_FREE_STALLED : PART_FREE, soon);
		if (!lack && stalled)
			lack = machine_lacks(w);
		lack = lack < 2 * STEP_BYTES ? (lack + 1) / 2 : STEP_BYTES;
		if (!lack || w->reclaim(lack, &freed))
			break;
		any |= freed;
		soon -= freed < soon ? freed : soon;
	}
	return any;
}

/* Never due again, after an odd interval by which intact() knows it. */
static struct itimerspec timer_of(const struct watch *w, long first)
{
	return (struct itimerspec){
		.it_interval = { .tv_sec = 1 << 30, .tv_nsec = (uintptr_t)w % 1000000000u },
		.it_value.tv_nsec = first,
	};
}

/*
 * If the program has closed all descriptors, others may have these numbers by now, also a
 * timer that it made.
 */
static bool intact(const struct watch *w)
{
	struct itimerspec it;

	return !timerfd_gettime(w->file[WAKE], &it) &&
	       it.it_interval.tv_nsec == timer_of(w, 0).it_interval.tv_nsec;
}

/* Fails if the program has closed all descriptors. */
static bool wake(const struct watch *w)
{
	struct itimerspec now = timer_of(w, 1);

	return intact(w) && !timerfd_settime(w->file[WAKE], 0, &now, NULL);
}

/* epoll watches the files that were opened, whatever has their numbers, and tells once. */
static void *watcher(void *data)
{
	struct epoll_event event[POLLED];
	uint64_t alert_until = 0;
	struct watch *w = data;
	char text[1024];
	bool stalled;
	int i, n;

	prctl(PR_SET_NAME, "ashmem-reclaim");
	while (!atomic_load(&w->stop) && intact(w)) {
		n = epoll_wait(w->file[EPOLL], event, POLLED,
			       libashmem_now() < alert_until ? LOOK_MS : -1);
		/* Closed by the program. */
		if (n < 0 && errno != EINTR)
			break;
		for (stalled = false, i = 0; i < n; i++) {
			stalled |= event[i].data.u32 <= STALLS;
			/* inotify tells of no change that is like the last one unread. */
			while (event[i].data.u32 == LIMITS && intact(w) &&
			       read(w->file[LIMITS], text, sizeof(text)) > 0)
				;
		}
		if (give_back(w, stalled))
			alert_until = libashmem_now() + ALERT_NS;
	}
	if (atomic_exchange(&w->left, true))
		free(w);
	return NULL;
}

/* ---- its files ---- */

static bool full(bool failed)
{
	return failed && (errno == EMFILE || errno == ENFILE);
}

/* NULL if it is too long; valid until the next call. */
static const char *path_of(struct watch *w, const char *dir, const char *name)
{
	char *path = w->names->path;

	return snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX ? path : NULL;
}

static void open_at(struct watch *w, int nr, const char *dir, const char *name, int flags)
{
	const char *path = path_of(w, dir, name);

	if (!path)
		return;
	w->file[nr] = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	w->full |= full(w->file[nr] < 0);
}

static void close_at(struct watch *w, int nr)
{
	if (w->file[nr] >= 0)
		close(w->file[nr]);
	w->file[nr] = -1;
}

/* A file that stands in for one of the kernel's has no events. */
static void listen_to(struct watch *w, int nr, uint32_t events)
{
	struct epoll_event event = { .events = events | EPOLLET, .data.u32 = (uint32_t)nr };

	epoll_ctl(w->file[EPOLL], EPOLL_CTL_ADD, w->file[nr], &event);
}

static void open_trigger(struct watch *w, int nr, const char *dir, const char *name)
{
	size_t i;

	open_at(w, nr, dir, name, O_RDWR);
	for (i = 0; i < sizeof(triggers) / sizeof(*triggers); i++)
		if (write(w->file[nr], triggers[i], strlen(triggers[i]) + 1) > 0) {
			listen_to(w, nr, EPOLLPRI);
			return;
		}
	close_at(w, nr);
}

static void open_limits(struct watch *w, const char *dir)
{
	open_at(w, HIGH, dir, "memory.high", O_RDONLY);
	open_at(w, MAX, dir, "memory.max", O_RDONLY);
}

/* From a cgroup up to the first one that has a limit. If none has, @dir stays as it is. */
static void find_limit(struct watch *w, char *dir, size_t top)
{
	char *last = dir + strlen(dir), *end;

	for (;;) {
		open_limits(w, dir);
		if (number(w, HIGH, "") != UINT64_MAX || number(w, MAX, "") != UINT64_MAX)
			return;
		close_at(w, HIGH);
		close_at(w, MAX);
		end = strrchr(dir, '/');
		if (!end || (size_t)(end - dir) < top)
			break;
		*end = '\0';
	}
	while ((end = dir + strlen(dir)) < last)
		*end = '/';
}

/* The directory of the process's cgroup, in @dir, or of the one above that limits it. */
static bool find_cgroup(struct watch *w, char *dir)
{
	static const char *const mounts[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };
	char *line = w->names->line, *path = NULL;
	FILE *file = fopen("/proc/self/cgroup", "re");
	size_t i;

	w->full |= full(!file);
	while (file && !path && fgets(line, sizeof(w->names->line), file))
		path = strncmp(line, "0::/", 4) ? NULL : line + 3;
	if (file)
		fclose(file);
	if (!path)
		return false;
	path[strcspn(path, "\n")] = '\0';
	for (i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		if ((size_t)snprintf(dir, PATH_MAX, "%s%s", mounts[i], path) >= PATH_MAX ||
		    access(dir, F_OK))
			continue;
		find_limit(w, dir, strlen(mounts[i]));
		return true;
	}
	/* In a container without a cgroup namespace its cgroup may be what is mounted. */
	for (i = 0; i < sizeof(mounts) / sizeof(*mounts) && strncmp(path, "/..", 3); i++) {
		snprintf(dir, PATH_MAX, "%s", mounts[i]);
		open_limits(w, dir);
		if (w->file[MAX] >= 0)
			return true;
	}
	return false;
}

static void open_cgroup(struct watch *w, const char *dir)
{
	static const char *const limits[] = { "memory.high", "memory.max" };
	const char *path;
	size_t i;

	/* First: a limit of the user's has the same errno, and the others tell which it was. */
	w->file[LIMITS] = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->file[STALLS] < 0)
		open_trigger(w, STALLS, dir, "memory.pressure");
	open_at(w, EVENTS, dir, "memory.events", O_RDONLY);
	listen_to(w, EVENTS, EPOLLPRI);
	if (w->file[HIGH] < 0)
		open_limits(w, dir);
	open_at(w, CURRENT, dir, "memory.current", O_RDONLY);
	open_at(w, STAT, dir, "memory.stat", O_RDONLY);
	for (i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		path = path_of(w, dir, limits[i]);
		if (path)
			inotify_add_watch(w->file[LIMITS], path, IN_MODIFY);
	}
	listen_to(w, LIMITS, EPOLLIN);
}

/*
 * A service manager names the cgroup's file in a variable, see systemd.exec(5), and lets the
 * service write to this one. The limit may be of a cgroup above.
 */
static bool open_files(struct watch *w)
{
	const char *given = secure_getenv("MEMORY_PRESSURE_WATCH");
	char *dir = w->names->dir;

	if (given && !strcmp(given, "/dev/null"))
		return false;
	open_trigger(w, MACHINE, "/proc/pressure", "memory");
	open_at(w, MEMINFO, "/proc", "meminfo", O_RDONLY);
	if (!given) {
		if (find_cgroup(w, dir))
			open_cgroup(w, dir);
	} else if (snprintf(dir, PATH_MAX, "%s", given) < PATH_MAX && strrchr(dir, '/')) {
		*strrchr(dir, '/') = '\0';
		open_trigger(w, STALLS, dir, "memory.pressure");
		find_limit(w, dir, 1);
		open_cgroup(w, dir);
	}
	return w->file[MACHINE] >= 0 || w->file[STALLS] >= 0 || w->file[EVENTS] >= 0;
}

static void end(struct watch *w)
{
	int i;

	for (i = 0; i < FILES && intact(w); i++)
		close_at(w, i);
	free(w);
}

static int begin(struct watch **watch)
{
	struct watch *w = calloc(1, sizeof(*w));
	struct itimerspec own = timer_of(w, 0);
	int i, ret = -EMFILE;

	if (w)
		w->names = malloc(sizeof(*w->names));
	if (!w || !w->names) {
		free(w);
		return -ENOMEM;
	}
	for (i = 0; i < FILES; i++)
		w->file[i] = -1;
	w->file[WAKE] = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	timerfd_settime(w->file[WAKE], 0, &own, NULL);
	/* Without its timer end() closes nothing. */
	if (intact(w))
		w->file[EPOLL] = epoll_create1(EPOLL_CLOEXEC);
	else
		close_at(w, WAKE);
	if (w->file[EPOLL] >= 0) {
		listen_to(w, WAKE, EPOLLIN);
		ret = open_files(w) ? 0 : -EOPNOTSUPP;
		if (w->full)
			ret = -EMFILE;
	}
	free(w->names);
	w->names = NULL;
	if (ret)
		end(w);
	else
		*watch = w;
	return ret;
}

/* ---- when it runs ---- */

static int start(libashmem_reclaim_fn *reclaim)
{
	struct watch *w;
	int ret;

	ret = begin(&w);
	if (ret)
		return ret;
	w->reclaim = reclaim;
	ret = libashmem_start_thread(&w->thread, watcher, w);
	if (ret) {
		end(w);
		return ret;
	}
	pressure.watch = w;
	return 0;
}

static void stop(void)
{
	struct watch *w = pressure.watch;

	pressure.watch = NULL;
	atomic_store(&w->stop, true);
	if (!wake(w)) {
		pthread_detach(w->thread);
		if (atomic_exchange(&w->left, true))
			free(w);
		return;
	}
	pthread_join(w->thread, NULL);
	end(w);
}

static int start_or_stop(libashmem_reclaim_fn *reclaim)
{
	bool wanted = pressure.bytes >= WORTH_BYTES && !pressure.off;

	/* Without its descriptors it is of no use. */
	if (pressure.watch && !intact(pressure.watch))
		stop();
	if (wanted && !pressure.watch)
		return start(reclaim);
	if (!wanted && pressure.watch)
		stop();
	return 0;
}

/* Best effort: without a thread ashm_purgeable_reclaim() still works. */
void libashmem_pressure_add(int64_t bytes, libashmem_reclaim_fn *reclaim)
{
	pthread_mutex_lock(&pressure.lock);
	pressure.bytes += (uint64_t)bytes;
	start_or_stop(reclaim);
	pthread_mutex_unlock(&pressure.lock);
}

/* Contents that come one after another, or at the same time, are all counted once. */
static void foresee(struct watch *w, uint64_t bytes)
{
	uint64_t soon = atomic_load(&w->soon), used;

	do {
		used = number(w, CURRENT, "");
		if (used == UINT64_MAX)
			return;
	} while (!atomic_compare_exchange_weak(&w->soon, &soon,
					       (soon > used ? soon : used) + bytes));
}

void libashmem_pressure_grow(uint64_t bytes)
{
	if (atomic_fetch_add(&pressure.growth, bytes) + bytes < GROWTH_BYTES)
		return;
	atomic_store(&pressure.growth, 0);
	/* Another thread starts or stops it, or has just done this. */
	if (pthread_mutex_trylock(&pressure.lock))
		return;
	if (pressure.watch && intact(pressure.watch)) {
		foresee(pressure.watch, bytes);
		wake(pressure.watch);
	}
	pthread_mutex_unlock(&pressure.lock);
}

int libashmem_pressure_watch(bool on, libashmem_reclaim_fn *reclaim)
{
	struct watch *w;
	int ret;

	pthread_mutex_lock(&pressure.lock);
	pressure.off = !on;
	ret = start_or_stop(reclaim);
	if (on && !ret && !pressure.watch) {
		/* Would it, if there was something to watch for? */
		ret = begin(&w);
		if (!ret)
			end(w);
	}
	pthread_mutex_unlock(&pressure.lock);
	return ret;
}

void libashmem_pressure_before_fork(void)
{
	pthread_mutex_lock(&pressure.lock);
}

/* The child has no thread, and no objects that are worth one. */
void libashmem_pressure_after_fork(bool child)
{
	if (child) {
		pressure.bytes = 0;
		if (pressure.watch)
			end(pressure.watch);
		pressure.watch = NULL;
	}
	pthread_mutex_unlock(&pressure.lock);
}
