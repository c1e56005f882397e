/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/table.h"

static const char *const titles[] = {"ID", ">AGE", "PROMPT", NULL};

static struct table *sample(void)
{
    struct table *t = table_new(titles);

    table_cell(t, "t3k9", "");
    table_cell(t, "5m", "");
    table_cell(t, "a boat on a quiet lake", "");
    table_cell(t, "t", "32");
    table_cellf(t, "%d%c", 120, 's');
    table_cell(t, "\xe7\x8c\xab\033[0m", "");
    return t;
}

static void assert_table(size_t width, bool color, const char *text)
{
    struct table *t = sample();
    autobuf struct buf out = BUF_INIT(4096);

    table_render(t, width, color, &out);
    assert_string_equal(buf_text(&out), text);
    table_free(t);
}

static void columns_are_as_wide_as_they_need_to_be(void **state)
{
    (void)state;
    assert_table(0, false,
                 "ID     AGE  PROMPT\n"
                 "t3k9    5m  a boat on a quiet lake\n"
                 "t     120s  \xe7\x8c\xab\\u001b[0m\n");
}

static void the_last_column_is_cut_to_the_window(void **state)
{
    (void)state;
    assert_table(23, false,
                 "ID     AGE  PROMPT\n"
                 "t3k9    5m  a boat on \xe2\x80\xa6\n"
                 "t     120s  \xe7\x8c\xab\\u001b[0m\n");
}

static void a_narrow_window_leaves_the_last_column_something(void **state)
{
    (void)state;
    assert_table(5, false,
                 "ID     AGE  PROMPT\n"
                 "t3k9    5m  a boat \xe2\x80\xa6\n"
                 "t     120s  \xe7\x8c\xab\\u001\xe2\x80\xa6\n");
}

static void colours_do_not_count_as_columns(void **state)
{
    (void)state;
    assert_table(0, true,
                 "\033[1mID\033[0m     \033[1mAGE\033[0m  \033[1mPROMPT\033[0m\n"
                 "t3k9    5m  a boat on a quiet lake\n"
                 "\033[32mt\033[0m     120s  \xe7\x8c\xab\\u001b[0m\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_they_need_to_be),
        cmocka_unit_test(the_last_column_is_cut_to_the_window),
        cmocka_unit_test(a_narrow_window_leaves_the_last_column_something),
        cmocka_unit_test(colours_do_not_count_as_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
