/* SPDX-License-Identifier: MIT */
#include "conf/conf_init.h"

#include "conf_fixture.h"

static void write_material(const struct conf_fixture *f)
{
    fixture_write(f, "cert.pem", "certificate", 0644);
    fixture_write(f, "key.pem", "key", 0600);
}

static void the_first_configuration_loads(void **state)
{
    struct conf_fixture *f = *state;
    autofree char *text = conf_init_text(f->dir);
    const struct conf *c;
    char path[256];

    write_material(f);
    fixture_load_text(f, text);
    assert_string_equal(f->found, "");
    c = f->conf;
    assert_non_null(c);
    assert_string_equal(c->public_url, "https://127.0.0.1:8443");
    assert_int_equal(c->n_listen, 1);
    assert_int_equal(c->listen[0].kind, LISTEN_HTTPS);
    assert_string_equal(c->listen[0].host, "127.0.0.1");
    assert_string_equal(c->providers[0].name, "vidu");
    assert_string_equal(c->providers[0].key.value, CONF_SECRET);
    assert_int_equal(c->n_hooks, 1);
    assert_int_equal(c->hooks[0].action, ACTION_DOWNLOAD);
    fixture_path(f, "media", path);
    assert_string_equal(c->hooks[0].download.dir, path);
    fixture_path(f, "control.sock", path);
    assert_string_equal(c->control, path);
    fixture_path(f, "viduhook.db", path);
    assert_string_equal(c->store + strlen("sqlite:"), path);
}

static void its_examples_load_too(void **state)
{
    struct conf_fixture *f = *state;
    autofree char *text = conf_init_text(f->dir);
    char *to = text;

    write_material(f);
    for (const char *at = text; *at != '\0'; at++)
        if (!str_starts(at, "#fetch") &&
            !(*at == '#' && at[-(at > text)] == ' ' &&
              (at[1] == '-' || str_starts(at, "#  ") || str_starts(at, "#base_url"))))
            *to++ = *at;
    *to = '\0';
    fixture_load_text(f, text);
    assert_string_equal(f->found, "");
    assert_non_null(f->conf);
    assert_int_equal(f->conf->n_hooks, 2);
    assert_string_equal(f->conf->hooks[1].after, "archive");
    assert_int_equal(f->conf->hooks[1].exec.n, 3);
    assert_string_equal(f->conf->providers[0].base_url, "http://127.0.0.1:8788");
    assert_string_equal(f->conf->fetch.allow.v[0], "127.0.0.1:8788");
}

static void a_directory_with_odd_characters_is_quoted(void **state)
{
    struct conf_fixture *f = *state;
    autofree char *dir = mem_printf("%s/a \"b\": #c", f->dir);
    autofree char *text = conf_init_text(dir);
    autofree char *key = NULL;

    assert_int_equal(mkdir(dir, 0700), 0);
    fixture_write(f, "a \"b\": #c/cert.pem", "certificate", 0644);
    fixture_write(f, "a \"b\": #c/key.pem", "key", 0600);
    fixture_write(f, "a \"b\": #c/vidu.key", "k", 0600);
    fixture_load_text(f, text);
    assert_string_equal(f->found, "");
    key = mem_printf("%s/key.pem", dir);
    assert_string_equal(f->conf->tls.key, key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(the_first_configuration_loads),
        CONF_TEST(its_examples_load_too),
        CONF_TEST(a_directory_with_odd_characters_is_quoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
