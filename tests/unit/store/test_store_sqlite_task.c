/* SPDX-License-Identifier: MIT */
#include "store_fixture.h"

#include <errno.h>

struct seen {
    int n, stop_after;
    int64_t rows[64];
};

static int on_task(const struct store_task *t, void *ctx)
{
    struct seen *seen = ctx;

    seen->rows[seen->n++] = t->row;
    return seen->n == seen->stop_after;
}

static struct seen list(struct fixture *f, struct store_filter filter)
{
    struct seen seen = {.n = 0};

    assert_ok(f, f->ops->task_list(f->s, &filter, on_task, &seen));
    return seen;
}

static void assert_same_task(const struct store_task *a, const struct store_task *b)
{
    const char *const texts[][2] = {
        {a->id, b->id},
        {a->provider, b->provider},
        {a->endpoint, b->endpoint},
        {a->model, b->model},
        {a->prompt, b->prompt},
        {a->payload, b->payload},
        {a->remote_id, b->remote_id},
        {a->callback_path, b->callback_path},
        {a->callback_query, b->callback_query},
        {a->request, b->request},
        {a->tags, b->tags},
        {a->forward_url, b->forward_url},
        {a->result, b->result},
        {a->err_code, b->err_code},
        {a->err_msg, b->err_msg},
        {a->trace_id, b->trace_id},
    };
    const int64_t numbers[][2] = {
        {a->state, b->state},
        {a->source, b->source},
        {a->pending, b->pending},
        {a->credits, b->credits},
        {a->off_peak, b->off_peak},
        {a->expects_callback, b->expects_callback},
        {a->created_ms, b->created_ms},
        {a->updated_ms, b->updated_ms},
        {a->finished_ms, b->finished_ms},
        {a->next_look_ms, b->next_look_ms},
        {a->looks, b->looks},
        {a->n_events, b->n_events},
        {a->misses, b->misses},
        {a->adopted, b->adopted},
        {a->missed_ms, b->missed_ms},
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_string_equal(texts[i][0], texts[i][1]);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (numbers[i][0] != numbers[i][1])
            fail_msg("number %zu: %lld and %lld", i, (long long)numbers[i][0],
                     (long long)numbers[i][1]);
    assert_int_equal(a->key_hash.n, b->key_hash.n);
    assert_memory_equal(a->key_hash.p, b->key_hash.p, a->key_hash.n);
}

/* Every field with a value of its own, so that two of them in the wrong order show. */
static struct store_task task_of_distinct_fields(void)
{
    struct store_task t = task_number(1);

    t.provider = "provider";
    t.endpoint = "endpoint";
    t.model = "model";
    t.prompt = "prompt";
    t.payload = "payload";
    t.callback_path = "path";
    t.callback_query = "query";
    t.request = "request";
    t.tags = "{}";
    t.forward_url = "forward";
    t.result = "result";
    t.err_code = "code";
    t.err_msg = "msg";
    t.trace_id = "trace";
    t.state = STATE_PROCESSING;
    t.source = SOURCE_POLL;
    t.pending = STATE_SUCCESS;
    t.credits = 40;
    t.off_peak = true;
    t.expects_callback = false;
    t.created_ms = 11;
    t.updated_ms = 12;
    t.finished_ms = 13;
    t.next_look_ms = 14;
    t.looks = 15;
    t.n_events = 16;
    t.misses = 17;
    t.adopted = true;
    t.missed_ms = 18;
    return t;
}

static void a_task_is_found_by_every_name_it_has(void **state)
{
    struct fixture *f = *state;
    struct store_task t = task_of_distinct_fields();
    struct store_task back;

    t.row = add_task(f, &t);
    assert_ok(f, f->ops->task_by_row(f->s, t.row, &back));
    assert_same_task(&t, &back);
    assert_ok(f, f->ops->task_by_id(f->s, t.id, &back));
    assert_same_task(&t, &back);
    assert_ok(f, f->ops->task_by_remote(f->s, "provider", t.remote_id, &back));
    assert_same_task(&t, &back);
    assert_int_equal(back.row, t.row);
    assert_ok(f, f->ops->task_by_key(f->s, (const uint8_t *)t.key_hash.p, &back));
    t.prompt = t.request = t.payload = "";
    assert_same_task(&t, &back);
}

/* What was handed out is compared with what is written, as long as the two belong together. */
static void every_update_of_a_task_that_was_read_once_counts(void **state)
{
    struct fixture *f = *state;
    struct store_task t = task_of_distinct_fields();
    struct store_task back;

    t.row = add_task(f, &t);
    assert_ok(f, f->ops->begin(f->s, &f->err));
    assert_ok(f, f->ops->task_by_row(f->s, t.row, &back));
    back.state = STATE_SUCCESS;
    assert_ok(f, f->ops->task_update(f->s, &back, &f->err));
    back.state = STATE_PROCESSING;
    back.remote_id = "r-new";
    assert_ok(f, f->ops->task_update(f->s, &back, &f->err));
    assert_ok(f, f->ops->commit(f->s, &f->err));
    assert_ok(f, f->ops->task_by_remote(f->s, "provider", "r-new", &back));
    assert_int_equal(back.state, STATE_PROCESSING);
}

static void an_update_that_was_rolled_back_can_be_made_again(void **state)
{
    struct fixture *f = *state;
    struct store_task t = task_of_distinct_fields();
    struct store_task back;

    t.row = add_task(f, &t);
    assert_ok(f, f->ops->task_by_row(f->s, t.row, &back));
    back.state = STATE_SUCCESS;
    assert_ok(f, f->ops->begin(f->s, &f->err));
    assert_ok(f, f->ops->task_update(f->s, &back, &f->err));
    f->ops->rollback(f->s);
    assert_ok(f, f->ops->begin(f->s, &f->err));
    assert_ok(f, f->ops->task_update(f->s, &back, &f->err));
    assert_ok(f, f->ops->commit(f->s, &f->err));
    assert_ok(f, f->ops->task_by_row(f->s, t.row, &back));
    assert_int_equal(back.state, STATE_SUCCESS);
}

static void an_unknown_task_is_enoent(void **state)
{
    struct fixture *f = *state;
    uint8_t hash[SHA256_LEN] = {0};
    struct store_task t;

    add_number(f, 1);
    assert_int_equal(f->ops->task_by_row(f->s, 99, &t), -ENOENT);
    assert_int_equal(f->ops->task_by_id(f->s, "t00000000000", &t), -ENOENT);
    assert_int_equal(f->ops->task_by_key(f->s, hash, &t), -ENOENT);
    assert_int_equal(f->ops->task_by_remote(f->s, "other", "r000001", &t), -ENOENT);
    assert_int_equal(f->ops->task_by_prefix(f->s, "x", &t), -ENOENT);
    assert_int_equal(f->ops->task_by_prefix(f->s, "", &t), -ENOENT);
}

static void tasks_without_key_or_remote_id_do_not_collide(void **state)
{
    struct fixture *f = *state;
    struct store_task found;

    for (int i = 1; i <= 2; i++) {
        struct store_task t = task_number(i);

        t.key_hash = (struct slice){NULL, 0};
        t.remote_id = NULL;
        t.prompt = NULL;
        add_task(f, &t);
    }
    assert_int_equal(f->ops->task_by_remote(f->s, "vidu", "", &found), -ENOENT);
    assert_ok(f, f->ops->task_by_id(f->s, "t000000000002", &found));
    assert_int_equal(found.key_hash.n, 0);
    assert_string_equal(found.remote_id, "");
    assert_string_equal(found.prompt, "");
}

static void a_second_task_of_the_same_id_or_key_is_refused(void **state)
{
    struct fixture *f = *state;
    struct store_task same_id = task_number(1);
    struct store_task same_key = task_number(1);
    int64_t row = 0;

    add_number(f, 1);
    same_id.key_hash = (struct slice){NULL, 0};
    snprintf(same_key.id, sizeof(same_key.id), "tother");
    fixture_begin(f);
    assert_int_equal(f->ops->task_insert(f->s, &same_id, &row, &f->err), -EEXIST);
    assert_int_equal(f->ops->task_insert(f->s, &same_key, &row, &f->err), -EEXIST);
    assert_int_equal(row, 0);
    add_number(f, 2); /* a refusal does not spoil the transaction */
    fixture_commit(f);
    assert_int_equal(list(f, (struct store_filter){.state = -1}).n, 2);
}

static void a_handed_out_task_outlives_other_calls(void **state)
{
    struct fixture *f = *state;
    struct store_task before = task_number(1);
    struct store_task t;
    struct seen seen = {.n = 0};
    char prompt[9000];

    memset(prompt, 'x', sizeof(prompt) - 1);
    prompt[sizeof(prompt) - 1] = '\0';
    before.prompt = prompt;
    before.row = add_task(f, &before);
    assert_ok(f, f->ops->task_by_row(f->s, before.row, &t));
    add_number(f, 2);
    before.remote_id = "r000001";
    crypto_sha256(before.id, TASK_ID_LEN, (uint8_t *)(uintptr_t)before.key_hash.p);
    assert_ok(f, f->ops->task_list(f->s, &(struct store_filter){.state = -1}, on_task, &seen));
    fixture_begin(f);
    assert_ok(f, f->ops->task_update(f->s, &t, &f->err));
    fixture_commit(f);
    assert_same_task(&before, &t);
}

static void an_update_writes_what_may_change(void **state)
{
    struct fixture *f = *state;
    struct store_task all = task_of_distinct_fields();
    struct store_task t = task_number(1);
    struct store_task back;

    all.row = add_task(f, &t);
    fixture_begin(f);
    assert_ok(f, f->ops->task_update(f->s, &all, &f->err));
    fixture_commit(f);
    assert_ok(f, f->ops->task_by_row(f->s, all.row, &back));
    all.provider = t.provider;
    all.created_ms = t.created_ms;
    all.prompt = t.prompt;
    all.payload = t.payload;
    all.request = t.request;
    assert_same_task(&all, &back);
}

/* Each of the three statements behind task_update has to write the same. */
static void an_update_of_little_writes_as_much_as_one_of_everything(void **state)
{
    struct fixture *f = *state;
    struct store_task t = task_number(1);
    struct store_task back;

    t.row = add_task(f, &t);
    fixture_begin(f);
    t.looks = 3;
    t.err_msg = "later";
    assert_ok(f, f->ops->task_update(f->s, &t, &f->err));
    assert_ok(f, f->ops->task_by_row(f->s, t.row, &back));
    assert_same_task(&t, &back);
    t.next_look_ms = T0 + 5;
    t.trace_id = "abc";
    assert_ok(f, f->ops->task_update(f->s, &t, &f->err));
    assert_ok(f, f->ops->task_by_row(f->s, t.row, &back));
    assert_same_task(&t, &back);
    t.remote_id = "other";
    t.result = "[]";
    assert_ok(f, f->ops->task_update(f->s, &t, &f->err));
    fixture_commit(f);
    assert_ok(f, f->ops->task_by_remote(f->s, "vidu", "other", &back));
    assert_same_task(&t, &back);
    assert_int_equal(f->ops->task_by_remote(f->s, "vidu", "r000001", &back), -ENOENT);
}

static void an_update_of_no_task_is_enoent(void **state)
{
    struct fixture *f = *state;
    struct store_task t = task_number(1);

    t.row = 77;
    fixture_begin(f);
    assert_int_equal(f->ops->task_update(f->s, &t, &f->err), -ENOENT);
    fixture_commit(f);
}

static void the_newest_of_two_tasks_with_one_remote_id_is_found(void **state)
{
    struct fixture *f = *state;
    struct store_task a = task_number(1);
    struct store_task b;
    struct store_task found;
    int64_t newest;

    a.remote_id = "same";
    add_task(f, &a);
    b = task_number(2);
    b.remote_id = "same";
    newest = add_task(f, &b);
    assert_ok(f, f->ops->task_by_remote(f->s, "vidu", "same", &found));
    assert_int_equal(found.row, newest);
}

static int64_t add_named(struct fixture *f, int n, const char *id, const char *provider,
                         const char *remote_id)
{
    struct store_task t = task_number(n);

    snprintf(t.id, sizeof(t.id), "%s", id);
    t.provider = provider;
    t.remote_id = remote_id;
    return add_task(f, &t);
}

static void a_prefix_names_one_task_or_none(void **state)
{
    struct fixture *f = *state;
    int64_t first = add_named(f, 1, "tabcdefghijkl", "vidu", "100");
    int64_t second = add_named(f, 2, "tabxyzxyzxyzx", "vidu", "1001");
    int64_t third = add_named(f, 3, "tzzzzzzzzzzzz", "octopusx", "200");
    struct store_task t;

    assert_int_equal(f->ops->task_by_prefix(f->s, "tab", &t), -ENOTUNIQ);
    assert_ok(f, f->ops->task_by_prefix(f->s, "tabc", &t));
    assert_int_equal(t.row, first);
    assert_ok(f, f->ops->task_by_prefix(f->s, "tabxyzxyzxyzx", &t));
    assert_int_equal(t.row, second);
    assert_ok(f, f->ops->task_by_prefix(f->s, "20", &t));
    assert_int_equal(t.row, third);
    assert_int_equal(f->ops->task_by_prefix(f->s, "10", &t), -ENOTUNIQ);
    assert_ok(f, f->ops->task_by_prefix(f->s, "100", &t)); /* exact, though 1001 begins so */
    assert_int_equal(t.row, first);
    add_named(f, 4, "tyyyyyyyyyyyy", "vidu", "200");
    assert_int_equal(f->ops->task_by_prefix(f->s, "200", &t), -ENOTUNIQ);
    assert_int_equal(f->ops->task_by_prefix(f->s, "%", &t), -ENOENT);
}

static void lists_are_newest_first_and_limited(void **state)
{
    struct fixture *f = *state;
    struct seen seen = {.n = 0, .stop_after = 2};

    for (int i = 1; i <= 5; i++)
        add_number(f, i);
    assert_ok(f, f->ops->task_list(f->s, &(struct store_filter){.state = -1}, on_task, &seen));
    assert_int_equal(seen.n, 2); /* stopped by the callback */
    seen = list(f, (struct store_filter){.state = -1, .limit = 3});
    assert_int_equal(seen.n, 3);
    assert_int_equal(seen.rows[0], 5);
    assert_int_equal(seen.rows[2], 3);
}

static int count_task(const struct store_task *t, void *ctx)
{
    (void)t;
    ++*(int *)ctx;
    return 0;
}

static void a_list_without_a_limit_ends_at_a_hundred(void **state)
{
    struct fixture *f = *state;
    struct store_filter filter = {.state = -1};
    int n = 0;

    fixture_begin(f);
    for (int i = 0; i < 101; i++)
        add_number(f, i);
    fixture_commit(f);
    assert_ok(f, f->ops->task_list(f->s, &filter, count_task, &n));
    assert_int_equal(n, 100);
    n = 0;
    filter.limit = 200;
    assert_ok(f, f->ops->task_list(f->s, &filter, count_task, &n));
    assert_int_equal(n, 101);
}

static void filters_keep_what_they_name(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum task_state state;
        const char *provider, *tags;
    } rows[] = {
        {STATE_SUCCESS, "vidu", "{\"album\":\"sea\"}"},
        {STATE_FAILED, "vidu", "{\"album\":\"sea\",\"who\":\"me\"}"},
        {STATE_PROCESSING, "octopusx", "{\"who\":\"album\"}"},
        {STATE_LOST, "octopusx", "not json, but album"},
        {STATE_SUCCESS, "octopusx", "{}"},
    };
    static const struct {
        struct store_filter filter;
        int n;
        int64_t newest;
    } wanted[] = {
        {{.state = STATE_SUCCESS}, 2, 5},
        {{.state = STATE_FAILED}, 1, 2},
        {{.state = STATE_PROCESSING}, 1, 3},
        {{.state = STATE_LOST}, 1, 4},
        {{.state = STATE_QUEUED}, 0, 0},
        {{.state = STATE_REJECTED}, 0, 0},
        {{.state = -1, .provider = "vidu"}, 2, 2},
        {{.state = STATE_SUCCESS, .provider = "octopusx"}, 1, 5},
        {{.state = -1, .tag = "album"}, 2, 2},
        {{.state = -1, .tag = "album=sea"}, 2, 2},
        {{.state = -1, .tag = "album=se"}, 0, 0},
        {{.state = -1, .tag = "who=me"}, 1, 2},
        {{.state = -1, .tag = "album="}, 0, 0},
        {{.state = STATE_FAILED, .tag = "album"}, 1, 2},
        {{.state = -1, .since_ms = T0 + 4}, 2, 5},
        {{.state = STATE_SUCCESS, .since_ms = T0 + 4}, 1, 5},
        {{.state = -1, .task = 3}, 1, 3},
        {{.state = 99}, 0, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct store_task t = task_number((int)i + 1);

        t.state = rows[i].state;
        t.provider = rows[i].provider;
        t.tags = rows[i].tags;
        add_task(f, &t);
    }
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        struct seen seen = list(f, wanted[i].filter);

        if (seen.n != wanted[i].n || (seen.n > 0 && seen.rows[0] != wanted[i].newest))
            fail_msg("filter %zu: %d rows, first %lld", i, seen.n, (long long)seen.rows[0]);
    }
}

