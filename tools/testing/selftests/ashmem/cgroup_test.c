// SPDX-License-Identifier: GPL-2.0
/*
 * Whose unpinned ranges go when a memory cgroup is short of memory: those that
 * tasks of this group, or of groups below it, unpinned; nobody else's.
 *
 * What has to be done in a group is done by a child that joins it and exits:
 * memory stays charged to the group whose task touched it first.
 */
#include "kselftest_harness.h"
#include "reclaim_util.h"

#define MIB	(1UL << 20)

FIXTURE(cgroup)
{
	char root[256];		/* where cgroup2 is mounted */
	char top[288];		/* all groups of a test are in this one */
	bool mounted;
	bool enabled;
	char lru_gen[16];	/* to be written back */
	size_t p;
};

#define LRU_GEN	"/sys/kernel/mm/lru_gen/enabled"

struct group {
	char dir[320];
	char procs[384];
};

static const char *knob(const char *dir, const char *file)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return path;
}

static int set_knob(const char *dir, const char *file, const char *text)
{
	return put_file(knob(dir, file), text);
}

static int set_knob_bytes(const char *dir, const char *file, size_t bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", bytes);
	return set_knob(dir, file, text);
}

static long long knob_number(const char *dir, const char *file)
{
	char text[64];

	if (get_file(knob(dir, file), text, sizeof(text)) <= 0)
		return -1;
	return strtoll(text, NULL, 10);
}

static long long event(const struct group *g, const char *name)
{
	return keyed_number(knob(g->dir, "memory.events"), name);
}

static bool knob_has_word(const char *dir, const char *file, const char *word)
{
	char text[1024], *save, *w;

	if (get_file(knob(dir, file), text, sizeof(text)) < 0)
		return false;
	for (w = strtok_r(text, "\n ", &save); w; w = strtok_r(NULL, "\n ", &save)) {
		if (!strcmp(w, word))
			return true;
	}
	return false;
}

static bool find_cgroup2(char *dir, size_t size)
{
	char line[1024], path[256], type[64];
	bool found = false;
	FILE *f = fopen("/proc/mounts", "re");

	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %255s %63s", path, type) == 2 &&
		    !strcmp(type, "cgroup2")) {
			snprintf(dir, size, "%s", path);
			found = true;
		}
	}
	if (f)
		fclose(f);
	return found;
}

/* A group without swap, whose ranges can't go elsewhere than away. */
static int group_make(struct group *g, const char *parent, const char *name)
{
	snprintf(g->dir, sizeof(g->dir), "%s/%s", parent, name);
	snprintf(g->procs, sizeof(g->procs), "%s/cgroup.procs", g->dir);
	if (mkdir(g->dir, 0755))
		return -errno;
	set_knob(g->dir, "memory.swap.max", "0");
	return 0;
}

/* A task that has exited may be in its group for a moment yet. */
static int group_remove(const struct group *g)
{
	int tries;

	for (tries = 0; rmdir(g->dir); tries++) {
		if (errno != EBUSY || tries == 100)
			return -errno;
		nap_ms(20);
	}
	return 0;
}

static void remove_groups_in(const char *dir)
{
	struct dirent *entry;
	struct group g;
	DIR *d = opendir(dir);

	while (d && (entry = readdir(d))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(g.dir, sizeof(g.dir), "%s/%s", dir,
				     entry->d_name) < sizeof(g.dir))
			remove_groups_in(g.dir);
	}
	if (d)
		closedir(d);
	snprintf(g.dir, sizeof(g.dir), "%s", dir);
	group_remove(&g);
}

static void unmount_root(const char *root)
{
	umount2(root, MNT_DETACH);
	rmdir(root);
}

