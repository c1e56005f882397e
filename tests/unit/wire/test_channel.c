/* SPDX-License-Identifier: MIT */
#include "wire/channel.h"

#include "base/clock.h"
#include "wire/pass.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* One end is a channel, the other a plain descriptor. */
struct ends {
    struct event_base *base;
    struct channel *ch;
    int far;
    int frames, closes;
    uint64_t last_id;
    char why[128];
    char text[64]; /* json of the last MSG_EVENT */
    bool free_in_frame, free_in_close;
    int answer; /* frames sent for each that comes */
    bool take;  /* the descriptor that comes along */
    int taken;
};

static void on_frame(struct channel *ch, const struct frame *f, void *ctx)
{
    struct ends *e = ctx;
    struct msg_event ev;
    int i;

    e->frames++;
    e->last_id = f->id;
    if (e->take)
        e->taken = channel_passed(ch);
    if (f->type == MSG_EVENT && message_read(f, &ev) == 0)
        snprintf(e->text, sizeof(e->text), "%s", ev.json.p);
    for (i = 0; i < e->answer; i++)
        assert_int_equal(channel_send(ch, MSG_PING, f->id, &(struct msg_ping){i}), 0);
    if (e->free_in_frame) {
        channel_free(ch);
        e->ch = NULL;
        assert_int_equal(f->payload.p[f->payload.n - 1], '\0'); /* still there */
    }
}

static void on_close(struct channel *ch, const char *why, void *ctx)
{
    struct ends *e = ctx;

    e->closes++;
    snprintf(e->why, sizeof(e->why), "%s", why);
    if (e->free_in_close) {
        channel_free(ch);
        e->ch = NULL;
    }
}

static const struct channel_ops ops = {on_frame, on_close};

static void open_ends(struct ends *e, int kind, size_t max)
{
    int fd[2];

    memset(e, 0, sizeof(*e));
    assert_int_equal(socketpair(AF_UNIX, kind | SOCK_CLOEXEC, 0, fd), 0);
    e->base = event_base_new();
    e->ch = channel_new(e->base, fd[0], max, &ops, e);
    e->far = fd[1];
}

static void close_ends(struct ends *e)
{
    channel_free(e->ch);
    if (e->far >= 0)
        close(e->far);
    event_base_free(e->base);
}

static void turn(struct ends *e)
{
    event_base_loop(e->base, EVLOOP_NONBLOCK);
}

/* Turns the loop until *what has come to value. */
static void until(struct ends *e, const int *what, int value)
{
    int64_t deadline = clock_mono_ms() + 5000;

    while (*what < value && clock_mono_ms() < deadline)
        turn(e);
    assert_int_equal(*what, value);
}

static size_t make_event(uint8_t *to, uint64_t id, const char *json)
{
    struct msg_event ev = {SLICE_LIT("t1"), slice_str(json)};
    size_t n = message_size(MSG_EVENT, &ev);

    frame_write_head(to, MSG_EVENT, id, (uint32_t)n);
    message_write(MSG_EVENT, &ev, to + FRAME_HEAD);
    return FRAME_HEAD + n;
}

static void put(struct ends *e, const void *p, size_t n)
{
    assert_int_equal(write(e->far, p, n), (ssize_t)n);
}

static void a_frame_split_at_any_byte_arrives_whole(void **state)
{
    uint8_t bytes[128];
    size_t n = make_event(bytes, 9, "{\"a\":1}");
    struct ends e;
    size_t cut;

    (void)state;
    open_ends(&e, SOCK_STREAM, FRAME_MAX);
    for (cut = 1; cut < n; cut++) {
        put(&e, bytes, cut);
        turn(&e);
        assert_int_equal(e.frames, cut - 1);
        put(&e, bytes + cut, n - cut);
        until(&e, &e.frames, (int)cut);
        assert_string_equal(e.text, "{\"a\":1}");
        e.text[0] = '\0';
    }
    close_ends(&e);
}

