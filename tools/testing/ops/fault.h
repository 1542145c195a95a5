/* SPDX-License-Identifier: GPL-2.0-only */
/* Accesses to memory that may fault. */

#ifndef OPS_FAULT_H
#define OPS_FAULT_H

#include <stddef.h>

void fault_init(void);
int try_access(void (*access)(char *at, size_t length, void *data), char *at, size_t length,
	       void *data);

#endif
