/*
 * A growing byte buffer with a ceiling.
 *
 * The bytes are always followed by a NUL that is not counted, so that text can be used as a C
 * string. Appending beyond the ceiling appends nothing and marks the buffer as overflowed;
 * check buf_ok() once at the end instead of every step. Embed it; start with BUF_INIT(max).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

#include <stdarg.h>
#include <stdbool.h>

struct buf {
    char *data; /* NULL until the first append */
    size_t len;
    size_t cap;
    size_t max; /* most bytes it may hold */
    bool overflow;
};

#define BUF_INIT(limit) ((struct buf){.max = (limit)})

void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
/* s as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void buf_add_json(struct buf *b, const char *s, size_t n);
/* The text so far, "" when empty; owned by the buffer. */
const char *buf_text(const struct buf *b);
/* False when an append did not fit. */
bool buf_ok(const struct buf *b);
void buf_reset(struct buf *b);
/* Hands the memory to the caller (never NULL) and empties the buffer. */
char *buf_take(struct buf *b);
void buf_free(struct buf *b);

#define autobuf __attribute__((cleanup(buf_free)))

#endif
