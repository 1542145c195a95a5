// SPDX-License-Identifier: GPL-2.0-only
/*
 * PIN, UNPIN, GET_PIN_STATUS, PURGE_ALL_CACHES.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/ashmem.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ashmem_diff.h"

#define LOOKED_AT_PAGES	64	/* the largest region whose pages are compared */

/*
 * @there, @here: the two answers, where they differ; else NULL.
 */
static long pin_ioctl(const char *name, unsigned long request, struct fd_slot *slot,
		      __u32 offset, __u32 len, enum buffer which,
		      const char *there, const char *here)
{
	const struct region *region = slot->region;
	struct ashmem_pin *pin = buffer(which, sizeof(*pin));

	if (which == GOOD)
		*pin = (struct ashmem_pin){ offset, len };

	op("%s r%d f%d off=%#x len=%#x ptr=%s mask=%s%s", name,
	   region_number(region), fd_number(slot), offset, len, buffer_text(which),
	   prot_text(region->mask), region->backed ? "" : " unbacked");
	if (region->backed && !len && which == GOOD &&
	    offset == region_pages(region) * page_bytes)
		op("at-end");
	if (there)
		op("there=%s here=%s", there, here);
	return ioctl(slot->fd, request, pin);
}

static void pin(struct fd_slot *slot, __u32 offset, __u32 len, enum buffer which,
		const char *there, const char *here)
{
	long ret = pin_ioctl("pin", ASHMEM_PIN, slot, offset, len, which, there, here);

	result("%s", ret < 0 ? errno_text(errno) :
	       ret == ASHMEM_WAS_PURGED ? "was-purged" :
	       ret == ASHMEM_NOT_PURGED ? "not-purged" : "neither");
}

static void status(struct fd_slot *slot, __u32 offset, __u32 len, enum buffer which,
		   const char *there, const char *here)
{
	long ret = pin_ioctl("status", ASHMEM_GET_PIN_STATUS, slot, offset, len, which,
			     there, here);

	result("%s", ret < 0 ? errno_text(errno) :
	       ret == ASHMEM_IS_PINNED ? "pinned" :
	       ret == ASHMEM_IS_UNPINNED ? "unpinned" : "neither");
}

void pin_everything(struct fd_slot *slot)
{
	__u64 size = region_pages(slot->region) * page_bytes;
	__u32 most = -page_bytes;

	do_pin(slot, 0, size < most ? 0 : most, GOOD);
}

/* The original truncates len 0, which READ_ONLY has, to 32 bits: see op_over_4g(). */
static void avoid_cut(const struct region *region, __u32 *offset, __u32 *len,
		      enum buffer *which)
{
	if (*which == READ_ONLY) {
		*offset = 0;
		*len = 0;
	}
	if (*len || region_pages(region) * page_bytes <= UINT32_MAX)
		return;
	*len = page_bytes;
	if (*which == READ_ONLY)
		*which = GOOD;
}

/*
 * After a PIN that the caller had no right to end the loss by: the original has
 * forgotten it. If no process is left that may write, the region's end is the only way
 * back together. @was: the region before.
 */
static void show_loss(struct fd_slot *slot, const struct region *was, __u32 offset,
		      __u32 len, __u64 first, __u64 last)
{
	unsigned int i;

	for (i = 0; i < was->pins.count; i++) {
		const struct pins_range *range = &was->pins.range[i];
		__u64 page = range->first > first ? range->first : first;

		if (range->purged && range->first <= last && range->last >= first)
			status(slot, page * page_bytes, page_bytes, GOOD, "pinned", "unpinned");
	}
	pin(slot, offset, len, GOOD, "not-purged", "was-purged");
	retire(slot->region);
}

void do_pin(struct fd_slot *slot, __u32 offset, __u32 len, enum buffer which)
{
	static struct region was;
	struct region *region = slot->region;
	bool valid, stays;
	__u64 first, last;

	avoid_cut(region, &offset, &len, &which);
	valid = (which == GOOD || which == READ_ONLY) &&
		interval_ok(region, offset, len, &first, &last);
	stays = valid && !may_discard(region) && pins_purged(&region->pins, first, last);
	/* Bringing both drivers together ends the region. */
	if (stays && in_child) {
		do_status(slot, offset, len, which);
		return;
	}

	was = *region;
	pin(slot, offset, len, which, NULL, NULL);
	if (valid)
		pins_pin(&region->pins, first, last);
	if (stays)
		show_loss(slot, &was, offset, len, first, last);
}

