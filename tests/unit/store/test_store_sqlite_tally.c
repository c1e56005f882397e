/* SPDX-License-Identifier: MIT */
#include "store_fixture.h"

#include <signal.h>
#include <sys/wait.h>

static struct store_counts counts(struct fixture *f)
{
    struct store_counts c;

    assert_ok(f, f->ops->counts(f->s, &c));
    return c;
}

static void assert_counts(struct fixture *f, enum task_state ts, int64_t tasks, enum run_state rs,
                          int64_t runs)
{
    struct store_counts c = counts(f);

    assert_int_equal(c.tasks[ts], tasks);
    assert_int_equal(c.runs[rs], runs);
}

/* Two tasks (one ends in success), three runs (one done, one cancelled, one ready). */
static void change_things(struct fixture *f)
{
    struct store_task t = task_number(1);
    struct store_run r;
    int n = 0;

    fixture_begin(f);
    t.row = add_task(f, &t);
    add_number(f, 2);
    t = task_number(1);
    t.row = 1;
    t.state = STATE_SUCCESS;
    assert_ok(f, f->ops->task_update(f->s, &t, &f->err));
    r = run_of(1, "a", RUN_READY);
    r.row = add_run(f, &r);
    r.state = RUN_DONE;
    assert_ok(f, f->ops->run_update(f->s, &r, &f->err));
    r = run_of(1, "b", RUN_WAITING);
    r.after = "x";
    add_run(f, &r);
    assert_ok(f, f->ops->run_release(f->s, 1, "x", "success", false, T0, &n, &f->err));
    r = run_of(1, "c", RUN_RUNNING);
    add_run(f, &r);
    assert_ok(f, f->ops->run_reclaim(f->s, T0, &n, &f->err));
    fixture_commit(f);
}

static void assert_changed(struct fixture *f)
{
    assert_counts(f, STATE_SUBMITTED, 1, RUN_DONE, 1);
    assert_counts(f, STATE_SUCCESS, 1, RUN_CANCELLED, 1);
    assert_counts(f, STATE_QUEUED, 0, RUN_READY, 1);
    assert_counts(f, STATE_QUEUED, 0, RUN_WAITING, 0);
    assert_counts(f, STATE_QUEUED, 0, RUN_RUNNING, 0);
}

static void counts_follow_every_change(void **state)
{
    struct fixture *f = *state;
    struct store_counts c;

    change_things(f);
    assert_changed(f);
    c = counts(f);
    assert_true(c.bytes >= 4096);
    assert_true(c.wal_bytes > 0);
}

static void set_state(struct fixture *f, struct store_run *r, enum run_state state)
{
    r->state = state;
    assert_ok(f, f->ops->run_update(f->s, r, &f->err));
}

/* What was read of a run is what the counts are moved from, and only as long as it is so. */
static void counts_follow_a_run_that_was_read(void **state)
{
    struct fixture *f = *state;
    struct store_run r = run_of(1, "a", RUN_READY);
    int n = 0;

    fixture_begin(f);
    add_number(f, 1);
    r.row = add_run(f, &r);
    assert_ok(f, f->ops->run_by_row(f->s, r.row, &r));
    set_state(f, &r, RUN_RUNNING);
    set_state(f, &r, RUN_DONE); /* not read in between */
    assert_counts(f, STATE_QUEUED, 0, RUN_RUNNING, 0);
    assert_counts(f, STATE_QUEUED, 0, RUN_DONE, 1);
    set_state(f, &r, RUN_RUNNING);
    assert_ok(f, f->ops->run_by_row(f->s, r.row, &r));
    assert_ok(f, f->ops->run_reclaim(f->s, T0, &n, &f->err));
    set_state(f, &r, RUN_DEAD);
    assert_counts(f, STATE_QUEUED, 0, RUN_READY, 0);
    assert_counts(f, STATE_QUEUED, 0, RUN_RUNNING, 0);
    fixture_commit(f);
    fixture_begin(f);
    set_state(f, &r, RUN_RUNNING);
    assert_ok(f, f->ops->run_by_row(f->s, r.row, &r));
    f->ops->rollback(f->s);
    fixture_begin(f);
    set_state(f, &r, RUN_DONE);
    assert_counts(f, STATE_QUEUED, 0, RUN_DEAD, 0);
    assert_counts(f, STATE_QUEUED, 0, RUN_DONE, 1);
    fixture_commit(f);
}

