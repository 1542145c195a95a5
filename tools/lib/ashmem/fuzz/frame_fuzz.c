// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: a reader of frames beside a peer that writes arbitrary bytes.
 *
 * The input is a script of single-byte commands with operands, then the region's first
 * bytes. A valid header and slots are written first, so that the fuzzer need not guess
 * checksums; a command can also update the checksum of the ring's header or of a frame
 * after changes. Calls must return only documented codes, frames must have a valid
 * length, and a copied frame a right checksum.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "frame/internal.h"
#include "fuzz.h"

#define REGION		(RING_HEADER + 4 * 1024)
#define READERS		3

static char *region;
static int fd = -1;
static struct ashm_ring *ring;
static struct ashm_reader *reader[READERS];
static const void *borrowed[READERS];
static size_t borrowed_length[READERS];

static int make_region(size_t size)
{
	int made = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (made < 0 || ftruncate(made, (off_t)size) ||
	    fcntl(made, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
		abort();
	return made;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fd = make_region(REGION);
	region = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return region == MAP_FAILED ? -1 : 0;
}

static void sign_ring(void)
{
	struct ring_fixed *fixed = &((struct ring_header *)region)->fixed;

	fixed->check = ~libashmem_crc(LIBASHMEM_CRC_INIT, region + 8,
				      sizeof(*fixed) - 8);
}

static struct frame_slot *slot_at(uint64_t nr)
{
	struct ring_fixed fixed;
	uint64_t at;

	memcpy(&fixed, region, sizeof(fixed));
	at = RING_HEADER + (fixed.slots ? nr % fixed.slots : 0) * fixed.stride;
	at %= REGION - FRAME_HEADER;
	return (struct frame_slot *)(region + (at & ~(uint64_t)7));
}

/* As a correct peer would, up to the end of the region. */
static void sign_frame(uint64_t nr)
{
	struct frame_slot *slot = slot_at(nr);
	char *payload = (char *)slot + FRAME_HEADER;
	size_t room = (size_t)(region + REGION - payload);
	struct frame_header header;
	uint32_t crc;

	memcpy(&header, slot, sizeof(header));
	crc = libashmem_frame_crc(&header);
	header.check = ~libashmem_crc(crc, payload, header.length < room ?
				      (size_t)header.length : room);
	memcpy((char *)slot + offsetof(struct frame_header, check),
	       &header.check, sizeof(header.check));
}

/* A ring with a valid geometry, frames in it, and a living writer. */
static void lay_down(struct input *in)
{
	struct ring_header *header = (struct ring_header *)region;
	unsigned int shape = (unsigned int)take(in, 1), i;
	struct ring_fixed fixed = {
		.magic = RING_MAGIC,
		.version = RING_VERSION,
		.slots = 2 + shape % 3,
		.flags = shape >> 2 & 3,
		.stride = 64 * (2 + (shape >> 4)),
		.instance = 1,
	};
	struct frame_header frame = {
		.magic = FRAME_MAGIC,
		.version = FRAME_VERSION,
	};

	memset(region, 0, REGION);
	if (fixed.flags == 3)
		fixed.flags = 0;
	if (fixed.flags & ASHM_RING_WAIT)
		fixed.readers = 2;
	if (fixed.stride * fixed.slots > 4096)
		fixed.stride = 4096 / fixed.slots & ~63u;
	fixed.frame_max = fixed.stride - FRAME_HEADER;
	fixed.region_size = RING_HEADER + fixed.stride * fixed.slots;
	frame.region_size = fixed.region_size;
	memcpy(region, &fixed, sizeof(fixed));
	sign_ring();
	atomic_store(&header->writer.owner, 0x1234 | FUTEX_WAITERS);
	atomic_store(&header->writer.generation, 1);
	atomic_store(&header->writer.head, fixed.slots);
	for (i = 1; i <= fixed.slots; i++) {
		frame.seq = i;
		frame.length = i * 16;
		frame.state = (uint64_t)i << SLOT_SEQ_SHIFT | SLOT_READY;
		memcpy(slot_at(i), &frame, sizeof(frame));
		sign_frame(i);
	}
}

static void close_reader(unsigned int i)
{
	ashm_ring_reader_close(reader[i]);
	reader[i] = NULL;
	borrowed[i] = NULL;
}

static void attach(unsigned int flags)
{
	int ret;

	if (ring)
		return;
	ret = ashm_ring_attach(fd, flags & 1, &ring);
	if (ret)
		ring = NULL;
	ONE_OF(ret, 0, -EACCES, -ENODATA, -EPROTO, -EPROTONOSUPPORT);
}

static void open_reader(unsigned int i, unsigned int flags)
{
	int ret;

	if (!ring || reader[i])
		return;
	ret = ashm_ring_reader(ring, flags & 1, &reader[i]);
	if (ret)
		reader[i] = NULL;
	ONE_OF(ret, 0, -EUSERS, -EPROTO, -ENODATA, -ESTALE, -EBUSY);
}

static void read_frame(unsigned int i, size_t room)
{
	struct ashm_frame frame;
	char *buf;
	int ret;

	if (!reader[i])
		return;
	/* Of exactly that size, so that AddressSanitizer guards its end. */
	buf = malloc(room + !room);
	if (!buf)
		abort();
	ret = ashm_frame_read(reader[i], buf, room, &frame, 0);
	ONE_OF(ret, 0, -EAGAIN, -EOWNERDEAD, -EPIPE, -EMSGSIZE, -EBADMSG, -EBUSY,
	       -EPROTO, -ENODATA, -ESTALE, -EINPROGRESS);
	if (!ret) {
		insist(frame.length <= room && !frame.data, "length", ret);
		insist(frame.length <= REGION, "length in region", ret);
	}
	free(buf);
}

static void borrow(unsigned int i)
{
	struct ashm_frame frame;
	const char *data;
	int ret;

	if (!reader[i])
		return;
	ret = ashm_frame_borrow(reader[i], &frame, 0);
	ONE_OF(ret, 0, -EAGAIN, -EOWNERDEAD, -EPIPE, -EBADMSG, -EBUSY, -EPROTO,
	       -ENODATA, -ESTALE, -EINPROGRESS);
	if (ret)
		return;
	data = frame.data;
	insist(data && frame.length <= REGION - RING_HEADER - FRAME_HEADER,
	       "borrowed length", ret);
	borrowed[i] = data;
	borrowed_length[i] = (size_t)frame.length;
}

/* Every borrowed byte can be read. */
static void use_borrowed(unsigned int i)
{
	const volatile char *data = borrowed[i];
	size_t n;

	for (n = 0; data && n < borrowed_length[i]; n++)
		(void)data[n];
}

static void return_borrowed(unsigned int i)
{
	int ret;

	if (!reader[i])
		return;
	use_borrowed(i);
	ret = ashm_frame_valid(reader[i]);
	ONE_OF(ret, 0, -EINVAL, -ESTALE, -ENODATA);
	insist((ret == -EINVAL) == !borrowed[i], "valid knows", ret);
	ret = ashm_frame_release(reader[i]);
	ONE_OF(ret, 0, -EINVAL, -ESTALE, -ENODATA);
	insist((ret == -EINVAL) == !borrowed[i], "release knows", ret);
	borrowed[i] = NULL;
}

static void scribble(struct input *in)
{
	size_t at = (size_t)take(in, 2) % REGION, len = (size_t)take(in, 1) & 15;

	for (len++; len && at < REGION; len--, at++)
		region[at] = (char)take(in, 1);
}

/* One of the important words, as a whole. */
static void set_word(struct input *in)
{
	struct ring_header *header = (struct ring_header *)region;
	unsigned int which = (unsigned int)take(in, 1);
	uint64_t value = take(in, which & 0x80 ? 8 : 1);

	switch (which & 7) {
	case 0:
		atomic_store(&header->writer.owner, (uint32_t)value);
		break;
	case 1:
		atomic_store(&header->writer.head, value);
		break;
	case 2:
		atomic_store(&header->party[1].owner, (uint32_t)value);
		break;
	case 3:
		atomic_store(&header->party[1].next, value);
		break;
	case 4:
		atomic_store(&header->writer.generation, (uint32_t)value);
		break;
	case 5:
		sign_ring();
		break;
	default:
		atomic_store(&slot_at(which >> 3 & 3)->state, value);
		break;
	}
}

/* What a correct writer would do next. */
static void write_next(uint64_t length)
{
	struct ring_header *header = (struct ring_header *)region;
	struct frame_header frame = {
		.magic = FRAME_MAGIC,
		.version = FRAME_VERSION,
		.length = length,
		.region_size = header->fixed.region_size,
	};

	frame.seq = atomic_load(&header->writer.head) + 1;
	frame.state = frame.seq << SLOT_SEQ_SHIFT | SLOT_READY;
	memcpy(slot_at(frame.seq), &frame, sizeof(frame));
	sign_frame(frame.seq);
	atomic_store(&header->writer.head, frame.seq);
}

static void look(void)
{
	struct ashm_ring_stat stat;
	int ret;

	if (!ring)
		return;
	ret = ashm_ring_stat(ring, &stat);
	ONE_OF(ret, 0, -ENODATA, -ESTALE, -EPROTO);
	ret = ashm_ring_await_writer(ring, 0);
	ONE_OF(ret, 0, -EAGAIN, -ENODATA, -ESTALE);
}

static void become_writer(struct input *in)
{
	struct ashm_writer *writer;
	size_t length = (size_t)take(in, 2);
	void *data;
	int ret;

	if (!ring)
		return;
	ret = ashm_ring_writer(ring, &writer);
	ONE_OF(ret, 0, -EBUSY, -EACCES, -EPROTO, -ENODATA, -ESTALE);
	if (ret)
		return;
	ret = ashm_frame_begin(writer, length, &data, 0);
	ONE_OF(ret, 0, -EMSGSIZE, -EAGAIN, -EPIPE, -ENODATA, -ESTALE);
	if (!ret) {
		memset(data, 0x5a, length);
		set_word(in);
		ret = ashm_frame_commit(writer, length, 0);
		ONE_OF(ret, 0, -ENODATA, -ESTALE);
	}
	ashm_ring_writer_close(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned int op, i, steps = 0;

	lay_down(&in);
	while (in.left && steps++ < 200) {
		op = (unsigned int)take(&in, 1);
		i = op >> 4 & 3;
		if (i == READERS)
			i = 0;
		switch (op & 15) {
		case 0:
			attach(op >> 7);
			break;
		case 1:
		case 2:
			attach(0);
			open_reader(i, op >> 7);
			break;
		case 3:
		case 4:
			read_frame(i, (size_t)take(&in, 1) * 8);
			break;
		case 5:
			borrow(i);
			break;
		case 6:
			return_borrowed(i);
			break;
		case 7:
			close_reader(i);
			break;
		case 8:
		case 9:
			scribble(&in);
			break;
		case 10:
			set_word(&in);
			break;
		case 11:
			sign_frame(op >> 4);
			break;
		case 12:
			write_next(take(&in, op & 0x80 ? 8 : 1));
			break;
		case 13:
			look();
			break;
		case 14:
			become_writer(&in);
			break;
		default:
			/* Purged: a page or all. */
			if (op & 0x80)
				memset(region, 0, REGION);
			else
				memset(region + (op & 0x40 ? 4096 : 0), 0, 4096);
			break;
		}
	}
	for (i = 0; i < READERS; i++) {
		return_borrowed(i);
		close_reader(i);
	}
	ashm_ring_detach(ring);
	ring = NULL;
	return 0;
}
