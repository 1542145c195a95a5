// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group at its limit: its tasks together want memory that only a purge of the group's
 * cache can give. The kernel must purge it, and kill none of them.
 */

#include <sys/resource.h>

#include "crowd.h"

#define MIB		(1UL << 20)
#define LIMIT		(32 * MIB)
#define UNPINNED	(28 * MIB)
#define WANTED		(24 * MIB)
#define MOST_TASKS	16

/* The group pays for the pages, even if a task outside of it unpins them. */
static bool offer(struct cache *c, unsigned int number, struct rng *rng)
{
	long piece = rng_below(rng, 2) ? c->pages : 1L << rng_below(rng, 10), first;
	bool inside = rng_below(rng, 2);

	group_make(number, "memory.max", LIMIT);
	for (first = 0; first < c->pages; first++)
		c->a[(size_t)first * page_size()] = 1;
	if (!inside)
		group_root();
	for (first = 0; first < c->pages; first += piece)
		if (cache_unpin_part(c, first, piece < c->pages - first ? piece :
				     c->pages - first))
			return false;
	return true;
}

/* How many of the tasks were killed; they hold their memory until all have it. */
static unsigned int want(unsigned int number, unsigned int tasks, int nice)
{
	struct hog hog[MOST_TASKS];
	unsigned int i, n, died = 0;
	uint64_t word;

	/* Others may run instead of a task that is in the middle of a purge. */
	setpriority(PRIO_PROCESS, 0, 0);
	group_make(number, "memory.max", LIMIT);
	for (n = 0; n < tasks && !hog_start(&hog[n], WANTED / tasks, 0); n++)
		;
	group_root();
	setpriority(PRIO_PROCESS, 0, FIRST_NICE);
	/* Half of them run rarely: what one of them has begun, the others must wait for. */
	for (i = 0; i < n / 2; i++)
		setpriority(PRIO_PROCESS, (id_t)hog[i].pid, nice);
	for (i = 0; i < n; i++)
		hog_send_step(&hog[i]);
	for (i = 0; i < n; i++)
		died += recv_word(hog[i].sock, &word) != 0;
	/* The last one first: it has the sockets of the others, too. */
	while (n--)
		hog_stop(&hog[n]);
	return died;
}

void run_tenant(struct rng *rng)
{
	unsigned int number = (unsigned int)getpid(), tasks, died;
	double end = role_end(rng);
	struct cache c = { .fd = -1 };

	if (!groups_purged() || cache_open(&c, "tenant", UNPINNED, 1))
		return;
	/* A huge page that the limit doesn't allow is no reason to reclaim or to kill. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	while (!role_over(end) && offer(&c, number, rng)) {
		tasks = 2 + rng_below(rng, MOST_TASKS - 1);
		died = want(number, tasks, (int)rng_below(rng, 20));
		if (died && group_event(number, "oom") > 0)
			finding("%u of %u tasks were killed at their limit, %ld of %ld pages left",
				died, tasks, cache_in_memory(&c), c.pages);
		if (cache_pin(&c) < 0)
			break;
		tally(ROUNDS);
	}
	group_root();
	group_leave(number);
}
