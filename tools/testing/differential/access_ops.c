// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads and stores, and the signals that they may end with.
 */

#include <signal.h>

#include "ashmem_diff.h"
#include "fault.h"

static void load_page(char *page, size_t length, void *sum)
{
	*(__u64 *)sum = hash(page, length);
}

static void store_word(char *page, size_t length, void *data)
{
	__u64 value = *(__u64 *)data;

	*(volatile __u64 *)(page + value % length / 8 * 8) = value;
}

/*
 * Reads a whole page into @sum, or writes @value into it at an offset that
 * depends on it. Returns the signal's name, or NULL.
 */
const char *try_page(char *page, enum access access, __u64 value, __u64 *sum)
{
	int sig = access == LOAD ? try_access(load_page, page, page_bytes, sum) :
		  try_access(store_word, page, page_bytes, &value);

	return sig == SIGSEGV ? "SIGSEGV" : sig == SIGBUS ? "SIGBUS" : NULL;
}

/*
 * The line's part about which page of what it is.
 */
void op_page(const char *name, const struct window_page *page)
{
	static const char *const kind_text[] = {
		[UNMAPPED] = "unmapped",
		[SHARED] = "shared",
		[PRIVATE] = "private",
		[READ_ONLY_SHARED] = "read-only-shared",
	};

	op("%s %s%s", name, kind_text[page->kind],
	   page->kind != UNMAPPED && beyond(page) ? " beyond" : "");
}

static struct window_page *pick_page(char **address)
{
	unsigned int w, i, run, offset;
	struct window_page *page;

	page = one_in(8) ? NULL : pick_mapped(&w, &i, &run);
	if (!page) {
		w = rnd(WINDOWS);
		i = rnd(WINDOW_PAGES);
		page = &st->windows[w].page[i];
	} else {
		offset = rnd(run);
		i += offset;
		page += offset;
	}
	*address = window_base(w) + i * page_bytes;
	return page;
}

void op_load(void)
{
	char *address;
	struct window_page *page = pick_page(&address);
	struct region *region = region_by_id(page->region);
	const char *signal;
	__u64 sum;

	op_page("load", page);
	signal = try_page(address, LOAD, 0, &sum);
	result("%s", signal ?: hash_text(sum));
	if (!signal && region && page->kind == READ_ONLY_SHARED && !beyond(page))
		region->loaded |= 1U << page->pgoff;
}

void op_store(void)
{
	char *address;
	struct window_page *page = pick_page(&address);
	__u64 value = rnd(0);

	op_page("store", page);
	op("%08x", (unsigned int)value);
	result("%s", try_page(address, STORE, value, NULL) ?: "ok");
}
