/*
 * A gateway between a keeper, a provider and clients that the tests play, all on one event base.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_FIXTURE_H
#define GATEWAY_FIXTURE_H

#include "base/clock.h"
#include "base/net.h"
#include "gateway/control.h"
#include "gateway/question.h"
#include "gateway/room.h"
#include "vidu/key.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_SEEN    256
#define MAX_CLIENTS 80

/* Frames one side has received, with their payloads. */
struct seen {
    struct frame f;
    char *payload;
};

struct inbox {
    struct seen seen[MAX_SEEN];
    int n;
    int closed;
};

struct test_client {
    struct channel *ch;
    struct inbox in;
    uint64_t last_id;
};

struct fixture {
    struct event_base *base;
    struct gateway *g;
    int left;               /* the gateway has ended the loop */
    struct channel *keeper; /* our end */
    struct inbox keeper_in;
    bool keeper_silent; /* RECORDED is not sent by itself */
    const char *record_error;
    char order[256]; /* R: REGISTER came, r: RECORDED left, P: request seen, S: SUBMITTED came */

    struct evconnlistener *provider;
    int provider_port;
    const char *reply; /* the whole HTTP answer; NULL: hang up without one */
    char reply_text[8192];
    bool provider_silent; /* neither answer nor hang up */
    int requests;
    char request[8192]; /* the last one */
    struct bufferevent *conns[64];
    int n_conns;

    int http_fd, http_port; /* of the mirror; its token is "local" */
    char dir[64], path[108];
    struct test_client clients[MAX_CLIENTS];
    int n_clients;
    uint8_t seal[SEAL_SECRET_LEN];
};

static inline void note(struct fixture *t, char c)
{
    size_t n = strlen(t->order);

    if (n + 1 < sizeof(t->order))
        t->order[n] = c;
}

static inline void keep(struct inbox *in, const struct frame *f)
{
    struct seen *s = &in->seen[in->n];

    assert_in_range(in->n, 0, MAX_SEEN - 1);
    s->payload = mem_strndup(f->payload.p, f->payload.n);
    s->f = *f;
    s->f.payload.p = s->payload;
    in->n++;
}

static inline void empty(struct inbox *in)
{
    for (int i = 0; i < in->n; i++)
        free(in->seen[i].payload);
    in->n = 0;
}

/* -- keeper -- */

static inline void send_recorded(struct fixture *t, uint64_t id, const char *task)
{
    struct msg_recorded msg = {.task = slice_str(task), .error = slice_str(t->record_error)};

    assert_int_equal(channel_send(t->keeper, MSG_RECORDED, id, &msg), 0);
    note(t, 'r');
}

static inline void on_keeper_frame(struct channel *ch, const struct frame *f, void *ctx)
{
    const struct msg_result allowed = {.json = {"{}", 2}};
    struct fixture *t = ctx;
    struct msg_register reg;
    struct msg_submitted sub;
    struct msg_command cmd;

    (void)ch;
    keep(&t->keeper_in, f);
    if (f->type == MSG_REGISTER) {
        note(t, 'R');
        assert_int_equal(message_read(f, &reg), 0);
        if (!t->keeper_silent)
            send_recorded(t, f->id, reg.task.p);
    } else if (f->type == MSG_SUBMITTED) {
        note(t, 'S');
        assert_int_equal(message_read(f, &sub), 0);
        if (!t->keeper_silent)
            send_recorded(t, f->id, sub.task.p);
    } else if (f->type == MSG_COMMAND) {
        assert_int_equal(message_read(f, &cmd), 0);
        if (strstr(cmd.json.p, "\"pay\"") != NULL)
            assert_int_equal(channel_send(t->keeper, MSG_RESULT, f->id, &allowed), 0);
    }
}

static inline void on_keeper_close(struct channel *ch, const char *why, void *ctx)
{
    struct fixture *t = ctx;

    (void)ch;
    (void)why;
    t->keeper_in.closed++;
}

static const struct channel_ops keeper_ops = {on_keeper_frame, on_keeper_close};

/* -- provider -- */

static inline void forget(struct fixture *t, struct bufferevent *bev)
{
    for (int i = 0; i < t->n_conns; i++)
        if (t->conns[i] == bev)
            t->conns[i] = NULL;
    bufferevent_free(bev);
}

