// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames as fast as possible for some seconds: between processes, between threads of one
 * process (where ThreadSanitizer can detect races), and between 64-bit and 32-bit
 * programs.
 *
 * Started as "PROGRAM --consume FD" it is the other end of the latter.
 */
#include <limits.h>
#include <pthread.h>

#include "kselftest_harness.h"
#include "lib_util.h"
#include "lib_both.h"
#include "frame_util.h"

/*
 * At least this long and this many frames: a guest may stall. Problems of 32 bits show
 * soon.
 */
enum { MAX = 100000, MILLISECONDS = sizeof(long) == 8 ? 1500 : 500, AT_LEAST = 100 };

/* Random lengths, mostly small; @first_tag + n is the tag of the nth. */
static int produce(struct ashm_writer *w, long until, uint64_t *written)
{
	struct rng rng = { rng_seed() };
	char *buf = malloc(MAX);
	uint64_t tag = 0;
	void *data;
	size_t len;
	int ret = 0;

	if (!buf)
		return -ENOMEM;
	while (!ret && (tag < AT_LEAST || now_ms() < until)) {
		len = rng_below(&rng, 8) ? rng_below(&rng, 2000) :
					   rng_below(&rng, MAX + 1);
		tag++;
		if (rng_below(&rng, 4)) {
			frame_fill(buf, len, tag);
			ret = ashm_frame_write(w, buf, len, tag, 30000);
			continue;
		}
		/* Made in place, sometimes aborted. */
		ret = ashm_frame_begin(w, len, &data, 30000);
		if (ret)
			break;
		frame_fill(data, len, tag);
		if (!rng_below(&rng, 16)) {
			ret = ashm_frame_abort(w);
			tag--;
		} else {
			ret = ashm_frame_commit(w, len, tag);
		}
	}
	free(buf);
	*written = tag;
	return ret;
}

/* Reads to the end; @every: no frame may be missed. True if all was right. */
static bool consume(struct ashm_reader *r, bool every, bool borrow,
		    uint64_t *read)
{
	char *buf = malloc(MAX);
	uint64_t next = 1, torn = 0;
	struct ashm_frame f;
	bool right;
	int ret;

	*read = 0;
	if (!buf)
		return false;
	for (;;) {
		if (borrow && next % 3 == 0) {
			ret = ashm_frame_borrow(r, &f, 30000);
			if (!ret) {
				right = frame_filled(f.data, (size_t)f.length,
						     f.tag);
				ret = ashm_frame_release(r);
				if (ret == -ESTALE && !every) {
					torn++;
					next = f.seq + 1;
					continue;
				}
			}
		} else {
			ret = ashm_frame_read(r, buf, MAX, &f, 30000);
			if (!ret)
				right = frame_filled(buf, (size_t)f.length, f.tag);
		}
		if (ret == -EBUSY && !every)
			continue;
		if (ret)
			break;
		/* A late reader may begin anywhere, and miss frames. */
		if (!every && !*read)
			next = f.seq - f.missed;
		if (!right || f.tag != f.seq || f.seq != next + f.missed ||
		    (every && f.missed)) {
			fprintf(stderr, "# frame %llu, tag %llu, missed %llu: %s\n",
				(unsigned long long)f.seq,
				(unsigned long long)f.tag,
				(unsigned long long)f.missed,
				right ? "out of order" : "damaged");
			ret = -EILSEQ;
			break;
		}
		next = f.seq + 1;
		++*read;
	}
	free(buf);
	if (ret != -EPIPE)
		fprintf(stderr, "# ended with %d behind frame %llu\n", ret,
			(unsigned long long)next - 1);
	return ret == -EPIPE;
}

