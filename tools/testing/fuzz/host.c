// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's side of an area: fills it before a guest runs, and reads it afterwards.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

static int bad(const char *what, const char *why)
{
	fprintf(stderr, "ashmem_fuzz: %s: %s\n", what, why);
	return 2;
}

/* All programs of a file; every one must be right. */
static int pack_file(enum area_text to, const char *path)
{
	static char text[sizeof(area->text[0].text)];
	ssize_t got = get_file(path, text, sizeof(text));
	size_t length = (size_t)got, at = 0, next;
	struct program program;
	const char *error;

	if (got <= 0)
		return bad(path, "can't be read, or is empty");
	for (; at < length; at += next) {
		size_t part = program_split(text + at, length - at, &next);

		error = program_parse(&program, text + at, part);
		/* Behind the last separator there may be remarks. */
		if (error && at + next >= length && !strcmp(error, "no operation"))
			break;
		if (error)
			return bad(path, error);
		area_add(to, &program);
	}
	if (area->text[to].used > sizeof(area->text[to].text))
		return bad(path, "too many programs");
	return 0;
}

/* pack AREA SEED SECONDS WORKERS UNTIL_FOUND corpus|replay|soak [FILE...] */
static int pack(int argc, char **argv)
{
	enum area_text to = !strcmp(argv[5], "replay") ? TEXT_REPLAY : TEXT_CORPUS;
	int i, err;

	area_attach(argv[0], true);
	area->seed = strtoull(argv[1], NULL, 0);
	area->seconds = (uint32_t)strtoul(argv[2], NULL, 10);
	area->workers = (uint32_t)strtoul(argv[3], NULL, 10);
	if (!area->workers || area->workers > AREA_WORKERS)
		return bad(argv[3], "not a number of workers");
	area->until_found = argv[4][0] == '1';
	area->soak = !strcmp(argv[5], "soak");
	for (i = 6; i < argc; i++) {
		err = pack_file(to, argv[i]);
		if (err)
			return err;
	}
	return 0;
}

static int write_file(const char *dir, const char *name, const char *text, size_t length)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f || fwrite(text, 1, length, f) != length || fclose(f))
		return bad(path, strerror(errno));
	return 0;
}

static size_t used(enum area_text which)
{
	size_t n = area->text[which].used;

	return n < sizeof(area->text[which].text) ? n : sizeof(area->text[which].text);
}

/* Each program of a text as a separate file, named by what is in it. */
static int unpack_programs(enum area_text which, const char *dir)
{
	const char *text = area->text[which].text;
	size_t left = used(which), next;
	char name[32], out[PROGRAM_TEXT];

	if (mkdir(dir, 0755) && errno != EEXIST)
		return bad(dir, strerror(errno));
	for (; left; text += next, left -= next) {
		struct program program;
		size_t length = program_split(text, left, &next);

		/* The last one may be incomplete if the guest died. */
		if (program_parse(&program, text, length))
			continue;
		snprintf(name, sizeof(name), "%016llx", (unsigned long long)program_hash(&program));
		length = program_print(&program, out, sizeof(out));
		if (write_file(dir, name, out, length))
			return 2;
	}
	return 0;
}

/* The last programs of all workers in turn, oldest first. */
static int unpack_log(const char *dir)
{
	char path[4096], out[PROGRAM_TEXT];
	unsigned int i;
	uint64_t back;
	FILE *f;

	snprintf(path, sizeof(path), "%s/last", dir);
	f = fopen(path, "we");
	if (!f)
		return bad(path, strerror(errno));
	fprintf(f, "# seed %#llx, %llu programs\n", (unsigned long long)area->seed,
		(unsigned long long)area->programs);
	for (back = AREA_LOG; back; back--) {
		for (i = 0; i < area->workers && i < AREA_WORKERS; i++) {
			uint64_t next = area->log[i].next;
			const struct program *program =
				&area->log[i].program[(next - back) % AREA_LOG];

			if (next < back || program->ops > PROGRAM_OPS)
				continue;
			program_print(program, out, sizeof(out));
			fprintf(f, "# worker %u, program %llu of it\n%s--\n", i,
				(unsigned long long)(next - back), out);
		}
	}
	return fclose(f) ? bad(path, strerror(errno)) : 0;
}

/* unpack AREA DIR: fresh/, distilled/, findings, last, pcs, and the figures. */
static int unpack(char **argv)
{
	const char *dir = argv[1];
	char path[4096];
	uint32_t i;
	FILE *f;

	area_attach(argv[0], false);
	snprintf(path, sizeof(path), "%s/fresh", dir);
	if (unpack_programs(TEXT_FRESH, path))
		return 2;
	snprintf(path, sizeof(path), "%s/distilled", dir);
	if (unpack_programs(TEXT_DISTILLED, path))
		return 2;
	if (write_file(dir, "findings", area->text[TEXT_FINDINGS].text, used(TEXT_FINDINGS)))
		return 2;
	if (unpack_log(dir))
		return 2;
	snprintf(path, sizeof(path), "%s/pcs", dir);
	f = fopen(path, "we");
	for (i = 0; f && i < area->pcs && i < ARRAY_SIZE(area->pc); i++)
		fprintf(f, "%#x\n", area->pc[i]);
	if (!f || fclose(f))
		return bad(path, strerror(errno));
	/* For a shell to read. */
	printf("programs=%llu epochs=%llu unstable=%llu ",
	       (unsigned long long)area->programs, (unsigned long long)area->epochs,
	       (unsigned long long)area->unstable);
	printf("edges=%u pcs=%u corpus=%u findings=%u finished=%u elapsed=%u\n", area->edges,
	       area->pcs, area->corpus, area->findings, area->finished, area->elapsed);
	return 0;
}

static void print_ops(void)
{
	static const char *const kinds[] = {
		"", "slot", "own-slot", "map", "page", "pages", "buffer", "name-length",
		"size", "length", "offset", "count", "pin-offset", "pin-len", "prot",
		"map-flags", "advice", "access", "whence", "fallocate-mode", "fcntl-command",
		"ioctl-command", "word", "small",
	};
	unsigned int i, j;

	for (i = 0; i < OP_CODES; i++) {
		printf("%s", op_types[i].name);
		for (j = 0; j < op_args(i); j++)
			printf(" %s", kinds[op_types[i].kind[j]]);
		printf("\n");
	}
}

/* -1 if the arguments are not for the host. */
int host_command(int argc, char **argv)
{
	if (argc >= 8 && !strcmp(argv[1], "pack"))
		return pack(argc - 2, argv + 2);
	if (argc == 4 && !strcmp(argv[1], "unpack"))
		return unpack(argv + 2);
	if (argc == 2 && !strcmp(argv[1], "ops")) {
		print_ops();
		return 0;
	}
	return -1;
}
