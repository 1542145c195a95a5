// SPDX-License-Identifier: GPL-2.0
/*
 * Checks of the device: its node, who may use it, whose memory it purges.
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
		      xasprintf(NODE " has mode %04o and belongs to user %u: not everybody can"
				" use it", (unsigned int)st.st_mode & 07777,
				(unsigned int)st.st_uid),
		      xasprintf("chmod 666 " NODE "; if it changes back, a udev rule does that:"
				" grep -r ashmem /etc/udev /usr/lib/udev"));
	else
		found(patient, "node", LEVEL_OK,
		      xasprintf(NODE " is %u:%u, mode %04o", number_major, number_minor,
				(unsigned int)st.st_mode & 07777), NULL);
}

/* May this process do what only the administrator may? */
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

/*
 * A module can know of cgroups from 6.7 on. Which one was built how only the
 * driver knows; one that doesn't say goes by the kernel's version.
 */
void check_cgroups(struct patient *patient)
{
	char *path, *says;
	bool aware;

	if (!patient->ours)
		return;
	path = file_path("/sys/class/misc/ashmem/memcg_aware");
	says = file_line(path);
	free(path);
	aware = says ? !strcmp(says, "1") :
		patient->major > 6 || (patient->major == 6 && patient->minor >= 7);
	free(says);
	if (!aware)
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
	else
		found(patient, "cgroups", LEVEL_OK,
		      xasprintf("unpinned pages are purged for the cgroup that unpinned them"),
		      NULL);
}
