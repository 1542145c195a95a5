/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The purge protocol of one region: tasks that PIN, UNPIN and close, and purges that
 * take steps. "Stands for" names the functions of the driver, which functions.sh looks up.
 *
 * What a task does under the region's lock or the LRU's is one atomic block. A page is a
 * range, and any unpinned page may be the oldest: range.c is proved by range.c here. Ghosts
 * are what the driver doesn't know. Words for spin -D:
 *
 * PAGES, OPS		pages; calls of a task, without it no limit
 * KILL			a task can be killed while it waits
 * HOLES		the pages don't exist
 * PARTS		a PIN drops the lock between pages (RANGE_BATCH)
 * BREAK_...		a fault that spin must find
 */

#ifndef PAGES
#define PAGES 2
#endif
#define TASKS 2
#define PURGES 2

/* region->unpinned: a page that is unpinned is there to take, or taken. */
mtype = { PINNED, THERE, TAKEN };
mtype page[PAGES] = PINNED;
bool lost[PAGES];		/* range->purged */
bool masked;			/* region->prot_mask has no PROT_WRITE */
byte refs = 1;
bool is_freed;
byte users = TASKS;		/* of the open file */

/* region->flights, one of each purge at most */
typedef flight {
	bool flies;
	byte first;
	byte last;
	byte early;		/* bit by task: number < departed, as the task read it */
};
flight flights[PURGES];
bool sleeps[TASKS];		/* on region->flights */

/* The entry in the LRU and its group. */
bool listed;
byte busy;
byte in_flight;			/* payer->in_flight */
bool looks[PURGES];		/* in ashmem_purge_some() */
bool news[PURGES];		/* group->freed isn't what the purge has seen */
bool dozes[PURGES];		/* on group->freed */

/* Ghosts */
bool gone[PAGES];		/* contents that were lost, and no PIN has reported it */
bool owned[PAGES];		/* a PIN has it, and no UNPIN came later */
bool pins[TASKS];		/* in PIN */
byte held[TASKS];		/* pages that a PIN waits for, and no UNPIN came later */
bool waits[PURGES];		/* in ashmem_lru_wait() */

#define SOME_THERE (page[0] == THERE || page[1] == THERE || page[PAGES - 1] == THERE)
#define OVERLAPS(f, a, b) (f.flies && f.first <= b && f.last >= a)

/* Stands for: flights_among_locked */
#define AMONG(a, b) (OVERLAPS(flights[0], a, b) || OVERLAPS(flights[1], a, b))
/* Stands for: have_landed */
#define EARLY(f, a, b, me) (OVERLAPS(f, a, b) && (f.early & (1 << me)))
#define LANDED(a, b, me) (!EARLY(flights[0], a, b, me) && !EARLY(flights[1], a, b, me))

/* Stands for: ashmem_region_put free_region */
inline put()
{
	refs--;
	if
	:: refs == 0 ->
		/* Stands for: ashmem_payers_free ashmem_lru_detach */
		assert(busy == 0 && !listed);
		is_freed = true
	:: else
	fi
}

inline choose_interval()
{
	first = 0;
	do
	:: first < PAGES - 1 -> first++
	:: break
	od;
	last = first;
	do
	:: last < PAGES - 1 -> last++
	:: break
	od
}

inline see_flight(i)
{
	if
	:: flights[i].flies -> flights[i].early = flights[i].early | (1 << me)
	:: else
	fi
}

/* Stands for: ashmem_ranges_pin keep_range cut_range */
inline pin_page(p)
{
	ret = ret || lost[p];
	mine = mine | (gone[p] << p);
	if
	:: page[p] == PINNED
	:: page[p] != PINNED && !clear && lost[p] ->
		page[p] = TAKEN
	:: page[p] != PINNED && !(!clear && lost[p]) ->
		page[p] = PINNED;
#ifdef KILL
		cleared = cleared | (gone[p] << p);
#endif
		lost[p] = false;
		gone[p] = false
	fi;
	held[me] = held[me] | (1 << p);
	owned[p] = owned[p] || !in_fl
}

/* One hold of the lock. Stands for: pin_pages */
inline pin_some()
{
	assert(!is_freed);
#ifndef BREAK_NO_WAIT
	in_fl = in_fl || AMONG(first, last);
#endif
	do
	:: cur <= last ->
		pin_page(cur);
		cur++
#ifdef PARTS
	:: cur > first && cur <= last -> break
#endif
	:: cur > last -> break
	od
}

