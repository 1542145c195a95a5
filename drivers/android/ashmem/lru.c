// SPDX-License-Identifier: GPL-2.0-only
/* The LRU of entries that can be purged. One lock covers all of it. */

#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "compat/list_lru.h"
#include "lru.h"

/* Groups and entries that one walk of a list merges: some 20 us. */
#define MERGE_BATCH	128

struct kmem_cache *ashmem_lru_cache;

static struct ashmem_lru_entry *entry_of(struct rb_node *node)
{
	return rb_entry_safe(node, struct ashmem_lru_entry, node);
}

static bool is_before(unsigned long key, u64 place, const struct ashmem_lru_entry *other)
{
	return key == other->key ? place < other->place : time_before(key, other->key);
}

static void insert_entry(struct ashmem_lru_group *group, struct ashmem_lru_entry *entry)
{
	struct rb_node **link = &group->entries.rb_root.rb_node, *parent = NULL;
	bool first = true;

	lockdep_assert_held(&group->lru->lock);
	while (*link) {
		parent = *link;
		if (is_before(entry->key, entry->place, entry_of(parent))) {
			link = &parent->rb_left;
		} else {
			link = &parent->rb_right;
			first = false;
		}
	}
	rb_link_node(&entry->node, parent, link);
	rb_insert_color_cached(&entry->node, &group->entries, first);
}

void ashmem_lru_put_group(struct ashmem_lru_group *group)
{
	struct ashmem_lru *lru = group->lru;
	bool last;

	spin_lock(&lru->lock);
	last = !--group->refs;
	if (last)
		list_del(&group->all);
	spin_unlock(&lru->lock);
	if (!last)
		return;
	/* The locks of list_lru are outside lru->lock. */
	compat_list_lru_del_obj(&lru->lists, &group->link);
	kmem_cache_free(ashmem_lru_cache, group);
}

/* Has a worker do @lru->step for the group. */
void ashmem_lru_queue(struct ashmem_lru_group *group, struct workqueue_struct *queue)
{
	spin_lock(&group->lru->lock);
	group->refs++;
	spin_unlock(&group->lru->lock);
	if (!queue_work(queue, &group->work))
		ashmem_lru_put_group(group);
}

static void move_entry(struct ashmem_lru_entry *entry, struct ashmem_lru_group *to)
{
	struct ashmem_lru_group *from = entry->group;

	rb_erase_cached(&entry->node, &from->entries);
	insert_entry(to, entry);
	from->pages -= entry->pages;
	to->pages += entry->pages;
	WRITE_ONCE(from->busy, from->busy - entry->busy);
	WRITE_ONCE(to->busy, to->busy + entry->busy);
	from->refs--;
	to->refs++;
	entry->group = to;
	WRITE_ONCE(to->lru->moved, to->lru->moved + 1);
}

/* A walk of one list. */
struct gather {
	struct ashmem_lru_group *group;	/* first with entries, referenced; or NULL */
	unsigned int budget;		/* of entries that may still be moved to it */
	u64 pages;			/* of the group */
};

/* Merge the groups that removed cgroups left on this list; those without entries leave it. */
static enum lru_status gather_group(struct list_head *item, struct list_lru_one *list,
				    COMPAT_LRU_WALK_LOCK void *arg)
{
	struct ashmem_lru_group *group = container_of(item, struct ashmem_lru_group, link);
	struct ashmem_lru *lru = group->lru;
	enum lru_status status = LRU_SKIP;
	struct gather *gather = arg;
	struct rb_node *node;
	bool dying;

	spin_lock(&lru->lock);
	/*
	 * ashmem_lru_put_group() is about to free it. Left on the list, it would keep the next
	 * group from setting the bit by which Linux knows that the cgroup has something.
	 */
	dying = !group->refs;
	if (gather->group) {
		/* Hold a reference, or the last move would free the group. */
		group->refs++;
		while (gather->budget && (node = rb_first_cached(&group->entries))) {
			move_entry(entry_of(node), gather->group);
			gather->budget--;
		}
		group->refs--;
	}
	if (RB_EMPTY_ROOT(&group->entries.rb_root)) {
		list_lru_isolate(list, item);
		status = LRU_REMOVED;
	} else if (!gather->group) {
		group->refs++;
		gather->group = group;
	}
	if (gather->group)
		gather->pages = gather->group->pages;
	if (!group->refs && !dying) {
		list_del(&group->all);
		kmem_cache_free(ashmem_lru_cache, group);
	}
	spin_unlock(&lru->lock);
	return status;
}

