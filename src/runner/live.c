/* SPDX-License-Identifier: MIT */
#include "runner/live.h"

#include <event2/event.h>

#define EVERY_MS   100
#define PIECE_MAX  (32U << 10)
#define MAX_BEHIND (128U << 10) /* what is older than this is lost to those who listen */

struct live {
    const struct tail *tail;
    struct event *timer;
    live_on_piece *fn;
    void *ctx;
    bool on;
    uint64_t told; /* bytes that were, or will never be */
};

static void arm(struct live *l, int ms)
{
    struct timeval tv = {.tv_sec = 0, .tv_usec = ms * 1000};

    if (!evtimer_pending(l->timer, NULL))
        evtimer_add(l->timer, &tv);
}

/* over: a character that is not whole will never be. */
static void tell(struct live *l, bool over)
{
    uint64_t before;

    if (l->tail->total > l->told + MAX_BEHIND)
        l->told = l->tail->total - MAX_BEHIND;
    do {
        autobuf struct buf text = BUF_INIT(PIECE_MAX + 1);
        uint64_t from = l->told;

        before = l->told;
        l->told = tail_range(l->tail, &from, PIECE_MAX, over, &text);
        if (text.len > 0)
            l->fn(from, (struct slice){buf_text(&text), text.len}, l->ctx);
    } while (l->told > before);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct live *l = arg;

    (void)fd;
    (void)what;
    if (l->on)
        tell(l, false);
}

struct live *live_new(struct event_base *base, const struct tail *tail, live_on_piece *fn,
                      void *ctx)
{
    struct live *l = mem_calloc(1, sizeof(*l));

    *l = (struct live){.tail = tail, .fn = fn, .ctx = ctx};
    l->timer = evtimer_new(base, on_timer, l);
    if (l->timer == NULL)
        abort();
    return l;
}

void live_free(struct live *l)
{
    if (l == NULL)
        return;
    event_free(l->timer);
    free(l);
}

void live_listen(struct live *l, bool on)
{
    l->on = on;
    l->told = 0;
    if (on)
        arm(l, 0);
}

void live_grown(struct live *l)
{
    if (l->on)
        arm(l, EVERY_MS);
}

void live_end(struct live *l)
{
    if (!l->on)
        return;
    tell(l, true);
    l->fn(l->told, (struct slice){"", 0}, l->ctx);
    l->on = false;
}
