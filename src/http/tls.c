/*
 * TLS contexts: the settings of hardening.md section 2 in one function, and certificates.
 *
 * SPDX-License-Identifier: MIT
 */
#include "http/tls.h"

#include "base/clock.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#define CIPHERS                                                                                    \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS            "X25519:P-256"
#define MIN_SECURITY_BITS 112 /* RSA 2048, P-224 */
#define MAX_CHAIN         16
#define MAX_NAMES         32

#define DEFINE_CLEANUP(type, name, release)                                                        \
    static void name(type **p)                                                                     \
    {                                                                                              \
        release(*p);                                                                               \
    }

DEFINE_CLEANUP(BIO, drop_bio, BIO_free_all)
DEFINE_CLEANUP(X509, drop_cert, X509_free)
DEFINE_CLEANUP(EVP_PKEY, drop_key, EVP_PKEY_free)
DEFINE_CLEANUP(SSL_CTX, drop_ctx, SSL_CTX_free)
DEFINE_CLEANUP(SSL, drop_ssl, SSL_free)
DEFINE_CLEANUP(GENERAL_NAMES, drop_names, GENERAL_NAMES_free)

#define autobio   __attribute__((cleanup(drop_bio))) BIO
#define autocert  __attribute__((cleanup(drop_cert))) X509
#define autokey   __attribute__((cleanup(drop_key))) EVP_PKEY
#define autoctx   __attribute__((cleanup(drop_ctx))) SSL_CTX
#define autossl   __attribute__((cleanup(drop_ssl))) SSL
#define autonames __attribute__((cleanup(drop_names))) GENERAL_NAMES

/* The first error of OpenSSL's queue as text; empties the queue. */
static int fail(struct err *err, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());

    err_set(err, -EINVAL, "%s%s%s", what, reason != NULL ? ": " : "", reason != NULL ? reason : "");
    ERR_clear_error();
    return -EINVAL;
}

static BIO *text_bio(const char *pem)
{
    size_t n = strlen(pem);
    BIO *bio = n <= INT_MAX ? BIO_new_mem_buf(pem, (int)n) : NULL;

    if (bio == NULL)
        abort();
    return bio;
}

/* Nobody is there to type one. */
static int no_passphrase(char *out, int size, int writing, void *arg)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

/* -- checks of what was loaded -- */

static int check_dates(const X509 *cert, struct err *err)
{
    time_t now = (time_t)(clock_wall_ms() / 1000);

    if (X509_cmp_time(X509_get0_notBefore(cert), &now) >= 0)
        return err_set(err, -EKEYEXPIRED, "certificate is not valid yet");
    if (X509_cmp_time(X509_get0_notAfter(cert), &now) <= 0)
        return err_set(err, -EKEYEXPIRED, "certificate has expired");
    return 0;
}

static int load_chain(SSL_CTX *ctx, const char *pem, struct err *err)
{
    autobio *bio = text_bio(pem);
    autocert *leaf = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);

    if (leaf == NULL)
        return fail(err, "certificate is not PEM");
    if (SSL_CTX_use_certificate(ctx, leaf) != 1)
        return fail(err, "certificate cannot be used");
    for (int i = 0; i < MAX_CHAIN; i++) {
        X509 *next = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);

        if (next == NULL)
            break;
        if (SSL_CTX_add0_chain_cert(ctx, next) != 1) {
            X509_free(next);
            return fail(err, "chain cannot be used");
        }
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return fail(err, "certificate chain");
    ERR_clear_error();
    return 0;
}

static int load_key(SSL_CTX *ctx, const char *pem, struct err *err)
{
    autobio *bio = text_bio(pem);
    autokey *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);

    if (key == NULL)
        return fail(err, "key is not PEM, or has a passphrase");
    if (EVP_PKEY_get_security_bits(key) < MIN_SECURITY_BITS)
        return err_set(err, -EINVAL, "key is too weak: %d bits", EVP_PKEY_get_bits(key));
    if (SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1)
        return fail(err, "key does not belong to the certificate");
    return 0;
}

