/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_daemon.h"

static char dir[64];

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/viduhook-init-XXXXXX");
    return mkdtemp(dir) == NULL ? -1 : chdir(dir);
}

static int teardown(void **state)
{
    static const char *const names[] = {"new/viduhook.yaml", "new/cert.pem", "new/key.pem",
                                        "new/vidu.key"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unlink(names[i]);
    rmdir("new/media");
    rmdir("new");
    return chdir("/") < 0 ? -1 : rmdir(dir);
}

static mode_t mode_of(const char *name)
{
    struct stat st;

    assert_int_equal(stat(name, &st), 0);
    return st.st_mode & 07777;
}

static char *text_of(const char *name)
{
    char *text;
    size_t len;

    assert_int_equal(fs_read_file(name, 1U << 20, &text, &len, NULL), 0);
    return text;
}

static void a_new_folder_has_a_configuration_without_mistakes(void **state)
{
    struct printed p = VIDUHOOK("init", "new");

    (void)state;
    assert_int_equal(p.status, EXIT_OK);
    assert_non_null(strstr(p.out, "viduhookd -c "));
    assert_non_null(strstr(p.out, dir));
    printed_free(&p);
    assert_int_equal(mode_of("new/key.pem"), 0600);
    assert_int_equal(mode_of("new/vidu.key"), 0600);
    assert_int_equal(mode_of("new/media") & 0700, 0700);
    p = VIDUHOOK("config", "check", "new/viduhook.yaml");
    assert_int_equal(p.status, EXIT_OK);
    printed_free(&p);
}

static void a_second_time_nothing_is_touched(void **state)
{
    autofree char *key = text_of("new/vidu.key");
    autofree char *certificate = text_of("new/cert.pem");
    autofree char *still = NULL;
    autofree char *same = NULL;
    struct printed p = VIDUHOOK("init", "new");

    (void)state;
    assert_int_equal(p.status, EXIT_FAILED);
    assert_non_null(strstr(p.err, "viduhook.yaml exists"));
    printed_free(&p);
    assert_int_equal(unlink("new/viduhook.yaml"), 0);
    p = VIDUHOOK("init", "new");
    assert_int_equal(p.status, EXIT_OK);
    assert_non_null(strstr(p.err, "vidu.key: kept"));
    printed_free(&p);
    still = text_of("new/vidu.key");
    same = text_of("new/cert.pem");
    assert_string_equal(key, still);
    assert_string_equal(certificate, same);
}

static void a_mistake_is_reported_with_its_place(void **state)
{
    struct printed p;

    (void)state;
    assert_int_equal(fs_replace_file("new/viduhook.yaml", "recievers: 3\n", 13, 0600, NULL), 0);
    p = VIDUHOOK("-c", "new/viduhook.yaml", "config", "check");
    assert_int_equal(p.status, EXIT_FAILED);
    assert_non_null(strstr(p.err, "viduhook.yaml:1:1: "));
    printed_free(&p);
    p = VIDUHOOK("--json", "config", "check", "new/viduhook.yaml");
    assert_non_null(strstr(p.out, "\"ok\": false"));
    assert_non_null(strstr(p.out, "\"line\": 1"));
    assert_string_equal(p.err, "");
    printed_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_folder_has_a_configuration_without_mistakes),
        cmocka_unit_test(a_second_time_nothing_is_touched),
        cmocka_unit_test(a_mistake_is_reported_with_its_place),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
