// SPDX-License-Identifier: GPL-2.0-only
/*
 * A purgeable range belongs to the node of its pages, wherever the unpinning task runs:
 * reclaim of a node purges the ranges of this node and no others.
 *
 * Needs two nodes with memory and a processor each, and no swap.
 */
#include "kselftest_harness.h"
#include "cgroup_util.h"

#include <linux/mempolicy.h>

/* A quarter of it, with the reserve, is more than reclaim finds elsewhere on a node. */
#define CACHE	((ssize_t)(48 * MIB))

static long node_kb(int nid, const char *key)
{
	char path[64], line[256], name[64];
	long kb = -1, value;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", nid);
	f = fopen(path, "re");
	while (f && kb < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Node %*d %63[^:]: %ld", name, &value) == 2 &&
		    !strcmp(name, key))
			kb = value;
	}
	if (f)
		fclose(f);
	return kb;
}

/* The first processor of a node, or -1. */
static int node_cpu(int nid)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/cpulist", nid);
	if (get_file(path, text, sizeof(text)) <= 0 || text[0] < '0' || text[0] > '9')
		return -1;
	return atoi(text);
}

/* Allocate from this node only, or fail. */
static int bind_to_node(int nid)
{
	unsigned long mask = 1UL << nid;

	return (int)RET(syscall(SYS_set_mempolicy, MPOL_BIND, &mask, 8 * sizeof(mask)));
}

/* The node of the page at an address, or -errno. */
static int node_of(void *addr)
{
	int nid = -1;

	if (syscall(SYS_get_mempolicy, &nid, NULL, 0, addr, MPOL_F_NODE | MPOL_F_ADDR))
		return -errno;
	return nid;
}

/* Pages of @c in memory that are not on @nid. */
static long pages_off_node(struct cache *c, long first, long pages, int nid)
{
	long i, off = 0;

	for (i = first; i < first + pages; i++)
		off += node_of(c->a + (size_t)i * page_size()) != nid;
	return off;
}

/* By a child, in @g if given, which allocates from @nid: a byte of each page. */
static int fill_on_node_in(const struct group *g, struct cache *c, long first, long pages,
			   int nid)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		long i;

		CHILD_CHECK(!g || !put_file(g->procs, "0"));
		CHILD_CHECK(!bind_to_node(nid));
		for (i = first; i < first + pages; i++)
			c->a[(size_t)i * page_size()] = 1;
		CHILD_CHECK(!pages_off_node(c, first, pages, nid));
		_exit(0);
	}
	return wait_child(pid);
}

static int fill_on_node(struct cache *c, long first, long pages, int nid)
{
	return fill_on_node_in(NULL, c, first, pages, nid);
}

/* By a child, in @g if given, which runs on @nid. */
static int unpin_on_node_in(const struct group *g, struct cache *c, long first, long pages,
			    int nid)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		CHILD_CHECK(!g || !put_file(g->procs, "0"));
		CHILD_CHECK(!stay_on(node_cpu(nid)));
		CHILD_CHECK(!cache_unpin_part(c, first, pages));
		_exit(0);
	}
	return wait_child(pid);
}

static int unpin_on_node(struct cache *c, long first, long pages, int nid)
{
	return unpin_on_node_in(NULL, c, first, pages, nid);
}

/*
 * A child allocates all free memory of @nid, and @excess bytes more. Reclaim must free
 * that much, plus the kernel's reserve of 13 to 23 MiB. 0 if the child survived.
 */
static int press_on_node_for(int nid, ssize_t excess)
{
	size_t free = (size_t)(node_kb(nid, "MemFree") + percpu_free_kb(nid)) << 10;
	size_t bulk = free > 32 * MIB ? free - 32 * MIB : 0;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		size_t i, len = free + (size_t)excess;
		unsigned char *q;

		put_file("/proc/self/oom_score_adj", "1000");
		CHILD_CHECK(!bind_to_node(nid));
		q = mmap(NULL, len, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHILD_CHECK(q != MAP_FAILED);
		/* Huge pages are quicker where memory is not short yet. */
		madvise(q, len, MADV_NOHUGEPAGE);
		madvise(q, bulk, MADV_HUGEPAGE);
		for (i = 0; i < len; i += page_size())
			q[i] = 1;
		_exit(0);
	}
	return wait_child(pid);
}

static int press_on_node(int nid)
{
	return press_on_node_for(nid, CACHE / 4);
}

