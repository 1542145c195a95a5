/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASHMEM_FILL_H
#define _ASHMEM_FILL_H

#include <stdbool.h>
#include <stdint.h>

struct ashm;

int fill_from(struct ashm *region, uint64_t offset, uint64_t length, bool whole, int fd);

#endif /* _ASHMEM_FILL_H */
