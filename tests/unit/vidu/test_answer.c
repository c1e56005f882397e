/* SPDX-License-Identifier: MIT */
#include "vidu/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct answer parse(int status, const char *body)
{
    struct answer a;

    answer_parse(status, body, strlen(body), NULL, &a);
    return a;
}

static void the_official_answer_is_read(void **state)
{
    struct answer a =
        parse(200, "{\"task_id\": \"912345678901234567\", \"state\": \"created\", \"credits\": 40,"
                   "\"model\":\"viduq3-turbo\",\"images\":[\"https://img.example/a.png\"]}");

    (void)state;
    assert_int_equal(a.outcome, ANSWER_ACCEPTED);
    assert_string_equal(a.remote_id, "912345678901234567");
    assert_string_equal(a.state_word, "created");
    assert_int_equal(a.credits, 40);
    assert_string_equal(a.reason, "");
}

static void answers_of_gateways_are_read(void **state)
{
    struct answer a = parse(200, "{\"task_id\":\"48038932-0ff5-4251-8b4b-000000000000\","
                                 "\"status\":\"processing\",\"created_at\":1767225599}");

    (void)state;
    assert_int_equal(a.outcome, ANSWER_ACCEPTED);
    assert_string_equal(a.remote_id, "48038932-0ff5-4251-8b4b-000000000000");
    assert_string_equal(a.state_word, "processing");
    assert_int_equal(a.credits, -1);
    a = parse(201, "{\"task_id\":912345678901234567,\"state\":\"created\",\"credits\":\"40\"}");
    assert_string_equal(a.remote_id, "912345678901234567");
    assert_int_equal(a.credits, 40);
    a = parse(200, "{\"id\":\"video_1\",\"object\":\"video\",\"status\":\"queued\"}");
    assert_string_equal(a.remote_id, "video_1");
}

static void a_refusal_keeps_its_reason(void **state)
{
    struct answer a =
        parse(400, "{\"code\": 400, \"reason\": \"FieldInvalid\", \"message\": "
                   "\"invalid field: duration\", \"metadata\": {\"trace_id\": \"0af7\"}}");

    (void)state;
    assert_int_equal(a.outcome, ANSWER_REJECTED);
    assert_string_equal(a.reason, "FieldInvalid");
    assert_string_equal(a.message, "invalid field: duration");
    assert_string_equal(a.trace_id, "0af7");
    a = parse(401, "{\"error\":{\"message\":\"no such key\",\"code\":\"invalid_api_key\"}}");
    assert_string_equal(a.reason, "invalid_api_key");
    assert_string_equal(a.message, "no such key");
    a = parse(403, "{\"error\":\"quota\"}");
    assert_string_equal(a.message, "quota");
}

/* A second create is billed twice, so whatever leaves a doubt is not a refusal. */
static void doubt_is_not_a_refusal(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum answer_outcome outcome;
    } rows[] = {
        {0, "", ANSWER_AMBIGUOUS},
        {500, "{\"reason\":\"InternalServiceFailure\"}", ANSWER_AMBIGUOUS},
        {502, "<html>", ANSWER_AMBIGUOUS},
        {408, "", ANSWER_AMBIGUOUS},
        {499, "", ANSWER_AMBIGUOUS},
        {302, "", ANSWER_AMBIGUOUS},
        {200, "", ANSWER_AMBIGUOUS},
        {200, "{}", ANSWER_AMBIGUOUS},
        {200, "{\"task_id\":\"\"}", ANSWER_AMBIGUOUS},
        {200, "{\"task_id\":\"../x\",\"id\":\"1\"}", ANSWER_AMBIGUOUS},
        {200, "{\"task_id\":\"1\"", ANSWER_AMBIGUOUS},
        {400, "", ANSWER_REJECTED},
        {429, "<html>", ANSWER_REJECTED},
        {404, "{\"task_id\":\"1\"}", ANSWER_REJECTED},
        {200, "{\"task_id\":null,\"id\":\"1\"}", ANSWER_ACCEPTED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct answer a = parse(rows[i].status, rows[i].body);

        if (a.outcome != rows[i].outcome)
            fail_msg("%d %s: %s", rows[i].status, rows[i].body, answer_outcome_name(a.outcome));
        assert_int_equal(a.http_status, rows[i].status);
        assert_int_equal(a.remote_id[0] != '\0', a.outcome == ANSWER_ACCEPTED);
    }
}

static void the_reason_of_a_success_without_id_is_kept(void **state)
{
    struct answer a = parse(200, "{\"code\":\"fail_to_fetch_task\",\"message\":\"upstream\"}");

    (void)state;
    assert_string_equal(a.reason, "fail_to_fetch_task");
    assert_string_equal(a.message, "upstream");
}

static void the_trace_id_comes_from_the_header_when_the_body_has_none(void **state)
{
    struct answer a;
    char longest[300];

    (void)state;
    answer_parse(200, "{\"id\":\"1\"}", 10, "abc", &a);
    assert_string_equal(a.trace_id, "abc");
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    answer_parse(500, "", 0, longest, &a);
    assert_int_equal(strlen(a.trace_id), sizeof(a.trace_id) - 1);
    answer_parse(400, "{\"metadata\":{\"trace_id\":\"body\"}}", 32, "abc", &a);
    assert_string_equal(a.trace_id, "body");
}

static void long_messages_are_cut_between_characters(void **state)
{
    struct buf body = BUF_INIT(4096);
    struct answer a;

    (void)state;
    buf_adds(&body, "{\"message\":\"");
    for (int i = 0; i < 300; i++)
        buf_adds(&body, "\xc3\xa4");
    buf_adds(&body, "\"}");
    answer_parse(400, body.data, body.len, NULL, &a);
    assert_int_equal(strlen(a.message), 510);
    assert_true(str_is_utf8(a.message, 510));
    buf_free(&body);
}

static void every_name_of_an_id_is_known(void **state)
{
    static const struct answer_names own = {.id = "out.job", .state = "out.phase"};
    static const char text[] = "{\"id\":\"no\",\"out\":{\"job\":77,\"phase\":\"waiting\"}}";
    static const struct {
        const char *body, *id;
    } rows[] = {
        {"{\"id\":\"5\"}", "5"},
        {"{\"sub_task_id\":\"6\",\"ad_one_click_task_id\":\"5\",\"id\":\"5\"}", "6"},
        {"{\"compose_sub_task_id\":\"7\",\"task_id\":\"5\"}", "7"},
        {"{\"sub_task_id\":\"\",\"task_id\":\"5\"}", "5"},
        {"{\"code\":200,\"message\":\"ok\",\"data\":{\"task_id\":\"8\",\"status\":\"queued\"}}",
         "8"},
    };
    struct answer a;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        a = parse(200, rows[i].body);
        assert_int_equal(a.outcome, ANSWER_ACCEPTED);
        assert_string_equal(a.remote_id, rows[i].id);
    }
    answer_parse_named(200, text, sizeof(text) - 1, NULL, &own, &a);
    assert_string_equal(a.remote_id, "77");
    assert_string_equal(a.state_word, "waiting");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_official_answer_is_read),
        cmocka_unit_test(answers_of_gateways_are_read),
        cmocka_unit_test(every_name_of_an_id_is_known),
        cmocka_unit_test(a_refusal_keeps_its_reason),
        cmocka_unit_test(doubt_is_not_a_refusal),
        cmocka_unit_test(the_reason_of_a_success_without_id_is_kept),
        cmocka_unit_test(the_trace_id_comes_from_the_header_when_the_body_has_none),
        cmocka_unit_test(long_messages_are_cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
