// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem list: all regions of the machine.
 */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"
#include "filter.h"
#include "print.h"

/* Parses the argument of an option: 0, or the exit code for wrong usage. */
static int parse_filter(const struct command *self, int opt, struct filter *filter)
{
	switch (opt) {
	case 'c':
		filter->cgroup = optarg;
		break;
	case 'n':
		filter->name = optarg;
		break;
	case 'p':
		if (parse_number(optarg, INT32_MAX, &filter->pid) || !filter->pid)
			return command_usage(self, "'%s' is no process", optarg);
		break;
	case 'u':
		if (filter_user(optarg, &filter->uid))
			return command_usage(self, "'%s' is no user", optarg);
		break;
	}
	return 0;
}

static bool process_is_there(uint64_t pid)
{
	char *path = file_path("/proc/%llu", (unsigned long long)pid);
	bool there = !access(path, F_OK);

	free(path);
	return there;
}

static int run(const struct command *self, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "bytes", no_argument, NULL, 'b' },
		{ "cgroup", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "name", required_argument, NULL, 'n' },
		{ "pages", no_argument, NULL, 'P' },
		{ "pid", required_argument, NULL, 'p' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "sort", required_argument, NULL, 's' },
		{ "user", required_argument, NULL, 'u' },
		HELP_OPTION,
		{ NULL, 0, NULL, 0 },
	};
	struct table table = { .lines = SIZE_MAX, .sum = true };
	struct filter filter = { .uid = UNKNOWN };
	enum sort_key key = SORT_PID;
	bool json = false, quiet = false;
	struct walk walk;
	int opt, code = 0;

	while (!code && (opt = command_getopt(self, argc, argv, "bc:jn:Pp:qs:u:h",
					      longs)) != -1) {
		if (opt == 'b' || opt == 'P')
			table.unit = opt == 'b' ? UNIT_BYTES : UNIT_PAGES;
		else if (opt == 'j')
			json = true;
		else if (opt == 'q')
			quiet = true;
		else if (opt != 's')
			code = parse_filter(self, opt, &filter);
		else if (sort_key_of(optarg, &key))
			code = command_usage(self, "can't sort by '%s'", optarg);
	}
	if (!code)
		code = command_no_operands(self, argc, argv);
	if (!code && filter.pid && !process_is_there(filter.pid))
		code = fail("there is no process %llu", (unsigned long long)filter.pid);
	if (!code)
		code = walk_or_say(&walk);
	if (code)
		return code;
	filter_regions(&walk, &filter);
	sort_regions(&walk, key);
	if (json)
		print_json(&walk);
	else
		print_table(&walk, &table);
	if (!quiet)
		walk_say_limits(&walk);
	return EXIT_OK;
}

const struct command list_command = {
	.name = "list",
	.summary = "all regions of the machine",
	.usage = "[OPTION]...\n"
		 "List all regions: size, resident and purgeable memory, mask, name, and the\n"
		 "processes that hold (PID/FD) or map them. The last line has the sums. '?'\n"
		 "means unknown.\n\n"
		 "  -b, --bytes        sizes in bytes\n"
		 "  -c, --cgroup=TEXT  only of processes with TEXT in their cgroup's path\n"
		 "  -j, --json         as JSON\n"
		 "  -n, --name=NAME    only with this name, a pattern with * and ?\n"
		 "  -P, --pages        sizes in pages\n"
		 "  -p, --pid=PID      only what this process holds or maps\n"
		 "  -q, --quiet        don't report what could not be read\n"
		 "  -s, --sort=KEY     pid (the default), size, resident, purgeable or name\n"
		 "  -u, --user=USER    only of processes of this user, a name or a number\n"
		 "  -h, --help         this text\n",
	.run = run,
};
