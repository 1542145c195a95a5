/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CMD_ANY_H
#define CMD_ANY_H

#include "ashmem.h"

/* A fixture for tests that work with a region of either kind. */
FIXTURE(any)
{
	struct output o;
	struct ashm *region;
	char *peer;
	size_t size;
	char *name;
};

FIXTURE_SETUP(any)
{
	setenv("ASHMEM_BACKEND", "memfd", 1);
	self->size = 16 * page_size();
	self->name = format("any-%d", (int)getpid());
	self->region = region_new(self->name, self->size);
	ASSERT_TRUE(self->region);
	self->peer = format("%d/%d", (int)getpid(), ashm_fd(self->region));
}

FIXTURE_TEARDOWN(any)
{
	ashm_close(self->region);
}

#endif
