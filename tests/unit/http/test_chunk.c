/* SPDX-License-Identifier: MIT */
#include "http/chunk.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

struct row {
    const char *bytes;
    size_t n;
    enum chunk_result result;
    const char *body;
    size_t left; /* bytes behind the end */
};

#define ROW(text, result, body, left)                                                              \
    {                                                                                              \
        text, sizeof(text) - 1, result, body, left                                                 \
    }
#define BAD(text) ROW(text, CHUNK_BAD, NULL, 0)

#define SIXTEEN "0123456789abcdef"
#define A250                                                                                       \
    SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN        \
        SIXTEEN SIXTEEN SIXTEEN SIXTEEN "0123456789"

static const struct row rows[] = {
    ROW("0\r\n\r\n", CHUNK_END, "", 0),
    ROW("2\r\nab\r\n0\r\n\r\n", CHUNK_END, "ab", 0),
    ROW("2\r\nab\r\n0\r\n\r\nPOST /", CHUNK_END, "ab", 6),
    ROW("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", CHUNK_END, "01234567890123456789", 0),
    ROW("4\r\n\r\n\r\n\r\n0\r\n\r\n", CHUNK_END, "\r\n\r\n", 0),
    ROW("0002\r\nab\r\n000\r\n\r\n", CHUNK_END, "ab", 0),
    ROW("0000000000000002\r\nab\r\n0\r\n\r\n", CHUNK_END, "ab", 0),
    ROW("2;a=b\r\nab\r\n0;c=\"d e\"\r\n\r\n", CHUNK_END, "ab", 0),
    ROW("2;\r\nab\r\n0\r\n\r\n", CHUNK_END, "ab", 0),
    ROW("2;" A250 "\r\nab\r\n0\r\n\r\n", CHUNK_END, "ab", 0),
    ROW("0\r\nX: y\r\nZ: w\r\n\r\nrest", CHUNK_END, "", 4),
    ROW("", CHUNK_MORE, "", 0),
    ROW("2", CHUNK_MORE, "", 0),
    ROW("2\r\na", CHUNK_MORE, "a", 0),
    ROW("2\r\nab\r\n", CHUNK_MORE, "ab", 0),
    ROW("2\r\nab\r\n0\r\n", CHUNK_MORE, "ab", 0),
    ROW("2\r\nab\r\n0\r\nX: y\r\n\r", CHUNK_MORE, "ab", 0),
    BAD("\r\n"),
    BAD(" 2\r\nab"),
    BAD("0x2\r\nab"),
    BAD("+2\r\nab"),
    BAD("-2\r\nab"),
    BAD("2 \r\nab"),
    BAD("2 zzz\r\nab"),
    BAD("2 ;a\r\nab"),
    BAD("2\nab"),
    BAD("2\r\r\nab"),
    BAD("2\rab"),
    BAD("2,\r\nab"),
    BAD("g\r\n"),
    BAD(";a\r\n"),
    BAD("2\r\nab\n0\r\n\r\n"),
    BAD("2\r\nab0\r\n\r\n"),
    BAD("2\r\nabc\r\n"),
    BAD("2\r\nab\r0\r\n"),
    BAD("2\r\nab\r\n\r\n0\r\n"),
    BAD("2;a\nab"),
    BAD("2;a\0\r\nab"),
    BAD("2;a\x80\r\nab"),
    BAD("2;" A250 "0123\r\n"),
    BAD("00000000000000002\r\nab"),
    BAD("0\r\n\n"),
    BAD("0\r\nX: y\n\r\n"),
    BAD("0\r\n folded\r\n\r\n"),
    BAD("0\r\nX: \0\r\n\r\n"),
    BAD("0\r\n\rX"),
    BAD("2\0\r\nab"),
};

/* Feeds the bytes in pieces of this size. */
static enum chunk_result run(const struct row *row, size_t piece, struct buf *body, size_t *left)
{
    struct chunk c = {0};
    enum chunk_result result = CHUNK_MORE;
    size_t at = 0;

