/*
 * One request of a client of the mirror, from its head to its reply. It ends with the reply; what
 * runs for it after that (a submit) goes on without it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_MIRROR_CALL_H
#define GATEWAY_MIRROR_CALL_H

#include "gateway/mirror.h"
#include "gateway/mirror_route.h"
#include "http/server.h"
#include "vidu/id.h"

#include <jansson.h>
#include <sys/queue.h>

#define MIRROR_MAX_WAIT_S 120
#define MIRROR_REFRESHED  256

/* A task whose links were asked for lately. */
struct mirror_refreshed {
    char task[TASK_ID_SIZE];
    int64_t until_ms;
};

struct mirror_call {
    TAILQ_ENTRY(mirror_call) link;
    struct mirror *mirror;
    struct gateway *g;
    struct server_request *req;
    struct mirror_route route;
    json_t *tags;      /* of X-Viduhook-Tag, an object of texts */
    int wait_s;        /* of X-Viduhook-Wait */
    struct buf answer; /* of the provider, charged to the budget */
    bool no_room;      /* for more of it */
    /* mirror_query.c: */
    bool asking;             /* the keeper */
    bool changed;            /* since it was asked */
    bool counts_as_watcher;  /* of live events */
    char task[TASK_ID_SIZE]; /* our id */
    struct buf said;         /* what is held back until the task changes; empty: nothing */
    struct event *timer;
    struct buf instead; /* what is said when the provider gives no answer; empty: nothing */
};

TAILQ_HEAD(mirror_calls, mirror_call);

struct mirror {
    struct gateway *g;
    struct server *server;
    struct ssl_ctx_st *tls;
    uint8_t token_hash[SHA256_LEN];
    struct mirror_calls calls;
    size_t n_calls;
    size_t watchers; /* clients that wait for a change */
    struct mirror_refreshed refreshed[MIRROR_REFRESHED];
    size_t next_refreshed;
    uint64_t answers; /* bytes of providers' answers held now */
    struct buf refusal;
    bool draining, drained;
};

/* NULL: refused, and answered. */
struct mirror_call *mirror_call_new(struct mirror *m, struct server_request *req);
void mirror_call_free(struct mirror_call *c); /* without a reply */

/* Each replies and frees the call. headers end with a NULL name. */
void mirror_reply(struct mirror_call *c, int status, const struct server_header *headers,
                  const void *body, size_t n);
void mirror_reply_json(struct mirror_call *c, const char *text, size_t n); /* from the store */
void mirror_fail(struct mirror_call *c, int status, const char *reason, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* More of the provider's answer; false: the budget is used up. */
bool mirror_keep(struct mirror_call *c, const void *p, size_t n);

#endif
