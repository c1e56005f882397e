/*
 * The server as its owner sees it: requests, replies, counters.
 *
 * SPDX-License-Identifier: MIT
 */
#include "http/server.h"

#include "http/server_conn.h"

#include "base/clock.h"
#include "base/log.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* A reply of this size leaves in one TLS record with its head. */
#define ONE_WRITE_MAX 15360

static const char *const counter_names[COUNTER_COUNT] = {
    [COUNT_ACCEPTED] = "accepted",
    [COUNT_OPEN] = "open",
    [COUNT_HANDSHAKES] = "handshakes",
    [COUNT_REQUESTS] = "requests",
    [COUNT_REPLIES_2XX] = "replies_2xx",
    [COUNT_REPLIES_3XX] = "replies_3xx",
    [COUNT_REPLIES_4XX] = "replies_4xx",
    [COUNT_REPLIES_5XX] = "replies_5xx",
    [COUNT_REPLIES_LATE] = "replies_late",
    [COUNT_REFUSED_MALFORMED] = "refused_malformed",
    [COUNT_REFUSED_HEAD_SIZE] = "refused_head_size",
    [COUNT_REFUSED_BODY_SIZE] = "refused_body_size",
    [COUNT_REFUSED_BY_OWNER] = "refused_request",
    [COUNT_REFUSED_BUDGET] = "refused_budget",
    [COUNT_REFUSED_RATE] = "refused_rate",
    [COUNT_DROPPED_CROWD] = "dropped_per_source",
    [COUNT_DROPPED_RATE] = "dropped_rate",
    [COUNT_DROPPED_FULL] = "dropped_full",
    [COUNT_DROPPED_FLOOD] = "dropped_flood",
    [COUNT_DROPPED_DRAIN] = "dropped_drain",
    [COUNT_EVICTED_CONNECTIONS] = "evicted_connections",
    [COUNT_EVICTED_HANDSHAKES] = "evicted_handshakes",
    [COUNT_TIMEOUT_HANDSHAKE] = "timeout_handshake",
    [COUNT_TIMEOUT_HEADER] = "timeout_header",
    [COUNT_TIMEOUT_IDLE] = "timeout_idle",
    [COUNT_TIMEOUT_BODY] = "timeout_body",
    [COUNT_TIMEOUT_REPLY] = "timeout_reply",
    [COUNT_TIMEOUT_LINGER] = "timeout_linger",
    [COUNT_ABORTED] = "aborted",
    [COUNT_ACCEPT_ERRORS] = "accept_errors",
    [COUNT_ACCEPT_PACED] = "accept_paced",
};

/* -- libevent's own words -- */

static void on_libevent_log(int severity, const char *text)
{
    if (severity >= EVENT_LOG_WARN)
        log_warn("libevent", LOG_S("text", text));
}

static void on_libevent_fatal(int code)
{
    log_error("libevent.fatal", LOG_I("code", code));
    abort();
}

/* -- events of the server -- */

static void on_arrivals(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    conn_arrivals(arg);
}

static void on_expectations(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    conn_grant_expectations(arg);
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    conn_sweep(arg);
}

static void on_idle(evutil_socket_t fd, short what, void *arg)
{
    struct server *s = arg;
    void (*call)(void *ctx) = s->on_idle;

    (void)fd;
    (void)what;
    s->on_idle = NULL;
    if (call != NULL)
        call(s->idle_ctx);
}

static struct event *new_event(struct server *s, event_callback_fn fn)
{
    struct event *ev = event_new(s->base, -1, 0, fn, s);

    if (ev == NULL)
        abort();
    return ev;
}

/* -- replies -- */

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } rows[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {302, "Found"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {410, "Gone"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].status == status)
            return rows[i].reason;
    return "Other";
}

static const char *date_now(struct server *s)
{
    int64_t now_ms = clock_wall_ms();

    if (now_ms / 1000 != s->date_s) {
        s->date_s = now_ms / 1000;
        clock_format_http(now_ms, s->date);
    }
    return s->date;
}

