// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem fill: write into another process's region.
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ashmem.h"
#include "cmd.h"
#include "fill.h"
#include "peer.h"

#define CHUNK	(256 * 1024)

/**
 * struct pattern - bytes that are written over and over
 * @bytes: NULL if there is none
 * @len: how many
 */
struct pattern {
	char *bytes;
	size_t len;
};

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* "00ff": any whole number of bytes; false if it isn't that. */
static bool pattern_hex(const char *text, struct pattern *pattern)
{
	size_t i, len = strlen(text);
	int high, low;

	if (!len || len % 2)
		return false;
	pattern->bytes = xrealloc(pattern->bytes, len / 2, 1);
	pattern->len = len / 2;
	for (i = 0; i < pattern->len; i++) {
		high = hex_digit(text[2 * i]);
		low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		pattern->bytes[i] = (char)(high << 4 | low);
	}
	return true;
}

static bool pattern_text(const char *text, struct pattern *pattern)
{
	pattern->len = strlen(text);
	pattern->bytes = xrealloc(pattern->bytes, pattern->len, 1);
	memcpy(pattern->bytes, text, pattern->len);
	return pattern->len;
}

static int write_at(struct ashm *region, const char *data, size_t len, uint64_t offset)
{
	int ret = ashm_write(region, data, len, offset);

	return ret ? fail("can't write the region at byte %llu: %s",
			  (unsigned long long)offset, strerror(-ret)) : EXIT_OK;
}

static int fill_pattern(struct ashm *region, uint64_t offset, uint64_t length,
			const struct pattern *pattern)
{
	/* Whole patterns, so that each chunk starts with one. */
	size_t repeats = pattern->len < CHUNK ? CHUNK / pattern->len : 1;
	size_t chunk = repeats * pattern->len, n, i;
	char *data = xrealloc(NULL, repeats, pattern->len);
	int code;

	for (i = 0; i < chunk; i += pattern->len)
		memcpy(data + i, pattern->bytes, pattern->len);
	for (; length; offset += n, length -= n) {
		n = length < chunk ? (size_t)length : chunk;
		code = write_at(region, data, n, offset);
		if (code)
			return code;
	}
	free(data);
	return EXIT_OK;
}

/**
 * fill_from - write what a descriptor gives into a region
 * @region: the region
 * @offset: first byte
 * @length: how many at most
 * @whole: that the input has more is an error
 * @fd: where to read
 *
 * Return: 0, or an exit code after having said what is wrong.
 */
int fill_from(struct ashm *region, uint64_t offset, uint64_t length, bool whole, int fd)
{
	char *data = xrealloc(NULL, CHUNK, 1);
	size_t want;
	ssize_t got;
	int code;

	for (;;) {
		/* Read one byte more than fits, to see whether there is more. */
		want = length < CHUNK ? (size_t)length + (whole ? 1 : 0) : CHUNK;
		if (!want)
			break;
		got = read(fd, data, want);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail("can't read the input: %s", strerror(errno));
		if (!got)
			break;
		want = (uint64_t)got < length ? (size_t)got : (size_t)length;
		code = want ? write_at(region, data, want, offset) : EXIT_OK;
		if (code)
			return code;
		if ((uint64_t)got > length)
			return fail("the input has more than fits; the region is filled to its"
				    " end");
		offset += want;
		length -= want;
	}
	free(data);
	return EXIT_OK;
}

/* Known in advance only for plain files. */
static bool input_too_long(uint64_t length)
{
	off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);
	struct stat st;

	return at >= 0 && !fstat(STDIN_FILENO, &st) && S_ISREG(st.st_mode) &&
	       st.st_size > at && (uint64_t)(st.st_size - at) > length;
}

static int check(const struct peer *peer)
{
	if ((fcntl(peer->own, F_GETFL) & O_ACCMODE) != O_RDWR)
		return fail("descriptor %d of process %d wasn't opened for reading and"
			    " writing", peer->fd, (int)peer->pid);
	if (!peer->info.size)
		return fail("the region has no size yet");
	if (peer->info.mask >= 0 && !(peer->info.mask & PROT_WRITE))
		return fail("the region's mask doesn't allow writing");
	return EXIT_OK;
}

static int fill(struct peer *peer, struct part part, const struct pattern *pattern)
{
	bool whole = part.length == UNKNOWN;
	struct ashm *region;
	int code;

	code = peer_interval(peer, &part);
	if (code)
		return code;
	if (!pattern->bytes && whole && input_too_long(part.length))
		return fail("the input is longer than the %llu bytes from there on; nothing was"
			    " written", (unsigned long long)part.length);
	code = ashm_adopt(peer->own, &region);
	if (code)
		return fail("can't use the region: %s", strerror(-code));
	if (!(ashm_prot(region) & PROT_WRITE))
		return fail("the region's mask doesn't allow writing");
	return pattern->bytes ? fill_pattern(region, part.offset, part.length, pattern) :
	       fill_from(region, part.offset, part.length, whole, STDIN_FILENO);
}

static int run(const struct command *self, int argc, char **argv)
{
	static const struct option longs[] = {
		LENGTH_OPTION,
		OFFSET_OPTION,
		{ "text", required_argument, NULL, 't' },
		{ "hex", required_argument, NULL, 'x' },
		HELP_OPTION,
		{ NULL, 0, NULL, 0 },
	};
	struct part part = PART_ALL;
	struct pattern pattern = { .bytes = NULL };
	struct peer peer;
	int opt, code;

	while ((opt = command_getopt(self, argc, argv, "l:o:t:x:h", longs)) != -1) {
		switch (opt) {
		case 'l':
		case 'o':
			code = part_option(self, opt, &part);
			if (code)
				return code;
			break;
		case 't':
			if (!pattern_text(optarg, &pattern))
				return command_usage(self, "the text is empty");
			break;
		case 'x':
			if (!pattern_hex(optarg, &pattern))
				return command_usage(self, "'%s' isn't bytes in hexadecimal, such"
						     " as 00ff", optarg);
			break;
		}
	}
	code = peer_get(self, argc, argv, check, &peer);
	if (!code)
		code = fill(&peer, part, &pattern);
	return code;
}

const struct command fill_command = {
	.name = "fill",
	.summary = "write stdin or a pattern into a region",
	.usage = "[OPTION]... PID/FD\n"
		 "Write stdin, or a repeated pattern, into a region. If the region was never\n"
		 "mapped, this makes its name and size final.\n"
		 "LENGTH and OFFSET are in bytes, or have a suffix K, M, G or T.\n\n"
		 "  -l, --length=LENGTH  at most this much; without it stdin must fit\n"
		 "  -o, --offset=OFFSET  start there\n"
		 "  -t, --text=TEXT      the pattern as text\n"
		 "  -x, --hex=BYTES      the pattern, two hexadecimal digits a byte\n"
		 "  -h, --help           this text\n",
	.run = run,
};
