/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "store_fixture.h"

#include <errno.h>

struct seen {
    int n, stop_after;
    int64_t rows[16];
};

static int on_run(const struct store_run *r, void *ctx)
{
    struct seen *seen = ctx;

    seen->rows[seen->n++] = r->row;
    return seen->n == seen->stop_after;
}

static struct seen due(struct fixture *f, int64_t now, int limit, size_t n_busy,
                       const char *const *busy)
{
    struct seen seen = {.n = 0};

    assert_true(limit <= (int)ARRAY_LEN(seen.rows));
    seen.n = f->ops->run_due(f->s, now, busy, n_busy, true, seen.rows, limit);
    assert_true(seen.n >= 0);
    return seen;
}

static enum run_state state_of(struct fixture *f, int64_t row)
{
    struct store_run r;

    assert_ok(f, f->ops->run_by_row(f->s, row, &r));
    return r.state;
}

static int64_t add_due(struct fixture *f, int n, const char *hook, int64_t due_ms)
{
    struct store_run r = run_of(add_number(f, n), hook, RUN_READY);

    r.due_ms = due_ms;
    return add_run(f, &r);
}

static void a_run_reads_back_with_the_id_of_its_task(void **state)
{
    struct fixture *f = *state;
    struct store_run r = run_of(add_number(f, 1), "archive", RUN_WAITING);
    struct store_run back;

    r.after = "before";
    r.attempt = 2;
    r.lease_ms = 3;
    r.started_ms = 4;
    r.finished_ms = 5;
    r.exit_code = -9;
    r.on_failure = true;
    r.details = "{\"run\":1}";
    r.detail = "detail";
    r.output = "output";
    r.row = add_run(f, &r);
    assert_ok(f, f->ops->run_by_row(f->s, r.row, &back));
    assert_string_equal(back.task_id, "t000000000001");
    assert_string_equal(back.hook, "archive");
    assert_string_equal(back.trigger, "success");
    assert_string_equal(back.after, "before");
    assert_true(back.on_failure);
    assert_string_equal(back.details, "{\"run\":1}");
    assert_string_equal(back.detail, "detail");
    assert_string_equal(back.output, "output");
    assert_int_equal(back.task, r.task);
    assert_int_equal(back.state, RUN_WAITING);
    assert_int_equal(back.attempt, 2);
    assert_int_equal(back.due_ms, T0);
    assert_int_equal(back.lease_ms, 3);
    assert_int_equal(back.created_ms, T0);
    assert_int_equal(back.started_ms, 4);
    assert_int_equal(back.finished_ms, 5);
    assert_int_equal(back.exit_code, -9);
    assert_false(back.replay);
    assert_int_equal(f->ops->run_by_row(f->s, 99, &back), -ENOENT);
}

static void an_automatic_run_exists_once_and_replays_as_often_as_asked(void **state)
{
    struct fixture *f = *state;
    struct store_run r = run_of(add_number(f, 1), "archive", RUN_READY);
    struct store_run back;
    int64_t row = 0;

    add_run(f, &r);
    fixture_begin(f);
    assert_int_equal(f->ops->run_insert(f->s, &r, &row, &f->err), -EEXIST);
    assert_int_equal(row, 0);
    r.replay = true;
    for (int i = 0; i < 3; i++) {
        assert_ok(f, f->ops->run_insert(f->s, &r, &row, &f->err));
        assert_ok(f, f->ops->run_by_row(f->s, row, &back));
        assert_true(back.replay);
    }
    r.replay = false;
    r.trigger = "failed";
    assert_ok(f, f->ops->run_insert(f->s, &r, &row, &f->err));
    r.trigger = "success";
    r.hook = "other";
    assert_ok(f, f->ops->run_insert(f->s, &r, &row, &f->err));
    fixture_commit(f);
}

static void a_replay_does_not_stand_for_the_automatic_run(void **state)
{
    struct fixture *f = *state;
    struct store_run r = run_of(add_number(f, 1), "archive", RUN_READY);

    r.replay = true;
    add_run(f, &r);
    r.replay = false;
    add_run(f, &r);
}

