// SPDX-License-Identifier: GPL-2.0-only
/*
 * Short sequences on a separate region, after which the drivers differ forever
 * and the region's end is the only way back together.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/ashmem.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ashmem_diff.h"

int story_open(const char *story, __u64 size)
{
	int fd = open("/dev/ashmem", O_RDWR | O_CLOEXEC);

	op("%s open size=%#llx", story, (unsigned long long)size);
	result_errno(fd < 0 || ioctl(fd, ASHMEM_SET_SIZE, size) ? -1 : 0);
	if (fd < 0)
		fail("can't open /dev/ashmem: %s", strerror(errno));
	return fd;
}

char *story_map(const char *story, char *address, size_t length, int flags, int fd,
		__s64 offset)
{
	char *p = mmap(address, length, PROT_READ | PROT_WRITE,
		       flags | (address ? MAP_FIXED : 0), fd, offset);

	op("%s mmap", story);
	result_errno(p == MAP_FAILED ? -1 : 0);
	if (p == MAP_FAILED)
		fail("mmap: %s", strerror(errno));
	return p;
}

/*
 * The interval that len 0 from page @from means to the original, which computes
 * in 32 bits; false if it refuses.
 */
static bool cut(__u64 pages, __u64 from, __u64 *first, __u64 *last)
{
	__u32 offset = from * page_bytes, len = pages * page_bytes - offset;

	if (UINT32_MAX - offset < len)
		return false;
	*first = from;
	*last = from + len / page_bytes - 1;
	return true;
}

/*
 * len 0 in a region over 4 GiB.
 */
void op_over_4g(void)
{
	const __u64 pages_4g = (1UL << 32) / page_bytes;
	__u64 pages = pages_4g + 2 + rnd(6);
	__u64 from = one_in(3) ? pages_4g - 1 - rnd(3) :
			one_in(3) ? pages - pages_4g : rnd(9);
	__u64 looked_at[] = { 0, 1, 2, 3, 4, 5, 6, 7, pages_4g - 2, pages_4g - 1,
				 pages_4g, pages - 1 };
	enum { LOOKS = ARRAY_SIZE(looked_at) };
	struct ashmem_pin rest = { .offset = from * page_bytes };
	__u64 first = 0, last = 0, count = 0, was[LOOKS];
	bool there = cut(pages, from, &first, &last), empty;
	char *low, *high, *page[LOOKS];
	unsigned int i;
	long ret;
	int fd;

	/* So that the other regions have nothing left to purge. */
	purge_all();

	empty = there && last + 1 == first;
	if (there)
		count = last - first + 1;
	fd = story_open("over-4g", pages * page_bytes - rnd(page_bytes));
	low = story_map("over-4g", window_base(WINDOWS), 8 * page_bytes,
			MAP_SHARED | MAP_NORESERVE, fd, 0);
	high = story_map("over-4g", window_base(WINDOWS + 1),
			 (pages - pages_4g + 2) * page_bytes, MAP_SHARED | MAP_NORESERVE,
			 fd, (pages_4g - 2) * page_bytes);
	for (i = 0; i < LOOKS; i++) {
		__u64 value = rnd(0);

		page[i] = looked_at[i] < 8 ? low + looked_at[i] * page_bytes :
			  high + (looked_at[i] - pages_4g + 2) * page_bytes;
		try_page(page[i], STORE, value, NULL);
		try_page(page[i], LOAD, 0, &was[i]);
	}

	op("over-4g unpin from=%lld pages=4g+%llu%s", (long long)from,
	   (unsigned long long)(pages - pages_4g), there ? "" : " cut-refused");
	result_errno(ioctl(fd, ASHMEM_UNPIN, &rest));

	for (i = 0; i < LOOKS; i++) {
		struct ashmem_pin one = { .offset = looked_at[i] * page_bytes, .len = page_bytes };

		/* Farther than 32 bits of offset and length go. */
		if (looked_at[i] >= pages_4g - 1)
			continue;
		op("over-4g status page=%llu", (unsigned long long)looked_at[i]);
		if (looked_at[i] >= from && !(there && looked_at[i] <= last && !empty))
			op("cut-off");
		/* An empty range is seen by who asks for the page before it. */
		if (empty && looked_at[i] + 1 == first)
			op("before-empty");
		ret = ioctl(fd, ASHMEM_GET_PIN_STATUS, &one);
		result("%s", ret < 0 ? errno_text(errno) :
		       ret == ASHMEM_IS_PINNED ? "pinned" : "unpinned");
	}

	op("over-4g purge there=%llu here=%llu", (unsigned long long)count,
	   (unsigned long long)(pages - from));
	result_number(ioctl(fd, ASHMEM_PURGE_ALL_CACHES));

	for (i = 0; i < LOOKS; i++) {
		__u64 sum = 0;

		op("over-4g look page=%s%llu was=%s", looked_at[i] < pages_4g ? "" : "4g+",
		   (unsigned long long)(looked_at[i] % pages_4g), hash_text(was[i]));
		if (looked_at[i] >= from && !(there && looked_at[i] <= last && !empty))
			op("cut-off");
		try_page(page[i], LOAD, 0, &sum);
		result("%s", hash_text(sum));
	}

	op("over-4g pin%s%s", there ? "" : " cut-refused", empty ? " cut-empty" : "");
	ret = ioctl(fd, ASHMEM_PIN, &rest);
	result("%s", ret < 0 ? errno_text(errno) :
	       ret == ASHMEM_WAS_PURGED ? "was-purged" : "not-purged");

	munmap(low, 8 * page_bytes);
	munmap(high, (pages - pages_4g + 2) * page_bytes);
	close(fd);
}

