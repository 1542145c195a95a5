// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where programs map things: a window for each mapping. What the kernel puts
 * elsewhere isn't kept, so that threads can't use memory that was
 * given to the fuzzer itself in between.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz.h"

/* Of all workers. */
void *shared_memory(size_t length)
{
	void *p = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return p;
}

char *window_of(uint64_t map)
{
	return (char *)WINDOWS_AT + map % MAPS * WINDOW_BYTES;
}

/**
 * buffer - the address of a buffer
 * @which: its kind: enum buffer, or those besides
 * @length: what the caller writes there; more than fits isn't good any more
 */
char *buffer(uint64_t which, size_t length)
{
	switch (which % 8) {
	case MAPPED:
		return window_of(0);
	case UNALIGNED:
		return buffer_at(GOOD, 0) + 1;
	default:
		return buffer_at((enum buffer)(which % 8), length);
	}
}

/**
 * pages_of - the part of a mapping that an operation means
 * @a: arguments: MAP, PAGE, PAGES
 * @length: set to the bytes
 *
 * It may well go beyond what is mapped, not beyond the window.
 */
char *pages_of(const uint64_t *a, size_t *length)
{
	*length = a[2] % 1025 * PAGE_BYTES;
	return window_of(a[0]) + a[1] % 1024 * PAGE_BYTES;
}

/**
 * keep_mapping - note what has been mapped in a window, or unmap it again
 * @w: the worker
 * @map: whose window it should be in
 * @at: where it is
 * @mapping: its length and rights
 */
void keep_mapping(struct worker *w, uint64_t map, char *at, struct mapping mapping)
{
	if (at == window_of(map) && mapping.length <= WINDOW_BYTES)
		w->map[map % MAPS] = mapping;
	else
		munmap(at, mapping.length);
}

void windows_clear(struct worker *w)
{
	memset(w->map, 0, sizeof(w->map));
	munmap(window_of(0), MAPS * WINDOW_BYTES);
}