static void an_update_writes_the_course_of_a_run(void **state)
{
    struct fixture *f = *state;
    struct store_run r = run_of(add_number(f, 1), "archive", RUN_READY);
    struct store_run back;

    r.row = add_run(f, &r);
    r.state = RUN_DEAD;
    r.attempt = 8;
    r.due_ms = 1;
    r.lease_ms = 2;
    r.created_ms = T0 + 9;
    r.started_ms = 3;
    r.finished_ms = 4;
    r.exit_code = 75;
    r.detail = "gave up";
    r.output = "tail";
    r.losses = 2;
    r.failures = 3;
    r.replay = true;
    fixture_begin(f);
    assert_ok(f, f->ops->run_update(f->s, &r, &f->err));
    fixture_commit(f);
    assert_ok(f, f->ops->run_by_row(f->s, r.row, &back));
    assert_int_equal(back.state, RUN_DEAD);
    assert_int_equal(back.attempt, 8);
    assert_int_equal(back.due_ms, 1);
    assert_int_equal(back.lease_ms, 2);
    assert_int_equal(back.created_ms, T0 + 9);
    assert_int_equal(back.started_ms, 3);
    assert_int_equal(back.finished_ms, 4);
    assert_int_equal(back.exit_code, 75);
    assert_string_equal(back.detail, "gave up");
    assert_string_equal(back.output, "tail");
    assert_int_equal(back.losses, 2);
    assert_int_equal(back.failures, 3);
    assert_true(back.replay);
    r.row = 99;
    fixture_begin(f);
    assert_int_equal(f->ops->run_update(f->s, &r, &f->err), -ENOENT);
    fixture_commit(f);
}

static void a_handed_out_run_outlives_other_calls(void **state)
{
    struct fixture *f = *state;
    struct store_run r = run_of(add_number(f, 1), "archive", RUN_READY);
    struct store_run kept;
    struct store_task t;

    r.row = add_run(f, &r);
    add_due(f, 2, "a-hook-with-a-longer-name-than-the-other", T0);
    assert_ok(f, f->ops->run_by_row(f->s, r.row, &kept));
    assert_ok(f, f->ops->task_by_row(f->s, r.task, &t));
    due(f, T0, 10, 0, NULL);
    fixture_begin(f);
    kept.state = RUN_RUNNING;
    assert_ok(f, f->ops->run_update(f->s, &kept, &f->err));
    fixture_commit(f);
    assert_string_equal(kept.hook, "archive");
}

static void due_runs_come_oldest_first(void **state)
{
    struct fixture *f = *state;
    int64_t late = add_due(f, 1, "b", T0 + 20);
    int64_t early = add_due(f, 2, "c", T0 + 10);
    int64_t middle = add_due(f, 3, "a", T0 + 15);
    struct seen seen;

    add_due(f, 4, "a", T0 + 100);
    seen = due(f, T0 + 20, 10, 0, NULL);
    assert_int_equal(seen.n, 3);
    assert_int_equal(seen.rows[0], early);
    assert_int_equal(seen.rows[1], middle);
    assert_int_equal(seen.rows[2], late);
    assert_int_equal(due(f, T0 + 20, 2, 0, NULL).n, 2);
    assert_int_equal(due(f, T0 + 9, 10, 0, NULL).n, 0);
}

static void hooks_that_are_busy_are_left_out(void **state)
{
    struct fixture *f = *state;
    static const char *const busy[] = {"archive", "a \"quoted\\\" name", "none"};
    int64_t other;
    struct seen seen;

    add_due(f, 1, "archive", T0);
    add_due(f, 2, busy[1], T0 + 1);
    other = add_due(f, 3, "archive2", T0 + 2);
    seen = due(f, T0 + 10, 10, ARRAY_LEN(busy), busy);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.rows[0], other);
    assert_int_equal(due(f, T0 + 10, 10, 1, busy).n, 2);
}

