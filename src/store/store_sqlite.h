/*
 * Inside the sqlite backend: what its files share. Nobody outside src/store includes this, but
 * for store_sqlite_open_schema, with which a test opens a store of its own version.
 *
 *   store_sqlite.c        the table of operations, transactions, checkpoints
 *   store_sqlite_open.c   from a path to a connection that may be trusted
 *   store_sqlite_sql.c    every statement, and what may go wrong in one
 *   store_sqlite_tally.c  numbers of rows by state
 *   store_sqlite_task.c   _run.c   _event.c   _day.c   the operations on rows
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_STORE_SQLITE_H
#define STORE_STORE_SQLITE_H

#include "store/store.h"
#include "store/store_schema.h"

/*
 * The log goes into the file when it is as long as this. Whoever waits for an answer waits for that
 * as well, so it is little at a time: with 8 MiB there are as many callbacks in a second, and the
 * slowest hundredth of them takes twice as long.
 */
#define WAL_CHECKPOINT_BYTES (2 * 1024 * 1024)
#define CLEAN_FLAG           "store.clean" /* in meta: 1 when the last owner closed it */

struct sqlite3;
struct sqlite3_stmt;

enum sql_id {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_PAGE_COUNT,
    SQL_TALLY,
    SQL_TALLY_SET,
    SQL_TALLY_TASKS,
    SQL_TALLY_RUNS,
    SQL_META_GET,
    SQL_META_SET,
    SQL_TASK_INSERT,
    SQL_TASK_TEXT_INSERT,
    SQL_TASK_BY_KEY,
    SQL_TASK_REQUEST,
    SQL_TASK_BY_ROW,
    SQL_TASK_BY_ID,
    SQL_TASK_BY_REMOTE,
    SQL_TASK_ID_PREFIX,
    SQL_TASK_REMOTE_PREFIX,
    SQL_TASK_CHANGES,
    SQL_TASK_UPDATE,
    SQL_TASK_UPDATE_LOOK,
    SQL_TASK_UPDATE_ALL,
    SQL_TASK_LIST,
    SQL_TASK_LIST_STATE,
    SQL_TASK_LOOKS,
    SQL_TASK_NEXT_LOOK,
    SQL_TASK_LAST,
    SQL_SWEEP_FIND,
    SQL_SWEEP,
    SQL_PRUNE_FIND,
    SQL_PRUNE_RUNS,
    SQL_PRUNE_LONE,
    SQL_PRUNE_RUN,
    SQL_PRUNE_EVENTS,
    SQL_PRUNE_TASK,
    SQL_EVENT_INSERT,
    SQL_EVENT_LIST,
    SQL_EVENT_BY_ROW,
    SQL_EVENT_NONCE,
    SQL_NONCE_INSERT,
    SQL_NONCE_PRUNE,
    SQL_RUN_INSERT,
    SQL_RUN_REPLAY,
    SQL_RUN_BY_ROW,
    SQL_RUN_STATE,
    SQL_RUN_UPDATE,
    SQL_RUN_DUE,
    SQL_RUN_NEXT_DUE,
    SQL_RUN_LIST,
    SQL_RUN_LIST_STATE,
    SQL_RUN_LIST_TASK,
    SQL_RUN_RELEASE,
    SQL_RUN_REVIVE,
    SQL_RUN_CANCEL,
    SQL_RUN_FOLLOW,
    SQL_RUN_RECLAIM,
    SQL_FILE_REPLACE,
    SQL_FILE_INSERT,
    SQL_FILE_LIST,
    SQL_DAY_ADD,
    SQL_DAY_LIST,
    SQL_FILE_ALL,
    SQL_FILE_TOTAL,
    SQL_FILE_OLDEST,
    SQL_FILE_FORGET,
    SQL_COUNT
};

/* Text of the row that was handed out last, so that it outlives its statement. */
struct sql_pin {
    char *text;
    size_t size;
};

/* How many rows there are in each state. */
struct sqlite_tally {
    int64_t tasks[STATE_COUNT], runs[RUN_STATE_COUNT];
};

/* How far pruning has got, in order of creation. */
struct prune_place {
    int64_t created_ms, row;
};

/* The state of the run that was read last, as the file has it; row 0: not known. */
struct run_read {
    int64_t row;
    int state;
};

/* Which files carry the names of the database and its log. */
struct sqlite_files {
    struct {
        dev_t dev;
        ino_t ino;
    } db, wal;
};

