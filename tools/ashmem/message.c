// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages and exit: output that cannot be written is a failure.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

/* "ashmem", and "ashmem COMMAND" once that is known. */
const char *said_by = "ashmem";

static void vsay(const char *format, va_list args)
{
	/* Flush stdout first, to keep the order if both go to the same place. */
	fflush(stdout);
	fprintf(stderr, "%s: ", said_by);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsay(format, args);
	va_end(args);
}

int fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsay(format, args);
	va_end(args);
	return EXIT_FAILED;
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsay(format, args);
	va_end(args);
	exit(EXIT_FAILED);
}

/* An array of @count elements of @size bytes; without memory the program ends. */
void *xrealloc(void *old, size_t count, size_t size)
{
	void *new = NULL;

	if (count <= SIZE_MAX / size)
		new = realloc(old, count ? count * size : 1);
	if (!new)
		die("out of memory");
	return new;
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		die("out of memory");
	return text;
}

/* The last thing that a command does: @code, or a failure to write. */
int close_stdout(int code)
{
	bool failed = ferror(stdout);
	int err;

	errno = 0;
	if (fclose(stdout))
		failed = true;
	err = errno;
	if (!failed)
		return code;
	fprintf(stderr, "%s: write error%s%s\n", said_by, err ? ": " : "",
		err ? strerror(err) : "");
	return code == EXIT_OK ? EXIT_FAILED : code;
}
