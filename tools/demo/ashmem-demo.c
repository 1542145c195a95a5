// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs of the show: see run-demo.
 *
 *	ashmem-demo producer SOCKET	makes a region, passes it on, fills it
 *	ashmem-demo consumer SOCKET	gets it, may only read it, checks it
 *	ashmem-demo cache		a cache under memory pressure
 *	ashmem-demo hog FD		takes memory, step by step (started by cache)
 *
 * Each of them ends with status 1 and a sentence when anything is not as it
 * should be.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/ashmem.h>

#define MIB		(1UL << 20)

#define FRAME_NAME	"video-frames"
#define FRAME_BYTES	(64UL << 10)
#define SLOTS		16
#define FRAMES		192
#define RING_BYTES	(SLOTS * FRAME_BYTES)

#define CACHE_NAME	"thumbnails"
#define CACHE_ENTRIES	32
#define CACHE_PINNED	8
#define ENTRY_BYTES	MIB
#define HOG_STEP	(8 * MIB)
/* Filling more memory than this would take too long. */
#define PRESSURE_MAX	(2048 * MIB)

/* So that a hanging peer doesn't hang the demo. */
#define TIME_LIMIT	120

static const char *who = "ashmem-demo";

static void __attribute__((format(printf, 1, 2), noreturn)) die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "%s: ", who);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void __attribute__((format(printf, 1, 2))) say(const char *fmt, ...)
{
	va_list ap;

	printf("   %-9s", who);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static void heading(const char *text)
{
	printf("\n%s\n", text);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- data ---- */

/* xorshift64*: each seed has its own sequence, far from all zeroes. */
static uint64_t next_word(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

static void fill(uint64_t *words, size_t bytes, uint64_t seed)
{
	uint64_t state = seed + 1;
	size_t i;

	for (i = 0; i < bytes / sizeof(*words); i++)
		words[i] = next_word(&state);
}

static bool holds(const uint64_t *words, size_t bytes, uint64_t seed)
{
	uint64_t state = seed + 1;
	size_t i;

	for (i = 0; i < bytes / sizeof(*words); i++) {
		if (words[i] != next_word(&state))
			return false;
	}
	return true;
}

/* Fletcher's sums, in 64 bits: a swapped or a missing word changes them. */
struct checksum {
	uint64_t a, b;
};

static void checksum_add(struct checksum *sum, const uint64_t *words, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes / sizeof(*words); i++) {
		sum->a += words[i];
		sum->b += sum->a;
	}
}

struct frame {
	uint64_t sequence;
	uint64_t data[FRAME_BYTES / sizeof(uint64_t) - 1];
};

/* ---- regions ---- */

static int region_create(const char *name, size_t size)
{
	int fd = open("/dev/ashmem", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("cannot open /dev/ashmem: %s", strerror(errno));
	if (ioctl(fd, ASHMEM_SET_NAME, name) || ioctl(fd, ASHMEM_SET_SIZE, size))
		die("cannot name or size the region: %s", strerror(errno));
	return fd;
}

static void *region_map(int fd, size_t size, int prot)
{
	void *p = mmap(NULL, size, prot, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		die("cannot map the region: %s", strerror(errno));
	return p;
}

/* The region in /proc, as this and other processes see it. */
static void show_region(int fd)
{
	char path[64], line[512];
	bool shown = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)getpid());
	f = fopen(path, "re");
	if (!f)
		die("cannot open %s: %s", path, strerror(errno));
	printf("             %s:\n", path);
	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, "/dev/ashmem/" FRAME_NAME)) {
			printf("               %s", line);
			shown = true;
		}
	}
	fclose(f);
	if (!shown)
		die("%s does not show the region", path);

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)getpid(), fd);
	f = fopen(path, "re");
	if (!f)
		die("cannot open %s: %s", path, strerror(errno));
	printf("             %s:\n", path);
	/* The region's own lines follow those that any file has. */
	shown = false;
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "inode:", 6))
			shown = true;
		if (shown)
			printf("               %s", line);
	}
	fclose(f);
	if (!shown)
		die("%s does not show the region", path);
}

