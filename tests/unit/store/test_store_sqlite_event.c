/* SPDX-License-Identifier: MIT */
#include "store_fixture.h"

#include <errno.h>

struct timeline {
    int n;
    char text[512];
};

static int on_event(const struct store_event *e, void *ctx)
{
    struct timeline *t = ctx;
    size_t len = strlen(t->text);

    snprintf(t->text + len, sizeof(t->text) - len, "%s%s/%s/%d/%zu/%zu", t->n > 0 ? " " : "",
             e->verdict, e->detail, (int)e->state, e->headers.n, e->body.n);
    return ++t->n == 3;
}

static int add_event(struct fixture *f, int64_t task, const char *verdict, struct slice body)
{
    struct store_event e = {.task = task,
                            .at_ms = T0,
                            .source = SOURCE_CALLBACK,
                            .verdict = verdict,
                            .state = STATE_QUEUED,
                            .detail = "why",
                            .headers = SLICE_LIT("a:b\n"),
                            .body = body};

    return f->ops->event_insert(f->s, &e, &f->err);
}

static void the_timeline_reads_back_in_order_and_stops_when_told(void **state)
{
    struct fixture *f = *state;
    int64_t task = add_number(f, 1);
    int64_t other = add_number(f, 2);
    struct timeline t = {.n = 0};

    fixture_begin(f);
    assert_ok(f, add_event(f, task, "registered", (struct slice){NULL, 0}));
    assert_ok(f, add_event(f, other, "submitted", SLICE_LIT("x")));
    assert_ok(f, add_event(f, task, "accepted", SLICE_LIT("{}\0{}")));
    assert_ok(f, add_event(f, task, "duplicate", SLICE_LIT("{}")));
    assert_ok(f, add_event(f, task, "duplicate", SLICE_LIT("{}")));
    fixture_commit(f);
    assert_ok(f, f->ops->event_list(f->s, task, on_event, &t));
    assert_string_equal(t.text, "registered/why/2/4/0 accepted/why/2/4/5 duplicate/why/2/4/2");
}

static void an_event_of_no_task_is_refused_alone(void **state)
{
    struct fixture *f = *state;
    int64_t task = add_number(f, 1);
    struct timeline t = {.n = 0};

    fixture_begin(f);
    assert_int_equal(add_event(f, task + 5, "accepted", SLICE_LIT("{}")), -ENOENT);
    assert_ok(f, add_event(f, task, "accepted", SLICE_LIT("{}")));
    fixture_commit(f);
    assert_ok(f, f->ops->event_list(f->s, task, on_event, &t));
    assert_int_equal(t.n, 1);
}

static void a_nonce_is_taken_once_for_each_task(void **state)
{
    struct fixture *f = *state;
    int64_t task = add_number(f, 1);
    int64_t other = add_number(f, 2);

    fixture_begin(f);
    assert_ok(f, f->ops->nonce_insert(f->s, SLICE_LIT("n-1"), task, T0, &f->err));
    assert_int_equal(f->ops->nonce_insert(f->s, SLICE_LIT("n-1"), task, T0, &f->err), -EEXIST);
    assert_ok(f, f->ops->nonce_insert(f->s, SLICE_LIT("n-2"), task, T0, &f->err));
    assert_ok(f, f->ops->nonce_insert(f->s, SLICE_LIT("n-1"), other, T0, &f->err));
    fixture_commit(f);
    fixture_close(f);
    fixture_open(f);
    fixture_begin(f);
    assert_int_equal(f->ops->nonce_insert(f->s, SLICE_LIT("n-1"), task, T0, &f->err), -EEXIST);
    fixture_commit(f);
}

static int on_file(const struct store_file *file, void *ctx)
{
    struct store_file *out = ctx;

    assert_string_equal(file->path, "/srv/a.mp4");
    assert_string_equal(file->kind, "video");
    assert_string_equal(file->sha256, "00ff");
    *out = *file;
    return 0;
}

static void a_file_reads_back(void **state)
{
    struct fixture *f = *state;
    struct store_file file = {.task = add_number(f, 1),
                              .run = 7,
                              .path = "/srv/a.mp4",
                              .kind = "video",
                              .sha256 = "00ff",
                              .bytes = INT64_C(1) << 40,
                              .created_ms = T0};
    struct store_file back = {.row = 0};

    fixture_begin(f);
    assert_ok(f, f->ops->file_insert(f->s, &file, &f->err));
    fixture_commit(f);
    assert_ok(f, f->ops->file_list(f->s, file.task, on_file, &back));
    assert_int_equal(back.row, 1);
    assert_int_equal(back.task, file.task);
    assert_int_equal(back.run, 7);
    assert_int_equal(back.bytes, file.bytes);
    assert_int_equal(back.created_ms, T0);
}

static int64_t add_finished(struct fixture *f, int n, int64_t finished_ms)
{
    struct store_task t = task_number(n);
    int64_t row;

    t.finished_ms = finished_ms;
    t.state = finished_ms > 0 ? STATE_SUCCESS : STATE_PROCESSING;
    row = add_task(f, &t);
    assert_ok(f, add_event(f, row, "accepted", SLICE_LIT("{}")));
    return row;
}

