// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory cgroups that come and go with their processes. Unpinned pages that others still
 * hold move to the parent.
 */

#include <sys/stat.h>

#include "crowd.h"

static const char top[] = "/sys/fs/cgroup/fuzz";
static bool usable;

const char *group_path(unsigned int number, const char *file)
{
	static __thread char path[128];

	snprintf(path, sizeof(path), "%s/%u/%s", top, number, file);
	return path;
}

void groups_begin(void)
{
	put_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	mkdir(top, 0755);
	usable = !put_file("/sys/fs/cgroup/fuzz/cgroup.subtree_control", "+memory");
}

/* Does the driver give a group's memory to that group? */
bool groups_purged(void)
{
	return usable && get_number("/sys/class/misc/ashmem/memcg_aware") == 1;
}

/* For the calling task, which joins it. */
void group_make(unsigned int number, const char *knob, unsigned long limit)
{
	char text[32];

	if (!usable)
		return;
	mkdir(group_path(number, ""), 0755);
	snprintf(text, sizeof(text), "%lu", limit);
	put_file(group_path(number, knob), text);
	put_file(group_path(number, "cgroup.procs"), "0");
}

void group_root(void)
{
	put_file("/sys/fs/cgroup/cgroup.procs", "0");
}

/* Half of the limits are large enough for a role, half aren't. */
void group_enter(unsigned int number, struct rng *rng)
{
	group_make(number, rng_below(rng, 4) ? "memory.max" : "memory.high",
		   (8UL + rng_below(rng, 24)) << 20);
	if (!usable)
		return;
	if (!rng_below(rng, 2))
		put_file(group_path(number, "memory.swap.max"), "0");
	tally(GROUPS);
}

/* A task that has exited may still be in its group for a moment. */
void group_leave(unsigned int number)
{
	unsigned int tries;

	for (tries = 0; usable && rmdir(group_path(number, "")); tries++) {
		if (errno != EBUSY || tries == 200)
			return;
		nap_ms(10);
	}
}

long group_event(unsigned int number, const char *event)
{
	return (long)keyed_number(group_path(number, "memory.events"), event);
}

long groups_dying(void)
{
	return usable ? (long)keyed_number("/sys/fs/cgroup/fuzz/cgroup.stat",
					   "nr_dying_descendants") : 0;
}

void groups_end(void)
{
	unsigned int i;

	group_root();
	for (i = 0; i < GROUPS_FIXED; i++)
		rmdir(group_path(i, ""));
	rmdir(top);
}
