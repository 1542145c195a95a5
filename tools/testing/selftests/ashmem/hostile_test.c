// SPDX-License-Identifier: GPL-2.0-only
/*
 * An unprivileged task works on very many ranges in one call, under SCHED_IDLE and
 * beside CPU hogs. The call takes minutes, and any lock that it holds stays held.
 * Reclaim and every other user of the region must still make progress.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "kselftest_harness.h"
#include "reclaim_util.h"

#define MIB		(1UL << 20)

enum {
	RANGES = 100000,	/* that the call works on */
	OLDER = 2048,		/* that it leaves: older than what others unpin */
	HOGS_MAX = 64,
	PATIENCE = 800,		/* naps of 10 ms: a stalled guest counts none */
};

/*
 * On a realtime kernel a task can be preempted under the region's lock. Then others wait until
 * it has run for some hundred ranges, or for a part of the call that none of them may wait for.
 */
#define RUN_S		0.02

struct progress {
	atomic_int hogs;
	atomic_bool built;
	atomic_bool go;
	atomic_bool calling;
	atomic_bool done;
};

struct hostile {
	struct progress *progress;
	int fd;
	pid_t pid;
	pid_t hog[HOGS_MAX];
	int hogs;
	clockid_t cpu_time;
};

enum call { CALL_PIN, CALL_UNPIN, CALL_CLOSE };

FIXTURE(starved)
{
	struct hostile h;
};

FIXTURE_VARIANT(starved)
{
	enum call call;
};

FIXTURE_VARIANT_ADD(starved, pin)
{
	.call = CALL_PIN,
};

FIXTURE_VARIANT_ADD(starved, unpin)
{
	.call = CALL_UNPIN,
};

static double cpu_seconds(clockid_t clock)
{
	struct timespec ts = { 0, 0 };

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Ranges of one page each, as many as 32 bits of offset reach. */
static uint32_t hostile_ranges(void)
{
	size_t reach = ((size_t)1 << 31) / page_size() - OLDER;

	return reach < RANGES ? (uint32_t)reach : RANGES;
}

static size_t hostile_size(void)
{
	return 2 * (hostile_ranges() + OLDER) * page_size();
}

static void be_hostile(struct hostile *h, enum call call)
{
	struct sched_param param = { .sched_priority = 0 };
	uint32_t p = (uint32_t)page_size(), i;
	uint32_t rest = 2 * OLDER * p;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CHILD_CHECK(!setresuid(65534, 65534, 65534));
	for (i = 0; i < hostile_ranges() + OLDER; i++)
		CHILD_CHECK(!ash_unpin(h->fd, 2 * i * p, p));
	atomic_store(&h->progress->built, true);
	while (!atomic_load(&h->progress->go))
		nap_ms(1);
	CHILD_CHECK(!sched_setscheduler(0, SCHED_IDLE, &param));
	atomic_store(&h->progress->calling, true);
	if (call == CALL_PIN)
		CHILD_CHECK(ash_pin(h->fd, rest, 0) >= 0);
	else if (call == CALL_UNPIN)
		CHILD_CHECK(!ash_unpin(h->fd, rest, 0));
	else
		CHILD_CHECK(!close(h->fd));
	atomic_store(&h->progress->done, true);
	_exit(0);
}

static void start_hog(struct hostile *h, int cpu)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		stay_on(cpu);
		setpriority(PRIO_PROCESS, 0, 0);
		atomic_fetch_add(&h->progress->hogs, 1);
		for (;;)
			;
	}
	h->hog[h->hogs++] = pid;
}

static void stop_hogs(struct hostile *h)
{
	while (h->hogs) {
		pid_t pid = h->hog[--h->hogs];

		kill(pid, SIGKILL);
		wait_child(pid);
	}
}

/* Waits until the call is running: it has used CPU time and isn't done. */
static bool hostile_begin(struct hostile *h)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), i;
	double before;

	for (i = 0; i < cpus && h->hogs < HOGS_MAX - 1; i++) {
		start_hog(h, i);
		start_hog(h, i);
	}
	/* Without the hogs the call ends at once. */
	while (atomic_load(&h->progress->hogs) < h->hogs)
		nap_ms(1);
	before = cpu_seconds(h->cpu_time);
	atomic_store(&h->progress->go, true);
	for (i = 0; i < 3 * PATIENCE; i++) {
		nap_ms(10);
		if (atomic_load(&h->progress->calling) &&
		    cpu_seconds(h->cpu_time) > before + 0.003)
			return !atomic_load(&h->progress->done);
	}
	return false;
}

