/*
 * From a path to a connection that may be trusted: lock, look at what is there, check it when the
 * last owner did not say goodbye, create or migrate, and make sure that the settings on which
 * every answer "recorded" rests are really in force. Nothing is written to a file before it has
 * been recognised, and nothing at all to a damaged one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "store/store_sqlite.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "store/store_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLDEST_SQLITE 3037000 /* STRICT tables, SQLITE_OPEN_EXRESCODE */
#if SQLITE_VERSION_NUMBER < OLDEST_SQLITE
#error "sqlite 3.37 or newer is needed"
#endif

#define PROGRESS_STEPS    1000000
#define PROGRESS_EVERY_MS 1000

/* locking_mode comes before whatever first looks into the file: it decides how WAL is opened. */
static const char settings[] = "PRAGMA locking_mode = EXCLUSIVE;"
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA mmap_size = 0;"
                               "PRAGMA cell_size_check = ON;"
                               "PRAGMA cache_size = -8192;"
                               "PRAGMA secure_delete = FAST;"
                               "PRAGMA journal_size_limit = 67108864;";

static const struct {
    const char *sql, *answer;
} promises[] = {
    {"PRAGMA locking_mode", "exclusive"}, {"PRAGMA journal_mode", "wal"},
    {"PRAGMA synchronous", "2"}, /* FULL: every commit is synced */
    {"PRAGMA foreign_keys", "1"},         {"PRAGMA trusted_schema", "0"},
};

static int damaged(const char *path, const char *what, struct err *err)
{
    return err_set(err, -EIO,
                   "%s is damaged and was left as it is: %s. Move it away, then put a backup in"
                   " its place or save what can be read: sqlite3 MOVED .recover | sqlite3 %s",
                   path, what, path);
}

static int open_error(const char *path, struct sqlite3 *db, int rc, struct err *err)
{
    if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)
        return damaged(path, sqlite3_errmsg(db), err);
    if ((rc & 0xff) == SQLITE_BUSY)
        return err_set(err, -EBUSY, "%s is in use by another program", path);
    return sql_error(db, rc, true, err);
}

static int run(struct sqlite_store *s, const char *statements, struct err *err)
{
    return open_error(s->path, s->db, sqlite3_exec(s->db, statements, NULL, NULL, NULL), err);
}

/* The first column of the first row as text, "" when there is no row. */
static int ask(const char *path, struct sqlite3 *db, const char *query, char *out, size_t size,
               struct err *err)
{
    struct sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(db, query, -1, &q, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        snprintf(out, size, "%s", rc == SQLITE_ROW ? sql_text(q, 0) : "");
    rc = open_error(path, db, rc, err);
    sqlite3_finalize(q);
    return rc;
}

static int ask_number(struct sqlite_store *s, const char *query, int *out, struct err *err)
{
    char text[32];
    uint64_t n = 0;
    int rc = ask(s->path, s->db, query, text, sizeof(text), err);

    if (rc == 0 && text[0] != '\0' && str_to_u64(text, strlen(text), INT_MAX, &n) < 0)
        rc = err_set(err, -EINVAL, "%s: `%s` gave %s", s->path, query, text);
    if (rc == 0)
        *out = (int)n;
    return rc;
}

static int sync_directory(const char *path, struct err *err)
{
    autofree char *dir = fs_dirname(path);

    return fs_sync_dir(dir, err);
}

static int look_at_file(struct sqlite_store *s, struct err *err)
{
    struct stat st;
    struct stat wal_st;
    bool has_log = stat(s->wal_path, &wal_st) == 0 && wal_st.st_size > 0;

    if (stat(s->path, &st) == 0) {
        if (!S_ISREG(st.st_mode))
            return err_set(err, -EINVAL, "%s: not a regular file", s->path);
        /* sqlite would take an emptied database for a new one and throw its log away */
        if (st.st_size == 0 && has_log)
            return damaged(s->path, "it is empty, but its log is not", err);
        return access(s->path, W_OK) == 0 ? 0 : err_sys(err, -errno, "%s", s->path);
    }
    if (errno == ENOENT && has_log) /* as above */
        return err_set(err, -EIO,
                       "%s is missing, but its log is not: put the file back beside it, or move %s"
                       " away to begin anew",
                       s->path, s->wal_path);
    if (errno == ENOENT && !s->read_only) {
        autoclose int fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        if (fd >= 0)
            return 0;
    }
    return err_sys(err, -errno, "%s", s->path);
}

static int on_commit_to_wal(void *ctx, struct sqlite3 *db, const char *name, int pages)
{
    struct sqlite_store *s = ctx;

    (void)db;
    (void)name;
    s->wal_pages = pages;
    return SQLITE_OK;
}

static int open_database(struct sqlite_store *s, struct err *err)
{
    static const struct {
        int what, on;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1}, /* a clean close does it itself */
    };
    int rc = sqlite3_open_v2(
        s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

    if (s->db == NULL)
        abort(); /* no memory for the handle */
    for (size_t i = 0; rc == SQLITE_OK && i < ARRAY_LEN(options); i++)
        rc = sqlite3_db_config(s->db, options[i].what, options[i].on, NULL);
    if (rc != SQLITE_OK)
        return open_error(s->path, s->db, rc, err);
    sqlite3_wal_hook(s->db, on_commit_to_wal, s); /* in the place of the automatic checkpoints */
    return run(s, settings, err);
}

/* *version: 0 for a file without anything in it. */
static int identify(struct sqlite_store *s, const struct schema *schema, int *version,
                    struct err *err)
{
    int application = 0;
    int tables = 0;
    int rc = ask_number(s, "PRAGMA application_id", &application, err);

