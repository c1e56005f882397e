/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "cli/when.h"

#include <errno.h>

static void what_the_clock_writes_is_read_back(void **state)
{
    static const int64_t times[] = {0, 1, 1746533382123, 4102444799999};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        char text[25];
        int64_t back;

        clock_format_rfc3339(times[i], text);
        assert_int_equal(when_parse(text, &back), 0);
        assert_int_equal(back, times[i]);
    }
}

static void the_fraction_may_be_missing(void **state)
{
    int64_t ms;

    (void)state;
    assert_int_equal(when_parse("1970-01-02T00:00:01Z", &ms), 0);
    assert_int_equal(ms, 86401000);
}

static void other_forms_are_no_time(void **state)
{
    static const char *const texts[] = {"",
                                        "2026",
                                        "2026-11-20 17:05:27Z",
                                        "2026-11-20T17:05:27",
                                        "2026-11-20T17:05:27.1Z",
                                        "2026-11-20T17:05:27.123Zx",
                                        "2026-11-20T17:05:27+01:00",
                                        "xxxx-11-20T17:05:27Z",
                                        "2026-13-01T00:00:00Z",
                                        "2026-00-01T00:00:00Z",
                                        "2026-02-30T00:00:00Z",
                                        "2026-11-20T24:00:00Z",
                                        "2026-11-20T17:60:00Z"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        int64_t ms;

        assert_int_equal(when_parse(texts[i], &ms), -EINVAL);
    }
}

static void ages_have_one_unit(void **state)
{
    static const struct {
        int64_t ms;
        const char *age;
    } rows[] = {{-5, "0s"},        {999, "0s"},     {119999, "119s"},   {120000, "2m"},
                {7199999, "119m"}, {7200000, "2h"}, {172799999, "47h"}, {172800000, "2d"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char age[24];

        when_age(rows[i].ms, age);
        assert_string_equal(age, rows[i].age);
    }
}

static void relative_times_have_a_direction(void **state)
{
    char text[32];

    (void)state;
    when_relative(1000, 181000, text);
    assert_string_equal(text, "3m ago");
    when_relative(301000, 1000, text);
    assert_string_equal(text, "in 5m");
    when_relative(1000, 1500, text);
    assert_string_equal(text, "now");
}

static void since_is_a_duration_a_day_or_a_time(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } rows[] = {
        {"1h", 1800000000000 - 3600000},
        {"36500d", 0},
        {"2026-11-20", 1795132800000},
        {"2026-11-20T00:00:01Z", 1795132801000},
        {"2026-11", -1},
        {"yesterday", -1},
        {"", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = {""};
        int64_t ms = -2;

        assert_int_equal(when_since(rows[i].text, 1800000000000, &ms, &err) == 0, rows[i].ms >= 0);
        if (rows[i].ms >= 0)
            assert_int_equal(ms, rows[i].ms);
        else
            assert_non_null(strstr(err.text, "write a duration"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(since_is_a_duration_a_day_or_a_time),
        cmocka_unit_test(what_the_clock_writes_is_read_back),
        cmocka_unit_test(the_fraction_may_be_missing),
        cmocka_unit_test(other_forms_are_no_time),
        cmocka_unit_test(ages_have_one_unit),
        cmocka_unit_test(relative_times_have_a_direction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
