// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of the device: its node, its permissions, purging by memory cgroup.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/ashmem.h>

#include "cmd.h"
#include "doctor.h"

#define NODE	"/dev/ashmem"

/**
 * is_device - is a name in /dev one of the kernel's ashmem?
 * @patient: the machine
 * @path: the name
 * @mode: its rights, if it is there; else 0
 *
 * Return: true if it is a node with the numbers of the device.
 */
bool is_device(const struct patient *patient, const char *path, mode_t *mode)
{
	char *full = file_path("%s", path);
	struct stat st;

	*mode = 0;
	if (!stat(full, &st))
		*mode = st.st_mode;
	free(full);
	return S_ISCHR(*mode) && patient->rdev && st.st_rdev == patient->rdev;
}

/* "/dev/ashmem<boot_id>", allocated; NULL without /proc. */
char *second_name(void)
{
	char *path = file_path("/proc/sys/kernel/random/boot_id");
	char *id = file_line(path), *name = id ? xasprintf(NODE "%s", id) : NULL;

	free(path);
	free(id);
	return name;
}

/* Android opens this name since 11, and only this one since 16. */
void check_second_name(struct patient *patient)
{
	char *name = second_name();
	mode_t mode;

	if (!name || (!patient->rdev && !there_is(name))) {
		free(name);
		return;
	}
	if (!patient->rdev)
		found(patient, "second", LEVEL_WARN,
		      xasprintf("%s is there, but no driver is behind it", name),
		      xasprintf("ashmem-nodes removes it"));
	else if (is_device(patient, name, &mode))
		found(patient, "second", LEVEL_OK,
		      xasprintf("%s is there for Android, mode %04o", name,
				(unsigned int)mode & 07777), NULL);
	else
		found(patient, "second", LEVEL_WARN,
		      xasprintf("%s %s: Android 16 and later open this name only", name,
				mode ? "is another device" : "is missing"),
		      xasprintf("ashmem-nodes makes it (of ashmem-dkms, make install); in a"
				" container, pass both nodes"));
	free(name);
}

void check_node(struct patient *patient)
{
	unsigned int number_major = major(patient->rdev), number_minor = minor(patient->rdev);
	char *path = file_path(NODE);
	bool there;
	struct stat st;

	there = !stat(path, &st);
	free(path);
	if (!patient->rdev) {
		if (there)
			found(patient, "node", LEVEL_WARN,
			      xasprintf(NODE " is there, but no driver is behind it"),
			      xasprintf("load the module; if the node stays as it is: rm " NODE));
		return;
	}
	if (!there)
		found(patient, "node", LEVEL_BAD,
		      xasprintf("the kernel has the device, but " NODE " is missing"),
		      xasprintf("mount devtmpfs on /dev, or: mknod -m 666 " NODE " c %u %u",
				number_major, number_minor));
	else if (!S_ISCHR(st.st_mode) || st.st_rdev != patient->rdev)
		found(patient, "node", LEVEL_BAD,
		      xasprintf(NODE " isn't the kernel's device %u:%u", number_major,
				number_minor),
		      xasprintf("rm " NODE "; mknod -m 666 " NODE " c %u %u", number_major,
				number_minor));
	else if ((st.st_mode & 0666) != 0666)
		found(patient, "node", LEVEL_WARN,
		      xasprintf(NODE " has mode %04o, user %u and group %u: others can't use"
				" it", (unsigned int)st.st_mode & 07777,
				(unsigned int)st.st_uid, (unsigned int)st.st_gid),
		      xasprintf("fine if this site wants it so; a udev rule does it: grep -r"
				" ashmem /etc/udev /usr/lib/udev. Without one: chmod 666 " NODE));
	else
		found(patient, "node", LEVEL_OK,
		      xasprintf(NODE " is %u:%u, mode %04o", number_major, number_minor,
				(unsigned int)st.st_mode & 07777), NULL);
}

/* Has this process the rights of the administrator? */
static bool has_cap_sys_admin(void)
{
	static const char key[] = "\nCapEff:\t";
	char *path = file_path("/proc/self/status");
	char *text = file_read(path, NULL);
	char *at = text ? strstr(text, key) : NULL;
	bool has;

	has = at && strtoull(at + sizeof(key) - 1, NULL, 16) & 1ULL << 21;
	free(path);
	free(text);
	return has;
}