FIXTURE_SETUP(cgroup)
{
	char tmp[] = "/tmp/ashmem-cgroup-XXXXXX";

	self->p = page_size();
	if (!kernel_at_least(6, 7))
		SKIP(return, "before 6.7 shrinkers of modules can't know of memory cgroups");
	if (!purge_works())
		SKIP(return, "PURGE_ALL_CACHES needs CAP_SYS_ADMIN");

	if (!find_cgroup2(self->root, sizeof(self->root))) {
		if (!mkdtemp(tmp) || mount("cgroup2", tmp, "cgroup2", 0, NULL))
			SKIP(return, "cgroup2 is not mounted and can't be");
		snprintf(self->root, sizeof(self->root), "%s", tmp);
		self->mounted = true;
	}
	if (!knob_has_word(self->root, "cgroup.subtree_control", "memory")) {
		if (set_knob(self->root, "cgroup.subtree_control", "+memory")) {
			if (self->mounted)
				unmount_root(self->root);
			SKIP(return, "cgroup2 has no memory controller here");
		}
		self->enabled = true;
	}
	snprintf(self->top, sizeof(self->top), "%s/ashmem-test-%d", self->root,
		 (int)getpid());
	ASSERT_EQ(0, mkdir(self->top, 0755));
	ASSERT_EQ(0, set_knob(self->top, "cgroup.subtree_control", "+memory"));
}

FIXTURE_TEARDOWN(cgroup)
{
	if (self->top[0]) {
		remove_groups_in(self->top);
		EXPECT_EQ(-1, access(self->top, F_OK));
	}
	if (self->lru_gen[0])
		put_file(LRU_GEN, self->lru_gen);
	if (self->enabled)
		set_knob(self->root, "cgroup.subtree_control", "-memory");
	if (self->mounted)
		unmount_root(self->root);
}

/* ---- what tasks do in a group ---- */

enum { FILL = 1, UNPIN = 2, PIN = 4 };

/* In this order, by a child that joins the group; the child's exit code. */
static int cache_in_group(const struct group *g, struct cache *c, int what,
			  long first, long pages)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		CHILD_CHECK(!put_file(g->procs, "0"));
		if (what & FILL)
			cache_fill_part(c, first, pages);
		if (what & UNPIN)
			CHILD_CHECK(!cache_unpin_part(c, first, pages));
		if (what & PIN)
			CHILD_CHECK(cache_pin_part(c, first, pages) >= 0);
		_exit(0);
	}
	return wait_child(pid);
}

static int make_cache(const struct group *g, struct cache *c, const char *name,
		      size_t len, unsigned int seed, int what)
{
	int ret = cache_open(c, name, len, seed);

	return ret ? ret : cache_in_group(g, c, what, 0, c->pages);
}

/* Memory that nothing can take back from the task: 0 if it lived. */
static int take_memory(const struct group *g, size_t len)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		unsigned char *q;
		size_t i;

		put_file("/proc/self/oom_score_adj", "1000");
		CHILD_CHECK(!put_file(g->procs, "0"));
		q = mmap(NULL, len, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHILD_CHECK(q != MAP_FAILED);
		/* Charged page by page, as limits are easier to reckon then. */
		madvise(q, len, MADV_NOHUGEPAGE);
		for (i = 0; i < len; i += page_size())
			q[i] = (unsigned char)(i >> 12) | 1;
		for (i = 0; i < len; i += page_size())
			CHILD_CHECK(q[i] == ((unsigned char)(i >> 12) | 1));
		_exit(0);
	}
	return wait_child(pid);
}

#define EXPECT_WHOLE(c) do { \
	struct cache *__w = (c); \
	struct counts __n = counts_of(__w->fd); \
	EXPECT_EQ(__w->pages, __n.resident); \
	EXPECT_EQ(__n.unpinned, __n.purgeable); \
	EXPECT_EQ(ASHMEM_NOT_PURGED, cache_pin(__w)); \
	EXPECT_TRUE(cache_whole(__w)); \
} while (0)

