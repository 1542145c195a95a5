// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracepoints: their output for each call, as text for trace-cmd and cat, and as records
 * for perf.
 */
#include "kselftest_harness.h"

#include <linux/perf_event.h>
#include <stdarg.h>

#include "reclaim_util.h"

static const char * const events[] = {
	"ashmem_open", "ashmem_map", "ashmem_pin", "ashmem_unpin", "ashmem_purge",
	"ashmem_shrinker_count", "ashmem_shrinker_scan",
};

static const char *tracefs(void)
{
	static const char * const dirs[] = {
		"/sys/kernel/tracing", "/sys/kernel/debug/tracing",
	};
	char path[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "%s/events/ashmem", dirs[i]);
		if (!access(path, R_OK | X_OK))
			return dirs[i];
	}
	return NULL;
}

/* Our own trace buffer beside those of others. */
struct buffer {
	const char *tracefs;
	char dir[128];
	char *text;
};

FIXTURE(trace)
{
	struct buffer b;
	size_t p;
	unsigned long id;
	struct cache c;
};

#define TEXT_MAX	1048576

static int put(const char *dir, const char *name, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return put_file(path, value);
}

FIXTURE_SETUP(trace)
{
	/*
	 * Switching tracepoints rewrites code. QEMU may have another processor run
	 * what stood there in between, an int3 that no longer belongs there. So
	 * what is switched here is code that only this processor runs; the guest's
	 * init keeps the trace from switching sched_switch as well.
	 */
	ASSERT_EQ(0, stay_on(0));
	self->p = page_size();
	self->c.fd = -1;
	self->b.tracefs = tracefs();
	if (!self->b.tracefs)
		SKIP(return, "needs root and tracefs mounted");
	snprintf(self->b.dir, sizeof(self->b.dir), "%s/instances/ashmem-%d",
		 self->b.tracefs, (int)getpid());
	ASSERT_EQ(0, mkdir(self->b.dir, 0700));
	self->b.text = malloc(TEXT_MAX);
	ASSERT_NE(NULL, self->b.text);

	ASSERT_TRUE(purge_works());
	ASSERT_EQ(0, put(self->b.dir, "events/ashmem/enable", "1"));
	ASSERT_EQ(0, cache_open(&self->c, "traced", 8 * self->p, 3));
	ASSERT_EQ(0, ash_file_id(self->c.fd, &self->id));
	cache_fill(&self->c);
}

FIXTURE_TEARDOWN(trace)
{
	cache_close(&self->c);
	free(self->b.text);
	if (self->b.tracefs) {
		put(self->b.dir, "events/ashmem/enable", "0");
		rmdir(self->b.dir);
	}
}

/* Opening it with O_TRUNC empties the buffer. */
static int forget(struct buffer *b)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/trace", b->dir);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	return fd < 0 ? -errno : close(fd);
}

static bool read_trace(struct buffer *b)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/trace", b->dir);
	return get_file(path, b->text, TEXT_MAX) > 0;
}

/* How many lines of the trace hold "event: words"; all such lines of any task. */
static int traced(struct buffer *b, const char *fmt, ...)
{
	char want[256];
	const char *at;
	va_list args;
	int n = 0;

	va_start(args, fmt);
	vsnprintf(want, sizeof(want), fmt, args);
	va_end(args);
	if (!read_trace(b))
		return -1;
	for (at = b->text; (at = strstr(at, want)); at += strlen(want))
		n++;
	return n;
}

