/*
 * The life of a connection: arrival, phases and their deadlines, and its end.
 *
 * SPDX-License-Identifier: MIT
 */
#include "http/server_conn.h"

#include "base/clock.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

/* How long a connection without a request may hold up a drain: before its first, after its last. */
#define DRAIN_GRACE_MS 1000
/* One part in so many goes when descriptors run out: a newcomer outlives some rounds of it. */
#define EVICTED_PART 4
/* For whom nothing more is done here. */
#define PARTING_MS 2000

/* -- phases and deadlines -- */

/* Once the server drains, who has no request is not waited for long. */
static int64_t grace_ms(const struct server *s, int64_t ms)
{
    return s->draining && ms > DRAIN_GRACE_MS ? DRAIN_GRACE_MS : ms;
}

static int64_t phase_length_ms(const struct server *s, enum conn_phase phase)
{
    const struct server_limits *l = &s->limits;

    switch (phase) {
    case CONN_HANDSHAKE:
        return l->handshake_ms;
    case CONN_NEW:
        return grace_ms(s, l->header_ms);
    case CONN_IDLE:
        return l->header_ms;
    case CONN_BODY:
        return l->body_ms;
    case CONN_REPLY:
        return l->reply_ms;
    case CONN_LINGER:
        return grace_ms(s, l->body_ms);
    case CONN_PARTING:
        return grace_ms(s, PARTING_MS);
    default:
        return 0; /* no deadline of its own */
    }
}

static const enum counter timeouts[CONN_PHASES] = {
    [CONN_HANDSHAKE] = COUNT_TIMEOUT_HANDSHAKE, [CONN_NEW] = COUNT_TIMEOUT_HEADER,
    [CONN_IDLE] = COUNT_TIMEOUT_IDLE,           [CONN_BODY] = COUNT_TIMEOUT_BODY,
    [CONN_REPLY] = COUNT_TIMEOUT_REPLY,         [CONN_LINGER] = COUNT_TIMEOUT_LINGER,
    [CONN_PARTING] = COUNT_TIMEOUT_LINGER,
};

static void arm_sweep(struct server *s, int64_t at_ms, int64_t now_ms)
{
    int64_t wait_ms = at_ms > now_ms ? at_ms - now_ms : 0;
    struct timeval tv = {.tv_sec = wait_ms / 1000, .tv_usec = (wait_ms % 1000) * 1000};

    if (s->sweep_at_ms != 0 && s->sweep_at_ms <= at_ms)
        return;
    s->sweep_at_ms = at_ms;
    event_add(s->sweep, &tv);
}

void conn_enter(struct server_request *conn, enum conn_phase phase)
{
    struct server *s = conn->server;
    int64_t length_ms = phase_length_ms(s, phase);

    TAILQ_REMOVE(&s->phases[conn->phase], conn, link);
    s->in_phase[conn->phase]--;
    conn->phase = phase;
    TAILQ_INSERT_TAIL(&s->phases[phase], conn, link);
    s->in_phase[phase]++;
    if (length_ms > 0) {
        int64_t now_ms = clock_mono_ms();

        conn->deadline_ms = now_ms + length_ms;
        arm_sweep(s, conn->deadline_ms, now_ms);
    }
}

void conn_kill(struct server_request *conn, enum counter why)
{
    if (conn->phase == CONN_DYING || conn->phase == CONN_ENDED)
        return;
    conn->server->counters[why]++;
    conn_enter(conn, CONN_DYING);
    /* What evhttp does on a time-out is to free everything: the one safe way from outside. */
    bufferevent_trigger_event(conn->bev, BEV_EVENT_TIMEOUT | BEV_EVENT_READING,
                              BEV_TRIG_DEFER_CALLBACKS);
}

