/* SPDX-License-Identifier: MIT */
#include "http/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define START "POST /callback/x HTTP/1.1\r\n"
#define HOST  "Host: h\r\n"
#define END   "\r\n"

/* One row of the table: the bytes, what is said of them, and why. */
struct row {
    const char *bytes;
    size_t n;
    enum head_result result;
    const char *reason;
};

#define ROW(text, result, reason)                                                                  \
    {                                                                                              \
        text, sizeof(text) - 1, result, reason                                                     \
    }
#define OK(text)          ROW(text, HEAD_OK, NULL)
#define BAD(text, reason) ROW(text, HEAD_BAD, reason)

static const struct row rows[] = {
    /* request lines */
    OK(START HOST END),
    OK("GET / HTTP/1.1\r\n" HOST END),
    OK("GET /?a=b&c HTTP/1.1\r\n" HOST END),
    OK("GET /a//b/../c HTTP/1.1\r\n" HOST END),
    OK("GET /%2e%00 HTTP/1.1\r\n" HOST END),
    OK("GET /!$&'()*+,;=:@-._~\"<>[]\\^`{|} HTTP/1.1\r\n" HOST END),
    OK("PROPFIND / HTTP/1.1\r\n" HOST END),
    OK("lower / HTTP/1.1\r\n" HOST END),
    OK("M!#$%&'*+-.^_`|~ / HTTP/1.1\r\n" HOST END),
    OK("GET / HTTP/1.0\r\n" END),
    OK("GET / HTTP/1.0\r\n" HOST END),
    BAD("\r\n" START HOST END, "method"),
    BAD(" GET / HTTP/1.1\r\n" HOST END, "method"),
    BAD("GET\r\n" HOST END, "target"),
    BAD("GET / \r\n" HOST END, "version"),
    BAD("GET /\r\n" HOST END, "version"),
    BAD("GET  / HTTP/1.1\r\n" HOST END, "target"),
    BAD("GET /  HTTP/1.1\r\n" HOST END, "version"),
    BAD("GET / HTTP/1.1 \r\n" HOST END, "version"),
    BAD("GET\t/ HTTP/1.1\r\n" HOST END, "method"),
    BAD("GET /\tHTTP/1.1\r\n" HOST END, "target"),
    BAD("GET / HTTP/1.1 x\r\n" HOST END, "version"),
    BAD("GET / HTTP/0.9\r\n" HOST END, "version"),
    BAD("GET / HTTP/1.2\r\n" HOST END, "version"),
    BAD("GET / HTTP/1.9\r\n" HOST END, "version"),
    BAD("GET / HTTP/-3.7\r\n" HOST END, "version"),
    BAD("GET / HTTP/2.0\r\n" HOST END, "version"),
    BAD("GET / HTTP/01.1\r\n" HOST END, "version"),
    BAD("GET / HTTP/1.10\r\n" HOST END, "version"),
    BAD("GET / HTTP/1.1a\r\n" HOST END, "version"),
    BAD("GET / http/1.1\r\n" HOST END, "version"),
    BAD("GET / HTTP/1,1\r\n" HOST END, "version"),
    BAD("GET / HTTP 1.1\r\n" HOST END, "version"),
    BAD("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "target"),
    BAD("GET http://h/ HTTP/1.1\r\n" HOST END, "target"),
    BAD("CONNECT h:443 HTTP/1.1\r\n" HOST END, "target"),
    BAD("OPTIONS * HTTP/1.1\r\n" HOST END, "target"),
    BAD("GET callback/x HTTP/1.1\r\n" HOST END, "target"),
    BAD("GET ?a HTTP/1.1\r\n" HOST END, "target"),
    BAD("GET /a#b HTTP/1.1\r\n" HOST END, "target"),
    BAD("GET /a b HTTP/1.1\r\n" HOST END, "version"),
    BAD("GET /a\rb HTTP/1.1\r\n" HOST END, "target"),
    BAD("GET /a\x80 HTTP/1.1\r\n" HOST END, "target"),
    BAD("GET /\xc3\xa4 HTTP/1.1\r\n" HOST END, "target"),
    BAD("GET /\x7f HTTP/1.1\r\n" HOST END, "target"),
    BAD("GET /\x01 HTTP/1.1\r\n" HOST END, "target"),
    BAD("GET /\0 HTTP/1.1\r\n" HOST END, "target"),
    BAD("\0GET / HTTP/1.1\r\n" HOST END, "method"),
    BAD("G\0T / HTTP/1.1\r\n" HOST END, "method"),
    BAD("G(T / HTTP/1.1\r\n" HOST END, "method"),
    BAD("G\x80T / HTTP/1.1\r\n" HOST END, "method"),
    BAD("G:T / HTTP/1.1\r\n" HOST END, "method"),
    OK("ABCDEFGHIJKLMNOP / HTTP/1.1\r\n" HOST END),
    BAD("ABCDEFGHIJKLMNOPQ / HTTP/1.1\r\n" HOST END, "method"),
    BAD("\x16\x03\x01\x02\n", "line end"),
    BAD("\x16\x03\x01\x02\r\n", "method"),
    /* line ends */
    BAD("GET / HTTP/1.1\nHost: h\n\n", "line end"),
    BAD("GET / HTTP/1.1\n" HOST END, "line end"),
    BAD(START "Host: h\n\r\n", "line end"),
    BAD(START HOST "\n", "line end"),
    BAD("\n", "line end"),
    BAD(START HOST "\r\r\n" END, "line without colon"),
    BAD(START "Host: h\r\r\n" END, "field value"),
    BAD(START HOST "A: b\rC: d\r\n" END, "field value"),
    /* names */
    OK(START HOST "!#$%&'*+-.^_`|~09azAZ: x\r\n" END),
    OK(START HOST "X:y\r\n" END),
    OK(START HOST "X:\r\n" END),
    OK(START HOST "X: \t y \t \r\n" END),
    BAD(START HOST ": y\r\n" END, "field name"),
    BAD(START HOST ":\r\n" END, "field name"),
    BAD(START HOST "X : y\r\n" END, "field name"),
    BAD(START HOST "X\t: y\r\n" END, "field name"),
    BAD(START HOST " X: y\r\n" END, "field name"),
    BAD(START HOST "\tX: y\r\n" END, "field name"),
    BAD(START HOST "X Y: z\r\n" END, "field name"),
    BAD(START HOST "X(: z\r\n" END, "field name"),
    BAD(START HOST "X\x80: z\r\n" END, "field name"),
    BAD(START HOST "X\xc3\xa4: z\r\n" END, "field name"),
    BAD(START HOST "X\x01: z\r\n" END, "field name"),
    BAD(START HOST "X\0Y: z\r\n" END, "field name"),
    BAD(START HOST "\0X: z\r\n" END, "field name"),
    BAD(START HOST "\"X\": z\r\n" END, "field name"),
    BAD(START HOST "no colon\r\n" END, "line without colon"),
    BAD(START HOST "X\r\n" END, "line without colon"),
    BAD(START " Host: h\r\n" END, "field name"),
    BAD(START HOST "X: y\r\n folded: z\r\n" END, "field name"),
    BAD(START HOST "X: y\r\n folded\r\n" END, "line without colon"),
    BAD(START HOST "X: y\r\n\tfolded\r\n" END, "line without colon"),
    /* values */
    OK(START HOST "X: \xc3\xa4\xff\r\n" END),
    OK(START HOST "X: a\tb\r\n" END),
    OK(START HOST "X: \"(),/:;<=>?@[\\]{}\r\n" END),
    BAD(START HOST "X: a\0b\r\n" END, "field value"),
    BAD(START HOST "X: \0\r\n" END, "field value"),
    BAD(START HOST "X: a\x01\r\n" END, "field value"),
    BAD(START HOST "X: a\x0b\r\n" END, "field value"),
    BAD(START HOST "X: a\x1b[31m\r\n" END, "field value"),
    BAD(START HOST "X: a\x7f\r\n" END, "field value"),
    /* Host */
    BAD(START END, "no Host"),
    BAD(START "Hosts: h\r\n" END, "no Host"),
    BAD(START HOST HOST END, "two Host"),
    BAD(START HOST "hOST: h\r\n" END, "two Host"),
    BAD("GET / HTTP/1.0\r\n" HOST HOST END, "two Host"),
    BAD(START "Host: \r\n" END, "Host"),
    BAD(START "Host: a, b\r\n" END, "Host"),
    BAD(START "Host: a,b\r\n" END, "Host"),
    BAD(START "Host: a b\r\n" END, "Host"),
    BAD(START "Host: u@h\r\n" END, "Host"),
    BAD(START "Host: h/x\r\n" END, "Host"),
    BAD(START "Host: h?x\r\n" END, "Host"),
    BAD(START "Host: h#x\r\n" END, "Host"),
    BAD(START "Host: \xc3\xa4\r\n" END, "Host"),
    OK(START "Host: h.example:8443\r\n" END),
    OK(START "Host: [::1]:8443\r\n" END),
    OK(START "host:h\r\n" END),
    OK(START "HOST: 127.0.0.1\r\n" END),
    /* Content-Length */
    OK(START HOST "Content-Length: 0\r\n" END),
    OK(START HOST "Content-Length: 2\r\n" END),
    OK(START HOST "content-length:  2  \r\n" END),
    OK(START HOST "Content-Length: 999999999999999999\r\n" END),
    BAD(START HOST "Content-Length: 2\r\nContent-Length: 3\r\n" END, "two Content-Length"),
    BAD(START HOST "Content-Length: 2\r\nContent-Length: 2\r\n" END, "two Content-Length"),
    BAD(START HOST "Content-Length: 2\r\ncontent-length: 2\r\n" END, "two Content-Length"),
    BAD(START HOST "Content-Length: 2, 2\r\n" END, "Content-Length"),
    BAD(START HOST "Content-Length: 2,2\r\n" END, "Content-Length"),
    BAD(START HOST "Content-Length: +2\r\n" END, "Content-Length"),
    BAD(START HOST "Content-Length: -0\r\n" END, "Content-Length"),
    BAD(START HOST "Content-Length: -1\r\n" END, "Content-Length"),
    BAD(START HOST "Content-Length: 0x2\r\n" END, "Content-Length"),
    BAD(START HOST "Content-Length: 2 2\r\n" END, "Content-Length"),
    BAD(START HOST "Content-Length: 2;\r\n" END, "Content-Length"),
    BAD(START HOST "Content-Length: 2.0\r\n" END, "Content-Length"),
    BAD(START HOST "Content-Length: 1e3\r\n" END, "Content-Length"),
    BAD(START HOST "Content-Length: two\r\n" END, "Content-Length"),
    BAD(START HOST "Content-Length: \"2\"\r\n" END, "Content-Length"),
    BAD(START HOST "Content-Length:\r\n" END, "Content-Length"),
    BAD(START HOST "Content-Length: 1000000000000000000\r\n" END, "Content-Length"),
    BAD(START HOST "Content-Length: 0000000000000000002\r\n" END, "Content-Length"),
    BAD(START HOST "Content-Length: 18446744073709551616\r\n" END, "Content-Length"),
    BAD(START HOST "Content-Length : 2\r\n" END, "field name"),
    /* Transfer-Encoding */
    OK(START HOST "Transfer-Encoding: chunked\r\n" END),
    OK(START HOST "transfer-encoding:CHUNKED\r\n" END),
    BAD(START HOST "Transfer-Encoding: identity\r\n" END, "Transfer-Encoding"),
    BAD(START HOST "Transfer-Encoding: xchunked\r\n" END, "Transfer-Encoding"),
    BAD(START HOST "Transfer-Encoding: chunkedx\r\n" END, "Transfer-Encoding"),
    BAD(START HOST "Transfer-Encoding: gzip, chunked\r\n" END, "Transfer-Encoding"),
    BAD(START HOST "Transfer-Encoding: chunked, gzip\r\n" END, "Transfer-Encoding"),
    BAD(START HOST "Transfer-Encoding: chunked, chunked\r\n" END, "Transfer-Encoding"),
    BAD(START HOST "Transfer-Encoding: chunked,\r\n" END, "Transfer-Encoding"),
    BAD(START HOST "Transfer-Encoding: chunked;q=1\r\n" END, "Transfer-Encoding"),
    BAD(START HOST "Transfer-Encoding: \"chunked\"\r\n" END, "Transfer-Encoding"),
    BAD(START HOST "Transfer-Encoding: \x0b"
                   "chunked\r\n" END,
        "field value"),
    BAD(START HOST "Transfer-Encoding:\r\n" END, "Transfer-Encoding"),
    BAD(START HOST "Transfer-Encoding : chunked\r\n" END, "field name"),
    BAD(START HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END,
        "Transfer-Encoding"),
    BAD(START HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n" END,
        "Transfer-Encoding"),
    BAD("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n" END, "Transfer-Encoding"),
    BAD(START HOST "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n" END,
        "Content-Length and Transfer-Encoding"),
    BAD(START HOST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n" END,
        "Content-Length and Transfer-Encoding"),
    /* the rest of what decides */
    OK(START HOST "Content-Length: 2\r\nExpect: 100-continue\r\n" END),
    OK(START HOST "Content-Length: 2\r\nExpect: 100-Continue\r\n" END),
    OK("POST / HTTP/1.0\r\n" HOST "Content-Length: 2\r\nExpect: 100-continue\r\n" END),
    BAD(START HOST "Expect: 200-ok\r\n" END, "Expect"),
    BAD(START HOST "Expect: 100-continue, x\r\n" END, "Expect"),
    BAD(START HOST "Expect:\r\n" END, "Expect"),
    BAD(START HOST "Expect: 100-continue\r\nExpect: 100-continue\r\n" END, "Expect"),
    BAD(START HOST "Upgrade: h2c\r\n" END, "Upgrade"),
    BAD(START HOST "upgrade: websocket\r\n" END, "Upgrade"),
    BAD("HEAD / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n" END, "body where none belongs"),
    BAD("HEAD / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" END, "body where none belongs"),
    BAD("TRACE / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n" END, "body where none belongs"),
    OK("HEAD / HTTP/1.1\r\n" HOST END),
    OK("GET / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n" END),
    OK(START HOST "Connection: close, te\r\nTE: trailers\r\nTrailer: x\r\n" END),
    /* not complete */
    ROW("", HEAD_MORE, NULL),
    ROW("P", HEAD_MORE, NULL),
    ROW("POST /callback/x HTTP/1.1\r", HEAD_MORE, NULL),
    ROW(START, HEAD_MORE, NULL),
    ROW(START HOST, HEAD_MORE, NULL),
    ROW(START HOST "\r", HEAD_MORE, NULL),
    BAD(START HOST "X\0", "NUL"),
    BAD("P\0", "NUL"),
};

static enum head_result check(const char *bytes, size_t n, struct head *out, const char **reason)
{
    size_t scanned = 0;

    *reason = NULL;
    return head_check(bytes, n, &scanned, out, reason);
}

static void every_row_of_the_table_is_judged_as_it_says(void **state)
{
    static struct head head;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *reason;
        enum head_result result = check(rows[i].bytes, rows[i].n, &head, &reason);

        if (result != rows[i].result || (reason != NULL) != (rows[i].reason != NULL) ||
            (reason != NULL && strcmp(reason, rows[i].reason) != 0))
            fail_msg("row %zu: %d %s\n%s", i, (int)result, str_or(reason, "-"), rows[i].bytes);
        if (result == HEAD_OK)
            assert_int_equal(head.bytes, rows[i].n);
    }
}

