// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk over /proc: finds the descriptors and mappings of each region.
 *
 * Processes start and end during a walk. What has vanished when it is read counts as
 * never seen. Only what may not be read is counted.
 */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cmd.h"
#include "walk.h"

#define REFUSED_PIDS	(sizeof(((struct walk *)NULL)->refused_pids) / sizeof(pid_t))
#define PF_KTHREAD	0x00200000	/* of the kernel's <linux/sched.h> */

/**
 * struct look - one process being looked into
 * @walk: what is found goes there
 * @pid: the process
 * @process: its index in @walk, or NONE as long as nothing was found
 * @refused: something of it may not be looked at
 */
struct look {
	struct walk *walk;
	pid_t pid;
	size_t process;
	bool refused;
};

#define NONE	SIZE_MAX

static void note_refusal(struct look *look, int err)
{
	if (err == EACCES || err == EPERM)
		look->refused = true;
}

static size_t process_of(struct look *look)
{
	struct walk *walk = look->walk;
	struct process *process;
	struct stat st;
	char *path;

	if (look->process != NONE)
		return look->process;
	walk->processes = grown(walk->processes, walk->process_count,
				&walk->process_room, sizeof(*process));
	process = &walk->processes[walk->process_count];
	memset(process, 0, sizeof(*process));
	process->pid = look->pid;

	path = file_path("/proc/%d", (int)look->pid);
	if (!stat(path, &st))
		process->uid = st.st_uid;
	free(path);
	path = file_path("/proc/%d/comm", (int)look->pid);
	process->comm = file_read(path, &process->comm_len);
	free(path);
	if (process->comm_len && process->comm[process->comm_len - 1] == '\n')
		process->comm_len--;
	look->process = walk->process_count++;
	return look->process;
}

/* The number that a file's name consists of; -1 if it isn't one. */
static int number_of(const char *name)
{
	uint64_t value;

	if (!isdigit((unsigned char)*name) || parse_number(name, INT32_MAX, &value))
		return -1;
	return (int)value;
}

/* The seals show only through an opened file; to open a memfd changes nothing. */
static int memfd_mask(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int seals = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);

	if (fd >= 0)
		close(fd);
	if (seals < 0)
		return -1;
	return seals & (F_SEAL_FUTURE_WRITE | F_SEAL_WRITE) ? PROT_READ | PROT_EXEC :
	       PROT_READ | PROT_WRITE | PROT_EXEC;
}

/*
 * Fills in what fdinfo lacks for a memfd. False if it isn't one of libashmem's. The process
 * can replace its descriptor at any time, and to open a device has effects: take the file
 * with O_PATH first, and open only a memfd.
 */
static bool memfd_learn(const struct look *look, const char *path, struct fdinfo *info,
			char *link, size_t room)
{
	int file = open(path, O_PATH | O_CLOEXEC);
	char *own = xasprintf("/proc/self/fd/%d", file);
	struct proc_map map = { .path = link };
	enum region_kind kind;
	struct statx stx;
	bool is_memfd = file >= 0 && stat_unasked(file, "", &stx) &&
			may_be_region(&look->walk->devices, &stx, &kind) && kind == REGION_MEMFD;
	ssize_t len = is_memfd ? readlink(own, link, room) : -1;

	map.path_len = (size_t)len;
	is_memfd = len > 0 && maps_is_region(&map, &kind, &info->name, &info->name_len) &&
		   kind == REGION_MEMFD;
	if (is_memfd) {
		info->inode = stx.stx_ino;
		info->size = stx.stx_size;
		info->resident = stx.stx_blocks * 512 / (uint64_t)sysconf(_SC_PAGESIZE);
		info->unpinned = 0;
		info->purgeable = 0;
		info->purged = 0;
		info->mask = memfd_mask(own);
	}
	if (file >= 0)
		close(file);
	free(own);
	return is_memfd;
}