/* ---- messages ---- */

/* The messages of the two; the data itself is not sent. */
struct message {
	enum { READY = 1, FRAME, RELEASE, DONE } type;
	uint32_t slot;
	uint64_t sequence;
	struct checksum sum;
};

static void send_message(int sock, const struct message *m, int fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} ctl;
	struct iovec iov = { .iov_base = (void *)m, .iov_len = sizeof(*m) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (fd >= 0) {
		memset(&ctl, 0, sizeof(ctl));
		msg.msg_control = ctl.buf;
		msg.msg_controllen = sizeof(ctl.buf);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) != (ssize_t)sizeof(*m))
		die("cannot send to the other side: %s", strerror(errno));
}

/* Receives a message of @type, and the descriptor that it may carry. */
static int receive_message(int sock, struct message *m, int type)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} ctl;
	struct iovec iov = { .iov_base = m, .iov_len = sizeof(*m) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = ctl.buf,
			      .msg_controllen = sizeof(ctl.buf) };
	struct cmsghdr *cmsg;
	ssize_t got;
	int fd = -1;

	do {
		got = recvmsg(sock, &msg, MSG_WAITALL | MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		die("cannot receive from the other side: %s", strerror(errno));
	if (got != (ssize_t)sizeof(*m))
		die("the other side has gone away");
	if ((int)m->type != type)
		die("message %d received, %d expected", (int)m->type, type);
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_level == SOL_SOCKET &&
	    cmsg->cmsg_type == SCM_RIGHTS &&
	    cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(int));
	return fd;
}

static struct sockaddr_un socket_address(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(addr.sun_path))
		die("the name of the socket is too long: %s", path);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	return addr;
}

/* ---- producer ---- */

static int run_producer(const char *path)
{
	struct sockaddr_un addr = socket_address(path);
	struct message m = { .type = READY };
	struct checksum sum = { 0, 0 };
	struct frame *ring;
	uint64_t n;
	double start;
	int fd, server, sock;

	server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server < 0)
		die("cannot make a socket: %s", strerror(errno));

	heading("1. A program makes a region and gives away the right to write to it");
	fd = region_create(FRAME_NAME, RING_BYTES);
	ring = region_map(fd, RING_BYTES, PROT_READ | PROT_WRITE);
	say("pid %d opened /dev/ashmem, named its region \"" FRAME_NAME "\" and mapped",
	    (int)getpid());
	say("its %lu KiB for reading and writing. From now on no process can map it for",
	    RING_BYTES >> 10);
	say("writing again, not even this program: SET_PROT_MASK(PROT_READ).");
	if (ioctl(fd, ASHMEM_SET_PROT_MASK, PROT_READ))
		die("cannot narrow the mask: %s", strerror(errno));
	if (ioctl(fd, ASHMEM_GET_PROT_MASK) != PROT_READ)
		die("the mask is not what was set");
	show_region(fd);

	/* Listens when all of this is on the screen, so the consumer comes next. */
	fflush(stdout);
	if (bind(server, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(server, 1))
		die("cannot listen on %s: %s", path, strerror(errno));
	sock = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	if (sock < 0)
		die("no client connected: %s", strerror(errno));
	send_message(sock, &m, fd);
	receive_message(sock, &m, READY);

	heading("3. Frames go through the shared memory, only their numbers through the socket");
	start = seconds();
	for (n = 0; n < FRAMES; n++) {
		struct frame *frame = &ring[n % SLOTS];

		/* A slot is written again when the consumer is done with it. */
		if (n >= SLOTS) {
			receive_message(sock, &m, RELEASE);
			if (m.sequence != n - SLOTS)
				die("frame %llu released, %llu expected",
				    (unsigned long long)m.sequence,
				    (unsigned long long)(n - SLOTS));
		}
		frame->sequence = n;
		fill(frame->data, sizeof(frame->data), n);
		checksum_add(&sum, (uint64_t *)frame, sizeof(*frame));
		m = (struct message){ .type = FRAME, .slot = n % SLOTS,
				      .sequence = n };
		send_message(sock, &m, -1);
	}
	for (n = FRAMES - SLOTS; n < FRAMES; n++)
		receive_message(sock, &m, RELEASE);
	receive_message(sock, &m, DONE);
	say("%d frames, %lu MiB in %.1f s through a ring of %d frames.", FRAMES,
	    FRAMES * FRAME_BYTES / MIB, seconds() - start, SLOTS);
	if (m.sum.a != sum.a || m.sum.b != sum.b)
		die("the consumer's checksum %016llx is not the producer's %016llx",
		    (unsigned long long)m.sum.b, (unsigned long long)sum.b);
	say("checksum %016llx here, %016llx at the consumer: equal.",
	    (unsigned long long)sum.b, (unsigned long long)m.sum.b);
	return 0;
}

