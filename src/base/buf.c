/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

/* Room for n more bytes and the NUL; false when that is over the ceiling. */
static bool reserve(struct buf *b, size_t n)
{
    size_t need;
    size_t cap = b->cap != 0 ? b->cap : 64;

    if (b->overflow || n > b->max || b->len > b->max - n) {
        b->overflow = true;
        return false;
    }
    need = b->len + n + 1;
    if (need <= b->cap)
        return true;
    while (cap < need)
        cap += cap / 2 + 16;
    b->data = mem_realloc(b->data, cap, 1);
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    if (!reserve(b, n))
        return;
    if (n != 0)
        memcpy(b->data + b->len, p, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0 || !reserve(b, (size_t)n)) {
        b->overflow = true;
        return;
    }
    vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    b->len += (size_t)n;
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(b, fmt, ap);
    va_end(ap);
}

/* One that does not stand for itself. */
static void add_json_ascii(struct buf *b, unsigned char c)
{
    switch (c) {
    case '"':
        buf_adds(b, "\\\"");
        break;
    case '\\':
        buf_adds(b, "\\\\");
        break;
    case '\n':
        buf_adds(b, "\\n");
        break;
    case '\r':
        buf_adds(b, "\\r");
        break;
    case '\t':
        buf_adds(b, "\\t");
        break;
    default:
        buf_addf(b, "\\u%04x", c);
    }
}

/* Bytes that stand for themselves between quotes, which most do. */
static size_t plain_json(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n && (unsigned char)s[i] >= 0x20 && (unsigned char)s[i] < 0x7f && s[i] != '"' &&
           s[i] != '\\')
        i++;
    return i;
}

void buf_add_json(struct buf *b, const char *s, size_t n)
{
    size_t i = 0;

    buf_addc(b, '"');
    while (i < n) {
        size_t plain = plain_json(s + i, n - i);
        size_t step;

        buf_add(b, s + i, plain);
        i += plain;
        if (i == n)
            break;
        step = str_utf8_step(s + i, n - i);
        if (step == 0) {
            buf_adds(b, "\\ufffd");
            i++;
        } else if (step == 1) {
            add_json_ascii(b, (unsigned char)s[i++]);
        } else {
            buf_add(b, s + i, step);
            i += step;
        }
    }
    buf_addc(b, '"');
}

const char *buf_text(const struct buf *b)
{
    return b->data != NULL ? b->data : "";
}

bool buf_ok(const struct buf *b)
{
    return !b->overflow;
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->overflow = false;
    if (b->data != NULL)
        b->data[0] = '\0';
}

char *buf_take(struct buf *b)
{
    char *data = b->data != NULL ? b->data : mem_calloc(1, 1);

    *b = BUF_INIT(b->max);
    return data;
}

void buf_free(struct buf *b)
{
    free(b->data);
    *b = BUF_INIT(b->max);
}
