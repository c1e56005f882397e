/* SPDX-License-Identifier: MIT */
#include "receiver/receiver.h"

#include "base/fs.h"
#include "base/log.h"
#include "http/server.h"
#include "http/tls.h"
#include "receiver/intake.h"
#include "receiver/sandbox.h"
#include "wire/channel.h"
#include "wire/hello.h"

#include <errno.h>
#include <event2/event.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Descriptors beside the connections: standard streams, channel, loop, listeners twice, and those
 * connections of one turn that are one too many. */
#define SPARE_FILES (32 + 2 * HELLO_MAX_LISTEN + 128)

/* Enough for a callback of somebody who does not know its key. */
#define STRANGER_BYTES (64U << 10)

struct receiver {
    struct event_base *base;
    struct channel *keeper;
    struct server *server;
    struct intake *intake;
    struct ssl_ctx_st *tls;
    bool sandboxed, draining;
    int exit_status;
};

static void leave(struct receiver *r, int status)
{
    r->exit_status = status;
    event_base_loopbreak(r->base);
}

/* -- start -- */

static int open_server(struct receiver *r, const struct hello_receiver *h, struct err *err)
{
    struct server_listener listeners[HELLO_MAX_LISTEN];
    const struct server_limits limits = {
        .max_body = h->max_body,
        .body_budget = h->body_budget,
        .stranger_bytes = STRANGER_BYTES,
        .connections = h->connections,
        .handshakes = h->handshakes,
        .per_source = h->per_source,
        .source_rate = h->source_rate,
        .keepalive_requests = h->keepalive_requests,
        .handshake_ms = h->handshake_ms,
        .header_ms = h->header_ms,
        .body_ms = h->body_ms,
        .reply_ms = h->reply_ms,
        .allow = "POST",
    };

    if (h->certificate_pem != NULL && h->key_pem != NULL) {
        r->tls = tls_server_new(h->certificate_pem, h->key_pem, h->tls_min_13, err);
        if (r->tls == NULL)
            return err_wrap(err, -EINVAL, "TLS");
    }
    for (size_t i = 0; i < h->n_listen; i++) {
        if (h->listen[i].tls && r->tls == NULL)
            return err_set(err, -EINVAL, "no certificate for %s", h->listen[i].text);
        listeners[i] = (struct server_listener){.fd = h->listen[i].fd,
                                                .tls = h->listen[i].tls ? r->tls : NULL};
    }
    r->intake = intake_new(r->base, r->keeper, h);
    r->server = server_new(r->base, &limits, listeners, h->n_listen, intake_on_head,
                           intake_on_request, r->intake);
    if (r->server == NULL)
        return err_set(err, -EBADF, "no listening sockets were handed over");
    return 0;
}

/* What libraries would want a file for later, they get now. */
static void warm_up(void)
{
    tzset();
    json_object_seed(0);
}

static int open_room(struct receiver *r, const struct hello_receiver *h, struct err *err)
{
    int rc = open_server(r, h, err);

    if (rc == 0 && h->sandbox) {
        warm_up();
        rc = sandbox_enter(h->connections + SPARE_FILES, err);
        r->sandboxed = rc == 0;
    }
    return rc;
}

static void start(struct receiver *r, const struct hello_receiver *h, struct err *err)
{
    char name[32];

    snprintf(name, sizeof(name), "receiver %d", h->number);
    log_open(name, h->log.json, (enum log_level)h->log.level);
    if (open_room(r, h, err) == 0) {
        err->text[0] = '\0';
        log_info("receiver.started", LOG_I("listeners", h->n_listen),
                 LOG_S("sandbox", r->sandboxed ? "on" : "off"));
    }
}

static void on_hello(struct receiver *r, const struct frame *f)
{
    struct err err = {"HELLO cannot be read"};
    struct hello_receiver hello = {0};
    struct msg_ready ready;
    struct msg_hello msg;

    if (r->server != NULL)
        return;
    if (message_read(f, &msg) == 0) {
        if (msg.version != WIRE_VERSION)
            err_set(&err, -EPROTO, "version %u of the protocol", msg.version);
        else if (hello_receiver_read(msg.json, &hello, &err) == 0)
            start(r, &hello, &err);
    }
    hello_receiver_clear(&hello);
    ready.error = slice_str(err.text);
    if (channel_send(r->keeper, MSG_READY, f->id, &ready) != 0)
        leave(r, 1);
    if (err.text[0] != '\0') {
        log_error("receiver.not_started", LOG_E(&err));
        r->exit_status = 1;
        channel_finish(r->keeper);
    }
}

