/* SPDX-License-Identifier: MIT */
#include "gateway/poll.h"

#include "vidu/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway_fixture.h"

static void ask_about(struct fixture *t, uint64_t id, const char *provider, const char *endpoint,
                      const char *remote_id)
{
    struct msg_poll msg = {SLICE_LIT("t1"), slice_str(provider), slice_str(endpoint),
                           slice_str(remote_id)};

    assert_int_equal(channel_send(t->keeper, MSG_POLL, id, &msg), 0);
}

static void ask(struct fixture *t, uint64_t id, const char *provider, const char *remote_id)
{
    ask_about(t, id, provider, "img2video", remote_id);
}

static void a_look_asks_the_provider_and_reports(void **state)
{
    static const char body[] =
        "{\"id\":\"88\",\"state\":\"success\",\"err_code\":\"\",\"credits\":4,"
        "\"creations\":[{\"id\":\"c\",\"url\":\"https://u/v.mp4?sig=1\"}]}";
    struct fixture *t = *state;
    struct msg_polled msg;
    const struct frame *f;

    set_reply(t, "200 OK", body);
    ask(t, 77, "main", "88");
    f = await(t, &t->keeper_in, MSG_POLLED, 0, &msg);
    assert_int_equal(f->id, 77);
    assert_non_null(strstr(t->request, "GET /ent/v2/tasks/88/creations HTTP/1.1\r\n"));
    assert_non_null(strstr(t->request, "\r\nAuthorization: Token vda_secret\r\n"));
    assert_string_equal(msg.task.p, "t1");
    assert_true(msg.http_status == 200 && msg.error.n == 0 && msg.report.understood == 1);
    assert_string_equal(msg.report.id.p, "88");
    assert_int_equal(msg.report.state, STATE_SUCCESS);
    assert_non_null(strstr(msg.report.result.p, "https://u/v.mp4?sig=1"));
    assert_string_equal(msg.body.p, body);
}

static void an_octopus_is_asked_in_its_own_way(void **state)
{
    struct fixture *t = *state;
    struct msg_polled msg;

    set_reply(t, "200 OK", "{\"id\":\"a-b\",\"status\":\"processing\"}");
    ask(t, 1, "octo", "a-b");
    await(t, &t->keeper_in, MSG_POLLED, 0, &msg);
    assert_non_null(strstr(t->request, "GET /vidu/ent/v2/task/a-b/creations HTTP/1.1\r\n"));
    assert_non_null(strstr(t->request, "\r\nAuthorization: Bearer octo_secret\r\n"));
    assert_int_equal(msg.report.state, STATE_PROCESSING);
}

static void a_job_is_found_in_the_tree_of_its_parent(void **state)
{
    struct fixture *t = *state;
    struct msg_polled msg;

    set_reply(t, "200 OK",
              "{\"id\":\"12\",\"state\":\"success\",\"signed_url\":\"https://u/whole\","
              "\"job_records\":[{\"jobs\":[{\"id\":\"88\",\"state\":\"processing\"}]}]}");
    ask_about(t, 1, "main", "one-click/mv/12/edit", "88");
    await(t, &t->keeper_in, MSG_POLLED, 0, &msg);
    assert_non_null(strstr(t->request, "GET /ent/v2/one-click/mv/12 HTTP/1.1\r\n"));
    assert_string_equal(msg.report.id.p, "88");
    assert_int_equal(msg.report.state, STATE_PROCESSING);
}

static void a_refusal_carries_its_status(void **state)
{
    struct fixture *t = *state;
    struct msg_polled msg;

    set_reply(t, "429 Too Many\r\nRetry-After: 7", "{}");
    ask(t, 1, "main", "88");
    await(t, &t->keeper_in, MSG_POLLED, 0, &msg);
    assert_true(msg.http_status == 429 && msg.report.understood == 0);
    assert_int_equal(msg.retry_after_ms, 7000);
    assert_non_null(strstr(msg.error.p, "429"));
}

static void no_answer_is_said_so(void **state)
{
    struct fixture *t = *state;
    struct msg_polled msg;

    t->reply = NULL;
    ask(t, 1, "main", "88");
    await(t, &t->keeper_in, MSG_POLLED, 0, &msg);
    assert_true(msg.http_status == 0 && msg.error.n != 0 && msg.report.understood == 0);
}

static void an_answer_that_is_not_understood_has_no_report(void **state)
{
    struct fixture *t = *state;
    struct msg_polled msg;

    set_reply(t, "200 OK", "<html>");
    ask(t, 1, "main", "88");
    await(t, &t->keeper_in, MSG_POLLED, 0, &msg);
    assert_true(msg.http_status == 200 && msg.error.n != 0 && msg.report.understood == 0);
}

static void without_provider_or_id_nothing_is_asked(void **state)
{
    struct fixture *t = *state;
    struct msg_polled msg;

    ask(t, 5, "none", "88");
    assert_int_equal(await(t, &t->keeper_in, MSG_POLLED, 0, &msg)->id, 5);
    assert_non_null(strstr(msg.error.p, "none"));
    ask(t, 6, "main", "");
    assert_int_equal(await(t, &t->keeper_in, MSG_POLLED, 1, &msg)->id, 6);
    assert_true(msg.error.n != 0);
    assert_int_equal(t->n_conns, 0);
    assert_int_equal(polls_open(t->g->polls), 0);
}

static void eight_at_once_and_the_rest_in_turn(void **state)
{
    struct fixture *t = *state;
    struct msg_polled msg;

    set_reply(t, "200 OK", "{\"id\":\"88\",\"state\":\"processing\"}");
    t->provider_silent = true;
    for (uint64_t i = 1; i <= 20; i++)
        ask(t, i, "main", "88");
    until(t, &t->requests, POLL_AT_ONCE);
    for (int i = 0; i < 100; i++)
        turn(t);
    assert_int_equal(t->requests, POLL_AT_ONCE);
    assert_int_equal(polls_open(t->g->polls), 20);
    t->provider_silent = false;
    for (int i = 0; i < POLL_AT_ONCE; i++)
        bufferevent_write(t->conns[i], t->reply, strlen(t->reply));
    await(t, &t->keeper_in, MSG_POLLED, 19, &msg);
    assert_int_equal(t->requests, 20);
    assert_int_equal(polls_open(t->g->polls), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_look_asks_the_provider_and_reports),
        TEST(an_octopus_is_asked_in_its_own_way),
        TEST(a_job_is_found_in_the_tree_of_its_parent),
        TEST(a_refusal_carries_its_status),
        TEST(no_answer_is_said_so),
        TEST(an_answer_that_is_not_understood_has_no_report),
        TEST(without_provider_or_id_nothing_is_asked),
        TEST(eight_at_once_and_the_rest_in_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
