/* SPDX-License-Identifier: MIT */
#include "http/chunk.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Feeds the bytes in pieces of the given size; the end, and how much body there was. */
static enum chunk_result run(const char *p, size_t n, size_t piece, uint64_t *body)
{
    struct chunk c = {0};
    enum chunk_result result = CHUNK_MORE;

    *body = 0;
    while (n != 0 && (result == CHUNK_MORE || result == CHUNK_DATA)) {
        size_t len = n < piece ? n : piece;
        struct slice data = {0};
        size_t used;

        result = chunk_next(&c, p, len, &used, &data);
        if (used > len || (result == CHUNK_DATA && (data.n > used || data.n == 0)))
            abort();
        if (result == CHUNK_DATA)
            *body += data.n;
        p += used;
        n -= used;
    }
    return result == CHUNK_DATA ? CHUNK_MORE : result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t whole;
    uint64_t parts;
    enum chunk_result a = run((const char *)data, size, size, &whole);
    enum chunk_result b = run((const char *)data, size, 1, &parts);

    if (a != b || (a != CHUNK_BAD && whole != parts))
        abort();
    return 0;
}
