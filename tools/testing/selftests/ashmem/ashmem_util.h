/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of the ashmem selftests.
 *
 * Include after kselftest_harness.h, if at all. Calls return errno as a negative value, so
 * that one EXPECT_EQ() checks both that a call was refused and why.
 */
#ifndef ASHMEM_UTIL_H
#define ASHMEM_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/ashmem.h>

/* The macros of the harness, if it is included. */
#ifndef __maybe_unused
#define __maybe_unused	__attribute__((__unused__))
#endif
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

#define ASHMEM_DEV	"/dev/ashmem"
#define PROT_RW		(PROT_READ | PROT_WRITE)
#define PROT_RWX	(PROT_READ | PROT_WRITE | PROT_EXEC)
#define UNUSED		__maybe_unused

/* The value of a libc call, or -errno. */
#define RET(call) ({ __typeof__(call) __r = (call); \
		     (long long)(__r == (__typeof__(call))-1 ? -errno : __r); })

/* For a child process: prints where it failed, and exits with an error. */
#define CHILD_CHECK(cond) do { \
	if (!(cond)) { \
		fprintf(stderr, "# %s:%d: child: not true: %s (errno %d)\n", \
			__FILE__, __LINE__, #cond, errno); \
		_exit(1); \
	} \
} while (0)

#ifdef TEST_TIMEOUT_DEFAULT
/* Only for hangs: an emulated machine on a busy host is ten times slower. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	300
#endif

static UNUSED size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static UNUSED size_t page_round(size_t len)
{
	return (len + page_size() - 1) & ~(page_size() - 1);
}

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/* Bytes of a huge page, or 0. */
static UNUSED size_t huge_page_size(void)
{
	unsigned long size = 0;
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%lu", &size) != 1)
		size = 0;
	fclose(f);
	return size;
}

