/*
 * Time. Monotonic for waiting, wall clock for records and signatures; both in milliseconds,
 * both settable, so that a test need not wait.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/mem.h"

#include <stdint.h>

int64_t clock_mono_ms(void);
int64_t clock_wall_ms(void); /* since 1970-01-01T00:00:00Z */

/* Tests: makes both clocks stand at these values; (-1, -1) gives the real ones back. */
void clock_freeze(int64_t mono_ms, int64_t wall_ms);

/* "2026-11-20T17:05:27.123Z" (RFC 3339); 25 bytes with the NUL. */
void clock_format_rfc3339(int64_t wall_ms, char out[25]);
/* "Tue, 06 May 2025 12:09:42 GMT" (IMF-fixdate, RFC 9110 5.6.7); 30 bytes with the NUL. */
void clock_format_http(int64_t wall_ms, char out[30]);
/* Exactly that form, any other is -EINVAL; the weekday must be the right one. */
MUST_CHECK int clock_parse_http(const char *s, size_t n, int64_t *wall_ms);

#endif
