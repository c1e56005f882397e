/* SPDX-License-Identifier: MIT */
#include "room_fixture.h"

#include "vidu/state.h"

#define SUCCESS                                                                                    \
    "{\"id\":\"42\",\"state\":\"success\",\"creations\":[{\"id\":\"1\",\"url\":\"https://m/a\"}]}"

/* What one request is answered, on a connection of its own. */
static int status_of(struct room *room, const char *text)
{
    struct client *c = client_open(&room->f);
    int status;

    client_say(c, text);
    until(&room->f, client_has(c, "\r\n\r\n"));
    assert_int_equal(sscanf(buf_text(&c->got), "HTTP/1.1 %d ", &status), 1);
    client_free(c);
    return status;
}

static void a_callback_reaches_the_keeper_whole(void **state)
{
    struct room *room = room_new(NULL);
    struct client *c = client_open(&room->f);
    autofree char *path = mem_printf("/hooks/callback/%s?a=1&b", room->key);
    autofree char *text = post(path,
                               JSON "Date: Tue, 06 May 2025 12:09:42 GMT\r\n"
                                    "User-Agent: x\r\n"
                                    "x-request-nonce: n1\r\n"
                                    "X-Hmac-Algorithm: hmac-sha256\r\n"
                                    "X-HMAC-ACCESS-KEY: vidu\r\n"
                                    "X-HMAC-SIGNED-HEADERS: Date;x-request-nonce;X-Extra\r\n"
                                    "X-HMAC-SIGNATURE: s1\r\n"
                                    "X-HMAC-SIGNATURE: s2\r\n"
                                    "x-extra:  more \r\n"
                                    "X-Other: no\r\n",
                               SUCCESS);

    (void)state;
    client_say(c, text);
    until(&room->f, client_has(c, "\r\n\r\n{\"ok\":true}"));
    assert_true(client_has(c, "HTTP/1.1 200 OK"));
    assert_true(client_has(c, "Content-Type: application/json"));
    assert_int_equal(room->callbacks, 1);
    assert_int_equal(room->last.route, ROUTE_KEY);
    assert_string_equal(room->last.key.p, room->key);
    assert_string_equal(room->last.method.p, "POST");
    assert_int_equal(memcmp(room->last.path.p, path, strlen(path) - 6), 0);
    assert_string_equal(room->last.query.p, "a=1&b");
    assert_string_equal(room->last.peer.p, "127.0.0.1");
    assert_string_equal(room->body, SUCCESS);
    assert_string_equal(room->last.headers.p, "Content-Type:application/json\n"
                                              "Date:Tue, 06 May 2025 12:09:42 GMT\n"
                                              "x-request-nonce:n1\n"
                                              "X-Hmac-Algorithm:hmac-sha256\n"
                                              "X-HMAC-ACCESS-KEY:vidu\n"
                                              "X-HMAC-SIGNED-HEADERS:Date;x-request-nonce;X-Extra\n"
                                              "X-HMAC-SIGNATURE:s1\n"
                                              "X-HMAC-SIGNATURE:s2\n"
                                              "x-extra:more\n");
    assert_int_equal(room->last.report.understood, 1);
    assert_string_equal(room->last.report.id.p, "42");
    assert_int_equal(room->last.report.state, STATE_SUCCESS);
    assert_non_null(strstr(room->last.report.result.p, "https://m/a"));
    client_free(c);
    room_free(room);
}

static void the_fixed_path_names_a_provider(void **state)
{
    struct room *room = room_new(NULL);
    autofree char *text = post("/hooks/callback/at/vidu", JSON, SUCCESS);

    (void)state;
    assert_int_equal(status_of(room, text), 200);
    assert_int_equal(room->last.route, ROUTE_AT);
    assert_string_equal(room->last.key.p, "vidu");
    room_free(room);
}

static void what_is_not_json_inside_goes_to_the_keeper_as_it_is(void **state)
{
    static const char *const bodies[] = {"", "not json", "[1]", "{\"id\":1,\"id\":2}"};
    struct room *room = room_new(NULL);

    (void)state;
    room->verdict = VERDICT_QUARANTINED;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct client *c = client_open(&room->f);

        say_callback(room, c, bodies[i]);
        until(&room->f, client_has(c, "200 OK"));
        assert_int_equal(room->last.report.understood, 0);
        assert_string_equal(room->body, bodies[i]);
        client_free(c);
    }
    room_free(room);
}