/* Until it has its ranges; 0 or -errno. Ends with hostile_end(). */
static int hostile_start(struct hostile *h, enum call call)
{
	/* Hogs and hostile task have normal priority, the test has not. */
	if (setpriority(PRIO_PROCESS, 0, -20))
		return -errno;
	h->progress = mmap(NULL, page_size(), PROT_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (h->progress == MAP_FAILED)
		return -errno;
	h->fd = ash_region("hostile", hostile_size());
	if (h->fd < 0)
		return h->fd;
	if (map_errno(h->fd, page_size(), PROT_RW, MAP_SHARED | MAP_NORESERVE, 0))
		return -ENOMEM;
	h->pid = fork();
	if (h->pid < 0)
		return -errno;
	if (!h->pid)
		be_hostile(h, call);
	if (clock_getcpuclockid(h->pid, &h->cpu_time))
		return -EINVAL;
	if (call == CALL_CLOSE)
		close(h->fd);
	while (!atomic_load(&h->progress->built))
		nap_ms(10);
	return 0;
}

static const char *how_far(struct hostile *h)
{
	return atomic_load(&h->progress->done) ? "has ended" : "goes on";
}

static int hostile_end(struct hostile *h)
{
	stop_hogs(h);
	atomic_store(&h->progress->go, true);
	return wait_child(h->pid);
}

FIXTURE_SETUP(starved)
{
	if (!purge_works())
		SKIP(return, "needs root");
	ASSERT_EQ(0, hostile_start(&self->h, variant->call));
}

FIXTURE_TEARDOWN(starved)
{
	if (self->h.pid)
		EXPECT_EQ(0, hostile_end(&self->h));
}

/* ---- reclaim ---- */

/*
 * The busy region has the oldest ranges, more than a driver may visit one by one.
 * Younger ranges must still be purged.
 */
static void expect_purges(struct __test_metadata *_metadata, struct hostile *h)
{
	long left[4];
	struct cache c;
	int i;

	ASSERT_EQ(0, cache_open(&c, "victim", 4 * MIB, 1));
	ASSERT_TRUE(hostile_begin(h));
	for (i = 0; i < 4; i++) {
		cache_fill(&c);
		ASSERT_EQ(0, cache_unpin(&c));
		ASSERT_EQ(0, shrink_everything());
		left[i] = cache_in_memory(&c);
		EXPECT_EQ(left[i] ? ASHMEM_NOT_PURGED : ASHMEM_WAS_PURGED,
			  cache_pin(&c));
	}
	TH_LOG("pages left of %ld: %ld %ld %ld %ld; the call %s", c.pages, left[0],
	       left[1], left[2], left[3], how_far(h));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, left[i]);
	cache_close(&c);
}

TEST_F(starved, region_keeps_nothing_of_others_from_the_shrinker)
{
	expect_purges(_metadata, &self->h);
}

/* The last close has all of the region's ranges to free. */
TEST(starved_close_keeps_nothing_of_others_from_the_shrinker)
{
	struct hostile h = { .pid = 0 };

	if (!purge_works())
		SKIP(return, "needs root");
	ASSERT_EQ(0, hostile_start(&h, CALL_CLOSE));
	expect_purges(_metadata, &h);
	EXPECT_EQ(0, hostile_end(&h));
}

/* The harm: the OOM killer runs although 64 MiB could be purged. */
TEST(starved_region_gets_no_task_killed)
{
	struct hostile h = { .pid = 0 };
	long steps, avail = pressable_mb();
	struct cache c;
	struct hog hog = { .sock = -1 };
	int ret = 0;

	if (!purge_works())
		SKIP(return, "needs root");
	if (!avail || free_swap_kb() > 0)
		SKIP(return, "needs 64 to ASHMEM_PRESSURE_MAX_MB (4096) MiB available and no swap");
	ASSERT_EQ(0, hostile_start(&h, CALL_PIN));
	ASSERT_EQ(0, cache_open(&c, "victim", 64 * MIB, 1));
	memset(c.a, 1, c.len);
	ASSERT_EQ(0, cache_unpin(&c));
	ASSERT_EQ(0, hog_start(&hog, MIB, hog_bulk()));
	ASSERT_TRUE(hostile_begin(&h));
	for (steps = 0; steps < 64 + avail && !ret && cache_in_memory(&c) == c.pages; steps++)
		ret = hog_step(&hog);
	TH_LOG("%ld MiB in small steps, %ld of %ld pages left; the call %s", steps,
	       cache_in_memory(&c), c.pages, how_far(&h));
	EXPECT_EQ(0, ret);
	EXPECT_GT(c.pages, cache_in_memory(&c));
	EXPECT_EQ(0, hostile_end(&h));
	/* Only now: it ends when all copies of its socket are closed. */
	EXPECT_EQ(ret ? 128 + SIGKILL : 0, hog_stop(&hog));
	cache_close(&c);
}

/* ---- others that hold the region ---- */

static long probe_map(struct hostile *h)
{
	return map_errno(h->fd, page_size(), PROT_RW, MAP_SHARED, 0);
}

static long probe_map_private(struct hostile *h)
{
	return map_errno(h->fd, page_size(), PROT_RW, MAP_PRIVATE, 0);
}

static void *map_it(void *arg)
{
	struct hostile *h = arg;

	probe_map(h);
	return NULL;
}

