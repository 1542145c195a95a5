// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starts the members of a crowd, stops and kills them, and watches those that mean no harm:
 * their calls end, and none of them is killed because memory is short.
 *
 * Time is counted in naps of the supervisor: a guest that stalls takes none.
 */

#include <signal.h>
#include <sys/resource.h>

#include "crowd.h"

#define NAP_MS		20
#define CALM_SECONDS	1.0
/* What a call may take, besides a multiple of what it took while all was calm. */
#define PATIENCE	150
#define CALM_TIMES	20
#define STUCK		6000	/* to end, when all are told to */

struct member {
	const struct role *role;
	unsigned int number, group;
	pid_t pid;
	bool stopped, killed;
	unsigned long call;	/* that it was in at the last nap */
	unsigned int naps;	/* since then, or since it was killed */
};

static struct member members[MEMBERS];
static unsigned int member_count, patience, longest;
static const char *longest_call;

struct crowd *crowd;
struct watch *watch;

static void start(struct member *m, struct rng *rng)
{
	struct rng own = { .state = (uint64_t)rng_next(rng) << 32 | rng_next(rng) };

	watch = &crowd->watch[m->number];
	atomic_store(&watch->call, 0);
	m->stopped = false;
	m->killed = false;
	m->naps = 0;
	m->pid = fork();
	if (m->pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	put_file("/proc/self/oom_score_adj", "500");
	cover_worker();
	cover_begin();
	if (m->role->flags & FIRST && setpriority(PRIO_PROCESS, 0, FIRST_NICE))
		_exit(1);
	if (m->role->flags & IN_GROUP)
		group_enter(m->group, &own);
	m->role->run(&own);
	_exit(0);
}

static void reap(struct member *m)
{
	bool grouped = m->role->flags & IN_GROUP;
	int status;

	if (m->pid <= 0 || waitpid(m->pid, &status, WNOHANG) != m->pid)
		return;
	m->pid = 0;
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		finding("%s died of signal %d", m->role->name, WTERMSIG(status));
	/* All that it has is unpinned, but for some pages. */
	if (grouped && groups_purged() && group_event(m->group, "oom_kill") > 0 &&
	    group_event(m->group, "oom") > 0)
		finding("%s was killed at its limit", m->role->name);
	if (grouped)
		group_leave(m->group);
}

/* Those who mean harm are in no hurry, but a dead one must go. */
static void disturb(struct member *m, struct rng *rng)
{
	struct sched_param param = { .sched_priority = 0 };
	unsigned int what = rng_below(rng, 32);

	if (m->pid <= 0 || m->killed || m->role->flags & STEADY)
		return;
	if (m->stopped) {
		m->stopped = false;
		kill(m->pid, SIGCONT);
	} else if (!what) {
		m->killed = true;
		m->naps = 0;
		sched_setscheduler(m->pid, SCHED_OTHER, &param);
		kill(m->pid, SIGKILL);
		tally(KILLED);
	} else if (what < 8) {
		m->stopped = true;
		kill(m->pid, SIGSTOP);
		tally(STOPPED);
	}
}

static void look_at(struct member *m)
{
	struct watch *w = &crowd->watch[m->number];
	unsigned long number = atomic_load(&w->number);
	const char *call = m->killed ? "death" : (const char *)atomic_load(&w->call);

	m->naps = call && (m->killed || number == m->call) ? m->naps + 1 : 0;
	m->call = number;
	if (m->naps > longest) {
		longest = m->naps;
		longest_call = call;
	}
	if (patience && m->naps == patience) {
		finding("%s of %s takes more than %u ms", call, m->role->name,
			patience * NAP_MS);
		tell_where(m->pid);
	}
}

static void run_for(double length, struct rng *rng)
{
	double end = now() + length;
	unsigned int i;

	while (now() < end) {
		for (i = 0; i < member_count; i++) {
			reap(&members[i]);
			if (members[i].pid <= 0)
				start(&members[i], rng);
			look_at(&members[i]);
		}
		disturb(&members[rng_below(rng, member_count)], rng);
		area->elapsed = (uint32_t)(now() - started);
		nap_ms(NAP_MS);
	}
}

static void add(const struct role *role, unsigned int count)
{
	for (; count && member_count < MEMBERS; count--, member_count++)
		members[member_count] = (struct member){
			.role = role,
			.number = member_count,
			.group = GROUPS_FIXED + member_count,
		};
}

static void end_members(void)
{
	unsigned int i, tries, left = 1;

	atomic_store(&crowd->stop, true);
	for (tries = 0; left; tries++) {
		for (i = 0, left = 0; i < member_count; i++) {
			if (members[i].pid > 0)
				kill(members[i].pid, SIGCONT);
			reap(&members[i]);
			left += members[i].pid > 0;
			if (members[i].pid > 0 && tries == STUCK) {
				finding("%s doesn't end", members[i].role->name);
				tell_where(members[i].pid);
				exit(1);
			}
		}
		nap_ms(NAP_MS);
	}
	/* Children of those that were killed. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	member_count = 0;
}

/**
 * crowd_epoch - have some of all roles do their work for a while
 * @rng: what decides
 * @length: for how many seconds
 */
void crowd_epoch(struct rng *rng, double length)
{
	unsigned int i;

	crowd->fd = ash_region("crowd", COMMON_PAGES * page_size());
	if (map_errno(crowd->fd, page_size(), PROT_RW, MAP_SHARED, 0))
		finding("the common region can't be mapped");
	atomic_store(&crowd->stop, false);
	longest = 0;
	patience = 0;
	/* The first role alone, and then all. */
	add(&roles[0], roles[0].most);
	run_for(CALM_SECONDS, rng);
	patience = PATIENCE + CALM_TIMES * longest;
	for (i = 1; i < role_count; i++)
		if (rng_below(rng, 2))
			add(&roles[i], 1 + rng_below(rng, roles[i].most));
	run_for(length - CALM_SECONDS, rng);
	fprintf(stderr, "# crowd of %u: longest call %u ms, of %u (%s)\n", member_count,
		longest * NAP_MS, patience * NAP_MS, longest_call ?: "none");
	end_members();
	close(crowd->fd);
	check_empty();
	cover_report();
	area->epochs++;
}

void crowd_begin(void)
{
	crowd = shared_memory(sizeof(*crowd));
}

/* Without these it tested nothing, if each role had its chance. */
#define ENOUGH_EPOCHS	16
static const enum tally needed[] = { KEPT, LOST, PASSED, KILLED };

void crowd_end(void)
{
	static const char *const names[TALLIES] = {
		"kept", "lost", "regions", "reads", "passed", "purges", "rounds", "groups",
		"stopped", "killed",
	};
	unsigned int i;

	fprintf(stderr, "# crowds:");
	for (i = 0; i < TALLIES; i++)
		fprintf(stderr, " %s %ld", names[i], atomic_load(&crowd->tally[i]));
	fprintf(stderr, "\n");
	for (i = 0; area->soak && area->epochs > ENOUGH_EPOCHS && i < ARRAY_SIZE(needed); i++)
		if (!atomic_load(&crowd->tally[needed[i]]))
			finding("a crowd in which none was %s", names[needed[i]]);
}
