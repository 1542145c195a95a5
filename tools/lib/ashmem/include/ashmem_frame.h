/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 ashmem maintainers */
/*
 * Frames through shared memory: a ring in a region, one writer, many readers.
 *
 * The region's descriptor is passed once over a control channel (SCM_RIGHTS, Binder).
 * Then frames of large data flow through the region without system calls, except to
 * wake sleepers. A region is one of ashmem.h, cutils/ashmem.h or android/sharedmem.h,
 * on either backend, or a memfd that is sealed against shrinking.
 *
 * Guarantees:
 *  - A reader gets only complete frames, in the order in which they were written,
 *    each with a correct CRC-32C, unless the ring has ASHM_RING_UNCHECKED.
 *  - A killed peer makes no call hang, whatever its state was: waiting ends
 *    with -EOWNERDEAD or -EPIPE. The next writer takes over where the frames
 *    end, under a new generation.
 *  - Contents of the region never make a call read or write
 *    outside of it, nor raise SIGBUS: damage by a peer, and a purge, return an
 *    error.
 *
 * No guarantee: a peer that can write to the region can stop or garble the frames
 * of all others. For readers that aren't trusted, use ASHM_RING_READONLY and a
 * read-only descriptor. They can still delay others: see ashmem-frames.rst.
 *
 * Every int returned is 0, a count or a negative errno; errno is preserved, and
 * nothing aborts. Timeouts are in milliseconds: 0 doesn't wait,
 * a negative one waits without limit. A signal handler that runs while a call
 * waits ends it with -EINTR; one that was installed with SA_RESTART may do so.
 *
 * A ring may be used by any number of threads, a writer or a reader handle by
 * one at a time. A ring and its handles belong to the process that made them: in a
 * child after fork() they return -ECHILD, and can only be closed.
 *
 * The layout of the memory is described in
 * Documentation/userspace-api/ashmem-frames.rst.
 */
#ifndef ASHMEM_FRAME_H
#define ASHMEM_FRAME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct ashm_ring - a ring's mapping in this process
 */
struct ashm_ring;

/**
 * struct ashm_writer - the right to write to a ring
 */
struct ashm_writer;

/**
 * struct ashm_reader - a place in the sequence of frames
 */
struct ashm_reader;

/**
 * define ASHM_RING_WAIT - a full ring makes the writer wait
 *
 * No reader misses a frame after it joined. Frames that were written before the first
 * reader joined are kept for that reader. Without this flag the writer never waits. It
 * overwrites the oldest frame, and a reader that was too slow learns how many frames it
 * missed.
 */
#define ASHM_RING_WAIT		0x1u

/**
 * define ASHM_RING_READONLY - readers need not be able to write to the region
 *
 * The writer makes a wake-up call with every frame, because readers can't announce
 * that they sleep. Excludes %ASHM_RING_WAIT.
 */
#define ASHM_RING_READONLY	0x2u

/**
 * define ASHM_RING_UNCHECKED - payloads have no checksum
 *
 * This saves work between peers that trust each other: copies take less time, and the
 * cost of frames that are made and read in place doesn't depend on their length. The
 * frame's header keeps its checksum, so a reader detects a frame that was overwritten
 * during the read. It doesn't detect a payload that a peer damaged or that was purged:
 * keep such a ring pinned.
 */
#define ASHM_RING_UNCHECKED	0x4u

/**
 * define ASHM_RING_SLOTS_MAX - the largest number of slots
 */
#define ASHM_RING_SLOTS_MAX	65536u

/**
 * define ASHM_RING_READERS_MAX - the largest number of readers with
 *	%ASHM_RING_WAIT
 */
#define ASHM_RING_READERS_MAX	62u

