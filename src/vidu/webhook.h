/*
 * Signatures of the deliveries we send, in the form of Standard Webhooks
 * (https://www.standardwebhooks.com): HMAC-SHA256 over "ID.TIMESTAMP.BODY".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_WEBHOOK_H
#define VIDU_WEBHOOK_H

#include "base/buf.h"

#define WEBHOOK_SECRET_MIN 24 /* bytes, once decoded */
#define WEBHOOK_SECRET_MAX 64

/* "whsec_" (may be left out) and base64 of 24 to 64 bytes; an error never repeats the text. */
MUST_CHECK int webhook_secret_check(const char *secret, struct err *err);

/* Appends "v1,BASE64" for one secret; what stands in out already is followed by a blank. */
MUST_CHECK int webhook_sign(const char *secret, const char *id, int64_t time_s, struct slice body,
                            struct buf *out, struct err *err);

#endif
