/* SPDX-License-Identifier: MIT */
#include "conf/conf_provider.h"

#include "conf_fixture.h"

#define PROVIDERS(text)                                                                            \
    "public_url: http://127.0.0.1:8080\n"                                                          \
    "listen: [http://127.0.0.1:8080]\n"                                                            \
    "providers:" text "\n"
#define KEY "key: { file: vidu.key }"
#define AT  "DIR/viduhook.yaml:4:"

static void the_profile_gives_the_defaults(void **state)
{
    struct conf_fixture *f = *state;
    const struct conf_provider *p;

    assert_int_equal(fixture_load_text(f, PROVIDERS("\n  vidu: { " KEY " }\n"
                                                    "  octopusx: { " KEY " }\n"
                                                    "  test: { profile: vidu-cn, " KEY
                                                    ", mode: poll, confirm: always, "
                                                    "signature: if-present, "
                                                    "base_url: 'http://[::1]:9/x/' }")),
                     0);
    p = f->conf->providers;
    assert_int_equal(f->conf->n_providers, 3);
    assert_ptr_equal(p[0].profile, provider_profile_find("vidu"));
    assert_string_equal(p[0].base_url, "https://api.vidu.com");
    assert_int_equal(p[0].signature, SIGNATURE_REQUIRED);
    assert_int_equal(p[0].confirm, CONFIRM_AUTO);
    assert_int_equal(p[0].mode, MODE_PUSH);
    assert_int_equal(p[0].overdue_ms, 300000);
    assert_int_equal(p[1].signature, p[1].profile->signature);
    assert_false(p[1].profile->callbacks);
    assert_int_equal(p[1].mode, MODE_POLL);
    assert_string_equal(p[2].name, "test");
    assert_ptr_equal(p[2].profile, provider_profile_find("vidu-cn"));
    assert_string_equal(p[2].base_url, "http://[::1]:9/x");
    assert_int_equal(p[2].signature, SIGNATURE_IF_PRESENT);
    assert_int_equal(p[2].confirm, CONFIRM_ALWAYS);
    assert_int_equal(p[2].mode, MODE_POLL);
}

