/* SPDX-License-Identifier: MIT */
#include "vidu/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

struct crypto_digest {
    EVP_MD_CTX *ctx;
};

struct crypto_hmac {
    EVP_MAC_CTX *ctx;
};

static void must(int ok)
{
    if (ok != 1)
        abort();
}

void crypto_sha256(const void *p, size_t n, uint8_t out[SHA256_LEN])
{
    must(EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL));
}

struct crypto_hmac *crypto_hmac_new(void)
{
    struct crypto_hmac *h = mem_calloc(1, sizeof(*h));
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    must(mac != NULL);
    h->ctx = EVP_MAC_CTX_new(mac);
    must(h->ctx != NULL && EVP_MAC_CTX_set_params(h->ctx, params) == 1);
    EVP_MAC_free(mac);
    return h;
}

void crypto_hmac_compute(struct crypto_hmac *h, const void *key, size_t key_len, const void *p,
                         size_t n, uint8_t out[SHA256_LEN])
{
    const void *some_key = key_len != 0 ? key : ""; /* OpenSSL takes NULL for the last key again */
    size_t len = 0;

    must(EVP_MAC_init(h->ctx, some_key, key_len, NULL));
    must(EVP_MAC_update(h->ctx, p, n));
    must(EVP_MAC_final(h->ctx, out, &len, SHA256_LEN));
    must(len == SHA256_LEN);
}

void crypto_hmac_free(struct crypto_hmac *h)
{
    if (h == NULL)
        return;
    EVP_MAC_CTX_free(h->ctx);
    free(h);
}

void crypto_hmac_sha256(const void *key, size_t key_len, const void *p, size_t n,
                        uint8_t out[SHA256_LEN])
{
    struct crypto_hmac *h = crypto_hmac_new();

    crypto_hmac_compute(h, key, key_len, p, n, out);
    crypto_hmac_free(h);
}

void crypto_random(void *p, size_t n)
{
    must(n <= INT32_MAX && RAND_bytes(p, (int)n) == 1);
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

struct crypto_digest *crypto_digest_new(void)
{
    struct crypto_digest *d = mem_calloc(1, sizeof(*d));

    d->ctx = EVP_MD_CTX_new();
    must(d->ctx != NULL);
    must(EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL));
    return d;
}

void crypto_digest_add(struct crypto_digest *d, const void *p, size_t n)
{
    must(EVP_DigestUpdate(d->ctx, p, n));
}

void crypto_digest_final(struct crypto_digest *d, uint8_t out[SHA256_LEN])
{
    must(EVP_DigestFinal_ex(d->ctx, out, NULL));
    crypto_digest_free(d);
}

void crypto_digest_free(struct crypto_digest *d)
{
    if (d == NULL)
        return;
    EVP_MD_CTX_free(d->ctx);
    free(d);
}
