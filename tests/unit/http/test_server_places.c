/* Who may be here at the same time, and who has to go.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server_fixture.h"

/* Has had its answer, and waits between two requests. */
static struct client *served(struct fixture *f)
{
    struct client *c = client_ready(f);

    client_say(c, FIVE);
    until(f, client_has(c, "200 OK"));
    return c;
}

/* Is seen, and has said so much. */
static struct client *saying(struct fixture *f, const char *text)
{
    uint64_t before = counter(f, "open");
    struct client *c = client_ready(f);

    client_say(c, text);
    until(f, counter(f, "open") == before + 1);
    return c;
}

#define STRANGER "P"
#define HALF     POST("Content-Length: 5\r\n", "hel")

static void beyond_the_limit_the_oldest_stranger_goes(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f;
    struct client *known;
    struct client *strangers[3];
    struct client *next;

    (void)state;
    limits.connections = 4;
    f = fixture_new(&limits, false);
    known = served(f);
    for (size_t i = 0; i < 3; i++)
        strangers[i] = saying(f, STRANGER);
    next = served(f);
    until(f, client_closed(strangers[0]));
    assert_false(client_closed(strangers[1]));
    assert_false(client_closed(strangers[2]));
    assert_false(client_closed(known));
    assert_int_equal(counter(f, "evicted_connections"), 1);
    client_free(known);
    client_free(next);
    for (size_t i = 0; i < 3; i++)
        client_free(strangers[i]);
    fixture_free(f);
}

/* Both, whose rest is given, may be neither strangers nor idle. */
static void a_newcomer_finds_no_room(struct fixture *f, struct client *known[2], const char *rest)
{
    struct client *next = client_ready(f);

    client_say(next, FIVE);
    until(f, client_closed(next));
    assert_false(client_has(next, "HTTP"));
    assert_int_equal(counter(f, "dropped_full"), 1);
    for (size_t i = 0; i < 2; i++) {
        int answers = client_count(known[i], "200 OK");

        client_say(known[i], rest);
        until(f, client_count(known[i], "200 OK") == answers + 1);
        client_free(known[i]);
    }
    client_free(next);
}

static void nobody_whose_request_is_under_way_is_evicted(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f;
    struct client *known[2];

    (void)state;
    limits.connections = 2;
    f = fixture_new(&limits, false);
    for (size_t i = 0; i < 2; i++)
        known[i] = saying(f, HALF);
    a_newcomer_finds_no_room(f, known, "lo");
    fixture_free(f);
}

static void who_has_begun_the_next_request_is_not_idle(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f;
    struct client *known[2];

    (void)state;
    limits.connections = 2;
    f = fixture_new(&limits, false);
    for (size_t i = 0; i < 2; i++)
        known[i] = served(f);
    for (size_t i = 0; i < 2; i++)
        client_say(known[i], STRANGER);
    turn(f);
    a_newcomer_finds_no_room(f, known, &FIVE[1]);
    fixture_free(f);
}

static void the_longest_idle_makes_room_for_a_new_one(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f;
    struct client *known[2];
    struct client *busy[2];
    struct client *next;

    (void)state;
    limits.connections = 4;
    f = fixture_new(&limits, false);
    for (size_t i = 0; i < 2; i++) {
        busy[i] = saying(f, HALF);
        known[i] = served(f);
    }
    next = served(f);
    until(f, client_closed(known[0]));
    assert_false(client_closed(known[1]));
    assert_int_equal(counter(f, "evicted_connections"), 1);
    for (size_t i = 0; i < 2; i++) {
        client_free(known[i]);
        client_free(busy[i]);
    }
    client_free(next);
    fixture_free(f);
}

static void idle_ones_beyond_half_of_the_places_go_before_strangers(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f;
    struct client *stranger;
    struct client *known[3];
    struct client *next;

    (void)state;
    limits.connections = 4;
    f = fixture_new(&limits, false);
    stranger = saying(f, STRANGER);
    for (size_t i = 0; i < 3; i++)
        known[i] = served(f);
    next = served(f);
    until(f, client_closed(known[0]));
    assert_false(client_closed(stranger));
    assert_int_equal(counter(f, "evicted_connections"), 1);
    for (size_t i = 0; i < 3; i++)
        client_free(known[i]);
    client_free(stranger);
    client_free(next);
    fixture_free(f);
}

static void handshakes_have_their_own_limit(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f;
    struct client *slow[3];
    struct client *good;

    (void)state;
    limits.handshakes = 2;
    f = fixture_new(&limits, true);
    for (size_t i = 0; i < 3; i++) {
        slow[i] = client_open(f);
        client_say(slow[i], "\x16");
        until(f, counter(f, "accepted") == i + 1);
        turn(f);
    }
    until(f, client_closed(slow[0]));
    assert_false(client_closed(slow[1]));
    assert_int_equal(counter(f, "evicted_handshakes"), 1);
    good = served(f);
    for (size_t i = 0; i < 3; i++)
        client_free(slow[i]);
    client_free(good);
    fixture_free(f);
}

static void one_source_has_so_many_connections(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f;
    struct client *c[3];

    (void)state;
    limits.per_source = 2;
    f = fixture_new(&limits, false);
    for (size_t i = 0; i < 3; i++) {
        c[i] = client_ready(f);
        client_say(c[i], "P");
        until(f, counter(f, "accepted") == i + 1);
    }
    until(f, client_closed(c[2]));
    assert_int_equal(counter(f, "dropped_per_source"), 1);
    client_free(c[2]);
    client_free(c[1]);
    until(f, counter(f, "open") == 1);
    f->vouch = true;
    client_say(c[0], &FIVE[1]);
    until(f, client_has(c[0], "200 OK"));
    for (size_t i = 1; i < 3; i++) { /* vouched for: no limit any longer */
        c[i] = served(f);
    }
    for (size_t i = 0; i < 3; i++)
        client_free(c[i]);
    fixture_free(f);
}

static void a_source_over_its_rate_is_told_and_then_dropped(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f;
    int told = 0;
    int served = 0;
    int dropped = 0;

    (void)state;
    limits.source_rate = 1;
    f = fixture_new(&limits, false);
    for (int i = 0; i < 12; i++) {
        struct client *c = client_ready(f);

        client_say(c, POST("Connection: close\r\n", ""));
        until(f, client_closed(c));
        told += client_has(c, "429 Too Many Requests") && client_has(c, "Retry-After: ");
        served += client_has(c, "200 OK");
        dropped += c->got.len == 0;
        client_free(c);
    }
    assert_int_equal(told + served + dropped, 12);
    assert_in_range(served, 4, 6);
    assert_in_range(told, 4, 6);
    assert_true(dropped > 0);
    assert_int_equal(counter(f, "refused_rate"), told);
    assert_int_equal(counter(f, "dropped_rate"), dropped);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beyond_the_limit_the_oldest_stranger_goes),
        cmocka_unit_test(nobody_whose_request_is_under_way_is_evicted),
        cmocka_unit_test(who_has_begun_the_next_request_is_not_idle),
        cmocka_unit_test(the_longest_idle_makes_room_for_a_new_one),
        cmocka_unit_test(idle_ones_beyond_half_of_the_places_go_before_strangers),
        cmocka_unit_test(handshakes_have_their_own_limit),
        cmocka_unit_test(one_source_has_so_many_connections),
        cmocka_unit_test(a_source_over_its_rate_is_told_and_then_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
