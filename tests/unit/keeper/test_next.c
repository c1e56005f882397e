/* SPDX-License-Identifier: MIT */
#include "keeper/next.h"

#include "keeper/looks.h"
#include "keeper/pauses.h"
#include "keeper/schedule.h"
#include "task_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The only run of a task that has succeeded, and what the keeper knows of it. */
static struct store_run run;
static const struct running *under_way;
static int read_as; /* 0, or what is wrong with the store */

int64_t looks_paused(const struct keeper *k, const struct store_task *t)
{
    (void)k;
    (void)t;
    return 0;
}

bool pauses_has(const struct pauses *p, const char *hook)
{
    (void)p;
    (void)hook;
    return false;
}

json_t *pauses_reasons(const struct pauses *p)
{
    (void)p;
    return json_object();
}

const struct running *schedule_find(const struct keeper *k, int64_t row)
{
    (void)k;
    return row == run.row ? under_way : NULL;
}

static int run_list(struct store *s, const struct store_filter *f, store_on_run *fn, void *ctx)
{
    (void)s;
    (void)f;
    fn(&run, ctx);
    return read_as;
}

/* What is told of the run, or -errno. */
static int ask(json_t **next)
{
    static const struct store_ops ops = {.run_list = run_list};
    struct store store = {.ops = &ops};
    struct conf conf = {.limits = {.runs = 16}, .n_hooks = 1};
    struct keeper k = {.conf = &conf, .store = &store};
    struct store_task task = sample();
    json_t *runs = json_pack("[{s:I, s:s, s:s, s:s}]", "id", (json_int_t)run.row, "hook", run.hook,
                             "event", run.trigger, "state", run_state_name(run.state));
    int rc;

    conf.hooks[0] = (struct conf_hook){.name = (char *)"h", .concurrency = 4};
    rc = next_of_task(&k, &task, runs, next);
    json_decref(runs);
    return rc;
}

/* "WHAT: WHY", owned by the caller. */
static char *told(void)
{
    json_t *next = NULL;
    json_t *step;
    char *text;

    assert_int_equal(ask(&next), 0);
    step = json_array_get(next, 0);
    text = step == NULL ? mem_strdup("nothing")
                        : mem_printf("%s: %s", json_string_value(json_object_get(step, "what")),
                                     json_string_value(json_object_get(step, "why")));
    json_decref(next);
    return text;
}

static void what_is_held_waits_for_a_place_and_what_is_not_for_its_retry(void **state)
{
    struct running held = {.run = 5, .held = true};
    struct running ending = {.run = 5, .settling = true};
    autofree char *of_held = NULL;
    autofree char *of_ending = NULL;

    (void)state;
    run = (struct store_run){
        .row = 5, .hook = "h", .trigger = "success", .state = RUN_READY, .attempt = 1};
    under_way = &held;
    of_held = told();
    assert_string_equal(of_held, "run 5 of h begins attempt 1: no more than 4 of its hook, and 16 "
                                 "of all hooks, run at once");
    under_way = &ending; /* attempt 1 has failed; that is in the open batch */
    of_ending = told();
    under_way = NULL;
    assert_string_equal(of_ending, "run 5 of h begins attempt 2: attempt 1 failed");
}

static void who_waits_for_a_run_that_is_not_there_names_no_number(void **state)
{
    autofree char *text = NULL;

    (void)state;
    run = (struct store_run){
        .row = 5, .hook = "h", .after = "first", .trigger = "success", .state = RUN_WAITING};
    text = told();
    assert_string_equal(text, "run 5 of h begins attempt 1: it waits for first to be done");
}

static void a_story_that_cannot_be_read_is_not_told(void **state)
{
    json_t *next = NULL;

    (void)state;
    run = (struct store_run){.row = 5, .hook = "h", .trigger = "success", .state = RUN_READY};
    read_as = -EIO;
    assert_int_equal(ask(&next), -EIO);
    assert_null(next);
    read_as = 0;
}

static void what_was_cancelled_is_told_until_it_has_gone(void **state)
{
    struct running ending = {.run = 5};
    autofree char *of_ending = NULL;
    autofree char *of_gone = NULL;

    (void)state;
    run = (struct store_run){
        .row = 5, .hook = "h", .trigger = "success", .state = RUN_CANCELLED, .attempt = 1};
    under_way = &ending;
    of_ending = told();
    assert_string_equal(of_ending, "run 5 of h ends attempt 1: it was cancelled and has not gone "
                                   "yet; a command gets KILL 10 seconds after TERM");
    under_way = NULL;
    of_gone = told();
    assert_string_equal(of_gone, "nothing");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_held_waits_for_a_place_and_what_is_not_for_its_retry),
        cmocka_unit_test(a_story_that_cannot_be_read_is_not_told),
        cmocka_unit_test(who_waits_for_a_run_that_is_not_there_names_no_number),
        cmocka_unit_test(what_was_cancelled_is_told_until_it_has_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
