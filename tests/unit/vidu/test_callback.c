/* The variants of vidu-api.md 11.3. SPDX-License-Identifier: MIT */
#include "vidu/callback.h"

#include <errno.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ID  "912345678901234567"
#define URL "https://media.example/a.mp4"

static const char *const fixtures[] = {
    "{\"id\":\"912345678901234567\",\"state\":\"success\",\"err_code\":\"\",\"credits\":40,"
    "\"payload\":\"order-42\",\"bgm\":false,\"off_peak\":false,\"creations\":[{\"id\":"
    "\"912345999901234567\",\"url\":\"https://media.example/a.mp4?s=1&e=2\",\"cover_url\":\"https:/"
    "/media.example/a.jpg\",\"watermarked_url\":\"\"}]}",
    "{\"state\":\"success\",\"err_code\":\"\",\"creations\":[{\"id\":\"1\",\"url\":\"https://"
    "media.example/a.mp4\",\"cover_url\":\"https://media.example/a.jpg\"}]}",
    "{\"id\":\"912345678901234567\",\"state\":\"processing\",\"err_code\":\"\",\"credits\":40,"
    "\"payload\":\"order-42\",\"creations\":[]}",
    "{\"id\":\"912345678901234567\",\"state\":\"failed\",\"err_code\":\"CreationPolicyViolation\","
    "\"credits\":0,\"payload\":\"order-42\",\"creations\":[]}",
    "{\"task_id\":\"912345678901234567\",\"status\":\"success\",\"payload\":\"order-42\","
    "\"creations\":[{\"id\":\"1\",\"url\":\"https://media.example/a.mp4\"}]}",
    "{\"task_id\":912345678901234567,\"status\":\"SUCCESS\",\"err_code\":null,\"credits\":\"40\","
    "\"creations\":null}",
    "{\"id\":\"912340000000000001\",\"state\":\"success\",\"err_code\":\"\",\"err_msg\":\"\","
    "\"signed_url\":\"https://media.example/mv.mp4\",\"job_records\":[]}",
    "{\"id\":\"912345678901234567\",\"state\":\"success\",\"creations\":[]}",
    "{\"id\":\"912345678901234567\",\"state\":\"success\",\"status\":\"processing\"}",
    "{\"id\":\"48038932-0ff5-4251-8b4b-000000000000\",\"status\":\"completed\",\"video_url\":"
    "\"https://media.example/a.mp4\"}",
};

static struct callback parse(const char *body)
{
    struct callback cb;
    struct err err = {{0}};

    if (callback_parse(body, strlen(body), &cb, &err) < 0)
        fail_msg("%s: %s", body, err.text);
    return cb;
}

static int refusal(const char *body, size_t n)
{
    struct callback cb = {.credits = 4711};
    struct err err = {{0}};
    int rc = callback_parse(body, n, &cb, &err);

    if (rc == 0)
        fail_msg("accepted: %.*s", (int)n, body);
    assert_int_equal(cb.credits, 4711);
    assert_string_not_equal(err.text, "");
    return rc;
}

static const struct {
    const char *id, *word, *err_code, *payload, *url;
    enum task_state state;
    int64_t credits;
    size_t n;
} expected[] = {
    {ID, "success", "", "order-42", URL "?s=1&e=2", STATE_SUCCESS, 40, 1},
    {"", "success", "", NULL, URL, STATE_SUCCESS, -1, 1},
    {ID, "processing", "", "order-42", NULL, STATE_PROCESSING, 40, 0},
    {ID, "failed", "CreationPolicyViolation", "order-42", NULL, STATE_FAILED, 0, 0},
    {ID, "success", "", "order-42", URL, STATE_SUCCESS, -1, 1},
    {ID, "SUCCESS", "", NULL, NULL, STATE_SUCCESS, 40, 0},
    {"912340000000000001", "success", "", NULL, "https://media.example/mv.mp4", STATE_SUCCESS, -1,
     1},
    {ID, "success", "", NULL, NULL, STATE_SUCCESS, -1, 0},
    {ID, "success", "", NULL, NULL, STATE_SUCCESS, -1, 0},
    {"48038932-0ff5-4251-8b4b-000000000000", "completed", "", NULL, URL, STATE_SUCCESS, -1, 1},
};

