// SPDX-License-Identifier: GPL-2.0-only
/*
 * Usage: cache_bench [SECONDS [MIB [KIND]]]
 *
 * What a cache of MIB (96) of thumbnails serves while its memory cgroup is short of memory.
 * "intense": there is enough; then memory.max drops to 15/16, 5/8 and 1/3 of the thumbnails,
 * and comes back. "moderate": it is 15/16, and another task of the cgroup takes half of them
 * and gives them back, twice. A phase takes SECONDS (1). Needs root, cgroup2 and, for one
 * kind, /dev/ashmem.
 *
 * A cache that is killed starts again, empty. Ratios are to the first line: a cache in
 * malloc() that has all. Lines of figures have tabs; "#" is for people.
 */
#include <ashmem_cache.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GROUP		"/sys/fs/cgroup/cache_bench"
#define PAGE		4096u
#define LINE		64u
#define SMALLEST	8192u
#define CLASSES		8u		/* 8 KiB to 1 MiB, as many bytes in each */
#define THUMBS_MAX	65536u
#define PHASES		5u
#define PARTS		16u		/* of a doubling, in histograms of times */
#define SLACK		(2u << 20)	/* for what a process needs besides */

static size_t total = 96u << 20;
static double seconds = 1;

static unsigned int thumbs;
static uint32_t size_of[THUMBS_MAX];
static double popular[THUMBS_MAX];	/* sums of probabilities */

/* Of all processes. */
static struct shared {
	_Atomic unsigned int phase;
	_Atomic bool ready;
	struct {
		uint64_t requests, hits, wrong, slow[64 * PARTS];
	} phases[PHASES];
} *shared;

static void die(const char *what)
{
	fprintf(stderr, "cache_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void nap(double length)
{
	struct timespec ts = { (time_t)length, (long)((length - (double)(time_t)length) * 1e9) };

	nanosleep(&ts, NULL);
}

/* ---- thumbnails ---- */

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 31) * 0x9e3779b97f4a7c15ULL;
	return x ^ x >> 29;
}

static uint64_t random_number(void)
{
	static uint64_t state = 1;

	return mix(state++);
}

/* Small and large ones are equally popular: Zipf, with an exponent of 0.9. */
static void choose_thumbs(void)
{
	unsigned int class, i, other;
	double sum = 0;
	uint32_t size;

	for (class = 0; class < CLASSES; class++)
		for (i = 0; i < total / CLASSES / (SMALLEST << class) && thumbs < THUMBS_MAX; i++)
			size_of[thumbs++] = SMALLEST << class;
	for (i = thumbs - 1; i; i--) {
		other = (unsigned int)(random_number() % (i + 1));
		size = size_of[i];
		size_of[i] = size_of[other];
		size_of[other] = size;
	}
	for (i = 0; i < thumbs; i++)
		popular[i] = sum += pow(i + 1, -0.9);
	for (i = 0; i < thumbs; i++)
		popular[i] /= sum;
}

