/* Names of media-servers.md section 1. SPDX-License-Identifier: MIT */
#include "vidu/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect_cut(const char *text, size_t max, const char *name)
{
    struct buf out = BUF_INIT(4096);

    template_file_name(text, max, &out);
    assert_string_equal(buf_text(&out), name);
    assert_true(out.len <= max);
    buf_free(&out);
}

static void expect(const char *text, const char *name)
{
    expect_cut(text, 120, name);
}

static void harmless_names_stay(void **state)
{
    (void)state;
    expect("A cat on the moon", "A cat on the moon");
    expect("\xe4\xbd\xa0\xe5\xa5\xbd (1) [vidu-t3k9]", "\xe4\xbd\xa0\xe5\xa5\xbd (1) [vidu-t3k9]");
    expect("samples of party wine", "samples of party wine");
    expect("resample", "resample");
    expect("", "");
}

static void what_file_systems_dislike_goes(void **state)
{
    (void)state;
    expect("a/b\\c:d*e?f\"g<h>i|j", "abcdefghij");
    expect("../../etc/passwd", "etcpasswd");
    expect("..", "");
    expect(" . .hidden", "hidden");
    expect("end. . ", "end");
    expect("a\x01\x1b[31mb\x7f", "a[31mb");
    expect("line one\r\n\tline two", "line one line two");
    expect("bad \xff\xc3 bytes", "bad bytes");
}

static void what_moves_a_terminal_or_turns_a_name_round_goes(void **state)
{
    (void)state;
    expect("a\xc2\x9b"
           "31mb\xc2\x80\xc2\x9f",
           "a31mb");
    expect("4pm.\xe2\x80\xae"
           "exe\xe2\x80\xac\xe2\x80\xa8\xe2\x81\xa9",
           "4pm.exe");
    expect("\xef\xbb\xbf"
           "a\xd8\x9c\xe2\x80\x8f",
           "a");
    expect("\xc2\xa0"
           "a\xe2\x80\x8d"
           "b\xe2\x80\xaf"
           "c\xe2\x81\xa5",
           "\xc2\xa0"
           "a\xe2\x80\x8d"
           "b\xe2\x80\xaf"
           "c\xe2\x81\xa5");
}

static void the_same_title_is_the_same_name(void **state)
{
    (void)state;
    expect("cafe\xcc\x81", "caf\xc3\xa9");
    expect("caf\xc3\xa9", "caf\xc3\xa9");
    expect_cut("e\xcc\x81", 2, "\xc3\xa9"); /* composed before it is cut */
}

static void names_that_media_servers_hide_are_changed(void **state)
{
    (void)state;
    expect("a sample of it", "a sam_ple of it");
    expect("SAMPLE", "SAM_PLE");
    expect("x-sample", "x-sam_ple");
    expect("sample sample", "sam_ple sam_ple");
    expect("my-clip", "my-clip_");
    expect("my-Trailer12", "my-Trailer12_");
    expect("story part1", "story part1_");
    expect("story.cd 2", "story.cd 2_");
    expect("story disc-b", "story disc-b_");
    expect("part2", "part2_");
    expect("apart1", "apart1");
    expect("story part", "story part");
    expect("story parts", "story parts");
    expect("my clip", "my clip");
}

static void the_cut_never_splits_a_character_or_makes_a_hidden_name(void **state)
{
    (void)state;
    expect_cut("\xe4\xbd\xa0\xe5\xa5\xbd", 5, "\xe4\xbd\xa0");
    expect_cut("\xe4\xbd\xa0", 2, "");
    expect_cut("abc def", 4, "abc");
    expect_cut("x", 0, "");
    expect_cut("part1", 0, "");
    expect_cut("my-clips", 7, "my-cli_");
    expect_cut("a samples", 8, "a sampl_");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(harmless_names_stay),
        cmocka_unit_test(what_file_systems_dislike_goes),
        cmocka_unit_test(what_moves_a_terminal_or_turns_a_name_round_goes),
        cmocka_unit_test(the_same_title_is_the_same_name),
        cmocka_unit_test(names_that_media_servers_hide_are_changed),
        cmocka_unit_test(the_cut_never_splits_a_character_or_makes_a_hidden_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
