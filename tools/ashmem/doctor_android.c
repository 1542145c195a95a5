// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem doctor --android: would a container with that Android start here, and which
 * shared memory would it use?
 */

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/ashmem.h>

#include "cmd.h"
#include "doctor.h"

#define PAGE_4K		4096

/* Of the kernel that is examined, by what it tells every program. */
static unsigned long page_size(void)
{
	char *path = file_path("/proc/self/auxv");
	unsigned long size = (unsigned long)sysconf(_SC_PAGESIZE), pair[2];
	size_t len, at;
	char *auxv = file_read(path, &len);

	for (at = 0; auxv && at + sizeof(pair) <= len; at += sizeof(pair)) {
		memcpy(pair, auxv + at, sizeof(pair));
		if (pair[0] == AT_PAGESZ)
			size = pair[1];
	}
	free(path);
	free(auxv);
	return size;
}

void check_page_size(struct patient *patient)
{
	unsigned long size = page_size();

	if (size == PAGE_4K)
		found(patient, "pages", LEVEL_OK,
		      xasprintf("pages have 4 KiB, as every image expects"), NULL);
	else
		found(patient, "pages", LEVEL_WARN,
		      xasprintf("pages have %lu KiB: images whose programs are linked for 4 KiB"
				" don't start", size / 1024),
		      xasprintf("boot a kernel with pages of 4 KiB%s", size == 4 * PAGE_4K ?
				", or take an image of Android 15 or later that is built for"
				" 16 KiB" : ""));
}

/* Without it lmkd needs memory.pressure_level, which cgroup v2 lacks. */
void check_pressure(struct patient *patient)
{
	char *path = file_path("/proc/pressure/memory");
	char *text = file_read(path, NULL);

	if (text)
		found(patient, "pressure", LEVEL_OK,
		      xasprintf("lmkd can follow memory pressure (PSI)"), NULL);
	else
		found(patient, "pressure", LEVEL_WARN,
		      xasprintf("the kernel runs without PSI: lmkd may exit (\"Kernel does not"
				" support memory pressure events\") and with it Android"),
		      xasprintf("put psi=1 on the kernel's command line; the kernel needs"
				" CONFIG_PSI"));
	free(path);
	free(text);
}

void check_hierarchy(struct patient *patient)
{
	if (!there_is("/sys/fs/cgroup/cgroup.controllers"))
		found(patient, "hierarchy", LEVEL_OK,
		      xasprintf("cgroups are of version 1, or of both"), NULL);
	else if (patient->android > 11)
		found(patient, "hierarchy", LEVEL_OK,
		      xasprintf("cgroups are of version 2"), NULL);
	else
		found(patient, "hierarchy", LEVEL_WARN,
		      xasprintf("cgroups are of version 2: Android 10 and 11 look for version 1,"
				" and by reports not every image starts without"),
		      xasprintf("if the log has 'libprocessgroup: Failed to mount cgroup', boot"
				" with systemd.unified_cgroup_hierarchy=0 (systemd before 258)"));
}

/* Each app has its own user, which is in no group of the host. */
void check_app_access(struct patient *patient)
{
	char *names[2] = { xasprintf("/dev/ashmem"), second_name() };
	mode_t mode;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (!names[i] || !is_device(patient, names[i], &mode) ||
		    (mode & 0006) == 0006)
			continue;
		found(patient, "apps", LEVEL_WARN,
		      xasprintf("%s has mode %04o: apps in Android, which are in no group of the"
				" host, can't open it", names[i], (unsigned int)mode & 07777),
		      xasprintf("on a machine for Android leave it at 0666, and restrict who may"
				" start containers"));
	}
	free(names[0]);
	free(names[1]);
}

/**
 * struct shared - what there is to make shared memory of
 * @first: /dev/ashmem is the device
 * @second: /dev/ashmem<boot_id> is
 * @sealed: memfds take F_SEAL_FUTURE_WRITE
 * @shim: a memfd answers ASHMEM_GET_SIZE, as on Android's own kernels
 * @get: what to do to have the names
 */
struct shared {
	bool first, second, sealed, shim;
	const char *get;
};

static void look_at_shared(const struct patient *patient, struct shared *shared)
{
	int fd = memfd_create("ashmem-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char *name = second_name();
	mode_t mode;

	shared->first = is_device(patient, "/dev/ashmem", &mode);
	shared->second = name && is_device(patient, name, &mode);
	shared->shim = fd >= 0 && !ftruncate(fd, PAGE_4K) &&
		ioctl(fd, ASHMEM_GET_SIZE, 0) == PAGE_4K;
	shared->sealed = fd >= 0 && !fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
	shared->get = patient->rdev ?
		"ashmem-nodes makes both names; in a container, pass both nodes" :
		"load ashmem_linux; 'ashmem doctor' says what keeps it";
	if (fd >= 0)
		close(fd);
	free(name);
}

/*
 * The shared memory that libcutils of Android @version chooses, with the reason in @why:
 * LEVEL_OK is ashmem, LEVEL_WARN memfd, LEVEL_BAD neither.
 */
static enum level judge(unsigned int version, const struct shared *shared, const char **why)
{
	enum level level = LEVEL_WARN;

	if (version >= 11 && shared->second) {
		level = LEVEL_OK;
		*why = "finds ashmem: opens /dev/ashmem<boot_id>";
	} else if (version <= 15 && shared->first) {
		level = LEVEL_OK;
		*why = "finds ashmem: opens /dev/ashmem";
	} else if (version == 10) {
		level = LEVEL_BAD;
		*why = "needs ashmem: opens /dev/ashmem";
	} else if (version >= 16 && shared->shim) {
		*why = "works with memfd, which on this kernel answers as ashmem does";
	} else if (version == 16) {
		level = LEVEL_BAD;
		*why = "needs ashmem: opens /dev/ashmem<boot_id> only";
	} else if (version == 17) {
		*why = "works with memfd, if told; apps made for Android 16 and before break";
	} else if (shared->sealed) {
		*why = "works with memfd, if told: redroid by androidboot.use_memfd=1,"
			" Waydroid by itself";
	} else {
		level = LEVEL_BAD;
		*why = "needs ashmem, or memfds that can be sealed (Linux 5.1)";
	}
	return level;
}

/* True if check_binder() found no usable Binder. */
static bool without_binder(const struct patient *patient)
{
	size_t i;

	for (i = 0; i < patient->count; i++)
		if (!strcmp(patient->findings[i].check, "binder"))
			return patient->findings[i].level == LEVEL_BAD;
	return false;
}

void check_android(struct patient *patient)
{
	static const char * const checks[] = {
		"android 10", "android 11", "android 12", "android 13", "android 14",
		"android 15", "android 16", "android 17",
	};
	bool binder = !without_binder(patient), pages;
	unsigned long size = page_size();
	struct shared shared;
	unsigned int version;
	enum level level;
	const char *why;

	look_at_shared(patient, &shared);
	for (version = patient->android; version <= patient->android_last; version++) {
		level = judge(version, &shared, &why);
		pages = size == PAGE_4K || (size == 4 * PAGE_4K && version >= 15);
		if (!binder || !pages)
			found(patient, checks[version - ANDROID_FIRST], LEVEL_BAD,
			      xasprintf("won't start %s; %s", binder ? "on such pages" :
					"without Binder", why),
			      xasprintf("see '%s' above", binder ? "pages" : "binder"));
		else
			found(patient, checks[version - ANDROID_FIRST], level,
			      xasprintf("%s%s", level == LEVEL_BAD ? "won't start: " : "", why),
			      level == LEVEL_OK ? NULL : xasprintf("%s", shared.get));
	}
}
