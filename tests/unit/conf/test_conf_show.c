/* SPDX-License-Identifier: MIT */
#include "conf/conf_table.h"
#include "conf_fixture.h"

#define DEFAULT_RETRY                                                                              \
    "    retry:\n"                                                                                 \
    "      attempts: 8\n"                                                                          \
    "      from: 5s\n"                                                                             \
    "      to: 1h\n"                                                                               \
    "      max_age: 1d\n"

/* Nothing has its default here; what is shown is this text again, but for the directory. */
static const char everything[] = "public_url: https://hooks.example.org/x\n"
                                 "listen: [\"https://[::]:8443\", http://127.0.0.1:0, systemd]\n"
                                 "behind_proxy: yes\n"
                                 "tls:\n"
                                 "  certificate: DIR/pem\n"
                                 "  key: DIR/pem\n"
                                 "  min_version: 1.3\n"
                                 "control: DIR/c.sock\n"
                                 "gateway:\n"
                                 "  listen: http://127.0.0.1:8787\n"
                                 "  token: file:DIR/vidu.key\n"
                                 "  body_budget: 65MiB\n"
                                 "store: sqlite:DIR/db\n"
                                 "receivers: 3\n"
                                 "log: json\n"
                                 "log_level: debug\n"
                                 "retain: 0\n"
                                 "shutdown_grace: 1500ms\n"
                                 "limits:\n"
                                 "  max_body: 1025\n"
                                 "  body_budget: 63MiB\n"
                                 "  min_free: 1TiB\n"
                                 "  connections: 11\n"
                                 "  handshakes: 12\n"
                                 "  per_source: 0\n"
                                 "  source_rate: 13\n"
                                 "  max_in_flight: 14\n"
                                 "  keepalive_requests: 15\n"
                                 "  handshake_timeout: 6s\n"
                                 "  header_timeout: 61s\n"
                                 "  body_timeout: 2m\n"
                                 "  reply_timeout: 9s\n"
                                 "  credits_per_day: 5000\n"
                                 "  looks: 18\n"
                                 "  runs: 17\n"
                                 "  output: 0\n"
                                 "alarms:\n"
                                 "  disk_free: 2GiB\n"
                                 "  signature_failures: 5/s\n"
                                 "  provider_down: 1h\n"
                                 "signature:\n"
                                 "  window: 25h\n"
                                 "  nonce_keep: 8d\n"
                                 "fetch:\n"
                                 "  allow: [10.0.0.1, \"[::1]:9000\"]\n"
                                 "  ports: [8443, 81]\n"
                                 "  ca_file: DIR/pem\n"
                                 "  keep_free: 1GiB\n"
                                 "providers:\n"
                                 "  mine:\n"
                                 "    profile: vidu-cn\n"
                                 "    base_url: http://127.0.0.1:9/x\n"
                                 "    key: file:DIR/vidu.key\n"
                                 "    previous_keys: [env:VIDUHOOK_OLD, file:DIR/vidu.key]\n"
                                 "    callback_secret: env:VIDUHOOK_OLD\n"
                                 "    signature: if-present\n"
                                 "    confirm: never\n"
                                 "    mode: both\n"
                                 "    overdue: 2m\n"
                                 "    auth: Key\n"
                                 "    prefix: /api\n"
                                 "    query: \"/api/ask?id={id}\"\n"
                                 "    names:\n"
                                 "      id: out.id\n"
                                 "      state: out.state\n"
                                 "      result: out.urls.0\n"
                                 "hooks:\n"
                                 "  - name: a\n"
                                 "    on: [success, failed, test]\n"
                                 "    match:\n"
                                 "      provider: [mine]\n"
                                 "      endpoint: [\"img*\"]\n"
                                 "      model: [\"viduq3*\", \"?\"]\n"
                                 "      tags: [album, \"year=20*\"]\n"
                                 "      payload: [\"order-*\"]\n"
                                 "      err_code: [AuditFailed]\n"
                                 "      duration: [4-8, \">=16\"]\n"
                                 "      credits: [\"<100\"]\n"
                                 "    download:\n"
                                 "      dir: \"DIR/my media\"\n"
                                 "      layout: \"{task.model}/{task.prompt}\"\n"
                                 "      mode: 0640\n"
                                 "      cover: no\n"
                                 "      watermarked: yes\n"
                                 "      nfo: yes\n"
                                 "      posters: yes\n"
                                 "      sidecar: yes\n"
                                 "      max_size: 5GiB\n"
                                 "      max_total: 1TiB\n"
                                 "      prune: yes\n"
                                 "    timeout: 2h\n"
                                 "    concurrency: 5\n"
                                 "    rate: 10/m\n"
                                 "    retry:\n"
                                 "      attempts: 9\n"
                                 "      from: 6s\n"
                                 "      to: 2h\n"
                                 "      max_age: 25h\n"
                                 "  - name: b\n"
                                 "    on: [failed]\n"
                                 "    after: a\n"
                                 "    exec: [/bin/echo, \"{task.id}\", \"\", \"a\\\"b\\n\"]\n"
                                 "    cwd: /tmp\n"
                                 "    umask: 0077\n"
                                 "    env: { A: \"b c\", LANG: \"C\" }\n"
                                 "    user: root\n"
                                 "    limits:\n"
                                 "      memory: 1GiB\n"
                                 "      cpu: 1h\n"
                                 "      files: 64\n"
                                 "      file_size: 1MiB\n"
                                 "      processes: 0\n"
                                 "    timeout: 5m\n"
                                 "    concurrency: 4\n" DEFAULT_RETRY "  - name: c\n"
                                 "    on: [success]\n"
                                 "    http:\n"
                                 "      preset: none\n"
                                 "      url: \"https://h/{task.id}\"\n"
                                 "      method: PUT\n"
                                 "      token: env:VIDUHOOK_OLD\n"
                                 "      user: me\n"
                                 "      headers: { A: \"{event}\", B: { env: VIDUHOOK_OLD } }\n"
                                 "      format: cloudevents\n"
                                 "      upload: none\n"
                                 "      batch: { max: 1, wait: 0s }\n"
                                 "      sign: standard-webhooks\n"
                                 "      secrets: [env:VIDUHOOK_SIGN]\n"
                                 "      path_map: { /a: /b, /c: \"Z:\" }\n"
                                 "    timeout: 20s\n"
                                 "    concurrency: 4\n" DEFAULT_RETRY "  - name: d\n"
                                 "    on: [success]\n"
                                 "    after: a\n"
                                 "    http:\n"
                                 "      preset: kodi\n"
                                 "      url: http://h\n"
                                 "      body: \"{task.id}\"\n"
                                 "      sign: none\n"
                                 "      library: /m\n"
                                 "    timeout: 20s\n"
                                 "    concurrency: 4\n" DEFAULT_RETRY "  - name: e\n"
                                 "    on: [success]\n"
                                 "    after: a\n"
                                 "    http:\n"
                                 "      preset: s3\n"
                                 "      url: http://h/b\n"
                                 "      token: env:VIDUHOOK_OLD\n"
                                 "      user: AK\n"
                                 "      region: eu-1\n"
                                 "    timeout: 1h\n"
                                 "    concurrency: 4\n" DEFAULT_RETRY "  - name: f\n"
                                 "    on: [success]\n"
                                 "    after: a\n"
                                 "    http:\n"
                                 "      preset: none\n"
                                 "      url: http://h\n"
                                 "      method: POST\n"
                                 "      upload: multipart\n"
                                 "      form: { \"a b\": \"{task.id}\" }\n"
                                 "      file_field: clip\n"
                                 "    timeout: 1h\n"
                                 "    concurrency: 4\n" DEFAULT_RETRY "  - name: g\n"
                                 "    on: [success]\n"
                                 "    after_failure: a\n"
                                 "    exec: [/bin/echo, \"{task.id}\", \"\", \"a\\\"b\\n\"]\n"
                                 "    cwd: /\n"
                                 "    umask: 0022\n"
                                 "    limits:\n"
                                 "      memory: 4GiB\n"
                                 "      cpu: 1d\n"
                                 "      files: 1024\n"
                                 "      file_size: 64GiB\n"
                                 "      processes: 4096\n"
                                 "    timeout: 5m\n"
                                 "    concurrency: 4\n" DEFAULT_RETRY;

