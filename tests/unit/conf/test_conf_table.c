/* SPDX-License-Identifier: MIT */
#include "conf/conf_table.h"

#include "base/log.h"
#include "conf_fixture.h"

#include <pwd.h>

#define HOOKS                                                                                      \
    "hooks:\n"                                                                                     \
    "  - { name: a, exec: [/bin/true] }\n"                                                         \
    "  - { name: b, download: { dir: media } }\n"

static void every_default_is_the_documented_one(void **state)
{
    struct conf_fixture *f = *state;
    const struct conf *c;

    assert_int_equal(fixture_load_text(f, CONF_GOOD HOOKS), 0);
    c = f->conf;
    assert_false(c->behind_proxy);
    assert_null(c->tls.certificate);
    assert_null(c->tls.key);
    assert_false(c->tls.min_13);
    assert_int_equal(c->receivers, 1);
    assert_false(c->log_json);
    assert_int_equal(c->log_level, LOG_LEVEL_INFO);
    assert_int_equal(c->retain_ms, INT64_C(90) * 86400000);
    assert_int_equal(c->shutdown_grace_ms, 30000);
    assert_int_equal(c->limits.max_body, 8 << 20);
    assert_int_equal(c->limits.body_budget, 64 << 20);
    assert_int_equal(c->limits.min_free, 256 << 20);
    assert_int_equal(c->limits.connections, 1024);
    assert_int_equal(c->limits.handshakes, 128);
    assert_int_equal(c->limits.per_source, 64);
    assert_int_equal(c->limits.source_rate, 50);
    assert_int_equal(c->limits.max_in_flight, 4096);
    assert_int_equal(c->limits.keepalive_requests, 100);
    assert_int_equal(c->limits.handshake_ms, 5000);
    assert_int_equal(c->limits.header_ms, 10000);
    assert_int_equal(c->limits.body_ms, 30000);
    assert_int_equal(c->limits.reply_ms, 10000);
    assert_int_equal(c->limits.runs, 16);
    assert_int_equal(c->limits.output, 65536);
    assert_int_equal(c->signature.window_ms, 86400000);
    assert_int_equal(c->signature.nonce_keep_ms, 7 * 86400000);
    assert_int_equal(c->fetch.allow.n, 0);
    assert_int_equal(c->fetch.ports.n, 0);
    assert_null(c->fetch.ca_file);
    assert_int_equal(c->fetch.keep_free, 512 << 20);
    assert_int_equal(c->providers[0].n_previous_keys, 0);
    assert_null(c->providers[0].callback_secret.source);
    assert_int_equal(c->providers[0].confirm, CONFIRM_AUTO);
    assert_int_equal(c->hooks[0].on, 1U << EVENT_SUCCESS);
    assert_null(c->hooks[0].after);
    assert_int_equal(c->hooks[0].match.provider.n, 0);
    assert_int_equal(c->hooks[0].timeout_ms, 300000);
    assert_int_equal(c->hooks[0].concurrency, 4);
    assert_int_equal(c->hooks[0].retry.attempts, 8);
    assert_int_equal(c->hooks[0].retry.from_ms, 5000);
    assert_int_equal(c->hooks[0].retry.to_ms, 3600000);
    assert_int_equal(c->hooks[0].retry.max_age_ms, 86400000);
    assert_true(c->hooks[1].download.cover);
    assert_int_equal(c->hooks[1].download.watermarked, WATERMARKED_NO);
    assert_string_equal(c->hooks[1].download.layout, "flat");
    assert_int_equal(c->hooks[1].download.mode, 0644);
    assert_false(c->hooks[1].download.nfo);
    assert_false(c->hooks[1].download.posters);
    assert_false(c->hooks[1].download.sidecar);
    assert_int_equal(c->hooks[1].download.max_size, INT64_C(4) << 30);
    assert_int_equal(c->hooks[1].timeout_ms, 3600000);
}

