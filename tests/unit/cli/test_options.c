/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "cli/options.h"

#include <errno.h>
#include <string.h>

static const struct option_row rows[] = {
    {"wait", 'w', OPTION_FLAG, NULL, ""},
    {"force", 'f', OPTION_FLAG, NULL, ""},
    {"output", 'o', OPTION_TEXT, "FILE", ""},
    {"image", 'i', OPTION_LIST, "FILE", ""},
    {"timeout", 0, OPTION_DURATION, "DUR", ""},
    {"limit", 0, OPTION_NUMBER, "N", ""},
    {.name = NULL},
};

static const struct option_row *const tables[] = {rows, NULL};

static int parse(struct options *o, struct err *err, bool stop, const char *const *words)
{
    char *argv[16];
    int argc = 0;

    for (; words[argc] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc];
    *o = (struct options){0};
    return options_parse(o, tables, argc, argv, stop, err);
}

#define PARSE(o, err, ...) parse(o, err, false, (const char *const[]){__VA_ARGS__, NULL})

static void values_stand_beside_behind_or_after_equals(void **state)
{
    struct options o;
    struct err err;
    size_t at = 0;

    (void)state;
    assert_int_equal(PARSE(&o, &err, "-oa", "--image=x=y", "-i", "z", "word", "--timeout", "2m"),
                     7);
    assert_string_equal(options_text(&o, "output"), "a");
    assert_string_equal(options_next(&o, "image", &at), "x=y");
    assert_string_equal(options_next(&o, "image", &at), "z");
    assert_null(options_next(&o, "image", &at));
    assert_int_equal(options_ms(&o, "timeout", 0), 120000);
    assert_int_equal(o.n_words, 1);
    assert_string_equal(o.words[0], "word");
    options_clear(&o);
}

static void letters_may_stand_together(void **state)
{
    struct options o;
    struct err err;

    (void)state;
    assert_int_equal(PARSE(&o, &err, "-wfo", "out"), 2);
    assert_true(options_has(&o, "wait"));
    assert_true(options_has(&o, "force"));
    assert_string_equal(options_text(&o, "output"), "out");
    options_clear(&o);
}

static void the_last_use_of_a_text_counts(void **state)
{
    struct options o;
    struct err err;

    (void)state;
    assert_int_equal(PARSE(&o, &err, "-o", "a", "--limit", "7", "-o", "b"), 6);
    assert_string_equal(options_text(&o, "output"), "b");
    assert_int_equal(options_number(&o, "limit", 1), 7);
    assert_int_equal(options_number(&o, "absent", 1), 1);
    options_clear(&o);
}

static void a_dash_is_a_word_and_two_dashes_end_the_options(void **state)
{
    struct options o;
    struct err err;

    (void)state;
    assert_int_equal(PARSE(&o, &err, "-", "--", "--wait", "-w"), 4);
    assert_false(options_has(&o, "wait"));
    assert_int_equal(o.n_words, 3);
    assert_string_equal(o.words[0], "-");
    assert_string_equal(o.words[1], "--wait");
    options_clear(&o);
}

static void the_first_word_stops_when_asked_to(void **state)
{
    struct options o;
    struct err err;
    static const char *const words[] = {"-w", "submit", "-f", NULL};

    (void)state;
    assert_int_equal(parse(&o, &err, true, words), 1);
    assert_true(options_has(&o, "wait"));
    assert_false(options_has(&o, "force"));
    assert_int_equal(o.n_words, 0);
    options_clear(&o);
}

struct mistake {
    const char *words[4];
    const char *text; /* part of the error */
};

static void mistakes_are_named(void **state)
{
    static const struct mistake mistakes[] = {
        {{"--outptu", "x"}, "did you mean --output?"}, {{"--outptu=x"}, "did you mean --output?"},
        {{"--zzzzzz"}, "unknown option --zzzzzz"},     {{"-z"}, "unknown option -z"},
        {{"--output"}, "--output needs FILE"},         {{"-wo"}, "--output needs FILE"},
        {{"--wait=yes"}, "--wait takes no value"},     {{"--timeout", "soon"}, "not a duration"},
        {{"--limit=-1"}, "not a whole number"},        {{"--limit", "1x"}, "not a whole number"},
        {{"--output", "\xff"}, "not UTF-8"},           {{"\xff"}, "not UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        struct options o;
        struct err err = {.text = ""};

        assert_int_equal(parse(&o, &err, false, mistakes[i].words), -EINVAL);
        if (strstr(err.text, mistakes[i].text) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.text, mistakes[i].text);
        options_clear(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stand_beside_behind_or_after_equals),
        cmocka_unit_test(letters_may_stand_together),
        cmocka_unit_test(the_last_use_of_a_text_counts),
        cmocka_unit_test(a_dash_is_a_word_and_two_dashes_end_the_options),
        cmocka_unit_test(the_first_word_stops_when_asked_to),
        cmocka_unit_test(mistakes_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
