// SPDX-License-Identifier: GPL-2.0-only
/* Buffers to give to the kernel: good ones and others. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "buffer.h"

static char *part(unsigned int i)
{
	return (char *)BUFFERS_AT + i * BUFFER_BYTES;
}

void buffers_init(void)
{
	if (mmap(part(0), 4 * BUFFER_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		 -1, 0) == MAP_FAILED ||
	    mprotect(part(0), BUFFER_BYTES, PROT_READ | PROT_WRITE) ||
	    mprotect(part(2), BUFFER_BYTES, PROT_READ)) {
		perror("buffers");
		exit(2);
	}
}

/**
 * buffer_at - the address of a buffer
 * @which: what kind
 * @length: how much of it is used
 */
char *buffer_at(enum buffer which, size_t length)
{
	switch (which) {
	case GOOD:
		return part(0);
	case READ_ONLY:
		return part(2);
	case CROSSING:
		return part(1) - length / 2;
	case NO_RIGHTS:
		return part(1);
	case KERNEL_POINTER:
		return (char *)0xffffffff80000000;
	default:
		return NULL;
	}
}