/**
 * struct ashm_ring_config - what a ring is made by
 * @frame_max: the largest payload in bytes, 1 or more
 * @slots: how many frames the ring holds, 2 to %ASHM_RING_SLOTS_MAX. Without
 *	%ASHM_RING_WAIT one of them is always being overwritten.
 * @flags: %ASHM_RING_WAIT or %ASHM_RING_READONLY or neither, and
 *	%ASHM_RING_UNCHECKED
 * @readers: with %ASHM_RING_WAIT, how many readers there may be at a time, up
 *	to %ASHM_RING_READERS_MAX; 0 means 8. Must be 0 otherwise, where their
 *	number has no limit.
 * @reserved: 0
 */
struct ashm_ring_config {
	uint64_t frame_max;
	uint32_t slots;
	uint32_t flags;
	uint32_t readers;
	uint32_t reserved;
};

/* What ashm_ring_stat() says of a ring's writer. */
#define ASHM_WRITER_NEVER	0	/* there was none yet */
#define ASHM_WRITER_ALIVE	1
#define ASHM_WRITER_CLOSED	2	/* the last one closed */
#define ASHM_WRITER_DIED	3	/* the last one died */

/**
 * struct ashm_ring_stat - a ring's properties and state
 * @region_size: bytes of the region that the ring takes
 * @frame_max: as in struct ashm_ring_config
 * @frames: how many were written so far; the sequence number of the last one
 * @slots: as in struct ashm_ring_config
 * @flags: as in struct ashm_ring_config
 * @readers_max: as in struct ashm_ring_config
 * @readers: with %ASHM_RING_WAIT, how many there are now
 * @generation: how many writers there have been
 * @writer: %ASHM_WRITER_NEVER and so on
 * @unread: of the frames that a reader which joins now would get, those that no
 *	reader has read yet; with %ASHM_RING_WAIT those that the slowest reader
 *	hasn't read. Readers that can't write to the region don't count.
 * @reserved: 0
 *
 * The second half is a snapshot that may be out of date when the caller reads it.
 */
struct ashm_ring_stat {
	uint64_t region_size;
	uint64_t frame_max;
	uint64_t frames;
	uint32_t slots;
	uint32_t flags;
	uint32_t readers_max;
	uint32_t readers;
	uint32_t generation;
	uint32_t writer;
	uint32_t unread;
	uint32_t reserved;
};

/**
 * struct ashm_frame - a frame, or its description
 * @data: the payload in the region, by ashm_frame_borrow() only
 * @length: its length in bytes
 * @seq: the frame's number; the first one of a ring is 1
 * @missed: frames that this reader was too slow for since the last one it got
 * @tag: what the writer passed with it
 * @generation: which writer wrote it
 * @reserved: 0
 */
struct ashm_frame {
	const void *data;
	uint64_t length;
	uint64_t seq;
	uint64_t missed;
	uint64_t tag;
	uint32_t generation;
	uint32_t reserved;
};

/**
 * ashm_ring_size() - the size of the region that a ring needs
 * @config: the ring's properties
 * @size: where the number of bytes is put
 *
 * Return: 0, or
 *  * -EINVAL - a number in @config is out of range, or flags exclude each other
 *  * -EOVERFLOW - the size doesn't fit into 63 bits
 */
int ashm_ring_size(const struct ashm_ring_config *config, uint64_t *size);

/**
 * ashm_ring_create() - make a ring in a region
 * @fd: the region, which is at least as large as ashm_ring_size() says. It is
 *	not needed after the call, which leaves it to its owner to be closed.
 * @config: the ring's properties
 * @ring: where the ring is put; ashm_ring_detach() ends it
 *
 * The contents of the region are lost. Processes that are attached to an earlier ring
 * get -ESTALE or -ENODATA from their next call; those that wait on it are woken.
 *
 * Return: 0, or
 *  * -EINVAL - @config, see ashm_ring_size(); or @fd is no shared memory: not a
 *	region of ours, and neither a memfd
 *  * -EBADF - @fd isn't a descriptor
 *  * -EPERM - a memfd that isn't sealed against shrinking (F_SEAL_SHRINK)
 *  * -EACCES - a descriptor or a region that can't be written
 *  * -ENOSPC - the region is too small
 *  * -EBUSY - it holds a ring whose writer is alive
 *  * -EOVERFLOW - the ring is larger than this process's address space
 *  * -ENOMEM - no memory or no room in the address space
 */
