/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parts of the differential tester.
 *
 * The program performs operations that a seeded generator chooses, and logs
 * each with its result on its own line:
 *
 *	NUMBER OPERATION ARGUMENTS FACTS -> RESULT
 *
 * What precedes the arrow never depends on which driver answered: choices are
 * made from the seed and from a model of what both drivers agree on. Where they
 * are known to differ, the line has facts that tell so, among them the two
 * answers there= (the original's) and here= (ours) where these are computed;
 * then operations follow that bring both drivers to the same state again. The
 * comparison is done by compare.awk with the table in file rules.
 */

#ifndef ASHMEM_DIFF_H
#define ASHMEM_DIFF_H

#include <linux/ashmem.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "buffer.h"
#include "pins_util.h"

#define REGIONS		6	/* open at a time, at most */
#define FDS		10
#define WINDOWS		8	/* stretches of address space to map into */
#define WINDOW_PAGES	32
#define SMALL_PAGES	24	/* regions whose pages are looked at one by one */

/* What a page of a window is a page of. */
enum kind {
	UNMAPPED,
	SHARED,
	PRIVATE,
	READ_ONLY_SHARED,	/* MAP_SHARED through a descriptor without write */
};

struct window_page {
	enum kind kind;
	unsigned int mapping;	/* number of the mmap() or mremap() that made it */
	unsigned int region;	/* id of the region, which may be gone */
	__u64 pgoff, end;	/* in the region, and where that ends */
	bool moved;		/* by mremap() */
	bool may_write;		/* or be made writable */
	bool dont_fork;
};

struct window {
	/* Some pages may be separate VMAs although mapped with others. */
	bool split;
	struct window_page page[WINDOW_PAGES];
};

struct region {
	unsigned int id;	/* 0: no such region */
	unsigned int fds;
	int access;		/* O_RDONLY, O_WRONLY, O_RDWR */
	bool backed;
	__u64 size;
	int mask;
	char name[ASHMEM_NAME_LEN];
	/* As both drivers know them; ours may also purge again what is unpinned again. */
	struct pins pins;
	/* The position, and what the original's lseek(SEEK_CUR) starts from. */
	__s64 pos, there_pos;
	/* Pages that loads through read-only shared mappings made, in ours. */
	__u32 loaded;
};

struct fd_slot {
	int fd;			/* -1: free */
	struct region *region;
};

/* Shared with forked children, which move it on for their parent. */
struct state {
	__u64 random;
	unsigned long ops;
	unsigned int last_region, last_mapping;
	struct region regions[REGIONS];
	struct fd_slot fds[FDS];
	struct window windows[WINDOWS];
};

extern struct state *st;
extern size_t page_bytes;
extern bool in_child;	/* children leave mappings and descriptors alone */

/* log.c */
__u64 rnd(__u64 below);
bool one_in(unsigned int n);
#define PICK(array)		((array)[rnd(sizeof(array) / sizeof((array)[0]))])

void op(const char *format, ...) __attribute__((format(printf, 1, 2)));
void op_text(const char *text, size_t length);
void result(const char *format, ...) __attribute__((format(printf, 1, 2)));
void result_errno(long ret);
void result_number(long ret);
void result_bytes(long ret, const void *data);
__u64 hash(const void *data, size_t length);
const char *hash_text(__u64 sum);
const char *prot_text(int prot);
const char *errno_text(int err);
void log_flush(void);
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Is it behind the region's end? */
static inline bool beyond(const struct window_page *page)
{
	return page->pgoff >= page->end;
}

/* state.c */
void state_init(__u64 seed);
char *window_base(unsigned int window);
struct fd_slot *pick_fd(void);
struct fd_slot *pick_backed(void);
struct fd_slot *fd_of(const struct region *region);
struct fd_slot *free_fd(void);
int fd_number(const struct fd_slot *slot);
int region_number(const struct region *region);
__u64 region_pages(const struct region *region);
struct region *region_by_id(unsigned int id);
struct fd_slot *open_region(int access);
void close_fd(struct fd_slot *slot);
void retire(struct region *region);

/* buffer.c */
enum buffer pick_buffer(void);
void *buffer(enum buffer which, size_t length);
const char *buffer_text(enum buffer which);
char *scratch(void);

/* pin_model.c */
bool interval_ok(const struct region *region, __u32 offset, __u32 len,
		 __u64 *first, __u64 *last);
bool may_discard(const struct region *region);
void model_purge(void);

/* pin_ops.c */
void do_pin(struct fd_slot *slot, __u32 offset, __u32 len, enum buffer which);
void do_unpin(struct fd_slot *slot, __u32 offset, __u32 len, enum buffer which);
void do_status(struct fd_slot *slot, __u32 offset, __u32 len, enum buffer which);
void pin_everything(struct fd_slot *slot);
void purge_all(void);
void op_pin(void);
void op_unpin(void);
void op_status(void);
void op_purge(void);
void op_purge_unprivileged(void);

/* ioctl_ops.c */
void op_set_name(void);
void op_get_name(void);
void op_set_size(void);
void op_get_size(void);
void op_set_prot_mask(void);
void op_set_prot_mask_implies_exec(void);
void op_get_prot_mask(void);
void op_file_id(void);
void op_other_ioctl(void);
void get_prot_mask(struct fd_slot *slot);

/* map_ops.c */
void op_mmap(void);
void op_mmap_anywhere(void);
void op_munmap(void);
void op_mprotect(void);
void op_mremap(void);
void op_remap_file_pages(void);
void op_madvise(void);
void unmap_region(const struct region *region);
void unmap_pages(unsigned int window, unsigned int first, unsigned int pages);
struct window_page *pick_mapped(unsigned int *window, unsigned int *first,
				unsigned int *run);

/* access_ops.c */
enum access { LOAD, STORE };

void op_page(const char *name, const struct window_page *page);

const char *try_page(char *page, enum access access, __u64 value, __u64 *sum);
void op_load(void);
void op_store(void);

/* read_ops.c */
long quiet_pread(struct fd_slot *slot, void *data, size_t length, __s64 offset);
void op_read(void);
void op_pread(void);
void op_readv(void);
void op_lseek(void);
void op_splice(void);
void op_sendfile(void);

/* file_ops.c */
void op_open(void);
void op_close(void);
void op_dup(void);
void op_write(void);
void op_ftruncate(void);
void op_fallocate(void);
void op_poll(void);
void op_fstat(void);
void op_pass_fd(void);

/* proc_ops.c */
void maps_of(unsigned int window);
void op_maps(void);
void op_fdinfo(void);
void op_map_files(void);

/* loss.c */
void op_loss_stays(void);

/* episodes.c */
int story_open(const char *story, __u64 size);
char *story_map(const char *story, char *address, size_t length, int flags, int fd,
		__s64 offset);
void op_userfault(void);
void op_over_4g(void);
void op_private_huge(void);
void op_truncate_by_path(void);
void unload_module(void);

/* pins_mode.c */
void pins_mode(unsigned long ops);

#endif /* ASHMEM_DIFF_H */