/*
 * Returns the group that the shrinker is asked for, with a reference, or NULL if there is
 * nothing to purge. Sets @pages to how many it counts, at most those of the machine.
 */
struct ashmem_lru_group *ashmem_lru_get_group(struct ashmem_lru *lru, int nid,
					      struct mem_cgroup *memcg,
					      unsigned long *pages)
{
	struct gather gather = { .budget = MERGE_BATCH };
	unsigned long nr_to_walk, removed;

	/* A list may begin with more empty groups than one walk removes. */
	do {
		nr_to_walk = MERGE_BATCH;
		removed = list_lru_walk_one(&lru->lists, nid, memcg, gather_group,
					    &gather, &nr_to_walk);
	} while (removed && !gather.group);
	*pages = min_t(u64, gather.pages, totalram_pages());
	return gather.group;
}

static struct ashmem_lru_group *create_group(struct ashmem_lru *lru,
					     struct mem_cgroup *memcg, int nid)
{
	struct ashmem_lru_group *group;

	group = compat_list_lru_alloc(ashmem_lru_cache, &lru->lists, memcg, nid);
	if (!group)
		return NULL;
	group->refs = 1;
	group->lru = lru;
	INIT_LIST_HEAD(&group->link);
	INIT_WORK(&group->work, lru->step);
	group->short_at = jiffies - HZ;

	spin_lock(&lru->lock);
	/* At the front: ashmem_lru_next_group() must not find new groups. */
	list_add(&group->all, &lru->groups);
	spin_unlock(&lru->lock);
	return group;
}

/*
 * Gives a zeroed @entry its group, without listing it. @memcg is NULL for the root; the
 * caller holds a reference to it. May sleep. Returns 0 or -ENOMEM.
 */
int ashmem_lru_attach(struct ashmem_lru *lru, struct ashmem_lru_entry *entry,
		      struct mem_cgroup *memcg, int nid)
{
	unsigned long pages;

	/* Under RCU the cgroup does not pass its lists to its parent. */
	rcu_read_lock();
	entry->group = ashmem_lru_get_group(lru, nid, compat_memcg_living(memcg), &pages);
	rcu_read_unlock();
	/* An unlisted group may exist. Both merge later. */
	if (!entry->group)
		entry->group = create_group(lru, memcg, nid);
	return entry->group ? 0 : -ENOMEM;
}

/* Returns the group, with a reference, if it must be listed now. Until then it is not merged. */
static struct ashmem_lru_group *update_locked(struct ashmem_lru_entry *entry,
					      unsigned long key, unsigned long pages)
{
	struct ashmem_lru_group *group = entry->group;
	bool listed = entry->pages, moves;

	lockdep_assert_held(&group->lru->lock);
	pages = min(pages, ASHMEM_LRU_PAGES_MAX);
	moves = !listed || !pages || entry->key != key;
	if (listed && moves)
		rb_erase_cached(&entry->node, &group->entries);
	group->pages -= entry->pages;
	group->pages += pages;
	entry->pages = pages;
	entry->key = key;
	if (!pages)
		return NULL;
	if (moves) {
		entry->place = group->lru->placed++;
		insert_entry(group, entry);
	}
	if (likely(!list_empty(&group->link)))
		return NULL;
	group->refs++;
	return group;
}

/* @entry has no pages. Returns false, with nothing changed, while a purge has picked it. */
bool ashmem_lru_detach(struct ashmem_lru *lru, struct ashmem_lru_entry *entry)
{
	struct ashmem_lru_group *group;
	bool busy;

	spin_lock(&lru->lock);
	group = entry->group;
	busy = entry->busy;
	if (!busy)
		update_locked(entry, entry->key, 0);
	spin_unlock(&lru->lock);
	if (!busy)
		ashmem_lru_put_group(group);
	return !busy;
}

static void list_group(struct ashmem_lru_group *group)
{
	if (!group)
		return;
	compat_list_lru_add_obj(&group->lru->lists, &group->link);
	ashmem_lru_put_group(group);
}

/* @key: age of the oldest page, in jiffies. 0 @pages: unlist. The caller locks the entry. */
void ashmem_lru_update(struct ashmem_lru *lru, struct ashmem_lru_entry *entry,
		       unsigned long key, unsigned long pages)
{
	struct ashmem_lru_group *unlisted;

	spin_lock(&lru->lock);
	unlisted = update_locked(entry, key, pages);
	spin_unlock(&lru->lock);
	list_group(unlisted);
}

