/* SPDX-License-Identifier: MIT */
#include "server_fixture.h"

#include <malloc.h>

#define SHORT_MS 150
#define MIB      (1 << 20)

static char junk[MIB];

/* Sends so many MiB of x without reading anything; false when the server wants no more. */
static bool pour(struct client *c, int mib)
{
    int64_t end_ms = clock_mono_ms() + PATIENCE_MS;
    size_t left = (size_t)mib * MIB;

    memset(junk, 'x', sizeof(junk));
    while (left != 0) {
        size_t n = left < MIB ? left : MIB;
        ssize_t put =
            c->ssl != NULL ? SSL_write(c->ssl, junk, (int)n) : send(c->fd, junk, n, MSG_NOSIGNAL);

        assert_true(clock_mono_ms() < end_ms);
        if (put > 0)
            left -= (size_t)put;
        else if (c->ssl != NULL ? SSL_get_error(c->ssl, (int)put) != SSL_ERROR_WANT_WRITE
                                : errno != EAGAIN)
            return false;
        turn(c->f);
    }
    return true;
}

/* Whatever ends within the test's patience does not end by a deadline. */
static struct server_limits patient(void)
{
    struct server_limits limits = generous();

    limits.body_ms = 10 * PATIENCE_MS;
    return limits;
}

/* What the allocator has given out; with a sanitizer always 0. */
static size_t in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static void with_both(const struct server_limits *limits, void (*test)(struct fixture *f))
{
    for (int tls = 0; tls < 2; tls++) {
        struct fixture *f = fixture_new(limits, tls != 0);

        test(f);
        fixture_free(f);
    }
}

/* -- who is told -- */

static void send_first(struct fixture *f, const char *start, const char *status)
{
    struct client *c = client_ready(f);
    size_t before = in_use();

    client_say(c, start);
    assert_true(pour(c, 30));
    until(f, client_closed(c));
    assert_true(client_has(c, status));
    assert_true(client_has(c, "Connection: close"));
    assert_int_equal(c->notified, f->tls != NULL);
    assert_int_equal(counter(f, "open"), 1);
    assert_true(in_use() < before + MIB / 2);
    assert_true(pour(c, 1));
    client_free(c);
    until(f, counter(f, "open") == 0);
}

