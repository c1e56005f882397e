/* SPDX-License-Identifier: MIT */
#include "conf/conf_hook.h"

#include "conf_fixture.h"

/* A hook of one line; its options start in column 6 of line 5. */
#define HOOK(text) CONF_GOOD "hooks:\n  - { " text " }\n"
#define AT         "DIR/viduhook.yaml:5:"
#define MODE                                                                                       \
    AT "42: 'hooks[].download.mode' must be octal permissions that let the owner read, like "      \
       "0644, "                                                                                    \
       "not "

static void a_hook_is_filled_in(void **state)
{
    struct conf_fixture *f = *state;
    const struct conf_hook *h;
    char path[256];

    assert_int_equal(fixture_load_text(f, CONF_GOOD
                                       "hooks:\n"
                                       "  - name: archive\n"
                                       "    on: [success, test]\n"
                                       "    match: { provider: vidu, tags: [album, 'year=20*'] }\n"
                                       "    download: { dir: media, watermarked: yes }\n"
                                       "  - name: publish\n"
                                       "    after: archive\n"
                                       "    exec: [/bin/echo, '--id={task.id}', '{{}}', '']\n"
                                       "    timeout: 60s\n"
                                       "    retry: { attempts: 3, max_age: 2h }\n"),
                     0);
    h = &f->conf->hooks[0];
    fixture_path(f, "media", path);
    assert_int_equal(h->action, ACTION_DOWNLOAD);
    assert_int_equal(h->on, 1U << EVENT_SUCCESS | 1U << EVENT_TEST);
    assert_string_equal(h->download.dir, path);
    assert_true(h->download.cover);
    assert_int_equal(h->download.watermarked, WATERMARKED_YES);
    assert_int_equal(h->timeout_ms, 3600000);
    assert_int_equal(h->match.tags.n, 2);
    assert_null(h->after);
    h = conf_hook_find(f->conf, "publish");
    assert_ptr_equal(h, &f->conf->hooks[1]);
    assert_int_equal(h->action, ACTION_EXEC);
    assert_string_equal(h->after, "archive");
    assert_int_equal(h->exec.n, 4);
    assert_string_equal(h->exec.v[1], "--id={task.id}");
    assert_string_equal(h->exec.v[3], "");
    assert_int_equal(h->timeout_ms, 60000);
    assert_int_equal(h->retry.attempts, 3);
    assert_int_equal(h->retry.from_ms, 5000);
    assert_int_equal(h->retry.max_age_ms, 7200000);
}

