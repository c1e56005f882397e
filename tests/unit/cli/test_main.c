/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/commands.h"
#include "fake_daemon.h"
#include "vidu/request.h"

#define ROWS_END                                                                                   \
    {                                                                                              \
        NULL, 0, NULL, NULL                                                                        \
    }

static void assert_has(const char *text, const char *part)
{
    if (strstr(str_or(text, ""), part) == NULL)
        fail_msg("\"%s\" does not have \"%s\"", str_or(text, ""), part);
}

static void assert_status(const struct printed *p, int status)
{
    if (p->status != status)
        fail_msg("exit status %d, not %d; out \"%s\" err \"%s\"", p->status, status, p->out,
                 p->err);
}

/* The status of one command and a part of what it said on stderr. */
static void assert_fails(struct printed p, int status, const char *part)
{
    assert_status(&p, status);
    assert_has(p.err, part);
    printed_free(&p);
}

static void what_cannot_be_understood_is_a_usage_error(void **state)
{
    (void)state;
    assert_fails(viduhook((const char *const[]){NULL}), EXIT_USAGE, "no command");
    assert_fails(VIDUHOOK("sumbit"), EXIT_USAGE, "did you mean submit?");
    assert_fails(VIDUHOOK("config", "chekc"), EXIT_USAGE, "did you mean config check?");
    assert_fails(VIDUHOOK("config"), EXIT_USAGE, "unknown command config");
    assert_fails(VIDUHOOK("--sokcet", "x", "list"), EXIT_USAGE, "did you mean --socket?");
    assert_fails(VIDUHOOK("list", "--stat", "x"), EXIT_USAGE, "did you mean --state?");
    assert_fails(VIDUHOOK("list", "--state", "done"), EXIT_USAGE, "--state done");
    assert_fails(VIDUHOOK("runs", "--state", "success"), EXIT_USAGE, "--state success");
    assert_fails(VIDUHOOK("show"), EXIT_USAGE, "usage: viduhook show ID");
    assert_fails(VIDUHOOK("show", "a", "b"), EXIT_USAGE, "too many arguments");
    assert_fails(VIDUHOOK("retry"), EXIT_USAGE, "--dead");
    assert_fails(VIDUHOOK("retry", "--dead", "3"), EXIT_USAGE, "--dead");
    assert_fails(VIDUHOOK("retry", "3", "--hook", "h"), EXIT_USAGE, "--hook");
    assert_fails(VIDUHOOK("retry", "t3k9"), EXIT_USAGE, "not the number of a run");
    assert_fails(VIDUHOOK("adopt", "123"), EXIT_USAGE, "--provider");
    assert_fails(VIDUHOOK("adopt", "a/b", "--provider", "vidu"), EXIT_USAGE, "not an id");
    assert_fails(VIDUHOOK("submit", "img2vidoe"), EXIT_USAGE, "did you mean img2video?");
    assert_fails(VIDUHOOK("-c", "/nonexistent.yaml", "list"), EXIT_USAGE,
                 "/nonexistent.yaml: there is no such file; `viduhook init DIR`");
    assert_fails(VIDUHOOK("help", "nothing"), EXIT_USAGE, "unknown command nothing");
}

static void every_command_explains_itself(void **state)
{
    (void)state;
    for (const struct command *c = commands; c->name != NULL; c++) {
        autofree char *name = mem_strdup(c->name);
        char *second = strchr(name, ' ');
        struct printed p;

        if (c->run == NULL)
            continue;
        if (second != NULL)
            *second++ = '\0';
        p = second != NULL ? VIDUHOOK(name, second, "--help") : VIDUHOOK(name, "--help");
        assert_status(&p, EXIT_OK);
        assert_has(p.out, c->usage);
        for (const struct option_row *row = c->options; row->name != NULL; row++)
            assert_has(p.out, row->name);
        printed_free(&p);
    }
}