static void between_processes(struct __test_metadata *_metadata, uint32_t flags)
{
	enum { READERS = 3 };
	bool every = flags & ASHM_RING_WAIT;
	uint64_t written, read;
	struct ashm_writer *w;
	struct test_ring b;
	pid_t child[READERS];
	int i;

	ASSERT_EQ(0, ring_new(&b, MAX, 8, flags, every ? READERS : 0));
	for (i = 0; i < READERS; i++) {
		child[i] = fork();
		ASSERT_GE(child[i], 0);
		if (!child[i]) {
			struct ashm_ring *ring;
			struct ashm_reader *r;

			CHILD_CHECK(!ashm_ring_attach(ashm_fd(b.region), 0, &ring));
			CHILD_CHECK(!ashm_ring_reader(ring, 0, &r));
			CHILD_CHECK(consume(r, every, true, &read));
			CHILD_CHECK(read > 0);
			_exit(0);
		}
	}
	for (i = 0; every && i < 4000 && raw_joins(&b) < READERS; i++)
		nap_ms(5);
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	EXPECT_EQ(0, produce(w, now_ms() + MILLISECONDS, &written));
	ashm_ring_writer_close(w);
	for (i = 0; i < READERS; i++)
		EXPECT_EQ(0, wait_child(child[i]));
	TH_LOG("%llu frames", (unsigned long long)written);
	ring_free(&b);
}

TEST_F_TIMEOUT(lib, processes_overwrite, 120)
{
	between_processes(_metadata, 0);
}

/* Numbers alone have to tell what was overwritten. */
TEST_F_TIMEOUT(lib, processes_unchecked, 120)
{
	between_processes(_metadata, ASHM_RING_UNCHECKED);
}

TEST_F_TIMEOUT(lib, processes_wait, 120)
{
	between_processes(_metadata, ASHM_RING_WAIT);
}

struct thread {
	pthread_t id;
	struct ashm_reader *r;
	bool every, right;
	uint64_t read;
};

static void *reading(void *arg)
{
	struct thread *t = arg;

	/*
	 * Overwriting a borrowed frame is a data race, which the reader detects only
	 * afterwards.
	 */
	t->right = consume(t->r, t->every, t->every, &t->read);
	return NULL;
}

static void between_threads(struct __test_metadata *_metadata, uint32_t flags)
{
	struct thread t[2] = { { 0 } };
	struct ashm_writer *w;
	struct test_ring b;
	uint64_t written;
	size_t i;

	ASSERT_EQ(0, ring_new(&b, MAX, 8, flags, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	for (i = 0; i < 2; i++) {
		t[i].every = flags;
		ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &t[i].r));
		ASSERT_EQ(0, pthread_create(&t[i].id, NULL, reading, &t[i]));
	}
	EXPECT_EQ(0, produce(w, now_ms() + MILLISECONDS / 2, &written));
	ashm_ring_writer_close(w);
	for (i = 0; i < 2; i++) {
		pthread_join(t[i].id, NULL);
		EXPECT_TRUE(t[i].right);
		EXPECT_GT(t[i].read, 0);
		if (flags)
			EXPECT_EQ(written, t[i].read);
		ashm_ring_reader_close(t[i].r);
	}
	ring_free(&b);
}

/* Frames are made in place there, which mustn't race with readers either. */
TEST_F_TIMEOUT(lib, threads_wait, 120)
{
	between_threads(_metadata, ASHM_RING_WAIT);
}

/* Here all frames are copied, and may be overwritten during the copy. */
TEST_F_TIMEOUT(lib, threads_overwrite, 120)
{
	long until = now_ms() + MILLISECONDS / 2;
	struct thread t[2] = { { 0 } };
	struct ashm_writer *w;
	struct test_ring b;
	uint64_t n;
	size_t i;

	ASSERT_EQ(0, ring_new(&b, MAX, 3, 0, 0));
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ashm_ring_reader(b.ring, 0, &t[i].r));
		ASSERT_EQ(0, pthread_create(&t[i].id, NULL, reading, &t[i]));
	}
	for (n = 1; n <= AT_LEAST || now_ms() < until; n++) {
		ASSERT_EQ(0, put(w, n % 3 ? 500 : 5000, n, 0));
	}
	ashm_ring_writer_close(w);
	for (i = 0; i < 2; i++) {
		pthread_join(t[i].id, NULL);
		EXPECT_TRUE(t[i].right);
		EXPECT_GT(t[i].read, 0);
		ashm_ring_reader_close(t[i].r);
	}
	ring_free(&b);
}

