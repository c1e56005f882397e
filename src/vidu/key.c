/* SPDX-License-Identifier: MIT */
#include "vidu/key.h"

#include "base/encode.h"

#include <string.h>

#define RANDOM_LEN 12
#define TIME_LEN   4
#define SEALED_LEN (RANDOM_LEN + TIME_LEN)
#define SEAL_LEN   10
#define RAW_LEN    (SEALED_LEN + SEAL_LEN)

_Static_assert(BASE32_LEN(RAW_LEN) == KEY_LEN, "a key is its raw bytes in base32");

void key_new(const uint8_t secret[SEAL_SECRET_LEN], int64_t now_s, struct crypto_place *place,
             char out[KEY_SIZE])
{
    uint8_t raw[RAW_LEN];
    uint8_t mac[SHA256_LEN];

    crypto_random(raw, RANDOM_LEN);
    for (size_t i = 0; i < TIME_LEN; i++)
        raw[RANDOM_LEN + i] = (uint8_t)((uint64_t)now_s >> (8 * (TIME_LEN - 1 - i)));
    crypto_place_hmac(place, secret, SEAL_SECRET_LEN, raw, SEALED_LEN, mac);
    memcpy(raw + SEALED_LEN, mac, SEAL_LEN);
    encode_base32(raw, sizeof(raw), out);
}

bool key_is_sealed(const uint8_t secret[SEAL_SECRET_LEN], const char *p, size_t n,
                   struct crypto_place *place)
{
    uint8_t raw[RAW_LEN];
    uint8_t mac[SHA256_LEN];

    if (decode_base32(p, n, raw, sizeof(raw)) < 0)
        return false;
    crypto_place_hmac(place, secret, SEAL_SECRET_LEN, raw, SEALED_LEN, mac);
    return crypto_equal(raw + SEALED_LEN, mac, SEAL_LEN);
}

void key_hash(const char *p, size_t n, struct crypto_place *place, uint8_t out[SHA256_LEN])
{
    uint8_t raw[RAW_LEN] = {0};
    uint8_t digest[SHA256_LEN];

    if (decode_base32(p, n, raw, sizeof(raw)) < 0)
        memset(raw, 0, sizeof(raw)); /* not one of ours: any hash will do */
    crypto_place_sha256(place, p, n, digest);
    memcpy(out, raw + RANDOM_LEN, TIME_LEN);
    memcpy(out + TIME_LEN, digest, SHA256_LEN - TIME_LEN);
}
