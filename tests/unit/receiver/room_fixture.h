/*
 * A receiver, a keeper that says what the test wants, and clients, in one loop.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_ROOM_FIXTURE_H
#define TESTS_ROOM_FIXTURE_H

#include "../http/server_fixture.h"
#include "receiver/receiver.h"
#include "wire/channel.h"
#include "wire/hello.h"

#include <sys/wait.h>

static const uint8_t room_secret[SEAL_SECRET_LEN] = "the seal secret of these tests.";

struct room {
    struct fixture f; /* loop and port, for the clients */
    struct channel *keeper;
    struct receiver *receiver; /* NULL: in another process */
    struct hello_receiver hello;
    char key[KEY_SIZE];
    /* what the keeper saw */
    bool ready, closed;
    char ready_error[256], pong[4096];
    int callbacks;
    uint64_t id; /* of the last one */
    struct msg_callback last;
    char texts[8][2048]; /* what last points to */
    char *body;
    int verdict; /* -1: hold */
};

static inline struct slice room_keep(struct room *room, size_t i, struct slice s)
{
    assert_true(s.n < sizeof(room->texts[i]));
    memcpy(room->texts[i], s.p, s.n);
    room->texts[i][s.n] = '\0';
    return (struct slice){room->texts[i], s.n};
}

static inline void room_verdict(struct room *room, uint64_t id, int verdict)
{
    struct msg_verdict msg = {.verdict = (uint32_t)verdict};

    assert_int_equal(channel_send(room->keeper, MSG_VERDICT, id, &msg), 0);
}

static inline void room_on_callback(struct room *room, const struct frame *f)
{
    struct msg_callback *m = &room->last;

    assert_int_equal(message_read(f, m), 0);
    m->key = room_keep(room, 0, m->key);
    m->method = room_keep(room, 1, m->method);
    m->path = room_keep(room, 2, m->path);
    m->query = room_keep(room, 3, m->query);
    m->peer = room_keep(room, 4, m->peer);
    m->headers = room_keep(room, 5, m->headers);
    m->report.id = room_keep(room, 6, m->report.id);
    m->report.result = room_keep(room, 7, m->report.result);
    free(room->body);
    room->body = mem_strndup(m->body.p, m->body.n);
    room->id = f->id;
    room->callbacks++;
    if (room->verdict >= 0)
        room_verdict(room, f->id, room->verdict);
}

static inline void room_on_frame(struct channel *ch, const struct frame *f, void *ctx)
{
    struct room *room = ctx;
    struct msg_ready ready;
    struct msg_pong pong;

    (void)ch;
    switch (f->type) {
    case MSG_READY:
        assert_int_equal(message_read(f, &ready), 0);
        snprintf(room->ready_error, sizeof(room->ready_error), "%.*s", (int)ready.error.n,
                 ready.error.p);
        room->ready = true;
        break;
    case MSG_CALLBACK:
        room_on_callback(room, f);
        break;
    case MSG_PONG:
        assert_int_equal(message_read(f, &pong), 0);
        snprintf(room->pong, sizeof(room->pong), "%.*s", (int)pong.json.n, pong.json.p);
        break;
    default:
        fail_msg("unexpected frame %s", message_name((enum message_type)f->type));
    }
}

static inline void room_on_close(struct channel *ch, const char *why, void *ctx)
{
    struct room *room = ctx;

    (void)ch;
    (void)why;
    room->closed = true;
}

static const struct channel_ops room_ops = {.on_frame = room_on_frame, .on_close = room_on_close};

static inline void room_key(const uint8_t secret[SEAL_SECRET_LEN], char key[KEY_SIZE])
{
    struct crypto_place *place = crypto_place_new();

    key_new(secret, 1764345600, place, key);
    crypto_place_free(place);
}

/* The loop, the listening socket, and a HELLO that the test may still change. */
static inline struct room *room_prepare(int pair[2])
{
    struct room *room = mem_calloc(1, sizeof(*room));
    struct timeval tv = {.tv_usec = 1000};
    struct err err;

    signal(SIGPIPE, SIG_IGN);
    log_open("test", false, LOG_LEVEL_ERROR);
    room->f.base = event_base_new();
    room->f.tick = event_new(room->f.base, -1, EV_PERSIST, on_tick, NULL);
    event_add(room->f.tick, &tv);
    room->f.fd = net_listen_tcp("127.0.0.1", 0, &err);
    room->f.port = net_port(room->f.fd);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    room->keeper = channel_new(room->f.base, pair[0], FRAME_MAX, &room_ops, room);
    room_key(room_secret, room->key);
    room->hello = (struct hello_receiver){.log = {.level = LOG_LEVEL_ERROR},
                                          .number = 1,
                                          .n_listen = 1,
                                          .path_prefix = mem_strdup("/hooks"),
                                          .n_providers = 1,
                                          .max_body = 1 << 20,
                                          .body_budget = 4 << 20,
                                          .connections = 20,
                                          .handshakes = 20,
                                          .max_in_flight = 3,
                                          .keepalive_requests = 100,
                                          .handshake_ms = PATIENCE_MS,
                                          .header_ms = PATIENCE_MS,
                                          .body_ms = PATIENCE_MS,
                                          .reply_ms = PATIENCE_MS};
    room->hello.providers[0] = mem_strdup("vidu");
    room->hello.listen[0].fd = room->f.fd;
    memcpy(room->hello.seal_secret, room_secret, SEAL_SECRET_LEN);
    return room;
}

static inline void room_hello(struct room *room)
{
    autofree char *json = hello_receiver_write(&room->hello);
    struct msg_hello msg = {.version = WIRE_VERSION, .json = slice_str(json)};

    assert_int_equal(channel_send(room->keeper, MSG_HELLO, 1, &msg), 0);
    until(&room->f, room->ready);
}

/* With a receiver in this process, started. */
static inline struct room *room_new(void (*change)(struct hello_receiver *h))
{
    int pair[2];
    struct room *room = room_prepare(pair);

    if (change != NULL)
        change(&room->hello);
    room->receiver = receiver_new(room->f.base, pair[1]);
    room_hello(room);
    return room;
}

static inline void room_free(struct room *room)
{
    receiver_free(room->receiver);
    channel_free(room->keeper);
    hello_receiver_clear(&room->hello);
    close(room->f.fd);
    event_free(room->f.tick);
    event_base_free(room->f.base);
    free(room->body);
    free(room);
}

/* A whole POST; path, headers (each with CRLF) and body as given. */
static inline char *post(const char *path, const char *headers, const char *body)
{
    return mem_printf("POST %s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n%s", path,
                      headers, strlen(body), body);
}

#define JSON "Content-Type: application/json\r\n"

/* Sends one callback for the room's own key. */
static inline void say_callback(struct room *room, struct client *c, const char *body)
{
    autofree char *path = mem_printf("/hooks/callback/%s", room->key);
    autofree char *text = post(path, JSON, body);

    client_say(c, text);
}

#endif
