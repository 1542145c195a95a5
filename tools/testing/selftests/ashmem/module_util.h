/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of the tests that load and unload the module.
 *
 * ASHMEM_MODULE (default /modules/ashmem_linux.ko) is the module to load again
 * after unloading it; without that file the module is left alone.
 */
#ifndef MODULE_UTIL_H
#define MODULE_UTIL_H

#include <dirent.h>

#include "ashmem_util.h"

#define MODULE		"ashmem_linux"

static UNUSED const char *module_path(void)
{
	const char *path = getenv("ASHMEM_MODULE");

	return path ? path : "/modules/" MODULE ".ko";
}

/* References to the module, or -1 if it isn't loaded. */
static UNUSED long module_refs(void)
{
	char line[512], name[128];
	long refs = -1, n;
	FILE *f = fopen("/proc/modules", "re");

	if (!f)
		return -1;
	while (refs < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%127s %*s %ld", name, &n) == 2 &&
		    !strcmp(name, MODULE))
			refs = n;
	}
	fclose(f);
	return refs;
}

static UNUSED long module_unload(void)
{
	return RET(syscall(SYS_delete_module, MODULE, O_NONBLOCK));
}

/* The last reference is dropped a little after the call. */
static UNUSED long module_unload_soon(void)
{
	long ret = 0;
	int i;

	for (i = 0; i < 50; i++) {
		ret = module_unload();
		if (ret != -EAGAIN && ret != -EBUSY)
			break;
		nap_ms(50);
	}
	return ret;
}

static UNUSED long module_load(void)
{
	int fd = open(module_path(), O_RDONLY | O_CLOEXEC);
	long ret;

	if (fd < 0)
		return -errno;
	ret = RET(syscall(SYS_finit_module, fd, "", 0));
	close(fd);
	return ret;
}

/* udev, where it runs, sets up the node after the module's init returned. */
static UNUSED bool node_appears(bool there)
{
	struct stat st;
	int i;

	for (i = 0; i < 40; i++) {
		if (!stat(ASHMEM_DEV, &st) == there)
			return true;
		nap_ms(50);
	}
	return false;
}

/* Does any process but ours hold a descriptor of the device? */
static UNUSED bool others_use_it(void)
{
	char path[300], target[64];
	struct dirent *proc, *entry;
	bool found = false;
	DIR *all, *fds;
	ssize_t n;

	all = opendir("/proc");
	while (all && !found && (proc = readdir(all))) {
		if (proc->d_name[0] < '1' || proc->d_name[0] > '9' ||
		    atoi(proc->d_name) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/%s/fd", proc->d_name);
		fds = opendir(path);
		while (fds && !found && (entry = readdir(fds))) {
			n = readlinkat(dirfd(fds), entry->d_name, target,
				       sizeof(target) - 1);
			if (n < 0)
				continue;
			target[n] = '\0';
			found = !strcmp(target, ASHMEM_DEV);
		}
		if (fds)
			closedir(fds);
	}
	if (all)
		closedir(all);
	return found;
}

/* Why the module can't be unloaded and loaded here; NULL if it can. */
static UNUSED const char *module_is_fixed(void)
{
	if (geteuid())
		return "loading modules needs root";
	if (access(module_path(), R_OK))
		return "no module file to load again: set ASHMEM_MODULE";
	if (module_refs() < 0)
		return MODULE " is not a loaded module";
	if (others_use_it())
		return "another process uses " ASHMEM_DEV;
	return NULL;
}

#endif
