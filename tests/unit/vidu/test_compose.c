/* SPDX-License-Identifier: MIT */
#include "vidu/compose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *text, const char *composed)
{
    struct buf out = BUF_INIT(strlen(text)); /* never longer */

    compose_add(text, &out);
    assert_true(buf_ok(&out));
    assert_string_equal(buf_text(&out), composed);
    buf_free(&out);
}

static void letters_and_marks_become_one_character(void **state)
{
    (void)state;
    expect("e\xcc\x81", "\xc3\xa9");                    /* e acute */
    expect("A\xcc\x8angstrom", "\xc3\x85ngstrom");      /* A ring */
    expect("e\xcc\xa3\xcc\x82", "\xe1\xbb\x87");        /* two marks, Vietnamese */
    expect("\xce\xb1\xcc\x81", "\xce\xac");             /* Greek */
    expect("\xd0\xb8\xcc\x86", "\xd0\xb9");             /* Cyrillic */
    expect("\xe3\x81\x8b\xe3\x82\x99", "\xe3\x81\x8c"); /* kana with its voice mark */
    expect("\xe3\x83\x8f\xe3\x82\x9a", "\xe3\x83\x91");
    expect("a\xcc\x81"
           "b\xcc\x87"
           "c",
           "\xc3\xa1\xe1\xb8\x83"
           "c");
}

static void hangul_is_composed_by_arithmetic(void **state)
{
    (void)state;
    expect("\xe1\x84\x92\xe1\x85\xa1", "\xed\x95\x98");             /* lead, vowel */
    expect("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c"); /* and tail */
    expect("\xed\x95\x98\xe1\x86\xab", "\xed\x95\x9c");
    expect("\xed\x95\x9c\xe1\x86\xab", "\xed\x95\x9c\xe1\x86\xab"); /* has a tail */
    expect("\xe1\x84\x92\xe1\x86\xab", "\xe1\x84\x92\xe1\x86\xab"); /* no vowel */
    expect("\xed\x95\x98\xe1\x86\xa7", "\xed\x95\x98\xe1\x86\xa7"); /* before the first tail */
    expect("\xe1\x84\x92\xe1\x85\xb6", "\xe1\x84\x92\xe1\x85\xb6"); /* behind the last vowel */
}

static void everything_else_stays_as_it_is(void **state)
{
    (void)state;
    expect("", "");
    expect("plain", "plain");
    expect("\xc3\xa9 \xe7\x8c\xab \xf0\x9f\x9a\xa2", "\xc3\xa9 \xe7\x8c\xab \xf0\x9f\x9a\xa2");
    expect("\xcc\x81"
           "e",
           "\xcc\x81"
           "e");                      /* a mark with nothing before it */
    expect("q\xcc\x81", "q\xcc\x81"); /* there is no such character */
    expect("e-\xcc\x81", "e-\xcc\x81");
    expect("e\xff\xcc\x81", "e\xff\xcc\x81"); /* bytes that are no UTF-8 part them */
    expect("\xf0\x9d\x95\xa5\xcc\x81", "\xf0\x9d\x95\xa5\xcc\x81");
    expect("\xf0\x90\x81\xa5\xcc\x81", "\xf0\x90\x81\xa5\xcc\x81"); /* U+10065 is not U+0065 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_and_marks_become_one_character),
        cmocka_unit_test(hangul_is_composed_by_arithmetic),
        cmocka_unit_test(everything_else_stays_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
