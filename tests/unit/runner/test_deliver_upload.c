/* SPDX-License-Identifier: MIT */
#include "runner/deliver_upload.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_ending_that_downloads_give_has_a_type(void **state)
{
    static const char *const rows[][2] = {
        {"a.mp4", "video/mp4"},
        {"a.jpg", "image/jpeg"},
        {"a.png", "image/png"},
        {"a.webp", "image/webp"},
        {"a.gif", "image/gif"},
        {"a.mp3", "audio/mpeg"},
        {"a.wav", "audio/wav"},
        {"a.m4a", "audio/mp4"},
        {"a.flac", "audio/flac"},
        {"a.ogg", "audio/ogg"},
        {"a", "application/octet-stream"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(deliver_type_of(rows[i][0]), rows[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_ending_that_downloads_give_has_a_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
