/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The terminal while top has it.
 */

#ifndef _ASHMEM_SCREEN_H
#define _ASHMEM_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

bool screen_open(void);
void screen_close(void);
void screen_size(size_t *lines, size_t *columns);
int screen_key(double seconds);

#endif /* _ASHMEM_SCREEN_H */