#define EXPECT_GONE(c) do { \
	struct cache *__g = (c); \
	EXPECT_COUNTS(__g->fd, 0, __g->pages, 0); \
	EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin(__g)); \
	EXPECT_TRUE(zeroed(__g->a, __g->len)); \
} while (0)

/* ---- whether it works at all ---- */

#define MEMCG_AWARE	"/sys/class/misc/ashmem/memcg_aware"

TEST(old_kernels_are_said_to_know_no_cgroups)
{
	char text[8];

	if (kernel_at_least(6, 7))
		SKIP(return, "this one may");
	ASSERT_LT(0, get_file(MEMCG_AWARE, text, sizeof(text)));
	EXPECT_STREQ("0\n", text);
}

TEST_F(cgroup, purging_by_cgroup_is_announced)
{
	char text[8];

	ASSERT_LT(0, get_file(MEMCG_AWARE, text, sizeof(text)));
	EXPECT_STREQ("1\n", text);
}

/* ---- a group at its limit ---- */

/* The neighbour's range is older, so a purge that knows no groups takes it. */
TEST_F(cgroup, at_memory_max_only_the_groups_own_cache_goes)
{
	struct cache own, pinned, theirs;
	struct group a, b;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, group_make(&b, self->top, "b"));
	ASSERT_EQ(0, set_knob_bytes(a.dir, "memory.max", 12 * MIB));
	ASSERT_EQ(0, make_cache(&b, &theirs, "theirs", 4 * MIB, 1, FILL | UNPIN));
	ASSERT_EQ(0, make_cache(&a, &pinned, "pinned", 2 * MIB, 2, FILL));
	ASSERT_EQ(0, make_cache(&a, &own, "own", 4 * MIB, 3, FILL | UNPIN));
	ASSERT_LE((long long)(6 * MIB), knob_number(a.dir, "memory.current"));
	EXPECT_EQ(0, event(&a, "max"));

	/* 2 pinned and 8 taken are within the limit; 4 unpinned are too much. */
	EXPECT_EQ(0, take_memory(&a, 8 * MIB));
	EXPECT_LT(0, event(&a, "max"));
	EXPECT_EQ(0, event(&a, "oom_kill"));
	EXPECT_EQ(0, event(&b, "max"));
	EXPECT_EQ(theirs.pages, counts_of(theirs.fd).purgeable);
	EXPECT_GONE(&own);
	EXPECT_WHOLE(&theirs);
	EXPECT_WHOLE(&pinned);
	cache_close(&own);
	cache_close(&pinned);
	cache_close(&theirs);
}

/* The same memory, pinned: now the limit has a victim, and it's the task. */
TEST_F(cgroup, at_memory_max_pinned_pages_never_go)
{
	struct cache pinned;
	struct group a;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, set_knob_bytes(a.dir, "memory.max", 8 * MIB));
	ASSERT_EQ(0, make_cache(&a, &pinned, "pinned", 4 * MIB, 2,
				FILL | UNPIN | PIN));
	EXPECT_EQ(128 + SIGKILL, take_memory(&a, 8 * MIB));
	EXPECT_EQ(1, event(&a, "oom_kill"));
	EXPECT_WHOLE(&pinned);
	cache_close(&pinned);
}

TEST_F(cgroup, a_limit_that_is_lowered_purges)
{
	struct cache own, pinned, theirs;
	struct group a, b;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, group_make(&b, self->top, "b"));
	ASSERT_EQ(0, make_cache(&b, &theirs, "theirs", 2 * MIB, 1, FILL | UNPIN));
	ASSERT_EQ(0, make_cache(&a, &pinned, "pinned", 2 * MIB, 2, FILL));
	ASSERT_EQ(0, make_cache(&a, &own, "own", 4 * MIB, 3, FILL | UNPIN));
	ASSERT_EQ(0, set_knob_bytes(a.dir, "memory.max", 4 * MIB));
	EXPECT_GE((long long)(4 * MIB), knob_number(a.dir, "memory.current"));
	EXPECT_GONE(&own);
	EXPECT_WHOLE(&pinned);
	EXPECT_WHOLE(&theirs);
	cache_close(&own);
	cache_close(&pinned);
	cache_close(&theirs);
}

