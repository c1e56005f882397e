/* SPDX-License-Identifier: MIT */
#include "http/tls.h"

#include "base/clock.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#define DAY_MS 86400000LL

static void make(char **chain, char **key)
{
    struct err err;

    if (tls_self_signed("localhost,127.0.0.1,::1", 10, chain, key, &err) != 0)
        fail_msg("%s", err.text);
}

static SSL_CTX *server(bool min_13)
{
    autofree char *chain = NULL;
    autofree char *key = NULL;
    struct err err;
    SSL_CTX *ctx;

    make(&chain, &key);
    ctx = tls_server_new(chain, key, min_13, &err);
    if (ctx == NULL)
        fail_msg("%s", err.text);
    return ctx;
}

/* A handshake in memory; the client's SSL when it succeeded, else NULL and the server's alert. */
static SSL *shake(SSL_CTX *ctx, void (*prepare)(SSL *client))
{
    SSL_CTX *client_ctx = SSL_CTX_new(TLS_client_method());
    SSL *c = SSL_new(client_ctx);
    SSL *s = SSL_new(ctx);
    BIO *left;
    BIO *right;
    char byte;
    bool done;

    assert_int_equal(BIO_new_bio_pair(&left, 0, &right, 0), 1);
    SSL_set_bio(c, left, left);
    SSL_set_bio(s, right, right);
    SSL_set_connect_state(c);
    SSL_set_accept_state(s);
    SSL_set_cipher_list(c, "ALL:@SECLEVEL=0");
    prepare(c);
    for (int i = 0; i < 20; i++) {
        SSL_do_handshake(c);
        SSL_do_handshake(s);
    }
    done = SSL_is_init_finished(c) && SSL_is_init_finished(s);
    if (done)
        SSL_read(c, &byte, 1); /* takes in what the server sends behind its handshake */
    ERR_clear_error();
    SSL_free(s);
    SSL_CTX_free(client_ctx);
    if (done)
        return c;
    SSL_free(c);
    return NULL;
}

static void plain(SSL *c)
{
    (void)c;
}

static void only_tls_1_2(SSL *c)
{
    SSL_set_max_proto_version(c, TLS1_2_VERSION);
}

static void only_tls_1_1(SSL *c)
{
    SSL_set_min_proto_version(c, TLS1_VERSION);
    SSL_set_max_proto_version(c, TLS1_1_VERSION);
}

static void only_cbc(SSL *c)
{
    SSL_set_max_proto_version(c, TLS1_2_VERSION);
    SSL_set_cipher_list(c, "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:AES128-SHA");
}

static void only_p521(SSL *c)
{
    SSL_set1_groups_list(c, "P-521");
}

static void alpn_http(SSL *c)
{
    SSL_set_alpn_protos(c, (const unsigned char *)"\x02h2\x08http/1.1", 12);
}

static void alpn_h2(SSL *c)
{
    SSL_set_alpn_protos(c, (const unsigned char *)"\x02h2", 3);
}

static void what_clients_may_bring(void **state)
{
    static const struct {
        void (*prepare)(SSL *client);
        bool min_13, works;
        int version;
    } cases[] = {
        {plain, false, true, TLS1_3_VERSION},
        {plain, true, true, TLS1_3_VERSION},
        {only_tls_1_2, false, true, TLS1_2_VERSION},
        {only_tls_1_2, true, false, 0},
        {only_tls_1_1, false, false, 0},
        {only_cbc, false, false, 0},
        {only_p521, false, false, 0},
        {alpn_http, false, true, TLS1_3_VERSION},
        {alpn_h2, false, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SSL_CTX *ctx = server(cases[i].min_13);
        SSL *c = shake(ctx, cases[i].prepare);

        if ((c != NULL) != cases[i].works)
            fail_msg("case %zu", i);
        if (c != NULL)
            assert_int_equal(SSL_version(c), cases[i].version);
        SSL_free(c);
        tls_server_free(ctx);
    }
}

static void alpn_selects_http_1_1(void **state)
{
    SSL_CTX *ctx = server(false);
    SSL *c = shake(ctx, alpn_http);
    const unsigned char *name;
    unsigned n;

    (void)state;
    SSL_get0_alpn_selected(c, &name, &n);
    assert_int_equal(n, 8);
    assert_memory_equal(name, "http/1.1", 8);
    SSL_free(c);
    tls_server_free(ctx);
}

static void no_session_can_be_resumed(void **state)
{
    static void (*const versions[])(SSL *) = {plain, only_tls_1_2};
    SSL_CTX *ctx = server(false);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        SSL *c = shake(ctx, versions[i]);

        assert_false(SSL_SESSION_is_resumable(SSL_get0_session(c)));
        SSL_free(c);
    }
    tls_server_free(ctx);
}

