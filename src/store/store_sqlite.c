/*
 * The table of operations, and the transaction that every write is part of.
 *
 * SPDX-License-Identifier: MIT
 */
#include "store/store_sqlite.h"

#include "base/log.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>

static int refuse_when_broken(struct sqlite_store *s, struct err *err)
{
    if (s->broken == 0)
        return 0;
    return err_set(err, s->broken,
                   "%s: reading or writing has failed, and nothing more is written before a"
                   " restart has checked the file",
                   s->path);
}

/*
 * The log is brought in before a batch and not after one, whose senders are waiting for an answer
 * that must not depend on it. Without room it stays where it is: commit will tell.
 */
static int make_room_in_wal(struct sqlite_store *s, struct err *err)
{
    int rc;

    if ((int64_t)s->wal_pages * s->page_bytes < WAL_CHECKPOINT_BYTES)
        return 0;
    rc = sqlite_checkpoint(s, false, err);
    return rc == -EIO ? rc : 0;
}

static int op_begin(struct store *base, struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    int rc = refuse_when_broken(s, err);

    if (rc == 0 && s->read_only)
        rc = err_set(err, -EROFS, "%s is open for reading only", s->path);
    if (rc == 0 && s->in_transaction)
        rc = err_set(err, -EINVAL, "%s: a transaction is open already", s->path);
    if (rc == 0)
        rc = make_room_in_wal(s, err);
    if (rc < 0)
        return rc;
    rc = sql_error(s->db, sqlite3_step(s->statements[SQL_BEGIN]), true, err);
    sqlite3_reset(s->statements[SQL_BEGIN]);
    s->in_transaction = rc == 0;
    s->tally_before = s->tally;
    s->doomed = 0;
    return rc;
}

static void op_rollback(struct store *base)
{
    struct sqlite_store *s = sqlite_of(base);

    /* after some failures sqlite has rolled back by itself */
    if (s->in_transaction && !sqlite3_get_autocommit(s->db)) {
        sqlite3_step(s->statements[SQL_ROLLBACK]);
        sqlite3_reset(s->statements[SQL_ROLLBACK]);
    }
    if (s->in_transaction)
        s->tally = s->tally_before;
    s->pinned.row = 0;
    s->run_read.row = 0;
    s->in_transaction = false;
    s->doomed = 0;
}

static int op_commit(struct store *base, struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    int rc;

    if (!s->in_transaction)
        return err_set(err, -EINVAL, "%s: no transaction is open", s->path);
    if (s->doomed != 0) {
        rc = err_set(err, s->doomed, "%s: a write in the transaction has failed", s->path);
        op_rollback(base);
        return rc;
    }
    rc = sql_error(s->db, sqlite3_step(s->statements[SQL_COMMIT]), true, err);
    sqlite3_reset(s->statements[SQL_COMMIT]);
    if (rc == 0)
        rc = sqlite_check_files(s, err);
    if (rc == -EIO)
        s->broken = rc;
    if (rc < 0)
        op_rollback(base);
    s->in_transaction = false;
    return rc;
}

static int op_meta_get(struct store *base, const char *name, uint8_t *out, size_t max, size_t *n)
{
    struct sqlite_store *s = sqlite_of(base);
    struct sqlite3_stmt *q = s->statements[SQL_META_GET];
    struct slice value;
    int rc;

    sql_bind_text(q, 1, name);
    rc = sql_first(s, SQL_META_GET);
    if (rc == 0) {
        value = sql_blob(q, 0);
        if (value.n > max) {
            rc = -EMSGSIZE;
        } else {
            *n = value.n;
            if (value.n > 0)
                memcpy(out, value.p, value.n);
        }
    }
    sql_done(s, SQL_META_GET);
    return rc;
}

static int op_meta_set(struct store *base, const char *name, const void *p, size_t n,
                       struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    struct sqlite3_stmt *q = s->statements[SQL_META_SET];

    sql_bind_text(q, 1, name);
    sql_bind_blob(q, 2, (struct slice){p, n});
    return sql_write(s, SQL_META_SET, NULL, err);
}

static int op_counts(struct store *base, struct store_counts *out)
{
    struct sqlite_store *s = sqlite_of(base);

    *out = (struct store_counts){
        .bytes = sql_number(s, SQL_PAGE_COUNT) * s->page_bytes,
        .wal_bytes = (int64_t)s->wal_pages * s->page_bytes,
    };
    memcpy(out->tasks, s->tally.tasks, sizeof(out->tasks));
    memcpy(out->runs, s->tally.runs, sizeof(out->runs));
    return s->broken;
}

