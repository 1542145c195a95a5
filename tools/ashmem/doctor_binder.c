// SPDX-License-Identifier: GPL-2.0-only
/*
 * Binder, under the names that containers with Android give its devices.
 *
 * No advice may harm a container that runs: binder_linux takes names only while it
 * is loaded. Names that are not known here are used, too.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "doctor.h"

/**
 * struct family - three devices that an Android needs together
 * @users: whose names these are
 * @names: below /dev or in binderfs
 */
struct family {
	const char *users;
	const char *names[3];
};

static const struct family families[] = {
	{ "redroid, Waydroid", { "binder", "hwbinder", "vndbinder" } },
	{ "Waydroid, Anbox", { "anbox-binder", "anbox-hwbinder", "anbox-vndbinder" } },
	{ "Waydroid", { "puddlejumper", "hwpuddlejumper", "vndpuddlejumper" } },
	{ "Waydroid", { "bonder", "hwbonder", "vndbonder" } },
};

#define FAMILIES	(sizeof(families) / sizeof(*families))
#define LOAD		"modprobe binder_linux devices=binder,hwbinder,vndbinder"

static bool has_device(const char *name)
{
	char *dev = xasprintf("/dev/%s", name);
	char *fs = xasprintf("/dev/binderfs/%s", name);
	bool has = there_is(dev) || there_is(fs);

	free(dev);
	free(fs);
	return has;
}

static unsigned int devices_of(const struct family *family)
{
	unsigned int count = 0, i;

	for (i = 0; i < 3; i++)
		count += has_device(family->names[i]);
	return count;
}

static bool is_known(const char *name)
{
	size_t i, j;

	for (i = 0; i < FAMILIES; i++)
		for (j = 0; j < 3; j++)
			if (!strcmp(name, families[i].names[j]))
				return true;
	return false;
}

/* Appends to a list in words, which is allocated, or NULL if it is empty. */
static void enlist(char **list, char *more)
{
	char *old = *list;

	*list = old ? xasprintf("%s; %s", old, more) : xasprintf("%s", more);
	free(old);
	free(more);
}

/* The families of which all three devices exist. */
static char *whole_families(void)
{
	char *list = NULL;
	size_t i;

	for (i = 0; i < FAMILIES; i++)
		if (devices_of(&families[i]) == 3)
			enlist(&list, xasprintf("%s, %s, %s (%s)", families[i].names[0],
						families[i].names[1], families[i].names[2],
						families[i].users));
	return list;
}

/* The devices of the families, all by themselves; NULL if there are none. */
static char *single_devices(void)
{
	char *list = NULL;
	size_t i, j;

	for (i = 0; i < FAMILIES; i++)
		for (j = 0; j < 3; j++)
			if (has_device(families[i].names[j]))
				enlist(&list, xasprintf("%s", families[i].names[j]));
	return list;
}

/* Devices with other names, from the module's parameter; NULL if there are none. */
static char *told_devices(void)
{
	char *path = file_path("/sys/module/binder_linux/parameters/devices");
	char *told = file_line(path), *name, *rest, *list = NULL;

	free(path);
	for (name = told ? strtok_r(told, ",", &rest) : NULL; name;
	     name = strtok_r(NULL, ",", &rest))
		if (!is_known(name) && has_device(name))
			enlist(&list, xasprintf("%s", name));
	free(told);
	return list;
}

/* True unless the module says that it has no user. */
static bool module_in_use(void)
{
	char *path = file_path("/sys/module/binder_linux/refcnt");
	char *count = file_line(path);
	bool used = !count || strcmp(count, "0");

	free(path);
	free(count);
	return used;
}

static bool have_binderfs(void)
{
	char *path = file_path("/proc/filesystems");
	char *text = file_read(path, NULL);
	bool have = text && strstr(text, "\tbinder\n");

	free(path);
	free(text);
	return have;
}

/* No device with a known name exists. */
static void check_no_device(struct patient *patient)
{
	/* Without any Binder no Android starts; other programs may not need it. */
	enum level level = patient->android ? LEVEL_BAD : LEVEL_WARN;
	char *file = module_find(patient, "binder_linux");

	if (there_is("/sys/module/binder_linux") && module_in_use())
		found(patient, "binder", LEVEL_WARN,
		      xasprintf("binder_linux is loaded and in use, by names that are unknown"
				" here"),
		      xasprintf("leave it as it is if Android runs; see /proc/misc and"
				" /proc/mounts"));
	else if (there_is("/sys/module/binder_linux"))
		found(patient, "binder", level,
		      xasprintf("binder_linux is loaded without any device, and nothing uses"
				" it"),
		      xasprintf("rmmod binder_linux; " LOAD));
	else if (file)
		found(patient, "binder", level, xasprintf("Binder isn't loaded"),
		      xasprintf("Waydroid loads it at its start; for redroid: " LOAD));
	else
		found(patient, "binder", level, xasprintf("the kernel has no Binder"),
		      xasprintf("Android needs a kernel with CONFIG_ANDROID_BINDER_IPC (on"
				" Ubuntu the package linux-modules-extra); other programs can"
				" pass regions through Unix sockets (SCM_RIGHTS)"));
	free(file);
}

void check_binder(struct patient *patient)
{
	char *whole = whole_families(), *single = single_devices(), *told = told_devices();

	if (whole)
		found(patient, "binder", LEVEL_OK, xasprintf("Binder is there: %s", whole), NULL);
	else if (told)
		found(patient, "binder", LEVEL_OK,
		      xasprintf("Binder is there by names of this site: %s; an Android is given"
				" three as binder, hwbinder and vndbinder", told), NULL);
	else if (single && patient->android && !have_binderfs())
		found(patient, "binder", LEVEL_WARN,
		      xasprintf("Binder is there as %s only: Android opens three devices", single),
		      xasprintf("once no container runs: rmmod binder_linux; " LOAD));
	else if (single)
		found(patient, "binder", LEVEL_OK, xasprintf("Binder is there: %s", single),
		      NULL);
	else if (have_binderfs())
		found(patient, "binder", LEVEL_OK,
		      xasprintf("the kernel has binderfs, which redroid and Waydroid mount by"
				" themselves"), NULL);
	else
		check_no_device(patient);
	free(whole);
	free(single);
	free(told);
}
