// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking a copy of another process's descriptor.
 *
 * Opening /proc/PID/fd/FD of a device makes a new region, so the copy is made by
 * pidfd_getfd(2), which has the permission check of ptrace(2).
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ashmem.h"
#include "cmd.h"
#include "peer.h"
#include "walk.h"

/* "12/3", or "/proc/12/fd/3". */
static bool peer_parse(const char *text, struct peer *peer)
{
	uint64_t pid, fd;
	const char *slash;
	char *first;
	bool good;

	if (!strncmp(text, "/proc/", 6)) {
		text += 6;
		slash = strstr(text, "/fd/");
	} else {
		slash = strchr(text, '/');
	}
	if (!slash)
		return false;
	first = xasprintf("%.*s", (int)(slash - text), text);
	good = !parse_number(first, INT32_MAX, &pid) && pid &&
	       !parse_number(strrchr(slash, '/') + 1, INT32_MAX, &fd);
	free(first);
	if (!good)
		return false;
	*peer = (struct peer){ .pid = (pid_t)pid, .fd = (int)fd, .own = -1 };
	return true;
}

/* The one operand of a command: 0 or an exit code. */
int peer_operand(const struct command *self, int argc, char **argv, struct peer *peer)
{
	if (optind == argc)
		return command_usage(self, "no region: PID/FD is missing");
	if (argc - optind > 1)
		return command_usage(self, "too many arguments: '%s'", argv[optind + 1]);
	if (!peer_parse(argv[optind], peer))
		return command_usage(self, "'%s' isn't PID/FD, such as 1234/5",
				     argv[optind]);
	return EXIT_OK;
}

/* Says that there is no such process or descriptor, if that is so. */
bool peer_known(const struct peer *peer)
{
	char *path = file_path("/proc/%d", (int)peer->pid);
	char *link = file_path("/proc/%d/fd/%d", (int)peer->pid, peer->fd);
	struct stat st;
	bool known = false;

	if (stat(path, &st))
		fail("there is no process %d", (int)peer->pid);
	else if (lstat(link, &st) && errno == ENOENT)
		fail("process %d has no descriptor %d", (int)peer->pid, peer->fd);
	else
		known = true;
	free(path);
	free(link);
	return known;
}

/* Why the kernel says EPERM, and what would help. */
static void explain_refusal(const struct peer *peer)
{
	char *path = file_path("/proc/%d", (int)peer->pid);
	char *scope_path = file_path("/proc/sys/kernel/yama/ptrace_scope");
	char *scope = file_line(scope_path);
	struct stat st;
	uid_t uid = geteuid();

	if (!stat(path, &st) && st.st_uid != uid && uid)
		say("not allowed to take descriptor %d of process %d: it belongs to user"
		    " %u; be that user, or root (CAP_SYS_PTRACE)", peer->fd,
		    (int)peer->pid, (unsigned int)st.st_uid);
	else if (scope && !strcmp(scope, "1") && uid)
		say("not allowed to take descriptor %d of process %d:"
		    " kernel.yama.ptrace_scope is 1, so it takes CAP_SYS_PTRACE (root) or a"
		    " process that allows it, as those of 'ashmem create' do",
		    peer->fd, (int)peer->pid);
	else if (scope && *scope > '0')
		say("not allowed to take descriptor %d of process %d:"
		    " kernel.yama.ptrace_scope is %s, %s", peer->fd, (int)peer->pid, scope,
		    *scope == '3' ? "so no user may until the next boot" :
		    "so it takes CAP_SYS_PTRACE (root)");
	else
		say("not allowed to take descriptor %d of process %d: it takes what ptrace(2)"
		    " takes, CAP_SYS_PTRACE or an ordinary process of the same user",
		    peer->fd, (int)peer->pid);
	free(scope);
	free(scope_path);
	free(path);
}

/* A copy of the descriptor, close-on-exec; -1 with errno. */
static int copy(const struct peer *peer)
{
	int pidfd = (int)syscall(SYS_pidfd_open, peer->pid, 0);
	int fd, err;

	if (pidfd < 0)
		return -1;
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, peer->fd, 0);
	err = errno;
	close(pidfd);
	errno = err;
	return fd;
}

static void say_why_not(const struct peer *peer, int err)
{
	if (err == EPERM || err == EACCES)
		explain_refusal(peer);
	else if (err == EINVAL)
		say("%d is a thread; name its process", (int)peer->pid);
	else if (err == ENOTTY)
		say("descriptor %d of process %d is no region", peer->fd, (int)peer->pid);
	else if (err == EBADF || err == ENOENT || err == ESRCH)
		say("process %d is gone, or has closed descriptor %d", (int)peer->pid,
		    peer->fd);
	else
		say("can't take descriptor %d of process %d: %s", peer->fd,
		    (int)peer->pid, strerror(err));
}