/* However the bytes are cut, the outcome is the same; complete heads are never found early. */
static void the_outcome_does_not_depend_on_how_bytes_arrive(void **state)
{
    static struct head head;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t scanned = 0;
        enum head_result result = HEAD_MORE;
        const char *reason = NULL;

        for (size_t n = 1; n <= rows[i].n && result == HEAD_MORE; n++) {
            result = head_check(rows[i].bytes, n, &scanned, &head, &reason);
            assert_false(result == HEAD_OK && n != rows[i].n);
        }
        assert_int_equal(result, rows[i].result);
    }
}

static void a_head_is_taken_apart(void **state)
{
    static struct head head;
    static const char text[] = "POST /callback/k?a=1&b=?x HTTP/1.1\r\n"
                               "Host: hooks.example:8443\r\n"
                               "Content-Type:  application/json ;charset=utf-8\t\r\n"
                               "Content-Length: 412\r\n"
                               "X-HMAC-Signature: a\r\n"
                               "x-hmac-signature: b\r\n"
                               "Expect: 100-continue\r\n"
                               "\r\n{\"id\":\"POST / HTTP/1.1\r\n\r\n";
    const struct head_field *field;
    const char *reason;
    size_t n;

    (void)state;
    assert_int_equal(check(text, sizeof(text) - 1, &head, &reason), HEAD_OK);
    assert_int_equal(head.bytes, strstr(text, "{\"id") - text);
    assert_true(slice_is(head.method, "POST"));
    assert_true(slice_is(head.target, "/callback/k?a=1&b=?x"));
    assert_true(slice_is(head.path, "/callback/k"));
    assert_true(slice_is(head.query, "a=1&b=?x"));
    assert_true(slice_is(head.host, "hooks.example:8443"));
    assert_int_equal(head.minor, 1);
    assert_int_equal(head.body, HEAD_BODY_LENGTH);
    assert_int_equal(head.content_length, 412);
    assert_true(head.expect_continue);
    assert_true(head.keep_alive);
    assert_int_equal(head.n_fields, 6);
    field = head_field(&head, "content-type", &n);
    assert_int_equal(n, 1);
    assert_true(slice_is(field->value, "application/json ;charset=utf-8"));
    field = head_field(&head, "X-HMAC-SIGNATURE", &n);
    assert_int_equal(n, 2);
    assert_true(slice_is(field->value, "a"));
    assert_null(head_field(&head, "X-HMAC", &n));
    assert_int_equal(n, 0);
}