void conn_sweep(struct server *s)
{
    int64_t now_ms = clock_mono_ms();
    int64_t next_ms = INT64_MAX;

    s->sweep_at_ms = 0;
    for (enum conn_phase phase = 0; phase < CONN_PHASES; phase++) {
        struct server_request *conn;

        if (phase_length_ms(s, phase) <= 0)
            continue;
        while ((conn = TAILQ_FIRST(&s->phases[phase])) != NULL && conn->deadline_ms <= now_ms)
            conn_kill(conn, timeouts[phase]);
        if (conn != NULL && conn->deadline_ms < next_ms)
            next_ms = conn->deadline_ms;
    }
    if (next_ms != INT64_MAX)
        arm_sweep(s, next_ms, now_ms);
}

/* -- arrival -- */

static void on_handshake(const SSL *ssl, int where, int ret)
{
    struct server_request *conn = SSL_get_app_data(ssl);

    (void)ret;
    if ((where & SSL_CB_HANDSHAKE_DONE) == 0 || conn == NULL || conn->phase != CONN_HANDSHAKE)
        return;
    conn->server->counters[COUNT_HANDSHAKES]++;
    conn_enter(conn, CONN_NEW);
}

static struct bufferevent *new_bufferevent(struct event_base *base, struct server_request *conn,
                                           SSL_CTX *tls)
{
    if (tls == NULL)
        return bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    conn->ssl = SSL_new(tls);
    if (conn->ssl == NULL)
        return NULL;
    SSL_set_app_data(conn->ssl, conn);
    SSL_set_info_callback(conn->ssl, on_handshake);
    return bufferevent_openssl_socket_new(base, -1, conn->ssl, BUFFEREVENT_SSL_ACCEPTING,
                                          BEV_OPT_CLOSE_ON_FREE);
}

struct bufferevent *conn_new(struct event_base *base, void *arg)
{
    struct listener *l = arg;
    struct server *s = l->server;
    struct server_request *conn = mem_calloc(1, sizeof(*conn));

    conn->server = s;
    conn->listener = l;
    conn->fd = -1;
    conn->number = s->numbers++;
    guard_init(&conn->guard, s->limits.max_body);
    conn->bev = new_bufferevent(base, conn, l->tls);
    /* To return NULL would make evhttp speak plain text on a TLS port. */
    if (conn->bev == NULL ||
        evbuffer_add_cb(bufferevent_get_input(conn->bev), conn_on_input, conn) == NULL)
        abort();
    bufferevent_incref(conn->bev);
    conn->phase = CONN_ARRIVING;
    TAILQ_INSERT_TAIL(&s->phases[CONN_ARRIVING], conn, link);
    s->in_phase[CONN_ARRIVING]++;
    s->counters[COUNT_ACCEPTED]++;
    s->counters[COUNT_OPEN]++;
    event_active(s->arrivals, EV_TIMEOUT, 0);
    if (++s->accepts == SERVER_ACCEPTS_PER_TURN) {
        s->counters[COUNT_ACCEPT_PACED]++;
        listeners_update(s);
    }
    return conn->bev;
}

void conn_free(struct server_request *conn)
{
    struct server *s = conn->server;

    conn_release_body(conn);
    TAILQ_REMOVE(&s->phases[conn->phase], conn, link);
    s->in_phase[conn->phase]--;
    guard_clear(&conn->guard);
    free(conn);
    server_check_idle(s);
}

void conn_end_tls(SSL *ssl)
{
    SSL_set_app_data(ssl, NULL);
    if (SSL_is_init_finished(ssl))
        SSL_shutdown(ssl);
    ERR_clear_error();
}

/* evhttp will not touch the connection again. */
static void let_go(struct server_request *conn)
{
    struct server *s = conn->server;

    if (conn->fd >= 0)
        s->by_fd[conn->fd] = NULL;
    source_leave(s->sources, &conn->source);
    if (conn->ssl != NULL)
        conn_end_tls(conn->ssl);
    conn->ssl = NULL;
    s->counters[COUNT_OPEN]--;
    evbuffer_remove_cb(bufferevent_get_input(conn->bev), conn_on_input, conn);
    bufferevent_decref(conn->bev);
    conn->bev = NULL;
    conn_enter(conn, CONN_ENDED);
    if (!conn->owned)
        conn_free(conn);
}

