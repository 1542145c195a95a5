/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each TEST_F(lib, ...) runs on both kinds of memory. Include after kselftest_harness.h.
 */
#ifndef LIB_BOTH_H
#define LIB_BOTH_H

#include "lib_util.h"

/* The library keeps the choice per process: each test is a process. */
FIXTURE(lib) {
};

FIXTURE_VARIANT(lib) {
	const char *name;
	int backend;
};

FIXTURE_VARIANT_ADD(lib, ashmem) {
	.name = "ashmem",
	.backend = ASHM_BACKEND_ASHMEM,
};

FIXTURE_VARIANT_ADD(lib, memfd) {
	.name = "memfd",
	.backend = ASHM_BACKEND_MEMFD,
};

FIXTURE_SETUP(lib)
{
	if (variant->backend == ASHM_BACKEND_ASHMEM && access(ASHMEM_DEV, F_OK))
		SKIP(return, "no " ASHMEM_DEV " here");
	ASSERT_EQ(0, setenv("ASHMEM_BACKEND", variant->name, 1));
}

FIXTURE_TEARDOWN(lib)
{
}

#define ON_DEVICE	(variant->backend == ASHM_BACKEND_ASHMEM)

/* The longest name that SET_NAME, or memfd_create() with our prefix, keeps. */
#define NAME_MAX_LEN	(ON_DEVICE ? ASHMEM_NAME_LEN - 1 : 242)

#endif
