/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Purging on both backends. Include after lib_both.h.
 */
#ifndef PURGE_UTIL_H
#define PURGE_UTIL_H

#include <ashmem_purgeable.h>

/* Purges what is idle. */
static UNUSED bool purge(int backend)
{
	uint64_t freed;

	if (backend == ASHM_BACKEND_ASHMEM)
		return purge_works();
	return !ashm_purgeable_reclaim(UINT64_MAX, &freed);
}

#define NEED_PURGE() do { \
	if (ON_DEVICE && !purge_works()) \
		SKIP(return, "purging needs root"); \
} while (0)

#endif
