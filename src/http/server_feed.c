/*
 * The way of a connection's bytes: from the input buffer through the guard, and what evhttp is
 * given in their place.
 *
 * SPDX-License-Identifier: MIT
 */
#include "http/server_conn.h"

#include "base/log.h"

#include <event2/buffer.h>
#include <event2/event.h>

/* What may wait in the input until the request before it is over. */
#define INPUT_MAX 16384

/*
 * What evhttp is given instead of a request: what it must know to frame the reply, no more. For
 * a client that waits for 100 Continue the ticket is torn: the last byte follows with the body.
 */
static struct slice ticket_text(const struct server_request *conn)
{
    static const struct slice texts[2][2] = {
        {SLICE_LIT("POST / HTTP/1.0\r\n\r\n"), SLICE_LIT("POST / HTTP/1.1\r\n\r\n")},
        {SLICE_LIT("HEAD / HTTP/1.0\r\n\r\n"), SLICE_LIT("HEAD / HTTP/1.1\r\n\r\n")},
    };
    const struct guard *g = &conn->guard;

    if (g->phase == GUARD_IN_REFUSAL)
        return texts[0][1];
    return texts[slice_is(g->head.method, "HEAD")][g->head.minor];
}

static void insert(struct server_request *conn, struct slice text)
{
    conn->inserting = true;
    if (evbuffer_prepend(bufferevent_get_input(conn->bev), text.p, text.n) != 0)
        abort();
    conn->inserting = false;
}

static void insert_ticket(struct server_request *conn)
{
    conn_enter(conn, CONN_PENDING);
    insert(conn, conn->granted ? SLICE_LIT("x") : ticket_text(conn));
}

/*
 * Outside of any read, since more bytes may follow in the same one: those would make the
 * expectation moot, and must not end up behind the torn ticket.
 */
void conn_grant_expectations(struct server *s)
{
    struct server_request *conn;

    TAILQ_FOREACH(conn, &s->phases[CONN_BODY], link)
    {
        if (!conn->expecting)
            continue;
        conn->expecting = false;
        if (conn->guard.body.len != 0 || conn->guard.chunk.framing != 0)
            continue;
        conn->granted = true;
        insert(conn,
               SLICE_LIT("POST / HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"));
        bufferevent_trigger(conn->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS);
    }
}

static bool charge(struct server_request *conn, uint64_t bytes)
{
    struct server *s = conn->server;

    if (bytes <= conn->charged)
        return true;
    if (bytes - conn->charged > s->limits.body_budget ||
        s->body_bytes > s->limits.body_budget - (bytes - conn->charged))
        return false;
    s->body_bytes += bytes - conn->charged;
    conn->charged = bytes;
    return true;
}

void conn_release_body(struct server_request *conn)
{
    conn->server->body_bytes -= conn->charged;
    conn->charged = 0;
}

void conn_refuse(struct server_request *conn, int status, enum counter why, const char *reason)
{
    conn->refusal = why;
    guard_refuse(&conn->guard, status, reason);
}

/* The head is strict and whole: may its sender go on? */
static void decide(struct server_request *conn)
{
    struct server *s = conn->server;
    const struct head *head = &conn->guard.head;
    int status = s->on_head(head, &conn->trusted, s->ctx);

    conn->headed = true;
    if (status != 0) {
        conn_refuse(conn, status, COUNT_REFUSED_BY_OWNER, "by the owner");
        return;
    }
    guard_admit(&conn->guard);
    if (conn->guard.phase == GUARD_IN_BODY &&
        !charge(conn, head->body == HEAD_BODY_LENGTH ? head->content_length : 0))
        conn_refuse(conn, 503, COUNT_REFUSED_BUDGET, "too many bodies at once");
}

/* The guard has used everything and waits. */
static void wait_for_more(struct server_request *conn, bool had_started)
{
    const struct guard *g = &conn->guard;

    if (g->phase == GUARD_IN_BODY && conn->phase != CONN_BODY) {
        conn_enter(conn, CONN_BODY);
        if (g->head.expect_continue && g->body.len == 0 && g->chunk.framing == 0) {
            conn->expecting = true;
            event_active(conn->server->expectations, EV_TIMEOUT, 0);
        }
    } else if (conn->phase == CONN_IDLE && !had_started && guard_started(g)) {
        conn_enter(conn, CONN_IDLE); /* from waiting for a head to reading one */
    }
}

static void on_refused(struct server_request *conn)
{
    static const struct {
        int status;
        enum counter counter;
    } rows[] = {
        {400, COUNT_REFUSED_MALFORMED},
        {413, COUNT_REFUSED_BODY_SIZE},
        {431, COUNT_REFUSED_HEAD_SIZE},
    };
    const struct guard *g = &conn->guard;

    for (size_t i = 0; conn->refusal == COUNT_NONE && i < ARRAY_LEN(rows); i++)
        if (rows[i].status == g->status)
            conn->refusal = rows[i].counter;
    conn->server->counters[conn->refusal]++;
    log_debug("http.refused", LOG_S("peer", conn->peer), LOG_I("status", g->status),
              LOG_S("reason", g->reason));
    buf_free(&conn->guard.body);
}

static bool reads(const struct server_request *conn)
{
    return conn->phase == CONN_NEW || conn->phase == CONN_IDLE || conn->phase == CONN_BODY;
}

static void feed(struct server_request *conn)
{
    struct evbuffer *in = bufferevent_get_input(conn->bev);
    struct guard *g = &conn->guard;
    bool had_started = guard_started(g);

    while (reads(conn)) {
        size_t n = evbuffer_get_contiguous_space(in);
        const char *p = n != 0 ? (const char *)evbuffer_pullup(in, (ev_ssize_t)n) : "";
        size_t used;
        enum guard_result result = guard_feed(g, p, n, &used);

        evbuffer_drain(in, used);
        switch (result) {
        case GUARD_HEAD:
            decide(conn);
            break;
        case GUARD_DONE:
            insert_ticket(conn);
            break;
        case GUARD_REFUSED:
            conn->lingers = conn_must_linger(conn, evbuffer_get_length(in));
            on_refused(conn);
            evbuffer_drain(in, evbuffer_get_length(in));
            insert_ticket(conn);
            break;
        case GUARD_MORE:
            if (!charge(conn, g->body.len)) {
                conn_refuse(conn, 503, COUNT_REFUSED_BUDGET, "too many bodies at once");
            } else if (evbuffer_get_length(in) == 0) {
                wait_for_more(conn, had_started);
                return;
            }
            break;
        }
    }
}

void conn_on_input(struct evbuffer *in, const struct evbuffer_cb_info *info, void *arg)
{
    struct server_request *conn = arg;

    if (info->n_added == 0 || conn->inserting)
        return;
    if (reads(conn))
        feed(conn);
    else if (conn->phase == CONN_DYING || conn->phase == CONN_LINGER ||
             conn->phase == CONN_PARTING || (conn->phase == CONN_REPLY && conn->closing))
        conn_throw_away(conn, in, info->n_added);
    else if (evbuffer_get_length(in) > INPUT_MAX + info->n_added)
        conn_kill(conn, COUNT_DROPPED_FLOOD);
}

void conn_next(struct server_request *conn)
{
    guard_reset(&conn->guard);
    conn->expecting = false;
    conn->granted = false;
    conn->refusal = COUNT_NONE;
    conn->headed = false;
    conn->trusted = false;
    conn->user = NULL;
    conn_enter(conn, CONN_IDLE);
    if (evbuffer_get_length(bufferevent_get_input(conn->bev)) != 0)
        feed(conn);
}
