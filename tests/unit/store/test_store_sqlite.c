/*
 * Transactions, and what becomes of them when the disk does not play along. sqlite's writes and
 * syncs come through this file: a definition in the program goes before the C library's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "store_fixture.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static struct {
    int syncs;
    int directory_syncs;
    int fail_sync, fail_write; /* errno to fail with, or 0 */
    const char *only;          /* files whose name ends so; NULL: all */
} disk;

static bool is_meant(int fd)
{
    char link[32];
    char path[128];
    ssize_t n;

    if (disk.only == NULL)
        return true;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    return str_ends(path, disk.only);
}

int fdatasync(int fd)
{
    disk.syncs++;
    if (disk.fail_sync != 0 && is_meant(fd)) {
        errno = disk.fail_sync;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        disk.directory_syncs++;
    return (int)syscall(SYS_fsync, fd);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    if (disk.fail_write != 0 && is_meant(fd)) {
        errno = disk.fail_write;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, p, n, at);
}

static int setup(void **state)
{
    memset(&disk, 0, sizeof(disk));
    return fixture_setup_open(state);
}

static int teardown(void **state)
{
    memset(&disk, 0, sizeof(disk));
    return fixture_teardown(state);
}

static bool is_there(struct fixture *f, int n)
{
    struct store_task expected = task_number(n);
    struct store_task t;

    return f->ops->task_by_id(f->s, expected.id, &t) == 0;
}

static int commit_number(struct fixture *f, int n)
{
    struct store_task t = task_number(n);
    int64_t row;
    int rc = f->ops->begin(f->s, &f->err);

    if (rc < 0)
        return rc;
    rc = f->ops->task_insert(f->s, &t, &row, &f->err);
    if (rc == 0)
        return f->ops->commit(f->s, &f->err);
    f->ops->rollback(f->s);
    return rc;
}

static void every_commit_is_synced(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 5; i++) {
        int before = disk.syncs;

        assert_ok(f, commit_number(f, i));
        assert_true(disk.syncs > before);
    }
}

static void the_name_of_a_new_file_is_synced_before_it_is_used(void **state)
{
    (void)state;
    assert_true(disk.directory_syncs > 0);
}

static void what_was_rolled_back_is_gone(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f);
    add_number(f, 1);
    assert_true(is_there(f, 1));
    f->ops->rollback(f->s);
    assert_false(is_there(f, 1));
    assert_ok(f, commit_number(f, 2));
    assert_true(is_there(f, 2));
}

static void writes_need_a_transaction(void **state)
{
    struct fixture *f = *state;
    struct store_task t = task_number(1);
    int64_t row;

    assert_int_equal(f->ops->task_insert(f->s, &t, &row, &f->err), -EINVAL);
    assert_int_equal(f->ops->commit(f->s, &f->err), -EINVAL);
    fixture_begin(f);
    assert_int_equal(f->ops->begin(f->s, &f->err), -EINVAL);
    fixture_commit(f);
    assert_false(is_there(f, 1));
}

static void meta_reads_back(void **state)
{
    struct fixture *f = *state;
    uint8_t out[8];
    size_t n = 99;

    assert_int_equal(f->ops->meta_get(f->s, "seal", out, sizeof(out), &n), -ENOENT);
    fixture_begin(f);
    assert_ok(f, f->ops->meta_set(f->s, "seal", "first", 5, &f->err));
    assert_ok(f, f->ops->meta_set(f->s, "seal", "a\0b", 3, &f->err));
    assert_ok(f, f->ops->meta_set(f->s, "empty", "", 0, &f->err));
    fixture_commit(f);
    fixture_close(f);
    fixture_open(f);
    assert_ok(f, f->ops->meta_get(f->s, "seal", out, sizeof(out), &n));
    assert_int_equal(n, 3);
    assert_memory_equal(out, "a\0b", 3);
    assert_ok(f, f->ops->meta_get(f->s, "empty", out, sizeof(out), &n));
    assert_int_equal(n, 0);
    assert_int_equal(f->ops->meta_get(f->s, "seal", out, 2, &n), -EMSGSIZE);
}

static void a_full_disk_loses_the_batch_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    static const int kinds[] = {ENOSPC, EDQUOT, EFBIG};
    struct store_counts c;

    assert_ok(f, commit_number(f, 0));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        disk.fail_write = kinds[i];
        assert_int_equal(commit_number(f, 10), -ENOSPC);
        assert_int_equal(commit_number(f, 11), -ENOSPC);
        assert_false(is_there(f, 10));
        assert_true(is_there(f, 0));
        disk.fail_write = 0;
        assert_ok(f, commit_number(f, 20 + (int)i));
    }
    fixture_close(f);
    fixture_open(f);
    assert_false(is_there(f, 10));
    assert_true(is_there(f, 22));
    assert_ok(f, f->ops->counts(f->s, &c));
    assert_int_equal(c.tasks[STATE_SUBMITTED], 4);
}

static int insert_large_event(struct fixture *f)
{
    static char body[1 << 20];
    struct store_event e = {.at_ms = T0, .verdict = "accepted", .detail = ""};
    struct store_task t;
    int rc = f->ops->task_by_row(f->s, 1, &t);

    if (rc < 0)
        return rc;

    e.body = (struct slice){body, sizeof(body)};
    return f->ops->event_insert(f->s, &t, &e, &f->err);
}

static int count_event(const struct store_event *e, void *ctx)
{
    (void)e;
    ++*(int *)ctx;
    return 0;
}

