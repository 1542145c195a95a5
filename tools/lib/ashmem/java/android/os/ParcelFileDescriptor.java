// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
package android.os;

import android.system.ErrnoException;
import java.io.Closeable;
import java.io.IOException;

/** Owns a file descriptor: of Android's class what passing SharedMemory on needs. */
public class ParcelFileDescriptor implements Closeable {
    private final Descriptor descriptor;

    private ParcelFileDescriptor(int fd) {
        descriptor = new Descriptor(fd);
        descriptor.belongTo(this);
    }

    /** Takes a descriptor over. */
    public static ParcelFileDescriptor adoptFd(int fd) {
        if (fd < 0) {
            throw new IllegalArgumentException("not a descriptor: " + fd);
        }
        return new ParcelFileDescriptor(fd);
    }

    /** Makes a copy of a descriptor, which stays its owner's. */
    public static ParcelFileDescriptor fromFd(int fd) throws IOException {
        try {
            return new ParcelFileDescriptor((int) Native.check("dup", Library.dupFd(fd)));
        } catch (ErrnoException e) {
            throw e.rethrowAsIOException();
        }
    }

    /** The number, still owned here. */
    public int getFd() {
        synchronized (descriptor) {
            return (int) opened(descriptor.pointer());
        }
    }

    /** The number, owned by the caller from now on. */
    public int detachFd() {
        return (int) opened(descriptor.take());
    }

    private static long opened(long fd) {
        if (fd < 0) {
            throw new IllegalStateException("Already closed");
        }
        return fd;
    }

    @Override
    public void close() throws IOException {
        descriptor.close();
    }
}
