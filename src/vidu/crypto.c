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

struct crypto_place {
    EVP_MAC_CTX *mac;
    EVP_MD *sha256;
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

struct crypto_place *crypto_place_new(void)
{
    struct crypto_place *place = mem_calloc(1, sizeof(*place));
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    must(mac != NULL);
    place->mac = EVP_MAC_CTX_new(mac);
    must(place->mac != NULL && EVP_MAC_CTX_set_params(place->mac, params) == 1);
    EVP_MAC_free(mac);
    place->sha256 = EVP_MD_fetch(NULL, digest, NULL);
    must(place->sha256 != NULL);
    return place;
}

void crypto_place_sha256(struct crypto_place *place, const void *p, size_t n,
                         uint8_t out[SHA256_LEN])
{
    must(EVP_Digest(p, n, out, NULL, place->sha256, NULL));
}

void crypto_place_hmac(struct crypto_place *place, const void *key, size_t key_len, const void *p,
                       size_t n, uint8_t out[SHA256_LEN])
{
    const void *some_key = key_len != 0 ? key : ""; /* OpenSSL takes NULL for the last key again */
    size_t len = 0;

    must(EVP_MAC_init(place->mac, some_key, key_len, NULL));
    must(EVP_MAC_update(place->mac, p, n));
    must(EVP_MAC_final(place->mac, out, &len, SHA256_LEN));
    must(len == SHA256_LEN);
}

void crypto_place_free(struct crypto_place *place)
{
    if (place == NULL)
        return;
    EVP_MAC_CTX_free(place->mac);
    EVP_MD_free(place->sha256);
    free(place);
}

void crypto_hmac_sha256(const void *key, size_t key_len, const void *p, size_t n,
                        uint8_t out[SHA256_LEN])
{
    struct crypto_place *place = crypto_place_new();

    crypto_place_hmac(place, key, key_len, p, n, out);
    crypto_place_free(place);
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
