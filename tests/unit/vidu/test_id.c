/* SPDX-License-Identifier: MIT */
#include "vidu/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_new_id_is_its_own_prefix(void **state)
{
    char a[TASK_ID_SIZE], b[TASK_ID_SIZE];

    (void)state;
    id_new_task(a);
    id_new_task(b);
    assert_int_equal(strlen(a), TASK_ID_LEN);
    assert_true(id_is_task_prefix(a));
    assert_string_not_equal(a, b);
    a[5] = '\0';
    assert_true(id_is_task_prefix(a));
}

static void prefixes_are_t_and_base32(void **state)
{
    static const char *const bad[] = {"",   "x", "T", "ta1", "tA", "t ", "t0", "taaaaaaaaaaaaa",
                                      "912"};

    (void)state;
    assert_true(id_is_task_prefix("t"));
    assert_true(id_is_task_prefix("t234567abcxyz"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (id_is_task_prefix(bad[i]))
            fail_msg("%s", bad[i]);
}

static bool is_remote(const char *text)
{
    return id_is_remote(text, strlen(text));
}

static void remote_ids_can_stand_in_a_path(void **state)
{
    static const char *const good[] = {"912345678901234567", "48038932-0ff5-4251-8b4b-000000000000",
                                       "task_1:a.b", "1"};
    static const char *const bad[] = {"", ".", "..", "-", "a/b", "a b", "a%2f", "a?b", "\xc3\xa4"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!is_remote(good[i]))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (is_remote(bad[i]))
            fail_msg("%s", bad[i]);
    assert_false(id_is_remote("a\0b", 3));
}

static void remote_ids_end_at_64_bytes(void **state)
{
    char text[65];

    (void)state;
    memset(text, '9', sizeof(text));
    assert_true(id_is_remote(text, 64));
    assert_false(id_is_remote(text, 65));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_id_is_its_own_prefix),
        cmocka_unit_test(prefixes_are_t_and_base32),
        cmocka_unit_test(remote_ids_can_stand_in_a_path),
        cmocka_unit_test(remote_ids_end_at_64_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
