/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs: short sequences of operations on /dev/ashmem, as a structure and as
 * text.
 *
 * The text has a line per operation: its name, its arguments as numbers, and
 * then, if it is so, "fail=N" (the N-th allocation or copy that the system call
 * makes is to fail) and "compat" (by the 32-bit entry of the kernel). Lines that
 * are empty or begin with # don't count. "--" on its own line separates
 * programs where several are in one file.
 */

#ifndef FUZZ_PROGRAM_H
#define FUZZ_PROGRAM_H

#include "ashmem_util.h"

#define PROGRAM_OPS	24
#define OP_ARGS		6
#define FAIL_MAX	64
#define PROGRAM_TEXT	4096	/* more than any program's text takes */

/* What an argument means; generate.c has the values that are tried. */
enum kind {
	NO_ARG,
	SLOT,		/* a descriptor: of this worker, or shared with the others */
	OWN,		/* a descriptor of this worker */
	MAP,		/* a mapping */
	PAGE,		/* page of a mapping */
	PAGES,		/* number of pages */
	BUF,		/* enum buffer */
	NAME_LEN,
	SIZE,		/* of a region, any */
	LENGTH,		/* of a mapping */
	OFFSET,		/* in a file, signed */
	COUNT,		/* bytes to read */
	PIN_OFFSET,
	PIN_LEN,
	PROT,
	MAP_FLAGS,	/* as mmap() takes them */
	ADVICE,		/* as madvise() takes it */
	ACCESS,		/* as open() takes it */
	WHENCE,
	FALLOCATE,	/* mode */
	FCNTL,		/* command */
	COMMAND,	/* of an ioctl */
	WORD,		/* anything */
	SMALL,		/* 0 to 7 */
};

enum op_code {
#define OP(name, weight, ...) OP_##name,
#include "ops.h"
#undef OP
	OP_CODES
};

struct op_type {
	const char *name;
	unsigned int weight;
	enum kind kind[OP_ARGS + 1];
};

extern const struct op_type op_types[OP_CODES];

struct op {
	uint8_t code;
	uint8_t compat;
	uint16_t fail;		/* 0: nothing is to fail */
	uint64_t arg[OP_ARGS];
};

struct program {
	uint32_t ops;
	struct op op[PROGRAM_OPS];
};

unsigned int op_args(enum op_code code);
size_t program_print(const struct program *program, char *text, size_t room);
const char *program_parse(struct program *program, const char *text, size_t length);
bool program_same(const struct program *a, const struct program *b);
uint64_t program_hash(const struct program *program);

/* The first program of a text with several: its length, and where the next is. */
size_t program_split(const char *text, size_t length, size_t *next);

/* generate.c */
void program_generate(struct program *program, struct rng *rng);
void program_drop(struct program *program, unsigned int at);
void program_mutate(struct program *program, const struct program *other, struct rng *rng);

#endif
