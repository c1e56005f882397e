/*
 * Every statement there is, prepared once; parameters are bound, text is never put together.
 *
 * SPDX-License-Identifier: MIT
 */
#include "store/store_sqlite.h"

#include "base/log.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#define DEFAULT_LIMIT 100

/* Read by fill_task, in this order. */
#define TASK_FIELDS                                                                                \
    "t.row, t.state, t.pending, t.credits, t.off_peak, t.expects_callback, t.created_ms,"          \
    " t.updated_ms, t.finished_ms, t.next_look_ms, t.looks, t.n_events, t.source,"                 \
    " t.last_event, t.misses, t.missed_ms, t.adopted,"                                             \
    " t.id, t.key_hash, t.endpoint, t.model, t.remote_id, t.callback_path, t.callback_query,"      \
    " t.tags, t.forward_url, t.trace_id, t.err_code, t.err_msg, t.result, t.provider, "
#define SELECT_TASK                                                                                \
    "SELECT " TASK_FIELDS "x.prompt, x.request, x.payload"                                         \
    " FROM task t JOIN task_text x ON x.task = t.row "
#define SELECT_LEAN_TASK "SELECT " TASK_FIELDS "'', '', '' FROM task t "

/* Bound by bind_task: ?1 row to ?13 source, ?14 id, ?15 endpoint to ?25 result, ?28 to ?31. A
 * column that is in an index costs a change of that index, whether its value differs or not. */
#define TASK_SET                                                                                   \
    " state = ?2, pending = ?3, credits = ?4, off_peak = ?5, expects_callback = ?6,"               \
    " updated_ms = ?8, finished_ms = ?9, looks = ?11, n_events = ?12, source = ?13,"               \
    " last_event = ?28, misses = ?29, missed_ms = ?30, adopted = ?31, endpoint = ?15, model = "    \
    "?16, "                                                                                        \
    "callback_path = ?18, callback_query = ?19,"                                                   \
    " tags = ?20, forward_url = ?21, trace_id = ?22, err_code = ?23, err_msg = ?24, result = ?25"  \
    " WHERE row = ?1"

/* The entries of a timeline, from the newest back. */
#define TIMELINE(newest)                                                                           \
    "WITH RECURSIVE entry(row, prev) AS (SELECT row, prev FROM event WHERE row = " newest          \
    " UNION ALL SELECT e.row, e.prev FROM entry JOIN event e ON e.row = entry.prev AND e.row < "   \
    "entry.row) "

/* Bound by sql_bind_filter: ?1 provider, ?2 tag's name, ?3 tag's value, ?4 since, ?5 limit, ?6
 * state, ?7 task, ?8 hook; NULL, 0 and state -1 stand for any. */
#define HAS_TAG                                                                                    \
    " AND (?2 IS NULL OR instr(t.tags, ?2) > 0 AND EXISTS (SELECT 1 FROM"                          \
    " json_each(CASE WHEN json_valid(t.tags) THEN t.tags ELSE '{}' END) j"                         \
    " WHERE j.key = ?2 AND (?3 IS NULL OR CAST(j.value AS TEXT) = ?3)))"
#define TASK_FILTER                                                                                \
    " (?7 = 0 OR t.row = ?7) AND t.created_ms >= ?4 AND (?1 IS NULL OR t.provider = ?1)" HAS_TAG   \
    " ORDER BY t.created_ms DESC, t.row DESC LIMIT ?5"

/* Read by fill_run, in this order. */
#define SELECT_RUN                                                                                 \
    "SELECT r.row, r.task, r.state, r.replay, r.attempt, r.due_ms, r.lease_ms, r.created_ms,"      \
    " r.started_ms, r.finished_ms, r.exit_code, t.id, r.hook, r.trigger, r.after, r.detail,"       \
    " r.output, r.details, r.command, r.losses, r.on_failure, r.event, r.once, r.expires_ms, "     \
    "r.failures "
