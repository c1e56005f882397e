/* SPDX-License-Identifier: MIT */
#include "server_fixture.h"

static void with_both(void (*test)(struct fixture *f))
{
    struct server_limits limits = generous();

    for (int tls = 0; tls < 2; tls++) {
        struct fixture *f = fixture_new(&limits, tls != 0);

        test(f);
        fixture_free(f);
    }
}

/* -- requests and replies -- */

static void request_and_reply(struct fixture *f)
{
    struct client *c = client_ready(f);

    client_say(c, "POST /callback/x?y HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    until(f, client_has(c, "\r\n\r\nok"));
    assert_string_equal(f->path, "/callback/x");
    assert_string_equal(f->body, "hello");
    assert_string_equal(f->peer, "127.0.0.1");
    assert_true(str_starts(buf_text(&c->got), "HTTP/1.1 200 OK\r\nDate: "));
    assert_true(client_has(c, "\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"));
    assert_false(client_has(c, "Server"));
    assert_false(client_has(c, "Connection"));
    client_free(c);
}

static void a_request_reaches_its_owner_and_is_answered(void **state)
{
    (void)state;
    with_both(request_and_reply);
}

static void byte_by_byte(struct fixture *f)
{
    struct client *c = client_ready(f);
    const char *text = FIVE;

    for (size_t i = 0; text[i] != '\0'; i++) {
        client_send(c, text + i, 1);
        turn(f);
    }
    until(f, client_has(c, "\r\n\r\nok"));
    assert_string_equal(f->body, "hello");
    client_free(c);
}

static void bytes_may_arrive_one_at_a_time(void **state)
{
    (void)state;
    with_both(byte_by_byte);
}

static void chunked(struct fixture *f)
{
    struct client *c = client_ready(f);

    client_say(c, POST("Transfer-Encoding: chunked\r\n", "3;x=y\r\nhel\r\n"));
    turn(f);
    client_say(c, "2\r\nlo\r\n0\r\nTrailer: x\r\n\r\n");
    until(f, client_closed(c));
    assert_string_equal(f->body, "hello");
    assert_int_equal(client_count(c, "HTTP/1.1 200"), 1);
    assert_true(client_has(c, "Connection: close"));
    client_free(c);
}

static void a_chunked_body_is_put_together_and_the_connection_closes(void **state)
{
    (void)state;
    with_both(chunked);
}

static void large_body(struct fixture *f)
{
    struct client *c = client_ready(f);
    char *text = mem_calloc(1, (1 << 20) + 100);
    int n = snprintf(text, 100, POST("Content-Length: %d\r\n", ""), 1 << 20);

    memset(text + n, 'x', 1 << 20);
    f->hold = true;
    client_send(c, text, (size_t)n + (1 << 20));
    until(f, f->held != NULL);
    assert_int_equal(server_request_body(f->held).n, 1 << 20);
    assert_memory_equal(server_request_body(f->held).p, text + n, 1 << 20);
    fixture_reply(f, f->held);
    until(f, client_has(c, "\r\n\r\nok"));
    free(text);
    client_free(c);
}

static void a_body_of_the_largest_size_arrives_whole(void **state)
{
    (void)state;
    with_both(large_body);
}

static void large_reply(struct fixture *f)
{
    struct client *c = client_ready(f);
    char *text = mem_calloc(1, 5 << 20);

    memset(text, 'y', 5 << 20);
    f->reply_body = text;
    f->reply_len = 5 << 20;
    client_say(c, FIVE);
    until(f, client_has(c, "\r\n\r\n") && c->got.len > (5 << 20));
    until(f,
          strstr(buf_text(&c->got), "\r\n\r\n") + 4 + (5 << 20) == buf_text(&c->got) + c->got.len);
    client_free(c);
    free(text);
}

static void a_large_reply_leaves_whole(void **state)
{
    (void)state;
    with_both(large_reply);
}

static void keep_alive(struct fixture *f)
{
    struct client *c = client_ready(f);

    for (int i = 1; i <= 5; i++) {
        client_say(c, FIVE);
        until(f, client_count(c, "\r\n\r\nok") == i);
    }
    assert_false(client_closed(c));
    assert_int_equal(counter(f, "accepted"), 1);
    assert_int_equal(counter(f, "requests"), 5);
    assert_int_equal(counter(f, "replies_2xx"), 5);
    client_free(c);
}

static void a_connection_serves_several_requests(void **state)
{
    (void)state;
    with_both(keep_alive);
}

static void pipeline(struct fixture *f)
{
    struct client *c = client_ready(f);

    client_say(c, "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na"
                  "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
                  "POST /no HTTP/1.1\r\nHost: h\r\n\r\n"
                  "GET /4 HTTP/1.1\r\nHost: h\r\n\r\n");
    until(f, client_closed(c));
    assert_int_equal(f->requests, 2);
    assert_string_equal(f->path, "/2");
    assert_int_equal(client_count(c, "HTTP/1.1 200 OK"), 2);
    assert_int_equal(client_count(c, "HTTP/1.1 404 Not Found"), 1);
    client_free(c);
}

static void requests_in_one_go_are_served_in_order_up_to_a_refusal(void **state)
{
    (void)state;
    with_both(pipeline);
}

/* -- what closes -- */

static void doubts(struct fixture *f)
{
    static const struct {
        const char *text;
        int answer;
        bool closes;
    } cases[] = {
        {FIVE, 200, false},
        {"GET /ok HTTP/1.1\r\nHost: h\r\n\r\n", 200, false},
        {"GET /ok HTTP/1.1\r\nHost: h\r\n\r\n", 204, false},
        {FIVE, 400, true},
        {FIVE, 503, true},
        {POST("Connection: close\r\nContent-Length: 0\r\n", ""), 200, true},
        {POST("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), 200, true},
        {"POST /ok HTTP/1.0\r\nContent-Length: 1\r\n\r\nx", 200, true},
        {"POST /ok HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", 200, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct client *c = client_ready(f);

        f->answer = cases[i].answer;
        client_say(c, cases[i].text);
        until(f, client_has(c, "\r\n\r\n"));
        assert_int_equal(client_has(c, "\r\nConnection: close\r\n"), cases[i].closes);
        if (cases[i].closes)
            until(f, client_closed(c));
        else
            assert_false(client_closed(c));
        client_free(c);
    }
}

static void only_a_clean_answer_keeps_the_connection(void **state)
{
    (void)state;
    with_both(doubts);
}

static void a_connection_ends_after_so_many_requests(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f;
    struct client *c;

    (void)state;
    limits.keepalive_requests = 3;
    f = fixture_new(&limits, false);
    c = client_ready(f);
    for (int i = 1; i <= 3; i++) {
        assert_false(client_has(c, "Connection: close"));
        client_say(c, FIVE);
        until(f, client_count(c, "\r\n\r\nok") == i);
    }
    assert_true(client_has(c, "Connection: close"));
    until(f, client_closed(c));
    client_free(c);
    fixture_free(f);
}

static void an_answer_is_one_record_and_the_end_is_announced(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f = fixture_new(&limits, true);
    struct client *c = client_ready(f);

    (void)state;
    client_say(c, POST("Connection: close\r\n", ""));
    until(f, client_closed(c));
    assert_true(client_has(c, "\r\n\r\nok"));
    assert_int_equal(c->records, 1);
    assert_true(c->notified);
    client_free(c);
    fixture_free(f);
}

static void no_content_has_no_length_and_head_no_body(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f = fixture_new(&limits, false);
    struct client *c = client_ready(f);

    (void)state;
    f->answer = 204;
    client_say(c, FIVE);
    until(f, client_has(c, "\r\n\r\n"));
    assert_false(client_has(c, "Content-Length"));
    f->answer = 200;
    client_say(c, "HEAD /ok HTTP/1.1\r\nHost: h\r\n\r\n");
    until(f, client_has(c, "Content-Length: 2\r\n\r\n"));
    client_say(c, FIVE);
    until(f, client_count(c, "HTTP/1.1 ") == 3);
    assert_int_equal(client_count(c, "\r\n\r\nok"), 1);
    client_free(c);
    fixture_free(f);
}

/* -- the owner's side -- */

static void vanished(struct fixture *f)
{
    struct client *c = client_ready(f);

    f->hold = true;
    client_say(c, FIVE);
    until(f, f->held != NULL);
    client_free(c);
    for (int i = 0; i < 20; i++)
        turn(f);
    fixture_reply(f, f->held);
    until(f, counter(f, "open") == 0);
}

static void a_reply_to_a_client_that_has_gone_is_dropped(void **state)
{
    (void)state;
    with_both(vanished);
}

static struct client *client_with_held(struct fixture *f)
{
    struct client *c = client_ready(f);

    f->hold = true;
    client_say(c, FIVE);
    until(f, f->held != NULL);
    f->hold = false;
    return c;
}

static void said_all(struct fixture *f)
{
    struct client *c = client_with_held(f);

    assert_int_equal(shutdown(c->fd, SHUT_WR), 0);
    for (int i = 0; i < 20; i++)
        turn(f);
    fixture_reply(f, f->held);
    until(f, client_has(c, "\r\n\r\nok") && client_closed(c));
    until(f, counter(f, "open") == 0);
    client_free(c);
}

static void a_client_that_will_send_no_more_gets_its_reply(void **state)
{
    (void)state;
    with_both(said_all);
}

static void spoke_on(struct fixture *f)
{
    struct client *c = client_with_held(f);

    client_say(c, POST("Content-Length: 5\r\n", "again"));
    for (int i = 0; i < 20; i++)
        turn(f);
    assert_int_equal(f->requests, 1);
    fixture_reply(f, f->held);
    until(f, client_count(c, "\r\n\r\nok") == 2);
    assert_string_equal(f->body, "again");
    client_free(c);
}

static void a_request_behind_another_waits_for_its_reply(void **state)
{
    (void)state;
    with_both(spoke_on);
}

static void a_flood_behind_a_request_ends_the_connection(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f = fixture_new(&limits, false);
    struct client *c = client_with_held(f);
    static char flood[65536];

    (void)state;
    client_send(c, flood, sizeof(flood));
    until(f, counter(f, "dropped_flood") == 1 && counter(f, "open") == 0);
    fixture_reply(f, f->held);
    assert_int_equal(counter(f, "replies_late"), 1);
    client_free(c);
    fixture_free(f);
}

static void a_server_may_end_with_requests_pending(void **state)
{
    struct server_limits limits = generous();

    (void)state;
    for (int tls = 0; tls < 2; tls++) {
        struct fixture *f = fixture_new(&limits, tls != 0);
        struct client *c = client_ready(f);
        struct client *fresh = client_open(f);

        f->hold = true;
        client_say(c, FIVE);
        until(f, f->held != NULL);
        fixture_free(f);
        client_free(c);
        client_free(fresh);
    }
}

static void user_data_stays_with_the_request(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f = fixture_new(&limits, false);
    struct client *c = client_ready(f);

    (void)state;
    f->hold = true;
    client_say(c, FIVE);
    until(f, f->held != NULL);
    assert_null(server_request_user(f->held));
    server_request_set_user(f->held, c);
    assert_ptr_equal(server_request_user(f->held), c);
    assert_int_equal(server_request_listener(f->held), 0);
    assert_false(server_request_gone(f->held));
    fixture_reply(f, f->held);
    f->held = NULL;
    until(f, client_has(c, "ok"));
    client_say(c, FIVE);
    until(f, f->held != NULL);
    assert_null(server_request_user(f->held)); /* the next request is another one */
    fixture_reply(f, f->held);
    client_free(c);
    fixture_free(f);
}

/* -- streams -- */

static void stream(struct fixture *f)
{
    static const struct server_header length[] = {{"Content-Length", "6"}, {NULL, NULL}};
    struct client *c = client_ready(f);

    f->hold = true;
    for (int i = 1; i <= 2; i++) {
        f->held = NULL;
        client_say(c, FIVE);
        until(f, f->held != NULL);
        server_stream_begin(f->held, 200, NULL);
        server_stream_write(f->held, "abc", 3);
        until(f, client_count(c, "3\r\nabc\r\n") == i);
        server_stream_write(f->held, "de", 2);
        server_stream_end(f->held);
        until(f, client_count(c, "2\r\nde\r\n0\r\n\r\n") == i);
    }
    f->held = NULL;
    client_say(c, FIVE);
    until(f, f->held != NULL);
    server_stream_begin(f->held, 200, length);
    server_stream_write(f->held, "uvw", 3);
    until(f, client_has(c, "\r\n\r\nuvw"));
    server_stream_write(f->held, "xyz", 3);
    server_stream_end(f->held);
    until(f, client_has(c, "uvwxyz"));
    f->hold = false;
    client_say(c, FIVE);
    until(f, client_has(c, "\r\n\r\nok"));
    client_free(c);
}

static void a_reply_may_leave_in_pieces(void **state)
{
    (void)state;
    with_both(stream);
}

static void torn_stream(struct fixture *f)
{
    static const struct server_header length[] = {{"Content-Length", "100"}, {NULL, NULL}};
    struct client *c = client_ready(f);

    f->hold = true;
    client_say(c, FIVE);
    until(f, f->held != NULL);
    server_stream_begin(f->held, 200, length);
    server_stream_write(f->held, "abc", 3);
    server_stream_abort(f->held);
    until(f, client_closed(c));
    assert_true(client_has(c, "\r\n\r\nabc"));
    assert_int_equal(counter(f, "aborted"), 1);
    until(f, counter(f, "open") == 0);
    client_free(c);
}

static void a_stream_may_break_off(void **state)
{
    (void)state;
    with_both(torn_stream);
}

static void abandoned_stream(struct fixture *f)
{
    struct client *c = client_ready(f);
    static const char piece[65536];

    f->hold = true;
    client_say(c, FIVE);
    until(f, f->held != NULL);
    server_stream_begin(f->held, 200, NULL);
    server_stream_write(f->held, "abc", 3);
    until(f, client_has(c, "abc"));
    client_free(c);
    for (int i = 0; i < 100 && !server_request_gone(f->held); i++) {
        server_stream_write(f->held, piece, sizeof(piece));
        turn(f);
    }
    assert_true(server_request_gone(f->held));
    server_stream_write(f->held, "x", 1);
    server_stream_end(f->held);
    until(f, counter(f, "open") == 0);
}

static void a_stream_may_lose_its_client(void **state)
{
    (void)state;
    with_both(abandoned_stream);
}

static void taken(struct fixture *f)
{
    struct client *c = client_ready(f);

    f->take = true;
    for (int i = 1; i <= 2; i++) {
        client_say(c, FIVE);
        until(f, client_count(c, "\r\n\r\nok") == i);
        assert_string_equal(f->body, "hello");
    }
    client_free(c);
}

static void a_body_may_be_taken_from_every_request(void **state)
{
    (void)state;
    with_both(taken);
}

/* -- the end -- */

static void on_drained(void *ctx)
{
    ((struct fixture *)ctx)->idle_calls++;
}

static void drained(struct fixture *f)
{
    struct client *idle = client_ready(f);
    struct client *busy = client_ready(f);
    struct client *late = client_open(f);

    client_say(idle, FIVE);
    until(f, client_has(idle, "ok"));
    f->hold = true;
    client_say(busy, FIVE);
    until(f, f->held != NULL);
    server_drain(f->server, on_drained, f);
    until(f, client_closed(idle));
    assert_int_equal(f->idle_calls, 0);
    assert_false(client_closed(busy));
    if (f->tls == NULL)
        client_say(late, FIVE); /* stays in the backlog, for whoever shares the socket */
    fixture_reply(f, f->held);
    until(f, f->idle_calls == 1);
    until(f, client_closed(busy));
    assert_true(client_has(busy, "Connection: close"));
    for (int i = 0; i < 20; i++)
        turn(f);
    assert_int_equal(f->idle_calls, 1);
    assert_int_equal(f->requests, 2);
    client_free(idle);
    client_free(busy);
    client_free(late);
}

static void a_drain_finishes_what_is_busy_and_ends_what_is_idle(void **state)
{
    (void)state;
    with_both(drained);
}

static void an_idle_server_is_drained_at_once_but_from_the_loop(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f = fixture_new(&limits, false);

    (void)state;
    server_drain(f->server, on_drained, f);
    assert_int_equal(f->idle_calls, 0);
    until(f, f->idle_calls == 1);
    fixture_free(f);
}

static void a_drain_does_not_wait_long_for_a_first_request(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f = fixture_new(&limits, false);
    struct client *quick = client_ready(f);
    struct client *silent = client_ready(f);
    int64_t start_ms;

    (void)state;
    client_say(quick, "P");
    client_say(silent, "P");
    until(f, counter(f, "open") == 2);
    start_ms = clock_mono_ms();
    server_drain(f->server, on_drained, f);
    client_say(quick, &FIVE[1]);
    until(f, client_has(quick, "\r\n\r\nok"));
    until(f, f->idle_calls == 1);
    assert_in_range(clock_mono_ms() - start_ms, 900, 3000);
    client_free(quick);
    client_free(silent);
    fixture_free(f);
}

static void a_drain_does_not_wait_long_for_who_has_just_shaken_hands(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f = fixture_new(&limits, true);
    struct client *c = client_open(f);
    int64_t start_ms;

    (void)state;
    until(f, counter(f, "open") == 1);
    start_ms = clock_mono_ms();
    server_drain(f->server, on_drained, f);
    client_start_tls(c);
    until(f, client_handshake_step(c));
    until(f, f->idle_calls == 1);
    assert_in_range(clock_mono_ms() - start_ms, 900, 5000);
    client_free(c);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_reaches_its_owner_and_is_answered),
        cmocka_unit_test(bytes_may_arrive_one_at_a_time),
        cmocka_unit_test(a_chunked_body_is_put_together_and_the_connection_closes),
        cmocka_unit_test(a_body_of_the_largest_size_arrives_whole),
        cmocka_unit_test(a_large_reply_leaves_whole),
        cmocka_unit_test(a_connection_serves_several_requests),
        cmocka_unit_test(requests_in_one_go_are_served_in_order_up_to_a_refusal),
        cmocka_unit_test(only_a_clean_answer_keeps_the_connection),
        cmocka_unit_test(a_connection_ends_after_so_many_requests),
        cmocka_unit_test(an_answer_is_one_record_and_the_end_is_announced),
        cmocka_unit_test(no_content_has_no_length_and_head_no_body),
        cmocka_unit_test(a_reply_to_a_client_that_has_gone_is_dropped),
        cmocka_unit_test(a_client_that_will_send_no_more_gets_its_reply),
        cmocka_unit_test(a_request_behind_another_waits_for_its_reply),
        cmocka_unit_test(a_flood_behind_a_request_ends_the_connection),
        cmocka_unit_test(a_server_may_end_with_requests_pending),
        cmocka_unit_test(user_data_stays_with_the_request),
        cmocka_unit_test(a_reply_may_leave_in_pieces),
        cmocka_unit_test(a_stream_may_break_off),
        cmocka_unit_test(a_stream_may_lose_its_client),
        cmocka_unit_test(a_body_may_be_taken_from_every_request),
        cmocka_unit_test(a_drain_finishes_what_is_busy_and_ends_what_is_idle),
        cmocka_unit_test(an_idle_server_is_drained_at_once_but_from_the_loop),
        cmocka_unit_test(a_drain_does_not_wait_long_for_a_first_request),
        cmocka_unit_test(a_drain_does_not_wait_long_for_who_has_just_shaken_hands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
