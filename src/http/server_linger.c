/*
 * Reading past evhttp, which does not read while a request is being answered.
 *
 * It serves two ends. The bytes behind a request that is with its owner go on into the input
 * buffer. And what a client sends behind its last reply, such as the rest of a refused request, is
 * read and thrown away: to close on unread bytes resets the connection, and a client that is still
 * sending would never see the reply.
 *
 *      last reply --> CONN_REPLY --> CONN_LINGER, or  --> CONN_DYING
 *                     it leaves      CONN_PARTING         the client has closed, or the deadline
 *                                    half closed
 *
 * Throughout, what arrives is thrown away by conn_on_input (http/server_feed.c). evhttp keeps
 * the ticket: it is never told of the reply, only of the end of the connection.
 *
 * SPDX-License-Identifier: MIT
 */
#include "http/server_conn.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* A client that sends no more, or is gone, is seen when evhttp reads again. */
static void on_event_while_owned(struct bufferevent *bev, short what, void *arg)
{
    const struct server_request *conn = arg;

    if ((what & BEV_EVENT_READING) == 0 || (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) == 0)
        conn->evhttp.on_event(bev, what, conn->evhttp.arg);
}

static void on_write_while_owned(struct bufferevent *bev, void *arg)
{
    const struct server_request *conn = arg;

    conn->evhttp.on_write(bev, conn->evhttp.arg);
}

/* In the place of evhttp, which sets its own again before it reads the next request. */
static void step_in(struct server_request *conn, bufferevent_data_cb on_write,
                    bufferevent_event_cb on_event)
{
    struct evhttp_calls now = {0};

    bufferevent_getcb(conn->bev, NULL, &now.on_write, &now.on_event, &now.arg);
    if (now.arg != conn) /* not a second step */
        conn->evhttp = now;
    bufferevent_setcb(conn->bev, NULL, on_write, on_event, conn);
    bufferevent_enable(conn->bev, EV_READ);
}

/* To stop reading and to begin again would cost two calls of the kernel for each request. */
void conn_read_on(struct server_request *conn)
{
    step_in(conn, on_write_while_owned, on_event_while_owned);
}

/* -- what comes behind the last reply -- */

/* Whether a refused request has more than n bytes to come. */
static bool goes_on(const struct server_request *conn, size_t n)
{
    const struct head *head = &conn->guard.head;

    if (!conn->headed) /* nobody knows where it ends */
        return true;
    if (head->body == HEAD_BODY_LENGTH)
        return head->content_length - conn->guard.body.len > n;
    return head->body == HEAD_BODY_CHUNKED;
}

bool conn_must_linger(const struct server_request *conn, size_t n)
{
    return (conn->trusted || conn->server->limits.stranger_bytes != 0) && goes_on(conn, n);
}

bool conn_has_unread(const struct server_request *conn)
{
    int n = 0;

    if (conn->server->limits.stranger_bytes == 0)
        return false;
    if (evbuffer_get_length(bufferevent_get_input(conn->bev)) != 0)
        return true;
    return ioctl(conn->fd, FIONREAD, &n) == 0 && n > 0;
}

/* The long way is for the rest of a request whose sender has shown a key or token. */
static bool is_brief(const struct server_request *conn)
{
    return !conn->trusted || conn->refusal == COUNT_NONE;
}

void conn_throw_away(struct server_request *conn, struct evbuffer *in, size_t n_added)
{
    evbuffer_drain(in, evbuffer_get_length(in));
    conn->thrown += n_added;
    if (conn->lingers && is_brief(conn) && conn->thrown > conn->server->limits.stranger_bytes)
        conn_kill(conn, COUNT_DROPPED_FLOOD);
}

/* The end of what is said here; a client that waits for it need not wait for the deadline. */
static void half_close(struct server_request *conn)
{
    conn_enter(conn, is_brief(conn) ? CONN_PARTING : CONN_LINGER);
    if (conn->ssl != NULL)
        conn_end_tls(conn->ssl);
    shutdown(conn->fd, SHUT_WR);
}

static void on_reply_out(struct bufferevent *bev, void *arg)
{
    struct server_request *conn = arg;

    (void)bev;
    if (conn->phase == CONN_REPLY)
        half_close(conn);
}

/* The client has gone; or conn_kill has spoken, and evhttp is told. */
static void on_event_while_lingering(struct bufferevent *bev, short what, void *arg)
{
    struct server_request *conn = arg;

    if (conn->phase == CONN_DYING)
        conn->evhttp.on_event(bev, what, conn->evhttp.arg);
    else
        conn_kill(conn, COUNT_NONE);
}

void conn_linger(struct server_request *conn)
{
    struct evbuffer *in = bufferevent_get_input(conn->bev);

    evbuffer_drain(in, evbuffer_get_length(in));
    step_in(conn, on_reply_out, on_event_while_lingering);
    if (evbuffer_get_length(bufferevent_get_output(conn->bev)) == 0)
        half_close(conn);
}