static inline bool is_whole(const char *text, size_t n)
{
    const char *head = memmem(text, n, "\r\n\r\n", 4);
    const char *length = memmem(text, n, "Content-Length: ", 16);
    size_t body = length != NULL ? (size_t)strtoul(length + 16, NULL, 10) : 0;

    return head != NULL && n >= (size_t)(head + 4 - text) + body;
}

static inline void on_provider_read(struct bufferevent *bev, void *ctx)
{
    struct fixture *t = ctx;
    struct evbuffer *in = bufferevent_get_input(bev);
    size_t n = evbuffer_get_length(in);
    const char *text = (const char *)evbuffer_pullup(in, -1);

    if (!is_whole(text, n))
        return;
    note(t, 'P');
    t->requests++;
    snprintf(t->request, sizeof(t->request), "%.*s", (int)n, text);
    evbuffer_drain(in, n);
    if (t->provider_silent)
        return;
    if (t->reply == NULL)
        forget(t, bev);
    else
        bufferevent_write(bev, t->reply, strlen(t->reply));
}

static inline void on_provider_event(struct bufferevent *bev, short what, void *ctx)
{
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
        forget(ctx, bev);
}

static inline void on_provider_accept(struct evconnlistener *l, evutil_socket_t fd,
                                      struct sockaddr *sa, int len, void *ctx)
{
    struct fixture *t = ctx;
    struct bufferevent *bev = bufferevent_socket_new(t->base, fd, BEV_OPT_CLOSE_ON_FREE);

    (void)l;
    (void)sa;
    (void)len;
    assert_in_range(t->n_conns, 0, 63);
    t->conns[t->n_conns++] = bev;
    bufferevent_setcb(bev, on_provider_read, NULL, on_provider_event, t);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static inline void open_provider(struct fixture *t)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(sin);

    t->provider = evconnlistener_new_bind(t->base, on_provider_accept, t,
                                          LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 64,
                                          (struct sockaddr *)&sin, sizeof(sin));
    assert_non_null(t->provider);
    getsockname(evconnlistener_get_fd(t->provider), (struct sockaddr *)&sin, &n);
    t->provider_port = ntohs(sin.sin_port);
}

static inline void close_provider(struct fixture *t)
{
    if (t->provider != NULL)
        evconnlistener_free(t->provider);
    t->provider = NULL;
}

/* -- the loop -- */

static inline void turn(struct fixture *t)
{
    event_base_loop(t->base, EVLOOP_NONBLOCK);
    t->left |= event_base_got_break(t->base);
}

/* Loops until *what is at least value. The deadline is of the real clock. */
static inline void until(struct fixture *t, const int *what, int value)
{
    struct timespec now, begin;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        turn(t);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (*what < value && now.tv_sec - begin.tv_sec < 10);
    assert_in_range(*what, value, INT32_MAX);
}

/* Frames of one type. */
static inline int count(const struct inbox *in, enum message_type type)
{
    int n = 0;

    for (int i = 0; i < in->n; i++)
        n += in->seen[i].f.type == type;
    return n;
}

static inline const struct frame *find_frame(const struct inbox *in, enum message_type type,
                                             int which)
{
    for (int i = 0; i < in->n; i++)
        if (in->seen[i].f.type == type && which-- == 0)
            return &in->seen[i].f;
    return NULL;
}

/* Loops until the n-th frame of a type is there and decodes it. */
static inline const struct frame *await(struct fixture *t, struct inbox *in, enum message_type type,
                                        int which, void *msg)
{
    const struct frame *f = find_frame(in, type, which);

    while (f == NULL) {
        until(t, &in->n, in->n + 1);
        f = find_frame(in, type, which);
    }
    assert_int_equal(message_read(f, msg), 0);
    return f;
}

/* -- clients -- */

static inline void on_client_frame(struct channel *ch, const struct frame *f, void *ctx)
{
    (void)ch;
    keep(&((struct test_client *)ctx)->in, f);
}

static inline void on_client_close(struct channel *ch, const char *why, void *ctx)
{
    (void)ch;
    (void)why;
    ((struct test_client *)ctx)->in.closed++;
}

static const struct channel_ops client_ops = {on_client_frame, on_client_close};

static inline int connect_control(const struct fixture *t)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(sun.sun_path, t->path, strlen(t->path));
    assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
    return fd;
}

static inline struct test_client *new_client(struct fixture *t)
{
    struct test_client *c = &t->clients[t->n_clients++];

    c->ch = channel_new(t->base, connect_control(t), FRAME_MAX_CONTROL, &client_ops, c);
    return c;
}

