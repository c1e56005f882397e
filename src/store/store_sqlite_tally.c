/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite.h"

#include <sqlite3.h>

static void move(int64_t *counts, size_t len, int from, int to, int n)
{
    if (from >= 0 && (size_t)from < len)
        counts[from] -= n;
    if (to >= 0 && (size_t)to < len)
        counts[to] += n;
}

static int64_t count_of(const int64_t *counts, size_t len, int state)
{
    if (state < 0)
        return INT64_MAX;
    return (size_t)state < len ? counts[state] : 0;
}

static int count_rows(struct sqlite_store *s, enum sql_id id, int64_t *counts, size_t len)
{
    int rc;

    while ((rc = sql_next(s, id)) > 0)
        move(counts, len, TALLY_NONE, sqlite3_column_int(s->statements[id], 0), 1);
    sql_done(s, id);
    return rc;
}

static int read_saved(struct sqlite_store *s)
{
    struct sqlite3_stmt *q = s->statements[SQL_TALLY];
    int rc;

    while ((rc = sql_next(s, SQL_TALLY)) > 0) {
        bool is_run = sqlite3_column_int(q, 0) != 0;
        int state = sqlite3_column_int(q, 1);
        int n = sqlite3_column_int(q, 2);

        if (is_run)
            tally_move_runs(s, TALLY_NONE, state, n);
        else
            move(s->tally.tasks, STATE_COUNT, TALLY_NONE, state, n);
    }
    sql_done(s, SQL_TALLY);
    return rc;
}

static int save(struct sqlite_store *s, const char *kind, const int64_t *counts, size_t len,
                struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < len; i++) {
        sql_bind_text(s->statements[SQL_TALLY_SET], 1, kind);
        sqlite3_bind_int64(s->statements[SQL_TALLY_SET], 2, (int64_t)i);
        sqlite3_bind_int64(s->statements[SQL_TALLY_SET], 3, counts[i]);
        rc = sql_write(s, SQL_TALLY_SET, NULL, err);
    }
    return rc;
}

void tally_move_task(struct sqlite_store *s, int from, int to)
{
    move(s->tally.tasks, STATE_COUNT, from, to, 1);
}

void tally_move_runs(struct sqlite_store *s, int from, int to, int n)
{
    move(s->tally.runs, ARRAY_LEN(s->tally.runs), from, to, n);
}

int64_t tally_of_tasks(const struct sqlite_store *s, int state)
{
    return count_of(s->tally.tasks, STATE_COUNT, state);
}

int64_t tally_of_runs(const struct sqlite_store *s, int state)
{
    return count_of(s->tally.runs, ARRAY_LEN(s->tally.runs), state);
}

int tally_load(struct sqlite_store *s, bool clean)
{
    int rc;

    if (clean)
        return read_saved(s);
    rc = count_rows(s, SQL_TALLY_TASKS, s->tally.tasks, STATE_COUNT);
    return rc == 0 ? count_rows(s, SQL_TALLY_RUNS, s->tally.runs, ARRAY_LEN(s->tally.runs)) : rc;
}

int tally_save(struct sqlite_store *s, struct err *err)
{
    int rc = save(s, "task", s->tally.tasks, STATE_COUNT, err);

    return rc == 0 ? save(s, "run", s->tally.runs, ARRAY_LEN(s->tally.runs), err) : rc;
}
