// SPDX-License-Identifier: GPL-2.0-only
/*
 * A purgeable range belongs to the group that its pages are charged to, whichever
 * task unpinned it: one region can have several payers, the task that unpins can be
 * of any group, and the payer can be gone.
 *
 * "Takes all of a group" is memory.reclaim of more than the group has.
 */
#include "kselftest_harness.h"
#include "cgroup_util.h"

#include <linux/sched.h>
#include <sys/resource.h>

static void reclaim_all_of(const struct group *g)
{
	set_knob_bytes(g->dir, "memory.reclaim", 64 * MIB);
}

/* ---- unpinned by a task of another group ---- */

/* The owner's cache must save the owner, even after others have used it. */
TEST_F(cgroup, a_reader_in_another_group_leaves_a_cache_to_its_owner)
{
	struct group owner, reader;
	struct cache c;
	long quarter;
	int i;

	ASSERT_EQ(0, group_make(&owner, self->top, "owner"));
	ASSERT_EQ(0, group_make(&reader, self->top, "reader"));
	ASSERT_EQ(0, set_knob_bytes(owner.dir, "memory.max", 10 * MIB));
	ASSERT_EQ(0, make_cache(&owner, &c, "read", 4 * MIB, 1, FILL | UNPIN));
	quarter = c.pages / 4;
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, cache_in_group(&reader, &c, PIN, i * quarter, quarter));
		ASSERT_EQ(0, cache_in_group(&reader, &c, UNPIN, i * quarter, quarter));
	}
	EXPECT_COUNTS(c.fd, c.pages, c.pages, c.pages);
	EXPECT_EQ(0, take_memory(&owner, 8 * MIB));
	EXPECT_EQ(0, event(&owner, "oom_kill"));
	EXPECT_GT(c.pages, counts_of(c.fd).resident);
	EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin(&c));
	cache_close(&c);
}

TEST_F(cgroup, pressure_on_a_reader_takes_nothing_of_the_owner)
{
	struct group owner, reader;
	struct cache c, own;

	ASSERT_EQ(0, group_make(&owner, self->top, "owner"));
	ASSERT_EQ(0, group_make(&reader, self->top, "reader"));
	ASSERT_EQ(0, set_knob_bytes(reader.dir, "memory.max", 10 * MIB));
	ASSERT_EQ(0, make_cache(&owner, &c, "read", 4 * MIB, 1, FILL));
	/* The older one of the two is the owner's. */
	ASSERT_EQ(0, cache_in_group(&reader, &c, UNPIN, 0, c.pages));
	ASSERT_EQ(0, make_cache(&reader, &own, "own", 4 * MIB, 2, FILL | UNPIN));
	EXPECT_EQ(0, take_memory(&reader, 8 * MIB));
	EXPECT_EQ(0, event(&reader, "oom_kill"));
	EXPECT_EQ(0, event(&owner, "max"));
	EXPECT_GT(own.pages, counts_of(own.fd).resident);
	EXPECT_WHOLE(&c);
	cache_close(&c);
	cache_close(&own);
}

/* ---- several payers in one region ---- */

enum { PAYERS = 4, TURNS = 6, PART = 64 };

static long part_of(int payer, int turn)
{
	return (long)(turn * PAYERS + payer) * PART;
}

static long parts_in_memory(struct cache *c, int payer)
{
	long pages = 0;
	int turn;

	for (turn = 0; turn < TURNS; turn++)
		pages += cache_part_in_memory(c, part_of(payer, turn), PART);
	return pages;
}

