// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem purge: make the kernel purge unpinned pages.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/ashmem.h>

#include "cmd.h"
#include "json.h"

#define COUNTER	"/sys/class/misc/ashmem/command_purged_pages"

/* How many pages commands have purged so far; false if the driver doesn't tell. */
static bool purged_so_far(uint64_t *pages)
{
	char *path = file_path(COUNTER);
	char *text = file_line(path);
	bool good = text && !parse_number(text, UINT64_MAX, pages);

	free(path);
	free(text);
	return good;
}

static int purge(long *purgeable)
{
	int fd = open("/dev/ashmem", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return fail("can't open /dev/ashmem: %s; 'ashmem doctor' tells why",
			    strerror(errno));
	*purgeable = ioctl(fd, ASHMEM_PURGE_ALL_CACHES, 0);
	if (*purgeable < 0 && errno == EPERM)
		return fail("not allowed: it takes CAP_SYS_ADMIN, that is root outside of"
			    " containers");
	if (*purgeable < 0)
		return fail("can't purge: %s", strerror(errno));
	close(fd);
	return EXIT_OK;
}

static int run(const struct command *self, int argc, char **argv)
{
	bool json = false, quiet = false, counted;
	uint64_t before, after;
	long purgeable = 0;
	char text[32];
	int code;

	command_json_quiet(self, argc, argv, &json, &quiet);
	code = command_no_operands(self, argc, argv);
	if (code)
		return code;
	counted = purged_so_far(&before);
	code = purge(&purgeable);
	if (code)
		return code;
	counted = counted && purged_so_far(&after);
	if (json) {
		json_open(NULL, '{');
		json_number("purgeable_pages", (uint64_t)purgeable);
		if (counted)
			json_number("purged_pages", after - before);
		else
			json_null("purged_pages");
		json_close('}');
		json_end();
	} else if (!quiet && counted) {
		printf("purged %llu page%s, %s\n", (unsigned long long)(after - before),
		       after - before == 1 ? "" : "s",
		       size_text((after - before) * (uint64_t)sysconf(_SC_PAGESIZE), text,
				 sizeof(text)));
	} else if (!quiet) {
		printf("purged; %ld pages were purgeable\n", purgeable);
	}
	return EXIT_OK;
}

const struct command purge_command = {
	.name = "purge",
	.summary = "purge all unpinned pages (root)",
	.usage = "[OPTION]...\n"
		 "Make the kernel purge every unpinned page of every region, and print their\n"
		 "number. The contents are lost, as they are when memory is short. Needs\n"
		 "CAP_SYS_ADMIN in the initial user namespace.\n\n"
		 "  -j, --json   as JSON\n"
		 "  -q, --quiet  print nothing\n"
		 "  -h, --help   this text\n",
	.run = run,
};
