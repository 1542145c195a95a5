// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem cat: a region's contents on stdout.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "peer.h"

#define CHUNK	(256 * 1024)
#define BLOCK	4096

/*
 * Seek over zeroes instead of writing them if a hole reads as zeroes: in a plain file,
 * behind its end.
 */
static bool can_skip(int fd)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	struct stat st;

	return at >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size <= at &&
	       !(fcntl(fd, F_GETFL) & O_APPEND);
}

static int write_all(int fd, const char *data, size_t len)
{
	ssize_t done;

	for (; len; data += done, len -= (size_t)done) {
		done = write(fd, data, len);
		if (done < 0 && errno != EINTR)
			return -1;
		if (done < 0)
			done = 0;
	}
	return 0;
}

static bool all_zero(const char *data, size_t len)
{
	return !*data && !memcmp(data, data + 1, len - 1);
}

/* Writes a chunk, but seeks over its blocks of zeroes. */
static int put(int fd, const char *data, size_t len, bool skip)
{
	size_t n, run;

	if (!skip)
		return write_all(fd, data, len);
	for (n = 0; n < len; n += run) {
		bool zero = all_zero(data + n, len - n < BLOCK ? len - n : BLOCK);

		for (run = 0; n + run < len; run += BLOCK) {
			size_t block = len - n - run < BLOCK ? len - n - run : BLOCK;

			if (all_zero(data + n + run, block) != zero)
				break;
		}
		if (run > len - n)
			run = len - n;
		if (zero ? lseek(fd, (off_t)run, SEEK_CUR) < 0 :
			   write_all(fd, data + n, run) < 0)
			return -1;
	}
	return 0;
}

static int copy_out(const struct peer *peer, uint64_t offset, uint64_t length)
{
	bool skip = can_skip(STDOUT_FILENO);
	char *data = xrealloc(NULL, CHUNK, 1);
	size_t want;
	ssize_t got;

	while (length) {
		want = length < CHUNK ? (size_t)length : CHUNK;
		got = pread(peer->own, data, want, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail("can't read the region: %s", strerror(errno));
		if (!got)
			return fail("the region ended early, at byte %llu",
				    (unsigned long long)offset);
		if (put(STDOUT_FILENO, data, (size_t)got, skip))
			return fail("write error: %s", strerror(errno));
		offset += (uint64_t)got;
		length -= (uint64_t)got;
	}
	/* A hole at the end has no length yet. */
	if (skip && ftruncate(STDOUT_FILENO, lseek(STDOUT_FILENO, 0, SEEK_CUR)))
		return fail("write error: %s", strerror(errno));
	free(data);
	return EXIT_OK;
}

static int check(const struct peer *peer)
{
	if ((fcntl(peer->own, F_GETFL) & O_ACCMODE) == O_WRONLY)
		return fail("descriptor %d of process %d was opened for writing only",
			    peer->fd, (int)peer->pid);
	if (!peer->info.size)
		return fail("the region has no size yet");
	if (peer->info.inode == UNKNOWN)
		return fail("the region was never mapped: it has no contents yet");
	return EXIT_OK;
}

static int run(const struct command *self, int argc, char **argv)
{
	static const struct option longs[] = {
		LENGTH_OPTION,
		OFFSET_OPTION,
		HELP_OPTION,
		{ NULL, 0, NULL, 0 },
	};
	struct part part = PART_ALL;
	struct peer peer;
	int opt, code;

	while ((opt = command_getopt(self, argc, argv, "l:o:h", longs)) != -1) {
		switch (opt) {
		case 'l':
		case 'o':
			code = part_option(self, opt, &part);
			if (code)
				return code;
			break;
		}
	}
	code = peer_get(self, argc, argv, check, &peer);
	if (!code)
		code = peer_interval(&peer, &part);
	if (!code)
		code = copy_out(&peer, part.offset, part.length);
	return code;
}

const struct command cat_command = {
	.name = "cat",
	.summary = "a region's contents on stdout",
	.usage = "[OPTION]... PID/FD\n"
		 "Write a region's contents to stdout. Neither the region nor its file\n"
		 "position changes. In a plain file zeroes are written as holes.\n"
		 "LENGTH and OFFSET are in bytes, or have a suffix K, M, G or T.\n\n"
		 "  -l, --length=LENGTH  only this much\n"
		 "  -o, --offset=OFFSET  start there\n"
		 "  -h, --help           this text\n",
	.run = run,
};
