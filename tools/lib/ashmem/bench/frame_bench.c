// SPDX-License-Identifier: GPL-2.0-only
/*
 * Usage: frame_bench [MILLISECONDS]
 *
 * Sends the same frames from one process to another through a ring, a pipe and a Unix
 * socket. Prints bytes a second, and the latency to a reader that sleeps or spins. The
 * methods alternate, round by round, so that other load hits all of them alike, and the
 * best round of each counts. MILLISECONDS (300) is the length of a round.
 */
#include <ashmem.h>
#include <ashmem_frame.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS		5
#define LARGEST		(8u << 20)
#define PIPE_SIZE	(1024 * 1024)	/* what an ordinary user may ask for */
#define RING_BYTES	(2u << 20)	/* stays in the cache, as a pipe does */
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define STOP		UINT64_MAX	/* the tag, or first word, of the last */

enum means {
	COPIED,		/* the ring, written from and read into a buffer */
	UNCHECKED,	/* the same without payload checksums */
	IN_PLACE,	/* the ring, made and read where it lies */
	PIPE,
	SOCKET,
	WAYS,
};

static const char *const names[WAYS] = {
	"ring, copied", "unchecked", "in place", "pipe", "socket",
};

static cpu_set_t processors;
static int spin = -1;		/* microseconds, or the library's own choice */

/* One direction. Both ends are made before the fork. */
struct channel {
	enum means way;
	size_t size;
	int fds[2];		/* to read from, to write to */
	struct ashm *region;
	struct ashm_ring *ring;
	struct ashm_writer *writer;
	struct ashm_reader *reader;
	char *buf;
};

static void fail(const char *what, int error)
{
	fprintf(stderr, "frame_bench: %s: %s\n", what, strerror(error));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- channels ---- */

static uint32_t slots_for(size_t size)
{
	size_t slots = RING_BYTES / size;

	if (slots > 64)
		return 64;
	return slots < 4 ? 4 : (uint32_t)slots;
}

static void make_ring(struct channel *c)
{
	struct ashm_ring_config config = {
		.frame_max = c->size,
		.slots = slots_for(c->size),
		.flags = ASHM_RING_WAIT,
		.readers = 1,
	};
	uint64_t size;
	int ret;

	if (c->way == UNCHECKED)
		config.flags |= ASHM_RING_UNCHECKED;
	ret = ashm_ring_size(&config, &size);
	if (ret)
		fail("ring", -ret);
	ret = ashm_create("bench", (size_t)size, &c->region);
	if (ret)
		fail("region", -ret);
	ret = ashm_ring_create(ashm_fd(c->region), &config, &c->ring);
	if (ret)
		fail("ring", -ret);
}

static void make(struct channel *c, enum means way, size_t size)
{
	memset(c, 0, sizeof(*c));
	c->way = way;
	c->size = size;
	c->buf = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (c->buf == MAP_FAILED)
		fail("buffer", errno);
	memset(c->buf, 0x5a, size);
	switch (way) {
	case PIPE:
		if (pipe2(c->fds, O_CLOEXEC))
			fail("pipe", errno);
		/* The largest allowed size; less is slower. */
		fcntl(c->fds[1], F_SETPIPE_SZ, PIPE_SIZE);
		break;
	case SOCKET:
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, c->fds))
			fail("socket", errno);
		break;
	default:
		make_ring(c);
		break;
	}
}

static void unmake(struct channel *c)
{
	ashm_ring_writer_close(c->writer);
	ashm_ring_reader_close(c->reader);
	ashm_ring_detach(c->ring);
	ashm_close(c->region);
	if (!c->ring) {
		close(c->fds[0]);
		close(c->fds[1]);
	}
	munmap(c->buf, c->size);
}

/* Each end on its own processor, if there are two. */
static void settle(int end)
{
	cpu_set_t one;
	int cpu, nth = 0;

	CPU_ZERO(&one);
	for (cpu = 0; cpu < CPU_SETSIZE && nth <= end; cpu++) {
		if (!CPU_ISSET(cpu, &processors))
			continue;
		if (nth++ == end)
			CPU_SET(cpu, &one);
	}
	if (CPU_COUNT(&one))
		sched_setaffinity(0, sizeof(one), &one);
}

