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

static int add_proven(struct fixture *f, int64_t task, const char *verdict, struct slice nonce,
                      struct slice body)
{
    struct store_event e = {.at_ms = T0,
                            .source = SOURCE_CALLBACK,
                            .verdict = verdict,
                            .state = STATE_QUEUED,
                            .detail = "why",
                            .headers = SLICE_LIT("a:b\n"),
                            .nonce = nonce,
                            .body = body};
    struct store_task t = {.row = task};
    int rc = f->ops->task_by_row(f->s, task, &t);

    return rc < 0 ? rc : f->ops->event_insert(f->s, &t, &e, &f->err);
}

static int add_event(struct fixture *f, int64_t task, const char *verdict, struct slice body)
{
    return add_proven(f, task, verdict, (struct slice){NULL, 0}, body);
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

static void an_event_of_no_task_is_refused(void **state)
{
    struct fixture *f = *state;
    struct store_task t = task_number(1);
    struct store_event e = {.verdict = "accepted", .detail = ""};

    t.row = add_task(f, &t) + 5;
    fixture_begin(f);
    assert_int_equal(f->ops->event_insert(f->s, &t, &e, &f->err), -ENOENT);
    assert_int_equal(t.last_event, 0);
    f->ops->rollback(f->s);
}

static void an_event_writes_its_task_back(void **state)
{
    struct fixture *f = *state;
    struct store_event e = {.verdict = "accepted", .detail = ""};
    struct store_task t, back;
    struct store_counts c;

    assert_ok(f, f->ops->task_by_row(f->s, add_number(f, 1), &t));
    fixture_begin(f);
    t.state = STATE_SUCCESS;
    t.result = "[1]";
    assert_ok(f, f->ops->event_insert(f->s, &t, &e, &f->err));
    fixture_commit(f);
    assert_ok(f, f->ops->task_by_row(f->s, t.row, &back));
    assert_int_equal(back.state, STATE_SUCCESS);
    assert_string_equal(back.result, "[1]");
    assert_int_equal(back.last_event, t.last_event);
    assert_ok(f, f->ops->counts(f->s, &c));
    assert_int_equal(c.tasks[STATE_SUCCESS], 1);
    assert_int_equal(c.tasks[STATE_SUBMITTED], 0);
}

static enum store_nonce seen(struct fixture *f, int64_t task, const char *nonce, const char *body)
{
    struct store_task t;
    enum store_nonce out = NONCE_NEW;

    assert_ok(f, f->ops->task_by_row(f->s, task, &t));
    assert_ok(f, f->ops->event_by_nonce(f->s, &t, slice_str(nonce), slice_str(body), &out));
    return out;
}

static void a_nonce_is_found_in_the_timeline_of_its_task(void **state)
{
    struct fixture *f = *state;
    int64_t task = add_number(f, 1);
    int64_t other = add_number(f, 2);

    assert_int_equal(seen(f, task, "n-1", "{}"), NONCE_NEW);
    fixture_begin(f);
    assert_ok(f, add_proven(f, task, "accepted", SLICE_LIT("n-1"), SLICE_LIT("{}")));
    assert_ok(f, add_event(f, other, "submitted", (struct slice){NULL, 0}));
    assert_int_equal(seen(f, task, "n-1", "{}"), NONCE_SAME); /* before the commit, too */
    assert_ok(f, add_event(f, task, "duplicate", SLICE_LIT("[]")));
    fixture_commit(f);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(seen(f, task, "n-1", "{}"), NONCE_SAME);
    assert_int_equal(seen(f, task, "n-1", "{} "), NONCE_OTHER);
    assert_int_equal(seen(f, task, "n-2", "{}"), NONCE_NEW);
    fixture_begin(f);
    assert_ok(f, add_proven(f, task, "quarantined", SLICE_LIT("n-1"), SLICE_LIT("{} ")));
    fixture_commit(f);
    assert_int_equal(seen(f, task, "n-1", "{}"), NONCE_SAME); /* not the newest alone counts */
    assert_int_equal(seen(f, other, "n-1", "{}"), NONCE_NEW);
}

static void a_nonce_of_a_fixed_address_is_taken_once(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f);
    assert_ok(f, f->ops->nonce_insert(f->s, SLICE_LIT("n-1"), T0, &f->err));
    assert_int_equal(f->ops->nonce_insert(f->s, SLICE_LIT("n-1"), T0, &f->err), -EEXIST);
    assert_ok(f, f->ops->nonce_insert(f->s, SLICE_LIT("n-2"), T0, &f->err));
    fixture_commit(f);
    fixture_close(f);
    fixture_open(f);
    fixture_begin(f);
    assert_int_equal(f->ops->nonce_insert(f->s, SLICE_LIT("n-1"), T0, &f->err), -EEXIST);
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

struct listing {
    int stop_at, n;
    int64_t rows[8];
    char task_ids[8][TASK_ID_SIZE];
};

static int on_listed(const struct store_file *file, void *ctx)
{
    struct listing *l = ctx;

    l->rows[l->n] = file->row;
    snprintf(l->task_ids[l->n], TASK_ID_SIZE, "%s", file->task_id);
    return ++l->n == l->stop_at;
}

static void files_of_all_tasks_are_listed_in_pages(void **state)
{
    struct fixture *f = *state;
    int64_t tasks[2] = {add_number(f, 1), add_number(f, 2)};
    static const char *const paths[] = {"/a", "/b", "/c", "/d", "/e"};
    struct listing l = {.n = 0};
    struct store_task t;

    fixture_begin(f);
    for (int i = 0; i < 5; i++) {
        struct store_file file = {
            .task = tasks[i % 2], .path = paths[i], .kind = "video", .sha256 = "00ff"};

        assert_ok(f, f->ops->file_insert(f->s, &file, &f->err));
    }
    fixture_commit(f);
    assert_ok(f, f->ops->file_all(f->s, 0, 3, on_listed, &l));
    assert_int_equal(l.n, 3);
    assert_ok(f, f->ops->file_all(f->s, l.rows[2], 3, on_listed, &l));
    assert_int_equal(l.n, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(l.rows[i], i + 1);
        assert_ok(f, f->ops->task_by_row(f->s, tasks[i % 2], &t));
        assert_string_equal(l.task_ids[i], t.id);
    }
    l = (struct listing){.stop_at = 2};
    assert_ok(f, f->ops->file_all(f->s, 0, 100, on_listed, &l));
    assert_int_equal(l.n, 2);
}

static void add_stored(struct fixture *f, int64_t task, const char *path, const char *kind,
                       int64_t bytes)
{
    struct store_file file = {
        .task = task, .path = path, .kind = kind, .sha256 = "00ff", .bytes = bytes};

    assert_ok(f, f->ops->file_insert(f->s, &file, &f->err));
}

static int64_t total(struct fixture *f, const char *dir)
{
    int64_t bytes = -1;

    assert_ok(f, f->ops->file_total(f->s, dir, &bytes));
    return bytes;
}

static void a_path_that_is_stored_again_stays_one_row(void **state)
{
    struct fixture *f = *state;
    int64_t task = add_number(f, 1);
    struct listing l = {.n = 0};

    fixture_begin(f);
    add_stored(f, task, "/m/a", "video", 5);
    add_stored(f, task, "/m/a", "video", 7);
    fixture_commit(f);
    assert_ok(f, f->ops->file_list(f->s, task, on_listed, &l));
    assert_int_equal(l.n, 1);
    assert_int_equal(total(f, "/m"), 7);
}

static void the_files_below_a_directory_are_added_up(void **state)
{
    struct fixture *f = *state;
    int64_t task = add_number(f, 1);

    assert_int_equal(total(f, "/m"), 0);
    fixture_begin(f);
    add_stored(f, task, "/m/a", "video", 1);
    add_stored(f, task, "/m/2026-11/b", "cover", 20);
    add_stored(f, task, "/m/2026-11/c", "poster", 400); /* a link of b */
    add_stored(f, task, "/m2/d", "video", 8000);
    add_stored(f, task, "/m", "video", 8000);
    add_stored(f, task, "/n/m/e", "video", 8000);
    fixture_commit(f);
    assert_int_equal(total(f, "/m"), 21);
    fixture_begin(f);
    assert_ok(f, f->ops->file_forget(f->s, "/m/2026-11/b", &f->err));
    fixture_commit(f);
    assert_int_equal(total(f, "/m"), 1);
}

static void the_oldest_files_are_those_of_tasks_that_are_through(void **state)
{
    static const int64_t wanted[] = {1, 3, 4};
    struct fixture *f = *state;
    int64_t tasks[4] = {add_number(f, 1), add_number(f, 2), add_number(f, 3), add_number(f, 4)};
    struct store_run waits = run_of(tasks[3], "h", RUN_WAITING);
    struct store_run done = run_of(tasks[0], "h", RUN_DONE);
    struct listing l = {.n = 0};

    fixture_begin(f);
    add_run(f, &waits);
    add_run(f, &done);
    add_stored(f, tasks[0], "/m/a", "video", 1);
    add_stored(f, tasks[1], "/m/b", "video", 1); /* the one that is downloading */
    add_stored(f, tasks[2], "/m/c", "video", 1);
    add_stored(f, tasks[2], "/m/d", "cover", 1);
    add_stored(f, tasks[3], "/m/e", "video", 1); /* something else is still to be done with it */
    add_stored(f, tasks[2], "/m2/f", "cover", 1);
    fixture_commit(f);
    assert_ok(f, f->ops->file_oldest(f->s, "/m", tasks[1], 100, on_listed, &l));
    assert_int_equal(l.n, ARRAY_LEN(wanted));
    assert_memory_equal(l.rows, wanted, sizeof(wanted));
    l = (struct listing){.n = 0};
    assert_ok(f, f->ops->file_oldest(f->s, "/m", tasks[1], 2, on_listed, &l));
    assert_int_equal(l.n, 2);
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

static bool is_there(struct fixture *f, int64_t row)
{
    struct store_task t;

    return f->ops->task_by_row(f->s, row, &t) == 0;
}

static void pruning_takes_what_is_old_in_steps(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f);
    for (int i = 1; i <= 5; i++)
        add_finished(f, i, T0 + i);
    add_finished(f, 6, 0);
    fixture_commit(f);
    assert_int_equal(prune(f, T0 + 5, 0, 3), 3); /* the oldest first */
    assert_false(is_there(f, 3));
    assert_true(is_there(f, 4));
    assert_int_equal(prune(f, T0 + 5, 0, 3), 1); /* that was the end */
    assert_int_equal(prune(f, T0 + 5, 0, 3), 0);
    assert_true(is_there(f, 5)); /* finished at the limit, not before */
    assert_true(is_there(f, 6)); /* not finished */
}

static void what_cannot_go_yet_is_passed_and_seen_again(void **state)
{
    struct fixture *f = *state;
    struct store_task t;

    fixture_begin(f);
    add_finished(f, 1, 0);
    add_finished(f, 2, T0 + 50);
    add_finished(f, 3, T0 + 3);
    fixture_commit(f);
    assert_int_equal(prune(f, T0 + 40, 0, 2), 2);
    assert_true(is_there(f, 3));
    assert_int_equal(prune(f, T0 + 40, 0, 2), 1); /* goes on where the last step stopped */
    assert_false(is_there(f, 3));
    assert_ok(f, f->ops->task_by_row(f->s, 1, &t));
    t.finished_ms = T0 + 4;
    fixture_begin(f);
    assert_ok(f, f->ops->task_update(f->s, &t, &f->err));
    fixture_commit(f);
    assert_int_equal(prune(f, T0 + 40, 0, 9), 2); /* and begins anew after the end */
    assert_false(is_there(f, 1));
    assert_true(is_there(f, 2));
}

static void a_pruned_task_takes_along_what_hangs_on_it(void **state)
{
    struct fixture *f = *state;
    int64_t task;
    struct store_run done;
    struct store_file file = {.run = 1, .path = "/x", .kind = "video", .sha256 = ""};
    struct store_run run;
    struct store_counts c;

    fixture_begin(f);
    add_finished(f, 2, 0);
    task = add_finished(f, 1, T0);
    assert_ok(f, add_event(f, task, "duplicate", SLICE_LIT("{}")));
    done = run_of(task, "h", RUN_DONE);
    add_run(f, &done);
    file.task = task;
    assert_ok(f, f->ops->file_insert(f->s, &file, &f->err));
    fixture_commit(f);
    assert_int_equal(prune(f, T0 + 2, 0, 10), 1);
    assert_ok(f, f->ops->file_list(f->s, task, on_file, &file)); /* would fail in on_file */
    assert_int_equal(f->ops->run_by_row(f->s, 1, &run), -ENOENT);
    assert_ok(f, f->ops->counts(f->s, &c));
    assert_int_equal(c.runs[RUN_DONE], 0);
    assert_int_equal(c.tasks[STATE_SUCCESS], 0);
    fixture_close(f);
    assert_sqlite(f->path, "SELECT count(*) || ' of ' || min(task) FROM event", "1 of 1");
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
        int64_t older, newer;

        fixture_begin(f);
        older = add_finished(f, 10 + (int)i * 2, T0 + 30);
        r = run_of(older, "h", cases[i].state);
        add_run(f, &r);
        newer = add_finished(f, 11 + (int)i * 2, T0 + 30);
        fixture_commit(f);
        prune(f, T0 + 40, 0, 10);
        assert_int_equal(is_there(f, older), !cases[i].pruned);
        assert_false(is_there(f, newer)); /* nor is it in the way */
    }
}

