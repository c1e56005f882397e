/* SPDX-License-Identifier: MIT */
#include "gateway/submit.h"

#include "gateway/submit_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway_fixture.h"

static const char submit[] =
    "{\"command\":\"submit\",\"endpoint\":\"img2video\",\"tags\":{\"a\":\"b\"}}";
static const char body[] =
    "{\"model\":\"viduq3\",\"prompt\":\"a boat\",\"payload\":\"p\",\"off_peak\":true}";

static const char *sent_body(const struct fixture *t)
{
    const char *end = strstr(t->request, "\r\n\r\n");

    return end != NULL ? end + 4 : "";
}

static void the_task_is_registered_before_a_byte_leaves(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_register reg;
    int i;

    t->keeper_silent = true;
    command(c, submit, body);
    await(t, &t->keeper_in, MSG_REGISTER, 0, &reg);
    for (i = 0; i < 50; i++)
        turn(t);
    assert_int_equal(t->n_conns, 0);
    t->keeper_silent = false;
    send_recorded(t, find_frame(&t->keeper_in, MSG_REGISTER, 0)->id, reg.task.p);
    until(t, &t->requests, 1);
    until(t, &c->in.n, 2);
    assert_string_equal(t->order, "RrPSr");
}

static void an_accepted_task_is_told_with_its_id(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_register reg;
    struct msg_submitted sub;
    unsigned int exit;
    json_t *json;

    command(c, submit, body);
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_OK);
    await(t, &t->keeper_in, MSG_REGISTER, 0, &reg);
    await(t, &t->keeper_in, MSG_SUBMITTED, 0, &sub);
    assert_string_equal(reg.provider.p, "main");
    assert_string_equal(reg.endpoint.p, "img2video");
    assert_string_equal(reg.model.p, "viduq3");
    assert_string_equal(reg.prompt.p, "a boat");
    assert_string_equal(reg.payload.p, "p");
    assert_string_equal(reg.tags.p, "{\"a\":\"b\"}");
    assert_true(reg.off_peak == 1 && reg.expects_callback == 1);
    assert_string_equal(sub.task.p, reg.task.p);
    assert_int_equal(sub.outcome, ANSWER_ACCEPTED);
    assert_string_equal(sub.remote_id.p, "912345678901234567");
    assert_string_equal(sub.state_word.p, "created");
    assert_true(sub.credits == 4 && sub.http_status == 200);
    assert_string_equal(sub.trace_id.p, "tr-1");
    assert_string_equal(text_of(json, "task"), reg.task.p);
    assert_string_equal(text_of(json, "remote_id"), "912345678901234567");
    assert_string_equal(text_of(json, "trace_id"), "tr-1");
    assert_string_equal(text_of(json_object_get(json, "answer"), "state"), "created");
    json_decref(json);
}

static void the_id_is_the_one_that_the_endpoint_names(void **state)
{
    static const struct {
        const char *endpoint, *id;
    } rows[] = {{"one-click/mv", "1"}, {"img2video", "2"}, {"ad-one-click/edit", "3"}};
    struct fixture *t = *state;
    struct test_client *c = new_client(t);

    for (int i = 0; i < (int)ARRAY_LEN(rows); i++) {
        autofree char *text =
            mem_printf("{\"command\":\"submit\",\"endpoint\":\"%s\"}", rows[i].endpoint);
        struct msg_submitted sub;

        set_reply(t, "200 OK", "{\"id\":\"1\",\"task_id\":\"2\",\"sub_task_id\":\"3\"}");
        command(c, text, "{}");
        await(t, &t->keeper_in, MSG_SUBMITTED, i, &sub);
        assert_string_equal(sub.remote_id.p, rows[i].id);
    }
}

