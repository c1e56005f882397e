/* SPDX-License-Identifier: MIT */
#include "conf/conf_listen.h"

#include "conf_fixture.h"

#define LISTEN(text)                                                                               \
    "public_url: https://hooks.example.org\n"                                                      \
    "providers: { vidu: { key: { file: vidu.key } } }\n"                                           \
    "behind_proxy: yes\n"                                                                          \
    "listen: " text "\n"

static void listeners_are_taken_apart(void **state)
{
    struct conf_fixture *f = *state;
    const struct conf_listen *l;

    fixture_write(f, "pem", "x", 0600);
    assert_int_equal(
        fixture_load_text(f, LISTEN("[ 'https://[::]:8443', http://127.0.0.1:0, systemd "
                                    "]") "tls: { certificate: pem, key: pem }\n"),
        0);
    l = f->conf->listen;
    assert_int_equal(f->conf->n_listen, 3);
    assert_int_equal(l[0].kind, LISTEN_HTTPS);
    assert_string_equal(l[0].text, "https://[::]:8443");
    assert_string_equal(l[0].host, "::");
    assert_int_equal(l[0].port, 8443);
    assert_int_equal(l[1].kind, LISTEN_HTTP);
    assert_string_equal(l[1].host, "127.0.0.1");
    assert_int_equal(l[1].port, 0);
    assert_int_equal(l[2].kind, LISTEN_SYSTEMD);
    assert_string_equal(l[2].text, "systemd");
}

static void a_listener_is_a_numeric_address_and_a_port(void **state)
{
    static const struct conf_case cases[] = {
        {LISTEN("unix:/run/x"),
         "DIR/viduhook.yaml:4:9: listen: unix:/run/x: the HTTP server cannot tell clients of a "
         "unix socket apart, so the limits per source would not hold; use http://127.0.0.1:PORT "
         "behind a proxy\n"},
        {LISTEN("http://localhost:80"),
         "DIR/viduhook.yaml:4:9: listen: http://localhost:80: the address must be numeric, such "
         "as 127.0.0.1, 0.0.0.0 or [::]\n"},
        {LISTEN("http://127.0.0.1"), "DIR/viduhook.yaml:4:9: listen: http://127.0.0.1: the port "
                                     "is missing, such as :8443\n"},
        {LISTEN("http://127.0.0.1:80/x"),
         "DIR/viduhook.yaml:4:9: listen: http://127.0.0.1:80/x: nothing may follow the port; "
         "paths belong into public_url\n"},
        {LISTEN("http://127.0.0.1:65536"), "DIR/viduhook.yaml:4:9: listen: http://127.0.0.1:65536: "
                                           "the port must be a number up to 65535\n"},
        {LISTEN("8443"),
         "DIR/viduhook.yaml:4:9: listen: 8443: must start with https:// or http://\n"},
        {LISTEN("[http://127.0.0.1:80, http://127.0.0.1:80]"),
         "DIR/viduhook.yaml:4:31: listen: http://127.0.0.1:80 is the address of "
         "http://127.0.0.1:80, which stands above\n"},
        {LISTEN("[http://127.0.0.1:80, 'http://127.0.0.1:080', 'http://[::1]:80', "
                "'http://[0::1]:80', http://127.0.0.1:81]"),
         "DIR/viduhook.yaml:4:31: listen: http://127.0.0.1:080 is the address of "
         "http://127.0.0.1:80, which stands above\n"
         "DIR/viduhook.yaml:4:74: listen: http://[0::1]:80 is the address of "
         "http://[::1]:80, which stands above\n"},
        {LISTEN("[systemd, systemd]"), "DIR/viduhook.yaml:4:19: listen: systemd is the address of "
                                       "systemd, which stands above\n"},
        {LISTEN("http://127.0.0.1:80") "gateway: { listen: http://127.0.0.1:80, token: "
                                       "file:vidu.key }\n",
         "DIR/viduhook.yaml:5:20: 'gateway.listen': http://127.0.0.1:80 is an address of 'listen'; "
         "they need a port each\n"},
        {LISTEN("[]"), "DIR/viduhook.yaml:4:9: listen: at least one address is needed\n"},
        {LISTEN("[a, b, c, d, e, f, g, h, i]"),
         "DIR/viduhook.yaml:4:9: 'listen' must be a list of texts (1-8 of "
         "https://ADDRESS:PORT, http://ADDRESS:PORT, systemd), not more\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(listeners_are_taken_apart),
        CONF_TEST(a_listener_is_a_numeric_address_and_a_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