static char *with_dir(const struct conf_fixture *f, const char *text)
{
    struct buf out = BUF_INIT(1U << 16);

    while (*text != '\0') {
        bool dir = str_starts(text, "DIR");

        buf_add(&out, dir ? f->dir : text, dir ? strlen(f->dir) : 1);
        text += dir ? 3 : 1;
    }
    return buf_take(&out);
}

static char *show(const struct conf *c)
{
    struct buf out = BUF_INIT(1U << 16);

    conf_show(c, &out);
    assert_true(buf_ok(&out));
    return buf_take(&out);
}

static void load_everything(struct conf_fixture *f)
{
    autofree char *text = with_dir(f, everything);

    setenv("VIDUHOOK_OLD", "vda_old_secret", 1);
    setenv("VIDUHOOK_SIGN", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1);
    fixture_write(f, "pem", "-----BEGIN PEM TEXT", 0600);
    fixture_load_text(f, text);
    assert_string_equal(f->found, "");
}

static void what_is_shown_loads_again_to_the_same_values(void **state)
{
    struct conf_fixture *f = *state;
    autofree char *expected = with_dir(f, everything);
    autofree char *first = NULL;
    autofree char *again = NULL;

    load_everything(f);
    first = show(f->conf);
    assert_string_equal(first, expected);
    assert_int_equal(fixture_load_text(f, first), 0);
    again = show(f->conf);
    assert_string_equal(again, first);
}

