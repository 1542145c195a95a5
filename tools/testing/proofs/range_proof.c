// SPDX-License-Identifier: GPL-2.0-only
/*
 * One call of range.c, from every state of N pieces of a region, does what it must to the
 * page bitmap. A state after it is one of those before it, so this holds for any number of
 * calls.
 *
 * Ranges, what is taken of them, and the call's interval begin and end where a piece does.
 * piece[] is the bitmap, with what else a range says of its pages.
 *
 * Usage: range_proof BOUND... - the first page of each of N pieces, and that behind the last
 */

#include <stdio.h>
#include <stdlib.h>

/* The runner's copy, with a small RANGE_BATCH. */
#include "range.c"

#ifndef N
#define N 3
#endif

struct piece {
	bool in;		/* unpinned */
	bool there;		/* not taken yet */
	bool purged;
	bool paid;
	bool joined;		/* the next piece is of the same range */
	unsigned long stamp;
	const struct ashmem_queue *queue;
	int place;		/* in the queue */
};

static unsigned long bound[N + 1];	/* piece i is [bound[i], bound[i + 1]) */
/* That of a range is where it begins; the last is the spare. */
static struct ashmem_range pool[N + 1];
static struct ashmem_queue queue0, queue1;
static struct ashmem_ranges set;
static struct ashmem_range *spare;
static struct piece before[N], after[N];
static int ranges;
static unsigned long cases;

#define check(x, what) do { if (!(x)) failed(what, __LINE__); } while (0)

static unsigned long length_of(int i)
{
	return bound[i + 1] - bound[i];
}

static void failed(const char *what, int line)
{
	printf("range_proof.c:%d: %s: not so in case %lu\n", line, what, cases);
	exit(1);
}

/* The choices of a case, and of how many. */
static unsigned int choice[32], choices[32], chosen, depth;

static unsigned int any_below(unsigned int n)
{
	if (chosen == depth) {
		choice[depth] = 0;
		choices[depth++] = n;
	}
	return choice[chosen++];
}

/* Returns false after the last case. */
static bool next_case(void)
{
	while (depth && choice[depth - 1] + 1 == choices[depth - 1])
		depth--;
	if (!depth)
		return false;
	choice[depth - 1]++;
	return true;
}

/* Range @i begins with piece @i and ends before piece @end. */
static void choose_range(int i, int end)
{
	struct ashmem_range *range = &pool[i];
	unsigned int taken = any_below(end - i + 1);

	range->start = bound[i];
	range->last = bound[end] - 1;
	range->resume = bound[i + taken];
	range->purged = taken || any_below(2);
	range->paid = true;
	range->stamp = 100 + i;
	range->queue = NULL;
	if ((int)taken < end - i)
		range->queue = any_below(2) ? &queue1 : &queue0;
	for (int s = 0; s < N; s++) {
		if (s < i || s >= end)
			continue;
		before[s].in = true;
		before[s].there = s >= i + (int)taken;
		before[s].purged = range->purged;
		before[s].paid = range->paid;
		before[s].joined = s + 1 < end;
		before[s].stamp = range->stamp;
		before[s].queue = range->queue;
	}
}

static bool begins(int i)
{
	return before[i].in && (!i || !before[i - 1].joined);
}

/* Numbers in any order: those of the ranges, or of the ranges in @queue. */
static void choose_order(unsigned int *order, const struct ashmem_queue *queue)
{
	unsigned int count = 0;

	for (int i = 0; i < N; i++) {
		if (!begins(i) || (queue && pool[i].queue != queue))
			continue;
		order[i] = any_below(++count);
		for (int j = 0; j < i; j++)
			if (begins(j) && (!queue || pool[j].queue == queue) &&
			    order[j] >= order[i])
				order[j]++;
	}
}

