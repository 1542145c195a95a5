// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random programs: new ones, and variations of others.
 */

#include <fcntl.h>
#include <linux/ashmem.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "program.h"

#define PICK(rng, array) ((array)[rng_below(rng, ARRAY_SIZE(array))])
#define P		4096ULL

static bool one_in(struct rng *rng, uint32_t n)
{
	return !rng_below(rng, n);
}

static uint64_t any_word(struct rng *rng)
{
	uint64_t word = (uint64_t)rng_next(rng) << 32 | rng_next(rng);

	return word >> rng_below(rng, 64);
}

static uint64_t some_pages(struct rng *rng)
{
	return 1 + rng_below(rng, one_in(rng, 8) ? 1024 : one_in(rng, 3) ? 64 : 8);
}

/* Where sums and roundings overflow, on 32 and on 64 bits. */
static uint64_t edge(struct rng *rng)
{
	static const uint64_t edges[] = {
		0, 1, P - 1, P + 1, 512 * P, 512 * P + P, 1ULL << 31, (1ULL << 32) - P,
		(1ULL << 32) - 1, 1ULL << 32, (1ULL << 32) + P, 1ULL << 40,
		(1ULL << 63) - P, (1ULL << 63) - 1, 1ULL << 63, ~0ULL - P, ~0ULL - P + 1,
		~0ULL,
	};

	return PICK(rng, edges);
}

static uint64_t map_flags(struct rng *rng)
{
	static const uint64_t extra[] = {
		MAP_FIXED, MAP_FIXED, MAP_NORESERVE, MAP_POPULATE, MAP_LOCKED,
		MAP_GROWSDOWN, MAP_32BIT, MAP_HUGETLB, MAP_SYNC, MAP_NONBLOCK,
		MAP_FIXED_NOREPLACE, MAP_ANONYMOUS,
	};
	uint64_t flags = one_in(rng, 3) ? MAP_PRIVATE :
			 one_in(rng, 12) ? MAP_SHARED_VALIDATE :
			 one_in(rng, 30) ? 0 : MAP_SHARED;

	while (one_in(rng, 3))
		flags |= PICK(rng, extra);
	return flags;
}

static uint64_t argument(enum kind kind, struct rng *rng)
{
	static const uint64_t advice[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED,
		MADV_FREE, MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_MERGEABLE, MADV_WIPEONFORK,
		MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
		24 /* DONTNEED_LOCKED */, 25 /* COLLAPSE */, 99,
	};
	static const uint64_t access[] = {
		O_RDWR, O_RDWR, O_RDWR, O_RDONLY, O_WRONLY, O_RDWR | O_APPEND,
		O_RDWR | O_NONBLOCK, O_RDWR | O_DIRECT, O_PATH, O_RDWR | O_TRUNC,
	};
	static const uint64_t commands[] = {
		ASHMEM_SET_NAME, ASHMEM_GET_NAME, ASHMEM_SET_SIZE, ASHMEM_GET_SIZE,
		ASHMEM_PIN, ASHMEM_UNPIN, ASHMEM_GET_PIN_STATUS, ASHMEM_GET_FILE_ID,
		0x40047703, 0x40047705, 0x8004770b, 0x770b, 0x770c, 0x7700,
		0x5421 /* FIONBIO */, 0x5452 /* FIOASYNC */, 0x541b /* FIONREAD */,
		0x5450 /* FIONCLEX */,
	};
	static const uint64_t fcntls[] = {
		F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_SETLK, F_GETLK, F_SETOWN, F_SETSIG,
		F_SETLEASE, F_NOTIFY, F_ADD_SEALS, F_GET_SEALS, F_SET_RW_HINT, F_OFD_SETLK,
	};
	static const uint64_t modes[] = {
		0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_ZERO_RANGE, FALLOC_FL_COLLAPSE_RANGE,
	};

	switch (kind) {
	case NO_ARG:
		return 0;
	case SLOT:
		/* Mostly the first few, so that operations collide. */
		return rng_below(rng, one_in(rng, 3) ? 8 : 2);
	case OWN:
	case MAP:
		return rng_below(rng, one_in(rng, 3) ? 6 : 2);
	case PAGE:
		return one_in(rng, 2) ? 0 : some_pages(rng) - 1;
	case PAGES:
		return some_pages(rng);
	case BUF:
		return one_in(rng, 5) ? rng_below(rng, 8) : 0;
	case NAME_LEN:
		return one_in(rng, 3) ? 250 + rng_below(rng, 10) : rng_below(rng, 40);
	case SIZE:
		return one_in(rng, 5) ? edge(rng) :
		       some_pages(rng) * P - (one_in(rng, 4) ? rng_below(rng, P) : 0);
	case LENGTH:
		return one_in(rng, 16) ? edge(rng) :
		       some_pages(rng) * P - (one_in(rng, 8) ? rng_below(rng, P) : 0);
	case OFFSET:
		return one_in(rng, 2) ? 0 : one_in(rng, 8) ? edge(rng) :
		       one_in(rng, 4) ? rng_below(rng, 1 << 20) : some_pages(rng) * P;
	case COUNT:
		return one_in(rng, 16) ? edge(rng) : rng_below(rng, 3 * P);
	case PIN_OFFSET:
		return one_in(rng, 10) ? edge(rng) : (some_pages(rng) - 1) * P;
	case PIN_LEN:
		return one_in(rng, 4) ? 0 : one_in(rng, 10) ? edge(rng) : some_pages(rng) * P;
	case PROT:
		return one_in(rng, 16) ? any_word(rng) : one_in(rng, 3) ? rng_below(rng, 8) :
		       PROT_READ | PROT_WRITE;
	case MAP_FLAGS:
		return map_flags(rng);
	case ADVICE:
		return PICK(rng, advice);
	case ACCESS:
		return one_in(rng, 3) ? PICK(rng, access) : O_RDWR;
	case WHENCE:
		return rng_below(rng, 6);
	case FALLOCATE:
		return PICK(rng, modes);
	case FCNTL:
		return PICK(rng, fcntls);
	case COMMAND:
		return one_in(rng, 4) ? 0x7700 | any_word(rng) : PICK(rng, commands);
	case WORD:
		return one_in(rng, 2) ? any_word(rng) : edge(rng);
	case SMALL:
		return rng_below(rng, 8);
	}
	return 0;
}

