/* SPDX-License-Identifier: MIT */
#include "runner/tail.h"

#include <string.h>

void tail_add(struct tail *t, const char *p, size_t n)
{
    if (t->ring == NULL && t->size != 0)
        t->ring = mem_calloc(t->size, 1);
    if (n > t->size) {
        t->total += n - t->size;
        p += n - t->size;
        n = t->size;
    }
    while (n > 0) {
        size_t at = (size_t)(t->total % t->size);
        size_t fits = n < t->size - at ? n : t->size - at;

        memcpy(t->ring + at, p, fits);
        t->total += fits;
        p += fits;
        n -= fits;
    }
}

void tail_text(const struct tail *t, struct buf *out)
{
    size_t at;

    if (t->total <= t->size) {
        buf_add(out, t->ring, (size_t)t->total);
        return;
    }
    buf_addf(out, "[%llu bytes before this were left out]\n",
             (unsigned long long)(t->total - t->size));
    if (t->size == 0)
        return;
    at = (size_t)(t->total % t->size);
    buf_add(out, t->ring + at, t->size - at);
    buf_add(out, t->ring, at);
}

void tail_free(struct tail *t)
{
    free(t->ring);
    *t = TAIL_INIT(t->size);
}
