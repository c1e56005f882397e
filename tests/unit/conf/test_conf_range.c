/* SPDX-License-Identifier: MIT */
#include "conf/conf_range.h"

#include "conf_fixture.h"

static bool has(const char *range, int64_t thousandths)
{
    struct conf_list list = {.v = (char **)&range, .n = 1};

    return conf_ranges_have(&list, thousandths);
}

static void both_ends_belong_to_a_range(void **state)
{
    (void)state;
    assert_true(has("4-8", 4000) && has("4-8", 8000) && has("4-8", 5500));
    assert_false(has("4-8", 3999) || has("4-8", 8001));
    assert_true(has("5", 5000) && has("2.5", 2500) && has("0.125-0.25", 250));
    assert_false(has("5", 5001) || has("2.5", 2000));
}

static void bounds_are_open_or_not(void **state)
{
    (void)state;
    assert_true(has(">=5", 5000) && has(">5", 5001) && has("<=5", 5000) && has("<5", 4999));
    assert_false(has(">=5", 4999) || has(">5", 5000) || has("<=5", 5001) || has("<5", 5000));
}

static void one_of_several_is_enough_and_none_fits_all(void **state)
{
    const char *ranges[] = {"1-2", ">=8"};
    struct conf_list list = {.v = (char **)ranges, .n = 2};

    (void)state;
    assert_true(conf_ranges_have(&list, 9000) && conf_ranges_have(&list, 1000));
    assert_false(conf_ranges_have(&list, 5000));
    assert_true(conf_ranges_have(&(struct conf_list){.n = 0}, 5000));
}

#define HOOK(text) CONF_GOOD "hooks:\n  - { name: a, exec: /bin/true, match: { " text " } }\n"
#define AT         "DIR/viduhook.yaml:5:"
#define NOT(column, option, text)                                                                  \
    AT column ": 'hooks[].match." option "' must be a number or a range such as 5, 4-8, >=5 or "   \
              "<10, not '" text "'\n"

static void what_is_no_range_is_refused(void **state)
{
    static const struct conf_case cases[] = {
        {HOOK("duration: [5, 4-8, '>=5', '<10', 2.5]"), ""},
        {HOOK("credits: '>=100'"), ""},
        {HOOK("duration: 8-4"), NOT("52", "duration", "8-4")},
        {HOOK("duration: [long, '> 5']"),
         NOT("53", "duration", "long") NOT("59", "duration", "> 5")},
        {HOOK("credits: 1.2345"), NOT("51", "credits", "1.2345")},
        {HOOK("credits: '5.'"), NOT("51", "credits", "5.")},
        {HOOK("credits: 1.0001"), NOT("51", "credits", "1.0001")},
        {HOOK("credits: .5"), NOT("51", "credits", ".5")},
        {HOOK("credits: 9999999999.5"), NOT("51", "credits", "9999999999.5")},
        {HOOK("credits: 4-"), NOT("51", "credits", "4-")},
        {HOOK("credits: ''"), NOT("51", "credits", "")},
        {HOOK("credits: '-5'"), NOT("51", "credits", "-5")},
        {HOOK("credits: '>='"), NOT("51", "credits", ">=")},
        {HOOK("credits: '>=5x'"), NOT("51", "credits", ">=5x")},
        {HOOK("credits: 4-8-9"), NOT("51", "credits", "4-8-9")},
        {HOOK("credits: 99999999999999999999"), NOT("51", "credits", "99999999999999999999")},
        {HOOK("durations: 5"),
         AT "42: unknown option 'hooks[].match.durations'; did you mean 'duration'?\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_belong_to_a_range),
        cmocka_unit_test(bounds_are_open_or_not),
        cmocka_unit_test(one_of_several_is_enough_and_none_fits_all),
        CONF_TEST(what_is_no_range_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
