// SPDX-License-Identifier: GPL-2.0-only
/*
 * Untrusted text. Names of regions and programs can be any bytes: they must not control
 * the terminal or fake other output.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cmd.h"

/* The terminal's character set, from the environment as setlocale() reads it. */
bool text_terminal_is_utf8(void)
{
	static const char * const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *value, *set;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		value = getenv(names[i]);
		if (!value || !*value)
			continue;
		set = strchr(value, '.');
		return set && (!strncasecmp(set, ".utf-8", 6) ||
			       !strncasecmp(set, ".utf8", 5));
	}
	return false;
}

/**
 * text_utf8 - decode one character of UTF-8
 * @p: bytes
 * @len: how many, at least one
 * @point: the character
 *
 * Overlong forms, surrogates and what lies beyond Unicode are no characters.
 *
 * Return: how many bytes it has; 0 if there is no character at @p.
 */
size_t text_utf8(const unsigned char *p, size_t len, uint32_t *point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t need, i;

	if (p[0] < 0x80) {
		*point = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		need = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		need = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		need = 4;
	else
		return 0;
	if (len < need)
		return 0;
	*point = p[0] & (0xff >> (need + 1));
	for (i = 1; i < need; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (p[i] & 0x3f);
	}
	if (*point < least[need] || *point > 0x10ffff ||
	    (*point >= 0xd800 && *point <= 0xdfff))
		return 0;
	return need;
}

/* Neither a control character nor one that changes how others look. */
bool text_printable(uint32_t point)
{
	static const struct {
		uint32_t first, last;
	} unsafe[] = {
		{ 0, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x61c, 0x61c },
		{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
		{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
	};
	size_t i;

	for (i = 0; i < sizeof(unsafe) / sizeof(*unsafe); i++)
		if (point >= unsafe[i].first && point <= unsafe[i].last)
			return false;
	return true;
}

/**
 * text_shown - make bytes fit for a terminal
 * @shown: the text, allocated: everything that isn't printable is \ooo, and a
 *	backslash is two, so that the bytes can be told from it
 * @bytes: what to show
 * @len: how many
 *
 * Return: columns that the text takes, a character counted as one.
 */
size_t text_shown(char **shown, const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	bool utf8 = text_terminal_is_utf8();
	char *to = xrealloc(NULL, 4 * len + 1, 1);
	size_t columns = 0, n;
	uint32_t point;

	*shown = to;
	while (len) {
		n = text_utf8(p, len, &point);
		if (n == 1 && *p == '\\') {
			*to++ = '\\';
			*to++ = '\\';
			columns += 2;
		} else if (n && text_printable(point) && (n == 1 || utf8)) {
			memcpy(to, p, n);
			to += n;
			columns++;
		} else {
			/* The other bytes of an unprintable character follow one by one. */
			n = 1;
			to += sprintf(to, "\\%03o", *p);
			columns += 4;
		}
		p += n;
		len -= n;
	}
	*to = '\0';
	return columns;
}