static void guesses_are_refused_without_the_keeper(void **state)
{
    struct room *room = room_new(NULL);
    uint8_t other_secret[SEAL_SECRET_LEN] = {1};
    char foreign[KEY_SIZE];
    autofree char *changed = mem_strdup(room->key);
    const struct {
        const char *format, *key;
    } cases[] = {
        {"/hooks/callback/%s", (room_key(other_secret, foreign), foreign)},
        {"/hooks/callback/%s", (changed[0] = changed[0] == 'a' ? 'b' : 'a', changed)},
        {"/hooks/callback/%sa", room->key},
        {"/hooks/callback/%s/", room->key},
        {"/hooks/callback//%s", room->key},
        {"/hooks/callback/at/%s", room->key},
        {"/hooks/callback/at/%s", "vid"},
        {"/hooks/callback/at/%s", "viduu"},
        {"/hooks/callback/at/%s", "VIDU"},
        {"/hooks/callback/at/%s", ""},
        {"/callback/%s", room->key},
        {"/hook/callback/%s", room->key},
        {"//hooks/callback/%s", room->key},
        {"/hooks/./callback/%s", room->key},
        {"/hooks/%%63allback/%s", room->key},
        {"/HOOKS/callback/%s", room->key},
        {"/hooks/callback%s", ""},
        {"/%s", ""},
        {"/?/hooks/callback/%s", room->key},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char path[200];
        autofree char *text = NULL;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(path, sizeof(path), cases[i].format, cases[i].key);
#pragma GCC diagnostic pop
        text = post(path, JSON, SUCCESS);
        if (status_of(room, text) != 404)
            fail_msg("%s", path);
    }
    assert_int_equal(room->callbacks, 0);
    room_free(room);
}

static void only_post_and_only_json(void **state)
{
    static const struct {
        const char *method, *type;
        int status;
    } cases[] = {
        {"GET", JSON, 405},
        {"PUT", JSON, 405},
        {"post", JSON, 405},
        {"OPTIONS", "", 405},
        {"POST", "", 415},
        {"POST", "Content-Type: text/plain\r\n", 415},
        {"POST", "Content-Type: application/jsonx\r\n", 415},
        {"POST", "Content-Type: application/x-www-form-urlencoded\r\n", 415},
        {"POST", "Content-Type: +json\r\n", 415},
        {"POST", JSON JSON, 415},
        {"POST", "Content-Type: application/json; charset=utf-8\r\n", 200},
        {"POST", "Content-Type: APPLICATION/JSON ;charset=utf-8\r\n", 200},
        {"POST", "Content-Type: application/cloudevents+json\r\n", 200},
    };
    struct room *room = room_new(NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        autofree char *text =
            mem_printf("%s /hooks/callback/%s HTTP/1.1\r\nHost: h\r\n%sContent-Length: 2\r\n\r\n{}",
                       cases[i].method, room->key, cases[i].type);

        assert_int_equal(status_of(room, text), cases[i].status);
    }
    room_free(room);
}

static void a_callback_says_how_long_it_is(void **state)
{
    struct room *room = room_new(NULL);
    autofree char *text =
        mem_printf("POST /hooks/callback/%s HTTP/1.1\r\nHost: h\r\n" JSON "\r\n", room->key);

    (void)state;
    assert_int_equal(status_of(room, text), 400);
    assert_int_equal(room->callbacks, 0);
    room_free(room);
}

