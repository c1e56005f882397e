/* SPDX-License-Identifier: MIT */
#include "keeper/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct conf_hook hook = {.retry = {.from_ms = 5000, .to_ms = 3600000}};

static void pauses_double_up_to_the_limit_with_jitter_on_top(void **state)
{
    static const struct {
        int attempt;
        int64_t least;
    } rows[] = {{1, 5000}, {2, 10000}, {4, 40000}, {10, 2560000}, {11, 3600000}, {60, 3600000}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int n = 0; n < 50; n++) {
            int64_t ms = outcome_pause_ms(&hook, rows[i].attempt, -1);

            assert_true(ms >= rows[i].least && ms <= rows[i].least + rows[i].least / 2);
        }
}

static void jitter_spreads(void **state)
{
    int64_t first = outcome_pause_ms(&hook, 11, -1);
    bool differs = false;

    (void)state;
    for (int n = 0; n < 20; n++)
        differs = differs || outcome_pause_ms(&hook, 11, -1) != first;
    assert_true(differs);
}

static void a_server_that_asks_for_more_time_gets_it(void **state)
{
    (void)state;
    assert_true(outcome_pause_ms(&hook, 1, 120000) == 120000);
    assert_true(outcome_pause_ms(&hook, 1, 1) >= 5000);
    assert_true(outcome_pause_ms(&hook, 1, 86400000) == 3600000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_double_up_to_the_limit_with_jitter_on_top),
        cmocka_unit_test(jitter_spreads),
        cmocka_unit_test(a_server_that_asks_for_more_time_gets_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
