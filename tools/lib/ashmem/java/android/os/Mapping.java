// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
package android.os;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A mapping, as long as a buffer of it exists.
 *
 * A buffer of the JVM can't be told that its memory is gone. So unmap() puts zeroed
 * private memory in place of the shared: a use of the buffer later touches only that.
 * The addresses are free when the buffer and its duplicates have been collected.
 */
final class Mapping extends Native {
    private static final ConcurrentHashMap<Long, Mapping> ALL = new ConcurrentHashMap<>();

    private final int length;
    private boolean replaced;

    private Mapping(long address, int length) {
        super(address);
        this.length = length;
    }

    static ByteBuffer of(long address, int length) {
        Mapping mapping = new Mapping(address, length);
        ByteBuffer buffer = null;
        try {
            buffer = Library.view(address, length);
        } finally {
            // It throws if the heap is full, or returns null.
            if (buffer == null) {
                Library.unmap(address, length);
            }
        }
        if (buffer == null) {
            throw new OutOfMemoryError("no buffer");
        }
        ALL.put(address, mapping);
        // A duplicate has a reference to the buffer that it was made from.
        mapping.belongTo(buffer);
        return buffer;
    }

    /** Gives the shared memory back, once. The buffer, or a duplicate, is of this class. */
    static void unmap(ByteBuffer buffer) {
        try {
            Mapping mapping = buffer.isDirect() ? ALL.get(Library.address(buffer)) : null;
            if (mapping == null) {
                throw new IllegalArgumentException("not a buffer of map(), or a part of one");
            }
            mapping.replace();
        } finally {
            // Once collected, its address may be that of another thread's new mapping.
            Reference.reachabilityFence(buffer);
        }
    }

    private synchronized void replace() {
        if (isOpen() && !replaced) {
            if (Library.replace(pointer(), length) < 0) {
                throw new OutOfMemoryError("unmap");
            }
            replaced = true;
        }
    }

    @Override
    void end(long address) {
        // Before another mapping can get the address.
        ALL.remove(address);
        Library.unmap(address, length);
    }
}
