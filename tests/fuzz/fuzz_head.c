/* SPDX-License-Identifier: MIT */
#include "http/head.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is found at once is found bit by bit, and nothing else. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct head whole;
    static struct head parts;
    const char *p = (const char *)data;
    const char *reason = NULL;
    size_t scanned = 0;
    enum head_result result = head_check(p, size, &scanned, &whole, &reason);
    enum head_result again = HEAD_MORE;

    if ((result == HEAD_BAD || result == HEAD_LARGE) && reason == NULL)
        abort();
    if (result == HEAD_OK && (whole.bytes > size || whole.n_fields > HEAD_MAX_LINES ||
                              whole.target.p[0] != '/' || (whole.minor == 1 && whole.host.n == 0)))
        abort();
    scanned = 0;
    for (size_t n = 0; n <= size && again == HEAD_MORE; n++)
        again = head_check(p, n, &scanned, &parts, &reason);
    if ((result == HEAD_OK) != (again == HEAD_OK))
        abort();
    if (result == HEAD_OK && (whole.bytes != parts.bytes || whole.body != parts.body ||
                              whole.content_length != parts.content_length))
        abort();
    return 0;
}