static void the_request_carries_key_and_sealed_callback(void **state)
{
    static const char begin[] = "{\"callback_url\":\"https://hooks.example.org/in/callback/";
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_register reg;
    uint8_t hash[SHA256_LEN];
    struct crypto_place *place = crypto_place_new();
    const char *key;

    command(c, submit, body);
    until(t, &c->in.n, 2);
    assert_non_null(strstr(t->request, "POST /ent/v2/img2video HTTP/1.1\r\n"));
    assert_non_null(strstr(t->request, "\r\nAuthorization: Token vda_secret\r\n"));
    assert_non_null(strstr(t->request, "\r\nContent-Type: application/json\r\n"));
    assert_ptr_equal(strstr(sent_body(t), begin), sent_body(t));
    key = sent_body(t) + strlen(begin);
    assert_true(key_is_sealed(t->seal, key, KEY_LEN, place));
    assert_int_equal(strncmp(key + KEY_LEN, "\",\"model\"", 9), 0);
    await(t, &t->keeper_in, MSG_REGISTER, 0, &reg);
    key_hash(key, KEY_LEN, place, hash);
    crypto_place_free(place);
    assert_int_equal(reg.key_hash.n, SHA256_LEN);
    assert_memory_equal(reg.key_hash.p, hash, SHA256_LEN);
    assert_string_equal(reg.callback_path.p, "/in/callback/");
}

static void the_key_itself_goes_to_nobody_but_the_provider(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    char key[KEY_SIZE];
    int i;

    command(c, submit, body);
    until(t, &c->in.n, 2);
    snprintf(key, sizeof(key), "%s", strstr(t->request, "/callback/") + 10);
    for (i = 0; i < t->keeper_in.n; i++)
        assert_null(
            memmem(t->keeper_in.seen[i].payload, t->keeper_in.seen[i].f.payload.n, key, KEY_LEN));
}

static void a_lost_answer_is_ambiguous_and_never_sent_again(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_submitted sub;
    unsigned int exit;
    json_t *json;
    int i;

    t->reply = NULL;
    command(c, submit, body);
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_FAILED);
    await(t, &t->keeper_in, MSG_SUBMITTED, 0, &sub);
    assert_int_equal(sub.outcome, ANSWER_AMBIGUOUS);
    assert_non_null(strstr(text_of(json, "error"), "may exist"));
    assert_non_null(strstr(text_of(json, "error"), "never sent again"));
    assert_non_null(strstr(text_of(json, "error"), sub.task.p));
    assert_string_equal(text_of(json, "task"), sub.task.p);
    for (i = 0; i < 200; i++)
        turn(t);
    assert_int_equal(t->requests, 1);
    json_decref(json);
}

static void a_server_error_is_ambiguous(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_submitted sub;
    unsigned int exit;
    json_t *json;

    set_reply(t, "503 Busy", "<html>");
    command(c, submit, body);
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_FAILED);
    assert_string_equal(text_of(json, "state"), "ambiguous");
    await(t, &t->keeper_in, MSG_SUBMITTED, 0, &sub);
    assert_true(sub.outcome == ANSWER_AMBIGUOUS && sub.http_status == 503);
    assert_int_equal(t->requests, 1);
    json_decref(json);
}

static void a_refusal_is_handed_through(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_submitted sub;
    unsigned int exit;
    json_t *json;

    set_reply(t, "400 Bad Request",
              "{\"code\":400,\"reason\":\"FieldInvalid\",\"message\":\"invalid field: duration\","
              "\"metadata\":{\"trace_id\":\"abc\"}}");
    command(c, submit, body);
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_REFUSED);
    assert_string_equal(text_of(json, "code"), "FieldInvalid");
    assert_string_equal(text_of(json, "message"), "invalid field: duration");
    assert_string_equal(text_of(json, "trace_id"), "abc");
    assert_int_equal(json_integer_value(json_object_get(json, "http_status")), 400);
    assert_non_null(strstr(text_of(json, "error"), "FieldInvalid"));
    await(t, &t->keeper_in, MSG_SUBMITTED, 0, &sub);
    assert_true(sub.outcome == ANSWER_REJECTED && sub.http_status == 400);
    assert_string_equal(sub.reason.p, "FieldInvalid");
    json_decref(json);
}

static void no_connection_means_that_nothing_was_created(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_submitted sub;
    unsigned int exit;
    json_t *json;

    close_provider(t);
    command(c, submit, body);
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_FAILED);
    assert_non_null(strstr(text_of(json, "error"), "nothing was created"));
    await(t, &t->keeper_in, MSG_SUBMITTED, 0, &sub);
    assert_int_equal(sub.outcome, ANSWER_REJECTED);
    assert_string_equal(sub.reason.p, "NotSent");
    json_decref(json);
}

