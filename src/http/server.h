/*
 * An HTTP server: evhttp behind a guard.
 *
 * The guard (http/guard.c) sees every decrypted byte before evhttp does. It lets a request
 * through only after head_check and the owner's on_head have passed it; a refused one is answered
 * without its body having been read, and its connection closes. A sender that on_head trusts may
 * send on for body_ms, into nothing, since a client that sends first would not see the reply; a
 * stranger for two seconds, and no more than stranger_bytes.
 * Deadlines are absolute, one for each phase of a connection, however often bytes arrive. Every
 * limit, refusal and drop has a counter. The process ignores SIGPIPE.
 *
 * Requests are valid from on_request until server_reply (or the end of a stream) is called,
 * exactly once, also when the client has gone meanwhile: the reply is then dropped.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "http/head.h"

struct event_base;
struct evbuffer;
struct ssl_ctx_st;
struct server;
struct server_request;

/* What the server says with a refusal of its own, JSON; borrowed until the next call. */
typedef struct slice server_refusal(int status, void *ctx);

struct server_limits {
    uint64_t max_body;       /* one request's; larger ones get 413 before they are read */
    uint64_t body_budget;    /* all requests' bodies together, and large replies; beyond it 503 */
    uint64_t stranger_bytes; /* thrown away behind a last reply; 0: closed on at once */
    int connections;         /* beyond it the oldest stranger is evicted, or the longest idle */
    int handshakes;          /* TLS handshakes under way; beyond it the oldest is evicted */
    int per_source;          /* connections of one IPv4 address or IPv6 /64; 0: no limit */
    int source_rate; /* new connections a second of one source, burst 4 times that; 0: none */
    int keepalive_requests; /* requests on one connection; 1: always close */
    int64_t handshake_ms, header_ms, body_ms, reply_ms;
    const char *allow;       /* Allow of a refusal with 405; NULL: "POST" */
    server_refusal *refusal; /* NULL: refusals say nothing */
};

/* What on_head says: 0 admits; an HTTP status refuses. *trusted, false before, becomes true when
 * the head shows a key or token that is good, whatever is said of the rest. */
typedef int server_on_head(const struct head *head, bool *trusted, void *ctx);
typedef void server_on_request(struct server_request *req, void *ctx);

struct server_listener {
    int fd;                 /* bound and listening, non-blocking; stays the caller's */
    struct ssl_ctx_st *tls; /* NULL: plain HTTP; referenced, not owned */
};

/* Owned by the caller, released with server_free. The listeners' order gives their index. */
struct server *server_new(struct event_base *base, const struct server_limits *limits,
                          const struct server_listener *listeners, size_t n_listeners,
                          server_on_head *on_head, server_on_request *on_request, void *ctx);
/* No more accepts; idle connections close, busy ones after their reply. on_idle runs once, from
 * the loop, when none is left. */
void server_drain(struct server *s, void (*on_idle)(void *ctx), void *ctx);
/* Requests that are still with their owner are gone, too. */
void server_free(struct server *s);
/* What counts in body_budget now. */
uint64_t server_held_bytes(const struct server *s);
/* Accepting off and on again (store full); connections wait in the backlog. */
void server_pause(struct server *s, bool paused);

/* -- one request -- */

const struct head *server_request_head(const struct server_request *req);
/* The whole body, contiguous; valid until the reply. */
struct slice server_request_body(struct server_request *req);
/* The owner has a copy of the body, or needs it no more: its memory is given back. It counts in
 * body_budget until the reply all the same. */
void server_request_drop_body(struct server_request *req);
/* The same, and the body is the owner's from now on, who frees it. */
struct buf server_request_take_body(struct server_request *req);
/* "192.0.2.7" or "2001:db8::1". */
const char *server_request_peer(const struct server_request *req);
size_t server_request_listener(const struct server_request *req);
/* The source delivered something valid: exempt from per_source and source_rate for an hour. */
void server_request_vouch(struct server_request *req);
void server_request_set_user(struct server_request *req, void *user);
void *server_request_user(const struct server_request *req);

struct server_header {
    const char *name, *value;
};

/* Whole reply in one write; headers end with a NULL name or are NULL; body may be NULL. Any
 * status of 400 and more closes the connection. */
void server_reply(struct server_request *req, int status, const struct server_header *headers,
                  const void *body, size_t n);
/*
 * A reply in pieces (the simulator). With a Content-Length among the headers the body is sent
 * as it is, without one it is chunked. server_stream_abort ends the connection in the middle.
 */
void server_stream_begin(struct server_request *req, int status,
                         const struct server_header *headers);
void server_stream_write(struct server_request *req, const void *p, size_t n);
void server_stream_end(struct server_request *req);
void server_stream_abort(struct server_request *req);
/* Bytes of a stream that the network has not taken yet: write more when they are few. */
size_t server_stream_backlog(const struct server_request *req);
bool server_request_gone(const struct server_request *req);

/* -- counters: names and values for status, in a fixed order -- */
size_t server_counter_count(void);
const char *server_counter_name(size_t i);
uint64_t server_counter_value(const struct server *s, size_t i);

#endif
