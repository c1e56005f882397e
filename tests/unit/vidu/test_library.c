/* Layouts of a library (media-servers.md section 1). SPDX-License-Identifier: MIT */
#include "vidu/library.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void layouts_are_words_or_templates(void **state)
{
    static const struct {
        const char *layout, *complaint; /* NULL: fine */
    } rows[] = {
        {"flat", NULL},
        {"folder", NULL},
        {"{task.model}/{task.prompt}", NULL},
        {"a/b/c/d/e/f/g/{task.id}", NULL},
        {"a/b/c/d/e/f/g/h/{task.id}", "more than 8 components"},
        {"Flat", "must be flat, folder or a template"},
        {"a/b", "must be flat, folder or a template"},
        {"/{task.id}", "must not be empty"},
        {"{task.model}/", "must not be empty"},
        {"a//{task.id}", "must not be empty"},
        {"../{task.id}", "begin with a dot"},
        {"{task.id}/.x", "begin with a dot"},
        {"{file.name}", "not known before the download"},
        {"{run.attempt}/x", "not known before the download"},
        {"{task.idd}", "did you mean \"task.id\"?"},
        {"{task.id", "a { without its }"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        int rc = library_layout_check(rows[i].layout, &err);

        assert_int_equal(rc == 0, rows[i].complaint == NULL);
        if (rc != 0 && strstr(err.text, rows[i].complaint) == NULL)
            fail_msg("%s: %s", rows[i].layout, err.text);
    }
}

static const char *same(const char *name, void *ctx)
{
    (void)name;
    return ctx;
}

static void expect(const char *layout, size_t i, const char *value, const char *name)
{
    autobuf struct buf out = BUF_INIT(4096);
    char text[64];

    snprintf(text, sizeof(text), "%s", value);
    assert_true(library_component(layout, i, same, text, &out));
    assert_string_equal(buf_text(&out), name);
}

static void no_value_opens_or_leaves_a_folder(void **state)
{
    static const char layout[] = "x {task.model}/{task.prompt}";
    autobuf struct buf out = BUF_INIT(64);

    (void)state;
    expect(layout, 0, "a/../b", "x a..b");
    expect(layout, 1, "..", "_");
    expect(layout, 1, "../../etc/passwd", "etcpasswd");
    expect(layout, 1, "", "_");
    expect(layout, 1, "{task.id}", "{task.id}");
    assert_int_equal(library_count(layout), 2);
    assert_false(library_component(layout, 2, same, (char *)"x", &out));
}

static void folders_that_hide_their_content_are_renamed(void **state)
{
    static const char *const hiding[] = {"clips",      "shorts",      "scenes",    "samples",
                                         "extras",     "extra",       "other",     "trailers",
                                         "interviews", "featurettes", "backdrops", "theme-music"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hiding); i++)
        assert_true(library_hides(hiding[i]));
    assert_true(library_hides("Trailers"));
    assert_false(library_hides("trailer park"));
    expect("{task.model}/x", 0, "Trailers", "Trailers_");
    expect("{task.model}/x", 0, "viduq3", "viduq3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_are_words_or_templates),
        cmocka_unit_test(no_value_opens_or_leaves_a_folder),
        cmocka_unit_test(folders_that_hide_their_content_are_renamed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