static void help_and_versions_are_printed(void **state)
{
    struct printed p = VIDUHOOK("help");

    (void)state;
    for (const struct command *c = commands; c->name != NULL; c++)
        assert_has(p.out, c->name);
    printed_free(&p);
    p = VIDUHOOK("help", "config", "show");
    assert_has(p.out, "usage: viduhook config show");
    printed_free(&p);
    p = VIDUHOOK("help", "--names");
    assert_has(p.out, "\nconfig\ninit\n");
    printed_free(&p);
    p = VIDUHOOK("config", "--help");
    assert_status(&p, EXIT_OK);
    assert_has(p.out, "usage: viduhook config show [--file]\n");
    assert_has(p.out, "usage: viduhook config check [FILE]\n");
    printed_free(&p);
    p = VIDUHOOK("--version");
    assert_status(&p, EXIT_OK);
    assert_has(p.out, "libevent/");
    assert_has(p.out, "OpenSSL/");
    assert_has(p.out, "SQLite/");
    printed_free(&p);
}

static void every_option_of_the_configuration_is_listed(void **state)
{
    struct printed p = VIDUHOOK("config", "options");

    (void)state;
    for (size_t i = 0; i < conf_option_count(); i++) {
        autofree char *start =
            mem_printf("%s\t%s\t", conf_option_at(i)->name, conf_option_at(i)->type);

        assert_has(p.out, start);
    }
    printed_free(&p);
}

static void sim_gets_its_arguments_unread(void **state)
{
    struct printed p = VIDUHOOK("--json", "sim", "--port", "0", "--oddity");

    (void)state;
    assert_status(&p, 42);
    assert_has(p.out, "sim with 4 arguments, the last is --oddity");
    printed_free(&p);
    p = VIDUHOOK("help", "sim");
    assert_has(p.out, "sim with 2 arguments, the last is --help");
    printed_free(&p);
}

static void without_a_daemon_every_question_exits_7(void **state)
{
    static const char *const questions[][6] = {
        {"--socket=/nonexistent/s", "list"},
        {"--socket=/nonexistent/s", "show", "t3"},
        {"--socket=/nonexistent/s", "explain", "t3"},
        {"--socket=/nonexistent/s", "runs"},
        {"--socket=/nonexistent/s", "watch"},
        {"--socket=/nonexistent/s", "retry", "1"},
        {"--socket=/nonexistent/s", "trigger"},
        {"--socket=/nonexistent/s", "status"},
        {"--socket=/nonexistent/s", "reload"},
        {"--socket=/nonexistent/s", "config", "show"},
        {"--socket=/nonexistent/s", "adopt", "12", "--provider", "vidu"},
        {"--socket=/nonexistent/s", "submit", "text2video"},
        {"--socket=/nonexistent/s", "submit", "text2video", "--wait"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(questions); i++)
        assert_fails(viduhook(questions[i]), EXIT_UNREACHABLE, "/nonexistent/s does not exist");
}

static void errors_are_json_when_asked_for(void **state)
{
    struct printed p = VIDUHOOK("--json", "--socket=/nonexistent/s", "status");
    json_t *json = json_loads(p.out, 0, NULL);

    (void)state;
    assert_status(&p, EXIT_UNREACHABLE);
    assert_has(json_string_value(json_object_get(json, "error")), "/nonexistent/s");
    json_decref(json);
    printed_free(&p);
}

static void the_exit_status_of_the_daemon_is_ours(void **state)
{
    static const struct fake_row rows[] = {
        {"watch", EXIT_OK, "{}", NULL},
        {"show", EXIT_NOT_FOUND, "{\"error\":\"there is no task t9\"}", NULL},
        {"submit", EXIT_REFUSED,
         "{\"error\":\"vidu refused it: HTTP 400 bad \\u001b[1m\",\"http_status\":400,"
         "\"task\":\"tabc\",\"trace_id\":\"tr1\"}",
         NULL},
        {"reload", EXIT_FAILED, "{\"error\":\"kept\",\"findings\":[\"x.yaml:3:1: no\"]}", NULL},
        ROWS_END};
    struct fake fake;
    struct printed p;

    (void)state;
    fake_start(&fake, rows);
    assert_fails(VIDUHOOK("--socket", fake.socket, "show", "t9"), EXIT_NOT_FOUND,
                 "there is no task t9");
    assert_fails(VIDUHOOK("--socket", fake.socket, "watch", "t9"), EXIT_NOT_FOUND,
                 "there is no task t9");
    assert_fails(VIDUHOOK("--socket", fake.socket, "reload"), EXIT_FAILED, "x.yaml:3:1: no");
    p = VIDUHOOK("--socket", fake.socket, "submit", "text2video");
    assert_status(&p, EXIT_REFUSED);
    assert_string_equal(p.out, "");
    assert_has(p.err, "vidu refused it: HTTP 400 bad \\u001b[1m\n");
    assert_has(p.err, "task: tabc\n");
    assert_has(p.err, "trace_id: tr1\n");
    printed_free(&p);
    fake_stop(&fake);
}

static void answers_are_text_or_json(void **state)
{
    static const struct fake_row rows[] = {
        {"list", EXIT_OK, "{\"tasks\":[{\"id\":\"tabcdefgh\",\"state\":\"queued\"}]}", NULL},
        {"retry", EXIT_OK, "{\"runs\":[17]}", NULL},
        {"config", EXIT_OK, "{\"yaml\":\"a: b\\n\"}", NULL},
        {"status", EXIT_OK, "{\"version\":\"9\",\"rooms\":[{\"name\":\"keeper\",\"pid\":4}]}",
         NULL},
        ROWS_END};
    struct fake fake;
    struct printed p;
    json_t *json;

    (void)state;
    fake_start(&fake, rows);
    p = VIDUHOOK("list", "--socket", fake.socket);
    assert_status(&p, EXIT_OK);
    assert_has(p.out, "tabcdefg  queued");
    printed_free(&p);
    p = VIDUHOOK("list", "--json", "--socket", fake.socket);
    json = json_loads(p.out, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(json, "tasks")), 1);
    json_decref(json);
    printed_free(&p);
    p = VIDUHOOK("--socket", fake.socket, "retry", "17");
    assert_string_equal(p.out, "run 17 will be tried again\n");
    printed_free(&p);
    p = VIDUHOOK("--socket", fake.socket, "config", "show");
    assert_string_equal(p.out, "a: b\n");
    printed_free(&p);
    p = VIDUHOOK("--socket", fake.socket, "status");
    assert_string_equal(p.out, "version     9\nrooms       name keeper  pid 4\n");
    printed_free(&p);
    fake_stop(&fake);
}