TEST_F(cgroup, at_memory_high_only_the_groups_own_cache_goes)
{
	struct cache own, pinned, theirs;
	struct group a, b;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, group_make(&b, self->top, "b"));
	ASSERT_EQ(0, set_knob_bytes(a.dir, "memory.high", 12 * MIB));
	ASSERT_EQ(0, make_cache(&b, &theirs, "theirs", 4 * MIB, 1, FILL | UNPIN));
	ASSERT_EQ(0, make_cache(&a, &pinned, "pinned", 2 * MIB, 2, FILL));
	ASSERT_EQ(0, make_cache(&a, &own, "own", 4 * MIB, 3, FILL | UNPIN));
	EXPECT_EQ(0, event(&a, "high"));
	EXPECT_EQ(0, take_memory(&a, 8 * MIB));
	EXPECT_LT(0, event(&a, "high"));
	EXPECT_EQ(0, event(&a, "oom_kill"));
	EXPECT_GONE(&own);
	EXPECT_WHOLE(&theirs);
	EXPECT_WHOLE(&pinned);
	cache_close(&own);
	cache_close(&pinned);
	cache_close(&theirs);
}

/* A limit that everything fits into takes nothing. */
TEST_F(cgroup, below_its_limit_nothing_goes)
{
	struct cache own;
	struct group a;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, set_knob_bytes(a.dir, "memory.max", 16 * MIB));
	ASSERT_EQ(0, make_cache(&a, &own, "own", 4 * MIB, 3, FILL | UNPIN));
	EXPECT_EQ(0, take_memory(&a, 8 * MIB));
	EXPECT_EQ(0, event(&a, "max"));
	EXPECT_WHOLE(&own);
	cache_close(&own);
}

/* ---- memory.reclaim ---- */

/*
 * The kernel counts only pages of its own LRU as reclaimed, and answers EAGAIN
 * when ours made up the amount. So what is looked at is the charge.
 */
TEST_F(cgroup, memory_reclaim_takes_the_amount)
{
	struct cache own, pinned, theirs;
	long long before, after;
	struct group a, b;
	int ret;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, group_make(&b, self->top, "b"));
	ASSERT_EQ(0, make_cache(&b, &theirs, "theirs", 2 * MIB, 1, FILL | UNPIN));
	ASSERT_EQ(0, make_cache(&a, &pinned, "pinned", 2 * MIB, 2, FILL));
	ASSERT_EQ(0, make_cache(&a, &own, "own", 4 * MIB, 3, FILL | UNPIN));
	before = knob_number(a.dir, "memory.current");
	ret = set_knob_bytes(a.dir, "memory.reclaim", 4 * MIB);
	after = knob_number(a.dir, "memory.current");
	TH_LOG("memory.reclaim: %d, memory.current: %lld before, %lld after", ret,
	       before, after);
	EXPECT_TRUE(ret == 0 || ret == -EAGAIN);
	EXPECT_LE((long long)(4 * MIB), before - after);
	EXPECT_LE((long long)(2 * MIB), after);
	EXPECT_GONE(&own);
	EXPECT_WHOLE(&pinned);
	EXPECT_WHOLE(&theirs);
	cache_close(&own);
	cache_close(&pinned);
	cache_close(&theirs);
}

/*
 * A task with memory that the kernel may take as easily as ours, so that it
 * gets what it wants without taking all of ours, too. Ends when @sock is closed.
 */
