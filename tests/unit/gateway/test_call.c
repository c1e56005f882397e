/* SPDX-License-Identifier: MIT */
#include "gateway/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway_fixture.h"

#define ASK_CREDITS "{\"command\":\"credits\",\"provider\":\"main\"}"
#define CANCEL      "{\"command\":\"cancel\",\"task\":\"tone\"}"
#define TASK(state, remote_id)                                                                     \
    "{\"task\":{\"id\":\"tone\",\"provider\":\"main\",\"remote_id\":\"" remote_id                  \
    "\",\"state\":\"" state "\"}}"

/* The keeper's answer to the n-th command. */
static void answer_command(struct fixture *t, int which, const char *json)
{
    struct msg_command cmd;
    const struct frame *f = await(t, &t->keeper_in, MSG_COMMAND, which, &cmd);
    struct msg_result msg = {.exit = EXIT_OK, .json = slice_str(json)};

    assert_int_equal(channel_send(t->keeper, MSG_RESULT, f->id, &msg), 0);
}

static void credits_ask_with_the_key_and_hand_on_numbers_only(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    const json_t *row;
    unsigned int exit;
    json_t *json;

    set_reply(t, "200 OK",
              "{\"remains\":[{\"type\":\"test\",\"credit_remain\":\"12\",\"secret\":1,"
              "\"queue_count\":-1}]}");
    command(c, ASK_CREDITS, "");
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_OK);
    assert_non_null(strstr(t->request, "GET /ent/v2/credits?show_detail=true HTTP/1.1\r\n"));
    assert_non_null(strstr(t->request, "Authorization: Token "));
    row = json_array_get(json_object_get(json, "remains"), 0);
    assert_int_equal(json_object_size(row), 2);
    assert_int_equal(json_integer_value(json_object_get(row, "credit_remain")), 12);
    json_decref(json);
}

static void an_account_has_a_limited_number_of_rows(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct buf body = BUF_INIT(16384);
    unsigned int exit;
    json_t *json;

    buf_adds(&body, "{\"remains\":[1");
    for (int i = 0; i < 500; i++)
        buf_adds(&body, ",{\"type\":7}");
    buf_adds(&body, "]}");
    set_reply(t, "200 OK", buf_text(&body));
    command(c, ASK_CREDITS, "");
    json = await_result(t, c, 0, &exit);
    assert_int_equal(json_array_size(json_object_get(json, "remains")), 100);
    json_decref(json);
    buf_free(&body);
}

static void more_calls_than_can_be_made_are_refused(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    unsigned int exit;
    json_t *json;

    t->provider_silent = true;
    for (int i = 0; i <= CALLS_AT_ONCE; i++)
        command(c, ASK_CREDITS, "");
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_FAILED);
    assert_non_null(strstr(text_of(json, "error"), "try again"));
    assert_int_equal(calls_open(t->g->calls), CALLS_AT_ONCE);
    json_decref(json);
}

static void cancelling_asks_the_keeper_the_provider_and_the_keeper_again(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_command cmd;
    unsigned int exit;
    json_t *json;

    set_reply(t, "200 OK", "{}");
    command(c, CANCEL, "");
    answer_command(t, 0, TASK("queued", "88"));
    await(t, &t->keeper_in, MSG_COMMAND, 1, &cmd);
    assert_non_null(strstr(cmd.json.p, "\"cancelled\""));
    assert_non_null(strstr(t->request, "POST /ent/v2/tasks/88/cancel HTTP/1.1\r\n"));
    assert_non_null(strstr(t->request, "\r\n\r\n{\"id\":\"88\"}"));
    assert_int_equal(count(&c->in, MSG_RESULT), 0);
    answer_command(t, 1, "{\"task\":\"tone\"}");
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_OK);
    assert_string_equal(text_of(json, "remote_id"), "88");
    assert_int_equal(calls_open(t->g->calls), 0);
    json_decref(json);
}

static void what_is_over_or_has_no_id_is_not_sent(void **state)
{
    static const char *const tasks[] = {TASK("success", "88"), TASK("ambiguous", ""),
                                        TASK("queued", "a/b?c")};
    struct fixture *t = *state;
    struct test_client *c = new_client(t);

    for (int i = 0; i < (int)ARRAY_LEN(tasks); i++) {
        unsigned int exit;

        command(c, CANCEL, "");
        answer_command(t, i, tasks[i]);
        json_decref(await_result(t, c, i, &exit));
        assert_int_equal(exit, EXIT_FAILED);
    }
    assert_int_equal(t->n_conns, 0);
    assert_int_equal(calls_open(t->g->calls), 0);
}

static json_t *ask(struct fixture *t, struct test_client *c, int which, const char *text,
                   unsigned int *exit)
{
    command(c, text, "");
    return await_result(t, c, which, exit);
}

