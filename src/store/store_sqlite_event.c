/*
 * What hangs on a task: its timeline, its nonces, its files; and pruning, which takes a task with
 * all of them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "store/store_sqlite.h"

#include <errno.h>
#include <sqlite3.h>

/* 128 bits are enough, since only who can sign may offer nonces. */
#define NONCE_DIGEST_LEN 16

/* A task that pruning came by. */
struct candidate {
    int64_t row, last_event;
    int state;
    bool old_and_idle;
};

/* The next task in order of creation that is old enough to have finished before then. */
static int next_candidate(struct sqlite_store *s, int64_t before_ms, struct candidate *out)
{
    struct sqlite3_stmt *q = s->statements[SQL_PRUNE_FIND];
    int rc;

    sqlite3_bind_int64(q, 1, before_ms);
    sqlite3_bind_int64(q, 2, s->prune_at.created_ms);
    sqlite3_bind_int64(q, 3, s->prune_at.row);
    rc = sql_first(s, SQL_PRUNE_FIND);
    if (rc == 0) {
        *out = (struct candidate){.row = sqlite3_column_int64(q, 1),
                                  .state = sqlite3_column_int(q, 2),
                                  .last_event = sqlite3_column_int64(q, 3),
                                  .old_and_idle = sqlite3_column_int(q, 4) != 0};
        s->prune_at = (struct prune_place){sqlite3_column_int64(q, 0), out->row};
    }
    sql_done(s, SQL_PRUNE_FIND);
    return rc;
}

static int prune_task(struct sqlite_store *s, const struct candidate *c, struct err *err)
{
    struct sqlite3_stmt *q = s->statements[SQL_PRUNE_RUNS];
    int rc;

    sqlite3_bind_int64(q, 1, c->row);
    while ((rc = sql_next(s, SQL_PRUNE_RUNS)) > 0)
        tally_move_runs(s, sqlite3_column_int(q, 0), TALLY_NONE, 1);
    sql_done(s, SQL_PRUNE_RUNS);
    if (rc < 0)
        return err_sys(err, rc, "runs of task %lld", (long long)c->row);
    sqlite3_bind_int64(s->statements[SQL_PRUNE_EVENTS], 1, c->last_event);
    rc = sql_write(s, SQL_PRUNE_EVENTS, NULL, err);
    if (rc < 0)
        return rc;
    tally_move_task(s, c->state, TALLY_NONE);
    sqlite3_bind_int64(s->statements[SQL_PRUNE_TASK], 1, c->row);
    return sql_write(s, SQL_PRUNE_TASK, NULL, err);
}

/* The next run of no task that ended before; -ENOENT: there is none. */
static int prune_lone_run(struct sqlite_store *s, int64_t finished_before_ms, struct err *err)
{
    struct sqlite3_stmt *q = s->statements[SQL_PRUNE_LONE];
    int64_t row = 0;
    int state = TALLY_NONE;
    int rc;

    sqlite3_bind_int64(q, 1, finished_before_ms);
    rc = sql_first(s, SQL_PRUNE_LONE);
    if (rc == 0) {
        row = sqlite3_column_int64(q, 0);
        state = sqlite3_column_int(q, 1);
    }
    sql_done(s, SQL_PRUNE_LONE);
    if (rc < 0)
        return rc;
    sqlite3_bind_int64(s->statements[SQL_PRUNE_RUN], 1, row);
    rc = sql_write(s, SQL_PRUNE_RUN, NULL, err);
    if (rc == 0)
        tally_move_runs(s, state, TALLY_NONE, 1);
    return rc;
}

static int insert_entry(struct sqlite_store *s, const struct store_task *t,
                        const struct store_event *e, int64_t *row, struct err *err)
{
    struct sqlite3_stmt *q = s->statements[SQL_EVENT_INSERT];
    int rc;

    sqlite3_bind_int64(q, 1, t->row);
    sqlite3_bind_int64(q, 2, e->at_ms);
    sqlite3_bind_int64(q, 3, e->source);
    sqlite3_bind_int64(q, 4, e->state);
    sql_bind_text(q, 5, e->verdict);
    sql_bind_text(q, 6, e->detail);
    sql_bind_blob(q, 7, e->headers);
    sql_bind_blob(q, 8, e->body);
    sql_bind_blob(q, 9, e->nonce);
    sqlite3_bind_int64(q, 10, t->last_event);
    rc = sql_write(s, SQL_EVENT_INSERT, NULL, err);
    if (rc == 0)
        *row = sqlite3_last_insert_rowid(s->db);
    return rc;
}

