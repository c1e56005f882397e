/*
 * Small questions about text, none of which allocates unless it says so.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* A run of bytes owned by somebody else; may hold NUL, need not end with one. */
struct slice {
    const char *p;
    size_t n;
};

#define SLICE_LIT(s) ((struct slice){(s), sizeof(s) - 1})
struct slice slice_str(const char *s); /* NULL gives an empty slice */
bool slice_is(struct slice s, const char *text);
bool slice_is_nocase(struct slice s, const char *text); /* ASCII case only */

bool str_eq(const char *a, const char *b); /* NULL equals only NULL */
bool str_eq_nocase(const char *a, const char *b);
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
bool str_empty(const char *s); /* NULL or "" */
const char *str_or(const char *s, const char *fallback);

/* Bytes of the UTF-8 character at p (1-4), 0 when it is not well formed. */
size_t str_utf8_step(const char *p, size_t n);
bool str_is_utf8(const char *p, size_t n);
/* The longest prefix of at most max bytes that does not cut a character. */
size_t str_utf8_cut(const char *p, size_t n, size_t max);
/* The character at p, which str_utf8_step found to be step bytes long; 0 for 0. */
uint32_t str_utf8_char(const char *p, size_t step);

struct str_range {
    uint32_t from, to;
};

bool str_in_ranges(uint32_t c, const struct str_range *ranges, size_t n);
/* What moves a terminal, or makes a text read as another one: control characters, direction
 * overrides and isolates, line and paragraph separators, the byte order mark. */
bool str_is_hidden(uint32_t c);

/* Shell-style pattern: `*` any run, `?` one byte; everything else itself. Case matters. */
bool str_glob(const char *pattern, const char *text);
/* Number of single edits between two words, two neighbours swapped being one; SIZE_MAX when a word
 * is longer than 63. */
size_t str_distance(const char *a, const char *b);

/* Whole decimal numbers, digits only, range checked: 0, -EINVAL or -ERANGE. */
MUST_CHECK int str_to_u64(const char *s, size_t n, uint64_t max, uint64_t *out);
/* "90", "500ms", "60s", "5m", "1h", "7d" (a bare number is seconds) to milliseconds. */
MUST_CHECK int str_to_ms(const char *s, int64_t *out_ms);
/* "4096", "64KiB", "8MiB", "2GiB" (also K, M, G) to bytes. */
MUST_CHECK int str_to_bytes(const char *s, uint64_t *out);
/* 1536 -> "1.5 KiB"; always fits in 16 bytes. */
void str_from_bytes(uint64_t n, char out[16]);
/* 95000 -> "1m35s"; always fits in 24 bytes. */
void str_from_ms(int64_t ms, char out[24]);

#endif
