/* SPDX-License-Identifier: MIT */
#include "http/guard.h"

#include <stdlib.h>

#define MAX_BODY 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A connection's bytes: as many requests as there are, in pieces of a size the input chooses. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t piece = size != 0 ? (size_t)data[0] + 1 : 1;
    struct guard g;

    guard_init(&g, MAX_BODY);
    for (size_t at = size != 0; at < size;) {
        size_t n = size - at < piece ? size - at : piece;
        size_t used;
        enum guard_result result = guard_feed(&g, (const char *)data + at, n, &used);

        if (used > n || g.body.len > MAX_BODY || g.bytes.len > HEAD_MAX_BYTES)
            abort();
        at += used;
        if (result == GUARD_HEAD) {
            guard_admit(&g);
            result = guard_feed(&g, "", 0, &used);
        }
        if (result == GUARD_REFUSED)
            break;
        if (result == GUARD_DONE)
            guard_reset(&g);
        else if (used == 0 && g.head.body != HEAD_BODY_LENGTH && n != 0 && g.phase != GUARD_IN_BODY)
            abort(); /* no progress */
    }
    guard_clear(&g);
    return 0;
}
