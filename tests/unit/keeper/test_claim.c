/* SPDX-License-Identifier: MIT */
#include "keeper/claim.h"

#include "keeper/batch.h"
#include "keeper/describe.h"
#include "keeper/events.h"
#include "keeper/follow.h"
#include "keeper/orphans.h"
#include "keeper/outcome.h"
#include "keeper/pauses.h"
#include "keeper/rates.h"
#include "keeper/schedule_inner.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A store of runs that are due, the oldest first, and a runner that takes what it is given: the
 * rest of the keeper stands still. */
static struct {
    struct keeper k;
    struct conf conf;
    struct schedule schedule;
    struct store store;
    struct store_run runs[256]; /* row 1 is the first */
    int n;
    int asked; /* for how many, the last time */
    struct {
        void (*fn)(struct keeper *k, bool ok, void *ctx);
        void *ctx;
    } then[256];
    size_t n_then;
} stage;

/* -- what claiming stands on -- */

struct room *supervise_room(struct supervise *s, enum room_kind kind)
{
    (void)s;
    return kind == ROOM_RUNNER ? (struct room *)&stage : NULL;
}

struct room *supervise_by_id(struct supervise *s, unsigned id)
{
    (void)s;
    return id == 1 ? (struct room *)&stage : NULL;
}

unsigned room_id(const struct room *room)
{
    (void)room;
    return 1;
}

struct channel *room_channel(struct room *room)
{
    (void)room;
    return NULL;
}

int channel_send(struct channel *ch, enum message_type type, uint64_t id, const void *msg)
{
    (void)ch;
    (void)msg;
    assert_int_equal(type, MSG_RUN);
    assert_int_equal(stage.runs[id - 1].state, RUN_RUNNING);
    return 0;
}

void batch_then(struct keeper *k, void (*fn)(struct keeper *k, bool ok, void *ctx), void *ctx)
{
    (void)k;
    stage.then[stage.n_then].fn = fn;
    stage.then[stage.n_then++].ctx = ctx;
}

void batch_spoil(struct keeper *k, int code, const struct err *err)
{
    (void)k;
    fail_msg("%d: %s", code, err->text);
}

bool batch_spoiled(const struct keeper *k)
{
    (void)k;
    return false;
}

int describe_run(struct keeper *k, const struct conf_hook *h, const struct store_run *run,
                 char **text, const char **why, struct err *err)
{
    (void)k;
    (void)h;
    (void)run;
    (void)why;
    (void)err;
    *text = mem_strdup("{}");
    return 0;
}

void event_run_live(struct keeper *k, const struct store_run *run, const char *state)
{
    (void)k;
    (void)run;
    (void)state;
}

void follow_begun(struct keeper *k, int64_t run, struct room *runner)
{
    (void)k;
    (void)run;
    (void)runner;
}

bool orphans_ending(const struct orphans *o)
{
    (void)o;
    return false;
}

bool pauses_has(const struct pauses *p, const char *hook)
{
    (void)p;
    (void)hook;
    return false;
}

int outcome_bury(struct keeper *k, struct store_run *run, const char *why, struct err *err)
{
    (void)k;
    (void)why;
    (void)err;
    stage.runs[run->row - 1].state = RUN_DEAD;
    return 0;
}

void schedule_forget(struct schedule *s, struct running *r)
{
    running_remove(&s->running, r);
    s->dirty = true;
}

void schedule_wake(struct keeper *k)
{
    k->schedule->dirty = true;
}

void schedule_on_stop(struct keeper *k)
{
    (void)k;
}

void schedule_settle(struct keeper *k, struct running *r)
{
    (void)k;
    (void)r;
    fail();
}

/* -- the store -- */

static bool is_busy(const char *hook, const char *const *busy, size_t n_busy)
{
    for (size_t i = 0; i < n_busy; i++)
        if (str_eq(hook, busy[i]))
            return true;
    return false;
}

static int run_due(struct store *s, int64_t now_ms, const char *const *busy, size_t n_busy,
                   bool suspects, int64_t *rows, int limit)
{
    int n = 0;

    (void)s;
    (void)now_ms;
    stage.asked = limit;
    assert_true(limit <= 128); /* rows has no more */
    for (int i = 0; i < stage.n && n < limit; i++)
        if (stage.runs[i].state == RUN_READY && !is_busy(stage.runs[i].hook, busy, n_busy) &&
            (suspects || stage.runs[i].losses == 0))
            rows[n++] = stage.runs[i].row;
    return n;
}

