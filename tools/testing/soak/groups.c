// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory cgroups that are made and removed with their processes. Unpinned pages that
 * others still hold move to the parent.
 */

#include "soak.h"

#include <sys/stat.h>

static const char top[] = "/sys/fs/cgroup/soak";
static bool usable;

static const char *path_of(int number, const char *file)
{
	static char path[128];

	if (number < 0)
		snprintf(path, sizeof(path), "%s/%s", top, file);
	else
		snprintf(path, sizeof(path), "%s/%d/%s", top, number, file);
	return path;
}

bool groups_begin(void)
{
	put_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	usable = !mkdir(top, 0755) && !put_file(path_of(-1, "cgroup.subtree_control"), "+memory");
	return usable;
}

/* Half of the limits are large enough for a load, half aren't. */
int group_enter(unsigned int number, struct rng *rng)
{
	char limit[32];

	if (!usable)
		return 0;
	if (mkdir(path_of((int)number, ""), 0755) && errno != EEXIST)
		return -errno;
	snprintf(limit, sizeof(limit), "%u", (8U + rng_below(rng, 24)) << 20);
	put_file(path_of((int)number, rng_below(rng, 4) ? "memory.max" : "memory.high"), limit);
	if (!rng_below(rng, 2))
		put_file(path_of((int)number, "memory.swap.max"), "0");
	atomic_fetch_add(&soak->groups, 1);
	return put_file(path_of((int)number, "cgroup.procs"), "0");
}

/* A task that has exited may still be in its group for a moment. */
void group_leave(unsigned int number)
{
	unsigned int tries;

	if (!usable)
		return;
	for (tries = 0; rmdir(path_of((int)number, "")); tries++) {
		if (errno != EBUSY || tries == 200)
			return;
		nap_ms(10);
	}
}

long groups_dying(void)
{
	return usable ? (long)keyed_number(path_of(-1, "cgroup.stat"), "nr_dying_descendants") : 0;
}

void groups_end(void)
{
	if (usable)
		rmdir(top);
}