/* RFC 9110 6.4.1: these have no content, and 204 not even a length. */
static bool has_content(const struct server_request *req, int status)
{
    bool head = req->guard.phase == GUARD_AT_END && slice_is(req->guard.head.method, "HEAD");

    return status != 204 && status != 304 && !head;
}

static void write_line(struct buf *out, const char *name, const char *value)
{
    buf_adds(out, name);
    buf_adds(out, ": ");
    buf_adds(out, value);
    buf_adds(out, "\r\n");
}

static void write_head(struct server_request *req, int status, const struct server_header *headers,
                       size_t n, struct buf *out)
{
    buf_addf(out, "HTTP/1.1 %d %s\r\n", status, reason_of(status));
    write_line(out, "Date", date_now(req->server));
    for (; headers != NULL && headers->name != NULL; headers++)
        write_line(out, headers->name, headers->value);
    if (has_content(req, status) || (status != 204 && n != 0))
        buf_addf(out, "Content-Length: %zu\r\n", n);
    if (req->closing)
        write_line(out, "Connection", "close");
    buf_adds(out, "\r\n");
}

static void count_reply(struct server *s, int status)
{
    static const enum counter counters[] = {COUNT_REPLIES_2XX, COUNT_REPLIES_3XX, COUNT_REPLIES_4XX,
                                            COUNT_REPLIES_5XX};

    if (status >= 200 && status < 600)
        s->counters[counters[status / 100 - 2]]++;
}

/* Anything that leaves a doubt about where the next request begins, or who sends it, closes. */
static void decide_closing(struct server_request *req, int status)
{
    const struct server *s = req->server;
    const struct head *head = &req->guard.head;

    req->served++;
    req->closing = status >= 400 || req->guard.phase != GUARD_AT_END || s->draining ||
                   head->body == HEAD_BODY_CHUNKED || head->minor == 0 || !head->keep_alive ||
                   req->served >= s->limits.keepalive_requests;
    if (req->closing)
        evhttp_add_header(evhttp_request_get_output_headers(req->ticket), "Connection", "close");
}

/* The owner's part is over; false when there is nobody left to reply to. */
static bool take_back(struct server_request *req)
{
    req->owned = false;
    if (req->phase != CONN_ENDED && req->phase != CONN_DYING)
        return true;
    req->server->counters[COUNT_REPLIES_LATE]++;
    if (req->phase == CONN_DYING) /* its end will take care of the ticket */
        return false;
    if (req->ticket != NULL)
        evhttp_send_reply_end(req->ticket);
    req->ticket = NULL;
    conn_free(req);
    return false;
}

/*
 * Straight to the socket, where there is no TLS on the way: that spares the event loop the wait for
 * a socket that is ready anyway. How much went; an error comes again when evhttp sends the rest.
 */
