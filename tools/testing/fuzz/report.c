// SPDX-License-Identifier: GPL-2.0-only
/*
 * The area that is shared with the host, and findings.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define FINDINGS_MAX	20

struct area *area;
int current_worker = -1;

static int open_device(void)
{
	static const char base[] = "/sys/bus/pci/devices";
	struct dirent *entry;
	DIR *dir = opendir(base);
	int fd = -1;

	while (dir && fd < 0 && (entry = readdir(dir))) {
		char path[384], text[32];

		snprintf(path, sizeof(path), "%s/%s/modalias", base, entry->d_name);
		if (get_file(path, text, sizeof(text)) <= 0 ||
		    strncmp(text, "pci:v00001AF4d00001110", 22))
			continue;
		snprintf(path, sizeof(path), "%s/%s/enable", base, entry->d_name);
		put_file(path, "1");
		snprintf(path, sizeof(path), "%s/%s/resource2", base, entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return fd;
}

/**
 * area_attach - map the area
 * @path: file that holds it, or NULL for the ivshmem device
 * @make: make the file, and an empty area
 */
void area_attach(const char *path, bool make)
{
	int fd = path ? open(path, O_RDWR | O_CLOEXEC | (make ? O_CREAT | O_TRUNC : 0), 0644) :
			open_device();

	if (fd < 0 || (make && ftruncate(fd, AREA_BYTES))) {
		perror(path ? path : "ivshmem device");
		exit(2);
	}
	area = mmap(NULL, AREA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (area == MAP_FAILED) {
		perror("mmap of the area");
		exit(2);
	}
	if (make)
		area->magic = AREA_MAGIC;
	if (area->magic != AREA_MAGIC) {
		fprintf(stderr, "no area of this program's in %s\n", path ? path : "ivshmem");
		exit(2);
	}
}

static void add_text(enum area_text which, const char *text, size_t length)
{
	uint32_t at = __atomic_fetch_add(&area->text[which].used, (uint32_t)length,
					 __ATOMIC_SEQ_CST);

	if (at + length <= sizeof(area->text[which].text))
		memcpy(&area->text[which].text[at], text, length);
}

void area_print(enum area_text which, const char *format, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	add_text(which, text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

/* In one piece, because others add theirs at the same time. */
void area_add(enum area_text which, const struct program *program)
{
	char text[PROGRAM_TEXT + 4];
	size_t length = program_print(program, text, PROGRAM_TEXT);

	memcpy(text + length, "--\n", 3);
	add_text(which, text, length + 3);
}

void area_log(unsigned int worker, const struct program *program)
{
	uint64_t next = area->log[worker].next;

	area->log[worker].program[next % AREA_LOG] = *program;
	__atomic_store_n(&area->log[worker].next, next + 1, __ATOMIC_RELEASE);
	__atomic_fetch_add(&area->programs, 1, __ATOMIC_RELAXED);
}

/**
 * finding - record that the driver did what it must not
 * @format: what, as printf()
 *
 * With what all workers ran last, in a form that can be replayed.
 */
void finding(const char *format, ...)
{
	char text[512];
	unsigned int i;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "# finding: %s\n", text);
	if (__atomic_fetch_add(&area->findings, 1, __ATOMIC_SEQ_CST) >= FINDINGS_MAX)
		return;

	area_print(TEXT_FINDINGS, "# finding: %s\n# seed %llu, worker %d, program %llu\n", text,
		   (unsigned long long)area->seed, current_worker,
		   (unsigned long long)area->programs);
	for (i = 0; i < area->workers; i++) {
		uint64_t next = area->log[i].next;

		area_print(TEXT_FINDINGS, "# worker %u\n", i);
		if (next > 1)
			area_add(TEXT_FINDINGS, &area->log[i].program[(next - 2) % AREA_LOG]);
		if (next)
			area_add(TEXT_FINDINGS, &area->log[i].program[(next - 1) % AREA_LOG]);
	}
}
