// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parsers for the text of /proc about processes, descriptors and mappings.
 */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "proc.h"

/**
 * unescape - undo the kernel's \ooo in place
 * @text: bytes
 * @len: how many
 * @only: the characters that the kernel writes so; others stay as they are
 *
 * Return: how many bytes are left.
 */
size_t unescape(char *text, size_t len, const char *only)
{
	char *to = text, *from = text, *end = text + len;
	int byte;

	while (from < end) {
		if (*from == '\\' && end - from >= 4 &&
		    from[1] >= '0' && from[1] <= '3' &&
		    from[2] >= '0' && from[2] <= '7' &&
		    from[3] >= '0' && from[3] <= '7') {
			byte = (from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0');
			if (byte && strchr(only, byte)) {
				*to++ = (char)byte;
				from += 4;
				continue;
			}
		}
		*to++ = *from++;
	}
	return (size_t)(to - text);
}

static bool number_in(const char *text, int base, uint64_t *value)
{
	char *end;

	if (!isxdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtoull(text, &end, base);
	return !errno && (!*end || *end == ' ');
}

static int mask_in(const char *text)
{
	if (strlen(text) != 3 || !strchr("r-", text[0]) || !strchr("w-", text[1]) ||
	    !strchr("x-", text[2]))
		return -1;
	return (text[0] == 'r' ? PROT_READ : 0) | (text[1] == 'w' ? PROT_WRITE : 0) |
	       (text[2] == 'x' ? PROT_EXEC : 0);
}

/**
 * fdinfo_parse - take a descriptor's fdinfo apart
 * @text: the file, which is written into
 * @len: its length
 * @info: where to
 *
 * The original driver writes the name as it is, newlines and all, behind the
 * inode and before the rest. So the first inode counts, and of others the last:
 * a name can't pass for either.
 */
void fdinfo_parse(char *text, size_t len, struct fdinfo *info)
{
	const struct {
		const char *key;
		int base;
		uint64_t *value;
	} numbers[] = {
		{ "pos", 10, &info->pos },
		{ "flags", 8, &info->flags },
		{ "inode", 10, &info->inode },
		{ "size", 10, &info->size },
		{ "resident_pages", 10, &info->resident },
		{ "unpinned_pages", 10, &info->unpinned },
		{ "purgeable_pages", 10, &info->purgeable },
		{ "purged_pages", 10, &info->purged },
	};
	char *line, *next, *end = text + len, *value;
	uint64_t n;
	size_t i;

	memset(info, 0, sizeof(*info));
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		*numbers[i].value = UNKNOWN;
	info->mask = -1;

	for (line = text; line < end; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		if (!next)
			next = end;
		*next++ = '\0';
		value = strstr(line, ":\t");
		if (!value)
			continue;
		*value = '\0';
		value += 2;
		if (!strcmp(line, "name") && !info->name) {
			info->name = value;
			info->name_len = unescape(value, (size_t)(next - 1 - value),
						  "\t\n\\");
		} else if (!strcmp(line, "prot_mask")) {
			info->mask = mask_in(value);
		}
		for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
			if (strcmp(line, numbers[i].key) ||
			    (*numbers[i].value != UNKNOWN && i < 3))
				continue;
			if (number_in(value, numbers[i].base, &n))
				*numbers[i].value = n;
		}
	}
}

/* A field of hexadecimal digits that ends with @stop; moves *@at behind it. */
static bool hex_until(char **at, char stop, uint64_t *value)
{
	char *end;

	if (!isxdigit((unsigned char)**at))
		return false;
	*value = strtoull(*at, &end, 16);
	if (*end != stop)
		return false;
	*at = end + 1;
	return true;
}

/**
 * maps_parse - take a line of /proc/PID/maps apart
 * @line: the line, with or without its newline, which is cut off
 * @len: its length; a byte behind it is there and 0
 * @map: where to
 *
 * Return: false if it isn't such a line.
 */
bool maps_parse(char *line, size_t len, struct proc_map *map)
{
	uint64_t major, minor;
	char *at = line, *end;

	if (len && line[len - 1] == '\n')
		line[--len] = '\0';
	memset(map, 0, sizeof(*map));
	if (!hex_until(&at, '-', &map->start) || !hex_until(&at, ' ', &map->end))
		return false;
	if (map->start >= map->end || line + len - at < 5 || at[4] != ' ')
		return false;
	memcpy(map->perms, at, 4);
	at += 5;
	if (!hex_until(&at, ' ', &map->offset) || !hex_until(&at, ':', &major) ||
	    !hex_until(&at, ' ', &minor))
		return false;
	map->dev = makedev((unsigned int)major, (unsigned int)minor);
	if (!isdigit((unsigned char)*at))
		return false;
	map->inode = strtoull(at, &end, 10);
	if (*end != ' ' && *end)
		return false;
	at = end + strspn(end, " ");
	if (at < line + len) {
		map->path = at;
		map->path_len = (size_t)(line + len - at);
	}
	return true;
}

/**
 * maps_is_region - is a path one that a region's mappings are shown with?
 * @map: the mapping, which has to be of the kernel's own shmem mount
 * @kind: where to put what the region is made of
 * @name: where to put the name, which is in the line, or NULL for a nameless one
 * @len: its length
 *
 * The kernel writes a newline in it as \012 and a backslash as it is: a name with
 * these four characters can't be told from one with a newline.
 */
bool maps_is_region(const struct proc_map *map, enum region_kind *kind, char **name,
		    size_t *len)
{
	static const char * const prefixes[] = {
		[REGION_ASHMEM] = "/dev/ashmem",
		[REGION_MEMFD] = "/memfd:ashmem",
	};
	static const char suffix[] = " (deleted)";
	size_t i, prefix, end;

	*name = NULL;
	*len = 0;
	if (!map->path || map->path_len < sizeof(suffix) - 1)
		return false;
	end = map->path_len - (sizeof(suffix) - 1);
	if (memcmp(map->path + end, suffix, sizeof(suffix) - 1))
		return false;
	for (i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		prefix = strlen(prefixes[i]);
		if (end < prefix || memcmp(map->path, prefixes[i], prefix))
			continue;
		*kind = (enum region_kind)i;
		if (end == prefix)
			return true;
		if (map->path[prefix] != '/')
			continue;
		*name = map->path + prefix + 1;
		*len = end - prefix - 1;
		return true;
	}
	return false;
}

/**
 * stat_parse - what /proc/PID/stat says of a task
 * @text: the file
 * @state: its state, such as R or Z
 * @flags: PF_* of the kernel
 *
 * The program's name is in parentheses and may contain some itself.
 */
bool stat_parse(const char *text, char *state, uint64_t *flags)
{
	const char *at = strrchr(text, ')');
	unsigned int field;

	if (!at || at[1] != ' ' || !at[2])
		return false;
	*state = at[2];
	at += 2;
	for (field = 3; field < 9; field++) {
		at = strchr(at, ' ');
		if (!at)
			return false;
		at++;
	}
	return number_in(at, 10, flags);
}

/* The minor number of misc device @name in the text of /proc/misc; -1: none. */
int misc_minor(const char *misc, const char *name)
{
	size_t len = strlen(name);
	long minor;
	char *end;

	while (*misc) {
		minor = strtol(misc, &end, 10);
		if (end != misc && *end == ' ' && !strncmp(end + 1, name, len) &&
		    (end[1 + len] == '\n' || !end[1 + len]))
			return (int)minor;
		misc = strchr(end, '\n');
		if (!misc)
			break;
		misc++;
	}
	return -1;
}