int sqlite_event_insert(struct store *base, struct store_task *t, const struct store_event *e,
                        struct err *err)
{
    struct store_task linked = *t;
    int rc = insert_entry(sqlite_of(base), t, e, &linked.last_event, err);

    if (rc == 0)
        rc = sqlite_task_update(base, &linked, err);
    if (rc == 0)
        t->last_event = linked.last_event;
    return rc;
}

/* All texts are borrowed from the row that q stands on. */
static struct store_event event_of(struct sqlite3_stmt *q)
{
    return (struct store_event){
        .row = sqlite3_column_int64(q, 0),
        .task = sqlite3_column_int64(q, 1),
        .at_ms = sqlite3_column_int64(q, 2),
        .source = (enum store_source)sqlite3_column_int(q, 3),
        .state = (enum task_state)sqlite3_column_int(q, 4),
        .verdict = sql_text(q, 5),
        .detail = sql_text(q, 6),
        .nonce = sql_blob(q, 7),
        .headers = sql_blob(q, 8),
        .body = sql_blob(q, 9),
    };
}

int sqlite_event_list(struct store *base, int64_t task, store_on_event *fn, void *ctx)
{
    struct sqlite_store *s = sqlite_of(base);
    int rc;

    sqlite3_bind_int64(s->statements[SQL_EVENT_LIST], 1, task);
    while ((rc = sql_next(s, SQL_EVENT_LIST)) > 0) {
        struct store_event e = event_of(s->statements[SQL_EVENT_LIST]);

        if (fn(&e, ctx) != 0)
            break;
    }
    sql_done(s, SQL_EVENT_LIST);
    return rc < 0 ? rc : 0;
}

int sqlite_event_by_row(struct store *base, int64_t row, store_on_event *fn, void *ctx)
{
    struct sqlite_store *s = sqlite_of(base);
    int rc;

    sqlite3_bind_int64(s->statements[SQL_EVENT_BY_ROW], 1, row);
    rc = sql_first(s, SQL_EVENT_BY_ROW);
    if (rc == 0) {
        struct store_event e = event_of(s->statements[SQL_EVENT_BY_ROW]);

        fn(&e, ctx);
    }
    sql_done(s, SQL_EVENT_BY_ROW);
    return rc;
}

int sqlite_event_by_nonce(struct store *base, const struct store_task *t, struct slice nonce,
                          struct slice body, enum store_nonce *out)
{
    struct sqlite_store *s = sqlite_of(base);
    struct sqlite3_stmt *q = s->statements[SQL_EVENT_NONCE];
    int rc;

    sqlite3_bind_int64(q, 1, t->last_event);
    sql_bind_blob(q, 2, nonce);
    sql_bind_blob(q, 3, body);
    rc = sql_next(s, SQL_EVENT_NONCE);
    if (rc >= 0)
        *out = rc == 0 ? NONCE_NEW : sqlite3_column_int(q, 0) != 0 ? NONCE_SAME : NONCE_OTHER;
    sql_done(s, SQL_EVENT_NONCE);
    return rc < 0 ? rc : 0;
}

int sqlite_nonce_insert(struct store *base, struct slice nonce, int64_t at_ms, struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    struct sqlite3_stmt *q = s->statements[SQL_NONCE_INSERT];
    uint8_t digest[SHA256_LEN];

    crypto_sha256(nonce.p, nonce.n, digest);
    sql_bind_blob(q, 1, (struct slice){(const char *)digest, NONCE_DIGEST_LEN});
    sqlite3_bind_int64(q, 2, at_ms);
    return sql_write(s, SQL_NONCE_INSERT, NULL, err);
}

int sqlite_file_insert(struct store *base, const struct store_file *f, struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    struct sqlite3_stmt *q = s->statements[SQL_FILE_REPLACE];
    int rc;

    sqlite3_bind_int64(q, 1, f->task);
    sql_bind_text(q, 2, f->path);
    rc = sql_write(s, SQL_FILE_REPLACE, NULL, err);
    if (rc < 0)
        return rc;
    q = s->statements[SQL_FILE_INSERT];
    sqlite3_bind_int64(q, 1, f->task);
    sqlite3_bind_int64(q, 2, f->run);
    sqlite3_bind_int64(q, 3, f->bytes);
    sqlite3_bind_int64(q, 4, f->created_ms);
    sql_bind_text(q, 5, f->path);
    sql_bind_text(q, 6, f->kind);
    sql_bind_text(q, 7, f->sha256);
    return sql_write(s, SQL_FILE_INSERT, NULL, err);
}

