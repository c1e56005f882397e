/* SPDX-License-Identifier: MIT */
#include "gateway/mirror.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway_fixture.h"

#define POLL "GET /main/ent/v2/tasks/91/creations HTTP/1.1\r\nHost: h\r\nAuthorization: local\r\n"

struct local {
    struct bufferevent *bev;
    char text[4096];
    int n;
};

static void on_read(struct bufferevent *bev, void *ctx)
{
    struct local *l = ctx;

    l->n += (int)bufferevent_read(bev, l->text + l->n, sizeof(l->text) - 1 - (size_t)l->n);
}

static void ask(struct fixture *t, struct local *l, const char *request)
{
    struct sockaddr_in sin = {.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)t->http_port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    *l = (struct local){.bev = bufferevent_socket_new(t->base, -1, BEV_OPT_CLOSE_ON_FREE)};
    bufferevent_setcb(l->bev, on_read, NULL, NULL, l);
    bufferevent_enable(l->bev, EV_READ | EV_WRITE);
    bufferevent_write(l->bev, request, strlen(request));
    assert_int_equal(bufferevent_socket_connect(l->bev, (struct sockaddr *)&sin, sizeof(sin)), 0);
}

/* The keeper's answer to the n-th question of the mirror. */
static void tell(struct fixture *t, int which, const char *state)
{
    struct msg_command msg;
    const struct frame *f = await(t, &t->keeper_in, MSG_COMMAND, which, &msg);
    autofree char *json = mem_printf("{\"tasks\":[{\"id\":\"t91\",\"remote_id\":\"91\","
                                     "\"state\":\"%s\",\"result\":\"\"}]}",
                                     state);
    struct msg_result result = {.json = slice_str(json)};

    assert_string_equal(msg.json.p,
                        "{\"command\":\"lookup\",\"provider\":\"main\","
                        "\"remote_ids\":[\"91\"],\"look\":false,\"tree\":false,\"list\":false}");
    assert_int_equal(channel_send(t->keeper, MSG_RESULT, f->id, &result), 0);
}

static void change(struct fixture *t)
{
    struct msg_event event = {.task = SLICE_LIT("t91"), .json = SLICE_LIT("{}")};

    assert_int_equal(channel_send(t->keeper, MSG_EVENT, 0, &event), 0);
}

static void assert_watchers(struct fixture *t, int which, uint32_t watchers)
{
    struct msg_subscribe msg;

    await(t, &t->keeper_in, MSG_SUBSCRIBE, which, &msg);
    assert_int_equal(msg.watchers, watchers);
}

static void who_waits_hears_of_changes_and_nobody_afterwards(void **state)
{
    struct fixture *t = *state;
    struct local l;

    assert_watchers(t, 0, 0); /* at the start */
    ask(t, &l, POLL "X-Viduhook-Wait: 100\r\n\r\n");
    assert_watchers(t, 1, 1);
    tell(t, 0, "submitted");
    change(t);
    tell(t, 1, "submitted");
    change(t);
    tell(t, 2, "processing");
    until(t, &l.n, 1);
    assert_non_null(strstr(l.text, "\"state\":\"processing\""));
    assert_watchers(t, 2, 0);
    assert_int_equal(t->requests, 0);
    bufferevent_free(l.bev);
}

static void a_change_while_the_store_is_asked_is_not_missed(void **state)
{
    struct fixture *t = *state;
    struct local l;
    struct msg_command msg;

    ask(t, &l, POLL "X-Viduhook-Wait: 100\r\n\r\n");
    tell(t, 0, "submitted");
    change(t);
    await(t, &t->keeper_in, MSG_COMMAND, 1, &msg);
    change(t); /* on its way to the mirror before the answer is */
    tell(t, 1, "submitted");
    tell(t, 2, "processing");
    until(t, &l.n, 1);
    assert_non_null(strstr(l.text, "\"state\":\"processing\""));
    bufferevent_free(l.bev);
}

static void nobody_waits_for_a_room_that_drains(void **state)
{
    struct fixture *t = *state;
    struct local l;
    struct msg_command msg;

    ask(t, &l, POLL "X-Viduhook-Wait: 100\r\n\r\n");
    await(t, &t->keeper_in, MSG_COMMAND, 0, &msg);
    assert_int_equal(channel_send(t->keeper, MSG_DRAIN, 0, &(struct msg_drain){0}), 0);
    for (int i = 0; i < 20; i++)
        turn(t);
    assert_int_equal(t->left, 0);
    tell(t, 0, "submitted");
    until(t, &l.n, 1);
    assert_non_null(strstr(l.text, "\"state\":\"created\""));
    until(t, &t->left, 1);
    bufferevent_free(l.bev);
}

static void a_store_that_gives_no_answer_is_busy(void **state)
{
    struct fixture *t = *state;
    struct local l;
    struct msg_command msg;

    clock_freeze(1000, 1000);
    ask(t, &l, POLL "\r\n");
    await(t, &t->keeper_in, MSG_COMMAND, 0, &msg);
    clock_freeze(1000 + QUESTION_DEADLINE_MS, 1000);
    until(t, &l.n, 1);
    assert_non_null(strstr(l.text, "HTTP/1.1 503 "));
    assert_non_null(strstr(l.text, "\r\nRetry-After: 5\r\n"));
    assert_non_null(strstr(l.text, "\"reason\":\"ViduhookBusy\""));
    assert_int_equal(t->requests, 0);
    bufferevent_free(l.bev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_waits_hears_of_changes_and_nobody_afterwards),
        TEST(a_change_while_the_store_is_asked_is_not_missed),
        TEST(nobody_waits_for_a_room_that_drains),
        TEST(a_store_that_gives_no_answer_is_busy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
