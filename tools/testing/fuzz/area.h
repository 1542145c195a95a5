/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory that host and guest share: the BAR of QEMU's ivshmem device in the guest, a
 * file on the host. The host puts in the task and the corpus; the guest writes what it
 * is about to run, and what it found, so that the host has it even if the guest dies.
 */

#ifndef FUZZ_AREA_H
#define FUZZ_AREA_H

#include <assert.h>
#include <stdint.h>

#include "program.h"

#define AREA_MAGIC	0x68736146657a7a31ULL
#define AREA_WORKERS	8
#define AREA_LOG	16	/* programs remembered for each worker */

enum area_text {
	TEXT_CORPUS,		/* from the host: the programs to begin with */
	TEXT_REPLAY,		/* from the host: instead, what to run over and over */
	TEXT_FRESH,		/* programs that reached something new */
	TEXT_DISTILLED,		/* the fewest that together reach all */
	TEXT_FINDINGS,
	AREA_TEXTS
};

struct area {
	uint64_t magic;
	uint64_t seed;
	uint32_t seconds;
	uint32_t workers;
	uint32_t until_found;	/* end with the first finding */
	uint32_t soak;		/* crowds only */

	/* How far it has come. */
	uint32_t elapsed;	/* seconds */
	uint64_t programs;
	uint64_t epochs;
	uint64_t unstable;	/* that reached something new once, and not again */
	uint32_t edges, pcs;
	uint32_t corpus;
	uint32_t findings;
	uint32_t finished;

	struct {
		uint64_t next;
		struct program program[AREA_LOG];
	} log[AREA_WORKERS];

	/* The addresses reached, as offsets in the module's .text. */
	uint32_t pc[16384];

	struct {
		uint32_t used;
		char text[1 << 20];
	} text[AREA_TEXTS];
};

/* What the device's memory has to hold: a power of two. */
#define AREA_BYTES	(8UL << 20)

static_assert(sizeof(struct area) <= AREA_BYTES, "area too large");

#endif