static inline void leave_client(struct test_client *c)
{
    channel_free(c->ch);
    c->ch = NULL;
}

static inline uint64_t command(struct test_client *c, const char *json, const char *body)
{
    struct msg_command msg = {4711, slice_str(json), slice_str(body)};

    assert_int_equal(channel_send(c->ch, MSG_COMMAND, ++c->last_id, &msg), 0);
    return c->last_id;
}

/* The n-th RESULT; the JSON is owned by the caller. */
static inline json_t *await_result(struct fixture *t, struct test_client *c, int which,
                                   unsigned int *exit)
{
    struct msg_result msg;
    json_t *json;

    await(t, &c->in, MSG_RESULT, which, &msg);
    *exit = msg.exit;
    json = json_loadb(msg.json.p, msg.json.n, 0, NULL);
    assert_non_null(json);
    return json;
}

static inline const char *text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text != NULL ? text : "";
}

/* -- all together -- */

static inline int listen_control(struct fixture *t)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(t->dir, sizeof(t->dir), "/tmp/gateway-test-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    snprintf(t->path, sizeof(t->path), "%s/control.sock", t->dir);
    memcpy(sun.sun_path, t->path, strlen(t->path));
    assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
    assert_int_equal(listen(fd, 128), 0);
    return fd;
}

static inline void say_hello(struct fixture *t, int control_fd)
{
    char base[64];
    struct hello_gateway h = {
        .log = {false, 3},
        .control_fd = control_fd,
        .public_url = (char *)"https://hooks.example.org/in",
        .n_providers = 2,
        .providers = {{(char *)"main", (char *)"vidu", base, (char *)"vda_secret", true},
                      {(char *)"octo", (char *)"octopusx", base, (char *)"octo_secret", false}},
    };
    autofree char *json = NULL;
    struct msg_hello msg = {.version = WIRE_VERSION};
    struct err err;

    h.token = (char *)"local";
    h.http_budget = 64U << 20;
    h.http_fd = net_listen_tcp("127.0.0.1", 0, &err);
    assert_true(h.http_fd >= 0);
    t->http_fd = h.http_fd;
    t->http_port = net_port(h.http_fd);
    snprintf(base, sizeof(base), "http://127.0.0.1:%d", t->provider_port);
    memcpy(h.seal_secret, t->seal, sizeof(t->seal));
    json = hello_gateway_write(&h);
    msg.json = slice_str(json);
    assert_int_equal(channel_send(t->keeper, MSG_HELLO, 0, &msg), 0);
}

/* What the provider answers from now on. */
static inline void set_reply(struct fixture *t, const char *status, const char *body)
{
    snprintf(t->reply_text, sizeof(t->reply_text),
             "HTTP/1.1 %s\r\nContent-Type: application/json\r\nx-md-trace-id: tr-1\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             status, strlen(body), body);
    t->reply = t->reply_text;
}

static inline int open_fixture(void **state)
{
    struct fixture *t = mem_calloc(1, sizeof(*t));
    struct msg_ready ready;
    int pair[2];

    *state = t;
    t->base = event_base_new();
    for (size_t i = 0; i < sizeof(t->seal); i++)
        t->seal[i] = (uint8_t)(i * 3 + 1);
    open_provider(t);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    t->keeper = channel_new(t->base, pair[0], FRAME_MAX, &keeper_ops, t);
    t->g = gateway_new(t->base, pair[1]);
    say_hello(t, listen_control(t));
    await(t, &t->keeper_in, MSG_READY, 0, &ready);
    assert_string_equal(ready.error.p, "");
    set_reply(t, "200 OK",
              "{\"task_id\":\"912345678901234567\",\"state\":\"created\",\"credits\":4}");
    return 0;
}

static inline int close_fixture(void **state)
{
    struct fixture *t = *state;

    clock_freeze(-1, -1);
    for (int i = 0; i < t->n_clients; i++) {
        channel_free(t->clients[i].ch);
        empty(&t->clients[i].in);
    }
    gateway_free(t->g);
    close(t->http_fd);
    channel_free(t->keeper);
    empty(&t->keeper_in);
    for (int i = 0; i < t->n_conns; i++)
        if (t->conns[i] != NULL)
            bufferevent_free(t->conns[i]);
    close_provider(t);
    event_base_free(t->base);
    unlink(t->path);
    rmdir(t->dir);
    free(t);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

#endif