static void a_task_that_cannot_be_registered_is_not_sent(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    unsigned int exit;
    json_t *json;

    t->record_error = "disk full";
    command(c, submit, body);
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_FAILED);
    assert_non_null(strstr(text_of(json, "error"), "disk full"));
    assert_int_equal(t->n_conns, 0);
    assert_string_equal(t->order, "Rr");
    assert_int_equal(submits_open(t->g->submits), 0);
    json_decref(json);
}

static void an_answer_that_cannot_be_recorded_still_tells_the_id(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_register reg;
    struct msg_submitted sub;
    unsigned int exit;
    json_t *json;

    t->keeper_silent = true;
    command(c, submit, body);
    await(t, &t->keeper_in, MSG_REGISTER, 0, &reg);
    send_recorded(t, find_frame(&t->keeper_in, MSG_REGISTER, 0)->id, reg.task.p);
    t->record_error = "disk full";
    await(t, &t->keeper_in, MSG_SUBMITTED, 0, &sub);
    send_recorded(t, find_frame(&t->keeper_in, MSG_SUBMITTED, 0)->id, sub.task.p);
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_FAILED);
    assert_string_equal(text_of(json, "remote_id"), "912345678901234567");
    assert_non_null(strstr(text_of(json, "error"), "disk full"));
    json_decref(json);
}

static void the_client_is_told_only_after_the_answer_is_recorded(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_register reg;
    struct msg_submitted sub;
    int i;

    t->keeper_silent = true;
    command(c, submit, body);
    await(t, &t->keeper_in, MSG_REGISTER, 0, &reg);
    send_recorded(t, find_frame(&t->keeper_in, MSG_REGISTER, 0)->id, reg.task.p);
    await(t, &t->keeper_in, MSG_SUBMITTED, 0, &sub);
    for (i = 0; i < 50; i++)
        turn(t);
    assert_int_equal(count(&c->in, MSG_RESULT), 0);
    send_recorded(t, find_frame(&t->keeper_in, MSG_SUBMITTED, 0)->id, sub.task.p);
    until(t, &c->in.n, 2);
    assert_int_equal(count(&c->in, MSG_RESULT), 1);
}

static void a_submit_goes_to_its_end_without_its_client(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_register reg;
    struct msg_submitted sub;

    t->keeper_silent = true;
    command(c, submit, body);
    await(t, &t->keeper_in, MSG_REGISTER, 0, &reg);
    leave_client(c);
    while (control_clients(t->g->control) != 0)
        turn(t);
    t->keeper_silent = false;
    send_recorded(t, find_frame(&t->keeper_in, MSG_REGISTER, 0)->id, reg.task.p);
    await(t, &t->keeper_in, MSG_SUBMITTED, 0, &sub);
    assert_int_equal(sub.outcome, ANSWER_ACCEPTED);
    turn(t);
    turn(t);
    assert_int_equal(submits_open(t->g->submits), 0);
}

static void a_client_that_leaves_during_the_request_changes_nothing(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_submitted sub;

    t->provider_silent = true;
    command(c, submit, body);
    until(t, &t->requests, 1);
    t->keeper_silent = true;
    bufferevent_write(t->conns[0], t->reply, strlen(t->reply));
    await(t, &t->keeper_in, MSG_SUBMITTED, 0, &sub);
    leave_client(c);
    while (control_clients(t->g->control) != 0)
        turn(t);
    send_recorded(t, find_frame(&t->keeper_in, MSG_SUBMITTED, 0)->id, sub.task.p);
    turn(t);
    turn(t);
    assert_int_equal(submits_open(t->g->submits), 0);
    assert_int_equal(t->requests, 1);
}

