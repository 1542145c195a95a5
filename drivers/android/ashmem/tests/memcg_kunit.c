// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory cgroups: only the cgroup that pages are charged to lists them. When it is
 * removed, its parent lists them. The suite mounts the hierarchy and makes a cgroup in
 * it.
 */

#include "fixture.h"

/* 6.19: directories are made and removed by these calls */
#if defined(CONFIG_MEMCG) && defined(ASHMEM_HAVE_START_CREATING)

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <linux/cgroup.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/memcontrol.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/shrinker.h>
#include <linux/swap.h>
#include <linux/topology.h>

#include "../alloc.h"
#include "../payer.h"
#include "../purge.h"

#define CGROUP_NAME	"ashmem-kunit"

/**
 * struct cgroup_place - a cgroup of the test's
 * @mnt: the hierarchy
 * @cgroup: the cgroup
 * @memcg: its memory
 * @gone: it has been removed
 */
struct cgroup_place {
	struct vfsmount *mnt;
	struct cgroup *cgroup;
	struct mem_cgroup *memcg;
	bool gone;
};

static void unmount(void *mnt)
{
	kern_unmount(mnt);
}

static int remove_cgroup(struct cgroup_place *place)
{
	struct dentry *root = place->mnt->mnt_root, *dentry;
	int err;

	if (place->gone)
		return 0;
	dentry = start_removing_noperm(root, &QSTR(CGROUP_NAME));
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	err = vfs_rmdir(&nop_mnt_idmap, d_inode(root), dentry, NULL);
	end_removing(dentry);
	place->gone = !err;
	return err;
}

static void end_cgroup(void *data)
{
	struct cgroup_place *place = data;

	KUNIT_EXPECT_EQ(kunit_get_current_test(), 0, remove_cgroup(place));
	if (place->memcg)
		css_put(&place->memcg->css);
	if (place->cgroup)
		cgroup_put(place->cgroup);
}

/* Children of the root have their own memory from now on. */
static void enable_memory(struct kunit *test, struct vfsmount *mnt)
{
	static const char words[] = "+memory";
	struct file *file = file_open_root_mnt(mnt, "cgroup.subtree_control", O_WRONLY, 0);
	loff_t pos = 0;

	if (IS_ERR(file))
		kunit_skip(test, "the hierarchy has no subtree_control");
	if (kernel_write(file, words, strlen(words), &pos) != strlen(words)) {
		fput(file);
		kunit_skip(test, "the memory controller is another hierarchy's");
	}
	fput(file);
}

static struct cgroup_place *cgroup_new(struct kunit *test)
{
	struct cgroup_place *place = kunit_kzalloc(test, sizeof(*place), GFP_KERNEL);
	struct file_system_type *type = get_fs_type("cgroup2");
	struct cgroup_subsys_state *css;
	struct dentry *dentry;

	KUNIT_ASSERT_NOT_NULL(test, place);
	if (!type || mem_cgroup_disabled())
		kunit_skip(test, "no memory cgroups");
	place->mnt = kern_mount(type);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, place->mnt);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, unmount, place->mnt));
	enable_memory(test, place->mnt);

	dentry = start_creating_noperm(place->mnt->mnt_root, &QSTR(CGROUP_NAME));
	KUNIT_ASSERT_FALSE(test, IS_ERR(dentry));
	dentry = vfs_mkdir(&nop_mnt_idmap, d_inode(place->mnt->mnt_root), dentry, 0755, NULL);
	end_creating(dentry);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dentry));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, end_cgroup, place));

	place->cgroup = cgroup_get_from_path("/" CGROUP_NAME);
	if (IS_ERR(place->cgroup))
		place->cgroup = NULL;
	KUNIT_ASSERT_NOT_NULL(test, place->cgroup);
	css = rcu_access_pointer(place->cgroup->subsys[memory_cgrp_id]);
	KUNIT_ASSERT_NOT_NULL(test, css);
	/* Tests use it after its removal; cgroup_put() frees it. */
	css_get(css);
	place->memcg = mem_cgroup_from_css(css);
	return place;
}

static u64 serial_of(const struct cgroup_place *place)
{
	return place->memcg->css.serial_nr;
}