static size_t send_now(const struct server_request *req, const struct buf *reply)
{
    ssize_t n = -1;

    if (req->ssl == NULL && evbuffer_get_length(bufferevent_get_output(req->bev)) == 0)
        n = send(req->fd, reply->data, reply->len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n > 0 ? (size_t)n : 0;
}

/* A large one is held until a slow client has taken it, so it counts as the body did. */
static void charge_reply(struct server_request *req, size_t n)
{
    req->charged = n;
    req->server->body_bytes += n;
}

/*
 * Past evhttp's own composing of replies: one buffer, one write, one record. What is left to it
 * is to see the rest of the bytes off and then to close, or to read on: at once when nothing is
 * left, and then both the ticket and, when it closes, req are gone.
 */
static void send_reply(struct server_request *req, int status, const struct server_header *headers,
                       const void *body, size_t n)
{
    struct server *s = req->server;
    struct evbuffer *out = bufferevent_get_output(req->bev);
    bool content = has_content(req, status);
    size_t sent;

    decide_closing(req, status);
    req->lingers = req->lingers || (req->closing && conn_has_unread(req));
    count_reply(s, status);
    buf_reset(&s->scratch);
    write_head(req, status, headers, n, &s->scratch);
    if (content && n <= ONE_WRITE_MAX)
        buf_add(&s->scratch, body, n);
    sent = send_now(req, &s->scratch);
    if (evbuffer_add(out, s->scratch.data + sent, s->scratch.len - sent) != 0 ||
        (content && n > ONE_WRITE_MAX && evbuffer_add(out, body, n) != 0))
        abort();
    conn_release_body(req);
    if (content && n > ONE_WRITE_MAX)
        charge_reply(req, n);
    conn_enter(req, CONN_REPLY);
    if (evbuffer_get_length(out) != 0)
        bufferevent_enable(req->bev, EV_WRITE);
    if (req->lingers)
        conn_linger(req);
    else
        evhttp_send_reply_end(req->ticket);
}

void server_reply(struct server_request *req, int status, const struct server_header *headers,
                  const void *body, size_t n)
{
    if (take_back(req))
        send_reply(req, status, headers, body, n);
}

static void send_refusal(struct server_request *req)
{
    const struct server_limits *limits = &req->server->limits;
    struct server_header headers[3] = {{NULL, NULL}};
    int status = req->guard.status;
    struct slice body = {NULL, 0};
    size_t n = 0;

    if (status == 405)
        headers[n++] = (struct server_header){"Allow", str_or(limits->allow, "POST")};
    else if (status == 429 || status == 503)
        headers[n++] = (struct server_header){"Retry-After", "5"};
    if (limits->refusal != NULL) {
        body = limits->refusal(status, req->server->ctx);
        headers[n++] = (struct server_header){"Content-Type", "application/json"};
    }
    send_reply(req, status, headers, body.p, body.n);
}

/* The reply is out: evhttp closes the connection next, or makes it ready for another request. */
static void on_sent(struct evhttp_request *ticket, void *arg)
{
    struct server_request *req = arg;

    (void)ticket;
    req->ticket = NULL;
    conn_release_body(req);
    if (!req->closing)
        conn_next(req);
}

void server_on_ticket(struct evhttp_request *ticket, void *arg)
{
    struct listener *l = arg;
    struct server *s = l->server;
    struct server_request *req = conn_of(s, ticket);

    req->ticket = ticket;
    evhttp_request_set_on_complete_cb(ticket, on_sent, req);
    if (req->phase != CONN_PENDING) /* dying: the ticket ends with the connection */
        return;
    if (req->guard.phase == GUARD_IN_REFUSAL) {
        send_refusal(req);
        return;
    }
    s->counters[COUNT_REQUESTS]++;
    req->owned = true;
    if (req->ssl == NULL)
        conn_read_on(req);
    s->on_request(req, s->ctx);
}

/* -- streams: evhttp's own path, which knows about chunks -- */

void server_stream_begin(struct server_request *req, int status,
                         const struct server_header *headers)
{
    if (server_request_gone(req))
        return;
    decide_closing(req, status);
    count_reply(req->server, status);
    for (; headers != NULL && headers->name != NULL; headers++)
        evhttp_add_header(evhttp_request_get_output_headers(req->ticket), headers->name,
                          headers->value);
    conn_enter(req, CONN_REPLY);
    evhttp_send_reply_start(req->ticket, status, reason_of(status));
}

void server_stream_write(struct server_request *req, const void *p, size_t n)
{
    struct evbuffer *piece;

    if (server_request_gone(req))
        return;
    piece = evbuffer_new();
    if (piece == NULL || evbuffer_add(piece, p, n) != 0)
        abort();
    conn_enter(req, CONN_REPLY); /* each piece has its own deadline */
    evhttp_send_reply_chunk(req->ticket, piece);
    evbuffer_free(piece);
}

void server_stream_end(struct server_request *req)
{
    if (!take_back(req))
        return;
    conn_release_body(req);
    evhttp_send_reply_end(req->ticket);
}

static void on_drained(struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg)
{
    (void)info;
    if (evbuffer_get_length(out) == 0)
        conn_kill(arg, COUNT_ABORTED);
}

void server_stream_abort(struct server_request *req)
{
    struct evbuffer *out;

    if (!take_back(req))
        return;
    out = bufferevent_get_output(req->bev);
    if (evbuffer_get_length(out) == 0)
        conn_kill(req, COUNT_ABORTED);
    else if (evbuffer_add_cb(out, on_drained, req) == NULL)
        abort();
}

size_t server_stream_backlog(const struct server_request *req)
{
    return server_request_gone(req) ? 0 : evbuffer_get_length(bufferevent_get_output(req->bev));
}

/* -- what a request is -- */

bool server_request_gone(const struct server_request *req)
{
    return req->phase == CONN_ENDED || req->phase == CONN_DYING;
}

const struct head *server_request_head(const struct server_request *req)
{
    return &req->guard.head;
}

struct slice server_request_body(struct server_request *req)
{
    return (struct slice){buf_text(&req->guard.body), req->guard.body.len};
}

void server_request_drop_body(struct server_request *req)
{
    buf_free(&req->guard.body);
}

struct buf server_request_take_body(struct server_request *req)
{
    struct buf body = req->guard.body;

    req->guard.body = BUF_INIT(body.max);
    return body;
}

const char *server_request_peer(const struct server_request *req)
{
    return req->peer;
}

size_t server_request_listener(const struct server_request *req)
{
    return req->listener->index;
}

void server_request_vouch(struct server_request *req)
{
    source_vouch(req->server->sources, &req->source, clock_mono_ms());
}

void server_request_set_user(struct server_request *req, void *user)
{
    req->user = user;
}

void *server_request_user(const struct server_request *req)
{
    return req->user;
}

/* -- the server -- */

struct server *server_new(struct event_base *base, const struct server_limits *limits,
                          const struct server_listener *listeners, size_t n_listeners,
                          server_on_head *on_head, server_on_request *on_request, void *ctx)
{
    struct server *s = mem_calloc(1, sizeof(*s));

    event_set_log_callback(on_libevent_log);
    event_set_fatal_callback(on_libevent_fatal);
    s->base = base;
    s->limits = *limits;
    s->on_head = on_head;
    s->on_request = on_request;
    s->ctx = ctx;
    s->date_s = -1;
    s->scratch = BUF_INIT(SIZE_MAX / 2);
    for (enum conn_phase phase = 0; phase < CONN_PHASES; phase++)
        TAILQ_INIT(&s->phases[phase]);
    s->sources = source_table_new(limits->per_source, limits->source_rate);
    s->arrivals = new_event(s, on_arrivals);
    s->expectations = new_event(s, on_expectations);
    s->sweep = new_event(s, on_sweep);
    s->idle = new_event(s, on_idle);
    if (listeners_open(s, listeners, n_listeners) != 0) {
        server_free(s);
        return NULL;
    }
    return s;
}

void server_check_idle(struct server *s)
{
    for (enum conn_phase phase = 0; phase < CONN_PHASES; phase++)
        if (s->in_phase[phase] != 0)
            return;
    if (s->draining)
        event_active(s->idle, EV_TIMEOUT, 0);
}

void server_drain(struct server *s, void (*call)(void *ctx), void *ctx)
{
    s->draining = true;
    s->on_idle = call;
    s->idle_ctx = ctx;
    listeners_update(s);
    conn_drain_all(s);
    server_check_idle(s);
}

uint64_t server_held_bytes(const struct server *s)
{
    return s->body_bytes;
}

void server_pause(struct server *s, bool paused)
{
    s->paused = paused;
    listeners_update(s);
}

void server_free(struct server *s)
{
    struct server_request *conn;

    if (s == NULL)
        return;
    s->draining = false;
    conn_arrivals(s);
    listeners_close(s);
    while ((conn = TAILQ_FIRST(&s->phases[CONN_ENDED])) != NULL)
        take_back(conn);
    event_free(s->arrivals);
    event_free(s->expectations);
    event_free(s->sweep);
    event_free(s->idle);
    source_table_free(s->sources);
    buf_free(&s->scratch);
    free(s->by_fd);
    free(s);
}

size_t server_counter_count(void)
{
    return COUNTER_COUNT - 1;
}

const char *server_counter_name(size_t i)
{
    return counter_names[i + 1];
}

uint64_t server_counter_value(const struct server *s, size_t i)
{
    return s->counters[i + 1];
}
