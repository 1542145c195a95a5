/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzz targets share: reading the script, and checking what calls return.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

struct input {
	const uint8_t *at;
	size_t left;
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t take(struct input *in, size_t n)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < n && in->left; i++, in->left--)
		value |= (uint64_t)*in->at++ << (8 * i);
	return value;
}

static void insist(bool truth, const char *what, int ret)
{
	if (truth)
		return;
	fprintf(stderr, "not true: %s (%d)\n", what, ret);
	abort();
}

#define ONE_OF(ret, ...) do { \
	static const int __codes[] = { __VA_ARGS__ }; \
	bool __found = false; \
	size_t __i; \
	for (__i = 0; __i < ARRAY_SIZE(__codes); __i++) \
		__found |= (ret) == __codes[__i]; \
	insist(__found, #ret " in " #__VA_ARGS__, ret); \
} while (0)

#endif