#define RUNS_AND_TASKS "FROM run r LEFT JOIN task t ON t.row = r.task "
#define RUN_FILTER                                                                                 \
    " r.created_ms >= ?4 AND r.row < ?9 AND (?8 IS NULL OR r.hook = ?8)"                           \
    " AND (?1 IS NULL OR t.provider = ?1)" HAS_TAG " ORDER BY r.row DESC LIMIT ?5"
#define SELECT_FILE                                                                                \
    "SELECT f.row, f.task, f.run, f.bytes, f.created_ms, f.path, f.kind, f.sha256, t.id"           \
    " FROM file f JOIN task t ON t.row = f.task "
/* A slash is followed by 0 in the order of bytes. */
#define BELOW "f.path > ?1 || '/' AND f.path < ?1 || '0'"
/* The few runs of a task, never the long queue of a hook. */
#define OF_ONE_TASK " INDEXED BY run_once"
#define RUN_VALUES                                                                                 \
    "INSERT INTO run (task, state, attempt, due_ms, lease_ms, created_ms, started_ms,"             \
    " finished_ms, exit_code, hook, trigger, after, detail, output, losses, replay, on_failure,"   \
    " details, expires_ms, command, event, once, failures, serial) VALUES"                         \
    " (?1, ?2, ?3, max(?4, coalesce((SELECT max(due_ms) FROM run" OF_ONE_TASK                      \
    " WHERE task = ?1 AND hook = ?10 AND state = 1), 0)), ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "     \
    "?13, ?14, ?16, ?17, ?18, ?19, iif(EXISTS (SELECT 1 FROM run" OF_ONE_TASK                      \
    " WHERE task = ?1 AND hook = ?10 AND state = 1 AND due_ms > ?4), 0, ?20), ?21, ?22, ?23, "     \
    "?24, "

/* While a suspect is under way the others are not asked for. */
#define WANTED " AND (?4 OR d.losses = 0)"

/* Of the runs of one hook for one task only the first that is not over, and none beside another. */
#define IN_TURN                                                                                    \
    " AND NOT EXISTS (SELECT 1 FROM run e" OF_ONE_TASK " WHERE e.task = d.task"                    \
    " AND e.hook = d.hook AND (e.state = 2 OR e.row < d.row AND e.state IN (0, 1)))"

/* The names of hooks that have a ready run, each found by one step into run_ready. */
#define READY_HOOKS                                                                                \
    "WITH RECURSIVE ready(hook) AS (SELECT min(hook) FROM run WHERE state = 1 UNION ALL"           \
    " SELECT (SELECT min(r.hook) FROM run r WHERE r.state = 1 AND r.hook > ready.hook)"            \
    " FROM ready WHERE ready.hook IS NOT NULL) "

