/* SPDX-License-Identifier: MIT */
#include "wire/hello.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char key_pem[] = "-----BEGIN PRIVATE KEY-----\nabc\n";
static char strange_key[] = "k\xff\x01\"\\y";

static void make_receiver(struct hello_receiver *h)
{
    *h = (struct hello_receiver){
        .log = {true, 7},
        .number = 3,
        .n_listen = 2,
        .listen = {{4, true, "https://[::]:8443"}, {5, false, "http://127.0.0.1:1"}},
        .certificate_pem = (char *)"cert",
        .key_pem = key_pem,
        .tls_min_13 = true,
        .seal_secret = {0, 1, 254, 255},
        .path_prefix = (char *)"/hooks",
        .n_providers = 2,
        .providers = {(char *)"vidu", (char *)"octopusx"},
        .max_body = 1,
        .body_budget = 1ULL << 40,
        .connections = 10,
        .handshakes = 11,
        .per_source = 12,
        .source_rate = 13,
        .max_in_flight = 14,
        .keepalive_requests = 15,
        .handshake_ms = 16,
        .header_ms = 17,
        .body_ms = 18,
        .reply_ms = 1LL << 40,
        .sandbox = true,
    };
}

static void a_receiver_reads_what_the_keeper_wrote(void **state)
{
    struct hello_receiver in, out;
    struct err err;
    autofree char *json = NULL;

    (void)state;
    make_receiver(&in);
    json = hello_receiver_write(&in);
    assert_null(strstr(json, "PRIVATE"));
    assert_int_equal(hello_receiver_read(slice_str(json), &out, &err), 0);
    assert_true(out.log.json && out.log.level == 7 && out.number == 3);
    assert_int_equal(out.n_listen, 2);
    assert_true(out.listen[0].fd == 4 && out.listen[0].tls);
    assert_true(out.listen[1].fd == 5 && !out.listen[1].tls);
    assert_string_equal(out.listen[1].text, "http://127.0.0.1:1");
    assert_string_equal(out.certificate_pem, "cert");
    assert_string_equal(out.key_pem, key_pem);
    assert_true(out.tls_min_13 && out.sandbox);
    assert_memory_equal(out.seal_secret, in.seal_secret, SEAL_SECRET_LEN);
    assert_string_equal(out.path_prefix, "/hooks");
    assert_int_equal(out.n_providers, 2);
    assert_string_equal(out.providers[1], "octopusx");
    assert_memory_equal(&out.max_body, &in.max_body,
                        offsetof(struct hello_receiver, reply_ms) + sizeof(in.reply_ms) -
                            offsetof(struct hello_receiver, max_body));
    hello_receiver_clear(&out);
    assert_null(out.key_pem);
    assert_int_equal(out.seal_secret[2], 0);
}

static void a_receiver_without_tls_has_no_key(void **state)
{
    struct hello_receiver in, out;
    struct err err;
    autofree char *json = NULL;

    (void)state;
    make_receiver(&in);
    in.certificate_pem = in.key_pem = NULL;
    in.n_listen = in.n_providers = 0;
    json = hello_receiver_write(&in);
    assert_int_equal(hello_receiver_read(slice_str(json), &out, &err), 0);
    assert_null(out.certificate_pem);
    assert_null(out.key_pem);
    assert_int_equal(out.n_listen, 0);
    hello_receiver_clear(&out);
}

static void a_gateway_reads_keys_of_any_bytes(void **state)
{
    struct hello_gateway in = {
        .log = {false, 6},
        .control_fd = 4,
        .public_url = (char *)"https://hooks.example.org",
        .seal_secret = {9, 8, 7},
        .n_providers = 2,
        .providers = {{(char *)"vidu", (char *)"vidu", (char *)"https://api.vidu.com",
                       (char *)"secret-one", true},
                      {(char *)"o", (char *)"octopusx", (char *)"http://127.0.0.1:1", strange_key,
                       false}},
        .ca_file = NULL,
    };
    struct hello_gateway out;
    struct err err;
    autofree char *json = hello_gateway_write(&in);

    (void)state;
    assert_null(strstr(json, "secret-one"));
    assert_int_equal(hello_gateway_read(slice_str(json), &out, &err), 0);
    assert_int_equal(out.control_fd, 4);
    assert_string_equal(out.public_url, in.public_url);
    assert_memory_equal(out.seal_secret, in.seal_secret, SEAL_SECRET_LEN);
    assert_int_equal(out.n_providers, 2);
    assert_string_equal(out.providers[0].key, "secret-one");
    assert_true(out.providers[0].callbacks);
    assert_string_equal(out.providers[1].name, "o");
    assert_string_equal(out.providers[1].profile, "octopusx");
    assert_string_equal(out.providers[1].base_url, "http://127.0.0.1:1");
    assert_string_equal(out.providers[1].key, strange_key);
    assert_false(out.providers[1].callbacks);
    assert_null(out.ca_file);
    hello_gateway_clear(&out);
    hello_gateway_clear(&out);
}

