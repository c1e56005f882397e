/*
 * The callback signature (vidu-api.md section 12, vectors 12.4, rules 12.5).
 *
 *   S = METHOD LF PATH LF QUERY LF "vidu" LF DATE LF { NAME ":" VALUE LF }
 *   signature = base64(HMAC-SHA256(secret, S))
 *
 * The body is not covered: a good signature proves who called, not what was said.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_SIGN_H
#define VIDU_SIGN_H

#include "base/buf.h"
#include "vidu/crypto.h"

#define SIGN_TEXT_LEN    44
#define SIGN_MAX_NAMES   16
#define SIGN_MAX_HEADERS 64

struct sign_header {
    struct slice name;
    struct slice value; /* without surrounding blanks */
};

/* One request as it was received. Slices are borrowed. */
struct sign_request {
    struct slice method;
    struct slice path;  /* raw; "" is treated as "/" */
    struct slice query; /* raw, without '?'; "" when there is none */
    const struct sign_header *headers;
    size_t n_headers;
};

enum sign_verdict {
    SIGN_OK,
    SIGN_ABSENT,    /* not one of the six headers is there; a Date alone is no signature */
    SIGN_MALFORMED, /* one missing, doubled, of wrong form; a list without Date or the nonce */
    SIGN_WRONG,     /* well formed, but no key gives it */
};

struct sign_result {
    enum sign_verdict verdict;
    const char *reason; /* static text for the log: "x-request-nonce not signed" */
    size_t key_index;   /* with SIGN_OK: which secret matched */
    int64_t date_ms;    /* with SIGN_OK and SIGN_WRONG */
    struct slice nonce; /* borrowed from the request; with SIGN_OK */
};

/* Tries every secret, always all of them, in constant time per secret. */
struct sign_result sign_verify(const struct sign_request *req, const struct slice *secrets,
                               size_t n_secrets, struct crypto_place *place);
const char *sign_verdict_name(enum sign_verdict v);

/*
 * The string to sign for a list of names; values are looked up in req without regard to case, a
 * name that is absent contributes an empty value. No policy: callers that judge use sign_verify.
 */
void sign_string(const struct sign_request *req, struct slice date, struct slice names,
                 struct buf *out);
/* base64 of the HMAC; 44 characters and a NUL. */
void sign_compute(struct slice secret, const char *text, size_t n, char out[SIGN_TEXT_LEN + 1]);

#endif
