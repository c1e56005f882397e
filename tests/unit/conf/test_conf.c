/* SPDX-License-Identifier: MIT */
#include "conf/conf.h"

#include "conf/conf_load.h"
#include "conf_fixture.h"

static void make_dropin_dir(const struct conf_fixture *f)
{
    char path[256];

    fixture_path(f, "conf.d", path);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void a_file_that_is_not_there_is_reported(void **state)
{
    struct conf_fixture *f = *state;

    assert_int_equal(fixture_load(f), -ENOENT);
    assert_string_equal(f->found, "DIR/viduhook.yaml:0:0: there is no such file; name one with -c, "
                                  "or let `viduhook init DIR` write one to begin with\n");
}

static void a_file_that_cannot_be_opened_is_told_why(void **state)
{
    struct conf_fixture *f = *state;
    char path[256];

    fixture_path(f, "viduhook.yaml", path);
    assert_int_equal(symlink("viduhook.yaml", path), 0);
    assert_int_equal(fixture_load(f), -ELOOP);
    assert_string_equal(f->found, "DIR/viduhook.yaml:0:0: Too many levels of symbolic links\n");
}

static void a_file_everybody_may_write_is_refused(void **state)
{
    struct conf_fixture *f = *state;

    fixture_write(f, "viduhook.yaml", CONF_GOOD, 0602);
    assert_int_equal(fixture_load(f), -EPERM);
    assert_string_equal(f->found, "DIR/viduhook.yaml:0:0: every user may write to it (mode 0602); "
                                  "run: chmod o-w DIR/viduhook.yaml\n");
}

static void only_a_regular_file_is_read(void **state)
{
    struct conf_fixture *f = *state;
    char path[256];

    fixture_path(f, "viduhook.yaml", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(fixture_load(f), -EINVAL);
    assert_string_equal(f->found, "DIR/viduhook.yaml:0:0: not a regular file\n");
}

static void nobody_needs_to_listen_to_reports(void **state)
{
    struct conf *c = NULL;

    (void)state;
    assert_int_equal(conf_load_text("x.yaml", "lisen: 1\n", 9, NULL, NULL, &c), -EINVAL);
    assert_null(c);
}

static void a_small_file_is_complete(void **state)
{
    struct conf_fixture *f = *state;
    char path[256];

    assert_int_equal(fixture_load_text(f, CONF_GOOD), 0);
    assert_string_equal(f->found, "");
    fixture_path(f, "viduhook.yaml", path);
    assert_string_equal(f->conf->file, path);
    assert_string_equal(f->conf->public_url, "http://127.0.0.1:8080");
    assert_ptr_equal(conf_provider_find(f->conf, "vidu"), &f->conf->providers[0]);
    assert_null(conf_provider_find(f->conf, "octopusx"));
    assert_null(conf_hook_find(f->conf, "x"));
    assert_null(conf_hook_find(f->conf, NULL));
}

static void a_relative_path_means_the_same_after_a_chdir(void **state)
{
    struct conf_fixture *f = *state;
    autofree char *before = getcwd(NULL, 0);
    char path[256];

    fixture_write(f, "viduhook.yaml", CONF_GOOD, 0600);
    assert_int_equal(chdir(f->dir), 0);
    assert_int_equal(conf_load("viduhook.yaml", fixture_on_finding, f, &f->conf), 0);
    assert_int_equal(chdir(before), 0);
    fixture_path(f, "viduhook.yaml", path);
    assert_string_equal(f->conf->file, path);
    assert_string_equal(f->conf->providers[0].key.value, CONF_SECRET);
}

static void the_control_socket_is_found_in_spite_of_mistakes(void **state)
{
    struct conf_fixture *f = *state;
    autofree char *found = NULL;
    char path[256];

    fixture_write(f, "viduhook.yaml",
                  "lisen: x\ncontrol: here.sock\nproviders: { vidu: { key: { env: NOT_SET } } }\n",
                  0600);
    fixture_path(f, "viduhook.yaml", path);
    found = conf_control(path);
    fixture_path(f, "here.sock", path);
    assert_string_equal(found, path);
    fixture_write(f, "viduhook.yaml", "control: [\n", 0600);
    fixture_path(f, "viduhook.yaml", path);
    assert_null(conf_control(path));
    fixture_path(f, "none.yaml", path);
    assert_null(conf_control(path));
}

static void every_error_is_reported(void **state)
{
    static const struct conf_case cases[] = {
        {"", "DIR/viduhook.yaml:0:0: 'providers' is missing: who makes the videos, by name\n"
             "DIR/viduhook.yaml:0:0: 'public_url' is missing: callbacks need it\n"
             "DIR/viduhook.yaml:0:0: 'listen' is missing: callbacks need it\n"},
        {CONF_GOOD "lisen: x\n"
                   "receivers: 0\n"
                   "limits:\n"
                   "  max_boddy: 1MiB\n"
                   "  runs: many\n"
                   "retain: [1]\n"
                   "hooks: 5\n",
         "DIR/viduhook.yaml:4:1: unknown option 'lisen'; did you mean 'listen'?\n"
         "DIR/viduhook.yaml:5:12: 'receivers' is out of range: 0 is not within 1-64\n"
         "DIR/viduhook.yaml:7:3: unknown option 'limits.max_boddy'; did you mean 'max_body'?\n"
         "DIR/viduhook.yaml:8:9: 'limits.runs' must be a whole number, within 1-1024, not 'many'\n"
         "DIR/viduhook.yaml:9:9: 'retain' must be a single value, not a list\n"
         "DIR/viduhook.yaml:10:8: 'hooks' must be a list of at most 64 hooks\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void files_of_conf_d_are_laid_upon_it_in_name_order(void **state)
{
    struct conf_fixture *f = *state;

    make_dropin_dir(f);
    fixture_write(f, "conf.d/20-b.yaml", "receivers: 4\nlimits: { runs: 7 }\n", 0600);
    fixture_write(f, "conf.d/10-a.yaml", "receivers: 3\nlimits: { runs: 6, max_body: 2MiB }\n",
                  0600);
    fixture_write(f, "conf.d/.hidden.yaml", "receivers: [\n", 0600);
    fixture_write(f, "conf.d/30-c.yaml~", "receivers: 6\n", 0600);
    assert_int_equal(fixture_load_text(f, CONF_GOOD "receivers: 2\n"
                                                    "limits: { max_body: 1MiB, connections: 9 }\n"),
                     0);
    assert_int_equal(f->conf->receivers, 4);
    assert_int_equal(f->conf->limits.runs, 7);
    assert_int_equal(f->conf->limits.max_body, 2 << 20);
    assert_int_equal(f->conf->limits.connections, 9);
}

static void maps_merge_deep_lists_replace_and_hooks_append(void **state)
{
    struct conf_fixture *f = *state;

    make_dropin_dir(f);
    fixture_write(f, "conf.d/a.yaml",
                  "listen: [http://127.0.0.2:80]\n"
                  "fetch: { ports: [8443] }\n"
                  "providers:\n"
                  "  vidu: { confirm: never }\n"
                  "  octopusx: { key: file:vidu.key }\n"
                  "hooks:\n"
                  "  - { name: second, after: first, exec: [/bin/true] }\n",
                  0600);
    fixture_write(f, "conf.d/b.yaml", "hooks:\nproviders:\nfetch:\n", 0600);
    assert_int_equal(fixture_load_text(f, CONF_GOOD "fetch: { ports: [81, 82], keep_free: 1GiB }\n"
                                                    "hooks:\n"
                                                    "  - { name: first, exec: [/bin/true] }\n"),
                     0);
    assert_string_equal(f->found, "");
    assert_int_equal(f->conf->n_listen, 1);
    assert_string_equal(f->conf->listen[0].host, "127.0.0.2");
    assert_int_equal(f->conf->fetch.ports.n, 1);
    assert_string_equal(f->conf->fetch.ports.v[0], "8443");
    assert_int_equal(f->conf->fetch.keep_free, 1 << 30);
    assert_int_equal(f->conf->n_providers, 2);
    assert_int_equal(f->conf->providers[0].confirm, CONFIRM_NEVER);
    assert_string_equal(f->conf->providers[0].key.value, CONF_SECRET);
    assert_string_equal(f->conf->providers[1].name, "octopusx");
    assert_int_equal(f->conf->n_hooks, 2);
    assert_string_equal(f->conf->hooks[1].name, "second");
}

static void findings_name_the_file_they_are_in(void **state)
{
    struct conf_fixture *f = *state;

    make_dropin_dir(f);
    fixture_write(f, "conf.d/a.yaml",
                  "receivers: 0\n"
                  "hooks:\n"
                  "  - { name: one, exec: [/bin/true] }\n",
                  0600);
    assert_int_equal(fixture_load_text(f, CONF_GOOD "log: xml\n"
                                                    "hooks:\n"
                                                    "  - { name: one, exec: [/bin/true] }\n"),
                     -EINVAL);
    assert_string_equal(
        f->found, "DIR/viduhook.yaml:4:6: 'log' must be one of text|json, not 'xml'\n"
                  "DIR/conf.d/a.yaml:3:13: a hook 'one' stands above already\n"
                  "DIR/conf.d/a.yaml:1:12: 'receivers' is out of range: 0 is not within 1-64\n");
}

static void syntax_errors_of_all_files_are_reported(void **state)
{
    struct conf_fixture *f = *state;

    make_dropin_dir(f);
    fixture_write(f, "conf.d/a.yaml", "a: &b c\n", 0600);
    assert_int_equal(fixture_load_text(f, CONF_GOOD "control: *x\nreceivers: 1\nreceivers: 0\n"),
                     -EINVAL);
    assert_string_equal(
        f->found, "DIR/viduhook.yaml:4:10: aliases (*name) are not supported; write it out\n"
                  "DIR/viduhook.yaml:6:1: 'receivers' stands here a second time; the first "
                  "is in line 5\n"
                  "DIR/conf.d/a.yaml:1:4: anchors (&name) are not supported; write it out\n"
                  "DIR/viduhook.yaml:4:10: 'control' has no value\n"
                  "DIR/viduhook.yaml:6:12: 'receivers' is out of range: 0 is not within 1-64\n"
                  "DIR/conf.d/a.yaml:1:1: unknown option 'a'\n");
}

/* What is missing, or does not fit together, may be mended by the file that could not be read. */
static void a_syntax_error_hides_no_other_errors(void **state)
{
    static const char *const together[] = {
        "there is no hook 'lost'",      "'providers.mine.key' is missing",
        "would be open to the network", "'public_url' must be https",
        "'tls.key' are both needed",    "'limits.body_budget' is smaller than",
        "unknown profile 'mine'",       "'providers.own.base_url' is missing"};
    struct conf_fixture *f = *state;

    make_dropin_dir(f);
    fixture_write(f, "conf.d/a.yaml", "receivers: 0\nbehind_proxy: [\n", 0600);
    fixture_write(f, "conf.d/b.yaml",
                  "log: xml\n"
                  "listen: [http://0.0.0.0:80]\n"
                  "public_url: http://far.example\n"
                  "tls: { key: key.pem }\n"
                  "limits: { body_budget: 1KiB }\n"
                  "fetch: { ca_file: nope }\n"
                  "providers: { mine: { base_url: 'http://far.example' },\n"
                  "  own: { profile: generic } }\n"
                  "hooks: [{ name: one, after: lost, exec: [/bin/true], timeout: never }]\n",
                  0600);
    assert_int_equal(fixture_load_text(f, "receivers: x\nlisen: y\n"), -EINVAL);
    assert_string_equal(
        f->found,
        "DIR/conf.d/a.yaml:3:1: did not find expected node content while parsing a flow node\n"
        "DIR/viduhook.yaml:1:12: 'receivers' must be a whole number, within 1-64, not 'x'\n"
        "DIR/viduhook.yaml:2:1: unknown option 'lisen'; did you mean 'listen'?\n"
        "DIR/conf.d/b.yaml:1:6: 'log' must be one of text|json, not 'xml'\n"
        "DIR/conf.d/b.yaml:7:32: 'providers.mine.base_url' must be https, since the key travels "
        "with every request; http is for loopback addresses only\n"
        "DIR/conf.d/b.yaml:9:63: 'hooks[].timeout' must be a duration such as 90, 500ms, 60s, 5m, "
        "1h or 7d, within 100ms-7d, not 'never'\n"
        "DIR/conf.d/b.yaml:6:19: 'fetch.ca_file': DIR/nope: No such file or directory\n");
    fixture_write(f, "conf.d/a.yaml", "receivers: 1\n", 0600);
    assert_int_equal(fixture_load_text(f, "receivers: 1\n"), -EINVAL);
    for (size_t i = 0; i < ARRAY_LEN(together); i++)
        if (strstr(f->found, together[i]) == NULL)
            fail_msg("%s in %s", together[i], f->found);
}

static void what_is_missing_may_stand_in_a_file_that_cannot_be_read(void **state)
{
    struct conf_fixture *f = *state;

    make_dropin_dir(f);
    fixture_write(f, "conf.d/a.yaml", "a: 'x\n", 0600);
    assert_int_equal(fixture_load_text(f, "store: sqlite:x\n"), -EINVAL);
    assert_string_equal(f->found, "DIR/conf.d/a.yaml:2:1: found unexpected end of stream while "
                                  "scanning a quoted scalar, which begins in line 1\n");
}

static void a_dropin_with_a_syntax_error_stops_the_load(void **state)
{
    struct conf_fixture *f = *state;

    make_dropin_dir(f);
    fixture_write(f, "conf.d/a.yaml", "a: [\n", 0600);
    assert_int_equal(fixture_load_text(f, CONF_GOOD), -EINVAL);
    assert_non_null(strstr(f->found, "DIR/conf.d/a.yaml:2:1: "));
}

static void a_conf_d_that_cannot_be_listed_stops_the_load(void **state)
{
    struct conf_fixture *f = *state;
    char path[256];

    fixture_path(f, "conf.d", path);
    assert_int_equal(symlink("conf.d", path), 0);
    assert_int_equal(fixture_load_text(f, CONF_GOOD), -ELOOP);
    assert_string_equal(f->found, "DIR/conf.d:0:0: Too many levels of symbolic links\n");
}

static void a_file_that_is_too_large_is_refused(void **state)
{
    struct conf_fixture *f = *state;
    autofree char *text = mem_calloc((1U << 20) + 2, 1);

    memset(text, '#', (1U << 20) + 1);
    assert_int_equal(fixture_load_text(f, text), -EFBIG);
    assert_string_equal(f->found, "DIR/viduhook.yaml:0:0: larger than 1048576 bytes\n");
}

static void a_dropin_that_cannot_be_read_stops_the_load(void **state)
{
    struct conf_fixture *f = *state;

    make_dropin_dir(f);
    fixture_write(f, "conf.d/a.yaml", "receivers: 2\n", 0602);
    assert_int_equal(fixture_load_text(f, CONF_GOOD), -EPERM);
    assert_null(f->conf);
}

static void the_number_of_files_is_limited(void **state)
{
    struct conf_fixture *f = *state;

    make_dropin_dir(f);
    for (int i = 0; i < 64; i++) {
        autofree char *name = mem_printf("conf.d/%02d.yaml", i);

        fixture_write(f, name, "", 0600);
    }
    assert_int_equal(fixture_load_text(f, CONF_GOOD), -EINVAL);
    assert_string_equal(f->found, "DIR/conf.d:0:0: more than 63 files\n");
}

static void half_built_and_absent_snapshots_can_be_freed(void **state)
{
    (void)state;
    conf_free(NULL);
    conf_free(mem_calloc(1, sizeof(struct conf)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(a_file_that_is_not_there_is_reported),
        CONF_TEST(a_file_that_cannot_be_opened_is_told_why),
        CONF_TEST(a_file_everybody_may_write_is_refused),
        CONF_TEST(only_a_regular_file_is_read),
        CONF_TEST(nobody_needs_to_listen_to_reports),
        CONF_TEST(a_small_file_is_complete),
        CONF_TEST(a_relative_path_means_the_same_after_a_chdir),
        CONF_TEST(the_control_socket_is_found_in_spite_of_mistakes),
        CONF_TEST(every_error_is_reported),
        CONF_TEST(files_of_conf_d_are_laid_upon_it_in_name_order),
        CONF_TEST(maps_merge_deep_lists_replace_and_hooks_append),
        CONF_TEST(findings_name_the_file_they_are_in),
        CONF_TEST(syntax_errors_of_all_files_are_reported),
        CONF_TEST(a_syntax_error_hides_no_other_errors),
        CONF_TEST(what_is_missing_may_stand_in_a_file_that_cannot_be_read),
        CONF_TEST(a_dropin_with_a_syntax_error_stops_the_load),
        CONF_TEST(a_conf_d_that_cannot_be_listed_stops_the_load),
        CONF_TEST(a_file_that_is_too_large_is_refused),
        CONF_TEST(a_dropin_that_cannot_be_read_stops_the_load),
        CONF_TEST(the_number_of_files_is_limited),
        CONF_TEST(half_built_and_absent_snapshots_can_be_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