static void a_target_without_a_query_has_an_empty_one(void **state)
{
    static struct head head;
    const char *reason;

    (void)state;
    assert_int_equal(check(START HOST END, sizeof(START HOST END) - 1, &head, &reason), HEAD_OK);
    assert_true(slice_is(head.path, "/callback/x"));
    assert_int_equal(head.query.n, 0);
    assert_int_equal(head.body, HEAD_BODY_NONE);
}

static void keep_alive_is_what_the_client_wishes(void **state)
{
    static const struct {
        const char *text;
        bool keep_alive;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: h\r\nConnection: x ,\tClose\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: h\r\nConnection: closed\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nHost: h\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nHost: h\r\nConnection: Keep-Alive\r\n\r\n", true},
    };
    static struct head head;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *reason;

        assert_int_equal(check(cases[i].text, strlen(cases[i].text), &head, &reason), HEAD_OK);
        assert_int_equal(head.keep_alive, cases[i].keep_alive);
    }
}

static void an_expectation_counts_only_with_a_body_and_in_1_1(void **state)
{
    static const char *const none[] = {
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n",
    };
    static struct head head;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        const char *reason;

        assert_int_equal(check(none[i], strlen(none[i]), &head, &reason), HEAD_OK);
        assert_false(head.expect_continue);
    }
}

