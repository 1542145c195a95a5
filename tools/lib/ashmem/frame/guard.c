// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/*
 * How others learn that this process died: one of its threads, the guardian, has a list
 * of robust futexes. When the process ends, in any way, or executes another program, the
 * kernel sets FUTEX_OWNER_DIED in those words of the list that hold the guardian's
 * thread id, and wakes their sleepers. The kernel compares ids in the namespace of the
 * dying thread, so this also works for peers in other pid namespaces or without /proc.
 *
 * A separate thread, because the C library owns the list of every other thread, and
 * because the death of a process counts, not that of a thread.
 *
 * Others can write to the regions that hold the words, so the list must be elsewhere.
 * Its nodes are in a private page before each mapping, all at the same distance from
 * their words, as the kernel requires. A node joins the list before the word gets the
 * id, and leaves after the word has lost it: a node without the id in its word has no
 * effect. The kernel may walk the list at any moment, so each change is one store.
 *
 * The mutex protects start and end of the guardian and all changes of the list. fork()
 * doesn't wait for it: the thread that has it may wait for one that forks. In the child
 * nothing of this is left, so the mutex is initialized again.
 *
 * For a word that belongs to a thread, the C library's list of that thread is good enough:
 * the kernel looks at a word that is announced as pending, too.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../internal.h"
#include "internal.h"

/* A dead one's list is walked for 2048 nodes (ROBUST_LIST_LIMIT), and no further. */
#define GUARD_WORDS	2000

static struct {
	pthread_mutex_t lock;
	pthread_t thread;
	_Atomic uint32_t tid;		/* of the guardian; 0 until it is there */
	_Atomic uint32_t stop;
	unsigned int words;
	int error;
	int no_handler;			/* what pthread_atfork() said */
} guard = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The kernel's struct robust_list_head; the list ends where it began. */
struct robust_head {
	_Atomic(struct guard_node *) first;
	long offset;
	_Atomic(char *) pending;
};

static struct robust_head robust = { .offset = (long)GUARD_OFFSET };

/* Of this thread. @own is in use where the C library has no list yet. */
static __thread struct {
	uint32_t tid;
	struct robust_head *head, own;
} self;

#define ROBUST_END	((struct guard_node *)&robust)

static void private_wait(_Atomic uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void private_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void *guardian(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "ashmem-guard");
	if (syscall(SYS_set_robust_list, &robust, sizeof(robust)))
		guard.error = errno;
	atomic_store(&guard.tid, (uint32_t)syscall(SYS_gettid));
	private_wake(&guard.tid);
	while (!atomic_load(&guard.stop))
		private_wait(&guard.stop, 0);
	return NULL;
}

/* The child has no guardian, and none of what the parent claimed. */
static void in_child(void)
{
	pthread_mutex_init(&guard.lock, NULL);
	atomic_store(&robust.first, ROBUST_END);
	atomic_store(&guard.tid, 0);
	guard.words = 0;
	self.tid = 0;
}

/* Before the program's constructors: their handlers may call the library in the child. */
__attribute__((constructor(101))) static void watch_forks(void)
{
	guard.no_handler = pthread_atfork(NULL, NULL, in_child);
}

static void stop_guardian(void)
{
	atomic_store(&guard.stop, 1);
	private_wake(&guard.stop);
	pthread_join(guard.thread, NULL);
	atomic_store(&guard.tid, 0);
}

static int start_guardian(void)
{
	int ret;

	if (guard.no_handler)
		return -guard.no_handler;
	atomic_store(&robust.first, ROBUST_END);
	atomic_store(&guard.stop, 0);
	guard.error = 0;
	ret = libashmem_start_thread(&guard.thread, guardian, NULL);
	if (ret)
		return ret;
	while (!atomic_load(&guard.tid))
		private_wait(&guard.tid, 0);
	if (guard.error) {
		stop_guardian();
		return -guard.error;
	}
	return 0;
}