static void unsettle(void)
{
	sched_setaffinity(0, sizeof(processors), &processors);
}

/* Attach again: handles belong to the process that made them. */
static void become(struct channel *c, bool writer)
{
	int ret;

	if (!c->ring)
		return;
	ret = ashm_ring_attach(ashm_fd(c->region), 0, &c->ring);
	if (!ret && spin >= 0)
		ret = ashm_ring_set_spin(c->ring, (unsigned int)spin);
	if (!ret)
		ret = writer ? ashm_ring_writer(c->ring, &c->writer) :
			       ashm_ring_reader(c->ring, 0, &c->reader);
	if (ret)
		fail("attaching", -ret);
}

/* ---- frames ---- */

static void send_frame(struct channel *c, uint64_t tag)
{
	size_t done = 0;
	ssize_t got;
	void *data;
	int ret;

	switch (c->way) {
	case COPIED:
	case UNCHECKED:
		ret = ashm_frame_write(c->writer, c->buf, c->size, tag, -1);
		if (ret)
			fail("writing", -ret);
		return;
	case IN_PLACE:
		ret = ashm_frame_begin(c->writer, c->size, &data, -1);
		if (!ret)
			ret = ashm_frame_commit(c->writer, c->size, tag);
		if (ret)
			fail("writing", -ret);
		return;
	default:
		memcpy(c->buf, &tag, sizeof(tag));
		for (; done < c->size; done += (size_t)got) {
			got = write(c->fds[1], c->buf + done, c->size - done);
			if (got < 0)
				fail("writing", errno);
		}
		return;
	}
}

static uint64_t receive_frame(struct channel *c)
{
	struct ashm_frame frame;
	uint64_t tag;
	size_t done = 0;
	ssize_t got;
	int ret;

	switch (c->way) {
	case COPIED:
	case UNCHECKED:
		ret = ashm_frame_read(c->reader, c->buf, c->size, &frame, -1);
		if (ret)
			fail("reading", -ret);
		return frame.tag;
	case IN_PLACE:
		ret = ashm_frame_borrow(c->reader, &frame, -1);
		if (!ret)
			ret = ashm_frame_release(c->reader);
		if (ret)
			fail("reading", -ret);
		return frame.tag;
	default:
		for (; done < c->size; done += (size_t)got) {
			got = read(c->fds[0], c->buf + done, c->size - done);
			if (got <= 0)
				fail("reading", got ? errno : EPIPE);
		}
		memcpy(&tag, c->buf, sizeof(tag));
		return tag;
	}
}

/* ---- measures ---- */

static void reap(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child || status)
		fail("the other process", EPROTO);
}

/* Bytes a second. The clock stops when the last frame has been read. */
static double throughput(enum means way, size_t size, double seconds)
{
	struct channel there, back;
	uint64_t frames = 0;
	double start, end;
	pid_t child;

	make(&there, way, size);
	make(&back, PIPE, sizeof(uint64_t));
	child = fork();
	if (child < 0)
		fail("fork", errno);
	if (!child) {
		settle(1);
		become(&there, false);
		send_frame(&back, 0);
		while (receive_frame(&there) != STOP)
			;
		send_frame(&back, 1);
		_exit(0);
	}
	become(&there, true);
	settle(0);
	receive_frame(&back);
	/* The first touch of memory isn't measured. */
	for (frames = 0; frames < 2 * slots_for(size); frames++)
		send_frame(&there, frames);
	start = now();
	end = start + seconds;
	for (frames = 0; now() < end; frames++)
		send_frame(&there, frames);
	send_frame(&there, STOP);
	receive_frame(&back);
	seconds = now() - start;
	reap(child);
	unsettle();
	unmake(&there);
	unmake(&back);
	return (double)(frames + 1) * (double)size / seconds;
}

