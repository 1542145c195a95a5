// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many threads at once: on their own regions, on one object, and beside fork().
 */
#include "kselftest_harness.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include <ashmem_purgeable.h>

#include "lib_both.h"
#include "frame_util.h"

#define THREADS		6
#define ROUNDS		150

struct job {
	pthread_t thread;
	unsigned int nr;
	int backend;
	struct ashm *region;
	atomic_uint *lost;
	unsigned int errors;
};

static pthread_barrier_t start;

#define JOB_CHECK(job, cond) do { \
	if (!(cond)) { \
		if (!(job)->errors++) \
			fprintf(stderr, "# %s:%d: not true: %s (errno %d)\n", \
				__FILE__, __LINE__, #cond, errno); \
	} \
} while (0)

/* Runs @body in all threads at once; returns the number of errors. */
static unsigned int run_jobs(struct job *jobs, void *(*body)(void *))
{
	unsigned int i, errors = 0;

	if (pthread_barrier_init(&start, NULL, THREADS))
		return 1;
	for (i = 0; i < THREADS; i++) {
		jobs[i].nr = i;
		if (pthread_create(&jobs[i].thread, NULL, body, &jobs[i]))
			abort();
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(jobs[i].thread, NULL);
		errors += jobs[i].errors;
	}
	return errors;
}

/*
 * The first call of all threads is at once, too, when the library detects the machine.
 */
static void *own_regions(void *arg)
{
	struct job *job = arg;
	char byte;
	int i;

	pthread_barrier_wait(&start);
	for (i = 0; i < ROUNDS; i++) {
		struct ashm *r;
		int fd;

		fd = ashmem_create_region("own", page_size());
		JOB_CHECK(job, fd >= 0);
		JOB_CHECK(job, ashmem_valid(fd));
		JOB_CHECK(job, ashm_backend_of(fd) == job->backend);
		JOB_CHECK(job, ashm_backend(NULL) == job->backend);
		JOB_CHECK(job, !ashmem_valid(STDIN_FILENO));
		r = region_adopt(fd);
		JOB_CHECK(job, r);
		if (!r)
			break;
		byte = (char)('a' + job->nr);
		JOB_CHECK(job, !ashm_write(r, &byte, 1, 5));
		byte = 0;
		JOB_CHECK(job, !ashm_read(r, &byte, 1, 5));
		JOB_CHECK(job, byte == (char)('a' + job->nr));
		JOB_CHECK(job, ashm_size(r) == page_size());
		ashm_close(r);
	}
	return NULL;
}

TEST_F(lib, regions_of_their_own)
{
	struct job jobs[THREADS] = { 0 };
	int i;

	for (i = 0; i < THREADS; i++)
		jobs[i].backend = variant->backend;
	EXPECT_EQ(0, run_jobs(jobs, own_regions));
}

/*
 * Each thread has a page of the region. All unpin and pin at any time; copies in between
 * must find the pages pinned, or get an error.
 */
static void *one_region(void *arg)
{
	struct job *job = arg;
	unsigned char buf[64], back[sizeof(buf)];
	uint64_t at = job->nr * page_size();
	int i, ret;

	pthread_barrier_wait(&start);
	for (i = 0; i < ROUNDS; i++) {
		fill(buf, sizeof(buf), job->nr * 1000 + (unsigned int)i);
		ret = ashm_write(job->region, buf, sizeof(buf), at);
		JOB_CHECK(job, !ret || ret == -ENODATA);
		memset(back, 0, sizeof(back));
		if (!ret && !ashm_read(job->region, back, sizeof(back), at))
			JOB_CHECK(job, !memcmp(buf, back, sizeof(buf)) ||
				  atomic_load(job->lost));
		switch ((i + job->nr) % 5) {
		case 0:
			JOB_CHECK(job, !ashm_unpin(job->region));
			break;
		case 1:
			/* Purged by thread 0 in between? */
			ret = ashm_pin(job->region);
			JOB_CHECK(job, ret >= 0);
			if (ret > 0)
				atomic_fetch_add(job->lost, 1);
			break;
		case 2:
			JOB_CHECK(job, ashm_pinned(job->region) >= 0);
			break;
		default:
			break;
		}
	}
	return NULL;
}

TEST_F(lib, one_region)
{
	struct ashm *r = region_new("one", THREADS * page_size());
	struct job jobs[THREADS] = { 0 };
	atomic_uint lost = 0;
	int i;

	ASSERT_NE(NULL, r);
	for (i = 0; i < THREADS; i++) {
		jobs[i].region = r;
		jobs[i].lost = &lost;
	}
	/* Nothing purges: every byte stays, in any order of UNPINs. */
	EXPECT_EQ(0, run_jobs(jobs, one_region));
	EXPECT_EQ(0, atomic_load(&lost));
	EXPECT_EQ(0, ashm_pin(r));
	if (ON_DEVICE)
		EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(ashm_fd(r), 0, 0));
	ashm_close(r);
}