int ashm_ring_create(int fd, const struct ashm_ring_config *config,
		     struct ashm_ring **ring);

/**
 * define ASHM_ATTACH_READONLY - don't ask for the right to write
 */
#define ASHM_ATTACH_READONLY	0x1u

/**
 * ashm_ring_attach() - use the ring that a process made in a region
 * @fd: the region; not needed after the call
 * @flags: %ASHM_ATTACH_READONLY or 0. With it, or where @fd can't be written,
 *	the ring can be read only, which a ring made with %ASHM_RING_WAIT can't.
 *	On a ring without %ASHM_RING_READONLY such readers look for frames every
 *	10 ms.
 * @ring: where the ring is put; ashm_ring_detach() ends it
 *
 * Return: 0, or
 *  * -EINVAL - unknown @flags; @fd is no shared memory, see ashm_ring_create()
 *  * -EBADF - @fd isn't a descriptor
 *  * -EPERM - a memfd that isn't sealed against shrinking
 *  * -EACCES - only reading is possible, but the ring has %ASHM_RING_WAIT
 *  * -ENODATA - there are only zeroes where the ring should begin: none was
 *	made yet, or it was purged
 *  * -EPROTO - what is there is no ring, or one whose numbers contradict each
 *	other or the region's real size
 *  * -EPROTONOSUPPORT - a ring of a version that this library doesn't know
 *  * -EOVERFLOW - the ring is larger than this process's address space
 *  * -ENOMEM - no memory or no room in the address space
 */
int ashm_ring_attach(int fd, unsigned int flags, struct ashm_ring **ring);

/**
 * ashm_ring_detach() - release a ring
 * @ring: the ring, or NULL
 *
 * It stays mapped as long as it has a writer or reader handle. The pointer is invalid
 * at once.
 */
void ashm_ring_detach(struct ashm_ring *ring);

/**
 * ashm_ring_stat() - look at a ring
 * @ring: the ring
 * @stat: where to put the result
 *
 * Return: 0, or
 *  * -ENODATA - the ring was purged
 *  * -ESTALE - it was made again by ashm_ring_create()
 *  * -EPROTO - the state of the ring makes no sense; the first half is right
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* of C++: a struct has the same name, as stat() */
int ashm_ring_stat(struct ashm_ring *ring, struct ashm_ring_stat *stat);
#pragma GCC diagnostic pop

/**
 * define ASHM_SPIN_MAX - the longest that a call spins, in microseconds
 */
#define ASHM_SPIN_MAX		1000000u

/**
 * ashm_ring_set_spin() - set how long calls spin before they sleep
 * @ring: the ring
 * @microseconds: 0 to %ASHM_SPIN_MAX; 0 sleeps at once
 *
 * A call that waits for a frame or for room first checks for it repeatedly for that
 * time, or until its timeout ends or the peer dies. If the peer answers in that time,
 * the peer needs no wake-up call and the caller doesn't sleep. The time applies to this
 * process's handles of @ring from their next call on. The default is 20, or 0 on a
 * machine with one processor.
 *
 * Return: 0, or -EINVAL (@microseconds is too large)
 */
int ashm_ring_set_spin(struct ashm_ring *ring, unsigned int microseconds);

/**
 * ashm_ring_await_writer() - wait until a ring has a living writer
 * @ring: the ring
 * @timeout: milliseconds
 *
 * For readers that got -EOWNERDEAD or -EPIPE and want to stay.
 *
 * Return: 0, -ETIMEDOUT, -EAGAIN (none, and @timeout is 0), -EINTR, -ENODATA or
 * -ESTALE
 */
int ashm_ring_await_writer(struct ashm_ring *ring, int timeout);