/* Handles come and go while others use the ring: the guardian starts and ends. */
static void *coming_and_going(void *arg)
{
	struct test_ring *b = arg;
	struct ashm_ring *ring;
	struct ashm_reader *r;
	int i;

	for (i = 0; i < 200; i++) {
		if (ashm_ring_attach(ashm_fd(b->region), 0, &ring))
			return arg;
		if (ashm_ring_reader(ring, 0, &r))
			return arg;
		ashm_ring_detach(ring);
		ashm_ring_reader_close(r);
	}
	return NULL;
}

TEST_F_TIMEOUT(lib, threads_join, 120)
{
	pthread_t id[4];
	struct test_ring b;
	void *failed;
	size_t i;

	ASSERT_EQ(0, ring_new(&b, 100, 4, ASHM_RING_WAIT, 4));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pthread_create(&id[i], NULL, coming_and_going, &b));
	}
	for (i = 0; i < 4; i++) {
		pthread_join(id[i], &failed);
		EXPECT_EQ(NULL, failed);
	}
	ring_free(&b);
}

/* ---- between word sizes ---- */

static int consume_main(int fd)
{
	struct ashm_ring *ring;
	struct ashm_reader *r;
	uint64_t read = 0;

	CHILD_CHECK(!ashm_ring_attach(fd, 0, &ring));
	CHILD_CHECK(!ashm_ring_reader(ring, 0, &r));
	CHILD_CHECK(consume(r, true, true, &read));
	fprintf(stderr, "# %zu-bit consumer: %llu frames\n", sizeof(long) * 8,
		(unsigned long long)read);
	ashm_ring_reader_close(r);
	ashm_ring_detach(ring);
	return 0;
}

/*
 * This program built for the other word size: FRAME_OTHER, or the one with or without
 * "-32" at the end of its name.
 */
static bool other_program(char *path)
{
	const char *env = getenv("FRAME_OTHER");
	ssize_t len;

	if (env) {
		snprintf(path, PATH_MAX, "%s", env);
		return !access(path, X_OK);
	}
	len = readlink("/proc/self/exe", path, PATH_MAX - 4);
	if (len < 4)
		return false;
	path[len] = '\0';
	if (!strcmp(path + len - 3, "-32"))
		path[len - 3] = '\0';
	else
		strcpy(path + len, "-32");
	return !access(path, X_OK);
}

TEST_F_TIMEOUT(lib, word_sizes, 120)
{
	char path[PATH_MAX], number[16];
	struct ashm_writer *w;
	struct test_ring b;
	uint64_t written;
	pid_t child;
	int fd, i;

	if (!other_program(path))
		SKIP(return, "no program of the other word size");
	ASSERT_EQ(0, ring_new(&b, MAX, 8, ASHM_RING_WAIT, 1));
	fd = dup(ashm_fd(b.region));
	ASSERT_GE(fd, 0);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		snprintf(number, sizeof(number), "%d", fd);
		execl(path, path, "--consume", number, (char *)NULL);
		_exit(1);
	}
	for (i = 0; i < 4000 && !raw_joins(&b); i++)
		nap_ms(5);
	ASSERT_EQ(0, ashm_ring_writer(b.ring, &w));
	EXPECT_EQ(0, produce(w, now_ms() + MILLISECONDS, &written));
	ashm_ring_writer_close(w);
	EXPECT_EQ(0, wait_child(child));
	TH_LOG("%zu-bit producer: %llu frames", sizeof(long) * 8,
	       (unsigned long long)written);
	close(fd);
	ring_free(&b);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--consume"))
		return consume_main(atoi(argv[2]));
	return test_harness_run(argc, argv);
}