static void every_verdict_has_its_answer(void **state)
{
    static const struct {
        enum verdict verdict;
        int status;
    } cases[] = {
        {VERDICT_ACCEPTED, 200},     {VERDICT_DUPLICATE, 200}, {VERDICT_QUARANTINED, 200},
        {VERDICT_UNAUTHORISED, 401}, {VERDICT_UNKNOWN, 404},   {VERDICT_BUSY, 503},
    };
    struct room *room = room_new(NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct client *c = client_open(&room->f);
        char expected[32];

        room->verdict = (int)cases[i].verdict;
        say_callback(room, c, "{}");
        snprintf(expected, sizeof(expected), "HTTP/1.1 %d ", cases[i].status);
        until(&room->f, client_has(c, expected));
        assert_int_equal(client_has(c, "Retry-After: "), cases[i].status == 503);
        assert_int_equal(client_has(c, "{\"ok\":true}"), cases[i].status == 200);
        assert_int_equal(client_has(c, "Connection: close"), cases[i].status != 200);
        client_free(c);
    }
    assert_int_equal(ARRAY_LEN(cases), VERDICT_COUNT);
    room_free(room);
}

static void answers_find_their_requests_in_any_order(void **state)
{
    struct room *room = room_new(NULL);
    struct client *c[3];
    uint64_t ids[3];

    (void)state;
    room->verdict = -1;
    for (int i = 0; i < 3; i++) {
        c[i] = client_open(&room->f);
        say_callback(room, c[i], "{}");
        until(&room->f, room->callbacks == i + 1);
        ids[i] = room->id;
    }
    room_verdict(room, ids[2], VERDICT_UNAUTHORISED);
    room_verdict(room, ids[0], VERDICT_ACCEPTED);
    room_verdict(room, ids[0], VERDICT_UNKNOWN); /* once is enough */
    room_verdict(room, 12345, VERDICT_UNKNOWN);
    room_verdict(room, 0, VERDICT_UNKNOWN);
    room_verdict(room, ids[1], VERDICT_UNKNOWN);
    until(&room->f, client_has(c[0], "200 OK") && client_has(c[1], "404 Not Found") &&
                        client_has(c[2], "401 Unauthorized"));
    for (int i = 0; i < 3; i++)
        client_free(c[i]);
    room_free(room);
}

static void an_old_answer_is_not_taken_for_a_new_one(void **state)
{
    struct room *room = room_new(NULL);
    struct client *c[4];
    uint64_t first = 0;

    (void)state;
    room->verdict = -1;
    for (int i = 0; i < 4; i++) {
        c[i] = client_open(&room->f);
        say_callback(room, c[i], "{}");
        until(&room->f, room->callbacks == i + 1);
        if (i == 0)
            first = room->id;
        if (i == 2) { /* makes the first one's place free for the fourth */
            room_verdict(room, first, VERDICT_ACCEPTED);
            until(&room->f, client_has(c[0], "200 OK"));
        }
    }
    room_verdict(room, first, VERDICT_UNKNOWN);
    room_verdict(room, room->id, VERDICT_ACCEPTED);
    until(&room->f, client_has(c[3], "HTTP/1.1"));
    assert_true(client_has(c[3], "200 OK"));
    for (int i = 0; i < 4; i++)
        client_free(c[i]);
    room_free(room);
}

static void more_than_so_many_at_once_are_sent_away_at_once(void **state)
{
    struct room *room = room_new(NULL);
    struct client *c[4];
    autofree char *head = mem_printf("POST /hooks/callback/%s HTTP/1.1\r\nHost: h\r\n" JSON
                                     "Content-Length: 2\r\n\r\n",
                                     room->key);

    (void)state;
    room->verdict = -1;
    for (int i = 0; i < 3; i++) {
        c[i] = client_open(&room->f);
        say_callback(room, c[i], "{}");
        until(&room->f, room->callbacks == i + 1);
    }
    c[3] = client_open(&room->f);
    client_say(c[3], head); /* its body is not awaited */
    until(&room->f, client_has(c[3], "503 Service Unavailable"));
    assert_true(client_has(c[3], "Retry-After: "));
    assert_int_equal(room->callbacks, 3);
    client_free(c[3]);
    room_verdict(room, room->id, VERDICT_ACCEPTED);
    until(&room->f, client_has(c[2], "200 OK"));
    c[3] = client_open(&room->f);
    say_callback(room, c[3], "{}");
    until(&room->f, room->callbacks == 4);
    for (int i = 0; i < 4; i++)
        client_free(c[i]);
    room_free(room);
}

