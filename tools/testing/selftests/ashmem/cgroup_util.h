/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture of the tests in memory cgroups, and what tasks do in a cgroup.
 *
 * A child joins the cgroup, does the work and exits: memory stays charged to the
 * cgroup whose task touched it first.
 */
#ifndef CGROUP_UTIL_H
#define CGROUP_UTIL_H

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

static UNUSED const char *knob(const char *dir, const char *file)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return path;
}

static UNUSED int set_knob(const char *dir, const char *file, const char *text)
{
	return put_file(knob(dir, file), text);
}

static UNUSED int set_knob_bytes(const char *dir, const char *file, size_t bytes)
{
	return put_number(knob(dir, file), (long long)bytes);
}

static UNUSED long long knob_number(const char *dir, const char *file)
{
	char text[64];

	if (get_file(knob(dir, file), text, sizeof(text)) <= 0)
		return -1;
	return strtoll(text, NULL, 10);
}

static UNUSED long long event(const struct group *g, const char *name)
{
	return keyed_number(knob(g->dir, "memory.events"), name);
}

static UNUSED bool knob_has_word(const char *dir, const char *file, const char *word)
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

static UNUSED bool find_cgroup2(char *dir, size_t size)
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

/* A group without swap: its ranges can only be purged. */
static UNUSED int group_make(struct group *g, const char *parent, const char *name)
{
	snprintf(g->dir, sizeof(g->dir), "%s/%s", parent, name);
	snprintf(g->procs, sizeof(g->procs), "%.*s/cgroup.procs", (int)sizeof(g->dir) - 1,
		 g->dir);
	if (mkdir(g->dir, 0755))
		return -errno;
	set_knob(g->dir, "memory.swap.max", "0");
	return 0;
}

/* A task that has been waited for may still be in its group for a moment. */
#define WHILE_BUSY(call) ({ \
	int __ret, __tries; \
	for (__tries = 0; (__ret = (call)) == -EBUSY && __tries < 250; __tries++) \
		nap_ms(20); \
	__ret; \
})

static UNUSED int group_remove(const struct group *g)
{
	return WHILE_BUSY(RET(rmdir(g->dir)));
}

/* For its children. The kernel refuses it while the group has tasks. */
static UNUSED int group_enable_memory(const struct group *g)
{
	return WHILE_BUSY(set_knob(g->dir, "cgroup.subtree_control", "+memory"));
}

static UNUSED void remove_groups_in(const char *dir)
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

static UNUSED void unmount_root(const char *root)
{
	umount2(root, MNT_DETACH);
	rmdir(root);
}

/* Is a word of the kernel's command line cgroup.memory= with @option in its list? */
static UNUSED bool booted_with_memcg_option(const char *option)
{
	static const char key[] = "cgroup.memory=";
	char line[4096], *word, *save, *one, *rest;

	if (get_file("/proc/cmdline", line, sizeof(line)) < 0)
		return false;
	for (word = strtok_r(line, "\n ", &save); word; word = strtok_r(NULL, "\n ", &save)) {
		if (strncmp(word, key, strlen(key)))
			continue;
		one = strtok_r(word + strlen(key), ",", &rest);
		for (; one; one = strtok_r(NULL, ",", &rest)) {
			if (!strcmp(one, option))
				return true;
		}
	}
	return false;
}

/* Why this kernel purges by node only, or NULL if it purges by cgroup. */
static UNUSED const char *no_memcg_reason(void)
{
	if (!kernel_at_least(6, 7))
		return "before 6.7 the driver purges by node only";
	if (booted_with_memcg_option("nokmem"))
		return "with cgroup.memory=nokmem the driver purges by node only";
	return NULL;
}

FIXTURE_SETUP(cgroup)
{
	const char *reason = no_memcg_reason();
	char tmp[] = "/tmp/ashmem-cgroup-XXXXXX";

	self->p = page_size();
	if (reason)
		SKIP(return, "%s", reason);
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
static UNUSED int cache_in_group(const struct group *g, struct cache *c, int what,
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

static UNUSED int make_cache(const struct group *g, struct cache *c, const char *name,
			     size_t len, unsigned int seed, int what)
{
	int ret = cache_open(c, name, len, seed);

	return ret ? ret : cache_in_group(g, c, what, 0, c->pages);
}

/* Memory that cannot be reclaimed from the task: 0 if it survived. */
static UNUSED int take_memory(const struct group *g, size_t len)
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
		/* Charged page by page, which makes limits easier to compute. */
		madvise(q, len, MADV_NOHUGEPAGE);
		for (i = 0; i < len; i += page_size())
			q[i] = (unsigned char)(i >> 12) | 1;
		for (i = 0; i < len; i += page_size())
			CHILD_CHECK(q[i] == ((unsigned char)(i >> 12) | 1));
		_exit(0);
	}
	return wait_child(pid);
}

/*
 * A task with memory that the kernel can reclaim as easily as ours, so that it does not
 * need all of ours. Ends when @sock is closed.
 */
static UNUSED int keep_lazily(const struct group *g, size_t len, int *sock)
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

#endif
