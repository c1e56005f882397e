/* SPDX-License-Identifier: MIT */
#include "server_fixture.h"

#define SHORT_MS 150

/* -- refusals -- */

static void plain_text_on_a_tls_port_is_never_answered_in_plain_text(void **state)
{
    static const char *const texts[] = {FIVE, "GET / HTTP/1.0\r\n\r\n", "\r\n\r\n", "\x16\x03\x01"};
    struct server_limits limits = generous();
    struct fixture *f;

    (void)state;
    limits.handshake_ms = SHORT_MS;
    f = fixture_new(&limits, true);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct client *c = client_open(f);

        client_say(c, texts[i]);
        until(f, client_closed(c));
        assert_false(client_has(c, "HTTP"));
        if (c->got.len != 0)
            assert_int_equal(c->got.data[0], 0x15); /* an alert */
        client_free(c);
    }
    assert_int_equal(f->heads, 0);
    fixture_free(f);
}

static void a_refusal_says_why_and_closes(void **state)
{
    static const struct {
        const char *text, *status, *header;
        const char *counter;
    } cases[] = {
        {"POST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n", "404 Not Found",
         "Content-Length: 0", "refused_request"},
        {"POST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n", "404 Not Found",
         "Content-Length: 0", "refused_request"},
        {"PUT /put HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n", "405 Method Not Allowed",
         "Allow: POST", "refused_request"},
        {"PUT /ok HTTP/1.1\r\n\r\n", "400 Bad Request", "Content-Length: 0", "refused_malformed"},
        {"GET /ok\r\n", "400 Bad Request", "Content-Length: 0", "refused_malformed"},
        {"GET /ok HTTP/1.1\r\nHost: h\n\n", "400 Bad Request", "Content-Length: 0",
         "refused_malformed"},
        {POST("Content-Length: 1048577\r\n", ""), "413 Content Too Large", "Content-Length: 0",
         "refused_body_size"},
        {POST("Transfer-Encoding: chunked\r\n", "100001\r\n"), "413 Content Too Large",
         "Content-Length: 0", "refused_body_size"},
        {POST("Transfer-Encoding: chunked\r\n", "2\r\nabc\r\n"), "400 Bad Request",
         "Content-Length: 0", "refused_malformed"},
    };
    struct server_limits limits = generous();

    (void)state;
    for (int tls = 0; tls < 2; tls++) {
        struct fixture *f = fixture_new(&limits, tls != 0);

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            struct client *c = client_ready(f);
            uint64_t before = counter(f, cases[i].counter);

            client_say(c, cases[i].text);
            until(f, client_closed(c));
            assert_true(client_has(c, cases[i].status));
            assert_true(client_has(c, cases[i].header));
            assert_true(client_has(c, "Connection: close"));
            assert_int_equal(client_count(c, "HTTP/1.1"), 1);
            assert_int_equal(counter(f, cases[i].counter), before + 1);
            client_free(c);
        }
        assert_int_equal(f->requests, 0);
        fixture_free(f);
    }
}