static bool may_purge(void)
{
	unsigned int i;

	/* Bringing both drivers together may take mappings and descriptors. */
	for (i = 0; in_child && i < REGIONS; i++)
		if (st->regions[i].id && pins_again(&st->regions[i].pins, 0, -1))
			return false;
	return true;
}

/*
 * After UNPIN of nothing at the end, the original has an empty range there, which
 * GET_PIN_STATUS of the last page shows.
 */
static void show_empty_range(struct fd_slot *slot)
{
	struct region *region = slot->region;
	__u64 last = region_pages(region) - 1;
	__u32 offset = last * page_bytes;
	bool known = pins_unpinned(&region->pins, last, last);

	status(slot, offset, page_bytes, GOOD, known ? NULL : "unpinned", "pinned");
	if (!known && one_in(3) && may_purge()) {
		purge_all();
		/* It may have been retired. */
		if (slot->region == region)
			pin(slot, offset, page_bytes, GOOD, "was-purged", "not-purged");
	} else {
		do_pin(slot, offset, page_bytes, GOOD);
	}
}

void do_unpin(struct fd_slot *slot, __u32 offset, __u32 len, enum buffer which)
{
	struct region *region = slot->region;
	bool valid, refused, at_end;
	__u64 first, last;

	avoid_cut(region, &offset, &len, &which);
	at_end = region->backed && !len && which == GOOD &&
		 offset == region_pages(region) * page_bytes;
	valid = (which == GOOD || which == READ_ONLY) &&
		interval_ok(region, offset, len, &first, &last);
	/* What a purge then leaves couldn't be compared page by page. */
	if (valid && region_pages(region) > LOOKED_AT_PAGES &&
	    pins_purged(&region->pins, first, last)) {
		do_pin(slot, offset, len, which);
		return;
	}
	refused = (valid || at_end) && !may_discard(region);
	/* A child could not pin again what the original unpins, either. */
	if (refused && in_child && pins_purged(&region->pins, 0, -1)) {
		do_status(slot, offset, len, which);
		return;
	}

	result_errno(pin_ioctl("unpin", ASHMEM_UNPIN, slot, offset, len, which,
			       valid && refused ? "ok" : NULL, "EPERM"));
	if (at_end)
		show_empty_range(slot);
	else if (valid && refused)
		pin_everything(slot);
	else if (valid)
		pins_unpin(&region->pins, first, last);
}

void do_status(struct fd_slot *slot, __u32 offset, __u32 len, enum buffer which)
{
	avoid_cut(slot->region, &offset, &len, &which);
	status(slot, offset, len, which, NULL, NULL);
}

static bool writes_can_follow(const struct region *region)
{
	return region->access == O_RDWR && region->mask & PROT_WRITE;
}

/*
 * Overwrites every page that only ours purged, so that they're alike again.
 */
static void refill(struct region *region, const bool *again)
{
	size_t length = region_pages(region) * page_bytes;
	struct fd_slot *slot = fd_of(region);
	char *base = window_base(WINDOWS);
	__u64 page;
	char *p;

	if (!writes_can_follow(region)) {
		retire(region);
		return;
	}
	op("refill r%d", region_number(region));
	p = mmap(base, length, PROT_WRITE, MAP_SHARED | MAP_FIXED, slot->fd, 0);
	result_errno(p == MAP_FAILED ? -1 : 0);
	for (page = 0; page < region_pages(region); page++) {
		__u64 seed = rnd(0), *word;
		size_t i;

		if (!again[page])
			continue;
		word = (__u64 *)(p + page * page_bytes);
		for (i = 0; i < page_bytes / sizeof(*word); i++)
			word[i] = seed + i;
	}
	munmap(base, length);
}

