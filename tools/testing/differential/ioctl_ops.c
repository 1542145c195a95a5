// SPDX-License-Identifier: GPL-2.0-only
/*
 * Name, size, protection mask, identity, and commands that aren't there.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/ashmem.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <stdio.h>
#include <stdlib.h>

#include "ashmem_diff.h"

/* A value as the kernel returned it: no error is smaller than -4095. */
static long raw_ioctl(int fd, unsigned long request, unsigned long arg)
{
	return syscall(SYS_ioctl, fd, request, arg);
}

/* Sizes near 2^64 come out as if they were errors. */
static void result_value(long ret)
{
	if (ret == -1)
		result("-%d", errno);
	else
		result("%#lx", ret);
}

void op_set_name(void)
{
	static const char *const names[] = {
		"", "a", "thumbnails", "with space", "two\nlines", "back\\slash",
		"a/b", "/", "..", "dev/ashmem", "tab\there", "\xc3\xa4\xe2\x82\xac\xff",
		"(deleted)", "name:\tx\nsize:\t1", "\001\177",
	};
	static const unsigned int lengths[] = { 254, 255, 256, 257, 300, 1000 };
	struct fd_slot *slot = pick_fd();
	enum buffer which = pick_buffer();
	size_t length, stored;
	char *name = scratch();

	if (one_in(5)) {
		length = PICK(lengths);
		memset(name, 'A' + rnd(26), length);
		name[rnd(length)] = '-';
		name[length] = '\0';
	} else {
		length = snprintf(name, page_bytes, "%s", PICK(names));
	}

	op("set_name r%d f%d ptr=%s", region_number(slot->region), fd_number(slot),
	   buffer_text(which));
	op_text(name, length);
	if (slot->region->backed)
		op("backed");
	if (which == GOOD) {
		/* Its last byte may be the last one that can be read. */
		char *wall = buffer(NO_RIGHTS, 0);

		name = memcpy(wall - length - 1, name, length + 1);
	} else {
		/* No terminator before the wall. */
		name = buffer(which, 64);
		if (which == READ_ONLY)
			length = 0;
	}
	result_errno(ioctl(slot->fd, ASHMEM_SET_NAME, name));

	stored = length < ASHMEM_NAME_LEN ? length : ASHMEM_NAME_LEN - 1;
	if (!slot->region->backed && (which == GOOD || which == READ_ONLY)) {
		memcpy(slot->region->name, scratch(), stored);
		slot->region->name[stored] = '\0';
	}
}

void op_get_name(void)
{
	struct fd_slot *slot = pick_fd();
	size_t length = strlen(slot->region->name) + 1;
	enum buffer which = pick_buffer();
	char *name, *wall;
	long ret;

	if (length == 1)
		length = sizeof(ASHMEM_NAME_DEF);
	op("get_name r%d f%d ptr=%s", region_number(slot->region), fd_number(slot),
	   buffer_text(which));
	/* Room for the name and not a byte more, or for half of it. */
	wall = buffer(NO_RIGHTS, 0);
	name = which == GOOD ? wall - length : buffer(which, length);
	if (which == GOOD && one_in(2))
		name -= 512;
	ret = ioctl(slot->fd, ASHMEM_GET_NAME, name);
	if (ret || which != GOOD) {
		result_errno(ret);
		return;
	}
	if (strnlen(name, ASHMEM_NAME_LEN) == ASHMEM_NAME_LEN) {
		result("unterminated");
		return;
	}
	result("%zu:%s%s", strlen(name), hash_text(hash(name, strlen(name))),
	       name[-1] != (char)0xa5 || (name + length < wall && name[length] != (char)0xa5) ?
	       ":spilt" : "");
}

void op_set_size(void)
{
	struct fd_slot *slot = pick_fd();
	struct region *region = slot->region;
	const __u64 odd[] = {
		0, 1, page_bytes - 1, page_bytes, page_bytes + 1,
		1UL << 31, 1UL << 32, (1UL << 32) - page_bytes, (1UL << 32) - 1,
		(1UL << 32) + 3 * page_bytes + 5, 1UL << 40, 1UL << 62,
		INT64_MAX, 1UL << 63, -1UL, -page_bytes, -page_bytes + 1, -4096UL, -4095UL,
	};
	__u64 size;

	/* The model of read-only regions is of small ones. */
	if (one_in(8) && region->access != O_RDONLY)
		size = PICK(odd);
	else
		size = rnd(SMALL_PAGES) * page_bytes + (one_in(3) ? rnd(page_bytes) : page_bytes);

	op("set_size r%d f%d %#llx%s", region_number(region), fd_number(slot),
	   (unsigned long long)size, region->backed ? " backed" : "");
	result_errno(ioctl(slot->fd, ASHMEM_SET_SIZE, size));
	if (!region->backed)
		region->size = size;
}

void op_get_size(void)
{
	struct fd_slot *slot = pick_fd();

	op("get_size r%d f%d", region_number(slot->region), fd_number(slot));
	result_value(raw_ioctl(slot->fd, ASHMEM_GET_SIZE, rnd(2) ? 0 : rnd(0)));
}