static void a_callback_url_of_the_client_is_forwarded_to(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_register reg;

    command(c, submit, "{\"prompt\":\"x\",\"callback_url\":\"https://mine.example/cb?a=1\"}");
    until(t, &t->requests, 1);
    await(t, &t->keeper_in, MSG_REGISTER, 0, &reg);
    assert_string_equal(reg.forward_url.p, "https://mine.example/cb?a=1");
    assert_null(strstr(t->request, "mine.example"));
    assert_non_null(strstr(sent_body(t), "https://hooks.example.org/in/callback/"));
    assert_non_null(strstr(sent_body(t), "\"prompt\":\"x\""));
}

static void a_provider_without_callbacks_gets_the_body_as_it_is(void **state)
{
    static const char own[] = "{ \"model\":\"m\",  \"callback_url\":\"https://mine.example/cb\" }";
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_register reg;

    command(c, "{\"command\":\"submit\",\"endpoint\":\"img2video\",\"provider\":\"octo\"}", own);
    until(t, &t->requests, 1);
    await(t, &t->keeper_in, MSG_REGISTER, 0, &reg);
    assert_non_null(strstr(t->request, "POST /vidu/ent/v2/img2video HTTP/1.1\r\n"));
    assert_non_null(strstr(t->request, "\r\nAuthorization: Bearer octo_secret\r\n"));
    assert_string_equal(sent_body(t), own);
    assert_true(reg.key_hash.n == 0 && reg.expects_callback == 0 && reg.forward_url.n == 0);
    assert_string_equal(reg.tags.p, "{}");
}

static const char *const usage_errors[][2] = {
    {"{\"command\":\"submit\"}", "{}"},
    {"{\"command\":\"submit\",\"endpoint\":\"img2vide\"}", "{}"},
    {"{\"command\":\"submit\",\"endpoint\":\"../x\",\"force\":true}", "{}"},
    {"{\"command\":\"submit\",\"endpoint\":\"a?b\",\"force\":true}", "{}"},
    {"{\"command\":\"submit\",\"endpoint\":\"img2video\",\"provider\":\"none\"}", "{}"},
    {"{\"command\":\"submit\",\"endpoint\":\"img2video\",\"tags\":{\"a\":1}}", "{}"},
    {"{\"command\":\"submit\",\"endpoint\":\"img2video\",\"tags\":\"x\"}", "{}"},
    {"{\"command\":\"submit\",\"endpoint\":\"img2video\"}", ""},
    {"{\"command\":\"submit\",\"endpoint\":\"img2video\"}", "[]"},
    {"{\"command\":\"submit\",\"endpoint\":\"img2video\"}", "{\"callback_url\":7}"},
};

static void what_cannot_be_sent_is_refused_at_once(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    unsigned int exit;

    for (int i = 0; i < (int)ARRAY_LEN(usage_errors); i++) {
        json_t *json;

        command(c, usage_errors[i][0], usage_errors[i][1]);
        json = await_result(t, c, i, &exit);
        assert_int_equal(exit, EXIT_USAGE);
        assert_string_not_equal(text_of(json, "error"), "");
        json_decref(json);
    }
    assert_int_equal(count(&t->keeper_in, MSG_REGISTER), 0);
    assert_int_equal(t->n_conns, 0);
}

static void an_unknown_endpoint_can_be_forced(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);

    command(c, "{\"command\":\"submit\",\"endpoint\":\"one-click/new\",\"force\":true}",
            "{\"a\":1}");
    until(t, &t->requests, 1);
    assert_non_null(strstr(t->request, "POST /ent/v2/one-click/new HTTP/1.1\r\n"));
    assert_string_equal(sent_body(t), "{\"a\":1}");
}

