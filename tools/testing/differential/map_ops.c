// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmap() and related calls. Mappings go into windows at fixed addresses, so that the
 * kernel's choice of addresses does not matter.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ashmem_diff.h"

static char *address_of(unsigned int window, unsigned int page)
{
	return window_base(window) + page * page_bytes;
}

static bool is_empty(const struct window *window)
{
	unsigned int i;

	for (i = 0; i < WINDOW_PAGES; i++)
		if (window->page[i].kind != UNMAPPED)
			return false;
	return true;
}

static void forget_pages(unsigned int w, unsigned int first, unsigned int pages)
{
	memset(&st->windows[w].page[first], 0, pages * sizeof(struct window_page));
	if (is_empty(&st->windows[w]))
		st->windows[w].split = false;
}

void unmap_pages(unsigned int w, unsigned int first, unsigned int pages)
{
	if (munmap(address_of(w, first), pages * page_bytes))
		fail("munmap: %s", strerror(errno));
	forget_pages(w, first, pages);
}

void unmap_region(const struct region *region)
{
	unsigned int w, i;

	for (w = 0; w < WINDOWS; w++)
		for (i = 0; i < WINDOW_PAGES; i++)
			if (st->windows[w].page[i].kind != UNMAPPED &&
			    st->windows[w].page[i].region == region->id)
				unmap_pages(w, i, 1);
}

/*
 * A stretch of pages that one call mapped, from a random page of it on.
 */
struct window_page *pick_mapped(unsigned int *window, unsigned int *first,
				unsigned int *run)
{
	unsigned int start = rnd(WINDOWS * WINDOW_PAGES), i, n;

	for (i = 0; i < WINDOWS * WINDOW_PAGES; i++) {
		unsigned int at = (start + i) % (WINDOWS * WINDOW_PAGES);
		struct window_page *page;

		*window = at / WINDOW_PAGES;
		*first = at % WINDOW_PAGES;
		page = &st->windows[*window].page[*first];
		if (page->kind == UNMAPPED)
			continue;
		for (n = 1; *first + n < WINDOW_PAGES; n++)
			if (page[n].kind == UNMAPPED || page[n].mapping != page->mapping)
				break;
		*run = n;
		return page;
	}
	return NULL;
}

static int pick_prot(const struct region *region)
{
	int prot = rnd(8);

	if (one_in(6))
		return prot;
	prot = (PROT_READ | PROT_WRITE) & region->mask;
	if (region->access == O_RDONLY || one_in(4))
		prot &= ~PROT_WRITE;
	if (one_in(8))
		prot |= PROT_EXEC & region->mask;
	return prot;
}

static int pick_flags(void)
{
	static const int odd[] = {
		0, MAP_SHARED_VALIDATE, MAP_SHARED | MAP_NORESERVE,
		MAP_PRIVATE | MAP_NORESERVE, MAP_SHARED | MAP_GROWSDOWN,
		MAP_PRIVATE | MAP_GROWSDOWN, MAP_SHARED | MAP_HUGETLB,
		MAP_SHARED_VALIDATE | MAP_SYNC, MAP_SHARED | MAP_POPULATE,
		MAP_PRIVATE | MAP_POPULATE,
	};

	if (one_in(8))
		return PICK(odd);
	return one_in(4) ? MAP_PRIVATE : MAP_SHARED;
}

static enum kind kind_of(const struct region *region, int flags)
{
	if ((flags & MAP_TYPE) == MAP_PRIVATE)
		return PRIVATE;
	return region->access == O_RDONLY ? READ_ONLY_SHARED : SHARED;
}

static void flags_text(int flags)
{
	static const struct {
		int flag;
		const char *text;
	} all[] = {
		{ MAP_NORESERVE, "noreserve" }, { MAP_GROWSDOWN, "growsdown" },
		{ MAP_HUGETLB, "hugetlb" }, { MAP_SYNC, "sync" },
		{ MAP_POPULATE, "populate" },
	};
	unsigned int i;

	op("%s", (flags & MAP_TYPE) == MAP_SHARED ? "shared" :
	   (flags & MAP_TYPE) == MAP_PRIVATE ? "private" :
	   (flags & MAP_TYPE) == MAP_SHARED_VALIDATE ? "shared-validate" : "untyped");
	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (flags & all[i].flag)
			op("%s", all[i].text);
}