    while (at < row->n && (result == CHUNK_MORE || result == CHUNK_DATA)) {
        size_t n = row->n - at < piece ? row->n - at : piece;
        struct slice data;
        size_t used;

        result = chunk_next(&c, row->bytes + at, n, &used, &data);
        assert_in_range(used, 0, n);
        if (result == CHUNK_DATA)
            buf_add(body, data.p, data.n);
        at += used;
    }
    *left = row->n - at;
    return result == CHUNK_DATA ? CHUNK_MORE : result;
}

static void every_row_is_judged_the_same_in_pieces_of_any_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t piece = 1; piece <= rows[i].n + 1; piece++) {
            autobuf struct buf body = BUF_INIT(1000);
            size_t left;
            enum chunk_result result = run(&rows[i], piece, &body, &left);

            if (result != rows[i].result)
                fail_msg("row %zu in pieces of %zu: %d\n%s", i, piece, (int)result, rows[i].bytes);
            if (result == CHUNK_BAD)
                continue;
            assert_string_equal(buf_text(&body), rows[i].body);
            assert_int_equal(left, rows[i].left);
        }
    }
}

static void what_was_bad_stays_bad(void **state)
{
    struct chunk c = {0};
    struct slice data;
    size_t used;

    (void)state;
    assert_int_equal(chunk_next(&c, "x", 1, &used, &data), CHUNK_BAD);
    assert_int_equal(chunk_next(&c, "0\r\n\r\n", 5, &used, &data), CHUNK_BAD);
}

static void a_body_of_single_bytes_is_refused_when_it_is_long(void **state)
{
    struct chunk c = {0};
    size_t sent = 0;
    enum chunk_result result = CHUNK_MORE;

    (void)state;
    while (result != CHUNK_BAD && sent < 1000000) {
        const char *p = "1\r\na\r\n";
        size_t n = 6;

        while (n != 0 && result != CHUNK_BAD) {
            struct slice data;
            size_t used;

            result = chunk_next(&c, p, n, &used, &data);
            p += used;
            n -= used;
        }
        sent += 6;
    }
    assert_int_equal(result, CHUNK_BAD);
    assert_in_range(sent, 65536, 90000);
}

static void a_body_of_honest_chunks_may_be_long(void **state)
{
    struct chunk c = {0};

    (void)state;
    for (int i = 0; i < 50000; i++) {
        const char *p = "8\r\n01234567\r\n";
        size_t n = 13;

        while (n != 0) {
            struct slice data;
            size_t used;

            assert_int_not_equal(chunk_next(&c, p, n, &used, &data), CHUNK_BAD);
            p += used;
            n -= used;
        }
    }
    assert_int_equal(c.body, 400000);
}

static void a_trailer_section_has_an_end(void **state)
{
    struct chunk c = {0};
    enum chunk_result result;
    struct slice data;
    size_t used;
    size_t sent = 0;

    (void)state;
    result = chunk_next(&c, "0\r\n", 3, &used, &data);
    while (result == CHUNK_MORE && sent < 100000) {
        result = chunk_next(&c, "X: y\r\n", 6, &used, &data);
        sent += 6;
    }
    assert_int_equal(result, CHUNK_BAD);
    assert_in_range(sent, CHUNK_MAX_TRAILER - 6, CHUNK_MAX_TRAILER + 6);
}

static void a_size_of_sixteen_digits_does_not_overflow(void **state)
{
    struct chunk c = {0};
    struct slice data;
    size_t used;

    (void)state;
    assert_int_equal(chunk_next(&c, "ffffffffffffffff\r\nx", 19, &used, &data), CHUNK_DATA);
    assert_int_equal(c.left, UINT64_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_judged_the_same_in_pieces_of_any_size),
        cmocka_unit_test(what_was_bad_stays_bad),
        cmocka_unit_test(a_body_of_single_bytes_is_refused_when_it_is_long),
        cmocka_unit_test(a_body_of_honest_chunks_may_be_long),
        cmocka_unit_test(a_trailer_section_has_an_end),
        cmocka_unit_test(a_size_of_sixteen_digits_does_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