static void look_at_fd(struct look *look, pid_t tid, int fd, const char *link_path)
{
	struct region *region;
	char *path, *text, link[4096];
	enum region_kind kind;
	struct holder holder;
	struct fdinfo info;
	struct statx stx;
	size_t len;

	if (!stat_unasked(AT_FDCWD, link_path, &stx)) {
		note_refusal(look, errno);
		return;
	}
	if (!may_be_region(&look->walk->devices, &stx, &kind))
		return;
	path = file_path("/proc/%d/task/%d/fdinfo/%d", (int)look->pid, (int)tid, fd);
	text = file_read(path, &len);
	free(path);
	if (!text) {
		note_refusal(look, errno);
		return;
	}
	fdinfo_parse(text, len, &info);
	if (kind == REGION_ASHMEM ||
	    memfd_learn(look, link_path, &info, link, sizeof(link))) {
		holder = (struct holder){
			.process = process_of(look), .tid = tid, .fd = fd,
			.flags = info.flags,
		};
		region = info.inode != UNKNOWN ?
			 region_by_inode(look->walk, info.inode) :
			 region_unmapped(look->walk, holder.process, tid, fd);
		region->kind = kind;
		region_learn(region, &info);
		region_held(region, &holder);
	}
	free(text);
}

static void look_at_fds(struct look *look, pid_t tid)
{
	char *dir_path = file_path("/proc/%d/task/%d/fd", (int)look->pid, (int)tid);
	struct dirent *entry;
	char *path;
	DIR *dir;
	int fd;

	dir = opendir(dir_path);
	if (!dir) {
		note_refusal(look, errno);
		free(dir_path);
		return;
	}
	while ((entry = readdir(dir))) {
		fd = number_of(entry->d_name);
		if (fd < 0)
			continue;
		path = xasprintf("%s/%d", dir_path, fd);
		look_at_fd(look, tid, fd, path);
		free(path);
	}
	closedir(dir);
	free(dir_path);
}

/*
 * Of a region that no process has open any more only the file behind a mapping can
 * tell the size, and the name as it was set, to those who may look there.
 */
static void look_behind(struct look *look, struct region *region, const struct proc_map *map)
{
	char *path = file_path("/proc/%d/map_files/%llx-%llx", (int)look->pid,
			       (unsigned long long)map->start,
			       (unsigned long long)map->end);
	struct proc_map link = { .path = NULL };
	enum region_kind kind;
	char text[4096], *name;
	ssize_t linked = readlink(path, text, sizeof(text));
	struct statx stx;
	size_t len;

	if (linked > 0 && (size_t)linked < sizeof(text)) {
		link.path = text;
		link.path_len = (size_t)linked;
		if (maps_is_region(&link, &kind, &name, &len) && name)
			region_name(region, name, len);
	}

	/*
	 * The mapping can be another one by now. The file that names private mappings has
	 * neither size nor pages.
	 */
	if (stat_unasked(AT_FDCWD, path, &stx) && is_shmem(&look->walk->devices, &stx) &&
	    stx.stx_ino == map->inode && stx.stx_size) {
		region->size = stx.stx_size;
		region->resident = stx.stx_blocks * 512 / (uint64_t)sysconf(_SC_PAGESIZE);
	}
	free(path);
}

static void look_at_map(struct look *look, struct proc_map *map)
{
	struct mapping mapping = {
		.start = map->start, .end = map->end, .offset = map->offset,
	};
	enum region_kind kind;
	struct region *region;
	size_t len;
	char *name;

	/* On the kernel's own mount no user can choose a path. */
	if (map->dev != look->walk->devices.shmem || !maps_is_region(map, &kind, &name, &len))
		return;
	memcpy(mapping.perms, map->perms, sizeof(mapping.perms));
	mapping.process = process_of(look);
	region = region_by_inode(look->walk, map->inode);
	if (!region->holder_count)
		region->kind = kind;
	/* fdinfo has the exact name, maps does not. */
	if (name && !region->holder_count)
		region_name(region, name, unescape(name, len, "\n"));
	region_mapped(region, &mapping);
	if (!region->holder_count)
		look_behind(look, region, map);
}

/* False if the task has no mappings, for instance while it ends. */
static bool look_at_maps(struct look *look, pid_t tid)
{
	char *path = file_path("/proc/%d/task/%d/maps", (int)look->pid, (int)tid);
	FILE *maps = fopen(path, "re");
	struct proc_map map;
	char *line = NULL;
	size_t room = 0;
	bool any = false;
	ssize_t len;

	free(path);
	if (!maps) {
		note_refusal(look, errno);
		return look->refused;
	}
	while ((len = getline(&line, &room, maps)) > 0) {
		any = true;
		if (maps_parse(line, (size_t)len, &map))
			look_at_map(look, &map);
	}
	free(line);
	fclose(maps);
	return any;
}

