/* The vectors of vidu-api.md 12.4. SPDX-License-Identifier: MIT */
#include "sim/sim_sign.h"

#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#define S1    "your_secret_token"
#define S2    "vda_0000000000000000_EXAMPLEexampleEXAMPLEexample1"
#define K10   "kkkkkkkkkk"
#define S3    K10 K10 K10 K10 K10 K10 K10 K10
#define HOST  "http://127.0.0.1:8080"
#define DATE  "Tue, 06 May 2025 12:09:42 GMT"
#define NONCE "123e4567-e89b-12d3-a456-426614174000"

#define USUAL                                                                                      \
    {                                                                                              \
        {"Date", DATE},                                                                            \
        {                                                                                          \
            "x-request-nonce", NONCE                                                               \
        }                                                                                          \
    }

static const struct {
    const char *id, *key, *url;
    struct sim_signed_field fields[4];
    const char *signature;
} vectors[] = {
    {"V01", S1, HOST "/vidu/callback?name=james&age=36", USUAL,
     "PrO4+kG4W+b3HOSimdHMHn8pnQ6YXQTseBDC/8yvvNA="},
    {"V02", S1, HOST "/vidu/callback", USUAL, "gEBIvkJCV/xfho8jV9zQGe8t/K8ewRatRNaIiHzsOo0="},
    {"V03", S1, HOST, USUAL, "jEcWM2v0K1wNyFI6/qKzNyjUN7lBHWiq7L0oaEK366o="},
    {"V04", S1, HOST "?x=1", USUAL, "8uSnZBRQyAwlfSvfUh2bDRq8kv2MCDSn38njM3uDKMo="},
    {"V05", S1, HOST "/?name=james&age=36", USUAL, "OiKIEfRYScepmLfPTmVY5VKTX4HVnmkIhaqi0IK+6Ig="},
    {"V06",
     S1,
     HOST "/vidu/callback?name=james&age=36",
     {{"x-request-nonce", NONCE}, {"Date", DATE}},
     "Z8ZlyWXqAHMN5QPzIRmGtI1OGmVLmWRo8uYRMTH8AZo="},
    {"V07",
     S1,
     HOST "/vidu/callback?name=james&age=36",
     {{"Date", DATE}},
     "Ru1jOm9QfNn2tZmN67pK4frD7Tg7baq4me1kntmiuVA="},
    {"V08",
     S1,
     HOST "/vidu/callback?name=james&age=36",
     {{"x-request-nonce", NONCE}},
     "PIAjKIbHPAZLEQjPjuQDFwfFpwvl6XJSj+Xwjper0TY="},
    {"V09",
     S1,
     HOST "/vidu/callback?name=james&age=36",
     {{"Date", DATE}, {"x-request-nonce", NONCE}, {"Content-Type", "application/json"}},
     "nmvbT+qNtW3eh8i9y6DnLbE9jgh0rlJ3h6SMxY8vvQs="},
    {"V10",
     S1,
     HOST "/vidu/callback?name=james&age=36",
     {{"date", DATE}, {"x-request-nonce", NONCE}},
     "SDejJur6ERD1Wvs3uysB+od+xBtObYN4owdH5yN7l3A="},
    {"V11",
     S1,
     HOST "/vidu/callback?name=james&age=36",
     {{"Date", DATE}, {"X-Request-Nonce", NONCE}},
     "GWmB/wWj92KovphTfnFey+BjGFJqjWoaQQHffDCYTyM="},
    {"V12",
     S1,
     HOST "/vidu/callback?name=james&age=36",
     {{"Date", DATE}, {"x-request-nonce", NONCE}, {"X-Extra", ""}},
     "sKOZOhsxIbeIF4ZpvRM3MhvhKIL37FDsjp3r0a8NNoE="},
    {"V13",
     S1,
     HOST "/vidu/callback?name=james&age=36",
     {{NULL, NULL}},
     "HkCw2OsmajPnwFij79wRkyYwYuLp6sQ2AYBctqMH/b4="},
    {"V14", S1, HOST "/vidu/callback?b=2&a=1&a=0&flag&e=", USUAL,
     "31agFx9cEwBEzc1iBdNSLE1nRn5MhgpPhkz8+a7Lsxs="},
    {"V15", S1, HOST "/vidu/callback?t=a%2Fb+c&u=%E4%BD%A0&amp=%26", USUAL,
     "7szlKit9yZLvVnlIdidlpXTQXb9u/ourtuZYn4ktC2o="},
    {"V16b", S1, HOST "/vidu/my%20hook", USUAL, "cSAWqxKuDGZIlk3mAT9pOg0VvQa/NW1x6NdAVZxlFtU="},
    {"V17a", S1, HOST "/vidu/cb;p=1", USUAL, "oMs8nqRZTPJfwEH86qyOEGzzLD12CMJ37NJcGYpIBOw="},
    {"V18", S1, HOST "//vidu//cb/", USUAL, "ULazqcTE/GMsgjndG4nZhUAWdZ0u+zLLEgup92ntlt8="},
    {"V19", S2, HOST "/cb/9f2c7e1ab04d4c7d8e55f00dcafe0001", USUAL,
     "GJDbuacdGnVenQGYXmofvj4R4SdOffY+b60bqieTFr0="},
    {"V20", S2, HOST "/cb?t=9f2c7e1ab04d4c7d8e55f00dcafe0001&v=1", USUAL,
     "KWMqRmpAGNPXhPE/sdgGVlJRU1batj6wxNDMhHFU4NU="},
    {"V21", S3, HOST "/vidu/callback?name=james&age=36", USUAL,
     "Q41WwklneUI/r7Y35v6rvZ5+cXOhNc8wnk/VAnbsLa8="},
};