/* -- settings -- */

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "http/1.1";

    (void)ssl;
    (void)arg;
    for (unsigned at = 0; at < in_len; at += 1U + in[at]) {
        if (in[at] != sizeof(ours) - 1 || memcmp(in + at + 1, ours, sizeof(ours) - 1) != 0)
            continue;
        *out = in + at + 1;
        *out_len = in[at];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int set_up(SSL_CTX *ctx, bool min_13, struct err *err)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_TICKET);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_early_data(ctx, 0);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    if (SSL_CTX_set_min_proto_version(ctx, min_13 ? TLS1_3_VERSION : TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_num_tickets(ctx, 0) != 1 || SSL_CTX_set_cipher_list(ctx, CIPHERS) != 1 ||
        SSL_CTX_set1_groups_list(ctx, GROUPS) != 1)
        return fail(err, "TLS settings");
    return 0;
}

/* -- the trial handshake -- */

static bool advance(SSL *ssl)
{
    int rc = SSL_do_handshake(ssl);

    return rc == 1 || SSL_get_error(ssl, rc) == SSL_ERROR_WANT_READ;
}

/* Every flight fits in the pair's buffers, so a few turns settle it. */
static int try_handshake(SSL_CTX *ctx, struct err *err)
{
    autoctx *client_ctx = SSL_CTX_new(TLS_client_method());
    autossl *client = client_ctx != NULL ? SSL_new(client_ctx) : NULL;
    autossl *server = SSL_new(ctx);
    BIO *left;
    BIO *right;

    if (client == NULL || server == NULL || BIO_new_bio_pair(&left, 1 << 17, &right, 1 << 17) != 1)
        return fail(err, "trial handshake");
    SSL_set_bio(client, left, left);
    SSL_set_bio(server, right, right);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int turn = 0; turn < 10; turn++) {
        if (!advance(client) || !advance(server))
            return fail(err, "trial handshake");
        if (SSL_is_init_finished(client) && SSL_is_init_finished(server))
            return 0;
    }
    return err_set(err, -EINVAL, "trial handshake did not end");
}

/* The dates come last: what else is wrong stays wrong as time goes by. */
static int make(const char *chain_pem, const char *key_pem, bool min_13, SSL_CTX **out,
                struct err *err)
{
    autoctx *ctx = SSL_CTX_new(TLS_server_method());
    int rc;

    ERR_clear_error();
    if (ctx == NULL)
        abort();
    if (set_up(ctx, min_13, err) != 0 || load_chain(ctx, chain_pem, err) != 0 ||
        load_key(ctx, key_pem, err) != 0 || try_handshake(ctx, err) != 0)
        return -EINVAL;
    rc = check_dates(SSL_CTX_get0_certificate(ctx), err);
    if (rc < 0)
        return rc;
    *out = ctx;
    ctx = NULL;
    return 0;
}

struct ssl_ctx_st *tls_server_new(const char *chain_pem, const char *key_pem, bool min_13,
                                  struct err *err)
{
    SSL_CTX *ctx = NULL;

    return make(chain_pem, key_pem, min_13, &ctx, err) == 0 ? ctx : NULL;
}

int tls_server_check(const char *chain_pem, const char *key_pem, bool min_13, struct err *err)
{
    autoctx *ctx = NULL;

    return make(chain_pem, key_pem, min_13, &ctx, err);
}

void tls_server_free(struct ssl_ctx_st *ctx)
{
    SSL_CTX_free(ctx);
}

int tls_not_after(const char *chain_pem, int64_t *wall_ms, struct err *err)
{
    autobio *bio = text_bio(chain_pem);
    autocert *leaf = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
    struct tm tm;

    if (leaf == NULL)
        return fail(err, "certificate is not PEM");
    if (ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &tm) != 1)
        return fail(err, "certificate's end date");
    *wall_ms = (int64_t)timegm(&tm) * 1000;
    return 0;
}

/* -- a certificate of our own -- */