/* Make a page of a region that is charged to @memcg, or to the root. */
static void fill_page(struct kunit *test, struct ashmem_region *region,
		      unsigned long index, struct mem_cgroup *memcg)
{
	struct mem_cgroup *before = set_active_memcg(memcg);
	struct page *page = shmem_read_mapping_page(region->backing->f_mapping, index);

	set_active_memcg(before);
	KUNIT_ASSERT_FALSE(test, IS_ERR(page));
	put_page(page);
}

static void detach(void *data)
{
	struct ashmem_lru_entry *entry = data;

	ashmem_lru_detach(entry->group->lru, entry);
}

static struct ashmem_lru_entry *entry_new(struct kunit *test, struct ashmem_lru *lru,
					  struct mem_cgroup *memcg, unsigned long pages)
{
	struct ashmem_lru_entry *entry = kunit_kzalloc(test, sizeof(*entry), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, entry);
	KUNIT_ASSERT_EQ(test, 0, ashmem_lru_attach(lru, entry, memcg, numa_node_id()));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, detach, entry));
	ashmem_lru_update(lru, entry, jiffies, pages);
	return entry;
}

static void memcg_count_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct cgroup_place *place = cgroup_new(test);
	struct ashmem_lru_entry *in, *out, *more;

	in = entry_new(test, lru, place->memcg, 3);
	KUNIT_EXPECT_EQ(test, 3, ashmem_kunit_count(lru, place->memcg));
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, root_mem_cgroup));
	out = entry_new(test, lru, NULL, 5);
	KUNIT_EXPECT_PTR_NE(test, in->group, out->group);
	KUNIT_EXPECT_EQ(test, 3, ashmem_kunit_count(lru, place->memcg));
	KUNIT_EXPECT_EQ(test, 5, ashmem_kunit_count(lru, root_mem_cgroup));

	/* Each has one group, which the next entry joins. */
	more = entry_new(test, lru, place->memcg, 1);
	KUNIT_EXPECT_PTR_EQ(test, in->group, more->group);
	KUNIT_EXPECT_EQ(test, 4, ashmem_kunit_count(lru, place->memcg));
	more = entry_new(test, lru, NULL, 1);
	KUNIT_EXPECT_PTR_EQ(test, out->group, more->group);
	KUNIT_EXPECT_EQ(test, 6, ashmem_kunit_count(lru, root_mem_cgroup));
	KUNIT_EXPECT_EQ(test, 0, lru->moved);
}

static void remove_and_wait(struct kunit *test, struct cgroup_place *place,
			    struct ashmem_lru *lru, unsigned long pages)
{
	unsigned int tries;

	KUNIT_ASSERT_EQ(test, 0, remove_cgroup(place));
	/* A work queue moves the lists. */
	for (tries = 0; tries < 1500; tries++) {
		if (ashmem_kunit_count(lru, root_mem_cgroup) == pages)
			return;
		msleep(20);
	}
	KUNIT_FAIL(test, "the root's list never had %lu pages", pages);
}

/* The parent inherits from a removed cgroup, and the groups merge. */
static void memcg_gone_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct cgroup_place *place = cgroup_new(test);
	struct ashmem_lru_entry *in = entry_new(test, lru, place->memcg, 3);
	struct ashmem_lru_entry *out = entry_new(test, lru, NULL, 5), *late;

	remove_and_wait(test, place, lru, 8);
	KUNIT_EXPECT_PTR_EQ(test, in->group, out->group);
	KUNIT_EXPECT_EQ(test, 1, lru->moved);

	/* A task in a dying cgroup continues in the parent. */
	late = entry_new(test, lru, place->memcg, 4);
	KUNIT_EXPECT_EQ(test, 12, ashmem_kunit_count(lru, root_mem_cgroup));
	KUNIT_EXPECT_PTR_EQ(test, in->group, late->group);

	/* Nothing of the root may be listed for it. */
	ashmem_lru_update(lru, in, in->key, 0);
	ashmem_lru_update(lru, out, out->key, 0);
	ashmem_lru_update(lru, late, late->key, 0);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, root_mem_cgroup));
	late = entry_new(test, lru, place->memcg, 2);
	KUNIT_EXPECT_PTR_NE(test, in->group, late->group);
	KUNIT_EXPECT_EQ(test, 2, ashmem_kunit_count(lru, root_mem_cgroup));
}