    if (rc == 0)
        rc = ask_number(s, "PRAGMA user_version", version, err);
    if (rc == 0)
        rc = ask_number(s, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (rc < 0)
        return rc;
    if (application == 0 && *version == 0 && tables == 0)
        return 0;
    if (application != SCHEMA_APPLICATION_ID || *version == 0)
        return err_set(err, -EINVAL, "%s is a database, but not one of viduhook", s->path);
    if (*version > schema->version)
        return err_set(err, -ENOTSUP,
                       "%s was written by a newer viduhook (schema %d, this one knows %d): start"
                       " the newer one, or restore the backup it made before it migrated",
                       s->path, *version, schema->version);
    return 0;
}

struct check {
    const char *path;
    int64_t started_ms, told_ms;
};

static int on_check_progress(void *ctx)
{
    struct check *c = ctx;
    int64_t now = clock_mono_ms();

    if (now - c->told_ms >= PROGRESS_EVERY_MS) {
        c->told_ms = now;
        log_debug("store.checking", LOG_S("file", c->path), LOG_I("ms", now - c->started_ms));
    }
    return 0;
}

static int quick_check(const char *path, struct sqlite3 *db, struct err *err)
{
    int64_t now = clock_mono_ms();
    struct check c = {.path = path, .started_ms = now, .told_ms = now};
    char answer[256];
    int rc;

    log_debug("store.check_started", LOG_S("file", path));
    sqlite3_progress_handler(db, PROGRESS_STEPS, on_check_progress, &c);
    rc = ask(path, db, "PRAGMA quick_check(1)", answer, sizeof(answer), err);
    sqlite3_progress_handler(db, 0, NULL, NULL);
    if (rc == 0 && !str_eq(answer, "ok"))
        rc = damaged(path, answer, err);
    log_debug("store.check_ended", LOG_S("file", path), LOG_I("ms", clock_mono_ms() - now),
              LOG_S("result", rc == 0 ? "ok" : "damaged"));
    return rc;
}

static int begin_setup(struct sqlite_store *s, struct err *err)
{
    char mode[16];
    int rc = run(s, "PRAGMA synchronous = EXTRA", err);

    if (rc == 0)
        rc = ask(s->path, s->db, "PRAGMA journal_mode = WAL", mode, sizeof(mode), err);
    if (rc == 0 && !str_eq(mode, "wal"))
        rc = err_set(err, -EIO, "%s: this file system does not allow a write-ahead log", s->path);
    return rc;
}

static int create(struct sqlite_store *s, const struct schema *schema, struct err *err)
{
    int rc = begin_setup(s, err);

    if (rc == 0)
        rc = run(s, "BEGIN IMMEDIATE", err);
    if (rc == 0)
        rc = run(s, schema->create, err);
    if (rc == 0)
        rc = run(s, "COMMIT", err);
    log_debug("store.created", LOG_S("file", s->path), LOG_I("schema", schema->version));
    return rc;
}

static int check_copy(const char *path, struct err *err)
{
    struct sqlite3 *copy = NULL;
    int rc = sqlite3_open_v2(path, &copy, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

    rc = rc == SQLITE_OK ? quick_check(path, copy, err) : open_error(path, copy, rc, err);
    sqlite3_close(copy);
    return rc;
}

static int copy_into(struct sqlite_store *s, const char *path, struct err *err)
{
    struct sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(s->db, "VACUUM INTO ?1", -1, &q, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(q, 1, path, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    rc = open_error(s->path, s->db, rc, err);
    sqlite3_finalize(q);
    return rc;
}

/* FILE.vN.bak; made under another name first, so that one of that name is always whole. */
static int back_up(struct sqlite_store *s, int version, struct err *err)
{
    autofree char *path = mem_printf("%s.v%d.bak", s->path, version);
    autofree char *temp = mem_printf("%s.tmp", path);
    autoclose int fd = -1;
    int rc;

    unlink(temp);
    fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(err, -errno, "%s", temp);
    rc = copy_into(s, temp, err);
    if (rc == 0)
        rc = check_copy(temp, err);
    if (rc == 0 && (fsync(fd) < 0 || rename(temp, path) < 0))
        rc = err_sys(err, -errno, "%s", path);
    if (rc == 0)
        rc = sync_directory(path, err);
    if (rc < 0) {
        unlink(temp);
        return err_wrap(err, rc, "backup before the migration");
    }
    log_debug("store.backed_up", LOG_S("file", path));
    return 0;
}

static int apply_steps(struct sqlite_store *s, const struct schema *schema, int version,
                       struct err *err)
{
    char orphan[64];
    int reached = version;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < schema->n_steps; i++) {
        if (schema->steps[i].from != reached)
            continue;
        rc = run(s, schema->steps[i].sql, err);
        if (rc == 0)
            rc = ask_number(s, "PRAGMA user_version", &reached, err);
    }
    if (rc == 0 && reached != schema->version)
        rc = err_set(err, -ENOTSUP, "%s: no way from schema %d to %d", s->path, reached,
                     schema->version);
    if (rc == 0)
        rc = ask(s->path, s->db, "PRAGMA foreign_key_check", orphan, sizeof(orphan), err);
    if (rc == 0 && orphan[0] != '\0')
        rc = err_set(err, -EINVAL, "%s: rows of %s without their task", s->path, orphan);
    return rc;
}

/* Foreign keys are off meanwhile: a step that rebuilds a table must not cascade. */
static int migrate(struct sqlite_store *s, const struct schema *schema, int version,
                   struct err *err)
{
    int rc = back_up(s, version, err);

    if (rc == 0)
        rc = run(s, "PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE", err);
    if (rc == 0)
        rc = apply_steps(s, schema, version, err);
    if (rc == 0)
        rc = run(s, "COMMIT; PRAGMA foreign_keys = ON", err);
    if (rc == 0)
        log_debug("store.migrated", LOG_S("file", s->path), LOG_I("from", version),
                  LOG_I("to", schema->version));
    return rc < 0 ? err_wrap(err, rc, "migration from schema %d", version) : 0;
}

static int was_clean(struct sqlite_store *s, int *clean, struct err *err)
{
    return ask_number(s, "SELECT CAST(value AS TEXT) FROM meta WHERE name = '" CLEAN_FLAG "'",
                      clean, err);
}

static int keep_promises(struct sqlite_store *s, struct err *err)
{
    char answer[32];
    int rc = run(s, "PRAGMA synchronous = FULL", err);

    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(promises); i++) {
        rc = ask(s->path, s->db, promises[i].sql, answer, sizeof(answer), err);
        if (rc == 0 && !str_eq(answer, promises[i].answer))
            rc = err_set(err, -EIO, "%s: `%s` is %s, and must be %s", s->path, promises[i].sql,
                         answer, promises[i].answer);
    }
    return rc;
}

/* A file that has no name any more has no number either. */
static struct sqlite_files files_now(const struct sqlite_store *s)
{
    struct sqlite_files now = {0};
    struct stat st;

    if (stat(s->path, &st) == 0) {
        now.db.dev = st.st_dev;
        now.db.ino = st.st_ino;
    }
    if (stat(s->wal_path, &st) == 0) {
        now.wal.dev = st.st_dev;
        now.wal.ino = st.st_ino;
    }
    return now;
}

static int make_ready(struct sqlite_store *s, bool clean, struct err *err)
{
    int rc = sql_prepare_all(s, err);

    if (rc < 0)
        return rc;
    rc = tally_load(s, clean);
    return rc < 0 ? err_sys(err, rc, "%s: counting", s->path) : 0;
}

static int set_up_writer(struct sqlite_store *s, const struct schema *schema, int version,
                         struct err *err)
{
    int clean = 0;
    int rc;

    if (version == 0) {
        rc = create(s, schema, err);
    } else {
        rc = was_clean(s, &clean, err);
        if (rc == 0 && !clean)
            rc = quick_check(s->path, s->db, err);
        if (rc == 0)
            rc = begin_setup(s, err);
        if (rc == 0 && version < schema->version)
            rc = migrate(s, schema, version, err);
    }
    if (rc == 0)
        rc = sqlite_checkpoint(s, true, err);
    if (rc == 0)
        rc = sync_directory(s->path, err);
    if (rc == 0)
        rc = keep_promises(s, err);
    if (rc == 0)
        rc = make_ready(s, clean != 0, err);
    s->files = files_now(s);
    return rc == 0 && clean ? sqlite_set_clean(s, false, err) : rc;
}

static int set_up_reader(struct sqlite_store *s, const struct schema *schema, int version,
                         struct err *err)
{
    int clean = 0;
    int rc;

    if (version == 0)
        return err_set(err, -ENOENT, "%s is empty", s->path);
    if (version < schema->version)
        return err_set(err, -ENOTSUP,
                       "%s has the older schema %d: start viduhookd, which brings it to %d",
                       s->path, version, schema->version);
    rc = run(s, "PRAGMA query_only = ON", err);
    if (rc == 0)
        rc = was_clean(s, &clean, err);
    return rc == 0 ? make_ready(s, clean != 0, err) : rc;
}

int sqlite_connect(struct sqlite_store *s, const struct schema *schema, struct err *err)
{
    int version = 0;
    int rc;

    if (sqlite3_libversion_number() < OLDEST_SQLITE)
        return err_set(err, -ENOTSUP, "sqlite %s is too old, 3.37 is needed", sqlite3_libversion());
    /* one thread, and nobody asks how much memory it takes; refused, and fine, after the first */
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    rc = store_lock_take(s->path, !s->read_only, &s->lock_fd, err);
    if (rc == 0)
        rc = look_at_file(s, err);
    if (rc == 0)
        rc = open_database(s, err);
    if (rc == 0)
        rc = identify(s, schema, &version, err);
    if (rc == 0)
        rc = ask_number(s, "PRAGMA page_size", &s->page_bytes, err);
    if (rc < 0)
        return rc;
    return s->read_only ? set_up_reader(s, schema, version, err)
                        : set_up_writer(s, schema, version, err);
}

int sqlite_check_files(struct sqlite_store *s, struct err *err)
{
    struct sqlite_files now = files_now(s);
    bool same_db = now.db.dev == s->files.db.dev && now.db.ino == s->files.db.ino;
    bool same_wal = now.wal.dev == s->files.wal.dev && now.wal.ino == s->files.wal.ino;

    if (same_db && same_wal)
        return 0;
    return err_set(err, -EIO,
                   "%s was moved, removed or replaced while it was open; put the file that is meant"
                   " in its place",
                   same_db ? s->wal_path : s->path);
}

int sqlite_checkpoint(struct sqlite_store *s, bool truncate, struct err *err)
{
    int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    int in_log = 0;
    int copied = 0;
    int rc = sqlite3_wal_checkpoint_v2(s->db, "main", mode, &in_log, &copied);
    int code = sql_error(s->db, rc, false, err);

    if (code == -EIO)
        s->broken = code;
    if (code == 0 && copied == in_log)
        s->wal_pages = 0;
    return code;
}

void sqlite_disconnect(struct sqlite_store *s, bool clean)
{
    sql_finalize_all(s);
    if (s->db != NULL && clean)
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    sqlite3_close(s->db);
    store_lock_drop(s->lock_fd);
}