/**
 * ashm_ring_writer() - become a ring's writer
 * @ring: the ring
 * @writer: where the handle is put; ashm_ring_writer_close() ends it
 *
 * The caller succeeds a writer that died: the unfinished frame is dropped, all others
 * stay, and the numbers continue. The first such handle in a process starts a thread
 * that only sleeps: its end lets the kernel notify the others when the process dies.
 * Closing the last one ends it.
 *
 * Return: 0, or
 *  * -EBUSY - the ring has a writer that lives
 *  * -EACCES - the ring was attached for reading only
 *  * -EPROTO - the state of the ring makes no sense: it must be recreated
 *  * -ENODATA, -ESTALE - as of ashm_ring_stat()
 *  * -ECHILD - @ring is of the parent process: attach again
 *  * -ENOMEM, -EAGAIN - no memory; no thread could be started, or this process has 2000
 *    writers, readers of rings with %ASHM_RING_WAIT and caches
 */
int ashm_ring_writer(struct ashm_ring *ring, struct ashm_writer **writer);

/**
 * ashm_ring_writer_close() - stop being the writer
 * @writer: the handle, or NULL
 *
 * Drops a frame that was begun. Readers get the remaining frames, then -EPIPE.
 */
void ashm_ring_writer_close(struct ashm_writer *writer);

/**
 * define ASHM_READER_NEWEST - begin with the frame that is written next
 */
#define ASHM_READER_NEWEST	0x1u

/**
 * ashm_ring_reader() - become a reader of a ring
 * @ring: the ring
 * @flags: %ASHM_READER_NEWEST, or 0 to begin with the oldest frame there is.
 *	With %ASHM_RING_WAIT and a writer at rest, these are as many as there are
 *	slots; otherwise one less, since one may be being overwritten.
 * @reader: where the handle is put; ashm_ring_reader_close() ends it
 *
 * Each reader gets all frames. %ASHM_RING_WAIT needs the thread that
 * ashm_ring_writer() describes.
 *
 * Return: 0, or
 *  * -EINVAL - unknown @flags
 *  * -EUSERS - the ring has as many readers as it was made for
 *  * -EPROTO - the state of the ring makes no sense
 *  * -ENODATA, -ESTALE - as of ashm_ring_stat()
 *  * -ECHILD - @ring is of the parent process: attach again
 *  * -ENOMEM, -EAGAIN - no memory; no thread could be started, or this process has 2000
 *    writers, readers of rings with %ASHM_RING_WAIT and caches
 */
int ashm_ring_reader(struct ashm_ring *ring, unsigned int flags,
		     struct ashm_reader **reader);

/**
 * ashm_ring_reader_close() - stop being a reader
 * @reader: the handle, or NULL
 *
 * With %ASHM_RING_WAIT the writer doesn't wait for it any more. A borrowed
 * frame is given back.
 */
void ashm_ring_reader_close(struct ashm_reader *reader);

/**
 * ashm_frame_write() - write a frame
 * @writer: the handle
 * @data: the payload, which doesn't change until the call returns: a frame that
 *	did reads as damaged
 * @length: its bytes, 0 or more
 * @tag: a number that the reader gets with it; the library ignores it
 * @timeout: milliseconds to wait for room, with %ASHM_RING_WAIT only
 *
 * Return: 0, or as of ashm_frame_begin()
 */
int ashm_frame_write(struct ashm_writer *writer, const void *data,
		     size_t length, uint64_t tag, int timeout);

/**
 * ashm_frame_begin() - begin a frame that is made in place
 * @writer: the handle
 * @length: its largest possible length in bytes
 * @data: where the address of the payload is put: @length bytes, aligned to
 *	64, that hold an old frame or zeroes. They are the caller's until
 *	ashm_frame_commit() or ashm_frame_abort().
 * @timeout: milliseconds to wait for room, with %ASHM_RING_WAIT only
 *
 * With %ASHM_RING_WAIT and no reader yet, frames are kept until the ring is
 * full.
 *
 * Return: 0, or
 *  * -EMSGSIZE - @length is larger than the ring's frame_max
 *  * -EINPROGRESS - a frame was begun already
 *  * -EAGAIN - the ring is full and @timeout is 0
 *  * -ETIMEDOUT - the ring is full and stayed so
 *  * -EINTR - a signal handler ran while it waited
 *  * -EPIPE - the ring is full, it had readers, and they all left or died
 *  * -ENODATA - the ring was purged
 *  * -ESTALE - it was recreated, or it isn't this writer's any more
 *  * -ECHILD - the handle is of the parent process
 */
