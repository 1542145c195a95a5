// SPDX-License-Identifier: GPL-2.0-only
/*
 * Completion for shells: prints what can come next on the command line, a line for each
 * word, with a tab and a description.
 *
 * Options and their arguments are read from the commands' own help, so they cannot get
 * out of date. ":file" and ":command" ask the shell for its own.
 */

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "print.h"

/**
 * struct typed - the word that is being typed
 * @text: so far
 * @before: what belongs to the word and isn't looked at: "--sort=", or ""
 */
struct typed {
	const char *text, *before;
};

static void offer(const struct typed *typed, const char *word, const char *what)
{
	if (strncmp(word, typed->text, strlen(typed->text)))
		return;
	printf("%s%s%s%s\n", typed->before, word, what && *what ? "\t" : "",
	       what ? what : "");
}

/* Calls offer() for words, which blanks separate. */
static void offer_words(const struct typed *typed, const char *words)
{
	char *copy = xasprintf("%s", words), *word, *rest;

	for (word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		offer(typed, word, NULL);
	free(copy);
}

/**
 * struct option_help - a line of a command's help
 * @letter: the short option
 * @name: the long one, with its "--"
 * @takes: what stands for its value there, or ""
 * @what: the description
 */
struct option_help {
	char letter;
	char name[32], takes[16];
	const char *what;
};

/* Parses the line at @line; false if it isn't about an option. */
static bool option_parse(const char *line, struct option_help *option)
{
	const char *name = line + 6, *end;
	int len = (int)strcspn(name, "\n =");

	if (strncmp(line, "  -", 3) || strncmp(line + 4, ", --", 4))
		return false;
	option->letter = line[3];
	snprintf(option->name, sizeof(option->name), "%.*s", len, name);
	end = name + len;
	*option->takes = '\0';
	if (*end == '=') {
		end++;
		len = (int)strcspn(end, "\n ");
		snprintf(option->takes, sizeof(option->takes), "%.*s", len, end);
		end += len;
	}
	option->what = end + strspn(end, " ");
	return true;
}

/* Iterates over the options of a command's help; false after the last one. */
static bool option_next(const char **at, struct option_help *option)
{
	while (**at) {
		const char *line = *at;

		*at += strcspn(line, "\n");
		*at += **at == '\n';
		if (option_parse(line, option))
			return true;
	}
	return false;
}

static void offer_options(const struct typed *typed, const struct command *command)
{
	const char *at = command->usage;
	struct option_help option;
	char *what;

	while (option_next(&at, &option)) {
		what = xasprintf("%.*s", (int)strcspn(option.what, "\n"), option.what);
		offer(typed, option.name, what);
		free(what);
	}
}

static void offer_pids(const struct typed *typed)
{
	char *path = file_path("/proc");
	struct dirent *entry;
	DIR *dir = opendir(path);

	free(path);
	while (dir && (entry = readdir(dir)))
		if (isdigit((unsigned char)*entry->d_name))
			offer(typed, entry->d_name, NULL);
	if (dir)
		closedir(dir);
}

static void offer_users(const struct typed *typed)
{
	char *path = file_path("/etc/passwd");
	char *text = file_read(path, NULL), *line, *rest;

	free(path);
	for (line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		line[strcspn(line, ":")] = '\0';
		offer(typed, line, NULL);
	}
	free(text);
}

static void offer_regions(const struct typed *typed)
{
	const struct holder *holder;
	char *peer, *name = NULL;
	struct walk walk;
	size_t i, j;

	if (walk_all(&walk))
		return;
	for (i = 0; i < walk.region_count; i++) {
		text_shown(&name, walk.regions[i]->name_len ? walk.regions[i]->name : "",
			   walk.regions[i]->name_len);
		for (j = 0; j < walk.regions[i]->holder_count; j++) {
			holder = &walk.regions[i]->holders[j];
			peer = xasprintf("%d/%d", (int)walk.processes[holder->process].pid,
					 holder->fd);
			offer(typed, peer, name);
			free(peer);
		}
		free(name);
	}
}

/* What help calls @takes. */
static void offer_value(const struct typed *typed, const char *takes)
{
	if (!strcmp(takes, "KEY"))
		offer_words(typed, "pid size resident purgeable name");
	else if (!strcmp(takes, "MASK"))
		offer_words(typed, "r rw rx rwx");
	else if (!strcmp(takes, "VERSION"))
		offer_words(typed, "10 11 12 13 14 15 16 17");
	else if (!strcmp(takes, "PID"))
		offer_pids(typed);
	else if (!strcmp(takes, "USER"))
		offer_users(typed);
	else if (!strcmp(takes, "FILE"))
		puts(":file");
}

/* What the option @word takes, or NULL if it is none, or takes nothing. */
static const char *taken_by(const struct command *command, const char *word, size_t len,
			    struct option_help *option)
{
	const char *at = command->usage;

	while (option_next(&at, option)) {
		if (!(len == 2 && word[0] == '-' && word[1] == option->letter) &&
		    !(len == strlen(option->name) && !strncmp(word, option->name, len)))
			continue;
		/* Its value is optional, so a separate word is an operand. */
		if (!strcmp(option->name, "--android"))
			return "VERSION";
		return *option->takes ? option->takes : NULL;
	}
	return NULL;
}

/* True if the next word belongs to the command that create runs. */
static bool behind_dashes(const struct command *command, char **words, int last)
{
	int i;

	for (i = 0; command == &create_command && i < last; i++)
		if (!strcmp(words[i], "--"))
			return true;
	return false;
}

static void complete_command(const struct command *command, char **words, int last)
{
	struct typed typed = { .text = words[last], .before = "" };
	const char *takes = NULL, *equals;
	struct option_help option;

	/* For bash "--sort=si" is three words, for other shells one. */
	if (!strcmp(words[last], "="))
		typed.text = "";
	else if (last > 1 && !strcmp(words[last - 1], "="))
		last--;
	equals = strchr(typed.text, '=');
	if (behind_dashes(command, words, last)) {
		puts(":command");
	} else if (equals && !strncmp(typed.text, "--", 2)) {
		takes = taken_by(command, typed.text, (size_t)(equals - typed.text), &option);
		typed.before = xasprintf("%.*s", (int)(equals + 1 - typed.text), typed.text);
		typed.text = equals + 1;
		offer_value(&typed, takes ? takes : "");
	} else {
		if (last > 0)
			takes = taken_by(command, words[last - 1], strlen(words[last - 1]),
					 &option);
		if (takes && *typed.text != '-')
			offer_value(&typed, takes);
		else if (*typed.text == '-')
			offer_options(&typed, command);
		else if (strstr(command->usage, "PID/FD\n"))
			offer_regions(&typed);
	}
}

/**
 * complete - answer "ashmem --complete WORD..."
 * @commands: all of them
 * @count: how many
 * @words: those on the command line behind "ashmem"; the last one is being typed
 * @n: how many, at least one
 *
 * Return: an exit code.
 */
int complete(const struct command *const *commands, size_t count, char **words, int n)
{
	struct typed typed = { .text = words[0], .before = "" };
	size_t i;

	for (i = 0; i < count; i++) {
		if (n == 1)
			offer(&typed, commands[i]->name, commands[i]->summary);
		else if (!strcmp(words[0], commands[i]->name))
			complete_command(commands[i], words + 1, n - 2);
	}
	if (n == 1)
		offer_words(&typed, "--help --version");
	return EXIT_OK;
}
