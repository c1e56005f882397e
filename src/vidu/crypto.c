/* SPDX-License-Identifier: MIT */
#include "vidu/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

struct crypto_digest {
    EVP_MD_CTX *ctx;
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

void crypto_hmac_sha256(const void *key, size_t key_len, const void *p, size_t n,
                        uint8_t out[SHA256_LEN])
{
    const void *some_key = key_len != 0 ? key : ""; /* OpenSSL takes a NULL key for none at all */
    size_t len = 0;

    must(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, some_key, key_len, p, n, out, SHA256_LEN,
                   &len) != NULL);
    must(len == SHA256_LEN);
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
