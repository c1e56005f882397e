/* SPDX-License-Identifier: MIT */
#include "conf/conf_check.h"

#include "conf_fixture.h"

#define REST                                                                                       \
    "listen: [http://127.0.0.1:8080]\n"                                                            \
    "providers: { vidu: { key: { file: vidu.key } } }\n"
#define LISTEN(text)                                                                               \
    "public_url: https://hooks.example.org\n"                                                      \
    "listen: [" text "]\n"                                                                         \
    "providers: { vidu: { key: { file: vidu.key } } }\n"

#define GATEWAY(text) CONF_GOOD "gateway: { " text " }\n"

static void the_public_url_is_one_that_providers_can_use(void **state)
{
    static const struct conf_case cases[] = {
        {"public_url: https://hooks.example.org\n" REST, ""},
        {"public_url: https://hooks.example.org:8443/a/b-c_d.e~f/\n" REST, ""},
        {"public_url: http://localhost:1\n" REST, ""},
        {"public_url: http://[::1]:1\n" REST, ""},
        {"public_url: http://hooks.example.org\nbehind_proxy: yes\n" REST, ""},
        {"public_url: http://hooks.example.org\n" REST,
         "DIR/viduhook.yaml:1:13: 'public_url' must be https; http is for loopback addresses, and "
         "with behind_proxy: yes\n"},
        {"public_url: hooks.example.org\n" REST,
         "DIR/viduhook.yaml:1:13: 'public_url': must start with https:// or http://\n"},
        {"public_url: https://a/b?c\n" REST,
         "DIR/viduhook.yaml:1:13: 'public_url': must not have a query (?) or a fragment (#)\n"},
        {"public_url: https://a/b#c\n" REST,
         "DIR/viduhook.yaml:1:13: 'public_url': must not have a query (?) or a fragment (#)\n"},
        {"public_url: https://me:pw@a/b\n" REST,
         "DIR/viduhook.yaml:1:13: 'public_url': must not contain a user name or password\n"},
        {"public_url: https://a/b%20c\n" REST,
         "DIR/viduhook.yaml:1:13: 'public_url': the path may only contain A-Z a-z 0-9 . _ ~ / -\n"},
        {"public_url: https:///b\n" REST,
         "DIR/viduhook.yaml:1:13: 'public_url': the host is missing or not a host name or "
         "address\n"},
        {"public_url: https://a:0\n" REST,
         "DIR/viduhook.yaml:1:13: 'public_url': nobody can be reached at port 0\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void the_public_url_ends_without_a_slash(void **state)
{
    struct conf_fixture *f = *state;

    assert_int_equal(fixture_load_text(f, "public_url: https://a.example/x//\n" REST), 0);
    assert_string_equal(f->conf->public_url, "https://a.example/x");
}

static void plain_http_stays_on_this_machine(void **state)
{
    static const struct conf_case cases[] = {
        {LISTEN("http://127.1.2.3:80, 'http://[::1]:80'"), ""},
        {LISTEN("http://0.0.0.0:80, 'http://[::]:80'") "behind_proxy: yes\n", ""},
        {LISTEN("http://0.0.0.0:80"),
         "DIR/viduhook.yaml:2:9: listen: http://0.0.0.0:80 would be open to the network without "
         "TLS; use https, a loopback address, or behind_proxy: yes when a proxy does TLS\n"},
        {LISTEN("http://127.0.0.1:80, 'http://[::ffff:127.0.0.1]:80'"),
         "DIR/viduhook.yaml:2:9: listen: http://[::ffff:127.0.0.1]:80 would be open to the "
         "network without TLS; use https, a loopback address, or behind_proxy: yes when a proxy "
         "does TLS\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void an_address_is_needed_by_who_is_called_back(void **state)
{
    static const struct conf_case cases[] = {
        {"listen: [http://127.0.0.1:1]\nproviders: { vidu: { key: { file: vidu.key } } }\n",
         "DIR/viduhook.yaml:0:0: 'public_url' is missing: provider 'vidu' sends callbacks to it; "
         "without an address, give it mode: poll\n"},
        {"providers: { vidu: { mode: poll, key: { file: vidu.key } } }\n", ""},
        {"listen: [http://127.0.0.1:1]\nproviders: {}\n",
         "DIR/viduhook.yaml:2:1: at least one provider is needed, such as vidu: { key: { file: "
         "vidu.key } }\nDIR/viduhook.yaml:0:0: 'public_url' is missing: callbacks need it\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void the_gateway_has_an_address_and_a_token_that_stays_private(void **state)
{
    static const struct conf_case cases[] = {
        {GATEWAY("listen: http://127.0.0.1:1, token: { file: vidu.key }"), ""},
        {GATEWAY("token: { file: vidu.key }"),
         "DIR/viduhook.yaml:4:19: 'gateway.listen' is missing: nobody could use the token; give "
         "the address local clients connect to, such as http://127.0.0.1:8787\n"},
        {GATEWAY("listen: http://127.0.0.1:1"),
         "DIR/viduhook.yaml:4:20: 'gateway.token' is missing: without it everybody on this machine "
         "could use the API keys\n"},
        {GATEWAY("listen: http://127.0.0.1, token: { file: vidu.key }"),
         "DIR/viduhook.yaml:4:20: 'gateway.listen': http://127.0.0.1: the port is missing, such as "
         ":8443\n"},
        {GATEWAY("listen: http://10.0.0.1:1, token: { file: vidu.key }"),
         "DIR/viduhook.yaml:4:20: 'gateway.listen': http://10.0.0.1:1 would send the token over "
         "the network without TLS; use https or a loopback address\n"},
        {GATEWAY("listen: https://10.0.0.1:1, token: { file: vidu.key }"),
         "DIR/viduhook.yaml:0:0: 'tls.certificate' and 'tls.key' are both needed for an https "
         "listener\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void https_needs_certificate_and_key(void **state)
{
    static const struct conf_case cases[] = {
        {LISTEN("https://127.0.0.1:1"),
         "DIR/viduhook.yaml:0:0: 'tls.certificate' and 'tls.key' are both needed for an https "
         "listener\n"},
        {LISTEN("systemd"),
         "DIR/viduhook.yaml:0:0: 'tls.certificate' and 'tls.key' are both needed for an https "
         "listener\n"},
        {LISTEN("systemd") "behind_proxy: yes\n", ""},
        {LISTEN("http://127.0.0.1:1") "tls:\n  key: a\n",
         "DIR/viduhook.yaml:5:3: 'tls.certificate' and 'tls.key' are both needed\n"},
        {LISTEN("https://127.0.0.1:1") "tls: { certificate: nope.pem, key: vidu.key }\n",
         "DIR/viduhook.yaml:4:21: 'tls.certificate': DIR/nope.pem: No such file or directory\n"},
        {LISTEN("https://127.0.0.1:1") "tls: { certificate: vidu.key, key: nope.pem }\n",
         "DIR/viduhook.yaml:4:36: 'tls.key': DIR/nope.pem: No such file or directory\n"},
    };
    struct conf_fixture *f = *state;

    fixture_expect(f, cases, ARRAY_LEN(cases));
    fixture_write(f, "cert.pem", "certificate", 0644);
    fixture_write(f, "key.pem", "key", 0600);
    assert_int_equal(fixture_load_text(f, LISTEN("https://127.0.0.1:1") "tls: { certificate: "
                                                                        "cert.pem, key: key.pem "
                                                                        "}\n"),
                     0);
    assert_string_equal(f->conf->tls.certificate_pem, "certificate");
    assert_string_equal(f->conf->tls.key_pem, "key");
    fixture_write(f, "key.pem", "key", 0644);
    assert_int_equal(fixture_load(f), -EINVAL);
    assert_string_equal(f->found, "DIR/viduhook.yaml:4:36: 'tls.key': DIR/key.pem is open to every "
                                  "user (mode 0644); run: chmod o= DIR/key.pem\n");
}

/* Both are there, and are what the files hold. */
static int refuse_pair(const char *chain_pem, const char *key_pem, bool min_13, struct err *err)
{
    assert_string_equal(chain_pem, "certificate");
    assert_string_equal(key_pem, "key");
    assert_true(min_13);
    return err_set(err, -EINVAL, "the key is of another certificate");
}

static int load_pair(struct conf_fixture *f, const char *certificate, const char *key)
{
    autofree char *text = mem_printf(
        LISTEN("https://127.0.0.1:1") "tls: { certificate: %s, key: %s, min_version: 1.3 }\n",
        certificate, key);
    char path[256];

    fixture_write(f, "viduhook.yaml", text, 0600);
    fixture_path(f, "viduhook.yaml", path);
    f->found[0] = '\0';
    return conf_load_checked(path, refuse_pair, fixture_on_finding, f, &f->conf);
}

static void a_certificate_and_its_key_belong_together(void **state)
{
    struct conf_fixture *f = *state;

    fixture_write(f, "cert.pem", "certificate", 0644);
    fixture_write(f, "key.pem", "key", 0600);
    assert_int_equal(load_pair(f, "cert.pem", "key.pem"), -EINVAL);
    assert_string_equal(f->found, "DIR/viduhook.yaml:4:21: 'tls': DIR/cert.pem with DIR/key.pem: "
                                  "the key is of another certificate\n");
    assert_int_equal(load_pair(f, "nope.pem", "key.pem"), -EINVAL);
    assert_string_equal(f->found, "DIR/viduhook.yaml:4:21: 'tls.certificate': DIR/nope.pem: No "
                                  "such file or directory\n");
    assert_int_equal(load_pair(f, "cert.pem", "nope.pem"), -EINVAL);
    assert_string_equal(f->found, "DIR/viduhook.yaml:4:36: 'tls.key': DIR/nope.pem: No such file "
                                  "or directory\n");
}

#define TILDE "~ is a folder's name here, not your home; write "

static void paths_of_control_and_store_are_usable(void **state)
{
    static const struct conf_case cases[] = {
        {CONF_GOOD "control: /a/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
                   "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n",
         "DIR/viduhook.yaml:4:10: 'control' is longer than the 107 bytes a socket's path may "
         "have\n"},
        {CONF_GOOD "store: postgresql://db\n",
         "DIR/viduhook.yaml:4:8: 'store' must be sqlite:PATH\n"},
        {CONF_GOOD "store: 'sqlite:'\n", "DIR/viduhook.yaml:4:8: 'store' must be sqlite:PATH\n"},
        {CONF_GOOD "store: 'sqlite:.'\ncontrol: vidu.key\n",
         "DIR/viduhook.yaml:5:10: 'control': DIR/vidu.key is there and is no socket; name another "
         "path\n"
         "DIR/viduhook.yaml:4:8: 'store': DIR/. is there and is no file; name another path\n"},
        {CONF_GOOD "store: sqlite:~/a.db\ncontrol: ~/c.sock\n",
         "DIR/viduhook.yaml:5:10: 'control': " TILDE "~/c.sock out\n"
         "DIR/viduhook.yaml:4:8: 'store': " TILDE "~/a.db out\n"},
    };
    struct conf_fixture *f = *state;
    char path[256];

    fixture_expect(f, cases, ARRAY_LEN(cases));
    assert_int_equal(fixture_load_text(f, CONF_GOOD "control: c.sock\nstore: sqlite:db\n"), 0);
    fixture_path(f, "c.sock", path);
    assert_string_equal(f->conf->control, path);
    fixture_path(f, "db", path);
    assert_string_equal(f->conf->store + strlen("sqlite:"), path);
    assert_int_equal(fixture_load_text(f, CONF_GOOD "store: sqlite:/x/y.db\n"), 0);
    assert_string_equal(f->conf->store, "sqlite:/x/y.db");
}

static void exceptions_for_downloads_are_addresses_and_ports(void **state)
{
    static const struct conf_case cases[] = {
        {CONF_GOOD "fetch: { allow: ['127.0.0.1:9000', '[::1]:9', 10.0.0.5, '::1'] }\n", ""},
        {CONF_GOOD "fetch: { ca_file: ca.pem }\n", ""},
        {CONF_GOOD "fetch: { ca_file: vidu.key }\n",
         "DIR/viduhook.yaml:4:19: 'fetch.ca_file': DIR/vidu.key holds no certificate (PEM)\n"},
        {CONF_GOOD "fetch: { ca_file: nope.pem }\n",
         "DIR/viduhook.yaml:4:19: 'fetch.ca_file': DIR/nope.pem: No such file or directory\n"},
        {CONF_GOOD "fetch: { allow: [localhost] }\n",
         "DIR/viduhook.yaml:4:18: 'fetch.allow': 'localhost': not a numeric address\n"},
        {CONF_GOOD "fetch: { allow: ['1.2.3.4:99999'] }\n",
         "DIR/viduhook.yaml:4:18: 'fetch.allow': '1.2.3.4:99999': the port must be a number up to "
         "65535\n"},
        {CONF_GOOD "fetch: { allow: ['localhost:99999'] }\n",
         "DIR/viduhook.yaml:4:18: 'fetch.allow': 'localhost:99999': the port must be a number up "
         "to 65535\n"},
        {CONF_GOOD "fetch: { ports: [1, 65535] }\n", ""},
        {CONF_GOOD "fetch:\n  ports:\n    - 0\n    - 1\n    - 65536\n    - x\n",
         "DIR/viduhook.yaml:6:7: 'fetch.ports': '0': must be a whole number within 1-65535\n"
         "DIR/viduhook.yaml:8:7: 'fetch.ports': '65536': must be a whole number within 1-65535\n"
         "DIR/viduhook.yaml:9:7: 'fetch.ports': 'x': must be a whole number within 1-65535\n"},
    };

    fixture_write(*state, "ca.pem", "# mine\n-----BEGIN CERTIFICATE-----\n", 0600);
    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

static void limits_fit_each_other(void **state)
{
    static const struct conf_case cases[] = {
        {CONF_GOOD "limits: { max_body: 2MiB, body_budget: 1MiB }\n",
         "DIR/viduhook.yaml:4:40: 'limits.body_budget' is smaller than 'limits.max_body'\n"},
        {CONF_GOOD "signature: { window: 1h, nonce_keep: 2h }\n", ""},
        {CONF_GOOD "signature: { window: 1h, nonce_keep: 7199s }\n",
         "DIR/viduhook.yaml:4:38: 'signature.nonce_keep' must be at least twice "
         "'signature.window', or a forgotten nonce could be played again\n"},
        {CONF_GOOD "signature: { window: 4d }\n",
         "DIR/viduhook.yaml:4:12: 'signature.nonce_keep' must be at least twice "
         "'signature.window', or a forgotten nonce could be played again\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(the_public_url_is_one_that_providers_can_use),
        CONF_TEST(the_public_url_ends_without_a_slash),
        CONF_TEST(plain_http_stays_on_this_machine),
        CONF_TEST(an_address_is_needed_by_who_is_called_back),
        CONF_TEST(the_gateway_has_an_address_and_a_token_that_stays_private),
        CONF_TEST(https_needs_certificate_and_key),
        CONF_TEST(a_certificate_and_its_key_belong_together),
        CONF_TEST(paths_of_control_and_store_are_usable),
        CONF_TEST(exceptions_for_downloads_are_addresses_and_ports),
        CONF_TEST(limits_fit_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
