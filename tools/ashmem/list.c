// SPDX-License-Identifier: GPL-2.0
/*
 * ashmem list: all regions of the machine.
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd.h"
#include "print.h"

static bool has_process(const struct walk *walk, const struct region *region, uint64_t pid)
{
	size_t i;

	for (i = 0; i < region->holder_count; i++)
		if ((uint64_t)walk->processes[region->holders[i].process].pid == pid)
			return true;
	for (i = 0; i < region->mapping_count; i++)
		if ((uint64_t)walk->processes[region->mappings[i].process].pid == pid)
			return true;
	return false;
}

/* Leaves the regions that a process holds or maps. */
static void keep_process(struct walk *walk, uint64_t pid)
{
	size_t i, kept = 0;
	struct region *region;

	for (i = 0; i < walk->region_count; i++) {
		region = walk->regions[i];
		if (!has_process(walk, region, pid))
			continue;
		walk->regions[i] = walk->regions[kept];
		walk->regions[kept++] = region;
	}
	/* The others stay behind the count, for as long as the program runs. */
	walk->region_count = kept;
}

static int run(const struct command *self, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "bytes", no_argument, NULL, 'b' },
		{ "json", no_argument, NULL, 'j' },
		{ "pid", required_argument, NULL, 'p' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "sort", required_argument, NULL, 's' },
		HELP_OPTION,
		{ NULL, 0, NULL, 0 },
	};
	bool bytes = false, json = false, quiet = false;
	enum sort_key key = SORT_PID;
	uint64_t pid = 0;
	struct walk walk;
	int opt, code;

	while ((opt = command_getopt(self, argc, argv, "bjp:qs:h", longs)) != -1) {
		switch (opt) {
		case 'b':
			bytes = true;
			break;
		case 'j':
			json = true;
			break;
		case 'p':
			if (parse_number(optarg, INT32_MAX, &pid) || !pid)
				return command_usage(self, "'%s' is no process", optarg);
			break;
		case 'q':
			quiet = true;
			break;
		case 's':
			if (sort_key_of(optarg, &key))
				return command_usage(self, "can't sort by '%s'", optarg);
			break;
		}
	}
	code = command_no_operands(self, argc, argv);
	if (!code)
		code = walk_or_say(&walk);
	if (code)
		return code;
	if (pid)
		keep_process(&walk, pid);
	sort_regions(&walk, key);
	if (json)
		print_json(&walk);
	else
		print_table(&walk, SIZE_MAX, 0, bytes);
	if (!quiet)
		walk_say_limits(&walk);
	return EXIT_OK;
}

const struct command list_command = {
	.name = "list",
	.summary = "all regions of the machine",
	.usage = "[OPTION]...\n"
		 "List all regions: size, pages in memory and purgeable, mask, name, and\n"
		 "who holds (PID/FD) and maps them. '?' is what nobody would tell.\n\n"
		 "  -b, --bytes      sizes to the byte\n"
		 "  -j, --json       as JSON\n"
		 "  -p, --pid=PID    only what this process holds or maps\n"
		 "  -q, --quiet      don't say what could not be looked at\n"
		 "  -s, --sort=KEY   pid (the default), size, resident, purgeable or name\n"
		 "  -h, --help       this text\n",
	.run = run,
};