/*
 * A request that evhttp has cut off from its connection is ours to free, now or when the owner
 * replies; any other one is freed by evhttp together with the connection.
 */
static void on_close(struct evhttp_connection *evcon, void *arg)
{
    struct server_request *conn = arg;

    (void)evcon;
    if (conn->ticket != NULL && evhttp_request_get_connection(conn->ticket) != NULL)
        conn->ticket = NULL;
    if (conn->ticket != NULL && !conn->owned) {
        evhttp_send_reply_end(conn->ticket);
        conn->ticket = NULL;
    }
    let_go(conn);
}

static void remember_fd(struct server *s, struct server_request *conn)
{
    size_t fd;

    conn->fd = bufferevent_getfd(conn->bev);
    fd = (size_t)conn->fd;
    if (fd >= s->n_by_fd) {
        size_t more = fd + 64;

        s->by_fd = mem_realloc(s->by_fd, more, sizeof(struct server_request *));
        memset(s->by_fd + s->n_by_fd, 0, (more - s->n_by_fd) * sizeof(struct server_request *));
        s->n_by_fd = more;
    }
    s->by_fd[fd] = conn;
}

struct server_request *conn_of(const struct server *s, struct evhttp_request *ticket)
{
    struct evhttp_connection *evcon = evhttp_request_get_connection(ticket);
    struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);
    size_t fd = (size_t)bufferevent_getfd(bev);

    if (fd >= s->n_by_fd || s->by_fd[fd] == NULL || s->by_fd[fd]->bev != bev)
        abort();
    return s->by_fd[fd];
}

static void write_peer(const struct sockaddr *sa, const struct source_key *key, char *out)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (memcmp(key->bytes, mapped, 12) == 0)
        inet_ntop(AF_INET, key->bytes + 12, out, INET6_ADDRSTRLEN);
    else
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, out,
                  INET6_ADDRSTRLEN);
}

static int in_use(const struct server *s)
{
    int n = 0;

    for (enum conn_phase phase = CONN_HANDSHAKE; phase <= CONN_PARTING; phase++)
        n += s->in_phase[phase];
    return n;
}

/* Who has waited longest without an admitted request; NULL when there is none. */
static struct server_request *oldest_stranger(const struct server *s)
{
    struct server_request *a = TAILQ_FIRST(&s->phases[CONN_HANDSHAKE]);
    struct server_request *b = TAILQ_FIRST(&s->phases[CONN_NEW]);

    return a == NULL || (b != NULL && b->number < a->number) ? b : a;
}

/* Who has waited longest between two requests: costs its peer a connection, never an answer. */
static struct server_request *longest_idle(const struct server *s)
{
    struct server_request *conn;

    TAILQ_FOREACH(conn, &s->phases[CONN_IDLE], link)
    if (!guard_started(&conn->guard))
        return conn;
    return NULL;
}

/*
 * Who has got its last answer goes first. Then strangers do, so that a flood of them closes
 * nobody's kept connection; but those that are only kept have no claim to more than half of the
 * places, nor to the last one.
 */
static struct server_request *whom_to_evict(const struct server *s,
                                            const struct server_request *newest)
{
    struct server_request *parting = TAILQ_FIRST(&s->phases[CONN_PARTING]);
    struct server_request *stranger = oldest_stranger(s);
    bool spare = stranger == newest || s->in_phase[CONN_IDLE] > s->limits.connections / 2;
    struct server_request *idle = spare ? longest_idle(s) : NULL;

    if (parting != NULL)
        return parting;
    return idle != NULL ? idle : stranger;
}

static void evict(struct server_request *newest)
{
    struct server_request *conn = whom_to_evict(newest->server, newest);

    conn_kill(conn, conn == newest ? COUNT_DROPPED_FULL : COUNT_EVICTED_CONNECTIONS);
}

