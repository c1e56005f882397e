/* SPDX-License-Identifier: MIT */
#include "store/store_lock.h"

#include "store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* A child that holds the lock until it is killed. */
static pid_t hold_elsewhere(const char *path)
{
    int ready[2];
    char c;
    pid_t pid;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        int fd;

        if (store_lock_take(path, true, &fd, NULL) == 0 && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void the_second_is_refused_and_told_who_has_it(void **state)
{
    struct fixture *f = *state;
    pid_t pid = hold_elsewhere(f->path);
    char who[64];
    int fd = -1;

    snprintf(who, sizeof(who), "is held by process %d (test_store_lock)", (int)pid);
    assert_int_equal(store_lock_take(f->path, true, &fd, &f->err), -EBUSY);
    assert_int_equal(fd, -1);
    assert_non_null(strstr(f->err.text, who));
    assert_int_equal(store_lock_take(f->path, false, &fd, &f->err), -EBUSY);
    end(pid);
}

static void the_lock_falls_with_its_process(void **state)
{
    struct fixture *f = *state;
    int fd = -1;

    end(hold_elsewhere(f->path));
    assert_ok(f, store_lock_take(f->path, true, &fd, &f->err));
    store_lock_drop(fd);
}

static void a_lock_is_dropped_and_taken_again(void **state)
{
    struct fixture *f = *state;
    int fd = -1;
    int again = -1;

    assert_ok(f, store_lock_take(f->path, true, &fd, &f->err));
    assert_int_equal(store_lock_take(f->path, true, &again, &f->err), -EBUSY);
    store_lock_drop(fd);
    assert_ok(f, store_lock_take(f->path, true, &again, &f->err));
    store_lock_drop(again);
    store_lock_drop(-1);
}

static void a_reader_makes_no_lock_file(void **state)
{
    struct fixture *f = *state;
    autofree char *path = mem_printf("%s.lock", f->path);
    struct stat st;
    int fd = 0;

    assert_ok(f, store_lock_take(f->path, false, &fd, &f->err));
    assert_int_equal(fd, -1);
    assert_int_equal(stat(path, &st), -1);
}

static void the_lock_file_is_private_and_not_inherited(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    int fd = -1;

    assert_ok(f, store_lock_take(f->path, true, &fd, &f->err));
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    store_lock_drop(fd);
}

static void a_stranger_in_the_lock_file_is_not_repeated(void **state)
{
    struct fixture *f = *state;
    int fd = -1;
    int again = -1;

    assert_ok(f, store_lock_take(f->path, true, &fd, &f->err));
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, "12 \033[31mred", 11, 0), 11);
    assert_int_equal(store_lock_take(f->path, true, &again, &f->err), -EBUSY);
    assert_non_null(strstr(f->err.text, "another process"));
    store_lock_drop(fd);
}

#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DIR(the_second_is_refused_and_told_who_has_it),
        WITH_DIR(the_lock_falls_with_its_process),
        WITH_DIR(a_lock_is_dropped_and_taken_again),
        WITH_DIR(a_reader_makes_no_lock_file),
        WITH_DIR(the_lock_file_is_private_and_not_inherited),
        WITH_DIR(a_stranger_in_the_lock_file_is_not_repeated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
