/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "cli/render.h"
#include "cli/story.h"

#include <string.h>

#define NOW INT64_C(1795194327000) /* 2026-11-20T17:05:27Z */

static void assert_rendered(void (*render)(const json_t *, size_t, bool, struct buf *),
                            const char *json, const char *text)
{
    json_t *rows = json_loads(json, 0, NULL);
    autobuf struct buf out = BUF_INIT(1U << 16);

    assert_non_null(rows);
    clock_freeze(1, NOW);
    render(rows, 0, false, &out);
    clock_freeze(-1, -1);
    assert_string_equal(buf_text(&out), text);
    json_decref(rows);
}

static void tasks_are_a_table(void **state)
{
    (void)state;
    assert_rendered(render_tasks,
                    "[{\"id\":\"tabcdefghijkl\",\"state\":\"success\",\"provider\":\"vidu\","
                    "\"endpoint\":\"img2video\",\"model\":\"viduq3\","
                    "\"created_at\":\"2026-11-20T17:00:27.000Z\",\"prompt\":\"a\\nb\\u001b[1m\"}]",
                    "ID        STATE    PROVIDER  ENDPOINT   MODEL   AGE  PROMPT\n"
                    "tabcdefg  success  vidu      img2video  viduq3   5m  a\\u000ab\\u001b[1m\n");
}

static void runs_are_a_table(void **state)
{
    (void)state;
    assert_rendered(
        render_runs,
        "[{\"id\":17,\"task\":\"tabcdefghijkl\",\"hook\":\"archive\",\"event\":\"success\","
        "\"state\":\"dead\",\"attempt\":8,\"finished_at\":\"2026-11-20T17:05:20.000Z\","
        "\"detail\":\"exit status 1\"}]",
        "RUN  TASK      HOOK     EVENT    STATE  ATTEMPT  AGE  DETAIL\n"
        " 17  tabcdefg  archive  success  dead         8   7s  exit status 1\n");
}

static void nothing_is_no_table(void **state)
{
    (void)state;
    assert_rendered(render_tasks, "[]", "");
    assert_rendered(render_runs, "[]", "");
    assert_rendered(render_files, "[]", "");
}

static const char story[] =
    "{\"task\":{\"id\":\"tabc\",\"endpoint\":\"img2video\",\"provider\":\"vidu\",\"model\":\"m\","
    "\"state\":\"processing\",\"next_look_at\":\"2026-11-20T17:15:27.000Z\"},"
    "\"events\":[{\"entry\":1,\"at\":\"2026-11-20T17:05:20.000Z\",\"source\":\"submit\","
    "\"verdict\":"
    "\"submitted\","
    "\"state\":\"submitted\",\"detail\":\"\"},"
    "{\"entry\":2,\"at\":\"2026-11-20T17:05:25.500Z\",\"source\":\"callback\",\"verdict\":"
    "\"quarantined\","
    "\"state\":\"submitted\",\"detail\":\"Date is \\u001b[2J old\"}],"
    "\"runs\":[{\"id\":17,\"hook\":\"archive\",\"event\":\"processing\",\"state\":\"ready\","
    "\"attempt\":2,\"due_at\":\"2026-11-20T17:06:27.000Z\",\"detail\":\"exit status 1\","
    "\"output\":\"one\\ntwo\\n\"},"
    "{\"id\":18,\"hook\":\"library\",\"event\":\"processing\",\"state\":\"waiting\",\"attempt\":0}]"
    ","
    "\"files\":[{\"created_at\":\"2026-11-20T17:05:21.000Z\",\"kind\":\"video\",\"bytes\":1536,"
    "\"run\":17,\"path\":\"/m/a\\nb.mp4\"},"
    "{\"created_at\":\"2026-11-20T17:05:26.000Z\",\"kind\":\"cover\",\"bytes\":10,"
    "\"run\":17,\"path\":\"/m/a.jpg\"}],"
    "\"next\":[{\"kind\":\"callback\",\"what\":\"a callback\",\"at\":\"\",\"why\":\"\"},"
    "{\"kind\":\"look\",\"what\":\"a look\",\"at\":\"2026-11-20T17:15:27.000Z\",\"why\":\"late\"},"
    "{\"kind\":\"ready\",\"what\":\"run 17\",\"at\":\"2026-11-20T17:05:27.000Z\",\"why\":\"\"}]"
    "}";

static void a_story_has_every_reason_and_what_comes_next(void **state)
{
    json_t *answer = json_loads(story, 0, NULL);
    autobuf struct buf out = BUF_INIT(1U << 16);

    (void)state;
    story_render(answer, NOW, false, &out);
    assert_string_equal(
        buf_text(&out),
        "tabc img2video vidu m processing\n"
        "\n"
        "  1  2026-11-20T17:05:20.000Z      0ms  submit submitted -> submitted\n"
        "     2026-11-20T17:05:21.000Z     1.0s  file video, 1.5 KiB, run 17: /m/a\\u000ab.mp4\n"
        "  2  2026-11-20T17:05:25.500Z     5.5s  callback quarantined: "
        "Date is \\u001b[2J old\n"
        "     2026-11-20T17:05:26.000Z     6.0s  file cover, 10 B, run 17: /m/a.jpg\n"
        "\n"
        "run 18 library on processing: waiting, attempt 0\n"
        "run 17 archive on processing: ready, attempt 2: exit status 1\n"
        "    | one\n"
        "    | two\n"
        "next: a callback\n"
        "next: a look in 10m (2026-11-20T17:15:27.000Z): late\n"
        "next: run 17 now\n");
    json_decref(answer);
}

static void a_finished_story_says_so(void **state)
{
    json_t *answer =
        json_loads("{\"task\":{\"id\":\"tabc\",\"state\":\"failed\",\"err_code\":\"C\","
                   "\"err_msg\":\"why\"},\"events\":[],\"runs\":[]}",
                   0, NULL);
    autobuf struct buf out = BUF_INIT(1U << 16);

    (void)state;
    story_render(answer, NOW, false, &out);
    assert_string_equal(buf_text(&out),
                        "tabc failed: C why\n\n\nnext: nothing more, this task is finished\n");
    json_decref(answer);
}

static void assert_event(const char *json, const char *text)
{
    json_t *event = json_loads(json, 0, NULL);
    autobuf struct buf out = BUF_INIT(4096);

    assert_non_null(event);
    render_event(event, false, &out);
    assert_string_equal(buf_text(&out), text);
    json_decref(event);
}

static void events_are_one_line_each(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    assert_event("{\"at\":\"2026-11-20T17:05:27.000Z\",\"event\":\"task\",\"task\":\"tabc\","
                 "\"state\":\"success\",\"source\":\"callback\",\"verdict\":\"accepted\"}",
                 "17:05:27  tabc  success (callback, accepted)");
    assert_event(
        "{\"at\":\"2026-11-20T17:05:27.000Z\",\"event\":\"run\",\"task\":\"tabc\",\"run\":17,"
        "\"hook\":\"archive\",\"state\":\"done\",\"attempt\":1,\"detail\":\"a\\nb\"}",
        "17:05:27  tabc  run 17 archive done, attempt 1: a\\u000ab");
    assert_event("{\"at\":\"2026-11-20T17:05:27.000Z\",\"event\":\"progress\",\"run\":17}", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_are_a_table),
        cmocka_unit_test(runs_are_a_table),
        cmocka_unit_test(nothing_is_no_table),
        cmocka_unit_test(a_story_has_every_reason_and_what_comes_next),
        cmocka_unit_test(a_finished_story_says_so),
        cmocka_unit_test(events_are_one_line_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
