/*
 * Times as people and the control socket write them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include "base/err.h"
#include "base/mem.h"

#include <stdint.h>

/* "2026-11-20T17:05:27.123Z", the fraction may be missing; any other form is -EINVAL. */
MUST_CHECK int when_parse(const char *text, int64_t *wall_ms);
/* What --since takes: a duration back from now, a day (2026-11-20, UTC) or a time as above. */
MUST_CHECK int when_since(const char *text, int64_t now_ms, int64_t *wall_ms, struct err *err);
/* 45s, 3m, 2h, 5d */
void when_age(int64_t ms, char out[24]);
/* "3m ago", "in 5m", "now" */
void when_relative(int64_t at_ms, int64_t now_ms, char out[32]);
/* 17:05:27 in the local time zone */
void when_local(int64_t at_ms, char out[16]);

#endif
