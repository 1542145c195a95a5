// SPDX-License-Identifier: GPL-2.0-only
/*
 * A typical program for Android, compiled against the installed headers, also as C++. It
 * prints "ok" if all results are right.
 */
#ifdef KERNEL_HEADER_FIRST
#include <linux/ashmem.h>
#endif
#include <android/sharedmem.h>
#include <cutils/ashmem.h>
#ifdef KERNEL_HEADER_LAST
#include <linux/ashmem.h>
#endif

#include <ashmem.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE	65536

#define CHECK(cond) do { \
	if (!(cond)) { \
		fprintf(stderr, "%s:%d: not true: %s (errno %d)\n", __FILE__, \
			__LINE__, #cond, errno); \
		return 1; \
	} \
} while (0)

static int libcutils(void)
{
	char *p;
	int fd;

	fd = ashmem_create_region("client", SIZE);
	CHECK(fd >= 0);
	CHECK(ashmem_valid(fd) == 1);
	CHECK(ashmem_get_size_region(fd) == SIZE);
	p = (char *)mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	memset(p, 'a', SIZE);
	CHECK(ashmem_unpin_region(fd, 0, 0) == 0);
	CHECK(ashmem_pin_region(fd, 0, 0) == ASHMEM_NOT_PURGED);
	CHECK(p[SIZE - 1] == 'a');
	CHECK(ashmem_set_prot_region(fd, PROT_READ) == 0);
	CHECK(mmap(NULL, SIZE, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK(munmap(p, SIZE) == 0);
	CHECK(close(fd) == 0);
	CHECK(!ashmem_valid(STDIN_FILENO));
	return 0;
}

static int ndk(void)
{
	int fd = ASharedMemory_create("client", SIZE + 1);

	CHECK(fd >= 0);
	CHECK(ASharedMemory_getSize(fd) == SIZE + 1);
	CHECK(ASharedMemory_setProt(fd, PROT_READ) == 0);
	CHECK(close(fd) == 0);
	CHECK(ASharedMemory_create("client", 0) == -EINVAL);
	return 0;
}

static int objects(void)
{
	struct ashm *region;
	char byte = 'b';
	int fd;

	CHECK(ashm_create("client", SIZE, &region) == 0);
	CHECK(ashm_write(region, &byte, 1, SIZE - 1) == 0);
	fd = ashm_share_readonly(region);
	CHECK(fd >= 0);
	CHECK(ashm_backend_of(fd) == ashm_backend(NULL));
	CHECK(ashm_read(region, &byte, 1, SIZE - 1) == 0 && byte == 'b');
	CHECK(close(fd) == 0);
	ashm_close(region);
	CHECK(strcmp(ashm_version(), VERSION) == 0);
	return 0;
}

int main(void)
{
	CHECK(ASHMEM_NAME_LEN == 256 && ASHMEM_WAS_PURGED == 1);
	if (libcutils() || ndk() || objects())
		return 1;
	puts("ok");
	return 0;
}