static void filters_travel_with_the_question(void **state)
{
    static const struct fake_row rows[] = {{"list", EXIT_OK, "ECHO", NULL},
                                           {"runs", EXIT_OK, "ECHO", NULL},
                                           {"adopt", EXIT_OK, "ECHO", NULL},
                                           ROWS_END};
    struct fake fake;
    struct printed p;

    (void)state;
    fake_start(&fake, rows);
    p = VIDUHOOK("--json", "--socket", fake.socket, "list", "--state", "failed", "--tag", "a=b",
                 "--limit", "7");
    assert_has(p.out, "\"state\": \"failed\"");
    assert_has(p.out, "\"tag\": \"a=b\"");
    assert_has(p.out, "\"limit\": 7");
    printed_free(&p);
    p = VIDUHOOK("--json", "--socket", fake.socket, "runs", "--task", "t3", "--hook", "h");
    assert_has(p.out, "\"task\": \"t3\"");
    assert_has(p.out, "\"hook\": \"h\"");
    printed_free(&p);
    p = VIDUHOOK("--json", "--socket", fake.socket, "adopt", "12", "-p", "vidu", "-t", "a=b");
    assert_has(p.out, "\"remote_id\": \"12\"");
    assert_has(p.out, "\"a\": \"b\"");
    printed_free(&p);
    fake_stop(&fake);
}

static void urls_are_shown_whole_only_when_asked_for(void **state)
{
    static const struct fake_row rows[] = {
        {"show", EXIT_OK,
         "{\"task\":{\"id\":\"tabc\",\"state\":\"success\",\"result\":[{\"id\":\"1\",\"url\":"
         "\"https://m.example/a.mp4?secret=1\",\"cover_url\":\"\"}]},\"files\":[],\"runs\":[]}",
         NULL},
        ROWS_END};
    struct fake fake;
    struct printed p;

    (void)state;
    fake_start(&fake, rows);
    p = VIDUHOOK("--socket", fake.socket, "show", "tabc");
    assert_has(p.out, "https://m.example/a.mp4?...");
    assert_null(strstr(p.out, "secret"));
    printed_free(&p);
    p = VIDUHOOK("--json", "--socket", fake.socket, "show", "tabc");
    assert_null(strstr(p.out, "secret"));
    printed_free(&p);
    p = VIDUHOOK("--socket", fake.socket, "show", "tabc", "--urls");
    assert_has(p.out, "https://m.example/a.mp4?secret=1");
    printed_free(&p);
    fake_stop(&fake);
}

