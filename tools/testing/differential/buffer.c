// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory to pass to system calls: good, and bad in every way.
 */

#include <string.h>
#include <sys/mman.h>

#include "ashmem_diff.h"

#define BUFFER_PAGES	8

static char *area;		/* BUFFER_PAGES good ones, then one without rights */
static char *read_only;		/* BUFFER_PAGES */
static char *own;

static char *map(size_t pages)
{
	char *p = mmap(NULL, pages * page_size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		fail("no memory for buffers");
	return p;
}

void buffer_init(void)
{
	area = map(BUFFER_PAGES + 1);
	read_only = map(BUFFER_PAGES);
	own = map(BUFFER_PAGES + 1);
	if (mprotect(area + BUFFER_PAGES * page_size, page_size, PROT_NONE))
		fail("can't protect a page");
}

enum buffer pick_buffer(void)
{
	return one_in(6) ? rnd(BUFFERS) : GOOD;
}

/*
 * A poisoned buffer for @length bytes.
 */
void *buffer(enum buffer which, size_t length)
{
	char *wall = area + BUFFER_PAGES * page_size;

	memset(area, 0xa5, BUFFER_PAGES * page_size);
	switch (which) {
	case GOOD:
		return area + 16;
	case READ_ONLY:
		mprotect(read_only, BUFFER_PAGES * page_size, PROT_READ | PROT_WRITE);
		memset(read_only, 0, BUFFER_PAGES * page_size);
		mprotect(read_only, BUFFER_PAGES * page_size, PROT_READ);
		return read_only;
	case CROSSING:
		return wall - length / 2;
	case NO_RIGHTS:
		return wall;
	case KERNEL_POINTER:
		return (void *)0xffffffff80000000;
	default:
		return NULL;
	}
}

const char *buffer_text(enum buffer which)
{
	static const char *const text[] = {
		[GOOD] = "good",
		[READ_ONLY] = "read-only",
		[CROSSING] = "crossing",
		[NO_RIGHTS] = "no-rights",
		[NULL_POINTER] = "null",
		[KERNEL_POINTER] = "kernel",
	};

	return text[which];
}

/*
 * Memory of the tester's own, a page more than a buffer has.
 */
char *scratch(void)
{
	return own;
}