static int prune(struct fixture *f, int64_t tasks_before, int64_t nonces_before, int limit)
{
    int n = -1;

    fixture_begin(f);
    assert_ok(f, f->ops->prune(f->s, tasks_before, nonces_before, limit, &n, &f->err));
    fixture_commit(f);
    return n;
}

static void pruning_takes_what_is_old_in_steps(void **state)
{
    struct fixture *f = *state;
    struct store_task t;

    fixture_begin(f);
    for (int i = 1; i <= 5; i++)
        add_finished(f, i, T0 + i);
    add_finished(f, 6, 0);
    fixture_commit(f);
    assert_int_equal(prune(f, T0 + 5, 0, 3), 3); /* the oldest first */
    assert_int_equal(f->ops->task_by_row(f->s, 3, &t), -ENOENT);
    assert_ok(f, f->ops->task_by_row(f->s, 4, &t));
    assert_int_equal(prune(f, T0 + 5, 0, 3), 1);
    assert_int_equal(prune(f, T0 + 5, 0, 3), 0);
    assert_ok(f, f->ops->task_by_row(f->s, 5, &t)); /* finished at the limit, not before */
    assert_ok(f, f->ops->task_by_row(f->s, 6, &t)); /* not finished */
}

static void a_pruned_task_takes_along_what_hangs_on_it(void **state)
{
    struct fixture *f = *state;
    int64_t task;
    struct store_run done;
    struct store_file file = {.run = 1, .path = "/x", .kind = "video", .sha256 = ""};
    struct timeline t = {.n = 0};
    struct store_run run;
    struct store_counts c;

    fixture_begin(f);
    task = add_finished(f, 1, T0);
    done = run_of(task, "h", RUN_DONE);
    add_run(f, &done);
    file.task = task;
    assert_ok(f, f->ops->file_insert(f->s, &file, &f->err));
    fixture_commit(f);
    assert_int_equal(prune(f, T0 + 1, 0, 10), 1);
    assert_ok(f, f->ops->event_list(f->s, task, on_event, &t));
    assert_int_equal(t.n, 0);
    assert_ok(f, f->ops->file_list(f->s, task, on_file, &t)); /* would fail in on_file */
    assert_int_equal(f->ops->run_by_row(f->s, 1, &run), -ENOENT);
    assert_ok(f, f->ops->counts(f->s, &c));
    assert_int_equal(c.runs[RUN_DONE], 0);
    assert_int_equal(c.tasks[STATE_SUCCESS], 0);
}

static void a_task_whose_runs_are_not_through_stays(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum run_state state;
        int pruned;
    } cases[] = {{RUN_WAITING, 0}, {RUN_READY, 0}, {RUN_RUNNING, 0},
                 {RUN_DONE, 1},    {RUN_DEAD, 1},  {RUN_CANCELLED, 1}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct store_run r;
        int64_t newer;
        struct store_task t;

        fixture_begin(f);
        r = run_of(add_finished(f, 10 + (int)i * 2, T0), "h", cases[i].state);
        add_run(f, &r);
        newer = add_finished(f, 11 + (int)i * 2, T0 + 1);
        fixture_commit(f);
        assert_int_equal(prune(f, T0 + 10, 0, 10), cases[i].pruned + 1); /* nor is it in the way */
        assert_int_equal(f->ops->task_by_row(f->s, newer, &t), -ENOENT);
    }
}

static void old_nonces_go_and_may_come_again(void **state)
{
    struct fixture *f = *state;
    int64_t task = add_number(f, 1);
    char nonce[16];

    fixture_begin(f);
    for (int i = 0; i < 5; i++) {
        snprintf(nonce, sizeof(nonce), "n-%d", i);
        assert_ok(f, f->ops->nonce_insert(f->s, slice_str(nonce), task, T0 + i, &f->err));
    }
    fixture_commit(f);
    assert_int_equal(prune(f, 0, T0 + 3, 2), 2);
    assert_int_equal(prune(f, 0, T0 + 3, 2), 1);
    fixture_begin(f);
    assert_ok(f, f->ops->nonce_insert(f->s, SLICE_LIT("n-0"), task, T0, &f->err));
    assert_int_equal(f->ops->nonce_insert(f->s, SLICE_LIT("n-3"), task, T0, &f->err), -EEXIST);
    fixture_commit(f);
}

#define OPEN(test) cmocka_unit_test_setup_teardown(test, fixture_setup_open, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN(the_timeline_reads_back_in_order_and_stops_when_told),
        OPEN(an_event_of_no_task_is_refused_alone),
        OPEN(a_nonce_is_taken_once_for_each_task),
        OPEN(a_file_reads_back),
        OPEN(pruning_takes_what_is_old_in_steps),
        OPEN(a_pruned_task_takes_along_what_hangs_on_it),
        OPEN(a_task_whose_runs_are_not_through_stays),
        OPEN(old_nonces_go_and_may_come_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
