/*
 * What the project needs from libcrypto, TLS apart, behind fixed sizes.
 *
 * Failure of any of them means a broken library or an exhausted machine: they abort.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_CRYPTO_H
#define VIDU_CRYPTO_H

#include "base/str.h"

#define SHA256_LEN     32
#define SHA256_HEX_LEN 64

void crypto_sha256(const void *p, size_t n, uint8_t out[SHA256_LEN]);
void crypto_hmac_sha256(const void *key, size_t key_len, const void *p, size_t n,
                        uint8_t out[SHA256_LEN]);
/*
 * The same in a place that is used again and again: setting one up costs more than what is computed
 * in it. It remembers the last key until it is freed, which wipes it. NULL is fine to free.
 */
struct crypto_place;
struct crypto_place *crypto_place_new(void);
void crypto_place_sha256(struct crypto_place *place, const void *p, size_t n,
                         uint8_t out[SHA256_LEN]);
void crypto_place_hmac(struct crypto_place *place, const void *key, size_t key_len, const void *p,
                       size_t n, uint8_t out[SHA256_LEN]);
void crypto_place_free(struct crypto_place *place);

void crypto_random(void *p, size_t n);
/* Time does not depend on where the bytes differ. */
bool crypto_equal(const void *a, const void *b, size_t n);

/* A digest of bytes that come in pieces; crypto_digest_final frees it. NULL is fine to free. */
struct crypto_digest;
struct crypto_digest *crypto_digest_new(void);
void crypto_digest_add(struct crypto_digest *d, const void *p, size_t n);
void crypto_digest_final(struct crypto_digest *d, uint8_t out[SHA256_LEN]);
void crypto_digest_free(struct crypto_digest *d);

#endif
