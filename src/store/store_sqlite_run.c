/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite.h"

#include "base/buf.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define BUSY_NAMES_MAX (1024 * 1024) /* bytes; names of hooks come from the configuration */

static void bind_run(struct sqlite3_stmt *q, const struct store_run *r)
{
    sqlite3_bind_int64(q, 2, r->state);
    sqlite3_bind_int64(q, 3, r->attempt);
    sqlite3_bind_int64(q, 4, r->due_ms);
    sqlite3_bind_int64(q, 5, r->lease_ms);
    sqlite3_bind_int64(q, 7, r->started_ms);
    sqlite3_bind_int64(q, 8, r->finished_ms);
    sqlite3_bind_int64(q, 9, r->exit_code);
    sql_bind_text(q, 13, r->detail);
    sql_bind_text(q, 14, r->output);
    sqlite3_bind_int64(q, 16, r->losses);
    sqlite3_bind_int64(q, 24, r->failures);
    sqlite3_bind_int64(q, 17, r->replay);
    sqlite3_bind_int64(q, 18, r->on_failure);
    sqlite3_bind_int64(q, 20, r->expires_ms);
    sql_bind_text(q, 21, r->command);
}

#define FIRST_TEXT 12 /* column of the hook in what is selected, before the other texts */

/* All texts are borrowed from the row that q stands on. */
static void fill_run(struct sqlite3_stmt *q, struct store_run *r)
{
    *r = (struct store_run){
        .row = sqlite3_column_int64(q, 0),
        .task = sqlite3_column_int64(q, 1),
        .state = (enum run_state)sqlite3_column_int(q, 2),
        .replay = sqlite3_column_int64(q, 3) != 0,
        .attempt = sqlite3_column_int(q, 4),
        .due_ms = sqlite3_column_int64(q, 5),
        .lease_ms = sqlite3_column_int64(q, 6),
        .created_ms = sqlite3_column_int64(q, 7),
        .started_ms = sqlite3_column_int64(q, 8),
        .finished_ms = sqlite3_column_int64(q, 9),
        .exit_code = sqlite3_column_int64(q, 10),
        .hook = sql_text(q, 12),
        .trigger = sql_text(q, 13),
        .after = sql_text(q, 14),
        .detail = sql_text(q, 15),
        .output = sql_text(q, 16),
        .details = sql_text(q, 17),
        .command = sql_text(q, 18),
        .losses = sqlite3_column_int(q, 19),
        .failures = sqlite3_column_int(q, 24),
        .on_failure = sqlite3_column_int(q, 20) != 0,
        .event = sqlite3_column_int64(q, 21),
        .once = sqlite3_column_int64(q, 22) != 0,
        .expires_ms = sqlite3_column_int64(q, 23),
    };
    snprintf(r->task_id, sizeof(r->task_id), "%s", sql_text(q, 11));
}

static int each_run(struct sqlite_store *s, enum sql_id id, store_on_run *fn, void *ctx)
{
    struct store_run r;
    int rc;

    while ((rc = sql_next(s, id)) > 0) {
        fill_run(s->statements[id], &r);
        if (fn(&r, ctx) != 0)
            break;
    }
    sql_done(s, id);
    return rc < 0 ? rc : 0;
}

/* ["a","b"]: a list of any length is one parameter. */
static void add_names(struct buf *out, const char *const *names, size_t n)
{
    buf_addc(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_addc(out, ',');
        buf_add_json(out, names[i], strlen(names[i]));
    }
    buf_addc(out, ']');
}