/* Drops the reference to @group, NULL at first. Returns the next with one, or NULL. */
struct ashmem_lru_group *ashmem_lru_next_group(struct ashmem_lru *lru,
					       struct ashmem_lru_group *group)
{
	struct ashmem_lru_group *next;

	spin_lock(&lru->lock);
	next = group ? list_next_entry(group, all) :
	       list_first_entry(&lru->groups, struct ashmem_lru_group, all);
	if (list_entry_is_head(next, &lru->groups, all))
		next = NULL;
	else
		next->refs++;
	spin_unlock(&lru->lock);
	if (group)
		ashmem_lru_put_group(group);
	return next;
}

/*
 * Returns the oldest entry after @after, with the reference that @lru->hold takes, or
 * NULL. Sets @at to where it is; another purge may move it at any time. Several purges may
 * pick the same entry. Each puts it back.
 */
struct ashmem_lru_entry *ashmem_lru_pick(struct ashmem_lru_group *group,
					 const struct ashmem_lru_cursor *after,
					 struct ashmem_lru_cursor *at)
{
	struct ashmem_lru *lru = group->lru;
	struct ashmem_lru_entry *entry;
	struct rb_node *node;

	spin_lock(&lru->lock);
	entry = entry_of(rb_first_cached(&group->entries));
	if (after->valid) {
		node = group->entries.rb_root.rb_node;
		entry = NULL;
		while (node) {
			if (is_before(after->key, after->place, entry_of(node))) {
				entry = entry_of(node);
				node = node->rb_left;
			} else {
				node = node->rb_right;
			}
		}
	}
	if (entry) {
		lru->hold(entry);
		*at = (struct ashmem_lru_cursor){ true, entry->key, entry->place };
		entry->busy++;
		WRITE_ONCE(group->busy, group->busy + 1);
	}
	spin_unlock(&lru->lock);
	return entry;
}

/* Ends ashmem_lru_pick(). @key, @pages: see ashmem_lru_update(). The purge freed @freed. */
void ashmem_lru_put_back(struct ashmem_lru *lru, struct ashmem_lru_entry *entry,
			 unsigned long key, unsigned long pages, unsigned long freed)
{
	struct ashmem_lru_group *group, *unlisted;

	spin_lock(&lru->lock);
	group = entry->group;
	unlisted = update_locked(entry, key, pages);
	entry->busy--;
	WRITE_ONCE(group->freed, group->freed + freed);
	/* Pairs with is_busy(): not busy, so it sees what was freed. */
	smp_store_release(&group->busy, group->busy - 1);
	/* Against the waitqueue's own check: a waiter sees this, or is seen. */
	smp_mb();
	wake_up_var(&group->freed);
	spin_unlock(&lru->lock);
	list_group(unlisted);
}

static bool is_busy(const struct ashmem_lru_group *group)
{
	/* Pairs with ashmem_lru_put_back(). */
	return smp_load_acquire(&group->busy);
}

/*
 * Waits for what other tasks purge of @group, one tick at most: the other task may wait
 * for something the caller holds. @seen: @group->freed when the caller began. Sets @freed
 * to the pages since. Returns whether another task purges the group, or has since @seen.
 */
bool ashmem_lru_wait(struct ashmem_lru_group *group, unsigned long seen,
		     unsigned long *freed)
{
	bool busy = is_busy(group);

	if (busy)
		wait_var_event_timeout(&group->freed, READ_ONCE(group->freed) != seen ||
				       !is_busy(group), 1);
	*freed = READ_ONCE(group->freed) - seen;
	return busy || *freed;
}

/* @lru is zeroed, @shrinker allocated but not registered. Returns 0 or -ENOMEM. */
int ashmem_lru_init(struct ashmem_lru *lru, struct shrinker *shrinker,
		    void (*hold)(struct ashmem_lru_entry *entry), work_func_t step)
{
	spin_lock_init(&lru->lock);
	INIT_LIST_HEAD(&lru->groups);
	lru->hold = hold;
	lru->step = step;
	return compat_list_lru_init_memcg(&lru->lists, shrinker);
}

void ashmem_lru_exit(struct ashmem_lru *lru)
{
	WARN_ON_ONCE(!list_empty(&lru->groups));
	list_lru_destroy(&lru->lists);
}
