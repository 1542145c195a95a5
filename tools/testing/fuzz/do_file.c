// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations: descriptors, and calls on files other than reads.
 */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

/* Slots of the workers' common regions stay as they are. */
void set_slot(struct worker *w, uint64_t slot, int fd)
{
	slot %= OWN_SLOTS;
	if (w->fd[slot] >= 0)
		close(w->fd[slot]);
	w->fd[slot] = fd;
}

void do_open(struct worker *w, const uint64_t *a)
{
	long fd = CALL(open("/dev/ashmem", (int)a[1] | O_CLOEXEC));

	set_slot(w, a[0], fd < 0 ? -1 : (int)fd);
}

void do_reopen(struct worker *w, const uint64_t *a)
{
	char path[32];
	long fd;

	if (fd_of(w, a[0]) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd_of(w, a[0]));
	fd = CALL(open(path, (int)a[2] | O_CLOEXEC));
	set_slot(w, a[1], fd < 0 ? -1 : (int)fd);
}

void do_dup(struct worker *w, const uint64_t *a)
{
	long fd = CALL(dup(fd_of(w, a[0])));

	if (fd >= 0)
		set_slot(w, a[1], (int)fd);
}

void do_close(struct worker *w, const uint64_t *a)
{
	if (a[0] % SLOTS < OWN_SLOTS)
		set_slot(w, a[0] % SLOTS, -1);
}

void do_write(struct worker *w, const uint64_t *a)
{
	long ret = CALL(write(fd_of(w, a[0]), buffer(a[1], a[2] % 65536), a[2] % 65536));

	if (ret > 0 && !w->racing)
		finding("write() took %ld bytes", ret);
}

void do_ftruncate(struct worker *w, const uint64_t *a)
{
	if (CALL(ftruncate(fd_of(w, a[0]), (off_t)a[1])) == 0 && !w->racing)
		finding("ftruncate() succeeded");
}

void do_fallocate(struct worker *w, const uint64_t *a)
{
	if (CALL(fallocate(fd_of(w, a[0]), (int)a[1], (off_t)a[2], (off_t)a[3])) == 0 &&
	    !w->racing)
		finding("fallocate() succeeded");
}

void do_fcntl(struct worker *w, const uint64_t *a)
{
	CALL(fcntl(fd_of(w, a[0]), (int)a[1],
		   a[1] == F_SETFL || a[1] == F_SETFD ? a[2] :
		   a[1] == F_SETSIG ? SIGUSR1 : a[2] & 0xffff));
}

void do_poll(struct worker *w, const uint64_t *a)
{
	struct pollfd pfd = { .fd = fd_of(w, a[0]), .events = POLLIN | POLLOUT };
	struct stat st;

	CALL(poll(&pfd, 1, 0));
	CALL(fstat(fd_of(w, a[0]), &st));
}

void do_fsync(struct worker *w, const uint64_t *a)
{
	CALL(fsync(fd_of(w, a[0])));
}

void do_fadvise(struct worker *w, const uint64_t *a)
{
	CALL(posix_fadvise(fd_of(w, a[0]), (off_t)a[1], (off_t)a[2], (int)a[3]));
}
