// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers to give to the kernel, good ones and others.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz.h"

#define BUFFER_BYTES	(16 * PAGE_BYTES)

enum { AT_GOOD, AT_READ_ONLY, AT_CROSSING, AT_NO_RIGHTS };

static char *part(unsigned int i)
{
	return (char *)BUFFERS_AT + i * 2 * BUFFER_BYTES;
}

void buffers_init(void)
{
	unsigned int i;

	for (i = AT_GOOD; i <= AT_NO_RIGHTS; i++) {
		char *p = mmap(part(i), BUFFER_BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

		if (p == MAP_FAILED) {
			perror("mmap of buffers");
			exit(2);
		}
		memset(p, 'a' + (int)i, BUFFER_BYTES);
	}
	mprotect(part(AT_READ_ONLY), BUFFER_BYTES, PROT_READ);
	mprotect(part(AT_NO_RIGHTS), BUFFER_BYTES, PROT_NONE);
}

/**
 * buffer - the address of a buffer
 * @which: enum buffer
 * @length: what the caller writes there; more than fits isn't good any more
 */
char *buffer(uint64_t which, size_t length)
{
	switch ((enum buffer)(which % 8)) {
	case GOOD:
		return part(AT_GOOD);
	case READ_ONLY:
		return part(AT_READ_ONLY);
	case CROSSING:
		return part(AT_CROSSING) + BUFFER_BYTES - (length < 2 ? 0 : length / 2);
	case NO_RIGHTS:
		return part(AT_NO_RIGHTS);
	case NULL_POINTER:
		return NULL;
	case KERNEL_POINTER:
		return (char *)0xffff888000000000;
	case MAPPED:
		return window_of(0);
	case UNALIGNED:
		return part(AT_GOOD) + 1;
	}
	return NULL;
}
