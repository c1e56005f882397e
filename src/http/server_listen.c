/*
 * Listening sockets, and when to accept: not while paused or draining, not more than so many in
 * one turn of the loop, and not right after accept has failed, since a listener without
 * descriptors left would spin.
 *
 * SPDX-License-Identifier: MIT
 */
#include "http/server_conn.h"

#include "base/fs.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG         1024
#define DEFER_ACCEPT_S  5
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

/*
 * The argument of a listener belongs to evhttp, which has no way back to us. So the server is
 * looked up among the events of the loop; its rest event is pending whenever it may accept.
 */
static void on_accept_error(struct evconnlistener *events, void *http)
{
    struct search search = {.events = events};

    (void)http;
    log_warn("http.accept", LOG_S("error", strerror(errno)));
    event_base_foreach_event(evconnlistener_get_base(events), is_ours, &search);
    if (search.found == NULL)
        abort();
    search.found->counters[COUNT_ACCEPT_ERRORS]++;
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

static int fill_address(const char *host, int port, struct sockaddr_storage *out, socklen_t *len)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;

    *out = (struct sockaddr_storage){0};
    if (port < 0 || port > UINT16_MAX)
        return -EINVAL;
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        *len = sizeof(*v4);
        return 0;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        *len = sizeof(*v6);
        return 0;
    }
    return -EINVAL;
}

static int set_options(int fd, int family)
{
    const struct {
        int level, name, value;
    } options[] = {
        {SOL_SOCKET, SO_REUSEADDR, 1},
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {IPPROTO_TCP, TCP_DEFER_ACCEPT, DEFER_ACCEPT_S},
        {IPPROTO_IPV6, IPV6_V6ONLY, 0},
    };
    size_t n = ARRAY_LEN(options) - (family == AF_INET6 ? 0 : 1);

    for (size_t i = 0; i < n; i++)
        if (setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                       sizeof(options[i].value)) != 0)
            return -errno;
    return 0;
}

int server_listen(const char *host, int port, struct err *err)
{
    struct sockaddr_storage sa;
    socklen_t len;
    autoclose int fd = -1;
    int result;

    if (fill_address(host, port, &sa, &len) != 0)
        return err_set(err, -EINVAL, "not a numeric address and a port: %s port %d", host, port);
    fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_sys(err, -errno, "socket");
    if (set_options(fd, sa.ss_family) != 0)
        return err_sys(err, -errno, "socket options");
    if (bind(fd, (struct sockaddr *)&sa, len) != 0)
        return err_sys(err, -errno, "bind to %s port %d", host, port);
    if (listen(fd, BACKLOG) != 0)
        return err_sys(err, -errno, "listen on %s port %d", host, port);
    result = fd;
    fd = -1;
    return result;
}

int server_port(int fd)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);

    if (getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
        return -errno;
    if (sa.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)(void *)&sa)->sin6_port);
    if (sa.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)(void *)&sa)->sin_port);
    return -EAFNOSUPPORT;
}
