// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
/* A cache that the kernel may purge when memory is short. */
#include <ashmem.h>
#include <stdio.h>

int main(void)
{
	struct ashm *cache;
	char text[6];

	if (ashm_create("thumbnails", 1 << 20, &cache) ||
	    ashm_write(cache, "hello", 6, 0))
		return 1;
	ashm_unpin(cache);				/* not needed now */
	if (ashm_pin(cache) == ASHM_WAS_LOST)		/* needed: is it there? */
		ashm_write(cache, "again", 6, 0);
	if (ashm_read(cache, text, 6, 0))
		return 1;
	printf("%s, world\n", text);
	ashm_close(cache);
	return 0;
}
