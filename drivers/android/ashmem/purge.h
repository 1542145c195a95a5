/* SPDX-License-Identifier: GPL-2.0-only */
/* Purges: steps that free the oldest pages of a group. */

#ifndef _ASHMEM_PURGE_H
#define _ASHMEM_PURGE_H

#include <linux/types.h>

struct ashmem_lru;
struct shrink_control;
struct work_struct;

extern struct ashmem_lru ashmem_lru;
int ashmem_purge_init(void);
void ashmem_purge_exit(void);
unsigned long ashmem_purge_count(struct ashmem_lru *lru, struct shrink_control *sc);
unsigned long ashmem_purge_some(struct ashmem_lru *lru, struct shrink_control *sc);
void ashmem_purge_step(struct work_struct *work);
long ashmem_purge_all(struct ashmem_lru *lru);
unsigned long ashmem_purge_any(struct ashmem_lru *lru, bool (*wanted)(int nid));

#endif /* _ASHMEM_PURGE_H */