static const char *const sql[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_PAGE_COUNT] = "PRAGMA page_count",
    [SQL_TALLY] = "SELECT kind = 'run', state, n FROM tally",
    [SQL_TALLY_SET] = "INSERT OR REPLACE INTO tally VALUES (?1, ?2, ?3)",
    [SQL_TALLY_TASKS] = "SELECT state FROM task",
    [SQL_TALLY_RUNS] = "SELECT state FROM run",
    [SQL_META_GET] = "SELECT value FROM meta WHERE name = ?1",
    [SQL_META_SET] = "INSERT INTO meta VALUES (?1, ?2)"
                     " ON CONFLICT DO UPDATE SET value = excluded.value",

    [SQL_TASK_INSERT] =
        "INSERT INTO task (state, pending, credits, off_peak, expects_callback,"
        " created_ms, updated_ms, finished_ms, next_look_ms, looks, n_events,"
        " source, id, endpoint, model, remote_id, callback_path, callback_query,"
        " tags, forward_url, trace_id, err_code, err_msg, result, provider,"
        " key_hash, last_event, misses, missed_ms, adopted) VALUES (?2, ?3, ?4, ?5, ?6, ?7, "
        "?8, ?9, ?10, ?11, ?12, ?13,"
        " ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27,"
        " ?28, ?29, ?30, ?31)",
    [SQL_TASK_REQUEST] = "SELECT prompt, request, payload FROM task_text WHERE task = ?1",
    [SQL_TASK_TEXT_INSERT] = "INSERT INTO task_text (task, prompt, request, payload)"
                             " VALUES (?1, ?2, ?3, ?4)",
    [SQL_TASK_BY_KEY] = SELECT_LEAN_TASK "WHERE t.key_hash = ?1",
    [SQL_TASK_BY_ROW] = SELECT_TASK "WHERE t.row = ?1",
    [SQL_TASK_BY_ID] = SELECT_TASK "WHERE t.id = ?1",
    [SQL_TASK_BY_REMOTE] = SELECT_TASK "WHERE t.remote_id = ?2 AND t.remote_id <> ''"
                                       " AND t.provider = ?1 ORDER BY t.row DESC LIMIT 1",
    [SQL_TASK_ID_PREFIX] = "SELECT row, id = ?1 FROM task"
                           " WHERE id >= ?1 AND id < ?1 || char(1114111) ORDER BY id LIMIT 2",
    [SQL_TASK_REMOTE_PREFIX] = "SELECT row, remote_id = ?1 FROM task WHERE remote_id <> ''"
                               " AND remote_id >= ?1 AND remote_id < ?1 || char(1114111)"
                               " ORDER BY remote_id LIMIT 2",
    [SQL_TASK_CHANGES] = "SELECT state, remote_id <> ?17, next_look_ms <> ?10"
                         " FROM task WHERE row = ?1",
    [SQL_TASK_UPDATE] = "UPDATE task SET" TASK_SET,
    [SQL_TASK_UPDATE_LOOK] = "UPDATE task SET next_look_ms = ?10," TASK_SET,
    [SQL_TASK_UPDATE_ALL] = "UPDATE task SET remote_id = ?17, next_look_ms = ?10," TASK_SET,
    [SQL_TASK_LIST] = SELECT_TASK "WHERE (?6 < 0 OR t.state = ?6) AND" TASK_FILTER,
    [SQL_TASK_LIST_STATE] = SELECT_TASK "WHERE t.state = ?6 AND t.state > 4 AND" TASK_FILTER,
    [SQL_TASK_LOOKS] = SELECT_TASK "WHERE t.next_look_ms > 0 AND t.next_look_ms <= ?1"
                                   " ORDER BY t.next_look_ms LIMIT ?2",
    [SQL_TASK_NEXT_LOOK] = "SELECT min(next_look_ms) FROM task WHERE next_look_ms > 0",
    [SQL_TASK_LAST] = "SELECT max(row) FROM task",
    /* By row, not by time: a step costs the same however many tasks are unfinished. */
    [SQL_SWEEP_FIND] = "SELECT row, next_look_ms > ?1 FROM task"
                       " WHERE row > ?2 AND row <= ?3 ORDER BY row LIMIT ?4",
    [SQL_SWEEP] = "UPDATE task SET next_look_ms = ?1"
                  " WHERE row > ?2 AND row <= ?3 AND +next_look_ms > ?1",
    [SQL_PRUNE_FIND] = "SELECT t.created_ms, t.row, t.state, t.last_event,"
                       " t.finished_ms > 0 AND t.finished_ms < ?1 AND NOT EXISTS"
                       " (SELECT 1 FROM run r WHERE r.task = t.row AND r.state IN (0, 1, 2))"
                       " FROM task t WHERE (t.created_ms, t.row) > (?2, ?3) AND t.created_ms < ?1"
                       " ORDER BY t.created_ms, t.row LIMIT 1",
    [SQL_PRUNE_RUNS] = "SELECT state FROM run WHERE task = ?1",
    [SQL_PRUNE_LONE] = "SELECT row, state FROM run WHERE task IS NULL AND finished_ms > 0"
                       " AND finished_ms < ?1 AND state IN (3, 4, 5) LIMIT 1",
    [SQL_PRUNE_RUN] = "DELETE FROM run WHERE row = ?1",
    [SQL_PRUNE_EVENTS] = TIMELINE("?1") "DELETE FROM event WHERE row IN (SELECT row FROM entry)",
    [SQL_PRUNE_TASK] = "DELETE FROM task WHERE row = ?1",

    [SQL_EVENT_INSERT] = "INSERT INTO event (task, at_ms, source, state, verdict, detail, headers,"
                         " body, nonce, prev) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [SQL_EVENT_LIST] = TIMELINE(
        "(SELECT last_event FROM task WHERE row = ?1)") "SELECT e.row, e.task, e.at_ms, e.source, "
                                                        "e.state, e.verdict,"
                                                        " e.detail, e.nonce, e.headers, e.body"
                                                        " FROM entry JOIN event e ON e.row = "
                                                        "entry.row ORDER BY e.row",
    [SQL_EVENT_BY_ROW] = "SELECT row, task, at_ms, source, state, verdict, detail, nonce, headers,"
                         " body FROM event WHERE row = ?1",
    [SQL_EVENT_NONCE] = TIMELINE("?1") "SELECT e.body = ?3 FROM entry JOIN event e"
                                       " ON e.row = entry.row WHERE e.nonce = ?2"
                                       " ORDER BY 1 DESC LIMIT 1",
    [SQL_NONCE_INSERT] = "INSERT INTO nonce VALUES (?1, ?2)",
    [SQL_NONCE_PRUNE] = "DELETE FROM nonce WHERE digest IN (SELECT digest FROM nonce"
                        " WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)",

    [SQL_RUN_INSERT] = RUN_VALUES "0)",
    [SQL_RUN_REPLAY] = RUN_VALUES "(SELECT coalesce(max(serial), 0) + 1 FROM run"
                                  " WHERE task IS ?1 AND hook = ?10 AND trigger = ?11))",
    [SQL_RUN_BY_ROW] = SELECT_RUN RUNS_AND_TASKS "WHERE r.row = ?1",
    [SQL_RUN_STATE] = "SELECT state FROM run WHERE row = ?1",
    [SQL_RUN_UPDATE] = "UPDATE run SET state = ?2, attempt = ?3, due_ms = ?4, lease_ms = ?5,"
                       " created_ms = ?6, started_ms = ?7, finished_ms = ?8, exit_code = ?9,"
                       " detail = ?13, output = ?14, losses = ?16, replay = ?17, on_failure = ?18,"
                       " expires_ms = ?20, command = ?21, failures = ?24 WHERE row = ?15",
    [SQL_RUN_DUE] = READY_HOOKS
    "SELECT r.row FROM ready CROSS JOIN run r"
    " WHERE ready.hook IS NOT NULL AND ready.hook NOT IN (SELECT value FROM json_each(?2))"
    " AND r.row IN (SELECT row FROM (SELECT d.row FROM run d WHERE d.state = 1"
    " AND d.hook = ready.hook AND d.expires_ms = 0 AND d.due_ms <= ?1" WANTED IN_TURN
    " ORDER BY d.due_ms, d.row LIMIT ?3) UNION ALL SELECT row FROM (SELECT d.row FROM run d"
    " WHERE d.state = 1 AND d.hook = ready.hook AND d.expires_ms > 0 AND d.due_ms <= ?1" WANTED
        IN_TURN " ORDER BY d.expires_ms, d.due_ms, d.row LIMIT ?3))"
    " ORDER BY row_number() OVER (PARTITION BY r.hook ORDER BY r.expires_ms, r.due_ms, r.row),"
    " r.due_ms, r.row LIMIT ?3",
    [SQL_RUN_NEXT_DUE] =
        READY_HOOKS "SELECT min(due) FROM (SELECT (SELECT min(r.due_ms) FROM run r"
                    " WHERE r.state = 1 AND r.hook = ready.hook AND r.expires_ms = 0"
                    " AND r.due_ms > ?1) AS due"
                    " FROM ready WHERE ready.hook IS NOT NULL UNION ALL"
                    " SELECT (SELECT r.due_ms FROM run r WHERE r.state = 1"
                    " AND r.hook = ready.hook AND r.expires_ms > 0 ORDER BY r.expires_ms LIMIT 1)"
                    " FROM ready WHERE ready.hook IS NOT NULL) WHERE due > ?1",
    [SQL_RUN_LIST] = SELECT_RUN RUNS_AND_TASKS "WHERE (?6 < 0 OR r.state = ?6) AND" RUN_FILTER,
    [SQL_RUN_LIST_STATE] = SELECT_RUN RUNS_AND_TASKS "WHERE r.state = ?6 AND r.state <> 3"
                                                     " AND" RUN_FILTER,
    [SQL_RUN_LIST_TASK] = SELECT_RUN RUNS_AND_TASKS "WHERE r.task = ?7 AND (?6 < 0 OR r.state = ?6)"
                                                    " AND" RUN_FILTER,
    [SQL_RUN_RELEASE] = "UPDATE run SET state = 1, due_ms = ?4"
                        " WHERE task = ?1 AND after = ?2 AND trigger = ?3 AND state = 0"
                        " AND on_failure = ?5",
    [SQL_RUN_CANCEL] =
        "WITH RECURSIVE gone(row, hook) AS (SELECT row, hook FROM run"
        " WHERE task = ?1 AND after = ?2 AND trigger = ?3 AND state = 0 AND on_failure = ?5"
        " UNION SELECT r.row, r.hook FROM gone JOIN run r ON r.after = gone.hook"
        " WHERE r.task = ?1 AND r.trigger = ?3 AND r.state = 0)"
        " UPDATE run SET state = 5, finished_ms = ?4,"
        " detail = CASE WHEN ?5 THEN 'waited for a failure of ' || ?2 || ', which"
        " succeeded' ELSE 'waited for ' || ?2 || ', which did not succeed' END"
        " WHERE row IN (SELECT row FROM gone)",
    [SQL_RUN_REVIVE] = "WITH RECURSIVE back(row, hook) AS (SELECT row, hook FROM run"
                       " WHERE task = ?1 AND after = ?2 AND trigger = ?3 AND state = 5"
                       " UNION SELECT r.row, r.hook FROM back JOIN run r ON r.after = back.hook"
                       " WHERE r.task = ?1 AND r.trigger = ?3 AND r.state = 5)"
                       " UPDATE run SET state = 0, created_ms = ?4, finished_ms = 0, detail = ''"
                       " WHERE row IN (SELECT row FROM back)",
    [SQL_RUN_FOLLOW] =
        "UPDATE run" OF_ONE_TASK " SET due_ms = ?4 WHERE task = ?1 AND hook = ?2 AND row > ?3"
        " AND state = 1 AND attempt = 0",
    [SQL_RUN_RECLAIM] = "UPDATE run SET state = 1, due_ms = ?1, lease_ms = 0, losses = losses + 1"
                        " WHERE state = 2 AND state <> 3",

    [SQL_FILE_REPLACE] = "DELETE FROM file WHERE task = ?1 AND path = ?2",
    [SQL_FILE_INSERT] = "INSERT INTO file (task, run, bytes, created_ms, path, kind, sha256)"
                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SQL_DAY_ADD] = "INSERT INTO day VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET"
                    " tasks = tasks + ?3, credits = credits + ?4, replaced = replaced + ?5",
    [SQL_DAY_LIST] = "SELECT day, provider, tasks, credits, replaced FROM day WHERE day >= ?1"
                     " ORDER BY day, provider",
    [SQL_FILE_LIST] = SELECT_FILE "WHERE f.task = ?1 ORDER BY f.row",
    [SQL_FILE_ALL] = SELECT_FILE "WHERE f.row > ?1 ORDER BY f.row LIMIT ?2",
    [SQL_FILE_TOTAL] = "SELECT coalesce(sum(f.bytes), 0) FROM file f"
                       " WHERE f.kind NOT IN ('poster', 'thumb') AND " BELOW,
    [SQL_FILE_OLDEST] = SELECT_FILE "WHERE f.task <> ?2 AND " BELOW
                                    " AND NOT EXISTS (SELECT 1 FROM run r WHERE r.task = f.task"
                                    " AND r.state IN (0, 1, 2)) ORDER BY f.row LIMIT ?3",
    [SQL_FILE_FORGET] = "DELETE FROM file WHERE path = ?1",
};