static void only_ready_runs_are_due(void **state)
{
    struct fixture *f = *state;

    for (enum run_state s = RUN_WAITING; s <= RUN_CANCELLED; s++) {
        struct store_run r = run_of(add_number(f, (int)s), "h", s);

        r.due_ms = T0 + (int)s;
        add_run(f, &r);
    }
    assert_int_equal(due(f, T0 + 100, 10, 0, NULL).n, 1);
    assert_int_equal(f->ops->run_next_due(f->s, 0), T0 + RUN_READY);
}

static int64_t add_expiring(struct fixture *f, int n, const char *hook, int64_t expires_ms)
{
    struct store_run r = run_of(add_number(f, n), hook, RUN_READY);

    r.due_ms = T0;
    r.expires_ms = expires_ms;
    return add_run(f, &r);
}

static void what_expires_soonest_begins_first_and_hooks_take_turns(void **state)
{
    struct fixture *f = *state;
    int64_t last = add_expiring(f, 1, "get", T0 + 900);
    int64_t first = add_expiring(f, 2, "get", T0 + 100);
    int64_t middle = add_expiring(f, 3, "get", T0 + 500);
    int64_t again = add_due(f, 4, "get", T0 + 5); /* after a failure it is due by itself */
    int64_t other = add_due(f, 5, "tell", T0 + 1);
    int64_t order[] = {other, again, first, middle, last};
    struct seen seen = due(f, T0 + 10, 10, 0, NULL);

    assert_int_equal(seen.n, ARRAY_LEN(order));
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        assert_int_equal(seen.rows[i], order[i]);
    seen = due(f, T0 + 10, 3, 0, NULL); /* also when there is no place for all */
    assert_int_equal(seen.n, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(seen.rows[i], order[i]);
    assert_int_equal(f->ops->run_next_due(f->s, 0), T0);
}

static void suspects_are_left_out_unless_they_are_wanted(void **state)
{
    struct fixture *f = *state;
    struct store_run lost = run_of(add_number(f, 1), "get", RUN_READY);
    int64_t suspect, sound, rows[4];

    lost.losses = 1;
    suspect = add_run(f, &lost);
    lost.task = add_number(f, 2);
    lost.expires_ms = T0 + 100;
    add_run(f, &lost);
    sound = add_due(f, 3, "get", T0 + 1);
    assert_int_equal(f->ops->run_due(f->s, T0 + 1, NULL, 0, true, rows, 1), 1);
    assert_int_equal(rows[0], suspect);
    assert_int_equal(f->ops->run_due(f->s, T0 + 1, NULL, 0, false, rows, 4), 1);
    assert_int_equal(rows[0], sound);
}

static void the_next_due_time_is_the_least_of_all_hooks(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(f->ops->run_next_due(f->s, 0), 0);
    add_due(f, 1, "b", T0 + 20);
    add_due(f, 2, "a", T0 + 30);
    add_due(f, 3, "c", T0 + 10);
    assert_int_equal(f->ops->run_next_due(f->s, 0), T0 + 10);
}

/* What is due and cannot begin, since its hook is paused, say, hides nothing. */
static void the_next_due_time_is_the_next_one_after_now(void **state)
{
    struct fixture *f = *state;

    add_due(f, 1, "a", T0);
    add_due(f, 2, "a", T0 + 30);
    add_expiring(f, 3, "b", T0 + 900);
    assert_int_equal(f->ops->run_next_due(f->s, T0), T0 + 30);
    assert_int_equal(f->ops->run_next_due(f->s, T0 + 30), 0);
}

/* A queue behind a busy hook must cost the others nothing: no walk over it. */
static void a_long_queue_of_a_busy_hook_is_not_walked(void **state)
{
    struct fixture *f = *state;
    static const char *const busy[] = {"slow"};
    int64_t quick;
    int64_t start;

    fixture_begin(f);
    for (int i = 0; i < 100000; i++) {
        struct store_run r = run_of(0, "slow", RUN_READY);

        add_run(f, &r);
    }
    quick = add_due(f, 2, "quick", T0 + 1000);
    fixture_commit(f);
    start = clock_mono_ms();
    for (int i = 0; i < 200; i++) {
        struct seen seen = due(f, T0 + 2000, 8, 1, busy);

        assert_int_equal(seen.n, 1);
        assert_int_equal(seen.rows[0], quick);
        assert_int_equal(due(f, T0 + 2000, 8, 0, NULL).n, 8);
        assert_int_equal(f->ops->run_next_due(f->s, 0), T0);
    }
    assert_true(clock_mono_ms() - start < 4000); /* a walk would take 200 times 20 ms and more */
}

static int64_t add_triggered(struct fixture *f, int64_t task, const char *trigger)
{
    struct store_run r = run_of(task, "h", RUN_READY);

    r.trigger = trigger;
    return add_run(f, &r);
}

static void set_state(struct fixture *f, int64_t row, enum run_state state)
{
    struct store_run r;

    assert_ok(f, f->ops->run_by_row(f->s, row, &r));
    r.state = state;
    r.attempt = 1;
    fixture_begin(f);
    assert_ok(f, f->ops->run_update(f->s, &r, &f->err));
    fixture_commit(f);
}

static void the_runs_of_a_hook_for_a_task_keep_their_order(void **state)
{
    static const enum run_state unfinished[] = {RUN_WAITING, RUN_READY, RUN_RUNNING};
    struct fixture *f = *state;
    int64_t task = add_number(f, 1);
    int64_t first = add_triggered(f, task, "processing");
    int64_t second = add_triggered(f, task, "success");
    struct store_run other = run_of(task, "i", RUN_READY);
    struct seen seen;

    other.row = add_run(f, &other);
    for (size_t i = 0; i < ARRAY_LEN(unfinished); i++) {
        set_state(f, first, unfinished[i]);
        seen = due(f, T0, 10, 0, NULL);
        assert_int_equal(seen.n, unfinished[i] == RUN_READY ? 2 : 1);
        assert_int_equal(seen.rows[0], unfinished[i] == RUN_READY ? first : other.row);
    }
    for (enum run_state s = RUN_DONE; s <= RUN_CANCELLED; s++) {
        set_state(f, first, s);
        seen = due(f, T0, 10, 0, NULL);
        assert_int_equal(seen.n, 2);
        assert_int_equal(seen.rows[0], second);
    }
    set_state(f, second, RUN_RUNNING);
    set_state(f, first, RUN_READY); /* asked for again: not beside the one that runs */
    assert_int_equal(due(f, T0, 10, 0, NULL).n, 1);
}

static void a_task_with_many_runs_does_not_starve_others(void **state)
{
    struct fixture *f = *state;
    int64_t greedy = add_number(f, 1);
    int64_t first = 0;
    struct seen seen;

    for (int i = 0; i < 50; i++) {
        char trigger[16];
        int64_t row;

        snprintf(trigger, sizeof(trigger), "%d", i);
        row = add_triggered(f, greedy, trigger);
        first = first != 0 ? first : row;
    }
    for (int n = 2; n <= 5; n++)
        add_triggered(f, add_number(f, n), "success");
    seen = due(f, T0, 4, 0, NULL);
    assert_int_equal(seen.n, 4);
    assert_int_equal(seen.rows[0], first);
    assert_int_equal(seen.rows[1], first + 50);
    assert_int_equal(seen.rows[3], first + 52);
}

static void what_stands_behind_a_run_rests_with_it(void **state)
{
    struct fixture *f = *state;
    int64_t task = add_number(f, 1);
    struct store_run first = run_of(task, "h", RUN_READY);
    struct store_run tried = run_of(task, "h", RUN_READY);
    int64_t behind, elsewhere;
    struct store_run r;

    first.row = add_run(f, &first);
    behind = add_triggered(f, task, "failed");
    tried.trigger = "lost";
    tried.attempt = 1;
    tried.row = add_run(f, &tried);
    elsewhere = add_triggered(f, add_number(f, 2), "failed");
    fixture_begin(f);
    assert_ok(f, f->ops->run_follow(f->s, &first, T0 + 500, &f->err));
    fixture_commit(f);
    assert_ok(f, f->ops->run_by_row(f->s, behind, &r));
    assert_int_equal(r.due_ms, T0 + 500);
    assert_ok(f, f->ops->run_by_row(f->s, add_triggered(f, task, "late"), &r));
    assert_int_equal(r.due_ms, T0 + 500);
    assert_ok(f, f->ops->run_by_row(f->s, tried.row, &r));
    assert_int_equal(r.due_ms, T0);
    assert_ok(f, f->ops->run_by_row(f->s, elsewhere, &r));
    assert_int_equal(r.due_ms, T0);
}

static int64_t add_waiting(struct fixture *f, int64_t task, const char *hook, const char *after)
{
    struct store_run r = run_of(task, hook, RUN_WAITING);

    r.after = after;
    return add_run(f, &r);
}

static int release(struct fixture *f, int64_t task, const char *after, const char *trigger, bool ok)
{
    int n = -1;

    fixture_begin(f);
    assert_ok(f, f->ops->run_release(f->s, task, after, trigger, ok, T0 + 50, &n, &f->err));
    fixture_commit(f);
    return n;
}

static void success_releases_the_runs_that_wait_for_it(void **state)
{
    struct fixture *f = *state;
    int64_t task = add_number(f, 1);
    int64_t a = add_waiting(f, task, "a", "archive");
    int64_t b = add_waiting(f, task, "b", "archive");
    int64_t after_a = add_waiting(f, task, "c", "a");
    int64_t elsewhere = add_waiting(f, add_number(f, 2), "a", "archive");
    struct store_run r;

    assert_int_equal(release(f, task, "archive", "failed", true), 0);
    assert_int_equal(release(f, task, "archive", "success", true), 2);
    assert_ok(f, f->ops->run_by_row(f->s, a, &r));
    assert_int_equal(r.state, RUN_READY);
    assert_int_equal(r.due_ms, T0 + 50);
    assert_int_equal(state_of(f, b), RUN_READY);
    assert_int_equal(state_of(f, after_a), RUN_WAITING);
    assert_int_equal(state_of(f, elsewhere), RUN_WAITING);
    assert_int_equal(release(f, task, "archive", "success", true), 0);
}

static void failure_cancels_the_whole_chain(void **state)
{
    struct fixture *f = *state;
    int64_t task = add_number(f, 1);
    int64_t a = add_waiting(f, task, "a", "archive");
    int64_t b = add_waiting(f, task, "b", "a");
    int64_t c = add_waiting(f, task, "c", "b");
    int64_t apart = add_waiting(f, task, "d", "other");
    struct store_run r;

    assert_int_equal(release(f, task, "archive", "success", false), 3);
    assert_int_equal(state_of(f, a), RUN_CANCELLED);
    assert_int_equal(state_of(f, b), RUN_CANCELLED);
    assert_ok(f, f->ops->run_by_row(f->s, c, &r));
    assert_int_equal(r.state, RUN_CANCELLED);
    assert_int_equal(r.finished_ms, T0 + 50);
    assert_string_equal(r.detail, "waited for archive, which did not succeed");
    assert_int_equal(state_of(f, apart), RUN_WAITING);
}

static void an_end_releases_those_that_wait_for_it_and_cancels_the_others(void **state)
{
    struct fixture *f = *state;
    int64_t bad = add_number(f, 1);
    int64_t good = add_number(f, 2);
    struct store_run r = run_of(bad, "alarm", RUN_WAITING);
    int64_t alarm, no_alarm, next, no_next;

    r.after = "archive";
    r.on_failure = true;
    alarm = add_run(f, &r);
    next = add_waiting(f, bad, "next", "alarm");
    r.task = good;
    no_alarm = add_run(f, &r);
    no_next = add_waiting(f, good, "next", "alarm");
    assert_int_equal(release(f, bad, "archive", "success", false), 1);
    assert_int_equal(state_of(f, alarm), RUN_READY);
    assert_int_equal(state_of(f, next), RUN_WAITING);
    assert_int_equal(release(f, good, "archive", "success", true), 2);
    assert_int_equal(state_of(f, no_next), RUN_CANCELLED);
    assert_ok(f, f->ops->run_by_row(f->s, no_alarm, &r));
    assert_int_equal(r.state, RUN_CANCELLED);
    assert_string_equal(r.detail, "waited for a failure of archive, which succeeded");
}

static void what_has_details_may_happen_again(void **state)
{
    struct fixture *f = *state;
    struct store_run r = run_of(add_number(f, 1), "alarm", RUN_READY);

    r.trigger = "dead";
    r.details = "{\"run\":1}";
    assert_true(add_run(f, &r) < add_run(f, &r));
}

static void a_run_may_be_of_no_task(void **state)
{
    struct fixture *f = *state;
    struct store_run r = run_of(0, "alarm", RUN_READY);
    struct store_filter all = {.state = -1};
    struct store_filter of_vidu = {.state = -1, .provider = "vidu"};
    struct seen seen = {.n = 0};
    struct store_run back;
    struct store_counts counts;
    int n = 0;

    r.details = "{}";
    add_run(f, &r);
    r.row = add_run(f, &r);
    assert_int_equal(due(f, T0, 10, 0, NULL).n, 2);
    assert_ok(f, f->ops->run_list(f->s, &all, on_run, &seen));
    assert_int_equal(seen.n, 2);
    seen.n = 0;
    assert_ok(f, f->ops->run_list(f->s, &of_vidu, on_run, &seen));
    assert_int_equal(seen.n, 0);
    assert_ok(f, f->ops->run_by_row(f->s, r.row, &back));
    assert_int_equal(back.task, 0);
    assert_string_equal(back.task_id, "");
    back.state = RUN_DONE;
    back.finished_ms = T0 + 5;
    fixture_begin(f);
    assert_ok(f, f->ops->run_update(f->s, &back, &f->err));
    assert_ok(f, f->ops->prune(f->s, T0 + 5, 0, 10, &n, &f->err));
    assert_ok(f, f->ops->run_by_row(f->s, r.row, &back));
    assert_ok(f, f->ops->prune(f->s, T0 + 6, 0, 10, &n, &f->err));
    fixture_commit(f);
    assert_int_equal(f->ops->run_by_row(f->s, r.row, &back), -ENOENT);
    assert_ok(f, f->ops->counts(f->s, &counts));
    assert_int_equal(counts.runs[RUN_DONE], 0);
    assert_int_equal(counts.runs[RUN_READY], 1);
}

static void a_cancelled_chain_can_wait_again(void **state)
{
    struct fixture *f = *state;
    int64_t task = add_number(f, 1);
    int64_t a = add_waiting(f, task, "a", "archive");
    int64_t b = add_waiting(f, task, "b", "a");
    int64_t apart = add_waiting(f, task, "d", "other");
    struct store_run r;

    assert_int_equal(release(f, task, "archive", "success", false), 2);
    assert_int_equal(release(f, task, "other", "success", false), 1);
    fixture_begin(f);
    assert_ok(f, f->ops->run_revive(f->s, task, "archive", "success", T0 + 70, &f->err));
    fixture_commit(f);
    assert_int_equal(state_of(f, a), RUN_WAITING);
    assert_ok(f, f->ops->run_by_row(f->s, b, &r));
    assert_int_equal(r.state, RUN_WAITING);
    assert_int_equal(r.created_ms, T0 + 70);
    assert_int_equal(r.finished_ms, 0);
    assert_string_equal(r.detail, "");
    assert_int_equal(state_of(f, apart), RUN_CANCELLED);
}

static void what_was_running_is_claimed_again_at_once(void **state)
{
    struct fixture *f = *state;
    struct store_run running = run_of(add_number(f, 1), "h", RUN_RUNNING);
    struct store_run dead = run_of(add_number(f, 2), "h", RUN_DEAD);
    struct store_run r;
    int n = -1;

    running.attempt = 3;
    running.due_ms = T0 + 900;
    running.lease_ms = T0 + 1000;
    running.row = add_run(f, &running);
    dead.row = add_run(f, &dead);
    fixture_begin(f);
    assert_ok(f, f->ops->run_reclaim(f->s, T0 + 7, &n, &f->err));
    fixture_commit(f);
    assert_int_equal(n, 1);
    assert_ok(f, f->ops->run_by_row(f->s, running.row, &r));
    assert_int_equal(r.state, RUN_READY);
    assert_int_equal(r.due_ms, T0 + 7);
    assert_int_equal(r.lease_ms, 0);
    assert_int_equal(r.attempt, 3);
    assert_int_equal(r.losses, 1);
    assert_int_equal(state_of(f, dead.row), RUN_DEAD);
}

static void filters_keep_what_they_name(void **state)
{
    struct fixture *f = *state;
    static const struct {
        struct store_filter filter;
        int n;
        int64_t newest;
    } wanted[] = {
        {{.state = -1}, 4, 4},
        {{.state = -1, .limit = 2}, 2, 4},
        {{.state = RUN_DONE}, 2, 4},
        {{.state = RUN_DEAD}, 1, 2},
        {{.state = RUN_WAITING}, 0, 0},
        {{.state = -1, .hook = "a"}, 2, 3},
        {{.state = RUN_DONE, .hook = "a"}, 1, 1},
        {{.state = -1, .task = 2}, 2, 4},
        {{.state = RUN_READY, .task = 2}, 1, 3},
        {{.state = -1, .since_ms = T0 + 1}, 1, 4},
        {{.state = -1, .provider = "nobody"}, 0, 0},
        {{.state = -1, .tag = "album=sea"}, 4, 4},
        {{.state = -1, .tag = "album=lake"}, 0, 0},
    };
    struct store_run r;

    add_number(f, 1);
    add_number(f, 2);
    r = run_of(1, "a", RUN_DONE);
    add_run(f, &r);
    r = run_of(1, "b", RUN_DEAD);
    add_run(f, &r);
    r = run_of(2, "a", RUN_READY);
    add_run(f, &r);
    r = run_of(2, "b", RUN_DONE);
    r.created_ms = T0 + 1;
    add_run(f, &r);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        struct seen seen = {.n = 0};

        assert_ok(f, f->ops->run_list(f->s, &wanted[i].filter, on_run, &seen));
        if (seen.n != wanted[i].n || (seen.n > 0 && seen.rows[0] != wanted[i].newest))
            fail_msg("filter %zu: %d rows, first %lld", i, seen.n, (long long)seen.rows[0]);
    }
}

