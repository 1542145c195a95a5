// SPDX-License-Identifier: GPL-2.0
/*
 * ashmem top: the largest regions, again and again.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "print.h"
#include "screen.h"

/**
 * struct view - what is shown, and how
 * @key: the order
 * @delay: seconds between two looks
 * @count: how many looks are left; 0: no end
 * @batch: one below the other rather than in place
 */
struct view {
	enum sort_key key;
	double delay;
	uint64_t count;
	bool batch;
};

/* A total of the driver's since it was loaded; UNKNOWN if it has none. */
static uint64_t total(const char *name)
{
	char *path = file_path("/sys/class/misc/ashmem/%s", name);
	char *text = file_line(path);
	uint64_t value;

	if (!text || parse_number(text, UNKNOWN - 1, &value))
		value = UNKNOWN;
	free(path);
	free(text);
	return value;
}

static void print_pages(uint64_t pages, const char *what)
{
	char text[32];

	size_text(pages * (uint64_t)sysconf(_SC_PAGESIZE), text, sizeof(text));
	printf(", %s %s", text, what);
}

static void print_total(const char *what, const char *name)
{
	uint64_t value = total(name);

	if (value == UNKNOWN)
		printf("%s ?", what);
	else
		printf("%s %llu", what, (unsigned long long)value);
}

/* Two lines about all regions. */
static void print_summary(const struct walk *walk, const struct view *view)
{
	uint64_t size = 0, resident = 0, purgeable = 0;
	char clock[16] = "", text[32];
	const struct region *region;
	time_t now = time(NULL);
	struct tm tm;
	size_t i;

	for (i = 0; i < walk->region_count; i++) {
		region = walk->regions[i];
		size += region_bytes(region);
		if (region->resident != UNKNOWN)
			resident += region->resident;
		if (region->purgeable != UNKNOWN)
			purgeable += region->purgeable;
	}
	if (localtime_r(&now, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	printf("%s  %zu regions, %s", clock, walk->region_count,
	       size_text(size, text, sizeof(text)));
	print_pages(resident, "resident");
	print_pages(purgeable, "purgeable");
	printf("; by %s", sort_word(view->key));
	if (walk->refused)
		printf("; %lu process%s refused", walk->refused,
		       walk->refused == 1 ? "" : "es");
	putchar('\n');
	if (!walk->rdev) {
		printf("no ashmem device: memfd only\n");
		return;
	}
	print_total("pages purged by pressure", "pressure_purged_pages");
	print_total(", by command", "command_purged_pages");
	print_total("; pins that found it", "purged_pins");
	putchar('\n');
}

#define SUMMARY_LINES	3	/* with the table's heading */

static int look(const struct view *view, bool first)
{
	size_t lines = SIZE_MAX, columns = 0;
	struct walk walk;
	int code = walk_or_say(&walk);

	if (code)
		return code;
	sort_regions(&walk, view->key);
	if (view->batch) {
		if (!first)
			putchar('\n');
	} else {
		screen_size(&lines, &columns);
		/* The last line has no end, or all would move up. */
		lines = lines > SUMMARY_LINES + 2 ? lines - SUMMARY_LINES - 2 : 0;
		fputs("\033[H\033[J", stdout);
	}
	print_summary(&walk, view);
	print_table(&walk, lines, columns, false);
	if (!view->batch)
		fputs("\nq quit   s size   r resident   p purgeable   n name", stdout);
	walk_free(&walk);
	return fflush(stdout) ? EXIT_FAILED : EXIT_OK;
}

static void nap(double seconds)
{
	struct timespec left = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9),
	};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* Waits for the next look. False if that was the last one. */
static bool await_next(struct view *view)
{
	static const struct {
		char key;
		enum sort_key order;
	} orders[] = {
		{ 's', SORT_SIZE }, { 'r', SORT_RESIDENT }, { 'p', SORT_PURGEABLE },
		{ 'n', SORT_NAME },
	};
	size_t i;
	int key;

	if (view->count && !--view->count)
		return false;
	if (view->batch) {
		nap(view->delay);
		return true;
	}
	key = screen_key(view->delay);
	if (key == 'q' || key == 'Q' || key == EOF)
		return false;
	for (i = 0; i < sizeof(orders) / sizeof(*orders); i++)
		if (key == orders[i].key)
			view->key = orders[i].order;
	return true;
}

static int run(const struct command *self, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "batch", no_argument, NULL, 'b' },
		{ "delay", required_argument, NULL, 'd' },
		{ "count", required_argument, NULL, 'n' },
		{ "once", no_argument, NULL, '1' },
		{ "sort", required_argument, NULL, 's' },
		HELP_OPTION,
		{ NULL, 0, NULL, 0 },
	};
	struct view view = { .key = SORT_SIZE, .delay = 2 };
	bool first = true;
	int opt, code;

	while ((opt = command_getopt(self, argc, argv, "1bd:n:s:h", longs)) != -1) {
		switch (opt) {
		case '1':
			view.batch = true;
			view.count = 1;
			break;
		case 'b':
			view.batch = true;
			break;
		case 'd':
			if (parse_seconds(optarg, &view.delay))
				return command_usage(self, "'%s' is no time in seconds", optarg);
			break;
		case 'n':
			if (parse_number(optarg, UINT32_MAX, &view.count) || !view.count)
				return command_usage(self, "'%s' is no count", optarg);
			break;
		case 's':
			if (sort_key_of(optarg, &view.key))
				return command_usage(self, "can't sort by '%s'", optarg);
			break;
		}
	}
	code = command_no_operands(self, argc, argv);
	if (code)
		return code;
	if (!view.batch && !screen_open())
		view.batch = true;
	do {
		code = look(&view, first);
		first = false;
	} while (!code && await_next(&view));
	screen_close();
	return code;
}

const struct command top_command = {
	.name = "top",
	.summary = "the largest regions, live",
	.usage = "[OPTION]...\n"
		 "Show regions again and again, the largest first, until q is pressed. Other\n"
		 "keys: s sorts by size, r by resident and p by purgeable pages, n by name.\n"
		 "Where stdin and stdout aren't a terminal it prints as --batch does.\n\n"
		 "  -1, --once           one look, printed\n"
		 "  -b, --batch          print, rather than fill the screen\n"
		 "  -d, --delay=SECONDS  between two looks (2)\n"
		 "  -n, --count=N        so many looks\n"
		 "  -s, --sort=KEY       size (the default), resident, purgeable, name or pid\n"
		 "  -h, --help           this text\n",
	.run = run,
};