/* The unpinning task does not matter: this test runs in the root. */
static void memcg_payer_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct cgroup_place *place = cgroup_new(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 30);
	struct ashmem_payer *theirs, *roots;

	fill_page(test, region, 5, place->memcg);
	fill_page(test, region, 7, NULL);
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 9));
	theirs = ashmem_kunit_payer(region);
	KUNIT_EXPECT_EQ(test, serial_of(place), theirs->cgroup);
	KUNIT_EXPECT_EQ(test, 10, ashmem_kunit_count(lru, place->memcg));
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, root_mem_cgroup));

	/* Without a page it is the task's cgroup. */
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 20, 24));
	roots = ashmem_kunit_payer(region);
	KUNIT_EXPECT_PTR_NE(test, theirs, roots);
	KUNIT_EXPECT_EQ(test, 0, roots->cgroup);
	KUNIT_EXPECT_EQ(test, 5, ashmem_kunit_count(lru, root_mem_cgroup));

	/* The first page decides, or the larger range that UNPIN merges into. */
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 7, 10));
	KUNIT_EXPECT_EQ(test, 11, theirs->queue.pages);
	KUNIT_EXPECT_EQ(test, 5, roots->queue.pages);
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 6, 19));
	KUNIT_EXPECT_EQ(test, 0, theirs->queue.pages);
	KUNIT_EXPECT_EQ(test, 20 + 5, roots->queue.pages);
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 4, 25));
	KUNIT_EXPECT_EQ(test, 26, theirs->queue.pages);
	KUNIT_EXPECT_EQ(test, 0, roots->queue.pages);
	KUNIT_EXPECT_EQ(test, 2, ashmem_kunit_payers(region));
	KUNIT_EXPECT_EQ(test, 26, ashmem_purge_all(lru));
}

/* Pages of a cgroup that was removed belong to its parent. */
static void memcg_payer_gone_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct cgroup_place *place = cgroup_new(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 10);

	fill_page(test, region, 0, place->memcg);
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 4));
	KUNIT_EXPECT_EQ(test, serial_of(place), ashmem_kunit_payer(region)->cgroup);
	remove_and_wait(test, place, lru, 5);
	KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(region, 0, 4));
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 9));
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_payer(region)->cgroup);
	KUNIT_EXPECT_EQ(test, 10, ashmem_kunit_payer(region)->queue.pages);
	KUNIT_EXPECT_EQ(test, 10, ashmem_purge_all(lru));
}

/* The root's pages stay the root's, even if a task of another cgroup unpins them. */
static void memcg_payer_root_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct cgroup_place *place = cgroup_new(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 10);
	struct obj_cgroup *before = current->objcg;
	int err;

	fill_page(test, region, 0, NULL);
	/* Pages of a task in that cgroup. */
	current->objcg = rcu_access_pointer(place->memcg->nodeinfo[numa_node_id()]->objcg);
	err = ashmem_kunit_unpin(region, 0, 9);
	current->objcg = before;
	KUNIT_ASSERT_EQ(test, 0, err);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_payer(region)->cgroup);
	KUNIT_EXPECT_EQ(test, 10, ashmem_kunit_count(lru, root_mem_cgroup));
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, place->memcg));
}

/* The remembered payer of a range is invalid when its pages may have changed. */
static void memcg_payer_stale_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct cgroup_place *place = cgroup_new(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 10);

	fill_page(test, region, 0, place->memcg);
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 3));
	/* It merges into this range, which is purged; its pages are new ones then. */
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 7));
	KUNIT_ASSERT_EQ(test, 8, ashmem_purge_all(lru));
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 0, 7));
	fill_page(test, region, 0, NULL);
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 3));
	KUNIT_EXPECT_EQ(test, 4, ashmem_kunit_count(lru, root_mem_cgroup));
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, place->memcg));
}

