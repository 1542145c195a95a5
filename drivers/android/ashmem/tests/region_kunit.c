// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names, sizes, protection masks, and the backing that makes the first two final.
 */

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/personality.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../backing.h"
#include "fixture.h"

static struct ashmem_region *region_new(struct kunit *test)
{
	return ashmem_kunit_region(test, ashmem_kunit_lru(test), 0);
}

static int set_name(struct kunit *test, struct ashmem_region *region, const char *name)
{
	char *full = kasprintf(GFP_KERNEL, ASHMEM_NAME_PREFIX "%s", name);

	KUNIT_ASSERT_NOT_NULL(test, full);
	return ashmem_region_set_name(region, full);
}

/* GET_NAME returns @name, and writes nothing behind its terminator. */
static void expect_name(struct kunit *test, struct ashmem_region *region, const char *name)
{
	char buf[ASHMEM_NAME_LEN];

	memset(buf, 0xcc, sizeof(buf));
	KUNIT_EXPECT_EQ(test, strlen(name) + 1, ashmem_region_get_name(region, buf));
	KUNIT_EXPECT_STREQ(test, name, buf);
}

static int back(struct ashmem_region *region)
{
	return ashmem_region_back(region, 1, true, false);
}

static void region_new_test(struct kunit *test)
{
	struct ashmem_region *region = region_new(test);

	KUNIT_EXPECT_EQ(test, 0, region->size);
	KUNIT_EXPECT_EQ(test, PROT_READ | PROT_WRITE | PROT_EXEC, region->prot_mask);
	KUNIT_EXPECT_NULL(test, region->backing);
	KUNIT_EXPECT_EQ(test, 0, region->unpinned.unpinned);
	expect_name(test, region, "dev/ashmem");
}

static void region_name_test(struct kunit *test)
{
	static const char * const names[] = {
		"a", "with blanks and / slashes", "\xff\x01\n", "dev/ashmem", ".", "",
	};
	struct ashmem_region *region = region_new(test);
	char longest[ASHMEM_NAME_LEN];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		KUNIT_EXPECT_EQ(test, 0, set_name(test, region, names[i]));
		/* An empty name takes the name away. */
		expect_name(test, region, *names[i] ? names[i] : "dev/ashmem");
	}
	KUNIT_EXPECT_NULL(test, region->name);

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	KUNIT_EXPECT_EQ(test, 0, set_name(test, region, longest));
	expect_name(test, region, longest);

	/* After the backing exists it cannot change. */
	KUNIT_EXPECT_EQ(test, 0, set_name(test, region, "last"));
	KUNIT_EXPECT_EQ(test, 0, ashmem_region_set_size(region, PAGE_SIZE));
	KUNIT_ASSERT_EQ(test, 0, back(region));
	KUNIT_EXPECT_EQ(test, -EINVAL, set_name(test, region, "later"));
	KUNIT_EXPECT_EQ(test, -EINVAL, set_name(test, region, ""));
	expect_name(test, region, "last");
	KUNIT_EXPECT_STREQ(test, "dev/ashmem/last",
			   (const char *)region->backing->f_path.dentry->d_name.name);
}

/**
 * struct size_case - a size, and whether a file can have it
 * @size: in bytes
 * @err: what making the file returns
 */
struct size_case {
	size_t size;
	int err;
};

static const struct size_case size_cases[] = {
	{ 1 }, { PAGE_SIZE - 1 }, { PAGE_SIZE }, { PAGE_SIZE + 1 }, { SZ_1G },
	{ SZ_2G - 1 },
#ifdef CONFIG_64BIT
	{ SZ_2G }, { SZ_4G - 1 }, { SZ_4G }, { SZ_4G + 1 }, { 1UL << 40 },
	{ MAX_LFS_FILESIZE },
	{ (size_t)MAX_LFS_FILESIZE + 1, -EINVAL },
	{ SIZE_MAX - PAGE_SIZE, -EINVAL },
	{ SIZE_MAX, -EINVAL },
#else
	/* All that a size_t holds is less than a file's limit. */
	{ SZ_2G }, { SIZE_MAX - PAGE_SIZE }, { SIZE_MAX },
#endif
};