static void defaults_survive_the_same_way(void **state)
{
    struct conf_fixture *f = *state;
    autofree char *first = NULL;
    autofree char *again = NULL;

    assert_int_equal(fixture_load_text(f, CONF_GOOD), 0);
    first = show(f->conf);
    assert_non_null(strstr(first, "\n  max_body: 8MiB\n"));
    assert_null(strstr(first, "hooks"));
    assert_int_equal(fixture_load_text(f, first), 0);
    again = show(f->conf);
    assert_string_equal(again, first);
}

static void what_is_not_set_is_not_shown(void **state)
{
    struct conf_fixture *f = *state;
    autofree char *text = NULL;

    assert_int_equal(fixture_load_text(f, "providers: { vidu: { mode: poll, key: { file: vidu.key "
                                          "} } }\nhooks: [{ name: a, exec: /bin/true }]\n"),
                     0);
    text = show(f->conf);
    assert_null(strstr(text, "listen"));
    assert_null(strstr(text, " rate:"));
    assert_int_equal(fixture_load_text(f, text), 0);
}

static void no_secret_is_shown(void **state)
{
    struct conf_fixture *f = *state;
    autofree char *text = NULL;

    load_everything(f);
    text = show(f->conf);
    assert_string_equal(f->conf->providers[0].key.value, CONF_SECRET);
    assert_string_equal(f->conf->providers[0].previous_keys[0].value, "vda_old_secret");
    assert_null(strstr(text, CONF_SECRET));
    assert_null(strstr(text, "vda_old_secret"));
    assert_null(strstr(text, "MfKQ"));
}

/* Every row is in the text above with a value that is not its default. */
static void every_option_is_set_and_shown(void **state)
{
    struct conf_fixture *f = *state;
    autofree char *text = NULL;

    load_everything(f);
    text = show(f->conf);
    for (size_t i = 0; i < conf_n_rows; i++) {
        const char *dot = strrchr(conf_rows[i].key, '.');
        const char *name = dot != NULL ? dot + 1 : conf_rows[i].key;
        autofree char *here = mem_printf(" %s:", name);
        autofree char *start = mem_printf("\n%s:", name);
        autofree char *same = mem_printf("%s: %s\n", name, conf_rows[i].doc.fallback);

        assert_true(strstr(text, here) != NULL || strstr(text, start) != NULL ||
                    str_starts(text, start + 1));
        if (conf_rows[i].scope == SCOPE_FILE && conf_rows[i].doc.fallback[0] != '\0')
            assert_null(strstr(text, same));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(what_is_shown_loads_again_to_the_same_values),
        CONF_TEST(defaults_survive_the_same_way),
        CONF_TEST(what_is_not_set_is_not_shown),
        CONF_TEST(no_secret_is_shown),
        CONF_TEST(every_option_is_set_and_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