static void list_add(struct guard_node *node)
{
	atomic_store(&node->next, atomic_load(&robust.first));
	atomic_store(&robust.first, node);
	node->listed = true;
}

static void list_del(struct guard_node *node)
{
	_Atomic(struct guard_node *) *link = &robust.first;
	struct guard_node *at;

	node->listed = false;
	while ((at = atomic_load(link)) != ROBUST_END) {
		if (at == node) {
			atomic_store(link, atomic_load(&node->next));
			return;
		}
		link = &at->next;
	}
}

bool libashmem_guard_died(uint32_t owner)
{
	return owner & FUTEX_OWNER_DIED;
}

bool libashmem_guard_alive(uint32_t owner)
{
	return !libashmem_guard_died(owner) && owner & FUTEX_TID_MASK;
}

/*
 * With the mutex. @ours: this claim was made in the word, and not in that of a ring made
 * since, where this process may have claimed the same word.
 */
static void give_back(_Atomic uint32_t *word, uint32_t claimed, bool ours)
{
	if (ours)
		atomic_compare_exchange_strong(word, &claimed, 0);
	list_del(libashmem_guard_node(word));
	if (!--guard.words)
		stop_guardian();
}

int libashmem_guard_claim(_Atomic uint32_t *word, uint32_t *claimed, struct ashm_ring *ring)
{
	struct guard_node *node = libashmem_guard_node(word);
	uint32_t old;
	int ret = 0;
	bool ours;

	pthread_mutex_lock(&guard.lock);
	old = atomic_load(word);
	/* It stays ours, even if a peer has cleared the word. */
	if (libashmem_guard_alive(old) || node->listed) {
		ret = -EBUSY;
		goto unlock;
	}
	if (guard.words >= GUARD_WORDS) {
		ret = -EAGAIN;
		goto unlock;
	}
	if (!guard.words) {
		ret = start_guardian();
		if (ret)
			goto unlock;
	}
	/* The flag makes the kernel wake a sleeper when we die. */
	*claimed = atomic_load(&guard.tid) | FUTEX_WAITERS;
	list_add(node);
	guard.words++;
	/*
	 * If the ring was recreated in between, the claim is in the new one, and would stay
	 * there when the handle of the old one is closed.
	 */
	ours = atomic_compare_exchange_strong(word, &old, *claimed);
	if (!ours)
		ret = -EBUSY;
	else if (ring)
		ret = libashmem_ring_check(ring);
	if (ret)
		give_back(word, *claimed, ours);
unlock:
	pthread_mutex_unlock(&guard.lock);
	return ret;
}

void libashmem_guard_release(_Atomic uint32_t *word, uint32_t claimed, struct ashm_ring *ring)
{
	pthread_mutex_lock(&guard.lock);
	/* With the mutex no other thread claims the same word of a ring that it just made. */
	give_back(word, claimed, !ring || !libashmem_ring_check(ring));
	pthread_mutex_unlock(&guard.lock);
}

/*
 * musl and bionic register a list late or never, and then instead of ours. If a sandbox
 * doesn't let us see the C library's, ours must not take its place.
 */
static int find_list(void)
{
	struct robust_head *head = NULL;
	size_t len;

	if (syscall(SYS_get_robust_list, 0, &head, &len))
		return -EPERM;
	if (!head) {
		head = &self.own;
		atomic_store(&head->first, (struct guard_node *)head);
		if (syscall(SYS_set_robust_list, head, sizeof(*head)))
			return -EPERM;
	}
	self.head = head;
	self.tid = (uint32_t)syscall(SYS_gettid);
	return 0;
}

int libashmem_guard_thread(void)
{
	int ret = 0;

	if (!self.tid || self.head == &self.own)
		ret = find_list();
	return self.tid ? (int)self.tid : ret;
}

void libashmem_guard_announce(_Atomic uint32_t *word)
{
	char *pending = word ? (char *)word - self.head->offset : NULL;

	atomic_store_explicit(&self.head->pending, pending, memory_order_release);
}
