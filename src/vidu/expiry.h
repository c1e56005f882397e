/*
 * Until when a link works: signed URLs say so themselves (X-Amz-Date and X-Amz-Expires, or any
 * other vendor's -Date and -Expires; Expires in seconds since 1970). One that does not is taken to
 * be good for an hour, the shortest that Vidu has promised (vidu-api.md 7.1).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_EXPIRY_H
#define VIDU_EXPIRY_H

#include <stdint.h>

#define EXPIRY_DEFAULT_MS (3600 * 1000LL)

/* Wall time in ms; what a URL does not tell is reckoned from when it was received. */
int64_t expiry_of_url(const char *url, int64_t received_ms);
/* The soonest of a result (callback_creations_json); 0: it has no URL. */
int64_t expiry_of_result(const char *result, int64_t received_ms);

#endif
