/* SPDX-License-Identifier: MIT */
#include "gateway/poll.h"

#include "gateway/submit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway_fixture.h"

static const char submit[] = "{\"command\":\"submit\",\"endpoint\":\"img2video\"}";

static void drain(struct fixture *t)
{
    struct msg_drain msg = {1000};

    assert_int_equal(channel_send(t->keeper, MSG_DRAIN, 0, &msg), 0);
}

static void a_ping_is_answered_with_counters(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_pong pong;
    json_t *json;

    command(c, submit, "{}");
    until(t, &c->in.n, 2);
    assert_int_equal(channel_send(t->keeper, MSG_PING, 3, &(struct msg_ping){12345}), 0);
    await(t, &t->keeper_in, MSG_PONG, 0, &pong);
    assert_true(pong.stamp == 12345);
    json = json_loadb(pong.json.p, pong.json.n, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(json, "submits_accepted")), 1);
    assert_int_equal(json_integer_value(json_object_get(json, "clients")), 1);
    json_decref(json);
}

static void an_idle_room_leaves_when_it_is_drained(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);

    until(t, &c->in.n, 1);
    drain(t);
    until(t, &c->in.closed, 1);
    until(t, &t->left, 1);
    assert_int_equal(t->g->exit_status, 0);
    assert_int_equal(control_clients(t->g->control), 0);
}

static void draining_finishes_submits_and_polls(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_poll poll = {SLICE_LIT("t1"), SLICE_LIT("main"), SLICE_LIT(""), SLICE_LIT("88")};
    struct msg_polled polled;
    struct test_client *late;
    unsigned int exit;
    json_t *json;

    t->provider_silent = true;
    command(c, submit, "{}");
    until(t, &t->requests, 1);
    assert_int_equal(channel_send(t->keeper, MSG_POLL, 9, &poll), 0);
    until(t, &t->requests, 2);
    drain(t);
    while (!t->g->draining)
        turn(t);
    late = new_client(t);
    for (int i = 0; i < 50; i++)
        turn(t);
    assert_int_equal(late->in.n, 0); /* nobody accepts */
    assert_int_equal(c->in.closed, 0);
    for (int i = 0; i < 2; i++)
        bufferevent_write(t->conns[i], t->reply, strlen(t->reply));
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_OK);
    await(t, &t->keeper_in, MSG_POLLED, 0, &polled);
    until(t, &c->in.closed, 1);
    assert_int_equal(submits_open(t->g->submits) + polls_open(t->g->polls), 0);
    until(t, &t->left, 1);
    assert_int_equal(t->g->exit_status, 0);
    json_decref(json);
}

static void draining_waits_for_a_submit_without_client(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_submitted sub;

    t->provider_silent = true;
    command(c, submit, "{}");
    until(t, &t->requests, 1);
    leave_client(c);
    drain(t);
    while (!t->g->draining || control_clients(t->g->control) != 0)
        turn(t);
    turn(t);
    turn(t);
    assert_int_equal(t->left, 0);
    bufferevent_write(t->conns[0], t->reply, strlen(t->reply));
    await(t, &t->keeper_in, MSG_SUBMITTED, 0, &sub);
    until(t, &t->left, 1);
}

static void draining_waits_for_a_poll(void **state)
{
    struct msg_poll poll = {SLICE_LIT("t1"), SLICE_LIT("main"), SLICE_LIT(""), SLICE_LIT("88")};
    struct fixture *t = *state;
    struct msg_polled polled;

    t->provider_silent = true;
    assert_int_equal(channel_send(t->keeper, MSG_POLL, 9, &poll), 0);
    until(t, &t->requests, 1);
    drain(t);
    while (!t->g->draining)
        turn(t);
    turn(t);
    turn(t);
    assert_int_equal(t->left, 0);
    bufferevent_write(t->conns[0], t->reply, strlen(t->reply));
    await(t, &t->keeper_in, MSG_POLLED, 0, &polled);
    until(t, &t->left, 1);
}

static void a_draining_room_takes_no_command(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    unsigned int exit;
    json_t *json;

    t->provider_silent = true;
    command(c, submit, "{}");
    until(t, &t->requests, 1);
    drain(t);
    while (!t->g->draining)
        turn(t);
    command(c, submit, "{}");
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_FAILED);
    assert_int_equal(t->requests, 1);
    json_decref(json);
}

static void without_its_keeper_the_room_ends(void **state)
{
    struct fixture *t = *state;

    channel_free(t->keeper);
    t->keeper = NULL;
    until(t, &t->left, 1);
    assert_int_equal(t->g->exit_status, 1);
}

/* A second room beside the fixture's, told something it cannot work with. */
static void assert_refuses(struct fixture *t, const char *json, uint32_t version, const char *why)
{
    struct inbox *in = &t->clients[0].in;
    struct msg_hello msg = {.version = version, .json = slice_str(json)};
    struct msg_ready ready;
    struct gateway *g;
    int pair[2];

    t->n_clients = 1;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    t->clients[0].ch = channel_new(t->base, pair[0], FRAME_MAX, &client_ops, &t->clients[0]);
    g = gateway_new(t->base, pair[1]);
    assert_int_equal(channel_send(t->clients[0].ch, MSG_HELLO, 0, &msg), 0);
    await(t, in, MSG_READY, 0, &ready);
    assert_non_null(strstr(ready.error.p, why));
    until(t, &g->exit_status, 1);
    gateway_free(g);
    leave_client(&t->clients[0]);
    empty(in);
}

static void a_room_that_cannot_work_says_why(void **state)
{
    struct hello_gateway h = {
        .control_fd = 1000,
        .public_url = (char *)"https://x",
        .n_providers = 1,
        .providers = {{(char *)"p", (char *)"vidu", (char *)"http://x", (char *)"key", true}}};
    autofree char *no_socket = hello_gateway_write(&h);
    autofree char *no_profile = NULL;
    autofree char *no_key = NULL;
    struct fixture *t = *state;

    h.providers[0].profile = (char *)"vidoo";
    no_profile = hello_gateway_write(&h);
    h.providers[0].profile = (char *)"vidu";
    h.providers[0].key = NULL;
    no_key = hello_gateway_write(&h);
    assert_refuses(t, no_socket, WIRE_VERSION + 1, "version");
    assert_refuses(t, "{}", WIRE_VERSION, "hello");
    assert_refuses(t, no_profile, WIRE_VERSION, "vidoo");
    assert_refuses(t, no_key, WIRE_VERSION, "key");
    assert_refuses(t, no_socket, WIRE_VERSION, "control socket");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_ping_is_answered_with_counters),    TEST(an_idle_room_leaves_when_it_is_drained),
        TEST(draining_finishes_submits_and_polls), TEST(draining_waits_for_a_submit_without_client),
        TEST(draining_waits_for_a_poll),           TEST(a_draining_room_takes_no_command),
        TEST(without_its_keeper_the_room_ends),    TEST(a_room_that_cannot_work_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
