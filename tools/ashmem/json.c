// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing JSON (RFC 8259). Invalid UTF-8 becomes U+FFFD, with the bytes in hexadecimal
 * in another key: nothing is lost, and the text is valid.
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "json.h"

static unsigned int depth;
static bool first = true;

static void string(const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	uint32_t point;
	size_t n;

	putchar('"');
	for (; len; p += n, len -= n) {
		n = text_utf8(p, len, &point);
		if (!n) {
			fputs("\\ufffd", stdout);
			n = 1;
		} else if (*p == '"' || *p == '\\') {
			printf("\\%c", *p);
		} else if (text_printable(point)) {
			fwrite(p, 1, n, stdout);
		} else if (point > 0xffff) {
			printf("\\u%04x\\u%04x", 0xd800 + (point - 0x10000) / 0x400,
			       0xdc00 + (point - 0x10000) % 0x400);
		} else {
			printf("\\u%04x", point);
		}
	}
	putchar('"');
}

static void begin(const char *key)
{
	if (!first)
		putchar(',');
	if (depth)
		printf("\n%*s", 2 * (int)depth, "");
	first = false;
	if (key) {
		string(key, strlen(key));
		fputs(": ", stdout);
	}
}

void json_open(const char *key, char bracket)
{
	begin(key);
	putchar(bracket);
	depth++;
	first = true;
}

void json_close(char bracket)
{
	depth--;
	if (!first)
		printf("\n%*s", 2 * (int)depth, "");
	putchar(bracket);
	first = false;
}

void json_null(const char *key)
{
	begin(key);
	fputs("null", stdout);
}

void json_bool(const char *key, bool value)
{
	begin(key);
	fputs(value ? "true" : "false", stdout);
}

void json_number(const char *key, uint64_t value)
{
	begin(key);
	printf("%llu", (unsigned long long)value);
}

/* JSON knows no infinity. */
void json_real(const char *key, double value)
{
	if (!isfinite(value)) {
		json_null(key);
		return;
	}
	begin(key);
	printf("%.6g", value);
}

void json_text(const char *key, const char *text)
{
	if (!text) {
		json_null(key);
		return;
	}
	begin(key);
	string(text, strlen(text));
}

/* Any bytes: as a string and, unless they are UTF-8, as KEY_hex, too. */
void json_bytes(const char *key, const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t left, n = 1;
	uint32_t point;
	char hex[64];

	begin(key);
	string(bytes, len);
	for (left = len; left && n; left -= n, p += n)
		n = text_utf8(p, left, &point);
	if (n)
		return;
	snprintf(hex, sizeof(hex), "%s_hex", key);
	begin(hex);
	putchar('"');
	for (p = (const unsigned char *)bytes; len; len--)
		printf("%02x", *p++);
	putchar('"');
}

/* Behind the outermost bracket. */
void json_end(void)
{
	putchar('\n');
	first = true;
}