static int keep_lazily(const struct group *g, size_t len, int *sock)
{
	uint64_t word;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		unsigned char *q;
		size_t i;

		close(pair[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		CHILD_CHECK(!put_file(g->procs, "0"));
		q = mmap(NULL, len, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHILD_CHECK(q != MAP_FAILED);
		madvise(q, len, MADV_NOHUGEPAGE);
		for (i = 0; i < len; i += page_size())
			q[i] = 1;
		CHILD_CHECK(!madvise(q, len, MADV_FREE));
		CHILD_CHECK(!send_word(pair[1], 1));
		recv_word(pair[1], &word);
		_exit(0);
	}
	close(pair[1]);
	*sock = pair[0];
	return recv_word(pair[0], &word) ? -EPIPE : pid;
}

/*
 * Least recently unpinned first, each range as a whole, and no more of them
 * than needed. The order is neither that of making nor that of first unpinning.
 *
 * Reclaim by generations takes all that it finds on its own LRU before it asks
 * any shrinker for more than a token; the other kind asks for what is due.
 */
TEST_F(cgroup, memory_reclaim_takes_the_oldest_and_leaves_the_young)
{
	static const int by_age[] = { 5, 2, 7, 0, 3, 6, 1, 4 };
	enum { N = ARRAY_SIZE(by_age) };
	long long before, after;
	struct cache c[N], *aged[N];
	int sock = -1, i, steps, gone, ret = 0;
	struct group a;
	pid_t pid;

	if (get_file(LRU_GEN, self->lru_gen, sizeof(self->lru_gen)) > 0)
		ASSERT_EQ(0, put_file(LRU_GEN, "0"));
	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	for (i = 0; i < N; i++)
		ASSERT_EQ(0, make_cache(&a, &c[i], "aged", 3 * MIB,
					10 + (unsigned int)i, FILL | UNPIN));
	for (i = 0; i < N; i++) {
		aged[i] = &c[by_age[i]];
		ASSERT_EQ(0, cache_in_group(&a, aged[i], UNPIN, 0,
					    aged[i]->pages));
	}
	pid = keep_lazily(&a, 24 * MIB, &sock);
	ASSERT_LT(0, pid);

	for (steps = 1; steps <= 60; steps++) {
		before = knob_number(a.dir, "memory.current");
		ret = set_knob_bytes(a.dir, "memory.reclaim", MIB / 2);
		after = knob_number(a.dir, "memory.current");
		EXPECT_TRUE(ret == 0 || ret == -EAGAIN);
		EXPECT_LE((long long)(MIB / 2), before - after);
		if (cache_in_memory(aged[0]) < aged[0]->pages)
			break;
	}
	close(sock);
	EXPECT_EQ(0, wait_child(pid));
	for (gone = 0; gone < N && !cache_in_memory(aged[gone]); gone++)
		EXPECT_GONE(aged[gone]);
	TH_LOG("with the %dth half MiB the %d oldest of %d ranges went, answer %d",
	       steps, gone, N, ret);
	EXPECT_LE(1, gone);
	EXPECT_GE(N - 2, gone);
	for (i = gone; i < N; i++)
		EXPECT_WHOLE(aged[i]);
	for (i = 0; i < N; i++)
		cache_close(&c[i]);
}

/* ---- groups in groups ---- */

TEST_F(cgroup, limit_of_a_parent_purges_its_children)
{
	struct group parent, idle, busy, outside;
	struct cache inner, outer;

	ASSERT_EQ(0, group_make(&outside, self->top, "outside"));
	ASSERT_EQ(0, group_make(&parent, self->top, "parent"));
	ASSERT_EQ(0, set_knob(parent.dir, "cgroup.subtree_control", "+memory"));
	ASSERT_EQ(0, group_make(&idle, parent.dir, "idle"));
	ASSERT_EQ(0, group_make(&busy, parent.dir, "busy"));
	ASSERT_EQ(0, make_cache(&outside, &outer, "outer", 4 * MIB, 1,
				FILL | UNPIN));
	ASSERT_EQ(0, make_cache(&idle, &inner, "inner", 4 * MIB, 2,
				FILL | UNPIN));
	ASSERT_EQ(0, set_knob_bytes(parent.dir, "memory.max", 10 * MIB));
	EXPECT_EQ(0, take_memory(&busy, 8 * MIB));
	EXPECT_LT(0, event(&parent, "max"));
	EXPECT_EQ(0, event(&parent, "oom_kill"));
	EXPECT_GONE(&inner);
	EXPECT_WHOLE(&outer);
	cache_close(&inner);
	cache_close(&outer);
}

TEST_F(cgroup, limit_of_a_child_spares_its_siblings_and_parent)
{
	struct group parent, idle, busy;
	struct cache sibling, own;

	ASSERT_EQ(0, group_make(&parent, self->top, "parent"));
	ASSERT_EQ(0, set_knob(parent.dir, "cgroup.subtree_control", "+memory"));
	ASSERT_EQ(0, group_make(&idle, parent.dir, "idle"));
	ASSERT_EQ(0, group_make(&busy, parent.dir, "busy"));
	ASSERT_EQ(0, make_cache(&idle, &sibling, "sibling", 4 * MIB, 1,
				FILL | UNPIN));
	ASSERT_EQ(0, set_knob_bytes(busy.dir, "memory.max", 10 * MIB));
	ASSERT_EQ(0, make_cache(&busy, &own, "own", 4 * MIB, 2, FILL | UNPIN));
	EXPECT_EQ(0, take_memory(&busy, 8 * MIB));
	EXPECT_EQ(0, event(&parent, "oom_kill"));
	EXPECT_GONE(&own);
	EXPECT_WHOLE(&sibling);
	cache_close(&own);
	cache_close(&sibling);
}

/* ---- whose range it is ---- */

TEST_F(cgroup, a_range_is_of_the_group_that_unpinned_it)
{
	struct cache c;
	struct group a, b;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, group_make(&b, self->top, "b"));
	ASSERT_EQ(0, make_cache(&a, &c, "moving", 4 * MIB, 1, FILL | UNPIN));
	/* To b by unpinning it again, and back to a by pinning it first. */
	ASSERT_EQ(0, cache_in_group(&b, &c, UNPIN, 0, c.pages));
	set_knob_bytes(a.dir, "memory.reclaim", 4 * MIB);
	EXPECT_EQ(c.pages, counts_of(c.fd).purgeable);
	ASSERT_EQ(0, cache_in_group(&b, &c, PIN, 0, c.pages));
	ASSERT_EQ(0, cache_in_group(&a, &c, UNPIN, 0, c.pages));
	set_knob_bytes(b.dir, "memory.reclaim", 4 * MIB);
	EXPECT_EQ(c.pages, counts_of(c.fd).purgeable);
	EXPECT_TRUE(cache_whole(&c));
	set_knob_bytes(a.dir, "memory.reclaim", 4 * MIB);
	EXPECT_GONE(&c);
	cache_close(&c);
}

/* Parts that a PIN leaves over stay with the group, whoever pins. */
TEST_F(cgroup, parts_of_a_range_stay_with_its_group)
{
	long third;
	struct cache c;
	struct group a, b;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, group_make(&b, self->top, "b"));
	ASSERT_EQ(0, make_cache(&a, &c, "parts", 3 * MIB, 1, FILL | UNPIN));
	third = c.pages / 3;
	ASSERT_EQ(0, cache_in_group(&b, &c, PIN, third, third));
	set_knob_bytes(b.dir, "memory.reclaim", 4 * MIB);
	EXPECT_COUNTS(c.fd, 3 * third, 2 * third, 2 * third);
	set_knob_bytes(a.dir, "memory.reclaim", 4 * MIB);
	EXPECT_COUNTS(c.fd, third, 2 * third, 0);
	EXPECT_EQ(ASHMEM_NOT_PURGED, cache_pin_part(&c, third, third));
	EXPECT_TRUE(cache_part_whole(&c, third, third));
	EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin_part(&c, 0, third));
	EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin_part(&c, 2 * third, third));
	cache_close(&c);
}

