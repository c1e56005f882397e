/*
 * What is trusted at start, and what is refused and left as it is.
 *
 * SPDX-License-Identifier: MIT
 */
#include "store/store_sqlite.h"

#include "base/log.h"
#include "store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* A second look, with a connection of our own, while the store is closed. */
static void make_database(const char *path, const char *statements)
{
    struct sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, statements, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void overwrite(const char *path, off_t at, const char *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, n, at), (ssize_t)n);
    close(fd);
}

static void assert_refused_and_untouched(struct fixture *f, int code, const char *text)
{
    static const char *const suffixes[] = {"", "-wal"};
    char *before[2] = {NULL, NULL};
    size_t n[2] = {0, 0};
    struct store *s = NULL;

    for (size_t i = 0; i < 2; i++) {
        autofree char *path = mem_printf("%s%s", f->path, suffixes[i]);

        if (access(path, F_OK) == 0)
            before[i] = file_content(path, &n[i]);
    }
    assert_int_equal(store_open(f->url, false, &s, &f->err), code);
    if (strstr(f->err.text, text) == NULL || strstr(f->err.text, f->path) == NULL)
        fail_msg("wrong text: %s", f->err.text);
    for (size_t i = 0; i < 2; i++) {
        autofree char *path = mem_printf("%s%s", f->path, suffixes[i]);
        autofree char *after = NULL;
        size_t len = 0;

        if (before[i] == NULL)
            continue;
        after = file_content(path, &len);
        assert_int_equal(len, n[i]);
        assert_memory_equal(after, before[i], len);
        free(before[i]);
    }
}

/* Runs in a process of its own, which ends without closing anything. */
static void crash_after(struct fixture *f, void (*work)(struct fixture *f))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        work(f);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void commit_one_and_begin_another(struct fixture *f)
{
    fixture_open(f);
    add_number(f, 1);
    fixture_begin(f);
    add_number(f, 2);
}

static void fill_and_crash(struct fixture *f)
{
    fixture_open(f);
    fixture_begin(f);
    for (int i = 0; i < 500; i++)
        add_number(f, i);
    fixture_commit(f);
    fixture_close(f);
    fixture_open(f);
}

