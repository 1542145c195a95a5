/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing JSON to stdout. A key is NULL for what stands in an array.
 */

#ifndef _ASHMEM_JSON_H
#define _ASHMEM_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void json_open(const char *key, char bracket);
void json_close(char bracket);
void json_null(const char *key);
void json_bool(const char *key, bool value);
void json_number(const char *key, uint64_t value);
void json_real(const char *key, double value);
void json_text(const char *key, const char *text);
void json_bytes(const char *key, const char *bytes, size_t len);
void json_end(void);

#endif /* _ASHMEM_JSON_H */