static void region_size_test(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(size_cases); i++) {
		const struct size_case *c = &size_cases[i];
		struct ashmem_region *region = region_new(test);
		struct file *backing;

		/* Any number is accepted, repeatedly, until the file exists. */
		KUNIT_EXPECT_EQ(test, 0, ashmem_region_set_size(region, SIZE_MAX));
		KUNIT_EXPECT_EQ(test, 0, ashmem_region_set_size(region, 0));
		KUNIT_EXPECT_EQ(test, 0, ashmem_region_set_size(region, c->size));
		KUNIT_EXPECT_EQ(test, c->size, region->size);
		KUNIT_EXPECT_EQ_MSG(test, c->err, back(region), "size %#zx", c->size);
		backing = region->backing;
		if (c->err) {
			KUNIT_EXPECT_NULL_MSG(test, backing, "size %#zx", c->size);
			KUNIT_EXPECT_EQ(test, 0, ashmem_region_set_size(region, 1));
			KUNIT_EXPECT_EQ(test, 1, region->size);
			continue;
		}
		KUNIT_ASSERT_NOT_NULL(test, backing);
		KUNIT_EXPECT_EQ(test, (loff_t)c->size, i_size_read(file_inode(backing)));
		KUNIT_EXPECT_EQ(test, -EINVAL, ashmem_region_set_size(region, 1));
		KUNIT_EXPECT_EQ(test, c->size, region->size);
		KUNIT_EXPECT_EQ(test, 0, back(region));
		KUNIT_EXPECT_PTR_EQ(test, backing, region->backing);
	}
	KUNIT_EXPECT_EQ(test, IS_ENABLED(CONFIG_64BIT) ? 15 : 9, i);
}

/* From each mask to each other, as a task that may read what it executes or not. */
static void region_prot_mask_test(struct kunit *test)
{
	static const unsigned long strange[] = {
		PROT_SEM, PROT_GROWSDOWN, 1UL << 31, ~0UL, ~ASHMEM_PROT_ALL,
	};
	unsigned int saved = current->personality;
	struct ashmem_region *region = region_new(test);
	unsigned int implies, cases = 0, i;
	unsigned long from, to;

	for (implies = 0; implies <= 1; implies++) {
		for (from = 0; from <= ASHMEM_PROT_ALL; from++) {
			for (to = 0; to <= ASHMEM_PROT_ALL; to++) {
				unsigned long want = to;
				int err;

				current->personality = implies ? READ_IMPLIES_EXEC : 0;
				region->prot_mask = from;
				err = ashmem_region_set_prot_mask(region, to);
				current->personality = saved;
				/* A removed right never comes back. */
				if (to & ~from)
					want = from;
				else if (implies && (to & PROT_READ))
					want |= from & PROT_EXEC;
				KUNIT_EXPECT_EQ_MSG(test, to & ~from ? -EINVAL : 0, err,
						    "%lu to %lu", from, to);
				KUNIT_EXPECT_EQ_MSG(test, want, region->prot_mask,
						    "%lu to %lu", from, to);
				cases++;
			}
			for (i = 0; i < ARRAY_SIZE(strange); i++) {
				region->prot_mask = from;
				KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
						    ashmem_region_set_prot_mask(region, strange[i]),
						    "%lu to %#lx", from, strange[i]);
				KUNIT_EXPECT_EQ(test, from, region->prot_mask);
				cases++;
			}
		}
	}
	KUNIT_EXPECT_EQ(test, 2 * 8 * (8 + 5), cases);
}

