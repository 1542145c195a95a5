/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ashmem: what its commands share.
 *
 * There is one thread, and the process runs one command. So memory is freed only where
 * something repeats (top).
 */

#ifndef _ASHMEM_CMD_H
#define _ASHMEM_CMD_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>

/* Exit codes. The man page has them, too. */
enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,	/* it couldn't be done; stderr says why */
	EXIT_USAGE = 2,		/* the command line makes no sense */
	EXIT_WARN = 3,		/* doctor: something is worth a look */
	EXIT_BAD = 4,		/* doctor: something doesn't work */
};

/**
 * struct command - one word behind "ashmem"
 * @name: the word
 * @summary: what it does, in a line
 * @usage: its --help, from the arguments on
 * @run: does it; argv[0] is "ashmem NAME"; returns an exit code
 */
struct command {
	const char *name;
	const char *summary;
	const char *usage;
	int (*run)(const struct command *self, int argc, char **argv);
};

extern const struct command list_command, show_command, top_command, purge_command,
	create_command, cat_command, fill_command, doctor_command, bench_command;

/* main.c */
int command_getopt(const struct command *self, int argc, char **argv,
		   const char *shorts, const struct option *longs);
void command_json_quiet(const struct command *self, int argc, char **argv, bool *json,
			bool *quiet);
int command_usage(const struct command *self, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int command_no_operands(const struct command *self, int argc, char **argv);

/* complete.c */
int complete(const struct command *const *commands, size_t count, char **words, int n);

#define HELP_OPTION	{ "help", no_argument, NULL, 'h' }

/* message.c */
extern const char *said_by;
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *xrealloc(void *old, size_t count, size_t size);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int close_stdout(int code);

/* number.c */
int parse_number(const char *text, uint64_t most, uint64_t *value);
int parse_size(const char *text, uint64_t *value);
int parse_seconds(const char *text, double *value);
int parse_mask(const char *text, int *mask);
void mask_text(int mask, char text[4]);
char *size_text(uint64_t bytes, char *buffer, size_t room);

/* file.c: what /proc and its like are read with */
extern const char *file_root;
char *file_path(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *file_read(const char *path, size_t *len);
char *file_line(const char *path);

/* text.c */
bool text_terminal_is_utf8(void);
size_t text_utf8(const unsigned char *p, size_t len, uint32_t *point);
bool text_printable(uint32_t point);
size_t text_shown(char **shown, const char *bytes, size_t len);

#endif /* _ASHMEM_CMD_H */
