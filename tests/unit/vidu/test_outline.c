/* SPDX-License-Identifier: MIT */
#include "vidu/outline.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KEEP 16

static struct outline *outline_of(const char *text)
{
    struct outline *o = NULL;

    assert_int_equal(outline_parse(text, strlen(text), KEEP, &o, NULL), 0);
    return o;
}

static void expect_text(const struct outline *o, const char *key, const char *expected, size_t n)
{
    autojson json_t *memory = NULL;
    json_t *v = json_object_get(outline_root(o), key);
    struct slice text = outline_text(o, v, &memory);
    autojson json_t *value = outline_value(o, v);

    assert_int_equal(text.n, n);
    assert_memory_equal(text.p, expected, n);
    assert_int_equal(json_string_length(value), n);
    assert_memory_equal(json_string_value(value), expected, n);
}

static void a_long_text_stays_where_it_is(void **state)
{
    static const char text[] = "{\"short\":\"abc\",\"n\":[1],\"long\":\"0123456789abcdefg\"}";
    autooutline struct outline *o = outline_of(text);
    autojson json_t *memory = NULL;
    struct slice s = outline_text(o, json_object_get(outline_root(o), "long"), &memory);

    (void)state;
    assert_ptr_equal(s.p, strstr(text, "0123"));
    assert_null(memory);
    assert_in_range(json_string_length(json_object_get(outline_root(o), "long")), 2, KEEP);
    expect_text(o, "short", "abc", 3);
    expect_text(o, "long", "0123456789abcdefg", 17);
    expect_text(o, "absent", "", 0);
}

static void a_long_text_with_escapes_is_what_it_means(void **state)
{
    autooutline struct outline *o =
        outline_of("{\"a\":\"\\u00e9\\ud83d\\ude00\\/\\n\\\\\",\"b\":\"0123456789abcde\\\"\"}");

    (void)state;
    expect_text(o, "a", "\xc3\xa9\xf0\x9f\x98\x80/\n\\", 9);
    expect_text(o, "b", "0123456789abcde\"", 16);
}

/* Nobody can name a text by its number. */
static void text_that_begins_with_nul_is_itself(void **state)
{
    autooutline struct outline *o =
        outline_of("{\"long\":\"0123456789abcdefg\",\"a\":\"\\u00000\",\"b\":\"\\u0000\"}");
    autofree char *copy = outline_copy(o, json_object_get(outline_root(o), "a"));

    (void)state;
    expect_text(o, "a", "\0000", 2);
    expect_text(o, "b", "\000", 1);
    assert_string_equal(copy, "\xef\xbf\xbd"
                              "0");
}

static void keys_are_kept_however_long(void **state)
{
    autooutline struct outline *o =
        outline_of("{\"0123456789abcdefghij\" : 1,\"b\":\"0123456789abcdefg\"}");

    (void)state;
    assert_int_equal(json_object_size(outline_root(o)), 2);
    assert_in_range(json_string_length(json_object_get(outline_root(o), "b")), 2, KEEP);
    assert_int_equal(json_integer_value(json_object_get(outline_root(o), "0123456789abcdefghij")),
                     1);
}

static void the_text_of_a_member_is_found(void **state)
{
    static const char text[] = "{\"x\":{\"m\":\"1\"},\"y\":[\"m\",\"z\"],\"w\":\"m\", "
                               "\"\\u006d\" :\t\"a\\\"b\" ,\"v\":\"}\"}";
    autooutline struct outline *o = outline_of(text);
    struct slice member = outline_member(o, "m");

    (void)state;
    assert_true(slice_is(member, "\"a\\\"b\""));
    assert_ptr_equal(member.p, strstr(text, "\"a\\"));
    assert_int_equal(outline_member(o, "nothing").n, 0);
}

static void what_no_parser_sees_is_checked_as_strictly(void **state)
{
    static const char *const bad[] = {
        "\x01",
        "\n",
        "\\x",
        "\\u00g0",
        "\\u00",
        "\\ud83d",
        "\\ud83dx",
        "\\ud83d\\u0041",
        "\\ude00",
        "\xff",
        "\xc0\x80",
        "\xed\xa0\x80",
        "\xf4\x90\x80\x80",
        "\xe4\xb8",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        for (int before = 0; before < 9; before++) {
            autofree char *text =
                mem_printf("{\"a\":\"0123456789abcdef%.*s%s\"}", before, "01234567", bad[i]);
            struct outline *o = NULL;
            struct err err;

            if (outline_parse(text, strlen(text), KEEP, &o, &err) != -EINVAL ||
                strstr(err.text, "line 1 column") == NULL)
                fail_msg("%s: %s", text, err.text);
        }
}

static void what_is_wrong_is_named_by_its_place_in_the_whole(void **state)
{
    static const struct {
        const char *text;
        int rc;
        const char *reason;
    } rows[] = {
        {"{\"a\":\"0123456789abcdefg\",\n\"b\":}", -EINVAL, "line 2 column 5"},
        {"{\"a\":\"0123456789abcdefg\" x}", -EINVAL, "line 1 column 26"},
        {"{\"a\":\"0123456789abcdefg", -EINVAL, "line 1"},
        {"{\"a\":\"0123456789abcdefg\",\"\\u0061\":1}", -EINVAL, "duplicate"},
        {"{\"a\":\"0123456789abcdefg\",\"\\u0000\":1}", -EINVAL, "NUL"},
        {"[\"0123456789abcdefg\"]", -EINVAL, "not a JSON object"},
        {"{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", -E2BIG, "nested deeper"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct outline *o = NULL;
        struct err err;

        assert_int_equal(outline_parse(rows[i].text, strlen(rows[i].text), KEEP, &o, &err),
                         rows[i].rc);
        if (strstr(err.text, rows[i].reason) == NULL)
            fail_msg("%s: %s", rows[i].text, err.text);
        assert_null(o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_text_stays_where_it_is),
        cmocka_unit_test(a_long_text_with_escapes_is_what_it_means),
        cmocka_unit_test(text_that_begins_with_nul_is_itself),
        cmocka_unit_test(keys_are_kept_however_long),
        cmocka_unit_test(the_text_of_a_member_is_found),
        cmocka_unit_test(what_no_parser_sees_is_checked_as_strictly),
        cmocka_unit_test(what_is_wrong_is_named_by_its_place_in_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