/* ---- consumer ---- */

static void expect_refused(const char *what, bool refused, int want)
{
	int err = errno;

	if (!refused)
		die("%s was allowed", what);
	if (err != want)
		die("%s was refused with \"%s\", not with \"%s\"", what,
		    strerror(err), strerror(want));
	say("%s: refused, %s", what, strerror(err));
}

static int run_consumer(const char *path)
{
	struct sockaddr_un addr = socket_address(path);
	struct ashmem_pin all = { 0, 0 };
	struct checksum sum = { 0, 0 };
	const struct frame *ring;
	struct message m;
	uint64_t n;
	void *p;
	int fd, sock, i;

	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		die("cannot make a socket: %s", strerror(errno));
	/* The socket's file may be there a moment before it listens. */
	for (i = 0; connect(sock, (struct sockaddr *)&addr, sizeof(addr)); i++) {
		struct timespec ts = { .tv_nsec = 20000000 };

		if (errno != ECONNREFUSED || i == 100)
			die("cannot connect to %s: %s", path, strerror(errno));
		nanosleep(&ts, NULL);
	}
	fd = receive_message(sock, &m, READY);
	if (fd < 0)
		die("no descriptor came with the message");

	heading("2. Another program gets the region over a Unix socket, and may only read it");
	if (ioctl(fd, ASHMEM_GET_SIZE) != (int)RING_BYTES)
		die("the region has another size than expected");
	ring = region_map(fd, RING_BYTES, PROT_READ);
	say("pid %d got the descriptor (SCM_RIGHTS) and mapped it read-only.",
	    (int)getpid());
	show_region(fd);
	p = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	expect_refused("mmap() for writing", p == MAP_FAILED, EPERM);
	expect_refused("mprotect() to writable",
		       mprotect((void *)ring, RING_BYTES, PROT_READ | PROT_WRITE),
		       EACCES);
	expect_refused("widening the mask again",
		       ioctl(fd, ASHMEM_SET_PROT_MASK, PROT_READ | PROT_WRITE),
		       EINVAL);
	expect_refused("offering the contents up for purging",
		       ioctl(fd, ASHMEM_UNPIN, &all), EPERM);
	fflush(stdout);
	m = (struct message){ .type = READY };
	send_message(sock, &m, -1);

	for (n = 0; n < FRAMES; n++) {
		const struct frame *frame;

		receive_message(sock, &m, FRAME);
		if (m.sequence != n || m.slot >= SLOTS)
			die("frame %llu announced, %llu expected",
			    (unsigned long long)m.sequence, (unsigned long long)n);
		frame = &ring[m.slot];
		if (frame->sequence != n)
			die("slot %u holds frame %llu, not %llu", m.slot,
			    (unsigned long long)frame->sequence,
			    (unsigned long long)n);
		if (!holds(frame->data, sizeof(frame->data), n))
			die("frame %llu is damaged", (unsigned long long)n);
		checksum_add(&sum, (const uint64_t *)frame, sizeof(*frame));
		m.type = RELEASE;
		send_message(sock, &m, -1);
	}
	say("%d frames seen, each in its turn and right to the last byte.", FRAMES);
	m = (struct message){ .type = DONE, .sum = sum };
	send_message(sock, &m, -1);
	return 0;
}

