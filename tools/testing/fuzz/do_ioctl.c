// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations: the device's commands.
 */

#include <linux/ashmem.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "fuzz.h"

#define COMPAT_IOCTL	54

static bool documented(int err)
{
	switch (err) {
	case EBADF:		/* an empty slot, or one opened with O_PATH */
	case EFAULT:
	case EINTR:
	case EINVAL:
	case ENOMEM:
	case ENOTTY:
	case EOVERFLOW:
	case EPERM:
		return true;
	}
	return false;
}

/* The commands of a 32-bit program. */
static unsigned long compat_command(unsigned long command)
{
	switch (command) {
	case ASHMEM_SET_SIZE:
		return 0x40047703;
	case ASHMEM_SET_PROT_MASK:
		return 0x40047705;
	case ASHMEM_GET_FILE_ID:
		return 0x8004770b;
	}
	return command;
}

long device_ioctl(struct worker *w, uint64_t slot, unsigned long command,
		  unsigned long arg)
{
	int fd = fd_of(w, slot);
	long ret;

	if (op_compat)
		ret = CALL(compat_call(COMPAT_IOCTL, fd, (long)compat_command(command),
				       (long)arg));
	else
		ret = CALL(ioctl(fd, command, arg));
	/* A size or a number of pages may look like an errno. */
	if (ret < 0 && (command & 0xffff) >> 8 == __ASHMEMIOC &&
	    command != ASHMEM_GET_SIZE && command != ASHMEM_PURGE_ALL_CACHES &&
	    !documented((int)-ret))
		finding("ioctl %#lx failed with errno %ld", command, -ret);
	return ret;
}

#define IOCTL(command, arg)	device_ioctl(w, a[0], command, arg)

void do_set_name(struct worker *w, const uint64_t *a)
{
	size_t length = a[2] % 300;
	char *name = buffer(a[1], length + 1);

	if (a[1] % 8 == GOOD) {
		memset(name, 'n', length);
		name[length] = '\0';
	}
	IOCTL(ASHMEM_SET_NAME, (unsigned long)name);
}

void do_get_name(struct worker *w, const uint64_t *a)
{
	char *name = buffer(a[1], ASHMEM_NAME_LEN);

	if (!IOCTL(ASHMEM_GET_NAME, (unsigned long)name) && a[1] % 8 == GOOD &&
	    strnlen(name, ASHMEM_NAME_LEN) == ASHMEM_NAME_LEN)
		finding("GET_NAME gave a name without an end");
}

void do_set_size(struct worker *w, const uint64_t *a)
{
	IOCTL(ASHMEM_SET_SIZE, a[1]);
}

void do_get_size(struct worker *w, const uint64_t *a)
{
	IOCTL(ASHMEM_GET_SIZE, 0);
}

void do_set_mask(struct worker *w, const uint64_t *a)
{
	long before = IOCTL(ASHMEM_GET_PROT_MASK, 0), after;

	IOCTL(ASHMEM_SET_PROT_MASK, a[1]);
	after = IOCTL(ASHMEM_GET_PROT_MASK, 0);
	if (before >= 0 && after >= 0 && after & ~before)
		finding("the protection mask went from %ld to %ld", before, after);
}

void do_get_mask(struct worker *w, const uint64_t *a)
{
	IOCTL(ASHMEM_GET_PROT_MASK, 0);
}

static long pin_ioctl(struct worker *w, const uint64_t *a, unsigned long command)
{
	struct ashmem_pin pin = { .offset = (uint32_t)a[2], .len = (uint32_t)a[3] };
	char *p = buffer(a[1], sizeof(pin));

	if (a[1] % 8 == GOOD || a[1] % 8 == UNALIGNED)
		memcpy(p, &pin, sizeof(pin));
	return IOCTL(command, (unsigned long)p);
}

void do_pin(struct worker *w, const uint64_t *a)
{
	long ret = pin_ioctl(w, a, ASHMEM_PIN);

	if (ret > ASHMEM_WAS_PURGED)
		finding("PIN returned %ld", ret);
}

void do_unpin(struct worker *w, const uint64_t *a)
{
	if (pin_ioctl(w, a, ASHMEM_UNPIN) > 0)
		finding("UNPIN returned more than 0");
}

void do_status(struct worker *w, const uint64_t *a)
{
	if (pin_ioctl(w, a, ASHMEM_GET_PIN_STATUS) > ASHMEM_IS_PINNED)
		finding("GET_PIN_STATUS returned more than 1");
}

void do_purge(struct worker *w, const uint64_t *a)
{
	IOCTL(ASHMEM_PURGE_ALL_CACHES, 0);
}

void do_file_id(struct worker *w, const uint64_t *a)
{
	IOCTL(ASHMEM_GET_FILE_ID, (unsigned long)buffer(a[1], sizeof(long)));
}

void do_ioctl(struct worker *w, const uint64_t *a)
{
	IOCTL((uint32_t)a[1], a[2]);
}
