/* SPDX-License-Identifier: MIT */
#include "wire/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char text[] =
    "{\"event\":\"success\",\"run\":{\"id\":17,\"attempt\":2,\"hook\":\"archive\",\"replay\":true},"
    "\"task\":{\"id\":\"t3k9\",\"remote_id\":\"88\",\"prompt\":\"a {b}\",\"credits\":40,"
    "\"err_msg\":null,\"tags\":{\"album\":\"x\"}},"
    "\"result\":[{\"id\":\"c\",\"url\":\"https://u/v.mp4\",\"cover_url\":\"https://u/c\"}],"
    "\"source\":\"callback\",\"after\":{\"hook\":\"one\",\"exit_code\":3},\"details\":{\"run\":1},"
    "\"files\":["
    "{\"path\":\"/srv/c.jpg\",\"kind\":\"cover\"},{\"path\":\"/srv/"
    "w.mp4\",\"kind\":\"watermarked\"},"
    "{\"path\":\"/srv/v.mp4\",\"kind\":\"video\"},{\"path\":\"/srv/2.mp4\",\"kind\":\"video\"}]}";

static struct {
    const char *name, *want;
} const cases[] = {
    {"event", "success"},
    {"run.id", "17"},
    {"run.attempt", "2"},
    {"run.replay", "1"},
    {"hook", "archive"},
    {"task.id", "t3k9"},
    {"task.remote_id", "88"},
    {"task.prompt", "a {b}"},
    {"task.credits", "40"},
    {"task.tags", "{\"album\":\"x\"}"},
    {"task.err_msg", ""},
    {"task.model", ""},
    {"task.id.deeper", ""},
    {"url", "https://u/v.mp4"},
    {"cover_url", "https://u/c"},
    {"watermarked_url", ""},
    {"file.path", "/srv/v.mp4"},
    {"file.name", "v.mp4"},
    {"file.cover", "/srv/c.jpg"},
    {"source", "callback"},
    {"after.hook", "one"},
    {"after.exit_code", "3"},
    {"details", "{\"run\":1}"},
    {"nothing", ""},
    {"", ""},
};

static void every_name_has_its_value(void **state)
{
    json_t *context = json_loads(text, 0, NULL);
    struct run_lookup lookup = {.context = context, .scratch = BUF_INIT(65536)};
    size_t i;

    (void)state;
    assert_non_null(context);
    for (i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(run_look_up(cases[i].name, &lookup), cases[i].want);
    buf_free(&lookup.scratch);
    json_decref(context);
}

static void an_empty_context_has_empty_values(void **state)
{
    json_t *context = json_object();
    autobuf struct buf scratch = BUF_INIT(65536);
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(run_context_value(context, cases[i].name, &scratch), "");
    json_decref(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_has_its_value),
        cmocka_unit_test(an_empty_context_has_empty_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