/* The tree in which no range is above one of a higher rank: with any ranks, any shape. */
static void choose_tree(void)
{
	unsigned int rank[N];
	int parent, i, j;

	choose_order(rank, NULL);
	for (i = 0; i < N; i++) {
		if (!begins(i))
			continue;
		parent = N;
		for (j = i - 1; j >= 0; j--)
			if (begins(j) && rank[j] > rank[i]) {
				parent = j;
				break;
			}
		for (j = i + 1; j < N; j++)
			if (begins(j) && rank[j] > rank[i]) {
				if (parent == N || rank[j] < rank[parent])
					parent = j;
				break;
			}
		if (parent == N)
			set.root.rb_node = &pool[i].rb;
		for (j = 0; j < N; j++) {
			if (parent != j)
				continue;
			pool[i].rb.parent = &pool[j].rb;
			if (i < j)
				pool[j].rb.rb_left = &pool[i].rb;
			else
				pool[j].rb.rb_right = &pool[i].rb;
		}
	}
}

static void link_age(struct list_head *item, struct list_head *next)
{
	item->next = next;
	next->prev = item;
}

/* In any order. */
static void choose_queue(struct ashmem_queue *queue)
{
	unsigned int place[N];
	int i, j, k;

	choose_order(place, queue);
	for (i = -1; i < N; i++) {
		struct list_head *item = i < 0 ? &queue->ranges : &pool[i].age;
		int next = N;

		if (i >= 0 && (!begins(i) || pool[i].queue != queue))
			continue;
		for (j = 0; j < N; j++)
			if (begins(j) && pool[j].queue == queue && j != i &&
			    (i < 0 || place[j] > place[i]) &&
			    (next == N || place[j] < place[next]))
				next = j;
		if (next == N)
			link_age(item, &queue->ranges);
		for (k = 0; k < N; k++)
			if (k == next)
				link_age(item, &pool[k].age);
	}
}

static void choose_state(void)
{
	const struct piece none = { 0 };
	int end;

	ashmem_queue_init(&queue0);
	ashmem_queue_init(&queue1);
	ashmem_ranges_init(&set);
	ranges = 0;
	for (int i = 0; i < N; i++) {
		before[i] = none;
		after[i] = none;
	}
	for (int i = 0; i < N + 1; i++)
		pool[i] = (struct ashmem_range){ 0 };
	for (int i = 0; i < N; i = end) {
		end = i + 1;
		if (any_below(2))
			continue;
		while (end < N && any_below(2))
			end++;
		choose_range(i, end);
	}
	for (int i = 0; i < N; i++) {
		unsigned long there;

		if (!begins(i))
			continue;
		ranges++;
		there = ashmem_range_purgeable(&pool[i]);
		set.unpinned += pool[i].last + 1 - pool[i].start;
		set.purgeable += there;
		if (pool[i].queue == &queue0)
			queue0.pages += there;
		if (pool[i].queue == &queue1)
			queue1.pages += there;
	}
	choose_tree();
	choose_queue(&queue0);
	choose_queue(&queue1);
	spare = NULL;
	if (any_below(2)) {
		spare = &pool[N];
		spare->paid = true;
		spare->purged = true;
		spare->resume = bound[N];
	}
}

/* What the tree says, after having looked that it is one. */
static int look(struct piece *piece)
{
	struct rb_node *node = rb_first(&set.root);
	const struct ashmem_range *prev = NULL;
	int count = 0;

	for (int i = 0; i < N + 1 && node; i++, node = rb_next(node)) {
		const struct ashmem_range *range = range_of(node);

		count++;
		check(range->start <= range->last, "a range has a page");
		check(!prev || prev->last < range->start, "ranges are in order and disjoint");
		check(range->resume >= range->start && range->resume <= range->last + 1,
		      "what is taken is the range's");
		check(range->resume == range->start || range->purged, "what is taken is lost");
		check(!range->queue == (range->resume > range->last), "queued if there is more");
		for (int s = 0; s < N; s++) {
			if (range->last < bound[s] || range->start > bound[s + 1] - 1)
				continue;
			check(range->start <= bound[s] && range->last >= bound[s + 1] - 1,
			      "no piece is cut");
			check(range->resume <= bound[s] || range->resume >= bound[s + 1],
			      "no piece is taken in part");
			piece[s].in = true;
			piece[s].there = range->resume <= bound[s];
			piece[s].purged = range->purged;
			piece[s].paid = range->paid;
			piece[s].joined = s + 1 < N && range->last >= bound[s + 1];
			piece[s].stamp = range->stamp;
			piece[s].queue = range->queue;
		}
		prev = range;
	}
	check(!node, "the tree has no more ranges than pieces");
	return count;
}

