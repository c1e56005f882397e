/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/term.h"

#include <jansson.h>
#include <string.h>

static void assert_escaped(const char *from, size_t n, bool lines, const char *to)
{
    autobuf struct buf out = BUF_INIT(4096);

    term_escape(&out, from, n, lines);
    assert_string_equal(buf_text(&out), to);
}

static void plain_text_of_any_language_stays(void **state)
{
    static const char text[] = "a\xc3\xa4 \xe7\x8c\xab \xf0\x9f\x90\x88";

    (void)state;
    assert_escaped(text, strlen(text), false, text);
}

static void terminal_commands_become_visible(void **state)
{
    (void)state;
    assert_escaped("\033[2Jx\007\r\b", 8, false, "\\u001b[2Jx\\u0007\\u000d\\u0008");
    assert_escaped("\x7f\xc2\x9b"
                   "31m",
                   6, false, "\\u007f\\u009b31m");
    assert_escaped("a\0b", 3, false, "a\\u0000b");
    assert_escaped("\xff\xfe", 2, false, "\\xff\\xfe");
    assert_escaped("\xc2", 1, false, "\\xc2");
}

static void text_that_turns_around_becomes_visible(void **state)
{
    (void)state;
    assert_escaped("a\xe2\x80\xae"
                   "b",
                   5, false, "a\\u202eb");
    assert_escaped("\xf3\xa0\x81\x81", 4, false, "\\udb40\\udc41");
}

static void lines_stay_lines_only_when_asked(void **state)
{
    (void)state;
    assert_escaped("a\n\tb\r\n", 6, true, "a\n\tb\\u000d\n");
    assert_escaped("a\nb", 3, false, "a\\u000ab");
}

static void json_keeps_its_meaning(void **state)
{
    static const char text[] = "\x7f\xc2\x9b\xe2\x80\xae\xf3\xa0\x81\x81";
    json_t *before = json_pack("{s:s}", "k", text);
    char *dumped = json_dumps(before, JSON_INDENT(2));
    autobuf struct buf out = BUF_INIT(4096);
    json_t *after;

    (void)state;
    term_escape(&out, dumped, strlen(dumped), true);
    assert_null(strstr(buf_text(&out), "\xc2\x9b"));
    after = json_loads(buf_text(&out), 0, NULL);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    free(dumped);
}

static void wide_characters_count_two(void **state)
{
    (void)state;
    assert_int_equal(term_columns("abc"), 3);
    assert_int_equal(term_columns("\xe7\x8c\xab"), 2);
    assert_int_equal(term_columns("e\xcc\x81"), 1);
}

static void cutting_keeps_characters_whole(void **state)
{
    static const struct {
        const char *text;
        size_t columns;
        const char *cut;
    } rows[] = {
        {"abcdef", 6, "abcdef"},
        {"abcdef", 4, "abc\xe2\x80\xa6"},
        {"\xe7\x8c\xab\xe7\x8c\xab", 4, "\xe7\x8c\xab\xe7\x8c\xab"},
        {"\xe7\x8c\xab\xe7\x8c\xab", 3, "\xe7\x8c\xab\xe2\x80\xa6"},
        {"\xe7\x8c\xab\xe7\x8c\xab", 2, "\xe2\x80\xa6"},
        {"abc", 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        autobuf struct buf out = BUF_INIT(64);

        term_add_cut(&out, rows[i].text, rows[i].columns);
        assert_string_equal(buf_text(&out), rows[i].cut);
        assert_true(term_columns(buf_text(&out)) <= rows[i].columns);
    }
}

static void columns_in_the_environment_win(void **state)
{
    (void)state;
    setenv("COLUMNS", "132", 1);
    assert_int_equal(term_window(-1), 132);
    setenv("COLUMNS", "x", 1);
    assert_int_equal(term_window(-1), 80);
    unsetenv("COLUMNS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_of_any_language_stays),
        cmocka_unit_test(terminal_commands_become_visible),
        cmocka_unit_test(text_that_turns_around_becomes_visible),
        cmocka_unit_test(lines_stay_lines_only_when_asked),
        cmocka_unit_test(json_keeps_its_meaning),
        cmocka_unit_test(wide_characters_count_two),
        cmocka_unit_test(cutting_keeps_characters_whole),
        cmocka_unit_test(columns_in_the_environment_win),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