/*
 * A private mapping of huge pages while the region's own pages are purged.
 */
void op_private_huge(void)
{
	const size_t huge = 2UL << 20;
	struct ashmem_pin all = { 0 };
	unsigned int pages = huge / page_bytes, lost = 0, i;
	__u64 sum;
	char *p;
	int fd;

	purge_all();
	fd = story_open("private-huge", huge);
	p = story_map("private-huge", window_base(WINDOWS), huge, MAP_PRIVATE, fd, 0);
	madvise(p, huge, MADV_HUGEPAGE);
	for (i = 0; i < pages; i++)
		p[i * page_bytes] = 1 + i % 100;

	op("private-huge unpin");
	result_errno(ioctl(fd, ASHMEM_UNPIN, &all));
	op("private-huge purge");
	result_number(ioctl(fd, ASHMEM_PURGE_ALL_CACHES));

	op("private-huge look");
	for (i = 0; i < pages; i++)
		if (p[i * page_bytes] != (char)(1 + i % 100))
			lost++;
	result("%s", lost == pages ? "all-lost" : lost ? "some-lost" : "all-there");
	op("private-huge store");
	result("%s", try_page(p, STORE, 1, &sum) ?: "ok");
	munmap(p, huge);
	close(fd);
}

/*
 * Pages that userfaultfd fills. It ends before a page is touched that would wait to
 * be filled. A shared mapping has none beyond the region's end: there the answer is the
 * kernel's.
 */
void op_userfault(void)
{
	bool shared = one_in(3);
	unsigned int pages = 2 + rnd(6), n, first = shared ? 0 : rnd(3);
	char *base = window_base(WINDOWS), *data = scratch(), *p;
	int fd = story_open("userfault", pages * page_bytes - rnd(page_bytes));
	int user = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register all = {
		.range = { .start = (unsigned long)base, .len = pages * page_bytes },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	__u64 sum = 0;

	p = story_map("userfault", base, pages * page_bytes,
		      shared ? MAP_SHARED : MAP_PRIVATE, fd, first * page_bytes);
	op("userfault register");
	result_errno(ioctl(user, UFFDIO_API, &api) || ioctl(user, UFFDIO_REGISTER, &all) ?
		     -1 : 0);
	for (n = 1 + rnd(pages); n; n--) {
		unsigned int page = rnd(pages);
		struct uffdio_copy copy = {
			.dst = (unsigned long)p + page * page_bytes,
			.src = (unsigned long)data,
			.len = page_bytes,
		};

		memset(data, 1 + rnd(255), page_bytes);
		op("userfault copy %s page=%u%s", shared ? "shared" : "private", page,
		   first + page < pages ? "" : " beyond");
		result_errno(ioctl(user, UFFDIO_COPY, &copy));
	}
	close(user);
	for (n = 0; n < pages; n++) {
		op("userfault look page=%u%s", n, first + n < pages ? "" : " beyond");
		result("%s", try_page(p + n * page_bytes, LOAD, 0, &sum) ?: hash_text(sum));
	}
	munmap(p, pages * page_bytes);
	close(fd);
}

/*
 * Reaching the backing file by its mapping's path.
 */
void op_truncate_by_path(void)
{
	unsigned int pages = 2 + rnd(6), to = rnd(10);
	char *base = window_base(WINDOWS), path[64];
	unsigned int looked_at = rnd(pages);
	int fd = story_open("truncate", pages * page_bytes);
	char *p = story_map("truncate", base, pages * page_bytes, MAP_SHARED, fd, 0);
	__u64 sum, was;
	const char *signal;

	try_page(p + looked_at * page_bytes, STORE, rnd(0), NULL);
	try_page(p + looked_at * page_bytes, LOAD, 0, &was);
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)p,
		 (unsigned long)p + pages * page_bytes);
	op("truncate path pages=%u to=%u%s", pages, to, to == pages ? " same" : "");
	result_errno(truncate(path, to * page_bytes));
	op("truncate look page=%u was=%s%s", looked_at, hash_text(was),
	   looked_at >= to ? " cut-off" : "");
	signal = try_page(p + looked_at * page_bytes, LOAD, 0, &sum);
	result("%s", signal ?: hash_text(sum));
	op("truncate seek pages=%u there=%lu here=%lu", pages, to * page_bytes,
	   pages * page_bytes);
	result_number(lseek(fd, 0, SEEK_END));
	munmap(p, pages * page_bytes);
	close(fd);
}

/*
 * What rmmod does; the module's users are gone.
 */
void unload_module(void)
{
	op("unload");
	result_errno(syscall(SYS_delete_module, "ashmem_linux", O_NONBLOCK));
}
