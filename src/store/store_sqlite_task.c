/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

/* The texts of a task in the order of the statements; the first N_WRITTEN may change. */
static const size_t texts[] = {
    offsetof(struct store_task, endpoint),       offsetof(struct store_task, model),
    offsetof(struct store_task, remote_id),      offsetof(struct store_task, callback_path),
    offsetof(struct store_task, callback_query), offsetof(struct store_task, tags),
    offsetof(struct store_task, forward_url),    offsetof(struct store_task, trace_id),
    offsetof(struct store_task, err_code),       offsetof(struct store_task, err_msg),
    offsetof(struct store_task, result),         offsetof(struct store_task, provider),
    offsetof(struct store_task, prompt),         offsetof(struct store_task, request),
    offsetof(struct store_task, payload),
};
#define N_WRITTEN  11
#define FIRST_TEXT 19 /* column of the first in what is selected */

#define SWEEP_ROWS 4096 /* passed by one step of a sweep at most: some milliseconds */

static const char **text_slot(struct store_task *t, size_t i)
{
    return (const char **)((char *)t + texts[i]);
}

static void bind_task(struct sqlite3_stmt *q, const struct store_task *t)
{
    struct store_task copy = *t;

    sqlite3_bind_int64(q, 1, t->row);
    sqlite3_bind_int64(q, 2, t->state);
    sqlite3_bind_int64(q, 3, t->pending);
    sqlite3_bind_int64(q, 4, t->credits);
    sqlite3_bind_int64(q, 5, t->off_peak);
    sqlite3_bind_int64(q, 6, t->expects_callback);
    sqlite3_bind_int64(q, 7, t->created_ms);
    sqlite3_bind_int64(q, 8, t->updated_ms);
    sqlite3_bind_int64(q, 9, t->finished_ms);
    sqlite3_bind_int64(q, 10, t->next_look_ms);
    sqlite3_bind_int64(q, 11, t->looks);
    sqlite3_bind_int64(q, 12, t->n_events);
    sqlite3_bind_int64(q, 13, t->source);
    sql_bind_text(q, 14, t->id);
    for (size_t i = 0; i < N_WRITTEN; i++)
        sql_bind_text(q, 15 + (int)i, *text_slot(&copy, i));
    sqlite3_bind_int64(q, 28, t->last_event);
    sqlite3_bind_int64(q, 29, t->misses);
    sqlite3_bind_int64(q, 30, t->missed_ms);
    sqlite3_bind_int64(q, 31, t->adopted);
}

/* All but the texts. */
static void fill_numbers(struct sqlite3_stmt *q, struct store_task *t)
{
    struct slice id;

    *t = (struct store_task){
        .row = sqlite3_column_int64(q, 0),
        .state = (enum task_state)sqlite3_column_int(q, 1),
        .pending = (enum task_state)sqlite3_column_int(q, 2),
        .credits = sqlite3_column_int64(q, 3),
        .off_peak = sqlite3_column_int(q, 4) != 0,
        .expects_callback = sqlite3_column_int(q, 5) != 0,
        .created_ms = sqlite3_column_int64(q, 6),
        .updated_ms = sqlite3_column_int64(q, 7),
        .finished_ms = sqlite3_column_int64(q, 8),
        .next_look_ms = sqlite3_column_int64(q, 9),
        .looks = sqlite3_column_int(q, 10),
        .n_events = sqlite3_column_int(q, 11),
        .source = (enum store_source)sqlite3_column_int(q, 12),
        .last_event = sqlite3_column_int64(q, 13),
        .misses = sqlite3_column_int(q, 14),
        .missed_ms = sqlite3_column_int64(q, 15),
        .adopted = sqlite3_column_int(q, 16) != 0,
        .key_hash = sql_blob(q, 18),
    };
    id = sql_blob(q, 17);
    if (id.n < sizeof(t->id))
        memcpy(t->id, id.p, id.n);
}

static void pin_task(struct sqlite_store *s, struct sqlite3_stmt *q, struct store_task *t)
{
    const char **slots[ARRAY_LEN(texts)];

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        slots[i] = text_slot(t, i);
    sql_pin_texts(&s->task_pin, q, FIRST_TEXT, slots, ARRAY_LEN(texts));
    if (t->key_hash.n != sizeof(s->key_pin))
        t->key_hash.n = 0;
    if (t->key_hash.n > 0)
        memcpy(s->key_pin, t->key_hash.p, t->key_hash.n);
    t->key_hash.p = s->key_pin;
    s->pinned = *t;
}

static int take_task(struct sqlite_store *s, enum sql_id id, struct store_task *out)
{
    int rc = sql_first(s, id);

    if (rc == 0) {
        fill_numbers(s->statements[id], out);
        pin_task(s, s->statements[id], out);
    }
    sql_done(s, id);
    return rc;
}

static int each_task(struct sqlite_store *s, enum sql_id id, store_on_task *fn, void *ctx)
{
    struct sqlite3_stmt *q = s->statements[id];
    struct store_task t;
    int rc;

    while ((rc = sql_next(s, id)) > 0) {
        fill_numbers(q, &t);
        for (size_t i = 0; i < ARRAY_LEN(texts); i++)
            *text_slot(&t, i) = sql_text(q, FIRST_TEXT + (int)i);
        if (fn(&t, ctx) != 0)
            break;
    }
    sql_done(s, id);
    return rc < 0 ? rc : 0;
}