/* Where each piece is in its queue. */
static void look_at_queue(struct ashmem_queue *queue, struct piece *piece)
{
	struct list_head *at = queue->ranges.next;

	for (int i = 0; i < N + 1 && at != &queue->ranges; i++, at = at->next) {
		check(at->next->prev == at, "the queue is linked both ways");
		for (int j = 0; j < N + 1; j++) {
			const struct ashmem_range *range = &pool[j];

			if (at != &range->age)
				continue;
			check(range->queue == queue, "a range is in its own queue");
			for (int s = 0; s < N; s++)
				if (range->start <= bound[s] && range->last >= bound[s])
					piece[s].place = i + 1;
		}
	}
	check(at == &queue->ranges, "the queue ends");
}

static void look_at_totals(void)
{
	unsigned long unpinned = 0, there = 0, queued[2] = { 0, 0 };

	for (int s = 0; s < N; s++) {
		if (!after[s].in)
			continue;
		unpinned += length_of(s);
		check(!after[s].queue == !after[s].place, "in a queue if and only if it says so");
		if (!after[s].there)
			continue;
		there += length_of(s);
		queued[after[s].queue == &queue1] += length_of(s);
	}
	check(set.unpinned == unpinned, "total of unpinned pages");
	check(set.purgeable == there, "total of pages to take");
	check(queue0.pages == queued[0] && queue1.pages == queued[1],
	      "totals of the queues");
}

static bool same(int s)
{
	return after[s].in == before[s].in &&
	       (!before[s].in ||
		(after[s].there == before[s].there && after[s].purged == before[s].purged &&
		 after[s].stamp == before[s].stamp &&
		 (!before[s].there || after[s].queue == before[s].queue)));
}

/* The order of age, of the pieces that an UNPIN didn't touch. */
static void check_order(int first, int last)
{
	for (int s = 0; s < N; s++)
		for (int t = s + 1; t < N; t++) {
			if ((s >= first && s <= last) || (t >= first && t <= last))
				continue;
			if (!after[s].there || !after[t].there || after[s].queue != after[t].queue)
				continue;
			if (before[s].place != before[t].place)
				check((before[s].place < before[t].place) ==
				      (after[s].place < after[t].place), "older stays older");
			else
				check(after[s].place <= after[t].place, "the front is the older");
		}
}

static int count_dropped(struct ashmem_edit *edit)
{
	struct list_head *at = edit->dropped.next;
	int count = 0;

	for (; count < N + 1 && at != &edit->dropped; at = at->next)
		count++;
	return count;
}

static void begin_edit(struct ashmem_edit *edit, int first, int last)
{
	*edit = (struct ashmem_edit){ .first = bound[first], .last = bound[last + 1] - 1 };
	edit->paid = first % 2;
	edit->spare = &spare;
	INIT_LIST_HEAD(&edit->dropped);
}

/* @owned: ranges before the call, with the spare; @dropped: of these, by the call. */
static void look_after(int owned, int dropped)
{
	check(look(after) + (spare ? 1 : 0) + dropped == owned,
	      "no range is lost or there twice");
	look_at_queue(&queue0, after);
	look_at_queue(&queue1, after);
	look_at_totals();
}

/* The piece behind the range that begins with piece @first. */
static int end_of(int first)
{
	int end = first + 1;

	while (end < N && before[end - 1].joined)
		end++;
	return end;
}

