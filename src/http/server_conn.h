/*
 * Inside the server: a connection, and what the server's files share.
 *
 * evhttp keeps the connection: it accepts, writes, and frees. It never parses a byte that a
 * stranger wrote. The guard takes those out of the input buffer as they arrive; when a request is
 * whole, or refused, a ticket is put in their place: a request line of our own, which makes
 * evhttp hand the connection to us.
 *
 *      socket --> input buffer --> guard --> head and body, kept by the connection
 *                      ^             |
 *                      +-- ticket ---+
 *                      v
 *                   evhttp --> on_ticket --> the owner's on_request, or the refusal
 *
 * A connection serves one request at a time, so both are one object. It ends when evhttp has let
 * go of it and the owner has replied, in either order.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HTTP_SERVER_CONN_H
#define HTTP_SERVER_CONN_H

#include "http/guard.h"
#include "http/server.h"
#include "http/source.h"

#include <event2/bufferevent.h>
#include <netinet/in.h>
#include <sys/queue.h>

struct evbuffer_cb_info;
struct event;
struct evhttp;
struct evhttp_request;
struct evconnlistener;
struct ssl_st;
struct ssl_ctx_st;

#define SERVER_ACCEPTS_PER_TURN 64

enum counter {
    COUNT_NONE, /* nothing counts here */
    COUNT_ACCEPTED,
    COUNT_OPEN, /* now, not a sum */
    COUNT_HANDSHAKES,
    COUNT_REQUESTS,
    COUNT_REPLIES_2XX,
    COUNT_REPLIES_3XX,
    COUNT_REPLIES_4XX,
    COUNT_REPLIES_5XX,
    COUNT_REPLIES_LATE, /* the client had gone */
    COUNT_REFUSED_MALFORMED,
    COUNT_REFUSED_HEAD_SIZE,
    COUNT_REFUSED_BODY_SIZE,
    COUNT_REFUSED_BY_OWNER,
    COUNT_REFUSED_BUDGET,
    COUNT_REFUSED_RATE,
    COUNT_DROPPED_CROWD,
    COUNT_DROPPED_RATE,
    COUNT_DROPPED_FULL,
    COUNT_DROPPED_FLOOD,
    COUNT_DROPPED_DRAIN,
    COUNT_EVICTED_CONNECTIONS,
    COUNT_EVICTED_HANDSHAKES,
    COUNT_TIMEOUT_HANDSHAKE,
    COUNT_TIMEOUT_HEADER,
    COUNT_TIMEOUT_IDLE,
    COUNT_TIMEOUT_BODY,
    COUNT_TIMEOUT_REPLY,
    COUNT_TIMEOUT_LINGER,
    COUNT_ABORTED,
    COUNT_ACCEPT_ERRORS,
    COUNT_ACCEPT_PACED,
    COUNTER_COUNT
};

/*
 * Every connection is in the list of its phase. A phase has one length, so its list is ordered by
 * deadline, and looking at the heads of the lists is all that enforcing them takes.
 */
enum conn_phase {
    CONN_ARRIVING,  /* accepted in this turn of the loop */
    CONN_HANDSHAKE, /* TLS */
    CONN_NEW,       /* reading a head; nothing was ever admitted */
    CONN_IDLE,      /* reading a head, or waiting for one, after an admitted request */
    CONN_BODY,
    CONN_PENDING, /* request or refusal on its way through evhttp, or with the owner */
    CONN_REPLY,
    CONN_LINGER,  /* refused and told so; what still comes is thrown away */
    CONN_PARTING, /* the same, for a stranger or behind a last reply: not for long */
    CONN_DYING,   /* evhttp has been told to close */
    CONN_ENDED,   /* evhttp has let go; the owner has not replied yet */
    CONN_PHASES
};

TAILQ_HEAD(conn_list, server_request);

/* What evhttp hears of the connection, while others hear it in its place. */
struct evhttp_calls {
    bufferevent_data_cb on_write;
    bufferevent_event_cb on_event;
    void *arg;
};

