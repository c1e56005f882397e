/* SPDX-License-Identifier: MIT */
#include "keeper/outcome.h"

#include "keeper/calls.h"
#include "keeper/events.h"
#include "keeper/pauses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* -- what an outcome is told to -- */

static int told;

int event_run(struct keeper *k, const struct store_run *run, const char *verdict, int64_t took_ms,
              struct err *err)
{
    (void)k;
    (void)run;
    (void)verdict;
    (void)took_ms;
    (void)err;
    told++;
    return 0;
}

void event_run_live(struct keeper *k, const struct store_run *run, const char *state)
{
    (void)k;
    (void)run;
    (void)state;
}

int event_files(struct keeper *k, const struct store_run *run, struct slice files, struct err *err)
{
    (void)k;
    (void)run;
    (void)files;
    (void)err;
    return 0;
}

int calls_dead(struct keeper *k, const struct store_run *run, struct err *err)
{
    (void)k;
    (void)run;
    (void)err;
    return 0;
}

int pauses_switch_off(struct keeper *k, const char *hook, const char *why, struct err *err)
{
    (void)k;
    (void)hook;
    (void)why;
    (void)err;
    return 0;
}

/* -- a store of runs that were under way -- */

#define RUNNING 3000

static int run_list(struct store *s, const struct store_filter *f, store_on_run *fn, void *ctx)
{
    (void)s;
    for (int i = 0; i < RUNNING && i < f->limit; i++)
        if (fn(&(struct store_run){.row = RUNNING - i}, ctx) != 0)
            break;
    return 0;
}

static int run_by_row(struct store *s, int64_t row, struct store_run *out)
{
    (void)s;
    *out = (struct store_run){.row = row};
    return 0;
}

static int run_reclaim(struct store *s, int64_t now_ms, int *n, struct err *err)
{
    (void)s;
    (void)now_ms;
    (void)err;
    *n = RUNNING;
    return 0;
}

static void every_run_that_was_interrupted_is_told_of(void **state)
{
    static const struct store_ops ops = {
        .run_list = run_list, .run_by_row = run_by_row, .run_reclaim = run_reclaim};
    struct store store = {.ops = &ops};
    struct keeper k = {.store = &store};
    struct err err;
    int n = 0;

    (void)state;
    assert_int_equal(outcome_reclaim(&k, &n, &err), 0);
    assert_int_equal(n, RUNNING);
    assert_int_equal(told, RUNNING);
}

/* -- pauses -- */

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
        cmocka_unit_test(every_run_that_was_interrupted_is_told_of),
        cmocka_unit_test(pauses_double_up_to_the_limit_with_jitter_on_top),
        cmocka_unit_test(jitter_spreads),
        cmocka_unit_test(a_server_that_asks_for_more_time_gets_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
