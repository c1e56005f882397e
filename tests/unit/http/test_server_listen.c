/* SPDX-License-Identifier: MIT */
#include "server_fixture.h"

static void both_families_meet_on_one_ipv6_listener(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f = fixture_new(&limits, false);
    struct sockaddr_in6 sa = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct server_listener listener;
    struct server *second;
    struct client *four;
    struct client *six;
    struct err err;
    int fd = net_listen_tcp("::", 0, &err);
    int port = net_port(fd);

    (void)state;
    assert_true(fd >= 0);
    listener = (struct server_listener){.fd = fd};
    second = server_new(f->base, &limits, &listener, 1, fixture_on_head, fixture_on_request, f);
    f->port = port;
    four = client_open(f);
    client_say(four, FIVE);
    until(f, client_has(four, "200 OK"));
    assert_string_equal(f->peer, "127.0.0.1");
    six = client_open(f);
    close(six->fd);
    six->fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sa.sin6_port = htons((uint16_t)port);
    assert_int_equal(connect(six->fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    fs_set_nonblock(six->fd);
    client_say(six, FIVE);
    until(f, client_has(six, "200 OK"));
    assert_string_equal(f->peer, "::1");
    client_free(four);
    client_free(six);
    server_free(second);
    close(fd);
    fixture_free(f);
}

static void the_caller_keeps_its_socket(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f = fixture_new(&limits, false);

    (void)state;
    server_free(f->server);
    f->server = NULL;
    assert_true(fcntl(f->fd, F_GETFD) >= 0);
    fixture_free(f);
}

/* From now on the process gets no new descriptor. */
static void take_descriptors(struct rlimit *before)
{
    struct rlimit none;
    int fd = dup(0);

    getrlimit(RLIMIT_NOFILE, before);
    none = (struct rlimit){.rlim_cur = (rlim_t)fd, .rlim_max = before->rlim_max};
    close(fd);
    setrlimit(RLIMIT_NOFILE, &none);
}

static void without_descriptors_it_rests_instead_of_spinning(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f = fixture_new(&limits, false);
    struct rlimit before;
    struct client *c = client_open(f);
    int64_t end_ms;

    (void)state;
    take_descriptors(&before);
    client_say(c, FIVE);
    until(f, counter(f, "accept_errors") == 1);
    end_ms = clock_mono_ms() + 350;
    until(f, clock_mono_ms() > end_ms);
    assert_in_range(counter(f, "accept_errors"), 3, 5);
    setrlimit(RLIMIT_NOFILE, &before);
    until(f, client_has(c, "200 OK"));
    client_free(c);
    fixture_free(f);
}

static void without_descriptors_the_oldest_stranger_makes_room(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f = fixture_new(&limits, false);
    struct rlimit before;
    struct client *kept = client_open(f);
    struct client *older;
    struct client *newer;
    struct client *waiting;

    (void)state;
    client_say(kept, FIVE);
    until(f, client_has(kept, "200 OK"));
    older = client_open(f);
    client_say(older, "P");
    until(f, counter(f, "open") == 2);
    newer = client_open(f);
    client_say(newer, "P");
    until(f, counter(f, "open") == 3);
    waiting = client_open(f);
    client_say(waiting, FIVE);
    take_descriptors(&before);
    until(f, client_has(waiting, "200 OK"));
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(counter(f, "accept_errors"), 1);
    assert_int_equal(counter(f, "evicted_connections"), 1);
    until(f, client_closed(older));
    client_say(newer, &FIVE[1]);
    until(f, client_has(newer, "200 OK"));
    assert_false(client_closed(kept));
    client_free(kept);
    client_free(older);
    client_free(newer);
    client_free(waiting);
    fixture_free(f);
}

static void a_pause_leaves_connections_in_the_backlog(void **state)
{
    struct server_limits limits = generous();
    struct fixture *f = fixture_new(&limits, false);
    struct client *c;

    (void)state;
    server_pause(f->server, true);
    c = client_open(f);
    client_say(c, FIVE);
    for (int i = 0; i < 50; i++)
        turn(f);
    assert_int_equal(counter(f, "accepted"), 0);
    server_pause(f->server, false);
    until(f, client_has(c, "200 OK"));
    client_free(c);
    fixture_free(f);
}

static void a_rush_is_taken_in_pieces_and_served(void **state)
{
    enum { RUSH = 90 };
    struct server_limits limits = generous();
    struct fixture *f = fixture_new(&limits, false);
    struct client *c[RUSH];

    (void)state;
    server_pause(f->server, true);
    for (int i = 0; i < RUSH; i++) {
        c[i] = client_open(f);
        client_say(c[i], FIVE);
    }
    server_pause(f->server, false);
    until(f, counter(f, "accepted") != 0);
    assert_int_equal(counter(f, "accepted"), 64);
    for (int i = 0; i < RUSH; i++)
        until(f, client_has(c[i], "200 OK"));
    assert_int_equal(counter(f, "accept_paced"), 1);
    for (int i = 0; i < RUSH; i++)
        client_free(c[i]);
    until(f, counter(f, "open") == 0);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_families_meet_on_one_ipv6_listener),
        cmocka_unit_test(the_caller_keeps_its_socket),
        cmocka_unit_test(without_descriptors_it_rests_instead_of_spinning),
        cmocka_unit_test(without_descriptors_the_oldest_stranger_makes_room),
        cmocka_unit_test(a_pause_leaves_connections_in_the_backlog),
        cmocka_unit_test(a_rush_is_taken_in_pieces_and_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