static void generate_op(struct op *op, struct rng *rng)
{
	uint32_t total = 0, at;
	unsigned int code, i;

	for (code = 0; code < OP_CODES; code++)
		total += op_types[code].weight;
	at = rng_below(rng, total);
	for (code = 0; at >= op_types[code].weight; code++)
		at -= op_types[code].weight;

	memset(op, 0, sizeof(*op));
	op->code = (uint8_t)code;
	for (i = 0; i < op_args(code); i++)
		op->arg[i] = argument(op_types[code].kind[i], rng);
	if (one_in(rng, 12))
		op->compat = 1;
	if (one_in(rng, 16))
		op->fail = (uint16_t)(1 + rng_below(rng, one_in(rng, 4) ? FAIL_MAX : 6));
}

/* Most operations do nothing on a region that has never been mapped. */
static void generate_region(struct program *program, struct rng *rng)
{
	struct op *op = program->op;

	op[0] = (struct op){ .code = OP_open, .arg = { 0, O_RDWR } };
	op[1] = (struct op){ .code = OP_set_size, .arg = { 0, some_pages(rng) * P } };
	op[2] = (struct op){ .code = OP_mmap, .arg = { 0, 0, op[1].arg[1],
			     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, 0 } };
	program->ops = 3;
}

void program_generate(struct program *program, struct rng *rng)
{
	unsigned int ops = 1 + rng_below(rng, PROGRAM_OPS - 4);

	memset(program, 0, sizeof(*program));
	if (rng_below(rng, 3))
		generate_region(program, rng);
	while (ops--)
		generate_op(&program->op[program->ops++], rng);
}

static void insert_op(struct program *program, unsigned int at, const struct op *op)
{
	if (program->ops == PROGRAM_OPS)
		program->ops--;
	if (at > program->ops)
		at = program->ops;
	memmove(&program->op[at + 1], &program->op[at],
		(program->ops - at) * sizeof(program->op[0]));
	program->op[at] = *op;
	program->ops++;
}

void program_drop(struct program *program, unsigned int at)
{
	program->ops--;
	memmove(&program->op[at], &program->op[at + 1],
		(program->ops - at) * sizeof(program->op[0]));
	memset(&program->op[program->ops], 0, sizeof(program->op[0]));
}

static void mutate_once(struct program *program, const struct program *other,
			struct rng *rng)
{
	unsigned int at = rng_below(rng, program->ops), i;
	struct op *op = &program->op[at], new;

	switch (rng_below(rng, 9)) {
	case 0:
	case 1:
	case 2:
		generate_op(&new, rng);
		insert_op(program, at + 1, &new);
		break;
	case 3:
		if (program->ops > 1)
			program_drop(program, at);
		break;
	case 4:
	case 5:
		if (op_args(op->code)) {
			i = rng_below(rng, op_args(op->code));
			op->arg[i] = argument(op_types[op->code].kind[i], rng);
		}
		break;
	case 6:
		op->fail = op->fail ? op->fail % FAIL_MAX + 1 : (uint16_t)(1 + rng_below(rng, 4));
		break;
	case 7:
		if (one_in(rng, 2)) {
			op->compat ^= 1;
			break;
		}
		new = *op;
		insert_op(program, rng_below(rng, program->ops + 1), &new);
		break;
	case 8:
		for (i = rng_below(rng, other->ops); i < other->ops; i++)
			insert_op(program, ++at, &other->op[i]);
		break;
	}
}

/**
 * program_mutate - change a program a little
 * @program: the program
 * @other: another one, to take parts of; may be the same program's original
 * @rng: what decides
 */
void program_mutate(struct program *program, const struct program *other, struct rng *rng)
{
	do {
		mutate_once(program, other, rng);
	} while (one_in(rng, 2));
}
