// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
package android.os;

import android.system.ErrnoException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Objects;

/**
 * Shared memory with calls of a file, as Android's class of this name. The kernel may
 * purge the contents while that is allowed. The first call that finds them gone throws
 * IOException; after it they read as zeroes. Any thread may call.
 */
public class MemoryFile {
    private final Region region;
    private final int length;

    private boolean allowed;
    private boolean lost;       // and no caller was told yet

    /** The name may be null. Purging is not allowed at first. */
    public MemoryFile(String name, int length) throws IOException {
        if (length <= 0) {
            throw new IOException("length must be positive: " + length);
        }
        this.length = length;
        try {
            region = Region.create(name, length);
        } catch (ErrnoException e) {
            throw e.rethrowAsIOException();
        }
        region.belongTo(this);
    }

    public void close() {
        region.close();
    }

    public int length() {
        return length;
    }

    public synchronized boolean isPurgingAllowed() {
        return allowed;
    }

    /** Returns what was set before. */
    public synchronized boolean allowPurging(boolean allowPurging) throws IOException {
        boolean before = allowed;
        run(() -> {
            if (allowPurging && !before) {
                region.unpin();
            } else if (!allowPurging && before) {
                lost |= region.pin();
            }
        });
        allowed = allowPurging;
        return before;
    }

    /** Returns count. */
    public int readBytes(byte[] buffer, int srcOffset, int destOffset, int count)
            throws IOException {
        use(srcOffset, buffer, destOffset, count,
            () -> region.read(buffer, destOffset, count, srcOffset));
        return count;
    }

    public void writeBytes(byte[] buffer, int srcOffset, int destOffset, int count)
            throws IOException {
        use(destOffset, buffer, srcOffset, count,
            () -> region.write(buffer, srcOffset, count, destOffset));
    }

    private interface Call {
        void run() throws ErrnoException, IOException;
    }

    private void run(Call call) throws IOException {
        try {
            call.run();
        } catch (ErrnoException e) {
            throw e.rethrowAsIOException();
        } catch (IllegalStateException e) {
            throw new IOException("closed", e);
        }
    }

    private synchronized void use(int offset, byte[] buffer, int at, int count, Call call)
            throws IOException {
        if (!region.isOpen()) {
            throw new IOException("closed");
        }
        Objects.checkFromIndexSize(at, count, buffer.length);
        Objects.checkFromIndexSize(offset, count, length);
        run(() -> {
            if (allowed) {
                lost |= region.pin();
            }
            try {
                if (lost) {
                    lost = false;
                    throw new IOException("the memory file was purged");
                }
                call.run();
            } finally {
                if (allowed) {
                    region.unpin();
                }
            }
        });
    }

    public InputStream getInputStream() {
        return new Input();
    }

    public OutputStream getOutputStream() {
        return new Output();
    }

    private final class Input extends InputStream {
        private int at;
        private int mark;

        @Override
        public int available() throws IOException {
            return at < length ? length - at : 0;
        }

        @Override
        public boolean markSupported() {
            return true;
        }

        @Override
        public synchronized void mark(int limit) {
            mark = at;
        }

        @Override
        public synchronized void reset() throws IOException {
            at = mark;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public synchronized int read(byte[] buffer, int offset, int count)
                throws IOException {
            Objects.checkFromIndexSize(offset, count, buffer.length);
            if (count == 0) {
                return 0;
            }
            int left = Math.min(count, available());
            if (left == 0) {
                return -1;
            }
            readBytes(buffer, at, offset, left);
            at += left;
            return left;
        }

        @Override
        public synchronized long skip(long count) throws IOException {
            int skipped = (int) Math.max(0, Math.min(count, available()));
            at += skipped;
            return skipped;
        }
    }

    private final class Output extends OutputStream {
        private int at;

        @Override
        public void write(int oneByte) throws IOException {
            write(new byte[] {(byte) oneByte}, 0, 1);
        }

        @Override
        public synchronized void write(byte[] buffer, int offset, int count)
                throws IOException {
            writeBytes(buffer, offset, at, count);
            at += count;
        }
    }
}