static void add_name(GENERAL_NAMES *names, const char *text)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
    ASN1_IA5STRING *host = address == NULL ? ASN1_IA5STRING_new() : NULL;

    ERR_clear_error(); /* of a2i_IPADDRESS */
    if (name == NULL || (host != NULL && ASN1_STRING_set(host, text, -1) != 1))
        abort();
    if (address != NULL)
        GENERAL_NAME_set0_value(name, GEN_IPADD, address);
    else
        GENERAL_NAME_set0_value(name, GEN_DNS, host);
    if (sk_GENERAL_NAME_push(names, name) == 0)
        abort();
}

/* The first of the names is the subject's, too. */
static int set_names(X509 *cert, const char *text, struct err *err)
{
    autonames *names = GENERAL_NAMES_new();
    autofree char *copy = mem_strdup(text);
    char *rest = copy;
    char *one;
    int n = 0;

    if (names == NULL)
        abort();
    while ((one = strsep(&rest, ",")) != NULL) {
        if (one[0] == '\0' || strlen(one) > 255 || n++ == MAX_NAMES)
            return err_set(err, -EINVAL, "names for the certificate: %s", text);
        if (n == 1 &&
            X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                                       (const unsigned char *)(strlen(one) <= 64 ? one : "self"),
                                       -1, -1, 0) != 1)
            return fail(err, "subject of the certificate");
        add_name(names, one);
    }
    if (X509_set_issuer_name(cert, X509_get_subject_name(cert)) != 1 ||
        X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) != 1)
        return fail(err, "names of the certificate");
    return 0;
}

static int add_extension(X509 *cert, int nid, const char *value, struct err *err)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;
    int rc;

    X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    rc = extension != NULL ? X509_add_ext(cert, extension, -1) : 0;
    X509_EXTENSION_free(extension);
    return rc == 1 ? 0 : fail(err, "extension of the certificate");
}

static int set_serial(X509 *cert, struct err *err)
{
    BIGNUM *number = BN_new();
    int ok = number != NULL && BN_rand(number, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
             BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;

    BN_free(number);
    return ok ? 0 : fail(err, "serial number");
}

static int fill_certificate(X509 *cert, EVP_PKEY *key, const char *names, int days, struct err *err)
{
    static const struct {
        int nid;
        const char *value;
    } extensions[] = {
        {NID_basic_constraints, "critical,CA:FALSE"},
        {NID_key_usage, "critical,digitalSignature"},
        {NID_ext_key_usage, "serverAuth"},
        {NID_subject_key_identifier, "hash"},
    };
    time_t now = (time_t)(clock_wall_ms() / 1000);

    if (X509_set_version(cert, X509_VERSION_3) != 1 || X509_set_pubkey(cert, key) != 1 ||
        ASN1_TIME_adj(X509_getm_notBefore(cert), now, 0, -60) == NULL ||
        ASN1_TIME_adj(X509_getm_notAfter(cert), now, days, 0) == NULL)
        return fail(err, "certificate");
    if (set_serial(cert, err) != 0 || set_names(cert, names, err) != 0)
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_LEN(extensions); i++)
        if (add_extension(cert, extensions[i].nid, extensions[i].value, err) != 0)
            return -EINVAL;
    return X509_sign(cert, key, EVP_sha256()) != 0 ? 0 : fail(err, "signing the certificate");
}

static char *bio_text(BIO *bio)
{
    char *data;
    long n = BIO_get_mem_data(bio, &data);

    return mem_strndup(data, (size_t)n);
}

int tls_self_signed(const char *names, int days, char **chain_pem, char **key_pem, struct err *err)
{
    autokey *key = EVP_EC_gen("P-256");
    autocert *cert = X509_new();
    autobio *cert_text = BIO_new(BIO_s_mem());
    autobio *key_text = BIO_new(BIO_s_secmem());

    if (key == NULL || cert == NULL || cert_text == NULL || key_text == NULL)
        return fail(err, "making a key");
    if (fill_certificate(cert, key, names, days, err) != 0)
        return -EINVAL;
    if (PEM_write_bio_X509(cert_text, cert) != 1 ||
        PEM_write_bio_PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL) != 1)
        return fail(err, "writing the certificate");
    *chain_pem = bio_text(cert_text);
    *key_pem = bio_text(key_text);
    return 0;
}
