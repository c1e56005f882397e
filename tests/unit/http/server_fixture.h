/*
 * A server and its clients in one process and one loop. Nothing sleeps: until() turns the loop
 * until a condition holds, or fails the test after some seconds.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_SERVER_FIXTURE_H
#define TESTS_SERVER_FIXTURE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/net.h"
#include "http/server.h"
#include "http/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 10000

#define POST(fields, body) "POST /ok HTTP/1.1\r\nHost: h\r\n" fields "\r\n" body
#define FIVE               POST("Content-Length: 5\r\n", "hello")

struct fixture {
    struct event_base *base;
    struct event *tick; /* so that one turn of the loop never blocks long */
    struct server *server;
    int fd, port;
    struct ssl_ctx_st *tls;
    /* what the owner saw and does */
    int heads, requests, idle_calls;
    bool hold; /* keep the request in held instead of answering */
    bool vouch;
    bool take; /* the body before answering */
    struct server_request *held;
    char body[128], path[128], peer[64];
    int answer;             /* status; 0: 200 */
    const char *reply_body; /* NULL: ok */
    size_t reply_len;
};

struct client {
    struct fixture *f;
    int fd;
    SSL *ssl; /* NULL: plain */
    SSL_CTX *ctx;
    struct buf got;
    bool closed;   /* EOF or reset seen */
    bool notified; /* close_notify seen */
    int records;   /* of application data, received */
};

static inline void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

/* /no is 404 to a stranger, /put wants another method, everything else passes. */
static inline int fixture_on_head(const struct head *head, bool *trusted, void *ctx)
{
    struct fixture *f = ctx;

    f->heads++;
    if (slice_is(head->path, "/no"))
        return 404;
    *trusted = true;
    return slice_is(head->path, "/put") ? 405 : 0;
}

static inline void fixture_reply(struct fixture *f, struct server_request *req)
{
    static const struct server_header headers[] = {{"Content-Type", "text/plain"}, {NULL, NULL}};
    const char *text = f->reply_body != NULL ? f->reply_body : "ok";

    if (f->vouch)
        server_request_vouch(req);
    server_reply(req, f->answer != 0 ? f->answer : 200, headers, text,
                 f->reply_body != NULL ? f->reply_len : 2);
}

static inline void fixture_on_request(struct server_request *req, void *ctx)
{
    struct fixture *f = ctx;
    const struct head *head = server_request_head(req);
    struct slice body = server_request_body(req);

    f->requests++;
    snprintf(f->body, sizeof(f->body), "%.*s", (int)body.n, body.p);
    snprintf(f->path, sizeof(f->path), "%.*s", (int)head->path.n, head->path.p);
    snprintf(f->peer, sizeof(f->peer), "%s", server_request_peer(req));
    if (f->take) {
        struct buf taken = server_request_take_body(req);

        buf_free(&taken);
    }
    if (f->hold)
        f->held = req;
    else
        fixture_reply(f, req);
}

static inline struct server_limits generous(void)
{
    return (struct server_limits){.max_body = 1 << 20,
                                  .body_budget = 4 << 20,
                                  .connections = 100,
                                  .handshakes = 100,
                                  .keepalive_requests = 100,
                                  .handshake_ms = PATIENCE_MS,
                                  .header_ms = PATIENCE_MS,
                                  .body_ms = PATIENCE_MS,
                                  .reply_ms = PATIENCE_MS};
}

static inline struct fixture *fixture_new(const struct server_limits *limits, bool tls)
{
    struct fixture *f = mem_calloc(1, sizeof(*f));
    struct timeval tv = {.tv_usec = 1000};
    struct server_listener listener;
    struct err err;
    autofree char *chain = NULL;
    autofree char *key = NULL;

    signal(SIGPIPE, SIG_IGN);
    log_open("test", false, LOG_LEVEL_ERROR);
    f->base = event_base_new();
    f->tick = event_new(f->base, -1, EV_PERSIST, on_tick, NULL);
    event_add(f->tick, &tv);
    f->fd = net_listen_tcp("127.0.0.1", 0, &err);
    assert_true(f->fd >= 0);
    f->port = net_port(f->fd);
    if (tls) {
        assert_int_equal(tls_self_signed("localhost", 1, &chain, &key, &err), 0);
        f->tls = tls_server_new(chain, key, false, &err);
        assert_non_null(f->tls);
    }
    listener = (struct server_listener){.fd = f->fd, .tls = f->tls};
    f->server = server_new(f->base, limits, &listener, 1, fixture_on_head, fixture_on_request, f);
    assert_non_null(f->server);
    return f;
}

