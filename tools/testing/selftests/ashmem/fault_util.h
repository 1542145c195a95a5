/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults on purpose: /proc/self/fail-nth has the n-th allocation or copy of
 * this task fail, whichever part of the kernel asks for it.
 */
#ifndef FAULT_UTIL_H
#define FAULT_UTIL_H

#include "reclaim_util.h"

#define FAULT_DIR	"/sys/kernel/debug/"

/*
 * By default only atomic allocations and higher-order pages fail, and each fault logs a
 * backtrace.
 */
static const struct fault_switch {
	const char *path;
	const char *value;
} fault_switches[] = {
	{ FAULT_DIR "failslab/ignore-gfp-wait", "N" },
	{ FAULT_DIR "failslab/verbose", "0" },
	{ FAULT_DIR "fail_page_alloc/ignore-gfp-wait", "N" },
	{ FAULT_DIR "fail_page_alloc/ignore-gfp-highmem", "N" },
	{ FAULT_DIR "fail_page_alloc/min-order", "0" },
	{ FAULT_DIR "fail_page_alloc/verbose", "0" },
	{ FAULT_DIR "fail_usercopy/verbose", "0" },
};

struct faults {
	int fd;
	char old[ARRAY_SIZE(fault_switches)][16];
};

/* NULL, or why faults cannot be injected. */
static UNUSED const char *faults_begin(struct faults *f)
{
	unsigned int i;

	memset(f, 0, sizeof(*f));
	f->fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (f->fd < 0)
		return "this kernel has no fail-nth (CONFIG_FAULT_INJECTION)";
	for (i = 0; i < ARRAY_SIZE(fault_switches); i++) {
		const struct fault_switch *s = &fault_switches[i];

		if (get_file(s->path, f->old[i], sizeof(f->old[i])) < 0 ||
		    put_file(s->path, s->value))
			return "the kernel, or who runs this, lacks " FAULT_DIR "fail*";
	}
	return NULL;
}

static UNUSED void faults_end(struct faults *f)
{
	unsigned int i;

	if (f->fd < 0)
		return;
	for (i = 0; i < ARRAY_SIZE(fault_switches); i++) {
		if (f->old[i][0])
			put_file(fault_switches[i].path, f->old[i]);
	}
	close(f->fd);
}

/* From now on @nth - 1 allocations and copies succeed, and the next one fails. */
static UNUSED bool fault_arm(struct faults *f, unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	return pwrite(f->fd, text, (size_t)len, 0) == len;
}

/* How many of those are left; 0 if one failed. */
static UNUSED unsigned int fault_disarm(struct faults *f)
{
	char text[16] = "";
	/* The copy of this result counts, too: if it fails, one was left. */
	unsigned int left = pread(f->fd, text, sizeof(text) - 1, 0) > 0 ?
			    (unsigned int)strtoul(text, NULL, 10) : 1;

	while (pwrite(f->fd, "0", 1, 0) != 1)
		;
	return left;
}

#endif