static void published_vectors_come_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        char signature[SIM_SIGNATURE_LEN + 1];

        sim_sign(vectors[i].key, vectors[i].url, DATE, vectors[i].fields, signature);
        if (strcmp(signature, vectors[i].signature) != 0)
            fail_msg("%s gives %s", vectors[i].id, signature);
    }
}

static void another_day_gives_another_signature(void **state)
{
    static const char *const date = "Wed, 31 Dec 2025 23:59:59 GMT";
    const struct sim_signed_field fields[] = {
        {"Date", date},
        {"x-request-nonce", "00000000-0000-4000-8000-000000000000"},
        {NULL, NULL},
    };
    char signature[SIM_SIGNATURE_LEN + 1];

    (void)state;
    sim_sign(S2, HOST "/vidu/callback", date, fields, signature);
    assert_string_equal(signature, "xzIizXW4r60jo7RQ4o+v3eytRSlSjRNBrpj+Gx73sXk=");
}

static void a_fragment_is_not_signed(void **state)
{
    char with[SIM_SIGNATURE_LEN + 1];
    char without[SIM_SIGNATURE_LEN + 1];

    (void)state;
    sim_sign(S1, HOST "/cb?x=1#here/?y", DATE, vectors[0].fields, with);
    sim_sign(S1, HOST "/cb?x=1", DATE, vectors[0].fields, without);
    assert_string_equal(with, without);
    sim_sign(S1, HOST "#here", DATE, vectors[0].fields, with);
    assert_string_equal(with, vectors[2].signature);
}

static void nonces_are_version_4_uuids_and_differ(void **state)
{
    char a[SIM_NONCE_LEN + 1];
    char b[SIM_NONCE_LEN + 1];

    (void)state;
    sim_sign_nonce(a);
    sim_sign_nonce(b);
    assert_int_equal(strlen(a), SIM_NONCE_LEN);
    assert_int_equal(strspn(a, "0123456789abcdef-"), SIM_NONCE_LEN);
    assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' && a[23] == '-');
    assert_true(a[14] == '4' && strchr("89ab", a[19]) != NULL);
    assert_string_not_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_come_out),
        cmocka_unit_test(another_day_gives_another_signature),
        cmocka_unit_test(a_fragment_is_not_signed),
        cmocka_unit_test(nonces_are_version_4_uuids_and_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
