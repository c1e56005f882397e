/* SPDX-License-Identifier: MIT */
#include "runner/tail.h"

#include "base/str.h"

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

/* As text that JSON can hold; one byte for one byte, so that it does not grow. */
static void add_text(const char *p, size_t n, struct buf *out)
{
    for (size_t i = 0, step; i < n; i += step != 0 ? step : 1) {
        step = str_utf8_step(p + i, n - i);
        if (step == 0 || p[i] == '\0')
            buf_addc(out, '?');
        else
            buf_add(out, p + i, step);
    }
}

void tail_text(const struct tail *t, struct buf *out)
{
    autobuf struct buf kept = BUF_INIT(t->size + 1);
    size_t at = t->total > t->size && t->size != 0 ? (size_t)(t->total % t->size) : 0;

    if (t->total > t->size)
        buf_addf(out, "[%llu bytes before this were left out]\n",
                 (unsigned long long)(t->total - t->size));
    if (t->ring == NULL)
        return;
    buf_add(&kept, t->ring + at, (t->total < t->size ? (size_t)t->total : t->size) - at);
    buf_add(&kept, t->ring, at);
    add_text(buf_text(&kept), kept.len, out);
}

/* Bytes at the end of p that begin a character and do not end it: 0 to 3. */
static size_t unfinished(const char *p, size_t n)
{
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0}; /* of more bytes than that */

    for (size_t back = 1; back <= 3 && back <= n; back++) {
        unsigned char c = (unsigned char)p[n - back];

        if (c >= leads[back])
            return c >= 0xc0 && c < 0xf8 ? back : 0;
        if (c < 0x80 || c >= 0xc0)
            return 0;
    }
    return 0;
}

uint64_t tail_range(const struct tail *t, uint64_t *from, size_t max, bool over, struct buf *out)
{
    uint64_t oldest = t->total > t->size ? t->total - t->size : 0;
    autobuf struct buf raw = BUF_INIT(max + 1);
    size_t n, at, first;

    if (*from < oldest)
        *from = oldest;
    n = t->total - *from < max ? (size_t)(t->total - *from) : max;
    if (n == 0)
        return *from;
    at = (size_t)(*from % t->size);
    first = n < t->size - at ? n : t->size - at;
    buf_add(&raw, t->ring + at, first);
    buf_add(&raw, t->ring, n - first);
    if (!over || *from + n < t->total)
        n -= unfinished(buf_text(&raw), n);
    add_text(buf_text(&raw), n, out);
    return *from + n;
}

void tail_free(struct tail *t)
{
    free(t->ring);
    *t = TAIL_INIT(t->size);
}