static const struct {
    int rc, code;
} codes[] = {
    /* extended codes before the families they belong to */
    {SQLITE_CONSTRAINT_UNIQUE, -EEXIST},
    {SQLITE_CONSTRAINT_PRIMARYKEY, -EEXIST},
    {SQLITE_CONSTRAINT_ROWID, -EEXIST},
    {SQLITE_CONSTRAINT_FOREIGNKEY, -ENOENT},
    {SQLITE_CONSTRAINT, -EINVAL},
    {SQLITE_FULL, -ENOSPC},
    {SQLITE_BUSY, -EBUSY},
    {SQLITE_LOCKED, -EBUSY},
    {SQLITE_READONLY, -EROFS},
    {SQLITE_TOOBIG, -EMSGSIZE},
    {SQLITE_MISUSE, -EINVAL},
    {SQLITE_RANGE, -EINVAL},
};

static int last_errno(struct sqlite3 *db, bool in_log)
{
    sqlite3_file *log = NULL;
    int last = 0;

    if (!in_log)
        sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &last);
    else if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK &&
             log != NULL && log->pMethods != NULL)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &last);
    return last;
}

/*
 * A quota or file size limit is a kind of full disk, as long as it was a write that failed. When
 * a sync fails so, nobody knows what is on the disk.
 */
