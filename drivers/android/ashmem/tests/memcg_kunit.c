// SPDX-License-Identifier: GPL-2.0
/*
 * The lists of memory cgroups: what is unpinned in one is counted there and
 * nowhere else, and comes to the parent when the cgroup goes away. The suite
 * mounts the hierarchy for itself and makes cgroups in it.
 */

#include "fixture.h"

/* 7.x: directories are made and removed by these calls */
#if defined(CONFIG_MEMCG) && defined(ASHMEM_HAVE_START_CREATING)

#include <kunit/test-bug.h>
#include <linux/cgroup.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/memcontrol.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/sched/mm.h>

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
	if (place->cgroup)
		cgroup_put(place->cgroup);
}

/* Children of the root have a memory of their own from now on. */
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
	place->memcg = mem_cgroup_from_css(css);
	return place;
}

/* The group of tasks in @memcg. */
static struct ashmem_lru_group *group_in(struct kunit *test, struct ashmem_lru *lru,
					 struct mem_cgroup *memcg)
{
	struct mem_cgroup *before = set_active_memcg(memcg);
	struct ashmem_lru_group *group;

	group = ashmem_kunit_group_of(test, lru, memcg->css.serial_nr, numa_node_id());
	set_active_memcg(before);
	return group;
}

static struct ashmem_range *list_range(struct kunit *test, struct ashmem_region *region,
				       struct ashmem_lru_group *group, unsigned long pages)
{
	struct ashmem_range *range = kunit_kzalloc(test, sizeof(*range), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, range);
	range->region = region;
	range->pages.last = pages - 1;
	ashmem_lru_add(group, range);
	return range;
}

static void memcg_count_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru);
	struct cgroup_place *place = cgroup_new(test);
	struct ashmem_lru_group *ours = group_in(test, lru, place->memcg);
	struct ashmem_lru_group *roots = ashmem_kunit_group(test, lru);
	struct ashmem_range *in, *out;

	KUNIT_EXPECT_PTR_NE(test, ours, roots);
	in = list_range(test, region, ours, 3);
	KUNIT_EXPECT_EQ(test, 3, ashmem_kunit_count(lru, place->memcg));
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, root_mem_cgroup));
	out = list_range(test, region, roots, 5);
	KUNIT_EXPECT_EQ(test, 3, ashmem_kunit_count(lru, place->memcg));
	KUNIT_EXPECT_EQ(test, 5, ashmem_kunit_count(lru, root_mem_cgroup));
	KUNIT_EXPECT_EQ(test, 8, ashmem_lru_pages(lru));
	ashmem_lru_del(in);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, place->memcg));
	KUNIT_EXPECT_EQ(test, 5, ashmem_kunit_count(lru, root_mem_cgroup));
	ashmem_lru_del(out);
}

/* What a cgroup that goes away leaves is its parent's to give. */
static void memcg_gone_test(struct kunit *test)
{
	struct ashmem_lru *lru = ashmem_kunit_lru(test);
	struct ashmem_region *region = ashmem_kunit_region(test, lru);
	struct cgroup_place *place = cgroup_new(test);
	struct ashmem_lru_group *group = group_in(test, lru, place->memcg);
	struct ashmem_range *first = list_range(test, region, group, 3), *second;
	unsigned int tries;

	KUNIT_EXPECT_EQ(test, 3, ashmem_kunit_count(lru, place->memcg));
	KUNIT_ASSERT_EQ(test, 0, remove_cgroup(place));
	/* The lists change hands in a work queue. */
	for (tries = 0; tries < 500 && !ashmem_kunit_count(lru, root_mem_cgroup); tries++)
		msleep(20);
	KUNIT_EXPECT_EQ(test, 3, ashmem_kunit_count(lru, root_mem_cgroup));

	/* Tasks that stay in a cgroup on its way out go on, over there. */
	second = list_range(test, region, group, 4);
	KUNIT_EXPECT_EQ(test, 7, ashmem_kunit_count(lru, root_mem_cgroup));
	ashmem_lru_del(first);
	ashmem_lru_del(second);
	KUNIT_EXPECT_EQ(test, 0, ashmem_kunit_count(lru, root_mem_cgroup));
	second = list_range(test, region, group, 2);
	KUNIT_EXPECT_EQ(test, 2, ashmem_kunit_count(lru, root_mem_cgroup));
	ashmem_lru_del(second);
}

static struct kunit_case memcg_cases[] = {
	KUNIT_CASE(memcg_count_test),
	KUNIT_CASE(memcg_gone_test),
	{}
};

static struct kunit_suite memcg_suite = {
	.name = "ashmem_memcg",
	.test_cases = memcg_cases,
};

kunit_test_suite(memcg_suite);

#endif