void conn_make_room(struct server *s)
{
    int most = in_use(s) / EVICTED_PART;
    struct server_request *conn;

    if (most > SERVER_ACCEPTS_PER_TURN)
        most = SERVER_ACCEPTS_PER_TURN;
    for (int i = 0; i <= most && (conn = whom_to_evict(s, NULL)) != NULL; i++)
        conn_kill(conn, COUNT_EVICTED_CONNECTIONS);
}

static void apply_limits(struct server_request *conn, enum source_verdict verdict)
{
    struct server *s = conn->server;

    if (verdict == SOURCE_CROWD) {
        conn_kill(conn, COUNT_DROPPED_CROWD);
        return;
    }
    if (verdict == SOURCE_FLOODING) {
        conn_kill(conn, COUNT_DROPPED_RATE);
        return;
    }
    if (verdict == SOURCE_FAST)
        conn_refuse(conn, 429, COUNT_REFUSED_RATE, "source over its rate");
    if (in_use(s) > s->limits.connections)
        evict(conn);
    if (s->in_phase[CONN_HANDSHAKE] > s->limits.handshakes)
        conn_kill(TAILQ_FIRST(&s->phases[CONN_HANDSHAKE]), COUNT_EVICTED_HANDSHAKES);
}

/* evhttp passes itself to the buffers' callbacks: how we learn which object it made. */
static struct evhttp_connection *evhttp_side(struct server_request *conn)
{
    void *arg = NULL;

    bufferevent_getcb(conn->bev, NULL, NULL, NULL, &arg);
    if (arg != NULL && evhttp_connection_get_bufferevent(arg) != conn->bev)
        abort();
    return arg;
}

static void arrive(struct server_request *conn)
{
    struct server *s = conn->server;
    struct evhttp_connection *evcon = evhttp_side(conn);
    const struct sockaddr *sa;
    struct source_key key;
    enum source_verdict verdict;

    if (evcon == NULL) { /* it failed at the very start, and has freed what it had */
        let_go(conn);
        return;
    }
    evhttp_connection_set_closecb(evcon, on_close, conn);
    remember_fd(s, conn);
    conn_enter(conn, conn->ssl != NULL ? CONN_HANDSHAKE : CONN_NEW);
    sa = evhttp_connection_get_addr(evcon);
    if (!source_key(sa, &key)) {
        conn_kill(conn, COUNT_DROPPED_CROWD);
        return;
    }
    write_peer(sa, &key, conn->peer);
    verdict = source_enter(s->sources, &key, clock_mono_ms(), &conn->source);
    apply_limits(conn, verdict);
}

void conn_arrivals(struct server *s)
{
    struct server_request *conn;

    while ((conn = TAILQ_FIRST(&s->phases[CONN_ARRIVING])) != NULL)
        arrive(conn);
    s->accepts = 0;
    listeners_update(s);
}

void conn_drain_all(struct server *s)
{
    static const enum conn_phase hasty[] = {CONN_HANDSHAKE, CONN_NEW, CONN_LINGER, CONN_PARTING};
    int64_t at_ms = clock_mono_ms() + DRAIN_GRACE_MS;
    struct server_request *conn;
    struct server_request *next;

    for (conn = TAILQ_FIRST(&s->phases[CONN_IDLE]); conn != NULL; conn = next) {
        next = TAILQ_NEXT(conn, link);
        if (!guard_started(&conn->guard))
            conn_kill(conn, COUNT_DROPPED_DRAIN);
    }
    for (size_t i = 0; i < ARRAY_LEN(hasty); i++)
        TAILQ_FOREACH(conn, &s->phases[hasty[i]], link)
    if (conn->deadline_ms > at_ms)
        conn->deadline_ms = at_ms;
    arm_sweep(s, at_ms, at_ms - DRAIN_GRACE_MS);
}
