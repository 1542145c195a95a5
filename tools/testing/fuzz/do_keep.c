// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on keepers: regions that only one worker knows, so that the results of PIN
 * can be compared with the contents. Everything else may happen at the same time:
 * purges, pressure, failing allocations, signals.
 */

#include <fcntl.h>
#include <linux/ashmem.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

static unsigned long *page_at(unsigned int keeper, unsigned int page)
{
	return (unsigned long *)(KEEPERS_AT + (keeper * 2 * KEEPER_PAGES + page) * PAGE_BYTES);
}

static unsigned long word_of(unsigned int keeper, unsigned int page, uint32_t generation)
{
	return 0xa5UL << 56 | (unsigned long)keeper << 48 | (unsigned long)page << 32 |
	       generation;
}

void keepers_open(struct worker *w)
{
	unsigned int i;

	for (i = 0; i < KEEPERS; i++) {
		struct keeper *k = &w->keeper[i];

		memset(k, 0, sizeof(*k));
		k->fd = ash_region(NULL, KEEPER_PAGES * PAGE_BYTES);
		if (k->fd >= 0 &&
		    mmap(page_at(i, 0), KEEPER_PAGES * PAGE_BYTES, PROT_RW,
			 MAP_SHARED | MAP_FIXED, k->fd, 0) == MAP_FAILED) {
			close(k->fd);
			k->fd = -1;
		}
	}
}

/* The interval that an operation means; false if this isn't the time for it. */
static bool interval(struct worker *w, const uint64_t *a, unsigned int *keeper,
		     unsigned int *first, unsigned int *end)
{
	*keeper = (unsigned int)(a[0] % KEEPERS);
	*first = (unsigned int)(a[1] % KEEPER_PAGES);
	*end = *first + 1 + (unsigned int)(a[2] % KEEPER_PAGES);
	if (*end > KEEPER_PAGES)
		*end = KEEPER_PAGES;
	return op_alone && w->keeper[*keeper].fd >= 0;
}

static long pin_ioctl(struct worker *w, unsigned int keeper, unsigned long command,
		      unsigned int first, unsigned int end)
{
	return CALL(ash_pin_op(w->keeper[keeper].fd, command, (uint32_t)(first * PAGE_BYTES),
			       (uint32_t)((end - first) * PAGE_BYTES)));
}

static void write_page(char *at, size_t length, void *data)
{
	unsigned long *word = (unsigned long *)at;

	*word = *(unsigned long *)data;
	word[length / sizeof(*word) - 1] = *(unsigned long *)data;
}

struct contents {
	unsigned long first, last;
};

static void read_page(char *at, size_t length, void *data)
{
	struct contents *c = data;
	unsigned long *word = (unsigned long *)at;

	c->first = *(volatile unsigned long *)word;
	c->last = *(volatile unsigned long *)(word + length / sizeof(*word) - 1);
}

void do_keep_write(struct worker *w, const uint64_t *a)
{
	unsigned int keeper, page, end;
	struct keeper *k;

	if (!interval(w, a, &keeper, &page, &end))
		return;
	k = &w->keeper[keeper];
	w->generation++;
	for (; page < end; page++) {
		unsigned long word = word_of(keeper, page, w->generation);

		/* Pages that are written while unpinned may be purged at once. */
		if (k->unpinned[page])
			continue;
		/* Without memory the page may get only a part of it. */
		k->written[page] = 0;
		if (!try_access(write_page, (char *)page_at(keeper, page), PAGE_BYTES, &word))
			k->written[page] = w->generation;
	}
}

void do_keep_unpin(struct worker *w, const uint64_t *a)
{
	unsigned int keeper, first, end;

	if (interval(w, a, &keeper, &first, &end) &&
	    !pin_ioctl(w, keeper, ASHMEM_UNPIN, first, end))
		memset(&w->keeper[keeper].unpinned[first], true, end - first);
}

static bool any_unpinned(const struct keeper *k, unsigned int first, unsigned int end)
{
	return memchr(&k->unpinned[first], true, end - first);
}

static void check_page(struct keeper *k, unsigned int keeper, unsigned int page, bool lost)
{
	unsigned long word = word_of(keeper, page, k->written[page]);
	struct contents c;

	if (!k->written[page] ||
	    try_access(read_page, (char *)page_at(keeper, page), PAGE_BYTES, &c))
		return;
	if (c.first == word && c.last == word)
		return;
	if (!c.first && !c.last && lost)
		k->written[page] = 0;
	else
		finding("keeper %u page %u has %#lx and %#lx, not %#lx; %s", keeper, page,
			c.first, c.last, word,
			k->unpinned[page] ? lost ? "PIN said purged" : "PIN said kept" :
			"it was pinned all along");
}

void do_keep_pin(struct worker *w, const uint64_t *a)
{
	unsigned int keeper, first, end, page;
	struct keeper *k;
	long status, ret;
	bool unpinned;

	if (!interval(w, a, &keeper, &first, &end))
		return;
	k = &w->keeper[keeper];
	ret = pin_ioctl(w, keeper, ASHMEM_PIN, first, end);
	if (ret < 0) {
		/* Then nothing may have changed. */
		unpinned = any_unpinned(k, first, end);
		status = pin_ioctl(w, keeper, ASHMEM_GET_PIN_STATUS, first, end);
		if (status >= 0 && status != (unpinned ? ASHMEM_IS_UNPINNED : ASHMEM_IS_PINNED))
			finding("a PIN that failed with %ld changed the keeper", ret);
		return;
	}
	if (ret && !any_unpinned(k, first, end))
		finding("PIN of pinned pages said purged");
	for (page = 0; page < KEEPER_PAGES; page++) {
		bool inside = page >= first && page < end;

		if (inside || !k->unpinned[page])
			check_page(k, keeper, page, inside && k->unpinned[page] && ret);
		if (inside)
			k->unpinned[page] = false;
	}
}