static void a_runner_reads_its_limits(void **state)
{
    struct hello_runner in = {
        .log = {true, 4},
        .n_allow = 1,
        .allow = {(char *)"127.0.0.1:9000"},
        .n_ports = 2,
        .ports = {8443, 9443},
        .ca_file = (char *)"/etc/ca.pem",
        .keep_free = 1ULL << 33,
        .output = 65536,
        .runs = 8,
    };
    struct hello_runner out;
    struct err err;
    autofree char *json = hello_runner_write(&in);

    (void)state;
    assert_int_equal(hello_runner_read(slice_str(json), &out, &err), 0);
    assert_string_equal(out.allow[0], "127.0.0.1:9000");
    assert_true(out.n_allow == 1 && out.n_ports == 2 && out.ports[1] == 9443);
    assert_string_equal(out.ca_file, "/etc/ca.pem");
    assert_true(out.keep_free == 1ULL << 33 && out.output == 65536 && out.runs == 8);
    hello_runner_clear(&out);
}

static int read_changed(const char *name, json_t *value)
{
    struct hello_receiver in, out;
    struct err err = {""};
    autofree char *json = NULL;
    autofree char *changed = NULL;
    json_t *root;
    int r;

    make_receiver(&in);
    json = hello_receiver_write(&in);
    root = json_loads(json, 0, NULL);
    if (value != NULL)
        json_object_set_new(root, name, value);
    else
        json_object_del(root, name);
    changed = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    r = hello_receiver_read(slice_str(changed), &out, &err);
    if (r != 0)
        assert_non_null(strstr(err.text, str_eq(name, "listen") ? "text" : name));
    else
        hello_receiver_clear(&out);
    return r;
}

static json_t *long_array(size_t n, const char *text)
{
    json_t *a = json_array();

    while (n-- > 0)
        json_array_append_new(a, json_string(text));
    return a;
}

static void what_is_missing_or_of_the_wrong_type_is_named(void **state)
{
    (void)state;
    assert_int_equal(read_changed("number", NULL), -EPROTO);
    assert_int_equal(read_changed("number", json_string("1")), -EPROTO);
    assert_int_equal(read_changed("number", json_integer(1LL << 40)), -EPROTO);
    assert_int_equal(read_changed("max_body", json_integer(-1)), -EPROTO);
    assert_int_equal(read_changed("sandbox", json_integer(1)), -EPROTO);
    assert_int_equal(read_changed("path_prefix", json_integer(1)), -EPROTO);
    assert_int_equal(read_changed("seal_secret", json_string("AAAA")), -EPROTO);
    assert_int_equal(read_changed("seal_secret", json_string("not base64")), -EPROTO);
    assert_int_equal(read_changed("key_pem", json_string("not base64")), -EPROTO);
    assert_int_equal(read_changed("providers", json_string("vidu")), -EPROTO);
    assert_int_equal(read_changed("sandbox", json_false()), 0);
}

static void lists_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(read_changed("providers", long_array(HELLO_MAX_PROVIDERS, "p")), 0);
    assert_int_equal(read_changed("providers", long_array(HELLO_MAX_PROVIDERS + 1, "p")), -EPROTO);
}

static json_t *one_listener(const char *text)
{
    return json_pack("[{s:i,s:b,s:s}]", "fd", 4, "tls", 0, "text", text);
}

static void a_listener_name_that_does_not_fit_is_refused(void **state)
{
    char name[129];

    (void)state;
    memset(name, 'x', 128);
    name[128] = '\0';
    assert_int_equal(read_changed("listen", one_listener(name + 1)), 0);
    assert_int_equal(read_changed("listen", one_listener(name)), -EPROTO);
}

static void junk_is_refused(void **state)
{
    struct hello_runner out;
    struct err err;

    (void)state;
    assert_int_equal(hello_runner_read(SLICE_LIT(""), &out, &err), -EPROTO);
    assert_int_equal(hello_runner_read(SLICE_LIT("[]"), &out, &err), -EPROTO);
    assert_int_equal(hello_runner_read(SLICE_LIT("{}"), &out, &err), -EPROTO);
    hello_runner_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receiver_reads_what_the_keeper_wrote),
        cmocka_unit_test(a_receiver_without_tls_has_no_key),
        cmocka_unit_test(a_gateway_reads_keys_of_any_bytes),
        cmocka_unit_test(a_runner_reads_its_limits),
        cmocka_unit_test(what_is_missing_or_of_the_wrong_type_is_named),
        cmocka_unit_test(lists_are_bounded),
        cmocka_unit_test(a_listener_name_that_does_not_fit_is_refused),
        cmocka_unit_test(junk_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
