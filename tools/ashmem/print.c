// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of regions, and the same as JSON.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "json.h"
#include "print.h"

enum field {
	PID, COMMAND, SIZE, RESIDENT, PURGEABLE, MASK, KIND, NAME, HELD, MAPPED, FIELDS
};

static const char *const headings[FIELDS] = {
	"PID", "COMMAND", "SIZE", "RESIDENT", "PURGEABLE", "MASK", "KIND", "NAME", "HELD BY",
	"MAPPED BY",
};

#define MAX_COLUMNS	8

/* The fields of a line; the last one has no fixed width. */
static const enum field listed[] = {
	SIZE, RESIDENT, PURGEABLE, MASK, KIND, NAME, HELD, MAPPED
};

/* In 80 columns, for names of any length. */
static const enum field live[] = {
	PID, COMMAND, SIZE, RESIDENT, PURGEABLE, MASK, KIND, NAME
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

static struct cell amount_cell(const char *before, uint64_t bytes, enum unit unit)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	char text[32];

	if (unit == UNIT_HUMAN)
		size_text(bytes, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "%llu", (unsigned long long)
			 (unit == UNIT_BYTES ? bytes : bytes / page + !!(bytes % page)));
	return cell(xasprintf("%s%s", before, text));
}

static struct cell pages_cell(const struct region *region, uint64_t pages, enum unit unit)
{
	/* A region that was never mapped has no number. */
	if (region->inode == UNKNOWN)
		pages = 0;
	return pages == UNKNOWN ? cell_of("?") :
	       amount_cell("", pages * (uint64_t)sysconf(_SC_PAGESIZE), unit);
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

/* "cmd 12/3,4, other 15/3": arguments for the other commands. */
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

/* How many processes have a region, of which @first is the first. */
static size_t count_processes(const struct region *region, size_t *first)
{
	size_t last = SIZE_MAX, count = 0, i, process;

	/* The descriptors of a process are adjacent, and so are its mappings. */
	for (i = 0; i < region->holder_count; i++) {
		process = region->holders[i].process;
		if (process != last && !count++)
			*first = process;
		last = process;
	}
	for (i = 0; !region->holder_count && i < region->mapping_count; i++) {
		process = region->mappings[i].process;
		if (process != last && !count++)
			*first = process;
		last = process;
	}
	return count;
}

/* "cmd", and how many more there are. */
static void process_cells(const struct walk *walk, const struct region *region,
			  struct cell *pid, struct cell *command)
{
	size_t first = 0, count = count_processes(region, &first);
	const struct process *process;
	char *text;

	if (!count) {
		*pid = cell_of("-");
		*command = cell_of("-");
		return;
	}
	process = &walk->processes[first];
	*pid = cell(xasprintf("%d", (int)process->pid));
	command->columns = text_shown(&command->text, process->comm, process->comm_len);
	if (count > 1) {
		text = xasprintf(" +%zu", count - 1);
		append(command, text, strlen(text));
	}
}

static void region_cells(const struct walk *walk, const struct region *region,
			 enum unit unit, struct cell cells[FIELDS])
{
	char mask[4] = "?";

	if (region->mask >= 0)
		mask_text(region->mask, mask);
	process_cells(walk, region, &cells[PID], &cells[COMMAND]);
	cells[SIZE] = amount_cell(region->size == UNKNOWN ? ">=" : "", region_bytes(region),
				  unit);
	cells[RESIDENT] = pages_cell(region, region->resident, unit);
	cells[PURGEABLE] = pages_cell(region, region->purgeable, unit);
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

static bool at_the_right(enum field field)
{
	return field == PID || field == SIZE || field == RESIDENT || field == PURGEABLE;
}

static void put_row(const enum field *fields, const struct cell cells[FIELDS],
		    const size_t widths[FIELDS], size_t columns)
{
	size_t at = 0, last = 0, i, pad;

	for (i = 0; i < MAX_COLUMNS; i++)
		if (cells[fields[i]].columns)
			last = i;
	for (i = 0; i <= last; i++) {
		const struct cell *cell = &cells[fields[i]];

		pad = widths[fields[i]] > cell->columns ?
			widths[fields[i]] - cell->columns : 0;
		if (at_the_right(fields[i]) && pad) {
			if (columns && at + pad >= columns)
				break;
			at += (size_t)printf("%*s", (int)pad, "");
			pad = 0;
		}
		if (columns && at >= columns)
			break;
		at += put_columns(cell->text, cell->columns, columns ? columns - at : 0);
		if (i == last)
			break;
		pad += 2;
		if (columns && at + pad >= columns)
			break;
		at += (size_t)printf("%*s", (int)pad, "");
	}
	putchar('\n');
}

/* The last line: how many regions, and their sums. */
static void sum_cells(const struct walk *walk, enum unit unit, struct cell cells[FIELDS])
{
	struct sums sums = sum_regions(walk);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	size_t i;

	for (i = 0; i < FIELDS; i++)
		cells[i] = cell_of("");
	cells[SIZE] = amount_cell("", sums.bytes, unit);
	cells[RESIDENT] = amount_cell("", sums.resident * page, unit);
	cells[PURGEABLE] = amount_cell("", sums.purgeable * page, unit);
	cells[MASK] = cell(xasprintf("%zu region%s in all", walk->region_count,
				     walk->region_count == 1 ? "" : "s"));
}

/**
 * print_table - print regions, a line each, under a heading
 * @walk: the regions
 * @table: which, and how
 */
void print_table(const struct walk *walk, const struct table *table)
{
	size_t left = walk->region_count > table->skip ?
		walk->region_count - table->skip : 0;
	size_t count = left < table->lines ? left : table->lines, i, j;
	bool sum = table->sum && count;
	struct cell (*rows)[FIELDS] = xrealloc(NULL, count + 2, sizeof(*rows));
	size_t widths[FIELDS] = { 0 };

	for (j = 0; j < FIELDS; j++)
		rows[0][j] = cell_of(headings[j]);
	for (i = 0; i < count; i++)
		region_cells(walk, walk->regions[table->skip + i], table->unit, rows[i + 1]);
	if (sum)
		sum_cells(walk, table->unit, rows[count + 1]);
	for (i = 0; i <= count + sum; i++)
		for (j = 0; j < FIELDS; j++)
			/* The last line extends over all columns. */
			if (rows[i][j].columns > widths[j] && (i <= count || j < MASK))
				widths[j] = rows[i][j].columns;
	widths[NAME] = table->live ? 0 : widths[NAME];
	widths[MAPPED] = 0;
	for (i = 0; i <= count + sum; i++) {
		put_row(table->live ? live : listed, rows[i], widths, table->columns);
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

/* The access mode of a descriptor, from its open(2) flags. */
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
	json_bool("device", walk->devices.rdev);
	json_number("refused_processes", walk->refused);
	json_open("regions", '[');
	for (i = 0; i < walk->region_count; i++)
		json_region(NULL, walk, walk->regions[i]);
	json_close(']');
	json_close('}');
	json_end();
}
