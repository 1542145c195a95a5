// SPDX-License-Identifier: GPL-2.0
/*
 * The table of regions, and the same as JSON.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "json.h"
#include "print.h"

/* The columns, of which the last two are as wide as they are. */
enum { SIZE, RESIDENT, PURGEABLE, MASK, KIND, NAME, HELD, MAPPED, FIELDS };

static const char *const headings[FIELDS] = {
	"SIZE", "RESIDENT", "PURGEABLE", "MASK", "KIND", "NAME", "HELD BY", "MAPPED BY",
};

struct cell {
	char *text;
	size_t columns;
};

const char *kind_text(enum region_kind kind)
{
	return kind == REGION_MEMFD ? "memfd" : "ashmem";
}

static struct cell cell(char *text)
{
	return (struct cell){ .text = text, .columns = strlen(text) };
}

static struct cell cell_of(const char *text)
{
	return cell(xasprintf("%s", text));
}

static struct cell number_cell(uint64_t value)
{
	return value == UNKNOWN ? cell_of("?") :
	       cell(xasprintf("%llu", (unsigned long long)value));
}

static struct cell size_cell(const struct region *region, bool bytes)
{
	uint64_t size = region_bytes(region);
	char text[32];

	if (bytes)
		snprintf(text, sizeof(text), "%llu", (unsigned long long)size);
	else
		size_text(size, text, sizeof(text));
	return cell(xasprintf("%s%s", region->size == UNKNOWN ? ">=" : "", text));
}

/* Appends to the text of a cell. */
static void append(struct cell *to, char *text, size_t columns)
{
	size_t len = to->text ? strlen(to->text) : 0;
	size_t more = strlen(text);

	to->text = xrealloc(to->text, len + more + 1, 1);
	memcpy(to->text + len, text, more + 1);
	to->columns += columns;
	free(text);
}

static void append_process(struct cell *to, const struct process *process)
{
	size_t columns;
	char *shown;

	if (to->columns)
		append(to, xasprintf(", "), 2);
	columns = text_shown(&shown, process->comm, process->comm_len);
	append(to, shown, columns);
	shown = xasprintf(" %d", (int)process->pid);
	append(to, shown, strlen(shown));
}

/* "cmd 12/3,4, other 15/3": what can be given to the other commands. */
static struct cell holders_cell(const struct walk *walk, const struct region *region)
{
	struct cell held = { .text = NULL };
	const struct holder *holder, *last = NULL;
	char *text;
	size_t i;

	for (i = 0; i < region->holder_count; i++) {
		holder = &region->holders[i];
		if (!last || last->process != holder->process)
			append_process(&held, &walk->processes[holder->process]);
		text = xasprintf("%c%d", last && last->process == holder->process ?
				 ',' : '/', holder->fd);
		append(&held, text, strlen(text));
		last = holder;
	}
	return held.text ? held : cell_of("-");
}

static struct cell mappings_cell(const struct walk *walk, const struct region *region)
{
	struct cell mapped = { .text = NULL };
	size_t i, same;
	char *text;

	for (i = 0; i < region->mapping_count; i += same) {
		for (same = 1; i + same < region->mapping_count; same++)
			if (region->mappings[i + same].process !=
			    region->mappings[i].process)
				break;
		append_process(&mapped, &walk->processes[region->mappings[i].process]);
		if (same > 1) {
			text = xasprintf(" x%zu", same);
			append(&mapped, text, strlen(text));
		}
	}
	return mapped.text ? mapped : cell_of("-");
}

static void region_cells(const struct walk *walk, const struct region *region, bool bytes,
			 struct cell cells[FIELDS])
{
	char mask[4] = "?";

	if (region->mask >= 0)
		mask_text(region->mask, mask);
	cells[SIZE] = size_cell(region, bytes);
	cells[RESIDENT] = number_cell(region->inode == UNKNOWN ? 0 : region->resident);
	cells[PURGEABLE] = number_cell(region->inode == UNKNOWN ? 0 : region->purgeable);
	cells[MASK] = cell_of(mask);
	cells[KIND] = cell_of(kind_text(region->kind));
	if (region->name_len)
		cells[NAME].columns = text_shown(&cells[NAME].text, region->name,
						 region->name_len);
	else
		cells[NAME] = cell_of("-");
	cells[HELD] = holders_cell(walk, region);
	cells[MAPPED] = mappings_cell(walk, region);
}

/* Prints at most @room columns of a text; 0 is no limit. Returns how many. */
static size_t put_columns(const char *text, size_t columns, size_t room)
{
	const char *p = text;
	size_t i;

	if (!room || columns <= room) {
		fputs(text, stdout);
		return columns;
	}
	for (i = 0; i < room; i++)
		do {
			p++;
		} while (((unsigned char)*p & 0xc0) == 0x80);
	fwrite(text, 1, (size_t)(p - text), stdout);
	return room;
}

