// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which holder learns of lost contents: first a reader without the right to write, then
 * the owner.
 */

#include <errno.h>
#include <linux/ashmem.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ashmem_diff.h"

enum { PAGES = 10 };

/* The state of the region in the original, and in ours; shared with the child. */
struct story {
	struct pins there, here;
	/* Contents, and which pages have lost theirs. */
	__u64 sum[PAGES];
	bool lost_there[PAGES], lost_here[PAGES];
	int fd;
	char *base;
};

static void pick(__u64 *first, __u64 *last)
{
	*first = rnd(PAGES);
	*last = *first + rnd(PAGES - *first);
}

/*
 * The line, with the two answers if they differ, and the call: 0 and 1 mean @answers.
 */
static void ask(struct story *story, const char *name, const char *who, unsigned long request,
		__u64 first, __u64 last, bool there, bool here, const char *const *answers)
{
	struct ashmem_pin pin = {
		.offset = first * page_bytes,
		.len = (last - first + 1) * page_bytes,
	};
	long ret;

	op("loss %s %s first=%llu last=%llu", name, who, (unsigned long long)first,
	   (unsigned long long)last);
	if (there != here)
		op("there=%s here=%s", answers[there], answers[here]);
	ret = ioctl(story->fd, request, &pin);
	result("%s", ret < 0 ? errno_text(errno) : answers[!!ret]);
}

static void status(struct story *story, const char *who, __u64 first, __u64 last)
{
	static const char *const answers[] = { "unpinned", "pinned" };

	ask(story, "status", who, ASHMEM_GET_PIN_STATUS, first, last,
	    !pins_unpinned(&story->there, first, last),
	    !pins_unpinned(&story->here, first, last), answers);
}

static void status_of_all(struct story *story, const char *who)
{
	__u64 page;

	for (page = 0; page < PAGES; page++)
		status(story, who, page, page);
}

static void pin(struct story *story, const char *who, bool may_discard, __u64 first,
		__u64 last)
{
	static const char *const answers[] = { "not-purged", "was-purged" };

	ask(story, "pin", who, ASHMEM_PIN, first, last,
	    pins_purged(&story->there, first, last), pins_purged(&story->here, first, last),
	    answers);
	pins_pin(&story->there, first, last);
	if (may_discard)
		pins_pin(&story->here, first, last);
	else
		pins_pin_keeping_lost(&story->here, first, last);
}

static void unpin(struct story *story, __u64 first, __u64 last)
{
	static const char *const answers[] = { "ok", "not-0" };

	ask(story, "unpin", "owner", ASHMEM_UNPIN, first, last, false, false, answers);
	pins_unpin(&story->there, first, last);
	pins_unpin(&story->here, first, last);
}

static void purge(struct story *story, const char *who)
{
	__u64 there = pins_pages(&story->there).fresh, page;
	__u64 here = pins_pages(&story->here).purgeable;

	op("loss purge %s", who);
	if (there != here)
		op("there=%llu here=%llu", (unsigned long long)there,
		   (unsigned long long)here);
	result_number(ioctl(story->fd, ASHMEM_PURGE_ALL_CACHES));

	for (page = 0; page < PAGES; page++) {
		bool purged = pins_purged(&story->there, page, page);

		story->lost_there[page] |= pins_unpinned(&story->there, page, page) && !purged;
		purged = pins_purged(&story->here, page, page) &&
			 !pins_again(&story->here, page, page);
		story->lost_here[page] |= pins_unpinned(&story->here, page, page) && !purged;
	}
	pins_purge(&story->there);
	pins_purge(&story->here);
}

static void look(struct story *story)
{
	__u64 page, sum = 0;

	for (page = 0; page < PAGES; page++) {
		bool there = story->lost_there[page], here = story->lost_here[page];

		op("loss look page=%llu", (unsigned long long)page);
		if (there != here)
			op("there=%s here=%s", there ? "zero" : hash_text(story->sum[page]),
			   here ? "zero" : hash_text(story->sum[page]));
		try_page(story->base + page * page_bytes, LOAD, 0, &sum);
		result("%s", hash_text(sum));
	}
}

static void be_owner(struct story *story)
{
	unsigned int n;
	__u64 first, last;

	for (n = 2 + rnd(4); n; n--) {
		pick(&first, &last);
		if (one_in(4))
			pin(story, "owner", true, first, last);
		else
			unpin(story, first, last);
		if (one_in(3))
			purge(story, "owner");
	}
}

static void be_reader(struct story *story)
{
	unsigned int n;
	__u64 first, last;

	for (n = 1 + rnd(4); n; n--) {
		pick(&first, &last);
		if (one_in(4))
			status(story, "reader", first, last);
		else if (one_in(4))
			purge(story, "reader");
		else
			pin(story, "reader", false, first, last);
	}
}

/*
 * The owner has a mapping that its child does not inherit, and removes PROT_WRITE from
 * the mask. So only the owner may write.
 */
void op_loss_stays(void)
{
	struct story *story = mmap(NULL, sizeof(*story), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int child_status;
	__u64 page;
	pid_t child;

	if (story == MAP_FAILED)
		fail("mmap: %s", strerror(errno));
	/* So that the other regions have nothing left to purge. */
	purge_all();
	story->fd = story_open("loss", PAGES * page_bytes);
	story->base = story_map("loss", window_base(WINDOWS), PAGES * page_bytes, MAP_SHARED,
				story->fd, 0);
	if (madvise(story->base, PAGES * page_bytes, MADV_DONTFORK))
		fail("madvise: %s", strerror(errno));
	for (page = 0; page < PAGES; page++) {
		try_page(story->base + page * page_bytes, STORE, rnd(0), NULL);
		try_page(story->base + page * page_bytes, LOAD, 0, &story->sum[page]);
	}
	be_owner(story);
	op("loss mask");
	result_errno(ioctl(story->fd, ASHMEM_SET_PROT_MASK, PROT_READ));
	/* From here on the mapping gives the right. */
	be_owner(story);

	log_flush();
	child = fork();
	if (child < 0)
		fail("fork: %s", strerror(errno));
	if (!child) {
		be_reader(story);
		log_flush();
		_exit(0);
	}
	if (waitpid(child, &child_status, 0) != child || child_status)
		fail("a child ended with status %#x", child_status);

	status_of_all(story, "owner");
	if (one_in(2))
		purge(story, "owner");
	look(story);
	for (page = 0; page < PAGES; page += 1 + rnd(3))
		pin(story, "owner", true, page, page);
	pin(story, "owner", true, 0, PAGES - 1);
	status_of_all(story, "owner");
	pin(story, "owner", true, 0, PAGES - 1);

	munmap(story->base, PAGES * page_bytes);
	close(story->fd);
	munmap(story, sizeof(*story));
}