static void every_option_is_documented_once(void **state)
{
    static const char *const types[] = {"path", "url",  "duration", "size", "int", "bool",
                                        "word", "list", "secret",   "text", "map"};

    (void)state;
    assert_int_equal(conf_option_count(), conf_n_rows);
    assert_null(conf_option_at(conf_n_rows));
    for (size_t i = 0; i < conf_option_count(); i++) {
        const struct conf_option *o = conf_option_at(i);
        size_t known = 0;

        assert_false(str_empty(o->help));
        assert_non_null(o->range);
        assert_non_null(o->fallback);
        for (size_t t = 0; t < ARRAY_LEN(types); t++)
            known += str_eq(o->type, types[t]);
        assert_int_equal(known, 1);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(o->name, conf_option_at(j)->name);
    }
}

static void the_range_of_profiles_names_them_all(void **state)
{
    autobuf struct buf all = BUF_INIT(1000);

    (void)state;
    for (size_t i = 0; i < provider_profile_count(); i++)
        buf_addf(&all, "%s%s", i == 0 ? "" : "|", provider_profile_at(i)->name);
    for (size_t i = 0; i < conf_n_rows; i++)
        if (str_eq(conf_rows[i].doc.name, "providers.NAME.profile"))
            assert_string_equal(conf_rows[i].doc.range, buf_text(&all));
}

/* "limits.max_body: [x]" in its scope, as flow maps after the three lines of CONF_GOOD. */
static char *text_with(const struct conf_row *row, const char *value)
{
    static const char *const before[] = {
        [SCOPE_FILE] = "",
        [SCOPE_PROVIDER] = "providers: { vidu: { ",
        [SCOPE_HOOK] = "hooks: [ { ",
    };
    static const char *const behind[] = {"", " } }", " } ]"};
    size_t n = strcspn(row->key, ".");
    bool inner = row->key[n] == '.';

    return mem_printf("%s%.*s: %s%s%s%s%s%s\n", before[row->scope], (int)n, row->key,
                      inner ? "{ " : "", inner ? row->key + n + 1 : "", inner ? ": " : "", value,
                      inner ? " }" : "", behind[row->scope]);
}

/* No option is happy with this, and none is unknown: each is found where its row says. */
static void every_option_can_be_set(void **state)
{
    struct conf_fixture *f = *state;

    for (size_t i = 0; i < conf_n_rows; i++) {
        autofree char *text = text_with(&conf_rows[i], "[ [ x ] ]");

        assert_int_equal(fixture_load_text(f, text), -EINVAL);
        assert_null(strstr(f->found, "unknown option"));
        assert_non_null(strstr(f->found, "DIR/viduhook.yaml:1:"));
    }
}