/* The sum of the numbers behind "@key=" in the lines that hold @words. */
static unsigned long long sum_of(struct buffer *b, const char *words, const char *key)
{
	unsigned long long sum = 0;
	char *line, *save, want[32];
	const char *at;

	if (!read_trace(b))
		return 0;
	snprintf(want, sizeof(want), " %s=", key);
	for (line = strtok_r(b->text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		at = strstr(line, words) ? strstr(line, want) : NULL;
		if (at)
			sum += strtoull(at + strlen(want), NULL, 10);
	}
	return sum;
}

TEST_F(trace, opening_and_mapping_say_which_region)
{
	unsigned long a = (unsigned long)self->c.a;
	unsigned char *priv;

	EXPECT_EQ(1, traced(&self->b, " ashmem_open: region="));
	EXPECT_EQ(1, traced(&self->b, " ino=%lu size=%zu start=%#lx end=%#lx shared\n", self->id,
			    self->c.len, a, a + self->c.len));
	priv = mmap(NULL, self->p, PROT_READ, MAP_PRIVATE, self->c.fd, 0);
	ASSERT_NE(MAP_FAILED, priv);
	EXPECT_EQ(1, traced(&self->b, " ino=%lu size=%zu start=%#lx end=%#lx private\n", self->id,
			    self->c.len, (unsigned long)priv, (unsigned long)priv + self->p));
	EXPECT_EQ(2, traced(&self->b, " ashmem_map: region="));
	munmap(priv, self->p);
}

TEST_F(trace, pinning_says_which_pages_and_what_came_of_it)
{
	ASSERT_EQ(0, cache_unpin_part(&self->c, 2, 3));
	EXPECT_EQ(1, traced(&self->b, " ashmem_unpin: ino=%lu first=2 pages=3\n", self->id));
	ASSERT_EQ(ASHMEM_NOT_PURGED, cache_pin_part(&self->c, 3, 1));
	EXPECT_EQ(1, traced(&self->b, " ashmem_pin: ino=%lu first=3 pages=1 not_purged\n",
			    self->id));
	ASSERT_LE(0, ash_purge_all(self->c.fd));
	ASSERT_EQ(ASHMEM_WAS_PURGED, cache_pin(&self->c));
	EXPECT_EQ(1, traced(&self->b, " ashmem_pin: ino=%lu first=0 pages=8 was_purged\n",
			    self->id));
	EXPECT_EQ(1, traced(&self->b, " ashmem_unpin: "));
	EXPECT_EQ(2, traced(&self->b, " ashmem_pin: "));
}

TEST_F(trace, what_is_refused_is_not_traced)
{
	ASSERT_EQ(0, forget(&self->b));
	EXPECT_EQ(-EINVAL, cache_unpin_part(&self->c, 0, 9));
	EXPECT_EQ(-EINVAL, cache_pin_part(&self->c, 8, 1));
	EXPECT_EQ(-EINVAL, map_errno(self->c.fd, 9 * self->p, PROT_READ, MAP_SHARED, 0));
	/* Without the right to write: neither by the mask nor by a mapping. */
	ASSERT_EQ(0, munmap(self->c.a, self->c.len));
	ASSERT_EQ(0, ash_set_mask(self->c.fd, PROT_READ));
	EXPECT_EQ(-EPERM, cache_unpin(&self->c));
	EXPECT_EQ(-EPERM, map_errno(self->c.fd, self->p, PROT_WRITE, MAP_SHARED, 0));
	EXPECT_EQ(0, traced(&self->b, " ashmem_"));
}

TEST_F(trace, a_purge_by_command_says_pages_and_time)
{
	/* Of 5 pages 4 are in memory. */
	ASSERT_EQ(0, madvise(self->c.a + 5 * self->p, self->p, MADV_REMOVE));
	ASSERT_EQ(0, cache_unpin_part(&self->c, 1, 5));
	ASSERT_EQ(5, ash_purge_all(self->c.fd));
	EXPECT_EQ(1, traced(&self->b,
			    " ashmem_purge: ino=%lu first=1 pages=5 freed=4 reason=command nsecs=",
			    self->id));
	EXPECT_EQ(1, traced(&self->b, " ashmem_purge: "));
	EXPECT_LT(0, sum_of(&self->b, " ashmem_purge: ", "nsecs"));
	/* Nothing is left to purge. */
	ASSERT_EQ(0, forget(&self->b));
	ASSERT_EQ(0, ash_purge_all(self->c.fd));
	EXPECT_EQ(0, traced(&self->b, " ashmem_purge: "));
}

TEST_F(trace, a_purge_for_want_of_memory_says_who_asked)
{
	ASSERT_EQ(0, cache_unpin(&self->c));
	ASSERT_EQ(0, shrink_everything());
	EXPECT_EQ(1, traced(&self->b,
			    " ashmem_purge: ino=%lu first=0 pages=8 freed=8 reason=pressure nsecs=",
			    self->id));
	EXPECT_EQ(8, sum_of(&self->b, " ashmem_shrinker_scan: ", "scanned"));
	EXPECT_EQ(8, sum_of(&self->b, " ashmem_shrinker_scan: ", "freed"));
	EXPECT_LE(8, sum_of(&self->b, " ashmem_shrinker_count: ", "pages"));
	EXPECT_LE(1, traced(&self->b, " ashmem_shrinker_count: nid=%d pages=8\n", 0) +
		     traced(&self->b, " ashmem_shrinker_count: nid=%d pages=8\n", 1));
}

/* ---- as perf records them ---- */

/*
 * Per CPU instead of per task: counting for a task patches code in the scheduler, which
 * other CPUs run.
 */
static int perf_open(struct buffer *b, const char *event, __u64 sample)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_type = sample,
		.sample_period = 1,
		.wakeup_events = 1,
	};
	char path[256], text[32];

	snprintf(path, sizeof(path), "%s/events/ashmem/%s/id", b->tracefs, event);
	if (get_file(path, text, sizeof(text)) <= 0)
		return -ENOENT;
	attr.config = strtoull(text, NULL, 10);
	return (int)RET(syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC));
}