static __s64 pick_map_offset(void)
{
	if (one_in(20))
		return 1 + rnd(page_bytes - 1);
	if (one_in(30))
		return -page_bytes;
	if (one_in(20))
		return (1LL << 40) + rnd(4) * page_bytes;
	if (one_in(3))
		return rnd(SMALL_PAGES) * page_bytes;
	return 0;
}

static void *traced_mmap(struct fd_slot *slot, void *address, size_t length,
			 int flags, __s64 offset)
{
	struct region *region = slot->region;
	bool implies_exec = one_in(40);
	int prot = pick_prot(region);
	int before = 0;
	void *p;

	/* The model does not cover the resulting pages. */
	if (kind_of(region, flags) == READ_ONLY_SHARED)
		flags &= ~MAP_POPULATE;

	op("mmap f%d r%d", fd_number(slot), region_number(region));
	if (address)
		op("w%lu+%lu", (unsigned long)((char *)address - window_base(0)) /
		   (unsigned long)(window_base(1) - window_base(0)),
		   (unsigned long)((char *)address - window_base(0)) %
		   (unsigned long)(window_base(1) - window_base(0)) / page_bytes);
	op("len=%#zx %s", length, prot_text(prot));
	flags_text(flags);
	op("offset=%#llx size=%#llx mask=%s%s", (long long)offset,
	   (unsigned long long)region->size, prot_text(region->mask),
	   implies_exec ? " read-implies-exec" : "");

	if (implies_exec) {
		before = personality(0xffffffff);
		personality(before | READ_IMPLIES_EXEC);
	}
	p = mmap(address, length, prot, flags | (address ? MAP_FIXED : 0), slot->fd, offset);
	result_errno(p == MAP_FAILED ? -1 : 0);
	if (implies_exec)
		personality(before);
	if (p != MAP_FAILED)
		region->backed = true;
	return p;
}

static size_t pick_length(const struct region *region, unsigned int most)
{
	__u64 pages = region_pages(region);
	size_t length;

	if (one_in(40))
		return 0;
	if (one_in(2) && pages && pages <= most)
		length = pages * page_bytes;
	else if (pages && !one_in(8))
		length = (1 + rnd(pages < most ? pages : most)) * page_bytes;
	else
		length = (1 + rnd(most)) * page_bytes;
	return one_in(6) ? length - rnd(page_bytes) : length;
}

void op_mmap(void)
{
	struct fd_slot *slot = pick_fd();
	struct region *region = slot->region;
	unsigned int w = rnd(WINDOWS), first = one_in(2) ? 0 : rnd(WINDOW_PAGES);
	size_t length = pick_length(region, WINDOW_PAGES - first);
	unsigned int pages = (length + page_bytes - 1) / page_bytes, i;
	int flags = pick_flags();
	__s64 offset = pick_map_offset();

	/*
	 * A failed mmap(MAP_FIXED) unmaps what was there in some kernels, and
	 * not in others.
	 */
	if (pages)
		unmap_pages(w, first, pages);
	if (traced_mmap(slot, address_of(w, first), length, flags, offset) == MAP_FAILED)
		return;
	st->last_mapping++;
	for (i = 0; i < pages; i++)
		st->windows[w].page[first + i] = (struct window_page){
			.kind = kind_of(region, flags),
			.mapping = st->last_mapping,
			.region = region->id,
			.pgoff = offset / page_bytes + i,
			.end = region_pages(region),
			.may_write = region->access == O_RDWR &&
				     region->mask & PROT_WRITE,
		};
}

void op_mmap_anywhere(void)
{
	struct fd_slot *slot = pick_fd();
	struct region *region = slot->region;
	size_t length = pick_length(region, WINDOW_PAGES);
	int flags = pick_flags();
	__s64 offset = pick_map_offset();
	struct window_page page = {
		.kind = kind_of(region, flags),
		.pgoff = offset / page_bytes,
		.end = region_pages(region),
	};
	const char *signal;
	__u64 sum;
	char *p;

	p = traced_mmap(slot, NULL, length, flags, offset);
	if (p == MAP_FAILED)
		return;
	op_page("load", &page);
	signal = try_page(p, LOAD, 0, &sum);
	result("%s", signal ?: hash_text(sum));
	if (!signal && page.kind == READ_ONLY_SHARED && !beyond(&page))
		region->loaded |= 1U << page.pgoff;
	munmap(p, length);
}