/* Hands out what a bound statement finds. */
static int list_files(struct sqlite_store *s, enum sql_id id, store_on_file *fn, void *ctx)
{
    struct sqlite3_stmt *q = s->statements[id];
    int rc;

    while ((rc = sql_next(s, id)) > 0) {
        struct store_file f = {
            .row = sqlite3_column_int64(q, 0),
            .task = sqlite3_column_int64(q, 1),
            .run = sqlite3_column_int64(q, 2),
            .bytes = sqlite3_column_int64(q, 3),
            .created_ms = sqlite3_column_int64(q, 4),
            .path = sql_text(q, 5),
            .kind = sql_text(q, 6),
            .sha256 = sql_text(q, 7),
            .task_id = sql_text(q, 8),
        };

        if (fn(&f, ctx) != 0)
            break;
    }
    sql_done(s, id);
    return rc < 0 ? rc : 0;
}

int sqlite_file_list(struct store *base, int64_t task, store_on_file *fn, void *ctx)
{
    struct sqlite_store *s = sqlite_of(base);

    sqlite3_bind_int64(s->statements[SQL_FILE_LIST], 1, task);
    return list_files(s, SQL_FILE_LIST, fn, ctx);
}

int sqlite_file_all(struct store *base, int64_t after, int limit, store_on_file *fn, void *ctx)
{
    struct sqlite_store *s = sqlite_of(base);

    sqlite3_bind_int64(s->statements[SQL_FILE_ALL], 1, after);
    sqlite3_bind_int64(s->statements[SQL_FILE_ALL], 2, limit);
    return list_files(s, SQL_FILE_ALL, fn, ctx);
}

int sqlite_file_total(struct store *base, const char *dir, int64_t *bytes)
{
    struct sqlite_store *s = sqlite_of(base);
    int rc;

    sql_bind_text(s->statements[SQL_FILE_TOTAL], 1, dir);
    rc = sql_first(s, SQL_FILE_TOTAL);
    if (rc == 0)
        *bytes = sqlite3_column_int64(s->statements[SQL_FILE_TOTAL], 0);
    sql_done(s, SQL_FILE_TOTAL);
    return rc;
}

int sqlite_file_oldest(struct store *base, const char *dir, int64_t except, int limit,
                       store_on_file *fn, void *ctx)
{
    struct sqlite_store *s = sqlite_of(base);
    struct sqlite3_stmt *q = s->statements[SQL_FILE_OLDEST];

    sql_bind_text(q, 1, dir);
    sqlite3_bind_int64(q, 2, except);
    sqlite3_bind_int64(q, 3, limit);
    return list_files(s, SQL_FILE_OLDEST, fn, ctx);
}

int sqlite_file_forget(struct store *base, const char *path, struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);

    sql_bind_text(s->statements[SQL_FILE_FORGET], 1, path);
    return sql_write(s, SQL_FILE_FORGET, NULL, err);
}

int sqlite_prune(struct store *base, int64_t finished_before_ms, int64_t nonces_before_ms,
                 int limit, int *n, struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    struct candidate c;
    int seen = 0;
    int rc;

    sqlite3_bind_int64(s->statements[SQL_NONCE_PRUNE], 1, nonces_before_ms);
    sqlite3_bind_int64(s->statements[SQL_NONCE_PRUNE], 2, limit);
    rc = sql_write(s, SQL_NONCE_PRUNE, &seen, err);
    while (rc == 0 && seen < limit) {
        rc = prune_lone_run(s, finished_before_ms, err);
        seen += rc == 0;
    }
    if (rc == -ENOENT)
        rc = 0;
    while (rc == 0 && seen < limit) {
        rc = next_candidate(s, finished_before_ms, &c);
        if (rc == 0 && c.old_and_idle)
            rc = prune_task(s, &c, err);
        seen += rc == 0;
    }
    if (rc == -ENOENT)
        s->prune_at = (struct prune_place){0};
    if (rc < 0 && rc != -ENOENT)
        return rc;
    *n = seen;
    return 0;
}
