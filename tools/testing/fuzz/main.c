// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzzer's program, for the guest and for the host. Without arguments, or
 * with a file that holds the area, it fuzzes; it speaks TAP then.
 */

#include <stdio.h>
#include <unistd.h>

#include "fuzz.h"

static int usage(void)
{
	fprintf(stderr,
		"usage: ashmem_fuzz [AREA]	fuzz, with the area in a file or in ivshmem\n"
		"       ashmem_fuzz pack AREA SEED SECONDS WORKERS UNTIL_FOUND corpus|replay|soak [FILE...]\n"
		"       ashmem_fuzz unpack AREA DIR\n"
		"       ashmem_fuzz ops	the operations and their arguments\n");
	return 2;
}

int main(int argc, char **argv)
{
	int ret = host_command(argc, argv);

	if (ret >= 0)
		return ret;
	if (argc > 2)
		return usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	area_attach(argv[1], false);
	printf("TAP version 13\n1..1\n");
	ret = supervise();
	printf("%s 1 fuzzed %u s, %llu programs, %u addresses, %u findings\n",
	       ret ? "not ok" : "ok", area->seconds,
	       (unsigned long long)area->programs, area->pcs, area->findings);
	return ret;
}
