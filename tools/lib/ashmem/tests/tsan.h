/* SPDX-License-Identifier: GPL-2.0-only */
/* ThreadSanitizer and the guardian's thread. */
#ifndef TSAN_H
#define TSAN_H

/*
 * The tests fork while the guardian runs, and continue with threads; and a peer that
 * ends must be gone at once.
 */
#ifdef __SANITIZE_THREAD__
#define UNDER_TSAN	1
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "die_after_fork=0 atexit_sleep_ms=0";
}
#else
#define UNDER_TSAN	0
#endif

/* ThreadSanitizer takes a child's guardian for that of its parent, and ends the child. */
#define NO_TSAN() do { \
	if (UNDER_TSAN) \
		SKIP(return, "ThreadSanitizer can't tell guardians apart"); \
} while (0)

#endif