TEST_F(cgroup, of_a_shared_region_only_the_groups_own_part_goes)
{
	struct cache c;
	struct group a, b;
	long half;

	ASSERT_EQ(0, group_make(&a, self->top, "a"));
	ASSERT_EQ(0, group_make(&b, self->top, "b"));
	ASSERT_EQ(0, set_knob_bytes(a.dir, "memory.max", 10 * MIB));
	ASSERT_EQ(0, cache_open(&c, "shared", 8 * MIB, 1));
	half = c.pages / 2;
	/* The neighbour's part is the older one. */
	ASSERT_EQ(0, cache_in_group(&b, &c, FILL | UNPIN, half, half));
	ASSERT_EQ(0, cache_in_group(&a, &c, FILL | UNPIN, 0, half));
	EXPECT_COUNTS(c.fd, c.pages, c.pages, c.pages);
	EXPECT_EQ(0, take_memory(&a, 8 * MIB));
	EXPECT_EQ(0, event(&a, "oom_kill"));
	EXPECT_COUNTS(c.fd, half, c.pages, half);
	EXPECT_EQ(ASHMEM_NOT_PURGED, cache_pin_part(&c, half, half));
	EXPECT_TRUE(cache_part_whole(&c, half, half));
	EXPECT_EQ(ASHMEM_WAS_PURGED, cache_pin_part(&c, 0, half));
	EXPECT_TRUE(zeroed(c.a, c.len / 2));
	cache_close(&c);
}