#define SUBMITTED "{\"task\":\"tabc\",\"remote_id\":\"9\",\"state\":\"submitted\"}"
#define SHOWN(state, more)                                                                         \
    "{\"task\":{\"id\":\"tabc\",\"state\":\"" state "\"" more "},\"files\":[],\"runs\":[]}"
#define CHANGED(state)                                                                             \
    "{\"event\":\"task\",\"task\":\"tabc\",\"state\":\"" state "\",\"source\":\"callback\"}"

static void submit_prints_the_id(void **state)
{
    static const struct fake_row rows[] = {{"submit", EXIT_OK, SUBMITTED, NULL}, ROWS_END};
    struct fake fake;
    struct printed p;

    (void)state;
    fake_start(&fake, rows);
    p = VIDUHOOK("--socket", fake.socket, "submit", "text2video", "--prompt", "x");
    assert_status(&p, EXIT_OK);
    assert_string_equal(p.out, "tabc\n");
    printed_free(&p);
    fake_stop(&fake);
}

static void submit_sends_the_body_and_the_tags(void **state)
{
    static const struct fake_row rows[] = {
        {"submit", EXIT_OK, "BLOB", NULL}, {"submit", EXIT_OK, "ECHO", NULL}, ROWS_END};
    struct fake fake;
    struct printed p;

    (void)state;
    fake_start(&fake, rows);
    p = VIDUHOOK("--json", "--socket", fake.socket, "submit", "text2video", "--prompt", "x y");
    assert_has(p.out, "\"prompt\": \"x y\"");
    printed_free(&p);
    p = VIDUHOOK("--json", "--socket", fake.socket, "submit", "text2video", "-p", "vidu-cn", "-t",
                 "album=x");
    assert_has(p.out, "\"provider\": \"vidu-cn\"");
    assert_has(p.out, "\"endpoint\": \"text2video\"");
    assert_has(p.out, "\"album\": \"x\"");
    printed_free(&p);
    fake_stop(&fake);
}

static void a_body_of_the_greatest_size_arrives(void **state)
{
    static const struct fake_row rows[] = {{"submit", EXIT_OK, SUBMITTED, NULL}, ROWS_END};
    char file[] = "/tmp/viduhook-body-XXXXXX";
    int fd = mkstemp(file);
    autofree char *filler = mem_calloc(REQUEST_MAX_BODY, 1);
    struct fake fake;
    struct printed p;

    (void)state;
    memset(filler, 'x', REQUEST_MAX_BODY - 1);
    memcpy(filler, "{\"k\":\"", 6);
    memcpy(filler + REQUEST_MAX_BODY - 3, "\"}", 2);
    assert_int_equal(fs_write_all(fd, filler, strlen(filler)), 0);
    close(fd);
    fake_start(&fake, rows);
    p = VIDUHOOK("--socket", fake.socket, "submit", "text2video", "--body", file);
    assert_status(&p, EXIT_OK);
    printed_free(&p);
    fake_stop(&fake);
    unlink(file);
}

static void waiting_ends_with_success(void **state)
{
    static const struct fake_row rows[] = {
        {"watch", EXIT_OK, "{}", NULL},
        {"submit", EXIT_OK, SUBMITTED, NULL},
        {"show", EXIT_OK, SHOWN("submitted", ""), CHANGED("processing")},
        {"show", EXIT_OK, SHOWN("processing", ""), CHANGED("success")},
        {"show", EXIT_OK, SHOWN("success", ",\"credits\":4"), NULL},
        ROWS_END};
    struct fake fake;
    struct printed p;

    (void)state;
    fake_start(&fake, rows);
    p = VIDUHOOK("--socket", fake.socket, "submit", "text2video", "--wait");
    assert_status(&p, EXIT_OK);
    assert_string_equal(p.out, "tabc\n");
    assert_has(p.err, "tabc processing\ntabc success\n");
    printed_free(&p);
    fake_stop(&fake);
    fake_start(&fake, rows);
    p = VIDUHOOK("--socket", fake.socket, "--json", "submit", "text2video", "--wait");
    assert_status(&p, EXIT_OK);
    assert_has(p.out, "\"state\": \"success\"");
    assert_has(p.out, "\"credits\": 4");
    printed_free(&p);
    fake_stop(&fake);
}