static unsigned int choose(void)
{
	double at = (double)(random_number() >> 11) / (double)(1ULL << 53);
	unsigned int low = 0, high = thumbs - 1, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (popular[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first word of each page is odd. */
static uint64_t word_of(unsigned int nr, size_t at)
{
	return mix(nr * 0x100000001ULL + at) | 1;
}

/* Stands for decoding a picture: sixteen times the work of reading it. */
static void decode(unsigned int nr, char *to)
{
	uint64_t x, *line;
	size_t at;
	int i;

	for (at = 0; at < size_of[nr]; at += LINE) {
		x = word_of(nr, at);
		line = (uint64_t *)(to + at);
		line[0] = x;
		for (i = 0; i < 24; i++)
			x = mix(x);
		for (i = 1; i < 8; i++)
			line[i] = x + (uint64_t)i;
	}
}

/* Reads it; false if it isn't what was decoded. */
static bool use(unsigned int nr, const char *from)
{
	uint64_t sum = 0;
	bool right = true;
	size_t at;

	for (at = 0; at < size_of[nr]; at += LINE)
		sum += *(const uint64_t *)(from + at);
	for (at = 0; at < size_of[nr]; at += PAGE)
		right &= *(const uint64_t *)(from + at) == word_of(nr, at);
	__asm__ volatile("" : : "r"(sum));
	return right;
}

/* ---- a cache in malloc() ---- */

static size_t room;
static char *copy[THUMBS_MAX];
static unsigned int older[THUMBS_MAX + 1], younger[THUMBS_MAX + 1];	/* the last is the ring */

static void malloc_open(double part)
{
	room = (size_t)(part * (double)total);
	/* Or large copies would come from a heap that can't shrink. */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	older[thumbs] = thumbs;
	younger[thumbs] = thumbs;
}

static void unlist(unsigned int nr)
{
	younger[older[nr]] = younger[nr];
	older[younger[nr]] = older[nr];
}

static void list(unsigned int nr)
{
	older[nr] = older[thumbs];
	younger[nr] = thumbs;
	younger[older[thumbs]] = nr;
	older[thumbs] = nr;
}

static char *malloc_find(unsigned int nr)
{
	if (!copy[nr])
		return NULL;
	unlist(nr);
	list(nr);
	return copy[nr];
}

static char *malloc_add(unsigned int nr)
{
	unsigned int oldest;

	while (room < size_of[nr] && younger[thumbs] != thumbs) {
		oldest = younger[thumbs];
		unlist(oldest);
		free(copy[oldest]);
		copy[oldest] = NULL;
		room += size_of[oldest];
	}
	copy[nr] = room < size_of[nr] ? NULL : malloc(size_of[nr]);
	if (copy[nr]) {
		room -= size_of[nr];
		list(nr);
	}
	return copy[nr];
}

static void nothing(unsigned int nr)
{
	(void)nr;
}

/* ---- one with MADV_FREE: an odd word that is written to tells whether a page was lost ---- */

static void lazy_open(double part)
{
	(void)part;
}

static char *lazy_find(unsigned int nr)
{
	bool whole = copy[nr];
	size_t at;

	for (at = 0; whole && at < size_of[nr]; at += PAGE)
		whole = atomic_fetch_or((_Atomic uint64_t *)(copy[nr] + at), 1);
	return whole ? copy[nr] : NULL;
}

static char *lazy_add(unsigned int nr)
{
	if (!copy[nr])
		copy[nr] = mmap(NULL, size_of[nr], PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy[nr] == MAP_FAILED)
		die("mmap");
	return copy[nr];
}

static void lazy_done(unsigned int nr)
{
	madvise(copy[nr], size_of[nr], MADV_FREE);
}

/* ---- the library's ---- */

static struct ashm_cache *cache;
static struct ashm_cache_entry entry;

static void ashm_open(const char *backend)
{
	int ret;

	setenv("ASHMEM_BACKEND", backend, 1);
	ret = ashm_cache_create("thumbnails", total + total / 16, thumbs, sizeof(unsigned int),
				&cache);
	errno = -ret;
	if (ret)
		die("ashm_cache_create");
}

static void memfd_open(double part)
{
	(void)part;
	ashm_open("memfd");
}

static void device_open(double part)
{
	(void)part;
	ashm_open("ashmem");
}

static char *ashm_find(unsigned int nr)
{
	return ashm_cache_get(cache, &nr, sizeof(nr), &entry) ? NULL : entry.data;
}

static char *ashm_add(unsigned int nr)
{
	return ashm_cache_reserve(cache, &nr, sizeof(nr), size_of[nr], &entry) ? NULL :
		entry.data;
}

static void ashm_added(unsigned int nr)
{
	(void)nr;
	ashm_cache_commit(cache, &entry);
}

static void ashm_done(unsigned int nr)
{
	(void)nr;
	ashm_cache_release(cache, &entry);
}

/* ---- kinds ---- */

static const struct kind {
	const char *name;
	const char *limit;		/* the file that says it */
	void (*open)(double part);
	char *(*find)(unsigned int nr);
	char *(*add)(unsigned int nr);
	void (*added)(unsigned int nr);
	void (*done)(unsigned int nr);
	double part[2];			/* of a fixed size, by profile: what it dares */
} kinds[] = {
	{ "malloc-all", "memory.max", malloc_open, malloc_find, malloc_add, nothing, nothing,
	  { 1, 13. / 16 } },
	{ "malloc-least", "memory.max", malloc_open, malloc_find, malloc_add, nothing, nothing,
	  { 0.28, 0.38 } },
	{ "MADV_FREE", "memory.max", lazy_open, lazy_find, lazy_add, nothing, lazy_done, {} },
	{ "memfd-max", "memory.max", memfd_open, ashm_find, ashm_add, ashm_added, ashm_done, {} },
	{ "memfd-high", "memory.high", memfd_open, ashm_find, ashm_add, ashm_added, ashm_done,
	  {} },
	{ "ashmem", "memory.max", device_open, ashm_find, ashm_add, ashm_added, ashm_done, {} },
};

#define KINDS	(sizeof(kinds) / sizeof(*kinds))

static const double intense[PHASES] = { 1.25, 15. / 16, 5. / 8, 1. / 3, 15. / 16 };

/* ---- the server ---- */

static void record(double took, bool hit, bool right)
{
	double us = took * 1e6;
	unsigned int at = us < 1 ? 0 : (unsigned int)(log2(us) * PARTS);
	unsigned int phase = atomic_load(&shared->phase);

	shared->phases[phase].requests++;
	shared->phases[phase].hits += hit;
	shared->phases[phase].wrong += !right;
	shared->phases[phase].slow[at < 64 * PARTS ? at : 64 * PARTS - 1]++;
}

static void request(const struct kind *kind, unsigned int nr, char *scratch)
{
	double from = now();
	char *data = kind->find(nr), *to;
	bool hit = data, right;

	if (!data) {
		data = kind->add(nr);
		to = data ? data : scratch;
		decode(nr, to);
		if (data)
			kind->added(nr);
	}
	right = use(nr, data ? data : scratch);
	if (data)
		kind->done(nr);
	record(now() - from, hit, right);
}

static void put_file(const char *name, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s%s", *name == '/' ? "" : GROUP "/", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static void put_number(const char *name, size_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", value);
	put_file(name, text);
}

static size_t get_number(const char *name, const char *key)
{
	char path[256], text[4096], *at;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), GROUP "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len < 0)
		die(path);
	close(fd);
	text[len] = '\0';
	at = strstr(text, key);
	return at ? strtoul(at + strlen(key), NULL, 10) : 0;
}

static pid_t in_group(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		put_file("cgroup.procs", "0");
	}
	return pid;
}