/* What has landed stays, unless another task has unpinned it again. */
inline own()
{
	cur = first;
	do
	:: cur <= last ->
		owned[cur] = owned[cur] || (held[me] & (1 << cur));
		cur++
	:: else -> break
	od
}

/* Stands for: ashmem_region_pin */
inline pin()
{
	atomic {
		choose_interval();
		pins[me] = true;
#ifdef BREAK_CLEAR_EARLY
		clear = true;
#endif
		cur = first;
		pin_some()
	}
	do
	:: cur <= last ->
		/* Stands for: next_part */
		if
#ifdef KILL
#ifdef BREAK_CLEAR_KILLED
		:: goto killed
#else
		:: !(clear && ret) -> goto killed
#endif
#endif
		:: atomic { true -> pin_some() }
		fi
	:: cur > last && in_fl ->
		/* Stands for: wait_for_flights */
		atomic {
			answer = true;
			waited = true;
			in_fl = false;
			see_flight(0);
			see_flight(1)
		}
		do
		:: atomic { LANDED(first, last, me) -> own(); break }
		:: atomic { !LANDED(first, last, me) -> sleeps[me] = true };
			if
			:: !sleeps[me]
#ifdef KILL
			:: !clear -> goto killed
#endif
			fi
		od
	/* Stands for: may_discard */
	:: atomic {
		cur > last && !in_fl && (answer || ret) && !clear && (rights || !masked) ->
		answer = true;
		ret = false;
		clear = true;
		cur = first;
		pin_some()
	   }
	:: atomic {
		cur > last && !in_fl &&
		!((answer || ret) && !clear && (rights || !masked)) ->
		answer = answer || ret;
		/* A loss is reported, and nothing else is. */
		assert(answer || !mine);
		assert(!answer || mine || waited);
		pins[me] = false;
		held[me] = 0;
		mine = 0;
#ifdef KILL
		cleared = 0;
#endif
		answer = false;
		waited = false;
		ret = false;
		clear = false;
		first = 0;
		last = 0;
		cur = 0;
		break
	   }
	od
}

/* Stands for: ashmem_region_unpin ashmem_ranges_unpin ashmem_payer_list_locked */
inline unpin()
{
	atomic {
		!masked || rights ->
		choose_interval();
		assert(!is_freed);
		cur = first;
		do
		:: cur <= last ->
			page[cur] = THERE;
			owned[cur] = false;
			held[0] = held[0] & ~(1 << cur);
			held[1] = held[1] & ~(1 << cur);
			cur++
		:: else -> break
		od;
		cur = 0;
		first = 0;
		last = 0;
		listed = true
	}
}

/* Stands for: ashmem_region_close ashmem_payers_clear clear_some_locked */
inline close()
{
	atomic {
		users--;
		if
		:: users == 0 ->
			cur = 0;
			do
			:: cur < PAGES ->
				page[cur] = PINNED;
				lost[cur] = false;
				gone[cur] = false;
				owned[cur] = false;
				cur++
			:: else -> break
			od;
			listed = in_flight > 0;
			put()
		:: else
		fi
	}
}

proctype task(byte me; bool rights)
{
	byte first, last, cur, mine;
	bool clear, in_fl, ret, answer, waited;
#ifdef KILL
	byte cleared;
#endif
#ifdef OPS
	byte left = OPS;
#define ANY_LEFT left > 0 -> left--
#else
#define ANY_LEFT true
#endif

	do
	:: ANY_LEFT;
		if
		:: pin()
		:: unpin()
		fi
	:: goto out
	od;
#ifdef KILL
killed:
	atomic {
		/* No PIN has reported what it cleared. */
		cur = 0;
		do
		:: cur < PAGES ->
			gone[cur] = gone[cur] || (cleared & (1 << cur));
			cur++
		:: else -> break
		od;
		pins[me] = false;
		held[me] = 0;
		sleeps[me] = false
	}
#endif
out:
	close()
}

/* Stands for: purge_oldest ashmem_lru_put_back */
inline put_back()
{
	listed = SOME_THERE || in_flight > 0;
	busy--;
	if
	:: took -> news[1 - me] = looks[1 - me]
	:: else
	fi;
	dozes[0] = false;
	dozes[1] = false
}

