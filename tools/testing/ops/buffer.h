/* SPDX-License-Identifier: GPL-2.0-only */
/* Buffers to give to the kernel: good ones and others. */

#ifndef OPS_BUFFER_H
#define OPS_BUFFER_H

#include <stddef.h>

/* Below 4 GiB, for 32-bit calls. */
#define BUFFERS_AT	0x60000000UL
#define BUFFER_BYTES	(64UL << 10)

enum buffer {
	GOOD,			/* with BUFFER_BYTES, and then without rights */
	READ_ONLY,		/* zeroes */
	CROSSING,		/* into a page without rights */
	NO_RIGHTS,		/* right behind GOOD */
	NULL_POINTER,
	KERNEL_POINTER,
	BUFFERS
};

void buffers_init(void);
char *buffer_at(enum buffer which, size_t length);

#endif
