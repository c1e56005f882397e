/* SPDX-License-Identifier: MIT */
#include "wire/frame.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint16_t type;
static uint64_t id;
static uint32_t length;

static int read_head(const uint8_t *p, size_t n, size_t max)
{
    return frame_read_head(p, n, max, &type, &id, &length);
}

static void a_head_comes_back_as_it_was_written(void **state)
{
    uint8_t head[FRAME_HEAD];

    (void)state;
    frame_write_head(head, 0x0203, 0x1122334455667788, 0x01020304);
    assert_int_equal(read_head(head, sizeof(head), FRAME_MAX), 1);
    assert_int_equal(type, 0x0203);
    assert_true(id == 0x1122334455667788);
    assert_int_equal(length, 0x01020304);
}

static void the_bytes_are_little_endian(void **state)
{
    static const uint8_t want[FRAME_HEAD] = {4, 3, 2, 1, 6, 5, 0, 0, 15, 14, 13, 12, 11, 10, 9, 8};
    uint8_t head[FRAME_HEAD];

    (void)state;
    frame_write_head(head, 0x0506, 0x08090a0b0c0d0e0f, 0x01020304);
    assert_memory_equal(head, want, sizeof(want));
}

static void fewer_bytes_than_a_head_ask_for_more(void **state)
{
    uint8_t head[FRAME_HEAD];
    size_t n;

    (void)state;
    frame_write_head(head, 1, 2, 3);
    for (n = 0; n < FRAME_HEAD; n++)
        assert_int_equal(read_head(head, n, FRAME_MAX), 0);
}

static void a_length_over_the_limit_is_refused(void **state)
{
    uint8_t head[FRAME_HEAD];

    (void)state;
    frame_write_head(head, 1, 2, 100);
    assert_int_equal(read_head(head, sizeof(head), 100), 1);
    assert_int_equal(read_head(head, sizeof(head), 99), -EPROTO);
}

static void type_zero_and_used_spare_bytes_are_refused(void **state)
{
    uint8_t head[FRAME_HEAD];

    (void)state;
    frame_write_head(head, 0, 2, 3);
    assert_int_equal(read_head(head, sizeof(head), FRAME_MAX), -EPROTO);
    frame_write_head(head, 1, 2, 3);
    head[6] = 1;
    assert_int_equal(read_head(head, sizeof(head), FRAME_MAX), -EPROTO);
    head[6] = 0;
    head[7] = 1;
    assert_int_equal(read_head(head, sizeof(head), FRAME_MAX), -EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_comes_back_as_it_was_written),
        cmocka_unit_test(the_bytes_are_little_endian),
        cmocka_unit_test(fewer_bytes_than_a_head_ask_for_more),
        cmocka_unit_test(a_length_over_the_limit_is_refused),
        cmocka_unit_test(type_zero_and_used_spare_bytes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