static bool is_write_without_room(struct sqlite3 *db, int rc, bool in_log)
{
    int cause = rc == SQLITE_IOERR_WRITE ? last_errno(db, in_log) : 0;

    return cause == EDQUOT || cause == EFBIG || cause == ENOSPC;
}

static int code_of(int rc)
{
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (codes[i].rc == rc || codes[i].rc == (rc & 0xff))
            return codes[i].code;
    return -EIO;
}

int sql_error(struct sqlite3 *db, int rc, bool in_log, struct err *err)
{
    if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
        return 0;
    if ((rc & 0xff) == SQLITE_NOMEM || rc == SQLITE_IOERR_NOMEM)
        abort(); /* as mem_calloc does */
    return err_set(err, is_write_without_room(db, rc, in_log) ? -ENOSPC : code_of(rc),
                   "%s: %s (sqlite %d)", str_or(sqlite3_db_filename(db, "main"), "store"),
                   sqlite3_errmsg(db), rc);
}

int sql_prepare_all(struct sqlite_store *s, struct err *err)
{
    for (size_t i = 0; i < SQL_COUNT; i++) {
        int rc = sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i],
                                    NULL);

        if (rc != SQLITE_OK)
            return sql_error(s->db, rc, true, err);
    }
    return 0;
}

void sql_finalize_all(struct sqlite_store *s)
{
    for (size_t i = 0; i < SQL_COUNT; i++) {
        sqlite3_finalize(s->statements[i]);
        s->statements[i] = NULL;
    }
}

