/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASHMEM_OOM_H
#define _ASHMEM_OOM_H

#include <linux/types.h>

bool ashmem_oom_put_off(unsigned long now);
int ashmem_oom_init(void);
void ashmem_oom_exit(void);

#endif /* _ASHMEM_OOM_H */
