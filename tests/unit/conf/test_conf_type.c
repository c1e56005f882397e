/* SPDX-License-Identifier: MIT */
#include "conf/conf_type.h"

#include "base/log.h"
#include "conf_fixture.h"

static void numbers_are_whole_and_within_their_range(void **state)
{
    static const struct conf_case cases[] = {
        {CONF_GOOD "receivers: 1", ""},
        {CONF_GOOD "receivers: 64", ""},
        {CONF_GOOD "receivers: 65",
         "DIR/viduhook.yaml:4:12: 'receivers' is out of range: 65 is not within 1-64\n"},
        {CONF_GOOD "receivers: 0",
         "DIR/viduhook.yaml:4:12: 'receivers' is out of range: 0 is not within 1-64\n"},
        {CONF_GOOD "receivers: 4294967297", "DIR/viduhook.yaml:4:12: 'receivers' is out of range: "
                                            "4294967297 is not within 1-64\n"},
        {CONF_GOOD "receivers: -1",
         "DIR/viduhook.yaml:4:12: 'receivers' must be a whole number, within 1-64, not '-1'\n"},
        {CONF_GOOD "receivers: 1.5",
         "DIR/viduhook.yaml:4:12: 'receivers' must be a whole number, within 1-64, not '1.5'\n"},
        {CONF_GOOD "receivers: 0x1",
         "DIR/viduhook.yaml:4:12: 'receivers' must be a whole number, within 1-64, not '0x1'\n"},
        {CONF_GOOD "receivers:", "DIR/viduhook.yaml:4:11: 'receivers' has no value\n"},
        {CONF_GOOD "receivers: ''", "DIR/viduhook.yaml:4:12: 'receivers' has no value\n"},
        {CONF_GOOD "receivers: { a: 1 }",
         "DIR/viduhook.yaml:4:12: 'receivers' must be a single value, not a map\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void sizes_and_durations_have_units(void **state)
{
    static const struct conf_case cases[] = {
        {CONF_GOOD "limits: { max_body: 1023 }",
         "DIR/viduhook.yaml:4:21: 'limits.max_body' is out of range: 1023 is not within "
         "1KiB-32MiB\n"},
        {CONF_GOOD "limits: { max_body: 65MiB }",
         "DIR/viduhook.yaml:4:21: 'limits.max_body' is out of range: 65MiB is not within "
         "1KiB-32MiB\n"},
        {CONF_GOOD "limits: { max_body: 8MB }",
         "DIR/viduhook.yaml:4:21: 'limits.max_body' must be a size such as 4096, 64KiB, 8MiB or "
         "2GiB, within 1KiB-32MiB, not '8MB'\n"},
        {CONF_GOOD "limits: { max_body: 99999999999999999999 }",
         "DIR/viduhook.yaml:4:21: 'limits.max_body' is out of range: 99999999999999999999 is not "
         "within 1KiB-32MiB\n"},
        {CONF_GOOD "retain: 5 days",
         "DIR/viduhook.yaml:4:9: 'retain' must be a duration such as 90, 500ms, 60s, 5m, 1h or "
         "7d, within 0-36500d, not '5 days'\n"},
        {CONF_GOOD "shutdown_grace: 61m", "DIR/viduhook.yaml:4:17: 'shutdown_grace' is out of "
                                          "range: 61m is not within 0-1h\n"},
    };
    struct conf_fixture *f = *state;

    fixture_expect(f, cases, ARRAY_LEN(cases));
    assert_int_equal(fixture_load_text(f, CONF_GOOD "limits: { max_body: 1025 }\n"
                                                    "retain: 90\n"
                                                    "shutdown_grace: 1500ms\n"),
                     0);
    assert_int_equal(f->conf->limits.max_body, 1025);
    assert_int_equal(f->conf->retain_ms, 90000);
    assert_int_equal(f->conf->shutdown_grace_ms, 1500);
}

static void booleans_have_six_words(void **state)
{
    static const struct {
        const char *word;
        bool value;
    } rows[] = {{"yes", true}, {"no", false},  {"true", true}, {"false", false},
                {"on", true},  {"off", false}, {"Yes", true},  {"FALSE", false}};
    static const struct conf_case bad[] = {
        {CONF_GOOD "behind_proxy: 1",
         "DIR/viduhook.yaml:4:15: 'behind_proxy' must be yes or no, not '1'\n"},
        {CONF_GOOD "behind_proxy: [yes]",
         "DIR/viduhook.yaml:4:15: 'behind_proxy' must be a single value, not a list\n"},
        {CONF_GOOD "behind_proxy: y",
         "DIR/viduhook.yaml:4:15: 'behind_proxy' must be yes or no, not 'y'\n"},
    };
    struct conf_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        autofree char *text = mem_printf(CONF_GOOD "behind_proxy: %s\n", rows[i].word);

        assert_int_equal(fixture_load_text(f, text), 0);
        assert_int_equal(f->conf->behind_proxy, rows[i].value);
    }
    fixture_expect(f, bad, ARRAY_LEN(bad));
}

static void words_are_one_of_a_list(void **state)
{
    static const struct {
        const char *word;
        int level;
    } rows[] = {{"error", LOG_LEVEL_ERROR},
                {"warn", LOG_LEVEL_WARN},
                {"info", LOG_LEVEL_INFO},
                {"Debug", LOG_LEVEL_DEBUG}};
    static const struct conf_case bad[] = {
        {CONF_GOOD "log_level: err", "DIR/viduhook.yaml:4:12: 'log_level' must be one of "
                                     "error|warn|info|debug, not 'err'\n"},
        {CONF_GOOD "tls: { min_version: 1.1 }",
         "DIR/viduhook.yaml:4:21: 'tls.min_version' must be one of 1.2|1.3, not '1.1'\n"},
        {CONF_GOOD "log: text|json",
         "DIR/viduhook.yaml:4:6: 'log' must be one of text|json, not 'text|json'\n"},
        {CONF_GOOD "log: |\n  a\n  b\n",
         "DIR/viduhook.yaml:4:6: 'log' must be one of text|json, not 'a\\x0ab\\x0a'\n"},
    };
    struct conf_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        autofree char *text = mem_printf(
            CONF_GOOD "log_level: %s\nlog: json\ntls: { min_version: 1.3 }\n", rows[i].word);

        assert_int_equal(fixture_load_text(f, text), 0);
        assert_int_equal(f->conf->log_level, rows[i].level);
        assert_true(f->conf->log_json);
        assert_true(f->conf->tls.min_13);
    }
    fixture_expect(f, bad, ARRAY_LEN(bad));
}

static void one_text_is_a_list_of_one(void **state)
{
    struct conf_fixture *f = *state;

    assert_int_equal(fixture_load_text(f, CONF_GOOD "fetch: { allow: 10.0.0.1, ports: [] }\n"
                                                    "hooks:\n"
                                                    "  - name: a\n"
                                                    "    on: failed\n"
                                                    "    exec: /bin/true\n"
                                                    "    match: { model: viduq3* }\n"),
                     0);
    assert_int_equal(f->conf->fetch.allow.n, 1);
    assert_string_equal(f->conf->fetch.allow.v[0], "10.0.0.1");
    assert_int_equal(f->conf->fetch.ports.n, 0);
    assert_int_equal(f->conf->hooks[0].on, 1U << EVENT_FAILED);
    assert_int_equal(f->conf->hooks[0].exec.n, 1);
    assert_string_equal(f->conf->hooks[0].match.model.v[0], "viduq3*");
}

static void lists_hold_texts(void **state)
{
    static const struct conf_case cases[] = {
        {CONF_GOOD "fetch:\n  allow:\n", ""},
        {CONF_GOOD "fetch: { allow: { a: b } }",
         "DIR/viduhook.yaml:4:17: 'fetch.allow' must be a list of texts (0-64 of ADDRESS:PORT, "
         "ADDRESS), not a map\n"},
        {CONF_GOOD "fetch: { allow: [[a], 10.0.0.1, {}] }",
         "DIR/viduhook.yaml:4:18: an item of 'fetch.allow' must be a text\n"
         "DIR/viduhook.yaml:4:33: an item of 'fetch.allow' must be a text\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

/* A list of n items at the end of a text that the brackets of `after` close. */
static int load_items(struct conf_fixture *f, const char *before, const char *item, int n,
                      const char *after)
{
    autobuf struct buf text = BUF_INIT(4096);

    buf_adds(&text, before);
    for (int i = 0; i < n; i++)
        buf_addf(&text, "%s%s", i == 0 ? "[" : ", ", item);
    buf_adds(&text, after);
    return fixture_load_text(f, buf_text(&text));
}

#define HOOK CONF_GOOD "hooks: [{ name: a, exec: /bin/true, "

static void lists_of_every_kind_hold_64(void **state)
{
    static const struct {
        const char *before, *item, *after, *option;
    } rows[] = {
        {CONF_GOOD "fetch: { ports: ", "1", "] }", "fetch.ports"},
        {CONF_GOOD "hooks: [{ name: a, exec: ", "/bin/true", "] }]", "hooks[].exec"},
        {HOOK "on: ", "success", "] }]", "hooks[].on"},
        {HOOK "match: { tags: ", "a", "] } }]", "hooks[].match.tags"},
        {HOOK "match: { duration: ", "5", "] } }]", "hooks[].match.duration"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        autofree char *found = mem_printf("'%s' must be a list of texts (", rows[i].option);
        struct conf_fixture *f = *state;

        assert_int_equal(load_items(f, rows[i].before, rows[i].item, 64, rows[i].after), 0);
        assert_int_equal(load_items(f, rows[i].before, rows[i].item, 65, rows[i].after), -EINVAL);
        assert_non_null(strstr(f->found, found));
        assert_non_null(strstr(f->found, "), not more\n"));
    }
}

static void a_set_is_not_empty(void **state)
{
    static const struct conf_case cases[] = {
        {CONF_GOOD "hooks: [{ name: a, exec: /bin/true, on: [] }]",
         "DIR/viduhook.yaml:4:41: 'hooks[].on' must name at least one of "
         "processing|success|failed|cancelled|lost|test|quarantined|dead|disk_low|"
         "cert_expiring|signature_failures|provider_down\n"},
        {CONF_GOOD "hooks: [{ name: a, exec: /bin/true, on: }]",
         "DIR/viduhook.yaml:4:41: 'hooks[].on' must name at least one of "
         "processing|success|failed|cancelled|lost|test|quarantined|dead|disk_low|"
         "cert_expiring|signature_failures|provider_down\n"},
        {CONF_GOOD "hooks: [{ name: a, exec: /bin/true, on: [success, done] }]",
         "DIR/viduhook.yaml:4:51: 'hooks[].on' must be one of "
         "processing|success|failed|cancelled|lost|test|quarantined|dead|disk_low|"
         "cert_expiring|signature_failures|provider_down, not 'done'\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void texts_that_mean_something_to_yaml_are_quoted(void **state)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"abc", "abc"},
        {"https://[::1]:8443", "\"https://[::1]:8443\""},
        {"a/b.c", "a/b.c"},
        {"", "\"\""},
        {"a b", "\"a b\""},
        {"-a", "\"-a\""},
        {"a:", "\"a:\""},
        {"a#b", "\"a#b\""},
        {"{url}", "\"{url}\""},
        {"a\"\n", "\"a\\\"\\n\""},
        {"http://127.0.0.1:80", "http://127.0.0.1:80"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        autobuf struct buf out = BUF_INIT(100);

        conf_show_text(rows[i].text, &out);
        assert_string_equal(buf_text(&out), rows[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(numbers_are_whole_and_within_their_range),
        CONF_TEST(sizes_and_durations_have_units),
        CONF_TEST(booleans_have_six_words),
        CONF_TEST(words_are_one_of_a_list),
        CONF_TEST(one_text_is_a_list_of_one),
        CONF_TEST(lists_hold_texts),
        CONF_TEST(lists_of_every_kind_hold_64),
        CONF_TEST(a_set_is_not_empty),
        CONF_TEST(texts_that_mean_something_to_yaml_are_quoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
