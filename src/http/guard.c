/* SPDX-License-Identifier: MIT */
#include "http/guard.h"

/* Larger buffers are not kept for the next request of a connection. */
#define KEEP_BYTES 16384

void guard_init(struct guard *g, uint64_t max_body)
{
    *g = (struct guard){.max_body = max_body};
    g->bytes = BUF_INIT(HEAD_MAX_BYTES);
    g->body = BUF_INIT(max_body < SIZE_MAX ? (size_t)max_body : SIZE_MAX - 1);
}

static void empty(struct buf *b)
{
    if (b->cap > KEEP_BYTES)
        buf_free(b);
    else
        buf_reset(b);
}

void guard_reset(struct guard *g)
{
    empty(&g->bytes);
    empty(&g->body);
    g->phase = GUARD_IN_HEAD;
    g->scanned = 0;
    g->chunk = (struct chunk){0};
    g->status = 0;
    g->reason = NULL;
}

void guard_clear(struct guard *g)
{
    buf_free(&g->bytes);
    buf_free(&g->body);
}

bool guard_started(const struct guard *g)
{
    return g->phase != GUARD_IN_HEAD || g->bytes.len != 0;
}

void guard_refuse(struct guard *g, int status, const char *reason)
{
    g->phase = GUARD_IN_REFUSAL;
    g->status = status;
    g->reason = reason;
}

void guard_admit(struct guard *g)
{
    if (g->head.body == HEAD_BODY_LENGTH && g->head.content_length > g->max_body)
        guard_refuse(g, 413, "Content-Length");
    else
        g->phase = GUARD_IN_BODY;
}

/* Copies no more than a head may have, so that what stands behind it stays where it is. */
static void feed_head(struct guard *g, const char *p, size_t n, size_t *used)
{
    size_t before = g->bytes.len;
    size_t take = n < HEAD_MAX_BYTES - before ? n : HEAD_MAX_BYTES - before;

    *used = take;
    buf_add(&g->bytes, p, take);
    switch (head_check(g->bytes.data, g->bytes.len, &g->scanned, &g->head, &g->reason)) {
    case HEAD_OK:
        *used = g->head.bytes - before;
        g->phase = GUARD_IN_DECISION;
        break;
    case HEAD_MORE:
        break;
    case HEAD_BAD:
        guard_refuse(g, 400, g->reason);
        break;
    case HEAD_LARGE:
        guard_refuse(g, 431, g->reason);
        break;
    }
}

static void feed_length(struct guard *g, const char *p, size_t n, size_t *used)
{
    uint64_t left = g->head.content_length - g->body.len;

    *used = n < left ? n : (size_t)left;
    buf_add(&g->body, p, *used);
    if (g->body.len == g->head.content_length)
        g->phase = GUARD_AT_END;
}

static void feed_chunked(struct guard *g, const char *p, size_t n, size_t *used)
{
    enum chunk_result result = CHUNK_DATA;

    for (*used = 0; result == CHUNK_DATA;) {
        struct slice data = {0};
        size_t step;

        result = chunk_next(&g->chunk, p + *used, n - *used, &step, &data);
        *used += step;
        if (result == CHUNK_DATA)
            buf_add(&g->body, data.p, data.n);
        if (!buf_ok(&g->body) || g->chunk.left > g->max_body - g->body.len) {
            guard_refuse(g, 413, "chunked body");
            return;
        }
    }
    if (result == CHUNK_END)
        g->phase = GUARD_AT_END;
    else if (result == CHUNK_BAD)
        guard_refuse(g, 400, "chunked body");
}

static void feed_body(struct guard *g, const char *p, size_t n, size_t *used)
{
    switch (g->head.body) {
    case HEAD_BODY_NONE:
        g->phase = GUARD_AT_END;
        break;
    case HEAD_BODY_LENGTH:
        feed_length(g, p, n, used);
        break;
    case HEAD_BODY_CHUNKED:
        feed_chunked(g, p, n, used);
        break;
    }
}

enum guard_result guard_feed(struct guard *g, const char *p, size_t n, size_t *used)
{
    static const enum guard_result results[] = {
        [GUARD_IN_HEAD] = GUARD_MORE,       [GUARD_IN_DECISION] = GUARD_HEAD,
        [GUARD_IN_BODY] = GUARD_MORE,       [GUARD_AT_END] = GUARD_DONE,
        [GUARD_IN_REFUSAL] = GUARD_REFUSED,
    };

    *used = 0;
    if (g->phase == GUARD_IN_HEAD && n != 0)
        feed_head(g, p, n, used);
    else if (g->phase == GUARD_IN_BODY)
        feed_body(g, p, n, used);
    return results[g->phase];
}