/* First closes the files below the copy: a reader of our output must not wait, too. */
static int close_late(void *arg)
{
	const int *parent_copy = arg;
	int fd;

	while (getppid() == parent_copy[0])
		usleep(1000);
	for (fd = 0; fd < parent_copy[1]; fd++)
		close(fd);
	return 0;
}

/*
 * Closing a copy of an open file waits for its server, and no signal ends that. An exit does
 * not close what is shared with a child: leave it to one.
 */
static void leave_to_child(int wrong)
{
	static char stack[65536] __attribute__((aligned(16)));
	int parent_copy[] = { getpid(), wrong };

	clone(close_late, stack + sizeof(stack), CLONE_FILES | SIGCHLD, parent_copy);
}

/**
 * peer_copy - copy the descriptor if it is a region
 * @peer: the descriptor; @own, @kind and @info are filled in
 *
 * The process chose the file. An ioctl on another device has effects, and closing a copy can
 * hang: copy only what can be a region. The process can replace the descriptor at any time, so
 * check the copy, too.
 *
 * Return: 0; -ENOTTY if it is no region; another negative errno.
 */
int peer_copy(struct peer *peer)
{
	char *path = file_path("/proc/%d/fd/%d", (int)peer->pid, peer->fd), *text;
	struct devices devices;
	struct statx stx;
	size_t len;
	int err = devices_learn(&devices);

	if (!err && !stat_unasked(AT_FDCWD, path, &stx))
		err = -errno;
	free(path);
	if (err)
		return err;
	if (!may_be_region(&devices, &stx, &peer->kind))
		return -ENOTTY;
	peer->own = copy(peer);
	if (peer->own < 0)
		return -errno;
	if (!stat_unasked(peer->own, "", &stx) ||
	    !may_be_region(&devices, &stx, &peer->kind) || ashm_backend_of(peer->own) < 0) {
		leave_to_child(peer->own);
		return -ENOTTY;
	}

	/* It stays: info has its name in there. */
	path = xasprintf("/proc/self/fdinfo/%d", peer->own);
	text = file_read(path, &len);
	free(path);
	if (!text)
		return -errno;
	fdinfo_parse(text, len, &peer->info);
	if (peer->kind == REGION_MEMFD) {
		peer->info.inode = stx.stx_ino;
		peer->info.size = stx.stx_size;
	}
	return 0;
}

/* Fills in @own, @kind and @info: 0, or an exit code. */
static int take(struct peer *peer)
{
	int err;

	if (!peer_known(peer))
		return EXIT_FAILED;
	err = peer_copy(peer);
	if (err) {
		say_why_not(peer, -err);
		return EXIT_FAILED;
	}
	if (peer->info.size == UNKNOWN)
		return fail("the driver doesn't tell the size of regions");
	return EXIT_OK;
}

/**
 * peer_get - get hold of the region that a command's one operand names
 * @self: the command
 * @argc: its arguments, with the options behind it
 * @argv: its arguments
 * @check: whether the command can do with that region; says why not
 * @peer: where to
 *
 * Return: 0, or an exit code after having said what is wrong.
 */
int peer_get(const struct command *self, int argc, char **argv,
	     int (*check)(const struct peer *peer), struct peer *peer)
{
	int code = peer_operand(self, argc, argv, peer);

	if (!code)
		code = take(peer);
	if (!code)
		code = check(peer);
	return code;
}

/* Takes in LENGTH_OPTION or OFFSET_OPTION: 0 or an exit code. */
int part_option(const struct command *self, int opt, struct part *part)
{
	if (opt == 'o')
		return parse_size(optarg, &part->offset) ?
		       command_usage(self, "'%s' is no offset", optarg) : EXIT_OK;
	if (parse_size(optarg, &part->length) || part->length == UNKNOWN)
		return command_usage(self, "'%s' is no length", optarg);
	return EXIT_OK;
}

/**
 * peer_interval - check a part against the region's size
 * @peer: the region
 * @part: the part, whose length is known afterwards
 *
 * Return: 0, or an exit code after having said what is wrong.
 */
int peer_interval(const struct peer *peer, struct part *part)
{
	uint64_t size = peer->info.size;

	if (part->offset > size)
		return fail("offset %llu is behind the end of the region, which has %llu bytes",
			    (unsigned long long)part->offset, (unsigned long long)size);
	if (part->length == UNKNOWN)
		part->length = size - part->offset;
	if (part->length > size - part->offset)
		return fail("%llu bytes from offset %llu on pass the end of the region, which"
			    " has %llu", (unsigned long long)part->length,
			    (unsigned long long)part->offset, (unsigned long long)size);
	return EXIT_OK;
}