static void waiting_goes_on_when_the_daemon_is_reloaded(void **state)
{
    static const struct fake_row rows[] = {{"watch", EXIT_OK, "{}", NULL},
                                           {"submit", EXIT_OK, SUBMITTED, NULL},
                                           {"show", EXIT_OK, SHOWN("submitted", ""), FAKE_DROP},
                                           {"show", EXIT_OK, SHOWN("success", ""), NULL},
                                           ROWS_END};
    struct fake fake;
    struct printed p;

    (void)state;
    fake_start(&fake, rows);
    p = VIDUHOOK("--socket", fake.socket, "submit", "text2video", "--wait");
    assert_status(&p, EXIT_OK);
    assert_has(p.err, "tabc success");
    printed_free(&p);
    fake_stop(&fake);
}

static void waiting_for_a_failure_exits_8(void **state)
{
    static const struct fake_row garbled[] = {{"watch", EXIT_OK, "{}", NULL},
                                              {"submit", EXIT_OK, SUBMITTED, NULL},
                                              {"show", EXIT_OK, "[]", NULL},
                                              ROWS_END};
    static const struct fake_row rows[] = {
        {"watch", EXIT_OK, "{}", NULL},
        {"submit", EXIT_OK, SUBMITTED, NULL},
        {"show", EXIT_OK, SHOWN("submitted", ""), CHANGED("failed")},
        {"show", EXIT_OK, SHOWN("failed", ",\"err_code\":\"Policy\",\"err_msg\":\"no\""), NULL},
        ROWS_END};
    struct fake fake;

    (void)state;
    fake_start(&fake, rows);
    assert_fails(VIDUHOOK("--socket", fake.socket, "submit", "text2video", "--wait"),
                 EXIT_TASK_FAILED, "tabc failed: Policy: no");
    fake_stop(&fake);
    fake_start(&fake, garbled); /* an answer that cannot be read is no success either */
    assert_fails(VIDUHOOK("--socket", fake.socket, "submit", "text2video", "--wait"),
                 EXIT_UNREACHABLE, "cannot be read");
    fake_stop(&fake);
}

static void waiting_too_long_exits_6(void **state)
{
    static const struct fake_row rows[] = {{"watch", EXIT_OK, "{}", NULL},
                                           {"submit", EXIT_OK, SUBMITTED, NULL},
                                           {"show", EXIT_OK, SHOWN("processing", ""), NULL},
                                           ROWS_END};
    struct fake fake;
    struct printed p;

    (void)state;
    fake_start(&fake, rows);
    p = VIDUHOOK("--socket", fake.socket, "submit", "text2video", "--timeout", "50ms");
    assert_status(&p, EXIT_TIMED_OUT);
    assert_string_equal(p.out, "tabc\n");
    assert_has(p.err, "viduhook watch tabc");
    printed_free(&p);
    assert_fails(VIDUHOOK("--socket", fake.socket, "watch", "tabc", "--timeout", "50ms"),
                 EXIT_TIMED_OUT, "timed out");
    fake_stop(&fake);
}

static void what_a_provider_says_at_length_is_said_whole(void **state)
{
    autofree char *many = mem_calloc(100001, 1);
    autofree char *json = NULL;
    struct fake_row rows[] = {{"show", EXIT_NOT_FOUND, NULL, NULL}, ROWS_END};
    struct fake fake;

    (void)state;
    memset(many, 'x', 100000);
    json = mem_printf("{\"error\":\"%s.\"}", many);
    rows[0].json = json;
    fake_start(&fake, rows);
    assert_fails(VIDUHOOK("--socket", fake.socket, "show", "t9"), EXIT_NOT_FOUND, "xxx.\n");
    fake_stop(&fake);
}

