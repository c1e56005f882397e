/*
 * What sign and verify share: secrets from files and the environment, and the parts of a
 * callback URL that are signed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_SIGNING_H
#define CLI_SIGNING_H

#include "cli/options.h"
#include "vidu/sign.h"

#define SIGNING_MAX_SECRETS 8

struct signing_secrets {
    struct slice v[SIGNING_MAX_SECRETS]; /* owned */
    size_t n;
};

/* Every --secret-file and --secret-env; at least one is needed. Blanks around a secret and a
 * pasted "Token " or "Bearer " are removed. */
MUST_CHECK int signing_read_secrets(const struct options *o, struct signing_secrets *out,
                                    struct err *err);
void signing_clear_secrets(struct signing_secrets *s);

/* Path and query of a URL or of a request target, exactly as written; borrowed from text. */
MUST_CHECK int signing_split_url(const char *text, struct slice *path, struct slice *query,
                                 struct err *err);

#endif