static int pick_mask(const struct region *region)
{
	/* Most of the time one that leaves something to do. */
	if (one_in(3))
		return rnd(8);
	return (PROT_READ | PROT_WRITE | (one_in(2) ? PROT_EXEC : 0)) & region->mask;
}

static void set_prot_mask(struct fd_slot *slot, unsigned long mask)
{
	struct region *region = slot->region;

	op("set_prot_mask r%d f%d %#lx was=%s", region_number(region), fd_number(slot),
	   mask, prot_text(region->mask));
	result_errno(ioctl(slot->fd, ASHMEM_SET_PROT_MASK, mask));
	if (!(mask & ~region->mask))
		region->mask = mask;
}

void op_set_prot_mask(void)
{
	static const unsigned long odd[] = {
		8, 0x10, 0x100, 0x01000000, 1UL << 31, 1UL << 32, 1UL << 63, -1UL,
		(1UL << 32) | PROT_READ,
	};
	struct fd_slot *slot = pick_fd();

	set_prot_mask(slot, one_in(6) ? PICK(odd) : (unsigned long)pick_mask(slot->region));
}

void get_prot_mask(struct fd_slot *slot)
{
	op("get_prot_mask r%d f%d", region_number(slot->region), fd_number(slot));
	result_value(raw_ioctl(slot->fd, ASHMEM_GET_PROT_MASK, 0));
}

void op_get_prot_mask(void)
{
	get_prot_mask(pick_fd());
}

/*
 * As a program whose personality makes PROT_READ mean PROT_EXEC, too.
 */
void op_set_prot_mask_implies_exec(void)
{
	struct fd_slot *slot = pick_fd();
	struct region *region = slot->region;
	unsigned long mask = pick_mask(region);
	int was = region->mask, there = was, here = was;
	int before;

	op("set_prot_mask r%d f%d %#lx was=%s read-implies-exec", region_number(region),
	   fd_number(slot), mask, prot_text(was));
	before = personality(0xffffffff);
	personality(before | READ_IMPLIES_EXEC);
	result_errno(ioctl(slot->fd, ASHMEM_SET_PROT_MASK, mask));
	personality(before);

	if (!(mask & ~was)) {
		bool implied = mask & PROT_READ;

		there = mask | (implied ? PROT_EXEC : 0);
		here = mask | (implied ? was & PROT_EXEC : 0);
	}
	region->mask = here;
	if (there == here) {
		get_prot_mask(slot);
		return;
	}
	op("get_prot_mask r%d f%d there=%#x here=%#x", region_number(region),
	   fd_number(slot), there, here);
	result_value(raw_ioctl(slot->fd, ASHMEM_GET_PROT_MASK, 0));
	set_prot_mask(slot, mask);
}

void op_file_id(void)
{
	struct fd_slot *slot = pick_backed();
	struct region *region = slot->region;
	static struct maps_line maps;
	unsigned long shown = 0;
	unsigned int w, i;
	enum buffer which = pick_buffer();
	unsigned long *id = buffer(which, sizeof(*id));
	long ret;

	/* A mapping to check the number by, from wherever the region has one. */
	for (w = 0; w < WINDOWS && !shown; w++) {
		for (i = 0; i < WINDOW_PAGES; i++) {
			if (st->windows[w].page[i].kind == UNMAPPED ||
			    st->windows[w].page[i].region != region->id)
				continue;
			if (maps_find(0, window_base(w) + i * page_bytes, &maps)) {
				shown = maps.inode;
				break;
			}
		}
	}

	op("file_id r%d f%d ptr=%s%s%s", region_number(region), fd_number(slot),
	   buffer_text(which), region->backed ? " backed" : " unbacked",
	   shown ? " mapped" : "");
	ret = ioctl(slot->fd, ASHMEM_GET_FILE_ID, id);
	if (ret)
		result_errno(ret);
	else if (!shown)
		result("%s", *id ? "some" : "0");
	else
		result("%s", *id == shown ? "as-in-maps" : "not-as-in-maps");
}

void op_other_ioctl(void)
{
	/* Close to ours, and some that every file is asked sooner or later. */
	static const unsigned long odd[] = {
		_IO(0x77, 0), _IO(0x77, 12), _IO(0x77, 255), _IO(0x77, 1),
		_IOW(0x77, 4, int), _IOR(0x77, 7, struct ashmem_pin),
		_IOW(0x77, 3, int), _IOW(0x77, 5, int), _IOR(0x77, 11, int),
		_IOW(0x77, 1, char[255]), _IOW(0x77, 9, struct ashmem_pin),
		_IOWR(0x77, 7, struct ashmem_pin), _IO(0x78, 4), _IO(0x76, 10),
		0x5401 /* TCGETS */, 0x541b /* FIONREAD */, 0x5413 /* TIOCGWINSZ */,
	};
	struct fd_slot *slot = pick_fd();
	unsigned long request = PICK(odd);

	op("ioctl r%d f%d %#lx", region_number(slot->region), fd_number(slot), request);
	result_value(raw_ioctl(slot->fd, request, (unsigned long)buffer(GOOD, 256)));
}