static void a_hook_has_exactly_one_action(void **state)
{
    static const struct conf_case cases[] = {
        {HOOK("name: a"), AT "5: hook 'a' must have exactly one of exec, download and http\n"},
        {HOOK("name: a, exec: []"), AT "22: 'hooks[].exec' names no program\n"},
        {HOOK("name: a, exec:"), AT "22: 'hooks[].exec' names no program\n"},
        {HOOK("name: a, exec: { cmd: /bin/true }"),
         AT "22: 'hooks[].exec' must be a list of texts (1-64), not a map\n"},
        {HOOK("name: a, http: 'http://x/'"),
         AT "22: 'hooks[].http' must be a map of options, not a text\n"},
        {HOOK("name: a, exec: [/bin/true], download: { dir: m }"),
         AT "5: hook 'a' must have exactly one of exec, download and http\n"},
        {HOOK("name: a, download: {}"), AT "26: 'hooks[].download.dir' is missing\n"},
        {HOOK("name: a, download:"), AT "26: 'hooks[].download.dir' is missing\n"},
        {HOOK("name: a, download: { dir: [m] }"),
         AT "33: 'hooks[].download.dir' must be a single value, not a list\n"},
        {HOOK("name: a, download: media"),
         AT "26: 'hooks[].download' must be a map of options, not a text\n"},
        {HOOK("name: a, download: { dir: m, layout: plain }"),
         AT "44: 'hooks[].download.layout': must be flat, folder or a template like "
            "{task.model}/{task.prompt}, not 'plain'\n"},
        {HOOK("name: a, download: { dir: m, layout: '{task.modle}/{task.id}' }"),
         AT "44: 'hooks[].download.layout': unknown placeholder \"task.modle\"; did you mean "
            "\"task.model\"?\n"},
        {HOOK("name: a, download: { dir: m, prune: yes }"),
         AT "43: 'hooks[].download.prune' needs 'hooks[].download.max_total', which says how much "
            "may stay\n"},
        {HOOK("name: a, download: { dir: m, mode: 888 }"), MODE "'888'\n"},
        {HOOK("name: a, download: { dir: m, mode: 66 }"), MODE "'66'\n"},
        {HOOK("name: a, download: { dir: m, mode: 00644 }"), MODE "'00644'\n"},
        {HOOK("name: a, download: { dir: m, mode: 9x0 }"), MODE "'9x0'\n"},
        {HOOK("name: a, download: { dir: m, mode: 0044 }"), MODE "'0044'\n"},
        {HOOK("name: a, download: { dir: m, mode: 4755 }"), MODE "'4755'\n"},
        {HOOK("name: a, download: { dir: 'm/{task.id}' }"),
         AT "33: 'hooks[].download.dir' must not contain placeholders\n"},
        {HOOK("name: a, download: { dir: ~/media }"),
         AT "33: 'hooks[].download.dir': ~ is a folder's name here, not your home; write ~/media "
            "out\n"},
        {HOOK("name: a, ftp: { url: x }"),
         AT "16: unknown option 'hooks[].ftp'\n" AT
            "5: hook 'a' must have exactly one of exec, download and http\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void the_program_is_an_absolute_path_to_an_executable_file(void **state)
{
    static const struct conf_case cases[] = {
        {HOOK("name: a, exec: [echo]"),
         AT "23: 'hooks[].exec': the program must be an absolute path, not 'echo'\n"},
        {HOOK("name: a, exec: ['/bin/{task.id}']"),
         AT "23: 'hooks[].exec': the program must not contain placeholders: /bin/{task.id}\n"},
        {HOOK("name: a, exec: [/nope]"),
         AT "23: 'hooks[].exec': /nope: No such file or directory\n"},
        {HOOK("name: a, exec: /bin/echo x"),
         AT "22: 'hooks[].exec': /bin/echo x: No such file or directory; arguments are items of "
            "their own: [PROGRAM, ARGUMENT]\n"},
        {HOOK("name: a, exec: [/bin]"), AT "23: 'hooks[].exec': /bin: not a regular file\n"},
        {HOOK("name: a, exec: [/etc/passwd]"),
         AT "23: 'hooks[].exec': /etc/passwd: not executable; run: chmod +x /etc/passwd\n"},
        {HOOK("name: a, exec: [/bin/echo, {a: b}]"),
         AT "34: an item of 'hooks[].exec' must be a text\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void arguments_are_checked_templates(void **state)
{
    struct conf_fixture *f = *state;

    assert_int_equal(
        fixture_load_text(f, HOOK("name: a, exec: [/bin/echo, '{task.idd}', '{', '{task.id}']")),
        -EINVAL);
    assert_non_null(strstr(f->found, AT "34: 'hooks[].exec': unknown placeholder"));
    assert_non_null(strstr(f->found, "task.id\""));
    assert_non_null(strstr(f->found, AT "48: 'hooks[].exec': "));
    assert_null(strstr(f->found, AT "53: "));
}

static void names_are_plain_and_unique(void **state)
{
    static const struct conf_case cases[] = {
        {HOOK("exec: /bin/true"), AT "5: 'hooks[].name' is missing: its name, unique\n"},
        {HOOK("exec: /bin/true, name: a b"),
         AT "30: the name of a hook must be 1 to 64 of A-Z a-z 0-9 _ -\n"},
        {HOOK("exec: /bin/true, name: ../x"),
         AT "30: the name of a hook must be 1 to 64 of A-Z a-z 0-9 _ -\n"},
        {HOOK("exec: /bin/true, name: "
              "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
         AT "30: the name of a hook must be 1 to 64 of A-Z a-z 0-9 _ -\n"},
        {HOOK("exec: /bin/true, name: "
              "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_9"),
         ""},
        {HOOK("exec: /bin/true, name: a") "  - { exec: /bin/true, name: a }\n",
         "DIR/viduhook.yaml:6:30: a hook 'a' stands above already\n"},
        {CONF_GOOD "hooks:\n", ""},
        {CONF_GOOD "hooks:\n  - archive\n",
         "DIR/viduhook.yaml:5:5: a hook must be a map of options, not a text\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void a_hook_waits_only_for_one_above_it(void **state)
{
    static const struct conf_case cases[] = {
        {HOOK("name: archive, exec: /bin/true") "  - { name: b, exec: /bin/true, after: archve }\n",
         "DIR/viduhook.yaml:6:40: there is no hook 'archve'; did you mean 'archive'?\n"},
        {HOOK("name: archive, exec: /bin/true") "  - { name: b, exec: /bin/true, after: xyzzy }\n",
         "DIR/viduhook.yaml:6:40: there is no hook 'xyzzy'\n"},
        {HOOK("exec: /bin/true") "  - { name: b, exec: /bin/true, after: z }\n",
         AT "5: 'hooks[].name' is missing: its name, unique\n"
            "DIR/viduhook.yaml:6:40: there is no hook 'z'\n"},
        {HOOK(
             "name: a, exec: /bin/true, on: failed") "  - { name: b, exec: /bin/true, after: a }\n",
         "DIR/viduhook.yaml:6:40: hook 'b' is never called: hook 'a', which it waits for, has none "
         "of its events; without 'on' that is success\n"},
        {HOOK("name: a, exec: /bin/true, after: a"), AT "40: hook 'a' waits for itself\n"},
        {HOOK("name: a, exec: /bin/true, after: b") "  - { name: b, exec: /bin/true, after: a }\n",
         AT "40: hook 'b' stands below; move it above 'a'\n"},
        {HOOK("name: a, exec: /bin/true, after_failure: b") "  - { name: b, exec: /bin/true, "
                                                            "after_failure: a }\n",
         AT "48: hook 'b' stands below; move it above 'a'\n"},
        {HOOK("name: archive, exec: /bin/true") "  - { name: b, exec: /bin/true, after_failure: "
                                                "archve }\n",
         "DIR/viduhook.yaml:6:48: there is no hook 'archve'; did you mean 'archive'?\n"},
        {HOOK("name: a, exec: /bin/true") "  - { name: b, exec: /bin/true, after_failure: a, "
                                          "after: a }\n",
         "DIR/viduhook.yaml:6:48: hook 'b' can have only one of after and after_failure\n"},
        {HOOK("name: a, on: [dead, quarantined], exec: /bin/true") "  - { name: b, on: [success, "
                                                                   "dead], exec: /bin/true, after: "
                                                                   "a }\n",
         "DIR/viduhook.yaml:6:20: 'hooks[].on': a hook that waits for another one cannot have "
         "dead, which may happen more than once\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

#define RATE "must be 1 to 1000 a second, minute or hour, such as 5/s, 10/m or 100/h, not "

static void retries_and_tags_make_sense(void **state)
{
    static const struct conf_case cases[] = {
        {HOOK("name: a, exec: /bin/true, retry: { from: 2h }"),
         AT "40: 'hooks[].retry.from' is longer than 'hooks[].retry.to'\n"},
        {HOOK("name: a, exec: /bin/true, retry: { from: 1h }"), ""},
        {HOOK("name: a, exec: /bin/true, match: { tags: [=x, ''] }"),
         AT "49: 'hooks[].match.tags': '=x': must be tag or tag=pattern\n" AT
            "53: 'hooks[].match.tags': '': must be tag or tag=pattern\n"},
        {HOOK("name: a, exec: /bin/true, match: { models: x }"),
         AT "42: unknown option 'hooks[].match.models'; did you mean 'model'?\n"},
        {HOOK("name: a, exec: /bin/true, rate: 1000/h"), ""},
        {HOOK("name: a, exec: /bin/true, rate: 10"), AT "39: 'hooks[].rate' " RATE "'10'\n"},
        {HOOK("name: a, exec: /bin/true, rate: 0/s"), AT "39: 'hooks[].rate' " RATE "'0/s'\n"},
        {HOOK("name: a, exec: /bin/true, rate: 1001/s"),
         AT "39: 'hooks[].rate' " RATE "'1001/s'\n"},
        {HOOK("name: a, exec: /bin/true, rate: 1/d"), AT "39: 'hooks[].rate' " RATE "'1/d'\n"},
        {HOOK("name: a, on: [success, disk_low], download: { dir: m }"),
         AT "20: 'hooks[].on': disk_low is of no task, so there is nothing to download\n"},
        {HOOK("name: a, exec: /bin/true, tiemout: 5s"),
         AT "33: unknown option 'hooks[].tiemout'; did you mean 'timeout'?\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void the_number_of_hooks_is_limited(void **state)
{
    struct conf_fixture *f = *state;
    autobuf struct buf text = BUF_INIT(1U << 16);

    buf_adds(&text, CONF_GOOD "hooks:\n");
    for (int i = 0; i < CONF_MAX_HOOKS; i++)
        buf_addf(&text, "  - { name: h%d, exec: /bin/true }\n", i);
    assert_int_equal(fixture_load_text(f, buf_text(&text)), 0);
    assert_int_equal(f->conf->n_hooks, CONF_MAX_HOOKS);
    buf_adds(&text, "  - { name: more, exec: /bin/true }\n");
    assert_int_equal(fixture_load_text(f, buf_text(&text)), -EINVAL);
    assert_string_equal(f->found,
                        "DIR/viduhook.yaml:5:3: 'hooks' must be a list of at most 64 hooks\n");
}

static void events_follow_from_states(void **state)
{
    static const struct {
        enum task_state state;
        bool is;
        enum conf_event event;
    } rows[] = {
        {STATE_PROCESSING, true, EVENT_PROCESSING},
        {STATE_SUCCESS, true, EVENT_SUCCESS},
        {STATE_FAILED, true, EVENT_FAILED},
        {STATE_CANCELLED, true, EVENT_CANCELLED},
        {STATE_LOST, true, EVENT_LOST},
        {STATE_REGISTERED, false, 0},
        {STATE_SUBMITTED, false, 0},
        {STATE_QUEUED, false, 0},
        {STATE_REJECTED, false, 0},
        {STATE_AMBIGUOUS, false, 0},
    };

    (void)state;
    assert_int_equal(ARRAY_LEN(rows), STATE_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum conf_event event = EVENT_COUNT;

        assert_int_equal(conf_event_from_state(rows[i].state, &event), rows[i].is);
        assert_int_equal(event, rows[i].is ? rows[i].event : EVENT_COUNT);
    }
}

static void events_have_names(void **state)
{
    enum conf_event event;

    (void)state;
    assert_true(conf_event_from_name("dead", &event) && event == EVENT_DEAD);
    assert_false(conf_event_from_name("death", &event));
    assert_string_equal(conf_event_name(EVENT_CANCELLED), "cancelled");
    assert_string_equal(conf_event_name(EVENT_TEST), "test");
    assert_string_equal(conf_event_name(EVENT_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(a_hook_is_filled_in),
        CONF_TEST(a_hook_has_exactly_one_action),
        CONF_TEST(the_program_is_an_absolute_path_to_an_executable_file),
        CONF_TEST(arguments_are_checked_templates),
        CONF_TEST(names_are_plain_and_unique),
        CONF_TEST(a_hook_waits_only_for_one_above_it),
        CONF_TEST(retries_and_tags_make_sense),
        CONF_TEST(the_number_of_hooks_is_limited),
        CONF_TEST(events_follow_from_states),
        CONF_TEST(events_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
