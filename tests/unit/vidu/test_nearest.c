/* SPDX-License-Identifier: MIT */
#include "vidu/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_nearest_of_several_wins(void **state)
{
    struct nearest n = NEAREST_INIT("task.idd");

    (void)state;
    nearest_offer(&n, "task.state");
    assert_null(n.best);
    nearest_offer(&n, "task.ideas");
    assert_string_equal(n.best, "task.ideas");
    nearest_offer(&n, "task.id");
    nearest_offer(&n, "task.ix");
    assert_string_equal(n.best, "task.id");
}

static void what_shares_nothing_is_not_near(void **state)
{
    struct nearest n = NEAREST_INIT("ab");

    (void)state;
    nearest_offer(&n, "xy");
    assert_null(n.best);
    nearest_offer(&n, "ax");
    assert_string_equal(n.best, "ax");
    n = (struct nearest)NEAREST_INIT("");
    nearest_offer(&n, "a");
    assert_null(n.best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_of_several_wins),
        cmocka_unit_test(what_shares_nothing_is_not_near),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