static void a_profile_must_exist(void **state)
{
    static const struct conf_case cases[] = {
        {PROVIDERS("\n  vidi: { " KEY " }"),
         AT "3: unknown profile 'vidi'; did you mean 'vidu'? There are vidu, vidu-cn, octopusx, "
            "powertokens, octopusx-openai, generic\n"},
        {PROVIDERS("\n  mine: { " KEY " }"),
         AT "3: unknown profile 'mine'; a provider of another name needs 'profile'; there are "
            "vidu, vidu-cn, octopusx, powertokens, octopusx-openai, generic\n"},
        {PROVIDERS("\n  mine: { profile: vdu, " KEY " }"),
         AT "20: unknown profile 'vdu'; did you mean 'vidu'? There are vidu, vidu-cn, octopusx, "
            "powertokens, octopusx-openai, generic\n"},
        {PROVIDERS("\n  vidu: { profile: [a], " KEY " }"),
         AT "20: 'providers.vidu.profile' must be a single value, not a list\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void a_provider_is_a_named_map_with_a_key(void **state)
{
    static const struct conf_case cases[] = {
        {PROVIDERS("\n  vidu: {}"), AT "9: 'providers.vidu.key' is missing: the API key\n"},
        {PROVIDERS("\n  vidu:"), AT "8: provider 'vidu' must be a map of options, not empty\n"},
        {PROVIDERS("\n  vidu: file:vidu.key"),
         AT "9: provider 'vidu' must be a map of options, not a text\n"},
        {PROVIDERS("\n  'a/b': { profile: vidu, " KEY " }"),
         AT "3: the name of a provider must be 1 to 64 of A-Z a-z 0-9 _ -\n"},
        {PROVIDERS("\n  vidu: { " KEY ", kay: 1 }"),
         AT "36: unknown option 'providers.vidu.kay'; did you mean 'key'?\n"},
        {PROVIDERS(""), "DIR/viduhook.yaml:3:1: at least one provider is needed, such as vidu: { "
                        "key: { file: vidu.key } }\n"},
        {PROVIDERS(" {}"), "DIR/viduhook.yaml:3:1: at least one provider is needed, such as vidu: "
                           "{ key: { file: vidu.key } }\n"},
        {PROVIDERS(" [vidu]"),
         "DIR/viduhook.yaml:3:12: 'providers' must be a map of at most 32 providers\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void the_key_travels_only_over_tls_or_on_this_machine(void **state)
{
    static const struct conf_case cases[] = {
        {PROVIDERS("\n  vidu: { " KEY ", base_url: https://proxy.example.org/v }"), ""},
        {PROVIDERS("\n  vidu: { " KEY ", base_url: http://localhost:81 }"), ""},
        {PROVIDERS("\n  vidu: { " KEY ", base_url: http://api.vidu.com }"),
         AT "46: 'providers.vidu.base_url' must be https, since the key travels with every "
            "request; http is for loopback addresses only\n"},
        {PROVIDERS("\n  vidu: { " KEY ", base_url: http://localhost:0 }"),
         "DIR/viduhook.yaml:4:46: 'providers.vidu.base_url': nobody can be reached at port 0\n"},
        {PROVIDERS("\n  vidu: { " KEY ", base_url: https://k@api.vidu.com }"),
         AT "46: 'providers.vidu.base_url': must not contain a user name or password\n"},
        {PROVIDERS("\n  vidu: { " KEY ", base_url: https://api.vidu.com/?a }"),
         AT "46: 'providers.vidu.base_url': must not have a query (?) or a fragment (#)\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void a_generic_provider_speaks_as_it_is_told(void **state)
{
    struct conf_fixture *f = *state;
    struct provider_profile p;

    assert_int_equal(
        fixture_load_text(f, PROVIDERS("\n  mine: { profile: generic, " KEY
                                       ", base_url: https://h, auth: Key, prefix: /api/v3, "
                                       "query: '/api/v3/ask?id={id}', names: { id: out.job, "
                                       "state: out.phase, result: out.files.0.link } }")),
        0);
    p = conf_provider_speech(&f->conf->providers[0]);
    assert_string_equal(p.auth, "Key");
    assert_string_equal(p.prefix, "/api/v3");
    assert_string_equal(p.query, "/api/v3/ask?id={id}");
    assert_string_equal(p.names.id, "out.job");
    assert_string_equal(p.names.state, "out.phase");
    assert_string_equal(p.names.result, "out.files.0.link");
    assert_int_equal(
        fixture_load_text(f, PROVIDERS("\n  mine: { profile: generic, " KEY ", base_url: "
                                       "https://h, prefix: / }")),
        0);
    p = conf_provider_speech(&f->conf->providers[0]);
    assert_string_equal(p.prefix, "");
    assert_string_equal(p.query, "/v1/video/generations/{id}");
    assert_null(p.names.id);
}

static void what_a_provider_is_told_must_be_plain(void **state)
{
    static const struct {
        const char *option, *complaint;
    } rows[] = {
        {"auth: 'Bearer x'", "'providers.mine.auth' must be one word"},
        {"prefix: v1", "'providers.mine.prefix' must be a path"},
        {"prefix: /v1/", "'providers.mine.prefix' must be a path"},
        {"prefix: /v1//x", "'providers.mine.prefix' must be a path"},
        {"prefix: '/v1?a'", "'providers.mine.prefix' must be a path"},
        {"query: /v1/videos", "'providers.mine.query' must be a path with {id}"},
        {"query: 'v1/{id}'", "'providers.mine.query' must be a path with {id}"},
        {"query: '/v1/{id}#x'", "'providers.mine.query' must be a path with {id}"},
        {"query: '/v1/{id}/{id}'", "'providers.mine.query' must be a path with {id}"},
        {"names: { id: 'a b' }", "'providers.mine.names.id' must be names with dots"},
        {"names: { state: a..b }", "'providers.mine.names.state' must be names with dots"},
    };
    struct conf_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        autofree char *text =
            mem_printf(PROVIDERS("\n  mine: { profile: vidu, " KEY ", %s }"), rows[i].option);

        assert_int_equal(fixture_load_text(f, text), -EINVAL);
        if (strstr(f->found, rows[i].complaint) == NULL)
            fail_msg("%s: %s", rows[i].option, f->found);
    }
    assert_int_equal(fixture_load_text(f, PROVIDERS("\n  mine: { profile: generic, " KEY " }")),
                     -EINVAL);
    assert_non_null(strstr(f->found, "base_url' is missing: profile generic has no address"));
}

static void the_number_of_providers_is_limited(void **state)
{
    struct conf_fixture *f = *state;
    autobuf struct buf text = BUF_INIT(1U << 16);

    buf_adds(&text, PROVIDERS(""));
    for (int i = 0; i < CONF_MAX_PROVIDERS; i++)
        buf_addf(&text, "  p%d: { profile: vidu, " KEY " }\n", i);
    assert_int_equal(fixture_load_text(f, buf_text(&text)), 0);
    assert_int_equal(f->conf->n_providers, CONF_MAX_PROVIDERS);
    buf_adds(&text, "  more: { profile: vidu, " KEY " }\n");
    assert_int_equal(fixture_load_text(f, buf_text(&text)), -EINVAL);
    assert_string_equal(f->found, "DIR/viduhook.yaml:4:3: 'providers' must be a map of at most 32 "
                                  "providers\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(the_profile_gives_the_defaults),
        CONF_TEST(a_profile_must_exist),
        CONF_TEST(a_provider_is_a_named_map_with_a_key),
        CONF_TEST(the_key_travels_only_over_tls_or_on_this_machine),
        CONF_TEST(a_generic_provider_speaks_as_it_is_told),
        CONF_TEST(what_a_provider_is_told_must_be_plain),
        CONF_TEST(the_number_of_providers_is_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
