/* SPDX-License-Identifier: MIT */
#include "http/chunk.h"

/* Framing may be 80 % of what was sent, or anything while it is little. */
#define FRAMING_FREE    (64U << 10)
#define FRAMING_PERCENT 80U

/* The order matters: from END on nothing is looked at. */
enum state {
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER, /* first byte of a line behind the last chunk */
    FIELD,
    FIELD_LF,
    TRAILER_LF,
    END,
    BAD,
};

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_text(char c)
{
    return c == '\t' || (c >= ' ' && c <= '~');
}

static enum state on_size(struct chunk *c, char byte)
{
    int digit = hex(byte);

    if (digit >= 0) {
        c->left = c->left << 4 | (unsigned)digit;
        return ++c->digits <= CHUNK_MAX_DIGITS ? SIZE : BAD;
    }
    if (c->digits == 0)
        return BAD;
    return byte == '\r' ? SIZE_LF : byte == ';' ? EXTENSION : BAD;
}

static enum state on_size_end(struct chunk *c, char byte)
{
    if (byte != '\n')
        return BAD;
    c->line = 0;
    c->digits = 0;
    return c->left != 0 ? DATA : TRAILER;
}

/* What stands in a trailer is dropped, so only its shape matters. */
static enum state on_trailer(struct chunk *c, char byte)
{
    if (++c->trailer > CHUNK_MAX_TRAILER)
        return BAD;
    switch (c->state) {
    case TRAILER:
        return byte == '\r' ? TRAILER_LF : byte > ' ' && byte <= '~' ? FIELD : BAD;
    case FIELD:
        return byte == '\r' ? FIELD_LF : is_text(byte) ? FIELD : BAD;
    case FIELD_LF:
        return byte == '\n' ? TRAILER : BAD;
    default:
        return byte == '\n' ? END : BAD;
    }
}

static enum state on_framing(struct chunk *c, char byte)
{
    switch (c->state) {
    case SIZE:
    case EXTENSION:
        if (++c->line > CHUNK_MAX_LINE)
            return BAD;
        if (c->state == SIZE)
            return on_size(c, byte);
        return byte == '\r' ? SIZE_LF : is_text(byte) ? EXTENSION : BAD;
    case SIZE_LF:
        return on_size_end(c, byte);
    case DATA_CR:
        return byte == '\r' ? DATA_LF : BAD;
    case DATA_LF:
        return byte == '\n' ? SIZE : BAD;
    default:
        return on_trailer(c, byte);
    }
}

static bool too_much_framing(const struct chunk *c)
{
    return c->framing > FRAMING_FREE && c->framing / FRAMING_PERCENT > (c->framing + c->body) / 100;
}

static enum chunk_result take_data(struct chunk *c, const char *p, size_t n, size_t *used,
                                   struct slice *data)
{
    *data = (struct slice){p + *used, n - *used};
    if (data->n > c->left)
        data->n = (size_t)c->left;
    *used += data->n;
    c->left -= data->n;
    c->body += data->n;
    if (c->left == 0)
        c->state = DATA_CR;
    return CHUNK_DATA;
}

enum chunk_result chunk_next(struct chunk *c, const char *p, size_t n, size_t *used,
                             struct slice *data)
{
    for (*used = 0; *used < n && c->state < END; (*used)++) {
        if (c->state == DATA)
            return take_data(c, p, n, used, data);
        c->state = (int)on_framing(c, p[*used]);
        c->framing++;
    }
    if (c->state == BAD || too_much_framing(c)) {
        c->state = BAD;
        return CHUNK_BAD;
    }
    return c->state == END ? CHUNK_END : CHUNK_MORE;
}