/* A mapping beyond the end is refused, before and after the backing exists. */
static void region_length_test(struct kunit *test)
{
	struct ashmem_region *region = region_new(test);
	int backed;

	KUNIT_EXPECT_EQ(test, -EINVAL, ashmem_region_back(region, 1, true, false));
	KUNIT_EXPECT_EQ(test, 0, ashmem_region_set_size(region, PAGE_SIZE + 1));
	for (backed = 0; backed <= 1; backed++) {
		KUNIT_EXPECT_EQ(test, -EINVAL, ashmem_region_back(region, 3 * PAGE_SIZE,
								  true, false));
		KUNIT_EXPECT_EQ(test, !backed, !region->backing);
		KUNIT_EXPECT_EQ(test, 0, ashmem_region_back(region, 2 * PAGE_SIZE,
							    true, false));
	}
	KUNIT_EXPECT_EQ(test, -EINVAL, ashmem_region_back(region, 3 * PAGE_SIZE, true, true));
	KUNIT_EXPECT_NULL(test, region->label);
}

static void region_label_test(struct kunit *test)
{
	struct ashmem_region *region = region_new(test);
	struct file *label;

	KUNIT_EXPECT_EQ(test, 0, ashmem_region_set_size(region, 3 * PAGE_SIZE));
	KUNIT_ASSERT_EQ(test, 0, ashmem_region_back(region, 1, true, true));
	label = region->label;
	KUNIT_ASSERT_NOT_NULL(test, label);
	KUNIT_EXPECT_PTR_NE(test, label, region->backing);
	/* A private mapping that was moved may have its address as its offset. */
	KUNIT_EXPECT_GE(test, i_size_read(file_inode(label)), (loff_t)TASK_SIZE);
	KUNIT_EXPECT_EQ(test, file_inode(region->backing)->i_ino, file_inode(label)->i_ino);
	KUNIT_EXPECT_EQ(test, 0, ashmem_region_back(region, 1, true, true));
	KUNIT_EXPECT_PTR_EQ(test, label, region->label);
}

/**
 * struct settle - what happens while a backing is made
 * @region: the region
 * @nested: another task makes the backing in between
 * @fails: then this one can't be made
 * @calls: how many backings were asked for
 * @winner: the other task's backing
 */
struct settle {
	struct ashmem_region *region;
	bool nested;
	bool fails;
	unsigned int calls;
	struct file *winner;
};

static struct file *create_slowly(const char *name, size_t size, bool noreserve)
{
	struct kunit *test = kunit_get_current_test();
	struct settle *settle = test->priv;
	struct ashmem_region *region = settle->region;
	struct file *file;

	settle->calls++;
	KUNIT_EXPECT_STREQ(test, "dev/ashmem/name", name);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, size);
	KUNIT_EXPECT_EQ(test, -EINVAL, ashmem_region_set_size(region, 2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EINVAL, set_name(test, region, "other"));
	KUNIT_EXPECT_EQ(test, -EINVAL, set_name(test, region, ""));
	expect_name(test, region, "name");
	if (settle->nested && settle->calls == 1) {
		KUNIT_EXPECT_EQ(test, 0, back(region));
		settle->winner = region->backing;
		/* One of them is done, the other isn't. */
		KUNIT_EXPECT_EQ(test, -EINVAL, ashmem_region_set_size(region, 2 * PAGE_SIZE));
	}
	if (settle->fails)
		return ERR_PTR(-ENOSPC);
	kunit_deactivate_static_stub(test, ashmem_backing_create);
	file = ashmem_backing_create(name, size, noreserve);
	kunit_activate_static_stub(test, ashmem_backing_create, create_slowly);
	return file;
}

static struct settle *settle_new(struct kunit *test)
{
	struct settle *settle = kunit_kzalloc(test, sizeof(*settle), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, settle);
	settle->region = region_new(test);
	KUNIT_ASSERT_EQ(test, 0, set_name(test, settle->region, "name"));
	KUNIT_ASSERT_EQ(test, 0, ashmem_region_set_size(settle->region, PAGE_SIZE));
	test->priv = settle;
	kunit_activate_static_stub(test, ashmem_backing_create, create_slowly);
	return settle;
}

