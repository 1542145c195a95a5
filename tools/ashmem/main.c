// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem: inspect, create and check regions of anonymous shared memory.
 */

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

static const struct command *const commands[] = {
	&list_command, &show_command, &top_command, &purge_command, &create_command,
	&cat_command, &fill_command, &doctor_command, &bench_command,
};

#define COMMANDS	(sizeof(commands) / sizeof(*commands))

static void help(void)
{
	size_t i;

	printf("usage: ashmem COMMAND [OPTION]... [ARGUMENT]...\n"
	       "       ashmem COMMAND --help\n"
	       "       ashmem --version\n\n"
	       "Inspect, create and check regions of anonymous shared memory (/dev/ashmem).\n\n"
	       "Commands:\n");
	for (i = 0; i < COMMANDS; i++)
		printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
	printf("\nExit codes: 0 done, 1 failed, 2 wrong usage; doctor: 3 warnings, 4 errors.\n"
	       "The manual is ashmem(8).\n");
}

/* Prints the usage of a command. Returns the exit code for wrong usage. */
int command_usage(const struct command *self, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", said_by);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry 'ashmem %s --help'.\n", self->name);
	return EXIT_USAGE;
}

/**
 * command_getopt - getopt_long() that answers --help and wrong options
 * @self: the command
 * @argc: as for getopt_long()
 * @argv: as for getopt_long()
 * @shorts: short options, which needn't name h
 * @longs: long options, with HELP_OPTION
 *
 * Return: as getopt_long() for the command's own options. Of the others the program
 * ends, well if it was asked for help.
 */
int command_getopt(const struct command *self, int argc, char **argv,
		   const char *shorts, const struct option *longs)
{
	int opt = getopt_long(argc, argv, shorts, longs, NULL);

	if (opt == 'h') {
		printf("usage: ashmem %s %s", self->name, self->usage);
		exit(close_stdout(EXIT_OK));
	}
	if (opt == '?') {
		fprintf(stderr, "Try 'ashmem %s --help'.\n", self->name);
		exit(EXIT_USAGE);
	}
	return opt;
}

/* For commands that have no options but --json and --quiet. */
void command_json_quiet(const struct command *self, int argc, char **argv, bool *json,
			bool *quiet)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "quiet", no_argument, NULL, 'q' },
		HELP_OPTION,
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	while ((opt = command_getopt(self, argc, argv, "jqh", longs)) != -1) {
		if (opt == 'j')
			*json = true;
		else
			*quiet = true;
	}
}

/* 0 if nothing follows the options, else the exit code. */
int command_no_operands(const struct command *self, int argc, char **argv)
{
	if (optind < argc)
		return command_usage(self, "too many arguments: '%s'", argv[optind]);
	return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
	char *name = xasprintf("ashmem %s", command->name);

	/* getopt_long() starts its messages with it. */
	argv[0] = name;
	said_by = name;
	return command->run(command, argc, argv);
}

/*
 * An opened file must not become stdin, stdout or stderr. Open for reading only: output
 * to a missing stdout must fail.
 */
static void have_three(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	size_t i;

	have_three();
	if (argc < 2) {
		fprintf(stderr, "ashmem: no command\nTry 'ashmem --help'.\n");
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    (!strcmp(argv[1], "help") && argc == 2)) {
		help();
		return close_stdout(EXIT_OK);
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("ashmem %s\n", ASHMEM_VERSION);
		return close_stdout(EXIT_OK);
	}
	if (!strcmp(argv[1], "--complete") && argc > 2)
		return close_stdout(complete(commands, COMMANDS, argv + 2, argc - 2));
	for (i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i]->name))
			return close_stdout(run(commands[i], argc - 1, argv + 1));
	fprintf(stderr, "ashmem: unknown %s '%s'\nTry 'ashmem --help'.\n",
		argv[1][0] == '-' ? "option" : "command", argv[1]);
	return EXIT_USAGE;
}
