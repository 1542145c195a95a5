// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers on the command line and in the output.
 */

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cmd.h"

/* Digits, or 0x and hexadecimal ones; no sign, no blanks. Moves *@text on. */
static int parse_digits(const char **text, uint64_t *value)
{
	bool hex = (*text)[0] == '0' && ((*text)[1] | 0x20) == 'x';
	const char *digits = hex ? *text + 2 : *text;
	char *end;

	if (!(hex ? isxdigit((unsigned char)*digits) : isdigit((unsigned char)*digits)))
		return -EINVAL;
	errno = 0;
	*value = strtoull(digits, &end, hex ? 16 : 10);
	if (errno)
		return -ERANGE;
	*text = end;
	return 0;
}

/**
 * parse_number - a whole number
 * @text: all of it is the number
 * @most: the largest that will do
 * @value: where to
 *
 * Return: 0; -EINVAL if it isn't one, -ERANGE.
 */
int parse_number(const char *text, uint64_t most, uint64_t *value)
{
	int err = parse_digits(&text, value);

	if (err)
		return err;
	if (*text)
		return -EINVAL;
	return *value > most ? -ERANGE : 0;
}

/**
 * parse_size - a number of bytes, with K, M, G or T for powers of 1024
 * @text: all of it; "64K", "64KiB" and "64kB" mean the same
 * @value: where to
 *
 * Return: 0; -EINVAL if it isn't one, -ERANGE.
 */
int parse_size(const char *text, uint64_t *value)
{
	static const char units[] = "kmgt";
	const char *unit;
	unsigned int shift = 0;
	int err = parse_digits(&text, value);

	if (err)
		return err;
	if (*text) {
		unit = strchr(units, tolower((unsigned char)*text));
		if (!unit)
			return -EINVAL;
		text++;
		shift = 10 * (unsigned int)(unit - units + 1);
		if (strcmp(text, "") && strcmp(text, "B") && strcmp(text, "iB"))
			return -EINVAL;
	}
	if (*value > UINT64_MAX >> shift)
		return -ERANGE;
	*value <<= shift;
	return 0;
}

/* More than 0, at most a day; 0 or -EINVAL. */
int parse_seconds(const char *text, double *value)
{
	char *end;

	if (!isdigit((unsigned char)*text) && *text != '.')
		return -EINVAL;
	*value = strtod(text, &end);
	if (*end || !isfinite(*value) || *value <= 0 || *value > 86400)
		return -EINVAL;
	return 0;
}

/* Any of r, w and x, once each and "-" for none: "rw", "r-x", "-"; 0 or -EINVAL. */
int parse_mask(const char *text, int *mask)
{
	static const char letters[] = "rwx";
	static const int bits[] = { PROT_READ, PROT_WRITE, PROT_EXEC };
	const char *at;

	if (!*text)
		return -EINVAL;
	for (*mask = 0; *text; text++) {
		if (*text == '-')
			continue;
		at = strchr(letters, *text);
		if (!at || *mask & bits[at - letters])
			return -EINVAL;
		*mask |= bits[at - letters];
	}
	return 0;
}

void mask_text(int mask, char text[4])
{
	text[0] = mask & PROT_READ ? 'r' : '-';
	text[1] = mask & PROT_WRITE ? 'w' : '-';
	text[2] = mask & PROT_EXEC ? 'x' : '-';
	text[3] = '\0';
}

/* Three digits and a unit, rounded up as ls and du do. */
char *size_text(uint64_t bytes, char *buffer, size_t room)
{
	static const char units[] = "KMGTPE";
	unsigned int unit = 0;
	double value = (double)bytes;

	if (bytes < 1024) {
		snprintf(buffer, room, "%u", (unsigned int)bytes);
		return buffer;
	}
	for (value /= 1024; ceil(value) >= 1024 && units[unit + 1]; unit++)
		value /= 1024;
	if (ceil(value * 10) < 100)
		snprintf(buffer, room, "%.1f%c", ceil(value * 10) / 10, units[unit]);
	else
		snprintf(buffer, room, "%.0f%c", ceil(value), units[unit]);
	return buffer;
}
