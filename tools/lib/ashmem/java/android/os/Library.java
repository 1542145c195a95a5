// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
package android.os;

import java.nio.ByteBuffer;

/** The calls of java/ashmem_jni.c. Results below 0 are -errno. A region is its address. */
final class Library {
    private Library() {}

    static {
        System.loadLibrary("ashmem_jni");
    }

    static native long create(String name, int size);
    static native long adopt(int fd);
    static native void close(long region);
    static native long size(long region);
    static native int fd(long region);
    static native long map(long region, int prot, int offset, int length);
    static native int protect(long region, int prot);
    static native int read(long region, byte[] to, int at, int length, int offset);
    static native int write(long region, byte[] from, int at, int length, int offset);
    static native int pin(long region);
    static native int unpin(long region);

    static native ByteBuffer view(long address, int length);
    static native long address(ByteBuffer buffer);
    static native int replace(long address, int length);
    static native void unmap(long address, int length);

    static native int dupFd(int fd);
    static native void closeFd(int fd);
}
