// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading in all ways, and the position.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ashmem_diff.h"

#define POISON	((char)0xa5)

/*
 * In the original a pread() that returned something left its end behind as
 * what lseek(SEEK_CUR) starts from.
 */
static void preaded(struct region *region, __s64 offset, long n)
{
	if (n > 0)
		region->there_pos = offset + n;
}

static void move_to(struct region *region, __s64 pos)
{
	region->pos = pos;
	region->there_pos = pos;
}

static void advanced(struct region *region, long n)
{
	if (n > 0)
		move_to(region, region->pos + n);
}

/* A pread() for the tester itself. */
long quiet_pread(struct fd_slot *slot, void *data, size_t length, __s64 offset)
{
	long n = pread(slot->fd, data, length, offset);

	preaded(slot->region, offset, n);
	return n;
}

static size_t pick_length(void)
{
	if (one_in(16))
		return 0;
	return one_in(3) ? (1 + rnd(6)) * page_bytes : 1 + rnd(3 * page_bytes);
}

static void result_read(long n, const char *data, size_t length, enum buffer which)
{
	size_t i;

	/* Did the call change more of the buffer than it returned? */
	if (which == GOOD && n >= 0) {
		for (i = n; i < length + 8; i++) {
			if (data[i] != POISON) {
				result("%ld:%s:spilt", n, hash_text(hash(data, n)));
				return;
			}
		}
	}
	result_bytes(n, data);
}

void op_read(void)
{
	struct fd_slot *slot = pick_backed();
	enum buffer which = pick_buffer();
	size_t length = pick_length();
	char *data = buffer(which, length);
	long n;

	op("read f%d r%d len=%zu ptr=%s", fd_number(slot), region_number(slot->region),
	   length, buffer_text(which));
	n = read(slot->fd, data, length);
	result_read(n, data, length, which);
	advanced(slot->region, n);
}

static __s64 pick_offset(const struct region *region)
{
	static const __s64 odd[] = {
		-1, INT64_MAX, INT64_MIN, 1LL << 32, (1LL << 62) + 1, INT64_MAX - 4096,
	};

	if (one_in(12))
		return PICK(odd);
	if (one_in(6))
		return region->size;
	if (one_in(3))
		return rnd(SMALL_PAGES) * page_bytes;
	return rnd(region->size < 1 << 20 ? region->size + page_bytes : 1 << 20);
}

void op_pread(void)
{
	struct fd_slot *slot = pick_backed();
	enum buffer which = pick_buffer();
	size_t length = pick_length();
	__s64 offset = pick_offset(slot->region);
	char *data = buffer(which, length);
	long n;

	op("pread f%d r%d len=%zu offset=%lld ptr=%s", fd_number(slot),
	   region_number(slot->region), length, (long long)offset, buffer_text(which));
	n = pread(slot->fd, data, length, offset);
	result_read(n, data, length, which);
	preaded(slot->region, offset, n);
}

void op_readv(void)
{
	struct fd_slot *slot = pick_backed();
	unsigned int parts = one_in(16) ? 0 : 1 + rnd(4), bad = rnd(8), i;
	bool at = one_in(2);
	__s64 offset = pick_offset(slot->region);
	char *data = buffer(GOOD, 0), *end = data;
	struct iovec iov[4];
	long n;

	op("%s f%d r%d", at ? "preadv" : "readv", fd_number(slot),
	   region_number(slot->region));
	for (i = 0; i < parts; i++) {
		iov[i].iov_len = one_in(6) ? 0 : 1 + rnd(page_bytes);
		iov[i].iov_base = i == bad ? buffer(NO_RIGHTS, 0) : end;
		op("%s%zu", i == bad ? "bad:" : "", iov[i].iov_len);
		if (i != bad)
			end += iov[i].iov_len;
	}
	if (at) {
		op("offset=%lld", (long long)offset);
		n = preadv(slot->fd, iov, parts, offset);
	} else {
		n = readv(slot->fd, iov, parts);
	}
	/* The parts are read in order, and a bad one ends the read. */
	result_read(n, data, end - data, GOOD);
	if (at)
		preaded(slot->region, offset, n);
	else
		advanced(slot->region, n);
}

static bool seekable(const struct region *region)
{
	return region->size && region->backed;
}

static void seek_set(struct fd_slot *slot, __s64 offset)
{
	struct region *region = slot->region;
	__s64 ret;

	op("lseek f%d r%d set %lld", fd_number(slot), region_number(region),
	   (long long)offset);
	ret = lseek(slot->fd, offset, SEEK_SET);
	result_number(ret);
	if (ret >= 0)
		move_to(region, ret);
}

static __s64 seek_cur(__s64 pos, __s64 offset)
{
	__s64 sum;

	if (__builtin_add_overflow(pos, offset, &sum) || sum < 0)
		return -EINVAL;
	return sum;
}

/*
 * Where SEEK_DATA or SEEK_HOLE leads in a region that has the pages @present.
 */
static __s64 seek_data(const struct region *region, __u32 present,
		       __s64 offset, bool data)
{
	__s64 size = region->size, to;
	__u64 page;

	if (offset < 0 || offset >= size)
		return -ENXIO;
	page = offset / page_bytes;
	while (page < region_pages(region) && !!(present >> page & 1) != data)
		page++;
	to = page * page_bytes;
	if (to <= offset)
		return offset;
	if (to < size)
		return to;
	return data ? -ENXIO : size;
}

static void op_position(const char *which, __s64 value)
{
	if (value < 0)
		op("%s=%s", which, errno_text(-value));
	else
		op("%s=%lld", which, (long long)value);
}