/* Each finds its own parts by its own pressure, and no others. */
TEST_F(cgroup, each_payer_of_a_region_finds_its_parts)
{
	static const int order[PAYERS] = { 2, 0, 3, 1 };
	struct group g[PAYERS], reader;
	int i, k, turn;
	struct cache c;
	char name[8];

	ASSERT_EQ(0, group_make(&reader, self->top, "reader"));
	ASSERT_EQ(0, cache_open(&c, "shared", PAYERS * TURNS * PART * self->p, 1));
	for (i = 0; i < PAYERS; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		ASSERT_EQ(0, group_make(&g[i], self->top, name));
		for (turn = 0; turn < TURNS; turn++) {
			ASSERT_EQ(0, cache_in_group(&g[i], &c, FILL,
						    part_of(i, turn), PART));
		}
	}
	/* By one task; adjacent parts have different payers. */
	for (i = 0; i < PAYERS * TURNS; i++) {
		ASSERT_EQ(0, cache_in_group(&reader, &c, UNPIN, (long)i * PART, PART));
	}
	EXPECT_COUNTS(c.fd, c.pages, c.pages, c.pages);
	reclaim_all_of(&reader);
	EXPECT_COUNTS(c.fd, c.pages, c.pages, c.pages);

	for (k = 0; k < PAYERS; k++) {
		reclaim_all_of(&g[order[k]]);
		for (i = 0; i < PAYERS; i++)
			EXPECT_EQ(i <= k ? 0 : TURNS * PART,
				  parts_in_memory(&c, order[i]));
		EXPECT_EQ((PAYERS - 1 - k) * TURNS * PART, counts_of(c.fd).purgeable);
	}
	cache_close(&c);
}

/* Each is at its limit, and must survive by its own part. */
TEST_F(cgroup, each_payer_of_a_region_lives_at_its_limit)
{
	enum { N = 3 };
	struct group g[N], reader;
	struct cache c;
	char name[8];
	long part;
	int i;

	ASSERT_EQ(0, group_make(&reader, self->top, "reader"));
	ASSERT_EQ(0, cache_open(&c, "shared", N * 4 * MIB, 1));
	part = c.pages / N;
	for (i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		ASSERT_EQ(0, group_make(&g[i], self->top, name));
		ASSERT_EQ(0, set_knob_bytes(g[i].dir, "memory.max", 10 * MIB));
		ASSERT_EQ(0, cache_in_group(&g[i], &c, FILL, i * part, part));
	}
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, cache_in_group(&reader, &c, UNPIN, i * part, part));
	}
	for (i = N - 1; i >= 0; i--) {
		EXPECT_EQ(0, take_memory(&g[i], 8 * MIB));
		EXPECT_EQ(0, event(&g[i], "oom_kill"));
		EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin_part(&c, i * part, part));
		EXPECT_EQ(i * part, cache_part_in_memory(&c, 0, i * part));
	}
	cache_close(&c);
}

/* Parts of a range that another group unpins again keep their payer. */
TEST_F(cgroup, a_part_unpinned_by_a_stranger_keeps_its_payer)
{
	struct group owner, stranger;
	struct cache c;
	long third;

	ASSERT_EQ(0, group_make(&owner, self->top, "owner"));
	ASSERT_EQ(0, group_make(&stranger, self->top, "stranger"));
	ASSERT_EQ(0, make_cache(&owner, &c, "parts", 3 * MIB, 1, FILL | UNPIN));
	third = c.pages / 3;
	ASSERT_EQ(0, cache_in_group(&stranger, &c, PIN, third, third));
	ASSERT_EQ(0, cache_in_group(&stranger, &c, UNPIN, third, third));
	EXPECT_COUNTS(c.fd, c.pages, c.pages, c.pages);
	reclaim_all_of(&stranger);
	EXPECT_COUNTS(c.fd, c.pages, c.pages, c.pages);
	reclaim_all_of(&owner);
	EXPECT_GONE(&c);
	cache_close(&c);
}

/* ---- which page decides the payer ---- */

/* The first one in memory, however far back it is. */
TEST_F(cgroup, the_first_page_in_memory_tells_the_payer)
{
	struct group owner, other;
	struct cache c;
	long half;

	ASSERT_EQ(0, group_make(&owner, self->top, "owner"));
	ASSERT_EQ(0, group_make(&other, self->top, "other"));
	ASSERT_EQ(0, cache_open(&c, "hole", 8 * MIB, 1));
	half = c.pages / 2;
	ASSERT_EQ(0, cache_in_group(&owner, &c, FILL, half + 3, half - 3));
	ASSERT_EQ(0, cache_in_group(&other, &c, UNPIN, 0, c.pages));
	reclaim_all_of(&other);
	EXPECT_EQ(half - 3, cache_in_memory(&c));
	reclaim_all_of(&owner);
	EXPECT_GONE(&c);
	cache_close(&c);
}