/* How many ends a pipe has for writing: none when reading from it finds its end. */
static bool is_open(int reading)
{
    char c;

    return read(reading, &c, 1) < 0 && errno == EAGAIN;
}

static void pass(struct ends *e, const uint8_t *bytes, size_t n, int fd)
{
    assert_int_equal(pass_send(e->far, bytes, n, fd), (ssize_t)n);
    close(fd);
}

static void a_descriptor_comes_with_its_frame(void **state)
{
    uint8_t bytes[128];
    size_t n = make_event(bytes, 9, "{}");
    struct ends e;
    int fd[2];

    (void)state;
    open_ends(&e, SOCK_STREAM, FRAME_MAX);
    channel_allow_passing(e.ch);
    e.take = true;
    assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
    pass(&e, bytes, 20, fd[1]);
    turn(&e);
    assert_int_equal(e.frames, 0);
    put(&e, bytes + 20, n - 20);
    until(&e, &e.frames, 1);
    assert_in_range(e.taken, 0, 1000);
    assert_int_equal(fcntl(e.taken, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_true(is_open(fd[0]));
    close(e.taken);
    put(&e, bytes, n);
    until(&e, &e.frames, 2);
    assert_int_equal(e.taken, -1);
    close(fd[0]);
    close_ends(&e);
}

static void a_descriptor_that_nobody_takes_is_closed(void **state)
{
    uint8_t bytes[128];
    size_t n = make_event(bytes, 9, "{}");

    (void)state;
    for (int allowed = 0; allowed < 2; allowed++) {
        for (size_t sent = 20; sent <= n; sent += n - 20) { /* in the middle of a frame as well */
            struct ends e;
            int fd[2];

            open_ends(&e, SOCK_STREAM, FRAME_MAX);
            if (allowed != 0)
                channel_allow_passing(e.ch);
            assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
            pass(&e, bytes, sent, fd[1]);
            turn(&e);
            assert_int_equal(is_open(fd[0]), sent < n && allowed != 0);
            close_ends(&e);
            assert_false(is_open(fd[0]));
            close(fd[0]);
        }
    }
}

static void the_last_of_several_descriptors_counts(void **state)
{
    uint8_t bytes[128];
    size_t n = make_event(bytes, 9, "{}");
    struct ends e;
    int first[2], second[2];

    (void)state;
    open_ends(&e, SOCK_STREAM, FRAME_MAX);
    channel_allow_passing(e.ch);
    e.take = true;
    assert_int_equal(pipe2(first, O_NONBLOCK), 0);
    assert_int_equal(pipe2(second, O_NONBLOCK), 0);
    pass(&e, bytes, 20, first[1]);
    pass(&e, bytes + 20, n - 20, second[1]);
    until(&e, &e.frames, 1);
    assert_false(is_open(first[0]));
    assert_true(is_open(second[0]));
    close(e.taken);
    close(first[0]);
    close(second[0]);
    close_ends(&e);
}

static void all_frames_that_have_arrived_come_in_one_turn(void **state)
{
    uint8_t bytes[64];
    struct ends e;
    int i;

    (void)state;
    open_ends(&e, SOCK_STREAM, FRAME_MAX);
    for (i = 0; i < 200; i++)
        put(&e, bytes, make_event(bytes, 1, "{\"some\":\"text\"}"));
    turn(&e);
    assert_int_equal(e.frames, 200);
    close_ends(&e);
}

static void what_is_sent_in_one_turn_leaves_in_one_write(void **state)
{
    static uint8_t packet[1 << 16];
    uint8_t bytes[64];
    struct ends e;
    size_t n = make_event(bytes, 1, "{}");
    size_t one = FRAME_HEAD + sizeof(int64_t);

    (void)state;
    open_ends(&e, SOCK_SEQPACKET, FRAME_MAX); /* one write is one packet */
    e.answer = 100;
    put(&e, bytes, n);
    turn(&e);
    assert_int_equal(recv(e.far, packet, sizeof(packet), MSG_DONTWAIT), (ssize_t)(100 * one));
    assert_int_equal(recv(e.far, packet, sizeof(packet), MSG_DONTWAIT), -1);
    close_ends(&e);
}

struct order {
    struct ends *e;
    int64_t next;
};

static void on_counted(struct channel *ch, const struct frame *f, void *ctx)
{
    struct order *o = ctx;
    struct msg_ping ping;

    (void)ch;
    assert_int_equal(message_read(f, &ping), 0);
    assert_true(ping.stamp == o->next && f->id == (uint64_t)o->next);
    o->next++;
}

static void ten_thousand_frames_arrive_in_order(void **state)
{
    static const struct channel_ops counted = {on_counted, on_close};
    struct order o = {0};
    struct channel *far;
    struct ends e;
    int64_t deadline = clock_mono_ms() + 10000;
    int64_t i;

    (void)state;
    open_ends(&e, SOCK_STREAM, FRAME_MAX);
    far = channel_new(e.base, e.far, FRAME_MAX, &counted, &o);
    e.far = -1;
    for (i = 0; i < 10000; i++)
        assert_int_equal(channel_send(e.ch, MSG_PING, (uint64_t)i, &(struct msg_ping){i}), 0);
    while (o.next < 10000 && clock_mono_ms() < deadline)
        event_base_loop(e.base, EVLOOP_ONCE);
    assert_int_equal(o.next, 10000);
    assert_int_equal(channel_queued(e.ch), 0);
    channel_free(far);
    close_ends(&e);
}

static void on_large(struct channel *ch, const struct frame *f, void *ctx)
{
    struct msg_command c;
    size_t i;

    (void)ch;
    assert_int_equal(message_read(f, &c), 0);
    assert_int_equal(c.blob.n, 20 << 20);
    for (i = 0; i < c.blob.n; i += 4093)
        assert_int_equal((uint8_t)c.blob.p[i], (uint8_t)(i * 7));
    ++*(int *)ctx;
}

static void a_body_of_20_mib_passes(void **state)
{
    static const struct channel_ops large = {on_large, on_close};
    struct msg_command c = {0, SLICE_LIT("{}"), {NULL, 20 << 20}};
    char *blob = mem_calloc(c.blob.n, 1);
    struct channel *far;
    struct ends e;
    int got = 0;
    size_t i;

    (void)state;
    for (i = 0; i < c.blob.n; i++)
        blob[i] = (char)(i * 7);
    c.blob.p = blob;
    open_ends(&e, SOCK_STREAM, FRAME_MAX_CONTROL);
    far = channel_new(e.base, e.far, FRAME_MAX_CONTROL, &large, &got);
    e.far = -1;
    assert_int_equal(channel_send(e.ch, MSG_COMMAND, 1, &c), 0);
    assert_int_equal(channel_send(e.ch, MSG_COMMAND, 2, &c), 0);
    until(&e, &got, 2);
    channel_free(far);
    close_ends(&e);
    free(blob);
}

static void freeing_inside_on_frame_stops_delivery(void **state)
{
    uint8_t bytes[64];
    struct ends e;

    (void)state;
    open_ends(&e, SOCK_STREAM, FRAME_MAX);
    e.free_in_frame = true;
    put(&e, bytes, make_event(bytes, 1, "{}"));
    put(&e, bytes, make_event(bytes, 2, "{}"));
    turn(&e);
    turn(&e);
    assert_int_equal(e.frames, 1);
    assert_int_equal(e.closes, 0);
    close_ends(&e);
}

static void frames_before_the_end_are_delivered_and_the_end_told_once(void **state)
{
    uint8_t bytes[64];
    struct ends e;

    (void)state;
    open_ends(&e, SOCK_STREAM, FRAME_MAX);
    put(&e, bytes, make_event(bytes, 1, "{}"));
    close(e.far);
    e.far = -1;
    until(&e, &e.closes, 1);
    assert_int_equal(e.frames, 1);
    assert_string_equal(e.why, "closed by the other end");
    turn(&e);
    assert_int_equal(e.closes, 1);
    assert_int_equal(channel_send(e.ch, MSG_PING, 0, &(struct msg_ping){0}), -EPIPE);
    close_ends(&e);
}

static void an_end_inside_a_frame_is_named(void **state)
{
    uint8_t bytes[64];
    struct ends e;

    (void)state;
    open_ends(&e, SOCK_STREAM, FRAME_MAX);
    e.free_in_close = true;
    put(&e, bytes, make_event(bytes, 1, "{}") - 1);
    close(e.far);
    e.far = -1;
    until(&e, &e.closes, 1);
    assert_string_equal(e.why, "closed in the middle of a frame");
    close_ends(&e);
}

static void nonsense_closes_the_channel(void **state)
{
    uint8_t bytes[64];
    struct ends e;

    (void)state;
    open_ends(&e, SOCK_STREAM, 1000);
    put(&e, bytes, make_event(bytes, 1, "{}"));
    frame_write_head(bytes, MSG_EVENT, 1, 1001);
    put(&e, bytes, FRAME_HEAD);
    until(&e, &e.closes, 1);
    assert_int_equal(e.frames, 1);
    turn(&e);
    assert_int_equal(e.closes, 1);
    close_ends(&e);
}

static void the_last_words_of_one_who_left_are_heard(void **state)
{
    uint8_t bytes[64];
    struct ends e;

    (void)state;
    open_ends(&e, SOCK_STREAM, FRAME_MAX);
    put(&e, bytes, make_event(bytes, 5, "{}"));
    close(e.far);
    e.far = -1;
    /* The write fails before the loop has read anything. */
    assert_int_equal(channel_send(e.ch, MSG_PING, 0, &(struct msg_ping){0}), 0);
    until(&e, &e.closes, 1);
    assert_int_equal(e.frames, 1);
    assert_int_equal(e.last_id, 5);
    close_ends(&e);
}

static void nonsense_and_a_broken_pipe_close_only_once(void **state)
{
    uint8_t bytes[FRAME_HEAD] = {0};
    struct ends e;

    (void)state;
    open_ends(&e, SOCK_STREAM, FRAME_MAX);
    put(&e, bytes, sizeof(bytes));
    close(e.far);
    e.far = -1;
    assert_int_equal(channel_send(e.ch, MSG_PING, 0, &(struct msg_ping){0}), 0);
    until(&e, &e.closes, 1);
    turn(&e);
    assert_int_equal(e.closes, 1);
    close_ends(&e);
}

static void a_full_channel_refuses_more(void **state)
{
    struct msg_ready m = {{NULL, 60000}};
    char *text = mem_calloc(m.error.n, 1);
    struct ends e;
    size_t queued;

    (void)state;
    m.error.p = text;
    open_ends(&e, SOCK_STREAM, FRAME_MAX);
    channel_limit(e.ch, 100000);
    while (channel_queued(e.ch) < 100000)
        assert_int_equal(channel_send(e.ch, MSG_READY, 0, &m), 0);
    queued = channel_queued(e.ch);
    assert_in_range(queued, 100000, 200000);
    assert_int_equal(channel_send(e.ch, MSG_READY, 0, &m), -ENOBUFS);
    assert_int_equal(channel_queued(e.ch), queued);
    while (channel_queued(e.ch) != 0) {
        turn(&e);
        (void)!recv(e.far, text, m.error.n, MSG_DONTWAIT);
    }
    assert_int_equal(channel_send(e.ch, MSG_READY, 0, &m), 0);
    close_ends(&e);
    free(text);
}

static void a_message_the_other_end_would_refuse_is_not_sent(void **state)
{
    char *text = mem_calloc(70000, 1);
    struct msg_ready too_long = {{text, 70000}};
    struct msg_event over_max = {SLICE_LIT("t"), {text, 2000}};
    struct ends e;

    (void)state;
    open_ends(&e, SOCK_STREAM, 1000);
    assert_int_equal(channel_send(e.ch, MSG_READY, 0, &too_long), -EMSGSIZE);
    assert_int_equal(channel_send(e.ch, MSG_EVENT, 0, &over_max), -EMSGSIZE);
    assert_int_equal(channel_queued(e.ch), 0);
    close_ends(&e);
    free(text);
}

static void finishing_writes_everything_first(void **state)
{
    static char sink[1 << 20];
    struct msg_ready m = {{NULL, 60000}};
    char *text = mem_calloc(m.error.n, 1);
    size_t want, got = 0;
    struct ends e;
    int i;

    (void)state;
    m.error.p = text;
    open_ends(&e, SOCK_STREAM, FRAME_MAX);
    for (i = 0; i < 20; i++)
        assert_int_equal(channel_send(e.ch, MSG_READY, 0, &m), 0);
    want = 20 * (FRAME_HEAD + message_size(MSG_READY, &m));
    channel_finish(e.ch);
    assert_int_equal(channel_send(e.ch, MSG_READY, 0, &m), -EPIPE);
    turn(&e);
    assert_int_equal(e.closes, 0); /* more than a socket holds */
    while (e.closes == 0) {
        ssize_t n = recv(e.far, sink, sizeof(sink), MSG_DONTWAIT);

        got += n > 0 ? (size_t)n : 0;
        turn(&e);
    }
    channel_free(e.ch);
    e.ch = NULL;
    while (got < want)
        got += (size_t)recv(e.far, sink, sizeof(sink), 0);
    assert_int_equal(got, want);
    assert_string_equal(e.why, "finished");
    close_ends(&e);
    free(text);
}

static void finishing_with_nothing_queued_closes_at_once(void **state)
{
    struct ends e;

    (void)state;
    open_ends(&e, SOCK_STREAM, FRAME_MAX);
    channel_finish(e.ch);
    assert_int_equal(e.closes, 0); /* not from inside the call */
    turn(&e);
    assert_int_equal(e.closes, 1);
    close_ends(&e);
}

static void a_forwarded_frame_keeps_its_payload(void **state)
{
    uint8_t bytes[64], got[64];
    size_t n = make_event(bytes, 1, "{}");
    struct frame f = {MSG_EVENT, 1, {(const char *)bytes + FRAME_HEAD, n - FRAME_HEAD}};
    struct ends e;

    (void)state;
    open_ends(&e, SOCK_STREAM, FRAME_MAX);
    assert_int_equal(channel_forward(e.ch, &f, 77), 0);
    turn(&e);
    make_event(bytes, 77, "{}");
    assert_int_equal(recv(e.far, got, sizeof(got), MSG_DONTWAIT), (ssize_t)n);
    assert_memory_equal(got, bytes, n);
    close_ends(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_split_at_any_byte_arrives_whole),
        cmocka_unit_test(a_descriptor_comes_with_its_frame),
        cmocka_unit_test(a_descriptor_that_nobody_takes_is_closed),
        cmocka_unit_test(the_last_of_several_descriptors_counts),
        cmocka_unit_test(all_frames_that_have_arrived_come_in_one_turn),
        cmocka_unit_test(what_is_sent_in_one_turn_leaves_in_one_write),
        cmocka_unit_test(ten_thousand_frames_arrive_in_order),
        cmocka_unit_test(a_body_of_20_mib_passes),
        cmocka_unit_test(freeing_inside_on_frame_stops_delivery),
        cmocka_unit_test(frames_before_the_end_are_delivered_and_the_end_told_once),
        cmocka_unit_test(an_end_inside_a_frame_is_named),
        cmocka_unit_test(nonsense_closes_the_channel),
        cmocka_unit_test(the_last_words_of_one_who_left_are_heard),
        cmocka_unit_test(nonsense_and_a_broken_pipe_close_only_once),
        cmocka_unit_test(a_full_channel_refuses_more),
        cmocka_unit_test(a_message_the_other_end_would_refuse_is_not_sent),
        cmocka_unit_test(finishing_writes_everything_first),
        cmocka_unit_test(finishing_with_nothing_queued_closes_at_once),
        cmocka_unit_test(a_forwarded_frame_keeps_its_payload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