static void an_answer_that_is_the_result_makes_no_task(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    unsigned int exit;
    json_t *json;

    t->reply = "HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n{\"file_url\":\"https://h/a.mp3\"} ";
    command(c, "{\"command\":\"submit\",\"endpoint\":\"audio-tts\"}", "{\"text\":\"hello\"}");
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_OK);
    assert_null(json_object_get(json, "task"));
    assert_string_equal(text_of(json_object_get(json, "answer"), "file_url"), "https://h/a.mp3");
    assert_string_equal(sent_body(t), "{\"text\":\"hello\"}");
    json_decref(json);
    t->reply = "HTTP/1.1 400 Bad\r\nContent-Length: 25\r\n\r\n{\"reason\":\"FieldInvalid\"}";
    command(c, "{\"command\":\"submit\",\"endpoint\":\"audio-tts\"}", "{}");
    json = await_result(t, c, 1, &exit);
    assert_int_equal(exit, EXIT_REFUSED);
    assert_string_equal(text_of(json, "code"), "FieldInvalid");
    json_decref(json);
    t->reply = NULL; /* hangs up */
    command(c, "{\"command\":\"submit\",\"endpoint\":\"subjects\"}", "{}");
    json = await_result(t, c, 2, &exit);
    assert_int_equal(exit, EXIT_FAILED);
    assert_non_null(strstr(text_of(json, "error"), "may have been done"));
    json_decref(json);
    assert_null(strchr(t->order, 'R'));
    assert_null(strchr(t->order, 'S'));
}

static void a_keeper_that_does_not_answer_stops_the_submit(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_register reg;
    struct msg_submitted sub;
    unsigned int exit;
    json_t *json;

    t->keeper_silent = true;
    clock_freeze(1000, 1000);
    command(c, submit, body);
    await(t, &t->keeper_in, MSG_REGISTER, 0, &reg);
    clock_freeze(1000 + QUESTION_DEADLINE_MS, 1000);
    await(t, &t->keeper_in, MSG_SUBMITTED, 0, &sub);
    assert_int_equal(sub.outcome, ANSWER_REJECTED);
    send_recorded(t, find_frame(&t->keeper_in, MSG_SUBMITTED, 0)->id, sub.task.p);
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_FAILED);
    assert_int_equal(t->n_conns, 0);
    /* Too late: it may not be sent any more. */
    send_recorded(t, find_frame(&t->keeper_in, MSG_REGISTER, 0)->id, reg.task.p);
    for (int i = 0; i < 50; i++)
        turn(t);
    assert_int_equal(t->n_conns, 0);
    json_decref(json);
}

static void too_many_submits_at_once_are_refused(void **state)
{
    struct fixture *t = *state;
    struct test_client *a = new_client(t);
    struct test_client *b = new_client(t);
    unsigned int exit;
    json_t *json;

    t->keeper_silent = true;
    for (int i = 0; i < SUBMIT_AT_ONCE; i++)
        command(a, submit, body);
    while (count(&t->keeper_in, MSG_REGISTER) < SUBMIT_AT_ONCE)
        turn(t);
    command(b, submit, body);
    json = await_result(t, b, 0, &exit);
    assert_int_equal(exit, EXIT_FAILED);
    assert_non_null(strstr(text_of(json, "error"), "nothing was sent"));
    assert_int_equal(count(&t->keeper_in, MSG_REGISTER), SUBMIT_AT_ONCE);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_task_is_registered_before_a_byte_leaves),
        TEST(an_accepted_task_is_told_with_its_id),
        TEST(the_id_is_the_one_that_the_endpoint_names),
        TEST(the_request_carries_key_and_sealed_callback),
        TEST(the_key_itself_goes_to_nobody_but_the_provider),
        TEST(a_lost_answer_is_ambiguous_and_never_sent_again),
        TEST(a_server_error_is_ambiguous),
        TEST(a_refusal_is_handed_through),
        TEST(no_connection_means_that_nothing_was_created),
        TEST(a_task_that_cannot_be_registered_is_not_sent),
        TEST(an_answer_that_cannot_be_recorded_still_tells_the_id),
        TEST(the_client_is_told_only_after_the_answer_is_recorded),
        TEST(a_submit_goes_to_its_end_without_its_client),
        TEST(a_client_that_leaves_during_the_request_changes_nothing),
        TEST(a_callback_url_of_the_client_is_forwarded_to),
        TEST(a_provider_without_callbacks_gets_the_body_as_it_is),
        TEST(what_cannot_be_sent_is_refused_at_once),
        TEST(an_answer_that_is_the_result_makes_no_task),
        TEST(an_unknown_endpoint_can_be_forced),
        TEST(a_keeper_that_does_not_answer_stops_the_submit),
        TEST(too_many_submits_at_once_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
