/* SPDX-License-Identifier: MIT */
#include "conf/conf_http.h"

#include "conf/conf_preset.h"
#include "conf_fixture.h"

/* The value of http starts in column 22 of line 5. */
#define HTTP(text) CONF_GOOD "hooks:\n  - { name: a, http: { " text " } }\n"
#define AFTER(text)                                                                                \
    CONF_GOOD "hooks:\n  - { name: d, download: { dir: m } }\n"                                    \
              "  - { name: a, after: d, http: { " text " } }\n"
#define AT  "DIR/viduhook.yaml:5:"
#define URL "url: 'https://h/x', "
#define KEY "token: { file: vidu.key }, "

static void a_request_is_filled_in(void **state)
{
    struct conf_fixture *f = *state;
    const struct conf_hook *h;

    fixture_write(f, "sign.key", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", 0600);
    assert_int_equal(
        fixture_load_text(f, CONF_GOOD
                          "hooks:\n"
                          "  - name: tell\n"
                          "    http:\n"
                          "      url: https://[::1]:9000/a?id={task.id}\n"
                          "      method: put\n"
                          "      token: { file: vidu.key }\n"
                          "      headers: { X-Event: '{event}', X-Key: { file: vidu.key } }\n"
                          "      body: '{{\"id\": \"{task.id}\"}}'\n"
                          "      sign: standard-webhooks\n"
                          "      secrets: [file:sign.key, file:sign.key]\n"
                          "      path_map: { /srv/media/: '/media/', /: 'Z:' }\n"),
        0);
    h = &f->conf->hooks[0];
    assert_int_equal(h->action, ACTION_HTTP);
    assert_int_equal(h->timeout_ms, 20000);
    assert_int_equal(h->http.method, 1);
    assert_string_equal(h->http.token.value, CONF_SECRET);
    assert_int_equal(h->http.n_headers, 2);
    assert_string_equal(h->http.headers[0].value, "{event}");
    assert_null(h->http.headers[1].value);
    assert_string_equal(h->http.headers[1].secret.value, CONF_SECRET);
    assert_true(h->http.sign);
    assert_int_equal(h->http.n_secrets, 2);
    assert_int_equal(h->http.n_path_map, 2);
    assert_string_equal(h->http.path_map[0].ours, "/srv/media");
    assert_string_equal(h->http.path_map[0].theirs, "/media");
    assert_string_equal(h->http.path_map[1].ours, "/");
}

static void what_is_shown_loads_again_and_hides_secrets(void **state)
{
    struct conf_fixture *f = *state;
    autobuf struct buf first = BUF_INIT(1 << 20);
    autobuf struct buf second = BUF_INIT(1 << 20);

    fixture_write(f, "sign.key", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", 0600);
    assert_int_equal(
        fixture_load_text(f, HTTP(URL KEY "headers: { A: '{event}: x', B: { file: vidu.key } }"
                                          ", sign: standard-webhooks, secrets: [{ file: "
                                          "sign.key }], path_map: { /a b: /c }")),
        0);
    conf_show(f->conf, &first);
    assert_null(strstr(buf_text(&first), CONF_SECRET));
    assert_null(strstr(buf_text(&first), "MfKQ"));
    assert_null(strstr(buf_text(&first), "exec:"));
    assert_null(strstr(buf_text(&first), "cover:"));
    assert_int_equal(fixture_load_text(f, buf_text(&first)), 0);
    conf_show(f->conf, &second);
    assert_string_equal(buf_text(&second), buf_text(&first));
}

static void a_url_names_its_host_itself(void **state)
{
    static const struct conf_case cases[] = {
        {HTTP("url: 'http://10.0.0.5:8096/{task.id}?a={task.prompt|url}'"), ""},
        {HTTP("method: POST"), AT "22: 'hooks[].http.url' is missing\n"},
        {HTTP("url: 'https://{task.id}.x/'"),
         AT "29: 'hooks[].http.url': no placeholder may stand before the path\n"},
        {HTTP("url: 'https://h/{task.idd}'"),
         AT "29: 'hooks[].http.url': unknown placeholder \"task.idd\"; did you mean "
            "\"task.id\"?\n"},
        {HTTP("url: 'https://h/a#b'"),
         AT "29: 'hooks[].http.url': blanks and # do not belong into a URL\n"},
        {HTTP("url: 'https://h/a b'"),
         AT "29: 'hooks[].http.url': blanks and # do not belong into a URL\n"},
    };
    static const char *const bad[] = {"ftp://h/", "https://u:p@h/", "/x",
                                      "https:/h", "https://",       "http://h:0/"};
    struct conf_fixture *f = *state;

    fixture_expect(f, cases, ARRAY_LEN(cases));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        autofree char *text = mem_printf(HTTP("url: '%s'"), bad[i]);

        assert_int_equal(fixture_load_text(f, text), -EINVAL);
        assert_non_null(strstr(f->found, AT "29: 'hooks[].http.url': "));
    }
}

static void headers_are_names_with_one_line(void **state)
{
    static const struct conf_case cases[] = {
        {HTTP("url: 'https://h', headers: { 'a b': x }"),
         AT "53: 'hooks[].http.headers': a b: not the name of a header\n"},
        {HTTP("url: 'https://h', headers: { '': x }"),
         AT "53: 'hooks[].http.headers': : not the name of a header\n"},
        {HTTP("url: 'https://h', headers: { Host: x }"),
         AT "53: 'hooks[].http.headers': Host: viduhook makes this header itself\n"},
        {HTTP("url: 'https://h', headers: { Webhook-Id: x }"),
         AT "53: 'hooks[].http.headers': Webhook-Id: viduhook makes this header itself\n"},
        {HTTP("url: 'https://h', headers: { A: \"x\\ny\" }"),
         AT "53: 'hooks[].http.headers': A: must be one line of at most 2048 bytes\n"},
        {HTTP("url: 'https://h', headers: { A: '{x' }"),
         AT "53: 'hooks[].http.headers': A: a { without its }; write {{ for a brace\n"},
        {HTTP("url: 'https://h', headers: [a]"),
         AT "51: 'hooks[].http.headers' must be a map of names to values (0-16), not a list\n"},
        {HTTP("url: 'https://h', headers: { A: { files: x } }"),
         AT "56: 'hooks[].http.headers' must be { file: PATH }, { env: NAME } or { credential: "
            "NAME }; the secret itself never stands here\n"},
        {HTTP("url: 'https://h', headers: "), ""},
        {HTTP("url: 'https://h', path_map: { /media: '' }"),
         AT "54: 'hooks[].http.path_map': must be an absolute folder of this machine and its name "
            "on the server, as in /srv/media: /media\n"},
        {HTTP("url: 'https://h', path_map: { /media: [x] }"),
         AT "54: 'hooks[].http.path_map': must be an absolute folder of this machine and its name "
            "on the server, as in /srv/media: /media\n"},
        {HTTP("url: 'https://h', path_map: { media: x }"),
         AT "54: 'hooks[].http.path_map': must be an absolute folder of this machine and its name "
            "on the server, as in /srv/media: /media\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

/* Each of them one byte, or one item, too long. */
static void what_is_written_has_an_end(void **state)
{
    static const struct {
        const char *before, *said;
        size_t n;
    } rows[] = {
        {"url: 'https://h/", "'hooks[].http.url': longer than 2048 bytes", 2049 - 10},
        {"url: 'https://h', body: '", "'hooks[].http.body': longer than 65536 bytes", 65537},
        {"url: 'https://h', headers: { A: '", "must be one line of at most 2048 bytes", 2048},
        {"url: 'https://h', method: POST, upload: multipart, form: { a: '",
         "'hooks[].http.form': a: longer than 4096 bytes", 4097},
    };
    struct conf_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t more = 0; more < 2; more++) {
            autofree char *filling = mem_calloc(rows[i].n + 1, 1);
            autofree char *text = NULL;

            memset(filling, 'x', rows[i].n - 1 + more);
            text = mem_printf(AFTER("%s%s'%s"), rows[i].before, filling, i >= 2 ? " }" : "");
            assert_int_equal(fixture_load_text(f, text), more == 1 ? -EINVAL : 0);
            assert_true(more == 0 || strstr(f->found, rows[i].said) != NULL);
        }
}

static void signing_needs_good_secrets(void **state)
{
    static const struct conf_case cases[] = {
        {HTTP("url: 'https://h', sign: standard-webhooks"),
         AT "22: 'hooks[].http.secrets' is missing: sign needs it\n"},
        {HTTP("url: 'https://h', secrets: [file:sign.key]"),
         AT "51: 'hooks[].http.secrets' needs 'sign: standard-webhooks' beside it\n"},
        {HTTP("url: 'https://h', sign: standard-webhooks, secrets: [file:vidu.key]"),
         AT "77: 'hooks[].http.secrets': the secret must be base64 of 24 to 64 bytes, perhaps "
            "behind whsec_; make one with: openssl rand -base64 32\n"},
        {HTTP("url: 'https://h', sign: standard-webhooks, secrets: file:sign.key"),
         AT "76: 'hooks[].http.secrets' must be a list of at most 4 secrets\n"},
        {HTTP("url: 'https://h', sign: standard-webhooks, secrets: [file:sign.key, file:sign.key, "
              "file:sign.key, file:sign.key]"),
         ""},
        {HTTP("url: 'https://h', sign: standard-webhooks, secrets: [file:sign.key, file:sign.key, "
              "file:sign.key, file:sign.key, file:sign.key]"),
         AT "76: 'hooks[].http.secrets' must be a list of at most 4 secrets\n"},
        {HTTP("url: 'https://h', secrets: "), ""},
    };

    fixture_write(*state, "sign.key", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", 0600);
    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void presets_that_tell_of_files_need_a_download(void **state)
{
    static const char *const names[] = {"jellyfin",  "emby", "plex",  "webdav",
                                        "nextcloud", "s3",   "immich"};
    struct conf_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        autofree char *text = mem_printf(HTTP(URL KEY "preset: %s"), names[i]);
        autofree char *found = mem_printf("preset %s tells of downloaded files", names[i]);

        assert_int_equal(fixture_load_text(f, text), -EINVAL);
        assert_non_null(strstr(f->found, found));
    }
}

static void media_servers_are_told_of_50_files_at_once(void **state)
{
    static const struct {
        const char *more;
        int64_t wait_ms;
    } rows[] = {
        {"jellyfin", 2000}, {"emby", 2000}, {"plex", 10000}, {"kodi, library: /m, user: u", 10000}};
    struct conf_fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        autofree char *text = mem_printf(AFTER(URL KEY "preset: %s"), rows[i].more);

        assert_int_equal(fixture_load_text(f, text), 0);
        assert_int_equal(f->conf->hooks[1].http.batch.max, 50);
        assert_int_equal(f->conf->hooks[1].http.batch.wait_ms, rows[i].wait_ms);
    }
}

static void a_preset_says_what_it_needs(void **state)
{
    static const struct conf_case cases[] = {
        {AFTER(URL KEY "preset: jellyfin"), ""},
        {AFTER(URL KEY "preset: kodi, user: kodi, library: /m"), ""},
        {HTTP(KEY "preset: slack, body: '{{}}'"), ""},
        {HTTP(URL "preset: ntfy"), ""},
        {HTTP(URL KEY "preset: ntfy"), ""},
        {HTTP(URL KEY "preset: apprise"), ""},
        {HTTP(URL "preset: discord"),
         AT "22: 'hooks[].http.token' is missing: preset discord needs it\n"},
        {HTTP("url: 'https://h/x?y', preset: ntfy"),
         AT "29: 'hooks[].http.url': a preset's server has no query\n"},
        {HTTP(URL KEY "preset: jellyfin"),
         AT "22: preset jellyfin tells of downloaded files: the hook needs 'after: NAME' of a "
            "download\n"},
        {AFTER(URL "preset: emby"), "DIR/viduhook.yaml:6:32: 'hooks[].http.token' is missing: "
                                    "preset emby needs it\n"},
        {AFTER(URL "preset: kodi"), "DIR/viduhook.yaml:6:32: 'hooks[].http.library' is missing: "
                                    "preset kodi needs it\n"},
        {HTTP("preset: gotify"),
         AT "22: 'hooks[].http.url' is missing: preset gotify needs it\n" AT
            "22: 'hooks[].http.token' is missing: preset gotify needs it\n"},
        {HTTP(URL "preset: ntfy, method: PUT, format: context"),
         AT "66: 'hooks[].http.method' has no meaning with preset ntfy\n" AT
            "79: 'hooks[].http.format' has no meaning with preset ntfy\n"},
        {AFTER(URL "preset: webdav"), ""},
        {AFTER(URL KEY "preset: webdav, user: u"), ""},
        {AFTER(URL KEY "preset: s3, user: AK, region: eu-1"), ""},
        {AFTER(URL KEY "preset: s3"), "DIR/viduhook.yaml:6:32: 'hooks[].http.user' is missing: "
                                      "preset s3 needs it\n"},
        {AFTER(URL "preset: webdav, region: x"),
         "DIR/viduhook.yaml:6:78: 'hooks[].http.region' has no meaning with preset webdav\n"},
        {HTTP(URL "body: x, format: cloudevents"),
         AT "61: 'hooks[].http.format' has no meaning with a body\n"},
        {AFTER(URL "upload: raw, method: PUT"), ""},
        {AFTER(URL "upload: multipart, file_field: f, form: { a: '{task.id}' }"), ""},
        {AFTER(URL KEY "preset: immich"), ""},
        {AFTER(URL KEY "preset: nextcloud, user: me, library: /Clips"), ""},
        {HTTP(URL "upload: raw"),
         AT "22: 'hooks[].http.upload' sends downloaded files: the hook needs 'after: NAME' of a "
            "download\n"},
        {AFTER(URL "upload: raw, format: raw"),
         "DIR/viduhook.yaml:6:75: 'hooks[].http.format' has no meaning with an upload\n"},
        {AFTER(URL "upload: raw, form: { a: b }"),
         "DIR/viduhook.yaml:6:73: 'hooks[].http.form' has no meaning without 'upload: "
         "multipart'\n"},
        {AFTER(URL "upload: multipart, form: { a: '{task.x}' }"),
         "DIR/viduhook.yaml:6:81: 'hooks[].http.form': a: unknown placeholder \"task.x\"; did you "
         "mean \"task.id\"?\n"},
        {AFTER(URL "upload: multipart, headers: { content-type: b }"),
         "DIR/viduhook.yaml:6:84: 'hooks[].http.headers': content-type: viduhook makes that of a "
         "form itself\n"},
        {AFTER(URL "upload: raw, headers: { content-type: b }"), ""},
        {AFTER(URL "upload: raw, headers: [ b ]"),
         "DIR/viduhook.yaml:6:76: 'hooks[].http.headers' must be a map of names to values (0-16), "
         "not a list\n"},
        {AFTER(URL KEY "user: u, preset: s3, headers: { X-Amz-Acl: b, authorization: c }"),
         "DIR/viduhook.yaml:6:113: 'hooks[].http.headers': X-Amz-Acl: would not be signed, and S3 "
         "refuses that\nDIR/viduhook.yaml:6:127: 'hooks[].http.headers': authorization: viduhook "
         "makes this header itself\n"},
        {AFTER(URL KEY "preset: immich, headers: { Content-Type: b }"),
         "DIR/viduhook.yaml:6:108: 'hooks[].http.headers': Content-Type: viduhook makes that of a "
         "form itself\n"},
        {AFTER(URL "upload: multipart, form: { 'a\"': b }"),
         "DIR/viduhook.yaml:6:81: 'hooks[].http.form': a\": not the name of a field\n"},
        {AFTER(URL "upload: multipart, form: { a: [b] }"),
         "DIR/viduhook.yaml:6:81: 'hooks[].http.form': a: must be a text with placeholders\n"},
        {AFTER(URL "upload: multipart, file_field: 'a\"'"),
         "DIR/viduhook.yaml:6:85: 'hooks[].http.file_field' is not the name of a field\n"},
        {AFTER(URL "upload: multipart, form: { \"a\\nb\": x }, file_field: \"a\\nb\""),
         "DIR/viduhook.yaml:6:81: 'hooks[].http.form': a\\x0ab: not the name of a field\n"
         "DIR/viduhook.yaml:6:106: 'hooks[].http.file_field' is not the name of a field\n"},
        {HTTP(URL "batch: 5"), AT "51: 'hooks[].http.batch' must be a map of names to values (max: "
                                  "1-500, wait: 0-30s), not a text\n"},
        {HTTP(URL "batch: { max: 0, wait: [1s] }"),
         AT "58: 'hooks[].http.batch': max must be a number, 1-500\n" AT
            "67: 'hooks[].http.batch': wait must be a duration such as 2s, 0-30s\n"},
        {HTTP(URL "batch: { max: [1] }"),
         AT "58: 'hooks[].http.batch': max must be a number, 1-500\n"},
        {HTTP(URL "batch: { max: 500, wait: 30s }"), ""},
        {HTTP(URL "batch: { max: 501, wait: 31s, min: 1 }"),
         AT "58: 'hooks[].http.batch': max must be a number, 1-500\n" AT
            "69: 'hooks[].http.batch': wait must be a duration such as 2s, 0-30s\n" AT
            "74: 'hooks[].http.batch' has max and wait, not 'min'\n"},
        {HTTP(URL "format: raw, batch: { max: 2 }"),
         AT "64: 'hooks[].http.batch' has no meaning with a body or format of one run\n"},
        {HTTP(URL "preset: ntfy, batch: { max: 2 }"),
         AT "65: 'hooks[].http.batch' has no meaning with preset ntfy\n"},
        {AFTER(URL "upload: raw, sign: none"),
         "DIR/viduhook.yaml:6:73: 'hooks[].http.sign' has no meaning with an upload\n"},
        {AFTER(URL KEY "preset: immich, sign: none"),
         "DIR/viduhook.yaml:6:103: 'hooks[].http.sign' has no meaning with preset immich\n"},
        {HTTP(URL "user: me"), AT "50: 'hooks[].http.user' needs a token: its password\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

/* A body of one's own is of one run, unless it says otherwise. */
static void a_preset_has_its_batch_until_there_is_a_body(void **state)
{
    struct conf_fixture *f = *state;

    assert_int_equal(fixture_load_text(f, AFTER(URL KEY "preset: Plex")), 0);
    assert_int_equal(f->conf->hooks[1].http.batch.max, 50);
    assert_int_equal(f->conf->hooks[1].http.batch.wait_ms, 10000);
    assert_int_equal(fixture_load_text(f, AFTER(URL KEY "preset: emby, body: x")), 0);
    assert_int_equal(f->conf->hooks[1].http.batch.max, 1);
    assert_int_equal(fixture_load_text(f, HTTP(URL "preset: ntfy")), 0);
    assert_int_equal(f->conf->hooks[0].http.batch.max, 1);
}

static void uploads_have_time(void **state)
{
    struct conf_fixture *f = *state;

    assert_int_equal(fixture_load_text(f, AFTER(URL "preset: WebDAV")), 0);
    assert_int_equal(f->conf->hooks[1].timeout_ms, 3600000);
    assert_int_equal(fixture_load_text(f, AFTER(URL KEY "preset: emby")), 0);
    assert_int_equal(f->conf->hooks[1].timeout_ms, 20000);
    assert_int_equal(fixture_load_text(f, AFTER("preset: { a: b }")), -EINVAL);
}

/* CONF_PRESETS and the rows say the same. */
static void every_preset_is_a_word_of_the_option(void **state)
{
    autobuf struct buf words = BUF_INIT(1024);
    size_t n = 1;

    (void)state;
    for (const char *p = CONF_PRESETS; *p != '\0'; p++)
        n += *p == '|';
    for (size_t i = 0; i < n; i++)
        buf_addf(&words, "%s%s", i != 0 ? "|" : "", conf_presets[i].name);
    assert_string_equal(buf_text(&words), CONF_PRESETS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(a_request_is_filled_in),
        CONF_TEST(what_is_shown_loads_again_and_hides_secrets),
        CONF_TEST(a_url_names_its_host_itself),
        CONF_TEST(headers_are_names_with_one_line),
        CONF_TEST(what_is_written_has_an_end),
        CONF_TEST(signing_needs_good_secrets),
        CONF_TEST(presets_that_tell_of_files_need_a_download),
        CONF_TEST(media_servers_are_told_of_50_files_at_once),
        CONF_TEST(a_preset_says_what_it_needs),
        CONF_TEST(a_preset_has_its_batch_until_there_is_a_body),
        CONF_TEST(uploads_have_time),
        cmocka_unit_test(every_preset_is_a_word_of_the_option),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