/* Why there is nothing to test here, or NULL. */
static const char *numa_lacking(void)
{
	int nid;

	for (nid = 0; nid < 2; nid++) {
		if (node_kb(nid, "MemTotal") <= 0 || node_cpu(nid) < 0)
			return "needs two nodes with memory and a processor each";
	}
	if (!purge_works())
		return "PURGE_ALL_CACHES needs CAP_SYS_ADMIN";
	if (free_swap_kb() > 0)
		return "there is swap, so that no task would be killed";
	if (!pressable_mb())
		return "would use up more memory than ASHMEM_PRESSURE_MAX_MB";
	for (nid = 0; nid < 2; nid++) {
		if ((size_t)node_kb(nid, "MemFree") << 10 < 3 * CACHE)
			return "one of the nodes has too little free memory";
	}
	return NULL;
}

FIXTURE(numa)
{
	struct cache c[2];
	long pages;
};

FIXTURE_SETUP(numa)
{
	const char *lacking = numa_lacking();
	int i;

	if (lacking)
		SKIP(return, "%s", lacking);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, cache_open(&self->c[i], "numa", CACHE, 1));
	}
	self->pages = self->c[0].pages;
}

FIXTURE_TEARDOWN(numa)
{
	cache_close(&self->c[0]);
	cache_close(&self->c[1]);
}

/* Pressure takes some pages of a range, and marks the whole range. */
#define EXPECT_PURGED(c, first, pages) do { \
	EXPECT_GT(pages, cache_part_in_memory(c, first, pages)); \
	EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin_part(c, first, pages)); \
} while (0)

#define EXPECT_KEPT(c, first, pages) do { \
	EXPECT_EQ(pages, cache_part_in_memory(c, first, pages)); \
	EXPECT_EQ(ASHMEM_NOT_PURGED, cache_pin_part(c, first, pages)); \
} while (0)

/* A range on @node, unpinned on @unpinner, keeps a task bound to @node alive. */
static void expect_saved(struct __test_metadata *_metadata, struct cache *c, int node,
			 int unpinner)
{
	ASSERT_EQ(0, fill_on_node(c, 0, c->pages, node));
	ASSERT_EQ(0, unpin_on_node(c, 0, c->pages, unpinner));
	EXPECT_EQ(0, press_on_node(node));
	EXPECT_PURGED(c, 0, c->pages);
}

TEST_F(numa, unpinned_on_its_own_node)
{
	expect_saved(_metadata, &self->c[0], 0, 0);
}

TEST_F(numa, unpinned_on_another_node)
{
	expect_saved(_metadata, &self->c[0], 0, 1);
	expect_saved(_metadata, &self->c[1], 1, 0);
}

/* Both are unpinned on node 1; pressure must not take the first one. */
TEST_F(numa, pressure_takes_only_its_nodes_ranges)
{
	int node, i;

	for (node = 0; node < 2; node++) {
		for (i = 0; i < 2; i++) {
			ASSERT_EQ(0, fill_on_node(&self->c[i], 0, self->pages, i));
		}
		ASSERT_EQ(0, unpin_on_node(&self->c[!node], 0, self->pages, 1));
		ASSERT_EQ(0, unpin_on_node(&self->c[node], 0, self->pages, 1));
		EXPECT_EQ(0, press_on_node(node));
		EXPECT_KEPT(&self->c[!node], 0, self->pages);
		EXPECT_PURGED(&self->c[node], 0, self->pages);
	}
}

/* Nodes alternate in one region; its parts are unpinned by one task. */
TEST_F(numa, parts_of_a_region_are_on_several_nodes)
{
	enum { PARTS = 6 };
	struct cache *c = &self->c[0];
	long part = self->pages / PARTS, kept = 0;
	int i;

	for (i = 0; i < PARTS; i++) {
		ASSERT_EQ(0, fill_on_node(c, i * part, part, i % 2));
	}
	for (i = 0; i < PARTS; i++) {
		ASSERT_EQ(0, unpin_on_node(c, i * part, part, 1));
	}
	/* Half of the region is on node 0, which is not all that is wanted. */
	EXPECT_EQ(0, press_on_node_for(0, -CACHE / 12));
	for (i = 1; i < PARTS; i += 2)
		EXPECT_KEPT(c, i * part, part);
	for (i = 0; i < PARTS; i += 2)
		kept += cache_part_in_memory(c, i * part, part);
	EXPECT_GT(PARTS / 2 * part, kept);
}

/* The first page in memory decides the node, however far back it is. */
TEST_F(numa, a_range_with_a_hole_in_front)
{
	struct cache *c = &self->c[0];
	long hole = self->pages / 3;

	ASSERT_EQ(0, fill_on_node(c, hole + 5, self->pages - hole - 5, 0));
	ASSERT_EQ(0, unpin_on_node(c, 0, self->pages, 1));
	EXPECT_EQ(0, press_on_node_for(0, CACHE / 16));
	EXPECT_GT(self->pages - hole - 5, cache_in_memory(c));
	EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin(c));
}