static int insert_texts(struct sqlite_store *s, int64_t row, const struct store_task *t,
                        struct err *err)
{
    struct sqlite3_stmt *q = s->statements[SQL_TASK_TEXT_INSERT];

    sqlite3_bind_int64(q, 1, row);
    sql_bind_text(q, 2, t->prompt);
    sql_bind_text(q, 3, t->request);
    sql_bind_text(q, 4, t->payload);
    return sql_write(s, SQL_TASK_TEXT_INSERT, NULL, err);
}

/*
 * The row of the one task whose id or remote id begins so. An exact match wins over longer ones,
 * unless two providers gave the same id.
 */
static int find_prefix(struct sqlite_store *s, enum sql_id id, const char *prefix, int64_t *row)
{
    struct sqlite3_stmt *q = s->statements[id];
    bool first_exact = false;
    int rc;

    sql_bind_text(q, 1, prefix);
    rc = sql_first(s, id);
    if (rc == 0) {
        *row = sqlite3_column_int64(q, 0);
        first_exact = sqlite3_column_int(q, 1) != 0;
        rc = sql_next(s, id);
        if (rc > 0)
            rc = first_exact && sqlite3_column_int(q, 1) == 0 ? 0 : -ENOTUNIQ;
    }
    sql_done(s, id);
    return rc;
}

/* How a task differs from what the file has of it. */
struct change {
    enum task_state old_state;
    bool remote_id, look;
};

/* From the task as it was handed out, which spares a look into the file. */
static struct change compare(const struct store_task *was, const struct store_task *t)
{
    return (struct change){
        .old_state = was->state,
        .remote_id =
            was->remote_id != t->remote_id && strcmp(was->remote_id, str_or(t->remote_id, "")) != 0,
        .look = was->next_look_ms != t->next_look_ms,
    };
}

static int look_up_change(struct sqlite_store *s, const struct store_task *t, struct change *out)
{
    struct sqlite3_stmt *q = s->statements[SQL_TASK_CHANGES];
    int rc;

    sqlite3_bind_int64(q, 1, t->row);
    sqlite3_bind_int64(q, 10, t->next_look_ms);
    sql_bind_text(q, 17, t->remote_id);
    rc = sql_first(s, SQL_TASK_CHANGES);
    if (rc == 0)
        *out = (struct change){.old_state = (enum task_state)sqlite3_column_int(q, 0),
                               .remote_id = sqlite3_column_int(q, 1) != 0,
                               .look = sqlite3_column_int(q, 2) != 0};
    sql_done(s, SQL_TASK_CHANGES);
    return rc;
}

int sqlite_task_insert(struct store *base, const struct store_task *t, int64_t *row,
                       struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    struct sqlite3_stmt *q = s->statements[SQL_TASK_INSERT];
    int64_t inserted;
    int rc;

    bind_task(q, t);
    sql_bind_text(q, 26, t->provider);
    if (t->key_hash.n > 0)
        sql_bind_blob(q, 27, t->key_hash);
    rc = sql_write(s, SQL_TASK_INSERT, NULL, err);
    if (rc < 0)
        return rc;
    tally_move_task(s, TALLY_NONE, (int)t->state);
    inserted = sqlite3_last_insert_rowid(s->db);
    rc = insert_texts(s, inserted, t, err);
    if (rc == 0)
        *row = inserted;
    return rc;
}

int sqlite_task_by_key(struct store *base, const uint8_t hash[SHA256_LEN], struct store_task *out)
{
    struct sqlite_store *s = sqlite_of(base);

    sql_bind_blob(s->statements[SQL_TASK_BY_KEY], 1,
                  (struct slice){(const char *)hash, SHA256_LEN});
    return take_task(s, SQL_TASK_BY_KEY, out);
}

int sqlite_task_request(struct store *base, int64_t row, struct store_task *out)
{
    struct sqlite_store *s = sqlite_of(base);
    const char **slots[] = {&out->prompt, &out->request, &out->payload};
    int rc;

    sqlite3_bind_int64(s->statements[SQL_TASK_REQUEST], 1, row);
    rc = sql_first(s, SQL_TASK_REQUEST);
    if (rc == 0)
        sql_pin_texts(&s->request_pin, s->statements[SQL_TASK_REQUEST], 0, slots, ARRAY_LEN(slots));
    sql_done(s, SQL_TASK_REQUEST);
    return rc;
}

int sqlite_task_by_row(struct store *base, int64_t row, struct store_task *out)
{
    struct sqlite_store *s = sqlite_of(base);

    sqlite3_bind_int64(s->statements[SQL_TASK_BY_ROW], 1, row);
    return take_task(s, SQL_TASK_BY_ROW, out);
}

int sqlite_task_by_id(struct store *base, const char *id, struct store_task *out)
{
    struct sqlite_store *s = sqlite_of(base);

    sql_bind_text(s->statements[SQL_TASK_BY_ID], 1, id);
    return take_task(s, SQL_TASK_BY_ID, out);
}

