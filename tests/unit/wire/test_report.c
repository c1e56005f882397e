/* SPDX-License-Identifier: MIT */
#include "wire/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_callback_becomes_a_report(void **state)
{
    static const char body[] = "{\"id\":\"77\",\"state\":\"success\",\"credits\":4,\"creations\":"
                               "[{\"id\":\"c\",\"url\":\"https://u/v.mp4\"}]}";
    autobuf struct buf result = BUF_INIT(65536);
    struct msg_report r;
    struct callback cb;
    struct err err;

    (void)state;
    assert_int_equal(callback_parse(body, strlen(body), &cb, &err), 0);
    report_fill(&cb, &result, &r);
    assert_int_equal(r.understood, 1);
    assert_true(slice_is(r.id, "77") && slice_is(r.state_word, "success"));
    assert_true(r.state == STATE_SUCCESS && r.state_known == 1 && r.credits == 4);
    assert_non_null(strstr(r.result.p, "https://u/v.mp4"));
    assert_int_equal(r.has_url, 1);
    callback_clear(&cb);
}

/* A success without one is asked for at the provider. */
static void only_a_result_with_a_url_has_one(void **state)
{
    static const char *const bodies[] = {
        "{\"state\":\"success\",\"creations\":[]}",
        "{\"state\":\"success\",\"creations\":[{\"id\":\"\\\"url\\\":\\\"x\",\"url\":\"\"}]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        autobuf struct buf result = BUF_INIT(65536);
        struct msg_report r;
        struct callback cb;
        struct err err;

        assert_int_equal(callback_parse(bodies[i], strlen(bodies[i]), &cb, &err), 0);
        report_fill(&cb, &result, &r);
        assert_int_equal(r.has_url, 0);
        callback_clear(&cb);
    }
}

static void a_result_too_long_for_a_message_is_none(void **state)
{
    static const char body[] = "{\"state\":\"success\",\"creations\":[{\"url\":\"https://u/v\"}]}";
    autobuf struct buf small = BUF_INIT(16);
    struct msg_report r;
    struct callback cb;
    struct err err;

    (void)state;
    assert_int_equal(callback_parse(body, strlen(body), &cb, &err), 0);
    report_fill(&cb, &small, &r);
    assert_true(r.has_url == 0 && r.result.n == 0 && r.understood == 1);
    callback_clear(&cb);
}

static void nothing_understood_is_an_empty_report(void **state)
{
    autobuf struct buf result = BUF_INIT(65536);
    struct msg_report r;

    (void)state;
    report_fill(NULL, &result, &r);
    assert_true(r.understood == 0 && r.credits == -1 && r.id.n == 0 && r.result.n == 0);
}

static void a_long_message_is_cut_between_characters(void **state)
{
    char *msg = mem_calloc(100001, 1);
    struct callback cb = {.err_msg = msg, .credits = -1};
    autobuf struct buf result = BUF_INIT(65536);
    struct msg_report r;
    size_t i;

    (void)state;
    for (i = 0; i + 3 <= 100000; i += 3)
        memcpy(msg + i, "\xe2\x82\xac", 3);
    report_fill(&cb, &result, &r);
    assert_int_equal(r.err_msg.n % 3, 0);
    assert_in_range(r.err_msg.n, 1000, 65536);
    free(msg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_callback_becomes_a_report),
        cmocka_unit_test(only_a_result_with_a_url_has_one),
        cmocka_unit_test(a_result_too_long_for_a_message_is_none),
        cmocka_unit_test(nothing_understood_is_an_empty_report),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