/* Stands for: take_step_locked first_range joins ashmem_ranges_take survey_range */
inline take()
{
	first = 0;
	do
	:: first < PAGES - 1 -> first++
	:: page[first] == THERE -> took = true; break
	/* Nothing there, locked, or the key is wrong. */
	:: true -> took = false; break
	od;
	if
	:: !took -> first = 0
	:: took ->
		last = first;
		page[last] = TAKEN;
#ifndef BREAK_LATE_LOSS
		lost[last] = true;
#endif
		do
		:: last < PAGES - 1 && page[last + 1] == THERE ->
			last++;
			page[last] = TAKEN;
#ifndef BREAK_LATE_LOSS
			lost[last] = true
#endif
		:: break
		od
	fi
}

/* Stands for: depart_locked */
inline depart()
{
	flights[me].flies = true;
	flights[me].first = first;
	flights[me].last = last;
	flights[me].early = 0;
	/* Holes aren't counted. */
#ifndef HOLES
	in_flight++
#endif
}

/* Stands for: purge_oldest */
inline land()
{
#ifndef HOLES
	in_flight--;
#endif
	flights[me].flies = false;
	flights[me].first = 0;
	flights[me].last = 0;
	flights[me].early = 0;
#ifndef BREAK_NO_WAKE
	sleeps[0] = false;
	sleeps[1] = false
#endif
}

/* Stands for: fly ashmem_backing_punch */
inline punch()
{
	cur = first;
	do
	:: cur <= last ->
		atomic {
			/* The page that a PIN has answered for must stay. */
			assert(!owned[cur]);
			gone[cur] = users > 0;
#ifdef BREAK_LATE_LOSS
			lost[cur] = page[cur] != PINNED;
#endif
			cur++
		}
	:: else -> break
	od;
	cur = 0
}

inline drop_hold()
{
#ifndef BREAK_NO_HOLD
	put()
#else
	skip
#endif
}

/* Stands for: ashmem_purge_some purge_group purge_oldest */
proctype purge(byte me)
{
	byte first, last, cur;
	bool took;

end:
	do
	:: atomic {
		/* Stands for: ashmem_lru_pick ashmem_payer_hold */
		listed ->
		assert(!is_freed && refs > 0);
#ifndef BREAK_NO_HOLD
		refs++;
#endif
		busy++;
		looks[me] = true
	   }
		atomic {
			assert(!is_freed);
			take();
			if
			:: took -> depart()
			:: else ->
				put_back();
				drop_hold()
			fi
		}
		if
		:: took ->
#ifdef BREAK_LAND_EARLY
			atomic { land() }
#endif
			punch();
			atomic {
				assert(!is_freed);
#ifndef BREAK_LAND_EARLY
				land();
#endif
				put_back();
				looks[me] = false;
				news[me] = false;
				first = 0;
				last = 0;
				took = false;
				drop_hold()
			}
		:: else ->
			/* Stands for: ashmem_lru_wait */
			if
			:: atomic { busy == 0 -> looks[me] = false; news[me] = false }
			:: atomic { busy > 0 -> waits[me] = true };
				do
				:: atomic {
					news[me] || busy == 0 ->
					waits[me] = false;
					looks[me] = false;
					news[me] = false;
					break
				   }
				:: atomic { !(news[me] || busy == 0) -> dozes[me] = true };
					!dozes[me]
				od
			fi
		fi
	:: is_freed -> break
	od
}

/* Any state that calls and purges of the past can have left. */
inline start(p)
{
	if
	:: true
	:: page[p] = THERE
	:: page[p] = THERE; lost[p] = true; gone[p] = true
	:: page[p] = TAKEN; lost[p] = true; gone[p] = true
	fi
}

init
{
	atomic {
		if
		:: masked = true
		:: masked = false
		fi;
		start(0);
		start(PAGES - 1);
		listed = SOME_THERE;
		run task(0, true);
		run task(1, false);
		run purge(0);
		run purge(1)
	}
}

ltl pin_ends { [] (pins[0] -> <> !pins[0]) && [] (pins[1] -> <> !pins[1]) }
ltl purge_ends { [] (waits[0] -> <> !waits[0]) && [] (waits[1] -> <> !waits[1]) }