static void put_row(const struct cell cells[FIELDS], const size_t widths[FIELDS],
		    size_t columns)
{
	size_t at = 0, i, pad;

	for (i = 0; i < FIELDS; i++) {
		pad = widths[i] > cells[i].columns ? widths[i] - cells[i].columns : 0;
		/* Numbers stand at the right. */
		if (i <= PURGEABLE && pad) {
			if (columns && at + pad >= columns)
				break;
			at += (size_t)printf("%*s", (int)pad, "");
			pad = 0;
		}
		if (columns && at >= columns)
			break;
		at += put_columns(cells[i].text, cells[i].columns,
				  columns ? columns - at : 0);
		if (i == FIELDS - 1)
			break;
		pad += 2;
		if (columns && at + pad >= columns)
			break;
		at += (size_t)printf("%*s", (int)pad, "");
	}
	putchar('\n');
}

/**
 * print_table - print regions, a line each, under a heading
 * @walk: the regions
 * @lines: how many at most, the heading not counted; SIZE_MAX: all
 * @columns: where to cut lines off, or 0
 * @bytes: sizes to the byte
 */
void print_table(const struct walk *walk, size_t lines, size_t columns, bool bytes)
{
	size_t count = walk->region_count < lines ? walk->region_count : lines;
	struct cell (*rows)[FIELDS] = xrealloc(NULL, count + 1, sizeof(*rows));
	size_t widths[FIELDS] = { 0 }, i, j;

	for (j = 0; j < FIELDS; j++)
		rows[0][j] = cell_of(headings[j]);
	for (i = 0; i < count; i++)
		region_cells(walk, walk->regions[i], bytes, rows[i + 1]);
	for (i = 0; i <= count; i++)
		for (j = 0; j < FIELDS - 1; j++)
			if (rows[i][j].columns > widths[j])
				widths[j] = rows[i][j].columns;
	for (i = 0; i <= count; i++) {
		put_row(rows[i], widths, columns);
		for (j = 0; j < FIELDS; j++)
			free(rows[i][j].text);
	}
	free(rows);
}

static void json_known(const char *key, uint64_t value)
{
	if (value == UNKNOWN)
		json_null(key);
	else
		json_number(key, value);
}

static void json_process(const struct process *process)
{
	json_number("pid", (uint64_t)process->pid);
	json_number("uid", process->uid);
	json_bytes("command", process->comm, process->comm_len);
}

/* What a descriptor was opened for, by the flags of open(2). */
const char *access_text(uint64_t flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return "r";
	case O_WRONLY:
		return "w";
	default:
		return "rw";
	}
}

static void json_holders(const struct walk *walk, const struct region *region)
{
	const struct holder *holder;
	size_t i;

	json_open("held_by", '[');
	for (i = 0; i < region->holder_count; i++) {
		holder = &region->holders[i];
		json_open(NULL, '{');
		json_process(&walk->processes[holder->process]);
		json_number("tid", (uint64_t)holder->tid);
		json_number("fd", (uint64_t)holder->fd);
		json_text("access", holder->flags == UNKNOWN ? NULL :
			  access_text(holder->flags));
		if (holder->flags == UNKNOWN)
			json_null("close_on_exec");
		else
			json_bool("close_on_exec", holder->flags & O_CLOEXEC);
		json_close('}');
	}
	json_close(']');
}

static void json_mappings(const struct walk *walk, const struct region *region)
{
	const struct mapping *mapping;
	char text[32];
	size_t i;

	json_open("mapped_by", '[');
	for (i = 0; i < region->mapping_count; i++) {
		mapping = &region->mappings[i];
		json_open(NULL, '{');
		json_process(&walk->processes[mapping->process]);
		/* As text: readers of JSON may keep 53 bits of a number. */
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)mapping->start);
		json_text("address", text);
		json_number("length", mapping->end - mapping->start);
		json_number("offset", mapping->offset);
		snprintf(text, sizeof(text), "%.3s", mapping->perms);
		json_text("access", text);
		json_bool("shared", mapping->perms[3] == 's');
		json_close('}');
	}
	json_close(']');
}

void json_region(const char *key, const struct walk *walk, const struct region *region)
{
	char mask[4];

	json_open(key, '{');
	if (region->name_len)
		json_bytes("name", region->name, region->name_len);
	else
		json_null("name");
	json_text("kind", kind_text(region->kind));
	json_known("inode", region->inode);
	json_known("size", region->size);
	json_number("size_at_least", region_bytes(region));
	json_known("resident_pages", region->resident);
	json_known("unpinned_pages", region->unpinned);
	json_known("purgeable_pages", region->purgeable);
	json_known("purged_pages", region->purged);
	if (region->mask >= 0)
		mask_text(region->mask, mask);
	json_text("mask", region->mask >= 0 ? mask : NULL);
	json_holders(walk, region);
	json_mappings(walk, region);
	json_close('}');
}

void print_json(const struct walk *walk)
{
	size_t i;

	json_open(NULL, '{');
	json_bool("device", walk->rdev);
	json_number("refused_processes", walk->refused);
	json_open("regions", '[');
	for (i = 0; i < walk->region_count; i++)
		json_region(NULL, walk, walk->regions[i]);
	json_close(']');
	json_close('}');
	json_end();
}