/* Without a page in memory it is the caller. */
TEST_F(cgroup, the_caller_pays_for_what_is_empty)
{
	struct group caller, other;
	struct cache c;

	ASSERT_EQ(0, group_make(&caller, self->top, "caller"));
	ASSERT_EQ(0, group_make(&other, self->top, "other"));
	ASSERT_EQ(0, cache_open(&c, "empty", 4 * MIB, 1));
	ASSERT_EQ(0, cache_in_group(&caller, &c, UNPIN, 0, c.pages));
	ASSERT_EQ(0, cache_in_group(&caller, &c, FILL, 0, c.pages));
	reclaim_all_of(&other);
	EXPECT_EQ(c.pages, cache_in_memory(&c));
	reclaim_all_of(&caller);
	EXPECT_GONE(&c);
	cache_close(&c);
}

/* When the contents change, so does the payer. */
TEST_F(cgroup, each_unpin_looks_who_pays)
{
	struct group g[2], reader;
	struct cache c;
	int i;

	ASSERT_EQ(0, group_make(&g[0], self->top, "a"));
	ASSERT_EQ(0, group_make(&g[1], self->top, "b"));
	ASSERT_EQ(0, group_make(&reader, self->top, "reader"));
	ASSERT_EQ(0, cache_open(&c, "again", 2 * MIB, 1));
	for (i = 0; i < 4; i++) {
		struct group *payer = &g[i % 2], *other = &g[(i + 1) % 2];

		ASSERT_EQ(0, cache_in_group(payer, &c, FILL, 0, c.pages));
		ASSERT_EQ(0, cache_in_group(&reader, &c, UNPIN, 0, c.pages));
		reclaim_all_of(other);
		reclaim_all_of(&reader);
		EXPECT_COUNTS(c.fd, c.pages, c.pages, c.pages);
		reclaim_all_of(payer);
		EXPECT_COUNTS(c.fd, 0, c.pages, 0);
		/* Reading the contents would charge pages to this task. */
		EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin(&c));
	}
	cache_close(&c);
}

/* ---- payers without a limit ---- */

/* A task of a group unpins pages of this task, which is in the root. */
TEST_F(cgroup, pressure_on_a_reader_takes_nothing_of_the_parents)
{
	struct group reader, inner;
	struct cache root, parent;

	ASSERT_EQ(0, group_make(&reader, self->top, "reader"));
	ASSERT_EQ(0, cache_open(&root, "root", 2 * MIB, 1));
	ASSERT_EQ(0, cache_open(&parent, "parent", 2 * MIB, 2));
	cache_fill(&root);
	ASSERT_EQ(0, cache_in_group(&reader, &root, UNPIN, 0, root.pages));
	/*
	 * The same with a parent in the middle, which is charged before it has children.
	 */
	ASSERT_EQ(0, cache_in_group(&reader, &parent, FILL, 0, parent.pages));
	ASSERT_EQ(0, group_enable_memory(&reader));
	ASSERT_EQ(0, group_make(&inner, reader.dir, "inner"));
	ASSERT_EQ(0, cache_in_group(&inner, &parent, UNPIN, 0, parent.pages));

	reclaim_all_of(&inner);
	EXPECT_COUNTS(root.fd, root.pages, root.pages, root.pages);
	EXPECT_COUNTS(parent.fd, parent.pages, parent.pages, parent.pages);
	reclaim_all_of(&reader);
	EXPECT_WHOLE(&root);
	EXPECT_GONE(&parent);
	ASSERT_EQ(0, cache_in_group(&inner, &root, UNPIN, 0, root.pages));
	ASSERT_EQ(0, shrink_everything());
	EXPECT_GONE(&root);
	cache_close(&root);
	cache_close(&parent);
}