static void sent_first(struct fixture *f)
{
    static const struct {
        const char *start, *status;
    } cases[] = {
        {POST("Content-Length: 31457280\r\n", ""), "HTTP/1.1 413 "},
        {POST("Content-Length: 700000\r\n", ""), "HTTP/1.1 503 "},
        {POST("Transfer-Encoding: chunked\r\n", "1000000\r\n"), "HTTP/1.1 413 "},
        {POST("Transfer-Encoding: chunked\r\n", "fffff\r\n"), "HTTP/1.1 503 "},
        {POST("Transfer-Encoding: chunked\r\n", "what\r\n"), "HTTP/1.1 400 "},
        {"PUT /put HTTP/1.1\r\nHost: h\r\nContent-Length: 31457280\r\n\r\n", "HTTP/1.1 405 "},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        send_first(f, cases[i].start, cases[i].status);
    assert_int_equal(server_held_bytes(f->server), 0);
    assert_int_equal(counter(f, "timeout_linger"), 0);
    assert_int_equal(counter(f, "dropped_flood"), 0);
    assert_int_equal(f->requests, 0);
}

static void a_client_that_sends_first_is_told_why_it_is_refused(void **state)
{
    struct server_limits limits = patient();

    (void)state;
    limits.body_budget = 600000;
    with_both(&limits, sent_first);
}

static void continued(struct fixture *f)
{
    struct client *c = client_ready(f);

    client_say(c, POST("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n", ""));
    until(f, client_has(c, "100 Continue"));
    client_say(c, "1000000\r\n");
    assert_true(pour(c, 30));
    until(f, client_closed(c));
    assert_true(client_has(c, "HTTP/1.1 413 "));
    client_free(c);
    until(f, counter(f, "open") == 0);
}

static void so_is_one_that_was_invited_to_send(void **state)
{
    struct server_limits limits = patient();

    (void)state;
    with_both(&limits, continued);
}

/* -- who is not -- */

static void stranger(struct fixture *f)
{
    static const char no[] = "POST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 31457280\r\n\r\n";
    struct client *c = client_ready(f);

    client_say(c, no);
    assert_false(pour(c, 30));
    until(f, counter(f, "open") == 0);
    client_free(c);
    c = client_ready(f); /* what was good before is no excuse */
    client_say(c, FIVE);
    until(f, client_has(c, "ok"));
    client_say(c, no);
    until(f, counter(f, "open") == 0);
    client_free(c);
}

static void a_stranger_is_closed_on_at_once_where_the_limits_say_so(void **state)
{
    struct server_limits limits = patient();

    (void)state;
    with_both(&limits, stranger);
}

/* -- who is for a while -- */

#define NO "POST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 31457280\r\n\r\n"

/* Strangers may send on so much. */
static struct server_limits lenient(uint64_t bytes)
{
    struct server_limits limits = patient();

    limits.stranger_bytes = bytes;
    return limits;
}

static void stranger_told(struct fixture *f)
{
    static const struct {
        const char *start, *status;
    } cases[] = {
        {"POST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 3145728\r\n\r\n", "HTTP/1.1 404 "},
        {"POST /no HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 404 "},
        {"what\r\n\r\n", "HTTP/1.1 400 "},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct client *c = client_ready(f);

        client_say(c, cases[i].start);
        until(f, client_closed(c));
        assert_true(client_has(c, cases[i].status));
        assert_true(pour(c, 3));
        client_free(c);
        until(f, counter(f, "open") == 0);
    }
    assert_int_equal(counter(f, "timeout_linger"), 0);
    assert_int_equal(counter(f, "dropped_flood"), 0);
}

static void a_stranger_that_sends_first_is_told_why_as_well(void **state)
{
    struct server_limits limits = lenient(4 * MIB);

    (void)state;
    with_both(&limits, stranger_told);
}

static void stranger_cut(struct fixture *f)
{
    struct client *c = client_ready(f);

    client_say(c, NO);
    assert_false(pour(c, 30));
    until(f, counter(f, "open") == 0);
    assert_int_equal(counter(f, "dropped_flood"), 1);
    client_free(c);
}

static void but_may_not_send_much(void **state)
{
    struct server_limits limits = lenient(MIB);

    (void)state;
    with_both(&limits, stranger_cut);
}

static void stranger_outstayed(struct fixture *f)
{
    int64_t start_ms = clock_mono_ms();
    struct client *c = client_ready(f);

    client_say(c, NO);
    until(f, client_closed(c));
    until(f, counter(f, "open") == 0);
    assert_in_range(clock_mono_ms() - start_ms, 1900, 4000);
    assert_int_equal(counter(f, "timeout_linger"), 1);
    client_free(c);
}

static void and_not_for_long(void **state)
{
    struct server_limits limits = lenient(MIB);

    (void)state;
    with_both(&limits, stranger_outstayed);
}

static void stranger_evicted(struct fixture *f)
{
    struct client *first = client_ready(f);
    struct client *refused = client_ready(f);
    struct client *last;

    client_say(first, "P");
    client_say(refused, NO);
    until(f, client_closed(refused));
    last = client_ready(f);
    client_say(last, "P");
    until(f, counter(f, "evicted_connections") == 1);
    client_say(first, FIVE + 1);
    until(f, client_has(first, "ok"));
    client_free(first);
    client_free(refused);
    client_free(last);
}

static void it_makes_room_for_those_who_have_no_answer_yet(void **state)
{
    struct server_limits limits = lenient(MIB);

    (void)state;
    limits.connections = 2;
    with_both(&limits, stranger_evicted);
}

static void pipelined(struct fixture *f)
{
    struct client *c = client_ready(f);
    int one = 1;

    assert_int_equal(setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
    f->hold = true;
    f->held = NULL;
    client_say(c, POST("Content-Length: 5\r\nConnection: close\r\n", "hello"));
    until(f, f->held != NULL);
    client_say(c, FIVE FIVE);
    f->hold = false;
    fixture_reply(f, f->held);
    until(f, counter(f, "replies_2xx") != 0);
    turn(f);
    client_say(c, FIVE);
    assert_int_equal(counter(f, "open"), 1);
    until(f, client_closed(c));
    assert_true(client_has(c, "\r\n\r\nok"));
    assert_int_equal(f->requests, 1);
    client_free(c);
    until(f, counter(f, "open") == 0);
    assert_int_equal(counter(f, "timeout_linger"), 0);
}

static void what_is_sent_behind_a_last_request_resets_nothing(void **state)
{
    struct server_limits limits = lenient(MIB);

    (void)state;
    with_both(&limits, pipelined);
}

/* -- who has nothing more to say -- */

static void sent_all(struct fixture *f)
{
    static const char *const texts[] = {
        "PUT /put HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        "PUT /put HTTP/1.1\r\nHost: h\r\n\r\n",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct client *c = client_ready(f);

        client_say(c, texts[i]);
        until(f, counter(f, "replies_4xx") == i + 1 && counter(f, "open") == 0);
        assert_true(client_has(c, "HTTP/1.1 405 "));
        client_free(c);
    }
}

static void a_request_that_is_whole_is_not_waited_for(void **state)
{
    struct server_limits limits = patient();

    (void)state;
    with_both(&limits, sent_all);
    limits = lenient(MIB);
    with_both(&limits, sent_all);
}

/* -- for how long -- */

static struct client *lingering(struct fixture *f)
{
    struct client *c = client_ready(f);

    client_say(c, POST("Content-Length: 31457280\r\n", "x"));
    until(f, client_closed(c));
    assert_true(client_has(c, "HTTP/1.1 413 "));
    return c;
}

static void outstayed(struct fixture *f)
{
    int64_t start_ms = clock_mono_ms();
    struct client *c = lingering(f);

    assert_int_equal(counter(f, "open"), 1);
    while (counter(f, "open") == 1 && clock_mono_ms() < start_ms + PATIENCE_MS)
        (void)pour(c, 1);
    assert_in_range(clock_mono_ms() - start_ms, SHORT_MS, 20 * SHORT_MS);
    assert_int_equal(counter(f, "open"), 0);
    assert_int_equal(counter(f, "timeout_linger"), 1);
    client_free(c);
}

static void the_rest_has_a_deadline_that_bytes_do_not_move(void **state)
{
    struct server_limits limits = patient();

    (void)state;
    limits.body_ms = SHORT_MS;
    with_both(&limits, outstayed);
}

static void on_drained(void *ctx)
{
    ((struct fixture *)ctx)->idle_calls++;
}

static void drained(struct fixture *f)
{
    struct client *before = lingering(f);
    struct client *during = client_ready(f);
    int64_t start_ms;

    client_say(during, POST("Transfer-Encoding: chunked\r\n", "1\r\n"));
    until(f, f->heads == 2);
    start_ms = clock_mono_ms();
    server_drain(f->server, on_drained, f);
    client_say(during, "too long\r\n");
    until(f, client_has(during, "HTTP/1.1 400 "));
    assert_int_equal(f->idle_calls, 0);
    until(f, f->idle_calls == 1);
    assert_in_range(clock_mono_ms() - start_ms, 900, 3000);
    assert_int_equal(counter(f, "timeout_linger"), 2);
    client_free(before);
    client_free(during);
}

static void a_drain_does_not_wait_long_for_the_rest(void **state)
{
    struct server_limits limits = patient();

    (void)state;
    with_both(&limits, drained);
}

static void left_behind(struct fixture *f)
{
    struct client *c = lingering(f);

    assert_int_equal(counter(f, "open"), 1);
    server_free(f->server);
    f->server = NULL;
    client_free(c);
}

static void a_server_may_end_while_the_rest_is_on_its_way(void **state)
{
    struct server_limits limits = patient();

    (void)state;
    with_both(&limits, left_behind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_sends_first_is_told_why_it_is_refused),
        cmocka_unit_test(so_is_one_that_was_invited_to_send),
        cmocka_unit_test(a_stranger_is_closed_on_at_once_where_the_limits_say_so),
        cmocka_unit_test(a_stranger_that_sends_first_is_told_why_as_well),
        cmocka_unit_test(but_may_not_send_much),
        cmocka_unit_test(and_not_for_long),
        cmocka_unit_test(it_makes_room_for_those_who_have_no_answer_yet),
        cmocka_unit_test(what_is_sent_behind_a_last_request_resets_nothing),
        cmocka_unit_test(a_request_that_is_whole_is_not_waited_for),
        cmocka_unit_test(the_rest_has_a_deadline_that_bytes_do_not_move),
        cmocka_unit_test(a_drain_does_not_wait_long_for_the_rest),
        cmocka_unit_test(a_server_may_end_while_the_rest_is_on_its_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
