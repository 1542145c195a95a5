// SPDX-License-Identifier: GPL-2.0-only
/*
 * ashmem create: a region that lives as long as a command, or as this process.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ashmem.h>

#include "ashmem.h"
#include "cutils/ashmem.h"
#include "cmd.h"
#include "fill.h"

/**
 * struct wish - the region that was asked for
 * @name: or NULL
 * @size: bytes, 0 if not given
 * @mask: PROT_*, or -1 for all
 * @from: a file with its contents, "-" for stdin, or NULL
 * @number: the descriptor that the command is to get, or -1
 * @unpin: leave all of it unpinned
 * @detach: hold it in the background
 */
struct wish {
	const char *name;
	uint64_t size;
	int mask;
	const char *from;
	int number;
	bool unpin;
	bool detach;
};

/* Opens the input. Returns a descriptor, or -1 after an error message. */
static int open_contents(struct wish *wish)
{
	struct stat st;
	int fd = STDIN_FILENO;
	off_t at;

	if (strcmp(wish->from, "-")) {
		fd = open(wish->from, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			fail("can't open '%s': %s", wish->from, strerror(errno));
			return -1;
		}
	}
	if (fstat(fd, &st)) {
		fail("can't read '%s': %s", wish->from, strerror(errno));
		return -1;
	}
	if (wish->size)
		return fd;
	at = lseek(fd, 0, SEEK_CUR);
	if (!S_ISREG(st.st_mode) || at < 0 || st.st_size <= at) {
		fail("'%s' doesn't tell how long it is: give a size", wish->from);
		return -1;
	}
	wish->size = (uint64_t)(st.st_size - at);
	return fd;
}

/* By the library's object, which leaves no mapping behind. */
static int fill_new(int fd, const struct wish *wish, int contents)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	struct ashm *region;
	int code, ret;

	ret = own < 0 ? -errno : ashm_adopt(own, &region);
	if (ret)
		return fail("can't fill the region: %s", strerror(-ret));
	code = fill_from(region, 0, wish->size, true, contents);
	ashm_close(region);
	return code;
}

/* The seals of a memfd can only remove the right to write. */
static void warn_of_mask(int fd, int mask)
{
	int got = mask & PROT_WRITE ? PROT_READ | PROT_WRITE | PROT_EXEC :
		PROT_READ | PROT_EXEC;
	char asked[4], is[4];
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || mask == got)
		return;
	mask_text(mask, asked);
	mask_text(got, is);
	say("without /dev/ashmem a region can lose w only: the mask is %s, not %s", is, asked);
}

/* The region's descriptor, close-on-exec; -1 after an error message. */
static int make(struct wish *wish)
{
	struct ashm *region;
	const char *why;
	int contents = -1, fd, ret;

	if (wish->from) {
		contents = open_contents(wish);
		if (contents < 0)
			return -1;
	}
	ret = ashm_create(wish->name, (size_t)wish->size, &region);
	if (ret && ashm_backend(&why) < 0) {
		fail("can't make a region: %s", why);
		return -1;
	}
	if (ret) {
		fail("can't make a region of %llu bytes: %s",
		     (unsigned long long)wish->size, strerror(-ret));
		return -1;
	}
	fd = ashm_fd(region);
	if (wish->from && fill_new(fd, wish, contents))
		return -1;
	if (contents > STDIN_FILENO)
		close(contents);
	if (wish->unpin && ashmem_unpin_region(fd, 0, 0) < 0) {
		fail("can't unpin the region: %s", strerror(errno));
		return -1;
	}
	ret = wish->mask >= 0 ? ashm_protect(region, wish->mask) : 0;
	if (ret) {
		fail("can't set the mask: %s", strerror(-ret));
		return -1;
	}
	if (wish->mask >= 0)
		warn_of_mask(fd, wish->mask);
	return fd;
}

/* Does not return. The exit codes for a missing command are those of a shell. */
static noreturn void run_command(int fd, const struct wish *wish, char **argv)
{
	char number[16];
	int given = fd, err;

	if (wish->number >= 0 && wish->number != fd)
		given = dup2(fd, wish->number);
	else if (fcntl(fd, F_SETFD, 0))
		given = -1;
	if (given < 0)
		die("can't give descriptor %d to the command: %s", wish->number,
		    strerror(errno));
	snprintf(number, sizeof(number), "%d", given);
	if (setenv("ASHMEM_FD", number, 1))
		die("out of memory");
	execvp(argv[0], argv);
	err = errno;
	say("can't run '%s': %s", argv[0], strerror(err));
	exit(err == ENOENT ? 127 : 126);
}

/* Closes all descriptors but @fd and stdin. */
static bool close_others(int fd)
{
	struct dirent *entry;
	DIR *dir;
	int i;

	if (!syscall(SYS_close_range, 1U, (unsigned int)fd - 1, 0) &&
	    !syscall(SYS_close_range, (unsigned int)fd + 1, UINT_MAX, 0))
		return true;
	/* An old kernel, or the filter of a container. */
	dir = opendir("/proc/self/fd");
	if (!dir)
		return false;
	while ((entry = readdir(dir))) {
		i = atoi(entry->d_name);
		if (i > 0 && i != fd && i != dirfd(dir))
			close(i);
	}
	closedir(dir);
	return true;
}

/* What ends the holder. Signals that the caller ignores (nohup) stay ignored. */
static sigset_t ends(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction act;
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (!sigaction(signals[i], NULL, &act) && act.sa_handler != SIG_IGN)
			sigaddset(&set, signals[i]);
	return set;
}