static void an_upload_begins_with_an_address_and_ends_with_a_name(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    unsigned int exit;
    json_t *json;

    set_reply(t, "200 OK", "{\"id\":\"a/1\",\"put_url\":\"https://h/p?sig=1\",\"x\":\"y\"}");
    json = ask(t, c, 0, "{\"command\":\"upload\",\"provider\":\"main\"}", &exit);
    assert_int_equal(exit, EXIT_OK);
    assert_non_null(strstr(t->request, "POST /tools/v2/files/uploads HTTP/1.1\r\n"));
    assert_non_null(strstr(t->request, "\r\n\r\n{\"scene\":\"vidu\"}"));
    assert_string_equal(text_of(json, "put_url"), "https://h/p?sig=1");
    assert_int_equal(json_object_size(json), 2);
    json_decref(json);
    set_reply(t, "200 OK", "{\"uri\":\"ssupload:?id=1\"}");
    json = ask(t, c, 1, "{\"command\":\"uploaded\",\"id\":\"a/1\",\"etag\":\"00ff\"}", &exit);
    assert_int_equal(exit, EXIT_OK);
    assert_non_null(strstr(t->request, "PUT /tools/v2/files/uploads/a%2F1/finish HTTP/1.1\r\n"));
    assert_non_null(strstr(t->request, "\r\n\r\n{\"etag\":\"00ff\"}"));
    assert_string_equal(text_of(json, "uri"), "ssupload:?id=1");
    json_decref(json);
    assert_int_equal(calls_open(t->g->calls), 0);
}

static void an_upload_that_cannot_be_is_refused(void **state)
{
    static const struct {
        const char *command, *reply, *text;
    } rows[] = {
        {"{\"command\":\"upload\"}", "{\"id\":\"1\"}", "it names no id and no put_url"},
        {"{\"command\":\"upload\"}", "{\"id\":1,\"put_url\":\"https://h\"}", "it names no id"},
        {"{\"command\":\"uploaded\",\"id\":\"1\",\"etag\":\"\"}", "{}", "it names no uri"},
        {"{\"command\":\"uploaded\",\"etag\":\"x\"}", NULL, "uploaded needs an id and an etag"},
        {"{\"command\":\"uploaded\",\"id\":\"1\"}", NULL, "uploaded needs an id and an etag"},
        {"{\"command\":\"upload\",\"provider\":\"none\"}", NULL, "none is not configured"},
    };
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    unsigned int exit;
    json_t *json;

    for (int i = 0; i < (int)ARRAY_LEN(rows); i++) {
        set_reply(t, "200 OK", str_or(rows[i].reply, "{}"));
        json = ask(t, c, i, rows[i].command, &exit);
        assert_int_equal(exit, rows[i].reply != NULL ? EXIT_FAILED : EXIT_USAGE);
        if (strstr(text_of(json, "error"), rows[i].text) == NULL)
            fail_msg("%s", text_of(json, "error"));
        json_decref(json);
    }
    t->g->hello.providers[0].speech.upload = NULL;
    json = ask(t, c, (int)ARRAY_LEN(rows), "{\"command\":\"upload\"}", &exit);
    assert_int_equal(exit, EXIT_USAGE);
    assert_non_null(strstr(text_of(json, "error"), "main takes no uploads"));
    json_decref(json);
}

static void a_client_that_has_gone_is_no_trouble(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);

    t->provider_silent = true;
    set_reply(t, "200 OK", "{}");
    command(c, CANCEL, "");
    answer_command(t, 0, TASK("queued", "88"));
    until(t, &t->requests, 1);
    leave_client(c);
    bufferevent_write(t->conns[0], t->reply, strlen(t->reply));
    answer_command(t, 1, "{\"task\":\"tone\"}");
    while (calls_open(t->g->calls) != 0)
        turn(t);
}

static void a_room_that_drains_finishes_its_calls(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_drain msg = {1000};

    t->provider_silent = true;
    set_reply(t, "200 OK", "{}");
    command(c, ASK_CREDITS, "");
    until(t, &t->requests, 1);
    leave_client(c);
    assert_int_equal(channel_send(t->keeper, MSG_DRAIN, 0, &msg), 0);
    for (int i = 0; i < 100; i++)
        turn(t);
    assert_int_equal(t->left, 0);
    bufferevent_write(t->conns[0], t->reply, strlen(t->reply));
    until(t, &t->left, 1);
    assert_int_equal(t->g->exit_status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(credits_ask_with_the_key_and_hand_on_numbers_only),
        TEST(an_account_has_a_limited_number_of_rows),
        TEST(more_calls_than_can_be_made_are_refused),
        TEST(cancelling_asks_the_keeper_the_provider_and_the_keeper_again),
        TEST(what_is_over_or_has_no_id_is_not_sent),
        TEST(an_upload_begins_with_an_address_and_ends_with_a_name),
        TEST(an_upload_that_cannot_be_is_refused),
        TEST(a_client_that_has_gone_is_no_trouble),
        TEST(a_room_that_drains_finishes_its_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