/* The command knows no groups. */
TEST_F(cgroup, purge_all_takes_every_groups_ranges)
{
	struct cache c[3];
	struct group g;
	char name[8];
	int i;

	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		ASSERT_EQ(0, group_make(&g, self->top, name));
		ASSERT_EQ(0, make_cache(&g, &c[i], name,
					(size_t)(i + 1) * MIB / 4, 1,
					FILL | UNPIN));
	}
	EXPECT_EQ(c[0].pages + c[1].pages + c[2].pages, ash_purge_all(c[0].fd));
	EXPECT_EQ(0, ash_purge_all(c[0].fd));
	for (i = 0; i < 3; i++) {
		EXPECT_GONE(&c[i]);
		cache_close(&c[i]);
	}
}

/* ---- groups that go away ---- */

/*
 * A range of a group that has no task and no directory any more, in a parent
 * that lives on. The region is ours. 0, or what went wrong.
 */
static int make_orphan(const char *top, struct group *parent, struct cache *c)
{
	struct group gone;
	int ret;

	ret = group_make(parent, top, "parent");
	if (!ret)
		ret = set_knob(parent->dir, "cgroup.subtree_control", "+memory");
	if (!ret)
		ret = group_make(&gone, parent->dir, "gone");
	if (!ret)
		ret = make_cache(&gone, c, "orphan", 4 * MIB, 1, FILL | UNPIN);
	return ret ? ret : group_remove(&gone);
}

TEST_F(cgroup, ranges_of_a_removed_group_are_its_parents)
{
	struct group parent, busy, outside;
	struct cache orphan, theirs;

	ASSERT_EQ(0, group_make(&outside, self->top, "outside"));
	ASSERT_EQ(0, make_cache(&outside, &theirs, "theirs", 4 * MIB, 2,
				FILL | UNPIN));
	ASSERT_EQ(0, make_orphan(self->top, &parent, &orphan));
	ASSERT_EQ(0, group_make(&busy, parent.dir, "busy"));
	EXPECT_EQ(orphan.pages, counts_of(orphan.fd).purgeable);
	ASSERT_EQ(0, set_knob_bytes(parent.dir, "memory.max", 10 * MIB));
	EXPECT_EQ(0, take_memory(&busy, 8 * MIB));
	EXPECT_EQ(0, event(&parent, "oom_kill"));
	EXPECT_GONE(&orphan);
	EXPECT_WHOLE(&theirs);
	cache_close(&orphan);
	cache_close(&theirs);
}

