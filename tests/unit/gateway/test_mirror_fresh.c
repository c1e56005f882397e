/* SPDX-License-Identifier: MIT */
#include "gateway/mirror_fresh.h"
#include "vidu/expiry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TAKEN 1750000000000LL

/* 2025-05-06T12:09:42Z */
#define MADE 1746533382000LL

static int64_t until(const char *url, const char *cover_url)
{
    json_t *creations = json_pack("[{s:s, s:s}]", "url", url, "cover_url", cover_url);
    int64_t ms = mirror_fresh_until(creations, TAKEN);

    json_decref(creations);
    return ms;
}

static void links_say_themselves_how_long_they_are_good(void **state)
{
    (void)state;
    assert_int_equal(until("https://a/x?Expires=1760000000&Signature=a", ""), 1760000000000);
    assert_int_equal(until("https://a/x?a=b&expires=1760000000", ""), 1760000000000);
    assert_int_equal(until("https://a/x?X-Amz-Date=20250506T120942Z&X-Amz-Expires=60", ""),
                     MADE + 60000);
    assert_int_equal(until("https://a/x?x-oss-expires=60&x-oss-date=20250506T120942Z&z", ""),
                     MADE + 60000);
    assert_int_equal(until("https://a/x?X-Amz-Expires=86400", ""), TAKEN + 86400000);
}

static void an_hour_is_assumed_where_they_do_not(void **state)
{
    static const char *const silent[] = {
        "https://a/x",           "https://a/x?",           "https://a/x?MyExpires=5",
        "https://a/x?Expires=",  "https://a/x?Expires=5x", "https://a/x?Expires=99999999999999999",
        "https://a/Expires=5/x",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(silent); i++)
        assert_int_equal(until(silent[i], ""), TAKEN + EXPIRY_DEFAULT_MS);
    /* Half a date is none. */
    assert_int_equal(until("https://a/x?X-Amz-Date=20250506T1209&X-Amz-Expires=60", ""),
                     TAKEN + 60000);
    assert_int_equal(until("https://a/x?X-Amz-Date=20259906T120942Z&X-Amz-Expires=60", ""),
                     TAKEN + 60000);
}

static void the_first_that_ends_counts(void **state)
{
    (void)state;
    assert_int_equal(until("https://a/x?Expires=1760000000", "https://a/c?Expires=1750000060"),
                     1750000060000);
    assert_int_equal(until("", ""), INT64_MAX);
    assert_int_equal(mirror_fresh_until(NULL, TAKEN), INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_say_themselves_how_long_they_are_good),
        cmocka_unit_test(an_hour_is_assumed_where_they_do_not),
        cmocka_unit_test(the_first_that_ends_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