static void every_variant_is_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
        struct callback cb = parse(fixtures[i]);

        if (!str_eq(cb.id, expected[i].id) || !str_eq(cb.state_word, expected[i].word) ||
            !str_eq(cb.err_code, expected[i].err_code) ||
            !str_eq(cb.payload, expected[i].payload) || cb.state != expected[i].state ||
            !cb.state_known || cb.credits != expected[i].credits ||
            cb.n_creations != expected[i].n || callback_has_url(&cb) != (expected[i].url != NULL) ||
            (cb.n_creations > 0 && !str_eq(cb.creations[0].url, expected[i].url)))
            fail_msg("F%zu: %s", i + 1, fixtures[i]);
        callback_clear(&cb);
    }
}

static void a_creation_is_read_with_all_its_addresses(void **state)
{
    struct callback cb =
        parse("{\"state\":\"success\",\"creations\":[{\"id\":912345999901234567,"
              "\"url\":\"https://h/v\",\"cover_url\":\"https://h/c\","
              "\"watermarked_url\":\"https://h/w\"},{\"id\":\"2\",\"url\":\"\"}]}");

    (void)state;
    assert_int_equal(cb.n_creations, 2);
    assert_string_equal(cb.creations[0].id, "912345999901234567");
    assert_string_equal(cb.creations[0].url, "https://h/v");
    assert_string_equal(cb.creations[0].cover_url, "https://h/c");
    assert_string_equal(cb.creations[0].watermarked_url, "https://h/w");
    assert_null(cb.creations[1].url);
    callback_clear(&cb);
    assert_int_equal(cb.n_creations, 0);
    callback_clear(&cb);
    callback_clear(NULL);
}

static void the_canonical_form_has_every_member(void **state)
{
    struct callback cb =
        parse("{\"state\":\"success\",\"creations\":[{\"id\":\"1\",\"url\":"
              "\"https:\\/\\/h/a?x=1\\u0026y=2\"},{\"cover_url\":\"https://h/\xc3\xa4\"}]}");
    struct buf out = BUF_INIT(1000);

    (void)state;
    callback_creations_json(&cb, &out);
    assert_string_equal(buf_text(&out),
                        "[{\"id\":\"1\",\"url\":\"https://h/a?x=1&y=2\",\"cover_url\":\"\","
                        "\"watermarked_url\":\"\"},{\"id\":\"\",\"url\":\"\","
                        "\"cover_url\":\"https://h/\xc3\xa4\",\"watermarked_url\":\"\"}]");
    callback_clear(&cb);
    buf_reset(&out);
    callback_creations_json(&cb, &out);
    assert_string_equal(buf_text(&out), "[]");
    buf_free(&out);
}

static void an_address_that_is_none_counts_as_absent(void **state)
{
    static const char *const bad[] = {"file:///etc/passwd", "ssupload:?id=1",  "https://",
                                      "https://h/a b",      "https://h/\\n",   "//h/a",
                                      "https://h/\\u0000",  "javascript:a(1)", "https://h/\\u007f"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf body = BUF_INIT(1000);
        struct callback cb;

        buf_addf(&body, "{\"state\":\"success\",\"creations\":[{\"url\":\"%s\"}]}", bad[i]);
        cb = parse(buf_text(&body));
        if (callback_has_url(&cb))
            fail_msg("%s", bad[i]);
        callback_clear(&cb);
        buf_free(&body);
    }
}

static void an_address_ends_at_its_limit(void **state)
{
    (void)state;
    for (size_t n = CALLBACK_URL_MAX; n <= CALLBACK_URL_MAX + 1; n++) {
        struct buf body = BUF_INIT(10000);
        struct callback cb;

        buf_adds(&body, "{\"state\":\"success\",\"video_url\":\"https://h/");
        for (size_t i = strlen("https://h/"); i < n; i++)
            buf_addc(&body, 'a');
        buf_adds(&body, "\"}");
        cb = parse(buf_text(&body));
        assert_int_equal(callback_has_url(&cb), n == CALLBACK_URL_MAX);
        callback_clear(&cb);
        buf_free(&body);
    }
}

static void creations_end_at_their_limit(void **state)
{
    struct buf body = BUF_INIT(10000);
    struct callback cb;

    (void)state;
    buf_adds(&body, "{\"state\":\"success\",\"creations\":[null,7");
    for (int i = 0; i < 40; i++)
        buf_addf(&body, ",{\"id\":\"%d\"}", i);
    buf_adds(&body, "],\"video_url\":\"" URL "\"}");
    cb = parse(buf_text(&body));
    assert_int_equal(cb.n_creations, CALLBACK_MAX_CREATIONS);
    assert_string_equal(cb.creations[15].id, "15");
    callback_clear(&cb);
    buf_free(&body);
}

