/* SPDX-License-Identifier: MIT */
#include "gateway/gateway.h"

#include "base/fs.h"
#include "base/log.h"
#include "gateway/account.h"
#include "gateway/call.h"
#include "gateway/control.h"
#include "gateway/mirror.h"
#include "gateway/poll.h"
#include "gateway/submit.h"
#include "gateway/submit_command.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#define MAX_TRANSFERS (SUBMIT_AT_ONCE + POLL_AT_ONCE + CALLS_AT_ONCE + MIRROR_MAX_CLIENTS)

static void leave(struct gateway *g, int exit_status)
{
    g->exit_status = exit_status;
    event_base_loopbreak(g->base);
}

void gateway_check_idle(struct gateway *g)
{
    if (g->draining && submits_open(g->submits) == 0 && polls_open(g->polls) == 0 &&
        calls_open(g->calls) == 0 && control_clients(g->control) == 0 && mirror_is_idle(g->mirror))
        channel_finish(g->keeper);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
    struct gateway *g = ctx;

    (void)fd;
    (void)what;
    questions_expire(g->questions);
    control_tick(g->control);
}

/* -- the keeper's frames -- */

/* Base URLs are the operator's own words, so they may lead anywhere; what a provider answers may
 * not lead any further. */
static int open_client(struct gateway *g, struct err *err)
{
    const struct client_policy policy = {
        .public_only = false,
        .allow_http = true,
        .ca_file = g->hello.ca_file,
        .max_transfers = MAX_TRANSFERS,
        .redirects = 0,
    };

    g->client = client_new(g->base, &policy, err);
    return g->client != NULL ? 0 : -EIO;
}

static int open_room(struct gateway *g, struct err *err)
{
    int r = account_check(&g->hello, err);

    if (r == 0)
        r = open_client(g, err);
    if (r == 0 &&
        (fs_set_nonblock(g->hello.control_fd) != 0 || fs_set_cloexec(g->hello.control_fd, 1) != 0))
        r = err_set(err, -EBADF, "no control socket was handed over");
    if (r != 0)
        return r;
    g->submits = submits_new();
    g->polls = polls_new(g);
    g->calls = calls_new();
    g->control = control_new(g, g->hello.control_fd);
    if (g->hello.token != NULL && (g->mirror = mirror_new(g, err)) == NULL)
        return -EINVAL;
    event_add(g->tick, &(struct timeval){.tv_sec = 1});
    return 0;
}

static void on_hello(struct gateway *g, const struct frame *f)
{
    struct err err = {""};
    struct msg_hello msg;
    struct msg_ready ready = {{NULL, 0}};

    if (g->told || message_read(f, &msg) != 0)
        return;
    if (msg.version != WIRE_VERSION)
        err_set(&err, -EPROTO, "version %u of the protocol", msg.version);
    else if (hello_gateway_read(msg.json, &g->hello, &err) == 0) {
        log_open("gateway", g->hello.log.json, (enum log_level)g->hello.log.level);
        g->told = open_room(g, &err) == 0;
    }
    ready.error = slice_str(g->told ? "" : err.text);
    (void)channel_send(g->keeper, MSG_READY, 0, &ready);
    if (!g->told) {
        log_error("gateway.not_started", LOG_E(&err));
        g->exit_status = 1;
        channel_finish(g->keeper);
        return;
    }
    (void)channel_send(g->keeper, MSG_SUBSCRIBE, 0, &(struct msg_subscribe){0});
    log_info("gateway.started", LOG_I("providers", g->hello.n_providers));
}

static void on_ping(struct gateway *g, const struct frame *f)
{
    const struct gateway_counters *n = &g->counters;
    struct msg_ping ping;
    struct msg_pong pong;
    autofree char *text = NULL;

    if (message_read(f, &ping) != 0)
        return;
    text = mem_printf(
        "{\"clients\":%zu,\"watchers\":%zu,\"commands\":%llu,\"questions_open\":%zu,"
        "\"submits_open\":%zu,"
        "\"submits_accepted\":%llu,\"submits_refused\":%llu,"
        "\"submits_ambiguous\":%llu,\"submits_failed\":%llu,\"polls_open\":%zu,"
        "\"polls_answered\":%llu,\"polls_failed\":%llu,\"http_requests\":%llu,"
        "\"http_created\":%llu,\"http_local\":%llu,\"http_passed\":%llu,\"http_failed\":%llu}",
        control_clients(g->control), control_watchers(g->control), (unsigned long long)n->commands,
        questions_open(g->questions), submits_open(g->submits),
        (unsigned long long)n->submits_accepted, (unsigned long long)n->submits_refused,
        (unsigned long long)n->submits_ambiguous, (unsigned long long)n->submits_failed,
        polls_open(g->polls), (unsigned long long)n->polls_answered,
        (unsigned long long)n->polls_failed, (unsigned long long)n->http_requests,
        (unsigned long long)n->http_created, (unsigned long long)n->http_local,
        (unsigned long long)n->http_passed, (unsigned long long)n->http_failed);
    pong = (struct msg_pong){.stamp = ping.stamp, .json = slice_str(text)};
    (void)channel_send(g->keeper, MSG_PONG, f->id, &pong);
}