/* Name and size cannot change while a backing is being made. */
static void region_settle_test(struct kunit *test)
{
	struct settle *settle = settle_new(test);
	struct ashmem_region *region = settle->region;

	settle->fails = true;
	KUNIT_EXPECT_EQ(test, -ENOSPC, back(region));
	KUNIT_EXPECT_NULL(test, region->backing);

	/* If the backing could not be made, they can change again. */
	KUNIT_EXPECT_EQ(test, 0, ashmem_region_set_size(region, 2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, set_name(test, region, "other"));
	KUNIT_EXPECT_EQ(test, 0, set_name(test, region, "name"));
	KUNIT_EXPECT_EQ(test, 0, ashmem_region_set_size(region, PAGE_SIZE));

	settle->fails = false;
	KUNIT_EXPECT_EQ(test, 0, back(region));
	KUNIT_EXPECT_NOT_NULL(test, region->backing);
	KUNIT_EXPECT_EQ(test, -EINVAL, ashmem_region_set_size(region, 2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 2, settle->calls);
}

/*
 * Of two tasks that make the backing the faster one wins, and the other succeeds, too.
 */
static void region_two_backings_test(struct kunit *test)
{
	struct settle *settle = settle_new(test);
	struct ashmem_region *region = settle->region;

	settle->nested = true;
	KUNIT_EXPECT_EQ(test, 0, back(region));
	KUNIT_EXPECT_EQ(test, 2, settle->calls);
	KUNIT_ASSERT_NOT_NULL(test, region->backing);
	KUNIT_EXPECT_PTR_EQ(test, settle->winner, region->backing);
	KUNIT_EXPECT_EQ(test, 1, file_count(region->backing));
	KUNIT_EXPECT_EQ(test, 0, region->settling);
	KUNIT_EXPECT_EQ(test, -EINVAL, ashmem_region_set_size(region, 2 * PAGE_SIZE));
}

static void expect_missing(struct kunit *test, const char *hook,
			   const struct file_operations *fops)
{
	KUNIT_EXPECT_STREQ(test, hook, ashmem_backing_missing(fops) ?: "none");
}

/* The module doesn't load if it would call a missing hook. */
static void region_missing_hook_test(struct kunit *test)
{
	struct ashmem_region *region = ashmem_kunit_region(test, ashmem_kunit_lru(test), 1);
	const struct file_operations whole = *region->backing->f_op;
	struct file_operations fops = whole;

	expect_missing(test, "none", &fops);
	fops.mmap = NULL;
#ifdef ASHMEM_HAVE_MMAP_PREPARE
	fops.mmap_prepare = NULL;
#endif
	expect_missing(test, "mmap", &fops);
#ifdef ASHMEM_HAVE_MMAP_PREPARE
	/* A file with both can't be mapped. */
	fops.mmap = (void *)expect_missing;
	fops.mmap_prepare = (void *)expect_missing;
	expect_missing(test, "mmap", &fops);
#endif
	fops = whole;
	fops.get_unmapped_area = NULL;
	expect_missing(test, "get_unmapped_area", &fops);
	fops = whole;
	fops.llseek = NULL;
	expect_missing(test, "llseek", &fops);
	fops = whole;
	fops.read_iter = NULL;
	expect_missing(test, "read_iter", &fops);
	fops = whole;
	fops.splice_read = NULL;
	expect_missing(test, "splice_read", &fops);
	fops = whole;
	fops.fallocate = NULL;
	expect_missing(test, "fallocate", &fops);
}

static struct kunit_case region_cases[] = {
	KUNIT_CASE(region_new_test),
	KUNIT_CASE(region_name_test),
	KUNIT_CASE(region_size_test),
	KUNIT_CASE(region_prot_mask_test),
	KUNIT_CASE(region_length_test),
	KUNIT_CASE(region_label_test),
	KUNIT_CASE(region_settle_test),
	KUNIT_CASE(region_two_backings_test),
	KUNIT_CASE(region_missing_hook_test),
	{}
};

static struct kunit_suite region_suite = {
	.name = "ashmem_region",
	.test_cases = region_cases,
};

kunit_test_suite(region_suite);
