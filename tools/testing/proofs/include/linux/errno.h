/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_ERRNO_H
#define _LINUX_ERRNO_H

#define EAGAIN 11

#endif /* _LINUX_ERRNO_H */
