// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading small files of /proc, /sys and /etc.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

/* The root of all paths; tests set it to their own tree. */
const char *file_root = "";

/* A path below file_root, allocated. */
char *file_path(const char *format, ...)
{
	char *path = NULL, *full;
	va_list args;

	va_start(args, format);
	if (vasprintf(&path, format, args) < 0)
		path = NULL;
	va_end(args);
	if (!path)
		die("out of memory");
	full = xasprintf("%s%s", file_root, path);
	free(path);
	return full;
}

/**
 * file_read - read all of a file
 * @path: as file_path() made it
 * @len: bytes that were read, or NULL
 *
 * Return: the contents with a NUL behind them, allocated; NULL and errno if it
 * can't be opened or read. Files of a process that is gone end with ESRCH.
 */
char *file_read(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t used = 0, room = 0;
	char *text = NULL;
	ssize_t got;
	int err;

	if (fd < 0)
		return NULL;
	do {
		if (room - used < 2048) {
			room = room ? 2 * room : 4096;
			text = xrealloc(text, room, 1);
		}
		got = read(fd, text + used, room - used - 1);
		if (got > 0)
			used += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	err = errno;
	close(fd);
	if (got < 0) {
		free(text);
		errno = err;
		return NULL;
	}
	text[used] = '\0';
	if (len)
		*len = used;
	return text;
}

/* The first line of a file, allocated, without its end; NULL if there is none. */
char *file_line(const char *path)
{
	char *text = file_read(path, NULL);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}