/* ---- many payers ---- */

/*
 * A region that lives longer than the groups that use it. The last group still
 * finds its own part.
 */
TEST_F(cgroup, a_region_has_had_many_payers)
{
	enum { GONE = 80, EACH = 2, LIVING = 64 };
	struct group g, last;
	struct cache c;
	long first;
	int i;

	ASSERT_EQ(0, cache_open(&c, "many", (GONE * EACH + LIVING) * self->p, 1));
	for (i = 0; i < GONE; i++) {
		ASSERT_EQ(0, group_make(&g, self->top, "passing"));
		ASSERT_EQ(0, cache_in_group(&g, &c, FILL | UNPIN, i * EACH, EACH));
		ASSERT_EQ(0, group_remove(&g));
	}
	ASSERT_EQ(0, group_make(&last, self->top, "last"));
	first = GONE * EACH;
	ASSERT_EQ(0, cache_in_group(&last, &c, FILL | UNPIN, first, LIVING));
	EXPECT_COUNTS(c.fd, c.pages, c.pages, c.pages);
	reclaim_all_of(&last);
	EXPECT_EQ(0, cache_part_in_memory(&c, first, LIVING));
	EXPECT_EQ(first, cache_part_in_memory(&c, 0, first));
	set_knob_bytes(self->top, "memory.reclaim", 64 * MIB);
	EXPECT_GONE(&c);
	cache_close(&c);
}

/* ---- what removed groups cost ---- */

#define PURGEABLE	"/sys/class/misc/ashmem/purgeable_pages"
#define TRACING		"/sys/kernel/tracing"
#define ORPHANS		400

/* Joining a group by cgroup.procs waits for RCU each time; this doesn't. */
static pid_t fork_into(const struct group *g)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int dir = open(g->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t pid;

	if (dir < 0)
		return -errno;
	args.cgroup = (uint64_t)dir;
	pid = (pid_t)RET(syscall(SYS_clone3, &args, sizeof(args)));
	close(dir);
	return pid;
}

/* One page in each of some regions, charged to and unpinned in a group. */
static int offer_pages(const struct group *g, const int *fds, int n)
{
	pid_t pid = fork_into(g);

	if (pid < 0)
		return pid;
	if (!pid) {
		int i;

		for (i = 0; i < n; i++) {
			unsigned char *a = ash_map(fds[i], page_size(), PROT_RW);

			CHILD_CHECK(a != MAP_FAILED);
			*a = 1;
			munmap(a, page_size());
			CHILD_CHECK(!ash_unpin(fds[i], 0, 0));
		}
		_exit(0);
	}
	return wait_child(pid);
}

/* Regions whose payers are removed groups in @parent, @each regions of one. */
static int make_orphans(const char *parent, int *fds, int each)
{
	struct group g;
	int i, ret = 0;

	for (i = 0; !ret && i < ORPHANS; i++) {
		fds[i] = ash_region("orphan", page_size());
		if (fds[i] < 0)
			return fds[i];
	}
	for (i = 0; !ret && i < ORPHANS; i += each) {
		ret = group_make(&g, parent, "orphan");
		if (!ret)
			ret = offer_pages(&g, &fds[i], each);
		if (!ret)
			ret = group_remove(&g);
	}
	return ret;
}

/*
 * The fastest of many reads of a file in sysfs, in us; -1 if the number differs. The
 * host can be slow for a while.
 */