/* Address space for @len bytes where a huge page fits, to map there with MAP_FIXED. */
static UNUSED unsigned char *reserve_huge(size_t len)
{
	size_t huge = huge_page_size();
	unsigned char *a = mmap(NULL, len + huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (a == MAP_FAILED)
		return a;
	return (unsigned char *)(((uintptr_t)a + huge - 1) & ~(huge - 1));
}

/* ---- the device's calls ---- */

static UNUSED long ash_ioctl(int fd, unsigned long cmd, unsigned long arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret == -1 ? -errno : ret;
}

static UNUSED int ash_open(int flags)
{
	int fd = open(ASHMEM_DEV, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static UNUSED long ash_set_name(int fd, const char *name)
{
	return ash_ioctl(fd, ASHMEM_SET_NAME, (unsigned long)name);
}

static UNUSED long ash_get_name(int fd, char *name)
{
	return ash_ioctl(fd, ASHMEM_GET_NAME, (unsigned long)name);
}

static UNUSED long ash_set_size(int fd, size_t size)
{
	return ash_ioctl(fd, ASHMEM_SET_SIZE, size);
}

/*
 * The kernel truncates the result of any ioctl to an int: sizes of 2 GiB and more are
 * wrong, and some look like an errno.
 */
static UNUSED long ash_get_size(int fd)
{
	return ash_ioctl(fd, ASHMEM_GET_SIZE, 0);
}

static UNUSED long ash_set_mask(int fd, unsigned long mask)
{
	return ash_ioctl(fd, ASHMEM_SET_PROT_MASK, mask);
}

static UNUSED long ash_get_mask(int fd)
{
	return ash_ioctl(fd, ASHMEM_GET_PROT_MASK, 0);
}

static UNUSED long ash_file_id(int fd, unsigned long *id)
{
	return ash_ioctl(fd, ASHMEM_GET_FILE_ID, (unsigned long)id);
}

static UNUSED long ash_pin_op(int fd, unsigned long cmd, uint32_t offset,
			      uint32_t len)
{
	struct ashmem_pin pin = { .offset = offset, .len = len };

	return ash_ioctl(fd, cmd, (unsigned long)&pin);
}

static UNUSED long ash_pin(int fd, uint32_t offset, uint32_t len)
{
	return ash_pin_op(fd, ASHMEM_PIN, offset, len);
}

static UNUSED long ash_unpin(int fd, uint32_t offset, uint32_t len)
{
	return ash_pin_op(fd, ASHMEM_UNPIN, offset, len);
}

static UNUSED long ash_pin_status(int fd, uint32_t offset, uint32_t len)
{
	return ash_pin_op(fd, ASHMEM_GET_PIN_STATUS, offset, len);
}

static UNUSED long ash_purge_all(int fd)
{
	return ash_ioctl(fd, ASHMEM_PURGE_ALL_CACHES, 0);
}

/* A region of @size bytes, named @name unless that is NULL; or -errno. */
static UNUSED int ash_region(const char *name, size_t size)
{
	int fd = ash_open(O_RDWR);
	long ret = 0;

	if (fd < 0)
		return fd;
	if (name)
		ret = ash_set_name(fd, name);
	if (!ret)
		ret = ash_set_size(fd, size);
	if (ret) {
		close(fd);
		return (int)ret;
	}
	return fd;
}

static UNUSED void *ash_map(int fd, size_t len, int prot)
{
	return mmap(NULL, len, prot, MAP_SHARED, fd, 0);
}

/* An mmap() that should fail: 0 or -errno, nothing stays mapped. */
static UNUSED long map_errno(int fd, size_t len, int prot, int flags, off_t off)
{
	void *p = mmap(NULL, len, prot, flags, fd, off);

	if (p == MAP_FAILED)
		return -errno;
	munmap(p, len);
	return 0;
}

/* ---- the state of a region, as a caller sees it ---- */

struct ash_state {
	char name[ASHMEM_NAME_LEN];
	long size;
	long mask;
	long id_ret;
	unsigned long id;
};

static UNUSED void ash_read_state(int fd, struct ash_state *st)
{
	memset(st, 0xcc, sizeof(*st));
	ash_get_name(fd, st->name);
	st->name[sizeof(st->name) - 1] = '\0';
	st->size = ash_get_size(fd);
	st->mask = ash_get_mask(fd);
	st->id_ret = ash_file_id(fd, &st->id);
}

#define EXPECT_SAME_STATE(fd, before) do { \
	struct ash_state __now; \
	ash_read_state(fd, &__now); \
	EXPECT_STREQ((before)->name, __now.name); \
	EXPECT_EQ((before)->size, __now.size); \
	EXPECT_EQ((before)->mask, __now.mask); \
	EXPECT_EQ((before)->id_ret, __now.id_ret); \
	EXPECT_EQ((before)->id, __now.id); \
} while (0)

/* ---- contents ---- */

/* Twice 256 bytes: a block of 256 begins at any of the first ones. */
static unsigned char pattern_bytes[512];

static UNUSED __attribute__((constructor)) void make_pattern(void)
{
	size_t i;

	for (i = 0; i < sizeof(pattern_bytes); i++)
		pattern_bytes[i] = (unsigned char)(i * 7 | 1);
}

/*
 * The pattern of @seed from byte @i on, to the end of that block. Its first byte is 7 * @i +
 * 13 * (@i >> 8) + 101 * @seed with bit 0 set: 7 * 75 is 13, and 7 * 51 is 101, modulo 256.
 */
static UNUSED const unsigned char *pattern_at(unsigned int seed, size_t i)
{
	return pattern_bytes + ((i + (i >> 8) * 75 + seed * 51) & 255);
}

/* The bytes of @len from byte @i on that are in the same block. */
static UNUSED size_t pattern_len(size_t i, size_t len)
{
	size_t rest = 256 - (i & 255);

	return len < rest ? len : rest;
}

static UNUSED unsigned char pattern_byte(unsigned int seed, size_t i)
{
	return *pattern_at(seed, i);
}

/* Never writes a zero, so that a hole can't pass for the pattern. */
static UNUSED void fill_from(void *buf, size_t len, unsigned int seed, size_t skip)
{
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = pattern_len(skip + i, len - i);
		memcpy((char *)buf + i, pattern_at(seed, skip + i), n);
	}
}

static UNUSED void fill(void *buf, size_t len, unsigned int seed)
{
	fill_from(buf, len, seed, 0);
}

/* True when @buf holds the pattern of @seed, from its byte @skip on. */
static UNUSED bool filled_from(const void *buf, size_t len, unsigned int seed,
			       size_t skip)
{
	const unsigned char *p = buf;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = pattern_len(skip + i, len - i);
		if (memcmp(p + i, pattern_at(seed, skip + i), n)) {
			fprintf(stderr, "# bytes %zu to %zu are not those of pattern %u\n",
				i, i + n - 1, seed);
			return false;
		}
	}
	return true;
}

static UNUSED bool filled(const void *buf, size_t len, unsigned int seed)
{
	return filled_from(buf, len, seed, 0);
}

