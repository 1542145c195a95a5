// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of the kernel and of the module: does it exist, is it ours, would the kernel
 * load it?
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "doctor.h"

/* The kernels that the module is tested on, and those between them. */
#define OLDEST_MAJOR	5
#define OLDEST_MINOR	10
#define NEWEST_MAJOR	7
#define NEWEST_MINOR	3

static bool older(const struct patient *patient, unsigned int major, unsigned int minor)
{
	return patient->major < major ||
	       (patient->major == major && patient->minor < minor);
}

void check_kernel(struct patient *patient)
{
	if (older(patient, OLDEST_MAJOR, OLDEST_MINOR))
		found(patient, "kernel", LEVEL_BAD,
		      xasprintf("%s is too old", patient->release),
		      xasprintf("run %u.%u or later", OLDEST_MAJOR, OLDEST_MINOR));
	else if (older(patient, NEWEST_MAJOR, NEWEST_MINOR + 1))
		found(patient, "kernel", LEVEL_OK,
		      xasprintf("%s is supported (%u.%u to %u.%u)", patient->release,
				OLDEST_MAJOR, OLDEST_MINOR, NEWEST_MAJOR, NEWEST_MINOR),
		      NULL);
	else
		found(patient, "kernel", LEVEL_WARN,
		      xasprintf("%s is newer than what the module was tested on (%u.%u)",
				patient->release, NEWEST_MAJOR, NEWEST_MINOR),
		      xasprintf("look for a newer version of the module"));
}

/* True if a line is "@verb ashmem_linux", and perhaps more. */
static bool is_rule(const char *line, const char *verb)
{
	size_t len = strlen(verb);

	line += strspn(line, " \t");
	if (strncmp(line, verb, len) || !strchr(" \t", line[len]) || !line[len])
		return false;
	line += len;
	line += strspn(line, " \t");
	return (!strncmp(line, "ashmem_linux", 12) || !strncmp(line, "ashmem-linux", 12)) &&
	       strchr(" \t\n", line[12]);
}

static bool file_has_rule(const char *path, const char *verb)
{
	char *text = file_read(path, NULL), *line = text;
	bool has = false;

	while (line && !has) {
		has = is_rule(line, verb);
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	free(text);
	return has;
}

/* The file of modprobe.d that has a rule for the module, allocated; or NULL. */
static char *rule_file(const char *verb)
{
	static const char * const dirs[] = {
		"/etc/modprobe.d", "/run/modprobe.d", "/usr/lib/modprobe.d",
		"/lib/modprobe.d",
	};
	struct dirent *entry;
	char *path, *full;
	const char *dot;
	bool has;
	DIR *dir;
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		full = file_path("%s", dirs[i]);
		dir = opendir(full);
		free(full);
		while (dir && (entry = readdir(dir))) {
			dot = strrchr(entry->d_name, '.');
			if (!dot || strcmp(dot, ".conf"))
				continue;
			path = xasprintf("%s/%s", dirs[i], entry->d_name);
			full = file_path("%s", path);
			has = file_has_rule(full, verb);
			free(full);
			if (has) {
				closedir(dir);
				return path;
			}
			free(path);
		}
		if (dir)
			closedir(dir);
	}
	return NULL;
}

static void check_not_loaded(struct patient *patient)
{
	char *install = rule_file("install");
	char *blacklist = rule_file("blacklist");

	if (install)
		found(patient, "module", LEVEL_BAD,
		      xasprintf("ashmem_linux isn't loaded, and %s has modprobe do something"
				" else", install),
		      xasprintf("remove the line 'install ashmem_linux' there"));
	else if (blacklist)
		found(patient, "module", LEVEL_BAD,
		      xasprintf("ashmem_linux isn't loaded: %s keeps it from being loaded at"
				" boot", blacklist),
		      xasprintf("remove the line 'blacklist ashmem_linux' there; now: modprobe"
				" ashmem_linux"));
	else
		found(patient, "module", LEVEL_BAD,
		      xasprintf("ashmem_linux is installed for %s, but not loaded",
				patient->release),
		      xasprintf("modprobe ashmem_linux; at each boot: echo ashmem_linux"
				" >/etc/modules-load.d/ashmem.conf"));
	free(install);
	free(blacklist);
}

void check_module(struct patient *patient)
{
	if (patient->loaded) {
		found(patient, "module", LEVEL_OK, xasprintf("ashmem_linux is loaded"), NULL);
	} else if (patient->rdev) {
		found(patient, "module", LEVEL_OK,
		      xasprintf("not needed: the kernel has an ashmem built in"), NULL);
	} else if (patient->module_file) {
		check_not_loaded(patient);
	} else if (there_is("/var/lib/dkms/ashmem")) {
		found(patient, "module", LEVEL_BAD,
		      xasprintf("DKMS knows the module, but didn't build it for %s",
				patient->release),
		      xasprintf("install linux-headers-%s, then: dkms autoinstall; its log is in"
				" /var/lib/dkms/ashmem", patient->release));
	} else {
		found(patient, "module", LEVEL_BAD,
		      xasprintf("ashmem_linux isn't installed for %s", patient->release),
		      xasprintf("install linux-headers-%s and the package ashmem-dkms, or in the"
				" sources: make dkms-install", patient->release));
	}
}