static void prove_pin(int first, int last, bool keep)
{
	struct ashmem_edit edit;
	int owned = ranges + (spare ? 1 : 0), err;
	bool must = false, may = false;

	begin_edit(&edit, first, last);
	err = ashmem_ranges_pin(&set, &edit, keep);
	check(!err || err == -EAGAIN, "an error that is known");
	check(!err || edit.first > bound[first] || !spare, "a part is done, or a spare is used");
	check(edit.first <= edit.last, "the rest is in the interval");
	look_after(owned, count_dropped(&edit));

	for (int s = 0; s < N; s++) {
		bool kept = keep && before[s].purged, done;

		if (s < first || s > last) {
			check(same(s), "PIN leaves what is outside");
			continue;
		}
		done = before[s].in && kept ? after[s].in && after[s].purged && !after[s].there &&
					      after[s].stamp == before[s].stamp
					    : !after[s].in;
		check(done || (err && bound[s] >= edit.first && same(s)), "PIN pins");
		may |= before[s].in && before[s].purged;
		must |= before[s].in && before[s].purged &&
			!(err && bound[s] >= edit.first && same(s));
	}
	check(!edit.purged || may, "no loss is reported without one");
	check(edit.purged || !must, "a loss is reported");
	for (int s = 0; s + 1 < N; s++) {
		if (!after[s].in || !after[s + 1].in)
			continue;
		check(!after[s].joined || before[s].joined, "PIN doesn't merge");
		check(!before[s].joined || after[s].joined ||
		      (keep && before[s].purged && (s + 1 == first || s == last)),
		      "PIN splits only at its ends");
	}
	check_order(N, N);
	/* What is left of a range that lost pages has another first page in memory. */
	for (int s = 0; s < N; s++) {
		int from = s, to = s;

		while (from > 0 && before[from - 1].joined)
			from--;
		while (before[to].joined)
			to++;
		if (!err && after[s].in && from <= last && to >= first &&
		    !(keep && before[s].purged))
			check(!after[s].paid, "a range that is cut isn't paid");
		else
			check(!after[s].paid || before[s].paid, "PIN pays for nothing");
	}
	/* See ashmem_payer_lock(). */
	if (spare && spare->paid && !spare->purged && spare != &pool[N]) {
		bool whole = false;

		for (int s = 0; s < N; s++)
			whole |= before[s].in && !after[s].in && before[s].paid &&
				 spare->start == bound[s] && spare->queue == before[s].queue &&
				 (!s || !before[s - 1].joined);
		check(whole, "the spare tells the payer of a range that PIN took");
	}
}

static void prove_unpin(int first, int last)
{
	struct ashmem_queue *named = any_below(2) ? &queue1 : &queue0;
	const struct ashmem_queue *queue = named;
	unsigned long stamp = 7, most = bound[last + 1] - bound[first];
	struct ashmem_edit edit;
	int owned = ranges + (spare ? 1 : 0), err, from, to;
	bool had = spare, purged = false, paid;

	begin_edit(&edit, first, last);
	paid = edit.paid;
	edit.queue = named;
	err = ashmem_ranges_unpin(&set, &edit, stamp);
	check(!err || err == -EAGAIN, "an error that is known");
	check(had || err, "UNPIN needs a spare");
	look_after(owned, count_dropped(&edit));
	if (!had) {
		for (int s = 0; s < N; s++)
			check(same(s), "without a spare nothing changes");
		check(edit.first == bound[first] && edit.last == bound[last + 1] - 1,
		      "without a spare all is left to do");
		return;
	}
	check(!spare || !spare->paid, "the spare isn't one that PIN took");

	/* The part that is done, with the ranges that it overlaps. */
	from = first;
	to = last;
	if (err) {
		check(edit.first >= bound[first] && edit.first < bound[last + 1] - 1,
		      "a part is done");
		while (to > first && bound[to] > edit.first)
			to--;
		check(edit.first == bound[to + 1] - 1, "a part ends before a range");
	}
	while (from > 0 && before[from - 1].in && before[from - 1].joined)
		from--;
	while (to < N - 1 && before[to].in && before[to].joined)
		to++;
	for (int s = 0; s < N; s++)
		purged |= s >= from && s <= to && before[s].in && before[s].purged;
	/* The largest of them says who pays. */
	for (int s = from; s <= to; s++) {
		unsigned long there = 0;

		if (!before[s].in || (s > 0 && before[s - 1].joined))
			continue;
		for (int t = s; t < N; t++) {
			if (before[t].there)
				there += bound[t + 1] - bound[t];
			if (!before[t].joined)
				break;
		}
		if (there > most) {
			most = there;
			queue = before[s].queue;
			paid = false;
		}
	}
	check(edit.queue == queue, "UNPIN tells the queue");

	for (int s = 0; s < N; s++) {
		if (s < from || s > to) {
			check(same(s), "UNPIN leaves what is outside");
			check(!after[s].in || after[s].joined == before[s].joined,
			      "UNPIN doesn't split");
			continue;
		}
		check(after[s].in && after[s].there && after[s].purged == purged &&
		      after[s].queue == queue && after[s].stamp == stamp &&
		      after[s].paid == paid, "UNPIN unpins");
		check(after[s].joined == (s < to), "UNPIN merges");
		for (int t = 0; t < N; t++)
			check(!after[t].there || after[t].queue != queue ||
			      after[t].place <= after[s].place, "UNPIN makes the youngest");
	}
	check_order(from, to);
}

