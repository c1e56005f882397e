/* SPDX-License-Identifier: MIT */
#include "runner/sweep.h"

#include "base/clock.h"
#include "base/fs.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR_MS 3600000

static const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
static const char part[] = ".x.mp4.part";

/* A directory of its own for number, with a part that is old. */
static int open_nth(const char *root, int number)
{
    char name[32];
    int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd, file;

    snprintf(name, sizeof(name), "%d", number);
    mkdirat(root_fd, name, 0700);
    fd = openat(root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    file = openat(fd, part, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && file >= 0);
    assert_int_equal(futimens(file, old), 0);
    close(file);
    close(root_fd);
    return fd;
}

static void remove_nth(const char *root, int number)
{
    autofree char *dir = mem_printf("%s/%d", root, number);
    autofree char *file = fs_join(dir, part);

    unlink(file);
    assert_int_equal(rmdir(dir), 0);
}

/* Whether entering the directory swept it; the part is gone then, and only then. */
static bool enters(struct sweep *s, const char *root, int number)
{
    autoclose int fd = open_nth(root, number);
    bool swept = sweep_dir(s, fd);

    assert_int_equal(faccessat(fd, part, F_OK, 0) == 0, !swept);
    return swept;
}

static void a_directory_is_swept_once_an_hour(void **state)
{
    struct sweep s = {0};
    const char *root = *state;

    clock_freeze(1000, 1746533400000);
    assert_true(enters(&s, root, 1));
    assert_false(enters(&s, root, 1));
    assert_true(enters(&s, root, 2));
    clock_freeze(1000 + HOUR_MS - 1, 1746533400000);
    assert_false(enters(&s, root, 1));
    clock_freeze(1000 + HOUR_MS, 1746533400000);
    assert_true(enters(&s, root, 1));
    assert_false(enters(&s, root, 1));
    remove_nth(root, 1);
    remove_nth(root, 2);
}

static void what_is_remembered_has_an_end(void **state)
{
    struct sweep s = {0};
    const char *root = *state;

    for (int i = 0; i <= SWEEP_DIRS; i++) {
        clock_freeze(1000 + i, 1746533400000);
        assert_true(enters(&s, root, i));
    }
    assert_int_equal(s.n, SWEEP_DIRS);
    assert_false(enters(&s, root, SWEEP_DIRS));
    assert_false(enters(&s, root, 1));
    assert_true(enters(&s, root, 0)); /* the first made room for the last */
    for (int i = 0; i <= SWEEP_DIRS; i++)
        remove_nth(root, i);
}

static void what_is_no_directory_any_more_is_left_alone(void **state)
{
    struct sweep s = {0};

    (void)state;
    assert_false(sweep_dir(&s, -1));
    assert_int_equal(s.n, 0);
}

static int set_up(void **state)
{
    static char root[] = "/tmp/test_sweep.XXXXXX";

    *state = mkdtemp(root);
    return *state == NULL;
}

static int tear_down(void **state)
{
    clock_freeze(-1, -1);
    return rmdir(*state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_directory_is_swept_once_an_hour),
        cmocka_unit_test(what_is_remembered_has_an_end),
        cmocka_unit_test(what_is_no_directory_any_more_is_left_alone),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
