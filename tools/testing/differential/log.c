// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generator of choices, and the log.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ashmem_diff.h"

static char out[1 << 16];
static size_t used;

/*
 * splitmix64: the same numbers with every libc.
 */
__u64 rnd(__u64 below)
{
	__u64 x = st->random += 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	x ^= x >> 31;
	return below ? x % below : x;
}

bool one_in(unsigned int n)
{
	return rnd(n) == 0;
}

void fail(const char *format, ...)
{
	va_list args;

	log_flush();
	va_start(args, format);
	fputs("ashmem_diff: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	_exit(2);
}

void log_flush(void)
{
	size_t done = 0;

	while (done < used) {
		ssize_t n = write(STDOUT_FILENO, out + done, used - done);

		if (n < 0) {
			perror("ashmem_diff: can't write the log");
			_exit(2);
		}
		done += n;
	}
	used = 0;
}

static void append(const char *format, va_list args)
{
	int n;

	if (sizeof(out) - used < 4096)
		log_flush();
	n = vsnprintf(out + used, sizeof(out) - used, format, args);
	if (n < 0 || (size_t)n >= sizeof(out) - used)
		fail("a line is too long");
	used += n;
}

static void put(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(format, args);
	va_end(args);
}

/*
 * The first call for an operation begins a line, further ones add to it.
 */
static bool in_line;

void op(const char *format, ...)
{
	va_list args;

	if (!in_line)
		put("%lu", ++st->ops);
	in_line = true;
	put(" ");
	va_start(args, format);
	append(format, args);
	va_end(args);
}

/*
 * Adds bytes that a driver or the seed chose, as one word.
 */
void op_text(const char *text, size_t length)
{
	size_t i;

	put(" \"");
	for (i = 0; i < length; i++) {
		unsigned char c = text[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\')
			put("\\%03o", c);
		else
			put("%c", c);
	}
	put("\"");
}

void result(const char *format, ...)
{
	va_list args;

	if (!in_line)
		fail("a result without an operation");
	put(" -> ");
	va_start(args, format);
	append(format, args);
	va_end(args);
	put("\n");
	in_line = false;
}

const char *errno_text(int err)
{
	return strerrorname_np(err) ?: "unknown-errno";
}

/*
 * For calls whose success has no value.
 */
void result_errno(long ret)
{
	result("%s", ret < 0 ? errno_text(errno) : ret ? "not-0" : "ok");
}

void result_number(long ret)
{
	if (ret < 0 && ret >= -1)
		result("%s", errno_text(errno));
	else
		result("%ld", ret);
}

void result_bytes(long ret, const void *data)
{
	if (ret < 0)
		result("%s", errno_text(errno));
	else
		result("%ld:%s", ret, hash_text(hash(data, ret)));
}

/*
 * 0 exactly for zeroes and for nothing at all, but for one chance in 2^64.
 */
__u64 hash(const void *data, size_t length)
{
	const unsigned char *byte = data;
	__u64 sum = 0, word;

	for (; length >= sizeof(word); length -= sizeof(word), byte += sizeof(word)) {
		memcpy(&word, byte, sizeof(word));
		sum = (sum ^ word) * 0x2127599bf4325c37;
		sum ^= sum >> 29;
	}
	for (; length; length--)
		sum = (sum ^ *byte++) * 0x880355f21e6d1965;
	return sum;
}

const char *hash_text(__u64 sum)
{
	static char text[4][20];
	static unsigned int next;
	char *buf = text[next++ % 4];

	if (!sum)
		return "zero";
	snprintf(buf, sizeof(text[0]), "%08x", (unsigned int)(sum >> 32 ^ sum));
	return buf;
}

const char *prot_text(int prot)
{
	static char text[4][4];
	static unsigned int next;
	char *buf = text[next++ % 4];

	buf[0] = prot & PROT_READ ? 'r' : '-';
	buf[1] = prot & PROT_WRITE ? 'w' : '-';
	buf[2] = prot & PROT_EXEC ? 'x' : '-';
	return buf;
}