static UNUSED bool all_bytes(const void *buf, size_t len, unsigned char byte)
{
	const unsigned char *p = buf;
	size_t i;

	if (len && *p == byte && !memcmp(p, p + 1, len - 1))
		return true;
	for (i = 0; i < len; i++) {
		if (p[i] != byte) {
			fprintf(stderr, "# byte %zu: 0x%02x, not 0x%02x\n",
				i, p[i], byte);
			return false;
		}
	}
	return true;
}

static UNUSED bool zeroed(const void *buf, size_t len)
{
	return all_bytes(buf, len, 0);
}

/*
 * @len bytes right before a guard page: an access of one byte too many faults. NULL on
 * failure.
 */
static UNUSED void *guarded(size_t len)
{
	size_t span = page_round(len);
	char *p = mmap(NULL, span + page_size(), PROT_RW,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (mprotect(p + span, page_size(), PROT_NONE))
		return NULL;
	return p + span - len;
}

/* An address at which nothing is mapped. */
static UNUSED void *bad_address(void)
{
	void *p = mmap(NULL, page_size(), PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED)
		munmap(p, page_size());
	return p;
}

/* ---- accesses that may fault ---- */

static sigjmp_buf fault_env;

static UNUSED void fault_handler(int sig)
{
	siglongjmp(fault_env, sig);
}

/* Reads (@value < 0) or writes a byte; 0, or the signal that it raised. */
static UNUSED int touch(void *addr, int value)
{
	struct sigaction act = { .sa_handler = fault_handler };
	struct sigaction old_bus, old_segv;
	volatile unsigned char *p = addr;
	int sig;

	sigemptyset(&act.sa_mask);
	sigaction(SIGBUS, &act, &old_bus);
	sigaction(SIGSEGV, &act, &old_segv);
	sig = sigsetjmp(fault_env, 1);
	if (!sig) {
		if (value < 0)
			(void)*p;
		else
			*p = (unsigned char)value;
	}
	sigaction(SIGBUS, &old_bus, NULL);
	sigaction(SIGSEGV, &old_segv, NULL);
	return sig;
}

static UNUSED int touch_read(void *addr)
{
	return touch(addr, -1);
}

static UNUSED int touch_write(void *addr, unsigned char value)
{
	return touch(addr, value);
}

/* ---- /proc ---- */

static UNUSED bool listed_in_proc_misc(void)
{
	char line[128], name[64];
	bool found = false;
	FILE *f = fopen("/proc/misc", "re");

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*d %63s", name) == 1 &&
			!strcmp(name, "ashmem");
	fclose(f);
	return found;
}

struct maps_line {
	unsigned long start, end;
	char perms[5];
	unsigned long long offset;
	unsigned long long inode;
	char path[4096];
};

/* The line of /proc/@pid/maps (0: our own) that holds @addr. */
static UNUSED bool maps_find(pid_t pid, const void *addr, struct maps_line *m)
{
	char file[64], *line = NULL;
	bool found = false;
	size_t room = 0;
	FILE *f;

	if (pid)
		snprintf(file, sizeof(file), "/proc/%d/maps", (int)pid);
	else
		snprintf(file, sizeof(file), "/proc/self/maps");
	f = fopen(file, "re");
	if (!f)
		return false;
	while (!found && getline(&line, &room, f) > 0) {
		memset(m, 0, sizeof(*m));
		if (sscanf(line, "%lx-%lx %4s %llx %*x:%*x %llu %4095[^\n]",
			   &m->start, &m->end, m->perms, &m->offset, &m->inode,
			   m->path) < 5)
			continue;
		found = (unsigned long)addr >= m->start &&
			(unsigned long)addr < m->end;
	}
	free(line);
	fclose(f);
	return found;
}

/*
 * The value of the first "@key:<tab>" line in our fdinfo of @fd.
 * Returns how many such lines there are, or -errno.
 */
static UNUSED int fdinfo_get(int fd, const char *key, char *value, size_t size)
{
	size_t keylen = strlen(key), room = 0;
	char file[64], *line = NULL;
	int found = 0;
	FILE *f;

	snprintf(file, sizeof(file), "/proc/self/fdinfo/%d", fd);
	f = fopen(file, "re");
	if (!f)
		return -errno;
	memset(value, 0, size);
	while (getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, key, keylen) ||
		    strncmp(line + keylen, ":\t", 2))
			continue;
		if (!found++)
			snprintf(value, size, "%s", line + keylen + 2);
	}
	free(line);
	fclose(f);
	return found;
}