int ashm_frame_begin(struct ashm_writer *writer, size_t length, void **data,
		     int timeout);

/**
 * ashm_frame_commit() - finish a frame and publish it to the readers
 * @writer: the handle
 * @length: its bytes, no more than it was begun with
 * @tag: a number that the reader gets with it
 *
 * Return: 0, or
 *  * -EINVAL - no frame was begun, or @length is larger than it was begun with;
 *	such a frame stays begun
 *  * -ENODATA, -ESTALE, -ECHILD - as of ashm_frame_begin(); the frame is lost
 */
int ashm_frame_commit(struct ashm_writer *writer, size_t length, uint64_t tag);

/**
 * ashm_frame_abort() - drop a frame that was begun
 * @writer: the handle
 *
 * Return: 0, or -EINVAL (none was), -ECHILD
 */
int ashm_frame_abort(struct ashm_writer *writer);

/**
 * ashm_frame_read() - read the next frame into a buffer
 * @reader: the handle
 * @buf: the buffer; its contents are undefined after an error
 * @size: its bytes
 * @frame: where to put the frame's description, or NULL; its data is NULL
 * @timeout: milliseconds to wait for a frame
 *
 * Return: 0, or
 *  * -EAGAIN - there is no frame and @timeout is 0
 *  * -ETIMEDOUT - there was no frame in time
 *  * -EINTR - a signal handler ran while it waited
 *  * -EOWNERDEAD - all frames have been read and the writer died; see
 *	ashm_ring_await_writer()
 *  * -EPIPE - all frames have been read and the writer closed
 *  * -EMSGSIZE - the buffer is too small; @frame says how large it must be, and
 *	the frame is still the next
 *  * -EBADMSG - the next frame is damaged, and now skipped
 *  * -EBUSY - frames are overwritten faster than this reader copies them
 *  * -EPROTO - the ring's state makes no sense
 *  * -ENODATA - the ring was purged
 *  * -ESTALE - it was recreated
 *  * -EINPROGRESS - a borrowed frame wasn't given back
 *  * -ECHILD - the handle is of the parent process
 */
int ashm_frame_read(struct ashm_reader *reader, void *buf, size_t size,
		    struct ashm_frame *frame, int timeout);

/**
 * ashm_frame_borrow() - read the next frame in place
 * @reader: the handle
 * @frame: where it is put. @frame->data is good until ashm_frame_release().
 * @timeout: milliseconds to wait for a frame
 *
 * The checksum, if there is one, was right when this returns. With %ASHM_RING_WAIT the frame
 * stays unchanged. Without, the writer may overwrite it at any time: what was read is
 * valid only if ashm_frame_valid() or ashm_frame_release() then returns 0. In either
 * case a malicious peer can change it, so read no value there twice, or use
 * ashm_frame_read().
 *
 * Return: as of ashm_frame_read(), without -EMSGSIZE
 */
int ashm_frame_borrow(struct ashm_reader *reader, struct ashm_frame *frame,
		      int timeout);

/**
 * ashm_frame_valid() - is all that was read of the borrowed frame so far valid?
 * @reader: the handle
 *
 * Return: 0, or
 *  * -EINVAL - nothing is borrowed
 *  * -ESTALE - no: it was overwritten, or the ring was recreated
 *  * -ENODATA - no: it was purged
 *  * -ECHILD - the handle is of the parent process
 */
int ashm_frame_valid(struct ashm_reader *reader);

/**
 * ashm_frame_release() - release a borrowed frame and go on to the next
 * @reader: the handle
 *
 * Return: as of ashm_frame_valid(); the frame is released in any case
 */
int ashm_frame_release(struct ashm_reader *reader);

#ifdef __cplusplus
}
#endif

#endif
