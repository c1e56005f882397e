/* SPDX-License-Identifier: MIT */
#include "base/str.h"
#include "runner/tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void add(struct tail *t, const char *text)
{
    tail_add(t, text, strlen(text));
}

/* What is taken from an offset on, and where that begins and ends. */
static void assert_range(const struct tail *t, uint64_t from, size_t max, bool over,
                         const char *text, uint64_t begin, uint64_t end)
{
    autobuf struct buf out = BUF_INIT(1024);

    assert_int_equal(tail_range(t, &from, max, over, &out), end);
    assert_int_equal(from, begin);
    assert_string_equal(buf_text(&out), text);
}

static void a_range_is_taken_as_far_as_it_is_kept(void **state)
{
    struct tail t = TAIL_INIT(8);

    (void)state;
    assert_range(&t, 0, 100, true, "", 0, 0);
    add(&t, "abcdef");
    assert_range(&t, 0, 100, false, "abcdef", 0, 6);
    assert_range(&t, 2, 3, false, "cde", 2, 5);
    assert_range(&t, 6, 100, false, "", 6, 6);
    add(&t, "ghijkl"); /* the ring has gone round */
    assert_range(&t, 0, 100, false, "efghijkl", 4, 12);
    assert_range(&t, 6, 100, false, "ghijkl", 6, 12);
    assert_range(&t, 7, 2, false, "hi", 7, 9);
    tail_free(&t);
}

static void a_character_is_not_cut_while_more_may_come(void **state)
{
    static const char *const whole[] = {"\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(whole); i++)
        for (size_t cut = 1; cut < strlen(whole[i]); cut++) {
            struct tail t = TAIL_INIT(64);
            char expected[16];

            add(&t, "x");
            tail_add(&t, whole[i], cut);
            assert_range(&t, 0, 100, false, "x", 0, 1);
            memset(expected, '?', sizeof(expected)); /* as many bytes as were written */
            expected[cut] = '\0';
            assert_range(&t, 1, 100, true, expected, 1, 1 + cut);
            add(&t, whole[i] + cut);
            assert_range(&t, 1, 100, false, whole[i], 1, 1 + strlen(whole[i]));
            assert_range(&t, 0, 1 + cut, true, "x", 0, 1); /* nor by the limit of a piece */
            tail_free(&t);
        }
}

static void what_never_is_a_character_holds_nothing_up(void **state)
{
    struct tail t = TAIL_INIT(64);

    (void)state;
    add(&t, "a\xff");
    assert_range(&t, 0, 100, false, "a?", 0, 2);
    add(&t, "\x80\x80\x80\x80");
    assert_range(&t, 2, 100, false, "????", 2, 6);
    tail_free(&t);
}

static void of_what_nothing_is_kept_the_length_is_told(void **state)
{
    struct tail t = TAIL_INIT(0);
    autobuf struct buf out = BUF_INIT(1024);

    (void)state;
    add(&t, "abc");
    assert_range(&t, 0, 100, true, "", 3, 3);
    tail_text(&t, &out);
    assert_string_equal(buf_text(&out), "[3 bytes before this were left out]\n");
    tail_free(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_is_taken_as_far_as_it_is_kept),
        cmocka_unit_test(a_character_is_not_cut_while_more_may_come),
        cmocka_unit_test(what_never_is_a_character_holds_nothing_up),
        cmocka_unit_test(of_what_nothing_is_kept_the_length_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
