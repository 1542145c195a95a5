// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations: mappings.
 */

#include <linux/ashmem.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"

#define COMPAT_OLD_MMAP	90
#define RIGHTS		(PROT_READ | PROT_WRITE | PROT_EXEC)
/* More than that isn't populated or locked: the guest is small. */
#define TOUCHED_MAX	(4UL << 20)

static long map(struct worker *w, char *at, const uint64_t *a, int flags)
{
	/* The struct that old 32-bit programs pass to mmap() by address. */
	struct {
		uint32_t addr, length, prot, flags, fd, offset;
	} *old;

	if (!op_compat)
		return CALL(mmap(at, a[2], (int)a[3], flags, fd_of(w, a[0]), (off_t)a[5]));
	old = (void *)buffer(GOOD, sizeof(*old));
	old->addr = (uint32_t)(unsigned long)at;
	old->length = (uint32_t)a[2];
	old->prot = (uint32_t)a[3];
	old->flags = (uint32_t)flags;
	old->fd = (uint32_t)fd_of(w, a[0]);
	old->offset = (uint32_t)a[5];
	return CALL(compat_call(COMPAT_OLD_MMAP, (long)old, 0, 0));
}

void do_mmap(struct worker *w, const uint64_t *a)
{
	/* Without MAP_FIXED a hint, which the kernel mostly follows. */
	char *at = window_of(a[1]);
	int flags = (int)a[4] & ~MAP_ANONYMOUS, rights = RIGHTS;
	unsigned int fail = op_fail;
	long ret;

	if (a[2] > WINDOW_BYTES)
		flags &= ~(MAP_FIXED | MAP_FIXED_NOREPLACE);
	if (a[2] > TOUCHED_MAX)
		flags &= ~(MAP_POPULATE | MAP_LOCKED);

	/* The mask only ever narrows, so the mapping can't have more than that. */
	op_fail = 0;
	ret = device_ioctl(w, a[0], ASHMEM_GET_PROT_MASK, 0);
	if (ret >= 0 && !w->racing)
		rights = (int)ret;
	op_fail = fail;

	ret = map(w, at, a, flags);
	if (ret < 0 && ret > -4096)
		return;
	if (a[3] & RIGHTS & ~(uint64_t)rights)
		finding("mmap() with rights %d of a region with mask %d", (int)a[3], rights);
	at = op_compat ? (char *)(unsigned long)(uint32_t)ret : (char *)ret;
	/* What the mask lacks can never be regained, by any later call. */
	if (rights != RIGHTS && !mprotect(at, PAGE_BYTES, RIGHTS))
		finding("mprotect() gave rights %d, the mask had %d", RIGHTS, rights);
	keep_mapping(w, a[1], at, (struct mapping){
		.length = op_compat ? (uint32_t)a[2] : a[2],
		.rights = rights,
	});
}

void do_munmap(struct worker *w, const uint64_t *a)
{
	size_t length;
	char *at = pages_of(a, &length);

	CALL(munmap(at, length));
}

/* What the mask allowed, of pages that are known to be all of one mapping. */
static int rights_of(const struct worker *w, const uint64_t *a, size_t length)
{
	const struct mapping *of = &w->map[a[0] % MAPS];

	return !w->racing && length && a[1] % 1024 * PAGE_BYTES + length <= of->length ?
	       of->rights : RIGHTS;
}

void do_mprotect(struct worker *w, const uint64_t *a)
{
	size_t length;
	char *at = pages_of(a, &length);
	int rights = rights_of(w, a, length);

	if (CALL(mprotect(at, length, (int)a[3])) == 0 && a[3] & RIGHTS & ~(uint64_t)rights)
		finding("mprotect() gave rights %d, the mask had %d", (int)a[3], rights);
}

void do_mremap(struct worker *w, const uint64_t *a)
{
	uint64_t pages[] = { a[0], 0, a[2] };
	size_t old, new = a[3] % 1025 * PAGE_BYTES;
	char *at = pages_of(pages, &old);
	int flags = 0, rights = rights_of(w, pages, old);
	uint64_t to = a[0];
	long ret;

	if (a[4] & 1) {
		flags |= MREMAP_MAYMOVE | MREMAP_FIXED;
		to = a[1];
	} else if (a[4] & 2) {
		flags |= MREMAP_MAYMOVE;
	}
	if (a[4] & 4)
		flags |= MREMAP_DONTUNMAP;
	ret = CALL(mremap(at, old, new, flags, window_of(to)));
	if (ret < 0 && ret > -4096)
		return;
	keep_mapping(w, to, (char *)ret, (struct mapping){
		.length = new,
		.rights = rights,
	});
}

void do_madvise(struct worker *w, const uint64_t *a)
{
	size_t length;
	char *at = pages_of(a, &length);

	CALL(madvise(at, length, (int)a[3]));
}

void do_remap_file_pages(struct worker *w, const uint64_t *a)
{
	size_t length;
	char *at = pages_of(a, &length);
	int rights = rights_of(w, a, length);

	/*
	 * If it is placed as a continuation of its neighbour, with the same
	 * rights, the kernel checks nothing.
	 */
	if (CALL(syscall(SYS_remap_file_pages, at, length, 0, a[3] % 1024, 0)) == 0 &&
	    rights != RIGHTS)
		finding("remap_file_pages() succeeded, the mask had %d", rights);
}

void do_mlock(struct worker *w, const uint64_t *a)
{
	size_t length;
	char *at = pages_of(a, &length);

	if (a[3] & 1)
		CALL(munlock(at, length));
	else
		CALL(mlock2(at, length, a[3] & 2 ? MLOCK_ONFAULT : 0));
}

void do_msync(struct worker *w, const uint64_t *a)
{
	unsigned char present[1025];
	size_t length;
	char *at = pages_of(a, &length);

	if (a[3] & 1)
		CALL(mincore(at, length, present));
	else
		CALL(msync(at, length, (int)a[3] >> 1));
}

static void load_pages(char *at, size_t length, void *data)
{
	size_t i;

	for (i = 0; i < length; i += PAGE_BYTES)
		*(volatile unsigned long *)data += *(volatile unsigned long *)(at + i);
}

static void store_pages(char *at, size_t length, void *data)
{
	size_t i;

	for (i = 0; i < length; i += PAGE_BYTES)
		*(volatile unsigned long *)(at + i) = *(unsigned long *)data;
}

static void access_pages(struct worker *w, const uint64_t *a,
			 void (*access)(char *at, size_t length, void *data))
{
	unsigned long word = w->generation;
	size_t length;
	char *at = pages_of(a, &length);

	/* Inject no failures: the kernel kills a task if it can't deliver a signal. */
	try_access(access, at, length, &word);
}

void do_load(struct worker *w, const uint64_t *a)
{
	access_pages(w, a, load_pages);
}

void do_store(struct worker *w, const uint64_t *a)
{
	access_pages(w, a, store_pages);
}
