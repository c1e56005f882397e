/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/suggest.h"

static const char *nearest(const char *word)
{
    static const char *const names[] = {"submit", "list", "show", "status", "reload", "retry"};
    struct suggestion s = {.word = word};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        suggest_consider(&s, names[i]);
    return s.best;
}

static void a_slip_of_the_fingers_finds_the_name(void **state)
{
    (void)state;
    assert_string_equal(nearest("sumbit"), "submit");
    assert_string_equal(nearest("shwo"), "show");
    assert_string_equal(nearest("lst"), "list");
    assert_string_equal(nearest("retyr"), "retry");
}

static void a_beginning_finds_the_name(void **state)
{
    (void)state;
    assert_string_equal(nearest("sub"), "submit");
    assert_string_equal(nearest("rel"), "reload");
}

static void what_is_far_from_all_finds_none(void **state)
{
    (void)state;
    assert_null(nearest("frobnicate"));
    assert_null(nearest("x"));
    assert_null(nearest(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_of_the_fingers_finds_the_name),
        cmocka_unit_test(a_beginning_finds_the_name),
        cmocka_unit_test(what_is_far_from_all_finds_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
