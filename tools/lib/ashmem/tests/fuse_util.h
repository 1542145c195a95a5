/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file system whose server stops answering: calls that ask it hang.
 */
#ifndef FUSE_UTIL_H
#define FUSE_UTIL_H

#include "ashmem_util.h"

#include <linux/fuse.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#define FUSE_FD	50	/* of the holder's open file */

static bool fuse_request(int fuse, uint32_t opcode, const void *body, size_t len)
{
	struct { struct fuse_out_header header; char body[256]; } out = {
		.header = { .len = (uint32_t)(sizeof(out.header) + len) },
	};
	static struct fuse_in_header in[65536 / sizeof(struct fuse_in_header)];

	if (read(fuse, in, sizeof(in)) < (ssize_t)sizeof(*in) || in->opcode != opcode)
		return false;
	out.header.unique = in->unique;
	memcpy(out.body, body, len);
	return write(fuse, &out, out.header.len) == (ssize_t)out.header.len;
}

/* Closing a file hangs until all have closed @fuse: a file stays here, a directory is passed. */
static int fuse_hold(int sock, int fuse, const char *root, mode_t type)
{
	int fds[2];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(fuse);
	fds[0] = open(root, O_PATH | O_CLOEXEC);
	fds[1] = open(root, O_RDONLY | O_CLOEXEC);
	if (dup2(fds[1], FUSE_FD) < 0 ||
	    send_fds(sock, (uint64_t)getpid(), fds, type == S_IFDIR ? 2 : 0))
		return 1;
	pause();
	return 0;
}

/*
 * Serves a root of that type in a new mount namespace until it is open, and answers nothing
 * after. Sends its holder's PID, or 0 if there is no FUSE.
 */
static int fuse_serve(int sock, mode_t type)
{
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = 27, .max_write = 4096,
	};
	struct fuse_open_out opened = { 0 };
	char root[] = "/tmp/fuse.XXXXXX", options[80];
	int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	snprintf(options, sizeof(options), "fd=%d,rootmode=%o,user_id=0,group_id=0", fuse,
		 (unsigned int)type);
	if (fuse < 0 || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/tmp", "tmpfs", 0, NULL) ||
	    (type == S_IFDIR ? !mkdtemp(root) : mkstemp(root) < 0) ||
	    mount("test", root, "fuse", MS_NODEV | MS_NOSUID, options))
		return send_word(sock, 0) ? 1 : 0;
	if (!fuse_request(fuse, FUSE_INIT, &init, sizeof(init)))
		return 1;
	if (!fork())
		_exit(fuse_hold(sock, fuse, root, type));
	if (!fuse_request(fuse, type == S_IFDIR ? FUSE_OPENDIR : FUSE_OPEN, &opened,
			  sizeof(opened)))
		return 1;
	/* A call that asks after all ends with an error. */
	sleep(10);
	return 0;
}

#endif