static void the_certificate_holds_names_and_addresses(void **state)
{
    autofree char *chain = NULL;
    autofree char *key = NULL;
    BIO *bio;
    X509 *cert;

    (void)state;
    make(&chain, &key);
    bio = BIO_new_mem_buf(chain, -1);
    cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    assert_int_equal(X509_check_host(cert, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(cert, "example.org", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ip_asc(cert, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(cert, "::1", 0), 1);
    assert_int_equal(X509_check_ip_asc(cert, "::2", 0), 0);
    assert_int_equal(X509_verify(cert, X509_get0_pubkey(cert)), 1);
    X509_free(cert);
    BIO_free(bio);
}

static void names_must_be_names(void **state)
{
    static const char *const bad[] = {"", "a,,b", "a,", ",a"};
    struct err err;
    char *chain = NULL;
    char *key = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(tls_self_signed(bad[i], 1, &chain, &key, &err), -EINVAL);
    assert_null(chain);
    assert_null(key);
}

static void the_end_of_a_certificate_is_known(void **state)
{
    autofree char *chain = NULL;
    autofree char *key = NULL;
    struct err err;
    int64_t end_ms;

    (void)state;
    make(&chain, &key);
    assert_int_equal(tls_not_after(chain, &end_ms, &err), 0);
    assert_in_range(end_ms, clock_wall_ms() + 10 * DAY_MS - 60000, clock_wall_ms() + 10 * DAY_MS);
    assert_int_equal(tls_not_after("nonsense", &end_ms, &err), -EINVAL);
}

/* Puts the clock at so many days from now, tries, and puts it back. */
static void refused_at_day(const char *chain, const char *key, int days, const char *why)
{
    struct err err = {{0}};
    int64_t now_ms = clock_wall_ms();

    clock_freeze(clock_mono_ms(), now_ms + days * DAY_MS);
    assert_null(tls_server_new(chain, key, false, &err));
    clock_freeze(-1, -1);
    assert_string_equal(err.text, why);
}

static void a_certificate_out_of_its_time_is_refused(void **state)
{
    autofree char *chain = NULL;
    autofree char *key = NULL;

    (void)state;
    make(&chain, &key);
    refused_at_day(chain, key, 11, "certificate has expired");
    refused_at_day(chain, key, -1, "certificate is not valid yet");
}

static char *weak_key(void)
{
    EVP_PKEY *pkey = EVP_RSA_gen(1024);
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    char *text;
    long n;

    PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
    n = BIO_get_mem_data(bio, &data);
    text = mem_strndup(data, (size_t)n);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return text;
}

static void what_cannot_work_is_refused_with_a_reason(void **state)
{
    autofree char *chain = NULL;
    autofree char *key = NULL;
    autofree char *other_chain = NULL;
    autofree char *other_key = NULL;
    autofree char *weak = weak_key();
    autofree char *torn = NULL;
    const struct {
        const char *chain, *key, *why;
    } cases[] = {
        {"", "", "certificate is not PEM"},
        {"nonsense", "nonsense", "certificate is not PEM"},
        {(make(&chain, &key), chain), "nonsense", "key is not PEM"},
        {chain, chain, "key is not PEM"},
        {key, key, "certificate is not PEM"},
        {chain, (make(&other_chain, &other_key), other_key), "key does not belong"},
        {chain, weak, "key is too weak: 1024 bits"},
        {(torn = mem_printf("%s-----BEGIN CERTIFICATE-----\nMIIB\n", chain)), key,
         "certificate chain"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {{0}};

        assert_null(tls_server_new(cases[i].chain, cases[i].key, false, &err));
        if (!str_starts(err.text, cases[i].why))
            fail_msg("case %zu: %s", i, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_clients_may_bring),
        cmocka_unit_test(alpn_selects_http_1_1),
        cmocka_unit_test(no_session_can_be_resumed),
        cmocka_unit_test(the_certificate_holds_names_and_addresses),
        cmocka_unit_test(names_must_be_names),
        cmocka_unit_test(the_end_of_a_certificate_is_known),
        cmocka_unit_test(a_certificate_out_of_its_time_is_refused),
        cmocka_unit_test(what_cannot_work_is_refused_with_a_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