static void the_single_address_yields_to_creations(void **state)
{
    struct callback cb = parse("{\"state\":\"success\",\"video_url\":\"https://h/other\","
                               "\"creations\":[{\"url\":\"" URL "\"}]}");

    (void)state;
    assert_int_equal(cb.n_creations, 1);
    assert_string_equal(cb.creations[0].url, URL);
    callback_clear(&cb);
}

static void ids_keep_every_digit(void **state)
{
    struct callback cb = parse("{\"id\":9223372036854775807,\"state\":\"success\"}");

    (void)state;
    assert_string_equal(cb.id, "9223372036854775807");
    cb = parse("{\"id\":\"\",\"task_id\":9007199254740993,\"state\":\"success\"}");
    assert_string_equal(cb.id, "9007199254740993");
    cb = parse("{\"id\":null,\"task_id\":null,\"state\":\"success\"}");
    assert_string_equal(cb.id, "");
    cb = parse("{\"id\":\"1\",\"task_id\":\"2\",\"state\":\"success\"}");
    assert_string_equal(cb.id, "1");
}

static void credits_are_whole_numbers_or_unknown(void **state)
{
    static const struct {
        const char *text;
        int64_t credits;
    } rows[] = {{"40", 40},
                {"\"40\"", 40},
                {"0", 0},
                {"-1", -1},
                {"\"4 0\"", -1},
                {"4.5", -1},
                {"null", -1},
                {"\"\"", -1},
                {"\"-3\"", -1},
                {"true", -1},
                {"\"99999999999999999999\"", -1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf body = BUF_INIT(1000);
        struct callback cb;

        buf_addf(&body, "{\"state\":\"success\",\"credits\":%s}", rows[i].text);
        cb = parse(buf_text(&body));
        if (cb.credits != rows[i].credits)
            fail_msg("%s", rows[i].text);
        callback_clear(&cb);
        buf_free(&body);
    }
}

static void error_codes_of_every_form_are_read(void **state)
{
    static const struct {
        const char *members, *code, *message;
    } rows[] = {
        {"\"err_code\":\"X\",\"err_msg\":\"why\"", "X", "why"},
        {"\"err_code\":0", "", NULL},
        {"\"err_code\":\"0\"", "", NULL},
        {"\"err_code\":null", "", NULL},
        {"\"err_code\":1007", "1007", NULL},
        {"\"err_code\":{}", "", NULL},
        {"\"error\":{\"code\":\"c\",\"message\":\"m\"}", "c", "m"},
        {"\"err_code\":\"\",\"error\":\"text\"", "", "text"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf body = BUF_INIT(1000);
        struct callback cb;

        buf_addf(&body, "{\"state\":\"failed\",%s}", rows[i].members);
        cb = parse(buf_text(&body));
        if (!str_eq(cb.err_code, rows[i].code) || !str_eq(cb.err_msg, rows[i].message))
            fail_msg("%s: %s %s", rows[i].members, cb.err_code, str_or(cb.err_msg, "-"));
        callback_clear(&cb);
        buf_free(&body);
    }
}

static void a_failure_by_the_user_is_a_cancellation(void **state)
{
    struct callback cb = parse("{\"state\":\"failed\",\"err_code\":\"UserCancelled\"}");

    (void)state;
    assert_int_equal(cb.state, STATE_CANCELLED);
    assert_string_equal(cb.state_word, "failed");
    cb = parse("{\"state\":\"processing\",\"err_code\":\"UserCancelled\"}");
    assert_int_equal(cb.state, STATE_PROCESSING);
}

static void an_unknown_word_is_still_running(void **state)
{
    struct callback cb = parse("{\"state\":\"moderating\"}");

    (void)state;
    assert_int_equal(cb.state, STATE_PROCESSING);
    assert_false(cb.state_known);
    assert_string_equal(cb.state_word, "moderating");
    cb = parse("{\"state\":\"success\\u0000\"}");
    assert_false(cb.state_known);
    assert_string_equal(cb.state_word, "success?");
}

static void a_word_without_end_is_cut(void **state)
{
    struct buf body = BUF_INIT(1000);
    struct callback cb;

    (void)state;
    buf_adds(&body, "{\"state\":\"");
    for (int i = 0; i < 200; i++)
        buf_adds(&body, "\xc3\xa4");
    buf_adds(&body, "\"}");
    cb = parse(buf_text(&body));
    assert_int_equal(strlen(cb.state_word), CALLBACK_WORD_SIZE - 1);
    assert_true(str_is_utf8(cb.state_word, CALLBACK_WORD_SIZE - 1));
    buf_free(&body);
}

static void the_payload_is_kept_as_it_was(void **state)
{
    struct callback cb =
        parse("{\"state\":\"x\",\"payload\":\"a\\u0000b\\ud83d\\ude00\\/\\n\\u0000\"}");

    (void)state;
    assert_string_equal(cb.payload, "a\xef\xbf\xbd"
                                    "b\xf0\x9f\x98\x80/\n\xef\xbf\xbd");
    callback_clear(&cb);
    cb = parse("{\"state\":\"x\",\"payload\":\"\"}");
    assert_string_equal(cb.payload, "");
    callback_clear(&cb);
    cb = parse("{\"state\":\"x\",\"payload\":7}");
    assert_null(cb.payload);
}

static void a_payload_of_a_million_characters_is_fine(void **state)
{
    struct buf body = BUF_INIT(8U << 20);
    struct callback cb;

    (void)state;
    buf_adds(&body, "{\"state\":\"x\",\"payload\":\"");
    for (int i = 0; i < 1 << 20; i++)
        buf_adds(&body, "\\u4f60");
    buf_adds(&body, "\"}");
    cb = parse(buf_text(&body));
    assert_int_equal(strlen(cb.payload), 3U << 20);
    callback_clear(&cb);
    buf_free(&body);
}

static void harmless_surroundings_are_skipped(void **state)
{
    struct callback cb = parse("\xef\xbb\xbf {\"state\":\"success\", \"new\":{\"a\":[{}]}}\r\n");

    (void)state;
    assert_int_equal(cb.state, STATE_SUCCESS);
}

static void what_is_not_understood_leaves_the_struct_alone(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "null",
        "[{\"state\":\"success\"}]",
        "state=success",
        "{}",
        "{\"id\":\"1\"}",
        "{\"state\":\"\",\"status\":null}",
        "{\"state\":7}",
        "{\"state\":\"success\"}x",
        "{\"state\":\"success\",\"state\":\"failed\"}",
        "{\"state\":\"success\",\"x\":{\"a\":1,\"a\":2}}",
        "{\"state\":\"success\",\"x\":12345678901234567890}",
        "{\"state\":\"success\",\"x\":1e999}",
        "{\"state\":\"success\",\"x\":\"\xc0\xaf\"}",
        "{\"state\":\"success\",\"x\":\"\xed\xa0\x80\"}",
        "{\"state\":\"success\",\"x\":\"\\ud800\"}",
        "{\"state\":\"success\",\"x\":\"\n\"}",
        "{\"state\":\"success\",\"a\\u0000\":1}",
        "{\"state\":\"success\",\"id\":1.5}",
        "{\"state\":\"success\",\"id\":-1}",
        "{\"state\":\"success\",\"id\":[]}",
        "{\"state\":\"success\",\"id\":true}",
        "{\"state\":\"success\",\"id\":\"../1\"}",
        "{\"state\":\"success\",\"id\":\"1\\u0000\"}",
        "{\"state\":\"success\",\"task_id\":\"a b\"}",
        "\xef\xbb\xbf\xef\xbb\xbf{\"state\":\"success\"}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(refusal(bad[i], strlen(bad[i])), -EINVAL);
    assert_int_equal(refusal("{\"state\":\"success\"}", 18), -EINVAL);
    assert_int_equal(refusal("{\"state\":\"success\"\0}", 20), -EINVAL);
}

static void ids_end_at_64_bytes(void **state)
{
    char body[128] = "{\"state\":\"success\",\"id\":\"";
    size_t n = strlen(body);

    (void)state;
    memset(body + n, '1', 65);
    memcpy(body + n + 65, "\"}", 2);
    assert_int_equal(refusal(body, n + 67), -EINVAL);
    memcpy(body + n + 64, "\"}", 3);
    assert_int_equal(strlen(parse(body).id), 64);
}

/* An object and its nested arrays; brackets inside strings do not count. */
static void nesting_ends_at_32(void **state)
{
    (void)state;
    for (int depth = 31; depth <= 32; depth++) {
        struct buf body = BUF_INIT(256);

        buf_adds(&body, "{\"state\":\"\\\"[[[[{{{{\",\"x\":");
        for (int i = 0; i < depth; i++)
            buf_addc(&body, '[');
        for (int i = 0; i < depth; i++)
            buf_addc(&body, ']');
        buf_addc(&body, '}');
        if (depth == 31)
            assert_false(parse(buf_text(&body)).state_known);
        else
            assert_int_equal(refusal(body.data, body.len), -E2BIG);
        buf_free(&body);
    }
}

/* vidu-api.md section 7: a whole and its parts. */
static const char job_tree[] =
    "{\"id\":\"912340000000000001\",\"type\":\"mv\",\"state\":\"success\",\"err_code\":\"\","
    "\"err_msg\":\"\",\"signed_url\":\"" URL "\",\"job_records\":[{\"type\":\"generate_video\","
    "\"index\":0,\"jobs\":[{\"id\":\"912340000000000002\",\"type\":\"generate_video\","
    "\"state\":\"success\",\"signed_url\":\"https://media.example/s0.mp4\"},{\"id\":"
    "912340000000000004,\"state\":\"failed\",\"err_code\":\"AuditFailed\"}]},{\"type\":"
    "\"compose\",\"jobs\":[{\"id\":\"912340000000000003\",\"type\":\"compose\",\"state\":"
    "\"processing\",\"signed_url\":\"\"}]}]}";

static struct callback answer(const char *body, const char *id, const struct answer_names *names)
{
    struct callback cb;
    struct err err = {{0}};

    if (callback_parse_answer(body, strlen(body), id, names, &cb, &err) < 0)
        fail_msg("%s: %s", body, err.text);
    return cb;
}

static void expect_answer(const char *body, const char *id, const struct answer_names *names,
                          enum task_state state, const char *url)
{
    struct callback cb = answer(body, id, names);

    if (id != NULL)
        assert_string_equal(cb.id, id);
    assert_int_equal(cb.state, state);
    assert_int_equal(cb.n_creations, url != NULL);
    if (url != NULL)
        assert_string_equal(cb.creations[0].url, url);
    callback_clear(&cb);
}

static void the_part_of_a_tree_that_was_asked_about_is_read(void **state)
{
    struct callback cb;

    (void)state;
    expect_answer(job_tree, "912340000000000001", NULL, STATE_SUCCESS, URL);
    expect_answer(job_tree, "912340000000000002", NULL, STATE_SUCCESS,
                  "https://media.example/s0.mp4");
    expect_answer(job_tree, "912340000000000003", NULL, STATE_PROCESSING, NULL);
    expect_answer(job_tree, "912340000000000004", NULL, STATE_FAILED, NULL);
    cb = answer(job_tree, "912340000000000004", NULL);
    assert_string_equal(cb.err_code, "AuditFailed");
    callback_clear(&cb);
    cb = answer(job_tree, "4711", NULL); /* of nobody: the whole speaks, under its own id */
    assert_string_equal(cb.id, "912340000000000001");
    callback_clear(&cb);
    cb = parse(job_tree);
    assert_string_equal(cb.id, "912340000000000001");
    assert_string_equal(cb.creations[0].url, URL);
    callback_clear(&cb);
}

static void a_tree_without_a_url_at_its_top_has_it_in_its_parts(void **state)
{
    struct callback cb;

    (void)state;
    expect_answer("{\"id\":\"1\",\"state\":\"success\",\"job_records\":[{\"jobs\":[{\"id\":\"2\","
                  "\"type\":\"generate_video\",\"state\":\"success\",\"signed_url\":\"https://h/"
                  "part\"}]},{\"jobs\":[{\"id\":\"3\",\"type\":\"compose\",\"state\":\"success\","
                  "\"signed_url\":\"https://h/old\"},{\"id\":\"4\",\"type\":\"compose\",\"state\":"
                  "\"success\",\"signed_url\":\"" URL "\"}]}]}",
                  "1", NULL, STATE_SUCCESS, URL);
    cb = answer("{\"id\":\"1\",\"state\":\"success\",\"data_records\":{\"storyboards\":[{"
                "\"stroyboard_id\":\"7\",\"records\":[{\"id\":\"8\",\"state\":\"success\","
                "\"creation_url\":\"https://h/part\"}]}],\"completed_creation_records\":[{\"id\":"
                "\"9\",\"state\":\"success\",\"creation_url\":\"" URL "\"},{\"id\":\"10\","
                "\"state\":\"failed\",\"creation_url\":\"https://h/bad\"}]}}",
                "1", NULL);
    assert_int_equal(cb.n_creations, 1);
    assert_string_equal(cb.creations[0].id, "9");
    assert_string_equal(cb.creations[0].url, URL);
    callback_clear(&cb);
    expect_answer("{\"id\":\"1\",\"state\":\"processing\",\"data_records\":[{"
                  "\"completed_creation_records\":[{\"id\":\"9\",\"state\":\"success\","
                  "\"creation_url\":\"" URL "\"}]}]}",
                  "1", NULL, STATE_PROCESSING, NULL);
    expect_answer("{\"id\":\"1\",\"state\":\"processing\",\"data_records\":[{\"records\":[{\"id\":"
                  "\"9\",\"state\":\"success\",\"creation_url\":\"" URL "\"}]}]}",
                  "9", NULL, STATE_SUCCESS, URL);
}

static void envelopes_are_taken_off_and_names_may_be_others(void **state)
{
    static const struct answer_names own = {"job.uid", "job.phase", "job.files.1.link"};
    static const struct answer_names list = {.state = "phase", .result = "links"};
    struct callback cb;
    struct err err;

    (void)state;
    expect_answer("{\"code\":\"success\",\"message\":\"\",\"data\":{\"task_id\":\"a-1\",\"status\":"
                  "\"SUCCESS\",\"url\":\"" URL "\"}}",
                  "a-1", NULL, STATE_SUCCESS, URL);
    cb = answer("{\"code\":\"success\",\"data\":{\"task_id\":\"a-1\",\"status\":\"FAILURE\","
                "\"fail_reason\":\"too red\"}}",
                "a-1", NULL);
    assert_int_equal(cb.state, STATE_FAILED);
    assert_string_equal(cb.err_msg, "too red");
    callback_clear(&cb);
    expect_answer("{\"id\":\"7\",\"status\":\"queued\",\"data\":{\"status\":\"success\"}}", "7",
                  NULL, STATE_QUEUED, NULL);
    expect_answer("{\"id\":\"no\",\"job\":{\"uid\":7,\"phase\":\"done\",\"files\":[{\"link\":"
                  "\"https://h/0\"},{\"link\":\"" URL "\"}]}}",
                  "7", &own, STATE_SUCCESS, URL);
    expect_answer("{\"phase\":\"done\",\"links\":[\"" URL "\",7]}", NULL, &list, STATE_SUCCESS,
                  URL);
    assert_int_equal(callback_parse_answer("{\"state\":\"success\"}", 19, "7", &own, &cb, &err),
                     -EINVAL);
    assert_non_null(strstr(err.text, "job.phase"));
}

static void paths_of_names_are_plain(void **state)
{
    static const char *const good[] = {"a", "data.task_id", "a.0.b", "a.b.c.d.e.f.g.h"};
    static const char *const bad[] = {"",   ".", "a.", ".a", "a..b", "a b", "a.b.c.d.e.f.g.h.i",
                                      "a/b"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(names_path_is_good(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(names_path_is_good(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_part_of_a_tree_that_was_asked_about_is_read),
        cmocka_unit_test(a_tree_without_a_url_at_its_top_has_it_in_its_parts),
        cmocka_unit_test(envelopes_are_taken_off_and_names_may_be_others),
        cmocka_unit_test(paths_of_names_are_plain),
        cmocka_unit_test(every_variant_is_understood),
        cmocka_unit_test(a_creation_is_read_with_all_its_addresses),
        cmocka_unit_test(the_canonical_form_has_every_member),
        cmocka_unit_test(an_address_that_is_none_counts_as_absent),
        cmocka_unit_test(an_address_ends_at_its_limit),
        cmocka_unit_test(creations_end_at_their_limit),
        cmocka_unit_test(the_single_address_yields_to_creations),
        cmocka_unit_test(ids_keep_every_digit),
        cmocka_unit_test(credits_are_whole_numbers_or_unknown),
        cmocka_unit_test(error_codes_of_every_form_are_read),
        cmocka_unit_test(a_failure_by_the_user_is_a_cancellation),
        cmocka_unit_test(an_unknown_word_is_still_running),
        cmocka_unit_test(a_word_without_end_is_cut),
        cmocka_unit_test(the_payload_is_kept_as_it_was),
        cmocka_unit_test(a_payload_of_a_million_characters_is_fine),
        cmocka_unit_test(harmless_surroundings_are_skipped),
        cmocka_unit_test(what_is_not_understood_leaves_the_struct_alone),
        cmocka_unit_test(ids_end_at_64_bytes),
        cmocka_unit_test(nesting_ends_at_32),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
