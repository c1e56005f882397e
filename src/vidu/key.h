/*
 * Sealed callback keys.
 *
 * A key is 26 bytes in lower-case base32, 42 characters: 12 random bytes, 4 of the time it was
 * made, then the first 10 bytes of HMAC-SHA256 over them under the installation's seal secret.
 * Whoever holds the secret can tell a key that was made here from noise without looking anything
 * up, so the receiver refuses guesses at the request line. The store holds only the key's hash.
 *
 * Keys consist of [a-z2-7], so that no two implementations can disagree on how the path of the
 * callback URL is encoded (vidu-api.md 12.3, 15.2).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_KEY_H
#define VIDU_KEY_H

#include "vidu/crypto.h"

#define KEY_LEN         42
#define KEY_SIZE        (KEY_LEN + 1)
#define SEAL_SECRET_LEN 32
/* What a log may show of a key. */
#define KEY_SHOWN_LEN 4

void key_new(const uint8_t secret[SEAL_SECRET_LEN], int64_t now_s, struct crypto_place *place,
             char out[KEY_SIZE]);
/* True when the text was made by key_new under this secret; constant time in the seal. */
bool key_is_sealed(const uint8_t secret[SEAL_SECRET_LEN], const char *p, size_t n,
                   struct crypto_place *place);
/*
 * What the store knows a key by: the time in it, then the first 28 bytes of its text's SHA-256.
 * With the time in front, the keys of tasks that are under way lie together in the store's index,
 * however many others there are.
 */
void key_hash(const char *p, size_t n, struct crypto_place *place, uint8_t out[SHA256_LEN]);

#endif
