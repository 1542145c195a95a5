/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_MINMAX_H
#define _LINUX_MINMAX_H

#define min(a, b) ({ typeof(a) _a = (a); typeof(b) _b = (b); _a < _b ? _a : _b; })
#define max(a, b) ({ typeof(a) _a = (a); typeof(b) _b = (b); _a > _b ? _a : _b; })
#define max_t(type, a, b) max((type)(a), (type)(b))
#define clamp_t(type, x, low, high) min(max_t(type, x, low), (type)(high))

#endif /* _LINUX_MINMAX_H */