int sqlite_task_by_remote(struct store *base, const char *provider, const char *remote_id,
                          struct store_task *out)
{
    struct sqlite_store *s = sqlite_of(base);

    sql_bind_text(s->statements[SQL_TASK_BY_REMOTE], 1, provider);
    sql_bind_text(s->statements[SQL_TASK_BY_REMOTE], 2, remote_id);
    return take_task(s, SQL_TASK_BY_REMOTE, out);
}

int sqlite_task_by_prefix(struct store *base, const char *prefix, struct store_task *out)
{
    struct sqlite_store *s = sqlite_of(base);
    int64_t row = 0;
    int rc;

    if (str_empty(prefix))
        return -ENOENT;
    rc = find_prefix(s, SQL_TASK_ID_PREFIX, prefix, &row);
    if (rc == -ENOENT)
        rc = find_prefix(s, SQL_TASK_REMOTE_PREFIX, prefix, &row);
    return rc == 0 ? sqlite_task_by_row(base, row, out) : rc;
}

/* The least of the updates that writes what differs: each index it leaves alone is a page less. */
int sqlite_task_update(struct store *base, const struct store_task *t, struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    struct change change;
    enum sql_id id;
    int rc = 0;

    if (s->pinned.row == t->row)
        change = compare(&s->pinned, t);
    else
        rc = look_up_change(s, t, &change);
    if (rc < 0)
        return err_sys(err, rc, "task %s", t->id);
    s->pinned.row = 0;
    id = change.remote_id ? SQL_TASK_UPDATE_ALL
         : change.look    ? SQL_TASK_UPDATE_LOOK
                          : SQL_TASK_UPDATE;
    bind_task(s->statements[id], t);
    rc = sql_write(s, id, NULL, err);
    if (rc == 0)
        tally_move_task(s, (int)change.old_state, (int)t->state);
    return rc;
}

int sqlite_task_list(struct store *base, const struct store_filter *f, store_on_task *fn, void *ctx)
{
    struct sqlite_store *s = sqlite_of(base);
    /* only the ends other than success have an index: the rest is plenty, or new */
    enum sql_id id = f->state > STATE_SUCCESS ? SQL_TASK_LIST_STATE : SQL_TASK_LIST;

    sql_bind_filter(s->statements[id], f, tally_of_tasks(s, f->state));
    return each_task(s, id, fn, ctx);
}

int sqlite_task_looks(struct store *base, int64_t now_ms, int limit, store_on_task *fn, void *ctx)
{
    struct sqlite_store *s = sqlite_of(base);

    sqlite3_bind_int64(s->statements[SQL_TASK_LOOKS], 1, now_ms);
    sqlite3_bind_int64(s->statements[SQL_TASK_LOOKS], 2, limit);
    return each_task(s, SQL_TASK_LOOKS, fn, ctx);
}

int64_t sqlite_task_next_look(struct store *base)
{
    return sql_number(sqlite_of(base), SQL_TASK_NEXT_LOOK);
}

/* Where the next step ends: after so many tasks to look at, or so many rows in all. */
static int find_step(struct sqlite_store *s, struct store_sweep *sweep, int64_t now_ms, int limit,
                     int64_t *end)
{
    struct sqlite3_stmt *q = s->statements[SQL_SWEEP_FIND];
    int rows = 0, rc = 0;

    sweep->n = 0;
    *end = sweep->at;
    sqlite3_bind_int64(q, 1, now_ms);
    sqlite3_bind_int64(q, 2, sweep->at);
    sqlite3_bind_int64(q, 3, sweep->last);
    sqlite3_bind_int(q, 4, SWEEP_ROWS);
    while (sweep->n < limit && (rc = sql_next(s, SQL_SWEEP_FIND)) > 0) {
        rows++;
        *end = sqlite3_column_int64(q, 0);
        sweep->n += sqlite3_column_int(q, 1);
    }
    sweep->over = rc == 0 && rows < SWEEP_ROWS;
    sql_done(s, SQL_SWEEP_FIND);
    return rc < 0 ? rc : 0;
}

int sqlite_task_sweep(struct store *base, struct store_sweep *sweep, int64_t now_ms, int limit,
                      struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    int64_t end = 0;
    int rc;

    if (!sweep->begun)
        *sweep = (struct store_sweep){.begun = true, .last = sql_number(s, SQL_TASK_LAST)};
    rc = find_step(s, sweep, now_ms, limit, &end);
    if (rc < 0)
        return err_sys(err, rc, "the tasks to look at");
    if (sweep->n == 0) {
        sweep->at = end;
        return 0;
    }
    s->pinned.row = 0;
    sqlite3_bind_int64(s->statements[SQL_SWEEP], 1, now_ms);
    sqlite3_bind_int64(s->statements[SQL_SWEEP], 2, sweep->at);
    sqlite3_bind_int64(s->statements[SQL_SWEEP], 3, end);
    sweep->at = end;
    return sql_write(s, SQL_SWEEP, NULL, err);
}
