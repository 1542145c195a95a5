// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs as text: printing and parsing gives the same program, wrong text is refused,
 * and no text breaks anything. Built with sanitizers.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"

#include "program.h"

static const char *parse(struct program *program, const char *text)
{
	return program_parse(program, text, strlen(text));
}

TEST(printed_is_read_the_same)
{
	struct rng rng = { .state = 1 };
	struct program program, other, again;
	char text[PROGRAM_TEXT];
	unsigned int i;
	size_t length;

	program_generate(&other, &rng);
	for (i = 0; i < 20000; i++) {
		program_generate(&program, &rng);
		program_mutate(&program, &other, &rng);
		other = program;
		length = program_print(&program, text, sizeof(text));
		ASSERT_LT(length, sizeof(text));
		ASSERT_EQ(NULL, program_parse(&again, text, length)) {
			TH_LOG("%s", text);
		}
		ASSERT_TRUE(program_same(&program, &again));
		ASSERT_EQ(program_hash(&program), program_hash(&again));
	}
}

TEST(largest_program_fits)
{
	struct program program = { .ops = PROGRAM_OPS }, again;
	char text[PROGRAM_TEXT];
	unsigned int i, j;
	size_t length;

	for (i = 0; i < PROGRAM_OPS; i++) {
		program.op[i] = (struct op){ .code = OP_remap_file_pages, .fail = FAIL_MAX,
					     .compat = 1 };
		if (i % 2)
			program.op[i].code = OP_mmap;
		for (j = 0; j < op_args(program.op[i].code); j++)
			program.op[i].arg[j] = UINT64_MAX;
	}
	length = program_print(&program, text, sizeof(text));
	ASSERT_LT(length, sizeof(text));
	ASSERT_EQ(NULL, program_parse(&again, text, length));
	EXPECT_TRUE(program_same(&program, &again));
}

TEST(short_room)
{
	struct program program = { .ops = 1, .op = { { .code = OP_open } } };
	char text[4] = "abc";

	EXPECT_EQ(strlen("open 0 0\n"), program_print(&program, text, 3));
	EXPECT_STREQ("op", text);
	EXPECT_EQ(strlen("open 0 0\n"), program_print(&program, NULL, 0));
}

TEST(good_text)
{
	struct program program;

	ASSERT_EQ(NULL, parse(&program, "# a remark\n\n\t open  0 0x2 \n"
			      "unpin 1 2 0xfffff000 18446744073709551615 compat fail=64"));
	EXPECT_EQ(2U, program.ops);
	EXPECT_EQ(OP_open, program.op[0].code);
	EXPECT_EQ(2U, program.op[0].arg[1]);
	EXPECT_EQ(OP_unpin, program.op[1].code);
	EXPECT_EQ(0xfffff000U, program.op[1].arg[2]);
	EXPECT_EQ(UINT64_MAX, program.op[1].arg[3]);
	EXPECT_EQ(64, program.op[1].fail);
	EXPECT_EQ(1, program.op[1].compat);
}

TEST(bad_text)
{
	static const char *const bad[] = {
		"", "\n", "# only a remark", "opn 0 0", "open", "open 0", "open 0 0 0",
		"open 0 -1", "open 0 +1", "open 0 0x", "open 0 0xg", "open 0 1.5",
		"open 0 18446744073709551616", "open 0 0x10000000000000000", "open 0 1k",
		"open 0 0X2", "close 0 fail=", "close 0 fail=0", "close 0 fail=65",
		"close 0 fail=x", "close 0 fail=1 fail=1", "close 0 compat compat",
		"close 0 compat1", "close 0 Compat", "close fail=1", "close 0\rclose 0",
		"close\v0", "open 0 0\nclose", "--\nclose 0",
	};
	struct program program;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_NE(NULL, parse(&program, bad[i])) {
			TH_LOG("accepted: text %u", i);
		}
	}
	EXPECT_NE(NULL, program_parse(&program, "close 0\0", 8));
}

TEST(too_many_operations)
{
	char text[(PROGRAM_OPS + 1) * 8 + 1] = "";
	struct program program;
	unsigned int i;

	for (i = 0; i < PROGRAM_OPS; i++)
		strcat(text, "close 0\n");
	EXPECT_EQ(NULL, parse(&program, text));
	strcat(text, "close 0\n");
	EXPECT_NE(NULL, parse(&program, text));
}

/* An exact copy on the heap, so that a read of one byte too many is detected. */
static const char *parse_exact(struct program *program, const char *text, size_t length)
{
	char *copy = malloc(length ? length : 1);
	const char *error;
	size_t next;

	memcpy(copy, text, length);
	program_split(copy, length, &next);
	error = program_parse(program, copy, length);
	free(copy);
	return error;
}

TEST(hostile_text)
{
	struct rng rng = { .state = 2 };
	struct program program, again;
	char text[PROGRAM_TEXT], out[PROGRAM_TEXT];
	unsigned int i, j, accepted = 0;
	size_t length, printed;

	for (i = 0; i < 20000; i++) {
		program_generate(&program, &rng);
		length = program_print(&program, text, sizeof(text));
		/* Truncated, or with some bytes changed. */
		if (i % 2)
			length = rng_below(&rng, (uint32_t)length + 1);
		for (j = rng_below(&rng, 4); length && j; j--)
			text[rng_below(&rng, (uint32_t)length)] =
				i % 3 ? "0x \n#-fail=compat9"[rng_below(&rng, 18)] :
				(char)rng_next(&rng);
		if (parse_exact(&program, text, length))
			continue;
		accepted++;
		printed = program_print(&program, out, sizeof(out));
		ASSERT_EQ(NULL, parse_exact(&again, out, printed));
		ASSERT_TRUE(program_same(&program, &again));
	}
	/* Neither all nor nothing, or the above says little. */
	EXPECT_GT(accepted, 1000U);
	EXPECT_LT(accepted, 19000U);
}

TEST(several_programs)
{
	static const char text[] = "open 0 2\n--\n--\nclose 0\n--";
	static const size_t lengths[] = { 9, 0, 8 };
	size_t at = 0, next = 0, i;

	for (i = 0; i < 3; i++, at += next)
		EXPECT_EQ(lengths[i], program_split(text + at, strlen(text) - at, &next));
	EXPECT_EQ(strlen(text), at);
	EXPECT_EQ(0U, program_split("", 0, &next));
	EXPECT_EQ(0U, next);
	/* Only on a separate line. */
	EXPECT_EQ(6U, program_split("a --\n-", 6, &next));
}

TEST_HARNESS_MAIN