static int run_by_row(struct store *s, int64_t row, struct store_run *out)
{
    (void)s;
    *out = stage.runs[row - 1];
    return 0;
}

static int run_update(struct store *s, const struct store_run *r, struct err *err)
{
    (void)s;
    (void)err;
    stage.runs[r->row - 1] = *r;
    return 0;
}

static int64_t run_next_due(struct store *s, int64_t after_ms)
{
    (void)s;
    (void)after_ms;
    return 0;
}

static const struct store_ops ops = {
    .run_due = run_due,
    .run_by_row = run_by_row,
    .run_update = run_update,
    .run_next_due = run_next_due,
};

/* -- the stage -- */

static void hook(const char *name, int concurrency)
{
    stage.conf.hooks[stage.conf.n_hooks++] =
        (struct conf_hook){.name = (char *)name, .action = ACTION_EXEC, .concurrency = concurrency};
}

/* n of them are due, and during the last attempt of each the runner died so often. */
static void due(const char *name, int n, int losses)
{
    for (; n > 0; n--, stage.n++)
        stage.runs[stage.n] = (struct store_run){
            .row = stage.n + 1, .hook = name, .state = RUN_READY, .losses = losses};
}

static void claim(void)
{
    stage.schedule.dirty = true;
    claim_due(&stage.k);
    for (size_t i = 0; i < stage.n_then; i++)
        stage.then[i].fn(&stage.k, true, stage.then[i].ctx);
    stage.n_then = 0;
}

/* The oldest of the hook that is under way is done. */
static void end_one(const char *name)
{
    struct running_table *t = &stage.schedule.running;
    size_t i = 0;

    while (i < t->n && (t->rows[i]->held || !str_eq(t->rows[i]->hook, name)))
        i++;
    assert_true(i < t->n);
    stage.runs[t->rows[i]->run - 1].state = RUN_DONE;
    schedule_forget(&stage.schedule, t->rows[i]);
}

static int count(const char *name, enum run_state state)
{
    int n = 0;

    for (int i = 0; i < stage.n; i++)
        n += stage.runs[i].state == state && str_eq(stage.runs[i].hook, name);
    return n;
}

static int held(const char *name)
{
    return (int)running_held(&stage.schedule.running, name);
}

static int setup(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof(stage));
    stage.conf.limits.runs = 8;
    stage.store.ops = &ops;
    stage.schedule.k = &stage.k;
    stage.k.rates = rates_new();
    stage.k.conf = &stage.conf;
    stage.k.store = &stage.store;
    stage.k.schedule = &stage.schedule;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    running_clear(&stage.schedule.running);
    rates_free(stage.k.rates);
    return 0;
}

static void what_is_held_is_filled_up_by_halves(void **state)
{
    (void)state;
    hook("a", 4);
    due("a", 40, 0);
    claim();
    assert_int_equal(count("a", RUN_RUNNING), 4);
    assert_int_equal(held("a"), 4);
    end_one("a");
    claim();
    assert_int_equal(count("a", RUN_RUNNING), 4);
    assert_int_equal(held("a"), 3); /* nothing is looked for yet */
    end_one("a");
    claim();
    assert_int_equal(count("a", RUN_RUNNING), 4);
    assert_int_equal(held("a"), 4);
}

static void all_hooks_together_hold_64(void **state)
{
    (void)state;
    hook("a", 48);
    hook("b", 48);
    stage.conf.limits.runs = 1;
    due("a", 100, 0);
    due("b", 100, 0);
    claim();
    claim();
    assert_int_equal(count("a", RUN_RUNNING), 1);
    assert_int_equal(held("a"), 48);
    assert_int_equal(held("b"), 16);
}

static void of_what_has_a_rate_nothing_is_held(void **state)
{
    (void)state;
    hook("a", 4);
    stage.conf.hooks[0].rate = (struct conf_rate){.n = 2, .per_ms = 3600000};
    due("a", 10, 0);
    claim();
    assert_int_equal(count("a", RUN_RUNNING), 2);
    assert_int_equal(held("a"), 0);
}

