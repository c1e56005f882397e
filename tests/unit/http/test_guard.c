/* SPDX-License-Identifier: MIT */
#include "http/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define HEAD(fields) "POST /callback/x HTTP/1.1\r\nHost: h\r\n" fields "\r\n"

/* Feeds text in pieces, admitting every head; *used counts what was taken. */
static enum guard_result feed_all(struct guard *g, const char *text, size_t n, size_t piece,
                                  size_t *used)
{
    enum guard_result result = GUARD_MORE;

    for (*used = 0; result == GUARD_MORE && *used < n;) {
        size_t len = n - *used < piece ? n - *used : piece;
        size_t step;

        result = guard_feed(g, text + *used, len, &step);
        *used += step;
        if (result == GUARD_HEAD) {
            guard_admit(g);
            result = guard_feed(g, text + *used, len - step, &step);
            *used += step;
        }
    }
    return result;
}

static void a_request_is_whole_however_it_was_cut(void **state)
{
    static const struct {
        const char *text, *body, *rest;
    } cases[] = {
        {HEAD(""), "", ""},
        {HEAD("") "GET / ", "", "GET / "},
        {HEAD("Content-Length: 0\r\n") "x", "", "x"},
        {HEAD("Content-Length: 5\r\n") "hello", "hello", ""},
        {HEAD("Content-Length: 5\r\n") "helloPOST / HTTP/1.1\r\n", "hello", "POST / HTTP/1.1\r\n"},
        {HEAD("Transfer-Encoding: chunked\r\n") "2\r\nhe\r\n3;x\r\nllo\r\n0\r\nA: b\r\n\r\nPOST",
         "hello", "POST"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t piece = 1; piece < 200; piece++) {
            struct guard g;
            size_t used;

            guard_init(&g, 100);
            assert_int_equal(feed_all(&g, cases[i].text, strlen(cases[i].text), piece, &used),
                             GUARD_DONE);
            assert_string_equal(buf_text(&g.body), cases[i].body);
            assert_string_equal(cases[i].text + used, cases[i].rest);
            assert_true(slice_is(g.head.path, "/callback/x"));
            guard_clear(&g);
        }
    }
}

static void nothing_of_a_body_is_taken_before_the_head_is_admitted(void **state)
{
    static const char text[] = HEAD("Content-Length: 5\r\n") "hello";
    struct guard g;
    size_t used;

    (void)state;
    guard_init(&g, 100);
    assert_int_equal(guard_feed(&g, text, sizeof(text) - 1, &used), GUARD_HEAD);
    assert_int_equal(used, sizeof(text) - 1 - 5);
    assert_int_equal(guard_feed(&g, "hello", 5, &used), GUARD_HEAD);
    assert_int_equal(used, 0);
    guard_refuse(&g, 404, "test");
    assert_int_equal(guard_feed(&g, "hello", 5, &used), GUARD_REFUSED);
    assert_int_equal(used, 0);
    assert_int_equal(g.body.len, 0);
    guard_clear(&g);
}

static void refusals_have_a_status(void **state)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {HEAD("Content-Length: 101\r\n"), 413},
        {HEAD("Content-Length: 999999999999999999\r\n"), 413},
        {HEAD("Transfer-Encoding: chunked\r\n") "65\r\n", 413},
        {HEAD("Transfer-Encoding: chunked\r\n") "ffffffffffffffff\r\n", 413},
        {HEAD("Transfer-Encoding: chunked\r\n") "64\r\n"
                                                "0123456789012345678901234567890123456789"
                                                "0123456789012345678901234567890123456789"
                                                "01234567890123456789\r\n1\r\n",
         413},
        {HEAD("Transfer-Encoding: chunked\r\n") "zz\r\n", 400},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct guard g;
        size_t used;

        guard_init(&g, 100);
        assert_int_equal(feed_all(&g, cases[i].text, strlen(cases[i].text), 7, &used),
                         GUARD_REFUSED);
        assert_int_equal(g.status, cases[i].status);
        assert_non_null(g.reason);
        assert_true(g.body.len <= 100);
        guard_clear(&g);
    }
}

static void an_endless_head_costs_no_more_than_its_limit(void **state)
{
    static char flood[4 * HEAD_MAX_BYTES];
    struct guard g;
    size_t used;

    (void)state;
    memset(flood, 'A', sizeof(flood));
    guard_init(&g, 100);
    assert_int_equal(guard_feed(&g, flood, sizeof(flood), &used), GUARD_REFUSED);
    assert_int_equal(g.status, 431);
    assert_true(g.bytes.cap <= 2 * HEAD_MAX_BYTES);
    guard_clear(&g);
}

static void after_a_reset_the_next_request_is_read(void **state)
{
    static const char text[] = HEAD("Content-Length: 5\r\n") "hello";
    struct guard g;
    size_t used;

    (void)state;
    guard_init(&g, 100);
    for (int i = 0; i < 3; i++) {
        assert_false(guard_started(&g));
        assert_int_equal(feed_all(&g, text, sizeof(text) - 1, 10, &used), GUARD_DONE);
        assert_string_equal(buf_text(&g.body), "hello");
        assert_true(guard_started(&g));
        guard_reset(&g);
    }
    guard_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_whole_however_it_was_cut),
        cmocka_unit_test(nothing_of_a_body_is_taken_before_the_head_is_admitted),
        cmocka_unit_test(refusals_have_a_status),
        cmocka_unit_test(an_endless_head_costs_no_more_than_its_limit),
        cmocka_unit_test(after_a_reset_the_next_request_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