TEST_F(cgroup, ranges_of_a_removed_group_go_by_global_reclaim)
{
	struct group parent;
	struct cache orphan;

	ASSERT_EQ(0, make_orphan(self->top, &parent, &orphan));
	ASSERT_EQ(0, shrink_everything());
	EXPECT_GONE(&orphan);
	cache_close(&orphan);
}

TEST_F(cgroup, ranges_of_a_removed_group_go_by_the_command)
{
	struct group parent;
	struct cache orphan;

	ASSERT_EQ(0, make_orphan(self->top, &parent, &orphan));
	EXPECT_EQ(orphan.pages, ash_purge_all(orphan.fd));
	EXPECT_GONE(&orphan);
	cache_close(&orphan);
}

/* A later group of the same name is another one, and gets its own ranges. */
TEST_F(cgroup, a_region_outlives_the_group_that_unpinned_it)
{
	struct group parent, again;
	struct cache c;

	ASSERT_EQ(0, make_orphan(self->top, &parent, &c));
	ASSERT_EQ(0, group_make(&again, parent.dir, "gone"));
	set_knob_bytes(again.dir, "memory.reclaim", 4 * MIB);
	EXPECT_EQ(c.pages, counts_of(c.fd).purgeable);
	ASSERT_EQ(0, cache_in_group(&again, &c, UNPIN, 0, c.pages));
	set_knob_bytes(again.dir, "memory.reclaim", 4 * MIB);
	EXPECT_GONE(&c);
	cache_close(&c);
}

/* Objects of our cache of groups, or -1 where it shares pages with others. */
static long long group_objects(void)
{
	/* KASAN holds on to freed ones, to see who still uses them. */
	put_file("/sys/kernel/slab/ashmem_lru_group/shrink", "1");
	return keyed_number("/proc/slabinfo", "ashmem_lru_group");
}

static long long dying(const char *dir)
{
	return keyed_number(knob(dir, "cgroup.stat"), "nr_dying_descendants");
}

/*
 * What we keep of a group must not keep the group, and must itself go with the
 * last range and region of it.
 */
TEST_F_TIMEOUT(cgroup, removed_groups_leave_nothing_behind, 300)
{
	enum { N = 120, HELD = 8 };
	long long objects = group_objects(), most;
	struct cache c[HELD];
	struct group g;
	int i, tries;

	for (i = 0; i < N; i++) {
		struct cache *here = &c[i % HELD];

		if (i >= HELD)
			cache_close(here);
		ASSERT_EQ(0, group_make(&g, self->top, "many"));
		ASSERT_EQ(0, make_cache(&g, here, "many", 8 * self->p, 1,
					FILL | UNPIN));
		/* One in four is purged while its group is a removed one. */
		ASSERT_EQ(0, group_remove(&g));
		if (i % 4 == 3)
			ASSERT_LT(0, ash_purge_all(here->fd));
	}
	most = dying(self->top);
	EXPECT_GE(HELD + 20, most);
	for (i = 0; i < HELD; i++)
		cache_close(&c[i]);

	/* The kernel frees groups from a work queue, after grace periods. */
	for (tries = 0; tries < 200 && dying(self->top) > 0; tries++)
		nap_ms(100);
	EXPECT_EQ(0, dying(self->top));
	TH_LOG("dying groups: %lld in the loop, %lld now; objects: %lld before, %lld now",
	       most, dying(self->top), objects, group_objects());
	/* A slab that is a CPU's own counts with all its objects. */
	if (objects >= 0)
		EXPECT_GT(objects + N, group_objects());
}

TEST_HARNESS_MAIN
