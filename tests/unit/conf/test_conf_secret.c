/* SPDX-License-Identifier: MIT */
#include "conf/conf_secret.h"

#include "conf_fixture.h"

#define WITH_KEY(key)                                                                              \
    "public_url: http://127.0.0.1:8080\n"                                                          \
    "listen: [http://127.0.0.1:8080]\n"                                                            \
    "providers: { vidu: { key: " key " } }\n"

static void expect_key(struct conf_fixture *f, const char *text, const char *value)
{
    int rc = fixture_load_text(f, text);

    assert_string_equal(f->found, "");
    assert_int_equal(rc, 0);
    assert_string_equal(f->conf->providers[0].key.value, value);
    assert_int_equal(f->conf->providers[0].key.len, strlen(value));
}

static void a_secret_comes_from_file_environment_or_credential(void **state)
{
    struct conf_fixture *f = *state;

    setenv("VIDUHOOK_TEST_KEY", "from-env", 1);
    setenv("CREDENTIALS_DIRECTORY", f->dir, 1);
    fixture_write(f, "cred", "from-cred\n", 0444);
    expect_key(f, WITH_KEY("{ file: vidu.key }"), CONF_SECRET);
    expect_key(f, WITH_KEY("file:vidu.key"), CONF_SECRET);
    expect_key(f, WITH_KEY("{ env: VIDUHOOK_TEST_KEY }"), "from-env");
    expect_key(f, WITH_KEY("env:VIDUHOOK_TEST_KEY"), "from-env");
    expect_key(f, WITH_KEY("{ credential: cred }"), "from-cred");
    expect_key(f, WITH_KEY("credential:cred"), "from-cred");
    unsetenv("VIDUHOOK_TEST_KEY");
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void the_source_is_kept_and_its_path_made_absolute(void **state)
{
    struct conf_fixture *f = *state;
    autofree char *expected = mem_printf("file:%s/vidu.key", f->dir);

    expect_key(f, CONF_GOOD, CONF_SECRET);
    assert_string_equal(f->conf->providers[0].key.source, expected);
    assert_null(f->conf->providers[0].callback_secret.value);
}

static void blanks_and_a_pasted_scheme_are_removed(void **state)
{
    static const char *const texts[] = {"key1",           " key1\n",       "key1\r\n\n",
                                        "Token key1",     "Bearer key1\n", "token   key1",
                                        "\tBearer  key1 "};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        fixture_write(*state, "vidu.key", texts[i], 0600);
        expect_key(*state, CONF_GOOD, "key1");
    }
    fixture_write(*state, "vidu.key", "Tokenkey1", 0600);
    expect_key(*state, CONF_GOOD, "Tokenkey1");
}

static void what_is_in_the_file_must_be_one_word(void **state)
{
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"", "empty"},
        {" \n", "empty"},
        {"a\nb", "not one line of printable characters without blanks"},
        {"a b", "not one line of printable characters without blanks"},
        {"a\x01", "not one line of printable characters without blanks"},
        {"a\xc3\xa9", "not one line of printable characters without blanks"},
    };
    struct conf_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        autofree char *expected =
            mem_printf("DIR/viduhook.yaml:3:27: 'providers.vidu.key': file DIR/vidu.key: the "
                       "secret is %s\n",
                       cases[i].problem);

        fixture_write(f, "vidu.key", cases[i].text, 0600);
        assert_int_equal(fixture_load_text(f, CONF_GOOD), -EINVAL);
        assert_string_equal(f->found, expected);
    }
}

static void a_scheme_without_its_key_is_no_key(void **state)
{
    static const struct {
        const char *text, *word;
    } cases[] = {{"Token", "Token"},
                 {"Token \n", "Token"},
                 {"bearer", "Bearer"},
                 {"\tTOKEN", "Token"},
                 {"Token Bearer\n", "Bearer"}};
    struct conf_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        autofree char *expected =
            mem_printf("DIR/viduhook.yaml:3:27: 'providers.vidu.key': file DIR/vidu.key: only the "
                       "word %s stands there; write the key behind it, or alone\n",
                       cases[i].word);

        fixture_write(f, "vidu.key", cases[i].text, 0600);
        assert_int_equal(fixture_load_text(f, CONF_GOOD), -EINVAL);
        assert_string_equal(f->found, expected);
    }
    fixture_write(f, "vidu.key", "Tokens", 0600);
    expect_key(f, CONF_GOOD, "Tokens");
    fixture_write(f, "vidu.key", "To", 0600);
    expect_key(f, CONF_GOOD, "To");
}

static void a_file_other_users_may_read_is_refused(void **state)
{
    static const mode_t modes[] = {0604, 0602, 0644, 0666};
    struct conf_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        autofree char *expected = mem_printf(
            "DIR/viduhook.yaml:3:27: 'providers.vidu.key': DIR/vidu.key is open to every user "
            "(mode %04o); run: chmod o= DIR/vidu.key\n",
            modes[i]);

        fixture_write(f, "vidu.key", CONF_SECRET, modes[i]);
        assert_int_equal(fixture_load_text(f, CONF_GOOD), -EINVAL);
        assert_string_equal(f->found, expected);
    }
    fixture_write(f, "vidu.key", CONF_SECRET, 0640);
    expect_key(f, CONF_GOOD, CONF_SECRET);
}