static void of_a_long_queue_no_more_is_read_than_may_be_claimed(void **state)
{
    (void)state;
    hook("a", 1);
    due("a", 100, 0);
    claim();
    assert_int_equal(count("a", RUN_RUNNING), 1);
    assert_int_equal(held("a"), 1);
    assert_true(stage.asked <= 1 + 1 + 8);
}

static void many_are_claimed_in_several_looks(void **state)
{
    (void)state;
    hook("a", 1024);
    stage.conf.limits.runs = 1024;
    due("a", 250, 0);
    claim();
    assert_int_equal(count("a", RUN_RUNNING), 250);
}

static void a_long_queue_hides_nobody(void **state)
{
    (void)state;
    hook("a", 2);
    hook("b", 2);
    due("a", 200, 0);
    due("b", 1, 0);
    claim();
    assert_int_equal(count("a", RUN_RUNNING), 2);
    assert_int_equal(count("b", RUN_RUNNING), 1);
}

static void runs_of_a_hook_that_is_gone_are_over_even_if_nobody_has_a_place(void **state)
{
    (void)state;
    hook("a", 1);
    due("a", 3, 0);
    claim();
    due("gone", 20, 0);
    claim();
    assert_int_equal(count("gone", RUN_DEAD), 20);
    assert_int_equal(count("a", RUN_RUNNING), 1);
}

static void a_suspect_begins_alone_among_its_like(void **state)
{
    (void)state;
    hook("a", 4);
    hook("b", 4);
    due("a", 3, 1);
    due("b", 2, 1);
    due("b", 2, 0);
    claim();
    assert_int_equal(count("a", RUN_RUNNING), 1);
    assert_int_equal(count("b", RUN_RUNNING), 2); /* of those that are none */
    assert_int_equal(held(NULL), 0);
    for (int i = 0; i < 3; i++) {
        end_one("a");
        claim();
    }
    assert_int_equal(count("a", RUN_DONE), 3);
    assert_int_equal(count("b", RUN_RUNNING), 3);
}

static void a_suspect_without_a_place_is_not_held(void **state)
{
    (void)state;
    hook("a", 1);
    due("a", 1, 0);
    claim();
    due("a", 1, 1);
    claim();
    assert_int_equal(held("a"), 0);
    end_one("a");
    claim();
    assert_int_equal(count("a", RUN_RUNNING), 1);
}

static void suspects_that_wait_hide_nobody(void **state)
{
    (void)state;
    hook("a", 1);
    hook("b", 1);
    due("a", 8, 1);
    due("gone", 30, 0);
    due("b", 1, 0);
    claim();
    assert_int_equal(count("a", RUN_RUNNING), 1);
    assert_int_equal(count("gone", RUN_DEAD), 30);
    assert_int_equal(count("b", RUN_RUNNING), 1);
}

static void a_lowered_concurrency_does_not_hide_others_behind_suspects(void **state)
{
    (void)state;
    hook("a", 2);
    due("a", 60, 1);
    due("a", 5, 0);
    claim();
    assert_int_equal(count("a", RUN_RUNNING), 2);
    assert_int_equal(running_suspect(&stage.schedule.running), true);
    assert_int_equal(stage.runs[60].state, RUN_RUNNING); /* the first that is none */
}

#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STAGE_TEST(what_is_held_is_filled_up_by_halves),
        STAGE_TEST(all_hooks_together_hold_64),
        STAGE_TEST(of_what_has_a_rate_nothing_is_held),
        STAGE_TEST(of_a_long_queue_no_more_is_read_than_may_be_claimed),
        STAGE_TEST(many_are_claimed_in_several_looks),
        STAGE_TEST(a_long_queue_hides_nobody),
        STAGE_TEST(runs_of_a_hook_that_is_gone_are_over_even_if_nobody_has_a_place),
        STAGE_TEST(a_suspect_begins_alone_among_its_like),
        STAGE_TEST(a_suspect_without_a_place_is_not_held),
        STAGE_TEST(suspects_that_wait_hide_nobody),
        STAGE_TEST(a_lowered_concurrency_does_not_hide_others_behind_suspects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