static double read_us(const char *path, long expected)
{
	double best = 1e9, end = now_s() + 0.3, start = 0, took;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[32] = "";

	while (start < end) {
		start = now_s();
		if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
			break;
		took = 1e6 * (now_s() - start);
		if (took < best)
			best = took;
	}
	close(fd);
	return strtol(text, NULL, 10) == expected ? best : -1;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * What finding the next page to purge takes, in us: the time from one step's end
 * to the next one's begin. The median, as a guest can stall in any of them.
 */
static double median_gap_us(const char *trace)
{
	static const char event[] = ": ashmem_purge: ";
	double end = 0, at, *gaps = calloc(2 * ORPHANS, sizeof(*gaps)), median = -1;
	char line[512], *name, *nsecs;
	FILE *f = fopen(trace, "re");
	size_t n = 0;

	while (gaps && f && n < 2 * ORPHANS && fgets(line, sizeof(line), f)) {
		name = strstr(line, event);
		nsecs = name ? strstr(name, " nsecs=") : NULL;
		if (!nsecs)
			continue;
		*name = '\0';
		at = strtod(strrchr(line, ' '), NULL) * 1e6;
		if (end > 0)
			gaps[n++] = at - strtod(nsecs + strlen(" nsecs="), NULL) / 1e3 - end;
		end = at;
	}
	if (f)
		fclose(f);
	if (n >= ORPHANS - 1) {
		qsort(gaps, n, sizeof(*gaps), compare_doubles);
		median = gaps[n / 2];
	}
	free(gaps);
	return median;
}

/* Purges all by pressure; the median gap. */
static double purge_gap_us(const char *instance)
{
	char enable[192], trace[192];
	double us;
	int err;

	snprintf(enable, sizeof(enable), "%s/events/ashmem/ashmem_purge/enable", instance);
	snprintf(trace, sizeof(trace), "%s/trace", instance);
	err = put_file(enable, "1");
	if (!err)
		err = shrink_everything();
	if (!err)
		err = put_file(enable, "0");
	us = err ? -1 : median_gap_us(trace);
	/* Opening it with O_TRUNC empties the buffer. */
	close(open(trace, O_WRONLY | O_TRUNC | O_CLOEXEC));
	return us;
}

struct cost {
	double read;
	double gap;
};

static struct cost cost_of_orphans(struct __test_metadata *_metadata, const char *top,
				   const char *instance, int each)
{
	static int fds[ORPHANS];
	struct group parent;
	struct cost cost;
	int i;

	ASSERT_EQ(0, group_make(&parent, top, "parent"));
	ASSERT_EQ(0, group_enable_memory(&parent));
	ASSERT_EQ(0, make_orphans(parent.dir, fds, each));
	cost.read = read_us(PURGEABLE, ORPHANS);
	cost.gap = purge_gap_us(instance);
	ASSERT_LT(0, cost.read);
	ASSERT_LT(0, cost.gap);
	for (i = 0; i < ORPHANS; i++)
		close(fds[i]);
	EXPECT_EQ(0, group_remove(&parent));
	TH_LOG("pages of %d removed groups: %.1f us to count, %.1f us to find each",
	       ORPHANS / each, cost.read, cost.gap);
	return cost;
}

/* The same number of pages, left by one removed group or by hundreds. */
TEST_F_TIMEOUT(cgroup, removed_groups_cost_nothing_later, 400)
{
	struct rlimit files = { ORPHANS + 100, ORPHANS + 100 };
	double read_ratio = 1e9, gap_ratio = 1e9;
	char instance[128];
	int tries;

	snprintf(instance, sizeof(instance), TRACING "/instances/payer-%d", (int)getpid());
	if (mkdir(instance, 0700))
		SKIP(return, "needs root and tracefs mounted");
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	for (tries = 0; tries < 4 && (read_ratio > 1.4 || gap_ratio > 2); tries++) {
		struct cost few, many;

		few = cost_of_orphans(_metadata, self->top, instance, ORPHANS);
		many = cost_of_orphans(_metadata, self->top, instance, 1);
		if (many.read / few.read < read_ratio)
			read_ratio = many.read / few.read;
		if (many.gap / few.gap < gap_ratio)
			gap_ratio = many.gap / few.gap;
	}
	rmdir(instance);
	TH_LOG("hundreds cost %.2f times as much to count, %.2f times to find each",
	       read_ratio, gap_ratio);
	EXPECT_TRUE(read_ratio <= 1.4);
	EXPECT_TRUE(gap_ratio <= 2);
}

TEST_HARNESS_MAIN