static void a_refused_body_is_neither_awaited_nor_kept(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f = fixture_new(&limits, false);
    struct client *c = client_ready(f);
    static char junk[100000];

    (void)state;
    memset(junk, 'j', sizeof(junk));
    client_say(c, "POST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
    until(f, client_has(c, "404 Not Found"));
    client_send(c, junk, sizeof(junk));
    until(f, client_closed(c));
    assert_int_equal(client_count(c, "HTTP/1.1"), 1);
    assert_int_equal(f->requests, 0);
    client_free(c);
    fixture_free(f);
}

static void a_head_without_end_is_refused(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f = fixture_new(&limits, false);
    struct client *c = client_ready(f);
    static char junk[20000];

    (void)state;
    memset(junk, 'j', sizeof(junk));
    client_send(c, junk, sizeof(junk));
    until(f, client_closed(c));
    assert_true(client_has(c, "431 "));
    assert_int_equal(counter(f, "refused_head_size"), 1);
    client_free(c);
    fixture_free(f);
}

static void bodies_together_have_a_budget(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f;
    struct client *a;
    struct client *b;

    (void)state;
    limits.body_budget = 1000;
    f = fixture_new(&limits, false);
    a = client_ready(f);
    b = client_ready(f);
    client_say(a, POST("Content-Length: 600\r\n", "x"));
    until(f, f->heads == 1);
    client_say(b, POST("Content-Length: 600\r\n", "x"));
    until(f, client_closed(b));
    assert_true(client_has(b, "503 Service Unavailable"));
    assert_true(client_has(b, "Retry-After: "));
    client_free(b);
    b = client_ready(f);
    client_say(b, POST("Transfer-Encoding: chunked\r\n", "400\r\n"));
    for (int i = 0; i < 0x20; i++)
        client_say(b, "0123456789abcdef0123456789abcdef");
    until(f, client_has(b, "503 Service Unavailable"));
    client_free(b);
    client_free(a); /* gives its share back */
    until(f, counter(f, "open") == 0);
    a = client_ready(f);
    client_say(a, POST("Content-Length: 5\r\n", "hello"));
    until(f, client_has(a, "200 OK"));
    client_say(a, POST("Content-Length: 999\r\n", "x"));
    until(f, f->heads == 5);
    assert_false(client_has(a, "503"));
    assert_int_equal(counter(f, "refused_budget"), 2);
    client_free(a);
    fixture_free(f);
}

/* -- 100 Continue -- */

static void continue_only_when_admitted(struct fixture *f)
{
    struct client *c = client_ready(f);

    for (int i = 1; i <= 2; i++) {
        client_say(c, POST("Content-Length: 5\r\nExpect: 100-continue\r\n", ""));
        until(f, client_count(c, "HTTP/1.1 100 Continue\r\n\r\n") == i);
        client_say(c, "he");
        turn(f);
        client_say(c, "llo");
        until(f, client_count(c, "\r\n\r\nok") == i);
        assert_string_equal(f->body, "hello");
    }
    client_say(c, POST("Content-Length: 5\r\nExpect: 100-continue\r\n", "12345"));
    until(f, client_count(c, "\r\n\r\nok") == 3);
    assert_int_equal(client_count(c, "100 Continue"), 2); /* it did not wait */
    client_say(c, POST("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n", ""));
    until(f, client_count(c, "100 Continue") == 3);
    client_say(c, "2\r\nxy\r\n0\r\n\r\n");
    until(f, client_closed(c));
    assert_string_equal(f->body, "xy");
    client_free(c);

    c = client_ready(f);
    client_say(c, "POST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
                  "Expect: 100-continue\r\n\r\n");
    until(f, client_closed(c));
    assert_false(client_has(c, "100 Continue"));
    assert_true(client_has(c, "404 Not Found"));
    client_free(c);

    c = client_ready(f);
    client_say(c, POST("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n", ""));
    until(f, client_has(c, "100 Continue"));
    client_say(c, "nonsense");
    until(f, client_closed(c));
    assert_true(client_has(c, "400 Bad Request"));
    client_free(c);
}

static void a_body_is_invited_only_when_its_head_was_admitted(void **state)
{
    struct server_limits limits = generous();

    (void)state;
    for (int tls = 0; tls < 2; tls++) {
        struct fixture *f = fixture_new(&limits, tls != 0);

        continue_only_when_admitted(f);
        fixture_free(f);
    }
}

/* -- deadlines -- */

static bool dribble(struct client *c, const char *text)
{
    static int at;

    if (client_closed(c))
        return true;
    if (text != NULL && text[0] != '\0' && at++ % 10 == 0)
        send(c->fd, text, 1, MSG_NOSIGNAL);
    turn(c->f);
    return false;
}

/* Sends the start, then single bytes for as long as the connection lives. */
static void ends_by(struct server_limits limits, const char *start, const char *byte,
                    const char *name)
{
    struct fixture *f = fixture_new(&limits, false);
    struct client *c = client_ready(f);
    int64_t start_ms;

    client_say(c, start);
    until(f, counter(f, "open") == 1);
    start_ms = clock_mono_ms();
    until(f, dribble(c, byte));
    assert_in_range(clock_mono_ms() - start_ms, SHORT_MS / 2, 20 * SHORT_MS);
    assert_int_equal(counter(f, name), 1);
    until(f, counter(f, "open") == 0);
    client_free(c);
    fixture_free(f);
}

static void a_deadline_is_not_moved_by_bytes(void **state)
{
    struct server_limits limits = generous();

    (void)state;
    limits.header_ms = SHORT_MS;
    ends_by(limits, "P", "x", "timeout_header");
    ends_by(limits, "P", NULL, "timeout_header");
    limits = generous();
    limits.body_ms = SHORT_MS;
    ends_by(limits, POST("Content-Length: 100000\r\n", "x"), "x", "timeout_body");
    ends_by(limits, POST("Transfer-Encoding: chunked\r\n", "fffff\r\n"), "x", "timeout_body");
    ends_by(limits, POST("Content-Length: 9\r\nExpect: 100-continue\r\n", ""), NULL,
            "timeout_body");
}

static void a_connection_between_requests_does_not_stay_for_ever(void **state)
{
    struct server_limits limits = generous();

    (void)state;
    limits.header_ms = SHORT_MS;
    ends_by(limits, FIVE, NULL, "timeout_idle");
    ends_by(limits, FIVE, "P", "timeout_idle");
}

static void a_handshake_has_a_deadline(void **state)
{
    static const char *const starts[] = {"\x16", "\x16\x03\x01\x02"};
    struct server_limits limits = generous();
    struct fixture *f;

    (void)state;
    limits.handshake_ms = SHORT_MS;
    f = fixture_new(&limits, true);
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        struct client *c = client_open(f);

        client_say(c, starts[i]);
        until(f, client_closed(c));
        assert_int_equal(counter(f, "timeout_handshake"), i + 1);
        client_free(c);
    }
    fixture_free(f);
}