static void prove_take(int first, int last)
{
	int owned = ranges + (spare ? 1 : 0), end = end_of(first);
	struct ashmem_range *range;

	/* The pieces up to @last of the range that begins with @first. */
	if (!begins(first))
		return;
	range = &pool[first];
	if (last >= end || (last < end - 1 && !before[last + 1].there))
		return;
	ashmem_ranges_take(&set, range, bound[last + 1] - range->resume);
	look_after(owned, 0);
	for (int s = 0; s < N; s++) {
		if (s < first || s >= end) {
			check(same(s), "a purge leaves other ranges");
			continue;
		}
		check(after[s].in && after[s].purged && after[s].stamp == before[s].stamp &&
		      after[s].there == (before[s].there && s > last), "a purge takes");
	}
	for (int s = 0; s < N; s++)
		check(after[s].joined == before[s].joined, "a purge doesn't split or merge");
	check_order(N, N);
}

static void prove_split(int first, int at)
{
	int owned = ranges + (spare ? 1 : 0), end = end_of(first);
	bool had = spare;

	/* A range that begins with @first, and another piece of it. */
	if (!begins(first) || at == first || at >= end)
		return;
	check(!ashmem_ranges_split(&set, &pool[first], bound[at], &spare) == !had,
	      "a split needs a spare");
	look_after(owned, 0);
	for (int s = 0; s < N; s++) {
		check(same(s), "a split changes no page");
		check(after[s].joined == (before[s].joined && !(had && s + 1 == at)),
		      "a split splits there");
		check(after[s].paid == (before[s].paid && !(had && s >= first && s < end)),
		      "a range that is cut isn't paid");
	}
	check_order(N, N);
}

static void prove_overlap(int first, int last)
{
	bool any = false;

	for (int s = 0; s < N; s++)
		any |= s >= first && s <= last && before[s].in;
	check(ashmem_ranges_overlap(&set, bound[first], bound[last + 1] - 1) == any,
	      "GET_PIN_STATUS");
}

static void prove_case(void)
{
	int first, last;

	choose_state();
	look_at_queue(&queue0, before);
	look_at_queue(&queue1, before);
	first = any_below(N);
	last = first + any_below(N - first);
	switch (any_below(5)) {
	case 0:
		prove_pin(first, last, any_below(2));
		break;
	case 1:
		prove_unpin(first, last);
		break;
	case 2:
		prove_take(first, last);
		break;
	case 3:
		prove_split(first, last);
		break;
	default:
		prove_overlap(first, last);
	}
}

int main(int argc, char **argv)
{
	if (argc != N + 2)
		return 2;
	for (int i = 0; i < N + 1; i++)
		bound[i] = strtoul(argv[i + 1], NULL, 0);
	do {
		chosen = 0;
		prove_case();
		cases++;
	} while (next_case());
	printf("%lu cases\n", cases);
	return 0;
}
