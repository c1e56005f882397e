/*
 * The guard of one connection: takes the bytes a stranger sent, one request at a time.
 *
 * It asks its caller once, when the head is whole and strict (GUARD_HEAD); nothing of a body is
 * kept before the caller has said guard_admit. What is refused stays refused until guard_reset.
 * Memory: at most HEAD_MAX_BYTES before admission, max_body behind it. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "base/buf.h"
#include "http/chunk.h"
#include "http/head.h"

enum guard_result {
    GUARD_MORE,    /* everything was used, more is to come */
    GUARD_HEAD,    /* head is there: guard_admit or guard_refuse, then feed what is left */
    GUARD_DONE,    /* the request is whole; bytes that are left belong to the next one */
    GUARD_REFUSED, /* status and reason say why */
};

enum guard_phase {
    GUARD_IN_HEAD,
    GUARD_IN_DECISION,
    GUARD_IN_BODY,
    GUARD_AT_END,
    GUARD_IN_REFUSAL
};

struct guard {
    enum guard_phase phase;
    uint64_t max_body;
    struct buf bytes; /* of the head, as it came */
    size_t scanned;
    struct head head; /* points into bytes */
    struct chunk chunk;
    struct buf body;
    int status;         /* of a refusal */
    const char *reason; /* static text */
};

void guard_init(struct guard *g, uint64_t max_body);
/* Ready for the next request; keeps a little memory for it. */
void guard_reset(struct guard *g);
void guard_clear(struct guard *g);

/* Looks at p[0..n); *used says how many bytes are done with. n may be 0 after guard_admit. */
enum guard_result guard_feed(struct guard *g, const char *p, size_t n, size_t *used);
/* Refuses all the same what says that it is larger than max_body. */
void guard_admit(struct guard *g);
void guard_refuse(struct guard *g, int status, const char *reason);
/* Whether something of a request has come. */
bool guard_started(const struct guard *g);

#endif
