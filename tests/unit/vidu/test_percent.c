/* SPDX-License-Identifier: MIT */
#include "vidu/percent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void only_unreserved_characters_stay(void **state)
{
    struct buf out = BUF_INIT(1000);

    (void)state;
    percent_encode("aZ09-._~ /?&=+%\xc3\xa4\0", 18, &out);
    assert_string_equal(buf_text(&out), "aZ09-._~%20%2F%3F%26%3D%2B%25%C3%A4%00");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_unreserved_characters_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
