// SPDX-License-Identifier: MIT
/*
 * A cache that the kernel may take when memory is short.
 */
#include <ashmem.h>
#include <stdio.h>

int main(void)
{
	struct ashm *cache = ashm_create("thumbnails", 1 << 20);
	char text[6];

	if (!cache || ashm_write(cache, "hello", 6, 0))
		return 1;
	ashm_allow_purging(cache, 1);			/* not needed now */
	if (ashm_allow_purging(cache, 0) == 1)		/* needed: was it taken? */
		ashm_write(cache, "again", 6, 0);
	if (ashm_read(cache, text, 6, 0))
		return 1;
	printf("%s, world\n", text);
	ashm_close(cache);
	return 0;
}
