// SPDX-License-Identifier: MIT
// Copyright (c) 2026 ashmem maintainers
package android.system;

import java.lang.reflect.Field;

/** Constants of Linux that calls of android.os take and return. */
public final class OsConstants {
    private OsConstants() {}

    public static final int PROT_NONE = 0;
    public static final int PROT_READ = 1;
    public static final int PROT_WRITE = 2;
    public static final int PROT_EXEC = 4;

    public static final int EPERM = 1;
    public static final int ENOENT = 2;
    public static final int EINTR = 4;
    public static final int EIO = 5;
    public static final int EBADF = 9;
    public static final int EAGAIN = 11;
    public static final int ENOMEM = 12;
    public static final int EACCES = 13;
    public static final int EFAULT = 14;
    public static final int EBUSY = 16;
    public static final int ENODEV = 19;
    public static final int EINVAL = 22;
    public static final int ENFILE = 23;
    public static final int EMFILE = 24;
    public static final int ENOTTY = 25;
    public static final int EFBIG = 27;
    public static final int ENOSPC = 28;
    public static final int ERANGE = 34;

    /** The name of an errno, such as "EINVAL", or null if there is none above. */
    public static String errnoName(int errno) {
        try {
            for (Field field : OsConstants.class.getFields()) {
                if (field.getName().startsWith("E") && field.getInt(null) == errno) {
                    return field.getName();
                }
            }
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
        return null;
    }
}
