/* SPDX-License-Identifier: MIT */
#include "http/client_loop.h"

#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>

struct client_loop {
    CURLM *multi;
    struct event_base *base;
    struct event *timer;
    const struct client_loop_ops *ops;
    void *ctx;
    bool busy;
};

static void report_ended(struct client_loop *l)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(l->multi, &left)) != NULL)
        if (msg->msg == CURLMSG_DONE)
            l->ops->on_end(msg->easy_handle, (int)msg->data.result, l->ctx);
}

static void act(struct client_loop *l, curl_socket_t fd, int what)
{
    int running;

    l->busy = true;
    curl_multi_socket_action(l->multi, fd, what, &running);
    l->busy = false;
    l->ops->on_rest(l->ctx);
    report_ended(l);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    int mask = ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
               ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);

    act(arg, fd, mask);
}

/* Only arms the timer: calling curl from here would be recursion. */
static int curl_wants_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct client_loop *l = arg;
    struct timeval tv = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

    (void)multi;
    if (timeout_ms < 0)
        evtimer_del(l->timer);
    else
        evtimer_add(l->timer, &tv);
    return 0;
}

/* One event per socket, kept by curl in slot; the number may be reused right after a remove. */
static int curl_wants_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *slot)
{
    struct client_loop *l = arg;
    struct event *ev = slot;
    short mask = (short)(EV_PERSIST | ((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
                         ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0));

    (void)easy;
    if (ev != NULL)
        event_free(ev);
    ev = what == CURL_POLL_REMOVE ? NULL : event_new(l->base, fd, mask, on_socket, l);
    if (ev != NULL)
        event_add(ev, NULL);
    curl_multi_assign(l->multi, fd, ev);
    return 0;
}

struct client_loop *client_loop_new(struct event_base *base, int max,
                                    const struct client_loop_ops *ops, void *ctx)
{
    struct client_loop *l = mem_calloc(1, sizeof(*l));

    l->base = base;
    l->ops = ops;
    l->ctx = ctx;
    l->timer = evtimer_new(base, on_timer, l);
    l->multi = curl_multi_init();
    if (l->timer == NULL || l->multi == NULL)
        abort();
    curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, curl_wants_timer);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, curl_wants_socket);
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)max);
    curl_multi_setopt(l->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)max);
    curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, (long)max);
    return l;
}

void client_loop_free(struct client_loop *l)
{
    if (l == NULL)
        return;
    curl_multi_cleanup(l->multi);
    event_free(l->timer);
    free(l);
}

bool client_loop_busy(const struct client_loop *l)
{
    return l->busy;
}

int client_loop_add(struct client_loop *l, void *easy, struct err *err)
{
    CURLMcode code = curl_multi_add_handle(l->multi, easy);

    return code == CURLM_OK ? 0 : err_set(err, -EIO, "curl: %s", curl_multi_strerror(code));
}

void client_loop_remove(struct client_loop *l, void *easy)
{
    curl_multi_remove_handle(l->multi, easy);
}