static inline void fixture_free(struct fixture *f)
{
    server_free(f->server);
    tls_server_free(f->tls);
    close(f->fd);
    event_free(f->tick);
    event_base_free(f->base);
    free(f);
}

static inline uint64_t counter(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < server_counter_count(); i++)
        if (strcmp(server_counter_name(i), name) == 0)
            return server_counter_value(f->server, i);
    fail_msg("no counter %s", name);
    return 0;
}

static inline void turn(struct fixture *f)
{
    event_base_loop(f->base, EVLOOP_ONCE);
}

/* -- clients -- */

static inline void on_record(int write_p, int version, int type, const void *p, size_t n, SSL *ssl,
                             void *arg)
{
    struct client *c = arg;

    (void)version;
    (void)ssl;
    if (!write_p && type == SSL3_RT_HEADER && n == 5 && ((const unsigned char *)p)[0] == 23)
        c->records++;
}

static inline struct client *client_open(struct fixture *f)
{
    struct client *c = mem_calloc(1, sizeof(*c));
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)f->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    c->f = f;
    c->got = BUF_INIT(64 << 20);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(c->fd >= 0);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    fs_set_nonblock(c->fd);
    return c;
}

static inline bool client_handshake_step(struct client *c)
{
    turn(c->f);
    return SSL_do_handshake(c->ssl) == 1;
}

/* TLS 1.2, where the type of a record can be seen from outside. */
static inline void client_start_tls(struct client *c)
{
    c->ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(c->ctx, TLS1_2_VERSION);
    c->ssl = SSL_new(c->ctx);
    SSL_set_fd(c->ssl, c->fd);
    SSL_set_connect_state(c->ssl);
    SSL_set_msg_callback(c->ssl, on_record);
    SSL_set_msg_callback_arg(c->ssl, c);
}

static inline void client_free(struct client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    if (c->fd >= 0)
        close(c->fd);
    buf_free(&c->got);
    free(c);
}

static inline void client_send(struct client *c, const char *text, size_t n)
{
    int64_t end_ms = clock_mono_ms() + PATIENCE_MS;

    while (n != 0 && clock_mono_ms() < end_ms) {
        ssize_t put =
            c->ssl != NULL ? SSL_write(c->ssl, text, (int)n) : send(c->fd, text, n, MSG_NOSIGNAL);

        if (put > 0) {
            text += put;
            n -= (size_t)put;
        } else if (put < 0 && c->ssl == NULL && errno != EAGAIN) {
            return; /* the server has closed already */
        } else {
            turn(c->f);
        }
    }
    assert_int_equal(n, 0);
}

static inline void client_say(struct client *c, const char *text)
{
    client_send(c, text, strlen(text));
}

/* Takes in what has arrived. */
static inline void client_read(struct client *c)
{
    char piece[65536];
    ssize_t n;

    while (!c->closed) {
        if (c->ssl != NULL) {
            ERR_clear_error();
            n = SSL_read(c->ssl, piece, sizeof(piece));
            if (n <= 0) {
                int error = SSL_get_error(c->ssl, (int)n);

                c->notified = error == SSL_ERROR_ZERO_RETURN;
                c->closed = error != SSL_ERROR_WANT_READ;
                return;
            }
        } else {
            n = recv(c->fd, piece, sizeof(piece), 0);
            if (n < 0 && errno == EAGAIN)
                return;
            if (n <= 0) {
                c->closed = true;
                return;
            }
        }
        buf_add(&c->got, piece, (size_t)n);
    }
}

static inline bool client_has(struct client *c, const char *text)
{
    client_read(c);
    return memmem(buf_text(&c->got), c->got.len, text, strlen(text)) != NULL;
}

static inline bool client_closed(struct client *c)
{
    client_read(c);
    return c->closed;
}

/* How often a text stands in what was received. */
static inline int client_count(struct client *c, const char *text)
{
    int n = 0;

    client_read(c);
    for (const char *at = buf_text(&c->got); (at = strstr(at, text)) != NULL; at++)
        n++;
    return n;
}

#define until(fixture, condition)                                                                  \
    do {                                                                                           \
        int64_t end_ms_ = clock_mono_ms() + PATIENCE_MS;                                           \
        while (!(condition)) {                                                                     \
            if (clock_mono_ms() > end_ms_)                                                         \
                fail_msg("still not: %s", #condition);                                             \
            turn(fixture);                                                                         \
        }                                                                                          \
    } while (0)

/* Opens a client that has done its part of TLS, when the server has any. */
static inline struct client *client_ready(struct fixture *f)
{
    struct client *c = client_open(f);

    if (f->tls != NULL) {
        client_start_tls(c);
        until(f, client_handshake_step(c));
    }
    return c;
}

#endif
