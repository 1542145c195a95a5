// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory to pass to system calls.
 */

#include <string.h>

#include "ashmem_diff.h"

enum buffer pick_buffer(void)
{
	return one_in(6) ? rnd(BUFFERS) : GOOD;
}

/*
 * A poisoned buffer for @length bytes.
 */
void *buffer(enum buffer which, size_t length)
{
	memset(buffer_at(GOOD, 0), 0xa5, BUFFER_BYTES);
	return which == GOOD ? buffer_at(GOOD, 0) + 16 : buffer_at(which, length);
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
	static char own[BUFFER_BYTES + 4096];

	return own;
}
