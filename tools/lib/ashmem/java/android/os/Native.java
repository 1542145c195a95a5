// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
package android.os;

import android.system.ErrnoException;
import java.lang.ref.Cleaner;

/**
 * An object that C has made, which ends when its Java object is closed or collected.
 *
 * The lock of this class keeps the end away from calls in other threads: a user of
 * pointer holds it. A cleaner has a reference to this one, never to its owner.
 */
abstract class Native {
    private static final Cleaner CLEANER = Cleaner.create();

    /** What C returned; -1 after the end. */
    private long value;
    private Cleaner.Cleanable end;

    Native(long value) {
        this.value = value;
    }

    /** Ends it when owner is collected, if not before. */
    final void belongTo(Object owner) {
        end = CLEANER.register(owner, this::endOnce);
    }

    private synchronized void endOnce() {
        long ended = take();
        if (ended >= 0) {
            end(ended);
        }
    }

    /** Called with the lock. */
    final long pointer() {
        return value;
    }

    /** The caller owns the result; no end will come. -1 if there was one. */
    final synchronized long take() {
        long taken = value;
        value = -1;
        return taken;
    }

    final synchronized boolean isOpen() {
        return value >= 0;
    }

    final void close() {
        end.clean();
    }

    abstract void end(long ended);

    /** Returns what C returned, or throws if that is -errno. */
    static long check(String name, long result) throws ErrnoException {
        if (result < 0) {
            throw new ErrnoException(name, (int) -result);
        }
        return result;
    }
}