/* Seconds for a frame to a sleeping reader: half of a round trip. */
static double latency(enum means way, size_t size, double seconds)
{
	struct channel there, back;
	uint64_t rounds = 0, tag;
	double start, end;
	pid_t child;

	make(&there, way, size);
	make(&back, way, size);
	child = fork();
	if (child < 0)
		fail("fork", errno);
	if (!child) {
		settle(1);
		become(&there, false);
		become(&back, true);
		do {
			tag = receive_frame(&there);
			send_frame(&back, tag);
		} while (tag != STOP);
		_exit(0);
	}
	become(&there, true);
	become(&back, false);
	settle(0);
	for (tag = 0; tag < 200; tag++) {
		send_frame(&there, tag);
		receive_frame(&back);
	}
	start = now();
	end = start + seconds;
	for (rounds = 0; now() < end; rounds++) {
		send_frame(&there, rounds);
		receive_frame(&back);
	}
	seconds = now() - start;
	send_frame(&there, STOP);
	receive_frame(&back);
	reap(child);
	unsettle();
	unmake(&there);
	unmake(&back);
	return seconds / (double)rounds / 2;
}

static void print_head(const char *what, const char *ratio)
{
	int way;

	printf("\n%s\n\n%8s", what, "frame");
	for (way = 0; way < WAYS; way++)
		printf("  %12s", names[way]);
	printf("  %s\n", ratio);
}

static void print_size(size_t size)
{
	if (size < 1024)
		printf("%6zu B", size);
	else if (size < 1 << 20)
		printf("%4zu KiB", size >> 10);
	else
		printf("%4zu MiB", size >> 20);
}

static void measure_throughput(size_t size, double seconds)
{
	double value, best[WAYS] = { 0 };
	int round, way;

	for (round = 0; round < ROUNDS; round++)
		for (way = 0; way < WAYS; way++) {
			value = throughput((enum means)way, size, seconds);
			if (value > best[way])
				best[way] = value;
		}
	print_size(size);
	for (way = 0; way < WAYS; way++)
		printf("  %12.2f", best[way] / 1e9);
	printf("  %11.2f  %13.2f\n", best[COPIED] / best[PIPE],
	       best[COPIED] / best[SOCKET]);
	fflush(stdout);
}

static void measure_latency(size_t size, double seconds)
{
	double value, best[WAYS];
	int round, way;

	for (way = 0; way < WAYS; way++)
		best[way] = 1e9;
	for (round = 0; round < ROUNDS; round++)
		for (way = 0; way < WAYS; way++) {
			value = latency((enum means)way, size, seconds);
			if (value < best[way])
				best[way] = value;
		}
	print_size(size);
	for (way = 0; way < WAYS; way++)
		printf("  %12.2f", best[way] * 1e6);
	printf("  %11.2f  %13.2f\n", best[PIPE] / best[COPIED],
	       best[SOCKET] / best[COPIED]);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = {
		1024, 4096, 16384, 65536, 262144, 1 << 20, LARGEST,
	};
	static const size_t small[] = { 64, 4096 };
	double seconds = 0.3;
	size_t i;

	if (argc == 2)
		seconds = atoi(argv[1]) / 1000.0;
	if (argc > 2 || seconds <= 0) {
		fprintf(stderr, "usage: frame_bench [MILLISECONDS]\n");
		return 2;
	}
	if (sched_getaffinity(0, sizeof(processors), &processors))
		fail("processors", errno);
	printf("%d processor(s), backend %s\n", CPU_COUNT(&processors),
	       ashm_backend(NULL) == ASHM_BACKEND_ASHMEM ? "ashmem" : "memfd");

	print_head("GB/s from process to process", "copied/pipe  copied/socket");
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		measure_throughput(sizes[i], seconds);

	spin = 0;
	print_head("microseconds for a frame to one who sleeps", "pipe/copied  socket/copied");
	for (i = 0; i < ARRAY_SIZE(small); i++)
		measure_latency(small[i], seconds);

	spin = 1000;
	print_head("microseconds for a frame to one who spins, with a ring",
		   "pipe/copied  socket/copied");
	for (i = 0; i < ARRAY_SIZE(small); i++)
		measure_latency(small[i], seconds);
	return 0;
}