static void on_drain(struct gateway *g, const struct frame *f)
{
    (void)f;
    if (g->draining)
        return;
    log_debug("gateway.draining", LOG_I("submits", submits_open(g->submits)),
              LOG_I("polls", polls_open(g->polls)));
    g->draining = true;
    control_drain(g->control);
    mirror_drain(g->mirror);
    gateway_check_idle(g);
}

static void on_poll(struct gateway *g, const struct frame *f)
{
    polls_ask(g->polls, f);
}

static void on_answer(struct gateway *g, const struct frame *f)
{
    questions_answer(g->questions, f);
}

static void on_event(struct gateway *g, const struct frame *f)
{
    struct msg_event msg;

    if (message_read(f, &msg) != 0)
        return;
    control_tell(g->control, &msg);
    mirror_tell(g->mirror, &msg);
}

static void on_output(struct gateway *g, const struct frame *f)
{
    struct msg_output msg;

    if (message_read(f, &msg) == 0)
        control_tell_output(g->control, &msg);
}

static const struct {
    enum message_type type;
    bool before_hello;
    void (*fn)(struct gateway *g, const struct frame *f);
} handlers[] = {
    {MSG_HELLO, true, on_hello},  {MSG_PING, false, on_ping},       {MSG_DRAIN, false, on_drain},
    {MSG_POLL, false, on_poll},   {MSG_RECORDED, false, on_answer}, {MSG_RESULT, false, on_answer},
    {MSG_EVENT, false, on_event}, {MSG_OUTPUT, false, on_output},
};

static void on_frame(struct channel *ch, const struct frame *f, void *ctx)
{
    struct gateway *g = ctx;

    (void)ch;
    for (size_t i = 0; i < ARRAY_LEN(handlers); i++)
        if (handlers[i].type == f->type && (g->told || handlers[i].before_hello)) {
            handlers[i].fn(g, f);
            return;
        }
    log_warn("frame.unexpected", LOG_S("type", message_name((enum message_type)f->type)));
}

static void on_close(struct channel *ch, const char *why, void *ctx)
{
    struct gateway *g = ctx;

    (void)ch;
    if (!g->draining && g->exit_status == 0) {
        log_error("gateway.keeper_gone", LOG_S("why", why));
        g->exit_status = 1;
    }
    leave(g, g->exit_status);
}

static const struct channel_ops channel_ops = {.on_frame = on_frame, .on_close = on_close};

struct gateway *gateway_new(struct event_base *base, int channel_fd)
{
    struct gateway *g = mem_calloc(1, sizeof(*g));

    g->base = base;
    g->keeper = channel_new(base, channel_fd, FRAME_MAX, &channel_ops, g);
    g->questions = questions_new(g->keeper);
    g->tick = event_new(base, -1, EV_PERSIST, on_tick, g);
    if (g->tick == NULL)
        abort();
    return g;
}

void gateway_free(struct gateway *g)
{
    if (g == NULL)
        return;
    event_free(g->tick);
    client_free(g->client);
    control_free(g->control);
    mirror_free(g->mirror);
    submits_free(g->submits);
    polls_free(g->polls);
    calls_free(g->calls);
    questions_free(g->questions);
    channel_free(g->keeper);
    hello_gateway_clear(&g->hello);
    free(g);
}

int gateway_main(void)
{
    struct event_base *base;
    struct gateway *g;
    int status;

    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGPIPE, SIG_IGN);
    mem_return_large();
    if (fs_set_cloexec(ROOM_CHANNEL_FD, 1) != 0)
        return 1;
    base = event_base_new();
    if (base == NULL)
        abort();
    g = gateway_new(base, ROOM_CHANNEL_FD);
    event_base_dispatch(base);
    status = g->exit_status;
    gateway_free(g);
    event_base_free(base);
    return status;
}