/* Before the region is announced: a reader may end its holder or look into it at once. */
static void prepare_to_hold(void)
{
	sigset_t set = ends();

	/* Make fill and cat of the same user work under ptrace_scope 1, too. */
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int hold(void)
{
	sigset_t set = ends();
	int sig;

	while (sigwait(&set, &sig))
		;
	return EXIT_OK;
}

/* "PID/FD" of the process that holds the region. */
static bool announce(pid_t pid, int fd)
{
	printf("%d/%d\n", (int)pid, fd);
	return !fflush(stdout);
}

/* The child: leaves the caller's session, directory and files, and says so on @ready. */
static noreturn void hold_in_background(int fd, int ready)
{
	prepare_to_hold();
	setsid();
	/* The caller would wait for the end of any of its pipes. */
	if (!fd || chdir("/") || dup2(ready, STDIN_FILENO) < 0 || !close_others(fd) ||
	    write(STDIN_FILENO, "", 1) != 1)
		_exit(EXIT_FAILED);
	close(STDIN_FILENO);
	_exit(hold());
}

static int hold_detached(int fd)
{
	int ready[2], status = 0;
	ssize_t got;
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		return fail("can't make a pipe: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return fail("can't start a process: %s", strerror(errno));
	if (!pid)
		hold_in_background(fd, ready[1]);
	close(ready[1]);
	do
		got = read(ready[0], &byte, 1);
	while (got < 0 && errno == EINTR);
	if (got == 1 && announce(pid, fd))
		return EXIT_OK;
	/* The caller could not learn of it, and it would stay forever. */
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (got == 1)
		return EXIT_FAILED;
	return fail("can't hold the region in the background: its process has ended (%s)",
		    WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "failed");
}

static int parse_options(const struct command *self, int argc, char **argv,
			 struct wish *wish)
{
	static const struct option longs[] = {
		{ "detach", no_argument, NULL, 'd' },
		{ "fd", required_argument, NULL, 'F' },
		{ "from", required_argument, NULL, 'f' },
		{ "mask", required_argument, NULL, 'm' },
		{ "name", required_argument, NULL, 'n' },
		{ "size", required_argument, NULL, 's' },
		{ "unpin", no_argument, NULL, 'u' },
		HELP_OPTION,
		{ NULL, 0, NULL, 0 },
	};
	uint64_t number;
	int opt;

	/* "+": arguments after the command's name belong to the command. */
	while ((opt = command_getopt(self, argc, argv, "+dF:f:m:n:s:uh", longs)) != -1) {
		switch (opt) {
		case 'd':
			wish->detach = true;
			break;
		case 'F':
			if (parse_number(optarg, 1023, &number))
				return command_usage(self, "'%s' is no descriptor (0 to 1023)",
						     optarg);
			wish->number = (int)number;
			break;
		case 'f':
			wish->from = optarg;
			break;
		case 'm':
			if (parse_mask(optarg, &wish->mask))
				return command_usage(self, "'%s' is no mask, such as rw or r--",
						     optarg);
			break;
		case 'n':
			if (strlen(optarg) >= ASHMEM_NAME_LEN)
				return command_usage(self, "the name is longer than %d bytes",
						     ASHMEM_NAME_LEN - 1);
			wish->name = optarg;
			break;
		case 's':
			if (parse_size(optarg, &wish->size) || !wish->size ||
			    wish->size > SIZE_MAX)
				return command_usage(self, "'%s' is no size", optarg);
			break;
		case 'u':
			wish->unpin = true;
			break;
		}
	}
	return EXIT_OK;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct wish wish = { .mask = -1, .number = -1 };
	int code = parse_options(self, argc, argv, &wish);
	int fd;

	if (code)
		return code;
	if (!wish.size && !wish.from)
		return command_usage(self, "give a size, or a file to fill it from");
	if (wish.detach && optind < argc)
		return command_usage(self, "--detach and a command don't go together");
	if (wish.number >= 0 && optind == argc)
		return command_usage(self, "--fd is for a command");
	fd = make(&wish);
	if (fd < 0)
		return EXIT_FAILED;
	if (optind < argc)
		run_command(fd, &wish, argv + optind);
	if (wish.detach)
		return hold_detached(fd);
	prepare_to_hold();
	if (!announce(getpid(), fd))
		return EXIT_FAILED;
	return hold();
}

const struct command create_command = {
	.name = "create",
	.summary = "make a region, for a command or to be held",
	.usage = "[OPTION]... [--] [COMMAND [ARGUMENT]...]\n"
		 "Make a region. With a COMMAND, execute it: it gets the region's descriptor,\n"
		 "whose number is in ASHMEM_FD. Without one, print PID/FD of the region for the\n"
		 "other commands, and hold it until killed.\n"
		 "Without /dev/ashmem it is a memfd, unless ASHMEM_BACKEND=ashmem is set.\n\n"
		 "  -d, --detach     hold it in the background: kill PID when done\n"
		 "  -F, --fd=N       the descriptor that COMMAND gets\n"
		 "  -f, --from=FILE  its contents; '-' is stdin\n"
		 "  -m, --mask=MASK  the rights of later mappings, of rwx (rwx)\n"
		 "  -n, --name=NAME  up to 255 bytes\n"
		 "  -s, --size=SIZE  bytes, or with K, M, G or T; FILE's length if not given\n"
		 "  -u, --unpin      unpin it: the kernel may purge the contents\n"
		 "  -h, --help       this text\n",
	.run = run,
};
