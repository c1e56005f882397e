/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void http_dates_go_both_ways(void **state)
{
    static const char date[] = "Tue, 06 May 2025 12:09:42 GMT";
    char out[30];
    int64_t ms = 0;

    (void)state;
    assert_int_equal(clock_parse_http(date, 29, &ms), 0);
    assert_true(ms == 1746533382000);
    clock_format_http(ms, out);
    assert_string_equal(out, date);
}

static void other_forms_of_dates_are_refused(void **state)
{
    static const char *const bad[] = {
        "Mon, 06 May 2025 12:09:42 GMT", /* a Tuesday */
        "Tue, 06 May 2025 12:09:42 UTC",
        "Tue, 06 May 2025 24:09:42 GMT",
        "Tue, 31 Apr 2025 12:09:42 GMT",
        "Sat, 29 Feb 2025 12:09:42 GMT",
        "Tue, 06 May 2025 12:09:60 GMT",
        "Tue, 06 May 2025 12:09-42 GMT",
        "tue, 06 May 2025 12:09:42 GMT",
        "Tue, 6 May 2025 12:09:42 GMT",
        "Tuesday, 06-May-25 12:09:42 GMT",
        "Tue May  6 12:09:42 2025",
        "2025-05-06T12:09:42Z",
        "",
    };
    int64_t ms = 5;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(clock_parse_http(bad[i], strlen(bad[i]), &ms), -EINVAL);
    assert_true(ms == 5);
}

/* Every day of eight centuries, there and back. */
static void the_calendar_agrees_with_the_system(void **state)
{
    int64_t day_ms = 86400000;

    (void)state;
    for (int64_t ms = 43200000; ms < 8 * 36525 * day_ms; ms += day_ms) {
        char text[30];
        int64_t back = -1;

        clock_format_http(ms, text);
        assert_int_equal(clock_parse_http(text, 29, &back), 0);
        assert_true(back == ms);
    }
}

static void a_frozen_clock_stands_still(void **state)
{
    char out[25];

    (void)state;
    clock_freeze(5, 1746533382123);
    assert_true(clock_mono_ms() == 5);
    clock_format_rfc3339(clock_wall_ms(), out);
    assert_string_equal(out, "2025-05-06T12:09:42.123Z");
    clock_freeze(-1, -1);
    assert_true(clock_wall_ms() > 1746533382123);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_dates_go_both_ways),
        cmocka_unit_test(other_forms_of_dates_are_refused),
        cmocka_unit_test(the_calendar_agrees_with_the_system),
        cmocka_unit_test(a_frozen_clock_stands_still),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