void sql_bind_text(struct sqlite3_stmt *q, int i, const char *text)
{
    sqlite3_bind_text(q, i, str_or(text, ""), -1, SQLITE_STATIC);
}

void sql_bind_blob(struct sqlite3_stmt *q, int i, struct slice bytes)
{
    if (bytes.n == 0)
        sqlite3_bind_zeroblob(q, i, 0);
    else
        sqlite3_bind_blob64(q, i, bytes.p, bytes.n, SQLITE_STATIC);
}

void sql_bind_filter(struct sqlite3_stmt *q, const struct store_filter *f, int64_t there_are)
{
    const char *value = f->tag != NULL ? strchr(f->tag, '=') : NULL;
    int64_t limit = f->limit > 0 ? f->limit : DEFAULT_LIMIT;
    int name_len = value != NULL ? (int)(value - f->tag) : -1;

    sqlite3_bind_text(q, 1, f->provider, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, f->tag, name_len, SQLITE_STATIC);
    sqlite3_bind_text(q, 3, value != NULL ? value + 1 : NULL, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 4, f->since_ms);
    sqlite3_bind_int64(q, 5, limit < there_are ? limit : there_are);
    sqlite3_bind_int64(q, 6, f->state);
    sqlite3_bind_int64(q, 7, f->task);
    if (sqlite3_bind_parameter_count(q) >= 8)
        sqlite3_bind_text(q, 8, f->hook, -1, SQLITE_STATIC);
    if (sqlite3_bind_parameter_count(q) >= 9)
        sqlite3_bind_int64(q, 9, f->before > 0 ? f->before : INT64_MAX);
}

