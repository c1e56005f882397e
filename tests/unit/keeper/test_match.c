/* SPDX-License-Identifier: MIT */
#include "keeper/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "task_fixture.h"

static bool fits(struct conf_match match)
{
    struct store_task t = sample();

    return match_fits(&match, &t);
}

#define LIST(...)                                                                                  \
    {                                                                                              \
        .v = (char **)(const char *[]){__VA_ARGS__},                                               \
        .n = ARRAY_LEN(((const char *[]){__VA_ARGS__})),                                           \
    }

static void a_hook_without_conditions_fits_everything(void **state)
{
    (void)state;
    assert_true(fits((struct conf_match){.tags = {.n = 0}}));
}

static void every_condition_must_fit(void **state)
{
    (void)state;
    assert_true(fits((struct conf_match){.model = LIST("viduq2*", "viduq3*")}));
    assert_false(fits((struct conf_match){.model = LIST("viduq2*")}));
    assert_false(fits((struct conf_match){.model = LIST("viduq3*"), .provider = LIST("octopusx")}));
    assert_true(
        fits((struct conf_match){.endpoint = LIST("img2video"), .provider = LIST("vidu*")}));
}

static void tags_ask_for_presence_or_value_and_all_must_fit(void **state)
{
    (void)state;
    assert_true(fits((struct conf_match){.tags = LIST("album")}));
    assert_true(fits((struct conf_match){.tags = LIST("album=sum*", "n=1")}));
    assert_false(fits((struct conf_match){.tags = LIST("album", "missing")}));
    assert_false(fits((struct conf_match){.tags = LIST("album=winter")}));
    assert_false(fits((struct conf_match){.tags = LIST("albu")}));
}

static void payload_and_reason_are_patterns(void **state)
{
    (void)state;
    assert_true(fits((struct conf_match){.payload = LIST("x", "order-*")}));
    assert_false(fits((struct conf_match){.payload = LIST("order")}));
    assert_true(fits((struct conf_match){.err_code = LIST("*Policy*")}));
    assert_false(fits((struct conf_match){.err_code = LIST("Audit*")}));
}

static void duration_and_price_are_ranges(void **state)
{
    (void)state;
    assert_true(fits((struct conf_match){.duration = LIST("8", "4-6"), .credits = LIST(">=40")}));
    assert_false(fits((struct conf_match){.duration = LIST("4-6"), .credits = LIST(">40")}));
    assert_false(fits((struct conf_match){.duration = LIST(">5", "1-4")}));
}

static bool request_fits(const char *request, const char *range)
{
    struct conf_match match = {.duration = LIST(range)};
    struct store_task t = sample();

    t.request = request;
    return match_fits(&match, &t);
}

static void what_is_not_known_fits_no_range(void **state)
{
    struct conf_match match = {.credits = LIST(">=0")};
    struct store_task t = sample();

    (void)state;
    assert_true(match_fits(&match, &t));
    t.credits = -1;
    assert_false(match_fits(&match, &t));
    assert_true(request_fits("{\"duration\":2.5}", "2.4-2.6"));
    assert_false(request_fits("{\"duration\":2.5}", "2"));
    assert_false(request_fits("{}", ">=0"));
    assert_false(request_fits("", ">=0"));
    assert_false(request_fits("{\"duration\":\"5\"}", "5"));
    assert_false(request_fits("{\"duration\":-1}", "<5"));
    assert_false(request_fits("{\"duration\":1e300}", ">5"));
}

static void only_payload_and_duration_need_the_request(void **state)
{
    (void)state;
    assert_true(match_needs_request(&(struct conf_match){.payload = LIST("x")}));
    assert_true(match_needs_request(&(struct conf_match){.duration = LIST("5")}));
    assert_false(
        match_needs_request(&(struct conf_match){.tags = LIST("x"), .credits = LIST("5")}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hook_without_conditions_fits_everything),
        cmocka_unit_test(every_condition_must_fit),
        cmocka_unit_test(tags_ask_for_presence_or_value_and_all_must_fit),
        cmocka_unit_test(payload_and_reason_are_patterns),
        cmocka_unit_test(duration_and_price_are_ranges),
        cmocka_unit_test(what_is_not_known_fits_no_range),
        cmocka_unit_test(only_payload_and_duration_need_the_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