static void a_file_that_exists_is_refused_before_anything_is_sent(void **state)
{
    static const struct fake_row rows[] = {{"watch", EXIT_OK, "{}", NULL},
                                           {"submit", EXIT_REFUSED, "{\"error\":\"sent\"}", NULL},
                                           ROWS_END};
    char file[] = "/tmp/viduhook-out-XXXXXX";
    int fd = mkstemp(file);
    struct fake fake;

    (void)state;
    close(fd);
    fake_start(&fake, rows);
    assert_fails(VIDUHOOK("--socket", fake.socket, "submit", "text2video", "-o", file), EXIT_FAILED,
                 "--force replaces it");
    assert_fails(VIDUHOOK("--socket", fake.socket, "submit", "text2video", "-o", "/nonexistent/x"),
                 EXIT_FAILED, "/nonexistent");
    assert_fails(VIDUHOOK("--socket", fake.socket, "submit", "text2video", "-o", "/tmp"),
                 EXIT_FAILED, "no regular file");
    assert_fails(VIDUHOOK("--socket", fake.socket, "submit", "text2video", "-f", "-o", file),
                 EXIT_REFUSED, "sent");
    fake_stop(&fake);
    unlink(file);
}

static void a_dry_run_needs_no_daemon_and_shows_no_key(void **state)
{
    struct printed p =
        VIDUHOOK("--socket=/nonexistent/s", "submit", "img2video", "-p", "octopusx", "--model",
                 "viduq3-turbo", "--prompt", "x", "--image", "https://x/1.png", "--dry-run");

    (void)state;
    assert_status(&p, EXIT_OK);
    assert_has(p.out, "POST https://octopusx.ai/vidu/ent/v2/img2video\n");
    assert_has(p.out, "Authorization: Bearer [redacted]\n");
    assert_has(p.out, "\"images\": [\n    \"https://x/1.png\"\n  ]");
    assert_null(strstr(p.err, "callback_url"));
    printed_free(&p);
    p = VIDUHOOK("--json", "submit", "text2video", "-p", "vidu-cn", "--dry-run");
    assert_has(p.out, "\"url\": \"https://api.vidu.cn/ent/v2/text2video\"");
    assert_has(p.err, "warning: ");
    assert_has(p.err, "adds callback_url");
    printed_free(&p);
    assert_fails(VIDUHOOK("submit", "text2video", "-p", "nobody", "--dry-run"), EXIT_USAGE,
                 "--provider nobody");
}

static void watching_one_task_ends_with_its_runs(void **state)
{
#define WITH_RUN(state)                                                                            \
    "{\"task\":{\"id\":\"tabc\",\"state\":\"success\"},\"runs\":[{\"id\":1,\"state\":\"" state     \
    "\"}]}"
    static const struct fake_row rows[] = {
        {"watch", EXIT_OK, "{}", NULL},
        {"show", EXIT_OK, SHOWN("processing", ""),
         "{\"event\":\"task\",\"task\":\"tother\",\"state\":\"success\"}"},
        {"show", EXIT_OK, SHOWN("processing", ""), CHANGED("success")},
        {"show", EXIT_OK, WITH_RUN("running"),
         "{\"event\":\"run\",\"task\":\"tabc\",\"run\":1,\"hook\":\"h\",\"state\":\"done\"}"},
        {"show", EXIT_OK, WITH_RUN("done"), NULL},
        ROWS_END};
    static const struct fake_row dead[] = {
        {"watch", EXIT_OK, "{}", NULL}, {"show", EXIT_OK, WITH_RUN("dead"), NULL}, ROWS_END};
    static const struct fake_row failed[] = {
        {"watch", EXIT_OK, "{}", NULL}, {"show", EXIT_OK, SHOWN("lost", ""), NULL}, ROWS_END};
    struct fake fake;
    struct printed p;

    (void)state;
    fake_start(&fake, rows);
    p = VIDUHOOK("--socket", fake.socket, "watch", "ta");
    assert_status(&p, EXIT_OK);
    assert_has(p.out, "tabc  success (callback");
    assert_has(p.out, "tabc  run 1 h done");
    assert_null(strstr(p.out, "tother"));
    printed_free(&p);
    fake_stop(&fake);
    fake_start(&fake, dead);
    assert_fails(VIDUHOOK("--socket", fake.socket, "watch", "ta"), EXIT_FAILED, "");
    fake_stop(&fake);
    fake_start(&fake, failed);
    assert_fails(VIDUHOOK("--socket", fake.socket, "watch", "ta"), EXIT_TASK_FAILED, "");
    fake_stop(&fake);
}

