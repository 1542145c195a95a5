// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user that no upgrade may disturb: fills a region, prints "holding", waits for a line
 * on stdin, and exits with 0 if contents, mapping and calls are unchanged.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/ashmem.h>

#define SIZE	(16 * 4096)

static int fail(const char *what)
{
	fprintf(stderr, "holder: %s: %s\n", what, strerror(errno));
	return 1;
}

int main(void)
{
	struct ashmem_pin all = { 0, 0 };
	char name[ASHMEM_NAME_LEN];
	unsigned char *p;
	char line[16];
	int fd, i;

	fd = open("/dev/ashmem", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return fail("open");
	if (ioctl(fd, ASHMEM_SET_NAME, "holder") ||
	    ioctl(fd, ASHMEM_SET_SIZE, (size_t)SIZE))
		return fail("set up");
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return fail("mmap");
	for (i = 0; i < SIZE; i++)
		p[i] = i * 7 + i / 4096;

	puts("holding");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return fail("wait");

	for (i = 0; i < SIZE; i++)
		if (p[i] != (unsigned char)(i * 7 + i / 4096)) {
			fprintf(stderr, "holder: byte %d changed\n", i);
			return 1;
		}
	if (ioctl(fd, ASHMEM_GET_NAME, name) || strcmp(name, "holder"))
		return fail("the name");
	if (ioctl(fd, ASHMEM_UNPIN, &all) || ioctl(fd, ASHMEM_PIN, &all) < 0)
		return fail("unpin and pin");
	return 0;
}