void purge_all(void)
{
	static __u64 was[REGIONS][LOOKED_AT_PAGES];
	static bool again[REGIONS][LOOKED_AT_PAGES];
	__u64 there = 0, here = 0, page;
	bool look[REGIONS] = { false };
	struct fd_slot *slot = pick_fd();
	char *data = scratch();
	unsigned int i;
	long n;

	for (i = 0; i < REGIONS; i++) {
		struct region *region = &st->regions[i];

		if (!region->id)
			continue;
		there += pins_pages(&region->pins).fresh;
		here += pins_pages(&region->pins).purgeable;
		/* A read-only descriptor shows only zeroes. */
		look[i] = region->access == O_RDWR && pins_again(&region->pins, 0, -1);
		for (page = 0; look[i] && page < region_pages(region); page++) {
			again[i][page] = pins_again(&region->pins, page, page);
			if (!again[i][page])
				continue;
			n = quiet_pread(fd_of(region), data, page_bytes, page * page_bytes);
			was[i][page] = n > 0 ? hash(data, n) : 0;
		}
	}

	op("purge f%d", fd_number(slot));
	if (there != here)
		op("there=%llu here=%llu", (unsigned long long)there,
		   (unsigned long long)here);
	result_number(ioctl(slot->fd, ASHMEM_PURGE_ALL_CACHES));
	model_purge();

	for (i = 0; i < REGIONS; i++) {
		struct region *region = &st->regions[i];

		if (!look[i])
			continue;
		for (page = 0; page < region_pages(region); page++) {
			if (!again[i][page])
				continue;
			op("look r%d page=%llu again was=%s", i, (unsigned long long)page,
			   hash_text(was[i][page]));
			n = quiet_pread(fd_of(region), data, page_bytes, page * page_bytes);
			result("%s", n < 0 ? errno_text(errno) : hash_text(hash(data, n)));
		}
		refill(region, again[i]);
	}
}

static __u32 pick_offset(const struct region *region)
{
	__u64 pages = region_pages(region);
	static const __u32 odd[] = {
		1, 0x7ff, 0xfff, 0x1001, 0x80000000, 0xfffff000, 0xffffffff, 0xffffe000,
	};

	if (one_in(10))
		return PICK(odd);
	if (one_in(10))
		return pages * page_bytes;
	if (one_in(10))
		return (pages + 1) * page_bytes;
	return rnd(pages < 1 ? 1 : pages < 1 << 20 ? pages : 1 << 20) * page_bytes;
}

static __u32 pick_len(const struct region *region, __u32 offset)
{
	__u64 pages = region_pages(region), from = offset / page_bytes;
	static const __u32 odd[] = {
		1, 0xfff, 0x1001, 0x80000000, 0xfffff000, 0xffffffff, 0xffffe000,
	};

	if (one_in(12))
		return PICK(odd);
	if (one_in(from == pages ? 2 : 6))
		return 0;
	if (one_in(6) && pages > from)
		return (pages - from) * page_bytes;
	if (one_in(12) && pages > from)
		return (pages - from + 1) * page_bytes;
	if (one_in(12))
		return -offset;
	return (1 + rnd(pages > from && pages - from < 1 << 20 ? pages - from : 4)) *
	       page_bytes;
}

static void pin_op(void (*perform)(struct fd_slot *, __u32, __u32, enum buffer))
{
	struct fd_slot *slot = pick_backed();
	__u32 offset = pick_offset(slot->region);
	__u32 len = pick_len(slot->region, offset);

	perform(slot, offset, len, pick_buffer());
}

void op_pin(void)
{
	pin_op(do_pin);
}

void op_unpin(void)
{
	pin_op(do_unpin);
}

void op_status(void)
{
	pin_op(do_status);
}

void op_purge(void)
{
	if (may_purge())
		purge_all();
}

/* Without the capability, and certainly without effect. */
void op_purge_unprivileged(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct caps[2], fewer[2];
	struct fd_slot *slot = pick_fd();
	long ret;
	int err;

	if (syscall(SYS_capget, &header, caps))
		fail("capget: %s", strerror(errno));
	memcpy(fewer, caps, sizeof(fewer));
	fewer[0].effective &= ~(1U << CAP_SYS_ADMIN);
	if (syscall(SYS_capset, &header, fewer))
		fail("capset: %s", strerror(errno));
	op("purge-unprivileged f%d", fd_number(slot));
	ret = ioctl(slot->fd, ASHMEM_PURGE_ALL_CACHES);
	err = errno;
	if (syscall(SYS_capset, &header, caps))
		fail("capset: %s", strerror(errno));
	errno = err;
	result_number(ret);
}
