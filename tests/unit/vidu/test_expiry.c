/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "vidu/expiry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RECEIVED 1800000000000LL
#define HOUR     3600000LL

static void a_url_says_how_long_it_works(void **state)
{
    static const struct {
        const char *url;
        int64_t at;
    } rows[] = {
        {"https://x/a.mp4", RECEIVED + HOUR},
        {"https://x/a.mp4?", RECEIVED + HOUR},
        {"https://x/a.mp4?Expires=1800000060&Signature=x", 1800000060000},
        {"https://x/a.mp4?sig=x&expires=1800000060#Expires=1", 1800000060000},
        {"https://x/a.mp4?X-Amz-Date=20270115T080000Z&X-Amz-Expires=86400",
         1800000000000 + 24 * HOUR},
        {"https://x/a.mp4?X-Tos-Expires=60&X-Tos-Date=20270115T080000Z", 1800000060000},
        {"https://x/a.mp4?X-Amz-Expires=60", RECEIVED + 60000},
        {"https://x/a.mp4?X-Amz-Date=yesterday&X-Amz-Expires=60", RECEIVED + 60000},
        {"https://x/a.mp4?X-Amz-Date=20279915T080000Z&X-Amz-Expires=60", RECEIVED + 60000},
        {"https://x/a.mp4?Expires=soon", RECEIVED + HOUR},
        {"https://x/a.mp4?Expires=99999999999999999999", RECEIVED + HOUR},
        {"https://x/a.mp4#?Expires=1", RECEIVED + HOUR},
        {"https://x/a.mp4?Expires", RECEIVED + HOUR},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (expiry_of_url(rows[i].url, RECEIVED) != rows[i].at)
            fail_msg("%s: %lld", rows[i].url, (long long)expiry_of_url(rows[i].url, RECEIVED));
}

static void the_soonest_of_a_result_counts(void **state)
{
    (void)state;
    assert_int_equal(expiry_of_result("[{\"url\":\"https://x/?Expires=1800000060\"},"
                                      "{\"url\":\"https://x/?Expires=1800000030\"},{\"url\":\"\"}]",
                                      RECEIVED),
                     1800000030000);
    assert_int_equal(expiry_of_result("[{\"url\":\"\"}]", RECEIVED), 0);
    assert_int_equal(expiry_of_result("", RECEIVED), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_says_how_long_it_works),
        cmocka_unit_test(the_soonest_of_a_result_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