/* Triggers each event of the table at least once. */
static void do_everything(struct __test_metadata *_metadata)
{
	struct cache c;

	ASSERT_EQ(0, cache_open(&c, "counted", 2 * page_size(), 4));
	cache_fill(&c);
	ASSERT_EQ(0, cache_unpin(&c));
	ASSERT_EQ(0, shrink_everything());
	ASSERT_EQ(ASHMEM_WAS_PURGED, cache_pin(&c));
	cache_close(&c);
}

TEST_F(trace, perf_counts_every_event)
{
	unsigned long long counted[2][ARRAY_SIZE(events)];
	int fds[ARRAY_SIZE(events)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		fds[i] = perf_open(&self->b, events[i], 0);
		if (fds[i] == -ENOSYS)
			SKIP(return, "needs CONFIG_PERF_EVENTS");
		ASSERT_LE(0, fds[i]);
		ASSERT_EQ(8, read(fds[i], &counted[0][i], 8));
	}
	do_everything(_metadata);
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		ASSERT_EQ(8, read(fds[i], &counted[1][i], 8));
		EXPECT_LT(counted[0][i], counted[1][i]) {
			TH_LOG("%s", events[i]);
		}
		close(fds[i]);
	}
	/* Calls are counted one by one. */
	EXPECT_EQ(1, counted[1][0] - counted[0][0]);
	EXPECT_EQ(1, counted[1][2] - counted[0][2]);
}

/*
 * libtraceevent, which perf and trace-cmd print by, takes a - b + c for
 * a - (b + c): a format that computes prints different values in different tools.
 */
TEST_F(trace, formats_do_not_reckon)
{
	char path[256], text[4096], *arguments;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		snprintf(path, sizeof(path), "%s/events/ashmem/%s/format", self->b.tracefs,
			 events[i]);
		ASSERT_LT(0, get_file(path, text, sizeof(text)));
		arguments = strstr(text, "\", REC->");
		ASSERT_NE(NULL, arguments);
		EXPECT_EQ(NULL, strpbrk(arguments, "+*/"));
		EXPECT_EQ(NULL, strstr(arguments, " - "));
	}
}

/* Offset and size of field @name in a record, by the event's format file. */
static bool field_of(struct buffer *b, const char *event, const char *name,
		     unsigned int *offset, unsigned int *size)
{
	char path[256], want[64], text[4096];
	const char *at;

	snprintf(path, sizeof(path), "%s/events/ashmem/%s/format", b->tracefs, event);
	snprintf(want, sizeof(want), " %s;\toffset:", name);
	if (get_file(path, text, sizeof(text)) <= 0)
		return false;
	at = strstr(text, want);
	return at && sscanf(at + strlen(want), "%u;\tsize:%u;", offset, size) == 2;
}

TEST_F(trace, perf_records_have_the_fields)
{
	static const char * const names[] = { "ino", "first", "pages" };
	unsigned long want[] = { self->id, 2, 3 };
	struct perf_event_mmap_page *ring;
	unsigned int offset, size, i;
	struct {
		struct perf_event_header header;
		__u32 size;
		unsigned char raw[];
	} *record;
	int fd;

	fd = perf_open(&self->b, "ashmem_unpin", PERF_SAMPLE_RAW);
	if (fd == -ENOSYS)
		SKIP(return, "needs CONFIG_PERF_EVENTS");
	ASSERT_LE(0, fd);
	ring = mmap(NULL, 2 * self->p, PROT_RW, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, ring);
	ASSERT_EQ(0, cache_unpin_part(&self->c, 2, 3));

	ASSERT_LT(0, ring->data_head);
	record = (void *)((unsigned char *)ring + self->p);
	ASSERT_EQ(PERF_RECORD_SAMPLE, record->header.type);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		unsigned long long value = 0;

		ASSERT_TRUE(field_of(&self->b, "ashmem_unpin", names[i], &offset, &size));
		ASSERT_LE(offset + size, record->size);
		memcpy(&value, record->raw + offset, size);
		EXPECT_EQ(want[i], value);
	}
	munmap(ring, 2 * self->p);
	close(fd);
}

TEST_HARNESS_MAIN