/* A head of these many field lines, each as long as wished; the length it has. */
static size_t build(char *out, size_t size, size_t lines, size_t line_len)
{
    size_t n = (size_t)snprintf(out, size, START HOST);

    for (size_t i = 1; i < lines; i++) {
        memset(out + n, 'v', line_len);
        memcpy(out + n, "N: ", 3);
        memcpy(out + n + line_len, "\r\n", 2);
        n += line_len + 2;
    }
    memcpy(out + n, "\r\n", 2);
    return n + 2;
}

static void limits_hold_to_the_byte(void **state)
{
    static const struct {
        size_t lines, line_len;
        enum head_result result;
        const char *reason;
    } cases[] = {
        {HEAD_MAX_LINES, 10, HEAD_OK, NULL},
        {HEAD_MAX_LINES + 1, 10, HEAD_LARGE, "too many lines"},
        {2, HEAD_MAX_LINE, HEAD_OK, NULL},
        {2, HEAD_MAX_LINE + 1, HEAD_LARGE, "line too long"},
        {3, 4072, HEAD_OK, NULL}, /* 25 + 2 + 7 + 2 + 2 * 4074 + 2 = 8186 */
        {3, 4075, HEAD_OK, NULL}, /* 8192 */
        {3, 4076, HEAD_LARGE, "head too long"},
    };
    static struct head head;
    static char text[3 * HEAD_MAX_BYTES];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t n = build(text, sizeof(text), cases[i].lines, cases[i].line_len);
        const char *reason;

        assert_int_equal(check(text, n, &head, &reason), cases[i].result);
        if (cases[i].reason != NULL)
            assert_string_equal(reason, cases[i].reason);
        else
            assert_int_equal(head.bytes, n);
    }
}

