// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem doctor: check ashmem on this machine.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cmd.h"
#include "doctor.h"
#include "json.h"
#include "walk.h"

typedef void check_fn(struct patient *patient);

static check_fn *const checks[] = {
	check_kernel, check_module, check_driver, check_signature, check_node,
	check_second_name, check_permission, check_cgroups, check_binder, check_memfd,
	check_library, check_proc, NULL,
};

/* What an Android needs. The last check uses the findings of those before it. */
static check_fn *const android_checks[] = {
	check_second_name, check_app_access, check_binder, check_page_size,
	check_pressure, check_hierarchy, check_cgroups, check_memfd, check_android,
	NULL,
};

static const char *const words[] = {
	[LEVEL_OK] = "ok", [LEVEL_WARN] = "warn", [LEVEL_BAD] = "bad",
};

void found(struct patient *patient, const char *check, enum level level, char *text,
	   char *advice)
{
	patient->findings = grown(patient->findings, patient->count, &patient->room,
				  sizeof(*patient->findings));
	patient->findings[patient->count++] = (struct finding){
		.check = check, .level = level, .text = text, .advice = advice,
	};
}

/* Does a file of any kind exist? */
bool there_is(const char *path)
{
	char *full = file_path("%s", path);
	bool there = !access(full, F_OK);

	free(full);
	return there;
}

/* For modprobe - and _ are the same. */
static bool same_module(const char *a, const char *b, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (a[i] != b[i] && !((a[i] == '-' || a[i] == '_') &&
				      (b[i] == '-' || b[i] == '_')))
			return false;
	return true;
}

/**
 * module_find - where modprobe finds a module
 * @patient: the machine
 * @name: the module
 *
 * Return: its path below the kernel's modules, allocated; NULL if there is none.
 */
char *module_find(const struct patient *patient, const char *name)
{
	char *path = file_path("/lib/modules/%s/modules.dep", patient->release);
	char *text = file_read(path, NULL), *line, *next, *base, *found_path = NULL;
	size_t len = strlen(name);

	free(path);
	for (line = text; line && *line && !found_path; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		line[strcspn(line, ":")] = '\0';
		base = strrchr(line, '/');
		base = base ? base + 1 : line;
		if (strlen(base) > len && same_module(base, name, len) &&
		    !strncmp(base + len, ".ko", 3))
			found_path = xasprintf("%s", line);
	}
	free(text);
	return found_path;
}

static bool module_loaded(const char *name)
{
	char *path = file_path("/proc/modules");
	char *text = file_read(path, NULL), *line = text;
	size_t len = strlen(name);
	bool loaded = false;

	free(path);
	while (line && !loaded) {
		loaded = !strncmp(line, name, len) && line[len] == ' ';
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	free(text);
	return loaded;
}

static void examine(struct patient *patient)
{
	char *path = file_path("/proc/sys/kernel/osrelease");
	check_fn *const *check;
	struct utsname uts;

	patient->release = file_line(path);
	free(path);
	if (!patient->release && !uname(&uts))
		patient->release = xasprintf("%s", uts.release);
	if (!patient->release)
		patient->release = xasprintf("0.0");
	patient->major = (unsigned int)strtoul(patient->release, &path, 10);
	if (*path == '.')
		patient->minor = (unsigned int)strtoul(path + 1, NULL, 10);
	if (device_number(&patient->rdev))
		patient->rdev = 0;
	patient->module_file = module_find(patient, "ashmem_linux");
	patient->loaded = module_loaded("ashmem_linux");
	patient->ours = there_is("/sys/class/misc/ashmem/purgeable_pages");
	for (check = patient->android ? android_checks : checks; *check; check++)
		(*check)(patient);
}

static enum level worst(const struct patient *patient)
{
	enum level level = LEVEL_OK;
	size_t i;

	for (i = 0; i < patient->count; i++)
		if (patient->findings[i].level > level)
			level = patient->findings[i].level;
	return level;
}

static void print_findings(const struct patient *patient)
{
	const struct finding *finding;
	const char *last = "";
	size_t i;

	for (i = 0; i < patient->count; i++) {
		finding = &patient->findings[i];
		printf("%-4s  %-10s  %s\n", words[finding->level], finding->check,
		       finding->text);
		/* Adjacent findings often have the same advice. */
		if (finding->advice && strcmp(finding->advice, last))
			printf("%-4s  %-10s  -> %s\n", "", "", finding->advice);
		last = finding->advice ? finding->advice : "";
	}
}

static void print_findings_json(const struct patient *patient)
{
	const struct finding *finding;
	size_t i;

	json_open(NULL, '{');
	json_text("worst", words[worst(patient)]);
	json_open("checks", '[');
	for (i = 0; i < patient->count; i++) {
		finding = &patient->findings[i];
		json_open(NULL, '{');
		json_text("check", finding->check);
		json_text("level", words[finding->level]);
		json_text("text", finding->text);
		json_text("advice", finding->advice);
		json_close('}');
	}
	json_close(']');
	json_close('}');
	json_end();
}

/* The versions of Android to check: @text, or all if it is NULL. */
static int set_android(const struct command *self, struct patient *patient,
		       const char *text)
{
	uint64_t version;

	patient->android = ANDROID_FIRST;
	patient->android_last = ANDROID_LAST;
	if (!text)
		return 0;
	if (parse_number(text, ANDROID_LAST, &version) || version < ANDROID_FIRST)
		return command_usage(self, "'%s' is no Android from %d to %d", text,
				     ANDROID_FIRST, ANDROID_LAST);
	patient->android = (unsigned int)version;
	patient->android_last = (unsigned int)version;
	return 0;
}

static int run(const struct command *self, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "android", no_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		HELP_OPTION,
		{ NULL, 0, NULL, 0 },
	};
	struct patient patient = { .android = 0 };
	bool json = false, android = false;
	int opt, code = 0;

	while ((opt = command_getopt(self, argc, argv, "ajh", longs)) != -1) {
		switch (opt) {
		case 'a':
			android = true;
			break;
		case 'j':
			json = true;
			break;
		}
	}
	if (android)
		code = set_android(self, &patient, optind < argc ? argv[optind++] : NULL);
	if (!code)
		code = command_no_operands(self, argc, argv);
	if (code)
		return code;
	examine(&patient);
	if (json)
		print_findings_json(&patient);
	else
		print_findings(&patient);
	switch (worst(&patient)) {
	case LEVEL_BAD:
		return EXIT_BAD;
	case LEVEL_WARN:
		return EXIT_WARN;
	default:
		return EXIT_OK;
	}
}

const struct command doctor_command = {
	.name = "doctor",
	.summary = "check ashmem on this machine, with advice",
	.usage = "[OPTION]... [--android [VERSION]]\n"
		 "Check the kernel, the module, the device, permissions, memory cgroups,\n"
		 "Binder, memfd and /proc: a line for each, with advice below it.\n"
		 "Exit code: 0 no findings, 3 warnings, 4 something is bad.\n\n"
		 "  -a, --android  would a container with Android VERSION (10 to 17, default all)\n"
		 "                 find its shared memory here: with ashmem (ok), with memfd\n"
		 "                 (warn), or not (bad)\n"
		 "  -j, --json     as JSON\n"
		 "  -h, --help     this text\n",
	.run = run,
};