/* A thread maps the region; our memory has nothing to do with it. */
static long beside_a_mapper(struct hostile *h, unsigned char **memory)
{
	pthread_t mapper;

	*memory = mmap(NULL, page_size(), PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (*memory == MAP_FAILED || pthread_create(&mapper, NULL, map_it, h))
		return -errno;
	nap_ms(200);
	return 0;
}

static long probe_fault_beside_a_mapper(struct hostile *h)
{
	unsigned char *memory;
	long ret = beside_a_mapper(h, &memory);

	return ret ? ret : touch_write(memory, 1);
}

static long probe_munmap_beside_a_mapper(struct hostile *h)
{
	unsigned char *memory;
	long ret = beside_a_mapper(h, &memory);

	return ret ? ret : RET(munmap(memory, page_size()));
}

static long probe_get_name(struct hostile *h)
{
	char name[ASHMEM_NAME_LEN];

	return !ash_get_name(h->fd, name) && !strcmp(name, "hostile") ? 0 : -EIO;
}

static long probe_get_size(struct hostile *h)
{
	return ash_get_size(h->fd) == (int)hostile_size() ? 0 : -EIO;
}

static long probe_get_mask(struct hostile *h)
{
	return ash_get_mask(h->fd) == PROT_RWX ? 0 : -EIO;
}

static long probe_set_mask(struct hostile *h)
{
	return ash_set_mask(h->fd, PROT_RWX);
}

static long probe_file_id(struct hostile *h)
{
	unsigned long id;

	return ash_file_id(h->fd, &id);
}

static long probe_fdinfo(struct hostile *h)
{
	return fdinfo_number(h->fd, "unpinned_pages") >= OLDER ? 0 : -EIO;
}

static long probe_read(struct hostile *h)
{
	char byte;

	return RET(pread(h->fd, &byte, 1, 0)) == 1 ? 0 : -EIO;
}

static long probe_seek(struct hostile *h)
{
	return RET(lseek(h->fd, 0, SEEK_END)) == (long long)hostile_size() ? 0 : -EIO;
}

static long probe_status(struct hostile *h)
{
	return ash_pin_status(h->fd, 0, (uint32_t)page_size()) == ASHMEM_IS_UNPINNED ? 0 : -EIO;
}

static long probe_pin(struct hostile *h)
{
	uint32_t p = (uint32_t)page_size();

	return ash_pin(h->fd, 4 * p, p) == ASHMEM_NOT_PURGED ? 0 : -EIO;
}

static long probe_unpin(struct hostile *h)
{
	uint32_t p = (uint32_t)page_size();

	return ash_unpin(h->fd, 5 * p, p);
}

static const struct probe {
	const char *name;
	long (*call)(struct hostile *h);
} probes[] = {
	{ "mmap", probe_map },
	{ "private mmap", probe_map_private },
	{ "fault beside mmap", probe_fault_beside_a_mapper },
	{ "munmap beside mmap", probe_munmap_beside_a_mapper },
	{ "GET_NAME", probe_get_name },
	{ "GET_SIZE", probe_get_size },
	{ "GET_PROT_MASK", probe_get_mask },
	{ "SET_PROT_MASK", probe_set_mask },
	{ "GET_FILE_ID", probe_file_id },
	{ "fdinfo", probe_fdinfo },
	{ "read", probe_read },
	{ "lseek", probe_seek },
	{ "GET_PIN_STATUS", probe_status },
	{ "PIN", probe_pin },
	{ "UNPIN", probe_unpin },
};

/* Each is a separate process, all are under way at once. */
TEST_F(starved, region_can_be_used_by_others)
{
	struct hostile *h = &self->h;
	int status[ARRAY_SIZE(probes)], naps, waiting = ARRAY_SIZE(probes);
	pid_t pid[ARRAY_SIZE(probes)];
	double from;
	size_t i;

	/* The first private mapping makes a file: not here. */
	ASSERT_EQ(0, probe_map_private(h));
	ASSERT_TRUE(hostile_begin(h));
	from = cpu_seconds(h->cpu_time);
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		pid[i] = fork();
		ASSERT_LE(0, pid[i]);
		if (!pid[i]) {
			long ret = probes[i].call(h);

			if (ret)
				fprintf(stderr, "# %s: %ld\n", probes[i].name, ret);
			_exit(!!ret);
		}
	}
	for (naps = 0; waiting && (naps < PATIENCE ||
				   (naps < 10 * PATIENCE &&
				    cpu_seconds(h->cpu_time) < from + RUN_S)); naps++) {
		nap_ms(10);
		for (i = 0; i < ARRAY_SIZE(probes); i++) {
			if (pid[i] && waitpid(pid[i], &status[i], WNOHANG) == pid[i]) {
				pid[i] = 0;
				waiting--;
			}
		}
		/* Nothing delays them from here on. */
		if (atomic_load(&h->progress->done))
			break;
	}
	TH_LOG("%d of %zu wait after %d ms, in which the call ran for %.0f ms; it %s", waiting,
	       ARRAY_SIZE(probes), naps * 10, 1e3 * (cpu_seconds(h->cpu_time) - from),
	       how_far(h));
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		EXPECT_TRUE(!pid[i]) {
			TH_LOG("%s waits", probes[i].name);
		}
	}
	stop_hogs(h);
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		if (pid[i])
			status[i] = wait_child(pid[i]);
		EXPECT_EQ(0, status[i]) {
			TH_LOG("%s failed", probes[i].name);
		}
	}
}

TEST_HARNESS_MAIN
