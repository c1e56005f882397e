/* SPDX-License-Identifier: MIT */
#include "sim/sim_options.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#define BIT(s) (1U << (s))

static int parse(struct sim_options *o, char **argv, int argc)
{
    struct err err;

    return sim_options_parse(o, argc, argv, &err);
}

#define PARSE(o, ...)                                                                              \
    parse((o), (char *[]){(char[]){"sim"}, __VA_ARGS__, NULL},                                     \
          (int)ARRAY_LEN(((char *[]){__VA_ARGS__})) + 1)
#define ARG(s) ((char[]){s})

static void nothing_given_is_complete(void **state)
{
    struct sim_options o;

    (void)state;
    assert_int_equal(parse(&o, (char *[]){ARG("sim"), NULL}, 1), 0);
    assert_string_equal(o.host, "127.0.0.1");
    assert_int_equal(o.port, 0);
    assert_int_equal(o.n_keys, 1);
    assert_string_equal(o.keys[0], "sim-key");
    assert_int_equal(o.step_ms, 1000);
    assert_int_equal(sim_options_draw(&o), 0);
}

static void values_stand_behind_or_in_the_option(void **state)
{
    struct sim_options o;

    (void)state;
    assert_int_equal(PARSE(&o, ARG("--time"), ARG("20ms"), ARG("--late=2m"), ARG("--key=a=b"),
                           ARG("--key"), ARG("c")),
                     0);
    assert_int_equal(o.step_ms, 20);
    assert_int_equal(o.late_ms, 120000);
    assert_int_equal(o.n_keys, 2);
    assert_string_equal(o.keys[0], "a=b");
    assert_int_not_equal(PARSE(&o, ARG("--time")), 0);
    assert_int_not_equal(PARSE(&o, ARG("--help=yes")), 0);
}

static void only_loopback_can_be_listened_on(void **state)
{
    static const char *const good[] = {"127.0.0.1:80", "127.9.9.9:0", "[::1]:65535"};
    static const char *const bad[] = {
        "0.0.0.0:80",      "[::]:80",      "192.0.2.1:80",  "localhost:80",
        "127.0.0.1",       "127.0.0.1:",   ":80",           "[::1]",
        "127.0.0.1:65536", "1270.0.0.1:1", "[127.0.0.1:80", "128.0.0.1:80"};
    struct sim_options o;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        autofree char *text = mem_strdup(good[i]);

        assert_int_equal(PARSE(&o, ARG("--listen"), text), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        autofree char *text = mem_strdup(bad[i]);

        if (PARSE(&o, ARG("--listen"), text) == 0)
            fail_msg("%s was taken", bad[i]);
    }
}

static void a_switch_hits_all_or_the_first(void **state)
{
    struct sim_options o;

    (void)state;
    assert_int_equal(PARSE(&o, ARG("--switch"), ARG("late,duplicate=2"), ARG("--switch=slow=1")),
                     0);
    assert_int_equal(sim_options_draw(&o), BIT(SIM_LATE) | BIT(SIM_DUPLICATE) | BIT(SIM_SLOW));
    assert_int_equal(sim_options_draw(&o), BIT(SIM_LATE) | BIT(SIM_DUPLICATE));
    assert_int_equal(sim_options_draw(&o), BIT(SIM_LATE));
}

static void wrong_switches_are_refused(void **state)
{
    struct sim_options o;

    (void)state;
    assert_int_not_equal(PARSE(&o, ARG("--switch"), ARG("lat")), 0);
    assert_int_not_equal(PARSE(&o, ARG("--switch"), ARG("late,")), 0);
    assert_int_not_equal(PARSE(&o, ARG("--switch"), ARG("late=0")), 0);
    assert_int_not_equal(PARSE(&o, ARG("--switch"), ARG("late=")), 0);
    assert_int_not_equal(PARSE(&o, ARG("--switch"), ARG("late=x")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_given_is_complete),
        cmocka_unit_test(values_stand_behind_or_in_the_option),
        cmocka_unit_test(only_loopback_can_be_listened_on),
        cmocka_unit_test(a_switch_hits_all_or_the_first),
        cmocka_unit_test(wrong_switches_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
