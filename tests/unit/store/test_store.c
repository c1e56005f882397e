/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include "store_fixture.h"

#include <errno.h>

static void a_url_of_another_kind_is_refused(void **state)
{
    static const char *const urls[] = {"", "sqlite:", "mysql:/x", "/var/lib/x.db", "SQLITE:/x"};
    struct err err;
    struct store *s = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        assert_int_equal(store_open(urls[i], false, &s, &err), -EINVAL);
        assert_null(s);
        assert_non_null(strstr(err.text, "sqlite:/path"));
    }
}

static void closing_nothing_is_fine(void **state)
{
    (void)state;
    store_close(NULL);
}

static void states_of_runs_have_names_that_read_back(void **state)
{
    enum run_state back = RUN_WAITING;

    (void)state;
    for (enum run_state s = RUN_WAITING; s <= RUN_CANCELLED; s++) {
        assert_true(run_state_from_name(run_state_name(s), &back));
        assert_int_equal(back, s);
    }
    assert_false(run_state_from_name("unknown", &back));
    assert_false(run_state_from_name(NULL, &back));
    assert_string_equal(run_state_name((enum run_state)99), "unknown");
}

static void sources_have_names(void **state)
{
    (void)state;
    assert_string_equal(store_source_name(SOURCE_SUBMIT), "submit");
    assert_string_equal(store_source_name(SOURCE_OPERATOR), "operator");
    assert_string_equal(store_source_name((enum store_source)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_of_another_kind_is_refused),
        cmocka_unit_test(closing_nothing_is_fine),
        cmocka_unit_test(states_of_runs_have_names_that_read_back),
        cmocka_unit_test(sources_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
