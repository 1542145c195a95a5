// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
package android.os;

import static android.system.OsConstants.PROT_EXEC;
import static android.system.OsConstants.PROT_READ;
import static android.system.OsConstants.PROT_WRITE;

import android.system.ErrnoException;
import java.io.Closeable;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;

/**
 * Anonymous shared memory, as Android's class of this name, on /dev/ashmem or memfd.
 *
 * It isn't Parcelable: pass it on by getFdDup() and fromFileDescriptor(). Any thread may
 * call; after close() all calls but close() throw IllegalStateException.
 *
 * The fences: a collected object closes its region, and one whose last call runs may be
 * collected before the call has used the region.
 */
public final class SharedMemory implements Closeable {
    private final Region region;

    private SharedMemory(Region region) {
        this.region = region;
        region.belongTo(this);
    }

    /** Makes size bytes, all 0. The name, which may be null, is seen in /proc. */
    public static SharedMemory create(String name, int size) throws ErrnoException {
        if (size <= 0) {
            throw new IllegalArgumentException("Size must be greater than zero");
        }
        return new SharedMemory(Region.create(name, size));
    }

    /** Makes one of another's descriptor, which is detached from fd. */
    public static SharedMemory fromFileDescriptor(ParcelFileDescriptor fd) {
        int number = fd.detachFd();
        SharedMemory memory;
        try {
            memory = new SharedMemory(Region.adopt(number));
        } catch (ErrnoException e) {
            Library.closeFd(number);
            throw new IllegalArgumentException("not shared memory", e);
        }
        long size = memory.region.size();
        if (size <= 0 || size > Integer.MAX_VALUE) {
            memory.close();
            throw new IllegalArgumentException("its size is " + size);
        }
        return memory;
    }

    /** A copy of the descriptor, for another process. Android hides this call. */
    public ParcelFileDescriptor getFdDup() throws IOException {
        try {
            return ParcelFileDescriptor.adoptFd(region.dup());
        } catch (ErrnoException e) {
            throw e.rethrowAsIOException();
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    public int getSize() {
        try {
            return (int) region.size();
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Takes rights away from later mappings, those of other processes included. They
     * can't be given back: false if prot has one that was taken away.
     */
    public boolean setProtect(int prot) {
        checkProt(prot);
        try {
            return region.protect(prot);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private static void checkProt(int prot) {
        if ((prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC)) != 0) {
            throw new IllegalArgumentException("Invalid prot value " + prot);
        }
    }

    public ByteBuffer mapReadOnly() throws ErrnoException {
        return map(PROT_READ, 0, getSize());
    }

    public ByteBuffer mapReadWrite() throws ErrnoException {
        return map(PROT_READ | PROT_WRITE, 0, getSize());
    }

    /**
     * A new mapping, which outlives this object. It needs PROT_READ, unlike Android's: a
     * buffer that can't be read would end the JVM.
     */
    public ByteBuffer map(int prot, int offset, int length) throws ErrnoException {
        checkProt(prot);
        int size = getSize();
        if ((prot & PROT_READ) == 0) {
            throw new IllegalArgumentException("prot needs PROT_READ");
        }
        if (offset < 0 || length <= 0 || offset > size - length) {
            throw new IllegalArgumentException(length + " bytes at " + offset + " of " + size);
        }
        try {
            ByteBuffer buffer = region.map(prot, offset, length);
            return (prot & PROT_WRITE) == 0 ? buffer.asReadOnlyBuffer() : buffer;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Gives the memory of a buffer of map() back at once. Who uses the buffer, or a
     * duplicate, later reads zeroes or what was written since, and harms no one.
     */
    public static void unmap(ByteBuffer buffer) {
        Mapping.unmap(buffer);
    }

    /** Closes the descriptor. Mappings stay. */
    @Override
    public void close() {
        region.close();
    }
}