void op_lseek(void)
{
	static const char *const text[] = { "set", "cur", "end", "data", "hole" };
	struct fd_slot *slot = pick_backed();
	struct region *region = slot->region;
	__s64 offset = pick_offset(region), ret, there = 0, here = 0;
	int whence = rnd(5);

	if (one_in(20)) {
		whence = 5 + rnd(20);
		op("lseek f%d r%d whence=%d %lld", fd_number(slot), region_number(region),
		   whence, (long long)offset);
		result_number(lseek(slot->fd, offset, whence));
		return;
	}
	if (region->loaded && one_in(2)) {
		whence = one_in(2) ? SEEK_DATA : SEEK_HOLE;
		offset = rnd(region->size);
	}
	/* In 5.10 the rounded end overflows. */
	if (whence >= SEEK_DATA && region->size > LLONG_MAX - page_bytes)
		whence = SEEK_SET;
	if (whence == SEEK_CUR || whence == SEEK_END)
		offset = one_in(3) ? 0 : offset - (__s64)rnd(SMALL_PAGES * page_bytes);

	op("lseek f%d r%d %s %lld", fd_number(slot), region_number(region),
	   text[whence], (long long)offset);
	if (seekable(region) && whence == SEEK_CUR && region->pos != region->there_pos) {
		there = seek_cur(region->there_pos, offset);
		here = seek_cur(region->pos, offset);
	} else if (seekable(region) && region->loaded &&
		   (whence == SEEK_DATA || whence == SEEK_HOLE)) {
		there = seek_data(region, 0, offset, whence == SEEK_DATA);
		here = seek_data(region, region->loaded, offset, whence == SEEK_DATA);
	}
	if (there != here) {
		op_position("there", there);
		op_position("here", here);
	}
	ret = lseek(slot->fd, offset, whence);
	result_number(ret);
	if (there != here)
		seek_set(slot, rnd(SMALL_PAGES * page_bytes));
	else if (ret >= 0)
		move_to(region, ret);
}

/*
 * What reading @length bytes at @offset gives, into the line.
 */
static void op_expected(struct fd_slot *slot, size_t length, __s64 offset)
{
	char *data = scratch();
	long n = quiet_pread(slot, data, length, offset);

	if (n < 0)
		op("expected=%s", errno_text(errno));
	else
		op("expected=%ld:%s", n, hash_text(hash(data, n)));
}

/*
 * Some kernels fill the holes that they splice from, and the original doesn't
 * splice at all; so remove them. False if that can't be done.
 */
static bool fill_holes(struct fd_slot *slot, size_t length, __s64 offset)
{
	struct region *region = slot->region;
	int prot = region->mask & (region->access == O_RDWR ? PROT_READ | PROT_WRITE : PROT_READ);
	__u64 first = offset / page_bytes, last = (offset + length - 1) / page_bytes, page;
	char *base = window_base(WINDOWS);
	__u64 sum;

	if (!region->backed || !length || first >= region_pages(region))
		return true;
	if (!prot)
		return false;
	if (last >= region_pages(region))
		last = region_pages(region) - 1;
	if (mmap(base, (last - first + 1) * page_bytes, prot, MAP_SHARED | MAP_FIXED,
		 slot->fd, first * page_bytes) == MAP_FAILED)
		return false;
	for (page = first; page <= last; page++) {
		try_page(base + (page - first) * page_bytes, LOAD, 0, &sum);
		if (region->access == O_RDONLY)
			region->loaded |= 1U << page;
	}
	munmap(base, (last - first + 1) * page_bytes);
	return true;
}

static void result_moved(long n, const char *data, const off_t *offset, __s64 before)
{
	if (n >= 0 && offset && *offset != before + n)
		result("%ld:%s:wrong-offset", n, hash_text(hash(data, n)));
	else
		result_bytes(n, data);
}

/* By splice() into a pipe, or by sendfile() into a file. */
static void move_out(bool by_splice)
{
	struct fd_slot *slot = pick_backed();
	struct region *region = slot->region;
	bool at = one_in(2);
	__s64 before = at ? (__s64)rnd(SMALL_PAGES * page_bytes) : region->pos;
	off_t offset = before, *from = at ? &offset : NULL;
	size_t length = 1 + rnd(7 * page_bytes);
	char *data = scratch();
	int sink[2] = { -1, -1 };
	long n, got = 0;

	if (!fill_holes(slot, length, before))
		return;
	if (!by_splice)
		sink[1] = memfd_create("sink", MFD_CLOEXEC);
	if (by_splice ? pipe2(sink, O_CLOEXEC) : sink[1] < 0)
		fail("no sink: %s", strerror(errno));
	op("%s f%d r%d len=%zu %s=%lld", by_splice ? "splice" : "sendfile", fd_number(slot),
	   region_number(region), length, at ? "offset" : "pos", (long long)before);
	op_expected(slot, length, before);
	n = by_splice ? splice(slot->fd, from, sink[1], NULL, length, SPLICE_F_NONBLOCK) :
			sendfile(sink[1], slot->fd, from, length);
	if (n > 0)
		got = by_splice ? read(sink[0], data, n) : pread(sink[1], data, n, 0);
	if (n > 0 && got != n)
		result("%ld:sink-has-%ld", n, got);
	else
		result_moved(n, data, from, before);
	close(sink[0]);
	close(sink[1]);
	if (!at && seekable(region))
		seek_set(slot, rnd(SMALL_PAGES * page_bytes));
}

void op_splice(void)
{
	move_out(true);
}

void op_sendfile(void)
{
	move_out(false);
}