/* Which ashmem is it? All have the same module name and device. */
void check_driver(struct patient *patient)
{
	char *path = file_path("/sys/module/ashmem_linux/version");
	char *version = file_line(path);

	free(path);
	if (!patient->rdev && patient->loaded)
		found(patient, "driver", LEVEL_BAD,
		      xasprintf("a module ashmem_linux is loaded, but there is no device"),
		      xasprintf("rmmod ashmem_linux; look at the kernel log; modprobe it"
				" again"));
	else if (!patient->rdev && patient->module_file &&
		 strstr(patient->module_file, "staging/"))
		found(patient, "driver", LEVEL_WARN,
		      xasprintf("modprobe would load the kernel's own ashmem, %s",
				patient->module_file),
		      xasprintf("install this project's module: below updates/ it comes first"));
	else if (patient->rdev && !patient->ours)
		found(patient, "driver", LEVEL_WARN,
		      xasprintf("/dev/ashmem is another driver's (%s)", !patient->loaded ?
				"built into the kernel" : patient->module_file &&
				strstr(patient->module_file, "staging/") ?
				"the kernel's own" : "the kernel's own, redroid's or anbox's"),
		      xasprintf("masks and pages of regions don't show, purging and cgroups work"
				" otherwise; %s", patient->loaded ?
				"rmmod ashmem_linux, install this project's, modprobe it" :
				"take a kernel without CONFIG_ASHMEM"));
	else if (patient->ours && version && strcmp(version, ASHMEM_VERSION))
		found(patient, "driver", LEVEL_WARN,
		      xasprintf("the driver is version %s, this command %s", version,
				ASHMEM_VERSION),
		      xasprintf("install the same version of both, then: rmmod ashmem_linux;"
				" modprobe ashmem_linux"));
	else if (patient->ours)
		found(patient, "driver", LEVEL_OK,
		      xasprintf("this project's, version %s", version ? version : "unknown"),
		      NULL);
	free(version);
}

/* 1 signed, 0 not signed, -1 unknown, because the file is compressed. */
static int module_signed(const struct patient *patient)
{
	static const char magic[] = "~Module signature appended~\n";
	char tail[sizeof(magic) - 1], *path;
	int fd, is_signed = -1;

	if (!patient->module_file || strcmp(strrchr(patient->module_file, '.'), ".ko"))
		return -1;
	path = file_path("/lib/modules/%s/%s", patient->release, patient->module_file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return -1;
	if (lseek(fd, -(off_t)sizeof(tail), SEEK_END) >= 0 &&
	    read(fd, tail, sizeof(tail)) == (ssize_t)sizeof(tail))
		is_signed = !memcmp(tail, magic, sizeof(tail));
	close(fd);
	return is_signed;
}

/* Why the kernel loads only signed modules, allocated; NULL if it loads all. */
static char *who_demands_signatures(void)
{
	char *path = file_path("/sys/kernel/security/lockdown");
	char *lockdown = file_line(path);
	char *enforce, *at, *why = NULL;

	free(path);
	path = file_path("/sys/module/module/parameters/sig_enforce");
	enforce = file_line(path);
	free(path);
	at = lockdown ? strchr(lockdown, '[') : NULL;
	if (at && strncmp(at, "[none]", 6)) {
		at[strcspn(at, "]")] = '\0';
		why = xasprintf("lockdown is '%s'", at + 1);
	} else if (enforce && (*enforce == 'Y' || *enforce == '1')) {
		why = xasprintf("module.sig_enforce is set");
	}
	free(lockdown);
	free(enforce);
	return why;
}

void check_signature(struct patient *patient)
{
	char *why = who_demands_signatures();
	int is_signed;

	if (patient->loaded || patient->rdev) {
		found(patient, "signature", LEVEL_OK,
		      why ? xasprintf("the kernel takes signed modules only (%s), and took this"
				      " one", why) :
		      xasprintf("the kernel takes modules without signature"), NULL);
	} else if (!why) {
		found(patient, "signature", LEVEL_OK,
		      xasprintf("the kernel takes modules without signature"), NULL);
	} else {
		is_signed = module_signed(patient);
		found(patient, "signature", is_signed > 0 ? LEVEL_WARN : LEVEL_BAD,
		      xasprintf("the kernel takes signed modules only (%s)%s", why,
				is_signed > 0 ? "; the module is signed, perhaps by a key that it"
				" doesn't know" : is_signed == 0 ?
				"; the module isn't signed" : ""),
		      xasprintf("sign it with your own key (DKMS does, if there is one) and"
				" enrol that: mokutil --import KEY.der; or turn Secure Boot off"));
	}
	free(why);
}
