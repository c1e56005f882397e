/* SPDX-License-Identifier: MIT */
#include "base/fs.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/viduhook-fs-XXXXXX");
    return mkdtemp(dir) == NULL;
}

static int remove_dir(void **state)
{
    autofree char *command = mem_printf("rm -rf %s", dir);

    (void)state;
    return system(command);
}

static void a_replaced_file_has_new_bytes_and_mode(void **state)
{
    autofree char *path = fs_join(dir, "secret");
    autofree char *data = NULL;
    struct err err;
    struct stat st;
    size_t n;

    (void)state;
    assert_int_equal(fs_create_file(path, "one", 3, 0644, &err), 0);
    assert_int_equal(fs_replace_file(path, "second", 6, 0600, &err), 0);
    assert_int_equal(fs_read_file(path, 6, &data, &n, &err), 0);
    assert_string_equal(data, "second");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_file_is_never_created_over_another(void **state)
{
    autofree char *path = fs_join(dir, "taken");
    autofree char *temp = mem_printf("%s.%d.tmp", path, (int)getpid());
    autofree char *data = NULL;
    struct err err;
    size_t n;

    (void)state;
    assert_int_equal(fs_create_file(path, "first", 5, 0600, &err), 0);
    assert_int_equal(fs_create_file(path, "other", 5, 0600, &err), -EEXIST);
    assert_int_equal(fs_read_file(path, 100, &data, &n, &err), 0);
    assert_string_equal(data, "first");
    assert_int_equal(access(temp, F_OK), -1); /* nothing left behind */
}

static void reading_is_bounded_and_only_of_files(void **state)
{
    autofree char *path = fs_join(dir, "big");
    char *data = NULL;
    struct err err;
    size_t n;

    (void)state;
    assert_int_equal(fs_create_file(path, "0123456789", 10, 0600, &err), 0);
    assert_int_equal(fs_read_file(path, 9, &data, &n, &err), -EFBIG);
    assert_int_equal(fs_read_file(dir, 9, &data, &n, &err), -EINVAL);
    assert_non_null(strstr(err.text, dir));
    assert_int_equal(fs_read_file("/nonexistent", 9, &data, &n, &err), -ENOENT);
    assert_null(data);
}

static void a_secret_is_not_read_from_a_file_of_every_user(void **state)
{
    autofree char *path = fs_join(dir, "key");
    char *data = NULL;
    struct err err;
    size_t n;

    (void)state;
    assert_int_equal(fs_create_file(path, "s", 1, 0604, &err), 0);
    assert_int_equal(fs_read_private_file(path, 9, &data, &n, &err), -EPERM);
    assert_non_null(strstr(err.text, "mode 0604"));
    assert_null(data);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(fs_read_private_file(path, 9, &data, &n, &err), 0);
    free(data);
}

static void directories_are_made_on_the_way(void **state)
{
    autofree char *deep = fs_join(dir, "a/b/c");
    autofree char *file = fs_join(dir, "a/file");
    autofree char *below = fs_join(file, "x");
    struct err err;

    (void)state;
    assert_int_equal(fs_mkdirs(deep, 0755, &err), 0);
    assert_int_equal(fs_mkdirs(deep, 0755, &err), 0);
    assert_int_equal(fs_create_file(file, "", 0, 0600, &err), 0);
    assert_true(fs_mkdirs(below, 0755, &err) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replaced_file_has_new_bytes_and_mode),
        cmocka_unit_test(a_file_is_never_created_over_another),
        cmocka_unit_test(reading_is_bounded_and_only_of_files),
        cmocka_unit_test(a_secret_is_not_read_from_a_file_of_every_user),
        cmocka_unit_test(directories_are_made_on_the_way),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