/* If the kernel cannot or may not compare, use the process's table. */
static bool own_table(pid_t a, pid_t b)
{
	return syscall(SYS_kcmp, (long)a, (long)b, (long)KCMP_FILES, 0L, 0L) > 0;
}

/*
 * Most threads share the descriptors of their process, and all share its mappings. But a
 * thread can have its own table of descriptors. If the main thread has ended before
 * others, it has neither.
 */
static void look_at_tasks(struct look *look)
{
	char *path = file_path("/proc/%d/task", (int)look->pid);
	pid_t *seen = NULL;
	size_t count = 0, room = 0, i;
	struct dirent *entry;
	bool mapped = false;
	DIR *dir = opendir(path);
	pid_t tid;

	free(path);
	if (!dir) {
		note_refusal(look, errno);
		return;
	}
	while (!look->refused && (entry = readdir(dir))) {
		tid = number_of(entry->d_name);
		if (tid <= 0)
			continue;
		for (i = 0; i < count && own_table(seen[i], tid); i++)
			;
		if (i == count) {
			look_at_fds(look, tid);
			seen = grown(seen, count, &room, sizeof(*seen));
			seen[count++] = tid;
		}
		if (!mapped)
			mapped = look_at_maps(look, tid);
	}
	closedir(dir);
	free(seen);
}

/* Kernel threads have no regions: a refusal does not matter. */
static bool is_kernel_thread(pid_t pid)
{
	char *path = file_path("/proc/%d/stat", (int)pid);
	char *text = file_read(path, NULL);
	uint64_t flags = 0;
	bool kernel;
	char state;

	free(path);
	kernel = text && stat_parse(text, &state, &flags) && (flags & PF_KTHREAD);
	free(text);
	return kernel;
}

/**
 * walk_all - find all regions
 * @walk: what was found; walk_free() it, also after an error
 *
 * Return: 0, or why there is no /proc or no memfd.
 */
int walk_all(struct walk *walk)
{
	char *path = file_path("/proc");
	struct dirent *entry;
	DIR *dir;
	int err;

	memset(walk, 0, sizeof(*walk));
	dir = opendir(path);
	err = dir ? 0 : -errno;
	free(path);
	if (err)
		return err;
	err = devices_learn(&walk->devices);
	while (!err && (entry = readdir(dir))) {
		struct look look = {
			.walk = walk, .pid = number_of(entry->d_name), .process = NONE,
		};

		if (look.pid <= 0)
			continue;
		look_at_tasks(&look);
		if (!look.refused || is_kernel_thread(look.pid))
			continue;
		if (walk->refused < REFUSED_PIDS)
			walk->refused_pids[walk->refused] = look.pid;
		walk->refused++;
	}
	closedir(dir);
	return err;
}

/* The same, with what went wrong on stderr. Returns 0 or an exit code. */
int walk_or_say(struct walk *walk)
{
	int err = walk_all(walk);

	if (err)
		return fail("can't look for regions: %s", strerror(-err));
	return 0;
}

static void say_refused(const struct walk *walk)
{
	char *pids = xasprintf("%d", (int)walk->refused_pids[0]), *more;
	size_t i;

	for (i = 1; i < walk->refused && i < REFUSED_PIDS; i++) {
		more = xasprintf("%s, %d", pids, (int)walk->refused_pids[i]);
		free(pids);
		pids = more;
	}
	if (walk->refused > REFUSED_PIDS) {
		more = xasprintf("%s and %lu more", pids,
				 walk->refused - (unsigned long)REFUSED_PIDS);
		free(pids);
		pids = more;
	}
	say("process%s %s may not be looked into%s", walk->refused == 1 ? "" : "es", pids,
	    geteuid() ? "; root sees all" : ": it takes CAP_SYS_PTRACE");
	free(pids);
}

/* Prints on stderr what a list lacks. */
void walk_say_limits(const struct walk *walk)
{
	if (!walk->devices.rdev)
		say("the kernel has no ashmem device ('ashmem doctor' tells why);"
		    " looked for regions on memfd only");
	if (walk->refused)
		say_refused(walk);
}

void walk_free(struct walk *walk)
{
	size_t i;

	regions_free(walk);
	for (i = 0; i < walk->process_count; i++)
		free(walk->processes[i].comm);
	free(walk->processes);
}
