/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parts of the fuzzer.
 *
 * The supervisor (main.c) runs epochs of a few seconds. In each it opens two regions
 * that all share, and forks the workers. A worker generates programs, runs them with
 * coverage, and keeps those that reach something new. At the end of an epoch all workers
 * pause, the counters of the module are compared with what the workers hold, everything
 * is closed, and the counters must be 0. Some epochs are those of a crowd instead
 * (crowd.h); a soak test has no others, and looks at memory before and after.
 *
 * Data that must survive a crash of the kernel is in an area of memory that host and
 * guest share (area.h).
 */

#ifndef FUZZ_H
#define FUZZ_H

#include "area.h"
#include "buffer.h"
#include "fault.h"
#include "program.h"
#include "reclaim_util.h"

#define PAGE_BYTES	4096UL
#define OWN_SLOTS	6
#define SLOTS		8	/* the last ones are shared by all workers */
#define MAPS		6
#define KEEPERS		2
#define KEEPER_PAGES	64

/*
 * All below 4 GiB, for the 32-bit calls: a window for each mapping, the buffers,
 * the keepers' mappings.
 */
#define WINDOW_BYTES	(16UL << 20)
#define WINDOWS_AT	0x40000000UL
#define KEEPERS_AT	0x68000000UL

/* Kinds of buffers besides those of buffer.h. */
enum {
	MAPPED = BUFFERS,	/* mapping 0, maybe of the very region */
	UNALIGNED,
};

struct mapping {
	size_t length;
	int rights;		/* what the region's mask allowed when it was made */
};

/* A region that only its worker knows, and what its pages must contain. */
struct keeper {
	int fd;
	uint32_t written[KEEPER_PAGES];	/* generation; 0: maybe nothing */
	bool unpinned[KEEPER_PAGES];
};

/* What /proc/PID/fdinfo says of a region. */
struct fdinfo {
	unsigned long inode, size, unpinned, purgeable;
};

/* What a worker's programs work on. Its threads share it, its children copy it. */
struct worker {
	unsigned int number;
	int fd[SLOTS];
	struct mapping map[MAPS];
	struct keeper keeper[KEEPERS];
	uint32_t generation;
	int inbox, next_inbox;	/* of this worker, and of the one to send to */
	const pid_t *pids;	/* of all workers */
	pid_t child[8];
	bool racing;		/* the program has or had threads: slots may be reused */
};

/* execute.c */
extern __thread unsigned int op_fail;
extern __thread bool op_compat;
extern __thread bool op_alone;		/* neither in a thread nor in a child */
void execute_init(void);
void execute(struct worker *w, const struct program *program);
void execute_ops(struct worker *w, const struct op *op, unsigned int ops);
void cleanup(struct worker *w);
void fail_begin(void);
void fail_end(void);
bool have_fail_nth(void);

/* The value of a system call, or -errno; the one that fail= speaks of. */
#define CALL(call) ({ \
	long __ret; \
	int __err; \
	fail_begin(); \
	__ret = (long)(call); \
	__err = errno; \
	fail_end(); \
	__ret == -1 ? -__err : __ret; \
})

static inline int fd_of(const struct worker *w, uint64_t slot)
{
	return w->fd[slot % SLOTS];
}

/* compat.c */
bool have_compat(void);
long compat_call(long nr, long a, long b, long c);
void compat_init(void);

/* mapping.c */
void *shared_memory(size_t length);
char *window_of(uint64_t map);
char *buffer(uint64_t which, size_t length);
char *pages_of(const uint64_t *a, size_t *length);
void keep_mapping(struct worker *w, uint64_t map, char *at, struct mapping mapping);
void windows_clear(struct worker *w);

/* do_*.c: what operations do; the arguments are those of the program */
#define OP(name, weight, ...) void do_##name(struct worker *w, const uint64_t *a);
#include "ops.h"
#undef OP
long device_ioctl(struct worker *w, uint64_t slot, unsigned long command,
		  unsigned long arg);
void share_ops(struct worker *w, const struct op *op, unsigned int ops);
void share_end(struct worker *w);
void process_restore(void);
void set_slot(struct worker *w, uint64_t slot, int fd);
void keepers_open(struct worker *w);
bool region_fdinfo(pid_t pid, int fd, struct fdinfo *region);
void pressure_init(void);

/* groups.c */
#define GROUPS_FIXED	8	/* the first ones, of the programs' operations */

void groups_begin(void);
bool groups_purged(void);
const char *group_path(unsigned int number, const char *file);
void group_root(void);
void group_make(unsigned int number, const char *knob, unsigned long limit);
void group_enter(unsigned int number, struct rng *rng);
void group_leave(unsigned int number);
long group_event(unsigned int number, const char *event);
long groups_dying(void);
void groups_end(void);

/* cover.c */
#define FEATURES	65536	/* of pairs of addresses, hashed */
#define FRESH_MAX	512

void cover_init(void);
void cover_worker(void);
void cover_begin(void);
unsigned long cover_mark(void);
void cover_forget(unsigned long mark);
void cover_end(void);
unsigned int cover_fresh(uint16_t *features, unsigned int room);
unsigned int cover_hits(uint16_t *features, unsigned int count);
void cover_claim(const uint16_t *features, unsigned int count);
void cover_bitmap(uint8_t *bitmap);
void cover_report(void);

/* corpus.c */
void corpus_init(void);
bool corpus_add(const struct program *program);
unsigned int corpus_count(void);
const struct program *corpus_get(unsigned int i);
void corpus_load(enum area_text from);
void corpus_distil(struct worker *w);

/* worker.c */
void worker_init(struct worker *w);
void worker_fuzz(struct worker *w, struct rng *rng, double deadline);
void worker_replay(struct worker *w, double deadline);
void worker_calibrate(struct worker *w);
double now(void);

/* check.c */
void check_sum(const pid_t *pids, unsigned int workers);
void check_empty(void);

/* report.c */
extern struct area *area;
extern int current_worker;	/* -1: the supervisor */
void area_attach(const char *path, bool make);
void finding(const char *format, ...) __attribute__((format(printf, 1, 2)));
void area_log(unsigned int worker, const struct program *program);
void area_add(enum area_text which, const struct program *program);
void area_print(enum area_text which, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* supervisor.c */
extern double started;
void tell_where(pid_t pid);
int supervise(void);

/* crowd.c */
void crowd_begin(void);
void crowd_epoch(struct rng *rng, double length);
void crowd_end(void);

/* memory.c */
void memory_begin(void);
void memory_check(void);

/* host.c */
int host_command(int argc, char **argv);

#endif
