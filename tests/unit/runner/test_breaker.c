/* SPDX-License-Identifier: MIT */
#include "runner/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define LIMIT 20000

static struct breaker *b;
static int64_t now = 1000;

static int setup(void **state)
{
    (void)state;
    b = breaker_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    breaker_free(b);
    return 0;
}

static void fail_times(const char *target, int times)
{
    for (int i = 0; i < times; i++)
        breaker_report(b, target, false, now);
}

static int64_t wait_of(const char *target)
{
    return breaker_wait_ms(b, target, now, LIMIT);
}

static void failures_in_a_row_close_the_way(void **state)
{
    (void)state;
    fail_times("a", BREAKER_FAILURES - 1);
    assert_int_equal(wait_of("a"), 0);
    breaker_report(b, "a", true, now);
    fail_times("a", BREAKER_FAILURES - 1);
    assert_int_equal(wait_of("a"), 0);
    fail_times("a", 1);
    assert_int_equal(wait_of("a"), BREAKER_FIRST_MS);
    now += 500;
    assert_int_equal(wait_of("a"), BREAKER_FIRST_MS - 500);
    assert_int_equal(wait_of("b"), 0);
}

static void those_that_were_on_their_way_do_not_count(void **state)
{
    (void)state;
    fail_times("a", BREAKER_FAILURES);
    fail_times("a", 20);
    assert_int_equal(wait_of("a"), BREAKER_FIRST_MS);
    now += BREAKER_FIRST_MS;
    assert_int_equal(wait_of("a"), 0);
    fail_times("a", 20);
    assert_int_equal(wait_of("a"), 2 * BREAKER_FIRST_MS);
}

static void one_goes_ahead_and_opens_it(void **state)
{
    (void)state;
    fail_times("a", BREAKER_FAILURES);
    now += BREAKER_FIRST_MS;
    assert_int_equal(wait_of("a"), 0);
    assert_int_equal(wait_of("a"), 2 * BREAKER_FIRST_MS); /* and not its limit */
    now += LIMIT - 10;
    assert_int_equal(wait_of("a"), 10);
    breaker_report(b, "a", true, now);
    assert_int_equal(wait_of("a"), 0);
    assert_int_equal(wait_of("a"), 0);
}

static void the_pause_doubles_up_to_its_limit(void **state)
{
    int64_t pause = BREAKER_FIRST_MS;

    (void)state;
    fail_times("a", BREAKER_FAILURES);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(wait_of("a"), pause);
        now += pause;
        assert_int_equal(wait_of("a"), 0);
        fail_times("a", 1);
        pause = pause * 2 < BREAKER_MOST_MS ? pause * 2 : BREAKER_MOST_MS;
    }
    assert_int_equal(pause, BREAKER_MOST_MS);
}

static void one_that_never_reports_is_followed_by_another(void **state)
{
    (void)state;
    fail_times("a", BREAKER_FAILURES);
    now += BREAKER_FIRST_MS;
    assert_int_equal(wait_of("a"), 0);
    now += LIMIT;
    assert_int_equal(wait_of("a"), 0);
    assert_int_equal(wait_of("a"), 2 * BREAKER_FIRST_MS);
}

static void more_targets_than_places_are_never_kept_waiting(void **state)
{
    char name[16];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "h%d", i);
        fail_times(name, BREAKER_FAILURES);
    }
    assert_int_equal(wait_of("h0"), BREAKER_FIRST_MS);
    assert_int_equal(wait_of("h999"), 0);
    breaker_report(b, "h0", true, now); /* the last takes its place */
    assert_int_equal(wait_of("h0"), 0);
    assert_int_equal(wait_of("h127"), BREAKER_FIRST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(failures_in_a_row_close_the_way, setup, teardown),
        cmocka_unit_test_setup_teardown(those_that_were_on_their_way_do_not_count, setup, teardown),
        cmocka_unit_test_setup_teardown(one_goes_ahead_and_opens_it, setup, teardown),
        cmocka_unit_test_setup_teardown(the_pause_doubles_up_to_its_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_never_reports_is_followed_by_another, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(more_targets_than_places_are_never_kept_waiting, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