/* ---- cache and hog ---- */

static unsigned long mem_bytes(const char *key)
{
	size_t keylen = strlen(key);
	unsigned long kb = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	if (!f)
		die("cannot open /proc/meminfo: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, keylen) && line[keylen] == ':')
			kb = strtoul(line + keylen + 1, NULL, 10);
	}
	fclose(f);
	return kb << 10;
}

/* Takes HOG_STEP more bytes for each byte that it reads, and echoes it. */
static int run_hog(int sock)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), i;
	unsigned char *p;
	char byte;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* If the OOM killer must kill a process, it should be this one. */
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (write(fd, "1000", 4) != 4)
			say("cannot offer itself to the OOM killer: %s",
			    strerror(errno));
		close(fd);
	}
	while (read(sock, &byte, 1) == 1) {
		p = mmap(NULL, HOG_STEP, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			die("no more memory to map: %s", strerror(errno));
		for (i = 0; i < HOG_STEP; i += page)
			p[i] = 1;
		if (write(sock, &byte, 1) != 1)
			return 1;
	}
	return 0;
}

/* How many MiB of the first @entries entries are still in memory. */
static unsigned long cached_mib(void *cache, unsigned int entries)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), i, there = 0;
	size_t pages = entries * ENTRY_BYTES / page;
	unsigned char *vec = malloc(pages);

	if (!vec || mincore(cache, entries * ENTRY_BYTES, vec))
		die("cannot look at the cache: %s", strerror(errno));
	for (i = 0; i < pages; i++)
		there += vec[i] & 1;
	free(vec);
	/* Rounded up, so that 0 means that all is purged. */
	return (there * page + MIB - 1) / MIB;
}

/* True when all unpinned pages are purged. */
static bool press(unsigned char *unpinned, unsigned int entries)
{
	/* MemAvailable is only an estimate: others free memory, too. */
	unsigned long limit = mem_bytes("MemTotal");
	unsigned long taken = 0, left = entries, now;
	unsigned int step = 0;
	char fdtext[16], byte = 0;
	int sock[2], status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sock))
		die("cannot make a socket: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (!pid) {
		close(sock[0]);
		snprintf(fdtext, sizeof(fdtext), "%d", sock[1]);
		execl("/proc/self/exe", "ashmem-demo", "hog", fdtext, (char *)NULL);
		die("cannot start the hog: %s", strerror(errno));
	}
	close(sock[1]);
	while (left && taken < limit) {
		if (write(sock[0], &byte, 1) != 1 || read(sock[0], &byte, 1) != 1)
			die("the hog died with %lu MiB, and %lu MiB of the cache are still there",
			    taken / MIB, left);
		taken += HOG_STEP;
		now = cached_mib(unpinned, entries);
		if (now != left || ++step % 8 == 0) {
			left = now;
			say("a hog holds %3lu MiB; free %3lu MiB; unpinned, still there %2lu MiB",
			    taken / MIB, mem_bytes("MemFree") / MIB, left);
		}
	}
	close(sock[0]);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status))
		die("the hog did not end well");
	return !left;
}