static pid_t start_server(const struct kind *kind, double part)
{
	pid_t pid = in_group();
	char *scratch;
	unsigned int nr;

	if (pid)
		return pid;
	scratch = malloc(SMALLEST << (CLASSES - 1));
	if (!scratch)
		die("malloc");
	memset(scratch, 1, SMALLEST << (CLASSES - 1));
	kind->open(part);
	/* The first one has the cache full before it counts. */
	for (nr = thumbs; nr-- && !atomic_load(&shared->ready);)
		request(kind, nr, scratch);
	atomic_store(&shared->ready, true);
	for (;;)
		request(kind, choose(), scratch);
}

/* Takes memory and keeps it until it is killed; how long that took is in @took. */
static pid_t start_tenant(size_t size, double *took)
{
	double from = now();
	int done[2];
	pid_t pid;
	size_t at;
	char *map, byte;

	if (pipe2(done, O_CLOEXEC))
		die("pipe");
	pid = in_group();
	if (!pid) {
		map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (map == MAP_FAILED)
			die("mmap");
		madvise(map, size, MADV_NOHUGEPAGE);
		for (at = 0; at < size; at += PAGE)
			map[at] = 1;
		if (write(done[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	close(done[1]);
	*took = read(done[0], &byte, 1) == 1 ? now() - from : INFINITY;
	close(done[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- what is told ---- */

struct result {
	double rate, p99, hits, gives_ms;
	size_t killed, wrong;
};

static struct result result_of(unsigned int phase, double length)
{
	uint64_t all = shared->phases[phase].requests, left = all / 100;
	const uint64_t *slow = shared->phases[phase].slow;
	unsigned int at = 64 * PARTS - 1;

	while (at && left >= slow[at])
		left -= slow[at--];
	return (struct result){
		.rate = (double)all / length,
		.p99 = all ? exp2((at + 1.) / PARTS) : INFINITY,
		.hits = 100. * (double)shared->phases[phase].hits / (double)(all ? all : 1),
		.wrong = shared->phases[phase].wrong,
	};
}

static void tell(const char *profile, const struct kind *kind, const char *phase,
		 const struct result *result)
{
	static struct result one;

	if (!one.rate)
		one = *result;
	printf("%s\t%s\t%s\t%.0f\t%.2f\t%.0f\t%.2f\t%.1f\t%.1f\t%zu\t%zu\n", profile, kind->name,
	       phase, result->rate, result->rate / one.rate, result->p99,
	       result->p99 / one.p99, result->hits, result->gives_ms, result->killed,
	       result->wrong);
	fflush(stdout);
}

/* Until the end of a phase; a server that died starts again. */
static void serve(const struct kind *kind, double part, pid_t *server, double until)
{
	while (now() < until) {
		if (waitpid(*server, NULL, WNOHANG) == *server)
			*server = start_server(kind, part);
		nap(0.001);
	}
}

/* Milliseconds until the cgroup has what the limit allows. */
static double set_limit(const struct kind *kind, size_t limit, double patience)
{
	double from = now();

	put_number(kind->limit, limit);
	while (get_number("memory.current", "") > limit && now() < from + patience)
		nap(0.0002);
	return (now() - from) * 1e3;
}

static pid_t begin(const struct kind *kind, double part, double most, size_t *base)
{
	double until;
	pid_t server;

	if (mkdir(GROUP, 0755) && errno != EEXIST)
		die(GROUP);
	if (!access(GROUP "/memory.swap.max", F_OK))
		put_file("memory.swap.max", "0");
	memset(shared, 0, sizeof(*shared));
	*base = SLACK;
	put_number(kind->limit, *base + (size_t)((double)total * most));
	server = start_server(kind, part);
	/* One that is killed again and again is never full. */
	for (until = now() + 5 * seconds; !atomic_load(&shared->ready) && now() < until;)
		serve(kind, part, &server, now() + 0.01);
	memset(shared->phases, 0, sizeof(shared->phases));
	return server;
}

static void finish(pid_t server)
{
	int tries;

	end(server);
	for (tries = 0; rmdir(GROUP) && tries < 250; tries++)
		nap(0.02);
}

static void run_intense(const struct kind *kind)
{
	size_t base, killed = 0, so_far;
	pid_t server = begin(kind, kind->part[0], intense[0], &base);
	struct result result;
	char name[16];
	unsigned int i;
	double from, ms;

	killed = get_number("memory.events", "oom_kill ");
	for (i = 0; i < PHASES; i++) {
		atomic_store(&shared->phase, i);
		from = now();
		ms = set_limit(kind, base + (size_t)((double)total * intense[i]), seconds);
		serve(kind, kind->part[0], &server, from + seconds);
		result = result_of(i, now() - from);
		result.gives_ms = ms;
		so_far = get_number("memory.events", "oom_kill ");
		result.killed = so_far - killed;
		killed = so_far;
		snprintf(name, sizeof(name), "%u:%.2f", i + 1, intense[i]);
		tell("intense", kind, name, &result);
	}
	finish(server);
}

static void run_moderate(const struct kind *kind, double alone)
{
	static const char *const names[] = { "calm", "taken" };
	size_t base, killed[2] = { 0, 0 }, so_far, last;
	pid_t server = begin(kind, kind->part[1], 15. / 16, &base), tenant;
	double length[2] = { 0, 0 }, worst = 0, took, from;
	struct result result;
	unsigned int i;

	last = get_number("memory.events", "oom_kill ");
	for (i = 0; i < 4; i++) {
		atomic_store(&shared->phase, i % 2);
		from = now();
		tenant = i % 2 ? start_tenant(total / 2, &took) : 0;
		if (tenant && took > worst)
			worst = took;
		serve(kind, kind->part[1], &server, from + seconds);
		if (tenant)
			end(tenant);
		length[i % 2] += now() - from;
		so_far = get_number("memory.events", "oom_kill ");
		killed[i % 2] += so_far - last;
		last = so_far;
	}
	for (i = 0; i < 2; i++) {
		result = result_of(i, length[i]);
		result.killed = killed[i];
		result.gives_ms = i && worst > alone ? (worst - alone) * 1e3 : 0;
		tell("moderate", kind, names[i], &result);
	}
	finish(server);
}

/* How long the tenant takes where there is enough. */
static double tenant_alone(void)
{
	double took, least = INFINITY;
	pid_t pid;
	int i;

	if (mkdir(GROUP, 0755) && errno != EEXIST)
		die(GROUP);
	for (i = 0; i < 3; i++) {
		pid = start_tenant(total / 2, &took);
		end(pid);
		least = took < least ? took : least;
	}
	return least;
}

int main(int argc, char **argv)
{
	const char *only = argc > 3 ? argv[3] : "";
	double alone;
	size_t i;

	if (argc > 1)
		seconds = strtod(argv[1], NULL);
	if (argc > 2)
		total = strtoul(argv[2], NULL, 10) << 20;
	choose_thumbs();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		die("mmap");
	put_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	alone = tenant_alone();
	printf("# %u thumbnails, %zu MiB; the tenant alone takes its memory in %.0f ms\n",
	       thumbs, total >> 20, alone * 1e3);
	puts("# profile, kind, phase, requests/s, ratio, p99 us, ratio, hits %, ms, killed, wrong");
	for (i = 0; i < KINDS; i++)
		if (strstr(kinds[i].name, only))
			run_intense(&kinds[i]);
	for (i = 0; i < KINDS; i++)
		if (strstr(kinds[i].name, only))
			run_moderate(&kinds[i], alone);
	return 0;
}
