// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem top: the largest regions, refreshed every few seconds.
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
 * @skip: regions above the first one on the screen
 * @page: how many the screen has room for
 * @regions: how many there were
 * @help: the keys are explained instead
 */
struct view {
	enum sort_key key;
	double delay;
	uint64_t count;
	bool batch;
	size_t skip, page, regions;
	bool help;
};

/* A counter of the driver since it was loaded; UNKNOWN if it has none. */
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
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct sums sums = sum_regions(walk);
	char clock[16] = "", text[3][32];
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	printf("%s  %zu regions, %s, %s resident, %s purgeable; by %s", clock,
	       walk->region_count, size_text(sums.bytes, text[0], sizeof(text[0])),
	       size_text(sums.resident * page, text[1], sizeof(text[1])),
	       size_text(sums.purgeable * page, text[2], sizeof(text[2])),
	       sort_word(view->key));
	if (walk->refused)
		printf("; %lu process%s refused", walk->refused,
		       walk->refused == 1 ? "" : "es");
	putchar('\n');
	if (!walk->devices.rdev) {
		printf("no ashmem device: memfd only\n");
		return;
	}
	print_total("pages purged by pressure", "pressure_purged_pages");
	print_total(", by command", "command_purged_pages");
	print_total("; pins that found it", "purged_pins");
	putchar('\n');
}

static const char help_text[] =
	"PID and COMMAND are those of the first process that holds or maps a region,\n"
	"+N are others; 'ashmem show' and 'ashmem list' name them.\n\n"
	"  q                       quit\n"
	"  s, r, p, n              sort by size, resident, purgeable, name\n"
	"  down, up or j, k        a line on, back\n"
	"  page down, page up      a page on, back\n"
	"  home, end               the first, the last region\n"
	"  ?                       this text; any key leaves it\n";

#define SUMMARY_LINES	3	/* with the table's heading */

static void print_view(const struct walk *walk, struct view *view)
{
	struct table table = { .live = true, .lines = SIZE_MAX };

	if (!view->batch) {
		screen_size(&view->page, &table.columns);
		/* No newline after the last line, or the screen would scroll. */
		view->page = view->page > SUMMARY_LINES + 2 ?
			view->page - SUMMARY_LINES - 2 : 0;
		view->regions = walk->region_count;
		if (view->skip + view->page > view->regions)
			view->skip = view->regions > view->page ?
				view->regions - view->page : 0;
		table.skip = view->skip;
		table.lines = view->page;
		fputs("\033[H\033[J", stdout);
	}
	print_summary(walk, view);
	if (view->help)
		fputs(help_text, stdout);
	else
		print_table(walk, &table);
	if (!view->batch)
		fputs("\nq quit   ? help", stdout);
	if (!view->batch && !view->help && view->regions > view->page)
		printf("   %zu to %zu of %zu", view->skip + 1, view->skip + view->page,
		       view->regions);
}

static int look(struct view *view, bool first)
{
	struct walk walk;
	int code = walk_or_say(&walk);

	if (code)
		return code;
	sort_regions(&walk, view->key);
	if (view->batch && !first)
		putchar('\n');
	print_view(&walk, view);
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

/* Moves the screen by a number of regions; print_view() keeps it among them. */
static void scroll(struct view *view, size_t back, size_t on)
{
	view->skip = view->skip > back ? view->skip - back : 0;
	view->skip += on;
}

static void take_key(struct view *view, int key)
{
	static const struct {
		char key;
		enum sort_key order;
	} orders[] = {
		{ 's', SORT_SIZE }, { 'r', SORT_RESIDENT }, { 'p', SORT_PURGEABLE },
		{ 'n', SORT_NAME },
	};
	size_t i;

	if (view->help || key == '?') {
		view->help = !view->help;
		return;
	}
	for (i = 0; i < sizeof(orders) / sizeof(*orders); i++)
		if (key == orders[i].key)
			view->key = orders[i].order;
	if (key == KEY_UP || key == 'k')
		scroll(view, 1, 0);
	else if (key == KEY_DOWN || key == 'j')
		scroll(view, 0, 1);
	else if (key == KEY_PAGE_UP)
		scroll(view, view->page, 0);
	else if (key == KEY_PAGE_DOWN || key == ' ')
		scroll(view, 0, view->page);
	else if (key == KEY_HOME)
		scroll(view, view->skip, 0);
	else if (key == KEY_END)
		scroll(view, 0, view->regions);
}

/* Waits for the next refresh. False if that was the last one. */
static bool await_next(struct view *view)
{
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
	if (key)
		take_key(view, key);
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
		 "Show the largest regions until q is pressed: holders, size, resident and\n"
		 "purgeable memory. ? explains the keys.\n"
		 "If stdin or stdout isn't a terminal, it prints like --batch.\n\n"
		 "  -1, --once           print once\n"
		 "  -b, --batch          print instead of filling the screen\n"
		 "  -d, --delay=SECONDS  time between two refreshes (2)\n"
		 "  -n, --count=N        number of refreshes\n"
		 "  -s, --sort=KEY       size (the default), resident, purgeable, name or pid\n"
		 "  -h, --help           this text\n",
	.run = run,
};