static int run_cache(void)
{
	size_t size = CACHE_ENTRIES * ENTRY_BYTES;
	unsigned int unpinned = CACHE_ENTRIES - CACHE_PINNED, i;
	unsigned long avail, swap;
	unsigned char *base;
	struct ashmem_pin pin;
	int fd, ret;

	heading("4. A cache that the kernel may take back");
	fd = region_create(CACHE_NAME, size);
	base = region_map(fd, size, PROT_READ | PROT_WRITE);
	for (i = 0; i < CACHE_ENTRIES; i++)
		fill((uint64_t *)(base + i * ENTRY_BYTES), ENTRY_BYTES, i);
	pin = (struct ashmem_pin){ 0, (uint32_t)(unpinned * ENTRY_BYTES) };
	if (ioctl(fd, ASHMEM_UNPIN, &pin))
		die("cannot unpin: %s", strerror(errno));
	if (ioctl(fd, ASHMEM_GET_PIN_STATUS, &pin) != ASHMEM_IS_UNPINNED)
		die("unpinned entries are not shown as unpinned");
	say("filled %d entries of 1 MiB and unpinned %u of them: \"I can make these",
	    CACHE_ENTRIES, unpinned);
	say("again, take them if you need memory.\" The other %d stay pinned.",
	    CACHE_PINNED);

	avail = mem_bytes("MemAvailable");
	swap = mem_bytes("SwapFree");
	if (avail <= PRESSURE_MAX && !swap) {
		if (!press(base, unpinned))
			die("memory is used up, but the unpinned entries are still there");
	} else {
		if (swap)
			say("this machine has swap: using memory up would only make it slow.");
		else
			say("%lu MiB are available here: too much to use up for a show.",
			    avail / MIB);
		ret = ioctl(fd, ASHMEM_PURGE_ALL_CACHES);
		if (ret < 0 && errno == EPERM) {
			say("PURGE_ALL_CACHES would do instead, but only for root.");
			say("So this is as far as it goes here: run it as root to see the rest.");
			return 0;
		}
		if (ret < 0)
			die("cannot purge: %s", strerror(errno));
		say("Instead of a lack of memory, PURGE_ALL_CACHES took %d pages.", ret);
	}

	heading("5. What is left of it");
	ret = ioctl(fd, ASHMEM_PIN, &pin);
	if (ret != ASHMEM_WAS_PURGED)
		die("PIN of the lost entries returned %d, not ASHMEM_WAS_PURGED", ret);
	say("PIN of the %u unpinned entries says ASHMEM_WAS_PURGED: make them again.",
	    unpinned);
	for (i = 0; i < unpinned; i++) {
		const uint64_t *words = (uint64_t *)(base + i * ENTRY_BYTES);
		size_t j;

		for (j = 0; j < ENTRY_BYTES / sizeof(*words); j++) {
			if (words[j])
				die("entry %u was purged, but is not empty", i);
		}
	}
	say("All %u MiB of them read as zeroes.", unpinned);

	pin = (struct ashmem_pin){ (uint32_t)(unpinned * ENTRY_BYTES), 0 };
	ret = ioctl(fd, ASHMEM_PIN, &pin);
	if (ret != ASHMEM_NOT_PURGED)
		die("PIN of the pinned entries returned %d, not ASHMEM_NOT_PURGED", ret);
	for (i = unpinned; i < CACHE_ENTRIES; i++) {
		if (!holds((uint64_t *)(base + i * ENTRY_BYTES), ENTRY_BYTES, i))
			die("pinned entry %u is damaged", i);
	}
	say("The %d pinned entries are all there: %lu bytes compared.", CACHE_PINNED,
	    CACHE_PINNED * ENTRY_BYTES);
	return 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(TIME_LIMIT);
	if (argc > 1)
		who = argv[1];
	if (argc == 3 && !strcmp(who, "producer"))
		return run_producer(argv[2]);
	if (argc == 3 && !strcmp(who, "consumer"))
		return run_consumer(argv[2]);
	if (argc == 2 && !strcmp(who, "cache"))
		return run_cache();
	if (argc == 3 && !strcmp(who, "hog"))
		return run_hog(atoi(argv[2]));
	fprintf(stderr, "usage: ashmem-demo producer|consumer SOCKET\n"
			"       ashmem-demo cache\n");
	return 2;
}