/* sqlite rolls back by itself here; what follows must not be committed row by row. */
static void after_a_failed_write_the_rest_of_the_batch_fails_alike(void **state)
{
    struct fixture *f = *state;
    int rc = 0;
    int n = 0;

    assert_ok(f, commit_number(f, 0));
    fixture_begin(f);
    disk.fail_write = ENOSPC;
    for (int i = 0; i < 32 && rc == 0; i++) /* more than the page cache holds */
        rc = insert_large_event(f);
    assert_int_equal(rc, -ENOSPC);
    disk.fail_write = 0;
    assert_int_equal(insert_large_event(f), -ENOSPC);
    assert_int_equal(f->ops->commit(f->s, &f->err), -ENOSPC);
    assert_ok(f, f->ops->event_list(f->s, 1, count_event, &n));
    assert_int_equal(n, 0);
    fixture_begin(f);
    assert_ok(f, insert_large_event(f));
    fixture_commit(f);
    assert_ok(f, f->ops->event_list(f->s, 1, count_event, &n));
    assert_int_equal(n, 1);
}

static void a_failed_sync_stops_the_store(void **state)
{
    struct fixture *f = *state;
    static const int kinds[] = {EIO, ENOSPC};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        assert_ok(f, commit_number(f, (int)i));
        disk.fail_sync = kinds[i];
        assert_int_equal(commit_number(f, 10), -EIO);
        disk.fail_sync = 0; /* the next sync would succeed, without the lost pages */
        assert_int_equal(commit_number(f, 11), -EIO);
        assert_non_null(strstr(f->err.text, "restart"));
        assert_int_equal(f->ops->idle(f->s, &f->err), -EIO);
        fixture_close(f);
        fixture_open(f);
        assert_true(is_there(f, (int)i));
        assert_false(is_there(f, 11));
        if (is_there(f, 10)) /* its sender was told to try again: both are right */
            break;
    }
}

static void a_failed_write_stops_the_store(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, commit_number(f, 1));
    disk.fail_write = EIO;
    assert_int_equal(commit_number(f, 2), -EIO);
    disk.fail_write = 0;
    assert_int_equal(f->ops->begin(f->s, &f->err), -EIO);
    fixture_close(f);
    fixture_open(f);
    assert_true(is_there(f, 1));
    assert_false(is_there(f, 2));
}

static int64_t wal_bytes(struct fixture *f)
{
    struct store_counts c;

    assert_ok(f, f->ops->counts(f->s, &c));
    return c.wal_bytes;
}

static void idle_brings_the_log_in(void **state)
{
    struct fixture *f = *state;
    int syncs;

    assert_ok(f, commit_number(f, 1));
    assert_true(wal_bytes(f) > 0);
    assert_ok(f, f->ops->idle(f->s, &f->err));
    assert_int_equal(wal_bytes(f), 0);
    syncs = disk.syncs;
    assert_ok(f, f->ops->idle(f->s, &f->err));
    assert_int_equal(disk.syncs, syncs); /* nothing to do, nothing done */
    fixture_begin(f);
    assert_ok(f, f->ops->idle(f->s, &f->err)); /* not in the middle of a batch */
    fixture_commit(f);
}

static void idle_reports_a_failing_disk(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, commit_number(f, 1));
    disk.only = "s.db";
    disk.fail_write = EIO;
    assert_int_equal(f->ops->idle(f->s, &f->err), -EIO);
    disk.fail_write = 0;
    assert_int_equal(f->ops->begin(f->s, &f->err), -EIO);
}

static void the_log_stays_small_under_load(void **state)
{
    struct fixture *f = *state;
    autofree char *wal = mem_printf("%s-wal", f->path);
    struct stat st;

    assert_ok(f, commit_number(f, 0));
    for (int i = 0; i < 40; i++) {
        fixture_begin(f);
        assert_ok(f, insert_large_event(f));
        fixture_commit(f);
        assert_int_equal(stat(wal, &st), 0);
        assert_true(st.st_size < 5 << 20);
    }
    assert_int_equal(stat(f->path, &st), 0);
    assert_true(st.st_size > 30 << 20);
}

static void a_log_that_finds_no_room_does_not_refuse_the_batch(void **state)
{
    struct fixture *f = *state;

    assert_ok(f, commit_number(f, 0));
    disk.only = "s.db";
    disk.fail_write = ENOSPC;
    for (int i = 0; i < 12; i++) {
        fixture_begin(f);
        assert_ok(f, insert_large_event(f));
        fixture_commit(f);
    }
    assert_true(wal_bytes(f) > 8 << 20);
    assert_int_equal(f->ops->idle(f->s, &f->err), -ENOSPC);
    disk.fail_write = EDQUOT;
    assert_int_equal(f->ops->idle(f->s, &f->err), -ENOSPC);
    disk.fail_write = 0;
    assert_ok(f, commit_number(f, 1));
    assert_true(wal_bytes(f) < 1 << 20);
}

static void an_open_transaction_is_not_committed_by_closing(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f);
    add_number(f, 1);
    fixture_close(f);
    fixture_open(f);
    assert_false(is_there(f, 1));
}

#define OPEN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN(every_commit_is_synced),
        OPEN(the_name_of_a_new_file_is_synced_before_it_is_used),
        OPEN(what_was_rolled_back_is_gone),
        OPEN(writes_need_a_transaction),
        OPEN(meta_reads_back),
        OPEN(a_full_disk_loses_the_batch_and_nothing_else),
        OPEN(after_a_failed_write_the_rest_of_the_batch_fails_alike),
        OPEN(a_failed_sync_stops_the_store),
        OPEN(a_failed_write_stops_the_store),
        OPEN(idle_brings_the_log_in),
        OPEN(idle_reports_a_failing_disk),
        OPEN(the_log_stays_small_under_load),
        OPEN(a_log_that_finds_no_room_does_not_refuse_the_batch),
        OPEN(an_open_transaction_is_not_committed_by_closing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