/* A part of a window, and sometimes an invalid one. */
static void pick_stretch(unsigned int *w, unsigned int *first, unsigned int *pages,
			 size_t *skew, size_t *length)
{
	unsigned int run;

	if (one_in(4) || !pick_mapped(w, first, &run)) {
		*w = rnd(WINDOWS);
		*first = rnd(WINDOW_PAGES);
		run = WINDOW_PAGES - *first;
	}
	*pages = 1 + rnd(run);
	*skew = one_in(30) ? 1 + rnd(page_bytes - 1) : 0;
	*length = one_in(30) ? 0 : *pages * page_bytes - (one_in(8) ? rnd(page_bytes) : 0);
}

void op_munmap(void)
{
	unsigned int w, first, pages;
	size_t skew, length;
	long ret;

	pick_stretch(&w, &first, &pages, &skew, &length);
	if (one_in(3)) {
		skew = 0;
		first = 0;
		pages = WINDOW_PAGES;
		length = pages * page_bytes;
	}
	op("munmap w%u+%u%s len=%#zx", w, first, skew ? " unaligned" : "", length);
	ret = munmap(address_of(w, first) + skew, length);
	result_errno(ret);
	if (!ret)
		forget_pages(w, first, pages);
}

void op_mprotect(void)
{
	unsigned int w, first, pages;
	size_t skew, length;
	int prot = rnd(8);

	pick_stretch(&w, &first, &pages, &skew, &length);
	op("mprotect w%u+%u%s len=%#zx %s", w, first, skew ? " unaligned" : "", length,
	   prot_text(prot));
	result_errno(mprotect(address_of(w, first) + skew, length, prot));
	st->windows[w].split = true;
}

static bool overlap(unsigned int a, unsigned int pages_a, unsigned int b,
		    unsigned int pages_b)
{
	return a < b + pages_b && b < a + pages_a;
}

static void move_pages(const struct window_page *from, unsigned int w,
		       unsigned int first, unsigned int pages)
{
	struct window_page head = *from;
	unsigned int i;

	st->last_mapping++;
	for (i = 0; i < pages; i++) {
		struct window_page *page = &st->windows[w].page[first + i];

		*page = head;
		page->pgoff += i;
		page->mapping = st->last_mapping;
		page->moved = true;
	}
}

static void mremap_in_place(unsigned int w, unsigned int first, unsigned int run)
{
	struct window_page *page = &st->windows[w].page[first];
	unsigned int pages = 1 + rnd(WINDOW_PAGES - first), i;
	void *p;

	op("mremap w%u+%u len=%u new=%u", w, first, run, pages);
	p = mremap(address_of(w, first), run * page_bytes, pages * page_bytes, 0);
	result_errno(p == MAP_FAILED ? -1 : 0);
	if (p == MAP_FAILED)
		return;
	if (pages < run)
		forget_pages(w, first + pages, run - pages);
	/* Newer kernels merge what has grown with a mapping behind it. */
	if (pages > run)
		st->windows[w].split = true;
	for (i = run; i < pages; i++) {
		page[i] = *page;
		page[i].pgoff += i;
	}
}

static void mremap_to(unsigned int w, unsigned int first, unsigned int run)
{
	struct window_page from = st->windows[w].page[first];
	unsigned int old = one_in(8) ? 0 : run;
	unsigned int to = rnd(WINDOWS), at = rnd(WINDOW_PAGES);
	unsigned int pages = one_in(2) && run <= WINDOW_PAGES - at ? run :
			     1 + rnd(WINDOW_PAGES - at);
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
	size_t skew = one_in(30) ? 1 + rnd(page_bytes - 1) : 0;
	size_t length = one_in(30) ? 0 : pages * page_bytes;
	bool onto = to == w && overlap(first, old ?: 1, at, pages);
	void *p;

	/* Which of two errors comes first depends on the kernel. */
	if (onto)
		old = run;
	if (one_in(30))
		flags = MREMAP_FIXED;
	if (one_in(30))
		flags |= 0x100;
	/* What a failed call leaves there depends on the kernel. */
	if (!onto)
		unmap_pages(to, at, pages);
	op_page("mremap", &from);
	op("w%u+%u len=%u to w%u+%u%s new=%#zx flags=%#x%s", w, first, old, to, at,
	   skew ? " unaligned" : "", length, flags, onto ? " onto" : "");
	p = mremap(address_of(w, first), old * page_bytes, length, flags,
		   address_of(to, at) + skew);
	result_errno(p == MAP_FAILED ? -1 : 0);
	if (p == MAP_FAILED) {
		unmap_pages(w, first, run);
		if (!onto)
			unmap_pages(to, at, pages);
		return;
	}
	if (old)
		forget_pages(w, first, run);
	move_pages(&from, to, at, pages);
	if (one_in(4))
		maps_of(to);
}

