// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
package android.system;

import java.io.IOException;

/** A call to the system that failed. */
public final class ErrnoException extends Exception {
    private static final long serialVersionUID = 1;

    private final String functionName;

    /** One of OsConstants. */
    public final int errno;

    public ErrnoException(String functionName, int errno) {
        this(functionName, errno, null);
    }

    public ErrnoException(String functionName, int errno, Throwable cause) {
        super(cause);
        this.functionName = functionName;
        this.errno = errno;
    }

    @Override
    public String getMessage() {
        String name = OsConstants.errnoName(errno);
        return functionName + " failed: " + (name == null ? "errno " + errno : name);
    }

    public IOException rethrowAsIOException() throws IOException {
        throw new IOException(getMessage(), this);
    }
}