void check_permission(struct patient *patient)
{
	char *path;
	int fd;

	if (!patient->rdev || !there_is(NODE))
		return;
	path = file_path(NODE);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	free(path);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		found(patient, "permission", LEVEL_BAD,
		      xasprintf("user %u may not open " NODE ": %s", (unsigned int)geteuid(),
				strerror(errno)),
		      xasprintf("look at its mode, at the rules of SELinux or AppArmor, and in a"
				" container at its list of devices"));
	else if (fd < 0)
		found(patient, "permission", LEVEL_BAD,
		      xasprintf(NODE " can't be opened: %s", strerror(errno)),
		      xasprintf("rm " NODE ", load the module again"));
	else if (ioctl(fd, ASHMEM_GET_SIZE, 0))
		found(patient, "permission", LEVEL_BAD,
		      xasprintf(NODE " opens, but doesn't behave like ashmem: %s",
				strerror(errno)),
		      xasprintf("see what made it: ls -l " NODE "; cat /proc/misc"));
	else
		found(patient, "permission", LEVEL_OK,
		      xasprintf("user %u may make regions%s", (unsigned int)geteuid(),
				has_cap_sys_admin() ? " and purge" :
				"; purging takes root"), NULL);
	if (fd >= 0)
		close(fd);
}

/* Is a word among those of a file, which blanks separate? */
static bool file_has_word(const char *name, const char *word)
{
	char *path = file_path("%s", name);
	char *text = file_read(path, NULL), *at, *rest = NULL;
	bool has = false;

	free(path);
	for (at = text ? strtok_r(text, "\n ", &rest) : NULL; at && !has;
	     at = strtok_r(NULL, "\n ", &rest))
		has = !strcmp(at, word);
	free(text);
	return has;
}

/* "memory HIERARCHY CGROUPS ENABLED" in /proc/cgroups; 0 on the command line of */
static bool memory_controller(void)
{
	char *path = file_path("/proc/cgroups");
	char *text = file_read(path, NULL);
	char *at = text ? strstr(text, "\nmemory\t") : NULL;
	bool on = false;

	free(path);
	if (at) {
		at++;
		at[strcspn(at, "\n")] = '\0';
		on = !strcmp(strrchr(at, '\t'), "\t1");
	}
	free(text);
	return on || file_has_word("/sys/fs/cgroup/cgroup.controllers", "memory");
}

/* Is cgroup.memory=nokmem, maybe with other words, on the kernel's command line? */
static bool without_kmem(void)
{
	char *path = file_path("/proc/cmdline");
	char *text = file_read(path, NULL);
	char *at = text ? strstr(text, "cgroup.memory=") : NULL;
	bool without;

	if (at)
		at[strcspn(at, "\n ")] = '\0';
	without = at && strstr(at, "nokmem");
	free(path);
	free(text);
	return without;
}

/*
 * Since 6.7 a module can purge by cgroup. The driver tells whether it does, but says 0 before
 * the first memory cgroup. For a driver that doesn't tell, use the kernel's version.
 */
void check_cgroups(struct patient *patient)
{
	bool recent = patient->major > 6 || (patient->major == 6 && patient->minor >= 7);
	char *path, *says;
	bool aware;

	if (!patient->ours)
		return;
	path = file_path("/sys/class/misc/ashmem/memcg_aware");
	says = file_line(path);
	free(path);
	aware = says ? !strcmp(says, "1") : recent;
	free(says);
	if (!aware && !recent)
		found(patient, "cgroups", LEVEL_WARN,
		      xasprintf("unpinned pages are purged for the whole machine only: on %s a"
				" container at its limit may see a process killed before",
				patient->release),
		      xasprintf("run Linux 6.7 or later if containers have memory limits"));
	else if (!memory_controller())
		found(patient, "cgroups", LEVEL_WARN,
		      xasprintf("the kernel runs without memory cgroups"),
		      xasprintf("if containers are to have memory limits, take"
				" cgroup_disable=memory off the kernel's command line"));
	else if (!aware && without_kmem())
		found(patient, "cgroups", LEVEL_WARN,
		      xasprintf("with cgroup.memory=nokmem unpinned pages are purged for the whole"
				" machine only: a container at its limit may see a process killed"
				" before"),
		      xasprintf("if containers have memory limits, take nokmem off"
				" cgroup.memory= on the kernel's command line"));
	else if (!aware)
		found(patient, "cgroups", LEVEL_OK,
		      xasprintf("no memory cgroup exists yet; unpinned pages of one will be purged"
				" for the cgroup that pays for them"), NULL);
	else
		found(patient, "cgroups", LEVEL_OK,
		      xasprintf("unpinned pages are purged for the cgroup that pays for them"),
		      NULL);
}