void op_mremap(void)
{
	unsigned int w, first, run;

	if (!pick_mapped(&w, &first, &run))
		return;
	/* How VMAs are split and merged depends on the kernel. */
	if (st->windows[w].split) {
		unmap_pages(w, 0, WINDOW_PAGES);
		return;
	}
	if (one_in(3))
		mremap_in_place(w, first, run);
	else
		mremap_to(w, first, run);
}

void op_remap_file_pages(void)
{
	unsigned int w, first, run;
	struct window_page *page = pick_mapped(&w, &first, &run);
	unsigned int pages, pgoff = rnd(SMALL_PAGES);
	int prot = one_in(8) ? PROT_READ : 0;
	int flags = one_in(8) ? MAP_NONBLOCK : 0;

	if (!page)
		return;
	pages = 1 + rnd(run);
	op_page("remap_file_pages", page);
	op("w%u+%u len=%u pgoff=%u prot=%d flags=%#x", w, first, pages, pgoff, prot, flags);
	result_errno(syscall(SYS_remap_file_pages, address_of(w, first),
			     pages * page_bytes, prot, pgoff, flags));
	/* Refused or not, some kernels have unmapped the pages. */
	unmap_pages(w, 0, WINDOW_PAGES);
}

void op_madvise(void)
{
	static const struct {
		int advice;
		const char *text;
	} all[] = {
		{ MADV_NORMAL, "normal" }, { MADV_RANDOM, "random" },
		{ MADV_SEQUENTIAL, "sequential" }, { MADV_WILLNEED, "willneed" },
		{ MADV_DONTNEED, "dontneed" }, { MADV_FREE, "free" },
		{ MADV_FREE, "free" }, { MADV_REMOVE, "remove" }, { MADV_REMOVE, "remove" },
		{ MADV_DONTFORK, "dontfork" }, { MADV_DOFORK, "dofork" },
		{ MADV_HUGEPAGE, "hugepage" }, { MADV_NOHUGEPAGE, "nohugepage" },
		{ MADV_DONTDUMP, "dontdump" }, { MADV_DODUMP, "dodump" },
		{ MADV_WIPEONFORK, "wipeonfork" }, { MADV_KEEPONFORK, "keeponfork" },
		{ MADV_COLD, "cold" }, { 99, "none" },
	};
	unsigned int choice = rnd(ARRAY_SIZE(all));
	unsigned int w, first, pages, run;
	size_t skew, length;
	struct window_page *page;

	pick_stretch(&w, &first, &pages, &skew, &length);
	/* The effect is only known for pages of one kind. */
	if (all[choice].advice == MADV_FREE) {
		if (!pick_mapped(&w, &first, &run))
			return;
		pages = 1 + rnd(run);
		skew = 0;
		length = pages * page_bytes;
	}
	page = &st->windows[w].page[first];
	op_page("madvise", page);
	op("%s w%u+%u%s len=%#zx", all[choice].text, w, first,
	   skew ? " unaligned" : "", length);
	result_errno(madvise(address_of(w, first) + skew, length, all[choice].advice));
	st->windows[w].split = true;
	if (skew || !length)
		return;
	/* Holes are an error, but the mapped pages are still changed. */
	for (; pages; pages--, page++) {
		if (all[choice].advice == MADV_DONTFORK)
			page->dont_fork = page->kind != UNMAPPED;
		else if (all[choice].advice == MADV_DOFORK)
			page->dont_fork = false;
	}
}
