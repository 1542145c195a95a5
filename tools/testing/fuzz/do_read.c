// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations: all ways to read.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fuzz.h"

/* Not more than the good buffer holds, so that nothing else is overwritten. */
static size_t count_of(uint64_t which, uint64_t count)
{
	if (which % 8 == GOOD || which % 8 == UNALIGNED || which % 8 == MAPPED)
		return count % (15 * PAGE_BYTES);
	return count;
}

void do_read(struct worker *w, const uint64_t *a)
{
	size_t count = count_of(a[1], a[2]);

	CALL(read(fd_of(w, a[0]), buffer(a[1], count), count));
}

void do_pread(struct worker *w, const uint64_t *a)
{
	size_t count = count_of(a[1], a[2]);

	CALL(pread(fd_of(w, a[0]), buffer(a[1], count), count, (off_t)a[3]));
}

void do_readv(struct worker *w, const uint64_t *a)
{
	size_t count = count_of(a[1], a[2]);
	struct iovec iov[] = {
		{ buffer(GOOD, count / 2), count % (8 * PAGE_BYTES) / 2 },
		{ buffer(GOOD, 0), 0 },
		{ buffer(a[1], count), count },
	};

	CALL(preadv2(fd_of(w, a[0]), iov, 3, (off_t)a[3], a[3] & 1 ? RWF_NOWAIT : 0));
}

void do_lseek(struct worker *w, const uint64_t *a)
{
	CALL(lseek(fd_of(w, a[0]), (off_t)a[1], (int)(a[2] % 6)));
}

void do_splice(struct worker *w, const uint64_t *a)
{
	loff_t offset = (loff_t)a[1];
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return;
	CALL(splice(fd_of(w, a[0]), a[1] & 1 ? NULL : &offset, fds[1], NULL, a[2],
		    SPLICE_F_NONBLOCK));
	/* Sometimes into the region, which must refuse. */
	if (a[2] & 1 && splice(fds[0], NULL, fd_of(w, a[0]), NULL, a[2] % 65536,
			       SPLICE_F_NONBLOCK) > 0 && !w->racing)
		finding("splice() wrote");
	close(fds[0]);
	close(fds[1]);
}

void do_sendfile(struct worker *w, const uint64_t *a)
{
	off_t offset = (off_t)a[1];
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return;
	CALL(sendfile(fds[1], fd_of(w, a[0]), a[1] & 1 ? NULL : &offset, a[2] % (1 << 20)));
	close(fds[0]);
	close(fds[1]);
}

void do_copy_file_range(struct worker *w, const uint64_t *a)
{
	static int file = -1;

	if (file < 0)
		file = memfd_create("copy", MFD_CLOEXEC);
	if (CALL(copy_file_range(file, NULL, fd_of(w, a[1]), NULL, a[2] % 65536, 0)) > 0 &&
	    !w->racing)
		finding("copy_file_range() wrote");
	CALL(copy_file_range(fd_of(w, a[0]), NULL, file, NULL, a[2] % 65536, 0));
	if (lseek(file, 0, SEEK_SET) || ftruncate(file, 0))
		return;
}