/*
 * A child on @nid that makes single pages of @c purgeable, again and again. Mappings slow a
 * purge down more than the child, so it never ends with nothing to purge. There are few pages:
 * the node stays short when all are purged.
 */
static pid_t unpin_for_ever(struct cache *c, int nid)
{
	pid_t pid = fork();
	long i;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CHILD_CHECK(!bind_to_node(nid));
	CHILD_CHECK(!stay_on(node_cpu(nid)));
	/* Should it get others killed, then not the test itself. */
	put_file("/proc/self/oom_score_adj", "500");
	CHILD_CHECK(!cache_map_often(c, 1000));
	for (;;) {
		for (i = 0; i < c->pages / 16; i += 2) {
			c->a[(size_t)i * page_size()] = 1;
			cache_unpin_part(c, i, 1);
		}
	}
}

/* A child that takes memory of @nid until it has less than @kb free, and keeps it. */
static pid_t fill_node(int nid, long kb)
{
	pid_t pid = fork();
	long free;
	char *q;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CHILD_CHECK(!bind_to_node(nid));
	while ((free = node_kb(nid, "MemFree") + percpu_free_kb(nid)) >= kb) {
		size_t len = (size_t)((free - kb) / 2 + 64) << 10;

		q = mmap(NULL, len, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHILD_CHECK(q != MAP_FAILED);
		memset(q, 1, len);
	}
	raise(SIGSTOP);
	_exit(0);
}

/* Node 1 has free memory: what is unpinned there must not go for a task bound to node 0. */
TEST_F(numa, a_kill_on_another_node_takes_nothing)
{
	ASSERT_EQ(0, fill_on_node(&self->c[1], 0, self->pages, 1));
	ASSERT_EQ(0, unpin_on_node(&self->c[1], 0, self->pages, 1));
	EXPECT_EQ(128 + SIGKILL, press_on_node_for(0, CACHE));
	EXPECT_KEPT(&self->c[1], 0, self->pages);
}

/*
 * Pages of node 1, however many are purged, are of no use to a task bound to node 0. Purges may
 * put off its end by five seconds; the rest is for a slow machine.
 */
TEST_F_TIMEOUT(numa, unpinning_elsewhere_saves_no_task_for_ever, 60)
{
	time_t start = time(NULL), calm;
	pid_t pid, filler;

	/* Not on the CPU of the child. */
	ASSERT_EQ(0, stay_on(node_cpu(0)));
	EXPECT_EQ(128 + SIGKILL, press_on_node_for(0, CACHE));
	calm = time(NULL) - start;
	pid = unpin_for_ever(&self->c[0], 1);
	ASSERT_LT(0, pid);
	while (cache_in_memory(&self->c[0]) < self->pages / 32)
		sched_yield();
	/* Memory is short below "high"; below "min" the child's pages would cost lives. */
	filler = fill_node(1, zoneinfo_kb(1, "low"));
	ASSERT_EQ(filler, waitpid(filler, NULL, WUNTRACED));
	start = time(NULL);
	EXPECT_EQ(128 + SIGKILL, press_on_node_for(0, CACHE));
	EXPECT_GT(3 * calm + 10, time(NULL) - start);
	kill(pid, SIGKILL);
	wait_child(pid);
	kill(filler, SIGKILL);
	wait_child(filler);
}

/* ---- a node and a cgroup ---- */

/* The owner's pages are on node 0; another cgroup's task unpins on node 1. */
TEST_F(cgroup, a_group_finds_its_pages_on_each_node)
{
	struct group owner, other;
	struct cache c[2];
	int i;

	if (numa_lacking())
		SKIP(return, "%s", numa_lacking());
	ASSERT_EQ(0, group_make(&owner, self->top, "owner"));
	ASSERT_EQ(0, group_make(&other, self->top, "other"));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, cache_open(&c[i], "node", 4 * MIB, 1));
		ASSERT_EQ(0, fill_on_node_in(&owner, &c[i], 0, c[i].pages, i));
		ASSERT_EQ(0, unpin_on_node_in(&other, &c[i], 0, c[i].pages, !i));
	}
	set_knob_bytes(other.dir, "memory.reclaim", 64 * MIB);
	for (i = 0; i < 2; i++)
		EXPECT_COUNTS(c[i].fd, c[i].pages, c[i].pages, c[i].pages);
	set_knob_bytes(owner.dir, "memory.reclaim", 64 * MIB);
	for (i = 0; i < 2; i++) {
		EXPECT_GONE(&c[i]);
		cache_close(&c[i]);
	}
}

TEST_HARNESS_MAIN