static void options_have_no_dots(void **state)
{
    static const struct conf_case cases[] = {
        {CONF_GOOD "limits.runs: 3\n",
         "DIR/viduhook.yaml:4:1: unknown option 'limits.runs'; a dot opens no group, a map does, "
         "such as limits: { runs: 16 }\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void misspelt_options_get_a_suggestion(void **state)
{
    static const struct conf_case cases[] = {
        {CONF_GOOD "limts: { runs: 3 }\n",
         "DIR/viduhook.yaml:4:1: unknown option 'limts'; did you mean 'limits'?\n"},
        {CONF_GOOD "max_body: 1MiB\n",
         "DIR/viduhook.yaml:4:1: unknown option 'max_body'; did you mean 'limits.max_body'?\n"},
        {CONF_GOOD "waygate: { listen: x }\n", "DIR/viduhook.yaml:4:1: unknown option 'waygate'\n"},
        {CONF_GOOD "limits: 3\n",
         "DIR/viduhook.yaml:4:9: 'limits' must be a map of options, not a text\n"},
        {CONF_GOOD "limits:\n", ""},
        {CONF_GOOD "'': 3\n", "DIR/viduhook.yaml:4:1: unknown option ''\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

/* contrib/viduhook.yaml */

static char *read_sample(void)
{
    autofree char *path = mem_printf("%s/contrib/viduhook.yaml", str_or(getenv("srcdir"), "."));
    char *text;
    size_t n;

    assert_int_equal(fs_read_file(path, 1U << 20, &text, &n, NULL), 0);
    return text;
}

/* A commented option has no blank behind its #; a comment has one. */
static void uncomment(char *text)
{
    char *to = text;

    for (const char *at = text; *at != '\0'; at++) {
        bool starts = at == text || at[-1] == '\n' || at[-1] == ' ';

        if (!(*at == '#' && starts && at[1] != ' ' && at[1] != '\n'))
            *to++ = *at;
    }
    *to = '\0';
}

static char *replace_all(const char *text, const char *from, const char *to)
{
    struct buf out = BUF_INIT(1U << 20);

    while (*text != '\0') {
        bool here = str_starts(text, from);

        buf_add(&out, here ? to : text, here ? strlen(to) : 1);
        text += here ? strlen(from) : 1;
    }
    return buf_take(&out);
}

static int load_sample(struct conf_fixture *f, bool all)
{
    autofree char *sample = read_sample();
    autofree char *user = mem_printf("user: %s", getpwuid(geteuid())->pw_name);
    autofree char *here = NULL;
    autofree char *mine = NULL;
    autofree char *text = NULL;

    if (all)
        uncomment(sample);
    here = replace_all(sample, "/etc/viduhook", f->dir);
    mine = replace_all(here, "user: media", user);
    text = replace_all(mine, "/usr/local/bin/publish", "/bin/true");
    return fixture_load_text(f, text);
}

static void the_sample_loads_as_it_is_and_with_every_option(void **state)
{
    struct conf_fixture *f = *state;

    setenv("CREDENTIALS_DIRECTORY", f->dir, 1);
    setenv("VIDU_OLD_KEY", "old", 1);
    fixture_write(f, "vidu-key", "k", 0600);
    fixture_write(f, "callback-secret", "k", 0600);
    fixture_write(f, "tell-token", "k", 0600);
    fixture_write(f, "s3-secret", "k", 0600);
    fixture_write(f, "x.key", "k", 0600);
    fixture_write(f, "octopusx.key", "k", 0600);
    fixture_write(f, "mine.key", "k", 0600);
    fixture_write(f, "fullchain.pem", "x", 0644);
    fixture_write(f, "key.pem", "x", 0600);
    fixture_write(f, "authorities.pem", "-----BEGIN CERTIFICATE-----", 0644);
    load_sample(f, false);
    assert_string_equal(f->found, "");
    assert_non_null(f->conf);
    load_sample(f, true);
    assert_string_equal(f->found, "");
    assert_non_null(f->conf);
    unsetenv("VIDU_OLD_KEY");
    unsetenv("CREDENTIALS_DIRECTORY");
}

static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL ? dot + 1 : name;
}

/* The option's own line: `NAME:` behind nothing but blanks, # and the dash of a list. */
static bool line_has(const char *line, const char *name)
{
    const char *at = line + strspn(line, " #-{");

    return str_starts(at, name) && at[strlen(name)] == ':';
}

static void the_sample_has_every_option_with_its_default(void **state)
{
    autofree char *sample = read_sample();

    (void)state;
    for (size_t i = 0; i < conf_option_count(); i++) {
        const struct conf_row *row = &conf_rows[i];
        const char *name = last_part(row->key);
        const char *fallback = row->computed ? "" : row->doc.fallback;
        autofree char *with = mem_printf("%s:%s%s", name, fallback[0] != '\0' ? " " : "", fallback);
        bool named = false;
        bool same = false;

        for (const char *line = sample; line != NULL;) {
            const char *end = strchr(line, '\n');

            if (line_has(line, name)) {
                named = true;
                same |=
                    str_starts(line + strspn(line, " #-{"), with) || str_eq(row->doc.type, "list");
            }
            line = end != NULL ? end + 1 : NULL;
        }
        if (!named || !same)
            print_error("%s is %s in contrib/viduhook.yaml\n", row->doc.name,
                        named ? "not the default" : "missing");
        assert_true(named && same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(every_default_is_the_documented_one),
        CONF_TEST(every_option_is_documented_once),
        CONF_TEST(the_range_of_profiles_names_them_all),
        CONF_TEST(every_option_can_be_set),
        CONF_TEST(options_have_no_dots),
        CONF_TEST(misspelt_options_get_a_suggestion),
        CONF_TEST(the_sample_loads_as_it_is_and_with_every_option),
        CONF_TEST(the_sample_has_every_option_with_its_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
