/*
 * The sender's side of the callback signature (vidu-api.md 12.1), written apart from the
 * verifier in vidu/sign.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_SIM_SIGN_H
#define SIM_SIM_SIGN_H

#include "base/str.h"

#define SIM_SIGNATURE_LEN 44
#define SIM_NONCE_LEN     36

struct sim_signed_field {
    const char *name; /* as it stands in the list */
    const char *value;
};

/*
 * Signature of a POST to url, whose path and query are used as they are written. fields is the
 * signed list, ended by a NULL name.
 */
void sim_sign(const char *key, const char *url, const char *date,
              const struct sim_signed_field *fields, char out[SIM_SIGNATURE_LEN + 1]);

/* A random UUID (version 4) as text. */
void sim_sign_nonce(char out[SIM_NONCE_LEN + 1]);

#endif