static void after_the_handshake_the_head_has_its_own_deadline(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f;
    struct client *c;

    (void)state;
    limits.header_ms = SHORT_MS;
    f = fixture_new(&limits, true);
    c = client_ready(f);
    until(f, client_closed(c));
    assert_int_equal(counter(f, "handshakes"), 1);
    assert_int_equal(counter(f, "timeout_header"), 1);
    client_free(c);
    fixture_free(f);
}

static void a_client_that_does_not_read_is_left(void **state)
{
    struct server_limits limits = generous();
    char *text = mem_calloc(1, 32 << 20);

    (void)state;
    limits.reply_ms = SHORT_MS;
    for (int tls = 0; tls < 2; tls++) {
        struct fixture *f = fixture_new(&limits, tls != 0);
        struct client *c = client_ready(f);

        f->reply_body = text;
        f->reply_len = 32 << 20;
        client_say(c, FIVE);
        until(f, counter(f, "timeout_reply") == 1);
        until(f, counter(f, "open") == 0);
        client_free(c);
        fixture_free(f);
    }
    free(text);
}

static void a_held_request_has_no_deadline_of_the_servers(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f;
    struct client *c;
    int64_t end_ms;

    (void)state;
    limits.header_ms = limits.body_ms = limits.reply_ms = 20;
    f = fixture_new(&limits, false);
    c = client_ready(f);
    f->hold = true;
    client_say(c, FIVE);
    until(f, f->held != NULL);
    end_ms = clock_mono_ms() + 100;
    until(f, clock_mono_ms() > end_ms);
    assert_false(client_closed(c));
    fixture_reply(f, f->held);
    until(f, client_has(c, "200 OK"));
    client_free(c);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_on_a_tls_port_is_never_answered_in_plain_text),
        cmocka_unit_test(a_refusal_says_why_and_closes),
        cmocka_unit_test(a_refused_body_is_neither_awaited_nor_kept),
        cmocka_unit_test(a_head_without_end_is_refused),
        cmocka_unit_test(bodies_together_have_a_budget),
        cmocka_unit_test(a_body_is_invited_only_when_its_head_was_admitted),
        cmocka_unit_test(a_deadline_is_not_moved_by_bytes),
        cmocka_unit_test(a_connection_between_requests_does_not_stay_for_ever),
        cmocka_unit_test(a_handshake_has_a_deadline),
        cmocka_unit_test(after_the_handshake_the_head_has_its_own_deadline),
        cmocka_unit_test(a_client_that_does_not_read_is_left),
        cmocka_unit_test(a_held_request_has_no_deadline_of_the_servers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