/* An idle payer is freed when another is added, unless a purge has picked it. */
static void memcg_payer_idle_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct cgroup_place *place = cgroup_new(test);
	struct ashmem_lru_cursor none = {}, at;
	struct ashmem_lru_entry *entry;
	int picked;

	for (picked = 0; picked <= 1; picked++) {
		struct ashmem_region *region = ashmem_kunit_region(test, lru, 10);

		fill_page(test, region, 0, place->memcg);
		KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 3));
		entry = &ashmem_kunit_payer(region)->entry;
		if (picked)
			KUNIT_EXPECT_PTR_EQ(test, entry, ashmem_lru_pick(entry->group, &none, &at));
		KUNIT_EXPECT_EQ(test, ASHMEM_NOT_PURGED, ashmem_kunit_pin(region, 0, 3));
		KUNIT_EXPECT_EQ(test, 4, ashmem_kunit_count(lru, place->memcg));
		KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 5, 6));
		KUNIT_EXPECT_EQ(test, 1 + picked, ashmem_kunit_payers(region));
		KUNIT_EXPECT_EQ(test, picked ? 4 : 0, ashmem_kunit_count(lru, place->memcg));
		KUNIT_EXPECT_EQ(test, 2, ashmem_kunit_count(lru, root_mem_cgroup));
		if (picked) {
			spin_lock(&region->lock);
			ashmem_lru_put_back(lru, entry, entry->key, 0, 0);
			spin_unlock(&region->lock);
			ashmem_region_put(region);
		}
		ashmem_kunit_close(test, region);
	}
}

/* For unpin_meanwhile(): where another task unpins pages of the root. */
static struct ashmem_region *shared;

static struct ashmem_range *unpin_meanwhile(gfp_t gfp)
{
	struct kunit *test = kunit_get_current_test();
	struct ashmem_range *range;

	kunit_deactivate_static_stub(test, ashmem_range_alloc);
	range = ashmem_range_alloc(gfp);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_unpin(shared, 5, 6));
	return range;
}

/* The payer of an UNPIN stays while the UNPIN allocates a range. */
static void memcg_payer_in_use_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct cgroup_place *place = cgroup_new(test);
	struct ashmem_payer *payer;
	unsigned long pages = 0;

	shared = ashmem_kunit_region(test, lru, 10);
	fill_page(test, shared, 0, place->memcg);
	kunit_activate_static_stub(test, ashmem_range_alloc, unpin_meanwhile);
	KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(shared, 0, 3));
	KUNIT_EXPECT_EQ(test, 2, ashmem_kunit_payers(shared));
	list_for_each_entry(payer, &shared->payers, link)
		pages += payer->queue.pages;
	KUNIT_EXPECT_EQ(test, 6, pages);
}

static void end_reclaim(void *unused)
{
	current->flags &= ~PF_KSWAPD;
	current->reclaim_state = NULL;
}

static void set_limit(struct cgroup_place *place, bool is_short)
{
	struct page_counter *memory = &place->memcg->memory;

	WRITE_ONCE(memory->max, is_short ? page_counter_read(memory) - 1 : PAGE_COUNTER_MAX);
}

/* What a shrinker call frees that asks for one page of the cgroup. */
static unsigned long scan(struct ashmem_lru *lru, struct cgroup_place *place)
{
	unsigned long scanned;

	return ashmem_kunit_scan(lru, place->memcg, 1, &scanned);
}

/* Moves the test's task to the cgroup at @path of the hierarchy. */
static void join(struct kunit *test, struct cgroup_place *place, const char *path)
{
	struct file *file = file_open_root_mnt(place->mnt, path, O_WRONLY, 0);
	loff_t pos = 0;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_EXPECT_EQ(test, 1, kernel_write(file, "0", 1, &pos));
	fput(file);
}

/* A worker frees pages for a task that may hold locks of a file system, if it is at its limit. */
static void memcg_without_fs_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct cgroup_place *place = cgroup_new(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 10);
	unsigned long freed = SHRINK_STOP;
	struct ashmem_lru_group *group;
	unsigned int tries, full, in;
	unsigned long pages;
	struct shrink_control sc = {
		.nid = numa_node_id(), .memcg = place->memcg, .gfp_mask = GFP_NOFS,
		.nr_to_scan = 1,
	};

	for (full = 0; full < 2; full++) {
		for (in = 0; in < 2; in++) {
			join(test, place, in ? CGROUP_NAME "/cgroup.procs" : "cgroup.procs");
			/* A step that comes late, on a busy machine, is not reported. */
			for (tries = 0; tries < 100 && freed == SHRINK_STOP; tries++) {
				set_limit(place, false);
				ashmem_kunit_pin(region, 0, 9);
				fill_page(test, region, 0, place->memcg);
				KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, 0, 9));
				set_limit(place, full);
				group = ashmem_lru_get_group(lru, sc.nid, sc.memcg, &pages);
				KUNIT_ASSERT_NOT_NULL(test, group);
				freed = ashmem_purge_some(lru, &sc);
				flush_work(&group->work);
				ashmem_lru_put_group(group);
			}
			if (!full || !in)
				KUNIT_EXPECT_EQ(test, SHRINK_STOP, freed);
		}
	}
	join(test, place, "cgroup.procs");
	set_limit(place, false);
	KUNIT_EXPECT_EQ(test, 1, freed);
	KUNIT_EXPECT_EQ(test, 1, sc.nr_scanned);
	KUNIT_EXPECT_EQ(test, ASHMEM_WAS_PURGED, ashmem_kunit_pin(region, 0, 9));
}

