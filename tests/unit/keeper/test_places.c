/* SPDX-License-Identifier: MIT */
#include "keeper/places.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* limits.runs 3; one hook whose runs share places, five to one, two places; one like any other. */
static struct conf conf = {.n_hooks = 2};
static struct running_table table;
static int64_t row;

static void set_up_conf(void)
{
    conf.limits.runs = 3;
    conf.hooks[0] =
        (struct conf_hook){.name = (char *)"many", .action = ACTION_HTTP, .concurrency = 2};
    conf.hooks[0].http.batch.max = 5;
    conf.hooks[1] =
        (struct conf_hook){.name = (char *)"one", .action = ACTION_EXEC, .concurrency = 8};
}

static int clear(void **state)
{
    (void)state;
    running_clear(&table);
    set_up_conf();
    return 0;
}

/* As many as may begin. */
static int begin(const char *hook, int most)
{
    const struct conf_hook *h = conf_hook_find(&conf, hook);
    int n = 0;

    for (; n < most && places_has(&conf, &table, h); n++) {
        struct store_run run = {.row = ++row, .hook = hook};

        (void)running_add(&table, &run);
    }
    return n;
}

static void runs_of_a_batch_share_a_place(void **state)
{
    (void)state;
    assert_int_equal(begin("many", 5), 5);
    assert_int_equal(places_free(&conf, &table), 2);
    assert_int_equal(begin("many", 1), 1);
    assert_int_equal(places_free(&conf, &table), 1);
    assert_int_equal(begin("one", 100), 1);
    assert_int_equal(begin("many", 100), 4); /* into the place that is theirs already */
    assert_int_equal(places_free(&conf, &table), 0);
}

static void a_hook_has_no_more_places_than_its_own(void **state)
{
    (void)state;
    assert_int_equal(begin("many", 100), 10);
    assert_int_equal(places_free(&conf, &table), 1);
}

static void others_fill_what_is_left(void **state)
{
    (void)state;
    assert_int_equal(begin("one", 100), 3);
    assert_int_equal(begin("many", 100), 0);
}

static void the_runner_may_have_what_places_can_hold(void **state)
{
    (void)state;
    assert_int_equal(places_runs(&conf), 15);
    conf.hooks[0].http.batch.max = 1;
    assert_int_equal(places_runs(&conf), 3);
    assert_int_equal(begin("many", 100), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_of_a_batch_share_a_place, clear, clear),
        cmocka_unit_test_setup_teardown(a_hook_has_no_more_places_than_its_own, clear, clear),
        cmocka_unit_test_setup_teardown(others_fill_what_is_left, clear, clear),
        cmocka_unit_test_setup_teardown(the_runner_may_have_what_places_can_hold, clear, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
