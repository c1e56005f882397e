/* SPDX-License-Identifier: MIT */
#include "vidu/template.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *lookup(const char *name, void *ctx)
{
    static const char *const values[][2] = {
        {"task.id", "t3k9"},
        {"task.prompt", "a \"b\"/{url}\n"},
        {"url", "https://h/a?x=1&y=2"},
        {"task.err_msg", "<\xe4\xbd\xa0 & \x01'b'\xff>"},
        {"task.created_at", "2026-11-20T17:05:27.123Z"},
        {"task.tags.my-Album_2", "sea"},
    };

    (*(int *)ctx)++;
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        if (str_eq(values[i][0], name))
            return values[i][1];
    return "";
}

static void expect(const char *text, const char *filled)
{
    struct buf out = BUF_INIT(4096);
    struct err err = {{0}};
    int asked = 0;

    if (template_check(text, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    template_fill(text, lookup, &asked, &out);
    assert_string_equal(buf_text(&out), filled);
    buf_free(&out);
}

static void expect_refusal(const char *text, const char *why)
{
    struct err err = {{0}};

    assert_int_equal(template_check(text, &err), -EINVAL);
    assert_string_equal(err.text, why);
}

static void placeholders_become_values(void **state)
{
    (void)state;
    expect("", "");
    expect("plain", "plain");
    expect("--id={task.id}.", "--id=t3k9.");
    expect("{task.id}{task.id|raw}", "t3k9t3k9");
    expect("{task.model}", "");
}

static void two_braces_are_one(void **state)
{
    (void)state;
    expect("{{\"id\": {task.id|json}}}", "{\"id\": \"t3k9\"}");
    expect("{{task.id}}", "{task.id}");
    expect("{{{task.id}}}", "{t3k9}");
    expect("}}{{", "}{");
}

static void filters_escape_for_their_place(void **state)
{
    (void)state;
    expect("{task.prompt|json}", "\"a \\\"b\\\"/{url}\\n\"");
    expect("?u={url|url}", "?u=https%3A%2F%2Fh%2Fa%3Fx%3D1%26y%3D2");
    expect("{task.prompt|path}.mp4", "a b{url}.mp4");
}

static void filters_work_one_after_the_other(void **state)
{
    (void)state;
    expect("{task.prompt|trunc:3|json}", "\"a \\\"\"");
    expect("{task.prompt|json|trunc:4|raw}", "\"a \\");
    expect("{task.err_msg|trunc:3}", "<");
    expect("{task.err_msg|trunc:4|url}", "%3C%E4%BD%A0");
}

static void xml_holds_no_more_than_it_can(void **state)
{
    (void)state;
    expect("<p>{task.err_msg|xml}</p>",
           "<p>&lt;\xe4\xbd\xa0 &amp; &#39;b&#39;\xef\xbf\xbd&gt;</p>");
    expect("{task.prompt|xml}", "a &quot;b&quot;/{url}\n");
}

static void a_time_is_written_as_its_format_says(void **state)
{
    (void)state;
    expect("{task.created_at|%Y/%m}", "2026/11");
    expect("{task.created_at|%d.%m.%Y %H:%M:%S %%x}", "20.11.2026 17:05:27 %x");
    expect("{task.finished_at|%Y}", "");
    expect("{task.id|%Y}", "");
    expect("{task.created_at|%Y|json}", "\"2026\"");
}

static void a_tag_has_a_placeholder_of_its_own(void **state)
{
    (void)state;
    expect("{task.tags.my-Album_2}!{task.tags.other}", "sea!");
}

static void what_a_filter_cannot_finish_spoils_the_whole(void **state)
{
    struct buf out = BUF_INIT(8);
    int asked = 0;

    (void)state;
    template_fill("{task.prompt|json|trunc:2}", lookup, &asked, &out);
    assert_false(buf_ok(&out));
    buf_free(&out);
}

static void values_are_never_expanded(void **state)
{
    (void)state;
    expect("{task.prompt}", "a \"b\"/{url}\n");
}

#define LISTED "; `viduhook config placeholders` lists them, and a brace itself is written {{"

static void mistakes_are_named_with_a_suggestion(void **state)
{
    (void)state;
    expect_refusal("{task.idd}", "unknown placeholder \"task.idd\"; did you mean \"task.id\"?");
    expect_refusal("a {file.pth}", "unknown placeholder \"file.pth\"; did you mean \"file.path\"?");
    expect_refusal("{nonsense}", "unknown placeholder \"nonsense\"" LISTED);
    expect_refusal("{}", "unknown placeholder \"\"" LISTED);
    expect_refusal("{ task.id }", "unknown placeholder \" task.id \"; did you mean \"task.id\"?");
    expect_refusal("{task.id|jsn}", "unknown filter \"jsn\"; did you mean \"json\"?");
    expect_refusal("{task.id|}", "unknown filter \"\"");
    expect_refusal("{task.id|json|ulr}", "unknown filter \"ulr\"; did you mean \"url\"?");
    expect_refusal("{task.id||json}", "unknown filter \"\"");
    expect_refusal("{task.id|raw|raw|raw|raw|raw}", "more than 4 filters in one placeholder");
    expect_refusal("{task.id|json:3}", "this filter has no number behind it");
    expect_refusal("{task.id|trunc}", "trunc needs a number of bytes, 1 to 1000000: trunc:80");
    expect_refusal("{task.id|trunc:0}", "trunc needs a number of bytes, 1 to 1000000: trunc:80");
    expect_refusal("{task.id|trunc:8x}", "trunc needs a number of bytes, 1 to 1000000: trunc:80");
    expect_refusal("{task.created_at|%Q}", "a time has %Y %m %d %H %M %S, and %% is a %");
    expect_refusal("{task.created_at|%Y%}", "a time has %Y %m %d %H %M %S, and %% is a %");
    expect_refusal("{task.tags.}",
                   "unknown placeholder \"task.tags.\"; did you mean \"task.tags\"?");
    expect_refusal("{task.tags.a b}", "unknown placeholder \"task.tags.a b\"" LISTED);
    expect_refusal("{task.id", "a { without its }; write {{ for a brace");
    expect_refusal("{task{id}", "a { without its }; write {{ for a brace");
    expect_refusal("{", "a { without its }; write {{ for a brace");
    expect_refusal("a } b", "a } without its {; write }} for a brace");
    expect_refusal("{task.id}}", "a } without its {; write }} for a brace");
}

static void a_refused_template_is_filled_up_to_its_mistake(void **state)
{
    struct buf out = BUF_INIT(100);
    int asked = 0;

    (void)state;
    template_fill("a{task.id}{nope}{url}", lookup, &asked, &out);
    assert_string_equal(buf_text(&out), "at3k9");
    assert_int_equal(asked, 1);
    buf_free(&out);
}

static void every_name_and_variable_is_there_once(void **state)
{
    static const char *const variables[] = {
        "EVENT",      "TASK_ID",  "REMOTE_ID",  "PROVIDER",    "ENDPOINT",        "MODEL",
        "STATE",      "ERR_CODE", "PROMPT",     "URL",         "COVER_URL",       "FILE",
        "COVER_FILE", "TAGS",     "HOOK",       "RUN_ID",      "ATTEMPT",         "REPLAY",
        "SOURCE",     "DETAILS",  "AFTER_HOOK", "AFTER_STATE", "AFTER_EXIT_CODE", "AFTER_DETAIL",
    };
    size_t n = 0;

    (void)state;
    for (const struct template_name *t = template_names; t->name != NULL; t++) {
        assert_false(str_empty(t->help));
        n += t->env != NULL;
        for (const struct template_name *u = template_names; u < t; u++)
            assert_false(str_eq(t->name, u->name) || (t->env != NULL && str_eq(t->env, u->env)));
    }
    assert_int_equal(n, ARRAY_LEN(variables));
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        bool found = false;

        for (const struct template_name *t = template_names; t->name != NULL; t++)
            found = found || (t->env != NULL && str_starts(t->env, "VIDUHOOK_") &&
                              str_eq(t->env + strlen("VIDUHOOK_"), variables[i]));
        if (!found)
            fail_msg("%s", variables[i]);
    }
}

static void a_value_without_a_filter_fits_its_place(void **state)
{
    static const struct {
        enum template_place place;
        const char *text, *filled;
    } rows[] = {
        {TEMPLATE_PLAIN, "{task.prompt}", "a \"b\"/{url}\n"},
        {TEMPLATE_URL, "/x?p={task.prompt}", "/x?p=a%20%22b%22%2F%7Burl%7D%0A"},
        {TEMPLATE_JSON, "{{\"p\":\"{task.prompt}\"}}", "{\"p\":\"a \\\"b\\\"/{url}\\n\"}"},
        {TEMPLATE_LINE, "Title: {task.prompt}", "Title: a \"b\"/{url} "},
        {TEMPLATE_LINE, "Title: {task.prompt|raw}", "Title: a \"b\"/{url} "},
        {TEMPLATE_JSON, "\"{task.prompt|trunc:4}\"", "\"a \\\"b\""},
        {TEMPLATE_URL, "{task.prompt|path}", "a%20b%7Burl%7D"},
        {TEMPLATE_JSON, "{task.id|json} {task.prompt|url}", "\"t3k9\" a%20%22b%22%2F%7Burl%7D%0A"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        autobuf struct buf out = BUF_INIT(4096);
        int asked = 0;

        template_fill_at(rows[i].text, rows[i].place, lookup, &asked, &out);
        assert_string_equal(buf_text(&out), rows[i].filled);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placeholders_become_values),
        cmocka_unit_test(two_braces_are_one),
        cmocka_unit_test(filters_escape_for_their_place),
        cmocka_unit_test(filters_work_one_after_the_other),
        cmocka_unit_test(xml_holds_no_more_than_it_can),
        cmocka_unit_test(a_time_is_written_as_its_format_says),
        cmocka_unit_test(a_tag_has_a_placeholder_of_its_own),
        cmocka_unit_test(what_a_filter_cannot_finish_spoils_the_whole),
        cmocka_unit_test(values_are_never_expanded),
        cmocka_unit_test(a_value_without_a_filter_fits_its_place),
        cmocka_unit_test(mistakes_are_named_with_a_suggestion),
        cmocka_unit_test(a_refused_template_is_filled_up_to_its_mistake),
        cmocka_unit_test(every_name_and_variable_is_there_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