int sqlite_run_insert(struct store *base, const struct store_run *r, int64_t *row, struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    enum sql_id id = r->replay || !str_empty(r->details) ? SQL_RUN_REPLAY : SQL_RUN_INSERT;
    struct sqlite3_stmt *q = s->statements[id];
    int rc;

    s->run_read.row = 0;
    bind_run(q, r);
    if (r->task != 0)
        sqlite3_bind_int64(q, 1, r->task);
    sqlite3_bind_int64(q, 6, r->created_ms);
    sql_bind_text(q, 10, r->hook);
    sql_bind_text(q, 11, r->trigger);
    sql_bind_text(q, 12, r->after);
    sql_bind_text(q, 19, r->details);
    sqlite3_bind_int64(q, 22, r->event);
    sqlite3_bind_int64(q, 23, r->once);
    rc = sql_write(s, id, NULL, err);
    if (rc == 0) {
        *row = sqlite3_last_insert_rowid(s->db);
        tally_move_runs(s, TALLY_NONE, (int)r->state, 1);
    }
    return rc;
}

int sqlite_run_by_row(struct store *base, int64_t row, struct store_run *out)
{
    struct sqlite_store *s = sqlite_of(base);
    const char **slots[] = {&out->hook,   &out->trigger, &out->after,  &out->detail,
                            &out->output, &out->details, &out->command};
    int rc;

    sqlite3_bind_int64(s->statements[SQL_RUN_BY_ROW], 1, row);
    rc = sql_first(s, SQL_RUN_BY_ROW);
    if (rc == 0) {
        fill_run(s->statements[SQL_RUN_BY_ROW], out);
        sql_pin_texts(&s->run_pin, s->statements[SQL_RUN_BY_ROW], FIRST_TEXT, slots,
                      ARRAY_LEN(slots));
        s->run_read = (struct run_read){out->row, (int)out->state};
    }
    sql_done(s, SQL_RUN_BY_ROW);
    return rc;
}

/* What was read last is mostly what is written next. */
static int state_of_run(struct sqlite_store *s, int64_t row, int *out)
{
    int rc;

    if (s->run_read.row == row) {
        *out = s->run_read.state;
        return 0;
    }
    sqlite3_bind_int64(s->statements[SQL_RUN_STATE], 1, row);
    rc = sql_first(s, SQL_RUN_STATE);
    if (rc == 0)
        *out = sqlite3_column_int(s->statements[SQL_RUN_STATE], 0);
    sql_done(s, SQL_RUN_STATE);
    return rc;
}

int sqlite_run_update(struct store *base, const struct store_run *r, struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    int old_state = TALLY_NONE;
    int rc = state_of_run(s, r->row, &old_state);

    if (rc < 0)
        return err_sys(err, rc, "run %lld", (long long)r->row);
    s->run_read.row = 0;
    bind_run(s->statements[SQL_RUN_UPDATE], r);
    sqlite3_bind_int64(s->statements[SQL_RUN_UPDATE], 6, r->created_ms);
    sqlite3_bind_int64(s->statements[SQL_RUN_UPDATE], 15, r->row);
    rc = sql_write(s, SQL_RUN_UPDATE, NULL, err);
    if (rc == 0)
        tally_move_runs(s, old_state, (int)r->state, 1);
    return rc;
}

int sqlite_run_due(struct store *base, int64_t now_ms, const char *const *busy, size_t n_busy,
                   bool suspects, int64_t *rows, int limit)
{
    struct sqlite_store *s = sqlite_of(base);
    struct sqlite3_stmt *q = s->statements[SQL_RUN_DUE];
    autobuf struct buf names = BUF_INIT(BUSY_NAMES_MAX);
    int n = 0, rc = 1;

    add_names(&names, busy, n_busy);
    if (!buf_ok(&names))
        return -EMSGSIZE;
    sqlite3_bind_int64(q, 1, now_ms);
    sql_bind_text(q, 2, buf_text(&names));
    sqlite3_bind_int64(q, 3, limit);
    sqlite3_bind_int64(q, 4, suspects);
    while (n < limit && (rc = sql_next(s, SQL_RUN_DUE)) > 0)
        rows[n++] = sqlite3_column_int64(q, 0);
    sql_done(s, SQL_RUN_DUE);
    return rc < 0 ? rc : n;
}

