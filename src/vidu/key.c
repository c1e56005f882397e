/* SPDX-License-Identifier: MIT */
#include "vidu/key.h"

#include "base/encode.h"

#include <string.h>

#define NOISE_LEN 16
#define SEAL_LEN  10
#define RAW_LEN   (NOISE_LEN + SEAL_LEN)

_Static_assert(BASE32_LEN(RAW_LEN) == KEY_LEN, "a key is its raw bytes in base32");

static void seal(const uint8_t secret[SEAL_SECRET_LEN], const uint8_t *noise,
                 uint8_t out[SHA256_LEN])
{
    crypto_hmac_sha256(secret, SEAL_SECRET_LEN, noise, NOISE_LEN, out);
}

void key_new(const uint8_t secret[SEAL_SECRET_LEN], char out[KEY_SIZE])
{
    uint8_t raw[RAW_LEN];
    uint8_t mac[SHA256_LEN];

    crypto_random(raw, NOISE_LEN);
    seal(secret, raw, mac);
    memcpy(raw + NOISE_LEN, mac, SEAL_LEN);
    encode_base32(raw, sizeof(raw), out);
}

bool key_is_sealed(const uint8_t secret[SEAL_SECRET_LEN], const char *p, size_t n)
{
    uint8_t raw[RAW_LEN];
    uint8_t mac[SHA256_LEN];

    if (decode_base32(p, n, raw, sizeof(raw)) < 0)
        return false;
    seal(secret, raw, mac);
    return crypto_equal(raw + NOISE_LEN, mac, SEAL_LEN);
}

void key_hash(const char *p, size_t n, uint8_t out[SHA256_LEN])
{
    crypto_sha256(p, n, out);
}
