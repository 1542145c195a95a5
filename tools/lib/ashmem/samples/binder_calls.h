/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 ashmem maintainers */
/*
 * The calls between binder_client and binder_service. Each is answered by 0 or
 * -errno in the first word.
 */
#ifndef BINDER_CALLS_H
#define BINDER_CALLS_H

#define CALL_OPEN	1	/* takes a ring's descriptor */
#define CALL_COUNTS	2	/* answers frames, bytes and digest */

#endif