static void *purge_and_copy(void *arg)
{
	struct job *job = arg;
	unsigned char buf[64], back[sizeof(buf)];
	uint64_t at = job->nr * page_size();
	int i, fd, ret;

	pthread_barrier_wait(&start);
	if (!job->nr) {
		fd = ash_open(O_RDWR);
		for (i = 0; i < ROUNDS; i++)
			JOB_CHECK(job, ash_purge_all(fd) >= 0);
		close(fd);
		return NULL;
	}
	fill(buf, sizeof(buf), job->nr);
	for (i = 0; i < ROUNDS; i++) {
		memset(back, 0xcc, sizeof(back));
		ret = ashm_read(job->region, back, sizeof(back), at);
		/* A read without an error returns what was written. */
		if (!ret)
			JOB_CHECK(job, !memcmp(buf, back, sizeof(buf)));
		else
			JOB_CHECK(job, ret == -ENODATA);
	}
	return NULL;
}

TEST_F(lib, purged_under_readers)
{
	struct job jobs[THREADS] = { 0 };
	unsigned int i, lost = 0, round;
	unsigned char buf[64];
	struct ashm *r;

	if (!ON_DEVICE)
		SKIP(return, "memfd is never purged");
	if (!purge_works())
		SKIP(return, "purging needs root");
	r = region_new("purged", THREADS * page_size());
	ASSERT_NE(NULL, r);
	for (round = 0; round < 10; round++) {
		for (i = 0; i < THREADS; i++) {
			jobs[i].region = r;
			fill(buf, sizeof(buf), i);
			ASSERT_EQ(0, ashm_write(r, buf, sizeof(buf),
						i * page_size()));
		}
		ASSERT_EQ(0, ashm_unpin(r));
		ASSERT_EQ(0, run_jobs(jobs, purge_and_copy));
		lost += (unsigned int)ashm_pin(r);
	}
	EXPECT_NE(0, lost);
	ashm_close(r);
}

/*
 * A writer is stopped in the middle of its copy: the page that it copies from can't be
 * read until it may continue.
 */
static struct {
	char *page;
	int arrived[2], go[2];
} stopped;

static void stop_here(int sig)
{
	char byte = 0;

	/* Other faults are not for this handler. */
	if (write(stopped.arrived[1], &byte, 1) != 1 ||
	    read(stopped.go[0], &byte, 1) != 1 ||
	    mprotect(stopped.page, page_size(), PROT_RW))
		_exit(128 + sig);
}

static void *write_stopped(void *arg)
{
	struct ashm *r = arg;

	return ashm_write(r, stopped.page, page_size(), 0) ? r : NULL;
}

TEST_F(lib, pinned_for_the_slowest)
{
	struct sigaction act = { .sa_handler = stop_here };
	struct ashm *r = region_new("slow", 2 * page_size());
	pthread_t thread;
	void *failed;
	char byte;

	ASSERT_NE(NULL, r);
	stopped.page = mmap(NULL, page_size(), PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, stopped.page);
	ASSERT_EQ(0, pipe(stopped.arrived));
	ASSERT_EQ(0, pipe(stopped.go));
	sigemptyset(&act.sa_mask);
	ASSERT_EQ(0, sigaction(SIGSEGV, &act, NULL));
	ASSERT_EQ(0, ashm_write(r, "x", 1, page_size()));
	ASSERT_EQ(0, ashm_unpin(r));

	ASSERT_EQ(0, pthread_create(&thread, NULL, write_stopped, r));
	ASSERT_EQ(1, read(stopped.arrived[0], &byte, 1));
	/* Other threads start and end copies, and the caller pins and unpins. */
	EXPECT_EQ(0, ashm_read(r, &byte, 1, page_size()));
	EXPECT_EQ('x', byte);
	if (ON_DEVICE)
		EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(ashm_fd(r), 0, 0));
	EXPECT_EQ(0, ashm_pin(r));
	EXPECT_EQ(0, ashm_unpin(r));
	if (ON_DEVICE)
		EXPECT_EQ(ASHMEM_IS_PINNED, ash_pin_status(ashm_fd(r), 0, 0));
	ASSERT_EQ(1, write(stopped.go[1], &byte, 1));
	ASSERT_EQ(0, pthread_join(thread, &failed));
	EXPECT_EQ(NULL, failed);
	if (ON_DEVICE)
		EXPECT_EQ(ASHMEM_IS_UNPINNED, ash_pin_status(ashm_fd(r), 0, 0));
	ashm_close(r);
}

/* Each thread that shares it gets its own descriptor. */
static void *share(void *arg)
{
	struct job *job = arg;
	int fd;

	pthread_barrier_wait(&start);
	fd = ashm_share_readonly(job->region);
	JOB_CHECK(job, fd >= 0);
	JOB_CHECK(job, map_errno(fd, page_size(), PROT_RW, MAP_SHARED, 0) < 0);
	JOB_CHECK(job, !ashm_write(job->region, "x", 1, job->nr));
	close(fd);
	return NULL;
}

