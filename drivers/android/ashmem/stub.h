/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The KUnit suites can put a function of theirs in place of one of the driver's
 * that begins with KUNIT_STATIC_STUB_REDIRECT(). Builds without the suites don't
 * look for one, whatever the kernel was built with.
 */

#ifndef _ASHMEM_STUB_H
#define _ASHMEM_STUB_H

#ifdef ASHMEM_KUNIT_TEST
#include <kunit/static_stub.h>
#else
#define KUNIT_STATIC_STUB_REDIRECT(args...)	do {} while (0)
#endif

#endif /* _ASHMEM_STUB_H */