static void looks_come_soonest_first_and_only_when_due(void **state)
{
    struct fixture *f = *state;
    const int64_t at[] = {T0 + 30, 0, T0 + 10, T0 + 20, T0 + 1000};
    struct seen seen = {.n = 0};

    assert_int_equal(f->ops->task_next_look(f->s), 0);
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        struct store_task t = task_number((int)i + 1);

        t.next_look_ms = at[i];
        add_task(f, &t);
    }
    assert_int_equal(f->ops->task_next_look(f->s), T0 + 10);
    assert_ok(f, f->ops->task_looks(f->s, T0 + 30, 10, on_task, &seen));
    assert_int_equal(seen.n, 3);
    assert_int_equal(seen.rows[0], 3);
    assert_int_equal(seen.rows[1], 4);
    assert_int_equal(seen.rows[2], 1);
    seen.n = 0;
    assert_ok(f, f->ops->task_looks(f->s, T0 + 30, 2, on_task, &seen));
    assert_int_equal(seen.n, 2);
}

static void a_sweep_makes_every_planned_look_due_once_step_by_step(void **state)
{
    struct fixture *f = *state;
    const int64_t at[] = {T0 + 3000, 0, T0 - 10, T0 + 30, T0 + 40, T0 + 50};
    struct store_sweep sweep = {.n = 0};
    struct store_task late;
    struct seen seen = {.n = 0};

    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        struct store_task t = task_number((int)i + 1);

        t.next_look_ms = at[i];
        add_task(f, &t);
    }
    fixture_begin(f);
    assert_ok(f, f->ops->task_sweep(f->s, &sweep, T0, 2, &f->err));
    assert_true(sweep.n == 2 && !sweep.over); /* the oldest: 1 and 4 */
    fixture_commit(f);
    assert_ok(f, f->ops->task_looks(f->s, T0, 10, on_task, &seen));
    assert_int_equal(seen.n, 3);
    assert_int_equal(seen.rows[0], 3);
    late = task_number(7);
    late.next_look_ms = T0 + 60; /* not there when the sweep began */
    add_task(f, &late);
    fixture_begin(f);
    assert_ok(f, f->ops->task_sweep(f->s, &sweep, T0, 2, &f->err));
    assert_true(sweep.n == 2 && !sweep.over);
    assert_ok(f, f->ops->task_sweep(f->s, &sweep, T0, 2, &f->err));
    assert_true(sweep.n == 0 && sweep.over);
    fixture_commit(f);
    seen.n = 0;
    assert_ok(f, f->ops->task_looks(f->s, T0, 10, on_task, &seen));
    assert_int_equal(seen.n, 5);
}