static void a_run_of_no_task_is_refused(void **state)
{
    struct fixture *f = *state;
    struct store_run r = run_of(42, "a", RUN_READY);
    int64_t row = 0;

    fixture_begin(f);
    assert_int_equal(f->ops->run_insert(f->s, &r, &row, &f->err), -ENOENT);
    fixture_commit(f);
}

#define OPEN(test) cmocka_unit_test_setup_teardown(test, fixture_setup_open, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN(a_run_reads_back_with_the_id_of_its_task),
        OPEN(an_automatic_run_exists_once_and_replays_as_often_as_asked),
        OPEN(a_replay_does_not_stand_for_the_automatic_run),
        OPEN(an_update_writes_the_course_of_a_run),
        OPEN(a_handed_out_run_outlives_other_calls),
        OPEN(due_runs_come_oldest_first),
        OPEN(what_expires_soonest_begins_first_and_hooks_take_turns),
        OPEN(suspects_are_left_out_unless_they_are_wanted),
        OPEN(hooks_that_are_busy_are_left_out),
        OPEN(only_ready_runs_are_due),
        OPEN(the_next_due_time_is_the_least_of_all_hooks),
        OPEN(the_next_due_time_is_the_next_one_after_now),
        OPEN(a_long_queue_of_a_busy_hook_is_not_walked),
        OPEN(the_runs_of_a_hook_for_a_task_keep_their_order),
        OPEN(a_task_with_many_runs_does_not_starve_others),
        OPEN(what_stands_behind_a_run_rests_with_it),
        OPEN(success_releases_the_runs_that_wait_for_it),
        OPEN(failure_cancels_the_whole_chain),
        OPEN(an_end_releases_those_that_wait_for_it_and_cancels_the_others),
        OPEN(what_has_details_may_happen_again),
        OPEN(a_run_may_be_of_no_task),
        OPEN(a_cancelled_chain_can_wait_again),
        OPEN(what_was_running_is_claimed_again_at_once),
        OPEN(filters_keep_what_they_name),
        OPEN(a_run_of_no_task_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
