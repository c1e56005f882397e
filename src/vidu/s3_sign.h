/*
 * The headers that sign a request to S3 (vidu/sigv4.h).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_S3_SIGN_H
#define VIDU_S3_SIGN_H

#include "base/str.h"

/* SHA-256 of nothing: the payload of a request without a body. */
#define S3_NO_PAYLOAD "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define S3_LINES      3

struct s3_request {
    const char *access_key, *secret_key, *region;
    const char *method;
    const char *url;     /* without a query */
    const char *payload; /* SHA-256 in hexadecimal */
    int64_t now_s;
};

/* Each "Name: value", to be freed by the caller. */
void s3_sign(const struct s3_request *r, char *lines[S3_LINES]);

#endif