/* The keeper answers nobody while it searches. */
static void a_step_of_a_sweep_passes_so_many_tasks_and_no_more(void **state)
{
    enum { TASKS = 5000 };
    struct fixture *f = *state;
    struct store_sweep sweep = {.n = 0};

    fixture_begin(f);
    for (int i = 1; i <= TASKS; i++) {
        struct store_task t = task_number(i);

        t.next_look_ms = i == TASKS ? T0 + 30 : 0;
        assert_ok(f, f->ops->task_insert(f->s, &t, &t.row, &f->err));
    }
    assert_ok(f, f->ops->task_sweep(f->s, &sweep, T0, 2, &f->err));
    assert_true(sweep.n == 0 && !sweep.over && sweep.at < TASKS);
    assert_ok(f, f->ops->task_sweep(f->s, &sweep, T0, 2, &f->err));
    assert_true(sweep.n == 1 && sweep.over);
    fixture_commit(f);
}

#define OPEN(test) cmocka_unit_test_setup_teardown(test, fixture_setup_open, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN(a_task_is_found_by_every_name_it_has),
        OPEN(every_update_of_a_task_that_was_read_once_counts),
        OPEN(an_update_that_was_rolled_back_can_be_made_again),
        OPEN(an_unknown_task_is_enoent),
        OPEN(tasks_without_key_or_remote_id_do_not_collide),
        OPEN(a_second_task_of_the_same_id_or_key_is_refused),
        OPEN(a_handed_out_task_outlives_other_calls),
        OPEN(an_update_writes_what_may_change),
        OPEN(an_update_of_little_writes_as_much_as_one_of_everything),
        OPEN(an_update_of_no_task_is_enoent),
        OPEN(the_newest_of_two_tasks_with_one_remote_id_is_found),
        OPEN(a_prefix_names_one_task_or_none),
        OPEN(lists_are_newest_first_and_limited),
        OPEN(a_list_without_a_limit_ends_at_a_hundred),
        OPEN(filters_keep_what_they_name),
        OPEN(looks_come_soonest_first_and_only_when_due),
        OPEN(a_sweep_makes_every_planned_look_due_once_step_by_step),
        OPEN(a_step_of_a_sweep_passes_so_many_tasks_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