int64_t sqlite_run_next_due(struct store *base, int64_t after_ms)
{
    struct sqlite_store *s = sqlite_of(base);

    sqlite3_bind_int64(s->statements[SQL_RUN_NEXT_DUE], 1, after_ms);
    return sql_number(s, SQL_RUN_NEXT_DUE);
}

int sqlite_run_list(struct store *base, const struct store_filter *f, store_on_run *fn, void *ctx)
{
    struct sqlite_store *s = sqlite_of(base);
    enum sql_id id = SQL_RUN_LIST;

    if (f->task != 0)
        id = SQL_RUN_LIST_TASK;
    else if (f->state >= 0 && f->state != RUN_DONE) /* the index of states leaves out the done */
        id = SQL_RUN_LIST_STATE;
    sql_bind_filter(s->statements[id], f, tally_of_runs(s, f->state));
    return each_run(s, id, fn, ctx);
}

static int end_waiting(struct sqlite_store *s, enum sql_id id, int64_t task, const char *after,
                       const char *trigger, bool on_failure, int64_t now_ms, int *n,
                       struct err *err)
{
    struct sqlite3_stmt *q = s->statements[id];
    int rc;

    sqlite3_bind_int64(q, 1, task);
    sql_bind_text(q, 2, after);
    sql_bind_text(q, 3, trigger);
    sqlite3_bind_int64(q, 4, now_ms);
    sqlite3_bind_int64(q, 5, on_failure);
    rc = sql_write(s, id, n, err);
    if (rc == 0)
        tally_move_runs(s, RUN_WAITING, id == SQL_RUN_RELEASE ? RUN_READY : RUN_CANCELLED, *n);
    return rc;
}

int sqlite_run_release(struct store *base, int64_t task, const char *after, const char *trigger,
                       bool ok, int64_t now_ms, int *n, struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    int released = 0;
    int cancelled = 0;
    int rc;

    *n = 0;
    if (tally_of_runs(s, RUN_WAITING) == 0)
        return 0;
    s->run_read.row = 0;
    rc = end_waiting(s, SQL_RUN_RELEASE, task, after, trigger, !ok, now_ms, &released, err);

    if (rc == 0)
        rc = end_waiting(s, SQL_RUN_CANCEL, task, after, trigger, ok, now_ms, &cancelled, err);
    if (rc == 0)
        *n = released + cancelled;
    return rc;
}

int sqlite_run_revive(struct store *base, int64_t task, const char *after, const char *trigger,
                      int64_t now_ms, struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    struct sqlite3_stmt *q = s->statements[SQL_RUN_REVIVE];
    int n = 0;
    int rc;

    s->run_read.row = 0;
    sqlite3_bind_int64(q, 1, task);
    sql_bind_text(q, 2, after);
    sql_bind_text(q, 3, trigger);
    sqlite3_bind_int64(q, 4, now_ms);
    rc = sql_write(s, SQL_RUN_REVIVE, &n, err);
    if (rc == 0)
        tally_move_runs(s, RUN_CANCELLED, RUN_WAITING, n);
    return rc;
}

int sqlite_run_follow(struct store *base, const struct store_run *r, int64_t due_ms,
                      struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    struct sqlite3_stmt *q = s->statements[SQL_RUN_FOLLOW];

    sqlite3_bind_int64(q, 1, r->task);
    sql_bind_text(q, 2, r->hook);
    sqlite3_bind_int64(q, 3, r->row);
    sqlite3_bind_int64(q, 4, due_ms);
    return sql_write(s, SQL_RUN_FOLLOW, NULL, err);
}

int sqlite_run_reclaim(struct store *base, int64_t now_ms, int *n, struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    int rc;

    s->run_read.row = 0;
    sqlite3_bind_int64(s->statements[SQL_RUN_RECLAIM], 1, now_ms);
    rc = sql_write(s, SQL_RUN_RECLAIM, n, err);
    if (rc == 0)
        tally_move_runs(s, RUN_RUNNING, RUN_READY, *n);
    return rc;
}
