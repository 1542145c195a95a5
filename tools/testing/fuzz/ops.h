/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operations that programs consist of: name, weight when one is chosen at
 * random, kinds of the arguments. Included where OP() has been given a meaning.
 *
 * What an operation does with its arguments is in the do_*.c file that has the
 * function do_NAME().
 */

/* do_ioctl.c */
OP(set_name, 6, SLOT, BUF, NAME_LEN)
OP(get_name, 4, SLOT, BUF)
OP(set_size, 14, SLOT, SIZE)
OP(get_size, 3, SLOT)
OP(set_mask, 8, SLOT, PROT)
OP(get_mask, 3, SLOT)
OP(pin, 26, SLOT, BUF, PIN_OFFSET, PIN_LEN)
OP(unpin, 34, SLOT, BUF, PIN_OFFSET, PIN_LEN)
OP(status, 10, SLOT, BUF, PIN_OFFSET, PIN_LEN)
OP(purge, 6, SLOT)
OP(file_id, 4, SLOT, BUF)
OP(ioctl, 5, SLOT, COMMAND, WORD)

/* do_file.c */
OP(open, 26, OWN, ACCESS)
OP(reopen, 3, SLOT, OWN, ACCESS)
OP(dup, 6, SLOT, OWN)
OP(close, 12, SLOT)
OP(write, 3, SLOT, BUF, COUNT)
OP(ftruncate, 3, SLOT, SIZE)
OP(fallocate, 3, SLOT, FALLOCATE, OFFSET, SIZE)
OP(fcntl, 5, SLOT, FCNTL, WORD)
OP(poll, 2, SLOT)
OP(fsync, 2, SLOT)
OP(fadvise, 2, SLOT, OFFSET, SIZE, SMALL)

/* do_read.c */
OP(read, 8, SLOT, BUF, COUNT)
OP(pread, 8, SLOT, BUF, COUNT, OFFSET)
OP(readv, 4, SLOT, BUF, COUNT, OFFSET)
OP(lseek, 10, SLOT, OFFSET, WHENCE)
OP(splice, 4, SLOT, OFFSET, COUNT)
OP(sendfile, 4, SLOT, OFFSET, COUNT)
OP(copy_file_range, 3, SLOT, SLOT, COUNT)

/* do_map.c */
OP(mmap, 34, SLOT, MAP, LENGTH, PROT, MAP_FLAGS, OFFSET)
OP(munmap, 8, MAP, PAGE, PAGES)
OP(mprotect, 8, MAP, PAGE, PAGES, PROT)
OP(mremap, 6, MAP, MAP, PAGES, PAGES, SMALL)
OP(madvise, 10, MAP, PAGE, PAGES, ADVICE)
OP(remap_file_pages, 4, MAP, PAGE, PAGES, PAGE)
OP(mlock, 3, MAP, PAGE, PAGES, SMALL)
OP(msync, 2, MAP, PAGE, PAGES, SMALL)
OP(load, 12, MAP, PAGE, PAGES)
OP(store, 16, MAP, PAGE, PAGES)

/* do_share.c */
OP(send, 6, SLOT)
OP(receive, 8, OWN)
OP(fork, 6, SMALL, SMALL)
OP(thread, 6, SMALL)
OP(kill, 2, SMALL)
OP(vm_read, 3, MAP, PAGE, COUNT, SMALL)

/* do_proc.c */
OP(fdinfo, 4, SLOT)
OP(proc, 3, SMALL)
OP(map_files, 3, MAP, SMALL)
OP(mem, 3, MAP, PAGE, COUNT, SMALL)
OP(trace, 1, SMALL)
OP(caps, 2, SMALL)
OP(personality, 2, SMALL)

/* do_pressure.c */
OP(drop_caches, 1, SMALL)
OP(reclaim, 2, SMALL, PAGES)
OP(shrink, 6, SMALL, PAGES)
OP(press, 2, PAGES)
OP(cgroup_enter, 3, SMALL)
OP(cgroup_remove, 2, SMALL)
OP(nap, 2, SMALL)

/* do_keep.c */
OP(keep_write, 8, SMALL, PAGE, PAGES)
OP(keep_unpin, 10, SMALL, PAGE, PAGES)
OP(keep_pin, 10, SMALL, PAGE, PAGES)
