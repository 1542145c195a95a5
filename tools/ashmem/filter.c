// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filters for the list of regions.
 */

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "filter.h"

/**
 * filter_user - the number of a user
 * @text: a number, or a name in /etc/passwd
 * @uid: where to
 *
 * Not by getpwnam(), which a static program can't have.
 *
 * Return: 0 or -ENOENT.
 */
int filter_user(const char *text, uint64_t *uid)
{
	char *path, *passwd, *line, *rest, *number;
	size_t len = strlen(text);
	int err = -ENOENT;

	if (!parse_number(text, UINT32_MAX, uid))
		return 0;
	path = file_path("/etc/passwd");
	passwd = file_read(path, NULL);
	free(path);
	for (line = passwd ? strtok_r(passwd, "\n", &rest) : NULL; line && err;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, text, len) || line[len] != ':')
			continue;
		/* name:password:number: */
		number = strchr(line + len + 1, ':');
		if (!number)
			continue;
		number++;
		number[strcspn(number, ":")] = '\0';
		err = parse_number(number, UINT32_MAX, uid) ? -ENOENT : 0;
	}
	free(passwd);
	return err;
}

static bool in_cgroup(pid_t pid, const char *part)
{
	char *path = file_path("/proc/%d/cgroup", (int)pid);
	char *text = file_read(path, NULL);
	bool in = text && strstr(text, part);

	free(path);
	free(text);
	return in;
}

static bool process_passes(const struct process *process, const struct filter *filter)
{
	return (!filter->pid || (uint64_t)process->pid == filter->pid) &&
	       (filter->uid == UNKNOWN || process->uid == filter->uid) &&
	       (!filter->cgroup || in_cgroup(process->pid, filter->cgroup));
}

/* Names can be any bytes of any length; the pattern comes from the user. */
static bool name_passes(const struct region *region, const char *pattern)
{
	char *name;
	bool passes;

	if (!pattern)
		return true;
	name = xasprintf("%.*s", (int)region->name_len, region->name ? region->name : "");
	passes = !fnmatch(pattern, name, 0);
	free(name);
	return passes;
}

static bool region_passes(const struct region *region, const bool *processes)
{
	size_t i;

	for (i = 0; i < region->holder_count; i++)
		if (processes[region->holders[i].process])
			return true;
	for (i = 0; i < region->mapping_count; i++)
		if (processes[region->mappings[i].process])
			return true;
	return false;
}

/* Keeps only the regions that match. */
void filter_regions(struct walk *walk, const struct filter *filter)
{
	bool *processes = xrealloc(NULL, walk->process_count, sizeof(*processes));
	size_t i, kept = 0;
	struct region *region;

	for (i = 0; i < walk->process_count; i++)
		processes[i] = process_passes(&walk->processes[i], filter);
	for (i = 0; i < walk->region_count; i++) {
		region = walk->regions[i];
		if (!region_passes(region, processes) || !name_passes(region, filter->name))
			continue;
		walk->regions[i] = walk->regions[kept];
		walk->regions[kept++] = region;
	}
	/* The others stay allocated behind the count until the program ends. */
	walk->region_count = kept;
	free(processes);
}
