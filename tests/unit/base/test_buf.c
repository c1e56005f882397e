/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void json_is_escaped_where_it_must_be(void **state)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"", "\"\""},
        {"plain text ~", "\"plain text ~\""},
        {"\"", "\"\\\"\""},
        {"a\\b", "\"a\\\\b\""},
        {"\n\r\tend", "\"\\n\\r\\tend\""},
        {"\x01mid\x1f\x7f", "\"\\u0001mid\\u001f\\u007f\""},
        {"\xe4\xbd\xa0x", "\"\xe4\xbd\xa0x\""},
        {"x\xff\xfey", "\"x\\ufffd\\ufffdy\""},
        {"\xe4\xbd", "\"\\ufffd\\ufffd\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        autobuf struct buf b = BUF_INIT(256);

        buf_add_json(&b, cases[i].text, strlen(cases[i].text));
        assert_string_equal(buf_text(&b), cases[i].json);
    }
}

static void a_nul_in_json_is_escaped(void **state)
{
    autobuf struct buf b = BUF_INIT(256);

    (void)state;
    buf_add_json(&b, "a\0b", 3);
    assert_string_equal(buf_text(&b), "\"a\\u0000b\"");
}

static void what_does_not_fit_is_told_and_never_written(void **state)
{
    autobuf struct buf b = BUF_INIT(8);

    (void)state;
    buf_adds(&b, "12345678");
    assert_true(buf_ok(&b));
    buf_addc(&b, '9');
    assert_false(buf_ok(&b));
    buf_reset(&b);
    assert_true(buf_ok(&b));
    buf_addf(&b, "%s", "1234567890");
    assert_false(buf_ok(&b));
    assert_true(b.len <= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_escaped_where_it_must_be),
        cmocka_unit_test(a_nul_in_json_is_escaped),
        cmocka_unit_test(what_does_not_fit_is_told_and_never_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