/* Damage in a page that nothing looks at on the way to an open store. */
static void break_a_leaf(struct fixture *f)
{
    char page[32];

    assert_int_equal(ask_sqlite(f->path, "SELECT rootpage FROM sqlite_schema WHERE name='task_id'",
                                page, sizeof(page)),
                     SQLITE_OK);
    overwrite(f->path, (strtol(page, NULL, 10) - 1) * 4096, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
}

static void a_new_store_is_private_marked_and_in_wal_mode(void **state)
{
    struct fixture *f = *state;
    autofree char *wal = mem_printf("%s-wal", f->path);
    struct stat st;

    umask(0);
    fixture_open(f);
    add_number(f, 1);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    fixture_close(f);
    assert_int_equal(stat(wal, &st), -1); /* brought in and gone */
    assert_sqlite(f->path, "PRAGMA journal_mode", "wal");
    assert_sqlite(f->path, "PRAGMA user_version", "1");
    assert_sqlite(f->path, "PRAGMA application_id", "1986554673");
    assert_sqlite(f->path, "PRAGMA integrity_check", "ok");
    assert_sqlite(f->path,
                  "SELECT count(*) FROM pragma_table_list WHERE schema = 'main'"
                  " AND name NOT LIKE 'sqlite%' AND NOT strict",
                  "0");
}

static void what_was_stored_is_there_again(void **state)
{
    struct fixture *f = *state;
    struct store_task t;

    fixture_open(f);
    add_number(f, 1);
    fixture_close(f);
    fixture_open(f);
    assert_ok(f, f->ops->task_by_row(f->s, 1, &t));
    assert_string_equal(t.id, "t000000000001");
}

static void an_empty_file_becomes_a_store(void **state)
{
    struct fixture *f = *state;
    int fd = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    close(fd);
    fixture_open(f);
    add_number(f, 1);
}

static void no_directory_no_store(void **state)
{
    struct fixture *f = *state;
    struct store *s = NULL;

    assert_int_equal(store_open("sqlite:/nonexistent/s.db", false, &s, &f->err), -ENOENT);
    assert_non_null(strstr(f->err.text, "/nonexistent/s.db"));
    assert_int_equal(mkdir(f->path, 0700), 0);
    assert_int_equal(store_open(f->url, false, &s, &f->err), -EINVAL);
    assert_int_equal(rmdir(f->path), 0);
    assert_null(s);
}

static void the_second_is_refused_while_the_first_has_it(void **state)
{
    struct fixture *f = *state;
    struct store *s = NULL;
    char who[128];
    int status;
    pid_t pid;

    fixture_open(f);
    snprintf(who, sizeof(who), "%s is held by process %d (", f->path, (int)getpid());
    for (int read_only = 0; read_only <= 1; read_only++) {
        pid = fork();
        if (pid == 0) {
            int rc = store_open(f->url, read_only != 0, &s, &f->err);

            _exit(rc == -EBUSY && strstr(f->err.text, who) != NULL ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    fixture_close(f);
    fixture_open(f);
}

static void another_program_in_the_file_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct sqlite3 *db = NULL;
    struct store *s = NULL;

    fixture_open(f);
    fixture_close(f);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(store_open(f->url, false, &s, &f->err), -EBUSY);
    assert_non_null(strstr(f->err.text, "in use by another program"));
    sqlite3_close(db);
}

static void committed_rows_survive_a_crash_and_others_do_not(void **state)
{
    struct fixture *f = *state;
    struct store_task t;

    crash_after(f, commit_one_and_begin_another);
    fixture_open(f);
    assert_ok(f, f->ops->task_by_id(f->s, "t000000000001", &t));
    assert_int_equal(f->ops->task_by_id(f->s, "t000000000002", &t), -ENOENT);
    assert_int_equal(t.row, 1);
}

static void after_a_crash_the_file_is_checked(void **state)
{
    struct fixture *f = *state;

    crash_after(f, fill_and_crash);
    break_a_leaf(f);
    assert_refused_and_untouched(f, -EIO, "is damaged and was left as it is");
    assert_non_null(strstr(f->err.text, ".recover"));
}

static void after_a_clean_end_the_check_is_spared(void **state)
{
    struct fixture *f = *state;

    crash_after(f, fill_and_crash);
    fixture_open(f);
    fixture_close(f);
    break_a_leaf(f);
    fixture_open(f); /* nothing reads that page on the way */
}

static void reading_a_damaged_page_stops_the_store(void **state)
{
    struct fixture *f = *state;
    struct store_task t;

    after_a_clean_end_the_check_is_spared(state);
    assert_int_equal(f->ops->task_by_id(f->s, "t000000000001", &t), -EIO);
    assert_int_equal(f->ops->begin(f->s, &f->err), -EIO);
    fixture_close(f); /* leaves no word that all is well */
    assert_refused_and_untouched(f, -EIO, "is damaged");
}

static void garbage_is_refused_and_left_alone(void **state)
{
    struct fixture *f = *state;
    int fd = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    char junk[8192];

    memset(junk, 'j', sizeof(junk));
    assert_int_equal(write(fd, junk, sizeof(junk)), (ssize_t)sizeof(junk));
    close(fd);
    assert_refused_and_untouched(f, -EIO, "is damaged and was left as it is");
}

static void a_damaged_schema_is_refused_even_after_a_clean_end(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_close(f);
    overwrite(f->path, 100, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    assert_refused_and_untouched(f, -EIO, "is damaged");
}

static void an_emptied_file_with_a_log_is_no_new_store(void **state)
{
    struct fixture *f = *state;

    crash_after(f, commit_one_and_begin_another);
    assert_int_equal(truncate(f->path, 0), 0);
    assert_refused_and_untouched(f, -EIO, "its log is not");
}

static int commit_one(struct fixture *f)
{
    assert_ok(f, f->ops->begin(f->s, &f->err));
    assert_ok(f, f->ops->meta_set(f->s, "x", "1", 1, &f->err));
    return f->ops->commit(f->s, &f->err);
}

/* Nobody would find what goes into a file that has no name. */
static void a_file_that_is_moved_away_takes_no_more(void **state)
{
    static const char *const suffixes[] = {"", "-wal"};
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        autofree char *path = mem_printf("%s%s", f->path, suffixes[i]);
        autofree char *away = mem_printf("%s/away%s", f->dir, suffixes[i]);

        fixture_open(f);
        assert_ok(f, commit_one(f));
        assert_int_equal(rename(path, away), 0);
        assert_int_equal(commit_one(f), -EIO);
        assert_non_null(strstr(f->err.text, path));
        assert_non_null(strstr(f->err.text, "moved, removed or replaced"));
        assert_int_equal(f->ops->begin(f->s, &f->err), -EIO);
        fixture_close(f);
        assert_int_equal(rename(away, path), 0);
        fixture_open(f);
        assert_ok(f, commit_one(f));
        fixture_close(f);
    }
}

static void a_file_that_is_replaced_takes_no_more(void **state)
{
    struct fixture *f = *state;
    autofree char *copy = mem_printf("%s/copy", f->dir);

    fixture_open(f);
    assert_ok(f, fs_create_file(copy, "x", 1, 0600, &f->err));
    assert_int_equal(rename(copy, f->path), 0);
    assert_int_equal(commit_one(f), -EIO);
    fixture_close(f);
}

static void a_log_without_its_file_is_no_new_store(void **state)
{
    struct fixture *f = *state;
    autofree char *wal = mem_printf("%s-wal", f->path);

    assert_ok(f, fs_create_file(wal, "x", 1, 0600, &f->err));
    assert_int_equal(store_open(f->url, false, &f->s, &f->err), -EIO);
    assert_non_null(strstr(f->err.text, "is missing, but its log is not"));
    assert_int_equal(unlink(wal), 0);
    fixture_open(f);
    fixture_close(f);
}

static void a_database_of_others_is_refused(void **state)
{
    struct fixture *f = *state;

    make_database(f->path, "CREATE TABLE album(x); INSERT INTO album VALUES (1)");
    assert_refused_and_untouched(f, -EINVAL, "not one of viduhook");
    make_database(f->path, "PRAGMA user_version = 1");
    assert_refused_and_untouched(f, -EINVAL, "not one of viduhook");
    make_database(f->path, "PRAGMA user_version = 0; PRAGMA application_id = 1986554673");
    assert_refused_and_untouched(f, -EINVAL, "not one of viduhook");
}

static void a_newer_schema_is_refused(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_close(f);
    make_database(f->path, "PRAGMA user_version = 7");
    assert_refused_and_untouched(f, -ENOTSUP, "newer viduhook (schema 7, this one knows 1)");
}

/* -- migration -- */

static const struct schema_step steps[] = {
    {1, "CREATE TABLE extra (x INTEGER NOT NULL) STRICT; PRAGMA user_version = 2"},
    {2, "INSERT INTO extra SELECT count(*) FROM task; PRAGMA user_version = 3"},
};
static const struct schema third = {.version = 3, .steps = steps, .n_steps = ARRAY_LEN(steps)};

static int open_as(struct fixture *f, const struct schema *schema, bool read_only)
{
    int rc = store_sqlite_open_schema(f->path, read_only, schema, &f->s, &f->err);

    if (rc == 0)
        f->ops = f->s->ops;
    return rc;
}

static void make_version_1(struct fixture *f)
{
    fixture_open(f);
    add_number(f, 1);
    fixture_close(f);
}

static void an_older_schema_migrates_after_a_backup(void **state)
{
    struct fixture *f = *state;
    autofree char *backup = mem_printf("%s.v1.bak", f->path);
    autofree char *temp = mem_printf("%s.tmp", backup);
    struct store_task t;
    struct stat st;

    make_version_1(f);
    assert_ok(f, open_as(f, &third, false));
    assert_ok(f, f->ops->task_by_row(f->s, 1, &t));
    fixture_close(f);
    assert_sqlite(f->path, "PRAGMA user_version", "3");
    assert_sqlite(f->path, "SELECT x FROM extra", "1");
    assert_int_equal(stat(backup, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(temp, &st), -1);
    assert_sqlite(backup, "PRAGMA user_version", "1");
    assert_sqlite(backup, "PRAGMA application_id", "1986554673");
    assert_sqlite(backup, "SELECT id FROM task", "t000000000001");
    assert_ok(f, open_as(f, &third, false)); /* and not again */
}

static void a_backup_in_the_place_of_the_file_is_a_store(void **state)
{
    struct fixture *f = *state;
    autofree char *backup = mem_printf("%s.v1.bak", f->path);
    struct store_task t;

    make_version_1(f);
    assert_ok(f, open_as(f, &third, false));
    fixture_close(f);
    assert_int_equal(rename(backup, f->path), 0);
    fixture_open(f);
    assert_ok(f, f->ops->task_by_row(f->s, 1, &t));
    fixture_close(f);
    assert_sqlite(f->path, "PRAGMA journal_mode", "wal");
}

static void a_migration_that_fails_leaves_all_as_it_was(void **state)
{
    struct fixture *f = *state;
    const struct {
        struct schema_step steps[2];
        int code;
        const char *text;
    } cases[] = {
        {{steps[0], {2, "UPDATE nowhere SET x = 1"}}, -EIO, "nowhere"},
        {{steps[0], {7, ""}}, -ENOTSUP, "no way from schema 2 to 3"},
        {{steps[0],
          {2, "INSERT INTO file VALUES (1,99,0,0,0,'','','');"
              "PRAGMA user_version = 3"}},
         -EINVAL,
         "rows of file without their task"},
    };

    make_version_1(f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct schema broken = {.version = 3, .steps = cases[i].steps, .n_steps = 2};

        assert_int_equal(open_as(f, &broken, false), cases[i].code);
        if (strstr(f->err.text, cases[i].text) == NULL ||
            strstr(f->err.text, "migration from schema 1") == NULL)
            fail_msg("wrong text: %s", f->err.text);
        assert_sqlite(f->path, "PRAGMA user_version", "1");
        assert_sqlite(f->path, "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'", "0");
        assert_sqlite(f->path, "SELECT count(*) FROM file", "0");
    }
    fixture_open(f);
}

static void rebuilding_a_table_does_not_cascade(void **state)
{
    struct fixture *f = *state;
    static const struct schema_step rebuild[] = {
        {1, "CREATE TABLE other AS SELECT * FROM task_text; DELETE FROM task_text;"
            "INSERT INTO task_text SELECT * FROM other; DROP TABLE other;"
            "CREATE TABLE copy AS SELECT * FROM task; DELETE FROM task;"
            "INSERT INTO task SELECT * FROM copy; DROP TABLE copy; PRAGMA user_version = 2"},
    };
    static const struct schema second = {.version = 2, .steps = rebuild, .n_steps = 1};
    struct store_task t;

    make_version_1(f);
    assert_ok(f, open_as(f, &second, false));
    assert_ok(f, f->ops->task_by_row(f->s, 1, &t)); /* joined with task_text: both are there */
    fixture_begin(f);
    assert_int_equal(f->ops->file_insert(f->s, &(struct store_file){.task = 9}, &f->err),
                     -ENOENT); /* foreign keys hold again */
    f->ops->rollback(f->s);
}

/* -- reading only -- */

static void a_reader_creates_nothing(void **state)
{
    struct fixture *f = *state;
    struct store *s = NULL;

    assert_int_equal(store_open(f->url, true, &s, &f->err), -ENOENT);
    assert_int_equal(access(f->path, F_OK), -1);
    assert_int_equal(rmdir(f->dir), 0); /* empty */
    assert_int_equal(mkdir(f->dir, 0700), 0);
}

static void a_reader_sees_what_a_crash_left_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    autofree char *wal = mem_printf("%s-wal", f->path);
    autofree char *before = NULL;
    autofree char *wal_before = NULL;
    autofree char *after = NULL;
    autofree char *wal_after = NULL;
    size_t n[4];
    struct store_task t;
    struct store_counts c;

    crash_after(f, commit_one_and_begin_another);
    before = file_content(f->path, &n[0]);
    wal_before = file_content(wal, &n[1]);
    assert_ok(f, store_open(f->url, true, &f->s, &f->err));
    f->ops = f->s->ops;
    assert_ok(f, f->ops->task_by_row(f->s, 1, &t));
    assert_ok(f, f->ops->counts(f->s, &c));
    assert_int_equal(c.tasks[STATE_SUBMITTED], 1);
    assert_int_equal(f->ops->begin(f->s, &f->err), -EROFS);
    assert_int_equal(f->ops->task_update(f->s, &t, &f->err), -EROFS);
    fixture_close(f);
    after = file_content(f->path, &n[2]);
    wal_after = file_content(wal, &n[3]);
    assert_int_equal(n[0], n[2]);
    assert_memory_equal(before, after, n[0]);
    assert_int_equal(n[1], n[3]);
    assert_memory_equal(wal_before, wal_after, n[1]);
    fixture_open(f);
    assert_ok(f, f->ops->task_by_row(f->s, 1, &t));
}

static void a_reader_does_not_migrate(void **state)
{
    struct fixture *f = *state;

    make_version_1(f);
    assert_int_equal(open_as(f, &third, true), -ENOTSUP);
    assert_non_null(strstr(f->err.text, "start viduhookd"));
    assert_sqlite(f->path, "PRAGMA user_version", "1");
}

#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DIR(a_new_store_is_private_marked_and_in_wal_mode),
        WITH_DIR(what_was_stored_is_there_again),
        WITH_DIR(an_empty_file_becomes_a_store),
        WITH_DIR(no_directory_no_store),
        WITH_DIR(the_second_is_refused_while_the_first_has_it),
        WITH_DIR(another_program_in_the_file_is_noticed),
        WITH_DIR(committed_rows_survive_a_crash_and_others_do_not),
        WITH_DIR(after_a_crash_the_file_is_checked),
        WITH_DIR(after_a_clean_end_the_check_is_spared),
        WITH_DIR(reading_a_damaged_page_stops_the_store),
        WITH_DIR(garbage_is_refused_and_left_alone),
        WITH_DIR(a_damaged_schema_is_refused_even_after_a_clean_end),
        WITH_DIR(an_emptied_file_with_a_log_is_no_new_store),
        WITH_DIR(a_file_that_is_moved_away_takes_no_more),
        WITH_DIR(a_file_that_is_replaced_takes_no_more),
        WITH_DIR(a_log_without_its_file_is_no_new_store),
        WITH_DIR(a_database_of_others_is_refused),
        WITH_DIR(a_newer_schema_is_refused),
        WITH_DIR(an_older_schema_migrates_after_a_backup),
        WITH_DIR(a_backup_in_the_place_of_the_file_is_a_store),
        WITH_DIR(a_migration_that_fails_leaves_all_as_it_was),
        WITH_DIR(rebuilding_a_table_does_not_cascade),
        WITH_DIR(a_reader_creates_nothing),
        WITH_DIR(a_reader_sees_what_a_crash_left_and_changes_nothing),
        WITH_DIR(a_reader_does_not_migrate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