static void a_trigger_waits_for_every_first_attempt(void **state)
{
#define RUNS(one, two)                                                                             \
    "{\"runs\":[{\"id\":1,\"hook\":\"a\"," one "},{\"id\":2,\"hook\":\"b\"," two "}]}"
    static const struct fake_row rows[] = {
        {"watch", EXIT_OK, "{}", NULL},
        {"trigger", EXIT_OK, "{\"task\":\"tabc\",\"runs\":[1,2]}", NULL},
        {"runs", EXIT_OK,
         RUNS("\"state\":\"ready\",\"attempt\":0", "\"state\":\"running\",\"attempt\":1"),
         CHANGED("success")},
        {"runs", EXIT_OK, RUNS("\"state\":\"done\",\"output\":\"hello\\n\"", "\"state\":\"done\""),
         NULL},
        ROWS_END};
    static const struct fake_row again[] = {
        {"watch", EXIT_OK, "{}", NULL},
        {"trigger", EXIT_OK, "{\"task\":\"tabc\",\"runs\":[1,2]}", NULL},
        {"runs", EXIT_OK,
         RUNS("\"state\":\"done\"",
              "\"state\":\"ready\",\"attempt\":1,\"detail\":\"exit status 3\""),
         NULL},
        ROWS_END};
    struct fake fake;
    struct printed p;

    (void)state;
    fake_start(&fake, rows);
    p = VIDUHOOK("--socket", fake.socket, "trigger");
    assert_status(&p, EXIT_OK);
    assert_string_equal(p.out, "a: done\n    | hello\nb: done\n");
    printed_free(&p);
    fake_stop(&fake);
    fake_start(&fake, again);
    p = VIDUHOOK("--socket", fake.socket, "trigger", "--hook", "b");
    assert_status(&p, EXIT_FAILED);
    assert_has(p.out, "b: failed: exit status 3\n");
    printed_free(&p);
    fake_stop(&fake);
}

static void output_that_cannot_be_written_is_a_failure(void **state)
{
    int saved = dup(STDOUT_FILENO);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    char *argv[] = {(char[]){"viduhook"}, (char[]){"help"}, NULL};
    int status;

    (void)state;
    fflush(stdout);
    dup2(full, STDOUT_FILENO);
    status = cli_main(2, argv, fake_sim);
    dup2(saved, STDOUT_FILENO);
    clearerr(stdout);
    close(saved);
    close(full);
    assert_int_equal(status, EXIT_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_understood_is_a_usage_error),
        cmocka_unit_test(every_command_explains_itself),
        cmocka_unit_test(help_and_versions_are_printed),
        cmocka_unit_test(every_option_of_the_configuration_is_listed),
        cmocka_unit_test(sim_gets_its_arguments_unread),
        cmocka_unit_test(without_a_daemon_every_question_exits_7),
        cmocka_unit_test(errors_are_json_when_asked_for),
        cmocka_unit_test(the_exit_status_of_the_daemon_is_ours),
        cmocka_unit_test(answers_are_text_or_json),
        cmocka_unit_test(filters_travel_with_the_question),
        cmocka_unit_test(urls_are_shown_whole_only_when_asked_for),
        cmocka_unit_test(submit_prints_the_id),
        cmocka_unit_test(submit_sends_the_body_and_the_tags),
        cmocka_unit_test(a_body_of_the_greatest_size_arrives),
        cmocka_unit_test(waiting_ends_with_success),
        cmocka_unit_test(waiting_goes_on_when_the_daemon_is_reloaded),
        cmocka_unit_test(waiting_for_a_failure_exits_8),
        cmocka_unit_test(waiting_too_long_exits_6),
        cmocka_unit_test(what_a_provider_says_at_length_is_said_whole),
        cmocka_unit_test(a_file_that_exists_is_refused_before_anything_is_sent),
        cmocka_unit_test(a_dry_run_needs_no_daemon_and_shows_no_key),
        cmocka_unit_test(watching_one_task_ends_with_its_runs),
        cmocka_unit_test(a_trigger_waits_for_every_first_attempt),
        cmocka_unit_test(output_that_cannot_be_written_is_a_failure),
    };

    setenv("TZ", "UTC", 1);
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
