/* SPDX-License-Identifier: MIT */
#include "vidu/tag.h"

#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static json_t *many(size_t n, size_t value_len)
{
    json_t *tags = json_object();
    char value[TAG_VALUE_MAX + 1] = "";

    memset(value, 'x', value_len);
    for (size_t i = 0; i < n; i++) {
        autofree char *name = mem_printf("%06zu", i);

        json_object_set_new(tags, name, json_string(value));
    }
    return tags;
}

static void names_and_values_have_limits(void **state)
{
    static const char name[] = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
    autofree char *long_name = mem_printf("%sn", name);
    struct err err;

    (void)state;
    assert_int_equal(strlen(name), TAG_NAME_MAX);
    assert_int_equal(tag_check(name, TAG_VALUE_MAX, NULL), 0);
    assert_int_equal(tag_check("a", 0, NULL), 0);
    assert_int_equal(tag_check("", 0, NULL), -EINVAL);
    assert_int_equal(tag_check(long_name, 0, NULL), -EINVAL);
    assert_int_equal(tag_check("album", TAG_VALUE_MAX + 1, &err), -EINVAL);
    assert_string_equal(err.text,
                        "the tag 'album': a name of 1 to 64 bytes and a value of at most 256");
}

static void the_text_is_compact_and_in_order(void **state)
{
    json_t *tags = json_pack("{s:s, s:s}", "b", "", "a", "x y");
    autofree char *text = tags_text(tags, NULL);
    autofree char *none = tags_text(NULL, NULL);
    autofree char *null = tags_text(json_null(), NULL);

    (void)state;
    assert_string_equal(text, "{\"b\":\"\",\"a\":\"x y\"}");
    assert_string_equal(none, "{}");
    assert_string_equal(null, "{}");
    json_decref(tags);
}

static void all_together_have_16_kib(void **state)
{
    /* {"000000":"x..."} is 12 bytes and the value a tag, a comma or brace among them, and one. */
    json_t *tags = many(64, 244);
    autofree char *text = NULL;
    struct err err;

    (void)state;
    json_object_set_new(tags, "000000", json_string("")); /* 244 bytes less */
    text = tags_text(tags, NULL);
    assert_true(strlen(text) <= TAGS_TEXT_MAX);
    json_decref(tags);
    tags = many(64, 245);
    assert_null(tags_text(tags, &err));
    assert_string_equal(err.text, "the tags have more than 16 KiB in all");
    json_decref(tags);
}

static void what_is_no_object_of_texts_is_refused(void **state)
{
    static const struct {
        const char *json, *why;
    } rows[] = {
        {"[]", "the tags are no object"},
        {"\"a\"", "the tags are no object"},
        {"{\"a\":\"\",\"b\":1}", "the tag 'b' is no text"},
        {"{\"\":\"x\"}", "the tag '': a name of 1 to 64 bytes and a value of at most 256"},
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_t *tags = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);

        assert_null(tags_text(tags, &err));
        assert_string_equal(err.text, rows[i].why);
        json_decref(tags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_values_have_limits),
        cmocka_unit_test(the_text_is_compact_and_in_order),
        cmocka_unit_test(all_together_have_16_kib),
        cmocka_unit_test(what_is_no_object_of_texts_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
