/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/progress.h"
#include "cli/term.h"

#include <string.h>

#define MIB (UINT64_C(1) << 20)

static void assert_bar(const char *name, uint64_t done, uint64_t total, size_t width,
                       const char *text)
{
    autobuf struct buf out = BUF_INIT(4096);

    progress_text(&out, name, done, total, width);
    assert_string_equal(buf_text(&out), text);
    assert_true(term_columns(buf_text(&out)) <= width);
}

static void the_bar_fills_the_window(void **state)
{
    (void)state;
    assert_bar("a.mp4", 5 * MIB, 10 * MIB, 49, "a.mp4 [########........]  50% 5.0 MiB of 10.0 MiB");
    assert_bar("a.mp4", 0, 10 * MIB, 43, "a.mp4 [..............]   0% 0 B of 10.0 MiB");
    assert_bar("a.mp4", 10 * MIB, 10 * MIB, 46, "a.mp4 [############] 100% 10.0 MiB of 10.0 MiB");
}

static void a_narrow_window_has_no_bar(void **state)
{
    (void)state;
    assert_bar("a.mp4", 5 * MIB, 10 * MIB, 36, "a.mp4  50% 5.0 MiB of 10.0 MiB");
    assert_bar("a.mp4", 5 * MIB, 10 * MIB, 12, "a.mp4  50% \xe2\x80\xa6");
}

static void an_unknown_size_has_no_percentage(void **state)
{
    (void)state;
    assert_bar("a.mp4", 3 * MIB, 0, 80, "a.mp4 3.0 MiB");
}

static void more_than_announced_is_all_of_it(void **state)
{
    autobuf struct buf out = BUF_INIT(4096);

    (void)state;
    progress_text(&out, "a", 20 * MIB, 10 * MIB, 80);
    assert_non_null(strstr(buf_text(&out), "100% 20.0 MiB of 20.0 MiB"));
}

static void a_name_cannot_command_the_terminal(void **state)
{
    autobuf struct buf out = BUF_INIT(4096);

    (void)state;
    progress_text(&out, "\033[2J\n", 1, 2, 80);
    assert_null(strchr(buf_text(&out), '\033'));
    assert_null(strchr(buf_text(&out), '\n'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bar_fills_the_window),
        cmocka_unit_test(a_narrow_window_has_no_bar),
        cmocka_unit_test(an_unknown_size_has_no_percentage),
        cmocka_unit_test(more_than_announced_is_all_of_it),
        cmocka_unit_test(a_name_cannot_command_the_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
