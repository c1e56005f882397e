/*
 * Bytes as text: hexadecimal, base64 (RFC 4648 section 4) and lower-case base32 (section 6,
 * without padding).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include "base/buf.h"

#include <stdint.h>

/* out must hold 2 * n + 1 bytes. */
void encode_hex(const uint8_t *p, size_t n, char *out);
/* Exactly 2 * out_len hex digits of either case; -EINVAL otherwise. */
MUST_CHECK int decode_hex(const char *s, size_t n, uint8_t *out, size_t out_len);

#define BASE64_LEN(n) (((n) + 2) / 3 * 4)
/* out must hold BASE64_LEN(n) + 1 bytes. */
void encode_base64(const uint8_t *p, size_t n, char *out);
/* Appends, without an intermediate copy. */
void encode_base64_buf(const uint8_t *p, size_t n, struct buf *out);
/* Canonical form only: padded, no white space, unused bits zero. At most out_max bytes. */
MUST_CHECK int decode_base64(const char *s, size_t n, uint8_t *out, size_t out_max,
                             size_t *out_len);

#define BASE32_LEN(n) (((n)*8 + 4) / 5)
/* out must hold BASE32_LEN(n) + 1 bytes. */
void encode_base32(const uint8_t *p, size_t n, char *out);
/* Canonical lower-case form of exactly out_len bytes; -EINVAL otherwise. */
MUST_CHECK int decode_base32(const char *s, size_t n, uint8_t *out, size_t out_len);

#endif