static void old_nonces_go_and_may_come_again(void **state)
{
    struct fixture *f = *state;
    char nonce[16];

    fixture_begin(f);
    for (int i = 0; i < 5; i++) {
        snprintf(nonce, sizeof(nonce), "n-%d", i);
        assert_ok(f, f->ops->nonce_insert(f->s, slice_str(nonce), T0 + i, &f->err));
    }
    fixture_commit(f);
    assert_int_equal(prune(f, 0, T0 + 3, 2), 2);
    assert_int_equal(prune(f, 0, T0 + 3, 2), 1);
    fixture_begin(f);
    assert_ok(f, f->ops->nonce_insert(f->s, SLICE_LIT("n-0"), T0, &f->err));
    assert_int_equal(f->ops->nonce_insert(f->s, SLICE_LIT("n-3"), T0, &f->err), -EEXIST);
    fixture_commit(f);
}

#define OPEN(test) cmocka_unit_test_setup_teardown(test, fixture_setup_open, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN(the_timeline_reads_back_in_order_and_stops_when_told),
        OPEN(an_event_of_no_task_is_refused),
        OPEN(an_event_writes_its_task_back),
        OPEN(a_nonce_is_found_in_the_timeline_of_its_task),
        OPEN(a_nonce_of_a_fixed_address_is_taken_once),
        OPEN(a_file_reads_back),
        OPEN(files_of_all_tasks_are_listed_in_pages),
        OPEN(a_path_that_is_stored_again_stays_one_row),
        OPEN(the_files_below_a_directory_are_added_up),
        OPEN(the_oldest_files_are_those_of_tasks_that_are_through),
        OPEN(pruning_takes_what_is_old_in_steps),
        OPEN(what_cannot_go_yet_is_passed_and_seen_again),
        OPEN(a_pruned_task_takes_along_what_hangs_on_it),
        OPEN(a_task_whose_runs_are_not_through_stays),
        OPEN(old_nonces_go_and_may_come_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
