/* SPDX-License-Identifier: MIT */
#include "vidu/document.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void words_are_texts_or_whole_numbers(void **state)
{
    json_t *root = json_pack("{s:s, s:i, s:b, s:f, s:n, s:[]}", "text", "abcdef", "int", -7, "bool",
                             1, "real", 1.5, "null", "array");
    char out[4];

    (void)state;
    document_word(json_object_get(root, "text"), out, sizeof(out));
    assert_string_equal(out, "abc");
    document_word(json_object_get(root, "int"), out, sizeof(out));
    assert_string_equal(out, "-7");
    for (const char *const *k =
             (const char *const[]){"bool", "real", "null", "array", "none", NULL};
         *k != NULL; k++) {
        document_word(json_object_get(root, *k), out, sizeof(out));
        assert_string_equal(out, "");
    }
    json_decref(root);
}

static void copies_show_every_nul(void **state)
{
    json_t *v = json_stringn("\0a\0\0b", 5);
    char *copy = document_copy(v);

    (void)state;
    assert_string_equal(copy, "\xef\xbf\xbd"
                              "a\xef\xbf\xbd\xef\xbf\xbd"
                              "b");
    assert_int_equal(document_text(v).n, 5);
    free(copy);
    json_decref(v);
    assert_null(document_copy(NULL));
    assert_int_equal(document_text(NULL).n, 0);
}

static void counts_are_numbers_that_can_be_added_up(void **state)
{
    static const struct {
        const char *json;
        int64_t count;
    } rows[] = {
        {"{\"n\":40}", 40},
        {"{\"n\":\"40\"}", 40},
        {"{\"n\":1000000000000}", 1000000000000},
        {"{\"n\":1000000000001}", -1},
        {"{\"n\":\"1000000000001\"}", -1},
        {"{\"n\":9223372036854775807}", -1},
        {"{\"n\":-1}", -1},
        {"{\"n\":4.0}", -1},
        {"{}", -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_t *root = NULL;

        assert_int_equal(document_parse(rows[i].json, strlen(rows[i].json), &root, NULL), 0);
        assert_int_equal(document_count(json_object_get(root, "n")), rows[i].count);
        json_decref(root);
    }
}

static void a_document_is_one_object(void **state)
{
    struct err err = {{0}};
    json_t *root = NULL;

    (void)state;
    assert_int_equal(document_parse("{\"a\":\n  x}", 10, &root, &err), -EINVAL);
    assert_non_null(strstr(err.text, "line 2"));
    assert_int_equal(document_parse("[]", 2, &root, &err), -EINVAL);
    assert_string_equal(err.text, "not a JSON object");
    assert_null(root);
    assert_int_equal(document_parse("{}", 2, &root, NULL), 0);
    document_free(&root);
    root = NULL;
    document_free(&root);
}

static void unbalanced_brackets_do_not_wrap_the_depth(void **state)
{
    json_t *root = NULL;

    (void)state;
    assert_int_equal(document_parse("]]]]{{{{", 8, &root, NULL), -EINVAL);
    assert_int_equal(document_parse("\"\\", 2, &root, NULL), -EINVAL);
}

static void texts_of_any_kind_make_strings_and_members_are_never_null(void **state)
{
    json_t *object = json_object();

    (void)state;
    json_object_set_new(object, "word", document_string("boat"));
    json_object_set_new(object, "none", document_string(NULL));
    json_object_set_new(object, "broken", document_string("\xff"));
    json_object_set_new(object, "number", json_integer(1));
    assert_string_equal(document_member(object, "word"), "boat");
    assert_true(json_is_string(json_object_get(object, "none")));
    assert_true(json_is_string(json_object_get(object, "broken")));
    assert_string_equal(document_member(object, "broken"), "");
    assert_string_equal(document_member(object, "number"), "");
    assert_string_equal(document_member(object, "absent"), "");
    json_decref(object);
}

/* An object with an array of such pieces, or with commas in a text. */
static int parse_many(size_t values, const char *piece, struct err *err)
{
    struct buf text = BUF_INIT(4 * DOCUMENT_MAX_VALUES);
    bool in_text = str_eq(piece, ",");
    json_t *root = NULL;
    int rc;

    buf_adds(&text, in_text ? "{\"a\":\"" : "{\"a\":[0");
    for (size_t i = 3; i < values; i++)
        buf_adds(&text, piece);
    buf_adds(&text, in_text ? "\"}" : "]}");
    rc = document_parse(buf_text(&text), text.len, &root, err);
    json_decref(root);
    buf_free(&text);
    return rc;
}

static void a_document_has_so_many_values_and_no_more(void **state)
{
    struct err err = {{0}};

    (void)state;
    assert_int_equal(parse_many(DOCUMENT_MAX_VALUES, ",0", &err), 0);
    assert_int_equal(parse_many(DOCUMENT_MAX_VALUES + 1, ",0", &err), -E2BIG);
    assert_string_equal(err.text, "more than 100000 values");
    assert_int_equal(parse_many(DOCUMENT_MAX_VALUES / 2 + 2, ",{}", &err), -E2BIG);
    assert_int_equal(parse_many(2 * DOCUMENT_MAX_VALUES, ",", &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_any_kind_make_strings_and_members_are_never_null),
        cmocka_unit_test(words_are_texts_or_whole_numbers),
        cmocka_unit_test(copies_show_every_nul),
        cmocka_unit_test(counts_are_numbers_that_can_be_added_up),
        cmocka_unit_test(a_document_is_one_object),
        cmocka_unit_test(a_document_has_so_many_values_and_no_more),
        cmocka_unit_test(unbalanced_brackets_do_not_wrap_the_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
