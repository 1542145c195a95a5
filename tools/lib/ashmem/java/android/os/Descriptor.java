// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
package android.os;

/** A file descriptor that is closed once. */
final class Descriptor extends Native {
    Descriptor(int fd) {
        super(fd);
    }

    @Override
    void end(long fd) {
        Library.closeFd((int) fd);
    }
}