TEST_F(lib, share_at_once)
{
	int i, round, before = count_fds();

	for (round = 0; round < 20; round++) {
		struct ashm *r = region_new("share", page_size());
		struct job jobs[THREADS] = { 0 };
		char buf[THREADS];

		ASSERT_NE(NULL, r);
		for (i = 0; i < THREADS; i++)
			jobs[i].region = r;
		EXPECT_EQ(0, run_jobs(jobs, share));
		EXPECT_EQ(0, ashm_read(r, buf, sizeof(buf), 0));
		EXPECT_TRUE(all_bytes(buf, sizeof(buf), 'x'));
		ashm_close(r);
	}
	EXPECT_EQ(before, count_fds());
}

/* ---- fork() ---- */

/* Time enough for a call that waits for no other thread. */
#define HANG_S		10

static int claims(void)
{
	struct ashm_writer *w;
	struct test_ring b;
	int ret = ring_new(&b, 64, 2, 0, 0);

	if (!ret)
		ret = ashm_ring_writer(b.ring, &w);
	if (ret)
		return ret;
	ashm_ring_writer_close(w);
	ring_free(&b);
	return 0;
}

static int nothing(void *data, void *contents, size_t size)
{
	(void)data;
	memset(contents, 0, size);
	return 0;
}

static int makes_objects(void)
{
	struct ashm_purgeable *o;
	int ret = ashm_purgeable_create("object", page_size(), nothing, NULL, &o);

	if (!ret)
		ashm_purgeable_destroy(o);
	return ret;
}

struct caller {
	int (*call)(void);
	int ret;
};

/* A lock of the program's, which its handlers of fork() take, too. */
static struct {
	pthread_mutex_t lock;
	atomic_bool held, forks;
} program = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void program_forks(void)
{
	atomic_store(&program.forks, true);
	pthread_mutex_lock(&program.lock);
}

static void program_forked(void)
{
	pthread_mutex_unlock(&program.lock);
}

__attribute__((constructor)) static void watch_forks(void)
{
	if (pthread_atfork(program_forks, program_forked, program_forked))
		abort();
}

static void *call_with_lock(void *arg)
{
	struct caller *caller = arg;

	pthread_mutex_lock(&program.lock);
	atomic_store(&program.held, true);
	while (!atomic_load(&program.forks))
		nap_ms(1);
	caller->ret = caller->call();
	pthread_mutex_unlock(&program.lock);
	return NULL;
}

/* The program's handlers are as early as can be, and wait for a thread that calls. */
TEST_F(lib, fork_waits_for_a_caller)
{
	struct caller callers[] = { { claims, -1 }, { makes_objects, -1 } };
	pthread_t thread;
	unsigned int i;
	pid_t pid;

	NO_TSAN();
	for (i = 0; i < ARRAY_SIZE(callers); i++) {
		ASSERT_EQ(0, callers[i].call());
		atomic_store(&program.held, false);
		atomic_store(&program.forks, false);
		ASSERT_EQ(0, pthread_create(&thread, NULL, call_with_lock, &callers[i]));
		while (!atomic_load(&program.held))
			nap_ms(1);
		alarm(HANG_S);
		pid = fork();
		if (!pid)
			_exit(callers[i].call() ? 1 : 0);
		EXPECT_EQ(0, wait_child(pid));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_EQ(0, callers[i].ret);
		alarm(0);
	}
}

static atomic_int gate;

enum { OPEN, CLOSED, REACHED };

/* Stands before the C library's: the guardian gives itself a name before it is there. */
int prctl(int option, ...)
{
	int reached = CLOSED, i;
	unsigned long arg[4];
	va_list list;

	va_start(list, option);
	for (i = 0; i < 4; i++)
		arg[i] = va_arg(list, unsigned long);
	va_end(list);
	if (option == PR_SET_NAME && atomic_compare_exchange_strong(&gate, &reached, REACHED))
		while (atomic_load(&gate) == REACHED)
			nap_ms(1);
	return (int)syscall(SYS_prctl, (long)option, arg[0], arg[1], arg[2], arg[3]);
}

static void *call_it(void *arg)
{
	struct caller *caller = arg;

	caller->ret = caller->call();
	return NULL;
}

/* The child doesn't have the thread that is in a claim, nor what that has locked. */
TEST_F(lib, fork_in_a_first_claim)
{
	struct caller caller = { claims, -1 };
	pthread_t thread;
	int status;
	pid_t pid;

	NO_TSAN();
	alarm(HANG_S);
	atomic_store(&gate, CLOSED);
	ASSERT_EQ(0, pthread_create(&thread, NULL, call_it, &caller));
	while (atomic_load(&gate) == CLOSED)
		nap_ms(1);
	pid = fork();
	if (!pid) {
		alarm(HANG_S);
		atomic_store(&gate, OPEN);
		if (claims())
			_exit(1);
		raise(SIGSTOP);
	}
	/* What the lost thread had is a leak in the child, if valgrind sees it end. */
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	kill(pid, SIGKILL);
	wait_child(pid);
	atomic_store(&gate, OPEN);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, caller.ret);
}

TEST_HARNESS_MAIN
