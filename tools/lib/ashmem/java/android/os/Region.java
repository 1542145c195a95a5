// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
package android.os;

import android.system.ErrnoException;
import java.nio.ByteBuffer;

/** struct ashm. */
final class Region extends Native {
    private Region(long region) {
        super(region);
    }

    static Region create(String name, int size) throws ErrnoException {
        return new Region(check("ashm_create", Library.create(name, size)));
    }

    /** The descriptor belongs to the region, unless this fails. */
    static Region adopt(int fd) throws ErrnoException {
        return new Region(check("ashm_adopt", Library.adopt(fd)));
    }

    @Override
    void end(long region) {
        Library.close(region);
    }

    private long open() {
        if (!isOpen()) {
            throw new IllegalStateException("closed");
        }
        return pointer();
    }

    synchronized long size() {
        return Library.size(open());
    }

    /** Another descriptor of the same memory. */
    synchronized int dup() throws ErrnoException {
        return (int) check("dup", Library.dupFd(Library.fd(open())));
    }

    synchronized ByteBuffer map(int prot, int offset, int length) throws ErrnoException {
        return Mapping.of(check("mmap", Library.map(open(), prot, offset, length)), length);
    }

    synchronized boolean protect(int prot) {
        return Library.protect(open(), prot) == 0;
    }

    synchronized void read(byte[] to, int at, int length, int offset) throws ErrnoException {
        check("ashm_read", Library.read(open(), to, at, length, offset));
    }

    synchronized void write(byte[] from, int at, int length, int offset)
            throws ErrnoException {
        check("ashm_write", Library.write(open(), from, at, length, offset));
    }

    /** True if contents were lost. */
    synchronized boolean pin() throws ErrnoException {
        return check("ashm_pin", Library.pin(open())) > 0;
    }

    synchronized void unpin() throws ErrnoException {
        check("ashm_unpin", Library.unpin(open()));
    }
}
