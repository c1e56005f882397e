/*
 * Servers that fail: after some failures in a row nobody is sent there for a while, then one goes
 * ahead, and the others follow when it comes back well.
 *
 *   closed -- 5 failures in a row --> open -- pause over --> one is on its way -- well --> closed
 *                                      ^                            |
 *                                      '--- failed: twice the pause-'
 *
 * So a dead server costs its hooks no places, and is not overrun when it is back. Times are
 * monotonic and the caller's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_BREAKER_H
#define RUNNER_BREAKER_H

#include "base/str.h"

#define BREAKER_FAILURES 5
#define BREAKER_FIRST_MS 2000
#define BREAKER_MOST_MS  120000

struct breaker;

struct breaker *breaker_new(void);
void breaker_free(struct breaker *b);
/*
 * 0: go; each is to be reported. Else how long to wait. The one that goes ahead has until
 * limit_ms after now to report; then another one goes. Meanwhile the others wait no longer than
 * they would if it failed: most of the time it reports long before its limit.
 */
int64_t breaker_wait_ms(struct breaker *b, const char *target, int64_t now_ms, int64_t limit_ms);
void breaker_report(struct breaker *b, const char *target, bool well, int64_t now_ms);

#endif
