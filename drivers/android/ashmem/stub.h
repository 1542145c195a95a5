/* SPDX-License-Identifier: GPL-2.0-only */
/* KUnit suites can replace a function that begins with this. Other builds don't check. */

#ifndef _ASHMEM_STUB_H
#define _ASHMEM_STUB_H

#ifdef ASHMEM_KUNIT_TEST
#include <kunit/static_stub.h>
#else
#define KUNIT_STATIC_STUB_REDIRECT(args...)	do {} while (0)
#endif

#endif /* _ASHMEM_STUB_H */