static void sources_that_fail_say_why(void **state)
{
    static const struct conf_case cases[] = {
        {WITH_KEY("file:~/nope"),
         "DIR/viduhook.yaml:3:27: 'providers.vidu.key': ~ is a folder's name here, not your home; "
         "write ~/nope out\n"},
        {WITH_KEY("file:nope"),
         "DIR/viduhook.yaml:3:27: 'providers.vidu.key': DIR/nope: No such file or directory\n"},
        {WITH_KEY("file:/dev/null"),
         "DIR/viduhook.yaml:3:27: 'providers.vidu.key': /dev/null: not a regular file\n"},
        {WITH_KEY("env:VIDUHOOK_NOT_SET"),
         "DIR/viduhook.yaml:3:27: 'providers.vidu.key': the environment variable "
         "VIDUHOOK_NOT_SET is not set\n"},
        {WITH_KEY("credential:x"),
         "DIR/viduhook.yaml:3:27: 'providers.vidu.key': credential x: $CREDENTIALS_DIRECTORY is "
         "not set; does the unit have LoadCredential=x:...?\n"},
        {WITH_KEY("credential:../x"),
         "DIR/viduhook.yaml:3:27: 'providers.vidu.key': '../x' is not the name of a credential\n"},
        {WITH_KEY("credential:a/b"),
         "DIR/viduhook.yaml:3:27: 'providers.vidu.key': 'a/b' is not the name of a credential\n"},
        {WITH_KEY("credential:.."),
         "DIR/viduhook.yaml:3:27: 'providers.vidu.key': '..' is not the name of a credential\n"},
    };

    unsetenv("CREDENTIALS_DIRECTORY");
    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void a_long_file_is_not_a_secret(void **state)
{
    struct conf_fixture *f = *state;
    char text[4098];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    fixture_write(f, "vidu.key", text, 0600);
    assert_int_equal(fixture_load_text(f, CONF_GOOD), -EINVAL);
    assert_string_equal(f->found, "DIR/viduhook.yaml:3:27: 'providers.vidu.key': DIR/vidu.key: "
                                  "larger than 4096 bytes\n");
    setenv("VIDUHOOK_TEST_KEY", text, 1);
    assert_int_equal(fixture_load_text(f, WITH_KEY("env:VIDUHOOK_TEST_KEY")), -EINVAL);
    assert_string_equal(f->found,
                        "DIR/viduhook.yaml:3:27: 'providers.vidu.key': env VIDUHOOK_TEST_KEY: "
                        "the secret is longer than 4096 bytes\n");
    unsetenv("VIDUHOOK_TEST_KEY");
}

/* What stands there may be the secret itself, so it is not repeated. */
static void a_secret_in_the_file_is_refused_and_not_repeated(void **state)
{
    static const char *const keys[] = {
        WITH_KEY("vda_inline"),
        WITH_KEY("{ value: vda_inline }"),
        WITH_KEY("[vda_inline]"),
        WITH_KEY("{ file: [vda_inline] }"),
        WITH_KEY("{ file: a, env: b }"),
        WITH_KEY("{ file: '' }"),
        WITH_KEY("'file:'"),
        WITH_KEY("filexvidu.key"),
        WITH_KEY("elif:vidu.key"),
        WITH_KEY(""),
    };
    struct conf_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        assert_int_equal(fixture_load_text(f, keys[i]), -EINVAL);
        assert_non_null(strstr(f->found, "'providers.vidu.key' must be { file: PATH }, { env: NAME "
                                         "} or { credential: NAME }; the secret itself never "
                                         "stands here\n"));
        assert_null(strstr(f->found, "vda_inline"));
    }
}

static void previous_keys_are_a_list_of_secrets(void **state)
{
    static const struct conf_case cases[] = {
        {WITH_KEY("file:vidu.key, previous_keys: "), ""},
        {WITH_KEY("file:vidu.key, previous_keys: [file:vidu.key, file:nope]"),
         "DIR/viduhook.yaml:3:73: 'providers.vidu.previous_keys': DIR/nope: No such file or "
         "directory\n"},
        {WITH_KEY("file:vidu.key, previous_keys: file:vidu.key"),
         "DIR/viduhook.yaml:3:57: 'providers.vidu.previous_keys' must be a list of at most 4 "
         "secrets\n"},
        {WITH_KEY("file:vidu.key, previous_keys: [env:A, env:B, env:C, env:D, env:E]"),
         "DIR/viduhook.yaml:3:57: 'providers.vidu.previous_keys' must be a list of at most 4 "
         "secrets\n"},
    };
    struct conf_fixture *f = *state;

    fixture_expect(f, cases, ARRAY_LEN(cases));
    fixture_write(f, "old.key", "old", 0600);
    assert_int_equal(fixture_load_text(f, WITH_KEY("file:vidu.key, callback_secret: file:old.key, "
                                                   "previous_keys: [{ file: old.key }]")),
                     0);
    assert_int_equal(f->conf->providers[0].n_previous_keys, 1);
    assert_string_equal(f->conf->providers[0].previous_keys[0].value, "old");
    assert_string_equal(f->conf->providers[0].callback_secret.value, "old");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(a_secret_comes_from_file_environment_or_credential),
        CONF_TEST(the_source_is_kept_and_its_path_made_absolute),
        CONF_TEST(blanks_and_a_pasted_scheme_are_removed),
        CONF_TEST(what_is_in_the_file_must_be_one_word),
        CONF_TEST(a_scheme_without_its_key_is_no_key),
        CONF_TEST(a_file_other_users_may_read_is_refused),
        CONF_TEST(sources_that_fail_say_why),
        CONF_TEST(a_long_file_is_not_a_secret),
        CONF_TEST(a_secret_in_the_file_is_refused_and_not_repeated),
        CONF_TEST(previous_keys_are_a_list_of_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
