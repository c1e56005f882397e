/* SPDX-License-Identifier: MIT */
#include "sim/sim_json.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#define LIMIT ((size_t)4096)

static void assert_text(const char *p, size_t n, const char *expected)
{
    autobuf struct buf b = BUF_INIT(LIMIT);

    sim_json_text(&b, NULL, p, n);
    assert_true(buf_ok(&b));
    assert_string_equal(buf_text(&b), expected);
}

static void markup_is_escaped_as_go_does(void **state)
{
    (void)state;
    assert_text("?a=1&b=<2>", 10, "\"?a=1\\u0026b=\\u003c2\\u003e\"");
    assert_text("a/b'", 4, "\"a/b'\"");
}

static void quotes_and_controls_are_escaped(void **state)
{
    (void)state;
    assert_text("\"\\", 2, "\"\\\"\\\\\"");
    assert_text("\n\r\t", 3, "\"\\n\\r\\t\"");
    assert_text("\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\"");
}

static void line_separators_are_escaped_and_other_text_is_not(void **state)
{
    (void)state;
    assert_text("\xe2\x80\xa8\xe2\x80\xa9", 6, "\"\\u2028\\u2029\"");
    assert_text("\xe4\xbd\xa0\xf0\x9f\x8e\xac", 7, "\"\xe4\xbd\xa0\xf0\x9f\x8e\xac\"");
}

static void bytes_that_are_not_utf8_become_the_replacement(void **state)
{
    (void)state;
    assert_text("a\xff\xc3z", 4, "\"a\\ufffd\\ufffdz\"");
    assert_text("\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\"");
}

static void commas_stand_between_members_only(void **state)
{
    autobuf struct buf b = BUF_INIT(LIMIT);

    (void)state;
    sim_json_open(&b, NULL, '{');
    sim_json_open(&b, "list", '[');
    sim_json_close(&b, ']');
    sim_json_open(&b, "two", '[');
    sim_json_int(&b, NULL, -1);
    sim_json_bool(&b, NULL, true);
    sim_json_close(&b, ']');
    sim_json_str(&b, "tricky", "[");
    sim_json_raw(&b, "raw", "null");
    sim_json_close(&b, '}');
    assert_string_equal(buf_text(&b),
                        "{\"list\":[],\"two\":[-1,true],\"tricky\":\"[\",\"raw\":null}");
}

static void what_was_read_comes_out_again(void **state)
{
    static const char text[] = "{\"s\":\"a\\u0026b\\u0000\",\"n\":9007199254740993,\"r\":2.5,"
                               "\"l\":[true,false,null,{}],\"o\":{\"k\":[]}}";
    autobuf struct buf b = BUF_INIT(LIMIT);
    json_t *tree = json_loads(text, JSON_ALLOW_NUL, NULL);

    (void)state;
    assert_non_null(tree);
    sim_json_value(&b, NULL, tree);
    json_decref(tree);
    assert_string_equal(buf_text(&b), text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_is_escaped_as_go_does),
        cmocka_unit_test(quotes_and_controls_are_escaped),
        cmocka_unit_test(line_separators_are_escaped_and_other_text_is_not),
        cmocka_unit_test(bytes_that_are_not_utf8_become_the_replacement),
        cmocka_unit_test(commas_stand_between_members_only),
        cmocka_unit_test(what_was_read_comes_out_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