const char *sql_text(struct sqlite3_stmt *q, int column)
{
    return str_or((const char *)sqlite3_column_text(q, column), "");
}

struct slice sql_blob(struct sqlite3_stmt *q, int column)
{
    const char *p = sqlite3_column_blob(q, column);

    return (struct slice){p, p != NULL ? (size_t)sqlite3_column_bytes(q, column) : 0};
}

void sql_done(struct sqlite_store *s, enum sql_id id)
{
    sqlite3_reset(s->statements[id]);
    sqlite3_clear_bindings(s->statements[id]);
}

static bool breaks_only_a_constraint(int rc)
{
    return (rc & 0xff) == SQLITE_CONSTRAINT;
}

int sql_write(struct sqlite_store *s, enum sql_id id, int *changed, struct err *err)
{
    int code = s->doomed;
    int rc;

    if (code != 0) {
        err_set(err, code, "%s: the transaction has failed already", s->path);
    } else if (!s->in_transaction) {
        code = err_set(err, s->read_only ? -EROFS : -EINVAL, "%s: write outside a transaction",
                       s->path);
    } else {
        rc = sqlite3_step(s->statements[id]);
        code = sql_error(s->db, rc, true, err);
        if (code < 0 && !breaks_only_a_constraint(rc))
            s->doomed = code;
        if (code == -EIO)
            s->broken = code;
        if (code == 0 && changed != NULL)
            *changed = sqlite3_changes(s->db);
    }
    sql_done(s, id);
    return code;
}

int sql_next(struct sqlite_store *s, enum sql_id id)
{
    int rc = sqlite3_step(s->statements[id]);
    struct err err = {""};
    int code;

    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return rc == SQLITE_ROW;
    code = sql_error(s->db, rc, true, &err);
    log_debug("store.read_failed", LOG_E(&err));
    if (code == -EIO)
        s->broken = code;
    return code;
}

int sql_first(struct sqlite_store *s, enum sql_id id)
{
    int rc = sql_next(s, id);

    if (rc == 0)
        rc = -ENOENT;
    return rc < 0 ? rc : 0;
}

int64_t sql_number(struct sqlite_store *s, enum sql_id id)
{
    int64_t n = sql_first(s, id) == 0 ? sqlite3_column_int64(s->statements[id], 0) : 0;

    sql_done(s, id);
    return n;
}

void sql_pin_texts(struct sql_pin *pin, struct sqlite3_stmt *q, int first,
                   const char **const *slots, size_t n)
{
    size_t need = n;
    char *at;

    for (size_t i = 0; i < n; i++)
        need += sql_blob(q, first + (int)i).n;
    if (need > pin->size) {
        pin->text = mem_realloc(pin->text, need, 1);
        pin->size = need;
    }
    at = pin->text;
    for (size_t i = 0; i < n; i++) {
        struct slice text = sql_blob(q, first + (int)i);

        *slots[i] = at;
        if (text.n != 0)
            memcpy(at, text.p, text.n);
        at[text.n] = '\0';
        at += text.n + 1;
    }
}