/* What was read is no longer so when others have changed it since. */
static void counts_follow_a_run_that_was_changed_by_its_forerunner(void **state)
{
    struct fixture *f = *state;
    struct store_run r = run_of(1, "b", RUN_WAITING);
    int n = 0;

    fixture_begin(f);
    add_number(f, 1);
    r.after = "a";
    r.row = add_run(f, &r);
    assert_ok(f, f->ops->run_by_row(f->s, r.row, &r));
    assert_ok(f, f->ops->run_release(f->s, 1, "a", "success", false, T0, &n, &f->err));
    assert_int_equal(n, 1);
    set_state(f, &r, RUN_CANCELLED);
    assert_counts(f, STATE_QUEUED, 0, RUN_WAITING, 0);
    assert_counts(f, STATE_QUEUED, 0, RUN_CANCELLED, 1);
    assert_ok(f, f->ops->run_by_row(f->s, r.row, &r));
    assert_ok(f, f->ops->run_revive(f->s, 1, "a", "success", T0, &f->err));
    set_state(f, &r, RUN_DONE);
    assert_counts(f, STATE_QUEUED, 0, RUN_WAITING, 0);
    assert_counts(f, STATE_QUEUED, 0, RUN_CANCELLED, 0);
    fixture_commit(f);
}

/* Rows are used again. */
static void counts_do_not_follow_a_run_that_is_gone(void **state)
{
    struct fixture *f = *state;
    struct store_run r = run_of(0, "a", RUN_DONE);
    int64_t row;
    int n = 0;

    fixture_begin(f);
    r.finished_ms = T0;
    row = r.row = add_run(f, &r);
    assert_ok(f, f->ops->run_by_row(f->s, row, &r));
    assert_ok(f, f->ops->prune(f->s, T0 + 1, 0, 10, &n, &f->err));
    assert_int_equal(n, 1);
    r = run_of(0, "a", RUN_READY);
    r.row = add_run(f, &r);
    assert_int_equal(r.row, row);
    set_state(f, &r, RUN_DEAD);
    assert_counts(f, STATE_QUEUED, 0, RUN_READY, 0);
    assert_counts(f, STATE_QUEUED, 0, RUN_DONE, 0);
    fixture_commit(f);
}

static void a_rollback_takes_the_counts_back(void **state)
{
    struct fixture *f = *state;

    add_number(f, 1);
    fixture_begin(f);
    add_number(f, 2);
    assert_counts(f, STATE_SUBMITTED, 2, RUN_READY, 0);
    f->ops->rollback(f->s);
    assert_counts(f, STATE_SUBMITTED, 1, RUN_READY, 0);
    f->ops->rollback(f->s); /* without a transaction: nothing */
    assert_counts(f, STATE_SUBMITTED, 1, RUN_READY, 0);
}

static void counts_survive_a_clean_end(void **state)
{
    struct fixture *f = *state;

    change_things(f);
    fixture_close(f);
    fixture_open(f);
    assert_changed(f);
    fixture_close(f);
    fixture_open(f); /* and are not added twice */
    assert_changed(f);
}

static void counts_are_taken_anew_after_a_crash(void **state)
{
    struct fixture *f = *state;
    int status = 0;
    pid_t pid;

    add_number(f, 9); /* saved at this clean end, and wrong afterwards */
    fixture_close(f);
    pid = fork();
    if (pid == 0) {
        fixture_open(f);
        change_things(f);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    fixture_open(f);
    assert_counts(f, STATE_SUBMITTED, 2, RUN_DONE, 1);
    assert_counts(f, STATE_SUCCESS, 1, RUN_CANCELLED, 1);
}

#define OPEN(test) cmocka_unit_test_setup_teardown(test, fixture_setup_open, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN(counts_follow_every_change),
        OPEN(counts_follow_a_run_that_was_read),
        OPEN(counts_follow_a_run_that_was_changed_by_its_forerunner),
        OPEN(counts_do_not_follow_a_run_that_is_gone),
        OPEN(a_rollback_takes_the_counts_back),
        OPEN(counts_survive_a_clean_end),
        OPEN(counts_are_taken_anew_after_a_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