static int count_busy(struct client *c[4])
{
    int n = 0;

    for (int i = 0; i < 4; i++)
        n += client_has(c[i], "503 ");
    return n;
}

static void bodies_that_come_in_together_share_the_places_too(void **state)
{
    struct room *room = room_new(NULL);
    struct client *c[4];

    (void)state;
    room->verdict = -1;
    for (int i = 0; i < 4; i++) {
        autofree char *head = mem_printf("POST /hooks/callback/%s HTTP/1.1\r\nHost: h\r\n" JSON
                                         "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n",
                                         room->key);

        c[i] = client_open(&room->f);
        client_say(c[i], head);
        until(&room->f, client_has(c[i], "100 Continue"));
    }
    for (int i = 0; i < 4; i++)
        client_say(c[i], "{}");
    until(&room->f, room->callbacks == 3 && count_busy(c) == 1);
    for (int i = 0; i < 4; i++)
        client_free(c[i]);
    room_free(room);
}

static void impatient(struct hello_receiver *h)
{
    h->reply_ms = 100;
}

static void a_silent_keeper_costs_a_retry_not_a_connection(void **state)
{
    struct room *room = room_new(impatient);
    struct client *c = client_open(&room->f);
    int64_t start_ms = clock_mono_ms();

    (void)state;
    log_open("test", false, LOG_LEVEL_ERROR);
    room->verdict = -1;
    say_callback(room, c, "{}");
    until(&room->f, client_has(c, "503 Service Unavailable"));
    assert_in_range(clock_mono_ms() - start_ms, 80, 2000);
    client_free(c);
    room_verdict(room, room->id, VERDICT_ACCEPTED); /* too late, and harmless */
    room->verdict = VERDICT_ACCEPTED;
    c = client_open(&room->f);
    say_callback(room, c, "{}");
    until(&room->f, client_has(c, "200 OK"));
    client_free(c);
    room_free(room);
}

static void a_client_that_leaves_takes_nothing_with_it(void **state)
{
    struct room *room = room_new(NULL);
    struct client *c = client_open(&room->f);

    (void)state;
    room->verdict = -1;
    say_callback(room, c, "{}");
    until(&room->f, room->callbacks == 1);
    client_free(c);
    for (int i = 0; i < 20; i++)
        turn(&room->f);
    room_verdict(room, room->id, VERDICT_ACCEPTED);
    room->verdict = VERDICT_ACCEPTED;
    c = client_open(&room->f);
    say_callback(room, c, "{}");
    until(&room->f, client_has(c, "200 OK"));
    client_free(c);
    room_free(room);
}

static void crowded(struct hello_receiver *h)
{
    h->per_source = 1;
}

static void who_delivered_something_true_is_no_longer_limited(void **state)
{
    struct room *room = room_new(crowded);
    struct client *c[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        c[i] = client_open(&room->f);
        say_callback(room, c[i], "{}");
        until(&room->f, client_has(c[i], "200 OK"));
    }
    for (int i = 0; i < 3; i++)
        client_free(c[i]);
    room_free(room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_callback_reaches_the_keeper_whole),
        cmocka_unit_test(the_fixed_path_names_a_provider),
        cmocka_unit_test(what_is_not_json_inside_goes_to_the_keeper_as_it_is),
        cmocka_unit_test(guesses_are_refused_without_the_keeper),
        cmocka_unit_test(only_post_and_only_json),
        cmocka_unit_test(a_callback_says_how_long_it_is),
        cmocka_unit_test(every_verdict_has_its_answer),
        cmocka_unit_test(answers_find_their_requests_in_any_order),
        cmocka_unit_test(an_old_answer_is_not_taken_for_a_new_one),
        cmocka_unit_test(more_than_so_many_at_once_are_sent_away_at_once),
        cmocka_unit_test(bodies_that_come_in_together_share_the_places_too),
        cmocka_unit_test(a_silent_keeper_costs_a_retry_not_a_connection),
        cmocka_unit_test(a_client_that_leaves_takes_nothing_with_it),
        cmocka_unit_test(who_delivered_something_true_is_no_longer_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
