/*
 * The listeners, and when to accept: not while paused or draining, not more than so many in one
 * turn of the loop, and not right after accept has failed, since a listener without descriptors
 * left would spin.
 *
 * When descriptors run out the oldest strangers are closed, as at the cap on connections, and
 * those who wait in the backlog are served in their place. No descriptor is held in reserve to
 * accept and close the waiting ones with: that would turn away whoever has waited longest, and
 * where only admitted requests hold descriptors, to wait for one of those is better than to be
 * refused.
 *
 * SPDX-License-Identifier: MIT
 */
#include "http/server_conn.h"

#include "base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define ACCEPT_PAUSE_MS 100
#define FAR_AWAY_S      (365 * 86400)

static void add_rest(struct server *s, time_t seconds, suseconds_t ms)
{
    struct timeval tv = {.tv_sec = seconds, .tv_usec = ms * 1000};

    event_add(s->rest, &tv);
}

static void on_rested(evutil_socket_t fd, short what, void *arg)
{
    struct server *s = arg;

    (void)fd;
    (void)what;
    s->resting = false;
    add_rest(s, FAR_AWAY_S, 0);
    listeners_update(s);
}

struct search {
    const struct evconnlistener *events;
    struct server *found;
};

static int is_ours(const struct event_base *base, const struct event *ev, void *arg)
{
    struct search *search = arg;
    struct server *s;

    (void)base;
    if (event_get_callback(ev) != on_rested)
        return 0;
    s = event_get_callback_arg(ev);
    for (size_t i = 0; i < s->n_listeners; i++)
        if (s->listeners[i].events == search->events)
            search->found = s;
    return search->found != NULL;
}

static bool lacks_descriptors(int error)
{
    return error == EMFILE || error == ENFILE;
}

/* Without descriptors accept fails before it looks whether there is anybody. */
static bool somebody_waits(struct evconnlistener *events)
{
    struct pollfd one = {.fd = evconnlistener_get_fd(events), .events = POLLIN};

    return poll(&one, 1, 0) == 1;
}

/*
 * The argument of a listener belongs to evhttp, which has no way back to us. So the server is
 * looked up among the events of the loop; its rest event is pending whenever it may accept.
 */
static void on_accept_error(struct evconnlistener *events, void *http)
{
    struct search search = {.events = events};
    int error = errno;

    (void)http;
    if (lacks_descriptors(error) && !somebody_waits(events))
        return;
    log_warn("http.accept", LOG_S("error", strerror(error)));
    event_base_foreach_event(evconnlistener_get_base(events), is_ours, &search);
    if (search.found == NULL)
        abort();
    search.found->counters[COUNT_ACCEPT_ERRORS]++;
    if (lacks_descriptors(error))
        conn_make_room(search.found);
    search.found->resting = true;
    listeners_update(search.found);
    add_rest(search.found, 0, ACCEPT_PAUSE_MS);
}

void listeners_update(struct server *s)
{
    bool accept = !s->paused && !s->resting && !s->draining && s->accepts < SERVER_ACCEPTS_PER_TURN;

    if (accept == s->accepting)
        return;
    s->accepting = accept;
    for (size_t i = 0; i < s->n_listeners; i++) {
        if (accept)
            evconnlistener_enable(s->listeners[i].events);
        else
            evconnlistener_disable(s->listeners[i].events);
    }
}

/* libevent owns what it listens on, so it gets its own descriptor for the same socket. */
static int open_one(struct server *s, struct listener *l, int shared_fd)
{
    int one = 1;
    struct evhttp_bound_socket *bound;
    int fd;

    setsockopt(shared_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    fd = fcntl(shared_fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    l->http = evhttp_new(s->base);
    bound = l->http != NULL ? evhttp_accept_socket_with_handle(l->http, fd) : NULL;
    if (bound == NULL) {
        close(fd);
        return -ENOMEM;
    }
    l->events = evhttp_bound_socket_get_listener(bound);
    evconnlistener_set_error_cb(l->events, on_accept_error);
    evhttp_set_bevcb(l->http, conn_new, l);
    evhttp_set_gencb(l->http, server_on_ticket, l);
    evhttp_set_default_content_type(l->http, NULL);
    evhttp_set_allowed_methods(l->http, EVHTTP_REQ_POST | EVHTTP_REQ_HEAD);
    return 0;
}

int listeners_open(struct server *s, const struct server_listener *from, size_t n)
{
    s->listeners = mem_calloc(n, sizeof(struct listener));
    s->n_listeners = n;
    s->accepting = true;
    s->rest = event_new(s->base, -1, 0, on_rested, s);
    if (s->rest == NULL)
        abort();
    add_rest(s, FAR_AWAY_S, 0);
    for (size_t i = 0; i < n; i++) {
        struct listener *l = &s->listeners[i];
        int rc;

        *l = (struct listener){.server = s, .index = i, .tls = from[i].tls};
        if (l->tls != NULL)
            SSL_CTX_up_ref(l->tls);
        rc = open_one(s, l, from[i].fd);
        if (rc < 0)
            return rc;
    }
    return 0;
}

void listeners_close(struct server *s)
{
    for (size_t i = 0; i < s->n_listeners; i++) {
        if (s->listeners[i].http != NULL)
            evhttp_free(s->listeners[i].http);
        SSL_CTX_free(s->listeners[i].tls);
    }
    free(s->listeners);
    s->n_listeners = 0;
    event_free(s->rest);
}