static int op_idle(struct store *base, struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    int rc = refuse_when_broken(s, err);

    if (rc < 0 || s->in_transaction || s->wal_pages == 0)
        return rc;
    return sqlite_checkpoint(s, false, err);
}

static void op_close(struct store *base)
{
    struct sqlite_store *s = sqlite_of(base);
    struct err err = {""};
    bool clean = false;

    op_rollback(base);
    if (!s->read_only) {
        clean = sqlite_set_clean(s, true, &err) == 0 && sqlite_checkpoint(s, true, &err) == 0;
        if (!clean)
            log_debug("store.not_closed_cleanly", LOG_E(&err));
    }
    sqlite_disconnect(s, clean);
    free(s->task_pin.text);
    free(s->request_pin.text);
    free(s->run_pin.text);
    free(s->path);
    free(s->wal_path);
    free(s);
}

static const struct store_ops sqlite_ops = {
    .close = op_close,
    .begin = op_begin,
    .commit = op_commit,
    .rollback = op_rollback,
    .meta_get = op_meta_get,
    .meta_set = op_meta_set,
    .task_insert = sqlite_task_insert,
    .task_by_key = sqlite_task_by_key,
    .task_request = sqlite_task_request,
    .task_by_row = sqlite_task_by_row,
    .task_by_id = sqlite_task_by_id,
    .task_by_remote = sqlite_task_by_remote,
    .task_by_prefix = sqlite_task_by_prefix,
    .task_update = sqlite_task_update,
    .task_list = sqlite_task_list,
    .task_looks = sqlite_task_looks,
    .task_next_look = sqlite_task_next_look,
    .task_sweep = sqlite_task_sweep,
    .event_insert = sqlite_event_insert,
    .event_list = sqlite_event_list,
    .event_by_row = sqlite_event_by_row,
    .event_by_nonce = sqlite_event_by_nonce,
    .nonce_insert = sqlite_nonce_insert,
    .run_insert = sqlite_run_insert,
    .run_by_row = sqlite_run_by_row,
    .run_update = sqlite_run_update,
    .run_due = sqlite_run_due,
    .run_next_due = sqlite_run_next_due,
    .run_list = sqlite_run_list,
    .run_release = sqlite_run_release,
    .run_revive = sqlite_run_revive,
    .run_follow = sqlite_run_follow,
    .run_reclaim = sqlite_run_reclaim,
    .file_insert = sqlite_file_insert,
    .file_list = sqlite_file_list,
    .day_add = sqlite_day_add,
    .day_list = sqlite_day_list,
    .file_all = sqlite_file_all,
    .file_total = sqlite_file_total,
    .file_oldest = sqlite_file_oldest,
    .file_forget = sqlite_file_forget,
    .counts = op_counts,
    .prune = sqlite_prune,
    .idle = op_idle,
};

int sqlite_set_clean(struct sqlite_store *s, bool clean, struct err *err)
{
    int rc = op_begin(&s->base, err);

    if (rc < 0)
        return rc;
    rc = op_meta_set(&s->base, CLEAN_FLAG, clean ? "1" : "0", 1, err);
    if (rc == 0 && clean)
        rc = tally_save(s, err);
    if (rc == 0)
        return op_commit(&s->base, err);
    op_rollback(&s->base);
    return rc;
}

int store_sqlite_open_schema(const char *path, bool read_only, const struct schema *schema,
                             struct store **out, struct err *err)
{
    struct sqlite_store *s = mem_calloc(1, sizeof(*s));
    int rc;

    s->base.ops = &sqlite_ops;
    s->path = mem_strdup(path);
    s->wal_path = mem_printf("%s-wal", path);
    s->lock_fd = -1;
    s->read_only = read_only;
    rc = sqlite_connect(s, schema, err);
    if (rc < 0) {
        sqlite_disconnect(s, false);
        free(s->path);
        free(s->wal_path);
        free(s);
        return rc;
    }
    *out = &s->base;
    return 0;
}

int store_sqlite_open(const char *path, bool read_only, struct store **out, struct err *err)
{
    return store_sqlite_open_schema(path, read_only, &schema_current, out, err);
}