struct sqlite_store {
    struct store base;
    struct sqlite3 *db;
    char *path, *wal_path;
    struct sqlite_files files; /* when they were opened */
    int lock_fd;
    bool read_only;
    bool in_transaction;
    int doomed; /* why the open transaction cannot be committed any more, else 0 */
    int broken; /* -EIO once the disk or the file failed: nothing is written after that */
    int page_bytes;
    int wal_pages;                           /* in the log and not yet in the database */
    struct sqlite_tally tally, tally_before; /* now, and when the transaction began */
    struct sql_pin task_pin, request_pin, run_pin;
    char key_pin[SHA256_LEN];
    struct prune_place prune_at;
    struct store_task pinned; /* the task in task_pin as the file has it; row 0: not known */
    struct run_read run_read;
    struct sqlite3_stmt *statements[SQL_COUNT];
};

static inline struct sqlite_store *sqlite_of(struct store *s)
{
    return (struct sqlite_store *)s;
}

MUST_CHECK int store_sqlite_open(const char *path, bool read_only, struct store **out,
                                 struct err *err);
MUST_CHECK int store_sqlite_open_schema(const char *path, bool read_only,
                                        const struct schema *schema, struct store **out,
                                        struct err *err);

/*
 * store_sqlite_open.c: s->path is set. On success the connection is locked, checked, migrated and
 * in WAL mode; on failure the file is as it was, and sqlite_close releases what there is.
 */
MUST_CHECK int sqlite_connect(struct sqlite_store *s, const struct schema *schema, struct err *err);
/* Whether a commit can be found by the next start: -EIO when either name leads elsewhere by now. */
MUST_CHECK int sqlite_check_files(struct sqlite_store *s, struct err *err);
/* The log into the database file; truncate: and the log emptied. */
MUST_CHECK int sqlite_checkpoint(struct sqlite_store *s, bool truncate, struct err *err);
/* The flag that spares the next start its check. */
MUST_CHECK int sqlite_set_clean(struct sqlite_store *s, bool clean, struct err *err);
void sqlite_disconnect(struct sqlite_store *s, bool clean);

/* store_sqlite_sql.c */
MUST_CHECK int sql_prepare_all(struct sqlite_store *s, struct err *err);
void sql_finalize_all(struct sqlite_store *s);
/*
 * What sqlite said last, as -errno and text; out of memory aborts. in_log: what failed would have
 * written to the log, as everything does but a checkpoint.
 */
int sql_error(struct sqlite3 *db, int rc, bool in_log, struct err *err);

void sql_bind_text(struct sqlite3_stmt *q, int i, const char *text); /* NULL is "" */
void sql_bind_blob(struct sqlite3_stmt *q, int i, struct slice bytes);
/* there_are: no more rows than that can match, so the search ends when it has them. */
void sql_bind_filter(struct sqlite3_stmt *q, const struct store_filter *f, int64_t there_are);
const char *sql_text(struct sqlite3_stmt *q, int column); /* never NULL */
struct slice sql_blob(struct sqlite3_stmt *q, int column);

/*
 * Runs a bound statement that changes something, and unbinds it. *changed (may be NULL) counts
 * rows. A failure other than a broken constraint dooms the transaction: what comes after it in
 * the same transaction fails alike, and commit rolls back.
 */
MUST_CHECK int sql_write(struct sqlite_store *s, enum sql_id id, int *changed, struct err *err);
/* The first row of a bound query: 0 or -ENOENT. Reset it with sql_done. */
MUST_CHECK int sql_first(struct sqlite_store *s, enum sql_id id);
/* 1: another row, 0: the end, or -errno. */
MUST_CHECK int sql_next(struct sqlite_store *s, enum sql_id id);
void sql_done(struct sqlite_store *s, enum sql_id id);
/* A query for one number, nothing bound; 0 when there is none. */
int64_t sql_number(struct sqlite_store *s, enum sql_id id);
/* Copies the texts of n columns, and points the caller's slots at the copies. */
void sql_pin_texts(struct sql_pin *pin, struct sqlite3_stmt *q, int first,
                   const char **const *slots, size_t n);

/*
 * store_sqlite_tally.c. NONE as a state: it comes into being, or goes. Loading trusts what the last
 * owner wrote when it closed the store cleanly, and counts the rows otherwise.
 */
