// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs as text. The parsed text is untrusted.
 */

#include <stdio.h>
#include <string.h>

#include "program.h"

const struct op_type op_types[OP_CODES] = {
#define OP(name, weight, ...) { #name, weight, { __VA_ARGS__ } },
#include "ops.h"
#undef OP
};

unsigned int op_args(enum op_code code)
{
	unsigned int n = 0;

	while (op_types[code].kind[n] != NO_ARG)
		n++;
	return n;
}

/**
 * program_print - write a program as text
 * @program: the program
 * @text: where to, or NULL
 * @room: bytes there
 *
 * Return: how long the text is without its terminator, as snprintf().
 */
size_t program_print(const struct program *program, char *text, size_t room)
{
	size_t length = 0;
	unsigned int i, j;

#define PRINT(...) (length += (size_t)snprintf(length < room ? text + length : NULL, \
					       length < room ? room - length : 0, \
					       __VA_ARGS__))
	for (i = 0; i < program->ops; i++) {
		const struct op *op = &program->op[i];

		PRINT("%s", op_types[op->code].name);
		for (j = 0; j < op_args(op->code); j++)
			PRINT(op->arg[j] < 10 ? " %llu" : " %#llx",
			      (unsigned long long)op->arg[j]);
		if (op->fail)
			PRINT(" fail=%u", op->fail);
		PRINT(op->compat ? " compat\n" : "\n");
	}
#undef PRINT
	return length;
}

struct word {
	const char *text;
	size_t length;
};

static bool word_is(const struct word *word, const char *text)
{
	return word->length == strlen(text) && !memcmp(word->text, text, word->length);
}

static bool next_word(const char **at, const char *end, struct word *word)
{
	while (*at < end && (**at == ' ' || **at == '\t'))
		(*at)++;
	word->text = *at;
	while (*at < end && **at != ' ' && **at != '\t')
		(*at)++;
	word->length = (size_t)(*at - word->text);
	return word->length;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 16;
}

/* Only what program_print() writes: no signs, no blanks, no octal. */
static bool word_number(const struct word *word, uint64_t *value)
{
	uint64_t base = 10;
	size_t i = 0;

	if (word->length > 2 && word->text[0] == '0' && word->text[1] == 'x') {
		base = 16;
		i = 2;
	}
	if (i == word->length)
		return false;
	for (*value = 0; i < word->length; i++) {
		uint64_t digit = (uint64_t)digit_of(word->text[i]);

		if (digit >= base || *value > (UINT64_MAX - digit) / base)
			return false;
		*value = *value * base + digit;
	}
	return true;
}

static const char *parse_op(struct op *op, const char *at, const char *end)
{
	unsigned int i, code;
	struct word word;
	uint64_t value;

	memset(op, 0, sizeof(*op));
	next_word(&at, end, &word);
	for (code = 0; code < OP_CODES; code++)
		if (word_is(&word, op_types[code].name))
			break;
	if (code == OP_CODES)
		return "no such operation";
	op->code = (uint8_t)code;

	for (i = 0; i < op_args(code); i++) {
		if (!next_word(&at, end, &word))
			return "too few arguments";
		if (!word_number(&word, &op->arg[i]))
			return "not a number of 64 bits";
	}
	while (next_word(&at, end, &word)) {
		struct word number = { word.text + 5, word.length - 5 };

		if (word_is(&word, "compat") && !op->compat) {
			op->compat = 1;
		} else if (word.length > 5 && !memcmp(word.text, "fail=", 5) && !op->fail) {
			if (!word_number(&number, &value) || !value || value > FAIL_MAX)
				return "fail= takes 1 to 64";
			op->fail = (uint16_t)value;
		} else {
			return "too many arguments";
		}
	}
	return NULL;
}

/**
 * program_parse - read a program
 * @program: set on success; undefined otherwise
 * @text: the text, not terminated
 * @length: bytes of it
 *
 * Return: NULL, or what is wrong with the text.
 */
const char *program_parse(struct program *program, const char *text, size_t length)
{
	const char *end = text + length;

	memset(program, 0, sizeof(*program));
	while (text < end) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));
		const char *at = text, *error;

		if (!line_end)
			line_end = end;
		while (at < line_end && (*at == ' ' || *at == '\t'))
			at++;
		text = line_end + (line_end < end);
		if (at == line_end || *at == '#')
			continue;
		if (program->ops == PROGRAM_OPS)
			return "too many operations";
		error = parse_op(&program->op[program->ops], at, line_end);
		if (error)
			return error;
		program->ops++;
	}
	return program->ops ? NULL : "no operation";
}

size_t program_split(const char *text, size_t length, size_t *next)
{
	size_t at = 0;

	while (at < length) {
		const char *line = text + at;
		const char *end = memchr(line, '\n', length - at);
		size_t line_length = end ? (size_t)(end - line) : length - at;

		if (line_length == 2 && line[0] == '-' && line[1] == '-') {
			*next = at + line_length + !!end;
			return at;
		}
		at += line_length + !!end;
	}
	*next = length;
	return length;
}

bool program_same(const struct program *a, const struct program *b)
{
	unsigned int i;

	if (a->ops != b->ops)
		return false;
	for (i = 0; i < a->ops; i++) {
		const struct op *p = &a->op[i], *q = &b->op[i];

		if (p->code != q->code || p->compat != q->compat || p->fail != q->fail ||
		    memcmp(p->arg, q->arg, op_args(p->code) * sizeof(p->arg[0])))
			return false;
	}
	return true;
}

/* FNV-1a of the text, which has no padding. */
uint64_t program_hash(const struct program *program)
{
	uint64_t hash = 0xcbf29ce484222325;
	char text[PROGRAM_TEXT];
	size_t i, length;

	length = program_print(program, text, sizeof(text));
	for (i = 0; i < length && i < sizeof(text); i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
	return hash;
}
