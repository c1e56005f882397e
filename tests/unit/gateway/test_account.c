/* SPDX-License-Identifier: MIT */
#include "gateway/account.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct hello_gateway two = {
    .n_providers = 2,
    .providers = {{(char *)"a", (char *)"vidu", (char *)"https://a", (char *)"ka", true},
                  {(char *)"b", (char *)"octopusx", (char *)"https://b", (char *)"kb", false}},
};

static void an_account_is_found_by_name_or_is_the_first(void **state)
{
    struct err err;

    (void)state;
    assert_string_equal(account_find(&two, "b", &err)->key, "kb");
    assert_string_equal(account_find(&two, NULL, &err)->key, "ka");
}

static void an_unknown_name_is_answered_with_the_known_ones(void **state)
{
    static const struct hello_gateway none;
    struct err err;

    (void)state;
    assert_null(account_find(&two, "c", &err));
    assert_non_null(strstr(err.text, "a, b"));
    assert_null(strstr(err.text, "ka"));
    assert_null(account_find(&none, NULL, &err));
    assert_non_null(strstr(err.text, "no provider"));
}

static void the_scheme_is_the_profile_s(void **state)
{
    char *a = account_authorization(&two.providers[0]);
    char *b = account_authorization(&two.providers[1]);

    (void)state;
    assert_string_equal(a, "Authorization: Token ka");
    assert_string_equal(b, "Authorization: Bearer kb");
    free(a);
    free(b);
}

static void incomplete_accounts_are_refused(void **state)
{
    struct hello_gateway h = two;
    struct err err;

    (void)state;
    assert_int_equal(account_check(&h, &err), 0);
    h.providers[1].key = (char *)"";
    assert_int_equal(account_check(&h, &err), -EINVAL);
    h = two;
    h.providers[1].base_url = NULL;
    assert_int_equal(account_check(&h, &err), -EINVAL);
    h = two;
    h.providers[0].profile = (char *)"x";
    assert_int_equal(account_check(&h, &err), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_found_by_name_or_is_the_first),
        cmocka_unit_test(an_unknown_name_is_answered_with_the_known_ones),
        cmocka_unit_test(the_scheme_is_the_profile_s),
        cmocka_unit_test(incomplete_accounts_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