/* -- the keeper's other frames -- */

static void on_ping(struct receiver *r, const struct frame *f)
{
    struct buf json = BUF_INIT(1 << 16);
    struct msg_ping ping;
    struct msg_pong pong;

    if (message_read(f, &ping) != 0)
        return;
    buf_addc(&json, '{');
    intake_add_counters(r->intake, &json);
    for (size_t i = 0; i < server_counter_count(); i++)
        buf_addf(&json, ",\"%s\":%llu", server_counter_name(i),
                 (unsigned long long)server_counter_value(r->server, i));
    buf_addc(&json, '}');
    pong = (struct msg_pong){.stamp = ping.stamp, .json = {buf_text(&json), json.len}};
    if (channel_send(r->keeper, MSG_PONG, f->id, &pong) != 0)
        log_warn("receiver.no_pong");
    buf_free(&json);
}

static void on_verdict(struct receiver *r, const struct frame *f)
{
    intake_on_verdict(r->intake, f);
}

static void on_drained(void *ctx)
{
    struct receiver *r = ctx;

    log_debug("receiver.drained");
    leave(r, 0);
}

static void on_drain(struct receiver *r, const struct frame *f)
{
    (void)f;
    if (r->draining)
        return;
    r->draining = true;
    server_drain(r->server, on_drained, r);
}

static const struct {
    enum message_type type;
    bool before_hello;
    void (*fn)(struct receiver *r, const struct frame *f);
} handlers[] = {
    {MSG_HELLO, true, on_hello},
    {MSG_VERDICT, false, on_verdict},
    {MSG_PING, false, on_ping},
    {MSG_DRAIN, false, on_drain},
};

static void on_frame(struct channel *ch, const struct frame *f, void *ctx)
{
    struct receiver *r = ctx;

    (void)ch;
    for (size_t i = 0; i < ARRAY_LEN(handlers); i++)
        if (handlers[i].type == f->type && (r->server != NULL || handlers[i].before_hello)) {
            handlers[i].fn(r, f);
            return;
        }
    log_warn("frame.unexpected", LOG_S("type", message_name((enum message_type)f->type)));
}

/* Nobody is left who could write anything down. */
static void on_close(struct channel *ch, const char *why, void *ctx)
{
    struct receiver *r = ctx;

    (void)ch;
    if (r->exit_status == 0)
        log_error("receiver.keeper_gone", LOG_S("why", why));
    leave(r, 1);
}

static const struct channel_ops channel_ops = {.on_frame = on_frame, .on_close = on_close};

struct receiver *receiver_new(struct event_base *base, int channel_fd)
{
    struct receiver *r = mem_calloc(1, sizeof(*r));

    r->base = base;
    r->keeper = channel_new(base, channel_fd, FRAME_MAX, &channel_ops, r);
    return r;
}

int receiver_exit_status(const struct receiver *r)
{
    return r->exit_status;
}

void receiver_free(struct receiver *r)
{
    if (r == NULL)
        return;
    server_free(r->server);
    intake_free(r->intake);
    tls_server_free(r->tls);
    channel_free(r->keeper);
    free(r);
}

/*
 * The change list saves half of the epoll_ctl calls of a request. It forbids two descriptors of
 * one file in the loop, and there are none: listeners are duplicated, but the originals stay out.
 */
static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base;

    if (config == NULL || event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST |
                                                            EVENT_BASE_FLAG_NOLOCK) != 0)
        abort();
    base = event_base_new_with_config(config);
    event_config_free(config);
    if (base == NULL)
        abort();
    return base;
}

int receiver_main(void)
{
    struct event_base *base;
    struct receiver *r;
    bool sandboxed;
    int status;

    signal(SIGPIPE, SIG_IGN);
    if (fs_set_cloexec(ROOM_CHANNEL_FD, 1) != 0)
        return 1;
    base = new_base();
    r = receiver_new(base, ROOM_CHANNEL_FD);
    event_base_dispatch(base);
    status = r->exit_status;
    sandboxed = r->sandboxed;
    receiver_free(r);
    event_base_free(base);
    if (sandboxed)
        _exit(status); /* exit handlers may want what the sandbox denies; nothing is left to do */
    return status;
}