static UNUSED long fdinfo_number(int fd, const char *key)
{
	char value[32];
	int ret = fdinfo_get(fd, key, value, sizeof(value));

	if (ret != 1)
		return ret < 0 ? ret : -ENOENT;
	return strtol(value, NULL, 10);
}

/* A number from a "Key:   123 kB" file such as /proc/meminfo; -1 if absent. */
static UNUSED long proc_kb(const char *file, const char *key)
{
	size_t keylen = strlen(key);
	char line[256];
	long kb = -1;
	FILE *f = fopen(file, "re");

	if (!f)
		return -1;
	while (kb < 0 && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, keylen) && line[keylen] == ':')
			kb = strtol(line + keylen + 1, NULL, 10);
	}
	fclose(f);
	return kb;
}

static UNUSED bool device_noexec(void)
{
	struct statvfs st;

	return !statvfs(ASHMEM_DEV, &st) && (st.f_flag & ST_NOEXEC);
}

/* ---- processes ---- */

/* A child's exit code; 128 + signal when it was killed; -errno. */
static UNUSED int wait_child(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

/* In seconds. */
static UNUSED double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static UNUSED void nap_ms(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000,
			       .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/* Sends a word and up to 8 descriptors; 0 or -errno. */
static UNUSED int send_fds(int sock, uint64_t word, const int *fds,
			   unsigned int n)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * 8)];
	} ctl;
	struct iovec iov = { .iov_base = &word, .iov_len = sizeof(word) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (n > 8)
		return -EINVAL;
	if (n) {
		memset(&ctl, 0, sizeof(ctl));
		msg.msg_control = ctl.buf;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * n);
	}
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) != (ssize_t)sizeof(word))
		return errno ? -errno : -EIO;
	return 0;
}

/* Receives a word and exactly @n descriptors; 0 or -errno. */
static UNUSED int recv_fds(int sock, uint64_t *word, int *fds, unsigned int n)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * 8)];
	} ctl;
	struct iovec iov = { .iov_base = word, .iov_len = sizeof(*word) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = ctl.buf,
			      .msg_controllen = sizeof(ctl.buf) };
	struct cmsghdr *cmsg;
	ssize_t got;

	do {
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | MSG_WAITALL);
	} while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(*word))
		return got < 0 ? -errno : -EPIPE;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!n)
		return cmsg ? -EPROTO : 0;
	if (!cmsg || cmsg->cmsg_level != SOL_SOCKET ||
	    cmsg->cmsg_type != SCM_RIGHTS ||
	    cmsg->cmsg_len != CMSG_LEN(sizeof(int) * n))
		return -EPROTO;
	memcpy(fds, CMSG_DATA(cmsg), sizeof(int) * n);
	return 0;
}

static UNUSED int send_word(int sock, uint64_t word)
{
	return send_fds(sock, word, NULL, 0);
}

static UNUSED int recv_word(int sock, uint64_t *word)
{
	return recv_fds(sock, word, NULL, 0);
}

/* ---- purging ---- */

/*
 * True if this task may PURGE_ALL_CACHES. Also purges what others left unpinned, so that
 * the caller can count its own pages.
 */
static UNUSED bool purge_works(void)
{
	int fd = ash_open(O_RDWR);
	long ret;

	if (fd < 0)
		return false;
	ret = ash_purge_all(fd);
	close(fd);
	return ret >= 0;
}

/* How many of the @len bytes' pages have memory behind them; -errno. */
static UNUSED long resident_pages(void *addr, size_t len)
{
	size_t i, n = page_round(len) / page_size();
	unsigned char *vec = malloc(n);
	long count = 0;

	if (!vec)
		return -ENOMEM;
	if (mincore(addr, len, vec))
		count = -errno;
	for (i = 0; count >= 0 && i < n; i++)
		count += vec[i] & 1;
	free(vec);
	return count;
}

/* ---- random numbers that a seed repeats ---- */

struct rng {
	uint64_t state;
};

static UNUSED uint32_t rng_next(struct rng *r)
{
	/* 64-bit LCG with Knuth's constants; the upper half is random enough. */
	r->state = r->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(r->state >> 32);
}

static UNUSED uint32_t rng_below(struct rng *r, uint32_t n)
{
	return rng_next(r) % n;
}

/* ASHMEM_SEED from the environment, or one from the clock. */
static UNUSED uint64_t rng_seed(void)
{
	const char *env = getenv("ASHMEM_SEED");
	struct timespec ts;

	if (env)
		return strtoull(env, NULL, 0);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000007ULL ^ (uint64_t)ts.tv_nsec ^
	       (uint64_t)getpid();
}

#endif