#define TALLY_NONE (-1)
void tally_move_task(struct sqlite_store *s, int from, int to);
void tally_move_runs(struct sqlite_store *s, int from, int to, int n);
int64_t tally_of_tasks(const struct sqlite_store *s, int state); /* INT64_MAX for any state */
int64_t tally_of_runs(const struct sqlite_store *s, int state);
MUST_CHECK int tally_load(struct sqlite_store *s, bool clean);
MUST_CHECK int tally_save(struct sqlite_store *s, struct err *err);

/* store_sqlite_task.c */
int sqlite_task_insert(struct store *s, const struct store_task *t, int64_t *row, struct err *err);
int sqlite_task_by_key(struct store *s, const uint8_t hash[SHA256_LEN], struct store_task *out);
int sqlite_task_request(struct store *s, int64_t row, struct store_task *out);
int sqlite_task_by_row(struct store *s, int64_t row, struct store_task *out);
int sqlite_task_by_id(struct store *s, const char *id, struct store_task *out);
int sqlite_task_by_remote(struct store *s, const char *provider, const char *remote_id,
                          struct store_task *out);
int sqlite_task_by_prefix(struct store *s, const char *prefix, struct store_task *out);
int sqlite_task_update(struct store *s, const struct store_task *t, struct err *err);
int sqlite_task_list(struct store *s, const struct store_filter *f, store_on_task *fn, void *ctx);
int sqlite_task_looks(struct store *s, int64_t now_ms, int limit, store_on_task *fn, void *ctx);
int64_t sqlite_task_next_look(struct store *s);
int sqlite_task_sweep(struct store *s, struct store_sweep *sweep, int64_t now_ms, int limit,
                      struct err *err);

/* store_sqlite_event.c */
int sqlite_event_insert(struct store *s, struct store_task *t, const struct store_event *e,
                        struct err *err);
int sqlite_event_list(struct store *s, int64_t task, store_on_event *fn, void *ctx);
int sqlite_event_by_row(struct store *s, int64_t row, store_on_event *fn, void *ctx);
int sqlite_event_by_nonce(struct store *s, const struct store_task *t, struct slice nonce,
                          struct slice body, enum store_nonce *out);
int sqlite_nonce_insert(struct store *s, struct slice nonce, int64_t at_ms, struct err *err);
int sqlite_file_insert(struct store *s, const struct store_file *f, struct err *err);
int sqlite_file_list(struct store *s, int64_t task, store_on_file *fn, void *ctx);
int sqlite_file_all(struct store *s, int64_t after, int limit, store_on_file *fn, void *ctx);
int sqlite_file_total(struct store *s, const char *dir, int64_t *bytes);
int sqlite_file_oldest(struct store *s, const char *dir, int64_t except, int limit,
                       store_on_file *fn, void *ctx);
int sqlite_file_forget(struct store *s, const char *path, struct err *err);
int sqlite_prune(struct store *s, int64_t finished_before_ms, int64_t nonces_before_ms, int limit,
                 int *n, struct err *err);

/* store_sqlite_day.c */
int sqlite_day_add(struct store *s, const struct store_day *add, struct err *err);
int sqlite_day_list(struct store *s, int64_t since_day, store_on_day *fn, void *ctx);

/* store_sqlite_run.c */
int sqlite_run_insert(struct store *s, const struct store_run *r, int64_t *row, struct err *err);
int sqlite_run_by_row(struct store *s, int64_t row, struct store_run *out);
int sqlite_run_update(struct store *s, const struct store_run *r, struct err *err);
int sqlite_run_due(struct store *s, int64_t now_ms, const char *const *busy, size_t n_busy,
                   bool suspects, int64_t *rows, int limit);
int64_t sqlite_run_next_due(struct store *s, int64_t after_ms);
int sqlite_run_list(struct store *s, const struct store_filter *f, store_on_run *fn, void *ctx);
int sqlite_run_revive(struct store *s, int64_t task, const char *after, const char *trigger,
                      int64_t now_ms, struct err *err);
int sqlite_run_release(struct store *s, int64_t task, const char *after, const char *trigger,
                       bool ok, int64_t now_ms, int *n, struct err *err);
int sqlite_run_follow(struct store *s, const struct store_run *r, int64_t due_ms, struct err *err);
int sqlite_run_reclaim(struct store *s, int64_t now_ms, int *n, struct err *err);

#endif