struct server_request {
    TAILQ_ENTRY(server_request) link;
    struct server *server;
    struct listener *listener;
    enum conn_phase phase;
    int64_t deadline_ms;
    uint64_t number;         /* in order of accept */
    struct bufferevent *bev; /* NULL when evhttp has let go */
    struct evhttp_calls evhttp;
    struct ssl_st *ssl;            /* bev's; NULL: plain */
    struct evhttp_request *ticket; /* evhttp's request, from on_ticket to the end of the reply */
    struct source_ticket source;
    char peer[INET6_ADDRSTRLEN];
    struct guard guard;
    enum counter refusal;
    uint64_t charged; /* of the body budget */
    uint64_t thrown;  /* bytes behind the last reply */
    int served;       /* requests so far */
    int fd;
    bool inserting; /* the bytes that arrive are our own */
    bool headed;    /* the request's head is whole and strict */
    bool trusted;   /* the request came with a key or token that is good */
    bool expecting; /* the client waits for 100 Continue */
    bool granted;   /* it got it; evhttp waits for the ticket's second half */
    bool closing;   /* after this reply */
    bool lingers;   /* before it closes */
    bool owned;     /* the owner has it and will reply */
    void *user;
};

struct listener {
    struct server *server;
    size_t index;
    struct ssl_ctx_st *tls;
    struct evhttp *http;
    struct evconnlistener *events;
};

struct server {
    struct event_base *base;
    struct server_limits limits;
    server_on_head *on_head;
    server_on_request *on_request;
    void *ctx;
    struct listener *listeners;
    size_t n_listeners;
    struct server_request **by_fd;
    size_t n_by_fd;
    struct source_table *sources;
    struct conn_list phases[CONN_PHASES];
    int in_phase[CONN_PHASES];
    uint64_t numbers;
    uint64_t body_bytes;
    struct event *arrivals;     /* runs at the end of a turn in which somebody connected */
    struct event *expectations; /* runs when somebody waits for 100 Continue */
    struct event *sweep;        /* at the earliest deadline */
    int64_t sweep_at_ms;
    struct event *rest; /* ends the pause after an accept error */
    int accepts;        /* in this turn */
    bool accepting, paused, resting, draining;
    void (*on_idle)(void *ctx);
    void *idle_ctx;
    struct event *idle;
    struct buf scratch; /* of a reply */
    char date[30];
    int64_t date_s;
    uint64_t counters[COUNTER_COUNT];
};

/* -- server_conn.c -- */

/* evhttp's bevcb: the buffers and the connection for a socket about to be handed over. */
struct bufferevent *conn_new(struct event_base *base, void *listener);
/* Meets those that have been handed over: peer, limits. */
void conn_arrivals(struct server *s);
void conn_enter(struct server_request *conn, enum conn_phase phase);
/* The connection closes from the loop; its request, if any, stays with its owner. */
void conn_kill(struct server_request *conn, enum counter why);
/* Without descriptors: the oldest that have shown no admitted request go, some at a time. */
void conn_make_room(struct server *s);
/* When nobody holds it any more. */
void conn_free(struct server_request *conn);
struct server_request *conn_of(const struct server *s, struct evhttp_request *ticket);
void conn_sweep(struct server *s);
/* No connection waits for a request any longer, or hardly. */
void conn_drain_all(struct server *s);

/* Tells the client that this is the end, not a cut. What comes of it does not matter. */
void conn_end_tls(struct ssl_st *ssl);

/* -- server_feed.c -- */

/* An evbuffer_cb of the input, for a connection: sees what a stranger sent before evhttp does. */
void conn_on_input(struct evbuffer *in, const struct evbuffer_cb_info *info, void *conn);
/* Lets those go on that wait for 100 Continue. */
void conn_grant_expectations(struct server *s);
/* The guard reads on only to give this reply; the reason, for the log, is static text. */
void conn_refuse(struct server_request *conn, int status, enum counter why, const char *reason);
/* The reply is out: the next request, which may be there already. */
void conn_next(struct server_request *conn);
/* What the body took of the budget is free again. */
void conn_release_body(struct server_request *conn);

/* -- server_linger.c -- */

/* While the request is being answered. */
void conn_read_on(struct server_request *conn);
/* Whether more of the refused request is to come behind the n bytes that have not been looked at,
 * and it is worth while to read them. */
bool conn_must_linger(const struct server_request *conn, size_t n);
/* Whether there is something behind the request. */
bool conn_has_unread(const struct server_request *conn);
/* What has come in when nothing more is wanted. */
void conn_throw_away(struct server_request *conn, struct evbuffer *in, size_t n_added);
/* The last reply is in the output buffer: sees it off, and to the end of the connection. */
void conn_linger(struct server_request *conn);

/* -- server_listen.c -- */

int listeners_open(struct server *s, const struct server_listener *from, size_t n);
void listeners_close(struct server *s);
/* Accepts or stops accepting, as the state of the server says. */
void listeners_update(struct server *s);

/* -- server.c -- */

void server_on_ticket(struct evhttp_request *ticket, void *listener);
void server_check_idle(struct server *s);

#endif
