/* The description beside a clip (media-servers.md section 1). SPDX-License-Identifier: MIT */
#include "vidu/nfo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<movie>\n"

static const char *const tags[] = {"viduq3", "album=a & b", ""};
static const struct nfo clip = {.title = "A cat on the moon",
                                .plot = "A cat on the moon",
                                .created_at = "2026-11-20T17:05:27.123Z",
                                .finished_at = "2026-11-20T17:06:01.000Z",
                                .task_id = "t3k9",
                                .tags = tags,
                                .n_tags = 3,
                                .number = 1};

static void expect_part(const struct nfo *nfo, const char *part)
{
    autobuf struct buf out = BUF_INIT(NFO_MAX);

    nfo_write(nfo, &out);
    assert_true(buf_ok(&out));
    if (strstr(buf_text(&out), part) == NULL)
        fail_msg("%s\nlacks\n%s", buf_text(&out), part);
}

static void expect_title(const char *title, const char *element)
{
    struct nfo nfo = clip;

    nfo.title = title;
    expect_part(&nfo, element);
}

static void the_elements_are_those_of_all_servers(void **state)
{
    autobuf struct buf out = BUF_INIT(NFO_MAX);

    (void)state;
    nfo_write(&clip, &out);
    assert_string_equal(buf_text(&out),
                        HEAD "  <title>A cat on the moon</title>\n"
                             "  <plot>A cat on the moon</plot>\n"
                             "  <premiered>2026-11-20</premiered>\n"
                             "  <dateadded>2026-11-20 17:06:01</dateadded>\n"
                             "  <studio>Vidu</studio>\n"
                             "  <genre>AI video</genre>\n"
                             "  <tag>viduq3</tag>\n"
                             "  <tag>album=a &amp; b</tag>\n"
                             "  <uniqueid type=\"vidu\" default=\"true\">t3k9</uniqueid>\n"
                             "  <lockdata>true</lockdata>\n"
                             "</movie>\n");
}

static void what_is_not_there_is_left_out(void **state)
{
    static const struct nfo bare = {.title = "x",
                                    .plot = "",
                                    .created_at = "yesterday",
                                    .finished_at = "2026-11-20T17:06",
                                    .task_id = ""};
    autobuf struct buf out = BUF_INIT(NFO_MAX);

    (void)state;
    nfo_write(&bare, &out);
    assert_string_equal(buf_text(&out), HEAD "  <title>x</title>\n"
                                             "  <studio>Vidu</studio>\n"
                                             "  <genre>AI video</genre>\n"
                                             "  <lockdata>true</lockdata>\n"
                                             "</movie>\n");
}

static void nothing_in_a_text_is_markup(void **state)
{
    (void)state;
    expect_title("</title><x a=\"1\" b='2'>&amp;",
                 "<title>&lt;/title&gt;&lt;x a=\"1\" b='2'&gt;&amp;amp;</title>");
    expect_title("]]>", "<title>]]&gt;</title>");
}

static void what_xml_cannot_hold_goes(void **state)
{
    (void)state;
    expect_title("a\x01\x1b[31mb\x7f", "<title>a[31mb</title>");
    expect_title("bad \xff\xc3 bytes", "<title>bad bytes</title>");
    expect_title("\xef\xbf\xbe-\xef\xbf\xbf-\xc2\x85", "<title>--</title>");
    expect_title("\xe7\x8c\xab \xef\xbf\xbd", "<title>\xe7\x8c\xab \xef\xbf\xbd</title>");
}

static void a_title_is_one_line_and_a_plot_keeps_its_lines(void **state)
{
    struct nfo nfo = clip;

    (void)state;
    expect_title(" one\r\n\ttwo", "<title>one two</title>");
    nfo.plot = "one\r\ntwo\tthree";
    expect_part(&nfo, "<plot>one \ntwo three</plot>");
}

static void further_creations_are_told_apart(void **state)
{
    struct nfo nfo = clip;

    (void)state;
    nfo.number = 2;
    expect_part(&nfo, "<title>A cat on the moon (2)</title>");
}

static void everything_has_a_limit_between_characters(void **state)
{
    static const char *many[1000];
    autofree char *title = mem_calloc(3 * 1000 + 1, 1);
    autofree char *plot = mem_calloc((1U << 20) + 1, 1);
    autobuf struct buf out = BUF_INIT(NFO_MAX);
    struct nfo nfo = clip;

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        memcpy(title + 3 * i, "\xe7\x8c\xab", 3);
    memset(plot, '&', 1U << 20);
    for (size_t i = 0; i < 1000; i++)
        many[i] = plot;
    nfo.title = title + 3 * 959; /* 41 characters: 123 bytes */
    nfo.plot = nfo.task_id = plot;
    nfo.tags = many;
    nfo.n_tags = 1000;
    nfo_write(&nfo, &out);
    assert_true(buf_ok(&out));
    assert_ptr_equal(strstr(buf_text(&out), "</title>"),
                     strstr(buf_text(&out), "<title>") + strlen("<title>") + 120);
    assert_true(str_ends(buf_text(&out), "</movie>\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_elements_are_those_of_all_servers),
        cmocka_unit_test(what_is_not_there_is_left_out),
        cmocka_unit_test(nothing_in_a_text_is_markup),
        cmocka_unit_test(what_xml_cannot_hold_goes),
        cmocka_unit_test(a_title_is_one_line_and_a_plot_keeps_its_lines),
        cmocka_unit_test(further_creations_are_told_apart),
        cmocka_unit_test(everything_has_a_limit_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
