/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void globs_match_runs_and_single_bytes(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool fits;
    } rows[] = {
        {"viduq3*", "viduq3-turbo", true},
        {"viduq3*", "viduq2", false},
        {"*", "", true},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"*a*b*", "xxaxxbxx", true},
        {"*ab", "aab", true},
        {"", "", true},
        {"", "a", false},
        {"[a]", "[a]", true},
        {"A", "a", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(str_glob(rows[i].pattern, rows[i].text), rows[i].fits);
}

static void utf8_is_judged_by_the_standard_table(void **state)
{
    (void)state;
    assert_true(str_is_utf8("plain \xc3\xa9 \xe4\xb8\xad \xf0\x9f\x9a\x80", 17));
    assert_false(str_is_utf8("\xc0\x80", 2));         /* overlong */
    assert_false(str_is_utf8("\xed\xa0\x80", 3));     /* surrogate */
    assert_false(str_is_utf8("\xf4\x90\x80\x80", 4)); /* beyond U+10FFFF */
    assert_false(str_is_utf8("\xe4\xb8", 2));         /* cut */
    assert_int_equal(str_utf8_cut("a\xe4\xb8\xad", 4, 3), 1);
    assert_int_equal(str_utf8_cut("a\xe4\xb8\xad", 4, 4), 4);
}

static void numbers_are_digits_within_range(void **state)
{
    uint64_t value = 7;

    (void)state;
    assert_int_equal(str_to_u64("18446744073709551615", 20, UINT64_MAX, &value), 0);
    assert_true(value == UINT64_MAX);
    assert_int_equal(str_to_u64("18446744073709551616", 20, UINT64_MAX, &value), -ERANGE);
    assert_int_equal(str_to_u64("101", 3, 100, &value), -ERANGE);
    assert_int_equal(str_to_u64("+1", 2, 100, &value), -EINVAL);
    assert_int_equal(str_to_u64("", 0, 100, &value), -EINVAL);
    assert_true(value == UINT64_MAX); /* untouched by failures */
}

static void durations_and_sizes_have_units(void **state)
{
    int64_t ms;
    uint64_t bytes;

    (void)state;
    assert_int_equal(str_to_ms("90", &ms), 0);
    assert_int_equal(ms, 90000);
    assert_int_equal(str_to_ms("500ms", &ms), 0);
    assert_int_equal(ms, 500);
    assert_int_equal(str_to_ms("7d", &ms), 0);
    assert_int_equal(ms, 604800000);
    assert_int_equal(str_to_ms("1w", &ms), -EINVAL);
    assert_int_equal(str_to_ms("-1s", &ms), -EINVAL);
    assert_int_equal(str_to_ms("9223372036854775807d", &ms), -ERANGE);
    assert_int_equal(str_to_bytes("8MiB", &bytes), 0);
    assert_int_equal(bytes, 8388608);
    assert_int_equal(str_to_bytes("8MB", &bytes), -EINVAL);
}

static void sizes_and_durations_read_well(void **state)
{
    char size[16];
    char time[24];

    (void)state;
    str_from_bytes(512, size);
    assert_string_equal(size, "512 B");
    str_from_bytes(1536, size);
    assert_string_equal(size, "1.5 KiB");
    str_from_ms(95000, time);
    assert_string_equal(time, "1m35s");
    str_from_ms(250, time);
    assert_string_equal(time, "250ms");
}

static void distance_counts_single_edits(void **state)
{
    (void)state;
    assert_int_equal(str_distance("listen", "lisen"), 1);
    assert_int_equal(str_distance("listen", "silent"), 4);
    assert_int_equal(str_distance("", "abc"), 3);
    assert_int_equal(str_distance("same", "same"), 0);
    assert_int_equal(str_distance("lgo", "log"), 1);
    assert_int_equal(str_distance("ab", "ba"), 1);
    assert_int_equal(str_distance("lgoo", "logx"), 2);
}

static void an_error_that_is_cut_ends_with_a_whole_character(void **state)
{
    char text[2000];
    struct err err;

    (void)state;
    for (size_t before = 0; before < 4; before++) {
        memset(text, 'x', before);
        for (size_t i = before; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "\xe2\x82\xac", 4);
        assert_int_equal(err_set(&err, -1, "%s", text), -1);
        assert_true(str_is_utf8(err.text, strlen(err.text)));
        assert_true(strlen(err.text) + 4 >= sizeof(err.text));
        assert_int_equal(err_wrap(&err, -1, "at"), -1);
        assert_true(str_is_utf8(err.text, strlen(err.text)));
    }
}

static void what_is_hidden_is_told_by_its_character(void **state)
{
    static const struct {
        const char *text;
        uint32_t character;
        bool hidden;
    } rows[] = {
        {"a", 'a', false},
        {"\x1b", 0x1b, true},
        {"\xc2\x9b", 0x9b, true},
        {"\xc2\xa0", 0xa0, false},
        {"\xe2\x80\x8d", 0x200d, false}, /* joins the parts of emoji */
        {"\xe2\x80\xae", 0x202e, true},
        {"\xe4\xb8\xad", 0x4e2d, false},
        {"\xef\xbb\xbf", 0xfeff, true},
        {"\xf0\x9f\x9a\x80", 0x1f680, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t c = str_utf8_char(rows[i].text, strlen(rows[i].text));

        assert_int_equal(c, rows[i].character);
        assert_int_equal(str_is_hidden(c), rows[i].hidden);
    }
    assert_int_equal(str_utf8_char("\xff", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(globs_match_runs_and_single_bytes),
        cmocka_unit_test(utf8_is_judged_by_the_standard_table),
        cmocka_unit_test(numbers_are_digits_within_range),
        cmocka_unit_test(durations_and_sizes_have_units),
        cmocka_unit_test(sizes_and_durations_read_well),
        cmocka_unit_test(distance_counts_single_edits),
        cmocka_unit_test(what_is_hidden_is_told_by_its_character),
        cmocka_unit_test(an_error_that_is_cut_ends_with_a_whole_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