/* Reclaim that began at the limit ends soon after the cgroup has left it. */
static void memcg_enough_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct cgroup_place *place = cgroup_new(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru, 70);
	struct reclaim_state state = { .reclaimed = 1 };
	struct ashmem_lru_group *group;
	unsigned long i;

	/* Seven ranges: a step that need not be longer takes one. */
	for (i = 0; i < 70; i++)
		fill_page(test, region, i, place->memcg);
	for (i = 0; i < 70; i += 10)
		KUNIT_ASSERT_EQ(test, 0, ashmem_kunit_unpin(region, i, i + 8));
	group = ashmem_kunit_payer(region)->entry.group;
	current->reclaim_state = &state;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, end_reclaim, NULL));

	/* The limit was never reached. */
	set_limit(place, false);
	KUNIT_EXPECT_LE(test, 63, ashmem_kunit_count(lru, place->memcg));
	KUNIT_EXPECT_EQ(test, 9, scan(lru, place));
	set_limit(place, true);
	KUNIT_EXPECT_EQ(test, 54, ashmem_kunit_count(lru, place->memcg));
	KUNIT_EXPECT_EQ(test, 9, scan(lru, place));
	set_limit(place, false);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, place->memcg));
	KUNIT_EXPECT_EQ(test, SHRINK_STOP, scan(lru, place));

	/* The next reclaim may come too late to see the limit: it gets one batch. */
	state.reclaimed = 0;
	KUNIT_EXPECT_EQ(test, 45, ashmem_kunit_count(lru, place->memcg));
	KUNIT_EXPECT_EQ(test, 9, scan(lru, place));
	KUNIT_EXPECT_EQ(test, SHRINK_STOP, scan(lru, place));

	/* None of these is reclaim for the cgroup. */
	current->flags |= PF_KSWAPD;
	KUNIT_EXPECT_EQ(test, 9, scan(lru, place));
	current->flags &= ~PF_KSWAPD;
	KUNIT_EXPECT_EQ(test, SHRINK_STOP, scan(lru, place));
	group->short_at = jiffies - HZ;
	KUNIT_EXPECT_EQ(test, 9, scan(lru, place));
	group->short_at = jiffies;
	KUNIT_EXPECT_EQ(test, SHRINK_STOP, scan(lru, place));
	group->short_for = 0;
	KUNIT_EXPECT_EQ(test, 9, scan(lru, place));
	KUNIT_EXPECT_EQ(test, 9, ashmem_kunit_count(lru, place->memcg));
}

static struct kunit_case memcg_cases[] = {
	KUNIT_CASE(memcg_count_test),
	KUNIT_CASE(memcg_gone_test),
	KUNIT_CASE(memcg_payer_test),
	KUNIT_CASE(memcg_payer_gone_test),
	KUNIT_CASE(memcg_payer_root_test),
	KUNIT_CASE(memcg_payer_stale_test),
	KUNIT_CASE(memcg_payer_idle_test),
	KUNIT_CASE(memcg_payer_in_use_test),
	KUNIT_CASE(memcg_without_fs_test),
	KUNIT_CASE(memcg_enough_test),
	{}
};

static struct kunit_suite memcg_suite = {
	.name = "ashmem_memcg",
	.test_cases = memcg_cases,
};

kunit_test_suite(memcg_suite);

#else

static void memcg_skipped(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_MEMCG and start_creating_noperm(), of 6.19");
}

static struct kunit_case memcg_cases[] = {
	KUNIT_CASE(memcg_skipped),
	{}
};

static struct kunit_suite memcg_suite = {
	.name = "ashmem_memcg",
	.test_cases = memcg_cases,
};

kunit_test_suite(memcg_suite);

#endif