static void a_request_line_without_end_is_too_large(void **state)
{
    static struct head head;
    static char text[HEAD_MAX_BYTES];
    const char *reason;

    (void)state;
    memset(text, 'G', sizeof(text));
    assert_int_equal(check(text, sizeof(text) - 1, &head, &reason), HEAD_MORE);
    assert_int_equal(check(text, sizeof(text), &head, &reason), HEAD_LARGE);
    memcpy(text + 5000, "\r\n", 2);
    assert_int_equal(check(text, 5002, &head, &reason), HEAD_LARGE);
}

static void a_bad_request_line_is_refused_before_its_fields_arrive(void **state)
{
    static struct head head;
    const char *reason;

    (void)state;
    assert_int_equal(check("GET / HTTP/3\r\n", 14, &head, &reason), HEAD_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table_is_judged_as_it_says),
        cmocka_unit_test(the_outcome_does_not_depend_on_how_bytes_arrive),
        cmocka_unit_test(a_head_is_taken_apart),
        cmocka_unit_test(a_target_without_a_query_has_an_empty_one),
        cmocka_unit_test(keep_alive_is_what_the_client_wishes),
        cmocka_unit_test(an_expectation_counts_only_with_a_body_and_in_1_1),
        cmocka_unit_test(limits_hold_to_the_byte),
        cmocka_unit_test(a_request_line_without_end_is_too_large),
        cmocka_unit_test(a_bad_request_line_is_refused_before_its_fields_arrive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
