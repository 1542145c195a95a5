/* SPDX-License-Identifier: GPL-2.0-only */
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

/* Keys that send more than their character. */
enum screen_key {
	KEY_UP = 256, KEY_DOWN, KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_HOME, KEY_END,
};

int screen_key(double seconds);

#endif /* _ASHMEM_SCREEN_H */
